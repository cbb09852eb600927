use super::{BASIC, EXTENSION, Gsm7Error, decode_packed, decode_unpacked, encode, encode_unpacked, septets};
use crate::testing::{hex, to_hex};
use proptest::prelude::{Strategy, any, proptest};

/// Text of letters that both tables have.
fn any_text() -> impl Strategy<Value = String> {
    let letters: Vec<char> =
        BASIC.into_iter().filter(|&c| c != '\u{1B}').chain(EXTENSION.into_iter().map(|(_, c)| c)).collect();
    proptest::collection::vec(proptest::sample::select(letters), 0..200)
        .prop_map(|letters| letters.into_iter().collect())
}

#[test]
fn vectors() {
    let table = [
        ("01234567", "b0986c46abd96e"),
        ("0123456", "b0986c46abd91a"),
        ("*999*500*1912345678*123456#", "aa5c2ea7aac160aa582e269bd16ab61b4e1593cd6835db08"),
        ("*929*200*1951234567*654321#", "aa9c2ca792c160aa58ae1693cd6835db4d65abd166b2d808"),
        ("*999#", "aa5c2e3702"),
        ("1", "31"),
        ("", ""),
    ];
    for (text, packed) in table {
        assert_eq!(encode(text).map(|octets| to_hex(&octets)), Ok(packed.to_owned()), "{text}");
        assert_eq!(decode_packed(&hex(packed), None), Ok(text.to_owned()), "{packed}");
    }
}

#[test]
fn every_letter_of_both_tables() {
    for (septet, letter) in (0u8..).zip(BASIC).filter(|&(_, letter)| letter != '\u{1B}') {
        let text = letter.to_string();
        assert_eq!(encode_unpacked(&text), Ok(vec![septet]), "{letter:?}");
        assert_eq!(decode_unpacked(&[septet]), Ok(text));
    }
    for (septet, letter) in EXTENSION {
        let text = letter.to_string();
        assert_eq!(septets(&text), Some(2), "{letter:?}");
        assert_eq!(encode_unpacked(&text), Ok(vec![0x1B, septet]), "{letter:?}");
        assert_eq!(decode_unpacked(&[0x1B, septet]), Ok(text));
    }
}

#[test]
fn letters_that_it_has_not() {
    for letter in ['전', 'ç', '`', '\t', '\u{1B}', '\0', 'Я', 'ÿ', '😀'] {
        let text = format!("a{letter}b");
        assert_eq!(septets(&text), None, "{letter:?}");
        assert_eq!(encode(&text), Err(Gsm7Error::NoSuchLetter { letter }));
        assert_eq!(encode_unpacked(&text), Err(Gsm7Error::NoSuchLetter { letter }));
    }
}

#[test]
fn a_return_at_the_end_survives_as_the_standard_says() {
    // Eight septets, the last a return: a second is added, or the receiver would drop the only one.
    assert_eq!(encode("1234567\r").map(|octets| octets.len()), Ok(8));
    assert_eq!(encode("1234567\r").and_then(|octets| decode_packed(&octets, None)), Ok("1234567\r\r".to_owned()));
    // Not on an octet boundary: nothing is added and nothing dropped.
    assert_eq!(encode("123456\r").and_then(|octets| decode_packed(&octets, None)), Ok("123456\r".to_owned()));
    assert_eq!(encode("12\r").and_then(|octets| decode_packed(&octets, None)), Ok("12\r".to_owned()));
}

#[test]
fn septets_announced() {
    let octets = hex("b0986c46abd91a");
    assert_eq!(decode_packed(&octets, Some(7)), Ok("0123456".to_owned()));
    assert_eq!(decode_packed(&octets, Some(8)), Ok("0123456\r".to_owned()));
    assert_eq!(decode_packed(&octets, Some(9)), Err(Gsm7Error::Truncated { announced: 9, held: 8 }));
    assert_eq!(decode_packed(&octets, Some(usize::MAX)), Err(Gsm7Error::Truncated { announced: usize::MAX, held: 8 }));
    assert_eq!(decode_packed(&octets, Some(0)), Ok(String::new()));
}

#[test]
fn escapes_that_mean_nothing() {
    assert_eq!(decode_unpacked(&[0x1B, 0x41]), Ok("A".to_owned()));
    assert_eq!(decode_unpacked(&[0x1B, 0x1B, 0x41]), Ok(" A".to_owned()));
    assert_eq!(decode_unpacked(&[0x41, 0x1B]), Ok("A ".to_owned()));
    assert_eq!(decode_unpacked(&[0x80]), Err(Gsm7Error::NotSeptet));
}

#[test]
fn the_full_screens_have_the_octets_that_the_edges_allow() {
    assert_eq!(encode(&"a".repeat(182)).map(|octets| octets.len()), Ok(160));
    assert_eq!(encode(&"a".repeat(128)).map(|octets| octets.len()), Ok(112));
    assert_eq!(encode(&"€".repeat(64)).map(|octets| octets.len()), Ok(112));
}

proptest! {
    #[test]
    fn packed_round_trip(text in any_text()) {
        let expected = match septets(&text) {
            Some(count) if count > 0 && count.is_multiple_of(8) && text.ends_with('\r') => format!("{text}\r"),
            _ => text.clone(),
        };
        let octets = encode(&text);
        assert_eq!(octets.clone().and_then(|octets| decode_packed(&octets, None)), Ok(expected));
        assert_eq!(octets.and_then(|octets| decode_packed(&octets, septets(&text))), Ok(text));
    }

    #[test]
    fn unpacked_round_trip(text in any_text()) {
        assert_eq!(encode_unpacked(&text).map(|octets| Some(octets.len())), Ok(septets(&text)));
        assert_eq!(encode_unpacked(&text).and_then(|octets| decode_unpacked(&octets)), Ok(text));
    }

    #[test]
    fn no_octets_panic(octets in any::<Vec<u8>>(), announced in any::<Option<u8>>()) {
        let _ = decode_packed(&octets, announced.map(usize::from));
        let _ = decode_unpacked(&octets);
    }

    #[test]
    fn no_copy_is_left_behind_by_growing(octets in any::<Vec<u8>>()) {
        let Ok(text) = decode_packed(&octets, None) else { return Ok(()) };
        assert!(text.len() <= (octets.len() + octets.len() / 7) * 2);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        assert_eq!(septets(&text).is_some(), encode(&text).is_ok());
    }
}
