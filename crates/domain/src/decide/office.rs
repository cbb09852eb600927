//! The office: to whom each question goes, issuance that is stopped, and records whose time is over.

use crate::ids::{OperatorId, Staff};
use crate::office::done::OfficeDone;
use crate::office::motion::REASON_LEN_MAX;
use crate::office::refusal::OfficeRefusal;
use crate::office::{Asked, Office, Record, RecordKey};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Role;
use crate::verdict::Done;

use super::draft::Draft;
use super::staff::for_operator;
use super::{batch, call, hold, motion, till};

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
        Record::Reversed(_) => {
            draft.record(key, None);
            Ok(OfficeDone::Dropped { kind: key.kind }.into())
        }
        // They have no time, and were turned away above.
        Record::Outlet(_)
        | Record::Batch(_)
        | Record::Rates(_)
        | Record::VoidCards(_)
        | Record::Stopped(_)
        | Record::Takings(_)
        | Record::Issued(_) => Err(Refusal::NothingToChange),
    }
}
