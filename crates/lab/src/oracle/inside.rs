//! What the machine has in memory against what the journal adds up to.
//!
//! [`Oracle::state`] compares a state with the oracle's own books and with the fold of the whole journal; [`Oracle::recovered`]
//! compares what a start made of checkpoint and tail.

use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::receipt::Seq;
use domain::state::State;
use engine::answer::Directory;
use engine::ids::Ids;
use engine::replica::Replica;
use minicbor::Encode;

use super::Oracle;
use crate::invariant::{Held, NO_PURSE_BELOW_ZERO, RECOVERED_IS_THE_FOLD, STATE_IS_THE_BOOKS, VALUE_CONSERVED, hold};

impl Oracle {
    /// A state that is as durable as the journal: it is the fold of all entries, and the fold is what the oracle counted.
    pub(crate) fn state(&self, state: &State) -> Held {
        let differ = state.differences(&self.fold.state, 3);
        hold(differ.is_empty(), STATE_IS_THE_BOOKS, || {
            format!("the decider's state is not the fold: {}", told(&differ))
        })?;
        let head = self.head();
        hold(state.seq() == head.seq && state.at() == head.at, STATE_IS_THE_BOOKS, || {
            format!("the state is at {}, the journal at {}", state.seq(), head.seq)
        })?;
        let mut touched = 0;
        for (account, purse) in state.accounts() {
            let booked = self.books.balance(account);
            hold(purse.balance_minor == booked.minor && purse.latest == booked.latest, STATE_IS_THE_BOOKS, || {
                format!("{account:?} has {purse:?}, its transfers add up to {booked:?}")
            })?;
            hold(!super::books::purse(account) || purse.balance_minor >= 0, NO_PURSE_BELOW_ZERO, || {
                format!("{account:?} has {}", purse.balance_minor)
            })?;
            touched += usize::from(purse.latest != Seq::ZERO);
        }
        hold(touched == self.books.touched(), STATE_IS_THE_BOOKS, || format!("{touched} accounts were touched"))?;
        hold(self.books.sums().values().all(|sum| *sum == 0), VALUE_CONSERVED, || format!("{:?}", self.books.sums()))?;
        hold(self.limit_rows(state.limits()), STATE_IS_THE_BOOKS, || String::from("limits have other rows"))?;
        self.memories_end(state)
    }

    /// Every row of a state against what the oracle has counted for itself.
    pub(crate) fn rows(&self, state: &State) -> Held {
        let people = state.subscribers().map(|(_, row)| (row.facts, row.latest));
        hold(people.eq(self.registry.people().iter().copied()), STATE_IS_THE_BOOKS, || {
            String::from("subscribers are others than the journal tells")
        })?;
        hold(state.rows().1 == self.registry.cards().len(), STATE_IS_THE_BOOKS, || String::from("other cards"))?;
        for ((id, card), known) in state.cards().zip(self.registry.cards()) {
            hold(octets(&card.facts) == octets(known), STATE_IS_THE_BOOKS, || {
                format!("card {} is another than the journal tells", id.0)
            })?;
        }
        let holders = (0_u32..).map(SubscriberId).take(self.registry.people().len());
        for (holder, (_, row)) in holders.zip(state.subscribers()) {
            let bound = state.cards_of(row).map(|(id, _)| id);
            hold(bound.eq(self.registry.cards_of(holder).map(|(id, _)| id)), STATE_IS_THE_BOOKS, || {
                format!("subscriber {} has other cards, or in another order", holder.0)
            })?;
            hold(state.recents_of(row) == self.registry.recents(holder), STATE_IS_THE_BOOKS, || {
                format!("subscriber {} gave to others lately", holder.0)
            })?;
            let held = self.holds.iter().filter(|(_, one)| one.from == holder).map(|(seq, _)| *seq);
            hold(held.eq(state.holds_of(holder).iter().copied()), STATE_IS_THE_BOOKS, || {
                format!("subscriber {} has other gifts on hold", holder.0)
            })?;
        }
        Ok(())
    }

    /// What edges are told.
    pub(crate) fn directory(&self, directory: &Directory) -> Held {
        for number in self.registry.numbers() {
            let (told, known) = (directory.generation(number), self.registry.generation(number));
            hold(told == known, STATE_IS_THE_BOOKS, || {
                format!("{number:?} is told as generation {told}, it is {known}")
            })?;
        }
        for ((operator, known), told) in self.fold.state.operators().zip(&directory.operators) {
            hold(known.rules == *told, STATE_IS_THE_BOOKS, || {
                format!("rules of {} are told of another load", operator.0)
            })?;
        }
        let told = (0_u8..).map(OperatorId).zip(&directory.operators).count();
        hold(told == self.ordered.len(), STATE_IS_THE_BOOKS, || format!("{told} operators are told"))
    }

    /// The ids of a machine that was just loaded.
    pub(crate) fn ids(&self, ids: &Ids) -> Held {
        self.verdicts.remembered(ids, self.head().at)
    }

    /// Whether checkpoint plus tail gave what the whole journal gives.
    pub(crate) fn recovered(&self, loaded: &Replica<Ids>) -> Held {
        hold(loaded.head == self.fold.head, RECOVERED_IS_THE_FOLD, || {
            format!("it is at {}, the journal at {}", loaded.head.seq, self.fold.head.seq)
        })?;
        let differ = loaded.state.differences(&self.fold.state, 3);
        hold(differ.is_empty(), RECOVERED_IS_THE_FOLD, || format!("at {}: {}", self.fold.head.seq, told(&differ)))
    }

    /// Cards whose time is over and that may still expire.
    pub(crate) fn may_expire(&self, at_ms: i64) -> impl Iterator<Item = CardId> {
        use domain::card::CardState as C;
        let rows = (0_u32..).map(CardId).zip(self.registry.cards());
        rows.filter(move |(id, card)| {
            let ended = matches!(card.state, C::Closed { .. } | C::Expired { .. } | C::Void { .. });
            !ended && card.expires_at.ms() <= at_ms && !self.is_void(*id, card, at_ms)
        })
        .map(|(id, _)| id)
    }

    /// Records whose time is over and that are open all the same.
    pub(crate) fn overdue(&self, at_ms: i64) -> Vec<domain::office::RecordKey> {
        let records = self.fold.state.records();
        records.filter(|(key, _)| self.due_ms(*key).is_some_and(|due| due <= at_ms)).map(|(key, _)| key).collect()
    }

    /// When the time of an open record is over.
    pub(crate) fn record_due_ms(&self, key: domain::office::RecordKey) -> Option<i64> {
        self.due_ms(key)
    }

    /// When the last of the open records is over.
    pub(crate) fn last_due_ms(&self) -> Option<i64> {
        self.fold.state.records().filter_map(|(key, _)| self.due_ms(key)).max()
    }
}

fn told(differ: &[domain::same::Difference]) -> String {
    let differ: Vec<String> = differ.iter().map(ToString::to_string).collect();
    differ.join("; ")
}

fn octets<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}
