//! Why the answer is no. A closed list: names are public and never change; the order of a gift's refusals is
//! [`GIFT_ORDER`].
//!
//! Deliberately not here: texts (edges), HTTP statuses (edges and api). A new refusal does not compile until each of them
//! can say it.

use minicbor::{Decode, Encode};

use crate::office::refusal::OfficeRefusal;
use crate::receipt::Seq;
use crate::rules::limit::LimitName;
use crate::time::{BusinessDate, Timestamp};

/// Why a card can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Unusable {
    /// Frozen by its holder or by care.
    #[n(0)]
    Frozen,
    /// Its time ran out.
    #[n(1)]
    Expired,
    /// Void: by care, or by a dated rule.
    #[n(2)]
    Void,
    /// Bound to some phone already (when binding).
    #[n(3)]
    AlreadyBound,
    /// Not sold yet (when binding).
    #[n(4)]
    NotSold,
    /// Closed: its balance was moved.
    #[n(5)]
    Closed,
}

impl Unusable {
    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Expired => "expired",
            Self::Void => "void",
            Self::AlreadyBound => "already-bound",
            Self::NotSold => "not-sold",
            Self::Closed => "closed",
        }
    }
}

/// Why the answer is no.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Refusal {
    /// The operator's service is closed by a dated rule, or has no rule for this day.
    #[n(0)]
    ServiceClosed {
        /// The period that closes it; `None` before the first.
        #[n(0)]
        period: Option<String>,
    },
    /// The number is no subscriber of this operator.
    #[n(1)]
    CallerUnknown,
    /// The number is barred.
    #[n(2)]
    CallerBarred,
    /// The SIM changed a short while ago.
    #[n(3)]
    CallerResting {
        /// When gifts are possible again.
        #[n(0)]
        until: Timestamp,
    },
    /// Too many wrong passwords.
    #[n(4)]
    Locked {
        /// Dials until then are neither checked nor counted.
        #[n(0)]
        until: Timestamp,
    },
    /// No card is bound to this phone.
    #[n(5)]
    NoCard,
    /// The password opens none of the caller's cards.
    #[n(6)]
    WrongPassword {
        /// Tries left before the next lock; 0 when this one led to it.
        #[n(0)]
        tries_left: u8,
        /// The lock that this one led to.
        #[n(1)]
        locked_until: Option<Timestamp>,
    },
    /// The card that the password opens can't be used.
    #[n(7)]
    CardNotUsable {
        /// Why not.
        #[n(0)]
        why: Unusable,
    },
    /// Too many refusals today.
    #[n(8)]
    TooManyRefusals {
        /// First day on which they count anew.
        #[n(0)]
        until: BusinessDate,
    },
    /// Amount and recipient stand in each other's place.
    #[n(9)]
    AmountRecipientSwapped,
    /// The recipient is no phone number.
    #[n(10)]
    RecipientMalformed,
    /// The amount is no amount.
    #[n(11)]
    AmountMalformed,
    /// The recipient's number belongs to another operator.
    #[n(12)]
    RecipientElsewhere,
    /// Nobody has the recipient's number, or it is barred.
    #[n(13)]
    RecipientUnknown,
    /// The recipient is the caller: own top-ups have a dial string of their own.
    #[n(14)]
    RecipientIsCaller,
    /// Less than the smallest amount.
    #[n(15)]
    AmountBelowMinimum {
        /// The smallest, minor units.
        #[n(0)]
        min_minor: i64,
    },
    /// More than the largest amount.
    #[n(16)]
    AmountAboveMaximum {
        /// The largest, minor units.
        #[n(0)]
        max_minor: i64,
    },
    /// Not a multiple of the step.
    #[n(17)]
    AmountOffStep {
        /// The step, minor units.
        #[n(0)]
        step_minor: i64,
    },
    /// The same gift was given a moment ago, or the same own top-up done.
    #[n(18)]
    Repeated {
        /// When.
        #[n(0)]
        given_at: Timestamp,
        /// Its entry, and so its receipt number.
        #[n(1)]
        seq: Seq,
        /// When the same gift can be given again.
        #[n(2)]
        again_at: Timestamp,
    },
    /// The sender is known for too short a time.
    #[n(19)]
    SenderTooYoung {
        /// When it is long enough.
        #[n(0)]
        until: BusinessDate,
    },
    /// The recipient is known for too short a time.
    #[n(20)]
    RecipientTooYoung {
        /// When it is long enough.
        #[n(0)]
        until: BusinessDate,
    },
    /// A ceiling is reached.
    #[n(21)]
    LimitReached {
        /// Which.
        #[n(0)]
        limit: LimitName,
        /// First day of the next window.
        #[n(1)]
        until: BusinessDate,
    },
    /// The recipient's airtime would pass its maximum.
    #[n(22)]
    RecipientBalanceMax {
        /// What still fits, minor units, 0 or more.
        #[n(0)]
        room_minor: i64,
    },
    /// The card does not hold amount, fee and what must stay on it.
    #[n(23)]
    InsufficientFunds {
        /// By how much, minor units.
        #[n(0)]
        short_by_minor: i64,
    },
    /// No gift of this card is on hold.
    #[n(24)]
    NothingToUndo,
    /// The new password is not six digits.
    #[n(25)]
    NewPasswordMalformed,
    /// The two new passwords differ.
    #[n(26)]
    NewPasswordsDiffer,
    /// The new password is one that people guess first.
    #[n(27)]
    NewPasswordTrivial,
    /// The new password is the old one.
    #[n(28)]
    NewPasswordSame,
    /// The card had too many wrong passwords at binding; care helps.
    #[n(29)]
    BindingBlocked,
    /// The phone has as many cards as it may have.
    #[n(30)]
    TooManyCards {
        /// The most.
        #[n(0)]
        max: u8,
    },
    /// The operator does not speak this language.
    #[n(31)]
    LanguageNotOffered,
    /// No such operator.
    #[n(32)]
    OperatorUnknown,
    /// The rules clash with those of another operator, or with this one's past.
    #[n(33)]
    RulesClash {
        /// With what.
        #[n(0)]
        with: String,
    },
    /// No subscriber has this number.
    #[n(34)]
    SubscriberUnknown,
    /// The number is not in the operator's ranges.
    #[n(35)]
    NumberOutOfRange {
        /// Position in the list, from 0.
        #[n(0)]
        index: u32,
    },
    /// No card has this serial.
    #[n(36)]
    CardUnknown,
    /// A card with this number exists.
    #[n(37)]
    CardNumberTaken {
        /// Position in the list, from 0.
        #[n(0)]
        index: u32,
    },
    /// The card's state does not allow that.
    #[n(38)]
    CardStateForbids {
        /// The state's public name.
        #[n(0)]
        state: String,
    },
    /// An amount would leave `i64`.
    #[n(39)]
    AmountOverflow,
    /// More than fits one command.
    #[n(40)]
    TooMuchAtOnce {
        /// The most.
        #[n(0)]
        max: u32,
    },
    /// It is that already.
    #[n(41)]
    NothingToChange,
    /// The same number stands twice in the list.
    #[n(42)]
    TwiceInList {
        /// Position of the second one, from 0.
        #[n(0)]
        index: u32,
    },
    /// The office's: no phone hears it.
    #[n(43)]
    Office(#[n(0)] Box<OfficeRefusal>),
}

