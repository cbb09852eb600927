//! What the handles, the decider's thread and the followers share: the queue, the feed, the bounds, and why an engine stops.
//!
//! Deliberately not here: who waits for whom (see [`crate::handle`] and [`crate::run`]).

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::clock::{Clock, ClockLimits, Steady};
use crate::directory::Directory;
use crate::feed::Feed;
use crate::journal::{APPEND_ENTRIES_MAX, AppendFault, JournalReader};
use crate::queue::Queue;
use crate::recover::RecoverFault;
use crate::replica::Replica;
use crate::status::Status;

/// Bounds of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// Commands waiting at most; more hear "busy".
    pub queue_depth: usize,
    /// Entries in one append at most, 1 to [`APPEND_ENTRIES_MAX`].
    pub batch_entries_max: usize,
    /// How far clocks may disagree.
    pub clock: ClockLimits,
    /// Take the clock at the start as it is, once.
    pub accept_clock: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue_depth: 1 << 16,
            batch_entries_max: APPEND_ENTRIES_MAX / 2,
            clock: ClockLimits::default(),
            accept_clock: false,
        }
    }
}

/// Folds the state again from checkpoint and journal, after a batch was given up.
pub type Refold = Box<dyn FnMut() -> Result<Replica, RecoverFault> + Send>;

/// What callers, the decider's thread and followers share.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) feed: Feed,
    pub(crate) directory: RwLock<Arc<Directory>>,
    pub(crate) reader: Arc<dyn JournalReader>,
    pub(crate) clock: Arc<dyn Clock + Sync>,
    pub(crate) steady: Steady,
    pub(crate) status: Status,
    /// The instant of the latest batch, ms: ahead of the wall clock when that was set back.
    pub(crate) latest_ms: AtomicI64,
}

/// Why an engine stopped by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The journal.
    #[error(transparent)]
    Append(#[from] AppendFault),
    /// Folding again after a batch was given up.
    #[error("the state could not be folded again: {0}")]
    Refold(#[from] RecoverFault),
    /// A bug of ours: the decider stopped rather than book nonsense.
    #[error("the decider stopped on an assertion: {0}")]
    Assertion(String),
}

/// How long the decider's thread sleeps on an empty queue before it looks around.
pub(crate) const IDLE: Duration = Duration::from_millis(200);
