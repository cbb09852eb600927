//! As much of BER (ITU-T X.690) as a supplementary-service component needs: one tag, one length, one value at a time.
//!
//! **For:** [`crate::ss`], and the fuzzer, which looks at each layer by itself.
//!
//! **Guarantees:** reading is total, borrows and never recurses: a value is descended into only by a caller that
//! knows what is in it, so nesting in the input costs nothing. Lengths are definite, in short form or in long form of
//! one or two octets, minimal or not, as X.690 §8.1.3 allows. Writing uses the short form only, because OsmoHLR 1.5.0
//! reads a length as one octet: what would need more is an error here and not a text that vanishes there.
//!
//! **Bounded by:** [`VALUE_LEN_MAX`] when reading, [`SHORT_LEN_MAX`] when writing.
//!
//! **Not here:** indefinite lengths (a USSD component has no use for them, and they are how a reader is made to
//! recurse), tags of more than one octet, and any type but octet strings and one-octet integers.

/// The longest value that is read, in octets: a component travels in an element of 255.
pub const VALUE_LEN_MAX: usize = 255;
/// The longest value that is written, in octets: what the short form of a length can say.
pub const SHORT_LEN_MAX: usize = 127;

/// Low tag bits that announce a second tag octet.
const TAG_CONTINUES: u8 = 0x1F;
/// The bit of the first length octet that announces the long form.
const LONG_FORM: u8 = 0x80;

/// Why octets can't be read as BER, or a value not be written. Carries nothing of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BerError {
    /// The input ends inside a tag, a length or a value.
    #[error("BER ends inside an element")]
    Truncated,
    /// A tag of more than one octet.
    #[error("BER with a tag of several octets")]
    LongTag,
    /// A length in indefinite form.
    #[error("BER with an indefinite length")]
    Indefinite,
    /// A length of more than [`VALUE_LEN_MAX`] octets.
    #[error("BER with a value longer than {VALUE_LEN_MAX} octets")]
    TooLong,
    /// Another tag than the one that must be here.
    #[error("BER tag {tag:#04x} where {wanted:#04x} belongs")]
    WrongTag {
        /// The tag found.
        tag: u8,
        /// The tag wanted.
        wanted: u8,
    },
    /// An integer that is not one octet.
    #[error("BER with an integer that is not one octet")]
    NotOneOctet,
    /// A value of more than [`SHORT_LEN_MAX`] octets to be written.
    #[error("{len} octets are too many for a length in short form")]
    LengthNotShort {
        /// How many.
        len: usize,
    },
}

/// One element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Its one octet of tag.
    pub tag: u8,
    /// At most [`VALUE_LEN_MAX`] octets; what is in them was not looked at.
    pub value: &'a [u8],
}

/// Shows tag and length only: a password may be in the value.
impl std::fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tlv").field("tag", &self.tag).field("value_len", &self.value.len()).finish()
    }
}

/// Takes the first element off `input`: the element and what follows it.
///
/// # Errors
/// [`BerError::Truncated`], [`BerError::LongTag`], [`BerError::Indefinite`], [`BerError::TooLong`].
pub fn take(input: &[u8]) -> Result<(Tlv<'_>, &[u8]), BerError> {
    let (&tag, rest) = input.split_first().ok_or(BerError::Truncated)?;
    if tag & TAG_CONTINUES == TAG_CONTINUES {
        return Err(BerError::LongTag);
    }
    let (len, rest) = take_len(rest)?;
    if VALUE_LEN_MAX < len {
        return Err(BerError::TooLong);
    }
    let (value, rest) = rest.split_at_checked(len).ok_or(BerError::Truncated)?;
    Ok((Tlv { tag, value }, rest))
}

fn take_len(input: &[u8]) -> Result<(usize, &[u8]), BerError> {
    let (&first, rest) = input.split_first().ok_or(BerError::Truncated)?;
    match first {
        0..LONG_FORM => Ok((usize::from(first), rest)),
        LONG_FORM => Err(BerError::Indefinite),
        0x81 => rest.split_first().map(|(&len, rest)| (usize::from(len), rest)).ok_or(BerError::Truncated),
        0x82 => {
            let (&len, rest) = rest.split_first_chunk::<2>().ok_or(BerError::Truncated)?;
            Ok((usize::from(u16::from_be_bytes(len)), rest))
        }
        _ => Err(BerError::TooLong),
    }
}

