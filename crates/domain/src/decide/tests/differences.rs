//! Whatever changes of a state alone is found: no comparison leaves anything out.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::history::steps;
use super::laws::Life;
use super::script::play;
use crate::account::AccountId;
use crate::card::CardState;
use crate::generations::Age;
use crate::ids::{LinkId, OperatorId, SubscriberId};
use crate::memory::Memory;
use crate::money::Amount;
use crate::number::Imsi;
use crate::receipt::Seq;
use crate::state::{Lock, Purse, Repeat, RepeatKey, State, Usage, UsageKey};
use crate::time::{BusinessDate, Timestamp};

/// What is changed, and what it is told as.
type Row = (&'static str, fn(&mut State));

const FIRST: SubscriberId = SubscriberId(0);

fn own(state: &State) -> RepeatKey {
    let amount = Amount::try_new(77).expect("positive");
    RepeatKey { sender: FIRST, recipient: SubscriberId(u32::try_from(state.rows().0).expect("few")), amount }
}

const ROWS: [Row; 35] = [
    ("the state, entry", |state| state.seq = state.seq.next()),
    ("the state, instant", |state| state.at = state.at.plus_ms(1)),
    ("the state, operators", |state| drop(state.operators.pop())),
    ("operator test, rules", |state| {
        let rules = std::sync::Arc::make_mut(&mut state.operators[0].rules);
        rules.standing.swap_rest_h += 1;
    }),
    ("operator test, hash of its rules file", |state| state.operators[0].file_hash[31] ^= 1),
    ("operator test, date", |state| state.operators[0].date = state.operators[0].date.plus_days(1)),
    ("operator test, counts", |state| state.operators[0].kept.cards += 1),
    ("operator test, breakage", |state| state.operators[0].books[3].balance_minor += 1),
    ("operator test, position", |state| state.operators[0].books[4].latest = Seq(7_777)),
    ("the state, subscribers", |state| drop(state.subscribers.pop())),
    ("subscriber 0 (Msisdn(…001)), facts", |state| {
        state.subscribers[0].facts.imsi = Imsi::parse("467059999999999").ok();
    }),
    ("subscriber 0 (Msisdn(…001)), airtime", |state| state.subscribers[0].airtime.balance_minor += 1),
    ("subscriber 0 (Msisdn(…001)), latest entry", |state| state.subscribers[0].latest = Seq(7_777)),
    ("subscriber 0 (Msisdn(…001)), refusals", |state| state.subscribers[0].refused_count += 1),
    ("subscriber 0 (Msisdn(…001)), refusals", |state| {
        state.subscribers[0].refused_date = state.subscribers[0].refused_date.plus_days(1);
    }),
    ("subscriber 0 (Msisdn(…001)), recipients", |state| {
        state.put_recent(FIRST, SubscriberId(7_777)).expect("a sender");
    }),
    ("subscriber 0 (Msisdn(…001)), cards", |state| state.subscribers[0].first_card = None),
    ("the state, numbers", |state| state.by_msisdn.clear()),
    ("the state, cards", |state| state.cards.truncate(state.cards.len() - 1)),
    ("card 00000001, issued and expires", |state| state.cards[0].facts.expires_at = Timestamp::MIN),
    ("card 00000001, state", |state| {
        let tag = state.cards[0].facts.state.tag().expect("a tag");
        state.cards[0].facts.state = CardState::Frozen { holder: FIRST, tag, since: Timestamp::MIN };
    }),
    ("card 00000001, tag", |state| {
        let tag = state.cards[1].facts.state.tag().expect("another tag");
        state.cards[0].facts.state = state.cards[0].facts.state.with_tag(tag);
    }),
    ("card 00000001, balance", |state| state.cards[0].purse.balance_minor += 1),
    ("card 00000001, bound", |state| state.cards[0].bound = Seq(7_777)),
    ("card 00000001, wrong passwords at binding", |state| state.cards[0].bind_wrong += 1),
    ("the state, card numbers", |state| state.by_number.clear()),
    ("the state, limits", |state| drop(state.limits.pop())),
    ("the state, when a limit is forgotten", |state| state.limits_over_at = Some(Timestamp::MIN)),
    ("usage of limit 0 by 0x0, usage", |state| {
        let usage = Usage { start: BusinessDate::default(), count: 7, total_minor: 77 };
        let key = UsageKey { limit: crate::ids::LimitId(0), subject: 0 };
        state.put_usage(key, usage, Age::Newest).expect("a limit");
    }),
    ("lock of subscriber 0 over link 99, lock", |state| {
        state.locks.put(FIRST, LinkId(99), Lock { wrong: 1, ..Lock::default() });
    }),
    ("account Refunded(OperatorId(0)), balance", |state| {
        let account = AccountId::Refunded(OperatorId(0));
        let known = state.ledger.get(&account).copied().unwrap_or_default();
        state.ledger.insert(account, Purse { balance_minor: known.balance_minor + 1, ..known });
    }),
    ("outlet 1, record", |state| drop(state.records.pop_first())),
    ("subscriber 7777, gifts on hold", |state| drop(state.holds.insert(SubscriberId(7_777), vec![Seq(1)]))),
    ("the state, generations", |state| state.remembered.turn(Memory::Pairs, Seq(7_777), state.at)),
    ("the state, generations", |state| state.remembered.pair_window_days += 1),
];

/// A long enough history of everything.
fn lived() -> State {
    let mut runner = TestRunner::deterministic();
    Life::of(&steps().new_tree(&mut runner).expect("steps").current(), 0).world.state
}

#[test]
fn whatever_changes_alone_is_found() {
    let state = lived();
    assert_eq!(state.differences(&state.clone(), 9), []);
    for (told, change) in ROWS {
        let mut other = state.clone();
        change(&mut other);
        for (one, other) in [(&state, &other), (&other, &state)] {
            let found = one.differences(other, 100);
            let names: Vec<String> = found.iter().map(|found| format!("{}, {}", found.row, found.fact)).collect();
            assert!(names.iter().any(|name| name == told), "{told}: {names:?}");
            assert_eq!(one.differences(other, 1).len(), 1, "no more than was asked for");
        }
    }
}

/// What is remembered is compared with its generation: it decides when it will be forgotten.
#[test]
fn a_memory_of_another_generation_is_another_memory() {
    let state = play(
        "test from 2020-01-01
         | limit a gift pair count 9 calendar-month
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002",
    )
    .world
    .state;
    let repeats: fn(&mut State) = |state| {
        let rows: Vec<_> = state.repeats().collect();
        for (key, repeat) in rows {
            state.repeats.remove(&key);
            state.repeats.put(Age::Before, key, repeat);
        }
    };
    let pairs: fn(&mut State) = |state| {
        let rows: Vec<_> = state.pair_usage.iter().map(|(key, usage)| (*key, *usage)).collect();
        for (key, usage) in rows {
            state.pair_usage.remove(&key);
            state.pair_usage.put(Age::Before, key, usage);
        }
    };
    let more: fn(&mut State) = |state| {
        let key = own(state);
        state.repeats.insert(key, Repeat { at: state.at, seq: state.seq });
    };
    for (told, change) in [("remembered", repeats), ("usage", pairs), ("remembered", more)] {
        let mut other = state.clone();
        change(&mut other);
        let found = state.differences(&other, 9);
        assert!(!found.is_empty() && found.iter().all(|found| found.fact == told), "{told}: {found:?}");
    }
}
