//! A stand-in HLR: routes USSD between switches and External USSD Entities as OsmoHLR does, and answers the control
//! interface's question for an MSISDN.
//!
//! **For:** benchmarks of the GSUP edge, where the real one would be what is measured, and tests of what the real one can't
//! be told to do.
//!
//! **Guarantees:** as observed on OsmoHLR 1.5.0: a string goes to the entity whose literal prefix it begins with, and back
//! to the connection that it came from; no route is `ss-NotAvailable`, no entity `systemFailure`, a second BEGIN of an open
//! session and a CONTINUE of none GSUP's error 0x60; an entity that answers too late is not told. The first entity of a
//! name has its routes until it closes; a second one is not promoted. Identities without unit or name close the connection.
//!
//! **Bounded by:** [`HlrConfig::sessions_max`], [`CONNECTIONS_MAX`], `OUTBOX_LEN_MAX` for each.
//!
//! **Deliberately not here:** location updates, authentication, a database; OsmoHLR's silence about texts of more than 128
//! septets (the edge's own tests see to that).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wire::gsup::{Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{self, Ccm, Extension, Frame, IdResponse, take_frame};
use wire::ss::{Component, ErrorCode};

use sonmul::gsup::GsupError;
use sonmul::gsup::outbox::{self, Outbox};

/// Connections at once; more are closed.
pub const CONNECTIONS_MAX: usize = 256;
/// Octets between an attached switch and the stand-in.
const ATTACHED_LEN: usize = 256 << 10;
/// `Invalid mandatory information` of TS 24.008: what OsmoHLR says to messages of no session.
const INVALID: u8 = 0x60;
/// The tags that OsmoHLR asks for, in its order.
const ASKED_TAGS: [u8; 8] = [8, 7, 2, 3, 4, 5, 1, 0];

/// What the HLR knows of an IMSI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// Its MSISDN.
    Msisdn(String),
    /// A subscriber without one.
    None,
    /// No subscriber.
    Unknown,
}

/// Answers for every IMSI.
pub type Numbers = Arc<dyn Fn(&Imsi) -> Number + Send + Sync>;

/// What the stand-in routes, and for how long.
#[derive(Clone)]
pub struct HlrConfig {
    /// Literal prefixes and the entity that each goes to, as `ussd route prefix … external …`.
    pub routes: Vec<(String, String)>,
    /// Sessions at once; a BEGIN beyond gets `systemFailure`.
    pub sessions_max: usize,
    /// `ncss-guard-timeout`: a session without a message for so long is dropped in silence.
    pub guard: Duration,
    /// The subscribers.
    pub numbers: Numbers,
}

impl std::fmt::Debug for HlrConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HlrConfig").field("routes", &self.routes).field("guard", &self.guard).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Session {
    switch: usize,
    entity: usize,
    seen: Instant,
}

#[derive(Debug, Default)]
struct Table {
    /// By number of the connection; `None` when it has gone.
    peers: Vec<Option<Peer>>,
    sessions: HashMap<(Imsi, u32), Session, foldhash::fast::RandomState>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Peer {
    /// `None` until it has said who it is.
    name: Option<String>,
    /// Was the first of its name.
    routed: bool,
    outbox: Arc<Outbox>,
}

/// What both listeners share.
struct Shared {
    config: HlrConfig,
    table: Mutex<Table>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Sessions are put and taken in one step: a panic elsewhere leaves none half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module. Dropping it closes every connection.
pub struct Hlr {
    /// Where switches and entities connect.
    pub gsup: SocketAddr,
    /// Where the control interface is.
    pub ctrl: SocketAddr,
    shared: Arc<Shared>,
    listening: [JoinHandle<()>; 2],
}

impl std::fmt::Debug for Hlr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hlr").field("gsup", &self.gsup).field("ctrl", &self.ctrl).finish_non_exhaustive()
    }
}

impl Drop for Hlr {
    fn drop(&mut self) {
        self.listening.iter().for_each(JoinHandle::abort);
        for peer in self.shared.lock().peers.iter().flatten() {
            peer.outbox.close();
        }
    }
}

