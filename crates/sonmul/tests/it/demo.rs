//! What `make demo ONCE=1` shows.

use crate::rig::{WITHIN, binary, run, text};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;

#[test]
fn one_gift_from_end_to_end() {
    let temp = tempfile::tempdir().expect("a directory");
    let data = text(&temp.path().join("demo"));
    // Twice: the second one wipes what the first one made.
    for _ in 0..2 {
        let shown = run(&["demo", "--once", "--data", &data]).ok();
        for piece in [
            "1911000001 dials *999*500*1911000002*482913#",
            "500원",
            "SMS to +8501911000002",
            "The day's one gift is used up",
            "SMS to +8501911000004",
            "Sent: 500 won to",
            "You got 500 won of airtime",
        ] {
            assert!(shown.contains(piece), "{piece}\n{shown}");
        }
        assert!(!shown.contains("To be dialled next"), "{shown}");
    }
}

#[test]
fn it_wipes_only_what_it_made() {
    let temp = tempfile::tempdir().expect("a directory");
    let data = text(&temp.path().join("data"));
    run(&["init", &data]).ok();
    assert!(run(&["demo", "--once", "--data", &data]).failed(2).contains("was not made by `sonmul demo`"));
    run(&["init", &data]).failed(2);
}

#[test]
fn it_stays_up_and_its_lines_can_be_dialled() {
    let temp = tempfile::tempdir().expect("a directory");
    let data = text(&temp.path().join("demo"));
    let mut child = binary().args(["demo", "--data", &data]).stdout(Stdio::piped()).spawn().expect("starts");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let (tell, lines) = channel();
    let reader = std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let dials: Vec<String> = std::iter::from_fn(|| lines.recv_timeout(WITHIN).ok())
        .take_while(|line| !line.contains(" journal cat "))
        .filter(|line| line.contains(" dial --data "))
        .collect();
    assert!(dials.len() >= 5, "{dials:?}");
    for line in dials.iter().filter(|line| !line.contains("*999#")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).map(|word| word.trim_matches('\'')).collect();
        let screen = run(&words).ok();
        assert!(screen.contains("500"), "{line}: {screen}");
        let sms = std::iter::from_fn(|| lines.recv_timeout(WITHIN).ok()).find(|line| line.contains("SMS to +850"));
        assert!(sms.is_some(), "{line}");
    }
    assert!(run(&["demo", "--once", "--data", &data]).failed(2).contains("another server"));
    kill_process(Pid::from_child(&child), Signal::INT).expect("sent");
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    drop(reader.join());
}
