//! Phones with several cards: which one pays, and which gives up its place.

use expect_test::expect;

use super::check;
use super::script::play;
use crate::card::CardState;
use crate::state::CARDS_MAX;
use crate::verdict::Outcome;

#[test]
fn an_empty_first_card_never_hides_a_full_second_one() {
    check(
        "test from 2020-01-01
         191…001 has a card with 300
         191…001 has a card with 500
         2020-02-01 10:00  191…001 gives 300 to 191…002
         191…001 gives 400 to 191…002
         191…001 tops up 60
         191…001 gives 90 to 191…002
         191…001 tops up 40
         191…001 asks balance",
        expect![[r#"
            given 300, 0 left
            given 400, 100 left
            topped up 60, 40 left, airtime 60
            refused: insufficient-funds, short by 50
            topped up 40, 0 left, airtime 100
            card 1 0, card 2 0; may send anything; airtime 100
        "#]],
    );
}

#[test]
fn the_first_bound_that_covers_amount_fee_and_rest_pays() {
    check(
        "test from 2020-01-01
         | gift_fee = { flat = 10 }
         | residual_min = 5
         191…001 has a card with 114
         191…001 has a card with 115
         191…001 has a card with 900
         2020-02-01 10:00  191…001 gives 100 to 191…002
         191…001 gives 99 to 191…002
         191…001 gives 886 to 191…002
         191…001 gives ? to 191…002
         191…001 gives 885 to 191…002",
        expect![[r#"
            given 100 for a fee of 10, 5 left
            given 99 for a fee of 10, 5 left
            refused: insufficient-funds, short by 1
            refused: amount-malformed
            given 885 for a fee of 10, 5 left
        "#]],
    );
}

#[test]
fn a_card_with_another_password_never_pays() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…001 has a card with 900 password 111111
         2020-02-01 10:00  191…001 gives 200 to 191…002
         191…001 gives 200 to 191…002 password 111111",
        expect![[r#"
            refused: insufficient-funds, short by 100
            given 200, 700 left
        "#]],
    );
}

/// Somebody with as many cards as a phone may have, each of 10, and a few more in a drawer.
fn full_phone(more: usize) -> String {
    let mut script =
        String::from("test from 2020-01-01\n191…001 is known since 2019-01-01\n191…002 is known since 2019-01-01\n");
    for _ in 0..CARDS_MAX {
        script += "191…001 has a card with 10\n";
    }
    let values = vec!["10"; more].join(" ");
    script + &format!("test issues {values}\n")
}

#[test]
fn the_empty_card_bound_first_gives_up_its_place() {
    let mut stage = play(&full_phone(2));
    stage.line("191…001 binds card-17", &[]);
    assert!(stage.said.ends_with("refused: too-many-cards, 16\n"), "none is empty: {}", stage.said);
    // The first two are emptied; the first is frozen, and so it stays.
    stage.line("191…001 gives 10 to 191…002 times 2", &[]);
    stage.line("care freezes card-1", &[]);
    stage.line("191…001 binds card-17", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Done(_))), "{}", stage.said);
    let state = |n: u32| stage.world.state.card(crate::ids::CardId(n - 1)).expect("a card").facts.state;
    assert!(matches!((state(1), state(2)), (CardState::Frozen { .. }, CardState::Closed { .. })));
    let (_, row) = stage.world.state.find_subscriber(super::script::number("191…001").expect("a number")).expect("one");
    let listed: Vec<u32> = stage.world.state.cards_of(row).map(|(id, _)| id.0 + 1).collect();
    assert_eq!(listed, [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], "it is in no list any more");
    stage.line("191…001 binds card-18", &[]);
    assert!(stage.said.ends_with("refused: too-many-cards, 16\n"), "the other empty one is frozen: {}", stage.said);
}

#[test]
fn a_card_whose_gift_is_on_hold_keeps_its_place() {
    let hold = "| hold = { gifts = \"always\", for_s = 3600 }\n";
    let mut stage = play(&full_phone(1).replacen('\n', &format!("\n{hold}"), 1));
    stage.line("191…001 gives 10 to 191…002", &[]);
    stage.line("191…001 binds card-17", &[]);
    assert!(stage.said.ends_with("refused: too-many-cards, 16\n"), "{}", stage.said);
    stage.line("191…001 undoes", &[]);
    stage.line("191…001 asks balance", &[]);
    assert!(stage.said.contains("card 1 10"), "{}", stage.said);
}

/// Void and expired cards are no wall either, and do not pile up.
#[test]
fn cards_that_are_over_give_up_their_places_too() {
    let mut stage = play(&full_phone(2 * CARDS_MAX));
    for n in 1..=3 * CARDS_MAX {
        if n > CARDS_MAX {
            stage.line(&format!("191…001 binds card-{n}"), &[]);
            assert!(matches!(stage.outcome, Some(Outcome::Done(_))), "card {n}: {}", stage.said);
        }
        // Emptied and void: the next one takes its place.
        stage.line("191…001 gives 10 to 191…002", &[]);
        stage.line(&format!("care voids card-{n}"), &[]);
    }
    let (_, row) = stage.world.state.find_subscriber(super::script::number("191…001").expect("a number")).expect("one");
    let listed = stage.world.state.cards_of(row).count();
    assert!(listed <= 2 * CARDS_MAX, "{listed} in the list");
}
