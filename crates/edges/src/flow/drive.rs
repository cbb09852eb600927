//! The part of a turn that waits: for the decider, for a language, for a history.

use std::time::Duration;

use domain::command::{Body, Command};
use domain::id::{CommandId, UssdPrompt};
use domain::ids::Language;
use domain::number::Msisdn;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::{Answer, Query, Reply, SubscriberView, View};
use tokio::time::{timeout, timeout_at};

use super::{Link, Place};
use crate::desk::Desk;
use crate::menu::{self, State, Step};
use crate::port::Decider;
use crate::say::{Line, Say};
use crate::session::{About, Asked, Screen, Session};

/// Gifts on a list: the menu says so.
const GIFTS_MAX: usize = 5;
/// How often a session's name may have been used for other things before we give up on it.
const REUSE_MAX: u32 = 8;
/// A screen in another language, or a confirmation that was needless, is better than a screen too late.
const QUERY_WITHIN: Duration = Duration::from_millis(500);

impl<D: Decider> Link<D> {
    /// Follows a step to the screen it leads to, and leaves the session where it waits.
    pub(super) async fn drive(&self, at: &Place<'_>, desk: &Desk<'_>, session: &mut Session, mut step: Step) -> Screen {
        let mut now = at.now;
        let mut about = About::Nothing;
        loop {
            step = match step {
                Step::Ask(state, say) => {
                    let text = self.said(at, desk, session, now, &say).await;
                    session.prompt += 1;
                    return self.settle(at, session, Some(state), text, about);
                }
                Step::End(say) => {
                    let text = self.said(at, desk, session, now, &say).await;
                    return self.settle(at, session, None, text, about);
                }
                Step::List(lines) => return self.list(at, desk, session, (now, about), lines).await,
                Step::Confirm(giving) => menu::confirm(desk, giving, self.recents(at, desk).await.as_deref()),
                Step::Gifts(latest) => {
                    let of = at.key.caller;
                    let gifts = self.shared.decider.gifts(latest, of, GIFTS_MAX);
                    match timeout_at(at.by, gifts).await {
                        Ok(gifts) if gifts.is_empty() => Step::End(Say::NoGifts),
                        Ok(gifts) => Step::List(gifts.into_iter().take(GIFTS_MAX).map(Line::Gift).collect()),
                        Err(_) => Step::End(Say::Busy),
                    }
                }
                // Not for what was submitted before: "nothing was sent" might be wrong then.
                Step::Submit(body, _) if session.asked.is_none() && self.is_braked(&body, at.now) => {
                    tracing::debug!(link = %self.config.name, "braked: too many wrong passwords over this link");
                    Step::End(Say::LinkBraked)
                }
                Step::Submit(body, again) => {
                    // Asked again, it is the command that was submitted, whatever the frame says now.
                    let body = session.asked.as_ref().map_or(body, |asked| asked.command.body.clone());
                    match self.submit(at, session, &body).await {
                        Answer::Verdict(reply) => {
                            now = reply.at;
                            about = tells(&reply);
                            self.learn(at, session, &body, &reply);
                            menu::answered(&body, again, &reply)
                        }
                        // Not settled: the same frame may hear more later, under the same id.
                        Answer::Unknown => return self.not_known(at, desk, session).await,
                        answer => {
                            session.asked = None;
                            Step::End(no_verdict(&answer))
                        }
                    }
                }
            };
        }
    }

    async fn list(
        &self,
        at: &Place<'_>,
        desk: &Desk<'_>,
        session: &mut Session,
        (now, about): (Timestamp, About),
        mut lines: Vec<Line>,
    ) -> Screen {
        let language = self.language(at, desk, session).await;
        let (text, shown) = self.voice(desk.rules, language, now).page(&lines, desk.dialogue);
        let rest = lines.split_off(shown.min(lines.len()));
        let state = (desk.dialogue && !rest.is_empty()).then_some(State::List(rest));
        session.prompt += u32::from(state.is_some());
        self.settle(at, session, state, text, about)
    }

