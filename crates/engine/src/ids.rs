//! Command ids that are remembered, in generations that are dropped whole.
//!
//! Guarantees: within the horizon the same id and content find the same entry; the same id with other content is
//! `Reused`. A program's id from before the floor is refused, never run: the floor rises to the newest program's id that was
//! ever dropped. USSD ids carry no instant and so have no floor: none is dropped before it is ten minutes old, whatever the
//! rate. While more of them come than there is room for, new ones are answered "busy", so that as many are let in as room
//! becomes free: dials slow down, and never stop.
//!
//! Bounded by [`IdsConfig`]. Deliberately not here: verdicts (the journal has them, by seq).

use domain::generations::Generations;
use domain::id::{CommandId, IdKind};
use domain::receipt::Seq;
use domain::time::Timestamp;

/// USSD ids are remembered this long; then the same numbers are a new session (switches restart their counters).
pub const USSD_HORIZON_MS: i64 = 10 * 60 * 1000;
/// Programs' ids are remembered this long, unless more than `ids_max` come.
pub const PROGRAM_HORIZON_MS: i64 = 24 * 3_600 * 1000;
/// A program's clock may be ahead of ours by this much; an id from further ahead would raise the floor too far.
pub const AHEAD_MAX_MS: i64 = 60 * 1000;

/// What *same content* means: BLAKE3 of the typed command, cut to 64 bits. Neither it nor an id comes from a dialled string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a command's body.
    pub fn of(body: &domain::command::Body) -> Self {
        let mut bytes = Vec::with_capacity(128);
        // Writing to a Vec can't fail, and no encoder of the domain refuses a value.
        let written = minicbor::encode(body, &mut bytes);
        assert!(written.is_ok(), "a command that can't be encoded");
        let hash = blake3::hash(&bytes);
        let mut head = [0; 8];
        head.copy_from_slice(hash.as_bytes().split_at(8).0);
        Self(u64::from_be_bytes(head))
    }
}

/// What is remembered of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its entry.
    pub seq: Seq,
    /// Of its body.
    pub fingerprint: Fingerprint,
    /// When it was decided.
    pub at: Timestamp,
}

/// One remembered id, as a checkpoint keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRow {
    /// The id.
    pub id: CommandId,
    /// What is remembered of it.
    pub known: Known,
}

impl IdRow {
    /// Octets of a row as bytes.
    pub const LEN: usize = 16 + 8 + 8 + 8;

    /// Fixed-width bytes.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let (id, rest) = out.split_at_mut(16);
        let (seq, rest) = rest.split_at_mut(8);
        let (fingerprint, at) = rest.split_at_mut(8);
        id.copy_from_slice(&self.id.bits().to_be_bytes());
        seq.copy_from_slice(&self.known.seq.0.to_be_bytes());
        fingerprint.copy_from_slice(&self.known.fingerprint.0.to_be_bytes());
        at.copy_from_slice(&self.known.at.ms().to_be_bytes());
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let (id, rest) = bytes.split_at(16);
        let (seq, rest) = rest.split_at(8);
        let (fingerprint, at) = rest.split_at(8);
        let u64_of = |b: &[u8]| u64::from_be_bytes(b.try_into().unwrap_or_default());
        Self {
            id: CommandId::from_stored(u128::from_be_bytes(id.try_into().unwrap_or_default())),
            known: Known {
                seq: Seq(u64_of(seq)),
                fingerprint: Fingerprint(u64_of(fingerprint)),
                at: Timestamp::from_ms(u64_of(at).cast_signed()),
            },
        }
    }
}

/// Rows as bytes, each sort for itself, in the order of seqs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdRows {
    /// Of programs and timers.
    pub programs: Vec<u8>,
    /// Of USSD prompts.
    pub ussd: Vec<u8>,
}

impl IdRows {
    /// Adds one.
    pub fn push(&mut self, row: &IdRow) {
        let rows = match IdSort::of(row.id) {
            IdSort::Program => &mut self.programs,
            IdSort::Ussd => &mut self.ussd,
        };
        rows.extend_from_slice(&row.to_bytes());
    }
}

/// What an id means now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Never seen, or seen so long ago that the same numbers are another command.
    New,
    /// Seen with the same content: its entry has the answer.
    Same(Seq),
    /// Seen with other content.
    Reused,
    /// From before the floor.
    TooOld,
    /// A program's clock is too far ahead.
    Ahead,
}

/// How many ids are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdsConfig {
    /// Of programs and of timers. When more come, the floor rises.
    pub ids_max: usize,
    /// Of USSD prompts. Half of them may come in [`USSD_HORIZON_MS`]; of more, some are answered "busy".
    pub ussd_ids_max: usize,
}

impl IdsConfig {
    /// For whoever only looks at the books.
    pub const NONE: Self = Self::of_each(0);

