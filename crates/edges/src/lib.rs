//! Edges: what phones dial becomes commands, what the decider answers becomes a screen or an SMS.
//!
//! **For:** `sonmul`, which builds one [`flow::Flow`], a [`flow::Link`] or an [`aggregator::router`] per connection, and
//! drives [`notice::notices`] from a follower.
//!
//! **Guarantees:** a password never passes this crate: what travels on is its tag. A field that does not parse travels as
//! *malformed*, never as its digits, and no screen shows what was typed. Every prompt shown has a command id of its own,
//! so that a repeated frame can't pay twice. A screen that leaves here fits its link's budget. Nothing dialled is ever
//! logged, and numbers are logged by their last three digits.
//!
//! **Bounded by:** [`session::Sessions`] and [`brake::Callers`] have fixed ceilings; a screen by its [`wire::text::Budget`].
//!
//! **Deliberately not here:** money, limits and locks (the decider's), sockets other than the HTTP router, SQL.

pub mod aggregator;
pub mod brake;
pub mod desk;
pub mod dial;
pub mod esme;
pub mod euse;
pub mod flow;
mod kit;
pub mod menu;
pub mod notice;
pub mod port;
pub mod say;
pub mod session;
pub mod sms;
pub mod texts;
pub mod told;
pub mod wish;

#[cfg(test)]
mod testing;
