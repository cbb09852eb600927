//! The ports in memory: for tests and the simulator. They keep what was made durable and can be told to fail.
//!
//! Guarantees: the same contracts as on disk; a [`MemoryJournal`] that crashed keeps exactly the appends that were durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::account::AccountId;
use domain::ids::{CardId, LimitId, LinkId, OperatorId, SubscriberId};
use domain::memory::Remembered;
use domain::office::{Record, RecordKey};
use domain::receipt::Seq;
use domain::restore::{CardRow, RepeatRow, Restore, RestoreError, SubscriberRow};
use domain::state::{BOOKS, LimitRow, Lock, Purse, Recents, Usage, UsageKey};
use domain::time::{BusinessDate, Timestamp};

use crate::checkpoint::{CardDelta, Checkpoint, CheckpointFault, Delta, OperatorDelta, SubscriberDelta, promote};
use crate::ids::{IdRow, Ids, IdsConfig, IdsKept};
use crate::journal::{AppendFault, Head, Journal, JournalReader, Link, ReadFault};
use crate::replica::Replica;

/// What a memory journal does with the next appends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// Keeps them.
    #[default]
    Fine,
    /// Has no room for them.
    Full,
    /// Loses the connection to its disk.
    Broken,
    /// Neither keeps nor refuses them until the weather changes: a disk that hangs.
    Stalled,
}

/// Between two looks at whether a disk still hangs.
const STALLED_WAIT: std::time::Duration = std::time::Duration::from_millis(5);

#[derive(Debug, Default)]
struct Disk {
    links: Vec<Link>,
    weather: Weather,
    short: bool,
}

/// A journal in memory; clones share the same disk, as two processes would.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    disk: Arc<Mutex<Disk>>,
    /// What this writer believes the end to be; set by the first look.
    believed: Option<Head>,
}

impl MemoryJournal {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what happens to the next appends.
    pub fn set_weather(&self, weather: Weather) {
        self.disk().weather = weather;
    }

    /// Says whether the disk is short of room.
    pub fn set_short(&self, short: bool) {
        self.disk().short = short;
    }

    /// A reader of the same disk.
    pub fn reader(&self) -> MemoryReader {
        MemoryReader { disk: Arc::clone(&self.disk) }
    }

    /// Cuts everything after `seq` off, which no crash does: for tests of what must be refused.
    pub fn cut_after(&self, seq: Seq) {
        self.disk().links.retain(|link| link.last_seq() <= seq);
    }

    /// Changes the bytes of the append that holds `seq`.
    pub fn damage(&self, seq: Seq, how: impl Fn(&mut Vec<u8>)) {
        let mut disk = self.disk();
        if let Some(link) = disk.links.iter_mut().find(|link| link.first_seq <= seq && seq <= link.last_seq()) {
            how(&mut link.bytes);
        }
    }
}

impl Journal for MemoryJournal {
    fn head(&self) -> Head {
        self.disk().links.last().map(Link::head).unwrap_or_default()
    }

    fn append(&mut self, link: &Link) -> Result<(), AppendFault> {
        while self.disk().weather == Weather::Stalled {
            std::thread::park_timeout(STALLED_WAIT);
        }
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let head = disk.links.last().map(Link::head).unwrap_or_default();
        let believed = *self.believed.get_or_insert(head);
        if link.first_seq != head.seq.next() || believed.seq != head.seq {
            return Err(AppendFault::Stale { expected: believed.seq, found: head.seq });
        }
        match disk.weather {
            // It may have changed since the look above: then this append came before that.
            Weather::Fine | Weather::Stalled => {}
            Weather::Full => return Err(AppendFault::NoRoom),
            Weather::Broken => return Err(AppendFault::Lost(String::from("told to break"))),
        }
        disk.links.push(link.clone());
        self.believed = Some(link.head());
        Ok(())
    }

    fn is_short_of_room(&self) -> bool {
        self.disk().short
    }
}

/// Reads a [`MemoryJournal`].
#[derive(Clone, Debug)]
pub struct MemoryReader {
    disk: Arc<Mutex<Disk>>,
}

