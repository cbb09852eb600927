//! The deliveries of SMS as a pure machine: entries, answers and receipts go in, submits and changes for the database come
//! out.
//!
//! It is the engine's [`machine`](engine::outbox), which knows of tries, windows and what is durable, with what only SMS
//! have: a language, senders who read the same on their screen, receipts.
//!
//! Guarantees, besides those of the machine: the language of a text is durable before the text leaves; a sender who was told
//! gets no message; a receipt ends one delivery or none, also when it overtakes the answer to its submit.
//!
//! Bounded by the machine; [`SmsConfig::awaiting_max`] receipts that are awaited; [`RECEIPTS_HELD_MAX`] that are held.
//!
//! Deliberately not here: clocks, tasks, files; an instant is an argument.

use std::collections::{BTreeSet, VecDeque};

use domain::ids::{Language, LinkId, OperatorId};
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::deliveries::{Changes, Delivery, DeliveryKey, End, Forget, MESSAGE_ID_LEN_MAX, Role, Sent, Stage};
use engine::outbox::{self as machine, Answer, OutboxConfig, Payload, Taken, Tries};

use super::awaiting::Awaiting;
use super::{Receipt, SmsConfig, SmsCounts, SubmitFault, Submitted};
use crate::notice::Notice;

/// A way out that has no bind is asked again so long after it said so.
const NOT_BOUND_WAIT_MS: i64 = 1_000;
/// Languages that are asked for at a time: questions take room in the decider's queue.
const ASKING_MAX: usize = 64;
/// A receipt may overtake the answer to its submit by this much.
const RECEIPT_HELD_MS: i64 = 10_000;
/// Receipts that wait for the answers to their submits.
const RECEIPTS_HELD_MAX: usize = 1_024;

/// What the machine knows of a way out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) link: LinkId,
    pub(super) window: usize,
    pub(super) receipts: bool,
}

/// A delivery that waits, and what it says.
#[derive(Debug)]
struct Sms {
    delivery: Delivery,
    notice: Notice,
}

impl Payload for Sms {
    type Key = DeliveryKey;
    type Group = OperatorId;
    type Record = Delivery;

    fn key(&self) -> DeliveryKey {
        self.notice.key
    }

    fn seq(&self) -> Seq {
        self.notice.key.seq
    }

    fn at(&self) -> Timestamp {
        self.notice.at
    }

    fn group(&self) -> OperatorId {
        self.notice.operator
    }

    fn tries(&self) -> Tries {
        let next_at = match self.delivery.stage {
            Stage::Waiting { next_at } => next_at,
            // Neither waits any more.
            Stage::Submitted { .. } | Stage::Ended { .. } => self.notice.at,
        };
        Tries { attempts: self.delivery.attempts, next_at }
    }

    fn set_tries(&mut self, Tries { attempts, next_at }: Tries) {
        self.delivery.attempts = attempts;
        self.delivery.stage = Stage::Waiting { next_at };
    }

    /// A sender whose screen was shown needs no message.
    fn may_be_needless(&self) -> bool {
        self.notice.key.role == Role::Sender && self.delivery.attempts == 0
    }

    fn is_prepared(&self) -> bool {
        self.delivery.language.is_some()
    }

    fn salt(&self) -> String {
        format!("{}/{}", self.notice.key.seq, self.notice.key.role.name())
    }

    fn record(&self) -> Delivery {
        self.delivery.clone()
    }

    fn ended(self, how: machine::End, at: Timestamp) -> Delivery {
        let how = match how {
            machine::End::Refused => End::Failed,
            machine::End::GaveUp => End::GaveUp,
            machine::End::Needless => End::Superseded,
        };
        Delivery { stage: Stage::Ended { how, at }, ..self.delivery }
    }
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for the language of a sender, then say [`Outbox::spoken`].
    Ask(Notice),
    /// Submit through the way out of that place, then say [`Outbox::submitted`].
    Submit { place: usize, notice: Notice, language: Language, valid_until: Timestamp },
}

/// Changes on their way to the database: hand them to [`Outbox::saved`] when they are durable.
#[derive(Debug)]
pub(super) struct Saving {
    pub(super) changes: Changes,
    of: machine::Saving<Sms>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    config: SmsConfig,
    ways: Vec<Way>,
    machine: machine::Outbox<Sms>,
    awaiting: Awaiting,
    /// Of those, the ones that the database does not have as they are.
    changed: BTreeSet<DeliveryKey>,
    held: VecDeque<(Timestamp, Receipt)>,
    /// What the machine does not count.
    counts: SmsCounts,
}

impl Outbox {
    /// With what a database held. Those that wait come with what they say.
    pub(super) fn new(config: SmsConfig, ways: Vec<Way>, cursor: Seq) -> Self {
        let tries = OutboxConfig {
            retry_max_ms: config.retry_max_ms,
            retry_wait_ms: config.retry_wait_ms,
            retry_wait_max_ms: config.retry_wait_max_ms,
            preparing_max: ASKING_MAX,
        };
        let windows = ways.iter().map(|way| machine::Way { window: way.window });
        Self {
            config,
            machine: machine::Outbox::new(tries, windows, cursor),
            ways,
            awaiting: Awaiting::default(),
            changed: BTreeSet::new(),
            held: VecDeque::new(),
            counts: SmsCounts::default(),
        }
    }

