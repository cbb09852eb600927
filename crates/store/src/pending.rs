//! Marks of work on a whole directory that must come to its end before a server may start there.

use std::path::{Path, PathBuf};

use crate::fault::StoreFault;

/// Where a repair says that it began to move files.
pub(crate) fn repair(dir: &Path) -> PathBuf {
    dir.join("repair.pending")
}

/// Where a restore says that it has not copied everything.
pub(crate) fn restore(dir: &Path) -> PathBuf {
    dir.join("restore.pending")
}

/// Refuses a directory with such a mark.
///
/// # Errors
/// When there is one.
pub(crate) fn refuse(dir: &Path) -> Result<(), StoreFault> {
    let dir = dir.to_path_buf();
    if repair(&dir).exists() {
        Err(StoreFault::RepairPending { dir })
    } else if restore(&dir).exists() {
        Err(StoreFault::RestorePending { dir })
    } else {
        Ok(())
    }
}
