use super::{Asked, Dialogues, UssdConfig, dialled, read};
use crate::esme::delivery::deliver_sm;
use crate::esme::delivery::tests::{body, tlv};
use crate::flow::Input;
use crate::session::{About, Screen};
use proptest::prelude::{any, proptest};
use zeroize::Zeroizing;

fn asked(octets: &[u8], config: &UssdConfig) -> Option<Asked> {
    read(&deliver_sm(octets).expect("whole"), config, &Dialogues::new(4))
}

fn input(asked: &Asked) -> String {
    match &asked.turn.as_ref().expect("a caller").input {
        Input::Dialled(text) => format!("dialled {}", text.as_str()),
        Input::Typed { text, .. } | Input::Latest { text, .. } => format!("typed {}", text.as_str()),
        Input::Joined { .. } => String::from("no message of SMPP"),
    }
}

#[test]
fn which_operation_is_what() {
    for (op, expected) in [
        (0, Some("dialled *999#")),
        (1, Some("dialled *999#")),
        (18, Some("typed *999#")),
        (2, None),
        (3, None),
        (16, None),
        (17, None),
        (19, None),
        (4, None),
        (128, None),
        (255, None),
    ] {
        let octets = body("8501912345678", "999", 0, 0, b"*999#", &[tlv(0x0501, &[op])]);
        assert_eq!(asked(&octets, &UssdConfig::default()).as_ref().map(input).as_deref(), expected, "{op}");
    }
    let without = |text: &[u8]| asked(&body("8501912345678", "999", 0, 0, text, &[]), &UssdConfig::default());
    assert_eq!(without(b"*999#").as_ref().map(input).as_deref(), Some("dialled *999#"));
    assert_eq!(without(b"1").as_ref().map(input).as_deref(), Some("typed 1"));
}

#[test]
fn an_end_from_the_other_side_is_read_by_nobody() {
    let ended = [tlv(0x1383, &[7, 0b101]), tlv(0x0501, &[18])];
    assert!(asked(&body("8501912345678", "999", 0, 0, b"", &ended), &UssdConfig::default()).is_none());
    let begun = [tlv(0x1383, &[7, 0b001]), tlv(0x0501, &[1])];
    assert!(asked(&body("8501912345678", "999", 0, 0, b"*999#", &begun), &UssdConfig::default()).is_some());
}

#[test]
fn callers_in_every_form() {
    let plain = UssdConfig::default();
    let national = UssdConfig { country_code: Some(String::from("850")), ..plain.clone() };
    let caller = |ton: u8, digits: &str, config: &UssdConfig| {
        let mut octets = body(digits, "999", 0, 0, b"*999#", &[]);
        octets[5] = ton;
        asked(&octets, config).and_then(|asked| asked.turn).map(|turn| turn.caller.get())
    };
    let alice = Some(8_501_912_345_678);
    for digits in ["8501912345678", "+8501912345678", "008501912345678"] {
        for ton in [0, 1] {
            assert_eq!(caller(ton, digits, &plain), alice, "{digits}");
            assert_eq!(caller(ton, digits, &national), alice, "{digits}");
        }
    }
    assert_eq!(caller(2, "1912345678", &national), alice);
    assert_eq!(caller(2, "01912345678", &national), alice);
    assert_eq!(caller(0, "01912345678", &national), alice);
    assert_eq!(caller(2, "+8501912345678", &national), alice);
    assert_eq!(caller(0, "01912345678", &plain), None, "no country code is configured");
    for nobody in ["", "+", "abc", "12345", "+850191234567890123"] {
        let asked = asked(&body(nobody, "999", 0, 0, b"*999#", &[]), &plain).expect("it wants a screen");
        assert!(asked.turn.is_none() && asked.back.caller.is_none(), "{nobody}");
    }
}

#[test]
fn a_service_code_apart() {
    for (destination, text, always, expected) in [
        ("999", "*999*500*1912345678*482913#", false, "*999*500*1912345678*482913#"),
        ("999", "*999*500*1912345678*482913", false, "*999*500*1912345678*482913#"),
        ("999", "500*1912345678*482913#", false, "*999*500*1912345678*482913#"),
        ("*999#", "500*1912345678*482913", false, "*999*500*1912345678*482913#"),
        ("*999*", "", false, "*999#"),
        ("*999#", "", false, "*999#"),
        ("999", "", false, "*999#"),
        ("*#999#", "482913", false, "*#999*482913#"),
        ("1234", "*999#", false, "*999#"),
        ("999", "*500*1912345678*482913#", true, "*999*500*1912345678*482913#"),
        ("8501912345678", "*999#", true, "*999#"),
        ("sonmul", "500", false, "500"),
        ("", "", false, ""),
    ] {
        let dialled = dialled(destination.as_bytes(), Zeroizing::new(String::from(text)), always);
        assert_eq!(dialled.as_str(), expected, "{destination} {text}");
    }
}

#[test]
fn a_screen_octet_by_octet() {
    let parameters = [tlv(0x0204, &[0x12, 0x34]), tlv(0x1383, &[7, 0b110]), tlv(0x0501, &[1])];
    let octets = body("8501912345678", "999", 0, 0, b"*999#", &parameters);
    let asked = asked(&octets, &UssdConfig::default()).expect("it wants a screen");
    let shown = |text: &str, goes_on| {
        let screen = Screen { text: String::from(text), goes_on, about: About::Nothing };
        let mut out = Vec::new();
        crate::esme::pdu::put(&mut out, 0, 3, asked.back.pdu(&screen).expect("it fits"));
        out.split_off(16)
    };
    let head = b"USSD\0\0\x01999\0\x01\x018501912345678\0\0\0\0\0\0\0\0".to_vec();
    let expected =
        [&head[..], b"\0\0\x02hi", &tlv(0x0501, &[2]), &tlv(0x1383, &[7, 0b1000]), &tlv(0x0204, &[0x12, 0x34])];
    assert_eq!(shown("hi", true), expected.concat());
    let expected = [
        &head[..],
        b"\x08\0\x02\xC6\xD0",
        &tlv(0x0501, &[17]),
        &tlv(0x1383, &[7, 0b1001]),
        &tlv(0x0204, &[0x12, 0x34]),
    ];
    assert_eq!(shown("원", false), expected.concat());
}

#[test]
fn what_ends_a_session() {
    let last = |op: u8, config: &UssdConfig| {
        let asked = asked(&body("8501912345678", "999", 0, 0, b"*999#", &[tlv(0x0501, &[op])]), config).expect("asks");
        u8::from(asked.back.last)
    };
    assert_eq!((last(0, &UssdConfig::default()), last(1, &UssdConfig::default())), (16, 17));
    let notify = UssdConfig { end_with_notify: true, ..UssdConfig::default() };
    assert_eq!((last(0, &notify), last(1, &notify)), (3, 3));
}

proptest! {
    #[test]
    fn no_octets_panic(from in "[0-9+*]{0,20}", to in "[0-9*#]{0,20}", coding in any::<u8>(), text in proptest::collection::vec(any::<u8>(), 0..200), op in any::<u8>(), info in proptest::collection::vec(any::<u8>(), 0..4), packed in any::<bool>()) {
        let octets = body(&from, &to, 0, coding, &text, &[tlv(0x0501, &[op]), tlv(0x1383, &info)]);
        let config = UssdConfig { gsm7_packed: packed, ..UssdConfig::default() };
        if let Some(asked) = asked(&octets, &config) {
            let _ = asked.back.pdu(&Screen { text: "가".repeat(80), goes_on: false, about: About::Nothing });
        }
    }
}
