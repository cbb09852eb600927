//! A frame on its way through: who is calling, the turn, the answer.
//!
//! Guarantees: the connection is never waited for, nor made to wait. A turn runs to its end even when nobody waits for its
//! screen any more. A phone hears something before the HLR's guard, and what is ready later is not sent.
//!
//! Bounded by: `in_flight_max` turns; beyond them phones read that we are busy and nothing was sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::number::{Imsi, Msisdn};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use super::config::EuseConfig;
use super::dialogue::{Address, Dialogues, Heard, Job, Own, Said, Ticket};
use super::status::{Count, Status};
use super::subscriber::{Away, Subscribers, Who};
use crate::flow::{Input, Link, Turn};
use crate::port::Decider;
use crate::say::Say;
use crate::session::Screen;

/// A frame to be written.
pub(super) struct Outgoing {
    pub(super) frame: Vec<u8>,
    /// The HLR's guard: later it would be dropped in silence.
    pub(super) not_after: Instant,
}

/// The way back to a connection, for as long as there is one.
pub(super) type Answers = mpsc::WeakSender<Outgoing>;

/// What the frames of one link share.
pub(super) struct Desk<D> {
    link: Link<D>,
    status: Arc<Status>,
    subscribers: Arc<Subscribers>,
    dialogues: Mutex<Dialogues>,
    permits: Arc<Semaphore>,
    in_flight_max: usize,
    stopping: AtomicBool,
    answer_within: Duration,
    guard: Duration,
}

impl<D: Decider> Desk<D> {
    pub(super) fn new(
        link: Link<D>,
        config: &EuseConfig,
        status: Arc<Status>,
        subscribers: Arc<Subscribers>,
    ) -> Arc<Self> {
        let guard = Duration::from_secs(u64::from(config.guard_s));
        Arc::new(Self {
            link,
            dialogues: Mutex::new(Dialogues::new(Arc::clone(&status), config.dialogues_max, guard)),
            status,
            subscribers,
            permits: Arc::new(Semaphore::new(config.in_flight_max)),
            in_flight_max: config.in_flight_max,
            stopping: AtomicBool::new(false),
            answer_within: Duration::from_millis(u64::from(config.answer_within_ms)),
            guard,
        })
    }

