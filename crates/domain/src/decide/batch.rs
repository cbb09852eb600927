//! Card production: a batch is begun, made by many bounded commands, sealed once, and brought to outlets.

use std::collections::HashSet;

use crate::TOUCH_MAX;
use crate::card::CardState;
use crate::ids::{BatchId, OperatorId, OutletId, Serial, Staff};
use crate::number::CardNumber;
use crate::office::batch::{BATCH_CARDS_MAX, Batch, BatchCommand, MadeCard, Stage};
use crate::office::ceiling::{Ceiling, RUNS_MAX};
use crate::office::done::OfficeDone;
use crate::office::refusal::OfficeRefusal;
use crate::office::{Record, RecordKey, RecordKind};
use crate::refusal::Refusal;
use crate::rules::Role;
use crate::state::{Card, CardFacts, State};
use crate::time::Timestamp;
use crate::verdict::Done;

use super::card_state;
use super::draft::Draft;
use super::issue::within_card_value;
use super::staff::{for_operator, may_issue, still_serves};

/// Whatever production asks.
pub(super) fn ask(draft: &mut Draft<'_>, staff: Staff, command: &BatchCommand) -> Result<Done, Refusal> {
    match command {
        BatchCommand::Start { operator, value, ordered } => {
            for_operator(draft, staff, *operator, Role::Finance)?;
            start(
                draft,
                Batch {
                    operator: *operator,
                    value: *value,
                    ordered: *ordered,
                    made: 0,
                    stage: Stage::Making,
                    runs: Vec::new(),
                },
            )
        }
        BatchCommand::Make { batch, cards } => {
            let known = making(draft, staff, *batch)?;
            make(draft, *batch, known, cards)
        }
        BatchCommand::Seal { batch, file_hash } => {
            let known = making(draft, staff, *batch)?;
            let missing = known.ordered.saturating_sub(known.made);
            if missing > 0 {
                return Err(OfficeRefusal::BatchIncomplete { missing }.into());
            }
            let cards = known.made;
            let sealed = Batch { stage: Stage::Sealed { file_hash: *file_hash }, ..known };
            draft.record(RecordKey::batch(*batch), Some(Record::Batch(sealed)));
            Ok(OfficeDone::BatchSealed { cards }.into())
        }
        BatchCommand::Abandon { batch } => {
            let known = making(draft, staff, *batch)?;
            let abandoned = Batch { stage: Stage::Abandoned, ..known };
            draft.record(RecordKey::batch(*batch), Some(Record::Batch(abandoned)));
            Ok(OfficeDone::BatchAbandoned.into())
        }
        BatchCommand::Stock { first, last, outlet } => stock(draft, staff, *first, *last, *outlet),
    }
}

fn start(draft: &mut Draft<'_>, batch: Batch) -> Result<Done, Refusal> {
    if !(1..=BATCH_CARDS_MAX).contains(&batch.ordered) {
        return Err(Refusal::TooMuchAtOnce { max: BATCH_CARDS_MAX });
    }
    may_issue(draft, batch.operator)?;
    still_serves(draft, batch.operator)?;
    draft.room(Ceiling::Batches, batch.operator)?;
    room_for(draft, &batch)?;
    let standing = &draft.state.operator(batch.operator).ok_or(Refusal::OperatorUnknown)?.rules.standing;
    within_card_value(standing, Some(batch.value.minor()))?;
    let latest = draft.state.records_of(RecordKind::Batch).next_back().map_or(0, |(id, _)| id);
    let number = u32::try_from(latest).ok().and_then(|latest| BatchId::try_new(latest.checked_add(1)?));
    let number = number.ok_or(Refusal::TooMuchAtOnce { max: u32::MAX })?;
    draft.record(RecordKey::batch(number), Some(Record::Batch(batch)));
    Ok(OfficeDone::BatchStarted { batch: number }.into())
}

/// Whether all cards of a batch could be made now: better said before than in the middle.
fn room_for(draft: &Draft<'_>, batch: &Batch) -> Result<(), Refusal> {
    let max = draft.state.operator(batch.operator).map_or(0, |known| known.rules.standing.cards_max());
    let after = draft.state.kept(batch.operator).cards.saturating_add(batch.ordered);
    if after > max { Err(OfficeRefusal::CeilingReached { of: Ceiling::Cards, max }.into()) } else { Ok(()) }
}

/// A batch that is still being made.
fn making(draft: &mut Draft<'_>, staff: Staff, batch: BatchId) -> Result<Batch, Refusal> {
    let known = draft.state.batch(batch).ok_or(OfficeRefusal::BatchUnknown)?.clone();
    for_operator(draft, staff, known.operator, Role::Finance)?;
    match known.stage {
        Stage::Making => Ok(known),
        Stage::Sealed { .. } => Err(OfficeRefusal::BatchSealed.into()),
        Stage::Abandoned => Err(OfficeRefusal::BatchAbandoned.into()),
    }
}

