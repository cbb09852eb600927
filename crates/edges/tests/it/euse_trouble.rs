//! The GSUP edge when something is wrong: with the HLR, with what it sends, with us.

use std::sync::Arc;
use std::time::Duration;

use crate::euse_hlr::{
    ALICE_SIM, BOB_SIM, CtrlMood, DAVE_SIM, Edge, Hlr, Shown, crowd_sim, dial, hex, message, soon, until,
};
use crate::fake::{Fake, Trouble};
use domain::command::Command;
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;
use edges::euse::EuseConfig;
use edges::flow::FlowConfig;
use edges::port::{Decider, GiftLine};
use engine::answer::{Answer, Directory, Query, Seen, View};
use tokio::sync::watch;
use wire::gsup::{Kind, SessionState};
use wire::ipa::{FRAME_LEN_MAX, PROTOCOL_OSMO, ping};

const BUSY: &str = "END 지금은 바쁩니다. 아무것도 보내지 않았습니다. 잠시후 다시 거십시오.";
const UNKNOWN: &str = "END 아직 알수 없습니다. 5분후에 잔고를 보면 보냈는지 알수 있습니다.";
const OVER: &str = "END 시간이 지났습니다. 처음부터 다시 거십시오.";
const GIFT: &str = "*999*500*1921112222*482913#";

/// A decider that answers when it is let.
#[derive(Clone)]
struct Gated {
    fake: Fake,
    open: Arc<watch::Sender<bool>>,
}

impl Gated {
    fn new() -> Self {
        Self { fake: Fake::new(), open: Arc::new(watch::Sender::new(false)) }
    }

    async fn pass(&self) {
        self.open.subscribe().wait_for(|open| *open).await.expect("the sender lives");
    }
}

impl Decider for Gated {
    async fn submit(&self, command: Command) -> Answer {
        self.pass().await;
        self.fake.submit(command).await
    }

    async fn query(&self, query: Query) -> Option<Seen<View>> {
        self.pass().await;
        self.fake.query(query).await
    }

    fn directory(&self) -> Arc<Directory> {
        self.fake.directory()
    }

    fn now(&self) -> Timestamp {
        self.fake.now()
    }

    async fn gifts(&self, latest: Seq, of: Msisdn, most: usize) -> Vec<GiftLine> {
        self.fake.gifts(latest, of, most).await
    }
}

#[tokio::test]
async fn without_ctrl_nothing_is_sent_and_that_stays_true() {
    let mut hlr = Hlr::start().await;
    hlr.stop_ctrl().await;
    let edge = Edge::start(Fake::new(), hlr.config());
    let mut conn = hlr.register().await;
    until("CTRL can't be reached", || edge.status.ctrl().last_error.is_some()).await;
    assert_eq!(conn.dial(ALICE_SIM, 1, GIFT).await.line(), BUSY);
    let error = edge.status.ctrl().last_error.expect("an error");
    assert!(error.contains("`ctrl` / `bind` in hlr.cfg") && !edge.status.is_up(), "{error}");

    // It comes back, on the same port.
    let listener = tokio::net::TcpListener::bind(&hlr.ctrl_address).await.expect("the port is free");
    let (stream, _) = listener.accept().await.expect("a connection");
    until("CTRL is there again", || edge.status.is_up()).await;
    assert_eq!(conn.dial(ALICE_SIM, 1, GIFT).await.line(), BUSY, "the phone was told that nothing was sent");
    assert_eq!(edge.decider.given(), []);
    drop(stream);
}

#[tokio::test]
async fn a_ctrl_that_hangs_closes_or_is_confused_is_not_a_caller_unknown() {
    for mood in [CtrlMood::Silent, CtrlMood::Closes, CtrlMood::Confused] {
        let hlr = Hlr::start().await;
        hlr.mood(mood);
        let edge = Edge::start(Fake::new(), EuseConfig { ctrl_within_ms: 200, ..hlr.config() });
        let mut conn = hlr.register().await;
        assert_eq!(conn.dial(ALICE_SIM, 1, GIFT).await.line(), BUSY, "{mood:?}");
        hlr.mood(CtrlMood::Answers);
        if mood == CtrlMood::Silent {
            // What hangs is connected to anew.
            until("it is noticed", || edge.status.counts().ctrl_reconnects > 0).await;
        }
        let mut session_id = 1;
        let given = loop {
            session_id += 1;
            let shown = conn.dial(ALICE_SIM, session_id, "*999*0*1*482913#").await;
            if shown.line() != BUSY {
                break shown;
            }
        };
        assert!(given.text.contains("2000원"), "{}", given.text);
        let counts = edge.status.counts();
        assert!(counts.msisdn_failed > 0 && counts.unknown_imsi == 0 && counts.no_msisdn == 0, "{counts:?}");
    }
}

