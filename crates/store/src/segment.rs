//! One file of the journal: its tables, the rows in it, and its life from prepared to sealed.
//!
//! A segment is *prepared* (tables, no `meta`), *begun* (`meta` says what stands before it), *closed* (`closed` says
//! that nothing will follow in this file) and *sealed* (one read-only file, its BLAKE3 beside it). Each step is one
//! SQLite transaction or one rename, so that a crash between any two leaves one of these and nothing else.
//!
//! Guarantees: an append to a closed segment changes nothing, whoever tries; a sealed file never changes.
//!
//! Deliberately not here: which segment comes next (see [`crate::journal`]), threads (see [`crate::keeper`]).

#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::receipt::Seq;
use engine::journal::{Hash, Link, ReadFault, peek};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::fault::{At, StoreFault};
use crate::files::{self, MODE, MODE_READ_ONLY};
use crate::sqlite::{self, BUSY_WAIT, beside, int, read_fault};
use crate::wal::Wal;

/// Octets of a page. A lone append is one page in the WAL, so small pages cost less room there; a large one is written
/// faster with large pages. Measured with fsync: 1 MiB takes 1.1 ms with 4 KiB, 0.8 with 8 KiB, 0.6 with 16 KiB.
pub(crate) const PAGE: u32 = 8_192;
/// Version of the journal's format: of the tables, and of what an append holds ([`engine::journal::APPEND_VERSION`]). A
/// program refuses what it doesn't know.
pub(crate) const VERSION: i64 = 3;
/// How the names begin under which files are made until they are whole.
const PREPARING: &str = "preparing-";
/// How long until a lock is tried again that is held for a moment.
const BUSY_STEP: Duration = Duration::from_millis(1);
/// Octets of zeros that are written at once.
const ZEROS: usize = 1 << 20;

const SCHEMA: &str = "
BEGIN;
-- One row, once the segment has begun: what stands before it.
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  first_seq INTEGER NOT NULL, -- of its first entry
  hash_before BLOB NOT NULL   -- of the append before that one; zeros: it is the first of all
);
-- One row, once the segment has ended: no append follows in this file.
CREATE TABLE closed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  last_seq INTEGER NOT NULL
);
-- One row per append. The hash stands before the entries, so that reading it reads one page.
CREATE TABLE appends (
  first_seq INTEGER PRIMARY KEY, -- of the append's first entry
  hash BLOB NOT NULL,            -- BLAKE3 over the hash before, first_seq and entries
  entries BLOB NOT NULL          -- CBOR: version, instant, count, entries
);
COMMIT;";

/// A segment's number, counted from 1 without a gap.
pub(crate) type Number = u32;

/// Name of a segment's file.
pub(crate) fn file_name(number: Number) -> String {
    format!("journal-{number:06}.sqlite")
}

/// The number in a segment's name; `None` for other files.
pub(crate) fn number_of(name: &str) -> Option<Number> {
    number_in(name, ".sqlite")
}

/// The number in a sidecar's name; `None` for other files.
pub(crate) fn sidecar_number_of(name: &str) -> Option<Number> {
    number_in(name, ".blake3")
}

fn number_in(name: &str, ending: &str) -> Option<Number> {
    let digits = name.strip_prefix("journal-")?.strip_suffix(ending)?;
    let number = digits.parse().ok()?;
    (format!("{number:06}") == digits && number > 0).then_some(number)
}

/// Path of a segment.
pub(crate) fn path_of(dir: &Path, number: Number) -> PathBuf {
    dir.join(file_name(number))
}

/// Path of a sealed segment's hash: one line as `b3sum` writes and checks it.
pub(crate) fn sidecar_of(dir: &Path, number: Number) -> PathBuf {
    dir.join(format!("journal-{number:06}.blake3"))
}

