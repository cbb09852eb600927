//! Why the press stopped, in a name for programs and a sentence for people.
//!
//! Guarantees: names are public and never change; a sentence says what to do and holds no card number, no password and
//! no key.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a card file, a sheet or a receipt could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PressFault {
    /// There is something at that path.
    #[error("{} exists and is never overwritten: give another name, or move it away first", .0.display())]
    Exists(PathBuf),
    /// Not the public half of an `age` key.
    #[error(
        "the recipient is no age key: it is the line that starts with age1 and that the print shop's `age-keygen` \
         showed as its public key, 62 characters"
    )]
    Recipient,
    /// Not the secret half of an `age` key.
    #[error("the identity is no age key: it is a text file with a line that starts with AGE-SECRET-KEY-1")]
    Identity,
    /// The file is for another key.
    #[error("this key does not open the file: use the identity that belongs to the recipient it was made for")]
    WrongKey,
    /// Not an `age` file, or not all of it, or not as it was written.
    #[error("the file is damaged ({0}): fetch it again and compare its hash with the one that the journal keeps")]
    Damaged(&'static str),
    /// The disk is full.
    #[error("no room to write {}: free some space, then begin the file again", .0.display())]
    NoRoom(PathBuf),
    /// A text on the card can't be printed.
    #[error("the label can't be printed: {0}")]
    Label(String),
    /// A card is not what cards are: told by its serial alone.
    #[error("the card with serial {serial} can't be printed: {what}")]
    Card {
        /// Which card.
        serial: u32,
        /// What is wrong with it, without the digits.
        what: &'static str,
    },
    /// A PDF could not be put together.
    #[error("a PDF could not be made ({0}): this is a bug of ours, please report it")]
    Drawing(&'static str),
    /// The operating system said no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl PressFault {
    /// The public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exists(_) => "file-exists",
            Self::Recipient => "bad-recipient",
            Self::Identity => "bad-identity",
            Self::WrongKey => "wrong-key",
            Self::Damaged(_) => "damaged-file",
            Self::NoRoom(_) => "no-room",
            Self::Label(_) => "bad-label",
            Self::Card { .. } => "bad-card",
            Self::Drawing(_) => "bad-drawing",
            Self::Io { .. } => "io",
        }
    }

    /// Of writing or opening this file.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::AlreadyExists => Self::Exists(path),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::NoRoom(path),
            _ => Self::Io { path, source },
        }
    }

    /// Of reading what is inside this file: `age` and `tar` tell damage as an I/O error without a system's number.
    pub(super) fn reading(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::UnexpectedEof => Self::Damaged("it ends too early"),
            ErrorKind::InvalidData => Self::Damaged("its octets are not as they were written"),
            ErrorKind::Other | ErrorKind::InvalidInput => Self::Damaged("what is inside is no archive"),
            _ => Self::io(path, source),
        }
    }
}
