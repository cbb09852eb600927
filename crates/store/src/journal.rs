//! The journal on SQLite: segments that are written once, closed, and never written again (docs/design.md, *Journal and
//! followers*).
//!
//! Guarantees: an append is one row in one transaction, synced before it returns; it is refused when the journal does
//! not end where it expects; without room nothing of it was written and the same append may be tried again; after any
//! other fault the journal takes nothing any more. No WAL checkpoint stands before a commit: a segment is checkpointed
//! once, after it is closed, by the keeper's thread. A segment that a crash left behind is not written to again.
//!
//! Bounded by [`JournalConfig`]. Deliberately not here: reading (see [`crate::reader`]), hashing and encoding (engine).

mod open;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::sync::Arc;

use domain::receipt::Seq;
use engine::journal::{AppendFault, Head, Journal, Link};
use rusqlite::{Connection, ErrorCode};

use crate::data_dir::DataDir;
use crate::fault::StoreFault;
use crate::keeper::Keeper;
use crate::reader::{Shared, SqliteReader};
use crate::room::Room;
use crate::roster::Known;
use crate::segment::{self, Meta, Number, Segment};
use crate::sqlite::is_full;

/// How large the parts of a journal get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// Entries of a segment at most; it ends between two appends. Sealing writes a segment's file while appends go on:
    /// the larger it is, the longer an append may wait for the disk then (100 MB: some 40 ms, once for each segment).
    pub segment_entries_max: u64,
    /// Octets that a segment's appends may put into its WAL: what bounds it when appends are small or entries large.
    pub segment_wal_bytes_max: u64,
    /// Octets of zeros that a new WAL begins with, so that a commit writes into blocks that exist; 0: none.
    pub wal_prewritten_bytes: u64,
    /// Intake closes when less than this is left on the disk.
    pub disk_reserve_bytes: u64,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            segment_entries_max: 500_000,
            segment_wal_bytes_max: 1 << 30,
            wal_prewritten_bytes: 128 << 20,
            disk_reserve_bytes: 1 << 30,
        }
    }
}

/// The writing side of the journal. One at a time in a data directory.
#[derive(Debug)]
pub struct SqliteJournal {
    live: Live,
    /// The next segment, when it was handed over and could not begin yet.
    next: Option<Segment>,
    /// A segment that is closed. It is sealed once the next one has an append, so that a sealed one is never the last.
    ended: Option<(Number, Option<Connection>)>,
    head: Head,
    config: JournalConfig,
    shared: Arc<Shared>,
    room: Room,
    /// After a fault that leaves the outcome open nothing may be written.
    failed: bool,
    /// Dropped before the lock, so that no other server begins while a segment is being sealed.
    keeper: Keeper,
    _lock: File,
}

/// The segment that is written to.
#[derive(Debug)]
struct Live {
    segment: Segment,
    state: LiveState,
    entries: u64,
    wal_octets: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LiveState {
    Open,
    /// A crash left it: it is closed before the next append.
    Left,
    Closed,
}

impl SqliteJournal {
    /// Opens the journal of a directory, makes its first segment when there is none, and finishes what a crash
    /// interrupted.
    ///
    /// # Errors
    /// When the latest append is damaged, appends that were durable are missing, a repair was interrupted, or files
    /// can't be read or written.
    pub fn open(dir: &DataDir, config: JournalConfig) -> Result<(Self, SqliteReader), StoreFault> {
        open::open(dir, config)
    }

    fn is_full_for(&self, link: &Link) -> bool {
        let Live { state, entries, wal_octets, .. } = &self.live;
        let too_many = entries + u64::from(link.count) > self.config.segment_entries_max;
        let too_large = wal_octets + segment::wal_octets_of(link.bytes.len()) > self.config.segment_wal_bytes_max;
        *state != LiveState::Open || *entries > 0 && (too_many || too_large)
    }

