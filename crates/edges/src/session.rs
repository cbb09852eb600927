//! The table of sessions: one per caller and link, found by the name that the peer gave it.
//!
//! Guarantees: a frame that comes again finds the session that answered it, also after the session is over; two frames of
//! one session are never worked on at the same time; no plain password is kept. A session that takes another's place knows
//! which one ([`Left`]), so that a dialogue that was dropped can go on in it.
//!
//! Bounded by: `sessions_max` rows. A new session beyond it drops a session that is over, and only where there is
//! none a dialogue, each time the one that nobody touched for longest; rows older than [`REMEMBERED_S`] are dropped when
//! others come. A row holds at most [`ANSWERS_MAX`] screens.
//!
//! Deliberately not here: what a session says ([`crate::menu`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use domain::command::Command;
use domain::ids::{Language, LinkId, OperatorId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;

use crate::menu::State;

/// As long as the engine remembers ids of prompts: until then the same names are the same session (docs/design.md, *Ids*).
pub const REMEMBERED_S: i64 = 600;
/// Latest screens that a session keeps for repeated frames. Networks repeat the last frame; four allow for a few in flight.
pub const ANSWERS_MAX: usize = 4;
/// Old rows that one new session sweeps away at most, so that no dial waits for a long sweep.
const SWEEP_MAX: usize = 8;
/// A dialogue that was dropped goes on when its caller dials again within so long.
pub const RESUME_S: i64 = 60;

/// How long the sessions of a link live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// A session ends when nothing was typed for so long.
    pub idle_s: u32,
    /// A session ends so long after it began.
    pub total_s: u32,
}

/// 30 s idle, 180 s in all: what networks allow.
impl Default for Times {
    fn default() -> Self {
        Self { idle_s: 30, total_s: 180 }
    }
}

/// Whose session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Over which link.
    pub link: LinkId,
    /// Of whom.
    pub caller: Msisdn,
}

/// What a phone reads.
#[derive(Clone, PartialEq, Eq)]
pub struct Screen {
    /// The text: fits the link's budget.
    pub text: String,
    /// The session waits for an input; otherwise it ends with this screen.
    pub goes_on: bool,
    /// What it tells of.
    pub about: About,
}

/// What a screen tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// No verdict: a question, or what an edge says by itself.
    Nothing,
    /// The verdict of this entry.
    Verdict(Seq),
    /// The verdict of this entry, which moved money. An edge that knows the screen was shown says
    /// [`Link::told`](crate::flow::Link::told).
    Money(Seq),
}

impl About {
    /// The entry whose verdict it tells.
    pub const fn seq(self) -> Option<Seq> {
        match self {
            Self::Nothing => None,
            Self::Verdict(seq) | Self::Money(seq) => Some(seq),
        }
    }

    /// The entry, if it moved money.
    pub const fn money(self) -> Option<Seq> {
        match self {
            Self::Nothing | Self::Verdict(_) => None,
            Self::Money(seq) => Some(seq),
        }
    }
}

impl Screen {
    /// A last screen that tells no verdict.
    pub const fn end(text: String) -> Self {
        Self { text, goes_on: false, about: About::Nothing }
    }
}

/// Shows the length only: balances and numbers are nobody else's business.
impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("text_len", &self.text.len()).field("goes_on", &self.goes_on).finish()
    }
}

/// The last frame of a session whose frames have no numbers, for [`crate::flow::latest`].
#[derive(Clone, Copy, Debug)]
pub struct Latest {
    /// Keyed hash of its text.
    pub content: u64,
    /// The mark that it got.
    pub mark: u64,
    /// `None`: not answered yet.
    pub answered_at: Option<Timestamp>,
}

/// What is remembered of one session. Locked for a whole turn.
#[derive(Debug, Default)]
pub struct Session {
    /// Whose service code was dialled; `None` until the first frame is understood.
    pub operator: Option<OperatorId>,
    /// What the caller reads; `None` until known.
    pub language: Option<Language>,
    /// Where the dialogue is; `None` before the first screen, and when it is over.
    pub state: Option<State>,
    /// Prompts of this session so far: the one that waits for an answer.
    pub prompt: u32,
    /// Raised when a switch uses the session's name again.
    pub reuse: u32,
    /// What was submitted and whose outcome the phone may not have read.
    pub asked: Option<Asked>,
    /// What the last screen told of, for a peer that finds out later that nobody saw it.
    pub told_of: Option<Asked>,
    /// The caller's session before this one, until somebody has looked at it.
    pub left: Option<Left>,
    /// A newer session took [`Self::left`] from this one, in which nothing had happened: nothing may be begun in it any more.
    pub superseded: bool,
    /// How much of an aggregator's joined inputs is used up, and their mark.
    pub joined: (usize, u64),
    /// The last frame, where frames have no numbers.
    pub latest: Option<Latest>,
    /// Frames of that kind so far.
    pub inputs: u32,
    answers: VecDeque<(u64, Screen)>,
}

