//! Planted bugs: each is caught within a few seeds, by what looks inside and by what a subscriber or an auditor could see.

use lab::invariant::{
    ACKNOWLEDGED_IS_DURABLE, BUSINESS_DATE, CHECKPOINT_BEHIND_JOURNAL, IDS_OUTLIVE_RESTART, NO_GIFT_TWICE,
    NO_LIMIT_EXCEEDED, ONE_VERDICT_PER_ID, REFUSAL_HOLDS, STARTS_AGAIN,
};
use lab::{Plant, STEPS, Violation, World, WorldConfig};

/// Every invariant that caught the plant in so many seeds, with the first violation of each.
fn caught(plant: Plant, look_inside: bool, seeds: u64) -> Vec<Violation> {
    let config = WorldConfig { plant: Some(plant), look_inside, ..WorldConfig::default() };
    let mut first: Vec<Violation> = Vec::new();
    for seed in 0..seeds {
        if let Err(violation) = World::new(seed, config).run(STEPS)
            && first.iter().all(|known| known.invariant != violation.invariant)
        {
            first.push(violation);
        }
    }
    first
}

#[track_caller]
fn is_caught(plant: Plant, look_inside: bool, seeds: u64, by: &[&str]) {
    let first = caught(plant, look_inside, seeds);
    let names: Vec<&str> = first.iter().map(|violation| violation.invariant).collect();
    assert!(by.iter().all(|name| names.contains(name)), "{}: {first:#?}", plant.name());
}

#[test]
fn an_answer_before_the_append() {
    is_caught(Plant::AnswerBeforeAppend, true, 2, &[ACKNOWLEDGED_IS_DURABLE]);
    is_caught(Plant::AnswerBeforeAppend, false, 2, &[ACKNOWLEDGED_IS_DURABLE]);
}

#[test]
fn a_limit_read_outside_the_decider() {
    is_caught(Plant::LimitReadOutside, true, 20, &[NO_LIMIT_EXCEEDED]);
    is_caught(Plant::LimitReadOutside, false, 20, &[NO_LIMIT_EXCEEDED]);
}

#[test]
fn an_id_forgotten_at_restart() {
    is_caught(Plant::IdForgottenAtRestart, true, 10, &[IDS_OUTLIVE_RESTART]);
    is_caught(Plant::IdForgottenAtRestart, false, 20, &[ONE_VERDICT_PER_ID]);
}

#[test]
fn a_midnight_that_is_off_by_one_hour() {
    is_caught(Plant::MidnightOffByOne, true, 5, &[BUSINESS_DATE]);
    is_caught(Plant::MidnightOffByOne, false, 60, &[NO_LIMIT_EXCEEDED, REFUSAL_HOLDS]);
}

#[test]
fn a_checkpoint_ahead_of_the_journal() {
    is_caught(Plant::CheckpointAhead, true, 5, &[CHECKPOINT_BEHIND_JOURNAL]);
    // Without looking: the next start is refused.
    is_caught(Plant::CheckpointAhead, false, 5, &[STARTS_AGAIN]);
}

/// Gifts come twice in almost every world, so worlds are looked through until a top-up is what comes twice first.
#[test]
fn a_redial_that_is_forgotten() {
    is_caught(Plant::RedialForgotten, true, 5, &[NO_GIFT_TWICE]);
    is_caught(Plant::RedialForgotten, false, 5, &[NO_GIFT_TWICE]);
    let config = WorldConfig { plant: Some(Plant::RedialForgotten), ..WorldConfig::default() };
    let mut twice = (0..200).filter_map(|seed| World::new(seed, config).run(STEPS).err());
    let top_up = |violation: &Violation| violation.invariant == NO_GIFT_TWICE && violation.what.contains(" tops up ");
    assert!(twice.any(|violation| top_up(&violation)), "no top-up is seen to be done twice");
}

#[test]
fn every_plant_has_a_name_of_its_own() {
    for plant in Plant::ALL {
        assert_eq!(Plant::from_name(plant.name()), Some(plant));
    }
    assert_eq!(Plant::from_name("none"), None);
}
