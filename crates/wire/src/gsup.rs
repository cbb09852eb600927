//! GSUP, Osmocom's protocol between HLR and everyone else: the three messages that carry a supplementary-service
//! dialogue.
//!
//! **For:** the EUSE edge. A phone's USSD comes in as a request with [`crate::ss`] octets inside and is answered by a
//! result.
//!
//! **Guarantees:** [`ProcSs::parse`] is total and borrows. A parsed message has an IMSI, a session id and a session
//! state, since nothing can be answered without them. No `Debug` here shows what the elements hold (a dialled string
//! is in one).
//!
//! **Bounded by:** [`ELEMENTS_MAX`], [`ELEMENT_LEN_MAX`], and the frame around it ([`crate::ipa::FRAME_LEN_MAX`]).
//!
//! **Not here:** every other GSUP message (location updates, authentication), and when to answer what: OsmoHLR hands
//! our error and an empty END to the phone as *nothing*, so an outcome is always a text in a result.
//!
//! Source: libosmocore's `gsup.h`; OsmoHLR 1.5.0, run and captured.

use std::fmt;

use crate::imsi::{Imsi, ImsiError};

/// The most elements that are read of one message, unknown ones included. Those captured had four.
pub const ELEMENTS_MAX: usize = 32;
/// The longest value of an element, in octets: its length is one octet.
pub const ELEMENT_LEN_MAX: usize = 255;

/// The message class of USSD, for [`ProcSs::class`]. OsmoHLR 1.5.0 does not send it.
pub const CLASS_USSD: u8 = 3;

const IMSI: u8 = 0x01;
const CAUSE: u8 = 0x02;
const CLASS: u8 = 0x0A;
const SESSION_ID: u8 = 0x30;
const SESSION_STATE: u8 = 0x31;
const SS_INFO: u8 = 0x35;

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From the phone's side: a dialled string or an answer to a prompt.
    Request,
    /// A failure; it has a cause.
    Error,
    /// From our side: a prompt or the last word.
    Result,
}

impl Kind {
    /// The first octet of the message.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Kind::Request => 0x20,
            Kind::Error => 0x21,
            Kind::Result => 0x22,
        }
    }

    fn from_code(code: u8) -> Option<Kind> {
        [Kind::Request, Kind::Error, Kind::Result].into_iter().find(|kind| kind.code() == code)
    }
}

/// Where a message stands in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// The first.
    Begin,
    /// One in between.
    Continue,
    /// The last.
    End,
}

impl SessionState {
    /// The octet of the element.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            SessionState::Begin => 1,
            SessionState::Continue => 2,
            SessionState::End => 3,
        }
    }

    fn from_code(code: u8) -> Option<SessionState> {
        [SessionState::Begin, SessionState::Continue, SessionState::End].into_iter().find(|state| state.code() == code)
    }
}

/// The elements that are read here; all others are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// The SIM.
    Imsi,
    /// Why it failed.
    Cause,
    /// Which service it is about.
    Class,
    /// The number of the session.
    SessionId,
    /// Where the message stands in it.
    SessionState,
    /// The component.
    SsInfo,
}

impl Element {
    fn from_tag(tag: u8) -> Option<Element> {
        match tag {
            IMSI => Some(Element::Imsi),
            CAUSE => Some(Element::Cause),
            CLASS => Some(Element::Class),
            SESSION_ID => Some(Element::SessionId),
            SESSION_STATE => Some(Element::SessionState),
            SS_INFO => Some(Element::SsInfo),
            _ => None,
        }
    }
}

/// Why octets are not one of these messages, or a message can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GsupError {
    /// No octet at all.
    #[error("an empty GSUP message")]
    Empty,
    /// A message of another kind.
    #[error("GSUP message {code:#04x} is not about supplementary services")]
    UnknownKind {
        /// The message's first octet.
        code: u8,
    },
    /// An element that is longer than what follows, or a tag without a length.
    #[error("a GSUP message ends inside an element")]
    Truncated,
    /// More than [`ELEMENTS_MAX`] elements.
    #[error("too many elements in a GSUP message")]
    TooManyElements,
    /// The same element twice: it could mean either.
    #[error("element {element:?} stands twice in a GSUP message")]
    Repeated {
        /// Which.
        element: Element,
    },
    /// An element whose value is of the wrong length or not among those defined.
    #[error("element {element:?} of a GSUP message is broken")]
    BadValue {
        /// Which.
        element: Element,
    },
    /// The IMSI's value is none.
    #[error(transparent)]
    Imsi(#[from] ImsiError),
    /// An element that every such message has is not there.
    #[error("a GSUP message without {element:?}")]
    Missing {
        /// Which.
        element: Element,
    },
    /// More than [`ELEMENT_LEN_MAX`] octets of SS-info to be sent.
    #[error("{len} octets are too many for an element")]
    TooLong {
        /// How many.
        len: usize,
    },
}

/// A supplementary-service message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProcSs<'a> {
    /// Request, error or result.
    pub kind: Kind,
    /// Whose phone it is; GSUP does not say the MSISDN.
    pub imsi: Imsi,
    /// Why it failed, as of TS 24.008 §10.5.5.14; in errors.
    pub cause: Option<u8>,
    /// [`CLASS_USSD`], if the peer says so.
    pub class: Option<u8>,
    /// The session, together with the IMSI. Switches count from a fixed start after each restart: the numbers come
    /// back.
    pub session_id: u32,
    /// Where the message stands in the session.
    pub session_state: SessionState,
    /// One component, see [`crate::ss`]; at most [`ELEMENT_LEN_MAX`] octets. An empty END has none.
    pub ss_info: Option<&'a [u8]>,
}

