//! What a card may do in its state, and what may become of it.
//!
//! Guarantees: every state is a row of each table here. A new one does not compile until somebody decided what it means.
//!
//! Deliberately not here: who may ask (see [`super::staff`]), whether its batch is sealed (see [`super::batch`]).

use crate::card::CardState;
use crate::command::CardChange;
use crate::ids::{CardId, Serial};
use crate::refusal::{Refusal, Unusable};
use crate::rules::Rules;
use crate::state::{Card, State};
use crate::time::Timestamp;

use super::draft::Draft;

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

/// Why a card can't be used now. A due expiry counts from its instant, whether its timer has run or not.
pub(super) fn unusable_why(draft: &Draft<'_>, id: CardId, card: &Card) -> Option<Unusable> {
    unusable_under(draft.state, own_rules(draft.state, card), draft.at, id, card)
}

/// The same under any rules, at any time.
pub(super) fn unusable_under(
    state: &State,
    rules: Option<&Rules>,
    at: Timestamp,
    id: CardId,
    card: &Card,
) -> Option<Unusable> {
    match card.facts.state {
        CardState::Printed { .. } | CardState::InStock { .. } => Some(Unusable::NotSold),
        CardState::Frozen { .. } => Some(Unusable::Frozen),
        CardState::Closed { .. } => Some(Unusable::Closed),
        CardState::Expired { .. } => Some(Unusable::Expired),
        CardState::Void { .. } => Some(Unusable::Void),
        CardState::Sold { .. } | CardState::Bound { .. } => {
            if voided_by_rule(state, rules, at, id, card) {
                Some(Unusable::Void)
            } else if card.facts.expires_at <= at {
                Some(Unusable::Expired)
            } else {
                None
            }
        }
    }
}

/// Whether a card is void: by its state, by a range of serials, or by a dated rule. A card that ended otherwise is not.
pub(super) fn is_void(state: &State, at: Timestamp, id: CardId, card: &Card) -> bool {
    match card.facts.state {
        CardState::Void { .. } => true,
        CardState::Printed { .. }
        | CardState::InStock { .. }
        | CardState::Sold { .. }
        | CardState::Bound { .. }
        | CardState::Frozen { .. } => voided_by_rule(state, own_rules(state, card), at, id, card),
        CardState::Closed { .. } | CardState::Expired { .. } => false,
    }
}

fn own_rules<'a>(state: &'a State, card: &Card) -> Option<&'a Rules> {
    state.operator(card.facts.operator).map(|operator| &*operator.rules)
}

fn voided_by_rule(state: &State, rules: Option<&Rules>, at: Timestamp, id: CardId, card: &Card) -> bool {
    if state.void_range(Serial::of(id)).is_some() {
        return true;
    }
    let before = rules.and_then(|rules| rules.cards_void_before(at));
    before.is_some_and(|before| card.facts.issued_at < before)
}

/// Where value goes that comes back to a card: to it, or, when its life is over, to a card that its holder can use, or could
/// after care thaws it: the one bound first of those sold for the same currency, or else of all; `None` when there is none.
/// So what one currency bought is not paid out in another one while that can be helped, and a merged card's value finds the
/// card that it was merged into. What comes back to a void card is paid out from there.
pub(super) fn home_of(draft: &Draft<'_>, card: CardId) -> Option<CardId> {
    let known = draft.state.card(card)?;
    match known.facts.state {
        CardState::Printed { .. }
        | CardState::InStock { .. }
        | CardState::Sold { .. }
        | CardState::Bound { .. }
        | CardState::Frozen { .. }
        | CardState::Void { .. } => Some(card),
        CardState::Closed { .. } | CardState::Expired { .. } => {
            let holder = draft.state.subscriber(known.facts.state.holder()?)?;
            let alive = |(id, other): &(CardId, &Card)| {
                let frozen = matches!(other.facts.state, CardState::Frozen { .. });
                other.facts.operator == known.facts.operator && (frozen || unusable_why(draft, *id, other).is_none())
            };
            let currency = |card: &Card| card.bought.map(|bought| bought.currency);
            let same = |(_, other): &(CardId, &Card)| currency(other) == currency(known);
            let mut cards = draft.state.cards_of(holder).filter(alive).peekable();
            let first = cards.peek().map(|(id, _)| *id);
            cards.find(same).map(|(id, _)| id).or(first)
        }
    }
}
