//! What each refusal reads. Both matches are without `_`: a new refusal does not compile until it can be said.

use domain::refusal::{Refusal, Unusable};

use super::message::Message;
use super::{Args, Said, Voice};
use crate::say::FullForm;

impl Voice<'_> {
    /// The text of a refusal, and what fills it.
    pub(super) fn refusal(&self, refusal: &Refusal) -> Said {
        Said { message: message(refusal), args: self.refusal_args(refusal) }
    }

    fn refusal_args(&self, refusal: &Refusal) -> Args {
        let when = |at| Args::of([("when", self.when(at))]);
        let date = |date| Args::of([("date", self.date(date))]);
        let amount = |minor| Args::of([("amount", self.money(minor))]);
        let dial = |form| Args::of([("dial", self.dial(form))]);
        let place = |index: u32| Args::of([("place", u64::from(index).saturating_add(1).to_string())]);
        match refusal {
            Refusal::ServiceClosed { .. }
            | Refusal::CallerUnknown
            | Refusal::CallerBarred
            | Refusal::CardNotUsable { .. }
            | Refusal::RecipientMalformed
            | Refusal::AmountMalformed
            | Refusal::RecipientUnknown
            | Refusal::NothingToUndo
            | Refusal::NewPasswordMalformed
            | Refusal::NewPasswordsDiffer
            | Refusal::NewPasswordTrivial
            | Refusal::NewPasswordSame
            | Refusal::BindingBlocked
            | Refusal::LanguageNotOffered
            | Refusal::OperatorUnknown
            | Refusal::SubscriberUnknown
            | Refusal::CardUnknown
            | Refusal::AmountOverflow
            | Refusal::NothingToChange
            | Refusal::Office(_) => Args::none(),
            Refusal::CallerResting { until }
            | Refusal::Locked { until }
            | Refusal::WrongPassword { locked_until: Some(until), .. } => when(*until),
            Refusal::WrongPassword { tries_left, locked_until: None } => Args::of([("tries", tries_left.to_string())]),
            Refusal::TooManyRefusals { until }
            | Refusal::SenderTooYoung { until }
            | Refusal::RecipientTooYoung { until } => date(*until),
            Refusal::NoCard => dial(FullForm::Bind),
            Refusal::AmountRecipientSwapped => dial(FullForm::Give),
            Refusal::RecipientIsCaller => dial(FullForm::TopUp),
            Refusal::RecipientElsewhere => Args::of([("operator", self.operator())]),
            Refusal::AmountBelowMinimum { min_minor: minor }
            | Refusal::AmountAboveMaximum { max_minor: minor }
            | Refusal::AmountOffStep { step_minor: minor }
            | Refusal::RecipientBalanceMax { room_minor: minor }
            | Refusal::InsufficientFunds { short_by_minor: minor } => amount(*minor),
            Refusal::Repeated { given_at, seq, again_at } => {
                let (when, again) = (self.when(*given_at), self.when(*again_at));
                Args::of([("when", when), ("receipt", Self::receipt(*seq)), ("again", again)])
            }
            Refusal::LimitReached { limit, until } => {
                Args::of([("limit", self.limit(limit)), ("date", self.date(*until))])
            }
            Refusal::TooManyCards { max } => Args::of([("max", max.to_string())]),
            Refusal::TooMuchAtOnce { max } => Args::of([("max", max.to_string())]),
            Refusal::RulesClash { with } => Args::of([("with", with.clone())]),
            Refusal::CardStateForbids { state } => Args::of([("state", state.clone())]),
            Refusal::NumberOutOfRange { index }
            | Refusal::CardNumberTaken { index }
            | Refusal::TwiceInList { index } => place(*index),
        }
    }
}

const fn message(refusal: &Refusal) -> Message {
    match refusal {
        Refusal::ServiceClosed { .. } => Message::ServiceClosed,
        Refusal::CallerUnknown => Message::CallerUnknown,
        Refusal::CallerBarred => Message::CallerBarred,
        Refusal::CallerResting { .. } => Message::CallerResting,
        Refusal::Locked { .. } => Message::Locked,
        Refusal::NoCard => Message::NoCard,
        Refusal::WrongPassword { locked_until: Some(_), .. } => Message::WrongPasswordLocked,
        Refusal::WrongPassword { locked_until: None, .. } => Message::WrongPassword,
        Refusal::CardNotUsable { why } => unusable(*why),
        Refusal::TooManyRefusals { .. } => Message::TooManyRefusals,
        Refusal::AmountRecipientSwapped => Message::AmountRecipientSwapped,
        Refusal::RecipientMalformed => Message::RecipientMalformed,
        Refusal::AmountMalformed => Message::AmountMalformed,
        Refusal::RecipientElsewhere => Message::RecipientElsewhere,
        Refusal::RecipientUnknown => Message::RecipientUnknown,
        Refusal::RecipientIsCaller => Message::RecipientIsCaller,
        Refusal::AmountBelowMinimum { .. } => Message::AmountBelowMinimum,
        Refusal::AmountAboveMaximum { .. } => Message::AmountAboveMaximum,
        Refusal::AmountOffStep { .. } => Message::AmountOffStep,
        Refusal::Repeated { .. } => Message::Repeated,
        Refusal::SenderTooYoung { .. } => Message::SenderTooYoung,
        Refusal::RecipientTooYoung { .. } => Message::RecipientTooYoung,
        Refusal::LimitReached { .. } => Message::LimitReached,
        Refusal::RecipientBalanceMax { .. } => Message::RecipientBalanceMax,
        Refusal::InsufficientFunds { .. } => Message::InsufficientFunds,
        Refusal::NothingToUndo => Message::NothingToUndo,
        Refusal::NewPasswordMalformed => Message::NewPasswordMalformed,
        Refusal::NewPasswordsDiffer => Message::NewPasswordsDiffer,
        Refusal::NewPasswordTrivial => Message::NewPasswordTrivial,
        Refusal::NewPasswordSame => Message::NewPasswordSame,
        Refusal::BindingBlocked => Message::BindingBlocked,
        Refusal::TooManyCards { .. } => Message::TooManyCards,
        Refusal::LanguageNotOffered => Message::LanguageNotOffered,
        Refusal::OperatorUnknown => Message::OperatorUnknown,
        Refusal::RulesClash { .. } => Message::RulesClash,
        Refusal::SubscriberUnknown => Message::SubscriberUnknown,
        Refusal::NumberOutOfRange { .. } => Message::NumberOutOfRange,
        Refusal::CardUnknown => Message::CardUnknown,
        Refusal::CardNumberTaken { .. } => Message::CardNumberTaken,
        Refusal::CardStateForbids { .. } => Message::CardStateForbids,
        Refusal::AmountOverflow => Message::AmountOverflow,
        Refusal::TooMuchAtOnce { .. } => Message::TooMuchAtOnce,
        Refusal::NothingToChange => Message::NothingToChange,
        Refusal::TwiceInList { .. } => Message::TwiceInList,
        // What staff asks is answered over admin.sock; no link carries it.
        Refusal::Office(_) => Message::OfficeOnly,
    }
}

const fn unusable(why: Unusable) -> Message {
    match why {
        Unusable::Frozen => Message::CardFrozen,
        Unusable::Expired => Message::CardExpired,
        Unusable::Void => Message::CardVoid,
        Unusable::AlreadyBound => Message::CardAlreadyBound,
        Unusable::NotSold => Message::CardNotSold,
        Unusable::Closed => Message::CardClosed,
    }
}
