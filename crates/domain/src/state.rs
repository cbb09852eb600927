//! Everything the decider knows, in memory: operators, subscribers, cards, usage, locks, recent gifts.
//!
//! Guarantees: rows are dense and never move (a row number is a name for ever); nothing depends on the order in which a
//! hash map is walked. Changed by [`State::apply`](crate::apply) alone.
//!
//! Bounded by: [`RECENTS`] recipients a sender, [`CARDS_MAX`] cards a phone, `u32` rows.
//! Deliberately not here: command ids (the engine remembers those).

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashTable};

use crate::account::AccountId;
use crate::command::{Body, Gift};
use crate::currency::Currency;
use crate::generations::Generations;
use crate::ids::{BatchId, CardId, LimitId, LinkId, OperatorId, OutletId, Serial, SubscriberId};
use crate::memory::Remembered;
use crate::number::{CardNumber, Msisdn};
use crate::office::batch::Batch;
use crate::office::hold::{HeldUsage, Hold};
use crate::office::till::{Outlet, Takings};
use crate::office::{Record, RecordKey, RecordKind, VoidCards};
use crate::pages::Pages;
use crate::receipt::Seq;
use crate::rules::limit::Subject;
use crate::time::Timestamp;

mod locks;
mod rows;

pub(crate) use locks::Locks;
#[cfg(any(test, feature = "testing"))]
pub use locks::locks_looked_at;

pub(crate) use rows::CardLink;
pub use rows::{
    BOOKS, Card, CardFacts, Kept, LimitIdentity, LimitRow, Lock, Operator, Purse, RECENTS, Recents, Repeat, RepeatKey,
    Standing, Subscriber, SubscriberFacts, Usage, UsageKey,
};

type Hasher = foldhash::fast::RandomState;

/// Cards in use that one phone may have; expired and void ones don't count.
pub const CARDS_MAX: usize = 16;

/// Everything the decider knows.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The latest entry applied.
    pub(crate) seq: Seq,
    /// Its instant: time never runs backwards.
    pub(crate) at: Timestamp,
    pub(crate) operators: Vec<Operator>,
    pub(crate) subscribers: Vec<Subscriber>,
    pub(crate) by_msisdn: HashTable<u32>,
    pub(crate) cards: Vec<Card>,
    pub(crate) by_number: HashTable<u32>,
    /// By row; `None`: forgotten.
    pub(crate) limits: Vec<Option<LimitRow>>,
    /// When the next limit is forgotten: worked out from the rows.
    pub(crate) limits_over_at: Option<Timestamp>,
    /// By limit and row of the subject; empty for limits on pairs.
    pub(crate) usage: Vec<Pages<Usage>>,
    /// What is in it of a limit that is forgotten is nobody's, and goes with its generation.
    pub(crate) pair_usage: Generations<UsageKey, Usage>,
    pub(crate) locks: Locks,
    pub(crate) repeats: Generations<RepeatKey, Repeat>,
    /// Where the generations of `pair_usage` and `repeats` begin.
    pub(crate) remembered: Remembered,
    /// Accounts that few operators have many of: refunds, what is held, cash and floats.
    pub(crate) ledger: BTreeMap<AccountId, Purse>,
    /// What the office keeps.
    pub(crate) records: BTreeMap<RecordKey, Record>,
    /// Gifts on hold by their sender, oldest first: worked out from the records.
    pub(crate) holds: HashMap<SubscriberId, Vec<Seq>, Hasher>,
    /// What is on hold for a recipient, minor units without fees: worked out from the records.
    pub(crate) held_for: HashMap<SubscriberId, i64, Hasher>,
    pub(crate) hasher: Hasher,
    /// Usage of forgotten limits that is dropped a little with each entry; nobody reads it.
    pub(crate) shed: Vec<Pages<Usage>>,
}

impl State {
    /// The latest entry that this state holds.
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The instant of that entry.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// All operators, in the order of their rows.
    pub fn operators(&self) -> impl Iterator<Item = (OperatorId, &Operator)> {
        (0_u8..).map(OperatorId).zip(&self.operators)
    }

