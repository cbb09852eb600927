//! The operator's side: rules, issuing cards, and what care may do to a card.

use std::sync::Arc;

use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::card::{CardState, Serial};
use crate::command::{CardChange, ChangeCard, IssueCards, LoadRules};
use crate::ids::{CardId, LimitId, OperatorId};
use crate::money::Amount;
use crate::office::motion::Proposal;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{Card, CardFacts, LimitIdentity, State};
use crate::time::Timestamp;
use crate::verdict::{Change, Done};

use super::issue::Issuing;
use super::{Draft, batch, motion, proof};

/// Puts an operator's first rules in force; later ones wait for a second person.
pub(super) fn load_rules(draft: &mut Draft<'_>, load: &LoadRules) -> Result<Done, Refusal> {
    let rules = &load.rules;
    let known = draft.state.operators().find(|(_, operator)| operator.rules.operator == rules.operator);
    if let Some((id, _)) = known {
        let proposal = Proposal::Rules { rules: Arc::clone(rules), file_hash: load.file_hash, from: load.from };
        return motion::propose(draft, load.staff, id, &proposal);
    }
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

/// Issues cards that are sold at once.
pub(super) fn issue_cards(draft: &mut Draft<'_>, issue: &IssueCards) -> Result<Done, Refusal> {
    draft.concern(issue.operator);
    let operator = draft.state.operator(issue.operator).ok_or(Refusal::OperatorUnknown)?;
    let mut issuing = Issuing::begin(draft, issue.operator)?;
    // The position account is touched as well.
    if issue.cards.len() >= TOUCH_MAX {
        return Err(Refusal::TooMuchAtOnce { max: u32::try_from(TOUCH_MAX - 1).unwrap_or(u32::MAX) });
    }
    batch::all_new(draft.state, issue.cards.iter().map(|card| card.number))?;
    let mut first = None;
    for new in &issue.cards {
        let id = draft.create_card(CardFacts {
            number: new.number,
            operator: issue.operator,
            issued_at: draft.at,
            expires_at: operator.rules.card_expiry(draft.at).unwrap_or(Timestamp::MAX),
            state: CardState::Sold { at: draft.at, tag: new.tag },
            batch: None,
        })?;
        first = first.or(Some(id));
        issuing.issue(draft, AccountId::Card(id), new.value)?;
    }
    let first = first.ok_or(Refusal::NothingToChange)?;
    issuing.keep(draft);
    let count = u32::try_from(issue.cards.len()).unwrap_or(u32::MAX);
    Ok(Done::Issued { first: Serial::of(first), count })
}

/// What care does to one card.
pub(super) fn change_card(draft: &mut Draft<'_>, change: &ChangeCard) -> Result<Done, Refusal> {
    let (id, card) = draft.state.card_of_serial(change.serial).ok_or(Refusal::CardUnknown)?;
    draft.concern(card.facts.operator);
    if let Some(holder) = card.facts.state.holder() {
        draft.name(holder);
    }
    if change.change == CardChange::UnblockBinding {
        if card.bind_wrong == 0 {
            return Err(Refusal::NothingToChange);
        }
        draft.change(Change::BindWrong { id, wrong: 0 });
        return Ok(Done::CardChanged);
    }
    let state = changed_state(card, change.change, draft.at)?;
    if let CardChange::Void(why) = change.change {
        return motion::void_one(draft, change.staff, (id, card.facts.operator), why);
    }
    draft.set_card(id, state);
    Ok(Done::CardChanged)
}

/// Every (state, change) pair is decided here. No `_` for states: a new one must fail to compile.
pub(super) fn changed_state(card: &Card, change: CardChange, at: Timestamp) -> Result<CardState, Refusal> {
    let forbidden = || Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
    let holder = card.facts.state.holder();
    match (card.facts.state, change) {
        (CardState::Bound { holder, tag }, CardChange::Freeze) => Ok(CardState::Frozen { holder, tag, since: at }),
        (CardState::Frozen { holder, tag, .. }, CardChange::Thaw) => Ok(CardState::Bound { holder, tag }),
        (
            CardState::Printed { tag }
            | CardState::InStock { tag, .. }
            | CardState::Sold { tag, .. }
            | CardState::Bound { tag, .. }
            | CardState::Frozen { tag, .. },
            CardChange::Void(why),
        ) => Ok(CardState::Void { holder, at, why, tag }),
        (
            CardState::Printed { .. } | CardState::InStock { .. } | CardState::Sold { .. } | CardState::Frozen { .. },
            CardChange::Freeze,
        )
        | (
            CardState::Printed { .. } | CardState::InStock { .. } | CardState::Sold { .. } | CardState::Bound { .. },
            CardChange::Thaw,
        )
        | (CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. }, _)
        | (_, CardChange::UnblockBinding) => forbidden(),
    }
}

/// A card whose time ran out: the rest becomes breakage.
pub(super) fn expire_card(draft: &mut Draft<'_>, id: CardId) -> Result<Done, Refusal> {
    let card = draft.state.card(id).ok_or(Refusal::CardUnknown)?;
    draft.concern(card.facts.operator);
    let holder = card.facts.state.holder();
    if let Some(holder) = holder {
        draft.name(holder);
    }
    let tag = match card.facts.state {
        CardState::Printed { tag }
        | CardState::InStock { tag, .. }
        | CardState::Sold { tag, .. }
        | CardState::Bound { tag, .. }
        | CardState::Frozen { tag, .. } => tag,
        CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. } => {
            return Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
        }
    };
    // What is on a void card is owed, whatever made it void: it does not expire.
    if proof::is_void(draft, id, card) {
        return Err(Refusal::CardStateForbids { state: String::from("void") });
    }
    if draft.at < card.facts.expires_at {
        return Err(Refusal::NothingToChange);
    }
    let breakage_minor = card.purse.balance_minor;
    if let Some(rest) = Amount::try_new(breakage_minor) {
        draft.transfer(AccountId::Card(id), AccountId::Breakage(card.facts.operator), rest)?;
    }
    draft.set_card(id, CardState::Expired { holder, at: draft.at, tag });
    Ok(Done::CardExpired { breakage_minor })
}
