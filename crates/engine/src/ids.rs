//! Command ids that are remembered, in generations that are dropped whole.
//!
//! Guarantees: within the horizon the same id and content find the same entry; the same id with other content is
//! `Reused`; an id from before the floor is refused, never run. The floor rises to the newest program's id that was ever
//! dropped, so that nothing dropped can run again.
//!
//! Bounded by [`IdsConfig::ids_max`]. Deliberately not here: verdicts (the journal has them, by seq).

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
    /// When it was decided, whole seconds since 1970.
    pub at_s: u32,
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
    pub const LEN: usize = 16 + 8 + 8 + 4;

    /// Fixed-width bytes.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let (id, rest) = out.split_at_mut(16);
        let (seq, rest) = rest.split_at_mut(8);
        let (fingerprint, at) = rest.split_at_mut(8);
        id.copy_from_slice(&self.id.bits().to_be_bytes());
        seq.copy_from_slice(&self.known.seq.0.to_be_bytes());
        fingerprint.copy_from_slice(&self.known.fingerprint.0.to_be_bytes());
        at.copy_from_slice(&self.known.at_s.to_be_bytes());
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
                at_s: u32::from_be_bytes(at.try_into().unwrap_or_default()),
            },
        }
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

/// When a generation of ids ends. Checkpoints follow the same rule and keep one generation more: a checkpoint's generations
/// begin where its server began, not where the engine's do, and it must never drop what the engine still remembers. Only
/// what the engine dropped lies under the floor that a checkpoint keeps.
#[derive(Clone, Copy, Debug)]
pub struct Turning {
    half_max: usize,
    began: Timestamp,
    count: usize,
    /// First entry of the newest generation, of the one before, and of the one before that.
    newest_from: Seq,
    before_from: Seq,
    third_from: Seq,
}

impl Turning {
    /// Generations of at most half of `ids_max`.
    pub const fn new(ids_max: usize) -> Self {
        let half = ids_max / 2;
        let half_max = if half == 0 { 1 } else { half };
        let (began, none) = (Timestamp::MIN, Seq::ZERO);
        Self { half_max, began, count: 0, newest_from: none, before_from: none, third_from: none }
    }

    /// Counts one id; true when a new generation begins with it.
    pub fn count(&mut self, seq: Seq, at: Timestamp) -> bool {
        let aged = at.ms().saturating_sub(self.began.ms()) >= PROGRAM_HORIZON_MS;
        let turns = aged || self.count >= self.half_max;
        if turns {
            self.third_from = self.before_from;
            self.before_from = self.newest_from;
            self.newest_from = seq;
            self.began = at;
            self.count = 0;
        }
        self.count += 1;
        turns
    }

    /// The oldest entry whose id the engine may still remember, wherever this count began.
    pub const fn keep_from(&self) -> Seq {
        self.third_from
    }
}

/// The ids that are remembered.
#[derive(Clone, Debug)]
pub struct Ids {
    map: Generations<(u64, u64), Known>,
    turning: Turning,
    /// Newest program's instant in the newest generation, the one before, and all that were dropped.
    newest_ms: i64,
    before_ms: i64,
    dropped_ms: i64,
}

impl Default for Ids {
    /// Of a replica that nobody asks.
    fn default() -> Self {
        Self::new(0)
    }
}

impl Ids {
    /// None yet; at most `ids_max` will be remembered.
    pub fn new(ids_max: usize) -> Self {
        Self {
            map: Generations::default(),
            turning: Turning::new(ids_max),
            newest_ms: -1,
            before_ms: -1,
            dropped_ms: -1,
        }
    }

    /// Makes room for so many more, as far as a generation goes, so that loading them moves nothing.
    pub fn reserve(&mut self, more: usize) {
        self.map.reserve(more.min(self.turning.half_max));
    }

    /// What an id with that content means at `at`.
    pub fn check(&self, id: CommandId, fingerprint: Fingerprint, at: Timestamp) -> Seen {
        let known = self.map.get(&split(id));
        match (id.kind(), known) {
            (IdKind::Ussd, Some(known)) if i64::from(known.at_s) * 1000 + USSD_HORIZON_MS <= at.ms() => Seen::New,
            (_, Some(known)) if known.fingerprint == fingerprint => Seen::Same(known.seq),
            (_, Some(_)) => Seen::Reused,
            (IdKind::Program { made_at }, None) if made_at < self.floor() => Seen::TooOld,
            (IdKind::Program { made_at }, None) if made_at.ms() > at.ms() + AHEAD_MAX_MS => Seen::Ahead,
            (_, None) => Seen::New,
        }
    }

    /// Reads what [`check`](Self::check) will read: see [`domain::state::State::touch`].
    pub fn touch(&self, id: CommandId) -> u64 {
        self.map.get(&split(id)).map_or(0, |known| known.seq.0)
    }

    /// Remembers an id that was decided.
    pub fn insert(&mut self, id: CommandId, fingerprint: Fingerprint, seq: Seq, at: Timestamp) {
        self.insert_row(&IdRow { id, known: Known { seq, fingerprint, at_s: seconds(at) } }, at);
    }

