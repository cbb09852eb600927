//! The PDUs that we send, built by `rusmpp`, and the fields that we read from its answers.
//!
//! Guarantees: what is built has the lengths that SMPP allows, because [`super::EsmeConfig::check`] saw the settings and a
//! text is measured first. `rusmpp`'s types print what they hold, so none of them is ever given to a log.

use bytes::{Bytes, BytesMut};
use domain::number::Msisdn;
use rusmpp::encode::Length;
use rusmpp::encode::owned::Encode;
use rusmpp::pdus::builders::SubmitSmBuilder;
use rusmpp::pdus::{BindTransceiver, DataSmResp, DeliverSmResp, SubmitSm};
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Parameter;
use rusmpp::types::{COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use wire::text::{Budget, Coding};
use wire::{gsm7, ucs2};
use zeroize::{Zeroize, Zeroizing};

use super::address::Address;
use super::config::{Alphabet, EsmeConfig};

/// Validity periods are cut to this: longer ones don't fit the relative form with days alone (SMPP 3.4 §7.1.1).
const VALIDITY_S_MAX: u32 = 30 * 86_400;

/// Appends a PDU to what is to be sent.
pub(crate) fn put(out: &mut Vec<u8>, status: u32, sequence: u32, pdu: impl Into<Pdu>) {
    let command = Command::new(CommandStatus::from(status), sequence, pdu);
    let len = 4 + command.length();
    let mut octets = BytesMut::with_capacity(len);
    command.encode(&mut octets);
    out.reserve(len);
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&octets);
    octets.as_mut().zeroize();
}

/// `bind_transceiver`. The copies of the password that we make here are wiped.
pub(crate) fn bind(config: &EsmeConfig) -> BindTransceiver {
    let mut password = Zeroizing::new(Vec::with_capacity(config.password.as_str().len() + 1));
    password.extend_from_slice(config.password.as_str().as_bytes());
    password.push(0);
    BindTransceiver::builder()
        .system_id(c_string(&config.system_id))
        .password(COctetString::from_bytes(Bytes::from_owner(password)).unwrap_or_else(|_| COctetString::empty()))
        .system_type(c_string(&config.system_type))
        .interface_version(InterfaceVersion::from(config.interface_version))
        .addr_ton(Ton::from(config.addr_ton))
        .addr_npi(Npi::from(config.addr_npi))
        .address_range(c_string(&config.addr_range))
        .build()
}

/// The answer to a delivery.
pub(crate) fn delivery_resp(id: CommandId) -> Pdu {
    match id {
        CommandId::DataSm => DataSmResp::default().into(),
        _ => DeliverSmResp::default().into(),
    }
}

/// What an SMS needs besides its text.
pub(crate) struct Sms<'a> {
    pub(crate) to: Msisdn,
    pub(crate) text: &'a str,
    pub(crate) reference: u16,
    pub(crate) validity_s: Option<u32>,
    pub(crate) want_receipt: bool,
}

/// `submit_sm` for an SMS; `None` when the text does not fit one.
pub(crate) fn sms(config: &EsmeConfig, sms: &Sms<'_>) -> Option<SubmitSm> {
    let (data_coding, octets) = sms_text(config.alphabet, sms.text)?;
    let mut submit = submit_sm()
        .source_addr_ton(Ton::from(config.source.ton))
        .source_addr_npi(Npi::from(config.source.npi))
        .source_addr(c_string(&config.source.address))
        .dest_addr_ton(Ton::from(config.dest_ton))
        .dest_addr_npi(Npi::from(config.dest_npi))
        .destination_addr(c_string(&sms.to.get().to_string()))
        .registered_delivery(RegisteredDelivery::from(u8::from(sms.want_receipt)))
        .data_coding(DataCoding::from(data_coding))
        .short_message(OctetString::from_vec(octets).ok()?);
    if let Some(validity_s) = sms.validity_s {
        let period = EmptyOrFullCOctetString::from_string(validity_period(validity_s));
        submit = submit.validity_period(period.unwrap_or_else(|_| EmptyOrFullCOctetString::empty()));
    }
    if config.send_reference {
        submit = submit.push_tlv(Parameter::UserMessageReference(sms.reference.into()));
    }
    Some(submit.build())
}

