//! A world: operators, people, programs, a network, a machine and an oracle, and one seed that decides everything.
//!
//! For: finding what no test thought of. [`World::run`] lets events happen one by one and judges after each of them.
//!
//! Guarantees: the same seed, configuration and program give the same run to the last octet of the journal; every crash lies
//! between two steps of the real machine.
//!
//! Bounded by the number of steps asked for. Deliberately not here: real threads, files and sockets (the crates that have
//! them test those), and screens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ids::OperatorId;
use domain::number::Msisdn;
use domain::password::{KEY_LEN, KeyId, TagKey, TagKeys};
use engine::answer::Directory;
use engine::checkpoint::Checkpoint;
use engine::ids::IdsConfig;
use engine::journal::{Head, Journal};
use zeroize::Zeroizing;

use crate::dice::Dice;
use crate::hands::Hands;
use crate::invariant::{CHECKPOINT_BEHIND_JOURNAL, Held, JOURNAL_KEEPS, STATE_IS_THE_BOOKS, Violation, hold};
use crate::machine::{Disk, Machine};
use crate::network::Network;
use crate::oracle::Oracle;
use crate::phone::Phone;
use crate::plant::Plant;
use crate::press::Press;
use crate::profiles;
use crate::program::Program;
use crate::teller::Teller;
use crate::trace::Trace;

/// Events of a run unless somebody asks for others: about two thousand entries in the journal.
pub const STEPS: u32 = 10_000;

/// How fast time passes between what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A few days in all.
    Hasty,
    /// A month or two.
    Steady,
    /// Half a year: what is remembered for a while is forgotten twice.
    Slow,
}

/// What kind of world it is.
#[derive(Clone, Copy, Debug)]
pub struct WorldConfig {
    /// A bug to plant; `None`: the world as it is.
    pub plant: Option<Plant>,
    /// Phones of each operator.
    pub phones: u8,
    /// Also compare what is in memory; false: judge by answers and by the journal alone.
    pub look_inside: bool,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self { plant: None, phones: 6, look_inside: true }
    }
}

/// What happened in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Where the journal ends.
    pub head: Head,
    /// How often what happened, by name: events, answers, refusals.
    pub counts: BTreeMap<&'static str, u64>,
    /// Virtual time that passed, ms.
    pub passed_ms: i64,
    /// Rare states that were met.
    pub met: BTreeSet<&'static str>,
}

impl Summary {
    pub(crate) fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }
}

/// See the module.
#[derive(Debug)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) step: u32,
    pub(crate) config: WorldConfig,
    pub(crate) dice: Dice,
    pub(crate) hands: Hands,
    /// Before and after the key was changed.
    pub(crate) keys: [TagKeys; 2],
    pub(crate) rotated: bool,
    pub(crate) phones: Vec<Phone>,
    pub(crate) numbers: Vec<(OperatorId, Msisdn)>,
    /// By their places: see [`crate::program`].
    pub(crate) programs: [Program; 4],
    pub(crate) press: Press,
    pub(crate) teller: Teller,
    pub(crate) pace: Pace,
    /// A long row of cards is made in this world.
    pub(crate) wholesale: bool,
    /// Somebody is still to get more cards than a phone may have in use.
    pub(crate) hoarder: bool,
    pub(crate) network: Network,
    pub(crate) disk: Disk,
    pub(crate) machine: Option<Machine>,
    /// Another server wrote to the journal: the next append must fail.
    pub(crate) overtaken: bool,
    pub(crate) ids: IdsConfig,
    pub(crate) directory: Arc<Directory>,
    pub(crate) oracle: Oracle,
    pub(crate) summary: Summary,
    pub(crate) trace: Trace,
    settled: bool,
}

/// Steps between two comparisons of the whole state.
const COMPARE_EVERY: u32 = 64;

