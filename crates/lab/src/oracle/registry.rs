//! Who and what there is, as the journal tells: rules as ordered, subscribers, cards, and their latest entries.

use std::collections::BTreeMap;

use domain::card::CardState;
use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::state::{CardFacts, Standing, SubscriberFacts};
use domain::time::Timestamp;
use domain::verdict::{Change, Effects};

use super::{Oracle, ordered_rules};
use crate::invariant::{GIFT_AS_ASKED, Held, JOURNAL_KEEPS, hold};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Registry {
    rules: BTreeMap<OperatorId, &'static Rules>,
    people: Vec<(SubscriberFacts, Seq)>,
    /// The latest row of a number.
    numbers: BTreeMap<Msisdn, SubscriberId>,
    cards: Vec<CardFacts>,
    /// Bound cards by holder, in the order of binding.
    bound: BTreeMap<SubscriberId, Vec<CardId>>,
}

impl Registry {
    /// The rules that the operator ordered.
    pub(super) fn rules(&self, operator: OperatorId) -> Option<&'static Rules> {
        self.rules.get(&operator).copied()
    }

    /// The row of a number that is in use with this operator.
    pub(super) fn active(&self, msisdn: Msisdn, operator: OperatorId) -> Option<SubscriberId> {
        let id = *self.numbers.get(&msisdn)?;
        self.facts(id).filter(|facts| facts.operator == operator && facts.standing != Standing::Released).map(|_| id)
    }

    /// A subscriber.
    pub(super) fn facts(&self, id: SubscriberId) -> Option<&SubscriberFacts> {
        self.people.get(usize::try_from(id.0).ok()?).map(|(facts, _)| facts)
    }

    /// All subscribers with their latest entry.
    pub(super) fn people(&self) -> &[(SubscriberFacts, Seq)] {
        &self.people
    }

    /// A card.
    pub(super) fn card(&self, id: CardId) -> Option<&CardFacts> {
        self.cards.get(usize::try_from(id.0).ok()?)
    }

    /// All cards.
    pub(super) fn cards(&self) -> &[CardFacts] {
        &self.cards
    }

    /// A phone's cards, in the order of binding, whatever their state.
    pub(super) fn cards_of(&self, holder: SubscriberId) -> impl Iterator<Item = (CardId, &CardFacts)> {
        let bound = self.bound.get(&holder).map_or(&[][..], Vec::as_slice);
        bound.iter().filter_map(|id| self.card(*id).map(|card| (*id, card)))
    }

    /// The generation that the next caller with a number belongs to.
    pub(super) fn generation(&self, msisdn: Msisdn) -> u16 {
        let facts = self.numbers.get(&msisdn).and_then(|id| self.facts(*id));
        facts.map_or(1, |facts| facts.generation + u16::from(facts.standing == Standing::Released))
    }

    /// Every number that was ever in use.
    pub(super) fn numbers(&self) -> impl Iterator<Item = Msisdn> {
        self.numbers.keys().copied()
    }

    /// Cards that may have to expire, with their instant.
    pub(super) fn due(&self, at: Timestamp) -> impl Iterator<Item = CardId> {
        let rows = (0_u32..).map(CardId).zip(&self.cards);
        rows.filter(move |(_, card)| card.expires_at <= at).map(|(id, _)| id)
    }

    /// The chain of history: what entries say was before them.
    pub(super) fn before(&self, seq: Seq, effects: &Effects) -> Held {
        for named in effects.named() {
            let row = usize::try_from(named.subscriber.0).unwrap_or(usize::MAX);
            let known = self.people.get(row).map_or(Seq::ZERO, |(_, latest)| *latest);
            Oracle::chained(seq, &named.subscriber, named.prev, known)?;
        }
        Ok(())
    }

    /// Learns from an entry.
    pub(super) fn entry(&mut self, seq: Seq, effects: &Effects) -> Held {
        for change in &effects.changes {
            self.change(seq, change)?;
        }
        for named in effects.named() {
            let row = usize::try_from(named.subscriber.0).unwrap_or(usize::MAX);
            if let Some((_, latest)) = self.people.get_mut(row) {
                *latest = seq;
            }
        }
        Ok(())
    }

    fn change(&mut self, seq: Seq, change: &Change) -> Held {
        match change {
            Change::Operator { id, file_hash, .. } => {
                let rules = ordered_rules(file_hash);
                hold(rules.is_some(), JOURNAL_KEEPS, || format!("entry {seq} loads rules that nobody ordered"))?;
                if let Some(rules) = rules {
                    self.rules.insert(*id, rules);
                }
            }
            Change::Subscriber { id, facts } => {
                let row = usize::try_from(id.0).unwrap_or(usize::MAX);
                match self.people.get_mut(row) {
                    Some((known, _)) => *known = *facts,
                    None => {
                        let generation = self.generation(facts.msisdn);
                        hold(generation == facts.generation, GIFT_AS_ASKED, || {
                            format!(
                                "entry {seq}: {:?} is generation {}, not {generation}",
                                facts.msisdn, facts.generation
                            )
                        })?;
                        self.numbers.insert(facts.msisdn, *id);
                        self.people.push((*facts, Seq::ZERO));
                    }
                }
            }
            Change::Card { facts, .. } => self.cards.push(*facts),
            Change::CardState { id, state } => {
                let row = usize::try_from(id.0).unwrap_or(usize::MAX);
                let Some(card) = self.cards.get_mut(row) else { return Ok(()) };
                if card.state.holder().is_none()
                    && let Some(holder) = state.holder()
                {
                    self.bound.entry(holder).or_default().push(*id);
                }
                card.state = *state;
            }
            // Nothing of them is asked of the world's people.
            Change::Lock { .. }
            | Change::Gave { .. }
            | Change::Held { .. }
            | Change::ToppedUp { .. }
            | Change::Refused { .. }
            | Change::BindWrong { .. }
            | Change::Bought { .. }
            | Change::Record { .. }
            | Change::Forgotten { .. }
            | Change::Recent { .. }
            | Change::Limit { .. }
            | Change::Turn { .. } => {}
        }
        Ok(())
    }
}

/// Whether a card may pay at an instant: bound, not past its time, not voided by a dated rule.
pub(super) fn usable(rules: &Rules, card: &CardFacts, at_ms: i64) -> bool {
    let voided = rules
        .periods
        .iter()
        .any(|period| period.cards_void && period.from.ms() <= at_ms && card.issued_at < period.from);
    matches!(card.state, CardState::Bound { .. }) && at_ms < card.expires_at.ms() && !voided
}
