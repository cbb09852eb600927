//! `sonmul-lab sim`: worlds made from seeds, judged after every event.

use serde_json::json;
use sonmul::exit::{Exit, Failure, Outcome};
use sonmul::print;
use sonmul::progress::Progress;

use crate::{Plant, Totals, WorldConfig};

/// See `sonmul-lab sim --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One seed is shown event by event; --seeds runs many and shows what happened how often. The same seed gives the
same run. Ends with 70 when an invariant does not hold, and says which seed shows it.

Example:
  sonmul-lab sim --seed 42
  sonmul-lab sim --seeds 1000
  sonmul-lab sim --seeds 100 --plant answer-before-append"
)]
pub struct SimArgs {
    /// The seed, or the first one
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many seeds, from --seed on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Events of one run
    #[arg(long, value_name = "N", default_value_t = crate::STEPS)]
    steps: u32,
    /// A bug to plant: the invariants must find it
    #[arg(long, value_name = "NAME", value_parser = Plant::ALL.map(Plant::name))]
    plant: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs one or many.
pub fn run(args: &SimArgs) -> Outcome {
    let config = WorldConfig { plant: args.plant.as_deref().and_then(Plant::from_name), ..WorldConfig::default() };
    match args.seeds {
        Some(seeds) => many(args, seeds, config),
        None => one(args, config),
    }
}

fn many(args: &SimArgs, seeds: u64, config: WorldConfig) -> Outcome {
    let mut progress = Progress::new("worlds", Some(seeds));
    let mut done = 0;
    let range = args.seed..args.seed.saturating_add(seeds);
    let totals = crate::run_many(range, args.steps, config, &mut |_| {
        done += 1;
        progress.set(done);
    });
    drop(progress);
    match totals {
        Ok(totals) => told(args, &totals),
        Err(violation) => Err(Failure::new(Exit::Fault, violation.to_string())),
    }
}

fn told(args: &SimArgs, totals: &Totals) -> Outcome {
    let Totals { seeds, entries, passed_ms, counts } = totals;
    let shown = json!({ "seeds": seeds, "entries": entries, "passed_ms": passed_ms, "counts": counts });
    print::value(&shown, args.json)?;
    Ok(Exit::Ok)
}

fn one(args: &SimArgs, config: WorldConfig) -> Outcome {
    let mut text = String::new();
    let ended = crate::replay(args.seed, args.steps, config, &mut text)?;
    if !args.json {
        print::part(&text)?;
    }
    match ended {
        Ok(summary) => {
            let shown = json!({
                "seed": args.seed, "entries": summary.head.seq.0, "passed_ms": summary.passed_ms, "counts": summary.counts,
            });
            print::value(&shown, args.json)?;
            Ok(Exit::Ok)
        }
        Err(violation) => Err(Failure::new(Exit::Fault, violation.to_string())),
    }
}
