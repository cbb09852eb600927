//! USSD through an SMPP gateway, over the real rules and a decider in memory.

use std::sync::Arc;

use domain::ids::LinkId;
use edges::brake::BrakeConfig;
use edges::esme::{Kind, SubmitFault};
use edges::flow::{Flow, FlowConfig, Link, LinkConfig};
use edges::session::Times;
use edges::texts::Texts;
use wire::text::Budget;

use crate::esme_smsc::{DATA, DELIVER, Peer, RESP, SUBMIT, Smsc, World, config, deliver, outgoing, tlv};
use crate::fake::{ALICE, DAVE, Fake, PASSWORD, Trouble, keys};

const GIFT: &[u8] = b"*999*500*1921112222*482913#";

const ANSWER_WITHIN_MS: u32 = 20_000;

fn flow(fake: &Fake, answer_within_ms: u32) -> (Flow<Fake>, Link<Fake>) {
    let flow = Flow::new(fake.clone(), Arc::new(keys()), Arc::new(Texts::embedded()), FlowConfig::default());
    let link = flow.link(LinkConfig {
        id: LinkId(3),
        name: String::from("gateway"),
        operators: vec![String::from("koryolink")],
        ranges: Vec::new(),
        budget: Budget::USSD,
        dialogue: true,
        times: Times::default(),
        answer_within_ms,
        brake: BrakeConfig::default(),
    });
    (flow, link)
}

pub(crate) fn link(fake: &Fake) -> Link<Fake> {
    flow(fake, ANSWER_WITHIN_MS).1
}

/// What a phone sees.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    op: u8,
    info: Option<[u8; 2]>,
    data_coding: u8,
    text: String,
}

struct Gateway {
    world: World,
    peer: Peer,
    fake: Fake,
    flow: Flow<Fake>,
    sequence: u32,
}

impl Gateway {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut edges::esme::EsmeConfig)) -> Self {
        Self::within(ANSWER_WITHIN_MS, change).await
    }

    async fn within(answer_within_ms: u32, change: impl FnOnce(&mut edges::esme::EsmeConfig)) -> Self {
        let (fake, smsc) = (Fake::new(), Smsc::new().await);
        let (flow, link) = flow(&fake, answer_within_ms);
        let mut config = config(&smsc);
        config.kind = Kind::Ussd;
        change(&mut config);
        let world = World::with(config, Some(link));
        let peer = smsc.bound().await;
        Self { world, peer, fake, flow, sequence: 0 }
    }

    async fn deliver(&mut self, body: &[u8]) {
        self.sequence += 1;
        assert_eq!(self.peer.deliver(self.sequence, body).await, 0);
    }

    /// From a phone: operation, session and sequence number, text.
    async fn phone(&mut self, from: &str, op: u8, info: Option<[u8; 2]>, text: &[u8]) -> Shown {
        let mut parameters = vec![tlv(0x0501, &[op])];
        parameters.extend(info.map(|info| tlv(0x1383, &info)));
        self.deliver(&deliver(from, "999", 0, 0, text, &parameters)).await;
        self.shown(0).await
    }

    /// The next screen, answered with this status.
    async fn shown(&mut self, status: u32) -> Shown {
        let submit = self.peer.expect(SUBMIT).await;
        let shown = read(&submit.body);
        self.peer.answer(&submit, status, b"\0").await;
        shown
    }
}

