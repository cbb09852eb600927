//! Why a report could not be made.

use engine::checkpoint::CheckpointFault;
use engine::journal::ReadFault;
use engine::recover::RecoverFault;

/// A journal that can't be folded, a question that has no answer, or an output that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportFault {
    /// The journal can't be read or is damaged.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// The journal and the checkpoint don't belong together, or an entry does not follow the one before.
    #[error(transparent)]
    Recover(#[from] RecoverFault),
    /// The checkpoint can't be read or is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// There is nothing to report on.
    #[error("the journal has no entry yet")]
    NoEntry,
    /// Nobody is called that.
    #[error("no operator is called {name} up to {month}; there are: {known}")]
    UnknownOperator {
        /// Who was asked for.
        name: String,
        /// Until when was looked.
        month: String,
        /// Those that are known, separated by commas.
        known: String,
    },
    /// An operator of the journal is not in its state: a bug of ours.
    #[error("an operator is gone")]
    OperatorGone,
    /// Proposed rules that can't be tried.
    #[error("the rules have more limits than can be numbered")]
    TooManyLimits,
    /// Proposed rules that can't be compared.
    #[error("the proposed rules count in another minor unit: nothing can be compared")]
    OtherUnit,
    /// A number that is too long for a bar, or what the drawing library says.
    #[error("a chart could not be drawn: {0}")]
    Chart(String),
    /// A sum that leaves 64 bits.
    #[error("a sum that no column of Parquet holds")]
    TooLarge,
    /// A bug of ours.
    #[error("a Parquet file with fewer columns than its schema")]
    Columns,
    /// A Parquet file could not be written.
    #[error(transparent)]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// A CSV file could not be written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// An output could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
