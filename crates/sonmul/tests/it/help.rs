//! Every word of the command line explains itself.

use crate::rig::{run, run_with};

/// All subcommands, as they are typed.
fn words() -> Vec<Vec<String>> {
    fn below(words: &[String], found: &mut Vec<Vec<String>>) {
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        args.push("--help");
        let help = run(&args).ok();
        let Some((_, list)) = help.split_once("Commands:\n") else { return };
        for line in list.lines().take_while(|line| !line.is_empty()) {
            let name =
                line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).and_then(|rest| rest.split(' ').next());
            if let Some(name) = name.filter(|name| *name != "help") {
                let mut words = words.to_vec();
                words.push(String::from(name));
                found.push(words.clone());
                below(&words, found);
            }
        }
    }
    let mut found = Vec::new();
    below(&[], &mut found);
    found
}

#[test]
fn every_help_shows_an_example() {
    let words = words();
    assert!(words.len() > 30, "{words:?}");
    for words in &words {
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        args.push("--help");
        let help = run(&args).ok();
        assert!(help.contains("Example:\n  "), "{words:?}\n{help}");
    }
}

#[test]
fn the_first_help_shows_the_exit_codes() {
    let help = run(&["--help"]).ok();
    assert!(help.contains("Exit codes:\n  0   done"), "{help}");
    assert!(help.contains("Example:\n  sonmul init"), "{help}");
}

#[test]
fn completions_and_manual_pages() {
    assert!(run(&["completions", "bash"]).ok().contains("_sonmul"));
    assert!(run(&["man"]).ok().contains(".TH sonmul 1"));
    assert!(run(&["man", "operator", "load"]).ok().contains("sonmul operator load"));
    run(&["man", "nothing"]).failed(2);
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    run(&[]).failed(2);
    run(&["give"]).failed(2);
    run(&["--log", "loud=really", "status"]).failed(2);
}

#[test]
fn a_data_directory_is_never_made_twice() {
    let temp = tempfile::tempdir().expect("a directory");
    let data = temp.path().join("data");
    let data = data.to_str().expect("UTF-8");
    run(&["init", data]).ok();
    assert!(run(&["init", data]).failed(2).contains("not empty"));
    let other = temp.path().join("other");
    let said = run(&["init", other.to_str().expect("UTF-8"), "--listen", "0.0.0.0:80"]).failed(2);
    assert!(said.contains("loopback unless TLS is configured"), "{said}");
    assert!(!other.exists(), "a wrong address leaves nothing behind");
    assert!(run_with(&["dial", "--data", data, "--from", "1911000001", "*999#"], "").failed(3).contains("no server"));
    assert!(run(&["status", "--data", data]).failed(3).contains("no server"));
}
