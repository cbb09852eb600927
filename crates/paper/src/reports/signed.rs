//! The state that a check found right, signed, so that the next check goes on from there instead of from entry one.
//!
//! A file: what it is, its format, then blocks of a length and so many octets of CBOR (first a [`Header`], then rows of the
//! state), a block of no length, and a keyed BLAKE3 of everything before it.
//!
//! Guarantees: a state is gone on from only when its signature is this key's, the journal still holds the append that it
//! belongs to, and the checkpoint is not older; anything else is [`Unusable`], and the journal is folded from entry one. A
//! flipped bit anywhere is noticed.
//!
//! Bounded by [`BLOCK`] octets at a time, and the state. Deliberately not here: where the file and the key are kept (`sonmul`).

use std::io::{self, Read, Seek, SeekFrom, Write};

use domain::ids::OperatorId;
use domain::receipt::Seq;
use domain::restore::{Restore, Row};
use domain::state::State;
use domain::time::Timestamp;
use engine::journal::{Head, ReadFault};
use engine::replica::Fold;
use minicbor::{Decode, Encode};

use super::agree::Waiting;
use super::check::{Check, Sums};
use super::fold::Journal;

/// What a file begins with.
const MAGIC: &[u8] = b"sonmul-checked\n";
/// Version of what follows, rows of the state included.
const FORMAT: u8 = 1;
/// Octets of a block, but for its last row.
const BLOCK: usize = 256 << 10;
/// Longest block: rules of an operator may be a megabyte, and a motion holds them too.
const BLOCK_MAX: usize = 16 << 20;
/// Octets of a signature.
const SIGNATURE: usize = 32;

/// A key that states are signed with.
pub type Key = [u8; 32];

/// Why a signed state can't be gone on from: the sentence says what is the matter, and everything is folded.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It was written by another version.
    #[error("the signed state has format {found}, and this program reads format {FORMAT}")]
    OtherFormat {
        /// Which it has.
        found: u8,
    },
    /// Changed, cut, or signed with another key.
    #[error("the signed state is damaged, or another key signed it")]
    NotSigned,
    /// The journal ends before it.
    #[error(
        "the journal ends at entry {journal}, before the signed state at {signed}: it was cut, repaired or restored"
    )]
    JournalCut {
        /// Where the state is.
        signed: Seq,
        /// Where the journal ends.
        journal: Seq,
    },
    /// The journal holds another append there.
    #[error(
        "entry {signed} is not the one that the signed state belongs to: the journal was repaired, restored or built anew"
    )]
    OtherJournal {
        /// Where the state is.
        signed: Seq,
    },
    /// The checkpoint would never be met.
    #[error("the checkpoint at entry {checkpoint} is older than the signed state at {signed}")]
    CheckpointBehind {
        /// Where the state is.
        signed: Seq,
        /// Where the checkpoint is.
        checkpoint: Seq,
    },
    /// The journal can't be read there.
    #[error("the journal can't be read at the signed state: {0}")]
    Journal(#[from] ReadFault),
    /// The file can't be read.
    #[error("the signed state can't be read: {0}")]
    Io(#[from] io::Error),
}

/// Where a state is, and what led there that it does not hold itself.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Header {
    #[n(0)]
    seq: Seq,
    #[cbor(n(1), with = "minicbor::bytes")]
    hash: [u8; 32],
    #[n(2)]
    at: Timestamp,
    #[n(3)]
    subscribers: u32,
    #[n(4)]
    cards: u32,
    #[n(5)]
    sums: Vec<(OperatorId, Sums)>,
}

/// What is written, and its signature so far.
struct Signing<'a> {
    out: &'a mut dyn Write,
    hasher: blake3::Hasher,
    block: Vec<u8>,
}

