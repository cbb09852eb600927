//! The operator's business: cards, sales, calls, holds, and rules by two people, as commands and as what they leave.
//!
//! For: staff at `admin.sock` and timers. Each part has its own file here (what is asked and what is kept) and one of the
//! same name in [`crate::decide`] (what is answered).
//!
//! Guarantees: whatever the office keeps is a [`Record`] with a [`RecordKey`], written whole after each change, so that the
//! fold and the checkpoint need no table for each kind.
//!
//! Deliberately not here: purses (see [`crate::state`]), gifts and everything else that phones dial.

pub mod batch;
pub mod call;
pub mod ceiling;
pub mod done;
pub mod hold;
pub mod issued;
pub mod motion;
pub mod refusal;
pub mod till;

use minicbor::{Decode, Encode};

use crate::card::Voiding;
use crate::currency::Currency;
use crate::ids::{BatchId, OperatorId, OutletId, Serial, Staff};
use crate::receipt::Seq;
use crate::time::Timestamp;

use batch::{Batch, BatchCommand};
use call::{Call, CallCommand};
use hold::Hold;
use issued::Issued;
use motion::{Motion, MotionCommand, Reversed};
use till::{Outlet, Quote, Rates, Takings, TillCommand};

/// What the office is asked, and by whom.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Office {
    /// Who asks.
    #[n(0)]
    pub staff: Staff,
    /// What.
    #[n(1)]
    pub what: Asked,
}

/// What the office is asked.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Asked {
    /// Card production.
    #[n(0)]
    Batch(#[n(0)] BatchCommand),
    /// Sale.
    #[n(1)]
    Till(#[n(0)] TillCommand),
    /// Airtime used.
    #[n(2)]
    Call(#[n(0)] CallCommand),
    /// Rules by two people.
    #[n(3)]
    Motion(#[n(0)] MotionCommand),
    /// Stop issuing value: the books don't agree.
    #[n(4)]
    StopIssuance {
        /// Whose.
        #[n(0)]
        operator: OperatorId,
        /// What does not agree.
        #[n(1)]
        why: String,
    },
    /// Issue again.
    #[n(5)]
    ResumeIssuance {
        /// Whose.
        #[n(0)]
        operator: OperatorId,
    },
}

impl Asked {
    /// Public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Batch(BatchCommand::Start { .. }) => "start-batch",
            Self::Batch(BatchCommand::Make { .. }) => "make-cards",
            Self::Batch(BatchCommand::Seal { .. }) => "seal-batch",
            Self::Batch(BatchCommand::Abandon { .. }) => "abandon-batch",
            Self::Batch(BatchCommand::Stock { .. }) => "stock-cards",
            Self::Till(TillCommand::OpenOutlet { .. }) => "open-outlet",
            Self::Till(TillCommand::Deposit { .. }) => "deposit",
            Self::Till(TillCommand::Withdraw { .. }) => "withdraw",
            Self::Till(TillCommand::Quote { .. }) => "quote",
            Self::Till(TillCommand::Sell { .. }) => "sell",
            Self::Till(TillCommand::Refund { .. }) => "refund",
            Self::Till(TillCommand::Merge { .. }) => "merge",
            Self::Till(TillCommand::PayOut { .. }) => "pay-out",
            Self::Call(CallCommand::Reserve { .. }) => "reserve-call",
            Self::Call(CallCommand::Extend { .. }) => "extend-call",
            Self::Call(CallCommand::Commit { .. }) => "commit-call",
            Self::Call(CallCommand::Release { .. }) => "release-call",
            Self::Call(CallCommand::Consume { .. }) => "consume",
            Self::Motion(MotionCommand::Propose { .. }) => "propose",
            Self::Motion(MotionCommand::Approve { .. }) => "approve",
            Self::Motion(MotionCommand::Withdraw { .. }) => "withdraw-motion",
            Self::StopIssuance { .. } => "stop-issuance",
            Self::ResumeIssuance { .. } => "resume-issuance",
        }
    }
}

/// What sort of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum RecordKind {
    /// A point of sale, by its number.
    #[n(0)]
    Outlet,
    /// A batch of cards, by its number.
    #[n(1)]
    Batch,
    /// Rates, by operator and currency.
    #[n(2)]
    Rates,
    /// A promised price, by the entry that made it.
    #[n(3)]
    Quote,
    /// A motion, by the entry that proposed it.
    #[n(4)]
    Motion,
    /// A gift on hold, by the entry that took it.
    #[n(5)]
    Hold,
    /// A call in progress, by the entry that reserved.
    #[n(6)]
    Call,
    /// Void cards in a row, by the first serial.
    #[n(7)]
    VoidCards,
    /// A gift that was taken back, by the entry that posted it.
    #[n(8)]
    Reversed,
    /// Issuance that is stopped, by operator.
    #[n(9)]
    Stopped,
    /// What several outlets took for a card, by its serial.
    #[n(10)]
    Takings,
    /// What was issued today, by operator.
    #[n(11)]
    Issued,
}