impl Hlr {
    /// Listens on two free ports of 127.0.0.1.
    ///
    /// # Errors
    /// [`GsupError::Io`].
    pub async fn start(config: HlrConfig) -> Result<Self, GsupError> {
        let bind = || TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0));
        let gsup = bind().await.map_err(GsupError::io("listening for GSUP"))?;
        let ctrl = bind().await.map_err(GsupError::io("listening for CTRL"))?;
        let gsup_addr = gsup.local_addr().map_err(GsupError::io("listening for GSUP"))?;
        let ctrl_addr = ctrl.local_addr().map_err(GsupError::io("listening for CTRL"))?;
        let shared = Arc::new(Shared { config, table: Mutex::default() });
        let accept_gsup = accept(gsup, Arc::clone(&shared), |shared, stream| {
            attach(&shared, stream);
        });
        let accept_ctrl = accept(ctrl, Arc::clone(&shared), |shared, stream| {
            tokio::spawn(answer_questions(shared, stream));
        });
        let listening = [tokio::spawn(accept_gsup), tokio::spawn(accept_ctrl)];
        Ok(Self { gsup: gsup_addr, ctrl: ctrl_addr, shared, listening })
    }

    /// A connection without a socket, for a switch in this process. Needs a tokio runtime.
    pub fn attach(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(ATTACHED_LEN);
        attach(&self.shared, far);
        near
    }

    /// Whether an entity of that name is there and gets what is routed to it.
    pub fn is_routed(&self, entity: &str) -> bool {
        self.shared.lock().entity(entity).is_some()
    }

    /// Sessions that are open.
    pub fn sessions_len(&self) -> usize {
        self.shared.lock().sessions.len()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, serve: impl Fn(Arc<Shared>, tokio::net::TcpStream) + Send) {
    while let Ok((stream, _)) = listener.accept().await {
        // Without it answers wait for acknowledgements; a socket that can't be told is as good as gone.
        if stream.set_nodelay(true).is_ok() {
            serve(Arc::clone(&shared), stream);
        }
    }
}

/// Serves one GSUP connection: asks who it is, then routes.
fn attach<S: AsyncRead + AsyncWrite + Send + 'static>(shared: &Arc<Shared>, stream: S) {
    let (reader, writer) = tokio::io::split(stream);
    let outbox = Arc::new(Outbox::default());
    let Some(number) = shared.lock().join(Arc::clone(&outbox)) else { return };
    // A fresh box has room.
    let _pushed = outbox.push(&ipa::id_get(ASKED_TAGS));
    let sending = tokio::spawn({
        let outbox = Arc::clone(&outbox);
        async move { drop(outbox.send(writer).await) }
    });
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let route = |octets: &[u8]| route(&shared, number, octets);
        // However it ended, the peer has gone.
        let _ended = outbox::read(reader, route).await;
        outbox.close();
        shared.lock().leave(number);
        sending.abort();
    });
}

/// Takes whole frames of one peer; `Err` closes its connection.
fn route(shared: &Shared, from: usize, octets: &[u8]) -> Result<usize, GsupError> {
    let mut batch = Batch { now: Instant::now(), out: HashMap::new() };
    let mut table = shared.lock();
    table.sweep(shared.config.guard, batch.now);
    let mut rest = octets;
    while let Some((frame, after)) = take_frame(rest)? {
        let whole = rest.get(..rest.len() - after.len()).unwrap_or_default();
        rest = after;
        table.frame(&shared.config, &mut batch, from, frame, whole)?;
    }
    for (to, frames) in batch.out {
        if let Some(Some(peer)) = table.peers.get(to)
            && peer.outbox.push(&frames).is_err()
        {
            // One that reads nothing is cut off, as a full socket would do.
            peer.outbox.close();
        }
    }
    Ok(octets.len() - rest.len())
}

/// What one read makes to be sent, by connection.
struct Batch {
    now: Instant,
    out: HashMap<usize, Vec<u8>>,
}

impl Batch {
    fn send(&mut self, to: usize, frame: &[u8]) {
        self.out.entry(to).or_default().extend_from_slice(frame);
    }
}

impl Table {
    fn join(&mut self, outbox: Arc<Outbox>) -> Option<usize> {
        let peer = Some(Peer { name: None, routed: false, outbox });
        if let Some(free) = self.peers.iter().position(Option::is_none) {
            *self.peers.get_mut(free)? = peer;
            return Some(free);
        }
        if CONNECTIONS_MAX <= self.peers.len() {
            return None;
        }
        self.peers.push(peer);
        Some(self.peers.len() - 1)
    }

