//! The part of a turn that waits: for the decider, for a language, for a history.

use std::time::Duration;

use domain::command::{Body, Command, Language};
use domain::id::{CommandId, UssdPrompt};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::{Answer, Query, Reply, View};
use tokio::time::timeout;

use super::{Link, Place, Screen};
use crate::desk::Desk;
use crate::menu::{self, State, Step};
use crate::port::Decider;
use crate::say::{Line, Say};
use crate::session::Session;

/// Gifts on a list: the menu says so.
const GIFTS_MAX: usize = 5;
/// How often a session's name may have been used for other things before we give up on it.
const REUSE_MAX: u32 = 8;
/// A screen in another language is better than a screen too late.
const LANGUAGE_WITHIN: Duration = Duration::from_millis(500);

impl<D: Decider> Link<D> {
    /// Follows a step to the screen it leads to, and leaves the session where it waits.
    pub(super) async fn drive(&self, at: &Place<'_>, desk: &Desk<'_>, session: &mut Session, mut step: Step) -> Screen {
        let mut now = at.now;
        let mut told = None;
        loop {
            step = match step {
                Step::Ask(state, say) => {
                    let text = self.said(at, desk, session, now, &say).await;
                    session.prompt += 1;
                    return settle(at, session, Some(state), text, told);
                }
                Step::End(say) => {
                    let text = self.said(at, desk, session, now, &say).await;
                    return settle(at, session, None, text, told);
                }
                Step::List(lines) => return self.list(at, desk, session, now, lines).await,
                Step::Gifts(latest) => {
                    let of = at.key.caller;
                    let gifts = self.shared.decider.gifts(latest, of, GIFTS_MAX);
                    match timeout(self.answer_within(), gifts).await {
                        Ok(gifts) if gifts.is_empty() => Step::End(Say::NoGifts),
                        Ok(gifts) => Step::List(gifts.into_iter().take(GIFTS_MAX).map(Line::Gift).collect()),
                        Err(_) => Step::End(Say::Busy),
                    }
                }
                // Not for what was submitted before: "nothing was sent" might be wrong then.
                Step::Submit(body, _) if session.submitted.is_none() && self.is_braked(&body, at.now) => {
                    tracing::debug!(link = %self.config.name, "braked: too many wrong passwords over this link");
                    Step::End(Say::LinkBraked)
                }
                Step::Submit(body, again) => match self.submit(at, session, &body).await {
                    Answer::Verdict(reply) => {
                        now = reply.at;
                        told = moved_money(&reply).then_some(reply.seq);
                        self.learn(at, session, &body, &reply);
                        menu::answered(&body, again, &reply)
                    }
                    // Not settled: the same frame may hear more later, under the same id.
                    Answer::Unknown => {
                        let text = self.said(at, desk, session, now, &Say::Unknown).await;
                        return Screen::end(text);
                    }
                    answer => Step::End(no_verdict(&answer)),
                },
            };
        }
    }

    async fn list(
        &self,
        at: &Place<'_>,
        desk: &Desk<'_>,
        session: &mut Session,
        now: Timestamp,
        mut lines: Vec<Line>,
    ) -> Screen {
        let language = self.language(at, desk, session).await;
        let (text, shown) = self.voice(desk.rules, language, now).page(&lines, desk.dialogue);
        let rest = lines.split_off(shown.min(lines.len()));
        let state = (desk.dialogue && !rest.is_empty()).then_some(State::List(rest));
        session.prompt += u32::from(state.is_some());
        settle(at, session, state, text, None)
    }

    async fn said(&self, at: &Place<'_>, desk: &Desk<'_>, session: &mut Session, now: Timestamp, say: &Say) -> String {
        let language = self.language(at, desk, session).await;
        self.voice(desk.rules, language, now).say(say)
    }

    /// What the caller reads. A verdict says it; before one it is asked for once a session.
    async fn language(&self, at: &Place<'_>, desk: &Desk<'_>, session: &mut Session) -> Language {
        if let Some(language) = session.language {
            return language;
        }
        let query = self.shared.decider.query(Query::Subscriber(at.key.caller));
        let language = match timeout(LANGUAGE_WITHIN, query).await.ok().flatten().map(|seen| seen.value) {
            Some(View::Subscriber(Some(view))) if view.operator == desk.caller.operator => view.language,
            Some(View::Subscriber(_) | View::Card(_) | View::Status(_)) => desk.rules.default_language(),
            None => {
                let known = self.shared.callers.language(at.key.link, at.key.caller, at.now);
                known.unwrap_or_else(|| desk.rules.default_language())
            }
        };
        self.shared.callers.set_language(at.key.link, at.key.caller, at.now, language);
        session.language = Some(language);
        language
    }

