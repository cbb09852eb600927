//! Mobile money cards: numbers, serials and the states a card goes through.
//!
//! `Printed → InStock → Sold → Bound ⇄ Frozen → Closed | Expired | Void`. Each state holds the facts that exist in it;
//! every state before `Closed` keeps its tag.
//!
//! Deliberately not here: balances (see [`crate::state`]), who may change a state (see [`crate::decide`]).

use core::fmt;
use core::num::NonZeroU64;

use minicbor::{Decode, Encode};

use crate::command::OutletId;
use crate::msisdn::parse_digits;
use crate::password::PasswordTag;
use crate::state::{CardId, SubscriberId};
use crate::time::Timestamp;

/// Digits of a card number.
pub const CARD_NUMBER_DIGITS: usize = 16;

/// A card's number: 16 digits, the last a Luhn check digit (ISO/IEC 7812-1, Annex B). Random, so it tells nothing of the serial.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CardNumber(NonZeroU64);

/// A text is no card number. Holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a card number is 16 digits, the last of them a check digit; the first is not 0")]
pub struct CardNumberError;

impl CardNumber {
    /// Reads 16 ASCII digits and checks the last.
    ///
    /// # Errors
    /// When there are not 16 digits, the first is 0, or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, CardNumberError> {
        if text.len() != CARD_NUMBER_DIGITS || text.starts_with('0') {
            return Err(CardNumberError);
        }
        let digits = parse_digits(text).ok_or(CardNumberError)?;
        if luhn_sum(digits).is_multiple_of(10) {
            NonZeroU64::new(digits).map(Self).ok_or(CardNumberError)
        } else {
            Err(CardNumberError)
        }
    }

    /// The number with these 15 leading digits and their check digit.
    ///
    /// # Errors
    /// When `payload` does not have exactly 15 digits.
    pub fn from_payload(payload: u64) -> Result<Self, CardNumberError> {
        if !(100_000_000_000_000..1_000_000_000_000_000).contains(&payload) {
            return Err(CardNumberError);
        }
        let open = payload * 10;
        let check = (10 - luhn_sum(open) % 10) % 10;
        NonZeroU64::new(open + check).map(Self).ok_or(CardNumberError)
    }

    /// The number as stored: checked when it was made.
    pub const fn from_stored(digits: u64) -> Self {
        match NonZeroU64::new(digits) {
            Some(digits) => Self(digits),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// The digits as one integer.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// Shows the last three digits only: with its password a card number is money.
impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardNumber(…{:03})", self.0.get() % 1000)
    }
}

impl<C> Encode<C> for CardNumber {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.get())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CardNumber {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        NonZeroU64::new(d.u64()?).map(Self).ok_or_else(|| minicbor::decode::Error::message("not a card number"))
    }
}

/// The Luhn sum of all digits, the last one not doubled. A number with a right check digit has a sum divisible by 10.
const fn luhn_sum(mut digits: u64) -> u64 {
    let mut sum = 0;
    let mut doubled = false;
    while digits > 0 {
        let digit = digits % 10;
        let value = if doubled { digit * 2 } else { digit };
        sum += if value > 9 { value - 9 } else { value };
        doubled = !doubled;
        digits /= 10;
    }
    sum
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

/// Why a card is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Voiding {
    /// Lost or stolen, said by its holder.
    #[n(0)]
    Lost,
    /// Printed wrongly or returned.
    #[n(1)]
    Faulty,
    /// By the operator's order.
    #[n(2)]
    Ordered,
}

/// Where a card is in its life.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub enum CardState {
    /// Made, not yet at an outlet.
    #[n(0)]
    Printed {
        /// Of the printed password, in the *card* domain.
        #[n(0)]
        tag: PasswordTag,
    },
    /// At an outlet, worth nothing yet.
    #[n(1)]
    InStock {
        /// Who sells it.
        #[n(0)]
        outlet: OutletId,
        /// Of the printed password, in the *card* domain.
        #[n(1)]
        tag: PasswordTag,
    },
    /// Paid for; whoever knows number and password may bind it.
    #[n(2)]
    Sold {
        /// When.
        #[n(0)]
        at: Timestamp,
        /// Of the printed password, in the *card* domain.
        #[n(1)]
        tag: PasswordTag,
    },
    /// In use by its holder.
    #[n(3)]
    Bound {
        /// Whose phone.
        #[n(0)]
        holder: SubscriberId,
        /// Of the holder's password, in the *holder* domain.
        #[n(1)]
        tag: PasswordTag,
    },
    /// Stopped by its holder or by care; care thaws it after identification.
    #[n(4)]
    Frozen {
        /// Whose phone.
        #[n(0)]
        holder: SubscriberId,
        /// Of the holder's password, in the *holder* domain.
        #[n(1)]
        tag: PasswordTag,
        /// Since when.
        #[n(2)]
        since: Timestamp,
    },
    /// Its balance was moved elsewhere; it will never be used again.
    #[n(5)]
    Closed {
        /// Whose it was, when it was bound.
        #[n(0)]
        holder: Option<SubscriberId>,
        /// When.
        #[n(1)]
        at: Timestamp,
    },
    /// Its time ran out; the rest went to breakage.
    #[n(6)]
    Expired {
        /// Whose it was, when it was bound.
        #[n(0)]
        holder: Option<SubscriberId>,
        /// When.
        #[n(1)]
        at: Timestamp,
        /// Still kept, so that its holder hears "expired" and not "wrong password".
        #[n(2)]
        tag: PasswordTag,
    },
    /// Stopped for good by the operator.
    #[n(7)]
    Void {
        /// Whose it was, when it was bound.
        #[n(0)]
        holder: Option<SubscriberId>,
        /// When.
        #[n(1)]
        at: Timestamp,
        /// Why.
        #[n(2)]
        why: Voiding,
        /// Still kept, so that its holder hears "void" and not "wrong password".
        #[n(3)]
        tag: PasswordTag,
    },
}

