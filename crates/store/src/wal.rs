//! Was a commit that somebody relied on dropped from a WAL?
//!
//! SQLite ends a WAL at the first frame whose checksum is wrong and says nothing: right for the torn end of an append
//! that was never acknowledged, wrong for a damaged octet before appends that were. The two can be told apart: the
//! frames of an append are written only after the one before it was synced and counted as valid, so a *commit* frame
//! past the valid ones with a frame after it that goes on from it stands for an append that was durable.
//!
//! That one frame goes on from another is what its checksum says: it covers all frames up to it. Where a frame stands
//! says nothing. An append that found no room, one that a crash tore, and a WAL that was begun again after a checkpoint
//! leave frames behind, and the next append may end right before them.
//!
//! Guarantees: no false alarm after a crash or beside a writer, when the valid frames are counted as
//! [`crate::segment::check_wal`] does it. What it can't see is damage that reaches into the very last append of a WAL:
//! that looks like a torn end. Followers and anchors that know a later seq see it.
//!
//! Deliberately not here: how many frames are valid (SQLite knows), damage in frames' contents (the hash chain finds it).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Octets before the first frame, and before each frame's page (SQLite's file format, section 4).
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// A checksum of everything up to a place in a WAL.
type Sum = [u32; 2];
/// How a WAL's checksums read the octets that they cover: in the order of the machine that began it.
type Word = fn([u8; 4]) -> u32;

/// A WAL's file, as long as it was when it was opened: what was added later was written later.
#[derive(Debug)]
pub(crate) struct Wal {
    file: Option<File>,
    frames: u64,
    page: usize,
}

/// A commit past the valid frames that another append was written after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Frames up to the commit and with it: as many were valid once.
    pub(crate) frames: u64,
}

impl Wal {
    /// Opens a WAL of pages of `page` octets; one that is not there is empty.
    ///
    /// # Errors
    /// When the file is there and can't be opened.
    pub(crate) fn open(wal: &Path, page: u32) -> io::Result<Self> {
        let page = page as usize;
        let file = match File::open(wal) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file: None, frames: 0, page });
            }
            opened => opened?,
        };
        let frames = file.metadata()?.len().saturating_sub(HEADER as u64) / (FRAME_HEADER + page) as u64;
        Ok(Self { file: Some(file), frames, page })
    }

    /// The first commit past `valid` frames that another append was written after.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) fn passed_commit(&self, valid: u64) -> io::Result<Option<Passed>> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut begins = [0; HEADER];
        if !read_at(file, &mut begins, 0)? {
            return Ok(None);
        }
        let begins = Begin::of(&begins);
        let mut commit = None;
        for at in valid..self.frames {
            let mut octets = [0; FRAME_HEADER];
            // Shorter than it was: a server that is running has moved it into the segment's file.
            if !read_at(file, &mut octets, self.place(at))? {
                break;
            }
            let header = FrameHeader::of(&octets);
            let older = begins.salts.is_some_and(|salts| salts != header.salts);
            if let Some(commit) = commit
                && !older
                && self.goes_on(file, &begins, commit)?
            {
                return Ok(Some(Passed { frames: commit + 1 }));
            }
            commit = header.commits.then_some(at);
        }
        Ok(None)
    }

    fn place(&self, frame: u64) -> u64 {
        HEADER as u64 + frame * (FRAME_HEADER + self.page) as u64
    }

    /// Whether the frame after this one was written after it.
    fn goes_on(&self, file: &File, begins: &Begin, frame: u64) -> io::Result<bool> {
        let (Some(this), Some(next)) = (self.frame(file, frame)?, self.frame(file, frame + 1)?) else {
            return Ok(false);
        };
        let before = match frame.checked_sub(1) {
            None => begins.sum,
            Some(before) => match self.frame(file, before)? {
                None => return Ok(false),
                Some(before) => before.sum,
            },
        };
        // What is damaged may be its checksum; then the octets that it should cover tell what it was.
        let sums = [this.sum, this.sum_after(before, begins.word)];
        Ok(sums.into_iter().any(|sum| next.sum_after(sum, begins.word) == next.sum))
    }

    fn frame(&self, file: &File, frame: u64) -> io::Result<Option<Frame>> {
        let mut octets = [0; FRAME_HEADER];
        let mut page = vec![0; self.page];
        let at = self.place(frame);
        if !read_at(file, &mut octets, at)? || !read_at(file, &mut page, at + FRAME_HEADER as u64)? {
            return Ok(None);
        }
        let [covered @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = octets;
        Ok(Some(Frame { covered, page, sum: FrameHeader::of(&octets).sum }))
    }
}

/// What a WAL begins with.
struct Begin {
    word: Word,
    sum: Sum,
    /// All its frames have them; `None`: the beginning is damaged, so nobody knows.
    salts: Option<[u8; 8]>,
}

impl Begin {
    fn of(octets: &[u8; HEADER]) -> Self {
        let [covered @ .., a, b, c, d, e, f, g, h] = *octets;
        let [m1, m2, m3, m4, _, _, _, _, _, _, _, _, _, _, _, _, salts @ ..] = covered;
        let sum = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
        let word: Option<Word> = match u32::from_be_bytes([m1, m2, m3, m4]) {
            0x377f_0682 => Some(u32::from_le_bytes),
            0x377f_0683 => Some(u32::from_be_bytes),
            _ => None,
        };
        let whole = word.filter(|word| sum_after([0; 2], &covered, *word) == sum);
        Self { word: whole.unwrap_or(u32::from_ne_bytes), sum, salts: whole.map(|_| salts) }
    }
}

struct FrameHeader {
    /// Whether it is the last frame of a commit.
    commits: bool,
    salts: [u8; 8],
    sum: Sum,
}

impl FrameHeader {
    fn of(octets: &[u8; FRAME_HEADER]) -> Self {
        let [_, _, _, _, pages @ .., s1, s2, s3, s4, s5, s6, s7, s8, a, b, c, d, e, f, g, h] = *octets;
        Self {
            commits: pages != [0; 4],
            salts: [s1, s2, s3, s4, s5, s6, s7, s8],
            sum: [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])],
        }
    }
}

struct Frame {
    /// The part of its header that checksums cover.
    covered: [u8; 8],
    page: Vec<u8>,
    sum: Sum,
}

impl Frame {
    fn sum_after(&self, before: Sum, word: Word) -> Sum {
        sum_after(sum_after(before, &self.covered, word), &self.page, word)
    }
}

/// SQLite's checksum (its file format, section 4.2) of octets after others.
fn sum_after(before: Sum, octets: &[u8], word: Word) -> Sum {
    let (pairs, _) = octets.as_chunks();
    pairs.iter().fold(before, |[one, two], &[a, b, c, d, e, f, g, h]| {
        let one = one.wrapping_add(word([a, b, c, d])).wrapping_add(two);
        [one, two.wrapping_add(word([e, f, g, h])).wrapping_add(one)]
    })
}

/// False past the end of the file.
fn read_at(file: &File, octets: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(octets, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

#[cfg(test)]
mod tests;
