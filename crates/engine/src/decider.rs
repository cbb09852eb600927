//! The decider: owns the whole state, decides a batch in memory, and keeps the append that makes it durable.
//!
//! No thread, no clock, no disk of its own: [`crate::handle`] drives it, and so does the simulator, step by step:
//! [`decide`](Decider::decide) → append → [`confirm`](Decider::confirm). No answer may leave before `confirm`.
//!
//! Guarantees: an id gets one verdict; a command past its `decide_before` is dropped unjournaled; the state after a
//! batch equals the fold of the journal with its append.

use std::sync::Arc;

use domain::card::CardState;
use domain::command::Command;
use domain::decide::decide;
use domain::id::CommandId;
use domain::ids::{CardId, Language, Serial, SubscriberId};
use domain::office::{Record, RecordKey};
use domain::receipt::Seq;
use domain::state::{Card, Standing, State};
use domain::time::Timestamp;
use domain::verdict::{Change, Effects, Entry};

use crate::answer::{
    Answer, CARDS_COUNTED_MAX, CardCount, CardView, Directory, Query, RECORDS_MAX, Records, Reply, Seen as At,
    StatusView, SubscriberView, View,
};
use crate::ids::{Fingerprint, Ids, Seen};
use crate::journal::{Batch, Draft, Head, Link};
use crate::replica::Replica;

/// A command with the fingerprint of its body, made on the caller's thread.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What is asked.
    pub command: Command,
    /// Of its body.
    pub fingerprint: Fingerprint,
}

impl Submission {
    /// Fingerprints a command.
    pub fn new(command: Command) -> Self {
        let fingerprint = Fingerprint::of(&command.body);
        Self { command, fingerprint }
    }
}

/// An answer as the decider gives it: a repeat still has to be read from the journal, off the decider's thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Early {
    /// Complete.
    Answer(Answer),
    /// Decided before: the entry has the answer.
    Repeat {
        /// The entry.
        seq: Seq,
        /// The caller's language now.
        language: Language,
    },
}

/// A batch that is decided and not durable yet.
#[derive(Debug)]
pub struct Pending {
    /// What makes it durable; `None` when nothing in it was new.
    pub link: Option<Link>,
    /// Its entries, for followers; `None` like the link.
    pub batch: Option<Arc<Batch>>,
    /// One for each command, in order. They must not leave before [`Decider::confirm`].
    pub answers: Vec<Early>,
    /// The first `decide_before` in it: when an append that finds no room is given up.
    pub decide_before: Timestamp,
}

/// Commands whose rows are fetched before the first of them is decided: enough to hide the wait for memory, few enough
/// that what was fetched is still in the cache when its turn comes.
const TOUCH_AHEAD: usize = 32;

/// A batch being decided.
struct Work {
    at: Timestamp,
    draft: Draft,
    entries: Vec<Entry>,
    fingerprints: Vec<Fingerprint>,
    answers: Vec<Early>,
    decide_before: Timestamp,
}

impl Work {
    fn new(at: Timestamp, room: usize, bytes_per_entry: usize) -> Self {
        Self {
            at,
            draft: Draft::new(at, 64 + room * bytes_per_entry),
            entries: Vec::with_capacity(room),
            fingerprints: Vec::with_capacity(room),
            answers: Vec::with_capacity(room),
            decide_before: Timestamp::MAX,
        }
    }

    /// What to make room for next time.
    fn bytes_per_entry(&self) -> Option<usize> {
        Some(self.draft.len().checked_div(self.entries.len())? + 16)
    }

