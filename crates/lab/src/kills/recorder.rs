//! The history as it is written: a line for each call, when it returned or never will.
//!
//! Guarantees: one monotonic clock for all lines, read before a call leaves and after its answer came.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;

use crate::history::Line;

/// See the module.
pub(super) struct Recorder {
    began: Instant,
    out: Mutex<BufWriter<File>>,
    answered: Sender<()>,
}

impl Recorder {
    /// Begins a history; `answered` hears of every answer.
    pub(super) fn create(path: &Path, answered: Sender<()>) -> anyhow::Result<Self> {
        let file = File::create_new(path).with_context(|| format!("{} is in the way", path.display()))?;
        Ok(Self { began: Instant::now(), out: Mutex::new(BufWriter::new(file)), answered })
    }

    /// Now.
    pub(super) fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes a line.
    pub(super) fn write(&self, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line).context("a line")?;
        text.push(b'\n');
        self.out.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text).context("the history")?;
        if line.returned_ns.is_some() {
            // Nobody counts any more: the rounds are over.
            let _over = self.answered.send(());
        }
        Ok(())
    }

    /// Everything is in the file.
    pub(super) fn flush(&self) -> anyhow::Result<()> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).flush().context("the history")
    }
}
