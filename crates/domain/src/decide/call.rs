//! Airtime used: calls that are reserved, extended and ended, or charged at once.

use crate::account::AccountId;
use crate::effects::UsageAfter;
use crate::ids::{CardId, Staff, SubscriberId};
use crate::money::Amount;
use crate::number::Msisdn;
use crate::office::call::{CALL_SECONDS_MAX, Call, CallCommand};
use crate::office::done::OfficeDone;
use crate::office::hold::HeldUsage;
use crate::office::refusal::OfficeRefusal;
use crate::office::{Record, RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::tariff::{CallPrice, Tariff};
use crate::rules::{Limit, Role, Rules};
use crate::state::{Standing, State, Usage, UsageKey};
use crate::verdict::Done;

use super::draft::Draft;
use super::staff::for_operator;

/// Whatever a charging system asks.
pub(super) fn ask(draft: &mut Draft<'_>, staff: Staff, command: CallCommand) -> Result<Done, Refusal> {
    match command {
        CallCommand::Reserve { msisdn, cross, seconds } => reserve(draft, staff, msisdn, cross, seconds),
        CallCommand::Extend { call, seconds } => extend(draft, staff, call, seconds),
        CallCommand::Commit { call, seconds } => {
            let reserved = in_progress(draft, staff, call)?;
            if seconds > reserved.granted_s {
                return Err(OfficeRefusal::CallBeyondGrant { granted_s: reserved.granted_s }.into());
            }
            end(draft, call, &reserved, seconds)
        }
        CallCommand::Release { call } => {
            let reserved = in_progress(draft, staff, call)?;
            end(draft, call, &reserved, 0)
        }
        CallCommand::Consume { msisdn, cross, seconds } => consume(draft, staff, msisdn, cross, seconds),
    }
}

/// Minutes begun.
const fn minutes(seconds: u32) -> u32 {
    seconds.div_ceil(60)
}

/// What so many minutes beyond the free ones cost.
fn price(tariff: &Tariff, paid_minutes: u32, cross: bool) -> Result<i64, Refusal> {
    tariff.price(u64::from(paid_minutes) * 60, cross).map_err(|_| Refusal::AmountOverflow)
}

/// What a call would cost now, free minutes first.
pub(super) fn priced(state: &State, msisdn: Msisdn, cross: bool, seconds: u32) -> Option<Result<CallPrice, Refusal>> {
    let (id, row) = state.find_subscriber(msisdn).filter(|(_, row)| row.facts.standing != Standing::Released)?;
    let draft = Draft::new(state, Some(row.facts.operator), state.at());
    let rules = &state.operator(row.facts.operator)?.rules;
    if !(1..=CALL_SECONDS_MAX).contains(&seconds) {
        return Some(Err(OfficeRefusal::SecondsOutOfRange { max: CALL_SECONDS_MAX }.into()));
    }
    let minutes = minutes(seconds);
    let free_minutes = free_left(free(&draft, rules, id).as_ref(), cross).min(minutes);
    let airtime_minor = row.airtime.balance_minor;
    let priced = price(&rules.tariff_at(draft.at), minutes - free_minutes, cross);
    Some(priced.map(|price_minor| CallPrice { minutes, free_minutes, price_minor, airtime_minor }))
}

fn caller<'a>(
    draft: &mut Draft<'a>,
    staff: Staff,
    msisdn: Msisdn,
    seconds: u32,
) -> Result<(SubscriberId, &'a Rules), Refusal> {
    if !(1..=CALL_SECONDS_MAX).contains(&seconds) {
        return Err(OfficeRefusal::SecondsOutOfRange { max: CALL_SECONDS_MAX }.into());
    }
    let found = draft.state.find_subscriber(msisdn);
    let (id, row) =
        found.filter(|(_, row)| row.facts.standing != Standing::Released).ok_or(Refusal::SubscriberUnknown)?;
    for_operator(draft, staff, row.facts.operator, Role::Network)?;
    draft.name(id);
    may_use(row.facts.standing)?;
    let rules = &draft.state.operator(row.facts.operator).ok_or(Refusal::OperatorUnknown)?.rules;
    Ok((id, rules))
}

/// Who may use airtime. What was used before is charged all the same.
const fn may_use(standing: Standing) -> Result<(), Refusal> {
    match standing {
        Standing::Active => Ok(()),
        Standing::Barred => Err(Refusal::CallerBarred),
        Standing::Released => Err(Refusal::SubscriberUnknown),
    }
}

/// Free minutes of this month: the limit, its key, and what is used of it.
fn free<'a>(draft: &Draft<'_>, rules: &'a Rules, id: SubscriberId) -> Option<(&'a Limit, UsageKey, Usage)> {
    let limit = rules.free_minutes.as_ref()?;
    let key = UsageKey::of(limit.id, limit.subject, id, id, CardId(0));
    let latest = draft.state.usage(key, limit.subject);
    let start = limit.window.start(latest.map(|usage| usage.start), draft.date());
    let used = latest.filter(|usage| usage.start == start);
    Some((limit, key, used.unwrap_or(Usage { start, count: 0, total_minor: 0 })))
}

