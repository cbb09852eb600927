//! Whether dials are slowed down because there is no room to remember more of their ids, and when the log hears of it.
//!
//! Guarantees: the log hears at most once in [`TOLD_EVERY_MS`], and no dial is left out of what it hears in the end.
//!
//! Deliberately not here: clocks (the instants are the monotonic clock's), who is let in (see [`crate::ids`]).

/// Between two lines in the log. As long after the latest dial that was refused, dials are called slowed down.
pub(crate) const TOLD_EVERY_MS: i64 = 60_000;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slowed {
    refused: u64,
    untold: u64,
    latest_ms: Option<i64>,
    told_ms: Option<i64>,
}

impl Slowed {
    /// So many more dials were refused. Gives what the log should hear now: how many since it heard the last time.
    pub(crate) fn note(&mut self, more: u64, now_ms: i64) -> Option<u64> {
        if more > 0 {
            self.refused = self.refused.saturating_add(more);
            self.untold = self.untold.saturating_add(more);
            self.latest_ms = Some(now_ms);
        }
        let may_tell = self.told_ms.is_none_or(|told_ms| now_ms.saturating_sub(told_ms) >= TOLD_EVERY_MS);
        if self.untold == 0 || !may_tell {
            return None;
        }
        self.told_ms = Some(now_ms);
        Some(core::mem::take(&mut self.untold))
    }

    /// How many dials were refused so far.
    pub(crate) const fn refused(&self) -> u64 {
        self.refused
    }

    /// Whether one was refused a short while ago.
    pub(crate) fn is_now(&self, now_ms: i64) -> bool {
        self.latest_ms.is_some_and(|latest_ms| now_ms.saturating_sub(latest_ms) < TOLD_EVERY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Slowed, TOLD_EVERY_MS};

    #[test]
    fn the_log_hears_of_every_dial_and_not_too_often() {
        let mut slowed = Slowed::default();
        assert_eq!((slowed.note(0, 5), slowed.is_now(5)), (None, false));
        let mut told = Vec::new();
        for now_ms in (0..2 * TOLD_EVERY_MS).step_by(1_000) {
            told.extend(slowed.note(2, now_ms));
        }
        assert_eq!(told, [2, 120], "at once, and a minute later what came meanwhile");
        assert_eq!(slowed.note(0, 2 * TOLD_EVERY_MS), Some(118), "also when it is over");
        assert_eq!(slowed.note(0, 9 * TOLD_EVERY_MS), None);
        assert_eq!(slowed.refused(), 240);
        assert!(slowed.is_now(3 * TOLD_EVERY_MS - 1_001) && !slowed.is_now(3 * TOLD_EVERY_MS - 1_000));
    }
}