#[tokio::test]
async fn what_was_done_is_never_denied_when_ctrl_goes_away() {
    let mut hlr = Hlr::start().await;
    let edge = Edge::start(Fake::new(), EuseConfig { msisdn_age_max_s: 0, ..hlr.config() });
    let mut conn = hlr.register().await;
    until("CTRL is connected", || edge.status.is_up()).await;
    assert!(conn.dial(ALICE_SIM, 1, GIFT).await.text.contains("보냈습니다"));
    hlr.stop_ctrl().await;
    until("CTRL is gone", || !edge.status.is_up()).await;
    assert_eq!(conn.dial(ALICE_SIM, 1, GIFT).await.line(), UNKNOWN, "the same frame again");
    assert_eq!(conn.dial(ALICE_SIM, 2, GIFT).await.line(), BUSY, "another dial");
    assert_eq!(edge.decider.given().len(), 1);
}

#[tokio::test]
async fn an_hlr_that_is_restarted_in_the_middle_of_a_dialogue() {
    let (hlr, edge, mut conn) = Hlr::with_edge().await;
    assert!(conn.dial(ALICE_SIM, 1, "*999*500*1921112222#").await.goes_on);
    drop(conn);
    let mut conn = hlr.register().await;
    assert_eq!(conn.enter(ALICE_SIM, 1, 1, "482913").await.line(), OVER);
    assert_eq!(edge.decider.given(), []);
    assert!(conn.dial(ALICE_SIM, 2, GIFT).await.text.contains("보냈습니다"));
    let counts = edge.status.counts();
    assert_eq!((counts.reconnects, counts.no_session), (1, 1));
    assert!(edge.status.hlr().last_error.is_some_and(|error| error.contains("Was it restarted?")));
    assert!(edge.status.hlr().up_since.is_some());
}

#[tokio::test]
async fn an_answer_of_a_connection_that_has_gone_is_not_sent_over_the_next() {
    let hlr = Hlr::start().await;
    let edge = Edge::start(Gated::new(), hlr.config());
    let mut conn = hlr.register().await;
    conn.send(&dial(ALICE_SIM, 1, 1, GIFT)).await;
    until("it is asked who is calling", || !hlr.questions().is_empty()).await;
    drop(conn);
    let mut conn = hlr.register().await;
    edge.decider.open.send_replace(true);
    until("it is dropped", || edge.status.counts().dropped_gone == 1).await;
    conn.nothing_shown().await;
    // Done it is, and the same frame hears so.
    assert!(conn.dial(ALICE_SIM, 1, GIFT).await.text.contains("보냈습니다"));
    assert_eq!(edge.decider.fake.given().len(), 1);
}

#[tokio::test]
async fn an_hlr_that_would_not_have_us() {
    let hlr = Hlr::start().await;
    let edge = Edge::start(Fake::new(), hlr.config());
    drop(hlr.register().await);
    until("it is said", || edge.status.hlr().last_error.is_some()).await;
    let error = edge.status.hlr().last_error.expect("an error");
    assert!(error.contains("EUSE-airtime") && error.contains("its log says why"), "{error}");
}

#[tokio::test]
async fn nobody_listens() {
    let mut hlr = Hlr::start().await;
    hlr.stop_ctrl().await;
    // The control interface's old port: nobody is there.
    let config = EuseConfig { hlr: hlr.config().ctrl, ..hlr.config() };
    let edge = Edge::start(Fake::new(), config);
    until("it is tried again and again", || edge.status.counts().reconnects >= 3).await;
    let error = edge.status.hlr().last_error.expect("an error");
    assert!(error.contains("can't connect to the HLR at 127.0.0.1:") && error.contains("`bind ip`"), "{error}");
    assert_eq!(edge.status.hlr().up_since, None);
}