/// What a sidecar says; `None` when there is none.
///
/// # Errors
/// When it can't be read or is no such line.
pub(crate) fn read_sidecar(dir: &Path, number: Number) -> Result<Option<Hash>, StoreFault> {
    let path = sidecar_of(dir, number);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.at(&path)?,
    };
    let hash = text.split_once("  ").and_then(|(hash, _)| files::unhex(hash));
    match hash {
        Some(hash) => Ok(Some(hash)),
        None => Err(StoreFault::Manifest { path, what: String::from("it holds no BLAKE3 hash") }),
    }
}

/// Writes a segment's sidecar.
pub(crate) fn write_sidecar(dir: &Path, number: Number, hash: &Hash) -> io::Result<()> {
    let line = format!("{}  {}\n", files::hex(hash), file_name(number));
    files::write_whole(&sidecar_of(dir, number), line.as_bytes(), MODE_READ_ONLY)
}

/// What `meta` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) first_seq: Seq,
    pub(crate) hash_before: Hash,
}

/// An open segment. One connection, one thread at a time.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: Number,
    pub(crate) path: PathBuf,
    pub(crate) conn: Connection,
}

impl Segment {
    /// Makes and opens the next one, prepared: every name durable, and a WAL with so many octets of zeros. Writing into
    /// blocks that exist saves the file system's own journal in each commit: 0.11 ms instead of 0.20 for a small one.
    pub(crate) fn prepare(dir: &Path, number: Number, prewritten: u64) -> Result<Self, StoreFault> {
        let path = path_of(dir, number);
        let making = preparing(dir);
        if let Err(error) = make_empty(&making) {
            // Without room this is tried again and again: each try would take some.
            let _ = remove_with_wal(&making);
            return Err(error).at(&making);
        }
        files::set_mode(&making, MODE).at(&making)?;
        if path.exists() {
            // The lock was got round. Two servers on one file are told apart by its rows, on two files they are not.
            remove_with_wal(&making).at(&making)?;
            return Self::open(dir, number);
        }
        let sidecar = sidecar_of(dir, number);
        files::remove(&sidecar).at(&sidecar)?;
        files::rename(&making, &path).at(&path)?;
        let wal = beside(&path, "-wal");
        prewrite(&wal, prewritten).at(&wal)?;
        files::sync_dir(dir).at(dir)?;
        Self::open(dir, number)
    }

    /// Opens one for writing.
    pub(crate) fn open(dir: &Path, number: Number) -> Result<Self, StoreFault> {
        let path = path_of(dir, number);
        let conn = Self::connect(&path).at(&path)?;
        Ok(Self { number, path, conn })
    }

    fn connect(path: &Path) -> rusqlite::Result<Connection> {
        let conn = sqlite::open(path)?;
        // No checkpoint ever stands before a commit: the file is checkpointed once, after it is closed.
        conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
        Ok(conn)
    }

    /// Says what stands before the first append.
    pub(crate) fn begin(&self, meta: &Meta) -> rusqlite::Result<()> {
        let mut insert = self.conn.prepare_cached("INSERT INTO meta VALUES (1, ?1, ?2, ?3)")?;
        insert.execute(params![VERSION, int(meta.first_seq), meta.hash_before]).map(drop)
    }

    /// Says that nothing follows in this file.
    pub(crate) fn close(&self, last_seq: Seq) -> rusqlite::Result<()> {
        self.conn.execute("INSERT INTO closed VALUES (1, ?1)", [int(last_seq)]).map(drop)
    }

    /// Writes an append, alone in its transaction. False when the segment is closed: nothing was written.
    pub(crate) fn insert(&self, link: &Link) -> rusqlite::Result<bool> {
        let mut insert = self
            .conn
            .prepare_cached("INSERT INTO appends SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM closed)")?;
        insert.execute(params![int(link.first_seq), link.hash, link.bytes]).map(|rows| rows == 1)
    }

    /// Whether an append begins there.
    pub(crate) fn holds(&self, first_seq: Seq) -> rusqlite::Result<bool> {
        let mut select = self.conn.prepare("SELECT 1 FROM appends WHERE first_seq = ?1")?;
        select.exists([int(first_seq)])
    }

