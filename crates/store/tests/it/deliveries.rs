//! The SMS follower's database.

use domain::ids::{Language, LinkId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::deliveries::{
    Changes, Delivery, DeliveryKey, End, FORGET_STEP, FollowerStore, FollowerStoreFault, Forget, MemoryFollowerStore,
    ReceiptState, Role, Sent, Stage,
};
use engine::follower::Cursor;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rusqlite::Connection;
use store::deliveries::{FILE, find};
use store::{SqliteCursor, SqliteDeliveries};

use crate::support::{Place, seq};

fn ms(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn key(n: u64) -> DeliveryKey {
    DeliveryKey { seq: seq(n), role: Role::Recipient }
}

fn delivery(n: u64) -> Delivery {
    Delivery::new(key(n), Msisdn::try_new(8_501_911_000_000 + n).expect("a number"), ms(1_000), ms(2_000))
}

fn ended(n: u64, at: i64) -> Delivery {
    Delivery { stage: Stage::Ended { how: End::Delivered, at: ms(at) }, ..delivery(n) }
}

fn changes(cursor: u64, deliveries: Vec<Delivery>) -> Changes {
    Changes { cursor: Some(seq(cursor)), deliveries, forget: None }
}

/// Whoever changes the file behind the program's back.
fn change(place: &Place, sql: &str) {
    Connection::open(place.path.join(FILE)).expect("a file").execute_batch(sql).expect("changed");
}

fn refused(place: &Place) -> String {
    match SqliteDeliveries::open(&place.path) {
        Err(FollowerStoreFault::Damaged(what)) => what,
        other => panic!("not refused: {other:?}"),
    }
}

fn any_delivery() -> impl Strategy<Value = Delivery> {
    let at = || (0_i64..5_000).prop_map(ms);
    let of = |all: &'static [ReceiptState]| proptest::sample::select(all);
    let sent = ((0_u16..3), option::of("[0-9a-fA-F-]{0,8}"), at()).prop_map(|(link, id, at)| Sent {
        link: LinkId(link),
        message_id: id.map(String::into_boxed_str),
        at,
    });
    let stage = prop_oneof![
        at().prop_map(|next_at| Stage::Waiting { next_at }),
        at().prop_map(|until| Stage::Submitted { until }),
        (proptest::sample::select(End::ALL), at()).prop_map(|(how, at)| Stage::Ended { how, at }),
    ];
    let name = (1_u64..6, proptest::sample::select(Role::ALL));
    let facts = (at(), option::of(proptest::sample::select(&Language::ALL[..])), 0_u32..9, option::of(any::<u32>()));
    let receipt = (option::of(of(ReceiptState::ALL)), option::of(any::<u32>()));
    (name, facts, option::of(sent), receipt, stage).prop_map(|(name, facts, sent, receipt, stage)| {
        let (given_at, language, attempts, status) = facts;
        let (receipt, receipt_error) = receipt;
        let key = DeliveryKey { seq: seq(name.0), role: name.1 };
        let stage = match (stage, &sent) {
            (Stage::Submitted { until }, None) => Stage::Waiting { next_at: until },
            (stage, _) => stage,
        };
        Delivery { key, given_at, language, attempts, status, sent, receipt, receipt_error, stage, ..delivery(1) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is written in whatever order: a database that is opened again has what memory has.
    #[test]
    fn it_keeps_what_memory_keeps(
        writes in vec((option::of(1_u64..9), vec(any_delivery(), 0..6), option::of((0_i64..5_000, 0_u64..4))), 1..8),
    ) {
        let place = Place::new();
        let mut memory = MemoryFollowerStore::new();
        for (cursor, mut deliveries, forget) in writes {
            // A delivery that has ended stays so.
            let over: Vec<_> = memory.all().into_iter().filter(Delivery::is_ended).map(|ended| ended.key).collect();
            let mut seen = over;
            deliveries.retain(|delivery| { let new = !seen.contains(&delivery.key); seen.push(delivery.key); new });
            // Ties in time are broken by nobody: none here.
            for (n, delivery) in (0..).zip(&mut deliveries) {
                if let Stage::Ended { at, .. } = &mut delivery.stage {
                    *at = ms(at.ms() * 1_000 + i64::try_from(delivery.key.seq.0).expect("small") * 10 + n);
                }
            }
            let forget = forget.map(|(before, kept_max)| Forget { before: ms(before * 1_000), kept_max });
            let changes = Changes { cursor: cursor.map(Seq), deliveries, forget };
            memory.write(&changes).expect("written");
            SqliteDeliveries::open(&place.path).expect("a database").write(&changes).expect("written");
            let mut disk = SqliteDeliveries::open(&place.path).expect("a database");
            prop_assert_eq!(disk.cursor(), memory.cursor());
            prop_assert_eq!(disk.open_deliveries(), memory.open_deliveries());
            for n in 1..6 {
                prop_assert_eq!(disk.find(seq(n)), memory.find(seq(n)));
                prop_assert_eq!(find(&place.path, seq(n)), memory.find(seq(n)));
            }
        }
    }
}

#[test]
fn a_transaction_is_whole_or_not_there() {
    let place = Place::new();
    let mut store = SqliteDeliveries::open(&place.path).expect("a database");
    store.write(&changes(1, vec![delivery(1)])).expect("written");
    // A crash: another process finds what was durable, whatever this one still holds open.
    let copy = Place::new();
    for file in [FILE, "sms.sqlite-wal"] {
        std::fs::copy(place.path.join(file), copy.path.join(file)).expect("copied");
    }
    let mut after = SqliteDeliveries::open(&copy.path).expect("a database");
    assert_eq!((after.cursor(), after.open_deliveries()), (Ok(Some(seq(1))), Ok(vec![delivery(1)])));
    // The latest transaction is cut in the middle: it never was.
    store.write(&changes(9, (2..200).map(delivery).collect())).expect("written");
    let copy = Place::new();
    std::fs::copy(place.path.join(FILE), copy.path.join(FILE)).expect("copied");
    let wal = std::fs::read(place.path.join("sms.sqlite-wal")).expect("a log");
    std::fs::write(copy.path.join("sms.sqlite-wal"), &wal[..wal.len() - 100]).expect("written");
    let mut after = SqliteDeliveries::open(&copy.path).expect("a database");
    assert_eq!((after.cursor(), after.open_deliveries()), (Ok(Some(seq(1))), Ok(vec![delivery(1)])));
}

#[test]
fn finished_deliveries_go_in_bounded_steps() {
    let place = Place::new();
    let mut store = SqliteDeliveries::open(&place.path).expect("a database");
    let many = 3 * FORGET_STEP as u64;
    let all = (1..=many).map(|n| ended(n, i64::try_from(n).expect("small"))).collect();
    store.write(&changes(many, all)).expect("written");
    let forget =
        |before, kept_max| Changes { forget: Some(Forget { before: ms(before), kept_max }), ..Changes::default() };
    let left = |store: &mut SqliteDeliveries| {
        (1..=many).filter(|n| !store.find(seq(*n)).expect("read").is_empty()).collect::<Vec<_>>()
    };
    store.write(&forget(0, 10)).expect("written");
    let step = FORGET_STEP as u64;
    assert_eq!(left(&mut store), (step + 1..=many).collect::<Vec<_>>(), "the oldest of one step");
    store.write(&forget(0, 10)).expect("written");
    store.write(&forget(0, 10)).expect("written");
    assert_eq!(left(&mut store), (many - 9..=many).collect::<Vec<_>>());
    // Counted anew by whoever opens it.
    let mut store = SqliteDeliveries::open(&place.path).expect("a database");
    store.write(&forget(i64::try_from(many).expect("small") - 2, 8)).expect("written");
    assert_eq!(left(&mut store), (many - 2..=many).collect::<Vec<_>>(), "and by their age");
    // What is open stays, however old.
    store.write(&changes(many, vec![delivery(many + 1)])).expect("written");
    store.write(&forget(1_000_000_000, 0)).expect("written");
    assert_eq!(store.open_deliveries(), Ok(vec![delivery(many + 1)]));
}

#[test]
fn a_cursor_from_before_there_were_deliveries_is_taken_over() {
    let place = Place::new();
    SqliteCursor::open(&place.path, "sms").expect("a cursor").save(seq(700)).expect("saved");
    let old = place.path.join("follower-sms.sqlite");
    Connection::open(&old).expect("a file").execute("UPDATE cursor SET paused = 1", []).expect("paused");
    let mut store = SqliteDeliveries::open(&place.path).expect("a database");
    assert_eq!((store.cursor(), store.is_paused()), (Ok(Some(seq(700))), Ok(true)));
    assert!(!old.exists(), "or it would be taken over once more when the new one was moved away");
    store.resume().expect("resumed");
    store.write(&changes(701, vec![])).expect("written");
    let mut store = SqliteDeliveries::open(&place.path).expect("a database");
    assert_eq!((store.cursor(), store.is_paused()), (Ok(Some(seq(701))), Ok(false)));
}

#[test]
fn what_is_no_database_of_sms_is_refused_and_left_alone() {
    let place = Place::new();
    let path = place.path.join(FILE);
    std::fs::write(&path, "x".repeat(5_000)).expect("written");
    assert!(refused(&place).contains("sms.sqlite"));
    assert_eq!(std::fs::read(&path).expect("read"), "x".repeat(5_000).into_bytes());
    assert!(matches!(find(&place.path, seq(1)), Err(FollowerStoreFault::Damaged(_))));

    std::fs::remove_file(&path).expect("removed");
    change(&place, "CREATE TABLE open (a); CREATE TABLE customers (b);");
    assert!(refused(&place).contains("it is no database of SMS: move it away"));

    std::fs::remove_file(&path).expect("removed");
    drop(SqliteDeliveries::open(&place.path).expect("a database"));
    change(&place, "PRAGMA user_version = 2");
    assert!(refused(&place).contains("its tables have version 2; this program knows 1"));
    assert!(find(&place.path, seq(1)).is_err());
}

#[test]
fn a_row_that_is_no_delivery_is_damage() {
    for (column, value) in [
        ("seq", "0"),
        ("role", "'nobody'"),
        ("msisdn", "12"),
        ("state", "'lost'"),
        ("state", "'submitted'"),
        ("at_ms", "-1"),
        ("attempts", "-1"),
        ("language", "'fr'"),
        ("link", "70000"),
        ("receipt", "'good'"),
        ("msisdn", "'many'"),
    ] {
        let place = Place::new();
        let mut store = SqliteDeliveries::open(&place.path).expect("a database");
        store.write(&changes(1, vec![delivery(1)])).expect("written");
        change(&place, &format!("UPDATE open SET {column} = {value}"));
        let fault = store.open_deliveries().expect_err("damaged");
        assert!(matches!(fault, FollowerStoreFault::Damaged(_)), "{column} = {value}: {fault:?}");
    }
}

#[test]
fn nobody_has_the_database_of_a_directory_without_one() {
    let place = Place::new();
    assert_eq!(find(&place.path, seq(1)), Ok(Vec::new()));
    assert!(!place.path.join(FILE).exists());
}
