//! UCS-2 text as networks carry it: UTF-16, most significant octet first (3GPP TS 23.038 §6.2.3).
//!
//! **For:** Korean, and every letter that GSM 7-bit has not.
//!
//! **Guarantees:** encoding can't fail. Letters beyond U+FFFF go out as a surrogate pair, which phones read, and
//! count two in every budget. A decoded `String` is reserved once at its largest, so a caller who wipes it has wiped
//! every copy.
//!
//! **Bounded by:** its input: an octet in makes at most two octets out.
//!
//! **Not here:** byte order marks and little-endian text: no peer of ours sends them.

/// Why octets are not UCS-2 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ucs2Error {
    /// An odd number of octets.
    #[error("UCS-2 text has an odd number of octets")]
    OddLength,
    /// Half of a surrogate pair.
    #[error("UCS-2 text has half a surrogate pair")]
    LoneSurrogate,
}

/// How many UCS-2 characters `text` takes: one for each letter up to U+FFFF, two for each beyond.
#[must_use]
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Writes `text` as UTF-16, most significant octet first: two octets for each of its [`units`].
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() * 2);
    for unit in text.encode_utf16() {
        octets.extend_from_slice(&unit.to_be_bytes());
    }
    octets
}

/// Reads UTF-16, most significant octet first.
///
/// # Errors
/// [`Ucs2Error::OddLength`], [`Ucs2Error::LoneSurrogate`].
pub fn decode(octets: &[u8]) -> Result<String, Ucs2Error> {
    let (pairs, rest) = octets.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Ucs2Error::OddLength);
    }
    // Three octets a unit are enough: letters of four take two units.
    let mut text = String::with_capacity(pairs.len() * 3);
    for letter in char::decode_utf16(pairs.iter().map(|&pair| u16::from_be_bytes(pair))) {
        text.push(letter.map_err(|_| Ucs2Error::LoneSurrogate)?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Ucs2Error, decode, encode, units};
    use crate::testing::{hex, to_hex};
    use proptest::prelude::{any, proptest};

    #[test]
    fn vector() {
        let text = "전화돈 500원을 보냈습니다.";
        let octets = "c804d654b3c80020003500300030c6d0c7440020bcf4b0c8c2b5b2c8b2e4002e";
        assert_eq!(to_hex(&encode(text)), octets);
        assert_eq!(decode(&hex(octets)), Ok(text.to_owned()));
        assert_eq!(units(text), 16);
    }

    #[test]
    fn a_surrogate_pair_counts_two() {
        assert_eq!(units("🎁"), 2);
        assert_eq!(to_hex(&encode("🎁")), "d83cdf81");
        assert_eq!(decode(&hex("d83cdf81")), Ok("🎁".to_owned()));
    }

    #[test]
    fn octets_that_are_not_text() {
        assert_eq!(decode(&hex("c8")), Err(Ucs2Error::OddLength));
        assert_eq!(decode(&hex("d83c")), Err(Ucs2Error::LoneSurrogate));
        assert_eq!(decode(&hex("df81d83c")), Err(Ucs2Error::LoneSurrogate));
        assert_eq!(decode(&[]), Ok(String::new()));
    }

    proptest! {
        #[test]
        fn round_trip(text in any::<String>()) {
            let octets = encode(&text);
            assert_eq!(octets.len(), units(&text) * 2);
            assert_eq!(decode(&octets), Ok(text));
        }

        #[test]
        fn no_octets_panic(octets in any::<Vec<u8>>()) {
            if let Ok(text) = decode(&octets) {
                assert_eq!(encode(&text), octets);
                assert!(text.len() <= octets.len() / 2 * 3);
            }
        }
    }
}
