//! How a bind is: for `doctor`, metrics and tests.
//!
//! Guarantees: cheap to clone and to read, never waits; holds no number, text or password.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::kit::counters::counters;

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

counters! {
    /// What a bind has counted since the process began.
    pub Counts {
        /// Binds that succeeded.
        binds,
        /// Connections that failed, were refused or were lost.
        losses,
        /// Messages sent to the SMSC, screens included.
        submitted,
        /// Messages that the SMSC took.
        accepted,
        /// Messages refused for now or for good.
        refused,
        /// Answers "slower".
        throttled,
        /// Messages without an answer in time.
        timed_out,
        /// Receipts that were taken over.
        receipts,
        /// Deliveries that the SMSC was asked to repeat.
        put_off,
        /// Turns of USSD sessions.
        turns,
        /// Deliveries that were for nobody: SMS from phones, vendors' operations.
        ignored,
        /// Answers to nothing that was asked: late, doubled or made up.
        stray,
        /// PDUs that could not be read.
        unreadable,
    }
}

struct Inner {
    phase: watch::Sender<Phase>,
    trouble: Mutex<Option<String>>,
    in_flight: AtomicU64,
    window: AtomicU64,
    counters: Counters,
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
            counters: Counters::default(),
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
        self.0.counters.read()
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
        self.0.counters.add(count, 1);
    }
}