/// Shows no octet of the component: a dialled string is in it.
impl fmt::Debug for ProcSs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcSs")
            .field("kind", &self.kind)
            .field("imsi", &self.imsi)
            .field("cause", &self.cause)
            .field("session_id", &self.session_id)
            .field("session_state", &self.session_state)
            .field("ss_info_len", &self.ss_info.map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}

/// What has been read so far.
#[derive(Default)]
struct Elements<'a> {
    imsi: Option<Imsi>,
    cause: Option<u8>,
    class: Option<u8>,
    session_id: Option<u32>,
    session_state: Option<SessionState>,
    ss_info: Option<&'a [u8]>,
}

/// Fills a place that must be empty.
fn put<T>(place: &mut Option<T>, element: Element, value: T) -> Result<(), GsupError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(GsupError::Repeated { element }),
    }
}

fn octet(element: Element, value: &[u8]) -> Result<u8, GsupError> {
    match *value {
        [octet] => Ok(octet),
        _ => Err(GsupError::BadValue { element }),
    }
}

impl<'a> Elements<'a> {
    fn read(&mut self, element: Element, value: &'a [u8]) -> Result<(), GsupError> {
        let bad = GsupError::BadValue { element };
        match element {
            Element::Imsi => put(&mut self.imsi, element, Imsi::from_bcd(value)?),
            Element::Cause => put(&mut self.cause, element, octet(element, value)?),
            Element::Class => put(&mut self.class, element, octet(element, value)?),
            Element::SessionId => {
                let id = u32::from_be_bytes(value.try_into().map_err(|_| bad)?);
                put(&mut self.session_id, element, id)
            }
            Element::SessionState => {
                let state = SessionState::from_code(octet(element, value)?).ok_or(bad)?;
                put(&mut self.session_state, element, state)
            }
            Element::SsInfo => put(&mut self.ss_info, element, value),
        }
    }
}

/// Takes one element off the front: its tag, its value and what follows.
fn take_element(input: &[u8]) -> Result<(u8, &[u8], &[u8]), GsupError> {
    let (&[tag, len], rest) = input.split_first_chunk::<2>().ok_or(GsupError::Truncated)?;
    let (value, rest) = rest.split_at_checked(usize::from(len)).ok_or(GsupError::Truncated)?;
    Ok((tag, value, rest))
}

impl<'a> ProcSs<'a> {
    /// Reads the body of a frame of [`crate::ipa::Extension::Gsup`]. Elements may stand in any order; unknown ones are
    /// skipped.
    ///
    /// # Errors
    /// [`GsupError`]'s variants but [`GsupError::TooLong`].
    pub fn parse(body: &'a [u8]) -> Result<ProcSs<'a>, GsupError> {
        let (&code, mut rest) = body.split_first().ok_or(GsupError::Empty)?;
        let kind = Kind::from_code(code).ok_or(GsupError::UnknownKind { code })?;
        let mut elements = Elements::default();
        let mut count = 0;
        while !rest.is_empty() {
            if count == ELEMENTS_MAX {
                return Err(GsupError::TooManyElements);
            }
            count += 1;
            let (tag, value, after) = take_element(rest)?;
            if let Some(element) = Element::from_tag(tag) {
                elements.read(element, value)?;
            }
            rest = after;
        }
        let missing = |element| GsupError::Missing { element };
        Ok(ProcSs {
            kind,
            imsi: elements.imsi.ok_or(missing(Element::Imsi))?,
            cause: elements.cause,
            class: elements.class,
            session_id: elements.session_id.ok_or(missing(Element::SessionId))?,
            session_state: elements.session_state.ok_or(missing(Element::SessionState))?,
            ss_info: elements.ss_info,
        })
    }

    /// Writes the body of a frame of [`crate::ipa::Extension::Gsup`], elements in the order of their tags, as OsmoHLR
    /// does.
    ///
    /// # Errors
    /// [`GsupError::TooLong`] if `ss_info` passes [`ELEMENT_LEN_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, GsupError> {
        let mut body = Vec::with_capacity(32 + self.ss_info.map_or(0, <[u8]>::len));
        body.push(self.kind.code());
        push(&mut body, IMSI, &self.imsi.to_bcd())?;
        if let Some(cause) = self.cause {
            push(&mut body, CAUSE, &[cause])?;
        }
        if let Some(class) = self.class {
            push(&mut body, CLASS, &[class])?;
        }
        push(&mut body, SESSION_ID, &self.session_id.to_be_bytes())?;
        push(&mut body, SESSION_STATE, &[self.session_state.code()])?;
        if let Some(ss_info) = self.ss_info {
            push(&mut body, SS_INFO, ss_info)?;
        }
        Ok(body)
    }
}

fn push(body: &mut Vec<u8>, tag: u8, value: &[u8]) -> Result<(), GsupError> {
    let len = u8::try_from(value.len()).map_err(|_| GsupError::TooLong { len: value.len() })?;
    body.extend_from_slice(&[tag, len]);
    body.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests;
