//! Currencies that cards are bought in, and ratios between money of two units.
//!
//! Guarantees: no floats; a conversion is exact up to one named rounding, and an overflow is never a small number.
//! Deliberately not here: which rate holds when (see [`crate::office::till`]).

use minicbor::{Decode, Encode};

use crate::rules::tariff::Ratio;

/// What a card is paid in. Codes are those of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Currency {
    /// US dollar.
    #[n(0)]
    Usd,
    /// Yuan.
    #[n(1)]
    Cny,
    /// Euro.
    #[n(2)]
    Eur,
    /// Cash won: not the unit of airtime, though both are called won.
    #[n(3)]
    Kpw,
}

impl Currency {
    /// Every currency there is, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Usd, Self::Cny, Self::Eur, Self::Kpw];

    /// Its code in ISO 4217.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Cny => "CNY",
            Self::Eur => "EUR",
            Self::Kpw => "KPW",
        }
    }

    /// Decimal digits of its minor unit in ISO 4217: two for each of these.
    pub const fn minor_digits(self) -> u8 {
        2
    }

    /// The currency of a code in capitals, `None` when Sonmul does not sell in it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }

    /// One small number for storage.
    pub const fn index(self) -> u8 {
        match self {
            Self::Usd => 0,
            Self::Cny => 1,
            Self::Eur => 2,
            Self::Kpw => 3,
        }
    }

    /// Reads what [`index`](Self::index) wrote.
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.index() == index)
    }
}

/// `part` of `whole` shares of `value`, rounded down: what is paid back for the rest of a card. Down is in the operator's
/// favour, as at the sale. `None` when `whole` is not positive or something leaves `i64`.
pub fn share_down(value: i64, part: i64, whole: i64) -> Option<i64> {
    if value < 0 || part < 0 || whole <= 0 {
        return None;
    }
    i64::try_from(i128::from(value) * i128::from(part) / i128::from(whole)).ok()
}

/// What so much airtime costs at a rate (minor units of cash for one minor unit of airtime), rounded up: in the operator's
/// favour. `None` past `i64`.
pub fn price_up(airtime_minor: i64, rate: Ratio) -> Option<i64> {
    crate::money::scale(airtime_minor, rate.numerator, rate.denominator, crate::money::Rounding::InFavourOfOperator)
}

#[cfg(test)]
mod tests {
    use super::{Currency, price_up, share_down};
    use crate::rules::tariff::Ratio;

    #[test]
    fn codes_and_indices_lead_back() {
        for currency in Currency::ALL {
            assert_eq!(Currency::from_code(currency.code()), Some(currency));
            assert_eq!(Currency::from_index(currency.index()), Some(currency));
        }
        assert_eq!(Currency::from_code("usd"), None);
        assert_eq!(Currency::from_index(4), None);
    }

    #[test]
    fn remainders_go_to_the_operator() {
        let rate = |numerator, denominator| Ratio::try_new(numerator, denominator).expect("a ratio");
        // 500 won at 100 won for a dollar; at 30 yuan for 500 won; at 75 cash won for one.
        assert_eq!(price_up(500, rate(1, 1)), Some(500));
        assert_eq!(price_up(500, rate(6, 1)), Some(3_000));
        assert_eq!(price_up(500, rate(7_500, 1)), Some(3_750_000));
        assert_eq!(price_up(500, rate(1, 3)), Some(167));
        assert_eq!(price_up(i64::MAX, rate(2, 1)), None);
        assert_eq!(share_down(167, 250, 500), Some(83));
        assert_eq!(share_down(i64::MAX, i64::MAX, i64::MAX), Some(i64::MAX));
        assert_eq!(share_down(1, 1, 0), None);
    }
}
