//! BER and components that are cut, oversized, wrong in a length, unknown, not minimal or nested.

use wire::ber::{self, BerError, VALUE_LEN_MAX};
use wire::ss::{Component, ErrorCode, Operation, SsError, Ussd};

use crate::hex;

const INVOKE: &str = "a112 020101 02013b 300a 04010f 0405 aa5c2e3702";
const RESULT: &str = "a210 020101 300b 02013c 3006 04010f 0401 31";
const REJECT: &str = "a406 020105 810101";
const ERROR: &str = "a306 020101 020148";

#[test]
fn a_component_cut_anywhere_is_truncated() {
    for whole in [INVOKE, RESULT, REJECT, ERROR] {
        let octets = hex(whole);
        assert!(Component::parse(&octets).is_ok());
        for len in 0..octets.len() {
            let cut = Component::parse(&octets[..len]);
            assert_eq!(cut, Err(SsError::Ber(BerError::Truncated)), "{whole} cut to {len}");
        }
    }
}

/// Each length octet one up or down: either something is missing or something is left over.
#[test]
fn a_wrong_length_is_never_read() {
    for (whole, lengths) in [(INVOKE, &[1, 3, 6, 9, 11, 14][..]), (RESULT, &[1, 3, 6, 8, 11, 13, 16])] {
        for &at in lengths {
            for by in [1, -1] {
                let mut octets = hex(whole);
                octets[at] = octets[at].wrapping_add_signed(by);
                assert!(Component::parse(&octets).is_err(), "{whole}: octet {at} by {by}");
            }
        }
    }
}

/// The same component with every length in long form, of one and of two octets, is that component.
#[test]
fn lengths_in_long_form_minimal_or_not() {
    let plain = Component::ReturnResult {
        invoke_id: 1,
        outcome: Some((Operation::UnstructuredSsRequest, Some(Ussd { dcs: 0x0F, octets: &[0x31] }))),
    };
    for text in [
        RESULT,
        "a28110 020101 300b 02013c 3006 04010f 040131",
        "a2820010 020101 300b 02013c 3006 04010f 040131",
        "a28116 02810101 30810f 0281013c 308108 0481010f 04810131",
        "a282001c 0282000101 30820013 028200013c 3082000a 048200010f 0482000131",
    ] {
        assert_eq!(Component::parse(&hex(text)), Ok(plain), "{text}");
    }
}

#[test]
fn lengths_that_are_not_read() {
    let table = [
        ("a180 020101 02013b 0000", BerError::Indefinite),
        ("a114 020101 02013b 3080 04010f 0405 aa5c2e3702 0000", BerError::Indefinite),
        ("a112 020101 02013b 300a 04010f 2480 aa5c2e3702", BerError::Indefinite),
        ("a1820100", BerError::TooLong),
        ("a183000012", BerError::TooLong),
        ("a184 00000012", BerError::TooLong),
        ("a1ff", BerError::TooLong),
        ("a181ff", BerError::Truncated),
        ("bf2a00", BerError::LongTag),
        ("a103 1f8101", BerError::LongTag),
    ];
    for (text, error) in table {
        assert_eq!(Component::parse(&hex(text)), Err(SsError::Ber(error)), "{text}");
    }
    let longest = [&hex("0481ff")[..], &[0; VALUE_LEN_MAX]].concat();
    assert_eq!(ber::take(&longest).map(|(tlv, rest)| (tlv.value.len(), rest.len())), Ok((VALUE_LEN_MAX, 0)));
}

/// As deep as an element of 255 octets can be nested, definite and indefinite: reading costs no stack and ends at once.
#[test]
fn nesting_is_not_followed() {
    let mut nested = Vec::new();
    while let Ok(outer) = ber::element(0x30, &[&nested]) {
        nested = outer;
    }
    assert!(nested.len() > 120);
    for opening in [&hex("a181")[..], &hex("a281"), &hex("a381"), &hex("a481")] {
        let len = u8::try_from(nested.len()).expect("short");
        let octets = [opening, &[len], &nested].concat();
        let wrong = BerError::WrongTag { tag: 0x30, wanted: 2 };
        assert_eq!(Component::parse(&octets), Err(SsError::Ber(wrong)));
    }
    // In a place that is skipped, after the string of an operation.
    let tail = &nested[nested.len() - 100..];
    let parameter = [&hex("04010f 040131")[..], tail].concat();
    let body =
        [&hex("020101 02013c")[..], &[0x30, 0x81, u8::try_from(parameter.len()).expect("short")], &parameter].concat();
    let octets = [&[0xA1, 0x81, u8::try_from(body.len()).expect("short")][..], &body].concat();
    let expected = Component::Invoke {
        invoke_id: 1,
        operation: Operation::UnstructuredSsRequest,
        ussd: Ussd { dcs: 0x0F, octets: &[0x31] },
    };
    assert_eq!(Component::parse(&octets), Ok(expected));
    assert_eq!(Component::parse(&[0xA1, 0x80].repeat(2_000)), Err(SsError::Ber(BerError::Indefinite)));
}

/// Every first octet that is no component's, and every tag in the place of each of an invoke's.
#[test]
fn unknown_tags() {
    for tag in 0..=u8::MAX {
        let octets = [tag, 3, 2, 1, 1];
        let parsed = Component::parse(&octets);
        match tag {
            0xA1..=0xA4 => assert!(!matches!(parsed, Err(SsError::UnknownComponent { .. })), "{tag:02x}"),
            _ if tag & 0x1F == 0x1F => assert_eq!(parsed, Err(SsError::Ber(BerError::LongTag))),
            tag => assert_eq!(parsed, Err(SsError::UnknownComponent { tag })),
        }
        for (at, right) in [(2, 0x02), (5, 0x02), (8, 0x30), (10, 0x04), (13, 0x04)] {
            let mut octets = hex(INVOKE);
            assert_eq!(octets[at], right);
            octets[at] = tag;
            // A linked id may stand in the operation's place; then the operation is missing.
            assert_eq!(Component::parse(&octets).is_ok(), tag == right, "{tag:02x} at {at}");
        }
    }
}

#[test]
fn integers_of_no_and_of_several_octets() {
    for text in [
        "a111 0200 02013b 300a 04010f 0405 aa5c2e3702",
        "a113 02020001 02013b 300a 04010f 0405 aa5c2e3702",
        "a111 020101 0200 300a 04010f 0405 aa5c2e3702",
        "a113 020101 0202003b 300a 04010f 0405 aa5c2e3702",
        "a111 020101 02013b 3009 0400 0405 aa5c2e3702",
        "a113 020101 02013b 300b 04020f0f 0405 aa5c2e3702",
        "a305 020101 0200",
        "a407 020105 81020101",
    ] {
        assert_eq!(Component::parse(&hex(text)), Err(SsError::Ber(BerError::NotOneOctet)), "{text}");
    }
}

/// Any octet is an error's code, and parameters after it are skipped.
#[test]
fn errors_of_any_code() {
    for code in 0..=u8::MAX {
        for tail in [&[][..], &[0x30, 0], &[0x04, 0x81, 1, 0]] {
            let inner = [&[2, 1, 1, 2, 1, code][..], tail].concat();
            let octets = [&[0xA3, u8::try_from(inner.len()).expect("short")][..], &inner].concat();
            let expected = Component::ReturnError { invoke_id: 1, error: ErrorCode(code) };
            assert_eq!(Component::parse(&octets), Ok(expected));
        }
    }
}
