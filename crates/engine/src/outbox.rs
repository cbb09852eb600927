//! What a follower hands to somebody outside, as a pure machine: entries and answers go in, hand-overs and records for its
//! database come out. It does not know what it hands over: SMS, events for a webhook.
//!
//! **For:** followers with effects outside (`edges::sms`). A [`Payload`] is one thing to hand over and keeps its own
//! [`Tries`]; a *way* is somebody who takes payloads over; payloads of one group share ways.
//!
//! **Guarantees:** at least once: the cursor is written together with the records of what its entries caused. A place in a
//! way's window is free again only when what became of its hand-over is durable, so that a crash repeats at most one window
//! for each way. What a payload needs before it leaves (its *preparation*) is durable before it leaves, so that a second try
//! is the same as the first. Payloads leave in the order of their instants; one whose way was away keeps its place. Every
//! payload ends: taken over, refused for good, given up, or needless.
//!
//! **Bounded by:** its caller, who asks [`load`](Outbox::load) before the next batch; [`OutboxConfig::preparing_max`];
//! [`Way::window`].
//!
//! **Deliberately not here:** clocks, tasks, files: an instant is an argument. What follows after a payload was taken over
//! (receipts), words, protocols.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use domain::receipt::Seq;
use domain::time::Timestamp;

/// The longest time that somebody who takes nothing now is believed to take nothing.
pub const REST_MAX_MS: i64 = 60_000;
/// A preparation that found no answer is asked for again after this.
const PREPARE_AGAIN_MS: i64 = 1_000;

/// How often a payload was tried, and when it is tried next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Tries whose outcome was the payload's own.
    pub attempts: u32,
    /// Not before this.
    pub next_at: Timestamp,
}

/// One thing to hand over.
pub trait Payload {
    /// Names it. Keys are in the order of instants.
    type Key: Copy + Ord + Debug;
    /// Payloads that share ways.
    type Group: Copy + Ord + Debug;
    /// How a database keeps it, waiting or ended.
    type Record: Debug;

    /// Its name.
    fn key(&self) -> Self::Key;

    /// The entry that caused it.
    fn seq(&self) -> Seq;

    /// When that entry was decided.
    fn at(&self) -> Timestamp;

    /// Its group.
    fn group(&self) -> Self::Group;

    /// Its tries so far.
    fn tries(&self) -> Tries;

    /// Writes down its tries.
    fn set_tries(&mut self, tries: Tries);

    /// Whether it may turn out to be needless. That is asked when it is due and before each hand-over, until it was tried.
    fn may_be_needless(&self) -> bool;

    /// Whether it can leave as it is. One that can't is prepared first: [`Step::Prepare`].
    fn is_prepared(&self) -> bool;

    /// What its tries are spread by: neighbours differ.
    fn salt(&self) -> String;

    /// How a database keeps it while it waits.
    fn record(&self) -> Self::Record;

    /// How a database keeps it when it ended.
    fn ended(self, how: End, at: Timestamp) -> Self::Record;
}

/// How a payload ends that nobody took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Refused for good.
    Refused,
    /// Not taken over within the time for tries.
    GaveUp,
    /// Nobody needs it any more.
    Needless,
}

/// How often, how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxConfig {
    /// A payload is not tried any more so long after its entry.
    pub retry_max_ms: i64,
    /// The first wait after a try that failed; it doubles each time.
    pub retry_wait_ms: i64,
    /// The longest wait between tries.
    pub retry_wait_max_ms: i64,
    /// Preparations under way at a time.
    pub preparing_max: usize,
}

impl OutboxConfig {
    /// Twice as long each time, between half of it and all of it: the same for the same try, and different for neighbours.
    pub fn backoff_ms(&self, salt: &str, attempts: u32) -> i64 {
        let doubled = self.retry_wait_ms.max(1).saturating_mul(1_i64 << attempts.saturating_sub(1).min(30));
        let whole = doubled.min(self.retry_wait_max_ms.max(1));
        let hash = blake3::hash(format!("{salt}/{attempts}").as_bytes());
        let [a, b, c, d, ..] = *hash.as_bytes();
        let jitter = i64::from(u32::from_be_bytes([a, b, c, d])) % (whole / 2 + 1);
        whole - jitter
    }
}

