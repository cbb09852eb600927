//! The machine under test: the real decider, journal codec, ids, collector and recovery, driven one step at a time.
//!
//! What a process has in memory is [`Machine`] and dies with it; what is durable is [`Disk`]. A crash between any two steps
//! is dropping the one and starting from the other.
//!
//! Bounded by [`QUEUE_DEPTH`] and [`BATCH_MAX`]. Deliberately not here: threads and sockets (the engine has them).

use std::collections::VecDeque;

use domain::command::Command;
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::answer::{Answer, Closed};
use engine::checkpoint::{Checkpoint, CheckpointFault, Collector};
use engine::clock::{ClockGuard, ClockLimits};
use engine::decider::{Decider, Early, Pending, Submission, given_up};
use engine::ids::{Fingerprint, IdsConfig, IdsKept};
use engine::journal::{AppendFault, Journal, JournalReader, Link, ReadFault, decode};
use engine::memory::{MemoryCheckpoint, MemoryJournal};
use engine::recover::{RecoverFault, latest_at, recover};
use engine::replica::Replica;

use crate::dice::Dice;
use crate::hands::Hands;
use crate::network::{Name, Party};
use crate::plant::Plant;
use crate::timer::Timer;

/// Commands that wait at most.
pub(crate) const QUEUE_DEPTH: usize = 24;
/// Commands decided at once at most.
const BATCH_MAX: usize = 6;

/// An append that found no room so often is given up.
const NO_ROOM_TRIES: u32 = 3;

/// What survives a crash.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Never appended to itself: every process makes a writer of its own from it.
    pub(crate) journal: MemoryJournal,
    pub(crate) checkpoint: MemoryCheckpoint,
    /// A copy of the checkpoint from some time ago.
    pub(crate) backup: Option<MemoryCheckpoint>,
}

/// A command in the queue, and who waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) from: Party,
    pub(crate) name: Name,
    /// How often the edge took the session for a new one.
    pub(crate) reuse: u32,
    /// When it was put into the queue, by the server's clock.
    pub(crate) queued_ms: i64,
    pub(crate) command: Command,
    pub(crate) fingerprint: Fingerprint,
}

/// An answer about to leave.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) waiting: Waiting,
    pub(crate) answer: Answer,
    /// When it was decided, and the latest entry then.
    pub(crate) at: Timestamp,
    pub(crate) after: Seq,
}

/// Between which two steps the machine is.
#[derive(Debug)]
enum Phase {
    Idle,
    Decided { pending: Pending, waiting: Vec<Waiting>, at: Timestamp, before: Seq },
    Appended { pending: Pending, waiting: Vec<Waiting>, at: Timestamp, before: Seq },
    Leaving(VecDeque<Leaving>),
}

/// What a step did.
#[derive(Debug)]
pub(crate) enum Worked {
    Nothing,
    /// Commands were decided.
    Decided(usize),
    /// This became durable.
    Appended(Link),
    /// There was no room; the same bytes are tried again.
    NoRoom,
    /// There was no room for too long: these hear that nothing was sent, and the state was folded again.
    GaveUp(Vec<Leaving>),
    /// The process stops.
    Stopped(AppendFault),
    Confirmed,
    /// These leave now.
    Left(Vec<Leaving>),
}

/// What a process has in memory.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) decider: Decider,
    pub(crate) queue: VecDeque<Waiting>,
    journal: MemoryJournal,
    guard: ClockGuard,
    collector: Collector,
    pub(crate) timer: Timer,
    phase: Phase,
    /// Tries of this append so far that found no room.
    no_room: u32,
    ids: IdsConfig,
    /// As of what is durable.
    ids_kept: IdsKept,
    plant: Option<Plant>,
}

impl Machine {
    /// Starts a process from what is durable.
    pub(crate) fn start(disk: &Disk, loaded: Replica, hands: &Hands, ids: IdsConfig, plant: Option<Plant>) -> Self {
        let guard = ClockGuard::new(Box::new(hands.clone()), ClockLimits::default(), latest_at(&loaded.head));
        let collector = Collector::new(disk.checkpoint.head());
        let (ids_kept, timer) = (loaded.ids.kept(), Timer::start(&loaded.state));
        Self {
            decider: Decider::new(loaded),
            queue: VecDeque::new(),
            journal: disk.journal.clone(),
            guard,
            collector,
            timer,
            phase: Phase::Idle,
            no_room: 0,
            ids,
            ids_kept,
            plant,
        }
    }

    /// State and ids from checkpoint and journal.
    pub(crate) fn load(disk: &Disk, ids: IdsConfig) -> Result<Replica, RecoverFault> {
        recover(&mut disk.checkpoint.clone(), &disk.journal.reader(), disk.journal.head(), ids, &mut |_| {})
    }

