//! Building a state again from rows that a checkpoint kept.
//!
//! Rows come in the order operators, subscribers, cards, then the rest. Guarantees: a row that does not fit is
//! [`RestoreError`], so that a damaged checkpoint is noticed; the result equals the fold of the journal up to its seq.

mod row;

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::account::AccountId;
use crate::generations::Age;
use crate::ids::{CardId, LimitId, LinkId, OperatorId, SubscriberId};
use crate::memory::Remembered;
use crate::office::till::Bought;
use crate::office::{Record, RecordKey};
use crate::receipt::Seq;
use crate::rules::Rules;
use crate::rules::limit::Subject;
use crate::state::{
    BOOKS, Card, CardFacts, LimitRow, Lock, Purse, Repeat, RepeatKey, State, Subscriber, SubscriberFacts, Usage,
    UsageKey,
};
use crate::time::{BusinessDate, Timestamp};

pub use row::Row;

/// A row that does not fit the rows before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the checkpoint is damaged: {0}")]
pub struct RestoreError(pub &'static str);

/// A subscriber's row.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SubscriberRow {
    /// What changes seldom.
    #[n(0)]
    pub facts: SubscriberFacts,
    /// What they call with.
    #[n(1)]
    pub airtime: Purse,
    /// The latest entry that names them.
    #[n(2)]
    pub latest: Seq,
    /// Refusals after a right password, and on which day.
    #[n(3)]
    pub refused: (BusinessDate, u16),
    /// Latest recipients, newest first.
    #[n(4)]
    pub recents: Vec<SubscriberId>,
}

/// A card's row.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct CardRow {
    /// What changes seldom.
    #[n(0)]
    pub facts: CardFacts,
    /// What is on it.
    #[n(1)]
    pub purse: Purse,
    /// The entry that bound it.
    #[n(2)]
    pub bound: Seq,
    /// Wrong passwords at binding.
    #[n(3)]
    pub bind_wrong: u8,
    /// What it was bought for.
    #[n(4)]
    pub bought: Option<Bought>,
}

/// What an entry did to a gift or own top-up that is remembered against repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatRow {
    /// Which.
    pub key: RepeatKey,
    /// When.
    pub at: Timestamp,
    /// The entry.
    pub seq: Seq,
    /// It took the gift back: it is remembered no more.
    pub undone: bool,
}

/// A state being built.
#[derive(Debug, Default)]
pub struct Restore {
    state: State,
    bound: Vec<(SubscriberId, Seq, CardId)>,
}

impl Restore {
    /// An empty state, with room for so many rows.
    pub fn new(subscribers: usize, cards: usize) -> Self {
        let mut restore = Self::default();
        restore.state.reserve(subscribers, cards);
        restore
    }

    /// The next operator.
    ///
    /// # Errors
    /// When its limits' rows clash with those before.
    pub fn operator(
        &mut self,
        id: OperatorId,
        rules: &Arc<Rules>,
        file_hash: [u8; 32],
        date: BusinessDate,
        books: [Purse; BOOKS],
    ) -> Result<(), RestoreError> {
        self.state.put_operator(id, rules, file_hash).map_err(RestoreError)?;
        let row = self.state.operators.get_mut(usize::from(id.0)).ok_or(RestoreError("no such operator"))?;
        row.date = date;
        row.books = books;
        Ok(())
    }

    /// Makes room for so many records of usage by pairs.
    pub fn reserve_pairs(&mut self, pairs: usize) {
        self.state.pair_usage.reserve(pairs);
    }

    /// So many limits were ever given a row: before those that live.
    pub fn limits_made(&mut self, made: u16) {
        self.state.limits.resize(usize::from(made), None);
    }

    /// A limit that lives: before any operator.
    ///
    /// # Errors
    /// When fewer were made, or it stands there twice.
    pub fn limit(&mut self, id: LimitId, limit: LimitRow) -> Result<(), RestoreError> {
        let row = self.state.limits.get_mut(usize::from(id.0)).ok_or(RestoreError("no such limit"))?;
        if row.replace(limit).is_some() {
            return Err(RestoreError("a limit twice"));
        }
        Ok(())
    }

