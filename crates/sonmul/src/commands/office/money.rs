//! Cash as people write it: `12.50`, and in whole minor units for the server.
//!
//! Guarantees: no floats; what has more digits than the currency is refused, never rounded.

use std::fmt;
use std::str::FromStr;

use domain::currency::Currency;

/// A currency by its code, in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) Currency);

impl FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Currency::ALL.map(Currency::code).join(", ");
        let found = Currency::from_code(&text.to_ascii_uppercase());
        found.map(Self).ok_or_else(|| format!("cards are sold in {}", known()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

/// Cash before its currency is known: whole and fraction digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cash {
    whole: u64,
    fraction: String,
}

impl FromStr for Cash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write an amount like 12 or 12.50";
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
            return Err(wrong);
        }
        Ok(Self { whole: whole.parse().map_err(|_| "the amount is too large")?, fraction: String::from(fraction) })
    }
}

impl Cash {
    /// In minor units of a currency; `None` when it has more digits than that, or is too large.
    pub(crate) fn minor(&self, currency: Currency) -> Option<i64> {
        let digits = usize::from(currency.minor_digits());
        if self.fraction.len() > digits {
            return None;
        }
        let fraction: i64 = format!("{:0<digits$}", self.fraction).parse().unwrap_or(0);
        let scale = 10_i64.checked_pow(u32::from(currency.minor_digits()))?;
        i64::try_from(self.whole).ok()?.checked_mul(scale)?.checked_add(fraction)
    }
}

/// `12.50 USD`.
pub(crate) fn shown(minor: i64, code: &str) -> String {
    let digits = Currency::from_code(code).map_or(0, Currency::minor_digits);
    format!("{} {code}", paper::press::amount_fixed(minor, digits))
}

#[cfg(test)]
mod tests {
    use domain::currency::Currency;

    use super::{Cash, Code, shown};

    #[test]
    fn cash_is_read_exactly_or_not_at_all() {
        let minor = |text: &str| text.parse::<Cash>().ok().and_then(|cash| cash.minor(Currency::Usd));
        assert_eq!(
            [minor("5"), minor("5.5"), minor("5.05"), minor("0.01")],
            [Some(500), Some(550), Some(505), Some(1)]
        );
        for bad in ["", ".", "5.", ".5", "5.005", "-5", "5,00", "1e3", "99999999999999999999", "92233720368547758.08"] {
            assert_eq!(minor(bad), None, "{bad}");
        }
    }

    #[test]
    fn cash_is_written_with_all_its_digits() {
        assert_eq!([shown(500, "USD"), shown(-5, "KPW")], ["5.00 USD", "-0.05 KPW"]);
        assert!("usd".parse::<Code>().is_ok() && "XXX".parse::<Code>().is_err());
    }
}
