//! Gifts without an edge: in bulk, one at a time, and the baselines beside them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::answer::Answer;
use engine::handle::Handle;
use tokio::runtime::Runtime;

use super::baselines::per_second;
use super::table::{Goal, Row, grouped, median, ratio};
use super::world::{Source, World};
use super::{Plan, baselines, callers, latency, machine, told, world};

/// The two baselines.
pub(super) struct Baselines {
    tables: Vec<u64>,
    bulk_appends: Vec<u64>,
    single_appends: Vec<u64>,
}

/// Octets of a bulk's append and of a lone gift's, for the bare file.
const BULK_OCTETS: usize = world::BULK * 192;
const SINGLE_OCTETS: usize = 256;

impl Baselines {
    pub(super) fn measure(dir: &Path, plan: Plan) -> anyhow::Result<Self> {
        let accounts = u32::try_from(plan.subscribers)?;
        let each = |measure: &dyn Fn() -> anyhow::Result<u64>| (0..plan.runs).map(|_| measure()).collect();
        let tables: anyhow::Result<_> = each(&|| baselines::tables(dir, accounts, plan.other));
        let bulk_appends: anyhow::Result<_> = each(&|| baselines::bare_file(dir, BULK_OCTETS, plan.other / 4));
        let single_appends: anyhow::Result<_> = each(&|| baselines::bare_file(dir, SINGLE_OCTETS, plan.other / 4));
        Ok(Self { tables: tables?, bulk_appends: bulk_appends?, single_appends: single_appends? })
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let gifts = median(&self.bulk_appends) * world::BULK as u64;
        vec![
            Row::new(
                "baseline: the same gifts on SQLite tables, 512 a transaction",
                "gifts/s",
                self.tables.clone(),
                None,
            ),
            Row::new(
                "baseline: a bare preallocated file, fdatasync, octets of 8,192 gifts",
                "appends/s",
                self.bulk_appends.clone(),
                None,
            )
            .note(format!("{} gifts/s if nothing but writing cost anything", grouped(gifts))),
            Row::new("baseline: the same, octets of one gift", "appends/s", self.single_appends.clone(), None),
        ]
    }

    fn beside(&self, gifts_per_second: u64) -> String {
        let file = median(&self.bulk_appends) * world::BULK as u64;
        format!(
            "{} SQLite tables, {} bare file",
            ratio(gifts_per_second, median(&self.tables)),
            ratio(gifts_per_second, file)
        )
    }
}

/// Bulks on their way at a time: one is decided while the next is made.
const IN_FLIGHT: usize = 2;

/// What a run in bulk did.
struct Bulked {
    posted: u64,
    refused: u64,
    elapsed: Duration,
    cpu_ms: u64,
}

fn run_bulk(handle: &Handle, source: &Arc<Source>, lasts: Duration) -> Bulked {
    let mut gifts = source.gifts();
    let (began, cpu) = (Instant::now(), machine::cpu_ms());
    let mut under_way = std::collections::VecDeque::new();
    let (mut posted, mut refused) = (0, 0);
    let mut count = |answers: Vec<Answer>| {
        let given = answers.iter().filter(|answer| world::is_given(answer)).count() as u64;
        posted += given;
        refused += answers.len() as u64 - given;
    };
    while began.elapsed() < lasts {
        if under_way.len() == IN_FLIGHT {
            under_way.pop_front().map(engine::handle::Bulk::wait).map(&mut count);
        }
        under_way.push_back(handle.submit_bulk(gifts.bulk(handle.now())));
    }
    under_way.into_iter().map(engine::handle::Bulk::wait).for_each(&mut count);
    Bulked { posted, refused, elapsed: began.elapsed(), cpu_ms: machine::cpu_ms() - cpu }
}

