//! Whole dialogues through the HTTP router, over the real rules and a decider in memory.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]

mod answers;
mod asked_again;
mod confirm;
mod dialogues;
mod fake;
mod hostile;
mod line;
mod lists;
mod phone;
mod resume;
mod trouble;