#[tokio::test]
async fn a_silent_hlr_is_pinged_and_left() {
    let hlr = Hlr::start().await;
    let edge = Edge::start(Fake::new(), EuseConfig { ping_after_s: 1, ..hlr.config() });
    let mut conn = hlr.register().await;
    assert_eq!(conn.frame().await, Some(ping().to_vec()));
    assert_eq!(conn.frame().await, None, "left");
    let mut conn = hlr.register().await;
    assert!(edge.status.hlr().last_error.is_some_and(|error| error.contains("does not answer a ping")));
    assert!(conn.dial(ALICE_SIM, 1, "*999#").await.goes_on);
}

#[tokio::test]
async fn an_idle_link_registers_anew_because_a_second_of_its_name_may_have_become_the_first() {
    let hlr = Hlr::start().await;
    let edge = Edge::start(
        Fake::new(),
        EuseConfig { renew_idle_s: 1, guard_s: 3, answer_within_ms: 2_000, ctrl_within_ms: 1_999, ..hlr.config() },
    );
    let mut conn = hlr.register().await;
    assert!(conn.dial(ALICE_SIM, 1, "*999#").await.goes_on);
    let began = tokio::time::Instant::now();
    assert_eq!(conn.frame().await, None, "closed");
    assert!(began.elapsed() >= Duration::from_secs(2), "not while a phone may still type");
    drop(conn);
    let mut conn = hlr.register().await;
    assert!(conn.dial(ALICE_SIM, 2, "*999#").await.goes_on);
    let counts = edge.status.counts();
    assert_eq!((counts.renewals, counts.reconnects), (1, 0));
    assert_eq!(edge.status.hlr().last_error, None);
}

#[tokio::test]
async fn a_slow_decider_is_unknown_before_the_guard_and_its_late_screen_is_not_sent() {
    let hlr = Hlr::start().await;
    let config = EuseConfig { answer_within_ms: 450, ctrl_within_ms: 400, guard_s: 2, ..hlr.config() };
    let edge = Edge::start(Gated::new(), config);
    let mut conn = hlr.register().await;
    // The menu waits for the caller's language for half a second: longer than the phone may wait here.
    assert_eq!(conn.dial(ALICE_SIM, 1, "*999#").await.line(), UNKNOWN);
    until("it is dropped", || edge.status.counts().dropped_late == 1).await;
    conn.nothing_shown().await;
    assert_eq!(edge.status.counts().timed_out, 1);

    // Whatever a phone heard, a gift is made once, and the same frame hears of it.
    assert_eq!(conn.dial(ALICE_SIM, 2, GIFT).await.line(), UNKNOWN);
    edge.decider.open.send_replace(true);
    let mut again = conn.dial(ALICE_SIM, 2, GIFT).await;
    while again.line() == UNKNOWN {
        again = conn.dial(ALICE_SIM, 2, GIFT).await;
    }
    assert!(again.text.contains("보냈습니다"), "{}", again.text);
    assert_eq!(edge.decider.fake.given().len(), 1);
}

#[tokio::test]
async fn the_reader_goes_on_while_turns_wait_and_too_many_are_busy() {
    let hlr = Hlr::start().await;
    let edge = Edge::start(Gated::new(), EuseConfig { in_flight_max: 2, ..hlr.config() });
    let mut conn = hlr.register().await;
    conn.send(&dial(ALICE_SIM, 1, 1, GIFT)).await;
    conn.send(&dial(DAVE_SIM, 1, 1, GIFT)).await;
    conn.nothing_shown().await;
    assert_eq!(conn.dial(BOB_SIM, 1, GIFT).await.line(), BUSY);
    assert_eq!(conn.dial(BOB_SIM, 1, GIFT).await.line(), BUSY, "again");
    // The same frame of one that is worked on waits for that one, and is not told that nothing was sent.
    conn.send(&dial(ALICE_SIM, 1, 1, GIFT)).await;
    conn.nothing_shown().await;
    edge.decider.open.send_replace(true);
    let mut shown = vec![conn.shown().await, conn.shown().await, conn.shown().await];
    shown.sort_by(|one, other| one.imsi.cmp(&other.imsi));
    assert!(
        shown[0] == shown[1] && shown[0].text.contains("보냈습니다") && shown[2].text.contains("Sent"),
        "{shown:?}"
    );
    assert_eq!(conn.dial(BOB_SIM, 1, GIFT).await.line(), BUSY, "and it stays so");
    assert_eq!(edge.decider.fake.given().len(), 2);
    assert_eq!(edge.status.counts().busy, 1);
}

