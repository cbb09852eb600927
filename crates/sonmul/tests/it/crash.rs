//! `kill -9` while phones dial: nothing that a phone was told is lost, and what is asked again is answered the same.

use std::collections::HashSet;
use std::sync::mpsc::channel;

use crate::rig::{Phone, WITHIN, World, gift, open_profile, receipt};

/// Phones that dial at the same time.
const PHONES: u32 = 4;
/// Answers after which the server is killed.
const ANSWERS: usize = 60;

/// A dial that was answered.
struct Answered {
    phone: u32,
    session: String,
    text: String,
    screen: String,
}

#[test]
fn nothing_acknowledged_is_lost() {
    let world = World::new();
    let mut served = world.serve();
    world.people(&open_profile(), PHONES + 1, 1_000_000);
    let mut all: Vec<Answered> = Vec::new();
    for round in 0..3 {
        all.extend(load_and_kill(&world, served, round));
        served = world.serve();
        check(&world, &all);
    }
    assert_eq!(served.stop().0, 0);
    assert!(world.run(&["verify"]).ok().contains("accounts of the checkpoint"));
}

fn load_and_kill(world: &World, served: crate::rig::Served, round: u32) -> Vec<Answered> {
    let (tell, answers) = channel();
    let loaders: Vec<_> = (1..=PHONES)
        .map(|phone| {
            let (tell, edge) = (tell.clone(), Phone::at(&world.data));
            std::thread::spawn(move || {
                for n in 0.. {
                    let session = format!("{round}-{phone}-{n}");
                    let text = gift(1 + n % 100, PHONES + 1);
                    let Some(screen) = edge.send(phone, &session, &text) else { return };
                    if tell.send(Answered { phone, session, text, screen }).is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    drop(tell);
    let mut got: Vec<Answered> = (0..ANSWERS).map(|_| answers.recv_timeout(WITHIN).expect("answered")).collect();
    served.kill();
    // What came in between was acknowledged as well.
    got.extend(answers.iter());
    for loader in loaders {
        loader.join().expect("ends");
    }
    got
}

fn check(world: &World, all: &[Answered]) {
    let cat = world.run(&["journal", "cat", "--json"]).ok();
    let journaled: HashSet<String> = cat
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter(|entry| entry["command"]["name"] == "gift" && entry["outcome"] == "done")
        .map(|entry| String::from(entry["receipt"].as_str().expect("a receipt")))
        .collect();
    for answered in all {
        assert!(answered.screen.contains("Sent: "), "{}", answered.screen);
        assert!(journaled.contains(&receipt(&answered.screen)), "{} is lost", receipt(&answered.screen));
    }
    let edge = Phone::at(&world.data);
    for answered in all.iter().rev().take(ANSWERS) {
        let again = edge.send(answered.phone, &answered.session, &answered.text).expect("answered");
        assert_eq!(again, answered.screen, "the same session and content, the same verdict");
    }
    let after = world.run(&["journal", "cat", "--json"]).ok();
    assert_eq!(cat.lines().count(), after.lines().count(), "nothing was done twice");
}
