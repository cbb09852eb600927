//! SMS over SMPP from the whole server: an SMSC that is away and comes back, receipts down to `sonmul receipt`, the doctor.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use lab::load::smsc::{Smsc, SmscConfig};

use crate::rig::{Phone, WITHIN, World, gift, open_profile, receipt};

const RECEIPTS: SmscConfig = SmscConfig { receipts: true };

/// A world with one SMSC at that address, its password in a file of that mode.
fn world(address: SocketAddr, mode: u32) -> World {
    let world = World::with("sms_retry_wait_ms = 200\n");
    let table = format!(
        "[[smsc]]\nname = \"smsc1\"\nlink = 20\naddress = \"{address}\"\nsystem_id = \"sonmul\"\n\
         password_file = \"smsc1.password\"\noperators = [\"koryolink\"]\nsource = \"Koryolink\"\n"
    );
    world.reconfigure("\n[limits]\n", &format!("\n{table}\n[limits]\n"));
    let file = world.data.join("smsc1.password");
    std::fs::write(&file, "hush-567\n").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("changed");
    world
}

/// What the doctor says of the SMSC, once it says this.
fn doctor_says(world: &World, says: &str) -> String {
    let until = Instant::now() + WITHIN;
    loop {
        let ran = world.run(&["doctor"]);
        let line = ran.out.lines().find(|line| line.contains("smsc1")).map(String::from).unwrap_or_default();
        if line.contains(says) {
            return line;
        }
        assert!(Instant::now() < until, "{ran:?}");
    }
}

/// The SMSC's port, with nobody behind it yet.
fn nobody() -> SocketAddr {
    Smsc::listen(RECEIPTS).expect("a port").address()
}

/// Six gifts of three people; their receipt numbers.
fn give(world: &World) -> Vec<String> {
    world.people(&open_profile(), 3, 1_000);
    assert!(doctor_says(world, "Connection refused").starts_with("BAD"));
    let phone = Phone::at(&world.data);
    let gifts = (1..=3).flat_map(|n| [10, 20].map(|amount| (n, amount)));
    let given = gifts.map(|(n, amount)| {
        let screen = phone.dial(n, &gift(amount, n % 3 + 1)).expect("answered");
        assert!(screen.contains("Sent"), "{screen}");
        receipt(&screen)
    });
    given.collect()
}

/// Waits until the recipient's SMS of that gift is so.
fn settled(world: &World, receipt: &str, state: &str) {
    let until = Instant::now() + WITHIN;
    loop {
        let shown = world.run(&["receipt", receipt, "--json"]).json();
        let messages = shown["sms"].as_array().expect("a list");
        if messages.iter().any(|sms| sms["role"] == "recipient" && sms["state"] == state) {
            return;
        }
        assert!(Instant::now() < until, "{shown}");
    }
}

#[test]
fn gifts_go_on_while_the_smsc_is_away_and_their_sms_follow() {
    let address = nobody();
    let world = world(address, 0o600);
    let served = world.serve();
    let receipts = give(&world);
    settled(&world, &receipts[5], "waiting");
    let smsc = Smsc::listen_at(address, RECEIPTS).expect("the same port");
    receipts.iter().for_each(|receipt| settled(&world, receipt, "delivered"));
    assert!(doctor_says(&world, "bound for").starts_with("ok"));
    let (code, log) = served.stop();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("hush-567"), "{log}");
    // HTTP marked every sender as told, so there are the recipients' six and no more.
    let drained = smsc.drained();
    assert_eq!((drained.submits, drained.unreadable), (6, 0), "{drained:?}");
    // Without a server the doctor binds by itself.
    assert!(doctor_says(&world, "binds as a transceiver").starts_with("ok"));
}

#[test]
fn a_server_killed_while_the_smsc_is_away_loses_no_sms() {
    let address = nobody();
    let world = world(address, 0o600);
    let served = world.serve();
    let receipts = give(&world);
    served.kill();
    let smsc = Smsc::listen_at(address, RECEIPTS).expect("the same port");
    let served = world.serve();
    receipts.iter().for_each(|receipt| settled(&world, receipt, "delivered"));
    assert_eq!(served.stop().0, 0);
    // Marks of what was told died with the server: senders may hear twice, and nobody hears nothing.
    assert!((6..=12).contains(&smsc.drained().submits), "{:?}", smsc.drained());
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    let smsc = Smsc::listen(RECEIPTS).expect("a port");
    let world = world(smsc.address(), 0o644);
    let said = world.refuses(2);
    assert!(said.contains("smsc1.password") && said.contains("chmod 600"), "{said}");
    assert!(doctor_says(&world, "chmod 600").starts_with("BAD"));
    let file = world.data.join("smsc1.password");
    std::fs::remove_file(&file).expect("removed");
    assert!(world.refuses(2).contains("can't be opened"));
    std::fs::write(&file, "nine-char").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("changed");
    let said = world.refuses(2);
    assert!(said.contains("at most 8") && !said.contains("nine-char"), "{said}");
}