/// Somebody who takes payloads over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Hand-overs at a time, and so what a crash may repeat.
    pub window: usize,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<K> {
    /// Prepare it, then say [`Outbox::prepared`].
    Prepare(K),
    /// Hand it to the way of that place, then say [`Outbox::answered`].
    HandOver {
        /// Which one: [`Outbox::get`].
        key: K,
        /// The way's.
        place: usize,
        /// It is worth nothing after this.
        valid_until: Timestamp,
    },
}

/// What became of a hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Somebody has it.
    Taken,
    /// Nothing was handed over, and nothing should be for so long. It costs no try.
    NotNow {
        /// How long; at most [`REST_MAX_MS`] is believed.
        wait_ms: i64,
    },
    /// Refused for now, or nobody knows: it is tried again.
    Again,
    /// Refused for good.
    Refused,
}

/// A payload that somebody took over: it is the caller's from now on.
#[derive(Debug)]
pub struct Taken<P> {
    /// It, with this try counted.
    pub payload: P,
    /// By the way of that place.
    pub place: usize,
}

/// Records on their way to the database: hand it to [`Outbox::saved`] when they are durable.
#[derive(Debug)]
pub struct Saving<P: Payload> {
    /// Everything up to this entry is in the records; `None`: as before.
    pub cursor: Option<Seq>,
    /// As they are now. The caller moves them into its transaction.
    pub records: Vec<P::Record>,
    places: Vec<usize>,
    ended: usize,
    prepared: Vec<P::Key>,
}

/// What it did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Tries that failed for now.
    pub retried: u64,
    /// Payloads of groups without a way.
    pub let_go: u64,
    /// Refused for good.
    pub refused: u64,
    /// Not taken over in time.
    pub gave_up: u64,
    /// Not needed any more.
    pub needless: u64,
}

#[derive(Debug)]
struct Door {
    window: usize,
    /// Places taken: hand-overs under way, and answers that are not durable yet.
    used: usize,
    /// Of them, answers that the next records hold.
    unsaved: usize,
    /// Nothing goes through before this.
    rests_until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// In a queue.
    Queued,
    /// It is being prepared.
    Preparing,
    /// Its preparation is on its way to the database.
    Saving,
    /// Handed to the way of that place.
    Flying(usize),
}

#[derive(Debug)]
struct Waiting<P> {
    payload: P,
    doing: Doing,
}

/// Payloads that share ways.
#[derive(Debug)]
struct Route<K> {
    doors: Vec<usize>,
    due: BTreeSet<(Timestamp, K)>,
}

