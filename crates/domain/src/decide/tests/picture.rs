//! A state as text, through public accessors alone, so that two can be compared; and one built again from its rows.

use core::fmt::Write;
use core::hash::{Hash, Hasher};

use crate::ids::Serial;
use crate::receipt::Seq;
use crate::restore::{CardRow, Restore, RestoreError, SubscriberRow};
use crate::state::{Card, State, books_of};

/// Everything that can be asked of a state, in an order of its own.
pub(super) fn picture(state: &State) -> String {
    let mut text = format!("seq {} at {}\n", state.seq(), state.at().rfc3339());
    rows(state, &mut text);
    facts(state, &mut text);
    text
}

fn rows(state: &State, text: &mut String) {
    for (id, operator) in state.operators() {
        let rules = digest(&*operator.rules);
        let books = books_of(id).map(|book| state.purse(book));
        writeln!(text, "{id:?} rules {rules:x} {:?} {} {books:?}", operator.file_hash, operator.date).expect("text");
    }
    for (id, row) in state.subscribers() {
        let found = state.find_subscriber(row.facts.msisdn).map(|(id, _)| id);
        let cards: Vec<u32> = state.cards_of(row).map(|(id, _)| id.0).collect();
        let recents = state.recents_of(row);
        writeln!(
            text,
            "{id:?} {:?} {:?} latest {} refused {} {} cards {cards:?} gave {recents:?} found {found:?}",
            row.facts, row.airtime, row.latest, row.refused_date, row.refused_count
        )
        .expect("text");
    }
    for (id, card) in state.cards() {
        assert_eq!(state.find_card(card.facts.number).map(|(id, _)| id), Some(id));
        assert_eq!(state.card_of_serial(Serial::of(id)).map(|(id, _)| id), Some(id));
        // Tags don't print, so the octets stand for them.
        let tag = card.facts.state.tag().map(|tag| tag.to_bytes());
        let Card { facts, purse, bound, bind_wrong, bought, .. } = card;
        writeln!(text, "{id:?} {facts:?} {tag:?} {purse:?} bound {bound} wrong {bind_wrong} {bought:?}").expect("text");
    }
}

fn facts(state: &State, text: &mut String) {
    writeln!(text, "limits {:?}", state.limits()).expect("text");
    let mut usage: Vec<_> = state.all_usage().collect();
    usage.sort_unstable_by_key(|(key, _)| *key);
    let mut locks: Vec<_> = state.locks().collect();
    locks.sort_unstable_by_key(|(subscriber, link, _)| (*subscriber, *link));
    let mut repeats: Vec<_> = state.repeats().collect();
    repeats.sort_unstable_by_key(|(key, _)| *key);
    writeln!(text, "usage {usage:?}\nlocks {locks:?}\nrepeats {repeats:?}").expect("text");
    for (key, record) in state.records() {
        writeln!(text, "{key:?} {:x}", digest(record)).expect("text");
    }
    for (id, _) in state.subscribers() {
        if !state.holds_of(id).is_empty() {
            writeln!(text, "{id:?} holds {:?}", state.holds_of(id)).expect("text");
        }
    }
    writeln!(text, "{:?} accounts {:?}", state.rows(), state.accounts().collect::<Vec<_>>()).expect("text");
}

fn digest<T: minicbor::Encode<()>>(value: &T) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    minicbor::to_vec(value).expect("octets").hash(&mut hasher);
    hasher.finish()
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
    for (key, usage) in state.all_usage() {
        restore.usage(key, usage)?;
    }
    state.locks().for_each(|(subscriber, link, lock)| restore.lock(subscriber, link, lock));
    let mut repeats: Vec<_> = state.repeats().collect();
    repeats.sort_unstable_by_key(|(_, repeat)| (repeat.at, repeat.seq));
    repeats.into_iter().for_each(|(key, repeat)| restore.repeat(key, repeat));
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
