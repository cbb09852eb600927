//! `sonmul-lab campaign`: many seeds on all cores, to the end or until Ctrl-C.

use std::sync::Arc;
use std::thread;

use serde_json::json;
use sonmul::exit::{Exit, Failure, Outcome};
use sonmul::print;
use sonmul::progress::Progress;
use sonmul::serve::Signals;

use super::sim::{WorldArgs, shown};
use crate::Seeds;
use crate::campaign::{self, Ended, Stop};

/// See `sonmul-lab campaign --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Runs the simulator with many seeds on all cores. Unlike `sim --seeds` it goes on after a violation and names every seed
that shows one. Ctrl-C ends it between two events and prints the totals so far; a second Ctrl-C ends it at once. Ends
with 70 when an invariant did not hold.

Example:
  sonmul-lab campaign --seeds 1..1000
  sonmul-lab campaign --seeds 1..20000 --steps 5000 --json > totals.json"
)]
pub struct CampaignArgs {
    /// Which seeds; both ends are included
    #[arg(long, value_name = "FIRST..LAST", default_value = "1..1000")]
    seeds: Seeds,
    #[command(flatten)]
    world: WorldArgs,
    /// Seeds at a time [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs, tells.
///
/// # Errors
/// [`Exit::Fault`] when an invariant did not hold.
pub fn run(args: &CampaignArgs) -> Outcome {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or_else(cores, usize::from);
    let stop = Arc::new(Stop::new());
    stop_on_signal(Arc::clone(&stop))?;
    let mut progress = Progress::new("worlds", Some(args.seeds.count()));
    let ended = campaign::run(args.seeds, args.world.steps, args.world.config(), threads, &stop, &mut |done| {
        progress.set(done);
    });
    drop(progress);
    told(args, &ended)
}

/// The first signal asks the campaign to end, the second one ends the process. Nobody waits for this thread.
fn stop_on_signal(stop: Arc<Stop>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen()?
    };
    thread::Builder::new().name(String::from("signals")).spawn(move || {
        runtime.block_on(signals.next());
        stop.ask();
        runtime.block_on(signals.next());
        std::process::exit(i32::from(Exit::Fault as u8));
    })?;
    Ok(())
}

fn told(args: &CampaignArgs, ended: &Ended) -> Outcome {
    let Ended { totals, violations, violated, stopped } = ended;
    let mut value = shown(totals);
    if let Some(object) = value.as_object_mut() {
        object.insert(String::from("asked"), json!(args.seeds.count()));
        object.insert(String::from("stopped"), json!(stopped));
        object.insert(String::from("violated"), json!(violated));
        if args.json {
            let all = violations.iter().map(|violation| {
                json!({ "seed": violation.seed, "step": violation.step, "invariant": violation.invariant, "what": violation.what })
            });
            object.insert(String::from("violations"), all.collect());
        }
    }
    print::value(&value, args.json)?;
    for violation in violations {
        eprintln!("{violation}");
    }
    if *violated == 0 {
        return Ok(Exit::Ok);
    }
    let seeds = totals.seeds + violated;
    Err(Failure::new(Exit::Fault, format!("{violated} of {seeds} seeds show an invariant that does not hold")))
}
