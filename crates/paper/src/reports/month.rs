//! One operator's calendar month in a journal: the fold up to its end, and whatever looks at its entries on the way.
//!
//! Guarantees: a month begins and ends where the operator's entries say so. Their business dates never run backwards, so the
//! first entry of a later date ends it, and everything before that is in the state.

use std::ops::ControlFlow;
use std::str::FromStr;

use domain::effects::Change;
use domain::ids::OperatorId;
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::state::State;
use domain::time::{BusinessDate, Timestamp};
use domain::verdict::Entry;
use engine::recover::RecoverFault;
use engine::replica::Fold;

use super::fault::ReportFault;
use super::fold::{Journal, Progress};

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    first: BusinessDate,
}

impl Month {
    /// Its first day.
    pub const fn first(self) -> BusinessDate {
        self.first
    }

    /// The first day after it.
    pub fn end(self) -> BusinessDate {
        self.first.first_of_next_month()
    }

    /// Whether a day is in it.
    pub fn holds(self, date: BusinessDate) -> bool {
        self.first <= date && date < self.end()
    }

    /// Its days.
    pub fn days(self) -> impl Iterator<Item = BusinessDate> {
        (self.first.days()..self.end().days()).map(BusinessDate::from_days)
    }
}

impl FromStr for Month {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HOW: &str = "write a month as 2026-11";
        let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|octet| octet.is_ascii_digit());
        let (year, month) = text.split_once('-').ok_or(HOW)?;
        if !digits(year, 4) || !digits(month, 2) {
            return Err(HOW);
        }
        // Midnight of a day in UTC is so many whole days since the epoch: what a business date counts.
        let at = Timestamp::parse(&format!("{text}-01T00:00:00Z")).map_err(|_| HOW)?;
        let days = i32::try_from(at.ms() / 86_400_000).map_err(|_| HOW)?;
        Ok(Self { first: BusinessDate::from_days(days) })
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = self.first.to_string();
        f.write_str(day.strip_suffix("-01").unwrap_or(&day))
    }
}

/// An entry of the operator, before it is applied.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// As it was before.
    pub state: &'a State,
    /// Whose entry.
    pub operator: OperatorId,
    /// Its instant.
    pub at: Timestamp,
    /// What was asked, and what came of it.
    pub entry: &'a Entry,
}

/// The books at a month's end.
#[derive(Debug)]
pub struct MonthEnd {
    /// Which month.
    pub month: Month,
    /// Whose.
    pub operator: OperatorId,
    /// As it was then.
    pub state: State,
    /// An entry of a later month follows: nothing can be added any more.
    pub over: bool,
}

impl MonthEnd {
    /// The operator's rules at the month's end.
    ///
    /// # Errors
    /// [`ReportFault::OperatorGone`], which would be a bug of ours.
    pub fn rules(&self) -> Result<&Rules, ReportFault> {
        let known = self.state.operator(self.operator).ok_or(ReportFault::OperatorGone)?;
        Ok(&known.rules)
    }
}

/// Folds to the end of a month, and lets `look` see each of the operator's entries from `lead_days` before it on.
///
/// # Errors
/// [`ReportFault::NoEntry`], [`ReportFault::UnknownOperator`], and those of [`Journal::each`].
pub fn fold(
    journal: &Journal,
    progress: Progress<'_>,
    name: &str,
    month: Month,
    lead_days: i32,
    mut look: impl FnMut(Seen<'_>),
) -> Result<MonthEnd, ReportFault> {
    let (from, end) = (month.first.plus_days(lead_days.saturating_neg()), month.end());
    let (mut folded, mut operator, mut over) = (Fold::default(), None, false);
    journal.each(progress, |batch| {
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            let effects = &entry.verdict.effects;
            if let Some(own) = operator.filter(|own| effects.operator == Some(*own)) {
                if effects.date >= end {
                    over = true;
                    return Ok(ControlFlow::Break(()));
                }
                if effects.date >= from {
                    look(Seen { state: &folded.state, operator: own, at: batch.at, entry });
                }
            }
            folded.entry((seq, batch.at), (entry.id, *fingerprint), effects).map_err(RecoverFault::from)?;
            if effects.changes.iter().any(|change| matches!(change, Change::Operator { .. })) {
                operator = find(&folded.state, name);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let Some(operator) = operator else { return Err(unknown(&folded.state, name, month)) };
    Ok(MonthEnd { month, operator, state: folded.state, over })
}

fn find(state: &State, name: &str) -> Option<OperatorId> {
    state.operators().find(|(_, known)| known.rules.operator == name).map(|(id, _)| id)
}

fn unknown(state: &State, name: &str, month: Month) -> ReportFault {
    if state.seq() == Seq::ZERO {
        return ReportFault::NoEntry;
    }
    let known: Vec<&str> = state.operators().map(|(_, operator)| operator.rules.operator.as_str()).collect();
    ReportFault::UnknownOperator { name: String::from(name), month: month.to_string(), known: known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::Month;

    #[test]
    fn months_are_read_and_written() {
        let month: Month = "2026-02".parse().expect("a month");
        assert_eq!(month.to_string(), "2026-02");
        assert_eq!((month.first().to_string(), month.end().to_string()), ("2026-02-01".into(), "2026-03-01".into()));
        assert_eq!(month.days().count(), 28);
        assert!(month.holds(month.first()) && !month.holds(month.end()));
        for wrong in ["2026-13", "2026-2", "26-02", "2026", "2026-02-01", "", "2026-0x"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }
}
