//! How long to wait before connecting again.

use std::hash::BuildHasher;
use std::time::Duration;

/// A connection that lasted so long was a good one: the waits start over.
pub(super) const STABLE: Duration = Duration::from_secs(60);

/// Waits that double, shortened by up to a half, so that many of us don't come back at the same instant.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    /// Seeded by the process, so that each draws other waits.
    random: foldhash::quality::RandomState,
}

impl Backoff {
    pub(super) fn new(min_ms: u32, max_ms: u32) -> Self {
        let ms = |ms: u32| Duration::from_millis(u64::from(ms));
        Self { min: ms(min_ms), max: ms(max_ms), failures: 0, random: foldhash::quality::RandomState::default() }
    }

    /// The wait after a connection that lasted so long, or after one that could not be made.
    pub(super) fn wait(&mut self, lasted: Option<Duration>) -> Duration {
        if lasted.is_some_and(|lasted| lasted >= STABLE) {
            self.failures = 0;
        }
        let wait = self.min.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        let half_ms = u64::try_from(wait.as_millis() / 2).unwrap_or_default();
        let less_ms = self.random.hash_one(self.failures) % (half_ms + 1);
        wait.saturating_sub(Duration::from_millis(less_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, STABLE};
    use std::time::Duration;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_a_stable_minute() {
        let mut backoff = Backoff::new(200, 10_000);
        let mut expected_ms = 200;
        for _ in 0..100 {
            let wait = backoff.wait(None);
            assert!((expected_ms / 2..=expected_ms).contains(&wait.as_millis()), "{wait:?} of {expected_ms} ms");
            expected_ms = (expected_ms * 2).min(10_000);
        }
        let short = backoff.wait(Some(STABLE.saturating_sub(Duration::from_millis(1))));
        assert!(short >= Duration::from_secs(5), "a connection that comes and goes is none");
        assert!(backoff.wait(Some(STABLE)) <= Duration::from_millis(200));
    }

    #[test]
    fn two_of_us_wait_for_different_times() {
        let waits = |_| {
            let mut backoff = Backoff::new(10_000, 10_000);
            (0..8).map(|_| backoff.wait(None)).collect::<Vec<_>>()
        };
        let all: Vec<_> = (0..8).map(waits).collect();
        assert!(all.iter().any(|waits| waits != &all[0]));
    }
}