    /// One operator.
    pub fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.get(usize::from(id.0))
    }

    /// How many an operator has of what has a ceiling.
    pub fn kept(&self, operator: OperatorId) -> Kept {
        self.operator(operator).map_or_else(Kept::default, |operator| operator.kept)
    }

    /// All subscribers, released ones included, in the order of their rows.
    pub fn subscribers(&self) -> impl Iterator<Item = (SubscriberId, &Subscriber)> {
        (0_u32..).map(SubscriberId).zip(&self.subscribers)
    }

    /// How many subscribers and how many cards there are.
    pub const fn rows(&self) -> (usize, usize) {
        (self.subscribers.len(), self.cards.len())
    }

    /// One subscriber.
    pub fn subscriber(&self, id: SubscriberId) -> Option<&Subscriber> {
        self.subscribers.get(id.0 as usize)
    }

    /// The latest subscriber with that number: perhaps a released one.
    pub fn find_subscriber(&self, msisdn: Msisdn) -> Option<(SubscriberId, &Subscriber)> {
        let hash = self.hash(msisdn.get());
        let same = |row: &u32| self.subscribers.get(*row as usize).is_some_and(|s| s.facts.msisdn == msisdn);
        let id = SubscriberId(*self.by_msisdn.find(hash, same)?);
        self.subscriber(id).map(|subscriber| (id, subscriber))
    }

    /// All cards, in the order of their rows.
    pub fn cards(&self) -> impl Iterator<Item = (CardId, &Card)> {
        (0_u32..).map(CardId).zip(&self.cards)
    }

    /// One card.
    pub fn card(&self, id: CardId) -> Option<&Card> {
        self.cards.get(id.0 as usize)
    }

    /// The card with that serial.
    pub fn card_of_serial(&self, serial: Serial) -> Option<(CardId, &Card)> {
        let id = serial.card()?;
        self.card(id).map(|card| (id, card))
    }

    /// The card with that number.
    pub fn find_card(&self, number: CardNumber) -> Option<(CardId, &Card)> {
        let hash = self.hash(number.get());
        let same = |row: &u32| self.cards.get(*row as usize).is_some_and(|card| card.facts.number == number);
        let id = CardId(*self.by_number.find(hash, same)?);
        self.card(id).map(|card| (id, card))
    }

    /// Cards bound to a subscriber, in the order of binding, whatever their state; closed ones are not among them any more.
    pub fn cards_of(&self, subscriber: &Subscriber) -> impl Iterator<Item = (CardId, &Card)> {
        let mut next = subscriber.first_card;
        core::iter::from_fn(move || {
            let id = next?.card();
            let card = self.card(id)?;
            next = card.next;
            Some((id, card))
        })
    }

    /// A sender's latest recipients, newest first.
    pub fn recents_of<'a>(&'a self, subscriber: &'a Subscriber) -> &'a [SubscriberId] {
        subscriber.recents.as_deref().map_or(&[], |recents| recents.as_slice())
    }

    /// An account's balance and latest entry.
    pub fn purse(&self, account: AccountId) -> Option<Purse> {
        match account {
            AccountId::Card(id) => self.card(id).map(|card| card.purse),
            AccountId::Airtime(id) => self.subscriber(id).map(|subscriber| subscriber.airtime),
            AccountId::FeeIncome(operator)
            | AccountId::TaxPayable(operator)
            | AccountId::CallIncome(operator)
            | AccountId::Breakage(operator)
            | AccountId::Position(operator) => {
                self.operator(operator).and_then(|o| o.books.get(book_index(account)?).copied())
            }
            AccountId::Refunded(_)
            | AccountId::Held(_)
            | AccountId::Cash(..)
            | AccountId::CashPosition(..)
            | AccountId::Float(..) => {
                self.owner(account).map(|_| self.ledger.get(&account).copied().unwrap_or_default())
            }
        }
    }

    /// Whose an account is; `None` when there is no such account.
    pub fn owner(&self, account: AccountId) -> Option<OperatorId> {
        match account {
            AccountId::Card(id) => self.card(id).map(|card| card.facts.operator),
            AccountId::Airtime(id) => self.subscriber(id).map(|row| row.facts.operator),
            AccountId::Float(outlet, _) => self.outlet(outlet).map(|outlet| outlet.operator),
            _ => account.operator().filter(|operator| self.operator(*operator).is_some()),
        }
    }

    /// What each operator's accounts of each unit add up to: zero, or the books are wrong. Units are an operator's airtime
    /// (`None`) and its currencies.
    pub fn sums(&self) -> BTreeMap<(OperatorId, Option<Currency>), i128> {
        let mut sums = BTreeMap::new();
        for (account, purse) in self.accounts() {
            if let Some(operator) = self.owner(account) {
                *sums.entry((operator, account.currency())).or_default() += i128::from(purse.balance_minor);
            }
        }
        sums
    }

    /// Every account that exists, in the order of kinds and rows.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, Purse)> {
        let airtime = self.subscribers().map(|(id, subscriber)| (AccountId::Airtime(id), subscriber.airtime));
        let cards = self.cards().map(|(id, card)| (AccountId::Card(id), card.purse));
        let books = self.operators().flat_map(|(id, operator)| books_of(id).into_iter().zip(operator.books));
        let ledger = self.ledger.iter().map(|(account, purse)| (*account, *purse));
        airtime.chain(cards).chain(books).chain(ledger)
    }

    /// Accounts that were touched and are neither a subscriber's nor a card's nor one of the five that each operator has.
    pub fn ledger(&self) -> impl Iterator<Item = (AccountId, Purse)> {
        self.ledger.iter().map(|(account, purse)| (*account, *purse))
    }

    /// One record of the office.
    pub fn record(&self, key: RecordKey) -> Option<&Record> {
        self.records.get(&key)
    }

    /// All records of the office, in the order of keys.
    pub fn records(&self) -> impl Iterator<Item = (RecordKey, &Record)> {
        self.records.iter().map(|(key, record)| (*key, record))
    }

    /// All records of one kind, in the order of their ids.
    pub fn records_of(&self, kind: RecordKind) -> impl DoubleEndedIterator<Item = (u64, &Record)> {
        self.records_from(kind, 0)
    }

    /// Records of one kind from an id on, in the order of their ids.
    pub fn records_from(&self, kind: RecordKind, from: u64) -> impl DoubleEndedIterator<Item = (u64, &Record)> {
        let range = RecordKey { kind, id: from }..=RecordKey { kind, id: u64::MAX };
        self.records.range(range).map(|(key, record)| (key.id, record))
    }

    /// An outlet.
    pub fn outlet(&self, outlet: OutletId) -> Option<&Outlet> {
        match self.record(RecordKey::outlet(outlet))? {
            Record::Outlet(outlet) => Some(outlet),
            _ => None,
        }
    }

    /// A batch of cards.
    pub fn batch(&self, batch: BatchId) -> Option<&Batch> {
        match self.record(RecordKey::batch(batch))? {
            Record::Batch(batch) => Some(batch),
            _ => None,
        }
    }

    /// What several outlets took for a card; `None` when one outlet took all of it.
    pub fn takings(&self, serial: Serial) -> Option<&Takings> {
        match self.record(RecordKey::takings(serial))? {
            Record::Takings(takings) => Some(takings),
            _ => None,
        }
    }

    /// A gift on hold, by the entry that took it.
    pub fn hold(&self, seq: Seq) -> Option<&Hold> {
        match self.record(RecordKey::made_by(RecordKind::Hold, seq))? {
            Record::Hold(hold) => Some(hold),
            _ => None,
        }
    }

    /// A sender's gifts on hold, oldest first.
    pub fn holds_of(&self, sender: SubscriberId) -> &[Seq] {
        self.holds.get(&sender).map_or(&[], Vec::as_slice)
    }

    /// What gifts on hold would add to a recipient's airtime, minor units.
    pub fn held_for(&self, recipient: SubscriberId) -> i64 {
        self.held_for.get(&recipient).copied().unwrap_or_default()
    }

    /// The range of void cards that a serial lies in. Ranges never overlap, so the one that begins last before it tells.
    pub fn void_range(&self, serial: Serial) -> Option<(Serial, VoidCards)> {
        let all = RecordKey { kind: RecordKind::VoidCards, id: 0 }..=RecordKey::void_cards(serial);
        match self.records.range(all).next_back()? {
            (key, Record::VoidCards(range)) if serial <= range.last => {
                Some((Serial(u32::try_from(key.id).ok()?), *range))
            }
            _ => None,
        }
    }

    /// What is used of a limit; the window may be over.
    pub fn usage(&self, key: UsageKey, subject: Subject) -> Option<Usage> {
        match subject {
            Subject::Pair => self.pair_usage.get(&key).copied(),
            Subject::Sender | Subject::Recipient | Subject::Card => {
                self.usage.get(usize::from(key.limit.0))?.get(u32::try_from(key.subject).ok()?)
            }
        }
    }

    /// Where something was counted that is given back now; `None`: its window is over, or its limit is forgotten.
    pub fn used_in(&self, held: &HeldUsage) -> Option<(UsageKey, Usage)> {
        let key = UsageKey { limit: held.limit, subject: held.subject };
        let usage = self.usage(key, self.limit(held.limit)?.identity.subject)?;
        (usage.start == held.start).then_some((key, usage))
    }

    /// Everything that is used of limits that live, in no order.
    pub fn all_usage(&self) -> impl Iterator<Item = (UsageKey, Usage)> {
        let single = (0_u16..).map(LimitId).zip(&self.usage).flat_map(|(limit, pages)| {
            pages.iter().map(move |(row, usage)| (UsageKey { limit, subject: u64::from(row) }, usage))
        });
        let pairs = self.pair_usage.iter().filter(|(key, _)| self.limit(key.limit).is_some());
        single.chain(pairs.map(|(key, usage)| (*key, *usage)))
    }

    /// Wrong passwords of a caller over a link.
    pub fn lock(&self, subscriber: SubscriberId, link: LinkId) -> Lock {
        self.locks.get(subscriber, link).unwrap_or_default()
    }

    /// Wrong passwords of one subscriber, by link.
    pub fn locks_of(&self, subscriber: SubscriberId) -> impl Iterator<Item = (LinkId, Lock)> {
        self.locks.of(subscriber)
    }

    /// All wrong passwords that are remembered, in no order. For tests: nobody who answers somebody may walk all of them.
    #[cfg(any(test, feature = "testing"))]
    pub fn locks(&self) -> impl Iterator<Item = (SubscriberId, LinkId, Lock)> {
        self.locks.iter()
    }

    /// The latest gift of that sender, recipient and amount, while it is remembered.
    pub fn repeat(&self, key: &RepeatKey) -> Option<Repeat> {
        self.repeats.get(key).copied()
    }

    /// All gifts that are remembered against repetition, in no order.
    pub fn repeats(&self) -> impl Iterator<Item = (RepeatKey, Repeat)> {
        self.repeats.iter().map(|(key, repeat)| (*key, *repeat))
    }

    /// When what is remembered for a while was forgotten last.
    pub const fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Limits that live, by row.
    pub fn limits(&self) -> impl Iterator<Item = (LimitId, &LimitRow)> {
        (0_u16..).map(LimitId).zip(&self.limits).filter_map(|(id, limit)| Some((id, limit.as_ref()?)))
    }

    /// How many limits were ever given a row.
    pub const fn limits_made(&self) -> usize {
        self.limits.len()
    }

    /// A limit that lives.
    pub fn limit(&self, id: LimitId) -> Option<&LimitRow> {
        self.limits.get(usize::from(id.0))?.as_ref()
    }

    /// What [`limits_over_at`](Self::limits_over_at) is, worked out again.
    pub(crate) fn next_limit_over(&self) -> Option<Timestamp> {
        self.limits().filter_map(|(_, limit)| limit.forget_at()).min()
    }

    /// When the next limit is forgotten; `None`: all that live have no end.
    pub const fn limits_over_at(&self) -> Option<Timestamp> {
        self.limits_over_at
    }

    /// How many usage records there are: (of single subjects, of pairs).
    pub fn usage_len(&self) -> (usize, usize) {
        (self.usage.iter().map(Pages::len).sum(), self.pair_usage.len())
    }

    /// Reads the rows that deciding `body` will read, and gives back something of them.
    ///
    /// Rows lie far apart, so most of a decision's time would be waiting for memory, one row after the other. Touching the
    /// rows of many commands first lets the processor fetch them side by side. It changes nothing.
    pub fn touch(&self, body: &Body) -> u64 {
        let Some(caller) = body.caller() else { return 0 };
        let Some((from, sender)) = self.find_subscriber(caller.msisdn) else { return 0 };
        let card = sender.first_card.and_then(|link| self.card(link.card()));
        let balance = card.map_or(0, |card| card.purse.latest.0);
        let Body::Gift(gift) = body else { return balance };
        let to = gift.recipient.value().and_then(|recipient| self.find_subscriber(recipient));
        let Some((to, recipient)) = to else { return balance };
        balance ^ recipient.latest.0 ^ self.touch_usage(caller.operator, from, to, gift)
    }

    fn touch_usage(&self, operator: OperatorId, from: SubscriberId, to: SubscriberId, gift: &Gift) -> u64 {
        let card = CardId(0);
        let period = self.operator(operator).and_then(|operator| operator.rules.period(self.at));
        let limits = period.map_or(&[][..], |period| &period.limits);
        let used = limits.iter().filter(|limit| limit.subject != Subject::Card).map(|limit| {
            let key = UsageKey::of(limit.id, limit.subject, from, to, card);
            self.usage(key, limit.subject).map_or(0, |usage| u64::from(usage.count))
        });
        let used = used.fold(0, |all, one| all ^ one);
        let key = |amount| RepeatKey { sender: from, recipient: to, amount };
        let repeat = gift.amount.value().and_then(|amount| self.repeat(&key(amount)));
        used ^ repeat.map_or(0, |repeat| repeat.seq.0)
    }

    /// Makes room for so many rows, so that loading them moves nothing.
    pub(crate) fn reserve(&mut self, subscribers: usize, cards: usize) {
        self.subscribers.reserve_exact(subscribers);
        self.cards.reserve_exact(cards);
        self.by_msisdn.reserve(subscribers, |_| 0);
        self.by_number.reserve(cards, |_| 0);
    }

    pub(crate) fn hash(&self, key: u64) -> u64 {
        use core::hash::BuildHasher;
        self.hasher.hash_one(key)
    }
}

pub(crate) const fn book_index(account: AccountId) -> Option<usize> {
    match account {
        AccountId::Card(_)
        | AccountId::Airtime(_)
        | AccountId::Refunded(_)
        | AccountId::Held(_)
        | AccountId::Cash(..)
        | AccountId::CashPosition(..)
        | AccountId::Float(..) => None,
        AccountId::FeeIncome(_) => Some(0),
        AccountId::TaxPayable(_) => Some(1),
        AccountId::CallIncome(_) => Some(2),
        AccountId::Breakage(_) => Some(3),
        AccountId::Position(_) => Some(4),
    }
}

/// An operator's own accounts, in the order of their rows.
pub const fn books_of(operator: OperatorId) -> [AccountId; BOOKS] {
    [
        AccountId::FeeIncome(operator),
        AccountId::TaxPayable(operator),
        AccountId::CallIncome(operator),
        AccountId::Breakage(operator),
        AccountId::Position(operator),
    ]
}
