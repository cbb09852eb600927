//! The tasks around the [`Outbox`]: submits, questions for languages, and one transaction at a time.
//!
//! Guarantees: what could not be written is written again, the same, before anything else; until then no window moves on
//! and the follower lags. When it is told to stop it starts nothing more, waits [`STOP_WITHIN`] for what is under way, and
//! writes what it knows.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::Language;
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::answer::{Query, View};
use engine::deliveries::{DeliveryKey, FollowerStore, FollowerStoreFault};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::outbox::{Outbox, Saving, Step};
use super::{Outgoing, Receipt, SmsCentre, SmsConfig, SmsCounts, SubmitFault, Submitted, WaysOut};
use crate::notice::Notice;
use crate::port::Decider;
use crate::texts::Texts;
use crate::told::Told;

/// What holds nothing up is written this often.
const SAVE_EVERY: Duration = Duration::from_millis(500);
/// Also when nothing changes, so that old deliveries go.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// Between two tries of a transaction that failed.
const SAVE_AGAIN: Duration = Duration::from_secs(1);
/// The wall clock may jump: nothing is slept through.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// For submits under way when stopping; what has no answer by then is sent again after the next start.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// A question for a language.
const ASK_WITHIN: Duration = Duration::from_secs(5);
/// Receipts on their way to the machine.
const RECEIPTS_MAX: usize = 1_024;
/// Appends on their way to the machine. Their messages count against [`SmsConfig::open_max`].
pub(super) const INTAKES_MAX: usize = 64;

type Waiting = (Receipt, oneshot::Sender<()>);

/// Where binds hand receipts in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Receipts {
    tell: mpsc::Sender<Waiting>,
}

/// The other end of [`Receipts`]: for [`SmsParts`](super::SmsParts).
#[derive(Debug)]
pub struct ReceiptsIn {
    receipts: mpsc::Receiver<Waiting>,
}

/// A receipt was not taken: an SMSC that hears a temporary error sends it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receipt was not taken: there are too many, or the follower does not run")]
pub struct ReceiptsFull;

/// A way for receipts, to be made before binds and follower.
pub fn receipts() -> (Receipts, ReceiptsIn) {
    let (tell, receipts) = mpsc::channel(RECEIPTS_MAX);
    (Receipts { tell }, ReceiptsIn { receipts })
}

impl Receipts {
    /// Takes a receipt. When this is `Ok` what it changed is durable, or it belongs to no message that is known yet: then it
    /// is held for a moment and counted.
    ///
    /// # Errors
    /// When too many wait, or nobody follows.
    pub async fn receive(&self, receipt: Receipt) -> Result<(), ReceiptsFull> {
        let (done, taken) = oneshot::channel();
        self.tell.try_send((receipt, done)).map_err(|_| ReceiptsFull)?;
        taken.await.map_err(|_| ReceiptsFull)
    }
}

/// Messages of an append on their way to the machine.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) last: Seq,
    pub(super) notices: Vec<Notice>,
}

/// How full the machine is, for the follower's thread.
#[derive(Debug)]
pub(super) struct Gate {
    open_max: usize,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    load: usize,
    queued: usize,
    gone: bool,
    counts: SmsCounts,
}

