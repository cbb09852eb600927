//! One file of cards for the print shop: a `tar` of CSV and printable sheets, encrypted to the shop's key as it grows.
//!
//! Guarantees: the file is new, its owner's alone (0600), and encrypted from its first octet; it and its directory are
//! on the disk before [`CardFile::finish`] returns; one that is not finished is removed. The hash covers the octets
//! that were written, not what a disk gives back.
//! Bounded by: a batch of cards in memory. Deliberately not here: compression, since lengths would tell of contents.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use age::stream::StreamWriter;
use age::{Encryptor, Recipient};

use super::batch::{Batch, Card};
use super::fault::PressFault;
use super::label::Label;
use super::{CARDS_MAX, key, readme, sheet};

/// A card file that grows.
pub struct CardFile {
    path: PathBuf,
    label: Label,
    sheets: bool,
    /// Nothing after a write that failed: what follows would not be where it belongs.
    archive: Option<tar::Builder<StreamWriter<Hashed>>>,
    batch: Batch,
    parts: u32,
    cards: u32,
    sealed: bool,
}

/// What a finished file is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// BLAKE3 of the encrypted file.
    pub hash: [u8; 32],
    /// How long the encrypted file is.
    pub octets: u64,
    /// How many cards are in it.
    pub cards: u32,
}

impl CardFile {
    /// Begins a file that only `recipient` can read. Without `sheets` it holds CSV alone.
    pub fn create(path: &Path, recipient: &str, label: &Label, sheets: bool) -> Result<Self, PressFault> {
        label.check()?;
        sheet::check(label)?;
        let recipient = key::recipient(recipient)?;
        let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))
            .map_err(|_| PressFault::Recipient)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| PressFault::io(path, error))?;
        let mut made = Self {
            path: path.to_owned(),
            label: label.clone(),
            sheets,
            archive: None,
            batch: Batch::new(),
            parts: 0,
            cards: 0,
            sealed: false,
        };
        // From here on a failure removes the file.
        let hashed = Hashed { file, hash: blake3::Hasher::new(), octets: 0 };
        let stream = encryptor.wrap_output(hashed).map_err(|error| PressFault::io(path, error))?;
        made.archive = Some(tar::Builder::new(stream));
        Ok(made)
    }

    /// Adds a card: sixteen digits and six.
    pub fn push(&mut self, serial: u32, number: &str, password: &str) -> Result<(), PressFault> {
        if self.cards >= CARDS_MAX {
            return Err(PressFault::Card { serial, what: "the file is full" });
        }
        let full = self.batch.push(Card::try_new(serial, number, password)?);
        self.cards += 1;
        if full { self.write_batch() } else { Ok(()) }
    }

    /// Writes what waits and the read-me, and makes sure that all of it is on the disk.
    pub fn finish(mut self) -> Result<Sealed, PressFault> {
        if !self.batch.cards().is_empty() {
            self.write_batch()?;
        }
        let text = readme::text(&self.label, self.cards, self.parts, self.sheets);
        self.append("README.txt", text.as_bytes())?;
        let hashed = self.close().map_err(|error| PressFault::io(&self.path, error))?;
        self.sealed = true;
        Ok(Sealed { hash: *hashed.hash.finalize().as_bytes(), octets: hashed.octets, cards: self.cards })
    }

    fn write_batch(&mut self) -> Result<(), PressFault> {
        self.parts += 1;
        let part = self.parts;
        let csv = self.batch.csv(&self.label);
        self.append(&format!("cards-{part:04}.csv"), &csv)?;
        if self.sheets {
            let title = format!("sheets-{part:04}");
            let pdf = sheet::draw(&self.label, &title, self.batch.cards())?;
            self.append(&format!("{title}.pdf"), &pdf)?;
        }
        self.batch.wipe();
        Ok(())
    }

    fn append(&mut self, name: &str, octets: &[u8]) -> Result<(), PressFault> {
        let earlier = || PressFault::io(&self.path, io::Error::other("an earlier write failed"));
        let mut archive = self.archive.take().ok_or_else(earlier)?;
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o600);
        header.set_mtime(0);
        // A slice is never longer than 64 bits can tell.
        header.set_size(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        archive.append_data(&mut header, name, octets).map_err(|error| PressFault::io(&self.path, error))?;
        self.archive = Some(archive);
        Ok(())
    }

    fn close(&mut self) -> io::Result<Hashed> {
        let archive = self.archive.take().ok_or_else(|| io::Error::other("an earlier write failed"))?;
        let hashed = archive.into_inner()?.finish()?;
        hashed.file.sync_all()?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()?;
        Ok(hashed)
    }
}

/// Who gave up half-way leaves nothing behind that looks like a card file.
impl Drop for CardFile {
    fn drop(&mut self) {
        if !self.sealed {
            // Nobody is left to tell: the file can't be read without the end that it lacks.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Says how far it is, never what is in it.
impl fmt::Debug for CardFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardFile").field("path", &self.path).field("cards", &self.cards).finish_non_exhaustive()
    }
}

/// A file whose hash is known without reading it again.
struct Hashed {
    file: File,
    hash: blake3::Hasher,
    octets: u64,
}

impl Write for Hashed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.file.write(octets)?;
        let (done, _) = octets.split_at(written);
        self.hash.update(done);
        self.octets += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
