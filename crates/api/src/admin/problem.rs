//! What is no verdict: a name, an HTTP status, and a sentence that says what to do.
//!
//! Guarantees: nothing of what was sent is repeated, for it may be a password in the wrong field.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::ids::Serial;
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::answer::Closed;
use engine::journal::ReadFault;
use serde_json::{Value, json};

use super::seen::with_seq;

/// Why there is no verdict and no view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The request can't be read.
    Malformed(String),
    /// One of a list can't be read.
    MalformedAt { index: usize, what: String },
    /// The clock in the id is ahead of ours.
    IdAhead,
    /// Nobody knows who asks.
    Forbidden,
    /// There is no such thing.
    NotFound(String),
    /// The state that was seen there had no such thing.
    Missing(Seq, &'static str),
    /// The endpoint exists, the method doesn't.
    MethodNotAllowed,
    /// The body did not arrive.
    TooSlow,
    /// The id was used for something else.
    IdReused,
    /// The id was used for issuing cards whose secrets are gone.
    CardsIssued(Option<Earlier>),
    /// The id is older than what is remembered.
    IdTooOld { floor: Timestamp },
    /// The body is longer than any right one.
    TooLarge { max: usize },
    /// A receipt number was misread.
    Misread,
    /// An operator's file can't be parsed.
    Rules { line: usize, what: String },
    /// An operator's texts don't fit.
    Texts(Vec<String>),
    /// The engine is full or gone.
    Busy,
    /// Intake is closed.
    Closed(Closed),
    /// Its time ran out before it was decided.
    NotDone,
    /// Not known.
    Unknown,
    /// A technical failure.
    Fault(String),
}

/// Cards that were issued by an id before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Earlier {
    pub(crate) seq: Seq,
    pub(crate) first: Serial,
    pub(crate) count: u32,
}

impl Problem {
    /// Public name.
    const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::MalformedAt { .. } => "malformed",
            Self::IdAhead => "id-ahead",
            Self::Forbidden => "forbidden",
            Self::NotFound(_) | Self::Missing(..) => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::TooSlow => "too-slow",
            Self::IdReused | Self::CardsIssued(_) => "id-reused",
            Self::IdTooOld { .. } => "id-too-old",
            Self::TooLarge { .. } => "too-large",
            Self::Misread => "misread",
            Self::Rules { .. } | Self::Texts(_) => "rules",
            Self::Busy => "busy",
            Self::Closed(_) => "closed",
            Self::NotDone => "not-done",
            Self::Unknown => "unknown",
            Self::Fault(_) => "fault",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::MalformedAt { .. } | Self::IdAhead => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound(_) | Self::Missing(..) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::IdReused | Self::CardsIssued(_) => StatusCode::CONFLICT,
            Self::IdTooOld { .. } => StatusCode::GONE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Misread | Self::Rules { .. } | Self::Texts(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Closed(_) | Self::NotDone => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown => StatusCode::GATEWAY_TIMEOUT,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn what(&self) -> String {
        let text = match self {
            Self::Malformed(what)
            | Self::MalformedAt { what, .. }
            | Self::NotFound(what)
            | Self::Rules { what, .. }
            | Self::Fault(what) => return what.clone(),
            Self::Missing(_, what) => what,
            Self::Texts(problems) => return problems.join("; "),
            Self::CardsIssued(Some(Earlier { seq, first, count })) => {
                let last = Serial(first.0.saturating_add(count.saturating_sub(1)));
                return format!(
                    "cards of this request were issued already at seq {seq}, serials {first} to {last}; their secrets are \
                     not kept: void those that were lost and issue again under a new correlation id"
                );
            }
            Self::TooLarge { max } => return format!("the body has more than {max} octets: split it"),
            Self::IdTooOld { floor } => {
                return format!("the correlation id is older than {}: use a new one", floor.rfc3339());
            }
            Self::CardsIssued(None) => {
                "this correlation id was used before; if cards were issued by it, their secrets are not kept: look into the \
                 journal, void those that were lost and issue again under a new correlation id"
            }
            Self::IdAhead => "the clock in the correlation id is ahead of the server's: set the clock, use a new id",
            Self::Forbidden => "the kernel does not say who asks: use admin.sock",
            Self::MethodNotAllowed => "this endpoint has other methods; they are listed in docs/protocols/admin.md",
            Self::TooSlow => "the body did not arrive in time; nothing was done",
            Self::IdReused => "this correlation id was used for something else; nothing was done: use a new one",
            Self::Misread => "not a receipt number: at least one character was misread",
            Self::Busy => "the server is busy or stopping; nothing was done: try again",
            Self::Closed(Closed::Disk) => "the disk is nearly full; nothing was done: free some space on it",
            Self::Closed(Closed::Clock) => {
                "the clock can't be trusted; nothing was done: look at it, then accept it as it is (POST /v1/clock/accept)"
            }
            Self::Closed(Closed::Stopping) => "the server is stopping; nothing was done",
            Self::NotDone => "it was not decided in time; nothing was done and nothing will be: ask again",
            Self::Unknown => "not known yet whether it was done: ask again with the same correlation id",
        };
        String::from(text)
    }

    fn json(&self) -> Value {
        let mut json = json!({ "error": self.name(), "what": self.what() });
        let mut add = |key: &str, value: Value| {
            if let Some(map) = json.as_object_mut() {
                map.insert(String::from(key), value);
            }
        };
        match self {
            Self::MalformedAt { index, .. } => add("index", json!(index)),
            Self::CardsIssued(Some(Earlier { seq, first, count })) => {
                add("seq", json!(seq.0));
                add("first", json!(first.to_string()));
                add("count", json!(count));
            }
            Self::IdTooOld { floor } => add("floor", json!(floor.rfc3339())),
            Self::TooLarge { max } => add("max", json!(max)),
            Self::Rules { line, .. } => add("line", json!(line)),
            Self::Texts(problems) => add("problems", json!(problems)),
            Self::Closed(why) => add("why", json!(why.name())),
            Self::Malformed(_)
            | Self::IdAhead
            | Self::Forbidden
            | Self::NotFound(_)
            | Self::Missing(..)
            | Self::MethodNotAllowed
            | Self::TooSlow
            | Self::IdReused
            | Self::CardsIssued(None)
            | Self::Misread
            | Self::Busy
            | Self::NotDone
            | Self::Unknown
            | Self::Fault(_) => {}
        }
        json
    }

    /// Something that should not happen, and does not tell more than that.
    pub(crate) fn gone(what: &impl core::fmt::Display) -> Self {
        tracing::error!(%what, "a request failed on our side");
        Self::Fault(String::from("it failed on the server's side; the server's log says why"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let shown = (self.status(), Json(self.json()));
        if let Self::Missing(seq, _) = self { with_seq(seq, shown) } else { shown.into_response() }
    }
}

impl From<ReadFault> for Problem {
    fn from(fault: ReadFault) -> Self {
        tracing::error!(%fault, "the journal could not be read for a request");
        Self::Fault(fault.to_string())
    }
}
