//! What the checkpoint follower keeps: after-values of rows that entries touched, coalesced, written in one transaction.
//!
//! Guarantees: only durable entries are seen; the decider never waits for it; what is written together with `head` equals
//! the fold of the journal up to `head`. A bounded lag bounds a restart.
//!
//! Deliberately not here: tables (the `store` crate has them).

use std::sync::Arc;

use domain::account::AccountId;
use domain::card::CardState;
use domain::effects::{Change, Effects, Named};
use domain::ids::{CardId, LimitId, LinkId, OperatorId, SubscriberId};
use domain::memory::{Memory, Remembered};
use domain::office::till::Bought;
use domain::office::{Record, RecordKey};
use domain::pages::Pages;
use domain::receipt::Seq;
use domain::restore::RepeatRow;
use domain::rules::Rules;
use domain::state::{
    BOOKS, CardFacts, LimitRow, Lock, Purse, RECENTS, Recents, RepeatKey, SubscriberFacts, Usage, UsageKey, books_of,
};
use domain::time::{BusinessDate, Timestamp};
use hashbrown::HashMap;

use crate::ids::{IdRow, IdRows, IdsConfig, IdsKept, Known};
use crate::journal::{Batch, Head};
use crate::replica::Replica;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What changed of a subscriber; `None`: as it was.
#[derive(Clone, Debug, Default)]
pub struct SubscriberDelta {
    /// All facts.
    pub facts: Option<SubscriberFacts>,
    /// Airtime.
    pub airtime: Option<Purse>,
    /// The latest entry that names them.
    pub latest: Option<Seq>,
    /// Refusals after a right password, and on which day.
    pub refused: Option<(BusinessDate, u16)>,
    /// Recipients since the last checkpoint, newest first: to be put before those of the row, each number once, at most
    /// [`RECENTS`].
    pub gave_to: Recents,
}

/// What changed of a card; `None`: as it was.
#[derive(Clone, Debug, Default)]
pub struct CardDelta {
    /// All facts of a new card.
    pub facts: Option<CardFacts>,
    /// Its state.
    pub state: Option<CardState>,
    /// What is on it.
    pub purse: Option<Purse>,
    /// An entry that gave it a holder's state. A row that already has one (not 0) keeps it: the first one bound it.
    pub bound: Option<Seq>,
    /// Wrong passwords at binding.
    pub bind_wrong: Option<u8>,
    /// What it was bought for.
    pub bought: Option<Bought>,
}

/// What changed of an operator; `None`: as it was.
#[derive(Clone, Debug, Default)]
pub struct OperatorDelta {
    /// Rules, with the hash of their file.
    pub rules: Option<(Arc<Rules>, [u8; 32])>,
    /// The latest business date.
    pub date: Option<BusinessDate>,
    /// Its own accounts, in the order of [`books_of`].
    pub books: [Option<Purse>; BOOKS],
}

/// Everything that changed since the last checkpoint. Lists are in the order of rows.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The journal's head that this leads to.
    pub head: Head,
    /// Operators.
    pub operators: Vec<(OperatorId, OperatorDelta)>,
    /// Limits by row; `None`: forgotten, with all usage of it. They are loaded before operators.
    pub limits: Vec<(LimitId, Option<LimitRow>)>,
    /// How many limits were given a row so far; 0: as many as before.
    pub limits_made: u16,
    /// Subscribers.
    pub subscribers: Vec<(SubscriberId, SubscriberDelta)>,
    /// Cards.
    pub cards: Vec<(CardId, CardDelta)>,
    /// What the office keeps; `None`: not any more.
    pub records: Vec<(RecordKey, Option<Record>)>,
    /// Accounts that are neither a subscriber's nor a card's nor one of [`books_of`].
    pub ledger: Vec<(AccountId, Purse)>,
    /// Usage of limits with the entry that left it so, in the order of keys.
    pub usage: Vec<(UsageKey, Usage, Seq)>,
    /// Wrong passwords; an all-zero lock is removed.
    pub locks: Vec<((SubscriberId, LinkId), Lock)>,
    /// New ids, each [`IdRow::LEN`] octets.
    pub ids: IdRows,
    /// Which ids the engine remembers: the floor is kept, and blocks of older ones are dropped.
    pub ids_kept: IdsKept,
    /// Gifts given and taken back in the order of entries, remembered against repetition.
    pub repeats: Vec<RepeatRow>,
    /// Generations that began, in the order of entries: what is older than the last two of a memory is dropped.
    pub turns: Vec<(Memory, Seq, Timestamp)>,
    /// The longest window of a limit on pairs in rules that were loaded, in days.
    pub pair_window_days: i32,
}

