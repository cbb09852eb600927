//! The deliveries as a pure machine: entries, answers and receipts go in, submits and changes for the database come out.
//!
//! Guarantees: a place in a way out's window is free again only when what became of its submit is durable, so that a crash
//! sends at most one window again. The language of a text is durable before the text leaves. Deliveries leave in the
//! order of their instants; one whose way out was away keeps its place.
//!
//! Deliberately not here: clocks, tasks, files; an instant is an argument.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::ids::{Language, LinkId, OperatorId};
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::deliveries::{Changes, Delivery, DeliveryKey, End, Forget, MESSAGE_ID_LEN_MAX, Role, Sent, Stage};

use super::awaiting::Awaiting;
use super::{Receipt, SmsConfig, SmsCounts, SubmitFault, Submitted};
use crate::notice::Notice;

/// A way out that has no bind is asked again so long after it said so.
const NOT_BOUND_WAIT_MS: i64 = 1_000;
/// Longest throttling that is believed.
const THROTTLED_WAIT_MAX_MS: i64 = 60_000;
/// A question for a language that found no answer is asked again after this.
const ASK_AGAIN_MS: i64 = 1_000;
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

#[derive(Debug)]
struct Door {
    way: Way,
    /// Places taken: submits under way, and answers that are not durable yet.
    used: usize,
    /// Of them, answers that the next changes hold.
    unsaved: usize,
    /// Nothing goes through before this.
    rests_until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// In a queue.
    Queued,
    /// Its language is asked for.
    Asking,
    /// Its language is on its way to the database.
    Saving,
    /// Submitted through the way out of that place.
    Flying(usize),
}

#[derive(Debug)]
struct Waiting {
    delivery: Delivery,
    notice: Notice,
    doing: Doing,
}

/// Messages that share ways out.
#[derive(Debug, Default)]
struct Route {
    doors: Vec<usize>,
    due: BTreeSet<(Timestamp, DeliveryKey)>,
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
    places: Vec<usize>,
    ended: usize,
    spoken: Vec<DeliveryKey>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    config: SmsConfig,
    doors: Vec<Door>,
    routes: BTreeMap<OperatorId, Route>,
    /// Senders' messages until it is time to look whether they were told.
    untold: BTreeSet<(Timestamp, DeliveryKey)>,
    waiting: BTreeMap<DeliveryKey, Waiting>,
    /// Of those, the ones that no way out leads to any more: nobody waits for them.
    stranded: usize,
    awaiting: Awaiting,
    held: VecDeque<(Timestamp, Receipt)>,
    asking: usize,
    flying: usize,
    cursor: Seq,
    saved_cursor: Seq,
    changed: BTreeSet<DeliveryKey>,
    ended: Vec<Delivery>,
    /// Ended ones in changes that are under way.
    ended_saving: usize,
    spoken: Vec<DeliveryKey>,
    counts: SmsCounts,
}

impl Outbox {
    /// With what a database held. Those that wait come with what they say.
    pub(super) fn new(config: SmsConfig, ways: Vec<Way>, cursor: Seq) -> Self {
        let door = |way| Door { way, used: 0, unsaved: 0, rests_until: Timestamp::MIN };
        Self {
            config,
            doors: ways.into_iter().map(door).collect(),
            routes: BTreeMap::new(),
            untold: BTreeSet::new(),
            waiting: BTreeMap::new(),
            stranded: 0,
            awaiting: Awaiting::default(),
            held: VecDeque::new(),
            asking: 0,
            flying: 0,
            cursor,
            saved_cursor: cursor,
            changed: BTreeSet::new(),
            ended: Vec::new(),
            ended_saving: 0,
            spoken: Vec::new(),
            counts: SmsCounts::default(),
        }
    }

    /// Takes up a delivery that the database had open; `None`: what it says can't be read any more.
    pub(super) fn reopen(&mut self, delivery: Delivery, notice: Option<Notice>, now: Timestamp) {
        match (delivery.stage, notice) {
            (Stage::Submitted { .. }, _) => self.awaiting.insert(delivery),
            (Stage::Waiting { next_at }, Some(notice)) => {
                let untold = delivery.key.role == Role::Sender && delivery.attempts == 0;
                self.stranded += usize::from(self.is_stranded(notice.operator));
                self.waiting.insert(delivery.key, Waiting { delivery, notice, doing: Doing::Queued });
                self.queue(notice, next_at, untold);
            }
            (Stage::Waiting { .. }, None) => self.end(delivery, End::GaveUp, now),
            (Stage::Ended { .. }, _) => {}
        }
    }

