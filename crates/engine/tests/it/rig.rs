//! A small world for the engine's tests: Koryolink, two subscribers, one card with 100,000 on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::command::{
    Bind, Body, Caller, Command, Dialled, Gift, ImportSubscribers, IssueCards, LoadRules, NewCard, NewSubscriber, TopUp,
};
use domain::id::CommandId;
use domain::ids::{LinkId, OperatorId, Staff};
use domain::money::Amount;
use domain::number::{CardNumber, Msisdn};
use domain::password::{KeyId, Password, TagKey, TagKeys};
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::Outcome;
use engine::answer::{Answer, Reply};
use engine::clock::Clock;
use engine::handle::{Engine, EngineConfig, Handle, Parts};
use engine::journal::{AppendFault, Head, Journal, Link};
use engine::memory::{MemoryCheckpoint, MemoryJournal};
use engine::recover::recover;
use engine::replica::Replica;

/// Ten in the morning in Pyongyang, under the rules of 2022.
pub(crate) const NOW_MS: i64 = 1_795_309_200_000;
pub(crate) const IDS_MAX: usize = 1_000;
pub(crate) const KORYOLINK: &str = include_str!("../../../../profiles/koryolink.toml");
pub(crate) const OPERATOR: OperatorId = OperatorId(0);

/// A clock that the test moves.
#[derive(Clone, Default)]
pub(crate) struct Hands(Arc<(AtomicI64, AtomicI64)>);

impl Hands {
    pub(crate) fn pass_ms(&self, ms: i64) {
        self.0.0.fetch_add(ms, Ordering::Relaxed);
        self.0.1.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn step_wall_ms(&self, ms: i64) {
        self.0.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn wall_ms(&self) -> i64 {
        self.0.0.load(Ordering::Relaxed)
    }
    fn monotonic_ms(&self) -> i64 {
        self.0.1.load(Ordering::Relaxed)
    }
}

/// A journal that counts how often something was to be appended.
struct Counted {
    journal: MemoryJournal,
    appends: Arc<AtomicU64>,
}

impl Journal for Counted {
    fn head(&self) -> Head {
        self.journal.head()
    }

    fn append(&mut self, link: &Link) -> Result<(), AppendFault> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        self.journal.append(link)
    }

    fn is_short_of_room(&self) -> bool {
        self.journal.is_short_of_room()
    }
}

pub(crate) struct Rig {
    pub(crate) engine: Engine,
    appends: Arc<AtomicU64>,
    pub(crate) journal: MemoryJournal,
    pub(crate) checkpoint: MemoryCheckpoint,
    pub(crate) hands: Hands,
    keys: TagKeys,
    next_id: std::cell::Cell<u64>,
}

pub(crate) fn msisdn(last: u64) -> Msisdn {
    Msisdn::try_new(8_501_911_000_000 + last).expect("a number")
}

pub(crate) fn load(checkpoint: &MemoryCheckpoint, journal: &MemoryJournal) -> Replica {
    let head: Head = journal.head();
    recover(&mut checkpoint.clone(), &journal.reader(), head, IDS_MAX, &mut |_| {}).expect("recovers")
}

pub(crate) fn parts(journal: &MemoryJournal, checkpoint: &MemoryCheckpoint, hands: &Hands) -> Parts {
    let (journal2, checkpoint2) = (journal.clone(), checkpoint.clone());
    Parts {
        loaded: load(checkpoint, journal),
        journal: Box::new(journal.clone()),
        reader: Arc::new(journal.reader()),
        clock: Arc::new(hands.clone()),
        refold: Box::new(move || Ok(load(&checkpoint2, &journal2))),
        config: EngineConfig { queue_depth: 64, ..EngineConfig::default() },
    }
}

fn start(journal: &MemoryJournal, checkpoint: &MemoryCheckpoint, hands: &Hands, appends: &Arc<AtomicU64>) -> Engine {
    let counted = Counted { journal: journal.clone(), appends: Arc::clone(appends) };
    Engine::start(Parts { journal: Box::new(counted), ..parts(journal, checkpoint, hands) }).expect("starts")
}

impl Rig {
    /// An engine with nothing in it.
    pub(crate) fn empty() -> Self {
        let hands = Hands::default();
        hands.step_wall_ms(NOW_MS);
        let (journal, checkpoint) = (MemoryJournal::new(), MemoryCheckpoint::new());
        let appends = Arc::default();
        let engine = start(&journal, &checkpoint, &hands, &appends);
        let key = TagKey::new(KeyId(1), &zeroize::Zeroizing::new([7; 32]));
        Self { engine, appends, journal, checkpoint, hands, keys: TagKeys::new(key, None), next_id: 0.into() }
    }

