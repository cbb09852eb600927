//! An engine in memory behind a real `admin.sock`, and a client of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::admin::{CardSink, Press, PressOrder, Pressed};
use api::{AdminParts, router, serve_unix};
use domain::command::{Body, Command};
use domain::id::CommandId;
use domain::ids::{BatchId, Serial, Staff};
use domain::number::CardNumber;
use domain::office::motion::MotionCommand;
use domain::office::{Asked, Office};
use domain::password::Password;
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::Outcome;
use engine::answer::Answer;
use engine::checkpoint::Checkpoint;
use engine::clock::Clock;
use engine::deliveries::{Delivery, DeliveryKey, End, FollowerStoreFault, ReceiptState, Role, Sent, Stage};
use engine::handle::{Engine, EngineConfig, Handle, Parts};
use engine::ids::IdsConfig;
use engine::journal::{AppendFault, Head, Journal, JournalReader, Link};
use engine::memory::{MemoryCheckpoint, MemoryJournal};
use engine::recover::recover;
use engine::timers::{DueTimer, dues};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

pub(crate) use domain::testing::{KANGSONG, KORYOLINK, two_keys as keys};

const IDS: IdsConfig = IdsConfig::of_each(1_000);

/// Both clocks; they move together.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(Timestamp::parse("2026-11-22T10:00:00Z").expect("an instant").ms())))
    }

    pub(crate) fn advance_s(&self, s: i64) {
        self.0.fetch_add(s * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A journal that counts how often something was to be appended.
struct Counted {
    journal: MemoryJournal,
    appends: Arc<AtomicU64>,
}

impl Journal for Counted {
    fn head(&self) -> Head {
        self.journal.head()
    }

    fn append(&mut self, link: &Link) -> Result<(), AppendFault> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        self.journal.append(link)
    }

    fn is_short_of_room(&self) -> bool {
        self.journal.is_short_of_room()
    }
}

/// An answer: status, correlation id, the entry seen, body.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) id: Option<String>,
    pub(crate) seq: Option<String>,
    pub(crate) text: String,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The body with its keys in order, whatever features `serde_json` was built with.
    pub(crate) fn shown(&self) -> String {
        sorted(&self.json()).to_string()
    }

    /// Status and the words that a caller branches on.
    pub(crate) fn brief(&self) -> String {
        let json = self.json();
        let of = |key: &str| json.get(key).and_then(Value::as_str);
        let named = |key: &str| json.get(key).and_then(|what| what.get("name")).and_then(Value::as_str);
        let words = [of("error"), of("why"), of("outcome"), named("done"), named("refusal")];
        format!("{} {}", self.status, words.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

fn sorted(json: &Value) -> Value {
    match json {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.clone(),
    }
}

pub(crate) struct World {
    pub(crate) handle: Handle,
    pub(crate) journal: MemoryJournal,
    pub(crate) appends: Arc<AtomicU64>,
    pub(crate) clock: TestClock,
    pub(crate) socket: PathBuf,
    pub(crate) engine: Engine,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
    pub(crate) press: MemoryPress,
    pub(crate) _dir: tempfile::TempDir,
}

/// Starts an engine over a journal, as it is after a restart when there is something in it.
fn start_engine(journal: &MemoryJournal, appends: &Arc<AtomicU64>, clock: &TestClock, config: EngineConfig) -> Engine {
    let reader: Arc<dyn JournalReader> = Arc::new(journal.reader());
    let (from, head) = (Arc::clone(&reader), journal.clone());
    let mut checkpoint = MemoryCheckpoint::new();
    assert_eq!(Checkpoint::head(&checkpoint).seq.0, 0);
    let mut load = move || recover(&mut checkpoint, &*from, head.head(), IDS, &mut |_| {});
    let loaded = load().expect("an intact journal");
    let (due, head) = (dues(&loaded.state), loaded.head.seq);
    let journal = Box::new(Counted { journal: journal.clone(), appends: Arc::clone(appends) });
    let clock = Arc::new(clock.clone());
    let parts = Parts { loaded, journal, reader, clock, refold: Box::new(load), config };
    let mut engine = Engine::start(parts).expect("a thread");
    let timer = DueTimer::new(due, engine.handle());
    engine.follow("timers", head, Box::new(timer)).expect("a thread");
    engine
}

impl World {
    pub(crate) fn empty() -> Self {
        Self::over(MemoryJournal::new(), TestClock::new(), EngineConfig::default())
    }

    pub(crate) fn over(journal: MemoryJournal, clock: TestClock, config: EngineConfig) -> Self {
        let appends = Arc::default();
        let engine = start_engine(&journal, &appends, &clock, config);
        let handle = engine.handle();
        let check_rules: api::admin::CheckRules = Arc::new(|rules| {
            let problems = ["gift.done (ko): 3 characters too long", "menu.top (en): too long"].map(String::from);
            let long = rules.display_names.iter().any(|name| name == "too long");
            if long { Err(problems.to_vec()) } else { Ok(()) }
        });
        // Entry 2 has an SMS, entry 1's can't be read.
        let find_sms: api::admin::FindSms = Arc::new(|seq| match seq.0 {
            1 => Err(FollowerStoreFault::Damaged(String::from("told to be"))),
            2 => Ok(vec![delivery(seq)]),
            _ => Ok(Vec::new()),
        });
        let keys = Arc::new(keys());
        let press = MemoryPress::default();
        let parts = AdminParts {
            handle: handle.clone(),
            keys,
            check_rules,
            links: Arc::new(links),
            find_sms,
            press: Arc::new(press.clone()),
            version: "0.1.0-test",
        };
        let dir = tempfile::tempdir().expect("a directory");
        let socket = dir.path().join("admin.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _gone = stopped.await;
        };
        let served = tokio::spawn(serve_unix(listener, router(parts), shutdown));
        Self { handle, journal, appends, clock, socket, engine, stop, served, press, _dir: dir }
    }

    /// Waits until the decider tries to append one more time than `before`.
    pub(crate) async fn until_appending(&self, before: u64) {
        for _ in 0..12_000 {
            if self.appends.load(Ordering::SeqCst) > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nothing was to be appended within a minute");
    }

    /// With koryolink loaded and two subscribers, …001 and …002.
    pub(crate) async fn koryolink() -> Self {
        let world = Self::empty();
        assert_eq!(world.load(KORYOLINK).await.brief(), "200 done rules-loaded");
        let subscribers = json!([{ "msisdn": "1911000001" }, { "msisdn": "1911000002" }]);
        let told =
            world.post("/v1/subscribers/import", &json!({ "operator": "koryolink", "subscribers": subscribers })).await;
        assert_eq!(told.brief(), "200 done imported");
        world
    }

    /// A second person says yes to what `told` proposed.
    pub(crate) async fn second(&self, told: &Told) -> Outcome {
        let json = told.json();
        let motion = json.pointer("/done/motion").and_then(Value::as_u64).expect("a motion");
        let hash = json.pointer("/done/hash").and_then(Value::as_str).expect("a hash");
        let hash = *blake3::Hash::from_hex(hash).expect("64 digits").as_bytes();
        let what = Asked::Motion(MotionCommand::Approve { motion: Seq(motion), hash });
        let body = Body::Office(Box::new(Office { staff: Staff(4_242), what }));
        let ms = self.handle.now().ms().unsigned_abs();
        let id = uuid::Builder::from_unix_timestamp_millis(
            ms,
            &motion.to_be_bytes().repeat(2)[..10].try_into().expect("ten"),
        );
        let id = CommandId::from_uuid(id.into_uuid().as_u128()).expect("a UUIDv7");
        let decide_before = self.handle.now().plus_s(30);
        match self.handle.submit(Command { id, decide_before, body }).await {
            Answer::Verdict(reply) => reply.outcome,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn load(&self, toml: &str) -> Told {
        self.post("/v1/operators", &json!({ "toml": toml })).await
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        ask(&self.socket, "GET", path, None, "").await
    }

    /// With `null` as a body nothing is sent.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Told {
        self.post_as(None, path, body).await
    }

    pub(crate) async fn post_as(&self, id: Option<&str>, path: &str, body: &Value) -> Told {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask(&self.socket, "POST", path, id, &body).await
    }

    /// A program's id of this instant; the same `n`, the same id.
    pub(crate) fn id(&self, n: u8) -> String {
        let ms = self.handle.now().ms().unsigned_abs();
        uuid::Builder::from_unix_timestamp_millis(ms, &[n; 10]).into_uuid().to_string()
    }
}

/// A press whose files are in memory, and what it was told.
#[derive(Clone, Default)]
pub(crate) struct MemoryPress(pub(crate) Arc<Mutex<Pressing>>);

/// What a press did.
#[derive(Default)]
pub(crate) struct Pressing {
    pub(crate) cards: Vec<(Serial, CardNumber, Zeroizing<String>)>,
    /// Fails at that card.
    pub(crate) fails_at: Option<usize>,
    pub(crate) discarded: Vec<BatchId>,
}

impl Press for MemoryPress {
    fn begin(&self, order: &PressOrder) -> Result<Box<dyn CardSink>, String> {
        if order.recipient == "age1nobody" {
            return Err(String::from("not an age recipient"));
        }
        Ok(Box::new(self.clone()))
    }

    fn discard(&self, batch: BatchId) {
        self.0.lock().expect("alive").discarded.push(batch);
    }
}

impl CardSink for MemoryPress {
    fn push(&mut self, serial: Serial, number: CardNumber, password: &Password) -> Result<(), String> {
        let mut pressing = self.0.lock().expect("alive");
        if pressing.fails_at.is_some_and(|at| pressing.cards.len() >= at) {
            return Err(String::from("the disk is full"));
        }
        pressing.cards.push((serial, number, password.reveal()));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Pressed, String> {
        Ok(Pressed { file_hash: [7; 32], octets: 1_234, file: String::from("batches/1.age") })
    }
}

pub(crate) async fn ask(socket: &std::path::Path, method: &str, path: &str, id: Option<&str>, body: &str) -> Told {
    let stream = UnixStream::connect(socket).await.expect("a server");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    let driver = tokio::spawn(connection);
    let mut request = hyper::Request::builder().method(method).uri(path).header("host", "localhost");
    if let Some(id) = id {
        request = request.header("x-correlation-id", id);
    }
    let request = request.body(Full::new(Bytes::from(String::from(body)))).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    let header = |name: &str| answer.headers().get(name).map(|value| String::from(value.to_str().expect("text")));
    let (status, id, seq) = (answer.status().as_u16(), header("x-correlation-id"), header("sonmul-seq"));
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    driver.abort();
    Told { status, id, seq, text: String::from_utf8(body.to_vec()).expect("UTF-8") }
}

/// One link that is down.
fn links() -> Vec<api::admin::LinkView> {
    let counts = [(String::from("dials"), 3)].into();
    vec![api::admin::LinkView {
        name: String::from("hlr1"),
        link: 10,
        kind: String::from("hlr"),
        address: String::from("127.0.0.1:4222"),
        up: false,
        says: String::from("nobody listens there: start osmo-hlr"),
        counts,
    }]
}

fn delivery(seq: domain::receipt::Seq) -> Delivery {
    let (to, at) = (domain::number::Msisdn::parse("8501911000002").expect("a number"), domain::time::Timestamp::MIN);
    let key = DeliveryKey { seq, role: Role::Recipient };
    let sent = Sent { link: domain::ids::LinkId(3), message_id: Some(Box::from("1a2b")), at };
    let stage = Stage::Ended { how: End::Failed, at: at.plus_s(60) };
    let receipt = Some(ReceiptState::Undeliverable);
    Delivery {
        attempts: 2,
        sent: Some(sent),
        receipt,
        receipt_error: Some(27),
        stage,
        ..Delivery::new(key, to, at, at)
    }
}
