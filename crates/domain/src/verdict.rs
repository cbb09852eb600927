//! What the decider answers and what that does to the books. An entry of the journal is a command with its verdict.
//!
//! Guarantees: effects are *after-values*. Folding them needs no rule, so a corrected rule can't rewrite history.
//! Deliberately not here: how they are worked out (see [`crate::decide`]), how they are folded (see [`crate::apply`]).

use std::sync::Arc;

use minicbor::{Decode, Encode};
use smallvec::SmallVec;

use crate::account::{AccountId, Transfer};
use crate::card::CardState;
use crate::command::Body;
use crate::id::CommandId;
use crate::ids::{CardId, Language, LimitId, LinkId, OperatorId, Serial, SubscriberId};
use crate::memory::Memory;
use crate::money::Amount;
use crate::number::Msisdn;
use crate::office::done::OfficeDone;
use crate::office::till::Bought;
use crate::office::{Record, RecordKey};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{CardFacts, LimitRow, SubscriberFacts};
use crate::time::{BusinessDate, Timestamp};

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

/// What a verdict does: after-values and the chain of history.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct Effects {
    /// Whose business date this is; `None` when no operator is concerned.
    #[n(0)]
    pub operator: Option<OperatorId>,
    /// That operator's business date.
    #[n(1)]
    pub date: BusinessDate,
    /// Movements, in order. Empty for everything that moves no money.
    #[cbor(n(2), with = "crate::cbor::small")]
    pub transfers: SmallVec<[Transfer; 1]>,
    /// Every account that they touch, once, with its balance after all of them.
    #[cbor(n(3), with = "crate::cbor::small")]
    pub balances: SmallVec<[BalanceAfter; 2]>,
    /// Subscribers that this entry is about, besides those that a change names with their history: [`Effects::named`] has
    /// all of them.
    #[cbor(n(4), with = "crate::cbor::small")]
    pub others: SmallVec<[Named; 2]>,
    /// What is used of limits.
    #[cbor(n(5), with = "crate::cbor::small")]
    pub usage: SmallVec<[UsageAfter; 2]>,
    /// Everything else.
    #[cbor(n(6), with = "crate::cbor::small")]
    pub changes: SmallVec<[Change; 1]>,
}

impl Effects {
    /// Everyone that this entry is about, once each, with the entry before it that named them.
    pub fn named(&self) -> impl Iterator<Item = &Named> {
        self.changes.iter().flat_map(Change::named).chain(&self.others)
    }

    /// The gift that this entry posts or sets aside; `None`: it does neither. An own top-up is no gift.
    pub fn gift(&self) -> Option<Given> {
        self.changes.iter().find_map(|change| match change {
            Change::Gave { sender, recipient, amount } | Change::Held { sender, recipient, amount } => {
                Some(Given { sender: sender.subscriber, recipient: recipient.subscriber, amount: *amount })
            }
            Change::ToppedUp { .. }
            | Change::Lock { .. }
            | Change::Refused { .. }
            | Change::Subscriber { .. }
            | Change::Card { .. }
            | Change::CardState { .. }
            | Change::BindWrong { .. }
            | Change::Operator { .. }
            | Change::Bought { .. }
            | Change::Record { .. }
            | Change::Forgotten { .. }
            | Change::Recent { .. }
            | Change::Limit { .. }
            | Change::Turn { .. } => None,
        })
    }

    /// The card that paid; `None` when none did.
    pub fn paid_by(&self) -> Option<CardId> {
        self.transfers.iter().find_map(|transfer| match transfer.debit {
            AccountId::Card(card) => Some(card),
            _ => None,
        })
    }
}

/// Who gave how much to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// By whom.
    pub sender: SubscriberId,
    /// To whom; never the sender.
    pub recipient: SubscriberId,
    /// How much, without fee.
    pub amount: Amount,
}

/// An account after the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BalanceAfter {
    /// Which.
    #[n(0)]
    pub account: AccountId,
    /// Its balance, minor units.
    #[n(1)]
    pub after_minor: i64,
    /// The entry before this one that touched it; 0: none.
    #[n(2)]
    pub prev: Seq,
}

/// A subscriber that an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Named {
    /// Who.
    #[n(0)]
    pub subscriber: SubscriberId,
    /// The entry before this one that named them; 0: none.
    #[n(1)]
    pub prev: Seq,
}

/// Usage of a limit after the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct UsageAfter {
    /// Of which limit.
    #[n(0)]
    pub limit: LimitId,
    /// By whom: a subscriber's row, a card's row, or sender above recipient (see [`crate::state::UsageKey`]).
    #[n(1)]
    pub subject: u64,
    /// First day of the window.
    #[n(2)]
    pub start: BusinessDate,
    /// How many.
    #[n(3)]
    pub count: u32,
    /// How much, minor units.
    #[n(4)]
    pub total_minor: i64,
}

