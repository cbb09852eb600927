//! From disk to memory: checkpoint plus tail, or the whole journal from zero.
//!
//! Guarantees: the chain is checked for everything that is read; a checkpoint that is ahead of the journal, or belongs to
//! another one, is refused: the journal lost its tail.

use domain::apply::Misfit;
use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;

use crate::checkpoint::{Checkpoint, CheckpointFault, Loaded};
use crate::ids::Ids;
use crate::journal::{Hash, Head, JournalReader, Link, ReadFault, decode};

/// Octets of the journal that are read at once.
const READ_BYTES: usize = 8 << 20;

/// Why a start is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverFault {
    /// The journal can't be read or is damaged.
    #[error(transparent)]
    Journal(#[from] ReadFault),
    /// The checkpoint can't be read or is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// An entry that doesn't follow the state before it.
    #[error(transparent)]
    Misfit(#[from] Misfit),
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

/// Builds state and ids as of the journal's `head`. `progress` hears how many entries of the tail are folded.
///
/// # Errors
/// See [`RecoverFault`].
pub fn recover(
    checkpoint: &mut dyn Checkpoint,
    reader: &dyn JournalReader,
    head: Head,
    ids_max: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<Loaded, RecoverFault> {
    let at = checkpoint.head();
    if at.seq > head.seq {
        return Err(RecoverFault::TailLost { checkpoint: at.seq, journal: head.seq });
    }
    if at.seq == Seq::ZERO {
        return fold(reader, ids_max, progress);
    }
    let link = reader.find(at.seq)?;
    if link.is_none_or(|link| link.hash != at.hash || link.last_seq() != at.seq) {
        return Err(RecoverFault::OtherJournal { at: at.seq });
    }
    let mut fold = Fold { loaded: checkpoint.load(ids_max)? };
    fold.tail(reader, progress)?;
    Ok(fold.loaded)
}

/// Folds the whole journal from zero.
///
/// # Errors
/// See [`RecoverFault`].
pub fn fold(reader: &dyn JournalReader, ids_max: usize, progress: &mut dyn FnMut(u64)) -> Result<Loaded, RecoverFault> {
    let loaded = Loaded { state: State::default(), ids: Ids::new(ids_max), head: Head::default() };
    let mut fold = Fold { loaded };
    fold.tail(reader, progress)?;
    Ok(fold.loaded)
}

struct Fold {
    loaded: Loaded,
}

impl Fold {
    fn tail(&mut self, reader: &dyn JournalReader, progress: &mut dyn FnMut(u64)) -> Result<(), RecoverFault> {
        let mut done = 0;
        loop {
            let links = reader.read(self.loaded.head.seq.next(), READ_BYTES)?;
            if links.is_empty() {
                return Ok(());
            }
            for link in &links {
                self.link(link)?;
                done += u64::from(link.count);
            }
            progress(done);
        }
    }

    fn link(&mut self, link: &Link) -> Result<(), RecoverFault> {
        let batch = decode(check_link(link, self.loaded.head.seq, &self.loaded.head.hash)?)?;
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            self.loaded.state.apply(seq, batch.at, &entry.verdict.effects)?;
            self.loaded.ids.insert(entry.id, *fingerprint, seq, batch.at);
        }
        self.loaded.head = link.head();
        Ok(())
    }
}

/// Checks that an append follows the one before.
///
/// # Errors
/// [`ReadFault::Damaged`] when entries are missing between them, or its hash is not right.
pub fn check_link<'a>(link: &'a Link, before: Seq, hash: &Hash) -> Result<&'a Link, ReadFault> {
    let damaged = |what: &str| ReadFault::Damaged { seq: link.first_seq, what: String::from(what) };
    if link.first_seq != before.next() {
        return Err(damaged("entries before it are missing"));
    }
    if !link.follows(hash) {
        return Err(damaged("its hash does not follow from the one before"));
    }
    Ok(link)
}

/// The instant to tell a clock guard: of the latest entry, when there is one.
pub fn latest_at(head: &Head) -> Option<Timestamp> {
    (head.seq != Seq::ZERO).then_some(head.at)
}
