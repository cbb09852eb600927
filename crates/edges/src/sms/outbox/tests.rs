use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Outbox, Step, Way, backoff_ms};
use crate::notice::{Notice, notices};
use crate::sms::{Receipt, SmsConfig, SubmitFault, Submitted};
use crate::testing::{at, desk, keys, msisdn, rules};
use crate::texts::Texts;
use domain::command::{Body, Dialled, Gift};
use domain::id::CommandId;
use domain::ids::{Language, LinkId, OperatorId};
use domain::money::Amount;
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::time::Timestamp;
use domain::verdict::{Done, Effects, Entry, Outcome, Verdict};
use engine::deliveries::{Delivery, DeliveryKey, End, FollowerStore, MemoryFollowerStore, ReceiptState, Role, Stage};
use proptest::prelude::*;

const SMSC: LinkId = LinkId(7);
const BOB: &str = "8501921112222";

fn config() -> SmsConfig {
    SmsConfig { retry_wait_ms: 1_000, ..SmsConfig::default() }
}

fn start() -> Timestamp {
    at("2026-11-22T05:00:00Z")
}

/// Makes the messages of gifts.
pub(in crate::sms) struct Gifts {
    pub(in crate::sms) rules: Rules,
    pub(in crate::sms) entry: Entry,
}

impl Gifts {
    pub(in crate::sms) fn new() -> Self {
        let (rules, keys) = (rules("koryolink"), keys());
        let desk = desk(&rules, &keys);
        let body = Body::Gift(Gift {
            caller: desk.caller,
            recipient: Dialled::Value(msisdn(BOB)),
            amount: Dialled::Value(Amount::try_new(500).expect("positive")),
            proof: desk.proof("482913"),
            swapped: false,
            occasion: None,
        });
        let given = Done::Given { left_minor: 1_500, fee_minor: 0, language: Language::Korean };
        let verdict = Verdict { outcome: Outcome::Done(given), effects: Effects::default() };
        Self { entry: Entry { id: CommandId::internal(0, 0), body, verdict }, rules }
    }

    fn of(&self, seq: u64, at: Timestamp) -> Vec<Notice> {
        notices(Seq(seq), at, &self.entry).collect()
    }
}

fn outbox(config: SmsConfig, windows: &[usize], receipts: bool) -> Outbox {
    let ways = windows.iter().map(|window| Way { link: SMSC, window: *window, receipts }).collect();
    let mut outbox = Outbox::new(config, ways, Seq::ZERO);
    outbox.route(OperatorId(0), (0..windows.len()).collect());
    outbox
}

fn nobody(_: Seq) -> bool {
    false
}

fn recipient(seq: u64) -> DeliveryKey {
    DeliveryKey { seq: Seq(seq), role: Role::Recipient }
}

fn sender(seq: u64) -> DeliveryKey {
    DeliveryKey { seq: Seq(seq), role: Role::Sender }
}

/// Everything that leaves now, by key and way out.
fn leave(outbox: &mut Outbox, now: Timestamp) -> Vec<(DeliveryKey, usize)> {
    outbox.tick(now, &nobody);
    std::iter::from_fn(|| match outbox.next(now, &nobody)? {
        Step::Submit { place, notice, .. } => Some((notice.key, place)),
        Step::Ask(notice) => panic!("a question about {:?}", notice.key),
    })
    .collect()
}

fn save(outbox: &mut Outbox, store: &mut MemoryFollowerStore, now: Timestamp) {
    let saving = outbox.changes(now);
    store.write(&saving.changes).expect("written");
    outbox.saved(saving);
}

fn stage(store: &MemoryFollowerStore, key: DeliveryKey) -> Stage {
    store.all().into_iter().find(|delivery| delivery.key == key).expect("a delivery").stage
}

fn end_of(store: &MemoryFollowerStore, key: DeliveryKey) -> Option<End> {
    match stage(store, key) {
        Stage::Ended { how, .. } => Some(how),
        Stage::Waiting { .. } | Stage::Submitted { .. } => None,
    }
}

fn taken(id: &str) -> Result<Submitted, SubmitFault> {
    Ok(Submitted { message_id: Some(String::from(id)) })
}

fn receipt(id: &str, state: ReceiptState) -> Receipt {
    Receipt { link: SMSC, message_id: Some(String::from(id)), reference: None, number: None, state, error: Some(7) }
}

