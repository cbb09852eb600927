//! Sale: outlets, what they have prepaid, dated rates, quotes, and what a card was bought for.
//!
//! Guarantees: a price is worked out once, in the quote, at the rate of that instant; a sale is two linked transfers, one
//! in the currency and one in airtime; a card is worth nothing before it.
//!
//! Deliberately not here: receipts on paper, who stands at the counter.

use minicbor::{Decode, Encode};

use crate::currency::{Currency, share_down};
use crate::ids::{OperatorId, OutletId, Serial};
use crate::money::Amount;
use crate::receipt::Seq;
use crate::rules::tariff::Ratio;
use crate::time::Timestamp;

/// Longest name of an outlet, characters.
pub const OUTLET_NAME_LEN_MAX: usize = 40;
/// Cards of one quote at most: their accounts, the float and three of the operator's fit one command.
pub const QUOTE_CARDS_MAX: u32 = 900;
/// What an outlet's float may hold by deposits in one currency, minor units: 10^13. A million such floats fill no 63 bits.
pub const FLOAT_MAX_MINOR: i64 = 10_000_000_000_000;
/// Rates of one currency that are remembered at most: one a day for ten years.
pub const RATES_MAX: usize = 3_660;

/// A point of sale.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Outlet {
    /// Whose cards it sells.
    #[n(0)]
    pub operator: OperatorId,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// Since when.
    #[n(2)]
    pub since: Timestamp,
}

/// A dated rate: minor units of cash for one minor unit of airtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Rate {
    /// First instant.
    #[n(0)]
    pub from: Timestamp,
    /// First instant at which it does not hold any more; `None`: until the next begins.
    #[n(1)]
    pub until: Option<Timestamp>,
    /// Cash for airtime, both in minor units.
    #[n(2)]
    pub ratio: Ratio,
}

/// All rates of an operator in one currency, in the order of `from`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Rates {
    /// See the type.
    #[n(0)]
    pub list: Vec<Rate>,
}

impl Rates {
    /// The rate of an instant.
    pub fn at(&self, at: Timestamp) -> Option<Rate> {
        let begun = self.list.partition_point(|rate| rate.from <= at);
        let rate = self.list.get(begun.checked_sub(1)?)?;
        rate.until.is_none_or(|until| at < until).then_some(*rate)
    }

    /// The first rate that another one would overlap: one that begins with it, one that has an end and is not over when it
    /// begins, or one that begins before its own end.
    pub fn overlapped_by(&self, new: &Rate) -> Option<Rate> {
        let clash = |known: &&Rate| {
            let same = known.from == new.from;
            let inside = known.from < new.from && known.until.is_some_and(|until| new.from < until);
            let over = new.from < known.from && new.until.is_some_and(|until| known.from < until);
            same || inside || over
        };
        self.list.iter().find(clash).copied()
    }

    /// With one more, in its place; the oldest go when there are too many.
    #[must_use]
    pub fn with(&self, new: Rate) -> Self {
        let mut list = self.list.clone();
        let place = list.partition_point(|rate| rate.from < new.from);
        list.insert(place, new);
        if list.len() > RATES_MAX {
            list.remove(0);
        }
        Self { list }
    }
}

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Goods {
    /// Cards in a row.
    #[n(0)]
    Cards {
        /// The first serial.
        #[n(0)]
        first: Serial,
        /// How many, 1 to [`QUOTE_CARDS_MAX`].
        #[n(1)]
        count: u32,
    },
    /// More airtime on a card that is in use and was bought in the same currency.
    #[n(1)]
    Reload {
        /// The card.
        #[n(0)]
        serial: Serial,
        /// How much, of the unit of airtime.
        #[n(1)]
        value: Amount,
    },
}

/// A price that is promised for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Quote {
    /// To which outlet.
    #[n(0)]
    pub outlet: OutletId,
    /// In what.
    #[n(1)]
    pub currency: Currency,
    /// For what.
    #[n(2)]
    pub goods: Goods,
    /// Of all of it, minor units of the currency. Each card is rounded for itself, up.
    #[n(3)]
    pub price: Amount,
    /// Of all of it, minor units of airtime.
    #[n(4)]
    pub value: Amount,
    /// At which rate.
    #[n(5)]
    pub ratio: Ratio,
    /// First instant at which it is not promised any more.
    #[n(6)]
    pub expires_at: Timestamp,
}

/// What a card was bought for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Bought {
    /// In what.
    #[n(0)]
    pub currency: Currency,
    /// For how much, reloads and merged cards included, minor units of the currency.
    #[n(1)]
    pub price: Amount,
    /// How much airtime that was, minor units.
    #[n(2)]
    pub value: Amount,
    /// Where.
    #[n(3)]
    pub outlet: OutletId,
    /// The entry that sold it.
    #[n(4)]
    pub sale: Seq,
}

