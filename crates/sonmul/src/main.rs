//! The `sonmul` binary: reads the configuration, wires the crates together, runs, drains; and every word of the command
//! line.
//!
//! Guarantees: exit codes are those of [`exit::Exit`]; secrets are read from files that only their owner can read, and go
//! into no log.
//!
//! Deliberately not here: rules about money. There is no `if` about an amount in this crate.

mod admin;
mod bench;
mod beside;
mod cli;
mod commands;
mod config;
mod entries;
mod exit;
mod faults;
mod http;
mod keys;
mod press;
mod print;
mod progress;
mod reports;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;
use crate::exit::{Exit, Failure, OrExit, Outcome};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = log(&cli).and_then(|()| cli.run());
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("sonmul: {failure}");
            failure.exit.into()
        }
    }
}

/// The log goes to stderr, so that stdout is data.
fn log(cli: &Cli) -> Outcome<()> {
    let filter = cli.log.as_deref().unwrap_or(cli.log_default());
    let filter = EnvFilter::try_new(filter).or_exit_with(Exit::Usage, || format!("--log {filter}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| Failure::new(Exit::Fault, "the log could not be set up"))
}
