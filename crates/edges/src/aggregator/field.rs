//! JSON fields as gateways write them: a number where a text belongs, a text where a number does, `null` for nothing.
//!
//! Guarantees: what was read is wiped on drop (the JSON library's own copy of an escaped text can't be). Deliberately not
//! here: fractions, negative numbers, lists and objects: they are no field of any dialect.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use zeroize::Zeroizing;

/// A text, a whole number in digits, or nothing (empty). No `Debug`: a password may be in it.
#[derive(Default)]
pub(super) struct Word(pub(super) Zeroizing<String>);

struct Words;

impl Visitor<'_> for Words {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(Zeroizing::new(String::from(text))))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
        Ok(Word(Zeroizing::new(number.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Word, E> {
        Ok(Word::default())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

/// Yes or no, as a truth value, a text or 1 and 0.
#[derive(Clone, Copy)]
pub(super) struct Flag(pub(super) bool);

struct Flags;

impl Visitor<'_> for Flags {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
        match number {
            0 => Ok(Flag(false)),
            1 => Ok(Flag(true)),
            _ => Err(E::custom("neither 0 nor 1")),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        match (is("true") || is("1"), is("false") || is("0")) {
            (true, _) => Ok(Flag(true)),
            (_, true) => Ok(Flag(false)),
            _ => Err(E::custom("neither true nor false")),
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Flags)
    }
}

#[cfg(test)]
mod tests {
    use super::{Flag, Word};

    fn word(json: &str) -> Option<String> {
        axum::Json::<Word>::from_bytes(json.as_bytes()).ok().map(|axum::Json(word)| String::from(&**word.0))
    }

    fn flag(json: &str) -> Option<bool> {
        axum::Json::<Flag>::from_bytes(json.as_bytes()).ok().map(|axum::Json(flag)| flag.0)
    }

    #[test]
    fn words() {
        for (json, expected) in [
            (r#""500""#, Some("500")),
            (r#""\uc804 \n""#, Some("전 \n")),
            ("500", Some("500")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("null", Some("")),
            ("-1", None),
            ("1.5", None),
            ("true", None),
            ("[]", None),
            (r#"{"a":1}"#, None),
            (r#""\ud800""#, None),
            ("", None),
        ] {
            assert_eq!(word(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn flags() {
        for (json, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            (r#""true""#, Some(true)),
            (r#""False""#, Some(false)),
            (r#""0""#, Some(false)),
            ("1", Some(true)),
            ("0", Some(false)),
            ("2", None),
            (r#""yes""#, None),
            ("null", None),
            ("[true]", None),
        ] {
            assert_eq!(flag(json), expected, "{json}");
        }
    }
}
