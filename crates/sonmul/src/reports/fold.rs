//! One pass over a journal: read, checked and decoded on a thread of its own, taken entry after entry on the caller's.
//!
//! For: `verify`, `check`, `report` and `what-if`, which all fold from zero beside a running server.
//! Guarantees: every append's hash is checked against the one before; what is taken comes in order and without gaps.
//! Bounded by [`AHEAD`] parts of [`READ_BYTES`] that wait decoded, whatever the journal's size.
//!
//! Deliberately not here: what is made of the entries.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use domain::receipt::Seq;
use engine::journal::{Batch, Head, JournalReader, ReadFault};
use engine::replica::{Books, Chain};
use store::{DataDir, SqliteReader};

use crate::exit::Outcome;
use crate::faults;
use crate::progress::Progress;

/// Octets of the journal that are read at once: an entry takes four times as much when it is decoded.
const READ_BYTES: usize = 2 << 20;
/// Parts that are decoded before they are asked for.
const AHEAD: usize = 2;

/// Whether to go on.
pub(crate) type Flow = ControlFlow<()>;
/// To go on.
pub(crate) const ON: Flow = ControlFlow::Continue(());

/// A journal that is read beside whoever writes it.
#[derive(Debug)]
pub(crate) struct Journal {
    reader: SqliteReader,
    /// Where it ended when it was opened: beside a busy server it ends somewhere else all the time.
    end: Seq,
}

impl Journal {
    /// Opens the journal of a data directory.
    pub(crate) fn open(dir: &DataDir) -> Outcome<Self> {
        let reader = SqliteReader::open(dir).map_err(faults::store)?;
        let end = reader.latest().map_err(faults::read)?.map_or(Seq::ZERO, |link| link.last_seq());
        Ok(Self { reader, end })
    }

    /// How many entries it had.
    pub(crate) const fn entries(&self) -> u64 {
        self.end.0
    }

    /// What reads it.
    pub(crate) const fn reader(&self) -> &SqliteReader {
        &self.reader
    }

    /// Gives every append up to the end to `take`, from the first one on or until it wants no more; where the last one
    /// given ended.
    pub(crate) fn each(&self, what: &'static str, mut take: impl FnMut(&Batch) -> Outcome<Flow>) -> Outcome<Head> {
        let mut progress = Progress::new(what, Some(self.end.0));
        let (tell, hear) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(|| self.read_ahead(tell));
            take_all(hear, &mut progress, &mut take)
        })
    }

    /// Until the end, a fault, or nobody listens any more.
    #[expect(clippy::needless_pass_by_value, reason = "the listener hears of the end when this is dropped")]
    fn read_ahead(&self, tell: SyncSender<Result<Vec<Batch>, ReadFault>>) {
        let mut chain = Chain::default();
        while chain.head().seq < self.end {
            let part = self.part(&mut chain);
            let over = part.as_ref().map_or(true, Vec::is_empty);
            if tell.send(part).is_err() || over {
                return;
            }
        }
    }

    fn part(&self, chain: &mut Chain) -> Result<Vec<Batch>, ReadFault> {
        let links = self.reader.read(chain.head().seq.next(), READ_BYTES)?;
        links.iter().map(|link| chain.next(link)).collect()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the reader hears that nobody listens when this is dropped")]
fn take_all(
    hear: Receiver<Result<Vec<Batch>, ReadFault>>,
    progress: &mut Progress,
    take: &mut impl FnMut(&Batch) -> Outcome<Flow>,
) -> Outcome<Head> {
    let mut head = Head::default();
    while let Ok(part) = hear.recv() {
        for batch in part.map_err(faults::read)? {
            head = batch.head();
            if take(&batch)?.is_break() {
                return Ok(head);
            }
        }
        progress.set(head.seq.0);
    }
    Ok(head)
}

/// Applies an append to the books.
pub(crate) fn apply(books: &mut Books, batch: &Batch) -> Outcome<()> {
    books.batch(batch).map_err(|misfit| faults::recover(misfit.into()))
}
