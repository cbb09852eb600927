//! The checker of histories: each rule with a history that breaks it, and what the format refuses.
//!
//! A case is text. An entry is `ID COMMAND ANSWER`, a line `ID CALLED-RETURNED COMMAND = ANSWER @SEQ`. An id in capitals is a
//! program's, one in small letters a session's, `#` a timer's. A command is `gift FROM TO AMOUNT` or `language FROM`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domain::command::{Body, SetLanguage};
use domain::effects::Effects;
use domain::id::{CommandId, UssdPrompt};
use domain::ids::{Language, LinkId};
use domain::refusal::Refusal;
use domain::testing::{self, at, caller, keys, phone, program_id};
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome, Verdict};
use engine::journal::{Draft, Journal};
use expect_test::{Expect, expect};
use lab::history::{Checking, LINE_LEN_MAX, Report, SHOWN_MAX, check};
use serde_json::{Value, json};
use store::{DataDir, JournalConfig, SqliteJournal};
use tempfile::TempDir;

const BEGIN: &str = "2026-11-30T12:00:00Z";
const LINK: u16 = 1;
/// Small files, whatever the disk of who runs this.
const CONFIG: JournalConfig = JournalConfig {
    segment_entries_max: 100_000,
    segment_wal_bytes_max: 1 << 30,
    wal_prewritten_bytes: 0,
    disk_reserve_bytes: 0,
};

fn id_of(name: &str) -> CommandId {
    let number = name.bytes().fold(0, |number, octet| number * 256 + u64::from(octet));
    match name.chars().next() {
        Some('#') => CommandId::internal(1, number),
        Some('a'..='z') => CommandId::ussd(&UssdPrompt {
            link: LinkId(LINK),
            caller: phone(1).get(),
            session: name.as_bytes(),
            reuse: 0,
            prompt: 0,
        }),
        _ => program_id(at(BEGIN), number),
    }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number"))
}

fn body(words: &[&str]) -> Body {
    match words {
        ["gift", from, to, amount] => {
            let amount = i64::try_from(number(amount)).expect("small");
            Body::Gift(testing::gift(&keys(), caller(phone(number(from))), phone(number(to)), amount))
        }
        ["language", from] => {
            let caller = caller(phone(number(from)));
            Body::SetLanguage(SetLanguage { caller, language: Language::English })
        }
        other => panic!("no command: {other:?}"),
    }
}

fn outcome(word: &str) -> Outcome {
    match word {
        "given" => Outcome::Done(Done::Given { left_minor: 1, fee_minor: 0, language: Language::English }),
        "language-set" => Outcome::Done(Done::LanguageSet),
        "no-card" => Outcome::Refused(Refusal::NoCard),
        "caller-barred" => Outcome::Refused(Refusal::CallerBarred),
        other => panic!("no verdict: {other}"),
    }
}

/// A data directory with a journal: an append for each line. `wait SECONDS` lets time pass.
fn journal(entries: &str) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a directory");
    let data = temp.path().join("data");
    let dir = DataDir::create(&data).expect("a data directory");
    let (mut journal, _reader) = SqliteJournal::open(&dir, CONFIG).expect("a journal");
    let mut now = at(BEGIN);
    for line in entries.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["wait", seconds] = words.as_slice() {
            now = now.plus_s(i64::try_from(number(seconds)).expect("small"));
            continue;
        }
        let [id, command @ .., answer] = words.as_slice() else { panic!("no entry: {line}") };
        append(&mut journal, now, vec![entry(id_of(id), body(command), outcome(answer))]);
    }
    (temp, data)
}

fn entry(id: CommandId, body: Body, outcome: Outcome) -> Entry {
    Entry { id, body, verdict: Verdict { outcome, effects: Effects::default() } }
}

fn append(journal: &mut SqliteJournal, now: Timestamp, entries: Vec<Entry>) {
    let mut draft = Draft::new(now, 1_024);
    entries.iter().for_each(|entry| draft.push(entry));
    let link = draft.finish(&journal.head());
    journal.append(&link).expect("an append");
}

