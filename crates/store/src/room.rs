//! How much room is left on the journal's disk.
//!
//! Bounded: the file system is asked once in [`FRESH`] or after [`OCTETS_MAX`] octets, not for every append.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An answer is as good as new for this long…
const FRESH: Duration = Duration::from_secs(1);
/// …unless so much was written since.
const OCTETS_MAX: u64 = 16 << 20;
/// After an append that found no room there must be this much more than it takes, for what SQLite writes beside it.
const SPARE: u64 = 1 << 20;

/// Watches the room on a disk.
#[derive(Debug)]
pub(crate) struct Room {
    dir: PathBuf,
    reserve: u64,
    asked: Cell<Option<(Instant, bool)>>,
    written: Cell<u64>,
    /// What an append asked for that found no room; 0: the latest one found some.
    wanted: Cell<u64>,
}

impl Room {
    /// Watches that `reserve` octets are left on the disk that holds `dir`.
    pub(crate) fn new(dir: &Path, reserve: u64) -> Self {
        Self { dir: dir.to_path_buf(), reserve, asked: Cell::new(None), written: Cell::new(0), wanted: Cell::new(0) }
    }

    /// So much was written.
    pub(crate) fn used(&self, octets: u64) {
        self.written.set(self.written.get().saturating_add(octets));
        self.wanted.set(0);
    }

    /// There was no room for so much: it is short until there is, whatever the reserve.
    pub(crate) fn wanted(&self, octets: u64) {
        self.wanted.set(octets.saturating_add(SPARE));
        self.asked.set(None);
    }

    /// Whether less than the reserve is left.
    pub(crate) fn is_short(&self) -> bool {
        if let Some((asked, short)) = self.asked.get()
            && asked.elapsed() < FRESH
            && self.written.get() < OCTETS_MAX
        {
            return short;
        }
        // A file system that does not answer is not known to be short; the next append finds out.
        let least = self.reserve.max(self.wanted.get());
        let short = left(&self.dir).is_some_and(|octets| octets < least);
        self.asked.set(Some((Instant::now(), short)));
        self.written.set(0);
        short
    }
}

/// Octets that are left to us on the disk that holds `dir`.
pub(crate) fn left(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
