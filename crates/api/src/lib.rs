//! What people and programs of the operator talk to: the administrative interface on `admin.sock`, and the one JSON view
//! of a journal entry. The contract is docs/protocols/admin.md.
//!
//! Guarantees: a command is recorded with the uid of the peer that sent it; no password, card number or whole MSISDN is
//! ever logged; a refusal or an answer that the engine learns does not compile until this crate can say it.
//!
//! Bounded by the ceilings named in [`admin`]: requests under way, octets of a body, entries and octets of a list.
//!
//! Deliberately not here: rules about money (domain), durability (engine), the socket's file and mode, command lines (sonmul).

pub mod admin;
pub mod view;

pub use admin::{AdminParts, router, serve_unix};
