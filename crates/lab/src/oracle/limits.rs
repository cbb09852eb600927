//! Limits by the oracle's own calendar: every gift ever counted is kept, and windows are counted through from the start.

use std::collections::BTreeMap;

use domain::ids::{CardId, LimitId, OperatorId, SubscriberId};
use domain::receipt::Seq;
use domain::rules::limit::{Kind, Measure, Subject, Window};
use domain::rules::{Limit, LimitName, Period, Rules};
use domain::state::{LimitIdentity, LimitRow};

use super::At;
use super::expect::UsedNow;
use crate::calendar::{Calendar, first_of_month, next_month};
use crate::invariant::{Held, JOURNAL_KEEPS, MEMORY_ENDS, NO_LIMIT_EXCEEDED, hold};

/// Between whom, and from which card.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties {
    pub(super) operator: OperatorId,
    pub(super) kind: Kind,
    pub(super) from: SubscriberId,
    pub(super) to: SubscriberId,
    pub(super) card: CardId,
}

/// What makes a limit the same after another load: operator, name, and what it counts of whom in which window. Its ceiling, its
/// measure and its dates may change: what was used of it counts on.
type Identity = (u8, String, Kind, u8, Window);

/// A use of a limit.
#[derive(Clone, Copy, Debug)]
struct Use {
    seq: Seq,
    day: i32,
    minor: i64,
    /// It was taken back: it opened its window all the same, and counts for nothing.
    back: bool,
}

/// A limit's row and whose it is of.
pub(super) type Row = (LimitId, u64);

/// Everything that ever counted.
#[derive(Debug, Default)]
pub(super) struct Limits {
    rows: BTreeMap<LimitId, Identity>,
    uses: BTreeMap<Row, Vec<Use>>,
    /// The longest window of a limit on pairs that was ever loaded, days.
    pair_days: i64,
}

/// What is used of a limit today, and the first day on which it counts anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) start: i32,
    pub(super) count: i64,
    pub(super) total: i64,
    pub(super) anew: i32,
}

impl Limits {
    /// Learns which rows the limits of loaded rules have: a row is a limit's for ever, and a limit has one.
    pub(super) fn learn(&mut self, seq: Seq, operator: OperatorId, rules: &Rules) -> Held {
        // A limit that is over before anything of it counted has no row.
        for limit in rules.limits().filter(|limit| limit.id != LimitId::NONE) {
            let identity = identity(operator, limit);
            let other = self.rows.iter().find(|(id, known)| (**id == limit.id) != (**known == identity));
            hold(other.is_none(), JOURNAL_KEEPS, || {
                format!("entry {seq} gives row {} of limits to {identity:?}, there is {other:?}", limit.id.0)
            })?;
            self.rows.insert(limit.id, identity);
            if limit.subject == Subject::Pair {
                self.pair_days = self.pair_days.max(days_at_most(limit.window));
            }
        }
        Ok(())
    }

    /// Counts a gift or top-up that was done, and judges it; what is used of each limit then.
    pub(super) fn count(
        &mut self,
        seq: Seq,
        period: &Period,
        at_ms: i64,
        parties: Parties,
        minor: i64,
    ) -> Result<Vec<(Row, UsedNow)>, crate::invariant::Broken> {
        let today = Calendar::of(parties.operator).date(at_ms);
        let mut after = Vec::new();
        for limit in in_force(period, at_ms, parties.kind) {
            let row = self.row(limit, parties)?;
            let seen = after.iter().any(|(known, _)| *known == row);
            let history = self.uses.entry(row).or_default();
            // Two ceilings of one limit, such as a count and a total, are one usage.
            if !seen {
                history.push(Use { seq, day: today, minor, back: false });
            }
            let used = used(history, limit.window, today);
            hold(measured(limit, &used) <= limit.ceiling, NO_LIMIT_EXCEEDED, || {
                format!(
                    "entry {seq} makes {} of {:?}, of {} at most",
                    measured(limit, &used),
                    limit.name,
                    limit.ceiling
                )
            })?;
            if !seen {
                after.push((row, (used.start, used.count, used.total)));
            }
        }
        Ok(after)
    }

    /// A gift is taken back: what is used then of each limit whose latest window it was counted in.
    pub(super) fn take_back(&mut self, gift: Seq, rows: &[Row]) -> Vec<(Row, UsedNow)> {
        let mut after = Vec::new();
        for row in rows {
            let (Some(history), Some((.., window))) = (self.uses.get_mut(row), self.rows.get(&row.0)) else { continue };
            let Some(place) = history.iter().position(|one| one.seq == gift) else { continue };
            let through = |history: &[Use]| used(history, *window, history.last().map_or(0, |one| one.day));
            let then = history.get(..=place).map(through);
            if let Some(one) = history.get_mut(place) {
                one.back = true;
            }
            let now = through(history);
            if then.is_some_and(|then| then.start == now.start) {
                after.push((*row, (now.start, now.count, now.total)));
            }
        }
        after
    }

