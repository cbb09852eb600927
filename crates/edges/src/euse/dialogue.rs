//! Which dialogue a frame belongs to, and what is to be done about it. No sockets, no clock of its own.
//!
//! Guarantees: frames of one dialogue are worked on one after the other. A repeated frame is the same frame again: its mark
//! is the invoke id of the prompt that it answers, and each prompt of a dialogue has an id of its own. What we said ourselves
//! without asking anybody ("busy, nothing was sent") is said again to the same frame, so that it stays true. A dialogue that
//! the phone's side ended gets no answer.
//!
//! Bounded by: `dialogues_max` rows; a new dialogue beyond it drops one that is over, and only where there is none one that
//! waits for its phone, each time the one that was silent for longest. Rows that are worked on stay: there are
//! `in_flight_max` of them at most. [`FRAMES_WAITING_MAX`] frames of a dialogue wait for the one before them.
//!
//! Deliberately not here: what phones read (the flow's), who is calling ([`super::subscriber`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire::gsup::{CLASS_USSD, GsupError, Kind, ProcSs, SessionState};
use wire::imsi::Imsi;
use wire::ipa::{Extension, extension_frame};
use wire::ss::{Component, Operation, RESULT_OCTETS_MAX, SsError, Ussd};
use wire::text::{Budget, Encoded, encode, fits};
use zeroize::Zeroizing;

use super::status::{Count, Status};
use crate::flow::Input;
use crate::session::REMEMBERED_S;
use crate::session::Screen;

/// Frames of a dialogue that wait for the one that is worked on. Networks repeat the last frame; more are a script.
pub(super) const FRAMES_WAITING_MAX: usize = 4;
/// Rows that one new dialogue sweeps away at most, so that no dial waits for a long sweep.
const SWEEP_MAX: usize = 8;
/// What a phone's own invoke is called where that could not be read or is forgotten. Phones number from here.
const INVOKE_USUAL: i8 = 1;
/// The mark of the frame that began a dialogue: prompts are numbered from 1.
const BEGIN: u8 = 0;
/// What a later frame is called that answers no prompt.
const NO_PROMPT: u8 = BEGIN;

/// The numbers that name a dialogue. They come back: switches count from a fixed start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) imsi: Imsi,
    pub(super) session_id: u32,
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) key: Key,
    /// The id of the phone's own invoke, which the last screen answers.
    begin_invoke: i8,
    /// The frame that is answered: 0 for the first, then the invoke id of the prompt that it answers.
    frame: u8,
    /// When that frame came.
    pub(super) heard_at: Instant,
}

/// What we say without asking the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Nothing was sent, and nothing will be.
    Busy,
    /// The network does not say who is calling.
    CallerUnknown,
    /// What was dialled or typed is in no alphabet that can be read.
    Unreadable,
    /// Nobody knows this dialogue.
    SessionOver,
}

/// Which frame is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) address: Address,
    /// The same frame was worked on before: "nothing was sent" might be wrong.
    pub(super) repeated: bool,
    begun: u64,
}

/// One frame to be worked on. No `Debug`: a password may be in it.
pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) input: Input,
}

/// What to do about a frame.
pub(super) enum Heard {
    /// Work on it.
    Work(Job),
    /// Say this.
    Say(Address, Own),
    /// Nothing, or nothing yet.
    Nothing,
}

/// What a phone is about to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A screen of the flow's.
    Screen {
        /// It asks for something.
        goes_on: bool,
    },
    /// Our own words.
    Own(Own),
}

struct Row {
    /// Which BEGIN of these numbers it is.
    begun: u64,
    connection: u64,
    begin_invoke: i8,
    begin_mark: u64,
    /// The latest prompt shown.
    prompt: u8,
    followed: bool,
    working: bool,
    over: bool,
    /// What we said ourselves, and to which frame.
    own: Option<(u8, Own)>,
    waiting: VecDeque<Job>,
    tick: u64,
    touched_at: Instant,
}

