//! Places in the journal, and the receipt numbers that people read out.
//!
//! A receipt number is a seq in Crockford's base 32 with two check characters, so that a misheard one is noticed and a
//! right one leads to its entry without any index.

use core::fmt;

use minicbor::{Decode, Encode};

/// Place of an entry in the journal, counted from 1. 0 stands before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Seq(#[n(0)] pub u64);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The next place.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Digits without I, L, O and U, which are misread or misheard.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The largest prime below 32²: one wrong character or one swap changes the rest.
const CHECK_MODULUS: u64 = 1021;
/// Characters of a receipt number at most: 13 of a `u64`, a hyphen, two of check.
pub const RECEIPT_LEN_MAX: usize = 16;

/// A text is no receipt number, or was misread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt number: at least one character was misread")]
pub struct ReceiptError;

/// The receipt number of an entry: `4GT-8V`.
pub fn receipt(seq: Seq) -> String {
    let mut text = Vec::with_capacity(RECEIPT_LEN_MAX);
    let mut rest = seq.0;
    loop {
        text.push(symbol(rest % 32));
        rest /= 32;
        if rest == 0 {
            break;
        }
    }
    text.reverse();
    let check = check(seq.0);
    text.push('-');
    text.push(symbol(check / 32));
    text.push(symbol(check % 32));
    text.into_iter().collect()
}

/// The entry of a receipt number, however it is spaced or cased.
///
/// # Errors
/// When a character is no digit of it, or the check characters disagree.
pub fn parse_receipt(text: &str) -> Result<Seq, ReceiptError> {
    let digits: Vec<u64> = text
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| value(c.to_ascii_uppercase()))
        .collect::<Option<_>>()
        .ok_or(ReceiptError)?;
    let Some((body, &[high, low])) = digits.split_last_chunk::<2>() else { return Err(ReceiptError) };
    if body.is_empty() {
        return Err(ReceiptError);
    }
    let seq = body.iter().try_fold(0_u64, |seq, digit| seq.checked_mul(32)?.checked_add(*digit)).ok_or(ReceiptError)?;
    if check(seq) == high * 32 + low { Ok(Seq(seq)) } else { Err(ReceiptError) }
}

const fn check(seq: u64) -> u64 {
    // Multiplied, so that receipts in a row don't look alike.
    ((seq % CHECK_MODULUS) * 613 + 7) % CHECK_MODULUS
}

fn symbol(value: u64) -> char {
    usize::try_from(value).ok().and_then(|value| ALPHABET.get(value)).map_or('?', |byte| char::from(*byte))
}

fn value(c: char) -> Option<u64> {
    let c = match c {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|byte| char::from(*byte) == c).and_then(|at| u64::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::{RECEIPT_LEN_MAX, Seq, parse_receipt, receipt};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_receipt_leads_back_and_one_misread_character_is_noticed(seq: u64, at in 0_usize..16, other in 0_usize..32) {
            let text = receipt(Seq(seq));
            prop_assert!(text.len() <= RECEIPT_LEN_MAX);
            prop_assert_eq!(parse_receipt(&text.to_lowercase().replace('-', " ")), Ok(Seq(seq)));
            let mut misread: Vec<char> = text.chars().filter(|c| *c != '-').collect();
            let at = at % misread.len();
            let other = char::from(super::ALPHABET[other]);
            if misread[at] != other {
                misread[at] = other;
                let misread: String = misread.into_iter().collect();
                prop_assert!(parse_receipt(&misread).is_err());
            }
        }
    }

    #[test]
    fn what_is_no_receipt() {
        for bad in ["", "A", "AB", "4GT-8?", "ZZZZZZZZZZZZZZZZ"] {
            assert!(parse_receipt(bad).is_err(), "{bad}");
        }
    }
}
