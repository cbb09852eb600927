//! Followers: everything that happens after a verdict is durable, each with a cursor of its own.
//!
//! Guarantees: nothing on the hot path waits for a follower; batches come in order and without gaps, from memory while a
//! follower keeps up and from the journal when it is behind.
//!
//! Deliberately not here: what a follower does (the checkpoint is in [`crate::checkpointer`], SMS in edges).

use std::sync::Arc;
use std::time::Duration;

use domain::receipt::Seq;

use crate::feed::{Feed, Next};
use crate::journal::{Batch, JournalReader};

/// How long a follower sleeps when there is nothing new, before [`Follow::idle`].
const IDLE: Duration = Duration::from_millis(100);
/// Between two tries after a failure.
const FAILED_WAIT: Duration = Duration::from_millis(500);

/// What a follower does with durable batches.
pub trait Follow: Send {
    /// Whether the next batch may come; waits up to `wait` for that. Asked before every batch. While it may not, the
    /// follower lags behind the journal, and nobody waits for it: not the decider, no other follower, not the server that
    /// stops.
    fn is_ready(&mut self, wait: Duration) -> bool {
        let _ready_at_once = wait;
        true
    }

    /// Takes the next batch. The first one may hold entries from before the cursor, which it skips.
    ///
    /// # Errors
    /// Then the same batch comes again a little later.
    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault>;

    /// Nothing new for a moment.
    ///
    /// # Errors
    /// Told to the log; the follower goes on.
    fn idle(&mut self) -> Result<(), FollowFault>;

    /// No more will come.
    ///
    /// # Errors
    /// Told to the log.
    fn end(&mut self) -> Result<(), FollowFault>;
}

/// A follower could not do its work now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FollowFault(pub String);

/// Why a follower is not started.
#[derive(Debug, thiserror::Error)]
pub enum FollowStartFault {
    /// It is done with entries that the journal does not have.
    ///
    /// It is neither started nor moved. Were it started, it would say nothing of the next entries, which get the seqs that it
    /// is done with. Were it moved back, it would do everything twice when the lost tail is brought back. Only somebody who
    /// drops the tail for good may move it: a repair does, and takes away what it has open of entries that are gone.
    #[error(
        "follower {name} is done with everything up to entry {cursor}, the journal ends at {head}: it lost its tail; bring \
         its files back, or have `sonmul repair --yes` take the follower back to where the journal ends"
    )]
    Ahead {
        /// Whose cursor.
        name: String,
        /// Where it is.
        cursor: Seq,
        /// Where the journal ends.
        head: Seq,
    },
    /// Its thread can't be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Failures of one batch after the feed stopped: then a follower gives up, for the server must end. Its cursor knows where it
/// was.
const FAILURES_AFTER_STOP_MAX: u32 = 3;

/// Runs a follower after `cursor` until the feed stops.
pub(crate) fn run_follower(name: &str, cursor: Seq, follow: Box<dyn Follow>, feed: &Feed, reader: &dyn JournalReader) {
    let mut run = RunFollower { name, cursor, follow, feed, reader, parked: false, failures_after_stop: 0 };
    while run.step() == Step::GoOn {}
}

/// What comes after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    GoOn,
    Over,
}

/// A follower at work.
struct RunFollower<'a> {
    name: &'a str,
    /// The latest entry that it took.
    cursor: Seq,
    follow: Box<dyn Follow>,
    feed: &'a Feed,
    reader: &'a dyn JournalReader,
    /// It was not ready for its next batch, which stays in the feed or in the journal.
    parked: bool,
    failures_after_stop: u32,
}

impl RunFollower<'_> {
    fn step(&mut self) -> Step {
        if self.parked {
            return self.unpark();
        }
        match self.feed.next(self.cursor, self.reader, IDLE) {
            Ok(Next::Batches(batches)) => self.take(&batches),
            Ok(Next::Idle) => self.idle(),
            Ok(Next::Stopped) => self.end(),
            Err(fault) => {
                self.told("the journal can't be read", &fault);
                self.pause()
            }
        }
    }

    /// Waits until it is ready again. When the server stops meanwhile, what it did not take stays in the journal.
    fn unpark(&mut self) -> Step {
        if self.feed.is_stopped() {
            return self.end();
        }
        let next = self.idle();
        self.parked = !self.follow.is_ready(IDLE);
        next
    }

    fn take(&mut self, batches: &[Arc<Batch>]) -> Step {
        for batch in batches {
            if !self.follow.is_ready(IDLE) {
                self.parked = true;
                return Step::GoOn;
            }
            if let Err(fault) = self.follow.batch(batch) {
                self.told("a batch has to wait", &fault);
                return self.failed();
            }
            self.cursor = batch.last_seq();
            self.failures_after_stop = 0;
        }
        Step::GoOn
    }

    /// A follower that can't work must not keep the server from stopping.
    fn failed(&mut self) -> Step {
        std::thread::park_timeout(FAILED_WAIT);
        self.failures_after_stop += u32::from(self.feed.is_stopped());
        if self.failures_after_stop > FAILURES_AFTER_STOP_MAX { Step::Over } else { Step::GoOn }
    }

    fn pause(&self) -> Step {
        if self.feed.is_stopped() {
            return Step::Over;
        }
        std::thread::park_timeout(FAILED_WAIT);
        Step::GoOn
    }

    fn idle(&mut self) -> Step {
        if let Err(fault) = self.follow.idle() {
            self.told("it could not do its idle work", &fault);
        }
        Step::GoOn
    }

    fn end(&mut self) -> Step {
        if let Err(fault) = self.follow.end() {
            self.told("it could not end well", &fault);
        }
        Step::Over
    }

    fn told(&self, what: &str, fault: &dyn core::fmt::Display) {
        tracing::error!(follower = self.name, %fault, "{what}");
    }
}

/// The small database of a follower with effects outside: how far it got.
///
/// After a crash at most what was done since the latest [`save`](Cursor::save) is done again.
pub trait Cursor: Send {
    /// The latest entry that is done with; `None` when the follower is new.
    ///
    /// # Errors
    /// When it can't be read.
    fn load(&mut self) -> Result<Option<Seq>, CursorFault>;

    /// Remembers that everything up to `seq` is done with.
    ///
    /// # Errors
    /// When it can't be written; the follower stops and is started again later.
    fn save(&mut self, seq: Seq) -> Result<(), CursorFault>;
}

/// A follower's database can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a follower's cursor can't be used: {0}")]
pub struct CursorFault(pub String);
