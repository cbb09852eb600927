//! What is remembered, for how long, and what is never forgotten too early.

use domain::id::{CommandId, UssdPrompt};
use domain::ids::LinkId;
use domain::receipt::Seq;
use domain::testing::program_id;
use domain::time::Timestamp;

use super::{AHEAD_MAX_MS, Fingerprint, IdRow, Ids, IdsConfig, Known, PROGRAM_HORIZON_MS, Seen, USSD_HORIZON_MS};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
const A: Fingerprint = Fingerprint(1);
const B: Fingerprint = Fingerprint(2);

fn program(at: Timestamp, n: u64) -> CommandId {
    program_id(at, n)
}

fn ussd(n: u64) -> CommandId {
    let session = n.to_be_bytes();
    CommandId::ussd(&UssdPrompt { link: LinkId(1), caller: 1, session: &session, reuse: 0, prompt: 0 })
}

#[test]
fn the_same_id_is_the_same_or_reused() {
    let mut ids = Ids::new(IdsConfig::of_each(100));
    let id = program(NOW, 1);
    assert_eq!(ids.check(id, A, NOW), Seen::New);
    ids.insert(id, A, Seq(1), NOW);
    assert_eq!(ids.check(id, A, NOW), Seen::Same(Seq(1)));
    assert_eq!(ids.check(id, B, NOW), Seen::Reused);
    assert_eq!(ids.check(program(NOW.plus_ms(AHEAD_MAX_MS + 1), 1), A, NOW), Seen::Ahead);
}

/// The last instant that is not too far ahead, and the first that is not too old.
#[test]
fn a_program_s_id_may_be_a_minute_ahead_and_as_old_as_the_floor() {
    let mut ids = Ids::new(IdsConfig::of_each(4));
    assert_eq!(ids.check(program(NOW.plus_ms(AHEAD_MAX_MS), 1), A, NOW), Seen::New);
    for n in 0..5 {
        ids.insert(program(NOW.plus_ms(7 * n), 0), A, Seq(u64::try_from(n).expect("small") + 1), NOW);
    }
    let floor = NOW.plus_ms(7 + 1);
    assert_eq!(ids.floor(), floor, "the first two are forgotten");
    assert_eq!(ids.check(program(floor, 9), A, NOW), Seen::New);
    assert_eq!(ids.check(program(floor.plus_ms(-1), 9), A, NOW), Seen::TooOld);
    // A floor that is older than this one changes nothing.
    ids.raise_floor(NOW);
    assert_eq!(ids.floor(), floor);
}

/// Programs and switches are told these: ten minutes, a day, a minute.
#[test]
fn how_long_ids_are_remembered_is_a_promise() {
    assert_eq!([USSD_HORIZON_MS, PROGRAM_HORIZON_MS, AHEAD_MAX_MS], [600_000, 86_400_000, 60_000]);
}

/// From where a checkpoint must keep each sort, and how many are remembered.
#[test]
fn what_is_kept_begins_with_the_oldest_that_is_remembered() {
    let mut ids = Ids::new(IdsConfig::of_each(4));
    let kept = |ids: &Ids| (ids.kept().programs_from.0, ids.kept().ussd_from.0);
    assert_eq!((kept(&ids), ids.lens(), ids.len(), ids.is_empty()), ((0, 0), (0, 0), 0, true));
    ids.insert(ussd(1), A, Seq(3), NOW);
    assert_eq!((kept(&ids), ids.lens(), ids.len(), ids.is_empty()), ((0, 3), (0, 1), 1, false));
    for seq in 5..8 {
        ids.insert(program(NOW, seq), A, Seq(seq), NOW);
    }
    assert_eq!((kept(&ids), ids.lens(), ids.len(), ids.is_empty()), ((5, 3), (3, 1), 4, false));
    // The fifth begins a third generation: the first one is forgotten.
    for seq in 8..10 {
        ids.insert(program(NOW, seq), A, Seq(seq), NOW);
    }
    assert_eq!((kept(&ids), ids.lens(), ids.len(), ids.is_empty()), ((7, 3), (3, 1), 4, false));
}

