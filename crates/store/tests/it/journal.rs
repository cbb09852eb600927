//! Writing, reading and turning to the next segment.

use engine::journal::{AppendFault, Head, Journal, JournalReader, ReadFault, decode};
use store::verify::verify_chain;
use store::{DataDir, JournalConfig, SqliteJournal, StoreFault};

use crate::support::{Place, SMALL, fill, is_sealed, link, seq, wait_for};

#[test]
fn what_was_appended_is_read_before_and_after_a_restart() {
    let place = Place::new();
    let (mut journal, reader) = place.open(SMALL);
    assert_eq!(journal.head(), Head::default());
    assert_eq!(reader.find(seq(1)), Ok(None));
    let mut links = Vec::new();
    for count in [1, 3, 4, 4, 7, 2, 25, 1] {
        let link = link(&journal.head(), count, 20);
        journal.append(&link).expect("an append");
        assert_eq!(journal.head(), link.head());
        assert_eq!(reader.find(link.last_seq()).expect("read").as_ref(), Some(&link));
        links.push(link);
    }
    let head = journal.head();
    let check = |reader: &dyn JournalReader| {
        for n in 1..=head.seq.0 {
            let holds = links.iter().find(|link| link.first_seq.0 <= n && n <= link.last_seq().0);
            assert_eq!(reader.find(seq(n)).expect("read").as_ref(), holds, "seq {n}");
        }
        assert_eq!(reader.find(seq(0)), Ok(None));
        assert_eq!(reader.find(seq(head.seq.0 + 1)), Ok(None));
        assert_eq!(reader.find(seq(u64::MAX)), Ok(None));
        assert_eq!(reader.read(seq(1), usize::MAX).expect("read"), links);
        assert_eq!(reader.read(seq(6), 0).expect("read"), links[2..3], "at least one");
        assert!(reader.read(head.seq.next(), 1).expect("read").is_empty());
    };
    check(&reader);
    check(&place.reader());
    wait_for("sealing", || (1..=4).all(|n| is_sealed(&place.path, n)));
    check(&reader);
    drop((journal, reader));
    let (journal, reader) = place.open(SMALL);
    assert_eq!(journal.head(), head);
    check(&reader);
    let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
    assert_eq!((verified.head, verified.entries), (head, head.seq.0));
    assert_eq!(decode(&links[6]).expect("an append").entries.len(), 25);
}

#[test]
fn a_segment_ends_between_two_appends_and_becomes_one_read_only_file() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    fill(&mut journal, 5, 4);
    wait_for("sealing", || is_sealed(&place.path, 2));
    wait_for("the next file", || place.path.join("journal-000004.sqlite").exists());
    assert_eq!(
        place.files(),
        [
            "journal-000001.blake3",
            "journal-000001.sqlite",
            "journal-000002.blake3",
            "journal-000002.sqlite",
            "journal-000003.sqlite",
            "journal-000004.sqlite",
            "journal.index",
            "lock"
        ]
    );
    assert!(!place.path.join("journal-000001.sqlite-wal").exists());
    let sealed = place.path.join("journal-000001.sqlite");
    assert!(std::fs::metadata(&sealed).expect("a file").permissions().readonly());
    let hash = blake3::hash(&std::fs::read(&sealed).expect("a file"));
    let sidecar = std::fs::read_to_string(place.path.join("journal-000001.blake3")).expect("a file");
    assert_eq!(sidecar, format!("{hash}  journal-000001.sqlite\n"));
}

#[test]
fn a_segment_ends_when_its_wal_is_large() {
    let place = Place::new();
    let config = JournalConfig { segment_entries_max: 1_000_000, segment_wal_bytes_max: 100_000, ..SMALL };
    let (mut journal, _reader) = place.open(config);
    for _ in 0..20 {
        let link = link(&journal.head(), 1, 20_000);
        journal.append(&link).expect("an append");
    }
    // Three of them fit: each is counted as two whole pages and two more.
    assert!(place.path.join("journal-000007.sqlite-wal").exists(), "{:?}", place.files());
    drop(journal);
    let (journal, reader) = place.open(config);
    assert_eq!(journal.head().seq, seq(20));
    verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
}

#[test]
fn a_prewritten_wal_holds_the_same() {
    let place = Place::new();
    let config = JournalConfig { wal_prewritten_bytes: 2 << 20, ..SMALL };
    let (mut journal, reader) = place.open(config);
    fill(&mut journal, 8, 4);
    let live = place.path.join("journal-000004.sqlite-wal");
    assert_eq!(std::fs::metadata(live).expect("a WAL").len(), 2 << 20);
    let crashed = place.crashed();
    verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
    let (journal, reader) = crashed.open(config);
    assert_eq!(journal.head().seq, seq(32));
    verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
}

