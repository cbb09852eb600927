//! Which segments there are, and which of them holds an entry.
//!
//! Guarantees: numbers and first seqs rise together; segments that were archived are gaps, not damage; a segment that
//! lost its beginning is damage.
//!
//! A sealed segment is opened only when the [index](crate::index) does not know it, or when somebody reads it.
//!
//! Bounded by one small row for each segment file. Deliberately not here: reading appends (see [`crate::reader`]).

use std::path::Path;

use domain::receipt::Seq;
use engine::journal::{Hash, ReadFault};

use crate::fault::{At, StoreFault};
use crate::index::Index;
use crate::segment::{self, Meta, Number};
use crate::sqlite::{self, read_fault};

/// A segment that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) number: Number,
    pub(crate) first_seq: Seq,
    pub(crate) hash_before: Hash,
    /// One read-only file that never changes again.
    pub(crate) sealed: bool,
    /// About to be sealed: connections to it stand in the way.
    pub(crate) sealing: bool,
}

impl Known {
    /// One that has just begun.
    pub(crate) const fn new(number: Number, meta: &Meta) -> Self {
        Self { number, first_seq: meta.first_seq, hash_before: meta.hash_before, sealed: false, sealing: false }
    }
}

/// All segments of a directory, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    pub(crate) segments: Vec<Known>,
    /// A last one that is prepared and has not begun.
    pub(crate) prepared: Option<Number>,
    /// Files that were opened for it.
    pub(crate) opened: usize,
    /// Whether the index knows every segment that is sealed.
    pub(crate) is_indexed: bool,
}

impl Roster {
    /// Looks through a directory, while a server may be running there.
    ///
    /// What is sealed is listed first: the segment after a sealed one has an append, so it is in the second list and
    /// begun when it is looked at, however far the server goes meanwhile.
    pub(crate) fn scan(dir: &Path) -> Result<Self, StoreFault> {
        let sealed = numbers(dir, segment::sidecar_number_of)?;
        let index = Index::read(dir);
        let mut roster = Self { is_indexed: true, ..Self::default() };
        for number in numbers(dir, segment::number_of)? {
            let sealed = sealed.binary_search(&number).is_ok();
            match sealed.then(|| index.get(dir, number)) {
                Some(Some(meta)) => roster.add(dir, number, &meta, sealed)?,
                unknown => {
                    roster.is_indexed &= unknown.is_none();
                    roster.open(dir, number, sealed)?;
                }
            }
        }
        roster.check_end(dir).map(|()| roster)
    }

    /// The seq that damage in the next file is reported at, roughly: the first that it can hold.
    fn near(&self) -> Seq {
        self.segments.last().map_or(Seq(1), |last| last.first_seq.next())
    }

    /// Adds what the file itself says.
    fn open(&mut self, dir: &Path, number: Number, sealed: bool) -> Result<(), StoreFault> {
        let near = self.near();
        self.not_after_prepared(dir)?;
        let path = segment::path_of(dir, number);
        self.opened += 1;
        let conn = sqlite::open_to_read(&path).map_err(|error| read_fault(near, &error))?;
        match segment::meta(&conn, near)? {
            Some(meta) => self.add(dir, number, &meta, sealed),
            None => {
                self.prepared = Some(number);
                Ok(())
            }
        }
    }

    /// Nothing follows a segment that has not begun.
    fn not_after_prepared(&self, dir: &Path) -> Result<(), StoreFault> {
        let Some(lost) = self.prepared else { return Ok(()) };
        let what = format!("{} lost its appends, and another segment follows it", segment::file_name(lost));
        Err(segment::damaged(self.end_of_last(dir), &what).into())
    }

    fn add(&mut self, dir: &Path, number: Number, meta: &Meta, sealed: bool) -> Result<(), StoreFault> {
        self.not_after_prepared(dir)?;
        let in_order = match self.segments.last() {
            Some(last) => last.first_seq < meta.first_seq,
            None => (number == 1) == (meta.first_seq == Seq(1)),
        };
        if !in_order {
            return Err(segment::damaged(self.near(), "segments are not in order").into());
        }
        self.segments.push(Known { sealed, ..Known::new(number, meta) });
        Ok(())
    }

    /// The first seq after the last segment, as far as it can be read.
    fn end_of_last(&self, dir: &Path) -> Seq {
        let Some(last) = self.segments.last() else { return Seq(1) };
        let conn = sqlite::open_to_read(&segment::path_of(dir, last.number)).ok();
        let link = conn.and_then(|conn| segment::at_or_before(&conn, Seq(u64::MAX)).ok().flatten());
        link.map_or(last.first_seq, |link| link.last_seq().next())
    }

    /// A segment is sealed only after the next one has an append, so a sealed one can't be the last.
    fn check_end(&self, dir: &Path) -> Result<(), StoreFault> {
        match self.segments.last() {
            Some(last) if last.sealed => {
                let next = segment::file_name(last.number.saturating_add(1));
                let what = format!("{next} is missing or lost its appends: the journal lost its end");
                Err(segment::damaged(self.end_of_last(dir), &what).into())
            }
            _ => Ok(()),
        }
    }

    /// Has the index know every segment that is sealed.
    pub(crate) fn write_index(&self, dir: &Path) -> std::io::Result<()> {
        let mut index = Index::default();
        for known in self.segments.iter().filter(|known| known.sealed) {
            index.put(dir, known.number, Meta { first_seq: known.first_seq, hash_before: known.hash_before })?;
        }
        index.write(dir)
    }

    /// The segment that may hold an entry, and the one after it.
    pub(crate) fn place(&self, seq: Seq) -> Option<(Known, Option<Known>)> {
        let after = self.segments.partition_point(|known| known.first_seq <= seq);
        let known = self.segments.get(after.checked_sub(1)?)?;
        Some((*known, self.segments.get(after).copied()))
    }

    /// The last segment that has begun.
    pub(crate) fn last(&self) -> Option<Number> {
        self.segments.last().map(|known| known.number)
    }

    /// Segments from this number on.
    pub(crate) fn from(&self, number: Number) -> &[Known] {
        let first = self.segments.partition_point(|known| known.number < number);
        self.segments.get(first..).unwrap_or_default()
    }

    /// A segment by its number.
    pub(crate) fn find_mut(&mut self, number: Number) -> Option<&mut Known> {
        self.segments.iter_mut().find(|known| known.number == number)
    }

    /// Why an entry before the first segment can't be found.
    pub(crate) fn gap_before(&self, seq: Seq) -> Option<ReadFault> {
        let first = self.segments.first()?;
        Some(if first.number == 1 {
            segment::damaged(seq, "the journal lost its beginning")
        } else {
            ReadFault::Absent { seq }
        })
    }
}

/// Numbers in the names of some files of a directory, in order.
fn numbers(dir: &Path, number_of: fn(&str) -> Option<Number>) -> Result<Vec<Number>, StoreFault> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(dir).at(dir)? {
        numbers.extend(file.at(dir)?.file_name().to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Why an entry between two segments can't be found.
pub(crate) fn gap(known: &Known, next: &Known, seq: Seq) -> ReadFault {
    if next.number == known.number + 1 {
        segment::damaged(seq, "entries are missing between two segments")
    } else {
        ReadFault::Absent { seq }
    }
}
