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

/// Runs a follower after `cursor` until the feed stops.
pub(crate) fn run_follower(
    name: &str,
    mut cursor: Seq,
    mut follow: Box<dyn Follow>,
    feed: &Feed,
    reader: &dyn JournalReader,
) {
    let told = |what: &str, fault: &dyn core::fmt::Display| tracing::error!(follower = name, %fault, "{what}");
    let mut given_up_after_stop = 0;
    let mut parked = false;
    loop {
        if std::mem::take(&mut parked) {
            // What is not taken stays in the journal.
            if feed.is_stopped() {
                if let Err(fault) = follow.end() {
                    told("it could not end well", &fault);
                }
                return;
            }
            if let Err(fault) = follow.idle() {
                told("it could not do its idle work", &fault);
            }
            if !follow.is_ready(IDLE) {
                parked = true;
                continue;
            }
        }
        match feed.next(cursor, reader, IDLE) {
            Ok(Next::Batches(batches)) => {
                for batch in batches {
                    if !follow.is_ready(IDLE) {
                        parked = true;
                        break;
                    }
                    match follow.batch(&batch) {
                        Ok(()) => {
                            cursor = batch.last_seq();
                            given_up_after_stop = 0;
                        }
                        Err(fault) => {
                            told("a batch has to wait", &fault);
                            std::thread::park_timeout(FAILED_WAIT);
                            given_up_after_stop += usize::from(feed.is_stopped());
                            break;
                        }
                    }
                }
                // A follower that can't work must not keep the server from stopping: its cursor knows where it was.
                if given_up_after_stop > 3 {
                    return;
                }
            }
            Ok(Next::Idle) => {
                if let Err(fault) = follow.idle() {
                    told("it could not do its idle work", &fault);
                }
            }
            Ok(Next::Stopped) => {
                if let Err(fault) = follow.end() {
                    told("it could not end well", &fault);
                }
                return;
            }
            Err(fault) => {
                told("the journal can't be read", &fault);
                if feed.is_stopped() {
                    return;
                }
                std::thread::park_timeout(FAILED_WAIT);
            }
        }
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
