//! Numbers of phones, of SIMs and of cards, as proofs that they were checked.
//!
//! All print their last three digits only, so that none can leak whole through a log line.
//! Deliberately not here: national forms and number plans (see [`crate::rules::numbers`]).

use core::fmt;
use core::num::NonZeroU64;

use minicbor::{Decode, Encode};

/// Fewest digits of an E.164 number that Sonmul accepts, country code included.
pub const MSISDN_DIGITS_MIN: usize = 8;
/// Most digits of an E.164 number (ITU-T E.164).
pub const MSISDN_DIGITS_MAX: usize = 15;

/// A subscriber number: 8 to 15 E.164 digits, country code first, no `+`.
///
/// Holding one is proof that it was checked; nothing downstream checks again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(NonZeroU64);

/// Why digits are no [`Msisdn`]. Never holds the digits themselves: they may be a password in the wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an MSISDN is 8 to 15 digits, country code first, and does not begin with 0")]
pub struct MsisdnError;

impl Msisdn {
    /// Reads bare E.164 digits (`8501912345678`). For what people type see
    /// [`NumberPlan::parse`](crate::rules::numbers::NumberPlan::parse).
    ///
    /// # Errors
    /// When these are not 8 to 15 ASCII digits, or the first is 0.
    pub fn parse(digits: &str) -> Result<Self, MsisdnError> {
        if !(MSISDN_DIGITS_MIN..=MSISDN_DIGITS_MAX).contains(&digits.len()) || digits.starts_with('0') {
            return Err(MsisdnError);
        }
        parse_digits(digits).and_then(NonZeroU64::new).map(Self).ok_or(MsisdnError)
    }

    /// The number whose digits read as this integer.
    ///
    /// # Errors
    /// When it has fewer than 8 or more than 15 digits.
    pub const fn try_new(digits: u64) -> Result<Self, MsisdnError> {
        if digits < 10_000_000 || digits > 999_999_999_999_999 {
            return Err(MsisdnError);
        }
        match NonZeroU64::new(digits) {
            Some(digits) => Ok(Self(digits)),
            None => Err(MsisdnError),
        }
    }

    /// The digits as one integer, country code first.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// Shows the last three digits only, so that a number can't leak through a log line.
impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn(…{:03})", self.0.get() % 1000)
    }
}

/// A SIM identity: up to 15 digits, mobile country code first (3GPP TS 23.003).
///
/// Leading zeros do not occur in assigned country codes (they begin at 2, test networks at 0 are refused).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imsi(NonZeroU64);

/// Why digits are no [`Imsi`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an IMSI is 6 to 15 digits and does not begin with 0")]
pub struct ImsiError;

impl Imsi {
    /// Reads 6 to 15 ASCII digits.
    ///
    /// # Errors
    /// When these are anything else, or the first is 0.
    pub fn parse(digits: &str) -> Result<Self, ImsiError> {
        if !(6..=15).contains(&digits.len()) || digits.starts_with('0') {
            return Err(ImsiError);
        }
        parse_digits(digits).and_then(NonZeroU64::new).map(Self).ok_or(ImsiError)
    }

    /// The digits as one integer.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

/// Shows the last three digits only.
impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imsi(…{:03})", self.0.get() % 1000)
    }
}

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

/// ASCII digits as one integer; `None` for anything else, nothing at all, or more than fits.
pub(crate) fn parse_digits(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

impl<C> Encode<C> for Msisdn {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.get())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Msisdn {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::try_new(d.u64()?).map_err(|_| minicbor::decode::Error::message("not an MSISDN"))
    }
}

impl<C> Encode<C> for Imsi {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.get())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Imsi {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        NonZeroU64::new(d.u64()?).map(Self).ok_or_else(|| minicbor::decode::Error::message("not an IMSI"))
    }
}

#[cfg(test)]
mod tests {
    use super::{CardNumber, Imsi, Msisdn};
    use proptest::prelude::*;

    #[test]
    fn numbers_of_zero_to_forty_digits() {
        for len in 0..=40 {
            let digits = "9".repeat(len);
            assert_eq!(Msisdn::parse(&digits).is_ok(), (8..=15).contains(&len), "{len} digits");
            assert_eq!(Imsi::parse(&digits).is_ok(), (6..=15).contains(&len), "{len} digits");
        }
        assert!(Msisdn::parse("0501912345678").is_err());
        assert!(Msisdn::parse("+8501912345678").is_err());
        assert!(Msisdn::parse("85019١2345678").is_err(), "digits are ASCII");
    }

    #[test]
    fn debug_shows_three_digits_only() {
        let msisdn = Msisdn::parse("8501912345678").expect("a number");
        assert_eq!(format!("{msisdn:?}"), "Msisdn(…678)");
        let imsi = Imsi::parse("467051234567890").expect("an identity");
        assert_eq!(format!("{imsi:?}"), "Imsi(…890)");
    }

    #[test]
    fn a_wrong_check_digit_is_no_card_number() {
        assert!(CardNumber::parse("4539578763621486").is_ok());
        for bad in
            ["4539578763621487", "0539578763621486", "453957876362148", "45395787636214860", "", "453957876362148x"]
        {
            assert!(CardNumber::parse(bad).is_err(), "{bad}");
        }
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
