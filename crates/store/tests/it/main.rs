//! What survives, what is refused, and what is lost when: the store against real files.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

mod backup;
mod checkpoint;
mod crash;
mod cursor;
mod damage;
mod deliveries;
mod journal;
mod repair;
mod room;
mod support;
mod world;