impl Delta {
    /// What is remembered after this delta, when it was `before` so.
    pub fn remembered(&self, before: Remembered) -> Remembered {
        let mut after = before;
        self.turns.iter().for_each(|(memory, seq, at)| after.turn(*memory, *seq, *at));
        after.pair_window_days = after.pair_window_days.max(self.pair_window_days);
        after
    }
}

/// The checkpoint can't be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// The disk is full: nothing was written; a later try may succeed.
    #[error("no room for the checkpoint; gifts go on, restarts grow slower until there is room")]
    NoRoom,
    /// Rows that don't fit each other.
    #[error(
        "the checkpoint is damaged ({0}); remove checkpoint.sqlite and start again: it is rebuilt from the journal"
    )]
    Damaged(String),
    /// The file can't be read or written.
    #[error("the checkpoint can't be used: {0}")]
    Io(String),
}

/// The tables behind the checkpoint.
pub trait Checkpoint: Send {
    /// The head that the tables belong to; all zero when they are empty.
    fn head(&self) -> Head;

    /// Writes a delta and its head in one transaction.
    ///
    /// # Errors
    /// Then nothing of it was written.
    fn write(&mut self, delta: &Delta) -> Result<(), CheckpointFault>;

    /// Builds the state and the ids again from the tables.
    ///
    /// # Errors
    /// When they can't be read or are damaged.
    fn load(&mut self, ids: IdsConfig) -> Result<Replica, CheckpointFault>;
}

/// Folds batches into the next [`Delta`].
///
/// What every gift touches is kept by row, in pages: no hash, one wait for memory, and sorted when it is taken. What
/// changes seldom is kept in maps.
#[derive(Debug)]
pub struct Collector {
    head: Head,
    operators: Map<OperatorId, OperatorDelta>,
    limits: Map<LimitId, Option<LimitRow>>,
    limits_made: u16,
    touched: Pages<Touched>,
    subscribers: Map<SubscriberId, SubscriberDelta>,
    /// Sender and recipient of each gift, in the order of giving.
    gave: Vec<(SubscriberId, SubscriberId)>,
    purses: Pages<Purse>,
    cards: Map<CardId, CardDelta>,
    /// Usage of limits on one subscriber or card, by limit.
    usage: Vec<Pages<Used>>,
    pair_usage: Map<UsageKey, Used>,
    records: Map<RecordKey, Option<Record>>,
    ledger: Map<AccountId, Purse>,
    locks: Map<(SubscriberId, LinkId), Lock>,
    ids: IdRows,
    repeats: Vec<RepeatRow>,
    turns: Vec<(Memory, Seq, Timestamp)>,
    pair_window_days: i32,
    entries: u64,
}

/// Usage, and the entry that left it so.
type Used = (Usage, Seq);

/// What a gift changes of a subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Touched {
    /// As it is after the entry that it names; that one is 0 while airtime is as it was.
    airtime: Purse,
    latest: Seq,
}

impl Collector {
    /// Begins after `head`.
    pub fn new(head: Head) -> Self {
        Self {
            head,
            operators: Map::default(),
            limits: Map::default(),
            limits_made: 0,
            touched: Pages::default(),
            subscribers: Map::default(),
            gave: Vec::new(),
            purses: Pages::default(),
            cards: Map::default(),
            usage: Vec::new(),
            pair_usage: Map::default(),
            records: Map::default(),
            ledger: Map::default(),
            locks: Map::default(),
            ids: IdRows::default(),
            repeats: Vec::new(),
            turns: Vec::new(),
            pair_window_days: 0,
            entries: 0,
        }
    }

