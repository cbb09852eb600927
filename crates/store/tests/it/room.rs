//! A disk that is full.

use std::path::Path;
use std::process::Command;

use engine::journal::{AppendFault, Journal};
use store::verify::verify_chain;
use store::{DataDir, JournalConfig, SqliteJournal};

use crate::support::{SMALL, fill, link, seq};

/// A disk of its own, for who may mount one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

fn full_disk(config: JournalConfig, size: usize) {
    let Some(disk) = Disk::mount("6m") else {
        eprintln!("no disk of our own here: see journal/tests.rs for a file that is full");
        return;
    };
    let dir = DataDir::create(&disk.path().join("data")).expect("a directory");
    let (mut journal, reader) = SqliteJournal::open(&dir, config).expect("a journal");
    assert!(!journal.is_short_of_room());
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 2 << 20]).expect("room");
    let mut acknowledged = Vec::new();
    let mut at = link(&journal.head(), 1, size);
    let mut refused = 0;
    // Moving a closed segment's WAL into its file makes room, so an append may be taken that was refused before. The disk
    // is full when the same append is refused again and again.
    while refused < 4 {
        match journal.append(&at) {
            Ok(()) => {
                refused = 0;
                let next = link(&journal.head(), 1, size);
                acknowledged.push(core::mem::replace(&mut at, next));
            }
            Err(fault) => {
                refused += 1;
                assert_eq!(fault, AppendFault::NoRoom);
            }
        }
        assert!(acknowledged.len() * size < 6 << 20, "more was taken than there is room for");
    }
    assert!(!acknowledged.is_empty());
    assert_eq!(reader.latest().expect("read").as_ref(), acknowledged.last(), "nothing acknowledged is lost");
    std::fs::remove_file(&ballast).expect("ballast");
    journal.append(&at).expect("room");
    let head = journal.head();
    drop((journal, reader));
    let (journal, reader) = SqliteJournal::open(&dir, config).expect("a journal");
    assert_eq!(journal.head(), head);
    let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
    assert_eq!(verified.head, head);
}

#[test]
fn a_full_disk_takes_nothing_and_goes_on_when_there_is_room() {
    full_disk(JournalConfig { segment_entries_max: 1_000_000, ..SMALL }, 30_000);
}

#[test]
fn a_disk_that_is_full_when_a_segment_ends() {
    full_disk(SMALL, 5_000);
}

/// Whatever step of making files finds no room: it is said to be that, and afterwards all goes on.
#[test]
fn a_disk_that_is_full_when_a_journal_begins() {
    let Some(disk) = Disk::mount("2m") else { return };
    let ballast = disk.path().join("ballast");
    for pages in 0..80 {
        let path = disk.path().join("data");
        drop(DataDir::create(&path).expect("a directory"));
        let full = std::fs::write(&ballast, vec![1; 3 << 20]);
        assert!(full.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull));
        let len = std::fs::metadata(&ballast).expect("ballast").len();
        let cut =
            std::fs::File::options().write(true).open(&ballast).and_then(|file| file.set_len(len - pages * 4_096));
        cut.expect("some room");
        let open = || SqliteJournal::open(&DataDir::open(&path).expect("a directory"), SMALL);
        match open() {
            Ok((mut journal, _reader)) => loop {
                let link = link(&journal.head(), 10, 10);
                match journal.append(&link) {
                    Ok(()) => {}
                    Err(AppendFault::NoRoom) => break,
                    Err(fault) => panic!("{pages} pages: {fault:?}"),
                }
            },
            Err(fault) => assert!(fault.is_no_room(), "{pages} pages: {fault}"),
        }
        std::fs::remove_file(&ballast).expect("ballast");
        let (mut journal, reader) = open().unwrap_or_else(|fault| panic!("{pages} pages: {fault}"));
        fill(&mut journal, 3, 10);
        let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
        assert_eq!(verified.head, journal.head());
        drop((journal, reader));
        std::fs::remove_dir_all(&path).expect("removed");
    }
}

#[test]
fn intake_closes_before_the_disk_is_full() {
    let Some(disk) = Disk::mount("8m") else { return };
    let dir = DataDir::create(&disk.path().join("data")).expect("a directory");
    let config = JournalConfig { disk_reserve_bytes: 3 << 20, segment_entries_max: 1_000_000, ..SMALL };
    let (mut journal, _reader) = SqliteJournal::open(&dir, config).expect("a journal");
    let began = std::time::Instant::now();
    while !journal.is_short_of_room() {
        let link = link(&journal.head(), 1, 3_000);
        journal.append(&link).expect("there is room while it does not say otherwise");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
        assert!(began.elapsed().as_secs() < 30);
    }
}
