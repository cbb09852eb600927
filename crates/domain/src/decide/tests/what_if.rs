//! Gifts of a script, decided again under other rules.

use expect_test::{Expect, expect};

use super::profile;
use super::script::play;
use crate::command::Body;
use crate::decide::what_if::{WhatIf, always};
use crate::ids::OperatorId;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::State;
use crate::verdict::{Done, Outcome};

/// Plays a script and says what each of its gifts would have been under `rules`.
#[track_caller]
fn check(script: &str, rules: &[&str], expected: Expect) {
    check_rules(script, profile::rules("test", rules), expected);
}

#[track_caller]
fn check_rules(script: &str, rules: Rules, expected: Expect) {
    let world = play(script).world;
    let mut what_if = WhatIf::new(OperatorId(0), rules).expect("few limits");
    let (mut state, mut said) = (State::default(), String::new());
    for kept in &world.journal {
        let entry = kept.entry();
        let taken = matches!(entry.verdict.outcome, Outcome::Done(Done::Given { .. } | Done::Held { .. }));
        if let (Body::Gift(gift), true) = (&entry.body, taken) {
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