    /// Which ways out reach an operator's subscribers; to be said before its first message.
    pub(super) fn route(&mut self, operator: OperatorId, doors: Vec<usize>) {
        self.routes.entry(operator).or_default().doors = doors;
    }

    /// Whether no way out reaches an operator's subscribers: only a changed configuration leaves messages behind then.
    fn is_stranded(&self, operator: OperatorId) -> bool {
        self.routes.get(&operator).is_none_or(|route| route.doors.is_empty())
    }

    /// Whether something is known of an operator's ways out.
    pub(super) fn has_route(&self, operator: OperatorId) -> bool {
        self.routes.contains_key(&operator)
    }

    /// Takes everything up to `last` that was not taken before.
    pub(super) fn take(&mut self, last: Seq, notices: impl IntoIterator<Item = Notice>) {
        let taken = self.cursor;
        for notice in notices.into_iter().filter(|notice| notice.key.seq > taken) {
            if self.is_stranded(notice.operator) {
                self.counts.let_go += 1;
                continue;
            }
            let sender = notice.key.role == Role::Sender;
            let wait_ms = if sender { i64::from(self.config.told_wait_ms) } else { 0 };
            let next_at = notice.at.plus_ms(wait_ms);
            let mut delivery = Delivery::new(notice.key, notice.to, notice.at, next_at);
            delivery.language = notice.language;
            self.waiting.insert(notice.key, Waiting { delivery, notice, doing: Doing::Queued });
            self.changed.insert(notice.key);
            self.queue(notice, next_at, sender);
        }
        self.cursor = self.cursor.max(last);
    }

    fn queue(&mut self, notice: Notice, next_at: Timestamp, untold: bool) {
        if untold {
            self.untold.insert((next_at, notice.key));
        } else {
            self.routes.entry(notice.operator).or_default().due.insert((next_at, notice.key));
        }
    }

    /// What time brings: senders who were told, tries and receipts whose time is over.
    pub(super) fn tick(&mut self, now: Timestamp, is_told: &dyn Fn(Seq) -> bool) {
        while let Some((at, key)) = self.untold.first().copied().filter(|(at, _)| *at <= now) {
            self.untold.remove(&(at, key));
            if is_told(key.seq) {
                self.end_waiting(key, End::Superseded, now);
            } else if let Some(waiting) = self.waiting.get(&key) {
                let notice = waiting.notice;
                self.queue(notice, at, false);
            }
        }
        self.give_up(now);
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

    /// Keys are in the order of instants, so that the oldest are at the front.
    fn give_up(&mut self, now: Timestamp) {
        let over = |waiting: &&Waiting| waiting.notice.at.plus_ms(self.config.retry_max_ms) <= now;
        let queued = |waiting: &&Waiting| waiting.doing == Doing::Queued;
        let over: Vec<DeliveryKey> =
            self.waiting.values().take_while(over).filter(queued).map(|waiting| waiting.notice.key).collect();
        for key in over {
            self.end_waiting(key, End::GaveUp, now);
        }
    }

    fn end_waiting(&mut self, key: DeliveryKey, how: End, now: Timestamp) {
        let Some(waiting) = self.waiting.remove(&key) else { return };
        self.stranded -= usize::from(self.is_stranded(waiting.notice.operator));
        if let Stage::Waiting { next_at } = waiting.delivery.stage {
            self.untold.remove(&(next_at, key));
            if let Some(route) = self.routes.get_mut(&waiting.notice.operator) {
                route.due.remove(&(next_at, key));
            }
        }
        self.end(waiting.delivery, how, now);
    }

    fn end(&mut self, mut delivery: Delivery, how: End, now: Timestamp) {
        delivery.stage = Stage::Ended { how, at: now };
        self.changed.remove(&delivery.key);
        self.ended.push(delivery);
        if let Some(count) = End::ALL.iter().position(|end| *end == how).and_then(|at| self.counts.ended.get_mut(at)) {
            *count += 1;
        }
    }

    /// The next thing to do now, if there is one and there is room for it.
    pub(super) fn next(&mut self, now: Timestamp, is_told: &dyn Fn(Seq) -> bool) -> Option<Step> {
        let operators: Vec<OperatorId> = self.routes.keys().copied().collect();
        operators.into_iter().find_map(|operator| self.next_of(operator, now, is_told))
    }

    fn next_of(&mut self, operator: OperatorId, now: Timestamp, is_told: &dyn Fn(Seq) -> bool) -> Option<Step> {
        loop {
            let route = self.routes.get_mut(&operator)?;
            let free = |place: &usize| {
                let door = self.doors.get(*place).filter(|door| door.used < door.way.window)?;
                (door.rests_until <= now).then_some((door.used, *place))
            };
            let (_, place) = route.doors.iter().filter_map(free).min()?;
            let (at, key) = route.due.first().copied().filter(|(at, _)| *at <= now)?;
            let waiting = self.waiting.get_mut(&key)?;
            if key.role == Role::Sender && waiting.delivery.attempts == 0 && is_told(key.seq) {
                self.end_waiting(key, End::Superseded, now);
                continue;
            }
            let notice = waiting.notice;
            let Some(language) = waiting.delivery.language else {
                if self.asking >= ASKING_MAX {
                    return None;
                }
                route.due.remove(&(at, key));
                waiting.doing = Doing::Asking;
                self.asking += 1;
                return Some(Step::Ask(notice));
            };
            route.due.remove(&(at, key));
            waiting.doing = Doing::Flying(place);
            if let Some(door) = self.doors.get_mut(place) {
                door.used += 1;
            }
            self.flying += 1;
            let valid_until = notice.at.plus_ms(self.config.retry_max_ms);
            return Some(Step::Submit { place, notice, language, valid_until });
        }
    }

    /// The answer to [`Step::Ask`]; `None`: nobody could say, ask again.
    pub(super) fn spoken(&mut self, key: DeliveryKey, language: Option<Language>, now: Timestamp) {
        self.asking = self.asking.saturating_sub(1);
        let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| waiting.doing == Doing::Asking) else { return };
        if language.is_some() {
            waiting.delivery.language = language;
            waiting.doing = Doing::Saving;
            self.changed.insert(key);
            self.spoken.push(key);
        } else {
            waiting.doing = Doing::Queued;
            let (notice, next_at) = (waiting.notice, now.plus_ms(ASK_AGAIN_MS));
            waiting.delivery.stage = Stage::Waiting { next_at };
            self.queue(notice, next_at, false);
        }
    }

