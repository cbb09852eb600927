//! Why a data directory, or a file in it, can't be used.
//!
//! Guarantees: a message names the file or directory and says what to do; none holds a number, a password or a tag.

use std::io;
use std::path::{Path, PathBuf};

use engine::checkpoint::CheckpointFault;
use engine::deliveries::FollowerStoreFault;
use engine::follower::CursorFault;
use engine::journal::ReadFault;

/// Why something on disk can't be opened, copied or mended.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// Another server has this directory.
    #[error("another server is running on {}: stop it first", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The directory was opened for reading.
    #[error("{} was opened for reading only", dir.display())]
    Shared {
        /// The data directory.
        dir: PathBuf,
    },
    /// There is no data directory, or it was never initialised.
    #[error("{} is no data directory of Sonmul: make one with `sonmul init`", dir.display())]
    NoDataDir {
        /// Where none is.
        dir: PathBuf,
    },
    /// A new data directory would cover something.
    #[error("{} is not empty: name a new directory", dir.display())]
    NotEmpty {
        /// What is there already.
        dir: PathBuf,
    },
    /// `sonmul restore` did not come to its end.
    #[error("a restore into {} was interrupted: remove the directory and restore again", dir.display())]
    RestorePending {
        /// The data directory.
        dir: PathBuf,
    },
    /// What stands before the damage is needed, and was archived.
    #[error("segment {number} is needed for that and is not here: bring it back from the archive")]
    Archived {
        /// Number in the file's name.
        number: u32,
    },
    /// `sonmul repair` did not come to its end.
    #[error("a repair of {} was interrupted: run `sonmul repair` again", dir.display())]
    RepairPending {
        /// The data directory.
        dir: PathBuf,
    },
    /// A follower's name that can't be a file's.
    #[error("a follower's name is 1 to 32 lower case letters, digits and hyphens")]
    Name,
    /// A backup's manifest that can't be believed.
    #[error("{}: {what}", path.display())]
    Manifest {
        /// The manifest, or the file that it speaks of.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The journal can't be read or is damaged.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// The checkpoint can't be read or is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// A follower's database can't be used.
    #[error(transparent)]
    Cursor(#[from] CursorFault),
    /// A follower's deliveries can't be used.
    #[error(transparent)]
    Deliveries(#[from] FollowerStoreFault),
    /// A file can't be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// SQLite can't use a file.
    #[error("{}: {error}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
}

impl StoreFault {
    /// Whether it is want of room, which passes by itself when there is some.
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::Io { error, .. } => error.kind() == io::ErrorKind::StorageFull,
            Self::Sqlite { error, .. } => crate::sqlite::is_full_to_open(error),
            Self::Checkpoint(fault) => *fault == CheckpointFault::NoRoom,
            Self::Deliveries(fault) => *fault == FollowerStoreFault::NoRoom,
            Self::InUse { .. }
            | Self::Shared { .. }
            | Self::NoDataDir { .. }
            | Self::NotEmpty { .. }
            | Self::RestorePending { .. }
            | Self::Archived { .. }
            | Self::RepairPending { .. }
            | Self::Name
            | Self::Manifest { .. }
            | Self::Read(_)
            | Self::Cursor(_) => false,
        }
    }
}

/// Says which file a fault is about.
pub(crate) trait At<T> {
    /// The same, with the path.
    fn at(self, path: &Path) -> Result<T, StoreFault>;
}

impl<T> At<T> for Result<T, io::Error> {
    fn at(self, path: &Path) -> Result<T, StoreFault> {
        self.map_err(|error| StoreFault::Io { path: path.to_path_buf(), error })
    }
}

impl<T> At<T> for Result<T, rusqlite::Error> {
    fn at(self, path: &Path) -> Result<T, StoreFault> {
        self.map_err(|error| StoreFault::Sqlite { path: path.to_path_buf(), error })
    }
}