#[tokio::test]
async fn it_stops_when_everybody_has_an_answer() {
    let hlr = Hlr::start().await;
    let mut edge = Edge::start(Gated::new(), hlr.config());
    let mut conn = hlr.register().await;
    conn.send(&dial(ALICE_SIM, 1, 1, GIFT)).await;
    until("it is asked who is calling", || !hlr.questions().is_empty()).await;
    edge.stop.take().expect("not stopped yet").send(()).expect("it runs");
    // In the order of their loop: a dial after the stop is told that we are busy.
    let mut session_id = 1;
    loop {
        session_id += 1;
        conn.send(&dial(DAVE_SIM, session_id, 1, "*999*0*9*1#")).await;
        if edge.status.counts().busy > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    edge.decider.open.send_replace(true);
    let mut given = 0;
    while let Some(frame) = conn.frame().await {
        let shown = Shown::read(&frame);
        given += usize::from(shown.imsi == ALICE_SIM && shown.text.contains("보냈습니다"));
    }
    assert_eq!(given, 1);
    let ended = soon("it ends", &mut edge.task.0).await.expect("no panic");
    assert_eq!(ended, Ok(()));
    assert!(!edge.status.is_up());
    assert_eq!(edge.decider.fake.given().len(), 1);
}

#[tokio::test]
async fn what_can_not_be_read_is_counted_and_the_link_goes_on() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    let extension = |body: &[u8]| wire::ipa::frame(PROTOCOL_OSMO, &[&[5], body].concat()).expect("short");
    // Malformed: no message, cut short, an element twice, a broken identity request.
    let whole = dial(ALICE_SIM, 1, 1, GIFT);
    conn.send(&extension(&[])).await;
    conn.send(&extension(&whole[4..whole.len() - 1])).await;
    conn.send(&extension(&[&whole[4..], &[0x31, 1, 1]].concat())).await;
    conn.send(&hex("0003fe040901")).await;
    conn.nothing_shown().await;
    assert_eq!(edge.status.counts().malformed, 4);
    // None of ours: location updating, another protocol, another extension, CTRL here, nothing at all, an acknowledgement.
    for other in ["0006ee050401080971", "0001002a", "0002ee0601", "0003ee004154", "0000ee", "0001fe17"] {
        conn.send(&hex(other)).await;
    }
    conn.send(&wire::ipa::id_ack()).await;
    conn.send(&message(Kind::Result, ALICE_SIM, 1, SessionState::End, None)).await;
    conn.nothing_shown().await;
    let counts = edge.status.counts();
    assert_eq!((counts.malformed, counts.ignored), (4, 7));
    // Somebody waits for these: they read how to dial.
    for (session_id, ss_info) in [
        (1, "a11202010102013b300a0401f40405aa5c2e3702"),
        (2, "a18002010102013b300a04010f0405aa5c2e37020000"),
        (3, "308030803080308030803080308030803080"),
        (4, "a11202010102013b300a04010f0405aa5c"),
        (5, ""),
    ] {
        conn.send(&message(Kind::Request, ALICE_SIM, session_id, SessionState::Begin, Some(&hex(ss_info)))).await;
        let shown = conn.shown().await;
        assert!(!shown.goes_on && shown.text.contains("*999*"), "{session_id}: {}", shown.text);
    }
    // Lengths that are longer than need be are lengths.
    let long = hex("a1811302010102013b300b04010f048105aa5c2e3702");
    conn.send(&message(Kind::Request, ALICE_SIM, 6, SessionState::Begin, Some(&long))).await;
    assert!(conn.shown().await.goes_on);
    assert_eq!(edge.status.counts().reconnects, 0);
}

