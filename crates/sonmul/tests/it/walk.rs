//! A data directory's whole life, the way its people live it.

use crate::rig::{KORYOLINK, PASSWORD, Phone, World, gift, number, receipt, run, text};

#[test]
fn from_init_to_restore() {
    let world = World::new();
    world.two_people();
    let served = world.serve();
    let profile = world.file("koryolink.toml", KORYOLINK);
    assert!(world.run(&["operator", "load", &profile]).ok().contains("is in force since entry 1"));
    assert_eq!(world.run(&["operator", "list", "--json"]).json()[0]["name"], "koryolink");
    world.people(KORYOLINK, 4, 1_000);

    // A gift, dialled like a phone and with the number as people write it.
    let string = format!("*999*{}#", gift(500, 2));
    let screen = world.run(&["dial", "--from", &number(1), &string]).ok();
    assert!(screen.contains("Sent: 500 won to"), "{screen}");
    let again = world
        .run(&["dial", "--json", "--from", &format!("+850{}", number(1)), &format!("*999*{}#", gift(200, 3))])
        .json();
    assert_eq!(again["ended"], true);
    assert!(again["screen"].as_str().is_some_and(|text| text.contains("The limit is reached")), "{again}");
    assert_eq!(world.balance(1), 500);

    // Care finds it.
    let entry = world.run(&["receipt", &receipt(&screen).to_lowercase(), "--json"]).json();
    assert_eq!(entry["command"]["name"], "gift");
    world.run(&["receipt", "4GT-8X"]).failed(2);
    let history = world.run(&["subscriber", "history", &number(1), "--most", "2", "--json"]).json();
    assert_eq!(history[0]["refusal"]["name"], "limit-reached");
    assert_eq!(history[1]["outcome"], "done");
    let shown = world.run(&["subscriber", "history", &number(2)]).ok();
    assert!(shown.contains("gift 8501911000001 to 8501911000002 500: done, given"), "{shown}");

    // What care may do.
    let one = number(1);
    world.run(&["subscriber", "bar", &one]).ok();
    let barred = world.run(&["dial", "--from", &one, &format!("*999*0*1*{PASSWORD}#")]).ok();
    assert!(barred.contains("barred for this phone"), "{barred}");
    assert!(world.run(&["subscriber", "bar", &one]).failed(1).contains("nothing-to-change"));
    world.run(&["subscriber", "unbar", &one]).ok();
    world.run(&["subscriber", "language", &one, "ko"]).ok();
    world.run(&["card", "freeze", "1"]).ok();
    assert_eq!(world.run(&["card", "show", "00000001", "--json"]).json()["state"], "frozen");
    world.run(&["card", "thaw", "1"]).ok();
    world.by_two(&["card", "void", "4", "--why", "lost"]);
    assert_eq!(world.run(&["card", "show", "4", "--json"]).json()["state"], "void");
    world.run(&["card", "show", "99"]).failed(1);
    world.run(&["card", "show", "4539578763621486"]).failed(2);
    world.run(&["subscriber", "show", "1911009999"]).failed(1);

    let status = world.run(&["status", "--json"]).json();
    assert_eq!((status["subscribers"].as_u64(), status["cards"].as_u64()), (Some(4), Some(4)));
    let verified = world.run(&["verify", "--json"]).json();
    assert_eq!(verified["ok"], true);

    // The journal is read beside the running server, and a backup is made of it.
    let cat = world.run(&["journal", "cat", "--json"]).ok();
    assert_eq!(cat.lines().count() as u64, status["seq"].as_u64().expect("a seq"));
    let middle = world.run(&["journal", "cat", "--from", "3", "--most", "2"]).ok();
    assert_eq!(middle.lines().count(), 2);
    let backup = text(&world.temp.path().join("backup"));
    world.run(&["backup", &backup]).ok();
    let (code, log) = served.stop();
    assert_eq!(code, 0, "{log}");
    assert!(!world.data.join("admin.sock").exists() && !world.data.join("http.addr").exists());

    restored(&world, &backup, verified["head"].as_str().expect("a head"));
}