    /// So many of each sort.
    pub const fn of_each(max: usize) -> Self {
        Self { ids_max: max, ussd_ids_max: max }
    }
}

impl Default for IdsConfig {
    fn default() -> Self {
        Self { ids_max: 4_000_000, ussd_ids_max: 13_000_000 }
    }
}

/// Ids of different sorts are remembered for different times, each sort in a room of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdSort {
    /// Of programs and of timers: remembered for [`PROGRAM_HORIZON_MS`].
    Program,
    /// Of USSD prompts: remembered for [`USSD_HORIZON_MS`].
    Ussd,
}

impl IdSort {
    /// Of an id.
    pub const fn of(id: CommandId) -> Self {
        match id.kind() {
            IdKind::Ussd => Self::Ussd,
            IdKind::Program { .. } | IdKind::Internal => Self::Program,
        }
    }
}

/// What a checkpoint must keep of the ids: published by the engine with each durable batch. A checkpoint has no count of its
/// own, for that would begin anew with each start, and what was there before would never be dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdsKept {
    /// Oldest instant that a program's id may carry.
    pub floor: Timestamp,
    /// Programs' and timers' ids of entries before this one are forgotten.
    pub programs_from: Seq,
    /// USSD ids of entries before this one are forgotten.
    pub ussd_from: Seq,
}

/// A generation of ids.
#[derive(Clone, Copy, Debug, Default)]
struct Generation {
    count: usize,
    /// The entry of the first one in it.
    first: Seq,
    began: Timestamp,
    /// When the latest one came.
    latest: Timestamp,
    /// The newest instant that a program's id in it carries.
    newest_made_at: Option<Timestamp>,
}

/// When one generation of ids ends and the next begins.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// So many came, or it is so old.
    Full { horizon_ms: i64 },
    /// The same, but never before everything in the one before is this old.
    Old { horizon_ms: i64 },
}

/// Ids of one sort in two generations.
#[derive(Clone, Debug)]
struct Sort {
    map: Generations<(u64, u64), Known>,
    /// 0: none is remembered.
    half_max: usize,
    until: Until,
    newest: Generation,
    before: Generation,
}

impl Sort {
    fn new(max: usize, until: Until) -> Self {
        let (newest, before) = (Generation::default(), Generation::default());
        Self { map: Generations::default(), half_max: (max / 2).max(usize::from(max > 0)), until, newest, before }
    }

    /// Whether a new generation may begin at `at`: then what is in the one before is forgotten.
    fn may_turn(&self, at: Timestamp) -> bool {
        match self.until {
            Until::Full { .. } => true,
            Until::Old { horizon_ms } => self.before.count == 0 || self.before.latest.plus_ms(horizon_ms) <= at,
        }
    }

    fn is_over(&self, at: Timestamp) -> bool {
        let (Until::Full { horizon_ms } | Until::Old { horizon_ms }) = self.until;
        self.newest.count >= self.half_max || self.newest.began.plus_ms(horizon_ms) <= at
    }

    /// Whether one more may come at `at`.
    ///
    /// While the generation before can't be forgotten yet, the newest one takes half of its room at once and the other half
    /// evenly over the time until then: a flood that lasts is let in slowly, and not for some minutes and then not at all.
    fn has_room(&self, at: Timestamp) -> bool {
        let Until::Old { horizon_ms } = self.until else { return true };
        if self.half_max == 0 || self.may_turn(at) {
            return true;
        }
        let began_ms = self.newest.began.ms();
        let whole_ms = (self.before.latest.ms() + horizon_ms - began_ms).max(1);
        let passed_ms = (at.ms() - began_ms).clamp(0, whole_ms);
        let at_once = self.half_max / 2;
        // Both factors are bounded: by configuration, and by some minutes.
        let later = (self.half_max - at_once) as u128 * u128::from(passed_ms.unsigned_abs());
        let later = usize::try_from(later / u128::from(whole_ms.unsigned_abs())).unwrap_or(usize::MAX);
        self.newest.count < at_once.saturating_add(later).max(1)
    }

    /// Remembers one; what was forgotten for it.
    fn insert(&mut self, id: CommandId, known: Known) -> Option<Generation> {
        if self.half_max == 0 {
            return None;
        }
        let turns = self.newest.count > 0 && self.is_over(known.at) && self.may_turn(known.at);
        let forgotten = turns.then(|| {
            self.map.turn();
            core::mem::replace(&mut self.before, core::mem::take(&mut self.newest))
        });
        let newest = &mut self.newest;
        if newest.count == 0 {
            (newest.first, newest.began) = (known.seq, known.at);
        }
        newest.count += 1;
        newest.latest = known.at;
        if let IdKind::Program { made_at } = id.kind() {
            newest.newest_made_at = newest.newest_made_at.max(Some(made_at));
        }
        self.map.insert(split(id), known);
        forgotten
    }