impl World {
    /// The world of a seed, before anything happened in it.
    pub fn new(seed: u64, config: WorldConfig) -> Self {
        let mut dice = Dice::new(seed);
        let ids_max = dice.pick(&[64, 200, 1_000, 100_000]).copied().unwrap_or(64);
        let pace = dice.pick(&[Pace::Hasty, Pace::Steady, Pace::Steady, Pace::Slow]).copied().unwrap_or(Pace::Steady);
        let (wholesale, hoarder) = (dice.often(80), dice.often(150));
        // Dials that are slowed down all the time would hide everything else.
        let ids = IdsConfig { ids_max, ussd_ids_max: ids_max.max(1_000) };
        let key = |id: u8| TagKey::new(KeyId(id), &Zeroizing::new([id; KEY_LEN]));
        let mut phones = Vec::new();
        for operator in (0_u8..).map(OperatorId).take(profiles::OPERATORS) {
            // 191, 195 and 196 are the blocks of the three.
            let block = 8_501_910_000_000 + [0, 40_000_000, 50_000_000][usize::from(operator.0).min(2)];
            let numbers = (1..=u64::from(config.phones)).filter_map(|n| Msisdn::try_new(block + n).ok());
            phones.extend(numbers.map(|msisdn| Phone::new(operator, msisdn)));
        }
        Self {
            seed,
            step: 0,
            config,
            dice,
            hands: Hands::new(),
            keys: [TagKeys::new(key(1), None), TagKeys::new(key(2), Some(key(1)))],
            rotated: false,
            numbers: phones.iter().map(|phone| (phone.operator, phone.msisdn)).collect(),
            phones,
            programs: Default::default(),
            press: Press::default(),
            teller: Teller::default(),
            pace,
            wholesale,
            hoarder,
            network: Network::default(),
            disk: Disk::default(),
            machine: None,
            overtaken: false,
            ids,
            directory: Arc::default(),
            oracle: Oracle::new(ids, config.look_inside),
            summary: Summary::default(),
            trace: Trace::default(),
            settled: false,
        }
    }

    /// Lets so many events happen, then lets the network and the queue run dry, restarts once more and tells what happened.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn run(&mut self, steps: u32) -> Result<Summary, Violation> {
        while self.step < steps {
            self.next()?;
        }
        self.end()
    }

    /// One event and its judgement; the first one makes the world.
    pub(crate) fn next(&mut self) -> Result<(), Violation> {
        self.begin()?;
        self.step += 1;
        let held = self.event().and_then(|()| self.check());
        self.judged(held)
    }

    fn begin(&mut self) -> Result<(), Violation> {
        if self.settled {
            return Ok(());
        }
        self.settled = true;
        let held = self.settle();
        self.judged(held)
    }

    /// Lets everything run dry and restarts once more.
    pub(crate) fn end(&mut self) -> Result<Summary, Violation> {
        self.begin()?;
        let held = self.finish();
        self.judged(held)?;
        self.summary.head = self.oracle.head();
        self.summary.passed_ms = self.hands.now_ms() - crate::hands::BEGIN_MS;
        let (lost, doubled, again) = (self.network.lost, self.network.doubled, self.teller.again);
        self.summary.counts.extend([("frame-lost", lost), ("frame-doubled", doubled), ("told-again", again)]);
        self.summary.met = self.oracle.met().clone();
        Ok(self.summary.clone())
    }

    fn judged(&mut self, held: Held) -> Result<(), Violation> {
        held.map_err(|broken| {
            self.say(format_args!("VIOLATION {}: {}", broken.invariant, broken.what));
            let plant = self.config.plant;
            Violation { seed: self.seed, step: self.step, invariant: broken.invariant, what: broken.what, plant }
        })
    }

    /// What must hold after every event.
    pub(crate) fn check(&self) -> Held {
        let head = self.disk.journal.head();
        hold(head == self.oracle.head(), JOURNAL_KEEPS, || {
            format!("the journal ends at {}, it had {}", head.seq, self.oracle.head().seq)
        })?;
        if !self.config.look_inside {
            return Ok(());
        }
        let checkpoint = self.disk.checkpoint.head();
        hold(checkpoint.seq <= head.seq, CHECKPOINT_BEHIND_JOURNAL, || {
            format!("the checkpoint is at {}, the journal ends at {}", checkpoint.seq, head.seq)
        })?;
        let Some(machine) = self.machine.as_ref().filter(|machine| machine.is_settled() && !self.overtaken) else {
            return Ok(());
        };
        hold(machine.decider.head() == head, STATE_IS_THE_BOOKS, || {
            format!("the decider is at {}, the journal at {}", machine.decider.head().seq, head.seq)
        })?;
        if self.step.is_multiple_of(COMPARE_EVERY) { self.oracle.state(machine.decider.state()) } else { Ok(()) }
    }

    /// Tells the trace.
    pub(crate) fn say(&mut self, what: core::fmt::Arguments<'_>) {
        self.trace.line(self.hands.now_ms(), what);
    }
}
