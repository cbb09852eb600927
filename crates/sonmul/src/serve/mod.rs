//! `sonmul serve`: the crates wired together, run and drained.
//!
//! Guarantees: one server per data directory; nothing is open before the state is folded; stopping answers what was
//! taken, lets followers finish and writes the checkpoint. After a lost sync the process ends with 70.

mod centre;
mod daily;
mod desk;
mod limited;
mod links;
mod listen;
mod open;
mod polite;
mod press;
mod process;
mod profiles;
mod sms;
mod smsc;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::password::TagKeys;
use domain::rules::Rules;
use edges::flow::{Flow, FlowConfig};
use edges::texts::Texts;
use engine::handle::{Engine, Fault};
use store::DataDir;
use tokio::sync::watch;
use wire::text::Budget;

use crate::config::{Config, DATA, half, word};
use crate::exit::{Exit, Failure, Outcome};
use crate::keys::load_tag_keys;
use crate::print;

use desk::Desk;
use links::Running;
pub(crate) use links::screen_budget;
use listen::Door;
use open::Opened;
use press::FilePress;
pub use process::{Signals, keep_memory};
pub use sms::Sink;
use smsc::Binds;
pub(crate) use smsc::probe as probe_smsc;

/// See `sonmul serve --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SIGINT and SIGTERM: takes no more, answers what was taken, writes the checkpoint, ends with 0; a second one ends
at once. Where the HTTP edge listens stands in DIR/http.addr.

Example:
  sonmul serve --data sonmul-data
  sonmul serve --data sonmul-data --accept-clock"
)]
pub(crate) struct ServeArgs {
    /// Data directory
    #[arg(long, env = "SONMUL_DATA", value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// Take the clock as it is, once: after a long pause, or when the latest entry's time is wrong
    #[arg(long)]
    accept_clock: bool,
    /// Print every SMS whole to stdout (a demonstration: whoever sees it reads what people were given)
    #[arg(long)]
    print_sms: bool,
    /// Let followers that a restore paused go on from where the backup was made
    #[arg(long)]
    resume_followers: bool,
}

/// Followers with effects outside: a restore pauses them.
pub(crate) const FOLLOWERS: [&str; 1] = [sms::NAME];

/// What a server is started with besides its configuration.
#[derive(Debug)]
pub struct Options {
    /// Data directory.
    pub data: PathBuf,
    /// See [`ServeArgs::accept_clock`].
    pub accept_clock: bool,
    /// See [`ServeArgs::resume_followers`].
    pub resume_followers: bool,
    /// Where SMS go.
    pub sink: Sink,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where the HTTP edge listens.
    pub http: SocketAddr,
    engine: Engine,
    doors: Vec<Door>,
    links: Running,
    stop: watch::Sender<bool>,
    drain: Duration,
    /// Dropped last: the lock.
    _dir: DataDir,
}

/// Runs until it is told to stop, or stops by itself.
pub(crate) fn run(args: &ServeArgs) -> Outcome {
    process::keep_memory();
    process::harden();
    process::raise_files();
    let sink = if args.print_sms { Sink::Print } else { Sink::Binds };
    let options = Options {
        data: args.data.clone(),
        accept_clock: args.accept_clock,
        resume_followers: args.resume_followers,
        sink,
    };
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let server = Server::start(options).await?;
        print::line(&format!("serving {}: http://{}, admin.sock", args.data.display(), server.http))?;
        tokio::select! {
            () = signals.next() => {}
            fault = server.engine.fault() => tracing::error!(%fault, "the engine stopped: the server ends"),
        }
        tracing::info!("stopping");
        tokio::spawn(async move {
            signals.next().await;
            eprintln!("sonmul: ended at once; the next start folds what is missing");
            std::process::exit(i32::from(Exit::Fault as u8));
        });
        server.stop().await?;
        tracing::info!("stopped");
        Ok(Exit::Ok)
    })
}

/// What a server's tasks run on.
pub fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("sonmul").build()?)
}