/// Takes the first element, which must have this tag: its value and what follows it.
///
/// # Errors
/// Those of [`take`], then [`BerError::WrongTag`].
pub fn take_tag(input: &[u8], wanted: u8) -> Result<(&[u8], &[u8]), BerError> {
    match take(input)? {
        (Tlv { tag, value }, rest) if tag == wanted => Ok((value, rest)),
        (Tlv { tag, .. }, _) => Err(BerError::WrongTag { tag, wanted }),
    }
}

/// Takes the first element, which must have this tag and one octet: the octet and what follows.
///
/// # Errors
/// Those of [`take_tag`], then [`BerError::NotOneOctet`].
pub fn take_octet(input: &[u8], wanted: u8) -> Result<(u8, &[u8]), BerError> {
    match take_tag(input, wanted)? {
        (&[octet], rest) => Ok((octet, rest)),
        _ => Err(BerError::NotOneOctet),
    }
}

/// Writes one element whose value is the parts one after the other, its length in short form.
///
/// # Errors
/// [`BerError::LengthNotShort`].
pub fn element(tag: u8, parts: &[&[u8]]) -> Result<Vec<u8>, BerError> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let short = u8::try_from(len).ok().filter(|_| len <= SHORT_LEN_MAX).ok_or(BerError::LengthNotShort { len })?;
    let mut octets = Vec::with_capacity(2 + len);
    octets.extend_from_slice(&[tag, short]);
    for part in parts {
        octets.extend_from_slice(part);
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::{BerError, SHORT_LEN_MAX, element, take, take_octet, take_tag};
    use crate::testing::hex;
    use proptest::prelude::{any, proptest};

    /// The length of the first element's value and of what follows, or why not.
    fn lens(text: &str) -> Result<(usize, usize), BerError> {
        take(&hex(text)).map(|(tlv, rest)| (tlv.value.len(), rest.len()))
    }

    #[test]
    fn lengths() {
        let table = [
            ("04 00", Ok((0, 0))),
            ("04 01 aa bb", Ok((1, 1))),
            ("04 81 01 aa bb", Ok((1, 1))),
            ("04 82 0001 aa bb", Ok((1, 1))),
            ("04 80 aa 0000", Err(BerError::Indefinite)),
            ("04 82 0100", Err(BerError::TooLong)),
            ("04 83 000001 aa", Err(BerError::TooLong)),
            ("04 ff", Err(BerError::TooLong)),
            ("", Err(BerError::Truncated)),
            ("04", Err(BerError::Truncated)),
            ("04 01", Err(BerError::Truncated)),
            ("04 81", Err(BerError::Truncated)),
            ("04 82 00", Err(BerError::Truncated)),
            ("04 81 ff", Err(BerError::Truncated)),
            ("1f 01 aa", Err(BerError::LongTag)),
            ("bf 20 00", Err(BerError::LongTag)),
        ];
        for (text, expected) in table {
            assert_eq!(lens(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_and_octets() {
        assert_eq!(take_tag(&hex("0401aa"), 0x30), Err(BerError::WrongTag { tag: 4, wanted: 0x30 }));
        assert_eq!(take_octet(&hex("02013bff"), 2), Ok((0x3B, &[0xFF][..])));
        assert_eq!(take_octet(&hex("0202003b"), 2), Err(BerError::NotOneOctet));
        assert_eq!(take_octet(&hex("0200"), 2), Err(BerError::NotOneOctet));
    }

    #[test]
    fn the_short_form_ends() {
        assert!(element(4, &[&[0; SHORT_LEN_MAX]]).is_ok());
        assert_eq!(element(4, &[&[0; SHORT_LEN_MAX], &[0]]), Err(BerError::LengthNotShort { len: 128 }));
    }

    #[test]
    fn deep_nesting_is_just_a_value() {
        let nested = (0..60).try_fold(Vec::new(), |inner, _| element(0x30, &[&inner])).unwrap_or_default();
        assert_eq!(take(&nested).map(|(tlv, rest)| (tlv.value.len(), rest.len())), Ok((118, 0)));
        assert_eq!(take(&[0x30, 0x80].repeat(100)).err(), Some(BerError::Indefinite));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in any::<Vec<u8>>()) {
            let _ = take(&octets);
        }

        #[test]
        fn round_trip(
            tag in 0u8..0x1F,
            value in proptest::collection::vec(any::<u8>(), 0..=SHORT_LEN_MAX),
            after in any::<Vec<u8>>(),
        ) {
            let mut octets = element(tag, &[&value]).unwrap_or_default();
            octets.extend_from_slice(&after);
            assert_eq!(take_tag(&octets, tag), Ok((&value[..], &after[..])));
        }
    }
}
