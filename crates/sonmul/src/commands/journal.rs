//! `sonmul journal`: reading the journal's files, beside a running server or without one.

use std::time::Duration;

use api::view::{Names, entry_json};
use domain::receipt::Seq;
use engine::answer::Directory;
use engine::ids::IdsConfig;
use engine::journal::{Batch, JournalReader, decode};
use store::{DataDir, SqliteReader};

use crate::entries;
use crate::exit::{Exit, Outcome};
use crate::{beside, faults, print};

use super::DataArg;

/// Octets of the journal that are read at once.
const READ_BYTES: usize = 1 << 20;
/// Between two looks for new entries.
const FOLLOW_WAIT: Duration = Duration::from_millis(200);

/// See `sonmul journal --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  sonmul journal cat --json --from 1 --most 10")]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Prints entries, oldest first
    Cat(CatArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads the files themselves, so it works beside a running server and without one. Passwords and card numbers are
not in the journal; a tag is shown as its key's id.

Example:
  sonmul journal cat --json --from 1000 --most 10
  sonmul journal cat --follow"
)]
struct CatArgs {
    /// The first entry to print
    #[arg(long, value_name = "SEQ", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// How many entries; without it all of them
    #[arg(long, value_name = "N")]
    most: Option<u64>,
    /// Goes on with new entries until it is interrupted
    #[arg(long)]
    follow: bool,
    /// Print JSON, one line for each entry
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Does it.
pub(crate) fn run(args: &JournalArgs) -> Outcome {
    match &args.what {
        What::Cat(args) => cat(args),
    }
}

fn cat(args: &CatArgs) -> Outcome {
    let dir = DataDir::open_shared(&args.data.dir()).map_err(faults::store)?;
    let reader = SqliteReader::open(&dir).map_err(faults::store)?;
    let mut printer = Printer {
        from: Seq(args.from),
        left: args.most.unwrap_or(u64::MAX),
        json: args.json,
        names: names(args, &dir),
    };
    let mut next = printer.from;
    while printer.left > 0 {
        let links = reader.read(next, READ_BYTES).map_err(faults::read)?;
        if links.is_empty() {
            if !args.follow {
                break;
            }
            std::thread::park_timeout(FOLLOW_WAIT);
        }
        for link in &links {
            printer.batch(&decode(link).map_err(faults::read)?)?;
            next = link.last_seq().next();
        }
    }
    Ok(Exit::Ok)
}

/// What operators and limits are called when the entries that loaded them are not printed: as of the checkpoint.
fn names(args: &CatArgs, dir: &DataDir) -> Names {
    if args.from <= 1 {
        return Names::default();
    }
    let loaded = beside::load(&dir.checkpoint(), IdsConfig::NONE).ok().flatten();
    let operators = loaded.iter().flat_map(|loaded| loaded.state.operators());
    let operators = operators.map(|(_, operator)| std::sync::Arc::clone(&operator.rules)).collect();
    Names::from(&Directory { operators, ..Directory::default() })
}

struct Printer {
    from: Seq,
    left: u64,
    json: bool,
    names: Names,
}

impl Printer {
    fn batch(&mut self, batch: &Batch) -> Outcome<()> {
        for (seq, entry) in batch.iter() {
            self.names.learn(entry);
            if seq < self.from || self.left == 0 {
                continue;
            }
            self.left -= 1;
            let shown = entry_json(seq, batch.at, entry, &self.names);
            print::line(&if self.json { shown.to_string() } else { entries::line(&shown) })?;
        }
        Ok(())
    }
}
