//! An outbox, its database and an SMSC, driven by dice.

use std::collections::{BTreeMap, HashMap};

use domain::ids::{Language, OperatorId};
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::deliveries::{Delivery, DeliveryKey, End, FollowerStore, MemoryFollowerStore, ReceiptState, Role, Stage};
use proptest::prelude::*;

use super::super::{Outbox, Saving, Step, Way};
use super::{Gifts, SMSC, config, outbox, receipt, start, taken};
use crate::sms::SubmitFault;
use crate::texts::Texts;

/// A world of an outbox, its database and an SMSC, driven by dice.
struct World {
    gifts: Gifts,
    texts: Texts,
    store: MemoryFollowerStore,
    outbox: Outbox,
    now: Timestamp,
    entries: Vec<Timestamp>,
    saving: Option<Saving>,
    flying: Vec<(DeliveryKey, String)>,
    asked: Vec<DeliveryKey>,
    /// Answers that are not durable, and of them those that are being written.
    unsaved: usize,
    unsaved_saving: usize,
    /// What the SMSC took: text and how often.
    has: BTreeMap<DeliveryKey, (String, usize)>,
    ids: Vec<String>,
    /// Answers that may have been taken and were not heard.
    unknown: HashMap<DeliveryKey, usize>,
    crashes: usize,
}

const WINDOW: usize = 3;

impl World {
    fn new() -> Self {
        Self {
            gifts: Gifts::new(),
            texts: Texts::embedded(),
            store: MemoryFollowerStore::new(),
            outbox: outbox(config(), &[WINDOW], true),
            now: start(),
            entries: Vec::new(),
            saving: None,
            flying: Vec::new(),
            asked: Vec::new(),
            unsaved: 0,
            unsaved_saving: 0,
            has: BTreeMap::new(),
            ids: Vec::new(),
            unknown: HashMap::new(),
            crashes: 0,
        }
    }

    fn give(&mut self) {
        self.entries.push(self.now);
    }

    /// The follower reads on from wherever the machine is.
    fn follow(&mut self) {
        let from = self.outbox.machine.cursor().0;
        if let Some(at) = usize::try_from(from).ok().and_then(|from| self.entries.get(from)) {
            self.outbox.take(Seq(from + 1), self.gifts.of(from + 1, *at));
        }
    }

    fn told(seq: Seq) -> bool {
        seq.0.is_multiple_of(3)
    }

    /// Whether there was something to do.
    fn step(&mut self) -> bool {
        self.outbox.tick(self.now, &Self::told);
        let step = self.outbox.next(self.now, &Self::told);
        let some = step.is_some();
        match step {
            Some(Step::Ask(notice)) => self.asked.push(notice.key),
            Some(Step::Submit { notice, language, .. }) => {
                let text = notice.text(&self.texts, &self.gifts.rules, language);
                self.flying.push((notice.key, text));
                let at_risk = self.flying.len() + self.unsaved + self.unsaved_saving;
                assert!(at_risk <= WINDOW, "a crash now would repeat {at_risk}");
            }
            None => {}
        }
        some
    }

    fn answer(&mut self, dice: u8) {
        if self.flying.is_empty() {
            return;
        }
        let (key, text) = self.flying.remove(usize::from(dice) % self.flying.len());
        let reaches = !matches!(dice % 7, 3..=5);
        if reaches {
            let (had, times) = self.has.entry(key).or_insert((text.clone(), 0));
            assert_eq!(*had, text, "a repeated message reads the same");
            *times += 1;
        }
        let answer = match dice % 7 {
            0..=1 => {
                let id = format!("{:x}", self.ids.len() + 1);
                self.ids.push(id.clone());
                taken(&id)
            }
            2 | 6 => {
                *self.unknown.entry(key).or_default() += 1;
                Err(SubmitFault::Unknown)
            }
            3 => Err(SubmitFault::NotBound),
            4 => Err(SubmitFault::Throttled { wait_ms: 50 }),
            _ => Err(SubmitFault::Temporary { status: 0x14 }),
        };
        self.unsaved += usize::from(!matches!(answer, Err(SubmitFault::NotBound | SubmitFault::Throttled { .. })));
        self.outbox.submitted(key, answer, self.now);
    }

    fn answer_question(&mut self, dice: u8) {
        if let Some(key) = self.asked.pop() {
            let language = (!dice.is_multiple_of(4)).then_some(Language::ALL[usize::from(dice / 4) % 2]);
            self.outbox.spoken(key, language, self.now);
        }
    }

    fn begin_save(&mut self) {
        if self.saving.is_none() && self.outbox.is_changed() {
            self.saving = Some(self.outbox.changes(self.now));
            self.unsaved_saving = std::mem::take(&mut self.unsaved);
        }
    }

