//! Ceilings: of whom, of what, in which window.

use expect_test::expect;

use super::check;

#[test]
fn of_the_sender_by_count_and_by_total() {
    check(
        "test from 2020-01-01
         | limit thrice gift sender count 3 business-day
         | limit hundred gift sender total 100 business-day
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-01 10:00  191…001 asks balance
         191…001 gives 101 to 191…002
         191…001 gives 60 to 191…002
         191…001 gives 41 to 191…003
         191…001 asks balance
         191…001 gives 39 to 191…003
         191…001 gives 1 to 191…004
         191…001 gives 1 to 191…004
         191…002 gives 100 to 191…001
         2020-02-02 00:00  191…001 gives 100 to 191…002",
        expect![[r#"
            card 1 1000; may send 100; airtime 0
            refused: limit hundred reached until 2020-02-02
            given 60, 940 left
            refused: limit hundred reached until 2020-02-02
            card 1 940; may send 40; airtime 0
            given 39, 901 left
            given 1, 900 left
            refused: limit thrice reached until 2020-02-02
            given 100, 900 left
            given 100, 800 left
        "#]],
    );
}

#[test]
fn of_the_recipient_by_count_and_by_total() {
    check(
        "test from 2020-01-01
         | limit twice-in gift recipient count 2 business-day
         | limit hundred-in gift recipient total 100 calendar-month
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-29 10:00  191…001 gives 50 to 191…003
         191…002 gives 51 to 191…003
         191…002 gives 50 to 191…003
         191…002 gives 1 to 191…003
         191…001 gives 50 to 191…004
         2020-03-01 00:00  191…001 gives 100 to 191…003",
        expect![[r#"
            given 50, 950 left
            refused: limit hundred-in reached until 2020-03-01
            given 50, 950 left
            refused: limit twice-in reached until 2020-03-01
            given 50, 900 left
            given 100, 800 left
        "#]],
    );
}

#[test]
fn of_a_pair_in_one_direction() {
    check(
        "test from 2020-01-01
         | limit pair gift pair count 1 days(3)
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         191…002 gives 1 to 191…001
         191…001 gives 1 to 191…003
         191…001 gives 1 to 191…002
         2020-02-03 23:59  191…001 gives 1 to 191…002
         2020-02-04 00:00  191…001 gives 1 to 191…002
         2020-02-06 23:59  191…001 gives 1 to 191…002
         2020-02-20 00:00  191…001 gives 1 to 191…002
         2020-02-22 00:00  191…001 gives 1 to 191…002",
        expect![[r#"
            given 1, 999 left
            given 1, 999 left
            given 1, 998 left
            refused: limit pair reached until 2020-02-04
            refused: limit pair reached until 2020-02-04
            given 1, 997 left
            refused: limit pair reached until 2020-02-07
            given 1, 996 left
            refused: limit pair reached until 2020-02-23
        "#]],
    );
}

#[test]
fn of_a_card_and_not_of_its_holder() {
    check(
        "test from 2020-01-01
         | limit card-total gift card total 100 business-day
         191…001 has a card with 1000
         191…001 has a card with 1000 password 730164
         2020-02-01 10:00  191…001 gives 100 to 191…002
         191…001 gives 1 to 191…002
         191…001 gives 100 to 191…002 password 730164
         191…001 gives 1 to 191…002 password 730164
         191…001 tops up 500",
        expect![[r#"
            given 100, 900 left
            refused: limit card-total reached until 2020-02-02
            given 100, 900 left
            refused: limit card-total reached until 2020-02-02
            topped up 500, 400 left, airtime 500
        "#]],
    );
}

#[test]
fn a_window_of_days_opens_with_its_first_use() {
    check(
        "test from 2020-01-01
         | limit week gift sender total 100 days(7)
         191…001 has a card with 1000
         2020-02-05 10:00  191…001 gives 40 to 191…002
         2020-02-09 10:00  191…001 gives 40 to 191…002
         2020-02-11 23:59  191…001 gives 40 to 191…002
         2020-02-12 00:00  191…001 gives 40 to 191…002
         2020-02-18 23:59  191…001 gives 60 to 191…002
         2020-02-18 23:59  191…001 gives 1 to 191…002
         2020-02-19 00:00  191…001 gives 100 to 191…002",
        expect![[r#"
            given 40, 960 left
            given 40, 920 left
            refused: limit week reached until 2020-02-12
            given 40, 880 left
            given 60, 820 left
            refused: limit week reached until 2020-02-19
            given 100, 720 left
        "#]],
    );
}

#[test]
fn of_top_ups_apart_from_gifts() {
    check(
        "test from 2020-01-01
         | limit one-top-up top-up sender count 1 business-day
         | limit card-top-up top-up card total 50 calendar-month
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 tops up 51
         191…001 tops up 50
         191…001 tops up 50
         2020-02-02 10:00  191…001 tops up 1
         191…001 gives 50 to 191…002
         191…001 gives 50 to 191…002
         2020-03-01 00:00  191…001 tops up 50",
        expect![[r#"
            refused: limit card-top-up reached until 2020-03-01
            topped up 50, 950 left, airtime 50
            refused: limit one-top-up reached until 2020-02-02
            refused: limit card-top-up reached until 2020-03-01
            given 50, 900 left
            given 50, 850 left
            topped up 50, 800 left, airtime 100
        "#]],
    );
}

#[test]
fn the_first_in_the_profile_is_named() {
    check(
        "test from 2020-01-01
         | limit b gift sender total 10 calendar-month
         | limit a gift sender total 10 business-day
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 11 to 191…002",
        expect![[r#"
            refused: limit b reached until 2020-03-01
        "#]],
    );
}

#[test]
fn a_refused_gift_uses_nothing_and_fees_are_not_counted() {
    check(
        "test from 2020-01-01
         | limit ten gift sender total 10 business-day
         | recipient_balance_max = 100
         | gift_fee = { flat = 5 }
         191…001 has a card with 1000
         191…002 has a card with 100
         2020-02-01 10:00  191…002 tops up 95
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…003
         191…001 gives 1 to 191…003",
        expect![[r#"
            topped up 95, 5 left, airtime 95
            refused: recipient-balance-max, room for 5
            given 10 for a fee of 5, 985 left
            refused: limit ten reached until 2020-02-02
        "#]],
    );
}

#[test]
fn how_much_may_still_be_sent() {
    check(
        "test from 2020-01-01
         | amount_max = 500
         | limit two gift sender count 2 business-day
         | limit month gift card total 900 calendar-month
         | limit pair gift pair count 1 calendar-month
         | period closed-for-good from 2020-03-01
         | closed = true
         191…001 has a card with 5000
         2020-02-01 10:00  191…001 asks balance
         191…001 gives 300 to 191…002
         191…001 asks balance
         191…001 gives 500 to 191…003
         191…001 asks balance
         2020-02-02 10:00  191…001 asks balance
         2020-03-01 00:00  191…001 asks balance",
        expect![[r#"
            card 1 5000; may send 900; airtime 0
            given 300, 4700 left
            card 1 4700; may send 500; airtime 0
            given 500, 4200 left
            card 1 4200; may send 0; airtime 0
            card 1 4200; may send 100; airtime 0
            card 1 4200; may send 0; airtime 0
        "#]],
    );
}

#[test]
fn only_limits_of_gifts_that_hold_now_say_how_much_may_be_sent() {
    check(
        "test from 2020-01-01
         | limit all gift sender total 500 business-day
         | limit own top-up sender total 100 business-day
         | limit soon gift sender total 200 business-day from 2020-02-02
         191…001 has a card with 5000
         2020-02-01 10:00  191…001 asks balance
         2020-02-02 00:00  191…001 asks balance",
        expect![[r#"
            card 1 5000; may send 500; airtime 0
            card 1 5000; may send 200; airtime 0
        "#]],
    );
}

#[test]
fn pair_usage_outlives_its_generation() {
    // The longest pair window is 31 days, so a generation is as well: usage from before a turn still counts after it.
    check(
        "test from 2020-01-01
         | limit pair gift pair count 1 calendar-month
         191…001 has a card with 1000
         2020-01-01 10:00  191…001 gives 1 to 191…002
         2020-01-31 10:00  191…001 gives 1 to 191…003
         2020-02-01 10:00  191…001 gives 1 to 191…002
         2020-02-01 10:00  191…001 gives 1 to 191…003
         2020-02-29 10:00  191…001 gives 1 to 191…002
         2020-03-31 10:00  191…001 gives 1 to 191…002
         2020-03-31 10:00  191…001 gives 1 to 191…002
         2020-04-01 10:00  191…001 gives 1 to 191…003
         2020-04-30 10:00  191…001 gives 1 to 191…003",
        expect![[r#"
            given 1, 999 left
            given 1, 998 left
            given 1, 997 left
            given 1, 996 left
            refused: limit pair reached until 2020-03-01
            given 1, 995 left
            refused: limit pair reached until 2020-04-01
            given 1, 994 left
            refused: limit pair reached until 2020-05-01
        "#]],
    );
}
