//! Mistakes of people: each is named, and nothing happens in silence.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use crate::rig::{KORYOLINK, World, run, text};

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let world = World::new();
    let first = world.serve();
    assert!(world.refuses(2).contains("another server is running"));
    // The first one did not notice.
    assert_eq!(world.run(&["status", "--json"]).json()["seq"], 0);
    assert_eq!(first.stop().0, 0);
    assert_eq!(world.serve().stop().0, 0);
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let world = World::new();
    let mode = |mode: u32| {
        let path = world.data.join("keys/tag-1.key");
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("changed");
    };
    for open in [0o640, 0o604, 0o660] {
        mode(open);
        assert!(world.refuses(2).contains("chmod 600"), "{open:o}");
    }
    mode(0o600);
    assert_eq!(world.serve().stop().0, 0);
    let local = world.data.join("aggregator-local.key");
    std::fs::set_permissions(&local, Permissions::from_mode(0o644)).expect("changed");
    let served = world.serve();
    assert!(world.run(&["dial", "--from", "1911000001", "*999#"]).failed(2).contains("chmod 600"));
    drop(served);
}

#[test]
fn modes_of_what_init_and_serve_make() {
    let world = World::new();
    let served = world.serve();
    let mode = |name: &str| world.data.join(name).metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o710);
    assert_eq!(mode("keys"), 0o700);
    assert_eq!(mode("keys/tag-1.key"), 0o600);
    assert_eq!(mode("aggregator-local.key"), 0o600);
    assert_eq!(mode("admin.sock"), 0o600);
    assert_eq!(mode("journal-000001.sqlite") & 0o007, 0);
    drop(served);
}

#[test]
fn a_wrong_configuration_names_its_line() {
    let world = World::new();
    world.reconfigure("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:7929\"");
    assert!(world.refuses(2).contains("loopback unless TLS is configured"));
    world.reconfigure("0.0.0.0:7929", "127.0.0.1:0");
    world.configure("queue_deep = 5\n");
    let said = world.refuses(2);
    assert!(said.contains("sonmul.toml, line") && said.contains("no such limit"), "{said}");
}

#[test]
fn a_profile_that_was_edited_but_not_loaded_is_said() {
    let world = World::new();
    world.two_people();
    let profile = world.file("koryolink.toml", KORYOLINK);
    world.reconfigure("profiles = []", &format!("profiles = [\"{profile}\"]"));
    let served = world.serve();
    assert!(served.log().contains("operator is not loaded"), "{}", served.log());
    world.run(&["operator", "load", &profile]).ok();
    let (_, log) = served.stop();
    assert!(!log.contains("edited"), "{log}");
    world.file("koryolink.toml", &KORYOLINK.replace("amount_max = 500", "amount_max = 5000"));
    let served = world.serve();
    assert!(served.log().contains("edited but not loaded"), "{}", served.log());
    let listed = world.run(&["operator", "list"]);
    assert!(listed.err.contains("differs from the rules in force"), "{listed:?}");
    let past = world.run(&["operator", "load", &profile]).failed(1);
    assert!(past.contains("rewrites-past"), "the file says something else of the years before: {past}");
    let proposed = world.run(&["operator", "load", &profile, "--from", "now"]).ok();
    assert!(proposed.contains("proposed as motion"), "{proposed}");
    assert_eq!(world.run(&["operator", "list", "--json"]).json()[0]["file"], "differs", "one person only");
    world.by_two(&["operator", "load", &profile, "--from", "now"]);
    assert_eq!(world.run(&["operator", "list", "--json"]).json()[0]["file"], "in force");
    drop(served);
}

#[test]
fn a_wrong_profile_names_its_line_and_changes_nothing() {
    let world = World::new();
    let _served = world.serve();
    let wrong = KORYOLINK.replace("service_code = 999", "service_code = 9");
    let line = wrong.lines().position(|line| line.starts_with("service_code")).expect("there") + 1;
    let file = world.file("wrong.toml", &wrong);
    for word in ["check", "load"] {
        let ran =
            if word == "check" { run(&["operator", "check", &file]) } else { world.run(&["operator", "load", &file]) };
        let said = ran.failed(2);
        assert!(said.contains(&format!("line {line}: a service code has")), "{said}");
    }
    let good = world.file("good.toml", KORYOLINK);
    assert_eq!(run(&["operator", "check", &good, "--json"]).json()["ok"], true);
    assert_eq!(world.run(&["status", "--json"]).json()["seq"], 0);
}

#[test]
fn an_aggregator_without_the_key_learns_nothing() {
    let world = World::new();
    let _served = world.serve();
    let path = world.data.join("aggregator-local.key");
    let other = "0".repeat(64);
    std::fs::write(&path, other).expect("written");
    let said = world.run(&["dial", "--from", "1911000001", "*999#"]).failed(3);
    assert!(said.contains("401"), "{said}");
}

#[test]
fn a_directory_that_was_never_made_is_named() {
    let temp = tempfile::tempdir().expect("a directory");
    let nowhere = text(&temp.path().join("nowhere"));
    for words in [&["serve"][..], &["verify"], &["journal", "cat"]] {
        let said = run(&[words, &["--data", &nowhere]].concat()).failed(2);
        assert!(said.contains("sonmul init"), "{words:?}: {said}");
    }
}
