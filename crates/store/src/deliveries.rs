//! The SMS follower's database: `sms.sqlite` in the data directory.
//!
//! Guarantees: a write is one transaction and survives a power cut; a file that holds something else than was written to
//! it, or was made by another program or version, is refused and left as it is; a follower that a restore paused stays
//! paused until somebody resumes it. A person may look at it with the `sqlite3` shell at any time: `SELECT * FROM sms`.
//!
//! Bounded by what the follower opens; finished deliveries go [`FORGET_STEP`](engine::deliveries::FORGET_STEP) at a time.
//!
//! Deliberately not here: texts, and anything that the journal has besides the numbers.

mod rows;

use std::path::{Path, PathBuf};

use domain::receipt::Seq;
use engine::deliveries::{Changes, Delivery, FORGET_STEP, FollowerStore, FollowerStoreFault, Forget};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::cursor::SqliteCursor;
use crate::files;
use crate::segment::remove_with_wal;
use crate::sqlite::{self, int, is_damage, is_full};

/// Its name in the data directory.
pub const FILE: &str = "sms.sqlite";
/// The follower's name.
pub const NAME: &str = "sms";
/// "SonS" in ASCII: whose file it is.
const APPLICATION_ID: i64 = 0x536F_6E53;
/// Version of the tables; a program refuses what it doesn't know.
const VERSION: i64 = 1;

const PRAGMAS: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -8192;";

const TABLES: &str = "
-- How far the follower got.
CREATE TABLE cursor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,      -- deliveries of everything up to this entry are in the tables
  paused INTEGER NOT NULL    -- 1: a restore put it here; nothing is sent until somebody resumes it
);
-- Deliveries that have not ended. Their texts are made again from the journal.
CREATE TABLE open (
  seq INTEGER NOT NULL,      -- the entry
  role TEXT NOT NULL,        -- recipient, sender
  msisdn INTEGER NOT NULL,   -- to whom
  given_at_ms INTEGER NOT NULL,
  state TEXT NOT NULL,       -- waiting, submitted
  at_ms INTEGER NOT NULL,    -- waiting: the next try; submitted: no receipt counts after this; else: when it ended
  attempts INTEGER NOT NULL,
  language TEXT,             -- ko, en; null: not known yet
  status INTEGER,            -- SMPP command_status of the latest refusal
  link INTEGER,              -- the SMSC that took it over
  message_id TEXT,           -- what it called it
  sent_at_ms INTEGER,        -- when
  receipt TEXT,              -- what the latest receipt says
  receipt_error INTEGER,     -- the network's error in it
  PRIMARY KEY (seq, role)
) WITHOUT ROWID;
-- Deliveries that have: delivered, failed, expired, gave-up, superseded, unconfirmed.
CREATE TABLE ended (
  seq INTEGER NOT NULL, role TEXT NOT NULL, msisdn INTEGER NOT NULL, given_at_ms INTEGER NOT NULL,
  state TEXT NOT NULL, at_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, language TEXT, status INTEGER,
  link INTEGER, message_id TEXT, sent_at_ms INTEGER, receipt TEXT, receipt_error INTEGER,
  PRIMARY KEY (seq, role)
) WITHOUT ROWID;
CREATE INDEX ended_at ON ended (at_ms);
CREATE VIEW sms AS
  SELECT seq, role, msisdn, state, datetime(given_at_ms / 1000, 'unixepoch') AS given_at,
         datetime(at_ms / 1000, 'unixepoch') AS at, attempts, language, status, link, message_id, receipt, receipt_error
  FROM (SELECT * FROM open UNION ALL SELECT * FROM ended);";

/// The database.
#[derive(Debug)]
pub struct SqliteDeliveries {
    path: PathBuf,
    conn: Connection,
    ended: u64,
}

