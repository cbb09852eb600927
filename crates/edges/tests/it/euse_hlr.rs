//! An HLR on loopback: GSUP and CTRL as OsmoHLR 1.5.0 was seen to speak them, and phones behind it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ids::LinkId;
use edges::euse::{Endpoint, EuseConfig, EuseConfigError, Status, run};
use edges::flow::{Flow, FlowConfig};
use edges::port::Decider;
use edges::texts::Texts;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::gsup::{Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{Extension, extension_frame, ping, pong, take_frame};
use wire::ss::{Component, Operation, Ussd};
use wire::text::{Budget, encode, fits};

use crate::fake::{ALICE, BOB, DAVE, Fake, keys};

/// Longer than anything here takes on a loaded machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// SIMs of those of the fake decider; two without a number, and one that the HLR does not know.
pub(crate) const ALICE_SIM: &str = "901700000000001";
pub(crate) const BOB_SIM: &str = "901700000000002";
pub(crate) const DAVE_SIM: &str = "901700000000003";
pub(crate) const NUMBERLESS_SIM: &str = "901700000000004";
pub(crate) const EXTENSION_SIM: &str = "901700000000005";
pub(crate) const UNKNOWN_SIM: &str = "901700000000009";
/// SIMs of this kind have numbers that end like them.
const CROWD: &str = "90170001";

/// What OsmoHLR asks, and what makes it register and route: as captured on OsmoHLR 1.5.0.
const ID_GET: &str = "0011fe0401080107010201030104010501010100";
const ID_RESPONSE: &str = "001afe05000708302f302f3000000e00455553452d61697274696d6500";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let octet = |at| u8::from_str_radix(text.get(at..at + 2).expect("two digits"), 16).expect("hex");
    (0..text.len()).step_by(2).map(octet).collect()
}

/// Ends with its test.
pub(crate) struct Task<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"))
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// What the control interface does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CtrlMood {
    Answers,
    /// Reads and says nothing.
    Silent,
    /// Says of every question that it can't be read.
    Confused,
    /// Closes whatever is opened.
    Closes,
}

pub(crate) struct Hlr {
    gsup: TcpListener,
    pub(crate) ctrl_address: String,
    pub(crate) ctrl_mood: Arc<Mutex<CtrlMood>>,
    /// What the control interface was asked.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    ctrl: Task<()>,
}

impl Hlr {
    pub(crate) async fn start() -> Self {
        let gsup = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let ctrl = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let ctrl_address = ctrl.local_addr().expect("bound").to_string();
        let (asked, ctrl_mood) = (Arc::default(), Arc::new(Mutex::new(CtrlMood::Answers)));
        let serve = control(ctrl, Arc::clone(&asked), Arc::clone(&ctrl_mood));
        Self { gsup, ctrl_address, ctrl_mood, asked, ctrl: Task(tokio::spawn(serve)) }
    }

    pub(crate) fn mood(&self, mood: CtrlMood) {
        *self.ctrl_mood.lock().expect("not poisoned") = mood;
    }

