//! The driver that every edge uses: a frame from a phone → one screen.
//!
//! **For:** [`crate::aggregator`], and the GSUP and SMPP edges. Each makes a [`Link`] and hands it [`Turn`]s.
//!
//! **Guarantees:** a repeated frame gets the same screen and never pays twice: every prompt has one id, frames of a session
//! are worked on one after the other, and what was *unknown* is asked again under the same id and the same deadline: by the
//! same frame, and by the caller who dials again ([`Link::released`], [`Link::unshown`]). A dropped dialogue goes on when its caller dials again
//! within [`RESUME_S`](crate::session::RESUME_S), as a session and a prompt of its own. A link
//! speaks for callers of its own operators and ranges only. What is answered here (help, too many dials, a braked link)
//! never reaches the decider.
//!
//! **Bounded by:** [`FlowConfig`], [`PROMPTS_MAX`], [`SESSION_NAME_LEN_MAX`].
//!
//! **Deliberately not here:** sockets, framing, keys of peers; what is said when ([`crate::menu`]).

mod drive;
pub mod latest;
mod resume;
mod shown;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use domain::command::Caller;
use domain::ids::{Language, LinkId, OperatorId};
use domain::number::{Imsi, Msisdn};
use domain::password::TagKeys;
use domain::refusal::Refusal;
use domain::rules::Rules;
use domain::rules::dial::Request;
use domain::time::Timestamp;
use engine::answer::Directory;
use tokio::time::Instant;
use wire::text::Budget;
use zeroize::Zeroizing;

use crate::brake::{Brake, BrakeConfig, Callers};
use crate::desk::Desk;
use crate::dial;
use crate::menu::{self, Step};
use crate::port::Decider;
use crate::say::Say;
use crate::session::{Found, Key, Screen, Session, Sessions, Times};
use crate::texts::{Texts, Voice};
use crate::told::{TOLD_MAX, Told};

/// Prompts of one session: more are a script and not a person.
pub const PROMPTS_MAX: u32 = 64;
/// Octets of a session's name: aggregators send UUIDs, switches 32 bits.
pub const SESSION_NAME_LEN_MAX: usize = 128;
/// Longest time between dialling and decision: "in 5 minutes your balance shows" (docs/design.md, *Unknown*).
pub const DECIDE_WITHIN_S_MAX: u32 = 300;

/// How many, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowConfig {
    /// Sessions at most, over all links.
    pub sessions_max: usize,
    /// Verdicts that are remembered as told.
    pub told_max: usize,
    /// Callers whose dials in a minute are counted.
    pub callers_max: usize,
    /// A command is not decided any more so long after it was submitted, because the phone has gone by then. At most
    /// [`DECIDE_WITHIN_S_MAX`].
    pub decide_within_s: u32,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self { sessions_max: 65_536, told_max: TOLD_MAX, callers_max: 262_144, decide_within_s: 20 }
    }
}

/// One configured connection.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Its number: wrong passwords are counted per caller and link.
    pub id: LinkId,
    /// For the log.
    pub name: String,
    /// Public names of the operators whose callers it may assert. The first speaks where no service code can be read.
    pub operators: Vec<String>,
    /// Numbers, first and last, that it may assert among those operators' own; empty: all of them.
    pub ranges: Vec<(Msisdn, Msisdn)>,
    /// How long its screens may be.
    pub budget: Budget,
    /// Whether it can ask back.
    pub dialogue: bool,
    /// How long its sessions live.
    pub times: Times,
    /// After so long without an answer the phone reads *unknown*: below what the peer waits for. Aggregators wait for
    /// 15 s, OsmoHLR for its `ncss-guard-timeout`.
    pub answer_within_ms: u32,
    /// How many wrong passwords it may bring.
    pub brake: BrakeConfig,
}

/// One frame from a phone.
pub struct Turn {
    /// Asserted by the link.
    pub caller: Msisdn,
    /// The SIM, where the link tells it.
    pub imsi: Option<Imsi>,
    /// The session as the peer names it.
    pub session: Box<[u8]>,
    /// What was dialled or typed.
    pub input: Input,
}

