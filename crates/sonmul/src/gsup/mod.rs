//! The far side of GSUP: a switch with phones, so that a person without a radio network can dial through a real HLR.
//!
//! **For:** `sonmul dial --msc`; the load generator and the stand-in HLR of `lab` use the same parts.
//!
//! **Guarantees:** what is sent is what OsmoMSC sends: sessions from [`FIRST_SESSION`], invoke 59, result 60. A connection
//! that ends wakes everybody who waits on it. Nothing here prints a dialled string or a screen.
//!
//! **Bounded by:** dialogues of a switch, octets that wait to be sent ([`OUTBOX_LEN_MAX`]), screens that nobody fetches
//! ([`msc::SCREENS_MAX`]).
//!
//! **Deliberately not here:** the edge that answers; location updates, authentication, SMS and everything else that a real
//! switch does with its HLR.

mod error;
pub mod msc;
pub mod outbox;
pub mod switch;

pub use error::GsupError;
pub use outbox::OUTBOX_LEN_MAX;
pub use switch::{FIRST_SESSION, Shown};
