//! SIGKILL at random moments, while the server starts too: nothing that a client was told is lost, nothing is done twice, and
//! what returned first stands first. `make kills` is the long run of the same.

use std::path::PathBuf;

use lab::kills::{KillConfig, run};

use crate::rig::PASSWORD;

#[test]
fn what_clients_saw_fits_the_journal() {
    let temp = tempfile::tempdir().expect("a directory");
    let config = KillConfig {
        server: PathBuf::from(env!("CARGO_BIN_EXE_sonmul")),
        dir: temp.path().to_owned(),
        rounds: 4,
        seed: 5,
        clients: 2,
        answers_max: 120,
    };
    let killed = run(&config, &mut |_| {}).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(killed.report.ok, "{:#?}", killed.report);
    assert_eq!(killed.kills, config.rounds);
    assert!(killed.kills_at_start > 0, "{killed:?}");
    let counts = killed.report.counts;
    assert!(counts.unknown > 0 && counts.reads > 0 && counts.verdicts > counts.unknown, "{counts:?}");
    let history = std::fs::read_to_string(temp.path().join("history.jsonl")).expect("a history");
    for door in ["http", "gsup", "admin"] {
        assert!(history.contains(&format!("\"door\":\"{door}\"")), "nobody came through {door}");
    }
    assert!(!history.contains(&format!("\"{PASSWORD}\"")) && !history.contains(&format!("*{PASSWORD}")));
}
