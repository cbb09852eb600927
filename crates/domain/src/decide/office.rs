//! The office: who may ask what, issuance that is stopped, and records whose time is over.

use crate::command::Staff;
use crate::ids::OperatorId;
use crate::office::done::OfficeDone;
use crate::office::motion::{Proposal, REASON_LEN_MAX};
use crate::office::refusal::OfficeRefusal;
use crate::office::{Asked, Office, Record, RecordKey};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Role;
use crate::verdict::{Change, Done};

use super::{Draft, batch, call, hold, motion, till};

/// Whatever staff asks.
pub(super) fn ask(draft: &mut Draft<'_>, office: &Office) -> Result<Done, Refusal> {
    let staff = office.staff;
    match &office.what {
        Asked::Batch(command) => batch::ask(draft, staff, command),
        Asked::Till(command) => till::ask(draft, staff, command),
        Asked::Call(command) => call::ask(draft, staff, *command),
        Asked::Motion(command) => motion::ask(draft, staff, command),
        Asked::StopIssuance { operator, why } => stop_issuance(draft, staff, *operator, why),
        Asked::ResumeIssuance { operator } => {
            for_operator(draft, staff, *operator, Role::Finance)?;
            let key = RecordKey::stopped(*operator);
            draft.state.record(key).ok_or(Refusal::NothingToChange)?;
            draft.record(key, None);
            Ok(OfficeDone::IssuanceResumed.into())
        }
    }
}

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

/// The server itself may stop issuance, whoever runs it: nothing is lost by it.
fn stop_issuance(draft: &mut Draft<'_>, _: Staff, operator: OperatorId, why: &str) -> Result<Done, Refusal> {
    draft.concern(operator);
    draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?;
    let why: String = why.chars().take(REASON_LEN_MAX).collect();
    if why.is_empty() {
        return Err(OfficeRefusal::ReasonMalformed.into());
    }
    draft.record(RecordKey::stopped(operator), Some(Record::Stopped(why)));
    Ok(OfficeDone::IssuanceStopped.into())
}

/// Value is issued only while the books agree.
pub(super) fn may_issue(draft: &Draft<'_>, operator: OperatorId) -> Result<(), Refusal> {
    match draft.state.record(RecordKey::stopped(operator)) {
        Some(Record::Stopped(why)) => Err(OfficeRefusal::IssuanceStopped { why: why.clone() }.into()),
        _ => Ok(()),
    }
}

/// A reason as it is kept.
pub(super) fn reason(text: &str) -> Result<(), Refusal> {
    let said = text.chars().take(REASON_LEN_MAX + 1).count();
    if text.trim().is_empty() || said > REASON_LEN_MAX { Err(OfficeRefusal::ReasonMalformed.into()) } else { Ok(()) }
}

/// What a timer submits when the time of a record is over. Decided by `at`, as everything that meets the record is.
pub(super) fn due(draft: &mut Draft<'_>, key: RecordKey) -> Result<Done, Refusal> {
    let record = draft.state.record(key).ok_or(Refusal::NothingToChange)?;
    if record.due_at().is_none_or(|due| draft.at < due) {
        return Err(Refusal::NothingToChange);
    }
    match record {
        Record::Hold(held) => hold::post(draft, Seq(key.id), held),
        Record::Call(reserved) => {
            call::end(draft, Seq(key.id), reserved, 0)?;
            Ok(OfficeDone::Dropped { kind: key.kind }.into())
        }
        Record::Quote(quote) => {
            if let Some(outlet) = draft.state.outlet(quote.outlet) {
                draft.concern(outlet.operator);
            }
            draft.record(key, None);
            Ok(OfficeDone::Dropped { kind: key.kind }.into())
        }
        Record::Motion(motion) => {
            draft.concern(motion.operator);
            draft.record(key, None);
            Ok(OfficeDone::Dropped { kind: key.kind }.into())
        }
        // They have no time, and were turned away above.
        Record::Outlet(_)
        | Record::Batch(_)
        | Record::Rates(_)
        | Record::VoidCards(_)
        | Record::Reversed(_)
        | Record::Stopped(_)
        | Record::Takings(_)
        | Record::Issued(_) => Err(Refusal::NothingToChange),
    }
}

impl Draft<'_> {
    /// What the office keeps under this name from now on.
    pub(super) fn record(&mut self, key: RecordKey, record: Option<Record>) {
        self.change(Change::Record { key, record });
    }

    /// The entry that this draft becomes.
    pub(super) const fn own_seq(&self) -> Seq {
        self.state.seq().next()
    }
}
