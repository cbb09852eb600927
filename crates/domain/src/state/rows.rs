//! The rows of the [`State`](super::State): what is known of a subscriber, a card, a usage.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::card::CardState;
use crate::ids::{BatchId, CardId, Language, LimitId, OperatorId, SubscriberId};
use crate::memory::{DAY_S, LIMIT_SPARE_DAYS};
use crate::money::Amount;
use crate::number::{CardNumber, Imsi, Msisdn};
use crate::office::till::Bought;
use crate::receipt::Seq;
use crate::rules::limit::{Kind, Subject, Window};
use crate::rules::{Limit, LimitName, Rules};
use crate::time::{BusinessDate, Timestamp};

/// A sender's latest recipients that are remembered.
pub const RECENTS: usize = 8;
/// Accounts that an operator has one of.
pub const BOOKS: usize = 5;

/// Whether a number is in use and may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// In use.
    #[n(0)]
    Active,
    /// In use, no gifts from or to it.
    #[n(1)]
    Barred,
    /// Given back: the next caller with this number is somebody else, of the next generation.
    #[n(2)]
    Released,
}

/// What is known of a subscriber and changes seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SubscriberFacts {
    /// The number.
    #[n(0)]
    pub msisdn: Msisdn,
    /// The SIM, where known.
    #[n(1)]
    pub imsi: Option<Imsi>,
    /// Whose.
    #[n(2)]
    pub operator: OperatorId,
    /// Which owner of the number this is, counted from 1.
    #[n(3)]
    pub generation: u16,
    /// Language of screens and SMS.
    #[n(4)]
    pub language: Language,
    /// Active, barred or released.
    #[n(5)]
    pub standing: Standing,
    /// Known since.
    #[n(6)]
    pub since: Timestamp,
    /// The latest SIM change.
    #[n(7)]
    pub imsi_changed_at: Option<Timestamp>,
}

/// A balance and the latest entry that touched it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Purse {
    /// Minor units. Never below zero for cards and airtime.
    #[n(0)]
    pub balance_minor: i64,
    /// The latest entry that touched it; 0: none.
    #[n(1)]
    pub latest: Seq,
}

/// A subscriber.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// What changes seldom.
    pub facts: SubscriberFacts,
    /// What they call with.
    pub airtime: Purse,
    /// The latest entry that names them.
    pub latest: Seq,
    /// The day that `refused_count` belongs to.
    pub refused_date: BusinessDate,
    /// Refusals after a right password on that day.
    pub refused_count: u16,
    pub(crate) first_card: Option<CardLink>,
    /// Latest recipients, newest first.
    pub(crate) recents: Option<Box<Recents>>,
}

/// A list of recipients, newest first.
pub type Recents = smallvec::SmallVec<[SubscriberId; RECENTS]>;

/// A card's row plus one, so that "none" costs no room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CardLink(core::num::NonZeroU32);

impl CardLink {
    pub(crate) fn new(card: CardId) -> Option<Self> {
        core::num::NonZeroU32::new(card.0.checked_add(1)?).map(Self)
    }

    pub(crate) const fn card(self) -> CardId {
        CardId(self.0.get() - 1)
    }
}

/// What is known of a card and changes seldom.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(array)]
pub struct CardFacts {
    /// Printed under the hidden field.
    #[n(0)]
    pub number: CardNumber,
    /// Whose.
    #[n(1)]
    pub operator: OperatorId,
    /// When it was issued.
    #[n(2)]
    pub issued_at: Timestamp,
    /// From when it can't be used any more; [`Timestamp::MAX`]: never.
    #[n(3)]
    pub expires_at: Timestamp,
    /// Where it is in its life.
    #[n(4)]
    pub state: CardState,
    /// The batch that it was printed in; `None`: it was issued as sold.
    #[n(5)]
    pub batch: Option<BatchId>,
}

/// A card.
#[derive(Clone, Debug)]
pub struct Card {
    /// What changes seldom.
    pub facts: CardFacts,
    /// What is on it.
    pub purse: Purse,
    /// The entry that bound it to its holder; 0: never bound. Cards of a phone pay in this order.
    pub bound: Seq,
    /// Wrong passwords at binding.
    pub bind_wrong: u8,
    /// What it was bought for; `None`: it was not sold at a till.
    pub bought: Option<Bought>,
    pub(crate) next: Option<CardLink>,
}

/// How many an operator has of each thing that has a [ceiling](crate::office::ceiling).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Subscribers, released ones included.
    pub subscribers: u32,
    /// Cards, whatever their state.
    pub cards: u32,
    /// Outlets.
    pub outlets: u32,
    /// Batches, whatever their stage.
    pub batches: u32,
    /// Open quotes.
    pub quotes: u32,
    /// Open motions.
    pub motions: u32,
    /// Those among them that hold rules.
    pub rules_motions: u32,
}

