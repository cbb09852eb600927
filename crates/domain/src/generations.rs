//! A map that forgets whole generations: for facts that matter for a while and then never again.
//!
//! Guarantees: an entry stays at least as long as one generation lasts, and is dropped with its generation in one step;
//! nothing is swept one by one. A fact written again moves to the newest generation.
//!
//! Bounded by its caller, who says when to [`turn`](Generations::turn).
//! Deliberately not here: time. An entry that outlived its meaning is the reader's to ignore.

use core::hash::Hash;

use hashbrown::HashMap;

/// Two generations of a map: the newest and the one before.
#[derive(Clone, Debug)]
pub struct Generations<K, V> {
    newest: HashMap<K, V, foldhash::fast::RandomState>,
    before: HashMap<K, V, foldhash::fast::RandomState>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { newest: HashMap::default(), before: HashMap::default() }
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// The newest value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.newest.get(key).or_else(|| self.before.get(key))
    }

    /// Writes to the newest generation.
    pub fn insert(&mut self, key: K, value: V) {
        self.newest.insert(key, value);
    }

    /// Makes room in the newest generation for so many more, so that loading them moves nothing.
    pub fn reserve(&mut self, more: usize) {
        self.newest.reserve(more);
    }

    /// Begins a new generation and gives away the one that is forgotten.
    pub fn turn(&mut self) -> HashMap<K, V, foldhash::fast::RandomState> {
        // As much will come again: growing step by step would move every entry several times.
        let room = HashMap::with_capacity_and_hasher(self.newest.len(), foldhash::fast::RandomState::default());
        core::mem::replace(&mut self.before, core::mem::replace(&mut self.newest, room))
    }

    /// Entries in the newest generation.
    pub fn newest_len(&self) -> usize {
        self.newest.len()
    }

    /// Entries in both, a key that stands in both counted twice.
    pub fn len(&self) -> usize {
        self.newest.len() + self.before.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty() && self.before.is_empty()
    }

    /// Every key once, with its newest value, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let older = self.before.iter().filter(|(key, _)| !self.newest.contains_key(*key));
        self.newest.iter().chain(older)
    }
}

#[cfg(test)]
mod tests {
    use super::Generations;

    #[test]
    fn a_fact_lives_through_one_turn_and_not_through_two() {
        let mut map = Generations::default();
        map.insert(1, 'a');
        map.insert(2, 'b');
        assert!(map.turn().is_empty());
        map.insert(2, 'c');
        assert_eq!((map.get(&1), map.get(&2), map.len()), (Some(&'a'), Some(&'c'), 3));
        assert_eq!(map.iter().count(), 2);
        assert_eq!(map.turn().len(), 2);
        assert_eq!((map.get(&1), map.get(&2)), (None, Some(&'c')));
        map.turn();
        assert!(map.is_empty());
    }
}
