//! A machine, its database and whoever takes parcels over, driven by dice: every parcel ends, a parcel that leaves twice is
//! the same twice, and a crash repeats no more than a window.

use std::collections::BTreeMap;

use domain::receipt::Seq;
use domain::time::Timestamp;
use proptest::prelude::*;

use super::super::{Answer, End, Outbox, Saving, Step, Way};
use super::{CONFIG, Kept, Parcel, START};

const WINDOW: usize = 3;

/// What is durable.
#[derive(Default)]
struct Database {
    cursor: Seq,
    kept: BTreeMap<u64, Kept>,
    /// Taken over.
    gone: BTreeMap<u64, Parcel>,
}

impl Database {
    fn write(&mut self, (saving, taken): &Transaction) {
        self.cursor = saving.cursor.unwrap_or(self.cursor);
        self.kept.extend(saving.records.iter().map(|(parcel, how)| (parcel.seq, (*parcel, *how))));
        for parcel in taken {
            self.kept.remove(&parcel.seq);
            self.gone.insert(parcel.seq, *parcel);
        }
    }
}

/// What a transaction holds besides the machine's records: parcels that were taken over.
type Transaction = (Saving<Parcel>, Vec<Parcel>);

struct World {
    database: Database,
    outbox: Outbox<Parcel>,
    now: Timestamp,
    entries: Vec<Timestamp>,
    saving: Option<Transaction>,
    flying: Vec<u64>,
    asked: Vec<u64>,
    taken: Vec<Parcel>,
    /// Answers that are not durable, and of them those that are being written.
    unsaved: usize,
    unsaved_saving: usize,
    /// What arrived: its label and how often.
    has: BTreeMap<u64, (Option<u8>, usize)>,
    /// Answers that were lost.
    lost: BTreeMap<u64, usize>,
    crashes: usize,
}

fn is_needless(parcel: &Parcel) -> bool {
    parcel.seq.is_multiple_of(9)
}

impl World {
    fn new() -> Self {
        Self {
            database: Database::default(),
            outbox: super::outbox(&[WINDOW]),
            now: START,
            entries: Vec::new(),
            saving: None,
            flying: Vec::new(),
            asked: Vec::new(),
            taken: Vec::new(),
            unsaved: 0,
            unsaved_saving: 0,
            has: BTreeMap::new(),
            lost: BTreeMap::new(),
            crashes: 0,
        }
    }

    /// The follower reads on from wherever the machine is.
    fn follow(&mut self) {
        let from = self.outbox.cursor().0;
        if let Some(at) = usize::try_from(from).ok().and_then(|from| self.entries.get(from)) {
            self.outbox.take(Seq(from + 1), [Parcel::new(from + 1, *at)]);
        }
    }

    /// Whether there was something to do.
    fn step(&mut self) -> bool {
        self.outbox.tick(self.now, &is_needless);
        let step = self.outbox.next(self.now, &is_needless);
        match step {
            Some(Step::Prepare(key)) => self.asked.push(key),
            Some(Step::HandOver { key, .. }) => {
                self.flying.push(key);
                let at_risk = self.flying.len() + self.unsaved + self.unsaved_saving;
                assert!(at_risk <= WINDOW, "a crash now would repeat {at_risk}");
            }
            None => {}
        }
        step.is_some()
    }

    fn arrives(&mut self, key: u64) {
        let label = self.outbox.get(key).expect("it waits").label;
        let (had, times) = self.has.entry(key).or_insert((label, 0));
        assert_eq!(*had, label, "it is the same each time");
        *times += 1;
    }

    fn answer(&mut self, dice: u8) {
        if self.flying.is_empty() {
            return;
        }
        let key = self.flying.remove(usize::from(dice) % self.flying.len());
        let answer = match dice % 7 {
            0..=1 => Answer::Taken,
            2 => Answer::NotNow { wait_ms: 50 },
            _ => Answer::Again,
        };
        // Refused for now, or taken and the answer was lost.
        let is_lost = answer == Answer::Again && dice.is_multiple_of(2);
        if answer == Answer::Taken || is_lost {
            self.arrives(key);
        }
        *self.lost.entry(key).or_default() += usize::from(is_lost);
        self.unsaved += usize::from(!matches!(answer, Answer::NotNow { .. }));
        let taken = self.outbox.answered(key, answer, self.now, |_| {});
        self.taken.extend(taken.map(|taken| taken.payload));
    }

