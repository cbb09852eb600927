//! Syncing what is written a little at a time: a delta is hundreds of megabytes, and whoever syncs them at once keeps the
//! journal's own small syncs waiting for as long (docs/benchmarks.md).
//!
//! Guarantees: nothing is promised by it: SQLite syncs what it must, where it must, and finds little left to do. A fault
//! here is SQLite's to see: the system tells it to every open file.
//!
//! Bounded by: [`ROWS`] between two syncs of the write-ahead log; of the file, by what is copied during the one before.
//!
//! Deliberately not here: rest between slices. It made the foreground's waits no shorter, only the write longer.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sqlite;

/// Rows between two syncs: each changes one page of 4 KiB at most in its place, so at most 4 MiB.
const ROWS: u32 = 1_024;
/// While the file is copied into it is synced again after so long.
const PAUSE: Duration = Duration::from_millis(1);

/// The files of the tables, opened once more.
///
/// The tables' own file stays open as long as the connection: the system drops all locks of a process on a file when that
/// process closes any descriptor of it, and SQLite's are such locks. On a write-ahead log it takes none.
#[derive(Debug)]
pub(super) struct Slices {
    wal_path: PathBuf,
    tables: Option<File>,
}

/// The write-ahead log during one transaction.
#[derive(Debug)]
pub(super) struct Slice {
    wal: Option<File>,
    rows: u32,
}

impl Slices {
    /// Of the tables in this file. What can't be opened is not synced here.
    pub(super) fn open(path: &Path) -> Self {
        Self { wal_path: sqlite::beside(path, "-wal"), tables: File::open(path).ok() }
    }

    /// For a transaction that begins.
    pub(super) fn begin(&self) -> Slice {
        Slice { wal: File::open(&self.wal_path).ok(), rows: 0 }
    }

    /// Syncs the tables' file again and again while `copy` writes to it.
    pub(super) fn during<T>(&self, copy: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let sync = || {
                while let Some(tables) = self.tables.as_ref().filter(|_| !over.load(Ordering::Relaxed)) {
                    if tables.sync_data().is_err() {
                        return;
                    }
                    std::thread::park_timeout(PAUSE);
                }
            };
            // Without a thread SQLite syncs all at once, as it would without us.
            let started = std::thread::Builder::new().name(String::from("checkpoint-sync")).spawn_scoped(scope, sync);
            let copied = copy();
            over.store(true, Ordering::Relaxed);
            if let Ok(thread) = started {
                thread.thread().unpark();
            }
            copied
        })
    }
}

impl Slice {
    /// A row was written.
    pub(super) fn row(&mut self) {
        self.rows += 1;
        if self.rows >= ROWS {
            self.sync();
        }
    }

    /// What was written so far need not be waited for later.
    pub(super) fn sync(&mut self) {
        self.rows = 0;
        if let Some(wal) = &self.wal
            && wal.sync_data().is_err()
        {
            self.wal = None;
        }
    }
}