impl Gate {
    pub(super) fn new(open_max: usize) -> Self {
        Self { open_max, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits up to `wait` for room. When the machine is gone there is nothing to wait for.
    pub(super) fn has_room(&self, wait: Duration) -> bool {
        let full = |state: &mut GateState| !state.gone && state.load + state.queued >= self.open_max;
        let waited = self.changed.wait_timeout_while(self.lock(), wait, full);
        let mut state = match waited {
            Ok((state, _)) => state,
            Err(poisoned) => poisoned.into_inner().0,
        };
        !full(&mut state)
    }

    pub(super) fn queued(&self, messages: usize) {
        self.lock().queued += messages;
    }

    fn taken(&self, messages: usize) {
        self.lock().queued -= messages;
    }

    fn tell(&self, outbox: &Outbox) {
        let mut state = self.lock();
        state.load = outbox.load();
        state.counts = outbox.counts();
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn counts(&self) -> SmsCounts {
        self.lock().counts
    }
}

/// Says that the machine is gone, however it went.
struct Leaving(Arc<Gate>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.lock().gone = true;
        self.0.changed.notify_all();
    }
}

/// Everything that the machine's task owns.
pub(super) struct Driver<C, D> {
    pub(super) outbox: Outbox,
    pub(super) ways_out: WaysOut<C>,
    pub(super) decider: D,
    pub(super) texts: Arc<Texts>,
    pub(super) told: Arc<Told>,
    pub(super) store: Box<dyn FollowerStore>,
    pub(super) config: SmsConfig,
    pub(super) gate: Arc<Gate>,
    pub(super) intakes: mpsc::Receiver<Intake>,
    pub(super) receipts: ReceiptsIn,
    pub(super) stop: oneshot::Receiver<()>,
}

type Saved = (Box<dyn FollowerStore>, Saving, Result<(), FollowerStoreFault>);

/// What is under way.
struct Work {
    flights: JoinSet<(DeliveryKey, Result<Submitted, SubmitFault>)>,
    asks: JoinSet<(DeliveryKey, Option<Language>)>,
    saves: JoinSet<Saved>,
    /// Not while a transaction is under way.
    store: Option<Box<dyn FollowerStore>>,
    /// What could not be written, and when it is tried again.
    again: Option<(Instant, Saving)>,
    saved_at: Instant,
    /// Receipts whose changes are not written, and are being written.
    acks: Vec<oneshot::Sender<()>>,
    acks_saving: Vec<oneshot::Sender<()>>,
    /// When to give up what is under way.
    stopping: Option<Instant>,
}

/// What woke the task.
enum Event {
    Intake(Option<Intake>),
    Receipt(Option<Waiting>),
    Flown(DeliveryKey, Result<Submitted, SubmitFault>),
    Spoken(DeliveryKey, Option<Language>),
    Saved(Saved),
    Stop,
    Time,
}

impl<C: SmsCentre, D: Decider> Driver<C, D> {
    /// Runs until it is told to stop, or whoever feeds it has gone.
    pub(super) async fn run(mut self) {
        let _leaving = Leaving(Arc::clone(&self.gate));
        let store = std::mem::replace(&mut self.store, Box::new(engine::deliveries::MemoryFollowerStore::new()));
        let mut work = Work {
            flights: JoinSet::new(),
            asks: JoinSet::new(),
            saves: JoinSet::new(),
            store: Some(store),
            again: None,
            saved_at: Instant::now(),
            acks: Vec::new(),
            acks_saving: Vec::new(),
            stopping: None,
        };
        loop {
            let now = self.decider.now();
            if work.stopping.is_none() {
                self.start(&mut work, now);
            }
            self.save(&mut work, now);
            self.gate.tell(&self.outbox);
            if self.is_over(&work) {
                return;
            }
            let event = self.wait(&mut work, now).await;
            self.apply(&mut work, event);
        }
    }

    fn start(&mut self, work: &mut Work, now: Timestamp) {
        let told = Arc::clone(&self.told);
        let is_told = move |seq| told.is_told(seq);
        self.outbox.tick(now, &is_told);
        while let Some(step) = self.outbox.next(now, &is_told) {
            match step {
                Step::Ask(notice) => {
                    work.asks.spawn(ask(self.decider.clone(), notice));
                }
                Step::Submit { place, notice, language, valid_until } => {
                    let sms = self.outgoing(&notice, language, valid_until);
                    let centre = self.ways_out.get(place).map(|way_out| Arc::clone(&way_out.centre));
                    let within = Duration::from_millis(u64::from(self.config.submit_within_ms));
                    work.flights.spawn(async move {
                        let Some((sms, centre)) = sms.zip(centre) else {
                            return (notice.key, Err(SubmitFault::NotBound));
                        };
                        let answer = timeout(within, centre.submit(&sms)).await;
                        (notice.key, answer.unwrap_or(Err(SubmitFault::Unknown)))
                    });
                }
            }
        }
    }

    /// `None`: its operator's rules are not there yet.
    fn outgoing(&self, notice: &Notice, language: Language, valid_until: Timestamp) -> Option<Outgoing> {
        let directory = self.decider.directory();
        let text = notice.text(&self.texts, directory.rules(notice.operator)?, language);
        let (key, to, at, reference) = (notice.key, notice.to, notice.at, notice.key.reference());
        Some(Outgoing { key, to, text, at, valid_until, reference })
    }

    fn save_due(&self, work: &Work) -> bool {
        let waited = work.saved_at.elapsed();
        let urgent = self.outbox.is_urgent() || !work.acks.is_empty() || work.stopping.is_some();
        let changed = self.outbox.is_changed() || self.outbox.is_urgent();
        (changed && (urgent || waited >= SAVE_EVERY)) || waited >= FORGET_EVERY
    }

    fn save(&mut self, work: &mut Work, now: Timestamp) {
        if work.again.as_ref().is_some_and(|(at, _)| *at > Instant::now()) {
            return;
        }
        let fresh = work.again.is_none();
        if work.store.is_none() || (fresh && !self.save_due(work)) {
            return;
        }
        let Some(mut store) = work.store.take() else { return };
        let saving = match work.again.take() {
            Some((_, saving)) => saving,
            None => {
                work.acks_saving = std::mem::take(&mut work.acks);
                self.outbox.changes(now)
            }
        };
        work.saves.spawn_blocking(move || {
            let written = store.write(&saving.changes);
            (store, saving, written)
        });
    }

    fn is_over(&self, work: &Work) -> bool {
        let Some(until) = work.stopping else { return false };
        let late = until <= Instant::now();
        let written = work.saves.is_empty() && work.again.is_none() && !self.outbox.is_changed();
        late || (written && self.outbox.flying() == 0)
    }

    async fn wait(&mut self, work: &mut Work, now: Timestamp) -> Event {
        let until = Instant::now() + self.sleep(work, now);
        let going = work.stopping.is_none();
        tokio::select! {
            biased;
            _ = &mut self.stop, if going => Event::Stop,
            Some(saved) = work.saves.join_next() => match saved {
                Ok(saved) => Event::Saved(saved),
                Err(ended) => lost(ended),
            },
            Some(flown) = work.flights.join_next() => match flown {
                Ok((key, answer)) => Event::Flown(key, answer),
                Err(ended) => lost(ended),
            },
            Some(spoken) = work.asks.join_next() => match spoken {
                Ok((key, language)) => Event::Spoken(key, language),
                Err(ended) => lost(ended),
            },
            receipt = self.receipts.receipts.recv(), if !self.receipts.receipts.is_closed() => Event::Receipt(receipt),
            intake = self.intakes.recv(), if going => Event::Intake(intake),
            () = sleep_until(until) => Event::Time,
        }
    }

    fn sleep(&self, work: &Work, now: Timestamp) -> Duration {
        let wakes = if work.stopping.is_none() { self.outbox.wakes_at() } else { None };
        let wake = wakes.map(|at| u64::try_from(at.ms() - now.ms()).unwrap_or(0)).map(Duration::from_millis);
        let again = work.again.as_ref().map(|(at, _)| at.saturating_duration_since(Instant::now()));
        let idle = work.store.is_some() && work.again.is_none();
        let save = (idle && self.outbox.is_changed()).then(|| SAVE_EVERY.saturating_sub(work.saved_at.elapsed()));
        let stop = work.stopping.map(|until| until.saturating_duration_since(Instant::now()));
        [wake, again, save, stop].into_iter().flatten().fold(SLEEP_MAX, Duration::min)
    }

    fn apply(&mut self, work: &mut Work, event: Event) {
        let now = self.decider.now();
        match event {
            Event::Intake(Some(intake)) => self.take(intake),
            // Also when whoever feeds it has gone. What is on its way is written down and goes out after the next start.
            Event::Stop | Event::Intake(None) => {
                while let Ok(intake) = self.intakes.try_recv() {
                    self.take(intake);
                }
                work.stopping = Some(Instant::now() + STOP_WITHIN);
            }
            Event::Receipt(Some((receipt, done))) => {
                if self.outbox.receipt(receipt, now) {
                    work.acks.push(done);
                } else {
                    let _gone = done.send(());
                }
            }
            Event::Receipt(None) => self.receipts.receipts.close(),
            Event::Flown(key, answer) => {
                if let Err(fault) = &answer {
                    tracing::debug!(seq = key.seq.0, role = key.role.name(), %fault, "an SMS was not taken over");
                }
                self.outbox.submitted(key, answer, now);
            }
            Event::Spoken(key, language) => self.outbox.spoken(key, language, now),
            Event::Saved((store, saving, Ok(()))) => {
                work.store = Some(store);
                work.saved_at = Instant::now();
                self.outbox.saved(saving);
                for done in work.acks_saving.drain(..) {
                    let _gone = done.send(());
                }
            }
            Event::Saved((store, saving, Err(fault))) => {
                tracing::error!(%fault, "the SMS follower's database can't be written: SMS wait");
                work.store = Some(store);
                work.again = Some((Instant::now() + SAVE_AGAIN, saving));
            }
            Event::Time => {}
        }
    }

    fn take(&mut self, intake: Intake) {
        let directory = self.decider.directory();
        for notice in &intake.notices {
            if !self.outbox.has_route(notice.operator) {
                let rules = directory.rules(notice.operator);
                self.outbox
                    .route(notice.operator, rules.map(|rules| self.ways_out.of(&rules.operator)).unwrap_or_default());
            }
        }
        let messages = intake.notices.len();
        self.outbox.take(intake.last, intake.notices);
        self.gate.taken(messages);
    }
}

/// A task of ours ended without an answer: a bug, or the runtime ends. Nothing that it may have done is believed.
fn lost(ended: tokio::task::JoinError) -> Event {
    match ended.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Event::Stop,
    }
}

/// The language of a subscriber; the operator's first for one that is not there. `None`: ask again later.
async fn ask<D: Decider>(decider: D, notice: Notice) -> (DeliveryKey, Option<Language>) {
    let seen = timeout(ASK_WITHIN, decider.query(Query::Subscriber(notice.to))).await.ok().flatten();
    let directory = decider.directory();
    let first = || directory.rules(notice.operator).map(|rules| rules.default_language());
    let language = match seen.map(|seen| seen.value) {
        Some(View::Subscriber(Some(view))) if view.operator == notice.operator => Some(view.language),
        Some(_) => first(),
        None => None,
    };
    (notice.key, language)
}
