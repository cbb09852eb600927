//! USSD behind npm `smpp` in the role of a USSD gateway: what was dialled goes through the flow and the real `decide`, and
//! that stack says what came back.

use std::sync::Arc;

use domain::command::Body;
use domain::ids::LinkId;
use edges::brake::BrakeConfig;
use edges::esme::{EsmeConfig, Kind};
use edges::flow::{Flow, FlowConfig, LinkConfig};
use edges::session::Times;
use edges::texts::Texts;
use expect_test::expect;
use serde_json::{Value, json};
use wire::text::Budget;

use crate::fake::{ALICE, DAVE, Fake, keys};
use crate::peers::{Event, Smsc, tlv};
use crate::peers_rig::{Bind, at, config};

pub(crate) const PSSD_INDICATION: u8 = 0;
pub(crate) const PSSR_INDICATION: u8 = 1;
pub(crate) const USSR_CONFIRM: u8 = 18;
const USSR_REQUEST: u8 = 2;
const USSN_REQUEST: u8 = 3;
const PSSD_RESPONSE: u8 = 16;
const PSSR_RESPONSE: u8 = 17;

/// A gateway, our bind to it, and the decider behind.
pub(crate) struct Gateway {
    pub(crate) smsc: Smsc,
    pub(crate) bind: Bind,
    fake: Fake,
}

impl Gateway {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut EsmeConfig)) -> Self {
        let smsc = Smsc::npm(json!({})).await;
        let address = at(smsc.port);
        Self::through(smsc, &address, change).await
    }

    /// The bind goes to `address`, which leads to the gateway.
    pub(crate) async fn through(smsc: Smsc, address: &str, change: impl FnOnce(&mut EsmeConfig)) -> Self {
        let fake = Fake::new();
        let flow = Flow::new(fake.clone(), Arc::new(keys()), Arc::new(Texts::embedded()), FlowConfig::default());
        let link = flow.link(LinkConfig {
            id: LinkId(20),
            name: String::from("smsc1"),
            operators: vec![String::from("koryolink")],
            ranges: Vec::new(),
            budget: Budget::USSD,
            dialogue: true,
            times: Times::default(),
            answer_within_ms: 30_000,
            brake: BrakeConfig::default(),
        });
        let mut config = config(address);
        config.kind = Kind::Both;
        change(&mut config);
        let bind = Bind::start_with(config, Some(link));
        bind.until_bound().await;
        Self { smsc, bind, fake }
    }

    /// Sends what somebody dialled or typed.
    pub(crate) fn send(&mut self, from: &str, text: &str, tlvs: &Value) {
        self.deliver(json!({ "source_addr": from, "short_message": text }), tlvs);
    }

    pub(crate) fn deliver(&mut self, more: Value, tlvs: &Value) {
        let mut fields = json!({
            "service_type": "USSD", "source_addr_ton": 1, "source_addr_npi": 1, "destination_addr": "999", "data_coding": 0,
        });
        let (Value::Object(all), Value::Object(more)) = (&mut fields, more) else { panic!("objects") };
        all.extend(more);
        self.smsc.order(&json!({ "do": "deliver", "tag": "ussd", "fields": fields, "tlvs": tlvs }));
    }

    /// The next screen, after the delivery was answered.
    pub(crate) async fn screen(&mut self) -> Event {
        assert_eq!(self.smsc.answer("ussd").await["status"], 0);
        self.smsc.submit().await
    }

    /// Dials the first and types the rest: a transcript with the operation and the session parameter of each screen.
    async fn talk(&mut self, from: &str, session: u8, inputs: &[&str]) -> String {
        let mut transcript = String::new();
        for (sequence, input) in (0_u8..).step_by(2).zip(inputs) {
            let op = if sequence == 0 { PSSR_INDICATION } else { USSR_CONFIRM };
            self.send(from, input, &info(op, session, sequence));
            let screen = self.screen().await;
            assert_eq!((&screen["to"], &screen["from"]), (&json!(from), &json!("999")));
            transcript.push_str(&format!("> {input}\n{}\n", shown(&screen)));
        }
        transcript
    }
}

/// The two parameters of a session.
pub(crate) fn info(op: u8, session: u8, sequence: u8) -> Value {
    json!([["ussd_service_op", op], ["its_session_info", format!("{session:02x}{:02x}", sequence << 1)]])
}

