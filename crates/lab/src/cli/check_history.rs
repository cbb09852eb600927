//! `sonmul-lab check-history`: whether what clients saw fits a journal.

use std::path::PathBuf;

use serde_json::json;
use sonmul::exit::{Exit, Failure, Outcome};
use sonmul::faults;
use sonmul::print;
use sonmul::progress::Progress;

use crate::history::{self, Checking, HistoryFault, Report};

/// See `sonmul-lab check-history --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "FILE has a JSON line for each call of each client, in any order: docs/history.md. `-` reads standard input. The journal may
belong to a running server. Ends with 4 when an answer, an order or an id contradicts the journal; each contradiction names its
lines and entries.

Example:
  sonmul-lab check-history history.jsonl --journal sonmul-data
  cat client-*.jsonl | sonmul-lab check-history - --journal sonmul-data --complete --json"
)]
pub struct CheckHistoryArgs {
    /// The history
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory whose journal it is
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    /// The history has every call of every client: an entry that nobody called is a contradiction
    #[arg(long)]
    complete: bool,
    /// Memory for sorting; what does not fit goes to temporary files in TMPDIR
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    memory_mb: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks, tells.
///
/// # Errors
/// [`Exit::Damaged`] when history and journal contradict each other; [`Exit::Usage`] for a line that can't be read.
pub fn run(args: &CheckHistoryArgs) -> Outcome {
    let checking = Checking {
        history: args.file.clone(),
        journal: args.journal.clone(),
        complete: args.complete,
        memory_bytes: usize::try_from(args.memory_mb).unwrap_or(1).saturating_mul(1 << 20),
    };
    let report = check(&checking)?;
    told(&report, args.json)?;
    verdict(&report)
}

/// Checks with a bar on the terminal.
pub(super) fn check(checking: &Checking) -> Outcome<Report> {
    let mut shown: Option<(&'static str, Progress)> = None;
    let report = history::check(checking, &mut |what, total, done| {
        if shown.as_ref().is_none_or(|(before, _)| *before != what) {
            shown = Some((what, Progress::new(what, total)));
        }
        if let Some((_, progress)) = &mut shown {
            progress.set(done);
        }
    });
    report.map_err(failure)
}

fn failure(fault: HistoryFault) -> Failure {
    match fault {
        HistoryFault::Store(fault) => faults::store(fault),
        HistoryFault::Journal(fault) => faults::read(fault),
        HistoryFault::NoHistory { .. }
        | HistoryFault::Line { .. }
        | HistoryFault::TooManyNames
        | HistoryFault::TooLong => Failure { exit: Exit::Usage, error: fault.into() },
        HistoryFault::Io { .. } => Failure { exit: Exit::Fault, error: fault.into() },
    }
}

/// The report for people or as JSON; contradictions of people on stderr.
fn told(report: &Report, as_json: bool) -> Outcome<()> {
    if as_json {
        return print::json(&json!(report));
    }
    let mut value = json!(report);
    if let Some(fields) = value.as_object_mut() {
        fields.remove("contradictions");
    }
    print::value(&value, false)?;
    complain(report);
    Ok(())
}

/// Each contradiction on stderr.
pub(super) fn complain(report: &Report) {
    for contradiction in &report.contradictions {
        eprintln!("{}: {}", json!(contradiction.rule).as_str().unwrap_or_default(), contradiction.what);
    }
}

/// How a run with this report ends.
pub(super) fn verdict(report: &Report) -> Outcome {
    if report.ok {
        return Ok(Exit::Ok);
    }
    let count: u64 = report.broken.values().sum();
    Err(Failure::new(Exit::Damaged, format!("history and journal contradict each other {count} times")))
}
