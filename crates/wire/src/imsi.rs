//! The identity of a SIM, as digits and as the BCD that GSUP carries (3GPP TS 23.003 §2.2, TS 24.008 §10.5.4.7).
//!
//! **For:** GSUP, which names subscribers by IMSI only, and the look-up of an MSISDN by IMSI.
//!
//! **Guarantees:** a value of the type was checked. Its `Debug` shows the last three digits only.
//!
//! **Bounded by:** [`IMSI_DIGITS_MAX`].
//!
//! **Not here:** which network an IMSI belongs to, and whose it is.

use std::fmt;

/// The fewest digits of an IMSI: country and network code and one digit more.
pub const IMSI_DIGITS_MIN: usize = 6;
/// The most digits of an IMSI (TS 23.003 §2.2).
pub const IMSI_DIGITS_MAX: usize = 15;

/// The low or high half of a BCD octet that holds no digit.
const FILLER: u8 = 0x0F;

/// An IMSI: 6 to 15 digits. Leading zeros count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imsi {
    /// ASCII digits, then zero octets.
    digits: [u8; IMSI_DIGITS_MAX],
    len: u8,
}

/// Why something is not an IMSI. Carries no digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImsiError {
    /// Fewer than [`IMSI_DIGITS_MIN`] or more than [`IMSI_DIGITS_MAX`] digits.
    #[error("an IMSI has 6 to 15 digits")]
    Length,
    /// Something other than a digit, or BCD filler before the end.
    #[error("an IMSI has digits only")]
    NotDigit,
}

impl Imsi {
    /// Reads ASCII digits.
    ///
    /// # Errors
    /// [`ImsiError::NotDigit`], then [`ImsiError::Length`].
    pub fn parse(text: &str) -> Result<Imsi, ImsiError> {
        if !text.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(ImsiError::NotDigit);
        }
        Imsi::collect(text.bytes())
    }

    /// Reads BCD, the first digit in the low half of the first octet. The high half of the last octet may be filler
    /// (F).
    ///
    /// # Errors
    /// [`ImsiError::NotDigit`], [`ImsiError::Length`].
    pub fn from_bcd(octets: &[u8]) -> Result<Imsi, ImsiError> {
        if IMSI_DIGITS_MAX.div_ceil(2) < octets.len() {
            return Err(ImsiError::Length);
        }
        let halves = octets.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]);
        let filled = octets.last().is_some_and(|octet| octet >> 4 == FILLER);
        let halves = halves.take(octets.len() * 2 - usize::from(filled));
        if halves.clone().any(|half| 9 < half) {
            return Err(ImsiError::NotDigit);
        }
        Imsi::collect(halves.map(|half| b'0' + half))
    }

    fn collect(ascii: impl Iterator<Item = u8>) -> Result<Imsi, ImsiError> {
        let mut digits = [0; IMSI_DIGITS_MAX];
        let mut len: u8 = 0;
        for digit in ascii {
            *digits.get_mut(usize::from(len)).ok_or(ImsiError::Length)? = digit;
            len += 1;
        }
        if usize::from(len) < IMSI_DIGITS_MIN {
            return Err(ImsiError::Length);
        }
        Ok(Imsi { digits, len })
    }

    /// The digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The octets are ASCII digits by construction, so the default is never taken.
        self.digits.get(..usize::from(self.len)).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }

    /// Writes BCD, with filler in the last high half if the number of digits is odd: 3 to 8 octets.
    #[must_use]
    pub fn to_bcd(self) -> Vec<u8> {
        let halves: Vec<u8> = self.as_str().bytes().map(|digit| digit & 0x0F).collect();
        halves
            .chunks(2)
            .map(|pair| match *pair {
                [low, high] => high << 4 | low,
                [low] => FILLER << 4 | low,
                _ => FILLER << 4 | FILLER,
            })
            .collect()
    }
}

/// Shows the last three digits only, so that an identity can't leak through a log line.
impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.as_str().get(usize::from(self.len).saturating_sub(3)..).unwrap_or_default();
        write!(f, "Imsi(…{tail})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Imsi, ImsiError};
    use crate::testing::{hex, to_hex};
    use proptest::prelude::{any, proptest};

    #[test]
    fn vectors() {
        for (digits, bcd) in
            [("901700000000001", "09710000000000f1"), ("46700000000012", "64070000000021"), ("001010", "000101")]
        {
            let imsi = Imsi::parse(digits);
            assert_eq!(imsi.map(|imsi| to_hex(&imsi.to_bcd())), Ok(bcd.to_owned()));
            assert_eq!(Imsi::from_bcd(&hex(bcd)), imsi);
            assert_eq!(imsi.map(|imsi| imsi.as_str().to_owned()), Ok(digits.to_owned()));
        }
    }

    #[test]
    fn what_is_none() {
        assert_eq!(Imsi::parse(""), Err(ImsiError::Length));
        assert_eq!(Imsi::parse("12345"), Err(ImsiError::Length));
        assert_eq!(Imsi::parse("1234567890123456"), Err(ImsiError::Length));
        assert_eq!(Imsi::parse("90170000000000a"), Err(ImsiError::NotDigit));
        assert_eq!(Imsi::from_bcd(&hex("0971f0000000")), Err(ImsiError::NotDigit));
        assert_eq!(Imsi::from_bcd(&hex("09710000000000ff")), Err(ImsiError::NotDigit));
        assert_eq!(Imsi::from_bcd(&hex("0971000000000011")), Err(ImsiError::Length));
        assert_eq!(Imsi::from_bcd(&hex("097100000000000001")), Err(ImsiError::Length));
        assert_eq!(Imsi::from_bcd(&[]), Err(ImsiError::Length));
    }

    #[test]
    fn debug_hides_most_of_it() {
        assert_eq!(format!("{:?}", Imsi::parse("901700000000001")), "Ok(Imsi(…001))");
    }

    proptest! {
        #[test]
        fn round_trip(digits in "[0-9]{6,15}") {
            let imsi = Imsi::parse(&digits);
            assert_eq!(imsi.and_then(|imsi| Imsi::from_bcd(&imsi.to_bcd())), imsi);
            assert!(imsi.is_ok());
        }

        #[test]
        fn no_octets_panic(octets in any::<Vec<u8>>()) {
            let _ = Imsi::from_bcd(&octets);
        }
    }
}