/// The configuration lost an operator's SMSC: its messages wait for it and are given up, and hold up nobody else's.
#[test]
fn what_no_way_out_leads_to_any_more_holds_nobody_up() {
    let (gifts, mut store) = (Gifts::new(), MemoryFollowerStore::new());
    let way = Way { link: SMSC, window: 1, receipts: false };
    let mut outbox = Outbox::new(config(), vec![way], Seq::ZERO);
    outbox.route(OperatorId(0), Vec::new());
    for seq in 1..=3 {
        let notice = gifts.of(seq, start()).into_iter().next().expect("a recipient's");
        let delivery = Delivery::new(notice.key, notice.to, start(), start());
        outbox.reopen(delivery, Some(notice), start());
    }
    assert_eq!((outbox.load(), outbox.counts().waiting), (0, 3));
    assert_eq!(leave(&mut outbox, start()), []);
    let late = start().plus_ms(config().retry_max_ms);
    assert_eq!(leave(&mut outbox, late), []);
    save(&mut outbox, &mut store, late);
    assert_eq!((outbox.load(), outbox.counts().waiting), (0, 0));
    assert_eq!([1, 2, 3].map(|seq| end_of(&store, recipient(seq))), [Some(End::GaveUp); 3]);
}

#[test]
fn a_window_moves_on_only_when_what_became_of_it_is_durable() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[2, 1], true);
    for seq in 1..=5 {
        outbox.take(Seq(seq), gifts.of(seq, now));
    }
    // Shared: whoever has fewer under way gets the next; in order.
    let left = leave(&mut outbox, now);
    assert_eq!(left, [(recipient(1), 0), (recipient(2), 1), (recipient(3), 0)]);
    outbox.submitted(recipient(2), taken("b"), now);
    outbox.submitted(recipient(1), taken("a"), now);
    assert_eq!(leave(&mut outbox, now), [], "a crash now would send these again");
    assert!(outbox.is_urgent());
    let saving = outbox.changes(now);
    assert_eq!(leave(&mut outbox, now), []);
    store.write(&saving.changes).expect("written");
    outbox.saved(saving);
    assert_eq!(leave(&mut outbox, now), [(recipient(4), 1), (recipient(5), 0)]);
    assert_eq!((store.cursor(), outbox.load()), (Ok(Some(Seq(5))), 8));
}

#[test]
fn a_way_out_without_a_bind_costs_no_try_and_no_place() {
    let (gifts, mut now) = (Gifts::new(), start());
    let mut outbox = outbox(config(), &[2], true);
    for seq in 1..=3 {
        outbox.take(Seq(seq), gifts.of(seq, now));
    }
    for fault in [SubmitFault::NotBound, SubmitFault::Throttled { wait_ms: 700 }] {
        let left = leave(&mut outbox, now);
        assert_eq!(left, [(recipient(1), 0), (recipient(2), 0)]);
        outbox.submitted(recipient(2), Err(fault), now);
        outbox.submitted(recipient(1), Err(fault), now);
        assert!(!outbox.is_urgent(), "there is nothing to write down");
        assert_eq!(leave(&mut outbox, now), []);
        let rest = if fault == SubmitFault::NotBound { 1_000 } else { 700 };
        assert_eq!(outbox.wakes_at(), Some(now.plus_ms(rest)));
        assert_eq!(leave(&mut outbox, now.plus_ms(rest - 1)), []);
        now = now.plus_ms(rest);
    }
    assert_eq!(leave(&mut outbox, now).len(), 2);
    outbox.submitted(recipient(1), taken("a"), now);
    assert_eq!(outbox.changes(now).changes.deliveries.iter().map(|delivery| delivery.attempts).max(), Some(1));
}

#[test]
fn refusals_for_the_moment_are_tried_again_up_to_the_end() {
    let (gifts, gave_at) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[1], true);
    outbox.take(Seq(1), gifts.of(1, gave_at).into_iter().filter(|notice| notice.key == recipient(1)));
    let (mut now, mut tries) = (gave_at, Vec::new());
    while end_of_any(&store).is_none() {
        for (key, _) in leave(&mut outbox, now) {
            tries.push(now.ms() - gave_at.ms());
            let fault =
                if tries.len() % 2 == 0 { SubmitFault::Unknown } else { SubmitFault::Temporary { status: 0x14 } };
            outbox.submitted(key, Err(fault), now);
        }
        save(&mut outbox, &mut store, now);
        now = outbox.wakes_at().unwrap_or(now);
    }
    let day_ms = 24 * 3_600_000;
    assert_eq!((end_of(&store, recipient(1)), now), (Some(End::GaveUp), gave_at.plus_ms(day_ms)));
    let delivery = store.all().remove(0);
    assert_eq!((delivery.status, delivery.attempts as usize), (Some(0x14), tries.len()));
    let waits: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (attempt, wait) in (0..).zip(&waits) {
        let whole = (1_000 << attempt.min(10)).min(900_000);
        assert!((whole / 2..=whole).contains(wait), "{attempt}: {wait}");
    }
    assert!(waits.len() > 90, "{}", waits.len());
    assert_eq!(backoff_ms(&config(), recipient(1), 3), backoff_ms(&config(), recipient(1), 3));
    let neighbours: HashSet<i64> = (1..50).map(|seq| backoff_ms(&config(), recipient(seq), 8)).collect();
    assert!(neighbours.len() > 40);
    assert!((450_000..=900_000).contains(&backoff_ms(&config(), recipient(1), u32::MAX)));
}

