//! When what is remembered for a while is forgotten: with the first thing to be remembered after everything in the older
//! generation is past every window.

use crate::memory::{Memory, REPEAT_GENERATION_MS, REPEATS_SOON, Turns};
use crate::rules::limit::Subject;
use crate::state::State;
use crate::time::Timestamp;
use crate::verdict::{Change, UsageAfter};

const DAY_MS: i64 = 86_400_000;
/// A window is counted in dates and a generation in time: a day more covers summer time and a zone that skips a date.
const DAYS_SPARE: i64 = 1;

/// The generations that begin with what is remembered now.
pub(super) fn turns(
    (state, at): (&State, Timestamp),
    changes: &[Change],
    usage: &[UsageAfter],
) -> impl Iterator<Item = Change> + use<> {
    let gives = |change: &Change| matches!(change, Change::Gave | Change::Repeat { undone: false, .. });
    let limits = state.limits();
    let of_pair =
        |used: &UsageAfter| limits.get(usize::from(used.limit.0)).is_some_and(|limit| limit.subject == Subject::Pair);
    let repeats = are_repeats_over(state, at) && changes.iter().any(gives);
    let pairs = are_pairs_over(state, at) && usage.iter().any(of_pair);
    [repeats.then_some(Memory::Repeats), pairs.then_some(Memory::Pairs)]
        .into_iter()
        .flatten()
        .map(|memory| Change::Turn { memory })
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
