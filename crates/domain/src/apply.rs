//! Folding: the only code that changes a [`State`]. It applies after-values and never asks a rule.
//!
//! Guarantees: the same entries in the same order give the same state, whatever the version that decided them.
//! An entry that does not fit the state (a gap in seqs, a row that doesn't exist) is [`Misfit`]: a damaged journal.

use crate::account::AccountId;
use crate::card::CardState;
use crate::effects::{Change, Effects};
use crate::generations::Age;
use crate::ids::{CardId, LimitId, OperatorId, SubscriberId};
use crate::memory::Memory;
use crate::office::motion::Proposal;
use crate::office::{Record, RecordKey, RecordKind};
use crate::pages::Pages;
use crate::receipt::Seq;
use crate::rules::Rules;
use crate::rules::limit::Subject;
use crate::state::{
    BOOKS, Card, CardFacts, CardLink, Kept, LimitIdentity, LimitRow, Lock, Operator, Purse, RECENTS, Repeat, RepeatKey,
    State, Subscriber, SubscriberFacts, Usage, UsageKey, book_index,
};
use crate::time::{BusinessDate, Timestamp};

/// Pages of forgotten usage that are dropped with each entry: 512 KiB, some microseconds.
const SHED_PAGES: usize = 32;

/// An entry that can't follow the state it is applied to: the journal is damaged or was decided by another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} does not follow the state before it: {what}")]
pub struct Misfit {
    /// The entry.
    pub seq: Seq,
    /// What does not fit.
    pub what: &'static str,
}

impl State {
    /// Applies the effects of the entry `seq`, decided at `at`.
    ///
    /// # Errors
    /// When the entry does not fit; the state is then half changed and must not be used any more.
    pub fn apply(&mut self, seq: Seq, at: Timestamp, effects: &Effects) -> Result<(), Misfit> {
        let misfit = |what| Misfit { seq, what };
        if seq != self.seq.next() {
            return Err(misfit("it is not the next one"));
        }
        if at < self.at {
            return Err(misfit("it is older than the one before"));
        }
        self.seq = seq;
        self.at = at;
        self.shed_some();
        for change in &effects.changes {
            self.change(seq, at, effects, change).map_err(misfit)?;
        }
        if effects.changes.iter().any(|change| matches!(change, Change::Limit { .. })) {
            self.limits_over_at = self.next_limit_over();
        }
        if let Some(id) = effects.operator
            && let Some(operator) = self.operators.get_mut(usize::from(id.0))
        {
            operator.date = operator.date.max(effects.date);
        }
        for balance in &effects.balances {
            if balance.after_minor < 0 && balance.account.is_purse() {
                return Err(misfit("a purse below zero"));
            }
            let purse = self.purse_mut(balance.account).ok_or(misfit("no such account"))?;
            *purse = Purse { balance_minor: balance.after_minor, latest: seq };
        }
        for named in effects.named() {
            let row = self.subscribers.get_mut(named.subscriber.0 as usize).ok_or(misfit("no such subscriber"))?;
            row.latest = seq;
        }
        for used in &effects.usage {
            let key = UsageKey { limit: used.limit, subject: used.subject };
            let usage = Usage { start: used.start, count: used.count, total_minor: used.total_minor };
            self.put_usage(key, usage, Age::Newest).map_err(misfit)?;
        }
        Ok(())
    }

    /// Drops some of what was forgotten: it is in nobody's way any more, but gone at once it would keep everybody waiting.
    fn shed_some(&mut self) {
        if let Some(pages) = self.shed.last_mut()
            && !pages.shed(SHED_PAGES)
        {
            self.shed.pop();
        }
    }