/// Takes a screen's `submit_sm` apart.
fn read(body: &[u8]) -> Shown {
    let mut rest = body;
    let mut string = |lead: usize| {
        rest = &rest[lead..];
        let end = rest.iter().position(|octet| *octet == 0).expect("a NUL");
        let (text, after) = rest.split_at(end);
        rest = &after[1..];
        String::from_utf8(text.to_vec()).expect("ASCII")
    };
    let (_service, _from, _to) = (string(0), string(2), string(2));
    let (_schedule, _validity) = (string(3), string(0));
    let (data_coding, len) = (rest[2], usize::from(rest[4]));
    let (octets, mut tlvs) = rest[5..].split_at(len);
    let text = match data_coding {
        8 | 0x48 => wire::ucs2::decode(octets).expect("UCS-2"),
        _ => wire::gsm7::decode_unpacked(octets).expect("septets"),
    };
    assert!(wire::text::fits(&text, Budget::USSD));
    let mut shown = Shown { op: 255, info: None, data_coding, text };
    while let [tag_high, tag_low, 0, len, after @ ..] = tlvs {
        let (value, after) = after.split_at(usize::from(*len));
        match u16::from_be_bytes([*tag_high, *tag_low]) {
            0x0501 => shown.op = value[0],
            0x1383 => shown.info = Some(value.try_into().expect("two")),
            _ => {}
        }
        tlvs = after;
    }
    shown
}

