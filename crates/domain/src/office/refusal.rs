//! Why the office says no. Closed, with public names that never change; no phone ever hears one of these.

use minicbor::{Decode, Encode};

use crate::currency::Currency;
use crate::ids::Serial;
use crate::office::ceiling::Ceiling;
use crate::receipt::Seq;
use crate::time::{BusinessDate, Timestamp};

/// Why the answer is no.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum OfficeRefusal {
    /// No batch has this number.
    #[n(0)]
    BatchUnknown,
    /// The batch is sealed: its secrets are in one file, and there is no second one.
    #[n(1)]
    BatchSealed,
    /// The batch was given up.
    #[n(2)]
    BatchAbandoned,
    /// Not as many cards were made as were ordered.
    #[n(3)]
    BatchIncomplete {
        /// How many are missing.
        #[n(0)]
        missing: u32,
    },
    /// More cards than were ordered.
    #[n(4)]
    BatchFull {
        /// How many may still be made.
        #[n(0)]
        room: u32,
    },
    /// The name has no letters, or too many.
    #[n(5)]
    NameMalformed,
    /// Another outlet has this name.
    #[n(6)]
    NameTaken,
    /// No outlet has this number.
    #[n(7)]
    OutletUnknown,
    /// What the outlet has prepaid does not cover this.
    #[n(8)]
    FloatShort {
        /// By how much, minor units of the currency.
        #[n(0)]
        short_by_minor: i64,
    },
    /// There is no rate for this currency today.
    #[n(9)]
    RateUnknown {
        /// Which.
        #[n(0)]
        currency: Currency,
    },
    /// A rate of nothing.
    #[n(10)]
    RateZero,
    /// Another rate holds then.
    #[n(11)]
    RatesOverlap {
        /// When that one begins.
        #[n(0)]
        from: Timestamp,
    },
    /// It ends before it begins.
    #[n(12)]
    EndsBeforeItBegins,
    /// It would change what held before now.
    #[n(13)]
    RewritesPast {
        /// What.
        #[n(0)]
        what: String,
        /// The earliest instant from which it may hold.
        #[n(1)]
        now: Timestamp,
    },
    /// No quote has this number, or it was used.
    #[n(14)]
    QuoteUnknown,
    /// The price is not promised any more.
    #[n(15)]
    QuoteExpired {
        /// Since when.
        #[n(0)]
        at: Timestamp,
    },
    /// A card was sold already.
    #[n(16)]
    CardSold {
        /// Which.
        #[n(0)]
        serial: Serial,
    },
    /// A card can't be sold here.
    #[n(17)]
    CardNotForSale {
        /// Which.
        #[n(0)]
        serial: Serial,
        /// Public name of its state, or why.
        #[n(1)]
        state: String,
    },
    /// A card was not bought, so there is nothing to give back.
    #[n(18)]
    CardNotBought,
    /// Only on the day of its sale.
    #[n(19)]
    NotSoldToday,
    /// The cards were bought in different currencies.
    #[n(20)]
    CurrenciesDiffer,
    /// The cards belong to different phones, or to none, or are the same one.
    #[n(21)]
    HoldersDiffer,
    /// The card is not void: its holder can use it.
    #[n(22)]
    CardNotVoid,
    /// No call of this number is in progress.
    #[n(23)]
    CallUnknown,
    /// Longer than was granted.
    #[n(24)]
    CallBeyondGrant {
        /// What was granted, seconds.
        #[n(0)]
        granted_s: u32,
    },
    /// No seconds, or more than a call may have at once.
    #[n(25)]
    SecondsOutOfRange {
        /// The most.
        #[n(0)]
        max: u32,
    },
    /// The airtime does not pay for a minute more.
    #[n(26)]
    AirtimeShort {
        /// By how much, minor units.
        #[n(0)]
        short_by_minor: i64,
    },
    /// No motion has this number: it was approved, dropped, or never there.
    #[n(27)]
    MotionUnknown,
    /// Nobody approves what they proposed themselves.
    #[n(28)]
    OwnMotion,
    /// The hash is not that of the motion: look at it again.
    #[n(29)]
    HashDiffers,
    /// The gift was taken back before.
    #[n(30)]
    AlreadyReversed {
        /// By this entry.
        #[n(0)]
        by: Seq,
    },
    /// The entry is no posted gift.
    #[n(31)]
    NotAGift,
    /// The recipient has nothing left of it.
    #[n(32)]
    NothingLeft,
    /// No reason was given, or one that is too long.
    #[n(33)]
    ReasonMalformed,
    /// The accounts are the same, of different units, or kept by the system.
    #[n(34)]
    AccountsDontFit,
    /// The account does not hold that much.
    #[n(35)]
    BalanceShort {
        /// By how much, minor units.
        #[n(0)]
        short_by_minor: i64,
    },
    /// Cards in this range are void already.
    #[n(36)]
    RangeOverlaps {
        /// The first serial of that range.
        #[n(0)]
        first: Serial,
        /// Its last serial.
        #[n(1)]
        last: Serial,
    },
    /// The range is empty, or holds serials of no card, or of more than one operator.
    #[n(37)]
    RangeMalformed,
    /// Issuance is stopped: the books don't agree.
    #[n(38)]
    IssuanceStopped {
        /// What does not agree.
        #[n(0)]
        why: String,
    },
    /// The role of whoever asks does not allow it.
    #[n(39)]
    RoleForbids {
        /// The role that it takes.
        #[n(0)]
        role: String,
    },
    /// A card, or an airtime account that value is issued to, would be worth more than the rules allow.
    #[n(40)]
    CardValueMax {
        /// The most, minor units.
        #[n(0)]
        max_minor: i64,
    },
    /// More would be issued than the rules allow in a business day.
    #[n(41)]
    IssuedPerDayMax {
        /// What may still be issued today, minor units, 0 or more.
        #[n(0)]
        left_minor: i64,
        /// First day on which it counts anew.
        #[n(1)]
        until: BusinessDate,
    },
    /// An outlet's float would hold more than any float may.
    #[n(42)]
    FloatMax {
        /// What still fits, minor units of the currency, 0 or more.
        #[n(0)]
        room_minor: i64,
    },
    /// The gift was given too long ago to be taken back.
    #[n(43)]
    TooLateToReverse {
        /// Since when.
        #[n(0)]
        since: Timestamp,
    },
    /// The operator has as many as it may have.
    #[n(44)]
    CeilingReached {
        /// Of what; it knows what to do.
        #[n(0)]
        of: Ceiling,
        /// The most.
        #[n(1)]
        max: u32,
    },
}

