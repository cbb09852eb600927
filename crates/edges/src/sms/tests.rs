//! The follower with its task, on a clock that stands still while there is something to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::command::Command;
use domain::ids::{Language, LinkId, OperatorId, SubscriberId};
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::state::Standing;
use domain::time::Timestamp;
use engine::answer::{Answer, Directory, Query, Seen, SubscriberView, View};
use engine::deliveries::{
    Changes, Delivery, DeliveryKey, End, FollowerStore, FollowerStoreFault, MemoryFollowerStore, ReceiptState, Role,
    Sent, Stage,
};
use engine::follower::Follow;
use engine::journal::{Batch, Draft, Journal, JournalReader};
use engine::memory::MemoryJournal;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::outbox::tests::Gifts;
use super::{
    Outgoing, Receipt, Receipts, ReceiptsFull, SmsCentre, SmsConfig, SmsFollower, SmsParts, SmsStartFault, SubmitFault,
    Submitted, WayOut, WaysOut, receipts,
};
use crate::port::{Decider, GiftLine};
use crate::testing::{at, msisdn};
use crate::texts::Texts;
use crate::told::Told;

const SMSC: LinkId = LinkId(7);

/// Rules, a clock that goes with tokio's, and subscribers who read English.
#[derive(Clone)]
struct Town {
    directory: Arc<Directory>,
    began: Instant,
    queries: Arc<AtomicUsize>,
}

impl Town {
    fn new() -> Self {
        let directory = Directory { operators: vec![Arc::new(Gifts::new().rules)], ..Directory::default() };
        Self { directory: Arc::new(directory), began: Instant::now(), queries: Arc::default() }
    }
}

impl Decider for Town {
    async fn submit(&self, _: Command) -> Answer {
        Answer::Busy
    }

    async fn query(&self, query: Query) -> Option<Seen<View>> {
        let Query::Subscriber(msisdn) = query else { return None };
        // The first time nobody has time.
        if self.queries.fetch_add(1, Ordering::Relaxed) == 0 {
            return None;
        }
        let view = SubscriberView {
            id: SubscriberId(0),
            msisdn,
            operator: OperatorId(0),
            generation: 1,
            standing: Standing::Active,
            language: Language::English,
            since: Timestamp::MIN,
            airtime_minor: 0,
            latest: Seq(1),
            cards: Vec::new(),
            locked_until: None,
            recents: Vec::new(),
        };
        Some(Seen { seq: Seq(1), value: View::Subscriber(Some(view)) })
    }

    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).expect("not that long");
        at("2026-11-22T05:00:00Z").plus_ms(passed)
    }

    async fn gifts(&self, _: Seq, _: Msisdn, _: usize) -> Vec<GiftLine> {
        Vec::new()
    }
}

#[derive(Clone, Copy, Debug)]
enum Mood {
    Takes,
    Hangs,
    Refuses(SubmitFault),
}

/// An SMSC that notes what it took.
struct Fake {
    mood: Mutex<Mood>,
    heard: Mutex<Vec<(Timestamp, Outgoing)>>,
    tries: AtomicUsize,
    town: Town,
}

impl SmsCentre for Fake {
    async fn submit(&self, sms: &Outgoing) -> Result<Submitted, SubmitFault> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        let mood = *self.mood.lock().expect("whole");
        match mood {
            Mood::Refuses(fault) => return Err(fault),
            Mood::Hangs => std::future::pending().await,
            Mood::Takes => sleep(Duration::from_millis(2)).await,
        }
        self.heard.lock().expect("whole").push((self.town.now(), sms.clone()));
        Ok(Submitted { message_id: Some(format!("{:x}", sms.key.reference())) })
    }
}

/// What outlives a follower.
struct World {
    town: Town,
    store: MemoryFollowerStore,
    journal: MemoryJournal,
    smsc: Arc<Fake>,
    told: Arc<Told>,
    batches: Vec<Arc<Batch>>,
    config: SmsConfig,
    gifts: Gifts,
    window: usize,
}

impl World {
    fn new(config: SmsConfig) -> Self {
        let town = Town::new();
        let smsc = Fake {
            mood: Mutex::new(Mood::Takes),
            heard: Mutex::default(),
            tries: AtomicUsize::new(0),
            town: town.clone(),
        };
        Self {
            town,
            store: MemoryFollowerStore::new(),
            journal: MemoryJournal::new(),
            smsc: Arc::new(smsc),
            told: Arc::new(Told::new(100_000)),
            batches: Vec::new(),
            config,
            gifts: Gifts::new(),
            window: 4,
        }
    }

