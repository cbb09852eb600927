//! How many an operator may have: what is refused, what it says, and what makes room again.

use super::desk::{answer, done, to_print};
use super::script::{SECOND, Stage, number, play};
use crate::command::{Body, ChangeSubscriber, ImportSubscribers, SubscriberChange};
use crate::currency::Currency;
use crate::ids::{BatchId, OperatorId, OutletId, Serial, Staff};
use crate::office::batch::{Batch, BatchCommand, Stage as BatchStage};
use crate::office::ceiling::{BATCHES_MAX, Ceiling, MOTIONS_MAX, OUTLETS_MAX, QUOTES_MAX, RULES_MOTIONS_MAX, RUNS_MAX};
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Goods, TillCommand};
use crate::office::{Asked, Record, RecordKey};
use crate::refusal::Refusal;
use crate::state::Kept;
use crate::testing::{PASSWORD, asked, minor, subscriber};
use crate::verdict::{Done, Outcome};

const OPERATOR: OperatorId = OperatorId(0);

fn reached(of: Ceiling, max: u32) -> Outcome {
    Outcome::Refused(OfficeRefusal::CeilingReached { of, max }.into())
}

fn import(stage: &mut Stage, numbers: &[&str]) -> Outcome {
    let subscribers = numbers.iter().map(|short| subscriber(number(short).expect("a number"))).collect();
    let import = ImportSubscribers { staff: Staff(0), operator: OPERATOR, subscribers };
    stage.world.act(&Body::ImportSubscribers(import)).outcome
}

fn kept(stage: &Stage) -> Kept {
    stage.world.state.kept(OPERATOR)
}

#[test]
fn subscribers_are_counted_and_released_ones_with_them() {
    let mut stage = play("test from 2020-06-01\n| standing subscribers_max = 2\n191…001 is known since 2020-01-01");
    assert_eq!(import(&mut stage, &["191…002", "191…003"]), reached(Ceiling::Subscribers, 2), "all or nothing");
    assert_eq!(kept(&stage).subscribers, 1);
    assert_eq!(import(&mut stage, &["191…002"]), Outcome::Done(Done::Imported { created: 1, updated: 0 }));
    assert_eq!(import(&mut stage, &["191…001", "191…002"]), Outcome::Done(Done::Imported { created: 0, updated: 0 }));
    let (msisdn, change) = (number("191…002").expect("a number"), SubscriberChange::Release);
    stage.world.done(&Body::ChangeSubscriber(ChangeSubscriber { staff: Staff(0), msisdn, change }));
    // Its next owner would be another row.
    assert_eq!(import(&mut stage, &["191…002"]), reached(Ceiling::Subscribers, 2));
    stage.line("test loads", &["standing subscribers_max = 3"]);
    assert_eq!(import(&mut stage, &["191…002"]), Outcome::Done(Done::Imported { created: 1, updated: 0 }));
    assert_eq!(kept(&stage).subscribers, 3);
}

#[test]
fn a_phone_beyond_the_ceiling_is_nobody() {
    let mut stage = play(
        "test from 2020-06-01
         | standing subscribers_max = 2
         | standing first_use = true
         191…001 has a card with 1000
         191…007 is nobody yet
         191…008 is nobody yet
         191…009 is nobody yet",
    );
    let refused = |stage: &Stage| match &stage.outcome {
        Some(Outcome::Refused(refusal)) => refusal.clone(),
        other => panic!("{other:?}"),
    };
    // The script imports whoever it names but those.
    let rows = stage.world.state.rows().0;
    assert_eq!(rows, 1);
    stage.line("191…001 gives 5 to 191…007", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Done(_))), "{:?}", stage.outcome);
    stage.line("191…001 gives 5 to 191…008", &[]);
    assert_eq!(refused(&stage), Refusal::RecipientUnknown);
    stage.line("191…009 gives 5 to 191…001", &[]);
    assert_eq!(refused(&stage), Refusal::CallerUnknown);
    assert_eq!(stage.world.state.rows().0, 2);
}

#[test]
fn cards_are_counted_before_a_batch_is_begun() {
    let mut stage = play("test from 2020-06-01\n| standing cards_max = 3\n191…001 has a card with 1000");
    let start = |ordered| Asked::Batch(BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered });
    assert_eq!(answer(&mut stage.world, start(3)), reached(Ceiling::Cards, 3));
    // Two batches are promised the same room: whoever comes second is refused.
    for _ in 0..2 {
        done(&mut stage.world, start(2));
    }
    let make = |stage: &Stage, batch: u32, count: u64| {
        let number = |n| to_print(&stage.world, OPERATOR, u64::from(batch) * 100 + n, PASSWORD);
        let batch = BatchId::try_new(batch).expect("not 0");
        Asked::Batch(BatchCommand::Make { batch, cards: (0..count).map(number).collect() })
    };
    let both = make(&stage, 1, 2);
    done(&mut stage.world, both);
    let one = make(&stage, 2, 1);
    assert_eq!(answer(&mut stage.world, one), reached(Ceiling::Cards, 3));
    stage.line("test issues 500", &[]);
    assert_eq!(stage.outcome, Some(reached(Ceiling::Cards, 3)));
    assert_eq!((kept(&stage).cards, kept(&stage).batches), (3, 2));
}

