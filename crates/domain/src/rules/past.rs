//! What rules say of the time before an instant: what new rules may not change.
//!
//! Guarantees: [`rewrites`] finds any difference in what held before an instant; [`spliced`] keeps what held before it and
//! takes everything else from the new rules.
//!
//! Deliberately not here: what holds whatever the date (numbers, dial strings, texts): it has no past.

use super::{Limit, Period, Rules, Tariff};
use crate::ids::LimitId;
use crate::time::Timestamp;

/// A period as it was before an instant: ends pulled in, rows of limits left out, the tariff written out.
fn before(period: &Period, tariff: Tariff, at: Timestamp) -> Period {
    let mut period = period.clone();
    period.until = period.until.min(at);
    period.tariff = Some(period.tariff.unwrap_or(tariff));
    period.limits.retain(|limit| limit.from < at);
    for limit in &mut period.limits {
        limit.until = limit.until.min(period.until);
        limit.id = LimitId::default();
    }
    period
}

/// The name of the first period in which the two say something else of the time before `at`; `None`: they agree.
pub fn rewrites(old: &Rules, new: &Rules, at: Timestamp) -> Option<String> {
    let past = |rules: &Rules| -> Vec<Period> {
        let begun = rules.periods.iter().filter(|period| period.from < at);
        begun.map(|period| before(period, rules.tariff, at)).collect()
    };
    let (old, new) = (past(old), past(new));
    let differs = old.iter().zip(&new).find(|(old, new)| old != new).map(|(old, _)| old);
    let longer = || if old.len() > new.len() { old.get(new.len()) } else { new.get(old.len()) };
    differs.or_else(longer).map(|period| period.name.clone())
}

/// The old periods until `from`, then the new ones, whatever those say of the time before.
pub fn spliced(old: &Rules, new: &Rules, from: Timestamp) -> Rules {
    let mut periods: Vec<Period> = old.periods.iter().filter(|period| period.from < from).cloned().collect();
    for period in &mut periods {
        // What the old tariff was stays written in the periods that had it.
        period.tariff = Some(period.tariff.unwrap_or(old.tariff));
    }
    if let Some(last) = periods.last_mut() {
        last.until = last.until.min(from);
    }
    for period in new.periods.iter().filter(|period| period.until > from) {
        let mut period = period.clone();
        period.from = period.from.max(from);
        periods.push(period);
    }
    Rules { periods, ..new.clone() }
}

/// The old rules, closed from an instant on by a period of this name.
pub fn closed(old: &Rules, name: &str, from: Timestamp, cards_void: bool) -> Option<Rules> {
    let shape = old.periods.last()?.clone();
    let limits: Vec<Limit> = Vec::new();
    let end =
        Period { name: String::from(name), from, until: Timestamp::MAX, closed: true, cards_void, limits, ..shape };
    Some(spliced(old, &Rules { periods: vec![end], ..old.clone() }, from))
}

#[cfg(test)]
mod tests;
