//! The binary as its people use it: started for real, in directories of their own, on free ports.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

mod bad_days;
mod business_doc;
mod clock;
mod damage;
mod demo;
mod disk;
mod help;
mod holds;
mod kills;
mod office;
mod osmocom;
mod reports;
mod rig;
mod secrets;
mod smpp_doc;
mod sms;
mod smsc;
mod walk;