/// A row of the state after the entry.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Change {
    /// Wrong passwords of a caller over a link. All zero: forgotten.
    #[n(0)]
    Lock {
        /// Who.
        #[n(0)]
        subscriber: SubscriberId,
        /// Over which link.
        #[n(1)]
        link: LinkId,
        /// Wrong ones in a row since the last lock, 0 to 2.
        #[n(2)]
        wrong: u8,
        /// Locks in a row.
        #[n(3)]
        level: u8,
        /// The latest lock's end.
        #[n(4)]
        until: Option<Timestamp>,
    },
    /// A gift is posted. Its recipient becomes one of the sender's latest, and it is remembered against repetition under
    /// this entry. It carries the history of both, so that the commonest entry names nobody twice.
    #[n(1)]
    Gave {
        /// By whom.
        #[n(0)]
        sender: Named,
        /// To whom; never the sender.
        #[n(1)]
        recipient: Named,
        /// How much, without fee.
        #[n(2)]
        amount: Amount,
    },
    /// Refusals of a caller on this business date, after a right password.
    #[n(2)]
    Refused {
        /// Whose.
        #[n(0)]
        subscriber: SubscriberId,
        /// How many.
        #[n(1)]
        count: u16,
    },
    /// A new subscriber, or new facts of one.
    #[n(3)]
    Subscriber {
        /// Row; the next free one creates it.
        #[n(0)]
        id: SubscriberId,
        /// All its facts.
        #[n(1)]
        facts: SubscriberFacts,
    },
    /// A new card.
    #[n(4)]
    Card {
        /// Row: the next free one.
        #[n(0)]
        id: CardId,
        /// All its facts.
        #[n(1)]
        facts: CardFacts,
    },
    /// A card's state, or its tag in the same state.
    #[n(5)]
    CardState {
        /// Row.
        #[n(0)]
        id: CardId,
        /// The state.
        #[n(1)]
        state: CardState,
    },
    /// Wrong passwords at binding a card.
    #[n(6)]
    BindWrong {
        /// Row.
        #[n(0)]
        id: CardId,
        /// How many.
        #[n(1)]
        wrong: u8,
    },
    /// Rules of an operator, with the row numbers of their limits.
    #[n(7)]
    Operator {
        /// Row; the next free one creates it.
        #[n(0)]
        id: OperatorId,
        /// In force from this entry on.
        #[cbor(n(1), with = "crate::cbor::shared")]
        rules: Arc<Rules>,
        /// BLAKE3 of the file they came from.
        #[cbor(n(2), with = "minicbor::bytes")]
        file_hash: [u8; 32],
    },
    /// What a card was bought for, all together.
    #[n(8)]
    Bought {
        /// Row.
        #[n(0)]
        id: CardId,
        /// All of it.
        #[n(1)]
        bought: Bought,
    },
    /// What the office keeps, whole; `None`: not any more.
    #[n(9)]
    Record {
        /// Its name.
        #[n(0)]
        key: RecordKey,
        /// After the entry.
        #[n(1)]
        record: Option<Record>,
    },
    /// A held gift is undone: it is no longer remembered against repetition.
    #[n(10)]
    Forgotten {
        /// By whom.
        #[n(0)]
        sender: SubscriberId,
        /// To whom.
        #[n(1)]
        recipient: SubscriberId,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// A held gift is posted: its recipient becomes one of the sender's latest.
    #[n(11)]
    Recent {
        /// By whom.
        #[n(0)]
        sender: SubscriberId,
        /// To whom.
        #[n(1)]
        recipient: SubscriberId,
    },
    /// A new generation of what is remembered for a while begins with this entry; the one before the last is forgotten.
    #[n(14)]
    Turn {
        /// Of what.
        #[n(0)]
        memory: Memory,
    },
    /// A gift is taken from its card and set aside. It is remembered against repetition under this entry, which its record
    /// is called by too.
    #[n(12)]
    Held {
        /// By whom.
        #[n(0)]
        sender: Named,
        /// To whom; never the sender.
        #[n(1)]
        recipient: Named,
        /// How much, without fee.
        #[n(2)]
        amount: Amount,
    },
    /// A limit is there, or has another end; `None`: it is forgotten with all that was used of it.
    #[n(15)]
    Limit {
        /// Row: the next free one for a new limit.
        #[n(0)]
        id: LimitId,
        /// After the entry.
        #[n(1)]
        limit: Option<LimitRow>,
    },
    /// An own top-up is posted, and remembered against repetition under this entry.
    #[n(13)]
    ToppedUp {
        /// Whose.
        #[n(0)]
        holder: Named,
        /// How much, without fee.
        #[n(1)]
        amount: Amount,
    },
}

impl Change {
    /// Subscribers that it names with their history.
    fn named(&self) -> impl Iterator<Item = &Named> {
        let [first, second] = match self {
            Self::Gave { sender, recipient, .. } | Self::Held { sender, recipient, .. } => {
                [Some(sender), Some(recipient)]
            }
            Self::ToppedUp { holder, .. } => [Some(holder), None],
            Self::Lock { .. }
            | Self::Refused { .. }
            | Self::Subscriber { .. }
            | Self::Card { .. }
            | Self::CardState { .. }
            | Self::BindWrong { .. }
            | Self::Operator { .. }
            | Self::Bought { .. }
            | Self::Record { .. }
            | Self::Forgotten { .. }
            | Self::Recent { .. }
            | Self::Limit { .. }
            | Self::Turn { .. } => [None, None],
        };
        first.into_iter().chain(second)
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