    fn learn(&self, at: &Place<'_>, session: &mut Session, body: &Body, reply: &Reply) {
        let language = match (body, &reply.outcome) {
            (Body::SetLanguage(set), Outcome::Done(_)) => set.language,
            _ => reply.language,
        };
        session.language = Some(language);
        self.shared.callers.set_language(at.key.link, at.key.caller, at.now, language);
        if let Outcome::Refused(Refusal::WrongPassword { .. }) = reply.outcome {
            self.brake.wrong(at.now);
        }
    }

    fn is_braked(&self, body: &Body, now: Timestamp) -> bool {
        !matches!(body, Body::SetLanguage(_)) && !self.brake.is_open(now)
    }

    /// Submits under the id of the prompt that waits.
    ///
    /// What was submitted before without an answer keeps its id and its deadline, and hears a verdict, *not done* or
    /// *unknown*: under another id it might be done twice, and "nothing was sent" might be wrong.
    async fn submit(&self, at: &Place<'_>, session: &mut Session, body: &Body) -> Answer {
        let decider = &self.shared.decider;
        let within_s = i64::from(self.shared.config.decide_within_s);
        let decide_before = *session.decide_before.get_or_insert(at.now.plus_s(within_s));
        let submitted_before = session.submitted.replace(at.mark).is_some();
        let caller = at.turn.imsi.map_or(at.key.caller.get(), |imsi| imsi.get());
        for _ in 0..=REUSE_MAX {
            let id = CommandId::ussd(&UssdPrompt {
                link: at.key.link,
                caller,
                session: &at.turn.session,
                reuse: session.reuse,
                prompt: session.prompt,
            });
            let submitted = decider.submit(Command { id, decide_before, body: body.clone() });
            let answer = timeout(self.answer_within(), submitted).await.unwrap_or(Answer::Unknown);
            tracing::debug!(
                link = %self.config.name,
                caller = ?at.key.caller,
                %id,
                command = body.name(),
                answer = name(&answer),
                "answered"
            );
            match answer {
                Answer::Verdict(_) | Answer::NotDone | Answer::Unknown => return answer,
                _ if submitted_before => return Answer::Unknown,
                // This session is new to us, so its name was used for other things before we began to remember.
                Answer::IdReused => session.reuse = session.reuse.saturating_add(1),
                answer => return answer,
            }
        }
        Answer::IdReused
    }

    fn answer_within(&self) -> Duration {
        Duration::from_millis(u64::from(self.config.answer_within_ms))
    }
}

/// Leaves the session in a state, with the screen for whoever sends the same frame again.
fn settle(at: &Place<'_>, session: &mut Session, state: Option<State>, text: String, seq: Option<Seq>) -> Screen {
    let screen = Screen { text, goes_on: state.is_some(), seq };
    session.state = state;
    session.decide_before = None;
    session.submitted = None;
    if let super::Input::Joined { text, .. } = &at.turn.input {
        session.joined = (text.len(), at.mark);
    }
    session.remember(at.mark, screen.clone());
    screen
}

const fn moved_money(reply: &Reply) -> bool {
    matches!(reply.outcome, Outcome::Done(Done::Given { .. } | Done::ToppedUp { .. }))
}

/// What a phone reads when nothing was decided.
const fn no_verdict(answer: &Answer) -> Say {
    match answer {
        Answer::Busy => Say::Busy,
        Answer::Closed(_) => Say::Closed,
        Answer::NotDone => Say::NotDone,
        Answer::IdReused => Say::IdReused,
        Answer::IdTooOld { .. } => Say::IdTooOld,
        Answer::IdAhead => Say::IdAhead,
        Answer::Unknown | Answer::Verdict(_) => Say::Unknown,
    }
}

/// For the log: never what was asked or answered in detail.
const fn name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Verdict(Reply { outcome: Outcome::Done(_), .. }) => "done",
        Answer::Verdict(Reply { outcome: Outcome::Refused(refusal), .. }) => refusal.name(),
        Answer::Busy => "busy",
        Answer::Closed(closed) => closed.name(),
        Answer::NotDone => "not-done",
        Answer::IdReused => "id-reused",
        Answer::IdTooOld { .. } => "id-too-old",
        Answer::IdAhead => "id-ahead",
        Answer::Unknown => "unknown",
    }
}