impl Signing<'_> {
    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.hasher.update(octets);
        self.out.write_all(octets)
    }

    fn item(&mut self, item: &impl Encode<()>) -> io::Result<()> {
        minicbor::encode(item, &mut self.block).map_err(io::Error::other)?;
        if self.block.len() < BLOCK { Ok(()) } else { self.end_block() }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = core::mem::take(&mut self.block);
        let len = u32::try_from(block.len()).ok().filter(|_| block.len() <= BLOCK_MAX);
        self.put(&len.ok_or_else(|| io::Error::other("a row without end"))?.to_be_bytes())?;
        self.put(&block)?;
        self.block = block;
        self.block.clear();
        Ok(())
    }
}

impl Check {
    /// Writes the state that was folded and what led there, signed. To be done only when nothing differs.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn sign(&self, key: &Key, out: &mut dyn Write) -> io::Result<()> {
        let mut signing = Signing { out, hasher: blake3::Hasher::new_keyed(key), block: Vec::new() };
        signing.put(MAGIC)?;
        signing.put(&[FORMAT])?;
        let Head { seq, hash, at } = self.folded.head;
        let state: &State = &self.folded.state;
        let (subscribers, cards) = state.rows();
        let count = |rows: usize| u32::try_from(rows).map_err(io::Error::other);
        let (subscribers, cards, sums) = (count(subscribers)?, count(cards)?, self.sums());
        signing.item(&Header { seq, hash, at, subscribers, cards, sums })?;
        signing.end_block()?;
        state.each_row(|row: Row| signing.item(&row))?;
        signing.end_block()?;
        signing.put(&0_u32.to_be_bytes())?;
        let signature = signing.hasher.finalize();
        signing.out.write_all(signature.as_bytes())
    }

    /// Goes on from a state that was signed before. The checkpoint must have been loaded before the journal was opened.
    ///
    /// # Errors
    /// See [`Unusable`]: then begin with [`Check::default`].
    pub fn resume(
        key: &Key,
        file: &mut (impl Read + Seek),
        journal: &Journal,
        checkpoint: &Waiting,
    ) -> Result<Self, Unusable> {
        signed(key, file)?;
        file.seek(SeekFrom::Start(MAGIC.len() as u64 + 1))?;
        let header = block(file)?.ok_or(Unusable::NotSigned)?;
        let header: Header = minicbor::decode(&header).map_err(|_| Unusable::NotSigned)?;
        let Header { seq, hash, at, subscribers, cards, sums } = header;
        let head = Head { seq, hash, at };
        fits(head, journal, checkpoint)?;
        let mut restore = Restore::new(subscribers as usize, cards as usize);
        while let Some(rows) = block(file)? {
            let mut decoder = minicbor::Decoder::new(&rows);
            while decoder.position() < rows.len() {
                let row: Row = decoder.decode().map_err(|_| Unusable::NotSigned)?;
                restore.row(row).map_err(|_| Unusable::NotSigned)?;
            }
        }
        let state = restore.finish(seq, at).map_err(|_| Unusable::NotSigned)?;
        Ok(Self::after(Fold { state, ids: (), head }, sums))
    }
}

