//! One rig for the tests of every crate: the shipped rules, fixed keys, people and things with numbers, what they ask, and a
//! small [`World`] that decides and folds it.
//!
//! For: tests alone. The feature `testing` brings it in; no crate has that feature outside of its tests.
//!
//! Bounded by: nothing. It panics wherever something is not as its caller says.
//! Deliberately not here: engines, disks and sockets (each crate has its own rig for those), the scripts of the decider's own
//! tests.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

mod asks;
mod profiles;
mod world;

use zeroize::Zeroizing;

use crate::command::Caller;
use crate::id::CommandId;
use crate::ids::{LinkId, OperatorId};
use crate::money::Amount;
use crate::number::{CardNumber, Msisdn};
use crate::password::{KeyId, Password, TagKey, TagKeys};
use crate::time::Timestamp;

pub use asks::{asked, bind, gift, import, issue, load, phones, proof, proved, seconded, subscriber, top_up};
pub use profiles::{KANGSONG, KORYOLINK, one_period, profile, replaced, rules, rules_of, rules_with};
pub use world::{Kept, World};

/// The first operator that is loaded.
pub const OPERATOR: OperatorId = OperatorId(0);
/// Everybody's password, unless a test says otherwise.
pub const PASSWORD: &str = "482913";

/// The key of that id.
pub fn tag_key(id: u8) -> TagKey {
    TagKey::new(KeyId(id), &Zeroizing::new([id; 32]))
}

/// One key.
pub fn keys() -> TagKeys {
    TagKeys::new(tag_key(1), None)
}

/// Two keys: the older one still verifies.
pub fn two_keys() -> TagKeys {
    TagKeys::new(tag_key(2), Some(tag_key(1)))
}

/// The password of six digits.
pub fn password(digits: &str) -> Password {
    Password::parse(digits).expect("six digits")
}

/// A number in full.
pub fn msisdn(digits: &str) -> Msisdn {
    Msisdn::parse(digits).expect("a number")
}

/// The `n`th phone: 850 191 1 000 000 and `n`.
pub fn phone(n: u64) -> Msisdn {
    Msisdn::try_new(8_501_911_000_000 + n).expect("a number")
}

/// The `n`th card number.
pub fn card_number(n: u64) -> CardNumber {
    CardNumber::from_payload(400_000_000_000_000 + n).expect("15 digits")
}

/// So many minor units.
pub fn minor(minor: i64) -> Amount {
    Amount::try_new(minor).expect("positive")
}

/// An instant as RFC 3339 writes it.
pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

/// A phone of the first operator that calls over link 1.
pub const fn caller(msisdn: Msisdn) -> Caller {
    Caller { operator: OPERATOR, link: LinkId(1), msisdn, imsi: None }
}

/// The `n`th id that a program makes at an instant: a `UUIDv7`.
pub fn program_id(at: Timestamp, n: u64) -> CommandId {
    let ms = u128::try_from(at.ms()).expect("after 1970");
    CommandId::from_uuid((ms << 80) | (7 << 76) | (0b10 << 62) | u128::from(n)).expect("a UUIDv7")
}
