//! Names of things: the row numbers and small vocabulary that every other file uses.
//!
//! Guarantees: imports nothing of ours, so that no file has to import a bigger one to name a subscriber.
//! Deliberately not here: what is known of the things (see [`crate::state`]), numbers that people dial (see
//! [`crate::number`]), ids of commands (see [`crate::id`]).

use minicbor::{Decode, Encode};

/// Which network: numbered in the order of first loading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OperatorId(#[n(0)] pub u8);

/// Which configured connection asserted the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LinkId(#[n(0)] pub u16);

/// Which point of sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OutletId(#[n(0)] pub u32);

/// Row of a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SubscriberId(#[n(0)] pub u32);

/// Row of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct CardId(#[n(0)] pub u32);

/// Row number of a limit; the state gives it when rules are loaded, the same one to the same (operator, name, beginning).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LimitId(#[n(0)] pub u16);

/// Language of a subscriber's screens and SMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Language {
    /// 조선말/한국어.
    #[default]
    #[n(0)]
    Korean,
    /// English.
    #[n(1)]
    English,
}

impl Language {
    /// Every language there is, in the order of the menu.
    pub const ALL: [Self; 2] = [Self::Korean, Self::English];

    /// Its BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    /// The language of a BCP 47 tag, `None` when Sonmul does not speak it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }
}