    /// The limits that so much more would pass, with what would be used of each.
    pub(super) fn passed<'a>(
        &self,
        period: &'a Period,
        at_ms: i64,
        parties: Parties,
        minor: i64,
    ) -> Vec<(&'a LimitName, Used)> {
        let today = Calendar::of(parties.operator).date(at_ms);
        let mut passed = Vec::new();
        for limit in in_force(period, at_ms, parties.kind) {
            let before = self.used(limit, parties, today);
            let with = Used { count: before.count + 1, total: before.total + minor, ..before };
            if measured(limit, &with) > limit.ceiling {
                passed.push((&limit.name, with));
            }
        }
        passed
    }

    /// What the limits on a sender and a card let through today; `None`: there is no such limit.
    pub(super) fn sendable(&self, period: &Period, at_ms: i64, parties: Parties) -> Option<i64> {
        let today = Calendar::of(parties.operator).date(at_ms);
        let of_sender = |limit: &&Limit| matches!(limit.subject, Subject::Sender | Subject::Card);
        let left = in_force(period, at_ms, Kind::Gift).filter(of_sender).map(|limit| {
            let left = (limit.ceiling - measured(limit, &self.used(limit, parties, today))).max(0);
            if limit.measure == Measure::Count { left.saturating_mul(period.amount_max.minor()) } else { left }
        });
        left.min()
    }

    /// Whether a state's rows are those that were learnt, and not forgotten.
    pub(super) fn same_rows<'a>(&self, rows: impl Iterator<Item = (LimitId, &'a LimitRow)>) -> bool {
        let told = rows.map(|(id, LimitRow { identity, .. })| {
            let LimitIdentity { operator, name, kind, subject, window } = identity;
            (id, (operator.0, String::from(name.as_str()), *kind, code(*subject), *window))
        });
        told.eq(self.rows.iter().map(|(id, identity)| (*id, identity.clone())))
    }

    /// A limit is forgotten with all that was used of it: nothing of that may matter to anybody any more.
    pub(super) fn forget(&mut self, at: At<'_>, limit: LimitId) -> Held {
        let Some((operator, .., window)) = self.rows.remove(&limit) else {
            return hold(false, MEMORY_ENDS, || format!("entry {}: limit {} is forgotten twice", at.seq, limit.0));
        };
        let today = i64::from(Calendar::of(OperatorId(operator)).date(at.ms));
        let of_limit = (limit, 0)..=(limit, u64::MAX);
        let latest = self.uses.range(of_limit).flat_map(|(_, uses)| uses).map(|one| one.day).max();
        self.uses.retain(|(known, _), _| *known != limit);
        hold(latest.is_none_or(|day| i64::from(day) + days_at_most(window) <= today), MEMORY_ENDS, || {
            format!("entry {}: limit {} is forgotten on day {today}, used on {latest:?}", at.seq, limit.0)
        })
    }

    /// Whether a limit is the only one on pairs.
    pub(super) fn is_last_on_pairs(&self, limit: LimitId) -> bool {
        self.is_of_pair(limit) && !self.rows.keys().any(|other| *other != limit && self.is_of_pair(*other))
    }

    /// Whether a row is a limit's, and not forgotten.
    pub(super) fn is_known(&self, limit: LimitId) -> bool {
        self.rows.contains_key(&limit)
    }

    /// Whether a row is that of a limit on pairs.
    pub(super) fn is_of_pair(&self, limit: LimitId) -> bool {
        self.rows.get(&limit).is_some_and(|(_, _, _, subject, _)| *subject == code(Subject::Pair))
    }

    /// The longest window of a limit on pairs that was ever loaded, days.
    pub(super) const fn pair_days(&self) -> i64 {
        self.pair_days
    }

    /// The row of a limit and its subject, when rules with it were loaded.
    pub(super) fn row_of(&self, operator: OperatorId, limit: &Limit, subject: u64) -> Option<Row> {
        let identity = identity(operator, limit);
        self.rows.iter().find(|(_, known)| **known == identity).map(|(id, _)| (*id, subject))
    }

    fn row(&self, limit: &Limit, parties: Parties) -> Result<Row, crate::invariant::Broken> {
        self.row_of(parties.operator, limit, subject(limit, parties)).ok_or_else(|| crate::invariant::Broken {
            invariant: NO_LIMIT_EXCEEDED,
            what: format!("limit {:?} is in force, and nothing is counted of it", limit.name),
        })
    }

    fn used(&self, limit: &Limit, parties: Parties, today: i32) -> Used {
        let row = self.row_of(parties.operator, limit, subject(limit, parties));
        let history = row.and_then(|row| self.uses.get(&row)).map_or(&[][..], Vec::as_slice);
        used(history, limit.window, today)
    }
}

