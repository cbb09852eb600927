//! The server and its command line, as a library with a thin `main`: reads the configuration, wires the crates together,
//! runs, drains; and every word of the command line.
//!
//! Guarantees: exit codes are those of [`exit::Exit`]; secrets are read from files that only their owner can read, and go
//! into no log.
//!
//! Public is what `lab` measures with: starting a server in this process, its keys, the phone behind an HLR, a small HTTP
//! client, and how a command tells, fails and ends.
//!
//! Deliberately not here: rules about money (there is no `if` about an amount in this crate), load generators, the
//! simulator.

mod admin;
mod beside;
mod cli;
mod commands;
mod config;
mod entries;
pub mod exit;
pub mod faults;
pub mod gsup;
pub mod http;
pub mod keys;
pub mod log;
pub mod print;
pub mod progress;
pub mod serve;
mod signed;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

pub use commands::init::init;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    exit::ended("sonmul", log::start(cli.log.as_deref().unwrap_or(cli.log_default())).and_then(|()| cli.run()))
}
