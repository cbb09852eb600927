//! How long to wait before connecting again.

use std::hash::BuildHasher;
use std::time::Duration;

/// Waits that double, shortened by up to a half, so that many of us don't come back at the same instant.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    /// A connection that lasted so long was a good one: the waits start over.
    stable: Duration,
    failures: u32,
    /// Seeded by the process, so that each draws other waits.
    random: foldhash::quality::RandomState,
    drawn: u64,
}

impl Backoff {
    pub(crate) fn new(min_ms: u32, max_ms: u32, stable: Duration) -> Self {
        let ms = |ms: u32| Duration::from_millis(u64::from(ms));
        let random = foldhash::quality::RandomState::default();
        Self { min: ms(min_ms), max: ms(max_ms), stable, failures: 0, random, drawn: 0 }
    }

    /// The wait after a connection that lasted so long, or after one that could not be made.
    pub(crate) fn wait(&mut self, lasted: Option<Duration>) -> Duration {
        if lasted.is_some_and(|lasted| lasted >= self.stable) {
            self.failures = 0;
        }
        let wait = self.min.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        self.shortened(wait)
    }

    /// The longest wait, after a failure that goes away only when a person does something.
    pub(crate) fn wait_for_somebody(&mut self, lasted: Option<Duration>) -> Duration {
        self.wait(lasted);
        self.shortened(self.max)
    }

    fn shortened(&mut self, wait: Duration) -> Duration {
        self.drawn = self.drawn.wrapping_add(1);
        let half_ms = u64::try_from(wait.as_millis() / 2).unwrap_or_default();
        let less_ms = self.random.hash_one(self.drawn) % (half_ms + 1);
        wait.saturating_sub(Duration::from_millis(less_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    const STABLE: Duration = Duration::from_secs(60);

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_a_stable_minute() {
        let mut backoff = Backoff::new(200, 10_000, STABLE);
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
    fn what_needs_somebody_waits_for_longest_and_counts_as_a_failure() {
        let mut backoff = Backoff::new(200, 10_000, STABLE);
        assert!(backoff.wait_for_somebody(None) >= Duration::from_secs(5));
        let second_ms = backoff.wait(None).as_millis();
        assert!((200..=400).contains(&second_ms), "{second_ms} ms");
    }

    #[test]
    fn two_of_us_wait_for_different_times() {
        let waits = |_| {
            let mut backoff = Backoff::new(10_000, 10_000, STABLE);
            (0..8).map(|_| backoff.wait(None)).collect::<Vec<_>>()
        };
        let all: Vec<_> = (0..8).map(waits).collect();
        assert!(all.iter().any(|waits| waits != &all[0]));
        assert!(all[0].iter().any(|wait| wait != &all[0][0]), "and not for the same one every time");
    }
}
