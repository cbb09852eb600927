//! `sonmul-lab sim`: worlds made from seeds, judged after every event.

use serde_json::json;
use sonmul::exit::{Exit, Failure, Outcome};
use sonmul::print;
use sonmul::progress::Progress;

use crate::{Plant, STEPS, Seeds, Totals, WorldConfig};

/// See `sonmul-lab sim --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One seed is shown event by event; --seeds runs many, one after the other, and shows what happened how often. The same
seed gives the same run. Ends with 70 at the first invariant that does not hold, and says which seed shows it.

Example:
  sonmul-lab sim --seed 42
  sonmul-lab sim --seeds 1..1000
  sonmul-lab sim --seeds 1..100 --plant answer-before-append"
)]
pub struct SimArgs {
    /// One seed, event by event [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Many seeds; both ends are included
    #[arg(long, value_name = "FIRST..LAST")]
    seeds: Option<Seeds>,
    #[command(flatten)]
    world: WorldArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What kind of world each seed makes.
#[derive(Debug, clap::Args)]
pub struct WorldArgs {
    /// Events of one run
    #[arg(long, value_name = "N", default_value_t = STEPS)]
    pub steps: u32,
    /// A bug to plant: the invariants must find it
    #[arg(long, value_name = "NAME", value_parser = Plant::ALL.map(Plant::name))]
    plant: Option<String>,
}

impl WorldArgs {
    /// The same for the simulator.
    pub fn config(&self) -> WorldConfig {
        WorldConfig { plant: self.plant.as_deref().and_then(Plant::from_name), ..WorldConfig::default() }
    }
}

/// Runs one or many.
///
/// # Errors
/// [`Exit::Fault`] when an invariant does not hold.
pub fn run(args: &SimArgs) -> Outcome {
    match args.seeds {
        Some(seeds) => many(args, seeds),
        None => one(args, args.seed.unwrap_or(0)),
    }
}

fn many(args: &SimArgs, seeds: Seeds) -> Outcome {
    let mut progress = Progress::new("worlds", Some(seeds.count()));
    let mut done = 0;
    let totals = crate::run_many(seeds.each(), args.world.steps, args.world.config(), &mut |_| {
        done += 1;
        progress.set(done);
    });
    drop(progress);
    print::value(&shown(&totals.map_err(violated)?), args.json)?;
    Ok(Exit::Ok)
}

/// Totals as they are printed.
pub(super) fn shown(totals: &Totals) -> serde_json::Value {
    let Totals { seeds, entries, passed_ms, counts, met } = totals;
    json!({ "seeds": seeds, "entries": entries, "passed_ms": passed_ms, "counts": counts, "met": met })
}

fn one(args: &SimArgs, seed: u64) -> Outcome {
    let mut text = String::new();
    let ended = crate::replay(seed, args.world.steps, args.world.config(), &mut text)?;
    if !args.json {
        print::part(&text)?;
    }
    let summary = ended.map_err(violated)?;
    let shown = json!({
        "seed": seed, "entries": summary.head.seq.0, "passed_ms": summary.passed_ms, "counts": summary.counts,
    });
    print::value(&shown, args.json)?;
    Ok(Exit::Ok)
}

fn violated(violation: crate::Violation) -> Failure {
    Failure::new(Exit::Fault, violation.to_string())
}
