//! A small world for the engine's tests: Koryolink, two subscribers, one card with 100,000 on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::command::{Body, Command};
use domain::id::CommandId;
use domain::password::TagKeys;
use domain::receipt::Seq;
use domain::testing::{self, PASSWORD, caller, card_number};
use domain::time::Timestamp;
use domain::verdict::Outcome;
use engine::answer::{Answer, Reply};
use engine::clock::Clock;
use engine::handle::{Engine, EngineConfig, Handle, Parts};
use engine::ids::IdsConfig;
use engine::journal::{AppendFault, Head, Journal, Link};
use engine::memory::{MemoryCheckpoint, MemoryJournal};
use engine::recover::recover;
use engine::replica::Replica;

pub(crate) use domain::testing::{KORYOLINK, phone as msisdn};

/// Ten in the morning in Pyongyang, under the rules of 2022.
pub(crate) const NOW_MS: i64 = 1_795_309_200_000;
pub(crate) const IDS: IdsConfig = IdsConfig::of_each(1_000);

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

pub(crate) fn load(checkpoint: &MemoryCheckpoint, journal: &MemoryJournal) -> Replica {
    let head: Head = journal.head();
    recover(&mut checkpoint.clone(), &journal.reader(), head, IDS, &mut |_| {}).expect("recovers")
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
        Self { engine, appends, journal, checkpoint, hands, keys: testing::keys(), next_id: 0.into() }
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
        rig.done(testing::load(testing::rules_of(text)));
        rig.done(testing::import(testing::phones(2)));
        for n in [1, 2] {
            rig.done(testing::issue(&rig.keys, [card_number(n)], PASSWORD, 100_000));
            rig.done(testing::bind(&rig.keys, caller(msisdn(n)), card_number(n), PASSWORD));
        }
        rig
    }

    /// A gift of the day: each sender has one.
    pub(crate) fn gift(&self, from: u64, to: u64, minor: i64) -> Body {
        Body::Gift(testing::gift(&self.keys, caller(msisdn(from)), msisdn(to), minor))
    }

    /// An own top-up of the day: each phone has one.
    pub(crate) fn top_up(&self, who: u64, minor: i64) -> Body {
        testing::top_up(&self.keys, caller(msisdn(who)), minor)
    }

    /// A fresh id that a program would send now.
    pub(crate) fn id(&self) -> CommandId {
        self.next_id.set(self.next_id.get() + 1);
        testing::program_id(Timestamp::from_ms(self.hands.wall_ms()), self.next_id.get())
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
