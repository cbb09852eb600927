//! Secrets in files: the keys that password tags are made with, and the local aggregator's key.
//!
//! Guarantees: a file that others may read is refused, never used; nothing is overwritten; keys are wiped when dropped.
//! Bounded by: [`LIVE_MAX`] live keys. Deliberately not here: backups of keys (they go another way than the data).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::password::{KEY_LEN, KeyId, TagKey, TagKeys};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure, OrExit, Outcome};

/// Keys in use at a time: a new one, and the one before until its tags are rewritten.
pub const LIVE_MAX: usize = 2;
/// Longest file that is read as a key.
const FILE_LEN_MAX: u64 = 1024;
/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// The directory of tag keys.
pub fn tag_dir(data: &Path) -> PathBuf {
    data.join("keys")
}

/// The key of `sonmul dial`.
pub fn local_key_path(data: &Path) -> PathBuf {
    data.join("aggregator-local.key")
}

/// Makes the directory of tag keys and the first key.
pub fn make_tag_key(data: &Path) -> Outcome<PathBuf> {
    let dir = tag_dir(data);
    DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .or_exit_with(Exit::Usage, || format!("{} can't be made", dir.display()))?;
    let path = dir.join("tag-1.key");
    write_secret(&path, &random_hex()?)?;
    Ok(path)
}

/// 32 random octets in hexadecimal.
pub fn random_hex() -> Outcome<Zeroizing<String>> {
    let mut key = Zeroizing::new([0_u8; KEY_LEN]);
    getrandom::fill(&mut *key).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(Zeroizing::new(hex(&*key)))
}

/// Octets as lower case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Reads hexadecimal of exactly `N` octets.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (octet, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// Writes a file that only its owner can read; refuses to overwrite.
pub fn write_secret(path: &Path, text: &str) -> Outcome<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .or_exit_with(Exit::Usage, || format!("{} can't be made", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(())
}

/// Reads a file that only its owner may read.
pub fn read_secret(path: &Path) -> Outcome<Zeroizing<String>> {
    let file = File::open(path).or_exit_with(Exit::Usage, || format!("{} can't be opened", path.display()))?;
    // Of the open file, so that nothing can be put in its place in between.
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(Failure::new(Exit::Usage, format!("{} is no file", path.display())));
    }
    let mode = meta.permissions().mode();
    if mode & OTHERS != 0 {
        let (mode, path) = (mode & 0o777, path.display());
        let what =
            format!("{path} can be read by others (mode {mode:03o}): run `chmod 600 {path}`, and think of it as known");
        return Err(Failure::new(Exit::Usage, what));
    }
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(FILE_LEN_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("{} can't be read", path.display()))
        .or_exit(Exit::Usage)?;
    Ok(text)
}

/// The live keys, with their ids.
pub fn load_tag_keys(data: &Path) -> Outcome<(TagKeys, Vec<KeyId>)> {
    let mut found = list(&tag_dir(data))?;
    found.sort_by_key(|(id, _)| std::cmp::Reverse(id.0));
    if found.len() > LIVE_MAX {
        let what = format!("{}: at most {LIVE_MAX} keys are live: move the oldest away", tag_dir(data).display());
        return Err(Failure::new(Exit::Usage, what));
    }
    let ids = found.iter().map(|(id, _)| *id).collect();
    let mut keys = found.iter().map(|(id, path)| load(*id, path));
    let none = || Failure::new(Exit::Usage, format!("{} holds no key (tag-1.key)", tag_dir(data).display()));
    let current = keys.next().ok_or_else(none)??;
    let older = keys.next().transpose()?;
    Ok((TagKeys::new(current, older), ids))
}

/// The ids of the live keys, without reading them.
pub fn key_ids(data: &Path) -> Outcome<Vec<u8>> {
    let mut ids: Vec<u8> = list(&tag_dir(data))?.into_iter().map(|(KeyId(id), _)| id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Key files by the id in their names.
fn list(dir: &Path) -> Outcome<Vec<(KeyId, PathBuf)>> {
    let entries = std::fs::read_dir(dir).or_exit_with(Exit::Usage, || {
        format!("{} can't be read; the keys are not in backups: bring them back from their own place", dir.display())
    })?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let id = name.strip_prefix("tag-").and_then(|rest| rest.strip_suffix(".key")).and_then(|id| id.parse().ok());
        match id {
            Some(id) if id > 0 => found.push((KeyId(id), path)),
            _ => {
                let what = format!("{} is not called tag-1.key to tag-255.key: move it away", path.display());
                return Err(Failure::new(Exit::Usage, what));
            }
        }
    }
    Ok(found)
}

fn load(id: KeyId, path: &Path) -> Outcome<TagKey> {
    let text = read_secret(path)?;
    let octets = unhex::<KEY_LEN>(text.trim()).map(Zeroizing::new).ok_or_else(|| {
        let what = format!("{} is no key: it must hold {} hexadecimal digits", path.display(), 2 * KEY_LEN);
        Failure::new(Exit::Usage, what)
    })?;
    Ok(TagKey::new(id, &octets))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{hex, load_tag_keys, make_tag_key, tag_dir, unhex};
    use crate::exit::Exit;

    fn refused(data: &Path) -> String {
        let failure = load_tag_keys(data).expect_err("refused");
        assert_eq!(failure.exit, Exit::Usage);
        failure.to_string()
    }

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let data = tempfile::tempdir().expect("a directory");
        let path = make_tag_key(data.path()).expect("made");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(tag_dir(data.path()).metadata().expect("there").permissions().mode() & 0o777, 0o700);
        let (_, ids) = load_tag_keys(data.path()).expect("read");
        assert_eq!(ids.len(), 1);
        assert!(make_tag_key(data.path()).is_err());
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_no_key_is_refused() {
        let data = tempfile::tempdir().expect("a directory");
        let path = make_tag_key(data.path()).expect("made");
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("changed");
        assert!(refused(data.path()).contains("chmod 600"));
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("changed");
        std::fs::write(&path, "abcd").expect("written");
        assert!(refused(data.path()).contains("64 hexadecimal digits"));
    }

    #[test]
    fn at_most_two_are_live() {
        let data = tempfile::tempdir().expect("a directory");
        make_tag_key(data.path()).expect("made");
        for id in [2, 3] {
            let text = super::random_hex().expect("random");
            super::write_secret(&tag_dir(data.path()).join(format!("tag-{id}.key")), &text).expect("written");
            match id {
                2 => assert_eq!(load_tag_keys(data.path()).expect("two").0.current().id().0, 2),
                _ => assert!(refused(data.path()).contains("at most 2")),
            }
        }
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        assert_eq!(unhex::<3>(&hex(&[0, 171, 255])), Some([0, 171, 255]));
        assert_eq!(unhex::<3>("00abf"), None);
        assert_eq!(unhex::<3>("00abfx"), None);
    }
}
