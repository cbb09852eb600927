//! Which alphabet a text takes, whether it fits, and the octet that names the alphabet (3GPP TS 23.038).
//!
//! **For:** whoever writes a screen or an SMS (checked when a profile is loaded) and whoever puts one on the wire.
//!
//! **Guarantees:** one rule everywhere: GSM 7-bit if every letter has a form there, UCS-2 otherwise. [`fits`] counts as
//! [`encode`] writes, the carriage return that packing may add included.
//!
//! **Bounded by:** its input, like [`crate::gsm7`] and [`crate::ucs2`].
//!
//! **Not here:** cutting or joining of texts: one that does not fit is refused when its profile is loaded.

use crate::{gsm7, ucs2};

/// DCS of GSM 7-bit text, language unspecified (TS 23.038 §5).
const DCS_GSM7: u8 = 0x0F;
/// DCS of UCS-2 text, no message class (TS 23.038 §5).
const DCS_UCS2: u8 = 0x48;

/// An alphabet that phones show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// GSM 7-bit default alphabet and its extension table.
    Gsm7,
    /// UTF-16, most significant octet first.
    Ucs2,
}

impl Coding {
    /// The USSD data coding scheme that we send: 0x0F or 0x48 (TS 23.038 §5).
    #[must_use]
    pub fn dcs(self) -> u8 {
        match self {
            Coding::Gsm7 => DCS_GSM7,
            Coding::Ucs2 => DCS_UCS2,
        }
    }

    /// The alphabet that a received USSD (cell broadcast) data coding scheme names, by the table of TS 23.038 §5.
    ///
    /// Codings that the standard reserves are read as GSM 7-bit, as it orders. `None`: 8-bit data, compressed text,
    /// user data headers, WAP, and the two forms (0x10, 0x11) whose text begins with a language; none of them was
    /// dialled.
    #[must_use]
    pub fn from_dcs(dcs: u8) -> Option<Coding> {
        /// Bits 3 and 2 of the general and the 1111 coding groups.
        fn alphabet(dcs: u8) -> Option<Coding> {
            match dcs & 0b1100 {
                0b0100 => None,
                0b1000 => Some(Coding::Ucs2),
                _ => Some(Coding::Gsm7),
            }
        }
        match dcs {
            0x10 | 0x11 => None,
            0x40..=0x5F => alphabet(dcs),
            0x60..=0x7F | 0x90..=0x9F | 0xE0..=0xEF => None,
            0xF0..=0xFF if dcs & 0b0100 != 0 => None,
            _ => Some(Coding::Gsm7),
        }
    }

    /// SMPP 3.4 `data_coding` (§5.2.19): 0 for the SMSC's default alphabet (octets of [`gsm7::encode_unpacked`]), 8
    /// for UCS-2.
    #[must_use]
    pub fn smpp_data_coding(self) -> u8 {
        match self {
            Coding::Gsm7 => 0,
            Coding::Ucs2 => 8,
        }
    }
}

/// The alphabet that `text` takes: GSM 7-bit if every letter has a form there.
#[must_use]
pub fn choose(text: &str) -> Coding {
    if gsm7::septets(text).is_some() { Coding::Gsm7 } else { Coding::Ucs2 }
}

/// How long one message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Septets of GSM 7-bit text; an extension letter takes two.
    pub septets: usize,
    /// Characters of UCS-2 text; a letter beyond U+FFFF takes two.
    pub ucs2: usize,
}

impl Budget {
    /// One USSD message: 160 octets (TS 23.038 §5, TS 24.080).
    pub const USSD: Budget = Budget { septets: 182, ucs2: 80 };
    /// One USSD message through OsmoHLR 1.5.0, which reads BER lengths as one octet and drops longer ones in silence:
    /// 112 octets.
    pub const USSD_OSMOHLR: Budget = Budget { septets: 128, ucs2: 56 };
    /// One SMS without a user data header: 140 octets (TS 23.040).
    pub const SMS: Budget = Budget { septets: 160, ucs2: 70 };

    /// The smaller of two budgets, alphabet by alphabet: what fits it fits both.
    #[must_use]
    pub fn smaller(self, other: Budget) -> Budget {
        Budget { septets: self.septets.min(other.septets), ucs2: self.ucs2.min(other.ucs2) }
    }
}

/// Whether `text`, in the alphabet that [`choose`] gives it, is within `budget`.
#[must_use]
pub fn fits(text: &str, budget: Budget) -> bool {
    match gsm7::septets(text) {
        // Packing doubles a carriage return that ends on an octet boundary, see `gsm7::encode`.
        Some(count) => count + usize::from(text.ends_with('\r') && count.is_multiple_of(8)) <= budget.septets,
        None => ucs2::units(text) <= budget.ucs2,
    }
}

/// A text on its way to a phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The alphabet.
    pub coding: Coding,
    /// GSM 7-bit packed for USSD, or UCS-2.
    pub octets: Vec<u8>,
}

/// Shows the alphabet and the length only: texts name people and sums.
impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoded").field("coding", &self.coding).field("octets_len", &self.octets.len()).finish()
    }
}