impl Server {
    /// Opens, folds, starts followers, opens the doors.
    pub async fn start(options: Options) -> Outcome<Self> {
        let Options { data, accept_clock, resume_followers, sink } = options;
        let config = Config::load(&data)?;
        let (keys, key_ids) = load_tag_keys(&data)?;
        let keys = Arc::new(keys);
        let limits = config.limits;
        let path = data.clone();
        let opening = move || open::open(&path, &limits, &key_ids, accept_clock);
        let Opened { mut engine, head, file_hashes, dir } = tokio::task::spawn_blocking(opening).await??;
        profiles::compare(&config.profiles, &file_hashes);
        let texts = Arc::new(Texts::embedded());
        let flow = flow(&config, &engine, &keys, &texts);
        let resume = (head.seq, resume_followers);
        let (receipts, receipts_in) = edges::sms::receipts();
        let mut binds = Binds::start(&config.links.smscs, &flow, &engine.handle(), &receipts)?;
        let ways_out = sms::ways_out(sink, std::mem::take(&mut binds.ways_out));
        let said = (&texts, flow.told(), receipts_in);
        sms::follow(&mut engine, &data, ways_out, said, &limits, resume)?;
        let (stop, stopped) = watch::channel(false);
        let router = edges::aggregator::router(&flow, links::aggregators(&config));
        let (http, edge) =
            listen::http(&data, config.listen, word(limits.http_connections_max), router, stopped.clone()).await?;
        let links = Running::start(&config, &flow, binds, &stopped)?;
        let admin_group = config.admin_group.clone();
        let parts = api::admin::AdminParts {
            handle: engine.handle(),
            keys,
            check_rules: Arc::new(move |rules| {
                check_texts(&texts, rules, screen_budget(&config.links, &rules.operator))
            }),
            links: links.views(),
            find_sms: sms::find_in(&data),
            press: Arc::new(FilePress::new(&data)),
            version: env!("CARGO_PKG_VERSION"),
        };
        let staff = listen::admin(&data, admin_group.as_deref(), api::router(parts), stopped.clone())?;
        daily::start(data.clone(), Duration::from_secs(limits.check_every_s), stopped);
        tracing::info!(%http, head = head.seq.0, "serving");
        let drain = Duration::from_secs(limits.drain_s);
        Ok(Self { http, engine, doors: vec![edge, staff], links, stop, drain, _dir: dir })
    }

    /// The engine, for whoever measures it.
    pub fn handle(&self) -> engine::handle::Handle {
        self.engine.handle()
    }

    /// How the links do.
    pub fn links(&self) -> Vec<api::admin::LinkView> {
        (self.links.views())()
    }

    /// Takes no more, answers what was taken, lets followers finish.
    pub async fn stop(self) -> Outcome<()> {
        self.stop.send_replace(true);
        for door in self.doors {
            door.closed(self.drain).await;
        }
        let binds = self.links.stopped(self.drain).await;
        let engine = self.engine;
        let stopped: Result<(), Fault> = tokio::task::spawn_blocking(move || engine.stop()).await?;
        // Not before: until then the SMS follower may still have answers to wait for.
        Binds::stop(binds).await;
        stopped.map_err(|fault| Failure { exit: Exit::Fault, error: fault.into() })
    }
}

/// Says which texts would not fit under these rules, for whoever loads them.
pub(crate) fn check_texts(texts: &Texts, rules: &Rules, screen: Budget) -> Result<(), Vec<String>> {
    let problems = texts.check(rules, screen);
    problems.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// What all edges share.
fn flow(config: &Config, engine: &Engine, keys: &Arc<TagKeys>, texts: &Arc<Texts>) -> Flow<Desk> {
    let limits = &config.limits;
    let flow = FlowConfig {
        sessions_max: word(limits.sessions_max),
        told_max: word(limits.told_max),
        callers_max: word(limits.callers_max),
        decide_within_s: half(limits.decide_within_s),
    };
    Flow::new(Desk(engine.handle()), Arc::clone(keys), Arc::clone(texts), flow)
}
