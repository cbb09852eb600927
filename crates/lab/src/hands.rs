//! The world's clock: time passes when the world says so, and a server's wall clock may go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use engine::clock::Clock;

/// 2022-05-30, ten in the morning in Pyongyang: two days before a month ends.
pub(crate) const BEGIN_MS: i64 = 1_653_868_800_000 + 3_600_000;

/// True time, and by how much the server's wall clock is wrong. Clones show the same.
#[derive(Clone, Debug)]
pub(crate) struct Hands(Arc<[AtomicI64; 2]>);

impl Hands {
    /// At the beginning, right.
    pub(crate) fn new() -> Self {
        Self(Arc::new([AtomicI64::new(BEGIN_MS), AtomicI64::new(0)]))
    }

    /// True time, ms since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.0[0].load(Ordering::Relaxed)
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, ms: i64) {
        self.0[0].fetch_add(ms.max(0), Ordering::Relaxed);
    }

    /// By how much the wall clock is wrong.
    pub(crate) fn wrong_ms(&self) -> i64 {
        self.0[1].load(Ordering::Relaxed)
    }

    /// Sets by how much.
    pub(crate) fn set_wrong_ms(&self, ms: i64) {
        self.0[1].store(ms, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn wall_ms(&self) -> i64 {
        self.now_ms() + self.wrong_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.now_ms()
    }
}
