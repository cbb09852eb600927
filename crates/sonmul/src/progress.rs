//! Progress on stderr for whatever takes longer than two seconds, when somebody is watching.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Shorter work shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(2);

/// Counts something; a bar appears after a while.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: Option<u64>,
    began: Instant,
    watched: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Of so many; `None`: nobody knows how many.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
        Self { what, total, began: Instant::now(), watched: std::io::stderr().is_terminal(), bar: None }
    }

    /// So many are done.
    pub fn set(&mut self, done: u64) {
        if !self.watched || (self.bar.is_none() && self.began.elapsed() < SHOWN_AFTER) {
            return;
        }
        let (what, total) = (self.what, self.total);
        self.bar.get_or_insert_with(|| bar(what, total)).set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{msg} [{bar:30}] {human_pos}/{human_len} ({per_sec}, {eta} to go)"),
        None => (ProgressBar::no_length(), "{msg} {spinner} {human_pos} ({per_sec})"),
    };
    // A template that can't be read leaves the bar's own style.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    bar
}