impl OfficeRefusal {
    /// Public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BatchUnknown => "batch-unknown",
            Self::BatchSealed => "batch-sealed",
            Self::BatchAbandoned => "batch-abandoned",
            Self::BatchIncomplete { .. } => "batch-incomplete",
            Self::BatchFull { .. } => "batch-full",
            Self::NameMalformed => "name-malformed",
            Self::NameTaken => "name-taken",
            Self::OutletUnknown => "outlet-unknown",
            Self::FloatShort { .. } => "float-short",
            Self::RateUnknown { .. } => "rate-unknown",
            Self::RateZero => "rate-zero",
            Self::RatesOverlap { .. } => "rates-overlap",
            Self::EndsBeforeItBegins => "ends-before-it-begins",
            Self::RewritesPast { .. } => "rewrites-past",
            Self::QuoteUnknown => "quote-unknown",
            Self::QuoteExpired { .. } => "quote-expired",
            Self::CardSold { .. } => "card-sold",
            Self::CardNotForSale { .. } => "card-not-for-sale",
            Self::CardNotBought => "card-not-bought",
            Self::NotSoldToday => "not-sold-today",
            Self::CurrenciesDiffer => "currencies-differ",
            Self::HoldersDiffer => "holders-differ",
            Self::CardNotVoid => "card-not-void",
            Self::CallUnknown => "call-unknown",
            Self::CallBeyondGrant { .. } => "call-beyond-grant",
            Self::SecondsOutOfRange { .. } => "seconds-out-of-range",
            Self::AirtimeShort { .. } => "airtime-short",
            Self::MotionUnknown => "motion-unknown",
            Self::OwnMotion => "own-motion",
            Self::HashDiffers => "hash-differs",
            Self::AlreadyReversed { .. } => "already-reversed",
            Self::NotAGift => "not-a-gift",
            Self::NothingLeft => "nothing-left",
            Self::ReasonMalformed => "reason-malformed",
            Self::AccountsDontFit => "accounts-dont-fit",
            Self::BalanceShort { .. } => "balance-short",
            Self::RangeOverlaps { .. } => "range-overlaps",
            Self::RangeMalformed => "range-malformed",
            Self::IssuanceStopped { .. } => "issuance-stopped",
            Self::RoleForbids { .. } => "role-forbids",
            Self::CardValueMax { .. } => "card-value-max",
            Self::IssuedPerDayMax { .. } => "issued-per-day-max",
            Self::FloatMax { .. } => "float-max",
            Self::TooLateToReverse { .. } => "too-late-to-reverse",
            Self::CeilingReached { .. } => "ceiling-reached",
        }
    }
}
