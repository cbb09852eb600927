//! What must hold for any octets that reach a decoder of `wire`: it does not panic, it reads what was there, and what it
//! read is written again as the same octets, or as octets that read the same.
//!
//! Included twice: by the fuzz targets, and by `crates/wire/tests/it`, which replays the seeds on every test run.

use wire::ber::{self, BerError, SHORT_LEN_MAX, VALUE_LEN_MAX};
use wire::ctrl::Ctrl;
use wire::dial::{self, FIELDS_MAX, Form};
use wire::gsup::ProcSs;
use wire::imsi::Imsi;
use wire::ipa::{self, Ccm, FRAME_LEN_MAX, FrameError, ID_ITEMS_MAX};
use wire::smpp_ussd::{ItsSessionInfo, UssdServiceOp};
use wire::ss::{Component, Ussd};
use wire::text::{self, Budget, Coding};
use wire::{gsm7, ucs2};

/// The name of a target and of its folder of seeds, and its check.
pub type Check = (&'static str, fn(&[u8]));

/// Every check.
pub const CHECKS: [Check; 12] = [
    ("ipa_frame", ipa_frame),
    ("ipa_ccm", ipa_ccm),
    ("gsup", gsup),
    ("ss_component", ss_component),
    ("ber", ber),
    ("gsm7", gsm7),
    ("ucs2", ucs2),
    ("text_decode", text_decode),
    ("ctrl", ctrl),
    ("dial", dial),
    ("imsi", imsi),
    ("smpp_ussd", smpp_ussd),
];

/// A stream of frames: each is written again as it was, and no frame is taken before its last octet is there.
pub fn ipa_frame(octets: &[u8]) {
    let mut input = octets;
    loop {
        match ipa::take_frame(input) {
            Ok(Some((frame, rest))) => {
                let taken = input.len() - rest.len();
                assert_eq!(ipa::frame(frame.protocol, frame.payload).as_deref(), Ok(&input[..taken]));
                assert_eq!(ipa::take_frame(&input[..taken - 1]), Ok(None));
                if let Some((extension, body)) = frame.extension() {
                    assert_eq!(ipa::extension_frame(extension, body).as_deref(), Ok(&input[..taken]));
                }
                input = rest;
            }
            Ok(None) => {
                let announced = input.first_chunk::<2>().map(|len| usize::from(u16::from_be_bytes(*len)));
                assert!(announced.is_none_or(|len| input.len() < 3 + len));
                return;
            }
            Err(FrameError::TooLong { len }) => return assert!(FRAME_LEN_MAX < len),
        }
    }
}

/// Connection management: items are bounded and lie in the payload; our own identity reads as it was written.
pub fn ipa_ccm(octets: &[u8]) {
    match Ccm::parse(octets) {
        Ok(Ccm::IdGet(get)) => assert!(get.tags().count() <= ID_ITEMS_MAX),
        Ok(Ccm::IdResponse(response)) => {
            assert!(response.items().count() <= ID_ITEMS_MAX);
            assert!(response.items().all(|item| !item.value.contains(&0) && item.value.len() < octets.len()));
        }
        Ok(Ccm::Ping | Ccm::Pong | Ccm::IdAck) => assert!(!octets.is_empty()),
        Err(_) => {}
    }
    let Some(name) = std::str::from_utf8(octets).ok() else { return };
    let Ok(frame) = ipa::id_response(name) else { return };
    let Ok(Some((frame, []))) = ipa::take_frame(&frame) else { panic!("our identity is one frame") };
    let Ok(Ccm::IdResponse(response)) = Ccm::parse(frame.payload) else { panic!("our identity is an ID_RESP") };
    assert!(response.items().any(|item| item.tag == ipa::ID_TAG_NAME && item.value == octets));
}

/// A message that was read is written in the order of tags and reads the same.
pub fn gsup(octets: &[u8]) {
    let Ok(message) = ProcSs::parse(octets) else { return };
    let Ok(written) = message.encode() else { panic!("an element that was read fits an element") };
    assert!(written.len() <= octets.len(), "nothing but strangers was left out");
    assert_eq!(ProcSs::parse(&written), Ok(message));
    let tail = &message.imsi.as_str()[message.imsi.as_str().len() - 3..];
    assert_eq!(format!("{:?}", message.imsi), format!("Imsi(…{tail})"));
    let shown = format!("{message:?}");
    assert!(shown.len() < 200, "a whole message in Debug");
    if let Some(info) = message.ss_info {
        ss_component(info);
    }
}

/// A component that was read is written so that it reads the same, or is too long for a length in short form.
pub fn ss_component(octets: &[u8]) {
    let Ok(component) = Component::parse(octets) else { return };
    match component.encode() {
        Ok(written) => {
            assert!(written.len() <= octets.len() && written[1] <= 127);
            assert_eq!(Component::parse(&written), Ok(component));
        }
        Err(error) => assert!(matches!(error, BerError::LengthNotShort { len } if SHORT_LEN_MAX < len)),
    }
    let ussd = match component {
        Component::Invoke { ussd, .. } | Component::ReturnResult { outcome: Some((_, Some(ussd))), .. } => ussd,
        Component::ReturnResult { .. } | Component::ReturnError { .. } | Component::Reject { .. } => return,
    };
    let _ = ussd.text();
    assert_eq!(format!("{ussd:?}"), format!("Ussd {{ dcs: {}, octets_len: {} }}", ussd.dcs, ussd.octets.len()));
}

/// Elements one after the other: each lies in the input, and is written so that it reads the same.
pub fn ber(octets: &[u8]) {
    let mut input = octets;
    while !input.is_empty() {
        let Ok((tlv, rest)) = ber::take(input) else { return };
        assert!(tlv.value.len() <= VALUE_LEN_MAX && tlv.value.len() + 2 + rest.len() <= input.len());
        assert_eq!(ber::take_tag(input, tlv.tag), Ok((tlv.value, rest)));
        assert_eq!(ber::take_octet(input, tlv.tag).is_ok(), tlv.value.len() == 1);
        assert!(ber::take_tag(input, tlv.tag ^ 1).is_err());
        match ber::element(tlv.tag, &[tlv.value]) {
            Ok(written) => {
                assert!(written.len() <= input.len() - rest.len(), "short form is the shortest");
                assert_eq!(ber::take_tag(&written, tlv.tag), Ok((tlv.value, &[][..])));
            }
            Err(error) => assert_eq!(error, BerError::LengthNotShort { len: tlv.value.len() }),
        }
        input = rest;
    }
}

/// Packed and unpacked septets become text; the text is packed so that it reads the same.
pub fn gsm7(octets: &[u8]) {
    let held = octets.len() + octets.len() / 7;
    for announced in [None, Some(0), Some(held / 2), Some(held)] {
        let Ok(text) = gsm7::decode_packed(octets, announced) else { panic!("so many septets are there") };
        packs(&text);
    }
    assert!(gsm7::decode_packed(octets, Some(held + 1)).is_err());
    match gsm7::decode_unpacked(octets) {
        Ok(text) => {
            let Ok(written) = gsm7::encode_unpacked(&text) else { panic!("its letters are in the table") };
            assert!(written.len() <= octets.len());
            assert_eq!(gsm7::decode_unpacked(&written), Ok(text));
        }
        Err(_) => assert!(octets.iter().any(|&octet| 0x7F < octet)),
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        assert_eq!(gsm7::septets(text).is_some(), gsm7::encode(text).is_ok());
        if gsm7::septets(text).is_some() {
            packs(text);
        }
    }
}

/// The packed text reads the same. An end on an octet boundary may get a carriage return more (TS 23.038 §6.1.2.3.1).
fn packs(text: &str) {
    let (Some(count), Ok(packed)) = (gsm7::septets(text), gsm7::encode(text)) else {
        panic!("its letters are in the table")
    };
    assert_eq!(gsm7::decode_packed(&packed, Some(count)).as_deref(), Ok(text));
    let doubled = 0 < count && count.is_multiple_of(8) && text.ends_with('\r');
    let expected = if doubled { format!("{text}\r") } else { text.to_owned() };
    assert_eq!(gsm7::decode_packed(&packed, None), Ok(expected));
}

/// What is text is written as the same octets.
pub fn ucs2(octets: &[u8]) {
    if let Ok(text) = ucs2::decode(octets) {
        assert_eq!(ucs2::encode(&text), octets);
        assert_eq!(ucs2::units(&text) * 2, octets.len());
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        assert_eq!(ucs2::decode(&ucs2::encode(text)).as_deref(), Ok(text));
    }
}

/// The first octet is the data coding scheme. Text that fits a screen has the octets of a screen.
pub fn text_decode(octets: &[u8]) {
    let Some((&dcs, octets)) = octets.split_first() else { return };
    let decoded = text::decode(dcs, octets);
    if Coding::from_dcs(dcs).is_none() {
        return assert_eq!(decoded, Err(text::TextError::UnknownCoding { dcs }));
    }
    let Ok(decoded) = decoded else { return };
    let encoded = text::encode(&decoded);
    assert_eq!(encoded.coding, text::choose(&decoded));
    for (budget, octets_max) in [(Budget::USSD, 160), (Budget::USSD_OSMOHLR, 112)] {
        assert!(!text::fits(&decoded, budget) || encoded.octets.len() <= octets_max);
    }
    let again = Ussd::of(&encoded).text();
    assert!(again.is_ok_and(|again| again.strip_suffix('\r') == Some(&*decoded) || again == decoded));
}

/// A line that was read is written as the same line, and no `Debug` shows its words.
pub fn ctrl(octets: &[u8]) {
    let Ok(message) = Ctrl::parse(octets) else { return };
    let (written, shown) = match message {
        Ctrl::GetReply { id, variable, value } => {
            (Some(format!("GET_REPLY {id} {variable} {value}")), format!("GetReply {{ id: {id}, .. }}"))
        }
        Ctrl::Error { id, reason } => {
            (id.map(|id| format!("ERROR {id} {reason}")), format!("Error {{ id: {id:?}, .. }}"))
        }
        Ctrl::Trap { variable, value } => (Some(format!("TRAP 0 {variable} {value}")), "Trap { .. }".to_owned()),
    };
    if let Some(written) = written {
        assert_eq!(Ctrl::parse(written.as_bytes()), Ok(message));
    }
    assert_eq!(format!("{message:?}"), shown);
}

/// A string that was cut is joined to the same string, and no `Debug` shows a field.
pub fn dial(octets: &[u8]) {
    let Ok(dialled) = dial::parse(octets) else { return };
    let opening = match dialled.form {
        Form::Activation => "*",
        Form::Interrogation => "*#",
        Form::Registration => "**",
        Form::Erasure => "##",
        Form::Deactivation => "#",
    };
    let mut joined = format!("{opening}{}", dialled.service_code);
    for field in dialled.fields() {
        assert!(!field.contains(['*', '#']) && !field.contains(char::is_control));
        joined.push('*');
        joined.push_str(field);
    }
    joined.push('#');
    assert_eq!(joined.as_bytes(), octets);
    let (form, code, fields_len) = (dialled.form, dialled.service_code, dialled.fields().len());
    assert!(fields_len <= FIELDS_MAX);
    let shown = format!("DialString {{ form: {form:?}, service_code: {code}, fields_len: {fields_len} }}");
    assert_eq!(format!("{dialled:?}"), shown);
}

/// BCD and digits are written as they were read.
pub fn imsi(octets: &[u8]) {
    if let Ok(imsi) = Imsi::from_bcd(octets) {
        assert_eq!(imsi.to_bcd(), octets);
        assert_eq!(Imsi::parse(imsi.as_str()), Ok(imsi));
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(imsi) = Imsi::parse(text) {
        assert_eq!(imsi.as_str(), text);
        assert_eq!(Imsi::from_bcd(&imsi.to_bcd()), Ok(imsi));
        assert_eq!(format!("{imsi:?}"), format!("Imsi(…{})", &text[text.len() - 3..]));
    }
}

/// Both parameters are written as they were read.
pub fn smpp_ussd(octets: &[u8]) {
    if let Ok(op) = UssdServiceOp::parse(octets) {
        assert_eq!([op.code()], octets);
    }
    if let Ok(info) = ItsSessionInfo::parse(octets) {
        assert_eq!(info.octets(), octets);
        assert!(info.sequence() <= 127);
    }
}
