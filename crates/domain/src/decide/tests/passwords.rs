//! Changing a password, and changing the keys that tags are made with.

use expect_test::expect;

use super::check;

#[test]
fn a_new_password_works_from_then_on() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         2020-02-01 10:00  191…001 changes 482913 to 730164
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002 password 730164
         191…001 changes 730164 to 482913
         191…001 gives 10 to 191…002",
        expect![[r#"
            password changed
            refused: wrong-password, 2 left
            given 10, 90 left
            password changed
            given 10, 80 left
        "#]],
    );
}

#[test]
fn what_the_edge_saw_in_a_new_password() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         2020-02-01 10:00  191…001 changes 482913 to 73016
         191…001 changes 482913 to 730164 and 730165
         191…001 changes 482913 to 123456
         191…001 changes 482913 to 482913
         191…001 changes 111111 to 123456
         191…001 changes 48291 to 730164
         191…001 gives 10 to 191…002
         191…002 changes 482913 to 730164
         191…009 is nobody yet
         191…009 changes 482913 to 730164",
        expect![[r#"
            refused: new-password-malformed
            refused: new-passwords-differ
            refused: new-password-trivial
            refused: new-password-same
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            given 10, 90 left
            refused: no-card
            refused: caller-unknown
        "#]],
    );
}

#[test]
fn a_password_can_t_be_changed_after_a_sim_change() {
    check(
        "koryolink from 2020-06-08
         191…001 has SIM 467050000000001
         191…001 has a card with 100
         2020-06-10 10:00  care gives 191…001 SIM 467050000000002
         191…001 changes 482913 to 730164
         191…001 freezes
         2020-06-12 10:00  care thaws card-1
         191…001 changes 482913 to 730164",
        expect![[r#"
            subscriber changed
            refused: caller-resting, until 2020-06-12 10:00:00
            card 1 frozen
            card changed
            password changed
        "#]],
    );
}

#[test]
fn a_tag_under_the_older_key_is_rewritten_by_its_first_use() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…002 has a card with 100
         2020-02-01 10:00  keys rotate
         191…001 gives 10 to 191…003
         keys retire
         191…001 gives 10 to 191…003
         191…002 gives 10 to 191…003",
        expect![[r#"
            given 10, 90 left
            given 10, 80 left
            refused: wrong-password, 2 left
        "#]],
    );
}

#[test]
fn a_refused_use_rewrites_as_well() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…002 has a card with 100
         191…003 has a card with 100
         191…004 has a card with 100
         191…005 has a card with 100
         care freezes card-3
         2020-02-01 10:00  keys rotate
         191…001 gives 101 to 191…009
         191…002 asks balance
         191…003 gives 1 to 191…009
         191…004 freezes
         191…005 changes 482913 to 730164
         care thaws card-3
         care thaws card-4
         keys retire
         191…001 gives 1 to 191…009
         191…002 gives 1 to 191…009
         191…003 gives 1 to 191…009
         191…004 gives 1 to 191…009
         191…005 gives 1 to 191…009 password 730164",
        expect![[r#"
            card changed
            refused: insufficient-funds, short by 1
            card 2 100; may send anything; airtime 0
            refused: card-not-usable, frozen
            card 4 frozen
            password changed
            card changed
            card changed
            given 1, 99 left
            given 1, 99 left
            given 1, 99 left
            given 1, 99 left
            given 1, 99 left
        "#]],
    );
}

#[test]
fn every_card_that_the_password_opens_is_rewritten() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…001 has a card with 200
         191…001 has a card with 300
         care freezes card-1
         2020-02-01 10:00  keys rotate
         191…001 gives 1 to 191…002
         keys retire
         191…001 gives 1 to 191…002
         care freezes card-2
         191…001 gives 1 to 191…002
         care freezes card-3
         care thaws card-1
         191…001 gives 1 to 191…002",
        expect![[r#"
            card changed
            given 1, 199 left
            given 1, 198 left
            card changed
            given 1, 299 left
            card changed
            card changed
            given 1, 99 left
        "#]],
    );
}

#[test]
fn a_card_printed_under_the_older_key_binds_under_the_current_one() {
    check(
        "test from 2020-01-01
         test issues 100 100
         2020-02-01 10:00  keys rotate
         191…001 binds card-1
         191…001 changes 482913 to 482913
         191…001 gives 1 to 191…002
         keys retire
         191…001 gives 1 to 191…002
         191…001 binds card-2",
        expect![[r#"
            issued 2 from card 1
            card 1 bound, 100 on it
            refused: new-password-same
            given 1, 99 left
            given 1, 98 left
            refused: wrong-password, 2 left
        "#]],
    );
}

#[test]
fn the_same_password_under_another_key_is_still_the_same() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         2020-02-01 10:00  keys rotate
         191…001 changes 482913 to 482913
         191…001 changes 482913 to 730164
         keys retire
         191…001 asks balance password 730164",
        expect![[r#"
            refused: new-password-same
            password changed
            card 1 100; may send anything; airtime 0
        "#]],
    );
}
