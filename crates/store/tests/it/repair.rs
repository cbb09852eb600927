//! What is dropped, and what is said about it.

use domain::number::Msisdn;
use domain::receipt::Seq;
use engine::checkpoint::Checkpoint;
use engine::deliveries::{Changes, Delivery, DeliveryKey, FollowerStore, Role};
use engine::follower::Cursor;
use engine::ids::IdsKept;
use engine::journal::{Journal, ReadFault};
use rusqlite::Connection;
use store::repair::{Repaired, repair};
use store::verify::verify_chain;
use store::{DataDir, SqliteCheckpoint, SqliteCursor, SqliteDeliveries, StoreFault};

use crate::support::{Place, SMALL, eight_appends, fill, is_sealed, seq, wait_for};
use crate::world::{World, batches, collector};

fn mend(place: &Place) -> Repaired {
    repair(&DataDir::open(&place.path).expect("free")).expect("repaired")
}

/// An SMS that an entry caused and that nobody has yet.
fn sms_of(seq: Seq) -> Delivery {
    let to = Msisdn::try_new(8_501_911_000_001).expect("a number");
    let at = domain::time::Timestamp::from_ms(1_000);
    Delivery::new(DeliveryKey { seq, role: Role::Recipient }, to, at, at)
}

fn change(place: &Place, number: u32, sql: &str) {
    let path = place.path.join(format!("journal-{number:06}.sqlite"));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("a mode");
    Connection::open(path).expect("a file").execute_batch(sql).expect(sql);
}

/// It starts, ends where the repair says, and goes on.
fn goes_on(place: &Place, repaired: &Repaired) {
    for _ in 0..2 {
        let (mut journal, reader) = place.open(SMALL);
        let before = journal.head();
        fill(&mut journal, 3, 4);
        let verified = verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
        assert_eq!(verified.head, journal.head());
        assert!(before.seq >= repaired.head.seq);
    }
    assert_eq!(
        mend(place),
        Repaired { head: place.open(SMALL).0.head(), ..Repaired::default() },
        "nothing more to mend"
    );
}

/// Cutting it would drop every entry of a journal that nothing is wrong with.
#[test]
fn a_journal_of_another_format_is_refused_and_never_cut() {
    for format in [1, 2, 99] {
        let (place, _) = eight_appends();
        let of_format = format!("UPDATE meta SET version = {format}; PRAGMA user_version = {format}");
        (1..=4).for_each(|number| change(&place, number, &of_format));
        let (files, said) =
            (place.files(), format!("the journal has format {format}, and this program reads format 3"));
        assert!(place.fault().contains(&said), "{}", place.fault());
        let refused = repair(&DataDir::open(&place.path).expect("free"));
        assert!(matches!(&refused, Err(StoreFault::Read(ReadFault::OtherFormat { .. }))), "{refused:?}");
        assert_eq!(place.files(), files);
    }
}

/// The number in the row and the one in the file's head can't both be hit by one accident.
#[test]
fn a_format_that_only_one_place_tells_is_damage() {
    let (place, links) = eight_appends();
    change(&place, 4, "UPDATE meta SET version = 1");
    assert!(place.fault().contains("the journal is damaged at seq"), "{}", place.fault());
    assert_eq!(mend(&place).head, links[5].head());
}

#[test]
fn what_is_whole_is_left_alone() {
    let (place, links) = eight_appends();
    let files = place.files();
    let repaired = mend(&place);
    assert_eq!(repaired, Repaired { head: links[7].head(), ..Repaired::default() });
    assert_eq!(place.files(), files);
}