impl RecordKind {
    /// Every kind there is.
    pub const ALL: [Self; 12] = [
        Self::Outlet,
        Self::Batch,
        Self::Rates,
        Self::Quote,
        Self::Motion,
        Self::Hold,
        Self::Call,
        Self::VoidCards,
        Self::Reversed,
        Self::Stopped,
        Self::Takings,
        Self::Issued,
    ];

    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outlet => "outlet",
            Self::Batch => "batch",
            Self::Rates => "rates",
            Self::Quote => "quote",
            Self::Motion => "motion",
            Self::Hold => "hold",
            Self::Call => "call",
            Self::VoidCards => "void-cards",
            Self::Reversed => "reversed",
            Self::Stopped => "stopped",
            Self::Takings => "takings",
            Self::Issued => "issued",
        }
    }

    /// The kind of that public name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a record is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct RecordKey {
    /// What sort.
    #[n(0)]
    pub kind: RecordKind,
    /// Which: a number, a seq, a serial, or an operator's row above eight bits of a currency.
    #[n(1)]
    pub id: u64,
}

impl RecordKey {
    /// Of an outlet.
    pub const fn outlet(outlet: OutletId) -> Self {
        Self { kind: RecordKind::Outlet, id: outlet.0 as u64 }
    }

    /// Of a batch.
    pub const fn batch(batch: BatchId) -> Self {
        Self { kind: RecordKind::Batch, id: batch.get() as u64 }
    }

    /// Of an operator's rates in a currency.
    pub const fn rates(operator: OperatorId, currency: Currency) -> Self {
        Self { kind: RecordKind::Rates, id: (operator.0 as u64) << 8 | currency.index() as u64 }
    }

    /// Of something that an entry made: a quote, a motion, a hold, a call.
    pub const fn made_by(kind: RecordKind, seq: Seq) -> Self {
        Self { kind, id: seq.0 }
    }

    /// Of cards in a row that are void.
    pub const fn void_cards(first: Serial) -> Self {
        Self { kind: RecordKind::VoidCards, id: first.0 as u64 }
    }

    /// Of what several outlets took for a card.
    pub const fn takings(serial: Serial) -> Self {
        Self { kind: RecordKind::Takings, id: serial.0 as u64 }
    }

    /// Of what an operator issued today.
    pub const fn issued(operator: OperatorId) -> Self {
        Self { kind: RecordKind::Issued, id: operator.0 as u64 }
    }

    /// Of an operator's stopped issuance.
    pub const fn stopped(operator: OperatorId) -> Self {
        Self { kind: RecordKind::Stopped, id: operator.0 as u64 }
    }
}

/// Cards in a row that are void, whatever else they are. Decided when one is met: no command touches them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct VoidCards {
    /// The last serial.
    #[n(0)]
    pub last: Serial,
    /// Since when.
    #[n(1)]
    pub at: Timestamp,
    /// Why.
    #[n(2)]
    pub why: Voiding,
}

/// What the office keeps.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// A point of sale.
    #[n(0)]
    Outlet(#[n(0)] Outlet),
    /// A batch of cards.
    #[n(1)]
    Batch(#[n(0)] Batch),
    /// Rates in one currency.
    #[n(2)]
    Rates(#[n(0)] Rates),
    /// A promised price.
    #[n(3)]
    Quote(#[n(0)] Quote),
    /// A motion.
    #[n(4)]
    Motion(#[n(0)] Box<Motion>),
    /// A gift on hold.
    #[n(5)]
    Hold(#[n(0)] Hold),
    /// A call in progress.
    #[n(6)]
    Call(#[n(0)] Call),
    /// Void cards in a row.
    #[n(7)]
    VoidCards(#[n(0)] VoidCards),
    /// A gift that was taken back or undone.
    #[n(8)]
    Reversed(#[n(0)] Reversed),
    /// Why issuance is stopped.
    #[n(9)]
    Stopped(#[n(0)] String),
    /// What several outlets took for a card that is not bound yet.
    #[n(10)]
    Takings(#[n(0)] Takings),
    /// What was issued today.
    #[n(11)]
    Issued(#[n(0)] Issued),
}

impl Record {
    /// What sort it is.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Outlet(_) => RecordKind::Outlet,
            Self::Batch(_) => RecordKind::Batch,
            Self::Rates(_) => RecordKind::Rates,
            Self::Quote(_) => RecordKind::Quote,
            Self::Motion(_) => RecordKind::Motion,
            Self::Hold(_) => RecordKind::Hold,
            Self::Call(_) => RecordKind::Call,
            Self::VoidCards(_) => RecordKind::VoidCards,
            Self::Reversed(_) => RecordKind::Reversed,
            Self::Stopped(_) => RecordKind::Stopped,
            Self::Takings(_) => RecordKind::Takings,
            Self::Issued(_) => RecordKind::Issued,
        }
    }

    /// When its time is over and a timer submits [`Body::Due`](crate::command::Body::Due); `None`: never.
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Quote(quote) => Some(quote.expires_at),
            Self::Motion(motion) => Some(motion.expires_at),
            Self::Hold(hold) => Some(hold.expires_at),
            Self::Call(call) => Some(call.expires_at),
            Self::Reversed(reversed) => Some(reversed.until),
            Self::Outlet(_)
            | Self::Batch(_)
            | Self::Rates(_)
            | Self::VoidCards(_)
            | Self::Stopped(_)
            | Self::Takings(_)
            | Self::Issued(_) => None,
        }
    }
}