/// Whether the whole file is what this key signed.
fn signed(key: &Key, file: &mut (impl Read + Seek)) -> Result<(), Unusable> {
    let end = file.seek(SeekFrom::End(0))?;
    let signed_len = end.checked_sub(SIGNATURE as u64).ok_or(Unusable::NotSigned)?;
    file.seek(SeekFrom::Start(0))?;
    let mut begin = vec![0; MAGIC.len() + 1];
    let mut rest = file.take(signed_len);
    rest.read_exact(&mut begin).map_err(|_| Unusable::NotSigned)?;
    match begin.split_last() {
        Some((&FORMAT, MAGIC)) => {}
        Some((&found, MAGIC)) => return Err(Unusable::OtherFormat { found }),
        _ => return Err(Unusable::NotSigned),
    }
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&begin);
    let mut octets = vec![0; BLOCK];
    loop {
        match rest.read(&mut octets) {
            Ok(0) => break,
            Ok(read) => {
                if let Some(octets) = octets.get(..read) {
                    hasher.update(octets);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut signature = [0; SIGNATURE];
    rest.into_inner().read_exact(&mut signature)?;
    // Compared in constant time.
    if hasher.finalize() == blake3::Hash::from_bytes(signature) { Ok(()) } else { Err(Unusable::NotSigned) }
}

/// The next block; `None`: the last one was read.
fn block(file: &mut impl Read) -> Result<Option<Vec<u8>>, Unusable> {
    let mut len = [0; 4];
    file.read_exact(&mut len)?;
    match u32::from_be_bytes(len) as usize {
        0 => Ok(None),
        len if len > BLOCK_MAX => Err(Unusable::NotSigned),
        len => {
            let mut octets = vec![0; len];
            file.read_exact(&mut octets)?;
            Ok(Some(octets))
        }
    }
}

/// Whether the journal and the checkpoint are those that a state at `head` can be gone on with.
fn fits(head: Head, journal: &Journal, checkpoint: &Waiting) -> Result<(), Unusable> {
    let signed = head.seq;
    if journal.end() < signed {
        return Err(Unusable::JournalCut { signed, journal: journal.end() });
    }
    // An append that is archived is not found: the next one's hash still says whether it follows.
    if let Some(link) = journal.find(signed)?
        && link.head() != head
    {
        return Err(Unusable::OtherJournal { signed });
    }
    match checkpoint.seq() {
        Some(checkpoint) if Seq::ZERO < checkpoint && checkpoint < signed => {
            Err(Unusable::CheckpointBehind { signed, checkpoint })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use domain::receipt::Seq;

    use super::{Check, Key, Unusable};
    use crate::reports::agree::Waiting;
    use crate::reports::tests::world::World;

    const KEY: Key = [7; 32];

    /// Everything folded, or from a signed state on; what was found, and the check.
    fn checked(world: &World, entries: usize, from: Option<&[u8]>) -> Result<(Check, Option<usize>), Unusable> {
        let (kept, journal) = world.written_up_to(entries);
        let mut checkpoint = Waiting::load(&kept).expect("readable");
        let mut check = match from {
            Some(octets) => Check::resume(&KEY, &mut Cursor::new(octets), &journal, &checkpoint)?,
            None => Check::default(),
        };
        check.fold(&journal, &mut checkpoint, &mut |_| {}).expect("folded");
        Ok((check, checkpoint.compared.map(|(_, accounts)| accounts)))
    }

    fn signed(check: &Check) -> Vec<u8> {
        let mut octets = Vec::new();
        check.sign(&KEY, &mut octets).expect("written");
        octets
    }

    #[test]
    fn both_ways_lead_to_the_same() {
        let world = World::november();
        let all = world.entries();
        let (whole, accounts) = checked(&world, all, None).expect("folded");
        assert_eq!((whole.differences.len(), accounts), (0, Some(18)));
        for first in 0..=all {
            let (begun, _) = checked(&world, first, None).expect("folded");
            let state = signed(&begun);
            let (resumed, compared) = checked(&world, all, Some(&state)).expect("a state");
            assert_eq!(resumed.folded.head, whole.folded.head, "{first}");
            assert_eq!(resumed.folded.state.differences(&whole.folded.state, 9), [], "{first}");
            assert_eq!((resumed.parts(), resumed.sums()), (whole.parts(), whole.sums()), "{first}");
            assert_eq!((resumed.differences.len(), compared), (0, accounts), "{first}");
            assert_eq!(resumed.from, Seq(first as u64));
        }
    }

    #[test]
    fn what_is_wrong_after_a_signed_state_is_found_as_if_all_were_folded() {
        let mut world = World::new();
        world.on("2026-11-02T01:00:00Z");
        let (begun, _) = checked(&world, world.entries(), None).expect("folded");
        let state = signed(&begun);
        world.gift(2, 1, 50, None);
        world.spoil(|entry| entry.verdict.effects.balances[2].after_minor += 1);
        let all = world.entries();
        let found = |from| {
            let (check, _) = checked(&world, all, from).expect("folded");
            check.differences.into_iter().map(|difference| difference.what).collect::<Vec<_>>()
        };
        let whole = found(None);
        assert_eq!(whole.len(), 2, "{whole:?}");
        assert_eq!(found(Some(&state)), whole);
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_is() {
        let world = World::november();
        let all = world.entries();
        let (check, _) = checked(&world, all, None).expect("folded");
        let state = signed(&check);
        assert!(checked(&world, all, Some(&state)).is_ok());
        for at in (0..state.len()).step_by(37).chain([14, 15, state.len() - 33, state.len() - 1]) {
            let mut damaged = state.clone();
            damaged[at] ^= 1;
            let refused = checked(&world, all, Some(&damaged));
            // The 16th octet is the format's: another one is of another version.
            let expected = if at == 15 { "format 0" } else { "damaged" };
            match refused {
                Err(why) => assert!(why.to_string().contains(expected), "octet {at}: {why}"),
                Ok(_) => panic!("octet {at}"),
            }
        }
        for len in [0, 15, 16, 47, state.len() - 1] {
            assert!(matches!(checked(&world, all, Some(&state[..len])), Err(Unusable::NotSigned)), "{len} octets");
        }
        let longer = [&state[..], &[0]].concat();
        assert!(matches!(checked(&world, all, Some(&longer)), Err(Unusable::NotSigned)));
    }

    #[test]
    fn another_key_signs_nothing_here() {
        let world = World::new();
        let all = world.entries();
        let (check, _) = checked(&world, all, None).expect("folded");
        let mut foreign = Vec::new();
        check.sign(&[8; 32], &mut foreign).expect("written");
        assert!(matches!(checked(&world, all, Some(&foreign)), Err(Unusable::NotSigned)));
    }

    #[test]
    fn a_journal_that_was_rewound_or_cut_behind_the_signed_state_is_noticed() {
        let with = |amounts: &[i64]| {
            let mut world = World::new();
            world.on("2026-11-02T01:00:00Z");
            amounts.iter().for_each(|amount| world.gift(2, 1, *amount, None));
            world
        };
        let known = with(&[50, 60]);
        let at = known.entries();
        let (check, _) = checked(&known, at, None).expect("folded");
        let state = signed(&check);
        // Cut, and not gone on.
        let cut = checked(&known, at - 1, Some(&state));
        assert!(matches!(cut, Err(Unusable::JournalCut { .. })), "{:?}", cut.err());
        // Cut, and gone on otherwise: as long, and longer.
        for amounts in [&[50, 61][..], &[50, 61, 70, 80]] {
            let other = with(amounts);
            let rewound = checked(&other, other.entries(), Some(&state));
            assert!(matches!(rewound, Err(Unusable::OtherJournal { .. })), "{:?}", rewound.err());
        }
        // The same until there, and longer.
        let longer = with(&[50, 60, 70]);
        assert!(checked(&longer, longer.entries(), Some(&state)).is_ok());
    }

    #[test]
    fn a_checkpoint_that_is_older_would_never_be_compared() {
        let world = World::november();
        let all = world.entries();
        let (check, _) = checked(&world, all, None).expect("folded");
        let state = signed(&check);
        let (old, _) = world.written_up_to(all - 1);
        let (_, journal) = world.written_up_to(all);
        let checkpoint = Waiting::load(&old).expect("readable");
        let refused = Check::resume(&KEY, &mut Cursor::new(&state), &journal, &checkpoint);
        assert!(matches!(refused, Err(Unusable::CheckpointBehind { .. })), "{:?}", refused.err());
    }
}