#[tokio::test]
async fn one_string_one_screen_and_told() {
    let mut gateway = Gateway::new().await;
    let shown = gateway.phone(ALICE, 1, Some([7, 0]), GIFT).await;
    assert_eq!((shown.op, shown.info, shown.data_coding), (17, Some([7, 0b11]), 8), "the last word, and the end flag");
    assert!(shown.text.contains("500"), "{}", shown.text);
    assert_eq!(gateway.fake.given(), [(8_501_921_112_222, 500)]);
    gateway.peer.nothing_else().await;
    let seq = u64::try_from(gateway.fake.lock().entries.len()).expect("few");
    let told = gateway.flow.told();
    tokio::time::timeout(crate::esme_smsc::DEADLINE, async {
        while !told.is_told(domain::receipt::Seq(seq)) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("told");
}

#[tokio::test]
async fn a_session_that_starts_twice_pays_once() {
    let mut gateway = Gateway::new().await;
    let first = gateway.phone(ALICE, 1, Some([7, 0]), GIFT).await;
    let second = gateway.phone(ALICE, 1, Some([7, 0]), GIFT).await;
    assert_eq!(first, second);
    assert_eq!(gateway.fake.given().len(), 1);
}

#[tokio::test]
async fn a_screen_that_was_refused_is_not_told() {
    let mut gateway = Gateway::new().await;
    gateway.deliver(&deliver(ALICE, "999", 0, 0, GIFT, &[tlv(0x0501, &[1])])).await;
    gateway.shown(0x08).await;
    gateway.peer.nothing_else().await;
    let seq = u64::try_from(gateway.fake.lock().entries.len()).expect("few");
    assert!(!gateway.flow.told().is_told(domain::receipt::Seq(seq)));
}

#[tokio::test]
async fn a_throttled_screen_comes_again() {
    let mut gateway = Gateway::with(|config| config.throttle_backoff_ms = 10).await;
    gateway.deliver(&deliver(ALICE, "999", 0, 0, GIFT, &[tlv(0x0501, &[1])])).await;
    let first = gateway.shown(0x58).await;
    assert_eq!(gateway.shown(0).await, first);
}

/// Changes the password in a whole dialogue; the new one is typed twice in a row.
async fn change_password(gateway: &mut Gateway, info: impl Fn(u8) -> Option<[u8; 2]>) {
    let menu = gateway.phone(DAVE, 1, info(0), b"*999#").await;
    assert_eq!((menu.op, menu.data_coding), (2, 0), "asks on, in GSM 7-bit");
    assert!(menu.text.starts_with("1 Give"), "{}", menu.text);
    let mut step = 0;
    let mut last = menu;
    for typed in ["6", PASSWORD, "590274", "590274"] {
        step += 1;
        // Nobody reads and types within a second: where nothing numbers frames, that would be the same one again.
        gateway.fake.later(2);
        last = gateway.phone(DAVE, 18, info(step), typed.as_bytes()).await;
    }
    assert_eq!((last.op, last.text.as_str()), (17, "The password is changed."));
}

#[tokio::test]
async fn a_dialogue_with_sequence_numbers() {
    change_password(&mut Gateway::new().await, |step| Some([9, step * 4])).await;
}

#[tokio::test]
async fn a_dialogue_whose_sequence_number_stands_still() {
    change_password(&mut Gateway::new().await, |_| Some([9, 0])).await;
}

#[tokio::test]
async fn a_dialogue_without_session_numbers() {
    let mut gateway = Gateway::new().await;
    change_password(&mut gateway, |_| None).await;
    let again = gateway.phone(DAVE, 1, None, b"*999#").await;
    assert_eq!(again.op, 2, "a new session");
}

#[tokio::test]
async fn input_without_its_history() {
    let mut gateway = Gateway::new().await;
    let shown = gateway.phone(DAVE, 18, Some([3, 2]), b"1").await;
    assert_eq!(shown.op, 17, "the session is over");
    assert_eq!(shown.info, Some([3, 0b101]));
}

#[tokio::test]
async fn strings_in_every_coding_and_place() {
    let wide: Vec<u8> = "*999#".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let packed = [0xAA, 0x5C, 0x2E, 0x37, 0x02];
    for (data_coding, text, destination, answered) in [
        (0, &b"*999#"[..], "999", 8),
        (8, &wide, "999", 8),
        (0x0F, b"*999#", "999", 0x48),
        (0x0F, &packed, "999", 0x48),
        (0x48, &wide, "999", 0x48),
        (0, b"", "*999#", 8),
        (0, b"", "999", 8),
    ] {
        let mut gateway = Gateway::new().await;
        gateway.deliver(&deliver(ALICE, destination, 0, data_coding, text, &[tlv(0x0501, &[1])])).await;
        let shown = gateway.shown(0).await;
        assert_eq!((shown.op, shown.data_coding), (2, answered), "{data_coding:#x} {destination}");
        assert!(shown.text.starts_with("1 전화돈 보내기"), "{}", shown.text);
    }
}

#[tokio::test]
async fn a_code_apart_a_payload_and_data_sm() {
    for parameters in [
        vec![tlv(0x0424, b"500*1921112222*482913"), tlv(0x0501, &[0])],
        vec![tlv(0x0501, &[0]), tlv(0x1400, b"?"), tlv(0x0424, GIFT)],
    ] {
        let mut gateway = Gateway::new().await;
        gateway.deliver(&deliver(ALICE, "*999*", 0, 0, b"", &parameters)).await;
        assert_eq!(gateway.shown(0).await.op, 16, "PSSD");
        assert_eq!(gateway.fake.given().len(), 1);
    }
    let mut gateway = Gateway::new().await;
    let data = [&b"\0\x01\x01"[..], ALICE.as_bytes(), b"\0\0\x01999\0\0\0\0", &tlv(0x0424, GIFT), &tlv(0x0501, &[1])];
    gateway.peer.send(DATA, 44, &data.concat()).await;
    let answer = gateway.peer.expect(DATA | RESP).await;
    assert_eq!((answer.status, answer.sequence), (0, 44));
    assert_eq!(gateway.shown(0).await.op, 17);
    assert_eq!(gateway.fake.given().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_says_nothing_of_ussd() {
    let mut gateway = Gateway::new().await;
    gateway.deliver(&deliver(DAVE, "999", 0, 0, b"*999#", &[])).await;
    let menu = gateway.shown(0).await;
    assert_eq!((menu.op, menu.info), (2, None));
    gateway.deliver(&deliver(DAVE, "999", 0, 0, b"3", &[])).await;
    let asks = gateway.shown(0).await;
    assert!(asks.text.contains("password"), "{}", asks.text);
    gateway.deliver(&deliver(DAVE, "999", 4, 0, b"id:7 stat:DELIVRD", &[])).await;
    assert!(gateway.world.receipts.recv().await.is_some(), "a receipt is no input");
}

#[tokio::test]
async fn a_stop_lets_turns_end_and_puts_off_new_ones() {
    let mut gateway = Gateway::within(500, |_| {}).await;
    gateway.fake.trouble(Some(Trouble::Hangs));
    let gift = |from: &str| deliver(from, "999", 0, 0, GIFT, &[tlv(0x0501, &[1])]);
    gateway.deliver(&gift(ALICE)).await;
    let stopping = tokio::spawn(gateway.world.running.stop());
    // The stop is seen before or after this; from then on nothing new is begun.
    let mut sequence = 50;
    while gateway.peer.deliver(sequence, &deliver(DAVE, "999", 0, 0, b"", &[tlv(0x0501, &[200])])).await == 0 {
        sequence += 1;
    }
    assert_eq!(gateway.peer.deliver(99, &gift(DAVE)).await, 0x64);
    let screen = gateway.peer.expect(SUBMIT).await;
    assert_eq!(read(&screen.body).op, 17, "unknown, after the turn's own time");
    gateway.peer.answer(&screen, 0, b"\0").await;
    let unbind = gateway.peer.expect(crate::esme_smsc::UNBIND).await;
    gateway.peer.answer(&unbind, 0, b"").await;
    stopping.await.expect("stops");
}

#[tokio::test]
async fn sms_leave_a_slot_for_screens() {
    let mut gateway = Gateway::with(|config| (config.kind, config.window) = (Kind::Both, 2)).await;
    gateway.world.is_bound().await;
    let submits = [gateway.world.submit("1"), gateway.world.submit("2")];
    let sms = gateway.peer.expect(SUBMIT).await;
    gateway.peer.nothing_else().await;
    let shown = gateway.phone(ALICE, 1, Some([7, 0]), GIFT).await;
    assert_eq!(shown.op, 17, "while an SMS waits for its answer and another for a slot");
    gateway.peer.answer(&sms, 0, b"1\0").await;
    let sms = gateway.peer.expect(SUBMIT).await;
    gateway.peer.answer(&sms, 0, b"1\0").await;
    for submit in submits {
        submit.await.expect("runs").expect("taken");
    }
}

#[tokio::test]
async fn vendors_operations_and_goodbyes_get_an_answer_only() {
    let mut gateway = Gateway::new().await;
    for op in [128, 200, 255, 19, 2] {
        gateway.deliver(&deliver(ALICE, "999", 0, 0, b"*999#", &[tlv(0x0501, &[op])])).await;
    }
    let ended = [tlv(0x0501, &[18]), tlv(0x1383, &[7, 3])];
    gateway.deliver(&deliver(ALICE, "999", 0, 0, b"", &ended)).await;
    gateway.peer.nothing_else().await;
    assert_eq!(gateway.world.status().counts().ignored, 6);
}

#[tokio::test]
async fn callers_that_the_network_does_not_name() {
    let mut gateway = Gateway::new().await;
    let shown = gateway.phone("", 1, Some([7, 0]), GIFT).await;
    assert_eq!((shown.op, shown.info), (17, Some([7, 3])));
    let elsewhere = gateway.phone("821012345678", 1, Some([8, 0]), GIFT).await;
    assert_eq!(elsewhere.op, 17);
    assert_eq!(gateway.fake.lock().submitted, 0);
    let mut gateway = Gateway::with(|config| config.ussd.country_code = Some(String::from("850"))).await;
    gateway.phone("01912345678", 1, Some([7, 0]), GIFT).await;
    assert_eq!(gateway.fake.given().len(), 1);
}

#[tokio::test]
async fn turns_beyond_the_limit_are_asked_for_again() {
    let mut gateway = Gateway::with(|config| config.ussd.turns_max = 2).await;
    gateway.fake.trouble(Some(Trouble::Hangs));
    let gift = |from: &str| deliver(from, "999", 0, 0, GIFT, &[tlv(0x0501, &[1])]);
    gateway.deliver(&gift(ALICE)).await;
    gateway.deliver(&gift(DAVE)).await;
    assert_eq!(gateway.peer.deliver(99, &gift("8501933334444")).await, 0x64);
}

#[tokio::test]
async fn a_turn_outlives_its_bind() {
    let (fake, smsc) = (Fake::new(), Smsc::new().await);
    let mut config = config(&smsc);
    config.kind = Kind::Both;
    let world = World::with(config, Some(link(&fake)));
    let mut peer = smsc.bound().await;
    peer.send(DELIVER, 5, &deliver(ALICE, "999", 0, 0, GIFT, &[tlv(0x0501, &[1])])).await;
    peer.expect(DELIVER | RESP).await;
    drop(peer);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    tokio::time::timeout(crate::esme_smsc::DEADLINE, async {
        while fake.given().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("given");
    // The gateway repeats what it saw no screen for, and the same answer is shown.
    peer.send(DELIVER, 6, &deliver(ALICE, "999", 0, 0, GIFT, &[tlv(0x0501, &[1])])).await;
    let mut screens = 0;
    while screens == 0 {
        let pdu = peer.next().await.expect("connected");
        if pdu.id == SUBMIT {
            assert_eq!(read(&pdu.body).op, 17);
            screens += 1;
        }
    }
    assert_eq!(fake.given().len(), 1);
}

#[tokio::test]
async fn a_bind_for_ussd_sends_no_sms_and_needs_a_link() {
    let gateway = Gateway::new().await;
    assert_eq!(gateway.world.esme.submit(&outgoing("hi")).await, Err(SubmitFault::Permanent { status: 4 }));
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.kind = Kind::Both;
    let error = edges::esme::start::<_, Fake>(config, crate::esme_smsc::Inbox::new().0, None).err().expect("no link");
    assert_eq!(error.setting, "kind");
}

/// A gateway that numbers nothing repeats a frame whose screen it took: that is no second try.
#[tokio::test]
async fn a_repeated_frame_costs_no_try_where_nothing_is_numbered() {
    for info in [None, Some([9, 0])] {
        let mut gateway = Gateway::new().await;
        gateway.phone(DAVE, 1, info, b"*999*500*1921112222#").await;
        gateway.fake.later(2);
        let wrong = gateway.phone(DAVE, 18, info, b"111111").await;
        assert!(wrong.text.starts_with("Wrong password. Tries left: 2"), "{}", wrong.text);
        for _ in 0..3 {
            gateway.fake.later(2);
            assert_eq!(gateway.phone(DAVE, 18, info, b"111111").await, wrong);
        }
        let given = gateway.phone(DAVE, 18, info, PASSWORD.as_bytes()).await;
        assert!(given.text.starts_with("Sent: 500 won"), "{}", given.text);
        assert_eq!(gateway.phone(DAVE, 18, info, PASSWORD.as_bytes()).await, given);
        assert_eq!(gateway.fake.given().len(), 1);
    }
}

#[tokio::test]
async fn what_a_refused_screen_told_of_is_not_done_again() {
    let top_up: &[u8] = b"*999*0*5*200*482913#";
    let mut gateway = Gateway::new().await;
    for (session, status) in [(7, 0x08), (8, 0)] {
        let parameters = [tlv(0x0501, &[1]), tlv(0x1383, &[session, 0])];
        gateway.deliver(&deliver(DAVE, "999", 0, 0, top_up, &parameters)).await;
        let shown = gateway.shown(status).await;
        assert!(shown.text.starts_with("Your phone got 200 won.\nAirtime 200 won"), "{}", shown.text);
        gateway.peer.nothing_else().await;
    }
}

#[tokio::test]
async fn a_phone_that_hangs_up_has_a_minute_from_then_on() {
    for (later_s, starts) in [(60, "You were sending"), (61, "1 Give")] {
        let mut gateway = Gateway::new().await;
        gateway.phone(DAVE, 1, Some([7, 0]), b"*999*500*1921112222#").await;
        let ended = [tlv(0x0501, &[18]), tlv(0x1383, &[7, 3])];
        gateway.deliver(&deliver(DAVE, "999", 0, 0, b"", &ended)).await;
        gateway.fake.later(later_s);
        let shown = gateway.phone(DAVE, 1, Some([8, 0]), b"*999#").await;
        assert!(shown.text.starts_with(starts), "{later_s}: {}", shown.text);
    }
}