impl Bought {
    /// What is paid out for so much airtime that is left on it, minor units of the currency: its share of the price, rounded
    /// in the operator's favour. Never for more than was bought. `None` when that leaves `i64`.
    pub fn pay_out_minor(&self, rest: Amount) -> Option<i64> {
        share_down(self.price.minor(), rest.minor().min(self.value.minor()), self.value.minor())
    }
}

/// Outlets that may have taken money for one card before it is bound: a refund pays each of them back in one entry.
pub const TAKINGS_MAX: usize = 8;

/// What one outlet took for a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Taken {
    /// Where.
    #[n(0)]
    pub outlet: OutletId,
    /// How much, minor units of the currency that the card was bought in.
    #[n(1)]
    pub price: Amount,
}

/// What each outlet took for a card that is not bound yet, so that a refund gives back to each of them what was taken there.
/// It exists only where more than one outlet took something, and ends with the card's time in the shop.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Takings {
    /// In the order of first taking, at most [`TAKINGS_MAX`]; together they are the card's price.
    #[n(0)]
    pub list: Vec<Taken>,
}

impl Takings {
    /// What the one outlet took that sold the card and every reload of it.
    pub fn of(bought: &Bought) -> Self {
        Self { list: vec![Taken { outlet: bought.outlet, price: bought.price }] }
    }

    /// With one more; `None` when there are too many outlets, or an outlet's sum leaves `i64`.
    #[must_use]
    pub fn with(mut self, more: Taken) -> Option<Self> {
        if let Some(taken) = self.list.iter_mut().find(|taken| taken.outlet == more.outlet) {
            taken.price = taken.price.checked_add(more.price)?;
            return Some(self);
        }
        if self.list.len() >= TAKINGS_MAX {
            return None;
        }
        self.list.push(more);
        Some(self)
    }
}

/// What a till asks.
#[derive(Clone, Debug, Encode, Decode)]
pub enum TillCommand {
    /// Open a point of sale.
    #[n(0)]
    OpenOutlet {
        /// Whose.
        #[n(0)]
        operator: OperatorId,
        /// Its name, 1 to [`OUTLET_NAME_LEN_MAX`] characters, of no other outlet of this operator.
        #[n(1)]
        name: String,
    },
    /// The outlet pays in advance.
    #[n(1)]
    Deposit {
        /// Which.
        #[n(0)]
        outlet: OutletId,
        /// In what.
        #[n(1)]
        currency: Currency,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// The outlet gets back what it paid in advance.
    #[n(2)]
    Withdraw {
        /// Which.
        #[n(0)]
        outlet: OutletId,
        /// In what.
        #[n(1)]
        currency: Currency,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// Name a price.
    #[n(3)]
    Quote {
        /// To which outlet.
        #[n(0)]
        outlet: OutletId,
        /// In what.
        #[n(1)]
        currency: Currency,
        /// For what.
        #[n(2)]
        goods: Goods,
    },
    /// Sell at a quote.
    #[n(4)]
    Sell {
        /// The entry that made it.
        #[n(0)]
        quote: Seq,
    },
    /// Take a card back on the day of its sale, before it is bound.
    #[n(5)]
    Refund {
        /// Which.
        #[n(0)]
        serial: Serial,
    },
    /// Move everything from one card of a holder to another one.
    #[n(6)]
    Merge {
        /// Closed by it.
        #[n(0)]
        from: Serial,
        /// Keeps its password.
        #[n(1)]
        into: Serial,
    },
    /// Pay out what is on a void card, in the currency that it was bought in.
    #[n(7)]
    PayOut {
        /// Which.
        #[n(0)]
        serial: Serial,
    },
}

#[cfg(test)]
mod tests {
    use super::{Rate, Rates};
    use crate::rules::tariff::Ratio;
    use crate::time::Timestamp;

    fn rate(from: i64, until: Option<i64>) -> Rate {
        Rate { from: Timestamp::from_ms(from), until: until.map(Timestamp::from_ms), ratio: Ratio::ONE }
    }

    #[test]
    fn a_rate_holds_until_its_end_or_the_next() {
        let rates = Rates::default().with(rate(10, None)).with(rate(30, Some(40))).with(rate(20, None));
        let at = |ms| rates.at(Timestamp::from_ms(ms)).map(|rate| rate.from.ms());
        assert_eq!([at(9), at(10), at(25), at(39), at(40)], [None, Some(10), Some(20), Some(30), None]);
    }

    #[test]
    fn what_overlaps() {
        let rates = Rates::default().with(rate(10, Some(20))).with(rate(30, None));
        for (from, until, clashes) in [
            (10, None, true),
            (15, None, true),
            (5, Some(11), true),
            (5, Some(10), false),
            (5, None, false),
            (20, None, false),
            (25, Some(31), true),
            (35, Some(40), false),
        ] {
            assert_eq!(rates.overlapped_by(&rate(from, until)).is_some(), clashes, "{from} {until:?}");
        }
    }
}