fn make(draft: &mut Draft<'_>, batch: BatchId, known: Batch, cards: &[MadeCard]) -> Result<Done, Refusal> {
    if cards.len() > TOUCH_MAX {
        return Err(Refusal::TooMuchAtOnce { max: u32::try_from(TOUCH_MAX).unwrap_or(u32::MAX) });
    }
    let count = u32::try_from(cards.len()).unwrap_or(u32::MAX);
    let room = known.ordered.saturating_sub(known.made);
    if count > room {
        return Err(OfficeRefusal::BatchFull { room }.into());
    }
    still_serves(draft, known.operator)?;
    let rules = &draft.state.operator(known.operator).ok_or(Refusal::OperatorUnknown)?.rules;
    all_new(draft.state, cards.iter().map(|card| card.number))?;
    let mut first = None;
    for new in cards {
        let id = draft.create_card(CardFacts {
            number: new.number,
            operator: known.operator,
            issued_at: draft.at,
            expires_at: rules.card_expiry(draft.at).unwrap_or(Timestamp::MAX),
            state: CardState::Printed { tag: new.tag },
            batch: Some(batch),
        })?;
        first = first.or(Some(Serial::of(id)));
    }
    let first = first.ok_or(Refusal::NothingToChange)?;
    let made = known.made.saturating_add(count);
    let runs = with_run(known.runs, first, count);
    if runs.len() > RUNS_MAX as usize {
        return Err(OfficeRefusal::CeilingReached { of: Ceiling::Runs, max: RUNS_MAX }.into());
    }
    draft.record(RecordKey::batch(batch), Some(Record::Batch(Batch { made, runs, ..known })));
    Ok(OfficeDone::CardsMade { first, count }.into())
}

/// Numbers that no card has yet, and that are all different.
pub(super) fn all_new(state: &State, numbers: impl ExactSizeIterator<Item = CardNumber>) -> Result<(), Refusal> {
    let mut seen = HashSet::with_capacity(numbers.len());
    for (index, number) in (0_u32..).zip(numbers) {
        if state.find_card(number).is_some() {
            return Err(Refusal::CardNumberTaken { index });
        }
        if !seen.insert(number) {
            return Err(Refusal::TwiceInList { index });
        }
    }
    Ok(())
}

/// Serials run without a gap unless cards were issued in between.
fn with_run(mut runs: Vec<(Serial, u32)>, first: Serial, count: u32) -> Vec<(Serial, u32)> {
    match runs.last_mut() {
        Some((begin, len)) if begin.0.saturating_add(*len) == first.0 => *len = len.saturating_add(count),
        _ => runs.push((first, count)),
    }
    runs
}

/// Whether the card's batch is sealed: until then it does not exist.
pub(super) fn exists(state: &State, card: &Card) -> bool {
    card.facts.batch.is_none_or(|batch| state.batch(batch).is_some_and(|b| matches!(b.stage, Stage::Sealed { .. })))
}

fn stock(draft: &mut Draft<'_>, staff: Staff, first: Serial, last: Serial, outlet: OutletId) -> Result<Done, Refusal> {
    let operator: OperatorId = draft.state.outlet(outlet).ok_or(OfficeRefusal::OutletUnknown)?.operator;
    for_operator(draft, staff, operator, Role::Finance)?;
    let count = last.0.checked_sub(first.0).map(|more| more.saturating_add(1)).ok_or(OfficeRefusal::RangeMalformed)?;
    let max = u32::try_from(TOUCH_MAX).unwrap_or(u32::MAX);
    if count > max {
        return Err(Refusal::TooMuchAtOnce { max });
    }
    for serial in (first.0..=last.0).map(Serial) {
        let (id, card) = draft.state.card_of_serial(serial).ok_or(Refusal::CardUnknown)?;
        let no = |why: &str| Err(OfficeRefusal::CardNotForSale { serial, state: String::from(why) }.into());
        if card.facts.operator != operator {
            return Err(OfficeRefusal::RangeMalformed.into());
        }
        if !exists(draft.state, card) {
            return no("not-sealed");
        }
        if card_state::is_void(draft.state, draft.at, id, card) {
            return no("void");
        }
        match card.facts.state {
            CardState::Printed { tag } | CardState::InStock { tag, .. } => {
                draft.set_card(id, CardState::InStock { outlet, tag });
            }
            CardState::Sold { .. } | CardState::Bound { .. } | CardState::Frozen { .. } => {
                return Err(OfficeRefusal::CardSold { serial }.into());
            }
            CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. } => {
                return no(card.facts.state.name());
            }
        }
    }
    Ok(OfficeDone::Stocked { count }.into())
}
