//! What a start costs, and what a subscriber costs: a server of its own process over the bench's data directory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::table::{Goal, Row, grouped};
use super::world::World;

/// Octets of a map's slot with its control octet: of a remembered id, and of a pair's usage.
const ID_SLOT: u64 = 41;
const PAIR_SLOT: u64 = 33;

/// What a map with so many entries takes: its slots are a power of two, at most seven of eight in use.
const fn map_octets(entries: u64, slot: u64) -> u64 {
    (entries * 8).div_ceil(7).next_power_of_two() * slot
}

/// Restart of `program` with the world's entries, and memory per subscriber.
pub(super) async fn rows(world: World, subscribers: u64, program: &Path) -> anyhow::Result<Vec<Row>> {
    let status = world.status();
    let World { server, dir, .. } = world;
    server.stop().await.map_err(|failure| failure.error)?;
    let clean = started(program, &dir, KEEP)?.0;
    let again = started(program, &dir, KEEP)?.0;
    // What was only needed while loading is given back here, so that what is left is what it takes.
    let resident = started(program, &dir, GIVE_BACK)?.1;
    let entries = grouped(status.seq.0);
    let ms = |after: Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    let note = format!("{entries} entries, {} subscribers", grouped(subscribers));
    let restart = |after: &str, took: Duration| {
        Row::new(format!("restart after {after}"), "ms", vec![ms(took)], Some(Goal::AtMost(3_000))).note(note.clone())
    };
    let (clean, again) = (restart("a clean stop", clean), restart("a kill", again));
    let ids = map_octets(status.ids as u64, ID_SLOT) + map_octets(status.ussd_ids as u64, ID_SLOT);
    let pairs = map_octets(status.pair_usage as u64, PAIR_SLOT);
    let rest = resident.saturating_sub(ids + pairs) / subscribers.max(1);
    let memory = Row::new("memory per subscriber with one card", "octets", vec![rest], Some(Goal::AtMost(250))).note(format!(
        "the whole process has {} MiB; {} ids and {} records of pair usage are taken off, each as one map, nothing else",
        resident >> 20,
        grouped((status.ids + status.ussd_ids) as u64),
        grouped(status.pair_usage as u64),
    ));
    Ok(vec![clean, again, memory])
}

/// The allocator keeps what is freed (as a server has it), or gives it back at once.
const KEEP: &str = "-1";
const GIVE_BACK: &str = "0";
/// What giving back takes.
const SETTLED: Duration = Duration::from_secs(2);

/// Starts a server, waits until it serves, and kills it; gives how long that took, and its resident memory a moment later.
fn started(program: &Path, dir: &Path, purge_delay: &str) -> anyhow::Result<(Duration, u64)> {
    let addr = dir.join("http.addr");
    let _gone = std::fs::remove_file(&addr);
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(["--log", "error", "serve", "--accept-clock", "--data"])
        .arg(dir)
        .env("MIMALLOC_PURGE_DELAY", purge_delay)
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    while std::fs::read_to_string(&addr).map_or(true, |text| !text.ends_with('\n')) {
        if let Some(ended) = child.try_wait()? {
            bail!("the server ended with {ended}");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let after = began.elapsed();
    std::thread::park_timeout(SETTLED);
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", child.id()))?;
    let pages: u64 = statm.split(' ').nth(1).context("statm")?.parse()?;
    child.kill()?;
    child.wait()?;
    Ok((after, pages * rustix::param::page_size() as u64))
}
