//! What may become of a card, by its state and by what is asked.
//!
//! Deliberately not here: who may ask (see [`super::staff`]), expiry and sale, which are no changes by hand.

use crate::card::CardState;
use crate::command::CardChange;
use crate::refusal::Refusal;
use crate::state::Card;
use crate::time::Timestamp;

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
