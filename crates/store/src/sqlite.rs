//! Opening SQLite files, and what its errors mean to a journal.
//!
//! Guarantees: no connection waits for a lock longer than [`BUSY_WAIT`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::receipt::Seq;
use engine::journal::ReadFault;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// How long a connection waits for another process's lock: a person with the `sqlite3` shell, a backup.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Opens a file that exists, for writing.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens a file for writing; makes it when there is none.
pub(crate) fn open_or_create(path: &Path) -> rusqlite::Result<Connection> {
    open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// Opens a file that exists, to read it.
///
/// What a crash left half done must be undone before anybody can read, and that is a write; nothing else is written.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let conn = open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
            let conn = open(path)?;
            // The last connection that closes would do the work of a checkpoint.
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            Ok(conn)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(conn),
    }
}

fn open_with(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // One thread at a time uses a connection, so that SQLite's own mutexes would only cost.
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY_WAIT)?;
    Ok(conn)
}

/// The file that SQLite keeps beside `path` under this ending: `-wal`, `-shm`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}

/// No room, on the disk or in the file.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// No room to open a file: not even for the index of its WAL.
///
/// For files that nothing was written to. Once a commit is in the WAL, an index that can't grow leaves its outcome open.
pub(crate) fn is_full_to_open(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    is_full(error) || code == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// Another connection holds a lock.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// The file holds something else than was written to it, as opposed to: it can't be reached.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(..) => {
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        }
        // The statements are ours, so one that does not fit has met other tables than ours.
        rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::QueryReturnedNoRows => true,
        _ => false,
    }
}

/// A fault of the journal near `seq`.
pub(crate) fn read_fault(seq: Seq, error: &rusqlite::Error) -> ReadFault {
    if is_damage(error) {
        ReadFault::Damaged { seq, what: error.to_string() }
    } else {
        ReadFault::Io(error.to_string())
    }
}

/// A seq as SQLite's integer; one past its range finds what the last in range finds: nothing.
pub(crate) fn int(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}
