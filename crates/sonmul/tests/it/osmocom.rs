//! docs/operating/osmocom.md, followed to the letter: its hlr.cfg, its `[[hlr]]` table, its dials, through Debian's
//! osmo-hlr. Only addresses are other ones, so that tests run side by side.

use std::net::Ipv4Addr;

use lab::load::osmo::OsmoHlr;

use crate::rig::{KORYOLINK, WITHIN, World, run, run_with};

const PAGE: &str = include_str!("../../../../docs/operating/osmocom.md");

/// The page's code block of that language that has this in it.
fn block(language: &str, has: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut blocks = PAGE.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(has)).expect("a block of the page")
}

/// A world whose server is connected to a fresh HLR; `change` sees the `[[hlr]]` table.
async fn start(change: impl FnOnce(String) -> String) -> (OsmoHlr, World) {
    let world = World::new();
    let subscribers = [1, 2].map(|n| (format!("90170000000000{n}"), Some(format!("850191100000{n}"))));
    let cfg = |address: Ipv4Addr| block("text", "euse").replace("127.0.0.1", &address.to_string());
    let hlr = OsmoHlr::start_with(world.temp.path(), &subscribers, cfg).await.unwrap_or_else(|error| panic!("{error}"));
    let table = change(block("toml", "[[hlr]]").replace("127.0.0.1", &hlr.gsup.ip().to_string()));
    world.reconfigure("\n[limits]\n", &format!("\n{table}\n[limits]\n"));
    (hlr, world)
}

/// Asks the doctor until it says this of the HLR.
fn doctor_says(world: &World, code: i32, says: &str) {
    let until = std::time::Instant::now() + WITHIN;
    loop {
        let ran = world.run(&["doctor"]);
        let line = ran.out.lines().find(|line| line.contains("hlr1")).map(String::from).unwrap_or_default();
        if line.contains(says) && ran.code == code {
            return;
        }
        assert!(std::time::Instant::now() < until, "{ran:?}");
    }
}

#[tokio::test]
async fn a_newcomer_sees_a_dial_answered() {
    let (mut hlr, world) = start(|table| table).await;
    doctor_says(&world, 3, "takes EUSE-airtime");
    let served = world.serve();
    let profile = world.file("koryolink.toml", KORYOLINK);
    world.run(&["operator", "load", &profile]).ok();
    let people = world.file(
        "subscribers.csv",
        block("console", "subscribers.csv").split_once("csv\n").expect("lines").1.split_once("$ ").expect("an end").0,
    );
    let imported = world.run(&["subscriber", "import", "--operator", "koryolink", &people]).ok();
    assert_eq!(imported, "2 created, 0 updated, 0 as they were\n");
    let (card, password) = world.card(1_000);
    doctor_says(&world, 0, "registered for");

    let gsup = hlr.gsup.to_string();
    let dial = |string: &str| run(&["dial", "--msc", &gsup, "--imsi", "901700000000001", string]);
    let bound = dial(&format!("*999*0*4*{card}*{password}#")).ok();
    assert!(bound.starts_with("Card 00000001 is bound to this phone. It holds 1000 won."), "{bound}");
    let given = dial(&format!("*999*500*1911000002*{password}#")).ok();
    assert!(given.starts_with("Sent: 500 won to 0191 100 0002.\nLeft on the card: 500 won\nReceipt "), "{given}");
    for alias in [format!("*#999*{password}#"), format!("*999*0*1*{password}#")] {
        let cards = dial(&alias).ok();
        assert!(cards.contains("Card 00000001: 500 won"), "{cards}");
    }
    let menu = ["dial", "--msc", &gsup, "--imsi", "901700000000001", "*999#"];
    let walked = run_with(&menu, &format!("3\n{password}\n")).ok();
    assert!(walked.contains("Enter the card's password.") && walked.ends_with("Card 00000001: 500 won\n"), "{walked}");
    assert!(dial("*998#").failed(1).contains("no route for this string"));

    // The log of neither has what was dialled.
    for log in [hlr.log(), served.log()] {
        assert!(!log.contains(&password) && !log.contains(&card), "{log}");
    }
    hlr.kill();
    doctor_says(&world, 3, "can't connect to the HLR");
    assert!(dial("*999#").failed(3).contains("Connection refused"));
    hlr.start_again().await.expect("starts");
    doctor_says(&world, 0, "registered for");
    assert_eq!(world.balance(1), 500);
    assert_eq!(served.stop().0, 0);
    assert!(dial("*999#").failed(3).contains("nobody is there"));
}

#[tokio::test]
async fn a_name_that_hlr_cfg_does_not_have() {
    let (hlr, world) = start(|table| table.replace("euse = \"airtime\"", "euse = \"airtme\"")).await;
    let served = world.serve();
    // OsmoHLR registers any name: only a dial shows it. (1: no operator is loaded.)
    doctor_says(&world, 1, "registered for");
    let dialled = run(&["dial", "--msc", &hlr.gsup.to_string(), "--imsi", "901700000000001", "*999#"]);
    assert!(dialled.failed(3).contains("nobody is there"));
    drop(served);
}
