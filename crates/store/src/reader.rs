//! Reading the journal, while it is written or without a server.
//!
//! Guarantees: what is read was durable; every append that is given out was checked against the hash before it; a
//! transaction is open only while one call reads, so that no checkpoint of a closed segment waits long.
//!
//! Bounded by [`IDLE_MAX`] idle connections. Deliberately not here: decoding (engine), walking everything
//! (see [`crate::verify`]).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use domain::receipt::Seq;
use engine::journal::{Hash, JournalReader, Link, ReadFault};
use rusqlite::Connection;

use crate::data_dir::DataDir;
use crate::fault::StoreFault;
use crate::roster::{self, Known, Roster};
use crate::segment::{self, Meta, Number, damaged};
use crate::sqlite::{self, read_fault};

/// Connections that wait for the next call, over all segments.
pub const IDLE_MAX: usize = 8;

/// Octets that are read in one transaction when a whole segment is.
const PART: usize = 8 << 20;

/// Reads a journal; clones share their connections.
#[derive(Clone, Debug)]
pub struct SqliteReader {
    shared: Arc<Shared>,
}

/// What the writer, its keeper and all readers of one process know together.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    roster: RwLock<Roster>,
    idle: Mutex<Vec<(Number, Connection)>>,
    /// Another process writes, if any does: new segments must be looked for.
    foreign: bool,
}

impl SqliteReader {
    /// Opens the journal of a directory for reading, beside a running server or without one.
    ///
    /// # Errors
    /// When there is none or it can't be read.
    pub fn open(dir: &DataDir) -> Result<Self, StoreFault> {
        Self::open_path(dir.path())
    }

    /// The same without the rest of a data directory: a backup.
    pub(crate) fn open_path(dir: &Path) -> Result<Self, StoreFault> {
        let roster = Roster::scan(dir)?;
        Ok(Self::over(Arc::new(Shared::new(dir, roster, true))))
    }

    /// One segment as it is, whatever the others are.
    pub(crate) fn open_one(dir: &Path, number: Number, meta: &Meta) -> Self {
        let roster = Roster { segments: vec![Known::new(number, meta)], ..Roster::default() };
        Self::over(Arc::new(Shared::new(dir, roster, true)))
    }

