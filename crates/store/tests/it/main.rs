//! What survives, what is refused, and what is lost when: the store against real files.

mod journal;
mod support;