impl Session {
    /// Every screen that told of money, while it is remembered.
    pub fn told_seqs(&self) -> impl Iterator<Item = Seq> {
        self.answers.iter().filter_map(|(_, screen)| screen.about.money())
    }

    /// The screen that a frame got, while it is remembered.
    pub fn answer(&self, mark: u64) -> Option<&Screen> {
        self.answers.iter().find(|(known, _)| *known == mark).map(|(_, screen)| screen)
    }

    /// Remembers what a frame got.
    pub fn remember(&mut self, mark: u64, screen: Screen) {
        if self.answers.len() == ANSWERS_MAX {
            self.answers.pop_front();
        }
        self.answers.push_back((mark, screen));
    }

    /// Whether no frame was answered yet.
    pub fn is_new(&self) -> bool {
        self.answers.is_empty() && self.asked.is_none()
    }

    /// The mark of the frame whose command was submitted and not answered yet: that frame may ask again, and no other.
    pub fn unanswered(&self) -> Option<u64> {
        self.asked.as_ref().filter(|asked| !asked.answered).map(|asked| asked.mark)
    }
}

/// A command on its way, under the id of its prompt. Asked again, it keeps its id and its deadline, and is not put off.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Of the frame that it came from.
    pub mark: u64,
    /// What was asked: tags and no password.
    pub command: Command,
    /// Its verdict is known here. Kept only while the phone may not have read it.
    pub answered: bool,
}

/// A session whose place another one took.
#[derive(Clone, Debug)]
pub struct Left {
    /// The session.
    pub cell: Cell,
    /// Of its first frame.
    pub begin_mark: u64,
    begun_at: Timestamp,
    seen_at: Timestamp,
    /// When the phone was known to be gone.
    pub released_at: Option<Timestamp>,
}

impl Left {
    /// Whether a dialogue that still waited in it may go on: it was dropped [`RESUME_S`] ago at most. It was dropped when
    /// the phone was released, when its time was up, or just now: whoever dials has nothing else open.
    pub fn may_resume(&self, times: Times, now: Timestamp) -> bool {
        let idle = self.seen_at.plus_s(i64::from(times.idle_s));
        let total = self.begun_at.plus_s(i64::from(times.total_s));
        let dropped_at = self.released_at.unwrap_or(now).min(idle).min(total);
        age_ms(dropped_at, now) <= RESUME_S * 1_000
    }
}

/// A session shared by the frames that work on it, one after the other.
pub type Cell = Arc<tokio::sync::Mutex<Session>>;

/// A session that was found.
#[derive(Debug)]
pub struct Found {
    /// The session.
    pub cell: Cell,
    /// Its time is not up.
    pub live: bool,
}

#[derive(Debug)]
struct Row {
    name: Box<[u8]>,
    begin_mark: u64,
    reuse: u32,
    begun_at: Timestamp,
    seen_at: Timestamp,
    /// Frames after the first.
    followed: bool,
    /// Its last screen is shown: kept for repeated frames only.
    over: bool,
    /// When the peer said that the phone is gone.
    released_at: Option<Timestamp>,
    tick: u64,
    cell: Cell,
}

