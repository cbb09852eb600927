//! A map that forgets whole generations: for facts that matter for a while and then never again.
//!
//! Guarantees: an entry stays at least as long as one generation lasts, and is dropped with its generation in one step;
//! nothing is swept one by one; a fact written again moves to the newest generation. No insert moves more than one of
//! [`PARTS`] of the entries: a map of millions that grows in one step keeps whoever inserts waiting for half a second.
//!
//! Bounded by its caller, who says when to [`turn`](Generations::turn).
//! Deliberately not here: time. An entry that outlived its meaning is the reader's to ignore.

use core::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

type Hasher = foldhash::fast::RandomState;

/// Tables of a generation. Each grows by itself: they fill evenly, but not at the same moment.
pub const PARTS: usize = 256;
/// Neither the highest bits of a hash nor the lowest choose a part: tables find their rows by those.
const PART_SHIFT: u32 = 40;

/// One generation.
#[derive(Clone, Debug)]
struct Parts<K, V> {
    tables: Box<[HashTable<(K, V)>; PARTS]>,
    len: usize,
}

impl<K, V> Default for Parts<K, V> {
    fn default() -> Self {
        Self { tables: Box::new(core::array::from_fn(|_| HashTable::new())), len: 0 }
    }
}

#[expect(clippy::indexing_slicing, reason = "a part is eight bits of a hash, and there are 256")]
impl<K: Eq + Hash, V> Parts<K, V> {
    fn get(&self, hash: u64, key: &K) -> Option<&V> {
        self.tables[part_of(hash)].find(hash, |(known, _)| known == key).map(|(_, value)| value)
    }

    fn insert(&mut self, hasher: &Hasher, key: K, value: V) {
        let hash = hasher.hash_one(&key);
        let table = &mut self.tables[part_of(hash)];
        match table.entry(hash, |(known, _)| *known == key, |(known, _)| hasher.hash_one(known)) {
            Entry::Occupied(mut known) => known.get_mut().1 = value,
            Entry::Vacant(place) => {
                place.insert((key, value));
                self.len += 1;
            }
        }
    }

    fn remove(&mut self, hash: u64, key: &K) {
        if let Ok(known) = self.tables[part_of(hash)].find_entry(hash, |(known, _)| known == key) {
            known.remove();
            self.len -= 1;
        }
    }

    fn reserve(&mut self, hasher: &Hasher, more: usize) {
        for table in self.tables.iter_mut() {
            table.reserve(more.div_ceil(PARTS), |(key, _)| hasher.hash_one(key));
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.tables.iter().flat_map(HashTable::iter).map(|(key, value)| (key, value))
    }
}

const fn part_of(hash: u64) -> usize {
    (hash >> PART_SHIFT) as usize % PARTS
}

/// Which of the two generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// The newest.
    Newest,
    /// The one before: the next turn forgets it.
    Before,
}