impl<K> Default for Route<K> {
    fn default() -> Self {
        Self { doors: Vec::new(), due: BTreeSet::new() }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Outbox<P: Payload> {
    config: OutboxConfig,
    doors: Vec<Door>,
    routes: BTreeMap<P::Group, Route<P::Key>>,
    /// Those that may be needless, until it is time to look.
    doubtful: BTreeSet<(Timestamp, P::Key)>,
    waiting: BTreeMap<P::Key, Waiting<P>>,
    /// Of those, the ones that no way leads to any more: nobody waits for them.
    stranded: usize,
    preparing: usize,
    flying: usize,
    cursor: Seq,
    saved_cursor: Seq,
    changed: BTreeSet<P::Key>,
    ended: Vec<P::Record>,
    /// Ended ones in records that are under way.
    ended_saving: usize,
    prepared: Vec<P::Key>,
    counts: OutboxCounts,
}

impl<P: Payload> Outbox<P> {
    /// Nothing waits yet; everything up to `cursor` is done with, or is said with [`reopen`](Self::reopen).
    pub fn new(config: OutboxConfig, ways: impl IntoIterator<Item = Way>, cursor: Seq) -> Self {
        let door = |way: Way| Door { window: way.window, used: 0, unsaved: 0, rests_until: Timestamp::MIN };
        Self {
            config,
            doors: ways.into_iter().map(door).collect(),
            routes: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            waiting: BTreeMap::new(),
            stranded: 0,
            preparing: 0,
            flying: 0,
            cursor,
            saved_cursor: cursor,
            changed: BTreeSet::new(),
            ended: Vec::new(),
            ended_saving: 0,
            prepared: Vec::new(),
            counts: OutboxCounts::default(),
        }
    }

    /// Takes up a payload that the database had waiting.
    pub fn reopen(&mut self, payload: P) {
        self.stranded += usize::from(self.is_stranded(payload.group()));
        self.put(payload);
    }

    /// Which ways lead to a group; to be said before its first payload.
    pub fn route(&mut self, group: P::Group, doors: Vec<usize>) {
        self.routes.entry(group).or_default().doors = doors;
    }

    /// Whether no way leads to a group: only a changed configuration leaves payloads behind then.
    fn is_stranded(&self, group: P::Group) -> bool {
        self.routes.get(&group).is_none_or(|route| route.doors.is_empty())
    }

    /// Whether something is known of a group's ways.
    pub fn has_route(&self, group: P::Group) -> bool {
        self.routes.contains_key(&group)
    }

    /// Takes everything up to `last` that was not taken before.
    pub fn take(&mut self, last: Seq, payloads: impl IntoIterator<Item = P>) {
        let taken = self.cursor;
        for payload in payloads.into_iter().filter(|payload| payload.seq() > taken) {
            if self.is_stranded(payload.group()) {
                self.counts.let_go += 1;
                continue;
            }
            self.changed.insert(payload.key());
            self.put(payload);
        }
        self.cursor = self.cursor.max(last);
    }

    fn put(&mut self, payload: P) {
        let (key, group, next_at) = (payload.key(), payload.group(), payload.tries().next_at);
        if payload.may_be_needless() {
            self.doubtful.insert((next_at, key));
        } else {
            self.queue(group, next_at, key);
        }
        self.waiting.insert(key, Waiting { payload, doing: Doing::Queued });
    }

    fn queue(&mut self, group: P::Group, next_at: Timestamp, key: P::Key) {
        self.routes.entry(group).or_default().due.insert((next_at, key));
    }

    /// What time brings: payloads that are needless, and those whose time for tries is over.
    pub fn tick(&mut self, now: Timestamp, is_needless: &dyn Fn(&P) -> bool) {
        while let Some((at, key)) = self.doubtful.first().copied().filter(|(at, _)| *at <= now) {
            self.doubtful.remove(&(at, key));
            let Some(waiting) = self.waiting.get(&key) else { continue };
            let group = waiting.payload.group();
            if is_needless(&waiting.payload) {
                self.end(key, End::Needless, now);
            } else {
                self.queue(group, at, key);
            }
        }
        self.give_up(now);
    }

    /// Keys are in the order of instants, so that the oldest are at the front.
    fn give_up(&mut self, now: Timestamp) {
        let over = |waiting: &&Waiting<P>| waiting.payload.at().plus_ms(self.config.retry_max_ms) <= now;
        let queued = |waiting: &&Waiting<P>| waiting.doing == Doing::Queued;
        let over: Vec<P::Key> =
            self.waiting.values().take_while(over).filter(queued).map(|waiting| waiting.payload.key()).collect();
        for key in over {
            self.end(key, End::GaveUp, now);
        }
    }

    fn end(&mut self, key: P::Key, how: End, now: Timestamp) {
        let Some(payload) = self.remove(key) else { return };
        match how {
            End::Refused => self.counts.refused += 1,
            End::GaveUp => self.counts.gave_up += 1,
            End::Needless => self.counts.needless += 1,
        }
        self.ended.push(payload.ended(how, now));
    }

    /// Takes one out of everything that it stands in.
    fn remove(&mut self, key: P::Key) -> Option<P> {
        let Waiting { payload, .. } = self.waiting.remove(&key)?;
        self.stranded -= usize::from(self.is_stranded(payload.group()));
        let place = (payload.tries().next_at, key);
        self.doubtful.remove(&place);
        if let Some(route) = self.routes.get_mut(&payload.group()) {
            route.due.remove(&place);
        }
        self.changed.remove(&key);
        Some(payload)
    }

    /// The record of a payload that was taken over and ended afterwards: it leaves with the next [`changes`](Self::changes),
    /// and counts as load until it is durable.
    pub fn finish(&mut self, record: P::Record) {
        self.ended.push(record);
    }

    /// One that waits.
    pub fn get(&self, key: P::Key) -> Option<&P> {
        self.waiting.get(&key).map(|waiting| &waiting.payload)
    }

    /// The next thing to do now, if there is one and there is room for it.
    pub fn next(&mut self, now: Timestamp, is_needless: &dyn Fn(&P) -> bool) -> Option<Step<P::Key>> {
        let groups: Vec<P::Group> = self.routes.keys().copied().collect();
        groups.into_iter().find_map(|group| self.next_of(group, now, is_needless))
    }

    fn next_of(&mut self, group: P::Group, now: Timestamp, is_needless: &dyn Fn(&P) -> bool) -> Option<Step<P::Key>> {
        loop {
            let route = self.routes.get_mut(&group)?;
            let free = |place: &usize| {
                let door = self.doors.get(*place).filter(|door| door.used < door.window)?;
                (door.rests_until <= now).then_some((door.used, *place))
            };
            let (_, place) = route.doors.iter().filter_map(free).min()?;
            let (at, key) = route.due.first().copied().filter(|(at, _)| *at <= now)?;
            let waiting = self.waiting.get_mut(&key)?;
            if waiting.payload.may_be_needless() && is_needless(&waiting.payload) {
                self.end(key, End::Needless, now);
                continue;
            }
            if !waiting.payload.is_prepared() {
                if self.preparing >= self.config.preparing_max {
                    return None;
                }
                route.due.remove(&(at, key));
                waiting.doing = Doing::Preparing;
                self.preparing += 1;
                return Some(Step::Prepare(key));
            }
            route.due.remove(&(at, key));
            waiting.doing = Doing::Flying(place);
            if let Some(door) = self.doors.get_mut(place) {
                door.used += 1;
            }
            self.flying += 1;
            let valid_until = waiting.payload.at().plus_ms(self.config.retry_max_ms);
            return Some(Step::HandOver { key, place, valid_until });
        }
    }

    /// The answer to [`Step::Prepare`]. `prepare` writes it into the payload; `None`: nobody could say, ask again.
    pub fn prepared(&mut self, key: P::Key, prepare: Option<impl FnOnce(&mut P)>, now: Timestamp) {
        self.preparing = self.preparing.saturating_sub(1);
        let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| waiting.doing == Doing::Preparing) else {
            return;
        };
        if let Some(prepare) = prepare {
            prepare(&mut waiting.payload);
            waiting.doing = Doing::Saving;
            self.changed.insert(key);
            self.prepared.push(key);
        } else {
            waiting.doing = Doing::Queued;
            let next_at = now.plus_ms(PREPARE_AGAIN_MS);
            waiting.payload.set_tries(Tries { next_at, ..waiting.payload.tries() });
            let group = waiting.payload.group();
            self.queue(group, next_at, key);
        }
    }

    /// The answer to [`Step::HandOver`]; `note` writes into the payload what the answer says. Gives the payload when somebody
    /// took it over.
    pub fn answered(
        &mut self,
        key: P::Key,
        answer: Answer,
        now: Timestamp,
        note: impl FnOnce(&mut P),
    ) -> Option<Taken<P>> {
        let waiting = self.waiting.get_mut(&key)?;
        let Doing::Flying(place) = waiting.doing else { return None };
        let door = self.doors.get_mut(place)?;
        waiting.doing = Doing::Queued;
        self.flying -= 1;
        let (group, tries) = (waiting.payload.group(), waiting.payload.tries());
        if let Answer::NotNow { wait_ms } = answer {
            // It keeps its place, and there is nothing to write down.
            door.used -= 1;
            door.rests_until = door.rests_until.max(now.plus_ms(wait_ms.clamp(1, REST_MAX_MS)));
            self.queue(group, tries.next_at, key);
            return None;
        }
        door.unsaved += 1;
        note(&mut waiting.payload);
        let attempts = tries.attempts.saturating_add(1);
        waiting.payload.set_tries(Tries { attempts, ..tries });
        match answer {
            Answer::Taken => return self.remove(key).map(|payload| Taken { payload, place }),
            Answer::Refused => self.end(key, End::Refused, now),
            Answer::Again | Answer::NotNow { .. } => {
                let end = waiting.payload.at().plus_ms(self.config.retry_max_ms);
                let wait_ms = self.config.backoff_ms(&waiting.payload.salt(), attempts);
                let next_at = now.plus_ms(wait_ms).min(end);
                waiting.payload.set_tries(Tries { attempts, next_at });
                self.changed.insert(key);
                self.counts.retried += 1;
                self.queue(group, next_at, key);
            }
        }
        None
    }

    /// Whether something waits for being durable that holds others up.
    pub fn is_urgent(&self) -> bool {
        !self.prepared.is_empty() || self.doors.iter().any(|door| door.unsaved > 0)
    }

    /// Whether there is anything to write.
    pub fn is_changed(&self) -> bool {
        self.cursor != self.saved_cursor || !self.changed.is_empty() || !self.ended.is_empty()
    }

    /// Everything that changed, for one transaction.
    pub fn changes(&mut self) -> Saving<P> {
        let mut records = std::mem::take(&mut self.ended);
        let ended = records.len();
        self.ended_saving += ended;
        let changed = std::mem::take(&mut self.changed);
        records.extend(changed.iter().filter_map(|key| self.get(*key)).map(P::record));
        let cursor = (self.cursor != self.saved_cursor).then_some(self.cursor);
        self.saved_cursor = self.cursor;
        let places = self.doors.iter_mut().map(|door| std::mem::take(&mut door.unsaved)).collect();
        Saving { cursor, records, places, ended, prepared: std::mem::take(&mut self.prepared) }
    }

    /// These are durable.
    pub fn saved(&mut self, saving: Saving<P>) {
        self.ended_saving -= saving.ended;
        for (door, places) in self.doors.iter_mut().zip(saving.places) {
            door.used -= places;
        }
        for key in saving.prepared {
            let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| waiting.doing == Doing::Saving) else {
                continue;
            };
            waiting.doing = Doing::Queued;
            let (group, next_at) = (waiting.payload.group(), waiting.payload.tries().next_at);
            self.queue(group, next_at, key);
        }
    }

