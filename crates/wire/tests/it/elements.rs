//! GSUP elements and IMSIs that are broken, doubled, unknown, out of order, or of the longest and shortest lengths.

use wire::gsup::{ELEMENTS_MAX, Element, GsupError, Kind, ProcSs, SessionState};
use wire::imsi::{Imsi, ImsiError};

use crate::hex;

const IMSI: &str = "0108 09710000000000f1";
const SESSION: &str = "3004 6e0a6235";
const STATE: &str = "310101";
const CAUSE: &str = "020111";
const CLASS: &str = "0a0103";
const INFO: &str = "3505 a203020101";

#[test]
fn elements_in_any_order_read_the_same() {
    let elements = [IMSI, CAUSE, CLASS, SESSION, STATE, INFO];
    let mut order: Vec<usize> = (0..elements.len()).collect();
    let mut seen = 0;
    // Heap's algorithm: all 720 orders.
    let mut counts = [0; 6];
    let mut at = 0;
    let check = |order: &[usize]| {
        let body = hex(&format!("21{}", order.iter().map(|&at| elements[at]).collect::<String>()));
        let message = ProcSs::parse(&body).expect("whole");
        assert_eq!(message.kind, Kind::Error);
        assert_eq!((message.cause, message.class, message.session_id), (Some(0x11), Some(3), 0x6E0A_6235));
        assert_eq!((message.imsi.as_str(), message.session_state), ("901700000000001", SessionState::Begin));
        assert_eq!(message.ss_info, Some(&[0xA2, 3, 2, 1, 1][..]));
    };
    check(&order);
    seen += 1;
    while at < order.len() {
        if counts[at] < at {
            order.swap(if at % 2 == 0 { 0 } else { counts[at] }, at);
            check(&order);
            seen += 1;
            counts[at] += 1;
            at = 0;
        } else {
            counts[at] = 0;
            at += 1;
        }
    }
    assert_eq!(seen, 720);
}

#[test]
fn a_doubled_element_is_refused_wherever_it_stands() {
    let all = [
        (IMSI, Element::Imsi),
        (CAUSE, Element::Cause),
        (CLASS, Element::Class),
        (SESSION, Element::SessionId),
        (STATE, Element::SessionState),
        (INFO, Element::SsInfo),
    ];
    let whole: String = all.iter().map(|(text, _)| *text).collect();
    for (text, element) in all {
        for body in [format!("20{whole}{text}"), format!("20{text}{whole}"), format!("20{text}6000{whole}")] {
            assert_eq!(ProcSs::parse(&hex(&body)), Err(GsupError::Repeated { element }), "{body}");
        }
    }
}

/// An element of nothing and of the most octets, known and unknown.
#[test]
fn lengths_from_0_to_255() {
    let whole = format!("20{IMSI}{SESSION}{STATE}");
    let longest = "41".repeat(255);
    let bad = |element| Err(GsupError::BadValue { element });
    let table = [
        (format!("{whole}3500"), Ok(Some(0))),
        (format!("{whole}35ff{longest}"), Ok(Some(255))),
        (format!("{whole}35ff{}", &longest[2..]), Err(GsupError::Truncated)),
        (format!("{whole}6000"), Ok(None)),
        (format!("{whole}60ff{longest}"), Ok(None)),
        (format!("{whole}60ff{}", &longest[2..]), Err(GsupError::Truncated)),
        (format!("{whole}60"), Err(GsupError::Truncated)),
        (format!("{whole}0200"), bad(Element::Cause)),
        (format!("{whole}02ff{longest}"), bad(Element::Cause)),
        (format!("{whole}0a00"), bad(Element::Class)),
        (format!("20{IMSI}{STATE}3000"), bad(Element::SessionId)),
        (format!("20{IMSI}{STATE}3003 6e0a62"), bad(Element::SessionId)),
        (format!("20{IMSI}{STATE}3005 6e0a623500"), bad(Element::SessionId)),
        (format!("20{IMSI}{STATE}30ff{longest}"), bad(Element::SessionId)),
        (format!("20{IMSI}{SESSION}3100"), bad(Element::SessionState)),
        (format!("20{IMSI}{SESSION}3102 0101"), bad(Element::SessionState)),
        (format!("20{SESSION}{STATE}0100"), Err(GsupError::Imsi(ImsiError::Length))),
        (format!("20{SESSION}{STATE}01ff{longest}"), Err(GsupError::Imsi(ImsiError::Length))),
    ];
    for (text, expected) in table {
        let body = hex(&text);
        let parsed = ProcSs::parse(&body).map(|message| message.ss_info.map(<[u8]>::len));
        assert_eq!(parsed, expected, "{text}");
    }
    let strangers = |count: usize| hex(&format!("{whole}{}", "60 02 4141".repeat(count)));
    assert!(ProcSs::parse(&strangers(ELEMENTS_MAX - 3)).is_ok());
    assert_eq!(ProcSs::parse(&strangers(ELEMENTS_MAX - 2)), Err(GsupError::TooManyElements));
}

/// Every cut of a whole message is refused, except where an element that may be missing ends.
#[test]
fn a_message_cut_anywhere() {
    let whole = hex(&format!("20{IMSI}{SESSION}{STATE}{INFO}"));
    let without_info = whole.len() - 7;
    for len in 0..whole.len() {
        let parsed = ProcSs::parse(&whole[..len]);
        assert_eq!(parsed.is_ok(), len == without_info, "{len}: {parsed:?}");
    }
}

#[test]
fn imsis_of_every_length() {
    let digits = "9017000000000012345";
    for len in 0..=digits.len() {
        let text = &digits[..len];
        let parsed = Imsi::parse(text);
        if (6..=15).contains(&len) {
            let imsi = parsed.expect("an IMSI");
            assert_eq!(imsi.as_str(), text);
            assert_eq!(imsi.to_bcd().len(), len.div_ceil(2));
            assert_eq!(Imsi::from_bcd(&imsi.to_bcd()), Ok(imsi), "{len}");
        } else {
            assert_eq!(parsed, Err(ImsiError::Length), "{len}");
        }
    }
    let table = [
        // Five digits, six, fifteen, sixteen and seventeen.
        ("0971f0", Err(ImsiError::Length)),
        ("097100", Ok("901700")),
        ("09710000000000f1", Ok("901700000000001")),
        ("0971000000000021", Err(ImsiError::Length)),
        ("0971000000000021f3", Err(ImsiError::Length)),
        // Filler in the low half, in the middle, alone, in both halves.
        ("09710000000000 1f", Err(ImsiError::NotDigit)),
        ("09f10000000000f1", Err(ImsiError::NotDigit)),
        ("0f71000000000001", Err(ImsiError::NotDigit)),
        ("f971000000000001", Err(ImsiError::NotDigit)),
        ("09710000000000ff", Err(ImsiError::NotDigit)),
        ("ffffffffffffffff", Err(ImsiError::NotDigit)),
        // Half octets that are neither digit nor filler.
        ("0a71000000000001", Err(ImsiError::NotDigit)),
        ("09710000000000e1", Err(ImsiError::NotDigit)),
    ];
    for (bcd, expected) in table {
        let parsed = Imsi::from_bcd(&hex(bcd)).map(|imsi| imsi.as_str().to_owned());
        assert_eq!(parsed, expected.map(String::from), "{bcd}");
    }
}