fn sms_text(alphabet: Alphabet, text: &str) -> Option<(u8, Vec<u8>)> {
    let plain = match alphabet {
        Alphabet::Gsm7 => wire::text::choose(text) == Coding::Gsm7,
        Alphabet::Ascii => text.chars().all(means_the_same),
        Alphabet::Ucs2 => ucs2::units(text) > Budget::SMS.ucs2 && text.chars().all(means_the_same),
    };
    if plain {
        let octets = gsm7::encode_unpacked(text).ok()?;
        let coding = Coding::Gsm7.smpp_data_coding();
        (octets.len() <= Budget::SMS.septets).then_some((coding, octets))
    } else {
        let coding = Coding::Ucs2.smpp_data_coding();
        (ucs2::units(text) <= Budget::SMS.ucs2).then(|| (coding, ucs2::encode(text)))
    }
}

/// Letters with one code in ASCII and in GSM 7-bit: all but `$ @ _` and a few of the extension table or of neither.
const fn means_the_same(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | ' '..='#' | '%'..='?' | 'A'..='Z' | 'a'..='z')
}

/// The relative form `YYMMDDhhmmsstnnR`.
fn validity_period(validity_s: u32) -> String {
    let s = validity_s.clamp(1, VALIDITY_S_MAX);
    format!("0000{:02}{:02}{:02}{:02}000R", s / 86_400, s / 3_600 % 24, s / 60 % 60, s % 60)
}

/// A screen's way back to its phone.
pub(crate) struct Reply<'a> {
    pub(crate) service_type: &'a str,
    pub(crate) source: &'a Address,
    pub(crate) dest: &'a Address,
    pub(crate) data_coding: u8,
    pub(crate) octets: Vec<u8>,
    /// Tag and value, in this order.
    pub(crate) parameters: Vec<Parameter>,
}

/// `submit_sm` for a screen; `None` when it has more octets than `short_message` holds, which no budget allows.
pub(crate) fn screen(reply: Reply<'_>) -> Option<SubmitSm> {
    let Reply { service_type, source, dest, data_coding, octets, parameters } = reply;
    let submit = submit_sm()
        .service_type(rusmpp::values::ServiceType::new(c_string(service_type)))
        .source_addr_ton(Ton::from(source.ton))
        .source_addr_npi(Npi::from(source.npi))
        .source_addr(c_string(&source.address))
        .dest_addr_ton(Ton::from(dest.ton))
        .dest_addr_npi(Npi::from(dest.npi))
        .destination_addr(c_string(&dest.address))
        .data_coding(DataCoding::from(data_coding))
        .short_message(OctetString::from_vec(octets).ok()?)
        .tlvs(parameters);
    Some(submit.build())
}

/// `rusmpp`'s own default for `esm_class` is 0x08, an acknowledgement by a phone: a message is 0.
fn submit_sm() -> SubmitSmBuilder {
    SubmitSm::builder().esm_class(EsmClass::from(0))
}

/// Empty where the text does not fit: lengths are checked where texts come in.
fn c_string<const MAX: usize>(text: &str) -> COctetString<1, MAX> {
    COctetString::from_string(String::from(text)).unwrap_or_else(|_| COctetString::empty())
}

#[cfg(test)]
mod tests {
    use super::{Sms, put, sms, sms_text, validity_period};
    use crate::esme::config::{Alphabet, EsmeConfig, Secret};
    use domain::ids::LinkId;
    use domain::number::Msisdn;
    use proptest::prelude::{any, proptest};
    use zeroize::Zeroizing;

