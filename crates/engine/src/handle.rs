//! The engine as its callers see it: a cloneable [`Handle`], and [`Engine`], which owns the threads.
//!
//! Guarantees: an answer leaves only when its entry is durable. A caller whose batch was lost hears *unknown*; one whose
//! command was never taken from the queue hears that nothing was sent.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use domain::command::Command;
use domain::receipt::Seq;
use domain::time::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::answer::{Answer, Closed, Directory, Query, Reply, Seen, StatusView, View};
use crate::clock::{Clock, ClockGuard, Steady};
use crate::decider::{Decider, Early, Submission};
use crate::feed::Feed;
use crate::follower::{Follow, FollowStartFault, run_follower};
use crate::history;
use crate::ids::IdsKept;
use crate::journal::{APPEND_ENTRIES_MAX, Journal, JournalReader};
use crate::queue::{Full, Job, Queue};
use crate::recover::latest_at;
use crate::replica::Replica;
use crate::run::Run;
use crate::shared::Shared;
pub use crate::shared::{EngineConfig, Fault, Refold};
use crate::status::Status;

/// What an engine is made of.
pub struct Parts {
    /// State, ids and head to go on from.
    pub loaded: Replica,
    /// The writing side of the journal.
    pub journal: Box<dyn Journal>,
    /// The reading side.
    pub reader: Arc<dyn JournalReader>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock + Sync>,
    /// How to fold again.
    pub refold: Refold,
    /// Bounds.
    pub config: EngineConfig,
}

impl core::fmt::Debug for Parts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Parts").field("head", &self.loaded.head).field("config", &self.config).finish_non_exhaustive()
    }
}

/// A running engine: the decider's thread and the followers.
pub struct Engine {
    handle: Handle,
    decider: JoinHandle<()>,
    followers: Vec<JoinHandle<()>>,
    fault: watch::Receiver<Option<Fault>>,
}

impl Engine {
    /// Starts the decider.
    ///
    /// # Errors
    /// When the thread can't be made.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let Parts { loaded, journal, reader, clock, refold, config } = parts;
        let mut guard = ClockGuard::new(Box::new(Arc::clone(&clock)), config.clock, latest_at(&loaded.head));
        if config.accept_clock {
            guard.accept();
            // So that the first deadlines go by it.
            let _trusted = guard.stamp();
        }
        let decider = Decider::new(loaded);
        let status = Status::default();
        status.publish(decider.head(), decider.state(), decider.ids());
        let shared = Arc::new(Shared {
            queue: Queue::new(config.queue_depth),
            feed: Feed::new(decider.head().seq),
            directory: RwLock::new(Arc::clone(decider.directory())),
            reader,
            clock,
            steady: Steady::new(&guard),
            status,
            latest_ms: AtomicI64::new(decider.head().at.ms()),
        });
        let (tell, fault) = watch::channel(None);
        let run = Run::new(decider, journal, guard, refold, Arc::clone(&shared), config, tell);
        let thread = std::thread::Builder::new().name(String::from("decider")).spawn(move || run.run())?;
        Ok(Self { handle: Handle { shared }, decider: thread, followers: Vec::new(), fault })
    }

    /// A handle for callers.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Starts a follower after the entry `cursor`.
    ///
    /// # Errors
    /// When the cursor is past the latest durable entry, or the thread can't be made.
    pub fn follow(&mut self, name: &str, cursor: Seq, follow: Box<dyn Follow>) -> Result<(), FollowStartFault> {
        let shared = Arc::clone(&self.handle.shared);
        let head = shared.feed.head();
        if cursor > head {
            return Err(FollowStartFault::Ahead { name: String::from(name), cursor, head });
        }
        let named = String::from(name);
        let run = move || run_follower(&named, cursor, follow, &shared.feed, &*shared.reader);
        self.followers.push(std::thread::Builder::new().name(String::from(name)).spawn(run)?);
        Ok(())
    }

    /// Waits until the engine stops by itself.
    pub async fn fault(&self) -> Fault {
        let mut fault = self.fault.clone();
        let told = fault.wait_for(Option::is_some).await.ok().and_then(|fault| fault.clone());
        told.unwrap_or_else(|| Fault::Assertion(String::from("its thread is gone")))
    }

    /// Takes no more commands, works off what waits, lets followers finish, and ends the threads.
    ///
    /// # Errors
    /// When the engine had stopped by itself.
    pub fn stop(self) -> Result<(), Fault> {
        self.handle.shared.queue.stop();
        let ended = self.decider.join();
        self.handle.shared.feed.stop();
        for follower in self.followers {
            if follower.join().is_err() {
                tracing::error!("a follower ended on an assertion");
            }
        }
        match (ended, self.fault.borrow().clone()) {
            (_, Some(fault)) => Err(fault),
            (Err(_), None) => Err(Fault::Assertion(String::from("its thread is gone"))),
            (Ok(()), None) => Ok(()),
        }
    }
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("followers", &self.followers.len()).finish_non_exhaustive()
    }
}

