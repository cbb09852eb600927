//! Walks a whole journal and checks what can be checked without deciding: the chain, gaps, files.
//!
//! Guarantees: the first damage in the order of seqs is named; segments that were archived are reported, not refused.
//!
//! Works beside a running server. Deliberately not here: folding entries (see `sonmul verify`).

use domain::receipt::Seq;
use engine::journal::{Hash, Head, JournalReader, ReadFault};

use crate::fault::StoreFault;
use crate::files;
use crate::reader::SqliteReader;
use crate::roster::Known;
use crate::segment::{self, damaged};

/// Octets that are read at once.
const READ_BYTES: usize = 8 << 20;

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Where the journal ends.
    pub head: Head,
    /// Entries that were checked.
    pub entries: u64,
    /// Entries whose segments are not here.
    pub absent: Vec<Absent>,
}

/// Entries whose segments were archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The first of them.
    pub first: Seq,
    /// The last of them.
    pub last: Seq,
}

/// Checks everything from the append that holds `from` on. `progress` hears how many entries are checked so far.
///
/// The chain starts again after entries that are absent: what was before them can't be checked without them.
///
/// # Errors
/// The first damage, or what can't be read.
pub fn verify_chain(reader: &SqliteReader, from: Seq, progress: &mut dyn FnMut(u64)) -> Result<Verified, ReadFault> {
    let mut walk = Walk { next: from.max(Seq(1)), hash: None, found: Verified::default(), within: None };
    loop {
        match reader.read(walk.next, READ_BYTES) {
            Ok(links) if links.is_empty() => return walk.end(reader),
            Ok(links) => {
                for link in &links {
                    walk.joint(reader, link.first_seq)?;
                    walk.found.entries += u64::from(link.count);
                    walk.found.head = link.head();
                    walk.hash = Some(link.hash);
                    walk.next = link.last_seq().next();
                }
                progress(walk.found.entries);
            }
            Err(ReadFault::Absent { seq }) => walk.jump(reader, seq)?,
            Err(fault) => return Err(fault),
        }
    }
}

struct Walk {
    next: Seq,
    hash: Option<Hash>,
    found: Verified,
    /// The segment that the walk is in.
    within: Option<Known>,
}

impl Walk {
    /// On coming to a new segment: it begins where the one before ended, whose file is what it was when it was sealed.
    fn joint(&mut self, reader: &SqliteReader, first_seq: Seq) -> Result<(), ReadFault> {
        let segments = reader.segments();
        let Some(known) = segments.iter().rev().find(|known| known.first_seq <= first_seq) else { return Ok(()) };
        if self.within.is_some_and(|within| within.number == known.number) {
            return Ok(());
        }
        if self.hash.is_some_and(|hash| (known.first_seq, known.hash_before) != (first_seq, hash)) {
            return Err(damaged(first_seq, "its segment began after another append"));
        }
        self.leave(reader)?;
        self.within = Some(*known);
        Ok(())
    }

    /// The appends of a segment are whole; so is the rest of its file.
    fn leave(&mut self, reader: &SqliteReader) -> Result<(), ReadFault> {
        self.within.take().map_or(Ok(()), |known| file_is_whole(reader, &known))
    }

    fn jump(&mut self, reader: &SqliteReader, seq: Seq) -> Result<(), ReadFault> {
        let segments = reader.segments();
        let Some(known) = segments.iter().find(|known| known.first_seq > seq) else {
            return Err(ReadFault::Absent { seq });
        };
        let last = Seq(known.first_seq.0.saturating_sub(1));
        self.found.absent.push(Absent { first: seq, last });
        (self.next, self.hash) = (known.first_seq, None);
        Ok(())
    }

    /// Past the last append: what was durable is not missing there.
    fn end(mut self, reader: &SqliteReader) -> Result<Verified, ReadFault> {
        self.leave(reader)?;
        reader.check_end(self.next)?;
        Ok(self.found)
    }
}

/// Compares a sealed segment's file with the hash beside it.
pub(crate) fn file_is_whole(reader: &SqliteReader, known: &Known) -> Result<(), ReadFault> {
    let io = |fault: StoreFault| ReadFault::Io(fault.to_string());
    let dir = reader.dir();
    let Some(hash) = segment::read_sidecar(dir, known.number).map_err(io)? else { return Ok(()) };
    let path = segment::path_of(dir, known.number);
    let found = files::hash_file(&path).map_err(|error| ReadFault::Io(format!("{}: {error}", path.display())))?;
    if found == hash {
        Ok(())
    } else {
        let what = format!("{} is not what it was when it was sealed", segment::file_name(known.number));
        Err(ReadFault::Damaged { seq: known.first_seq, what })
    }
}
