//! The dialogue as a pure step: (desk, state, what was typed) → what happens next. No clock, no lock, no await.
//!
//! Guarantees: a plain password lives in here only as the borrowed input of the step that turns it into tags; what can be
//! seen to be malformed is asked for again before anything is submitted; 0 goes back and 00 leaves wherever something is
//! asked, because 0 is no amount, number or password. Where the operator has gifts confirmed, no step leads to a gift's
//! password or to its command but through [`confirm`], and what was confirmed is what is asked for.
//!
//! Deliberately not here: ids, repeated frames, time-outs ([`crate::flow`]), words ([`crate::texts`]).

mod confirm;
mod resume;

use domain::command::{Bind, Body, ChangePassword, Dialled, Gift, NewPassword, SetLanguage, TopUp};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::password::{PasswordTag, Proof};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::verdict::{Done, Outcome};
use engine::answer::Reply;

use crate::desk::Desk;
use crate::say::{AmountProblem, Did, Line, NewPasswordProblem, RecipientProblem, Say};
use crate::wish::{Greeting, Wish};
use resume::{Before, done_before, resumed_say};

pub use confirm::{Giving, confirm, is_near};
pub use resume::{news, resume};

/// Where a dialogue is: what the screen on the phone asked for.
#[derive(Clone, Debug)]
pub enum State {
    /// One of eight.
    Menu,
    /// To whom.
    Recipient {
        /// Known already when it was dialled along.
        amount: Option<Amount>,
        /// Dialled along, or to be asked for.
        greeting: Greeting,
    },
    /// How much to give.
    Amount {
        /// To whom.
        to: Msisdn,
        /// Dialled along, or to be asked for.
        greeting: Greeting,
    },
    /// Which greeting: one of the operator's, or the number after the last for none.
    Occasion {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
    },
    /// Yes or no.
    Confirm {
        /// To what.
        giving: Giving,
        /// A recipient of before whose number is nearly the same.
        near: Option<Msisdn>,
    },
    /// How much to put on one's own phone.
    TopUpAmount,
    /// The number of a card to bind.
    CardNumber,
    /// The password for something.
    Password(Wish),
    /// The password until now.
    OldPassword,
    /// The password from now on.
    NewPassword {
        /// Of the old one.
        old: Proof,
    },
    /// The new password once more.
    RepeatPassword {
        /// Of the old one.
        old: Proof,
        /// Of the new one: what the second is compared with, so that the first needn't be kept.
        new: PasswordTag,
    },
    /// Which language.
    Language,
    /// The rest of a list.
    List(Vec<Line>),
    /// Where a session before this one was: what it asked for, except that 0 leads to the menu.
    Resumed(Box<State>),
    /// Nothing: what became of something is read, and the menu comes next.
    News,
}

/// What happens next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Show a screen and wait in this state.
    Ask(State, Say),
    /// Show a screen; the session is over.
    End(Say),
    /// Ask the decider. After a wrong password the state given is where the phone may try again.
    Submit(Body, Option<State>),
    /// Show as many lines as fit, and wait with the rest.
    List(Vec<Line>),
    /// Fetch whom the caller gave to before, and go on with [`confirm`].
    Confirm(Giving),
    /// Fetch the latest gifts from the entry down, and list them.
    Gifts(Seq),
}

impl Step {
    /// Waits in a state behind its usual screen.
    pub fn ask(state: State) -> Self {
        let say = match &state {
            State::Menu | State::List(_) | State::News => Say::Menu,
            State::Recipient { .. } => Say::AskRecipient(None),
            State::Amount { .. } | State::TopUpAmount => Say::AskAmount(None),
            State::Occasion { .. } => Say::AskOccasion,
            State::Confirm { giving, near } => giving.question(*near),
            State::CardNumber => Say::AskCardNumber { again: false },
            State::Password(wish) => Say::AskPassword(*wish),
            State::OldPassword => Say::AskOldPassword,
            State::NewPassword { .. } => Say::AskNewPassword(None),
            State::RepeatPassword { .. } => Say::AskRepeat,
            State::Language => Say::AskLanguage,
            State::Resumed(state) => resumed_say(state).unwrap_or(Say::Menu),
        };
        Self::Ask(state, say)
    }

    /// Whether an answer is waited for before anything is asked of the decider.
    pub const fn waits(&self) -> bool {
        matches!(self, Self::Ask(..) | Self::Confirm(Giving::Asked { .. }))
    }

