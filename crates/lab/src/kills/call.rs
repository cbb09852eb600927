//! What a client may ask for, and the line that a history has of it.

use serde_json::Value;
use uuid::Uuid;

use crate::history::{Asked, Dial, Line};

/// What everybody dials.
pub(super) const SERVICE_CODE: u16 = 999;
/// The local aggregator's link, as `init` configures it.
const HTTP_LINK: u16 = 1;
/// The stand-in HLR's link.
pub(super) const GSUP_LINK: u16 = 10;

/// A subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phone(pub(super) u32);

impl Phone {
    /// In the country.
    pub(super) fn national(self) -> String {
        format!("191{:07}", self.0)
    }

    /// With country code.
    pub(super) fn msisdn(self) -> String {
        format!("850{}", self.national())
    }

    /// Its SIM.
    pub(super) fn imsi(self) -> String {
        format!("90170{:010}", self.0)
    }

    /// The subscriber with that SIM.
    pub(super) fn of_imsi(imsi: &str) -> Option<Self> {
        imsi.strip_prefix("90170").and_then(|rest| rest.parse().ok()).map(Self)
    }
}

/// A call. Made again, it is the same in everything.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// A string that is dialled over HTTP.
    Http(Dialled),
    /// A string that is dialled through the HLR.
    Gsup(Dialled),
    /// Something that staff asks for.
    Staff(Posted),
    /// Something that staff looks at.
    Look {
        /// Path and query.
        path: String,
    },
}

/// A session with one string.
#[derive(Clone, Debug)]
pub(super) struct Dialled {
    pub(super) phone: Phone,
    /// Unique to this call.
    pub(super) session: u32,
    /// What follows the service code: a password may be in it.
    pub(super) text: String,
    /// What was dialled before, so that the password was asked for; over HTTP, where a request has all inputs so far.
    pub(super) first: Option<String>,
    /// The same for the history.
    pub(super) asked: Asked,
}

/// A request with an id.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub(super) id: Uuid,
    pub(super) path: String,
    /// Null: none.
    pub(super) body: Value,
    /// The same for the history.
    pub(super) asked: Asked,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It never left: there is nobody. Not a call.
    NotSent,
    /// No answer, or one that says that it is not known.
    Unknown {
        /// There was one.
        answered: bool,
    },
    /// An answer that is no verdict.
    Nothing(String),
    /// A verdict, and its entry where the door names it.
    Verdict(String, Option<u64>),
    /// A look saw this.
    Saw(u64),
}

impl Call {
    /// The line of this call.
    pub(super) fn line(&self, who: &str, called_ns: u64, returned_ns: u64, heard: &Heard) -> Line {
        let line = Line { who: String::from(who), called_ns, returned_ns: Some(returned_ns), ..self.what() };
        match heard {
            Heard::NotSent | Heard::Unknown { answered: false } => Line { returned_ns: None, ..line },
            Heard::Unknown { answered: true } => line,
            Heard::Nothing(answer) => Line { answer: Some(answer.clone()), ..line },
            Heard::Verdict(answer, seq) => Line { answer: Some(answer.clone()), seq: *seq, ..line },
            Heard::Saw(seq) => Line { seq: Some(*seq), ..line },
        }
    }

    /// Which door, which id, which call.
    fn what(&self) -> Line {
        let line = |door: &str| Line { door: String::from(door), ..Line::default() };
        match self {
            Self::Http(Dialled { phone, text, asked, .. }) => {
                let dial = dial(HTTP_LINK, phone.msisdn());
                // An input between stars is one.
                let prompt = u32::try_from(text.split('*').count()).unwrap_or(u32::MAX);
                let dial = Dial { session: self.session(), prompt, ..dial };
                Line { dial: Some(dial), call: Some(asked.clone()), ..line("http") }
            }
            Self::Gsup(Dialled { phone, session, asked, .. }) => {
                let dial = Dial { session_hex: Some(format!("{session:08x}")), ..dial(GSUP_LINK, phone.imsi()) };
                Line { dial: Some(dial), call: Some(asked.clone()), ..line("gsup") }
            }
            Self::Staff(Posted { id, asked, .. }) => {
                Line { id: Some(id.to_string()), call: Some(asked.clone()), ..line("admin") }
            }
            Self::Look { path } => Line { read: Some(path.clone()), ..line("admin") },
        }
    }

    /// What was dialled before is not dialled again: from now on only the last request is.
    pub(super) fn begun(&mut self) {
        if let Self::Http(dialled) = self {
            dialled.first = None;
        }
    }

    /// What the aggregator calls the session.
    pub(super) fn session(&self) -> Option<String> {
        match self {
            Self::Http(dialled) => Some(format!("kill-{:08x}", dialled.session)),
            Self::Gsup(_) | Self::Staff(_) | Self::Look { .. } => None,
        }
    }
}

fn dial(link: u16, caller: String) -> Dial {
    Dial { link, caller, session: None, session_hex: None, prompt: 0, reuse: 0 }
}
