//! Random histories are worth little when everything in them is refused: what a fixed set of them reaches.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::history::steps;
use super::laws::Life;
use super::rebuilt::restored;
use crate::command::Body;
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal};
use crate::office::{Asked, Record, RecordKey, RecordKind};
use crate::state::State;
use crate::verdict::{Done, Entry, Outcome};

/// Each of these is done in them: every command of the office, every proposal, everything that becomes due.
const OFFICE: [&str; 39] = [
    "abandon-batch: batch-abandoned",
    "approve adjust",
    "approve close",
    "approve rate",
    "approve reverse",
    "approve rules",
    "approve void-cards",
    "change-card: proposed",
    "commit-call: call-charged",
    "consume: call-charged",
    "deposit: float-changed",
    "due: dropped call",
    "due: dropped motion",
    "due: dropped quote",
    "due: hold-posted",
    "due: hold-voided",
    "extend-call: call-reserved",
    "gift done",
    "gift held",
    "load-rules: proposed",
    "make-cards: cards-made",
    "merge: merged",
    "open-outlet: outlet-opened",
    "pay-out: paid-out",
    "propose: proposed",
    "quote: quoted",
    "refund: refunded",
    "release-call: call-charged",
    "reserve-call: call-reserved",
    "resume-issuance: issuance-resumed",
    "seal-batch: batch-sealed",
    "sell: sold",
    "start-batch: batch-started",
    "stock-cards: stocked",
    "stop-issuance: issuance-stopped",
    "top-up done",
    "undo done",
    "withdraw-motion: motion-withdrawn",
    "withdraw: float-changed",
];

/// So many histories, the same ones each time.
fn lives(count: usize) -> impl Iterator<Item = Life> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| Life::of(&steps().new_tree(&mut runner).expect("steps").current(), 0))
}

/// What an entry is counted as: the command and what was done, the proposal that was approved, or the refusal.
fn name(before: &State, entry: &Entry) -> String {
    let asked = entry.body.name();
    match &entry.verdict.outcome {
        Outcome::Done(Done::Office(done)) => match proposal(before, &entry.body) {
            Some(proposal) => format!("{asked} {}", proposal.name()),
            None => match **done {
                OfficeDone::Dropped { kind } => format!("{asked}: dropped {}", kind.name()),
                _ => format!("{asked}: {}", done.name()),
            },
        },
        Outcome::Done(Done::Held { .. }) => format!("{asked} held"),
        Outcome::Done(_) => format!("{asked} done"),
        Outcome::Refused(refusal) => String::from(refusal.name()),
    }
}

/// The proposal that is approved.
fn proposal<'a>(before: &'a State, body: &Body) -> Option<&'a Proposal> {
    let Body::Office(office) = body else { return None };
    let Asked::Motion(MotionCommand::Approve { motion, .. }) = office.what else { return None };
    match before.record(RecordKey::made_by(RecordKind::Motion, motion)) {
        Some(Record::Motion(motion)) => Some(&motion.proposal),
        _ => None,
    }
}

#[test]
fn random_histories_reach_most_answers() {
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut checked = (0, 0);
    for life in lives(64) {
        checked = (checked.0 + life.recount.checked.0, checked.1 + life.recount.checked.1);
        let mut state = State::default();
        for kept in &life.world.journal {
            let entry = kept.entry();
            *names.entry(name(&state, &entry)).or_default() += 1;
            state.apply(state.seq().next(), kept.at, &entry.verdict.effects).expect("an entry that fits");
        }
    }
    assert!(checked.0 > 1_000 && checked.1 > 50, "{checked:?} {names:?}");
    assert!(names.len() > 105, "{} {names:?}", names.len());
    let never: Vec<_> = OFFICE.iter().filter(|name| !names.contains_key(**name)).collect();
    assert!(never.is_empty(), "{never:?} are never done: {names:?}");
}

/// Every prefix of a few journals: folded from zero, and built again from its rows.
#[test]
fn every_prefix_gives_the_state_that_it_gave() {
    for life in lives(3) {
        let mut state = State::default();
        for kept in &life.world.journal {
            let effects = &kept.entry().verdict.effects;
            state.apply(state.seq().next(), kept.at, effects).expect("an entry that fits");
            let again = restored(&state).expect("rows that fit");
            assert_eq!(again.differences(&state, 9), [], "{}", state.seq());
        }
        assert_eq!(state.differences(&life.world.state, 9), []);
    }
}
