//! Balances worked out from transfers alone, and the chain of entries behind each account.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::command::Body;
use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::receipt::Seq;
use domain::verdict::Effects;

use super::Oracle;
use crate::invariant::{Held, NO_PURSE_BELOW_ZERO, VALUE_CONSERVED, hold};

/// A balance and the entry that touched it last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) minor: i64,
    pub(super) latest: Seq,
}

/// Every account that was ever touched.
#[derive(Debug, Default)]
pub(super) struct Books {
    accounts: BTreeMap<AccountId, Balance>,
    /// Whose the purses are: nothing moves from one operator to another.
    owners: BTreeMap<AccountId, OperatorId>,
}

impl Books {
    /// An account's balance; zero before it was touched.
    pub(super) fn balance(&self, account: AccountId) -> Balance {
        self.accounts.get(&account).copied().unwrap_or_default()
    }

    /// How many accounts were touched.
    pub(super) fn touched(&self) -> usize {
        self.accounts.len()
    }

    /// What was on the card that an entry takes from, before it.
    pub(super) fn paid_from(&self, effects: &Effects) -> Option<(CardId, i64)> {
        match effects.transfers.first()?.debit {
            account @ AccountId::Card(card) => Some((card, self.balance(account).minor)),
            _ => None,
        }
    }

    /// Everything an operator's accounts add up to.
    pub(super) fn sum(&self, operator: OperatorId) -> i128 {
        let of = |account: &AccountId| self.owner(*account) == Some(operator);
        self.accounts.iter().filter(|(account, _)| of(account)).map(|(_, balance)| i128::from(balance.minor)).sum()
    }

    fn owner(&self, account: AccountId) -> Option<OperatorId> {
        account.operator().or_else(|| self.owners.get(&account).copied())
    }

    /// Says whose a new purse is.
    pub(super) fn own(&mut self, account: AccountId, operator: OperatorId) {
        self.owners.insert(account, operator);
    }

    /// Books an entry's transfers and compares with the balances that it claims.
    pub(super) fn entry(&mut self, seq: Seq, body: &Body, effects: &Effects) -> Held {
        self.new_purses(effects);
        let mut after: BTreeMap<AccountId, i64> = BTreeMap::new();
        for transfer in &effects.transfers {
            let amount = transfer.amount.minor();
            for (account, minor) in [(transfer.debit, -amount), (transfer.credit, amount)] {
                *after.entry(account).or_insert_with(|| self.balance(account).minor) += minor;
            }
            let (from, to) = (self.owner(transfer.debit), self.owner(transfer.credit));
            hold(from.is_some() && from == to, VALUE_CONSERVED, || {
                format!("entry {seq} moves value from operator {from:?} to {to:?}")
            })?;
        }
        let moves = matches!(
            body,
            Body::Gift(_)
                | Body::TopUp(_)
                | Body::ImportSubscribers(_)
                | Body::IssueCards(_)
                | Body::ExpireCard(_)
                | Body::Office(_)
                | Body::Due(_)
                | Body::Undo(_)
        );
        hold(moves || effects.transfers.is_empty(), VALUE_CONSERVED, || {
            format!("entry {seq}: {} moves money", body.name())
        })?;
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
            let purse = claimed.account.is_purse();
            hold(!purse || claimed.after_minor >= 0, NO_PURSE_BELOW_ZERO, || {
                format!("entry {seq}: {:?} has {}", claimed.account, claimed.after_minor)
            })?;
            Oracle::chained(seq, &claimed.account, claimed.prev, self.balance(claimed.account).latest)?;
            self.accounts.insert(claimed.account, Balance { minor: claimed.after_minor, latest: seq });
        }
        Ok(())
    }

    fn new_purses(&mut self, effects: &Effects) {
        use domain::verdict::Change;
        for change in &effects.changes {
            match change {
                Change::Subscriber { id: SubscriberId(row), facts } => {
                    self.own(AccountId::Airtime(SubscriberId(*row)), facts.operator);
                }
                Change::Card { id, facts } => self.own(AccountId::Card(*id), facts.operator),
                _ => {}
            }
        }
    }
}