fn op(screen: &Event) -> Value {
    tlv(screen, "ussd_service_op").cloned().unwrap_or_default()
}

fn shown(screen: &Event) -> String {
    let info = tlv(screen, "its_session_info").and_then(Value::as_str).unwrap_or("none");
    format!("{} {info} dcs {}: {}", op(screen), screen["data_coding"], screen["text"].as_str().expect("a text"))
}

#[tokio::test]
async fn a_one_shot_gift_in_both_languages() {
    let mut gateway = Gateway::new().await;
    let english = gateway.talk(DAVE, 7, &["*999*300*01933334444*482913#"]).await;
    expect![[r#"
        > *999*300*01933334444*482913#
        17 0703 dcs 0: Sent: 300 won to 0193 333 4444.
        Left on the card: 1700 won
        Receipt 9-D3
    "#]]
    .assert_eq(&english);
    let korean = gateway.talk(ALICE, 8, &["*999*500*1921112222*482913#"]).await;
    expect![[r#"
        > *999*500*1921112222*482913#
        17 0803 dcs 8: 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 A-0B
    "#]]
    .assert_eq(&korean);
    assert_eq!(gateway.fake.given(), [(8_501_933_334_444, 300), (8_501_921_112_222, 500)]);
}

#[tokio::test]
async fn the_menu_asks_and_ends() {
    let mut gateway = Gateway::new().await;
    let transcript = gateway.talk(DAVE, 0x2a, &["*999#", "1", "01933334444", "300", "482913"]).await;
    expect![[r#"
        > *999#
        2 2a02 dcs 0: 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 1
        2 2a06 dcs 0: Enter the recipient's phone number.
        0 back 00 exit
        > 01933334444
        2 2a0a dcs 0: Enter the amount in won, digits only.
        0 back 00 exit
        > 300
        2 2a0e dcs 0: To: 0193 333 4444
        Amount: 300 won
        Enter the card's password to send.
        0 back 00 exit
        > 482913
        17 2a13 dcs 0: Sent: 300 won to 0193 333 4444.
        Left on the card: 1700 won
        Receipt 9-D3
    "#]]
    .assert_eq(&transcript);
    assert_eq!(gateway.fake.given(), [(8_501_933_334_444, 300)]);
}

#[tokio::test]
async fn a_session_that_starts_twice_pays_once() {
    let mut gateway = Gateway::new().await;
    let begin = info(PSSR_INDICATION, 3, 0);
    for _ in 0..2 {
        gateway.send(DAVE, "*999*300*01933334444*482913#", &begin);
    }
    let (first, second) = (gateway.screen().await, gateway.screen().await);
    assert_eq!((&first["text"], op(&first)), (&second["text"], op(&second)));
    assert_eq!(gateway.fake.given().len(), 1);

    // In a menu too: the same input of the same prompt, sent again by the gateway.
    gateway.talk(DAVE, 4, &["*999#", "2", "200"]).await;
    for _ in 0..2 {
        gateway.send(DAVE, "482913", &info(USSR_CONFIRM, 4, 6));
    }
    let (first, second) = (gateway.screen().await, gateway.screen().await);
    assert_eq!(first["text"], second["text"]);
    let entries = &gateway.fake.lock().entries;
    assert_eq!(entries.iter().filter(|(_, entry)| matches!(entry.body, Body::TopUp(_))).count(), 1);
}

#[tokio::test]
async fn input_without_its_history_is_told_so_and_nothing_happens() {
    let mut gateway = Gateway::new().await;
    let before = gateway.fake.lock().entries.len();
    gateway.send(DAVE, "482913", &info(USSR_CONFIRM, 9, 4));
    let screen = gateway.screen().await;
    assert_eq!(op(&screen), PSSR_RESPONSE);
    assert_eq!(tlv(&screen, "its_session_info"), Some(&json!("090b")), "the end flag");
    assert_eq!(gateway.fake.lock().entries.len(), before);
}

#[tokio::test]
async fn parameters_in_odd_orders_unknown_ones_and_none() {
    let mut gateway = Gateway::new().await;
    let tables = [
        json!([
            ["its_session_info", "0500"],
            ["vendor_test", "00"],
            ["ussd_service_op", 1],
            ["user_message_reference", 77]
        ]),
        json!([
            ["vendor_test", "c0ffee"],
            ["its_session_info", "0600"],
            ["language_indicator", 1],
            ["ussd_service_op", 1]
        ]),
        json!([]),
        json!([["ussd_service_op", PSSD_INDICATION]]),
    ];
    let mut seen = Vec::new();
    for (at, tlvs) in tables.iter().enumerate() {
        gateway.send(DAVE, "*999#", tlvs);
        let screen = gateway.screen().await;
        assert!(screen["text"].as_str().expect("a text").starts_with("1 "), "{at}: {screen}");
        seen.push((
            op(&screen),
            tlv(&screen, "its_session_info").cloned(),
            tlv(&screen, "user_message_reference").cloned(),
        ));
    }
    let asks = json!(USSR_REQUEST);
    assert_eq!(seen[0], (asks.clone(), Some(json!("0502")), Some(json!(77))));
    assert_eq!(seen[1], (asks.clone(), Some(json!("0602")), None));
    assert_eq!(seen[2], (asks.clone(), None, None));
    assert_eq!(seen[3], (asks, None, None));
    // What began with PSSD ends with PSSD.
    gateway.send(DAVE, "*999*0*1*482913#", &json!([["ussd_service_op", PSSD_INDICATION]]));
    assert_eq!(op(&gateway.screen().await), PSSD_RESPONSE);
}

#[tokio::test]
async fn a_gateway_that_numbers_nothing_has_dialogues_all_the_same() {
    let mut gateway = Gateway::new().await;
    let mut screens = Vec::new();
    for (at, input) in ["*999#", "1", "01933334444", "300", "482913"].into_iter().enumerate() {
        let op = if at == 0 { PSSR_INDICATION } else { USSR_CONFIRM };
        gateway.send(DAVE, input, &json!([["ussd_service_op", op]]));
        screens.push(gateway.screen().await["text"].clone());
    }
    assert_eq!(gateway.fake.given(), [(8_501_933_334_444, 300)], "{screens:#?}");
}

#[tokio::test]
async fn strings_in_every_coding_and_in_message_payload() {
    let mut gateway = Gateway::new().await;
    let (balance, menu) = ("*999*0*1*482913#", "*999#");
    let wide: String = balance.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
    // The fields, and the coding of the answer: English is in letters of GSM 7-bit alone.
    let rows = [
        (json!({ "short_message": balance, "data_coding": 0 }), 0, PSSR_RESPONSE),
        (json!({ "short_message": balance, "data_coding": 1 }), 0, PSSR_RESPONSE),
        (json!({ "short_message": balance, "data_coding": 3 }), 0, PSSR_RESPONSE),
        (json!({ "short_message": balance, "data_coding": 8 }), 0, PSSR_RESPONSE),
        (json!({ "short_message": menu, "data_coding": 8 }), 0, USSR_REQUEST),
        (json!({ "short_message": "", "destination_addr": "*999#" }), 0, USSR_REQUEST),
        (json!({ "short_message": "", "destination_addr": "999" }), 0, USSR_REQUEST),
        (json!({ "short_message": "0*1*482913#", "destination_addr": "*999*" }), 0, PSSR_RESPONSE),
    ];
    for (session, (fields, data_coding, answer)) in (1..).zip(rows) {
        let mut fields = fields;
        fields["source_addr"] = json!(DAVE);
        gateway.deliver(fields.clone(), &info(PSSR_INDICATION, session, 0));
        let screen = gateway.screen().await;
        assert_eq!((screen["data_coding"].clone(), op(&screen)), (json!(data_coding), json!(answer)), "{fields}");
    }
    let mut payload = info(PSSR_INDICATION, 20, 0);
    payload.as_array_mut().expect("a list").push(json!(["message_payload", balance]));
    gateway.deliver(json!({ "source_addr": DAVE, "short_message": "" }), &payload);
    assert_eq!(op(&gateway.screen().await), PSSR_RESPONSE);
    // A minute later: nobody dials more often than so many times in one.
    gateway.fake.later(61);
    // USSD's own codes: the answer keeps to them. npm `smpp` writes octets as they are given.
    for (session, data_coding, octets, answer) in [
        (30, 0x0F, "2a3939392a302a312a34383239313323", 0x0F),
        (31, 0x48, wide.as_str(), 0x0F),
        (32, 0x0F, "aa5c2ea782a9622a1a4e968bcd46", 0x0F),
        (33, 0x0F, "aa5c2e3702", 0x0F),
    ] {
        let order = json!({
            "do": "deliver", "tag": "ussd", "octets": octets, "tlvs": info(PSSR_INDICATION, session, 0),
            "fields": { "service_type": "USSD", "source_addr": DAVE, "source_addr_ton": 1, "source_addr_npi": 1,
                "destination_addr": "999", "data_coding": data_coding },
        });
        gateway.smsc.order(&order);
        let screen = gateway.screen().await;
        assert_eq!(
            (&screen["data_coding"], op(&screen)),
            (&json!(answer), json!(if session == 33 { USSR_REQUEST } else { PSSR_RESPONSE })),
            "{octets}"
        );
    }
}

#[tokio::test]
async fn who_is_calling_in_every_form_and_nobody() {
    let mut gateway = Gateway::with(|config| config.ussd.country_code = Some(String::from("850"))).await;
    let national = DAVE.strip_prefix("850").expect("a number of the country");
    for (session, (address, ton)) in (1..).zip([
        (DAVE.to_owned(), 1),
        (format!("+{DAVE}"), 1),
        (DAVE.to_owned(), 0),
        (national.to_owned(), 2),
        (format!("0{national}"), 0),
    ]) {
        let fields = json!({ "source_addr": address, "source_addr_ton": ton, "short_message": "*999#" });
        gateway.deliver(fields, &info(PSSR_INDICATION, session, 0));
        let screen = gateway.screen().await;
        assert_eq!(
            (op(&screen), &screen["to"], &screen["to_ton"]),
            (json!(USSR_REQUEST), &json!(address), &json!(ton))
        );
    }
    gateway.deliver(json!({ "source_addr": "", "short_message": "*999#" }), &info(PSSR_INDICATION, 40, 0));
    assert_eq!(op(&gateway.screen().await), PSSR_RESPONSE, "nobody can be served, and the session ends");
}

#[tokio::test]
async fn sessions_may_end_with_a_notification() {
    let mut gateway = Gateway::with(|config| config.ussd.end_with_notify = true).await;
    let tlvs = info(PSSR_INDICATION, 1, 0);
    gateway.send(DAVE, "*999*0*1*482913#", &tlvs);
    assert_eq!(op(&gateway.screen().await), USSN_REQUEST);
    // Its confirmation wants nothing.
    gateway.send(DAVE, "", &info(19, 1, 2));
    assert_eq!(gateway.smsc.answer("ussd").await["status"], 0);
    gateway.smsc.order(&json!({ "do": "enquire_link", "tag": "alive" }));
    gateway.smsc.answer("alive").await;
    assert_eq!(gateway.smsc.heard("submit").await, 0);
}

#[tokio::test]
async fn the_phone_hangs_up_and_vendors_say_things() {
    let mut gateway = Gateway::new().await;
    gateway.talk(DAVE, 5, &["*999#", "1"]).await;
    gateway.send(DAVE, "", &json!([["ussd_service_op", USSR_CONFIRM], ["its_session_info", "0505"]]));
    assert_eq!(gateway.smsc.answer("ussd").await["status"], 0);
    gateway.send(DAVE, "?", &json!([["ussd_service_op", 200], ["its_session_info", "0600"]]));
    assert_eq!(gateway.smsc.answer("ussd").await["status"], 0);
    gateway.smsc.order(&json!({ "do": "enquire_link", "tag": "alive" }));
    gateway.smsc.answer("alive").await;
    assert_eq!(gateway.smsc.heard("submit").await, 0, "nobody is there to read");
}

#[tokio::test]
async fn a_screen_cut_off_with_the_link_is_not_paid_twice() {
    let mut gateway = Gateway::new().await;
    let gift = "*999*300*01933334444*482913#";
    gateway.smsc.order(&json!({ "do": "rules", "rules": [{ "times": 1, "cut": { "at": 10, "then": "close" } }] }));
    gateway.send(DAVE, gift, &info(PSSR_INDICATION, 5, 0));
    let lost = gateway.screen().await;
    gateway.bind.until_binds(2).await;
    gateway.send(DAVE, gift, &info(PSSR_INDICATION, 5, 0));
    let again = gateway.screen().await;
    assert_eq!(lost["text"], again["text"], "the same verdict, the same receipt");
    assert_eq!(gateway.fake.given().len(), 1);
}
