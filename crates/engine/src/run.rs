//! The decider's thread: take a batch, decide it, make it durable, answer, tell the followers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::time::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::answer::{Answer, Closed, Query, View};
use crate::checkpoint::CheckpointFault;
use crate::clock::{Clock, ClockGuard};
use crate::decider::{Decider, Early, Pending, Submission, given_up};
use crate::journal::{APPEND_ENTRIES_MAX, AppendFault, Journal, Link};
use crate::queue::Job;
use crate::recover::RecoverFault;
use crate::replica::Replica;
use crate::shared::{EngineConfig, Fault, IDLE, Refold, Shared};
use crate::slowed::Slowed;

/// An append that found no room is tried again after this…
const NO_ROOM_WAIT: Duration = Duration::from_millis(50);
/// …so often: then it is given up. Until then nobody is answered, so that a moment's want of room costs nothing; for
/// longer, questions may not wait.
const NO_ROOM_TRIES: u32 = 20;
/// After an append was given up intake stays closed for so long; it doubles each time it happens again…
const CLOSED_WAIT_MS: i64 = 1_000;
/// …up to this: giving up costs a fold, and a file system may promise room that it does not have (quotas).
const CLOSED_WAIT_MAX_MS: i64 = 60_000;
/// Between two tries to fold again while the disk is full.
const REFOLD_WAIT: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Run {
    decider: Decider,
    journal: Box<dyn Journal>,
    clock: ClockGuard,
    refold: Refold,
    shared: Arc<Shared>,
    config: EngineConfig,
    tell: watch::Sender<Option<Fault>>,
    closed: Option<Closed>,
    no_room: NoRoom,
    slowed: Slowed,
}

/// How often in a row there was no room, and until when nothing is tried, by the monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
struct NoRoom {
    times: u32,
    until_ms: i64,
}

impl NoRoom {
    fn again(self, now_ms: i64) -> Self {
        let wait_ms = (CLOSED_WAIT_MS << self.times.min(16)).min(CLOSED_WAIT_MAX_MS);
        Self { times: self.times.saturating_add(1), until_ms: now_ms.saturating_add(wait_ms) }
    }
}

/// Who waits for how many answers of a batch.
enum Waiter {
    One(oneshot::Sender<Early>),
    Many(oneshot::Sender<Vec<Early>>, usize),
}

/// What was taken from the queue.
#[derive(Default)]
struct Taken {
    submissions: Vec<Submission>,
    waiters: Vec<Waiter>,
    queries: Vec<(Query, oneshot::Sender<crate::answer::Seen<View>>)>,
    accepts: Vec<oneshot::Sender<()>>,
}

/// What became of an append.
enum Appended {
    Durable,
    /// No room: nothing of it is in the journal, and nothing ever will be.
    GivenUp,
}

impl Run {
    pub(crate) fn new(
        decider: Decider,
        journal: Box<dyn Journal>,
        clock: ClockGuard,
        refold: Refold,
        shared: Arc<Shared>,
        config: EngineConfig,
        tell: watch::Sender<Option<Fault>>,
    ) -> Self {
        let (no_room, slowed) = (NoRoom::default(), Slowed::default());
        Self { decider, journal, clock, refold, shared, config, tell, closed: None, no_room, slowed }
    }

