//! The last thing that the office allows, and the first that it does not: instants, lengths, serials, amounts, owners.

use super::desk::{answer, done, rate, resolve, sold, stocked};
use super::script::{SECOND, Stage, play};
use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::card::{CardState, Voiding};
use crate::currency::Currency;
use crate::decide::is_void;
use crate::ids::{CardId, OperatorId, OutletId, Serial, SubscriberId};
use crate::office::Asked;
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal, Reversal};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Goods, Rate, TillCommand};
use crate::refusal::Refusal;
use crate::rules::tariff::Ratio;
use crate::testing::{asked, minor};
use crate::time::Timestamp;
use crate::verdict::Outcome;

const OPERATOR: OperatorId = OperatorId(0);

fn propose(proposal: Proposal) -> Asked {
    Asked::Motion(MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(proposal) })
}

fn no(refusal: OfficeRefusal) -> Outcome {
    Outcome::Refused(refusal.into())
}

fn void(first: u32, last: u32) -> Proposal {
    Proposal::VoidCards { first: Serial(first), last: Serial(last), why: Voiding::Ordered }
}

fn adjust(debit: AccountId, credit: AccountId, amount: i64, reason: &str) -> Asked {
    propose(Proposal::Adjust { debit, credit, amount: minor(amount), reason: String::from(reason) })
}

fn reversal(stage: &Stage, amount: i64) -> Proposal {
    let (sender, recipient, card) = (SubscriberId(0), SubscriberId(1), CardId(0));
    let (of, given_at) = (stage.world.state.seq(), stage.world.at);
    Proposal::Reverse(Reversal { of, card, sender, recipient, amount: minor(amount), reason: "typo".into(), given_at })
}

#[test]
fn a_motion_may_be_approved_until_the_last_instant() {
    for (early_ms, is_done) in [(1, true), (0, false)] {
        let mut stage = play("test from 2020-06-01");
        let proposed = done(&mut stage.world, propose(rate(Currency::Usd, 1, 1)));
        let OfficeDone::Proposed { motion, hash } = proposed else { panic!("{proposed:?}") };
        stage.world.at = stage.world.at.plus_s(7 * 86_400).plus_ms(-early_ms);
        let outcome = stage.world.act(&asked(SECOND, Asked::Motion(MotionCommand::Approve { motion, hash }))).outcome;
        assert_eq!(matches!(outcome, Outcome::Done(_)), is_done, "{early_ms} ms before its end: {outcome:?}");
    }
}

#[test]
fn a_rate_has_two_numbers_and_neither_is_zero() {
    let mut stage = play("test from 2020-06-01");
    for (numerator, denominator) in [(0, 1), (1, 0), (0, 0)] {
        let rate = Rate { from: Timestamp::MIN, until: None, ratio: Ratio { numerator, denominator } };
        let outcome = answer(&mut stage.world, propose(Proposal::Rate { currency: Currency::Usd, rate }));
        assert_eq!(outcome, no(OfficeRefusal::RateZero), "{numerator}/{denominator}");
    }
}

#[test]
fn a_gift_is_taken_back_at_once_but_not_while_it_is_on_hold() {
    let phones = "191…001 has a card with 1000\n191…002 is known since 2020-01-01\n191…001 gives 300 to 191…002";
    let mut stage = play(&format!("test from 2020-06-01\n{phones}"));
    let back = reversal(&stage, 300);
    resolve(&mut stage.world, OPERATOR, back);
    assert_eq!(stage.world.state.card(CardId(0)).expect("a card").purse.balance_minor, 1_000);
    let hold = "| hold = { gifts = \"always\", for_s = 3600 }";
    let mut stage = play(&format!("test from 2020-06-01\n{hold}\n{phones}"));
    let back = propose(reversal(&stage, 300));
    assert_eq!(answer(&mut stage.world, back), no(OfficeRefusal::NotAGift));
}

