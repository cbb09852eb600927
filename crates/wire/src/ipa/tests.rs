use super::{
    Ccm, CcmError, Extension, FRAME_LEN_MAX, Frame, FrameError, NAME_LEN_MAX, NameError, PROTOCOL_CCM, PROTOCOL_OSMO,
    extension_frame, frame, id_ack, id_get, id_response, ping, pong, take_frame,
};
use crate::testing::{hex, to_hex};
use proptest::prelude::{any, proptest};

/// What OsmoHLR 1.5.0 asks.
const ASKED: &str = "0401080107010201030104010501010100";

#[test]
fn a_frame_comes_off_when_it_is_whole() {
    let octets = hex("0002 ee 0541 0001");
    for len in 0..5 {
        assert_eq!(take_frame(&octets[..len]), Ok(None), "{len}");
    }
    let taken = take_frame(&octets);
    assert_eq!(taken, Ok(Some((Frame { protocol: PROTOCOL_OSMO, payload: &[5, 0x41] }, &[0, 1][..]))));
    let extension = taken.ok().flatten().and_then(|(frame, _)| frame.extension());
    assert_eq!(extension, Some((Extension::Gsup, &[0x41][..])));
}

#[test]
fn a_frame_without_extension() {
    assert_eq!(Frame { protocol: PROTOCOL_CCM, payload: &[5] }.extension(), None);
    assert_eq!(Frame { protocol: PROTOCOL_OSMO, payload: &[] }.extension(), None);
    assert_eq!(Frame { protocol: PROTOCOL_OSMO, payload: &[3] }.extension(), None);
    assert_eq!(Frame { protocol: PROTOCOL_OSMO, payload: &[0] }.extension(), Some((Extension::Ctrl, &[][..])));
}

#[test]
fn a_frame_has_a_limit_in_both_directions() {
    assert_eq!(take_frame(&hex("1001ee")), Err(FrameError::TooLong { len: FRAME_LEN_MAX + 1 }));
    assert_eq!(take_frame(&hex("1000ee")), Ok(None));
    assert!(frame(PROTOCOL_OSMO, &[0; FRAME_LEN_MAX]).is_ok());
    assert_eq!(frame(PROTOCOL_OSMO, &[0; FRAME_LEN_MAX + 1]), Err(FrameError::TooLong { len: FRAME_LEN_MAX + 1 }));
    assert_eq!(
        extension_frame(Extension::Gsup, &[0; FRAME_LEN_MAX]),
        Err(FrameError::TooLong { len: FRAME_LEN_MAX + 1 })
    );
}

#[test]
fn the_identity_that_an_hlr_asks_for() {
    let payload = hex(ASKED);
    let Ok(Ccm::IdGet(get)) = Ccm::parse(&payload) else { panic!("not an ID_GET") };
    assert_eq!(get.tags().collect::<Vec<_>>(), [8, 7, 2, 3, 4, 5, 1, 0]);
    assert_eq!(to_hex(&id_get([8, 7, 2, 3, 4, 5, 1, 0])), format!("0011fe{ASKED}"));
}

#[test]
fn the_identity_that_we_give() {
    let built = id_response("EUSE-airtime");
    let expected = "001a fe 05 0007 08 302f302f3000 000e 00 455553452d616972 74696d6500".replace(' ', "");
    assert_eq!(built.as_deref().map(to_hex), Ok(expected));
    let octets = built.unwrap_or_default();
    let Ok(Some((frame, []))) = take_frame(&octets) else { panic!("not one frame") };
    let Ok(Ccm::IdResponse(response)) = Ccm::parse(frame.payload) else { panic!("not an ID_RESP") };
    let items: Vec<_> = response.items().map(|item| (item.tag, item.value)).collect();
    assert_eq!(items, [(8, &b"0/0/0"[..]), (0, &b"EUSE-airtime"[..])]);
}

#[test]
fn names_that_would_not_route() {
    assert_eq!(id_response(""), Err(NameError::Length));
    assert_eq!(id_response(&"x".repeat(NAME_LEN_MAX + 1)), Err(NameError::Length));
    assert!(id_response(&"x".repeat(NAME_LEN_MAX)).is_ok());
    assert_eq!(id_response("EUSE-air\0time"), Err(NameError::NotPrintable));
    assert_eq!(id_response("EUSE air"), Err(NameError::NotPrintable));
    assert_eq!(id_response("EUSE-전화"), Err(NameError::NotPrintable));
}

#[test]
fn the_short_messages() {
    for (octets, message) in [(ping(), Ccm::Ping), (pong(), Ccm::Pong), (id_ack(), Ccm::IdAck)] {
        let Ok(Some((frame, []))) = take_frame(&octets) else { panic!("not one frame") };
        assert_eq!(frame.protocol, PROTOCOL_CCM);
        assert_eq!(Ccm::parse(frame.payload), Ok(message));
    }
}

#[test]
fn messages_that_can_not_be_read() {
    let table = [
        ("", CcmError::Empty),
        ("07", CcmError::UnknownType { code: 7 }),
        ("04 0108 02", CcmError::BrokenItem),
        ("04 00", CcmError::BrokenItem),
        ("05 0000", CcmError::BrokenItem),
        ("05 00", CcmError::BrokenItem),
        ("05 0003 0041", CcmError::BrokenItem),
    ];
    for (payload, error) in table {
        assert_eq!(Ccm::parse(&hex(payload)), Err(error), "{payload}");
    }
    assert!(Ccm::parse(&hex(&format!("04{}", "0108".repeat(16)))).is_ok());
    assert_eq!(Ccm::parse(&hex(&format!("04{}", "0108".repeat(17)))), Err(CcmError::TooManyItems));
}

#[test]
fn debug_hides_the_payload() {
    let shown = format!("{:?}", Frame { protocol: 0xEE, payload: b"482913" });
    assert_eq!(shown, "Frame { protocol: 238, payload_len: 6 }");
}

proptest! {
    #[test]
    fn no_octets_panic(octets in any::<Vec<u8>>()) {
        if let Ok(Some((frame, _))) = take_frame(&octets) {
            let _ = (frame.extension(), Ccm::parse(frame.payload));
        }
        match Ccm::parse(&octets) {
            Ok(Ccm::IdGet(get)) => assert!(get.tags().count() <= 16),
            Ok(Ccm::IdResponse(response)) => assert!(response.items().count() <= 16),
            _ => {}
        }
    }

    #[test]
    fn frames_round_trip(protocol in any::<u8>(), payload in any::<Vec<u8>>(), after in any::<Vec<u8>>()) {
        let mut octets = frame(protocol, &payload).unwrap_or_default();
        octets.extend_from_slice(&after);
        assert_eq!(take_frame(&octets), Ok(Some((Frame { protocol, payload: &payload }, &after[..]))));
    }
}
