//! A disk that is full.

use std::path::Path;
use std::process::Command;

use engine::journal::{AppendFault, Journal};
use store::verify::verify_chain;
use store::{DataDir, JournalConfig, SqliteJournal};

use crate::support::{SMALL, link, seq};

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
    let mut append = || {
        let link = link(&journal.head(), 1, size);
        (journal.append(&link), link)
    };
    let mut acknowledged = Vec::new();
    let (refused, at) = loop {
        match append() {
            (Ok(()), link) => acknowledged.push(link),
            (Err(fault), link) => break (fault, link),
        }
    };
    assert_eq!(refused, AppendFault::NoRoom);
    assert!(!acknowledged.is_empty());
    for _ in 0..3 {
        assert_eq!(journal.append(&at), Err(AppendFault::NoRoom), "the same append, as often as one likes");
    }
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
