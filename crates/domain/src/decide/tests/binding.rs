//! Binding a bought card: who hears what, and what a guess costs.

use expect_test::expect;

use super::check;

#[test]
fn number_and_password_bind() {
    check(
        "test from 2020-01-01
         test issues 100
         2020-02-01 10:00  191…001 gives 10 to 191…002
         191…001 asks balance
         191…001 binds card-1
         191…001 gives 10 to 191…002
         191…001 binds card-1
         191…001 asks history",
        expect![[r#"
            issued 1 from card 1
            refused: no-card
            refused: no-card
            card 1 bound, 100 on it
            given 10, 90 left
            refused: card-not-usable, already-bound
            show-gifts < bind (refused) < gift < bind < show-cards (refused) < gift (refused) < import-subscribers
        "#]],
    );
}

#[test]
fn what_is_unknown_reads_as_a_wrong_password() {
    check(
        "test from 2020-01-01
         test issues 100
         2020-02-01 10:00  191…001 binds card-9
         191…001 binds ?
         191…001 binds card-1 password 111111
         191…001 binds card-1
         10:15  191…001 binds card-1 password 11111
         191…001 binds card-1",
        expect![[r#"
            issued 1 from card 1
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            card 1 bound, 100 on it
        "#]],
    );
}

#[test]
fn a_card_of_somebody_else_reads_as_a_wrong_password() {
    check(
        "test from 2020-01-01
         191…002 has a card with 100
         2020-02-01 10:00  191…001 binds card-1
         191…002 binds card-1
         191…002 binds card-1 password 111111
         191…002 freezes
         191…002 binds card-1",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: card-not-usable, already-bound
            refused: wrong-password, 2 left
            card 1 frozen
            refused: card-not-usable, already-bound
        "#]],
    );
}

#[test]
fn after_another_password_the_printed_one_is_wrong() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         2020-02-01 10:00  191…001 changes 482913 to 730164
         191…001 binds card-1
         191…001 binds card-1 password 730164",
        expect![[r#"
            password changed
            refused: wrong-password, 2 left
            refused: card-not-usable, already-bound
        "#]],
    );
}

#[test]
fn ten_wrong_ones_block_a_card_until_care_helps() {
    check(
        "test from 2020-01-01
         test issues 100
         2020-02-01 10:00  care unblocks card-1
         191…001 binds card-1 password 111111 times 4
         191…002 binds card-1 password 111111 times 3
         191…003 binds card-1 password 111111 times 3
         191…004 binds card-1 password 111111 times 2
         191…004 binds card-1
         191…005 binds card-1
         care unblocks card-1
         191…005 binds card-1
         care unblocks card-1",
        expect![[r#"
            issued 1 from card 1
            refused: nothing-to-change
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: binding-blocked
            refused: binding-blocked
            refused: binding-blocked
            card changed
            card 1 bound, 100 on it
            refused: nothing-to-change
        "#]],
    );
}

#[test]
fn expired_and_void_are_said_to_who_knows_the_password() {
    check(
        "test from 2020-01-01
         | standing card_valid_days = 30
         | period later from 2020-01-20
         | cards_void = true
         test issues 100 100
         2020-01-10 10:00  care voids card-1
         191…001 binds card-1
         191…001 binds card-1 password 111111
         191…001 binds card-2 password 111111
         2020-01-20 10:00  191…002 binds card-2
         test issues 100
         2020-02-19 00:00  191…002 binds card-3
         191…002 binds card-2
         card-3 expires
         191…002 binds card-3
         191…002 binds card-3 password 111111",
        expect![[r#"
            issued 2 from card 1
            card changed
            refused: card-not-usable, void
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: card-not-usable, void
            issued 1 from card 3
            refused: card-not-usable, expired
            refused: card-not-usable, void
            card expired, 100 to breakage
            refused: card-not-usable, expired
            refused: wrong-password, 2 left
        "#]],
    );
}

#[test]
fn a_phone_has_sixteen_cards_at_most() {
    check(
        "test from 2020-01-01
         test issues 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
         2020-02-01 10:00  191…001 binds card-1
         191…001 binds card-2
         191…001 binds card-3
         191…001 binds card-4
         191…001 binds card-5
         191…001 binds card-6
         191…001 binds card-7
         191…001 binds card-8
         191…001 binds card-9
         191…001 binds card-10
         191…001 binds card-11
         191…001 binds card-12
         191…001 binds card-13
         191…001 binds card-14
         191…001 binds card-15
         191…001 binds card-16
         191…001 binds card-17
         191…002 binds card-17",
        expect![[r#"
            issued 17 from card 1
            card 1 bound, 1 on it
            card 2 bound, 1 on it
            card 3 bound, 1 on it
            card 4 bound, 1 on it
            card 5 bound, 1 on it
            card 6 bound, 1 on it
            card 7 bound, 1 on it
            card 8 bound, 1 on it
            card 9 bound, 1 on it
            card 10 bound, 1 on it
            card 11 bound, 1 on it
            card 12 bound, 1 on it
            card 13 bound, 1 on it
            card 14 bound, 1 on it
            card 15 bound, 1 on it
            card 16 bound, 1 on it
            refused: too-many-cards, 16
            card 17 bound, 1 on it
        "#]],
    );
}

#[test]
fn barred_and_resting_callers() {
    check(
        "test from 2020-01-01
         191…001 has SIM 467050000000001
         test issues 100 100
         2020-02-01 10:00  care bars 191…001
         191…001 binds card-1
         care unbars 191…001
         care gives 191…001 SIM 467050000000002
         191…001 binds card-1
         191…001 gives 10 to 191…002",
        expect![[r#"
            issued 2 from card 1
            subscriber changed
            refused: caller-barred
            subscriber changed
            subscriber changed
            card 1 bound, 100 on it
            refused: caller-resting, until 2020-02-03 10:00:00
        "#]],
    );
}

#[test]
fn a_binding_may_be_a_numbers_first_use() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         | standing card_valid_days = 30
         191…001 is nobody yet
         191…002 is nobody yet
         191…003 is nobody yet
         191…004 is nobody yet
         195…001 is nobody yet
         test issues 100 100
         2020-01-10 10:00  191…001 binds card-1
         191…001 gives 10 to 191…002
         191…003 binds card-1
         191…003 binds card-9
         191…003 binds ?
         191…003 binds card-2
         195…001 binds card-2
         2020-01-31 00:00  191…004 binds card-2
         191…004 asks history",
        expect![[r#"
            issued 2 from card 1
            card 1 bound, 100 on it
            given 10, 90 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-01-10 10:15:00
            refused: locked, until 2020-01-10 10:15:00
            refused: caller-unknown
            refused: card-not-usable, expired
            refused: no-card
        "#]],
    );
}

/// A number that nobody had yet has to know the printed password like everybody else, and its tries count against the card.
#[test]
fn a_first_use_with_a_wrong_password_binds_nothing() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         191…001 is nobody yet
         191…002 is nobody yet
         test issues 100
         2020-01-10 10:00  191…001 binds card-1 password 111111
         191…001 binds card-1 password 11111
         191…002 binds card-1 password 111111
         191…001 asks balance
         care unblocks card-1
         191…001 binds card-1",
        expect![[r#"
            issued 1 from card 1
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, 2 left
            refused: no-card
            card changed
            card 1 bound, 100 on it
        "#]],
    );
}

#[test]
fn another_operators_callers_can_t_block_a_card() {
    check(
        "koryolink from 2020-06-08
         kangsong from 2020-06-08
         kangsong issues 100
         2020-06-10 10:00  191…001 binds card-1 times 3
         191…002 binds card-1 times 3
         191…003 binds card-1 times 3
         192…001 binds card-1 times 3
         195…001 binds card-1",
        expect![[r#"
            issued 1 from card 1
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-06-10 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-06-10 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-06-10 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-06-10 10:15:00
            card 1 bound, 100 on it
        "#]],
    );
}

#[test]
fn a_binding_forgets_the_wrong_tries_before_it() {
    check(
        "test from 2020-01-01
         191…001 is known since 2019-01-01
         191…002 is known since 2019-01-01
         test issues 100 50
         2020-02-01 10:00  191…001 binds card-1 password 111111
         191…001 binds card-1
         care unblocks card-1
         191…001 binds card-1 password 111111
         191…001 binds card-1
         191…002 binds card-1
         191…002 binds card-2 password 111111
         care unblocks card-2
         care unblocks card-2",
        expect![[r#"
            issued 2 from card 1
            refused: wrong-password, 2 left
            card 1 bound, 100 on it
            refused: nothing-to-change
            refused: wrong-password, 2 left
            refused: card-not-usable, already-bound
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            card changed
            refused: nothing-to-change
        "#]],
    );
}