/// What was dialled or typed. No `Debug`: a password may be in it.
pub enum Input {
    /// A whole dialled string: it begins a session.
    Dialled(Zeroizing<String>),
    /// What was typed in answer to a screen.
    Typed {
        /// As typed.
        text: Zeroizing<String>,
        /// What tells this frame from the session's others: a repeated frame has the same mark (an invoke id, a sequence
        /// number).
        mark: u64,
    },
    /// What was typed in answer to a screen, from a peer that numbers its frames badly or not at all: a repeated frame is
    /// told from a new one by [`latest`].
    Latest {
        /// As typed.
        text: Zeroizing<String>,
        /// The peer's number of the frame: the same number *and* text is the same frame. `None`: it gives none.
        sequence: Option<u64>,
    },
    /// All inputs so far, joined by `*`, as aggregators send them.
    Joined {
        /// The whole dialled string that these make if they are the session's first.
        dialled: Zeroizing<String>,
        /// The inputs.
        text: Zeroizing<String>,
    },
}

pub(crate) struct Shared<D> {
    pub(crate) decider: D,
    keys: Arc<TagKeys>,
    texts: Arc<Texts>,
    sessions: Sessions,
    callers: Callers,
    told: Arc<Told>,
    /// Marks are made with a key of this process, so that nobody can choose inputs that look repeated.
    marks: foldhash::quality::RandomState,
    config: FlowConfig,
}

/// Everything that the edges of one process share. Cheap to clone.
pub struct Flow<D> {
    shared: Arc<Shared<D>>,
}

impl<D> Clone for Flow<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<D: Decider> Flow<D> {
    /// A flow without sessions.
    pub fn new(decider: D, keys: Arc<TagKeys>, texts: Arc<Texts>, config: FlowConfig) -> Self {
        let config = FlowConfig { decide_within_s: config.decide_within_s.min(DECIDE_WITHIN_S_MAX), ..config };
        Self {
            shared: Arc::new(Shared {
                decider,
                keys,
                texts,
                sessions: Sessions::new(config.sessions_max),
                callers: Callers::new(config.callers_max),
                told: Arc::new(Told::new(config.told_max)),
                marks: foldhash::quality::RandomState::default(),
                config,
            }),
        }
    }

    /// A link with a brake of its own.
    pub fn link(&self, config: LinkConfig) -> Link<D> {
        let brake = Arc::new(Brake::new(config.brake));
        Link { shared: Arc::clone(&self.shared), config: Arc::new(config), brake }
    }

    /// What the phones of senders are known to have shown.
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.shared.told)
    }

    /// Rows in the table of sessions, for metrics.
    pub fn sessions_len(&self) -> usize {
        self.shared.sessions.len()
    }
}

/// One connection's way in. Cheap to clone.
pub struct Link<D> {
    shared: Arc<Shared<D>>,
    config: Arc<LinkConfig>,
    brake: Arc<Brake>,
}

impl<D> Clone for Link<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), config: Arc::clone(&self.config), brake: Arc::clone(&self.brake) }
    }
}

/// Where a turn takes place.
struct Place<'a> {
    turn: &'a Turn,
    key: Key,
    mark: u64,
    now: Timestamp,
    /// Until then the phone must hear something.
    by: Instant,
    directory: Arc<Directory>,
}

/// What a first frame asks for.
struct Dial<'a> {
    request: Request<'a>,
    /// The step that it leads to when the caller left nothing behind.
    fresh: Step,
}

impl<D: Decider> Link<D> {
    /// One frame → one screen. Let it run to its end even if the peer has gone: whoever drops it loses the answer that a
    /// repeated frame would get.
    pub async fn turn(&self, turn: Turn) -> Screen {
        if turn.session.len() > SESSION_NAME_LEN_MAX {
            return self.no_service();
        }
        let now = self.shared.decider.now();
        let key = Key { link: self.config.id, caller: turn.caller };
        let mark = match &turn.input {
            Input::Dialled(text) | Input::Joined { text, .. } => self.shared.marks.hash_one(text.as_str()),
            Input::Typed { mark, .. } => *mark,
            Input::Latest { text, sequence } => self.shared.marks.hash_one((sequence, text.as_str())),
        };
        let by = Instant::now() + Duration::from_millis(u64::from(self.config.answer_within_ms));
        let at = Place { turn: &turn, key, mark, now, by, directory: self.shared.decider.directory() };
        let found = || self.shared.sessions.find(key, &turn.session, self.config.times, now);
        let screen = match &turn.input {
            Input::Dialled(dialled) => self.begin(&at, dialled).await,
            Input::Joined { dialled, .. } => match found() {
                Some(found) => self.go_on(&at, found).await,
                None => self.begin(&at, dialled).await,
            },
            Input::Typed { .. } | Input::Latest { .. } => match found() {
                Some(found) => self.go_on(&at, found).await,
                None => self.edge_answer(&at, self.default_operator(&at.directory), &Say::SessionOver),
            },
        };
        if !screen.goes_on {
            self.shared.sessions.over(key, &turn.session);
        }
        screen
    }

