//! SMS and their receipts at npm `smpp`: texts, ids, refusals, throttling, the window.

use std::collections::HashSet;

use edges::esme::{State, SubmitFault};
use serde_json::json;
use tokio::task::JoinSet;

use crate::fake::{BOB, CAROL, msisdn};
use crate::peers::{Smsc, tlv};
use crate::peers_rig::{Bind, SOURCE, at, config, sms, sms_to, submit_until_taken};

const KOREAN: &str = "850191…678 님이 500원을 보냈습니다. 생일 축하합니다!";
/// Every letter of GSM 7-bit's extension table that npm `smpp` knows, and those of the basic table that ASCII has elsewhere.
const GSM7: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà ^{}\\[~]|€ 500!";

#[tokio::test]
async fn texts_are_read_there_as_they_were_written_here() {
    let mut smsc = Smsc::npm(json!({ "bind": { "password": "s3cr3tpw", "system_id": "sonmul" } })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    let bound = smsc.event("bind").await;
    assert_eq!(
        (&bound["mode"], &bound["refused"], &bound["interface_version"]),
        (&json!("bind_transceiver"), &json!(null), &json!(0x34))
    );

    for (text, data_coding) in
        [("Gift of 500 won.", 0), (GSM7, 0), (KOREAN, 8), (&"원".repeat(70), 8), (&"a".repeat(160), 0)]
    {
        bind.submit(&sms(text)).await.expect("taken");
        let submit = smsc.submit().await;
        assert_eq!(submit["text"], text);
        assert_eq!(submit["data_coding"], data_coding, "{text}");
        assert_eq!((&submit["to"], &submit["to_ton"], &submit["to_npi"]), (&json!(BOB), &json!(1), &json!(1)));
        assert_eq!((&submit["from"], &submit["from_ton"], &submit["from_npi"]), (&json!(SOURCE), &json!(5), &json!(0)));
        assert_eq!((&submit["esm_class"], &submit["registered_delivery"]), (&json!(0), &json!(1)));
        assert_eq!(tlv(&submit, "user_message_reference"), Some(&json!(0x1234)));
    }
    let before_ms = now_ms();
    let mut dated = sms("no receipt, a day");
    (dated.want_receipt, dated.validity_s) = (false, Some(86_400));
    bind.submit(&dated).await.expect("taken");
    let submit = smsc.submit().await;
    assert_eq!(submit["registered_delivery"], 0);
    // The stack adds the relative time to its own clock.
    let validity_ms = submit["validity_ms"].as_i64().expect("a time");
    assert!((86_390_000..86_460_000).contains(&(validity_ms - before_ms)), "{validity_ms} - {before_ms}");
}

/// The clock that npm `smpp` reads, too.
fn now_ms() -> i64 {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let modified = file.as_file().metadata().and_then(|metadata| metadata.modified()).expect("a time");
    let since = modified.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("fits")
}

#[tokio::test]
async fn ids_in_every_form_and_none() {
    let rows = [("decimal", Some("1000000")), ("hex", Some("F4241")), ("empty", None), ("not_implemented", None)];
    let rules = rows.map(|(id, _)| json!({ "id": id, "times": 1 }));
    let smsc = Smsc::npm(json!({ "rules": rules })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    for (id, expected) in rows {
        let submitted = bind.submit(&sms("hi")).await.expect("taken");
        assert_eq!(submitted.message_id.as_deref(), expected, "{id}");
    }
}

#[tokio::test]
async fn receipts_in_every_form_are_tied_to_their_message() {
    use State::{Delivered, Enroute, Expired, Rejected, Undeliverable};
    // What the SMSC does, and what we know then: whether by id, by reference; the state; the error.
    let rows = [
        (json!({ "form": "text" }), "decimal", true, false, Delivered, None),
        (
            json!({ "form": "text", "date": "YYMMDDhhmm", "err": "011", "stat": "UNDELIV" }),
            "decimal",
            true,
            false,
            Undeliverable,
            Some("011"),
        ),
        (json!({ "form": "tlv" }), "decimal", true, true, Delivered, None),
        (json!({ "form": "both", "reversed": true, "vendor": true }), "decimal", true, true, Delivered, None),
        (json!({ "form": "text", "id": "decimal" }), "hex", true, false, Delivered, None),
        (json!({ "form": "text", "id": "hex" }), "decimal", true, false, Delivered, None),
        (json!({ "form": "tlv", "id": "decimal", "stat": "REJECTD" }), "hex", true, true, Rejected, None),
        (json!({ "form": "reference" }), "not_implemented", false, true, Delivered, None),
        (json!({ "form": "reference", "stat": "EXPIRED" }), "empty", false, true, Expired, None),
        (json!({ "form": "text", "before": true }), "decimal", true, false, Delivered, None),
        (json!({ "form": "text", "after_ms": 300 }), "decimal", true, false, Delivered, None),
        (json!({ "form": "text", "payload": true }), "decimal", true, false, Delivered, None),
        (json!({ "form": "text", "stat": "ENROUTE" }), "decimal", true, false, Enroute, None),
        (
            json!({ "form": "text", "service_type": "CMT", "stat": "REJECTD", "err": "ABC" }),
            "decimal",
            true,
            false,
            Rejected,
            Some("ABC"),
        ),
    ];
    let rules: Vec<_> = rows.iter().map(|(how, id, ..)| json!({ "id": id, "receipt": how, "times": 1 })).collect();
    let mut smsc = Smsc::npm(json!({ "rules": rules })).await;
    let mut bind = Bind::bound(config(at(smsc.port))).await;
    for (how, id, by_id, by_reference, state, error) in rows {
        let submitted = bind.submit(&sms("hi")).await.expect("taken");
        let receipt = bind.receipt().await;
        let same = match (&submitted.message_id, &receipt.message_id) {
            (Some(answered), Some(received)) => readings(answered).iter().any(|id| readings(received).contains(id)),
            _ => false,
        };
        assert_eq!(same, by_id, "{how} {id}: {submitted:?} {receipt:?}");
        let same = receipt.reference.is_some_and(|received| [0x1234, 0x34].contains(&received));
        assert_eq!(same, by_reference, "{how}: {receipt:?}");
        assert_eq!((receipt.state, receipt.error.as_deref()), (state, error), "{how}");
        assert_eq!(receipt.of, Some(msisdn(BOB)), "{how}");
        assert_eq!(smsc.answer("receipt").await["status"], 0, "{how}");
    }
}

#[tokio::test]
async fn a_receipt_twice_is_taken_twice_and_one_put_off_is_asked_for_again() {
    let mut smsc = Smsc::npm(json!({ "rules": [{ "receipt": { "copies": 2 } }] })).await;
    let mut bind = Bind::bound(config(at(smsc.port))).await;
    bind.submit(&sms("hi")).await.expect("taken");
    assert_eq!(bind.receipt().await, bind.receipt().await);
    for _ in 0..2 {
        assert_eq!(smsc.answer("receipt").await["status"], 0);
    }
    bind.put_off(1);
    bind.submit(&sms("hi")).await.expect("taken");
    let statuses: HashSet<_> = [smsc.answer("receipt").await, smsc.answer("receipt").await]
        .map(|answer| answer["status"].as_u64().expect("a status"))
        .into();
    // ESME_RX_T_APPN: the SMSC is to deliver it again; the other copy was kept.
    assert_eq!(statuses, HashSet::from([0, 0x64]));
    bind.receipt().await;
    assert_eq!(bind.esme.status().counts().put_off, 1);
}

#[tokio::test]
async fn refusals_for_good_for_now_and_unknown_ones() {
    let rows = [
        ("ESME_RINVDSTADR", SubmitFault::Permanent { status: 0x0B }),
        ("ESME_RINVSRCADR", SubmitFault::Permanent { status: 0x0A }),
        ("ESME_RINVMSGLEN", SubmitFault::Permanent { status: 0x01 }),
        ("ESME_RSYSERR", SubmitFault::Temporary { status: 0x08 }),
        ("ESME_RSUBMITFAIL", SubmitFault::Temporary { status: 0x45 }),
        ("ESME_RUNKNOWNERR", SubmitFault::Temporary { status: 0xFF }),
    ];
    let rules: Vec<_> = rows.iter().map(|(status, _)| json!({ "status": status, "times": 1 })).collect();
    let smsc = Smsc::npm(json!({ "rules": rules })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    for (status, fault) in rows {
        assert_eq!(bind.submit(&sms("hi")).await, Err(fault), "{status}");
    }
    bind.submit(&sms("hi")).await.expect("the bind is none the worse");
    assert_eq!(bind.esme.status().counts().binds, 1);
}

#[tokio::test]
async fn slower_slows_the_bind_and_nothing_is_lost() {
    for status in ["ESME_RTHROTTLED", "ESME_RMSGQFUL"] {
        let rules = json!([{ "times": 3 }, { "status": status, "times": 4 }, { "receipt": true }]);
        let mut smsc = Smsc::npm(json!({ "rules": rules })).await;
        let bind = Bind::bound(config(at(smsc.port))).await;
        let mut all = JoinSet::new();
        for number in 0..40 {
            all.spawn(submit_until_taken(bind.esme.clone(), sms(&format!("message {number}"))));
        }
        let ids: Vec<_> = all.join_all().await.into_iter().map(|taken| taken.message_id.expect("an id")).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 40, "every message has an id of its own");
        let counts = bind.esme.status().counts();
        assert_eq!((counts.throttled, counts.accepted, counts.submitted), (4, 40, 44), "{status}");
        let mut read: Vec<String> = Vec::new();
        for _ in 0..44 {
            read.push(smsc.submit().await["text"].as_str().expect("a text").to_owned());
        }
        assert_eq!(read.iter().collect::<HashSet<_>>().len(), 40);
    }
}

#[tokio::test]
async fn never_more_in_flight_than_the_window() {
    let mut smsc = Smsc::npm(json!({ "rules": [{ "hold": true, "times": 10 }, { "delay_ms": 5 }] })).await;
    let bind = Bind::bound(config(at(smsc.port))).await;
    let submits: Vec<_> = (0..60)
        .map(|number| {
            let (esme, sms) = (bind.esme.clone(), sms_to(CAROL, &format!("{number}")));
            tokio::spawn(async move { esme.submit(&sms).await })
        })
        .collect();
    for _ in 0..10 {
        smsc.submit().await;
    }
    // A round trip later there is still no eleventh.
    smsc.order(&json!({ "do": "enquire_link", "tag": "alive" }));
    assert_eq!(smsc.answer("alive").await["command"], "enquire_link_resp");
    let stats = smsc.stats().await;
    assert_eq!((&stats["in_flight"], &stats["submits"]), (&json!(10), &json!(10)));
    assert_eq!((bind.esme.status().in_flight(), bind.esme.status().window()), (10, 10));
    smsc.order(&json!({ "do": "release" }));
    for submit in submits {
        submit.await.expect("no panic").expect("taken");
    }
    let stats = smsc.stats().await;
    assert_eq!((&stats["in_flight_max"], &stats["submits"]), (&json!(10), &json!(60)));
}

#[tokio::test]
async fn no_answer_is_unknown_and_says_so() {
    let smsc = Smsc::npm(json!({ "rules": [{ "silent": true, "times": 1 }] })).await;
    let mut config = config(at(smsc.port));
    config.response_within_ms = 500;
    let bind = Bind::bound(config).await;
    assert_eq!(bind.submit(&sms("hi")).await, Err(SubmitFault::TimedOut));
    // The SMSC answers enquire_link, so the bind stays.
    bind.submit(&sms("hi")).await.expect("taken");
    assert_eq!(bind.esme.status().counts().binds, 1);
}

/// What an id may be: some SMSCs answer hexadecimal ones and write decimal ones into receipts.
fn readings(id: &str) -> Vec<u128> {
    [10, 16].into_iter().filter_map(|radix| u128::from_str_radix(id, radix).ok()).collect()
}
