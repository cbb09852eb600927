//! How a bind is: for `doctor`, metrics and tests.
//!
//! Guarantees: cheap to clone and to read, never waits; holds no number, text or password.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

/// Where a bind is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Connecting, or waiting to connect again.
    Away,
    /// Bound since then.
    Bound(Instant),
    /// Stopped; it does not come back.
    Stopped,
}

/// What a bind has counted since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Binds that succeeded.
    pub binds: u64,
    /// Connections that failed, were refused or were lost.
    pub losses: u64,
    /// Messages sent to the SMSC, screens included.
    pub submitted: u64,
    /// Messages that the SMSC took.
    pub accepted: u64,
    /// Messages refused for now or for good.
    pub refused: u64,
    /// Answers "slower".
    pub throttled: u64,
    /// Messages without an answer in time.
    pub timed_out: u64,
    /// Receipts that were taken over.
    pub receipts: u64,
    /// Deliveries that the SMSC was asked to repeat.
    pub put_off: u64,
    /// Turns of USSD sessions.
    pub turns: u64,
    /// Deliveries that were for nobody: SMS from phones, vendors' operations.
    pub ignored: u64,
    /// Answers to nothing that was asked: late, doubled or made up.
    pub stray: u64,
    /// PDUs that could not be read.
    pub unreadable: u64,
}

/// One of [`Counts`].
#[derive(Clone, Copy)]
pub(crate) enum Count {
    Binds,
    Losses,
    Submitted,
    Accepted,
    Refused,
    Throttled,
    TimedOut,
    Receipts,
    PutOff,
    Turns,
    Ignored,
    Stray,
    Unreadable,
}

/// As many as there are in [`Count`].
const COUNTS: usize = 13;

struct Inner {
    phase: watch::Sender<Phase>,
    trouble: Mutex<Option<String>>,
    in_flight: AtomicU64,
    window: AtomicU64,
    counts: [AtomicU64; COUNTS],
}

/// See the module.
#[derive(Clone)]
pub struct Status(Arc<Inner>);

impl Status {
    pub(crate) fn new(window: u16) -> Self {
        Self(Arc::new(Inner {
            phase: watch::Sender::new(Phase::Away),
            trouble: Mutex::default(),
            in_flight: AtomicU64::new(0),
            window: AtomicU64::new(u64::from(window)),
            counts: Default::default(),
        }))
    }

    /// Where the bind is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Whether messages can be submitted now.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        matches!(self.phase(), Phase::Bound(_))
    }

    /// Waits until the bind is as asked, or stopped.
    pub async fn until(&self, wanted: impl FnMut(&Phase) -> bool) {
        let mut wanted = wanted;
        let mut phase = self.0.phase.subscribe();
        // The sender lives as long as `self`.
        let _ = phase.wait_for(|phase| wanted(phase) || *phase == Phase::Stopped).await;
    }

    /// What went wrong last, and what to do about it; `None` while nothing has. It stays after the bind recovers.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Messages without an answer yet.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// Messages that may be without an answer now: fewer than configured after the SMSC said "slower".
    #[must_use]
    pub fn window(&self) -> u64 {
        self.0.window.load(Ordering::Relaxed)
    }

    /// The counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let [
            binds,
            losses,
            submitted,
            accepted,
            refused,
            throttled,
            timed_out,
            receipts,
            put_off,
            turns,
            ignored,
            stray,
            unreadable,
        ] = self.0.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Counts {
            binds,
            losses,
            submitted,
            accepted,
            refused,
            throttled,
            timed_out,
            receipts,
            put_off,
            turns,
            ignored,
            stray,
            unreadable,
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.0.phase.send_replace(phase);
    }

    pub(crate) fn set_trouble(&self, trouble: String) {
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    pub(crate) fn set_flight(&self, in_flight: usize, window: u16) {
        self.0.in_flight.store(u64::try_from(in_flight).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.0.window.store(u64::from(window), Ordering::Relaxed);
    }

    pub(crate) fn count(&self, count: Count) {
        if let Some(count) = self.0.counts.get(count as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Counts, Status};

    #[test]
    fn every_count_has_its_own_place() {
        let status = Status::new(10);
        status.count(Count::Binds);
        status.count(Count::Unreadable);
        status.count(Count::Unreadable);
        assert_eq!(status.counts(), Counts { binds: 1, unreadable: 2, ..Counts::default() });
        assert_eq!((status.in_flight(), status.window(), status.trouble()), (0, 10, None));
    }
}