/// What is fetched ahead of a check is what the check reads.
#[test]
fn touching_an_id_reads_what_is_known_of_it() {
    let mut ids = Ids::new(IdsConfig::of_each(100));
    ids.insert(program(NOW, 1), A, Seq(7), NOW);
    ids.insert(ussd(1), A, Seq(8), NOW);
    assert_eq!([program(NOW, 1), ussd(1), program(NOW, 2), ussd(2)].map(|id| ids.touch(id)), [7, 8, 0, 0]);
}

/// To the millisecond, whatever part of a second it was decided in: also when a checkpoint kept it.
#[test]
fn a_session_number_comes_back_as_a_new_session_after_ten_minutes() {
    for part_ms in [0, 1, 500, 999] {
        let mut ids = Ids::new(IdsConfig::of_each(100));
        let at = NOW.plus_ms(part_ms);
        let row = IdRow { id: ussd(1), known: Known { seq: Seq(1), fingerprint: A, at } };
        ids.insert_row(&IdRow::from_bytes(&row.to_bytes()));
        assert_eq!(ids.check(ussd(1), A, at.plus_ms(USSD_HORIZON_MS - 1)), Seen::Same(Seq(1)));
        assert_eq!(ids.check(ussd(1), A, at.plus_ms(USSD_HORIZON_MS)), Seen::New);
    }
}

#[test]
fn nothing_that_was_dropped_runs_again() {
    let mut ids = Ids::new(IdsConfig::of_each(4));
    for n in 0..10 {
        let at = NOW.plus_ms(n);
        let id = program(at, 0);
        assert_eq!(ids.check(id, A, at), Seen::New);
        ids.insert(id, A, Seq(u64::try_from(n).expect("small") + 1), at);
    }
    for n in 0..10 {
        let seen = ids.check(program(NOW.plus_ms(n), 0), A, NOW.plus_ms(10));
        assert!(matches!(seen, Seen::Same(_) | Seen::TooOld), "id {n}: {seen:?}");
    }
    assert!(ids.len() <= 4);
    assert_eq!(ids.check(program(NOW, 0), A, NOW.plus_ms(10)), Seen::TooOld);
}

#[test]
fn an_id_is_remembered_for_a_day() {
    let mut ids = Ids::new(IdsConfig::of_each(1_000));
    ids.insert(program(NOW, 1), A, Seq(1), NOW);
    let later = NOW.plus_ms(PROGRAM_HORIZON_MS);
    ids.insert(program(later, 2), A, Seq(2), later);
    assert_eq!(ids.check(program(NOW, 1), A, later), Seen::Same(Seq(1)));
}

/// Dials and programs don't take each other's room.
#[test]
fn a_flood_of_one_sort_forgets_nothing_of_the_other() {
    let mut ids = Ids::new(IdsConfig::of_each(10));
    ids.insert(ussd(0), A, Seq(1), NOW);
    (1..100).for_each(|n| ids.insert(program(NOW, n), A, Seq(1 + n), NOW));
    assert_eq!(ids.check(ussd(0), A, NOW), Seen::Same(Seq(1)));
    let mut ids = Ids::new(IdsConfig::of_each(10));
    ids.insert(program(NOW, 0), A, Seq(1), NOW);
    (1..100).for_each(|n| ids.insert(ussd(n), A, Seq(1 + n), NOW));
    assert_eq!(ids.check(program(NOW, 0), A, NOW), Seen::Same(Seq(1)));
    assert_eq!(ids.floor(), Timestamp::MIN);
}

/// Dials that come at a rate, for a time.
struct Dials {
    ids: Ids,
    at: Timestamp,
    next: u64,
    let_in: Vec<(u64, Timestamp)>,
}

impl Dials {
    fn new(max: usize) -> Self {
        Self { ids: Ids::new(IdsConfig::of_each(max)), at: NOW, next: 0, let_in: Vec::new() }
    }

    /// So many dials a second. Gives how many were let in each minute.
    fn come(&mut self, per_s: u64, minutes: usize) -> Vec<usize> {
        (0..minutes).map(|_| (0..60).map(|_| self.second(per_s)).sum()).collect()
    }

    fn second(&mut self, dials: u64) -> usize {
        let before = self.let_in.len();
        for _ in 0..dials {
            if self.ids.has_room(ussd(self.next), self.at) {
                self.ids.insert(ussd(self.next), A, Seq(self.next + 1), self.at);
                self.let_in.push((self.next, self.at));
            }
            self.next += 1;
        }
        // Everybody of the last ten minutes is known, and there is room for nobody more than was said.
        let since = self.at.plus_ms(1 - USSD_HORIZON_MS);
        let young = self.let_in.iter().rev().take_while(|(_, at)| *at >= since);
        assert!(young.into_iter().all(|(n, _)| self.ids.check(ussd(*n), A, self.at) == Seen::Same(Seq(n + 1))));
        self.at = self.at.plus_ms(1_000);
        self.let_in.len() - before
    }
}

