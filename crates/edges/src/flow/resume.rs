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
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout_at};

use super::{Dial, Link, Place};
use crate::desk::Desk;
use crate::menu::{self, State, Step};
use crate::port::Decider;
use crate::say::{Resumed, Say};
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
        let Some(step) = self.first_step(at, desk, session, left, dial).await else {
            // Nothing is begun before it is known what became of the last thing: the next dial asks again.
            return self.not_known(at, desk, session).await;
        };
        session.left = None;
        self.drive(at, desk, session, step).await
    }

    /// What comes first; `None` while nobody knows what became of the last thing.
    async fn first_step(
        &self,
        at: &Place<'_>,
        desk: &Desk<'_>,
        session: &mut Session,
        left: Left,
        dial: Dial<'_>,
    ) -> Option<Step> {
        let Dial { request, fresh } = dial;
        let is_menu = matches!(request, Request::Menu) && desk.dialogue;
        if !is_menu && left.begin_mark != at.mark && fresh.gives().is_none() {
            return Some(fresh);
        }
        let (left, mut before) = at_rest(left, at.by).await?;
        if before.operator != session.operator {
            return Some(fresh);
        }
        let dialled_again = is_menu || left.begin_mark == at.mark;
        let unread = before.asked.clone().filter(|asked| concerns(asked, &fresh, dialled_again));
        let step = match unread.filter(|asked| self.is_remembered(asked, at.now)) {
            Some(asked) => self.outcome_first(at, session, asked, fresh).await?,
            None => {
                // Taken in any case: a frame of that session which waits for us finds that it is over.
                let waiting = before.state.take().and_then(State::resumable);
                let goes_on = dialled_again && fresh.waits() && left.may_resume(self.config.times, at.now);
                waiting.filter(|_| goes_on).and_then(|state| menu::resume(desk, state)).unwrap_or(fresh)
            }
        };
        before.asked = None;
        Some(step)
    }

    /// What comes first where the phone may not have read what became of a command; `None` while nobody knows.
    async fn outcome_first(
        &self,
        at: &Place<'_>,
        session: &mut Session,
        mut asked: Asked,
        fresh: Step,
    ) -> Option<Step> {
        // News need a screen that waits for an answer; whoever submits something hears that outcome.
        let may_tell = fresh.waits();
        let reply = match self.ask_again(at, &mut asked).await {
            Answer::Verdict(reply) => reply,
            Answer::NotDone if may_tell => return Some(Step::Ask(State::News, Say::Resumed(Resumed::NotDone))),
            Answer::NotDone => return Some(fresh),
            Answer::Busy
            | Answer::Closed(_)
            | Answer::IdReused
            | Answer::IdTooOld { .. }
            | Answer::IdAhead
            | Answer::Unknown => return None,
        };
        let body = &asked.command.body;
        self.learn(at, session, body, &reply);
        if may_tell {
            return Some(Step::Ask(State::News, menu::news(body, &reply)));
        }
        match reply.outcome {
            // The whole string once more, and it was done: that answer is this one's. It is asked for under the id that it
            // has, because under another one it might be done twice.
            Outcome::Done(_) => {
                let step = Step::Submit(body.clone(), None);
                session.asked = Some(asked);
                Some(step)
            }
            Outcome::Refused(_) => Some(fresh),
        }
    }

    /// Whether the engine surely remembers a command's id: of one that it forgot it says *not done*, done or not.
    fn is_remembered(&self, asked: &Asked, now: Timestamp) -> bool {
        let asked_at = asked.command.decide_before.plus_s(-i64::from(self.shared.config.decide_within_s));
        now < asked_at.plus_s(REMEMBERED_S - FORGOTTEN_MARGIN_S)
    }
}

/// The session that was left behind, when no turn of it is under way any more: what that one hears is what has to be known.
/// One that never got so far as to hear anything leaves what it came after. `None`: it takes longer than the phone waits.
async fn at_rest(mut left: Left, by: Instant) -> Option<(Left, OwnedMutexGuard<Session>)> {
    loop {
        let before = timeout_at(by, Arc::clone(&left.cell).lock_owned()).await.ok()?;
        match before.left.clone().filter(|_| before.is_new()) {
            Some(older) => left = older,
            None => return Some((left, before)),
        }
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
