//! Cutting a journal before its first damage: the only way in which entries are ever dropped, and only when asked for.
//!
//! Guarantees: everything that is dropped and can still be read is written to a file first, and the damaged files stay
//! in the directory under other names; a repair that is interrupted is finished by the next one, and until then no
//! server starts; a checkpoint beyond the new head goes, followers beyond it come back to it. Of a journal that is whole
//! followers come back as well: nobody else may move them. A checkpoint beyond a whole journal stays: it may be all that is
//! left of the entries that are missing.
//!
//! Deliberately not here: guessing what a damaged append held.

mod cut;
mod finish;

use std::path::{Path, PathBuf};

use domain::receipt::Seq;
use engine::journal::Head;

use crate::data_dir::DataDir;
use crate::fault::{At, StoreFault};
use crate::pending;
use crate::segment::{self, Number};

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Where the journal ends now.
    pub head: Head,
    /// Appends that were dropped; empty: nothing was damaged.
    pub lost: Vec<Lost>,
    /// What was damaged, in words.
    pub damage: Option<String>,
    /// Where everything is written that was dropped and could be read.
    pub report: Option<PathBuf>,
    /// Names that the damaged files have now.
    pub kept: Vec<PathBuf>,
    /// Sealed segments whose appends are whole but whose files had changed: they are hashed anew.
    pub resealed: Vec<u32>,
    /// Whether the checkpoint was ahead and is removed. The next start folds the journal.
    pub checkpoint_removed: bool,
    /// Followers that were ahead and are at the head now.
    pub followers_moved: Vec<String>,
}

/// An append that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its first entry, as its row says.
    pub first: Seq,
    /// How many entries it said it had; 0: it does not say.
    pub entries: u32,
}

/// Cuts the journal of a directory before its first damage.
///
/// # Errors
/// When a server is running there, files can't be read or written, or a segment that was archived is needed.
pub fn repair(dir: &DataDir) -> Result<Repaired, StoreFault> {
    let _lock = dir.hold()?;
    let path = dir.path();
    segment::remove_leftovers(path).at(path)?;
    let mut repaired = Repaired::default();
    let mark = if pending::repair(path).exists() {
        finish::Mark::read(path)?
    } else {
        let found = cut::find(path)?;
        repaired.resealed = reseal(path, &found)?;
        repaired.head = found.head;
        let Some(damage) = &found.damage else {
            finish::bring_back_followers(path, found.head.seq, &mut repaired)?;
            return Ok(repaired);
        };
        repaired.damage = Some(damage.to_string());
        let label = free_label(path, found.head.seq.next());
        repaired.lost = cut::report(path, &found, &report_of(path, &label))?;
        finish::begin(path, &found, label)?
    };
    repaired.report = Some(report_of(path, &mark.label));
    finish::finish(path, &mark, &mut repaired)?;
    Ok(repaired)
}

/// What the names of everything that this repair leaves begin with.
fn free_label(dir: &Path, cut: Seq) -> String {
    let labels = (1_u64..).map(|n| if n == 1 { format!("repair-{cut}") } else { format!("repair-{cut}-{n}") });
    let mut free = labels.filter(|label| !report_of(dir, label).exists());
    free.next().unwrap_or_default()
}

fn report_of(dir: &Path, label: &str) -> PathBuf {
    dir.join(format!("{label}.txt"))
}

/// The files of these segments changed where no append is. Without their hashes the next start seals them again.
fn reseal(dir: &Path, found: &cut::Found) -> Result<Vec<Number>, StoreFault> {
    for number in &found.changed {
        let sidecar = segment::sidecar_of(dir, *number);
        crate::files::remove(&sidecar).at(&sidecar)?;
    }
    Ok(found.changed.clone())
}
