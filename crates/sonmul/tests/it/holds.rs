//! Gifts that wait before they are posted, on real phones and over a restart.

use crate::rig::{PASSWORD, Phone, Served, World, gift, number, open_profile, receipt, until};

/// Gifts to somebody new wait so long, seconds.
const HOLD_S: u64 = 3;

fn profile() -> String {
    format!("{}hold = {{ gifts = \"new-recipient\", for_s = {HOLD_S} }}\n", open_profile())
}

fn airtime(world: &World, n: u32) -> i64 {
    world.run(&["subscriber", "show", &number(n), "--json"]).json()["airtime_minor"].as_i64().expect("a number")
}

/// Waits until the phone has this much.
fn until_airtime(world: &World, n: u32, minor: i64) {
    until(|| airtime(world, n) == minor);
}

/// The SMS that tells this, among those printed.
fn sms(served: &mut Served, to: u32) -> String {
    let head = format!("SMS to +850{}: ", number(to));
    loop {
        let line = served.line();
        if let Some(text) = line.strip_prefix(&head) {
            return String::from(text);
        }
    }
}

#[test]
fn a_gift_to_somebody_new_can_be_undone_until_it_is_posted() {
    let world = World::new();
    let mut served = world.serve_with(&["--print-sms"]);
    world.people(&profile(), 3, 1_000);
    let phone = Phone::at(&world.data);
    let dial = |n, text: &str| phone.dial(n, text).expect("answered");

    let screen = dial(1, &gift(200, 2));
    assert!(screen.contains("On hold: 200 won to") && screen.contains("*999*0*6*"), "{screen}");
    let held = receipt(&screen);
    assert_eq!((world.balance(1), airtime(&world, 2)), (800, 0));
    assert_eq!(world.run(&["gift", "show", &held, "--json"]).json()["stage"], "on-hold");
    let refused = world.run(&["gift", "reverse", &held, "--reason", "wrong phone"]).failed(1);
    assert!(refused.contains("not-a-gift"), "{refused}");
    let screen = dial(1, &format!("0*6*{PASSWORD}"));
    assert!(screen.contains("Undone: 200 won"), "{screen}");
    assert_eq!((world.balance(1), airtime(&world, 2)), (1_000, 0));
    assert!(dial(1, &format!("0*6*{PASSWORD}")).contains("nothing to undo"));
    assert_eq!(world.run(&["gift", "show", &held, "--json"]).json()["stage"], "taken-back");

    // Not undone: posted by a timer, and only then told.
    let screen = dial(1, &gift(300, 2));
    let posted = receipt(&screen);
    until_airtime(&world, 2, 300);
    let text = sms(&mut served, 2);
    assert!(text.starts_with("You got 300 won") && text.contains(&posted), "{text}");
    assert!(dial(1, &format!("0*6*{PASSWORD}")).contains("nothing to undo"));
    let last = dial(1, "4");
    assert!(!last.contains("200 won"), "what was undone was not given: {last}");
    // No stranger any more: posted at once.
    assert!(dial(1, &gift(100, 2)).contains("Sent: 100 won"));

    // A restart between the two, and the gift is posted all the same.
    assert!(dial(1, &gift(150, 3)).contains("On hold: 150 won"));
    assert_eq!(served.stop().0, 0);
    let _served = world.serve();
    until_airtime(&world, 3, 150);
    let shown = world.run(&["gift", "show", &posted, "--json"]).json();
    assert_eq!((shown["stage"].as_str(), shown["reversible_minor"].as_i64()), (Some("posted"), Some(300)), "{shown}");
    // Whoever has the number by then: it is taken back from the one who got it.
    let number = crate::rig::number(2);
    world.run(&["subscriber", "release", &number]).ok();
    let file = world.file("again.csv", &format!("msisdn,language\n{number},en\n"));
    world.run(&["subscriber", "import", "--operator", "koryolink", &file]).ok();
    assert_eq!(airtime(&world, 2), 0, "the next holder has nothing");
    let shown = world.run(&["gift", "show", &posted, "--json"]).json();
    assert_eq!(shown["reversible_minor"].as_i64(), Some(300), "{shown}");
    world.run(&["check"]).ok();
}
