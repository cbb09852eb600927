//! The entry that an answer saw: the header `Sonmul-Seq`.
//!
//! Guarantees: an answer saw everything up to the entry that it names, and maybe some of what came after. One that was put
//! together from several questions names what the first of them saw.

use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use domain::receipt::Seq;

/// The latest durable entry that an answer saw, or the entry of the verdict that it is.
const SEQ: &str = "sonmul-seq";

/// Names the entry that an answer saw.
pub(super) fn with_seq(seq: Seq, shown: impl IntoResponse) -> Response {
    let mut response = shown.into_response();
    response.headers_mut().insert(SEQ, HeaderValue::from(seq.0));
    response
}
