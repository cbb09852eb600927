//! USSD over HTTP, in Africa's Talking's dialect: a form in, `CON …` or `END …` out.
//!
//! **For:** `sonmul`, which serves [`router`] with the peers' addresses
//! (`into_make_service_with_connect_info::<SocketAddr>()`); without them every request is refused.
//!
//! **Guarantees:** whatever a phone should see leaves as 200; a peer that is not allowed learns nothing and is shown nothing
//! of what it sent; no body, key or input is logged; inputs are wiped when they were read. A session whose first request
//! has text is a one-shot, any other is a menu, and that is remembered for as long as the session is.
//!
//! **Bounded by:** [`BODY_LEN_MAX`]; what a turn may take ([`crate::flow::FlowConfig`]).
//!
//! **Deliberately not here:** TLS and the listener. The HTTP library's own buffers can't be wiped.

mod peer;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::command::LinkId;
use domain::msisdn::Msisdn;
use serde::Deserialize;
use wire::text::Budget;
use zeroize::Zeroizing;

use crate::brake::BrakeConfig;
use crate::flow::{Flow, Input, Link, LinkConfig, SESSION_NAME_LEN_MAX, Screen, Turn};
use crate::port::Decider;
use crate::session::Times;

pub use peer::{Source, SourceError, key_hash};

/// Octets of a request at most: 182 characters of input, each escaped, and a few short fields.
pub const BODY_LEN_MAX: usize = 4_096;

/// One aggregator that may speak to us.
#[derive(Clone, Debug)]
pub struct AggregatorConfig {
    /// Its link: wrong passwords are counted per caller and link.
    pub link: LinkId,
    /// For the log.
    pub name: String,
    /// BLAKE3 of its key ([`key_hash`]). The key is random and long, so a plain hash is enough.
    pub key_hash: [u8; 32],
    /// Where it may come from; [`Source::LOOPBACK`] unless somebody decides otherwise.
    pub sources: Vec<Source>,
    /// Public names of the operators that it serves.
    pub operators: Vec<String>,
    /// Numbers, first and last, that it may assert among those operators' own; empty: all of them.
    pub ranges: Vec<(Msisdn, Msisdn)>,
    /// How long its screens may be.
    pub budget: Budget,
    /// How long its sessions live.
    pub times: Times,
    /// After so long without an answer the phone reads *unknown*.
    pub answer_within_ms: u32,
    /// How many wrong passwords it may bring.
    pub brake: BrakeConfig,
}

struct Peer<D> {
    config: AggregatorConfig,
    link: Link<D>,
}

struct Peers<D>(Arc<[Peer<D>]>);

impl<D> Clone for Peers<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// `POST /ussd/africastalking` for these aggregators.
pub fn router<D: Decider>(flow: &Flow<D>, aggregators: Vec<AggregatorConfig>) -> Router {
    let peers = aggregators.into_iter().map(|config| {
        let link = flow.link(LinkConfig {
            id: config.link,
            name: config.name.clone(),
            operators: config.operators.clone(),
            ranges: config.ranges.clone(),
            budget: config.budget,
            dialogue: true,
            times: config.times,
            answer_within_ms: config.answer_within_ms,
            brake: config.brake,
        });
        Peer { config, link }
    });
    Router::new()
        .route("/ussd/africastalking", post(africas_talking::<D>))
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .with_state(Peers(peers.collect()))
}

/// What Africa's Talking sends. `networkCode` is not read: the key says which link this is. No `Debug`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    session_id: String,
    service_code: String,
    phone_number: String,
    #[serde(default)]
    text: String,
}

