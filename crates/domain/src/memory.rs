//! What is remembered for a while: gifts against repetition, and usage of limits on pairs. Both live in two
//! [generations](crate::generations), of which the older is forgotten whole. Usage of any other limit is forgotten with its
//! limit, once that is over and so is every window of it.
//!
//! Guarantees: a generation begins, and a limit is forgotten, by an effect of an entry, so that a replay and a restart forget
//! at the same entry as the decider did. What can still matter to anybody is never forgotten.
//!
//! Bounded by [`REPEAT_GENERATION_MS`], [`REPEATS_SOON`], the longest window of a limit on pairs, and [`LIMIT_SPARE_DAYS`].
//! Deliberately not here: the maps (see [`crate::state`]), when a generation is over (see [`crate::decide`]), command ids (the
//! engine remembers those).

use minicbor::{Decode, Encode};

use crate::generations::Age;
use crate::receipt::Seq;
use crate::time::Timestamp;

/// Gifts and top-ups are remembered for one to two of these: no `repeat_window_s` is longer.
pub const REPEAT_GENERATION_MS: i64 = 86_400_000;
/// Remembered gifts in a generation after which a new one may begin early, once they are past every window.
pub const REPEATS_SOON: usize = 1 << 20;

/// A limit is forgotten so many days after the last window that it may have opened: one covers summer time and a zone that
/// skips a date, the other a gift that is on hold that long.
pub const LIMIT_SPARE_DAYS: i64 = 2;
/// Seconds of a day.
pub(crate) const DAY_S: i64 = 86_400;

/// What is remembered in generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Memory {
    /// Gifts and own top-ups, against repetition.
    #[n(0)]
    Repeats,
    /// Usage of limits on pairs.
    #[n(1)]
    Pairs,
}

impl Memory {
    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repeats => "repeats",
            Self::Pairs => "pairs",
        }
    }
}

/// Where the two generations of a memory begin: what an entry wrote is as old as the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Turns {
    /// When the newest one began.
    #[n(0)]
    pub at: Timestamp,
    /// The entry that began the newest one.
    #[n(1)]
    pub newest_from: Seq,
    /// The entry that began the one before. What was written earlier is forgotten.
    #[n(2)]
    pub before_from: Seq,
}

impl Turns {
    /// After a new generation began with the entry `seq`.
    #[must_use]
    pub const fn next(self, seq: Seq, at: Timestamp) -> Self {
        Self { at, newest_from: seq, before_from: self.newest_from }
    }

    /// In which generation something is that the entry `seq` wrote; `None`: forgotten.
    pub fn age(&self, seq: Seq) -> Option<Age> {
        if seq >= self.newest_from {
            Some(Age::Newest)
        } else if seq >= self.before_from {
            Some(Age::Before)
        } else {
            None
        }
    }
}

/// When the generations of a state turned, and how long those of pairs last: what a checkpoint keeps of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Remembered {
    /// Of gifts and top-ups.
    #[n(0)]
    pub repeats: Turns,
    /// Of usage of limits on pairs.
    #[n(1)]
    pub pairs: Turns,
    /// The longest window of a limit on pairs that was ever loaded, in days.
    #[n(2)]
    pub pair_window_days: i32,
}

impl Remembered {
    /// After a new generation began with the entry `seq`.
    pub const fn turn(&mut self, memory: Memory, seq: Seq, at: Timestamp) {
        match memory {
            Memory::Repeats => self.repeats = self.repeats.next(seq, at),
            Memory::Pairs => self.pairs = self.pairs.next(seq, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, Remembered};
    use crate::generations::Age;
    use crate::receipt::Seq;
    use crate::time::Timestamp;

    #[test]
    fn what_an_entry_wrote_is_as_old_as_the_entry() {
        let mut remembered = Remembered::default();
        assert_eq!(remembered.pairs.age(Seq(1)), Some(Age::Newest));
        remembered.turn(Memory::Pairs, Seq(10), Timestamp::from_ms(5));
        let age = |remembered: &Remembered, seq| remembered.pairs.age(Seq(seq));
        assert_eq!((age(&remembered, 9), age(&remembered, 10)), (Some(Age::Before), Some(Age::Newest)));
        remembered.turn(Memory::Pairs, Seq(20), Timestamp::from_ms(7));
        assert_eq!(
            [9, 10, 19, 20].map(|seq| age(&remembered, seq)),
            [None, Some(Age::Before), Some(Age::Before), Some(Age::Newest)]
        );
        assert_eq!(remembered.pairs.at.ms(), 7);
        assert_eq!(remembered.repeats, Remembered::default().repeats, "the other memory has turns of its own");
    }
}