    /// The answer to [`Step::Submit`].
    pub(super) fn submitted(&mut self, key: DeliveryKey, answer: Result<Submitted, SubmitFault>, now: Timestamp) {
        let Some(waiting) = self.waiting.get_mut(&key) else { return };
        let Doing::Flying(place) = waiting.doing else { return };
        let Some(door) = self.doors.get_mut(place) else { return };
        waiting.doing = Doing::Queued;
        self.flying -= 1;
        let rest_ms = match answer {
            Err(SubmitFault::NotBound) => NOT_BOUND_WAIT_MS,
            Err(SubmitFault::Throttled { wait_ms }) => i64::from(wait_ms).clamp(1, THROTTLED_WAIT_MAX_MS),
            Ok(_) | Err(SubmitFault::Unknown | SubmitFault::Temporary { .. } | SubmitFault::Permanent { .. }) => 0,
        };
        if rest_ms > 0 {
            // Nothing was sent: it keeps its place, and there is nothing to write down.
            door.used -= 1;
            door.rests_until = door.rests_until.max(now.plus_ms(rest_ms));
            if let Stage::Waiting { next_at } = waiting.delivery.stage {
                let notice = waiting.notice;
                self.queue(notice, next_at, false);
            }
            return;
        }
        door.unsaved += 1;
        let way = door.way;
        waiting.delivery.attempts = waiting.delivery.attempts.saturating_add(1);
        match answer {
            Ok(Submitted { message_id }) => self.taken_over(key, way, message_id, now),
            Err(SubmitFault::Permanent { status }) => {
                waiting.delivery.status = Some(status);
                self.end_waiting(key, End::Failed, now);
            }
            Err(fault) => {
                if let SubmitFault::Temporary { status } = fault {
                    waiting.delivery.status = Some(status);
                }
                let end = waiting.notice.at.plus_ms(self.config.retry_max_ms);
                let wait_ms = backoff_ms(&self.config, key, waiting.delivery.attempts);
                let (notice, next_at) = (waiting.notice, now.plus_ms(wait_ms).min(end));
                waiting.delivery.stage = Stage::Waiting { next_at };
                self.changed.insert(key);
                self.counts.retried += 1;
                self.queue(notice, next_at, false);
            }
        }
    }