async fn africas_talking<D: Decider>(State(peers): State<Peers<D>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let peer = match peers.admit(&mut parts).await {
        Ok(peer) => peer,
        Err(status) => return status.into_response(),
    };
    let request = Request::from_parts(parts, body);
    let form = match <axum::Form<Form> as axum::extract::FromRequest<_>>::from_request(request, &()).await {
        Ok(axum::Form(form)) => form,
        // Whatever the library says of it might repeat a part of it.
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let Some(turn) = turn(form) else { return shown(&peer.link.no_service()) };
    let link = peer.link.clone();
    // A task of its own: an aggregator that hangs up must not stop a turn half way.
    match tokio::spawn(async move { link.turn(turn).await }).await.inspect(|screen| peer.link.told(screen)) {
        Ok(screen) => shown(&screen),
        // A bug of ours, or the runtime is stopping: whether anything was done is not known.
        Err(_) => shown(&peer.link.unknown()),
    }
}

impl<D> Peers<D> {
    /// Who is asking. Addresses that belong to nobody hear the same whatever their key.
    async fn admit(&self, parts: &mut Parts) -> Result<&Peer<D>, StatusCode> {
        let Ok(ConnectInfo(from)) = ConnectInfo::<SocketAddr>::from_request_parts(parts, &()).await else {
            tracing::error!("an HTTP listener without its peers' addresses: every aggregator is refused");
            return Err(StatusCode::FORBIDDEN);
        };
        let known = |peer: &Peer<D>| peer.config.sources.iter().any(|source| source.contains(from.ip()));
        if !self.0.iter().any(known) {
            return Err(StatusCode::FORBIDDEN);
        }
        let key = peer::presented_key(parts).ok_or(StatusCode::UNAUTHORIZED)?;
        let hash = key_hash(&key);
        // Every hash is compared, so that the time tells nothing.
        let matching: Vec<&Peer<D>> = self.0.iter().filter(|peer| peer::same(&peer.config.key_hash, &hash)).collect();
        let peer = matching.first().ok_or(StatusCode::UNAUTHORIZED)?;
        if known(peer) { Ok(peer) } else { Err(StatusCode::FORBIDDEN) }
    }
}

/// The form as a turn; `None` when there is no caller or no session to answer.
fn turn(form: Form) -> Option<Turn> {
    let Form { session_id, service_code, phone_number, text } = form;
    let (service_code, text) = (Zeroizing::new(service_code), Zeroizing::new(text));
    // A `+` that somebody forgot to escape reads as a blank.
    let caller = Msisdn::parse(phone_number.trim_start_matches(['+', ' '])).ok()?;
    if session_id.is_empty() || session_id.len() > SESSION_NAME_LEN_MAX {
        return None;
    }
    let dialled = Zeroizing::new(dialled(&service_code, &text));
    let session = session_id.into_bytes().into_boxed_slice();
    Some(Turn { caller, imsi: None, session, input: Input::Joined { dialled, text } })
}

/// The string that was dialled, when this is a session's first request: `*999#` or `*999*` and `500*1912345678*482913`.
fn dialled(service_code: &str, text: &str) -> String {
    let code = service_code.trim_end_matches(['#', '*']);
    let opening = if code.starts_with(['*', '#']) { "" } else { "*" };
    // Reserved at once: what is moved while a string grows is not wiped.
    let mut dialled = String::with_capacity(service_code.len() + text.len() + 3);
    dialled.push_str(opening);
    dialled.push_str(code);
    if !text.is_empty() {
        dialled.push('*');
        dialled.push_str(text.strip_suffix('#').unwrap_or(text));
    }
    dialled.push('#');
    dialled
}

fn shown(screen: &Screen) -> Response {
    let word = if screen.goes_on { "CON" } else { "END" };
    let body = format!("{word} {}", screen.text);
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::dialled;

    #[test]
    fn a_first_request_reads_as_one_dialled_string() {
        for (code, text, expected) in [
            ("*999#", "", "*999#"),
            ("*999*", "", "*999#"),
            ("*999#", "500*1912345678*482913", "*999*500*1912345678*482913#"),
            ("*999*", "500*1912345678*482913#", "*999*500*1912345678*482913#"),
            ("*999*500*1912345678*482913#", "", "*999*500*1912345678*482913#"),
            ("999", "", "*999#"),
            ("*#999#", "482913", "*#999*482913#"),
            ("", "", "*#"),
        ] {
            assert_eq!(dialled(code, text), expected);
        }
    }
}
