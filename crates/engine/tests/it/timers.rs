//! What is due happens once, at its time, whatever was extended, refused or started again meanwhile.

use std::time::{Duration, Instant};

use domain::card::Voiding;
use domain::command::{Body, CardChange, ChangeCard};
use domain::ids::{Serial, Staff};
use domain::office::call::CallCommand;
use domain::office::done::OfficeDone;
use domain::office::motion::MotionCommand;
use domain::office::{Asked, Office, RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::{Query, View};
use engine::follower::Follow;
use engine::journal::{JournalReader, decode};
use engine::timers::{Due, DueTimer, Shot, dues};

use crate::rig::{KORYOLINK, Rig, load, msisdn, verdict};

/// What a call of this profile may last without being extended.
const RESERVE_MS: i64 = 7_200_000;

/// With the timers' follower.
fn timed(mut rig: Rig) -> Rig {
    let head = rig.handle().feed().head();
    let timer = DueTimer::new(dues(&load(&rig.checkpoint, &rig.journal).state), rig.handle());
    rig.engine.follow("timers", head, Box::new(timer)).expect("starts");
    rig
}

fn call(rig: &Rig, command: CallCommand) -> OfficeDone {
    let asked = rig.ask(Body::Office(Box::new(Office { staff: Staff(0), what: Asked::Call(command) })));
    match verdict(asked).outcome {
        Outcome::Done(Done::Office(done)) => *done,
        other => panic!("refused: {other:?}"),
    }
}

fn reserve(rig: &Rig) -> Seq {
    match call(rig, CallCommand::Reserve { msisdn: msisdn(1), cross: false, seconds: 60 }) {
        OfficeDone::CallReserved { call, .. } => call,
        other => panic!("{other:?}"),
    }
}

fn extend(rig: &Rig, seq: Seq) {
    call(rig, CallCommand::Extend { call: seq, seconds: 60 });
}

/// Airtime of subscriber 1, and how many calls are in progress. Asked again while the queue is full: timers fill it too.
fn airtime(rig: &Rig) -> (i64, usize) {
    let seen = |query: Query| loop {
        if let Some(seen) = rig.handle().query_blocking(query) {
            return seen.value;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    };
    let View::Subscriber(Some(view)) = seen(Query::Subscriber(msisdn(1))) else { panic!("no subscriber") };
    let calls = Query::Records { kind: RecordKind::Call, from: 0 };
    let View::Records(calls) = seen(calls) else { panic!("no records") };
    (view.airtime_minor, calls.list.len())
}

fn eventually(rig: &Rig, expected: (i64, usize)) {
    let began = Instant::now();
    while airtime(rig) != expected {
        assert!(began.elapsed() < Duration::from_secs(20), "still {:?}, not {expected:?}", airtime(rig));
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The same while time goes by.
fn eventually_later(rig: &Rig, expected: (i64, usize)) {
    let began = Instant::now();
    while airtime(rig) != expected {
        assert!(began.elapsed() < Duration::from_secs(20), "still {:?}, not {expected:?}", airtime(rig));
        rig.hands.pass_ms(500);
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Long enough for the timers to have looked.
fn a_moment() {
    std::thread::park_timeout(Duration::from_millis(600));
}

/// Entries so far whose command is this one, with their outcomes.
fn entries(rig: &Rig, name: &str) -> Vec<Outcome> {
    let mut found = Vec::new();
    for link in rig.journal.reader().read(Seq(1), usize::MAX).expect("readable") {
        let batch = decode(&link).expect("whole");
        let of_name = batch.entries.into_iter().filter(|entry| entry.body.name() == name);
        found.extend(of_name.map(|entry| entry.verdict.outcome));
    }
    found
}

#[test]
fn a_call_that_was_extended_within_the_second_is_given_back() {
    let rig = timed(Rig::with_two());
    rig.done(rig.top_up(1, 500));
    let seq = reserve(&rig);
    rig.hands.pass_ms(400);
    extend(&rig, seq);
    assert_eq!(airtime(&rig), (500 - 2 * 4, 1));
    // What was reserved first is due here, and was extended.
    rig.hands.pass_ms(RESERVE_MS - 400);
    a_moment();
    assert_eq!(airtime(&rig), (500 - 2 * 4, 1), "it may go on");
    rig.hands.pass_ms(400);
    eventually(&rig, (500, 0));
}

#[test]
fn a_call_that_was_extended_at_the_same_instant_is_given_back_once() {
    let rig = timed(Rig::with_two());
    rig.done(rig.top_up(1, 500));
    let seq = reserve(&rig);
    extend(&rig, seq);
    extend(&rig, seq);
    assert_eq!(airtime(&rig), (500 - 3 * 4, 1));
    rig.hands.pass_ms(RESERVE_MS);
    eventually(&rig, (500, 0));
    a_moment();
    assert_eq!(entries(&rig, "due").len(), 1);
}

#[test]
fn a_call_that_was_extended_before_and_after_a_restart_is_given_back() {
    let rig = Rig::with_two();
    rig.done(rig.top_up(1, 500));
    let seq = reserve(&rig);
    rig.hands.pass_ms(300);
    extend(&rig, seq);
    let rig = timed(rig.restart());
    rig.hands.pass_ms(300);
    extend(&rig, seq);
    let rig = timed(rig.restart());
    rig.hands.pass_ms(RESERVE_MS - 1);
    a_moment();
    assert_eq!(airtime(&rig), (500 - 3 * 4, 1));
    rig.hands.pass_ms(1);
    eventually(&rig, (500, 0));
    let outcomes = entries(&rig, "due");
    assert!(matches!(&outcomes[..], [Outcome::Done(_)]), "{outcomes:?}");
}

/// A clock that stepped back a little may refuse a timer that was right: the record says when it is due.
#[test]
fn a_timer_that_was_refused_too_early_is_tried_again_also_after_a_restart() {
    let rig = Rig::with_two();
    rig.done(rig.top_up(1, 500));
    let seq = reserve(&rig);
    let at = Timestamp::from_ms(crate::rig::NOW_MS).plus_ms(RESERVE_MS);
    let shot = Shot { due: Due::Record(RecordKey::made_by(RecordKind::Call, seq)), at, after: Seq::ZERO };
    let early = verdict(rig.handle().submit_blocking(shot.command(rig.handle().now())));
    assert!(matches!(early.outcome, Outcome::Refused(Refusal::NothingToChange)));
    let next = Shot { after: early.seq, ..shot };
    verdict(rig.handle().submit_blocking(next.command(rig.handle().now())));
    let rig = timed(rig.restart());
    rig.hands.pass_ms(RESERVE_MS);
    eventually_later(&rig, (500, 0));
}

#[test]
fn cards_expire_and_those_that_ended_otherwise_cost_no_entry() {
    let text = KORYOLINK.replace("[standing]", "[standing]\ncard_valid_days = 30");
    let rig = timed(Rig::empty().filled_with(&text));
    rig.done(Body::ChangeCard(ChangeCard { staff: Staff(0), serial: Serial(1), change: CardChange::Freeze }));
    let void =
        Body::ChangeCard(ChangeCard { staff: Staff(0), serial: Serial(2), change: CardChange::Void(Voiding::Lost) });
    let proposed = verdict(rig.ask(void)).outcome;
    let Outcome::Done(Done::Office(proposed)) = proposed else { panic!("{proposed:?}") };
    let OfficeDone::Proposed { motion, hash } = *proposed else { panic!("{proposed:?}") };
    let approve = Asked::Motion(MotionCommand::Approve { motion, hash });
    rig.done(Body::Office(Box::new(Office { staff: Staff(1), what: approve })));
    let states = |rig: &Rig| {
        let query = Query::CardStates { first: Serial(1), last: Serial(2) };
        let View::CardStates(states) = rig.handle().query_blocking(query).expect("seen").value else {
            panic!("states")
        };
        states.iter().map(|count| count.state).collect::<Vec<_>>()
    };
    assert_eq!(states(&rig), ["frozen", "void"]);
    let rig = timed(rig.restart());
    // The clock is believed from the first batch on.
    verdict(rig.ask(rig.top_up(2, 100)));
    rig.hands.pass_ms(31 * 86_400_000);
    let began = Instant::now();
    while states(&rig) != ["expired", "void"] {
        assert!(began.elapsed() < Duration::from_secs(20), "still {:?}", states(&rig));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    a_moment();
    let outcomes = entries(&rig, "expire-card");
    assert!(matches!(&outcomes[..], [Outcome::Done(Done::CardExpired { breakage_minor: 100_000 })]), "{outcomes:?}");
}

/// A queue with less room than one go of the timers.
#[test]
fn more_is_due_than_the_queue_takes_at_once() {
    let rig = timed(Rig::with_two());
    rig.done(rig.top_up(1, 500));
    for _ in 0..120 {
        reserve(&rig);
    }
    assert_eq!(airtime(&rig), (500 - 120 * 4, 120));
    rig.hands.pass_ms(RESERVE_MS);
    eventually_later(&rig, (500, 0));
    assert_eq!(entries(&rig, "due").len(), 120);
}

/// The follower without a thread: a test looks when it likes.
fn by_hand(rig: &Rig) -> DueTimer {
    DueTimer::new(dues(&load(&rig.checkpoint, &rig.journal).state), rig.handle())
}

#[test]
fn what_is_due_while_intake_is_closed_waits_and_is_said_to() {
    let rig = Rig::with_two();
    rig.done(rig.top_up(1, 500));
    for _ in 0..3 {
        reserve(&rig);
    }
    let mut timer = by_hand(&rig);
    rig.hands.pass_ms(RESERVE_MS);
    rig.journal.set_short(true);
    let fault = timer.idle().expect_err("nothing is decided");
    assert_eq!(fault.0, "3 things that are due have to wait");
    rig.journal.set_short(false);
    assert_eq!((timer.idle(), entries(&rig, "due").len()), (Ok(()), 0), "not before a moment is over");
    rig.hands.pass_ms(1_000);
    assert_eq!((timer.idle(), entries(&rig, "due").len(), airtime(&rig)), (Ok(()), 3, (500, 0)));
    timer.end().expect("ends well");
}

#[test]
fn on_a_busy_server_it_looks_now_and_then() {
    let rig = Rig::with_two();
    rig.done(rig.top_up(1, 500));
    reserve(&rig);
    let link = rig.journal.reader().find(Seq(1)).expect("readable").expect("there");
    let batch = std::sync::Arc::new(decode(&link).expect("whole"));
    let mut timer = by_hand(&rig);
    let made = Instant::now();
    rig.hands.pass_ms(RESERVE_MS);
    timer.batch(&batch).expect("taken");
    // Unless the machine is so busy itself that this moment took as long.
    if made.elapsed() < Duration::from_millis(200) {
        assert_eq!(entries(&rig, "due").len(), 0, "it has just looked");
    }
    while entries(&rig, "due").is_empty() {
        assert!(made.elapsed() < Duration::from_secs(20), "it never looks");
        std::thread::park_timeout(Duration::from_millis(20));
        timer.batch(&batch).expect("taken");
    }
    assert_eq!(airtime(&rig), (500, 0));
}

/// Ten years ahead intake is closed, and whatever waits a second by that clock would wait ten years once it is set right.
#[test]
fn a_clock_that_leapt_ahead_and_was_set_right_keeps_nothing_waiting() {
    const TEN_YEARS_MS: i64 = 10 * 365 * 86_400_000;
    let rig = timed(Rig::with_two());
    rig.done(rig.top_up(1, 500));
    reserve(&rig);
    let before = rig.handle().now();
    rig.hands.step_wall_ms(TEN_YEARS_MS);
    a_moment();
    assert_eq!(rig.handle().now(), before, "deadlines don't leap");
    assert_eq!(airtime(&rig), (500 - 4, 1));
    rig.hands.pass_ms(RESERVE_MS);
    // What is due now is submitted, and hears that intake is closed.
    a_moment();
    assert_eq!(airtime(&rig), (500 - 4, 1));
    rig.hands.step_wall_ms(-TEN_YEARS_MS);
    eventually_later(&rig, (500, 0));
}
