//! Subscribers: importing them, and what care may do to one.

use std::collections::HashSet;

use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::command::{ChangeSubscriber, ImportSubscribers, NewSubscriber, SetLanguage, SubscriberChange};
use crate::effects::Change;
use crate::ids::{OperatorId, SubscriberId};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{Lock, Standing, Subscriber, SubscriberFacts};
use crate::verdict::Done;

use super::draft::Draft;
use super::issue::Issuing;
use super::proof;
use super::staff::still_serves;

/// The caller's own language.
pub(super) fn set_language(draft: &mut Draft<'_>, set: &SetLanguage) -> Result<Done, Refusal> {
    let known = proof::caller(draft, &set.caller)?;
    let operator = draft.state.operator(set.caller.operator).ok_or(Refusal::OperatorUnknown)?;
    if !operator.rules.standing.languages.contains(&set.language) {
        return Err(Refusal::LanguageNotOffered);
    }
    let facts = SubscriberFacts { language: set.language, ..known.facts };
    if facts != known.facts {
        draft.change(Change::Subscriber { id: known.id, facts });
    }
    Ok(Done::LanguageSet)
}

/// Creates the numbers that are new and updates the others.
pub(super) fn import(draft: &mut Draft<'_>, import: &ImportSubscribers) -> Result<Done, Refusal> {
    draft.concern(import.operator);
    let operator = draft.state.operator(import.operator).ok_or(Refusal::OperatorUnknown)?;
    // The position account is touched as well when any airtime is issued.
    let issues = import.subscribers.iter().any(|new| new.airtime.is_some());
    let max = TOUCH_MAX - usize::from(issues);
    if import.subscribers.len() > max {
        return Err(Refusal::TooMuchAtOnce { max: u32::try_from(max).unwrap_or(u32::MAX) });
    }
    if issues {
        still_serves(draft, import.operator)?;
    }
    let mut issuing = if issues { Some(Issuing::begin(draft, import.operator)?) } else { None };
    let mut seen = HashSet::new();
    let (mut created, mut updated) = (0, 0);
    for (index, new) in (0_u32..).zip(&import.subscribers) {
        if !operator.rules.numbers.is_own(new.msisdn) {
            return Err(Refusal::NumberOutOfRange { index });
        }
        if !seen.insert(new.msisdn) {
            return Err(Refusal::TwiceInList { index });
        }
        if new.language.is_some_and(|language| !operator.rules.standing.languages.contains(&language)) {
            return Err(Refusal::LanguageNotOffered);
        }
        match draft.subscriber(new.msisdn, import.operator) {
            Some((id, row)) => updated += u32::from(update(draft, id, row, new)),
            None => {
                create(draft, import.operator, &operator.rules, new, issuing.as_mut())?;
                created += 1;
            }
        }
    }
    if let Some(issuing) = issuing {
        issuing.keep(draft);
    }
    Ok(Done::Imported { created, updated })
}

fn create(
    draft: &mut Draft<'_>,
    operator: OperatorId,
    rules: &Rules,
    new: &NewSubscriber,
    issuing: Option<&mut Issuing<'_>>,
) -> Result<(), Refusal> {
    let facts = SubscriberFacts {
        msisdn: new.msisdn,
        imsi: new.imsi,
        operator,
        generation: 1,
        language: new.language.unwrap_or_else(|| rules.default_language()),
        standing: Standing::Active,
        since: new.since.map_or(draft.at, |since| since.min(draft.at)),
        imsi_changed_at: None,
    };
    let id = draft.create_subscriber(facts)?;
    draft.name(id);
    if let (Some(issuing), Some(airtime)) = (issuing, new.airtime) {
        issuing.issue(draft, AccountId::Airtime(id), airtime)?;
    }
    Ok(())
}

/// Whether anything changed. Another SIM than the known one is a SIM change, whoever tells us.
fn update(draft: &mut Draft<'_>, id: SubscriberId, row: &Subscriber, new: &NewSubscriber) -> bool {
    let mut facts = row.facts;
    if let Some(imsi) = new.imsi {
        if facts.imsi.is_some_and(|known| known != imsi) {
            facts.imsi_changed_at = Some(draft.at);
        }
        facts.imsi = Some(imsi);
    }
    facts.language = new.language.unwrap_or(facts.language);
    if facts == row.facts {
        return false;
    }
    draft.name(id);
    draft.change(Change::Subscriber { id, facts });
    true
}

/// What care does to one subscriber.
pub(super) fn change(draft: &mut Draft<'_>, change: &ChangeSubscriber) -> Result<Done, Refusal> {
    let found = draft.state.find_subscriber(change.msisdn);
    let (id, row) =
        found.filter(|(_, row)| row.facts.standing != Standing::Released).ok_or(Refusal::SubscriberUnknown)?;
    draft.concern(row.facts.operator);
    draft.name(id);
    let mut facts = row.facts;
    match change.change {
        SubscriberChange::Bar => facts.standing = Standing::Barred,
        SubscriberChange::Unbar => facts.standing = Standing::Active,
        SubscriberChange::Unlock => return unlock(draft, id),
        SubscriberChange::Release => facts.standing = Standing::Released,
        SubscriberChange::SetLanguage(language) => {
            let operator = draft.state.operator(facts.operator).ok_or(Refusal::OperatorUnknown)?;
            if !operator.rules.standing.languages.contains(&language) {
                return Err(Refusal::LanguageNotOffered);
            }
            facts.language = language;
        }
        SubscriberChange::ChangeImsi(imsi) if facts.imsi == Some(imsi) => {}
        SubscriberChange::ChangeImsi(imsi) => {
            facts.imsi_changed_at = facts.imsi.map(|_| draft.at);
            facts.imsi = Some(imsi);
        }
    }
    if facts == row.facts {
        return Err(Refusal::NothingToChange);
    }
    draft.change(Change::Subscriber { id, facts });
    Ok(Done::SubscriberChanged)
}

fn unlock(draft: &mut Draft<'_>, id: SubscriberId) -> Result<Done, Refusal> {
    // Effects are in the order of links. What is over counts nothing, whether it was swept away or not.
    let counts = |(_, lock): &(_, Lock)| draft.at < lock.over_at();
    let links: Vec<_> = draft.state.locks_of(id).filter(counts).map(|(link, _)| link).collect();
    if links.is_empty() {
        return Err(Refusal::NothingToChange);
    }
    for link in links {
        draft.set_lock(id, link, Lock::default());
    }
    Ok(Done::SubscriberChanged)
}
