//! An engine with subscribers, and the GSUP edge before it.

use std::sync::Arc;

use domain::command::{Body, Command, NewSubscriber};
use domain::id::CommandId;
use domain::ids::{Language, LinkId};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::password::TagKeys;
use domain::receipt::Seq;
use domain::testing::{self, card_number};
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
use edges::euse::{self, Endpoint, EuseConfig, Status};
use edges::flow::{Flow, FlowConfig};
use edges::port::{Decider, GiftLine};
use edges::texts::Texts;
use engine::answer::{Answer, Directory, Query, Seen, SubscriberView, View};
use engine::clock::SystemClock;
use engine::handle::{Engine, EngineConfig, Handle, Parts};
use engine::history::{self, Found};
use engine::ids::IdsConfig;
use engine::journal::Journal;
use engine::memory::{MemoryCheckpoint, MemoryJournal};
use engine::recover::recover;
use lab::load::osmo::{OsmoConfig, OsmoHlr};
use sonmul::gsup::msc::{Msc, MscConfig};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use wire::imsi::Imsi;

use super::until;

pub(crate) use domain::testing::{PASSWORD, phone as msisdn};

/// Ids of programs that are remembered.
const IDS: IdsConfig = IdsConfig::of_each(100_000);
/// Lines of a command at most.
const CHUNK: u64 = 900;
/// On every card at the beginning.
pub(crate) const CARD_VALUE: i64 = 10_000;

/// Koryolink without limits, so that whoever is charged twice is seen to be.
fn open_profile(repeat_window_s: u32) -> String {
    let window = format!("repeat_window_s = {repeat_window_s}");
    let dials = ("dials_per_caller_per_min = 10", "dials_per_caller_per_min = 600");
    testing::one_period(&[dials, ("repeat_window_s = 300", &window)], "")
}

/// See the module.
pub(crate) struct World {
    pub(crate) flow: Flow<Port>,
    engine: Engine,
    keys: Arc<TagKeys>,
    ids: u64,
    /// While it is `false`, the decider gets nothing: a disk that hangs.
    pub(crate) gate: watch::Sender<bool>,
}

/// The nth subscriber's SIM.
pub(crate) fn imsi(n: u64) -> Imsi {
    Imsi::parse(&imsi_digits(n)).expect("an IMSI")
}

pub(crate) fn imsi_digits(n: u64) -> String {
    format!("90170{n:010}")
}

/// The same as people dial it.
pub(crate) fn national(n: u64) -> String {
    (1_911_000_000 + n).to_string()
}

/// A gift of one subscriber to another.
pub(crate) fn gift(amount: u64, to: u64) -> String {
    format!("*999*{amount}*{}*{PASSWORD}#", national(to))
}

impl World {
    /// So many subscribers, numbered from 1, with a card each: those with even numbers read Korean, the others English.
    pub(crate) fn new(subscribers: u64) -> Self {
        Self::with(subscribers, 0)
    }

    /// The same, where a gift again within so many seconds is refused.
    pub(crate) fn with(subscribers: u64, repeat_window_s: u32) -> Self {
        let (journal, checkpoint) = (MemoryJournal::new(), MemoryCheckpoint::new());
        let load = {
            let (journal, checkpoint) = (journal.clone(), checkpoint.clone());
            move || recover(&mut checkpoint.clone(), &journal.reader(), journal.head(), IDS, &mut |_| {})
        };
        let parts = Parts {
            loaded: load().expect("an empty journal"),
            journal: Box::new(journal.clone()),
            reader: Arc::new(journal.reader()),
            clock: Arc::new(SystemClock::new()),
            refold: Box::new(load),
            config: EngineConfig::default(),
        };
        let engine = Engine::start(parts).expect("starts");
        let keys = Arc::new(testing::keys());
        let (gate, opened) = watch::channel(true);
        let port = Port { handle: engine.handle(), opened };
        let flow = Flow::new(port, Arc::clone(&keys), Arc::new(Texts::embedded()), FlowConfig::default());
        let mut world = Self { flow, engine, keys, ids: 0, gate };
        world.done(vec![testing::load(testing::rules_of(&open_profile(repeat_window_s)))]);
        world.fill(subscribers);
        world
    }

