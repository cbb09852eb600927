//! Whether two states are the same, and where they differ.
//!
//! For: whoever has two ways to one state: a fold and a checkpoint, a replay and what was decided.
//!
//! Guarantees: nothing of a state is left out. Every struct is taken apart field by field, so that a new field does not
//! compile before somebody has said how it is compared. Numbers are shortened and no tag is shown.
//!
//! Bounded by the caller's `max`. Deliberately not here: command ids (the engine remembers those).

use core::fmt::Debug;
use std::collections::BTreeSet;

use minicbor::Encode;

use crate::account::AccountId;
use crate::card::CardState;
use crate::generations::{Age, Generations};
use crate::ids::{LimitId, Serial, SubscriberId};
use crate::office::RecordKey;
use crate::pages::Pages;
use crate::state::{Card, CardFacts, Locks, Operator, RepeatKey, State, Subscriber, Usage, UsageKey, books_of};

/// A row that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which row: `subscriber 12 (…001)`, `card 00000007`.
    pub row: String,
    /// Which of its facts.
    pub fact: &'static str,
    /// As the one has it.
    pub one: String,
    /// As the other has it.
    pub other: String,
}

impl core::fmt::Display for Difference {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { row, fact, one, other } = self;
        write!(f, "{row}, {fact}: {one} and {other}")
    }
}

impl State {
    /// Where two states differ, at most `max` of it. Nothing: they are the same.
    pub fn differences(&self, other: &Self, max: usize) -> Vec<Difference> {
        let mut found = Differences { found: Vec::new(), max };
        found.states(self, other);
        found.found
    }
}

struct Differences {
    found: Vec<Difference>,
    max: usize,
}

/// What rows of a memory are called, and which of them count.
struct Told<'a, K> {
    name: &'a dyn Fn(&K) -> String,
    counts: &'a dyn Fn(&K) -> bool,
}

/// The name of a row, made only when it is needed.
type Row<'a> = &'a dyn Fn() -> String;

fn whole() -> String {
    String::from("the state")
}

impl Differences {
    fn is_full(&self) -> bool {
        self.found.len() >= self.max
    }

    fn say(&mut self, row: Row<'_>, fact: &'static str, one: String, other: String) {
        if !self.is_full() {
            self.found.push(Difference { row: row(), fact, one, other });
        }
    }

    fn compare<T: PartialEq + Debug>(&mut self, row: Row<'_>, fact: &'static str, one: T, other: T) {
        if one != other {
            self.say(row, fact, format!("{one:?}"), format!("{other:?}"));
        }
    }

    /// For what is too long to be shown, or must not be.
    fn hidden(&mut self, row: Row<'_>, fact: &'static str, same: bool) {
        if !same {
            self.say(row, fact, String::from("this"), String::from("another"));
        }
    }

    fn states(&mut self, one: &State, other: &State) {
        let State {
            seq,
            at,
            operators,
            subscribers,
            by_msisdn,
            cards,
            by_number,
            limits,
            limits_over_at,
            // Compared as what is remembered for a while.
            usage: _,
            pair_usage: _,
            locks,
            repeats: _,
            remembered,
            ledger,
            records,
            holds,
            held_for,
            // Random in each process: nothing depends on it.
            hasher: _,
            // Nobody reads it: how much of it is left depends on when somebody began.
            shed: _,
        } = one;
        if *seq != other.seq {
            // As of different entries everything may differ.
            return self.compare(&whole, "entry", *seq, other.seq);
        }
        self.compare(&whole, "instant", *at, other.at);
        self.compare(&whole, "operators", operators.len(), other.operators.len());
        for ((id, here), there) in one.operators().zip(&other.operators) {
            self.operator(id.0, here, there);
        }
        self.compare(&whole, "subscribers", subscribers.len(), other.subscribers.len());
        self.compare(&whole, "numbers", by_msisdn.len(), other.by_msisdn.len());
        for ((id, here), there) in one.subscribers().zip(&other.subscribers) {
            self.subscriber(one, other, (id, here, there));
        }
        self.compare(&whole, "cards", cards.len(), other.cards.len());
        self.compare(&whole, "card numbers", by_number.len(), other.by_number.len());
        for ((id, here), there) in one.cards().zip(&other.cards) {
            self.card(one, other, (Serial::of(id), here, there));
        }
        self.compare(&whole, "limits", limits, &other.limits);
        self.compare(&whole, "when a limit is forgotten", *limits_over_at, other.limits_over_at);
        self.compare(&whole, "generations", remembered, &other.remembered);
        self.memories(one, other);
        self.locks(locks, &other.locks);
        let accounts = ledger.keys().chain(other.ledger.keys().filter(|account| !ledger.contains_key(*account)));
        for account in accounts {
            let of = |state: &State| state.ledger.get(account).copied();
            self.compare(&|| account_name(*account), "balance", of(one), of(other));
        }
        for key in records.keys().chain(other.records.keys().filter(|key| !records.contains_key(*key))) {
            // What a motion holds is long: that they differ is enough.
            self.hidden(&|| record_name(*key), "record", one.record(*key) == other.record(*key));
        }
        // Worked out from the records, and compared all the same.
        let senders: BTreeSet<SubscriberId> = holds.keys().chain(other.holds.keys()).copied().collect();
        let recipients: BTreeSet<SubscriberId> = held_for.keys().chain(other.held_for.keys()).copied().collect();
        self.holds(one, other, &senders, &recipients);
    }

