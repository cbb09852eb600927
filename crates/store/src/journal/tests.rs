//! A file that takes no more: what a full disk does, without one.

use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::journal::{AppendFault, Draft, Journal, JournalReader, Link};

use super::{JournalConfig, SqliteJournal};
use crate::DataDir;
use crate::roster::Roster;
use crate::verify::verify_chain;

fn next(journal: &SqliteJournal) -> Link {
    use domain::command::Body;
    use domain::effects::Effects;
    use domain::refusal::Refusal;
    use domain::verdict::{Entry, Outcome, Verdict};
    let outcome = Outcome::Refused(Refusal::CardStateForbids { state: "x".repeat(20_000) });
    let body = Body::ExpireCard(domain::ids::CardId(0));
    let id = domain::id::CommandId::internal(1, journal.head().seq.0);
    let mut draft = Draft::new(Timestamp::from_ms(1_800_000_000_000), 0);
    draft.push(&Entry { id, body, verdict: Verdict { outcome, effects: Effects::default() } });
    draft.finish(&journal.head())
}

#[test]
fn without_room_nothing_is_written_and_it_goes_on_when_there_is_some() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = DataDir::create(&root.path().join("data")).expect("a directory");
    let config = JournalConfig { wal_prewritten_bytes: 0, disk_reserve_bytes: 0, ..JournalConfig::default() };
    let (mut journal, reader) = SqliteJournal::open(&dir, config).expect("a journal");
    let pages = |journal: &SqliteJournal, max: u32| {
        journal.live.segment.conn.pragma_update(None, "max_page_count", max).expect("a limit");
    };
    pages(&journal, 30);
    let mut refused = 0;
    for round in 0..40 {
        let link = next(&journal);
        let before = journal.head();
        match journal.append(&link) {
            Ok(()) => assert_eq!(journal.head(), link.head()),
            Err(fault) => {
                refused += 1;
                assert_eq!(fault, AppendFault::NoRoom, "round {round}");
                assert_eq!(journal.head(), before);
                assert_eq!(reader.latest().expect("read").map(|link| link.head()), Some(before));
                // The same append again, still without room; then there is some.
                assert_eq!(journal.append(&link), Err(AppendFault::NoRoom));
                pages(&journal, 30 + 30 * refused);
                journal.append(&link).expect("room");
            }
        }
    }
    assert!(refused > 2);
    let verified = verify_chain(&reader, Seq(1), &mut |_| {}).expect("whole");
    assert_eq!(verified.head, journal.head());
}

#[test]
fn a_segment_that_finds_no_room_to_begin_is_begun_later() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = DataDir::create(&root.path().join("data")).expect("a directory");
    let config = JournalConfig {
        segment_entries_max: 3,
        wal_prewritten_bytes: 0,
        disk_reserve_bytes: 0,
        ..JournalConfig::default()
    };
    let (mut journal, reader) = SqliteJournal::open(&dir, config).expect("a journal");
    for _ in 0..3 {
        let link = next(&journal);
        journal.append(&link).expect("room");
    }
    // The next file is there, and as large as it may be.
    journal.next = Some(journal.prepared().expect("a segment"));
    let limit = |journal: &SqliteJournal, max: u32| {
        let next = journal.next.as_ref().expect("a segment");
        next.conn.pragma_update(None, "max_page_count", max).expect("a limit");
        let pages: u32 = next.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a count");
        pages
    };
    let pages = limit(&journal, 1);
    next_is_full(&journal);
    let link = next(&journal);
    for _ in 0..2 {
        assert_eq!(journal.append(&link), Err(AppendFault::NoRoom));
        assert_eq!(journal.head().seq, Seq(3));
    }
    free_next(&journal);
    limit(&journal, pages + 1_000);
    for _ in 0..4 {
        let link = next(&journal);
        journal.append(&link).expect("room");
    }
    drop(journal);
    let (journal, _) = SqliteJournal::open(&dir, config).expect("a journal");
    assert_eq!(journal.head().seq, Seq(7));
    let verified = verify_chain(&reader, Seq(1), &mut |_| {}).expect("whole");
    assert_eq!((verified.head, verified.entries), (journal.head(), 7));
}

/// A row in `meta` fits the page that is there; a trigger asks for one that is not.
fn next_is_full(journal: &SqliteJournal) {
    let next = journal.next.as_ref().expect("a segment");
    next.conn
        .execute_batch(
            "PRAGMA max_page_count = 100; CREATE TABLE fill (x); \
             CREATE TRIGGER t BEFORE INSERT ON meta BEGIN INSERT INTO fill VALUES (zeroblob(1000000)); END;",
        )
        .expect("a trigger");
}

fn free_next(journal: &SqliteJournal) {
    let next = journal.next.as_ref().expect("a segment");
    next.conn.execute_batch("DROP TRIGGER t; DROP TABLE fill").expect("no trigger");
}

/// A year has 730 segments.
#[test]
fn a_start_opens_no_sealed_segment() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = DataDir::create(&root.path().join("data")).expect("a directory");
    let config = JournalConfig {
        segment_entries_max: 2,
        wal_prewritten_bytes: 0,
        disk_reserve_bytes: 0,
        ..JournalConfig::default()
    };
    let (mut journal, reader) = SqliteJournal::open(&dir, config).expect("a journal");
    for _ in 0..60 {
        let link = next(&journal);
        journal.append(&link).expect("room");
    }
    let head = journal.head();
    drop((journal, reader));
    let scan = || Roster::scan(dir.path()).expect("segments");
    let roster = scan();
    let sealed = roster.segments.iter().filter(|known| known.sealed).count();
    let all = roster.segments.len() + usize::from(roster.prepared.is_some());
    assert!(sealed >= 25, "{sealed} of {all} are sealed");
    assert_eq!((roster.opened, roster.is_indexed), (all - sealed, true));
    // Without the index each of them tells the same, and the next start writes it down again.
    std::fs::remove_file(dir.path().join("journal.index")).expect("an index");
    let anew = scan();
    assert_eq!((anew.opened, anew.is_indexed, &anew.segments), (all, false, &roster.segments));
    let (journal, reader) = SqliteJournal::open(&dir, config).expect("a journal");
    assert_eq!(journal.head(), head);
    assert!(scan().opened <= all - sealed);
    // What somebody reads is opened.
    assert_eq!(verify_chain(&reader, Seq(1), &mut |_| {}).expect("whole").head, head);
    assert!(reader.find(Seq(1)).expect("readable").is_some());
}
