//! Was a commit that somebody relied on dropped from a WAL?
//!
//! SQLite ends a WAL at the first frame whose checksum is wrong and says nothing: right for the torn end of an append
//! that was never acknowledged, wrong for a damaged octet before appends that were. The two can be told apart: the
//! frames of an append are written only after the one before it was synced, so a *commit* frame past the valid ones
//! with another frame after it stands for an append that was durable.
//!
//! Guarantees: no false alarm after a crash, because nothing is written to a segment again after a crash but the mark
//! that closes it. What it can't see is damage in the very last append of a WAL: that looks like a torn end. Followers
//! and anchors that know a later seq see it.
//!
//! Deliberately not here: checksums (SQLite has checked them), damage in frames' contents (the hash chain finds it).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Octets before the first frame, and before each frame's page (SQLite's file format, section 4).
const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// A WAL as long as it was at one moment.
///
/// Looked at before SQLite is asked how many frames are valid: what a server that is running adds after that moment is
/// not in it, and what it was just writing then is one append.
#[derive(Debug)]
pub(crate) struct Seen {
    file: Option<File>,
    frames: u64,
    frame_octets: u64,
}

impl Seen {
    /// Looks at a WAL of pages of `page` octets.
    ///
    /// # Errors
    /// When the file is there and can't be opened.
    pub(crate) fn open(wal: &Path, page: u32) -> io::Result<Self> {
        let frame_octets = FRAME_HEADER + u64::from(page);
        let file = match File::open(wal) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file: None, frames: 0, frame_octets });
            }
            opened => opened?,
        };
        let frames = file.metadata()?.len().saturating_sub(HEADER) / frame_octets;
        Ok(Self { file: Some(file), frames, frame_octets })
    }

    /// Whether frames past the first `valid` ones show that a durable commit is damaged.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) fn lost_commit_after(&self, valid: u64) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let mut committed = None;
        for frame in valid..self.frames {
            let Some(header) = frame_header(file, HEADER + frame * self.frame_octets)? else { continue };
            // The salts say that both are of one WAL. It is never begun again, so it has no older frames past its end.
            if committed == Some(header.salts) {
                return Ok(true);
            }
            if header.commits {
                committed = Some(header.salts);
            }
        }
        Ok(false)
    }
}

struct FrameHeader {
    /// Whether it is the last frame of a commit.
    commits: bool,
    salts: u64,
}

/// `None` for a frame that was never written: zeros.
fn frame_header(file: &File, at: u64) -> io::Result<Option<FrameHeader>> {
    let mut octets = [0; 16];
    match file.read_exact_at(&mut octets, at) {
        // Cut since we looked: a server that is running has moved it into the segment's file.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let [_, _, _, _, pages @ .., s1, s2, s3, s4, s5, s6, s7, s8] = octets;
    let salts = u64::from_be_bytes([s1, s2, s3, s4, s5, s6, s7, s8]);
    Ok((octets != [0; 16]).then_some(FrameHeader { commits: pages != [0; 4], salts }))
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use crate::sqlite::beside;
    use std::os::unix::fs::FileExt;

    const PAGE: u32 = 4096;

    /// A WAL of five commits, with `change` done to it; how many frames SQLite then takes for valid.
    fn damaged(change: impl Fn(&std::fs::File)) -> (tempfile::TempDir, std::path::PathBuf, u64) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.sqlite");
        let conn = rusqlite::Connection::open(&path).expect("a database");
        conn.execute_batch(&format!(
            "PRAGMA page_size={PAGE}; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE a(x);"
        ))
        .expect("a table");
        for _ in 0..5 {
            conn.execute("INSERT INTO a VALUES (zeroblob(6000))", []).expect("a row");
        }
        // As a crash leaves it: files without their connection.
        let copy = dir.path().join("b.sqlite");
        std::fs::copy(&path, &copy).expect("a copy");
        let wal = beside(&copy, "-wal");
        std::fs::copy(beside(&path, "-wal"), &wal).expect("a copy");
        change(&std::fs::File::options().write(true).open(&wal).expect("a WAL"));
        let reader = rusqlite::Connection::open(&copy).expect("a database");
        let valid: i64 = reader.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).expect("a count");
        // The reader keeps the WAL from being checkpointed and removed at its end.
        std::mem::forget(reader);
        (dir, wal, u64::try_from(valid).expect("a count"))
    }

    fn lost_commit(wal: &std::path::Path, valid: u64) -> bool {
        Seen::open(wal, PAGE).and_then(|seen| seen.lost_commit_after(valid)).expect("read")
    }

    #[test]
    fn damage_before_a_durable_commit_is_seen_and_a_torn_end_is_not() {
        let (_dir, wal, whole) = damaged(|_| {});
        assert!(whole > 10);
        assert!(!lost_commit(&wal, whole));
        let frame = 24 + u64::from(PAGE);
        for at in [0, 9, 20, 32, 40, 60, 32 + 3 * frame + 100, 32 + (whole - 9) * frame + 9] {
            let (_dir, wal, valid) = damaged(|file| file.write_all_at(&[0x5A], at).expect("written"));
            assert!(valid < whole, "octet {at}: {valid} of {whole} frames");
            assert!(lost_commit(&wal, valid), "octet {at}");
        }
        for cut in [1, frame, frame + 1] {
            let (_dir, wal, valid) = damaged(|file| {
                file.set_len(32 + whole * frame - cut).expect("cut");
            });
            assert!(valid < whole);
            assert!(!lost_commit(&wal, valid), "cut by {cut}");
        }
    }
}
