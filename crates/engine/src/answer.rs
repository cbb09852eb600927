//! What a caller of the engine hears.

use std::collections::HashMap;

use domain::ids::{BatchId, CardId, Language, OperatorId, Serial, SubscriberId};
use domain::number::Msisdn;
use domain::office::till::Bought;
use domain::office::{Record, RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::rules::tariff::CallPrice;
use domain::state::Standing;
use domain::time::{BusinessDate, Timestamp};
use domain::verdict::Outcome;

pub use crate::directory::Directory;

/// The answer to a command. Only [`Answer::Verdict`] was journaled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Decided and durable.
    Verdict(Reply),
    /// The id was used for something else: nothing was done.
    IdReused,
    /// The id is older than what is remembered: refused, never run.
    IdTooOld {
        /// The oldest instant that an id may carry.
        floor: Timestamp,
    },
    /// The program's clock is ahead of ours: nothing was done.
    IdAhead,
    /// The queue is full, or too many dials came within ten minutes to remember one more: nothing was sent. Asking again
    /// later helps.
    Busy,
    /// Intake is closed: nothing was sent.
    Closed(Closed),
    /// Its `decide_before` passed before it was decided: not done, and never will be.
    NotDone,
    /// Not known: the decider was lost on the way. Asking again with the same id is safe.
    Unknown,
}

/// Why intake is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Less than `disk_reserve_bytes` is left.
    Disk,
    /// The clock disagrees with itself or with the journal; an operator says `--accept-clock`.
    Clock,
    /// The server is stopping.
    Stopping,
}

impl Closed {
    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Stopping => "stopping",
        }
    }
}

/// A verdict as it leaves: durable, and naming the entry that it was seen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its entry.
    pub seq: Seq,
    /// When it was decided.
    pub at: Timestamp,
    /// Yes or no.
    pub outcome: Outcome,
    /// The caller's language; the operator's first when the caller is unknown.
    pub language: Language,
    /// It was asked before, and this is the same answer again.
    pub repeated: bool,
}

/// A question that changes nothing and takes no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// One subscriber, for care and for an edge that begins a session.
    Subscriber(Msisdn),
    /// One holder of a number, also one whose number has another holder by now.
    SubscriberRow(SubscriberId),
    /// One card, for care.
    Card(Serial),
    /// What the office keeps of one kind, from this id on: at most [`RECORDS_MAX`].
    Records {
        /// Which kind.
        kind: RecordKind,
        /// The first id.
        from: u64,
    },
    /// How many cards in a row are in which state: at most [`CARDS_COUNTED_MAX`] of them.
    CardStates {
        /// The first serial.
        first: Serial,
        /// The last serial.
        last: Serial,
    },
    /// Which of these cards expire at an instant: at most
    /// [`CARDS_AT_ONCE_MAX`](crate::agenda::CARDS_AT_ONCE_MAX) of them are looked at.
    CardsDue {
        /// The first row.
        first: CardId,
        /// The last row.
        last: CardId,
        /// The instant.
        at: Timestamp,
    },
    /// What a call would cost somebody now.
    CallPrice {
        /// Who would call.
        msisdn: Msisdn,
        /// To another operator's network.
        cross: bool,
        /// For how long, seconds.
        seconds: u32,
    },
}

/// Records in one answer at most.
pub const RECORDS_MAX: usize = 1_000;
/// Cards that are looked at for one answer at most: gifts wait for it.
pub const CARDS_COUNTED_MAX: u32 = 10_000;

/// The answer to a [`Query`], with the entry that it was seen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// The latest durable entry then.
    pub seq: Seq,
    /// What was asked for.
    pub value: T,
}

/// Views that queries answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// Of a subscriber; `None`: nobody has the number.
    Subscriber(Option<SubscriberView>),
    /// Of a card; `None`: no such serial.
    Card(Option<CardView>),
    /// Of the office, in the order of ids.
    Records(Records),
    /// States by public name, with how many cards and how much is on them, minor units.
    CardStates(Vec<CardCount>),
    /// Cards whose time came.
    CardsDue(CardsDue),
    /// Of a call, or what it would be refused for; `None`: nobody has the number.
    CallPrice(Option<Result<CallPrice, domain::refusal::Refusal>>),
}

/// What the office keeps, with the numbers of whom it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// In the order of ids.
    pub list: Vec<(RecordKey, Record)>,
    /// Numbers of the subscribers that these are about: of gifts on hold, of calls, and of motions that move airtime.
    pub numbers: HashMap<SubscriberId, Msisdn>,
}

/// Cards whose time came. Those that ended are in neither list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardsDue {
    /// Those that expire now, by row.
    pub now: Vec<CardId>,
    /// Those that can't expire yet, by row: their time has not come, or they are void by a rule.
    pub later: Vec<CardId>,
}

/// Cards of one operator in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardCount {
    /// Public name of the state.
    pub state: &'static str,
    /// How many.
    pub cards: u32,
    /// What is on them, minor units.
    pub balance_minor: i64,
}

/// A subscriber as care sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberView {
    /// Row.
    pub id: SubscriberId,
    /// The number.
    pub msisdn: Msisdn,
    /// Whose.
    pub operator: OperatorId,
    /// Which owner of the number.
    pub generation: u16,
    /// Active, barred or released.
    pub standing: Standing,
    /// Language of screens and SMS.
    pub language: Language,
    /// Known since.
    pub since: Timestamp,
    /// Airtime, minor units.
    pub airtime_minor: i64,
    /// The latest entry that names them.
    pub latest: Seq,
    /// Cards in the order of binding.
    pub cards: Vec<CardView>,
    /// End of the latest lock over any link, when it lies ahead.
    pub locked_until: Option<Timestamp>,
    /// Latest recipients, newest first.
    pub recents: Vec<Msisdn>,
}

/// A card as care sees it: never its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardView {
    /// Printed on it.
    pub serial: Serial,
    /// Whose.
    pub operator: OperatorId,
    /// Public name of its state.
    pub state: &'static str,
    /// What is on it, minor units.
    pub balance_minor: i64,
    /// Whose phone it is bound to.
    pub holder: Option<Msisdn>,
    /// What it was bought for; `None`: not sold, or issued as sold.
    pub bought: Option<Bought>,
    /// The batch that it was made in; `None`: issued one by one.
    pub batch: Option<BatchId>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// The latest entry that touched its balance.
    pub latest: Seq,
}

/// How the engine does, as of the latest durable entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusView {
    /// The latest durable entry.
    pub seq: Seq,
    /// Its instant.
    pub at: Timestamp,
    /// Operators with their business date.
    pub operators: Vec<(String, BusinessDate)>,
    /// Rows.
    pub subscribers: usize,
    /// Rows.
    pub cards: usize,
    /// Ids of programs and timers that are remembered.
    pub ids: usize,
    /// Ids of USSD prompts that are remembered.
    pub ussd_ids: usize,
    /// Dials since the start that were answered "busy" for want of room for their ids.
    pub ussd_ids_refused: u64,
    /// Whether that happened within the last minute.
    pub is_slowed: bool,
    /// Records of usage by pairs.
    pub pair_usage: usize,
    /// Oldest instant that a program's id may carry.
    pub ids_floor: Timestamp,
    /// Why intake is closed.
    pub closed: Option<Closed>,
}
