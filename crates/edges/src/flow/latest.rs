//! Peers that send the latest input alone and number no frames: which frame is the last one once more.
//!
//! For: [`Input::Latest`](super::Input::Latest): Arkesel always, Hubtel where it leaves its number out, and SMPP gateways
//! whose sequence number is missing or stands still.
//!
//! Such a frame looks the same when a lost answer makes the peer repeat it and when a person types the same thing twice, so
//! one of the two must be guessed, and the guess is the one that can do no harm. The same text as the session's last frame
//! is *that frame again*
//! - while its command has no answer yet, and when the session is over: it hears what the first one heard;
//! - when it came before the last answer or within [`REPEATED_WITHIN_MS`] of it: nobody reads a screen and types so fast;
//! - when a password in force is asked for: taken as new, an amount sent twice would count as a wrong password.
//!
//! Everywhere else it is *typed again*: `0` to go back twice or to turn two pages, a new password and its repetition.
//!
//! Guarantees: money moves after a password prompt only, so no repeated frame pays twice or costs a try. What a wrong guess
//! can cost: a prompt that the phone did not see, or a new password that was typed once (its frame repeated later than
//! [`REPEATED_WITHIN_MS`] after a lost answer is taken for the repetition).

use std::hash::BuildHasher;

use domain::time::Timestamp;

use crate::menu::{Giving, State};
use crate::session::{Latest, Session};

/// Milliseconds after an answer in which the same text is the same frame. An answer takes longer to reach a phone, to be
/// read and to be typed upon; a proxy repeats faster.
pub const REPEATED_WITHIN_MS: i64 = 1_000;

/// The mark of a frame with this text: the last frame's when it is that one again.
pub(super) fn mark(session: &mut Session, text: &str, arrived_at: Timestamp, marks: &impl BuildHasher) -> u64 {
    let content = marks.hash_one(text);
    if let Some(latest) = session.latest.filter(|latest| latest.content == content)
        && is_repeated(session, &latest, arrived_at)
    {
        return latest.mark;
    }
    session.inputs = session.inputs.wrapping_add(1);
    let mark = marks.hash_one((content, session.inputs));
    session.latest = Some(Latest { content, mark, answered_at: None });
    mark
}

/// Says that the last frame has its answer.
pub(super) fn answered(session: &mut Session, at: Timestamp) {
    if let Some(latest) = &mut session.latest {
        latest.answered_at = Some(at);
    }
}

fn is_repeated(session: &Session, latest: &Latest, arrived_at: Timestamp) -> bool {
    let without_answer = session.unanswered() == Some(latest.mark);
    let soon = latest.answered_at.is_none_or(|at| arrived_at.ms().saturating_sub(at.ms()) < REPEATED_WITHIN_MS);
    without_answer || soon || session.state.as_ref().is_none_or(is_costly)
}

/// Whether the same text typed a second time could cost a try or move money. A new state does not compile until somebody
/// has decided.
fn is_costly(state: &State) -> bool {
    match state {
        State::Password(_) | State::OldPassword => true,
        // A yes behind a whole dialled string moves money; before a password it leads to the next question only, and the
        // `1` that chose a greeting may well be followed by the `1` that says yes.
        State::Confirm { giving, .. } => matches!(giving, Giving::Dialled(_)),
        State::Resumed(state) => is_costly(state),
        State::Menu
        | State::Recipient { .. }
        | State::Amount { .. }
        | State::Occasion { .. }
        | State::TopUpAmount
        | State::CardNumber
        | State::NewPassword { .. }
        | State::RepeatPassword { .. }
        | State::Language
        | State::List(_)
        | State::News => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{REPEATED_WITHIN_MS, answered, mark};
    use crate::menu::State;
    use crate::session::{Asked, Session};
    use crate::wish::Wish;
    use domain::command::{Body, Caller, Command, SetLanguage};
    use domain::id::{CommandId, UssdPrompt};
    use domain::ids::{Language, LinkId, OperatorId};
    use domain::number::Msisdn;
    use domain::time::Timestamp;

    const MARKS: foldhash::quality::FixedState = foldhash::quality::FixedState::with_seed(7);

    /// Any: only that there is one matters.
    fn command() -> Command {
        let msisdn = Msisdn::try_new(8_501_910_000_001).expect("a number");
        let caller = Caller { operator: OperatorId(0), link: LinkId(1), msisdn, imsi: None };
        let body = Body::SetLanguage(SetLanguage { caller, language: Language::English });
        let prompt = UssdPrompt { link: LinkId(1), caller: msisdn.get(), session: b"s", reuse: 0, prompt: 0 };
        Command { id: CommandId::ussd(&prompt), decide_before: at(0), body }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000 + ms)
    }

    /// Whether the same text, so long after the answer, is the same frame.
    fn repeated(state: Option<State>, submitted: bool, after_ms: i64) -> bool {
        let mut session = Session::default();
        let first = mark(&mut session, "590274", at(0), &MARKS);
        answered(&mut session, at(100));
        session.state = state;
        session.asked = submitted.then(|| Asked { mark: first, command: command(), answered: false });
        mark(&mut session, "590274", at(100 + after_ms), &MARKS) == first
    }

    #[test]
    fn the_same_text_is_the_same_frame_where_anything_else_could_do_harm() {
        let late = REPEATED_WITHIN_MS;
        assert!(repeated(None, false, late));
        assert!(repeated(Some(State::Password(Wish::ShowCards)), false, late));
        assert!(repeated(Some(State::OldPassword), false, late));
        assert!(repeated(Some(State::Menu), true, late), "no answer yet");
        for state in [State::Menu, State::TopUpAmount, State::CardNumber, State::Language, State::List(Vec::new())] {
            assert!(!repeated(Some(state.clone()), false, late), "{state:?}");
            assert!(repeated(Some(state.clone()), false, late - 1), "{state:?}");
            assert!(repeated(Some(state.clone()), false, -50), "came before the answer: {state:?}");
        }
    }

    #[test]
    fn a_frame_without_answer_is_itself() {
        let mut session = Session::default();
        let first = mark(&mut session, "1", at(0), &MARKS);
        session.state = Some(State::Menu);
        assert_eq!(mark(&mut session, "1", at(60_000), &MARKS), first);
        answered(&mut session, at(60_000));
        let second = mark(&mut session, "1", at(70_000), &MARKS);
        assert_ne!(second, first);
        assert_ne!(mark(&mut session, "2", at(70_000), &MARKS), second);
    }
}