/// Public names of a gift's refusals, in the order in which they are checked (docs/design.md, *The order of refusals*).
pub const GIFT_ORDER: [&str; 24] = [
    "service-closed",
    "caller-unknown",
    "caller-barred",
    "caller-resting",
    "locked",
    "no-card",
    "wrong-password",
    "card-not-usable",
    "too-many-refusals",
    "amount-recipient-swapped",
    "recipient-malformed",
    "amount-malformed",
    "recipient-elsewhere",
    "recipient-unknown",
    "recipient-is-caller",
    "amount-below-minimum",
    "amount-above-maximum",
    "amount-off-step",
    "repeated",
    "sender-too-young",
    "recipient-too-young",
    "limit-reached",
    "recipient-balance-max",
    "insufficient-funds",
];

impl Refusal {
    /// Its public name, the same in every version.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ServiceClosed { .. } => "service-closed",
            Self::CallerUnknown => "caller-unknown",
            Self::CallerBarred => "caller-barred",
            Self::CallerResting { .. } => "caller-resting",
            Self::Locked { .. } => "locked",
            Self::NoCard => "no-card",
            Self::WrongPassword { .. } => "wrong-password",
            Self::CardNotUsable { .. } => "card-not-usable",
            Self::TooManyRefusals { .. } => "too-many-refusals",
            Self::AmountRecipientSwapped => "amount-recipient-swapped",
            Self::RecipientMalformed => "recipient-malformed",
            Self::AmountMalformed => "amount-malformed",
            Self::RecipientElsewhere => "recipient-elsewhere",
            Self::RecipientUnknown => "recipient-unknown",
            Self::RecipientIsCaller => "recipient-is-caller",
            Self::AmountBelowMinimum { .. } => "amount-below-minimum",
            Self::AmountAboveMaximum { .. } => "amount-above-maximum",
            Self::AmountOffStep { .. } => "amount-off-step",
            Self::Repeated { .. } => "repeated",
            Self::SenderTooYoung { .. } => "sender-too-young",
            Self::RecipientTooYoung { .. } => "recipient-too-young",
            Self::LimitReached { .. } => "limit-reached",
            Self::RecipientBalanceMax { .. } => "recipient-balance-max",
            Self::InsufficientFunds { .. } => "insufficient-funds",
            Self::NothingToUndo => "nothing-to-undo",
            Self::NewPasswordMalformed => "new-password-malformed",
            Self::NewPasswordsDiffer => "new-passwords-differ",
            Self::NewPasswordTrivial => "new-password-trivial",
            Self::NewPasswordSame => "new-password-same",
            Self::BindingBlocked => "binding-blocked",
            Self::TooManyCards { .. } => "too-many-cards",
            Self::LanguageNotOffered => "language-not-offered",
            Self::OperatorUnknown => "operator-unknown",
            Self::RulesClash { .. } => "rules-clash",
            Self::SubscriberUnknown => "subscriber-unknown",
            Self::NumberOutOfRange { .. } => "number-out-of-range",
            Self::CardUnknown => "card-unknown",
            Self::CardNumberTaken { .. } => "card-number-taken",
            Self::CardStateForbids { .. } => "card-state-forbids",
            Self::AmountOverflow => "amount-overflow",
            Self::TooMuchAtOnce { .. } => "too-much-at-once",
            Self::NothingToChange => "nothing-to-change",
            Self::TwiceInList { .. } => "twice-in-list",
            Self::Office(refusal) => refusal.name(),
        }
    }
}

impl From<OfficeRefusal> for Refusal {
    fn from(refusal: OfficeRefusal) -> Self {
        Self::Office(Box::new(refusal))
    }
}