#[test]
fn everything_from_the_damage_on_is_listed_and_dropped() {
    for append in 0..8_usize {
        let (place, links) = eight_appends();
        let first = links[append].first_seq;
        let number = u32::try_from(append / 2 + 1).expect("small");
        change(&place, number, &format!("UPDATE appends SET entries = zeroblob(100) WHERE first_seq = {first}"));
        if append == 7 {
            assert!(place.fault().contains(&format!("seq {first}")));
        }
        let repaired = mend(&place);
        let head = append.checked_sub(1).map(|before| links[before].head()).unwrap_or_default();
        assert_eq!(repaired.head, head, "append {append}");
        let lost: Vec<_> = repaired.lost.iter().map(|lost| lost.first).collect();
        assert_eq!(lost, links[append..].iter().map(|link| link.first_seq).collect::<Vec<_>>());
        assert_eq!(repaired.lost[0].entries, 0, "what it held can't be told");
        let report = std::fs::read_to_string(repaired.report.as_ref().expect("a report")).expect("a report");
        for link in &links[append + 1..] {
            let hex: String = link.bytes.iter().map(|octet| format!("{octet:02x}")).collect();
            assert!(report.contains(&format!("{} 4 ", link.first_seq)) && report.contains(&hex));
        }
        assert_eq!(repaired.kept.len(), 5 - append / 2, "the damaged one, those after it and the prepared one");
        assert!(repaired.kept.iter().all(|path| path.exists()));
        let (opened, _reader) = place.open(SMALL);
        assert_eq!(opened.head(), head);
        drop((opened, _reader));
        goes_on(&place, &repaired);
    }
}

#[test]
fn checkpoint_and_followers_come_back_to_the_head() {
    let place = Place::new();
    let mut world = World::new();
    (0..60).for_each(|n| world.step(&(3, n % 6, (n + 1) % 6, 5, 90_000)));
    world.commit();
    let (mut journal, _reader) = place.open(SMALL);
    let mut collector = collector();
    batches(&world.links).iter().for_each(|batch| collector.add(batch));
    world.links.iter().for_each(|link| journal.append(link).expect("an append"));
    drop((journal, _reader));
    let path = place.path.join("checkpoint.sqlite");
    let mut checkpoint = SqliteCheckpoint::open(&path).expect("tables");
    checkpoint.write(&collector.take(IdsKept::default())).expect("written");
    drop(checkpoint);
    let middle = world.links[world.links.len() / 2].head();
    let past = middle.seq.next();
    let mut sms = SqliteDeliveries::open(&place.path).expect("a database");
    sms.write(&Changes { cursor: Some(past), deliveries: vec![sms_of(middle.seq), sms_of(past)], forget: None })
        .expect("written");
    drop(sms);
    SqliteCursor::open(&place.path, "webhooks").expect("a cursor").save(seq(1)).expect("saved");
    SqliteCursor::open(&place.path, "reports").expect("a cursor").save(past).expect("saved");
    let bad = &world.links[world.links.len() / 2 + 1];
    let reader = place.reader();
    let number = (1..).find(|number| {
        let path = place.path.join(format!("journal-{number:06}.sqlite"));
        let sql = format!("SELECT count(*) FROM appends WHERE first_seq = {}", bad.first_seq);
        let found: i64 =
            Connection::open(path).expect("a file").query_row(&sql, [], |row| row.get(0)).expect("a count");
        found == 1
    });
    drop(reader);
    let sql = format!("UPDATE appends SET hash = zeroblob(32) WHERE first_seq = {}", bad.first_seq);
    change(&place, number.expect("a segment"), &sql);
    let repaired = mend(&place);
    assert_eq!((repaired.head, repaired.checkpoint_removed), (middle, true));
    assert_eq!(repaired.followers_moved, ["sms", "reports"]);
    assert!(!path.exists());
    let mut sms = SqliteDeliveries::open(&place.path).expect("a database");
    assert_eq!((sms.cursor(), sms.open_deliveries()), (Ok(Some(middle.seq)), Ok(vec![sms_of(middle.seq)])));
    let cursor = |name: &str| SqliteCursor::open(&place.path, name).expect("a cursor").load();
    assert_eq!((cursor("webhooks"), cursor("reports")), (Ok(Some(seq(1))), Ok(Some(middle.seq))));
}

