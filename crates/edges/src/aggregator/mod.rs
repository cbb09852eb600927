//! USSD over HTTP: who may speak, and a turn for every request. What the requests look like is a dialect's business.
//!
//! **For:** `sonmul`, which serves [`router`] with the peers' addresses
//! (`into_make_service_with_connect_info::<SocketAddr>()`); without them every request is refused.
//!
//! **Guarantees:** whatever a phone should see leaves as 200; a screen that tells a verdict names its entry in a header; a peer that is not allowed learns nothing and is shown nothing
//! of what it sent; no body, key or input is logged; inputs are wiped when they were read. Every key may speak every
//! dialect: the key says who it is, the path only how it writes.
//!
//! A last screen that goes to the HTTP library within `answer_within_ms` marks its entry as *told*, so that the sender
//! gets no SMS as well ([`crate::told`]). That proves that the aggregator was still connected and within its patience, not
//! that a phone showed the screen: networks drop screens, and only Hubtel reports some of them, which are unmarked. An
//! operator to whom that is too little sets the limit `told_max` to 0.
//!
//! **Bounded by:** [`BODY_LEN_MAX`]; what a turn may take ([`crate::flow::FlowConfig`]).
//!
//! **Deliberately not here:** TLS and the listener; secrets per dialect. The HTTP library's own buffers can't be wiped.

mod africastalking;
mod arkesel;
mod field;
mod hubtel;
mod peer;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::ids::LinkId;
use domain::number::Msisdn;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::Instant;
use wire::text::Budget;
use zeroize::Zeroizing;

use crate::brake::BrakeConfig;
use crate::flow::{Flow, Input, Link, LinkConfig, SESSION_NAME_LEN_MAX, Turn};
use crate::port::Decider;
use crate::session::Screen;
use crate::session::Times;

use africastalking::AfricasTalking;
use arkesel::Arkesel;
use hubtel::Hubtel;

pub use peer::{Source, SourceError, key_hash};

/// The header that names the entry whose verdict a screen tells (docs/protocols/http.md).
const SEQ: &str = "sonmul-seq";
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
    /// After so long without an answer the phone reads *unknown*; an answer that took longer is not taken as shown.
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

/// How an aggregator writes its requests and reads our answers. A value of it is what an answer repeats of its request.
trait Dialect: Sized + Send + 'static {
    /// Understands a request.
    ///
    /// # Errors
    /// With the status that says what is wrong, and nothing else: any word about a body might repeat a part of it.
    fn hear(request: Request) -> impl Future<Output = Result<(Heard, Self), StatusCode>> + Send;

    /// Writes a screen.
    fn say(self, screen: &Screen) -> Response;
}

/// What a request means.
enum Heard {
    /// Somebody dialled or typed.
    Turn(Turn),
    /// There is no caller or no session to answer.
    Nobody,
    /// The session is over on the other side; nobody reads the answer.
    Over {
        /// Whose session.
        caller: Msisdn,
        /// As the peer names it.
        session: Box<[u8]>,
        /// Our last answer was thrown away.
        unshown: bool,
    },
}

/// `POST /ussd/africastalking`, `/ussd/hubtel` and `/ussd/arkesel` for these aggregators.
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
        .route("/ussd/africastalking", post(serve::<D, AfricasTalking>))
        .route("/ussd/hubtel", post(serve::<D, Hubtel>))
        .route("/ussd/arkesel", post(serve::<D, Arkesel>))
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .with_state(Peers(peers.collect()))
}

async fn serve<D: Decider, L: Dialect>(State(peers): State<Peers<D>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let peer = match peers.admit(&mut parts).await {
        Ok(peer) => peer,
        Err(status) => return status.into_response(),
    };
    let (heard, dialect) = match L::hear(Request::from_parts(parts, body)).await {
        Ok(heard) => heard,
        Err(status) => return status.into_response(),
    };
    let since = Instant::now();
    let mut whose = None;
    let screen = match heard {
        Heard::Turn(turn) => {
            whose = Some((turn.caller, turn.session.clone()));
            turned(&peer.link, turn).await
        }
        Heard::Nobody => peer.link.no_service(),
        Heard::Over { caller, session, unshown } => {
            peer.link.released(caller, &session);
            if unshown {
                peer.link.unshown(caller, &session);
            }
            Screen::end(String::new())
        }
    };
    let mut response = dialect.say(&screen);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seq) = screen.about.seq() {
        response.headers_mut().insert(SEQ, HeaderValue::from(seq.0));
    }
    // Whoever has hung up is not here any more: the library drops this future with the connection.
    let within = Duration::from_millis(u64::from(peer.config.answer_within_ms));
    match whose.filter(|_| !screen.goes_on) {
        Some(_) if since.elapsed() <= within => peer.link.told(&screen),
        Some((caller, session)) => peer.link.unshown(caller, &session),
        None => {}
    }
    response
}

async fn turned<D: Decider>(link: &Link<D>, turn: Turn) -> Screen {
    let own = link.clone();
    // A task of its own: an aggregator that hangs up must not stop a turn half way. One that fails is a bug of ours, or
    // the runtime is stopping: whether anything was done is not known.
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let (caller, session) = (turn.caller, turn.session.clone());
        let screen = own.turn(turn).await;
        if tell.send(screen).is_err() {
            own.unshown(caller, &session);
        }
    });
    told.await.unwrap_or_else(|_| link.unknown())
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

/// Whose session it is; `None` when there is no caller or no session to answer.
fn caller_and_session(number: &str, session: &str) -> Option<(Msisdn, Box<[u8]>)> {
    // A `+` that somebody forgot to escape in a form reads as a blank.
    let caller = Msisdn::parse(number.trim_start_matches(['+', ' '])).ok()?;
    let named = (1..=SESSION_NAME_LEN_MAX).contains(&session.len());
    named.then(|| (caller, Box::from(session.as_bytes())))
}

/// A turn of whoever that is.
fn turn(number: &str, session: &str, input: Input) -> Heard {
    match caller_and_session(number, session) {
        Some((caller, session)) => Heard::Turn(Turn { caller, imsi: None, session, input }),
        None => Heard::Nobody,
    }
}

/// The string that was dialled, from its service code and what followed: `*999#` or `*999*` or `999`, and
/// `500*1912345678*482913`.
fn dialled(service_code: &str, text: &str) -> Zeroizing<String> {
    let code = service_code.trim_end_matches(['#', '*']);
    let opening = if code.starts_with(['*', '#']) { "" } else { "*" };
    // Reserved at once: what is moved while a string grows is not wiped.
    let mut dialled = Zeroizing::new(String::with_capacity(service_code.len() + text.len() + 3));
    dialled.push_str(opening);
    dialled.push_str(code);
    if !text.is_empty() {
        dialled.push('*');
        dialled.push_str(text.strip_suffix('#').unwrap_or(text));
    }
    dialled.push('#');
    dialled
}

/// Reads a JSON body, whatever its content type claims.
async fn json<T: DeserializeOwned>(request: Request) -> Result<T, StatusCode> {
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| too_large_or_bad(rejection.status()))?;
    let axum::Json(value) = axum::Json::from_bytes(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(value)
}

/// The two things that a peer is told about a body.
fn too_large_or_bad(status: StatusCode) -> StatusCode {
    if status == StatusCode::PAYLOAD_TOO_LARGE { status } else { StatusCode::BAD_REQUEST }
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
            assert_eq!(*dialled(code, text), expected);
        }
    }
}
