//! A dialled string → the first step of its session: usually a whole command, sometimes a question.
//!
//! Guarantees: a field that does not parse travels as *malformed*; strings that fit no template end in the help screen
//! and never reach the decider. Deliberately not here: cutting the string (`wire::dial`), what its fields are
//! ([`domain::rules::dial::DialPlan`]).

use domain::command::{Body, ChangePassword, Dialled, Gift, TopUp};
use domain::password::Proof;
use domain::rules::Rules;
use domain::rules::dial::{Form, Request, looks_swapped};
use wire::dial::DialString;

use crate::desk::Desk;
use crate::menu::{self, Giving, State, Step};
use crate::say::{FullForm, RecipientProblem, Say};
use crate::wish::{Greeting, Wish};

/// What the string asks this operator for; `None` when it fits no template.
pub fn request<'a>(rules: &Rules, dialled: &DialString<'a>) -> Option<Request<'a>> {
    let form = match dialled.form {
        wire::dial::Form::Activation => Form::Activation,
        wire::dial::Form::Interrogation => Form::Interrogation,
        wire::dial::Form::Registration => Form::Registration,
        wire::dial::Form::Erasure => Form::Erasure,
        wire::dial::Form::Deactivation => Form::Deactivation,
    };
    rules.dial.read(form, dialled.fields())
}

/// The first step. A whole string is submitted, a gift after a yes where the operator wants one and the link can ask, and its
/// session ends with the answer; what lacks a password is asked for
/// where the link can ask, and answered with the full form where it can't.
pub fn begin(desk: &Desk<'_>, request: &Request<'_>) -> Step {
    match *request {
        Request::Menu if desk.dialogue => Step::ask(State::Menu),
        Request::Menu => Step::End(Say::Help),
        Request::Give { amount, recipient, password: Some(password), occasion } => {
            give(desk, amount, recipient, password, occasion)
        }
        Request::Give { amount, recipient, password: None, occasion } => {
            ask_or(desk, FullForm::Give, || give_in_session(desk, amount, recipient, occasion))
        }
        Request::ShowCards { password } => {
            proved(desk, password, FullForm::ShowCards, Wish::ShowCards, Body::ShowCards)
        }
        Request::Freeze { password } => proved(desk, password, FullForm::Freeze, Wish::Freeze, Body::Freeze),
        Request::Undo { password } => proved(desk, password, FullForm::Undo, Wish::Undo, Body::Undo),
        Request::ChangePassword { old: Some(old), new: Some(new), again } => {
            let new = desk.new_password(new, again);
            let change = ChangePassword { caller: desk.caller, old: desk.proof(old), new };
            Step::Submit(Body::ChangePassword(change), None)
        }
        Request::ChangePassword { .. } => ask_or(desk, FullForm::ChangePassword, || Step::ask(State::OldPassword)),
        Request::Bind { number, password: Some(password) } => {
            Step::Submit(Body::Bind(desk.bind(desk.card_number(number), password)), None)
        }
        Request::Bind { number, password: None } => ask_or(desk, FullForm::Bind, || menu::card_number(desk, number)),
        Request::TopUp { amount, password: Some(password) } => {
            let proof = desk.proof(password);
            let amount = unless_malformed(&proof, desk.amount(amount));
            Step::Submit(Body::TopUp(TopUp { caller: desk.caller, amount, proof }), None)
        }
        Request::TopUp { amount, password: None } => ask_or(desk, FullForm::TopUp, || match desk.open() {
            Ok(_) => menu::top_up(menu::amount(desk, amount)),
            Err(closed) => Step::End(Say::Refused(closed)),
        }),
    }
}

fn ask_or(desk: &Desk<'_>, form: FullForm, ask: impl FnOnce() -> Step) -> Step {
    if desk.dialogue { ask() } else { Step::End(Say::FullForm(form)) }
}

fn proved(
    desk: &Desk<'_>,
    password: Option<&str>,
    form: FullForm,
    wish: Wish,
    body: impl FnOnce(domain::command::Proved) -> Body,
) -> Step {
    match password {
        Some(password) => Step::Submit(body(desk.proved(password)), None),
        None => ask_or(desk, form, || Step::ask(State::Password(wish))),
    }
}

fn give(desk: &Desk<'_>, amount: &str, recipient: &str, password: &str, occasion: Option<&str>) -> Step {
    let Some(occasion) = desk.occasion(occasion) else { return Step::End(Say::Help) };
    let proof = desk.proof(password);
    let swapped = looks_swapped(&desk.rules.numbers, amount, recipient);
    // What the decider refuses whatever is answered is not asked about, and not shown either.
    let sound = !swapped
        && matches!(proof, Proof::Tags { .. })
        && desk.open().is_ok()
        && menu::recipient(desk, recipient).is_ok()
        && menu::amount(desk, amount).is_ok();
    // Swapped is said before either field is looked at; neither is what it stands for.
    let (recipient, amount) = match swapped {
        true => (Dialled::Malformed, Dialled::Malformed),
        false => (desk.recipient(recipient), unless_malformed(&proof, desk.amount(amount))),
    };
    let gift = Gift { caller: desk.caller, recipient, amount, proof, swapped, occasion };
    if sound { menu::give(desk, Giving::Dialled(gift)) } else { Step::Submit(Body::Gift(gift), None) }
}

/// Where no password stands in the password's place it may stand in the amount's, and an amount is kept for ever. The
/// verdict is the same without it: a malformed password is looked at first.
fn unless_malformed<T>(proof: &Proof, value: Dialled<T>) -> Dialled<T> {
    match proof {
        Proof::Malformed => Dialled::Malformed,
        Proof::Tags { .. } => value,
    }
}

fn give_in_session(desk: &Desk<'_>, amount: &str, recipient: &str, occasion: Option<&str>) -> Step {
    let Some(occasion) = desk.occasion(occasion) else { return Step::End(Say::Help) };
    if let Err(closed) = desk.open() {
        return Step::End(Say::Refused(closed));
    }
    if looks_swapped(&desk.rules.numbers, amount, recipient) {
        return menu::gift(desk, Err(Some(RecipientProblem::Swapped)), Err(None), Greeting::Dialled(occasion));
    }
    let to = menu::recipient(desk, recipient).map_err(Some);
    menu::gift(desk, to, menu::amount(desk, amount).map_err(Some), Greeting::Dialled(occasion))
}

#[cfg(test)]
mod tests;