    /// The end of a turn whose outcome nobody knows yet. It is not settled.
    pub(super) async fn not_known(&self, at: &Place<'_>, desk: &Desk<'_>, session: &mut Session) -> Screen {
        Screen::end(self.said(at, desk, session, at.now, &Say::Unknown).await)
    }

    /// Leaves the session in a state, with the screen for whoever sends the same frame again.
    fn settle(
        &self,
        at: &Place<'_>,
        session: &mut Session,
        state: Option<State>,
        text: String,
        about: About,
    ) -> Screen {
        let screen = Screen { text, goes_on: state.is_some(), about };
        // The phone went away while this was decided: it never shows this screen, so whoever dials again is told.
        let unread =
            state.is_none() && session.asked.is_some() && self.shared.sessions.is_gone(at.key, &at.turn.session);
        session.told_of = session.asked.clone().filter(|_| state.is_none());
        session.asked = session.asked.take().filter(|_| unread);
        session.state = state;
        if let super::Input::Joined { text, .. } = &at.turn.input {
            session.joined = (text.len(), at.mark);
        }
        session.remember(at.mark, screen.clone());
        screen
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
        let language = match self.subscriber(at, desk).await {
            Some(Some(view)) => view.language,
            Some(None) => desk.rules.default_language(),
            None => {
                let known = self.shared.callers.language(at.key.link, at.key.caller, at.now);
                known.unwrap_or_else(|| desk.rules.default_language())
            }
        };
        self.shared.callers.set_language(at.key.link, at.key.caller, at.now, language);
        session.language = Some(language);
        language
    }

    /// Whom the caller gave to before, newest first; `None` when the engine doesn't say in time.
    async fn recents(&self, at: &Place<'_>, desk: &Desk<'_>) -> Option<Vec<Msisdn>> {
        Some(self.subscriber(at, desk).await?.map_or_else(Vec::new, |view| view.recents))
    }

    /// The caller as the engine knows them. The outer `None` when it doesn't say in time, the inner when the operator has
    /// no such subscriber.
    async fn subscriber(&self, at: &Place<'_>, desk: &Desk<'_>) -> Option<Option<SubscriberView>> {
        let query = self.shared.decider.query(Query::Subscriber(at.key.caller));
        match timeout(QUERY_WITHIN, query).await.ok().flatten()?.value {
            View::Subscriber(view) => Some(view.filter(|view| view.operator == desk.caller.operator)),
            _ => Some(None),
        }
    }

    pub(super) fn learn(&self, at: &Place<'_>, session: &mut Session, body: &Body, reply: &Reply) {
        let language = if let (Body::SetLanguage(set), Outcome::Done(_)) = (body, &reply.outcome) {
            set.language
        } else {
            reply.language
        };
        session.language = Some(language);
        self.shared.callers.set_language(at.key.link, at.key.caller, at.now, language);
        if let Outcome::Refused(Refusal::WrongPassword { .. }) = reply.outcome {
            self.brake.wrong(at.now);
        }
    }

    fn is_braked(&self, body: &Body, now: Timestamp) -> bool {
        brings_password(body) && !self.brake.is_open(now)
    }

    /// Submits under the id of the prompt that waits.
    ///
    /// What was submitted before without an answer keeps its id and its deadline, and hears a verdict, *not done* or
    /// *unknown*: under another id it might be done twice, and "nothing was sent" might be wrong.
    async fn submit(&self, at: &Place<'_>, session: &mut Session, body: &Body) -> Answer {
        if let Some(asked) = &mut session.asked {
            asked.mark = at.mark;
            return self.ask_again(at, asked).await;
        }
        let within_s = i64::from(self.shared.config.decide_within_s);
        let decide_before = at.now.plus_s(within_s);
        for _ in 0..=REUSE_MAX {
            let command = Command { id: self.prompt_id(at, session), decide_before, body: body.clone() };
            // Before anything is waited for: whoever drops this future must not lose what was asked.
            let asked = session.asked.insert(Asked { mark: at.mark, command, answered: false });
            let answer = self.ask(at, asked).await;
            match answer {
                // This session is new to us, so its name was used for other things before we began to remember.
                Answer::IdReused => session.reuse = session.reuse.saturating_add(1),
                answer => return answer,
            }
        }
        Answer::IdReused
    }

