//! Calls across a load of rules: what was agreed when airtime was set aside is what is charged and given back.

use std::sync::Arc;

use super::desk::{answer, done, resolve};
use super::profile;
use super::script::{Stage, number, play};
use crate::command::{Body, ChangeSubscriber, SubscriberChange};
use crate::ids::{CardId, OperatorId, Staff};
use crate::office::Asked;
use crate::office::call::CallCommand;
use crate::office::done::OfficeDone;
use crate::office::motion::Proposal;
use crate::office::{RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::rules::limit::{Kind, Subject};
use crate::state::{Usage, UsageKey};
use crate::verdict::Outcome;

const OPERATOR: OperatorId = OperatorId(0);
/// A minute costs 4.
const FREE: &str = "tariff free_minutes_per_month = 10";

/// A phone with 400 of airtime, under rules with ten free minutes.
fn stage() -> Stage {
    play(&format!(
        "test from 2020-06-01
         | {FREE}
         191…001 has a card with 1000
         2020-06-10 10:00  191…001 tops up 400"
    ))
}

fn ask(stage: &mut Stage, command: CallCommand) -> OfficeDone {
    done(&mut stage.world, Asked::Call(command))
}

fn reserve(stage: &mut Stage, minutes: u32) -> Seq {
    let msisdn = number("191…001").expect("a number");
    let reserve = CallCommand::Reserve { msisdn, cross: false, seconds: minutes * 60 };
    match ask(stage, reserve) {
        OfficeDone::CallReserved { call, .. } => call,
        other => panic!("{other:?}"),
    }
}

/// Rules by two people, in force at once.
fn load(stage: &mut Stage, rules: Rules) {
    let from = Some(stage.world.at);
    resolve(&mut stage.world, OPERATOR, Proposal::Rules { rules: Arc::new(rules), file_hash: [2; 32], from });
}

/// Free minutes that the phone has used this month, counted in the first limit of calls that was ever loaded.
fn used(stage: &Stage) -> Usage {
    let state = &stage.world.state;
    let (id, _) = state.find_subscriber(number("191…001").expect("a number")).expect("somebody");
    let with_free = profile::rules("test", &[FREE]).free_minutes.expect("free minutes");
    assert_eq!((with_free.kind, with_free.subject), (Kind::Call, Subject::Sender));
    let key = UsageKey::of(with_free.id, with_free.subject, id, id, CardId(0));
    state.usage(key, with_free.subject).unwrap_or_default()
}

#[test]
fn free_minutes_come_back_whatever_the_rules_say_by_then() {
    for (how, lines) in [
        ("without free minutes", &[][..]),
        ("with fewer of them", &["tariff free_minutes_per_month = 2"]),
        ("with more of them", &["tariff free_minutes_per_month = 99"]),
        ("at another price", &[FREE, "amount_max = 77"]),
    ] {
        let mut stage = stage();
        let call = reserve(&mut stage, 6);
        assert_eq!(used(&stage).count, 6);
        load(&mut stage, profile::rules("test", lines));
        let charged = ask(&mut stage, CallCommand::Commit { call, seconds: 61 });
        let expected = OfficeDone::CallCharged { charged_minor: 0, free_minutes: 2, airtime_minor: 400 };
        assert_eq!(charged, expected, "{how}");
        assert_eq!(used(&stage).count, 2, "{how}");
        // They are there again when the rules have free minutes again.
        load(&mut stage, profile::rules("test", &[FREE]));
        let again = reserve(&mut stage, 9);
        assert_eq!(
            ask(&mut stage, CallCommand::Release { call: again }),
            OfficeDone::CallCharged { charged_minor: 0, free_minutes: 0, airtime_minor: 400 }
        );
        assert_eq!(used(&stage).count, 2, "{how}");
    }
}

#[test]
fn a_call_that_nobody_ends_gives_them_back_too() {
    let mut stage = stage();
    let call = reserve(&mut stage, 6);
    load(&mut stage, profile::rules("test", &[]));
    stage.world.at = stage.world.at.plus_s(7_200);
    let key = RecordKey::made_by(RecordKind::Call, call);
    assert_eq!(stage.world.done(&Body::Due(key)).effects.usage.len(), 1);
    assert_eq!(used(&stage).count, 0);
}

#[test]
fn a_call_of_last_month_gives_nothing_back_to_this_one() {
    let mut stage = play(&format!(
        "test from 2020-06-01
         | {FREE}
         191…001 has a card with 1000
         2020-06-30 23:50  191…001 tops up 400"
    ));
    let june = reserve(&mut stage, 6);
    stage.world.at = stage.world.at.plus_s(1_200);
    let july = reserve(&mut stage, 3);
    assert_eq!(used(&stage).count, 3);
    ask(&mut stage, CallCommand::Release { call: june });
    assert_eq!(used(&stage).count, 3, "what June had used is June's");
    ask(&mut stage, CallCommand::Commit { call: july, seconds: 60 });
    assert_eq!(used(&stage).count, 1);
}

#[test]
fn a_call_that_began_without_free_minutes_goes_on_without() {
    let mut stage = play(
        "test from 2020-06-01
         191…001 has a card with 1000
         2020-06-10 10:00  191…001 tops up 400",
    );
    let call = reserve(&mut stage, 5);
    load(&mut stage, profile::rules("test", &[FREE]));
    let OfficeDone::CallReserved { free_minutes, held_minor, .. } =
        ask(&mut stage, CallCommand::Extend { call, seconds: 300 })
    else {
        panic!("a call")
    };
    assert_eq!((free_minutes, held_minor), (0, 40));
    ask(&mut stage, CallCommand::Release { call });
    assert_eq!(used(&stage), Usage::default());
}

#[test]
fn who_was_barred_or_released_meanwhile_gets_no_more_time_but_pays() {
    for (change, refusal) in
        [(SubscriberChange::Bar, Refusal::CallerBarred), (SubscriberChange::Release, Refusal::SubscriberUnknown)]
    {
        let mut stage = stage();
        let call = reserve(&mut stage, 6);
        let msisdn = number("191…001").expect("a number");
        stage.world.done(&Body::ChangeSubscriber(ChangeSubscriber { staff: Staff(0), msisdn, change }));
        let extend = Asked::Call(CallCommand::Extend { call, seconds: 60 });
        assert_eq!(answer(&mut stage.world, extend), Outcome::Refused(refusal.clone()));
        assert_eq!(used(&stage).count, 6, "{refusal:?}");
        let charged = ask(&mut stage, CallCommand::Commit { call, seconds: 6 * 60 });
        assert_eq!(charged, OfficeDone::CallCharged { charged_minor: 0, free_minutes: 6, airtime_minor: 400 });
    }
}