    fn mood(&self, mood: Mood) {
        *self.smsc.mood.lock().expect("whole") = mood;
    }

    /// An append of one gift.
    fn give(&mut self) -> Seq {
        let at = self.town.now();
        let mut draft = Draft::new(at, 0);
        draft.push(&self.gifts.entry);
        let link = draft.finish(&self.journal.head());
        self.journal.append(&link).expect("room");
        let first_seq = link.first_seq;
        let entries = vec![self.gifts.entry.clone()];
        self.batches.push(Arc::new(Batch { first_seq, at, entries, fingerprints: Vec::new(), hash: link.hash }));
        first_seq
    }

    fn parts(&self, ways_out: WaysOut<Fake>) -> (SmsParts<Fake, Town>, Receipts) {
        let (tell, receipts_in) = receipts();
        let parts = SmsParts {
            ways_out,
            decider: self.town.clone(),
            texts: Arc::new(Texts::embedded()),
            told: Arc::clone(&self.told),
            store: Box::new(self.store.clone()),
            reader: Arc::new(self.journal.reader()) as Arc<dyn JournalReader>,
            receipts: receipts_in,
            config: self.config,
        };
        (parts, tell)
    }

    fn try_start(&self) -> Result<(SmsFollower, Receipts), SmsStartFault> {
        let (window, centre) = (self.window, Arc::clone(&self.smsc));
        let way_out = WayOut { link: SMSC, operators: vec![String::from("koryolink")], window, receipts: true, centre };
        let (parts, receipts) = self.parts(WaysOut::new(vec![way_out]));
        Ok((SmsFollower::start(parts, self.journal.head().seq, &Handle::current())?, receipts))
    }

    /// A follower as of now; the first one begins at the journal's head.
    fn start(&self) -> (SmsFollower, Receipts) {
        self.try_start().expect("starts")
    }

    /// As the engine's thread does: batches in order while there is room.
    async fn follow(&self, mut follower: SmsFollower) -> SmsFollower {
        let behind: Vec<Arc<Batch>> =
            self.batches.iter().filter(|batch| batch.first_seq > follower.cursor()).cloned().collect();
        let work = move || {
            for batch in &behind {
                if !follower.is_ready(Duration::ZERO) {
                    break;
                }
                follower.batch(batch).expect("taken");
            }
            follower
        };
        tokio::task::spawn_blocking(work).await.expect("ends")
    }

    /// On a thread that tokio does not know: its clock would stand still otherwise.
    async fn end(&self, mut follower: SmsFollower) {
        let (tell, ended) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || drop(tell.send(follower.end())));
        ended.await.expect("ends").expect("ends well");
        thread.join().expect("ends");
    }

    fn heard(&self) -> Vec<(DeliveryKey, String)> {
        self.smsc.heard.lock().expect("whole").iter().map(|(_, sms)| (sms.key, sms.text.clone())).collect()
    }

    fn how(&self, key: DeliveryKey) -> Option<Stage> {
        self.store.all().into_iter().find(|delivery| delivery.key == key).map(|delivery| delivery.stage)
    }
}

fn recipient(seq: u64) -> DeliveryKey {
    DeliveryKey { seq: Seq(seq), role: Role::Recipient }
}

fn sender(seq: u64) -> DeliveryKey {
    DeliveryKey { seq: Seq(seq), role: Role::Sender }
}

async fn seconds(s: u64) {
    sleep(Duration::from_secs(s)).await;
}

#[tokio::test(start_paused = true)]
async fn an_smsc_away_for_an_hour_loses_nothing_and_holds_nobody_up() {
    let mut world = World::new(SmsConfig { open_max: 50, ..SmsConfig::default() });
    world.mood(Mood::Refuses(SubmitFault::NotBound));
    let (mut follower, _receipts) = world.start();
    let counts = follower.counts();
    for _ in 0..3_600 {
        // Gifts go on; every screen was shown.
        let seq = world.give();
        world.told.mark(seq);
        follower = world.follow(follower).await;
        seconds(1).await;
        assert!(counts().waiting <= 51, "{:?}", counts());
    }
    assert!(follower.cursor() < Seq(100), "it waits: {:?}", follower.cursor());
    assert!(world.smsc.tries.load(Ordering::Relaxed) < 4 * 4_000, "it does not hammer");
    world.mood(Mood::Takes);
    while follower.cursor() < Seq(3_600) {
        follower = world.follow(follower).await;
        sleep(Duration::from_millis(20)).await;
    }
    seconds(10).await;
    let heard: Vec<DeliveryKey> = world.heard().into_iter().map(|(key, _)| key).collect();
    assert_eq!(heard, (1..=3_600).map(recipient).collect::<Vec<_>>(), "all of them, once, in order");
    assert_eq!(counts().submitted, 3_600);
    assert_eq!(world.store.all().iter().filter(|delivery| !delivery.is_ended()).count(), 3_600, "receipts are awaited");
    assert!(world.store.writes() < 3_600 + 2_000, "{} transactions", world.store.writes());
    world.end(follower).await;
    assert_eq!(world.store.clone().cursor(), Ok(Some(Seq(3_600))));
}

