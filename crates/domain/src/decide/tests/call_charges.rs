//! What calls cost and set aside: minutes begun, free ones first, never more than there is, at the price of their beginning.

use expect_test::{Expect, expect};

use super::say;
use super::script::{STAFF, number, play};
use crate::decide::call_price;
use crate::office::Asked;
use crate::office::call::CallCommand;
use crate::office::done::OfficeDone;
use crate::receipt::Seq;
use crate::testing::asked;
use crate::time::Zone;
use crate::verdict::{Done, Outcome};

/// Plays what one phone's charging system asks after the script, line by line: `reserve 61 cross`, `extend 60`, `commit 30`,
/// `release`, `consume 61`, `price 61`; the middle three are about the latest call that was reserved. `later 60` lets time
/// pass, any other line is one of the script's.
#[track_caller]
fn check(script: &str, acts: &str, expected: Expect) {
    let mut stage = play(script);
    let zone = Zone::parse("Asia/Pyongyang").expect("a zone");
    let msisdn = number("191…001").expect("a number");
    let (mut call, mut said) = (Seq::ZERO, String::new());
    for line in acts.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let cross = words.last() == Some(&"cross");
        let seconds = words.get(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        let command = match words[0] {
            "reserve" => CallCommand::Reserve { msisdn, cross, seconds },
            "extend" => CallCommand::Extend { call, seconds },
            "commit" => CallCommand::Commit { call, seconds },
            "release" => CallCommand::Release { call },
            "consume" => CallCommand::Consume { msisdn, cross, seconds },
            "price" => {
                let price = call_price(&stage.world.state, msisdn, cross, seconds);
                said += &match price {
                    None => String::from("no price\n"),
                    Some(Err(refusal)) => format!("{}\n", refusal.name()),
                    Some(Ok(price)) => {
                        let (all, free) = (price.minutes, price.free_minutes);
                        format!("{all} minutes, {free} free, {} of {}\n", price.price_minor, price.airtime_minor)
                    }
                };
                continue;
            }
            "later" => {
                stage.world.at = stage.world.at.plus_s(i64::from(seconds));
                continue;
            }
            _ => {
                stage.line(line, &[]);
                continue;
            }
        };
        let body = asked(STAFF, Asked::Call(command));
        let outcome = stage.world.act(&body).outcome;
        if let Outcome::Done(Done::Office(done)) = &outcome
            && let OfficeDone::CallReserved { call: reserved, .. } = **done
        {
            call = reserved;
        }
        said += &say::outcome(&outcome, &body, &zone);
        said += "\n";
    }
    expected.assert_eq(&said);
}

/// A minute costs 4, to another network half as much again; the phone has 100.
const PAID: &str = "test from 2020-06-01
    | tariff cross_network = \"3/2\"
    191…001 has a card with 1000
    2020-06-10 10:00  191…001 tops up 100";
/// The same with ten free minutes a month.
const FREE: &str = "test from 2020-06-01
    | tariff cross_network = \"3/2\"
    | tariff free_minutes_per_month = 10
    191…001 has a card with 1000
    2020-06-10 10:00  191…001 tops up 100";

