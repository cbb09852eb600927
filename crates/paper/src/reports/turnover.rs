//! What entries moved, by kind of account and unit: the other way to the balances, which are written after-values.
//!
//! Guarantees: nothing here reads a balance. Where balances and movements differ, one of them is wrong.

use std::collections::BTreeMap;

use domain::account::{AccountId, Transfer};
use domain::command::Body;
use domain::currency::Currency;
use domain::ids::{OperatorId, OutletId};
use domain::office::Asked;
use domain::state::State;
use domain::verdict::Entry;

/// Kinds of accounts in the order of reports: what is owed first, what it is owed from last.
pub const KINDS: [&str; 12] = [
    "card",
    "airtime",
    "held",
    "fee-income",
    "tax-payable",
    "call-income",
    "breakage",
    "refunded",
    "position",
    "float",
    "cash",
    "cash-position",
];

/// The place of an account's kind in [`KINDS`].
pub const fn place(account: AccountId) -> usize {
    match account {
        AccountId::Card(_) => 0,
        AccountId::Airtime(_) => 1,
        AccountId::Held(_) => 2,
        AccountId::FeeIncome(_) => 3,
        AccountId::TaxPayable(_) => 4,
        AccountId::CallIncome(_) => 5,
        AccountId::Breakage(_) => 6,
        AccountId::Refunded(_) => 7,
        AccountId::Position(_) => 8,
        AccountId::Float(..) => 9,
        AccountId::Cash(..) => 10,
        AccountId::CashPosition(..) => 11,
    }
}

/// A kind of account in a unit: currency and place in [`KINDS`].
pub type Kind = (Option<Currency>, usize);

/// Kind and unit of an account.
pub const fn kind_of(account: AccountId) -> Kind {
    (account.currency(), place(account))
}

/// What left accounts of a kind and what came to them, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// What left.
    pub debit: i128,
    /// What came.
    pub credit: i128,
}

/// Units of one operator: its airtime and every currency.
const UNITS: usize = Currency::ALL.len() + 1;

/// Of one operator.
#[derive(Clone, Debug, Default)]
pub struct Turnover([[Moved; KINDS.len()]; UNITS]);

impl Turnover {
    /// Adds what an entry moved.
    pub fn add(&mut self, transfers: &[Transfer]) {
        for transfer in transfers {
            let minor = i128::from(transfer.amount.minor());
            if let Some(moved) = self.of_mut(transfer.debit) {
                moved.debit += minor;
            }
            if let Some(moved) = self.of_mut(transfer.credit) {
                moved.credit += minor;
            }
        }
    }

    /// All numbers, in one order, to be read by [`of_numbers`](Self::of_numbers).
    pub(super) fn numbers(&self) -> impl Iterator<Item = i128> {
        self.0.iter().flatten().flat_map(|moved| [moved.debit, moved.credit])
    }

    /// Takes what [`numbers`](Self::numbers) gave; what is missing is 0.
    pub(super) fn of_numbers(numbers: &mut impl Iterator<Item = i128>) -> Self {
        let mut turnover = Self::default();
        for moved in turnover.0.iter_mut().flatten() {
            *moved = Moved { debit: numbers.next().unwrap_or_default(), credit: numbers.next().unwrap_or_default() };
        }
        turnover
    }

    fn of_mut(&mut self, account: AccountId) -> Option<&mut Moved> {
        self.0.get_mut(row(account.currency()))?.get_mut(place(account))
    }

    /// What was moved of a kind.
    pub fn of(&self, (unit, place): Kind) -> Moved {
        self.0.get(row(unit)).and_then(|kinds| kinds.get(place)).copied().unwrap_or_default()
    }
}

fn row(unit: Option<Currency>) -> usize {
    unit.map_or(0, |currency| usize::from(currency.index()) + 1)
}

/// Every kind of every unit that an operator may have, in the order of reports.
pub fn kinds() -> impl Iterator<Item = Kind> {
    let airtime = (0..9).map(|place| (None, place));
    let cash =
        Currency::ALL.into_iter().flat_map(|currency| (9..KINDS.len()).map(move |place| (Some(currency), place)));
    airtime.chain(cash)
}

/// Accounts of a kind: how many, and what is on them together, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub accounts: u64,
    /// Their sum, minor units.
    pub balance: i128,
}

/// What is on all accounts, by operator and kind.
pub fn balances(state: &State) -> BTreeMap<(OperatorId, Kind), Held> {
    let mut sums: BTreeMap<(OperatorId, Kind), Held> = BTreeMap::new();
    for (account, purse) in state.accounts() {
        if let Some(operator) = state.owner(account) {
            let held = sums.entry((operator, kind_of(account))).or_default();
            held.accounts += 1;
            held.balance += i128::from(purse.balance_minor);
        }
    }
    sums
}

/// What a movement of money was: the pair of accounts says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// An outlet prepaid.
    Deposit,
    /// An outlet got back what it had prepaid.
    Withdrawal,
    /// Something was sold.
    Sale,
    /// A sale was taken back.
    Refund,
    /// A void card was paid out.
    PayOut,
    /// Booked by hand: what it did to the operator's cash.
    Adjusted(i128),
}

/// What an entry's movement was, in which currency and at which outlet; `None`: of airtime.
pub fn flow(entry: &Entry, transfer: &Transfer) -> Option<(Flow, Currency, Option<OutletId>)> {
    use AccountId::{Cash, CashPosition, Float};
    let by_hand = matches!(&entry.body, Body::Office(office) if matches!(office.what, Asked::Motion(_)));
    let flow = match (transfer.debit, transfer.credit) {
        (CashPosition(..), Float(outlet, currency)) => (Flow::Deposit, currency, Some(outlet)),
        (Float(outlet, currency), CashPosition(..)) => (Flow::Withdrawal, currency, Some(outlet)),
        (Float(outlet, currency), Cash(..)) => (Flow::Sale, currency, Some(outlet)),
        (Cash(..), Float(outlet, currency)) => (Flow::Refund, currency, Some(outlet)),
        (Cash(_, currency), CashPosition(..)) => (Flow::PayOut, currency, None),
        (debit, _) => (Flow::Adjusted(0), debit.currency()?, None),
    };
    if by_hand || matches!(flow.0, Flow::Adjusted(_)) {
        let minor = i128::from(transfer.amount.minor());
        let came = if matches!(transfer.credit, Cash(..)) { minor } else { 0 };
        let went = if matches!(transfer.debit, Cash(..)) { minor } else { 0 };
        return Some((Flow::Adjusted(came - went), flow.1, flow.2));
    }
    Some(flow)
}
