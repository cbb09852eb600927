//! The command line of `sonmul-lab`: every word and what stands behind it.
//!
//! Guarantees: exit codes are those of `sonmul`. Deliberately not here: anything that an operator needs.

pub mod campaign;
pub mod check_history;
pub mod kill_loop;
pub mod sim;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sonmul::exit::{self, EXIT_HELP, Outcome};
use sonmul::log;

use crate::bench::{self, BenchArgs};
use campaign::CampaignArgs;
use check_history::CheckHistoryArgs;
use kill_loop::KillLoopArgs;
use sim::SimArgs;

/// What Sonmul is tried with: a simulator, a kill loop, a checker of histories, a bench.
#[derive(Debug, Parser)]
#[command(
    name = "sonmul-lab",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 120,
    after_help = EXIT_HELP,
    after_long_help = format!("Example:\n  sonmul-lab sim --seed 42\n  sonmul-lab campaign --seeds 1..1000\n  sonmul-lab kill-loop --rounds 10\n  sonmul-lab bench --quick\n\n{EXIT_HELP}")
)]
struct Cli {
    /// What goes to the log on stderr: error, warn, info, debug, trace, or like engine=debug,info
    #[arg(long, env = "SONMUL_LOG", value_name = "FILTER", global = true, default_value = "warn")]
    log: String,
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// Runs the simulator: one seed event by event, or some
    Sim(SimArgs),
    /// Runs the simulator with many seeds on all cores
    Campaign(CampaignArgs),
    /// Kills a server again and again, and checks what its clients saw
    KillLoop(KillLoopArgs),
    /// Says whether what clients saw fits the journal
    CheckHistory(CheckHistoryArgs),
    /// Measures this machine
    Bench(BenchArgs),
}

impl Cli {
    fn run(&self) -> Outcome {
        match &self.word {
            Word::Sim(args) => sim::run(args),
            Word::Campaign(args) => campaign::run(args),
            Word::KillLoop(args) => kill_loop::run(args),
            Word::CheckHistory(args) => check_history::run(args),
            Word::Bench(args) => bench::run(args),
        }
    }
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    exit::ended("sonmul-lab", log::start(&cli.log).and_then(|()| cli.run()))
}