impl SqliteDeliveries {
    /// Opens the database of a data directory; makes it when there is none. A cursor of a version before it is taken over.
    ///
    /// # Errors
    /// When it can't be used, is damaged, or is another program's or version's.
    pub fn open(dir: &Path) -> Result<Self, FollowerStoreFault> {
        let path = dir.join(FILE);
        let at = |error: rusqlite::Error| fault(&path, &error);
        let conn = sqlite::open_or_create(&path).map_err(at)?;
        if known(&conn).map_err(at)?.of(&path)? {
            conn.execute_batch(PRAGMAS).map_err(at)?;
        } else {
            conn.execute_batch(PRAGMAS).map_err(at)?;
            let ids = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};");
            conn.execute_batch(&format!("BEGIN; {TABLES} {ids} COMMIT;")).map_err(at)?;
            files::set_mode(&path, files::MODE).map_err(|error| io(&path, &error))?;
        }
        let ended = conn.query_row("SELECT count(*) FROM ended", [], |row| row.get::<_, i64>(0)).map_err(at)?;
        let mut made = Self { path: path.clone(), conn, ended: ended.unsigned_abs() };
        made.take_over(dir)?;
        Ok(made)
    }

    /// Before there were deliveries the follower had a cursor alone.
    fn take_over(&mut self, dir: &Path) -> Result<(), FollowerStoreFault> {
        let before = crate::cursor::file_name(NAME).map(|name| dir.join(name)).filter(|path| path.exists());
        let Some(path) = before.filter(|_| self.read_cursor().is_ok_and(|cursor| cursor.is_none())) else {
            return Ok(());
        };
        let told = |error: &dyn std::fmt::Display| FollowerStoreFault::Io(format!("{}: {error}", path.display()));
        let mut cursor = SqliteCursor::open(dir, NAME).map_err(|error| told(&error))?;
        let seq = engine::follower::Cursor::load(&mut cursor).map_err(|error| told(&error))?;
        let paused = cursor.is_paused().map_err(|error| told(&error))?;
        if let Some(seq) = seq {
            self.put(seq, paused)?;
        }
        drop(cursor);
        // Were it there when somebody moves the new one away, it would send everything since once more.
        remove_with_wal(&path).map_err(|error| told(&error))
    }

    /// Whether a restore paused it.
    ///
    /// # Errors
    /// When that can't be read.
    pub fn is_paused(&self) -> Result<bool, FollowerStoreFault> {
        let row = self.conn.query_row("SELECT paused FROM cursor", [], |row| row.get(0)).optional();
        row.map(Option::unwrap_or_default).map_err(|error| self.fault(&error))
    }

    /// Lets it go on from where it is.
    ///
    /// # Errors
    /// When that can't be written.
    pub fn resume(&mut self) -> Result<(), FollowerStoreFault> {
        let done = self.conn.execute("UPDATE cursor SET paused = 0", []);
        done.map(drop).map_err(|error| self.fault(&error))
    }

    /// Puts it at an entry; paused: until [`resume`](Self::resume).
    pub(crate) fn put(&mut self, seq: Seq, paused: bool) -> Result<(), FollowerStoreFault> {
        let put = self.conn.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?1, ?2)", params![int(seq), paused]);
        put.map(drop).map_err(|error| self.fault(&error))
    }

    /// Takes it back to an entry, and everything about later ones away: they are in the journal no more, and others will
    /// have their places. Whether it was past it.
    pub(crate) fn go_back(&mut self, head: Seq) -> Result<bool, FollowerStoreFault> {
        if self.read_cursor()?.is_none_or(|cursor| cursor <= head) {
            return Ok(false);
        }
        let path = self.path.clone();
        let at = |error: rusqlite::Error| fault(&path, &error);
        let work = self.conn.transaction().map_err(at)?;
        work.execute("DELETE FROM open WHERE seq > ?1", [int(head)]).map_err(at)?;
        let gone = work.execute("DELETE FROM ended WHERE seq > ?1", [int(head)]).map_err(at)?;
        work.execute("UPDATE cursor SET seq = ?1", [int(head)]).map_err(at)?;
        work.commit().map_err(at)?;
        self.ended = self.ended.saturating_sub(gone as u64);
        Ok(true)
    }

    fn read_cursor(&self) -> Result<Option<Seq>, FollowerStoreFault> {
        let row = self.conn.query_row("SELECT seq FROM cursor", [], |row| row.get::<_, i64>(0)).optional();
        let seq = row.map_err(|error| self.fault(&error))?;
        let whole = |seq| u64::try_from(seq).map(Seq).map_err(|_| damaged(&self.path, "its cursor is below zero"));
        seq.map(whole).transpose()
    }

    fn fault(&self, error: &rusqlite::Error) -> FollowerStoreFault {
        fault(&self.path, error)
    }
}

impl FollowerStore for SqliteDeliveries {
    fn cursor(&mut self) -> Result<Option<Seq>, FollowerStoreFault> {
        self.read_cursor()
    }

    fn open_deliveries(&mut self) -> Result<Vec<Delivery>, FollowerStoreFault> {
        rows::read(&self.conn, "SELECT * FROM open ORDER BY seq, role", []).map_err(|error| self.fault(&error))
    }

