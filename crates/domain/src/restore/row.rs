//! A state as rows, in the order in which [`Restore`] takes them: for whoever keeps a whole state and no tables.
//!
//! Guarantees: what [`State::each_row`] gives and [`Restore::row`] takes is the same state again, with nothing left out.
//! Deliberately not here: files, signatures (the reports have them).

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::{CardRow, RepeatRow, Restore, RestoreError, SubscriberRow};
use crate::account::AccountId;
use crate::generations::Age;
use crate::ids::{LimitId, LinkId, OperatorId, SubscriberId};
use crate::memory::{Remembered, Turns};
use crate::money::Amount;
use crate::office::{Record, RecordKey};
use crate::receipt::Seq;
use crate::rules::Rules;
use crate::state::{Card, LimitRow, Lock, Purse, Repeat, RepeatKey, State, Usage, UsageKey, books_of};
use crate::time::{BusinessDate, Timestamp};

/// A row.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Row {
    /// How many limits were ever given a row.
    #[n(0)]
    LimitsMade(#[n(0)] u16),
    /// A limit that lives.
    #[n(1)]
    Limit(#[n(0)] LimitId, #[n(1)] LimitRow),
    /// The next operator.
    #[n(2)]
    Operator {
        /// Its row.
        #[n(0)]
        id: OperatorId,
        /// In force.
        #[cbor(n(1), with = "crate::cbor::shared")]
        rules: Arc<Rules>,
        /// Of the file they came from.
        #[cbor(n(2), with = "minicbor::bytes")]
        file_hash: [u8; 32],
        /// The latest business date.
        #[n(3)]
        date: BusinessDate,
        /// Its own accounts, in the order of [`books_of`].
        #[n(4)]
        books: Vec<Purse>,
    },
    /// Where what is remembered for a while begins.
    #[n(3)]
    Remembered(#[n(0)] Remembered),
    /// The next subscriber.
    #[n(4)]
    Subscriber(#[n(0)] SubscriberRow),
    /// The next card.
    #[n(5)]
    Card(#[n(0)] CardRow),
    /// What the office keeps.
    #[n(6)]
    Record(#[n(0)] RecordKey, #[n(1)] Record),
    /// An account of the ledger.
    #[n(7)]
    Account(#[n(0)] AccountId, #[n(1)] Purse),
    /// Usage of a limit.
    #[n(8)]
    Usage {
        /// Of which.
        #[n(0)]
        limit: LimitId,
        /// By whom.
        #[n(1)]
        subject: u64,
        /// How much.
        #[n(2)]
        usage: Usage,
        /// An entry of its generation.
        #[n(3)]
        seq: Seq,
    },
    /// Wrong passwords.
    #[n(9)]
    Lock {
        /// Whose.
        #[n(0)]
        subscriber: SubscriberId,
        /// Over which link.
        #[n(1)]
        link: LinkId,
        /// In a row since the last lock.
        #[n(2)]
        wrong: u8,
        /// Locks in a row.
        #[n(3)]
        level: u8,
        /// The latest lock's end.
        #[n(4)]
        until: Option<Timestamp>,
        /// When the entry that wrote it was decided.
        #[n(5)]
        at: Timestamp,
    },
    /// A gift or own top-up that is remembered against repetition.
    #[n(10)]
    Repeat {
        /// By whom.
        #[n(0)]
        sender: SubscriberId,
        /// To whom.
        #[n(1)]
        recipient: SubscriberId,
        /// How much.
        #[n(2)]
        amount: Amount,
        /// When.
        #[n(3)]
        at: Timestamp,
        /// Its entry.
        #[n(4)]
        seq: Seq,
    },
}

impl State {
    /// Gives every row to `take`, in the order in which [`Restore::row`] wants them.
    ///
    /// # Errors
    /// What `take` says: the rest is not given then.
    pub fn each_row<E>(&self, mut take: impl FnMut(Row) -> Result<(), E>) -> Result<(), E> {
        take(Row::LimitsMade(u16::try_from(self.limits_made()).unwrap_or(u16::MAX)))?;
        self.limits().try_for_each(|(id, limit)| take(Row::Limit(id, limit.clone())))?;
        for (id, operator) in self.operators() {
            let books = books_of(id).map(|book| self.purse(book).unwrap_or_default()).to_vec();
            let (rules, file_hash, date) = (Arc::clone(&operator.rules), operator.file_hash, operator.date);
            take(Row::Operator { id, rules, file_hash, date, books })?;
        }
        take(Row::Remembered(*self.remembered()))?;
        for (_, row) in self.subscribers() {
            take(Row::Subscriber(SubscriberRow {
                facts: row.facts,
                airtime: row.airtime,
                latest: row.latest,
                refused: (row.refused_date, row.refused_count),
                recents: self.recents_of(row).to_vec(),
            }))?;
        }
        for (_, card) in self.cards() {
            let Card { facts, purse, bound, bind_wrong, bought, next: _ } = *card;
            take(Row::Card(CardRow { facts, purse, bound, bind_wrong, bought }))?;
        }
        self.records().try_for_each(|(key, record)| take(Row::Record(key, record.clone())))?;
        self.ledger().try_for_each(|(account, purse)| take(Row::Account(account, purse)))?;
        self.each_usage(&mut take)?;
        for (subscriber, link, Lock { wrong, level, until, at }) in self.locks.iter() {
            take(Row::Lock { subscriber, link, wrong, level, until, at })?;
        }
        for (RepeatKey { sender, recipient, amount }, Repeat { at, seq }) in self.repeats() {
            take(Row::Repeat { sender, recipient, amount, at, seq })?;
        }
        Ok(())
    }

    fn each_usage<E>(&self, take: &mut impl FnMut(Row) -> Result<(), E>) -> Result<(), E> {
        for (limit, pages) in (0_u16..).map(LimitId).zip(&self.usage) {
            for (row, usage) in pages.iter() {
                take(Row::Usage { limit, subject: u64::from(row), usage, seq: Seq::ZERO })?;
            }
        }
        // Which entry of its generation left it so, nobody asks any more.
        let Turns { newest_from, before_from, .. } = self.remembered.pairs;
        let lives = |key: &UsageKey| self.limit(key.limit).is_some();
        for (UsageKey { limit, subject }, usage, age) in self.pair_usage.aged().filter(|(key, ..)| lives(key)) {
            let seq = match age {
                Age::Newest => newest_from,
                Age::Before => before_from,
            };
            take(Row::Usage { limit: *limit, subject: *subject, usage: *usage, seq })?;
        }
        Ok(())
    }
}

impl Restore {
    /// The next row of a whole state.
    ///
    /// # Errors
    /// When it does not fit the rows before it.
    pub fn row(&mut self, row: Row) -> Result<(), RestoreError> {
        match row {
            Row::LimitsMade(made) => self.limits_made(made),
            Row::Limit(id, limit) => self.limit(id, limit)?,
            Row::Operator { id, rules, file_hash, date, books } => {
                let books = books.try_into().map_err(|_| RestoreError("an operator has other accounts"))?;
                self.operator(id, &rules, file_hash, date, books)?;
            }
            Row::Remembered(remembered) => self.remembered(remembered),
            Row::Subscriber(row) => self.subscriber(row)?,
            Row::Card(row) => self.card(&row)?,
            Row::Record(key, record) => self.record(key, record)?,
            Row::Account(account, purse) => self.account(account, purse)?,
            Row::Usage { limit, subject, usage, seq } => self.usage(UsageKey { limit, subject }, usage, seq)?,
            Row::Lock { subscriber, link, wrong, level, until, at } => {
                self.lock(subscriber, link, Lock { wrong, level, until, at });
            }
            Row::Repeat { sender, recipient, amount, at, seq } => {
                let key = RepeatKey { sender, recipient, amount };
                self.repeat(&RepeatRow { key, at, seq, undone: false });
            }
        }
        Ok(())
    }
}
