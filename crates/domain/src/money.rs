//! Amounts of money: positive, bounded, without operators, so that an overflow is always somebody's decision.
//!
//! Deliberately not here: floats, currencies' names, formatting for a person (the edges do that).

use minicbor::{Decode, Encode};

/// A positive number of minor units of one unit of account. Invariant: `1..=i64::MAX`, so that one amount fits a
/// SQL `BIGINT`.
///
/// There is no `Add`: sums can overflow, and the caller must say what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct Amount(#[n(0)] i64);

impl Amount {
    /// The amount of `minor` minor units, or `None` when that is not positive.
    pub const fn try_new(minor: i64) -> Option<Self> {
        if minor > 0 { Some(Self(minor)) } else { None }
    }

    /// The amount of a constant, which is positive: anything else does not compile.
    pub(crate) const fn constant(minor: i64) -> Self {
        assert!(minor > 0, "an amount is positive");
        Self(minor)
    }

    /// Minor units, `1..=i64::MAX`.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// The sum, or `None` past `i64::MAX`.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }
}

impl<'b, C> Decode<'b, C> for Amount {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::try_new(d.i64()?).ok_or_else(|| minicbor::decode::Error::message("an amount is positive"))
    }
}

/// Who gains from a remainder. Rounding is a commercial decision, so every call that can lose a remainder names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The remainder is dropped from what the subscriber pays.
    InFavourOfSubscriber,
    /// The remainder is added to what the subscriber pays.
    InFavourOfOperator,
}

/// `value * numerator / denominator`, rounded as named; `None` when the result leaves `i64` or the denominator is zero.
///
/// `value` must not be negative: money that flows the other way is another transfer.
pub fn scale(value: i64, numerator: u32, denominator: u32, rounding: Rounding) -> Option<i64> {
    if value < 0 || denominator == 0 {
        return None;
    }
    let product = i128::from(value) * i128::from(numerator);
    let divisor = i128::from(denominator);
    let quotient = match rounding {
        Rounding::InFavourOfSubscriber => product / divisor,
        Rounding::InFavourOfOperator => (product + divisor - 1) / divisor,
    };
    i64::try_from(quotient).ok()
}

#[cfg(test)]
mod tests {
    use super::{Amount, Rounding, scale};

    #[test]
    fn an_amount_is_positive_and_its_sum_is_checked() {
        assert!(Amount::try_new(0).is_none());
        assert!(Amount::try_new(-1).is_none());
        let most = Amount::try_new(i64::MAX).expect("positive");
        assert!(most.checked_add(Amount::try_new(1).expect("positive")).is_none());
    }

    #[test]
    fn rounding_goes_to_whom_it_names() {
        assert_eq!(scale(501, 1, 4, Rounding::InFavourOfSubscriber), Some(125));
        assert_eq!(scale(501, 1, 4, Rounding::InFavourOfOperator), Some(126));
        assert_eq!(scale(i64::MAX, 3, 2, Rounding::InFavourOfSubscriber), None);
        assert_eq!(scale(i64::MAX, 2, 2, Rounding::InFavourOfOperator), Some(i64::MAX));
        assert_eq!(scale(-1, 1, 1, Rounding::InFavourOfOperator), None);
        assert_eq!(scale(1, 1, 0, Rounding::InFavourOfOperator), None);
    }
}
