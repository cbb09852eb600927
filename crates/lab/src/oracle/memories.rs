//! What is remembered for a while, counted again: gifts against repetition, and what is used of limits on pairs. Each lives in two
//! generations; a new one begins with the first thing to remember after the newest has lasted long enough, and with nothing else.

use domain::effects::{Change, Effects};
use domain::memory::{Memory, Remembered, Turns};
use domain::receipt::Seq;
use domain::state::State;

use super::limits::Limits;
use super::{At, Oracle};
use crate::calendar::DAY_MS;
use crate::invariant::{Held, MEMORY_ENDS, hold};

/// When a memory's newest generation began, and the entries that began it and the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Generation {
    began_ms: i64,
    from: Seq,
    before: Seq,
    /// Things that were remembered since the older generation began, and since the newest did.
    kept: [usize; 2],
}

impl Generation {
    fn turn(&mut self, at: At<'_>) {
        let [_, newest] = self.kept;
        *self = Self { began_ms: at.ms, from: at.seq, before: self.from, kept: [newest, 0] };
    }

    fn keeps(&mut self, count: usize) {
        self.kept.iter_mut().for_each(|kept| *kept += count);
    }

    /// Whether a state's generations are these.
    fn is(&self, turns: &Turns) -> bool {
        (turns.at.ms(), turns.newest_from, turns.before_from) == (self.began_ms, self.from, self.before)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Memories {
    gifts: Generation,
    pairs: Generation,
}

impl Memories {
    /// Learns from an entry, and judges what it forgets.
    pub(super) fn entry(&mut self, at: At<'_>, effects: &Effects, limits: &Limits) -> Held {
        let gives =
            |change: &&Change| matches!(change, Change::Gave { .. } | Change::Held { .. } | Change::ToppedUp { .. });
        let gifts = effects.changes.iter().filter(gives).count();
        let pairs = effects.usage.iter().filter(|used| limits.is_of_pair(used.limit)).count();
        let pairs_last_ms = (limits.pair_days() + 1) * DAY_MS;
        for (memory, generation, count, lasts_ms) in
            [(Memory::Repeats, &mut self.gifts, gifts, DAY_MS), (Memory::Pairs, &mut self.pairs, pairs, pairs_last_ms)]
        {
            let due = count > 0 && generation.began_ms + lasts_ms <= at.ms;
            // With the last limit on pairs all that was used of any of them is forgotten: both generations.
            let is_last =
                |change: &Change| matches!(change, Change::Limit { id, limit: None } if limits.is_last_on_pairs(*id));
            let ends = memory == Memory::Pairs && effects.changes.iter().any(is_last);
            let due = if ends { 2 } else { usize::from(due) };
            let turns = |change: &&Change| matches!(change, Change::Turn { memory: turned } if *turned == memory);
            let told = effects.changes.iter().filter(turns).count();
            hold(told == due, MEMORY_ENDS, || {
                format!("entry {}: {} turn {told} times after {generation:?}", at.seq, memory.name())
            })?;
            (0..due).for_each(|_| generation.turn(at));
            generation.keeps(count);
        }
        Ok(())
    }

    /// Whether usage of pairs was ever forgotten.
    pub(super) fn pairs_were_forgotten(&self) -> bool {
        self.pairs.before > Seq::ZERO
    }
}

impl Oracle {
    /// What a state remembers is what was to be remembered since its older generations began: no more of it.
    pub(super) fn memories_end(&self, state: &State) -> Held {
        let Remembered { repeats, pairs, pair_window_days } = state.remembered();
        let Memories { gifts: known_gifts, pairs: known_pairs } = &self.memories;
        let same = known_gifts.is(repeats) && known_pairs.is(pairs);
        let days = i64::from(*pair_window_days) == self.limits.pair_days();
        hold(same && days, MEMORY_ENDS, || {
            format!("it is remembered since {:?}, counted is {:?}", state.remembered(), self.memories)
        })?;
        let ((_, pairs), gifts) = (state.usage_len(), state.repeats().count());
        hold(pairs <= known_pairs.kept[0] && gifts <= known_gifts.kept[0], MEMORY_ENDS, || {
            format!("{pairs} pairs and {gifts} gifts are remembered, counted is {:?}", self.memories)
        })
    }
}
