//! Opening a journal: after a clean stop, after a crash at any point, or for the first time.
//!
//! Guarantees: the latest append is whole, or the start is refused and names the seq; the same for appends that were
//! durable and are not there any more, as far as other files show it.
//!
//! Deliberately not here: checking everything (see [`crate::verify`]); it would make every start slow.

use std::path::Path;
use std::sync::Arc;

use domain::receipt::Seq;
use engine::journal::{Head, Link, decode};
use rusqlite::Connection;

use super::{JournalConfig, Live, LiveState, SqliteJournal};
use crate::data_dir::DataDir;
use crate::fault::{At, StoreFault};
use crate::keeper::{Keeper, Preparing};
use crate::pending;
use crate::reader::{Shared, SqliteReader, check};
use crate::room::Room;
use crate::roster::{Known, Roster};
use crate::segment::{self, Meta, Segment, damaged};
use crate::sqlite::{self, read_fault};

pub(super) fn open(dir: &DataDir, config: JournalConfig) -> Result<(SqliteJournal, SqliteReader), StoreFault> {
    let lock = dir.hold()?;
    let path = dir.path();
    pending::refuse(path)?;
    segment::remove_leftovers(path).at(path)?;
    let mut roster = Roster::scan(path)?;
    check_joints(path, &roster)?;
    if !roster.is_indexed
        && let Err(error) = roster.write_index(path)
    {
        // The next start opens all of them again: slower, and nothing else.
        tracing::warn!(%error, "what is known of sealed segments can't be written down");
    }
    let preparing = Preparing {
        dir: path.to_path_buf(),
        prewritten: config.wal_prewritten_bytes,
        reserve: config.disk_reserve_bytes,
    };
    // Its name was given to it when it was whole.
    let mut next = roster.prepared.take().map(|number| Segment::open(path, number)).transpose()?;
    let latest = roster.segments.last().map(|last| latest(path, &roster, last)).transpose()?;
    let near = latest.as_ref().map_or(Seq(1), |(_, head)| head.seq.next());
    if let Some(next) = &next {
        segment::check_wal(&next.conn, &next.path, near)?;
    }
    let (live, head) = match latest {
        Some(latest) => latest,
        None => (first(next.take(), &preparing, &mut roster)?, Head::default()),
    };
    let shared = Arc::new(Shared::new(path, roster.clone(), false));
    let mut keeper = Keeper::start(preparing, Arc::clone(&shared))?;
    if next.is_none() {
        keeper.prepare(live.segment.number.saturating_add(1));
    }
    let mut ended = None;
    for known in roster.segments.iter().filter(|known| !known.sealed && known.number != live.segment.number) {
        // A sealed one is never the last that has an append.
        if live.entries == 0 && known.number + 1 == live.segment.number {
            ended = Some((known.number, None));
        } else {
            keeper.seal(known.number, None);
        }
    }
    let room = Room::new(path, config.disk_reserve_bytes);
    let reader = SqliteReader::over(Arc::clone(&shared));
    let journal = SqliteJournal { live, next, ended, head, config, shared, room, failed: false, keeper, _lock: lock };
    Ok((journal, reader))
}

/// The first segment of all.
fn first(prepared: Option<Segment>, preparing: &Preparing, roster: &mut Roster) -> Result<Live, StoreFault> {
    let segment = prepared.map_or_else(|| preparing.segment(1), Ok)?;
    let meta = Meta { first_seq: Seq(1), hash_before: Head::default().hash };
    segment.begin(&meta).at(&segment.path)?;
    roster.segments.push(Known::new(segment.number, &meta));
    Ok(Live::new(segment))
}

/// The segment that was written to last, and the journal's head, with the latest append checked.
fn latest(dir: &Path, roster: &Roster, last: &Known) -> Result<(Live, Head), StoreFault> {
    let segment = Segment::open(dir, last.number)?;
    let near = last.first_seq;
    let link = segment::at_or_before(&segment.conn, Seq(u64::MAX))?;
    let end = link.as_ref().map_or(Seq(near.0.saturating_sub(1)), Link::last_seq);
    let frames = segment::check_wal(&segment.conn, &segment.path, end.next())?;
    let head = match &link {
        Some(link) => checked(&segment.conn, link)?,
        None => head_before(dir, roster, last)?,
    };
    let entries = (head.seq.0 + 1).saturating_sub(near.0);
    let wal_octets = segment.wal_octets().map_err(|error| read_fault(near, &error))?;
    let closed = segment::is_closed(&segment.conn, near)?;
    if !closed {
        segment.use_wal().at(&segment.path)?;
    }
    let state = if closed {
        LiveState::Closed
    } else if frames > 0 && entries > 0 {
        LiveState::Left
    } else {
        LiveState::Open
    };
    Ok((Live { segment, state, entries, wal_octets }, head))
}

/// The head of a journal that ends with this append, which is whole.
fn checked(conn: &Connection, link: &Link) -> Result<Head, StoreFault> {
    check(link, &segment::hash_before(conn, link.first_seq)?)?;
    decode(link)?;
    Ok(link.head())
}

/// The head before a segment that has no append yet.
fn head_before(dir: &Path, roster: &Roster, last: &Known) -> Result<Head, StoreFault> {
    if last.first_seq == Seq(1) {
        return Ok(Head::default());
    }
    let lost = || damaged(last.first_seq, "the segment that it began lost it");
    let before = roster.segments.iter().rev().nth(1).filter(|before| before.number + 1 == last.number);
    let before = before.filter(|before| !before.sealed).ok_or_else(lost)?;
    let path = segment::path_of(dir, before.number);
    let conn = sqlite::open_to_read(&path).map_err(|error| read_fault(before.first_seq, &error))?;
    let link = segment::at_or_before(&conn, Seq(u64::MAX))?.ok_or_else(lost)?;
    checked(&conn, &link)
}

/// Closed segments that are not sealed yet, and the one before the last, end where the next one begins.
fn check_joints(dir: &Path, roster: &Roster) -> Result<(), StoreFault> {
    let joints = roster.segments.len().saturating_sub(1);
    for (index, pair) in roster.segments.windows(2).enumerate() {
        let [known, next] = pair else { continue };
        if next.number == known.number + 1 && (!known.sealed || index + 1 == joints) {
            check_joint(dir, known, next)?;
        }
    }
    Ok(())
}

/// The segment ends right before the next one begins, with the hash that the next one began with.
pub(crate) fn check_joint(dir: &Path, known: &Known, next: &Known) -> Result<(), StoreFault> {
    let path = segment::path_of(dir, known.number);
    let conn = sqlite::open_to_read(&path).map_err(|error| read_fault(known.first_seq, &error))?;
    let last = segment::at_or_before(&conn, Seq(u64::MAX))?;
    let end = last.as_ref().map_or(Seq(known.first_seq.0.saturating_sub(1)), Link::last_seq);
    if end.next() != next.first_seq {
        return Err(damaged(end.next(), "entries are missing between two segments").into());
    }
    if last.is_some_and(|link| link.hash != next.hash_before) {
        return Err(damaged(next.first_seq, "its segment began after another append").into());
    }
    Ok(())
}