impl JournalReader for MemoryReader {
    fn find(&self, seq: Seq) -> Result<Option<Link>, ReadFault> {
        let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let after = disk.links.partition_point(|link| link.first_seq <= seq);
        let link = after.checked_sub(1).and_then(|at| disk.links.get(at));
        Ok(link.filter(|link| seq <= link.last_seq()).cloned())
    }

    fn read(&self, from: Seq, bytes_max: usize) -> Result<Vec<Link>, ReadFault> {
        let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let first = disk.links.partition_point(|link| link.last_seq() < from);
        let mut bytes = 0;
        let fits = |link: &&Link| {
            let first = bytes == 0;
            bytes += link.bytes.len();
            first || bytes <= bytes_max
        };
        Ok(disk.links.iter().skip(first).take_while(fits).cloned().collect())
    }
}

/// Checkpoint tables in memory; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryCheckpoint {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    head: Head,
    operators: BTreeMap<OperatorId, OperatorDelta>,
    limits: BTreeMap<LimitId, LimitRow>,
    limits_made: u16,
    subscribers: BTreeMap<SubscriberId, SubscriberDelta>,
    cards: BTreeMap<CardId, CardDelta>,
    usage: BTreeMap<UsageKey, (Usage, Seq)>,
    locks: BTreeMap<(SubscriberId, LinkId), Lock>,
    records: BTreeMap<RecordKey, Record>,
    ledger: BTreeMap<AccountId, Purse>,
    /// One block a delta: its last seq and its rows.
    ids: Vec<(Seq, Vec<u8>)>,
    ussd_ids: Vec<(Seq, Vec<u8>)>,
    ids_kept: IdsKept,
    repeats: Vec<RepeatRow>,
    remembered: Remembered,
}

impl MemoryCheckpoint {
    /// Empty tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tables as they are now, on a disk of their own.
    pub fn snapshot(&self) -> Self {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { tables: Arc::new(Mutex::new(tables)) }
    }

    /// Forgets all ids: what a restart must never do.
    pub fn forget_ids(&self) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.ids.clear();
        tables.ussd_ids.clear();
    }
}

impl MemoryCheckpoint {
    /// Forgets the floor that the ids stand on: what a restart must never do either.
    pub fn forget_floor(&self) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).ids_kept.floor = Timestamp::MIN;
    }
}

impl Checkpoint for MemoryCheckpoint {
    fn head(&self) -> Head {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).head
    }

    fn write(&mut self, delta: &Delta) -> Result<(), CheckpointFault> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.write(delta);
        Ok(())
    }

    fn load(&mut self, ids: IdsConfig) -> Result<Replica, CheckpointFault> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.load(ids).map_err(|fault| CheckpointFault::Damaged(fault.to_string()))
    }
}

impl Tables {
    fn write(&mut self, delta: &Delta) {
        self.head = delta.head;
        for (id, new) in &delta.operators {
            let row = self.operators.entry(*id).or_default();
            row.rules = new.rules.clone().or(row.rules.take());
            row.date = row.date.max(new.date);
            for (book, new) in row.books.iter_mut().zip(new.books) {
                *book = new.or(*book);
            }
        }
        for (id, new) in &delta.subscribers {
            let row = self.subscribers.entry(*id).or_default();
            row.facts = new.facts.or(row.facts);
            row.airtime = new.airtime.or(row.airtime);
            row.latest = new.latest.or(row.latest);
            row.refused = new.refused.or(row.refused);
            let mut recents: Recents = row.gave_to.clone();
            new.gave_to.iter().rev().for_each(|recipient| promote(&mut recents, *recipient));
            row.gave_to = recents;
        }
        for (id, new) in &delta.cards {
            let row = self.cards.entry(*id).or_default();
            row.facts = new.facts.or(row.facts);
            row.state = new.state.or(row.state);
            row.purse = new.purse.or(row.purse);
            row.bound = row.bound.or(new.bound);
            row.bind_wrong = new.bind_wrong.or(row.bind_wrong);
            row.bought = new.bought.or(row.bought);
        }
        for (key, record) in &delta.records {
            match record {
                Some(record) => drop(self.records.insert(*key, record.clone())),
                None => drop(self.records.remove(key)),
            }
        }
        self.ledger.extend(delta.ledger.iter().copied());
        self.usage.extend(delta.usage.iter().map(|(key, usage, seq)| (*key, (*usage, *seq))));
        self.write_limits(delta);
        for (key, lock) in &delta.locks {
            if lock.counts_nothing() {
                self.locks.remove(key);
            } else {
                self.locks.insert(*key, *lock);
            }
        }
        let IdsKept { floor: _, programs_from, ussd_from } = delta.ids_kept;
        self.ids.push((delta.head.seq, delta.ids.programs.clone()));
        self.ids.retain(|(last, _)| *last >= programs_from);
        self.ussd_ids.push((delta.head.seq, delta.ids.ussd.clone()));
        self.ussd_ids.retain(|(last, _)| *last >= ussd_from);
        self.ids_kept = delta.ids_kept;
        self.remembered = delta.remembered(self.remembered);
        self.repeats.extend_from_slice(&delta.repeats);
        self.repeats.retain(|row| self.remembered.repeats.age(row.seq).is_some());
    }

