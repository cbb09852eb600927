//! A damaged journal: an entry that does not fit the state is refused and says why, whatever is wrong with it.

use super::profile;
use super::script::play;
use crate::account::AccountId;
use crate::card::CardState;
use crate::currency::Currency;
use crate::effects::{BalanceAfter, Change, Effects, Named, UsageAfter};
use crate::ids::{CardId, LimitId, OperatorId, OutletId, Serial, SubscriberId};
use crate::office::issued::Issued;
use crate::office::{Record, RecordKey};
use crate::receipt::Seq;
use crate::rules::LimitName;
use crate::state::{CardFacts, CardLink, LimitIdentity, LimitRow, State, SubscriberFacts};
use crate::testing::{card_number, minor, phone};
use crate::time::BusinessDate;

const FIRST: SubscriberId = SubscriberId(0);
const SECOND: SubscriberId = SubscriberId(1);
/// Nobody has this row, and no card either.
const NONE: u32 = 77;

/// Two phones: the first has cards 1 to 3, card 4 is sold to nobody yet. One limit.
fn state() -> State {
    play(
        "test from 2020-01-01
         | limit daily gift sender count 9 business-day
         191…001 has a card with 10
         191…001 has a card with 20
         191…001 has a card with 30
         191…002 is known since 2019-01-01
         test issues 40",
    )
    .world
    .state
}

fn changes(changes: impl IntoIterator<Item = Change>) -> Effects {
    Effects { changes: changes.into_iter().collect(), ..Effects::default() }
}

fn balance(account: AccountId, after_minor: i64) -> Effects {
    let balances = [BalanceAfter { account, after_minor, prev: Seq::ZERO }].into_iter().collect();
    Effects { balances, ..Effects::default() }
}

fn usage(limit: u16, subject: u64) -> Effects {
    let start = BusinessDate::default();
    let used = UsageAfter { limit: LimitId(limit), subject, start, count: 1, total_minor: 1 };
    Effects { usage: [used].into_iter().collect(), ..Effects::default() }
}

/// New facts of the first phone's row.
fn facts(state: &State, how: impl FnOnce(&mut SubscriberFacts)) -> Effects {
    let mut facts = state.subscribers[0].facts;
    how(&mut facts);
    changes([Change::Subscriber { id: FIRST, facts }])
}

/// A card in that row, which differs from card 4.
fn card(state: &State, row: u32, how: impl FnOnce(&mut CardFacts)) -> Effects {
    let mut facts = CardFacts { number: card_number(900), ..state.cards[3].facts };
    how(&mut facts);
    changes([Change::Card { id: CardId(row), facts }])
}

fn card_state(row: u32, state: CardState) -> Effects {
    changes([Change::CardState { id: CardId(row), state }])
}

fn closed(row: u32) -> Effects {
    card_state(row, CardState::Closed { holder: Some(FIRST), at: crate::time::Timestamp::MIN })
}

fn record(key: RecordKey, record: Option<Record>) -> Effects {
    changes([Change::Record { key, record }])
}

fn limits(rows: &[(u16, Option<LimitRow>)]) -> Effects {
    changes(rows.iter().map(|(row, limit)| Change::Limit { id: LimitId(*row), limit: limit.clone() }))
}

/// The operator's rules with one limit, in that row.
fn with_limit(name: &str, row: u16) -> Effects {
    let mut rules = profile::rules("test", &[&format!("limit {name} gift sender count 9 business-day")]);
    rules.limits_mut().for_each(|limit| limit.id = LimitId(row));
    changes([Change::Operator { id: OperatorId(0), rules: std::sync::Arc::new(rules), file_hash: [1; 32] }])
}

