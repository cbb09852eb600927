//! The machine with parcels: windows, tries, ends, what is durable.

mod world;

use std::collections::HashSet;

use domain::receipt::Seq;
use domain::time::Timestamp;

use super::{Answer, End, Outbox, OutboxConfig, Payload, Step, Taken, Tries, Way};

/// Something to hand over. Every third one must be labelled first, and may turn out to be needless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parcel {
    seq: u64,
    at: Timestamp,
    group: u8,
    tries: Tries,
    label: Option<u8>,
}

/// How a database keeps one; `None`: it waits.
type Kept = (Parcel, Option<End>);

impl Parcel {
    fn new(seq: u64, at: Timestamp) -> Self {
        let label = (!seq.is_multiple_of(3)).then_some(0);
        Self { seq, at, group: 0, tries: Tries { attempts: 0, next_at: at }, label }
    }
}

impl Payload for Parcel {
    type Key = u64;
    type Group = u8;
    type Record = Kept;

    fn key(&self) -> u64 {
        self.seq
    }

    fn seq(&self) -> Seq {
        Seq(self.seq)
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    fn group(&self) -> u8 {
        self.group
    }

    fn tries(&self) -> Tries {
        self.tries
    }

    fn set_tries(&mut self, tries: Tries) {
        self.tries = tries;
    }

    fn may_be_needless(&self) -> bool {
        self.seq.is_multiple_of(3) && self.tries.attempts == 0
    }

    fn is_prepared(&self) -> bool {
        self.label.is_some()
    }

    fn salt(&self) -> String {
        self.seq.to_string()
    }

    fn record(&self) -> Kept {
        (*self, None)
    }

    fn ended(self, how: End, _: Timestamp) -> Kept {
        (self, Some(how))
    }
}

const CONFIG: OutboxConfig =
    OutboxConfig { retry_max_ms: 24 * 3_600_000, retry_wait_ms: 1_000, retry_wait_max_ms: 900_000, preparing_max: 2 };
const START: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn outbox(windows: &[usize]) -> Outbox<Parcel> {
    let mut outbox = Outbox::new(CONFIG, windows.iter().map(|window| Way { window: *window }), Seq::ZERO);
    outbox.route(0, (0..windows.len()).collect());
    outbox
}

fn nobody(_: &Parcel) -> bool {
    false
}

fn take(outbox: &mut Outbox<Parcel>, seqs: impl IntoIterator<Item = u64>, at: Timestamp) {
    for seq in seqs {
        outbox.take(Seq(seq), [Parcel::new(seq, at)]);
    }
}

/// Everything that leaves now, by key and way.
fn leave(outbox: &mut Outbox<Parcel>, now: Timestamp) -> Vec<(u64, usize)> {
    outbox.tick(now, &nobody);
    let step = |step| match step {
        Step::HandOver { key, place, .. } => (key, place),
        Step::Prepare(key) => panic!("{key} must be prepared"),
    };
    std::iter::from_fn(|| outbox.next(now, &nobody).map(step)).collect()
}

fn answer(outbox: &mut Outbox<Parcel>, key: u64, answer: Answer, now: Timestamp) -> Option<Taken<Parcel>> {
    outbox.answered(key, answer, now, |_| {})
}

/// Writes what changed; gives it.
fn save(outbox: &mut Outbox<Parcel>) -> Vec<Kept> {
    let saving = outbox.changes();
    let records = saving.records.clone();
    outbox.saved(saving);
    records
}

#[test]
fn a_window_moves_on_only_when_what_became_of_it_is_durable() {
    let mut outbox = outbox(&[2, 1]);
    take(&mut outbox, [1, 2, 4, 5, 7], START);
    // Shared: whoever has fewer under way gets the next; in order.
    assert_eq!(leave(&mut outbox, START), [(1, 0), (2, 1), (4, 0)]);
    for (key, place) in [(2, 1), (1, 0)] {
        let taken = answer(&mut outbox, key, Answer::Taken, START).expect("taken");
        assert_eq!((taken.payload.seq, taken.payload.tries.attempts, taken.place), (key, 1, place));
    }
    assert_eq!(leave(&mut outbox, START), [], "a crash now would repeat these");
    assert!(outbox.is_urgent());
    let saving = outbox.changes();
    assert_eq!((saving.cursor, saving.records.len()), (Some(Seq(7)), 3), "those that wait");
    assert_eq!(leave(&mut outbox, START), []);
    outbox.saved(saving);
    assert_eq!(leave(&mut outbox, START), [(5, 1), (7, 0)]);
}

/// What a caller has of its own to write keeps a place for its load until it is durable.
#[test]
fn what_ended_is_load_until_it_is_durable() {
    let mut outbox = outbox(&[1]);
    take(&mut outbox, [1], START);
    leave(&mut outbox, START);
    let taken = answer(&mut outbox, 1, Answer::Taken, START).expect("taken").payload;
    assert_eq!(outbox.load(), 0);
    outbox.finish((taken, None));
    assert_eq!((outbox.load(), outbox.is_changed()), (1, true));
    let saving = outbox.changes();
    assert_eq!((outbox.load(), saving.records.len()), (1, 1));
    outbox.saved(saving);
    assert_eq!((outbox.load(), outbox.is_changed()), (0, false));
}

#[test]
fn a_way_that_takes_nothing_now_costs_no_try_and_no_place() {
    let (mut outbox, mut now) = (outbox(&[2]), START);
    take(&mut outbox, [1, 2, 4], now);
    save(&mut outbox);
    for (wait_ms, believed_ms) in [(700, 700), (0, 1), (i64::MAX, super::REST_MAX_MS)] {
        assert_eq!(leave(&mut outbox, now), [(1, 0), (2, 0)]);
        answer(&mut outbox, 2, Answer::NotNow { wait_ms }, now);
        answer(&mut outbox, 1, Answer::NotNow { wait_ms }, now);
        assert!(!outbox.is_urgent() && !outbox.is_changed(), "there is nothing to write down");
        assert_eq!(leave(&mut outbox, now), []);
        assert_eq!(outbox.wakes_at(), Some(now.plus_ms(believed_ms)));
        assert_eq!(leave(&mut outbox, now.plus_ms(believed_ms - 1)), []);
        now = now.plus_ms(believed_ms);
    }
    assert_eq!(leave(&mut outbox, now).len(), 2);
    assert_eq!(answer(&mut outbox, 1, Answer::Taken, now).expect("taken").payload.tries.attempts, 1);
}

#[test]
fn refusals_for_the_moment_are_tried_again_up_to_the_end() {
    let (mut outbox, mut now) = (outbox(&[1]), START);
    take(&mut outbox, [1], now);
    let (mut tries, mut ended) = (Vec::new(), Vec::new());
    while ended.is_empty() {
        for (key, _) in leave(&mut outbox, now) {
            tries.push(now.ms() - START.ms());
            answer(&mut outbox, key, Answer::Again, now);
        }
        ended.extend(save(&mut outbox).into_iter().filter(|(_, how)| how.is_some()));
        now = outbox.wakes_at().unwrap_or(now);
    }
    let [(parcel, how)] = ended.as_slice() else { panic!("{ended:?}") };
    assert_eq!((*how, now), (Some(End::GaveUp), START.plus_ms(CONFIG.retry_max_ms)));
    assert_eq!(parcel.tries.attempts as usize, tries.len());
    assert_eq!((outbox.counts().gave_up, outbox.counts().retried), (1, tries.len() as u64));
    let waits: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (attempt, wait) in (0..).zip(&waits) {
        let whole = (1_000 << attempt.min(10)).min(900_000);
        assert!((whole / 2..=whole).contains(wait), "{attempt}: {wait}");
    }
    assert!(waits.len() > 90, "{}", waits.len());
}

#[test]
fn tries_of_neighbours_are_spread() {
    assert_eq!(CONFIG.backoff_ms("1", 3), CONFIG.backoff_ms("1", 3));
    let neighbours: HashSet<i64> = (1..50).map(|n: u32| CONFIG.backoff_ms(&n.to_string(), 8)).collect();
    assert!(neighbours.len() > 40);
    assert!((450_000..=900_000).contains(&CONFIG.backoff_ms("1", u32::MAX)));
}

#[test]
fn what_is_refused_for_good_ends_at_once() {
    let mut outbox = outbox(&[1]);
    take(&mut outbox, [1], START);
    leave(&mut outbox, START);
    let none = outbox.answered(1, Answer::Refused, START, |parcel| parcel.label = Some(7));
    assert!(none.is_none());
    let records = save(&mut outbox);
    let [(parcel, how)] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((parcel.label, *how, outbox.counts().refused), (Some(7), Some(End::Refused), 1));
    // An answer that comes twice, or to nobody, changes nothing.
    assert!(answer(&mut outbox, 1, Answer::Taken, START).is_none());
    assert_eq!((outbox.load(), outbox.flying()), (0, 0));
}

/// The configuration lost a group's way: what waits for it is given up, and holds up nobody else's.
#[test]
fn what_no_way_leads_to_any_more_holds_nobody_up() {
    let mut outbox = Outbox::new(CONFIG, [Way { window: 1 }], Seq::ZERO);
    outbox.route(0, Vec::new());
    for seq in [1, 2, 4] {
        outbox.reopen(Parcel::new(seq, START));
    }
    assert_eq!((outbox.load(), outbox.waiting()), (0, 3));
    assert_eq!(leave(&mut outbox, START), []);
    let late = START.plus_ms(CONFIG.retry_max_ms);
    assert_eq!(leave(&mut outbox, late), []);
    assert_eq!(save(&mut outbox).iter().filter(|(_, how)| *how == Some(End::GaveUp)).count(), 3);
    assert_eq!((outbox.load(), outbox.waiting()), (0, 0));
}

#[test]
fn payloads_of_a_group_without_a_way_are_let_go_and_the_cursor_goes_on() {
    let mut outbox = outbox(&[1]);
    outbox.route(0, Vec::new());
    take(&mut outbox, [1, 2], START);
    assert_eq!((outbox.load(), outbox.counts().let_go, outbox.cursor(), outbox.is_changed()), (0, 2, Seq(2), true));
    // The same again is not taken again.
    outbox.route(0, vec![0]);
    take(&mut outbox, [1, 2], START);
    assert_eq!(outbox.load(), 0);
}

#[test]
fn groups_do_not_wait_for_each_other() {
    let mut outbox = outbox(&[1, 1]);
    outbox.route(0, vec![0]);
    outbox.route(1, vec![1]);
    outbox.take(Seq(2), [1, 2].map(|seq| Parcel::new(seq, START)));
    outbox.take(Seq(4), [Parcel { group: 1, ..Parcel::new(4, START) }]);
    assert_eq!(leave(&mut outbox, START), [(1, 0), (4, 1)]);
    answer(&mut outbox, 4, Answer::Again, START);
    answer(&mut outbox, 1, Answer::Taken, START);
    save(&mut outbox);
    assert_eq!(leave(&mut outbox, START), [(2, 0)]);
}

#[test]
fn what_it_needs_is_durable_before_it_leaves() {
    let mut outbox = outbox(&[9]);
    take(&mut outbox, [3, 6, 9, 12], START);
    let next = |outbox: &mut Outbox<Parcel>, now| {
        outbox.tick(now, &|parcel| parcel.seq == 12);
        outbox.next(now, &|parcel| parcel.seq == 12)
    };
    // So many at a time, and what is needless is not prepared.
    assert_eq!([next(&mut outbox, START), next(&mut outbox, START)], [Some(Step::Prepare(3)), Some(Step::Prepare(6))]);
    assert_eq!((next(&mut outbox, START), outbox.counts().needless), (None, 1));
    // Nobody can say: it is asked again, after the others.
    outbox.prepared(3, None::<fn(&mut Parcel)>, START);
    assert_eq!(next(&mut outbox, START), Some(Step::Prepare(9)));
    outbox.prepared(6, Some(|parcel: &mut Parcel| parcel.label = Some(1)), START);
    assert_eq!(next(&mut outbox, START), None);
    assert!(outbox.is_urgent());
    let saving = outbox.changes();
    assert_eq!(next(&mut outbox, START), None, "it is not durable");
    assert!(saving.records.iter().any(|(parcel, _)| (parcel.seq, parcel.label) == (6, Some(1))));
    outbox.saved(saving);
    assert!(matches!(next(&mut outbox, START), Some(Step::HandOver { key: 6, .. })));
    assert_eq!(next(&mut outbox, START.plus_ms(1_000)), Some(Step::Prepare(3)));
}
