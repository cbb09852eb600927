//! What goes on after a dialogue was dropped, and how the caller hears what became of it.
//!
//! Guarantees: what goes on keeps only what passed every check an edge can make; states that hold tags of a password start
//! over. Deliberately not here: when ([`crate::session::Left`]).

use domain::command::{Body, Dialled, Gift, TopUp};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::Reply;

use super::{Giving, State, Step};
use crate::desk::Desk;
use crate::say::{Resumed, Say};
use crate::wish::Wish;

impl State {
    /// What another session may go on with; `None` where nothing is known yet that would have to be typed again, and where a
    /// tag of a password is kept.
    pub fn resumable(self) -> Option<Self> {
        match self {
            Self::Resumed(state) => state.resumable(),
            Self::Recipient { amount: Some(_), .. }
            | Self::Amount { .. }
            | Self::Occasion { .. }
            | Self::Confirm { giving: Giving::Asked { .. }, .. }
            | Self::Password(Wish::Give { .. } | Wish::TopUp { .. } | Wish::Bind { .. }) => Some(self),
            Self::Menu
            | Self::Recipient { amount: None, .. }
            | Self::TopUpAmount
            | Self::CardNumber
            | Self::Confirm { giving: Giving::Dialled(_), .. }
            | Self::Password(Wish::ShowCards | Wish::ShowGifts | Wish::Freeze | Wish::Undo)
            | Self::OldPassword
            | Self::NewPassword { .. }
            | Self::RepeatPassword { .. }
            | Self::Language
            | Self::List(_)
            | Self::News => None,
        }
    }
}

/// Offers to go on in a new session; `None` when it can't any more.
pub fn resume(desk: &Desk<'_>, state: State) -> Option<Step> {
    if desk.open().is_err() && !matches!(state, State::Password(Wish::Bind { .. })) {
        return None;
    }
    if let State::Confirm { giving, .. } = state {
        // A question that says all of it: 0 is no.
        return Some(super::give(desk, giving));
    }
    let say = resumed_say(&state)?;
    Some(Step::Ask(State::Resumed(Box::new(state)), say))
}

/// The screen that offers to go on.
pub(super) fn resumed_say(state: &State) -> Option<Say> {
    match *state {
        State::Recipient { amount: Some(amount), .. } => Some(Say::Resumed(Resumed::Recipient { amount })),
        State::Amount { to, .. } => Some(Say::Resumed(Resumed::Amount { to })),
        State::Occasion { .. } => Some(Say::Resumed(Resumed::Occasion)),
        State::Password(wish @ (Wish::Give { .. } | Wish::TopUp { .. } | Wish::Bind { .. })) => {
            Some(Say::Resumed(Resumed::Password(wish)))
        }
        State::Menu
        | State::Recipient { amount: None, .. }
        | State::TopUpAmount
        | State::CardNumber
        | State::Confirm { .. }
        | State::Password(Wish::ShowCards | Wish::ShowGifts | Wish::Freeze | Wish::Undo)
        | State::OldPassword
        | State::NewPassword { .. }
        | State::RepeatPassword { .. }
        | State::Language
        | State::List(_)
        | State::Resumed(_)
        | State::News => None,
    }
}

/// What became of a command, for whoever did not see its answer.
pub fn news(body: &Body, reply: &Reply) -> Say {
    match &reply.outcome {
        Outcome::Done(done) => match done {
            Done::Given { .. } | Done::ToppedUp { .. } => posted(body, reply.at, reply.seq),
            // What can still be undone, and by when, is worth hearing twice.
            Done::Held { .. } | Done::Undone { .. } => match super::done_step(body, done, reply.seq) {
                Step::End(say) => say,
                Step::Ask(..) | Step::Submit(..) | Step::List(_) | Step::Confirm(_) | Step::Gifts(_) => {
                    Say::Resumed(Resumed::Done)
                }
            },
            Done::Cards { .. }
            | Done::Gifts { .. }
            | Done::PasswordChanged
            | Done::Frozen { .. }
            | Done::Bound { .. }
            | Done::LanguageSet
            | Done::RulesLoaded { .. }
            | Done::Imported { .. }
            | Done::SubscriberChanged
            | Done::Issued { .. }
            | Done::CardChanged
            | Done::CardExpired { .. }
            | Done::Office(_) => Say::Resumed(Resumed::Done),
        },
        // Whoever hears "not done" of it would pay again.
        Outcome::Refused(refusal) => match done_before(refusal) {
            Some(before) => posted(body, before.at, before.seq),
            None => Say::Resumed(Resumed::NotDone),
        },
    }
}

