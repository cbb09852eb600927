//! The table of sessions: one per caller and link, found by the name that the peer gave it.
//!
//! Guarantees: a frame that comes again finds the session that answered it, also after the session is over; two frames of
//! one session are never worked on at the same time; no plain password is kept.
//!
//! Bounded by: `sessions_max` rows. A new session beyond it drops a session that is over, and only where there is
//! none a dialogue, each time the one that nobody touched for longest; rows older than [`REMEMBERED_S`] are dropped when
//! others come. A row holds at most [`ANSWERS_MAX`] screens.
//!
//! Deliberately not here: what a session says ([`crate::menu`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use domain::command::{Language, LinkId, OperatorId};
use domain::msisdn::Msisdn;
use domain::time::Timestamp;

use crate::flow::Screen;
use crate::flow::latest::Latest;
use crate::menu::State;

/// As long as the engine remembers ids of prompts: until then the same names are the same session (DESIGN §2, Ids).
pub const REMEMBERED_S: i64 = 600;
/// Latest screens that a session keeps for repeated frames. Networks repeat the last frame; four allow for a few in flight.
pub const ANSWERS_MAX: usize = 4;
/// Old rows that one new session sweeps away at most, so that no dial waits for a long sweep.
const SWEEP_MAX: usize = 8;

/// How long the sessions of a link live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// A session ends when nothing was typed for so long.
    pub idle_s: u32,
    /// A session ends so long after it began.
    pub total_s: u32,
}

/// 30 s idle, 180 s in all: what networks allow (facts/protocols).
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
    /// The last instant at which what was submitted for this prompt may be decided: asked again, it is not put off.
    pub decide_before: Option<Timestamp>,
    /// The frame whose command was submitted and not answered yet: the same frame may ask again, and no other.
    pub submitted: Option<u64>,
    /// How much of an aggregator's joined inputs is used up, and their mark.
    pub joined: (usize, u64),
    /// The last frame, where frames have no numbers.
    pub latest: Option<Latest>,
    /// Frames of that kind so far.
    pub inputs: u32,
    answers: VecDeque<(u64, Screen)>,
}

impl Session {
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

    /// Whether any frame was answered yet.
    pub fn is_new(&self) -> bool {
        self.answers.is_empty() && self.submitted.is_none()
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
        let mut reuse = 0;
        if let Some(row) = rows.by_key.get(&key) {
            // Another thread may have begun it since `repeated` was asked.
            if is_repeated(row, name, begin_mark, now) {
                return Arc::clone(&row.cell);
            }
            if *row.name == *name {
                reuse = row.reuse.saturating_add(1);
            }
        }
        let cell = Cell::new(tokio::sync::Mutex::new(Session { reuse, ..Session::default() }));
        let row = Row {
            name: name.into(),
            begin_mark,
            reuse,
            begun_at: now,
            seen_at: now,
            followed: false,
            over: false,
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
        let live = age_ms(row.seen_at, now) <= idle_ms && age_ms(row.begun_at, now) <= total_ms;
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Rows> {
        // A panic elsewhere leaves the rows whole: no method stops half way.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
mod tests {
    use super::{ANSWERS_MAX, Key, REMEMBERED_S, Session, Sessions, Times};
    use crate::flow::Screen;
    use domain::command::LinkId;
    use domain::msisdn::Msisdn;
    use domain::time::Timestamp;
    use std::sync::Arc;

    fn key(caller: u64) -> Key {
        Key { link: LinkId(1), caller: Msisdn::try_new(8_501_910_000_000 + caller).expect("a number") }
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000).plus_s(s)
    }

    #[test]
    fn a_session_idles_out_and_ends_after_its_total_time() {
        let sessions = Sessions::new(65_536);
        sessions.begin(key(1), b"s", 7, at(0));
        let live = |s| sessions.find(key(1), b"s", Times::default(), at(s)).expect("remembered").live;
        assert!(live(30));
        for s in [60, 90, 120, 150, 180] {
            assert!(live(s), "{s}");
        }
        assert!(!live(181), "180 s in all");
        sessions.begin(key(2), b"s", 7, at(0));
        assert!(!sessions.find(key(2), b"s", Times::default(), at(31)).expect("remembered").live);
        assert!(sessions.find(key(2), b"t", Times::default(), at(1)).is_none(), "another name");
    }

    #[test]
    fn a_repeated_first_frame_finds_its_session_and_a_used_name_is_a_new_one() {
        let sessions = Sessions::new(65_536);
        let first = sessions.begin(key(1), b"s", 7, at(0));
        assert!(Arc::ptr_eq(&first, &sessions.begin(key(1), b"s", 7, at(1))));
        assert!(Arc::ptr_eq(&first, &sessions.repeated(key(1), b"s", 7, at(1)).expect("repeated")));
        let other = sessions.begin(key(1), b"s", 8, at(2));
        assert_eq!(other.try_lock().expect("free").reuse, 1);
        sessions.find(key(1), b"s", Times::default(), at(3)).expect("there");
        let again = sessions.begin(key(1), b"s", 8, at(4));
        assert_eq!(again.try_lock().expect("free").reuse, 2, "the same content after others is a new session");
        let late = sessions.begin(key(1), b"s", 8, at(4 + REMEMBERED_S));
        assert!(!Arc::ptr_eq(&again, &late), "forgotten after ten minutes");
    }

    #[test]
    fn a_flood_drops_the_longest_idle() {
        let sessions = Sessions::new(100);
        for caller in 0..100 {
            sessions.begin(key(caller), b"s", 0, at(0));
        }
        sessions.find(key(0), b"s", Times::default(), at(1)).expect("there");
        for caller in 100..100_000 {
            sessions.begin(key(caller), b"s", 0, at(1));
            assert!(sessions.len() <= 100);
            if caller == 198 {
                assert!(sessions.find(key(0), b"s", Times::default(), at(1)).is_some(), "touched later than those");
                assert!(sessions.find(key(1), b"s", Times::default(), at(1)).is_none());
            }
        }
        let rows = sessions.lock();
        assert_eq!(rows.by_key.len(), rows.waiting.len() + rows.over.len());
    }

    #[test]
    fn what_is_over_makes_room_before_any_dialogue() {
        let sessions = Sessions::new(100);
        for caller in 0..50 {
            sessions.begin(key(caller), b"s", 0, at(0));
        }
        for caller in 50..10_000 {
            sessions.begin(key(caller), b"s", 0, at(1));
            sessions.over(key(caller), b"s");
        }
        assert_eq!(sessions.len(), 100);
        assert!((0..50).all(|caller| sessions.find(key(caller), b"s", Times::default(), at(1)).is_some()));
        let rows = sessions.lock();
        assert_eq!((rows.waiting.len(), rows.over.len()), (50, 50));
    }

    #[test]
    fn old_rows_go_when_others_come() {
        let sessions = Sessions::new(65_536);
        for caller in 0..50 {
            sessions.begin(key(caller), b"s", 0, at(0));
        }
        for caller in 50..60 {
            sessions.begin(key(caller), b"s", 0, at(REMEMBERED_S));
        }
        assert_eq!(sessions.len(), 10);
    }

    #[test]
    fn a_session_keeps_its_latest_screens() {
        let mut session = Session::default();
        for mark in 0..6 {
            session.remember(mark, Screen { text: mark.to_string(), goes_on: true, seq: None });
        }
        assert!(session.answer(1).is_none());
        assert_eq!(session.answer(5).expect("kept").text, "5");
        assert_eq!(session.answers.len(), ANSWERS_MAX);
    }
}