    fn leave(&mut self, number: usize) {
        if let Some(peer) = self.peers.get_mut(number) {
            *peer = None;
        }
        self.sessions.retain(|_, session| session.switch != number && session.entity != number);
    }

    fn entity(&self, name: &str) -> Option<usize> {
        let named = |peer: &Peer| {
            let entity = peer.name.as_deref().and_then(|name| name.strip_prefix("EUSE-"));
            peer.routed && entity == Some(name)
        };
        self.peers.iter().position(|peer| peer.as_ref().is_some_and(named))
    }

    fn sweep(&mut self, guard: Duration, now: Instant) {
        let swept = *self.swept.get_or_insert(now);
        if now - swept < Duration::from_secs(1).min(guard) {
            return;
        }
        self.swept = Some(now);
        self.sessions.retain(|_, session| now.saturating_duration_since(session.seen) < guard);
    }

    fn frame(
        &mut self,
        config: &HlrConfig,
        batch: &mut Batch,
        from: usize,
        frame: Frame<'_>,
        whole: &[u8],
    ) -> Result<(), GsupError> {
        if frame.protocol == ipa::PROTOCOL_CCM {
            match Ccm::parse(frame.payload) {
                Ok(Ccm::Ping) => batch.send(from, &ipa::pong()),
                Ok(Ccm::IdResponse(identity)) => self.register(from, identity)?,
                Ok(Ccm::Pong | Ccm::IdGet(_) | Ccm::IdAck) | Err(_) => {}
            }
            return Ok(());
        }
        let Some((Extension::Gsup, body)) = frame.extension() else { return Ok(()) };
        let Ok(message) = ProcSs::parse(body) else { return Ok(()) };
        match (message.kind, message.session_state) {
            (Kind::Request, SessionState::Begin) => self.begin(config, batch, from, &message, whole),
            (Kind::Request, _) => self.phone_says(batch, from, &message, whole),
            (Kind::Result | Kind::Error, _) => self.entity_says(batch, from, &message, whole),
        }
    }

    fn register(&mut self, from: usize, identity: IdResponse<'_>) -> Result<(), GsupError> {
        let value =
            |tag| identity.items().find(|item| item.tag == tag).and_then(|item| str::from_utf8(item.value).ok());
        let (Some(_), Some(name)) = (value(ipa::ID_TAG_UNIT), value(ipa::ID_TAG_NAME)) else {
            return Err(GsupError::Gone);
        };
        let taken = self.peers.iter().flatten().any(|peer| peer.routed && peer.name.as_deref() == Some(name));
        if let Some(Some(peer)) = self.peers.get_mut(from) {
            (peer.name, peer.routed) = (Some(String::from(name)), !taken);
        }
        Ok(())
    }

    fn begin(
        &mut self,
        config: &HlrConfig,
        batch: &mut Batch,
        from: usize,
        message: &ProcSs<'_>,
        whole: &[u8],
    ) -> Result<(), GsupError> {
        let key = (message.imsi, message.session_id);
        if self.sessions.contains_key(&key) {
            return refuse(batch, from, message);
        }
        let Some(Ok(Component::Invoke { invoke_id, ussd, .. })) = message.ss_info.map(Component::parse) else {
            return refuse(batch, from, message);
        };
        let dialled = ussd.text().unwrap_or_default();
        let route = config.routes.iter().find(|(prefix, _)| dialled.starts_with(prefix.as_str()));
        let Some((_, name)) = route else {
            return error(batch, from, message, invoke_id, ErrorCode::SS_NOT_AVAILABLE);
        };
        let room = self.sessions.len() < config.sessions_max;
        match self.entity(name).filter(|_| room) {
            Some(entity) => {
                self.sessions.insert(key, Session { switch: from, entity, seen: batch.now });
                batch.send(entity, whole);
                Ok(())
            }
            None => error(batch, from, message, invoke_id, ErrorCode::SYSTEM_FAILURE),
        }
    }