/// Submits commands and asks questions. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// Submits one command and waits for its answer.
    pub async fn submit(&self, command: Command) -> Answer {
        let (tell, answer) = oneshot::channel();
        if let Err(refused) = self.push(Job::One(Box::new(self.submission(command)), tell)) {
            return refused;
        }
        match answer.await {
            Ok(Early::Answer(answer)) => answer,
            Ok(repeat @ Early::Repeat { .. }) => {
                let shared = Arc::clone(&self.shared);
                // The entry may have to be read from disk, which no async thread should wait for.
                tokio::task::spawn_blocking(move || resolve(&shared, repeat)).await.unwrap_or(Answer::Unknown)
            }
            Err(_) => Answer::Unknown,
        }
    }

    /// Submits one command from a thread of its own and waits for its answer.
    pub fn submit_blocking(&self, command: Command) -> Answer {
        let (tell, answer) = oneshot::channel();
        if let Err(refused) = self.push(Job::One(Box::new(self.submission(command)), tell)) {
            return refused;
        }
        answer.blocking_recv().map_or(Answer::Unknown, |early| resolve(&self.shared, early))
    }

    /// Submits commands that are decided in order and answered together. At most [`APPEND_ENTRIES_MAX`] share an append;
    /// longer lists are answered "busy" whole.
    pub fn submit_bulk(&self, commands: Vec<Command>) -> Bulk {
        let count = commands.len();
        let (tell, answers) = oneshot::channel();
        if count > APPEND_ENTRIES_MAX {
            return Bulk { waiting: Err(Answer::Busy), count, shared: Arc::clone(&self.shared) };
        }
        let submissions = commands.into_iter().map(|command| self.submission(command)).collect();
        let waiting = self.push(Job::Many(submissions, tell)).map(|()| answers);
        Bulk { waiting, count, shared: Arc::clone(&self.shared) }
    }

    /// Asks a question; `None` when the engine is gone or full.
    pub async fn query(&self, query: Query) -> Option<Seen<View>> {
        let (tell, answer) = oneshot::channel();
        self.push(Job::Query(query, tell)).ok()?;
        answer.await.ok()
    }

    /// The same from a thread of its own.
    pub fn query_blocking(&self, query: Query) -> Option<Seen<View>> {
        let (tell, answer) = oneshot::channel();
        self.push(Job::Query(query, tell)).ok()?;
        answer.blocking_recv().ok()
    }

    /// How the engine does. Never waits: neither for the decider nor for a disk.
    pub fn status(&self) -> StatusView {
        self.shared.status.view(&self.directory())
    }

    /// Takes the clock as it is now, once.
    pub async fn accept_clock(&self) -> bool {
        let (tell, done) = oneshot::channel();
        self.push(Job::AcceptClock(tell)).is_ok() && done.await.is_ok()
    }

    /// Rules in force and generations, as of the latest durable entry.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.shared.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The engine's clock: for deadlines. Like the instants of batches it never runs backwards, so that a deadline set by
    /// it lies ahead of them also after an operator accepted a clock that was set back. No clock that leaps moves it before
    /// an operator accepts the leap.
    pub fn now(&self) -> Timestamp {
        let latest = self.shared.latest_ms.load(Ordering::Relaxed);
        Timestamp::from_ms(self.shared.steady.now_ms(&*self.shared.clock).max(latest))
    }

    /// Oldest instant that a program's id may carry.
    pub fn ids_floor(&self) -> Timestamp {
        self.ids_kept().floor
    }

    /// Which ids are remembered, as of the latest durable entry.
    pub fn ids_kept(&self) -> IdsKept {
        self.shared.status.ids_kept()
    }

    /// The journal's reading side.
    pub fn reader(&self) -> Arc<dyn JournalReader> {
        Arc::clone(&self.shared.reader)
    }

    /// Durable batches.
    pub fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    fn submission(&self, mut command: Command) -> Submission {
        decide_within(&mut command, self.now());
        Submission::new(command)
    }

    fn push(&self, job: Job) -> Result<(), Answer> {
        self.shared.queue.push(job).map_err(|full| match full {
            Full::Busy => Answer::Busy,
            Full::Stopping => Answer::Closed(Closed::Stopping),
        })
    }
}