pub(super) fn bulk(
    handle: &Handle,
    source: &Arc<Source>,
    plan: Plan,
    baselines: Option<&Baselines>,
) -> anyhow::Result<Row> {
    let (mut rates, mut refused, mut cpu) = (Vec::new(), 0, Vec::new());
    for _ in 0..plan.runs {
        let run = run_bulk(handle, source, plan.bulk);
        rates.push(per_second(run.posted, run.elapsed));
        refused += run.refused;
        cpu.push(run.cpu_ms * 1_000_000 / run.posted.max(1));
    }
    let name = format!("gifts posted and durable, full rules, {} subscribers, bulk", grouped(plan.subscribers));
    let row = Row::new(name, "gifts/s", rates, Some(Goal::AtLeast(300_000)));
    let beside = baselines.map(|baselines| baselines.beside(row.median()));
    let lasts = format!("{} s each, checkpoint and SMS follower at work", plan.bulk.as_secs());
    let cpu = format!("{} ns of processor time a gift, generator and followers included", grouped(median(&cpu)));
    Ok(row.notes(beside).note(lasts).note(cpu).note(format!("{} refused as repeated, not counted", grouped(refused))))
}

pub(super) fn callers_row(
    handle: &Handle,
    source: &Arc<Source>,
    plan: Plan,
    count: u64,
    baselines: Option<&Baselines>,
) -> anyhow::Result<Row> {
    let mut rates = Vec::new();
    let mut took = latency::Latencies::default();
    for _ in 0..plan.runs {
        let measured = callers::in_process(handle, source, count, plan.other, None)?;
        rates.push(measured.per_second);
        took.merge(measured.latencies);
    }
    let row = Row::new(
        format!("{count} callers, one gift at a time, in process"),
        "gifts/s",
        rates,
        Some(Goal::AtLeast(60_000)),
    );
    let beside = baselines.map(|baselines| {
        format!("{} bare appends of one gift", ratio(row.median(), median(&baselines.single_appends)))
    });
    Ok(row.note(format!("p50 {} µs, p99 {} µs", took.at(500), took.at(990))).notes(beside))
}

pub(super) fn socket_row(
    handle: &Handle,
    source: &Arc<Source>,
    dir: &Path,
    plan: Plan,
    count: u64,
) -> anyhow::Result<Row> {
    let (mut rates, mut refused) = (Vec::new(), 0);
    for _ in 0..plan.runs {
        let measured = callers::over_socket(handle, source, dir, count, plan.other)?;
        rates.push(measured.per_second);
        refused += measured.refused;
    }
    let name = format!("{count} callers, one gift at a time, over a Unix socket");
    Ok(Row::new(name, "gifts/s", rates, Some(Goal::AtLeast(30_000))).note(format!("{} refused", grouped(refused))))
}

/// The rate with many subscribers as a share of that with 100,000, in hundredths.
pub(super) fn by_size(runtime: &Runtime, data: &Path, plan: Plan) -> anyhow::Result<Row> {
    let mut rates = Vec::new();
    for subscribers in [100_000, plan.large] {
        told(&format!("gifts in bulk, {} subscribers", grouped(subscribers)));
        let world = runtime.block_on(World::make(data, subscribers, ""))?;
        let (handle, source) = (world.server.handle(), Arc::clone(&world.source));
        let runs = (0..plan.runs.min(3)).map(|_| run_bulk(&handle, &source, plan.other));
        let runs: Vec<u64> = runs.map(|run| per_second(run.posted, run.elapsed)).collect();
        rates.push(median(&runs));
        drop(handle);
        runtime.block_on(world.end())?;
    }
    let [small, large] = rates[..] else { anyhow::bail!("two sizes make two rates") };
    let name = format!("rate with {} subscribers as a share of that with 100,000", grouped(plan.large));
    let row = Row::new(name, "%", vec![large * 100 / small.max(1)], Some(Goal::AtLeast(80)));
    Ok(row.note(format!("{} and {} gifts/s", grouped(large), grouped(small))))
}
