//! The engine over memory ports: ids, durability, full and broken disks, the clock, restarts, followers.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

mod answers;
mod disk;
mod followers;
mod ids;
mod restart;
mod rig;
mod timers;
