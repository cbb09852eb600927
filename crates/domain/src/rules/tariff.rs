//! What airtime buys, and what a gift costs.
//!
//! Guarantees: no floats; every remainder goes to whom [`Rounding`] names; *nothing to pay* is `Ok(0)` and *too large to
//! compute* is an error, so that no overflow ever waives a fee.
//!
//! Bounded by: [`FEE_TIERS_MAX`] tiers, tried in order.
//!
//! Deliberately not here: free minutes and what is set aside for a call (see [`crate::decide`]), rates between currencies.

use minicbor::{Decode, Encode};

use crate::money::{Amount, Rounding, scale};

/// Most tiers of a fee.
pub const FEE_TIERS_MAX: usize = 32;
/// Basis points in a whole.
pub const BASIS_POINTS: u32 = 10_000;
/// Seconds in a tariff's minute.
const MINUTE_S: u32 = 60;

/// An exact ratio, its denominator never zero: 3/2 is half as much again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Ratio {
    /// At least 1.
    #[n(0)]
    pub numerator: u32,
    /// At least 1.
    #[n(1)]
    pub denominator: u32,
}

impl Ratio {
    /// As much again as before: 1/1.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The ratio, `None` when either is zero.
    pub const fn try_new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 { None } else { Some(Self { numerator, denominator }) }
    }
}

/// What a minute of talk costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Tariff {
    /// Minor units for each minute begun, within the operator's network.
    #[n(0)]
    pub minute_price: Amount,
    /// How many times as much it is to another operator's network in the country.
    #[n(1)]
    pub cross_network: Ratio,
}

/// What a call would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallPrice {
    /// Minutes begun.
    pub minutes: u32,
    /// Free ones among them.
    pub free_minutes: u32,
    /// What the others cost, minor units.
    pub price_minor: i64,
    /// Airtime there is, minor units.
    pub airtime_minor: i64,
}

/// A call so long that its price leaves `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price is too large to compute")]
pub struct PriceOverflow;

impl Tariff {
    /// Whole minutes that so many minor units buy within the network; 0 for none or less.
    ///
    /// Rounded in the operator's favour: a minute that isn't paid in full is not promised.
    pub const fn minutes(&self, minor: i64) -> i64 {
        if minor <= 0 { 0 } else { minor / self.minute_price.minor() }
    }

    /// Minor units that a call of so many seconds costs: 0 for no seconds at all, else each minute begun in full.
    ///
    /// Both remainders, of the minute and of the cross-network ratio of the whole call, are in the operator's favour.
    ///
    /// # Errors
    /// When the price leaves `i64`.
    pub fn price(&self, seconds: u64, cross: bool) -> Result<i64, PriceOverflow> {
        let seconds = i64::try_from(seconds).map_err(|_| PriceOverflow)?;
        let minutes = scale(seconds, 1, MINUTE_S, Rounding::InFavourOfOperator).ok_or(PriceOverflow)?;
        let price = minutes.checked_mul(self.minute_price.minor()).ok_or(PriceOverflow)?;
        let Ratio { numerator, denominator } = if cross { self.cross_network } else { Ratio::ONE };
        scale(price, numerator, denominator, Rounding::InFavourOfOperator).ok_or(PriceOverflow)
    }
}

/// One step of a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FeeTier {
    /// Largest amount that it holds for; `None`: all that are left.
    #[n(0)]
    pub up_to: Option<Amount>,
    /// The fixed part, minor units, 0 or more.
    #[n(1)]
    pub flat_minor: i64,
    /// The part that grows with the amount, in hundredths of a percent of it.
    #[n(2)]
    pub basis_points: u32,
}

/// What a gift or a top-up costs its sender, on top of the amount.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Fee {
    /// In ascending order, the last one open; none at all: free.
    #[n(0)]
    pub tiers: Vec<FeeTier>,
    /// Tax on the fee, in hundredths of a percent of it.
    #[n(1)]
    pub tax_basis_points: u32,
}

/// What is charged for one amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    /// The fee without tax, minor units, 0 or more.
    pub fee_minor: i64,
    /// The tax on it, minor units, 0 or more.
    pub tax_minor: i64,
}

impl Charged {
    /// Fee and tax together; [`Fee::charge`] saw to it that this fits.
    pub const fn total_minor(self) -> i64 {
        self.fee_minor.saturating_add(self.tax_minor)
    }
}

/// A fee that leaves `i64`. Never the same as no fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fee is too large to compute")]
pub struct FeeOverflow;

impl Fee {
    /// No fee and no tax.
    pub const fn free() -> Self {
        Self { tiers: Vec::new(), tax_basis_points: 0 }
    }

    /// What the amount costs under the first tier that holds for it; fee and tax are both rounded in the operator's favour.
    ///
    /// # Errors
    /// When fee and tax together leave `i64`.
    pub fn charge(&self, amount: Amount) -> Result<Charged, FeeOverflow> {
        let holds = |tier: &&FeeTier| tier.up_to.is_none_or(|up_to| amount <= up_to);
        // Past a last tier that isn't open the last one holds all the same: a fee is never waived by a gap in a table.
        let Some(tier) = self.tiers.iter().find(holds).or(self.tiers.last()) else { return Ok(Charged::default()) };
        let in_full = |value, basis_points| {
            scale(value, basis_points, BASIS_POINTS, Rounding::InFavourOfOperator).ok_or(FeeOverflow)
        };
        let share = in_full(amount.minor(), tier.basis_points)?;
        let fee_minor = tier.flat_minor.checked_add(share).ok_or(FeeOverflow)?;
        let tax_minor = in_full(fee_minor, self.tax_basis_points)?;
        fee_minor.checked_add(tax_minor).ok_or(FeeOverflow)?;
        Ok(Charged { fee_minor, tax_minor })
    }
}

#[cfg(test)]
mod tests;
