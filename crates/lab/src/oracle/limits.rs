//! Limits by the oracle's own calendar: every gift ever counted is kept, and windows are counted through from the start.

use std::collections::BTreeMap;

use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::receipt::Seq;
use domain::rules::limit::{Kind, Measure, Subject, Window};
use domain::rules::{Limit, LimitName, Rules};

use super::period_of;
use crate::calendar;
use crate::invariant::{Held, NO_LIMIT_EXCEEDED, hold};

/// Between whom, and from which card.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties {
    pub(super) operator: OperatorId,
    pub(super) kind: Kind,
    pub(super) from: SubscriberId,
    pub(super) to: SubscriberId,
    pub(super) card: CardId,
}

/// Which limit, and of whom: operator, name, and what else makes it the same limit under later rules; then rows.
type Key = (u8, String, String, (u32, u32));

/// Everything that ever counted: day and minor units.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<Key, Vec<(i32, i64)>>);

/// What is used of a limit today, and the first day on which it counts anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) count: i64,
    pub(super) total: i64,
    pub(super) anew: i32,
}

impl Limits {
    /// Counts a gift or top-up that was done, and judges it.
    pub(super) fn count(&mut self, seq: Seq, rules: &Rules, at_ms: i64, parties: Parties, minor: i64) -> Held {
        let today = calendar::date(at_ms);
        for limit in in_force(rules, at_ms, parties.kind) {
            let history = self.0.entry(key(limit, parties)).or_default();
            history.push((today, minor));
            let used = used(history, limit.window, today);
            hold(measured(limit, &used) <= limit.ceiling, NO_LIMIT_EXCEEDED, || {
                format!(
                    "entry {seq} makes {} of {:?}, of {} at most",
                    measured(limit, &used),
                    limit.name,
                    limit.ceiling
                )
            })?;
        }
        Ok(())
    }

    /// The limits that so much more would pass, with what is used of each.
    pub(super) fn passed_all<'a>(
        &self,
        rules: &'a Rules,
        at_ms: i64,
        parties: Parties,
        minor: i64,
    ) -> Vec<(&'a LimitName, Used)> {
        let today = calendar::date(at_ms);
        let mut passed = Vec::new();
        for limit in in_force(rules, at_ms, parties.kind) {
            let now = self.0.get(&key(limit, parties)).map_or(&[][..], Vec::as_slice);
            let before = used(now, limit.window, today);
            let with = Used { count: before.count + 1, total: before.total + minor, anew: before.anew };
            if measured(limit, &with) > limit.ceiling {
                passed.push((&limit.name, with));
            }
        }
        passed
    }

    /// The first of them.
    pub(super) fn passed<'a>(
        &self,
        rules: &'a Rules,
        at_ms: i64,
        parties: Parties,
        minor: i64,
    ) -> Option<&'a LimitName> {
        self.passed_all(rules, at_ms, parties, minor).first().map(|(name, _)| *name)
    }
}

fn in_force(rules: &Rules, at_ms: i64, kind: Kind) -> impl Iterator<Item = &Limit> {
    let limits = period_of(rules, at_ms).map_or(&[][..], |period| &period.limits);
    limits.iter().filter(move |limit| limit.kind == kind && limit.from.ms() <= at_ms && at_ms < limit.until.ms())
}

const fn measured(limit: &Limit, used: &Used) -> i64 {
    match limit.measure {
        Measure::Count => used.count,
        Measure::Total => used.total,
    }
}

fn key(limit: &Limit, parties: Parties) -> Key {
    let rows = match limit.subject {
        Subject::Sender => (parties.from.0, 0),
        Subject::Recipient => (parties.to.0, 0),
        Subject::Pair => (parties.from.0, parties.to.0),
        Subject::Card => (parties.card.0, 0),
    };
    // Its ceiling, its measure and its dates may change: what was used of it counts on.
    let shape = format!("{:?} {:?} {:?}", limit.kind, limit.subject, limit.window);
    (parties.operator.0, String::from(limit.name.as_str()), shape, rows)
}

/// What of a history falls into the window of today.
fn used(history: &[(i32, i64)], window: Window, today: i32) -> Used {
    let in_days = |days: &mut dyn Iterator<Item = &(i32, i64)>, anew| {
        days.fold(Used { anew, ..Used::default() }, |used, (_, minor)| Used {
            count: used.count + 1,
            total: used.total + minor,
            anew,
        })
    };
    match window {
        Window::BusinessDay => in_days(&mut history.iter().filter(|(day, _)| *day == today), today + 1),
        Window::CalendarMonth => {
            let month = calendar::month(today);
            let next = (today..).find(|day| calendar::month(*day) != month).unwrap_or(i32::MAX);
            in_days(&mut history.iter().filter(|(day, _)| calendar::month(*day) == month), next)
        }
        Window::Days(days) => {
            // A window opens with the first use after the one before ended.
            let days = i32::from(days);
            let mut opened = None;
            for (day, _) in history {
                opened = opened.filter(|open| *day < open + days).or(Some(*day));
            }
            let opened = opened.filter(|open| today < open + days).unwrap_or(today);
            in_days(&mut history.iter().filter(|(day, _)| *day >= opened), opened + days)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Used, used};
    use domain::rules::limit::Window;

    #[test]
    fn windows_of_days_open_with_a_use() {
        let history = [(10, 1), (12, 2), (15, 4), (16, 8)];
        let in_five = |today| used(&history, Window::Days(5), today);
        assert_eq!(in_five(16), Used { count: 2, total: 12, anew: 20 });
        assert_eq!(in_five(20), Used { count: 0, total: 0, anew: 25 });
        assert_eq!(used(&history[..2], Window::Days(5), 14), Used { count: 2, total: 3, anew: 15 });
        assert_eq!(used(&history, Window::BusinessDay, 15), Used { count: 1, total: 4, anew: 16 });
    }

    #[test]
    fn months_end_with_their_last_day() {
        // 2022-05-31 is day 19_143.
        let history = [(19_142, 5), (19_143, 7), (19_144, 11)];
        assert_eq!(used(&history, Window::CalendarMonth, 19_143), Used { count: 2, total: 12, anew: 19_144 });
        assert_eq!(used(&history, Window::CalendarMonth, 19_144), Used { count: 1, total: 11, anew: 19_174 });
    }
}
