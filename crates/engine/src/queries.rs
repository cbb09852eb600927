//! Questions to the state that change nothing and take no password.
//!
//! Guarantees: an answer is of one moment: it names the entry that it was seen at. Bounded: [`RECORDS_MAX`] records,
//! [`CARDS_COUNTED_MAX`] cards, for gifts wait meanwhile.
//!
//! Deliberately not here: when a question may be asked (between batches, see [`crate::run`]), how the engine does
//! ([`crate::status`]).

use domain::account::AccountId;
use domain::decide::is_void;
use domain::ids::{CardId, Serial, SubscriberId};
use domain::office::motion::Proposal;
use domain::office::{Record, RecordKey};
use domain::state::{Card, State};
use domain::time::Timestamp;

use crate::agenda::cards_due;
use crate::answer::{CARDS_COUNTED_MAX, CardCount, CardView, Query, RECORDS_MAX, Records, SubscriberView, View};

/// Answers a question from a state in which everything is durable.
pub(crate) fn answer(state: &State, query: Query) -> View {
    match query {
        Query::Subscriber(msisdn) => {
            let found = state.find_subscriber(msisdn).map(|(id, _)| id);
            View::Subscriber(found.and_then(|id| subscriber(state, id)))
        }
        Query::SubscriberRow(id) => View::Subscriber(subscriber(state, id)),
        Query::Card(serial) => View::Card(state.card_of_serial(serial).and_then(|(id, _)| card(state, id))),
        Query::Records { kind, from } => {
            let records = state.records_from(kind, from).take(RECORDS_MAX);
            let list = records.map(|(id, record)| (RecordKey { kind, id }, record.clone())).collect();
            View::Records(with_numbers(state, list))
        }
        Query::CardStates { first, last } => View::CardStates(card_states(state, first, last)),
        Query::CardsDue { first, last, at } => View::CardsDue(cards_due(state, first, last, at)),
        Query::CallPrice { msisdn, cross, seconds } => {
            View::CallPrice(domain::decide::call_price(state, msisdn, cross, seconds))
        }
    }
}

fn with_numbers(state: &State, list: Vec<(RecordKey, Record)>) -> Records {
    let named = |(_, record): &(RecordKey, Record)| match record {
        Record::Hold(hold) => [Some(hold.sender), Some(hold.recipient)],
        Record::Call(call) => [Some(call.subscriber), None],
        Record::Motion(motion) => concerned(&motion.proposal),
        Record::Outlet(_)
        | Record::Batch(_)
        | Record::Rates(_)
        | Record::Quote(_)
        | Record::VoidCards(_)
        | Record::Reversed(_)
        | Record::Stopped(_)
        | Record::Takings(_)
        | Record::Issued(_) => [None, None],
    };
    let number = |id: SubscriberId| state.subscriber(id).map(|row| (id, row.facts.msisdn));
    let numbers = list.iter().flat_map(named).flatten().filter_map(number).collect();
    Records { list, numbers }
}

/// Whose airtime a proposal moves: who approves it must see their numbers.
const fn concerned(proposal: &Proposal) -> [Option<SubscriberId>; 2] {
    const fn holder(account: AccountId) -> Option<SubscriberId> {
        match account {
            AccountId::Airtime(id) => Some(id),
            _ => None,
        }
    }
    match proposal {
        Proposal::Adjust { debit, credit, .. } => [holder(*debit), holder(*credit)],
        Proposal::Reverse(reversal) => [Some(reversal.sender), Some(reversal.recipient)],
        Proposal::Rules { .. } | Proposal::Rate { .. } | Proposal::VoidCards { .. } | Proposal::Close { .. } => {
            [None, None]
        }
    }
}

fn subscriber(state: &State, id: SubscriberId) -> Option<SubscriberView> {
    let row = state.subscriber(id)?;
    let number = |id: &SubscriberId| state.subscriber(*id).map(|row| row.facts.msisdn);
    let locked_until = state.locks_of(id).filter_map(|(_, lock)| lock.until).max();
    Some(SubscriberView {
        id,
        msisdn: row.facts.msisdn,
        operator: row.facts.operator,
        generation: row.facts.generation,
        standing: row.facts.standing,
        language: row.facts.language,
        since: row.facts.since,
        airtime_minor: row.airtime.balance_minor,
        latest: row.latest,
        cards: state.cards_of(row).filter_map(|(id, _)| card(state, id)).collect(),
        locked_until: locked_until.filter(|until| *until > state.at()),
        recents: state.recents_of(row).iter().filter_map(number).collect(),
    })
}

fn card(state: &State, id: CardId) -> Option<CardView> {
    let card = state.card(id)?;
    let holder = card.facts.state.holder().and_then(|holder| state.subscriber(holder));
    Some(CardView {
        serial: Serial::of(id),
        operator: card.facts.operator,
        state: state_name(state, id, card),
        balance_minor: card.purse.balance_minor,
        holder: holder.map(|holder| holder.facts.msisdn),
        bought: card.bought,
        batch: card.facts.batch,
        issued_at: card.facts.issued_at,
        expires_at: (card.facts.expires_at < Timestamp::MAX).then_some(card.facts.expires_at),
        latest: card.purse.latest,
    })
}

/// A range of void cards and a dated rule hold whatever a card's own state says, unless that one ended already.
fn state_name(state: &State, id: CardId, card: &Card) -> &'static str {
    if is_void(state, state.at(), id, card) { "void" } else { card.facts.state.name() }
}

fn card_states(state: &State, first: Serial, last: Serial) -> Vec<CardCount> {
    let mut counts: Vec<CardCount> = Vec::new();
    let last = Serial(last.0.min(first.0.saturating_add(CARDS_COUNTED_MAX - 1)));
    for (id, card) in (first.0..=last.0).filter_map(|serial| state.card_of_serial(Serial(serial))) {
        let (name, balance_minor) = (state_name(state, id, card), card.purse.balance_minor);
        match counts.iter_mut().find(|count| count.state == name) {
            Some(count) => {
                count.cards += 1;
                count.balance_minor = count.balance_minor.saturating_add(balance_minor);
            }
            None => counts.push(CardCount { state: name, cards: 1, balance_minor }),
        }
    }
    counts
}
