//! Tests of the decider. A case is a text or a row of a table; one function runs it, so that cases survive refactoring.
//!
//! `script` reads texts, `profile` the rules in them, [`World`](crate::testing::World) decides and folds, `say` tells the answer
//! in a line.
//! `gift_order` is the decision table of a gift's refusals, `laws` holds on random histories from `history`
//! and `office_history`: `recount` counts limits a second time, `books` the money, `reach` says what the histories reach.
//! `desk` is the office, for `winding_down` and `office_cards`.
//!
//! Every entry of every test goes through CBOR before it is folded: what the journal keeps is what is tested.

mod desk;
mod profile;
mod say;
mod script;

mod admin;
mod batches;
mod binding;
mod books;
mod call_charges;
mod calls;
mod cards;
mod ceilings;
mod clerks;
mod days;
mod differences;
mod gift_order;
mod history;
mod holds;
mod laws;
mod limit_rows;
mod limits;
mod locks;
mod many_cards;
mod misfits;
mod money;
mod office_cards;
mod office_edges;
mod office_history;
mod office_refusals;
mod passwords;
mod reach;
mod rebuilt;
mod recount;
mod refunds;
mod size;
mod subscribers;
mod turns;
mod what_if;
mod winding_down;

use script::check;