/// Writes `text` for USSD in the alphabet that [`choose`] gives it. Does not look at any budget: [`fits`] does.
#[must_use]
pub fn encode(text: &str) -> Encoded {
    match gsm7::encode(text) {
        Ok(octets) => Encoded { coding: Coding::Gsm7, octets },
        Err(_) => Encoded { coding: Coding::Ucs2, octets: ucs2::encode(text) },
    }
}

/// Why received octets are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The data coding scheme names no alphabet that we read (a phone is told `unknownAlphabet`).
    #[error("data coding scheme {dcs:#04x} names no alphabet known here")]
    UnknownCoding {
        /// The data coding scheme.
        dcs: u8,
    },
    /// See [`gsm7::Gsm7Error`].
    #[error(transparent)]
    Gsm7(#[from] gsm7::Gsm7Error),
    /// See [`ucs2::Ucs2Error`].
    #[error(transparent)]
    Ucs2(#[from] ucs2::Ucs2Error),
}

/// Reads a USSD string by its data coding scheme. The caller wipes the result: a password may be in it.
///
/// # Errors
/// [`TextError`]'s variants.
pub fn decode(dcs: u8, octets: &[u8]) -> Result<String, TextError> {
    match Coding::from_dcs(dcs).ok_or(TextError::UnknownCoding { dcs })? {
        Coding::Gsm7 => Ok(gsm7::decode_packed(octets, None)?),
        Coding::Ucs2 => Ok(ucs2::decode(octets)?),
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Coding, TextError, choose, decode, encode, fits};
    use proptest::prelude::{any, proptest};

    #[test]
    fn data_coding_schemes() {
        let table = [
            (0x0F, Some(Coding::Gsm7)),
            (0x00, Some(Coding::Gsm7)),
            (0x48, Some(Coding::Ucs2)),
            (0x58, Some(Coding::Ucs2)),
            (0x40, Some(Coding::Gsm7)),
            (0x44, None),
            (0x4C, Some(Coding::Gsm7)),
            (0x68, None),
            (0x10, None),
            (0x11, None),
            (0x12, Some(Coding::Gsm7)),
            (0x24, Some(Coding::Gsm7)),
            (0x90, None),
            (0xB0, Some(Coding::Gsm7)),
            (0xE0, None),
            (0xF0, Some(Coding::Gsm7)),
            (0xF4, None),
        ];
        for (dcs, coding) in table {
            assert_eq!(Coding::from_dcs(dcs), coding, "{dcs:#04x}");
        }
        for coding in [Coding::Gsm7, Coding::Ucs2] {
            assert_eq!(Coding::from_dcs(coding.dcs()), Some(coding));
        }
    }

    #[test]
    fn budgets_end_where_they_say() {
        for budget in [Budget::USSD, Budget::USSD_OSMOHLR, Budget::SMS] {
            assert!(fits(&"a".repeat(budget.septets), budget));
            assert!(!fits(&"a".repeat(budget.septets + 1), budget));
            assert!(fits(&"€".repeat(budget.septets / 2), budget));
            assert!(!fits(&"€".repeat(budget.septets / 2 + 1), budget));
            assert!(fits(&"전".repeat(budget.ucs2), budget));
            assert!(!fits(&"전".repeat(budget.ucs2 + 1), budget));
            assert!(fits(&"🎁".repeat(budget.ucs2 / 2), budget));
            assert!(!fits(&"🎁".repeat(budget.ucs2 / 2 + 1), budget));
        }
        assert!(!fits(&format!("{}\r", "a".repeat(127)), Budget::USSD_OSMOHLR));
        assert!(fits("", Budget::USSD));
        assert_eq!(Budget::USSD.smaller(Budget::SMS), Budget::SMS);
    }

    #[test]
    fn one_korean_letter_turns_the_whole_text() {
        assert_eq!(choose("given 500"), Coding::Gsm7);
        assert_eq!(choose("given 500원"), Coding::Ucs2);
        assert_eq!(encode("원").octets, [0xC6, 0xD0]);
    }

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", encode("482913")), "Encoded { coding: Gsm7, octets_len: 6 }");
    }

    proptest! {
        #[test]
        fn round_trip(text in "[^\r\u{1B}]{0,100}") {
            let encoded = encode(&text);
            assert_eq!(encoded.coding, choose(&text));
            assert_eq!(decode(encoded.coding.dcs(), &encoded.octets), Ok(text));
        }

        #[test]
        fn what_fits_has_the_octets(text in any::<String>()) {
            for (budget, octets_max) in [(Budget::USSD, 160), (Budget::USSD_OSMOHLR, 112)] {
                assert!(!fits(&text, budget) || encode(&text).octets.len() <= octets_max);
            }
        }

        #[test]
        fn no_octets_panic(dcs in any::<u8>(), octets in any::<Vec<u8>>()) {
            if Coding::from_dcs(dcs).is_none() {
                assert_eq!(decode(dcs, &octets), Err(TextError::UnknownCoding { dcs }));
            } else {
                let _ = decode(dcs, &octets);
            }
        }
    }
}
