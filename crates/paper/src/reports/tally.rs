//! What is counted of a month's entries, one after the other: money, gifts, refusals, breakage, and all that was moved.
//!
//! Bounded by days × outlets × currencies, days × occasions × [`BANDS`], and names of refusals and limits: never by entries.
//! A gift is counted when it is the recipient's: at once, or when its hold is over. What is taken back later is another
//! booking and is not taken off.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::currency::Currency;
use domain::ids::OutletId;
use domain::posted::{PostedGift, posted_gift};
use domain::refusal::{Refusal, Unusable};
use domain::rules::LimitName;
use domain::time::BusinessDate;
use domain::verdict::{Done, Outcome};

use super::month::Seen;
use super::table::Cell;
use super::turnover::{Flow, Turnover, flow};

/// Upper ends of amount bands in whole units of airtime; what is more is the last band.
pub const BANDS: [i64; 9] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000];

/// Money of a day at an outlet, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cash {
    /// Taken for cards and airtime.
    pub sales: i128,
    /// Given back for what was sold.
    pub refunds: i128,
    /// Paid out for void cards.
    pub pay_outs: i128,
    /// Prepaid by the outlet.
    pub deposits: i128,
    /// Given back of what the outlet had prepaid.
    pub withdrawals: i128,
    /// What bookings by hand did to the operator's cash.
    pub adjusted: i128,
}

/// Gifts of a day, an occasion and a band, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gifts {
    /// How many.
    pub count: u64,
    /// What recipients got.
    pub amount: i128,
    /// What the operator got.
    pub fees: i128,
    /// What the state gets.
    pub taxes: i128,
}

/// What a refusal names besides its reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Nothing.
    None,
    /// Which limit was reached.
    Limit(LimitName),
    /// What was wrong with the card.
    Card(Unusable),
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By currency, outlet and day.
    pub money: BTreeMap<(Currency, Option<OutletId>, BusinessDate), Cash>,
    /// By day, number of the occasion and place of the band.
    pub gifts: BTreeMap<(BusinessDate, Option<u8>, usize), Gifts>,
    /// By command, reason and detail.
    pub refusals: BTreeMap<(&'static str, &'static str, Detail), u64>,
    /// By day: cards that expired, and what was on them.
    pub breakage: BTreeMap<BusinessDate, (u64, i128)>,
    /// All that was moved.
    pub turnover: Turnover,
}

impl Tally {
    /// Counts an entry of the month.
    pub fn see(&mut self, seen: &Seen<'_>) {
        let effects = &seen.entry.verdict.effects;
        match &seen.entry.verdict.outcome {
            Outcome::Refused(refusal) => {
                let key = (seen.entry.body.name(), refusal.name(), Detail::of(refusal));
                *self.refusals.entry(key).or_default() += 1;
                return;
            }
            Outcome::Done(_) => self.gift(seen),
        }
        if effects.transfers.is_empty() {
            return;
        }
        self.turnover.add(&effects.transfers);
        self.money(seen);
        self.breakage(seen);
    }

    fn gift(&mut self, seen: &Seen<'_>) {
        let Some(PostedGift { occasion, .. }) = posted_gift(seen.entry) else { return };
        let effects = &seen.entry.verdict.effects;
        let mut gift = Gifts { count: 1, ..Gifts::default() };
        for transfer in &effects.transfers {
            let minor = i128::from(transfer.amount.minor());
            match transfer.credit {
                AccountId::Airtime(_) => gift.amount += minor,
                AccountId::FeeIncome(_) => gift.fees += minor,
                AccountId::TaxPayable(_) => gift.taxes += minor,
                AccountId::Card(_)
                | AccountId::CallIncome(_)
                | AccountId::Breakage(_)
                | AccountId::Position(_)
                | AccountId::Refunded(_)
                | AccountId::Held(_)
                | AccountId::Cash(..)
                | AccountId::CashPosition(..)
                | AccountId::Float(..) => {}
            }
        }
        let unit_minor = seen.state.operator(seen.operator).map_or(1, |known| known.rules.unit.minor_per_unit());
        let band = BANDS.iter().position(|end| gift.amount <= i128::from(*end) * i128::from(unit_minor));
        let sum = self.gifts.entry((effects.date, occasion, band.unwrap_or(BANDS.len()))).or_default();
        sum.count += gift.count;
        sum.amount += gift.amount;
        sum.fees += gift.fees;
        sum.taxes += gift.taxes;
    }

