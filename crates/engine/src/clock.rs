//! The clock as a port, and the guard that stands before every use of it.
//!
//! Guarantees: the instants it gives never run backwards; a step of the wall clock against the monotonic one, or a gap
//! to the latest entry, closes intake until the clock is right again or an operator accepts it. One jump to 2036 would
//! otherwise pin every later business date. Deadlines go by [`Steady`], which no such step moves either: whoever waits a
//! second by a clock that is ten years ahead waits ten years once it is set right.

use core::sync::atomic::{AtomicI64, Ordering};

use domain::time::Timestamp;

use crate::answer::Closed;

/// Where time comes from.
pub trait Clock: Send {
    /// The wall clock, ms since 1970-01-01T00:00Z.
    fn wall_ms(&self) -> i64;
    /// A clock that only ever advances, ms since any beginning.
    fn monotonic_ms(&self) -> i64;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: std::time::Instant,
}

impl SystemClock {
    /// The machine's clocks.
    pub fn new() -> Self {
        Self { began: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the port that the ban points to")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// How far clocks may disagree.
#[derive(Clone, Copy, Debug)]
pub struct ClockLimits {
    /// Wall against monotonic clock, and backwards against the latest entry, seconds.
    pub clock_step_max_s: u32,
    /// Forwards against the latest entry when starting, hours.
    pub clock_gap_max_h: u32,
}

impl Default for ClockLimits {
    fn default() -> Self {
        Self { clock_step_max_s: 10, clock_gap_max_h: 24 * 7 }
    }
}

/// Time for deadlines, for every thread: the wall clock while it agrees with the monotonic one, and what it would say now if it
/// had not stepped otherwise.
#[derive(Debug)]
pub struct Steady {
    /// Wall clock less monotonic clock, ms, when they were last trusted; [`Steady::UNKNOWN`]: there was nothing to trust yet.
    ahead_ms: AtomicI64,
    step_max_ms: i64,
}

impl Steady {
    const UNKNOWN: i64 = i64::MIN;

    /// Trusts the clocks of a start, or goes on from the latest entry.
    pub fn new(guard: &ClockGuard) -> Self {
        let steady = Self { ahead_ms: AtomicI64::new(Self::UNKNOWN), step_max_ms: guard.step_max_ms() };
        steady.follow(guard);
        steady
    }

    /// Trusts what the guard trusts.
    pub fn follow(&self, guard: &ClockGuard) {
        self.ahead_ms.store(guard.ahead_ms.unwrap_or(Self::UNKNOWN), Ordering::Relaxed);
    }

    /// Now, ms since 1970.
    pub fn now_ms(&self, clock: &(impl Clock + ?Sized)) -> i64 {
        let ahead_ms = self.ahead_ms.load(Ordering::Relaxed);
        steady(clock, Some(ahead_ms).filter(|known| *known != Self::UNKNOWN), self.step_max_ms)
    }
}

fn steady(clock: &(impl Clock + ?Sized), ahead_ms: Option<i64>, step_max_ms: i64) -> i64 {
    let wall = clock.wall_ms();
    let Some(ahead_ms) = ahead_ms else { return wall };
    let trusted = clock.monotonic_ms().saturating_add(ahead_ms);
    if wall.abs_diff(trusted) <= step_max_ms.unsigned_abs() { wall } else { trusted }
}

/// Gives instants that can be trusted, or says why not.
pub struct ClockGuard {
    clock: Box<dyn Clock>,
    limits: ClockLimits,
    /// The latest instant that was given, or the latest entry's.
    latest: Timestamp,
    /// Wall and monotonic clock when they were last trusted; `None`: not since the start.
    trusted: Option<(i64, i64)>,
    /// See [`Steady`].
    ahead_ms: Option<i64>,
    accepted: bool,
}

impl ClockGuard {
    /// A guard for a journal whose latest entry has the instant `latest`; `None` when it has none.
    pub fn new(clock: Box<dyn Clock>, limits: ClockLimits, latest: Option<Timestamp>) -> Self {
        let (wall, monotonic) = (clock.wall_ms(), clock.monotonic_ms());
        let accepted = latest.is_none();
        let mut guard =
            Self { clock, limits, latest: latest.unwrap_or_default(), trusted: None, ahead_ms: None, accepted };
        let begins = if guard.plausible(wall, monotonic) { wall } else { guard.latest.ms() };
        guard.ahead_ms = latest.map(|_| begins.saturating_sub(monotonic));
        guard
    }

    fn step_max_ms(&self) -> i64 {
        i64::from(self.limits.clock_step_max_s) * 1000
    }

    /// Takes the clock as it is now, once: an operator looked at it.
    pub const fn accept(&mut self) {
        self.accepted = true;
    }

    /// The instant of a batch.
    ///
    /// # Errors
    /// [`Closed::Clock`] while the clock can't be trusted.
    pub fn stamp(&mut self) -> Result<Timestamp, Closed> {
        let (wall, monotonic) = (self.clock.wall_ms(), self.clock.monotonic_ms());
        if !self.accepted && !self.plausible(wall, monotonic) {
            return Err(Closed::Clock);
        }
        self.accepted = false;
        self.trusted = Some((wall, monotonic));
        self.ahead_ms = Some(wall.saturating_sub(monotonic));
        self.latest = self.latest.max(Timestamp::from_ms(wall));
        Ok(self.latest)
    }

    fn plausible(&self, wall: i64, monotonic: i64) -> bool {
        let step_max_ms = self.step_max_ms();
        match self.trusted {
            Some((wall_then, monotonic_then)) => {
                (wall - wall_then).abs_diff(monotonic - monotonic_then) <= step_max_ms.unsigned_abs()
            }
            None => {
                let gap_max_ms = i64::from(self.limits.clock_gap_max_h) * 3_600_000;
                let ahead = wall - self.latest.ms();
                (-step_max_ms..=gap_max_ms).contains(&ahead)
            }
        }
    }

    /// Time for deadlines, never before an instant that was given: see [`Steady`].
    pub fn now(&self) -> Timestamp {
        self.latest.max(Timestamp::from_ms(steady(&*self.clock, self.ahead_ms, self.step_max_ms())))
    }
}

impl core::fmt::Debug for ClockGuard {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClockGuard")
            .field("latest", &self.latest)
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::{Clock, ClockGuard, ClockLimits, Steady};
    use crate::answer::Closed;
    use domain::time::Timestamp;

    #[derive(Clone, Default)]
    struct Hands(Arc<(AtomicI64, AtomicI64)>);

    impl Hands {
        fn pass(&self, wall: i64, monotonic: i64) {
            self.0.0.fetch_add(wall, Ordering::Relaxed);
            self.0.1.fetch_add(monotonic, Ordering::Relaxed);
        }
    }

    impl Clock for Hands {
        fn wall_ms(&self) -> i64 {
            self.0.0.load(Ordering::Relaxed)
        }
        fn monotonic_ms(&self) -> i64 {
            self.0.1.load(Ordering::Relaxed)
        }
    }

    const NOW: i64 = 1_795_000_000_000;
    const TEN_YEARS: i64 = 10 * 365 * 86_400_000;

    fn guard(latest: Option<i64>) -> (Hands, ClockGuard) {
        let hands = Hands::default();
        hands.pass(NOW, 5);
        let latest = latest.map(Timestamp::from_ms);
        (hands.clone(), ClockGuard::new(Box::new(hands), ClockLimits::default(), latest))
    }

    #[test]
    fn a_clock_set_to_2036_closes_intake_and_pins_no_date() {
        let (hands, mut guard) = guard(None);
        assert_eq!(guard.stamp(), Ok(Timestamp::from_ms(NOW)));
        hands.pass(TEN_YEARS, 1_000);
        assert_eq!(guard.stamp(), Err(Closed::Clock));
        hands.pass(1_000 - TEN_YEARS, 0);
        assert_eq!(guard.stamp(), Ok(Timestamp::from_ms(NOW + 1_000)), "right again: open again");
    }

    #[test]
    fn deadlines_go_by_what_the_clock_would_say_had_it_not_leapt() {
        let (hands, mut guard) = guard(None);
        let steady = Steady::new(&guard);
        let now = |guard: &ClockGuard, steady: &Steady| {
            steady.follow(guard);
            assert_eq!(guard.now().ms(), guard.latest.ms().max(steady.now_ms(&hands)));
            guard.now().ms() - NOW
        };
        assert_eq!(now(&guard, &steady), 0, "a first start has nothing else to go by");
        guard.stamp().expect("trusted");
        for (wall, monotonic, expected) in
            [(1_000, 1_000, 1_000), (TEN_YEARS, 1_000, 2_000), (60_000, 60_000, 62_000), (-TEN_YEARS, 0, 61_000)]
        {
            hands.pass(wall, monotonic);
            assert_eq!(now(&guard, &steady), expected, "wall {wall}, monotonic {monotonic}");
        }
        // What an operator accepts is time from then on.
        hands.pass(TEN_YEARS, 0);
        guard.accept();
        guard.stamp().expect("accepted");
        assert_eq!(now(&guard, &steady), 61_000 + TEN_YEARS);
    }

    #[test]
    fn after_a_start_with_a_wrong_clock_deadlines_go_on_from_the_latest_entry() {
        let (hands, guard) = guard(Some(NOW - TEN_YEARS));
        hands.pass(5_000, 5_000);
        assert_eq!(guard.now(), Timestamp::from_ms(NOW - TEN_YEARS + 5_000));
        let (hands, guard) = self::guard(Some(NOW - 60_000));
        hands.pass(5_000, 5_000);
        assert_eq!(guard.now(), Timestamp::from_ms(NOW + 5_000), "a minute is no leap");
    }

    #[test]
    fn a_start_far_from_the_latest_entry_needs_an_operator() {
        let (hands, mut early) = guard(Some(NOW - TEN_YEARS));
        assert_eq!(early.stamp(), Err(Closed::Clock));
        early.accept();
        assert_eq!(early.stamp(), Ok(Timestamp::from_ms(NOW)));
        hands.pass(1_000, 1_000);
        assert_eq!(early.stamp(), Ok(Timestamp::from_ms(NOW + 1_000)));
        let (_, mut late) = guard(Some(NOW + 60_000));
        assert_eq!(late.stamp(), Err(Closed::Clock));
    }

    #[test]
    fn a_small_step_back_stands_still() {
        let (hands, mut guard) = guard(Some(NOW));
        assert_eq!(guard.stamp(), Ok(Timestamp::from_ms(NOW)));
        hands.pass(-500, 500);
        assert_eq!(guard.stamp(), Ok(Timestamp::from_ms(NOW)));
    }
}
