//! Copying a data directory while the server runs.
//!
//! Guarantees: what the manifest names is one whole journal up to its head, and a checkpoint that is not ahead of it; a
//! sealed segment is copied once; one that is not what it was when it was sealed is told and not copied.
//!
//! Deliberately not here: keys. They are never in a backup; the manifest names those that are needed.

use std::path::Path;

use domain::receipt::Seq;
use engine::journal::Hash;
use rusqlite::backup::Backup;

use crate::data_dir::{CHECKPOINT, DataDir};
use crate::fault::{At, StoreFault};
use crate::files;
use crate::manifest::{Manifest, ManifestSegment};
use crate::reader::SqliteReader;
use crate::roster::Known;
use crate::segment::{self, Meta, damaged};
use crate::sqlite;

/// Copies a directory into `to`, which may hold an older backup of it. `key_ids`: keys that its tags were made with.
/// `progress` hears how many segments are done, and of how many.
///
/// # Errors
/// When something is damaged, or can't be read or written.
pub fn backup(
    dir: &DataDir,
    to: &Path,
    key_ids: &[u8],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Manifest, StoreFault> {
    std::fs::create_dir_all(to).at(to)?;
    segment::remove_leftovers(to).at(to)?;
    // First the checkpoint, then the journal's head: so the checkpoint can't be ahead.
    let checkpoint = checkpoint(&dir.checkpoint(), to)?;
    let reader = SqliteReader::open(dir)?;
    let head = reader.latest()?.map(|link| link.head()).unwrap_or_default();
    let known: Vec<Known> = reader.segments().into_iter().filter(|known| known.first_seq <= head.seq).collect();
    let mut segments = Vec::with_capacity(known.len());
    for known in &known {
        progress(segments.len(), reader.segments().len());
        let hash = if known.sealed { sealed(dir.path(), to, known)? } else { tail(&reader, to, known, head.seq)? };
        segments.push(ManifestSegment { number: known.number, sealed: known.sealed, hash });
    }
    let manifest = Manifest { head, key_ids: key_ids.to_vec(), checkpoint, segments };
    manifest.write(to)?;
    progress(known.len(), known.len());
    Ok(manifest)
}

/// Copies a segment that never changes again, unless it is there.
fn sealed(dir: &Path, to: &Path, known: &Known) -> Result<Hash, StoreFault> {
    let number = known.number;
    let (from, copy) = (segment::path_of(dir, number), segment::path_of(to, number));
    let lost = || damaged(known.first_seq, "the hash of its segment's file is gone");
    let hash = segment::read_sidecar(dir, number)?.ok_or_else(lost)?;
    if copy.exists() && segment::read_sidecar(to, number)? == Some(hash) {
        return Ok(hash);
    }
    let making = segment::preparing(to);
    if files::copy(&from, &making, files::MODE_READ_ONLY).at(&from)? != hash {
        files::remove(&making).at(&making)?;
        return Err(damaged(known.first_seq, "its segment's file is not what it was when it was sealed").into());
    }
    files::rename(&making, &copy).at(&copy)?;
    segment::write_sidecar(to, number, &hash).at(&copy)?;
    Ok(hash)
}

/// Writes the appends of a segment that still changes, up to `last`, into a file of its own.
fn tail(reader: &SqliteReader, to: &Path, known: &Known, last: Seq) -> Result<Hash, StoreFault> {
    let meta = Meta { first_seq: known.first_seq, hash_before: known.hash_before };
    let made = segment::write_new(to, &meta, |put| reader.each_of(known, last, put))?;
    let hash = files::hash_file(&made).at(&made)?;
    let copy = segment::path_of(to, known.number);
    let sidecar = segment::sidecar_of(to, known.number);
    files::remove(&sidecar).at(&sidecar)?;
    files::rename(&made, &copy).at(&copy)?;
    Ok(hash)
}

/// Copies the tables as of one moment; `None`: there are none.
fn checkpoint(from: &Path, to: &Path) -> Result<Option<Hash>, StoreFault> {
    if !from.exists() {
        return Ok(None);
    }
    let making = segment::preparing(to);
    let copied = || {
        let source = sqlite::open_to_read(from)?;
        let mut copy = sqlite::open_or_create(&making)?;
        Backup::new(&source, &mut copy)?.step(-1)?;
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        copy.close().map_err(|(_, error)| error)
    };
    copied().at(from)?;
    files::set_mode(&making, files::MODE).at(&making)?;
    let hash = files::hash_file(&making).at(&making)?;
    let copy = to.join(CHECKPOINT);
    files::rename(&making, &copy).at(&copy)?;
    Ok(Some(hash))
}
