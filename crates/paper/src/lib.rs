//! What is printed and handed over: receipts, sheets of cards and card files (`press`); reports, charts, exports and the
//! books' daily check (`reports`).
//!
//! Guarantees: a card number or a password leaves this crate only inside an encrypted file; a report is whole numbers,
//! counted from the journal alone.
//!
//! Deliberately not here: where a journal and its checkpoint are kept (whoever calls brings a reader, and a
//! [`reports::agree::Kept`]), the words of the command line, deciding.

pub mod press;
pub mod reports;
