//! The simulator's own tests: worlds that hold, planted bugs that are caught, load that is valid; and the GSUP edge against a
//! real HLR.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]

mod osmocom;
mod plants;
mod words;
mod worlds;