/// A line of a case as a line of a history.
fn line(text: &str) -> Value {
    let (text, seq) = match text.split_once('@') {
        Some((text, seq)) => (text, Some(number(seq.trim()))),
        None => (text, None),
    };
    let (text, answer) = match text.split_once('=') {
        Some((text, answer)) => (text, Some(answer.trim())),
        None => (text, None),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let [id, times, command @ ..] = words.as_slice() else { panic!("no line: {text}") };
    let (called, returned) = times.split_once('-').expect("CALLED-RETURNED");
    let mut line = json!({
        "who": "c", "door": "test", "called_ns": number(called), "returned_ns": returned.parse::<u64>().ok(),
        "answer": answer, "seq": seq,
    });
    let fields = line.as_object_mut().expect("an object");
    let mut add = |name: &str, value: Value| drop(fields.insert(String::from(name), value));
    let msisdn = |n: &str| phone(number(n)).get().to_string();
    match command {
        [] => add("read", json!("status")),
        ["gift", from, to, amount] => add(
            "call",
            json!({ "name": "gift", "msisdn": msisdn(from), "recipient": msisdn(to), "amount_minor": number(amount) }),
        ),
        ["language", from] => add("call", json!({ "name": "set-language", "msisdn": msisdn(from) })),
        other => panic!("no command: {other:?}"),
    }
    match id.chars().next() {
        _ if command.is_empty() => {}
        Some('a'..='z') => add("dial", json!({ "link": LINK, "caller": msisdn("1"), "session": id })),
        _ => add("id", json!(id_of(id).to_string())),
    }
    line
}

fn checked(data: &Path, lines: &[Value], complete: bool, memory_bytes: usize) -> Report {
    let history = data.with_file_name("history.jsonl");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&history, text).expect("written");
    let checking = Checking { history, journal: data.to_owned(), complete, memory_bytes };
    check(&checking, &mut |_, _, _| {}).expect("checked")
}

/// What a history says, in a line for each contradiction.
#[track_caller]
fn case(entries: &str, lines: &str, expected: &Expect) {
    let (_temp, data) = journal(entries);
    let lines: Vec<Value> = lines.lines().map(str::trim).filter(|text| !text.is_empty()).map(line).collect();
    let report = checked(&data, &lines, true, 0);
    let told = report.contradictions.iter().map(|found| {
        let rule = json!(found.rule);
        format!("{}: {}\n", rule.as_str().expect("a name"), found.what)
    });
    let told: String = told.collect();
    assert_eq!(report.ok, told.is_empty());
    expected.assert_eq(if report.ok { "fits\n" } else { &told });
}

const THREE: &str = "A gift 1 2 5 given
                     b gift 1 3 6 no-card
                     C language 2 language-set";

