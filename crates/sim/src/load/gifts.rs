//! Gifts without end: cheap to make, valid, and spread over everybody.

use std::sync::Arc;

use domain::command::{Body, Command, Dialled, Gift};
use domain::money::Amount;
use domain::password::{PasswordTag, Proof};
use domain::time::Timestamp;

use super::population::{caller, decide_before};
use crate::program::uuid_v7;

/// Fixed recipients of each sender.
pub const FRIENDS: u32 = 8;
/// Amounts are 1 to this.
const AMOUNTS: u32 = 9;
/// Gifts of a sender until one comes again.
const CYCLE: u32 = FRIENDS * AMOUNTS;

/// A gift as rows and minor units: for a bench that dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Who gives.
    pub from: u32,
    /// To whom.
    pub to: u32,
    /// How much.
    pub amount_minor: u32,
}

/// Gifts of one lane, as commands with ids of [`set_at`](Self::set_at).
///
/// In each round every sender of the lane gives once, in an order that jumps about in memory as chance would; the next
/// round goes to the next friend. No state a sender is kept.
#[derive(Clone, Debug)]
pub struct Gifts {
    tags: Arc<[PasswordTag]>,
    lane: u32,
    lanes: u32,
    /// Senders of this lane, and the power of two above them, less one.
    senders: u32,
    mask: u32,
    walk: u32,
    round: u32,
    made: u64,
    at: Timestamp,
}

impl Gifts {
    pub(super) fn new(tags: Arc<[PasswordTag]>, lane: u16, lanes: u16, at: Timestamp) -> Self {
        let all = u32::try_from(tags.len()).unwrap_or(u32::MAX);
        let lanes = u32::from(lanes).clamp(1, all.max(1));
        let lane = u32::from(lane) % lanes;
        let senders = (all + lanes - 1 - lane) / lanes;
        let mask = senders.next_power_of_two() - 1;
        Self { tags, lane, lanes, senders, mask, walk: 0, round: 0, made: 0, at }
    }

    /// The instant of the next ids. Commands wait a minute at most from then.
    pub const fn set_at(&mut self, at: Timestamp) {
        self.at = at;
    }

    /// The next gift.
    pub fn pick(&mut self) -> Pick {
        // A full-period generator modulo a power of two visits every sender once a round; numbers past the last are skipped.
        loop {
            self.walk = self.walk.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) & self.mask;
            if self.walk == 0 {
                self.round = self.round.wrapping_add(1);
            }
            if self.walk < self.senders {
                break;
            }
        }
        let from = self.walk * self.lanes + self.lane;
        let turn = self.round.wrapping_add(from.wrapping_mul(31)) % CYCLE;
        let all = u32::try_from(self.tags.len()).unwrap_or(u32::MAX);
        let to = (u64::from(from) + 1 + u64::from(turn % FRIENDS) * u64::from(all / (FRIENDS + 1))) % u64::from(all);
        Pick { from, to: u32::try_from(to).unwrap_or(0), amount_minor: turn / FRIENDS + 1 }
    }

    fn command(&mut self) -> Option<Command> {
        let Pick { from, to, amount_minor } = self.pick();
        let current = *self.tags.get(usize::try_from(from).ok()?)?;
        let gift = Gift {
            caller: caller(from)?,
            recipient: Dialled::Value(caller(to)?.msisdn),
            amount: Dialled::from(Amount::try_new(i64::from(amount_minor))),
            proof: Proof::Tags { current, older: None },
            swapped: false,
            occasion: None,
        };
        self.made += 1;
        // Scattered as random bits would be, and never the same twice: an odd factor permutes them.
        let scattered = self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let id = uuid_v7(self.at.ms(), u64::from(self.lane), scattered);
        Some(Command { id, decide_before: decide_before(self.at), body: Body::Gift(gift) })
    }
}

/// Never ends.
impl Iterator for Gifts {
    type Item = Command;

    fn next(&mut self) -> Option<Command> {
        self.command()
    }
}
