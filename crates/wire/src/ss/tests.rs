use super::{Component, ErrorCode, Operation, Problem, RESULT_OCTETS_MAX, SsError, Ussd};
use crate::ber::BerError;
use crate::gsup::{Kind, ProcSs, SessionState};
use crate::imsi::Imsi;
use crate::ipa::{Extension, extension_frame};
use crate::testing::{hex, to_hex};
use crate::text::{self, Budget};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

const PROCESS: Operation = Operation::ProcessUnstructuredSsRequest;
const ASK: Operation = Operation::UnstructuredSsRequest;

/// The whole frame of one step of the captured dialogue.
fn frame(kind: Kind, session_state: SessionState, component: Component<'_>) -> String {
    let ss_info = component.encode().unwrap();
    assert_eq!(Component::parse(&ss_info), Ok(component));
    let imsi = Imsi::parse("901700000000001").unwrap();
    let message = ProcSs {
        kind,
        imsi,
        cause: None,
        class: None,
        session_id: 0x6E0A_6235,
        session_state,
        ss_info: Some(&ss_info),
    };
    let body = message.encode().unwrap();
    assert_eq!(ProcSs::parse(&body), Ok(message));
    to_hex(&extension_frame(Extension::Gsup, &body).unwrap())
}

/// The dialogue that was captured from OsmoHLR 1.5.0, all four frames. Of the second and fourth the capture gives the
/// lengths and the beginning of the text.
#[test]
fn captured_dialogue() {
    let head = |kind: &str, state: &str| format!("ee05{kind}010809710000000000f130046e0a62353101{state}");

    let dialled = text::encode("*999#");
    let begin = Component::Invoke { invoke_id: 1, operation: PROCESS, ussd: Ussd::of(&dialled) };
    assert_eq!(
        frame(Kind::Request, SessionState::Begin, begin),
        format!("002b{}3514a11202010102013b300a04010f0405aa5c2e3702", head("20", "01"))
    );

    // 28 septets in 25 octets, beginning as the captured text does.
    let menu = text::encode("Menu 1: balance 2: give a gi");
    let prompt = Component::Invoke { invoke_id: 1, operation: ASK, ussd: Ussd::of(&menu) };
    let prompted = frame(Kind::Result, SessionState::Continue, prompt);
    let captured = format!("003f{}3528a12602010102013c301e04010f0419cdb2bb0e", head("22", "02"));
    assert!(prompted.starts_with(&captured), "{prompted}");
    assert_eq!(prompted.len(), (3 + 0x3F) * 2);

    let typed = text::encode("1");
    let answer = Component::ReturnResult { invoke_id: 1, outcome: Some((ASK, Some(Ussd::of(&typed)))) };
    assert_eq!(
        frame(Kind::Request, SessionState::Continue, answer),
        format!("0029{}3512a210020101300b02013c300604010f040131", head("20", "02"))
    );

    let last = text::encode("You chose 1");
    let end = Component::ReturnResult { invoke_id: 1, outcome: Some((PROCESS, Some(Ussd::of(&last)))) };
    let ended = frame(Kind::Result, SessionState::End, end);
    let captured = format!("0032{}351ba219020101301402013b300f04010f040ad977", head("22", "03"));
    assert!(ended.starts_with(&captured), "{ended}");
    assert_eq!(ended.len(), (3 + 0x32) * 2);
}

#[test]
fn what_was_dialled_reads_as_text() {
    let octets = hex("a11202010102013b300a04010f0405aa5c2e3702");
    let Ok(Component::Invoke { invoke_id: 1, operation: PROCESS, ussd }) = Component::parse(&octets) else {
        panic!("not the invoke that it is")
    };
    assert_eq!(ussd.text(), Ok("*999#".to_owned()));
}

#[test]
fn errors_rejects_and_acknowledgements() {
    let table = [
        ("a203020101", Component::ReturnResult { invoke_id: 1, outcome: None }),
        (
            "a208 0201ff 3003 02013d",
            Component::ReturnResult { invoke_id: -1, outcome: Some((Operation::UnstructuredSsNotify, None)) },
        ),
        ("a306 020101 020148", Component::ReturnError { invoke_id: 1, error: ErrorCode::USSD_BUSY }),
        ("a406 020105 810101", Component::Reject { invoke_id: Some(5), problem: Problem::UNRECOGNIZED_OPERATION }),
        ("a405 0500 800102", Component::Reject { invoke_id: None, problem: Problem::BADLY_STRUCTURED }),
        ("a406 020101 820100", Component::Reject { invoke_id: Some(1), problem: Problem::ReturnResult(0) }),
        ("a406 020101 830107", Component::Reject { invoke_id: Some(1), problem: Problem::ReturnError(7) }),
    ];
    for (text, component) in table {
        let octets = hex(text);
        assert_eq!(Component::parse(&octets), Ok(component), "{text}");
        assert_eq!(component.encode(), Ok(octets));
    }
}

#[test]
fn what_is_skipped() {
    let plain = Component::Invoke { invoke_id: 1, operation: ASK, ussd: Ussd { dcs: 0x0F, octets: &[0x31] } };
    for text in [
        "a10e 020101 02013c 3006 04010f 040131",
        "a111 020101 800102 02013c 3006 04010f 040131",
        "a111 020101 02013c 3009 04010f 040131 810104",
        "a18111 020101 02013c 3081 08 0481010f 048101 31",
    ] {
        assert_eq!(Component::parse(&hex(text)), Ok(plain), "{text}");
    }
    let with_parameter = hex("a30b 020101 020115 3003 800101");
    let error = Component::ReturnError { invoke_id: 1, error: ErrorCode::FACILITY_NOT_SUPPORTED };
    assert_eq!(Component::parse(&with_parameter), Ok(error));
}