    fn fill(&mut self, subscribers: u64) {
        let language = |n: u64| Some(if n.is_multiple_of(2) { Language::Korean } else { Language::English });
        let mut bodies = Vec::new();
        for first in (1..=subscribers).step_by(usize::try_from(CHUNK).expect("small")) {
            let rows = first..=subscribers.min(first + CHUNK - 1);
            let line = |n| NewSubscriber { language: language(n), ..testing::subscriber(msisdn(n)) };
            bodies.push(testing::import(rows.clone().map(line).collect()));
            bodies.push(testing::issue(&self.keys, rows.map(card_number), PASSWORD, CARD_VALUE));
        }
        self.done(bodies);
        let bind = |n| testing::bind(&self.keys, testing::caller(msisdn(n)), card_number(n), PASSWORD);
        self.done((1..=subscribers).map(bind).collect());
    }

    /// Submits and insists.
    fn done(&mut self, bodies: Vec<Body>) {
        let commands = bodies.into_iter().map(|body| {
            self.ids += 1;
            Command { id: CommandId::internal(0, self.ids), decide_before: Timestamp::MAX, body }
        });
        let commands: Vec<_> = commands.collect();
        let bulk = self.engine.handle().submit_bulk(commands);
        for answer in tokio::task::block_in_place(|| bulk.wait()) {
            let is_done = matches!(&answer, Answer::Verdict(reply) if matches!(reply.outcome, Outcome::Done(_)));
            assert!(is_done, "{answer:?}");
        }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.engine.handle()
    }

    /// The nth subscriber as care sees them.
    pub(crate) async fn subscriber(&self, n: u64) -> SubscriberView {
        let seen = self.handle().query(Query::Subscriber(msisdn(n))).await.expect("the engine runs");
        let View::Subscriber(Some(view)) = seen.value else { panic!("nobody has number {n}") };
        view
    }

    /// What is left on the nth subscriber's card, and their airtime.
    pub(crate) async fn books(&self, n: u64) -> (i64, i64) {
        let view = self.subscriber(n).await;
        (view.cards.iter().map(|card| card.balance_minor).sum(), view.airtime_minor)
    }
}

/// The engine as the edges' port sees it.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    handle: Handle,
    opened: watch::Receiver<bool>,
}

impl Decider for Port {
    fn submit(&self, command: Command) -> impl Future<Output = Answer> + Send {
        let (handle, mut opened) = (self.handle.clone(), self.opened.clone());
        // A task: whoever drops the future loses the answer and not the command.
        let submitted = tokio::spawn(async move {
            let _world_ended = opened.wait_for(|opened| *opened).await.is_err();
            handle.submit(command).await
        });
        async move { submitted.await.unwrap_or(Answer::Unknown) }
    }

    fn query(&self, query: Query) -> impl Future<Output = Option<Seen<View>>> + Send {
        let handle = self.handle.clone();
        async move { handle.query(query).await }
    }

    fn directory(&self) -> Arc<Directory> {
        self.handle.directory()
    }

    fn now(&self) -> Timestamp {
        self.handle.now()
    }

    async fn gifts(&self, latest: Seq, of: Msisdn, most: usize) -> Vec<GiftLine> {
        let view = self.handle.query(Query::Subscriber(of)).await.map(|seen| seen.value);
        let Some(View::Subscriber(Some(subscriber))) = view else { return Vec::new() };
        let reader = self.handle.reader();
        let found = history::walk(&*reader, latest, subscriber.id, most, |entry| given(entry, of).is_some());
        found.expect("readable").iter().filter_map(|found| gift_line(found, of)).collect()
    }
}

fn given(entry: &Entry, of: Msisdn) -> Option<(bool, Msisdn, Amount)> {
    let (Body::Gift(gift), Outcome::Done(Done::Given { .. })) = (&entry.body, &entry.verdict.outcome) else {
        return None;
    };
    let (recipient, amount) = (gift.recipient.value()?, gift.amount.value()?);
    let sent = gift.caller.msisdn == of;
    let other = if sent { recipient } else { gift.caller.msisdn };
    (sent || recipient == of).then_some((sent, other, amount))
}

