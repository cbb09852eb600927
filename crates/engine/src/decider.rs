//! The decider: owns the whole state, decides a batch in memory, and keeps the append that makes it durable.
//!
//! No thread, no clock, no disk of its own: [`crate::handle`] drives it, and so does the simulator, step by step:
//! [`decide`](Decider::decide) → append → [`confirm`](Decider::confirm). No answer may leave before `confirm`.
//!
//! Guarantees: an id gets one verdict; a command past its `decide_before` is dropped unjournaled, and so is one whose id
//! could not be remembered; the state after a batch equals the fold of the journal with its append.

use std::sync::Arc;

use domain::command::Command;
use domain::decide::decide;
use domain::effects::Effects;
use domain::id::CommandId;
use domain::ids::Language;
use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::Entry;

use crate::answer::{Answer, Closed, Query, Reply, Seen as At, View};
use crate::directory::{Directory, Next};
use crate::ids::{Fingerprint, Ids, Seen};
use crate::journal::{Batch, Draft, Head, Link};
use crate::queries;
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
}

/// The answers of a batch whose append found no room: nothing of it is in the journal, and nothing ever will be. What was
/// durable before it (`head`) is told as ever.
pub fn given_up(answers: Vec<Early>, head: Seq) -> Vec<Early> {
    let none = || Early::Answer(Answer::Closed(Closed::Disk));
    let told = |early| match early {
        Early::Repeat { seq, .. } if seq > head => none(),
        // Another content may have stood in this batch only.
        Early::Answer(Answer::Verdict(_) | Answer::IdReused) => none(),
        Early::Repeat { .. } | Early::Answer(_) => early,
    };
    answers.into_iter().map(told).collect()
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
}

impl Work {
    fn new(at: Timestamp, room: usize, bytes_per_entry: usize) -> Self {
        Self {
            at,
            draft: Draft::new(at, 64 + room * bytes_per_entry),
            entries: Vec::with_capacity(room),
            fingerprints: Vec::with_capacity(room),
            answers: Vec::with_capacity(room),
        }
    }

    /// What to make room for next time.
    fn bytes_per_entry(&self) -> Option<usize> {
        Some(self.draft.len().checked_div(self.entries.len())? + 16)
    }

    fn finish(self, head: &Head) -> Pending {
        let Self { at, draft, entries, fingerprints, answers } = self;
        if entries.is_empty() {
            return Pending { link: None, batch: None, answers };
        }
        let link = draft.finish(head);
        let batch = Batch { first_seq: link.first_seq, at, entries, fingerprints, hash: link.hash };
        Pending { link: Some(link), batch: Some(Arc::new(batch)), answers }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Decider {
    /// Between `decide` and `confirm` state and ids are ahead of its head.
    replica: Replica,
    directory: Next,
    bytes_per_entry: usize,
    /// Commands that found no room for their ids.
    without_room: u64,
}

impl Decider {
    /// Goes on from what was loaded.
    pub fn new(replica: Replica) -> Self {
        let directory = Next::new(Directory::of(&replica.state));
        Self { replica, directory, bytes_per_entry: 192, without_room: 0 }
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
        if !self.replica.ids.has_room(command.id, at) {
            self.without_room += 1;
            work.answers.push(Early::Answer(Answer::Busy));
            return;
        }
        let seq = self.replica.state.seq().next();
        let verdict = decide(&self.replica.state, &command.body, at);
        self.apply((seq, at), (command.id, fingerprint), &verdict.effects);
        let (language, outcome) = (self.language(&command), verdict.outcome.clone());
        work.answers.push(Early::Answer(Answer::Verdict(Reply { seq, at, outcome, language, repeated: false })));
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
        effects.changes.iter().for_each(|change| self.directory.note(change));
    }

    /// Says that an append is durable: the head moves, and what edges must know is published.
    pub fn confirm(&mut self, link: &Link) {
        self.replica.advance(link.head());
        self.directory.durable();
    }

    /// The latest durable entry.
    pub const fn head(&self) -> Head {
        self.replica.head
    }

    /// What edges must know, as of the latest durable entry.
    pub const fn directory(&self) -> &Arc<Directory> {
        self.directory.now()
    }

    /// The state; ahead of the head between `decide` and `confirm`.
    pub const fn state(&self) -> &State {
        &self.replica.state
    }

    /// The ids that are remembered.
    pub const fn ids(&self) -> &Ids {
        &self.replica.ids
    }

    /// How many commands found no room for their ids so far.
    pub const fn without_room(&self) -> u64 {
        self.without_room
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
        At { seq: self.replica.head.seq, value: queries::answer(&self.replica.state, query) }
    }
}