#[tokio::test(start_paused = true)]
async fn the_sender_hears_by_sms_unless_the_screen_was_shown() {
    let mut world = World::new(SmsConfig::default());
    let (follower, _receipts) = world.start();
    world.give();
    world.give();
    let follower = world.follow(follower).await;
    seconds(4).await;
    assert_eq!(world.heard().len(), 2, "the recipients'");
    world.told.mark(Seq(1));
    seconds(4).await;
    let heard = world.heard();
    assert_eq!(heard.len(), 3);
    let (key, text) = &heard[2];
    assert_eq!(*key, sender(2));
    assert!(text.starts_with("You sent 500 won to 0192 111 2222. Left on the card: 1500 won. Receipt "), "{text}");
    assert!(matches!(world.how(sender(1)), Some(Stage::Ended { how: End::Superseded, .. })));
    assert_eq!(world.town.queries.load(Ordering::Relaxed), 2, "asked again when nobody had time");
    world.end(follower).await;
}

#[tokio::test(start_paused = true)]
async fn tries_wait_longer_each_time_until_one_is_taken() {
    let mut world = World::new(SmsConfig::default());
    world.mood(Mood::Refuses(SubmitFault::Temporary { status: 0x08 }));
    let (follower, _receipts) = world.start();
    let seq = world.give();
    world.told.mark(seq);
    let follower = world.follow(follower).await;
    // Waits of 2.5 to 5 s, 5 to 10, 10 to 20, 20 to 40: five tries within 38 to 75 s.
    seconds(37).await;
    assert!((3..=5).contains(&world.smsc.tries.load(Ordering::Relaxed)));
    seconds(40).await;
    let tries = world.smsc.tries.load(Ordering::Relaxed);
    assert!((5..=6).contains(&tries), "{tries}");
    world.mood(Mood::Takes);
    seconds(100).await;
    assert_eq!(world.heard().len(), 1);
    let kept = world.store.all();
    let delivery = kept.first().expect("a delivery");
    assert_eq!((delivery.attempts as usize, delivery.status), (world.smsc.tries.load(Ordering::Relaxed), Some(0x08)));
    world.end(follower).await;
}

