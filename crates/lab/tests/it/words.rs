//! The binary as people run it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than a start takes, on a machine that does other things as well.
const WITHIN: Duration = Duration::from_secs(60);

/// How a run of `sonmul-lab` ended.
fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sonmul-lab")).args(args).output().expect("it starts")
}

/// What one that went well printed.
#[track_caller]
fn ok(args: &[&str]) -> String {
    let ran = run(args);
    assert!(ran.status.success(), "{args:?}: {ran:?}");
    String::from_utf8(ran.stdout).expect("text")
}

/// The same as JSON.
#[track_caller]
fn json(args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&ok(args)).expect("JSON")
}

/// What one that ended with this code complained of.
#[track_caller]
fn failed(args: &[&str], code: i32) -> String {
    let ran = run(args);
    assert_eq!(ran.status.code(), Some(code), "{args:?}: {ran:?}");
    String::from_utf8(ran.stderr).expect("text")
}

#[test]
fn worlds_from_seeds() {
    let shown = ok(&["sim", "--seed", "7", "--steps", "50"]);
    assert_eq!(shown, ok(&["sim", "--seed", "7", "--steps", "50"]), "the same seed, the same run");
    let many = json(&["sim", "--seeds", "1..3", "--steps", "50", "--json"]);
    assert_eq!(many["seeds"], 3);
    let said = failed(&["sim", "--seeds", "0..49", "--plant", "answer-before-append"], 70);
    assert!(said.contains("seed"), "it says which seed shows it: {said}");
}

#[test]
fn a_campaign_goes_on_after_a_violation_and_names_every_seed() {
    let totals = json(&["campaign", "--seeds", "1..12", "--steps", "50", "--json"]);
    let one_thread = json(&["campaign", "--seeds", "1..12", "--steps", "50", "--threads", "1", "--json"]);
    assert_eq!(totals, one_thread, "threads change nothing");
    assert_eq!((&totals["seeds"], &totals["violated"], &totals["stopped"]), (&12.into(), &0.into(), &false.into()));
    let in_order = json(&["sim", "--seeds", "1..12", "--steps", "50", "--json"]);
    assert_eq!(totals["counts"], in_order["counts"], "the same worlds as one after the other");

    let planted = run(&["campaign", "--seeds", "1..30", "--plant", "answer-before-append", "--json"]);
    assert_eq!(planted.status.code(), Some(70));
    let told: serde_json::Value = serde_json::from_slice(&planted.stdout).expect("JSON");
    let seeds: Vec<u64> =
        told["violations"].as_array().expect("a list").iter().filter_map(|one| one["seed"].as_u64()).collect();
    assert!(seeds.len() > 1 && seeds.is_sorted(), "{seeds:?}");
    assert_eq!(told["violated"], seeds.len());
    assert_eq!(told["seeds"].as_u64().expect("a count") + seeds.len() as u64, 30);
    let said = String::from_utf8(planted.stderr).expect("text");
    assert!(said.contains(&format!("`sonmul-lab sim --seed {} ", seeds[0])), "{said}");
}

#[test]
fn an_interrupted_campaign_tells_what_it_did() {
    // So many that nobody waits for the end.
    let child = Command::new(env!("CARGO_BIN_EXE_sonmul-lab"))
        .args(["campaign", "--seeds", "1..1000000000", "--steps", "20", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Until it listens for signals, one would end it without a word.
    let listens = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("signals that it catches");
        u64::from_str_radix(caught.trim(), 16).expect("a mask") & (1 << (Signal::INT.as_raw() - 1)) != 0
    };
    let until = Instant::now() + WITHIN;
    while !listens() {
        assert!(Instant::now() < until, "it never listened for signals");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let id = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("an id");
    kill_process(id, Signal::INT).expect("it is there");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let told: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!((&told["stopped"], &told["violated"]), (&true.into(), &0.into()));
    assert!(told["seeds"].as_u64().is_some_and(|seeds| seeds < 1_000_000_000), "{told}");
}

#[test]
fn every_word_explains_itself() {
    for word in ["sim", "campaign", "check-history", "kill-loop", "bench"] {
        let help = ok(&[word, "--help"]);
        assert!(help.contains("Example:\n  sonmul-lab "), "{help}");
    }
    failed(&[], 2);
}