    /// Remembers what a checkpoint kept; in the order of seqs.
    pub fn insert_row(&mut self, row: &IdRow, at: Timestamp) {
        if self.turning.count(row.known.seq, at) {
            self.map.turn();
            self.dropped_ms = self.dropped_ms.max(self.before_ms);
            self.before_ms = self.newest_ms;
            self.newest_ms = -1;
        }
        if let IdKind::Program { made_at } = row.id.kind() {
            self.newest_ms = self.newest_ms.max(made_at.ms());
        }
        self.map.insert(split(row.id), row.known);
    }

    /// Programs' ids from before this instant are refused. Published, so that a program knows.
    pub const fn floor(&self) -> Timestamp {
        Timestamp::from_ms(self.dropped_ms + 1)
    }

    /// Raises the floor to what a checkpoint kept: its dropped generations are not there to tell.
    pub const fn raise_floor(&mut self, floor: Timestamp) {
        if floor.ms() - 1 > self.dropped_ms {
            self.dropped_ms = floor.ms() - 1;
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

/// Two words, so that a map's slot needs no padding.
#[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
const fn split(id: CommandId) -> (u64, u64) {
    ((id.bits() >> 64) as u64, id.bits() as u64)
}

/// Whole seconds since 1970, until 2106.
pub fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.ms() / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{AHEAD_MAX_MS, Fingerprint, IdRow, Ids, Known, PROGRAM_HORIZON_MS, Seen, USSD_HORIZON_MS};
    use domain::id::{CommandId, UssdPrompt};
    use domain::ids::LinkId;
    use domain::receipt::Seq;
    use domain::time::Timestamp;

    fn program(ms: i64, n: u64) -> CommandId {
        let ms = u128::try_from(ms).expect("positive");
        CommandId::from_uuid((ms << 80) | (7 << 76) | (0b10 << 62) | u128::from(n)).expect("a UUIDv7")
    }

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
    const A: Fingerprint = Fingerprint(1);
    const B: Fingerprint = Fingerprint(2);

    #[test]
    fn the_same_id_is_the_same_or_reused() {
        let mut ids = Ids::new(100);
        let id = program(NOW.ms(), 1);
        assert_eq!(ids.check(id, A, NOW), Seen::New);
        ids.insert(id, A, Seq(1), NOW);
        assert_eq!(ids.check(id, A, NOW), Seen::Same(Seq(1)));
        assert_eq!(ids.check(id, B, NOW), Seen::Reused);
        assert_eq!(ids.check(program(NOW.ms() + AHEAD_MAX_MS + 1, 1), A, NOW), Seen::Ahead);
    }

    #[test]
    fn a_session_number_comes_back_as_a_new_session_after_ten_minutes() {
        let mut ids = Ids::new(100);
        let prompt = UssdPrompt { link: LinkId(1), caller: 1, session: b"\x20\0\0\x01", reuse: 0, prompt: 0 };
        let id = CommandId::ussd(&prompt);
        ids.insert(id, A, Seq(1), NOW);
        assert_eq!(ids.check(id, A, NOW.plus_ms(USSD_HORIZON_MS - 1)), Seen::Same(Seq(1)));
        assert_eq!(ids.check(id, A, NOW.plus_ms(USSD_HORIZON_MS)), Seen::New);
    }

    #[test]
    fn nothing_that_was_dropped_runs_again() {
        let mut ids = Ids::new(4);
        for n in 0..10 {
            let at = NOW.plus_ms(n);
            let id = program(at.ms(), 0);
            assert_eq!(ids.check(id, A, at), Seen::New);
            ids.insert(id, A, Seq(u64::try_from(n).expect("small") + 1), at);
        }
        for n in 0..10 {
            let seen = ids.check(program(NOW.ms() + n, 0), A, NOW.plus_ms(10));
            assert!(matches!(seen, Seen::Same(_) | Seen::TooOld), "id {n}: {seen:?}");
        }
        assert!(ids.len() <= 4);
        assert_eq!(ids.check(program(NOW.ms(), 0), A, NOW.plus_ms(10)), Seen::TooOld);
    }

    #[test]
    fn an_id_is_remembered_for_a_day() {
        let mut ids = Ids::new(1_000);
        ids.insert(program(NOW.ms(), 1), A, Seq(1), NOW);
        let later = NOW.plus_ms(PROGRAM_HORIZON_MS);
        ids.insert(program(later.ms(), 2), A, Seq(2), later);
        assert_eq!(ids.check(program(NOW.ms(), 1), A, later), Seen::Same(Seq(1)));
    }

    #[test]
    fn rows_survive_their_bytes() {
        let row = IdRow {
            id: program(NOW.ms(), 77),
            known: Known { seq: Seq(u64::MAX), fingerprint: Fingerprint(5), at_s: u32::MAX },
        };
        assert_eq!(IdRow::from_bytes(&row.to_bytes()), row);
    }
}
