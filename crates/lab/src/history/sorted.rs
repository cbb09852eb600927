//! Sorting more than fits into memory: rows of words, in runs that are written to temporary files and merged.
//!
//! A client knows a call's answer when it returns, so it writes lines in the order of returns, and several clients write
//! several files. Asking for lines in the order of calls would make every client sort; sorting here asks for nothing.
//!
//! Guarantees: what was pushed comes back in ascending order. Nothing is written to disk while it fits.
//! Bounded by: the memory that is given, and [`RUNS_MAX`] files that have no name and go with the process.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use super::{HistoryFault, io};

/// Runs at most: one open file each.
const RUNS_MAX: usize = 512;
/// Rows that are held at least.
const ROWS_MIN: usize = 1_024;
/// Octets of a run that are read at once.
const READ_LEN: usize = 256 << 10;

/// Takes rows.
pub(super) struct Sorter<const N: usize> {
    rows: Vec<[u64; N]>,
    rows_max: usize,
    runs: Vec<File>,
}

impl<const N: usize> Sorter<N> {
    /// Holds as many rows as fit these octets.
    pub(super) fn new(memory_bytes: usize) -> Self {
        Self { rows: Vec::new(), rows_max: (memory_bytes / (N * size_of::<u64>())).max(ROWS_MIN), runs: Vec::new() }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, row: [u64; N]) -> Result<(), HistoryFault> {
        if self.rows.len() == self.rows_max {
            self.spill()?;
        }
        self.rows.push(row);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), HistoryFault> {
        if self.runs.len() == RUNS_MAX {
            return Err(HistoryFault::TooLong);
        }
        self.rows.sort_unstable();
        let file = tempfile::tempfile().map_err(io("a temporary file"))?;
        let mut out = BufWriter::with_capacity(READ_LEN, file);
        let written = self.rows.iter().flatten().try_for_each(|word| out.write_all(&word.to_be_bytes()));
        written.map_err(io("writing a temporary file"))?;
        let file = out.into_inner().map_err(|error| io("writing a temporary file")(error.into_error()))?;
        self.runs.push(file);
        self.rows.clear();
        Ok(())
    }

    /// Everything in order.
    pub(super) fn finish(mut self) -> Result<Sorted<N>, HistoryFault> {
        self.rows.sort_unstable();
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        for mut file in self.runs {
            file.rewind().map_err(io("reading a temporary file"))?;
            runs.push(Run::File(BufReader::with_capacity(READ_LEN, file)));
        }
        runs.push(Run::Rows(self.rows.into_iter()));
        let mut sorted = Sorted { heads: BinaryHeap::with_capacity(runs.len()), runs };
        for run in 0..sorted.runs.len() {
            sorted.refill(run)?;
        }
        Ok(sorted)
    }
}

enum Run<const N: usize> {
    File(BufReader<File>),
    Rows(std::vec::IntoIter<[u64; N]>),
}

impl<const N: usize> Run<N> {
    fn next(&mut self) -> Result<Option<[u64; N]>, HistoryFault> {
        match self {
            Self::Rows(rows) => Ok(rows.next()),
            Self::File(file) => {
                let mut row = [0; N];
                for (at, word) in row.iter_mut().enumerate() {
                    let mut octets = [0; size_of::<u64>()];
                    match file.read_exact(&mut octets) {
                        Ok(()) => *word = u64::from_be_bytes(octets),
                        Err(error) if at == 0 && error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                        Err(error) => return Err(io("reading a temporary file")(error)),
                    }
                }
                Ok(Some(row))
            }
        }
    }
}

/// Gives rows in ascending order.
pub(super) struct Sorted<const N: usize> {
    runs: Vec<Run<N>>,
    /// The first row of each run that has one.
    heads: BinaryHeap<Reverse<([u64; N], usize)>>,
}

impl<const N: usize> Sorted<N> {
    fn refill(&mut self, run: usize) -> Result<(), HistoryFault> {
        let next = self.runs.get_mut(run).map_or(Ok(None), Run::next)?;
        self.heads.extend(next.map(|row| Reverse((row, run))));
        Ok(())
    }

    /// The row that comes next, without taking it.
    pub(super) fn peek(&self) -> Option<&[u64; N]> {
        self.heads.peek().map(|Reverse((row, _))| row)
    }

    /// Takes the next row.
    pub(super) fn take(&mut self) -> Result<Option<[u64; N]>, HistoryFault> {
        let Some(Reverse((row, run))) = self.heads.pop() else { return Ok(None) };
        self.refill(run)?;
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS_MIN, Sorter};

    #[test]
    fn what_does_not_fit_comes_back_in_order() {
        for count in [0, 1, ROWS_MIN, ROWS_MIN + 1, 10 * ROWS_MIN + 7] {
            let mut sorter = Sorter::<2>::new(0);
            let mut expected: Vec<[u64; 2]> = Vec::new();
            for n in 0..count as u64 {
                // A multiplier without a factor in common with 2^64 goes through all values.
                let row = [n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52, n];
                sorter.push(row).expect("pushed");
                expected.push(row);
            }
            assert_eq!(sorter.runs.len(), count.saturating_sub(1) / ROWS_MIN, "it did go to disk");
            expected.sort_unstable();
            let mut sorted = sorter.finish().expect("sorted");
            let mut got = Vec::new();
            while let Some(row) = sorted.take().expect("read") {
                got.push(row);
            }
            assert!(got == expected, "{count}");
        }
    }
}