/// A gift or top-up that is posted.
fn posted(body: &Body, at: Timestamp, seq: Seq) -> Say {
    Say::Resumed(match body {
        Body::Gift(Gift { recipient: Dialled::Value(to), amount: Dialled::Value(amount), .. }) => {
            Resumed::Given { to: *to, amount: *amount, at, seq }
        }
        Body::TopUp(TopUp { amount: Dialled::Value(amount), .. }) => Resumed::ToppedUp { amount: *amount, at },
        Body::Gift(_)
        | Body::TopUp(_)
        | Body::ShowCards(_)
        | Body::ShowGifts(_)
        | Body::ChangePassword(_)
        | Body::Freeze(_)
        | Body::Bind(_)
        | Body::Undo(_)
        | Body::SetLanguage(_)
        | Body::LoadRules(_)
        | Body::ImportSubscribers(_)
        | Body::ChangeSubscriber(_)
        | Body::IssueCards(_)
        | Body::ChangeCard(_)
        | Body::ExpireCard(_)
        | Body::Office(_)
        | Body::Due(_) => Resumed::Done,
    })
}

/// What was done already, and is therefore not done a second time.
pub(super) struct Before {
    pub(super) at: Timestamp,
    pub(super) seq: Seq,
    /// From when on the same may be done again.
    pub(super) again_at: Timestamp,
}

/// Whether a refusal says that the very thing was done before. A new refusal does not compile here before somebody has
/// decided, for a phone that reads "not done" of it pays twice.
pub(super) const fn done_before(refusal: &Refusal) -> Option<Before> {
    match refusal {
        &Refusal::Repeated { given_at: at, seq, again_at } => Some(Before { at, seq, again_at }),
        Refusal::ServiceClosed { .. }
        | Refusal::CallerUnknown
        | Refusal::CallerBarred
        | Refusal::CallerResting { .. }
        | Refusal::Locked { .. }
        | Refusal::NoCard
        | Refusal::WrongPassword { .. }
        | Refusal::CardNotUsable { .. }
        | Refusal::TooManyRefusals { .. }
        | Refusal::AmountRecipientSwapped
        | Refusal::RecipientMalformed
        | Refusal::AmountMalformed
        | Refusal::RecipientElsewhere
        | Refusal::RecipientUnknown
        | Refusal::RecipientIsCaller
        | Refusal::AmountBelowMinimum { .. }
        | Refusal::AmountAboveMaximum { .. }
        | Refusal::AmountOffStep { .. }
        | Refusal::SenderTooYoung { .. }
        | Refusal::RecipientTooYoung { .. }
        | Refusal::LimitReached { .. }
        | Refusal::RecipientBalanceMax { .. }
        | Refusal::InsufficientFunds { .. }
        | Refusal::NothingToUndo
        | Refusal::NewPasswordMalformed
        | Refusal::NewPasswordsDiffer
        | Refusal::NewPasswordTrivial
        | Refusal::NewPasswordSame
        | Refusal::BindingBlocked
        | Refusal::TooManyCards { .. }
        | Refusal::LanguageNotOffered
        | Refusal::OperatorUnknown
        | Refusal::RulesClash { .. }
        | Refusal::SubscriberUnknown
        | Refusal::NumberOutOfRange { .. }
        | Refusal::CardUnknown
        | Refusal::CardNumberTaken { .. }
        | Refusal::CardStateForbids { .. }
        | Refusal::AmountOverflow
        | Refusal::TooMuchAtOnce { .. }
        | Refusal::NothingToChange
        | Refusal::TwiceInList { .. }
        | Refusal::Office(_) => None,
    }
}
