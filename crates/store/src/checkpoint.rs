//! The checkpoint: the state as tables that anybody can query while the server runs.
//!
//! Guarantees: a delta and its head are one transaction, so that the tables always are the fold of the journal up to
//! `meta.seq`; a row that does not fit is noticed when it is loaded; without room nothing was written.
//!
//! `synchronous = NORMAL`: a power cut may take the latest deltas back, never part of one. That only makes the
//! journal's tail longer, and the tables are never ahead of the journal, because only durable entries come here.
//!
//! Bounded by the rows of the state; pair usage that is forgotten is dropped a little with each write.
//! Deliberately not here: collecting deltas and when to write them (engine).

mod load;
mod rows;
mod schema;
mod slices;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::memory::{Remembered, Turns};
use domain::receipt::Seq;
use domain::same::Difference;
use domain::state::State;
use domain::time::Timestamp;
use engine::checkpoint::{Checkpoint, CheckpointFault, Delta};
use engine::ids::{IdsConfig, IdsKept};
use engine::journal::{Hash, Head};
use engine::replica::Replica;
use rusqlite::{Connection, OptionalExtension};

use crate::files;
use crate::sqlite::{self, is_damage, is_full};
use slices::Slices;

/// The checkpoint's tables.
#[derive(Debug)]
pub struct SqliteCheckpoint {
    path: PathBuf,
    conn: Connection,
    meta: Meta,
    /// Opened by the first write, since most only read. Dropped after the connection: see there.
    slices: Option<Slices>,
}

/// What `meta` says, besides its version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Meta {
    head: Head,
    ids_kept: IdsKept,
    remembered: Remembered,
    /// Rows that limits were ever given.
    limits_made: u16,
    subscribers: u32,
    cards: u32,
    /// Where the next write goes on looking for pair usage that is forgotten: after this limit's row of this subject. Kept,
    /// for whoever begins at the first row with each start never gets to the last.
    pruned: (u16, i64),
}

impl SqliteCheckpoint {
    /// Opens the tables, or makes empty ones.
    ///
    /// # Errors
    /// When the file can't be used, is damaged, or was written by another version.
    pub fn open(path: &Path) -> Result<Self, CheckpointFault> {
        let mut conn = sqlite::open_or_create(path).map_err(|error| fault(&error))?;
        if is_outdated(&conn)? {
            tracing::info!("the checkpoint's tables are of an older version: they are built again from the journal");
            drop(conn);
            remove(path)?;
            conn = sqlite::open_or_create(path).map_err(|error| fault(&error))?;
        }
        conn.execute_batch(schema::PRAGMAS).map_err(|error| fault(&error))?;
        let made = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
        if made.map_err(|error| fault(&error))? == 0 {
            conn.execute_batch(&schema::tables()).map_err(|error| fault(&error))?;
            files::set_mode(path, files::MODE).map_err(|error| CheckpointFault::Io(error.to_string()))?;
        }
        let meta = meta(&conn)?;
        Ok(Self { path: path.to_path_buf(), conn, meta, slices: None })
    }

    /// Moves what was written from the WAL into the file. A person who reads may stand in the way: nobody waits for
    /// them, and the next write tries again.
    fn shorten_wal(&self, slices: &Slices) -> rusqlite::Result<()> {
        self.conn.busy_timeout(Duration::ZERO)?;
        let shorten = || self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let shortened = slices.during(shorten);
        self.conn.busy_timeout(sqlite::BUSY_WAIT)?;
        shortened
    }

    /// Compares what a start would load with the fold of the journal up to the same entry. Gives at most `max` differences,
    /// with the tables as the one side. Nothing of the state is left out.
    ///
    /// # Errors
    /// When the tables can't be read or hold what is no row.
    pub fn compare(&self, state: &State, max: usize) -> Result<Vec<Difference>, CheckpointFault> {
        let loaded = load::load(&self.path, &self.conn, &self.meta, IdsConfig::NONE)?;
        Ok(loaded.state.differences(state, max))
    }
}

impl Checkpoint for SqliteCheckpoint {
    fn head(&self) -> Head {
        self.meta.head
    }

