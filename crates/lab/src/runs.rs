//! Many seeds at once, and one seed as text.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::invariant::Violation;
use crate::world::{Summary, World, WorldConfig};

/// Seeds from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    last: u64,
}

impl Seeds {
    /// `None` when `last` comes before `first`, or when they are all that there are.
    pub const fn try_new(first: u64, last: u64) -> Option<Self> {
        if last < first || last == u64::MAX { None } else { Some(Self { first, last }) }
    }

    /// The first one.
    pub const fn first(self) -> u64 {
        self.first
    }

    /// How many there are, at least 1.
    pub const fn count(self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether a seed is one of them.
    pub const fn holds(self, seed: u64) -> bool {
        self.first <= seed && seed <= self.last
    }

    /// One after the other.
    pub fn each(self) -> impl Iterator<Item = u64> {
        self.first..=self.last
    }
}

/// `FIRST..LAST`.
impl FromStr for Seeds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HOW: &str = "write FIRST..LAST, as in 1..1000";
        let (first, last) = text.split_once("..").ok_or(HOW)?;
        let number = |digits: &str| digits.parse().map_err(|_| HOW);
        Self::try_new(number(first)?, number(last)?).ok_or("LAST is not below FIRST, and both are below 2^64 - 1")
    }
}

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
    /// In how many runs each rare state was met, by name.
    pub met: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// Adds a run.
    pub fn add(&mut self, summary: &Summary) {
        self.seeds += 1;
        self.entries += summary.head.seq.0;
        self.passed_ms += summary.passed_ms;
        for (name, count) in &summary.counts {
            *self.counts.entry(name).or_default() += count;
        }
        for name in &summary.met {
            *self.met.entry(name).or_default() += 1;
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

#[cfg(test)]
mod tests {
    use super::Seeds;

    #[test]
    fn both_ends_are_included() {
        let seeds: Seeds = "1..1000".parse().expect("seeds");
        assert_eq!((seeds.count(), seeds.each().next(), seeds.each().last()), (1_000, Some(1), Some(1_000)));
        assert!(seeds.holds(1) && seeds.holds(1_000) && !seeds.holds(0) && !seeds.holds(1_001));
        assert_eq!("7..7".parse().map(Seeds::count), Ok(1));
        for wrong in ["", "7", "..", "1..", "..7", "2..1", "-1..3", "1..=3", "0..18446744073709551615"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
