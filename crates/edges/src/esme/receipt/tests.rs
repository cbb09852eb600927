use super::{Receipt, State, message_id, parse};
use crate::esme::delivery::tests::{body, tlv};
use domain::number::Msisdn;
use proptest::prelude::{any, proptest};

fn text_receipt(text: &str) -> Option<Receipt> {
    parse(&body("8501921112222", "999", 0x04, 0, text.as_bytes(), &[]))
}

#[test]
fn the_standards_text() {
    let receipt = text_receipt(
        "id:0123456789 sub:001 dlvrd:001 submit date:2611221405 done date:2611221406 stat:DELIVRD err:000 text:You got 500",
    );
    let expected = Receipt {
        message_id: Some(String::from("0123456789")),
        reference: None,
        of: Msisdn::parse("8501921112222").ok(),
        state: State::Delivered,
        error: None,
    };
    assert_eq!(receipt, Some(expected));
}

#[test]
fn texts_of_many_smscs() {
    for (text, id, state, error) in [
        (
            "id:a1 sub:001 dlvrd:000 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:UNDELIV err:034 text:",
            "a1",
            State::Undeliverable,
            Some("034"),
        ),
        ("id:7 stat:EXPIRED", "7", State::Expired, None),
        ("id: 7 stat: DELETED err: 1a", "7", State::Deleted, Some("1a")),
        ("ID:7 STAT:ACCEPTD", "7", State::Accepted, None),
        ("id:7 stat:Rejected Err:8", "7", State::Rejected, Some("8")),
        ("stat:ENROUTE id:7", "7", State::Enroute, None),
        ("id:7 stat:UNKNOWN", "7", State::Unknown, None),
        ("id:7 stat:FAILED", "7", State::Undeliverable, None),
        ("id:7 stat:?", "7", State::Unknown, None),
        ("id:7 stat:DELIVRD text:id:8 stat:UNDELIV", "7", State::Delivered, None),
    ] {
        let receipt = text_receipt(text).expect(text);
        assert_eq!(
            (receipt.message_id.as_deref(), receipt.state, receipt.error.as_deref()),
            (Some(id), state, error),
            "{text}"
        );
    }
}

#[test]
fn missing_fields_are_unknown() {
    for text in ["", "stat:", "id:", "something else", "text:id:7 stat:DELIVRD"] {
        let receipt = text_receipt(text).expect("esm_class says so");
        assert_eq!((receipt.message_id, receipt.state), (None, State::Unknown), "{text}");
    }
    let receipt = text_receipt("id:msg_id_not_implemented stat:DELIVRD").expect("a receipt");
    assert_eq!((receipt.message_id, receipt.state), (None, State::Delivered));
}

#[test]
fn parameters_go_first_in_any_order() {
    let parameters = [
        tlv(0x0204, &[0x01, 0x02]),
        tlv(0x0427, &[5]),
        tlv(0x1400, b"vendor"),
        tlv(0x0423, &[3, 0, 34]),
        tlv(0x001E, b"ab12\0"),
    ];
    let expected = Receipt {
        message_id: Some(String::from("ab12")),
        reference: Some(0x0102),
        of: Msisdn::parse("8501921112222").ok(),
        state: State::Undeliverable,
        error: Some(String::from("3/34")),
    };
    for turn in 0..parameters.len() {
        let mut parameters = parameters.clone();
        parameters.rotate_left(turn);
        let octets = body("+8501921112222", "999", 0x00, 0, b"id:9 stat:DELIVRD", &parameters);
        assert_eq!(parse(&octets).as_ref(), Some(&expected), "{turn}");
    }
}

#[test]
fn known_without_esm_class() {
    let by = |text: &[u8], parameters: &[Vec<u8>]| parse(&body("1", "2", 0, 0, text, parameters));
    assert!(by(b"hello", &[]).is_none());
    assert!(by(b"id:7", &[]).is_none(), "somebody's own words");
    assert!(by(b"id:7 stat:DELIVRD", &[]).is_some());
    assert!(by(b"", &[tlv(0x001E, b"7")]).is_some(), "without its NUL");
    assert_eq!(by(b"", &[tlv(0x0427, &[2])]).map(|receipt| receipt.state), Some(State::Delivered));
    assert!(by(b"", &[tlv(0x0427, &[])]).is_none());
    let fine = by(b"", &[tlv(0x0427, &[2]), tlv(0x0423, &[3, 0, 0])]).expect("a receipt");
    assert_eq!(fine.error, None, "an error of zero is none");
    let payload = by(b"", &[tlv(0x0424, b"id:7 stat:DELIVRD")]).expect("in message_payload");
    assert_eq!(payload.message_id.as_deref(), Some("7"));
    assert_eq!(payload.of, None, "no international number");
}

#[test]
fn a_text_in_ucs2() {
    let wide: Vec<u8> = "id:7 stat:EXPIRED".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let receipt = parse(&body("1", "2", 0x04, 8, &wide, &[])).expect("a receipt");
    assert_eq!((receipt.message_id.as_deref(), receipt.state), (Some("7"), State::Expired));
}

#[test]
fn ids_that_are_none() {
    for id in [&b""[..], b"\0", b"msg_id_not_implemented\0", b" ", b"a b", b"\x80\x81", &[b'1'; 65]] {
        assert_eq!(message_id(id), None, "{id:?}");
    }
    assert_eq!(message_id(b"7\0rest").as_deref(), Some("7"));
}

proptest! {
    #[test]
    fn no_octets_panic(octets in any::<Vec<u8>>()) {
        let _ = parse(&octets);
        let _ = message_id(&octets);
    }

    #[test]
    fn no_text_panics(text in "(id|stat|err|text)?:? ?[ -~]{0,40}", class in any::<u8>(), coding in any::<u8>()) {
        let _ = parse(&body("850191", "1", class, coding, text.as_bytes(), &[]));
    }
}
