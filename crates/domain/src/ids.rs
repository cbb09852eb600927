//! Names of things: the row numbers and small vocabulary that every other file uses.
//!
//! Guarantees: imports nothing of ours, so that no file has to import a bigger one to name a subscriber.
//! Deliberately not here: what is known of the things (see [`crate::state`]), numbers that people dial (see
//! [`crate::number`]), ids of commands (see [`crate::id`]).

use core::fmt;
use core::num::NonZeroU32;

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

/// Row number of a limit; the state gives it when rules are loaded, the same one to the same (operator, name, kind, subject,
/// window). No number is given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LimitId(#[n(0)] pub u16);

impl LimitId {
    /// Of a limit that was over when its rules were loaded: nothing is counted in it.
    pub const NONE: Self = Self(u16::MAX);
}

/// Number of a batch, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub NonZeroU32);

impl BatchId {
    /// The batch of that number; `None` for 0.
    pub const fn try_new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl<C> Encode<C> for BatchId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u32(self.get())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for BatchId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::try_new(d.u32()?).ok_or_else(|| minicbor::decode::Error::message("a batch's number is 1 or more"))
    }
}

/// What is printed on the card for care and stock-taking: the operator's running number. It opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Serial(#[n(0)] pub u32);

impl Serial {
    /// The serial of the card with this row number: serials run without a gap, so no index is kept.
    pub const fn of(card: CardId) -> Self {
        Self(card.0.saturating_add(1))
    }

    /// The row of the card with this serial.
    pub const fn card(self) -> Option<CardId> {
        match self.0.checked_sub(1) {
            Some(index) => Some(CardId(index)),
            None => None,
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

/// Who asks on the operator's side: the peer's uid on `admin.sock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Staff(#[n(0)] pub u32);

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

#[cfg(test)]
mod tests {
    use super::{CardId, Serial};

    #[test]
    fn serials_and_rows_are_one_to_one() {
        assert_eq!(Serial::of(CardId(0)).to_string(), "00000001");
        assert_eq!(Serial(1).card(), Some(CardId(0)));
        assert_eq!(Serial(0).card(), None);
    }
}
