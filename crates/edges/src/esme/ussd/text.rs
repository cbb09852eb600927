//! Letters of USSD strings under SMPP's `data_coding`, both ways.
//!
//! Guarantees: an answer is coded as the question was: by SMPP's table (0, 8) or by USSD's own (0x0F, 0x48).

use wire::text::Coding;
use wire::{gsm7, ucs2};
use zeroize::Zeroizing;

/// `data_coding` of Latin 1 (SMPP 3.4 §5.2.19).
const LATIN_1: u8 = 3;
/// USSD's code for GSM 7-bit without a language (TS 23.038 §5).
const DCS_GSM7: u8 = 0x0F;

/// How one gateway codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letters {
    data_coding: u8,
    /// Eight letters in seven octets under 0x0F.
    packed: bool,
}

impl Letters {
    pub(super) const fn of(data_coding: u8, gsm7_packed: bool) -> Self {
        Self { data_coding, packed: gsm7_packed && data_coding == DCS_GSM7 }
    }

    /// Whether `data_coding` is one of USSD's own codes.
    const fn is_ussd(self) -> bool {
        self.data_coding == DCS_GSM7 || 0x40 <= self.data_coding
    }

    /// `None`: no text that anybody could have dialled.
    pub(super) fn read(self, octets: &[u8]) -> Option<Zeroizing<String>> {
        let wide = self.data_coding == 8 || (self.is_ussd() && Coding::from_dcs(self.data_coding)? == Coding::Ucs2);
        let text = if wide {
            ucs2::decode(octets).ok()
        } else if self.packed {
            gsm7::decode_packed(octets, None).ok()
        } else if self.data_coding == LATIN_1 {
            // Each letter takes two octets at most.
            let mut text = String::with_capacity(octets.len() * 2);
            text.extend(octets.iter().map(|octet| char::from(*octet)));
            Some(text)
        } else if octets.is_ascii() {
            gsm7::decode_unpacked(octets).ok()
        } else {
            // Septets have no top bit: it is packed, whatever the configuration says.
            gsm7::decode_packed(octets, None).ok()
        };
        text.map(Zeroizing::new)
    }

    /// `data_coding` and octets of a screen.
    pub(super) fn write(self, text: &str) -> (u8, Vec<u8>) {
        let coding = wire::text::choose(text);
        let data_coding = if self.is_ussd() { coding.dcs() } else { coding.smpp_data_coding() };
        let octets = match coding {
            Coding::Gsm7 if self.packed => gsm7::encode(text),
            Coding::Gsm7 => gsm7::encode_unpacked(text),
            Coding::Ucs2 => Ok(ucs2::encode(text)),
        };
        // Only letters that the alphabet has were chosen for it.
        (data_coding, octets.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Letters;

    fn read(data_coding: u8, octets: &[u8]) -> Option<String> {
        Letters::of(data_coding, false).read(octets).map(|text| text.to_string())
    }

    #[test]
    fn dialled_in_every_coding() {
        let wide: Vec<u8> = "*999#".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for data_coding in [0, 1, 3, 0x0F, 0xF0] {
            assert_eq!(read(data_coding, b"*999#").as_deref(), Some("*999#"), "{data_coding:#x}");
        }
        for data_coding in [8, 0x48] {
            assert_eq!(read(data_coding, &wide).as_deref(), Some("*999#"), "{data_coding:#x}");
            assert_eq!(read(data_coding, b"*99"), None, "half a letter");
        }
        assert_eq!(read(0x44, b"*999#"), None, "8-bit data");
    }

    #[test]
    fn packed_is_seen_or_configured() {
        // `*999#` as 3GPP TS 23.038 §6.1.2.3 packs USSD.
        assert_eq!(read(0x0F, &[0xAA, 0x5C, 0x2E, 0x37, 0x02]).as_deref(), Some("*999#"));
        assert_eq!(Letters::of(0x0F, true).read(&[0x31]).as_deref().map(String::as_str), Some("1"));
        assert_eq!(Letters::of(0x0F, true).write("*999#"), (0x0F, vec![0xAA, 0x5C, 0x2E, 0x37, 0x02]));
        assert_eq!(Letters::of(0, true).write("*9"), (0, b"*9".to_vec()), "only under 0x0F");
    }

    #[test]
    fn answered_as_asked() {
        for (asked, plain, korean) in [(0, 0, 8), (8, 0, 8), (1, 0, 8), (0x0F, 0x0F, 0x48), (0x48, 0x0F, 0x48)] {
            assert_eq!(Letters::of(asked, false).write("a@"), (plain, vec![b'a', 0]));
            assert_eq!(Letters::of(asked, false).write("원"), (korean, vec![0xC6, 0xD0]));
        }
    }
}