fn identity(operator: OperatorId, limit: &Limit) -> Identity {
    (operator.0, String::from(limit.name.as_str()), limit.kind, code(limit.subject), limit.window)
}

const fn code(subject: Subject) -> u8 {
    match subject {
        Subject::Sender => 0,
        Subject::Recipient => 1,
        Subject::Pair => 2,
        Subject::Card => 3,
    }
}

/// How many days a window has at most.
fn days_at_most(window: Window) -> i64 {
    match window {
        Window::BusinessDay => 1,
        Window::CalendarMonth => 31,
        Window::Days(days) => i64::from(days),
    }
}

fn in_force(period: &Period, at_ms: i64, kind: Kind) -> impl Iterator<Item = &Limit> {
    let limits = period.limits.iter();
    limits.filter(move |limit| limit.kind == kind && limit.from.ms() <= at_ms && at_ms < limit.until.ms())
}

const fn measured(limit: &Limit, used: &Used) -> i64 {
    match limit.measure {
        Measure::Count => used.count,
        Measure::Total => used.total,
    }
}

fn subject(limit: &Limit, parties: Parties) -> u64 {
    let (from, to) = (u64::from(parties.from.0), u64::from(parties.to.0));
    match limit.subject {
        Subject::Sender => from,
        Subject::Recipient => to,
        Subject::Pair => from * (1 << 32) + to,
        Subject::Card => u64::from(parties.card.0),
    }
}

/// What of a history falls into the window of today.
fn used(history: &[Use], window: Window, today: i32) -> Used {
    let (start, anew) = match window {
        Window::BusinessDay => (today, today + 1),
        Window::CalendarMonth => (first_of_month(today), next_month(today)),
        Window::Days(days) => {
            // A window opens with the first use after the one before ended.
            let days = i32::from(days);
            let mut opened = None;
            for one in history {
                opened = opened.filter(|open| one.day < open + days).or(Some(one.day));
            }
            let opened = opened.filter(|open| today < open + days).unwrap_or(today);
            (opened, opened + days)
        }
    };
    let counts = history.iter().filter(|one| !one.back && start <= one.day && one.day < anew);
    let (count, total) = counts.fold((0, 0), |(count, total), one| (count + 1, total + one.minor));
    Used { start, count, total, anew }
}

#[cfg(test)]
mod tests {
    use super::{Use, Used, used};
    use domain::receipt::Seq;
    use domain::rules::limit::Window;

    fn history(uses: &[(i32, i64)]) -> Vec<Use> {
        uses.iter().map(|(day, minor)| Use { seq: Seq(1), day: *day, minor: *minor, back: false }).collect()
    }

    #[test]
    fn windows_of_days_open_with_a_use() {
        let history = history(&[(10, 1), (12, 2), (15, 4), (16, 8)]);
        let in_five = |today| used(&history, Window::Days(5), today);
        assert_eq!(in_five(16), Used { start: 15, count: 2, total: 12, anew: 20 });
        assert_eq!(in_five(20), Used { start: 20, count: 0, total: 0, anew: 25 });
        assert_eq!(used(&history[..2], Window::Days(5), 14), Used { start: 10, count: 2, total: 3, anew: 15 });
        assert_eq!(used(&history, Window::BusinessDay, 15), Used { start: 15, count: 1, total: 4, anew: 16 });
    }

    #[test]
    fn what_was_taken_back_opened_its_window_and_counts_for_nothing() {
        let mut history = history(&[(10, 1), (12, 2)]);
        history[0].back = true;
        assert_eq!(used(&history, Window::Days(5), 12), Used { start: 10, count: 1, total: 2, anew: 15 });
    }

    #[test]
    fn months_end_with_their_last_day() {
        // 2022-05-31 is day 19_143.
        let history = history(&[(19_142, 5), (19_143, 7), (19_144, 11)]);
        let in_month = |today| used(&history, Window::CalendarMonth, today);
        assert_eq!(in_month(19_143), Used { start: 19_113, count: 2, total: 12, anew: 19_144 });
        assert_eq!(in_month(19_144), Used { start: 19_144, count: 1, total: 11, anew: 19_174 });
    }
}
