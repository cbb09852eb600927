//! `sonmul verify`: the journal from zero, against its own chain, the checkpoint and anchors from elsewhere.
//!
//! Guarantees: every append's hash is checked, every entry applied again, every balance of the checkpoint compared with
//! the fold at the entry that the checkpoint belongs to, and every other row too unless a server writes to it meanwhile;
//! each operator's accounts must add up to zero.
//!
//! Deliberately not here: deciding again (what-if). Rules that were wrong then are not wrong entries.

use std::ops::ControlFlow;
use std::str::FromStr;

use domain::receipt::Seq;
use engine::journal::{Head, JournalReader};
use engine::recover::RecoverFault;
use engine::replica::Fold;
use paper::reports::agree::{Waiting, unbalanced};
use paper::reports::fault::ReportFault;
use paper::reports::fold::Journal;
use serde_json::json;
use store::verify::{Verified, verify_chain};
use store::{DataDir, SqliteReader};

use crate::beside::{Beside, REBUILD, journal_of};
use crate::exit::{Exit, Failure, Outcome};
use crate::keys::{hex, unhex};
use crate::progress::Progress;
use crate::{faults, print};

use super::DataArg;

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
    let kept = Beside::new(&dir);
    // Before the journal is opened, so that the fold comes past it.
    let checkpoint = Waiting::load(&kept).map_err(faults::report)?;
    let (journal, reader) = journal_of(&dir)?;
    let mut progress = Progress::new("checking the chain", Some(journal.entries()));
    let chain = verify_chain(&reader, Seq(1), &mut |done| progress.set(done)).map_err(faults::read)?;
    drop(progress);
    let mut walk = Walk { folded: Fold::default(), checkpoint, anchors: args.anchor.clone() };
    let whole = chain.absent.is_empty();
    if whole {
        walk.whole(&journal)?;
        if let Some((_, what)) = unbalanced(&walk.folded.state).into_iter().next() {
            return Err(damaged(what));
        }
    } else {
        walk.anchors_only(&reader)?;
    }
    told(args, &chain, &walk, whole)?;
    Ok(Exit::Ok)
}

fn damaged(what: String) -> Failure {
    Failure::new(Exit::Damaged, what)
}

struct Walk {
    folded: Fold,
    checkpoint: Waiting,
    anchors: Vec<Anchor>,
}

impl Walk {
    fn whole(&mut self, journal: &Journal) -> Outcome<()> {
        let mut progress = Progress::new("folding", Some(journal.entries()));
        let broke = journal.each(&mut |done| progress.set(done), |batch| {
            self.folded.batch(batch).map_err(RecoverFault::from)?;
            if let Err(failure) = self.anchored(batch.first_seq, self.folded.head) {
                return Ok(ControlFlow::Break(failure));
            }
            self.as_checkpointed()
        });
        if let Some(failure) = broke.map_err(faults::report)? {
            return Err(failure);
        }
        self.checkpoint.none_ahead(self.folded.head).map_err(faults::recover)?;
        let beyond = self.anchors.iter().find(|anchor| anchor.seq > self.folded.head.seq);
        beyond.map_or(Ok(()), |anchor| {
            Err(damaged(format!(
                "the journal ends at {}, the anchor is at {}: it was cut",
                self.folded.head.seq, anchor.seq
            )))
        })
    }

    fn as_checkpointed(&mut self) -> Result<ControlFlow<Failure>, ReportFault> {
        let differences = self.checkpoint.after(self.folded.head, &self.folded.state)?;
        for difference in &differences {
            eprintln!("{difference}");
        }
        if differences.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(ControlFlow::Break(damaged(format!("the checkpoint is not what the journal says; {REBUILD}"))))
    }

    /// An anchor names the last entry of an append.
    fn anchored(&self, first: Seq, append: Head) -> Outcome<()> {
        for anchor in self.anchors.iter().filter(|anchor| first <= anchor.seq && anchor.seq <= append.seq) {
            if anchor.seq != append.seq || anchor.hash != append.hash {
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
                Some(link) => self.anchored(link.first_seq, link.head())?,
                None => {
                    return Err(damaged(format!("the journal ends before the anchor at {}: it was cut", anchor.seq)));
                }
            }
        }
        self.folded.head = reader.latest().map_err(faults::read)?.map(|link| link.head()).unwrap_or_default();
        Ok(())
    }
}

fn told(args: &VerifyArgs, chain: &Verified, walk: &Walk, whole: bool) -> Outcome<()> {
    let absent: Vec<_> = chain.absent.iter().map(|gap| json!({ "first": gap.first.0, "last": gap.last.0 })).collect();
    let head = format!("{}:{}", walk.folded.head.seq, hex(&walk.folded.head.hash));
    if args.json {
        let checkpoint = walk.checkpoint.compared.map(|(seq, accounts)| json!({ "seq": seq.0, "accounts": accounts }));
        return print::json(&json!({
            "ok": true, "entries": chain.entries, "head": head, "at": walk.folded.head.at.rfc3339(), "folded": whole,
            "checkpoint": checkpoint, "absent": absent, "anchors": walk.anchors.len(),
        }));
    }
    print::line(&format!("{} entries, the chain holds", chain.entries))?;
    for gap in &chain.absent {
        print::line(&format!(
            "entries {} to {} are archived: bring their segments back to fold from zero",
            gap.first, gap.last
        ))?;
    }
    match walk.checkpoint.compared {
        Some((seq, accounts)) => {
            print::line(&format!("{accounts} accounts of the checkpoint at {seq} are as the journal says"))?
        }
        None if whole => print::line("there is no checkpoint to compare")?,
        None => {}
    }
    if !walk.anchors.is_empty() {
        print::line(&format!("{} anchors hold", walk.anchors.len()))?;
    }
    print::line(&format!("head {head}"))
}
