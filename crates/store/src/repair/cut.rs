//! Finding the first damage, and writing down what comes after it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use domain::receipt::Seq;
use engine::journal::{Head, ReadFault, decode, peek};
use rusqlite::Connection;

use super::Lost;
use crate::fault::{At, StoreFault};
use crate::files;
use crate::reader::check;
use crate::segment::{self, Meta, Number, damaged};
use crate::sqlite::{self, read_fault};

/// What a walk over all segments found.
#[derive(Debug)]
pub(super) struct Found {
    /// The last append before the damage.
    pub(super) head: Head,
    /// The damage; `None`: all is whole.
    pub(super) damage: Option<ReadFault>,
    /// The first segment that has no place any more, or not as it is.
    pub(super) segment: Number,
    /// What stood before that segment, when it can stay with its first appends.
    pub(super) meta: Option<Meta>,
    /// All segments.
    pub(super) numbers: Vec<Number>,
    /// Sealed segments before the damage whose files are not what they were.
    pub(super) changed: Vec<Number>,
}

/// Looks for the first damage.
pub(super) fn find(dir: &Path) -> Result<Found, StoreFault> {
    let numbers = numbers(dir)?;
    let mut found = Found { head: Head::default(), damage: None, segment: 0, meta: None, numbers, changed: Vec::new() };
    let mut before: Option<Number> = None;
    for number in found.numbers.clone() {
        found.segment = number;
        found.meta = None;
        let follows = before.map(|before| before + 1) == Some(number) || number == 1;
        match walk(dir, number, follows, &mut found) {
            Ok(true) => before = Some(number),
            // Prepared and not begun: nothing is in it.
            Ok(false) => {}
            Err(StoreFault::Read(damage @ ReadFault::Damaged { .. })) => {
                found.damage = Some(damage);
                break;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

fn numbers(dir: &Path) -> Result<Vec<Number>, StoreFault> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(dir).at(dir)? {
        numbers.extend(file.at(dir)?.file_name().to_str().and_then(segment::number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Walks one segment; false: it has not begun. `follows`: the one before it is here, or it is the first of all.
fn walk(dir: &Path, number: Number, follows: bool, found: &mut Found) -> Result<bool, StoreFault> {
    let next = found.head.seq.next();
    let path = segment::path_of(dir, number);
    let conn = sqlite::open_to_read(&path).map_err(|error| read_fault(next, &error))?;
    let Some(meta) = segment::meta(&conn, next)? else {
        segment::check_wal(&conn, &path, next)?;
        let last = found.numbers.last() == Some(&number);
        return if last { Ok(false) } else { Err(damaged(next, "its segment lost its appends").into()) };
    };
    if follows && (meta.first_seq, meta.hash_before) != (next, found.head.hash) {
        return Err(damaged(next, "its segment does not follow the one before").into());
    }
    if meta.first_seq < next {
        return Err(damaged(next, "its segment begins too early").into());
    }
    if !follows {
        // After an archived segment the chain begins anew.
        found.head = Head { seq: Seq(meta.first_seq.0 - 1), hash: meta.hash_before, ..found.head };
    }
    found.meta = Some(meta);
    segment::each_from(&conn, Seq::ZERO, Seq(u64::MAX), &mut |link| {
        if link.first_seq != found.head.seq.next() {
            return Err(damaged(found.head.seq.next(), "entries are missing"));
        }
        check(&link, &found.head.hash)?;
        decode(&link)?;
        found.head = link.head();
        Ok(true)
    })?;
    segment::check_wal(&conn, &path, found.head.seq.next())?;
    if let Some(hash) = segment::read_sidecar(dir, number)?
        && files::hash_file(&path).at(&path)? != hash
    {
        found.changed.push(number);
    }
    Ok(true)
}

/// Writes everything from the damage on that can be read into a file; gives the appends.
pub(super) fn report(dir: &Path, found: &Found, path: &Path) -> Result<Vec<Lost>, StoreFault> {
    let cut = found.head.seq.next();
    let making = segment::preparing(dir);
    let mut lost = Vec::new();
    let mut write = || {
        let mut text = BufWriter::new(File::create(&making)?);
        writeln!(text, "Dropped by `sonmul repair` from seq {cut} on.")?;
        if let Some(damage) = &found.damage {
            writeln!(text, "Damage: {damage}")?;
        }
        writeln!(text, "Each line: first seq, entries, hash, the append as CBOR in hexadecimal.")?;
        for number in found.numbers.iter().filter(|number| **number >= found.segment) {
            writeln!(text, "# {}", segment::file_name(*number))?;
            let path = segment::path_of(dir, *number);
            let rest = sqlite::open_to_read(&path).and_then(|conn| rows(&conn, cut, &mut text, &mut lost));
            match rest {
                Ok(written) => written?,
                // The file itself is kept under another name.
                Err(error) => writeln!(text, "# the rest can't be read: {error}")?,
            }
        }
        text.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    };
    write().at(&making)?;
    files::set_mode(&making, files::MODE).at(&making)?;
    files::rename(&making, path).at(path)?;
    Ok(lost)
}

/// Writes rows as they are, whatever they hold.
fn rows(conn: &Connection, cut: Seq, text: &mut impl Write, lost: &mut Vec<Lost>) -> rusqlite::Result<io::Result<()>> {
    let mut select = conn.prepare("SELECT first_seq, hash, entries FROM appends ORDER BY first_seq")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let first = Seq(u64::try_from(first).unwrap_or(0));
        if first != Seq::ZERO && first < cut {
            continue;
        }
        let octets = |column| row.get_ref(column).map(|value| value.as_bytes().unwrap_or_default());
        let (hash, entries) = (octets(1)?, octets(2)?);
        let count = peek(entries).map_or(0, |(_, count)| count);
        if let Err(error) = writeln!(text, "{first} {count} {} {}", files::hex(hash), files::hex(entries)) {
            return Ok(Err(error));
        }
        lost.push(Lost { first, entries: count });
    }
    Ok(Ok(()))
}