fn gift_line(found: &Found, of: Msisdn) -> Option<GiftLine> {
    let (sent, other, amount) = given(&found.entry, of)?;
    Some(GiftLine { at: found.at, seq: found.seq, sent, other, amount })
}

/// An edge that runs; it ends with the value.
pub(crate) struct Edge {
    pub(crate) status: Arc<Status>,
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Edge {
    /// Starts it, and waits for nothing.
    pub(crate) fn start(world: &World, config: EuseConfig) -> Self {
        let (status, flow) = (Arc::new(Status::new()), world.flow.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn({
            let status = Arc::clone(&status);
            async move {
                let stopped = async move { drop(stopped.await) };
                euse::run(&flow, config, status, stopped).await.expect("a configuration that can be used");
            }
        });
        Self { status, task, stop: Some(stop) }
    }

    /// Waits until it is registered and can ask for numbers.
    pub(crate) async fn up(&self) {
        until("the edge is registered", || self.status.is_up()).await;
    }

    /// Stops it as a server that ends does.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        super::soon("the edge stops", &mut self.task).await.expect("no panic");
    }
}

/// An edge's configuration for an HLR with a guard of 30 s.
pub(crate) fn euse_config(link: u16, gsup: std::net::SocketAddr, ctrl: std::net::SocketAddr) -> EuseConfig {
    let host = gsup.ip().to_string();
    let operators = vec![String::from("koryolink")];
    let config = EuseConfig::try_new(LinkId(link), &format!("hlr{link}"), &host, operators).expect("an address");
    let endpoint = |address: std::net::SocketAddr| Endpoint::parse(&address.to_string(), 1).expect("an address");
    EuseConfig { hlr: endpoint(gsup), ctrl: endpoint(ctrl), reconnect_max_ms: 500, ..config }
}

/// A real HLR, a switch and an edge.
pub(crate) struct Network {
    pub(crate) hlr: OsmoHlr,
    pub(crate) edge: Edge,
    pub(crate) msc: Msc,
    pub(crate) _dir: TempDir,
}

pub(crate) async fn osmo(dir: &TempDir, subscribers: u64, guard_s: u32) -> OsmoHlr {
    let numbered = (1..=subscribers).map(|n| (imsi_digits(n), Some(msisdn(n).get().to_string())));
    // One that has no number.
    let subscribers = numbered.chain([(imsi_digits(NUMBERLESS), None)]).collect();
    let config = OsmoConfig {
        euse: String::from("airtime"),
        prefixes: vec![String::from("*999*"), String::from("*999#")],
        guard_s,
        subscribers,
    };
    OsmoHlr::start(dir.path(), &config).await.unwrap_or_else(|error| panic!("{error}"))
}

/// A subscriber of the HLR that has no MSISDN.
pub(crate) const NUMBERLESS: u64 = 900_000;

pub(crate) async fn msc(hlr: &OsmoHlr) -> Msc {
    let config = MscConfig::named("MSC-00-00-00-00-00-00");
    Msc::connect(hlr.gsup, &config).await.unwrap_or_else(|error| panic!("{error}: {}", hlr.log()))
}

impl Network {
    /// All of `world`'s subscribers behind one HLR.
    pub(crate) async fn new(world: &World, subscribers: u64) -> Self {
        Self::with(world, subscribers, 30, |config| config).await
    }

    pub(crate) async fn with(
        world: &World,
        subscribers: u64,
        guard_s: u32,
        change: impl FnOnce(EuseConfig) -> EuseConfig,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let hlr = osmo(&dir, subscribers, guard_s).await;
        let edge = Edge::start(world, change(euse_config(10, hlr.gsup, hlr.ctrl)));
        edge.up().await;
        let msc = msc(&hlr).await;
        Self { hlr, edge, msc, _dir: dir }
    }

    /// Dials, and gives the first screen as a line.
    pub(crate) async fn dial(&self, caller: u64, string: &str) -> String {
        let mut dialogue = self.msc.begin(imsi(caller), string).expect("sent");
        super::line(&super::screen("a dial", dialogue.shown()).await)
    }
}
