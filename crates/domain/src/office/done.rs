//! What the office answers when something is done.

use minicbor::{Decode, Encode};

use super::RecordKind;
use super::hold::{HeldGift, HoldBack};
use super::till::Goods;
use crate::currency::Currency;
use crate::ids::{BatchId, Language, OutletId, Serial};
use crate::receipt::Seq;
use crate::rules::tariff::Ratio;
use crate::time::Timestamp;

/// What was done. Names are public.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum OfficeDone {
    /// A batch is begun.
    #[n(0)]
    BatchStarted {
        /// Its number.
        #[n(0)]
        batch: BatchId,
    },
    /// Cards of a batch are made; they exist once it is sealed.
    #[n(1)]
    CardsMade {
        /// Serial of the first; the others follow.
        #[n(0)]
        first: Serial,
        /// How many.
        #[n(1)]
        count: u32,
    },
    /// A batch is sealed: its cards exist.
    #[n(2)]
    BatchSealed {
        /// How many.
        #[n(0)]
        cards: u32,
    },
    /// A batch is given up.
    #[n(3)]
    BatchAbandoned,
    /// Cards are at an outlet.
    #[n(4)]
    Stocked {
        /// How many.
        #[n(0)]
        count: u32,
    },
    /// An outlet is open.
    #[n(5)]
    OutletOpened {
        /// Its number.
        #[n(0)]
        outlet: OutletId,
    },
    /// A float is higher or lower.
    #[n(6)]
    FloatChanged {
        /// What is on it now, minor units.
        #[n(0)]
        float_minor: i64,
    },
    /// A price is promised.
    #[n(7)]
    Quoted {
        /// The entry that it is called by.
        #[n(0)]
        quote: Seq,
        /// In what.
        #[n(1)]
        currency: Currency,
        /// Of all of it, minor units of the currency.
        #[n(2)]
        price_minor: i64,
        /// Of all of it, minor units of airtime.
        #[n(3)]
        value_minor: i64,
        /// At which rate.
        #[n(4)]
        ratio: Ratio,
        /// First instant at which it is not promised any more.
        #[n(5)]
        expires_at: Timestamp,
    },
    /// Something is sold.
    #[n(8)]
    Sold {
        /// What.
        #[n(0)]
        goods: Goods,
        /// By whom.
        #[n(1)]
        outlet: OutletId,
        /// In what.
        #[n(2)]
        currency: Currency,
        /// For how much, minor units of the currency.
        #[n(3)]
        price_minor: i64,
        /// How much airtime, minor units.
        #[n(4)]
        value_minor: i64,
        /// At which rate.
        #[n(5)]
        ratio: Ratio,
        /// Left on the float, minor units of the currency.
        #[n(6)]
        float_minor: i64,
    },
    /// A card is taken back.
    #[n(9)]
    Refunded {
        /// In what.
        #[n(0)]
        currency: Currency,
        /// How much goes back to the float, minor units.
        #[n(1)]
        price_minor: i64,
    },
    /// Two cards are one.
    #[n(10)]
    Merged {
        /// What is on it now, minor units.
        #[n(0)]
        balance_minor: i64,
    },
    /// The rest of a void card is paid out.
    #[n(11)]
    PaidOut {
        /// In what.
        #[n(0)]
        currency: Currency,
        /// How much, minor units of the currency.
        #[n(1)]
        paid_minor: i64,
        /// For how much airtime, minor units.
        #[n(2)]
        value_minor: i64,
    },
    /// Airtime is set aside for a call.
    #[n(12)]
    CallReserved {
        /// The entry that it is called by.
        #[n(0)]
        call: Seq,
        /// How long may be talked in all, seconds.
        #[n(1)]
        granted_s: u32,
        /// Free minutes in it.
        #[n(2)]
        free_minutes: u32,
        /// What is set aside, minor units.
        #[n(3)]
        held_minor: i64,
        /// When it is given back.
        #[n(4)]
        expires_at: Timestamp,
    },
    /// A call is charged.
    #[n(13)]
    CallCharged {
        /// What it cost, minor units.
        #[n(0)]
        charged_minor: i64,
        /// Free minutes that it took.
        #[n(1)]
        free_minutes: u32,
        /// Airtime left, minor units.
        #[n(2)]
        airtime_minor: i64,
    },
    /// Something waits for a second person.
    #[n(14)]
    Proposed {
        /// The entry that it is called by.
        #[n(0)]
        motion: Seq,
        /// What whoever approves must name.
        #[cbor(n(1), with = "minicbor::bytes")]
        hash: [u8; 32],
    },
    /// A motion is approved and in force.
    #[n(15)]
    Approved {
        /// The entry that proposed it.
        #[n(0)]
        motion: Seq,
        /// What it moved, minor units: of a reversal or an adjustment.
        #[n(1)]
        moved_minor: i64,
    },
    /// A motion is dropped.
    #[n(16)]
    MotionWithdrawn,
    /// A held gift is the recipient's.
    #[n(17)]
    HoldPosted {
        /// Which.
        #[n(0)]
        gift: HeldGift,
        /// The recipient's, for the SMS.
        #[n(1)]
        language: Language,
    },
    /// A held gift is back on its card: when its time came it could not arrive any more.
    #[n(18)]
    HoldVoided {
        /// Which.
        #[n(0)]
        gift: HeldGift,
        /// On the card that it is on again, minor units.
        #[n(1)]
        balance_minor: i64,
        /// Why.
        #[n(2)]
        why: HoldBack,
    },
    /// A quote, a motion or a reservation is over.
    #[n(19)]
    Dropped {
        /// What sort.
        #[n(0)]
        kind: RecordKind,
    },
    /// Issuance is stopped.
    #[n(20)]
    IssuanceStopped,
    /// Value is issued again.
    #[n(21)]
    IssuanceResumed,
}

impl OfficeDone {
    /// Public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BatchStarted { .. } => "batch-started",
            Self::CardsMade { .. } => "cards-made",
            Self::BatchSealed { .. } => "batch-sealed",
            Self::BatchAbandoned => "batch-abandoned",
            Self::Stocked { .. } => "stocked",
            Self::OutletOpened { .. } => "outlet-opened",
            Self::FloatChanged { .. } => "float-changed",
            Self::Quoted { .. } => "quoted",
            Self::Sold { .. } => "sold",
            Self::Refunded { .. } => "refunded",
            Self::Merged { .. } => "merged",
            Self::PaidOut { .. } => "paid-out",
            Self::CallReserved { .. } => "call-reserved",
            Self::CallCharged { .. } => "call-charged",
            Self::Proposed { .. } => "proposed",
            Self::Approved { .. } => "approved",
            Self::MotionWithdrawn => "motion-withdrawn",
            Self::HoldPosted { .. } => "hold-posted",
            Self::HoldVoided { .. } => "hold-voided",
            Self::Dropped { .. } => "dropped",
            Self::IssuanceStopped => "issuance-stopped",
            Self::IssuanceResumed => "issuance-resumed",
        }
    }
}
