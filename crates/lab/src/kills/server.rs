//! The server as a process: started, killed at any moment, stopped.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// Longer than a start takes, on a machine that does other things as well.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A server that serves. Killed when it is dropped.
pub(super) struct Server {
    process: Process,
    /// Where its HTTP edge listens.
    pub(super) http: SocketAddr,
    /// From its start until it served.
    pub(super) started_within: Duration,
}

/// The binary with nothing of our own environment that it would listen to.
pub(super) fn command(server: &Path) -> Command {
    let mut command = Command::new(server);
    command.env_remove("SONMUL_DATA").env_remove("SONMUL_LOG");
    command
}

/// Waits for so long and for nothing.
pub(super) fn pause(long: Duration) {
    let until = Instant::now() + long;
    // Who parks may be woken by nobody.
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

impl Server {
    /// Starts one and waits until it serves.
    pub(super) fn start(server: &Path, data: &Path, dir: &Path) -> anyhow::Result<Self> {
        let began = Instant::now();
        let process = Process::spawn(server, data, dir)?;
        loop {
            match process.lines.recv_timeout(STARTS_WITHIN) {
                Ok(line) if line.starts_with("serving ") => break,
                Ok(_) => {}
                Err(_) => bail!("the server does not start: {}", process.said()),
            }
        }
        let written = std::fs::read_to_string(data.join("http.addr")).context("http.addr")?;
        let http = written.trim().parse().context("http.addr")?;
        Ok(Self { process, http, started_within: began.elapsed() })
    }

    /// Starts one and kills it so many microseconds later, most likely before it serves.
    pub(super) fn kill_at_start(server: &Path, data: &Path, dir: &Path, after_us: u64) -> anyhow::Result<()> {
        let mut process = Process::spawn(server, data, dir)?;
        pause(Duration::from_micros(after_us));
        let ended = process.child.try_wait().context("the server")?;
        ensure!(ended.is_none(), "the server ended by itself: {}", process.said());
        process.kill()
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        let ended = self.process.child.try_wait().context("the server")?;
        ensure!(ended.is_none(), "the server ended by itself: {}", self.process.said());
        self.process.kill()
    }

    /// SIGTERM: it must end well.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.process.child), Signal::TERM).context("stopping the server")?;
        let ended = self.process.child.wait().context("stopping the server")?;
        ensure!(ended.success(), "the server stopped with {ended}: {}", self.process.said());
        Ok(())
    }
}

struct Process {
    child: Child,
    /// What it prints.
    lines: Receiver<String>,
    /// Where its log goes.
    log: PathBuf,
}

impl Process {
    fn spawn(server: &Path, data: &Path, dir: &Path) -> anyhow::Result<Self> {
        // One log, in the order of starts.
        let log = dir.join("servers.log");
        let err = File::options().create(true).append(true).open(&log).context("servers.log")?;
        let mut command = command(server);
        command.arg("serve").arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(err);
        let mut child = command.spawn().with_context(|| format!("{} can't be started", server.display()))?;
        let out = child.stdout.take().context("its output")?;
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Ok(Self { child, lines, log })
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("killing the server")?;
        self.child.wait().context("killing the server")?;
        Ok(())
    }

    /// The end of its log.
    fn said(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
