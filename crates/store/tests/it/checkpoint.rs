//! The checkpoint's tables against the fold of the journal.

use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;
use engine::checkpoint::{Checkpoint, CheckpointFault, Collector, Delta};
use engine::ids::{Ids, IdsKept};
use engine::journal::{Batch, Head};
use proptest::prelude::*;
use rusqlite::Connection;
use store::SqliteCheckpoint;

use crate::world::{IDS, World, batches, collector, steps};

struct Table {
    dir: tempfile::TempDir,
    checkpoint: SqliteCheckpoint,
}

impl Table {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let checkpoint = SqliteCheckpoint::open(&dir.path().join("checkpoint.sqlite")).expect("tables");
        Self { dir, checkpoint }
    }

    fn reopen(&mut self) {
        self.checkpoint = SqliteCheckpoint::open(&self.path()).expect("tables");
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("checkpoint.sqlite")
    }
}

/// State and ids after these appends.
fn fold(batches: &[Batch]) -> (State, Ids) {
    let (mut state, mut ids) = (State::default(), Ids::new(IDS));
    for batch in batches {
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            state.apply(seq, batch.at, &entry.verdict.effects).expect("it follows");
            ids.insert(entry.id, *fingerprint, seq, batch.at);
        }
    }
    (state, ids)
}

/// Writes a history in pieces of so many appends; gives the tables and the history.
fn written(steps: &[crate::world::Step], piece: usize) -> (Table, Vec<Batch>) {
    let mut world = World::new();
    steps.iter().for_each(|step| world.step(step));
    world.commit();
    let batches = batches(&world.links);
    let mut table = Table::new();
    let (mut collector, mut ids) = (collector(), Ids::new(IDS));
    for (n, piece) in batches.chunks(piece).enumerate() {
        for batch in piece {
            collector.add(batch);
            for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
                ids.insert(entry.id, *fingerprint, seq, batch.at);
            }
        }
        let delta = collector.take(ids.kept());
        table.checkpoint.write(&delta).expect("written");
        if n % 3 == 2 {
            table.reopen();
        }
    }
    (table, batches)
}

