//! Worlds without a planted bug: every seed holds, and they meet what they are there to meet.

use lab::campaign::{Stop, run as campaign};
use lab::{STEPS, Seeds, Totals, World, WorldConfig, replay, run_many, sometimes};

/// Seeds that CI runs.
const SEEDS: u64 = 100;

fn hold(first: u64, last: u64) -> Totals {
    let seeds = Seeds::try_new(first, last).expect("seeds");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let ended = campaign(seeds, STEPS, WorldConfig::default(), threads, &Stop::new(), &mut |_| {});
    assert!(ended.violations.is_empty(), "{} of {} seeds: {:#?}", ended.violated, seeds.count(), ended.violations);
    ended.totals
}

/// A simulator that met nothing would hold as well.
fn meets(totals: &Totals) {
    let often = [
        // The machine and its surroundings.
        ("answered", 100_000),
        ("answered-again", 5_000),
        ("checkpoint", 5_000),
        ("closed", 500),
        ("crash", 2_000),
        ("frame-doubled", 5_000),
        ("frame-lost", 5_000),
        ("gave-up", 50),
        ("id-ahead", 100),
        ("id-reused", 100),
        ("id-too-old", 100),
        ("lost-disk", 50),
        ("no-room", 500),
        ("not-done", 1_000),
        ("stale", 100),
        ("started", 3_000),
        ("told-again", 50),
        ("unknown", 100),
    ];
    for (name, least) in often {
        let count = totals.counts.get(name).copied().unwrap_or(0);
        assert!(count >= least, "{name}: {count} times in {} seeds", totals.seeds);
    }
    assert!(totals.entries > totals.seeds * 2_000, "{} entries", totals.entries);
}

/// Every seed of CI, and every rare state that they must meet.
#[test]
fn a_hundred_seeds_hold_and_meet_what_is_rare() {
    let totals = hold(0, SEEDS - 1);
    meets(&totals);
    println!("{:#?}", totals.met);
    let missing = sometimes::missing(totals.seeds, &totals.met);
    assert!(missing.is_empty(), "met too seldom in {} seeds: {missing:#?}", totals.seeds);
    let unknown: Vec<_> =
        totals.met.keys().filter(|name| sometimes::SOMETIMES.iter().all(|(known, _)| known != *name)).collect();
    assert!(unknown.is_empty(), "met, and not in the list of what must be: {unknown:?}");
}

#[test]
fn worlds_judged_from_outside_alone_hold_as_well() {
    let config = WorldConfig { look_inside: false, ..WorldConfig::default() };
    let ran = run_many(2_000..2_004, STEPS, config, &mut |_| {});
    assert!(ran.is_ok(), "{ran:?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [0, 1_000_003] {
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
    let replayed = replay(3, 1_000, WorldConfig::default(), &mut text).expect("a String takes everything");
    assert!(replayed.is_ok());
    assert!(text.lines().count() > 500, "it tells what happens");
    assert!(text.contains("…001 gift"), "numbers are shortened");
    // Outside ids and instants no more than five digits stand in a row: amounts and entries.
    let words = text.split_whitespace().filter(|word| !word.contains('-') && !word.contains(':'));
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).count();
    let long: Vec<&str> = words.filter(|word| digits(word) > 5).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn a_violation_says_how_to_see_it_again() {
    let config = WorldConfig { plant: Some(lab::Plant::LimitReadOutside), ..WorldConfig::default() };
    let violations = (0..4).filter_map(|seed| World::new(seed, config).run(STEPS).err());
    let violation = violations.max_by_key(|violation| violation.step).expect("one is caught");
    let again = format!("--seed {} --steps {} --plant limit-read-outside", violation.seed, violation.step);
    assert!(violation.to_string().contains(&again), "{violation}");
    assert_eq!(World::new(violation.seed, config).run(violation.step), Err(violation));
}
