//! Full, broken and shared disks; the clock.

use std::thread;

use domain::receipt::Seq;
use engine::answer::{Answer, Closed, Query, View};
use engine::handle::Fault;
use engine::journal::{AppendFault, Journal};
use engine::memory::Weather;

use crate::rig::{Rig, msisdn, verdict};

#[test]
fn without_room_nothing_is_acknowledged_and_it_goes_on_when_there_is_room() {
    let rig = Rig::with_two();
    rig.journal.set_weather(Weather::Full);
    let (handle, command) = (rig.handle(), rig.command(rig.id(), rig.gift(1, 2, 500)));
    let before = rig.appends();
    let asking = thread::spawn(move || handle.submit_blocking(command));
    // Refused once, and tried again.
    rig.until_appending(before + 1);
    assert!(!asking.is_finished(), "it must wait for room");
    rig.journal.set_weather(Weather::Fine);
    let reply = verdict(asking.join().expect("no panic"));
    assert_eq!(reply.seq, rig.journal.head().seq);
}

#[test]
fn a_batch_given_up_is_unknown_to_its_callers_and_nothing_to_the_books() {
    let rig = Rig::with_two();
    let before = rig.journal.head().seq;
    rig.journal.set_weather(Weather::Full);
    let (handle, command) = (rig.handle(), rig.command(rig.id(), rig.gift(1, 2, 500)));
    let again = command.clone();
    let appends = rig.appends();
    let asking = thread::spawn(move || handle.submit_blocking(command));
    rig.until_appending(appends);
    rig.hands.pass_ms(61_000);
    assert_eq!(asking.join().expect("no panic"), Answer::Unknown);
    rig.journal.set_weather(Weather::Fine);
    assert_eq!(rig.handle().submit_blocking(again), Answer::NotDone, "its deadline passed: it never will be done");
    assert_eq!(rig.journal.head().seq, before);
    rig.done(rig.gift(1, 2, 500));
    let View::Subscriber(Some(view)) = rig.handle().query_blocking(Query::Subscriber(msisdn(2))).expect("seen").value
    else {
        panic!("no subscriber")
    };
    assert_eq!(view.airtime_minor, 500);
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
    let status = rig.handle().query_blocking(Query::Status).expect("seen").value;
    assert!(matches!(status, View::Status(status) if status.closed == Some(Closed::Clock) && status.seq > Seq(5)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert!(runtime.block_on(rig.handle().accept_clock()));
    rig.done(rig.gift(1, 2, 500));
}
