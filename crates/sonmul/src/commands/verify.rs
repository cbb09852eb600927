//! `sonmul verify`: the journal from zero, against its own chain, the checkpoint and anchors from elsewhere.
//!
//! Guarantees: every append's hash is checked, every entry applied again, every balance of the checkpoint compared with
//! the fold at the entry that the checkpoint belongs to, and every other row too unless a server writes to it meanwhile;
//! each operator's accounts must add up to zero.
//!
//! Deliberately not here: deciding again (what-if). Rules that were wrong then are not wrong entries.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use domain::receipt::Seq;
use domain::state::State;
use engine::checkpoint::{Checkpoint, Loaded};
use engine::journal::{Head, JournalReader, Link, decode};
use engine::recover::{RecoverFault, check_link};
use serde_json::json;
use store::checkpoint::Difference;
use store::verify::{Verified, verify_chain};
use store::{DataDir, SqliteCheckpoint, SqliteReader};

use crate::exit::{Exit, Failure, Outcome};
use crate::keys::{hex, unhex};
use crate::progress::Progress;
use crate::{beside, faults, print};

use super::DataArg;

/// Octets of the journal that are read at once.
const READ_BYTES: usize = 8 << 20;
/// Rows of the checkpoint that are told one by one.
const DIFFERENCES_SHOWN: usize = 20;
/// What helps against a wrong checkpoint.
const REBUILD: &str = "; remove checkpoint.sqlite and start the server: it is rebuilt from the journal";

/// See `sonmul verify --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works beside a running server. Ends with 4 when anything is not as it should be. The head it prints is an
anchor: keep it on another machine, and a journal that was cut or built anew is found.

Example:
  sonmul verify --data sonmul-data
  sonmul verify --anchor 1201:5f0c6ad0a1ee5d9f8c5d4c0e2a4df31c0f34be8eb20b7f01a4b8b4a3f2d1e0c9"
)]
pub(crate) struct VerifyArgs {
    /// An entry and its append's hash as they were printed before; may be given again
    #[arg(long, value_name = "SEQ:HASH")]
    anchor: Vec<Anchor>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// A head that was written down elsewhere.
#[derive(Clone, Debug)]
struct Anchor {
    seq: Seq,
    hash: [u8; 32],
}

impl FromStr for Anchor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, hash) = text.split_once(':').ok_or("write SEQ:HASH")?;
        let seq = seq.parse().map(Seq).map_err(|_| "SEQ is a whole number")?;
        let hash = unhex(hash).ok_or("HASH has 64 hexadecimal digits")?;
        Ok(Self { seq, hash })
    }
}

/// Walks, folds, compares.
pub(crate) fn run(args: &VerifyArgs) -> Outcome {
    let dir = DataDir::open_shared(&args.data.dir()).map_err(faults::store)?;
    // Before the journal, so that the fold comes past it even while a server writes.
    let checkpoint = beside::load(&dir.checkpoint(), 1).map_err(faults::checkpoint)?;
    let reader = SqliteReader::open(&dir).map_err(faults::store)?;
    let total = reader.latest().map_err(faults::read)?.map(|link| link.last_seq().0);
    let mut progress = Progress::new("checking the chain", total);
    let chain = verify_chain(&reader, Seq(1), &mut |done| progress.set(done)).map_err(faults::read)?;
    drop(progress);
    let mut fold = Fold {
        path: dir.checkpoint(),
        state: State::default(),
        head: Head::default(),
        checkpoint,
        compared: None,
        anchors: args.anchor.clone(),
    };
    let whole = chain.absent.is_empty();
    if whole {
        fold.whole(&reader, total)?;
        conserved(&fold.state)?;
    } else {
        fold.anchors_only(&reader)?;
    }
    told(args, &chain, &fold, whole)?;
    Ok(Exit::Ok)
}

fn damaged(what: String) -> Failure {
    Failure::new(Exit::Damaged, what)
}

struct Fold {
    /// The checkpoint's tables.
    path: PathBuf,
    state: State,
    head: Head,
    checkpoint: Option<Loaded>,
    /// The checkpoint's head, and how many accounts agree.
    compared: Option<(Seq, usize)>,
    anchors: Vec<Anchor>,
}

