//! What must follow from an entry, worked out from the oracle's own books; and whether that is what it says.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::effects::Effects;
use domain::ids::LimitId;
use domain::receipt::Seq;

use crate::invariant::{Held, MOVED_AS_ASKED, USAGE_IS_COUNTED, hold};

/// What is used of a limit after an entry: first day of the window, how many, minor units.
pub(super) type UsedNow = (i32, i64, i64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Expect {
    /// Minor units, by debit and credit.
    moves: BTreeMap<(AccountId, AccountId), i64>,
    usage: BTreeMap<(LimitId, u64), UsedNow>,
}

impl Expect {
    /// So much moves; nothing is no movement.
    pub(super) fn moves(&mut self, debit: AccountId, credit: AccountId, minor: i64) {
        if minor > 0 {
            *self.moves.entry((debit, credit)).or_default() += minor;
        }
    }

    /// So much is used of a limit.
    pub(super) fn uses(&mut self, limit: LimitId, subject: u64, used: UsedNow) {
        self.usage.insert((limit, subject), used);
    }

    /// Whether an entry does this and no more.
    pub(super) fn judge(&self, seq: Seq, what: &str, effects: &Effects) -> Held {
        let mut moved: BTreeMap<(AccountId, AccountId), i64> = BTreeMap::new();
        for transfer in &effects.transfers {
            *moved.entry((transfer.debit, transfer.credit)).or_default() += transfer.amount.minor();
        }
        hold(moved == self.moves, MOVED_AS_ASKED, || {
            format!("entry {seq}, {what}: it moves {moved:?}, due is {:?}", self.moves)
        })?;
        let told = effects
            .usage
            .iter()
            .map(|used| ((used.limit, used.subject), (used.start.days(), i64::from(used.count), used.total_minor)));
        let told: BTreeMap<(LimitId, u64), UsedNow> = told.collect();
        hold(told == self.usage && told.len() == effects.usage.len(), USAGE_IS_COUNTED, || {
            format!("entry {seq}, {what}: used of limits is {told:?}, counted is {:?}", self.usage)
        })
    }
}
