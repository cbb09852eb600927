//! Worlds without a planted bug: a thousand seeds hold, and they meet what they are there to meet.

use std::ops::Range;

use lab::{STEPS, Totals, World, WorldConfig, replay, run_many};

fn hold(seeds: Range<u64>) -> Totals {
    let mut held = 0;
    let ran = run_many(seeds, STEPS, WorldConfig::default(), &mut |_| held += 1);
    let totals = ran.unwrap_or_else(|violation| panic!("{violation} (after {held} seeds that held)"));
    assert_eq!(totals.seeds, held);
    totals
}

/// A simulator that met nothing would hold as well.
fn meets(totals: &Totals) {
    let often = [
        // The machine and its surroundings.
        ("answered", 10_000),
        ("answered-again", 1_000),
        ("checkpoint", 1_000),
        ("closed", 100),
        ("crash", 1_000),
        ("frame-doubled", 1_000),
        ("frame-lost", 1_000),
        ("gave-up", 50),
        ("id-ahead", 50),
        ("id-reused", 100),
        ("id-too-old", 100),
        ("lost-disk", 50),
        ("no-room", 500),
        ("not-done", 500),
        ("stale", 200),
        ("started", 2_000),
        // What is done.
        ("bind", 1_000),
        ("change-password", 50),
        ("expire-card", 5),
        ("freeze", 50),
        ("gift", 2_000),
        ("load-rules", 500),
        ("top-up", 200),
        // What is refused.
        ("card-not-usable", 200),
        ("insufficient-funds", 20),
        ("limit-reached", 500),
        ("locked", 100),
        ("recipient-balance-max", 5),
        ("repeated", 200),
        ("service-closed", 20),
        ("too-many-refusals", 20),
        ("wrong-password", 500),
    ];
    for (name, least) in often {
        let count = totals.counts.get(name).copied().unwrap_or(0);
        assert!(count >= least, "{name}: {count} times in {} seeds", totals.seeds);
    }
    let days = totals.passed_ms / 86_400_000;
    assert!(days > 1_000, "{days} days");
}

#[test]
fn the_first_five_hundred_seeds_hold() {
    meets(&hold(0..500));
}

#[test]
fn the_second_five_hundred_seeds_hold() {
    meets(&hold(500..1_000));
}

#[test]
fn worlds_judged_from_outside_alone_hold_as_well() {
    let config = WorldConfig { look_inside: false, ..WorldConfig::default() };
    let ran = run_many(2_000..2_050, STEPS, config, &mut |_| {});
    assert!(ran.is_ok(), "{ran:?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [0, 7, 1_000_003] {
        let run = || World::new(seed, WorldConfig::default()).run(STEPS);
        let first = run().expect("holds");
        assert_eq!(run().expect("holds"), first, "to the last octet of the journal");
        let mut text = String::new();
        let replayed = replay(seed, STEPS, WorldConfig::default(), &mut text).expect("a String takes everything");
        assert_eq!(replayed.expect("holds"), first, "whether anybody listens or not");
    }
}

#[test]
fn a_replay_tells_no_number_and_no_password() {
    let mut text = String::new();
    let replayed = replay(3, STEPS, WorldConfig::default(), &mut text).expect("a String takes everything");
    assert!(replayed.is_ok());
    assert!(text.lines().count() > usize::try_from(STEPS / 2).expect("small"), "it tells what happens");
    assert!(text.contains("…001 gift"), "numbers are shortened");
    // Outside ids and instants no more than four digits stand in a row: amounts and entries.
    let words = text.split_whitespace().filter(|word| !word.contains('-') && !word.contains(':'));
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).count();
    let long: Vec<&str> = words.filter(|word| digits(word) > 5).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn a_violation_says_how_to_see_it_again() {
    let config = WorldConfig { plant: Some(lab::Plant::LimitReadOutside), ..WorldConfig::default() };
    let violations = (0..20).filter_map(|seed| World::new(seed, config).run(STEPS).err());
    let violation = violations.max_by_key(|violation| violation.step).expect("one is caught");
    let again = format!("--seed {} --steps {} --plant limit-read-outside", violation.seed, violation.step);
    assert!(violation.to_string().contains(&again), "{violation}");
    assert_eq!(World::new(violation.seed, config).run(violation.step), Err(violation));
}
