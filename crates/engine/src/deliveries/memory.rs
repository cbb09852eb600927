//! A follower's database in memory: for tests and the simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::receipt::Seq;
use domain::time::Timestamp;

use super::{Changes, Delivery, DeliveryKey, FORGET_STEP, FollowerStore, FollowerStoreFault, Forget, Role, Stage};

#[derive(Debug, Default)]
struct Disk {
    cursor: Option<Seq>,
    open: BTreeMap<DeliveryKey, Delivery>,
    ended: BTreeMap<DeliveryKey, Delivery>,
    by_end: BTreeSet<(Timestamp, DeliveryKey)>,
    fault: Option<FollowerStoreFault>,
    writes: u64,
}

/// A follower's database in memory; clones share the same disk, as two processes would.
#[derive(Clone, Debug, Default)]
pub struct MemoryFollowerStore {
    disk: Arc<Mutex<Disk>>,
}

impl MemoryFollowerStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the next calls fail with; `None`: nothing.
    pub fn set_fault(&self, fault: Option<FollowerStoreFault>) {
        self.disk().fault = fault;
    }

    /// Transactions so far.
    pub fn writes(&self) -> u64 {
        self.disk().writes
    }

    /// Every delivery in it, open and finished, by its key.
    pub fn all(&self) -> Vec<Delivery> {
        let disk = self.disk();
        let mut all: Vec<Delivery> = disk.open.values().chain(disk.ended.values()).cloned().collect();
        all.sort_by_key(|delivery| delivery.key);
        all
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn well(&self) -> Result<MutexGuard<'_, Disk>, FollowerStoreFault> {
        let disk = self.disk();
        match &disk.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(disk),
        }
    }
}

impl Disk {
    fn put(&mut self, delivery: &Delivery) {
        let key = delivery.key;
        self.open.remove(&key);
        if let Stage::Ended { at, .. } = delivery.stage {
            self.ended.insert(key, delivery.clone());
            self.by_end.insert((at, key));
        } else {
            self.open.insert(key, delivery.clone());
        }
    }

    fn forget(&mut self, forget: Forget, most: usize) {
        for _ in 0..most {
            let too_many = self.ended.len() as u64 > forget.kept_max;
            match self.by_end.first().copied().filter(|(at, _)| too_many || *at < forget.before) {
                Some(oldest) => {
                    self.by_end.remove(&oldest);
                    self.ended.remove(&oldest.1);
                }
                None => return,
            }
        }
    }
}

impl FollowerStore for MemoryFollowerStore {
    fn cursor(&mut self) -> Result<Option<Seq>, FollowerStoreFault> {
        Ok(self.well()?.cursor)
    }

    fn open_deliveries(&mut self) -> Result<Vec<Delivery>, FollowerStoreFault> {
        Ok(self.well()?.open.values().cloned().collect())
    }

    fn write(&mut self, changes: &Changes) -> Result<(), FollowerStoreFault> {
        let mut disk = self.well()?;
        disk.writes += 1;
        disk.cursor = changes.cursor.or(disk.cursor);
        changes.deliveries.iter().for_each(|delivery| disk.put(delivery));
        if let Some(forget) = changes.forget {
            disk.forget(forget, FORGET_STEP + changes.deliveries.len());
        }
        Ok(())
    }

    fn find(&mut self, seq: Seq) -> Result<Vec<Delivery>, FollowerStoreFault> {
        let disk = self.well()?;
        let of = |role: &Role| {
            let key = DeliveryKey { seq, role: *role };
            disk.open.get(&key).or_else(|| disk.ended.get(&key)).cloned()
        };
        Ok(Role::ALL.iter().filter_map(of).collect())
    }
}
