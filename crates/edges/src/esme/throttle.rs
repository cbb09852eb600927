//! How fast a bind may send: the window, the contract's ceiling, and what the SMSC said of both.
//!
//! Guarantees: after "slower" nothing is sent for the rest that it takes, then one message at a time; each window of
//! messages that is taken makes room for one more. The rest doubles while the SMSC goes on saying "slower" to what was
//! sent after it, up to [`DOUBLINGS_MAX`] times; several such answers to one window count once. Time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// A rest is at most 2^5 = 32 times the first one.
const DOUBLINGS_MAX: u32 = 5;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    window_max: u16,
    window: u16,
    /// Taken by the SMSC since the window last changed.
    taken: u16,
    rest: Duration,
    doublings: u32,
    /// When the SMSC last said "slower"; what was sent before says nothing new.
    slower_at: Option<Instant>,
    resting_until: Option<Instant>,
    /// Between two messages, at least.
    spacing: Duration,
    next_at: Option<Instant>,
}

impl Throttle {
    pub(crate) fn new(window_max: u16, rest: Duration, per_s_max: Option<u32>) -> Self {
        let spacing = per_s_max.map_or(Duration::ZERO, |per_s| Duration::from_secs(1) / per_s.max(1));
        Self {
            window_max,
            window: window_max,
            taken: 0,
            rest,
            doublings: 0,
            slower_at: None,
            resting_until: None,
            spacing,
            next_at: None,
        }
    }

    pub(crate) const fn window(&self) -> u16 {
        self.window
    }

    /// When the next message may leave as far as time is concerned; `None`: now.
    pub(crate) fn opens_at(&self, now: Instant) -> Option<Instant> {
        self.resting_until.max(self.next_at).filter(|at| now < *at)
    }

    pub(crate) fn sent(&mut self, now: Instant) {
        // From the planned instant where there is one, so that late timers don't add up to a slower rate.
        let from = self.next_at.filter(|at| now.duration_since(*at) < self.spacing).unwrap_or(now);
        self.next_at = Some(from + self.spacing);
    }

    /// The SMSC took a message that was sent then.
    pub(crate) fn taken(&mut self, sent_at: Instant) {
        if self.slower_at.is_some_and(|at| sent_at <= at) {
            return;
        }
        self.doublings = 0;
        self.taken = self.taken.saturating_add(1);
        if self.window < self.window_max && self.window <= self.taken {
            self.window += 1;
            self.taken = 0;
        }
    }

    /// The SMSC said "slower" to a message that was sent then; how long the bind rests.
    pub(crate) fn slower(&mut self, sent_at: Instant, now: Instant) -> Duration {
        if self.slower_at.is_none_or(|at| at < sent_at) {
            let rest = self.rest * 2_u32.pow(self.doublings);
            self.doublings = (self.doublings + 1).min(DOUBLINGS_MAX);
            self.slower_at = Some(now);
            self.resting_until = Some(now + rest);
            (self.window, self.taken) = (1, 0);
        }
        self.resting_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::Throttle;
    use std::time::Duration;
    use tokio::time::Instant;

    const REST: Duration = Duration::from_millis(100);

    #[test]
    fn a_rest_then_one_by_one() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut throttle = Throttle::new(3, REST, None);
        assert_eq!((throttle.window(), throttle.opens_at(at(0))), (3, None));
        assert_eq!(throttle.slower(at(0), at(10)), REST);
        assert_eq!(throttle.slower(at(1), at(20)), Duration::from_millis(90), "of the same window: no second rest");
        throttle.taken(at(2));
        assert_eq!((throttle.window(), throttle.opens_at(at(109))), (1, Some(at(110))));
        assert_eq!(throttle.opens_at(at(110)), None);
        throttle.taken(at(110));
        assert_eq!(throttle.window(), 2);
        throttle.taken(at(111));
        assert_eq!(throttle.window(), 2);
        throttle.taken(at(112));
        throttle.taken(at(113));
        throttle.taken(at(114));
        throttle.taken(at(115));
        assert_eq!(throttle.window(), 3, "never more than configured");
    }

    #[test]
    fn rests_double_and_end() {
        let mut now = Instant::now();
        let mut throttle = Throttle::new(1, REST, None);
        for factor in [1, 2, 4, 8, 16, 32, 32, 32] {
            now += Duration::from_secs(60);
            assert_eq!(throttle.slower(now, now), REST * factor);
        }
        throttle.taken(now + Duration::from_secs(1));
        now += Duration::from_secs(60);
        assert_eq!(throttle.slower(now, now), REST, "taken in between");
    }

    #[test]
    fn a_ceiling_of_ten_a_second() {
        let start = Instant::now();
        let mut throttle = Throttle::new(10, REST, Some(10));
        let mut now = start;
        for _ in 0..10 {
            now = throttle.opens_at(now).unwrap_or(now);
            throttle.sent(now);
        }
        assert_eq!(now - start, Duration::from_millis(900));
        let late = now + Duration::from_millis(150);
        throttle.sent(late);
        assert_eq!(throttle.opens_at(late), Some(now + Duration::from_millis(200)), "late by half a step");
        let idle = late + Duration::from_secs(60);
        throttle.sent(idle);
        assert_eq!(throttle.opens_at(idle), Some(idle + REST), "an idle minute is no credit");
    }
}
