//! What the machine has in memory against what the journal adds up to.
//!
//! [`Oracle::state`] compares a state with the oracle's own books; [`same`] compares two loaded states with each other: what
//! checkpoint and tail give against what the whole journal gives.

use domain::ids::{OperatorId, SubscriberId};
use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;
use engine::answer::Directory;
use engine::ids::Ids;
use engine::replica::Replica;
use minicbor::Encode;

use super::Oracle;
use crate::invariant::{Held, NO_PURSE_BELOW_ZERO, RECOVERED_IS_THE_FOLD, STATE_IS_THE_BOOKS, VALUE_CONSERVED, hold};

impl Oracle {
    /// A state that is as durable as the journal.
    pub(crate) fn state(&self, state: &State) -> Held {
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
            hold(!account.is_purse() || purse.balance_minor >= 0, NO_PURSE_BELOW_ZERO, || {
                format!("{account:?} has {}", purse.balance_minor)
            })?;
            touched += usize::from(purse.latest != Seq::ZERO);
        }
        hold(touched == self.books.touched(), STATE_IS_THE_BOOKS, || format!("{touched} accounts were touched"))?;
        for (operator, _) in state.operators() {
            let sum = self.books.sum(operator);
            hold(sum == 0, VALUE_CONSERVED, || format!("operator {} adds up to {sum}", operator.0))?;
        }
        self.rows(state)
    }

    fn rows(&self, state: &State) -> Held {
        let people = state.subscribers().map(|(_, row)| (row.facts, row.latest));
        hold(people.eq(self.registry.people().iter().copied()), STATE_IS_THE_BOOKS, || {
            String::from("subscribers are others than the journal tells")
        })?;
        let cards = state.cards().map(|(_, card)| bytes(&card.facts));
        hold(cards.eq(self.registry.cards().iter().map(bytes)), STATE_IS_THE_BOOKS, || {
            String::from("cards are others than the journal tells")
        })?;
        let holders = (0_u32..).map(SubscriberId).take(self.registry.people().len());
        for (holder, (_, row)) in holders.zip(state.subscribers()) {
            let bound = state.cards_of(row).map(|(id, _)| id);
            hold(bound.eq(self.registry.cards_of(holder).map(|(id, _)| id)), STATE_IS_THE_BOOKS, || {
                format!("subscriber {} has other cards, or in another order", holder.0)
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
        for (operator, told) in (0_u8..).map(OperatorId).zip(&directory.operators) {
            // The last one: what was in force before is kept when other rules are approved.
            let name = |rules: &domain::rules::Rules| rules.periods.last().map(|period| period.name.clone());
            let known = self.registry.rules(operator).and_then(name);
            hold(name(told) == known, STATE_IS_THE_BOOKS, || {
                format!("rules of {} are told of another load", operator.0)
            })?;
        }
        Ok(())
    }

    /// The ids of a machine that was just loaded.
    pub(crate) fn ids(&self, ids: &Ids, at: Timestamp) -> Held {
        self.verdicts.remembered(ids, at)
    }

    /// Cards whose time may have run out: for the world's timer.
    pub(crate) fn due(&self, at: Timestamp) -> impl Iterator<Item = domain::ids::CardId> {
        self.registry.due(at)
    }
}

fn bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

/// Whether checkpoint plus tail gave what the whole journal gives.
pub(crate) fn same(recovered: &Replica, fold: &Replica) -> Held {
    hold(recovered.head == fold.head, RECOVERED_IS_THE_FOLD, || format!("heads differ at {}", fold.head.seq))?;
    let differ = recovered.state.differences(&fold.state, 3);
    hold(differ.is_empty(), RECOVERED_IS_THE_FOLD, || {
        let differ: Vec<String> = differ.iter().map(ToString::to_string).collect();
        format!("at {}: {}", fold.head.seq, differ.join("; "))
    })
}
