//! Who and what there is, as the journal tells: subscribers, cards, and their latest entries.

use std::collections::BTreeMap;

use domain::card::CardState;
use domain::effects::{Change, Effects};
use domain::ids::{CardId, OperatorId, Serial, SubscriberId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::state::{CardFacts, RECENTS, Standing, SubscriberFacts};
use domain::time::Timestamp;

use super::Oracle;
use crate::invariant::{GIFT_AS_ASKED, Held, JOURNAL_KEEPS, hold};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Registry {
    people: Vec<(SubscriberFacts, Seq)>,
    /// The latest row of a number.
    numbers: BTreeMap<Msisdn, SubscriberId>,
    cards: Vec<CardFacts>,
    /// Bound cards by holder, in the order of binding. A closed one is out of it.
    bound: BTreeMap<SubscriberId, Vec<CardId>>,
    /// Serials that are void together, first and last.
    void_ranges: Vec<(Serial, Serial)>,
    /// To whom somebody gave latest, newest first.
    recents: BTreeMap<SubscriberId, Vec<SubscriberId>>,
}

impl Registry {
    /// The row of a number that is in use with this operator.
    pub(super) fn active(&self, msisdn: Msisdn, operator: OperatorId) -> Option<SubscriberId> {
        let id = *self.numbers.get(&msisdn)?;
        self.facts(id).filter(|facts| facts.operator == operator && facts.standing != Standing::Released).map(|_| id)
    }

    /// The latest row of a number, with whoever it is, unless the number was given back.
    pub(super) fn in_use(&self, msisdn: Msisdn) -> Option<(SubscriberId, &SubscriberFacts)> {
        let id = *self.numbers.get(&msisdn)?;
        self.facts(id).filter(|facts| facts.standing != Standing::Released).map(|facts| (id, facts))
    }

    /// A subscriber.
    pub(super) fn facts(&self, id: SubscriberId) -> Option<&SubscriberFacts> {
        self.people.get(usize::try_from(id.0).ok()?).map(|(facts, _)| facts)
    }

    /// The latest entry that names a subscriber.
    pub(super) fn latest(&self, id: SubscriberId) -> Seq {
        self.people.get(usize::try_from(id.0).unwrap_or(usize::MAX)).map_or(Seq::ZERO, |(_, latest)| *latest)
    }

    /// All subscribers with their latest entry.
    pub(super) fn people(&self) -> &[(SubscriberFacts, Seq)] {
        &self.people
    }

    /// A card.
    pub(super) fn card(&self, id: CardId) -> Option<&CardFacts> {
        self.cards.get(usize::try_from(id.0).ok()?)
    }

    /// A card by its serial.
    pub(super) fn of_serial(&self, serial: Serial) -> Option<(CardId, &CardFacts)> {
        let id = CardId(serial.0.checked_sub(1)?);
        self.card(id).map(|card| (id, card))
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

    /// Whether somebody gave to somebody else lately.
    pub(super) fn gave_lately(&self, from: SubscriberId, to: SubscriberId) -> bool {
        self.recents.get(&from).is_some_and(|recents| recents.contains(&to))
    }

    /// Somebody gave to somebody else.
    pub(super) fn gave(&mut self, from: SubscriberId, to: SubscriberId) {
        let recents = self.recents.entry(from).or_default();
        recents.retain(|known| *known != to);
        recents.insert(0, to);
        recents.truncate(RECENTS);
    }

    /// A subscriber's latest recipients, newest first.
    pub(super) fn recents(&self, from: SubscriberId) -> &[SubscriberId] {
        self.recents.get(&from).map_or(&[], Vec::as_slice)
    }

    /// Serials in a row are void.
    pub(super) fn void(&mut self, first: Serial, last: Serial) {
        self.void_ranges.push((first, last));
    }

    /// The serials that are void together.
    pub(super) fn void_ranges(&self) -> &[(Serial, Serial)] {
        &self.void_ranges
    }

    /// Whether a card lies among serials that are void together.
    pub(super) fn in_void_range(&self, card: CardId) -> bool {
        let serial = Serial::of(card);
        self.void_ranges.iter().any(|(first, last)| *first <= serial && serial <= *last)
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

    /// The chain of history: what entries say was before them.
    pub(super) fn before(&self, seq: Seq, effects: &Effects) -> Held {
        for named in effects.named() {
            Oracle::chained(seq, &named.subscriber, named.prev, self.latest(named.subscriber))?;
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
            let known = self.people.get_mut(row);
            hold(known.is_some(), JOURNAL_KEEPS, || format!("entry {seq} names nobody: {:?}", named.subscriber))?;
            if let Some((_, latest)) = known {
                *latest = seq;
            }
        }
        Ok(())
    }

    fn change(&mut self, seq: Seq, change: &Change) -> Held {
        match change {
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
                match (card.state.holder(), state) {
                    (Some(holder), CardState::Closed { .. }) => {
                        self.bound.entry(holder).or_default().retain(|known| known != id);
                    }
                    (None, state) => {
                        if let Some(holder) = state.holder() {
                            self.bound.entry(holder).or_default().push(*id);
                        }
                    }
                    (Some(_), _) => {}
                }
                card.state = *state;
            }
            // Other parts of the oracle have books of their own for these, or nothing is asked of them.
            Change::Operator { .. }
            | Change::Lock { .. }
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

impl Oracle {
    /// Whether a card is void at an instant: by its state, among serials that are void together, or by a dated rule.
    pub(super) fn is_void(&self, id: CardId, card: &CardFacts, at_ms: i64) -> bool {
        match card.state {
            CardState::Void { .. } => true,
            CardState::Closed { .. } | CardState::Expired { .. } => false,
            CardState::Printed { .. }
            | CardState::InStock { .. }
            | CardState::Sold { .. }
            | CardState::Bound { .. }
            | CardState::Frozen { .. } => {
                let before = self.rules(card.operator).and_then(|rules| rules.voided_before(at_ms));
                self.registry.in_void_range(id) || before.is_some_and(|before| card.issued_at.ms() < before)
            }
        }
    }

    /// Whether a bound or sold card may be used at an instant.
    pub(super) fn is_live(&self, id: CardId, card: &CardFacts, at_ms: i64) -> bool {
        let state = matches!(card.state, CardState::Bound { .. } | CardState::Sold { .. });
        state && at_ms < card.expires_at.ms() && !self.is_void(id, card, at_ms)
    }

    /// Whether a card may pay at an instant.
    pub(super) fn usable(&self, id: CardId, card: &CardFacts, at_ms: i64) -> bool {
        matches!(card.state, CardState::Bound { .. }) && self.is_live(id, card, at_ms)
    }

    /// Whether somebody rests after a SIM change.
    pub(super) fn rests(&self, id: SubscriberId, rest_h: u32, at_ms: i64) -> bool {
        let changed = self.registry.facts(id).and_then(|facts| facts.imsi_changed_at);
        changed.is_some_and(|since: Timestamp| at_ms < since.ms() + i64::from(rest_h) * crate::calendar::HOUR_MS)
    }
}
