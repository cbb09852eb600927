//! How far a follower with effects outside got: one small file for each.
//!
//! Guarantees: what [`Cursor::save`] has answered survives a power cut; a follower that was paused by a restore stays
//! paused until somebody resumes it.
//!
//! Deliberately not here: a follower's deliveries and receipts (it keeps them itself).

use std::path::Path;

use domain::receipt::Seq;
use engine::follower::{Cursor, CursorFault};
use rusqlite::{Connection, OptionalExtension, params};

use crate::fault::StoreFault;
use crate::files;
use crate::sqlite::{self, int};

/// Characters of a follower's name at most.
pub const NAME_LEN_MAX: usize = 32;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS cursor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,   -- everything up to this entry is done with
  paused INTEGER NOT NULL -- 1: a restore put it here; nothing is done until somebody resumes it
);";

/// A follower's cursor.
#[derive(Debug)]
pub struct SqliteCursor {
    conn: Connection,
}

impl SqliteCursor {
    /// Opens `follower-NAME.sqlite` in a data directory; makes it when there is none.
    ///
    /// # Errors
    /// When the name is none, or the file can't be used.
    pub fn open(dir: &Path, name: &str) -> Result<Self, StoreFault> {
        let path = dir.join(file_name(name).ok_or(StoreFault::Name)?);
        let open = || {
            let conn = sqlite::open_or_create(&path)?;
            conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
            conn.execute_batch(SCHEMA)?;
            rusqlite::Result::Ok(conn)
        };
        let conn = open().map_err(|error| fault(&error))?;
        files::set_mode(&path, files::MODE).map_err(|error| CursorFault(error.to_string()))?;
        Ok(Self { conn })
    }

    /// Whether a restore paused it.
    ///
    /// # Errors
    /// When that can't be read.
    pub fn is_paused(&self) -> Result<bool, CursorFault> {
        let row = self.conn.query_row("SELECT paused FROM cursor", [], |row| row.get(0)).optional();
        row.map(Option::unwrap_or_default).map_err(|error| fault(&error))
    }

    /// Lets it go on from where it is.
    ///
    /// # Errors
    /// When that can't be written.
    pub fn resume(&mut self) -> Result<(), CursorFault> {
        self.conn.execute("UPDATE cursor SET paused = 0", []).map(drop).map_err(|error| fault(&error))
    }

    /// Puts it at an entry; paused: until [`resume`](Self::resume).
    ///
    /// # Errors
    /// When that can't be written.
    pub(crate) fn put(&mut self, seq: Seq, paused: bool) -> Result<(), CursorFault> {
        let put = self.conn.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?1, ?2)", params![int(seq), paused]);
        put.map(drop).map_err(|error| fault(&error))
    }
}

impl Cursor for SqliteCursor {
    fn load(&mut self) -> Result<Option<Seq>, CursorFault> {
        let row = self.conn.query_row("SELECT seq FROM cursor", [], |row| row.get::<_, i64>(0)).optional();
        let seq = row.map_err(|error| fault(&error))?;
        seq.map(|seq| u64::try_from(seq).map(Seq).map_err(|_| CursorFault(String::from("its seq is below zero"))))
            .transpose()
    }

    fn save(&mut self, seq: Seq) -> Result<(), CursorFault> {
        let sql = "INSERT INTO cursor VALUES (1, ?1, 0) ON CONFLICT DO UPDATE SET seq = excluded.seq";
        let mut save = self.conn.prepare_cached(sql).map_err(|error| fault(&error))?;
        save.execute([int(seq)]).map(drop).map_err(|error| fault(&error))
    }
}

fn fault(error: &rusqlite::Error) -> CursorFault {
    CursorFault(error.to_string())
}

/// Name of a follower's file; `None` when the name could lead elsewhere.
pub(crate) fn file_name(name: &str) -> Option<String> {
    let fits = (1..=NAME_LEN_MAX).contains(&name.len());
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (fits && plain).then(|| format!("follower-{name}.sqlite"))
}

/// Followers that have a cursor in a directory, by name.
pub(crate) fn names(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(dir)? {
        let file = file?.file_name();
        let name = file.to_str().and_then(|file| file.strip_prefix("follower-")?.strip_suffix(".sqlite"));
        names.extend(name.map(String::from));
    }
    names.sort_unstable();
    Ok(names)
}
