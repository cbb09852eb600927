//! The port to whoever makes files of cards.
//!
//! Guarantees asked of an implementation: a file that is finished is on disk, and nobody but the printer can open it.
//! Deliberately not here: how the file looks (sonmul), where its cards come from ([`super::export`]).

use std::sync::Arc;

use domain::ids::{BatchId, OperatorId, Serial};
use domain::money::Amount;
use domain::number::CardNumber;
use domain::password::Password;
use domain::rules::Rules;

/// What a file of cards is made for.
#[derive(Clone, Debug)]
pub struct PressOrder {
    /// The batch.
    pub batch: BatchId,
    /// Whose.
    pub operator: OperatorId,
    /// The operator's rules: names, service code, unit.
    pub rules: Arc<Rules>,
    /// What will be on each card.
    pub value: Amount,
    /// The printer's `age` recipient.
    pub recipient: String,
    /// Printable sheets besides the table.
    pub sheets: bool,
}

/// A file of cards that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// BLAKE3 of the encrypted file.
    pub file_hash: [u8; 32],
    /// How long it is.
    pub octets: u64,
    /// Where it is, in the data directory.
    pub file: String,
}

/// Whoever makes files of cards. It may wait for a disk.
pub trait Press: Send + Sync {
    /// Begins the one file of a batch.
    ///
    /// # Errors
    /// A sentence for whoever asked: a recipient that is none, a file that is there, a disk that is full.
    fn begin(&self, order: &PressOrder) -> Result<Box<dyn CardSink>, String>;

    /// Removes the file of a batch that was given up.
    fn discard(&self, batch: BatchId);
}

/// A file of cards that grows. Dropped before it is finished, it is removed.
pub trait CardSink: Send {
    /// Adds a card.
    ///
    /// # Errors
    /// A sentence without its secrets.
    fn push(&mut self, serial: Serial, number: CardNumber, password: &Password) -> Result<(), String>;

    /// Puts all of it on disk.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    fn finish(self: Box<Self>) -> Result<Pressed, String>;
}