#[test]
fn a_second_server_is_refused_and_names_the_directory() {
    let place = Place::new();
    let (journal, _reader) = place.open(SMALL);
    let fault = DataDir::open(&place.path).expect_err("in use");
    assert!(matches!(fault, StoreFault::InUse { .. }));
    assert!(fault.to_string().contains(&place.path.display().to_string()), "{fault}");
    let shared = DataDir::open_shared(&place.path).expect("readers may");
    assert!(matches!(SqliteJournal::open(&shared, SMALL), Err(StoreFault::Shared { .. })));
    drop(journal);
    DataDir::open(&place.path).expect("free again");
    assert!(matches!(DataDir::create(&place.path), Err(StoreFault::NotEmpty { .. })));
    let nowhere = place.path.join("nowhere");
    assert!(matches!(DataDir::open(&nowhere), Err(StoreFault::NoDataDir { .. })));
    assert!(matches!(DataDir::open_shared(&nowhere), Err(StoreFault::NoDataDir { .. })));
}

#[test]
fn a_stale_writer_is_refused() {
    let place = Place::new();
    let (mut first, _reader) = place.open(SMALL);
    fill(&mut first, 1, 3);
    wait_for("the next file", || place.path.join("journal-000002.sqlite-wal").exists());
    // Somebody removed the lock: two servers on the same files.
    std::fs::remove_file(place.path.join("lock")).expect("a lock");
    std::fs::write(place.path.join("lock"), "").expect("a lock");
    let (mut second, _reader) = place.open(SMALL);
    fill(&mut second, 1, 4);
    let late = link(&first.head(), 2, 50);
    assert_eq!(first.append(&late), Err(AppendFault::Stale { expected: seq(3), found: seq(7) }));
    assert!(matches!(first.append(&late), Err(AppendFault::Lost(_))), "nothing more, whatever comes");
    fill(&mut second, 3, 4);
    drop(first);
    let verified = verify_chain(&place.reader(), seq(1), &mut |_| {}).expect("whole");
    assert_eq!(verified.head, second.head());
}

#[test]
fn an_append_for_another_place_is_refused() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    fill(&mut journal, 1, 3);
    let far = link(&Head { seq: seq(5), ..journal.head() }, 1, 10);
    assert_eq!(journal.append(&far), Err(AppendFault::Stale { expected: seq(5), found: seq(3) }));
}

#[test]
fn archived_segments_are_absent_and_the_rest_can_be_read() {
    let place = Place::new();
    let (mut journal, reader) = place.open(SMALL);
    fill(&mut journal, 10, 5);
    wait_for("sealing", || (1..=4).all(|n| is_sealed(&place.path, n)));
    drop((journal, reader));
    for number in [1, 3] {
        std::fs::remove_file(place.path.join(format!("journal-{number:06}.sqlite"))).expect("a segment");
    }
    let (journal, reader) = place.open(SMALL);
    assert_eq!(journal.head().seq, seq(50));
    for n in 1..=50 {
        let absent = matches!(n, 1..=10 | 21..=30);
        match reader.find(seq(n)) {
            Ok(Some(link)) => assert!(!absent && link.first_seq.0 <= n, "seq {n}"),
            Err(ReadFault::Absent { seq }) => assert!(absent && seq.0 == n, "seq {n}"),
            other => panic!("seq {n}: {other:?}"),
        }
    }
    assert_eq!(reader.read(seq(18), usize::MAX).expect("read").last().map(|link| link.last_seq()), Some(seq(20)));
    assert_eq!(reader.read(seq(21), 1), Err(ReadFault::Absent { seq: seq(21) }));
    let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
    let absent: Vec<_> = verified.absent.iter().map(|absent| (absent.first.0, absent.last.0)).collect();
    assert_eq!((verified.entries, absent), (30, vec![(1, 10), (21, 30)]));
}

/// Everything that a server does while others read: what is being done just now is no damage.
fn read_while_it_is_written(config: JournalConfig) {
    let place = Place::new();
    let (mut journal, reader) = place.open(config);
    let foreign = place.reader();
    std::thread::scope(|scope| {
        for reader in [reader, foreign.clone(), foreign] {
            scope.spawn(move || {
                let mut next = 1;
                while next <= 900 {
                    for link in reader.read(seq(next), 3_000).expect("read") {
                        assert_eq!(link.first_seq.0, next);
                        next = link.last_seq().0 + 1;
                    }
                }
            });
        }
        scope.spawn(|| {
            let mut seen = 0;
            while seen < 900 {
                let verified = verify_chain(&place.reader(), seq(1), &mut |_| {}).expect("whole");
                assert!(verified.head.seq.0 >= seen);
                seen = verified.head.seq.0;
            }
        });
        fill(&mut journal, 300, 3);
    });
    assert_eq!(journal.head().seq, seq(900));
}

#[test]
fn readers_in_other_threads_see_what_is_durable_while_it_is_written() {
    read_while_it_is_written(JournalConfig { segment_entries_max: 40, ..SMALL });
}

/// What a reader finds past the valid frames was written meanwhile: the file was as long before.
#[test]
fn readers_in_other_threads_of_a_prewritten_wal() {
    read_while_it_is_written(JournalConfig { segment_entries_max: 400, wal_prewritten_bytes: 2 << 20, ..SMALL });
}
