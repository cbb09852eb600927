//! What a reader meets between two steps of a writer or of sealing.

use std::os::unix::fs::FileExt;
use std::path::Path;

use domain::receipt::Seq;
use rusqlite::Connection;

use super::{PAGE, Segment, check_wal, damaged, number_of, sidecar_number_of, wal_frames};
use crate::sqlite::{beside, open_to_read};

/// A segment with some rows, each a commit; its WAL as it is then.
fn written(dir: &Path) -> (Segment, Vec<u8>) {
    let segment = Segment::prepare(dir, 1, 0).expect("a segment");
    for row in 1..=5 {
        // Not of any meaning, which nobody asks for here.
        segment.conn.execute("INSERT INTO appends VALUES (?1, x'00', zeroblob(100))", [row]).expect("a row");
    }
    let wal = std::fs::read(beside(&segment.path, "-wal")).expect("a WAL");
    (segment, wal)
}

/// The moment at which SQLite has set its count back and has not yet cut the WAL.
fn moved_and_not_cut(segment: &Segment) {
    let wal = beside(&segment.path, "-wal");
    let before = std::fs::read(&wal).expect("a WAL");
    segment.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("moved");
    let file = std::fs::File::options().write(true).open(&wal).expect("a WAL");
    file.write_all_at(&before, 0).expect("written");
}

#[test]
fn a_wal_that_is_moved_into_a_closed_segment_is_no_damage() {
    let dir = tempfile::tempdir().expect("a directory");
    let (segment, _) = written(dir.path());
    let reader = open_to_read(&segment.path).expect("a reader");
    segment.close(Seq(5)).expect("closed");
    moved_and_not_cut(&segment);
    assert_eq!(check_wal(&reader, &segment.path, Seq(6)), Ok(0));
    // One that is not closed is never moved.
    let dir = tempfile::tempdir().expect("a directory");
    let (segment, _) = written(dir.path());
    let reader = open_to_read(&segment.path).expect("a reader");
    moved_and_not_cut(&segment);
    let what = "its place in the WAL is damaged, and what was written after it is there";
    assert_eq!(check_wal(&reader, &segment.path, Seq(6)), Err(damaged(Seq(6), what)));
}

/// A writer that counts a commit holds a lock, and the count can't be read.
#[test]
fn a_count_that_is_being_changed_is_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let (segment, wal) = written(dir.path());
    let frames = (wal.len() as u64 - 32) / (24 + u64::from(PAGE));
    let reader = open_to_read(&segment.path).expect("a reader");
    assert_eq!(wal_frames(&reader, Seq(1)), Ok(frames));
    segment.conn.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    // The first of the two copies of the count is another than the second: SQLite's index of a WAL begins with a
    // version, four octets of nothing, and a number that every change adds one to.
    let index = std::fs::File::options().write(true).open(beside(&segment.path, "-shm")).expect("an index");
    index.write_all_at(&[0x5A; 4], 8).expect("written");
    let busy: bool = reader.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(0)).expect("a row");
    assert!(busy);
    std::thread::scope(|scope| {
        let path = &segment.path;
        let checked = scope.spawn(move || check_wal(&reader, path, Seq(6)));
        std::thread::park_timeout(std::time::Duration::from_millis(50));
        let unlocked = Connection::execute_batch(&segment.conn, "ROLLBACK");
        assert_eq!(checked.join().expect("no panic"), Ok(frames));
        unlocked.expect("unlocked");
    });
}

#[test]
fn names_have_numbers() {
    assert_eq!(number_of("journal-000012.sqlite"), Some(12));
    assert_eq!(number_of("journal-1234567.sqlite"), Some(1_234_567));
    assert_eq!(sidecar_number_of("journal-000012.blake3"), Some(12));
    for other in ["journal-12.sqlite", "journal-000000.sqlite", "journal-+00012.sqlite", "journal-000012.sqlite-wal"] {
        assert_eq!(number_of(other), None, "{other}");
    }
    for other in ["journal-000012.sqlite", "journal-000012.blake3.tmp"] {
        assert_eq!(sidecar_number_of(other), None, "{other}");
    }
}
