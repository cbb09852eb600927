//! The fuzzer's seeds of profiles and entries, through the same checks as there.

use std::path::Path;

use crate::checks::CHECKS;

#[test]
fn every_seed_passes_its_check() {
    for (target, check) in CHECKS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let mut count = 0;
        for seed in std::fs::read_dir(&folder).expect("a folder of seeds for each target") {
            let path = seed.expect("readable").path();
            let octets = std::fs::read(&path).expect("readable");
            let passed = std::panic::catch_unwind(|| check(&octets));
            assert!(passed.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 3, "{target} has few seeds");
    }
}

/// The seeds are whole: a check that reads nothing proves nothing.
#[test]
fn the_entries_among_the_seeds_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/entry");
    let read = |name: &str| {
        let octets = std::fs::read(folder.join(name)).expect("a seed");
        minicbor::decode::<domain::verdict::Entry>(&octets).expect("an entry").body.name()
    };
    let names = ["gift", "bind", "held", "undo", "due"];
    assert_eq!(names.map(read), ["gift", "bind", "gift", "undo", "due"]);
}