impl Row {
    /// Which of the prompts that may be answered a frame answers.
    fn prompt_of(&self, frame: u8) -> Option<Prompt> {
        if frame == NO_PROMPT {
            None
        } else if frame == self.prompt {
            Some(Prompt::Latest)
        } else {
            (frame.checked_add(1) == Some(self.prompt)).then_some(Prompt::Before)
        }
    }

    /// What we said ourselves to that frame.
    fn own_to(&self, frame: u8) -> Option<Own> {
        self.own.filter(|(to, _)| *to == frame && frame != NO_PROMPT).map(|(_, own)| own)
    }
}

/// A prompt that may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    /// The one that the phone shows.
    Latest,
    /// The one before it: its answer comes once more.
    Before,
}

/// What was typed in answer to a prompt.
struct Typed {
    /// The prompt's invoke id, or [`NO_PROMPT`].
    frame: u8,
    /// `None`: it can't be read.
    text: Option<Zeroizing<String>>,
}

/// The dialogues of one link.
pub(super) struct Dialogues {
    status: Arc<Status>,
    dialogues_max: usize,
    guard: Duration,
    rows: HashMap<Key, Row, foldhash::quality::RandomState>,
    /// Rows that wait for their phone by their latest touch, then rows that are over. Those worked on stand in neither.
    silent: BTreeMap<u64, Key>,
    over: BTreeMap<u64, Key>,
    ticks: u64,
    connection: u64,
    hasher: foldhash::quality::RandomState,
}

impl Dialogues {
    pub(super) fn new(status: Arc<Status>, dialogues_max: usize, guard: Duration) -> Self {
        Self {
            status,
            dialogues_max,
            guard,
            rows: HashMap::default(),
            silent: BTreeMap::new(),
            over: BTreeMap::new(),
            ticks: 0,
            connection: 0,
            hasher: foldhash::quality::RandomState::default(),
        }
    }

