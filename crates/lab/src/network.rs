//! Between people and the server: frames are lost, doubled and late, both ways.
//!
//! Bounded by [`LATE_MS_MAX`] of delay. Deliberately not here: what a frame means.

use std::collections::BTreeMap;

use domain::command::Body;
use domain::id::CommandId;
use engine::answer::Answer;

use crate::dice::Dice;

/// The longest that a frame is under way.
pub(crate) const LATE_MS_MAX: i64 = 20 * 60 * 1_000;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// A handset.
    Phone(usize),
    /// A program, or staff on the administrative socket.
    Program(usize),
    /// A timer of the server's own.
    Timer,
    /// Whoever made the world: hears nothing.
    Maker,
}

/// How a frame is told from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// The switch's number of a USSD session; the edge makes the id.
    Session(u32),
    /// The sender made the id.
    Id(CommandId),
}

/// A command on its way to the server.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) from: Party,
    pub(crate) name: Name,
    pub(crate) body: Body,
}

/// Something under way.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    /// To the server.
    Up(Frame),
    /// To a person or program.
    Down {
        /// Who gets it.
        to: Party,
        /// What it answers.
        name: Name,
        /// The answer.
        answer: Answer,
    },
}

/// Everything under way.
#[derive(Debug, Default)]
pub(crate) struct Network {
    flying: BTreeMap<(i64, u64), Parcel>,
    sent: u64,
    /// Frames that never arrive.
    pub(crate) lost: u64,
    /// Frames that arrive twice.
    pub(crate) doubled: u64,
}

impl Network {
    /// Sends a parcel: perhaps it is lost, perhaps it arrives twice, perhaps late.
    pub(crate) fn send(&mut self, now_ms: i64, parcel: Parcel, dice: &mut Dice) {
        if dice.often(80) {
            self.lost += 1;
            return;
        }
        if dice.often(90) {
            self.doubled += 1;
            self.put(now_ms, parcel.clone(), dice);
        }
        self.put(now_ms, parcel, dice);
    }

    fn put(&mut self, now_ms: i64, parcel: Parcel, dice: &mut Dice) {
        let late_ms = match dice.below(100) {
            0..80 => dice.between(5, 400),
            80..95 => dice.between(400, 20_000),
            _ => dice.between(20_000, LATE_MS_MAX),
        };
        self.sent += 1;
        self.flying.insert((now_ms + late_ms, self.sent), parcel);
    }

    /// When the next one arrives.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.flying.keys().next().map(|(due, _)| *due)
    }

    /// The next one that has arrived by now.
    pub(crate) fn arrived(&mut self, now_ms: i64) -> Option<Parcel> {
        let first = self.flying.first_entry()?;
        (first.key().0 <= now_ms).then(|| first.remove())
    }
}