#[tokio::test]
async fn a_frame_too_long_ends_the_connection_and_the_next_one_works() {
    let (hlr, edge, mut conn) = Hlr::with_edge().await;
    let len = u16::try_from(FRAME_LEN_MAX + 1).expect("16 bits").to_be_bytes();
    conn.send(&[&len[..], &[PROTOCOL_OSMO], &[7; FRAME_LEN_MAX + 1]].concat()).await;
    assert_eq!(conn.frame().await, None);
    let mut conn = hlr.register().await;
    assert!(conn.dial(ALICE_SIM, 1, "*999#").await.goes_on);
    let error = edge.status.hlr().last_error.expect("an error");
    assert!(error.contains("longer than any that belongs here"), "{error}");
    assert_eq!(edge.status.counts().malformed, 1);
}

#[tokio::test]
async fn a_flood_of_dialogues_without_end_leaves_room_for_the_honest() {
    let hlr = Hlr::start().await;
    let config = EuseConfig { dialogues_max: 1_000, in_flight_max: 900, msisdn_cache_max: 1_000, ..hlr.config() };
    let flow = FlowConfig { sessions_max: 1_000, ..FlowConfig::default() };
    let edge = Edge::with_flow(Fake::new(), config, flow);
    let mut conn = hlr.register().await;
    until("CTRL is connected", || edge.status.is_up()).await;
    let (mut menus, mut honest) = (0, 0);
    for block in 0..20 {
        let mut flood = Vec::new();
        for n in 0..500 {
            flood.extend(dial(&crowd_sim(block * 500 + n), 1, 1, "*999#"));
        }
        flood.extend(dial(ALICE_SIM, block + 1, 1, "*999*0*1*482913#"));
        conn.send(&flood).await;
        edge.decider.later(7);
        for _ in 0..=500 {
            let shown = conn.shown().await;
            honest += u32::from(shown.imsi == ALICE_SIM && shown.text.contains("2000원"));
            menus += u32::from(shown.goes_on);
        }
        assert!(edge.flow.sessions_len() <= 1_000);
    }
    assert_eq!((menus, honest), (10_000, 20));
    let counts = edge.status.counts();
    assert_eq!((counts.dials, counts.answers, counts.busy), (10_020, 10_020, 0));
    assert!(counts.evicted >= 8_900, "{counts:?}");
    // Whoever was pushed out hears so, and may begin again.
    assert_eq!(conn.enter(&crowd_sim(1), 1, 1, "1").await.line(), OVER);
    assert!(conn.dial(&crowd_sim(1), 2, "*999#").await.goes_on);
}

#[tokio::test]
async fn what_the_decider_refuses_to_take_is_text_too() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    edge.decider.trouble(Some(Trouble::Busy));
    assert_eq!(conn.dial(ALICE_SIM, 1, GIFT).await.line(), BUSY);
    edge.decider.trouble(None);
    assert_eq!(conn.dial(ALICE_SIM, 1, GIFT).await.line(), BUSY, "and stays so");
    edge.decider.trouble(Some(Trouble::CommandLost));
    assert_eq!(conn.dial(ALICE_SIM, 2, GIFT).await.line(), UNKNOWN);
    assert_eq!(edge.decider.given(), []);
}

/// The phone's side ends a dialogue while its command is decided: the screen goes nowhere, so the next dial hears it.
#[tokio::test]
async fn what_was_done_after_a_cancel_is_not_done_again() {
    let top_up = "*999*0*5*200*482913#";
    let hlr = Hlr::start().await;
    let edge = Edge::start(Gated::new(), hlr.config());
    let mut conn = hlr.register().await;
    conn.send(&dial(ALICE_SIM, 1, 1, top_up)).await;
    until("it is asked who is calling", || !hlr.questions().is_empty()).await;
    conn.send(&message(Kind::Error, ALICE_SIM, 1, SessionState::End, None)).await;
    until("it is cancelled", || edge.status.counts().cancelled == 1).await;
    edge.decider.open.send_replace(true);
    until("nobody waits for it", || edge.status.counts().dropped_gone == 1).await;
    let again = conn.dial(ALICE_SIM, 2, top_up).await;
    assert!(again.text.contains("200원"), "{}", again.text);
    let inner = edge.decider.fake.lock();
    let airtime = inner.state.find_subscriber(crate::fake::msisdn(crate::fake::ALICE)).map(|(_, row)| row.airtime);
    assert_eq!(airtime.map(|airtime| airtime.balance_minor), Some(200));
}