impl core::fmt::Debug for Handle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Handle")
    }
}

/// Answers on their way.
pub struct Bulk {
    waiting: Result<oneshot::Receiver<Vec<Early>>, Answer>,
    count: usize,
    shared: Arc<Shared>,
}

impl Bulk {
    /// Waits for all of them, in the order of the commands.
    pub fn wait(self) -> Vec<Answer> {
        let early = match self.waiting {
            Ok(answers) => answers.blocking_recv(),
            Err(refused) => return vec![refused; self.count],
        };
        match early {
            Ok(early) => early.into_iter().map(|early| resolve(&self.shared, early)).collect(),
            Err(_) => vec![Answer::Unknown; self.count],
        }
    }
}

impl core::fmt::Debug for Bulk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bulk").field("count", &self.count).finish_non_exhaustive()
    }
}

/// Completes an answer: a repeat's verdict is read from memory while its batch is there, and else from the journal.
fn resolve(shared: &Shared, early: Early) -> Answer {
    let (seq, language) = match early {
        Early::Answer(answer) => return answer,
        Early::Repeat { seq, language } => (seq, language),
    };
    let recent = shared.feed.find(seq).and_then(|batch| {
        let at = usize::try_from(seq.0.checked_sub(batch.first_seq.0)?).ok()?;
        batch.entries.get(at).map(|entry| (batch.at, entry.verdict.outcome.clone()))
    });
    let found = match recent {
        Some(found) => Some(found),
        None => match history::entry(&*shared.reader, seq) {
            Ok(found) => found.map(|found| (found.at, found.entry.verdict.outcome)),
            Err(fault) => {
                tracing::error!(%fault, "the answer to a repeated command could not be read");
                None
            }
        },
    };
    found.map_or(Answer::Unknown, |(at, outcome)| Answer::Verdict(Reply { seq, at, outcome, language, repeated: true }))
}

impl<C: Clock + ?Sized + Sync> Clock for Arc<C> {
    fn wall_ms(&self) -> i64 {
        (**self).wall_ms()
    }
    fn monotonic_ms(&self) -> i64 {
        (**self).monotonic_ms()
    }
}

/// No command that is put into the queue at `now` waits longer than [`DECIDE_WITHIN_MAX_S`]: what edges tell people about
/// *unknown* relies on it.
pub const fn decide_within(command: &mut Command, now: Timestamp) {
    let latest = now.plus_s(DECIDE_WITHIN_MAX_S);
    if latest.ms() < command.decide_before.ms() {
        command.decide_before = latest;
    }
}

/// "In 5 minutes your balance shows whether it was sent" (docs/design.md, *Unknown*), seconds.
pub const DECIDE_WITHIN_MAX_S: i64 = 300;
