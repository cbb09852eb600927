//! A clock that can't be trusted closes intake until somebody looks at it: one jump would pin every later date.

use domain::command::{Body, ChangeSubscriber, Command, SubscriberChange};
use domain::id::CommandId;
use domain::ids::Staff;
use domain::number::Msisdn;
use domain::time::Timestamp;
use engine::decider::{Decider, Submission};
use engine::ids::IdsConfig;
use engine::journal::Journal;
use engine::recover::recover;
use store::{DataDir, JournalConfig, SqliteCheckpoint, SqliteJournal};

use crate::rig::{KORYOLINK, Phone, World};

/// Writes an entry that was decided then, as a server with that clock would have.
fn entry_at(world: &World, at: &str) {
    let dir = DataDir::open(&world.data).expect("locked");
    let config = JournalConfig { wal_prewritten_bytes: 0, disk_reserve_bytes: 0, ..JournalConfig::default() };
    let (mut journal, reader) = SqliteJournal::open(&dir, config).expect("opened");
    let mut checkpoint = SqliteCheckpoint::open(&dir.checkpoint()).expect("opened");
    let loaded =
        recover(&mut checkpoint, &reader, journal.head(), IdsConfig::of_each(1_000), &mut |_| {}).expect("folded");
    let msisdn = Msisdn::parse("8501911000001").expect("a number");
    let change = ChangeSubscriber { staff: Staff(0), msisdn, change: SubscriberChange::Bar };
    let body = Body::ChangeSubscriber(change);
    let command = Command { id: CommandId::internal(9, 1), decide_before: Timestamp::MAX, body };
    let at = Timestamp::parse(at).expect("an instant");
    let pending = Decider::new(loaded).decide(at, vec![Submission::new(command)]);
    journal.append(&pending.link.expect("an entry")).expect("durable");
}

fn load(world: &World) -> crate::rig::Ran {
    let profile = world.file("koryolink.toml", KORYOLINK);
    world.run(&["operator", "load", &profile])
}

#[test]
fn after_a_gap_intake_waits_for_staff() {
    let world = World::new();
    entry_at(&world, "2016-11-22T10:00:00Z");
    let served = world.serve();
    assert!(load(&world).failed(3).contains("clock"));
    let status = world.run(&["status", "--json"]);
    assert_eq!(status.json()["closed"], "clock");
    assert_eq!(status.code, 3);
    world.run(&["status", "--accept-clock"]).ok();
    load(&world).ok();
    assert_eq!(served.stop().0, 0);
    // From here on the latest entry is a moment old.
    let served = world.serve();
    load(&world).ok();
    assert_eq!(served.stop().0, 0);
}

#[test]
fn a_clock_that_was_set_to_2036_pins_nothing_in_silence() {
    let world = World::new();
    entry_at(&world, "2036-02-07T06:28:16Z");
    let served = world.serve();
    assert!(load(&world).failed(3).contains("clock"));
    let (code, log) = served.stop();
    assert_eq!(code, 0, "{log}");
    let served = world.serve_with(&["--accept-clock"]);
    load(&world).ok();
    world.people(KORYOLINK, 1, 100);
    assert!(Phone::at(&world.data).dial(1, "").expect("answered").starts_with("CON "));
    assert_eq!(served.stop().0, 0);
}
