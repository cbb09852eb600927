//! What survives, what is refused, and what is lost when: the store against real files.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

mod checkpoint;
mod journal;
mod support;
mod world;