fn end_of_any(store: &MemoryFollowerStore) -> Option<End> {
    store.all().iter().find_map(|delivery| end_of(store, delivery.key))
}

#[test]
fn what_is_refused_for_good_ends_at_once() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[1], true);
    outbox.take(Seq(1), gifts.of(1, now));
    assert_eq!(leave(&mut outbox, now), [(recipient(1), 0)]);
    outbox.submitted(recipient(1), Err(SubmitFault::Permanent { status: 0x0B }), now);
    save(&mut outbox, &mut store, now);
    assert_eq!(end_of(&store, recipient(1)), Some(End::Failed));
    assert_eq!(store.all()[0].status, Some(0x0B));
}

#[test]
fn every_state_of_a_receipt() {
    for state in ReceiptState::ALL {
        let (gifts, now) = (Gifts::new(), start());
        let mut store = MemoryFollowerStore::new();
        let mut outbox = outbox(config(), &[1], true);
        outbox.take(Seq(1), gifts.of(1, now));
        leave(&mut outbox, now);
        outbox.submitted(recipient(1), taken("1a"), now);
        assert!(outbox.receipt(receipt("26", *state), now));
        save(&mut outbox, &mut store, now);
        assert_eq!(end_of(&store, recipient(1)), state.end());
        let delivery = store.all().remove(0);
        assert_eq!((delivery.receipt, delivery.receipt_error), (Some(*state), Some(7)));
        // What is final stays; what is not is followed by silence.
        outbox.receipt(receipt("1a", ReceiptState::Delivered), now);
        let later = now.plus_ms(config().receipt_wait_ms);
        outbox.tick(later, &nobody);
        save(&mut outbox, &mut store, later);
        let expected = if state.end().is_some() { state.end() } else { Some(End::Delivered) };
        assert_eq!(end_of(&store, recipient(1)), expected, "{}", state.name());
    }
}

#[test]
fn without_a_receipt_it_is_sent_and_not_confirmed() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut waits = outbox(config(), &[1], true);
    waits.take(Seq(1), gifts.of(1, now));
    leave(&mut waits, now);
    waits.submitted(recipient(1), Ok(Submitted::default()), now);
    let over = now.plus_ms(config().receipt_wait_ms);
    waits.tick(over.plus_ms(-1), &nobody);
    save(&mut waits, &mut store, now);
    assert_eq!(stage(&store, recipient(1)), Stage::Submitted { until: over });
    waits.tick(over, &nobody);
    save(&mut waits, &mut store, over);
    assert_eq!(end_of(&store, recipient(1)), Some(End::Unconfirmed));

    // Where none is asked for it is so at once.
    let mut none = outbox(config(), &[1], false);
    none.take(Seq(1), gifts.of(1, now));
    leave(&mut none, now);
    none.submitted(recipient(1), taken("1a"), now);
    save(&mut none, &mut store, now);
    assert_eq!(end_of(&store, recipient(1)), Some(End::Unconfirmed));

    // More than are awaited: those go that would have gone first.
    let mut few = outbox(SmsConfig { awaiting_max: 2, ..config() }, &[9], true);
    for seq in 1..=3 {
        few.take(Seq(seq), gifts.of(seq, now));
    }
    for (n, (key, _)) in (0..).zip(leave(&mut few, now)) {
        few.submitted(key, Ok(Submitted::default()), now.plus_ms(n));
    }
    few.tick(now.plus_ms(3), &nobody);
    assert_eq!((few.counts().awaiting, few.counts().ended), (2, [0, 0, 0, 0, 0, 1]));
}

