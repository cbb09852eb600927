//! The journal as the engine sees it: a port, the codec of an append, and the hash chain.
//!
//! One row is one append: `first_seq`, the entries as CBOR, the hash. The hash of an append covers the hash before it,
//! so that partial edits and accidents are found by [`Link::follows`].
//!
//! Guarantees asked of an implementation: [`Journal::append`] returns only when the append is durable; a failed sync is
//! [`AppendFault::Lost`] and is never retried; a stale writer gets [`AppendFault::Stale`].
//!
//! Deliberately not here: files and SQL (the `store` crate has them).

use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::Entry;

use crate::ids::Fingerprint;

/// Version of what an append holds: its layout, and that of the entries in it. Readers refuse what they don't know.
pub const APPEND_VERSION: u8 = 3;
/// Entries in one append at most.
pub const APPEND_ENTRIES_MAX: usize = 16_384;

/// A BLAKE3 hash of the chain.
pub type Hash = [u8; 32];

/// The end of a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The latest entry; 0: none yet.
    pub seq: Seq,
    /// The hash of the append that holds it; zeros when there is none.
    pub hash: Hash,
    /// Its instant.
    pub at: Timestamp,
}

/// One append, ready to be written or just read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its first entry.
    pub first_seq: Seq,
    /// How many entries, at least 1.
    pub count: u32,
    /// Their instant.
    pub at: Timestamp,
    /// The append as CBOR: see [`encode`] and [`decode`].
    pub bytes: Vec<u8>,
    /// BLAKE3 over the hash before, `first_seq` and `bytes`.
    pub hash: Hash,
}

impl Link {
    /// Chains bytes to the append before.
    pub fn new(before: &Hash, first_seq: Seq, count: u32, at: Timestamp, bytes: Vec<u8>) -> Self {
        let hash = chain(before, first_seq, &bytes);
        Self { first_seq, count, at, bytes, hash }
    }

    /// Whether it is the whole and unchanged append after one with the hash `before`.
    pub fn follows(&self, before: &Hash) -> bool {
        self.hash == chain(before, self.first_seq, &self.bytes)
    }

    /// Its latest entry.
    pub const fn last_seq(&self) -> Seq {
        Seq(self.first_seq.0.saturating_add(self.count as u64).saturating_sub(1))
    }

    /// The head of a journal that ends here.
    pub const fn head(&self) -> Head {
        Head { seq: self.last_seq(), hash: self.hash, at: self.at }
    }
}

/// The hash of an append.
pub fn chain(before: &Hash, first_seq: Seq, bytes: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(&first_seq.0.to_be_bytes());
    hasher.update(bytes);
    *hasher.finalize().as_bytes()
}

/// Why an append was not made, or is not known to have been made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendFault {
    /// No room, and nothing was written: the same append may be tried again.
    #[error("no room for the journal: free some space on its disk; intake goes on by itself")]
    NoRoom,
    /// The journal ends elsewhere: another writer is at work. This one must stop.
    #[error("the journal is at {found}, not at {expected}: another server writes to it; stop one of them")]
    Stale {
        /// Where this writer believed it to end.
        expected: Seq,
        /// Where it ends.
        found: Seq,
    },
    /// The outcome of a sync is not known, or the file can't be written. Never retried: the process stops.
    #[error("the journal can't be written: {0}")]
    Lost(String),
}

/// A read failed, or what was read is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// The append at this seq is damaged. Nothing is ever dropped in silence.
    #[error("the journal is damaged at seq {seq}: {what}; see `sonmul repair --help`")]
    Damaged {
        /// Its first entry, or the entry asked for.
        seq: Seq,
        /// What is wrong with it.
        what: String,
    },
    /// Another program wrote the journal. It is not damaged, and nothing of it may be dropped.
    #[error("the journal has format {found}, and this program reads format {known}: use the program that wrote it")]
    OtherFormat {
        /// What it has.
        found: i64,
        /// What this program reads.
        known: i64,
    },
    /// The segment with this seq was archived: it is absent, not damaged.
    #[error("the segment with seq {seq} is not here: bring it back from the archive")]
    Absent {
        /// The first entry that is absent.
        seq: Seq,
    },
    /// The file or server can't be read.
    #[error("the journal can't be read: {0}")]
    Io(String),
}

/// The writing side: one at a time, owned by the decider's thread.
pub trait Journal: Send {
    /// Where it ends.
    fn head(&self) -> Head;

    /// Makes an append durable. `link.first_seq` names the place it expects.
    ///
    /// # Errors
    /// See [`AppendFault`]; after anything but [`AppendFault::NoRoom`] the journal must not be used any more.
    fn append(&mut self, link: &Link) -> Result<(), AppendFault>;

    /// Whether less than `disk_reserve_bytes` is left. Intake closes before the disk is full.
    fn is_short_of_room(&self) -> bool;
}

/// The reading side: any number, in any thread.
pub trait JournalReader: Send + Sync {
    /// The append that holds this entry; `None` past the head.
    ///
    /// # Errors
    /// See [`ReadFault`].
    fn find(&self, seq: Seq) -> Result<Option<Link>, ReadFault>;