fn restored(world: &World, backup: &str, head: &str) {
    let restored = World { temp: tempfile::tempdir().expect("a directory"), data: world.temp.path().join("restored") };
    let said = run(&["restore", backup, &text(&restored.data)]).ok();
    assert!(said.contains("tag-1.key"), "it names the keys it needs: {said}");
    assert!(restored.refuses(2).contains("keys"), "without its keys it does not start");
    let keys = restored.data.join("keys");
    std::fs::create_dir(&keys).expect("made");
    std::fs::copy(world.data.join("keys/tag-1.key"), keys.join("tag-1.key")).expect("copied");
    std::fs::copy(world.data.join("aggregator-local.key"), restored.data.join("aggregator-local.key")).expect("copied");
    let served = restored.serve();
    assert!(served.log().contains("paused since a restore"), "{}", served.log());
    assert_eq!(restored.balance(1), 500);
    let screen = Phone::at(&restored.data).dial(2, &gift(300, 3)).expect("answered");
    assert!(screen.contains("Sent: 300 won"), "{screen}");
    restored.run(&["verify", "--anchor", head]).ok();
    let (seq, _) = head.split_once(':').expect("SEQ:HASH");
    let other = format!("{seq}:{}", "0".repeat(64));
    assert!(restored.run(&["verify", "--anchor", &other]).failed(4).contains("built anew"));
    assert_eq!(served.stop().0, 0);
    // What was given since the restore is still told to its recipient, and nothing from before it.
    let mut served = restored.serve_with(&["--resume-followers", "--print-sms"]);
    assert!(served.line().starts_with(&format!("SMS to +850{}: You got 300 won", number(3))));
    assert_eq!(served.stop().0, 0);
}

#[test]
fn a_menu_is_walked_in_the_terminal() {
    let world = World::new();
    let served = world.serve();
    world.people(KORYOLINK, 2, 1_000);
    let one = number(1);
    let walked =
        world.run_with(&["dial", "--from", &one, "*999#"], &format!("1\n{}\n400\n{PASSWORD}\n", number(2))).ok();
    assert!(walked.starts_with("1 Give"), "{walked}");
    assert!(walked.contains("Sent: 400 won"), "{walked}");
    let once = world.run(&["dial", "--once", "--json", "--from", &one, "*999#"]).json();
    assert_eq!(once["ended"], false);
    // The password is asked for when it was left out.
    let asked =
        world.run_with(&["dial", "--from", &number(2), &format!("*999*300*{one}#")], &format!("{PASSWORD}\n")).ok();
    assert!(asked.contains("Enter the card's password") && asked.contains("Sent: 300 won"), "{asked}");
    world.run(&["dial", "--from", &one, "**999*1*2*2#"]).failed(2);
    assert_eq!(served.stop().0, 0);
}

#[test]
fn a_csv_file_is_imported_whole_or_not_at_all() {
    let world = World::new();
    let _served = world.serve();
    let profile = world.file("koryolink.toml", KORYOLINK);
    world.run(&["operator", "load", &profile]).ok();
    let import = |content: &str, more: &[&str]| {
        let file = world.file("people.csv", content);
        world.run(&[&["subscriber", "import", "--operator", "koryolink", &file][..], more].concat())
    };
    let bad = "msisdn,imsi,language,since,airtime_minor\n\
        1911000001,467050000000001,ko,2020-01-31T00:00:00Z,1000\n\
        banana,,,,\n\
        1911000002,12,,,\n\
        1911000003,,fr,,\n\
        1911000004,,,yesterday,\n\
        1911000005,,,,1.5\n\
        1911000001,,,,\n\
        1911000006,,,\n\
        1911000007,,,,\n";
    let said = import(bad, &[]).failed(2);
    for line in [
        "line 3: msisdn",
        "line 4: imsi",
        "line 5: language",
        "line 6: since",
        "line 7: airtime_minor",
        "line 8: msisdn: the same number as in line 2",
        "line 9: it has 4 fields",
        "7 of 9 lines can't be read: nothing was imported",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert_eq!(world.run(&["status", "--json"]).json()["subscribers"], 0);
    let skipped = import(bad, &["--skip-bad", "--json"]).json();
    assert_eq!((skipped["created"].as_u64(), skipped["skipped"].as_array().map(Vec::len)), (Some(2), Some(7)));

    // Many, in commands of 999; again, it changes nothing, and airtime is not given twice.
    let many: String = (0..2_500).map(|n| format!("19200{n:05},7\n")).collect();
    let many = format!("msisdn,airtime_minor\n{many}");
    assert!(import(&many, &[]).ok().starts_with("2500 created, 0 updated"));
    assert!(import(&many, &[]).ok().starts_with("0 created, 0 updated, 2500 as they were"));
    assert_eq!(world.run(&["subscriber", "show", "01920002499", "--json"]).json()["airtime_minor"], 7);

    // What only the server can know is told with its line as well.
    let foreign = import("msisdn\n1911000008\n1951000001\n", &[]).failed(1);
    assert!(foreign.contains("line 3: refused: number-out-of-range"), "{foreign}");
    assert!(import("number\n1\n", &[]).failed(2).contains("line 1: no column is called `number`"));
    assert!(import("1911000008\n", &[]).failed(2).contains("line 1: the first line names the columns"));
    let file = world.file("people.csv", "msisdn\n1911000008\n");
    world.run(&["subscriber", "import", "--operator", "nobody", &file]).failed(1);
}
