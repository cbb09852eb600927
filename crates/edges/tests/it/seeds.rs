//! The fuzzer's seeds of receipts, through the same checks as there.

use std::path::Path;

use crate::checks::CHECKS;

#[test]
fn every_seed_passes_its_check() {
    for (target, check) in CHECKS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let mut receipts = 0;
        for seed in std::fs::read_dir(&folder).expect("a folder of seeds for each target") {
            let path = seed.expect("readable").path();
            let octets = std::fs::read(&path).expect("readable");
            let passed = std::panic::catch_unwind(|| check(&octets));
            assert!(passed.is_ok(), "{}", path.display());
            receipts += usize::from(edges::esme::receipt::parse(&octets).is_some());
        }
        // A check that reads nothing proves nothing.
        assert!(receipts >= 6, "{receipts} of the seeds are receipts");
    }
}