/// Free minutes that a call within the network may still take.
fn free_left(free: Option<&(&Limit, UsageKey, Usage)>, cross: bool) -> u32 {
    match free {
        Some((limit, _, used)) if !cross => {
            u32::try_from(limit.ceiling.saturating_sub(i64::from(used.count)).max(0)).unwrap_or(u32::MAX)
        }
        _ => 0,
    }
}

/// Where free minutes are counted, for the call's record.
const fn counted_in(key: UsageKey, used: &Usage) -> HeldUsage {
    HeldUsage { limit: key.limit, subject: key.subject, start: used.start }
}

fn use_free(draft: &mut Draft<'_>, key: UsageKey, used: Usage, minutes: i64) {
    let count = u32::try_from((i64::from(used.count) + minutes).max(0)).unwrap_or(u32::MAX);
    if count != used.count {
        let Usage { start, total_minor, .. } = used;
        draft.use_limit(UsageAfter { limit: key.limit, subject: key.subject, start, count, total_minor });
    }
}

/// The most minutes, up to `wanted`, whose price `balance_minor` covers.
fn affordable(tariff: &Tariff, wanted: u32, cross: bool, balance_minor: i64) -> Result<u32, Refusal> {
    if price(tariff, wanted, cross)? <= balance_minor {
        return Ok(wanted);
    }
    // Prices grow with minutes: the last one that fits is found by halving.
    let (mut fits, mut too_many) = (0, wanted);
    while too_many - fits > 1 {
        let middle = fits + (too_many - fits) / 2;
        if price(tariff, middle, cross)? <= balance_minor { fits = middle } else { too_many = middle }
    }
    Ok(fits)
}

fn reserve(draft: &mut Draft<'_>, staff: Staff, msisdn: Msisdn, cross: bool, seconds: u32) -> Result<Done, Refusal> {
    let (id, rules) = caller(draft, staff, msisdn, seconds)?;
    let tariff = rules.tariff_at(draft.at);
    let free = free(draft, rules, id);
    let wanted = minutes(seconds);
    let free_minutes = free_left(free.as_ref(), cross).min(wanted);
    let balance_minor = draft.balance_minor(AccountId::Airtime(id));
    let paid = affordable(&tariff, wanted - free_minutes, cross, balance_minor)?;
    if free_minutes + paid == 0 {
        return Err(short(&tariff, 1, cross, balance_minor)?.into());
    }
    let call = Call {
        operator: draft.state.subscriber(id).ok_or(Refusal::SubscriberUnknown)?.facts.operator,
        subscriber: id,
        cross,
        tariff,
        granted_s: seconds.min((free_minutes + paid).saturating_mul(60)),
        free_minutes,
        free: free.as_ref().map(|(_, key, used)| counted_in(*key, used)),
        held_minor: price(&tariff, paid, cross)?,
        expires_at: draft.at.plus_s(i64::from(rules.standing.call_reserve_s())),
    };
    if let Some(held) = Amount::try_new(call.held_minor) {
        draft.transfer(AccountId::Airtime(id), AccountId::Held(call.operator), held)?;
    }
    if let Some((_, key, used)) = free {
        use_free(draft, key, used, i64::from(free_minutes));
    }
    Ok(reserved(draft, draft.own_seq(), call))
}

fn reserved(draft: &mut Draft<'_>, seq: Seq, call: Call) -> Done {
    draft.record(RecordKey::made_by(RecordKind::Call, seq), Some(Record::Call(call)));
    let Call { granted_s, free_minutes, held_minor, expires_at, .. } = call;
    OfficeDone::CallReserved { call: seq, granted_s, free_minutes, held_minor, expires_at }.into()
}

/// By how much a balance misses so many minutes.
fn short(tariff: &Tariff, minutes: u32, cross: bool, balance_minor: i64) -> Result<OfficeRefusal, Refusal> {
    let short_by_minor = price(tariff, minutes, cross)?.saturating_sub(balance_minor);
    Ok(OfficeRefusal::AirtimeShort { short_by_minor })
}

/// A call whose reservation is not over.
fn in_progress(draft: &mut Draft<'_>, staff: Staff, call: Seq) -> Result<Call, Refusal> {
    match draft.state.record(RecordKey::made_by(RecordKind::Call, call)) {
        Some(Record::Call(reserved)) if draft.at < reserved.expires_at => {
            for_operator(draft, staff, reserved.operator, Role::Network)?;
            draft.name(reserved.subscriber);
            Ok(*reserved)
        }
        _ => Err(OfficeRefusal::CallUnknown.into()),
    }
}

