//! The rules of Sonmul, and nothing else: what a gift is, who may give one, and what it does to the books.
//!
//! For: [`decide`](decide::decide), a pure function from (state, command, time) to a verdict, and
//! [`State::apply`](state::State::apply), which folds a verdict's effects into the state.
//!
//! Guarantees: the same arguments give the same answer; a refusal is data; an unbalanced booking can't be
//! written; no purse goes below zero; replay never decides.
//!
//! Bounded by: [`TOUCH_MAX`] accounts per command, and by the ceilings named in each module.
//!
//! Deliberately not here: clocks, randomness, files, sockets, SQL, async, logging, texts for people, floats.

pub mod account;
pub mod apply;
pub mod card;
pub mod cbor;
pub mod command;
pub mod currency;
pub mod decide;
pub mod effects;
pub mod generations;
pub mod id;
pub mod ids;
pub mod memory;
pub mod money;
pub mod number;
pub mod office;
pub mod pages;
pub mod password;
mod plain;
pub mod posted;
pub mod receipt;
pub mod refusal;
pub mod restore;
pub mod rules;
pub mod same;
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod verdict;

/// No command touches more accounts than this; larger work is a job of many commands (docs/design.md, *What
/// makes it safe*).
pub const TOUCH_MAX: usize = 1_000;
