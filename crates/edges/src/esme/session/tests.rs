use super::{Event, Session, Why};
use crate::esme::config::{EsmeConfig, Secret};
use crate::esme::frame::{self, Frame};
use crate::esme::pdu::{Sms, sms};
use crate::esme::throttle::Throttle;
use crate::esme::{SubmitFault, Submitted};
use domain::ids::LinkId;
use domain::number::Msisdn;
use proptest::prelude::{any, proptest};
use rusmpp::pdus::SubmitSm;
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

const SUBMIT_RESP: u32 = 0x8000_0004;
const BIND_RESP: u32 = 0x8000_0009;
const ENQUIRE_RESP: u32 = 0x8000_0015;
const NACK: u32 = 0x8000_0000;

fn config() -> EsmeConfig {
    let mut config = EsmeConfig::new(LinkId(1), "t", "h:1", "sonmul", Secret::new(Zeroizing::new(String::from("pw"))));
    (config.window, config.response_within_ms, config.enquire_link_s) = (3, 1_000, 10);
    config
}

fn text() -> SubmitSm {
    let to = Msisdn::parse("8501921112222").expect("a number");
    sms(&config(), &Sms { to, text: "hi", reference: 1, validity_s: None, want_receipt: false }).expect("it fits")
}

/// A session and its clock.
struct World {
    session: Session<u32>,
    start: Instant,
    now: Instant,
}

impl World {
    fn binding() -> Self {
        let now = Instant::now();
        let throttle = Throttle::new(3, Duration::from_millis(100), None);
        Self { session: Session::new(&config(), throttle, now), start: now, now }
    }

    fn bound() -> Self {
        let mut world = Self::binding();
        world.sent();
        assert_eq!(world.hear(BIND_RESP, 0, 1, b"smsc\0"), "bound");
        world
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        self.now = self.start + Duration::from_millis(ms);
        self
    }

    fn tick(&mut self, ms: u64) -> Vec<u32> {
        self.at(ms);
        self.session.tick(self.now)
    }

    fn hear(&mut self, id: u32, status: u32, sequence: u32, body: &[u8]) -> String {
        match self.session.hear(&Frame { id, status, sequence, body }, self.now) {
            Event::Nothing => String::from("nothing"),
            Event::Bound => String::from("bound"),
            Event::Settled(token, Ok(Submitted { message_id })) => format!("{token} taken {message_id:?}"),
            Event::Settled(token, Err(fault)) => format!("{token} {fault:?}"),
            Event::Delivery(asked, _) => {
                self.session.answer(asked, 0, self.now);
                String::from("delivery")
            }
            Event::Stray => String::from("stray"),
            Event::Unreadable => String::from("unreadable"),
        }
    }

    fn submit(&mut self, token: u32) {
        assert!(self.session.may_submit(self.now), "{token}");
        self.session.submit(token, text(), self.now);
    }

    /// Id, status and sequence number of everything to be sent.
    fn sent(&mut self) -> Vec<(u32, u32, u32)> {
        let mut sent = Vec::new();
        let octets = self.session.out().to_vec();
        let mut from = 0;
        while let Ok(Some((frame, used))) = frame::take(&octets[from..]) {
            sent.push((frame.id, frame.status, frame.sequence));
            from += used;
        }
        assert_eq!(from, octets.len());
        self.session.wrote(from);
        sent
    }
}

#[test]
fn a_bind_and_its_refusals() {
    let mut world = World::binding();
    assert_eq!(world.sent(), [(9, 0, 1)]);
    assert!(!world.session.may_submit(world.now), "not bound yet");
    assert_eq!(world.hear(BIND_RESP, 0, 2, b""), "stray", "an answer to another bind");
    assert_eq!(world.hear(BIND_RESP, 0x0E, 1, b""), "nothing");
    assert_eq!(world.session.over(), Some(&Why::Refused { status: 0x0E }));

    let mut world = World::binding();
    world.hear(NACK, 3, 1, b"");
    assert_eq!(world.session.over(), Some(&Why::Refused { status: 3 }), "an SMSC without transceivers");

    let mut world = World::binding();
    world.tick(999);
    assert_eq!(world.session.over(), None);
    world.tick(1_000);
    assert_eq!(world.session.over(), Some(&Why::NoBindAnswer));
}

