//! `sonmul-lab bench`: the numbers of docs/benchmarks.md, measured on this machine, beside two baselines of the same run.
//!
//! Everything is real: a data directory, the server's own start, tags under its key, the checkpoint and the SMS follower
//! at work, the edges. Load generators share the cores with what they measure.
//!
//! Deliberately not here: judgements as tests. A goal that is missed is printed as missed.

mod baselines;
mod callers;
mod dials;
mod gifts;
mod gsup;
mod http;
mod latency;
mod machine;
mod restart;
mod sms;
mod table;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use sonmul::exit::{Exit, Outcome};
use tokio::runtime::Runtime;

use gifts::Baselines;
use gsup::Peers;
use table::{Goal, Row};
use world::World;

/// See `sonmul-lab bench --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A whole run takes about half an hour on two cores and 12 GiB of disk; --quick takes two minutes and says
little. DIR is made anew and taken away.

Example:
  sonmul-lab bench --quick
  sonmul-lab bench --quick --only http --only gsup
  sonmul-lab bench --runs 5 --seconds 60 --large 10000000 > docs/benchmarks.out"
)]
pub struct BenchArgs {
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
    /// Only these rows; may be given again
    #[arg(long, value_name = "GROUP")]
    only: Vec<Group>,
    /// A limit of the server that is measured, as in sonmul.toml; may be given again
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// The server that is restarted [default: sonmul beside this program]
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Leave DIR as it is at the end
    #[arg(long)]
    keep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    /// What people run: a restart is a process of its own.
    fn server(&self) -> anyhow::Result<PathBuf> {
        match &self.server {
            Some(server) => Ok(server.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("sonmul")),
        }
    }

    /// Lines for the end of the configuration, where its limits stand.
    fn limits(&self) -> String {
        self.limits.iter().map(|limit| format!("{limit}\n")).collect()
    }
}

/// Rows that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Group {
    /// SQLite tables and a bare file
    Baselines,
    /// Gifts in bulk, and the journal's size
    Bulk,
    /// Gifts one at a time
    Callers,
    /// Dials over HTTP
    Http,
    /// Dials over GSUP through a stand-in for an HLR
    Gsup,
    /// Dials over GSUP through OsmoHLR
    Osmohlr,
    /// SMS drained over a bind
    Sms,
    /// Restart and memory
    Restart,
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
///
/// # Errors
/// When something can't be measured: a world that can't be made, a peer that does not start.
pub fn run(args: &BenchArgs) -> Outcome {
    sonmul::serve::keep_memory();
    let plan = if args.quick {
        let (bulk, other) = (Duration::from_secs(3), Duration::from_secs(2));
        Plan { subscribers: 50_000, large: 0, bulk, other, runs: 1 }
    } else {
        let (bulk, other) = (Duration::from_secs(args.seconds), Duration::from_secs(args.seconds.div_ceil(6)));
        Plan { subscribers: args.subscribers, large: args.large, bulk, other, runs: args.runs.max(1) }
    };
    std::fs::create_dir_all(&args.dir)?;
    let machine = machine::describe(&args.dir);
    let rows = measure(&sonmul::serve::runtime()?, args, plan)?;
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
fn measure(runtime: &Runtime, args: &BenchArgs, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let wanted = |group: Group| args.only.is_empty() || args.only.contains(&group);
    let (dir, data) = (&args.dir, args.dir.join("data"));
    let limits = args.limits();
    let server = args.server()?;
    if wanted(Group::Restart) && !server.is_file() {
        bail!("{} is not there: build it with `make build`, or name it with --server", server.display());
    }
    let mut rows = Vec::new();
    let mut baselines = None;
    if wanted(Group::Baselines) {
        told("baselines");
        let measured = Baselines::measure(dir, plan)?;
        rows.extend(measured.rows());
        baselines = Some(measured);
    }
    let [gsup, osmo] = [Group::Gsup, Group::Osmohlr].map(wanted);
    if gsup || osmo || [Group::Bulk, Group::Callers, Group::Http, Group::Restart].into_iter().any(wanted) {
        let peers = Peers::start(dir, plan.subscribers, gsup, osmo)?;
        told("the world");
        let config = format!("{limits}{}", peers.config());
        let world = runtime.block_on(World::make(&data, plan.subscribers, &config))?;
        let measured = in_world(runtime, &world, &peers, dir, plan, baselines.as_ref(), wanted);
        rows.extend(measured?);
        if wanted(Group::Restart) {
            told("restart");
            drop(peers);
            rows.extend(runtime.block_on(restart::rows(world, plan.subscribers, &server))?);
        } else {
            runtime.block_on(world.end())?;
        }
    }
    if wanted(Group::Sms) {
        rows.extend(sms::rows(runtime, &data, &limits, plan)?);
    }
    if plan.large > 0 && wanted(Group::Bulk) {
        rows.push(gifts::by_size(runtime, &data, plan)?);
    }
    Ok(rows)
}

/// What one server in one world can do.
fn in_world(
    runtime: &Runtime,
    world: &World,
    peers: &Peers,
    dir: &Path,
    plan: Plan,
    baselines: Option<&Baselines>,
    wanted: impl Fn(Group) -> bool,
) -> anyhow::Result<Vec<Row>> {
    let (handle, source) = (world.server.handle(), Arc::clone(&world.source));
    let mut rows = Vec::new();
    if wanted(Group::Bulk) {
        told("gifts in bulk");
        rows.push(gifts::bulk(&handle, &source, plan, baselines)?);
        let per_gift = runtime.block_on(world.journal_octets_per_entry())?;
        let journal = Row::new("journal per gift", "octets", vec![per_gift], Some(Goal::AtMost(200)));
        rows.push(journal.note("of the latest full segment in bulk, its file's size over its entries"));
    }
    if wanted(Group::Callers) {
        for count in [32, 64] {
            told("gifts one at a time");
            rows.push(gifts::callers_row(&handle, &source, plan, count, baselines)?);
            rows.push(gifts::socket_row(&handle, &source, dir, plan, count)?);
        }
    }
    if wanted(Group::Http) {
        told("dials over HTTP");
        rows.extend(dials::over_http(world, plan)?);
    }
    rows.extend(dials::over_gsup(world, peers, plan)?);
    Ok(rows)
}

fn told(what: &str) {
    eprintln!("bench: {what}");
}
