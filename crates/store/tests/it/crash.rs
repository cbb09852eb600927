//! A server that ends without warning, at every step of a segment's life.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use engine::journal::{Head, Journal};
use rusqlite::Connection;
use store::JournalConfig;
use store::verify::verify_chain;

use crate::support::{Place, SMALL, fill, is_sealed, link, seq, wait_for};

/// Opens what a crash left: nothing is missing, and it goes on.
fn goes_on(place: &Place, head: Head) {
    let (mut journal, reader) = place.open(SMALL);
    assert_eq!(journal.head(), head);
    fill(&mut journal, 7, 4);
    let end = journal.head();
    let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
    assert_eq!((verified.head, verified.entries, verified.absent.len()), (end, end.seq.0, 0));
    drop((journal, reader));
    let (journal, _) = place.open(SMALL);
    assert_eq!(journal.head(), end);
}

/// A journal of 8 appends of 4 entries in segments of 8, closed well.
fn four_segments() -> (Place, Head) {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    fill(&mut journal, 8, 4);
    wait_for("sealing", || (1..=3).all(|n| is_sealed(&place.path, n)));
    wait_for("the next file", || place.path.join("journal-000005.sqlite-wal").exists());
    (place, journal.head())
}

fn change(place: &Place, file: &str, sql: &str) {
    Connection::open(place.path.join(file)).expect("a file").execute_batch(sql).expect(sql);
}

#[test]
fn in_the_middle_of_a_segment() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    for _ in 0..9 {
        fill(&mut journal, 1, 3);
        goes_on(&place.crashed(), journal.head());
    }
}

#[test]
fn before_the_first_append() {
    let place = Place::new();
    let (journal, _reader) = place.open(SMALL);
    goes_on(&place.crashed(), Head::default());
    drop(journal);
    goes_on(&place, Head::default());
    // The first segment is there and has not begun.
    let place = Place::new();
    drop(place.open(SMALL));
    change(&place, "journal-000001.sqlite", "DELETE FROM meta");
    std::fs::remove_file(place.path.join("journal-000002.sqlite")).expect("the next file");
    goes_on(&place, Head::default());
}

#[test]
fn while_the_next_file_is_prepared() {
    let (place, head) = four_segments();
    std::fs::write(place.path.join("preparing-1-0.tmp"), "half").expect("written");
    std::fs::write(place.path.join("preparing-1-0.tmp-journal"), "").expect("written");
    std::fs::write(place.path.join("journal-000005.sqlite-wal"), vec![0; 100_000]).expect("written");
    goes_on(&place, head);
    assert!(place.files().iter().all(|name| !name.starts_with("preparing")), "{:?}", place.files());
    let (place, head) = four_segments();
    for file in ["journal-000005.sqlite", "journal-000005.sqlite-wal"] {
        let _ = std::fs::remove_file(place.path.join(file));
    }
    goes_on(&place, head);
}

#[test]
fn between_closing_a_segment_and_beginning_the_next() {
    let (place, head) = four_segments();
    change(&place, "journal-000004.sqlite", "INSERT INTO closed VALUES (1, 32)");
    goes_on(&place, head);
}

#[test]
fn between_beginning_a_segment_and_its_first_append() {
    let (place, head) = four_segments();
    change(&place, "journal-000004.sqlite", "INSERT INTO closed VALUES (1, 32)");
    let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    change(&place, "journal-000005.sqlite", &format!("INSERT INTO meta VALUES (1, 3, 33, x'{hash}')"));
    let place = place.crashed();
    let (mut journal, reader) = place.open(SMALL);
    assert_eq!(journal.head(), head);
    assert!(!is_sealed(&place.path, 4), "a sealed segment is never the last with an append");
    fill(&mut journal, 1, 1);
    wait_for("sealing", || is_sealed(&place.path, 4));
    verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
}

#[test]
fn while_a_segment_is_sealed() {
    // Checkpointed and one file, but not hashed; then read-only as well.
    for mode in [0o640, 0o440] {
        let (place, head) = four_segments();
        std::fs::remove_file(place.path.join("journal-000002.blake3")).expect("a sidecar");
        let file = place.path.join("journal-000002.sqlite");
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("a mode");
        let (journal, _reader) = place.open(SMALL);
        wait_for("sealing", || is_sealed(&place.path, 2));
        drop(journal);
        goes_on(&place, head);
    }
    // Still with its WAL.
    let (place, head) = four_segments();
    std::fs::remove_file(place.path.join("journal-000003.blake3")).expect("a sidecar");
    change(&place, "journal-000003.sqlite", "PRAGMA journal_mode = WAL; PRAGMA user_version = 3;");
    goes_on(&place, head);
}

/// Child of [`killed_while_it_writes`]: appends until it is killed, and says what is durable.
#[test]
fn a_child_that_writes() {
    let Some(path) = std::env::var_os("STORE_TEST_CHILD") else { return };
    let dir = store::DataDir::open(std::path::Path::new(&path)).expect("a directory");
    let config = JournalConfig { wal_prewritten_bytes: 1 << 20, ..SMALL };
    let (mut journal, _reader) = store::SqliteJournal::open(&dir, config).expect("a journal");
    loop {
        let link = link(&journal.head(), 3, 500);
        journal.append(&link).expect("an append");
        println!("durable {}", journal.head().seq);
    }
}

#[test]
fn killed_while_it_writes() {
    let place = Place::new();
    let mut durable = 0;
    for round in 0..6_u64 {
        let mut child = Command::new(std::env::current_exe().expect("a program"))
            .args(["--exact", "crash::a_child_that_writes", "--nocapture", "--test-threads=1"])
            .env("STORE_TEST_CHILD", &place.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (began, begins) = std::sync::mpsc::channel();
        let killer = std::thread::spawn(move || {
            // However long it takes to start; a child that ended by itself says nothing.
            let _ = begins.recv();
            std::thread::park_timeout(Duration::from_millis(50 + 37 * round));
            child.kill().expect("killed");
            child.wait().expect("ended");
        });
        let before = durable;
        for line in lines.map_while(Result::ok) {
            if let Some(seq) = line.rsplit_once("durable ").and_then(|(_, seq)| seq.parse().ok()) {
                durable = seq;
                let _ = began.send(());
            }
        }
        drop(began);
        killer.join().expect("killed");
        assert!(durable > before, "nothing was written in round {round}");
        let reader = place.reader();
        let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
        assert!(verified.head.seq.0 >= durable, "{durable} were durable, {} are there", verified.head.seq);
    }
    let (journal, reader) = place.open(SMALL);
    goes_on_as(journal, &reader);
}

fn goes_on_as(mut journal: store::SqliteJournal, reader: &store::SqliteReader) {
    fill(&mut journal, 5, 4);
    let verified = verify_chain(reader, seq(1), &mut |_| {}).expect("whole");
    assert_eq!(verified.head, journal.head());
}
