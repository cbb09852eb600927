//! Whole dialogues through the HTTP router, over the real rules and a decider in memory.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]

mod answers;
mod asked_again;
mod dialogues;
mod euse;
mod euse_hlr;
mod euse_trouble;
mod fake;
mod hostile;
mod phone;
mod trouble;