    /// Goes on with a WAL: a segment that was copied has none.
    pub(crate) fn use_wal(&self) -> rusqlite::Result<()> {
        self.conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
    }

    /// Octets that all appends have put into the WAL.
    pub(crate) fn wal_octets(&self) -> rusqlite::Result<u64> {
        let mut select = self.conn.prepare("SELECT length(entries) FROM appends")?;
        let mut rows = select.query([])?;
        let mut octets = 0;
        while let Some(row) = rows.next()? {
            let len: i64 = row.get(0)?;
            octets += wal_octets_of(usize::try_from(len).unwrap_or(0));
        }
        Ok(octets)
    }
}

fn make(path: &Path, mode: &str) -> rusqlite::Result<Connection> {
    let conn = sqlite::open_or_create(path)?;
    conn.execute_batch(&format!(
        "PRAGMA page_size = {PAGE}; PRAGMA journal_mode = {mode}; PRAGMA synchronous = FULL;"
    ))?;
    conn.execute_batch(SCHEMA)?;
    conn.pragma_update(None, "user_version", VERSION)?;
    Ok(conn)
}

/// Makes one without appends, as one whole file.
fn make_empty(path: &Path) -> rusqlite::Result<()> {
    let conn = make(path, "WAL")?;
    // Closing would do the same and not say that it found no room for it.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.close().map_err(|(_, error)| error)
}

/// Makes a segment of some appends, as one whole file under a name of its own; gives its path. Not closed.
///
/// # Errors
/// When `fill` has one, or the file can't be written.
pub(crate) fn write_new(
    dir: &Path,
    meta: &Meta,
    fill: impl FnOnce(&mut dyn FnMut(&Link) -> Result<(), StoreFault>) -> Result<(), StoreFault>,
) -> Result<PathBuf, StoreFault> {
    let path = preparing(dir);
    let conn = make(&path, "DELETE").at(&path)?;
    let segment = Segment { number: 0, path: path.clone(), conn };
    segment.conn.execute_batch("BEGIN").at(&path)?;
    segment.begin(meta).at(&path)?;
    fill(&mut |link| segment.insert(link).at(&path).map(drop))?;
    segment.conn.execute_batch("COMMIT").at(&path)?;
    segment.conn.close().map_err(|(_, error)| error).at(&path)?;
    files::set_mode(&path, MODE).at(&path)?;
    Ok(path)
}

/// Octets that an append of that length puts into the WAL: its pages, and those of the tree above them. The same for
/// every writer, so that two of them would end a segment at the same place.
pub(crate) const fn wal_octets_of(len: usize) -> u64 {
    (len as u64 / PAGE as u64 + 2) * PAGE as u64
}

/// Zeros are no frame: SQLite reads such a WAL as an empty one.
fn prewrite(wal: &Path, octets: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(wal)?;
    let zeros = vec![0; ZEROS];
    for _ in 0..octets / ZEROS as u64 {
        file.write_all(&zeros)?;
        // In small steps: whoever syncs another file meanwhile waits for one step at most.
        file.sync_data()?;
    }
    file.sync_all()
}

/// Removes a SQLite file with what SQLite keeps beside it.
pub(crate) fn remove_with_wal(path: &Path) -> io::Result<()> {
    for ending in ["-wal", "-shm", "-journal"] {
        files::remove(&beside(path, ending))?;
    }
    files::remove(path)
}

/// A name for a file that is not whole yet, its own even when two servers got into one directory.
pub(crate) fn preparing(dir: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    dir.join(format!("{PREPARING}{}-{count}.tmp", std::process::id()))
}

/// Removes what a crash left of files that were being made.
pub(crate) fn remove_leftovers(dir: &Path) -> io::Result<()> {
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        if file.file_name().to_str().is_some_and(|name| name.starts_with(PREPARING)) {
            files::remove(&file.path())?;
        }
    }
    Ok(())
}

