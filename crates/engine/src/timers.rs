//! Timers: nothing happens by itself, so a timer submits an ordinary command when something is due.
//!
//! Guarantees: what is due has one id (its kind and its row or seq), so that a timer that fires twice, or again after a
//! restart, is a repeat. Until it has fired `decide` treats the thing as due by the instant anyway.
//!
//! Deliberately not here: what follows (a card expires, a held gift is posted, a reservation is given back).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::card::CardState;
use domain::command::{Body, Command};
use domain::id::CommandId;
use domain::ids::CardId;
use domain::office::{RecordKey, RecordKind};
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::Change;

use crate::answer::Answer;
use crate::follower::{Follow, FollowFault};
use crate::handle::Handle;
use crate::journal::Batch;

/// The kind in the id of a card's expiry.
const KIND_EXPIRY: u8 = 1;
/// The kind in the id of a record's end, plus that of the record.
const KIND_RECORD: u8 = 16;
/// Bits that an internal id has for its cause, and how many of them are the record's own.
const ID_BITS: u32 = 62;
const SEQ_BITS: u32 = 40;
/// A timer's command is worth deciding for so long.
const DECIDE_WITHIN_S: i64 = 60;
/// Commands submitted at one go, so that gifts come in between.
const AT_ONCE_MAX: usize = 256;
/// Between two looks at the clock while there is always something new.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// A card expires.
    Card(CardId),
    /// The time of a record of the office is over: as often as it was set, for a call may be extended.
    Record(RecordKey, Timestamp),
}

impl Due {
    /// The command that says so.
    pub fn command(self, now: Timestamp) -> Command {
        let (id, body) = match self {
            Self::Card(card) => (CommandId::internal(KIND_EXPIRY, u64::from(card.0)), Body::ExpireCard(card)),
            // A call that was extended is due again: the seconds of the instant make that another id.
            Self::Record(key, due) => {
                let seconds = due.ms().unsigned_abs() / 1000 % (1 << (ID_BITS - SEQ_BITS));
                let cause = (seconds << SEQ_BITS) | (key.id % (1 << SEQ_BITS));
                (CommandId::internal(kind_of(key.kind), cause), Body::Due(key))
            }
        };
        Command { id, decide_before: now.plus_s(DECIDE_WITHIN_S), body }
    }
}

/// The kind in the id of a record's end.
fn kind_of(kind: RecordKind) -> u8 {
    let place = RecordKind::ALL.iter().position(|known| *known == kind).unwrap_or(RecordKind::ALL.len());
    KIND_RECORD.saturating_add(u8::try_from(place).unwrap_or(0))
}

/// Everything that will be due, by its instant.
#[derive(Debug)]
pub struct DueTimer {
    due: BinaryHeap<Reverse<(Timestamp, Due)>>,
    /// Records that are still there: what ended otherwise is not due any more.
    open: HashSet<RecordKey>,
    handle: Handle,
    looked: Instant,
}

impl DueTimer {
    /// Goes on from what a loaded state says is due.
    pub fn new(due: Vec<(Timestamp, Due)>, handle: Handle) -> Self {
        let record = |due: &Due| if let Due::Record(key, _) = due { Some(*key) } else { None };
        let open = due.iter().filter_map(|(_, due)| record(due)).collect();
        Self { due: due.into_iter().map(Reverse).collect(), open, handle, looked: Instant::now() }
    }

    fn fire(&mut self) -> Result<(), FollowFault> {
        self.looked = Instant::now();
        let now = self.handle.now();
        let mut fired = Vec::new();
        while fired.len() < AT_ONCE_MAX
            && let Some(Reverse((at, due))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            let gone = matches!(due, Due::Record(key, _) if !self.open.contains(&key));
            if !gone {
                fired.push(due);
            }
        }
        if fired.is_empty() {
            return Ok(());
        }
        let commands = fired.iter().map(|due| due.command(now)).collect();
        let mut later = 0;
        for (due, answer) in fired.into_iter().zip(self.handle.submit_bulk(commands).wait()) {
            if !matches!(answer, Answer::Verdict(_)) {
                later += 1;
                self.due.push(Reverse((now.plus_s(1), due)));
            }
        }
        if later > 0 { Err(FollowFault(format!("{later} things that are due have to wait"))) } else { Ok(()) }
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::Card { id, facts } if facts.expires_at < Timestamp::MAX => {
                self.due.push(Reverse((facts.expires_at, Due::Card(*id))));
            }
            Change::Record { key, record } => match record.as_ref().map(domain::office::Record::due_at) {
                Some(Some(at)) => {
                    self.open.insert(*key);
                    self.due.push(Reverse((at, Due::Record(*key, at))));
                }
                Some(None) => {}
                None => drop(self.open.remove(key)),
            },
            _ => {}
        }
    }
}

/// What of a state will be due, with the instant: read before the decider takes the state over.
pub fn dues(state: &State) -> Vec<(Timestamp, Due)> {
    let open = |card_state: &CardState| match card_state {
        CardState::Printed { .. }
        | CardState::InStock { .. }
        | CardState::Sold { .. }
        | CardState::Bound { .. }
        | CardState::Frozen { .. } => true,
        CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. } => false,
    };
    let cards = state
        .cards()
        .filter(|(_, card)| card.facts.expires_at < Timestamp::MAX && open(&card.facts.state))
        .map(|(id, card)| (card.facts.expires_at, Due::Card(id)));
    let records = state.records().filter_map(|(key, record)| record.due_at().map(|at| (at, Due::Record(key, at))));
    cards.chain(records).collect()
}

impl Follow for DueTimer {
    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        for change in batch.entries.iter().flat_map(|entry| &entry.verdict.effects.changes) {
            self.note(change);
        }
        // On a busy server a follower is never idle.
        if self.looked.elapsed() >= LOOK_EVERY
            && let Err(fault) = self.fire()
        {
            tracing::warn!(%fault, "the timer tries again");
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.fire()
    }

    fn end(&mut self) -> Result<(), FollowFault> {
        Ok(())
    }
}
