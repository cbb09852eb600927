//! Reading requests: who asks, under which id, and the body, key and query.
//!
//! Guarantees: a body is bounded in length and time and is wiped from memory when it is read, for it may hold passwords;
//! a complaint about it never repeats a value.

use core::time::Duration;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use domain::id::CommandId;
use domain::ids::Staff;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Admin;
use super::problem::Problem;
use super::serve::Peer;

/// A command's id.
pub(crate) const CORRELATION_ID: &str = "x-correlation-id";
/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// Octets of a body that should be empty.
const NOTHING_LEN_MAX: usize = 256;

/// The peer's uid, when the kernel told it.
pub(crate) fn peer(extensions: &Extensions) -> Option<Staff> {
    extensions.get::<ConnectInfo<Peer>>().and_then(|ConnectInfo(peer)| peer.uid).map(Staff)
}

/// Who asks for a command, and under which id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) staff: Staff,
    pub(crate) id: CommandId,
}

impl Asked {
    /// Names the id in the answer, so that one whose id the server made can ask again.
    pub(crate) fn mark(&self, shown: impl IntoResponse) -> Response {
        let mut response = shown.into_response();
        if let Ok(id) = HeaderValue::from_str(&self.id.to_string()) {
            response.headers_mut().insert(CORRELATION_ID, id);
        }
        response
    }

    pub(crate) fn problem(&self, problem: Problem) -> Response {
        self.mark(problem)
    }
}

impl FromRequestParts<std::sync::Arc<Admin>> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &std::sync::Arc<Admin>) -> Result<Self, Problem> {
        let staff = peer(&parts.extensions).ok_or(Problem::Forbidden)?;
        let id = match given_id(&parts.headers)? {
            Some(id) => id,
            None => admin.dice.id(admin.handle().now())?,
        };
        Ok(Self { staff, id })
    }
}

fn given_id(headers: &HeaderMap) -> Result<Option<CommandId>, Problem> {
    let wrong = || Problem::Malformed(String::from("X-Correlation-ID is one UUIDv7, or absent"));
    let mut values = headers.get_all(CORRELATION_ID).iter();
    let (first, second) = (values.next(), values.next());
    let Some(first) = first else { return Ok(None) };
    let uuid = first.to_str().ok().and_then(|text| Uuid::try_parse(text).ok()).filter(|_| second.is_none());
    let id = CommandId::from_uuid(uuid.ok_or_else(wrong)?.as_u128()).map_err(|_| wrong())?;
    Ok(Some(id))
}

/// A body with a ceiling.
pub(crate) trait Limited {
    /// Octets at most.
    const LEN_MAX: usize;
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Posted<T>(pub(crate) T);

impl<T: DeserializeOwned + Limited, S: Send + Sync> FromRequest<S> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read(request, T::LEN_MAX).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| Problem::Malformed(complaint(&error.to_string())))
    }
}

/// No body, or an empty object.
#[derive(Debug)]
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read(request, NOTHING_LEN_MAX).await?;
        let empty = matches!(body.trim_ascii(), [] | [b'{', b'}']);
        if empty { Ok(Self) } else { Err(Problem::Malformed(String::from("this request takes no body"))) }
    }
}

async fn read(request: Request, max: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let arrived = tokio::time::timeout(BODY_WAIT, to_bytes(request.into_body(), max)).await;
    let bytes = arrived.map_err(|_| Problem::TooSlow)?.map_err(|error| {
        if error.into_inner().is::<http_body_util::LengthLimitError>() {
            Problem::TooLarge { max }
        } else {
            Problem::Malformed(String::from("the body broke off"))
        }
    })?;
    Ok(Zeroizing::new(Vec::from(bytes)))
}

/// What `serde_json` says, without the values that it repeats.
fn complaint(error: &str) -> String {
    for kind in ["invalid type", "invalid value"] {
        if let (true, Some(expected)) = (error.starts_with(kind), error.rfind(", expected ")) {
            let (_, expected) = error.split_at(expected);
            return format!("the body: {kind}{expected}");
        }
    }
    format!("the body: {error}")
}

/// The last word of the path: a number, a serial, a receipt.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        let unreadable = |_| Problem::Malformed(String::from("the path is no UTF-8 text"));
        read.map(|Path(key)| Self(key)).map_err(unreadable)
    }
}

/// What stands after `?`.
#[derive(Debug)]
pub(crate) struct Sought<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Sought<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        let unreadable = |_| {
            Problem::Malformed(String::from(
                "what stands after `?` is not what this endpoint asks for; see docs/protocols/admin.md",
            ))
        };
        read.map(|Query(sought)| Self(sought)).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn a_complaint_repeats_no_value() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Any {
            #[expect(dead_code, reason = "only its type matters")]
            passwords: Vec<u8>,
        }
        for bad in [
            r#"{"passwords":"482913"}"#,
            r#"{"passwords":["482913, expected x"]}"#,
            r#"{"passwords":[482913]}"#,
            r#"{"passwords":482913}"#,
            r#"{"passwords":[-482913.5]}"#,
            r#"{"passwords":[true"#,
        ] {
            let error = serde_json::from_str::<Any>(bad).expect_err("not bytes").to_string();
            let said = complaint(&error);
            assert!(!said.contains("482913"), "{said}");
            assert!(said.contains("line 1 column"), "{said}");
        }
    }
}
