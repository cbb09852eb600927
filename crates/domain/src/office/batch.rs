//! Card production: batches of printed cards, from the first number to the sealed file and the shelf of an outlet.
//!
//! Guarantees: a card of a batch that is not sealed opens nothing and is worth nothing: it does not exist. A batch is sealed
//! once, with the hash of the one file that holds its secrets.
//!
//! Deliberately not here: randomness, the file, the printer (api and sonmul); the price (see [`crate::office::till`]).

use minicbor::{Decode, Encode};

use crate::ids::{BatchId, OperatorId, OutletId, Serial};
use crate::money::Amount;
use crate::number::CardNumber;
use crate::password::PasswordTag;

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Stage {
    /// Cards are being made; none of them exists yet.
    #[n(0)]
    Making,
    /// The file with its secrets is on disk, and this is its BLAKE3 hash.
    #[n(1)]
    Sealed {
        /// Of the encrypted file.
        #[cbor(n(0), with = "minicbor::bytes")]
        file_hash: [u8; 32],
    },
    /// Given up: its cards never exist.
    #[n(2)]
    Abandoned,
}

impl Stage {
    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Sealed { .. } => "sealed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A batch of cards of one value.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Batch {
    /// Whose.
    #[n(0)]
    pub operator: OperatorId,
    /// What is on each after its sale.
    #[n(1)]
    pub value: Amount,
    /// How many were ordered.
    #[n(2)]
    pub ordered: u32,
    /// How many are made.
    #[n(3)]
    pub made: u32,
    /// How far it is.
    #[n(4)]
    pub stage: Stage,
    /// Runs of serials: first and count. One, unless cards were issued in between.
    #[n(5)]
    pub runs: Vec<(Serial, u32)>,
}

/// A card to make, as the decider hears of it.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct MadeCard {
    /// Random, with its check digit.
    #[n(0)]
    pub number: CardNumber,
    /// Of the printed password in the *card* domain.
    #[n(1)]
    pub tag: PasswordTag,
}

/// What production asks.
#[derive(Clone, Debug, Encode, Decode)]
pub enum BatchCommand {
    /// Begin a batch.
    #[n(0)]
    Start {
        /// Whose.
        #[n(0)]
        operator: OperatorId,
        /// What will be on each.
        #[n(1)]
        value: Amount,
        /// How many will be made, 1 to [`BATCH_CARDS_MAX`].
        #[n(2)]
        ordered: u32,
    },
    /// Make some of its cards, at most [`crate::TOUCH_MAX`].
    #[n(1)]
    Make {
        /// Which batch.
        #[n(0)]
        batch: BatchId,
        /// The cards.
        #[n(1)]
        cards: Vec<MadeCard>,
    },
    /// The file is on disk: from now on its cards exist.
    #[n(2)]
    Seal {
        /// Which batch.
        #[n(0)]
        batch: BatchId,
        /// BLAKE3 of the encrypted file.
        #[cbor(n(1), with = "minicbor::bytes")]
        file_hash: [u8; 32],
    },
    /// Give a batch up before it is sealed.
    #[n(3)]
    Abandon {
        /// Which batch.
        #[n(0)]
        batch: BatchId,
    },
    /// Bring cards to an outlet: at most [`crate::TOUCH_MAX`] serials in a row.
    #[n(4)]
    Stock {
        /// The first.
        #[n(0)]
        first: Serial,
        /// The last.
        #[n(1)]
        last: Serial,
        /// Where to.
        #[n(2)]
        outlet: OutletId,
    },
}

/// Cards of one batch at most.
pub const BATCH_CARDS_MAX: u32 = 10_000_000;
