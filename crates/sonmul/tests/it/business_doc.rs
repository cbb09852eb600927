//! docs/operating/business.md, run from its first command to its last in one shell, its output compared line by line.
//!
//! With `UPDATE_EXPECT=1` the page is written anew with what the commands printed.

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::rig::{GROUP, LIMITS, SECOND_UID, text};

/// Printed after each command.
const MARK: &str = "<<that was it>>";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating/business.md")
}

/// A shell with `sonmul`, and a `sudo` that is the second person, in a directory of its own.
struct Shell {
    child: Child,
    orders: ChildStdin,
    out: BufReader<ChildStdout>,
    dir: tempfile::TempDir,
}

impl Shell {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let open = |path: &Path| std::fs::set_permissions(path, Permissions::from_mode(0o777)).expect("changed");
        open(dir.path());
        let bin = dir.path().join("bin");
        std::fs::create_dir(&bin).expect("made");
        std::fs::copy(env!("CARGO_BIN_EXE_sonmul"), bin.join("sonmul")).expect("copied");
        let sudo = format!(
            "#!/bin/sh\n[ \"$1 $2\" = '-u kim' ] || exit 2\nshift 2\nexec setpriv --reuid={SECOND_UID} --regid={GROUP} \
             --clear-groups \"$@\"\n"
        );
        std::fs::write(bin.join("sudo"), sudo).expect("written");
        open(&bin.join("sudo"));
        std::os::unix::fs::symlink(root.join("profiles"), dir.path().join("profiles")).expect("linked");
        let path = format!("{}:{}", text(&bin), std::env::var("PATH").expect("a path"));
        let mut command = Command::new("bash");
        command.arg("--norc").current_dir(dir.path()).env("PATH", path).env("LC_ALL", "C.UTF-8");
        command.env_remove("SONMUL_DATA").env_remove("SONMUL_LOG");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash");
        let orders = child.stdin.take().expect("piped");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let mut shell = Self { child, orders, out, dir };
        shell.run("exec 2>&1");
        shell
    }

    /// Runs one command; what it printed.
    fn run(&mut self, command: &str) -> Vec<String> {
        writeln!(self.orders, "{command}\necho '{MARK}'").expect("the shell reads");
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.out.read_line(&mut line).expect("text"), 0, "the shell ended at: {command}");
            let line = line.trim_end_matches('\n');
            if let Some(rest) = line.strip_suffix(MARK) {
                // What ends without a line end stands before the mark.
                lines.extend(Some(String::from(rest)).filter(|rest| !rest.is_empty()));
                return lines;
            }
            lines.push(String::from(line));
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Its server too.
        let _gone = writeln!(self.orders, "kill $(jobs -p) 2> /dev/null; exit");
        let _ended = self.child.wait();
    }
}

/// A line without what is random or of the day, and with one space where there are more: columns are as wide as their
/// longest entry.
fn masked(line: &str) -> String {
    let mut shown = hidden_line(line.trim_end());
    while shown.contains("  ") {
        shown = shown.replace("  ", " ");
    }
    shown
}

/// A line with `…` for what is random or of the day.
fn hidden_line(line: &str) -> String {
    let is_part = |of: char| of.is_ascii_alphanumeric();
    let mut shown = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if let Some(len) = date_len(rest).filter(|_| !shown.ends_with(|of: char| of.is_ascii_digit())) {
            shown.push('…');
            rest = rest.get(len..).unwrap_or_default();
            continue;
        }
        let word_len = rest.find(|of| !is_part(of)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(if word_len == 0 { first.len_utf8() } else { word_len });
        shown.push_str(if is_volatile(word, after) { "…" } else { word });
        rest = after;
    }
    shown
}

/// How long a month, a day, an instant or a time of day is that stands here.
fn date_len(text: &str) -> Option<usize> {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let is = |at: usize, octet: u8| text.as_bytes().get(at) == Some(&octet);
    if digit(0) && digit(1) && is(2, b':') && digit(3) && digit(4) && !digit(5) {
        return Some(5);
    }
    let month = text.starts_with("20") && digit(2) && digit(3) && is(4, b'-') && digit(5) && digit(6);
    let day = is(7, b'-') && digit(8) && digit(9);
    let instant = is(10, b'T') && is(13, b':');
    let minute = is(10, b' ') && is(13, b':') && digit(14);
    let end = if instant { text.find('Z').map(|at| at + 1) } else { None };
    month.then_some(if !day {
        7
    } else if minute {
        16
    } else {
        end.unwrap_or(10)
    })
}

fn is_volatile(word: &str, after: &str) -> bool {
    let digits = word.bytes().all(|octet| octet.is_ascii_digit());
    let hex = word.len() >= 16 && word.bytes().all(|octet| octet.is_ascii_hexdigit());
    let key = word.starts_with("age1") && word.len() > 20;
    hex || key || (digits && after.starts_with(" octets"))
}

#[test]
fn the_whole_business_as_the_page_tells_it() {
    let old = std::fs::read_to_string(page()).expect("the page");
    let mut shell = Shell::start();
    let (mut new, mut wrong) = (String::new(), Vec::new());
    let (mut told, mut expected, mut inside) = (Vec::new(), Vec::new(), false);
    let mut compare = |told: &mut Vec<String>, expected: &mut Vec<String>, after: &str| {
        if told != expected {
            wrong.push(format!("before {after}:\n  said {told:#?}\n  page {expected:#?}"));
        }
        told.clear();
        expected.clear();
    };
    for line in old.lines() {
        let command = line.strip_prefix("$ ").filter(|_| inside);
        let fence = line.starts_with("```");
        if command.is_some() || fence {
            compare(&mut told, &mut expected, line);
        }
        if inside && command.is_none() && !fence {
            expected.push(masked(line));
            continue;
        }
        inside ^= fence;
        new.push_str(&format!("{line}\n"));
        if let Some(command) = command {
            let said = shell.run(command);
            if command.starts_with("sonmul init") {
                let path = shell.dir.path().join("sonmul-data/sonmul.toml");
                let before = std::fs::read_to_string(&path).expect("read");
                std::fs::write(&path, format!("{before}{LIMITS}")).expect("written");
            }
            // As wide as it was, so that columns stand below each other.
            new.extend(said.iter().map(|line| format!("{}\n", line.trim_end())));
            told = said.iter().map(|line| masked(line)).collect();
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(page(), hidden(&new)).expect("written");
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The page with `…` for what is random, everything else as it was printed.
fn hidden(page: &str) -> String {
    let mut inside = false;
    let mut shown = String::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        }
        let output = inside && !line.starts_with("$ ");
        shown.push_str(&if output { hidden_line(line) } else { String::from(line) });
        shown.push('\n');
    }
    shown
}
