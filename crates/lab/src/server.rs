//! What happens at the server: frames arrive, the machine works, answers leave, processes die and start again.

use std::sync::Arc;

use domain::command::{Body, Command};
use domain::id::{CommandId, UssdPrompt};
use domain::ids::Serial;
use domain::office::done::OfficeDone;
use domain::office::till::Goods;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::Answer;
use engine::checkpoint::Checkpoint;
use engine::clock::Clock;
use engine::handle::{DECIDE_WITHIN_MAX_S, decide_within};
use engine::ids::Fingerprint;
use engine::journal::{Draft, Journal, Link, decode};
use engine::memory::{MemoryCheckpoint, Weather};

use crate::invariant::{
    Broken, CODEC_FAITHFUL, DECIDED_IN_TIME, HELD_ENDS, Held, NO_ASSERTION_FAILS, STALE_WRITER_STOPS, STARTS_AGAIN,
    hold,
};
use crate::machine::{Leaving, Machine, QUEUE_DEPTH, Waiting, Worked};
use crate::network::{Frame, Name, Parcel, Party};
use crate::plant::Plant;
use crate::trace::{Asks, Tells};
use crate::world::World;

/// How often an edge takes a BEGIN with remembered numbers for a new session.
const REUSE_MAX: u32 = 3;

impl World {
    /// What the server goes by for deadlines; the wall clock while it is down.
    pub(crate) fn server_now(&self) -> Timestamp {
        self.machine.as_ref().map_or_else(|| Timestamp::from_ms(self.hands.wall_ms()), Machine::now)
    }

    /// A frame reaches the edge, which makes its id and puts it into the queue.
    pub(crate) fn arrive(&mut self, frame: Frame) {
        let Frame { from, name, body } = frame;
        if self.machine.is_none() {
            self.say(format_args!("nobody hears: {}", Asks(&body)));
            return;
        }
        let now = self.server_now();
        if self.config.plant == Some(Plant::LimitReadOutside) && self.oracle.limit_stands_against(&body, now.ms()) {
            self.say(format_args!("the edge refuses: {}", Asks(&body)));
            return;
        }
        let id = match name {
            Name::Id(id) => id,
            Name::Session(session) => ussd_id(&body, session, 0),
        };
        // Some edges would wait for an hour; the engine does not.
        let within_s = if self.dice.often(150) { self.dice.between(300, 3_600) } else { self.dice.between(1, 300) };
        let decide_before = now.plus_s(within_s);
        self.submit(Command { id, decide_before, body }, from, name, 0);
    }

    /// Puts a command into the queue, or tells that it is full.
    pub(crate) fn submit(&mut self, mut command: Command, from: Party, name: Name, reuse: u32) {
        let queued_ms = self.server_now().ms();
        let Some(machine) = &mut self.machine else { return };
        if machine.queue.len() >= QUEUE_DEPTH {
            self.summary.count("busy");
            self.down(from, name, Answer::Busy);
            return;
        }
        if self.config.plant != Some(Plant::DeadlineUnbounded) {
            decide_within(&mut command, Timestamp::from_ms(queued_ms));
        }
        let fingerprint = Fingerprint::of(&command.body);
        self.trace
            .line(self.hands.now_ms(), format_args!("queued from {from}: {} as {}", Asks(&command.body), command.id));
        machine.queue.push_back(Waiting { from, name, reuse, queued_ms, command, fingerprint });
    }

    fn down(&mut self, to: Party, name: Name, answer: Answer) {
        // What a timer hears never leaves the process.
        if let (Party::Timer, Name::Id(id)) = (to, name) {
            if let Some(machine) = &mut self.machine {
                machine.timer.answer(id, &answer);
            }
            return;
        }
        self.network.send(self.hands.now_ms(), Parcel::Down { to, name, answer }, &mut self.dice);
    }

    /// The machine takes a step, or is started.
    pub(crate) fn work(&mut self) -> Held {
        if self.machine.is_none() {
            return self.start();
        }
        let worked = self.worked()?;
        match worked {
            Worked::Nothing => Ok(()),
            Worked::Decided(count) => {
                self.say(format_args!("decides {count}"));
                Ok(())
            }
            Worked::Appended(link) => self.appended(&link),
            Worked::NoRoom => {
                self.summary.count("no-room");
                Ok(())
            }
            Worked::GaveUp(leaving) => {
                self.summary.count("gave-up");
                self.say(format_args!("no room for too long: a batch of {} is dropped", leaving.len()));
                self.loaded()?;
                self.left(leaving)
            }
            Worked::Stopped(fault) => {
                self.summary.count(if self.overtaken { "stale" } else { "lost-disk" });
                self.say(format_args!("stops: {fault}"));
                self.crash();
                Ok(())
            }
            Worked::Confirmed => {
                if let Some(machine) = &self.machine {
                    self.directory = Arc::clone(machine.decider.directory());
                }
                let known = self.config.look_inside && !self.overtaken;
                if known { self.oracle.directory(&self.directory) } else { Ok(()) }
            }
            Worked::Left(leaving) => self.left(leaving),
        }
    }

