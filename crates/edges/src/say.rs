//! Every screen there is, without its words: what a step decides to say, and what [`crate::texts`] can say.
//!
//! Guarantees: nothing in here was typed by anybody, except an amount and a recipient that passed every check an edge can
//! make. Deliberately not here: words, languages, budgets.

use domain::ids::Serial;
use domain::money::Amount;
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::time::Timestamp;

use crate::port::GiftLine;
use crate::wish::Wish;

/// Why a recipient is asked for once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientProblem {
    /// It is no phone number.
    Malformed,
    /// It is of another operator.
    Elsewhere,
    /// It is the caller's.
    Own,
    /// Amount and recipient stood in each other's place: said, never guessed.
    Swapped,
}

/// Why an amount is asked for once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountProblem {
    /// It is no amount.
    Malformed,
    /// The operator's rules don't allow it today.
    NotAllowed {
        /// Smallest.
        min: Amount,
        /// Largest.
        max: Amount,
        /// Multiples of this.
        step: Amount,
    },
}

/// Why a new password is asked for once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasswordProblem {
    /// Not six digits.
    Malformed,
    /// What people guess first.
    Trivial,
    /// The two typed differ.
    Differ,
}

/// A dial string with everything in it, for hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullForm {
    /// Give.
    Give,
    /// The cards on this phone.
    ShowCards,
    /// Another password.
    ChangePassword,
    /// Freeze.
    Freeze,
    /// Bind.
    Bind,
    /// Own top-up.
    TopUp,
    /// Undo.
    Undo,
}

impl FullForm {
    /// Every form there is.
    pub const ALL: [Self; 7] =
        [Self::Give, Self::ShowCards, Self::ChangePassword, Self::Freeze, Self::Bind, Self::TopUp, Self::Undo];
}

/// One screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// The menu.
    Menu,
    /// To whom?
    AskRecipient(Option<RecipientProblem>),
    /// How much?
    AskAmount(Option<AmountProblem>),
    /// The password, and what it is for.
    AskPassword(Wish),
    /// The password was wrong.
    AskPasswordAgain {
        /// Tries left before the next lock.
        tries_left: u8,
    },
    /// Card number or password was wrong; which of them is nobody's business.
    AskCardPasswordAgain {
        /// Tries left before the next lock.
        tries_left: u8,
    },
    /// The number printed on the card.
    AskCardNumber {
        /// What was typed is none.
        again: bool,
    },
    /// The password until now.
    AskOldPassword,
    /// The password from now on.
    AskNewPassword(Option<NewPasswordProblem>),
    /// The same once more.
    AskRepeat,
    /// Which language?
    AskLanguage,
    /// How to dial: what was dialled fits no template.
    Help,
    /// This link can't ask back: the whole string, with its password.
    FullForm(FullForm),
    /// The caller left.
    Bye,
    /// The session's time is up, or nobody knows it.
    SessionOver,
    /// More dials in a minute than the operator allows.
    TooManyDials,
    /// Too many wrong passwords come over this link.
    LinkBraked,
    /// The caller's number is not of the operator whose service code was dialled.
    CallerElsewhere,
    /// What was asked is done.
    Did(Did),
    /// No gift given or received.
    NoGifts,
    /// No.
    Refused(Refusal),
    /// Card number or password was wrong, and the session ends.
    CardOrPasswordWrong {
        /// Tries left before the next lock.
        tries_left: u8,
    },
    /// The queue is full: nothing was sent.
    Busy,
    /// Intake is closed: nothing was sent.
    Closed,
    /// It came too late: nothing was sent, and never will be.
    NotDone,
    /// The id was used for something else: nothing was sent.
    IdReused,
    /// The id is older than what is remembered: nothing was sent.
    IdTooOld,
    /// The id is from the future: nothing was sent.
    IdAhead,
    /// Not known.
    Unknown,
    /// Which greeting?
    AskOccasion,
    /// Yes or no?
    Confirm {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// A recipient of before whose number is nearly the same.
        near: Option<Msisdn>,
    },
    /// No was the answer: nothing was sent.
    Declined,
    /// The caller left something behind.
    Resumed(Resumed),
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// A gift is posted.
    Given {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// Fee with its tax, minor units.
        fee_minor: i64,
        /// On the card after it, minor units.
        left_minor: i64,
        /// Its entry, and so its receipt number.
        seq: Seq,
    },
    /// A gift is on hold: its sender may undo it for a while.
    Held {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// Fee with its tax, minor units.
        fee_minor: i64,
        /// On the card after it, minor units.
        left_minor: i64,
        /// From when on it can't be undone.
        until: Timestamp,
        /// Its entry, and so its receipt number.
        seq: Seq,
    },
    /// A gift on hold is back on its card.
    Undone {
        /// To whom it would have gone.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// On the card after it, minor units.
        balance_minor: i64,
    },
    /// The caller's own airtime is topped up.
    ToppedUp {
        /// How much.
        amount: Amount,
        /// Fee with its tax, minor units.
        fee_minor: i64,
        /// On the card after it, minor units.
        left_minor: i64,
        /// Airtime after it, minor units.
        airtime_minor: i64,
    },
    /// The same own top-up was done a moment ago: it was not done twice.
    ToppedUpAlready {
        /// How much.
        amount: Amount,
        /// When.
        at: Timestamp,
        /// Its entry, and so its receipt number.
        seq: Seq,
        /// When the same can be done again.
        again_at: Timestamp,
    },
    /// The password is changed.
    PasswordChanged,
    /// A card is frozen.
    Frozen {
        /// Which.
        serial: Serial,
    },
    /// A card is bound.
    Bound {
        /// Which.
        serial: Serial,
        /// What is on it, minor units.
        balance_minor: i64,
    },
    /// The language is chosen.
    LanguageSet,
    /// Done, and nothing more to say on a phone.
    Done,
}

/// What a caller reads who left a dialogue or an answer behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// A dropped gift lacked its greeting.
    Occasion,
    /// A dropped dialogue lacked the password for this.
    Password(Wish),
    /// A dropped gift lacked its amount.
    Amount {
        /// To whom.
        to: Msisdn,
    },
    /// A dropped gift lacked its recipient.
    Recipient {
        /// How much.
        amount: Amount,
    },
    /// What a session before this one asked for: a gift is posted.
    Given {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// When.
        at: Timestamp,
        /// Its entry, and so its receipt number.
        seq: Seq,
    },
    /// What a session before this one asked for: the caller's own airtime is topped up.
    ToppedUp {
        /// How much.
        amount: Amount,
        /// When.
        at: Timestamp,
    },
    /// What a session before this one asked for is done.
    Done,
    /// What a session before this one asked for is not done, and never will be.
    NotDone,
}

/// One line of a list that may be longer than a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The caller's airtime, minor units.
    Airtime(i64),
    /// What may still be sent today, minor units.
    Sendable(i64),
    /// A card.
    Card {
        /// Printed on it.
        serial: Serial,
        /// Minor units.
        balance_minor: i64,
        /// Whether it can give.
        usable: bool,
    },
    /// A gift given or received.
    Gift(GiftLine),
}