    fn taken_over(&mut self, key: DeliveryKey, way: Way, message_id: Option<String>, now: Timestamp) {
        self.counts.submitted += 1;
        let Some(Waiting { mut delivery, .. }) = self.waiting.remove(&key) else { return };
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
        !self.spoken.is_empty() || self.doors.iter().any(|door| door.unsaved > 0)
    }

    /// Whether there is anything to write.
    pub(super) fn is_changed(&self) -> bool {
        self.cursor != self.saved_cursor || !self.changed.is_empty() || !self.ended.is_empty()
    }

    /// Everything that changed, as one transaction.
    pub(super) fn changes(&mut self, now: Timestamp) -> Saving {
        let mut deliveries = std::mem::take(&mut self.ended);
        let ended = deliveries.len();
        self.ended_saving += ended;
        for key in std::mem::take(&mut self.changed) {
            let waiting = self.waiting.get(&key).map(|waiting| &waiting.delivery);
            deliveries.extend(waiting.or_else(|| self.awaiting.get(key)).cloned());
        }
        let cursor = (self.cursor != self.saved_cursor).then_some(self.cursor);
        self.saved_cursor = self.cursor;
        let forget = Forget { before: now.plus_ms(-self.config.kept_ms), kept_max: self.config.kept_max };
        let places = self.doors.iter_mut().map(|door| std::mem::take(&mut door.unsaved)).collect();
        Saving {
            changes: Changes { cursor, deliveries, forget: Some(forget) },
            places,
            ended,
            spoken: std::mem::take(&mut self.spoken),
        }
    }

    /// These are durable.
    pub(super) fn saved(&mut self, saving: Saving) {
        self.ended_saving -= saving.ended;
        for (door, places) in self.doors.iter_mut().zip(saving.places) {
            door.used -= places;
        }
        for key in saving.spoken {
            let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| waiting.doing == Doing::Saving) else {
                continue;
            };
            waiting.doing = Doing::Queued;
            if let Stage::Waiting { next_at } = waiting.delivery.stage {
                let notice = waiting.notice;
                self.queue(notice, next_at, false);
            }
        }
    }

    /// What counts against [`SmsConfig::open_max`]: deliveries that wait for a way out that there is, and finished ones that
    /// are not written yet.
    pub(super) fn load(&self) -> usize {
        self.waiting.len() - self.stranded + self.ended.len() + self.ended_saving
    }

    /// Submits under way.
    pub(super) const fn flying(&self) -> usize {
        self.flying
    }

    /// When [`tick`](Self::tick) or [`next`](Self::next) may have something to do.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        let oldest = self.waiting.values().find(|waiting| waiting.doing == Doing::Queued);
        let oldest = oldest.map(|waiting| waiting.notice.at.plus_ms(self.config.retry_max_ms));
        let untold = self.untold.first().map(|(at, _)| *at);
        let receipts = self.awaiting.first_until().map(|(until, _)| until);
        let held = self.held.front().map(|(at, _)| at.plus_ms(RECEIPT_HELD_MS));
        let routes = self.routes.values().filter_map(|route| {
            let (due, key) = route.due.first()?;
            let speechless = self.waiting.get(key)?.delivery.language.is_none();
            if speechless && self.asking >= ASKING_MAX {
                return None;
            }
            // One whose window is full waits for answers and not for an instant.
            let open = route.doors.iter().filter_map(|place| self.doors.get(*place));
            let open = open.filter(|door| door.used < door.way.window).map(|door| door.rests_until).min()?;
            Some(open.max(*due))
        });
        [oldest, untold, receipts, held].into_iter().flatten().chain(routes).min()
    }

    pub(super) fn counts(&self) -> SmsCounts {
        SmsCounts { waiting: self.waiting.len(), awaiting: self.awaiting.len(), ..self.counts }
    }
}

/// Twice as long each time, between half of it and all of it: the same for the same try, and different for neighbours.
fn backoff_ms(config: &SmsConfig, key: DeliveryKey, attempts: u32) -> i64 {
    let doubled = config.retry_wait_ms.max(1).saturating_mul(1_i64 << attempts.saturating_sub(1).min(30));
    let whole = doubled.min(config.retry_wait_max_ms.max(1));
    let hash = blake3::hash(format!("{}/{}/{attempts}", key.seq, key.role.name()).as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    let jitter = i64::from(u32::from_be_bytes([a, b, c, d])) % (whole / 2 + 1);
    whole - jitter
}

#[cfg(test)]
pub(in crate::sms) mod tests;
