//! The first frame of a caller who left something behind: a dialogue that was dropped, or a command whose outcome the phone
//! never showed.
//!
//! Guarantees: what became of a command is learnt before the same thing can be asked for again: under its own id and its own
//! deadline, so that it is done once at most. Until it is learnt nothing forgets it, also when a turn is dropped half way. Nothing is asked for in place of the caller: a dialogue goes on with a question.
//!
//! Deliberately not here: which states may go on ([`State::resumable`]), what the first screen says ([`menu::resume`]).

use std::sync::Arc;

use domain::command::Body;
use domain::rules::dial::Request;
use domain::time::Timestamp;
use domain::verdict::Outcome;
use engine::answer::Answer;
use tokio::time::timeout_at;

use super::{Dial, Link, Place};
use crate::desk::Desk;
use crate::menu::{self, State, Step};
use crate::port::Decider;
use crate::say::Say;
use crate::session::{Asked, Left, REMEMBERED_S, Screen, Session};

/// Nothing is asked again so shortly before its id is forgotten: the question may wait for its answer as long as a link waits.
const FORGOTTEN_MARGIN_S: i64 = 60;

impl<D: Decider> Link<D> {
    /// The first screen of a session that comes after another one of the same caller.
    pub(super) async fn after(
        &self,
        at: &Place<'_>,
        desk: &Desk<'_>,
        session: &mut Session,
        left: Left,
        dial: Dial<'_>,
    ) -> Screen {
        let Dial { request, fresh } = dial;
        let is_menu = matches!(request, Request::Menu) && desk.dialogue;
        let same_string = left.begin_mark == at.mark;
        if !is_menu && !same_string && fresh.gives().is_none() {
            session.left = None;
            return self.drive(at, desk, session, fresh).await;
        }
        let (mut left, mut same_string) = (left, same_string);
        let mut before = loop {
            // A turn of that session may still be under way: what it hears is what has to be known.
            let Ok(before) = timeout_at(at.by, Arc::clone(&left.cell).lock_owned()).await else {
                return self.not_known(at, desk, session).await;
            };
            // One that never got so far as to hear anything leaves what it came after.
            let Some(older) = before.left.clone().filter(|_| before.is_new()) else { break before };
            same_string = older.begin_mark == at.mark;
            left = older;
        };
        if before.operator != session.operator {
            session.left = None;
            return self.drive(at, desk, session, fresh).await;
        }
        let unread = before.asked.clone().filter(|asked| concerns(asked, &fresh, is_menu || same_string));
        let unread = unread.filter(|asked| self.is_remembered(asked, at.now));
        let told = is_menu || fresh.waits();
        let step = match unread {
            Some(mut asked) => match self.ask_again(at, &mut asked).await {
                Answer::Verdict(reply) => {
                    let body = &asked.command.body;
                    self.learn(at, session, body, &reply);
                    match reply.outcome {
                        _ if told => Step::Ask(State::News, menu::news(body, &reply)),
                        // The whole string once more, and it was done: that answer is this one's. It is asked for under the
                        // id that it has, because under another one it might be done twice.
                        Outcome::Done(_) => {
                            let step = Step::Submit(body.clone(), None);
                            session.asked = Some(asked);
                            step
                        }
                        Outcome::Refused(_) => fresh,
                    }
                }
                Answer::NotDone if told => Step::Ask(State::News, Say::LastNotDone),
                Answer::NotDone => fresh,
                // Nothing is begun before it is known what became of the last thing: the next dial asks again.
                _ => return self.not_known(at, desk, session).await,
            },
            None => {
                let goes_on = told && (is_menu || same_string) && left.may_resume(self.config.times, at.now);
                let waiting = before.state.take().filter(|_| goes_on).and_then(State::resumable);
                waiting.and_then(|state| menu::resume(desk, state)).unwrap_or(fresh)
            }
        };
        before.asked = None;
        drop(before);
        session.left = None;
        self.drive(at, desk, session, step).await
    }
}

impl<D: Decider> Link<D> {
    /// Whether the engine surely remembers a command's id: of one that it forgot it says *not done*, done or not.
    fn is_remembered(&self, asked: &Asked, now: Timestamp) -> bool {
        let asked_at = asked.command.decide_before.plus_s(-i64::from(self.shared.config.decide_within_s));
        now < asked_at.plus_s(REMEMBERED_S - FORGOTTEN_MARGIN_S)
    }
}

/// Whether the caller has to hear what became of this before `fresh` begins: what changes something, and is dialled again or
/// may be forgotten about.
fn concerns(asked: &Asked, fresh: &Step, dialled_again: bool) -> bool {
    match &asked.command.body {
        Body::Gift(gift) => dialled_again || fresh.gives() == gift.recipient.value().zip(gift.amount.value()),
        Body::TopUp(_) | Body::ChangePassword(_) | Body::Freeze(_) | Body::Bind(_) | Body::Undo(_) => dialled_again,
        Body::ShowCards(_)
        | Body::ShowGifts(_)
        | Body::SetLanguage(_)
        | Body::LoadRules(_)
        | Body::ImportSubscribers(_)
        | Body::ChangeSubscriber(_)
        | Body::IssueCards(_)
        | Body::ChangeCard(_)
        | Body::ExpireCard(_)
        | Body::Office(_)
        | Body::Due(_) => false,
    }
}
