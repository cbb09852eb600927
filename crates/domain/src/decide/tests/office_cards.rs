//! Cards whose life the office ends while something is still to come back to them, and void cards in long rows.

use super::desk::{Owed, answer, done, owed, rate, resolve, sold, stocked};
use super::script::{Stage, play};
use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::card::Voiding;
use crate::command::Body;
use crate::currency::Currency;
use crate::ids::{CardId, OperatorId, OutletId, Serial, SubscriberId};
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal, Reversal};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::TillCommand;
use crate::office::{Asked, RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::refusal::{Refusal, Unusable};
use crate::verdict::{Done, Outcome};

const OPERATOR: OperatorId = OperatorId(0);

/// One phone with two cards of 500 that were bought for dollars; every gift is on hold for an hour.
fn two_cards(keys: &str) -> Stage {
    let mut stage = play(&format!(
        "test from 2020-06-01
         | hold = {{ gifts = \"always\", for_s = 3600 }}
         {keys}
         191…001 is known since 2020-01-01
         191…002 is known since 2020-01-01"
    ));
    resolve(&mut stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let (outlet, _) = stocked(&mut stage.world, OPERATOR, 500, 2);
    for card in 1..=2 {
        sold(&mut stage.world, outlet, Currency::Usd, Serial(card));
        stage.line(&format!("191…001 binds card-{card}"), &[]);
    }
    stage
}

/// A gift of 100 from the first card: its entry.
fn held(stage: &mut Stage) -> Seq {
    stage.line("191…001 gives 100 to 191…002", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Done(Done::Held { .. }))), "{:?}", stage.outcome);
    stage.world.state.seq()
}

fn due(stage: &mut Stage, hold: Seq) -> OfficeDone {
    match stage.world.act(&Body::Due(RecordKey::made_by(RecordKind::Hold, hold))).outcome {
        Outcome::Done(Done::Office(done)) => *done,
        other => panic!("{other:?}"),
    }
}

fn merge() -> Asked {
    Asked::Till(TillCommand::Merge { from: Serial(1), into: Serial(2) })
}

fn pay_out() -> Asked {
    Asked::Till(TillCommand::PayOut { serial: Serial(1) })
}

fn balance(stage: &Stage, account: AccountId) -> i64 {
    stage.world.state.purse(account).expect("an account").balance_minor
}

fn card(stage: &Stage, n: u32) -> i64 {
    balance(stage, AccountId::Card(CardId(n - 1)))
}

#[test]
fn a_card_is_not_merged_while_a_gift_of_it_is_on_hold() {
    let mut stage = two_cards("");
    let hold = held(&mut stage);
    let why = Refusal::CardStateForbids { state: String::from("gift-on-hold") };
    assert_eq!(answer(&mut stage.world, merge()), Outcome::Refused(why));
    stage.line("191…001 undoes", &[]);
    assert_eq!(card(&stage, 1), 500);
    assert!(stage.world.state.hold(hold).is_none());
    assert_eq!(done(&mut stage.world, merge()), OfficeDone::Merged { balance_minor: 1_000 });
    // The other way round nothing comes back to a card that is over.
    let mut stage = two_cards("");
    held(&mut stage);
    let other = Asked::Till(TillCommand::Merge { from: Serial(2), into: Serial(1) });
    assert_eq!(done(&mut stage.world, other), OfficeDone::Merged { balance_minor: 900 });
}

#[test]
fn a_card_is_not_paid_out_while_a_gift_of_it_is_on_hold() {
    let mut stage = two_cards("");
    let hold = held(&mut stage);
    let (first, last) = (Serial(1), Serial(1));
    resolve(&mut stage.world, OPERATOR, Proposal::VoidCards { first, last, why: Voiding::Lost });
    let why = Refusal::CardStateForbids { state: String::from("gift-on-hold") };
    assert_eq!(answer(&mut stage.world, pay_out()), Outcome::Refused(why));
    stage.line("care releases 191…002", &[]);
    stage.world.at = stage.world.at.plus_s(3_600);
    assert!(matches!(due(&mut stage, hold), OfficeDone::HoldVoided { gift, .. } if gift.hold == hold));
    let paid = OfficeDone::PaidOut { currency: Currency::Usd, paid_minor: 500, value_minor: 500 };
    assert_eq!(done(&mut stage.world, pay_out()), paid, "all of it");
}

#[test]
fn what_comes_back_to_an_expired_card_expired_with_it() {
    let mut stage = two_cards("| standing card_valid_days = 1");
    let half_an_hour = stage.world.state.card(CardId(0)).expect("a card").facts.expires_at.plus_s(-1_800);
    stage.world.at = half_an_hour;
    let hold = held(&mut stage);
    stage.line("care bars 191…002", &[]);
    stage.world.at = half_an_hour.plus_s(1_800);
    stage.line("card-1 expires", &[]);
    assert_eq!(balance(&stage, AccountId::Breakage(OPERATOR)), 400);
    stage.world.at = half_an_hour.plus_s(3_600);
    assert!(matches!(due(&mut stage, hold), OfficeDone::HoldVoided { gift, .. } if gift.hold == hold));
    assert_eq!((card(&stage, 1), balance(&stage, AccountId::Held(OPERATOR))), (0, 0));
    assert_eq!(balance(&stage, AccountId::Breakage(OPERATOR)), 500);
}

#[test]
fn what_is_owed_for_a_void_card_does_not_expire() {
    let mut stage = two_cards("| standing card_valid_days = 30");
    let close = Proposal::Close { period: String::from("end"), from: stage.world.at.plus_s(9), cards_void: true };
    resolve(&mut stage.world, OPERATOR, close);
    stage.world.at = stage.world.at.plus_s(31 * 86_400);
    stage.line("card-1 expires", &[]);
    assert_eq!(stage.outcome, Some(Outcome::Refused(Refusal::CardStateForbids { state: String::from("void") })));
    assert_eq!(owed(&stage.world.state, stage.world.at).len(), 2);
    done(&mut stage.world, pay_out());
}

#[test]
fn an_older_gift_that_comes_back_does_not_make_a_newer_one_forgotten() {
    let mut stage = two_cards("| standing repeat_window_s = 600");
    let older = held(&mut stage);
    stage.world.at = stage.world.at.plus_s(3_590);
    let newer = held(&mut stage);
    stage.line("care bars 191…002", &[]);
    stage.world.at = stage.world.at.plus_s(10);
    assert!(matches!(due(&mut stage, older), OfficeDone::HoldVoided { gift, .. } if gift.hold == older));
    stage.line("care unbars 191…002", &[]);
    stage.line("191…001 gives 100 to 191…002", &[]);
    let said = stage.outcome.as_ref();
    assert!(matches!(said, Some(Outcome::Refused(Refusal::Repeated { seq, .. })) if *seq == newer), "{said:?}");
    stage.line("191…001 undoes", &[]);
    held(&mut stage);
}

/// What comes back to a card that is over goes to another one of its holder, and is not taken back when there is none.
#[test]
fn a_reversal_finds_the_holder_s_other_card() {
    let mut stage = two_cards("");
    let of = held(&mut stage);
    let given_at = stage.world.at;
    stage.world.at = stage.world.at.plus_s(3_600);
    due(&mut stage, of);
    let reversal = Reversal {
        of,
        card: CardId(0),
        sender: SubscriberId(0),
        recipient: SubscriberId(1),
        amount: crate::testing::minor(100),
        reason: String::from("the wrong number"),
        given_at,
    };
    done(&mut stage.world, merge());
    resolve(&mut stage.world, OPERATOR, Proposal::Reverse(reversal));
    assert_eq!((card(&stage, 1), card(&stage, 2)), (0, 1_000));
}

#[test]
fn nothing_is_reversed_to_somebody_without_a_card() {
    let mut stage = two_cards("");
    let of = held(&mut stage);
    let given_at = stage.world.at;
    stage.world.at = stage.world.at.plus_s(3_600);
    due(&mut stage, of);
    for serial in [Serial(1), Serial(2)] {
        let why = Voiding::Lost;
        resolve(&mut stage.world, OPERATOR, Proposal::VoidCards { first: serial, last: serial, why });
        done(&mut stage.world, Asked::Till(TillCommand::PayOut { serial }));
    }
    let reversal = Reversal {
        of,
        card: CardId(0),
        sender: SubscriberId(0),
        recipient: SubscriberId(1),
        amount: crate::testing::minor(100),
        reason: String::from("the wrong number"),
        given_at,
    };
    let propose = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(Proposal::Reverse(reversal)) };
    let closed = Refusal::CardStateForbids { state: String::from("closed") };
    assert_eq!(answer(&mut stage.world, Asked::Motion(propose)), Outcome::Refused(closed));
}

/// More cards than one command may touch: void by a rule that is met when one of them is.
#[test]
fn a_long_row_of_void_cards() {
    let mut stage = play("test from 2020-06-01\n191…001 is known since 2020-01-01");
    resolve(&mut stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let count = u32::try_from(TOUCH_MAX).expect("few") + 5;
    let (outlet, _) = stocked(&mut stage.world, OPERATOR, 500, count);
    assert_eq!(outlet, OutletId(1));
    for card in [1, 2, count - 1, count] {
        sold(&mut stage.world, outlet, Currency::Usd, Serial(card));
    }
    stage.line("191…001 binds card-2", &[]);
    let range = |first, last| Proposal::VoidCards { first: Serial(first), last: Serial(last), why: Voiding::Ordered };
    resolve(&mut stage.world, OPERATOR, range(2, count - 1));
    assert_eq!(stage.world.state.records_of(RecordKind::VoidCards).count(), 1);
    stage.line("191…001 gives 9 to 191…002", &[]);
    assert_eq!(stage.outcome, Some(Outcome::Refused(Refusal::CardNotUsable { why: Unusable::Void })));
    let line = |serial| Owed { serial: Serial(serial), left_minor: 500, currency: Currency::Usd, owed_minor: 500 };
    let void = [line(2), line(count - 1)];
    assert_eq!(owed(&stage.world.state, stage.world.at), void, "from its first to its last, and none beside it");
    for (first, last) in [(1, 2), (2, 2), (count - 1, count), (1, count)] {
        let propose = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(range(first, last)) };
        let overlap = OfficeRefusal::RangeOverlaps { first: Serial(2), last: Serial(count - 1) };
        assert_eq!(answer(&mut stage.world, Asked::Motion(propose)), Outcome::Refused(overlap.into()));
    }
    for serial in [2, count - 1].map(Serial) {
        let pay_out = || Asked::Till(TillCommand::PayOut { serial });
        done(&mut stage.world, pay_out());
        assert_eq!(answer(&mut stage.world, pay_out()), Outcome::Refused(OfficeRefusal::CardNotVoid.into()));
    }
    stage.line("191…001 binds card-1", &[]);
    assert!(stage.said.ends_with("card 1 bound, 500 on it\n"), "{}", stage.said);
}
