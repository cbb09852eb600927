//! Timers: nothing happens by itself, so a timer submits an ordinary command when something is due.
//!
//! Guarantees: a card's expiry has one id (its kind and the card's row), so that a timer that fires twice, or again after
//! a restart, is a repeat. Until it has fired `decide` treats the card as expired by the instant anyway.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use domain::card::CardState;
use domain::command::{Body, Command};
use domain::id::CommandId;
use domain::state::{CardId, State};
use domain::time::Timestamp;
use domain::verdict::Change;

use crate::answer::Answer;
use crate::follower::{Follow, FollowFault};
use crate::handle::Handle;
use crate::journal::Batch;

/// The kind in the id of a card's expiry.
const KIND_EXPIRY: u8 = 1;
/// A timer's command is worth deciding for so long.
const DECIDE_WITHIN_S: i64 = 60;
/// Expiries submitted at one go, so that gifts come in between.
const AT_ONCE_MAX: usize = 256;

/// Cards by the instant they expire.
#[derive(Debug)]
pub struct ExpiryTimer {
    due: BinaryHeap<Reverse<(Timestamp, CardId)>>,
    handle: Handle,
}

impl ExpiryTimer {
    /// Expiries that `due` of a loaded state names.
    pub fn new(due: Vec<(Timestamp, CardId)>, handle: Handle) -> Self {
        Self { due: due.into_iter().map(Reverse).collect(), handle }
    }

    fn fire(&mut self) -> Result<(), FollowFault> {
        let now = self.handle.now();
        let mut commands = Vec::new();
        while commands.len() < AT_ONCE_MAX
            && let Some(Reverse((due, card))) = self.due.peek().copied()
            && due <= now
        {
            self.due.pop();
            commands.push((
                card,
                Command {
                    id: CommandId::internal(KIND_EXPIRY, u64::from(card.0)),
                    decide_before: now.plus_s(DECIDE_WITHIN_S),
                    body: Body::ExpireCard(card),
                },
            ));
        }
        if commands.is_empty() {
            return Ok(());
        }
        let (cards, commands): (Vec<_>, Vec<_>) = commands.into_iter().unzip();
        let mut later = 0;
        for (card, answer) in cards.into_iter().zip(self.handle.submit_bulk(commands).wait()) {
            if !matches!(answer, Answer::Verdict(_)) {
                later += 1;
                self.due.push(Reverse((now.plus_s(1), card)));
            }
        }
        if later > 0 { Err(FollowFault(format!("{later} expiries have to wait"))) } else { Ok(()) }
    }
}

/// The cards of a state that will expire, with the instant: read before the decider takes the state over.
pub fn expiries(state: &State) -> Vec<(Timestamp, CardId)> {
    let open = |card_state: &CardState| match card_state {
        CardState::Printed { .. }
        | CardState::InStock { .. }
        | CardState::Sold { .. }
        | CardState::Bound { .. }
        | CardState::Frozen { .. } => true,
        CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. } => false,
    };
    state
        .cards()
        .filter(|(_, card)| card.facts.expires_at < Timestamp::MAX && open(&card.facts.state))
        .map(|(id, card)| (card.facts.expires_at, id))
        .collect()
}

impl Follow for ExpiryTimer {
    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        for change in batch.entries.iter().flat_map(|entry| &entry.verdict.effects.changes) {
            if let Change::Card { id, facts } = change
                && facts.expires_at < Timestamp::MAX
            {
                self.due.push(Reverse((facts.expires_at, *id)));
            }
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.fire()
    }

    fn end(&mut self) -> Result<(), FollowFault> {
        Ok(())
    }
}