    /// Closes the live segment and begins the next one: two transactions. Without room it stops between any two steps
    /// and goes on from there the next time.
    fn turn(&mut self) -> Result<(), AppendFault> {
        let next = match self.next.take() {
            Some(next) => next,
            None => self.prepared()?,
        };
        let next = self.next.insert(next);
        if self.live.state != LiveState::Closed {
            let live = &self.live.segment;
            live.close(self.head.seq).map_err(|error| write_fault(live, &error, self.head.seq))?;
            self.live.state = LiveState::Closed;
        }
        let meta = Meta { first_seq: self.head.seq.next(), hash_before: self.head.hash };
        next.begin(&meta).map_err(|error| write_fault(next, &error, self.head.seq))?;
        if let Some(segment) = self.next.take() {
            self.shared.begun(Known::new(segment.number, &meta));
            self.keeper.prepare(segment.number.saturating_add(1));
            let old = core::mem::replace(&mut self.live, Live::new(segment));
            self.ended = Some((old.segment.number, Some(old.segment.conn)));
        }
        Ok(())
    }

    /// The next segment from the keeper; waits until it is there.
    fn prepared(&mut self) -> Result<Segment, AppendFault> {
        let number = self.live.segment.number.saturating_add(1);
        let asked_before = self.keeper.prepare(number);
        let mut prepared = self.keeper.prepared();
        // What was asked for long ago may have failed for want of room that is there now.
        if asked_before && matches!(&prepared, Some(Err(fault)) if fault.is_no_room()) {
            self.keeper.prepare(number);
            prepared = self.keeper.prepared();
        }
        match prepared {
            Some(Ok(segment)) => Ok(segment),
            Some(Err(fault)) if fault.is_no_room() => Err(AppendFault::NoRoom),
            Some(Err(fault)) => Err(AppendFault::Lost(fault.to_string())),
            None => Err(AppendFault::Lost(String::from("the thread that prepares segments is gone"))),
        }
    }

    fn write(&mut self, link: &Link) -> Result<(), AppendFault> {
        if self.failed {
            return Err(AppendFault::Lost(String::from("an earlier append was lost")));
        }
        if link.first_seq != self.head.seq.next() {
            let expected = Seq(link.first_seq.0.saturating_sub(1));
            return Err(AppendFault::Stale { expected, found: self.head.seq });
        }
        if self.is_full_for(link) {
            self.turn()?;
        }
        let live = &self.live.segment;
        match live.insert(link) {
            Ok(true) => {}
            Ok(false) => return Err(stale(live, self.head.seq)),
            Err(error) => match write_fault(live, &error, self.head.seq) {
                // The rollback is clean only if the row is not there.
                AppendFault::NoRoom if !live.holds(link.first_seq).is_ok_and(|holds| !holds) => {
                    return Err(AppendFault::Lost(error.to_string()));
                }
                fault => return Err(fault),
            },
        }
        let octets = segment::wal_octets_of(link.bytes.len());
        self.live.entries += u64::from(link.count);
        self.live.wal_octets += octets;
        self.head = link.head();
        self.room.used(octets);
        if let Some((number, conn)) = self.ended.take() {
            self.keeper.seal(number, conn);
        }
        Ok(())
    }
}

impl Journal for SqliteJournal {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, link: &Link) -> Result<(), AppendFault> {
        let written = self.write(link);
        self.failed |= matches!(written, Err(AppendFault::Stale { .. } | AppendFault::Lost(_)));
        if matches!(written, Err(AppendFault::NoRoom)) {
            self.room.wanted(segment::wal_octets_of(link.bytes.len()));
        }
        written
    }

    fn is_short_of_room(&self) -> bool {
        self.room.is_short()
    }
}

impl Drop for SqliteJournal {
    /// The last connection that is closed moves the WAL into the file; it should be the writer's.
    fn drop(&mut self) {
        self.shared.close_idle();
    }
}

impl Live {
    const fn new(segment: Segment) -> Self {
        Self { segment, state: LiveState::Open, entries: 0, wal_octets: 0 }
    }
}

/// What a failed write means. Each write is one statement and so one transaction.
fn write_fault(segment: &Segment, error: &rusqlite::Error, head: Seq) -> AppendFault {
    if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
        stale(segment, head)
    } else if is_full(error) && segment.conn.is_autocommit() {
        AppendFault::NoRoom
    } else {
        AppendFault::Lost(error.to_string())
    }
}

/// Somebody else wrote: says how far they are.
fn stale(segment: &Segment, head: Seq) -> AppendFault {
    let dir = segment.path.parent().unwrap_or(&segment.path);
    let latest = SqliteReader::open_path(dir).ok().and_then(|reader| reader.latest().ok().flatten());
    let found = latest.map_or(head.next(), |link| link.last_seq());
    AppendFault::Stale { expected: head, found }
}
