//! `sonmul bench`: the numbers of DESIGN §8, measured on this machine, beside two baselines of the same run.
//!
//! Everything is real: a data directory, the server's own start, tags under its key, the checkpoint and the SMS follower
//! at work, the HTTP edge. Load generators share the cores with what they measure.
//!
//! Deliberately not here: judgements as tests. A goal that is missed is printed as missed.

mod baselines;
mod callers;
mod http;
mod latency;
mod machine;
mod restart;
mod table;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::answer::Answer;
use engine::handle::Handle;
use tokio::runtime::Runtime;

use crate::exit::{Exit, Outcome};
use baselines::per_second;
use table::{Goal, Row, grouped, median, ratio};
use world::{Source, World};

/// See `sonmul bench --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A whole run takes about half an hour on two cores and 12 GiB of disk; --quick takes two minutes and says
little. DIR is made anew and taken away.

Example:
  sonmul bench --quick
  sonmul bench --runs 5 --seconds 60 --large 10000000 > docs/benchmarks.out"
)]
pub(crate) struct BenchArgs {
    /// Where the bench's data go
    #[arg(long, value_name = "DIR", default_value = "bench-data")]
    dir: PathBuf,
    /// Subscribers with a card each
    #[arg(long, default_value_t = 1_000_000)]
    subscribers: u64,
    /// Subscribers of the large world that is compared with one of 100,000; 0: not compared
    #[arg(long, default_value_t = 0)]
    large: u64,
    /// How long one run in bulk lasts; other runs last a sixth of it
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Runs of which the median is given
    #[arg(long, default_value_t = 5)]
    runs: u64,
    /// 50,000 subscribers, one run of three seconds
    #[arg(long)]
    quick: bool,
    /// Leave DIR as it is at the end
    #[arg(long)]
    keep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much is measured.
#[derive(Clone, Copy)]
struct Plan {
    subscribers: u64,
    large: u64,
    bulk: Duration,
    other: Duration,
    runs: u64,
}

/// Runs the bench.
pub(crate) fn run(args: &BenchArgs) -> Outcome {
    crate::serve::keep_memory();
    let plan = if args.quick {
        let (bulk, other) = (Duration::from_secs(3), Duration::from_secs(2));
        Plan { subscribers: 50_000, large: 0, bulk, other, runs: 1 }
    } else {
        let (bulk, other) = (Duration::from_secs(args.seconds), Duration::from_secs(args.seconds.div_ceil(6)));
        Plan { subscribers: args.subscribers, large: args.large, bulk, other, runs: args.runs.max(1) }
    };
    std::fs::create_dir_all(&args.dir)?;
    let machine = machine::describe(&args.dir);
    let rows = measure(&crate::serve::runtime()?, &args.dir, plan)?;
    if !args.keep {
        std::fs::remove_dir_all(&args.dir)?;
    }
    if args.json {
        println!("{}", serde_json::json!({ "machine": machine, "rows": rows }));
    } else {
        table::print(&machine, &rows);
    }
    Ok(Exit::Ok)
}

/// Callers wait on threads of their own, so that only starting and stopping is done on the runtime.
fn measure(runtime: &Runtime, dir: &Path, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    told("baselines");
    let baselines = Baselines::measure(dir, plan)?;
    rows.extend(baselines.rows());
    told("the world");
    let data = dir.join("data");
    let world = runtime.block_on(World::make(&data, plan.subscribers))?;
    let (handle, source) = (world.server.handle(), Arc::clone(&world.source));
    told("gifts in bulk");
    rows.push(bulk(&handle, &source, plan, &baselines)?);
    let per_gift = runtime.block_on(world.journal_octets_per_entry())?;
    let journal = Row::new("journal per gift", "octets", vec![per_gift], Some(Goal::AtMost(200)));
    rows.push(journal.note("of the latest full segment in bulk, its file's size over its entries"));
    for count in [32, 64] {
        told("gifts one at a time");
        rows.push(callers_row(&handle, &source, plan, count, &baselines)?);
        rows.push(socket_row(&handle, &source, dir, plan, count)?);
    }
    told("dials over HTTP");
    rows.extend(dials(world.server.http, &source, plan)?);
    told("restart");
    drop(handle);
    rows.extend(runtime.block_on(restart::rows(world, plan.subscribers))?);
    if plan.large > 0 {
        rows.push(by_size(runtime, &data, plan)?);
    }
    Ok(rows)
}

fn told(what: &str) {
    eprintln!("bench: {what}");
}

/// The two baselines.
struct Baselines {
    tables: Vec<u64>,
    bulk_appends: Vec<u64>,
    single_appends: Vec<u64>,
}

/// Octets of a bulk's append and of a lone gift's, for the bare file.
const BULK_OCTETS: usize = world::BULK * 192;
const SINGLE_OCTETS: usize = 256;

impl Baselines {
    fn measure(dir: &Path, plan: Plan) -> anyhow::Result<Self> {
        let accounts = u32::try_from(plan.subscribers)?;
        let each = |measure: &dyn Fn() -> anyhow::Result<u64>| (0..plan.runs).map(|_| measure()).collect();
        let tables: anyhow::Result<_> = each(&|| baselines::tables(dir, accounts, plan.other));
        let bulk_appends: anyhow::Result<_> = each(&|| baselines::bare_file(dir, BULK_OCTETS, plan.other / 4));
        let single_appends: anyhow::Result<_> = each(&|| baselines::bare_file(dir, SINGLE_OCTETS, plan.other / 4));
        Ok(Self { tables: tables?, bulk_appends: bulk_appends?, single_appends: single_appends? })
    }

