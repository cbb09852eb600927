//! The operator's side: rules, issuing cards, and what care may do to a card.

use std::sync::Arc;

use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::card::CardState;
use crate::command::{CardChange, ChangeCard, IssueCards, LoadRules};
use crate::effects::Change;
use crate::ids::{CardId, Serial};
use crate::money::Amount;
use crate::office::motion::Proposal;
use crate::refusal::Refusal;
use crate::state::CardFacts;
use crate::time::Timestamp;
use crate::verdict::Done;

use super::card_state::{self, changed_state};
use super::draft::Draft;
use super::issue::Issuing;
use super::staff::still_serves;
use super::{batch, motion, rules};

/// Puts an operator's first rules in force; later ones wait for a second person.
pub(super) fn load_rules(draft: &mut Draft<'_>, load: &LoadRules) -> Result<Done, Refusal> {
    let Some(known) = rules::operator_named(draft.state, &load.rules) else { return rules::load_first(draft, load) };
    let rules = Arc::clone(&load.rules);
    let proposal = Proposal::Rules { rules, file_hash: load.file_hash, from: load.from };
    motion::propose(draft, load.staff, known, &proposal)
}

/// Issues cards that are sold at once.
pub(super) fn issue_cards(draft: &mut Draft<'_>, issue: &IssueCards) -> Result<Done, Refusal> {
    draft.concern(issue.operator);
    let operator = draft.state.operator(issue.operator).ok_or(Refusal::OperatorUnknown)?;
    still_serves(draft, issue.operator)?;
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
    if card_state::is_void(draft.state, draft.at, id, card) {
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
