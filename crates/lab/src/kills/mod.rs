//! A kill loop: the real server, many clients over three doors, SIGKILL at random moments, and a history that is judged.
//!
//! **For:** `sonmul-lab kill-loop` and `make kills`; a short run of it is a test.
//!
//! **Guarantees:** every call of every client is in the history, those without an answer too. A client asks for what it did
//! not learn again, under the same id, until it learns it. Servers are killed between any two of their steps, also while
//! they start. At the end the journal is verified, and the history is checked as complete ([`crate::history`]).
//!
//! **Bounded by:** [`KillConfig::rounds`]; [`ANSWERED_WITHIN`] for each round.
//!
//! **Deliberately not here:** power cuts. A killed process leaves what it wrote to the kernel; what a disk loses is tried by the
//! tests of `store` and by the simulator.

mod call;
mod client;
mod doors;
mod place;
mod recorder;
mod screens;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::history::{Checking, Report, check};

use client::{Client, Door};
use doors::Doors;
use place::Place;
use recorder::Recorder;
use server::Server;

/// The answers of one round come within so long, on a machine that does other things as well.
const ANSWERED_WITHIN: Duration = Duration::from_secs(120);
/// A kill comes up to so long after the answer that it waited for.
const KILL_WAIT_MS: u64 = 20;
/// After a kill, fewer than so many starts are killed before one serves again.
const STARTS_KILLED: u64 = 3;
/// Clients at each door at most: their phones are imported by one command.
pub const CLIENTS_MAX: u32 = 40;
/// Memory for sorting a history.
const MEMORY_BYTES: usize = 256 << 20;

/// How hard, how long, and where.
#[derive(Clone, Debug)]
pub struct KillConfig {
    /// The binary of the server.
    pub server: PathBuf,
    /// A directory of its own: the data directory, the history and the servers' logs.
    pub dir: PathBuf,
    /// Servers that are killed when they serve.
    pub rounds: u32,
    /// Decides what is asked and when a server is killed, but not how processes and threads take turns.
    pub seed: u64,
    /// Clients at each of the three doors.
    pub clients: u32,
    /// A server is killed after 1 to so many answers.
    pub answers_max: u32,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Killed {
    /// Decides what was asked.
    pub seed: u64,
    /// Servers that were killed while they served.
    pub kills: u32,
    /// Servers that were killed before they served.
    pub kills_at_start: u32,
    /// Milliseconds in all.
    pub took_ms: u64,
    /// What the history says.
    pub report: Report,
}

/// What clients know of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It does not serve.
    Down,
    /// It serves, over HTTP there.
    Up(SocketAddr),
    /// The same, and only what is not known yet is asked for.
    Settle(SocketAddr),
}

/// Runs all rounds, then verifies and checks. `progress` hears how many rounds are done.
///
/// # Errors
/// When a server does not start or stop as it should, a client hears what nobody says, or the journal is damaged. A
/// contradiction is no error but part of the report.
pub fn run(config: &KillConfig, progress: &mut dyn FnMut(u64)) -> anyhow::Result<Killed> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (tell, answers) = channel();
    let history = config.dir.join("history.jsonl");
    let recorder = Arc::new(Recorder::create(&history, tell)?);
    let place = runtime.block_on(Place::make(config))?;
    let server = Server::start(&config.server, &place.data, &config.dir)?;
    let doors = Arc::new(Doors::new(&place.data, Arc::clone(&place.hlr), Arc::clone(&recorder))?);
    runtime.block_on(place.fill(&doors, server.http))?;
    let (stage, staged) = watch::channel(Stage::Down);
    let clients = Clients { runtime: &runtime, place: &place, doors: &doors, stage: &stage, answers: &answers };
    let running = clients.start(config, &staged);
    let mut rounds = Rounds { config, clients: &clients, dice: Dice::new(config.seed), kills: 0, kills_at_start: 0 };
    let server = rounds.run(server, progress)?;
    runtime.block_on(clients.settle(running, server.http))?;
    server.stop()?;
    recorder.flush()?;
    verify(config, &place.data)?;
    let checking = Checking { history, journal: place.data.clone(), complete: true, memory_bytes: MEMORY_BYTES };
    let report = check(&checking, &mut |_, _, _| {})?;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Killed { seed: config.seed, kills: rounds.kills, kills_at_start: rounds.kills_at_start, took_ms, report })
}

