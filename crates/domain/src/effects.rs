//! What a verdict does to the books: movements, after-values, and who stands in the chain of history.
//!
//! Guarantees: effects are *after-values*. Folding them needs no rule, so a corrected rule can't rewrite history.
//! Deliberately not here: how they are worked out (see [`crate::decide`]), how they are folded (see [`crate::apply`]).

use std::sync::Arc;

use minicbor::{Decode, Encode};
use smallvec::SmallVec;

use crate::account::{AccountId, Transfer};
use crate::card::CardState;
use crate::ids::{CardId, LimitId, LinkId, OperatorId, SubscriberId};
use crate::memory::Memory;
use crate::money::Amount;
use crate::office::till::Bought;
use crate::office::{Record, RecordKey};
use crate::receipt::Seq;
use crate::rules::Rules;
use crate::state::{CardFacts, LimitRow, SubscriberFacts};
use crate::time::{BusinessDate, Timestamp};

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
