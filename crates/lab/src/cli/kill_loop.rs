//! `sonmul-lab kill-loop`: a server is killed again and again, and what its clients saw is judged.

use std::path::PathBuf;

use serde_json::json;
use sonmul::exit::{Exit, Failure, OrExit, Outcome};
use sonmul::print;
use sonmul::progress::Progress;
use uuid::Uuid;

use super::check_history::{complain, verdict};
use crate::kills::{self, CLIENTS_MAX, KillConfig};

/// See `sonmul-lab kill-loop --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Starts the server, lets clients ask over HTTP, GSUP (through a stand-in HLR) and admin.sock, kills it with SIGKILL at a
random moment, also while it starts, and starts it again. Clients ask again for what they did not learn. At the end the journal is
verified and the clients' history is checked (`check-history --complete`). Ends with 4 when it contradicts the journal.

Example:
  sonmul-lab kill-loop --rounds 10
  sonmul-lab kill-loop --rounds 500 --seed 7 --dir kills --json"
)]
pub struct KillLoopArgs {
    /// Servers that are killed when they serve
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// What is asked, and when a server is killed [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Clients at each of the three doors
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=i64::from(CLIENTS_MAX)))]
    clients: u32,
    /// A server is killed after 1 to so many answers
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    answers: u32,
    /// A new directory for data, history and logs, which stays [default: a temporary one, which stays only after a contradiction or a
    /// failure]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The server [default: sonmul beside this program]
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Kills, checks, tells.
///
/// # Errors
/// [`Exit::Damaged`] when history and journal contradict each other; [`Exit::Fault`] when a server or a client did what it
/// must not.
pub fn run(args: &KillLoopArgs) -> Outcome {
    let (dir, temp) = match &args.dir {
        Some(dir) => {
            std::fs::create_dir(dir).or_exit_with(Exit::Usage, || format!("{} can't be made", dir.display()))?;
            (dir.clone(), None)
        }
        None => {
            let temp = tempfile::Builder::new().prefix("kill-loop-").tempdir()?;
            (temp.path().to_owned(), Some(temp))
        }
    };
    let server = match &args.server {
        Some(server) => server.clone(),
        None => std::env::current_exe()?.with_file_name("sonmul"),
    };
    let seed = args.seed.unwrap_or_else(|| Uuid::now_v7().as_u64_pair().1);
    let KillLoopArgs { rounds, clients, answers, .. } = *args;
    let config = KillConfig { server, dir, rounds, seed, clients, answers_max: answers };
    let mut progress = Progress::new("kills", Some(u64::from(rounds)));
    let killed = kills::run(&config, &mut |done| progress.set(done));
    drop(progress);
    let ok = killed.as_ref().is_ok_and(|killed| killed.report.ok);
    if let Some(temp) = temp.filter(|_| !ok) {
        eprintln!("kept: {}", temp.keep().display());
    }
    let killed = killed.map_err(|error| Failure { exit: Exit::Fault, error: error.context(format!("seed {seed}")) })?;
    let mut value = json!(killed);
    if !args.json {
        complain(&killed.report);
        if let Some(report) = value.pointer_mut("/report").and_then(serde_json::Value::as_object_mut) {
            report.remove("contradictions");
        }
    }
    print::value(&value, args.json)?;
    verdict(&killed.report)
}
