//! What is remembered of ids: over starts, and when more dials come than can be remembered.

use domain::command::Command;
use domain::id::{CommandId, UssdPrompt};
use domain::ids::LinkId;
use domain::time::Timestamp;
use engine::answer::Answer;
use engine::checkpoint::Checkpoint;
use engine::handle::DECIDE_WITHIN_MAX_S;
use engine::ids::USSD_HORIZON_MS;
use engine::journal::Journal;
use engine::memory::{MemoryCheckpoint, Weather};

use crate::restart::checkpointed;
use crate::rig::{Rig, load, verdict};

const DAY_MS: i64 = 24 * 3_600_000;

fn dial(rig: &Rig, n: u64) -> Command {
    let session = n.to_be_bytes();
    let prompt = UssdPrompt { link: LinkId(1), caller: n, session: &session, reuse: 0, prompt: 0 };
    rig.command(CommandId::ussd(&prompt), rig.gift(1, 2, 500))
}

/// So many dials, from a number on: how many were decided, and how many heard "busy".
fn dials(rig: &Rig, from: u64, count: u64) -> (usize, usize) {
    let (mut decided, mut busy) = (0, 0);
    for first in (from..from + count).step_by(50) {
        let many = (first..first + 50).map(|n| dial(rig, n)).collect();
        for answer in rig.handle().submit_bulk(many).wait() {
            match answer {
                Answer::Verdict(_) => decided += 1,
                Answer::Busy => busy += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    (decided, busy)
}

#[test]
fn dials_that_can_not_be_remembered_hear_busy_and_leave_no_trace() {
    let rig = Rig::with_two();
    let before = rig.journal.head().seq.0;
    // A generation of half of the room, and half of the next one at once.
    assert_eq!(dials(&rig, 0, 1_000), (750, 250));
    assert_eq!(rig.journal.head().seq.0, before + 750);
    let status = rig.handle().status();
    assert_eq!((status.ussd_ids, status.ussd_ids_refused, status.is_slowed), (750, 250, true));
    // What was decided is told again; programs have room of their own; nobody waits for ever.
    assert!(verdict(rig.handle().submit_blocking(dial(&rig, 3))).repeated);
    assert!(!verdict(rig.ask(rig.gift(2, 1, 300))).repeated);
    rig.hands.pass_ms(USSD_HORIZON_MS / 2);
    assert_eq!(dials(&rig, 900, 150), (125, 25), "half of what is left after half of the time");
    rig.hands.pass_ms(USSD_HORIZON_MS / 2);
    assert_eq!(dials(&rig, 1_025, 50), (50, 0), "also those that heard busy before");
    let status = rig.handle().status();
    assert_eq!((status.ussd_ids_refused, status.is_slowed), (275, false));
}

#[test]
fn a_late_dial_hears_that_it_was_not_done_also_without_room() {
    let rig = Rig::with_two();
    dials(&rig, 0, 1_000);
    let late = Command { decide_before: Timestamp::from_ms(crate::rig::NOW_MS), ..dial(&rig, 2_000) };
    assert_eq!(rig.handle().submit_blocking(late), Answer::NotDone);
}

/// What a restart is made from: the checkpoint alone, checkpoint and tail, or the journal alone.
#[test]
fn dials_and_their_room_outlive_a_restart() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    assert_eq!(dials(&rig, 0, 800), (750, 50));
    let rig = rig.restart();
    assert_eq!(rig.checkpoint.head(), rig.journal.head(), "the checkpoint holds it");
    assert_eq!(rig.handle().status().ussd_ids, 750);
    assert_eq!(dials(&rig, 800, 50), (0, 50), "there is no more room than before");
    for n in [0, 400, 749] {
        assert!(verdict(rig.handle().submit_blocking(dial(&rig, n))).repeated, "{n}");
    }
    let from_nothing = load(&MemoryCheckpoint::new(), &rig.journal).ids;
    let loaded = load(&rig.checkpoint, &rig.journal).ids;
    assert_eq!((loaded.lens(), loaded.kept()), (from_nothing.lens(), from_nothing.kept()));
}

/// What a checkpoint dropped is not there to tell how old it was: the floor itself must be kept.
#[test]
fn the_floor_outlives_a_restart() {
    let mut rig = Rig::with_two();
    checkpointed(&mut rig);
    let first = rig.id();
    for _ in 0..3 {
        verdict(rig.ask(rig.gift(1, 2, 7)));
        rig.hands.pass_ms(DAY_MS);
    }
    let floor = rig.handle().ids_floor();
    assert!(floor > Timestamp::from_ms(crate::rig::NOW_MS), "something was dropped");
    let mut rig = rig.restart();
    for _ in 0..2 {
        assert_eq!(rig.checkpoint.head(), rig.journal.head(), "nothing but the checkpoint tells");
        assert_eq!(rig.handle().ids_floor(), floor);
        let old = rig.handle().submit_blocking(rig.command(first, rig.gift(1, 2, 500)));
        assert_eq!(old, Answer::IdTooOld { floor });
        rig = rig.restart();
    }
}

/// Edges tell people that in five minutes it is known: nothing is decided later, whatever a command says.
#[test]
fn no_command_is_decided_later_than_five_minutes_after_it_was_submitted() {
    for (waits_ms, done) in [(DECIDE_WITHIN_MAX_S * 1_000 - 1, true), (DECIDE_WITHIN_MAX_S * 1_000, false)] {
        let rig = Rig::with_two();
        let (handle, appends) = (rig.handle(), rig.appends());
        rig.journal.set_weather(Weather::Stalled);
        let first = handle.submit_bulk(vec![rig.command(rig.id(), rig.gift(1, 2, 500))]);
        rig.until_appending(appends);
        let patient = Command { decide_before: Timestamp::MAX, ..rig.command(rig.id(), rig.gift(2, 1, 500)) };
        let second = handle.submit_bulk(vec![patient]);
        rig.hands.pass_ms(waits_ms);
        rig.journal.set_weather(Weather::Fine);
        assert!(matches!(first.wait().as_slice(), [Answer::Verdict(_)]));
        match second.wait().as_slice() {
            [Answer::Verdict(_)] => assert!(done, "it was decided after {waits_ms} ms"),
            [Answer::NotDone] => assert!(!done, "it was dropped after {waits_ms} ms"),
            other => panic!("{other:?}"),
        }
    }
}