#[test]
fn what_fits() {
    case(
        THREE,
        "A 10-20 gift 1 2 5 = done:given @1
         b 15-30 gift 1 3 6 = refused
         look 31-32 @2
         C 31-40 language 2 = done @3
         A 50-60 gift 1 2 5 = done:given @1
         look 61-62 @3",
        &expect![[r#"
            fits
        "#]],
    );
    // Lines in any order, unknown ones that were done or not, some that were told that nothing was done, and an id that was
    // used for something else. Calls that overlap may stand in either order.
    case(
        THREE,
        "look 61-62 @3
         C 31- language 2
         b 5-100 gift 1 3 6 = verdict @2
         A 10-35 gift 1 2 5 = done @1
         A 50-60 language 1 = id-reused
         C 41-42 language 2 = busy
         D 70- gift 1 2 5
         E 80-81 gift 1 2 5 = not-done
         F 82-83 gift 1 2 5 = unknown
         look 70-",
        &expect![[r#"
            fits
        "#]],
    );
    // A look that is asked for and answered while others are under way may see them or not.
    case(
        THREE,
        "A 10-20 gift 1 2 5 = done @1
         b 15-40 gift 1 3 6 = refused:no-card @2
         look 25-30 @1
         look 25-30 @3
         C 21-45 language 2 = done:language-set @3",
        &expect![[r#"
            fits
        "#]],
    );
}

#[test]
fn an_answer_is_the_entry_of_its_id_with_that_verdict() {
    let others = "b 30-31 gift 1 3 6 = refused
                  C 40-41 language 2 = done";
    for (line, expected) in [
        (
            "A 10-20 gift 1 2 5 = done @1
             D 11-12 gift 1 2 5 = done:given @1",
            expect![[r#"
                answered-is-there: line 2 (gift) heard done:given at 1, and no entry has its id
            "#]],
        ),
        (
            "A 10-20 gift 1 2 5 = done @2",
            expect![[r#"
                entry-of-its-id: line 1 (gift) heard done at 2, and its id is at 1
            "#]],
        ),
        (
            "A 10-20 gift 1 2 5 = refused @1",
            expect![[r#"
                verdict-of-its-entry: line 1 heard refused, and its entry 1 says done:given
            "#]],
        ),
        (
            "A 10-20 gift 1 2 5 = done:held",
            expect![[r#"
                verdict-of-its-entry: line 1 heard done:held, and its entry 1 says done:given
            "#]],
        ),
        (
            "A 10-20 gift 1 2 6 = done @1",
            expect![[r#"
                call-of-its-entry: line 1 called gift, and its entry 1 is gift, with another number, amount or serial
            "#]],
        ),
        (
            "A 10-20 language 1 = done @1",
            expect![[r#"
                call-of-its-entry: line 1 called set-language, and its entry 1 is gift
            "#]],
        ),
    ] {
        case(THREE, &format!("{line}\n{others}"), &expected);
    }
}

#[test]
fn what_returned_first_stands_first() {
    case(
        THREE,
        "A 30-40 gift 1 2 5 = done @1
         b 10-20 gift 1 3 6 = refused @2
         C 50-60 language 2 = done @3",
        &expect![[r#"
            real-time-order: line 2 knew of entry 2 before line 1 was called, and that one is entry 1
        "#]],
    );
    // Asked again, it is the first call and the first answer that count.
    case(
        THREE,
        "A 5- gift 1 2 5
         b 10-20 gift 1 3 6 = refused @2
         A 30-40 gift 1 2 5 = done @1
         C 50-60 language 2 = done @3",
        &expect![[r#"
            fits
        "#]],
    );
    // Who saw an entry knows of it.
    case(
        THREE,
        "A 10-20 gift 1 2 5 = done @1
         look 21-22 @2
         b 30-40 gift 1 3 6 = refused @2
         C 50-60 language 2 = done @3",
        &expect![[r#"
            real-time-order: line 2 knew of entry 2 before line 3 was called, and that one is entry 2
        "#]],
    );
    // A call that was told that nothing was done is not the one that did it.
    case(
        THREE,
        "A 5-6 gift 1 2 5 = busy
         b 10-20 gift 1 3 6 = refused @2
         A 30-40 gift 1 2 5 = done @1
         C 50-60 language 2 = done @3",
        &expect![[r#"
            real-time-order: line 2 knew of entry 2 before line 3 was called, and that one is entry 1
        "#]],
    );
}

#[test]
fn an_id_is_decided_once_and_answered_the_same() {
    case(
        "A gift 1 2 5 given
         A gift 1 2 5 given",
        "A 10-20 gift 1 2 5 = done @1",
        &expect![[r#"
            id-once: entries 1 and 2 have one id: it was decided twice
        "#]],
    );
    let session = "a gift 1 2 5 given
                   wait SECONDS
                   a gift 1 2 5 no-card";
    let lines = "a 10-20 gift 1 2 5 = done @1
                 a 30-40 gift 1 2 5 = refused @2";
    case(
        &session.replace("SECONDS", "599"),
        lines,
        &expect![[r#"
            id-once: entries 1 and 2 have one id: it was decided twice
        "#]],
    );
    // After ten minutes a session's name is another session.
    case(
        &session.replace("SECONDS", "600"),
        lines,
        &expect![[r#"
            fits
        "#]],
    );
    case(
        "A gift 1 2 5 given
         C language 2 language-set",
        "A 10-20 gift 1 2 5 = done @1
         A 30-40 gift 1 2 5 = refused:no-card @1
         C 10-20 language 2 = done @2
         C 30-40 language 2 = done @1",
        &expect![[r#"
            repeat-is-the-same: lines 1 and 2 asked under one id and heard different answers: done at 1, refused:no-card at 1
            repeat-is-the-same: lines 3 and 4 asked under one id and heard different answers: done at 2, done at 1
        "#]],
    );
}

#[test]
fn what_nobody_heard_of_is_not_there_before_it_was_called() {
    case(
        THREE,
        "A 30- gift 1 2 5
         b 10-20 gift 1 3 6 = refused @2
         C 50-60 language 2 = done @3",
        &expect![[r#"
            unknown-after-its-call: line 2 knew of entry 2 before line 1 was called, and that one is entry 1
        "#]],
    );
    case(
        THREE,
        "A 10-20 gift 1 2 5 = not-done
         b 10-20 gift 1 3 6 = id-reused
         C 10- language 1
         D 10-20 language 2 = id-reused",
        &expect![[r#"
            nothing-is-nothing: entry 1 (gift) has the id of line 1, and every call of this content under it heard that nothing was done
            nothing-is-nothing: entry 3 (set-language) has the id of line 3, and every call of this content under it heard that nothing was done
            reused-is-there: line 4 (set-language) heard that its id is in use, and no entry has it
            nothing-is-nothing: entry 2 (gift) has the id of line 2, and every call of this content under it heard that nothing was done
        "#]],
    );
}

#[test]
fn a_look_sees_what_returned_before() {
    case(
        THREE,
        "A 10-20 gift 1 2 5 = done @1
         b 11-21 gift 1 3 6 = refused
         C 30-40 language 2 = done
         look 41-42 @2
         look 41-42 @3
         look 43-44 @2",
        &expect![[r#"
            fresh-look: line 3 knew of entry 3 before line 4 was called, and that one looked and saw no more than entry 2
            fresh-look: line 3 knew of entry 3 before line 6 was called, and that one looked and saw no more than entry 2
        "#]],
    );
}

#[test]
fn a_complete_history_has_every_call() {
    let entries = "A gift 1 2 5 given
                   #1 language 2 language-set
                   b gift 1 3 6 no-card";
    // A timer has no client.
    case(
        entries,
        "A 10-20 gift 1 2 5 = done @1",
        &expect![[r#"
            called-by-somebody: entry 3 (gift) has a client's id, and no line has it
        "#]],
    );
    let (_temp, data) = journal(entries);
    let report = checked(&data, &[line("A 10-20 gift 1 2 5 = done @1")], false, 0);
    assert!(report.ok, "others may have called");
    assert_eq!((report.counts.entries, report.counts.uncalled, report.counts.ids), (3, 2, 1));
}

/// More than fits, so that runs go to files, in an order in which nobody called.
#[test]
fn a_long_history_in_any_order_with_little_memory() {
    const COUNT: u64 = 5_000;
    let temp = tempfile::tempdir().expect("a directory");
    let data = temp.path().join("data");
    let dir = DataDir::create(&data).expect("a data directory");
    let (mut journal, _reader) = SqliteJournal::open(&dir, CONFIG).expect("a journal");
    let id = |n: u64| program_id(at(BEGIN), n);
    for first in (0..COUNT).step_by(1_000) {
        let made = |n| entry(id(n), body(&["language", "1"]), outcome("language-set"));
        append(&mut journal, at(BEGIN), (first..first + 1_000).map(made).collect());
    }
    let line = |n: u64| {
        json!({ "who": "c", "id": id(n).to_string(), "call": { "name": "set-language" }, "called_ns": 10 * n,
                "returned_ns": 10 * n + 25, "answer": "done", "seq": n + 1 })
    };
    // 1,237 and 5,000 have no common factor: every line comes once.
    let mut lines: Vec<Value> = (0..COUNT).map(|n| line(n * 1_237 % COUNT)).collect();
    let report = checked(&data, &lines, true, 0);
    assert!(report.ok, "{report:?}");
    assert_eq!((report.counts.verdicts, report.counts.entries), (COUNT, COUNT));
    // One that was called too late to be where it is.
    let at = (0..COUNT).position(|n| n * 1_237 % COUNT == 2_500).expect("there");
    lines[at]["called_ns"] = json!(25_040);
    lines[at]["returned_ns"] = json!(25_041);
    let report = checked(&data, &lines, true, 0);
    assert_eq!(report.contradictions.len(), 1, "{report:?}");
    assert_eq!(report.contradictions[0].entries, [2_502, 2_501]);
    // Nothing but contradictions: as many as are shown, and all are counted.
    lines.iter_mut().for_each(|line| line["answer"] = json!("refused"));
    let report = checked(&data, &lines, true, 0);
    assert_eq!((report.contradictions.len(), report.broken.values().sum::<u64>()), (SHOWN_MAX, COUNT));
}

fn lab(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sonmul-lab")).args(args).output().expect("it starts")
}

#[test]
fn the_command_tells_by_its_exit_code() {
    let (temp, data) = journal(THREE);
    let data = data.to_str().expect("UTF-8");
    let run = |history: &str, more: &[&str]| {
        let file = temp.path().join("history.jsonl");
        std::fs::write(&file, history).expect("written");
        let file = file.to_str().expect("UTF-8");
        let ran = lab(&[&["check-history", file, "--journal", data], more].concat());
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("text");
        (ran.status.code(), text(ran.stdout), text(ran.stderr))
    };
    let good = line("A 10-20 gift 1 2 5 = done @1").to_string();
    let (code, out, _) = run(&format!("{good}\n\n"), &["--json"]);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &told["ok"], &told["lines"], &told["uncalled"]), (Some(0), &json!(true), &json!(1), &json!(2)));
    let (code, out, err) = run(&good, &["--complete"]);
    assert_eq!(code, Some(4));
    assert!(err.contains("called-by-somebody: entry 2 (gift)"), "{err}");
    assert!(out.contains("called-by-somebody"), "{out}");
    let (code, out, _) = run(&good, &["--complete", "--json"]);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    // In the order of ids.
    assert_eq!((code, &told["contradictions"][0]["entries"]), (Some(4), &json!([3])));
    assert_eq!(told["contradictions"][0]["rule"], "called-by-somebody");
    assert_eq!(told["broken"], json!({ "called-by-somebody": 2 }));

    // A line that can't be read: named, and nothing of it is repeated.
    let secret = good.replace("\"who\":\"c\"", "\"who\":\"c\",\"password\":\"482913\"");
    let (_, _, err) = run(&format!("{good}\n{secret}"), &[]);
    assert!(err.contains("line 2: a field is missing, unknown or of another kind"), "{err}");
    for wrong in [
        secret.as_str(),
        "{",
        "[]",
        &good.replace("done", "482913"),
        &good.replace("\"answer\":\"done\"", "\"answer\":null"),
        &good.replace("\"returned_ns\":20", "\"returned_ns\":9"),
        &good.replace("\"returned_ns\":20", "\"returned_ns\":null"),
        &good.replace("\"id\"", "\"session\""),
        &good.replace("8501911000001", "482913x"),
        &"x".repeat(LINE_LEN_MAX + 1),
    ] {
        let (code, _, err) = run(wrong, &[]);
        assert_eq!(code, Some(2), "{wrong}: {err}");
        assert!(!err.contains("482913"), "{err}");
    }
    let ran = lab(&["check-history", "nowhere.jsonl", "--journal", data]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let ran = lab(&["check-history", "-", "--journal", "nowhere"]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
}
