//! A checkpoint that lets others go first: writing a million rows must not make a phone wait.
//!
//! Guarantees: only the thread that writes is slowed down, from its first write on. A checkpoint may lag; the decider and
//! the edges may not.

use engine::checkpoint::{Checkpoint, CheckpointFault, Delta};
use engine::ids::IdsConfig;
use engine::journal::Head;
use engine::replica::Replica;

/// How far back the writing thread stands: Linux keeps a nice value for each thread.
const NICE: i32 = 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Polite<C> {
    checkpoint: C,
    stepped_back: bool,
}

impl<C> Polite<C> {
    /// The same checkpoint, politely.
    pub(crate) const fn new(checkpoint: C) -> Self {
        Self { checkpoint, stepped_back: false }
    }
}

impl<C: Checkpoint> Checkpoint for Polite<C> {
    fn head(&self) -> Head {
        self.checkpoint.head()
    }

    fn write(&mut self, delta: &Delta) -> Result<(), CheckpointFault> {
        if !self.stepped_back {
            // Where that is not allowed, it is only less polite.
            if let Err(error) = rustix::process::setpriority_process(None, NICE) {
                tracing::debug!(%error, "the checkpoint writes at full priority");
            }
            self.stepped_back = true;
        }
        self.checkpoint.write(delta)
    }

    fn load(&mut self, ids: IdsConfig) -> Result<Replica, CheckpointFault> {
        self.checkpoint.load(ids)
    }
}
