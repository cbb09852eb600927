//! Who is calling: barred, resting, released, new, young.

use expect_test::expect;

use super::check;
use super::script::{number, play};
use crate::money::Amount;
use crate::state::RepeatKey;

#[test]
fn barred_numbers_neither_give_nor_receive() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…002 has a card with 100
         2020-02-01 10:00  care bars 191…001
         care bars 191…001
         191…001 gives 10 to 191…002
         191…001 asks balance
         191…001 speaks en
         191…002 gives 10 to 191…001
         care unbars 191…001
         care unbars 191…001
         191…001 gives 10 to 191…002
         191…001 asks history",
        expect![[r#"
            subscriber changed
            refused: nothing-to-change
            refused: caller-barred
            refused: caller-barred
            refused: caller-barred
            refused: recipient-unknown
            subscriber changed
            refused: nothing-to-change
            given 10, 90 left
            show-gifts < gift < change-subscriber (refused) < change-subscriber < set-language (refused) < show-cards (refused) < gift (refused) < change-subscriber (refused) < change-subscriber < bind < import-subscribers
        "#]],
    );
}

#[test]
fn a_sim_change_rests_gifts_and_top_ups() {
    check(
        "koryolink from 2020-06-08
         191…001 has SIM 467050000000001
         191…001 has a card with 1000
         191…003 has a card with 1000
         2020-06-10 10:00  care gives 191…001 SIM 467050000000001
         care gives 191…001 SIM 467050000000002
         191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002 password 111111
         191…001 tops up 10
         191…001 asks balance
         191…003 gives 10 to 191…001
         2020-06-12 09:59:59  191…001 gives 10 to 191…002
         2020-06-12 10:00  191…001 gives 10 to 191…002
         care gives 191…003 SIM 467050000000003
         191…003 tops up 10",
        expect![[r#"
            refused: nothing-to-change
            subscriber changed
            refused: caller-resting, until 2020-06-12 10:00:00
            refused: caller-resting, until 2020-06-12 10:00:00
            refused: caller-resting, until 2020-06-12 10:00:00
            card 1 1000; may send 500; airtime 0
            given 10, 990 left
            refused: caller-resting, until 2020-06-12 10:00:00
            given 10, 990 left
            subscriber changed
            topped up 10, 980 left, airtime 10
        "#]],
    );
}

#[test]
fn another_sim_rests_from_its_first_dial_on_whatever_it_asks() {
    check(
        "koryolink from 2020-06-08
         191…001 has a card with 1000
         2020-06-10 10:00  191…001 gives 10 to 191…002 with-sim 467050000000001
         191…001 gives 10 to 191…003
         191…001 gives 10 to 191…003 with-sim 467050000000002
         191…001 gives 10 to 191…004 over 2
         191…001 asks balance password 111111 with-sim 467050000000003
         191…001 speaks en with-sim 467050000000004
         2020-06-12 09:59:59  191…001 gives 10 to 191…004 with-sim 467050000000004
         2020-06-12 10:00  191…001 gives 10 to 191…004 with-sim 467050000000004
         care bars 191…001
         191…001 gives 10 to 191…002 with-sim 467050000000005
         care unbars 191…001
         191…001 gives 10 to 191…002 with-sim 467050000000004",
        expect![[r#"
            given 10, 990 left
            refused: limit one-a-day reached until 2020-06-11
            refused: caller-resting, until 2020-06-12 10:00:00
            refused: caller-resting, until 2020-06-12 10:00:00
            refused: wrong-password, 2 left
            language set
            refused: caller-resting, until 2020-06-12 10:00:00
            given 10, 980 left
            subscriber changed
            refused: caller-barred
            subscriber changed
            refused: limit one-a-day reached until 2020-06-13
        "#]],
    );
}

#[test]
fn an_import_with_another_sim_is_a_sim_change() {
    check(
        "koryolink from 2020-06-08
         191…001 has SIM 467050000000001
         191…001 has a card with 1000
         2020-06-10 10:00  koryolink imports 191…001 SIM 467050000000001
         191…001 gives 10 to 191…002
         koryolink imports 191…001 SIM 467050000000002
         191…001 gives 10 to 191…002",
        expect![[r#"
            imported 0 new, 0 changed
            given 10, 990 left
            imported 0 new, 1 changed
            refused: caller-resting, until 2020-06-12 10:00:00
        "#]],
    );
}

#[test]
fn a_released_number_is_somebody_elses_next() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…002 has a card with 100
         test issues 50
         2020-02-01 10:00  191…001 tops up 30
         191…001 gives 5 to 191…002
         191…001 gives 5 to 191…002 password 111111 times 3
         care releases 191…001
         191…001 gives 5 to 191…002
         191…002 gives 5 to 191…001
         care releases 191…001
         care unlocks 191…001
         care bars 191…001
         test imports 191…001 with 7
         191…001 gives 5 to 191…002
         191…001 binds card-3
         191…001 asks balance
         191…001 gives 5 to 191…002
         191…002 gives 5 to 191…001
         191…001 asks history",
        expect![[r#"
            issued 1 from card 3
            topped up 30, 70 left, airtime 30
            given 5, 65 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            subscriber changed
            refused: caller-unknown
            refused: recipient-unknown
            refused: subscriber-unknown
            refused: subscriber-unknown
            refused: subscriber-unknown
            imported 1 new, 0 changed
            refused: no-card
            card 3 bound, 50 on it
            card 3 50; may send anything; airtime 7
            given 5, 45 left
            given 5, 95 left
            show-gifts < gift < gift < show-cards < bind < gift (refused) < import-subscribers
        "#]],
    );
}

#[test]
fn a_released_number_comes_back_by_its_first_use() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         | limit in gift recipient total 10 calendar-month
         191…001 has a card with 100
         191…002 has a card with 100
         test issues 50
         2020-02-01 10:00  191…002 gives 10 to 191…001
         191…002 gives 10 to 191…001
         care releases 191…001
         191…002 gives 10 to 191…001
         191…001 asks balance
         191…001 binds card-3
         191…001 gives 1 to 191…002
         191…001 asks history",
        expect![[r#"
            issued 1 from card 3
            given 10, 90 left
            refused: limit in reached until 2020-03-01
            subscriber changed
            given 10, 80 left
            refused: no-card
            card 3 bound, 50 on it
            given 1, 49 left
            show-gifts < gift < bind < show-cards (refused) < gift
        "#]],
    );
}

#[test]
fn a_number_in_range_becomes_a_subscriber_by_its_first_use() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         191…008 is nobody yet
         191…009 is nobody yet
         195…009 is nobody yet
         191…001 has a card with 100
         2020-02-01 10:00  191…001 gives 101 to 191…009
         191…001 gives 10 to 191…009
         191…001 gives 10 to 195…009
         195…009 asks balance
         191…008 gives 1 to 191…001
         191…008 asks balance
         191…009 asks balance
         191…009 asks history
         191…008 asks history",
        expect![[r#"
            refused: insufficient-funds, short by 1
            given 10, 90 left
            refused: recipient-elsewhere
            refused: caller-unknown
            refused: no-card
            refused: no-card
            refused: no-card
            refused: no-card
            refused: no-card
        "#]],
    );
}

#[test]
fn without_first_use_only_imported_numbers_are_subscribers() {
    check(
        "test from 2020-01-01
         191…009 is nobody yet
         191…001 has a card with 100
         2020-02-01 10:00  191…001 gives 10 to 191…009
         191…009 asks balance
         191…009 binds card-1
         191…001 gives 10 to 191…001
         191…001 gives 10 to ?
         191…001 gives 10 to 191…002 swapped",
        expect![[r#"
            refused: recipient-unknown
            refused: caller-unknown
            refused: caller-unknown
            refused: recipient-is-caller
            refused: recipient-malformed
            refused: amount-recipient-swapped
        "#]],
    );
}

#[test]
fn senders_and_recipients_have_an_age() {
    check(
        "test from 2020-01-01
         | age_days_min = 30
         191…002 is known since 2019-01-01
         191…003 is known since 2019-12-03
         191…001 has a card with 100
         191…002 has a card with 100
         2020-01-01 10:00  191…002 gives 10 to 191…003
         2020-01-02 00:00  191…002 gives 10 to 191…003
         191…002 gives 10 to 191…001
         191…001 gives 10 to 191…002
         191…001 tops up 10
         2020-01-30 23:59  191…001 gives 10 to 191…002
         2020-01-31 00:00  191…001 gives 10 to 191…002",
        expect![[r#"
            refused: recipient-too-young, until 2020-01-02
            given 10, 90 left
            refused: recipient-too-young, until 2020-01-31
            refused: sender-too-young, until 2020-01-31
            topped up 10, 90 left, airtime 10
            refused: sender-too-young, until 2020-01-31
            given 10, 80 left
        "#]],
    );
}

#[test]
fn a_day_has_room_for_so_many_refusals() {
    check(
        "test from 2020-01-01
         | refusals_per_day = 3
         191…001 has a card with 100
         2020-02-01 10:00  191…001 gives 101 to 191…002
         191…001 asks balance password 111111
         191…001 tops up 101
         191…001 gives 1 to ?
         191…001 gives 1 to 191…002
         191…001 tops up 1
         191…001 asks balance
         2020-02-02 00:00  191…001 gives 1 to 191…002
         191…001 gives 101 to 191…002 times 4
         test loads
         | refusals_per_day = 0
         191…001 gives 101 to 191…002
         191…001 gives 1 to 191…002",
        expect![[r#"
            refused: insufficient-funds, short by 1
            refused: wrong-password, 2 left
            refused: insufficient-funds, short by 1
            refused: recipient-malformed
            refused: too-many-refusals, until 2020-02-02
            refused: too-many-refusals, until 2020-02-02
            card 1 100; may send anything; airtime 0
            given 1, 99 left
            refused: insufficient-funds, short by 2
            refused: insufficient-funds, short by 2
            refused: insufficient-funds, short by 2
            refused: too-many-refusals, until 2020-02-03
            rules loaded
            refused: insufficient-funds, short by 2
            given 1, 98 left
        "#]],
    );
}

#[test]
fn a_language_is_one_that_the_operator_speaks() {
    check(
        "test from 2020-01-01
         | languages en
         191…009 is nobody yet
         191…001 speaks en
         191…001 speaks ko
         care speaks en to 191…001
         care speaks ko to 191…001
         test imports 191…009 in ko
         191…009 speaks en",
        expect![[r#"
            language set
            refused: language-not-offered
            refused: nothing-to-change
            refused: language-not-offered
            refused: language-not-offered
            refused: caller-unknown
        "#]],
    );
}

#[test]
fn a_new_number_may_choose_its_language_on_its_second_call() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         191…009 is nobody yet
         191…009 speaks en
         191…009 speaks en
         care speaks en to 191…009
         care speaks ko to 191…009",
        expect![[r#"
            refused: no-card
            language set
            refused: nothing-to-change
            subscriber changed
        "#]],
    );
}

#[test]
fn history_finds_refusals_and_dials_on_closed_days() {
    check(
        "koryolink from 2020-06-08
         191…001 has a card with 1000
         2020-06-30 10:00  191…001 gives 10 to 191…002
         191…001 gives 10 to 191…002
         2020-07-02 10:00  191…001 gives 10 to 191…002
         191…001 tops up 10
         191…001 gives 10 to 191…002 via nobody
         191…001 asks history
         191…002 asks history",
        expect![[r#"
            given 10, 990 left
            refused: repeated, given 2020-06-30 10:00:00, receipt 5-09, again at 2020-06-30 10:05:00
            refused: service-closed, kp-2020-07
            refused: service-closed, kp-2020-07
            refused: service-closed, no period
            show-gifts < top-up (refused) < gift (refused) < gift (refused) < gift < bind < import-subscribers
            refused: no-card
        "#]],
    );
}

#[test]
fn a_recipient_finds_what_was_refused_too() {
    check(
        "test from 2020-01-01
         | standing repeat_window_s = 300
         | amount_max = 10
         191…001 has a card with 100
         191…002 has a card with 100
         2020-02-01 10:00  191…001 gives 5 to 191…002
         191…001 gives 5 to 191…002
         191…001 gives 11 to 191…002
         191…002 asks history",
        expect![[r#"
            given 5, 95 left
            refused: repeated, given 2020-02-01 10:00:00, receipt 7-6P, again at 2020-02-01 10:05:00
            refused: amount-above-maximum, 10
            show-gifts < gift (refused) < gift < bind < import-subscribers
        "#]],
    );
}

#[test]
fn a_refused_gift_makes_nobody_a_subscriber() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         191…008 is nobody yet
         191…009 is nobody yet
         191…001 has a card with 100
         2020-02-01 10:00  191…001 gives 101 to 191…009
         test imports 191…009
         191…001 gives 100 to 191…008
         test imports 191…008",
        expect![[r#"
            refused: insufficient-funds, short by 1
            imported 1 new, 0 changed
            given 100, 0 left
            imported 0 new, 0 changed
        "#]],
    );
}

#[test]
fn the_last_eight_recipients_are_remembered() {
    let gives: String = (2..=10).map(|n| format!("191…001 gives 1 to 191…{n:03}\n")).collect();
    let script = format!("test from 2020-01-01\n191…001 has a card with 100\n{gives}191…001 gives 2 to 191…005");
    let state = play(&script).world.state;
    let (_, sender) = state.find_subscriber(number("191…001").expect("a number")).expect("somebody");
    let recents =
        state.recents_of(sender).iter().map(|id| state.subscriber(*id).expect("a row").facts.msisdn.get() % 100);
    assert_eq!(recents.collect::<Vec<_>>(), [5, 10, 9, 8, 7, 6, 4, 3]);
}

/// The typo guard looks at the latest recipients: one's own number among them would make it warn for nothing.
#[test]
fn nobody_is_among_their_own_recipients() {
    let stage = play(
        "test from 2020-01-01
         191…001 has a card with 100
         191…001 gives 1 to 191…002
         191…001 tops up 2",
    );
    for state in [stage.world.state.clone(), super::rebuilt::restored(&stage.world.state).expect("rows that fit")] {
        let (own, row) = state.find_subscriber(number("191…001").expect("a number")).expect("somebody");
        let (to, _) = state.find_subscriber(number("191…002").expect("a number")).expect("somebody");
        assert_eq!(state.recents_of(row), [to]);
        let two = RepeatKey { sender: own, recipient: own, amount: Amount::try_new(2).expect("positive") };
        assert_eq!(state.repeat(&two).map(|repeat| repeat.seq), Some(state.seq()), "a top-up is remembered");
    }
}

#[test]
fn each_owner_of_a_number_is_a_generation() {
    let stage = play(
        "test from 2020-01-01
         | standing first_use = true
         191…001 has a card with 100
         191…002 has a card with 100
         care releases 191…001
         test imports 191…001
         care releases 191…001
         191…002 gives 1 to 191…001
         care releases 191…001
         191…001 asks balance",
    );
    let msisdn = number("191…001").expect("a number");
    let owners = stage.world.state.subscribers().filter(|(_, row)| row.facts.msisdn == msisdn);
    assert_eq!(owners.map(|(_, row)| row.facts.generation).collect::<Vec<_>>(), [1, 2, 3, 4]);
}