/// A server refuses to start with a follower that is ahead, and only a repair may move it: so it does, damage or not. Where
/// the checkpoint knows of more entries, they are missing, and nothing is moved.
#[test]
fn followers_ahead_of_a_whole_journal_come_back_unless_entries_are_missing() {
    let (place, links) = eight_appends();
    let head = links[7].head();
    let mut sms = SqliteDeliveries::open(&place.path).expect("a database");
    let ahead = vec![sms_of(head.seq), sms_of(head.seq.next())];
    sms.write(&Changes { cursor: Some(head.seq.next()), deliveries: ahead, forget: None }).expect("written");
    drop(sms);
    let repaired = mend(&place);
    assert_eq!((repaired.head, repaired.damage, repaired.followers_moved), (head, None, vec![String::from("sms")]));
    let mut sms = SqliteDeliveries::open(&place.path).expect("a database");
    assert_eq!((sms.cursor(), sms.open_deliveries()), (Ok(Some(head.seq)), Ok(vec![sms_of(head.seq)])));
    sms.write(&Changes { cursor: Some(head.seq.next()), ..Changes::default() }).expect("written");
    drop(sms);
    // A checkpoint of one entry more.
    let path = place.path.join("checkpoint.sqlite");
    drop(SqliteCheckpoint::open(&path).expect("tables"));
    let conn = Connection::open(&path).expect("tables");
    conn.execute("UPDATE meta SET seq = ?1", [i64::try_from(head.seq.next().0).expect("small")]).expect("changed");
    drop(conn);
    let repaired = mend(&place);
    assert_eq!((repaired.followers_moved.len(), repaired.checkpoint_removed, path.exists()), (0, false, true));
}

#[test]
fn a_file_whose_appends_are_whole_is_sealed_again() {
    let (place, links) = eight_appends();
    change(&place, 2, "CREATE TABLE scribble (x)");
    let reader = place.reader();
    assert!(verify_chain(&reader, seq(1), &mut |_| {}).is_err());
    drop(reader);
    let repaired = mend(&place);
    assert_eq!((repaired.resealed.as_slice(), repaired.head, repaired.lost.len()), (&[2][..], links[7].head(), 0));
    let (_journal, reader) = place.open(SMALL);
    wait_for("sealing", || is_sealed(&place.path, 2));
    verify_chain(&reader, seq(1), &mut |_| {}).expect("whole");
}

#[test]
fn after_an_archived_segment_the_first_append_can_not_be_dropped() {
    let (place, _) = eight_appends();
    std::fs::remove_file(place.path.join("journal-000001.sqlite")).expect("a segment");
    change(&place, 2, "UPDATE appends SET hash = zeroblob(32) WHERE first_seq = 9");
    let dir = DataDir::open(&place.path).expect("free");
    assert!(matches!(repair(&dir), Err(StoreFault::Archived { number: 1 })));
    drop(dir);
    change(&place, 2, "DELETE FROM appends WHERE first_seq = 13");
}

#[test]
fn a_repair_that_was_interrupted_is_finished() {
    let (place, links) = eight_appends();
    change(&place, 2, "UPDATE appends SET hash = zeroblob(32) WHERE first_seq = 13");
    let whole = place.crashed();
    let repaired = mend(&whole);
    let mark = format!(
        "repair-13 2 12 {} {}\n",
        links[2].hash.iter().map(|octet| format!("{octet:02x}")).collect::<String>(),
        links[2].at.ms()
    );
    // The part that stays is written and marked; so many files have moved.
    for moved in 0..=4_usize {
        let place = place.crashed();
        std::fs::copy(whole.path.join("journal-000002.sqlite"), place.path.join("repair-new.sqlite")).expect("a copy");
        std::fs::write(place.path.join("repair.pending"), &mark).expect("a mark");
        for number in (2..=5).rev().take(moved) {
            let name = format!("journal-{number:06}.sqlite");
            std::fs::rename(place.path.join(&name), place.path.join(format!("repair-13-{name}"))).expect("moved");
        }
        let dir = DataDir::open(&place.path).expect("free");
        let fault = store::SqliteJournal::open(&dir, SMALL).expect_err("refused");
        assert!(matches!(fault, StoreFault::RepairPending { .. }), "{fault:?}");
        drop(dir);
        let finished = mend(&place);
        assert_eq!(finished.head, repaired.head);
        assert_eq!(place.open(SMALL).0.head(), links[2].head(), "after {moved}");
        goes_on(&place, &finished);
    }
    // Everything has moved, and the mark was left.
    std::fs::write(whole.path.join("repair.pending"), &mark).expect("a mark");
    assert_eq!(mend(&whole).head, links[2].head());
    goes_on(&whole, &repaired);
}