#[test]
fn each_submit_is_settled_once() {
    let mut world = World::bound();
    world.submit(10);
    world.submit(11);
    world.submit(12);
    assert!(!world.session.may_submit(world.now), "the window is full");
    assert_eq!(world.sent(), [(4, 0, 2), (4, 0, 3), (4, 0, 4)]);
    assert_eq!(world.hear(SUBMIT_RESP, 0, 3, b"ab1\0"), "11 taken Some(\"ab1\")");
    assert_eq!(world.hear(SUBMIT_RESP, 0, 3, b"ab1\0"), "stray", "doubled");
    assert_eq!(world.hear(SUBMIT_RESP, 0, 99, b"ab1\0"), "stray", "made up");
    assert_eq!(world.hear(SUBMIT_RESP, 0, 2, b"msg_id_not_implemented\0"), "10 taken None");
    assert_eq!(world.hear(SUBMIT_RESP, 0x0B, 4, b""), "12 Permanent { status: 11 }");
    assert_eq!(world.session.in_flight(), 0);
    world.submit(13);
    assert_eq!(world.hear(NACK, 0, 5, b""), "13 Permanent { status: 1 }", "a nack is no yes");
    world.submit(14);
    assert_eq!(world.hear(SUBMIT_RESP, 8, 6, b""), "14 Temporary { status: 8 }");
}

#[test]
fn what_nobody_answers_times_out_and_the_line_is_tried() {
    let mut world = World::bound();
    world.submit(10);
    world.at(500).submit(11);
    world.sent();
    assert_eq!(world.session.wake_at(world.now), world.start + Duration::from_secs(1));
    assert_eq!(world.tick(1_000), [10]);
    assert_eq!(world.sent(), [(0x15, 0, 4)], "a sign of life is asked for at once");
    assert_eq!(world.at(1_001).hear(SUBMIT_RESP, 0, 2, b"late\0"), "stray");
    assert_eq!(world.hear(SUBMIT_RESP, 0, 3, b"x\0"), "11 taken Some(\"x\")");
    world.tick(2_000);
    assert_eq!(world.session.over(), None, "whoever answers other things lives");
}

#[test]
fn silence_is_noticed() {
    let mut world = World::bound();
    assert_eq!(world.session.wake_at(world.now), world.start + Duration::from_secs(10));
    world.tick(9_999);
    assert_eq!(world.sent(), []);
    world.tick(10_000);
    assert_eq!(world.sent(), [(0x15, 0, 2)]);
    assert_eq!(world.hear(ENQUIRE_RESP, 0, 7, b""), "stray");
    assert_eq!(world.hear(ENQUIRE_RESP, 0, 2, b""), "nothing");
    world.tick(20_000);
    assert_eq!(world.sent(), [(0x15, 0, 3)]);
    world.tick(20_999);
    assert_eq!(world.session.over(), None);
    world.tick(21_000);
    assert_eq!(world.session.over(), Some(&Why::Silent));
}

#[test]
fn silence_of_our_own_is_broken_too() {
    let mut world = World::bound();
    for ms in [4_000, 8_000, 12_000] {
        world.at(ms).hear(0x102, 0, 1, b"");
    }
    world.session.tick(world.now);
    assert_eq!(world.sent(), [(0x15, 0, 2)], "only the peer has talked");
    assert_eq!(world.hear(NACK, 3, 2, b""), "nothing", "it doesn't know enquire_link, and lives");
    world.tick(13_500);
    assert_eq!(world.session.over(), None);
}

#[test]
fn what_the_peer_asks_is_answered() {
    let mut world = World::bound();
    assert_eq!(world.hear(0x15, 0, 70, b""), "nothing");
    assert_eq!(world.hear(0x102, 0, 71, b""), "nothing", "alert_notification");
    assert_eq!(world.hear(0x77, 0, 72, b"?"), "unreadable");
    assert_eq!(world.hear(5, 0, 73, b"cut"), "unreadable");
    assert_eq!(world.hear(0x8000_0777, 0, 74, b""), "stray");
    assert_eq!(world.hear(4, 0, 75, b""), "unreadable", "we are no SMSC");
    assert_eq!(world.sent(), [(0x8000_0015, 0, 70), (NACK, 3, 72), (0x8000_0005, 1, 73), (NACK, 3, 75)]);
    assert_eq!(world.hear(6, 0, 76, b""), "nothing");
    assert_eq!(world.sent(), [(0x8000_0006, 0, 76)]);
    assert_eq!(world.session.over(), Some(&Why::Unbound));
}

