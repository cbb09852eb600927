//! WALs as crashes, damage and earlier use leave them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Wal;
use crate::sqlite::beside;

const PAGE: u32 = 4096;
const FRAME: u64 = 24 + PAGE as u64;

/// A database in WAL mode that is never checkpointed.
struct Base {
    dir: tempfile::TempDir,
    conn: Connection,
}

impl Base {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let conn = Connection::open(dir.path().join("a.sqlite")).expect("a database");
        conn.execute_batch(&format!(
            "PRAGMA page_size={PAGE}; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; \
             PRAGMA wal_autocheckpoint=0; CREATE TABLE a(x);"
        ))
        .expect("a table");
        Self { dir, conn }
    }

    fn insert(&self, octets: u32) {
        self.conn.execute("INSERT INTO a VALUES (zeroblob(?1))", [octets]).expect("a row");
    }

    fn wal(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("a.sqlite-wal")).expect("a WAL")
    }

    /// How many frames are valid.
    fn frames(&self) -> u64 {
        frames(&self.conn)
    }

    /// The same database with this WAL, as a crash leaves it: files without their connection.
    fn crashed(&self, wal: &[u8]) -> Crashed {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("b.sqlite");
        std::fs::copy(self.dir.path().join("a.sqlite"), &path).expect("a copy");
        std::fs::write(beside(&path, "-wal"), wal).expect("a WAL");
        let conn = Connection::open(&path).expect("a database");
        conn.execute_batch("PRAGMA wal_autocheckpoint=0").expect("a database");
        let wal = beside(&path, "-wal");
        Crashed { _dir: dir, wal, valid: frames(&conn), conn }
    }
}

struct Crashed {
    _dir: tempfile::TempDir,
    wal: PathBuf,
    /// How many frames SQLite takes for valid.
    valid: u64,
    /// Open, or its end would move the WAL into the database.
    conn: Connection,
}

fn frames(conn: &Connection) -> u64 {
    let frames: i64 = conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).expect("a count");
    u64::try_from(frames).expect("a WAL")
}

fn passed(wal: &Path, valid: u64) -> Option<u64> {
    let passed = Wal::open(wal, PAGE).and_then(|wal| wal.passed_commit(valid)).expect("read");
    passed.map(|passed| passed.frames)
}

fn octet_of_frame(frame: u64) -> usize {
    usize::try_from(32 + frame * FRAME).expect("small")
}

#[test]
fn damage_before_a_durable_commit_is_seen_wherever_it_is() {
    let base = Base::new();
    (0..4).for_each(|_| base.insert(6_000));
    let durable = base.frames();
    base.insert(6_000);
    let (wal, whole) = (base.wal(), base.frames());
    assert!(durable > 8 && whole > durable + 1);
    let begin = 0..32_usize;
    // All of a frame's header, of the last commit that was durable too; its page here and there.
    let headers = (0..durable).flat_map(|frame| octet_of_frame(frame)..octet_of_frame(frame) + 24);
    let pages = (32..octet_of_frame(durable)).step_by(1_009);
    for at in begin.chain(headers).chain(pages) {
        let mut changed = wal.clone();
        changed[at] ^= 0x5A;
        let crashed = base.crashed(&changed);
        assert!(crashed.valid < durable, "octet {at}: {} of {whole} frames", crashed.valid);
        assert!(passed(&crashed.wal, crashed.valid).is_some(), "octet {at}");
    }
    // A block that is gone, as disks lose them.
    for gone in [0, 4_096, 12_288] {
        let mut changed = wal.clone();
        changed[gone..gone + 4_096].fill(0);
        let crashed = base.crashed(&changed);
        assert!(passed(&crashed.wal, crashed.valid).is_some(), "block at {gone}");
    }
}

#[test]
fn a_torn_end_is_no_damage() {
    let base = Base::new();
    (0..4).for_each(|_| base.insert(6_000));
    let durable = base.frames();
    base.insert(20_000);
    let (wal, whole) = (base.wal(), base.frames());
    assert_eq!(passed(&base.dir.path().join("a.sqlite-wal"), whole), None);
    for cut in [1, 4_096, 4_120, 4_121, 12_000] {
        let crashed = base.crashed(&wal[..wal.len() - cut]);
        assert_eq!((crashed.valid, passed(&crashed.wal, crashed.valid)), (durable, None), "cut by {cut}");
    }
    // The disk wrote its frames in any order.
    for missing in durable..whole {
        let mut torn = wal.clone();
        torn[octet_of_frame(missing)..octet_of_frame(missing + 1)].fill(0);
        let crashed = base.crashed(&torn);
        assert_eq!((crashed.valid, passed(&crashed.wal, crashed.valid)), (durable, None), "without {missing}");
    }
}

/// What an append without room, or one that a crash tore, left behind a shorter one is not what was written after it.
#[test]
fn frames_that_were_left_behind_are_no_later_commit() {
    let base = Base::new();
    (0..3).for_each(|_| base.insert(6_000));
    let (before, durable) = (base.wal(), base.frames());
    base.insert(30_000);
    let longer = base.wal();
    let other = base.crashed(&before);
    other.conn.execute_batch("UPDATE a SET x = 1 WHERE rowid = 1").expect("a row");
    let shorter = std::fs::read(&other.wal).expect("a WAL");
    let ends = octet_of_frame(frames(&other.conn));
    assert!(shorter.len() < longer.len() && ends > octet_of_frame(durable));
    let mut both = longer;
    both[..ends].copy_from_slice(&shorter[..ends]);
    // Being written just now: there, and not counted.
    let crashed = base.crashed(&both);
    assert_eq!((crashed.valid, passed(&crashed.wal, durable)), (frames(&other.conn), None));
    // Torn itself, its commit included.
    for at in [octet_of_frame(durable) + 100, ends - 1] {
        let mut torn = both.clone();
        torn[at] ^= 0x5A;
        let crashed = base.crashed(&torn);
        assert_eq!((crashed.valid, passed(&crashed.wal, crashed.valid)), (durable, None), "octet {at}");
    }
}

/// Somebody moved the WAL into the database by hand; it was begun again, and is shorter than it was.
#[test]
fn frames_of_an_earlier_use_are_no_later_commit() {
    let base = Base::new();
    (0..5).for_each(|_| base.insert(6_000));
    base.conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).expect("moved");
    base.insert(10);
    let path = base.dir.path().join("a.sqlite-wal");
    assert!(base.wal().len() > octet_of_frame(base.frames() + 5));
    assert_eq!(passed(&path, base.frames()), None);
    // What it holds now is judged as ever.
    (0..2).for_each(|_| base.insert(6_000));
    let file = File::options().write(true).open(&path).expect("a WAL");
    file.write_all_at(&[0x5A; 8], 32 + FRAME + 60).expect("written");
    assert!(passed(&path, 1).is_some());
}