/// Two generations of a map: the newest and the one before.
#[derive(Clone, Debug)]
pub struct Generations<K, V> {
    newest: Parts<K, V>,
    before: Parts<K, V>,
    hasher: Hasher,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { newest: Parts::default(), before: Parts::default(), hasher: Hasher::default() }
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// The newest value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let hash = self.hasher.hash_one(key);
        self.newest.get(hash, key).or_else(|| self.before.get(hash, key))
    }

    /// The newest value of a key, and how old it is.
    pub fn find(&self, key: &K) -> Option<(&V, Age)> {
        let hash = self.hasher.hash_one(key);
        let newest = self.newest.get(hash, key).map(|value| (value, Age::Newest));
        newest.or_else(|| self.before.get(hash, key).map(|value| (value, Age::Before)))
    }

    /// Writes to the newest generation.
    pub fn insert(&mut self, key: K, value: V) {
        self.newest.insert(&self.hasher, key, value);
    }

    /// Writes to a generation: for building the map again as it was.
    pub fn put(&mut self, age: Age, key: K, value: V) {
        match age {
            Age::Newest => self.newest.insert(&self.hasher, key, value),
            Age::Before => self.before.insert(&self.hasher, key, value),
        }
    }

    /// Forgets one key, whatever its generation.
    pub fn remove(&mut self, key: &K) {
        let hash = self.hasher.hash_one(key);
        self.newest.remove(hash, key);
        self.before.remove(hash, key);
    }

    /// Makes room in the newest generation for so many more, so that loading them moves next to nothing.
    pub fn reserve(&mut self, more: usize) {
        self.newest.reserve(&self.hasher, more);
    }

    /// Begins a new generation; how many entries were forgotten.
    pub fn turn(&mut self) -> usize {
        // As much will come again: growing step by step would move every entry several times.
        let mut room = Parts::default();
        room.reserve(&self.hasher, self.newest.len);
        core::mem::replace(&mut self.before, core::mem::replace(&mut self.newest, room)).len
    }

    /// Entries in the newest generation.
    pub const fn newest_len(&self) -> usize {
        self.newest.len
    }

    /// Entries in both, a key that stands in both counted twice.
    pub const fn len(&self) -> usize {
        self.newest.len + self.before.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every key once, with its newest value, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.aged().map(|(key, value, _)| (key, value))
    }

    /// Every key once, with its newest value and how old that is, in no order.
    pub fn aged(&self) -> impl Iterator<Item = (&K, &V, Age)> {
        let is_older = |key: &K| self.newest.get(self.hasher.hash_one(key), key).is_none();
        let newest = self.newest.iter().map(|(key, value)| (key, value, Age::Newest));
        let before = self.before.iter().filter(move |(key, _)| is_older(key));
        newest.chain(before.map(|(key, value)| (key, value, Age::Before)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Age, Generations};

    #[test]
    fn a_fact_lives_through_one_turn_and_not_through_two() {
        let mut map = Generations::default();
        map.insert(1, 'a');
        map.insert(2, 'b');
        assert_eq!(map.turn(), 0);
        map.insert(2, 'c');
        assert_eq!((map.get(&1), map.get(&2), map.len()), (Some(&'a'), Some(&'c'), 3));
        assert_eq!(map.iter().count(), 2);
        assert_eq!(map.turn(), 2);
        assert_eq!((map.get(&1), map.get(&2)), (None, Some(&'c')));
        map.turn();
        assert!(map.is_empty());
    }

    #[test]
    fn one_fact_is_forgotten_in_both_generations() {
        let mut map = Generations::default();
        map.insert(1, 'a');
        map.insert(2, 'b');
        map.turn();
        map.insert(1, 'c');
        assert_eq!((map.find(&1), map.find(&2)), (Some((&'c', Age::Newest)), Some((&'b', Age::Before))));
        map.remove(&1);
        map.remove(&1);
        assert_eq!((map.find(&1), map.newest_len(), map.len()), (None, 0, 1), "the older value does not come back");
        map.put(Age::Before, 3, 'd');
        assert_eq!(map.turn(), 2);
        assert!(map.is_empty());
    }

    #[test]
    fn many_facts_in_many_parts() {
        let mut map = Generations::default();
        map.reserve(10_000);
        (0..100_000_u64).for_each(|key| map.insert(key, key));
        (0..50_000).for_each(|key| map.insert(key, key + 1));
        assert_eq!((map.newest_len(), map.len(), map.turn()), (100_000, 100_000, 0));
        (0..25_000).for_each(|key| map.insert(key, key + 2));
        assert_eq!((map.newest_len(), map.len(), map.iter().count()), (25_000, 125_000, 100_000));
        let of = |key: u64| key + if key < 25_000 { 2 } else { u64::from(key < 50_000) };
        assert!((0..100_000).all(|key| map.get(&key) == Some(&of(key))) && map.get(&100_000).is_none());
        assert!(map.iter().all(|(key, value)| *value == of(*key)));
        let parts = map.before.tables.iter().map(|table| table.len());
        assert!(parts.clone().max() < parts.min().map(|least| least * 2), "they fill evenly");
    }
}
