//! What every kind of link needs, made once: waits between connections, and counters.
//!
//! For: [`crate::euse`] and [`crate::esme`], and whatever kind of link comes next.
//! Deliberately not here: protocols, sockets, what a link is configured with.

pub(crate) mod backoff;
pub(crate) mod counters;
