//! The decider's thread: take a batch, decide it, make it durable, answer, tell the followers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::time::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::answer::{Answer, Closed, Query, View};
use crate::clock::ClockGuard;
use crate::decider::{Decider, Early, Pending, Submission};
use crate::journal::{APPEND_ENTRIES_MAX, AppendFault, Journal, Link};
use crate::queue::Job;
use crate::shared::{EngineConfig, Fault, IDLE, Refold, Shared};

/// Between two tries of an append that found no room.
const NO_ROOM_WAIT: Duration = Duration::from_millis(50);

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
    /// Nothing of it is in the journal, and nothing ever will be.
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
        Self { decider, journal, clock, refold, shared, config, tell, closed: None }
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
                continue;
            }
            let taken = sort(jobs);
            for done in taken.accepts {
                self.clock.accept();
                let _gone = done.send(());
            }
            if !taken.submissions.is_empty() {
                self.batch(taken.submissions, taken.waiters)?;
            }
            // Between batches, so that what a question sees is durable.
            for (query, waiter) in taken.queries {
                drop(waiter.send(self.query(query)));
            }
        }
        Ok(())
    }

    fn query(&self, query: Query) -> crate::answer::Seen<View> {
        let mut seen = self.decider.query(query);
        if let View::Status(status) = &mut seen.value {
            status.closed = self.closed;
        }
        seen
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
        let Pending { link, batch, answers, decide_before } = self.decider.decide(at, submissions);
        let (Some(link), Some(batch)) = (link, batch) else {
            // Nothing new: what was repeated is durable already, for batches are confirmed one by one.
            answer(waiters, answers);
            return Ok(());
        };
        match self.append(&link, decide_before)? {
            Appended::Durable => {
                self.decider.confirm(&link);
                self.publish_directory();
                self.shared.ids_floor_ms.store(self.decider.ids().floor().ms(), Ordering::Relaxed);
                answer(waiters, answers);
                self.shared.feed.publish(batch);
            }
            Appended::GivenUp => {
                let unknown = vec![Early::Answer(Answer::Unknown); answers.len()];
                answer(waiters, unknown);
                let loaded = (self.refold)()?;
                self.decider = Decider::new(loaded);
            }
        }
        Ok(())
    }

    /// The instant of the next batch, when intake is open.
    fn intake(&mut self) -> Result<Timestamp, Closed> {
        let stamp = if self.journal.is_short_of_room() { Err(Closed::Disk) } else { self.clock.stamp() };
        let closed = stamp.err();
        if closed != self.closed {
            match closed {
                Some(why) => tracing::error!(why = why.name(), "intake is closed"),
                None => tracing::warn!("intake is open again"),
            }
            self.closed = closed;
        }
        stamp
    }

    /// Makes an append durable; without room it is tried again, the same bytes, until its first deadline.
    fn append(&mut self, link: &Link, decide_before: Timestamp) -> Result<Appended, Fault> {
        let mut told = false;
        loop {
            match self.journal.append(link) {
                Ok(()) => return Ok(Appended::Durable),
                Err(AppendFault::NoRoom) if self.clock.now() < decide_before => {
                    if !told {
                        tracing::error!("no room for the journal: waiting until there is some");
                        told = true;
                    }
                    std::thread::park_timeout(NO_ROOM_WAIT);
                }
                Err(AppendFault::NoRoom) => return Ok(Appended::GivenUp),
                Err(fault @ (AppendFault::Stale { .. } | AppendFault::Lost(_))) => return Err(fault.into()),
            }
        }
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
