//! Durable batches on their way to followers: the newest ones stay in memory, older ones are read from the journal.
//!
//! Bounded by [`FEED_ENTRIES_MAX`] entries; a slow follower reads disk, nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use domain::receipt::Seq;

use crate::journal::{Batch, JournalReader, ReadFault, decode};

/// Entries that stay in memory for followers.
pub const FEED_ENTRIES_MAX: usize = 1 << 18;
/// Octets of the journal that a follower that is behind reads at once.
const BEHIND_BYTES: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct Feed {
    inner: Mutex<Inner>,
    grown: Condvar,
}

#[derive(Debug)]
struct Inner {
    batches: VecDeque<Arc<Batch>>,
    entries: usize,
    head: Seq,
    stopped: bool,
}

/// What comes next for a follower.
#[derive(Debug)]
pub enum Next {
    /// Batches in order; the first holds the entry asked for.
    Batches(Vec<Arc<Batch>>),
    /// Nothing new yet.
    Idle,
    /// Nothing new, and nothing will come.
    Stopped,
}

impl Feed {
    /// A feed after the entry `head`.
    pub fn new(head: Seq) -> Self {
        let inner = Inner { batches: VecDeque::new(), entries: 0, head, stopped: false };
        Self { inner: Mutex::new(inner), grown: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Adds a durable batch.
    pub fn publish(&self, batch: Arc<Batch>) {
        let mut inner = self.lock();
        inner.entries += batch.entries.len();
        inner.head = batch.last_seq();
        inner.batches.push_back(batch);
        let mut dropped = Vec::new();
        while inner.entries > FEED_ENTRIES_MAX && inner.batches.len() > 1 {
            let oldest = inner.batches.pop_front();
            inner.entries -= oldest.as_ref().map_or(0, |batch| batch.entries.len());
            dropped.extend(oldest);
        }
        drop(inner);
        self.grown.notify_all();
    }

    /// No more batches will come.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.grown.notify_all();
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// The latest durable entry.
    pub fn head(&self) -> Seq {
        self.lock().head
    }

    /// The batch that holds an entry, while it is in memory.
    pub fn find(&self, seq: Seq) -> Option<Arc<Batch>> {
        let inner = self.lock();
        let after = inner.batches.partition_point(|batch| batch.first_seq <= seq);
        inner.batches.get(after.checked_sub(1)?).filter(|batch| seq <= batch.last_seq()).cloned()
    }

    /// What comes after `cursor`, waiting up to `wait` for it.
    ///
    /// # Errors
    /// When the follower is behind and the journal can't be read.
    pub fn next(&self, cursor: Seq, reader: &dyn JournalReader, wait: Duration) -> Result<Next, ReadFault> {
        let mut inner = self.lock();
        if inner.head <= cursor && !inner.stopped {
            inner = match self.grown.wait_timeout(inner, wait) {
                Ok((inner, _)) => inner,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        if inner.head <= cursor {
            return Ok(if inner.stopped { Next::Stopped } else { Next::Idle });
        }
        let from = cursor.next();
        if inner.batches.front().is_some_and(|oldest| oldest.first_seq <= from) {
            let first = inner.batches.partition_point(|batch| batch.last_seq() < from);
            return Ok(Next::Batches(inner.batches.range(first..).cloned().collect()));
        }
        drop(inner);
        let links = reader.read(from, BEHIND_BYTES)?;
        let batches = links.iter().map(|link| decode(link).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        Ok(if batches.is_empty() { Next::Idle } else { Next::Batches(batches) })
    }
}