    /// The same journal and checkpoint, started again.
    pub(crate) fn restart(self) -> Self {
        let Self { engine, appends, journal, checkpoint, hands, keys, next_id } = self;
        engine.stop().expect("stops well");
        let engine = start(&journal, &checkpoint, &hands, &appends);
        Self { engine, appends, journal, checkpoint, hands, keys, next_id }
    }

    /// How often something was to be appended so far.
    pub(crate) fn appends(&self) -> u64 {
        self.appends.load(Ordering::SeqCst)
    }

    /// Waits until the decider tries to append once more than `before`: until then a command is not decided.
    pub(crate) fn until_appending(&self, before: u64) {
        let began = std::time::Instant::now();
        while self.appends() <= before {
            assert!(began.elapsed().as_secs() < 60, "nothing was to be appended");
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }

    /// Koryolink with subscribers 1 and 2, who have a card each.
    pub(crate) fn with_two() -> Self {
        Self::with_two_later(0)
    }

    /// The same a little later: another journal.
    pub(crate) fn with_two_later(ms: i64) -> Self {
        let rig = Self::empty();
        rig.hands.pass_ms(ms);
        rig.filled()
    }

    /// An empty one with Koryolink and subscribers 1 and 2.
    pub(crate) fn filled(self) -> Self {
        self.filled_with(KORYOLINK)
    }

    /// The same under other rules.
    pub(crate) fn filled_with(self, text: &str) -> Self {
        let rig = self;
        let rules = Arc::new(domain::rules::parse::parse(text).expect("a profile"));
        rig.done(Body::LoadRules(LoadRules { staff: Staff(0), rules, file_hash: [1; 32], from: None }));
        let line =
            |last| NewSubscriber { msisdn: msisdn(last), imsi: None, language: None, since: None, airtime: None };
        let subscribers = vec![line(1), line(2)];
        rig.done(Body::ImportSubscribers(ImportSubscribers { staff: Staff(0), operator: OPERATOR, subscribers }));
        for last in [1, 2] {
            let number = CardNumber::from_payload(453_957_876_362_140 + last).expect("15 digits");
            let current = rig.keys.current();
            let tag = current.card(OPERATOR, number, &password());
            let value = Amount::try_new(100_000).expect("positive");
            let cards = vec![NewCard { number, tag, value }];
            rig.done(Body::IssueCards(IssueCards { staff: Staff(0), operator: OPERATOR, cards }));
            rig.done(Body::Bind(Bind {
                caller: rig.caller(last),
                number: Dialled::Value(number),
                proof: rig.keys.proof(|key| key.card(OPERATOR, number, &password())),
                holder_tag: Some(current.holder(OPERATOR, msisdn(last), 1, &password())),
            }));
        }
        rig
    }

    fn caller(&self, last: u64) -> Caller {
        Caller { operator: OPERATOR, link: LinkId(1), msisdn: msisdn(last), imsi: None }
    }

    /// A gift of the day: each sender has one.
    pub(crate) fn gift(&self, from: u64, to: u64, minor: i64) -> Body {
        let generation = 1;
        Body::Gift(Gift {
            caller: self.caller(from),
            recipient: Dialled::Value(msisdn(to)),
            amount: Dialled::from(Amount::try_new(minor)),
            proof: self.keys.proof(|key| key.holder(OPERATOR, msisdn(from), generation, &password())),
            swapped: false,
            occasion: None,
        })
    }

    /// An own top-up of the day: each phone has one.
    pub(crate) fn top_up(&self, who: u64, minor: i64) -> Body {
        Body::TopUp(TopUp {
            caller: self.caller(who),
            amount: Dialled::from(Amount::try_new(minor)),
            proof: self.keys.proof(|key| key.holder(OPERATOR, msisdn(who), 1, &password())),
        })
    }

    /// A fresh id that a program would send now.
    pub(crate) fn id(&self) -> CommandId {
        self.next_id.set(self.next_id.get() + 1);
        let ms = u128::try_from(self.hands.wall_ms()).expect("positive");
        CommandId::from_uuid((ms << 80) | (7 << 76) | (0b10 << 62) | u128::from(self.next_id.get())).expect("UUIDv7")
    }

    pub(crate) fn command(&self, id: CommandId, body: Body) -> Command {
        Command { id, decide_before: Timestamp::from_ms(self.hands.wall_ms()).plus_s(60), body }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.engine.handle()
    }

    pub(crate) fn ask(&self, body: Body) -> Answer {
        self.handle().submit_blocking(self.command(self.id(), body))
    }

    pub(crate) fn done(&self, body: Body) -> Seq {
        let reply = verdict(self.ask(body));
        assert!(matches!(reply.outcome, Outcome::Done(_)), "refused: {:?}", reply.outcome);
        reply.seq
    }
}

pub(crate) fn verdict(answer: Answer) -> Reply {
    match answer {
        Answer::Verdict(reply) => reply,
        other => panic!("no verdict: {other:?}"),
    }
}

fn password() -> Password {
    Password::parse("482913").expect("six digits")
}