#[test]
fn as_many_dials_as_there_is_room_for_in_ten_minutes_are_all_let_in() {
    // Two generations of 600: one dial a second.
    let mut dials = Dials::new(1_200);
    assert!(dials.come(1, 45).iter().all(|let_in| *let_in == 60));
    assert!(dials.ids.lens().1 <= 1_200);
}

#[test]
fn more_dials_are_slowed_down_and_never_stopped_and_none_is_forgotten() {
    let mut dials = Dials::new(1_200);
    let minutes = dials.come(20, 60);
    assert!(dials.ids.lens().1 <= 1_200, "{:?}", dials.ids.lens());
    // A burst has its room, and then as many as become free: never nobody, never more than one a second in ten minutes.
    assert_eq!(
        minutes.first(),
        Some(&914),
        "a generation, half of the next one at once, and a twentieth of the other half"
    );
    assert!(minutes.iter().all(|let_in| *let_in >= 29), "{minutes:?}");
    assert!(minutes.windows(10).skip(1).all(|ten| ten.iter().sum::<usize>() <= 1_200), "{minutes:?}");
    // When it is over everybody is let in again.
    assert!(dials.come(1, 30).iter().skip(11).all(|let_in| *let_in == 60));
}

#[test]
fn what_is_decided_is_remembered_whether_there_was_room_or_not() {
    let mut ids = Ids::new(IdsConfig::of_each(4));
    (0..100).for_each(|n| ids.insert(ussd(n), A, Seq(1 + n), NOW));
    assert!((0..100).all(|n| ids.check(ussd(n), A, NOW) == Seen::Same(Seq(1 + n))));
    assert!(!ids.has_room(ussd(100), NOW) && ids.has_room(program(NOW, 1), NOW));
}

/// A start that reads what [`Ids::kept`] says finds the same generations, and turns them with the same ids as ever.
#[test]
fn what_a_checkpoint_keeps_is_enough() {
    let mut ids = Ids::new(IdsConfig::of_each(40));
    let mut rows: Vec<IdRow> = Vec::new();
    for n in 0..2_000_u64 {
        let at = NOW.plus_ms(i64::try_from(n * n % 7_001 + n * 40_000).expect("small"));
        let at = rows.last().map_or(at, |row| at.max(row.known.at));
        let id = if n % 3 == 0 { program(at, n) } else { ussd(n) };
        ids.insert(id, A, Seq(n + 1), at);
        rows.push(IdRow { id, known: Known { seq: Seq(n + 1), fingerprint: A, at } });
        if n % 97 == 0 {
            let kept = ids.kept();
            let mut loaded = Ids::new(IdsConfig::of_each(40));
            loaded.raise_floor(kept.floor);
            for row in &rows {
                let is_ussd = row.id == ussd(row.known.seq.0 - 1);
                let from = if is_ussd { kept.ussd_from } else { kept.programs_from };
                if row.known.seq >= from {
                    loaded.insert_row(row);
                }
            }
            assert_eq!((loaded.lens(), loaded.kept()), (ids.lens(), kept), "at {n}");
            // The start goes on with it.
            ids = loaded;
        }
    }
    assert!(ids.floor() > NOW, "it forgot some");
}

#[test]
fn whoever_only_looks_at_the_books_remembers_none() {
    let mut ids = Ids::new(IdsConfig::NONE);
    (0..100).for_each(|n| ids.insert(ussd(n), A, Seq(1 + n), NOW));
    (0..100).for_each(|n| ids.insert(program(NOW, n), A, Seq(1 + n), NOW));
    assert!(ids.is_empty() && ids.has_room(ussd(1), NOW));
}

#[test]
fn rows_survive_their_bytes() {
    let known = Known { seq: Seq(u64::MAX), fingerprint: Fingerprint(5), at: Timestamp::MAX };
    let row = IdRow { id: program(NOW, 77), known };
    assert_eq!(IdRow::from_bytes(&row.to_bytes()), row);
}