#[test]
fn an_adjustment_moves_what_there_is_between_two_books_of_one_operator() {
    let mut stage = play(
        "test from 2020-06-01
         other from 2020-06-01
         191…001 has a card with 1000
         191…001 tops up 300",
    );
    let (airtime, fees) = (AccountId::Airtime(SubscriberId(0)), AccountId::FeeIncome(OPERATOR));
    let theirs = AccountId::FeeIncome(OperatorId(1));
    for (debit, credit) in [
        (fees, fees),
        (fees, AccountId::Cash(OPERATOR, Currency::Usd)),
        (fees, theirs),
        (theirs, fees),
        (fees, AccountId::Held(OPERATOR)),
        (AccountId::Held(OPERATOR), fees),
        (AccountId::Airtime(SubscriberId(77)), fees),
    ] {
        let outcome = answer(&mut stage.world, adjust(debit, credit, 1, "counted again"));
        assert_eq!(outcome, no(OfficeRefusal::AccountsDontFit), "{debit:?} to {credit:?}");
    }
    let short = answer(&mut stage.world, adjust(airtime, fees, 301, "counted again"));
    assert_eq!(short, no(OfficeRefusal::BalanceShort { short_by_minor: 1 }));
    let reason = |len: usize| "x".repeat(len);
    for (text, fits) in [(reason(200), true), (reason(201), false), (String::from(" \t "), false)] {
        let outcome = answer(&mut stage.world, adjust(airtime, fees, 300, &text));
        assert_eq!(matches!(outcome, Outcome::Done(_)), fits, "{} characters: {outcome:?}", text.len());
    }
}

/// As many cards as one command may touch are void by their state, one more by a range.
#[test]
fn a_thousand_cards_are_void_each_and_more_by_a_range() {
    let mut stage = play("test from 2020-06-01");
    stocked(&mut stage.world, OPERATOR, 500, 2_101);
    let each = u32::try_from(TOUCH_MAX).expect("small");
    resolve(&mut stage.world, OPERATOR, void(1, each));
    assert_eq!(stage.world.state.void_range(Serial(1)), None);
    resolve(&mut stage.world, OPERATOR, void(each + 1, 2 * each + 1));
    let state = |serial: u32| stage.world.state.card_of_serial(Serial(serial)).expect("a card").1.facts.state;
    let is_void = |serial| matches!(state(serial), CardState::Void { .. });
    assert_eq!([1, each, each + 1, 2 * each + 1].map(is_void), [true, true, false, false]);
    let in_range = |serial| stage.world.state.void_range(Serial(serial)).is_some();
    assert_eq!([each, each + 1, 2 * each + 1, 2 * each + 2].map(in_range), [false, true, true, false]);
    // A range that ends where another begins overlaps it; the next one does not.
    let overlap = OfficeRefusal::RangeOverlaps { first: Serial(each + 1), last: Serial(2 * each + 1) };
    for (first, last) in [(each, each + 1), (2 * each + 1, 2 * each + 2), (each + 5, each + 6), (1, 2 * each + 9)] {
        assert_eq!(answer(&mut stage.world, propose(void(first, last))), no(overlap.clone()), "{first} to {last}");
    }
    resolve(&mut stage.world, OPERATOR, void(2 * each + 2, 2 * each + 3));
}

/// By its state, by a range, and by a dated rule from its first instant on. A card that ended otherwise is not void.
#[test]
fn whether_a_card_is_void_is_one_answer_for_everybody() {
    let mut stage = play(
        "test from 2020-06-01
         | standing card_valid_days = 30
         | period later from 2020-08-01
         | cards_void = true
         test issues 1 1
         2020-07-01 10:00  care voids card-1
         2020-07-15 10:00  card-2 expires
         test issues 1",
    );
    let later = stage.world.at.plus_s(60 * 86_400);
    for (card, now, then) in [(1, true, true), (2, false, false), (3, false, true)] {
        let (id, state) = (CardId(card - 1), &stage.world.state);
        for (at, expected) in [(stage.world.at, now), (later, then)] {
            assert_eq!(is_void(state, at, id, state.card(id).expect("a card")), expected, "card {card} at {at:?}");
        }
    }
    let (_, first) = stocked(&mut stage.world, OPERATOR, 500, 1_201);
    let last = Serial(first.0 + 1_100);
    resolve(&mut stage.world, OPERATOR, void(first.0, last.0));
    for (serial, expected) in [(first.0, true), (last.0, true), (last.0 + 1, false)] {
        let (state, at) = (&stage.world.state, stage.world.at);
        let (id, card) = state.card_of_serial(Serial(serial)).expect("a card");
        assert_eq!(is_void(state, at, id, card), expected, "card {serial}");
    }
}