#[derive(Debug, Default)]
struct Rows {
    by_key: HashMap<Key, Row, foldhash::fast::RandomState>,
    /// Dialogues by the latest touch, so that the longest idle stands first.
    waiting: BTreeMap<u64, Key>,
    /// The same of sessions that are over.
    over: BTreeMap<u64, Key>,
    ticks: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Sessions {
    sessions_max: usize,
    rows: Mutex<Rows>,
}

impl Sessions {
    /// An empty table.
    pub fn new(sessions_max: usize) -> Self {
        Self { sessions_max, rows: Mutex::default() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The session that this first frame began, when it is a repeated one: the same name and content, and no frame after
    /// it. A switch that counts from the start again sends the same name and content after others, and means a new session.
    pub fn repeated(&self, key: Key, name: &[u8], begin_mark: u64, now: Timestamp) -> Option<Cell> {
        let rows = self.lock();
        let row = rows.by_key.get(&key)?;
        is_repeated(row, name, begin_mark, now).then(|| Arc::clone(&row.cell))
    }

    /// Begins a session, in the place of the caller's last one.
    pub fn begin(&self, key: Key, name: &[u8], begin_mark: u64, now: Timestamp) -> Cell {
        let mut rows = self.lock();
        let (mut reuse, mut left) = (0, None);
        if let Some(row) = rows.by_key.get(&key) {
            // Another thread may have begun it since `repeated` was asked.
            if is_repeated(row, name, begin_mark, now) {
                return Arc::clone(&row.cell);
            }
            if *row.name == *name {
                reuse = row.reuse.saturating_add(1);
            }
            left = what_is_left(row, now);
        }
        let cell = Cell::new(tokio::sync::Mutex::new(Session { reuse, left, ..Session::default() }));
        let row = Row {
            name: name.into(),
            begin_mark,
            reuse,
            begun_at: now,
            seen_at: now,
            followed: false,
            over: false,
            released_at: None,
            tick: 0,
            cell: Arc::clone(&cell),
        };
        rows.remove(key);
        rows.by_key.insert(key, row);
        rows.touch(key, false);
        rows.sweep(self.sessions_max, now);
        cell
    }

    /// The session of that name, after its first frame.
    pub fn find(&self, key: Key, name: &[u8], times: Times, now: Timestamp) -> Option<Found> {
        let mut rows = self.lock();
        let row = rows.by_key.get_mut(&key).filter(|row| *row.name == *name)?;
        let idle_ms = i64::from(times.idle_s) * 1_000;
        let total_ms = i64::from(times.total_s) * 1_000;
        let in_time = age_ms(row.seen_at, now) <= idle_ms && age_ms(row.begun_at, now) <= total_ms;
        let live = in_time && row.released_at.is_none();
        let found = Found { cell: Arc::clone(&row.cell), live };
        if live {
            (row.seen_at, row.followed) = (now, true);
            let over = row.over;
            rows.touch(key, over);
        }
        Some(found)
    }

    /// Says that a session's last screen is shown: from now on it makes room before any dialogue does.
    pub fn over(&self, key: Key, name: &[u8]) {
        let mut rows = self.lock();
        if rows.by_key.get(&key).is_some_and(|row| *row.name == *name && !row.over) {
            rows.touch(key, true);
        }
    }

    /// Says that the phone is gone before the session's last screen was shown. Later it says nothing.
    pub fn released(&self, key: Key, name: &[u8], now: Timestamp) {
        let mut rows = self.lock();
        if let Some(row) = rows.by_key.get_mut(&key).filter(|row| *row.name == *name && !row.over) {
            row.released_at.get_or_insert(now);
        }
    }

    /// The caller's session of that name, once it is over.
    pub fn ended(&self, key: Key, name: &[u8]) -> Option<Cell> {
        let rows = self.lock();
        let row = rows.by_key.get(&key).filter(|row| *row.name == *name && row.over)?;
        Some(Arc::clone(&row.cell))
    }

    /// Whether a screen of this session can't be read any more: the phone is gone, or has dialled again.
    pub fn is_gone(&self, key: Key, name: &[u8]) -> bool {
        self.lock().by_key.get(&key).is_none_or(|row| *row.name != *name || row.released_at.is_some())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rows> {
        // A panic elsewhere leaves the rows whole: no method stops half way.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a new session has to know of the one in whose place it comes.
fn what_is_left(row: &Row, now: Timestamp) -> Option<Left> {
    let Row { begin_mark, begun_at, seen_at, released_at, .. } = *row;
    if age_ms(seen_at, now) >= REMEMBERED_S * 1_000 {
        return None;
    }
    // One that nothing happened in hands on what it came after, so that sessions never hold a chain of others.
    if let Ok(mut session) = row.cell.try_lock()
        && session.is_new()
        && session.left.is_some()
    {
        // Its turn may be about to begin: with nothing left it would ask for the same thing a second time.
        session.superseded = true;
        return session.left.take();
    }
    Some(Left { cell: Arc::clone(&row.cell), begin_mark, begun_at, seen_at, released_at })
}

fn is_repeated(row: &Row, name: &[u8], begin_mark: u64, now: Timestamp) -> bool {
    let fresh = age_ms(row.begun_at, now) < REMEMBERED_S * 1_000;
    *row.name == *name && row.begin_mark == begin_mark && !row.followed && fresh
}

const fn age_ms(since: Timestamp, now: Timestamp) -> i64 {
    now.ms().saturating_sub(since.ms())
}

impl Rows {
    /// Puts a row last among the dialogues, or among those that are over.
    fn touch(&mut self, key: Key, over: bool) {
        // From 1 on: 0 is a row that stands in no order yet.
        self.ticks += 1;
        let tick = self.ticks;
        let Some(row) = self.by_key.get_mut(&key) else { return };
        let (was_over, before) = (row.over, row.tick);
        (row.over, row.tick) = (over, tick);
        self.order(was_over).remove(&before);
        self.order(over).insert(tick, key);
    }

    fn order(&mut self, over: bool) -> &mut BTreeMap<u64, Key> {
        if over { &mut self.over } else { &mut self.waiting }
    }

    fn remove(&mut self, key: Key) {
        if let Some(row) = self.by_key.remove(&key) {
            self.order(row.over).remove(&row.tick);
        }
    }

    fn sweep(&mut self, sessions_max: usize, now: Timestamp) {
        for _ in 0..SWEEP_MAX {
            let first = |order: &BTreeMap<u64, Key>| order.first_key_value().map(|(_, key)| *key);
            let old =
                |key: &Key| self.by_key.get(key).is_some_and(|row| age_ms(row.seen_at, now) >= REMEMBERED_S * 1_000);
            let (over, waiting) = (first(&self.over), first(&self.waiting));
            let full = self.by_key.len() > sessions_max;
            let dropped = over.filter(old).or(waiting.filter(old)).or(over.or(waiting).filter(|_| full));
            let Some(dropped) = dropped else { return };
            self.remove(dropped);
        }
    }
}

#[cfg(test)]
mod tests;
