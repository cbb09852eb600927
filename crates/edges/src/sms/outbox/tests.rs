//! What is SMS about the machine. That of every payload is tested beside it (`engine::outbox`).

mod receipts;
mod world;

use domain::command::{Body, Dialled, Gift};
use domain::effects::Effects;
use domain::id::CommandId;
use domain::ids::{Language, LinkId, OperatorId};
use domain::money::Amount;
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome, Verdict};
use engine::deliveries::{DeliveryKey, End, FollowerStore, MemoryFollowerStore, ReceiptState, Role, Stage};

use super::{Outbox, Step, Way};
use crate::notice::{Notice, notices};
use crate::sms::{Receipt, SmsConfig, SubmitFault, Submitted};
use crate::testing::{at, desk, keys, msisdn, rules};

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
fn what_an_smsc_says_against_it_is_kept_with_its_tries() {
    let (gifts, now) = (Gifts::new(), start());
    let mut store = MemoryFollowerStore::new();
    let mut outbox = outbox(config(), &[1], true);
    outbox.take(Seq(1), gifts.of(1, now).into_iter().filter(|notice| notice.key == recipient(1)));
    let tried = |store: &MemoryFollowerStore| {
        let all = store.all();
        let delivery = all.iter().find(|delivery| delivery.key == recipient(1)).expect("a delivery");
        (delivery.attempts, delivery.status)
    };
    let mut now = now;
    for (fault, expected) in [
        (SubmitFault::Temporary { status: 0x14 }, (1, Some(0x14))),
        (SubmitFault::Unknown, (2, Some(0x14))),
        (SubmitFault::Temporary { status: 0x58 }, (3, Some(0x58))),
    ] {
        assert_eq!(leave(&mut outbox, now), [(recipient(1), 0)]);
        outbox.submitted(recipient(1), Err(fault), now);
        save(&mut outbox, &mut store, now);
        assert_eq!(tried(&store), expected);
        now = now.plus_ms(config().retry_wait_max_ms);
    }
    assert_eq!((outbox.counts().retried, end_of(&store, recipient(1))), (3, None));
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

#[test]
fn a_delivery_that_waits_takes_what_the_configuration_says() {
    // Its place in the queue beside it, and trees that are two thirds full.
    let octets = engine::outbox::Outbox::<super::Sms>::WAITING_LEN;
    assert!(octets * 3 / 2 <= 400, "{octets}");
}
