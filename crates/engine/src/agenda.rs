//! Everything that will be due, as a pure machine: changes and answers go in, what to submit comes out.
//!
//! Guarantees: each thing that is open stands here once, at the instant at which it is due now: one that was extended or
//! ended leaves nothing behind. What was submitted and is still open is submitted again, each time under another id.
//!
//! Bounded by the open records, and by the cards that can expire: those of one entry in one item.
//!
//! Deliberately not here: clocks, threads, what follows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::card::CardState;
use domain::command::{Body, Command};
use domain::effects::Change;
use domain::id::{CommandId, TimerCause};
use domain::ids::CardId;
use domain::office::{Record, RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::Outcome;

use crate::answer::{Answer, CardsDue};

/// Cards that are looked at together: gifts wait for it.
pub const CARDS_AT_ONCE_MAX: u32 = 256;

/// The kind in the id of a card's expiry.
const KIND_EXPIRY: u8 = 1;
/// The kind in the id of a record's end, plus that of the record.
const KIND_RECORD: u8 = 16;
/// A timer's command is worth deciding for so long.
const DECIDE_WITHIN_S: i64 = 60;
/// What had no verdict is submitted again after this, under the same id.
const BUSY_WAIT_MS: i64 = 1_000;
/// The first wait after a refusal; it doubles each time…
const REFUSED_WAIT_MS: i64 = 1_000;
/// …up to this: each of them is an entry.
const REFUSED_WAIT_MAX_MS: i64 = 3_600_000;
/// What is done and does not leave is looked at again after this.
const DONE_WAIT_MS: i64 = 60_000;
/// A card whose time is over and that can't expire now (a rule has made it void, which another rule may undo) is looked at
/// again after this.
const LATER_MS: i64 = 86_400_000;

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// A card expires.
    Card(CardId),
    /// The time of a record of the office is over.
    Record(RecordKey),
}

/// Something to submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shot {
    /// What.
    pub due: Due,
    /// Since when it is due.
    pub at: Timestamp,
    /// The latest verdict about it that did not end it; 0: none yet.
    pub after: Seq,
}

impl Shot {
    /// The command that says so. Its id names the thing, the instant that it is due at now, and the verdict before: one
    /// that was extended, and one whose verdict did not end it, has another.
    pub fn command(self, now: Timestamp) -> Command {
        let (kind, thing, body) = match self.due {
            Due::Card(card) => (KIND_EXPIRY, u64::from(card.0), Body::ExpireCard(card)),
            Due::Record(key) => (kind_of(key.kind), key.id, Body::Due(key)),
        };
        let id = CommandId::timer(&TimerCause { kind, thing, due: self.at, after: self.after });
        Command { id, decide_before: now.plus_s(DECIDE_WITHIN_S), body }
    }
}

/// The kind in the id of a record's end.
fn kind_of(kind: RecordKind) -> u8 {
    let place = RecordKind::ALL.iter().position(|known| *known == kind).unwrap_or(RecordKind::ALL.len());
    KIND_RECORD.saturating_add(u8::try_from(place).unwrap_or(0))
}

/// Cards in a row that expire together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cards {
    /// The first row.
    pub first: CardId,
    /// The last row.
    pub last: CardId,
    /// When.
    pub expires_at: Timestamp,
    /// The latest verdict about a single one that did not end it; 0: none yet.
    pub after: Seq,
}

impl Cards {
    /// What expires of them.
    pub const fn shot(&self, card: CardId) -> Shot {
        Shot { due: Due::Card(card), at: self.expires_at, after: self.after }
    }
}

/// What is due now.
#[derive(Debug, Default)]
pub struct Taken {
    /// To be submitted, and [answered](Agenda::answered).
    pub records: Vec<Shot>,
    /// To be looked at first ([`cards_due`]) and said to [`Agenda::looked`], for a card may have ended otherwise.
    pub cards: Vec<Cards>,
}

/// A record that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    due: Timestamp,
    next: Timestamp,
    after: Seq,
    refusals: u32,
}

/// In the queue: a record, or the first of cards in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Record(RecordKey),
    Cards(CardId),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Agenda {
    queue: BTreeSet<(Timestamp, Place)>,
    records: HashMap<RecordKey, Open>,
    cards: BTreeMap<CardId, (Cards, Timestamp)>,
}