    async fn begin(&self, at: &Place<'_>, dialled: &str) -> Screen {
        let sessions = &self.shared.sessions;
        let cell = match sessions.repeated(at.key, &at.turn.session, at.mark, at.now) {
            Some(cell) => cell,
            None => match self.admit(at, dialled) {
                Ok(()) => sessions.begin(at.key, &at.turn.session, at.mark, at.now),
                Err(screen) => return screen,
            },
        };
        let mut session = cell.lock().await;
        match self.said_before(at, &mut session) {
            Some(screen) => screen,
            None => self.first(at, &mut session, dialled).await,
        }
    }

    /// Whether a new session may begin; the screen that says why not.
    fn admit(&self, at: &Place<'_>, dialled: &str) -> Result<(), Screen> {
        let Some((_, rules)) = self.dialled_operator(&at.directory, dialled) else { return Err(self.no_service()) };
        let caller = at.key.caller;
        let in_ranges = self.config.ranges.is_empty()
            || self.config.ranges.iter().any(|(first, last)| (*first..=*last).contains(&caller));
        let refuse = |say| Err(self.edge_answer(at, Some(rules), &say));
        if !in_ranges || !rules.numbers.is_own(caller) {
            return refuse(Say::CallerElsewhere);
        }
        let dials_max = rules.standing.dials_per_caller_per_min;
        if !self.shared.callers.dial(at.key.link, caller, dials_max, at.now) {
            return refuse(Say::TooManyDials);
        }
        Ok(())
    }

    /// The first frame of a session.
    async fn first(&self, at: &Place<'_>, session: &mut Session, dialled: &str) -> Screen {
        let Some((operator, rules)) = self.dialled_operator(&at.directory, dialled) else { return self.no_service() };
        if session.superseded {
            // The caller has dialled again before this began: nobody reads it, and the newer session asks.
            return self.edge_answer(at, Some(rules), &Say::Unknown);
        }
        session.operator = Some(operator);
        let desk = self.desk(at, operator, rules);
        let parsed = wire::dial::parse(dialled.as_bytes());
        let Some(request) = parsed.ok().and_then(|dialled| dial::request(rules, &dialled)) else {
            session.left = None;
            return self.drive(at, &desk, session, Step::End(Say::Help)).await;
        };
        let fresh = dial::begin(&desk, &request);
        match session.left.clone() {
            None => self.drive(at, &desk, session, fresh).await,
            Some(left) => self.after(at, &desk, session, left, Dial { request, fresh }).await,
        }
    }

    /// A frame of a session that is known.
    async fn go_on(&self, at: &Place<'_>, found: Found) -> Screen {
        let mut session = found.cell.lock().await;
        let session = &mut *session;
        let at = &self.marked(at, session);
        if let Some(screen) = self.said_before(at, session) {
            return screen;
        }
        let asked_again = session.unanswered() == Some(at.mark);
        if let Input::Joined { dialled, .. } = &at.turn.input
            && (session.is_new() || (asked_again && session.state.is_none()))
        {
            return self.first(at, session, dialled).await;
        }
        let known = session.operator.and_then(|operator| Some((operator, at.directory.rules(operator)?)));
        let over = || self.edge_answer(at, known.map(|(_, rules)| rules), &Say::SessionOver);
        let (Some((operator, rules)), Some(state)) = (known, session.state.clone()) else { return over() };
        let may_go_on = asked_again || (found.live && session.unanswered().is_none());
        let Some(typed) = self.typed(at, session).filter(|_| may_go_on && session.prompt < PROMPTS_MAX) else {
            // Nobody waits for the rest, but whoever dials again may go on with it: without tags of passwords.
            session.state = session.state.take().filter(|_| !found.live).and_then(menu::State::resumable);
            return over();
        };
        let desk = self.desk(at, operator, rules);
        let step = menu::step(&desk, state, typed);
        let screen = self.drive(at, &desk, session, step).await;
        latest::answered(session, self.shared.decider.now());
        screen
    }

