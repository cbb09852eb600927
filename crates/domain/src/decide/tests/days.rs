//! Days: when they begin and end, and which rules hold on them.

use expect_test::expect;

use super::check;

#[test]
fn one_gift_a_day() {
    check(
        "koryolink from 2020-06-08: one gift a day, at most 500
         191…001 has a card with 1000
         2020-06-08 23:59  191…001 gives 500 to 191…002
         2020-06-08 23:59  191…001 gives 100 to 191…002
         2020-06-09 00:00  191…001 gives 100 to 191…002",
        expect![[r#"
            given 500, 500 left
            refused: limit one-a-day reached until 2020-06-09
            given 100, 400 left
        "#]],
    );
}

#[test]
fn a_day_of_24_and_a_half_hours_is_one_day() {
    check(
        "test from 2015-08-01
         | limit one-a-day gift sender count 1 business-day
         191…001 has a card with 1000
         2015-08-13T15:00:00Z  191…001 gives 1 to 191…002
         2015-08-14T14:59:59Z  191…001 gives 2 to 191…002
         2015-08-14T15:00:00Z  191…001 gives 3 to 191…002
         2015-08-14T15:29:59Z  191…001 gives 4 to 191…002
         2015-08-14T15:30:00Z  191…001 gives 5 to 191…002
         2015-08-15T15:29:59Z  191…001 gives 6 to 191…002
         2015-08-15T15:30:00Z  191…001 gives 7 to 191…002",
        expect![[r#"
            given 1, 999 left
            refused: limit one-a-day reached until 2015-08-15
            refused: limit one-a-day reached until 2015-08-15
            refused: limit one-a-day reached until 2015-08-15
            given 5, 994 left
            refused: limit one-a-day reached until 2015-08-16
            given 7, 987 left
        "#]],
    );
}

#[test]
fn a_day_of_23_and_a_half_hours_is_one_day() {
    check(
        "test from 2018-05-01
         | limit one-a-day gift sender count 1 business-day
         191…001 has a card with 1000
         2018-05-03T15:29:59Z  191…001 gives 1 to 191…002
         2018-05-03T15:30:00Z  191…001 gives 2 to 191…002
         2018-05-04T14:59:59Z  191…001 gives 3 to 191…002
         2018-05-04T15:00:00Z  191…001 gives 4 to 191…002
         2018-05-05T14:59:59Z  191…001 gives 5 to 191…002
         2018-05-05T15:00:00Z  191…001 gives 6 to 191…002",
        expect![[r#"
            given 1, 999 left
            given 2, 997 left
            refused: limit one-a-day reached until 2018-05-05
            given 4, 993 left
            refused: limit one-a-day reached until 2018-05-06
            given 6, 987 left
        "#]],
    );
}

#[test]
fn a_business_date_never_runs_backwards() {
    // St John's put its clocks back at 00:01, to 23:01 of the day before: the date would come twice.
    check(
        "test from 2010-11-01
         | zone America/St_Johns
         | limit one-a-day gift sender count 1 business-day
         191…001 has a card with 1000
         191…003 has a card with 1000
         2010-11-07T02:29:59Z  191…001 gives 1 to 191…002
         2010-11-07T02:30:30Z  191…001 gives 2 to 191…002
         2010-11-07T02:31:00Z  191…001 gives 3 to 191…002
         2010-11-07T03:29:00Z  191…003 gives 4 to 191…002
         2010-11-07T03:30:00Z  191…001 gives 5 to 191…002
         2010-11-08T03:29:59Z  191…001 gives 6 to 191…002
         2010-11-08T03:30:00Z  191…001 gives 7 to 191…002",
        expect![[r#"
            given 1, 999 left
            given 2, 997 left
            refused: limit one-a-day reached until 2010-11-08
            given 4, 996 left
            refused: limit one-a-day reached until 2010-11-08
            refused: limit one-a-day reached until 2010-11-08
            given 7, 990 left
        "#]],
    );
}

#[test]
fn to_the_same_person_once_a_month() {
    check(
        "koryolink from 2022-01-01
         191…001 has a card with 5000
         2022-01-31 23:59  191…001 gives 500 to 191…002
         2022-02-01 00:00  191…001 gives 500 to 191…002
         2022-02-01 00:00  191…001 gives 400 to 191…003
         2022-02-02 12:00  191…001 gives 400 to 191…002
         2022-02-02 12:00  191…001 gives 400 to 191…003
         2022-02-28 23:59  191…001 gives 400 to 191…002
         2022-03-01 00:00  191…001 gives 400 to 191…002
         2022-03-01 00:00  191…001 tops up 500
         2022-03-01 00:04:59  191…001 tops up 500
         2022-03-01 00:05  191…001 tops up 500
         2022-03-02 00:00  191…001 tops up 501
         2022-03-02 00:00  191…001 tops up 500",
        expect![[r#"
            given 500, 4500 left
            refused: repeated, given 2022-01-31 23:59:00, receipt 5-09, again at 2022-02-01 00:04:00
            given 400, 4100 left
            given 400, 3700 left
            refused: limit one-a-day reached until 2022-02-03
            refused: limit same-person-once-a-month reached until 2022-03-01
            given 400, 3300 left
            topped up 500, 2800 left, airtime 500
            refused: repeated, given 2022-03-01 00:00:00, receipt C-6R, again at 2022-03-01 00:05:00
            refused: limit one-top-up-a-day reached until 2022-03-02
            refused: amount-above-maximum, 500
            topped up 500, 2300 left, airtime 1000
        "#]],
    );
}

#[test]
fn in_may_2020_a_gift_cost_4() {
    check(
        "koryolink from 2020-04-01
         191…001 has a card with 461
         2020-04-30 23:59:59  191…001 gives 1 to 191…002
         2020-05-01 00:00     191…001 gives 151 to 191…002
         2020-05-01 00:00     191…001 gives 150 to 191…002
         00:06  191…001 gives 150 to 191…002
         00:12  191…001 gives 150 to 191…002
         00:12  191…001 gives 149 to 191…002
         00:12  191…001 gives 1 to 191…002",
        expect![[r#"
            refused: service-closed, no period
            refused: amount-above-maximum, 150
            given 150 for a fee of 4, 307 left
            given 150 for a fee of 4, 153 left
            refused: insufficient-funds, short by 1
            given 149 for a fee of 4, 0 left
            refused: insufficient-funds, short by 5
        "#]],
    );
}

#[test]
fn on_1_july_2020_gifts_end_and_cards_are_void_the_same_afternoon() {
    check(
        "koryolink from 2020-06-08
         191…001 has a card with 1000
         191…003 has a card with 1000
         koryolink issues 700
         191…003 freezes
         2020-07-01 11:59:59  191…001 gives 500 to 191…002
         12:00  191…001 gives 100 to 191…002
         12:00  191…001 tops up 100
         12:00  191…001 asks balance
         12:00  191…001 changes 482913 to 730164
         12:00  191…002 binds card-3
         2021-12-31 23:59:59  191…001 gives 100 to 191…002
         2022-01-01 00:00  191…001 gives 100 to 191…002
         191…001 asks balance
         191…002 binds card-3
         191…003 gives 100 to 191…002
         care thaws card-2
         191…003 gives 100 to 191…002
         koryolink issues 800
         191…001 binds card-4 
         191…001 gives 100 to 191…002
         191…001 asks balance",
        expect![[r#"
            issued 1 from card 3
            card 2 frozen
            given 500, 500 left
            refused: service-closed, kp-2020-07
            refused: service-closed, kp-2020-07
            card 1 500 (not usable); may send 0; airtime 0
            refused: card-not-usable, void
            refused: card-not-usable, void
            refused: service-closed, kp-2020-07
            refused: card-not-usable, void
            card 1 500 (not usable); may send 500; airtime 0
            refused: card-not-usable, void
            refused: card-not-usable, frozen
            card changed
            refused: card-not-usable, void
            issued 1 from card 4
            card 4 bound, 800 on it
            given 100, 700 left
            card 1 500 (not usable), card 4 700; may send 0; airtime 0
        "#]],
    );
}

#[test]
fn a_limit_may_begin_and_end_within_a_day() {
    check(
        "test from 2020-01-01
         | limit afternoon gift sender total 100 business-day from 2020-07-01T12:00:00 until 2020-07-01T18:00:00+09:00
         191…001 has a card with 1000
         2020-07-01 11:59:59  191…001 gives 300 to 191…002
         12:00  191…001 gives 101 to 191…002
         12:00  191…001 gives 60 to 191…002
         17:59:59  191…001 gives 41 to 191…002
         17:59:59  191…001 gives 40 to 191…002
         18:00  191…001 gives 300 to 191…002",
        expect![[r#"
            given 300, 700 left
            refused: limit afternoon reached until 2020-07-02
            given 60, 640 left
            refused: limit afternoon reached until 2020-07-02
            given 40, 600 left
            given 300, 300 left
        "#]],
    );
}

#[test]
fn rules_load_at_once_and_keep_what_was_used() {
    check(
        "test from 2020-01-01
         | limit one-a-day gift sender count 1 business-day
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 10 to 191…002
         test loads
         | limit one-a-day gift sender count 2 business-day
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002
         test loads
         191…001 gives 10 to 191…002
         test loads
         | limit one-a-day gift sender count 3 business-day
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002
         test loads
         | limit two-a-day gift sender count 2 business-day
         191…001 gives 10 to 191…002",
        expect![[r#"
            given 10, 990 left
            rules loaded
            given 10, 980 left
            refused: limit one-a-day reached until 2020-02-02
            rules loaded
            given 10, 970 left
            rules loaded
            given 10, 960 left
            refused: limit one-a-day reached until 2020-02-02
            rules loaded
            given 10, 950 left
        "#]],
    );
}

#[test]
fn a_card_issued_when_others_become_void_is_good() {
    check(
        "test from 2020-01-01
         | period anew from 2020-07-01T12:00:00
         | cards_void = true
         2020-07-01 11:59:59  test issues 100
         12:00  test issues 100
         191…001 binds card-1
         191…001 binds card-2
         191…001 gives 10 to 191…002",
        expect![[r#"
            issued 1 from card 1
            issued 1 from card 2
            refused: card-not-usable, void
            card 2 bound, 100 on it
            given 10, 90 left
        "#]],
    );
}