impl CardState {
    /// Whose phone it is or was bound to.
    pub const fn holder(&self) -> Option<SubscriberId> {
        match *self {
            Self::Printed { .. } | Self::InStock { .. } | Self::Sold { .. } => None,
            Self::Bound { holder, .. } | Self::Frozen { holder, .. } => Some(holder),
            Self::Closed { holder, .. } | Self::Expired { holder, .. } | Self::Void { holder, .. } => holder,
        }
    }

    /// The tag of its password, in the domain of its state.
    pub const fn tag(&self) -> Option<PasswordTag> {
        match *self {
            Self::Printed { tag }
            | Self::InStock { tag, .. }
            | Self::Sold { tag, .. }
            | Self::Bound { tag, .. }
            | Self::Frozen { tag, .. }
            | Self::Expired { tag, .. }
            | Self::Void { tag, .. } => Some(tag),
            Self::Closed { .. } => None,
        }
    }

    /// Whether it can give, or could after care thaws it.
    pub const fn is_in_use(&self) -> bool {
        match self {
            Self::Bound { .. } | Self::Frozen { .. } => true,
            Self::Printed { .. }
            | Self::InStock { .. }
            | Self::Sold { .. }
            | Self::Closed { .. }
            | Self::Expired { .. }
            | Self::Void { .. } => false,
        }
    }

    /// The same state with another tag; a closed card keeps none.
    #[must_use]
    pub const fn with_tag(self, tag: PasswordTag) -> Self {
        match self {
            Self::Printed { .. } => Self::Printed { tag },
            Self::InStock { outlet, .. } => Self::InStock { outlet, tag },
            Self::Sold { at, .. } => Self::Sold { at, tag },
            Self::Bound { holder, .. } => Self::Bound { holder, tag },
            Self::Frozen { holder, since, .. } => Self::Frozen { holder, tag, since },
            Self::Closed { holder, at } => Self::Closed { holder, at },
            Self::Expired { holder, at, .. } => Self::Expired { holder, at, tag },
            Self::Void { holder, at, why, .. } => Self::Void { holder, at, why, tag },
        }
    }

    /// The state's public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Printed { .. } => "printed",
            Self::InStock { .. } => "in-stock",
            Self::Sold { .. } => "sold",
            Self::Bound { .. } => "bound",
            Self::Frozen { .. } => "frozen",
            Self::Closed { .. } => "closed",
            Self::Expired { .. } => "expired",
            Self::Void { .. } => "void",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CardNumber, Serial};
    use crate::state::CardId;
    use proptest::prelude::*;

    #[test]
    fn a_wrong_check_digit_is_no_card_number() {
        assert!(CardNumber::parse("4539578763621486").is_ok());
        for bad in
            ["4539578763621487", "0539578763621486", "453957876362148", "45395787636214860", "", "453957876362148x"]
        {
            assert!(CardNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn serials_and_rows_are_one_to_one() {
        assert_eq!(Serial::of(CardId(0)).to_string(), "00000001");
        assert_eq!(Serial(1).card(), Some(CardId(0)));
        assert_eq!(Serial(0).card(), None);
    }

    proptest! {
        #[test]
        fn every_payload_gets_the_check_digit_that_parses(payload in 100_000_000_000_000_u64..1_000_000_000_000_000) {
            let number = CardNumber::from_payload(payload).expect("15 digits");
            prop_assert_eq!(CardNumber::parse(&number.get().to_string()), Ok(number));
            prop_assert_eq!(format!("{number:?}").len(), "CardNumber(…123)".len());
        }
    }
}