    /// Appends in order, the first one that which holds `from`, as many as fit `bytes_max` and at least one; empty past
    /// the head.
    ///
    /// # Errors
    /// See [`ReadFault`].
    fn read(&self, from: Seq, bytes_max: usize) -> Result<Vec<Link>, ReadFault>;
}

/// Begins an append's bytes. Entries are added with [`Draft::push`].
///
/// `[version, at, count, entry, entry, …]` as a CBOR array of indefinite length; version, instant and count have a fixed
/// width, so that [`peek`] reads them without decoding an entry.
#[derive(Debug)]
pub struct Draft {
    bytes: Vec<u8>,
    at: Timestamp,
    count: u32,
}

/// Octets before the first entry: array, version, at (1 + 8), count (1 + 4).
const HEADER_LEN: usize = 1 + 1 + 9 + 5;
/// CBOR's head of an eight-octet and of a four-octet unsigned integer.
const U64: u8 = 0x1B;
const U32: u8 = 0x1A;

impl Draft {
    /// An append of entries decided at `at`, with room for so many octets.
    pub fn new(at: Timestamp, room: usize) -> Self {
        let mut bytes = Vec::with_capacity(room.max(HEADER_LEN + 1));
        bytes.extend_from_slice(&[0x9F, APPEND_VERSION, U64]);
        bytes.extend_from_slice(&at.ms().to_be_bytes());
        bytes.extend_from_slice(&[U32, 0, 0, 0, 0]);
        Self { bytes, at, count: 0 }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &Entry) {
        // Writing to a Vec can't fail, and no encoder of the domain refuses a value.
        let written = minicbor::encode(entry, &mut self.bytes);
        assert!(written.is_ok(), "an entry that can't be encoded");
        self.count += 1;
    }

    /// How many entries so far.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Octets so far.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no entry.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Chains it to the append before.
    pub fn finish(mut self, before: &Head) -> Link {
        self.bytes.push(0xFF);
        if let Some(place) = self.bytes.get_mut(HEADER_LEN - 4..HEADER_LEN) {
            place.copy_from_slice(&self.count.to_be_bytes());
        }
        Link::new(&before.hash, before.seq.next(), self.count, self.at, self.bytes)
    }
}

/// The instant and the number of entries that an append's bytes name; `None` when these are no such bytes.
pub fn peek(bytes: &[u8]) -> Option<(Timestamp, u32)> {
    let &[0x9F, APPEND_VERSION, U64, a, b, c, d, e, f, g, h, U32, i, j, k, l, ..] = bytes else { return None };
    let at = Timestamp::from_ms(i64::from_be_bytes([a, b, c, d, e, f, g, h]));
    Some((at, u32::from_be_bytes([i, j, k, l])))
}

/// A decoded append.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its first entry.
    pub first_seq: Seq,
    /// When all of them were decided.
    pub at: Timestamp,
    /// The entries in order.
    pub entries: Vec<Entry>,
    /// Of each entry's body.
    pub fingerprints: Vec<Fingerprint>,
    /// The hash of its append.
    pub hash: Hash,
}

impl Batch {
    /// Entries with their seqs.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, &Entry)> {
        (self.first_seq.0..).map(Seq).zip(&self.entries)
    }

    /// The head of a journal that ends with it.
    pub fn head(&self) -> Head {
        Head { seq: self.last_seq(), hash: self.hash, at: self.at }
    }

    /// Its latest entry.
    pub fn last_seq(&self) -> Seq {
        Seq((self.first_seq.0 + self.entries.len() as u64).saturating_sub(1))
    }
}

/// Decodes an append.
///
/// # Errors
/// [`ReadFault::Damaged`] when its bytes are no append of a known version, or hold another number of entries.
pub fn decode(link: &Link) -> Result<Batch, ReadFault> {
    let damaged = |what: &dyn core::fmt::Display| ReadFault::Damaged { seq: link.first_seq, what: what.to_string() };
    if let Some(version) = link.bytes.get(1).filter(|version| **version != APPEND_VERSION) {
        return Err(damaged(&format_args!("it has version {version}; this program reads {APPEND_VERSION}")));
    }
    let Some((at, count)) = peek(&link.bytes) else { return Err(damaged(&"it is no append")) };
    let mut d = minicbor::Decoder::new(&link.bytes);
    d.set_position(HEADER_LEN);
    let mut entries = Vec::with_capacity(APPEND_ENTRIES_MAX.min(count as usize));
    loop {
        match d.datatype().map_err(|e| damaged(&e))? {
            minicbor::data::Type::Break => break,
            _ => entries.push(d.decode::<Entry>().map_err(|e| damaged(&e))?),
        }
    }
    if entries.len() != count as usize || count != link.count || count == 0 || at != link.at {
        return Err(damaged(&"it does not hold what its row says"));
    }
    let fingerprints = entries.iter().map(|entry| Fingerprint::of(&entry.body)).collect();
    Ok(Batch { first_seq: link.first_seq, at, entries, fingerprints, hash: link.hash })
}