    fn rows(&self) -> Vec<Row> {
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
        let given = answers.iter().filter(|answer| callers::is_given(answer)).count() as u64;
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

fn bulk(handle: &Handle, source: &Arc<Source>, plan: Plan, baselines: &Baselines) -> anyhow::Result<Row> {
    let (mut rates, mut refused, mut cpu) = (Vec::new(), 0, Vec::new());
    for _ in 0..plan.runs {
        let run = run_bulk(handle, source, plan.bulk);
        rates.push(per_second(run.posted, run.elapsed));
        refused += run.refused;
        cpu.push(run.cpu_ms * 1_000_000 / run.posted.max(1));
    }
    let name = format!("gifts posted and durable, full rules, {} subscribers, bulk", grouped(plan.subscribers));
    let row = Row::new(name, "gifts/s", rates, Some(Goal::AtLeast(300_000)));
    let beside = baselines.beside(row.median());
    let lasts = format!("{} s each, checkpoint and SMS follower at work", plan.bulk.as_secs());
    let cpu = format!("{} ns of processor time a gift, generator and followers included", grouped(median(&cpu)));
    Ok(row.note(beside).note(lasts).note(cpu).note(format!("{} refused as repeated, not counted", grouped(refused))))
}

fn callers_row(
    handle: &Handle,
    source: &Arc<Source>,
    plan: Plan,
    count: u64,
    baselines: &Baselines,
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
    let beside = format!("{} bare appends of one gift", ratio(row.median(), median(&baselines.single_appends)));
    Ok(row.note(format!("p50 {} µs, p99 {} µs", took.at(500), took.at(990))).note(beside))
}

fn socket_row(handle: &Handle, source: &Arc<Source>, dir: &Path, plan: Plan, count: u64) -> anyhow::Result<Row> {
    let (mut rates, mut refused) = (Vec::new(), 0);
    for _ in 0..plan.runs {
        let measured = callers::over_socket(handle, source, dir, count, plan.other)?;
        rates.push(measured.per_second);
        refused += measured.refused;
    }
    let name = format!("{count} callers, one gift at a time, over a Unix socket");
    Ok(Row::new(name, "gifts/s", rates, Some(Goal::AtLeast(30_000))).note(format!("{} refused", grouped(refused))))
}

fn dials(http: std::net::SocketAddr, source: &Arc<Source>, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mut rates = Vec::new();
    for _ in 0..plan.runs {
        rates.push(http::flat_out(http, source, plan.other)?.per_second);
    }
    let flat_out =
        Row::new("dials over the HTTP edge, load generator included", "dials/s", rates, Some(Goal::AtLeast(30_000)));
    let half = flat_out.median() / 2;
    let (mut p50, mut p99, mut p999) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.runs {
        let mut measured = http::at_rate(http, source, half, plan.other)?;
        p50.push(measured.latencies.at(500));
        p99.push(measured.latencies.at(990));
        p999.push(measured.latencies.at(999));
    }
    let at = |what: &str| format!("answer time at {} dials/s over HTTP, {what}", grouped(half));
    Ok(vec![
        flat_out,
        Row::new(at("p50"), "µs", p50, Some(Goal::AtMost(2_000))),
        Row::new(at("p99"), "µs", p99, Some(Goal::AtMost(10_000))),
        Row::new(at("p99.9"), "µs", p999, Some(Goal::AtMost(50_000))),
    ])
}

/// The rate with many subscribers as a share of that with 100,000, in hundredths.
fn by_size(runtime: &Runtime, data: &Path, plan: Plan) -> anyhow::Result<Row> {
    let mut rates = Vec::new();
    for subscribers in [100_000, plan.large] {
        told(&format!("gifts in bulk, {} subscribers", grouped(subscribers)));
        let world = runtime.block_on(World::make(data, subscribers))?;
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