    fn config() -> EsmeConfig {
        let mut config =
            EsmeConfig::new(LinkId(1), "t", "h:1", "sonmul", Secret::new(Zeroizing::new(String::from("pw"))));
        (config.source.ton, config.source.address) = (5, String::from("Sonmul"));
        config
    }

    fn octets(text: &str) -> Vec<u8> {
        let to = Msisdn::parse("8501921112222").expect("a number");
        let sms = sms(&config(), &Sms { to, text, reference: 0x1234, validity_s: Some(90_061), want_receipt: true });
        let mut out = Vec::new();
        put(&mut out, 0, 9, sms.expect("it fits"));
        out
    }

    #[test]
    fn an_sms_octet_by_octet() {
        let mut expected = b"\0\0\0\x56\0\0\0\x04\0\0\0\0\0\0\0\x09\0\x05\0Sonmul\0\x01\x018501921112222\0".to_vec();
        expected.extend_from_slice(b"\0\0\0\x00000001010101000R\0\x01\0\0\0\x05a\x1B\x65\x02z");
        expected.extend_from_slice(b"\x02\x04\0\x02\x12\x34");
        let len = u32::try_from(expected.len()).expect("short").to_be_bytes();
        expected[..4].copy_from_slice(&len);
        assert_eq!(octets("a€$z"), expected);
    }

    #[test]
    fn a_bind_octet_by_octet() {
        let mut out = Vec::new();
        put(&mut out, 0, 1, super::bind(&config()));
        assert_eq!(out, b"\0\0\0\x1F\0\0\0\x09\0\0\0\0\0\0\0\x01sonmul\0pw\0\0\x34\0\0\0");
    }

    #[test]
    fn alphabets() {
        assert_eq!(sms_text(Alphabet::Gsm7, "a@"), Some((0, vec![b'a', 0])));
        assert_eq!(sms_text(Alphabet::Gsm7, "원"), Some((8, vec![0xC6, 0xD0])));
        assert_eq!(sms_text(Alphabet::Ascii, "a b"), Some((0, b"a b".to_vec())));
        assert_eq!(sms_text(Alphabet::Ascii, "@"), Some((8, vec![0, b'@'])));
        assert_eq!(sms_text(Alphabet::Ucs2, "a"), Some((8, vec![0, b'a'])));
        assert_eq!(sms_text(Alphabet::Ucs2, &"a".repeat(70)).map(|(coding, _)| coding), Some(8));
        assert_eq!(sms_text(Alphabet::Ucs2, &"a".repeat(71)), Some((0, "a".repeat(71).into_bytes())));
        assert_eq!(sms_text(Alphabet::Ucs2, &"원".repeat(71)), None);
    }

    #[test]
    fn one_sms_and_no_more() {
        for alphabet in [Alphabet::Gsm7, Alphabet::Ascii, Alphabet::Ucs2] {
            assert!(sms_text(alphabet, &"a".repeat(160)).is_some());
            assert!(sms_text(alphabet, &"a".repeat(161)).is_none());
        }
        assert!(
            sms_text(Alphabet::Gsm7, &"€".repeat(80)).is_some() && sms_text(Alphabet::Gsm7, &"€".repeat(81)).is_none()
        );
        assert!(sms_text(Alphabet::Gsm7, &"원".repeat(70)).is_some());
        assert!(sms_text(Alphabet::Gsm7, &"원".repeat(71)).is_none());
    }

    #[test]
    fn validity_periods() {
        assert_eq!(validity_period(90_061), "000001010101000R");
        assert_eq!(validity_period(0), "000000000001000R");
        assert_eq!(validity_period(u32::MAX), "000030000000000R");
    }

    proptest! {
        #[test]
        fn what_means_the_same_has_one_code(letter in any::<char>()) {
            if super::means_the_same(letter) {
                let mut ascii = [0; 4];
                let ascii = letter.encode_utf8(&mut ascii).as_bytes();
                assert_eq!(wire::gsm7::encode_unpacked(&letter.to_string()).as_deref(), Ok(ascii));
            }
        }
    }
}
