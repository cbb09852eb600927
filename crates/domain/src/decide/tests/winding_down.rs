//! July 2020: gifts are forbidden, cards are void the same afternoon, and the operator owes what is on them.

use super::desk::{Owed, answer, done, owed, rate, resolve, sold, stocked};
use super::script::{STAFF, Stage, play};
use crate::account::AccountId;
use crate::card::{CardState, Voiding};
use crate::currency::Currency;
use crate::ids::{OperatorId, Serial};
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Goods, TillCommand};
use crate::office::{Asked, RecordKind};
use crate::refusal::{Refusal, Unusable};
use crate::testing::{asked, minor};
use crate::time::Timestamp;
use crate::verdict::{Done, Outcome};

const OPERATOR: OperatorId = OperatorId(0);
/// Noon of 1 July in Pyongyang.
const NOON: &str = "2020-07-01T03:00:00Z";

fn noon() -> Timestamp {
    Timestamp::parse(NOON).expect("an instant")
}

fn refused(outcome: &Outcome) -> &Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        Outcome::Done(done) => panic!("{done:?}"),
    }
}

fn office(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Office(refusal) => refusal.name(),
        other => panic!("{other:?}"),
    }
}

/// Three people with a card each, bought for dollars, yuan and won at 100 won a dollar (and a third more), 30 yuan for 500
/// won, 75 won of cash for one; a fourth card is sold and on no phone, a fifth is at the outlet.
fn june() -> Stage {
    let mut stage = play(
        "test from 2020-06-08
         | amount_max = 500
         | limit one-a-day gift sender count 1 business-day
         191…001 is known since 2020-01-01
         191…002 is known since 2020-01-01
         191…003 is known since 2020-01-01
         191…004 is known since 2020-01-01",
    );
    for (currency, numerator, denominator) in [(Currency::Usd, 4, 3), (Currency::Cny, 6, 1), (Currency::Kpw, 7_500, 1)]
    {
        resolve(&mut stage.world, OPERATOR, rate(currency, numerator, denominator));
    }
    let (outlet, first) = stocked(&mut stage.world, OPERATOR, 500, 5);
    assert_eq!(first, Serial(1));
    for (card, currency) in (1..).zip([Currency::Usd, Currency::Cny, Currency::Kpw, Currency::Usd]) {
        sold(&mut stage.world, outlet, currency, Serial(card));
    }
    for n in 1..=3 {
        stage.line(&format!("2020-06-08 12:00  191…00{n} binds card-{n}"), &[]);
    }
    assert_eq!(stage.said, "card 1 bound, 500 on it\ncard 2 bound, 500 on it\ncard 3 bound, 500 on it\n");
    stage
}

fn close() -> Proposal {
    Proposal::Close { period: String::from("kp-2020-07"), from: noon(), cards_void: true }
}

fn given(stage: &mut Stage, line: &str) {
    stage.line(line, &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Done(Done::Given { .. }))), "{line}: {:?}", stage.outcome);
}

fn closed(stage: &mut Stage, line: &str) {
    stage.line(line, &[]);
    let expected = Refusal::ServiceClosed { period: Some(String::from("kp-2020-07")) };
    assert_eq!(stage.outcome, Some(Outcome::Refused(expected)), "{line}");
}

fn pay_out(serial: u32) -> Asked {
    Asked::Till(TillCommand::PayOut { serial: Serial(serial) })
}

fn balance(stage: &Stage, account: AccountId) -> i64 {
    stage.world.state.purse(account).expect("an account").balance_minor
}

/// The evening before, two people decide; the next morning one more gift of each passes.
fn until_noon() -> Stage {
    let mut stage = june();
    given(&mut stage, "2020-06-30 10:00  191…001 gives 201 to 191…002");
    stage.line("2020-06-30 18:00  191…001 asks balance", &[]);
    resolve(&mut stage.world, OPERATOR, close());
    given(&mut stage, "2020-07-01 09:00  191…002 gives 250 to 191…003");
    given(&mut stage, "2020-07-01 11:59  191…003 gives 123 to 191…001");
    stage
}

#[test]
fn gifts_pass_until_noon_and_are_refused_by_the_rule_s_name_after_it() {
    let mut stage = until_noon();
    stage.world.at = noon().plus_ms(-1);
    given(&mut stage, "191…001 gives 9 to 191…003");
    closed(&mut stage, &format!("{NOON}  191…001 gives 9 to 191…003"));
    closed(&mut stage, "2020-07-01 15:00  191…002 gives 1 to 191…001");
    closed(&mut stage, "191…003 tops up 1");
    closed(&mut stage, "191…003 gives 1 to 191…001 password 111112");
    closed(&mut stage, "2021-12-31 15:00  191…003 gives 1 to 191…001");
}

#[test]
fn one_person_closes_nothing_and_nobody_closes_yesterday() {
    let mut stage = june();
    let propose = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(close()) };
    let OfficeDone::Proposed { motion, hash } = done(&mut stage.world, Asked::Motion(propose)) else { panic!() };
    let own = answer(&mut stage.world, Asked::Motion(MotionCommand::Approve { motion, hash }));
    assert_eq!(office(refused(&own)), "own-motion");
    stage.world.at = noon().plus_ms(1);
    let late = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(close()) };
    let late = answer(&mut stage.world, Asked::Motion(late));
    assert_eq!(office(refused(&late)), "rewrites-past");
    stage.line("191…001 gives 9 to 191…003", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Done(Done::Given { .. }))), "nobody closed it");
}

