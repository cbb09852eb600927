//! The checkpoint follower: folds batches into a delta on one thread, writes it on another, so that folding keeps up
//! with the decider while a write is under way; the more entries wait, the more of them coalesce.
//!
//! Guarantees: the decider never waits; what is written was durable first. While the writer can't write (a full disk) no more
//! than [`CheckpointConfig::lag_entries_max`] entries and the batch that passed it are kept in memory: the rest stays in
//! the journal, and is read from there later.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::checkpoint::{Checkpoint, CheckpointFault, Collector, Delta};
use crate::follower::{Follow, FollowFault};
use crate::handle::Handle;
use crate::ids::IdsKept;
use crate::journal::Batch;

/// When a delta is written.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointConfig {
    /// Not before so many entries wait…
    pub entries_min: u64,
    /// …or so much time has passed since the latest write.
    pub interval_ms: u64,
    /// With so many entries folded and not written, no more are folded, and the log hears of it: restarts grow slower.
    pub lag_entries_max: u64,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { entries_min: 1_000_000, interval_ms: 10_000, lag_entries_max: 20_000_000 }
    }
}

/// See the module.
pub struct Checkpointer {
    collector: Collector,
    config: CheckpointConfig,
    latest: Instant,
    kept: Box<dyn Fn() -> IdsKept + Send>,
    writer: Option<Writer>,
    told_lag: bool,
}

struct Writer {
    deltas: SyncSender<Delta>,
    written: Receiver<Result<(), CheckpointFault>>,
    thread: JoinHandle<()>,
    busy: bool,
}

impl Checkpointer {
    /// Starts the writing thread. `collector` begins at the checkpoint's head.
    ///
    /// # Errors
    /// When the thread can't be made.
    pub fn start(
        collector: Collector,
        checkpoint: Box<dyn Checkpoint>,
        config: CheckpointConfig,
        kept: Box<dyn Fn() -> IdsKept + Send>,
    ) -> std::io::Result<Self> {
        let (deltas, take) = sync_channel::<Delta>(1);
        let (tell, written) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(String::from("checkpoint-write"))
            .spawn(move || write_all(checkpoint, &take, &tell))?;
        let writer = Writer { deltas, written, thread, busy: false };
        Ok(Self { collector, config, latest: Instant::now(), kept, writer: Some(writer), told_lag: false })
    }

    fn is_due(&self) -> bool {
        let waiting = self.collector.entries();
        let waited = self.latest.elapsed() >= Duration::from_millis(self.config.interval_ms);
        waiting > 0 && (waited || waiting >= self.config.entries_min)
    }

    /// Hands a delta to the writer when one is due and it is idle.
    fn turn(&mut self) -> Result<(), FollowFault> {
        self.lag();
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if writer.busy {
            match writer.written.try_recv() {
                Ok(Ok(())) => writer.busy = false,
                Ok(Err(fault)) => tracing::error!(%fault, "the checkpoint has to wait"),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Err(gone()),
            }
        }
        if !writer.busy && self.is_due() {
            let delta = self.collector.take((self.kept)());
            let writer = self.writer.as_mut().ok_or_else(gone)?;
            writer.deltas.send(delta).map_err(|_| gone())?;
            writer.busy = true;
            self.latest = Instant::now();
        }
        Ok(())
    }

    fn lags(&self) -> bool {
        self.collector.entries() >= self.config.lag_entries_max
    }

    fn lag(&mut self) {
        let lags = self.lags();
        if lags && !self.told_lag {
            let entries = self.collector.entries();
            tracing::warn!(entries, "the checkpoint lags and waits for its writer: a restart would take longer");
        }
        self.told_lag = lags;
    }
}

impl Follow for Checkpointer {
    fn is_ready(&mut self, wait: Duration) -> bool {
        if self.lags() {
            std::thread::park_timeout(wait);
        }
        !self.lags()
    }

    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        if batch.last_seq() > self.collector.head().seq {
            self.collector.add(batch);
        }
        self.turn()
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.turn()
    }

    /// Writes what is left, so that the next start has no tail.
    fn end(&mut self) -> Result<(), FollowFault> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        if self.collector.entries() > 0 {
            let delta = self.collector.take((self.kept)());
            writer.deltas.send(delta).map_err(|_| gone())?;
        }
        drop(writer.deltas);
        while let Ok(written) = writer.written.recv() {
            if let Err(fault) = written {
                tracing::error!(%fault, "the checkpoint stays behind; the next start folds the tail");
            }
        }
        writer.thread.join().map_err(|_| gone())
    }
}

fn gone() -> FollowFault {
    FollowFault(String::from("the checkpoint's writer is gone"))
}

/// Writes deltas in order; one that finds no room is tried again until there is some, or the server stops.
fn write_all(
    mut checkpoint: Box<dyn Checkpoint>,
    deltas: &Receiver<Delta>,
    tell: &SyncSender<Result<(), CheckpointFault>>,
) {
    while let Ok(delta) = deltas.recv() {
        let mut tries = 0_u32;
        let written = loop {
            match checkpoint.write(&delta) {
                Err(CheckpointFault::NoRoom) if tries < NO_ROOM_TRIES => {
                    if tries == 0 {
                        tracing::error!(fault = %CheckpointFault::NoRoom, "the checkpoint has to wait");
                    }
                    tries += 1;
                    std::thread::park_timeout(NO_ROOM_WAIT);
                }
                written => break written,
            }
        };
        // A delta that is lost leaves a hole: nothing after it may be written.
        let lost = written.is_err();
        if tell.send(written).is_err() || lost {
            return;
        }
    }
}

/// Tries of a write without room, [`NO_ROOM_WAIT`] apart: an hour.
const NO_ROOM_TRIES: u32 = 3_600;
const NO_ROOM_WAIT: Duration = Duration::from_secs(1);

impl core::fmt::Debug for Checkpointer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Checkpointer").field("head", &self.collector.head()).finish_non_exhaustive()
    }
}

/// What a handle's engine remembers of ids: for [`Checkpointer::start`].
pub fn kept_of(handle: &Handle) -> Box<dyn Fn() -> IdsKept + Send> {
    let handle = handle.clone();
    Box::new(move || handle.ids_kept())
}
