//! What may become of a card, by its state and by what is asked.
//!
//! Deliberately not here: who may ask (see [`super::staff`]), expiry and sale, which are no changes by hand.

use crate::card::CardState;
use crate::command::CardChange;
use crate::ids::CardId;
use crate::refusal::Refusal;
use crate::state::Card;
use crate::time::Timestamp;

use super::draft::Draft;
use super::proof::unusable_why;

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

/// Where value goes that comes back to a card: to it, or, when its life is over, to the card that its holder bound first and
/// can use, or could after care thaws it; `None` when there is none. What comes back to a void card is paid out from there.
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
            draft.state.cards_of(holder).find(alive).map(|(id, _)| id)
        }
    }
}
