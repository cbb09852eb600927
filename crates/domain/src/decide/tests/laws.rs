//! Laws: what holds after any history, and after every entry of it.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::books::Books;
use super::history::{PASSWORDS, START, Step, body, opening, steps};
use super::rebuilt::{chain, indexes_lead_to_their_rows, restored};
use super::recount::Recount;
use super::script::{SECOND, play};

use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::command::Body;
use crate::decide::decide;
use crate::effects::{BalanceAfter, Change, Effects, Named};
use crate::ids::{CardId, LimitId, OperatorId, SubscriberId};
use crate::money::Amount;
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::restore::{CardRow, Restore};
use crate::state::{BOOKS, Card, Purse, State, Usage, UsageKey};
use crate::testing::{Kept, World, seconded};
use crate::time::Timestamp;
use crate::verdict::{Entry, Outcome, Verdict};

/// Lives through a history, checking every entry; what it was after so many entries is kept as well.
pub(super) struct Life {
    pub(super) world: World,
    pub(super) recount: Recount,
    books: Books,
    /// Entries, then the state after them.
    prefix: (usize, State),
}

impl Life {
    pub(super) fn of(steps: &[Step], prefix: usize) -> Self {
        let world = World::new(Timestamp::parse(START).expect("an instant"));
        let mut life =
            Self { world, recount: Recount::default(), books: Books::default(), prefix: (0, State::default()) };
        for step in opening().iter().chain(steps) {
            life.world.at = life.world.at.plus_s(step.wait_s);
            let Some(body) = body(&mut life.world, &step.act) else { continue };
            let verdict = life.entry(&body, prefix);
            if let Some(approval) = seconded(&verdict, SECOND).filter(|_| !step.act.waits()) {
                life.entry(&approval, prefix);
            }
        }
        life
    }

    fn entry(&mut self, body: &Body, prefix: usize) -> Verdict {
        let before = self.world.state.clone();
        let verdict = self.world.act(body);
        let (at, after) = (self.world.at, &self.world.state);
        self.recount.entry(&before, after, body, &verdict, at);
        self.books.entry(&before, after, body, &verdict);
        after_values(&before, after, &verdict);
        refusals_move_nothing(&verdict);
        value_is_conserved(after);
        no_digits(&self.world.journal.last().expect("an entry").bytes);
        if self.world.journal.len() == prefix {
            self.prefix = (prefix, after.clone());
        }
        verdict
    }
}

/// Effects say what the state then holds: each account once, with its balance after all transfers, and its entry before.
fn after_values(before: &State, after: &State, verdict: &Verdict) {
    let effects = &verdict.effects;
    let mut moved: HashMap<AccountId, i128> = HashMap::new();
    for transfer in &effects.transfers {
        *moved.entry(transfer.debit).or_default() -= i128::from(transfer.amount.minor());
        *moved.entry(transfer.credit).or_default() += i128::from(transfer.amount.minor());
    }
    assert_eq!(moved.len(), effects.balances.len(), "each account once");
    assert!(effects.balances.len() <= TOUCH_MAX);
    for balance in &effects.balances {
        let known = before.purse(balance.account).unwrap_or_default();
        assert_eq!(i128::from(balance.after_minor), i128::from(known.balance_minor) + moved[&balance.account]);
        assert_eq!(balance.prev, known.latest);
        let now = Purse { balance_minor: balance.after_minor, latest: after.seq() };
        assert_eq!(after.purse(balance.account), Some(now));
    }
    let mut names = HashSet::new();
    for named in effects.named() {
        assert!(names.insert(named.subscriber), "nobody is named twice");
        assert_eq!(before.subscriber(named.subscriber).map_or(Seq::ZERO, |row| row.latest), named.prev);
        assert_eq!(after.subscriber(named.subscriber).expect("a row").latest, after.seq());
    }
    let mut used = HashSet::new();
    assert!(effects.usage.iter().all(|one| used.insert((one.limit, one.subject))), "each usage once");
    for used in &effects.usage {
        let key = UsageKey { limit: used.limit, subject: used.subject };
        let subject = after.limit(used.limit).expect("a limit").identity.subject;
        let usage = after.usage(key, subject).expect("usage");
        assert_eq!((usage.start, usage.count, usage.total_minor), (used.start, used.count, used.total_minor));
    }
}