    /// The gift that it leads to, where recipient and amount are known.
    pub fn gives(&self) -> Option<(Msisdn, Amount)> {
        match self {
            Self::Ask(State::Password(Wish::Give { to, amount, .. }), _) => Some((*to, *amount)),
            Self::Confirm(Giving::Asked { to, amount, .. }) => Some((*to, *amount)),
            Self::Submit(Body::Gift(gift), _) | Self::Confirm(Giving::Dialled(gift)) => {
                gift.recipient.value().zip(gift.amount.value())
            }
            Self::Ask(..) | Self::End(_) | Self::Submit(..) | Self::List(_) | Self::Gifts(_) => None,
        }
    }
}

/// One step of the dialogue: what was typed, in answer to the screen of `state`.
pub fn step(desk: &Desk<'_>, state: State, typed: &str) -> Step {
    match (typed.trim(), state) {
        ("00", _) | ("0", State::Menu) => Step::End(Say::Bye),
        ("0", State::List(rest)) => Step::List(rest),
        ("0", State::Confirm { giving: Giving::Dialled(_), .. }) => Step::End(Say::Declined),
        ("", State::Resumed(state)) => Step::ask(State::Resumed(state)),
        (typed, State::Resumed(state)) if typed != "0" => taken(desk, *state, typed),
        ("0", state) => Step::ask(before(state)),
        // An empty field proves nothing and probes nothing: a password left out is no wrong one.
        ("", state) => Step::ask(state),
        (typed, state) => taken(desk, state, typed),
    }
}

/// The state whose screen came before this one's.
fn before(state: State) -> State {
    match state {
        State::Amount { greeting, .. } => State::Recipient { amount: None, greeting },
        State::Occasion { to, .. } => State::Amount { to, greeting: Greeting::Asked(None) },
        // Whoever goes back wants something else than what was confirmed: that screen is left out.
        State::Password(Wish::Give { to, amount, greeting })
        | State::Confirm { giving: Giving::Asked { to, amount, greeting }, .. } => match greeting {
            Greeting::Asked(_) => State::Occasion { to, amount },
            Greeting::Dialled(_) => State::Amount { to, greeting },
        },
        State::Password(Wish::TopUp { .. }) => State::TopUpAmount,
        State::Password(Wish::Bind { .. }) => State::CardNumber,
        State::NewPassword { .. } => State::OldPassword,
        State::RepeatPassword { old, .. } => State::NewPassword { old },
        State::Menu
        | State::Recipient { .. }
        | State::TopUpAmount
        | State::CardNumber
        | State::Password(Wish::ShowCards | Wish::ShowGifts | Wish::Freeze | Wish::Undo)
        | State::OldPassword
        | State::Language
        | State::Confirm { giving: Giving::Dialled(_), .. }
        | State::List(_)
        | State::Resumed(_)
        | State::News => State::Menu,
    }
}

fn taken(desk: &Desk<'_>, state: State, typed: &str) -> Step {
    match state {
        State::Menu => chosen(desk, typed),
        State::Recipient { amount, greeting } => {
            let amount = amount.ok_or(None);
            gift(desk, recipient(desk, typed).map_err(Some), amount, greeting)
        }
        State::Amount { to, greeting } => gift(desk, Ok(to), amount(desk, typed).map_err(Some), greeting),
        State::Occasion { to, amount } => match confirm::chosen_greeting(desk, typed) {
            Some(greeting) => give(desk, Giving::Asked { to, amount, greeting }),
            None => Step::ask(State::Occasion { to, amount }),
        },
        State::Confirm { giving, .. } if typed == "1" => giving.confirmed(),
        State::Confirm { giving, near } => Step::ask(State::Confirm { giving, near }),
        State::TopUpAmount => top_up(amount(desk, typed)),
        State::CardNumber => card_number(desk, typed),
        State::Password(wish) => Step::Submit(body(desk, wish, typed), Some(State::Password(wish))),
        State::OldPassword => Step::ask(State::NewPassword { old: desk.proof(typed) }),
        State::NewPassword { old } => new_password(desk, old, typed),
        State::RepeatPassword { old, new } => repeated(desk, old, new, typed),
        State::Language => match language(desk, typed) {
            Some(language) => Step::Submit(Body::SetLanguage(SetLanguage { caller: desk.caller, language }), None),
            None => Step::ask(State::Language),
        },
        State::Resumed(state) => taken(desk, *state, typed),
        State::List(_) | State::News => Step::ask(State::Menu),
    }
}

fn chosen(desk: &Desk<'_>, typed: &str) -> Step {
    let state = match typed {
        "1" => State::Recipient { amount: None, greeting: Greeting::of_menu(desk) },
        "2" => State::TopUpAmount,
        "3" => State::Password(Wish::ShowCards),
        "4" => State::Password(Wish::ShowGifts),
        "5" => State::CardNumber,
        "6" => State::OldPassword,
        "7" => State::Password(Wish::Freeze),
        "8" => State::Language,
        _ => State::Menu,
    };
    match (&state, desk.open()) {
        // Said before anybody types a number and a password for nothing.
        (State::Recipient { .. } | State::TopUpAmount, Err(closed)) => Step::End(Say::Refused(closed)),
        _ => Step::ask(state),
    }
}

