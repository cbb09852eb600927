//! What the `sonmul` binary can be asked on the command line, one module for each word.
//!
//! Commands that change something ask a running server over its socket or its HTTP port; those that look at a journal
//! open its files beside it.

pub(crate) mod backup;
pub(crate) mod card;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod dial;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod journal;
pub(crate) mod office;
pub(crate) mod operator;
pub(crate) mod receipt;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod subscriber;
pub(crate) mod verify;
pub(crate) mod what_if;

use std::path::{Path, PathBuf};

use crate::admin::Admin;
use crate::config::DATA;
use crate::exit::Outcome;

/// What `sonmul demo` makes.
pub(crate) const DEMO_DATA: &str = "demo-data";

/// Which data directory.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArg {
    /// Data directory [default: sonmul-data here, or else demo-data]
    #[arg(long, env = "SONMUL_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataArg {
    /// The directory that was named; else the usual one; else the demonstration's, when only that is here.
    pub(crate) fn dir(&self) -> PathBuf {
        if let Some(data) = &self.data {
            return data.clone();
        }
        let usual = Path::new(DATA);
        let demo = Path::new(DEMO_DATA);
        if !usual.exists() && demo.exists() { demo.to_owned() } else { usual.to_owned() }
    }

    /// The server of that directory.
    pub(crate) fn admin(&self) -> Admin {
        Admin::new(&self.dir())
    }
}

/// Runs a future of a short command on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
