//! From disk to memory: checkpoint plus tail, or the whole journal from zero.
//!
//! Guarantees: the chain is checked for everything that is read; a checkpoint that is ahead of the journal, or belongs to
//! another one, is refused: the journal lost its tail.

use domain::apply::Misfit;
use domain::receipt::Seq;
use domain::time::Timestamp;

use crate::checkpoint::{Checkpoint, CheckpointFault};
use crate::ids::{Ids, IdsConfig};
use crate::journal::{Head, JournalReader, ReadFault};
use crate::replica::{FoldFault, Replica};

/// Why a start is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverFault {
    /// The journal can't be read, is damaged, or does not fit the state before it.
    #[error(transparent)]
    Journal(#[from] FoldFault),
    /// The checkpoint can't be read or is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// The checkpoint knows entries that the journal does not have.
    #[error(
        "the checkpoint is at seq {checkpoint}, the journal ends at {journal}: it lost its tail; bring its files back, or restore a backup"
    )]
    TailLost {
        /// Where the checkpoint is.
        checkpoint: Seq,
        /// Where the journal ends.
        journal: Seq,
    },
    /// The checkpoint was made from another journal.
    #[error(
        "the checkpoint at seq {at} belongs to another journal; remove checkpoint.sqlite if the journal is the right one"
    )]
    OtherJournal {
        /// Where they differ.
        at: Seq,
    },
}

impl From<ReadFault> for RecoverFault {
    fn from(fault: ReadFault) -> Self {
        Self::Journal(fault.into())
    }
}

impl From<Misfit> for RecoverFault {
    fn from(misfit: Misfit) -> Self {
        Self::Journal(misfit.into())
    }
}

/// Builds state and ids as of the journal's `head`. `progress` hears how many entries of the tail are folded.
///
/// # Errors
/// See [`RecoverFault`].
pub fn recover(
    checkpoint: &mut dyn Checkpoint,
    reader: &dyn JournalReader,
    head: Head,
    ids: IdsConfig,
    progress: &mut dyn FnMut(u64),
) -> Result<Replica, RecoverFault> {
    let at = checkpoint.head();
    if at.seq > head.seq {
        return Err(RecoverFault::TailLost { checkpoint: at.seq, journal: head.seq });
    }
    if at.seq == Seq::ZERO {
        return fold(reader, ids, progress);
    }
    let link = reader.find(at.seq)?;
    if link.is_none_or(|link| link.hash != at.hash || link.last_seq() != at.seq) {
        return Err(RecoverFault::OtherJournal { at: at.seq });
    }
    let mut replica = checkpoint.load(ids)?;
    replica.catch_up(reader, progress)?;
    Ok(replica)
}

/// Folds the whole journal from zero.
///
/// # Errors
/// See [`RecoverFault`].
pub fn fold(
    reader: &dyn JournalReader,
    ids: IdsConfig,
    progress: &mut dyn FnMut(u64),
) -> Result<Replica, RecoverFault> {
    let mut replica = Replica::new(Ids::new(ids));
    replica.catch_up(reader, progress)?;
    Ok(replica)
}

/// The instant to tell a clock guard: of the latest entry, when there is one.
pub fn latest_at(head: &Head) -> Option<Timestamp> {
    (head.seq != Seq::ZERO).then_some(head.at)
}