#[test]
fn open_motions_about_rules_are_few_and_end() {
    let mut stage = play("test from 2020-06-01");
    let load = |stage: &mut Stage, n: u32| {
        let rules = super::profile::rules("test", &[&format!("standing swap_rest_h = {n}")]);
        let (rules, from) = (std::sync::Arc::new(rules), Some(stage.world.at));
        let proposal = Box::new(Proposal::Rules { rules, file_hash: [3; 32], from });
        answer(&mut stage.world, Asked::Motion(MotionCommand::Propose { operator: OPERATOR, proposal }))
    };
    let mut first = None;
    for n in 0..RULES_MOTIONS_MAX {
        let Outcome::Done(Done::Office(proposed)) = load(&mut stage, n) else { panic!("{n}") };
        let OfficeDone::Proposed { motion, hash } = *proposed else { panic!("{proposed:?}") };
        first.get_or_insert((motion, hash));
    }
    assert_eq!(load(&mut stage, 99), reached(Ceiling::RulesMotions, RULES_MOTIONS_MAX));
    let (motion, hash) = first.expect("a motion");
    stage.world.done(&asked(SECOND, Asked::Motion(MotionCommand::Approve { motion, hash })));
    assert_eq!((kept(&stage).motions, kept(&stage).rules_motions), (RULES_MOTIONS_MAX - 1, RULES_MOTIONS_MAX - 1));
    assert!(matches!(load(&mut stage, 99), Outcome::Done(_)));
}

#[test]
fn what_staff_opens_has_a_ceiling() {
    let mut stage = play("test from 2020-06-01");
    let open = || TillCommand::OpenOutlet { operator: OPERATOR, name: String::from("post office") };
    done(&mut stage.world, Asked::Till(open()));
    let goods = Goods::Cards { first: Serial(1), count: 1 };
    let quote = TillCommand::Quote { outlet: OutletId(1), currency: Currency::Usd, goods };
    let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered: 1 };
    let close = Proposal::Close { period: String::from("end"), from: stage.world.at.plus_s(60), cards_void: false };
    let propose = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(close) };
    for (what, of, max) in [
        (Asked::Till(open()), Ceiling::Outlets, OUTLETS_MAX),
        (Asked::Till(quote), Ceiling::Quotes, QUOTES_MAX),
        (Asked::Batch(start), Ceiling::Batches, BATCHES_MAX),
        (Asked::Motion(propose), Ceiling::Motions, MOTIONS_MAX),
    ] {
        let before = kept(&stage);
        stage.world.state.operators[0].kept =
            Kept { outlets: OUTLETS_MAX, batches: BATCHES_MAX, quotes: QUOTES_MAX, motions: MOTIONS_MAX, ..before };
        assert_eq!(answer(&mut stage.world, what.clone()), reached(of, max));
        stage.world.state.operators[0].kept = before;
        let refused = answer(&mut stage.world, what);
        assert_ne!(refused, reached(of, max), "one below it");
    }
}

#[test]
fn a_batch_in_too_many_pieces_is_not_made_longer() {
    let mut stage = play("test from 2020-06-01\n191…001 has a card with 1000");
    let number = BatchId::try_new(1).expect("not 0");
    for pieces in [RUNS_MAX - 1, RUNS_MAX] {
        let runs = (0..pieces).map(|n| (Serial(n * 2 + 10), 1)).collect();
        let (value, stage_of) = (minor(500), BatchStage::Making);
        let batch = Batch { operator: OPERATOR, value, ordered: pieces + 1, made: pieces, stage: stage_of, runs };
        stage.world.state.put_record(RecordKey::batch(number), Some(Record::Batch(batch))).expect("a batch");
        let cards = vec![to_print(&stage.world, OPERATOR, 700 + u64::from(pieces), PASSWORD)];
        let made = answer(&mut stage.world, Asked::Batch(BatchCommand::Make { batch: number, cards }));
        if pieces < RUNS_MAX {
            assert!(matches!(made, Outcome::Done(_)), "one more piece: {made:?}");
        } else {
            assert_eq!(made, reached(Ceiling::Runs, RUNS_MAX));
        }
    }
}