    /// A phone's answer, or the end of its patience. As OsmoHLR: an END is not passed on.
    fn phone_says(
        &mut self,
        batch: &mut Batch,
        from: usize,
        message: &ProcSs<'_>,
        whole: &[u8],
    ) -> Result<(), GsupError> {
        let key = (message.imsi, message.session_id);
        let ends = message.session_state == SessionState::End;
        match self.sessions.get_mut(&key) {
            Some(_) if ends => drop(self.sessions.remove(&key)),
            Some(session) => {
                session.seen = batch.now;
                let entity = session.entity;
                batch.send(entity, whole);
            }
            None => refuse(batch, from, message)?,
        }
        Ok(())
    }

    /// An entity's screen. One for no session is dropped in silence.
    fn entity_says(
        &mut self,
        batch: &mut Batch,
        from: usize,
        message: &ProcSs<'_>,
        whole: &[u8],
    ) -> Result<(), GsupError> {
        let key = (message.imsi, message.session_id);
        let Some(session) = self.sessions.get_mut(&key).filter(|session| session.entity == from) else {
            return Ok(());
        };
        session.seen = batch.now;
        let switch = session.switch;
        batch.send(switch, whole);
        if message.session_state == SessionState::End {
            self.sessions.remove(&key);
        }
        Ok(())
    }
}

/// GSUP's own error: for messages of no session.
fn refuse(batch: &mut Batch, to: usize, message: &ProcSs<'_>) -> Result<(), GsupError> {
    let error =
        ProcSs { kind: Kind::Error, cause: Some(INVALID), session_state: SessionState::End, ss_info: None, ..*message };
    send(batch, to, &error)
}

/// A return error for the phone, which ends the session.
fn error(batch: &mut Batch, to: usize, message: &ProcSs<'_>, invoke_id: i8, error: ErrorCode) -> Result<(), GsupError> {
    let component = Component::ReturnError { invoke_id, error }.encode().map_err(|_| GsupError::TooLong)?;
    let result = ProcSs { kind: Kind::Result, session_state: SessionState::End, ss_info: Some(&component), ..*message };
    send(batch, to, &result)
}

fn send(batch: &mut Batch, to: usize, message: &ProcSs<'_>) -> Result<(), GsupError> {
    let body = message.encode().map_err(|_| GsupError::TooLong)?;
    batch.send(to, &ipa::extension_frame(Extension::Gsup, &body)?);
    Ok(())
}

/// The control interface on one connection: `GET n subscriber.by-imsi-….msisdn`, and an error for everything else.
async fn answer_questions(shared: Arc<Shared>, stream: tokio::net::TcpStream) {
    let (reader, writer) = stream.into_split();
    let outbox = Arc::new(Outbox::default());
    let sending = tokio::spawn({
        let outbox = Arc::clone(&outbox);
        async move { drop(outbox.send(writer).await) }
    });
    let take = |octets: &[u8]| {
        let (mut rest, mut out) = (octets, Vec::new());
        while let Some((frame, after)) = take_frame(rest)? {
            rest = after;
            if let Some((Extension::Ctrl, body)) = frame.extension() {
                let answer = answer(&shared.config.numbers, &String::from_utf8_lossy(body));
                out.extend_from_slice(&ipa::extension_frame(Extension::Ctrl, answer.as_bytes())?);
            }
        }
        outbox.push(&out)?;
        Ok(octets.len() - rest.len())
    };
    let _ended = outbox::read(reader, take).await;
    outbox.close();
    sending.abort();
}

fn answer(numbers: &Numbers, question: &str) -> String {
    let mut words = question.split(' ');
    let (Some("GET"), Some(id), Some(variable), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return String::from("ERROR err Command parser error.");
    };
    let imsi = variable.strip_prefix("subscriber.by-imsi-").and_then(|rest| rest.strip_suffix(".msisdn"));
    match imsi.and_then(|imsi| Imsi::parse(imsi).ok()).map(|imsi| numbers(&imsi)) {
        Some(Number::Msisdn(msisdn)) => format!("GET_REPLY {id} {variable} {msisdn}"),
        Some(Number::None) => format!("GET_REPLY {id} {variable} {}", wire::ctrl::NONE),
        Some(Number::Unknown) => format!("ERROR {id} No such subscriber."),
        None => format!("ERROR {id} Command not found"),
    }
}
