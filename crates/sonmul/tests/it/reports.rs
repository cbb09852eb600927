//! Reports, proposed rules and the daily check, beside a server and without one.

use std::io::Read;
use std::path::Path;

use rusqlite::Connection;

use crate::rig::{Phone, WITHIN, World, gift, open_profile, text, until};

/// A server's world with three gifts of today, and which month today is.
fn gifts() -> (World, String) {
    let world = World::new();
    let served = world.serve();
    world.people(&open_profile(), 3, 1_000);
    let phone = Phone::at(&world.data);
    for (from, amount, to) in [(1, 500, 2), (2, 300, 3), (1, 40, 3)] {
        let screen = phone.dial(from, &gift(amount, to)).expect("answered");
        assert!(screen.contains(&format!("Sent: {amount} won")), "{screen}");
    }
    let screen = phone.dial(3, &gift(501, 1)).expect("answered");
    assert!(!screen.contains("Sent"), "{screen}");
    assert_eq!(served.stop().0, 0);
    // As the journal has it: whoever runs this at midnight has a date of their own.
    let cat = world.run(&["journal", "cat", "--json"]).ok();
    let last: serde_json::Value = serde_json::from_str(cat.lines().last().expect("an entry")).expect("JSON");
    let date = last["effects"]["date"].as_str().unwrap_or_else(|| panic!("a business date: {last}"));
    let month = String::from(date.get(..7).expect("a month"));
    (world, month)
}

#[test]
fn a_month_as_tables_and_files() {
    let (world, month) = gifts();
    let of = |more: &[&str]| world.run(&[&["report", "--operator", "koryolink", "--month", &month][..], more].concat());
    let shown = of(&[]).ok();
    for word in ["trial-balance", "fee-income", "liabilities-totals", "gifts", "amount-above-maximum", "breakage"] {
        assert!(shown.contains(word), "{word}\n{shown}");
    }
    let json = of(&["gifts", "--json"]).json();
    let rows = json["reports"]["gifts"].as_array().expect("rows").clone();
    let sum: i64 = rows.iter().map(|row| row["amount_minor"].as_i64().expect("an amount")).sum();
    assert_eq!((sum, json["over"].as_bool()), (840, Some(false)));

    let out = text(&world.temp.path().join("reports"));
    let listed = of(&["all", "--out", &out]).ok();
    assert_eq!(listed.lines().count(), 7, "{listed}");
    let csv =
        std::fs::read_to_string(Path::new(&out).join(format!("koryolink-{month}-liabilities.csv"))).expect("a file");
    assert_eq!(csv.lines().count(), 4, "a head and three cards: {csv}");
    of(&["all", "--format", "parquet", "--out", &out]).ok();
    let mut magic = [0; 4];
    let parquet = Path::new(&out).join(format!("koryolink-{month}-gifts.parquet"));
    std::fs::File::open(parquet).expect("a file").read_exact(&mut magic).expect("read");
    assert_eq!(&magic, b"PAR1");
    let charts = of(&["all", "--format", "svg", "--out", &out]).ok();
    assert_eq!(charts.lines().count(), 2, "no money was taken: {charts}");
    assert!(of(&["gifts", "--format", "svg"]).ok().starts_with("<svg"));

    // What there is not.
    assert!(of(&["breakage", "--format", "svg"]).failed(2).contains("no chart"));
    assert!(of(&["all", "--format", "csv"]).failed(2).contains("--out"));
    assert!(world.run(&["report", "--operator", "nobody", "--month", &month]).failed(1).contains("koryolink"));
    world.run(&["report", "--operator", "koryolink", "--month", "november"]).failed(2);
}

#[test]
fn proposed_rules_on_a_month() {
    let (world, month) = gifts();
    let limit = "[[period.limit]]\nname = \"once\"\nkind = \"gift\"\nsubject = \"sender\"\nmeasure = \"count\"\nceiling = 1\n\
                 window = \"business-day\"\n";
    let later = "[[period]]\nname = \"later\"\nfrom = 2090-01-01\namount_max = 100\nrefusals_per_day = 0\nage_days_min = 0\n\
                 gift_fee = { flat = 3 }\n";
    let file = world.file("proposed.toml", &format!("{}{limit}{later}", open_profile()));
    let of = |more: &[&str]| {
        let args = ["what-if", &file, "--operator", "koryolink", "--month", &month];
        world.run(&[&args[..], more].concat())
    };
    let tried = of(&["--json"]).json();
    assert_eq!(tried["gifts"], 3, "{tried}");
    assert_eq!(
        (tried["refusals"][0]["detail"].as_str(), tried["refused_amount_minor"].as_i64()),
        (Some("once"), Some(40))
    );
    let later = of(&["--period", "later", "--json"]).json();
    assert_eq!((later["refused"].as_i64(), later["other_fee"].as_i64()), (Some(2), Some(1)), "{later}");
    let shown = of(&[]).ok();
    assert!(shown.contains("1 of 3 gifts would have been refused, 40 won of 840 won"), "{shown}");
    assert!(of(&["--period", "never"]).failed(2).contains("there are: open, later"));
    // The journal is as it was.
    world.run(&["verify"]).ok();
}

