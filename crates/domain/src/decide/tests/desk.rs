//! The office in tests: who asks, what is sold, what is owed.

use super::script::{SECOND, STAFF};
use crate::card::CardState;
use crate::currency::{Currency, share_down};
use crate::ids::{BatchId, CardId, OperatorId, OutletId, Serial};
use crate::office::Asked;
use crate::office::batch::{BatchCommand, MadeCard};
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal};
use crate::office::till::{Goods, Rate, TillCommand};
use crate::rules::tariff::Ratio;
use crate::state::State;
use crate::testing::{PASSWORD, World, asked, card_number, minor, password, seconded};
use crate::time::Timestamp;
use crate::verdict::{Done, Outcome};

/// The answer to something asked by [`STAFF`].
pub(super) fn answer(world: &mut World, what: Asked) -> Outcome {
    world.act(&asked(STAFF, what)).outcome
}

/// The same, when it must succeed.
#[track_caller]
pub(super) fn done(world: &mut World, what: Asked) -> OfficeDone {
    let name = what.name();
    match answer(world, what) {
        Outcome::Done(Done::Office(done)) => *done,
        other => panic!("{name}: {other:?}"),
    }
}

/// Proposes and approves.
#[track_caller]
pub(super) fn resolve(world: &mut World, operator: OperatorId, proposal: Proposal) {
    let propose = MotionCommand::Propose { operator, proposal: Box::new(proposal) };
    let proposed = world.act(&asked(STAFF, Asked::Motion(propose)));
    world.done(&seconded(&proposed, SECOND).unwrap_or_else(|| panic!("{proposed:?}")));
}

/// So much cash for one of airtime, from now on.
pub(super) fn rate(currency: Currency, numerator: u32, denominator: u32) -> Proposal {
    let ratio = Ratio { numerator, denominator };
    Proposal::Rate { currency, rate: Rate { from: Timestamp::MIN, until: None, ratio } }
}

/// A card to print; no two have a number.
pub(super) fn to_print(world: &World, operator: OperatorId, n: u64, digits: &str) -> MadeCard {
    let number = card_number(n);
    let password = password(digits);
    MadeCard { number, tag: world.keys.current().card(operator, number, &password) }
}

/// A sealed batch at an outlet that can pay for it: the outlet, and the first serial.
pub(super) fn stocked(world: &mut World, operator: OperatorId, value: i64, count: u32) -> (OutletId, Serial) {
    let open = TillCommand::OpenOutlet { operator, name: String::from("post office") };
    let OfficeDone::OutletOpened { outlet } = done(world, Asked::Till(open)) else { panic!("an outlet") };
    for currency in Currency::ALL {
        done(world, Asked::Till(TillCommand::Deposit { outlet, currency, amount: minor(100_000_000) }));
    }
    let start = BatchCommand::Start { operator, value: minor(value), ordered: count };
    let OfficeDone::BatchStarted { batch } = done(world, Asked::Batch(start)) else { panic!("a batch") };
    let first = printed(world, operator, batch, count);
    done(world, Asked::Batch(BatchCommand::Seal { batch, file_hash: [1; 32] }));
    for from in (0..count).step_by(crate::TOUCH_MAX) {
        let last = Serial(first.0 + count.min(from + 1_000) - 1);
        done(world, Asked::Batch(BatchCommand::Stock { first: Serial(first.0 + from), last, outlet }));
    }
    (outlet, first)
}

fn printed(world: &mut World, operator: OperatorId, batch: BatchId, count: u32) -> Serial {
    let all: Vec<MadeCard> = (0..u64::from(count)).map(|n| to_print(world, operator, 5_000 + n, PASSWORD)).collect();
    let mut serial = None;
    for cards in all.chunks(crate::TOUCH_MAX) {
        let make = BatchCommand::Make { batch, cards: cards.to_vec() };
        let OfficeDone::CardsMade { first, .. } = done(world, Asked::Batch(make)) else { panic!("cards") };
        serial = serial.or(Some(first));
    }
    serial.expect("a card")
}

/// Quotes and sells one card.
pub(super) fn sold(world: &mut World, outlet: OutletId, currency: Currency, first: Serial) -> OfficeDone {
    let goods = Goods::Cards { first, count: 1 };
    let quoted = done(world, Asked::Till(TillCommand::Quote { outlet, currency, goods }));
    let OfficeDone::Quoted { quote, .. } = quoted else { panic!("a quote") };
    done(world, Asked::Till(TillCommand::Sell { quote }))
}

/// Whether a card is void now, by its state, a range or a dated rule: told a second time, from the state alone.
pub(super) fn is_void(state: &State, id: CardId, at: Timestamp) -> bool {
    let card = state.card(id).expect("a card");
    let rules = &state.operator(card.facts.operator).expect("an operator").rules;
    let by_rule = rules.cards_void_before(at).is_some_and(|before| card.facts.issued_at < before);
    match card.facts.state {
        CardState::Void { .. } => true,
        CardState::Closed { .. } | CardState::Expired { .. } => false,
        _ => by_rule || state.void_range(Serial::of(id)).is_some(),
    }
}

/// A void card with something on it: what it is worth, and what is owed for it in the currency that it was bought in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) serial: Serial,
    pub(super) left_minor: i64,
    pub(super) currency: Currency,
    pub(super) owed_minor: i64,
}

/// Everything that is owed, as a report lists it: by card.
pub(super) fn owed(state: &State, at: Timestamp) -> Vec<Owed> {
    let line = |(id, card): (CardId, &crate::state::Card)| {
        let left_minor = card.purse.balance_minor;
        let bought = card.bought.filter(|_| left_minor > 0 && is_void(state, id, at))?;
        let (price, value) = (bought.price.minor(), bought.value.minor());
        let owed_minor = share_down(price, left_minor.min(value), value)?;
        Some(Owed { serial: Serial::of(id), left_minor, currency: bought.currency, owed_minor })
    };
    state.cards().filter_map(line).collect()
}
