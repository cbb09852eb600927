//! A data directory from a backup.
//!
//! Guarantees: nothing that is there is overwritten; every file and the whole chain are checked against the manifest;
//! an interrupted restore does not pass for a whole one; followers with effects outside start paused at the head, so
//! that nothing is sent a second time.
//!
//! Deliberately not here: keys. What is restored says which ones it needs.

use std::path::Path;

use domain::receipt::Seq;
use engine::journal::{Hash, Head};

use crate::cursor::SqliteCursor;
use crate::data_dir::{CHECKPOINT, DataDir};
use crate::deliveries::{self, SqliteDeliveries};
use crate::fault::{At, StoreFault};
use crate::files;
use crate::manifest::{MANIFEST, Manifest, ManifestSegment};
use crate::pending;
use crate::reader::SqliteReader;
use crate::segment;
use crate::verify::{Absent, verify_chain};

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where the journal ends.
    pub head: Head,
    /// Keys that must be put beside it before a password opens anything.
    pub key_ids: Vec<u8>,
    /// Entries whose segments were archived when the backup was made.
    pub absent: Vec<Absent>,
}

/// Makes a data directory from a backup; `dir` must not exist or be empty. `followers`: names of those with effects
/// outside. `progress` hears how many entries are checked.
///
/// # Errors
/// When there is something already, the backup is not what its manifest says, or files can't be read or written. What
/// was copied so far can't be started.
pub fn restore(
    from: &Path,
    dir: &Path,
    followers: &[&str],
    progress: &mut dyn FnMut(u64),
) -> Result<Restored, StoreFault> {
    let manifest = Manifest::read(from)?;
    let made = DataDir::create(dir)?;
    let mark = pending::restore(dir);
    files::write_whole(&mark, b"", files::MODE).at(&mark)?;
    for segment in &manifest.segments {
        copy_segment(from, dir, segment)?;
    }
    if let Some(hash) = manifest.checkpoint {
        copy(&from.join(CHECKPOINT), &made.checkpoint(), files::MODE, &hash)?;
    }
    let reader = SqliteReader::open(&made)?;
    let verified = verify_chain(&reader, Seq(1), progress)?;
    if verified.head != manifest.head {
        let what = format!("the journal ends at {}, not at {} as it says", verified.head.seq, manifest.head.seq);
        return Err(StoreFault::Manifest { path: from.join(MANIFEST), what });
    }
    for name in followers {
        if *name == deliveries::NAME {
            SqliteDeliveries::open(dir)?.put(manifest.head.seq, true)?;
        } else {
            SqliteCursor::open(dir, name)?.put(manifest.head.seq, true)?;
        }
    }
    files::sync_dir(dir).at(dir)?;
    files::remove(&mark).at(&mark)?;
    files::sync_dir(dir).at(dir)?;
    Ok(Restored { head: manifest.head, key_ids: manifest.key_ids, absent: verified.absent })
}

fn copy_segment(from: &Path, dir: &Path, segment: &ManifestSegment) -> Result<(), StoreFault> {
    let ManifestSegment { number, sealed, hash } = *segment;
    let mode = if sealed { files::MODE_READ_ONLY } else { files::MODE };
    let to = segment::path_of(dir, number);
    copy(&segment::path_of(from, number), &to, mode, &hash)?;
    if sealed {
        segment::write_sidecar(dir, number, &hash).at(&to)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, mode: u32, hash: &Hash) -> Result<(), StoreFault> {
    if files::copy(from, to, mode).at(from)? == *hash {
        Ok(())
    } else {
        Err(StoreFault::Manifest { path: from.to_path_buf(), what: String::from("it is not what the manifest says") })
    }
}
