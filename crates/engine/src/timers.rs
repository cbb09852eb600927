//! Timers: nothing happens by itself, so a timer submits an ordinary command when something is due.
//!
//! Guarantees: a timer that fires twice, or again after a restart, is a repeat, for its id names the thing and the instant
//! at which it is due ([`Agenda`]); a thing that was extended has another timer, and one whose command was refused is tried
//! again while it is open. Until it has fired `decide` treats the thing as due by the instant anyway.
//!
//! Bounded by [`Agenda`]; [`AT_ONCE_MAX`] commands are under way at a time, so that gifts come in between.
//!
//! Deliberately not here: what follows (a card expires, a held gift is posted, a reservation is given back).

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::state::State;

use crate::answer::{Answer, Query, View};
use crate::follower::{Follow, FollowFault};
use crate::handle::Handle;
use crate::journal::Batch;

pub use crate::agenda::{Agenda, CARDS_AT_ONCE_MAX, Cards, Due, Shot, Taken, cards_due};

/// Commands submitted at one go. A queue that has no room for so many is asked for fewer.
const AT_ONCE_MAX: usize = 1_024;
/// Between two looks at the clock while there is always something new.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What has become due is worked off for so long before the follower reads on.
const WORK_MAX: Duration = Duration::from_millis(500);

/// The follower that fires what is due.
#[derive(Debug)]
pub struct DueTimer {
    agenda: Agenda,
    handle: Handle,
    looked: Instant,
    at_once: usize,
}

/// Whether a look at the clock found as much as fits one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// There may be more.
    AsMuchAsFits,
    All,
}

impl DueTimer {
    /// Goes on from what a loaded state says is due.
    pub fn new(agenda: Agenda, handle: Handle) -> Self {
        Self { agenda, handle, looked: Instant::now(), at_once: AT_ONCE_MAX }
    }

    fn work(&mut self) -> Result<(), FollowFault> {
        let began = Instant::now();
        while goes_on(self.fire()?, began.elapsed()) {}
        Ok(())
    }

    fn fire(&mut self) -> Result<Found, FollowFault> {
        self.looked = Instant::now();
        let now = self.handle.now();
        let taken = self.agenda.take(now, self.at_once);
        let found = found(&taken, self.at_once);
        let mut shots = taken.records;
        for cards in &taken.cards {
            let query = Query::CardsDue { first: cards.first, last: cards.last, at: now };
            let seen = self.handle.query_blocking(query).map(|seen| seen.value);
            let due = if let Some(View::CardsDue(due)) = &seen { Some(due) } else { None };
            shots.extend(self.agenda.looked(cards, due, now));
        }
        let mut waiting = 0;
        for shots in shots.chunks(self.at_once) {
            waiting += self.submit(shots);
        }
        match waiting {
            0 => Ok(found),
            _ => Err(FollowFault(format!("{waiting} things that are due have to wait"))),
        }
    }

    /// Submits and takes the answers in; how many had no verdict.
    fn submit(&mut self, shots: &[Shot]) -> usize {
        let now = self.handle.now();
        let commands = shots.iter().map(|shot| shot.command(now)).collect();
        let answers = self.handle.submit_bulk(commands).wait();
        self.at_once = next_go(self.at_once, &answers);
        let mut waiting = 0;
        for (shot, answer) in shots.iter().zip(&answers) {
            self.agenda.answered(shot, answer, now);
            waiting += usize::from(!matches!(answer, Answer::Verdict(_)));
        }
        waiting
    }
}

/// Whether a look found all that is due.
const fn found(taken: &Taken, at_once: usize) -> Found {
    if taken.records.len() + taken.cards.len() < at_once { Found::All } else { Found::AsMuchAsFits }
}

/// Whether another look follows at once.
fn goes_on(found: Found, worked: Duration) -> bool {
    found == Found::AsMuchAsFits && worked < WORK_MAX
}

/// How many are submitted at the next go: half as many when the queue had no room for these, else twice as many.
fn next_go(at_once: usize, answers: &[Answer]) -> usize {
    let busy = answers.iter().all(|answer| *answer == Answer::Busy);
    let next = if busy { at_once / 2 } else { at_once * 2 };
    next.clamp(1, AT_ONCE_MAX)
}

/// What of a state will be due: read before the decider takes the state over.
pub fn dues(state: &State) -> Agenda {
    Agenda::new(state)
}

impl Follow for DueTimer {
    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        for change in batch.entries.iter().flat_map(|entry| &entry.verdict.effects.changes) {
            self.agenda.note(change);
        }
        // On a busy server a follower is never idle.
        if self.looked.elapsed() >= LOOK_EVERY
            && let Err(fault) = self.work()
        {
            tracing::warn!(%fault, "the timer tries again");
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.work()
    }

    fn end(&mut self) -> Result<(), FollowFault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::CardId;
    use domain::office::{RecordKey, RecordKind};
    use domain::receipt::Seq;
    use domain::time::Timestamp;

    use super::{AT_ONCE_MAX, Cards, Duration, Found, Taken, WORK_MAX, found, goes_on, next_go};
    use crate::agenda::{Due, Shot};
    use crate::answer::Answer;

    #[test]
    fn a_queue_without_room_is_asked_for_half_as_much_and_then_for_more_again() {
        let (busy, done) = (Answer::Busy, Answer::NotDone);
        for (at_once, answers, next) in [
            (AT_ONCE_MAX, vec![busy.clone(), busy.clone()], AT_ONCE_MAX / 2),
            (5, vec![busy.clone()], 2),
            (1, vec![busy.clone()], 1),
            (5, vec![busy, done.clone()], 10),
            (1, vec![done.clone()], 2),
            (AT_ONCE_MAX / 2 + 1, vec![done.clone()], AT_ONCE_MAX),
            (AT_ONCE_MAX, vec![done], AT_ONCE_MAX),
        ] {
            assert_eq!(next_go(at_once, &answers), next, "{at_once} {answers:?}");
        }
    }

    #[test]
    fn it_works_on_while_there_may_be_more_and_gifts_don_t_wait_for_long() {
        let nearly = WORK_MAX.saturating_sub(Duration::from_nanos(1));
        for (found, worked, more) in [
            (Found::AsMuchAsFits, Duration::ZERO, true),
            (Found::AsMuchAsFits, nearly, true),
            (Found::AsMuchAsFits, WORK_MAX, false),
            (Found::AsMuchAsFits, WORK_MAX * 2, false),
            (Found::All, Duration::ZERO, false),
        ] {
            assert_eq!(goes_on(found, worked), more, "{worked:?}");
        }
    }

    #[test]
    fn records_and_cards_count_together() {
        let due = Due::Record(RecordKey::made_by(RecordKind::Call, Seq(1)));
        let shot = Shot { due, at: Timestamp::MIN, after: Seq::ZERO };
        let cards = Cards { first: CardId(1), last: CardId(9), expires_at: Timestamp::MIN, after: Seq::ZERO };
        let taken = |records: usize, rows: usize| Taken { records: vec![shot; records], cards: vec![cards; rows] };
        for (records, rows, all) in
            [(0, 0, true), (3, 0, true), (0, 3, true), (3, 1, false), (2, 2, false), (4, 4, false)]
        {
            assert_eq!(found(&taken(records, rows), 4) == Found::All, all, "{records} and {rows}");
        }
    }
}