    pub(crate) const fn over(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// Segments as known now.
    pub(crate) fn segments(&self) -> Vec<Known> {
        self.shared.roster(|roster| roster.segments.clone())
    }

    /// Checks that nothing durable was dropped from WALs: of segments that are not sealed, and of the prepared one.
    pub(crate) fn check_end(&self, near: Seq) -> Result<(), ReadFault> {
        let (unsealed, prepared) = self.shared.roster(|roster| {
            let unsealed: Vec<_> = roster.segments.iter().filter(|known| !known.sealed).copied().collect();
            (unsealed, roster.prepared)
        });
        for number in unsealed.iter().map(|known| known.number).chain(prepared) {
            let path = segment::path_of(&self.shared.dir, number);
            let conn = sqlite::open_to_read(&path).map_err(|error| read_fault(near, &error))?;
            segment::check_wal(&conn, &path, near)?;
        }
        Ok(())
    }

    /// The latest append; `None`: there is none yet.
    ///
    /// # Errors
    /// See [`ReadFault`].
    pub fn latest(&self) -> Result<Option<Link>, ReadFault> {
        self.shared.look_again()?;
        for known in self.segments().iter().rev() {
            let last = self.shared.with(known, |conn| segment::at_or_before(conn, Seq(u64::MAX)))?;
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Gives the appends of one segment up to the one that holds `last` to `take`, in order, each checked.
    pub(crate) fn each_of<E: From<ReadFault>>(
        &self,
        known: &Known,
        last: Seq,
        take: &mut dyn FnMut(&Link) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut next, mut hash) = (known.first_seq, known.hash_before);
        while next <= last {
            let mut taken = Taken { next, hash, room: PART, links: Vec::new() };
            self.shared.with(known, |conn| segment::each_from(conn, next, last, &mut |link| taken.take(link)))?;
            let Some(end) = taken.links.last().map(Link::head) else { break };
            taken.links.iter().try_for_each(&mut *take)?;
            (next, hash) = (end.seq.next(), end.hash);
        }
        Ok(())
    }

    /// The segment and the append that hold an entry, with the hash before it; `None` past the head.
    fn locate(&self, seq: Seq) -> Result<Option<Place>, ReadFault> {
        loop {
            let Some((known, next)) = self.shared.roster(|roster| roster.place(seq)) else {
                return self.shared.roster(|roster| roster.gap_before(seq)).map_or(Ok(None), Err);
            };
            if let Some(found) = self.shared.with(&known, |conn| in_segment(conn, known.number, seq))? {
                return Ok(Some(found));
            }
            // Only a segment that was closed before we looked shows a gap at its end.
            match next {
                Some(next) => return Err(roster::gap(&known, &next, seq)),
                None if self.shared.roster(|roster| roster.from(known.number).len()) > 1 => {}
                None => return Ok(None),
            }
        }
    }

    /// Like `locate`, and looks for segments that another process made meanwhile.
    fn locate_anew(&self, seq: Seq) -> Result<Option<Place>, ReadFault> {
        let seq = seq.max(Seq(1));
        let last = self.shared.last();
        match self.locate(seq)? {
            None if self.shared.look_again()? > last => self.locate(seq),
            found => Ok(found),
        }
    }
}

/// Where an entry is.
struct Place {
    number: Number,
    link: Link,
    hash_before: Hash,
}

fn in_segment(conn: &Connection, number: Number, seq: Seq) -> Result<Option<Place>, ReadFault> {
    let link = segment::at_or_before(conn, seq)?;
    let end = match link {
        Some(link) if link.last_seq() >= seq => {
            let hash_before = segment::hash_before(conn, link.first_seq)?;
            check(&link, &hash_before)?;
            return Ok(Some(Place { number, link, hash_before }));
        }
        Some(link) => link.last_seq().next(),
        None => seq,
    };
    match segment::next_first(conn, seq)? {
        Some(_) => Err(damaged(end, "entries are missing")),
        None => Ok(None),
    }
}

impl JournalReader for SqliteReader {
    fn find(&self, seq: Seq) -> Result<Option<Link>, ReadFault> {
        if seq == Seq::ZERO {
            return Ok(None);
        }
        Ok(self.locate_anew(seq)?.map(|place| place.link))
    }

    fn read(&self, from: Seq, bytes_max: usize) -> Result<Vec<Link>, ReadFault> {
        let Some(Place { number, link, hash_before }) = self.locate_anew(from)? else { return Ok(Vec::new()) };
        let mut taken = Taken { next: link.first_seq, hash: hash_before, room: bytes_max, links: Vec::new() };
        let mut more = taken.take(link)?;
        let rest = self.shared.roster(|roster| roster.from(number).to_vec());
        for known in &rest {
            if !more {
                break;
            }
            if known.first_seq > taken.next {
                // A gap: whoever asks for what is missing hears which kind of gap it is.
                break;
            }
            self.shared.with(known, |conn| {
                segment::each_from(conn, taken.next, Seq(u64::MAX), &mut |link| {
                    more = taken.take(link)?;
                    Ok(more)
                })
            })?;
        }
        Ok(taken.links)
    }
}

/// What a call of `read` has so far.
struct Taken {
    next: Seq,
    hash: Hash,
    room: usize,
    links: Vec<Link>,
}

impl Taken {
    /// Takes an append when it follows and fits; false when there is no room for more.
    fn take(&mut self, link: Link) -> Result<bool, ReadFault> {
        if link.first_seq != self.next {
            return Err(damaged(self.next, "entries are missing"));
        }
        if !self.links.is_empty() && link.bytes.len() > self.room {
            return Ok(false);
        }
        check(&link, &self.hash)?;
        self.room = self.room.saturating_sub(link.bytes.len());
        self.next = link.last_seq().next();
        self.hash = link.hash;
        self.links.push(link);
        Ok(self.room > 0)
    }
}

/// Checks an append against the hash before it.
pub(crate) fn check(link: &Link, before: &Hash) -> Result<(), ReadFault> {
    if link.follows(before) {
        Ok(())
    } else {
        Err(damaged(link.first_seq, "its hash does not follow from the one before"))
    }
}

impl Shared {
    pub(crate) fn new(dir: &Path, roster: Roster, foreign: bool) -> Self {
        Self { dir: dir.to_path_buf(), roster: RwLock::new(roster), idle: Mutex::default(), foreign }
    }

    fn roster<T>(&self, look: impl FnOnce(&Roster) -> T) -> T {
        look(&self.roster.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Number, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last segment that is known.
    fn last(&self) -> Option<Number> {
        self.roster(Roster::last)
    }

    /// Looks for new segments when another process may have made some; gives the last one, if it looked.
    fn look_again(&self) -> Result<Option<Number>, ReadFault> {
        if !self.foreign {
            return Ok(None);
        }
        let roster = Roster::scan(&self.dir).map_err(|fault| match fault {
            StoreFault::Read(fault) => fault,
            other => ReadFault::Io(other.to_string()),
        })?;
        let mut known = self.roster.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have looked later and been faster: what is known does not become less.
        if roster.last() >= known.last() {
            *known = roster;
        }
        Ok(known.last())
    }

    /// A segment has begun.
    pub(crate) fn begun(&self, known: Known) {
        self.roster.write().unwrap_or_else(PoisonError::into_inner).segments.push(known);
    }

    /// What stands before a segment.
    pub(crate) fn meta(&self, number: Number) -> Option<Meta> {
        self.roster(|roster| {
            let known = roster.from(number).first().filter(|known| known.number == number)?;
            Some(Meta { first_seq: known.first_seq, hash_before: known.hash_before })
        })
    }

    /// A segment is about to be sealed: its idle connections go, and none is kept from now on.
    pub(crate) fn sealing(&self, number: Number) {
        self.mark(number, |known| known.sealing = true);
        self.idle().retain(|(idle, _)| *idle != number);
    }

    /// The writer ends.
    pub(crate) fn close_idle(&self) {
        self.idle().clear();
    }

    /// A segment is sealed.
    pub(crate) fn sealed(&self, number: Number) {
        self.mark(number, |known| (known.sealed, known.sealing) = (true, false));
    }

    fn mark(&self, number: Number, how: impl FnOnce(&mut Known)) {
        let mut roster = self.roster.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = roster.find_mut(number) {
            how(known);
        }
    }

    /// Runs `read` in one transaction on a connection to that segment.
    pub(crate) fn with<T>(
        &self,
        known: &Known,
        read: impl FnOnce(&Connection) -> Result<T, ReadFault>,
    ) -> Result<T, ReadFault> {
        let number = known.number;
        let near = known.first_seq;
        let conn = self.connection(number, near)?;
        conn.execute_batch("BEGIN").map_err(|error| read_fault(near, &error))?;
        let result = read(&conn);
        // A connection that is broken is not kept.
        if conn.execute_batch("COMMIT").is_ok() && self.may_keep(number) {
            let mut idle = self.idle();
            if idle.len() >= IDLE_MAX {
                idle.remove(0);
            }
            idle.push((number, conn));
        }
        result
    }

    fn connection(&self, number: Number, near: Seq) -> Result<Connection, ReadFault> {
        let mut idle = self.idle();
        if let Some(at) = idle.iter().rposition(|(of, _)| *of == number) {
            return Ok(idle.remove(at).1);
        }
        drop(idle);
        let path = segment::path_of(&self.dir, number);
        sqlite::open_to_read(&path).map_err(|error| {
            // Archived since we looked.
            if path.exists() { read_fault(near, &error) } else { ReadFault::Absent { seq: near } }
        })
    }

    /// A segment that another process writes to can't be sealed while we keep a connection to it.
    fn may_keep(&self, number: Number) -> bool {
        self.roster(|roster| {
            let known = roster.segments.iter().find(|known| known.number == number);
            known.is_some_and(|known| known.sealed || !(self.foreign || known.sealing))
        })
    }
}
