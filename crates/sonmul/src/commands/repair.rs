//! `sonmul repair`: cuts a damaged journal before its first damage, only when told to, and lists what was lost.

use domain::receipt::Seq;
use engine::journal::ReadFault;
use serde_json::json;
use store::repair::{Repaired, repair};
use store::verify::verify_chain;
use store::{DataDir, SqliteReader, StoreFault};

use crate::exit::{Exit, Failure, Outcome};
use crate::progress::Progress;
use crate::{faults, print};

use super::DataArg;

/// See `sonmul repair --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "First try a backup: `sonmul restore` loses nothing that was copied. Repair drops the first damaged append and
everything after it. What could still be read of it is written to DIR/repair-SEQ.txt, and the damaged files are kept
under other names. The server must be stopped. Without --yes it only says what is damaged, and ends with 4.

Example:
  sonmul repair --data sonmul-data
  sonmul repair --data sonmul-data --yes"
)]
pub(crate) struct RepairArgs {
    /// Do it
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Looks, or does it.
pub(crate) fn run(args: &RepairArgs) -> Outcome {
    // Locked in both cases: beside a running server the end of the journal is not damaged but under way.
    let dir = DataDir::open(&args.data.dir()).map_err(faults::store)?;
    if args.yes {
        let repaired = repair(&dir).map_err(faults::store)?;
        told(args, &repaired)?;
        return Ok(Exit::Ok);
    }
    let damage = look(&dir)?;
    if args.json {
        print::json(&json!({ "damage": damage, "repaired": false }))?;
    }
    match damage {
        Some(damage) => {
            let what = format!("{damage}. With --yes that append and everything after it is dropped and listed");
            Err(Failure::new(Exit::Damaged, what))
        }
        None if args.json => Ok(Exit::Ok),
        None => print::line("nothing is damaged").map(|()| Exit::Ok),
    }
}

/// The first damage, in words.
fn look(dir: &DataDir) -> Outcome<Option<String>> {
    let damage = |fault: ReadFault| match fault {
        ReadFault::Damaged { .. } => Ok(Some(fault.to_string())),
        ReadFault::OtherFormat { .. } | ReadFault::Absent { .. } | ReadFault::Io(_) => Err(faults::read(fault)),
    };
    let reader = match SqliteReader::open(dir) {
        Ok(reader) => reader,
        Err(StoreFault::Read(fault)) => return damage(fault),
        Err(fault) => return Err(faults::store(fault)),
    };
    let mut progress = Progress::new("checking the chain", None);
    match verify_chain(&reader, Seq(1), &mut |done| progress.set(done)) {
        Ok(_) => Ok(None),
        Err(fault) => damage(fault),
    }
}

fn told(args: &RepairArgs, repaired: &Repaired) -> Outcome<()> {
    let Repaired { head, lost, damage, report, kept, resealed, checkpoint_removed, followers_moved } = repaired;
    if args.json {
        let lost: Vec<_> = lost.iter().map(|lost| json!({ "first": lost.first.0, "entries": lost.entries })).collect();
        return print::json(&json!({
            "repaired": damage.is_some(), "head": head.seq.0, "damage": damage, "lost": lost, "report": report, "kept": kept,
            "resealed": resealed, "checkpoint_removed": checkpoint_removed, "followers_moved": followers_moved,
        }));
    }
    let Some(damage) = damage else {
        print::line("nothing is damaged")?;
        return moved(followers_moved);
    };
    print::line(damage)?;
    for lost in lost {
        match lost.entries {
            0 => print::line(&format!("lost: entry {} and what followed in its append", lost.first))?,
            count => {
                let last = lost.first.0.saturating_add(u64::from(count)).saturating_sub(1);
                print::line(&format!("lost: entries {} to {last}", lost.first))?;
            }
        }
    }
    if let Some(report) = report {
        print::line(&format!("what could still be read of them is in {}", report.display()))?;
    }
    for kept in kept {
        print::line(&format!("kept: {}", kept.display()))?;
    }
    if *checkpoint_removed {
        print::line("the checkpoint was ahead and is removed: the next start folds the journal")?;
    }
    moved(followers_moved)?;
    print::line(&format!("the journal ends at {} now", head.seq))
}

fn moved(followers: &[String]) -> Outcome<()> {
    followers.iter().try_for_each(|name| print::line(&format!("follower {name} was ahead and is at the head now")))
}
