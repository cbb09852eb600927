//! What machine the numbers are from, and what else it did: a table without this line says nothing.

use std::path::Path;
use std::time::Instant;

/// Processor, cores, memory, kernel and the file system of `dir`, on one line.
pub(super) fn describe(dir: &Path) -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{}, {cores} cores, {} GiB, Linux {}, {} on {}, load average {} before",
        model.trim_start_matches([':', ' ', '\t']),
        kib >> 20,
        kernel.trim(),
        file_system(dir),
        dir.display(),
        load(),
    )
}

/// What others did with the processors while something was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others {
    busy_ms: u64,
    own_ms: u64,
    began: Instant,
}

impl Others {
    /// From now on.
    pub(super) fn begin() -> Self {
        Self { busy_ms: busy_ms(), own_ms: cpu_ms(), began: Instant::now() }
    }

    /// Their share of all processors, in hundredths, since then: processes that we started are others too.
    pub(super) fn share(self) -> u64 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let passed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let busy_ms = busy_ms().saturating_sub(self.busy_ms);
        let own_ms = cpu_ms().saturating_sub(self.own_ms);
        busy_ms.saturating_sub(own_ms) * 100 / (passed_ms * cores).max(1)
    }
}

/// Processor time of everybody so far, ms: everything in the first line of /proc/stat but idling and waiting for a disk.
fn busy_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks = line.split_whitespace().skip(1).take(8).enumerate().filter(|(at, _)| !IDLE.contains(at));
    let ticks: u64 = ticks.filter_map(|(_, ticks)| ticks.parse::<u64>().ok()).sum();
    ticks * 1000 / rustix::param::clock_ticks_per_second()
}

/// Columns of idle and iowait.
const IDLE: core::ops::Range<usize> = 3..5;

/// Tasks that ran or wanted to in the last minute, on average: what else the machine did, and we.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    String::from(text.split(' ').next().unwrap_or("unknown"))
}

/// The type of the file system that `dir` lies on, from the longest mount point above it.
fn file_system(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        dir.starts_with(point).then_some((point.len(), kind))
    });
    above.max_by_key(|(len, _)| *len).map_or_else(|| String::from("unknown"), |(_, kind)| String::from(kind))
}

/// Processor time of this process so far, ms.
pub(super) fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks * 1000 / rustix::param::clock_ticks_per_second()
}