    fn money(&mut self, seen: &Seen<'_>) {
        let effects = &seen.entry.verdict.effects;
        for transfer in &effects.transfers {
            let Some((flow, currency, outlet)) = flow(seen.entry, transfer) else { continue };
            let minor = i128::from(transfer.amount.minor());
            let cash = self.money.entry((currency, outlet, effects.date)).or_default();
            match flow {
                Flow::Deposit => cash.deposits += minor,
                Flow::Withdrawal => cash.withdrawals += minor,
                Flow::Sale => cash.sales += minor,
                Flow::Refund => cash.refunds += minor,
                Flow::PayOut => cash.pay_outs += minor,
                Flow::Adjusted(change) => cash.adjusted += change,
            }
        }
    }

    fn breakage(&mut self, seen: &Seen<'_>) {
        let effects = &seen.entry.verdict.effects;
        let expired = matches!(&seen.entry.verdict.outcome, Outcome::Done(Done::CardExpired { .. }));
        for transfer in &effects.transfers {
            let minor = i128::from(transfer.amount.minor());
            let change = match (transfer.debit, transfer.credit) {
                (_, AccountId::Breakage(_)) => minor,
                (AccountId::Breakage(_), _) => -minor,
                _ => continue,
            };
            let (cards, sum) = self.breakage.entry(effects.date).or_default();
            *cards += u64::from(expired);
            *sum += change;
        }
    }
}

impl Detail {
    /// Of a refusal.
    pub fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::LimitReached { limit, .. } => Self::Limit(limit.clone()),
            Refusal::CardNotUsable { why } => Self::Card(*why),
            Refusal::ServiceClosed { .. }
            | Refusal::CallerUnknown
            | Refusal::CallerBarred
            | Refusal::CallerResting { .. }
            | Refusal::Locked { .. }
            | Refusal::NoCard
            | Refusal::WrongPassword { .. }
            | Refusal::TooManyRefusals { .. }
            | Refusal::AmountRecipientSwapped
            | Refusal::RecipientMalformed
            | Refusal::AmountMalformed
            | Refusal::RecipientElsewhere
            | Refusal::RecipientUnknown
            | Refusal::RecipientIsCaller
            | Refusal::AmountBelowMinimum { .. }
            | Refusal::AmountAboveMaximum { .. }
            | Refusal::AmountOffStep { .. }
            | Refusal::Repeated { .. }
            | Refusal::SenderTooYoung { .. }
            | Refusal::RecipientTooYoung { .. }
            | Refusal::RecipientBalanceMax { .. }
            | Refusal::InsufficientFunds { .. }
            | Refusal::NothingToUndo
            | Refusal::NewPasswordMalformed
            | Refusal::NewPasswordsDiffer
            | Refusal::NewPasswordTrivial
            | Refusal::NewPasswordSame
            | Refusal::BindingBlocked
            | Refusal::TooManyCards { .. }
            | Refusal::LanguageNotOffered
            | Refusal::OperatorUnknown
            | Refusal::RulesClash { .. }
            | Refusal::SubscriberUnknown
            | Refusal::NumberOutOfRange { .. }
            | Refusal::CardUnknown
            | Refusal::CardNumberTaken { .. }
            | Refusal::CardStateForbids { .. }
            | Refusal::AmountOverflow
            | Refusal::TooMuchAtOnce { .. }
            | Refusal::NothingToChange
            | Refusal::TwiceInList { .. }
            | Refusal::Office(_) => Self::None,
        }
    }

    /// In a table.
    pub fn cell(&self) -> Cell {
        match self {
            Self::None => Cell::None,
            Self::Limit(name) => name.as_str().into(),
            Self::Card(why) => why.name().into(),
        }
    }
}
