//! What is made of a whole journal: reports, the daily check, other rules tried on what was.
//!
//! `fold` walks a journal, `agree` compares what it gives with the checkpoint and with itself, `check` does so every day.
//!
//! Guarantees: the journal and the checkpoint are read, never written; a business date is the entry's own.
//! Deliberately not here: the words of the command line (`sonmul` has them), deciding (the domain's).

pub mod agree;
pub mod balances;
pub mod chart;
pub mod check;
pub mod fault;
pub mod fold;
pub mod month;
pub mod parquet;
pub mod signed;
pub mod table;
pub mod tables;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod turnover;
