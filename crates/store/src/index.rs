//! What a start needs to know of sealed segments, in one file, so that it opens none of them.
//!
//! Guarantees: a line counts only while its segment's file has the length and the time of change that it had when it was
//! sealed; a file that is missing, damaged or of another version says nothing. What it does not say is read from the segment,
//! so that it may be deleted at any time and costs opens and nothing else. What a wrong line could claim is found by whoever
//! reads that segment: each append is checked against the hash before it.
//!
//! Bounded by a line of some 130 octets for each sealed segment.
//!
//! Deliberately not here: whether a segment is sealed (its sidecar says so), its hash.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use domain::receipt::Seq;

use crate::files;
use crate::segment::{self, Meta, Number};

const FILE: &str = "journal.index";

/// What a file looked like without being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    octets: u64,
    changed_s: i64,
    changed_ns: i64,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self { octets: file.len(), changed_s: file.mtime(), changed_ns: file.mtime_nsec() })
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    lines: BTreeMap<Number, (Meta, Stamp)>,
}

impl Index {
    /// What there is.
    pub(crate) fn read(dir: &Path) -> Self {
        let text = std::fs::read_to_string(path_of(dir)).unwrap_or_default();
        parse(&text).unwrap_or_default()
    }

    /// What stands before a sealed segment; `None`: it must be opened.
    pub(crate) fn get(&self, dir: &Path, number: Number) -> Option<Meta> {
        let (meta, stamp) = self.lines.get(&number)?;
        let is = Stamp::of(&segment::path_of(dir, number)).ok()?;
        (is == *stamp).then_some(*meta)
    }

    /// Notes a segment that will not change any more.
    pub(crate) fn put(&mut self, dir: &Path, number: Number, meta: Meta) -> io::Result<()> {
        let stamp = Stamp::of(&segment::path_of(dir, number))?;
        self.lines.insert(number, (meta, stamp));
        Ok(())
    }

    /// Writes it, without segments that were archived meanwhile.
    pub(crate) fn write(&mut self, dir: &Path) -> io::Result<()> {
        self.lines.retain(|number, _| segment::path_of(dir, *number).exists());
        files::write_whole(&path_of(dir), self.text().as_bytes(), files::MODE)
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", head());
        for (number, (meta, stamp)) in &self.lines {
            let Stamp { octets, changed_s, changed_ns } = stamp;
            let (first, before) = (meta.first_seq, files::hex(&meta.hash_before));
            // Writing to a String can't fail.
            let _ = writeln!(text, "{number} {first} {before} {octets} {changed_s} {changed_ns}");
        }
        let sum = files::hex(blake3::hash(text.as_bytes()).as_bytes());
        text + &sum + "\n"
    }
}

fn path_of(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Segments of another version must be opened, and say so.
fn head() -> String {
    format!("sealed segments of version {}: number, first entry, hash before it, octets, changed at", segment::VERSION)
}

fn parse(text: &str) -> Option<Index> {
    let (lines, sum) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let summed = text.get(..=lines.len())?;
    if files::unhex(sum)? != *blake3::hash(summed.as_bytes()).as_bytes() {
        return None;
    }
    let mut lines = lines.lines();
    if lines.next()? != head() {
        return None;
    }
    let line = |line: &str| {
        let mut words = line.split(' ');
        let number = words.next()?.parse().ok()?;
        let meta = Meta { first_seq: Seq(words.next()?.parse().ok()?), hash_before: files::unhex(words.next()?)? };
        let octets = words.next()?.parse().ok()?;
        let stamp = Stamp { octets, changed_s: words.next()?.parse().ok()?, changed_ns: words.next()?.parse().ok()? };
        Some((number, (meta, stamp)))
    };
    Some(Index { lines: lines.map(line).collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::{Index, parse, path_of};
    use crate::segment::{Meta, path_of as segment_path};
    use domain::receipt::Seq;

    fn meta(n: u64) -> Meta {
        Meta { first_seq: Seq(n), hash_before: [u8::try_from(n % 251).expect("small"); 32] }
    }

    #[test]
    fn what_is_written_is_read_while_the_file_is_the_same() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut index = Index::read(dir.path());
        for number in 1..=3 {
            std::fs::write(segment_path(dir.path(), number), "a segment").expect("written");
            index.put(dir.path(), number, meta(u64::from(number) * 100)).expect("there");
        }
        index.write(dir.path()).expect("written");
        let read = Index::read(dir.path());
        assert!((1..=3).all(|number| read.get(dir.path(), number) == Some(meta(u64::from(number) * 100))));
        assert_eq!(read.get(dir.path(), 4), None);
        // Another length, another time, no file.
        std::fs::write(segment_path(dir.path(), 1), "another segment").expect("written");
        let file = std::fs::File::options().write(true).open(segment_path(dir.path(), 2)).expect("a file");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a time");
        std::fs::remove_file(segment_path(dir.path(), 3)).expect("removed");
        assert!((1..=3).all(|number| read.get(dir.path(), number).is_none()));
        let mut read = read;
        read.write(dir.path()).expect("written");
        assert_eq!(Index::read(dir.path()).lines.len(), 2, "what was archived is dropped");
    }

    #[test]
    fn a_damaged_one_says_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(segment_path(dir.path(), 1), "a segment").expect("written");
        let mut index = Index::default();
        index.put(dir.path(), 1, meta(1)).expect("there");
        index.write(dir.path()).expect("written");
        let text = std::fs::read_to_string(path_of(dir.path())).expect("text");
        assert!(parse(&text).is_some());
        for at in 0..text.len() {
            assert!(parse(&text[..at]).is_none(), "cut at {at}");
            let mut octets = text.clone().into_bytes();
            octets[at] ^= 1;
            let changed = String::from_utf8(octets).expect("ASCII");
            assert!(parse(&changed).is_none(), "changed at {at}");
        }
        let other = text.replace("of version", "of Version");
        assert!(parse(&other).is_none());
    }
}