/// Asks for what a gift still lacks: `Err(None)` was never typed, `Err(Some)` can't be.
pub fn gift(
    desk: &Desk<'_>,
    to: Result<Msisdn, Option<RecipientProblem>>,
    amount: Result<Amount, Option<AmountProblem>>,
    greeting: Greeting,
) -> Step {
    match (to, amount) {
        (Err(problem), amount) => {
            Step::Ask(State::Recipient { amount: amount.ok(), greeting }, Say::AskRecipient(problem))
        }
        (Ok(to), Err(problem)) => Step::Ask(State::Amount { to, greeting }, Say::AskAmount(problem)),
        (Ok(to), Ok(amount)) => match greeting {
            Greeting::Asked(_) => Step::ask(State::Occasion { to, amount }),
            Greeting::Dialled(_) => give(desk, Giving::Asked { to, amount, greeting }),
        },
    }
}

/// Has a gift that lacks nothing confirmed, where the operator wants it and the link can ask.
pub fn give(desk: &Desk<'_>, giving: Giving) -> Step {
    if giving.may_need_confirmation(desk) { Step::Confirm(giving) } else { giving.confirmed() }
}

/// Asks for what an own top-up still lacks.
pub fn top_up(amount: Result<Amount, AmountProblem>) -> Step {
    match amount {
        Ok(amount) => Step::ask(State::Password(Wish::TopUp { amount })),
        Err(problem) => Step::Ask(State::TopUpAmount, Say::AskAmount(Some(problem))),
    }
}

/// Asks for what a binding still lacks.
pub fn card_number(desk: &Desk<'_>, typed: &str) -> Step {
    match desk.card_number(typed) {
        Dialled::Value(number) => Step::ask(State::Password(Wish::Bind { number })),
        Dialled::Malformed => Step::Ask(State::CardNumber, Say::AskCardNumber { again: true }),
    }
}

/// A recipient that may be shown on a screen: of this operator, and not the caller.
pub fn recipient(desk: &Desk<'_>, typed: &str) -> Result<Msisdn, RecipientProblem> {
    match desk.recipient(typed) {
        Dialled::Malformed => Err(RecipientProblem::Malformed),
        Dialled::Value(to) if !desk.rules.numbers.is_own(to) => Err(RecipientProblem::Elsewhere),
        Dialled::Value(to) if to == desk.caller.msisdn => Err(RecipientProblem::Own),
        Dialled::Value(to) => Ok(to),
    }
}

/// An amount that the rules of today allow.
pub fn amount(desk: &Desk<'_>, typed: &str) -> Result<Amount, AmountProblem> {
    let amount = desk.amount(typed).value().ok_or(AmountProblem::Malformed)?;
    // A closed service is the decider's to refuse: whoever gets here was asked while it was open.
    let Ok(period) = desk.open() else { return Ok(amount) };
    let (min, max, step) = (period.amount_min, period.amount_max, period.amount_step);
    if (min..=max).contains(&amount) && amount.minor() % step.minor() == 0 {
        Ok(amount)
    } else {
        Err(AmountProblem::NotAllowed { min, max, step })
    }
}

fn new_password(desk: &Desk<'_>, old: Proof, typed: &str) -> Step {
    let again = |problem| Step::Ask(State::NewPassword { old }, Say::AskNewPassword(Some(problem)));
    match desk.new_password(typed, None) {
        NewPassword::Malformed => again(NewPasswordProblem::Malformed),
        NewPassword::Trivial => again(NewPasswordProblem::Trivial),
        NewPassword::Differ => again(NewPasswordProblem::Differ),
        NewPassword::Tag(new) => Step::ask(State::RepeatPassword { old, new }),
    }
}

fn repeated(desk: &Desk<'_>, old: Proof, new: PasswordTag, typed: &str) -> Step {
    match desk.new_password(typed, None) {
        NewPassword::Tag(tag) if tag.opens(&new) => {
            let change = ChangePassword { caller: desk.caller, old, new: NewPassword::Tag(new) };
            Step::Submit(Body::ChangePassword(change), Some(State::OldPassword))
        }
        _ => Step::Ask(State::NewPassword { old }, Say::AskNewPassword(Some(NewPasswordProblem::Differ))),
    }
}

fn language(desk: &Desk<'_>, typed: &str) -> Option<domain::ids::Language> {
    let place = typed.parse::<usize>().ok()?.checked_sub(1)?;
    desk.rules.standing.languages.get(place).copied()
}