#[test]
fn a_receipt_may_overtake_the_answer_to_its_submit() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[2], true);
    outbox.take(Seq(2), [gifts.of(1, now), gifts.of(2, now)].concat());
    leave(&mut outbox, now);
    assert!(!outbox.receipt(receipt("1a", ReceiptState::Delivered), now));
    assert!(!outbox.receipt(receipt("ff", ReceiptState::Delivered), now));
    outbox.submitted(recipient(2), taken("2b"), now);
    outbox.submitted(recipient(1), taken("1a"), now);
    save(&mut outbox, &mut store, now);
    assert_eq!((end_of(&store, recipient(1)), end_of(&store, recipient(2))), (Some(End::Delivered), None));
    outbox.tick(now.plus_ms(10_000), &nobody);
    assert_eq!(outbox.counts().receipts_unmatched, 1, "the other one is nobody's");
    for n in 0..2_000 {
        outbox.receipt(receipt(&format!("x{n}"), ReceiptState::Delivered), now);
    }
    assert_eq!(outbox.counts().receipts_unmatched, 1 + 2_000 - 1_024, "so many are held at most");
}

#[test]
fn a_sender_who_was_told_gets_no_sms() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[9], false);
    outbox.take(Seq(2), [gifts.of(1, now), gifts.of(2, now)].concat());
    let told = |seq| seq == Seq(1);
    let mut steps = Vec::new();
    for later in [0, 4_999, 5_000] {
        let now = now.plus_ms(later);
        outbox.tick(now, &told);
        while let Some(step) = outbox.next(now, &told) {
            match step {
                Step::Ask(notice) => steps.push((later, "ask", notice.key)),
                Step::Submit { notice, .. } => {
                    steps.push((later, "submit", notice.key));
                    outbox.submitted(notice.key, Ok(Submitted::default()), now);
                }
            }
        }
        save(&mut outbox, &mut store, now);
    }
    assert_eq!(steps, [(0, "submit", recipient(1)), (0, "submit", recipient(2)), (5_000, "ask", sender(2))]);
    assert_eq!(end_of(&store, sender(1)), Some(End::Superseded));
    // Nobody can say: it is asked again. Then the language is durable before the text leaves.
    let now = now.plus_ms(5_000);
    outbox.spoken(sender(2), None, now);
    assert_eq!(outbox.next(now, &told), None);
    let now = now.plus_ms(1_000);
    assert!(matches!(outbox.next(now, &told), Some(Step::Ask(notice)) if notice.key == sender(2)));
    outbox.spoken(sender(2), Some(Language::English), now);
    assert_eq!(outbox.next(now, &told), None);
    let saving = outbox.changes(now);
    assert_eq!(outbox.next(now, &told), None);
    store.write(&saving.changes).expect("written");
    outbox.saved(saving);
    let step = outbox.next(now, &told);
    assert!(matches!(step, Some(Step::Submit { language: Language::English, .. })), "{step:?}");
    assert_eq!(store.find(Seq(2)).expect("read")[1].language, Some(Language::English));
}

#[test]
fn messages_of_an_operator_without_a_way_out_are_let_go() {
    let (gifts, now) = (Gifts::new(), start());
    let mut outbox = outbox(config(), &[1], true);
    outbox.route(OperatorId(0), Vec::new());
    outbox.take(Seq(3), gifts.of(3, now));
    assert_eq!((outbox.load(), outbox.counts().let_go, outbox.is_changed()), (0, 2, true));
    // The same again is not taken again.
    outbox.route(OperatorId(0), vec![0]);
    outbox.take(Seq(3), gifts.of(3, now));
    assert_eq!(outbox.load(), 0);
}

/// A world of an outbox, its database and an SMSC, driven by dice.
struct World {
    gifts: Gifts,
    texts: Texts,
    store: MemoryFollowerStore,
    outbox: Outbox,
    now: Timestamp,
    entries: Vec<Timestamp>,
    saving: Option<super::Saving>,
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
        let from = self.outbox.cursor.0;
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
            let busy = self.step();
            self.answer(0);
            self.answer_question(1);
            self.begin_save();
            self.end_save();
            let behind = self.outbox.cursor != Seq(self.entries.len() as u64);
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
        prop_assert_eq!(world.outbox.load(), 0);
    }
}

#[test]
fn a_delivery_that_waits_takes_what_the_configuration_says() {
    // Its place in the queue beside it, and trees that are two thirds full.
    let octets = size_of::<super::Waiting>() + 2 * size_of::<DeliveryKey>() + size_of::<Timestamp>();
    assert!(octets * 3 / 2 <= 400, "{octets}");
}
