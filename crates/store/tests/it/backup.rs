//! A copy while the server runs, and a directory from it.

use engine::checkpoint::Checkpoint;
use engine::deliveries::FollowerStore;
use engine::follower::Cursor;
use engine::ids::IdsKept;
use engine::journal::{Head, Journal, JournalReader, ReadFault};
use store::backup::backup;
use store::manifest::Manifest;
use store::restore::restore;
use store::verify::verify_chain;
use store::{DataDir, SqliteCheckpoint, SqliteCursor, SqliteDeliveries, SqliteJournal, StoreFault};

use crate::support::{Place, SMALL, fill, is_sealed, seq, wait_for};
use crate::world::{World, batches, collector};

fn copy(place: &Place, to: &std::path::Path) -> Manifest {
    let dir = DataDir::open_shared(&place.path).expect("a directory");
    backup(&dir, to, &[1, 4], &mut |done, of| assert!(done <= of)).expect("a backup")
}

#[test]
fn a_backup_of_a_running_server_is_restored_whole() {
    let place = Place::new();
    let mut world = World::new();
    (0..60).for_each(|n| world.step(&(3, n % 6, (n + 1) % 6, 5, 90_000)));
    world.commit();
    let (mut journal, reader) = place.open(SMALL);
    let mut checkpoint = SqliteCheckpoint::open(&place.path.join("checkpoint.sqlite")).expect("tables");
    let mut collector = collector();
    let (first, rest) = world.links.split_at(world.links.len() / 2);
    first.iter().for_each(|link| journal.append(link).expect("an append"));
    batches(first).iter().for_each(|batch| collector.add(batch));
    checkpoint.write(&collector.take(IdsKept::default())).expect("written");
    let middle = journal.head();
    rest.iter().for_each(|link| journal.append(link).expect("an append"));
    wait_for("sealing", || is_sealed(&place.path, 2));

    let root = tempfile::tempdir().expect("a directory");
    let to = root.path().join("backup");
    let manifest = copy(&place, &to);
    assert_eq!((manifest.head, manifest.key_ids.as_slice()), (journal.head(), &[1, 4][..]));
    assert_eq!(Manifest::read(&to).expect("a manifest"), manifest);

    let new = root.path().join("new");
    let restored = restore(&to, &new, &["sms", "webhooks"], &mut |_| {}).expect("restored");
    assert_eq!((restored.head, restored.key_ids.as_slice(), restored.absent.len()), (journal.head(), &[1, 4][..], 0));
    let dir = DataDir::open(&new).expect("a directory");
    let (mut again, its_reader) = SqliteJournal::open(&dir, SMALL).expect("a journal");
    assert_eq!(again.head(), journal.head());
    assert_eq!(its_reader.read(seq(1), usize::MAX), reader.read(seq(1), usize::MAX));
    assert_eq!(SqliteCheckpoint::open(&dir.checkpoint()).expect("tables").head(), middle);
    let mut cursor = SqliteCursor::open(&new, "webhooks").expect("a cursor");
    assert_eq!((cursor.load(), cursor.is_paused()), (Ok(Some(journal.head().seq)), Ok(true)));
    cursor.resume().expect("resumed");
    assert_eq!(cursor.is_paused(), Ok(false));
    let mut sms = SqliteDeliveries::open(&new).expect("a database");
    assert_eq!((sms.cursor(), sms.is_paused()), (Ok(Some(journal.head().seq)), Ok(true)));
    fill(&mut again, 4, 4);
    verify_chain(&its_reader, seq(1), &mut |_| {}).expect("whole");
}

#[test]
fn the_next_backup_copies_what_is_new() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    let root = tempfile::tempdir().expect("a directory");
    let to = root.path().join("backup");
    assert_eq!(copy(&place, &to).head, Head::default());
    for round in 1..=4 {
        fill(&mut journal, 5, 3);
        let manifest = copy(&place, &to);
        assert_eq!(manifest.head.seq, seq(15 * round));
        let sealed = || manifest.segments.iter().filter(|segment| segment.sealed);
        assert!(sealed().all(|segment| is_sealed(&to, segment.number)));
        // What was copied is not copied again, whatever it is.
        if let Some(segment) = sealed().next() {
            let path = to.join(format!("journal-{:06}.sqlite", segment.number));
            let modified = std::fs::metadata(&path).expect("a file").modified().expect("a time");
            copy(&place, &to);
            assert_eq!(std::fs::metadata(&path).expect("a file").modified().expect("a time"), modified);
        }
        let new = root.path().join(format!("new-{round}"));
        assert_eq!(restore(&to, &new, &[], &mut |_| {}).expect("restored").head, journal.head());
    }
}

#[test]
fn a_backup_that_changed_is_refused_and_nothing_is_overwritten() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    fill(&mut journal, 6, 4);
    wait_for("sealing", || is_sealed(&place.path, 2));
    let root = tempfile::tempdir().expect("a directory");
    let to = root.path().join("backup");
    copy(&place, &to);
    let new = root.path().join("new");
    assert!(matches!(restore(&to, &place.path, &[], &mut |_| {}), Err(StoreFault::NotEmpty { .. })));
    for file in ["journal-000001.sqlite", "journal-000003.sqlite", "manifest.txt"] {
        let path = to.join(file);
        let whole = std::fs::read(&path).expect("a file");
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let write = |octets: &[u8]| {
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, octets).expect("written");
        };
        write(&changed);
        let fault = restore(&to, &new, &[], &mut |_| {}).expect_err("refused");
        assert!(matches!(fault, StoreFault::Manifest { .. }), "{file}: {fault:?}");
        if new.exists() {
            let dir = DataDir::open(&new).expect("a directory");
            assert!(matches!(SqliteJournal::open(&dir, SMALL), Err(StoreFault::RestorePending { .. })));
            std::fs::remove_dir_all(&new).expect("removed");
        }
        write(&whole);
    }
    restore(&to, &new, &[], &mut |_| {}).expect("restored");
}

#[test]
fn a_damaged_segment_is_told_and_not_copied() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    fill(&mut journal, 6, 4);
    wait_for("sealing", || is_sealed(&place.path, 1));
    let path = place.path.join("journal-000001.sqlite");
    let mut octets = std::fs::read(&path).expect("a file");
    *octets.last_mut().expect("an octet") ^= 1;
    std::fs::remove_file(&path).expect("a file");
    std::fs::write(&path, octets).expect("written");
    let root = tempfile::tempdir().expect("a directory");
    let dir = DataDir::open_shared(&place.path).expect("a directory");
    let fault = backup(&dir, root.path(), &[], &mut |_, _| {}).expect_err("refused");
    assert!(matches!(fault, StoreFault::Read(ReadFault::Damaged { seq: at, .. }) if at == seq(1)), "{fault:?}");
    assert!(!root.path().join("manifest.txt").exists());
}