impl Agenda {
    /// What a state says.
    pub fn new(state: &State) -> Self {
        let mut agenda = Self::default();
        for (id, card) in state.cards().filter(|(_, card)| !is_ended(&card.facts.state)) {
            agenda.card(id, card.facts.expires_at);
        }
        for (key, record) in state.records() {
            agenda.record(key, record.due_at());
        }
        agenda
    }

    /// A durable entry changed something.
    pub fn note(&mut self, change: &Change) {
        match change {
            Change::Card { id, facts } => self.card(*id, facts.expires_at),
            Change::Record { key, record } => self.record(*key, record.as_ref().and_then(Record::due_at)),
            // A card that ended is noticed when its time comes: until then it shares its item with others.
            Change::CardState { .. }
            | Change::Lock { .. }
            | Change::Gave { .. }
            | Change::Held { .. }
            | Change::ToppedUp { .. }
            | Change::Refused { .. }
            | Change::Subscriber { .. }
            | Change::BindWrong { .. }
            | Change::Operator { .. }
            | Change::Bought { .. }
            | Change::Forgotten { .. }
            | Change::Recent { .. }
            | Change::Limit { .. }
            | Change::Turn { .. } => {}
        }
    }

    fn card(&mut self, id: CardId, expires_at: Timestamp) {
        if expires_at == Timestamp::MAX {
            return;
        }
        if let Some((_, (cards, next))) = self.cards.range_mut(..id).next_back()
            && cards.last.0.checked_add(1) == Some(id.0)
            && cards.expires_at == expires_at
            && *next == expires_at
            && cards.after == Seq::ZERO
        {
            cards.last = id;
            return;
        }
        self.put_cards(Cards { first: id, last: id, expires_at, after: Seq::ZERO }, expires_at);
    }

    fn put_cards(&mut self, cards: Cards, next: Timestamp) {
        self.queue.insert((next, Place::Cards(cards.first)));
        self.cards.insert(cards.first, (cards, next));
    }

    fn record(&mut self, key: RecordKey, due: Option<Timestamp>) {
        let known = self.records.get(&key).copied();
        if known.map(|known| known.due) == due {
            return;
        }
        if let Some(known) = known {
            self.queue.remove(&(known.next, Place::Record(key)));
            self.records.remove(&key);
        }
        if let Some(due) = due {
            self.put_record(key, Open { due, next: due, after: Seq::ZERO, refusals: 0 });
        }
    }

    fn put_record(&mut self, key: RecordKey, open: Open) {
        self.queue.insert((open.next, Place::Record(key)));
        self.records.insert(key, open);
    }

    /// Takes what is due, at most so many records, and cards in a row. Each must be answered before the next change is noted.
    pub fn take(&mut self, now: Timestamp, most: usize) -> Taken {
        let mut taken = Taken::default();
        while taken.records.len() + taken.cards.len() < most
            && let Some((next, place)) = self.queue.first().copied()
            && next <= now
        {
            self.queue.remove(&(next, place));
            match place {
                Place::Record(key) => taken.records.extend(self.records.get(&key).map(|open| open.shot(key))),
                Place::Cards(first) => taken.cards.extend(self.part(first)),
            }
        }
        taken
    }

    /// The first of cards in a row; what is over stays.
    fn part(&mut self, first: CardId) -> Option<Cards> {
        let (cards, next) = self.cards.remove(&first)?;
        let last = CardId(first.0.saturating_add(CARDS_AT_ONCE_MAX - 1));
        if last >= cards.last {
            return Some(cards);
        }
        self.put_cards(Cards { first: CardId(last.0.saturating_add(1)), ..cards }, next);
        Some(Cards { last, ..cards })
    }

    /// What came of a shot at a record.
    pub fn answered(&mut self, shot: &Shot, answer: &Answer, now: Timestamp) {
        match shot.due {
            Due::Record(key) => self.record_answered(key, answer, now),
            Due::Card(card) => self.card_answered(card, shot, answer, now),
        }
    }

