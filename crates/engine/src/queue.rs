//! The bounded queue before the decider. What doesn't fit hears "busy" at once, and nothing of it was sent.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::answer::{Query, Seen, View};
use crate::decider::{Early, Submission};

/// What waits for the decider.
#[derive(Debug)]
pub(crate) enum Job {
    /// One command.
    One(Box<Submission>, oneshot::Sender<Early>),
    /// Commands that are answered together.
    Many(Vec<Submission>, oneshot::Sender<Vec<Early>>),
    /// A question.
    Query(Query, oneshot::Sender<Seen<View>>),
    /// An operator looked at the clock.
    AcceptClock(oneshot::Sender<()>),
}

impl Job {
    fn commands(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(many, _) => many.len(),
            // Questions take room as well, so that they can't grow without bound.
            Self::Query(..) | Self::AcceptClock(_) => 1,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
    depth: usize,
}

#[derive(Debug)]
struct Inner {
    jobs: VecDeque<Job>,
    commands: usize,
    stopping: bool,
}

/// Why a job was not taken.
pub(crate) enum Full {
    /// No room.
    Busy,
    /// The engine stops.
    Stopping,
}

impl Queue {
    pub(crate) fn new(depth: usize) -> Self {
        let inner = Inner { jobs: VecDeque::new(), commands: 0, stopping: false };
        Self { inner: Mutex::new(inner), filled: Condvar::new(), depth }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn push(&self, job: Job) -> Result<(), Full> {
        let mut inner = self.lock();
        if inner.stopping {
            return Err(Full::Stopping);
        }
        let commands = inner.commands + job.commands();
        if commands > self.depth {
            return Err(Full::Busy);
        }
        inner.commands = commands;
        let was_empty = inner.jobs.is_empty();
        inner.jobs.push_back(job);
        drop(inner);
        // The decider only ever sleeps on an empty queue.
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Takes jobs of at most `commands_max` commands (one job at least), waiting up to `wait` for the first.
    ///
    /// `None` when the engine stops and nothing is left.
    pub(crate) fn take(&self, commands_max: usize, wait: Duration) -> Option<Vec<Job>> {
        let mut inner = self.lock();
        if inner.jobs.is_empty() && !inner.stopping {
            inner = match self.filled.wait_timeout(inner, wait) {
                Ok((inner, _)) => inner,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        if inner.jobs.is_empty() && inner.stopping {
            return None;
        }
        let mut taken = Vec::with_capacity(inner.jobs.len().min(commands_max));
        let mut commands = 0;
        while let Some(job) = inner.jobs.front() {
            let more = job.commands();
            if commands + more > commands_max && !taken.is_empty() {
                break;
            }
            commands += more;
            taken.extend(inner.jobs.pop_front());
        }
        inner.commands -= commands;
        Some(taken)
    }

    /// Whether [`stop`](Self::stop) was called.
    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Takes no more; what is in it is still worked off.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
        self.filled.notify_all();
    }

    /// Gives away what waits, unanswered: the engine is lost.
    pub(crate) fn drain(&self) -> Vec<Job> {
        let mut inner = self.lock();
        inner.stopping = true;
        inner.commands = 0;
        inner.jobs.drain(..).collect()
    }
}
