//! Full, broken and shared disks; the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use domain::receipt::Seq;
use domain::verdict::Outcome;
use engine::answer::{Answer, Closed, Query, View};
use engine::checkpoint::CheckpointFault;
use engine::handle::{Engine, Fault, Parts};
use engine::journal::{AppendFault, Head, Journal, Link};
use engine::memory::{MemoryJournal, Weather};
use engine::recover::RecoverFault;

use crate::rig::{Rig, msisdn, parts, verdict};

#[test]
fn a_moment_without_room_delays_and_nothing_else() {
    let rig = Rig::with_two();
    rig.journal.set_weather(Weather::Full);
    let (handle, command) = (rig.handle(), rig.command(rig.id(), rig.gift(1, 2, 500)));
    let before = rig.appends();
    let asking = thread::spawn(move || handle.submit_blocking(command));
    // Refused once, and tried again.
    rig.until_appending(before + 1);
    assert!(!asking.is_finished(), "it must wait for room");
    assert_eq!(rig.handle().status().closed, Some(Closed::Disk), "nobody asks the decider for that");
    rig.journal.set_weather(Weather::Fine);
    let reply = verdict(asking.join().expect("no panic"));
    assert_eq!(reply.seq, rig.journal.head().seq);
    rig.done(rig.gift(2, 1, 300));
    assert_eq!(rig.handle().status().closed, None);
}

fn airtime(rig: &Rig, who: u64) -> (Seq, i64) {
    let seen = rig.handle().query_blocking(Query::Subscriber(msisdn(who))).expect("an answer");
    let View::Subscriber(Some(view)) = seen.value else { panic!("no subscriber") };
    (seen.seq, view.airtime_minor)
}

#[test]
fn on_a_full_disk_nothing_was_sent_and_questions_are_answered_from_what_is_durable() {
    let rig = Rig::with_two();
    let head = rig.done(rig.gift(1, 2, 500));
    let before = rig.handle().status();
    rig.journal.set_weather(Weather::Full);
    let (gift, id) = (rig.gift(2, 1, 300), rig.id());
    let first = rig.command(id, gift.clone());
    let answers = rig.handle().submit_bulk(vec![first.clone(), first]).wait();
    // Both at once, and its repeat in the same batch too: there is nothing that it repeats.
    assert_eq!(answers, [Answer::Closed(Closed::Disk), Answer::Closed(Closed::Disk)]);
    assert_eq!((rig.journal.head().seq, airtime(&rig, 1), airtime(&rig, 2)), (head, (head, 0), (head, 500)));
    let status = rig.handle().status();
    assert_eq!((status.seq, status.ids, status.closed), (head, before.ids, Some(Closed::Disk)));
    // Nobody decides anything before there may be room again, or each dial would cost a fold.
    let appends = rig.appends();
    assert_eq!(rig.ask(rig.gift(2, 1, 300)), Answer::Closed(Closed::Disk));
    assert_eq!(rig.appends(), appends);
    rig.journal.set_weather(Weather::Fine);
    rig.hands.pass_ms(1_000);
    let again = rig.command(id, gift);
    let reply = verdict(rig.handle().submit_blocking(again));
    assert!(!reply.repeated && matches!(reply.outcome, Outcome::Done(_)), "{reply:?}");
    assert_eq!((airtime(&rig, 1), rig.handle().status().closed), ((reply.seq, 300), None));
}

#[test]
fn what_is_repeated_on_a_full_disk_hears_its_verdict() {
    let rig = Rig::with_two();
    let given = rig.command(rig.id(), rig.gift(1, 2, 500));
    let seq = verdict(rig.handle().submit_blocking(given.clone())).seq;
    rig.journal.set_weather(Weather::Full);
    let other = rig.command(rig.id(), rig.gift(2, 1, 300));
    let answers = rig.handle().submit_bulk(vec![given, other]).wait();
    let [repeated, none] = answers.try_into().expect("two answers");
    assert_eq!((verdict(repeated).seq, none), (seq, Answer::Closed(Closed::Disk)));
}

#[test]
fn a_disk_that_stays_full_is_tried_ever_more_seldom() {
    let rig = Rig::with_two();
    rig.journal.set_weather(Weather::Full);
    let mut waits = Vec::new();
    for _ in 0..3 {
        assert_eq!(rig.ask(rig.gift(1, 2, 500)), Answer::Closed(Closed::Disk));
        let (appends, mut wait_ms) = (rig.appends(), 0);
        while rig.appends() == appends {
            rig.hands.pass_ms(500);
            wait_ms += 500;
            rig.ask(rig.gift(1, 2, 500));
        }
        waits.push(wait_ms);
    }
    assert_eq!(waits, [1_000, 2_000, 4_000]);
}

#[test]
fn a_failed_sync_stops_the_engine() {
    let rig = Rig::with_two();
    rig.journal.set_weather(Weather::Broken);
    assert_eq!(rig.ask(rig.gift(1, 2, 500)), Answer::Unknown);
    rig.journal.set_weather(Weather::Fine);
    assert_eq!(rig.ask(rig.gift(1, 2, 500)), Answer::Closed(Closed::Stopping), "never retried");
    assert!(matches!(rig.engine.stop(), Err(Fault::Append(AppendFault::Lost(_)))));
}

