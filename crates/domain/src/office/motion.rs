//! Rules by two people: what one proposes and another approves.
//!
//! Guarantees: a motion never changes once it stands; whoever approves names the hash of what they were shown; nobody
//! approves their own; it is checked again when it is approved, for the world may have moved on.
//!
//! Bounded by [`MOTION_VALID_DAYS`], after which it is dropped.
//! Deliberately not here: who is who (the kernel says the uid on `admin.sock`).

use std::sync::Arc;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::till::Rate;
use crate::account::AccountId;
use crate::card::Voiding;
use crate::currency::Currency;
use crate::ids::{CardId, OperatorId, Serial, Staff, SubscriberId};
use crate::money::Amount;
use crate::receipt::Seq;
use crate::rules::Rules;
use crate::time::Timestamp;

/// A motion that nobody approved for so long is dropped.
pub const MOTION_VALID_DAYS: i64 = 7;
/// Longest reason, characters.
pub const REASON_LEN_MAX: usize = 200;

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Proposal {
    /// Other rules: tariffs, limits, periods.
    #[n(0)]
    Rules {
        /// As parsed.
        #[cbor(n(0), with = "crate::cbor::shared")]
        rules: Arc<Rules>,
        /// BLAKE3 of the file.
        #[cbor(n(1), with = "minicbor::bytes")]
        file_hash: [u8; 32],
        /// What was in force before stays until then, or until it is approved; `None`: the file itself tells the past.
        #[n(2)]
        from: Option<Timestamp>,
    },
    /// A dated rate.
    #[n(1)]
    Rate {
        /// Between airtime and what.
        #[n(0)]
        currency: Currency,
        /// How much, and when; from [`Timestamp::MIN`] on: when it is approved.
        #[n(1)]
        rate: Rate,
    },
    /// From a date on no gifts and no top-ups; perhaps cards are void too.
    #[n(2)]
    Close {
        /// Name of the period that this makes, said to whoever dials.
        #[n(0)]
        period: String,
        /// First instant; [`Timestamp::MIN`]: when it is approved.
        #[n(1)]
        from: Timestamp,
        /// Cards issued before it are void.
        #[n(2)]
        cards_void: bool,
    },
    /// Cards in a row are void.
    #[n(3)]
    VoidCards {
        /// The first.
        #[n(0)]
        first: Serial,
        /// The last.
        #[n(1)]
        last: Serial,
        /// Why.
        #[n(2)]
        why: Voiding,
    },
    /// A posted gift is taken back, as a new posting: once, and at most what the recipient still has.
    #[n(4)]
    Reverse(#[n(0)] Reversal),
    /// A booking by hand.
    #[n(5)]
    Adjust {
        /// Where it comes from.
        #[n(0)]
        debit: AccountId,
        /// Where it goes: of the same operator and unit.
        #[n(1)]
        credit: AccountId,
        /// How much.
        #[n(2)]
        amount: Amount,
        /// Why, 1 to [`REASON_LEN_MAX`] characters.
        #[n(3)]
        reason: String,
    },
}

/// A gift can be taken back for so many days, and so long is remembered that it was: more than any complaint takes, and the
/// only bound of what is remembered.
pub const REVERSAL_DAYS: i64 = 180;
const DAY_S: i64 = 86_400;

/// From when on a gift of that instant can't be taken back any more.
pub const fn reversible_until(given_at: Timestamp) -> Timestamp {
    given_at.plus_s(REVERSAL_DAYS * DAY_S)
}

/// That a gift was taken back or undone, so that nobody takes it back again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Reversed {
    /// The entry that did it.
    #[n(0)]
    pub by: Seq,
    /// From then on nobody could take it back anyway: it is forgotten.
    #[n(1)]
    pub until: Timestamp,
}

/// A posted gift to take back, as the journal tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Reversal {
    /// The entry that posted it.
    #[n(0)]
    pub of: Seq,
    /// Where it came from, and goes back to.
    #[n(1)]
    pub card: CardId,
    /// Who gave it.
    #[n(2)]
    pub sender: SubscriberId,
    /// Who has it.
    #[n(3)]
    pub recipient: SubscriberId,
    /// How much it was.
    #[n(4)]
    pub amount: Amount,
    /// Why, 1 to [`REASON_LEN_MAX`] characters.
    #[n(5)]
    pub reason: String,
    /// When it was given.
    #[n(6)]
    pub given_at: Timestamp,
}

impl Proposal {
    /// Public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rules { .. } => "rules",
            Self::Rate { .. } => "rate",
            Self::Close { .. } => "close",
            Self::VoidCards { .. } => "void-cards",
            Self::Reverse(_) => "reverse",
            Self::Adjust { .. } => "adjust",
        }
    }
}

/// A proposal that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Motion {
    /// Whose.
    #[n(0)]
    pub operator: OperatorId,
    /// Who proposed it.
    #[n(1)]
    pub maker: Staff,
    /// What.
    #[n(2)]
    pub proposal: Proposal,
    /// SHA-256 of operator and proposal: what whoever approves must name.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// When it is dropped.
    #[n(4)]
    pub expires_at: Timestamp,
}

impl Motion {
    /// A motion with its hash.
    pub fn new(operator: OperatorId, maker: Staff, proposal: Proposal, at: Timestamp) -> Self {
        let hash = hash_of(operator, &proposal);
        let expires_at = at.plus_s(MOTION_VALID_DAYS * 86_400);
        Self { operator, maker, proposal, hash, expires_at }
    }
}

/// What whoever approves must name.
fn hash_of(operator: OperatorId, proposal: &Proposal) -> [u8; 32] {
    let mut octets = vec![operator.0];
    // Writing to memory does not fail.
    let _written: Result<(), minicbor::encode::Error<core::convert::Infallible>> =
        minicbor::encode(proposal, &mut octets);
    Sha256::digest(&octets).into()
}

/// What two people ask.
#[derive(Clone, Debug, Encode, Decode)]
pub enum MotionCommand {
    /// Propose something.
    #[n(0)]
    Propose {
        /// Whose.
        #[n(0)]
        operator: OperatorId,
        /// What.
        #[n(1)]
        proposal: Box<Proposal>,
    },
    /// Approve what another one proposed.
    #[n(1)]
    Approve {
        /// The entry that proposed it.
        #[n(0)]
        motion: Seq,
        /// Of what was shown.
        #[cbor(n(1), with = "minicbor::bytes")]
        hash: [u8; 32],
    },
    /// Drop a motion: its maker, or whoever does not approve.
    #[n(2)]
    Withdraw {
        /// The entry that proposed it.
        #[n(0)]
        motion: Seq,
    },
}
