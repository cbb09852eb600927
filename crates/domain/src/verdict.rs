//! What the decider answers. An entry of the journal is a command with its verdict.
//!
//! Guarantees: a verdict never changes; a new answer does not compile before everybody who tells it knows it.
//! Deliberately not here: what it does to the books (see [`crate::effects`]), how it is worked out (see [`crate::decide`]).

use minicbor::{Decode, Encode};

use crate::command::Body;
use crate::effects::Effects;
use crate::id::CommandId;
use crate::ids::{Language, OperatorId, Serial};
use crate::money::Amount;
use crate::number::Msisdn;
use crate::office::done::OfficeDone;
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The recorded answer to a command. It never changes.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Verdict {
    /// Yes or no.
    #[n(0)]
    pub outcome: Outcome,
    /// What follows for the books. A refusal has effects too: tries, refusals a day, history.
    #[n(1)]
    pub effects: Effects,
}

/// Yes or no.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Done.
    #[n(0)]
    Done(#[n(0)] Done),
    /// Refused.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

impl From<Result<Done, Refusal>> for Outcome {
    fn from(done: Result<Done, Refusal>) -> Self {
        match done {
            Ok(done) => Self::Done(done),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}

/// One line of "the cards on this phone".
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CardLine {
    /// Printed on the card.
    #[n(0)]
    pub serial: Serial,
    /// Minor units.
    #[n(1)]
    pub balance_minor: i64,
    /// Whether it can give.
    #[n(2)]
    pub usable: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Done {
    /// A gift is posted.
    #[n(0)]
    Given {
        /// On the card after it, minor units.
        #[n(0)]
        left_minor: i64,
        /// Fee with its tax, minor units.
        #[n(1)]
        fee_minor: i64,
        /// The recipient's language, for the SMS.
        #[n(2)]
        language: Language,
    },
    /// The caller's own airtime is topped up.
    #[n(1)]
    ToppedUp {
        /// On the card after it, minor units.
        #[n(0)]
        left_minor: i64,
        /// Fee with its tax, minor units.
        #[n(1)]
        fee_minor: i64,
        /// Airtime after it, minor units.
        #[n(2)]
        airtime_minor: i64,
    },
    /// The cards on this phone.
    #[n(2)]
    Cards {
        /// In the order of binding.
        #[n(0)]
        cards: Vec<CardLine>,
        /// What limits still let the caller send today, minor units; `None`: as much as there is.
        #[n(1)]
        sendable_minor: Option<i64>,
        /// Airtime, minor units.
        #[n(2)]
        airtime_minor: i64,
    },
    /// Where the caller's history begins, read backwards.
    #[n(3)]
    Gifts {
        /// The latest entry before this one that names the caller.
        #[n(0)]
        latest: Seq,
    },
    /// The password is changed.
    #[n(4)]
    PasswordChanged,
    /// A card is frozen.
    #[n(5)]
    Frozen {
        /// Which.
        #[n(0)]
        serial: Serial,
    },
    /// A card is bound.
    #[n(6)]
    Bound {
        /// Which.
        #[n(0)]
        serial: Serial,
        /// What is on it, minor units.
        #[n(1)]
        balance_minor: i64,
    },
    /// The language is chosen.
    #[n(7)]
    LanguageSet,
    /// Rules are in force.
    #[n(8)]
    RulesLoaded {
        /// Whose.
        #[n(0)]
        operator: OperatorId,
    },
    /// Subscribers are imported.
    #[n(9)]
    Imported {
        /// New ones.
        #[n(0)]
        created: u32,
        /// Known ones that changed.
        #[n(1)]
        updated: u32,
    },
    /// A subscriber is changed.
    #[n(10)]
    SubscriberChanged,
    /// Cards are issued.
    #[n(11)]
    Issued {
        /// Serial of the first; the others follow.
        #[n(0)]
        first: Serial,
        /// How many.
        #[n(1)]
        count: u32,
    },
    /// A card is changed.
    #[n(12)]
    CardChanged,
    /// A card's time ran out.
    #[n(13)]
    CardExpired {
        /// What went to breakage, minor units.
        #[n(0)]
        breakage_minor: i64,
    },
    /// A gift is on hold: taken from the card, not yet the recipient's.
    #[n(14)]
    Held {
        /// On the card after it, minor units.
        #[n(0)]
        left_minor: i64,
        /// Fee with its tax, minor units.
        #[n(1)]
        fee_minor: i64,
        /// From when on it can't be undone.
        #[n(2)]
        until: Timestamp,
    },
    /// The latest gift on hold is back on its card.
    #[n(15)]
    Undone {
        /// The entry that took it.
        #[n(0)]
        hold: Seq,
        /// How much, without fee.
        #[n(1)]
        amount: Amount,
        /// To whom it would have gone.
        #[n(2)]
        recipient: Msisdn,
        /// On the card after it, minor units.
        #[n(3)]
        balance_minor: i64,
    },
    /// The office's.
    #[n(16)]
    Office(#[n(0)] Box<OfficeDone>),
}

impl Done {
    /// Public name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Given { .. } => "given",
            Self::ToppedUp { .. } => "topped-up",
            Self::Cards { .. } => "cards",
            Self::Gifts { .. } => "gifts",
            Self::PasswordChanged => "password-changed",
            Self::Frozen { .. } => "frozen",
            Self::Bound { .. } => "bound",
            Self::LanguageSet => "language-set",
            Self::RulesLoaded { .. } => "rules-loaded",
            Self::Imported { .. } => "imported",
            Self::SubscriberChanged => "subscriber-changed",
            Self::Issued { .. } => "issued",
            Self::CardChanged => "card-changed",
            Self::CardExpired { .. } => "card-expired",
            Self::Held { .. } => "held",
            Self::Undone { .. } => "undone",
            Self::Office(done) => done.name(),
        }
    }
}

impl From<OfficeDone> for Done {
    fn from(done: OfficeDone) -> Self {
        Self::Office(Box::new(done))
    }
}

/// A command with its verdict: what the journal keeps. Its seq and its instant stand in the append that holds it.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Entry {
    /// The command's id.
    #[n(0)]
    pub id: CommandId,
    /// What was asked.
    #[n(1)]
    pub body: Body,
    /// What was answered, and what follows.
    #[n(2)]
    pub verdict: Verdict,
}
