//! Damage is never dropped in silence.

use std::os::unix::fs::{FileExt, PermissionsExt};

use engine::journal::{Journal, JournalReader, ReadFault};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use store::verify::verify_chain;
use store::{DataDir, JournalConfig, SqliteJournal};

use crate::support::{Place, SMALL, eight_appends, fill, is_sealed, link, seq, wait_for};

/// The file that holds an append of [`eight_appends`], writable.
fn file_of(place: &Place, append: usize) -> std::path::PathBuf {
    let path = place.path.join(format!("journal-{:06}.sqlite", append / 2 + 1));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    path
}

fn verify(place: &Place) -> Result<(), ReadFault> {
    let dir = DataDir::open_shared(&place.path).expect("a directory");
    match store::SqliteReader::open(&dir) {
        Ok(reader) => verify_chain(&reader, seq(1), &mut |_| {}).map(drop),
        Err(store::StoreFault::Read(fault)) => Err(fault),
        Err(other) => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    /// One octet of one append's entries or hash, anywhere.
    #[test]
    fn a_changed_octet_of_an_append_is_named(append in 0_usize..8, at: u16, flip in 1_u8..=255, hash: bool) {
        let (place, links) = eight_appends();
        let link = &links[append];
        let (column, mut octets) = if hash { ("hash", link.hash.to_vec()) } else { ("entries", link.bytes.clone()) };
        let at = usize::from(at) % octets.len();
        octets[at] ^= flip;
        let first = i64::try_from(link.first_seq.0).expect("small");
        let changed = Connection::open(file_of(&place, append)).expect("a file")
            .execute(&format!("UPDATE appends SET {column} = ?1 WHERE first_seq = ?2"), params![octets, first])
            .expect("changed");
        prop_assert_eq!(changed, 1);
        let named = |fault: &ReadFault| matches!(fault, ReadFault::Damaged { seq, .. } if *seq == link.first_seq);
        match verify(&place) {
            Err(fault) => prop_assert!(named(&fault), "{:?} for {}", fault, link.first_seq),
            Ok(()) => prop_assert!(false, "nothing noticed"),
        }
        let reader = place.reader();
        prop_assert!(reader.find(link.last_seq()).is_err_and(|fault| named(&fault)));
        if append == 7 {
            let text = place.fault();
            prop_assert!(text.contains(&format!("seq {}", link.first_seq)), "{}", text);
        }
    }

    /// One octet of one file, anywhere: what is read is what was written, or is refused.
    #[test]
    fn a_changed_octet_of_a_file_is_refused_or_means_nothing(number in 1_u32..=4, at: u32, flip in 1_u8..=255) {
        let (place, links) = eight_appends();
        let path = place.path.join(format!("journal-{number:06}.sqlite"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode");
        let file = std::fs::File::options().read(true).write(true).open(&path).expect("a file");
        let at = u64::from(at) % file.metadata().expect("a file").len();
        let mut octet = [0];
        file.read_exact_at(&mut octet, at).expect("read");
        file.write_all_at(&[octet[0] ^ flip], at).expect("written");
        drop(file);
        match verify(&place) {
            Ok(()) => {
                prop_assert_eq!(number, 4, "a sealed file has a hash");
                let reader = place.reader();
                prop_assert_eq!(reader.read(seq(1), usize::MAX).expect("read"), links.clone());
                if let Ok((journal, _)) = SqliteJournal::open(&DataDir::open(&place.path).expect("free"), SMALL) {
                    prop_assert_eq!(journal.head().seq, seq(32));
                }
            }
            Err(ReadFault::Damaged { seq, .. }) => {
                let first = links[usize::try_from(number).expect("small") * 2 - 2].first_seq;
                prop_assert!(seq >= first.min(links[0].first_seq.next()) && seq.0 <= 33, "{} in {}", seq, number);
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    /// A file that was cut off anywhere is refused.
    #[test]
    fn a_file_that_was_cut_off_is_refused(number in 1_u32..=4, at: u32) {
        let (place, _) = eight_appends();
        let path = place.path.join(format!("journal-{number:06}.sqlite"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode");
        let file = std::fs::File::options().write(true).open(&path).expect("a file");
        let len = file.metadata().expect("a file").len();
        file.set_len(u64::from(at) % len).expect("cut");
        let verified = verify(&place);
        let named = matches!(verified, Err(ReadFault::Damaged { .. }));
        prop_assert!(named, "{:?} with {} of {}", verified, u64::from(at) % len, len);
    }
}

#[test]
fn a_row_that_is_missing_or_elsewhere_is_named() {
    for (append, sql, named) in [
        (2, "DELETE FROM appends WHERE first_seq = 9", 9),
        (3, "DELETE FROM appends WHERE first_seq = 13", 13),
        (2, "UPDATE appends SET first_seq = 10 WHERE first_seq = 9", 9),
        (7, "UPDATE appends SET first_seq = 28 WHERE first_seq = 29", 29),
        (7, "UPDATE meta SET hash_before = zeroblob(32)", 25),
        (7, "UPDATE meta SET first_seq = 24", 25),
        (4, "DELETE FROM meta", 17),
    ] {
        let (place, _) = eight_appends();
        Connection::open(file_of(&place, append)).expect("a file").execute(sql, []).expect(sql);
        match verify(&place) {
            Err(ReadFault::Damaged { seq, what }) => assert_eq!(seq.0, named, "{sql}: {what}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_last_append_that_is_missing_is_seen_by_what_is_sealed() {
    // The live segment's WAL was thrown away after a crash: the segment before it is sealed, so something is missing.
    let place = Place::new();
    let (mut journal, _reader) = place.open(SMALL);
    fill(&mut journal, 3, 4);
    wait_for("sealing", || is_sealed(&place.path, 1));
    let crashed = place.crashed();
    std::fs::remove_file(crashed.path.join("journal-000002.sqlite-wal")).expect("a WAL");
    assert!(crashed.fault().contains("seq 9: journal-000002.sqlite lost its appends"), "{}", crashed.fault());
    std::fs::remove_file(crashed.path.join("journal-000003.sqlite")).expect("the next file");
    assert!(crashed.fault().contains("seq 9: journal-000002.sqlite is missing or lost"), "{}", crashed.fault());
    let crashed = place.crashed();
    for file in ["journal-000002.sqlite", "journal-000002.sqlite-wal", "journal-000003.sqlite"] {
        std::fs::remove_file(crashed.path.join(file)).expect(file);
    }
    assert!(crashed.fault().contains("journal-000002.sqlite is missing"), "{}", crashed.fault());
}

#[test]
fn damage_in_the_middle_of_a_wal_is_refused_and_a_torn_end_is_not() {
    let place = Place::new();
    let (mut journal, _reader) = place.open(JournalConfig { segment_entries_max: 1_000, ..SMALL });
    for _ in 0..6 {
        let link = link(&journal.head(), 2, 3_000);
        journal.append(&link).expect("an append");
    }
    let len = std::fs::metadata(place.path.join("journal-000001.sqlite-wal")).expect("a WAL").len();
    for at in [40, len / 3, len / 2] {
        let crashed = place.crashed();
        let wal = crashed.path.join("journal-000001.sqlite-wal");
        std::fs::File::options().write(true).open(wal).expect("a WAL").write_all_at(&[0x77], at).expect("written");
        let text = crashed.fault();
        let said = text.contains("its place in the WAL is damaged") || text.contains("lost its appends");
        assert!(text.contains("damaged at seq") && said, "octet {at}: {text}");
    }
    let crashed = place.crashed();
    let wal = crashed.path.join("journal-000001.sqlite-wal");
    std::fs::File::options().write(true).open(wal).expect("a WAL").set_len(len - 5_000).expect("cut");
    let (journal, reader) = crashed.open(SMALL);
    assert_eq!(journal.head().seq, seq(10), "the last append was not durable");
    verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
}

/// Opening looks at the latest append only, the rest is folding's and `verify`'s: the file's last octets hold an earlier one.
#[test]
fn a_live_file_that_was_cut_off_refuses_to_start() {
    for cut in [100, 4_096, 8_191, 8_192, 24_576, 24_577, 28_000, 32_000] {
        let (place, _) = eight_appends();
        let path = place.path.join("journal-000004.sqlite");
        let file = std::fs::File::options().write(true).open(&path).expect("a file");
        assert_eq!(file.metadata().expect("a file").len(), 32_768);
        file.set_len(cut).expect("cut");
        let fault = place.fault();
        assert!(fault.contains("the journal is damaged at seq"), "{cut}: {fault}");
    }
}