    pub(super) fn dialogues(&self) -> MutexGuard<'_, Dialogues> {
        // No method stops half way.
        self.dialogues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no turn is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.permits.available_permits() == self.in_flight_max
    }

    /// From now on phones read that we are busy.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// One GSUP message. Returns at once; the answer comes out of the channel.
    pub(super) fn hear(self: &Arc<Self>, body: &[u8], answers: &mpsc::Sender<Outgoing>) {
        // A statement of its own: the table is free again before anything else is done.
        let heard = self.dialogues().hear(body, Instant::now());
        match heard {
            Heard::Nothing => {}
            Heard::Say(address, own) => {
                let frame = address.render(&self.own(own, None));
                self.send(&address, frame, &answers.downgrade());
            }
            Heard::Work(job) => {
                let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
                match permit.filter(|_| !self.stopping.load(Ordering::Relaxed)) {
                    Some(permit) => {
                        tokio::spawn(Arc::clone(self).work(job, permit, answers.downgrade()));
                    }
                    None => {
                        self.status.count(Count::busy);
                        self.refuse(&job.ticket, None, &answers.downgrade());
                        self.dialogues().next(&job.ticket);
                    }
                }
            }
        }
    }

    /// Works on a frame, and on those of its dialogue that came meanwhile.
    async fn work(self: Arc<Self>, mut job: Job, permit: OwnedSemaphorePermit, answers: Answers) {
        loop {
            let ticket = job.ticket;
            let unfinished = Unfinished { desk: &self, ticket, answers: &answers, finished: false };
            self.answer(&ticket, job.input, &answers).await;
            match unfinished.finish() {
                Some(next) => job = next,
                None => break,
            }
        }
        drop(permit);
    }

    async fn answer(&self, ticket: &Ticket, input: Input, answers: &Answers) {
        let Address { key, heard_at, .. } = ticket.address;
        let caller = match self.subscribers.who(key.imsi).await {
            Ok(Who::Msisdn(caller)) => caller,
            Ok(who @ (Who::NoMsisdn | Who::Unknown)) => {
                let unknown = who == Who::Unknown;
                self.status.count(if unknown { Count::unknown_imsi } else { Count::no_msisdn });
                tracing::debug!(link = %self.name(), imsi = ?key.imsi, unknown, "the HLR does not say who is calling");
                let own = Own::CallerUnknown;
                self.tell(ticket, Said::Own(own), &self.own(own, None), answers);
                return;
            }
            Err(Away) => {
                self.status.count(Count::msisdn_failed);
                return self.refuse(ticket, None, answers);
            }
        };
        let imsi = Imsi::parse(key.imsi.as_str()).ok();
        let session: Box<[u8]> = key.session_id.to_be_bytes().into();
        let turn = self.link.turn(Turn { caller, imsi, session: session.clone(), input });
        tokio::pin!(turn);
        tokio::select! {
            biased;
            screen = &mut turn => {
                // Cancelled meanwhile, or the connection is lost: whoever dials again has to hear what came of it.
                if !self.tell(ticket, Said::Screen { goes_on: screen.goes_on }, &screen, answers) {
                    self.link.unshown(caller, &session);
                }
            }
            () = sleep_until(heard_at + self.answer_within) => {
                self.status.count(Count::timed_out);
                tracing::warn!(link = %self.name(), caller = ?caller, "no answer in time: the phone reads that nothing is known");
                self.tell(ticket, Said::Screen { goes_on: false }, &self.unknown(Some(caller)), answers);
                // To its end: a repeated frame gets what comes of it, and so does a caller who dials again.
                turn.await;
                self.link.unshown(caller, &session);
                self.status.count(Count::dropped_late);
            }
        }
    }

    /// Nobody worked on the frame: nothing was sent, unless the same frame was worked on before.
    fn refuse(&self, ticket: &Ticket, caller: Option<Msisdn>, answers: &Answers) {
        if ticket.repeated {
            self.tell(ticket, Said::Screen { goes_on: false }, &self.unknown(caller), answers);
        } else {
            self.tell(ticket, Said::Own(Own::Busy), &self.own(Own::Busy, caller), answers);
        }
    }

    /// Says it, if somebody waits for it; whether this very screen is on its way.
    fn tell(&self, ticket: &Ticket, said: Said, screen: &Screen, answers: &Answers) -> bool {
        let frame = ticket.address.render(screen);
        let fits = frame.is_some();
        // What does not fit is replaced by what ends the dialogue.
        let said = if frame.is_none() { Said::Screen { goes_on: false } } else { said };
        let waits = self.dialogues().answered(ticket, said, Instant::now());
        waits && self.send(&ticket.address, frame, answers) && fits
    }

    /// Whether there is a connection that takes it.
    fn send(&self, address: &Address, frame: Option<Vec<u8>>, answers: &Answers) -> bool {
        let frame = frame.or_else(|| {
            tracing::error!(link = %self.name(), "a screen that does not fit through the HLR is replaced");
            let shorter = [self.unknown(None), self.link.no_service()];
            shorter.iter().find_map(|screen| address.render(screen))
        });
        let not_after = address.heard_at + self.guard;
        let sent = frame.zip(answers.upgrade()).map(|(frame, way)| way.try_send(Outgoing { frame, not_after }));
        let is_sent = matches!(sent, Some(Ok(())));
        if !is_sent {
            self.status.count(Count::dropped_gone);
        }
        is_sent
    }

    fn own(&self, own: Own, caller: Option<Msisdn>) -> Screen {
        match own {
            Own::Busy => self.link.edge_screen(caller, &Say::Busy),
            Own::CallerUnknown => self.link.caller_unknown(),
            // How to dial is what there is to say to somebody whose string has no letters.
            Own::Unreadable => self.link.edge_screen(caller, &Say::Help),
            Own::SessionOver => self.link.edge_screen(caller, &Say::SessionOver),
        }
    }

    fn unknown(&self, caller: Option<Msisdn>) -> Screen {
        self.link.edge_screen(caller, &Say::Unknown)
    }

    pub(super) fn name(&self) -> &str {
        &self.link.config().name
    }
}

/// A frame that is worked on. Dropped before it is finished (a bug of ours, or the runtime is stopping), the phone hears
/// that nothing is known, and the dialogue is not stuck.
struct Unfinished<'a, D: Decider> {
    desk: &'a Desk<D>,
    ticket: Ticket,
    answers: &'a Answers,
    finished: bool,
}

impl<D: Decider> Unfinished<'_, D> {
    fn finish(mut self) -> Option<Job> {
        self.finished = true;
        self.desk.dialogues().next(&self.ticket)
    }
}

impl<D: Decider> Drop for Unfinished<'_, D> {
    fn drop(&mut self) {
        if !self.finished {
            self.desk.tell(&self.ticket, Said::Screen { goes_on: false }, &self.desk.unknown(None), self.answers);
            self.desk.dialogues().abandon(&self.ticket);
        }
    }
}
