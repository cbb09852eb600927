//! The same edge at two more stacks: PyPI `smpp34`, and Debian's OsmoMSC, the SMSC of small GSM networks.

use edges::esme::{State, SubmitFault};
use serde_json::json;

use crate::fake::{BOB, CAROL, DAVE, msisdn};
use crate::peers::{OsmoMsc, Smsc, tlv};
use crate::peers_rig::{Bind, SOURCE, at, config, sms, sms_to};

#[tokio::test]
async fn smpp34_reads_what_we_write_and_we_read_its_receipts() {
    let rules = json!([{ "to": CAROL, "status": "ESME_RTHROTTLED" }, { "to": DAVE, "receipt": "tlv" }, { "receipt": "text", "id": "abc-%d" }]);
    let mut smsc = Smsc::smpp34(json!({ "rules": rules })).await;
    let mut config = config(at(smsc.port));
    config.enquire_link_s = 1;
    let mut bind = Bind::bound(config).await;
    let bound = smsc.event("bind").await;
    assert_eq!((&bound["system_id"], &bound["can_receive"]), (&json!("sonmul"), &json!(true)));

    for (to, text, read, data_coding) in [
        (BOB, "Gift of 500 won.", "Gift of 500 won.", 0),
        (DAVE, "500원을 보냈습니다", "500원을 보냈습니다", 8),
        (BOB, "a@€_$", "gsm7:61001b651102", 0),
    ] {
        let submitted = bind.submit(&sms_to(to, text)).await.expect("taken");
        let submit = smsc.submit().await;
        assert_eq!((&submit["text"], &submit["data_coding"]), (&json!(read), &json!(data_coding)));
        assert_eq!((&submit["to"], &submit["to_ton"], &submit["to_npi"]), (&json!(to), &json!(1), &json!(1)));
        assert_eq!((&submit["from"], &submit["from_ton"]), (&json!(SOURCE), &json!(5)));
        assert_eq!(submit["registered_delivery"], 1);
        assert_eq!(tlv(&submit, "user_message_reference"), Some(&json!("1234")));
        let receipt = bind.receipt().await;
        assert_eq!(
            (receipt.message_id, receipt.state, receipt.of),
            (submitted.message_id, State::Delivered, Some(msisdn(to)))
        );
        assert_eq!(smsc.answer("receipt").await["status"], 0);
    }
    assert!(matches!(bind.submit(&sms_to(CAROL, "hi")).await, Err(SubmitFault::Throttled { .. })));

    // Idle for long enough that the line is tried, and it answers.
    let idle = bind.esme.status().counts();
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(bind.esme.status().counts(), idle, "neither lost nor bound again");

    smsc.order(&json!({ "do": "unbind" }));
    smsc.event("closed").await;
    bind.until_binds(2).await;
    bind.submit(&sms("hi")).await.expect("taken");
}

#[tokio::test]
async fn osmomsc_binds_us_gives_no_ids_and_keeps_our_letters() {
    let msc = OsmoMsc::start().await;
    let mut wrong = config(msc.address);
    wrong.password = edges::esme::Secret::new(zeroize::Zeroizing::new(String::from("another")));
    let refused = Bind::start(wrong);
    refused.trouble(&["ESME_RINVPASWD"]).await;
    drop(refused);

    let mut config = config(msc.address);
    config.enquire_link_s = 1;
    let bind = Bind::bound(config).await;
    for text in ["Gift of 500 won.", "500원"] {
        let submitted =
            bind.submit(&sms(text)).await.expect("taken: it keeps messages for phones that it has never seen");
        assert_eq!(submitted.message_id, None, "msg_id_not_implemented is no id");
    }
    // What it understood is what it keeps; of the reference it keeps eight bits.
    let kept = msc.kept("dest_addr, data_coding_scheme, msg_ref, status_rep_req, hex(user_data)");
    let octets = "500원".encode_utf16().map(|unit| format!("{unit:04X}")).collect::<String>();
    assert!(kept.starts_with(&format!("{BOB}|0|52|1|")) && kept.contains(&format!("{BOB}|8|52|1|{octets}")), "{kept}");
    let idle = bind.esme.status().counts();
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(bind.esme.status().counts(), idle, "neither lost nor bound again");
    let log = msc.log();
    assert!(log.contains("[sonmul] Rx BIND Trx (Version 34)"), "{log}");
    assert!(log.contains(&format!("[sonmul] Rx SUBMIT-SM ({BOB}/1/1)")), "{log}");
}
