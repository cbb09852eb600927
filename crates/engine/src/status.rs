//! How the engine does, for anybody at any time: the decider's thread writes it down, and nobody asks that thread.
//!
//! Guarantees: what it says of the state is durable, and is written before the answers of its batch leave, so that whoever
//! heard of an entry finds it counted. Reading never waits for a disk or for the decider.
//!
//! Bounded by the operators.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::state::State;
use domain::time::BusinessDate;

use crate::answer::{Closed, Directory, StatusView};
use crate::ids::{Ids, IdsKept};
use crate::journal::Head;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Status {
    now: Mutex<Now>,
}

#[derive(Clone, Debug, Default)]
struct Now {
    /// Operators' names are in the directory.
    view: StatusView,
    dates: Vec<BusinessDate>,
    ids_kept: IdsKept,
}

impl Status {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything up to `head` is durable, and these belong to it.
    pub(crate) fn publish(&self, head: Head, state: &State, ids: &Ids) {
        let (subscribers, cards) = state.rows();
        let mut now = self.lock();
        now.dates.clear();
        now.dates.extend(state.operators().map(|(_, operator)| operator.date));
        let view = &mut now.view;
        (view.seq, view.at) = (head.seq, head.at);
        (view.subscribers, view.cards) = (subscribers, cards);
        (view.ids, view.ussd_ids) = ids.lens();
        view.ids_floor = ids.floor();
        view.pair_usage = state.usage_len().1;
        now.ids_kept = ids.kept();
    }

    /// Whether intake is closed, and why.
    pub(crate) fn set_closed(&self, closed: Option<Closed>) {
        self.lock().view.closed = closed;
    }

    /// How many dials found no room for their ids since the start, and whether one did just now.
    pub(crate) fn set_refused(&self, refused: u64, is_slowed: bool) {
        let view = &mut self.lock().view;
        (view.ussd_ids_refused, view.is_slowed) = (refused, is_slowed);
    }

    /// Which ids are remembered as of the latest durable entry.
    pub(crate) fn ids_kept(&self) -> IdsKept {
        self.lock().ids_kept
    }

    /// All of it.
    pub(crate) fn view(&self, directory: &Directory) -> StatusView {
        let now = self.lock().clone();
        let names = directory.operators.iter().map(|rules| rules.operator.clone());
        StatusView { operators: names.zip(now.dates).collect(), ..now.view }
    }
}
