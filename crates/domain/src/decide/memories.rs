//! When what is remembered for a while is forgotten: with the first thing to be remembered after everything in the older
//! generation is past every window; a limit, with the first thing that is done after all of its windows.

use crate::effects::{Change, UsageAfter};
use crate::ids::LimitId;
use crate::memory::{Memory, REPEAT_GENERATION_MS, REPEATS_SOON, Turns};
use crate::rules::limit::Subject;
use crate::state::{LimitRow, State};
use crate::time::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// A window is counted in dates and a generation in time: a day more covers summer time and a zone that skips a date.
const DAYS_SPARE: i64 = 1;

/// The generations that begin with what a draft remembers, and the limit that is forgotten with it.
pub(super) fn turns(
    state: &State,
    at: Timestamp,
    changes: &[Change],
    usage: &[UsageAfter],
) -> impl Iterator<Item = Change> + use<> {
    let gives = |change: &Change| matches!(change, Change::Gave { .. } | Change::Held { .. } | Change::ToppedUp { .. });
    let of_pair =
        |used: &UsageAfter| state.limit(used.limit).is_some_and(|limit| limit.identity.subject == Subject::Pair);
    let repeats = are_repeats_over(state, at) && changes.iter().any(gives);
    let pairs = are_pairs_over(state, at) && usage.iter().any(of_pair);
    let limit = forgotten_limit(state, at, changes, usage);
    // With the last limit on pairs all that was used of any of them is forgotten: nothing would make it grow old.
    let none_on_pairs = limit.is_some_and(|id| is_last_on_pairs(state, id, changes));
    let pairs = if none_on_pairs { 2 } else { usize::from(pairs) };
    core::iter::repeat_n(Memory::Repeats, usize::from(repeats))
        .chain(core::iter::repeat_n(Memory::Pairs, pairs))
        .map(|memory| Change::Turn { memory })
        .chain(limit.map(|id| Change::Limit { id, limit: None }))
}

/// A limit whose windows are all over, one at a time. Not one that the same entry brings back, or gives something back to:
/// a gift on hold may end long after its time, when the server was away.
fn forgotten_limit(state: &State, at: Timestamp, changes: &[Change], usage: &[UsageAfter]) -> Option<LimitId> {
    if state.limits_over_at().is_none_or(|over_at| at < over_at) {
        return None;
    }
    let touched = |id: LimitId| {
        let changed = |change: &Change| matches!(change, Change::Limit { id: known, .. } if *known == id);
        usage.iter().any(|used| used.limit == id) || changes.iter().any(changed)
    };
    let over = |limit: &LimitRow| limit.forget_at().is_some_and(|forget_at| forget_at <= at);
    state.limits().find(|(id, limit)| over(limit) && !touched(*id)).map(|(id, _)| id)
}

/// Whether it is on pairs, and no other limit is, nor comes with these changes.
fn is_last_on_pairs(state: &State, id: LimitId, changes: &[Change]) -> bool {
    let on_pairs = |limit: &LimitRow| limit.identity.subject == Subject::Pair;
    let comes = |change: &Change| matches!(change, Change::Limit { limit: Some(limit), .. } if on_pairs(limit));
    state.limit(id).is_some_and(on_pairs)
        && state.limits().all(|(other, limit)| other == id || !on_pairs(limit))
        && !changes.iter().any(comes)
}

const fn age_ms(turns: &Turns, at: Timestamp) -> i64 {
    at.ms().saturating_sub(turns.at.ms())
}

fn are_repeats_over(state: &State, at: Timestamp) -> bool {
    let age_ms = age_ms(&state.remembered().repeats, at);
    age_ms >= REPEAT_GENERATION_MS || (state.repeats.newest_len() >= REPEATS_SOON && age_ms > repeat_window_ms(state))
}

fn repeat_window_ms(state: &State) -> i64 {
    let windows = state.operators().map(|(_, operator)| operator.rules.standing.repeat_window_s);
    i64::from(windows.max().unwrap_or(0)) * 1000
}

/// Generations of pairs are every operator's, and their dates differ: so they are counted in time.
fn are_pairs_over(state: &State, at: Timestamp) -> bool {
    let days = i64::from(state.remembered().pair_window_days).saturating_add(DAYS_SPARE);
    age_ms(&state.remembered().pairs, at) >= days.saturating_mul(DAY_MS)
}
