//! Data coding schemes that name nothing we read, and the spare bits at the end of packed text.

use wire::gsm7;
use wire::text::{Coding, TextError, decode};
use wire::ucs2::Ucs2Error;

use crate::hex;

/// All 256 schemes, group by group of TS 23.038 §5.
#[test]
fn every_data_coding_scheme() {
    for dcs in 0..=u8::MAX {
        let expected = match dcs {
            // A language and GSM 7-bit; 0x10 and 0x11 begin with a language in the text.
            0x10 | 0x11 => None,
            0x00..=0x3F => Some(Coding::Gsm7),
            // General: bits 3 and 2 are the alphabet; with bit 5 it is compressed.
            0x40..=0x5F => match dcs >> 2 & 3 {
                1 => None,
                2 => Some(Coding::Ucs2),
                _ => Some(Coding::Gsm7),
            },
            0x60..=0x7F => None,
            // Reserved: to be read as GSM 7-bit.
            0x80..=0x8F | 0xA0..=0xDF => Some(Coding::Gsm7),
            // User data headers, WAP.
            0x90..=0x9F | 0xE0..=0xEF => None,
            // Classes: bit 2 is 8-bit data.
            0xF0..=0xFF => (dcs & 4 == 0).then_some(Coding::Gsm7),
        };
        assert_eq!(Coding::from_dcs(dcs), expected, "{dcs:#04x}");
        if expected.is_none() {
            assert_eq!(decode(dcs, &hex("aa5c2e3702")), Err(TextError::UnknownCoding { dcs }));
        }
    }
    assert_eq!(decode(0x48, &hex("c8")), Err(TextError::Ucs2(Ucs2Error::OddLength)));
    assert_eq!(decode(0x48, &hex("d800")), Err(TextError::Ucs2(Ucs2Error::LoneSurrogate)));
    assert_eq!(decode(0x48, &[]).as_deref(), Ok(""));
    assert_eq!(decode(0x0F, &[]).as_deref(), Ok(""));
}

/// Text of 1 to 24 letters: how many spare bits there are, what fills them, and that it reads the same.
#[test]
fn spare_bits_of_every_length() {
    for count in 1..=24_usize {
        let text = "a".repeat(count);
        let packed = gsm7::encode(&text).expect("in the table");
        let spare = packed.len() * 8 - count * 7;
        let last = *packed.last().expect("not empty");
        match count % 8 {
            0 => assert_eq!(spare, 0),
            // Seven spare bits would read as `@`: they are a carriage return.
            7 => assert_eq!((spare, last >> 1), (7, 0x0D)),
            left => {
                assert_eq!(spare, left);
                assert_eq!(u32::from(last) >> (8 - left), 0, "other spare bits are zero");
            }
        }
        assert_eq!(gsm7::decode_packed(&packed, None).as_deref(), Ok(&*text), "{count}");
        assert_eq!(gsm7::decode_packed(&packed, Some(count)).as_deref(), Ok(&*text), "{count}");
    }
}

/// What other stacks put there.
#[test]
fn spare_bits_filled_otherwise() {
    // Seven letters and seven zero bits: an `@` that nobody typed, unless the number of septets is announced.
    let zeros = hex("61f1985c369f01");
    let seven = gsm7::decode_packed(&zeros, Some(7)).expect("held");
    assert_eq!(seven.len(), 7);
    assert_eq!(gsm7::decode_packed(&zeros, None), Ok(format!("{seven}@")));
    // One to six spare bits are not looked at, whatever they are.
    for (clean, dirty) in [("31", "b1"), ("3119", "31d9"), ("aa5c2e3702", "aa5c2e37fa")] {
        let read = |text: &str| gsm7::decode_packed(&hex(text), None).expect("held");
        assert_eq!(read(clean), read(dirty), "{dirty}");
    }
    // Eight septets whose last is a carriage return: padding, and two of them: one was typed.
    assert_eq!(gsm7::decode_packed(&hex("b0986c46abd91a"), None).as_deref(), Ok("0123456"));
    let doubled = gsm7::encode("0123456\r").expect("in the table");
    assert_eq!(gsm7::decode_packed(&doubled, None).as_deref(), Ok("0123456\r\r"));
}
