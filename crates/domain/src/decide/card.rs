//! What a holder does with a card: look, bind, change the password, freeze.

use crate::card::CardState;
use crate::command::{Bind, ChangePassword, NewPassword, Proved};
use crate::effects::Change;
use crate::ids::{CardId, Serial};
use crate::password::Opened;
use crate::refusal::{Refusal, Unusable};
use crate::state::{CARDS_MAX, Card, Lock};
use crate::verdict::{CardLine, Done};

use super::batch;
use super::card_state::unusable_why;
use super::draft::Draft;
use super::hold;
use super::limits;
use super::proof::{self, Known, Wanted};

/// Wrong passwords at binding one card before care must help.
const BIND_TRIES: u8 = 10;

/// The cards on this phone. A frozen or expired card still proves who asks.
pub(super) fn show(draft: &mut Draft<'_>, proved: &Proved) -> Result<Done, Refusal> {
    let (known, pick) = proof::proven(draft, proved, Wanted::Any)?;
    let cards = draft
        .state
        .cards_of(known.row)
        .map(|(id, card)| CardLine {
            serial: Serial::of(id),
            balance_minor: card.purse.balance_minor,
            usable: unusable_why(draft, id, card).is_none(),
        })
        .collect();
    let operator = draft.state.operator(proved.caller.operator);
    let period = operator.and_then(|operator| operator.rules.period(draft.at)).filter(|period| !period.closed);
    let sendable_minor = match period {
        Some(period) => limits::sendable_minor(draft, period, known.id, pick.id),
        None => Some(0),
    };
    Ok(Done::Cards { cards, sendable_minor, airtime_minor: known.row.airtime.balance_minor })
}

/// Where the caller's history begins.
pub(super) fn show_gifts(draft: &mut Draft<'_>, proved: &Proved) -> Result<Done, Refusal> {
    let (known, _) = proof::proven(draft, proved, Wanted::Any)?;
    Ok(Done::Gifts { latest: known.row.latest })
}

/// Another password for the card that the old one opens.
pub(super) fn change_password(draft: &mut Draft<'_>, change: &ChangePassword) -> Result<Done, Refusal> {
    let known = proof::caller(draft, &change.caller)?;
    if let Some(operator) = draft.state.operator(change.caller.operator) {
        proof::not_resting(draft.at, &known.facts, &operator.rules)?;
    }
    let pick = proof::card(draft, known, &change.caller, &change.old, Wanted::Usable)?;
    let tag = match change.new {
        NewPassword::Malformed => return Err(Refusal::NewPasswordMalformed),
        NewPassword::Differ => return Err(Refusal::NewPasswordsDiffer),
        NewPassword::Trivial => return Err(Refusal::NewPasswordTrivial),
        NewPassword::Tag(tag) => tag,
    };
    if change.old.current().is_some_and(|old| old.opens(&tag)) {
        return Err(Refusal::NewPasswordSame);
    }
    draft.set_card(pick.id, pick.card.facts.state.with_tag(tag));
    Ok(Done::PasswordChanged)
}

/// Stops the card that the password opens.
pub(super) fn freeze(draft: &mut Draft<'_>, proved: &Proved) -> Result<Done, Refusal> {
    let (known, pick) = proof::proven(draft, proved, Wanted::Usable)?;
    let Some(tag) = pick.card.facts.state.tag() else { return Err(Refusal::CardNotUsable { why: Unusable::Closed }) };
    let tag = proved.proof.current().unwrap_or(tag);
    let state = CardState::Frozen { holder: known.id, tag, since: draft.at };
    draft.set_card(pick.id, state);
    Ok(Done::Frozen { serial: Serial::of(pick.id) })
}

/// Binds a bought card. An unknown number reads as a wrong password, so that numbers can't be probed.
pub(super) fn bind(draft: &mut Draft<'_>, bind: &Bind) -> Result<Done, Refusal> {
    let known = match proof::caller(draft, &bind.caller) {
        // A number that becomes a subscriber by this very call has no card yet, and wants one.
        Err(Refusal::NoCard) => return bind_first_use(draft, bind),
        other => other?,
    };
    proof::not_locked(draft, known, &bind.caller)?;
    let found = found(draft, bind);
    let Some((id, card)) = found else { return Err(proof::wrong(draft, known, &bind.caller)) };
    if card.bind_wrong >= BIND_TRIES {
        return Err(Refusal::BindingBlocked);
    }
    if let Err(refusal) = opens(draft, bind, known, (id, card)) {
        return Err(refusal.unwrap_or_else(|| {
            draft.change_always(Change::BindWrong { id, wrong: card.bind_wrong.saturating_add(1) });
            proof::wrong(draft, known, &bind.caller)
        }));
    }
    make_room(draft, known)?;
    draft.set_lock(known.id, bind.caller.link, Lock::default());
    bound(draft, bind, known.id, id, card)
}

