//! A state built again from its rows, as a checkpoint would; and what leads from one entry to the one before.

use crate::ids::Serial;
use crate::receipt::Seq;
use crate::restore::{Restore, RestoreError};
use crate::state::State;

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

/// The state built again from its rows, each of them written and read.
pub(super) fn restored(state: &State) -> Result<State, RestoreError> {
    let (subscribers, cards) = state.rows();
    let mut restore = Restore::new(subscribers, cards);
    state.each_row(|row| {
        let octets = minicbor::to_vec(&row).expect("octets");
        restore.row(minicbor::decode(&octets).expect("a row"))
    })?;
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
