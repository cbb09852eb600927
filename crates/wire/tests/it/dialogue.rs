//! The dialogue captured from OsmoHLR 1.5.0, frame by frame. The capture gives the first and third whole; of the second and
//! fourth, which are ours, it gives the head, the lengths and the first octets of the text.

use wire::ber;
use wire::gsup::{Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{Extension, extension_frame, take_frame};
use wire::ss::{Component, Operation, Ussd};
use wire::text;

use crate::{hex, to_hex};

const HEAD: &str = "0108 09710000000000f1 3004 6e0a6235 3101";

/// Builds a frame of ours around a component.
fn ours(session_state: SessionState, component: Component<'_>) -> Vec<u8> {
    let ss_info = component.encode().expect("short");
    let imsi = Imsi::parse("901700000000001").expect("an IMSI");
    let message = ProcSs {
        kind: Kind::Result,
        imsi,
        cause: None,
        class: None,
        session_id: 0x6E0A_6235,
        session_state,
        ss_info: Some(&ss_info),
    };
    extension_frame(Extension::Gsup, &message.encode().expect("fits")).expect("fits")
}

/// Tags and lengths of BER from the outside in: `tag len`, and in brackets what is inside of constructed ones.
fn structure(octets: &[u8]) -> String {
    let mut shown = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (tlv, after) = ber::take(rest).expect("whole");
        assert_eq!(rest.len() - after.len(), 2 + tlv.value.len(), "short form");
        let inner = if tlv.tag & 0x20 == 0 { String::new() } else { format!("[{}]", structure(tlv.value)) };
        shown.push(format!("{:02x} {}{inner}", tlv.tag, tlv.value.len()));
        rest = after;
    }
    shown.join(", ")
}

/// What the frame holds when it is taken apart again.
fn opened(frame: &[u8]) -> (SessionState, String, String) {
    let Ok(Some((taken, []))) = take_frame(frame) else { panic!("not one frame") };
    let Some((Extension::Gsup, body)) = taken.extension() else { panic!("not GSUP") };
    let message = ProcSs::parse(body).expect("whole");
    assert_eq!(message.imsi.as_str(), "901700000000001");
    let info = message.ss_info.expect("a component");
    let ussd = match Component::parse(info).expect("whole") {
        Component::Invoke { ussd, .. } | Component::ReturnResult { outcome: Some((_, Some(ussd))), .. } => ussd,
        other => panic!("{other:?}"),
    };
    (message.session_state, structure(info), ussd.text().expect("text"))
}

#[test]
fn frames_1_and_3_from_the_phone() {
    let begin = hex(&format!("002b ee05 20 {HEAD}01 3514 a112020101 02013b300a04010f0405aa5c2e3702"));
    let structure = "a1 18[02 1, 02 1, 30 10[04 1, 04 5]]";
    assert_eq!(opened(&begin), (SessionState::Begin, structure.to_owned(), "*999#".to_owned()));
    let answer = hex(&format!("0029 ee05 20 {HEAD}02 3512 a210020101300b 02013c300604010f040131"));
    let structure = "a2 16[02 1, 30 11[02 1, 30 6[04 1, 04 1]]]";
    assert_eq!(opened(&answer), (SessionState::Continue, structure.to_owned(), "1".to_owned()));
    for whole in [begin, answer] {
        for len in 0..whole.len() {
            assert_eq!(take_frame(&whole[..len]), Ok(None), "cut to {len}");
        }
    }
}

#[test]
fn frames_2_and_4_from_us() {
    let menu = text::encode("Menu 1: balance 2: give a gi");
    let ask = Operation::UnstructuredSsRequest;
    let prompt =
        ours(SessionState::Continue, Component::Invoke { invoke_id: 1, operation: ask, ussd: Ussd::of(&menu) });
    let captured = hex(&format!("003f ee05 22 {HEAD}02 3528 a126020101 02013c301e04010f0419cdb2bb0e"));
    assert!(prompt.starts_with(&captured), "{}", to_hex(&prompt));
    assert_eq!(prompt.len(), 3 + 0x3F);
    let structure = "a1 38[02 1, 02 1, 30 30[04 1, 04 25]]";
    let text = "Menu 1: balance 2: give a gi".to_owned();
    assert_eq!(opened(&prompt), (SessionState::Continue, structure.to_owned(), text));

    let last = text::encode("You chose 1");
    let process = Operation::ProcessUnstructuredSsRequest;
    let outcome = Some((process, Some(Ussd::of(&last))));
    let end = ours(SessionState::End, Component::ReturnResult { invoke_id: 1, outcome });
    let captured = hex(&format!("0032 ee05 22 {HEAD}03 351b a219020101301402013b300f04010f040ad977"));
    assert!(end.starts_with(&captured), "{}", to_hex(&end));
    assert_eq!(end.len(), 3 + 0x32);
    let structure = "a2 25[02 1, 30 20[02 1, 30 15[04 1, 04 10]]]";
    assert_eq!(opened(&end), (SessionState::End, structure.to_owned(), "You chose 1".to_owned()));
}

/// The longest screens that this peer shows: every length in short form, in frames of the same shape.
#[test]
fn the_longest_screens_behind_osmohlr() {
    for text in ["a".repeat(128), "전".repeat(56)] {
        let encoded = text::encode(&text);
        let outcome = Some((Operation::ProcessUnstructuredSsRequest, Some(Ussd::of(&encoded))));
        let frame = ours(SessionState::End, Component::ReturnResult { invoke_id: -1, outcome });
        let structure = "a2 127[02 1, 30 122[02 1, 30 117[04 1, 04 112]]]";
        assert_eq!(opened(&frame), (SessionState::End, structure.to_owned(), text));
    }
}
