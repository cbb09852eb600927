//! Reading a journal and a checkpoint that another thread or process may be writing.
//!
//! Guarantees: what is given out is whole: the tables did not move while they were read. They are read through several
//! connections, so that one transaction can't say so; the head before and after can.
//! Bounded by: [`TRIES`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::receipt::Seq;
use engine::checkpoint::{Checkpoint, CheckpointFault, Delta};
use engine::ids::IdsConfig;
use engine::journal::Head;
use engine::replica::Replica;
use paper::reports::agree::Kept;
use paper::reports::fold::Journal;
use store::{DataDir, SqliteCheckpoint, SqliteReader};

use crate::exit::Outcome;
use crate::faults;

/// A checkpoint that is written more often than it can be read is given up.
const TRIES: u32 = 50;
/// Between two tries.
const WAIT: Duration = Duration::from_millis(100);
/// What helps against a wrong checkpoint.
pub(crate) const REBUILD: &str = "remove checkpoint.sqlite and start the server: it is rebuilt from the journal";

/// The journal of a data directory up to where it ends now, for folding; and what reads more of it.
pub(crate) fn journal_of(dir: &DataDir) -> Outcome<(Journal, SqliteReader)> {
    let reader = SqliteReader::open(dir).map_err(faults::store)?;
    let end = reader.latest().map_err(faults::read)?.map_or(Seq::ZERO, |link| link.last_seq());
    Ok((Journal::new(Arc::new(reader.clone()), end), reader))
}

/// The checkpoint of a data directory, for comparing it with a fold.
#[derive(Debug)]
pub(crate) struct Beside(PathBuf);

impl Beside {
    /// Opens nothing yet.
    pub(crate) fn new(dir: &DataDir) -> Self {
        Self(dir.checkpoint())
    }
}

impl Kept for Beside {
    fn load(&self) -> Result<Option<Replica>, CheckpointFault> {
        load(&self.0, IdsConfig::NONE)
    }
}

/// A checkpoint as it was at one moment. `None`: there is none.
///
/// # Errors
/// When it can't be read, or never held still.
pub(crate) fn load(path: &Path, ids: IdsConfig) -> Result<Option<Replica>, CheckpointFault> {
    for _ in 0..TRIES {
        if !path.exists() {
            return Ok(None);
        }
        let mut checkpoint = SqliteCheckpoint::open(path)?;
        let head = checkpoint.head();
        let loaded = checkpoint.load(ids);
        // What moved meanwhile may look damaged.
        if SqliteCheckpoint::open(path)?.head() == head {
            return loaded.map(Some);
        }
        std::thread::park_timeout(WAIT);
    }
    Err(CheckpointFault::Io(String::from("it is written all the time; try again when there is less to do")))
}

/// The checkpoint of a running server, for folding again from it. Reads only.
#[derive(Debug)]
pub(crate) struct Still {
    path: PathBuf,
    loaded: Option<Replica>,
    ids: IdsConfig,
}

impl Still {
    /// Reads it.
    ///
    /// # Errors
    /// See [`load`].
    pub(crate) fn open(path: &Path, ids: IdsConfig) -> Result<Self, CheckpointFault> {
        Ok(Self { path: path.to_owned(), loaded: load(path, ids)?, ids })
    }
}

impl Checkpoint for Still {
    fn head(&self) -> Head {
        self.loaded.as_ref().map(|loaded| loaded.head).unwrap_or_default()
    }

    fn write(&mut self, _: &Delta) -> Result<(), CheckpointFault> {
        Err(CheckpointFault::Io(String::from("it was opened for reading")))
    }

    fn load(&mut self, _: IdsConfig) -> Result<Replica, CheckpointFault> {
        let gone = || CheckpointFault::Io(String::from("there is no checkpoint"));
        match self.loaded.take() {
            Some(loaded) => Ok(loaded),
            None => load(&self.path, self.ids)?.ok_or_else(gone),
        }
    }
}