    /// The next subscriber.
    ///
    /// # Errors
    /// When its airtime is below zero.
    pub fn subscriber(&mut self, row: SubscriberRow) -> Result<(), RestoreError> {
        if row.airtime.balance_minor < 0 {
            return Err(RestoreError("airtime below zero"));
        }
        let recents = (!row.recents.is_empty()).then(|| Box::new(row.recents.into_iter().collect()));
        self.state.push_subscriber(Subscriber {
            facts: row.facts,
            airtime: row.airtime,
            latest: row.latest,
            refused_date: row.refused.0,
            refused_count: row.refused.1,
            first_card: None,
            recents,
        });
        Ok(())
    }

    /// The next card.
    ///
    /// # Errors
    /// When its balance is below zero.
    pub fn card(&mut self, row: &CardRow) -> Result<(), RestoreError> {
        if row.purse.balance_minor < 0 {
            return Err(RestoreError("a card below zero"));
        }
        let id = u32::try_from(self.state.cards.len()).map(CardId).map_err(|_| RestoreError("too many cards"))?;
        if let Some(holder) = row.facts.state.holder().filter(|_| !row.facts.state.is_closed()) {
            self.bound.push((holder, row.bound, id));
        }
        let CardRow { facts, purse, bound, bind_wrong, bought } = *row;
        self.state.push_card(Card { facts, purse, bound, bind_wrong, bought, next: None });
        Ok(())
    }

    /// A record of the office, in the order of keys.
    ///
    /// # Errors
    /// When it is of another kind than its name.
    pub fn record(&mut self, key: RecordKey, record: Record) -> Result<(), RestoreError> {
        self.state.put_record(key, Some(record)).map_err(RestoreError)
    }

    /// An account of the ledger: after operators and records.
    ///
    /// # Errors
    /// When it is nobody's, belongs elsewhere, or is a purse below zero.
    pub fn account(&mut self, account: AccountId, purse: Purse) -> Result<(), RestoreError> {
        if purse.balance_minor < 0 && account.is_purse() {
            return Err(RestoreError("a purse below zero"));
        }
        *self.state.purse_mut(account).ok_or(RestoreError("an account is nobody's"))? = purse;
        Ok(())
    }

    /// Where the generations of what is remembered for a while begin: before usage and repeats, after operators.
    pub const fn remembered(&mut self, remembered: Remembered) {
        self.state.remembered = remembered;
    }

    /// Usage of a limit as the entry `seq` left it. Usage of a pair, or of a limit, that is forgotten is left out.
    ///
    /// # Errors
    /// When there never was such a limit.
    pub fn usage(&mut self, key: UsageKey, usage: Usage, seq: Seq) -> Result<(), RestoreError> {
        let limit = self.state.limits.get(usize::from(key.limit.0)).ok_or(RestoreError("no such limit"))?;
        let age = match limit.as_ref().map(|limit| limit.identity.subject) {
            None => None,
            Some(Subject::Pair) => self.state.remembered.pairs.age(seq),
            Some(Subject::Sender | Subject::Recipient | Subject::Card) => Some(Age::Newest),
        };
        age.map_or(Ok(()), |age| self.state.put_usage(key, usage, age)).map_err(RestoreError)
    }

    /// Wrong passwords.
    pub fn lock(&mut self, subscriber: SubscriberId, link: LinkId, lock: Lock) {
        self.state.locks.put(subscriber, link, lock);
    }

    /// What an entry did to a gift or own top-up that is remembered against repetition; in the order of entries.
    pub fn repeat(&mut self, row: &RepeatRow) {
        let RepeatRow { key, at, seq, undone } = *row;
        match self.state.remembered.repeats.age(seq) {
            Some(_) if undone => self.state.repeats.remove(&key),
            Some(age) => self.state.repeats.put(age, key, Repeat { at, seq }),
            None => {}
        }
    }

    /// The state as of the entry `seq`, which has the instant `at`.
    ///
    /// # Errors
    /// When a card's holder does not exist, or a limit is missing that an operator's rules have.
    pub fn finish(mut self, seq: Seq, at: Timestamp) -> Result<State, RestoreError> {
        self.bound.sort_unstable();
        for (holder, bound, id) in self.bound {
            self.state.link_card(id, holder, bound).map_err(RestoreError)?;
        }
        self.state.limits_over_at = self.state.next_limit_over();
        for (id, operator) in self.state.operators() {
            self.state.limits_fit(id, &operator.rules, at).map_err(RestoreError)?;
        }
        self.state.seq = seq;
        self.state.at = at;
        Ok(self.state)
    }
}