impl Fold {
    fn whole(&mut self, reader: &SqliteReader, total: Option<u64>) -> Outcome<()> {
        let mut progress = Progress::new("folding", total);
        // Up to where it ended when this began: beside a busy server it ends somewhere else all the time.
        let end = Seq(total.unwrap_or(0));
        while self.head.seq < end {
            let links = reader.read(self.head.seq.next(), READ_BYTES).map_err(faults::read)?;
            if links.is_empty() {
                break;
            }
            for link in &links {
                self.link(link)?;
            }
            progress.set(self.head.seq.0);
        }
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|checkpoint| checkpoint.head.seq > self.head.seq) {
            let lost = RecoverFault::TailLost { checkpoint: checkpoint.head.seq, journal: self.head.seq };
            return Err(faults::recover(lost));
        }
        let beyond = self.anchors.iter().find(|anchor| anchor.seq > self.head.seq);
        beyond.map_or(Ok(()), |anchor| {
            Err(damaged(format!("the journal ends at {}, the anchor is at {}: it was cut", self.head.seq, anchor.seq)))
        })
    }

    fn link(&mut self, link: &Link) -> Outcome<()> {
        let checked = check_link(link, self.head.seq, &self.head.hash).map_err(faults::read)?;
        let batch = decode(checked).map_err(faults::read)?;
        for (seq, entry) in batch.iter() {
            let applied = self.state.apply(seq, batch.at, &entry.verdict.effects);
            applied.map_err(|misfit| faults::recover(misfit.into()))?;
        }
        self.head = link.head();
        self.anchored(link)?;
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|checkpoint| checkpoint.head.seq <= self.head.seq) {
            if checkpoint.head.seq != Seq::ZERO && checkpoint.head != self.head {
                return Err(faults::recover(RecoverFault::OtherJournal { at: checkpoint.head.seq }));
            }
            if checkpoint.head.seq != Seq::ZERO {
                let accounts = compare_accounts(&self.state, &checkpoint.state)?;
                self.compared = Some((self.head.seq, accounts));
                self.tables()?;
            }
            self.checkpoint = None;
        }
        Ok(())
    }

    fn tables(&self) -> Outcome<()> {
        let differences = compare_tables(&self.path, &self.state)?.unwrap_or_default();
        for Difference { row, fact, checkpoint, journal } in &differences {
            eprintln!("{row}, {fact}: the journal says {journal}, the checkpoint {checkpoint}");
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(damaged(format!("the checkpoint is not what the journal says{REBUILD}")))
        }
    }

    /// An anchor names the last entry of an append.
    fn anchored(&self, link: &Link) -> Outcome<()> {
        for anchor in self.anchors.iter().filter(|anchor| link.first_seq <= anchor.seq && anchor.seq <= link.last_seq())
        {
            if anchor.seq != link.last_seq() || anchor.hash != link.hash {
                let what =
                    format!("entry {} is not the one that the anchor names: the journal was built anew", anchor.seq);
                return Err(damaged(what));
            }
        }
        Ok(())
    }

    /// What can still be said when old segments are archived.
    fn anchors_only(&mut self, reader: &SqliteReader) -> Outcome<()> {
        for anchor in &self.anchors {
            match reader.find(anchor.seq).map_err(faults::read)? {
                Some(link) => self.anchored(&link)?,
                None => {
                    return Err(damaged(format!("the journal ends before the anchor at {}: it was cut", anchor.seq)));
                }
            }
        }
        self.head = reader.latest().map_err(faults::read)?.map(|link| link.head()).unwrap_or_default();
        Ok(())
    }
}

/// Every row of the tables against the fold; `None` when a server wrote to them meanwhile.
fn compare_tables(path: &Path, state: &State) -> Outcome<Option<Vec<Difference>>> {
    let tables = SqliteCheckpoint::open(path).map_err(faults::checkpoint)?;
    let found = tables.compare(state, DIFFERENCES_SHOWN).map_err(faults::checkpoint)?;
    let after = SqliteCheckpoint::open(path).map_err(faults::checkpoint)?;
    let still = tables.head().seq == state.seq() && tables.head() == after.head();
    Ok(still.then_some(found))
}

/// Every account of the checkpoint as it was read before against the fold.
fn compare_accounts(fold: &State, checkpoint: &State) -> Outcome<usize> {
    if fold.accounts().count() != checkpoint.accounts().count() {
        return Err(damaged(format!("the checkpoint has not the same accounts as the journal{REBUILD}")));
    }
    let mut count = 0;
    for ((account, folded), (_, kept)) in fold.accounts().zip(checkpoint.accounts()) {
        if folded != kept {
            let row = account.code() & 0xFFFF_FFFF;
            let (kind, folded, kept) = (account.kind(), folded.balance_minor, kept.balance_minor);
            let what = format!("{kind} account {row}: the journal says {folded}, the checkpoint {kept}{REBUILD}");
            return Err(damaged(what));
        }
        count += 1;
    }
    Ok(count)
}

/// Value is moved, never made: each operator's accounts of each unit add up to nothing.
fn conserved(state: &State) -> Outcome<()> {
    match state.sums().into_iter().find(|(_, sum)| *sum != 0) {
        Some(((operator, unit), sum)) => {
            let unit = unit.map_or("airtime", domain::office::currency::Currency::code);
            Err(damaged(format!("the accounts of operator {} in {unit} add up to {sum}, not to 0", operator.0)))
        }
        None => Ok(()),
    }
}

fn told(args: &VerifyArgs, chain: &Verified, fold: &Fold, whole: bool) -> Outcome<()> {
    let absent: Vec<_> = chain.absent.iter().map(|gap| json!({ "first": gap.first.0, "last": gap.last.0 })).collect();
    let head = format!("{}:{}", fold.head.seq, hex(&fold.head.hash));
    if args.json {
        let checkpoint = fold.compared.map(|(seq, accounts)| json!({ "seq": seq.0, "accounts": accounts }));
        return print::json(&json!({
            "ok": true, "entries": chain.entries, "head": head, "at": fold.head.at.rfc3339(), "folded": whole,
            "checkpoint": checkpoint, "absent": absent, "anchors": fold.anchors.len(),
        }));
    }
    print::line(&format!("{} entries, the chain holds", chain.entries))?;
    for gap in &chain.absent {
        print::line(&format!(
            "entries {} to {} are archived: bring their segments back to fold from zero",
            gap.first, gap.last
        ))?;
    }
    match fold.compared {
        Some((seq, accounts)) => {
            print::line(&format!("{accounts} accounts of the checkpoint at {seq} are as the journal says"))?
        }
        None if whole => print::line("there is no checkpoint to compare")?,
        None => {}
    }
    if !fold.anchors.is_empty() {
        print::line(&format!("{} anchors hold", fold.anchors.len()))?;
    }
    print::line(&format!("head {head}"))
}