fn body(desk: &Desk<'_>, wish: Wish, password: &str) -> Body {
    let caller = desk.caller;
    match wish {
        Wish::Give { to, amount, greeting } => Body::Gift(Gift {
            caller,
            recipient: Dialled::Value(to),
            amount: Dialled::Value(amount),
            proof: desk.proof(password),
            swapped: false,
            occasion: greeting.occasion(),
        }),
        Wish::TopUp { amount } => {
            Body::TopUp(TopUp { caller, amount: Dialled::Value(amount), proof: desk.proof(password) })
        }
        Wish::ShowCards => Body::ShowCards(desk.proved(password)),
        Wish::ShowGifts => Body::ShowGifts(desk.proved(password)),
        Wish::Freeze => Body::Freeze(desk.proved(password)),
        Wish::Bind { number } => Body::Bind(desk.bind(Dialled::Value(number), password)),
        Wish::Undo => Body::Undo(desk.proved(password)),
    }
}

/// What a verdict leads to. `again`: where a wrong password may be typed once more, as a new prompt.
pub fn answered(body: &Body, again: Option<State>, reply: &Reply) -> Step {
    match &reply.outcome {
        Outcome::Done(done) => done_step(body, done, reply.seq),
        Outcome::Refused(Refusal::WrongPassword { tries_left, locked_until: None }) => {
            let tries_left = *tries_left;
            let binding = matches!(body, Body::Bind(Bind { .. }));
            match again {
                Some(state) if tries_left > 0 && binding => Step::Ask(state, Say::AskCardPasswordAgain { tries_left }),
                Some(state) if tries_left > 0 => Step::Ask(state, Say::AskPasswordAgain { tries_left }),
                _ if binding => Step::End(Say::CardOrPasswordWrong { tries_left }),
                _ => Step::End(Say::Refused(Refusal::WrongPassword { tries_left, locked_until: None })),
            }
        }
        Outcome::Refused(refusal) => Step::End(refused(body, refusal)),
    }
}

/// A refusal as it is said of what was asked for: one's own top-up has no recipient to speak of.
fn refused(body: &Body, refusal: &Refusal) -> Say {
    if let &Body::TopUp(TopUp { amount: Dialled::Value(amount), .. }) = body
        && let Some(Before { at, seq, again_at }) = done_before(refusal)
    {
        return Say::Did(Did::ToppedUpAlready { amount, at, seq, again_at });
    }
    Say::Refused(refusal.clone())
}

fn done_step(body: &Body, done: &Done, seq: Seq) -> Step {
    let did = match (done, body) {
        (&Done::Given { left_minor, fee_minor, .. }, Body::Gift(gift)) => match (gift.recipient, gift.amount) {
            (Dialled::Value(to), Dialled::Value(amount)) => Did::Given { to, amount, fee_minor, left_minor, seq },
            _ => Did::Done,
        },
        (&Done::ToppedUp { left_minor, fee_minor, airtime_minor }, Body::TopUp(top_up)) => match top_up.amount {
            Dialled::Value(amount) => Did::ToppedUp { amount, fee_minor, left_minor, airtime_minor },
            Dialled::Malformed => Did::Done,
        },
        (&Done::Held { left_minor, fee_minor, until }, Body::Gift(gift)) => match (gift.recipient, gift.amount) {
            (Dialled::Value(to), Dialled::Value(amount)) => Did::Held { to, amount, fee_minor, left_minor, until, seq },
            _ => Did::Done,
        },
        (&Done::Undone { amount, recipient, balance_minor, .. }, _) => {
            Did::Undone { to: recipient, amount, balance_minor }
        }
        (Done::Cards { cards, sendable_minor, airtime_minor }, _) => {
            let head = [Some(Line::Airtime(*airtime_minor)), sendable_minor.map(Line::Sendable)];
            let cards = cards.iter().map(|card| Line::Card {
                serial: card.serial,
                balance_minor: card.balance_minor,
                usable: card.usable,
            });
            return Step::List(head.into_iter().flatten().chain(cards).collect());
        }
        (Done::Gifts { latest }, _) => return Step::Gifts(*latest),
        (Done::PasswordChanged, _) => Did::PasswordChanged,
        (&Done::Frozen { serial }, _) => Did::Frozen { serial },
        (&Done::Bound { serial, balance_minor }, _) => Did::Bound { serial, balance_minor },
        (Done::LanguageSet, _) => Did::LanguageSet,
        (
            Done::Given { .. }
            | Done::ToppedUp { .. }
            | Done::RulesLoaded { .. }
            | Done::Imported { .. }
            | Done::SubscriberChanged
            | Done::Issued { .. }
            | Done::CardChanged
            | Done::CardExpired { .. }
            | Done::Held { .. }
            | Done::Office(_),
            _,
        ) => Did::Done,
    };
    Step::End(Say::Did(did))
}

#[cfg(test)]
mod tests;