    /// What is used of limits, and what is remembered against repetition.
    fn memories(&mut self, one: &State, other: &State) {
        for row in 0..one.usage.len().max(other.usage.len()) {
            self.usage(row, one.usage.get(row), other.usage.get(row));
        }
        // Usage of a forgotten limit is nobody's, and goes with its generation.
        let pairs = Told { name: &|key: &UsageKey| usage_name(*key), counts: &|key| one.limit(key.limit).is_some() };
        self.aged(&one.pair_usage, &other.pair_usage, "usage", &pairs);
        let repeats = Told { name: &repeat_name, counts: &|_| true };
        self.aged(&one.repeats, &other.repeats, "remembered", &repeats);
    }

    fn locks(&mut self, one: &Locks, other: &Locks) {
        let missing = other.iter().filter(|(subscriber, link, _)| one.get(*subscriber, *link).is_none());
        for (subscriber, link, _) in one.iter().chain(missing) {
            let row = || format!("lock of subscriber {} over link {}", subscriber.0, link.0);
            self.compare(&row, "lock", one.get(subscriber, link), other.get(subscriber, link));
        }
    }

    fn holds(
        &mut self,
        one: &State,
        other: &State,
        senders: &BTreeSet<SubscriberId>,
        recipients: &BTreeSet<SubscriberId>,
    ) {
        for id in senders {
            let row = || format!("subscriber {}", id.0);
            self.compare(&row, "gifts on hold", one.holds_of(*id), other.holds_of(*id));
        }
        for id in recipients {
            let row = || format!("subscriber {}", id.0);
            self.compare(&row, "held for them", one.held_for(*id), other.held_for(*id));
        }
    }

    fn operator(&mut self, id: u8, one: &Operator, other: &Operator) {
        let Operator { rules, file_hash, date, kept, books } = one;
        let row = || format!("operator {}", rules.operator);
        self.hidden(&row, "rules", **rules == *other.rules);
        self.compare(&row, "hash of its rules file", file_hash, &other.file_hash);
        self.compare(&row, "date", *date, other.date);
        self.compare(&row, "counts", *kept, other.kept);
        for (account, (here, there)) in books_of(crate::ids::OperatorId(id)).iter().zip(books.iter().zip(&other.books))
        {
            self.compare(&row, account.kind(), *here, *there);
        }
    }

    fn subscriber(&mut self, one: &State, other: &State, rows: (SubscriberId, &Subscriber, &Subscriber)) {
        let (id, here, there) = rows;
        let Subscriber { facts, airtime, latest, refused_date, refused_count, first_card: _, recents: _ } = here;
        let row = || format!("subscriber {} ({:?})", id.0, facts.msisdn);
        self.compare(&row, "facts", *facts, there.facts);
        self.compare(&row, "airtime", *airtime, there.airtime);
        self.compare(&row, "latest entry", *latest, there.latest);
        let refused = |row: &Subscriber| (row.refused_date, row.refused_count);
        self.compare(&row, "refusals", (*refused_date, *refused_count), refused(there));
        self.compare(&row, "recipients", one.recents_of(here), other.recents_of(there));
        let cards = |state: &State, row| state.cards_of(row).map(|(id, _)| id).collect::<Vec<_>>();
        if !one.cards_of(here).map(|(id, _)| id).eq(other.cards_of(there).map(|(id, _)| id)) {
            self.compare(&row, "cards", cards(one, here), cards(other, there));
        }
        let found = |state: &State| state.find_subscriber(facts.msisdn).map(|(id, _)| id);
        self.compare(&row, "found by number", found(one), found(other));
    }

