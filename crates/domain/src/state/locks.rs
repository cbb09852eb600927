//! Wrong passwords that are remembered, by subscriber.
//!
//! Guarantees: one subscriber's are found without looking at others'; those that are over come in the order of their ends.
//!
//! Bounded by the wrong passwords of [`Lock::KEPT_S`] and of the longest lock before it: each one that is counted sweeps
//! two away that are over (see [`crate::decide`]).

use std::collections::BTreeSet;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::rows::Lock;
use crate::ids::{LinkId, SubscriberId};
use crate::time::Timestamp;

/// A subscriber's, by link: hardly anybody calls over two.
type Of = SmallVec<[(LinkId, Lock); 1]>;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks {
    rows: HashMap<SubscriberId, Of, foldhash::fast::RandomState>,
    by_end: BTreeSet<(Timestamp, SubscriberId, LinkId)>,
}

impl Locks {
    pub(crate) fn get(&self, subscriber: SubscriberId, link: LinkId) -> Option<Lock> {
        self.of(subscriber).find(|(known, _)| *known == link).map(|(_, lock)| lock)
    }

    /// One subscriber's, by link.
    pub(crate) fn of(&self, subscriber: SubscriberId) -> impl Iterator<Item = (LinkId, Lock)> {
        self.rows.get(&subscriber).into_iter().flatten().copied().inspect(|_| looked())
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SubscriberId, LinkId, Lock)> {
        let rows =
            self.rows.iter().flat_map(|(subscriber, of)| of.iter().map(|(link, lock)| (*subscriber, *link, *lock)));
        rows.inspect(|_| looked())
    }

    /// Those that are over at an instant, the oldest first.
    pub(crate) fn over(&self, at: Timestamp) -> impl Iterator<Item = (SubscriberId, LinkId)> {
        let ended = self.by_end.iter().inspect(|_| looked()).take_while(move |(end, ..)| *end <= at);
        ended.map(|(_, subscriber, link)| (*subscriber, *link))
    }

    /// Writes one; one that counts nothing is removed.
    pub(crate) fn put(&mut self, subscriber: SubscriberId, link: LinkId, lock: Lock) {
        let of = self.rows.entry(subscriber).or_default();
        let place = of.iter().position(|(known, _)| *known == link);
        let known = place.and_then(|place| of.get(place)).map(|(_, known)| *known);
        if let Some(known) = known {
            self.by_end.remove(&(known.over_at(), subscriber, link));
        }
        match (place, lock.counts_nothing()) {
            (Some(place), true) => drop(of.remove(place)),
            (None, true) => {}
            (Some(place), false) => of.iter_mut().skip(place).take(1).for_each(|row| row.1 = lock),
            (None, false) => {
                let place = of.partition_point(|(known, _)| *known < link);
                of.insert(place, (link, lock));
            }
        }
        if of.is_empty() {
            self.rows.remove(&subscriber);
        }
        if !lock.counts_nothing() {
            self.by_end.insert((lock.over_at(), subscriber, link));
        }
    }
}

/// Counts rows that are looked at: tests hold that nobody who waits is kept by others' rows.
#[cfg(any(test, feature = "testing"))]
mod count {
    use core::cell::Cell;

    thread_local!(static LOOKED_AT: Cell<u64> = const { Cell::new(0) });

    pub(super) fn looked() {
        LOOKED_AT.with(|count| count.set(count.get() + 1));
    }

    /// Rows of wrong passwords that this thread looked at so far.
    pub fn locks_looked_at() -> u64 {
        LOOKED_AT.with(Cell::get)
    }
}

#[cfg(any(test, feature = "testing"))]
pub use count::locks_looked_at;
#[cfg(any(test, feature = "testing"))]
use count::looked;

#[cfg(not(any(test, feature = "testing")))]
const fn looked() {}
