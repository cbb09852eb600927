//! Every octet that the edge sends, read by `tshark`: no malformed frame, and the fields that were meant.

use serde_json::{Value, json};

use crate::fake::{ALICE, BOB, DAVE};
use crate::peers::Smsc;
use crate::peers_rig::{PASSWORD, SOURCE, at, sms};
use crate::peers_tap::{Capture, Tap};
use crate::peers_ussd::{Gateway, PSSR_INDICATION, USSR_CONFIRM, info};

const BIND_TRANSCEIVER: &str = "0x00000009";
const SUBMIT_SM: &str = "0x00000004";
const DELIVER_SM_RESP: &str = "0x80000005";
const ENQUIRE_LINK: &str = "0x00000015";
const ENQUIRE_LINK_RESP: &str = "0x80000015";
const UNBIND: &str = "0x00000006";
const GENERIC_NACK: &str = "0x80000000";

/// What of each PDU is looked at.
const FIELDS: [&str; 20] = [
    "smpp.command_id",
    "smpp.command_status",
    "smpp.system_id",
    "smpp.password",
    "smpp.system_type",
    "smpp.interface_version",
    "smpp.source_addr",
    "smpp.source_addr_ton",
    "smpp.destination_addr",
    "smpp.dest_addr_ton",
    "smpp.dest_addr_npi",
    "smpp.data_coding",
    "smpp.regdel.receipt",
    "smpp.sm_length",
    "smpp.user_message_reference",
    "smpp.ussd_service_op",
    "smpp.its_session.number",
    "smpp.its_session.sequence",
    "smpp.its_session.ind",
    "smpp.service_type",
];

#[tokio::test]
async fn tshark_reads_all_that_we_send() {
    let smsc = Smsc::npm(json!({ "rules": [{ "to": BOB, "receipt": { "copies": 2 } }] })).await;
    let tap = Tap::before(([127, 0, 0, 1], smsc.port).into()).await;
    let gateway = Gateway::through(smsc, &at(tap.port), |config| {
        config.enquire_link_s = 1;
        config.system_type = String::from("gifts");
    })
    .await;
    say_everything(gateway).await;

    let capture = tap.ours();
    assert_eq!(capture.wrong(), "");
    let pdus = capture.fields(&FIELDS);
    let of = |command: &str| pdus.iter().filter(|pdu| pdu["smpp.command_id"] == command).collect::<Vec<_>>();
    let known = [BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM_RESP, ENQUIRE_LINK, ENQUIRE_LINK_RESP, UNBIND, GENERIC_NACK];
    assert_eq!(known.iter().map(|command| of(command).len()).sum::<usize>(), pdus.len(), "{pdus:#?}");

    let [bind] = of(BIND_TRANSCEIVER)[..] else { panic!("one bind") };
    assert_eq!(text(bind, "smpp.system_id"), "sonmul");
    assert_eq!(text(bind, "smpp.password"), PASSWORD);
    assert_eq!(text(bind, "smpp.system_type"), "gifts");
    assert_eq!(text(bind, "smpp.interface_version"), "52");
    let submits = of(SUBMIT_SM);
    let (messages, screens) = submits.split_at(4);
    they_are_the_messages(messages);
    they_are_the_screens(screens);
    assert!(of(DELIVER_SM_RESP).iter().all(|answer| text(answer, "smpp.command_status") == "0x00000000"));
    assert_eq!(text(of(GENERIC_NACK)[0], "smpp.command_status"), "0x00000003");
    assert_eq!((of(UNBIND).len(), of(ENQUIRE_LINK_RESP).len()), (1, 1));
    assert!(!of(ENQUIRE_LINK).is_empty());
}

