//! What is made of a whole journal: reports, the daily check, other rules tried on what was.
//!
//! `fold` walks a journal, `agree` compares what it gives with the checkpoint and with itself.
//!
//! Guarantees: the journal and the checkpoint are read, never written; a business date is the entry's own.
//! Deliberately not here: the words of the command line (see `commands`), deciding (the domain's).

pub(crate) mod agree;
pub(crate) mod balances;
pub(crate) mod chart;
pub(crate) mod fold;
pub(crate) mod month;
pub(crate) mod parquet;
pub(crate) mod table;
pub(crate) mod tables;
pub(crate) mod tally;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod trial;
pub(crate) mod turnover;
