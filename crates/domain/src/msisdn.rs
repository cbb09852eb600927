//! Numbers of phones and of SIMs, as proofs that they were checked.
//!
//! Both print their last three digits only, so that neither can leak whole through a log line.
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
    use super::{Imsi, Msisdn};

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
}
