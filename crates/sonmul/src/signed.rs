//! The files that `sonmul check` keeps: the state that it signed last, and the key that it signs with.
//!
//! Guarantees: a state is there whole or not at all; whatever is wrong with these files, the check is made all the same, from
//! entry one, and says why. Deliberately not here: what is signed (`paper::reports::signed`). Neither file is in a backup.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use paper::reports::agree::Waiting;
use paper::reports::check::Check;
use paper::reports::fold::Journal;
use paper::reports::signed::Key;
use store::DataDir;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure, Outcome};
use crate::keys;

/// Octets that are read or written at once.
const BUFFER: usize = 1 << 20;

fn state_path(dir: &DataDir) -> PathBuf {
    dir.path().join("checked.state")
}

fn key_path(dir: &DataDir) -> PathBuf {
    dir.path().join("check.key")
}

/// The key, made when it is missing; `None`: it can't be used, which was said, and everything is folded.
pub(crate) fn key(dir: &DataDir) -> Option<Zeroizing<Key>> {
    let path = key_path(dir);
    let key = if path.exists() { read_key(&path) } else { make_key(&path) };
    key.map_err(|failure| eprintln!("what is checked is not signed: {failure}")).ok()
}

fn make_key(path: &Path) -> Outcome<Zeroizing<Key>> {
    keys::write_secret(path, &keys::random_hex()?)?;
    read_key(path)
}

fn read_key(path: &Path) -> Outcome<Zeroizing<Key>> {
    let text = keys::read_secret(path)?;
    keys::unhex(text.trim()).map(Zeroizing::new).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{} is no key: remove it, and a new one is made", path.display()))
    })
}

/// Goes on from the state that was signed last; `None`: there is none, or it can't be gone on from, which was said.
pub(crate) fn resume(dir: &DataDir, key: &Key, journal: &Journal, checkpoint: &Waiting) -> Option<Check> {
    let path = state_path(dir);
    let opened = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        opened => opened.map_err(Into::into),
    };
    let resumed =
        opened.and_then(|file| Check::resume(key, &mut BufReader::with_capacity(BUFFER, file), journal, checkpoint));
    resumed.map_err(|why| eprintln!("{why}; all of the journal is folded")).ok()
}

/// Signs what was checked, for the next check. That it can't be kept is said, and changes nothing else.
pub(crate) fn keep(dir: &DataDir, key: Option<&Key>, check: &Check) {
    let Some(key) = key else { return };
    if let Err(error) = write(&state_path(dir), key, check) {
        eprintln!("what was checked could not be kept, so that the next check folds more: {error}");
    }
}

fn write(path: &Path, key: &Key, check: &Check) -> io::Result<()> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".tmp");
    let tmp = Path::new(&name);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(tmp)?;
    let mut out = BufWriter::with_capacity(BUFFER, file);
    check.sign(key, &mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    std::fs::rename(tmp, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
