//! Whole dialogues through the HTTP router, over the real rules and a decider in memory.

#![expect(clippy::expect_used, reason = "helpers of tests fail like tests do")]

mod aggregators;
mod answers;
mod asked_again;
mod dialects;
mod dialogues;
mod examples;
mod fake;
mod hostile;
mod phone;
mod trouble;