    /// One step of the machine; an assertion of the decider's is a violation with a seed.
    fn worked(&mut self) -> Result<Worked, Broken> {
        let Some(machine) = &mut self.machine else { return Ok(Worked::Nothing) };
        let (disk, dice) = (&mut self.disk, &mut self.dice);
        let step = std::panic::AssertUnwindSafe(|| machine.work(disk, dice));
        match std::panic::catch_unwind(step) {
            Ok(Ok(worked)) => Ok(worked),
            Ok(Err(fault)) => Err(Broken { invariant: STARTS_AGAIN, what: fault.to_string() }),
            Err(_) => {
                Err(Broken { invariant: NO_ASSERTION_FAILS, what: String::from("the decider stopped; see stderr") })
            }
        }
    }

    /// An append is durable: the oracle reads it as any follower would.
    pub(crate) fn appended(&mut self, link: &Link) -> Held {
        hold(!self.overtaken, STALE_WRITER_STOPS, || format!("it appended {} all the same", link.first_seq))?;
        let unreadable =
            |fault: engine::journal::ReadFault| Broken { invariant: CODEC_FAITHFUL, what: fault.to_string() };
        let batch = decode(link).map_err(unreadable)?;
        if self.config.look_inside {
            let mut again = Draft::new(link.at, link.bytes.len());
            batch.entries.iter().for_each(|entry| again.push(entry));
            let again = again.finish(&self.oracle.head());
            hold(again == *link, CODEC_FAITHFUL, || format!("append {} is written otherwise again", link.first_seq))?;
            let decided = self.machine.as_ref().and_then(Machine::appended);
            let same = decided.is_none_or(|decided| {
                let outcome = |entry: &domain::verdict::Entry| (entry.id, entry.verdict.outcome.clone());
                decided.fingerprints == batch.fingerprints
                    && decided.entries.iter().map(outcome).eq(batch.entries.iter().map(outcome))
            });
            hold(same, CODEC_FAITHFUL, || format!("append {} is read otherwise than decided", link.first_seq))?;
        }
        self.say(format_args!("durable: entries {} to {}", link.first_seq, link.last_seq()));
        for entry in &batch.entries {
            let name = match &entry.verdict.outcome {
                Outcome::Done(_) => entry.body.name(),
                Outcome::Refused(refusal) => refusal.name(),
            };
            self.summary.count(name);
        }
        self.oracle.append(link, &batch)?;
        self.hand_over(&batch);
        Ok(())
    }

    /// Whoever bought a card at a till has it in the hand, and knows what is printed on it.
    fn hand_over(&mut self, batch: &engine::journal::Batch) {
        for entry in &batch.entries {
            let Outcome::Done(Done::Office(done)) = &entry.verdict.outcome else { continue };
            let OfficeDone::Sold { goods: Goods::Cards { first, count }, .. } = **done else { continue };
            for serial in (first.0..first.0 + count).map(Serial) {
                let Some((_, card)) = self.oracle.screens().card_of_serial(serial) else { continue };
                let Some(digits) = self.press.printed(card.facts.number) else { continue };
                let own = |phone: &&mut crate::phone::Phone| phone.operator == card.facts.operator;
                let mut buyers: Vec<_> = self.phones.iter_mut().filter(own).collect();
                let buyer = self.dice.index(buyers.len());
                if let Some(buyer) = buyers.get_mut(buyer) {
                    buyer.bought.push((card.facts.number, digits));
                }
            }
        }
    }