    /// Where the next delta leads to.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Entries since the last delta.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds a durable batch.
    pub fn add(&mut self, batch: &Batch) {
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            let known = Known { seq, fingerprint: *fingerprint, at: batch.at };
            self.ids.push(&IdRow { id: entry.id, known });
            self.effects(seq, batch.at, &entry.verdict.effects);
        }
        self.entries += batch.entries.len() as u64;
        self.head = batch.head();
    }

    fn effects(&mut self, seq: Seq, at: Timestamp, effects: &Effects) {
        for change in &effects.changes {
            self.change(seq, at, effects, change);
        }
        if let Some(operator) = effects.operator {
            let date = &mut self.operators.entry(operator).or_default().date;
            *date = (*date).max(Some(effects.date));
        }
        for balance in &effects.balances {
            let purse = Purse { balance_minor: balance.after_minor, latest: seq };
            self.balance(balance.account, purse);
        }
        for named in effects.named() {
            self.touch(named.subscriber, |touched| touched.latest = seq);
        }
        for used in &effects.usage {
            let key = UsageKey { limit: used.limit, subject: used.subject };
            let usage = Usage { start: used.start, count: used.count, total_minor: used.total_minor };
            self.use_limit(key, (usage, seq));
        }
    }

    fn touch(&mut self, subscriber: SubscriberId, how: impl FnOnce(&mut Touched)) {
        let mut touched = self.touched.get(subscriber.0).unwrap_or_default();
        how(&mut touched);
        self.touched.set(subscriber.0, touched);
    }

    fn use_limit(&mut self, key: UsageKey, usage: Used) {
        // A pair's subject is a row above 32 bits of another; anything that fits 32 bits may be kept by row.
        let Ok(row) = u32::try_from(key.subject) else {
            self.pair_usage.insert(key, usage);
            return;
        };
        let limit = usize::from(key.limit.0);
        if self.usage.len() <= limit {
            self.usage.resize_with(limit + 1, Pages::default);
        }
        if let Some(pages) = self.usage.get_mut(limit) {
            pages.set(row, usage);
        }
    }

    fn balance(&mut self, account: AccountId, purse: Purse) {
        match account {
            AccountId::Card(id) => self.purses.set(id.0, purse),
            AccountId::Airtime(id) => self.touch(id, |touched| touched.airtime = purse),
            AccountId::FeeIncome(operator)
            | AccountId::TaxPayable(operator)
            | AccountId::CallIncome(operator)
            | AccountId::Breakage(operator)
            | AccountId::Position(operator) => {
                let books = &mut self.operators.entry(operator).or_default().books;
                for (book, known) in books.iter_mut().zip(books_of(operator)) {
                    if known == account {
                        *book = Some(purse);
                    }
                }
            }
            AccountId::Refunded(_)
            | AccountId::Held(_)
            | AccountId::Cash(..)
            | AccountId::CashPosition(..)
            | AccountId::Float(..) => drop(self.ledger.insert(account, purse)),
        }
    }

    fn change(&mut self, seq: Seq, at: Timestamp, effects: &Effects, change: &Change) {
        match change {
            Change::Lock { subscriber, link, wrong, level, until } => {
                self.locks.insert((*subscriber, *link), Lock { wrong: *wrong, level: *level, until: *until, at });
            }
            Change::Gave { sender, recipient, amount } => {
                let (sender, recipient) = (sender.subscriber, recipient.subscriber);
                self.gave.push((sender, recipient));
                let key = RepeatKey { sender, recipient, amount: *amount };
                self.repeats.push(RepeatRow { key, at, seq, undone: false });
            }
            Change::Held { sender, recipient, amount } => {
                let (sender, recipient) = (sender.subscriber, recipient.subscriber);
                let key = RepeatKey { sender, recipient, amount: *amount };
                self.repeats.push(RepeatRow { key, at, seq, undone: false });
            }
            // One's own top-up is remembered, but nobody is one of their own recipients.
            Change::ToppedUp { holder: Named { subscriber, .. }, amount } => {
                let key = RepeatKey { sender: *subscriber, recipient: *subscriber, amount: *amount };
                self.repeats.push(RepeatRow { key, at, seq, undone: false });
            }
            Change::Refused { subscriber, count } => {
                self.subscribers.entry(*subscriber).or_default().refused = Some((effects.date, *count));
            }
            Change::Subscriber { id, facts } => {
                self.subscribers.entry(*id).or_default().facts = Some(*facts);
            }
            Change::Card { id, facts } => {
                let delta = self.cards.entry(*id).or_default();
                delta.facts = Some(*facts);
                delta.state = Some(facts.state);
                delta.bound = facts.state.holder().map(|_| seq);
            }
            Change::CardState { id, state } => {
                // The entry that gives a card a holder is the one that binds it; `Checkpoint` keeps the first.
                let delta = self.cards.entry(*id).or_default();
                delta.state = Some(*state);
                delta.bound = delta.bound.or_else(|| state.holder().map(|_| seq));
            }
            Change::BindWrong { id, wrong } => self.cards.entry(*id).or_default().bind_wrong = Some(*wrong),
            Change::Operator { id, rules, file_hash } => {
                self.pair_window_days = self.pair_window_days.max(rules.pair_window_days());
                self.operators.entry(*id).or_default().rules = Some((Arc::clone(rules), *file_hash));
            }
            Change::Bought { id, bought } => self.cards.entry(*id).or_default().bought = Some(*bought),
            Change::Record { key, record } => drop(self.records.insert(*key, record.clone())),
            Change::Forgotten { sender, recipient, amount } => {
                let key = RepeatKey { sender: *sender, recipient: *recipient, amount: *amount };
                self.repeats.push(RepeatRow { key, at, seq, undone: true });
            }
            Change::Recent { sender, recipient } => self.gave.push((*sender, *recipient)),
            Change::Limit { id, limit } => {
                // A forgotten limit was made before.
                self.limits_made = self.limits_made.max(id.0.saturating_add(1));
                self.limits.insert(*id, limit.clone());
            }
            Change::Turn { memory } => self.turns.push((*memory, seq, at)),
        }
    }

    /// The delta up to here; the next one begins empty. `ids_kept` is what the engine remembers as of an entry that is
    /// durable.
    pub fn take(&mut self, ids_kept: IdsKept) -> Delta {
        self.entries = 0;
        Delta {
            head: self.head,
            operators: sorted(&mut self.operators),
            limits: sorted(&mut self.limits),
            limits_made: core::mem::take(&mut self.limits_made),
            subscribers: self.take_subscribers(),
            cards: self.take_cards(),
            records: sorted(&mut self.records),
            ledger: sorted(&mut self.ledger),
            usage: self.take_usage(),
            locks: sorted(&mut self.locks),
            ids: core::mem::take(&mut self.ids),
            ids_kept,
            repeats: core::mem::take(&mut self.repeats),
            turns: core::mem::take(&mut self.turns),
            pair_window_days: core::mem::take(&mut self.pair_window_days),
        }
    }

    /// Rows that were touched, joined with what changed of them seldom and with their gifts. A giver is always touched.
    fn take_subscribers(&mut self) -> Vec<(SubscriberId, SubscriberDelta)> {
        let touched = core::mem::take(&mut self.touched);
        let mut gave = core::mem::take(&mut self.gave);
        gave.sort_by_key(|(sender, _)| *sender);
        let mut gave = gave.into_iter().peekable();
        let mut seldom = core::mem::take(&mut self.subscribers);
        let mut rows = Vec::with_capacity(touched.len() + seldom.len());
        for (row, touched) in touched.iter() {
            let id = SubscriberId(row);
            let mut delta = seldom.remove(&id).unwrap_or_default();
            delta.latest = (touched.latest != Seq::ZERO).then_some(touched.latest);
            delta.airtime = (touched.airtime.latest != Seq::ZERO).then_some(touched.airtime);
            while let Some((_, recipient)) = gave.next_if(|(sender, _)| *sender == id) {
                promote(&mut delta.gave_to, recipient);
            }
            rows.push((id, delta));
        }
        if !seldom.is_empty() {
            rows.extend(seldom);
            rows.sort_unstable_by_key(|(id, _)| *id);
        }
        rows
    }

    fn take_cards(&mut self) -> Vec<(CardId, CardDelta)> {
        let purses = core::mem::take(&mut self.purses);
        let mut seldom = core::mem::take(&mut self.cards);
        let mut rows = Vec::with_capacity(purses.len() + seldom.len());
        for (row, purse) in purses.iter() {
            let id = CardId(row);
            rows.push((id, CardDelta { purse: Some(purse), ..seldom.remove(&id).unwrap_or_default() }));
        }
        if !seldom.is_empty() {
            rows.extend(seldom);
            rows.sort_unstable_by_key(|(id, _)| *id);
        }
        rows
    }

    fn take_usage(&mut self) -> Vec<(UsageKey, Usage, Seq)> {
        let pages = core::mem::take(&mut self.usage);
        let mut rows: Vec<_> = self.pair_usage.drain().map(|(key, (usage, seq))| (key, usage, seq)).collect();
        for (limit, pages) in (0_u16..).map(LimitId).zip(&pages) {
            let key = |row| UsageKey { limit, subject: u64::from(row) };
            rows.extend(pages.iter().map(|(row, (usage, seq))| (key(row), usage, seq)));
        }
        rows.sort_unstable_by_key(|(key, ..)| *key);
        rows
    }
}

/// Puts a recipient first; each stands once.
pub fn promote(recents: &mut Recents, recipient: SubscriberId) {
    if recents.first() == Some(&recipient) {
        return;
    }
    recents.retain(|known| *known != recipient);
    recents.truncate(RECENTS - 1);
    recents.insert(0, recipient);
}

fn sorted<K: Ord + Copy + core::hash::Hash, V>(map: &mut Map<K, V>) -> Vec<(K, V)> {
    let mut rows: Vec<_> = map.drain().collect();
    rows.sort_unstable_by_key(|(key, _)| *key);
    rows
}