fn extend(draft: &mut Draft<'_>, staff: Staff, seq: Seq, seconds: u32) -> Result<Done, Refusal> {
    let call = in_progress(draft, staff, seq)?;
    if !(1..=CALL_SECONDS_MAX).contains(&seconds) {
        return Err(OfficeRefusal::SecondsOutOfRange { max: CALL_SECONDS_MAX }.into());
    }
    // Who was barred since the call began talks to the end of what was granted.
    let row = draft.state.subscriber(call.subscriber).ok_or(Refusal::SubscriberUnknown)?;
    may_use(row.facts.standing)?;
    let rules = &draft.state.operator(call.operator).ok_or(Refusal::OperatorUnknown)?.rules;
    // More free minutes come from where those before came from, or from nowhere.
    let same = |(_, key, used): &(&Limit, UsageKey, Usage)| Some(counted_in(*key, used)) == call.free;
    let free = free(draft, rules, call.subscriber).filter(same);
    let wanted = minutes(call.granted_s.saturating_add(seconds));
    let granted = minutes(call.granted_s);
    let more_free = free_left(free.as_ref(), call.cross).min(wanted.saturating_sub(granted));
    let free_minutes = call.free_minutes + more_free;
    let airtime = AccountId::Airtime(call.subscriber);
    let budget_minor = draft.balance_minor(airtime).checked_add(call.held_minor).ok_or(Refusal::AmountOverflow)?;
    let paid = affordable(&call.tariff, wanted - free_minutes, call.cross, budget_minor)?;
    let granted_s = call.granted_s.saturating_add(seconds).min((free_minutes + paid).saturating_mul(60));
    if granted_s <= call.granted_s {
        return Err(short(&call.tariff, paid.saturating_add(1), call.cross, budget_minor)?.into());
    }
    let held_minor = price(&call.tariff, paid, call.cross)?;
    if let Some(more) = Amount::try_new(held_minor.saturating_sub(call.held_minor)) {
        draft.transfer(airtime, AccountId::Held(call.operator), more)?;
    }
    if let Some((_, key, used)) = free {
        use_free(draft, key, used, i64::from(more_free));
    }
    let expires_at = draft.at.plus_s(i64::from(rules.standing.call_reserve_s()));
    Ok(reserved(draft, seq, Call { granted_s, free_minutes, held_minor, expires_at, ..call }))
}

/// Charges what was talked and gives the rest back.
pub(super) fn end(draft: &mut Draft<'_>, seq: Seq, call: &Call, seconds: u32) -> Result<Done, Refusal> {
    draft.concern(call.operator);
    draft.name(call.subscriber);
    let talked = minutes(seconds);
    let free_minutes = call.free_minutes.min(talked);
    let charged_minor = price(&call.tariff, talked - free_minutes, call.cross)?.min(call.held_minor);
    let (airtime, held) = (AccountId::Airtime(call.subscriber), AccountId::Held(call.operator));
    if let Some(charged) = Amount::try_new(charged_minor) {
        draft.transfer(held, AccountId::CallIncome(call.operator), charged)?;
    }
    if let Some(rest) = Amount::try_new(call.held_minor.saturating_sub(charged_minor)) {
        draft.transfer(held, airtime, rest)?;
    }
    if let Some((key, used)) = call.free.and_then(|free| draft.state.used_in(&free)) {
        use_free(draft, key, used, -i64::from(call.free_minutes - free_minutes));
    }
    draft.record(RecordKey::made_by(RecordKind::Call, seq), None);
    Ok(OfficeDone::CallCharged { charged_minor, free_minutes, airtime_minor: draft.balance_minor(airtime) }.into())
}

fn consume(draft: &mut Draft<'_>, staff: Staff, msisdn: Msisdn, cross: bool, seconds: u32) -> Result<Done, Refusal> {
    let (id, rules) = caller(draft, staff, msisdn, seconds)?;
    let tariff = rules.tariff_at(draft.at);
    let free = free(draft, rules, id);
    let talked = minutes(seconds);
    let free_minutes = free_left(free.as_ref(), cross).min(talked);
    let charged_minor = price(&tariff, talked - free_minutes, cross)?;
    let airtime = AccountId::Airtime(id);
    let balance_minor = draft.balance_minor(airtime);
    if charged_minor > balance_minor {
        return Err(short(&tariff, talked - free_minutes, cross, balance_minor)?.into());
    }
    let operator = draft.state.subscriber(id).ok_or(Refusal::SubscriberUnknown)?.facts.operator;
    if let Some(charged) = Amount::try_new(charged_minor) {
        draft.transfer(airtime, AccountId::CallIncome(operator), charged)?;
    }
    if let Some((_, key, used)) = free {
        use_free(draft, key, used, i64::from(free_minutes));
    }
    Ok(OfficeDone::CallCharged { charged_minor, free_minutes, airtime_minor: draft.balance_minor(airtime) }.into())
}
