//! The binary as people run it.

use std::process::{Command, Output};

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
    let many: serde_json::Value =
        serde_json::from_str(&ok(&["sim", "--seeds", "3", "--steps", "50", "--json"])).expect("JSON");
    assert_eq!(many["seeds"], 3);
    let said = failed(&["sim", "--seeds", "50", "--plant", "answer-before-append"], 70);
    assert!(said.contains("seed"), "it says which seed shows it: {said}");
}

#[test]
fn every_word_explains_itself() {
    for word in ["sim", "bench"] {
        let help = ok(&[word, "--help"]);
        assert!(help.contains("Example:\n  sonmul-lab "), "{help}");
    }
    failed(&[], 2);
}
