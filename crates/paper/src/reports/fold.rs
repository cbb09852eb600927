//! One pass over a journal: read, checked and decoded on a thread of its own, taken entry after entry on the caller's.
//!
//! For: `verify`, `check`, `report` and `what-if`, which fold from zero beside a running server, or from a state that a check
//! signed before.
//! Guarantees: every append's hash is checked against the one before; what is taken comes in order and without gaps.
//! Bounded by [`AHEAD`] parts of [`READ_BYTES`] that wait decoded, whatever the journal's size.
//!
//! Deliberately not here: what is made of the entries.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use domain::receipt::Seq;
use engine::journal::{Batch, Head, JournalReader, Link, ReadFault};
use engine::replica::Chain;

use super::fault::ReportFault;

/// Octets of the journal that are read at once: an entry takes four times as much when it is decoded.
const READ_BYTES: usize = 2 << 20;
/// Parts that are decoded before they are asked for.
const AHEAD: usize = 2;

/// Hears up to which seq a journal was taken.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// A journal that is read beside whoever writes it.
pub struct Journal {
    reader: Arc<dyn JournalReader>,
    /// Where it ended when it was opened: beside a busy server it ends somewhere else all the time.
    end: Seq,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("end", &self.end).finish_non_exhaustive()
    }
}

impl Journal {
    /// A journal up to `end`, whatever is appended from now on.
    pub const fn new(reader: Arc<dyn JournalReader>, end: Seq) -> Self {
        Self { reader, end }
    }

    /// How many entries it had.
    pub const fn entries(&self) -> u64 {
        self.end.0
    }

    /// Where it ended.
    pub const fn end(&self) -> Seq {
        self.end
    }

    /// The append that holds an entry, as it is read: `None` when there is none, or it is archived.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn find(&self, seq: Seq) -> Result<Option<Link>, ReadFault> {
        if seq == Seq::ZERO { Ok(None) } else { self.reader.find(seq) }
    }

    /// Gives every append up to the end to `take`, from the first one on or until it wants no more; what it broke off with.
    ///
    /// # Errors
    /// [`ReportFault::Read`], and what `take` says.
    pub fn each<B>(
        &self,
        progress: Progress<'_>,
        take: impl FnMut(&Batch) -> Result<ControlFlow<B>, ReportFault>,
    ) -> Result<Option<B>, ReportFault> {
        self.after(Head::default(), progress, take)
    }

    /// The same from the first append after `head` on.
    ///
    /// # Errors
    /// [`ReportFault::Read`], and what `take` says.
    pub fn after<B>(
        &self,
        head: Head,
        progress: Progress<'_>,
        mut take: impl FnMut(&Batch) -> Result<ControlFlow<B>, ReportFault>,
    ) -> Result<Option<B>, ReportFault> {
        let (tell, hear) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(|| self.read_ahead(head, tell));
            take_all(hear, progress, &mut take)
        })
    }

    /// Until the end, a fault, or nobody listens any more.
    #[expect(clippy::needless_pass_by_value, reason = "the listener hears of the end when this is dropped")]
    fn read_ahead(&self, head: Head, tell: SyncSender<Result<Vec<Batch>, ReadFault>>) {
        let mut chain = Chain::after(head);
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
fn take_all<B>(
    hear: Receiver<Result<Vec<Batch>, ReadFault>>,
    progress: Progress<'_>,
    take: &mut impl FnMut(&Batch) -> Result<ControlFlow<B>, ReportFault>,
) -> Result<Option<B>, ReportFault> {
    let mut last = Seq::ZERO;
    while let Ok(part) = hear.recv() {
        for batch in part? {
            last = batch.last_seq();
            if let ControlFlow::Break(with) = take(&batch)? {
                return Ok(Some(with));
            }
        }
        progress(last.0);
    }
    Ok(None)
}
