//! Marks of verdicts whose screen the peer is known to have shown, so that the sender gets no SMS as well.
//!
//! Guarantees: marks live in memory only, so that a crash errs towards telling twice. Bounded by: [`Told::new`]'s ceiling;
//! beyond it the oldest mark is forgotten. Deliberately not here: who may mark; GSUP can't confirm a delivery and never does.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use domain::receipt::Seq;

/// Marks kept unless said otherwise: at 30,000 a second the newest half minute.
pub const TOLD_MAX: usize = 1 << 20;

#[derive(Debug, Default)]
struct Marks {
    marked: HashSet<Seq, foldhash::fast::RandomState>,
    order: VecDeque<Seq>,
}

/// See the module.
#[derive(Debug)]
pub struct Told {
    marks_max: usize,
    marks: Mutex<Marks>,
}

impl Told {
    /// No marks yet, and never more than `marks_max`.
    pub fn new(marks_max: usize) -> Self {
        Self { marks_max, marks: Mutex::default() }
    }

    /// Says that the screen about this verdict was shown.
    pub fn mark(&self, seq: Seq) {
        let mut marks = self.lock();
        if self.marks_max == 0 || !marks.marked.insert(seq) {
            return;
        }
        marks.order.push_back(seq);
        if marks.order.len() > self.marks_max
            && let Some(oldest) = marks.order.pop_front()
        {
            marks.marked.remove(&oldest);
        }
    }

    /// Says that it was not shown after all.
    pub fn unmark(&self, seq: Seq) {
        // Its place in the order stays: marked again, it is forgotten a little sooner.
        self.lock().marked.remove(&seq);
    }

    /// Whether it was.
    pub fn is_told(&self, seq: Seq) -> bool {
        self.lock().marked.contains(&seq)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Marks> {
        // A panic elsewhere can leave one mark too many in `marked`, which costs a few octets.
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Told;
    use domain::receipt::Seq;

    #[test]
    fn the_oldest_mark_is_forgotten() {
        let told = Told::new(2);
        for seq in [1, 2, 2, 3] {
            told.mark(Seq(seq));
        }
        assert_eq!([1, 2, 3].map(|seq| told.is_told(Seq(seq))), [false, true, true]);
        told.unmark(Seq(3));
        assert_eq!([1, 2, 3].map(|seq| told.is_told(Seq(seq))), [false, true, false]);
    }
}
