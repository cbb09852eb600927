//! A card that was sold at one outlet and reloaded at another, and taken back: each outlet gets what it took.

use super::desk::{answer, done, rate, resolve, sold, stocked};
use super::script::{Stage, play};
use crate::account::AccountId;
use crate::currency::Currency;
use crate::ids::{OperatorId, OutletId, Serial};
use crate::office::done::OfficeDone;
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Goods, TAKINGS_MAX, TillCommand};
use crate::office::{Asked, RecordKind};
use crate::refusal::Refusal;
use crate::testing::minor;
use crate::verdict::Outcome;

const OPERATOR: OperatorId = OperatorId(0);
const CARD: Serial = Serial(1);

/// Cards of 500 at 1 dollar cent for a won; the first is sold at the first outlet.
fn shop() -> (Stage, OutletId) {
    let mut stage = play(
        "test from 2020-06-08
         191…001 is known since 2020-01-01
         191…002 is known since 2020-01-01",
    );
    resolve(&mut stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let (outlet, _) = stocked(&mut stage.world, OPERATOR, 500, 3);
    sold(&mut stage.world, outlet, Currency::Usd, CARD);
    (stage, outlet)
}

/// Another outlet, with enough on its float.
fn outlet(stage: &mut Stage, name: &str) -> OutletId {
    let open = TillCommand::OpenOutlet { operator: OPERATOR, name: String::from(name) };
    let OfficeDone::OutletOpened { outlet } = done(&mut stage.world, Asked::Till(open)) else { panic!("an outlet") };
    let deposit = TillCommand::Deposit { outlet, currency: Currency::Usd, amount: minor(10_000) };
    done(&mut stage.world, Asked::Till(deposit));
    outlet
}

fn reload(stage: &mut Stage, outlet: OutletId, value: i64) -> Outcome {
    let goods = Goods::Reload { serial: CARD, value: minor(value) };
    let quote = Asked::Till(TillCommand::Quote { outlet, currency: Currency::Usd, goods });
    let OfficeDone::Quoted { quote, .. } = done(&mut stage.world, quote) else { panic!("a quote") };
    answer(&mut stage.world, Asked::Till(TillCommand::Sell { quote }))
}

fn refund(stage: &mut Stage) -> Outcome {
    answer(&mut stage.world, Asked::Till(TillCommand::Refund { serial: CARD }))
}

fn float(stage: &Stage, outlet: OutletId) -> i64 {
    stage.world.state.purse(AccountId::Float(outlet, Currency::Usd)).expect("a float").balance_minor
}

fn remembered(stage: &Stage) -> usize {
    stage.world.state.records_of(RecordKind::Takings).count()
}

#[test]
fn each_outlet_gets_back_what_it_took() {
    let (mut stage, first) = shop();
    let second = outlet(&mut stage, "service centre");
    let before = (float(&stage, first), float(&stage, second));
    assert_eq!(remembered(&stage), 0, "one outlet needs no list");
    for (outlet, value) in [(second, 40), (first, 3), (second, 2)] {
        assert!(matches!(reload(&mut stage, outlet, value), Outcome::Done(_)));
    }
    assert_eq!((float(&stage, first), float(&stage, second)), (before.0 - 3, before.1 - 42));
    let refunded = OfficeDone::Refunded { currency: Currency::Usd, price_minor: 545 };
    assert_eq!(refund(&mut stage), Outcome::Done(refunded.into()));
    assert_eq!((float(&stage, first), float(&stage, second)), (before.0 + 500, before.1));
    assert_eq!(remembered(&stage), 0, "the list ends with the card");
    assert!(matches!(refund(&mut stage), Outcome::Refused(_)), "a second time");
}

#[test]
fn an_outlet_that_only_reloaded_gets_its_share_of_a_card_sold_elsewhere() {
    let (mut stage, first) = shop();
    let before = float(&stage, first);
    let second = outlet(&mut stage, "service centre");
    assert!(matches!(reload(&mut stage, second, 500), Outcome::Done(_)));
    assert!(matches!(refund(&mut stage), Outcome::Done(_)));
    assert_eq!((float(&stage, first), float(&stage, second)), (before + 500, 10_000));
}

#[test]
fn what_outlets_took_is_forgotten_when_the_card_is_bound_or_ends() {
    for end in ["191…001 binds card-1", "care voids card-1"] {
        let (mut stage, _) = shop();
        let second = outlet(&mut stage, "service centre");
        assert!(matches!(reload(&mut stage, second, 40), Outcome::Done(_)));
        assert_eq!(remembered(&stage), 1);
        stage.line(end, &[]);
        assert!(matches!(stage.outcome, Some(Outcome::Done(_))), "{end}: {:?}", stage.outcome);
        assert_eq!(remembered(&stage), 0, "{end}");
    }
    let (mut stage, _) = shop();
    stage.line("191…001 binds card-1", &[]);
    let second = outlet(&mut stage, "service centre");
    assert!(matches!(reload(&mut stage, second, 40), Outcome::Done(_)));
    assert_eq!(remembered(&stage), 0, "a bound card is not refunded");
}

#[test]
fn a_card_is_paid_for_at_so_many_outlets_at_most() {
    let (mut stage, _) = shop();
    for n in 1..TAKINGS_MAX {
        let next = outlet(&mut stage, &format!("shop {n}"));
        assert!(matches!(reload(&mut stage, next, 1), Outcome::Done(_)), "outlet {n}");
    }
    let last = outlet(&mut stage, "one too many");
    let state = format!("paid for at {TAKINGS_MAX} outlets");
    let refusal = Refusal::from(OfficeRefusal::CardNotForSale { serial: CARD, state });
    assert_eq!(reload(&mut stage, last, 1), Outcome::Refused(refusal));
    assert_eq!(float(&stage, last), 10_000, "nothing was taken");
    assert!(matches!(refund(&mut stage), Outcome::Done(_)));
}
