//! A copy of the state that follows a journal: the one way to apply what is durable.
//!
//! **For:** whoever folds: recovery, folding again after an append that was given up, `verify`, `check`, reports, the
//! simulator's oracle, later a standby.
//!
//! **Guarantees:** an append is applied whole, in order and without gaps, or a fault names its entry; [`Chain`] takes an
//! append only when its hash follows from the one before. Nothing is decided here: effects are after-values.
//!
//! **Bounded by:** the state, and what [`Ids`] may remember.
//!
//! **Deliberately not here:** deciding ([`crate::decider`]), rows of a checkpoint ([`crate::checkpoint`]).

use domain::apply::Misfit;
use domain::effects::Effects;
use domain::id::CommandId;
use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;

use crate::ids::{Fingerprint, Ids};
use crate::journal::{Batch, Hash, Head, JournalReader, Link, ReadFault, decode};

/// Octets of the journal that are read at once.
const READ_BYTES: usize = 8 << 20;

/// Why a journal can't be followed any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldFault {
    /// It can't be read or is damaged.
    #[error(transparent)]
    Journal(#[from] ReadFault),
    /// An entry that doesn't follow the state before it.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// What a replica remembers of each entry besides its effects.
pub trait Remember {
    /// An entry was applied.
    fn entry(&mut self, id: CommandId, fingerprint: Fingerprint, seq: Seq, at: Timestamp);
}

impl Remember for Ids {
    fn entry(&mut self, id: CommandId, fingerprint: Fingerprint, seq: Seq, at: Timestamp) {
        self.insert(id, fingerprint, seq, at);
    }
}

/// Who only looks at the books remembers nothing.
impl Remember for () {
    fn entry(&mut self, _: CommandId, _: Fingerprint, _: Seq, _: Timestamp) {}
}

/// See the module. `R` is [`Ids`] for whoever may decide next, and `()` for whoever only looks at the books.
#[derive(Debug, Default)]
pub struct Replica<R = Ids> {
    /// The state.
    pub state: State,
    /// What is remembered besides.
    pub ids: R,
    /// The head that both belong to.
    pub head: Head,
}

/// The fold alone: for reports and checks.
pub type Fold = Replica<()>;

impl<R: Remember> Replica<R> {
    /// Before the first entry.
    pub fn new(ids: R) -> Self {
        Self { state: State::default(), ids, head: Head::default() }
    }

    /// Applies the effects of one entry and remembers its id. The head stays where it is until the whole append is applied:
    /// see [`advance`](Self::advance).
    ///
    /// # Errors
    /// When the entry does not fit; the replica is then half changed and must not be used any more.
    pub fn entry(
        &mut self,
        (seq, at): (Seq, Timestamp),
        (id, fingerprint): (CommandId, Fingerprint),
        effects: &Effects,
    ) -> Result<(), Misfit> {
        self.state.apply(seq, at, effects)?;
        self.ids.entry(id, fingerprint, seq, at);
        Ok(())
    }

    /// Everything up to `head` is applied.
    pub const fn advance(&mut self, head: Head) {
        self.head = head;
    }

    /// Applies an append whose place in the chain was checked before, by a [`Chain`].
    ///
    /// # Errors
    /// When an entry does not fit; the replica must then not be used any more.
    pub fn batch(&mut self, batch: &Batch) -> Result<(), Misfit> {
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            self.entry((seq, batch.at), (entry.id, *fingerprint), &entry.verdict.effects)?;
        }
        self.advance(batch.head());
        Ok(())
    }

    /// Checks that an append follows, and applies it.
    ///
    /// # Errors
    /// See [`FoldFault`]; the replica must then not be used any more.
    pub fn link(&mut self, link: &Link) -> Result<Batch, FoldFault> {
        let batch = Chain::after(self.head).next(link)?;
        self.batch(&batch)?;
        Ok(batch)
    }

    /// Applies everything that a journal has after the head. `progress` hears how many entries are done.
    ///
    /// # Errors
    /// See [`FoldFault`].
    pub fn catch_up(&mut self, reader: &dyn JournalReader, progress: &mut dyn FnMut(u64)) -> Result<(), FoldFault> {
        let mut done = 0;
        loop {
            let links = reader.read(self.head.seq.next(), READ_BYTES)?;
            if links.is_empty() {
                return Ok(());
            }
            for link in &links {
                self.link(link)?;
                done += u64::from(link.count);
            }
            progress(done);
        }
    }
}

/// The chain of appends, as far as it was checked. For a thread that reads and decodes ahead of the one that applies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chain {
    head: Head,
}

impl Chain {
    /// Goes on after this head.
    pub const fn after(head: Head) -> Self {
        Self { head }
    }

    /// How far it was checked.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Checks that an append follows, and decodes it.
    ///
    /// # Errors
    /// [`ReadFault::Damaged`] when entries are missing before it, its hash does not follow, or its bytes can't be read.
    pub fn next(&mut self, link: &Link) -> Result<Batch, ReadFault> {
        follows(link, self.head.seq, &self.head.hash)?;
        let batch = decode(link)?;
        self.head = link.head();
        Ok(batch)
    }
}

/// Checks that an append follows the one that ends with the entry `before` and has the hash `hash`.
///
/// # Errors
/// [`ReadFault::Damaged`] when entries are missing between them, or its hash is not right.
pub fn follows(link: &Link, before: Seq, hash: &Hash) -> Result<(), ReadFault> {
    let damaged = |what: &str| ReadFault::Damaged { seq: link.first_seq, what: String::from(what) };
    if link.first_seq != before.next() {
        return Err(damaged("entries before it are missing"));
    }
    if !link.follows(hash) {
        return Err(damaged("its hash does not follow from the one before"));
    }
    Ok(())
}