    /// The same place with the mark that only its session knows, where frames have no numbers.
    fn marked<'a>(&self, at: &Place<'a>, session: &mut Session) -> Place<'a> {
        let mark = match &at.turn.input {
            Input::Latest { text, sequence: None } => latest::mark(session, text, at.now, &self.shared.marks),
            Input::Dialled(_) | Input::Typed { .. } | Input::Latest { .. } | Input::Joined { .. } => at.mark,
        };
        Place { mark, directory: Arc::clone(&at.directory), ..*at }
    }

    /// What is new in this frame; `None` when an aggregator's inputs don't continue those before.
    fn typed<'a>(&self, at: &Place<'a>, session: &Session) -> Option<&'a str> {
        match &at.turn.input {
            Input::Dialled(text) | Input::Typed { text, .. } | Input::Latest { text, .. } => Some(text.as_str()),
            Input::Joined { text, .. } => {
                let (len, mark) = session.joined;
                let (before, rest) = text.split_at_checked(len)?;
                let continues = self.shared.marks.hash_one(before) == mark;
                let rest = if len == 0 { Some(rest) } else { rest.strip_prefix('*') };
                rest.filter(|_| continues)
            }
        }
    }

    fn desk<'a>(&'a self, at: &Place<'_>, operator: OperatorId, rules: &'a Rules) -> Desk<'a> {
        let Turn { caller: msisdn, imsi, .. } = *at.turn;
        Desk {
            rules,
            keys: &self.shared.keys,
            caller: Caller { operator, link: self.config.id, msisdn, imsi },
            generation: at.directory.generation(msisdn),
            now: at.now,
            dialogue: self.config.dialogue,
        }
    }

    /// The operator of a service code that this link may speak for; of a string that can't be read, the link's first.
    fn dialled_operator<'d>(&self, directory: &'d Directory, dialled: &str) -> Option<(OperatorId, &'d Arc<Rules>)> {
        let Ok(dialled) = wire::dial::parse(dialled.as_bytes()) else {
            return self.config.operators.iter().find_map(|name| directory.by_name(name));
        };
        let own = |rules: &Rules| self.config.operators.contains(&rules.operator);
        directory.by_service_code(dialled.service_code).filter(|(_, rules)| own(rules))
    }

    fn default_operator<'d>(&self, directory: &'d Directory) -> Option<&'d Arc<Rules>> {
        self.config.operators.iter().find_map(|name| directory.by_name(name)).map(|(_, rules)| rules)
    }

    /// A screen of the edge's own, in the language that the caller read last.
    fn edge_answer(&self, at: &Place<'_>, rules: Option<&Arc<Rules>>, say: &Say) -> Screen {
        let Some(rules) = rules else { return self.no_service() };
        let known = self.shared.callers.language(at.key.link, at.key.caller, at.now);
        let language = known.unwrap_or_else(|| rules.default_language());
        tracing::debug!(link = %self.config.name, caller = ?at.key.caller, "answered by the edge");
        Screen::end(self.voice(rules, language, at.now).say(say))
    }

    fn voice<'a>(&'a self, rules: &'a Rules, language: Language, now: Timestamp) -> Voice<'a> {
        Voice { texts: &self.shared.texts, rules, language, budget: self.config.budget, now }
    }

    /// The end of a turn that nobody knows the outcome of.
    pub fn unknown(&self) -> Screen {
        let directory = self.shared.decider.directory();
        let Some(rules) = self.default_operator(&directory) else { return self.no_service() };
        let now = self.shared.decider.now();
        Screen::end(self.voice(rules, rules.default_language(), now).say(&Say::Unknown))
    }

    /// The end of a session that no operator's rules are known for.
    pub fn no_service(&self) -> Screen {
        Screen::end(self.shared.texts.no_service(Language::default()))
    }

    /// The end of a session whose caller the network does not name.
    pub fn caller_unknown(&self) -> Screen {
        let directory = self.shared.decider.directory();
        let Some(rules) = self.default_operator(&directory) else { return self.no_service() };
        let now = self.shared.decider.now();
        let say = Say::Refused(Refusal::CallerUnknown);
        Screen::end(self.voice(rules, rules.default_language(), now).say(&say))
    }

    /// What was configured.
    pub fn config(&self) -> &LinkConfig {
        &self.config
    }
}

impl<D: Decider> Link<D> {
    /// A last screen of the edge's own, about no entry: in the language that the caller read last where that is known, else
    /// in the default language of the link's first operator.
    pub fn edge_screen(&self, caller: Option<Msisdn>, say: &Say) -> Screen {
        let directory = self.shared.decider.directory();
        let Some(rules) = self.default_operator(&directory) else { return self.no_service() };
        let now = self.shared.decider.now();
        let known = caller.and_then(|caller| self.shared.callers.language(self.config.id, caller, now));
        let language = known.unwrap_or_else(|| rules.default_language());
        Screen::end(self.voice(rules, language, now).say(say))
    }
}
