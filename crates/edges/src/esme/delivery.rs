//! `deliver_sm` and `data_sm` as received.
//!
//! Read here and not by `rusmpp`, for two reasons. It reads a parameter by what its tag should hold and not by the length
//! that stands before it, so one parameter of an odd length garbles all that follow, and SMSCs send such. And it copies
//! texts to where nobody can wipe them: a password may have been typed. Here everything borrows from the received octets.
//!
//! Guarantees: total; parameters in any order, unknown ones skipped, a parameter stream that is cut ends there.
//! Deliberately not here: what a message means ([`super::receipt`], [`super::ussd`]).

use super::address::Party;

/// Tag of `receipted_message_id` (SMPP 3.4 §5.3.2.12).
pub(crate) const TAG_RECEIPTED_MESSAGE_ID: u16 = 0x001E;
/// Tag of `network_error_code` (§5.3.2.31).
pub(crate) const TAG_NETWORK_ERROR_CODE: u16 = 0x0423;
/// Tag of `message_payload` (§5.3.2.32).
pub(crate) const TAG_MESSAGE_PAYLOAD: u16 = 0x0424;
/// Tag of `message_state` (§5.3.2.35).
pub(crate) const TAG_MESSAGE_STATE: u16 = 0x0427;

/// One message to us. No `Debug`: somebody typed it.
#[derive(Clone, Copy)]
pub(crate) struct Delivery<'a> {
    pub(crate) service_type: &'a [u8],
    pub(crate) source: Party<'a>,
    pub(crate) destination: Party<'a>,
    pub(crate) esm_class: u8,
    pub(crate) data_coding: u8,
    pub(crate) text: &'a [u8],
    pub(crate) parameters: Parameters<'a>,
}

/// What follows the mandatory part (TLVs).
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// The value of the first parameter with this tag.
    pub(crate) fn get(self, tag: u16) -> Option<&'a [u8]> {
        let mut rest = Reader(self.0);
        loop {
            let (found, len) = (rest.u16()?, rest.u16()?);
            let value = rest.take(usize::from(len))?;
            if found == tag {
                return Some(value);
            }
        }
    }

    /// `user_message_reference`: two octets, or the one that some keep of it.
    pub(crate) fn reference(self) -> Option<u16> {
        match *self.get(wire::smpp_ussd::TAG_USER_MESSAGE_REFERENCE)? {
            [high, low] => Some(u16::from_be_bytes([high, low])),
            [low] => Some(u16::from(low)),
            _ => None,
        }
    }
}

/// A `deliver_sm`'s body (SMPP 3.4 §4.6.1); `None` when its mandatory part is cut.
pub(crate) fn deliver_sm(body: &[u8]) -> Option<Delivery<'_>> {
    let mut body = Reader(body);
    let service_type = body.c_string()?;
    let (source, destination) = (body.party()?, body.party()?);
    let [esm_class, _protocol_id, _priority] = body.octets()?;
    let (_schedule, _validity) = (body.c_string()?, body.c_string()?);
    let [_registered, _replace, data_coding, _default_id, len] = body.octets()?;
    let short = body.take(usize::from(len))?;
    Some(whole(service_type, source, destination, esm_class, data_coding, short, body))
}

/// A `data_sm`'s body (§4.7.1): the text is always in `message_payload`.
pub(crate) fn data_sm(body: &[u8]) -> Option<Delivery<'_>> {
    let mut body = Reader(body);
    let service_type = body.c_string()?;
    let (source, destination) = (body.party()?, body.party()?);
    let [esm_class, _registered, data_coding] = body.octets()?;
    Some(whole(service_type, source, destination, esm_class, data_coding, &[], body))
}

