//! Osmocom's control interface: one line of text to a frame, here used to ask OsmoHLR for the MSISDN of an IMSI.
//!
//! **For:** the GSUP edge: a GSUP request carries the IMSI only.
//!
//! **Guarantees:** [`Ctrl::parse`] is total and borrows. No `Debug` here shows a value, a variable or a reason, since
//! they hold subscriber numbers.
//!
//! **Bounded by:** [`crate::ipa::FRAME_LEN_MAX`], [`VARIABLE_LEN_MAX`].
//!
//! **Not here:** setting anything. Matching an answer to a question is the edge's work, by the id; time-outs and
//! caches too.
//!
//! Source: OsmoHLR 1.5.0, run and captured, and the Osmocom control interface's manual.

use std::fmt;

use crate::imsi::Imsi;
use crate::ipa::{Extension, FrameError, extension_frame};

/// The longest name of a variable that we ask for, in octets.
pub const VARIABLE_LEN_MAX: usize = 128;

/// What OsmoHLR says for a variable without a value, such as the MSISDN of a subscriber that has none.
pub const NONE: &str = "none";

/// Why a control message can't be read or built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CtrlError {
    /// Not UTF-8.
    #[error("a control message that is not text")]
    NotText,
    /// A first word that is not among [`Ctrl`]'s.
    #[error("a control message of a kind not known here")]
    UnknownKind,
    /// An id that is not a number, or a word that is missing.
    #[error("a control message with a word missing")]
    Incomplete,
    /// A variable's name that is empty, has blanks or control characters, or passes [`VARIABLE_LEN_MAX`].
    #[error("a control variable's name that can't be asked for")]
    Variable,
    /// See [`FrameError`].
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Builds the frame that asks for a variable. `id` comes back in the answer.
///
/// # Errors
/// [`CtrlError::Variable`].
pub fn get(id: u32, variable: &str) -> Result<Vec<u8>, CtrlError> {
    let askable = !variable.is_empty()
        && variable.len() <= VARIABLE_LEN_MAX
        && variable.bytes().all(|octet| octet.is_ascii_graphic());
    if !askable {
        return Err(CtrlError::Variable);
    }
    Ok(extension_frame(Extension::Ctrl, format!("GET {id} {variable}").as_bytes())?)
}

/// Builds the frame that asks OsmoHLR for the MSISDN of a subscriber.
///
/// # Errors
/// None that happens: the name is of limited length and without blanks.
pub fn get_msisdn(id: u32, imsi: &Imsi) -> Result<Vec<u8>, CtrlError> {
    get(id, &format!("subscriber.by-imsi-{}.msisdn", imsi.as_str()))
}

/// A message of the control interface, as a server sends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ctrl<'a> {
    /// The value of a variable.
    GetReply {
        /// The id of the question.
        id: u32,
        /// The variable asked for.
        variable: &'a str,
        /// Its value, blanks included; empty if there is none, and often [`NONE`].
        value: &'a str,
    },
    /// A question that has no answer: `No such subscriber.`
    Error {
        /// The id of the question; `None` when the server could not read one.
        id: Option<u32>,
        /// The server's words.
        reason: &'a str,
    },
    /// News that nobody asked for.
    Trap {
        /// The variable that changed.
        variable: &'a str,
        /// Its value.
        value: &'a str,
    },
}

impl<'a> Ctrl<'a> {
    /// Reads the body of a frame of [`Extension::Ctrl`].
    ///
    /// # Errors
    /// [`CtrlError::NotText`], [`CtrlError::UnknownKind`], [`CtrlError::Incomplete`].
    pub fn parse(body: &'a [u8]) -> Result<Ctrl<'a>, CtrlError> {
        let text = std::str::from_utf8(body).map_err(|_| CtrlError::NotText)?;
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "GET_REPLY" => {
                let (id, variable, value) = words(rest)?;
                let id = id.parse().map_err(|_| CtrlError::Incomplete)?;
                Ok(Ctrl::GetReply { id, variable, value })
            }
            "ERROR" => {
                let (id, reason) = rest.split_once(' ').ok_or(CtrlError::Incomplete)?;
                Ok(Ctrl::Error { id: id.parse().ok(), reason })
            }
            "TRAP" => {
                let (_, variable, value) = words(rest)?;
                Ok(Ctrl::Trap { variable, value })
            }
            _ => Err(CtrlError::UnknownKind),
        }
    }
}