fn refusals_move_nothing(verdict: &Verdict) {
    let Outcome::Refused(refusal) = &verdict.outcome else { return };
    let effects = &verdict.effects;
    assert!(effects.transfers.is_empty() && effects.balances.is_empty() && effects.usage.is_empty(), "{refusal:?}");
}

/// Nothing comes from nowhere, per operator and unit; and no purse is below zero.
fn value_is_conserved(state: &State) {
    for (account, purse) in state.accounts() {
        assert!(!account.is_purse() || purse.balance_minor >= 0, "{account:?} is below zero");
    }
    let sums = state.sums();
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
}

/// An entry holds no password: not as text, not as digits, not as a number.
fn no_digits(bytes: &[u8]) {
    // Six ones stand in an entry for reasons of their own.
    for password in PASSWORDS.iter().filter(|password| password.len() == 6 && !password.contains("11")) {
        let digits: Vec<u8> = password.bytes().map(|digit| digit - b'0').collect();
        let number = minicbor::to_vec(password.parse::<u32>().expect("a number")).expect("octets");
        for leak in [password.as_bytes(), &digits, &number] {
            assert!(!bytes.windows(leak.len()).any(|window| window == leak), "an entry holds {password}");
        }
    }
}

/// Nothing of two states differs.
#[track_caller]
fn same(one: &State, other: &State, how: &str) {
    let differ = one.differences(other, 9);
    assert!(differ.is_empty(), "{how}: {differ:#?}");
}

fn walk_histories(world: &World) {
    let entries: Vec<Entry> = world.journal.iter().map(Kept::entry).collect();
    let at = |seq: Seq| &entries[usize::try_from(seq.0).expect("a place") - 1].verdict.effects;
    let seqs = || (1..).map(Seq).zip(&entries);
    for (id, row) in world.state.subscribers() {
        let named = |seq: Seq| at(seq).named().find(|named| named.subscriber == id);
        let walked = chain(row.latest, |seq| named(seq).expect("an entry that names them").prev);
        let all = seqs().map(|(seq, _)| seq).filter(|seq| named(*seq).is_some());
        assert_eq!(walked, all.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>());
    }
    for (account, purse) in world.state.accounts() {
        let touched = |seq: Seq| at(seq).balances.iter().find(|balance| balance.account == account);
        let walked = chain(purse.latest, |seq| touched(seq).expect("an entry that touched it").prev);
        let all = seqs().map(|(seq, _)| seq).filter(|seq| touched(*seq).is_some());
        assert_eq!(walked, all.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>());
    }
}

/// Decides and folds what the journal holds after `state`, which must give what the journal says.
fn goes_on_alike(world: &World, mut state: State) -> State {
    let done = usize::try_from(state.seq().0).expect("a place");
    for kept in &world.journal[done..] {
        let Entry { body, verdict, .. } = kept.entry();
        let again = decide(&state, &body, kept.at);
        assert_eq!(minicbor::to_vec(&again).expect("octets"), minicbor::to_vec(&verdict).expect("octets"), "{body:?}");
        state.apply(state.seq().next(), kept.at, &again.effects).expect("an entry that fits");
    }
    state
}

proptest! {
    /// 256 histories, or `PROPTEST_CASES`. Each entry is checked by [`Life::of`]; what is asserted here holds for the history as a whole.
    #[test]
    fn any_history_keeps_the_laws(steps in steps(), cut in 0_usize..60) {
        let life = Life::of(&steps, cut + 1);
        let (world, (entries, prefix)) = (&life.world, &life.prefix);
        let folded = world.folded(world.journal.len()).expect("entries that fit");
        same(&folded, &world.state, "replay from zero");
        let folded = world.folded(*entries).expect("entries that fit");
        same(&folded, prefix, "replay of a prefix");

        same(&restored(&world.state).expect("rows that fit"), &world.state, "restored");
        let again = restored(prefix).expect("rows that fit");
        same(&again, prefix, "restored from a prefix");

        same(&goes_on_alike(world, folded), &world.state, "decided again");
        same(&goes_on_alike(world, again), &world.state, "decided after a restore");
        walk_histories(world);
        indexes_lead_to_their_rows(&world.state);
    }
}

