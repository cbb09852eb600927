//! What all cards of a file have in common, in both languages.
//!
//! Guarantees: amounts are formatted with whole numbers only.
//! Deliberately not here: the operator's profile, which fills a label in.

use super::fault::PressFault;
use super::font::{Face, Weight};

/// Most digits after the point: what fits 64 bits with room.
const MINOR_DIGITS_MAX: u8 = 9;

/// The text on every card of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The operator's name in Korean.
    pub operator_ko: String,
    /// The operator's name in English.
    pub operator_en: String,
    /// What is dialled after the first `*`.
    pub service_code: u16,
    /// What a card holds.
    pub value_minor: i64,
    /// The unit in Korean, put right behind the number.
    pub unit_ko: String,
    /// The unit in English, put behind a space.
    pub unit_en: String,
    /// How many digits of `value_minor` come after the point.
    pub minor_digits: u8,
}

impl Label {
    /// The value as the phone shows it: no fraction where it is nothing.
    pub fn value(&self) -> String {
        amount(self.value_minor, self.minor_digits)
    }

    /// `500원`.
    pub fn value_ko(&self) -> String {
        format!("{}{}", self.value(), self.unit_ko)
    }

    /// `500 won`.
    pub fn value_en(&self) -> String {
        format!("{} {}", self.value(), self.unit_en)
    }

    /// Refuses what would be printed as a box, as nothing or as nonsense. Whether the texts fit, the sheet knows.
    pub(super) fn check(&self) -> Result<(), PressFault> {
        if self.value_minor <= 0 {
            return Err(PressFault::Label(String::from("the value is not positive")));
        }
        if self.minor_digits > MINOR_DIGITS_MAX {
            return Err(PressFault::Label(format!("at most {MINOR_DIGITS_MAX} digits come after the point")));
        }
        let texts = [
            ("operator's Korean name", &self.operator_ko),
            ("operator's English name", &self.operator_en),
            ("Korean unit", &self.unit_ko),
            ("English unit", &self.unit_en),
        ];
        for (what, text) in texts {
            if text.trim().is_empty() {
                return Err(PressFault::Label(format!("the {what} is empty")));
            }
            for weight in [Weight::Regular, Weight::Bold] {
                if let Some(missing) = Face::of(weight)?.lacks(text) {
                    let code = u32::from(missing);
                    return Err(PressFault::Label(format!(
                        "the {what} has a character without a letter, U+{code:04X}"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Minor units with all their digits: `5.00`.
pub fn amount_fixed(minor: i64, digits: u8) -> String {
    let text = amount(minor, digits);
    if digits == 0 || text.contains('.') {
        text
    } else {
        format!("{text}.{:0<width$}", "", width = usize::from(digits))
    }
}

/// Minor units as a number with a point, without a fraction that is nothing.
pub fn amount(minor: i64, digits: u8) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    let scale = 10_u64.pow(u32::from(digits.min(MINOR_DIGITS_MAX)));
    match (minor / scale, minor % scale) {
        (whole, 0) => format!("{sign}{whole}"),
        (whole, part) => format!("{sign}{whole}.{part:0width$}", width = usize::from(digits)),
    }
}
