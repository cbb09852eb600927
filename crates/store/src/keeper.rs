//! The background thread that prepares the next segment and seals closed ones.
//!
//! Guarantees: sealing is a list of steps that can each be done again; a segment that can't be sealed now (another
//! process reads it) stays readable and is tried again; nothing here stands before a commit.
//!
//! Bounded by one prepared segment. When sealing can't keep up with writing, the next segment is prepared later and the
//! writer waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::fault::{At, StoreFault};
use crate::files;
use crate::index::Index;
use crate::reader::Shared;
use crate::room;
use crate::segment::{self, Meta, Number, Segment};
use crate::sqlite::{self, is_busy};

/// A segment that could not be sealed is tried again after this long.
const RETRY: Duration = Duration::from_secs(2);
/// How long one try waits for readers of this process to end their calls.
const READERS_WAIT: Duration = Duration::from_millis(500);
const READERS_STEP: Duration = Duration::from_millis(10);

enum Job {
    Prepare(Number),
    Seal(Number, Option<Connection>),
}

/// What the next file is prepared with.
#[derive(Clone, Debug)]
pub(crate) struct Preparing {
    pub(crate) dir: PathBuf,
    /// Zeros to write into the WAL, while the disk has room for them.
    pub(crate) prewritten: u64,
    /// Octets that stay free.
    pub(crate) reserve: u64,
}

impl Preparing {
    /// Prepares a segment.
    pub(crate) fn segment(&self, number: Number) -> Result<Segment, StoreFault> {
        let left = room::left(&self.dir).unwrap_or(0);
        let spare = left > self.reserve.saturating_add(self.prewritten.saturating_mul(2));
        Segment::prepare(&self.dir, number, if spare { self.prewritten } else { 0 })
    }
}

/// The writer's handle on the thread. Dropping it waits for the job that is under way.
#[derive(Debug)]
pub(crate) struct Keeper {
    jobs: Option<Sender<Job>>,
    prepared: Receiver<Result<Segment, StoreFault>>,
    thread: Option<JoinHandle<()>>,
    asked: bool,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(preparing: Preparing, shared: Arc<Shared>) -> Result<Self, StoreFault> {
        let (jobs, take) = channel();
        let (tell, prepared) = channel();
        let dir = preparing.dir.clone();
        let run = move || Work { preparing, shared, tell, waiting: Vec::new(), told: false }.run(&take);
        let thread = std::thread::Builder::new().name(String::from("journal-keeper")).spawn(run).at(&dir)?;
        Ok(Self { jobs: Some(jobs), prepared, thread: Some(thread), asked: false })
    }

    fn send(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Asks for the next segment; true: that was asked for before.
    pub(crate) fn prepare(&mut self, number: Number) -> bool {
        let before = self.asked;
        if !before {
            self.asked = self.send(Job::Prepare(number));
        }
        before
    }

    /// Hands over a closed segment; its connection, when the writer had one.
    pub(crate) fn seal(&self, number: Number, conn: Option<Connection>) {
        // Without the thread it stays as it is, and the next start seals it.
        let _ = self.send(Job::Seal(number, conn));
    }

    /// The segment that was asked for. Waits until it is there; `None` when the thread is gone.
    pub(crate) fn prepared(&mut self) -> Option<Result<Segment, StoreFault>> {
        self.asked = false;
        self.prepared.recv().ok()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A keeper that panicked has said so itself; what it left undone is done at the next start.
            let _ = thread.join();
        }
    }
}

struct Work {
    preparing: Preparing,
    shared: Arc<Shared>,
    tell: Sender<Result<Segment, StoreFault>>,
    waiting: Vec<(Number, Option<Connection>)>,
    told: bool,
}

impl Work {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let job = if self.waiting.is_empty() {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                jobs.recv_timeout(RETRY)
            };
            match job {
                Ok(Job::Prepare(number)) => {
                    if self.tell.send(self.preparing.segment(number)).is_err() {
                        return;
                    }
                }
                Ok(Job::Seal(number, conn)) => self.waiting.push((number, conn)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.seal_all();
        }
    }

    fn seal_all(&mut self) {
        for (number, mut conn) in core::mem::take(&mut self.waiting) {
            self.shared.sealing(number);
            let meta = self.shared.meta(number);
            match seal(&self.shared.dir, number, meta, &mut conn) {
                Ok(()) => self.shared.sealed(number),
                Err(fault) => {
                    if !self.told {
                        tracing::warn!(%fault, segment = number, "a segment can't be sealed yet");
                        self.told = true;
                    }
                    self.waiting.push((number, conn));
                }
            }
        }
    }
}

/// Makes one read-only file of a closed segment, with its hash beside it. Takes the connection when it is done with it.
fn seal(dir: &Path, number: Number, meta: Option<Meta>, conn: &mut Option<Connection>) -> Result<(), StoreFault> {
    let path = segment::path_of(dir, number);
    let open = match conn.take() {
        Some(open) => open,
        None => open_again(&path)?,
    };
    one_file(conn.insert(open)).at(&path)?;
    *conn = None;
    seal_file(dir, number, meta, &path)
}

/// After a crash the file may be read-only already.
fn open_again(path: &Path) -> Result<Connection, StoreFault> {
    files::set_mode(path, files::MODE).at(path)?;
    sqlite::open(path).at(path)
}

/// Moves everything from the WAL into the file and does without the WAL from now on.
pub(crate) fn one_file(conn: &Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match try_one_file(conn) {
            Err(error) if is_busy(&error) && began.elapsed() < READERS_WAIT => std::thread::park_timeout(READERS_STEP),
            done => return done,
        }
    }
}

fn try_one_file(conn: &Connection) -> rusqlite::Result<()> {
    // A read of another connection makes it answer "busy" in its row; the next statement then fails for the same
    // reason.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let mode: String = conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode == "delete" {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None))
}

fn seal_file(dir: &Path, number: Number, meta: Option<Meta>, path: &Path) -> Result<(), StoreFault> {
    let hash = files::hash_file(path).at(path)?;
    files::set_mode(path, files::MODE_READ_ONLY).at(path)?;
    if let Some(meta) = meta {
        let mut index = Index::read(dir);
        index.put(dir, number, meta).and_then(|()| index.write(dir)).at(path)?;
    }
    // The sidecar comes last: where it is, everything before it is done.
    segment::write_sidecar(dir, number, &hash).at(path)
}