    fn change(&mut self, seq: Seq, at: Timestamp, effects: &Effects, change: &Change) -> Result<(), &'static str> {
        match change {
            Change::Lock { subscriber, link, wrong, level, until } => {
                self.locks.put(*subscriber, *link, Lock { wrong: *wrong, level: *level, until: *until, at });
                Ok(())
            }
            Change::Gave { sender, recipient, amount } => {
                let (sender, recipient) = (sender.subscriber, recipient.subscriber);
                self.put_recent(sender, recipient)?;
                self.repeats.insert(RepeatKey { sender, recipient, amount: *amount }, Repeat { at, seq });
                Ok(())
            }
            Change::Held { sender, recipient, amount } => {
                let (sender, recipient) = (sender.subscriber, recipient.subscriber);
                self.repeats.insert(RepeatKey { sender, recipient, amount: *amount }, Repeat { at, seq });
                Ok(())
            }
            Change::ToppedUp { holder, amount } => {
                let key = RepeatKey { sender: holder.subscriber, recipient: holder.subscriber, amount: *amount };
                self.repeats.insert(key, Repeat { at, seq });
                Ok(())
            }
            Change::Refused { subscriber, count } => {
                let row = self.subscribers.get_mut(subscriber.0 as usize).ok_or("no such subscriber")?;
                (row.refused_date, row.refused_count) = (effects.date, *count);
                Ok(())
            }
            Change::Subscriber { id, facts } => self.put_subscriber(*id, facts),
            Change::Card { id, facts } => self.put_card(*id, facts),
            Change::CardState { id, state } => self.put_card_state(*id, *state, seq),
            Change::BindWrong { id, wrong } => {
                self.cards.get_mut(id.0 as usize).ok_or("no such card")?.bind_wrong = *wrong;
                Ok(())
            }
            Change::Operator { id, rules, file_hash } => {
                self.limits_fit(*id, rules, at)?;
                self.put_operator(*id, rules, *file_hash)
            }
            Change::Bought { id, bought } => {
                self.cards.get_mut(id.0 as usize).ok_or("no such card")?.bought = Some(*bought);
                Ok(())
            }
            Change::Record { key, record } => self.put_record(*key, record.clone()),
            Change::Forgotten { sender, recipient, amount } => {
                let key = RepeatKey { sender: *sender, recipient: *recipient, amount: *amount };
                self.repeats.remove(&key);
                Ok(())
            }
            Change::Recent { sender, recipient } => self.put_recent(*sender, *recipient),
            Change::Limit { id, limit } => self.put_limit(*id, limit.clone()),
            Change::Turn { memory } => {
                match memory {
                    Memory::Repeats => self.repeats.turn(),
                    Memory::Pairs => self.pair_usage.turn(),
                };
                self.remembered.turn(*memory, seq, at);
                Ok(())
            }
        }
    }

    pub(crate) fn put_recent(&mut self, sender: SubscriberId, recipient: SubscriberId) -> Result<(), &'static str> {
        let row = self.subscribers.get_mut(sender.0 as usize).ok_or("no such sender")?;
        let recents = row.recents.get_or_insert_default();
        if recents.first() == Some(&recipient) {
            return Ok(());
        }
        recents.retain(|known| *known != recipient);
        recents.truncate(RECENTS - 1);
        recents.insert(0, recipient);
        Ok(())
    }

    fn put_subscriber(&mut self, id: SubscriberId, facts: &SubscriberFacts) -> Result<(), &'static str> {
        let row = id.0 as usize;
        if let Some(known) = self.subscribers.get_mut(row) {
            if known.facts.msisdn != facts.msisdn || known.facts.generation != facts.generation {
                return Err("a subscriber's number and generation never change");
            }
            known.facts = *facts;
            return Ok(());
        }
        if row != self.subscribers.len() {
            return Err("not the next subscriber");
        }
        self.push_subscriber(Subscriber {
            facts: *facts,
            airtime: Purse::default(),
            latest: Seq::ZERO,
            refused_date: BusinessDate::default(),
            refused_count: 0,
            first_card: None,
            recents: None,
        });
        Ok(())
    }

    /// Adds a row; a number that another row had leads to the new one from now on.
    pub(crate) fn push_subscriber(&mut self, subscriber: Subscriber) {
        let msisdn = subscriber.facts.msisdn;
        let row = u32::try_from(self.subscribers.len()).unwrap_or(u32::MAX);
        if let Some(operator) = self.operators.get_mut(usize::from(subscriber.facts.operator.0)) {
            operator.kept.subscribers += 1;
        }
        self.subscribers.push(subscriber);
        let hash = self.hash(msisdn.get());
        let (rows, hasher) = (&self.subscribers, &self.hasher);
        let number = |row: &u32| rows.get(*row as usize).map_or(0, |s| s.facts.msisdn.get());
        match self.by_msisdn.find_mut(hash, |known| number(known) == msisdn.get()) {
            Some(known) => *known = row,
            None => {
                use core::hash::BuildHasher;
                self.by_msisdn.insert_unique(hash, row, |row| hasher.hash_one(number(row)));
            }
        }
    }

    fn put_card(&mut self, id: CardId, facts: &CardFacts) -> Result<(), &'static str> {
        if id.0 as usize != self.cards.len() {
            return Err("not the next card");
        }
        if self.find_card(facts.number).is_some() {
            return Err("a card number twice");
        }
        // It is made, then sold, then bound: never all at once.
        if facts.state.holder().is_some() {
            return Err("a new card that has a holder");
        }
        self.push_card(Card {
            facts: *facts,
            purse: Purse::default(),
            bound: Seq::ZERO,
            bind_wrong: 0,
            bought: None,
            next: None,
        });
        Ok(())
    }

    pub(crate) fn push_card(&mut self, card: Card) {
        let number = card.facts.number;
        let row = u32::try_from(self.cards.len()).unwrap_or(u32::MAX);
        if let Some(operator) = self.operators.get_mut(usize::from(card.facts.operator.0)) {
            operator.kept.cards += 1;
        }
        self.cards.push(card);
        let hash = self.hash(number.get());
        let (rows, hasher) = (&self.cards, &self.hasher);
        self.by_number.insert_unique(hash, row, |row| {
            use core::hash::BuildHasher;
            hasher.hash_one(rows.get(*row as usize).map_or(0, |card| card.facts.number.get()))
        });
    }

    fn put_card_state(&mut self, id: CardId, state: CardState, seq: Seq) -> Result<(), &'static str> {
        let card = self.cards.get_mut(id.0 as usize).ok_or("no such card")?;
        let before = card.facts.state.holder();
        let was_closed = card.facts.state.is_closed();
        card.facts.state = state;
        match (before, state.holder()) {
            (None, Some(holder)) => self.link_card(id, holder, seq),
            (Some(holder), Some(after)) if holder == after && state.is_closed() && !was_closed => {
                self.unlink_card(id, holder)
            }
            (before, after) if before == after => Ok(()),
            _ => Err("a bound card changes its holder"),
        }
    }

    /// Appends a card to its holder's list.
    pub(crate) fn link_card(&mut self, id: CardId, holder: SubscriberId, bound: Seq) -> Result<(), &'static str> {
        self.cards.get_mut(id.0 as usize).ok_or("no such card")?.bound = bound;
        let link = CardLink::new(id);
        let row = self.subscribers.get_mut(holder.0 as usize).ok_or("no such holder")?;
        let Some(mut last) = row.first_card else {
            row.first_card = link;
            return Ok(());
        };
        loop {
            let card = self.cards.get_mut(last.card().0 as usize).ok_or("no such card")?;
            match card.next {
                Some(next) => last = next,
                None => {
                    card.next = link;
                    return Ok(());
                }
            }
        }
    }

    /// Takes a card that is over out of its holder's list, so that no dial walks past it any more.
    fn unlink_card(&mut self, id: CardId, holder: SubscriberId) -> Result<(), &'static str> {
        let next = core::mem::take(&mut self.cards.get_mut(id.0 as usize).ok_or("no such card")?.next);
        let row = self.subscribers.get_mut(holder.0 as usize).ok_or("no such holder")?;
        let mut link = row.first_card.ok_or("a card that its holder does not have")?;
        if link.card() == id {
            row.first_card = next;
            return Ok(());
        }
        loop {
            let card = self.cards.get_mut(link.card().0 as usize).ok_or("no such card")?;
            match card.next {
                Some(found) if found.card() == id => {
                    card.next = next;
                    return Ok(());
                }
                Some(other) => link = other,
                None => return Err("a card that its holder does not have"),
            }
        }
    }

    /// Whether every limit that rules have from `at` on has a row, and no row belongs to another limit.
    pub(crate) fn limits_fit(&self, id: OperatorId, rules: &Rules, at: Timestamp) -> Result<(), &'static str> {
        for (limit, until) in rules.limits_until() {
            match self.limit(limit.id) {
                Some(known) if known.identity == LimitIdentity::of(id, limit) => {}
                Some(_) => return Err("a limit's row belongs to another limit"),
                // What is over may be forgotten.
                None if until <= at => {}
                None => return Err("no such limit"),
            }
        }
        Ok(())
    }

    /// Writes a limit's row, or forgets it with its usage. That of pairs is forgotten with its generation.
    fn put_limit(&mut self, id: LimitId, limit: Option<LimitRow>) -> Result<(), &'static str> {
        let row = usize::from(id.0);
        let Some(limit) = limit else {
            self.limits.get_mut(row).and_then(Option::take).ok_or("no such limit")?;
            self.shed.extend(self.usage.get_mut(row).map(core::mem::take));
            return Ok(());
        };
        if row == self.limits.len() {
            self.limits.push(Some(limit));
            return Ok(());
        }
        match self.limits.get_mut(row) {
            Some(Some(known)) if known.identity == limit.identity => *known = limit,
            Some(Some(_)) => return Err("a limit's row belongs to another limit"),
            Some(None) => return Err("a limit that is forgotten"),
            None => return Err("not the next limit"),
        }
        Ok(())
    }

    pub(crate) fn put_operator(
        &mut self,
        id: OperatorId,
        rules: &std::sync::Arc<Rules>,
        file_hash: [u8; 32],
    ) -> Result<(), &'static str> {
        let known = &mut self.remembered.pair_window_days;
        *known = rules.pair_window_days().max(*known);
        let row = usize::from(id.0);
        if let Some(known) = self.operators.get_mut(row) {
            known.rules = std::sync::Arc::clone(rules);
            known.file_hash = file_hash;
            Ok(())
        } else if row == self.operators.len() {
            self.operators.push(Operator {
                rules: std::sync::Arc::clone(rules),
                file_hash,
                date: BusinessDate::default(),
                kept: Kept::default(),
                books: [Purse::default(); BOOKS],
            });
            Ok(())
        } else {
            Err("not the next operator")
        }
    }

    /// Writes what is used of a limit; `age` matters for limits on pairs only.
    pub(crate) fn put_usage(&mut self, key: UsageKey, usage: Usage, age: Age) -> Result<(), &'static str> {
        let LimitId(row) = key.limit;
        match self.limit(key.limit).ok_or("no such limit")?.identity.subject {
            Subject::Pair => self.pair_usage.put(age, key, usage),
            Subject::Sender | Subject::Recipient | Subject::Card => {
                let subject = u32::try_from(key.subject).map_err(|_| "no such subject")?;
                if self.usage.len() <= usize::from(row) {
                    self.usage.resize_with(usize::from(row) + 1, Pages::default);
                }
                if let Some(pages) = self.usage.get_mut(usize::from(row)) {
                    pages.set(subject, usage);
                }
            }
        }
        Ok(())
    }

    /// Writes a record of the office, or removes it.
    pub(crate) fn put_record(&mut self, key: RecordKey, record: Option<Record>) -> Result<(), &'static str> {
        if record.as_ref().is_some_and(|record| record.kind() != key.kind) {
            return Err("a record of another kind than its name");
        }
        if key.kind == RecordKind::Hold {
            self.index_hold(key, record.as_ref());
        }
        if let Some(record) = &record {
            self.count(record, u32::saturating_add);
        }
        let before = match record {
            Some(record) => self.records.insert(key, record),
            None => Some(self.records.remove(&key).ok_or("no such record")?),
        };
        if let Some(before) = before {
            self.count(&before, u32::saturating_sub);
        }
        Ok(())
    }

    /// Counts a record that is there from now on, or was there until now.
    fn count(&mut self, record: &Record, change: fn(u32, u32) -> u32) {
        type Place = fn(&mut Kept) -> &mut u32;
        let (operator, place): (_, Place) = match record {
            Record::Outlet(outlet) => (Some(outlet.operator), |kept| &mut kept.outlets),
            Record::Batch(batch) => (Some(batch.operator), |kept| &mut kept.batches),
            Record::Quote(quote) => (self.outlet(quote.outlet).map(|outlet| outlet.operator), |kept| &mut kept.quotes),
            Record::Motion(motion) => (Some(motion.operator), |kept| &mut kept.motions),
            Record::Rates(_)
            | Record::Hold(_)
            | Record::Call(_)
            | Record::VoidCards(_)
            | Record::Reversed(_)
            | Record::Stopped(_)
            | Record::Takings(_)
            | Record::Issued(_) => return,
        };
        let Some(known) = operator.and_then(|id| self.operators.get_mut(usize::from(id.0))) else { return };
        let count = place(&mut known.kept);
        *count = change(*count, 1);
        if let Record::Motion(motion) = record
            && let Proposal::Rules { .. } = motion.proposal
        {
            known.kept.rules_motions = change(known.kept.rules_motions, 1);
        }
    }

    fn index_hold(&mut self, key: RecordKey, record: Option<&Record>) {
        let seq = Seq(key.id);
        if let Some(Record::Hold(known)) = self.records.get(&key) {
            let (sender, recipient, minor) = (known.sender, known.recipient, known.amount.minor());
            let left = self.holds.get_mut(&sender).map_or(0, |holds| {
                holds.retain(|hold| *hold != seq);
                holds.len()
            });
            if left == 0 {
                self.holds.remove(&sender);
            }
            let waiting = self.held_for(recipient).saturating_sub(minor);
            if waiting == 0 {
                self.held_for.remove(&recipient);
            } else {
                self.held_for.insert(recipient, waiting);
            }
        }
        if let Some(Record::Hold(hold)) = record {
            self.holds.entry(hold.sender).or_default().push(seq);
            let waiting = self.held_for.entry(hold.recipient).or_default();
            *waiting = waiting.saturating_add(hold.amount.minor());
        }
    }

    pub(crate) fn purse_mut(&mut self, account: AccountId) -> Option<&mut Purse> {
        match account {
            AccountId::Card(id) => self.cards.get_mut(id.0 as usize).map(|card| &mut card.purse),
            AccountId::Airtime(id) => self.subscribers.get_mut(id.0 as usize).map(|row| &mut row.airtime),
            AccountId::FeeIncome(operator)
            | AccountId::TaxPayable(operator)
            | AccountId::CallIncome(operator)
            | AccountId::Breakage(operator)
            | AccountId::Position(operator) => {
                self.operators.get_mut(usize::from(operator.0))?.books.get_mut(book_index(account)?)
            }
            AccountId::Refunded(_)
            | AccountId::Held(_)
            | AccountId::Cash(..)
            | AccountId::CashPosition(..)
            | AccountId::Float(..) => {
                self.owner(account)?;
                Some(self.ledger.entry(account).or_default())
            }
        }
    }
}