    fn finish(self, head: &Head) -> Pending {
        let Self { at, draft, entries, fingerprints, answers, decide_before } = self;
        if entries.is_empty() {
            return Pending { link: None, batch: None, answers, decide_before };
        }
        let link = draft.finish(head);
        let batch = Batch { first_seq: link.first_seq, at, entries, fingerprints, hash: link.hash };
        Pending { link: Some(link), batch: Some(Arc::new(batch)), answers, decide_before }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Decider {
    /// Between `decide` and `confirm` state and ids are ahead of its head.
    replica: Replica,
    directory: Arc<Directory>,
    /// Rules or generations changed in a batch that is not durable yet.
    next_directory: Option<Directory>,
    bytes_per_entry: usize,
}

impl Decider {
    /// Goes on from what was loaded.
    pub fn new(replica: Replica) -> Self {
        let directory = Arc::new(directory_of(&replica.state));
        Self { replica, directory, next_directory: None, bytes_per_entry: 192 }
    }

    /// Decides commands in order, all at the instant `at`, and applies what follows.
    ///
    /// The caller appends [`Pending::link`] and then calls [`confirm`](Self::confirm). If the append is given up, this
    /// decider must be dropped and folded again from the journal.
    pub fn decide(&mut self, at: Timestamp, submissions: Vec<Submission>) -> Pending {
        let mut work = Work::new(at, submissions.len(), self.bytes_per_entry);
        let mut submissions = submissions.into_iter();
        loop {
            self.touch(submissions.as_slice());
            // The chunk that was touched, then the next one.
            let before = submissions.len();
            for submission in submissions.by_ref().take(TOUCH_AHEAD) {
                self.decide_one(&mut work, submission);
            }
            if submissions.len() == before {
                break;
            }
        }
        self.bytes_per_entry = work.bytes_per_entry().unwrap_or(self.bytes_per_entry);
        work.finish(&self.replica.head)
    }

    /// Has the processor fetch the rows of the next commands side by side.
    fn touch(&self, next: &[Submission]) {
        let touched = next.iter().take(TOUCH_AHEAD).fold(0, |all, submission| {
            all ^ self.replica.state.touch(&submission.command.body) ^ self.replica.ids.touch(submission.command.id)
        });
        core::hint::black_box(touched);
    }

    fn decide_one(&mut self, work: &mut Work, submission: Submission) {
        let at = work.at;
        let Submission { command, fingerprint } = submission;
        // First of all: a late repeat of what was done must not hear that it never will be.
        if let Some(early) = self.seen_before(&command, fingerprint, at) {
            work.answers.push(early);
            return;
        }
        if command.decide_before <= at {
            work.answers.push(Early::Answer(Answer::NotDone));
            return;
        }
        let seq = self.replica.state.seq().next();
        let verdict = decide(&self.replica.state, &command.body, at);
        self.apply((seq, at), (command.id, fingerprint), &verdict.effects);
        let (language, outcome) = (self.language(&command), verdict.outcome.clone());
        work.answers.push(Early::Answer(Answer::Verdict(Reply { seq, at, outcome, language, repeated: false })));
        work.decide_before = work.decide_before.min(command.decide_before);
        let entry = Entry { id: command.id, body: command.body, verdict };
        work.draft.push(&entry);
        work.entries.push(entry);
        work.fingerprints.push(fingerprint);
    }

    fn seen_before(&self, command: &Command, fingerprint: Fingerprint, at: Timestamp) -> Option<Early> {
        let answer = match self.replica.ids.check(command.id, fingerprint, at) {
            Seen::New => return None,
            Seen::Same(seq) => return Some(Early::Repeat { seq, language: self.language(command) }),
            Seen::Reused => Answer::IdReused,
            Seen::TooOld => Answer::IdTooOld { floor: self.replica.ids.floor() },
            Seen::Ahead => Answer::IdAhead,
        };
        Some(Early::Answer(answer))
    }

    fn apply(&mut self, place: (Seq, Timestamp), asked: (CommandId, Fingerprint), effects: &Effects) {
        let applied = self.replica.entry(place, asked, effects);
        // What `decide` returns fits the state it was given; anything else is a bug that must not reach the books.
        assert!(applied.is_ok(), "a verdict that does not fit its own state: {applied:?}");
        for change in &effects.changes {
            if matches!(change, Change::Operator { .. } | Change::Subscriber { .. }) {
                self.note(change);
            }
        }
    }

    /// Keeps what edges must know in step with the state, to be published when it is durable.
    fn note(&mut self, change: &Change) {
        let next = self.next_directory.take();
        let unchanged = || (*self.directory).clone();
        match change {
            Change::Operator { id, rules, file_hash } => {
                let mut next = next.unwrap_or_else(unchanged);
                let row = usize::from(id.0);
                match (next.operators.get_mut(row), next.file_hashes.get_mut(row)) {
                    (Some(known), Some(hash)) => (*known, *hash) = (Arc::clone(rules), *file_hash),
                    _ => {
                        next.operators.push(Arc::clone(rules));
                        next.file_hashes.push(*file_hash);
                    }
                }
                self.next_directory = Some(next);
            }
            Change::Subscriber { facts, .. } => {
                let generation = current_generation(facts.generation, facts.standing);
                let known = next
                    .as_ref()
                    .map_or_else(|| self.directory.generation(facts.msisdn), |n| n.generation(facts.msisdn));
                if known == generation {
                    self.next_directory = next;
                } else {
                    let mut next = next.unwrap_or_else(unchanged);
                    next.generations.insert(facts.msisdn, generation);
                    self.next_directory = Some(next);
                }
            }
            _ => self.next_directory = next,
        }
    }

    /// Says that an append is durable: the head moves, and what edges must know is published.
    pub fn confirm(&mut self, link: &Link) {
        self.replica.advance(link.head());
        if let Some(next) = self.next_directory.take() {
            self.directory = Arc::new(next);
        }
    }

    /// The latest durable entry.
    pub const fn head(&self) -> Head {
        self.replica.head
    }

    /// What edges must know, as of the latest durable entry.
    pub const fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The state; ahead of the head between `decide` and `confirm`.
    pub const fn state(&self) -> &State {
        &self.replica.state
    }

    /// The ids that are remembered.
    pub const fn ids(&self) -> &Ids {
        &self.replica.ids
    }

    fn language(&self, command: &Command) -> Language {
        let Some(caller) = command.body.caller() else { return Language::default() };
        let known = self.replica.state.find_subscriber(caller.msisdn).map(|(_, row)| row.facts.language);
        let operator =
            || self.replica.state.operator(caller.operator).map(|operator| operator.rules.default_language());
        known.or_else(operator).unwrap_or_default()
    }

    /// Answers a query. Only between batches, so that what it sees is durable.
    pub fn query(&self, query: Query) -> At<View> {
        let value = match query {
            Query::Subscriber(msisdn) => View::Subscriber(
                self.replica.state.find_subscriber(msisdn).map(|(id, _)| id).and_then(|id| self.subscriber_view(id)),
            ),
            Query::Card(serial) => {
                View::Card(self.replica.state.card_of_serial(serial).and_then(|(id, _)| self.card_view(id)))
            }
            Query::Status => View::Status(self.status()),
            Query::Records { kind, from } => {
                let records = self.replica.state.records_of(kind).filter(|(id, _)| *id >= from).take(RECORDS_MAX);
                let list = records.map(|(id, record)| (RecordKey { kind, id }, record.clone())).collect();
                View::Records(self.with_numbers(list))
            }
            Query::CardStates { first, last } => View::CardStates(self.card_states(first, last)),
            Query::CardsDue { first, last, at } => {
                View::CardsDue(crate::agenda::cards_due(&self.replica.state, first, last, at))
            }
            Query::CallPrice { msisdn, cross, seconds } => {
                View::CallPrice(domain::decide::call_price(&self.replica.state, msisdn, cross, seconds))
            }
        };
        At { seq: self.replica.head.seq, value }
    }

    fn with_numbers(&self, list: Vec<(RecordKey, Record)>) -> Records {
        let named = |(_, record): &(RecordKey, Record)| match record {
            Record::Hold(hold) => [Some(hold.sender), Some(hold.recipient)],
            Record::Call(call) => [Some(call.subscriber), None],
            _ => [None, None],
        };
        let number = |id: SubscriberId| self.replica.state.subscriber(id).map(|row| (id, row.facts.msisdn));
        let numbers = list.iter().flat_map(named).flatten().filter_map(number).collect();
        Records { list, numbers }
    }

    fn subscriber_view(&self, id: SubscriberId) -> Option<SubscriberView> {
        let row = self.replica.state.subscriber(id)?;
        let locks = self.replica.state.locks().filter(|(who, ..)| *who == id);
        let number = |id: &domain::ids::SubscriberId| self.replica.state.subscriber(*id).map(|row| row.facts.msisdn);
        Some(SubscriberView {
            id,
            msisdn: row.facts.msisdn,
            operator: row.facts.operator,
            generation: row.facts.generation,
            standing: row.facts.standing,
            language: row.facts.language,
            since: row.facts.since,
            airtime_minor: row.airtime.balance_minor,
            latest: row.latest,
            cards: self.replica.state.cards_of(row).filter_map(|(card, _)| self.card_view(card)).collect(),
            locked_until: locks
                .filter_map(|(.., lock)| lock.until)
                .max()
                .filter(|until| *until > self.replica.state.at()),
            recents: self.replica.state.recents_of(row).iter().filter_map(number).collect(),
        })
    }

    fn card_view(&self, id: domain::ids::CardId) -> Option<CardView> {
        let card = self.replica.state.card(id)?;
        let holder = card.facts.state.holder().and_then(|holder| self.replica.state.subscriber(holder));
        Some(CardView {
            serial: domain::ids::Serial::of(id),
            operator: card.facts.operator,
            state: self.state_name(id, card),
            balance_minor: card.purse.balance_minor,
            holder: holder.map(|holder| holder.facts.msisdn),
            bought: card.bought,
            batch: card.facts.batch,
            issued_at: card.facts.issued_at,
            expires_at: (card.facts.expires_at < Timestamp::MAX).then_some(card.facts.expires_at),
            latest: card.purse.latest,
        })
    }

    /// A range of void cards holds whatever a card's own state says, unless that one ended already.
    fn state_name(&self, id: CardId, card: &Card) -> &'static str {
        let ended = matches!(card.facts.state, CardState::Closed { .. } | CardState::Expired { .. });
        let void = !ended && self.replica.state.void_range(domain::ids::Serial::of(id)).is_some();
        if void { "void" } else { card.facts.state.name() }
    }

    fn card_states(&self, first: Serial, last: Serial) -> Vec<CardCount> {
        let mut counts: Vec<CardCount> = Vec::new();
        let last = Serial(last.0.min(first.0.saturating_add(CARDS_COUNTED_MAX - 1)));
        for (id, card) in (first.0..=last.0).filter_map(|serial| self.replica.state.card_of_serial(Serial(serial))) {
            let (state, balance_minor) = (self.state_name(id, card), card.purse.balance_minor);
            match counts.iter_mut().find(|count| count.state == state) {
                Some(count) => {
                    count.cards += 1;
                    count.balance_minor = count.balance_minor.saturating_add(balance_minor);
                }
                None => counts.push(CardCount { state, cards: 1, balance_minor }),
            }
        }
        counts
    }

    fn status(&self) -> StatusView {
        StatusView {
            seq: self.replica.head.seq,
            at: self.replica.head.at,
            operators: self.replica.state.operators().map(|(_, o)| (o.rules.operator.clone(), o.date)).collect(),
            subscribers: self.replica.state.rows().0,
            cards: self.replica.state.rows().1,
            ids: self.replica.ids.len(),
            pair_usage: self.replica.state.usage_len().1,
            ids_floor: self.replica.ids.floor(),
            closed: None,
        }
    }
}

/// The generation that the next caller with a number belongs to.
const fn current_generation(generation: u16, standing: Standing) -> u16 {
    match standing {
        Standing::Active | Standing::Barred => generation,
        Standing::Released => generation.saturating_add(1),
    }
}

fn directory_of(state: &State) -> Directory {
    let generations = state
        .subscribers()
        .map(|(_, row)| (row.facts.msisdn, current_generation(row.facts.generation, row.facts.standing)))
        .filter(|(_, generation)| *generation != 1);
    // Rows of one number come in the order of its generations: the last one is the current one.
    Directory {
        operators: state.operators().map(|(_, operator)| Arc::clone(&operator.rules)).collect(),
        file_hashes: state.operators().map(|(_, operator)| operator.file_hash).collect(),
        generations: generations.collect(),
    }
}