    fn write(&mut self, changes: &Changes) -> Result<(), FollowerStoreFault> {
        let path = self.path.clone();
        let at = |error: rusqlite::Error| fault(&path, &error);
        let work = self.conn.transaction().map_err(at)?;
        let mut ended = self.ended;
        if let Some(cursor) = changes.cursor {
            let sql = "INSERT INTO cursor VALUES (1, ?1, 0) ON CONFLICT DO UPDATE SET seq = excluded.seq";
            work.prepare_cached(sql).and_then(|mut put| put.execute([int(cursor)])).map_err(at)?;
        }
        for delivery in &changes.deliveries {
            ended += rows::write(&work, delivery).map_err(at)?;
        }
        if let Some(forget) = changes.forget {
            let most = FORGET_STEP.saturating_add(changes.deliveries.len());
            ended -= forget_some(&work, forget, ended, most).map_err(at)?.min(ended);
        }
        work.commit().map_err(at)?;
        self.ended = ended;
        Ok(())
    }

    fn find(&mut self, seq: Seq) -> Result<Vec<Delivery>, FollowerStoreFault> {
        find_in(&self.conn, seq).map_err(|error| self.fault(&error))
    }
}

/// The deliveries of an entry, read beside a server that runs or without one. None when there is no database.
///
/// # Errors
/// When it can't be read, is damaged, or is another program's or version's.
pub fn find(dir: &Path, seq: Seq) -> Result<Vec<Delivery>, FollowerStoreFault> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let at = |error: rusqlite::Error| fault(&path, &error);
    let conn = sqlite::open_to_read(&path).map_err(at)?;
    if known(&conn).map_err(at)?.of(&path)? { find_in(&conn, seq).map_err(at) } else { Ok(Vec::new()) }
}

fn find_in(conn: &Connection, seq: Seq) -> rusqlite::Result<Vec<Delivery>> {
    let sql = "SELECT * FROM open WHERE seq = ?1 UNION ALL SELECT * FROM ended WHERE seq = ?1 ORDER BY role";
    rows::read(conn, sql, [int(seq)])
}

/// Oldest first, through the index.
fn forget_some(work: &Transaction<'_>, forget: Forget, ended: u64, most: usize) -> rusqlite::Result<u64> {
    let too_many = usize::try_from(ended.saturating_sub(forget.kept_max)).unwrap_or(usize::MAX).min(most);
    let sql = "DELETE FROM ended WHERE (seq, role) IN (SELECT seq, role FROM ended ORDER BY at_ms LIMIT ?1)";
    let mut gone = 0;
    if too_many > 0 {
        gone = work.prepare_cached(sql)?.execute([i64::try_from(too_many).unwrap_or(i64::MAX)])?;
    }
    let sql = "DELETE FROM ended WHERE (seq, role) IN
               (SELECT seq, role FROM ended WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)";
    let rest = i64::try_from(most - too_many).unwrap_or(i64::MAX);
    gone += work.prepare_cached(sql)?.execute(params![forget.before.ms(), rest])?;
    Ok(gone as u64)
}

/// What a file was found to be.
enum Found {
    Empty,
    Ours,
    Version(i64),
    Foreign,
}

impl Found {
    /// Whether the tables are there already.
    fn of(self, path: &Path) -> Result<bool, FollowerStoreFault> {
        match self {
            Self::Empty => Ok(false),
            Self::Ours => Ok(true),
            Self::Version(version) => {
                Err(damaged(path, &format!("its tables have version {version}; this program knows {VERSION}")))
            }
            Self::Foreign => Err(damaged(path, "it is no database of SMS: move it away")),
        }
    }
}

fn known(conn: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    Ok(match (tables, application, version) {
        (0, 0, 0) => Found::Empty,
        (_, APPLICATION_ID, VERSION) => Found::Ours,
        (_, APPLICATION_ID, version) => Found::Version(version),
        _ => Found::Foreign,
    })
}

fn damaged(path: &Path, what: &str) -> FollowerStoreFault {
    FollowerStoreFault::Damaged(format!("{}: {what}", path.display()))
}

fn io(path: &Path, error: &std::io::Error) -> FollowerStoreFault {
    FollowerStoreFault::Io(format!("{}: {error}", path.display()))
}

fn fault(path: &Path, error: &rusqlite::Error) -> FollowerStoreFault {
    if is_full(error) {
        FollowerStoreFault::NoRoom
    } else if is_damage(error) {
        damaged(path, &error.to_string())
    } else {
        FollowerStoreFault::Io(format!("{}: {error}", path.display()))
    }
}
