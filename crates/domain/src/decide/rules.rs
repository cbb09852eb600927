//! Putting rules in force: whether they clash with others or with their own past, and the rows of their limits.
//!
//! Deliberately not here: what rules may say (see [`crate::rules::parse`]), the second person (see [`super::motion`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::command::LoadRules;
use crate::effects::Change;
use crate::ids::{LimitId, OperatorId};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{LimitIdentity, LimitRow, State};
use crate::time::Timestamp;
use crate::verdict::Done;

use super::draft::Draft;

/// The operator that has rules of this name already.
pub(super) fn operator_named(state: &State, rules: &Rules) -> Option<OperatorId> {
    state.operators().find(|(_, operator)| operator.rules.operator == rules.operator).map(|(id, _)| id)
}

/// Puts the first rules of an operator in force.
pub(super) fn load_first(draft: &mut Draft<'_>, load: &LoadRules) -> Result<Done, Refusal> {
    let rules = &load.rules;
    let id = u8::try_from(draft.state.operators().count())
        .map(OperatorId)
        .map_err(|_| Refusal::TooMuchAtOnce { max: u32::from(u8::MAX) })?;
    no_clash(draft.state, None, rules)?;
    draft.concern_new(id, rules);
    put_rules(draft, id, (**rules).clone(), load.file_hash)?;
    Ok(Done::RulesLoaded { operator: id })
}

/// Rules that clash with no other operator, and with nothing of their own that may never change.
pub(super) fn no_clash(state: &State, known: Option<(OperatorId, &Rules)>, rules: &Rules) -> Result<(), Refusal> {
    if let Some((_, before)) = known {
        if before.operator != rules.operator {
            return Err(Refusal::RulesClash { with: before.operator.clone() });
        }
        if let Some(with) = clash_with_past(before, rules) {
            return Err(Refusal::RulesClash { with: String::from(with) });
        }
    }
    for (other, operator) in state.operators() {
        let same_number = rules.numbers.overlaps(&operator.rules.numbers);
        let own = known.is_some_and(|(id, _)| id == other);
        if !own && (operator.rules.service_code == rules.service_code || same_number) {
            return Err(Refusal::RulesClash { with: operator.rules.operator.clone() });
        }
    }
    Ok(())
}

/// Puts rules in force, with row numbers for their limits.
pub(super) fn put_rules(
    draft: &mut Draft<'_>,
    id: OperatorId,
    rules: Rules,
    file_hash: [u8; 32],
) -> Result<(), Refusal> {
    let too_many = Refusal::TooMuchAtOnce { max: u32::from(u16::MAX) };
    let Numbered { rules, rows } = numbered(draft.state, id, rules, draft.at).ok_or(too_many)?;
    for (id, row) in rows {
        draft.change(Change::Limit { id, limit: Some(row) });
    }
    draft.change(Change::Operator { id, rules: Arc::new(rules), file_hash });
    Ok(())
}

/// What may never change once entries depend on it.
fn clash_with_past(before: &Rules, after: &Rules) -> Option<&'static str> {
    if before.unit.minor_digits != after.unit.minor_digits {
        Some("the unit's minor digits, which balances are counted in")
    } else if before.zone != after.zone {
        Some("the time zone, which business dates are counted in")
    } else {
        None
    }
}

/// Rules with the row of each of their limits.
pub(super) struct Numbered {
    pub(super) rules: Rules,
    /// Limits of the operator that are new or have another end, in the order of rows.
    pub(super) rows: Vec<(LimitId, LimitRow)>,
}

/// A limit on its way to a row.
struct Place {
    /// The row that it has.
    known: Option<(LimitId, Timestamp)>,
    until: Timestamp,
}

/// The rules with the row of each limit: the one it had before, or the next free one; `None` when there is none left.
///
/// A limit that the rules don't have any more ends at `at`; its row stays, so that rules which bring it back in time find what
/// was used of it. One that is over, and has no row any more, needs none.
pub(super) fn numbered(state: &State, operator: OperatorId, mut rules: Rules, at: Timestamp) -> Option<Numbered> {
    let own = state.limits().filter(|(_, row)| row.identity.operator == operator);
    let mut places: HashMap<LimitIdentity, Place> = own
        .map(|(id, row)| (row.identity.clone(), Place { known: Some((id, row.until)), until: row.until.min(at) }))
        .collect();
    for (limit, until) in rules.limits_until() {
        let new = Place { known: None, until };
        let place = places.entry(LimitIdentity::of(operator, limit)).or_insert(new);
        place.until = place.until.max(until);
    }
    let mut next = state.limits_made();
    let mut rows: BTreeMap<LimitId, LimitRow> = BTreeMap::new();
    for limit in rules.limits_mut() {
        let identity = LimitIdentity::of(operator, limit);
        let place = places.get_mut(&identity)?;
        let over = place.known.is_none() && place.until <= at;
        limit.id = match place.known {
            Some((id, _)) => id,
            None if over => LimitId::NONE,
            None => {
                let id = u16::try_from(next).ok().map(LimitId).filter(|id| *id != LimitId::NONE)?;
                next += 1;
                rows.insert(id, LimitRow { identity, until: place.until });
                place.known = Some((id, place.until));
                id
            }
        };
    }
    let moved = places.into_iter().filter_map(|(identity, Place { known, until })| {
        let (id, before) = known?;
        (before != until).then_some((id, LimitRow { identity, until }))
    });
    rows.extend(moved);
    Some(Numbered { rules, rows: rows.into_iter().collect() })
}
