//! The press: new cards as one encrypted file for the print shop, and receipts for people who paid.
//!
//! Guarantees: a card number or a password leaves this module only inside an `age` file or a PDF inside it, never in a
//! temporary file, an error or a `Debug`; a file that is sealed is on the disk when its hash is told; a text whose
//! letters the fonts lack is refused before the first card, never printed as boxes.
//! Bounded by: [`CARDS_MAX`] cards in a file, [`BATCH_CARDS`] in memory at a time.
//! Deliberately not here: making numbers and passwords, the journal, and who may have a file. What `age`, `tar` and
//! `krilla` copy inside themselves is freed, but not wiped.

mod batch;
mod card_file;
mod draw;
mod fault;
mod font;
mod key;
mod label;
mod length;
mod opened;
mod readme;
mod receipt;
mod sheet;
#[cfg(test)]
mod tests;

pub use card_file::CardFile;
pub use fault::PressFault;
pub use key::{new_key, recipient};
pub use label::{Label, amount, amount_fixed};
pub use opened::open;
pub use receipt::{PaperMm, Receipt, Row};

/// Cards in one member of the archive: what is held in memory at a time, and a bundle that a person can count.
pub const BATCH_CARDS: usize = 1_000;
/// Cards in a file: as many as serials of [`SERIAL_DIGITS`] digits, so that four digits number its members only by
/// habit (`cards-99999.csv` is fine).
pub const CARDS_MAX: u32 = SERIAL_MAX;
/// Digits of a serial in print.
pub const SERIAL_DIGITS: usize = 8;
/// The last serial that fits.
pub const SERIAL_MAX: u32 = 99_999_999;