    /// Takes up a delivery that the database had open; `None`: what it says can't be read any more.
    pub(super) fn reopen(&mut self, delivery: Delivery, notice: Option<Notice>, now: Timestamp) {
        match (delivery.stage, notice) {
            (Stage::Submitted { .. }, _) => self.awaiting.insert(delivery),
            (Stage::Waiting { .. }, Some(notice)) => self.machine.reopen(Sms { delivery, notice }),
            (Stage::Waiting { .. }, None) => self.end(delivery, End::GaveUp, now),
            (Stage::Ended { .. }, _) => {}
        }
    }

    /// Which ways out reach an operator's subscribers; to be said before its first message.
    pub(super) fn route(&mut self, operator: OperatorId, doors: Vec<usize>) {
        self.machine.route(operator, doors);
    }

    /// Whether something is known of an operator's ways out.
    pub(super) fn has_route(&self, operator: OperatorId) -> bool {
        self.machine.has_route(operator)
    }

    /// Takes everything up to `last` that was not taken before.
    pub(super) fn take(&mut self, last: Seq, notices: impl IntoIterator<Item = Notice>) {
        let told_wait_ms = i64::from(self.config.told_wait_ms);
        let sms = |notice: Notice| {
            let wait_ms = if notice.key.role == Role::Sender { told_wait_ms } else { 0 };
            let mut delivery = Delivery::new(notice.key, notice.to, notice.at, notice.at.plus_ms(wait_ms));
            delivery.language = notice.language;
            Sms { delivery, notice }
        };
        self.machine.take(last, notices.into_iter().map(sms));
    }

    /// What time brings: senders who were told, tries and receipts whose time is over.
    pub(super) fn tick(&mut self, now: Timestamp, is_told: &dyn Fn(Seq) -> bool) {
        self.machine.tick(now, &|sms| is_told(sms.seq()));
        while let Some((until, key)) = self.awaiting.first_until() {
            if until > now && self.awaiting.len() <= self.config.awaiting_max {
                break;
            }
            if let Some(delivery) = self.awaiting.remove(key) {
                self.end(delivery, End::Unconfirmed, now);
            }
        }
        while self.held.front().is_some_and(|(at, _)| at.plus_ms(RECEIPT_HELD_MS) <= now) {
            self.held.pop_front();
            self.counts.receipts_unmatched += 1;
        }
    }

    /// Ends one that the machine does not have.
    fn end(&mut self, mut delivery: Delivery, how: End, now: Timestamp) {
        delivery.stage = Stage::Ended { how, at: now };
        self.changed.remove(&delivery.key);
        self.machine.finish(delivery);
        count(&mut self.counts.ended, how, 1);
    }

    /// The next thing to do now, if there is one and there is room for it.
    pub(super) fn next(&mut self, now: Timestamp, is_told: &dyn Fn(Seq) -> bool) -> Option<Step> {
        match self.machine.next(now, &|sms| is_told(sms.seq()))? {
            machine::Step::Prepare(key) => self.machine.get(key).map(|sms| Step::Ask(sms.notice)),
            machine::Step::HandOver { key, place, valid_until } => {
                let Sms { notice, delivery } = self.machine.get(key)?;
                Some(Step::Submit { place, notice: *notice, language: delivery.language?, valid_until })
            }
        }
    }

    /// The answer to [`Step::Ask`]; `None`: nobody could say, ask again.
    pub(super) fn spoken(&mut self, key: DeliveryKey, language: Option<Language>, now: Timestamp) {
        let known = language.map(|language| move |sms: &mut Sms| sms.delivery.language = Some(language));
        self.machine.prepared(key, known, now);
    }

    /// The answer to [`Step::Submit`].
    pub(super) fn submitted(&mut self, key: DeliveryKey, answer: Result<Submitted, SubmitFault>, now: Timestamp) {
        let (said, status) = match &answer {
            Ok(_) => (Answer::Taken, None),
            Err(SubmitFault::NotBound) => (Answer::NotNow { wait_ms: NOT_BOUND_WAIT_MS }, None),
            Err(SubmitFault::Throttled { wait_ms }) => (Answer::NotNow { wait_ms: i64::from(*wait_ms) }, None),
            Err(SubmitFault::Unknown) => (Answer::Again, None),
            Err(SubmitFault::Temporary { status }) => (Answer::Again, Some(*status)),
            Err(SubmitFault::Permanent { status }) => (Answer::Refused, Some(*status)),
        };
        let note = |sms: &mut Sms| sms.delivery.status = status.or(sms.delivery.status);
        let taken = self.machine.answered(key, said, now, note);
        if let (Some(Taken { payload, place }), Ok(Submitted { message_id })) = (taken, answer) {
            self.taken_over(payload.delivery, place, message_id, now);
        }
    }