/// A phone that has as many cards as it may have gives up the empty one that was bound first, and of those whose life is
/// over it keeps the latest ones only: nobody meets a wall after so many cards, and no dial walks past hundreds.
fn make_room(draft: &mut Draft<'_>, known: Known<'_>) -> Result<(), Refusal> {
    let (over, in_use): (Vec<_>, Vec<_>) =
        draft.state.cards_of(known.row).partition(|(id, card)| unusable_for_good(draft, *id, card));
    let empty = |(id, card): &&(CardId, &Card)| {
        card.purse.balance_minor == 0 && hold::none_of_card(draft, known.id, *id).is_ok()
    };
    let mut given_up: Vec<CardId> = Vec::new();
    if in_use.len() >= CARDS_MAX {
        let max = u8::try_from(CARDS_MAX).unwrap_or(u8::MAX);
        let bound = |(_, card): &&(CardId, &Card)| matches!(card.facts.state, CardState::Bound { .. });
        let first = in_use.iter().find(|one| bound(one) && empty(one)).ok_or(Refusal::TooManyCards { max })?;
        given_up.push(first.0);
    }
    let over: Vec<CardId> = over.iter().filter(empty).map(|(id, _)| *id).collect();
    given_up.extend(over.iter().take(over.len().saturating_sub(CARDS_MAX)));
    for id in given_up {
        draft.set_card(id, CardState::Closed { holder: Some(known.id), at: draft.at });
    }
    Ok(())
}

/// Whether a bound card can never be used again, whatever care does.
fn unusable_for_good(draft: &Draft<'_>, id: CardId, card: &Card) -> bool {
    match unusable_why(draft, id, card) {
        None | Some(Unusable::Frozen | Unusable::NotSold | Unusable::AlreadyBound) => false,
        Some(Unusable::Expired | Unusable::Void | Unusable::Closed) => true,
    }
}

fn found<'a>(draft: &Draft<'a>, bind: &Bind) -> Option<(CardId, &'a Card)> {
    let number = bind.number.value()?;
    let own = |card: &Card| card.facts.operator == bind.caller.operator && batch::exists(draft.state, card);
    draft.state.find_card(number).filter(|(_, card)| own(card))
}

/// Whether the printed password is right; `Err(None)` is a wrong one, `Err(Some)` another refusal.
fn opens(draft: &Draft<'_>, bind: &Bind, known: Known<'_>, (id, card): (CardId, &Card)) -> Result<(), Option<Refusal>> {
    let unusable = |why| Some(Refusal::CardNotUsable { why });
    match card.facts.state {
        CardState::Sold { tag, .. } => match (bind.proof.opens(&tag), unusable_why(draft, id, card)) {
            (Opened::No, _) => Err(None),
            (_, Some(why)) => Err(unusable(why)),
            (_, None) => Ok(()),
        },
        // A card that was never sold opens nothing, and tells nobody that it exists unless the password is right.
        CardState::Printed { tag } | CardState::InStock { tag, .. } => match bind.proof.opens(&tag) {
            Opened::No => Err(None),
            Opened::Current | Opened::Older => Err(unusable(Unusable::NotSold)),
        },
        // Only its own holder hears that it is bound.
        CardState::Bound { holder, tag } | CardState::Frozen { holder, tag, .. } => {
            let own = holder == known.id && bind.holder_tag.is_some_and(|typed| typed.opens(&tag));
            Err(own.then_some(Refusal::CardNotUsable { why: Unusable::AlreadyBound }))
        }
        CardState::Expired { holder: None, tag, .. } | CardState::Void { holder: None, tag, .. } => {
            match bind.proof.opens(&tag) {
                Opened::No => Err(None),
                Opened::Current | Opened::Older => Err(unusable_why(draft, id, card).and_then(unusable)),
            }
        }
        CardState::Expired { .. } | CardState::Void { .. } | CardState::Closed { .. } => Err(None),
    }
}

fn bound(
    draft: &mut Draft<'_>,
    bind: &Bind,
    holder: crate::ids::SubscriberId,
    id: CardId,
    card: &Card,
) -> Result<Done, Refusal> {
    // The edge makes both tags or neither, so a proof that opened the card comes with this one.
    let tag = bind.holder_tag.ok_or(Refusal::WrongPassword { tries_left: 0, locked_until: None })?;
    draft.set_card(id, CardState::Bound { holder, tag });
    if card.bind_wrong != 0 {
        draft.change(Change::BindWrong { id, wrong: 0 });
    }
    Ok(Done::Bound { serial: Serial::of(id), balance_minor: card.purse.balance_minor })
}

/// The first call of a number in range is a binding: it becomes a subscriber and the card is bound in one verdict.
fn bind_first_use(draft: &mut Draft<'_>, bind: &Bind) -> Result<Done, Refusal> {
    let next = u32::try_from(draft.state.subscribers.len()).map_err(|_| Refusal::CallerUnknown)?;
    let holder = crate::ids::SubscriberId(next);
    let wrong = |draft: &mut Draft<'_>| {
        draft.set_lock(holder, bind.caller.link, Lock { wrong: 1, ..Lock::default() });
        Refusal::WrongPassword { tries_left: proof::TRIES - 1, locked_until: None }
    };
    let Some((id, card)) = found(draft, bind) else { return Err(wrong(draft)) };
    if card.bind_wrong >= BIND_TRIES {
        return Err(Refusal::BindingBlocked);
    }
    match card.facts.state {
        CardState::Sold { tag, .. } if bind.proof.opens(&tag) != Opened::No => match unusable_why(draft, id, card) {
            Some(why) => Err(Refusal::CardNotUsable { why }),
            None => bound(draft, bind, holder, id, card),
        },
        _ => {
            draft.change_always(Change::BindWrong { id, wrong: card.bind_wrong.saturating_add(1) });
            Err(wrong(draft))
        }
    }
}
