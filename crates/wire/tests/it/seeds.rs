//! Every committed seed through the same checks as in the fuzzer, so that what it once found stays found.

use std::collections::BTreeSet;
use std::path::Path;

use crate::checks::CHECKS;

#[test]
fn every_seed_passes_its_check() {
    for (target, check) in CHECKS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let seeds = std::fs::read_dir(&folder).expect("a folder of seeds for each target");
        let mut count = 0;
        for seed in seeds {
            let path = seed.expect("readable").path();
            let octets = std::fs::read(&path).expect("readable");
            // The name of the seed is the message when the check panics.
            let passed = std::panic::catch_unwind(|| check(&octets));
            assert!(passed.is_ok(), "{}", path.display());
            // Cut anywhere it must pass too.
            for len in (0..octets.len()).take(64) {
                check(&octets[..len]);
            }
            count += 1;
        }
        assert!(count > 0, "{target} has no seed");
    }
}

/// A target without its check, or a check without its target, would be fuzzed or replayed by nobody.
#[test]
fn every_target_has_its_seeds_and_its_check() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(fuzz.join(folder)).expect("a folder");
        let name = |entry: std::fs::DirEntry| entry.path().file_stem().map(|stem| stem.to_string_lossy().into_owned());
        entries.filter_map(|entry| name(entry.expect("readable"))).collect()
    };
    let targets = names("fuzz_targets");
    assert_eq!(targets, names("seeds"));
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
    let built: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""))
        .map(String::from)
        .collect();
    assert_eq!(targets, built);
    assert!(CHECKS.iter().all(|(target, _)| targets.contains(*target)));
}
