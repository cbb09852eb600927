//! What is beside the simulator: the GSUP edge against a real HLR, and the binary as people run it.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]

mod history;
mod osmocom;
mod words;