/// `sonmul verify`, as people run it.
fn verify(config: &KillConfig, data: &Path) -> anyhow::Result<()> {
    let mut command = server::command(&config.server);
    let output = command.arg("verify").arg("--json").arg("--data").arg(data).output().context("sonmul verify")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "sonmul verify ended with {}: {}", output.status, said.trim());
    Ok(())
}

/// Whoever asks, and what it takes.
struct Clients<'a> {
    runtime: &'a Runtime,
    place: &'a Place,
    doors: &'a Arc<Doors>,
    stage: &'a watch::Sender<Stage>,
    /// One for each answer.
    answers: &'a Receiver<()>,
}

impl Clients<'_> {
    fn start(&self, config: &KillConfig, staged: &watch::Receiver<Stage>) -> JoinSet<anyhow::Result<()>> {
        let mut running = JoinSet::new();
        for door in [Door::Http, Door::Gsup, Door::Staff] {
            for n in 0..config.clients {
                let client = Client::new(door, n, config, self.place, Arc::clone(self.doors), staged.clone());
                running.spawn_on(client.run(), self.runtime.handle());
            }
        }
        running
    }

    /// Waits for so many answers.
    fn hear(&self, count: u64) -> anyhow::Result<()> {
        let until = Instant::now() + ANSWERED_WITHIN;
        for heard in 0..count {
            let left = until.saturating_duration_since(Instant::now());
            if self.answers.recv_timeout(left).is_err() {
                bail!("{heard} of {count} answers came within {} s", ANSWERED_WITHIN.as_secs());
            }
        }
        Ok(())
    }

    /// Lets everybody learn what they do not know yet, and ends.
    async fn settle(&self, mut running: JoinSet<anyhow::Result<()>>, http: SocketAddr) -> anyhow::Result<()> {
        self.stage.send_replace(Stage::Settle(http));
        let ended = tokio::time::timeout(ANSWERED_WITHIN, async {
            while let Some(ended) = running.join_next().await {
                ended.context("a client")??;
            }
            anyhow::Ok(())
        });
        ended.await.context("a client does not learn what became of its call")?
    }
}

/// Kills, and starts again.
struct Rounds<'a> {
    config: &'a KillConfig,
    clients: &'a Clients<'a>,
    dice: Dice,
    kills: u32,
    kills_at_start: u32,
}

impl Rounds<'_> {
    /// All of them; the server that is left.
    fn run(&mut self, mut server: Server, progress: &mut dyn FnMut(u64)) -> anyhow::Result<Server> {
        for round in 0..self.config.rounds {
            self.wait_for_route(true)?;
            // Answers of the round before, and of the filling, count for nothing.
            while self.clients.answers.try_recv().is_ok() {}
            self.clients.stage.send_replace(Stage::Up(server.http));
            self.clients.hear(1 + self.dice.below(u64::from(self.config.answers_max)))?;
            server::pause(Duration::from_micros(self.dice.below(KILL_WAIT_MS * 1_000)));
            let started_within = server.started_within;
            server.kill()?;
            self.kills += 1;
            self.clients.stage.send_replace(Stage::Down);
            self.wait_for_route(false)?;
            for _ in 0..self.dice.below(STARTS_KILLED) {
                let after = self.dice.below(u64::try_from(started_within.as_micros()).unwrap_or(u64::MAX));
                Server::kill_at_start(&self.config.server, &self.clients.place.data, &self.config.dir, after)?;
                self.kills_at_start += 1;
                self.wait_for_route(false)?;
            }
            server = Server::start(&self.config.server, &self.clients.place.data, &self.config.dir)?;
            progress(u64::from(round) + 1);
        }
        self.wait_for_route(true)?;
        Ok(server)
    }

    /// Waits until the stand-in HLR knows whether somebody serves. A second entity of a name would never get its routes.
    fn wait_for_route(&self, routed: bool) -> anyhow::Result<()> {
        let until = Instant::now() + ANSWERED_WITHIN;
        while self.clients.place.is_routed() != routed {
            ensure!(Instant::now() < until, "the HLR's entity is not {}", if routed { "there" } else { "gone" });
            server::pause(Duration::from_millis(2));
        }
        Ok(())
    }
}