#[test]
fn a_delivery_before_the_bind_is_refused() {
    let mut world = World::binding();
    world.sent();
    assert_eq!(world.hear(5, 0, 7, b""), "unreadable");
    assert_eq!(world.sent(), [(0x8000_0005, 4, 7)]);
}

#[test]
fn slower_rests_and_returns() {
    let mut world = World::bound();
    world.submit(10);
    world.submit(11);
    assert_eq!(world.at(10).hear(SUBMIT_RESP, 0x58, 2, b""), "10 Throttled { wait_ms: 100 }");
    assert_eq!(world.at(20).hear(SUBMIT_RESP, 0x14, 3, b""), "11 Throttled { wait_ms: 90 }");
    assert!(!world.session.may_submit(world.now));
    assert_eq!(world.session.wake_at(world.now), world.start + Duration::from_millis(110));
    world.at(110);
    world.submit(12);
    assert!(!world.session.may_submit(world.now), "one at a time");
    assert_eq!(world.hear(SUBMIT_RESP, 0, 4, b"1\0"), "12 taken Some(\"1\")");
    world.submit(13);
    world.submit(14);
    assert!(!world.session.may_submit(world.now), "then two");
}

#[test]
fn a_goodbye() {
    let mut world = World::bound();
    world.session.unbind(world.now);
    assert_eq!(world.sent(), [(6, 0, 2)]);
    assert!(!world.session.may_submit(world.now));
    assert_eq!(world.hear(0x8000_0006, 0, 9, b""), "stray");
    assert_eq!(world.hear(0x8000_0006, 0, 2, b""), "nothing");
    assert_eq!(world.session.over(), Some(&Why::Stopped));
    let mut world = World::bound();
    world.session.unbind(world.now);
    world.tick(1_000);
    assert_eq!(world.session.over(), Some(&Why::Stopped), "nobody answered");
}

#[test]
fn sequence_numbers_start_again_and_skip_what_is_in_flight() {
    let mut world = World::bound();
    world.submit(10);
    world.session.sequence = super::SEQUENCE_MAX - 1;
    world.submit(11);
    world.submit(12);
    world.session.throttle = Throttle::new(9, Duration::from_millis(100), None);
    world.submit(13);
    let sequences: Vec<u32> = world.sent().iter().map(|(_, _, sequence)| *sequence).collect();
    assert_eq!(sequences, [2, super::SEQUENCE_MAX, 1, 3]);
}

#[test]
fn a_lost_bind_gives_back_what_was_in_flight() {
    let mut world = World::bound();
    world.submit(10);
    world.submit(11);
    world.session.garbage(String::from("?"), world.now);
    assert_eq!(world.sent().last(), Some(&(NACK, 2, 0)));
    let mut pending: Vec<u32> = world.session.into_pending().collect();
    pending.sort_unstable();
    assert_eq!(pending, [10, 11]);
}

#[test]
fn a_peer_that_never_catches_up_takes_bounded_room() {
    let mut world = World::bound();
    world.sent();
    let answer = 16;
    world.hear(0x15, 0, 1, b"");
    for sequence in 0..100_000 {
        world.hear(0x15, 0, sequence, b"");
        world.session.wrote(answer);
    }
    assert_eq!(world.session.out().len(), answer);
    assert!(world.session.out.capacity() <= 3 * super::OUT_LEN_MAX, "{}", world.session.out.capacity());
    world.session.garbage(String::from("?"), world.now);
    assert_eq!(world.sent().len(), 2, "still whole PDUs");
}

#[test]
fn faults_say_whether_the_message_may_have_been_taken() {
    assert!(SubmitFault::Cut.is_unknown() && SubmitFault::TimedOut.is_unknown());
    assert!(!SubmitFault::NotBound.is_unknown() && !SubmitFault::Throttled { wait_ms: 1 }.is_unknown());
}

proptest! {
    #[test]
    fn no_frame_panics(frames in proptest::collection::vec((any::<u8>(), any::<bool>(), any::<u8>(), 0..6_u32, any::<Vec<u8>>()), 0..40)) {
        let mut world = World::bound();
        world.submit(10);
        for (at, (id, response, status, sequence, body)) in (0_u64..).zip(frames) {
            let id = u32::from(id) | if response { 0x8000_0000 } else { 0 };
            world.at(at * 300).hear(id, u32::from(status), sequence, &body);
            world.session.tick(world.now);
            let _ = world.session.wake_at(world.now);
        }
        world.sent();
    }
}