/// Cuts `id variable value`; the value may be missing or have blanks.
fn words(text: &str) -> Result<(&str, &str, &str), CtrlError> {
    let (id, rest) = text.split_once(' ').ok_or(CtrlError::Incomplete)?;
    let (variable, value) = rest.split_once(' ').unwrap_or((rest, ""));
    if variable.is_empty() { Err(CtrlError::Incomplete) } else { Ok((id, variable, value)) }
}

/// Shows kind and id only: variables and values hold subscriber numbers.
impl fmt::Debug for Ctrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ctrl::GetReply { id, .. } => f.debug_struct("GetReply").field("id", id).finish_non_exhaustive(),
            Ctrl::Error { id, .. } => f.debug_struct("Error").field("id", id).finish_non_exhaustive(),
            Ctrl::Trap { .. } => f.debug_struct("Trap").finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::{Ctrl, CtrlError, VARIABLE_LEN_MAX, get, get_msisdn};
    use crate::imsi::Imsi;
    use crate::ipa::{Extension, take_frame};
    use proptest::prelude::{any, proptest};

    #[test]
    fn the_question() {
        let imsi = Imsi::parse("901700000000001").expect("an IMSI");
        let octets = get_msisdn(6, &imsi).expect("askable");
        let Ok(Some((frame, []))) = take_frame(&octets) else { panic!("not one frame") };
        let text = b"GET 6 subscriber.by-imsi-901700000000001.msisdn";
        assert_eq!(frame.extension(), Some((Extension::Ctrl, &text[..])));
        assert_eq!(octets[..4], [0, 48, 0xEE, 0]);
    }

    #[test]
    fn names_that_can_not_be_asked_for() {
        for variable in ["", "a b", "a\nb", "전", &"x".repeat(VARIABLE_LEN_MAX + 1)] {
            assert_eq!(get(1, variable), Err(CtrlError::Variable), "{variable:?}");
        }
    }

    #[test]
    fn the_answers() {
        let variable = "subscriber.by-imsi-901700000000001.msisdn";
        let table = [
            (
                format!("GET_REPLY 6 {variable} 46700000001"),
                Ok(Ctrl::GetReply { id: 6, variable, value: "46700000001" }),
            ),
            (format!("GET_REPLY 6 {variable} none"), Ok(Ctrl::GetReply { id: 6, variable, value: super::NONE })),
            (format!("GET_REPLY 6 {variable}"), Ok(Ctrl::GetReply { id: 6, variable, value: "" })),
            (format!("GET_REPLY 6 {variable} a b"), Ok(Ctrl::GetReply { id: 6, variable, value: "a b" })),
            ("ERROR 6 No such subscriber.".to_owned(), Ok(Ctrl::Error { id: Some(6), reason: "No such subscriber." })),
            (
                "ERROR err Command parser error.".to_owned(),
                Ok(Ctrl::Error { id: None, reason: "Command parser error." }),
            ),
            ("TRAP 0 a.b c".to_owned(), Ok(Ctrl::Trap { variable: "a.b", value: "c" })),
            ("GET_REPLY".to_owned(), Err(CtrlError::Incomplete)),
            ("GET_REPLY 6".to_owned(), Err(CtrlError::Incomplete)),
            ("GET_REPLY 6 ".to_owned(), Err(CtrlError::Incomplete)),
            ("GET_REPLY x a b".to_owned(), Err(CtrlError::Incomplete)),
            ("GET_REPLY 4294967296 a b".to_owned(), Err(CtrlError::Incomplete)),
            ("ERROR 6".to_owned(), Err(CtrlError::Incomplete)),
            ("SET_REPLY 6 a b".to_owned(), Err(CtrlError::UnknownKind)),
            (String::new(), Err(CtrlError::UnknownKind)),
        ];
        for (text, expected) in table {
            assert_eq!(Ctrl::parse(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(Ctrl::parse(b"ERROR 6 \xff"), Err(CtrlError::NotText));
    }

    #[test]
    fn debug_hides_the_numbers() {
        let reply = Ctrl::parse(b"GET_REPLY 6 subscriber.by-imsi-901700000000001.msisdn 46700000001");
        assert_eq!(format!("{reply:?}"), "Ok(GetReply { id: 6, .. })");
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in any::<Vec<u8>>(), text in "(GET_REPLY|ERROR|TRAP) [0-9a-z. ]{0,20}") {
            let _ = (Ctrl::parse(&octets), Ctrl::parse(text.as_bytes()));
        }
    }
}