    fn record_answered(&mut self, key: RecordKey, answer: &Answer, now: Timestamp) {
        let Some(open) = self.records.get(&key).copied() else { return };
        let open = match answer {
            // What is done leaves with the entry that says so.
            Answer::Verdict(reply) if matches!(reply.outcome, Outcome::Done(_)) => {
                Open { next: now.plus_ms(DONE_WAIT_MS), after: reply.seq, ..open }
            }
            Answer::Verdict(reply) => {
                let wait_ms = (REFUSED_WAIT_MS << open.refusals.min(16)).min(REFUSED_WAIT_MAX_MS);
                let refusals = open.refusals.saturating_add(1);
                Open { next: now.plus_ms(wait_ms), after: reply.seq, refusals, ..open }
            }
            // The same id again, whatever it was.
            Answer::IdReused
            | Answer::IdTooOld { .. }
            | Answer::IdAhead
            | Answer::Busy
            | Answer::Closed(_)
            | Answer::NotDone
            | Answer::Unknown => Open { next: now.plus_ms(BUSY_WAIT_MS), ..open },
        };
        self.put_record(key, open);
    }

    fn card_answered(&mut self, card: CardId, shot: &Shot, answer: &Answer, now: Timestamp) {
        let alone = Cards { first: card, last: card, expires_at: shot.at, after: shot.after };
        match answer {
            Answer::Verdict(reply) if matches!(reply.outcome, Outcome::Done(_)) => {}
            Answer::Verdict(reply) => {
                self.put_cards(Cards { after: reply.seq, ..alone }, now.plus_ms(REFUSED_WAIT_MAX_MS));
            }
            Answer::IdReused
            | Answer::IdTooOld { .. }
            | Answer::IdAhead
            | Answer::Busy
            | Answer::Closed(_)
            | Answer::NotDone
            | Answer::Unknown => self.put_cards(alone, now.plus_ms(BUSY_WAIT_MS)),
        }
    }

    /// What was found of cards whose time came: what expires now is to be submitted, and the rest waits. `None`: nobody
    /// could look.
    pub fn looked(&mut self, cards: &Cards, found: Option<&CardsDue>, now: Timestamp) -> Vec<Shot> {
        let Some(found) = found else {
            self.put_cards(*cards, now.plus_ms(BUSY_WAIT_MS));
            return Vec::new();
        };
        let mut waiting: Option<Cards> = None;
        for id in &found.later {
            match &mut waiting {
                Some(row) if row.last.0.checked_add(1) == Some(id.0) => row.last = *id,
                _ => {
                    let begun = waiting.replace(Cards { first: *id, last: *id, ..*cards });
                    begun.into_iter().for_each(|row| self.put_cards(row, now.plus_ms(LATER_MS)));
                }
            }
        }
        waiting.into_iter().for_each(|row| self.put_cards(row, now.plus_ms(LATER_MS)));
        found.now.iter().map(|card| cards.shot(*card)).collect()
    }

    /// Items in it.
    pub fn len(&self) -> usize {
        self.records.len() + self.cards.len()
    }

    /// Whether nothing will be due.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Open {
    const fn shot(&self, key: RecordKey) -> Shot {
        Shot { due: Due::Record(key), at: self.due, after: self.after }
    }
}

/// Whether a card has ended, so that it never expires.
const fn is_ended(state: &CardState) -> bool {
    match state {
        CardState::Printed { .. }
        | CardState::InStock { .. }
        | CardState::Sold { .. }
        | CardState::Bound { .. }
        | CardState::Frozen { .. } => false,
        CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. } => true,
    }
}

/// Which of these cards expire now: those that deciding would say so of. The others have ended, or can't yet.
pub fn cards_due(state: &State, first: CardId, last: CardId, at: Timestamp) -> CardsDue {
    let last = last.0.min(first.0.saturating_add(CARDS_AT_ONCE_MAX - 1));
    let mut found = CardsDue::default();
    for id in (first.0..=last).map(CardId) {
        let Some(card) = state.card(id).filter(|card| !is_ended(&card.facts.state)) else { continue };
        let is_due = card.facts.expires_at <= at;
        let verdict = is_due.then(|| domain::decide::decide(state, &Body::ExpireCard(id), at));
        if verdict.is_some_and(|verdict| matches!(verdict.outcome, Outcome::Done(_))) {
            found.now.push(id);
        } else {
            found.later.push(id);
        }
    }
    found
}

#[cfg(test)]
mod tests;