    /// Whether everything that was decided is durable and confirmed.
    pub(crate) const fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Leaving(_))
    }

    /// Whether a batch is under way.
    pub(crate) const fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.queue.is_empty()
    }

    /// Lets staff accept the clock as it is.
    pub(crate) fn accept_clock(&mut self) {
        self.guard.accept();
        let _trusted = self.guard.stamp();
    }

    /// Time for deadlines, as the engine's handle tells it.
    pub(crate) fn now(&self) -> Timestamp {
        self.guard.now()
    }

    /// Takes one step.
    pub(crate) fn work(&mut self, disk: &mut Disk, dice: &mut Dice) -> Result<Worked, RecoverFault> {
        match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => Ok(self.decide(disk, dice)),
            Phase::Decided { pending, waiting, at, before } => self.append(disk, pending, waiting, at, before),
            Phase::Appended { pending, waiting, at, before } => {
                if let Some(link) = &pending.link {
                    self.decider.confirm(link);
                    self.ids_kept = self.decider.ids().kept();
                }
                self.phase = Phase::Leaving(leaving(disk, waiting, pending.answers, at, before));
                Ok(Worked::Confirmed)
            }
            Phase::Leaving(mut answers) => {
                let count = 1 + dice.index(answers.len().max(1));
                let now = answers.drain(..count.min(answers.len())).collect();
                if !answers.is_empty() {
                    self.phase = Phase::Leaving(answers);
                }
                Ok(Worked::Left(now))
            }
        }
    }

    fn decide(&mut self, disk: &mut Disk, dice: &mut Dice) -> Worked {
        let count = self.queue.len().min(1 + dice.index(BATCH_MAX));
        if count == 0 {
            return Worked::Nothing;
        }
        let waiting: Vec<Waiting> = self.queue.drain(..count).collect();
        let before = self.decider.head().seq;
        let stamp = if self.journal.is_short_of_room() { Err(Closed::Disk) } else { self.guard.stamp() };
        let at = match stamp {
            Ok(at) => at,
            Err(closed) => {
                let at = Timestamp::MIN;
                let closed = |waiting| Leaving { waiting, answer: Answer::Closed(closed), at, after: before };
                return Worked::Left(waiting.into_iter().map(closed).collect());
            }
        };
        let submit =
            |waiting: &Waiting| Submission { command: waiting.command.clone(), fingerprint: waiting.fingerprint };
        let mut pending = self.decider.decide(at, waiting.iter().map(submit).collect());
        if self.plant == Some(Plant::CheckpointAhead)
            && let Some(batch) = &pending.batch
        {
            self.collect(disk, usize::MAX).ok();
            self.collector.add(batch);
            self.write(disk).ok();
        }
        if self.plant == Some(Plant::AnswerBeforeAppend) {
            let answers = core::mem::take(&mut pending.answers);
            let early = leaving(disk, waiting, answers, at, before);
            self.phase = Phase::Decided { pending, waiting: Vec::new(), at, before };
            return Worked::Left(early.into_iter().collect());
        }
        self.phase = Phase::Decided { pending, waiting, at, before };
        Worked::Decided(count)
    }

    fn append(
        &mut self,
        disk: &Disk,
        pending: Pending,
        waiting: Vec<Waiting>,
        at: Timestamp,
        before: Seq,
    ) -> Result<Worked, RecoverFault> {
        let Some(link) = &pending.link else {
            // Nothing new, and what is repeated is durable already.
            self.phase = Phase::Leaving(leaving(disk, waiting, pending.answers, at, before));
            return Ok(Worked::Confirmed);
        };
        match self.journal.append(link) {
            Ok(()) => {
                self.no_room = 0;
                let link = link.clone();
                self.phase = Phase::Appended { pending, waiting, at, before };
                Ok(Worked::Appended(link))
            }
            Err(AppendFault::NoRoom) if self.no_room < NO_ROOM_TRIES => {
                self.no_room += 1;
                self.phase = Phase::Decided { pending, waiting, at, before };
                Ok(Worked::NoRoom)
            }
            Err(AppendFault::NoRoom) => {
                self.no_room = 0;
                self.decider = Decider::new(Self::load(disk, self.ids)?);
                let answers = given_up(pending.answers, before);
                Ok(Worked::GaveUp(leaving(disk, waiting, answers, at, before).into()))
            }
            Err(fault @ (AppendFault::Stale { .. } | AppendFault::Lost(_))) => Ok(Worked::Stopped(fault)),
        }
    }

    /// The entries of the batch whose append was the latest step, as decided.
    pub(crate) fn appended(&self) -> Option<&engine::journal::Batch> {
        match &self.phase {
            Phase::Appended { pending, .. } => pending.batch.as_deref(),
            Phase::Idle | Phase::Decided { .. } | Phase::Leaving(_) => None,
        }
    }

    /// The checkpoint follower reads at most so many durable appends.
    pub(crate) fn collect(&mut self, disk: &Disk, appends_max: usize) -> Result<(), ReadFault> {
        let reader = disk.journal.reader();
        for link in reader.read(self.collector.head().seq.next(), usize::MAX)?.iter().take(appends_max) {
            self.collector.add(&decode(link)?);
        }
        Ok(())
    }

    /// The checkpoint follower writes what it has collected.
    pub(crate) fn write(&mut self, disk: &mut Disk) -> Result<(), CheckpointFault> {
        if self.collector.entries() == 0 {
            return Ok(());
        }
        disk.checkpoint.write(&self.collector.take(self.ids_kept))
    }
}

/// Answers with what they were seen at. A repeat is read from the journal, as the engine does.
fn leaving(disk: &Disk, waiting: Vec<Waiting>, answers: Vec<Early>, at: Timestamp, before: Seq) -> VecDeque<Leaving> {
    let reader = disk.journal.reader();
    let mut after = before;
    let mut leaving = VecDeque::with_capacity(waiting.len());
    for (waiting, early) in waiting.into_iter().zip(answers) {
        let seen_at = after;
        if let Early::Answer(Answer::Verdict(reply)) = &early {
            after = reply.seq;
        }
        leaving.push_back(Leaving { waiting, answer: resolve(&reader, early), at, after: seen_at });
    }
    leaving
}

fn resolve(reader: &dyn JournalReader, early: Early) -> Answer {
    match early {
        Early::Answer(answer) => answer,
        Early::Repeat { seq, language } => match engine::history::entry(reader, seq) {
            Ok(Some(found)) => {
                let outcome = found.entry.verdict.outcome;
                Answer::Verdict(engine::answer::Reply { seq, at: found.at, outcome, language, repeated: true })
            }
            Ok(None) | Err(_) => Answer::Unknown,
        },
    }
}