/// What does not fit, and what is said of it.
fn rows(state: &State) -> Vec<(&'static str, Effects)> {
    let tag = state.cards[0].facts.state.tag().expect("a tag");
    let named = |row| Named { subscriber: SubscriberId(row), prev: Seq::ZERO };
    let issued = Record::Issued(Issued { date: BusinessDate::default(), total_minor: 1 });
    let rules = |id: u8| {
        let rules = std::sync::Arc::new(profile::rules("other", &[]));
        changes([Change::Operator { id: OperatorId(id), rules, file_hash: [1; 32] }])
    };
    let daily = state.limit(LimitId(0)).expect("a limit").clone();
    let identity = LimitIdentity { name: LimitName::new("weekly"), ..daily.identity.clone() };
    let weekly = LimitRow { identity, until: daily.until };
    let next = |row: u32| changes([Change::Subscriber { id: SubscriberId(row), facts: state.subscribers[1].facts }]);
    vec![
        ("a subscriber's number and generation never change", facts(state, |facts| facts.msisdn = phone(9))),
        ("a subscriber's number and generation never change", facts(state, |facts| facts.generation += 1)),
        ("not the next subscriber", next(3)),
        ("no such sender", changes([Change::Gave { sender: named(NONE), recipient: named(0), amount: minor(1) }])),
        ("no such sender", changes([Change::Recent { sender: SubscriberId(NONE), recipient: FIRST }])),
        ("no such subscriber", changes([Change::Refused { subscriber: SubscriberId(NONE), count: 1 }])),
        ("no such subscriber", Effects { others: [named(NONE)].into_iter().collect(), ..Effects::default() }),
        ("not the next card", card(state, 5, |_| ())),
        ("not the next card", card(state, 3, |_| ())),
        ("a card number twice", card(state, 4, |facts| facts.number = state.cards[1].facts.number)),
        ("a new card that has a holder", card(state, 4, |facts| facts.state = CardState::Bound { holder: FIRST, tag })),
        ("no such card", card_state(NONE, CardState::Printed { tag })),
        ("no such card", changes([Change::BindWrong { id: CardId(NONE), wrong: 1 }])),
        ("a bound card changes its holder", card_state(0, CardState::Bound { holder: SECOND, tag })),
        ("a bound card changes its holder", card_state(0, CardState::Printed { tag })),
        ("no such holder", card_state(3, CardState::Bound { holder: SubscriberId(NONE), tag })),
        ("not the next operator", rules(2)),
        ("a purse below zero", balance(AccountId::Card(CardId(0)), -1)),
        ("no such account", balance(AccountId::Card(CardId(NONE)), 1)),
        ("no such account", balance(AccountId::Position(OperatorId(9)), 1)),
        ("no such account", balance(AccountId::Float(OutletId(9), Currency::Usd), 1)),
        ("no such limit", limits(&[(9, None)])),
        ("not the next limit", limits(&[(2, Some(daily.clone()))])),
        ("a limit's row belongs to another limit", limits(&[(0, Some(weekly))])),
        ("a limit that is forgotten", limits(&[(0, None), (0, Some(daily))])),
        ("no such limit", with_limit("daily", 9)),
        ("a limit's row belongs to another limit", with_limit("weekly", 0)),
        ("no such limit", usage(9, 0)),
        ("no such subject", usage(0, 1 << 32)),
        ("a record of another kind than its name", record(RecordKey::takings(Serial(1)), Some(issued))),
        ("no such record", record(RecordKey::takings(Serial(1)), None)),
    ]
}

#[test]
fn an_entry_that_does_not_fit_is_refused_with_the_reason() {
    let state = state();
    let (seq, at) = (state.seq().next(), state.at());
    for (what, effects) in rows(&state) {
        let misfit = state.clone().apply(seq, at, &effects).expect_err(what);
        assert_eq!((misfit.seq, misfit.what), (seq, what), "{effects:?}");
    }
    let fits = Effects::default();
    assert_eq!(state.clone().apply(seq.next(), at, &fits).expect_err("a gap").what, "it is not the next one");
    assert_eq!(state.clone().apply(state.seq(), at, &fits).expect_err("again").what, "it is not the next one");
    let before = state.clone().apply(seq, at.plus_ms(-1), &fits).expect_err("time runs backwards");
    assert_eq!(before.what, "it is older than the one before");
    state.clone().apply(seq, at, &fits).expect("the same instant is no fault");
}

/// A purse may be empty, and a book may be below zero: it says what was issued.
#[test]
fn what_fits_is_applied() {
    let state = state();
    let (seq, at) = (state.seq().next(), state.at());
    let position = AccountId::Position(OperatorId(0));
    for (account, after_minor) in [(AccountId::Card(CardId(0)), 0), (position, -101)] {
        let mut state = state.clone();
        state.apply(seq, at, &balance(account, after_minor)).expect("it fits");
        assert_eq!(state.purse(account).map(|purse| (purse.balance_minor, purse.latest)), Some((after_minor, seq)));
    }
}

/// What is wrong, the card that ends, and how it went wrong.
type Cut = (&'static str, u32, fn(&mut State));

/// A list of cards that lost one of its links.
#[test]
fn a_card_that_its_holder_does_not_have_can_t_end() {
    let whole = state();
    let (seq, at) = (whole.seq().next(), whole.at());
    let cuts: [Cut; 3] = [
        ("nobody has any", 0, |state| state.subscribers[0].first_card = None),
        ("the list ends before it", 2, |state| state.cards[1].next = None),
        ("the list goes on behind it", 0, |state| state.subscribers[0].first_card = CardLink::new(CardId(1))),
    ];
    for (how, row, cut) in cuts {
        let mut state = whole.clone();
        cut(&mut state);
        let misfit = state.apply(seq, at, &closed(row)).expect_err(how);
        assert_eq!(misfit.what, "a card that its holder does not have", "{how}");
    }
}

/// A card that ends leaves the list of its holder's cards, and nobody else does.
#[test]
fn whichever_card_ends_the_others_stay() {
    let whole = state();
    let (seq, at) = (whole.seq().next(), whole.at());
    for (row, left) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        let mut state = whole.clone();
        state.apply(seq, at, &closed(row)).expect("it fits");
        let listed: Vec<u32> = state.cards_of(&state.subscribers[0]).map(|(id, _)| id.0).collect();
        assert_eq!(listed, left, "without card {}", row + 1);
        // A second end changes nothing, and one that is bound later is the last.
        state.apply(seq.next(), at, &closed(row)).expect("it fits");
        let tag = state.cards[3].facts.state.tag().expect("a tag");
        state.apply(seq.next().next(), at, &card_state(3, CardState::Bound { holder: FIRST, tag })).expect("it fits");
        let listed: Vec<u32> = state.cards_of(&state.subscribers[0]).map(|(id, _)| id.0).collect();
        assert_eq!(listed, [left[0], left[1], 3]);
    }
}