/// What stands before a segment; `None`: it has not begun.
///
/// # Errors
/// When it can't be read, is damaged, or has another version.
pub(crate) fn meta(conn: &Connection, near: Seq) -> Result<Option<Meta>, ReadFault> {
    let fault = |error| read_fault(near, &error);
    let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Hash>(2)?));
    let found =
        conn.query_row("SELECT version, first_seq, hash_before FROM meta", [], row).optional().map_err(fault)?;
    match found {
        None => Ok(None),
        Some((VERSION, first_seq, hash_before)) => match u64::try_from(first_seq) {
            Ok(first_seq) if first_seq > 0 => Ok(Some(Meta { first_seq: Seq(first_seq), hash_before })),
            _ => Err(damaged(near, "its segment begins nowhere")),
        },
        Some((version, ..)) => Err(other_format(conn, near, version)),
    }
}

/// A segment of another format says so in two places. If only one does, it is damaged: a damaged journal can be cut, one of
/// another format may not be.
fn other_format(conn: &Connection, near: Seq, found: i64) -> ReadFault {
    match conn.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get::<_, i64>(0)) {
        Ok(stamped) if stamped == found => ReadFault::OtherFormat { found, known: VERSION },
        Ok(_) => damaged(near, &format!("its segment has version {found}; this program reads {VERSION}")),
        Err(error) => read_fault(near, &error),
    }
}

/// Checks that nothing durable was dropped from a segment's WAL; gives how many frames are in it.
///
/// Whoever writes or seals the segment meanwhile does so between any two steps here. What looks like a commit that was
/// dropped is none when it was counted as valid after all: a writer counts a commit before it writes the next. Nor is
/// it when the segment is closed: only then is its WAL moved into its file, where the count goes back to zero before
/// the frames go, and nothing follows what closed it. Both are asked after the commit was seen, so that what made it
/// look so has happened by then.
///
/// # Errors
/// When something was, or that can't be found out.
pub(crate) fn check_wal(conn: &Connection, path: &Path, near: Seq) -> Result<u64, ReadFault> {
    let io = |error: io::Error| ReadFault::Io(format!("{}: {error}", path.display()));
    let wal = Wal::open(&beside(path, "-wal"), PAGE).map_err(io)?;
    let mut valid = wal_frames(conn, near)?;
    // Each round looks at fewer frames than the one before.
    while let Some(passed) = wal.passed_commit(valid).map_err(io)? {
        valid = wal_frames(conn, near)?;
        if valid >= passed.frames {
            continue;
        }
        if is_closed(conn, near)? {
            break;
        }
        return Err(damaged(near, "its place in the WAL is damaged, and what was written after it is there"));
    }
    Ok(valid)
}

/// How many frames of a segment's WAL are valid; 0: it has none.
fn wal_frames(conn: &Connection, near: Seq) -> Result<u64, ReadFault> {
    let began = Instant::now();
    loop {
        let row = |row: &Row<'_>| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?));
        let noop = conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], row);
        match noop.map_err(|error| read_fault(near, &error))? {
            // A writer is just changing the count. This pragma does not wait as other statements do, and has no count.
            (true, _) if began.elapsed() < BUSY_WAIT => std::thread::park_timeout(BUSY_STEP),
            (true, _) => return Err(ReadFault::Io(String::from("the WAL's count is locked"))),
            // Below zero: it has no WAL.
            (false, frames) => return Ok(u64::try_from(frames).unwrap_or(0)),
        }
    }
}

/// Whether a segment is closed.
///
/// # Errors
/// When that can't be read.
pub(crate) fn is_closed(conn: &Connection, near: Seq) -> Result<bool, ReadFault> {
    conn.query_row("SELECT EXISTS (SELECT 1 FROM closed)", [], |row| row.get(0))
        .map_err(|error| read_fault(near, &error))
}