#[tokio::test(start_paused = true)]
async fn a_submit_without_an_answer_is_sent_again() {
    let mut world = World::new(SmsConfig { submit_within_ms: 3_000, ..SmsConfig::default() });
    world.mood(Mood::Hangs);
    let (follower, _receipts) = world.start();
    let seq = world.give();
    world.told.mark(seq);
    let follower = world.follow(follower).await;
    seconds(1).await;
    world.mood(Mood::Takes);
    seconds(12).await;
    assert_eq!(world.heard().len(), 1);
    assert_eq!(world.store.all().first().map(|delivery| delivery.attempts), Some(2));
    world.end(follower).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_sends_what_was_under_way_again_and_reads_the_same() {
    let mut world = World::new(SmsConfig::default());
    let (follower, _receipts) = world.start();
    world.give();
    let follower = world.follow(follower).await;
    seconds(1).await;
    let first = world.heard();
    world.mood(Mood::Hangs);
    for _ in 0..6 {
        world.give();
    }
    let follower = world.follow(follower).await;
    seconds(20).await;
    assert_eq!(world.smsc.tries.load(Ordering::Relaxed), 1 + world.window);
    // It waits a little for what is under way, and not longer.
    world.end(follower).await;
    assert_eq!(world.store.clone().cursor(), Ok(Some(Seq(7))));
    world.mood(Mood::Takes);
    let (follower, receipts) = world.start();
    seconds(5).await;
    let heard = world.heard();
    let keys = |of: fn(u64) -> DeliveryKey| heard.iter().filter(move |(key, _)| *key == of(key.seq.0)).count();
    assert_eq!((keys(recipient), keys(sender)), (7, 7));
    assert_eq!(heard.first(), first.first());
    assert!(heard.iter().all(|(key, text)| text.contains(&domain::receipt::receipt(key.seq))));
    // A receipt finds its message also when another process sent it.
    let id = Some(format!("{}", recipient(1).reference()));
    let receipt = Receipt {
        link: SMSC,
        message_id: id,
        reference: None,
        number: Some(msisdn("8501921112222")),
        state: ReceiptState::Delivered,
        error: None,
    };
    receipts.receive(receipt.clone()).await.expect("taken");
    assert!(matches!(world.how(recipient(1)), Some(Stage::Ended { how: End::Delivered, .. })), "durable by then");
    world.end(follower).await;
    assert_eq!(receipts.receive(receipt).await, Err(ReceiptsFull), "nobody follows any more");
}

#[tokio::test(start_paused = true)]
async fn without_room_for_its_database_nothing_is_lost_and_windows_stand_still() {
    let mut world = World::new(SmsConfig { open_max: 20, ..SmsConfig::default() });
    let (mut follower, receipts) = world.start();
    let seq = world.give();
    world.told.mark(seq);
    follower = world.follow(follower).await;
    seconds(6).await;
    world.store.set_fault(Some(FollowerStoreFault::NoRoom));
    for _ in 0..100 {
        let seq = world.give();
        world.told.mark(seq);
        follower = world.follow(follower).await;
        seconds(1).await;
    }
    assert_eq!(world.heard().len(), 1 + world.window, "a crash now repeats one window");
    assert!(follower.cursor() < Seq(40));
    let receipt = Receipt {
        link: SMSC,
        message_id: Some(format!("{:x}", recipient(1).reference())),
        reference: None,
        number: None,
        state: ReceiptState::Undeliverable,
        error: Some(27),
    };
    let waiting = tokio::spawn(async move { receipts.receive(receipt).await });
    seconds(5).await;
    assert!(!waiting.is_finished(), "it is not durable");
    world.store.set_fault(None);
    while follower.cursor() < Seq(101) {
        follower = world.follow(follower).await;
        sleep(Duration::from_millis(50)).await;
    }
    seconds(10).await;
    assert_eq!(waiting.await.expect("ends"), Ok(()));
    assert_eq!(world.heard().len(), 101);
    assert!(matches!(world.how(recipient(1)), Some(Stage::Ended { how: End::Failed, .. })));
    world.end(follower).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_way_out_entries_are_counted_off() {
    let mut world = World::new(SmsConfig::default());
    let (parts, _receipts) = world.parts(WaysOut::new(Vec::new()));
    let follower = SmsFollower::start(parts, Seq::ZERO, &Handle::current()).expect("starts");
    for _ in 0..10 {
        world.give();
    }
    let mut follower = world.follow(follower).await;
    follower.idle().expect("written");
    assert_eq!(world.store.clone().cursor(), Ok(Some(Seq(10))));
    assert_eq!((world.store.all().len(), world.town.queries.load(Ordering::Relaxed)), (0, 0));
    world.end(follower).await;
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_fit_the_journal_is_refused() {
    let mut world = World::new(SmsConfig::default());
    world.give();
    world.give();
    let write = |cursor, deliveries| {
        let changes = Changes { cursor: Some(Seq(cursor)), deliveries, forget: None };
        world.store.clone().write(&changes).expect("written");
    };
    let now = world.town.now();
    let to_bob = |key| Delivery::new(key, msisdn("8501921112222"), now, now);
    write(3, Vec::new());
    let fault = world.try_start().expect_err("refused");
    assert_eq!(fault, SmsStartFault::Ahead { cursor: Seq(3), head: Seq(2) });
    assert!(fault.to_string().contains("lost its tail"));
    write(1, vec![to_bob(recipient(2))]);
    assert!(world.try_start().expect_err("refused").to_string().contains("is past its cursor"));
    // To somebody else than the entry says.
    write(2, vec![to_bob(recipient(2)), to_bob(sender(1))]);
    assert!(world.try_start().expect_err("refused").to_string().contains("that this entry never caused"));
    // What an SMSC has needs no text any more.
    let sent = Some(Sent { link: SMSC, message_id: None, at: now });
    write(2, vec![Delivery { sent, stage: Stage::Submitted { until: now.plus_s(60) }, ..to_bob(sender(1)) }]);
    let (follower, _receipts) = world.start();
    world.end(follower).await;
    world.store.set_fault(Some(FollowerStoreFault::Damaged(String::from("told to be"))));
    assert!(matches!(world.try_start(), Err(SmsStartFault::Store(FollowerStoreFault::Damaged(_)))));
}