    /// The entry of the oldest one that is remembered; 0: all.
    const fn from(&self) -> Seq {
        if self.before.count > 0 { self.before.first } else { self.newest.first }
    }
}

/// The ids that are remembered.
#[derive(Clone, Debug)]
pub struct Ids {
    /// Of programs and timers.
    programs: Sort,
    ussd: Sort,
    floor: Timestamp,
}

impl Default for Ids {
    /// Of a replica that nobody asks.
    fn default() -> Self {
        Self::new(IdsConfig::NONE)
    }
}

impl Ids {
    /// None yet.
    pub fn new(config: IdsConfig) -> Self {
        Self {
            programs: Sort::new(config.ids_max, Until::Full { horizon_ms: PROGRAM_HORIZON_MS }),
            ussd: Sort::new(config.ussd_ids_max, Until::Old { horizon_ms: USSD_HORIZON_MS }),
            floor: Timestamp::MIN,
        }
    }

    const fn of(&self, id: CommandId) -> &Sort {
        match IdSort::of(id) {
            IdSort::Program => &self.programs,
            IdSort::Ussd => &self.ussd,
        }
    }

    /// Makes room for so many more programs' and USSD ids, as far as a generation goes, so that loading them moves nothing.
    pub fn reserve(&mut self, programs: usize, ussd: usize) {
        self.programs.map.reserve(programs.min(self.programs.half_max));
        self.ussd.map.reserve(ussd.min(self.ussd.half_max));
    }

    /// What an id with that content means at `at`.
    pub fn check(&self, id: CommandId, fingerprint: Fingerprint, at: Timestamp) -> Seen {
        let known = self.of(id).map.get(&split(id));
        match (id.kind(), known) {
            (IdKind::Ussd, Some(known)) if known.at.plus_ms(USSD_HORIZON_MS) <= at => Seen::New,
            (_, Some(known)) if known.fingerprint == fingerprint => Seen::Same(known.seq),
            (_, Some(_)) => Seen::Reused,
            (IdKind::Program { made_at }, None) if made_at < self.floor => Seen::TooOld,
            (IdKind::Program { made_at }, None) if made_at.ms() > at.ms() + AHEAD_MAX_MS => Seen::Ahead,
            (_, None) => Seen::New,
        }
    }

    /// Whether there is room to remember one more of the sort of `id`. Programs' ids always have room: their floor rises.
    pub fn has_room(&self, id: CommandId, at: Timestamp) -> bool {
        self.of(id).has_room(at)
    }

    /// Reads what [`check`](Self::check) will read: see [`domain::state::State::touch`].
    pub fn touch(&self, id: CommandId) -> u64 {
        self.of(id).map.get(&split(id)).map_or(0, |known| known.seq.0)
    }

    /// Remembers an id that was decided, whether there is room or not: what is decided stays decided.
    pub fn insert(&mut self, id: CommandId, fingerprint: Fingerprint, seq: Seq, at: Timestamp) {
        self.insert_row(&IdRow { id, known: Known { seq, fingerprint, at } });
    }

    /// The same of what a checkpoint kept; in the order of seqs, each sort for itself.
    pub fn insert_row(&mut self, row: &IdRow) {
        let sort = match IdSort::of(row.id) {
            IdSort::Program => &mut self.programs,
            IdSort::Ussd => &mut self.ussd,
        };
        let forgotten = sort.insert(row.id, row.known).and_then(|forgotten| forgotten.newest_made_at);
        if let Some(made_at) = forgotten {
            self.raise_floor(made_at.plus_ms(1));
        }
    }

    /// Programs' ids from before this instant are refused. Published, so that a program knows.
    pub const fn floor(&self) -> Timestamp {
        self.floor
    }

    /// Raises the floor to what a checkpoint kept: its dropped generations are not there to tell.
    pub fn raise_floor(&mut self, floor: Timestamp) {
        self.floor = self.floor.max(floor);
    }

    /// What a checkpoint must keep.
    pub const fn kept(&self) -> IdsKept {
        IdsKept { floor: self.floor, programs_from: self.programs.from(), ussd_from: self.ussd.from() }
    }

    /// How many programs' and timers' ids are remembered, and how many USSD ids.
    pub const fn lens(&self) -> (usize, usize) {
        (self.programs.map.len(), self.ussd.map.len())
    }

    /// How many ids are remembered.
    pub const fn len(&self) -> usize {
        self.programs.map.len() + self.ussd.map.len()
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Two words, so that a map's slot needs no padding.
#[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
const fn split(id: CommandId) -> (u64, u64) {
    ((id.bits() >> 64) as u64, id.bits() as u64)
}

#[cfg(test)]
mod tests;