#[test]
fn nobody_makes_another_operator_s_cards_void() {
    let mut stage = play(
        "test from 2020-06-01
         other from 2020-06-01
         test issues 1 1
         other issues 1
         test issues 1",
    );
    for (first, last, fits) in [(1, 2, true), (4, 4, true), (1, 3, false), (3, 4, false), (3, 3, false), (2, 4, false)]
    {
        let outcome = answer(&mut stage.world, propose(void(first, last)));
        assert_eq!(matches!(outcome, Outcome::Done(_)), fits, "{first} to {last}: {outcome:?}");
    }
}

/// Their history tells it to whoever had the card. A range is about no one of its holders.
#[test]
fn a_holder_hears_of_one_card_that_was_made_void() {
    let mut stage = play(
        "test from 2020-06-01
         191…001 has a card with 1
         191…001 has a card with 2
         191…002 has a card with 3",
    );
    for (first, last, named) in [(1, 1, &[SubscriberId(0)][..]), (2, 3, &[])] {
        resolve(&mut stage.world, OPERATOR, void(first, last));
        let effects = stage.world.journal.last().expect("an entry").entry().verdict.effects;
        let about: Vec<SubscriberId> = effects.named().map(|named| named.subscriber).collect();
        assert_eq!(about, named, "{first} to {last}");
    }
}

/// A till at another place, with money on its float.
fn second_outlet(stage: &mut Stage) -> OutletId {
    outlet_of(stage, OPERATOR)
}

/// The same of any operator.
fn outlet_of(stage: &mut Stage, operator: OperatorId) -> OutletId {
    let open = TillCommand::OpenOutlet { operator, name: String::from("service centre") };
    let OfficeDone::OutletOpened { outlet } = done(&mut stage.world, Asked::Till(open)) else { panic!("an outlet") };
    let deposit = TillCommand::Deposit { outlet, currency: Currency::Usd, amount: minor(10_000) };
    done(&mut stage.world, Asked::Till(deposit));
    outlet
}

