//! Balances worked out from transfers alone, and the chain of entries behind each account.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::currency::Currency;
use domain::effects::Effects;
use domain::ids::OperatorId;
use domain::receipt::Seq;

use super::Oracle;
use crate::invariant::{Held, NO_PURSE_BELOW_ZERO, VALUE_CONSERVED, hold};

/// A balance and the entry that touched it last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) minor: i64,
    pub(super) latest: Seq,
}

/// An operator's accounts of one unit: its airtime (`None`) or a currency.
type Ledger = (OperatorId, Option<Currency>);

/// Every account that was ever touched.
#[derive(Debug, Default)]
pub(super) struct Books {
    accounts: BTreeMap<AccountId, Balance>,
    /// Whose the purses are: nothing moves from one operator to another.
    owners: BTreeMap<AccountId, OperatorId>,
    /// What all accounts of a ledger add up to.
    sums: BTreeMap<Ledger, i128>,
}

/// Which ledger an account belongs to.
const fn currency(account: AccountId) -> Option<Currency> {
    match account {
        AccountId::Cash(_, currency) | AccountId::CashPosition(_, currency) | AccountId::Float(_, currency) => {
            Some(currency)
        }
        AccountId::Card(_)
        | AccountId::Airtime(_)
        | AccountId::FeeIncome(_)
        | AccountId::TaxPayable(_)
        | AccountId::CallIncome(_)
        | AccountId::Breakage(_)
        | AccountId::Position(_)
        | AccountId::Refunded(_)
        | AccountId::Held(_) => None,
    }
}

/// Whether an account is somebody's purse, so that nothing may be owed by it.
pub(super) const fn purse(account: AccountId) -> bool {
    matches!(account, AccountId::Card(_) | AccountId::Airtime(_) | AccountId::Held(_) | AccountId::Float(..))
}

impl Books {
    /// An account's balance; zero before it was touched.
    pub(super) fn balance(&self, account: AccountId) -> Balance {
        self.accounts.get(&account).copied().unwrap_or_default()
    }

    /// An account's minor units.
    pub(super) fn minor(&self, account: AccountId) -> i64 {
        self.balance(account).minor
    }

    /// How many accounts were touched.
    pub(super) fn touched(&self) -> usize {
        self.accounts.len()
    }

    /// What an operator's accounts add up to, by unit.
    pub(super) fn sums(&self) -> &BTreeMap<Ledger, i128> {
        &self.sums
    }

    /// Whose an account is.
    pub(super) fn owner(&self, account: AccountId) -> Option<OperatorId> {
        match account {
            AccountId::Card(_) | AccountId::Airtime(_) | AccountId::Float(..) => {
                let any_currency = match account {
                    AccountId::Float(outlet, _) => AccountId::Float(outlet, Currency::Usd),
                    other => other,
                };
                self.owners.get(&any_currency).copied()
            }
            AccountId::FeeIncome(operator)
            | AccountId::TaxPayable(operator)
            | AccountId::CallIncome(operator)
            | AccountId::Breakage(operator)
            | AccountId::Position(operator)
            | AccountId::Refunded(operator)
            | AccountId::Held(operator)
            | AccountId::Cash(operator, _)
            | AccountId::CashPosition(operator, _) => Some(operator),
        }
    }

    /// Says whose a new purse is; of a float any currency will do.
    pub(super) fn own(&mut self, account: AccountId, operator: OperatorId) {
        self.owners.insert(account, operator);
    }

    /// Books an entry's transfers and compares with the balances that it claims.
    pub(super) fn entry(&mut self, seq: Seq, effects: &Effects) -> Held {
        self.new_purses(effects);
        let mut after: BTreeMap<AccountId, i64> = BTreeMap::new();
        for transfer in &effects.transfers {
            let amount = transfer.amount.minor();
            for (account, minor) in [(transfer.debit, -amount), (transfer.credit, amount)] {
                *after.entry(account).or_insert_with(|| self.minor(account)) += minor;
            }
            let (from, to) = (self.owner(transfer.debit), self.owner(transfer.credit));
            let unit = currency(transfer.debit) == currency(transfer.credit);
            hold(from.is_some() && from == to && unit, VALUE_CONSERVED, || {
                format!(
                    "entry {seq} moves value from {:?} of {from:?} to {:?} of {to:?}",
                    transfer.debit, transfer.credit
                )
            })?;
        }
        hold(after.len() == effects.balances.len(), VALUE_CONSERVED, || {
            format!("entry {seq} moves {} accounts and claims balances of {}", after.len(), effects.balances.len())
        })?;
        for claimed in &effects.balances {
            let booked = after.get(&claimed.account).copied();
            hold(booked == Some(claimed.after_minor), VALUE_CONSERVED, || {
                format!(
                    "entry {seq}: {:?} has {booked:?} by its transfers, {} as claimed",
                    claimed.account, claimed.after_minor
                )
            })?;
            hold(!purse(claimed.account) || claimed.after_minor >= 0, NO_PURSE_BELOW_ZERO, || {
                format!("entry {seq}: {:?} has {}", claimed.account, claimed.after_minor)
            })?;
            let before = self.balance(claimed.account);
            Oracle::chained(seq, &claimed.account, claimed.prev, before.latest)?;
            if let Some(owner) = self.owner(claimed.account) {
                let sum = self.sums.entry((owner, currency(claimed.account))).or_default();
                *sum += i128::from(claimed.after_minor) - i128::from(before.minor);
            }
            self.accounts.insert(claimed.account, Balance { minor: claimed.after_minor, latest: seq });
        }
        for ((operator, unit), sum) in &self.sums {
            hold(*sum == 0, VALUE_CONSERVED, || {
                format!("entry {seq}: operator {} adds up to {sum} in {unit:?}", operator.0)
            })?;
        }
        Ok(())
    }

    fn new_purses(&mut self, effects: &Effects) {
        use domain::effects::Change;
        for change in &effects.changes {
            match change {
                Change::Subscriber { id, facts } => self.own(AccountId::Airtime(*id), facts.operator),
                Change::Card { id, facts } => self.own(AccountId::Card(*id), facts.operator),
                _ => {}
            }
        }
    }
}