    pub(crate) fn questions(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// The control interface goes away, its port too.
    pub(crate) async fn stop_ctrl(&mut self) {
        self.ctrl.0.abort();
        let _ = (&mut self.ctrl.0).await;
    }

    /// The next connection, before anything is said.
    pub(crate) async fn accept(&self) -> Conn {
        let (stream, _) = soon("a connection", self.gsup.accept()).await.expect("a connection");
        Conn { stream, read: Vec::new() }
    }

    /// The next connection, registered.
    pub(crate) async fn register(&self) -> Conn {
        let mut conn = self.accept().await;
        conn.send(&hex(ID_GET)).await;
        assert_eq!(conn.frame().await, Some(hex(ID_RESPONSE)));
        conn
    }

    pub(crate) fn config(&self) -> EuseConfig {
        let address = self.gsup.local_addr().expect("bound").to_string();
        let endpoint = |text: &str| Endpoint::parse(text, 1).expect("an address");
        let operators = vec![String::from("koryolink")];
        let usual = EuseConfig::try_new(LinkId(3), "test", "127.0.0.1", operators).expect("an address");
        EuseConfig {
            hlr: endpoint(&address),
            ctrl: endpoint(&self.ctrl_address),
            reconnect_min_ms: 10,
            reconnect_max_ms: 100,
            ..usual
        }
    }

    /// An HLR, the edge, and the connection between them.
    pub(crate) async fn with_edge() -> (Self, Edge<Fake>, Conn) {
        let hlr = Self::start().await;
        let edge = Edge::start(Fake::new(), hlr.config());
        let conn = hlr.register().await;
        until("CTRL is connected", || edge.status.is_up()).await;
        (hlr, edge, conn)
    }
}

fn msisdn_of(imsi: &str) -> Option<String> {
    let table = HashMap::from([
        (ALICE_SIM, ALICE),
        (BOB_SIM, BOB),
        (DAVE_SIM, DAVE),
        (NUMBERLESS_SIM, "none"),
        (EXTENSION_SIM, "1001"),
    ]);
    let crowd = || imsi.strip_prefix(CROWD).map(|rest| format!("850191{rest}"));
    table.get(imsi).map(|number| String::from(*number)).or_else(crowd)
}

pub(crate) fn crowd_sim(n: u32) -> String {
    format!("{CROWD}{n:07}")
}

async fn control(listener: TcpListener, asked: Arc<Mutex<Vec<String>>>, mood: Arc<Mutex<CtrlMood>>) {
    let mut conns = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (asked, mood) = (Arc::clone(&asked), Arc::clone(&mood));
        conns.push(Task(tokio::spawn(async move {
            let mut conn = Conn { stream, read: Vec::new() };
            let now = || *mood.lock().expect("not poisoned");
            if now() == CtrlMood::Closes {
                return;
            }
            while let Some(frame) = conn.frame().await {
                let text = String::from_utf8(frame[4..].to_vec()).expect("text");
                asked.lock().expect("not poisoned").push(text.clone());
                let mut words = text.split(' ').skip(1);
                let (id, variable) = (words.next().expect("an id"), words.next().expect("a variable"));
                let imsi = variable.trim_start_matches("subscriber.by-imsi-").trim_end_matches(".msisdn");
                let answer = match (now(), msisdn_of(imsi)) {
                    (CtrlMood::Silent, _) => continue,
                    (CtrlMood::Closes, _) => return,
                    (CtrlMood::Confused, _) => format!("ERROR {id} Command not found"),
                    (CtrlMood::Answers, Some(number)) => format!("GET_REPLY {id} {variable} {number}"),
                    (CtrlMood::Answers, None) => format!("ERROR {id} No such subscriber."),
                };
                conn.send(&extension_frame(Extension::Ctrl, answer.as_bytes()).expect("short")).await;
            }
        })));
    }
}

/// One connection, seen from the HLR.
pub(crate) struct Conn {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

impl Conn {
    pub(crate) async fn send(&mut self, octets: &[u8]) {
        // A peer that has closed is what some tests are about.
        let _ = self.stream.write_all(octets).await;
    }

    /// The next frame; `None` when the peer closed.
    pub(crate) async fn frame(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some((_, rest)) = take_frame(&self.read).expect("a frame") {
                let len = self.read.len() - rest.len();
                return Some(self.read.drain(..len).collect());
            }
            let mut octets = [0; 4_096];
            match soon("a frame", self.stream.read(&mut octets)).await {
                Ok(len) if len > 0 => self.read.extend_from_slice(&octets[..len]),
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// What the next frame shows, pings answered meanwhile.
    pub(crate) async fn shown(&mut self) -> Shown {
        loop {
            let frame = self.frame().await.expect("an answer and not the end");
            if frame == ping() {
                self.send(&pong()).await;
                continue;
            }
            return Shown::read(&frame);
        }
    }

    /// That nothing was sent before the answer to this ping.
    pub(crate) async fn nothing_shown(&mut self) {
        self.send(&ping()).await;
        let mut frame = self.frame().await;
        while frame == Some(ping().to_vec()) {
            self.send(&pong()).await;
            frame = self.frame().await;
        }
        assert_eq!(frame, Some(pong().to_vec()));
    }

    pub(crate) async fn dial(&mut self, imsi: &str, session_id: u32, text: &str) -> Shown {
        self.send(&dial(imsi, session_id, 1, text)).await;
        self.shown().await
    }

    pub(crate) async fn enter(&mut self, imsi: &str, session_id: u32, invoke_id: i8, text: &str) -> Shown {
        self.send(&typed(imsi, session_id, invoke_id, text)).await;
        self.shown().await
    }
}

/// What a phone reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) imsi: String,
    pub(crate) session_id: u32,
    pub(crate) goes_on: bool,
    /// Of our prompt, or of the phone's invoke that this is the result of.
    pub(crate) invoke_id: i8,
    pub(crate) dcs: u8,
    pub(crate) text: String,
}

impl Shown {
    /// Reads a frame, which must be one that the HLR passes on.
    pub(crate) fn read(frame: &[u8]) -> Self {
        let (frame, _) = take_frame(frame).expect("a frame").expect("whole");
        let (extension, body) = frame.extension().expect("an extension");
        assert_eq!(extension, Extension::Gsup);
        let message = ProcSs::parse(body).expect("a message");
        assert_eq!(message.kind, Kind::Result);
        let octets = message.ss_info.expect("never an empty END");
        assert!(octets.len() <= 127 + 2 && octets[1] < 128, "a length of one octet");
        let component = Component::parse(octets).expect("a component");
        let (goes_on, invoke_id, ussd) = match component {
            Component::Invoke { invoke_id, operation: Operation::UnstructuredSsRequest, ussd } => {
                (true, invoke_id, ussd)
            }
            Component::ReturnResult {
                invoke_id,
                outcome: Some((Operation::ProcessUnstructuredSsRequest, Some(ussd))),
            } => (false, invoke_id, ussd),
            other => panic!("neither a prompt nor a last word: {other:?}"),
        };
        assert_eq!(message.session_state, if goes_on { SessionState::Continue } else { SessionState::End });
        let text = ussd.text().expect("a text");
        assert!(!text.is_empty() && fits(&text, Budget::USSD_OSMOHLR), "{text}");
        let imsi = String::from(message.imsi.as_str());
        Self { imsi, session_id: message.session_id, goes_on, invoke_id, dcs: ussd.dcs, text }
    }