#[test]
fn cards_are_void_the_same_afternoon() {
    let mut stage = until_noon();
    assert_eq!(owed(&stage.world.state, stage.world.at), [], "before noon nothing is owed");
    let early = answer(&mut stage.world, pay_out(1));
    assert_eq!(office(refused(&early)), "card-not-void");
    stage.world.at = noon();
    let void = Outcome::Refused(Refusal::CardNotUsable { why: Unusable::Void });
    stage.line("191…004 binds card-4", &[]);
    assert_eq!(stage.outcome, Some(void), "the card that was sold is on no phone any more");
    let till = |goods| TillCommand::Quote { outlet: crate::ids::OutletId(1), currency: Currency::Usd, goods };
    let cards = answer(&mut stage.world, Asked::Till(till(Goods::Cards { first: Serial(5), count: 1 })));
    let reload = answer(&mut stage.world, Asked::Till(till(Goods::Reload { serial: Serial(1), value: minor(9) })));
    let closed = Refusal::ServiceClosed { period: Some(String::from("kp-2020-07")) };
    assert_eq!((refused(&cards), refused(&reload)), (&closed, &closed));
}

#[test]
fn what_is_owed_is_paid_out_once() {
    let mut stage = until_noon();
    stage.world.at = noon().plus_s(3_600);
    let list = owed(&stage.world.state, stage.world.at);
    let line =
        |serial, left_minor, currency, owed_minor| Owed { serial: Serial(serial), left_minor, currency, owed_minor };
    // 299 of 500 for 6.67 dollars, 250 of 500 for 30 yuan, 377 of 500 for 37 500 won: rounded down.
    let expected = [
        line(1, 299, Currency::Usd, 398),
        line(2, 250, Currency::Cny, 1_500),
        line(3, 377, Currency::Kpw, 2_827_500),
        line(4, 500, Currency::Usd, 667),
    ];
    assert_eq!(list, expected);
    let cash = |stage: &Stage| Currency::ALL.map(|currency| balance(stage, AccountId::Cash(OPERATOR, currency)));
    assert_eq!(cash(&stage), [2 * 667, 3_000, 0, 3_750_000]);
    for Owed { serial, left_minor, currency, owed_minor } in list {
        let paid = done(&mut stage.world, pay_out(serial.0));
        assert_eq!(paid, OfficeDone::PaidOut { currency, paid_minor: owed_minor, value_minor: left_minor });
        let state = stage.world.state.card_of_serial(serial).expect("a card").1.facts.state;
        assert!(matches!(state, CardState::Closed { .. }), "{state:?}");
        let again = answer(&mut stage.world, pay_out(serial.0));
        assert_eq!(office(refused(&again)), "card-not-void", "a second time");
    }
    assert_eq!(owed(&stage.world.state, stage.world.at), [], "nothing is owed any more");
    assert_eq!(cash(&stage), [2 * 667 - 398 - 667, 1_500, 0, 3_750_000 - 2_827_500]);
    assert_eq!(balance(&stage, AccountId::Refunded(OPERATOR)), 299 + 250 + 377 + 500);
    // What was given stays given: 574 won of airtime are still good for calls.
    assert_eq!(-balance(&stage, AccountId::Position(OPERATOR)), 299 + 250 + 377 + 500 + 201 + 250 + 123);
    assert!(stage.world.state.sums().values().all(|sum| *sum == 0));
}

#[test]
fn only_what_was_bought_and_is_left_is_paid_out() {
    let mut stage = until_noon();
    stage.line("191…004 has a card with 100", &[]);
    given(&mut stage, "191…004 gives 100 to 191…001");
    stage.world.at = noon();
    for (serial, why) in [(6, "card-not-bought"), (5, "card-not-bought")] {
        let outcome = answer(&mut stage.world, pay_out(serial));
        assert_eq!(office(refused(&outcome)), why, "card {serial}");
    }
    assert_eq!(answer(&mut stage.world, pay_out(99)), Outcome::Refused(Refusal::CardUnknown));
    let held = stage.world.state.records_of(RecordKind::Hold).count();
    assert_eq!((held, stage.world.state.records_of(RecordKind::Motion).count()), (0, 0));
}

/// A card that is void by two people's order, and empty.
#[test]
fn nothing_left_is_nothing_owed() {
    let mut stage = june();
    given(&mut stage, "2020-06-30 10:00  191…001 gives 500 to 191…002");
    let (first, last) = (Serial(1), Serial(1));
    resolve(&mut stage.world, OPERATOR, Proposal::VoidCards { first, last, why: Voiding::Ordered });
    assert_eq!(owed(&stage.world.state, stage.world.at), []);
    let empty = stage.world.act(&asked(STAFF, pay_out(1))).outcome;
    assert_eq!(empty, Outcome::Refused(OfficeRefusal::NothingLeft.into()));
}