#[test]
fn a_till_sells_what_is_on_its_shelf_and_reloads_what_is_in_use() {
    let mut stage = play("test from 2020-06-01\n191…001 is known since 2020-01-01");
    resolve(&mut stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let (outlet, _) = stocked(&mut stage.world, OPERATOR, 500, 1_200);
    let other = second_outlet(&mut stage);
    let quote = |outlet, goods| Asked::Till(TillCommand::Quote { outlet, currency: Currency::Usd, goods });
    let elsewhere = answer(&mut stage.world, quote(other, Goods::Cards { first: Serial(1), count: 1 }));
    let state = String::from("at another outlet");
    assert_eq!(elsewhere, no(OfficeRefusal::CardNotForSale { serial: Serial(1), state }));
    for serial in 1..=4 {
        sold(&mut stage.world, outlet, Currency::Usd, Serial(serial));
    }
    for line in ["191…001 binds card-2", "191…001 binds card-3", "care freezes card-3", "care voids card-4"] {
        stage.line(line, &[]);
        assert!(matches!(stage.outcome, Some(Outcome::Done(_))), "{line}: {:?}", stage.outcome);
    }
    for (serial, state) in [(1, None), (2, None), (3, Some("frozen")), (4, Some("void")), (5, Some("in-stock"))] {
        let goods = Goods::Reload { serial: Serial(serial), value: minor(5) };
        let outcome = answer(&mut stage.world, quote(other, goods));
        match state {
            None => assert!(matches!(outcome, Outcome::Done(_)), "card {serial}: {outcome:?}"),
            Some(state) => {
                let forbidden = Refusal::CardStateForbids { state: String::from(state) };
                assert_eq!(outcome, Outcome::Refused(forbidden), "card {serial}");
            }
        }
    }
    // A range makes a bound card void without touching its state: it is neither reloaded nor merged.
    stage.line("care thaws card-3", &[]);
    resolve(&mut stage.world, OPERATOR, void(3, 1_100));
    let bound = Outcome::Refused(Refusal::CardStateForbids { state: String::from("bound") });
    let goods = Goods::Reload { serial: Serial(3), value: minor(5) };
    assert_eq!(answer(&mut stage.world, quote(outlet, goods)), bound);
    for (from, into) in [(2, 3), (3, 2)] {
        let merge = TillCommand::Merge { from: Serial(from), into: Serial(into) };
        assert_eq!(answer(&mut stage.world, Asked::Till(merge)), bound, "{from} into {into}");
    }
}

#[test]
fn a_till_reloads_its_own_operator_s_cards_only() {
    let mut stage = play("test from 2020-06-01\nother from 2020-06-01\n191…001 is known since 2020-01-01");
    let theirs = OperatorId(1);
    for operator in [OPERATOR, theirs] {
        resolve(&mut stage.world, operator, rate(Currency::Usd, 1, 1));
    }
    let (own, first) = stocked(&mut stage.world, OPERATOR, 500, 2);
    let other = outlet_of(&mut stage, theirs);
    for (serial, state) in [(first, "sold"), (Serial(first.0 + 1), "bound")] {
        sold(&mut stage.world, own, Currency::Usd, serial);
        if state == "bound" {
            stage.line(&format!("191…001 binds card-{}", serial.0), &[]);
        }
        let goods = Goods::Reload { serial, value: minor(5) };
        let quote = |outlet| Asked::Till(TillCommand::Quote { outlet, currency: Currency::Usd, goods });
        let forbidden = Refusal::CardStateForbids { state: String::from(state) };
        assert_eq!(answer(&mut stage.world, quote(other)), Outcome::Refused(forbidden), "{state}");
        done(&mut stage.world, quote(own));
    }
}

/// The receipt of a card's latest sale is the one that its holder has in hand.
#[test]
fn the_later_sale_of_a_card_is_told() {
    let mut stage = play("test from 2020-06-01\n191…001 is known since 2020-01-01");
    resolve(&mut stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let (outlet, _) = stocked(&mut stage.world, OPERATOR, 500, 2);
    let other = second_outlet(&mut stage);
    for serial in [1, 2] {
        sold(&mut stage.world, outlet, Currency::Usd, Serial(serial));
        stage.line(&format!("191…001 binds card-{serial}"), &[]);
    }
    let goods = Goods::Reload { serial: Serial(1), value: minor(40) };
    let quote = Asked::Till(TillCommand::Quote { outlet: other, currency: Currency::Usd, goods });
    let OfficeDone::Quoted { quote, .. } = done(&mut stage.world, quote) else { panic!("a quote") };
    done(&mut stage.world, Asked::Till(TillCommand::Sell { quote }));
    let sale = stage.world.state.seq();
    let bought =
        |stage: &Stage, card: u32| stage.world.state.card(CardId(card - 1)).expect("a card").bought.expect("bought");
    let told = |stage: &Stage, card| {
        let bought = bought(stage, card);
        (bought.outlet, bought.sale, bought.price.minor(), bought.value.minor())
    };
    assert_eq!(told(&stage, 1), (other, sale, 540, 540));
    let merge = TillCommand::Merge { from: Serial(1), into: Serial(2) };
    assert_eq!(done(&mut stage.world, Asked::Till(merge)), OfficeDone::Merged { balance_minor: 1_040 });
    assert_eq!(told(&stage, 2), (other, sale, 1_040, 1_040));
}
