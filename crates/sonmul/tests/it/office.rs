//! What the office keeps: over a restart from the checkpoint, and where its secrets are.

use serde_json::{Value, json};

use crate::rig::{PASSWORD, Phone, World, gift, number, open_profile, receipt, run};

/// Kinds of which something stays until somebody changes it.
const LASTING: [&str; 6] = ["outlet", "batch", "rates", "void-cards", "reversed", "stopped"];
/// Kinds that fall due.
const DUE: [&str; 3] = ["quote", "call", "hold"];

/// Gifts wait, so that some of them wait during a restart.
fn profile() -> String {
    format!("{}hold = {{ gifts = \"new-recipient\", for_s = 600 }}\n", open_profile())
}

fn kept(world: &World, kinds: &[&str]) -> Vec<Value> {
    let shown = |kind: &&str| {
        let words = match *kind {
            "outlet" => ["outlet", "list"],
            "batch" => ["batch", "list"],
            "rates" => ["rate", "list"],
            "quote" => ["till", "quotes"],
            "call" => ["call", "list"],
            "hold" => ["gift", "held"],
            "stopped" => ["operator", "stopped"],
            other => return over_the_socket(world, other),
        };
        world.run(&[words[0], words[1], "--json"]).json()
    };
    kinds.iter().map(shown).collect()
}

/// A list that no word of the command line shows.
fn over_the_socket(world: &World, kind: &str) -> Value {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(world.data.join("admin.sock")).expect("a server");
    write!(stream, "GET /v1/office/{kind} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

/// An outlet that sells cards, a batch, a void row, a reversed gift, a stop; and what falls due.
fn business(world: &World) {
    world.people(&profile(), 3, 1_000);
    world.by_two(&["rate", "propose", "--operator", "koryolink", "usd", "--pay", "5", "--for", "500"]);
    world.run(&["outlet", "open", "--operator", "koryolink", "Kwangbok"]).ok();
    world.run(&["outlet", "deposit", "1", "100", "usd"]).ok();
    let key = world.temp.path().join("printer.key");
    let key = key.to_str().expect("UTF-8");
    let recipient = run(&["batch", "key", key]).ok();
    let produce = ["batch", "produce", "--operator", "koryolink", "--value", "500", "--count", "1300", "--no-sheets"];
    let sealed = world.run(&[&produce[..], &["--to", recipient.trim()]].concat()).ok();
    assert!(sealed.contains("1300 cards, serials 00000004 to 00001303"), "{sealed}");
    world.run(&["batch", "stock", "4", "203", "--outlet", "1"]).ok();
    world.by_two(&["card", "void", "204", "--to", "1303", "--why", "lost"]);
    let quoted = world.run(&["till", "quote", "--outlet", "1", "usd", "4"]).ok();
    let quote = quoted.split([' ', ':']).nth(1).expect("a number");
    world.run(&["till", "sell", quote]).ok();
    world.run(&["till", "quote", "--outlet", "1", "usd", "5", "--count", "2"]).ok();
    let phone = Phone::at(&world.data);
    phone.dial(2, &format!("0*5*100*{PASSWORD}")).expect("answered");
    world.run(&["call", "reserve", &number(2), "--seconds", "120"]).ok();
    let held = phone.dial(1, &gift(200, 2)).expect("answered");
    assert!(held.contains("On hold"), "{held}");
    let undone = phone.dial(1, &format!("0*6*{PASSWORD}")).expect("answered");
    assert!(undone.contains("Undone"), "{undone}");
    assert!(phone.dial(1, &gift(300, 3)).expect("answered").contains("On hold"));
    world.run(&["operator", "stop", "koryolink", "--why", "counting"]).ok();
    assert!(!receipt(&held).is_empty());
}

#[test]
fn what_the_office_keeps_is_there_after_a_restart_from_the_checkpoint() {
    let world = World::with("checkpoint_interval_ms = 100\n");
    world.two_people();
    let served = world.serve();
    business(&world);
    let all: Vec<&str> = LASTING.iter().chain(&DUE).copied().collect();
    let before = kept(&world, &all);
    for (kind, list) in all.iter().zip(&before) {
        assert!(list.as_array().is_some_and(|list| !list.is_empty()), "no {kind}: {list}");
    }
    let card = world.run(&["card", "show", "4", "--json"]).json();
    assert_eq!(card["bought"]["price_minor"], 500, "{card}");
    let map = world.run(&["card", "map", "4", "1303", "--json"]).json();
    assert_eq!(served.stop().0, 0);
    // Stopping writes the checkpoint: every row of it is what the journal says, and the next start folds nothing else.
    let checked = world.run(&["check", "--json"]).json();
    assert!(checked["checkpoint_accounts"].as_u64().is_some_and(|accounts| accounts > 1_300), "{checked}");
    let _served = world.serve();
    assert_eq!(kept(&world, &all), before);
    let mut again = world.run(&["card", "show", "4", "--json"]).json();
    again["seq"] = card["seq"].clone();
    assert_eq!(again, card);
    assert_eq!(world.run(&["card", "map", "4", "1303", "--json"]).json(), map);
    assert_eq!(map[1], json!({ "state": "sold", "cards": 1, "balance_minor": 500 }), "{map}");
    assert_eq!(map[2], json!({ "state": "void", "cards": 1_100, "balance_minor": 0 }), "{map}");
}

#[test]
fn the_secrets_of_a_batch_are_in_its_file_alone() {
    let world = World::new();
    let served = world.serve_with(&["--log", "trace"]);
    let profile = world.file("koryolink.toml", &open_profile());
    world.run(&["operator", "load", &profile]).ok();
    let key = world.temp.path().join("printer.key");
    let recipient = run(&["batch", "key", key.to_str().expect("UTF-8")]).ok();
    let produce = ["batch", "produce", "--operator", "koryolink", "--value", "500", "--count", "20"];
    world.run(&[&produce[..], &["--to", recipient.trim()]].concat()).ok();
    let out = world.temp.path().join("out");
    let (file, out) = (world.data.join("batches/1.age"), out.to_str().expect("UTF-8"));
    let file = file.to_str().expect("UTF-8");
    run(&["batch", "open", file, "--key", key.to_str().expect("UTF-8"), "--into", out]).ok();
    let table = std::fs::read_to_string(format!("{out}/cards-0001.csv")).expect("read");
    let cards: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(cards.len(), 20);
    let (code, log) = served.stop();
    assert_eq!(code, 0, "{log}");
    for card in &cards {
        assert!(!log.contains(card[1]), "a number is in the log");
    }
    let mut files = 0;
    for dir in [world.data.clone(), world.data.join("batches")] {
        for entry in std::fs::read_dir(dir).expect("read").map(|entry| entry.expect("read").path()) {
            let Ok(octets) = std::fs::read(&entry) else { continue };
            files += 1;
            for secret in cards.iter().flat_map(|card| [card[1], card[2]]) {
                let plain = octets.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!plain, "{secret} is in {}", entry.display());
            }
        }
    }
    assert!(files > 4, "{files} files were read");
}
