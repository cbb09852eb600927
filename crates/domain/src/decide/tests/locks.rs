//! Wrong passwords: counted in a row per caller and link, locked longer each time.

use expect_test::expect;

use super::check;

#[test]
fn every_third_wrong_one_locks_longer() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 111111 times 4
         10:14:59  191…001 gives 1 to 191…002
         10:15  191…001 gives 1 to 191…002 password 111111 times 3
         11:14:59  191…001 gives 1 to 191…002
         11:15  191…001 gives 1 to 191…002 password 111111 times 3
         2020-02-02 11:14:59  191…001 gives 1 to 191…002
         2020-02-02 11:15  191…001 gives 1 to 191…002 password 111111 times 3
         2020-02-03 11:15  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…002 password 111111 times 3",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 11:15:00
            refused: locked, until 2020-02-01 11:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-02 11:15:00
            refused: locked, until 2020-02-02 11:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 11:15:00
            given 1, 999 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 11:30:00
        "#]],
    );
}

#[test]
fn a_right_one_starts_over() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 111111 times 2
         191…001 asks balance
         191…001 gives 1 to 191…002 password 111111 times 2
         191…001 gives ? to 191…002
         191…001 gives 1 to 191…002 password 111111 times 3
         10:15  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…002 password 111111 times 3",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            card 1 1000; may send anything; airtime 0
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: amount-malformed
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            given 1, 999 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:30:00
        "#]],
    );
}

#[test]
fn a_malformed_one_is_a_wrong_one() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 48291
         191…001 tops up 1 password 4829130
         191…001 freezes password 48291a",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn dials_during_a_lock_are_neither_checked_nor_counted() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 asks balance password 111111 times 3
         191…001 asks balance times 2
         191…001 asks balance password 111111 times 5
         191…001 binds card-1
         191…001 changes 482913 to 730164
         191…001 freezes
         191…001 undoes
         191…001 asks history
         191…001 tops up 1
         10:15  191…001 asks balance",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            card 1 1000; may send anything; airtime 0
        "#]],
    );
}

#[test]
fn a_link_locks_itself_only() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 111111 over 2 times 4
         191…001 gives 1 to 191…002 over 1
         191…001 gives 1 to 191…002 password 111111 over 1
         191…001 gives 1 to 191…002 over 2",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            given 1, 999 left
            refused: wrong-password, 2 left
            refused: locked, until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn care_unlocks_every_link() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  care unlocks 191…001
         191…001 asks balance password 111111 over 2 times 3
         191…001 asks balance password 111111 over 1 times 1
         care unlocks 191…001
         care unlocks 191…001
         191…001 asks balance over 2
         191…001 asks balance password 111111 over 1 times 3
         191…001 asks balance password 111111 over 2 times 3",
        expect![[r#"
            refused: nothing-to-change
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            subscriber changed
            refused: nothing-to-change
            card 1 1000; may send anything; airtime 0
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn wrong_ones_at_binding_and_at_giving_count_together() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         test issues 500
         2020-02-01 10:00  191…001 binds card-2 password 111111
         191…001 gives 1 to 191…002 password 111111
         191…001 binds card-9
         191…001 gives 1 to 191…002",
        expect![[r#"
            issued 1 from card 2
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn nobody_elses_card_is_counted_against() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         191…002 has a card with 1000 password 730164
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 730164 times 4
         191…002 gives 1 to 191…001 password 730164",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            given 1, 999 left
        "#]],
    );
}