    /// Answers leave: each is judged, then it is the network's.
    pub(crate) fn left(&mut self, leaving: Vec<Leaving>) -> Held {
        for leaving in leaving {
            self.oracle.leaves(&leaving)?;
            self.in_time(&leaving)?;
            let Leaving { waiting, answer, .. } = leaving;
            self.summary.count(match &answer {
                Answer::Verdict(reply) if reply.repeated => "answered-again",
                Answer::Verdict(_) => "answered",
                Answer::IdReused => "id-reused",
                Answer::IdTooOld { .. } => "id-too-old",
                Answer::IdAhead => "id-ahead",
                Answer::Busy => "busy",
                Answer::Closed(_) => "closed",
                Answer::NotDone => "not-done",
                Answer::Unknown => "unknown",
            });
            self.trace.line(self.hands.now_ms(), format_args!("to {}: {}", waiting.from, Tells(&answer)));
            match (waiting.name, &answer) {
                // Numbers that come back with other content are a new session: the edge counts it.
                (Name::Session(session), Answer::IdReused) if waiting.reuse < REUSE_MAX => {
                    let reuse = waiting.reuse + 1;
                    let id = ussd_id(&waiting.command.body, session, reuse);
                    self.submit(Command { id, ..waiting.command }, waiting.from, waiting.name, reuse);
                }
                _ => self.down(waiting.from, waiting.name, answer),
            }
        }
        Ok(())
    }

    /// What is decided is decided within five minutes; what a timer was answered for is open and due no more.
    fn in_time(&self, leaving: &Leaving) -> Held {
        let Answer::Verdict(reply) = &leaving.answer else { return Ok(()) };
        let (at_ms, command) = (reply.at.ms(), &leaving.waiting.command);
        let late_ms = at_ms - leaving.waiting.queued_ms;
        hold(reply.repeated || late_ms < DECIDE_WITHIN_MAX_S * 1_000, DECIDED_IN_TIME, || {
            format!("entry {} was decided {late_ms} ms after it was asked", reply.seq)
        })?;
        if leaving.waiting.from != Party::Timer {
            return Ok(());
        }
        let open = match &command.body {
            Body::Due(key) => self.oracle.record_due_ms(*key).is_some_and(|due| due <= at_ms),
            Body::ExpireCard(card) => self.oracle.may_expire(at_ms).any(|known| known == *card),
            _ => false,
        };
        hold(!open, HELD_ENDS, || {
            format!("{} of {:?} is answered by entry {}, and it is open", command.id, command.body, reply.seq)
        })
    }

    /// The process dies: what it had in memory is gone.
    pub(crate) fn crash(&mut self) {
        self.machine = None;
        self.say(format_args!("the process is gone"));
    }

    /// A process starts from what is durable.
    pub(crate) fn start(&mut self) -> Held {
        self.disk.journal.set_weather(Weather::Fine);
        self.overtaken = false;
        match (self.dice.below(30), self.disk.backup.as_ref()) {
            (0, _) => self.disk.checkpoint = MemoryCheckpoint::new(),
            (1 | 2, Some(backup)) => self.disk.checkpoint = backup.snapshot(),
            _ => {}
        }
        if self.config.plant == Some(Plant::IdForgottenAtRestart) {
            self.disk.checkpoint.forget_ids();
        }
        if self.config.plant == Some(Plant::FloorForgottenAtRestart) {
            self.disk.checkpoint.forget_floor();
        }
        self.oracle.starts_from(self.disk.checkpoint.head().seq);
        let refused =
            |fault: engine::recover::RecoverFault| Broken { invariant: STARTS_AGAIN, what: fault.to_string() };
        let loaded = Machine::load(&self.disk, self.ids).map_err(refused)?;
        if self.config.look_inside {
            self.oracle.recovered(&loaded)?;
        }
        self.summary.count("started");
        self.machine = Some(Machine::start(&self.disk, loaded, &self.hands, self.ids, self.config.plant));
        self.say(format_args!("a process starts at entry {}", self.disk.journal.head().seq));
        self.loaded()
    }

    /// A state was loaded: it must be what the journal tells.
    fn loaded(&mut self) -> Held {
        let Some(machine) = &self.machine else { return Ok(()) };
        self.oracle.journal(&self.disk.journal.reader())?;
        self.directory = Arc::clone(machine.decider.directory());
        if !self.config.look_inside {
            return Ok(());
        }
        self.oracle.state(machine.decider.state())?;
        self.oracle.rows(machine.decider.state())?;
        self.oracle.directory(&self.directory)?;
        self.oracle.ids(machine.decider.ids())
    }
}

/// The id of the only prompt of a session.
fn ussd_id(body: &Body, session: u32, reuse: u32) -> CommandId {
    let (link, caller) = body.caller().map_or((domain::ids::LinkId(0), 0), |caller| (caller.link, caller.msisdn.get()));
    CommandId::ussd(&UssdPrompt { link, caller, session: &session.to_be_bytes(), reuse, prompt: 0 })
}