/// Rules without a limit on pairs know no window of pairs; usage that waits for its limit to come back stays all the same.
#[test]
fn a_restore_keeps_the_usage_of_limits_that_are_out_of_force() {
    let mut stage = play(
        "test from 2020-01-01
         | limit pair gift pair count 1 calendar-month
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…003
         191…001 gives 1 to 191…004
         test loads",
    );
    stage.world.state = restored(&stage.world.state).expect("rows that fit");
    stage.line("test loads", &["limit pair gift pair count 1 calendar-month"]);
    for to in ["191…002", "191…003", "191…004"] {
        stage.line(&format!("191…001 gives 1 to {to}"), &[]);
        assert!(matches!(stage.outcome, Some(Outcome::Refused(Refusal::LimitReached { .. }))), "{to}");
    }
}

#[test]
fn a_row_that_does_not_fit_is_no_checkpoint() {
    let stage = play("test from 2020-01-01\n| limit a gift pair count 1 business-day\n191…001 has a card with 10");
    let state = &stage.world.state;
    let (id, operator) = state.operators().next().expect("an operator");
    let key = UsageKey { limit: LimitId(1), subject: 0 };
    let usage = |restore: &mut Restore| restore.usage(key, Usage::default(), Seq(1));
    assert!(usage(&mut Restore::default()).is_err(), "no such limit");
    let books = [Purse::default(); BOOKS];
    let second = Restore::default().operator(OperatorId(1), &operator.rules, [0; 32], operator.date, books);
    assert!(second.is_err(), "not the next one");
    let mut restore = Restore::default();
    restore.operator(id, &operator.rules, [0; 32], operator.date, books).expect("the first");
    let (_, card) = state.cards().next().expect("a card");
    let Card { facts, purse, bound, bind_wrong, .. } = *card;
    let below = Purse { balance_minor: -1, ..purse };
    assert!(restore.card(&CardRow { facts, purse: below, bound, bind_wrong, bought: None }).is_err(), "below zero");
    restore.card(&CardRow { facts, purse, bound, bind_wrong, bought: None }).expect("a card");
    assert!(restore.finish(state.seq(), state.at()).is_err(), "a card without its holder");
}

#[test]
fn an_entry_that_does_not_follow_is_a_misfit() {
    let mut world = play("test from 2020-01-01\n191…001 has a card with 10").world;
    let (seq, at) = (world.state.seq(), world.state.at());
    let effects = Effects::default();
    for (seq, at) in [(seq, at), (seq.next().next(), at), (seq.next(), at.plus_ms(-1))] {
        assert!(world.state.clone().apply(seq, at, &effects).is_err(), "{seq:?}");
    }
    world.state.apply(seq.next(), at, &effects).expect("the next one");
    let (subscriber, amount) = (SubscriberId(77), Amount::try_new(1).expect("positive"));
    let nobody = Named { subscriber, prev: Seq::ZERO };
    let somebody = Named { subscriber: SubscriberId(0), prev: seq };
    let changes = |change| Effects { changes: [change].into_iter().collect(), ..Effects::default() };
    let bad = [
        Effects { others: [nobody].into_iter().collect(), ..Effects::default() },
        changes(Change::Gave { sender: nobody, recipient: somebody, amount }),
        changes(Change::Gave { sender: somebody, recipient: nobody, amount }),
        changes(Change::Held { sender: nobody, recipient: somebody, amount }),
        changes(Change::Held { sender: somebody, recipient: nobody, amount }),
        changes(Change::ToppedUp { holder: nobody, amount }),
        changes(Change::Refused { subscriber, count: 1 }),
        Effects {
            balances: [BalanceAfter { account: AccountId::Card(CardId(0)), after_minor: -1, prev: Seq::ZERO }]
                .into_iter()
                .collect(),
            ..Effects::default()
        },
    ];
    for effects in bad {
        assert!(world.state.clone().apply(world.state.seq().next(), at, &effects).is_err(), "{effects:?}");
    }
}
