//! From a data directory to an engine that runs: lock, journal, checkpoint, fold, threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::password::KeyId;
use engine::checkpoint::{Checkpoint, Collector};
use engine::checkpointer::{CheckpointConfig, Checkpointer, kept_of};
use engine::clock::{ClockLimits, SystemClock};
use engine::handle::{Engine, EngineConfig, Parts, Refold};
use engine::ids::IdsConfig;
use engine::journal::{Head, Journal};
use engine::recover::recover;
use engine::replica::Replica;
use engine::timers::{DueTimer, dues};
use store::{DataDir, JournalConfig, SqliteCheckpoint, SqliteJournal, SqliteReader};

use crate::beside::Still;
use crate::config::{Limits, half, word};
use crate::exit::{Exit, Failure, Outcome};
use crate::faults;
use crate::progress::Progress;
use crate::serve::polite::Polite;

/// An engine, and the lock that goes with it.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Running, with its checkpoint and its timers.
    pub(crate) engine: Engine,
    /// What was folded.
    pub(crate) head: Head,
    /// BLAKE3 of the files whose rules are in force, by operator.
    pub(crate) file_hashes: Vec<(String, [u8; 32])>,
    /// Held for as long as the server runs.
    pub(crate) dir: DataDir,
}

/// Opens, folds, starts.
pub(crate) fn open(data: &Path, limits: &Limits, keys: &[KeyId], accept_clock: bool) -> Outcome<Opened> {
    let dir = DataDir::open(data).map_err(faults::store)?;
    let (journal, reader) = SqliteJournal::open(&dir, journal_config(limits)).map_err(faults::store)?;
    let mut checkpoint = SqliteCheckpoint::open(&dir.checkpoint()).map_err(faults::checkpoint)?;
    let head = journal.head();
    let kept = checkpoint.head();
    let tail = head.seq.0.saturating_sub(kept.seq.0);
    tracing::info!(entries = head.seq.0, tail, "folding the journal");
    let mut progress = Progress::new("folding the journal", Some(tail));
    let loaded = recover(&mut checkpoint, &reader, head, ids_config(limits), &mut |done| progress.set(done));
    let loaded = loaded.map_err(faults::recover)?;
    drop(progress);
    needed_keys(&loaded, keys)?;
    let file_hashes =
        loaded.state.operators().map(|(_, operator)| (operator.rules.operator.clone(), operator.file_hash)).collect();
    let collector = Collector::new(kept);
    let due = dues(&loaded.state);
    let parts = Parts {
        loaded,
        journal: Box::new(journal),
        reader: Arc::new(reader.clone()),
        clock: Arc::new(SystemClock::new()),
        refold: refold(dir.checkpoint(), reader, ids_config(limits)),
        config: engine_config(limits, accept_clock),
    };
    let mut engine = Engine::start(parts)?;
    let ids_kept = kept_of(&engine.handle());
    let checkpointer =
        Checkpointer::start(collector, Box::new(Polite::new(checkpoint)), checkpoint_config(limits), ids_kept)?;
    engine.follow("checkpoint", kept.seq, Box::new(checkpointer)).map_err(faults::follow)?;
    let timer = DueTimer::new(due, engine.handle());
    engine.follow("timers", head.seq, Box::new(timer)).map_err(faults::follow)?;
    Ok(Opened { engine, head, file_hashes, dir })
}

/// Folds anew after a batch was given up, beside the thread that writes the checkpoint.
fn refold(path: PathBuf, reader: SqliteReader, ids: IdsConfig) -> Refold {
    Box::new(move || {
        let mut checkpoint = Still::open(&path, ids)?;
        let head = reader.latest()?.map(|link| link.head()).unwrap_or_default();
        recover(&mut checkpoint, &reader, head, ids, &mut |_| {})
    })
}

/// A key that is not there would make every right password a wrong one, and lock its holder out.
fn needed_keys(loaded: &Replica, keys: &[KeyId]) -> Outcome<()> {
    let tags = loaded.state.cards().filter_map(|(_, card)| card.facts.state.tag());
    let missing = tags.map(|tag| tag.key()).find(|key| !keys.contains(key));
    missing.map_or(Ok(()), |KeyId(id)| {
        let what = format!("cards were made under the key {id}: bring keys/tag-{id}.key back from its own place");
        Err(Failure::new(Exit::Usage, what))
    })
}

fn journal_config(limits: &Limits) -> JournalConfig {
    JournalConfig {
        segment_entries_max: limits.segment_entries_max,
        segment_wal_bytes_max: limits.segment_wal_bytes_max,
        wal_prewritten_bytes: limits.wal_prewritten_bytes,
        disk_reserve_bytes: limits.disk_reserve_bytes,
    }
}

fn ids_config(limits: &Limits) -> IdsConfig {
    IdsConfig { ids_max: word(limits.ids_max), ussd_ids_max: word(limits.ussd_ids_max) }
}

fn engine_config(limits: &Limits, accept_clock: bool) -> EngineConfig {
    let clock =
        ClockLimits { clock_step_max_s: half(limits.clock_step_max_s), clock_gap_max_h: half(limits.clock_gap_max_h) };
    EngineConfig {
        queue_depth: word(limits.queue_depth),
        batch_entries_max: word(limits.batch_entries_max),
        clock,
        accept_clock,
    }
}

fn checkpoint_config(limits: &Limits) -> CheckpointConfig {
    CheckpointConfig {
        entries_min: limits.checkpoint_entries_min,
        interval_ms: limits.checkpoint_interval_ms,
        lag_entries_max: limits.checkpoint_lag_entries_max,
    }
}