#[test]
fn a_minute_begun_is_a_minute_paid() {
    check(
        PAID,
        "price 0
         price 1
         price 60
         price 61 cross
         price 86400
         consume 1
         consume 60 cross
         consume 61
         consume 1260
         consume 1261
         price 1261",
        expect![[r#"
            seconds-out-of-range
            1 minutes, 0 free, 4 of 100
            1 minutes, 0 free, 4 of 100
            2 minutes, 0 free, 12 of 100
            1440 minutes, 0 free, 5760 of 100
            charged 4, 0 free minutes, airtime 96
            charged 6, 0 free minutes, airtime 90
            charged 8, 0 free minutes, airtime 82
            refused: airtime-short, short by 2
            refused: airtime-short, short by 6
            22 minutes, 0 free, 88 of 82
        "#]],
    );
}

#[test]
fn free_minutes_come_first_and_within_the_network_only() {
    check(
        FREE,
        "price 540
         price 660
         price 660 cross
         consume 60 cross
         consume 540
         price 120
         consume 120
         price 60
         later 1814400
         consume 60
         price 600",
        expect![[r#"
            9 minutes, 9 free, 0 of 100
            11 minutes, 10 free, 4 of 100
            11 minutes, 0 free, 66 of 100
            charged 6, 0 free minutes, airtime 94
            charged 0, 9 free minutes, airtime 94
            2 minutes, 1 free, 4 of 94
            charged 4, 1 free minutes, airtime 90
            1 minutes, 0 free, 4 of 90
            charged 0, 1 free minutes, airtime 90
            10 minutes, 9 free, 4 of 90
        "#]],
    );
}

#[test]
fn a_call_takes_what_there_is_and_gives_back_what_was_not_talked() {
    check(
        PAID,
        "reserve 86400
         price 60
         reserve 60
         commit 1501
         commit 61
         reserve 1500
         release
         reserve 960 cross
         reserve 60 cross
         reserve 60
         release
         price 60",
        expect![[r#"
            call 6: 1500 s, 0 free minutes, 100 held
            1 minutes, 0 free, 4 of 0
            refused: airtime-short, short by 4
            refused: call-beyond-grant, 1500 s
            charged 8, 0 free minutes, airtime 92
            call 10: 1380 s, 0 free minutes, 92 held
            charged 0, 0 free minutes, airtime 92
            call 12: 900 s, 0 free minutes, 90 held
            refused: airtime-short, short by 4
            refused: airtime-short, short by 2
            charged 0, 0 free minutes, airtime 92
            1 minutes, 0 free, 4 of 92
        "#]],
    );
}

/// The last of the airtime may be talked away; what is missing is told without the minutes that are free.
#[test]
fn a_call_that_is_charged_at_once_may_take_all_there_is() {
    check(
        PAID,
        "consume 1500
         consume 1",
        expect![[r#"
            charged 100, 0 free minutes, airtime 0
            refused: airtime-short, short by 4
        "#]],
    );
    check(
        FREE,
        "consume 2160
         consume 2100
         price 60",
        expect![[r#"
            refused: airtime-short, short by 4
            charged 100, 10 free minutes, airtime 0
            1 minutes, 0 free, 4 of 0
        "#]],
    );
}

#[test]
fn a_call_goes_on_as_long_as_there_is_airtime() {
    check(
        PAID,
        "reserve 90
         extend 30
         extend 0
         extend 86401
         extend 1
         extend 1379
         extend 1
         commit 1500
         price 60",
        expect![[r#"
            call 6: 90 s, 0 free minutes, 8 held
            call 6: 120 s, 0 free minutes, 8 held
            refused: seconds-out-of-range, 86400
            refused: seconds-out-of-range, 86400
            call 6: 121 s, 0 free minutes, 12 held
            call 6: 1500 s, 0 free minutes, 100 held
            refused: airtime-short, short by 4
            charged 100, 0 free minutes, airtime 0
            1 minutes, 0 free, 4 of 0
        "#]],
    );
}

#[test]
fn a_call_goes_on_with_free_minutes_while_there_are_any() {
    check(
        FREE,
        "reserve 480
         extend 60
         extend 120
         price 60
         commit 541
         price 60
         price 120
         reserve 60 cross
         extend 60
         release
         price 60",
        expect![[r#"
            call 6: 480 s, 8 free minutes, 0 held
            call 6: 540 s, 9 free minutes, 0 held
            call 6: 660 s, 10 free minutes, 4 held
            1 minutes, 0 free, 4 of 96
            charged 0, 10 free minutes, airtime 100
            1 minutes, 0 free, 4 of 100
            2 minutes, 0 free, 8 of 100
            call 10: 60 s, 0 free minutes, 6 held
            call 10: 120 s, 0 free minutes, 12 held
            charged 0, 0 free minutes, airtime 100
            1 minutes, 0 free, 4 of 100
        "#]],
    );
}

#[test]
fn a_call_that_is_over_is_nobody_s() {
    check(
        PAID,
        "reserve 60
         later 7199
         extend 60
         later 7199
         price 60
         later 1
         extend 60
         commit 60
         release",
        expect![[r#"
            call 6: 60 s, 0 free minutes, 4 held
            call 6: 120 s, 0 free minutes, 8 held
            1 minutes, 0 free, 4 of 92
            refused: call-unknown
            refused: call-unknown
            refused: call-unknown
        "#]],
    );
}

/// An extension begins the time anew: without it the call would have been over long before.
#[test]
fn a_call_that_was_extended_is_its_caller_s_for_longer() {
    check(
        PAID,
        "reserve 60
         later 7199
         extend 60
         later 7199
         commit 61",
        expect![[r#"
            call 6: 60 s, 0 free minutes, 4 held
            call 6: 120 s, 0 free minutes, 8 held
            charged 8, 0 free minutes, airtime 92
        "#]],
    );
}

#[test]
fn who_may_call() {
    check(
        PAID,
        "care bars 191…001
         price 60
         reserve 60
         consume 60
         care unbars 191…001
         reserve 60
         care bars 191…001
         commit 60
         care releases 191…001
         price 60
         reserve 60
         consume 60",
        expect![[r#"
            1 minutes, 0 free, 4 of 100
            refused: caller-barred
            refused: caller-barred
            call 10: 60 s, 0 free minutes, 4 held
            charged 4, 0 free minutes, airtime 96
            no price
            refused: subscriber-unknown
            refused: subscriber-unknown
        "#]],
    );
}
