//! What makes a limit the same one after another load of rules, and when one that is gone is forgotten.

use expect_test::expect;

use super::check;
use super::rebuilt::restored;
use super::script::{Stage, number, play};
use crate::command::{Body, ChangeSubscriber, SubscriberChange};
use crate::effects::Change;
use crate::ids::{LimitId, Staff};
use crate::memory::Memory;
use crate::office::done::OfficeDone;
use crate::office::{RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::rules::limit::{Kind, Subject, Window};
use crate::verdict::{Done, Outcome};

#[test]
fn another_ceiling_or_beginning_gives_nobody_a_fresh_allowance() {
    // Once a limit with another beginning was another limit: rules that were loaded twice a day allowed everything twice.
    check(
        "test from 2020-01-01
         | limit daily gift sender count 2 business-day
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…003
         191…001 gives 1 to 191…004
         test loads
         | limit daily gift sender count 2 business-day from 2020-01-31
         191…001 gives 1 to 191…004
         test loads
         | limit daily gift sender count 3 business-day
         191…001 gives 1 to 191…004
         191…001 gives 1 to 191…005
         test loads
         | limit daily gift sender total 4 business-day
         191…001 gives 2 to 191…005
         191…001 gives 1 to 191…005
         191…001 gives 1 to 191…006
         2020-02-02 00:00  191…001 gives 4 to 191…006",
        expect![[r#"
            given 1, 999 left
            given 1, 998 left
            refused: limit daily reached until 2020-02-02
            rules loaded
            refused: limit daily reached until 2020-02-02
            rules loaded
            given 1, 997 left
            refused: limit daily reached until 2020-02-02
            rules loaded
            refused: limit daily reached until 2020-02-02
            given 1, 996 left
            refused: limit daily reached until 2020-02-02
            given 4, 992 left
        "#]],
    );
}

/// They stand in rules files, in answers and in reports.
#[test]
fn what_a_limit_is_about_has_public_names() {
    assert_eq!(Kind::ALL.map(Kind::name), ["gift", "top-up", "call"]);
    assert_eq!(Subject::ALL.map(Subject::name), ["sender", "recipient", "pair", "card"]);
    let windows = [Window::BusinessDay, Window::CalendarMonth, Window::Days(30)];
    assert_eq!(windows.map(|window| window.to_string()), ["business-day", "calendar-month", "30 days"]);
}

#[test]
fn a_limit_that_comes_back_in_time_finds_what_was_used_of_it() {
    check(
        "test from 2020-01-01
         | limit week gift sender count 2 days(7)
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         test loads
         191…001 gives 1 to 191…003
         191…001 gives 1 to 191…004
         2020-02-07 23:00  test loads
         | limit week gift sender count 2 days(7)
         191…001 gives 1 to 191…005
         191…001 gives 1 to 191…006
         2020-02-08 00:00  191…001 gives 1 to 191…006",
        expect![[r#"
            given 1, 999 left
            rules loaded
            given 1, 998 left
            given 1, 997 left
            rules loaded
            given 1, 996 left
            refused: limit week reached until 2020-02-08
            given 1, 995 left
        "#]],
    );
}

#[test]
fn another_name_kind_subject_or_window_makes_another_limit() {
    check(
        "test from 2020-01-01
         | limit daily gift sender count 1 business-day
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…003
         test loads
         | limit daily gift sender count 1 calendar-month
         191…001 gives 1 to 191…003
         191…001 gives 1 to 191…004
         test loads
         | limit daily gift card count 1 calendar-month
         191…001 gives 1 to 191…004
         test loads
         | limit another gift card count 1 calendar-month
         191…001 gives 1 to 191…005
         191…001 gives 1 to 191…006",
        expect![[r#"
            given 1, 999 left
            refused: limit daily reached until 2020-02-02
            rules loaded
            given 1, 998 left
            refused: limit daily reached until 2020-03-01
            rules loaded
            given 1, 997 left
            rules loaded
            given 1, 996 left
            refused: limit another reached until 2020-03-01
        "#]],
    );
}

#[test]
fn two_ceilings_of_one_limit_are_one_usage() {
    let mut stage = play(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         | limit daily gift sender count 2 business-day
         | limit daily gift sender total 100 business-day from 2000-01-02
         191…001 has a card with 1000
         191…002 is known since 2019-01-01
         191…003 is known since 2019-01-01
         191…004 is known since 2019-01-01",
    );
    for (line, refused) in [
        ("2020-02-01 10:00  191…001 gives 99 to 191…002", false),
        ("191…001 gives 2 to 191…003", true),
        ("191…001 undoes", false),
        ("191…001 gives 1 to 191…004", false),
        ("191…001 gives 98 to 191…002", false),
        ("191…001 gives 1 to 191…003", true),
    ] {
        stage.line(line, &[]);
        assert_eq!(matches!(stage.outcome, Some(Outcome::Refused(_))), refused, "{line}: {:?}", stage.outcome);
        let usage = stage.world.journal.last().expect("an entry").entry().verdict.effects.usage;
        assert_eq!(usage.len(), usize::from(!refused), "{line}");
    }
    assert_eq!(stage.world.state.limits_made(), 1);
}

/// Which limits live, by row and name.
fn living(stage: &Stage) -> Vec<(u16, String)> {
    stage.world.state.limits().map(|(id, row)| (id.0, String::from(row.identity.name.as_str()))).collect()
}

/// The fold of what the journal keeps, and the state restored from its rows, are the state.
#[track_caller]
fn same_everywhere(stage: &Stage) {
    let state = &stage.world.state;
    let folded = stage.world.folded(stage.world.journal.len()).expect("entries that fit");
    assert_eq!(folded.differences(state, 9), [], "folded");
    assert_eq!(restored(state).expect("rows that fit").differences(state, 9), [], "restored");
}

#[test]
fn a_limit_that_is_gone_is_forgotten_when_its_windows_are_over() {
    let mut stage = play(
        "test from 2020-01-01
         | limit old gift sender count 9 business-day
         | limit pairs gift pair count 9 days(3)
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         test loads
         | limit new gift sender count 9 business-day",
    );
    let three = [(0, String::from("old")), (1, String::from("pairs")), (2, String::from("new"))];
    assert_eq!(living(&stage), three);
    stage.line("2020-02-04 09:59  191…001 gives 1 to 191…002", &[]);
    assert_eq!(living(&stage), three, "a day and two to spare");
    // Nothing that is refused forgets anything.
    stage.line("2020-02-04 10:00  191…001 gives 0 to 191…002", &[]);
    assert_eq!((living(&stage), stage.world.state.usage_len()), (three.to_vec(), (2, 1)));
    stage.line("191…001 gives 1 to 191…002", &[]);
    assert_eq!(living(&stage), three[1..]);
    assert_eq!(stage.world.state.usage_len(), (1, 1), "usage of pairs goes with its generation");
    same_everywhere(&stage);
    stage.line("2020-02-06 10:00  191…001 gives 1 to 191…002", &[]);
    assert_eq!(living(&stage), three[2..]);
    assert_eq!(stage.world.state.usage_len(), (1, 0), "with the last limit on pairs its usage");
    same_everywhere(&stage);
    // What comes back after that is another limit, of another row.
    stage.line(
        "test loads",
        &["limit old gift sender count 1 business-day", "limit new gift sender count 9 business-day"],
    );
    assert_eq!(living(&stage), [(2, String::from("new")), (3, String::from("old"))]);
    stage.line("191…001 gives 1 to 191…002", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Done(_))), "{:?}", stage.outcome);
    same_everywhere(&stage);
    assert!(stage.world.state.shed.is_empty(), "nothing is left of its pages");
}

/// What is used of pairs is in one memory: it is emptied with the last limit on pairs, and with no other.
#[test]
fn a_limit_that_is_forgotten_leaves_what_was_used_of_another_on_pairs() {
    for (gone, kept) in [
        ("limit short gift pair count 9 business-day", "limit long gift pair count 2 days(60)"),
        ("limit short gift sender count 9 business-day", "limit long gift pair count 2 days(60)"),
        ("limit short gift sender count 9 business-day", "limit long gift sender count 2 days(60)"),
    ] {
        let mut stage = play(&format!(
            "test from 2020-01-01
             | {gone}
             | {kept}
             191…001 has a card with 1000
             191…003 is known since 2019-01-01
             2020-02-01 10:00  191…001 gives 1 to 191…002 times 2"
        ));
        stage.line("test loads", &[kept]);
        stage.line("2020-02-10 10:00  191…001 gives 1 to 191…003", &[]);
        stage.line("care speaks en to 191…003", &[]);
        assert_eq!(living(&stage), [(1, String::from("long"))], "{gone}");
        let turns = |kept: &crate::testing::Kept| {
            let pairs = |change: &&Change| matches!(change, Change::Turn { memory: Memory::Pairs });
            kept.entry().verdict.effects.changes.iter().filter(pairs).count()
        };
        assert_eq!(stage.world.journal.iter().rev().take(2).map(turns).sum::<usize>(), 0, "{gone}");
        stage.line("191…001 gives 1 to 191…002", &[]);
        assert!(matches!(stage.outcome, Some(Outcome::Refused(_))), "{gone}: {:?}", stage.outcome);
        same_everywhere(&stage);
    }
}

#[test]
fn a_period_that_is_over_takes_its_limits_along() {
    let mut stage = play(
        "test from 2020-01-01
         | limit both gift sender count 9 business-day
         | limit first gift sender count 9 business-day
         | period p2 from 2020-02-01
         | limit both gift sender count 8 business-day
         191…001 has a card with 1000
         2020-01-31 10:00  191…001 gives 1 to 191…002
         2020-02-03 23:59  191…001 gives 1 to 191…002",
    );
    assert_eq!(living(&stage).len(), 2);
    stage.line("2020-02-04 00:00  191…001 gives 1 to 191…002", &[]);
    assert_eq!(living(&stage), [(0, String::from("both"))]);
    same_everywhere(&stage);
    // Rules that tell the past as it was need no row for what is over.
    stage.line(
        "2020-02-05 10:00  test loads",
        &[
            "limit both gift sender count 9 business-day",
            "limit first gift sender count 9 business-day",
            "period p2 from 2020-02-01",
            "limit both gift sender count 7 business-day",
        ],
    );
    assert_eq!(living(&stage), [(0, String::from("both"))]);
    same_everywhere(&stage);
}

#[test]
fn loading_rules_again_and_again_makes_no_more_limits() {
    let mut stage = play("test from 2020-01-01\n191…001 has a card with 1000\n191…002 is known since 2019-01-01");
    for day in 1..=28 {
        let limit = format!("limit daily gift sender count {day} business-day from 2020-02-{day:02}");
        stage.line(&format!("2020-02-{day:02} 10:00  test loads"), &[&limit]);
        stage.line("191…001 gives 1 to 191…002", &[]);
    }
    assert_eq!((stage.world.state.limits_made(), stage.world.state.usage_len()), (1, (1, 0)));
    same_everywhere(&stage);
}

#[test]
fn a_gift_on_hold_that_ends_late_gives_back_to_a_limit_that_is_over() {
    let mut stage = play(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         | limit old gift sender count 9 business-day
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         test loads",
    );
    let hold = stage.world.state.records_of(RecordKind::Hold).next().expect("a gift on hold").0;
    let change = SubscriberChange::Bar;
    let msisdn = number("191…001").expect("a number");
    stage.world.done(&Body::ChangeSubscriber(ChangeSubscriber { staff: Staff(0), msisdn, change }));
    // The server was away for a month.
    stage.world.at = stage.world.at.plus_s(30 * 86_400);
    let verdict = stage.world.done(&Body::Due(RecordKey::made_by(RecordKind::Hold, Seq(hold))));
    let Outcome::Done(Done::Office(done)) = &verdict.outcome else { panic!("{:?}", verdict.outcome) };
    assert!(matches!(**done, OfficeDone::HoldVoided { .. }), "{done:?}");
    assert_eq!(verdict.effects.usage.first().map(|used| (used.limit, used.count)), Some((LimitId(0), 0)));
    assert_eq!(living(&stage).len(), 1, "not in the entry that still counts in it");
    let change = SubscriberChange::Unbar;
    let verdict = stage.world.done(&Body::ChangeSubscriber(ChangeSubscriber { staff: Staff(0), msisdn, change }));
    let forgets = |change: &Change| matches!(change, Change::Limit { id: LimitId(0), limit: None });
    assert!(verdict.effects.changes.iter().any(forgets), "{:?}", verdict.effects.changes);
    assert_eq!(living(&stage), []);
    same_everywhere(&stage);
}
