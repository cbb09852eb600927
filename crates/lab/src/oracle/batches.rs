//! Card production: batches, and cards that do not exist before theirs is sealed.

use std::collections::BTreeMap;

use domain::card::CardState;
use domain::ids::{BatchId, OperatorId, Serial};
use domain::office::batch::BatchCommand;
use domain::office::done::OfficeDone;

use super::{At, Oracle};
use crate::invariant::{Broken, Held, OFFICE_AS_ASKED, hold};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Making,
    Sealed,
    GivenUp,
}

#[derive(Clone, Debug)]
struct Batch {
    operator: OperatorId,
    value: i64,
    ordered: u32,
    made: u32,
    stage: Stage,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Batches(BTreeMap<BatchId, Batch>);

impl Batches {
    /// Whether its cards exist.
    pub(super) fn is_sealed(&self, batch: BatchId) -> bool {
        self.0.get(&batch).is_some_and(|batch| batch.stage == Stage::Sealed)
    }

    /// What is on each of its cards after the sale.
    pub(super) fn value(&self, batch: BatchId) -> Option<i64> {
        self.0.get(&batch).map(|batch| batch.value)
    }

    /// Whose it is.
    pub(super) fn owner(&self, batch: BatchId) -> Option<OperatorId> {
        self.0.get(&batch).map(|batch| batch.operator)
    }

    /// Whether a batch is known, sealed or given up, and how many of its cards are missing.
    pub(super) fn standing(&self, batch: BatchId) -> Option<(bool, bool, u32)> {
        let known = self.0.get(&batch)?;
        Some((known.stage == Stage::Sealed, known.stage == Stage::GivenUp, known.ordered - known.made))
    }
}

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: OFFICE_AS_ASKED, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

impl Oracle {
    /// What production asked.
    pub(super) fn batch(&mut self, at: At<'_>, command: &BatchCommand, done: &OfficeDone) -> Held {
        let latest = self.batches.0.keys().last().map_or(0, |latest| latest.get());
        let cards = u32::try_from(self.registry.cards().len()).unwrap_or(u32::MAX);
        let making = |batches: &mut Batches, batch: BatchId| -> Result<Batch, Broken> {
            let known = batches.0.get(&batch).cloned().ok_or_else(|| wrong(at, "no such batch"))?;
            hold(known.stage == Stage::Making, OFFICE_AS_ASKED, || format!("entry {}: {known:?}", at.seq))?;
            Ok(known)
        };
        match (command, done) {
            (BatchCommand::Start { operator, value, ordered }, OfficeDone::BatchStarted { batch }) => {
                hold(batch.get() == latest + 1, OFFICE_AS_ASKED, || format!("entry {}: {batch:?}", at.seq))?;
                let (operator, value, ordered) = (*operator, value.minor(), *ordered);
                self.batches.0.insert(*batch, Batch { operator, value, ordered, made: 0, stage: Stage::Making });
            }
            (BatchCommand::Make { batch, cards: new }, OfficeDone::CardsMade { first, count }) => {
                let known = making(&mut self.batches, *batch)?;
                let due = u32::try_from(new.len()).unwrap_or(u32::MAX);
                let fits = known.made + due <= known.ordered && due > 0;
                let told = *count == due && first.0 == cards + 1;
                hold(fits && told, OFFICE_AS_ASKED, || format!("entry {}: {done:?} of {known:?}", at.seq))?;
                self.batches.0.insert(*batch, Batch { made: known.made + due, ..known });
            }
            (BatchCommand::Seal { batch, .. }, OfficeDone::BatchSealed { cards }) => {
                let known = making(&mut self.batches, *batch)?;
                hold(known.made == known.ordered && *cards == known.made, OFFICE_AS_ASKED, || {
                    format!("entry {}: {done:?} of {known:?}", at.seq)
                })?;
                self.batches.0.insert(*batch, Batch { stage: Stage::Sealed, ..known });
            }
            (BatchCommand::Abandon { batch }, OfficeDone::BatchAbandoned) => {
                let known = making(&mut self.batches, *batch)?;
                if known.made > 0 {
                    self.meet("a batch is given up after cards of it were made");
                }
                self.batches.0.insert(*batch, Batch { stage: Stage::GivenUp, ..known });
            }
            (BatchCommand::Stock { first, last, outlet }, OfficeDone::Stocked { count }) => {
                let operator = self.tills.owner(*outlet);
                hold(*count == last.0 - first.0 + 1, OFFICE_AS_ASKED, || format!("entry {}: {done:?}", at.seq))?;
                for serial in first.0..=last.0 {
                    let found = self.registry.of_serial(Serial(serial)).map(|(id, card)| (id, *card));
                    let (id, card) = found.ok_or_else(|| wrong(at, "no such card"))?;
                    let printed = matches!(card.state, CardState::Printed { .. } | CardState::InStock { .. });
                    let sealed = card.batch.is_some_and(|batch| self.batches.is_sealed(batch));
                    let own = Some(card.operator) == operator;
                    hold(printed && sealed && own && !self.is_void(id, &card, at.ms), OFFICE_AS_ASKED, || {
                        format!("entry {}: card {} is not to be brought anywhere", at.seq, id.0)
                    })?;
                }
            }
            _ => return Err(wrong(at, "answers something else")),
        }
        Ok(())
    }
}