    fn end_save(&mut self) {
        if let Some(saving) = self.saving.take() {
            self.store.write(&saving.changes).expect("written");
            self.outbox.saved(saving);
            self.unsaved_saving = 0;
        }
    }

    fn receipt(&mut self, dice: u8) {
        if !self.ids.is_empty() {
            let id = self.ids[usize::from(dice) % self.ids.len()].clone();
            let state = ReceiptState::ALL[usize::from(dice) % ReceiptState::ALL.len()];
            self.outbox.receipt(receipt(&id, state), self.now);
        }
    }

    /// All that was not durable is gone. What was under way may have arrived.
    fn crash(&mut self, dice: u8) {
        self.crashes += 1;
        for (n, (key, text)) in (0..).zip(std::mem::take(&mut self.flying)) {
            if dice >> n & 1 == 1 {
                let (had, times) = self.has.entry(key).or_insert((text.clone(), 0));
                assert_eq!(*had, text);
                *times += 1;
            }
        }
        // A transaction under way may have been the last.
        if let Some(saving) = self.saving.take().filter(|_| dice & 0x80 != 0) {
            self.store.write(&saving.changes).expect("written");
        }
        self.asked.clear();
        (self.unsaved, self.unsaved_saving) = (0, 0);
        let cursor = self.store.cursor().expect("read").unwrap_or_default();
        let way = Way { link: SMSC, window: WINDOW, receipts: true };
        self.outbox = Outbox::new(config(), vec![way], cursor);
        self.outbox.route(OperatorId(0), vec![0]);
        for delivery in self.store.open_deliveries().expect("read") {
            let at = self.entries[usize::try_from(delivery.key.seq.0).expect("small") - 1];
            let notice = self.gifts.of(delivery.key.seq.0, at).into_iter().find(|notice| notice.key == delivery.key);
            self.outbox.reopen(delivery, notice, self.now);
        }
    }

    fn play(&mut self, what: u8, dice: u8) {
        match what {
            0..=3 => self.give(),
            4..=9 => self.follow(),
            10..=17 => {
                self.step();
            }
            18..=25 => self.answer(dice),
            26..=28 => self.begin_save(),
            29..=31 => self.end_save(),
            32..=33 => self.now = self.now.plus_ms(i64::from(dice) * 40),
            34..=36 => self.receipt(dice),
            37..=38 => self.answer_question(dice),
            _ => self.crash(dice),
        }
    }

    /// Everything goes well from now on.
    fn settle(&mut self) {
        for _ in 0..1_000_000 {
            self.follow();
            // Whoever waits for an answer is not at rest, whatever the machine says.
            let busy = self.step() || !self.flying.is_empty() || !self.asked.is_empty();
            self.answer(0);
            self.answer_question(1);
            self.begin_save();
            self.end_save();
            let behind = self.outbox.machine.cursor() != Seq(self.entries.len() as u64);
            if busy || behind || self.outbox.is_changed() || self.outbox.is_urgent() {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever fails, and wherever it crashes: every message ends, each that was sent reads the same each time, and a
    /// crash repeats no more than a window.
    #[test]
    fn every_message_ends_and_a_crash_repeats_a_window_at_most(steps in proptest::collection::vec((0_u8..40, any::<u8>()), 1..400)) {
        let mut world = World::new();
        for (what, dice) in steps {
            world.play(what, dice);
        }
        world.settle();
        let all: BTreeMap<DeliveryKey, Delivery> =
            world.store.all().into_iter().map(|delivery| (delivery.key, delivery)).collect();
        prop_assert_eq!(all.len(), 2 * world.entries.len());
        let mut repeated = 0;
        for (key, delivery) in &all {
            prop_assert!(delivery.is_ended(), "{:?}", delivery);
            let sent = world.has.get(key).map_or(0, |(_, times)| *times);
            // Told senders have none, all others have theirs, more than once only where an answer was lost.
            let superseded = matches!(delivery.stage, Stage::Ended { how: End::Superseded, .. });
            prop_assert_eq!(superseded && delivery.attempts == 0, key.role == Role::Sender && World::told(key.seq));
            prop_assert!(superseded || sent > 0, "{:?} was lost", key);
            let allowed = 1 + world.unknown.get(key).copied().unwrap_or(0);
            repeated += sent.saturating_sub(allowed);
        }
        prop_assert!(repeated <= world.crashes * WINDOW, "{} repeated by {} crashes", repeated, world.crashes);
        prop_assert_eq!((world.outbox.load(), world.outbox.flying()), (0, 0));
    }
}