fn same_ids(loaded: &Ids, folded: &Ids, batches: &[Batch]) {
    assert_eq!((loaded.lens(), loaded.kept()), (folded.lens(), folded.kept()));
    let at = batches.last().map_or(Timestamp::MIN, |batch| batch.at);
    for batch in batches {
        for (entry, fingerprint) in batch.entries.iter().zip(&batch.fingerprints) {
            assert_eq!(loaded.check(entry.id, *fingerprint, at), folded.check(entry.id, *fingerprint, at));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_loaded_is_the_fold(steps in steps(250), piece in 1_usize..40) {
        let (mut table, batches) = written(&steps, piece);
        let (state, ids) = fold(&batches);
        let last = batches.last().expect("an append");
        let head = Head { seq: last.last_seq(), hash: last.hash, at: last.at };
        for _ in 0..2 {
            prop_assert_eq!(table.checkpoint.head(), head);
            let loaded = table.checkpoint.load(IDS).expect("loaded");
            prop_assert_eq!(loaded.head, head);
            prop_assert_eq!(loaded.state.differences(&state, 9), []);
            same_ids(&loaded.ids, &ids, &batches);
            prop_assert_eq!(table.checkpoint.compare(&state, 10).expect("compared"), []);
            prop_assert_eq!(table.checkpoint.compare(&loaded.state, 10).expect("compared"), []);
            table.reopen();
        }
    }
}

/// Read from the tables, a top-up is still remembered and its holder is nobody's recipient.
#[test]
fn a_remembered_top_up_is_loaded_again() {
    let (mut table, batches) = written(&[(0, 1, 2, 100, 0), (13, 1, 0, 200, 0)], 1);
    let (folded, _) = fold(&batches);
    table.reopen();
    let loaded = table.checkpoint.load(IDS).expect("loaded").state;
    for state in [folded, loaded] {
        let own: Vec<_> = state.repeats().filter(|(key, _)| key.sender == key.recipient).collect();
        let [(key, repeat)] = own.as_slice() else { panic!("one top-up: {own:?}") };
        assert_eq!((key.amount.minor(), repeat.seq), (200, state.seq()));
        let row = state.subscriber(key.sender).expect("a row");
        assert_eq!(state.recents_of(row).len(), 1, "the gift's recipient");
        assert!(!state.recents_of(row).contains(&key.sender));
    }
}

/// A gift that is taken back is no gift any more, whatever a checkpoint begins with: two that began with an undone gift once
/// had the same key.
#[test]
fn gifts_that_were_taken_back_are_not_remembered() {
    let held = (30, 0, 0, 4, 0);
    let undone = |who| [(0, who, 5, 100, 60), (34, 0, 0, 1, 0), (31, who, 0, 1, 60), (34, 0, 0, 1, 0)];
    let steps = [[held, (34, 0, 0, 1, 0), (34, 0, 0, 1, 0), (34, 0, 0, 1, 0)], undone(1), undone(2), undone(3)];
    let (mut table, batches) = written(&steps.concat(), 1);
    let (folded, _) = fold(&batches);
    let undone = |entry: &domain::verdict::Entry| {
        matches!(&entry.verdict.outcome, domain::verdict::Outcome::Done(domain::verdict::Done::Undone { .. }))
    };
    assert_eq!(batches.iter().flat_map(|batch| &batch.entries).filter(|entry| undone(entry)).count(), 3);
    assert_eq!(folded.repeats().count(), 0);
    table.reopen();
    let loaded = table.checkpoint.load(IDS).expect("loaded").state;
    assert_eq!(loaded.differences(&folded, 9), []);
}

/// A limit that is forgotten takes its usage along: nobody reads it from then on, and its rows leave the tables.
#[test]
fn usage_of_a_forgotten_limit_leaves_the_tables() {
    let day = 86_400;
    let gift = |who, wait_s| (0, who, (who + 1) % 6, 10, wait_s);
    let commit = (34, 0, 0, 1, 0);
    // Rules with limits of other names (`how` is 3); those of before are gone for as long as no window lasts.
    let steps =
        [gift(1, 0), gift(2, 0), commit, (30, 0, 0, 3, 60), commit, gift(3, 0), commit, gift(4, 40 * day), commit];
    let more: Vec<_> = (0..6).flat_map(|n| [gift(n, 60), commit]).collect();
    let (mut table, batches) = written(&[&steps[..], &more].concat(), 1);
    let (folded, _) = fold(&batches);
    let forgets =
        |change: &domain::effects::Change| matches!(change, domain::effects::Change::Limit { limit: None, .. });
    let entries = batches.iter().flat_map(|batch| &batch.entries);
    let forgotten = entries.flat_map(|entry| &entry.verdict.effects.changes).filter(|change| forgets(change)).count();
    assert!(forgotten > 0 && folded.limits().count() < folded.limits_made(), "{forgotten} limits were forgotten");
    let count = |sql: &str| -> i64 {
        Connection::open(table.path()).expect("tables").query_row(sql, [], |row| row.get(0)).expect(sql)
    };
    assert_eq!(count("SELECT count(*) FROM usage WHERE limit_id NOT IN (SELECT id FROM limits)"), 0);
    assert_eq!(count("SELECT count(*) FROM forgotten"), 0);
    assert!(count("SELECT count(*) FROM usage") > 0);
    table.reopen();
    let loaded = table.checkpoint.load(IDS).expect("loaded").state;
    assert_eq!(loaded.differences(&folded, 9), []);
    // As long as its rows are there they are nobody's.
    let stale = "INSERT INTO usage SELECT (SELECT min(i) FROM (SELECT 0 AS i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) \
                 WHERE i NOT IN (SELECT id FROM limits)), 3, 20000, 9, 9, 1";
    Connection::open(table.path()).expect("tables").execute(stale, []).expect("written");
    let loaded = table.checkpoint.load(IDS).expect("loaded").state;
    assert_eq!(loaded.differences(&folded, 9), []);
}

/// However often a server starts, what its engine forgot is dropped from the tables: a count that began anew with each start
/// once kept all of them.
#[test]
fn ids_do_not_pile_up_over_starts() {
    let mut table = Table::new();
    let (mut world, mut ids) = (World::new(), Ids::new(IDS));
    let mut written = 0;
    for start in 0..40_u64 {
        // A start: state, ids and collector are made anew from what is there.
        let head = table.checkpoint.head();
        if head.seq > Seq::ZERO {
            ids = table.checkpoint.load(IDS).expect("loaded").ids;
        }
        let mut collector = Collector::new(head);
        for n in 0..15 {
            world.step(&(0, (start + n) % 6, n % 6, 7, 60));
        }
        world.commit();
        for batch in batches(&world.links).iter().filter(|batch| batch.first_seq > head.seq) {
            collector.add(batch);
            for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
                ids.insert(entry.id, *fingerprint, seq, batch.at);
                written += 1;
            }
        }
        table.checkpoint.write(&collector.take(ids.kept())).expect("written");
        table.reopen();
    }
    let conn = Connection::open(table.path()).expect("tables");
    for name in ["ids", "ussd_ids"] {
        let sql = format!("SELECT sum(length(rows)) / {} FROM {name}", engine::ids::IdRow::LEN);
        let kept: i64 = conn.query_row(&sql, [], |row| row.get(0)).expect("a sum");
        // What is dropped is a whole block: of one write here.
        assert!(0 < kept && kept <= 40 + 15, "{kept} rows of {name}, of {written}");
    }
    let loaded = table.checkpoint.load(IDS).expect("loaded").ids;
    same_ids(&loaded, &ids, &batches(&world.links));
}

/// Each write looks at some rows of pair usage, and goes on where the one before ended, however often a server starts.
#[test]
fn forgotten_usage_of_pairs_goes_however_often_a_server_starts() {
    let (mut table, _) = some();
    let conn = Connection::open(table.path()).expect("tables");
    let change = |sql: &str| conn.execute_batch(sql).expect(sql);
    change("UPDATE meta SET pairs_newest_from = 3, pairs_before_from = 2");
    change(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO usage SELECT (SELECT max(id) FROM limits WHERE subject = 'pair'), (i << 32) + 7777, 0, 1, 1, 1 FROM n",
    );
    let forgotten = || -> i64 {
        let sql = "SELECT count(*) FROM usage WHERE seq < 2 AND subject >> 32 > 0 AND (subject & 0xFFFFFFFF) = 7777";
        conn.query_row(sql, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(forgotten(), 5_000);
    let limits: i64 =
        conn.query_row("SELECT count(*) FROM limits WHERE subject = 'pair'", [], |row| row.get(0)).expect("a count");
    // One write for each limit that has less than a thousand rows, some for the one that has more.
    for _ in 0..limits + 10 {
        table.reopen();
        let nothing = Collector::new(table.checkpoint.head()).take(IdsKept::default());
        table.checkpoint.write(&nothing).expect("written");
    }
    assert_eq!(forgotten(), 0);
}

fn some() -> (Table, State) {
    let steps: Vec<_> = (0..120_u16)
        .map(|n| (u8::try_from(n % 32).expect("small"), u64::from(n) % 6, u64::from(n + 1) % 6, 3 * n + 1, 40_000))
        .collect();
    // Card 3 works again and gives on the last day; then its holder mistypes.
    let steps = [steps, vec![(16, 0, 3, 1, 90_000), (25, 3, 0, 1, 0), (0, 3, 5, 10, 0), (12, 3, 5, 10, 0)]].concat();
    let (table, batches) = written(&steps, 7);
    let (state, _) = fold(&batches);
    (table, state)
}

#[test]
fn anybody_can_read_the_tables_while_they_are_written() {
    let mut world = World::new();
    let mut table = Table::new();
    let mut collector = collector();
    let reader = Connection::open_with_flags(table.path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("tables");
    // A reader in the middle of a query sees one moment, and nobody waits for it.
    let mut before = 0;
    for round in 0..5 {
        batches(&world.links).iter().for_each(|batch| {
            if batch.last_seq() > collector.head().seq {
                collector.add(batch);
            }
        });
        let sum: i64 = reader
            .query_row("SELECT coalesce(sum(balance_minor), 0) FROM accounts", [], |row| row.get(0))
            .expect("a sum");
        assert_eq!(sum, 0, "value comes from nowhere");
        reader.execute_batch("BEGIN").expect("a read");
        let seq: i64 = reader.query_row("SELECT seq FROM meta", [], |row| row.get(0)).expect("a seq");
        assert_eq!(seq, before);
        table.checkpoint.write(&collector.take(IdsKept::default())).expect("written");
        let again: i64 = reader.query_row("SELECT seq FROM meta", [], |row| row.get(0)).expect("a seq");
        assert_eq!(again, seq);
        reader.execute_batch("COMMIT").expect("read");
        before = i64::try_from(table.checkpoint.head().seq.0).expect("small");
        (0..20).for_each(|n| world.step(&(3, n % 6, (n + 1 + round) % 6, 5, 90_000)));
        world.commit();
    }
    let kinds: i64 =
        reader.query_row("SELECT count(DISTINCT kind) FROM accounts", [], |row| row.get(0)).expect("kinds");
    assert_eq!(kinds, 7);
}

#[test]
fn differences_are_found_and_shortened() {
    let (table, state) = some();
    let change = |sql: &str| {
        let changed = Connection::open(table.path()).expect("tables").execute(sql, []).expect(sql);
        assert_eq!(changed, 1, "{sql}");
    };
    change("UPDATE subscribers SET airtime_minor = airtime_minor + 1 WHERE id = 1");
    change("UPDATE subscribers SET recents = x'00000001' WHERE id = 2");
    change("UPDATE cards SET tag = zeroblob(17) WHERE id = 0");
    change("UPDATE cards SET state = 'bound', state_at_ms = NULL, holder = 5 WHERE id = 4");
    change("UPDATE operators SET position_minor = 7");
    change(
        "UPDATE usage SET count = count + 1 WHERE (limit_id, subject) = \
         (SELECT limit_id, subject FROM usage ORDER BY start DESC LIMIT 1)",
    );
    let found = table.checkpoint.compare(&state, 100).expect("compared");
    let facts: Vec<_> = found.iter().map(|difference| format!("{}: {}", difference.row, difference.fact)).collect();
    assert_eq!(
        facts,
        [
            "operator koryolink: position",
            "subscriber 1 (Msisdn(…002)): airtime",
            "subscriber 2 (Msisdn(…003)): recipients",
            "subscriber 4 (Msisdn(…005)): cards",
            "subscriber 5 (Msisdn(…006)): cards",
            "card 00000001: tag",
            "card 00000005: state",
            "usage of limit 0 by 0x3: usage",
        ]
    );
    assert_eq!(table.checkpoint.compare(&state, 2).expect("compared").len(), 2);
    change("DELETE FROM usage WHERE limit_id = 0 AND subject = 3");
    change("DELETE FROM locks WHERE subscriber = 3");
    let found = table.checkpoint.compare(&state, 100).expect("compared");
    let rows: Vec<_> = found.iter().skip(7).map(|difference| difference.row.as_str()).collect();
    assert_eq!(rows, ["usage of limit 0 by 0x3", "lock of subscriber 3 over link 0"]);
    let other = table.checkpoint.compare(&State::default(), 9).expect("compared");
    assert_eq!(other.len(), 1, "as of another entry nothing else is compared: {other:?}");
}

#[test]
fn damage_is_noticed() {
    for (sql, what) in [
        ("DELETE FROM subscribers WHERE id = 2", "a row is missing"),
        ("DELETE FROM subscribers WHERE id = (SELECT max(id) FROM subscribers)", "missing at the end"),
        ("DELETE FROM cards WHERE id = 0", "a row is missing"),
        ("DELETE FROM limits", "no such limit"),
        ("UPDATE cards SET state = 'lost'", "a card's state is none"),
        ("UPDATE cards SET balance_minor = -1", "a card below zero"),
        ("UPDATE cards SET holder = 1000 WHERE id = 0", "no such holder"),
        ("UPDATE cards SET tag = x'00' WHERE id = 0", "a card has no tag"),
        ("UPDATE subscribers SET airtime_minor = -1", "airtime below zero"),
        ("UPDATE subscribers SET airtime_minor = 'much'", "a number is none"),
        ("UPDATE subscribers SET msisdn = 7", "an MSISDN is none"),
        ("UPDATE subscribers SET generation = 70000", "too large"),
        ("UPDATE subscribers SET recents = x'0102' WHERE id = 0", "recipients are none"),
        ("UPDATE subscribers SET language = 'eo'", "a language is none"),
        ("UPDATE operators SET rules = x'00'", "rules are none"),
        ("UPDATE usage SET limit_id = limit_id + 900", "no such limit"),
        ("UPDATE ids SET rows = x'00'", "ids are cut off"),
        ("UPDATE ussd_ids SET rows = x'00'", "ids are cut off"),
        ("UPDATE repeats SET rows = x'00'", "remembered gifts are cut off"),
        ("UPDATE repeats SET rows = zeroblob(33)", "an amount is not positive"),
    ] {
        let (mut table, _) = some();
        Connection::open(table.path()).expect("tables").execute(sql, []).expect(sql);
        match table.checkpoint.load(IDS) {
            Err(CheckpointFault::Damaged(text)) => assert!(text.contains(what), "{sql}: {text}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    let (table, _) = some();
    let version = |version: u32| {
        let conn = Connection::open(table.path()).expect("tables");
        conn.execute("UPDATE meta SET version = ?1", [version]).expect("changed");
    };
    version(7);
    assert!(matches!(SqliteCheckpoint::open(&table.path()), Err(CheckpointFault::Damaged(_))), "of a later Sonmul");
    std::fs::write(
        table.path(),
        "no database at all, but long enough to be read as the header of one: 100 octets of it, or so, or more",
    )
    .expect("written");
    assert!(matches!(SqliteCheckpoint::open(&table.path()), Err(CheckpointFault::Damaged(_))));
}

#[test]
fn a_delta_that_does_not_fit_changes_nothing() {
    let (mut table, state) = some();
    let head = table.checkpoint.head();
    let next = Head { seq: head.seq.next(), ..head };
    let mut delta = Delta { head: next, ..Delta::default() };
    delta.subscribers.push((
        domain::ids::SubscriberId(0),
        engine::checkpoint::SubscriberDelta { latest: Some(next.seq), ..Default::default() },
    ));
    delta.subscribers.push((
        domain::ids::SubscriberId(999),
        engine::checkpoint::SubscriberDelta { latest: Some(next.seq), ..Default::default() },
    ));
    assert!(matches!(table.checkpoint.write(&delta), Err(CheckpointFault::Damaged(_))));
    assert!(matches!(table.checkpoint.write(&Delta::default()), Err(CheckpointFault::Damaged(_))), "an older head");
    assert_eq!(table.checkpoint.head(), head);
    assert_eq!(table.checkpoint.compare(&state, 10).expect("compared"), []);
}
