//! Addresses as SMPP writes them: configured, received, and those that are numbers.
//!
//! Guarantees: total; nothing here fails on what a peer sends. Deliberately not here: who is calling ([`super::ussd`]).

use domain::number::Msisdn;

/// An SMPP address: type of number and numbering plan as in SMPP 3.4 §5.2.5, §5.2.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// 0 unknown, 1 international, 2 national, 3 network, 5 letters.
    pub ton: u8,
    /// 0 unknown, 1 ISDN (E.164).
    pub npi: u8,
    /// Digits, or up to 11 letters with `ton` 5; empty: the SMSC fills it in.
    pub address: String,
}

impl Address {
    /// Whether an SMS may come from it; what is wrong otherwise.
    pub(super) fn check_source(&self) -> Result<(), &'static str> {
        let Address { ton, address, .. } = self;
        let digits = address.bytes().all(|octet| octet.is_ascii_digit());
        let letters =
            address.bytes().all(|octet| octet == b' ' || octet.is_ascii_alphanumeric() || b"-._&".contains(&octet));
        match ton {
            5 if address.is_empty() || 11 < address.len() || !letters => {
                Err("with ton 5 must have 1 to 11 letters, digits, blanks or -._&")
            }
            5 => Ok(()),
            _ if 20 < address.len() || !digits => Err("must have at most 20 digits; letters need ton 5"),
            _ => Ok(()),
        }
    }
}

/// An address as received: type of number, numbering plan, digits or letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Party<'a> {
    pub(crate) ton: u8,
    pub(crate) npi: u8,
    pub(crate) address: &'a [u8],
}

impl Party<'_> {
    /// The same to be kept and sent.
    pub(crate) fn to_address(self) -> Address {
        Address { ton: self.ton, npi: self.npi, address: ascii(self.address) }
    }
}

/// A number as the network writes it, with or without `+` or `00`; `None`: it is no international one.
pub(crate) fn international(address: &[u8]) -> Option<Msisdn> {
    let digits = std::str::from_utf8(address).ok()?;
    let digits = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")).unwrap_or(digits);
    Msisdn::parse(digits).ok()
}

/// The characters of a field that the standard wants in ASCII; others are left out.
pub(crate) fn ascii(octets: &[u8]) -> String {
    octets.iter().filter(|octet| octet.is_ascii()).map(|octet| char::from(*octet)).collect()
}