    /// `END` or the prompt's number, and the text.
    pub(crate) fn line(&self) -> String {
        if self.goes_on { format!("{} {}", self.invoke_id, self.text) } else { format!("END {}", self.text) }
    }
}

pub(crate) fn message(kind: Kind, imsi: &str, session_id: u32, state: SessionState, ss_info: Option<&[u8]>) -> Vec<u8> {
    let imsi = Imsi::parse(imsi).expect("an IMSI");
    let message = ProcSs { kind, imsi, cause: None, class: None, session_id, session_state: state, ss_info };
    extension_frame(Extension::Gsup, &message.encode().expect("short")).expect("short")
}

pub(crate) fn dial(imsi: &str, session_id: u32, invoke_id: i8, text: &str) -> Vec<u8> {
    let encoded = encode(text);
    let operation = Operation::ProcessUnstructuredSsRequest;
    let component = Component::Invoke { invoke_id, operation, ussd: Ussd::of(&encoded) }.encode().expect("short");
    message(Kind::Request, imsi, session_id, SessionState::Begin, Some(&component))
}

pub(crate) fn typed(imsi: &str, session_id: u32, invoke_id: i8, text: &str) -> Vec<u8> {
    let encoded = encode(text);
    let outcome = Some((Operation::UnstructuredSsRequest, Some(Ussd::of(&encoded))));
    let component = Component::ReturnResult { invoke_id, outcome }.encode().expect("short");
    message(Kind::Request, imsi, session_id, SessionState::Continue, Some(&component))
}

/// The edge under test.
pub(crate) struct Edge<D> {
    pub(crate) decider: D,
    pub(crate) flow: Flow<D>,
    pub(crate) status: Arc<Status>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) task: Task<Result<(), EuseConfigError>>,
}

impl<D: Decider> Edge<D> {
    pub(crate) fn start(decider: D, config: EuseConfig) -> Self {
        Self::with_flow(decider, config, FlowConfig::default())
    }

    pub(crate) fn with_flow(decider: D, config: EuseConfig, flow: FlowConfig) -> Self {
        let flow = Flow::new(decider.clone(), Arc::new(keys()), Arc::new(Texts::embedded()), flow);
        Self::of(decider, flow, config)
    }

    pub(crate) fn of(decider: D, flow: Flow<D>, config: EuseConfig) -> Self {
        let status = Arc::new(Status::new());
        let (stop, stopped) = oneshot::channel();
        let (own_flow, own_status) = (flow.clone(), Arc::clone(&status));
        let task = async move {
            let stopped = async {
                let _ = stopped.await;
            };
            run(&own_flow, config, own_status, stopped).await
        };
        Self { decider, flow, status, stop: Some(stop), task: Task(tokio::spawn(task)) }
    }
}