    /// Rows, for tests.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.rows.len()
    }

    /// The connection is lost: the HLR's dialogues went with it, and ours are over.
    pub(super) fn disconnected(&mut self) {
        self.connection += 1;
    }

    /// Whether no phone is expected to answer a prompt of ours. Dialogues that are worked on are not looked at.
    pub(super) fn is_quiet(&self, now: Instant) -> bool {
        let latest = self.silent.last_key_value().and_then(|(_, key)| self.rows.get(key));
        latest.is_none_or(|row| now.duration_since(row.touched_at) >= self.guard)
    }

    /// One GSUP message.
    pub(super) fn hear(&mut self, body: &[u8], now: Instant) -> Heard {
        let message = match ProcSs::parse(body) {
            Ok(message) if message.class.is_none_or(|class| class == CLASS_USSD) => message,
            Ok(_) | Err(GsupError::UnknownKind { .. }) => return self.nothing(Count::ignored),
            Err(error) => {
                tracing::debug!(%error, "a GSUP message that can't be read");
                return self.nothing(Count::malformed);
            }
        };
        let key = Key { imsi: message.imsi, session_id: message.session_id };
        match (message.kind, message.session_state) {
            (Kind::Result, _) => self.nothing(Count::ignored),
            (Kind::Error, _) | (Kind::Request, SessionState::End) => self.cancel(key),
            (Kind::Request, SessionState::Begin) => self.begin(key, message.ss_info.unwrap_or_default(), now),
            (Kind::Request, SessionState::Continue) => self.go_on(key, message.ss_info.unwrap_or_default(), now),
        }
    }

    fn nothing(&self, count: Count) -> Heard {
        self.status.count(count);
        Heard::Nothing
    }

    /// The phone's side ended it: whatever is being worked on finds no row to answer.
    fn cancel(&mut self, key: Key) -> Heard {
        if self.rows.get(&key).is_some_and(|row| !row.over) {
            self.status.count(Count::cancelled);
        }
        self.remove(key);
        Heard::Nothing
    }

    fn begin(&mut self, key: Key, ss_info: &[u8], now: Instant) -> Heard {
        self.status.count(Count::dials);
        let (begin_invoke, ussd) = match Component::parse(ss_info) {
            Ok(Component::Invoke { invoke_id, operation: Operation::ProcessUnstructuredSsRequest, ussd }) => {
                (invoke_id, Some(ussd))
            }
            Ok(Component::ReturnError { .. } | Component::Reject { .. }) => return self.cancel(key),
            Ok(Component::Invoke { invoke_id, .. }) | Err(SsError::UnknownOperation { invoke_id, .. }) => {
                (invoke_id, None)
            }
            Ok(Component::ReturnResult { .. }) | Err(_) => (INVOKE_USUAL, None),
        };
        let begin_mark = self.hasher.hash_one(ss_info);
        let address = Address { key, begin_invoke, frame: BEGIN, heard_at: now };
        let text = self.text(ussd);
        let same = self.rows.get_mut(&key).filter(|row| {
            let fresh = now.duration_since(row.touched_at).as_secs() < REMEMBERED_S.unsigned_abs();
            fresh && row.begin_mark == begin_mark && !row.followed
        });
        let repeated = same.is_some();
        match (same, text) {
            (Some(Row { own: Some((BEGIN, own)), .. }), _) => Heard::Say(address, *own),
            (Some(row), Some(text)) if row.working && row.connection == self.connection => {
                let ticket = Ticket { address, repeated, begun: row.begun };
                self.wait(Job { ticket, input: Input::Dialled(text) })
            }
            (_, Some(text)) => {
                let begun = self.insert(address, begin_mark, true);
                let ticket = Ticket { address, repeated, begun };
                Heard::Work(Job { ticket, input: Input::Dialled(text) })
            }
            (_, None) => {
                let begun = self.insert(address, begin_mark, false);
                self.settle(key, begun, BEGIN, Said::Own(Own::Unreadable), now);
                Heard::Say(address, Own::Unreadable)
            }
        }
    }

    fn go_on(&mut self, key: Key, ss_info: &[u8], now: Instant) -> Heard {
        self.status.count(Count::inputs);
        let Some(Typed { frame, text }) = self.typed(ss_info) else { return self.cancel(key) };
        let Some(row) = self.rows.get_mut(&key) else {
            return self.session_over(Address { key, begin_invoke: INVOKE_USUAL, frame, heard_at: now });
        };
        let address = Address { key, begin_invoke: row.begin_invoke, frame, heard_at: now };
        let (prompt, own) = (row.prompt_of(frame), row.own_to(frame));
        if row.connection != self.connection || (row.over && prompt != Some(Prompt::Latest) && own.is_none()) {
            row.over = true;
            self.place(key);
            return self.session_over(address);
        }
        match (own, text, prompt) {
            (Some(own), _, _) => Heard::Say(address, own),
            (None, Some(text), Some(prompt)) => self.answer(address, text, prompt),
            // The frame is one of a prompt long past.
            (None, Some(_), None) => self.nothing(Count::stale),
            (None, None, _) => self.answer_unreadable(address),
        }
    }

    /// What a phone typed; `None` when it ended the dialogue instead.
    fn typed(&self, ss_info: &[u8]) -> Option<Typed> {
        let (invoke_id, text) = match Component::parse(ss_info) {
            Ok(Component::ReturnError { .. } | Component::Reject { .. }) => return None,
            // Somebody who answers with nothing answers.
            Ok(Component::ReturnResult {
                invoke_id,
                outcome: None | Some((Operation::UnstructuredSsRequest, None)),
            }) => (Some(invoke_id), Some(Zeroizing::default())),
            Ok(Component::ReturnResult {
                invoke_id,
                outcome: Some((Operation::UnstructuredSsRequest, Some(ussd))),
            }) => (Some(invoke_id), self.text(Some(ussd))),
            Ok(_) | Err(_) => (None, self.text(None)),
        };
        let frame = invoke_id.and_then(|invoke_id| u8::try_from(invoke_id).ok()).unwrap_or(NO_PROMPT);
        Some(Typed { frame, text })
    }

    fn session_over(&self, address: Address) -> Heard {
        self.status.count(Count::no_session);
        Heard::Say(address, Own::SessionOver)
    }

    /// An answer to one of the last two prompts: worked on at once, or after the frame that is worked on.
    fn answer(&mut self, address: Address, text: Zeroizing<String>, prompt: Prompt) -> Heard {
        let Address { key, frame, heard_at, .. } = address;
        let Some(row) = self.rows.get_mut(&key) else { return self.session_over(address) };
        let repeated = row.over || row.working || prompt == Prompt::Before;
        let ticket = Ticket { address, repeated, begun: row.begun };
        let job = Job { ticket, input: Input::Typed { text, mark: u64::from(frame) } };
        (row.followed, row.touched_at) = (true, heard_at);
        if row.working {
            return self.wait(job);
        }
        row.working = true;
        self.place(key);
        Heard::Work(job)
    }

    /// An answer that nobody can read.
    fn answer_unreadable(&mut self, address: Address) -> Heard {
        let Some(row) = self.rows.get(&address.key) else { return self.session_over(address) };
        if row.working {
            // An answer is on its way already.
            return Heard::Nothing;
        }
        let begun = row.begun;
        self.settle(address.key, begun, address.frame, Said::Own(Own::Unreadable), address.heard_at);
        Heard::Say(address, Own::Unreadable)
    }

    /// The string, wiped when it is dropped.
    fn text(&self, ussd: Option<Ussd<'_>>) -> Option<Zeroizing<String>> {
        let Some(ussd) = ussd else {
            self.status.count(Count::malformed);
            return None;
        };
        let text = ussd.text().map(Zeroizing::new);
        if let Err(error) = &text {
            tracing::debug!(%error, "a USSD string that can't be read");
            self.status.count(Count::unreadable);
        }
        text.ok()
    }

    fn wait(&mut self, job: Job) -> Heard {
        match self.rows.get_mut(&job.ticket.address.key) {
            Some(row) if row.waiting.len() < FRAMES_WAITING_MAX => row.waiting.push_back(job),
            Some(_) | None => self.status.count(Count::stale),
        }
        Heard::Nothing
    }

    /// A new dialogue in the place of an older one of these numbers.
    fn insert(&mut self, address: Address, begin_mark: u64, working: bool) -> u64 {
        let (key, now) = (address.key, address.heard_at);
        self.remove(key);
        self.ticks += 1;
        let begun = self.ticks;
        let row = Row {
            begun,
            connection: self.connection,
            begin_invoke: address.begin_invoke,
            begin_mark,
            prompt: 0,
            followed: false,
            working,
            over: false,
            own: None,
            waiting: VecDeque::new(),
            tick: 0,
            touched_at: now,
        };
        self.rows.insert(key, row);
        self.place(key);
        self.sweep(now);
        begun
    }

    /// What the frame's phone is about to read; `false` when nobody waits for it any more.
    pub(super) fn answered(&mut self, ticket: &Ticket, said: Said, now: Instant) -> bool {
        let Address { key, frame, .. } = ticket.address;
        let here = |row: &Row| row.begun == ticket.begun && row.connection == self.connection;
        let waits = self.rows.get(&key).is_some_and(here);
        if waits {
            self.settle(key, ticket.begun, frame, said, now);
        } else {
            self.status.count(Count::dropped_gone);
        }
        waits
    }

    /// The job is done: the next frame of its dialogue, which is worked on from now on.
    pub(super) fn next(&mut self, ticket: &Ticket) -> Option<Job> {
        let Address { key, .. } = ticket.address;
        let row = self.rows.get_mut(&key).filter(|row| row.begun == ticket.begun)?;
        if row.connection != self.connection {
            row.waiting.clear();
            row.over = true;
        }
        let next = row.waiting.pop_front();
        row.working = next.is_some();
        self.place(key);
        next
    }

    /// Nobody works on the dialogue any more, and nobody will.
    pub(super) fn abandon(&mut self, ticket: &Ticket) {
        let Address { key, .. } = ticket.address;
        if self.rows.get(&key).is_some_and(|row| row.begun == ticket.begun) {
            self.remove(key);
        }
    }

    fn settle(&mut self, key: Key, begun: u64, frame: u8, said: Said, now: Instant) {
        let Some(row) = self.rows.get_mut(&key).filter(|row| row.begun == begun) else { return };
        row.touched_at = now;
        match said {
            Said::Screen { goes_on: true } => {
                (row.prompt, row.over) = (row.prompt.max(frame.saturating_add(1)), false);
            }
            Said::Screen { goes_on: false } => row.over = true,
            Said::Own(own) => (row.over, row.own) = (true, Some((frame, own))),
        }
        self.place(key);
    }

    /// Puts a row last where it belongs.
    fn place(&mut self, key: Key) {
        self.ticks += 1;
        let tick = self.ticks;
        let Some(row) = self.rows.get_mut(&key) else { return };
        self.silent.remove(&row.tick);
        self.over.remove(&row.tick);
        row.tick = tick;
        match (row.working, row.over) {
            (true, _) => None,
            (false, true) => self.over.insert(tick, key),
            (false, false) => self.silent.insert(tick, key),
        };
    }

    fn remove(&mut self, key: Key) {
        if let Some(row) = self.rows.remove(&key) {
            self.silent.remove(&row.tick);
            self.over.remove(&row.tick);
        }
    }

    fn sweep(&mut self, now: Instant) {
        let remembered = Duration::from_secs(REMEMBERED_S.unsigned_abs());
        for _ in 0..SWEEP_MAX {
            let first = |order: &BTreeMap<u64, Key>| order.first_key_value().map(|(_, key)| *key);
            let age = |key: &Key| self.rows.get(key).map_or(Duration::ZERO, |row| now.duration_since(row.touched_at));
            let (over, silent) = (first(&self.over), first(&self.silent));
            let full = self.rows.len() > self.dialogues_max;
            let old = over.filter(|key| age(key) >= remembered).or(silent.filter(|key| age(key) >= remembered));
            let Some(dropped) = old.or(over.or(silent).filter(|_| full)) else { return };
            if over != Some(dropped) && age(&dropped) < self.guard {
                self.status.count(Count::evicted);
            }
            self.remove(dropped);
        }
    }
}