    /// Asks once more for what was submitted before: only a verdict or *not done* settles it.
    pub(super) async fn ask_again(&self, at: &Place<'_>, asked: &mut Asked) -> Answer {
        match self.ask(at, asked).await {
            answer @ (Answer::Verdict(_) | Answer::NotDone) => answer,
            Answer::Busy
            | Answer::Closed(_)
            | Answer::IdReused
            | Answer::IdTooOld { .. }
            | Answer::IdAhead
            | Answer::Unknown => Answer::Unknown,
        }
    }

    async fn ask(&self, at: &Place<'_>, asked: &mut Asked) -> Answer {
        let submitted = self.shared.decider.submit(asked.command.clone());
        let answer = timeout_at(at.by, submitted).await.unwrap_or(Answer::Unknown);
        tracing::debug!(
            link = %self.config.name,
            caller = ?at.key.caller,
            id = %asked.command.id,
            command = asked.command.body.name(),
            answer = name(&answer),
            "answered"
        );
        asked.answered = matches!(answer, Answer::Verdict(_));
        answer
    }

    /// The prompt's number, or how many inputs came where each request has all of them: a peer that sends its last request
    /// again to a server that was started anew, and does not remember what it had asked, must mean the same.
    fn prompt_id(&self, at: &Place<'_>, session: &Session) -> CommandId {
        let prompt = match &at.turn.input {
            super::Input::Joined { text, .. } => inputs(text),
            super::Input::Dialled(_) | super::Input::Typed { .. } | super::Input::Latest { .. } => session.prompt,
        };
        CommandId::ussd(&UssdPrompt {
            link: at.key.link,
            caller: at.turn.imsi.map_or(at.key.caller.get(), |imsi| imsi.get()),
            session: &at.turn.session,
            reuse: session.reuse,
            prompt,
        })
    }
}

/// How many inputs are joined.
fn inputs(text: &str) -> u32 {
    let stars = text.bytes().filter(|octet| *octet == b'*').count();
    u32::try_from(stars).unwrap_or(u32::MAX).saturating_add(u32::from(!text.is_empty()))
}

/// Whether a password comes with it, which may be wrong.
const fn brings_password(body: &Body) -> bool {
    match body {
        Body::SetLanguage(_) => false,
        Body::Gift(_)
        | Body::TopUp(_)
        | Body::ShowCards(_)
        | Body::ShowGifts(_)
        | Body::ChangePassword(_)
        | Body::Freeze(_)
        | Body::Bind(_)
        | Body::Undo(_)
        // No phone asks for these.
        | Body::LoadRules(_)
        | Body::ImportSubscribers(_)
        | Body::ChangeSubscriber(_)
        | Body::IssueCards(_)
        | Body::ChangeCard(_)
        | Body::ExpireCard(_)
        | Body::Office(_)
        | Body::Due(_) => true,
    }
}

/// What the screen of an answer tells of. When it tells of money that moved, its sender needs no SMS once it was shown.
const fn tells(reply: &Reply) -> About {
    let Outcome::Done(done) = &reply.outcome else { return About::Verdict(reply.seq) };
    match done {
        Done::Given { .. } | Done::ToppedUp { .. } => About::Money(reply.seq),
        // What is on hold, or came back, gets its SMS however it was shown.
        Done::Held { .. }
        | Done::Undone { .. }
        | Done::Cards { .. }
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
        | Done::Office(_) => About::Verdict(reply.seq),
    }
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
