//! Moving files: marked before the first one moves, so that it is finished whatever happens.

use std::path::{Path, PathBuf};

use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::follower::Cursor;
use engine::journal::Head;

use super::Repaired;
use super::cut::Found;
use crate::checkpoint;
use crate::cursor::{self, SqliteCursor};
use crate::data_dir::CHECKPOINT;
use crate::deliveries::{self, SqliteDeliveries};
use crate::fault::{At, StoreFault};
use crate::files;
use crate::pending;
use crate::reader::SqliteReader;
use crate::segment::{self, Number};
use crate::sqlite::beside;

/// What a repair is about, as its mark keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// What the names of everything that it leaves begin with.
    pub(super) label: String,
    /// The first segment that goes.
    number: Number,
    /// Where the journal ends then.
    head: Head,
}

impl Mark {
    /// Reads the mark of a repair that was interrupted.
    pub(super) fn read(dir: &Path) -> Result<Self, StoreFault> {
        let path = pending::repair(dir);
        let text = std::fs::read_to_string(&path).at(&path)?;
        let parse = || {
            let mut words = text.split_whitespace();
            let label = String::from(words.next()?);
            let number = words.next()?.parse().ok()?;
            let seq = Seq(words.next()?.parse().ok()?);
            let hash = files::unhex(words.next()?)?;
            let at = Timestamp::from_ms(words.next()?.parse().ok()?);
            Some(Self { label, number, head: Head { seq, hash, at } })
        };
        parse().ok_or_else(|| StoreFault::Manifest { path, what: String::from("it is no mark of a repair") })
    }

    fn write(&self, dir: &Path) -> Result<(), StoreFault> {
        let path = pending::repair(dir);
        let Head { seq, hash, at } = &self.head;
        let text = format!("{} {} {seq} {} {}\n", self.label, self.number, files::hex(hash), at.ms());
        files::write_whole(&path, text.as_bytes(), files::MODE).at(&path)
    }
}

/// The appends of the damaged segment that stay, until they have its name.
fn kept_part(dir: &Path) -> PathBuf {
    dir.join("repair-new.sqlite")
}

/// Writes the part of the damaged segment that stays, then the mark. Nothing has moved yet.
pub(super) fn begin(dir: &Path, found: &Found, label: String) -> Result<Mark, StoreFault> {
    let mark = Mark { label, number: found.segment, head: found.head };
    let part = kept_part(dir);
    files::remove(&part).at(&part)?;
    match &found.meta {
        Some(meta) if meta.first_seq <= found.head.seq => {
            let reader = SqliteReader::open_one(dir, found.segment, meta);
            let known = reader.segments();
            let made = segment::write_new(dir, meta, |put| {
                known.iter().try_for_each(|known| reader.each_of(known, found.head.seq, put))
            })?;
            files::rename(&made, &part).at(&part)?;
        }
        // Nothing of it stays; then the one before must be here to be written to again.
        _ => {
            let before = found.segment.checked_sub(1).filter(|number| *number > 0);
            if let Some(number) = before.filter(|number| !found.numbers.contains(number)) {
                return Err(StoreFault::Archived { number });
            }
        }
    }
    mark.write(dir)?;
    Ok(mark)
}

/// Moves files, and brings checkpoint and followers back to the head. Every step may have been done already.
pub(super) fn finish(dir: &Path, mark: &Mark, repaired: &mut Repaired) -> Result<(), StoreFault> {
    repaired.head = mark.head;
    let part = kept_part(dir);
    for number in numbers_from(dir, mark.number)? {
        // The last step of an interrupted repair gave this name to the part that stays.
        if number == mark.number && !part.exists() && aside(dir, number, mark).try_exists().at(dir)? {
            continue;
        }
        set_aside(dir, number, mark, repaired)?;
    }
    if part.exists() {
        let path = segment::path_of(dir, mark.number);
        files::rename(&part, &path).at(&path)?;
    }
    unseal_last(dir, mark)?;
    go_back(dir, mark.head.seq, repaired)?;
    let path = pending::repair(dir);
    files::remove(&path).at(&path)?;
    files::sync_dir(dir).at(dir)
}

/// Segments from a number on, the last one first: what is left always is a beginning of the journal.
fn numbers_from(dir: &Path, first: Number) -> Result<Vec<Number>, StoreFault> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(dir).at(dir)? {
        numbers.extend(file.at(dir)?.file_name().to_str().and_then(segment::number_of).filter(|n| *n >= first));
    }
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    Ok(numbers)
}

fn aside(dir: &Path, number: Number, mark: &Mark) -> PathBuf {
    dir.join(format!("{}-{}", mark.label, segment::file_name(number)))
}

/// Gives a segment's files other names. The WAL first: it must never meet another file of the segment's name.
fn set_aside(dir: &Path, number: Number, mark: &Mark, repaired: &mut Repaired) -> Result<(), StoreFault> {
    let (path, aside) = (segment::path_of(dir, number), aside(dir, number, mark));
    for ending in ["-wal", "-journal"] {
        let beside_it = beside(&path, ending);
        if beside_it.exists() {
            files::rename(&beside_it, &beside(&aside, ending)).at(&beside_it)?;
        }
    }
    for gone in [beside(&path, "-shm"), segment::sidecar_of(dir, number)] {
        files::remove(&gone).at(&gone)?;
    }
    files::rename(&path, &aside).at(&path)?;
    repaired.kept.push(aside);
    Ok(())
}

/// The last segment is never a sealed one.
fn unseal_last(dir: &Path, mark: &Mark) -> Result<(), StoreFault> {
    let path = segment::path_of(dir, mark.number);
    let last = if path.exists() { mark.number } else { mark.number.saturating_sub(1) };
    let path = segment::path_of(dir, last);
    if path.exists() {
        let sidecar = segment::sidecar_of(dir, last);
        files::remove(&sidecar).at(&sidecar)?;
        files::set_mode(&path, files::MODE).at(&path)?;
    }
    Ok(())
}

fn go_back(dir: &Path, head: Seq, repaired: &mut Repaired) -> Result<(), StoreFault> {
    let path = dir.join(CHECKPOINT);
    let ahead = match checkpoint::head_of(&path) {
        Ok(at) => at.is_some_and(|at| at.seq > head),
        // It can't be read: the journal has everything that was in it.
        Err(_) => true,
    };
    if ahead {
        segment::remove_with_wal(&path).at(&path)?;
        repaired.checkpoint_removed = true;
    }
    bring_back(dir, head, repaired)
}

/// Followers of a journal that is whole, unless entries are missing at its end.
pub(super) fn bring_back_followers(dir: &Path, head: Seq, repaired: &mut Repaired) -> Result<(), StoreFault> {
    let checkpoint = checkpoint::head_of(&dir.join(CHECKPOINT));
    if checkpoint.is_ok_and(|at| at.is_none_or(|at| at.seq <= head)) { bring_back(dir, head, repaired) } else { Ok(()) }
}

fn bring_back(dir: &Path, head: Seq, repaired: &mut Repaired) -> Result<(), StoreFault> {
    if dir.join(deliveries::FILE).exists() && SqliteDeliveries::open(dir)?.go_back(head)? {
        repaired.followers_moved.push(String::from(deliveries::NAME));
    }
    for name in cursor::names(dir).at(dir)? {
        let mut follower = SqliteCursor::open(dir, &name)?;
        if follower.load()?.is_some_and(|seq| seq > head) {
            follower.save(head)?;
            repaired.followers_moved.push(name);
        }
    }
    Ok(())
}