#[test]
fn a_second_writer_stops_the_stale_one() {
    let rig = Rig::with_two();
    let other = engine::handle::Engine::start(crate::rig::parts(
        &engine::memory::MemoryJournal::clone(&rig.journal),
        &rig.checkpoint,
        &rig.hands,
    ))
    .expect("starts");
    let command = rig.command(rig.id(), rig.gift(1, 2, 500));
    verdict(other.handle().submit_blocking(command));
    assert_eq!(rig.ask(rig.gift(2, 1, 500)), Answer::Unknown);
    assert!(matches!(rig.engine.stop(), Err(Fault::Append(AppendFault::Stale { .. }))));
    other.stop().expect("stops well");
}

#[test]
fn intake_closes_before_the_disk_is_full() {
    let rig = Rig::with_two();
    rig.journal.set_short(true);
    assert_eq!(rig.ask(rig.gift(1, 2, 500)), Answer::Closed(Closed::Disk));
    rig.journal.set_short(false);
    rig.done(rig.gift(1, 2, 500));
}

#[test]
fn a_clock_set_to_2036_closes_intake_until_an_operator_accepts_it() {
    let rig = Rig::with_two();
    rig.hands.step_wall_ms(10 * 365 * 86_400_000);
    assert_eq!(rig.ask(rig.gift(1, 2, 500)), Answer::Closed(Closed::Clock));
    let status = rig.handle().status();
    assert!(status.closed == Some(Closed::Clock) && status.seq > Seq(5));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert!(runtime.block_on(rig.handle().accept_clock()));
    rig.done(rig.gift(1, 2, 500));
}

/// An engine of its own over a rig's journal, whose folds find no room for the checkpoint so many times.
fn folding(rig: &Rig, without_room: u32) -> (Engine, Arc<AtomicU32>) {
    let folds = Arc::new(AtomicU32::new(0));
    let (counted, parts) = (Arc::clone(&folds), parts(&rig.journal, &rig.checkpoint, &rig.hands));
    let mut refold = parts.refold;
    let refold = Box::new(move || {
        let before = counted.fetch_add(1, Ordering::SeqCst);
        if before < without_room { Err(CheckpointFault::NoRoom.into()) } else { refold() }
    });
    (Engine::start(Parts { refold, ..parts }).expect("starts"), folds)
}

#[test]
fn a_fold_without_room_for_the_checkpoint_is_tried_again() {
    let rig = Rig::with_two();
    let (engine, folds) = folding(&rig, 1);
    let ask = |command| engine.handle().submit_blocking(command);
    rig.journal.set_weather(Weather::Full);
    assert_eq!(ask(rig.command(rig.id(), rig.gift(1, 2, 500))), Answer::Closed(Closed::Disk));
    rig.journal.set_weather(Weather::Fine);
    rig.hands.pass_ms(1_000);
    let reply = verdict(ask(rig.command(rig.id(), rig.gift(1, 2, 500))));
    assert!(matches!(reply.outcome, Outcome::Done(_)), "{reply:?}");
    assert_eq!(folds.load(Ordering::SeqCst), 2);
    engine.stop().expect("stops well");
}

#[test]
fn a_fold_that_never_finds_room_does_not_keep_the_engine_from_stopping() {
    let rig = Rig::with_two();
    let (engine, folds) = folding(&rig, u32::MAX);
    rig.journal.set_weather(Weather::Full);
    let asked = engine.handle().submit_blocking(rig.command(rig.id(), rig.gift(1, 2, 500)));
    assert_eq!(asked, Answer::Closed(Closed::Disk));
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || tell.send(engine.stop()));
    let ended = told.recv_timeout(std::time::Duration::from_secs(60)).expect("it stops");
    assert_eq!(ended, Err(Fault::Refold(RecoverFault::Checkpoint(CheckpointFault::NoRoom))));
    assert!(folds.load(Ordering::SeqCst) > 0);
}

/// A journal with a bug.
struct Panics(MemoryJournal, fn());

impl Journal for Panics {
    fn head(&self) -> Head {
        self.0.head()
    }
    fn append(&mut self, _: &Link) -> Result<(), AppendFault> {
        (self.1)();
        Ok(())
    }
    fn is_short_of_room(&self) -> bool {
        false
    }
}

#[test]
fn an_assertion_stops_the_engine_and_is_told_in_its_own_words() {
    let bugs: [(&str, fn()); 3] = [
        ("one word", || panic!("one word")),
        ("7 words", || panic!("{} words", 3 + 4)),
        ("unknown", || std::panic::panic_any(7)),
    ];
    for (told, bug) in bugs {
        let rig = Rig::with_two();
        let parts = parts(&rig.journal, &rig.checkpoint, &rig.hands);
        let journal = Box::new(Panics(rig.journal.clone(), bug));
        let engine = Engine::start(Parts { journal, ..parts }).expect("starts");
        let asked = engine.handle().submit_blocking(rig.command(rig.id(), rig.gift(1, 2, 500)));
        assert_eq!(asked, Answer::Unknown, "it may have been done");
        let later = engine.handle().submit_blocking(rig.command(rig.id(), rig.gift(1, 2, 500)));
        assert_eq!(later, Answer::Closed(Closed::Stopping));
        assert_eq!(engine.stop(), Err(Fault::Assertion(String::from(told))));
    }
}
