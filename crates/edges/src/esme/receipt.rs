//! Delivery receipts: what became of an SMS.
//!
//! **For:** whoever waits for them ([`Receipts`]); the parser is pure.
//!
//! **Guarantees:** no octets make it panic. A receipt is known by `esm_class`, by its parameters or by its text, and each
//! fact is taken from wherever it stands: parameters first, then `id:… stat:… err:…` (SMPP 3.4 appendix B). Dates are not
//! read: some write the literal `YYMMDDhhmm`, and nothing needs them. Texts of messages are never kept.
//!
//! **Bounded by:** [`MESSAGE_ID_LEN_MAX`], [`ERROR_LEN_MAX`].
//!
//! **Deliberately not here:** which SMS it belongs to ([`crate::sms`]). SMSCs answer ids in hexadecimal and send receipts in
//! decimal, or give no id and keep eight bits of the reference: then number and reference must do.

use std::future::Future;

use domain::number::Msisdn;

use super::address::international;
use super::delivery::{Delivery, TAG_MESSAGE_STATE, TAG_NETWORK_ERROR_CODE, TAG_RECEIPTED_MESSAGE_ID};

/// Characters of a message id at most (SMPP 3.4 §5.2.23).
pub const MESSAGE_ID_LEN_MAX: usize = 64;
/// Characters of an error code at most: the standard has three, some write more.
pub const ERROR_LEN_MAX: usize = 16;
/// What OsmoMSC answers in place of an id.
const NO_ID: &str = "msg_id_not_implemented";
/// Bits of `esm_class` that say what a message is (SMPP 3.4 §5.2.12).
const TYPE_MASK: u8 = 0b0011_1100;
const TYPE_RECEIPT: u8 = 0b0000_0100;
const TYPE_INTERMEDIATE: u8 = 0b0010_0000;

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// On its way; another receipt follows.
    Enroute,
    /// On the phone.
    Delivered,
    /// Its time was over.
    Expired,
    /// Somebody deleted it.
    Deleted,
    /// It can't be delivered.
    Undeliverable,
    /// Somebody read it for the phone.
    Accepted,
    /// The SMSC doesn't know.
    Unknown,
    /// The network refused it.
    Rejected,
}

impl State {
    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Enroute)
    }

    /// `message_state` (SMPP 3.4 §5.2.28; 0 and 9 are SMPP 5.0's *scheduled* and *skipped*).
    const fn from_code(code: u8) -> Self {
        match code {
            0 | 1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Undeliverable,
            6 => Self::Accepted,
            8 | 9 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// `stat:` by its first letters, since some spell the words out.
    fn from_word(word: &str) -> Self {
        let is = |prefix: &str| word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if is("DELIV") {
            Self::Delivered
        } else if is("EXPI") {
            Self::Expired
        } else if is("DELE") {
            Self::Deleted
        } else if is("UNDEL") || is("FAIL") {
            Self::Undeliverable
        } else if is("ACCEP") {
            Self::Accepted
        } else if is("REJ") || is("SKIP") {
            Self::Rejected
        } else if is("ENRO") || is("BUFF") || is("SCHED") {
            Self::Enroute
        } else {
            Self::Unknown
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The SMSC's id, as it stands in the receipt.
    pub message_id: Option<String>,
    /// `user_message_reference`, perhaps cut to its low eight bits (OsmoMSC).
    pub reference: Option<u16>,
    /// Whom the message was for, where that is an international number.
    pub of: Option<Msisdn>,
    /// Where it is.
    pub state: State,
    /// The network's error code: three characters mostly, `type/code` where it came as a parameter; `None` for none.
    pub error: Option<String>,
}

/// A receipt was not taken over: the SMSC is asked to send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTaken;

/// Who wants receipts. The SMSC hears that one arrived only when this has taken it, so `Ok` means: kept for good.
pub trait Receipts: Send + Sync + 'static {
    /// Takes a receipt over. The same one may come again.
    fn take(&self, receipt: Receipt) -> impl Future<Output = Result<(), NotTaken>> + Send;
}

/// Reads the body of a `deliver_sm` as a receipt; `None` when it is none.
#[must_use]
pub fn parse(body: &[u8]) -> Option<Receipt> {
    read(&super::delivery::deliver_sm(body)?)
}

/// Whether `esm_class` says that this is a receipt.
pub(crate) const fn says_so(delivery: &Delivery<'_>) -> bool {
    matches!(delivery.esm_class & TYPE_MASK, TYPE_RECEIPT | TYPE_INTERMEDIATE)
}

/// A message as a receipt; `None` when it is none.
pub(crate) fn read(delivery: &Delivery<'_>) -> Option<Receipt> {
    let parameters = delivery.parameters;
    let state = parameters.get(TAG_MESSAGE_STATE).and_then(|value| value.first()).map(|code| State::from_code(*code));
    let id = parameters.get(TAG_RECEIPTED_MESSAGE_ID).and_then(message_id);
    let text = text(delivery);
    let field = |name: &str| field(&text, name);
    let looks_like_one = field("id").is_some() && field("stat").is_some();
    if !(says_so(delivery) || state.is_some() || id.is_some() || looks_like_one) {
        return None;
    }
    let error = parameters.get(TAG_NETWORK_ERROR_CODE).and_then(|value| match *value {
        [network, high, low] if [high, low] != [0, 0] => Some(format!("{network}/{}", u16::from_be_bytes([high, low]))),
        _ => None,
    });
    let error_word =
        || field("err").map(|word| cut(word, ERROR_LEN_MAX)).filter(|word| word.bytes().any(|octet| octet != b'0'));
    Some(Receipt {
        message_id: id.or_else(|| message_id(field("id")?.as_bytes())),
        reference: parameters.reference(),
        of: international(delivery.source.address),
        state: state.or_else(|| field("stat").map(State::from_word)).unwrap_or(State::Unknown),
        error: error.or_else(error_word),
    })
}

/// The id in a `submit_sm_resp` or a receipt; `None` for what is no id.
pub(crate) fn message_id(octets: &[u8]) -> Option<String> {
    let id = octets.split(|octet| *octet == 0).next()?.trim_ascii();
    let printable = id.iter().all(|octet| octet.is_ascii_graphic());
    let id = std::str::from_utf8(id).ok().filter(|id| printable && !id.is_empty() && *id != NO_ID)?;
    (id.len() <= MESSAGE_ID_LEN_MAX).then(|| String::from(id))
}

/// A receipt's text, as far as its keys and values go: ASCII, also where it came in UCS-2.
fn text(delivery: &Delivery<'_>) -> String {
    let wide = delivery.data_coding == 8;
    let octets = delivery.text;
    let ascii = |octet: u8| if octet.is_ascii() { char::from(octet) } else { '?' };
    if wide && octets.first() == Some(&0) {
        return octets.chunks_exact(2).map(|pair| if let [0, low] = *pair { ascii(low) } else { '?' }).collect();
    }
    octets.iter().map(|octet| ascii(*octet)).collect()
}

/// The value after `name:`, up to the next blank. What comes after `text:` is a message and not looked at.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let end = text.as_bytes().windows(5).position(|word| word.eq_ignore_ascii_case(b"text:")).unwrap_or(text.len());
    let mut words = text.get(..end)?.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let Some((key, value)) = word.split_once(':') else { continue };
        if key.eq_ignore_ascii_case(name) {
            // Some write a blank after the colon.
            let value = if value.is_empty() { words.next()? } else { value };
            return Some(value).filter(|value| !value.contains(':'));
        }
    }
    None
}

fn cut(word: &str, len_max: usize) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).take(len_max).collect()
}

#[cfg(test)]
mod tests;