    fn write(&mut self, delta: &Delta) -> Result<(), CheckpointFault> {
        let slices = self.slices.take().unwrap_or_else(|| Slices::open(&self.path));
        let mut slice = slices.begin();
        let written = write::write(&mut self.conn, self.meta, delta, &mut slice);
        if let Ok(meta) = &written {
            self.meta = *meta;
            slice.sync();
            if let Err(error) = self.shorten_wal(&slices) {
                tracing::warn!(%error, "the checkpoint's WAL stays longer");
            }
        }
        self.slices = Some(slices);
        written.map(drop)
    }

    fn load(&mut self, ids: IdsConfig) -> Result<Replica, CheckpointFault> {
        load::load(&self.path, &self.conn, &self.meta, ids)
    }
}

/// Where the checkpoint in a file is; `None`: there is no such file, or nothing in it.
///
/// # Errors
/// When it can't be read or is damaged.
pub(crate) fn head_of(path: &Path) -> Result<Option<Head>, CheckpointFault> {
    if !path.exists() {
        return Ok(None);
    }
    let conn = sqlite::open_to_read(path).map_err(|error| fault(&error))?;
    meta(&conn).map(|meta| Some(meta.head))
}

/// Whether its tables are of an older version, which the journal replaces: a checkpoint holds nothing of its own.
fn is_outdated(conn: &Connection) -> Result<bool, CheckpointFault> {
    let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'";
    if conn.query_row(there, [], |row| row.get::<_, i64>(0)).map_err(|error| fault(&error))? == 0 {
        return Ok(false);
    }
    let version = conn.query_row("SELECT version FROM meta", [], |row| row.get::<_, i64>(0)).optional();
    Ok(version.map_err(|error| fault(&error))?.is_some_and(|version| version < schema::VERSION))
}

/// Removes a checkpoint with what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), CheckpointFault> {
    for ending in ["-wal", "-shm", ""] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(CheckpointFault::Io(error.to_string()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn meta(conn: &Connection) -> Result<Meta, CheckpointFault> {
    let sql = "SELECT version, seq, hash, at_ms, ids_floor_ms, programs_from, ussd_from, \
               subscribers, cards, pair_window_days, \
               pairs_turned_ms, pairs_newest_from, pairs_before_from, \
               repeats_turned_ms, repeats_newest_from, repeats_before_from, limits_made, \
               pruned_limit, pruned_subject FROM meta";
    let row = conn.query_row(sql, [], |row| {
        let seq = |column| row.get::<_, i64>(column).map(|seq| Seq(u64::try_from(seq).unwrap_or(0)));
        let at = |column| row.get::<_, i64>(column).map(Timestamp::from_ms);
        let head = Head { seq: seq(1)?, hash: row.get::<_, Hash>(2)?, at: at(3)? };
        let turns = |first: usize| -> rusqlite::Result<Turns> {
            Ok(Turns { at: at(first)?, newest_from: seq(first + 1)?, before_from: seq(first + 2)? })
        };
        let remembered = Remembered { pair_window_days: row.get(9)?, pairs: turns(10)?, repeats: turns(13)? };
        let (subscribers, cards, limits_made) = (row.get(7)?, row.get(8)?, row.get(16)?);
        let ids_kept = IdsKept { floor: at(4)?, programs_from: seq(5)?, ussd_from: seq(6)? };
        let pruned = (row.get(17)?, row.get(18)?);
        let meta = Meta { head, ids_kept, remembered, limits_made, subscribers, cards, pruned };
        Ok((row.get::<_, i64>(0)?, meta))
    });
    match row.optional().map_err(|error| fault(&error))? {
        Some((schema::VERSION, meta)) => Ok(meta),
        Some((version, _)) => Err(damaged(&format!("it has version {version}, not {}", schema::VERSION))),
        None => Err(damaged("it does not say where it is")),
    }
}

fn damaged(what: &str) -> CheckpointFault {
    CheckpointFault::Damaged(String::from(what))
}

fn fault(error: &rusqlite::Error) -> CheckpointFault {
    if is_full(error) {
        CheckpointFault::NoRoom
    } else if is_damage(error) {
        CheckpointFault::Damaged(error.to_string())
    } else {
        CheckpointFault::Io(error.to_string())
    }
}