    /// After usage: what was used of a forgotten limit goes with it.
    fn write_limits(&mut self, delta: &Delta) {
        self.limits_made = self.limits_made.max(delta.limits_made);
        for (id, limit) in &delta.limits {
            match limit {
                Some(limit) => drop(self.limits.insert(*id, limit.clone())),
                None => {
                    self.limits.remove(id);
                    self.usage.retain(|key, _| key.limit != *id);
                }
            }
        }
    }

    fn load(&self, ids: IdsConfig) -> Result<Replica, RestoreError> {
        let mut restore = Restore::new(self.subscribers.len(), self.cards.len());
        restore.limits_made(self.limits_made);
        self.limits.iter().try_for_each(|(id, limit)| restore.limit(*id, limit.clone()))?;
        for (id, row) in &self.operators {
            let (rules, file_hash) = row.rules.as_ref().ok_or(RestoreError("an operator without rules"))?;
            let mut books = [Purse::default(); BOOKS];
            for (book, kept) in books.iter_mut().zip(row.books) {
                *book = kept.unwrap_or_default();
            }
            restore.operator(*id, rules, *file_hash, row.date.unwrap_or_default(), books)?;
        }
        for row in self.subscribers.values() {
            restore.subscriber(SubscriberRow {
                facts: row.facts.ok_or(RestoreError("a subscriber without facts"))?,
                airtime: row.airtime.unwrap_or_default(),
                latest: row.latest.unwrap_or_default(),
                refused: row.refused.unwrap_or((BusinessDate::default(), 0)),
                recents: row.gave_to.to_vec(),
            })?;
        }
        for row in self.cards.values() {
            let mut facts = row.facts.ok_or(RestoreError("a card without facts"))?;
            facts.state = row.state.unwrap_or(facts.state);
            restore.card(&CardRow {
                facts,
                purse: row.purse.unwrap_or_default(),
                bound: row.bound.unwrap_or(Seq::ZERO),
                bind_wrong: row.bind_wrong.unwrap_or(0),
                bought: row.bought,
            })?;
        }
        self.records.iter().try_for_each(|(key, record)| restore.record(*key, record.clone()))?;
        self.ledger.iter().try_for_each(|(account, purse)| restore.account(*account, *purse))?;
        restore.remembered(self.remembered);
        for (key, (usage, seq)) in &self.usage {
            restore.usage(*key, *usage, *seq)?;
        }
        self.locks.iter().for_each(|((subscriber, link), lock)| restore.lock(*subscriber, *link, *lock));
        self.repeats.iter().for_each(|row| restore.repeat(row));
        let mut ids = Ids::new(ids);
        let IdsKept { floor, programs_from, ussd_from } = self.ids_kept;
        for (blocks, from) in [(&self.ids, programs_from), (&self.ussd_ids, ussd_from)] {
            let rows = blocks.iter().flat_map(|(_, block)| block.as_chunks::<{ IdRow::LEN }>().0);
            rows.map(IdRow::from_bytes).filter(|row| row.known.seq >= from).for_each(|row| ids.insert_row(&row));
        }
        ids.raise_floor(floor);
        let state = restore.finish(self.head.seq, self.head.at)?;
        Ok(Replica { state, ids, head: self.head })
    }
}