/// An operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// In force now.
    pub rules: Arc<Rules>,
    /// BLAKE3 of the file they came from.
    pub file_hash: [u8; 32],
    /// The latest business date that an entry had: dates never run backwards.
    pub date: BusinessDate,
    /// How much it has of what has a ceiling: worked out from rows and records.
    pub kept: Kept,
    /// Fee income, tax payable, call income, breakage, position.
    pub(crate) books: [Purse; BOOKS],
}

/// Whose usage of which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// Which limit.
    pub limit: LimitId,
    /// A subscriber's or card's row, or for pairs the sender's row above 32 bits of the recipient's.
    pub subject: u64,
}

impl UsageKey {
    /// The key of a gift's or top-up's subject.
    pub const fn of(limit: LimitId, subject: Subject, from: SubscriberId, to: SubscriberId, card: CardId) -> Self {
        let subject = match subject {
            Subject::Sender => from.0 as u64,
            Subject::Recipient => to.0 as u64,
            Subject::Pair => ((from.0 as u64) << 32) | to.0 as u64,
            Subject::Card => card.0 as u64,
        };
        Self { limit, subject }
    }
}

/// What is used of a limit in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Usage {
    /// First day of the window.
    #[n(0)]
    pub start: BusinessDate,
    /// How many.
    #[n(1)]
    pub count: u32,
    /// How much, minor units.
    #[n(2)]
    pub total_minor: i64,
}

/// Wrong passwords of one caller over one link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// In a row since the last lock, 0 to 2.
    pub wrong: u8,
    /// Locks in a row.
    pub level: u8,
    /// End of the latest lock.
    pub until: Option<Timestamp>,
    /// When the entry that wrote it was decided.
    pub at: Timestamp,
}

impl Lock {
    /// A lock counts for so long after its end, and wrong passwords that did not lock for so long after the latest one:
    /// then they are forgotten.
    ///
    /// Whoever waits for that gains nothing: three tries, a lock of 15 minutes and 48 hours; or six tries, 1 h 15 min and
    /// 48 hours; or nine tries, 25 h 15 min and 48 hours are less than the three tries a day that whoever does not wait has.
    pub const KEPT_S: i64 = 48 * 3_600;

    /// When it counts no more.
    pub fn over_at(&self) -> Timestamp {
        self.until.map_or(self.at, |until| until.max(self.at)).plus_s(Self::KEPT_S)
    }

    /// Whether nothing is counted: such a row is not kept.
    pub const fn counts_nothing(&self) -> bool {
        self.wrong == 0 && self.level == 0 && self.until.is_none()
    }
}

/// A gift as remembered against repetition. In an own top-up sender and recipient are the same, in a gift never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepeatKey {
    /// By whom.
    pub sender: SubscriberId,
    /// To whom.
    pub recipient: SubscriberId,
    /// How much.
    pub amount: Amount,
}

/// When it was given, and its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// When.
    pub at: Timestamp,
    /// Its entry.
    pub seq: Seq,
}

/// What makes a limit the same limit after another load of rules. Its ceiling, its measure and its dates are not among it:
/// they may change, and what is used of the limit stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct LimitIdentity {
    /// Whose.
    #[n(0)]
    pub operator: OperatorId,
    /// Its public name.
    #[n(1)]
    pub name: LimitName,
    /// What it counts.
    #[n(2)]
    pub kind: Kind,
    /// Of whom.
    #[n(3)]
    pub subject: Subject,
    /// In which stretch of dates.
    #[n(4)]
    pub window: Window,
}

impl LimitIdentity {
    /// Of a limit in an operator's rules.
    pub fn of(operator: OperatorId, limit: &Limit) -> Self {
        let Limit { name, kind, subject, window, .. } = limit;
        Self { operator, name: name.clone(), kind: *kind, subject: *subject, window: *window }
    }
}

/// A limit that lives: what was used of it still matters, or may matter again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LimitRow {
    /// Which.
    #[n(0)]
    pub identity: LimitIdentity,
    /// From then on no rules that were ever loaded have it in force; [`Timestamp::MAX`]: no end.
    #[n(1)]
    pub until: Timestamp,
}

impl LimitRow {
    /// When it is forgotten: every window that was open at its end is over by then. Until then rules that bring it back find
    /// what was used of it; `None`: never.
    pub fn forget_at(&self) -> Option<Timestamp> {
        let days = i64::from(self.identity.window.days_max()).saturating_add(LIMIT_SPARE_DAYS);
        (self.until < Timestamp::MAX).then(|| self.until.plus_s(days.saturating_mul(DAY_S)))
    }
}
