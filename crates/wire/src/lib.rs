//! Bytes ⇄ messages of the networks that Sonmul speaks to.
//!
//! **For:** the edges. They own sockets, sessions and time; this crate tells them what the octets say and builds the
//! octets that answer.
//!
//! **Guarantees:** every decoder is total (no input makes it panic), borrows from its input where the format allows
//! it, and fails with a closed error enum. No `Debug` or `Display` in this crate shows a dialled string, a text
//! that somebody typed, or a whole subscriber number: a password may be in the first two.
//!
//! **Bounded by:** named limits beside each format ([`dial::DIAL_LEN_MAX`], [`ipa::FRAME_LEN_MAX`],
//! [`gsup::ELEMENTS_MAX`], [`ber::VALUE_LEN_MAX`], [`ss::USSD_OCTETS_MAX`], …); where a function has no limit of its
//! own its work and its output are linear in its input.
//!
//! **Not here:** sockets, clocks, session tables, logging, money, rules, and what a dialled string *means* (its
//! fields are matched against an operator's templates in `edges`).

pub mod ber;
pub mod ctrl;
pub mod dial;
pub mod gsm7;
pub mod gsup;
pub mod imsi;
pub mod ipa;
pub mod smpp_ussd;
pub mod ss;
pub mod text;
pub mod ucs2;

#[cfg(test)]
mod testing;