    fn taken_over(&mut self, mut delivery: Delivery, place: usize, message_id: Option<String>, now: Timestamp) {
        self.counts.submitted += 1;
        let Some(way) = self.ways.get(place).copied() else { return };
        let key = delivery.key;
        let message_id = message_id.filter(|id| !id.is_empty()).map(|mut id| {
            // Longer than the protocol allows: no receipt can name it, but somebody may want to see it.
            let fits = id.floor_char_boundary(MESSAGE_ID_LEN_MAX);
            id.truncate(fits);
            id.into_boxed_str()
        });
        delivery.sent = Some(Sent { link: way.link, message_id, at: now });
        if !way.receipts {
            return self.end(delivery, End::Unconfirmed, now);
        }
        delivery.stage = Stage::Submitted { until: now.plus_ms(self.config.receipt_wait_ms) };
        self.awaiting.insert(delivery);
        self.changed.insert(key);
        // Receipts that came before the answer.
        for (at, receipt) in std::mem::take(&mut self.held) {
            match self.awaiting.find(&receipt).filter(|found| *found == key) {
                Some(_) => self.confirmed(key, &receipt, now),
                None => self.held.push_back((at, receipt)),
            }
        }
    }

    /// A receipt; whether it changed a delivery. One that finds no message is held for a moment: the answer to its submit
    /// may be on its way.
    pub(super) fn receipt(&mut self, receipt: Receipt, now: Timestamp) -> bool {
        match self.awaiting.find(&receipt) {
            Some(key) => {
                self.confirmed(key, &receipt, now);
                true
            }
            None => {
                if self.held.len() >= RECEIPTS_HELD_MAX {
                    self.held.pop_front();
                    self.counts.receipts_unmatched += 1;
                }
                self.held.push_back((now, receipt));
                false
            }
        }
    }

    fn confirmed(&mut self, key: DeliveryKey, receipt: &Receipt, now: Timestamp) {
        let Some(delivery) = self.awaiting.get_mut(key) else { return };
        delivery.receipt = Some(receipt.state);
        delivery.receipt_error = receipt.error;
        match receipt.state.end() {
            Some(how) => {
                if let Some(delivery) = self.awaiting.remove(key) {
                    self.end(delivery, how, now);
                }
            }
            None => {
                self.changed.insert(key);
            }
        }
    }

    /// Whether something waits for being durable that holds others up.
    pub(super) fn is_urgent(&self) -> bool {
        self.machine.is_urgent()
    }

    /// Whether there is anything to write.
    pub(super) fn is_changed(&self) -> bool {
        self.machine.is_changed() || !self.changed.is_empty()
    }

    /// Everything that changed, as one transaction.
    pub(super) fn changes(&mut self, now: Timestamp) -> Saving {
        let mut of = self.machine.changes();
        let mut deliveries = std::mem::take(&mut of.records);
        let changed = std::mem::take(&mut self.changed);
        deliveries.extend(changed.into_iter().filter_map(|key| self.awaiting.get(key)).cloned());
        let forget = Forget { before: now.plus_ms(-self.config.kept_ms), kept_max: self.config.kept_max };
        Saving { changes: Changes { cursor: of.cursor, deliveries, forget: Some(forget) }, of }
    }

    /// These are durable.
    pub(super) fn saved(&mut self, saving: Saving) {
        self.machine.saved(saving.of);
    }

    /// What counts against [`SmsConfig::open_max`].
    pub(super) fn load(&self) -> usize {
        self.machine.load()
    }

    /// Submits under way.
    pub(super) const fn flying(&self) -> usize {
        self.machine.flying()
    }

    /// When [`tick`](Self::tick) or [`next`](Self::next) may have something to do.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        let receipts = self.awaiting.first_until().map(|(until, _)| until);
        let held = self.held.front().map(|(at, _)| at.plus_ms(RECEIPT_HELD_MS));
        [self.machine.wakes_at(), receipts, held].into_iter().flatten().min()
    }

    pub(super) fn counts(&self) -> SmsCounts {
        let machine = self.machine.counts();
        let (waiting, awaiting) = (self.machine.waiting(), self.awaiting.len());
        let (retried, let_go) = (machine.retried, machine.let_go);
        let mut counts = SmsCounts { waiting, awaiting, retried, let_go, ..self.counts };
        count(&mut counts.ended, End::Failed, machine.refused);
        count(&mut counts.ended, End::GaveUp, machine.gave_up);
        count(&mut counts.ended, End::Superseded, machine.needless);
        counts
    }
}

fn count(ended: &mut [u64], how: End, more: u64) {
    if let Some(count) = End::ALL.iter().position(|end| *end == how).and_then(|at| ended.get_mut(at)) {
        *count += more;
    }
}

#[cfg(test)]
pub(in crate::sms) mod tests;
