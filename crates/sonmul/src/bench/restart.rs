//! What a start costs, and what a subscriber costs: a server of its own process over the bench's data directory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::table::{Goal, Row, grouped};
use super::world::World;

/// Octets of memory that one remembered id takes: 40 of a slot and one of its control octet, at the map's emptiest.
const OCTETS_PER_ID: u64 = 96;

/// Restart with the world's entries, memory per subscriber, octets of the journal per gift.
pub(super) async fn rows(world: World, subscribers: u64) -> anyhow::Result<Vec<Row>> {
    let status = world.status().await?;
    let per_gift = world.journal_octets_per_entry().await?;
    let World { server, dir, .. } = world;
    server.stop().await.map_err(|failure| failure.error)?;
    let (mut clean, resident) = started(&dir)?;
    let first = clean.after;
    clean.child.kill()?;
    clean.child.wait()?;
    let (mut again, _) = started(&dir)?;
    again.child.kill()?;
    again.child.wait()?;
    let entries = grouped(status.seq.0);
    let ms = |after: Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    let restart = Row::new("restart", "ms", vec![ms(first), ms(again.after)], Some(Goal::AtMost(3_000)))
        .note(format!("{entries} entries, {} subscribers; after a clean stop and after a kill", grouped(subscribers)));
    let ids = status.ids as u64 * OCTETS_PER_ID;
    let pairs = status.pair_usage as u64 * OCTETS_PER_ID;
    let rest = resident.saturating_sub(ids + pairs) / subscribers.max(1);
    let memory = Row::new("memory per subscriber with one card", "octets", vec![rest], Some(Goal::AtMost(250))).note(format!(
        "the whole process has {} MiB; {} ids and {} records of pair usage are taken off at {OCTETS_PER_ID} octets each, nothing else",
        resident >> 20,
        grouped(status.ids as u64),
        grouped(status.pair_usage as u64),
    ));
    let journal = Row::new("journal per gift", "octets", vec![per_gift], Some(Goal::AtMost(200)))
        .note("of the latest full segment, its file's size over its entries");
    Ok(vec![restart, memory, journal])
}

struct Started {
    child: Child,
    after: Duration,
}

/// Starts a server and waits until it serves; gives its resident memory then.
fn started(dir: &Path) -> anyhow::Result<(Started, u64)> {
    let addr = dir.join("http.addr");
    let _gone = std::fs::remove_file(&addr);
    let began = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--log", "error", "serve", "--accept-clock", "--data"])
        .arg(dir)
        .stdout(Stdio::null())
        .spawn()
        .context("starting a server")?;
    while std::fs::read_to_string(&addr).map_or(true, |text| !text.ends_with('\n')) {
        if let Some(ended) = child.try_wait()? {
            bail!("the server ended with {ended}");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let after = began.elapsed();
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", child.id()))?;
    let pages: u64 = statm.split(' ').nth(1).context("statm")?.parse()?;
    Ok((Started { child, after }, pages * rustix::param::page_size() as u64))
}
