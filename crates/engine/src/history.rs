//! History without an index: walking the chain of entries that name a subscriber, newest first, by primary key alone.

use std::sync::Arc;

use domain::ids::SubscriberId;
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::Entry;

use crate::journal::{Batch, JournalReader, ReadFault, decode};

/// Entries that one walk gives at most.
pub const WALK_MAX: usize = 1_000;

/// An entry with its place and instant.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its place.
    pub seq: Seq,
    /// When it was decided.
    pub at: Timestamp,
    /// The entry.
    pub entry: Entry,
}

/// The entry at `seq`; `None` past the head.
///
/// # Errors
/// When the journal can't be read or the append is damaged.
pub fn entry(reader: &dyn JournalReader, seq: Seq) -> Result<Option<Found>, ReadFault> {
    Ok(batch_of(reader, seq)?.and_then(|batch| found(&batch, seq)))
}

/// Entries that name a subscriber, from `latest` backwards, at most `most` that `keep` takes.
///
/// # Errors
/// When the journal can't be read or an append is damaged.
pub fn walk(
    reader: &dyn JournalReader,
    latest: Seq,
    subscriber: SubscriberId,
    most: usize,
    keep: impl Fn(&Entry) -> bool,
) -> Result<Vec<Found>, ReadFault> {
    let mut kept = Vec::new();
    let mut seq = latest;
    let mut batch: Option<Arc<Batch>> = None;
    let mut steps = 0;
    while seq != Seq::ZERO && kept.len() < most.min(WALK_MAX) && steps < WALK_MAX {
        steps += 1;
        // Neighbours in time are often neighbours on disk.
        let here = match batch.take().filter(|batch| batch.first_seq <= seq) {
            Some(batch) => batch,
            None => match batch_of(reader, seq)? {
                Some(batch) => batch,
                None => break,
            },
        };
        let Some(found) = found(&here, seq) else { break };
        batch = Some(here);
        let prev = found.entry.verdict.effects.named().find(|named| named.subscriber == subscriber);
        let Some(prev) = prev.map(|named| named.prev).filter(|prev| *prev < seq) else { break };
        if keep(&found.entry) {
            kept.push(found);
        }
        seq = prev;
    }
    Ok(kept)
}

fn batch_of(reader: &dyn JournalReader, seq: Seq) -> Result<Option<Arc<Batch>>, ReadFault> {
    reader.find(seq)?.map(|link| decode(&link).map(Arc::new)).transpose()
}

fn found(batch: &Batch, seq: Seq) -> Option<Found> {
    let at = usize::try_from(seq.0.checked_sub(batch.first_seq.0)?).ok()?;
    let entry = batch.entries.get(at)?.clone();
    Some(Found { seq, at: batch.at, entry })
}
