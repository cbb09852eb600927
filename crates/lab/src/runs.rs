//! Many seeds at once, and one seed as text.

use std::collections::BTreeMap;

use crate::invariant::Violation;
use crate::world::{Summary, World, WorldConfig};

/// What happened in many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Runs.
    pub seeds: u64,
    /// Entries in all their journals.
    pub entries: u64,
    /// Virtual time that passed in all of them, ms.
    pub passed_ms: i64,
    /// How often what happened, by name.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Totals {
    fn add(&mut self, summary: &Summary) {
        self.seeds += 1;
        self.entries += summary.head.seq.0;
        self.passed_ms += summary.passed_ms;
        for (name, count) in &summary.counts {
            *self.counts.entry(name).or_default() += count;
        }
    }
}

/// Runs every seed for so many steps; `progress` hears each seed that held.
///
/// # Errors
/// The first violation.
pub fn run_many(
    seeds: impl IntoIterator<Item = u64>,
    steps: u32,
    config: WorldConfig,
    progress: &mut dyn FnMut(u64),
) -> Result<Totals, Violation> {
    let mut totals = Totals::default();
    for seed in seeds {
        totals.add(&World::new(seed, config).run(steps)?);
        progress(seed);
    }
    Ok(totals)
}

/// Runs one seed and writes what happens, a line an event; ends with the violation or with what happened.
///
/// # Errors
/// When `out` can't be written to. A violation is no error here: it is the answer.
pub fn replay(
    seed: u64,
    steps: u32,
    config: WorldConfig,
    out: &mut dyn core::fmt::Write,
) -> Result<Result<Summary, Violation>, core::fmt::Error> {
    let mut world = World::new(seed, config);
    world.trace.listen();
    let mut held = Ok(());
    while held.is_ok() && world.step < steps {
        held = world.next();
        out.write_str(&world.trace.take())?;
    }
    let ended = match held {
        Ok(()) => world.end(),
        Err(violation) => Err(violation),
    };
    out.write_str(&world.trace.take())?;
    Ok(ended)
}