/// Four messages, two dialogues, signs of life both ways, a nack and a goodbye.
async fn say_everything(mut gateway: Gateway) {
    for text in ["Gift of 500 won: @€", "500원을 보냈습니다", &"a".repeat(160), &"원".repeat(70)] {
        let mut sms = sms(text);
        sms.validity_s = Some(90_061);
        gateway.bind.submit(&sms).await.expect("taken");
        gateway.smsc.submit().await;
        for _ in 0..2 {
            gateway.bind.receipt().await;
            assert_eq!(gateway.smsc.answer("receipt").await["status"], 0);
        }
    }
    for (sequence, op, text) in [(0, PSSR_INDICATION, "*999#"), (2, USSR_CONFIRM, "1"), (4, USSR_CONFIRM, "00")] {
        gateway.send(DAVE, text, &info(op, 0x2a, sequence));
        gateway.screen().await;
    }
    gateway.send(ALICE, "*999*0*1*482913#", &info(PSSR_INDICATION, 0x2b, 0));
    gateway.screen().await;
    gateway.smsc.order(&json!({ "do": "enquire_link", "tag": "alive" }));
    gateway.smsc.answer("alive").await;
    gateway.smsc.order(&json!({ "do": "raw", "hex": "000000100000007f0000000000000063" }));
    gateway.smsc.event_where("a nack", |event| event["command"] == "generic_nack").await;
    gateway.smsc.event("enquire_link").await;
    gateway.bind.running.stop().await;
    gateway.smsc.event("closed").await;
}

fn text(pdu: &Value, field: &str) -> String {
    pdu[field].as_str().unwrap_or_default().to_owned()
}

fn row(pdu: &Value, fields: &[&str]) -> String {
    fields.iter().map(|field| text(pdu, field)).collect::<Vec<_>>().join(" ")
}

fn they_are_the_messages(messages: &[&Value]) {
    let addresses = [
        "smpp.source_addr",
        "smpp.source_addr_ton",
        "smpp.destination_addr",
        "smpp.dest_addr_ton",
        "smpp.dest_addr_npi",
    ];
    for (message, (data_coding, sm_length)) in
        messages.iter().zip([("0x00", "20"), ("0x08", "22"), ("0x00", "160"), ("0x08", "140")])
    {
        assert_eq!(row(message, &addresses), format!("{SOURCE} 0x05 {BOB} 0x01 0x01"));
        assert_eq!(row(message, &["smpp.data_coding", "smpp.sm_length"]), format!("{data_coding} {sm_length}"));
        assert_eq!(row(message, &["smpp.user_message_reference", "smpp.regdel.receipt"]), "0x1234 0x01");
    }
}

fn they_are_the_screens(screens: &[&Value]) {
    let session =
        ["smpp.ussd_service_op", "smpp.its_session.number", "smpp.its_session.sequence", "smpp.its_session.ind"];
    let rows: Vec<String> = screens.iter().map(|screen| row(screen, &session)).collect();
    assert_eq!(rows, ["2 42 0x01 0x00", "2 42 0x03 0x00", "17 42 0x05 0x01", "17 43 0x01 0x01"]);
    for screen in screens {
        assert_eq!(row(screen, &["smpp.service_type", "smpp.source_addr"]), "USSD 999");
    }
    assert_eq!(text(screens[3], "smpp.data_coding"), "0x08", "Alice reads Korean");
}

/// The check above can fail.
#[test]
fn tshark_tells_what_is_wrong() {
    // A submit_sm that ends in its addresses; and one parameter longer than the PDU after a message that is whole.
    let cut = b"\0\0\0\x14\0\0\0\x04\0\0\0\0\0\0\0\x01\0\x05\0K";
    let long = b"\0\0\0\x2a\0\0\0\x04\0\0\0\0\0\0\0\x01\0\x05\0K\0\x01\x018501\0\0\0\0\0\0\x01\0\0\0\0\x02\x04\0\x09";
    for octets in [&cut[..], &long[..]] {
        let len = u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]);
        assert_eq!(usize::try_from(len), Ok(octets.len()));
        assert_ne!(Capture::of(octets).wrong(), "", "{octets:?}");
    }
}
