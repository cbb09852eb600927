//! Gifts of a script, decided again under other rules.

use core::fmt::{self, Write};

use expect_test::{Expect, expect};

use super::profile;
use super::script::play;
use crate::command::{Body, Caller, Gift};
use crate::decide::decide;
use crate::decide::what_if::{WhatIf, always};
use crate::effects::{Change, Effects, Named};
use crate::ids::{OperatorId, SubscriberId};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::State;
use crate::testing::{World, at, caller, gift, minor, phone};
use crate::verdict::{Done, Outcome};

/// Plays a script and says what each of its gifts would have been under `rules`.
#[track_caller]
fn check(script: &str, rules: &[&str], expected: Expect) {
    check_rules(script, profile::rules("test", rules), expected);
}

#[track_caller]
fn check_rules(script: &str, rules: Rules, expected: Expect) {
    check_from(0, script, rules, expected);
}

/// The same, when the first so many gifts are from before it began.
#[track_caller]
fn check_from(skipped: usize, script: &str, rules: Rules, expected: Expect) {
    let world = play(script).world;
    let mut what_if = WhatIf::new(OperatorId(0), rules).expect("few limits");
    let (mut state, mut said, mut gifts) = (State::default(), String::new(), 0);
    for kept in &world.journal {
        let entry = kept.entry();
        let taken = matches!(entry.verdict.outcome, Outcome::Done(Done::Given { .. } | Done::Held { .. }));
        gifts += usize::from(taken);
        if let (Body::Gift(gift), true) = (&entry.body, taken && gifts > skipped) {
            let amount = gift.amount.value().expect("an amount").minor();
            said += &match what_if.gift(&state, kept.at, gift, &entry.verdict.effects).expect("a gift") {
                Ok(charged) => format!("{amount}: for {}\n", charged.total_minor()),
                Err(Refusal::LimitReached { limit, until }) => format!("{amount}: {limit:?} until {until}\n"),
                Err(refusal) => format!("{amount}: {}\n", refusal.name()),
            };
        }
        state.apply(state.seq().next(), kept.at, &entry.verdict.effects).expect("it follows");
    }
    expected.assert_eq(&said);
}

const DAY: &str = "test from 2020-01-01
    191…001 has a card with 1000
    2020-02-01 10:00  191…001 gives 60 to 191…002
    191…001 gives 50 to 191…003
    191…001 gives 30 to 191…002
    191…001 gives 500 to 191…003
    2020-02-02 10:00  191…001 gives 70 to 191…002";