impl Address {
    /// The frame that shows a screen there; `None` when the screen does not fit.
    pub(super) fn render(&self, screen: &Screen) -> Option<Vec<u8>> {
        if !fits(&screen.text, Budget::USSD_OSMOHLR) {
            return None;
        }
        let encoded = encode(&screen.text);
        let component = self.component(&encoded, screen.goes_on)?;
        let session_state = if screen.goes_on { SessionState::Continue } else { SessionState::End };
        let message = ProcSs {
            kind: Kind::Result,
            imsi: self.key.imsi,
            cause: None,
            class: None,
            session_id: self.key.session_id,
            session_state,
            ss_info: Some(&component),
        };
        extension_frame(Extension::Gsup, &message.encode().ok()?).ok()
    }

    /// A prompt asks under an id of its own; the last screen is the result of what the phone invoked first.
    fn component(&self, encoded: &Encoded, goes_on: bool) -> Option<Vec<u8>> {
        if encoded.octets.len() > RESULT_OCTETS_MAX {
            return None;
        }
        let ussd = Ussd::of(encoded);
        let component = if goes_on {
            let invoke_id = i8::try_from(self.frame).ok()?.checked_add(1)?;
            Component::Invoke { invoke_id, operation: Operation::UnstructuredSsRequest, ussd }
        } else {
            let outcome = Some((Operation::ProcessUnstructuredSsRequest, Some(ussd)));
            Component::ReturnResult { invoke_id: self.begin_invoke, outcome }
        };
        component.encode().ok()
    }
}

#[cfg(test)]
mod tests;