    fn card(&mut self, one: &State, other: &State, (serial, here, there): (Serial, &Card, &Card)) {
        // The chain of a phone's cards is compared with its subscriber.
        let Card { facts, purse, bound, bind_wrong, bought, next: _ } = here;
        let CardFacts { number, operator, issued_at, expires_at, state, batch } = facts;
        let row = || format!("card {serial}");
        self.compare(&row, "number", *number, there.facts.number);
        self.compare(&row, "operator", *operator, there.facts.operator);
        let times = (there.facts.issued_at, there.facts.expires_at);
        self.compare(&row, "issued and expires", (*issued_at, *expires_at), times);
        self.card_state(&row, state, &there.facts.state);
        self.compare(&row, "batch", *batch, there.facts.batch);
        self.compare(&row, "balance", *purse, there.purse);
        self.compare(&row, "bound", *bound, there.bound);
        self.compare(&row, "wrong passwords at binding", *bind_wrong, there.bind_wrong);
        self.compare(&row, "bought for", *bought, there.bought);
        let found = |state: &State| state.find_card(*number).map(|(id, _)| id);
        self.compare(&row, "found by number", found(one), found(other));
    }

    fn card_state(&mut self, row: Row<'_>, one: &CardState, other: &CardState) {
        let tag = |state: &CardState| state.tag().map(|tag| tag.to_bytes());
        if one.name() != other.name() {
            self.compare(row, "state", one.name(), other.name());
        } else if tag(one) != tag(other) {
            self.hidden(row, "tag", false);
        } else {
            self.hidden(row, "state", octets(one) == octets(other));
        }
    }

    fn usage(&mut self, limit: usize, one: Option<&Pages<Usage>>, other: Option<&Pages<Usage>>) {
        let limit = LimitId(u16::try_from(limit).unwrap_or(u16::MAX));
        let of = |pages: Option<&Pages<Usage>>, row| pages.and_then(|pages| pages.get(row));
        let rows = |pages: Option<&Pages<Usage>>| pages.map_or(0, Pages::len);
        let mut met = 0;
        for (row, here) in one.into_iter().flat_map(Pages::iter) {
            let there = of(other, row);
            met += usize::from(there.is_some());
            let key = UsageKey { limit, subject: u64::from(row) };
            self.compare(&|| usage_name(key), "usage", Some(here), there);
        }
        if met == rows(other) {
            return;
        }
        for (row, there) in other.into_iter().flat_map(Pages::iter).filter(|(row, _)| of(one, *row).is_none()) {
            let key = UsageKey { limit, subject: u64::from(row) };
            self.compare(&|| usage_name(key), "usage", None, Some(there));
        }
    }

    /// What is remembered, and in which generation.
    fn aged<K, V>(
        &mut self,
        one: &Generations<K, V>,
        other: &Generations<K, V>,
        fact: &'static str,
        Told { name, counts }: &Told<'_, K>,
    ) where
        K: Eq + core::hash::Hash,
        V: Copy + PartialEq + Debug,
    {
        let of = |map: &Generations<K, V>, key: &K| -> Option<(V, Age)> { map.find(key).map(|(v, age)| (*v, age)) };
        for (key, here, age) in one.aged().filter(|(key, ..)| counts(key)) {
            self.compare(&|| name(key), fact, Some((*here, age)), of(other, key));
        }
        for (key, there, age) in other.aged().filter(|(key, ..)| counts(key) && one.find(key).is_none()) {
            self.compare(&|| name(key), fact, None, Some((*there, age)));
        }
        // When a generation ends depends on how many are in it.
        let newest =
            |map: &Generations<K, V>| map.aged().filter(|(key, _, age)| *age == Age::Newest && counts(key)).count();
        self.compare(&whole, fact, newest(one), newest(other));
    }
}

fn usage_name(key: UsageKey) -> String {
    format!("usage of limit {} by {:#x}", key.limit.0, key.subject)
}

fn repeat_name(key: &RepeatKey) -> String {
    format!("gift of {} to {} of {}", key.sender.0, key.recipient.0, key.amount.minor())
}

fn record_name(key: RecordKey) -> String {
    format!("{} {}", key.kind.name(), key.id)
}

fn account_name(account: AccountId) -> String {
    format!("account {account:?}")
}

fn octets<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing to memory does not fail.
    minicbor::to_vec(value).unwrap_or_default()
}
