//! `sonmul check`: the daily check of `paper::reports::check`, run beside a server, and issuance stopped when it finds
//! something.
//!
//! It goes on from the state that the check before signed, in a file beside the journal, unless everything is asked for.
//!
//! Guarantees: every difference is told, not only the first; a state is signed only when nothing differs. Deliberately not
//! here: sealed files and anchors (`sonmul verify`), what a signed state is (`paper::reports::signed`).

use domain::receipt::Seq;
use paper::reports::agree::Waiting;
use paper::reports::check::{Check, Difference, Part};
use paper::reports::signed::Key;
use serde_json::{Value, json};
use store::DataDir;

use crate::beside::{Beside, REBUILD, journal_of};
use crate::exit::{Exit, Failure, Outcome};
use crate::progress::Progress;
use crate::{faults, print, signed};

use super::{DataArg, block_on};

/// See `sonmul check --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Compares the journal's fold with the checkpoint, the accounts with each other, and the balances with what the entries
moved. Works beside a running server; meant to be run every day. Ends with 4 when anything differs. With --stop the
server then issues no more value for the operators concerned, until a person has it resumed; gifts go on.

When nothing differs, the state is signed into checked.state (with the key in check.key, made when it is missing), and
the next check goes on from there: it reads a day of the journal, not a year. When that file is missing, damaged, signed
by another key or of another format, or the journal was cut or rewound behind it, the check says so and folds everything.

Example:
  sonmul check --data sonmul-data
  sonmul check --full
  sonmul check --stop --json"
)]
pub(crate) struct CheckArgs {
    /// When something differs, have the running server stop issuing value
    #[arg(long)]
    stop: bool,
    /// Fold the journal from entry one, whatever was checked before
    #[arg(long)]
    full: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Folds, compares, tells, stops.
pub(crate) fn run(args: &CheckArgs) -> Outcome {
    let dir = DataDir::open_shared(&args.data.dir()).map_err(faults::store)?;
    let key = signed::key(&dir);
    let mut check = Check::default();
    let checkpoint = match folded(&mut check, &dir, key.as_deref().filter(|_| !args.full)) {
        Ok(checkpoint) => checkpoint,
        // Damage is a difference like any other: what was folded before it says who is concerned.
        Err(failure) if failure.exit == Exit::Damaged => {
            check.differences.push(Difference { operator: None, what: failure.to_string() });
            None
        }
        Err(failure) => return Err(failure),
    };
    tell(args, &check, checkpoint)?;
    if check.differences.is_empty() {
        signed::keep(&dir, key.as_deref(), &check);
        return Ok(Exit::Ok);
    }
    if args.stop {
        stop(args, &check);
    }
    let first = check.differences.first().map_or_else(String::new, |difference| difference.what.clone());
    Err(Failure::new(Exit::Damaged, format!("the books don't agree: {first}")))
}

/// Folds and compares; the accounts of the checkpoint that agree, where there is one.
fn folded(check: &mut Check, dir: &DataDir, key: Option<&Key>) -> Outcome<Option<usize>> {
    let kept = Beside::new(dir);
    // Before the journal is opened, so that the fold comes past it.
    let mut checkpoint = Waiting::load(&kept).map_err(faults::report)?;
    let (journal, _) = journal_of(dir)?;
    if let Some(resumed) = key.and_then(|key| signed::resume(dir, key, &journal, &checkpoint)) {
        *check = resumed;
    }
    let mut progress = Progress::new("checking", Some(journal.entries()));
    check.fold(&journal, &mut checkpoint, &mut |done| progress.set(done)).map_err(faults::report)?;
    Ok(checkpoint.compared.map(|(_, accounts)| accounts))
}

/// What each unit is made of.
fn parts(check: &Check) -> Vec<Value> {
    let parts = check.parts().into_iter();
    let shown = parts.map(|Part { operator, unit, issued, found }| {
        json!({ "operator": operator, "unit": unit, "issued_minor": number(issued), "found_minor": number(found) })
    });
    shown.collect()
}

fn tell(args: &CheckArgs, check: &Check, checkpoint: Option<usize>) -> Outcome<()> {
    let whats: Vec<&str> = check.differences.iter().map(|difference| difference.what.as_str()).collect();
    if args.json {
        return print::json(&json!({
            "ok": whats.is_empty(), "from": check.from.0, "seq": check.folded.head.seq.0, "at": check.folded.head.at.rfc3339(),
            "checkpoint_accounts": checkpoint, "units": parts(check), "differences": whats,
        }));
    }
    print::line(&format!("{} entries, as of {}", check.folded.head.seq, check.folded.head.at.rfc3339()))?;
    if check.from > Seq::ZERO {
        print::line(&format!("up to entry {} they were checked before; --full folds all of them", check.from))?;
    }
    match checkpoint {
        Some(accounts) => print::line(&format!("{accounts} accounts were compared with the checkpoint"))?,
        None => print::line("there is no checkpoint to compare")?,
    }
    for line in print::lines(&Value::Array(parts(check))) {
        print::line(&line)?;
    }
    for what in &whats {
        eprintln!("{what}");
    }
    if check.rebuild {
        eprintln!("{REBUILD}");
    }
    if whats.is_empty() { print::line("the books agree") } else { Ok(()) }
}

/// Asks the server to issue nothing more; says what came of it. The run ends as damaged either way.
fn stop(args: &CheckArgs, check: &Check) {
    for (operator, known) in check.folded.state.operators() {
        let concerns = |difference: &&Difference| difference.operator.is_none_or(|whose| whose == operator);
        let Some(why) = check.differences.iter().find(concerns) else { continue };
        let name = &known.rules.operator;
        let ask = json!({ "do": "stop-issuance", "operator": name, "why": shortened(&why.what) });
        let answer = block_on(async { args.data.admin().post("/v1/office", &ask).await?.ok() });
        match answer {
            Ok(_) => eprintln!("issuance of {name} is stopped"),
            Err(failure) => eprintln!("issuance of {name} could not be stopped: {failure}"),
        }
    }
}

/// A reason as long as one may be.
fn shortened(what: &str) -> String {
    what.chars().take(domain::office::motion::REASON_LEN_MAX).collect()
}

/// What no integer of a program holds is told as text.
fn number(minor: i128) -> Value {
    i64::try_from(minor).map_or_else(|_| json!(minor.to_string()), Value::from)
}
