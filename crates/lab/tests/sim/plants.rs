//! Planted bugs: each is caught within a few seeds, by what looks inside and by what a subscriber or an auditor could see.

use lab::invariant::{
    ACKNOWLEDGED_IS_DURABLE, BUSINESS_DATE, CHECKPOINT_BEHIND_JOURNAL, DECIDED_IN_TIME, EVERYTHING_TOLD, HELD_ENDS,
    IDS_OUTLIVE_RESTART, NO_GIFT_TWICE, NO_LIMIT_EXCEEDED, ONE_VERDICT_PER_ID, STARTS_AGAIN,
};
use lab::{Plant, STEPS, Violation, World, WorldConfig};

/// Within so many seeds each of these invariants catches the plant.
#[track_caller]
fn is_caught(plant: Plant, look_inside: bool, seeds: u64, by: &[&str]) {
    let config = WorldConfig { plant: Some(plant), look_inside, ..WorldConfig::default() };
    let mut first: Vec<Violation> = Vec::new();
    for seed in 0..seeds {
        if let Err(violation) = World::new(seed, config).run(STEPS)
            && first.iter().all(|known| known.invariant != violation.invariant)
        {
            first.push(violation);
        }
        if by.iter().all(|name| first.iter().any(|violation| violation.invariant == *name)) {
            return;
        }
    }
    panic!("{} in {seeds} seeds: {first:#?}", plant.name());
}

#[test]
fn an_answer_before_the_append() {
    is_caught(Plant::AnswerBeforeAppend, true, 2, &[ACKNOWLEDGED_IS_DURABLE]);
    is_caught(Plant::AnswerBeforeAppend, false, 2, &[ACKNOWLEDGED_IS_DURABLE]);
}

#[test]
fn a_limit_read_outside_the_decider() {
    is_caught(Plant::LimitReadOutside, false, 8, &[NO_LIMIT_EXCEEDED]);
}

#[test]
fn an_id_forgotten_at_restart() {
    is_caught(Plant::IdForgottenAtRestart, true, 4, &[IDS_OUTLIVE_RESTART]);
    is_caught(Plant::IdForgottenAtRestart, false, 8, &[ONE_VERDICT_PER_ID]);
}

#[test]
fn a_floor_of_ids_forgotten_at_restart() {
    is_caught(Plant::FloorForgottenAtRestart, false, 12, &[ONE_VERDICT_PER_ID]);
}

#[test]
fn a_midnight_that_is_off_by_one_hour() {
    is_caught(Plant::MidnightOffByOne, true, 4, &[BUSINESS_DATE]);
}

#[test]
fn a_checkpoint_ahead_of_the_journal() {
    is_caught(Plant::CheckpointAhead, true, 5, &[CHECKPOINT_BEHIND_JOURNAL]);
    // Without looking: the next start is refused.
    is_caught(Plant::CheckpointAhead, false, 5, &[STARTS_AGAIN]);
}

#[test]
fn a_redial_that_is_forgotten() {
    is_caught(Plant::RedialForgotten, false, 5, &[NO_GIFT_TWICE]);
}

#[test]
fn a_command_that_waits_for_longer_than_people_are_told() {
    is_caught(Plant::DeadlineUnbounded, false, 4, &[DECIDED_IN_TIME]);
}

#[test]
fn a_timer_that_sleeps() {
    is_caught(Plant::TimerSleeps, false, 2, &[HELD_ENDS]);
}

#[test]
fn a_cursor_that_is_saved_ahead() {
    is_caught(Plant::CursorAhead, false, 4, &[EVERYTHING_TOLD]);
}

#[test]
fn every_plant_has_a_name_of_its_own() {
    for plant in Plant::ALL {
        assert_eq!(Plant::from_name(plant.name()), Some(plant));
    }
    assert_eq!(Plant::from_name("none"), None);
}