fn whole<'a>(
    service_type: &'a [u8],
    source: Party<'a>,
    destination: Party<'a>,
    esm_class: u8,
    data_coding: u8,
    short: &'a [u8],
    rest: Reader<'a>,
) -> Delivery<'a> {
    let parameters = Parameters(rest.0);
    let text = if short.is_empty() { parameters.get(TAG_MESSAGE_PAYLOAD).unwrap_or_default() } else { short };
    Delivery { service_type, source, destination, esm_class, data_coding, text, parameters }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn octets<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.octets().map(u16::from_be_bytes)
    }

    /// Octets before a NUL; longer than the standard allows is no reason to refuse them.
    fn c_string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        let taken = self.take(end)?;
        self.take(1)?;
        Some(taken)
    }

    fn party(&mut self) -> Option<Party<'a>> {
        let [ton, npi] = self.octets()?;
        Some(Party { ton, npi, address: self.c_string()? })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{data_sm, deliver_sm};
    use proptest::prelude::{any, proptest};

    /// A parameter.
    pub(crate) fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(value.len()).expect("short");
        [&tag.to_be_bytes()[..], &len.to_be_bytes(), value].concat()
    }

    /// The body of a `deliver_sm` from one number to another.
    pub(crate) fn body(from: &str, to: &str, esm_class: u8, data_coding: u8, text: &[u8], tlvs: &[Vec<u8>]) -> Vec<u8> {
        let len = u8::try_from(text.len()).expect("short");
        let mut body = b"USSD\0\x01\x01".to_vec();
        body.extend_from_slice(from.as_bytes());
        body.extend_from_slice(b"\0\x00\x01");
        body.extend_from_slice(to.as_bytes());
        body.extend_from_slice(&[0, esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len]);
        body.extend_from_slice(text);
        body.extend(tlvs.concat());
        body
    }

    #[test]
    fn parameters_in_any_order_unknown_odd_and_cut() {
        let odd = [tlv(0x1501, b"?"), tlv(0x0204, &[7]), tlv(0x1383, &[1, 2, 3]), tlv(0x0427, &[2])];
        let octets = body("850191", "999", 0, 0, b"hi", &odd);
        let delivery = deliver_sm(&octets).expect("whole");
        assert_eq!((delivery.source.address, delivery.destination.address), (&b"850191"[..], &b"999"[..]));
        assert_eq!((delivery.service_type, delivery.text), (&b"USSD"[..], &b"hi"[..]));
        assert_eq!(delivery.parameters.reference(), Some(7), "cut to 8 bits");
        assert_eq!(delivery.parameters.get(0x1383), Some(&[1, 2, 3][..]), "whatever its length");
        assert_eq!(delivery.parameters.get(0x0427), Some(&[2][..]), "and those after it are found");
        assert_eq!(delivery.parameters.get(0x0424), None);
        let cut = deliver_sm(&octets[..octets.len() - 1]).expect("the mandatory part is whole");
        assert_eq!(cut.parameters.get(0x0427), None);
        let reference = body("1", "2", 0, 0, b"", &[tlv(0x0204, &[0x12, 0x34])]);
        assert_eq!(deliver_sm(&reference).expect("whole").parameters.reference(), Some(0x1234));
    }

    #[test]
    fn a_mandatory_part_that_is_cut_is_none() {
        let octets = body("850191", "999", 0, 0, b"hi", &[]);
        assert!((0..octets.len()).all(|len| deliver_sm(&octets[..len]).is_none()));
    }

    #[test]
    fn a_text_in_message_payload() {
        let octets = body("850191", "999", 0, 0, b"", &[tlv(0x0424, b"*999#")]);
        assert_eq!(deliver_sm(&octets).expect("whole").text, b"*999#");
        let data = [&b"USSD\0\x01\x01850191\0\x00\x01999\0\x00\x00\x08"[..], &tlv(0x0424, b"*9")].concat();
        let delivery = data_sm(&data).expect("whole");
        assert_eq!((delivery.data_coding, delivery.text), (8, &b"*9"[..]));
        assert!(data_sm(b"USSD\0\x01").is_none());
    }

    /// Why `rusmpp` does not read deliveries here; when this fails, it has got better.
    #[test]
    fn rusmpp_loses_a_parameter_after_one_of_an_odd_length() {
        use rusmpp::decode::DecodeWithLength;
        use rusmpp::pdus::DeliverSm;
        let state = |parameters: &[Vec<u8>]| {
            let octets = body("850191", "999", 4, 0, b"", parameters);
            let len = octets.len();
            let decoded = DeliverSm::decode(&mut bytes::BytesMut::from(&octets[..]), len).ok();
            let found = |pdu: &DeliverSm| pdu.tlvs().iter().any(|tlv| u16::from(tlv.tag()) == 0x0427);
            (
                decoded.is_some_and(|(pdu, _)| found(&pdu)),
                deliver_sm(&octets).and_then(|d| d.parameters.get(0x0427)).is_some(),
            )
        };
        assert_eq!(state(&[tlv(0x0204, &[0, 7]), tlv(0x0427, &[2])]), (true, true));
        assert_eq!(state(&[tlv(0x1383, &[1, 2, 3]), tlv(0x0427, &[2])]), (false, true));
        assert_eq!(state(&[tlv(0x0204, &[7]), tlv(0x0427, &[2])]), (false, true));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in any::<Vec<u8>>(), tag in any::<u16>()) {
            for delivery in [deliver_sm(&octets), data_sm(&octets)].into_iter().flatten() {
                let _ = (delivery.parameters.get(tag), delivery.parameters.reference());
            }
        }
    }
}
