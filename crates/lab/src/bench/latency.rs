//! Answer times: collected by every caller for itself, merged at the end, read as percentiles.

use std::time::Duration;

/// Answer times in µs.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    us: Vec<u32>,
}

impl Latencies {
    pub(super) fn add(&mut self, took: Duration) {
        self.us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.us.extend(other.us);
    }

    /// The time that `per_mille` of a thousand answers took at most, µs.
    pub(super) fn at(&mut self, per_mille: usize) -> u64 {
        self.us.sort_unstable();
        let at = (self.us.len() * per_mille / 1000).min(self.us.len().saturating_sub(1));
        self.us.get(at).copied().map_or(0, u64::from)
    }
}