#[test]
fn a_refused_gift_makes_room_for_the_next() {
    check(
        DAY,
        &["limit hundred gift sender total 100 business-day"],
        expect![[r#"
            60: for 0
            50: hundred until 2020-02-02
            30: for 0
            500: hundred until 2020-02-02
            70: for 0
        "#]],
    );
}

#[test]
fn windows_of_days_and_pairs() {
    let rules = ["limit two gift pair count 1 days(2)", "limit out gift card total 300 calendar-month"];
    check(
        DAY,
        &rules,
        expect![[r#"
            60: for 0
            50: for 0
            30: two until 2020-02-03
            500: two until 2020-02-03
            70: two until 2020-02-03
        "#]],
    );
    let what_if = WhatIf::new(OperatorId(0), profile::rules("test", &rules)).expect("few limits");
    assert_eq!(what_if.lead_days(), 2);
}

#[test]
fn amounts_fees_and_what_must_stay() {
    check(
        DAY,
        &["amount_min = 50", "amount_max = 100", "gift_fee = { flat = 4 }", "residual_min = 840"],
        expect![[r#"
            60: for 4
            50: for 4
            30: amount-below-minimum
            500: amount-above-maximum
            70: insufficient-funds
        "#]],
    );
}

#[test]
fn a_period_to_come_tried_on_what_was() {
    let lines =
        ["period p2 from 2031-01-01", "amount_max = 100", "limit one gift sender count 2 business-day from 2031-02-01"];
    let rules = profile::rules("test", &lines);
    assert!(always(&rules, "p3").is_none());
    let tried = always(&rules, "p2").expect("it is there");
    check_rules(
        DAY,
        tried,
        expect![[r#"
            60: for 0
            50: for 0
            30: one until 2020-02-02
            500: amount-above-maximum
            70: for 0
        "#]],
    );
}

#[test]
fn closed_void_and_elsewhere() {
    check(
        DAY,
        &["period p2 from 2020-02-02", "closed = true"],
        expect![[r#"
            60: for 0
            50: for 0
            30: for 0
            500: for 0
            70: service-closed
        "#]],
    );
    check(
        DAY,
        &["period p2 from 2020-02-02", "cards_void = true"],
        expect![[r#"
            60: for 0
            50: for 0
            30: for 0
            500: for 0
            70: card-not-usable
        "#]],
    );
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 60 to 192…002",
        &["range 191"],
        expect![[r#"
            60: recipient-elsewhere
        "#]],
    );
}

#[test]
fn repetition_is_of_what_was_let_through() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 60 to 191…002
         10:02  191…001 gives 60 to 191…002
         10:06  191…001 gives 60 to 191…002
         10:12  191…001 gives 60 to 191…002",
        &["standing repeat_window_s = 300", "age_days_min = 0"],
        expect![[r#"
            60: for 0
            60: repeated
            60: for 0
            60: for 0
        "#]],
    );
}

#[test]
fn who_rests_or_is_too_young() {
    check(
        "test from 2020-01-01
         | standing swap_rest_h = 0
         191…001 has a card with 1000
         191…001 has SIM 467050000000001
         2020-02-01 10:00  191…001 gives 60 to 191…002
         191…001 gives 61 to 191…002 with-sim 467050000000002
         191…001 gives 62 to 191…002 with-sim 467050000000002",
        &["standing swap_rest_h = 1", "age_days_min = 10"],
        expect![[r#"
            60: for 0
            61: caller-resting
            62: caller-resting
        "#]],
    );
}

#[test]
fn a_gift_on_hold_counts_when_it_is_taken() {
    check(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 60 to 191…002
         191…001 gives 50 to 191…003",
        &["limit hundred gift sender total 100 business-day"],
        expect![[r#"
            60: for 0
            50: hundred until 2020-02-02
        "#]],
    );
}

/// What was refused here was never given, also when it was the first of all; what was given before it began was.
#[test]
fn repetition_is_of_what_came_before_it_began_too() {
    let script = "test from 2020-01-01
        191…001 has a card with 1000
        2020-02-01 10:00  191…001 gives 60 to 191…002
        191…001 gives 70 to 191…002
        10:02  191…001 gives 60 to 191…002
        191…001 gives 70 to 191…002";
    let rules = |closed: &[&str]| profile::rules("test", &[closed, &["standing repeat_window_s = 300"]].concat());
    let later = ["closed = true", "period p2 from 2020-02-01T10:01:00"];
    check_rules(
        script,
        rules(&later),
        expect![[r#"
            60: service-closed
            70: service-closed
            60: for 0
            70: for 0
        "#]],
    );
    check_from(
        1,
        script,
        rules(&[]),
        expect![[r#"
            70: for 0
            60: repeated
            70: repeated
        "#]],
    );
}

/// Whoever becomes a subscriber by a gift is as old as the gift.
#[test]
fn a_gift_to_a_number_that_nobody_had() {
    let script = "test from 2020-01-01
        | standing first_use = true
        191…001 has a card with 1000
        191…002 is nobody yet
        2020-02-01 10:00  191…001 gives 60 to 191…002
        2020-02-12 10:00  191…001 gives 61 to 191…002";
    for (rules, expected) in [
        (&["standing first_use = true"][..], expect!["60: for 0\n61: for 0\n"]),
        (&[], expect!["60: recipient-unknown\n61: for 0\n"]),
        (&["standing first_use = true", "age_days_min = 10"], expect!["60: recipient-too-young\n61: for 0\n"]),
    ] {
        check(script, rules, expected);
    }
}

#[test]
fn another_operator_s_gifts_are_left_alone() {
    let world = World::peopled(at("2020-02-01T01:00:00Z"), profile::rules("test", &[]), 2, 1_000);
    let given = gift(&world.keys, caller(phone(1)), phone(2), 60);
    let effects = decide(&world.state, &Body::Gift(given), world.at).effects;
    let mut what_if = WhatIf::new(OperatorId(0), profile::rules("test", &[])).expect("few limits");
    let theirs = Gift { caller: Caller { operator: OperatorId(1), ..given.caller }, ..given };
    assert_eq!(what_if.gift(&world.state, world.at, &theirs, &effects), None, "it was dialled elsewhere");
    let elsewhere = Effects { operator: Some(OperatorId(1)), ..effects.clone() };
    assert_eq!(what_if.gift(&world.state, world.at, &given, &elsewhere), None, "it concerns another one");
    assert!(matches!(what_if.gift(&world.state, world.at, &given, &effects), Some(Ok(_))));
}

/// How often a type is shown in what a debugger sees; `None`: more often than that.
fn shown(what_if: &WhatIf, name: &'static str, most: usize) -> Option<usize> {
    struct Count(&'static str, usize, usize);
    impl fmt::Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.1 += usize::from(text == self.0);
            if self.1 > self.2 { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut count = Count(name, 0, most);
    write!(count, "{what_if:?}").is_ok().then_some(count.1)
}

/// A day's gifts between all pairs of 256 people, each of which counts in sixteen limits: as many rows as are kept unswept.
#[test]
fn what_can_t_matter_any_more_is_forgotten() {
    const PEOPLE: u32 = 256;
    let limits: Vec<String> = (0..16).map(|n| format!("limit l{n} gift pair count 9 business-day")).collect();
    let rules = profile::rules("test", &limits.iter().map(String::as_str).collect::<Vec<_>>());
    let people = u64::from(PEOPLE) + 1;
    let world = World::peopled(at("2020-02-01T01:00:00Z"), profile::rules("test", &[]), people, 1_000);
    let given = gift(&world.keys, caller(phone(1)), phone(2), 1);
    let entry = decide(&world.state, &Body::Gift(given), world.at).effects;
    let gives = |what_if: &mut WhatIf, from: u32, to: u32, day: i32| {
        let named = |row| Named { subscriber: SubscriberId(row), prev: Seq::ZERO };
        let gave = Change::Gave { sender: named(from), recipient: named(to), amount: minor(1) };
        let date = entry.date.plus_days(day);
        let effects = Effects { changes: [gave].into_iter().collect(), date, ..entry.clone() };
        let decided = what_if.gift(&world.state, world.at.plus_s(i64::from(day) * 86_400), &given, &effects);
        assert!(matches!(decided, Some(Ok(_))), "{from} to {to} on day {day}: {decided:?}");
    };
    let mut what_if = WhatIf::new(OperatorId(0), rules).expect("few limits");
    for (from, to) in (0..PEOPLE * PEOPLE).map(|n| (n / PEOPLE, n % PEOPLE)) {
        gives(&mut what_if, from, to, 0);
    }
    gives(&mut what_if, 0, PEOPLE, 1);
    assert_eq!(shown(&what_if, "Usage", 99), None, "no more than are kept unswept");
    gives(&mut what_if, 1, PEOPLE, 1);
    assert_eq!(shown(&what_if, "Usage", 99), Some(32), "now there are more: all but those of the day are swept");
    assert_eq!(shown(&what_if, "Repeat", 99), None, "a day's gifts are remembered for a day");
    gives(&mut what_if, 2, PEOPLE, 2);
    assert_eq!(shown(&what_if, "Usage", 99), Some(48), "so few are swept by nobody");
    assert_eq!(shown(&what_if, "Repeat", 99), Some(3), "and not for two");
}
