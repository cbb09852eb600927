//! Putting rules in force: whether they clash with others or with their own past, and the rows of their limits.
//!
//! Deliberately not here: what rules may say (see [`crate::rules::parse`]), the second person (see [`super::motion`]).

use std::sync::Arc;

use crate::command::LoadRules;
use crate::ids::{LimitId, OperatorId};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{LimitIdentity, State};
use crate::verdict::{Change, Done};

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
    let rules = Arc::new(with_limit_rows(draft.state, id, rules).ok_or(too_many)?);
    draft.change(Change::Operator { id, rules, file_hash });
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

/// The rules with the row of each limit: the one it had before, or the next free one; `None` when there is none left.
pub(super) fn with_limit_rows(state: &State, operator: OperatorId, mut rules: Rules) -> Option<Rules> {
    let mut rows = state.limits().to_vec();
    for limit in rules.limits_mut() {
        let identity = LimitIdentity { operator, name: limit.name.clone(), from: limit.from, subject: limit.subject };
        let row = rows.iter().position(|known| *known == identity).unwrap_or_else(|| {
            rows.push(identity);
            rows.len() - 1
        });
        limit.id = LimitId(u16::try_from(row).ok()?);
    }
    Some(rules)
}
