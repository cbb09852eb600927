//! What the server does to its own process before it holds a secret, and how it is told to stop.

use std::os::unix::process::CommandExt;
use std::path::Path;

use anyhow::Context;
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure, Outcome};

/// No core dumps, no debugger, and files that nobody but owner and group may see.
pub(crate) fn harden() {
    rustix::process::umask(Mode::from_raw_mode(0o027));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = rustix::process::setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be switched off");
    }
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process could not be closed to debuggers");
    }
}

/// What the allocator is told at its start, and with what.
const KEEP: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "-1");

/// Has the allocator keep memory that was freed, instead of giving it back and taking it again a moment later: batches come
/// and go many times a second, and a page taken from the system must be cleared first (docs/benchmarks.md has what that
/// cost). It reads that from its environment before `main`, so the process begins once more, as itself.
pub fn keep_memory() {
    let (name, value) = KEEP;
    if std::env::var_os(name).is_some() {
        return;
    }
    let again = std::env::current_exe()
        .map(|this| std::process::Command::new(this).args(std::env::args_os().skip(1)).env(name, value).exec());
    tracing::warn!(failed = ?again, "memory goes back to the system and comes again: gifts are slower");
}

/// As many file handles as the system allows: a connection takes one.
pub(crate) fn raise_files() {
    let Rlimit { current, maximum } = rustix::process::getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, ?current, "no more file handles than these");
    }
}

/// SIGINT and SIGTERM.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on they don't end the process by themselves.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> Outcome<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The id of a group, by name or as digits.
pub(crate) fn group_id(name: &str) -> Outcome<u32> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let groups = std::fs::read_to_string("/etc/group").context("/etc/group can't be read")?;
    let id = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        fields.nth(1).filter(|_| found).and_then(|id| id.parse().ok())
    });
    id.ok_or_else(|| Failure::new(Exit::Usage, format!("admin_group: there is no group `{name}`")))
}

/// Gives a file to a group.
pub(crate) fn give_to_group(path: &Path, group: u32) -> Outcome<()> {
    std::os::unix::fs::chown(path, None, Some(group)).with_context(|| {
        format!("{} can't be given to group {group}: the server's user must be a member of it", path.display())
    })?;
    Ok(())
}