#[test]
fn the_daily_check_finds_a_checkpoint_that_says_something_else() {
    let (world, _) = gifts();
    let checked = world.run(&["check", "--json"]).json();
    assert_eq!((checked["ok"].as_bool(), checked["units"][0]["issued_minor"].as_i64()), (Some(true), Some(3_000)));
    assert_eq!(checked["units"][0]["found_minor"], 3_000);
    assert!(world.run(&["check"]).ok().contains("the books agree"));
    let conn = Connection::open(world.data.join("checkpoint.sqlite")).expect("opened");
    conn.execute("UPDATE cards SET balance_minor = balance_minor + 1 WHERE rowid = 1", []).expect("changed");
    drop(conn);
    let said = world.run(&["check"]).failed(4);
    assert!(said.contains("card 00000002: the journal says 700, the checkpoint 701"), "{said}");
    assert_eq!(world.run(&["check", "--json"]).out.matches("\"ok\":false").count(), 1);
    // Nobody is there to stop anything, which is said and changes nothing about the end.
    let said = world.run(&["check", "--stop"]).failed(4);
    assert!(said.contains("issuance of koryolink could not be stopped"), "{said}");
}

#[test]
fn the_check_goes_on_from_what_it_signed_and_says_why_when_it_does_not() {
    let (world, _) = gifts();
    let state = world.data.join("checked.state");
    let check = |args: &[&str]| world.run(&[&["check", "--json"], args].concat());
    let first = check(&[]).json();
    assert_eq!((&first["ok"], &first["from"]), (&true.into(), &0.into()), "{first}");
    let mode = |path: &Path| std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("a file").permissions());
    assert_eq!([&state, &world.data.join("check.key")].map(|path| mode(path) & 0o777), [0o600; 2]);
    let again = check(&[]).json();
    assert_eq!(again["from"], first["seq"], "nothing has happened since");
    let full = check(&["--full"]).json();
    assert_eq!(full["from"], 0);
    for key in ["seq", "at", "units", "checkpoint_accounts", "differences"] {
        assert_eq!((&again[key], &full[key]), (&first[key], &first[key]), "{key}");
    }
    assert!(world.run(&["check"]).ok().contains("they were checked before"));

    let octets = std::fs::read(&state).expect("a state");
    let mut damaged = octets.clone();
    damaged[octets.len() / 2] ^= 1;
    let mut older = octets.clone();
    older[15] = 0;
    for (octets, why) in [(&damaged, "is damaged"), (&older, "has format 0")] {
        std::fs::write(&state, octets).expect("written");
        let ran = check(&[]);
        assert!(ran.err.contains(why) && ran.err.contains("all of the journal is folded"), "{ran:?}");
        assert_eq!((ran.code, &ran.json()["from"]), (0, &0.into()));
        assert_eq!(check(&[]).json()["from"], first["seq"], "and it is signed again");
    }
    // Another key: what the old one signed is nobody's.
    std::fs::remove_file(world.data.join("check.key")).expect("removed");
    let ran = check(&[]);
    assert!(ran.err.contains("another key signed it") && ran.json()["from"] == 0, "{ran:?}");
    // A key that others can read signs nothing, and the check is made all the same.
    let key = world.data.join("check.key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("changed");
    let ran = check(&[]);
    assert!(ran.err.contains("is not signed") && ran.code == 0 && ran.json()["from"] == 0, "{ran:?}");
}

#[test]
fn the_server_checks_its_books_and_stops_issuing_when_they_differ() {
    let world = World::with("check_every_s = 1\ncheckpoint_interval_ms = 100\n");
    let served = world.serve();
    world.people(&open_profile(), 2, 1_000);
    until(|| served.log().contains("the books agree"));
    let conn = Connection::open(world.data.join("checkpoint.sqlite")).expect("opened");
    conn.busy_timeout(WITHIN).expect("patient");
    conn.execute("UPDATE cards SET balance_minor = balance_minor + 1 WHERE rowid = 1", []).expect("changed");
    drop(conn);
    until(|| served.log().contains("issuance of koryolink is stopped"));
    let stopped = world.run(&["operator", "stopped", "--json"]).json();
    assert!(stopped[0]["why"].as_str().is_some_and(|why| why.contains("the checkpoint 1001")), "{stopped}");
    let refused = world.run(&["card", "issue", "--operator", "koryolink", "--value", "500"]).failed(1);
    assert!(refused.contains("issuance-stopped"), "{refused}");
    // Gifts go on, and a person has it resumed.
    let screen = Phone::at(&world.data).dial(1, &gift(100, 2)).expect("answered");
    assert!(screen.contains("Sent: 100 won"), "{screen}");
    world.run(&["operator", "resume", "koryolink"]).ok();
}
