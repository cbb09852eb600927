//! Many seeds on many threads: what `sonmul-lab campaign` runs.
//!
//! **Guarantees:** each seed is run as [`World::run`] runs it, so that what is found is shown again by that seed alone. Totals
//! and violations do not depend on how many threads there were. A stop ends a world between two of its events; a world that
//! was not finished is not counted.
//!
//! **Bounded by:** [`VIOLATIONS_MAX`] violations that are kept; the rest are counted.
//!
//! **Deliberately not here:** signals and bars: whoever calls has a [`Stop`] and hears of each seed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::invariant::Violation;
use crate::runs::{Seeds, Totals};
use crate::world::{Summary, World, WorldConfig};

/// Violations that are kept, those of the smallest seeds: more of them say nothing new.
pub const VIOLATIONS_MAX: usize = 100;

/// Asks a campaign to end.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Nobody asked yet.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What came of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Of the seeds that held.
    pub totals: Totals,
    /// Of the others, by seed: at most [`VIOLATIONS_MAX`].
    pub violations: Vec<Violation>,
    /// How many there were.
    pub violated: u64,
    /// It was stopped before its last seed.
    pub stopped: bool,
}

/// Runs every seed for so many steps on so many threads; `progress` hears how many seeds are done.
pub fn run(
    seeds: Seeds,
    steps: u32,
    config: WorldConfig,
    threads: usize,
    stop: &Stop,
    progress: &mut dyn FnMut(u64),
) -> Ended {
    let next = AtomicU64::new(seeds.first());
    let (tell, hear) = channel();
    let mut ended = Ended::default();
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || work(seeds, next, &Run { steps, config, stop }, &tell));
        }
        drop(tell);
        let mut done = 0;
        for result in hear {
            ended.add(result);
            done += 1;
            progress(done);
        }
    });
    ended.violations.sort_by_key(|violation| violation.seed);
    ended.stopped = ended.totals.seeds + ended.violated < seeds.count();
    ended
}

/// How each seed is run.
struct Run<'a> {
    steps: u32,
    config: WorldConfig,
    stop: &'a Stop,
}

/// Takes one seed after the other until there is none left.
fn work(seeds: Seeds, next: &AtomicU64, run: &Run<'_>, tell: &Sender<Result<Summary, Violation>>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if !seeds.holds(seed) {
            return;
        }
        let Some(result) = run.one(seed) else { return };
        if tell.send(result).is_err() {
            return;
        }
    }
}

impl Run<'_> {
    /// `None`: somebody asked to stop.
    fn one(&self, seed: u64) -> Option<Result<Summary, Violation>> {
        let mut world = World::new(seed, self.config);
        while world.step < self.steps {
            if self.stop.is_asked() {
                return None;
            }
            if let Err(violation) = world.next() {
                return Some(Err(violation));
            }
        }
        Some(world.end())
    }
}

impl Ended {
    fn add(&mut self, result: Result<Summary, Violation>) {
        match result {
            Ok(summary) => self.totals.add(&summary),
            Err(violation) => self.violation(violation),
        }
    }

    fn violation(&mut self, violation: Violation) {
        self.violated += 1;
        self.violations.push(violation);
        if self.violations.len() > VIOLATIONS_MAX {
            self.violations.sort_by_key(|violation| violation.seed);
            self.violations.truncate(VIOLATIONS_MAX);
        }
    }
}
