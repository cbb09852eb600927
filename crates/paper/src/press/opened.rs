//! A card file at the print shop: opened with the secret key, listed, extracted.
//!
//! Guarantees: [`open`] reads all of it first, so nothing is extracted from a file that lacks its end or was changed.
//! What is extracted is its owner's alone, new, and inside the directory that was named.
//! Bounded by: [`MEMBERS_MAX`], [`IDENTITIES_MAX`]. Deliberately not here: keys with a passphrase and plug-ins; `age`
//! itself opens those.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use age::stream::StreamReader;
use age::{DecryptError, Decryptor, Identity, x25519};
use zeroize::Zeroizing;

use super::fault::PressFault;

/// Members of an archive: two for each thousand of the most cards, and some.
const MEMBERS_MAX: usize = 250_000;
/// Keys in an identity file: more is a mistake.
const IDENTITIES_MAX: usize = 16;
/// Octets copied at a time.
const COPY_LEN: usize = 64 * 1024;

/// A file inside a card file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Without a directory.
    pub name: String,
    /// How long it is.
    pub octets: u64,
}

/// A card file that is known to be whole.
pub struct Opened {
    path: PathBuf,
    file: File,
    identities: Vec<x25519::Identity>,
    members: Vec<Member>,
}

/// Opens a card file with the text of an identity file and reads it to its end.
pub fn open(path: &Path, identity_file_text: &str) -> Result<Opened, PressFault> {
    let identities = identities(identity_file_text)?;
    let file = File::open(path).map_err(|error| PressFault::io(path, error))?;
    let mut opened = Opened { path: path.to_owned(), file, identities, members: Vec::new() };
    let mut members = Vec::new();
    opened.walk(|member, content| {
        members.push(member.clone());
        // Past the content, so that damage in it is found now.
        copy(content, &mut io::sink()).map_err(|error| PressFault::reading(path, error))
    })?;
    opened.members = members;
    Ok(opened)
}

impl Opened {
    /// What is inside, in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Writes all members into a directory, which is made if it is not there. After a fault none of them is left.
    pub fn extract(&mut self, dir: &Path) -> Result<(), PressFault> {
        if !dir.is_dir() {
            DirBuilder::new().mode(0o700).create(dir).map_err(|error| PressFault::io(dir, error))?;
        }
        let mut written = Vec::new();
        let path = self.path.clone();
        let done = self.walk(|member, content| {
            let to = dir.join(&member.name);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&to)
                .map_err(|error| PressFault::io(&to, error))?;
            written.push(to.clone());
            let mut out = Told { file: &mut file, fault: None };
            match (copy(content, &mut out), out.fault) {
                (_, Some(fault)) => Err(PressFault::io(&to, fault)),
                (copied, None) => copied.map_err(|error| PressFault::reading(&path, error)),
            }
        });
        if done.is_err() {
            for path in written {
                // The fault that is told is the first one.
                drop(std::fs::remove_file(path));
            }
        }
        done
    }

    /// Decrypts from the start to the end and shows each member.
    fn walk(
        &mut self,
        mut each: impl FnMut(&Member, &mut dyn Read) -> Result<(), PressFault>,
    ) -> Result<(), PressFault> {
        let path = self.path.clone();
        let damaged = |error| PressFault::reading(&path, error);
        let mut archive = tar::Archive::new(self.decrypted()?);
        for (count, entry) in archive.entries().map_err(damaged)?.enumerate() {
            let mut entry = entry.map_err(damaged)?;
            if count >= MEMBERS_MAX {
                return Err(PressFault::Damaged("more is in it than the press ever writes"));
            }
            if !entry.header().entry_type().is_file() {
                return Err(PressFault::Damaged("there is something in it that is no plain file"));
            }
            let name = plain_name(&entry.path_bytes()).ok_or(PressFault::Damaged("a name in it leads elsewhere"))?;
            let member = Member { name, octets: entry.size() };
            each(&member, &mut entry)?;
        }
        // Only the end proves that nothing was cut off.
        copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)
    }

    fn decrypted(&mut self) -> Result<StreamReader<BufReader<&File>>, PressFault> {
        self.file.rewind().map_err(|error| PressFault::io(&self.path, error))?;
        let reader = BufReader::with_capacity(COPY_LEN, &self.file);
        let fault = |error| match error {
            DecryptError::NoMatchingKeys => PressFault::WrongKey,
            DecryptError::Io(error) => PressFault::reading(&self.path, error),
            DecryptError::InvalidMac | DecryptError::DecryptionFailed => PressFault::Damaged("its head was changed"),
            _ => PressFault::Damaged("it is no age file"),
        };
        let decryptor = Decryptor::new_buffered(reader).map_err(fault)?;
        decryptor.decrypt(self.identities.iter().map(|identity| identity as &dyn Identity)).map_err(fault)
    }
}

/// Says what is open, never with which key.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("path", &self.path).field("members", &self.members).finish_non_exhaustive()
    }
}

/// The keys of an identity file: lines with a key, empty lines and lines after `#`.
fn identities(text: &str) -> Result<Vec<x25519::Identity>, PressFault> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Result<Vec<x25519::Identity>, _> = lines.take(IDENTITIES_MAX).map(str::parse).collect();
    keys.ok().filter(|keys| !keys.is_empty()).ok_or(PressFault::Identity)
}

/// A name that stays in the directory it is put into: letters, digits, `-`, `_` and `.`, the first no `.`.
fn plain_name(octets: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(octets).ok()?;
    let plain = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'));
    (plain && !name.is_empty() && !name.starts_with('.')).then(|| String::from(name))
}

fn copy(from: &mut (impl Read + ?Sized), to: &mut impl Write) -> io::Result<()> {
    let mut buffer = Zeroizing::new(vec![0; COPY_LEN]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => to.write_all(buffer.get(..len).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Keeps what went wrong with writing apart from what went wrong with reading.
struct Told<'a> {
    file: &'a mut File,
    fault: Option<io::Error>,
}

impl Write for Told<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets).map_err(|error| {
            let kind = error.kind();
            self.fault = Some(error);
            io::Error::from(kind)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