    /// Everything up to this entry was taken.
    pub const fn cursor(&self) -> Seq {
        self.cursor
    }

    /// Payloads that wait for a way that there is, and ended ones that are not durable yet: what a caller bounds.
    pub fn load(&self) -> usize {
        self.waiting.len() - self.stranded + self.ended.len() + self.ended_saving
    }

    /// Payloads that wait, for whatever.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Hand-overs under way.
    pub const fn flying(&self) -> usize {
        self.flying
    }

    /// What it did so far.
    pub const fn counts(&self) -> OutboxCounts {
        self.counts
    }

    /// When [`tick`](Self::tick) or [`next`](Self::next) may have something to do.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        let oldest = self.waiting.values().find(|waiting| waiting.doing == Doing::Queued);
        let oldest = oldest.map(|waiting| waiting.payload.at().plus_ms(self.config.retry_max_ms));
        let doubtful = self.doubtful.first().map(|(at, _)| *at);
        let routes = self.routes.values().filter_map(|route| {
            let (due, key) = route.due.first()?;
            if !self.get(*key)?.is_prepared() && self.preparing >= self.config.preparing_max {
                return None;
            }
            // One whose window is full waits for answers and not for an instant.
            let open = route.doors.iter().filter_map(|place| self.doors.get(*place));
            let open = open.filter(|door| door.used < door.window).map(|door| door.rests_until).min()?;
            Some(open.max(*due))
        });
        [oldest, doubtful].into_iter().flatten().chain(routes).min()
    }

    /// Octets of a payload that waits, without what it points to.
    pub const WAITING_LEN: usize = size_of::<Waiting<P>>() + 2 * size_of::<P::Key>() + size_of::<Timestamp>();
}

#[cfg(test)]
mod tests;
