//! SMS out of a running server: what is sent, what care sees, what refuses to start.

use std::time::Instant;

use rusqlite::Connection;
use serde_json::Value;

use crate::rig::{KORYOLINK, Phone, WITHIN, World, gift, number, receipt};

/// The SMS of a receipt, when each of them is in one of these states.
fn settled(world: &World, receipt: &str, states: [&str; 2]) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let shown = world.run(&["receipt", receipt, "--json"]).json();
        let sms = shown["sms"].as_array().cloned().unwrap_or_default();
        if sms.iter().map(|sms| sms["state"].as_str().unwrap_or_default()).eq(states) {
            return sms;
        }
        assert!(began.elapsed() < WITHIN, "{shown}");
    }
}

#[test]
fn a_sender_who_read_the_screen_gets_no_sms_and_care_sees_why() {
    let world = World::with("told_wait_ms = 300\n");
    let mut served = world.serve_with(&["--print-sms"]);
    world.people(KORYOLINK, 2, 1_000);
    let screen = Phone::at(&world.data).dial(1, &gift(500, 2)).expect("answered");
    let receipt = receipt(&screen);
    assert!(served.line().starts_with(&format!("SMS to +850{}: You got 500 won", number(2))));
    let sms = settled(&world, &receipt, ["unconfirmed", "superseded"]);
    assert_eq!((&sms[0]["role"], &sms[0]["attempts"]), (&Value::from("recipient"), &Value::from(1)));
    assert_eq!((&sms[1]["role"], &sms[1]["attempts"]), (&Value::from("sender"), &Value::from(0)));
    let shown = world.run(&["receipt", &receipt]).ok();
    assert!(shown.contains(&format!("SMS to the recipient 850{}: unconfirmed, at ", number(2))), "{shown}");
    assert!(shown.contains(&format!("SMS to the sender 850{}: superseded, at ", number(1))), "{shown}");
    // What the screen did not tell is told by SMS: marks do not outlive the process.
    served.kill();
    let untold = World::with("told_wait_ms = 3_600_000\n");
    let mut served = untold.serve_with(&["--print-sms"]);
    untold.people(KORYOLINK, 2, 1_000);
    Phone::at(&untold.data).dial(1, &gift(500, 2)).expect("answered");
    assert!(served.line().starts_with(&format!("SMS to +850{}: You got 500 won", number(2))));
    assert_eq!(served.stop().0, 0);
    // Its time comes at once now.
    let sms = Connection::open(untold.data.join("sms.sqlite")).expect("a database");
    let changed = sms.execute("UPDATE open SET at_ms = given_at_ms WHERE role = 'sender'", []).expect("changed");
    assert_eq!(changed, 1);
    drop(sms);
    let mut served = untold.serve_with(&["--print-sms"]);
    let line = served.line();
    let expected = format!("SMS to +850{}: You sent 500 won to 0{}", number(1), "191 100 0002");
    assert!(line.starts_with(&expected), "{line}");
    assert!(line.contains("Left on the card: 500 won. Receipt "), "{line}");
    assert_eq!(served.stop().0, 0);
}

#[test]
fn without_an_smsc_only_the_cursor_moves() {
    let world = World::new();
    let served = world.serve();
    world.people(KORYOLINK, 2, 1_000);
    let screen = Phone::at(&world.data).dial(1, &gift(500, 2)).expect("answered");
    let shown = world.run(&["receipt", &receipt(&screen), "--json"]).json();
    assert_eq!(shown["sms"], Value::Array(Vec::new()));
    let seq = shown["seq"].as_i64().expect("a seq");
    assert_eq!(served.stop().0, 0);
    let sms = Connection::open(world.data.join("sms.sqlite")).expect("a database");
    let cursor: i64 = sms.query_row("SELECT seq FROM cursor", [], |row| row.get(0)).expect("a cursor");
    let rows: i64 = sms.query_row("SELECT count(*) FROM sms", [], |row| row.get(0)).expect("a view");
    assert_eq!((cursor, rows), (seq, 0));
}

#[test]
fn a_database_that_can_not_be_right_refuses_to_start() {
    let world = World::new();
    assert_eq!(world.serve().stop().0, 0);
    let path = world.data.join("sms.sqlite");
    let change = |sql: &str| Connection::open(&path).expect("a database").execute_batch(sql).expect("changed");
    change("UPDATE cursor SET seq = 1000");
    assert!(world.refuses(4).contains("SMS were sent up to entry 1000, the journal ends at 0: it lost its tail"));
    change("UPDATE cursor SET seq = -1");
    assert!(world.refuses(4).contains("sms.sqlite: its cursor is below zero"));
    change("PRAGMA application_id = 7");
    assert!(world.refuses(4).contains("sms.sqlite: it is no database of SMS: move it away"));
    std::fs::write(&path, "no database at all, but long enough to be looked at".repeat(100)).expect("written");
    assert!(world.refuses(4).contains("sms.sqlite: "));
    // Moved away: a new one begins at the head.
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(world.serve().stop().0, 0);
}
