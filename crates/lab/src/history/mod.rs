//! Whether what clients saw fits the journal: strict serialisability as a linear check.
//!
//! **For:** `sonmul-lab check-history`, and the kill loop ([`crate::kills`]). The format of a history is in docs/history.md;
//! any client in any language can write it.
//!
//! **Guarantees:** the journal is the order. Every answer is compared with its entry, and every pair of calls of which one
//! returned before the other began with the order of their entries; see [`Rule`] for what is judged. A contradiction names
//! the lines and the entries that contradict each other.
//!
//! **Bounded by:** [`Checking::memory_bytes`], whatever the sizes of history and journal: what does not fit is sorted in
//! temporary files ([`sorted`]). Besides: calls that are open at the same time, [`NAMES_MAX`] different names, and
//! [`SHOWN_MAX`] contradictions that are told whole.
//!
//! **Deliberately not here:** whether a verdict was right. Entries follow from each other, which `sonmul verify` and the
//! simulator's oracle judge.

mod asked;
mod findings;
mod join;
mod line;
mod order;
mod records;
mod sorted;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use domain::receipt::Seq;
use engine::journal::{JournalReader, ReadFault};
use engine::replica::Chain;
use store::{DataDir, SqliteReader, StoreFault};

use findings::Findings;
use line::Parsed;
use records::{CALL_WORDS, Call, ENTRY_WORDS, Entry, SPAN_WORDS, Span};
use sorted::Sorter;

pub use findings::{Contradiction, Report, Rule, SHOWN_MAX};
pub use line::{Asked, Dial, LINE_LEN_MAX, Line};
pub use records::NAMES_MAX;

/// Octets of the journal that are read at once.
const READ_BYTES: usize = 4 << 20;

/// What is compared with what.
#[derive(Clone, Debug)]
pub struct Checking {
    /// The history: JSON lines, in any order; `-` is standard input.
    pub history: PathBuf,
    /// The data directory.
    pub journal: PathBuf,
    /// The history has every call that was made: an entry that nobody called is a contradiction.
    pub complete: bool,
    /// Memory for sorting; what does not fit goes to temporary files.
    pub memory_bytes: usize,
}

/// Why a history can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum HistoryFault {
    /// A line that is not of the format.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Lines name more different things than there are.
    #[error("the history has more than {NAMES_MAX} different names of commands and verdicts: it is not one")]
    TooManyNames,
    /// More to sort than there may be files for.
    #[error("the history is too long for so little memory: give it more (--memory-mb)")]
    TooLong,
    /// There is no such history.
    #[error("{file}: {error}")]
    NoHistory {
        /// Where it should be.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The history or a temporary file.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The data directory.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] ReadFault),
}

/// Names what was tried.
fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> HistoryFault {
    let what = what.into();
    move |error| HistoryFault::Io { what, error }
}

/// Hears how far a check is: what is done, of how many if that is known, and how many are done.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, Option<u64>, u64);

/// Reads history and journal, and compares them.
///
/// # Errors
/// See [`HistoryFault`]. A contradiction is no error but part of the report.
pub fn check(checking: &Checking, progress: Progress<'_>) -> Result<Report, HistoryFault> {
    let mut findings = Findings::default();
    let mut sorters = Sorters::new(checking.memory_bytes);
    read_history(&checking.history, &mut findings, &mut sorters, progress)?;
    // After the history: whatever was answered before it ended is in the journal by now.
    read_journal(&checking.journal, &mut findings, &mut sorters, progress)?;
    let Sorters { calls, entries, mut spans } = sorters;
    join::join(calls.finish()?, entries.finish()?, checking.complete, &mut findings, &mut spans, progress)?;
    order::order(spans.finish()?, &mut findings, progress)?;
    Ok(findings.report())
}

/// What is sorted: calls and entries by id, what they span by when it was called.
struct Sorters {
    calls: Sorter<CALL_WORDS>,
    entries: Sorter<ENTRY_WORDS>,
    spans: Sorter<SPAN_WORDS>,
}

impl Sorters {
    fn new(memory_bytes: usize) -> Self {
        let each = memory_bytes / 3;
        Self { calls: Sorter::new(each), entries: Sorter::new(each), spans: Sorter::new(each) }
    }
}

fn read_history(
    path: &Path,
    findings: &mut Findings,
    sorters: &mut Sorters,
    progress: Progress<'_>,
) -> Result<(), HistoryFault> {
    let (input, total): (Box<dyn BufRead>, Option<u64>) = if path == Path::new("-") {
        (Box::new(BufReader::new(std::io::stdin())), None)
    } else {
        let file =
            File::open(path).map_err(|error| HistoryFault::NoHistory { file: path.display().to_string(), error })?;
        let total = file.metadata().ok().map(|meta| meta.len());
        (Box::new(BufReader::with_capacity(1 << 20, file)), total)
    };
    let mut octets = 0;
    line::each(input, |number, text| {
        octets += text.len() as u64 + 1;
        progress("reading the history", total, octets);
        findings.counts.lines += 1;
        match line::parse(text).map_err(|what| HistoryFault::Line { line: number, what })? {
            Parsed::Command(command) => {
                let call = Call::new(number, &command, &mut findings.names)?;
                findings.count(&call);
                sorters.calls.push(call.into())
            }
            Parsed::Read(read) => {
                findings.counts.reads += 1;
                sorters.spans.push(Span::read(number, read).into())
            }
            Parsed::Unread => {
                findings.counts.unread += 1;
                Ok(())
            }
        }
    })
}

fn read_journal(
    path: &Path,
    findings: &mut Findings,
    sorters: &mut Sorters,
    progress: Progress<'_>,
) -> Result<(), HistoryFault> {
    let reader = SqliteReader::open(&DataDir::open_shared(path)?)?;
    let end = reader.latest()?.map_or(Seq::ZERO, |link| link.last_seq());
    let mut chain = Chain::default();
    while chain.head().seq < end {
        let links = reader.read(chain.head().seq.next(), READ_BYTES)?;
        if links.is_empty() {
            break;
        }
        for link in &links {
            let batch = chain.next(link)?;
            for (seq, entry) in batch.iter() {
                findings.counts.entries += 1;
                sorters.entries.push(Entry::new(seq, batch.at, entry, &mut findings.names)?.into())?;
            }
        }
        progress("reading the journal", Some(end.0), chain.head().seq.0);
    }
    Ok(())
}