#[test]
fn octets_that_are_no_component() {
    let ber = SsError::Ber;
    let table = [
        ("", ber(BerError::Truncated)),
        ("a500", SsError::UnknownComponent { tag: 0xA5 }),
        ("a180 020101 02013b 0000", ber(BerError::Indefinite)),
        ("a203020101 00", SsError::Trailing),
        ("a100", ber(BerError::Truncated)),
        ("a106 020107 02010a", SsError::UnknownOperation { invoke_id: 7, code: 10 }),
        ("a106 020101 02013b", ber(BerError::Truncated)),
        ("a10f 020101 02013c 3007 04010f 040131 00", ber(BerError::Truncated)),
        ("a110 020101 02013c 3006 04010f 040131 0500", SsError::Trailing),
        ("a10b 020101 02013c 3003 04010f", ber(BerError::Truncated)),
        ("a10f 020101 02013c 3007 04020f0f 040131", ber(BerError::NotOneOctet)),
        ("a20f 020101 3008 02010a 3003 04010f", ber(BerError::Truncated)),
        ("a208 020101 3003 02010a", SsError::UnknownOperation { invoke_id: 1, code: 10 }),
        ("a406 020101 840100", SsError::UnknownProblem { tag: 0x84 }),
        ("a405 020101 8100", ber(BerError::NotOneOctet)),
        ("a104 04020000", ber(BerError::WrongTag { tag: 4, wanted: 2 })),
    ];
    for (text, error) in table {
        assert_eq!(Component::parse(&hex(text)), Err(error), "{text}");
    }
}

#[test]
fn strings_that_are_too_long() {
    let invoke = |len: usize| {
        let mut octets = hex(&format!("a181{:02x} 020101 02013b 3081{:02x} 04010f 0481{len:02x}", len + 15, len + 6));
        octets.resize(octets.len() + len, b'x');
        octets
    };
    assert!(Component::parse(&invoke(160)).is_ok());
    assert_eq!(Component::parse(&invoke(161)), Err(SsError::StringTooLong));
}

#[test]
fn the_budget_behind_osmohlr_is_exactly_what_fits() {
    for (letter, count) in [("a", Budget::USSD_OSMOHLR.septets), ("전", Budget::USSD_OSMOHLR.ucs2)] {
        let fits = text::encode(&letter.repeat(count));
        assert_eq!(fits.octets.len(), RESULT_OCTETS_MAX);
        let result = Component::ReturnResult { invoke_id: 1, outcome: Some((PROCESS, Some(Ussd::of(&fits)))) };
        assert_eq!(result.encode().unwrap()[1], 127);

        let over = text::encode(&letter.repeat(count + 1));
        let result = Component::ReturnResult { invoke_id: 1, outcome: Some((PROCESS, Some(Ussd::of(&over)))) };
        assert!(matches!(result.encode(), Err(BerError::LengthNotShort { .. })));
    }
}

#[test]
fn debug_hides_the_string() {
    let dialled = text::encode("482913");
    let shown = format!("{:?}", Component::Invoke { invoke_id: 1, operation: PROCESS, ussd: Ussd::of(&dialled) });
    let expected =
        "Invoke { invoke_id: 1, operation: ProcessUnstructuredSsRequest, ussd: Ussd { dcs: 15, octets_len: 6 } }";
    assert_eq!(shown, expected);
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![Just(PROCESS), Just(ASK), Just(Operation::UnstructuredSsNotify)]
}

fn any_problem() -> impl Strategy<Value = Problem> {
    (0u8..4, any::<u8>()).prop_map(|(tag, code)| Problem::from_tag(0x80 + tag, code).unwrap())
}

proptest! {
    #[test]
    fn round_trip(
        (invoke_id, dcs, with_string, with_id) in any::<(i8, u8, bool, bool)>(),
        octets in proptest::collection::vec(any::<u8>(), 0..=RESULT_OCTETS_MAX),
        (operation, problem, error) in (any_operation(), any_problem(), any::<u8>()),
    ) {
        let ussd = Ussd { dcs, octets: &octets };
        for component in [
            Component::Invoke { invoke_id, operation, ussd },
            Component::ReturnResult { invoke_id, outcome: Some((operation, with_string.then_some(ussd))) },
            Component::ReturnResult { invoke_id, outcome: None },
            Component::ReturnError { invoke_id, error: ErrorCode(error) },
            Component::Reject { invoke_id: with_id.then_some(invoke_id), problem },
        ] {
            assert_eq!(Component::parse(&component.encode().unwrap()), Ok(component));
        }
    }

    #[test]
    fn no_octets_panic(octets in any::<Vec<u8>>(), at in any::<usize>(), bit in 0u32..8) {
        let _ = Component::parse(&octets);
        // One bit of a good component turned over.
        let mut octets = hex("a210020101300b02013c300604010f040131");
        let at = at % octets.len();
        octets[at] ^= 1u8 << bit;
        let _ = Component::parse(&octets);
    }
}