/// The append with the largest `first_seq` up to `seq`.
///
/// # Errors
/// When it can't be read or is no append.
pub(crate) fn at_or_before(conn: &Connection, seq: Seq) -> Result<Option<Link>, ReadFault> {
    let fault = |error| read_fault(seq, &error);
    let sql = "SELECT first_seq, hash, entries FROM appends WHERE first_seq <= ?1 ORDER BY first_seq DESC LIMIT 1";
    let mut select = conn.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([int(seq)]).map_err(fault)?;
    rows.next().map_err(fault)?.map(|row| link(row, seq)).transpose()
}

/// The hash before the append that begins at `first_seq`: of the row before, or what the segment began with.
///
/// # Errors
/// When it can't be read.
pub(crate) fn hash_before(conn: &Connection, first_seq: Seq) -> Result<Hash, ReadFault> {
    let fault = |error| read_fault(first_seq, &error);
    let sql = "SELECT hash FROM appends WHERE first_seq < ?1 ORDER BY first_seq DESC LIMIT 1";
    let mut select = conn.prepare_cached(sql).map_err(fault)?;
    match select.query_row([int(first_seq)], |row| row.get(0)).optional().map_err(fault)? {
        Some(hash) => Ok(hash),
        None => Ok(meta(conn, first_seq)?.ok_or_else(|| damaged(first_seq, "its segment never began"))?.hash_before),
    }
}

/// The first append with a `first_seq` of at least `seq`, as its `first_seq`.
///
/// # Errors
/// When it can't be read.
pub(crate) fn next_first(conn: &Connection, seq: Seq) -> Result<Option<Seq>, ReadFault> {
    let fault = |error| read_fault(seq, &error);
    let sql = "SELECT first_seq FROM appends WHERE first_seq >= ?1 ORDER BY first_seq LIMIT 1";
    let mut select = conn.prepare_cached(sql).map_err(fault)?;
    let first: Option<i64> = select.query_row([int(seq)], |row| row.get(0)).optional().map_err(fault)?;
    first.map(|first| u64::try_from(first).map(Seq).map_err(|_| damaged(seq, "a seq below zero"))).transpose()
}

/// Gives appends that begin at `from` to `to`, in order, to `take` until it has enough (answers false).
///
/// # Errors
/// When one can't be read or is no append, or `take` has one.
pub(crate) fn each_from(
    conn: &Connection,
    from: Seq,
    to: Seq,
    take: &mut dyn FnMut(Link) -> Result<bool, ReadFault>,
) -> Result<(), ReadFault> {
    let sql = "SELECT first_seq, hash, entries FROM appends WHERE first_seq BETWEEN ?1 AND ?2 ORDER BY first_seq";
    let mut near = from;
    let mut select = conn.prepare_cached(sql).map_err(|error| read_fault(near, &error))?;
    let mut rows = select.query([int(from), int(to)]).map_err(|error| read_fault(near, &error))?;
    while let Some(row) = rows.next().map_err(|error| read_fault(near, &error))? {
        let link = link(row, near)?;
        near = link.last_seq().next();
        if !take(link)? {
            break;
        }
    }
    Ok(())
}

fn link(row: &Row<'_>, near: Seq) -> Result<Link, ReadFault> {
    let first_seq = match row.get::<_, i64>(0).map(u64::try_from) {
        Ok(Ok(first_seq)) if first_seq > 0 => Seq(first_seq),
        Ok(_) => return Err(damaged(near, "a seq below one")),
        Err(error) => return Err(read_fault(near, &error)),
    };
    let hash = row.get(1).map_err(|error| read_fault(first_seq, &error))?;
    let bytes: Vec<u8> = row.get(2).map_err(|error| read_fault(first_seq, &error))?;
    match peek(&bytes) {
        Some((at, count)) if count > 0 => Ok(Link { first_seq, count, at, bytes, hash }),
        _ => Err(damaged(first_seq, "it is no append, or one of another version")),
    }
}

/// Damage near an entry.
pub(crate) fn damaged(seq: Seq, what: &str) -> ReadFault {
    ReadFault::Damaged { seq, what: String::from(what) }
}