    fn prepare(&mut self, dice: u8) {
        if let Some(key) = self.asked.pop() {
            let label = move |parcel: &mut Parcel| parcel.label = Some(dice);
            self.outbox.prepared(key, (!dice.is_multiple_of(4)).then_some(label), self.now);
        }
    }

    fn is_changed(&self) -> bool {
        self.outbox.is_changed() || self.outbox.is_urgent() || !self.taken.is_empty()
    }

    fn begin_save(&mut self) {
        if self.saving.is_none() && self.is_changed() {
            self.saving = Some((self.outbox.changes(), std::mem::take(&mut self.taken)));
            self.unsaved_saving = std::mem::take(&mut self.unsaved);
        }
    }

    fn end_save(&mut self) {
        if let Some(transaction) = self.saving.take() {
            self.database.write(&transaction);
            self.outbox.saved(transaction.0);
            self.unsaved_saving = 0;
        }
    }

    /// All that was not durable is gone. What was under way may have arrived.
    fn crash(&mut self, dice: u8) {
        self.crashes += 1;
        for (n, key) in (0..).zip(std::mem::take(&mut self.flying)) {
            if dice >> n & 1 == 1 {
                self.arrives(key);
            }
        }
        // A transaction under way may have been the last.
        if let Some(transaction) = self.saving.take().filter(|_| dice & 0x80 != 0) {
            self.database.write(&transaction);
        }
        self.asked.clear();
        self.taken.clear();
        (self.unsaved, self.unsaved_saving) = (0, 0);
        self.outbox = Outbox::new(CONFIG, [Way { window: WINDOW }], self.database.cursor);
        self.outbox.route(0, vec![0]);
        for (parcel, _) in self.database.kept.values().filter(|(_, how)| how.is_none()) {
            self.outbox.reopen(*parcel);
        }
    }

    fn play(&mut self, what: u8, dice: u8) {
        match what {
            0..=3 => self.entries.push(self.now),
            4..=9 => self.follow(),
            10..=17 => {
                self.step();
            }
            18..=25 => self.answer(dice),
            26..=28 => self.begin_save(),
            29..=31 => self.end_save(),
            32..=35 => self.now = self.now.plus_ms(i64::from(dice) * 40),
            36..=38 => self.prepare(dice),
            _ => self.crash(dice),
        }
    }

    /// Everything goes well from now on.
    fn settle(&mut self) {
        for _ in 0..1_000_000 {
            self.follow();
            let busy = self.step() || !self.flying.is_empty() || !self.asked.is_empty();
            self.answer(0);
            self.prepare(1);
            self.begin_save();
            self.end_save();
            let behind = self.outbox.cursor() != Seq(self.entries.len() as u64);
            if busy || behind || self.is_changed() {
                continue;
            }
            match self.outbox.wakes_at() {
                Some(wake) => self.now = self.now.max(wake),
                None => return,
            }
        }
        panic!("it never comes to rest");
    }
}

#[test]
fn it_does_not_rest_while_an_answer_is_awaited() {
    // Two are on their way when the dice end: the second one's answer comes after everything else is done.
    let mut world = World::new();
    for what in [0, 4, 0, 4, 10, 10] {
        world.play(what, 0);
    }
    world.settle();
    assert_eq!((world.database.kept.len(), world.database.gone.len()), (0, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_parcel_ends_and_a_crash_repeats_a_window_at_most(
        steps in proptest::collection::vec((0_u8..40, any::<u8>()), 1..400)
    ) {
        let mut world = World::new();
        for (what, dice) in steps {
            world.play(what, dice);
        }
        world.settle();
        let Database { cursor, kept, gone } = &world.database;
        prop_assert_eq!(*cursor, Seq(world.entries.len() as u64));
        prop_assert_eq!(kept.len() + gone.len(), world.entries.len());
        let mut repeated = 0;
        for (seq, parcel) in gone {
            let arrived = world.has.get(seq).map_or(0, |(_, times)| *times);
            prop_assert!(arrived > 0, "{} was lost", seq);
            prop_assert!(!is_needless(parcel), "{} was needless", seq);
            repeated += arrived.saturating_sub(1 + world.lost.get(seq).copied().unwrap_or(0));
        }
        for (seq, (_, how)) in kept {
            prop_assert_eq!(*how, Some(End::Needless), "{}", seq);
            prop_assert!(!world.has.contains_key(seq));
        }
        prop_assert!(repeated <= world.crashes * WINDOW, "{} repeated by {} crashes", repeated, world.crashes);
        prop_assert_eq!((world.outbox.load(), world.outbox.flying()), (0, 0));
    }
}
