use super::{ELEMENT_LEN_MAX, Element, GsupError, Kind, ProcSs, SessionState};
use crate::imsi::{Imsi, ImsiError};
use crate::ipa::{Extension, extension_frame, take_frame};
use crate::testing::{hex, to_hex};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

/// The captured dialogue's first frame, from OsmoHLR 1.5.0.
const BEGIN: &str =
    "002b ee05 20 0108 09710000000000f1 3004 6e0a6235 310101 3514 a112020101 02013b300a04010f0405aa5c2e3702";
/// The third.
const ANSWER: &str =
    "0029 ee05 20 0108 09710000000000f1 3004 6e0a6235 310102 3512 a210020101300b 02013c300604010f040131";

#[test]
fn captured_frames_read_and_written_again() {
    let begin = (SessionState::Begin, "a11202010102013b300a04010f0405aa5c2e3702");
    let answer = (SessionState::Continue, "a210020101300b02013c300604010f040131");
    for (text, (session_state, ss_info)) in [(BEGIN, begin), (ANSWER, answer)] {
        let octets = hex(text);
        let (frame, rest) = take_frame(&octets).unwrap().unwrap();
        assert!(rest.is_empty());
        let (extension, body) = frame.extension().unwrap();
        assert_eq!(extension, Extension::Gsup);
        let message = ProcSs::parse(body).unwrap();
        let ss_info = hex(ss_info);
        let expected = ProcSs {
            kind: Kind::Request,
            imsi: Imsi::parse("901700000000001").unwrap(),
            cause: None,
            class: None,
            session_id: 0x6E0A_6235,
            session_state,
            ss_info: Some(&ss_info),
        };
        assert_eq!(message, expected);
        let again = extension_frame(Extension::Gsup, &message.encode().unwrap()).unwrap();
        assert_eq!(to_hex(&again), to_hex(&octets));
    }
}

#[test]
fn an_error_with_cause_and_class() {
    let body = hex("21 0108 09710000000000f1 020102 0a0103 30046e0a6235 310103");
    let message = ProcSs::parse(&body).unwrap();
    assert_eq!(message.kind, Kind::Error);
    assert_eq!((message.cause, message.class, message.ss_info), (Some(2), Some(super::CLASS_USSD), None));
    assert_eq!(message.encode().unwrap(), body);
}

#[test]
fn any_order_and_strangers() {
    let body = hex("20 6003 414200 310101 6100 30046e0a6235 0108 09710000000000f1");
    let message = ProcSs::parse(&body).unwrap();
    assert_eq!((message.session_id, message.session_state), (0x6E0A_6235, SessionState::Begin));
}

#[test]
fn messages_that_can_not_be_read() {
    let whole = "0108 09710000000000f1 30046e0a6235 310101";
    let table = [
        (String::new(), GsupError::Empty),
        ("04".to_owned(), GsupError::UnknownKind { code: 4 }),
        (format!("20{whole}35"), GsupError::Truncated),
        (format!("20{whole}3502a1"), GsupError::Truncated),
        (format!("20{whole}310101"), GsupError::Repeated { element: Element::SessionState }),
        (format!("20{whole}3500 3500"), GsupError::Repeated { element: Element::SsInfo }),
        (format!("20{whole}0200"), GsupError::BadValue { element: Element::Cause }),
        (format!("20{whole}0a020303"), GsupError::BadValue { element: Element::Class }),
        ("20 30036e0a62".to_owned(), GsupError::BadValue { element: Element::SessionId }),
        ("20 310100".to_owned(), GsupError::BadValue { element: Element::SessionState }),
        ("20 310104".to_owned(), GsupError::BadValue { element: Element::SessionState }),
        ("20 0101f1".to_owned(), GsupError::Imsi(ImsiError::Length)),
        ("20 0103aaaaaa".to_owned(), GsupError::Imsi(ImsiError::NotDigit)),
        ("20 30046e0a6235 310101".to_owned(), GsupError::Missing { element: Element::Imsi }),
        ("20 010809710000000000f1 310101".to_owned(), GsupError::Missing { element: Element::SessionId }),
        ("20 010809710000000000f1 30046e0a6235".to_owned(), GsupError::Missing { element: Element::SessionState }),
        (format!("20{whole}{}", "6000".repeat(30)), GsupError::TooManyElements),
    ];
    for (text, error) in table {
        assert_eq!(ProcSs::parse(&hex(&text)), Err(error), "{text}");
    }
    assert!(ProcSs::parse(&hex(&format!("20{whole}{}", "6000".repeat(29)))).is_ok());
}

#[test]
fn a_component_that_does_not_fit() {
    let message = ProcSs {
        kind: Kind::Result,
        imsi: Imsi::parse("901700000000001").unwrap(),
        cause: None,
        class: None,
        session_id: 1,
        session_state: SessionState::End,
        ss_info: Some(&[0; ELEMENT_LEN_MAX + 1]),
    };
    assert_eq!(message.encode(), Err(GsupError::TooLong { len: 256 }));
    assert!(ProcSs { ss_info: Some(&[0; ELEMENT_LEN_MAX]), ..message }.encode().is_ok());
}

#[test]
fn debug_hides_the_component_and_most_of_the_imsi() {
    let octets = hex(BEGIN);
    let shown = format!("{:?}", ProcSs::parse(&octets[4..]).unwrap());
    let expected = "ProcSs { kind: Request, imsi: Imsi(…001), cause: None, session_id: 1846174261, session_state: Begin, \
                    ss_info_len: Some(20), .. }";
    assert_eq!(shown, expected);
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Request), Just(Kind::Error), Just(Kind::Result)]
}

fn any_state() -> impl Strategy<Value = SessionState> {
    prop_oneof![Just(SessionState::Begin), Just(SessionState::Continue), Just(SessionState::End)]
}

proptest! {
    #[test]
    fn round_trip(
        (kind, session_state) in (any_kind(), any_state()),
        digits in "[0-9]{6,15}",
        (cause, class, session_id) in any::<(Option<u8>, Option<u8>, u32)>(),
        ss_info in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=ELEMENT_LEN_MAX)),
    ) {
        let imsi = Imsi::parse(&digits).unwrap();
        let message = ProcSs { kind, imsi, cause, class, session_id, session_state, ss_info: ss_info.as_deref() };
        let body = message.encode().unwrap();
        assert_eq!(ProcSs::parse(&body), Ok(message));
    }

    #[test]
    fn no_octets_panic(octets in any::<Vec<u8>>(), cut in 0usize..50) {
        let _ = ProcSs::parse(&octets);
        let mut body = hex(BEGIN)[4..].to_vec();
        body.truncate(cut);
        body.extend_from_slice(&octets);
        let _ = ProcSs::parse(&body);
    }
}
