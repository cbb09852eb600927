//! A card's life: from which state to which, and by what.

use domain::card::CardState;
use domain::command::{Body, CardChange};
use domain::effects::Change;
use domain::ids::CardId;
use domain::office::Asked;
use domain::office::done::OfficeDone;
use domain::office::motion::MotionCommand;
use domain::state::CardFacts;
use domain::verdict::{Done, Outcome};

use super::{At, Oracle};
use crate::invariant::{CARD_LIFE, Held, hold};

impl Oracle {
    /// Judges what an entry does to cards, by what they were before it.
    pub(super) fn lives(&self, at: At<'_>) -> Held {
        let mut born = self.registry.cards().len();
        for change in &at.entry.verdict.effects.changes {
            match change {
                Change::Card { id, facts } => {
                    hold(usize::try_from(id.0) == Ok(born) && may_be_born(at, facts), CARD_LIFE, || {
                        format!("entry {}: card {} is born as {}", at.seq, id.0, facts.state.name())
                    })?;
                    born += 1;
                }
                Change::CardState { id, state } => self.life(at, *id, state)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn life(&self, at: At<'_>, id: CardId, after: &CardState) -> Held {
        let Some(card) = self.registry.card(id) else {
            return hold(false, CARD_LIFE, || format!("entry {}: there is no card {}", at.seq, id.0));
        };
        let (before, was_void) = (&card.state, self.is_void(id, card, at.ms));
        hold(may(at, before, after, was_void), CARD_LIFE, || {
            format!(
                "entry {}, {}: card {} goes from {} to {}",
                at.seq,
                at.entry.body.name(),
                id.0,
                before.name(),
                after.name()
            )
        })
    }
}

fn may_be_born(at: At<'_>, facts: &CardFacts) -> bool {
    let done = matches!(at.entry.verdict.outcome, Outcome::Done(_));
    match (&at.entry.body, &facts.state) {
        (Body::IssueCards(_), CardState::Sold { at: sold, .. }) => done && sold.ms() == at.ms && facts.batch.is_none(),
        (Body::Office(_), CardState::Printed { .. }) => {
            matches!(office_done(at), Some(OfficeDone::CardsMade { .. })) && facts.batch.is_some()
        }
        _ => false,
    }
}

fn office_done(at: At<'_>) -> Option<&OfficeDone> {
    match &at.entry.verdict.outcome {
        Outcome::Done(Done::Office(done)) => Some(done),
        _ => None,
    }
}

/// Every (state, state) pair that may ever follow, with what brings it about.
fn may(at: At<'_>, before: &CardState, after: &CardState, was_void: bool) -> bool {
    use CardState as C;
    let body = &at.entry.body;
    let refused = matches!(at.entry.verdict.outcome, Outcome::Refused(_));
    let done = |is: fn(&Done) -> bool| matches!(&at.entry.verdict.outcome, Outcome::Done(done) if is(done));
    let office = office_done(at);
    let same_holder = before.holder() == after.holder();
    // A password that still had an older key's tag gets one of the newest key, in whatever state the card is.
    let retagged = body.caller().is_some() && core::mem::discriminant(before) == core::mem::discriminant(after);
    match (before, after) {
        (C::Printed { .. } | C::InStock { .. }, C::InStock { .. }) => {
            matches!(office, Some(OfficeDone::Stocked { .. }))
        }
        (C::InStock { .. }, C::Sold { .. }) => matches!(office, Some(OfficeDone::Sold { .. })),
        (C::Sold { .. }, C::Bound { .. }) => done(|done| matches!(done, Done::Bound { .. })) && !was_void,
        (C::Bound { .. }, C::Bound { .. }) => same_holder && retagged,
        (C::Frozen { since: then, .. }, C::Frozen { since: now, .. }) => same_holder && retagged && then == now,
        (C::Void { why: then, .. }, C::Void { why: now, .. }) => same_holder && retagged && then == now,
        (C::Expired { at: then, .. }, C::Expired { at: now, .. }) => same_holder && retagged && then == now,
        (C::Bound { .. }, C::Frozen { since, .. }) => {
            let asked = by_care(body, CardChange::Freeze) || matches!(body, Body::Freeze(_));
            same_holder && since.ms() == at.ms && !refused && asked
        }
        (C::Frozen { .. }, C::Bound { .. }) => same_holder && !refused && by_care(body, CardChange::Thaw),
        (
            C::Printed { .. } | C::InStock { .. } | C::Sold { .. } | C::Bound { .. } | C::Frozen { .. },
            C::Expired { at: when, .. },
        ) => same_holder && when.ms() == at.ms && !was_void && matches!(body, Body::ExpireCard(_)),
        (
            C::Printed { .. } | C::InStock { .. } | C::Sold { .. } | C::Bound { .. } | C::Frozen { .. },
            C::Void { at: when, .. },
        ) => {
            let by_two = matches!(office, Some(OfficeDone::Approved { .. })) && is_approval(body);
            let refunded = matches!((before, office), (C::Sold { .. }, Some(OfficeDone::Refunded { .. })));
            same_holder && when.ms() == at.ms && (by_two || refunded)
        }
        (C::Bound { .. }, C::Closed { .. }) => {
            let gave_way = done(|done| matches!(done, Done::Bound { .. }));
            same_holder && (gave_way || matches!(office, Some(OfficeDone::Merged { .. } | OfficeDone::PaidOut { .. })))
        }
        (C::Void { .. } | C::Expired { .. }, C::Closed { .. }) => {
            let gave_way = done(|done| matches!(done, Done::Bound { .. }));
            same_holder && (gave_way || (was_void && matches!(office, Some(OfficeDone::PaidOut { .. }))))
        }
        (C::Printed { .. } | C::InStock { .. } | C::Sold { .. } | C::Frozen { .. }, C::Closed { .. }) => {
            same_holder && was_void && matches!(office, Some(OfficeDone::PaidOut { .. }))
        }
        (_, C::Printed { .. })
        | (C::Closed { .. }, _)
        | (C::Printed { .. } | C::Sold { .. } | C::Bound { .. } | C::Frozen { .. }, C::Sold { .. })
        | (C::Sold { .. } | C::Bound { .. } | C::Frozen { .. }, C::InStock { .. })
        | (C::Printed { .. } | C::InStock { .. }, C::Bound { .. } | C::Frozen { .. })
        | (C::Sold { .. }, C::Frozen { .. })
        | (
            C::Void { .. },
            C::InStock { .. } | C::Sold { .. } | C::Bound { .. } | C::Frozen { .. } | C::Expired { .. },
        )
        | (
            C::Expired { .. },
            C::InStock { .. } | C::Sold { .. } | C::Bound { .. } | C::Frozen { .. } | C::Void { .. },
        ) => false,
    }
}

fn by_care(body: &Body, asked: CardChange) -> bool {
    matches!(body, Body::ChangeCard(change) if change.change == asked)
}

fn is_approval(body: &Body) -> bool {
    matches!(body, Body::Office(office) if matches!(office.what, Asked::Motion(MotionCommand::Approve { .. })))
}
