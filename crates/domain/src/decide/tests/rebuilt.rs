//! A state built again from its rows, as a checkpoint would; and what leads from one entry to the one before.

use crate::generations::Age;
use crate::ids::LimitId;
use crate::ids::Serial;
use crate::memory::Turns;
use crate::receipt::Seq;
use crate::restore::{CardRow, RepeatRow, Restore, RestoreError, SubscriberRow};
use crate::state::{Card, Repeat, State, UsageKey, books_of};

/// Every row is found by its number, its serial and its place.
pub(super) fn indexes_lead_to_their_rows(state: &State) {
    for (id, row) in state.subscribers() {
        let (found, latest) = state.find_subscriber(row.facts.msisdn).expect("somebody");
        assert!(id <= found && latest.facts.msisdn == row.facts.msisdn, "the latest with that number");
    }
    for (id, card) in state.cards() {
        assert_eq!(state.find_card(card.facts.number).map(|(id, _)| id), Some(id));
        assert_eq!(state.card_of_serial(Serial::of(id)).map(|(id, _)| id), Some(id));
    }
}

/// The state built again from its rows, as a checkpoint would.
pub(super) fn restored(state: &State) -> Result<State, RestoreError> {
    let (subscribers, cards) = state.rows();
    let mut restore = Restore::new(subscribers, cards);
    state.limits().iter().for_each(|limit| restore.limit(limit.clone()));
    for (id, operator) in state.operators() {
        let books = books_of(id).map(|book| state.purse(book).unwrap_or_default());
        restore.operator(id, &operator.rules, operator.file_hash, operator.date, books)?;
    }
    for (_, row) in state.subscribers() {
        restore.subscriber(SubscriberRow {
            facts: row.facts,
            airtime: row.airtime,
            latest: row.latest,
            refused: (row.refused_date, row.refused_count),
            recents: state.recents_of(row).to_vec(),
        })?;
    }
    for (_, card) in state.cards() {
        let Card { facts, purse, bound, bind_wrong, bought, .. } = *card;
        restore.card(&CardRow { facts, purse, bound, bind_wrong, bought })?;
    }
    for (key, record) in state.records() {
        restore.record(key, record.clone())?;
    }
    for (account, purse) in state.ledger() {
        restore.account(account, purse)?;
    }
    let remembered = *state.remembered();
    restore.remembered(remembered);
    for (limit, pages) in (0_u16..).map(LimitId).zip(&state.usage) {
        for (row, usage) in pages.iter() {
            restore.usage(UsageKey { limit, subject: u64::from(row) }, usage, Seq::ZERO)?;
        }
    }
    for (key, usage, age) in state.pair_usage.aged() {
        // Any entry of its generation will do.
        let Turns { newest_from, before_from, .. } = remembered.pairs;
        restore.usage(*key, *usage, if age == Age::Newest { newest_from } else { before_from })?;
    }
    state.locks().for_each(|(subscriber, link, lock)| restore.lock(subscriber, link, lock));
    let mut repeats: Vec<_> = state.repeats().collect();
    repeats.sort_unstable_by_key(|(_, repeat)| repeat.seq);
    for (key, Repeat { at, seq }) in repeats {
        restore.repeat(&RepeatRow { key, at, seq, undone: false });
    }
    restore.finish(state.seq(), state.at())
}

/// The chain of one subscriber or account, newest first: each entry names the one before.
pub(super) fn chain(latest: Seq, prev: impl Fn(Seq) -> Seq) -> Vec<Seq> {
    let mut seqs = Vec::new();
    let mut seq = latest;
    while seq != Seq::ZERO {
        seqs.push(seq);
        let before = prev(seq);
        assert!(before < seq, "a chain goes back in time");
        seq = before;
    }
    seqs
}
