//! Which card pays, and what a card goes through: frozen, expired, void.

use expect_test::expect;

use super::check;

#[test]
fn of_several_that_match_the_usable_one_bound_first_pays() {
    check(
        "test from 2020-01-01
         test issues 100 200
         191…001 has a card with 300
         2020-02-01 10:00  191…001 binds card-2
         191…001 binds card-1
         191…001 gives 10 to 191…002
         care freezes card-3
         191…001 gives 10 to 191…002
         191…001 asks balance
         191…001 freezes
         191…001 gives 10 to 191…002
         191…001 freezes
         191…001 gives 10 to 191…002
         care thaws card-2
         191…001 gives 10 to 191…002
         care thaws card-3
         191…001 gives 10 to 191…002",
        expect![[r#"
            issued 2 from card 1
            card 2 bound, 200 on it
            card 1 bound, 100 on it
            given 10, 290 left
            card changed
            given 10, 190 left
            card 3 290 (not usable), card 2 190, card 1 100; may send anything; airtime 0
            card 2 frozen
            given 10, 90 left
            card 1 frozen
            refused: card-not-usable, frozen
            card changed
            given 10, 180 left
            card changed
            given 10, 280 left
        "#]],
    );
}

#[test]
fn the_password_picks_the_card() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…001 has a card with 200 password 730164
         2020-02-01 10:00  191…001 gives 150 to 191…002 password 730164
         191…001 gives 10 to 191…002
         191…001 freezes password 730164
         191…001 gives 10 to 191…002 password 730164
         191…001 gives 10 to 191…002
         191…001 changes 482913 to 615243
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002 password 615243",
        expect![[r#"
            given 150, 50 left
            given 10, 90 left
            card 2 frozen
            refused: card-not-usable, frozen
            given 10, 80 left
            password changed
            refused: wrong-password, 2 left
            given 10, 70 left
        "#]],
    );
}

#[test]
fn a_frozen_card_is_named_as_such_and_its_password_still_counts() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         2020-02-01 10:00  191…001 freezes
         191…001 freezes
         191…001 gives 10 to 191…002 password 111111 times 2
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002 password 111111
         191…001 tops up 10
         191…001 changes 482913 to 730164
         191…001 undoes
         191…001 asks balance
         191…001 asks history
         care freezes card-1
         care thaws card-1
         care thaws card-1
         191…001 gives 10 to 191…002",
        expect![[r#"
            card 1 frozen
            refused: card-not-usable, frozen
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: card-not-usable, frozen
            refused: wrong-password, 2 left
            refused: card-not-usable, frozen
            refused: card-not-usable, frozen
            refused: card-not-usable, frozen
            card 1 100 (not usable); may send anything; airtime 0
            show-gifts < show-cards < undo (refused) < change-password (refused) < top-up (refused) < gift (refused) < gift (refused) < gift (refused) < gift (refused) < freeze (refused) < freeze < bind < import-subscribers
            refused: card-state-forbids, frozen
            card changed
            refused: card-state-forbids, bound
            given 10, 90 left
        "#]],
    );
}

#[test]
fn void_is_for_good() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         test issues 50 60
         2020-02-01 10:00  care voids card-1
         191…001 gives 10 to 191…002
         191…001 asks balance
         care thaws card-1
         care freezes card-1
         care voids card-1
         191…002 binds card-2
         care freezes card-2
         care voids card-2
         191…002 gives 10 to 191…001
         care freezes card-3
         care thaws card-3
         care voids card-3
         191…002 binds card-3
         191…002 binds card-3 password 111111
         care voids card-9
         care unblocks card-9",
        expect![[r#"
            issued 2 from card 2
            card changed
            refused: card-not-usable, void
            card 1 100 (not usable); may send anything; airtime 0
            refused: card-state-forbids, void
            refused: card-state-forbids, void
            refused: card-state-forbids, void
            card 2 bound, 50 on it
            card changed
            card changed
            refused: card-not-usable, void
            refused: card-state-forbids, sold
            refused: card-state-forbids, sold
            card changed
            refused: card-not-usable, void
            refused: wrong-password, 2 left
            refused: card-unknown
            refused: card-unknown
        "#]],
    );
}

#[test]
fn a_card_expires_by_the_instant_and_then_by_its_timer() {
    check(
        "test from 2020-01-01
         | standing card_valid_days = 30
         191…001 has a card with 100
         test issues 70
         2020-01-30 23:59:59  191…001 gives 10 to 191…002
         card-1 expires
         2020-01-31 00:00  191…001 gives 10 to 191…002
         191…001 tops up 10
         191…001 asks balance
         191…002 binds card-2
         191…002 binds card-2 password 111111
         card-1 expires
         card-1 expires
         card-2 expires
         card-9 expires
         191…001 gives 10 to 191…002
         191…001 asks balance
         191…001 gives 10 to 191…002 password 111111
         191…002 binds card-2
         care thaws card-1
         care voids card-1
         191…001 asks history",
        expect![[r#"
            issued 1 from card 2
            given 10, 90 left
            refused: nothing-to-change
            refused: card-not-usable, expired
            refused: card-not-usable, expired
            card 1 90 (not usable); may send anything; airtime 0
            refused: card-not-usable, expired
            refused: wrong-password, 2 left
            card expired, 90 to breakage
            refused: card-state-forbids, expired
            card expired, 70 to breakage
            refused: card-unknown
            refused: card-not-usable, expired
            card 1 0 (not usable); may send anything; airtime 0
            refused: wrong-password, 2 left
            refused: card-not-usable, expired
            refused: card-state-forbids, expired
            refused: card-state-forbids, expired
            show-gifts < change-card (refused) < change-card (refused) < gift (refused) < show-cards < gift (refused) < expire-card (refused) < expire-card < show-cards < top-up (refused) < gift (refused) < expire-card (refused) < gift < bind < import-subscribers
        "#]],
    );
}

#[test]
fn frozen_and_void_cards_expire_too_where_there_is_anything_to_expire() {
    check(
        "test from 2020-01-01
         | standing card_valid_days = 30
         191…001 has a card with 100
         191…002 has a card with 100
         2020-01-15 10:00  191…001 freezes
         care voids card-2
         2020-02-15 10:00  191…001 gives 10 to 191…003
         191…002 gives 10 to 191…003
         card-1 expires
         card-2 expires
         191…001 gives 10 to 191…003
         191…002 gives 10 to 191…003",
        expect![[r#"
            card 1 frozen
            card changed
            refused: card-not-usable, frozen
            refused: card-not-usable, void
            card expired, 100 to breakage
            refused: card-state-forbids, void
            refused: card-not-usable, expired
            refused: card-not-usable, void
        "#]],
    );
}

#[test]
fn a_day_of_an_expiry_begins_where_the_operator_is() {
    check(
        "test from 2015-07-16
         | standing card_valid_days = 30
         191…001 has a card with 100
         2015-08-14T15:29:59Z  191…001 gives 10 to 191…002
         2015-08-14T15:30:00Z  191…001 gives 10 to 191…002",
        expect![[r#"
            given 10, 90 left
            refused: card-not-usable, expired
        "#]],
    );
}

#[test]
fn there_is_nothing_to_undo_yet() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         2020-02-01 10:00  191…001 undoes
         191…001 gives 10 to 191…002
         191…001 undoes
         191…001 undoes password 111111
         191…002 undoes",
        expect![[r#"
            refused: nothing-to-undo
            given 10, 90 left
            refused: nothing-to-undo
            refused: wrong-password, 2 left
            refused: no-card
        "#]],
    );
}

#[test]
fn a_redial_is_said_to_be_given_and_not_given_twice() {
    check(
        "test from 2020-01-01
         | standing repeat_window_s = 300
         | limit twice gift sender count 2 business-day
         191…001 has a card with 100
         2020-02-01 10:00  191…001 gives 10 to 191…002
         10:04:59  191…001 gives 10 to 191…002
         10:04:59  191…001 gives 11 to 191…002
         10:05  191…001 gives 10 to 191…003
         10:05  191…001 gives 10 to 191…002
         2020-02-02 10:00  191…001 gives 10 to 191…002
         10:05  191…001 gives 10 to 191…002
         10:09:59  191…001 gives 10 to 191…002",
        expect![[r#"
            given 10, 90 left
            refused: repeated, given 2020-02-01 10:00:00, receipt 5-09, again at 2020-02-01 10:05:00
            given 11, 79 left
            refused: limit twice reached until 2020-02-02
            refused: limit twice reached until 2020-02-02
            given 10, 69 left
            given 10, 59 left
            refused: repeated, given 2020-02-02 10:05:00, receipt B-KG, again at 2020-02-02 10:10:00
        "#]],
    );
}

#[test]
fn a_redialled_top_up_is_said_to_be_done_and_not_done_twice() {
    check(
        "test from 2020-01-01
         | standing repeat_window_s = 300
         191…001 has a card with 100
         191…002 has a card with 100
         2020-02-01 10:00  191…001 tops up 10
         191…001 tops up 10
         191…001 gives 10 to 191…002
         191…002 tops up 10
         191…002 gives 10 to 191…001
         10:04:59  191…001 tops up 10
         10:04:59  191…001 tops up 11
         10:05  191…001 tops up 10
         10:09:59  191…001 tops up 10
         10:10  191…001 tops up 10",
        expect![[r#"
            topped up 10, 90 left, airtime 10
            refused: repeated, given 2020-02-01 10:00:00, receipt 7-6P, again at 2020-02-01 10:05:00
            given 10, 80 left
            topped up 10, 90 left, airtime 20
            given 10, 80 left
            refused: repeated, given 2020-02-01 10:00:00, receipt 7-6P, again at 2020-02-01 10:05:00
            topped up 11, 69 left, airtime 31
            topped up 10, 59 left, airtime 41
            refused: repeated, given 2020-02-01 10:05:00, receipt E-D5, again at 2020-02-01 10:10:00
            topped up 10, 49 left, airtime 51
        "#]],
    );
}

#[test]
fn a_refused_top_up_is_no_repetition_and_no_window_is_no_guard() {
    check(
        "test from 2020-01-01
         | standing repeat_window_s = 86400
         191…001 has a card with 100
         2020-02-01 10:00  191…001 tops up 101
         191…001 tops up 101
         191…001 tops up 10
         2020-02-02 09:59:59  191…001 tops up 10
         10:00  191…001 tops up 10
         test loads
         | standing repeat_window_s = 0
         191…001 tops up 10 times 2",
        expect![[r#"
            refused: insufficient-funds, short by 1
            refused: insufficient-funds, short by 1
            topped up 10, 90 left, airtime 10
            refused: repeated, given 2020-02-01 10:00:00, receipt 7-6P, again at 2020-02-02 10:00:00
            topped up 10, 80 left, airtime 20
            rules loaded
            topped up 10, 70 left, airtime 30
            topped up 10, 60 left, airtime 40
        "#]],
    );
}

#[test]
fn a_refused_gift_is_no_repetition() {
    check(
        "test from 2020-01-01
         | standing repeat_window_s = 86400
         191…001 has a card with 100
         2020-02-01 10:00  191…001 gives 101 to 191…002
         191…001 gives 101 to 191…002
         191…001 gives 10 to 191…002
         2020-02-02 09:59:59  191…001 gives 10 to 191…002
         10:00  191…001 gives 10 to 191…002
         2020-02-03 09:59:59  191…001 gives 10 to 191…002",
        expect![[r#"
            refused: insufficient-funds, short by 1
            refused: insufficient-funds, short by 1
            given 10, 90 left
            refused: repeated, given 2020-02-01 10:00:00, receipt 7-6P, again at 2020-02-02 10:00:00
            given 10, 80 left
            refused: repeated, given 2020-02-02 10:00:00, receipt 9-D3, again at 2020-02-03 10:00:00
        "#]],
    );
}