    /// Runs until the queue is stopped and empty, or the journal is lost.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let tell = self.tell.clone();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.work()));
        let fault = match ended {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault),
            Err(panic) => Some(Fault::Assertion(message(&*panic))),
        };
        if let Some(fault) = fault {
            tracing::error!(%fault, "the engine stops");
            tell.send_replace(Some(fault));
        }
        shared.status.set_closed(Some(Closed::Stopping));
        // Nothing of these was taken: they may be told so.
        for job in shared.queue.drain() {
            let closed = || Early::Answer(Answer::Closed(Closed::Stopping));
            match job {
                Job::One(_, waiter) => drop(waiter.send(closed())),
                Job::Many(many, waiter) => drop(waiter.send(many.iter().map(|_| closed()).collect())),
                Job::Query(..) | Job::AcceptClock(_) => {}
            }
        }
    }

    fn work(&mut self) -> Result<(), Fault> {
        let most = self.config.batch_entries_max.clamp(1, APPEND_ENTRIES_MAX);
        while let Some(jobs) = self.shared.queue.take(most, IDLE) {
            if jobs.is_empty() {
                // So that what `status` says of intake is not as old as the latest command.
                let _closed = self.intake();
                self.tell_slowed(0);
                continue;
            }
            let taken = sort(jobs);
            for done in taken.accepts {
                self.clock.accept();
                // Deadlines go by it before anybody hears of it.
                let _closed = self.intake();
                let _gone = done.send(());
            }
            if !taken.submissions.is_empty() {
                self.batch(taken.submissions, taken.waiters)?;
            }
            // Between batches, so that what a question sees is durable.
            for (query, waiter) in taken.queries {
                drop(waiter.send(self.decider.query(query)));
            }
        }
        Ok(())
    }

    fn batch(&mut self, submissions: Vec<Submission>, waiters: Vec<Waiter>) -> Result<(), Fault> {
        let at = match self.intake() {
            Ok(at) => {
                self.shared.latest_ms.store(at.ms(), Ordering::Relaxed);
                at
            }
            Err(closed) => {
                let answers = vec![Early::Answer(Answer::Closed(closed)); submissions.len()];
                answer(waiters, answers);
                return Ok(());
            }
        };
        let without_room = self.decider.without_room();
        let Pending { link, batch, answers } = self.decider.decide(at, submissions);
        self.tell_slowed(self.decider.without_room() - without_room);
        let (Some(link), Some(batch)) = (link, batch) else {
            // Nothing new: what was repeated is durable already, for batches are confirmed one by one.
            answer(waiters, answers);
            return Ok(());
        };
        match self.append(&link)? {
            Appended::Durable => {
                self.no_room = NoRoom::default();
                self.decider.confirm(&link);
                self.publish();
                // Before the answers: who heard one may start a follower behind that entry.
                self.shared.feed.publish(batch);
                answer(waiters, answers);
                Ok(())
            }
            Appended::GivenUp => {
                self.no_room = self.no_room.again(self.shared.clock.monotonic_ms());
                answer(waiters, given_up(answers, self.decider.head().seq));
                self.fold_again()
            }
        }
    }

    /// The instant of the next batch, when intake is open.
    fn intake(&mut self) -> Result<Timestamp, Closed> {
        let waits = self.shared.clock.monotonic_ms() < self.no_room.until_ms;
        let short = waits || self.journal.is_short_of_room();
        let stamp = if short { Err(Closed::Disk) } else { self.clock.stamp() };
        self.shared.steady.follow(&self.clock);
        self.tell_closed(stamp.err());
        stamp
    }

    fn tell_closed(&mut self, closed: Option<Closed>) {
        if closed != self.closed {
            match closed {
                Some(why) => tracing::error!(why = why.name(), "intake is closed"),
                None => tracing::warn!("intake is open again"),
            }
            self.closed = closed;
            self.shared.status.set_closed(closed);
        }
    }

    /// So many more dials found no room for their ids.
    fn tell_slowed(&mut self, more: u64) {
        let now_ms = self.shared.clock.monotonic_ms();
        if let Some(refused) = self.slowed.note(more, now_ms) {
            tracing::warn!(
                refused,
                "more dials come than can be remembered for ten minutes: some are answered busy, nothing was sent; \
                 with more memory raise ussd_ids_max"
            );
        }
        self.shared.status.set_refused(self.slowed.refused(), self.slowed.is_now(now_ms));
    }

    /// Makes an append durable. Without room the same octets are tried again for a moment, and then never more.
    fn append(&mut self, link: &Link) -> Result<Appended, Fault> {
        for _ in 0..NO_ROOM_TRIES {
            match self.journal.append(link) {
                Ok(()) => return Ok(Appended::Durable),
                Err(AppendFault::NoRoom) => {
                    self.tell_closed(Some(Closed::Disk));
                    std::thread::park_timeout(NO_ROOM_WAIT);
                }
                Err(fault @ (AppendFault::Stale { .. } | AppendFault::Lost(_))) => return Err(fault.into()),
            }
        }
        Ok(Appended::GivenUp)
    }

    /// Throws away what was decided and is not durable. Questions wait for this, and for no disk to get room.
    fn fold_again(&mut self) -> Result<(), Fault> {
        tracing::error!(
            "no room for the journal: what was decided and not written is dropped, the state is folded again"
        );
        // The old state goes first: there is room for one.
        self.decider = Decider::new(Replica::default());
        loop {
            match (self.refold)() {
                Ok(replica) => {
                    self.decider = Decider::new(replica);
                    self.publish();
                    return Ok(());
                }
                Err(RecoverFault::Checkpoint(CheckpointFault::NoRoom)) if !self.shared.queue.is_stopping() => {
                    std::thread::park_timeout(REFOLD_WAIT);
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// What is durable now, for everybody who does not ask this thread.
    fn publish(&self) {
        self.publish_directory();
        self.shared.status.publish(self.decider.head(), self.decider.state(), self.decider.ids());
    }

    fn publish_directory(&self) {
        let known = self.shared.directory.read().map(|known| Arc::ptr_eq(&known, self.decider.directory()));
        if !known.unwrap_or(false) {
            let mut shared = self.shared.directory.write().unwrap_or_else(PoisonError::into_inner);
            *shared = Arc::clone(self.decider.directory());
        }
    }
}

fn sort(jobs: Vec<Job>) -> Taken {
    let mut taken = Taken { submissions: Vec::with_capacity(jobs.len()), ..Taken::default() };
    for job in jobs {
        match job {
            Job::One(submission, waiter) => {
                taken.submissions.push(*submission);
                taken.waiters.push(Waiter::One(waiter));
            }
            Job::Many(many, waiter) => {
                taken.waiters.push(Waiter::Many(waiter, many.len()));
                if taken.submissions.is_empty() {
                    taken.submissions = many;
                } else {
                    taken.submissions.extend(many);
                }
            }
            Job::Query(query, waiter) => taken.queries.push((query, waiter)),
            Job::AcceptClock(waiter) => taken.accepts.push(waiter),
        }
    }
    taken
}

/// A caller that is gone does not want its answer any more.
fn answer(waiters: Vec<Waiter>, answers: Vec<Early>) {
    let mut answers = answers.into_iter();
    for waiter in waiters {
        match waiter {
            Waiter::One(tell) => drop(answers.next().map(|answer| tell.send(answer))),
            Waiter::Many(tell, count) => drop(tell.send(answers.by_ref().take(count).collect())),
        }
    }
}

fn message(panic: &(dyn core::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| String::from(*text));
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| String::from("unknown"))
}
