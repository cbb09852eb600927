//! Damage is named with its place and never dropped in silence.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::rig::{KORYOLINK, World};

/// A journal with an append for each of a dozen entries, whose server has stopped. How many.
fn written(world: &World) -> i64 {
    let served = world.serve();
    world.people(KORYOLINK, 3, 1_000);
    let seq = world.run(&["status", "--json"]).json()["seq"].as_i64().expect("a seq");
    assert_eq!(served.stop().0, 0);
    seq
}

fn segment(world: &World) -> PathBuf {
    world.data.join("journal-000001.sqlite")
}

/// Changes one octet in the middle of an append.
fn flip(world: &World, seq: i64) {
    let conn = Connection::open(segment(world)).expect("opened");
    let sql = "SELECT first_seq, entries FROM appends WHERE first_seq <= ?1 ORDER BY first_seq DESC LIMIT 1";
    let row = conn.query_row(sql, [seq], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let (first, mut entries) = row.expect("an append");
    let middle = entries.len() / 2;
    entries[middle] ^= 1;
    conn.execute("UPDATE appends SET entries = ?2 WHERE first_seq = ?1", (first, entries)).expect("written");
}

#[test]
fn a_damaged_last_entry_refuses_to_start_until_it_is_repaired() {
    let world = World::new();
    let last = written(&world);
    flip(&world, last);
    assert!(world.refuses(4).contains(&format!("seq {last}")));
    assert!(world.run(&["verify"]).failed(4).contains(&format!("seq {last}")));
    // Without --yes it says what it would do.
    let asked = world.run(&["repair"]);
    assert_ne!(asked.code, 0, "{asked:?}");
    assert!(world.refuses(4).contains(&format!("seq {last}")), "nothing was repaired yet");
    let repaired = world.run(&["repair", "--yes"]).ok();
    assert!(repaired.contains(&format!("{last}")), "it lists what was lost: {repaired}");
    let served = world.serve();
    assert_eq!(world.run(&["status", "--json"]).json()["seq"], last - 1);
    assert!(world.run(&["repair", "--yes"]).failed(2).contains("another server"));
    assert_eq!(served.stop().0, 0);
    world.run(&["verify"]).ok();
}

#[test]
fn a_damaged_entry_in_the_middle_is_found() {
    let world = World::new();
    written(&world);
    flip(&world, 3);
    assert!(world.run(&["verify"]).failed(4).contains("seq 3"));
    assert!(world.run(&["journal", "cat"]).failed(4).contains("seq 3"));
    // With the checkpoint gone the whole journal is folded.
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(world.data.join(format!("checkpoint.sqlite{ending}"))));
    }
    assert!(world.refuses(4).contains("seq 3"));
}

#[test]
fn a_journal_that_lost_its_tail_is_refused() {
    let world = World::new();
    let last = written(&world);
    let conn = Connection::open(segment(&world)).expect("opened");
    conn.execute("DELETE FROM appends WHERE first_seq = ?1", [last]).expect("deleted");
    drop(conn);
    let said = world.refuses(4);
    assert!(said.contains("lost its tail") || said.contains("missing"), "{said}");
    world.run(&["verify"]).failed(4);
}

#[test]
fn a_checkpoint_that_says_something_else_is_found_and_rebuilt() {
    let world = World::new();
    written(&world);
    let path = world.data.join("checkpoint.sqlite");
    let conn = Connection::open(&path).expect("opened");
    let changed =
        conn.execute("UPDATE cards SET balance_minor = balance_minor + 1 WHERE rowid = 1", []).expect("changed");
    assert_eq!(changed, 1);
    drop(conn);
    let said = world.run(&["verify"]).failed(4);
    assert!(said.contains("the journal says 1000, the checkpoint 1001"), "{said}");
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(world.data.join(format!("checkpoint.sqlite{ending}"))));
    }
    let served = world.serve();
    assert_eq!(world.balance(1), 1_000);
    assert_eq!(served.stop().0, 0);
    assert!(world.run(&["verify"]).ok().contains("are as the journal says"));
}
