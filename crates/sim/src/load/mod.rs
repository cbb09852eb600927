//! Load for the bench: a seeded population with bound cards, and gifts that are never refused.
//!
//! For: [`Population::setup`] yields the commands that make an operator with N subscribers, each with one bound card;
//! [`Population::gifts`] yields gifts between them, as fast as a decider can take them.
//!
//! Guarantees: the same parameters give the same commands; every gift is valid under [`bench_rules`] while cards last and
//! while a sender's 72 gifts in a row take longer than `repeat_window_s` (5 s): with N subscribers that is a rate below
//! 14 N a second. A sender gives to 8 fixed friends, so that usage by pair is bounded by 8 N.
//!
//! Bounded by [`SUBSCRIBERS_MAX`], and by 17 octets of memory a subscriber. Deliberately not here: measuring, threads,
//! sockets. The key and the passwords are public: never load this into a real operator.

mod gifts;
mod population;

pub use gifts::{FRIENDS, Gifts, Pick};
pub use population::{
    BULK, Population, PopulationConfig, SUBSCRIBERS_MAX, SUBSCRIBERS_MIN, bench_rules, digits, tag_key,
};
