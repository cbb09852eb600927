//! What a batch remembers of its cards, and how many of them one command makes or moves.

use super::desk::{answer, done, stocked, to_print};
use super::script::{Stage, play};
use crate::TOUCH_MAX;
use crate::ids::{BatchId, OperatorId, Serial};
use crate::office::Asked;
use crate::office::batch::{BatchCommand, MadeCard};
use crate::office::done::OfficeDone;
use crate::refusal::Refusal;
use crate::testing::{PASSWORD, minor};
use crate::verdict::Outcome;

const OPERATOR: OperatorId = OperatorId(0);

fn begun(stage: &mut Stage, ordered: u32) -> BatchId {
    let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered };
    let OfficeDone::BatchStarted { batch } = done(&mut stage.world, Asked::Batch(start)) else { panic!("a batch") };
    batch
}

fn cards(stage: &Stage, first: u64, count: usize) -> Vec<MadeCard> {
    (first..).take(count).map(|n| to_print(&stage.world, OPERATOR, n, PASSWORD)).collect()
}

fn make(stage: &Stage, batch: BatchId, first: u64, count: usize) -> Asked {
    Asked::Batch(BatchCommand::Make { batch, cards: cards(stage, first, count) })
}

/// A report finds a batch's cards by its runs of serials, without looking at every card there is.
#[test]
fn a_batch_knows_its_serials_also_when_others_were_issued_in_between() {
    let mut stage = play("test from 2020-06-01");
    let (batch, other) = (begun(&mut stage, 9), begun(&mut stage, 1));
    let mut n = 100;
    for (step, runs) in [
        ("2", &[(1, 2)][..]),
        ("1", &[(1, 3)]),
        ("issue", &[(1, 3)]),
        ("1", &[(1, 3), (5, 1)]),
        ("3", &[(1, 3), (5, 4)]),
        ("other", &[(1, 3), (5, 4)]),
        ("2", &[(1, 3), (5, 4), (10, 2)]),
    ] {
        match step {
            "issue" => stage.line("test issues 40", &[]),
            "other" => {
                let one = make(&stage, other, 900, 1);
                done(&mut stage.world, one);
            }
            count => {
                let some = make(&stage, batch, n, count.parse().expect("a number"));
                done(&mut stage.world, some);
                n += 100;
            }
        }
        let known: Vec<(u32, u32)> = stage
            .world
            .state
            .batch(batch)
            .expect("a batch")
            .runs
            .iter()
            .map(|(first, count)| (first.0, *count))
            .collect();
        assert_eq!(known, runs, "after {step}");
    }
    let known = stage.world.state.batch(batch).expect("a batch");
    assert_eq!((known.made, known.ordered, known.value.minor()), (9, 9, 500));
}

#[test]
fn one_command_makes_or_moves_so_many_cards_at_most() {
    let mut stage = play("test from 2020-06-01");
    let (outlet, first) = stocked(&mut stage.world, OPERATOR, 500, 1_001);
    let max = u32::try_from(TOUCH_MAX).expect("small");
    let too_many = Outcome::Refused(Refusal::TooMuchAtOnce { max });
    let stock = |last| Asked::Batch(BatchCommand::Stock { first, last: Serial(last), outlet });
    assert_eq!(answer(&mut stage.world, stock(first.0 + max)), too_many);
    assert_eq!(done(&mut stage.world, stock(first.0 + max - 1)), OfficeDone::Stocked { count: max });
    let batch = begun(&mut stage, max + 1);
    let all = make(&stage, batch, 10_000, TOUCH_MAX + 1);
    assert_eq!(answer(&mut stage.world, all), too_many);
    let most = make(&stage, batch, 10_000, TOUCH_MAX);
    assert!(matches!(done(&mut stage.world, most), OfficeDone::CardsMade { count, .. } if count == max));
    let none = make(&stage, batch, 20_000, 0);
    assert_eq!(answer(&mut stage.world, none), Outcome::Refused(Refusal::NothingToChange));
}
