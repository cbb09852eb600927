//! The gate of the operator's side: who may ask what, and whether value may be issued now.
//!
//! Deliberately not here: what is then done (each product's own file).

use crate::ids::{OperatorId, Staff};
use crate::office::motion::{Proposal, REASON_LEN_MAX};
use crate::office::refusal::OfficeRefusal;
use crate::office::{Record, RecordKey};
use crate::plain::is_plain;
use crate::refusal::Refusal;
use crate::rules::Role;

use super::draft::Draft;

/// Which role proposes and approves what.
pub(super) const fn role_of_proposal(proposal: &Proposal) -> Role {
    match proposal {
        Proposal::Rules { .. } | Proposal::Close { .. } => Role::Network,
        Proposal::Rate { .. } | Proposal::Adjust { .. } => Role::Finance,
        Proposal::VoidCards { .. } | Proposal::Reverse(_) => Role::Care,
    }
}

/// Says whose business this is, and whether whoever asks is there for it.
pub(super) fn for_operator(
    draft: &mut Draft<'_>,
    staff: Staff,
    operator: OperatorId,
    role: Role,
) -> Result<(), Refusal> {
    draft.concern(operator);
    let rules = &draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?.rules;
    let Some(people) = &rules.staff else { return Ok(()) };
    let known = people.iter().find(|one| one.uid == staff.0);
    if known.is_some_and(|one| one.roles.contains(&role)) {
        Ok(())
    } else {
        Err(OfficeRefusal::RoleForbids { role: String::from(role.name()) }.into())
    }
}

/// Value is issued only while the books agree.
pub(super) fn may_issue(draft: &Draft<'_>, operator: OperatorId) -> Result<(), Refusal> {
    match draft.state.record(RecordKey::stopped(operator)) {
        Some(Record::Stopped(why)) => Err(OfficeRefusal::IssuanceStopped { why: why.clone() }.into()),
        _ => Ok(()),
    }
}

/// Nothing is made or sold that nobody could use: not once a service is closed and its cards are void.
pub(super) fn still_serves(draft: &Draft<'_>, operator: OperatorId) -> Result<(), Refusal> {
    let rules = &draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?.rules;
    match rules.period(draft.at).filter(|period| period.closed && period.cards_void) {
        Some(period) => Err(Refusal::ServiceClosed { period: Some(period.name.clone()) }),
        None => Ok(()),
    }
}

/// A reason as it is kept.
pub(super) fn reason(text: &str) -> Result<(), Refusal> {
    let said = text.chars().take(REASON_LEN_MAX + 1).count();
    if text.trim().is_empty() || said > REASON_LEN_MAX || !is_plain(text) {
        Err(OfficeRefusal::ReasonMalformed.into())
    } else {
        Ok(())
    }
}
