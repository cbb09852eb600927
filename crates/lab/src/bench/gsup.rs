//! The far side of GSUP: a switch with many phones, before a stand-in for an HLR and before Debian's OsmoHLR.
//!
//! The switch and the stand-in share one thread, so that what is measured has as much of two cores as can be; between them
//! there is no socket. Between the stand-in and the server there is loopback, as on either side of OsmoHLR.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::load::LoadError;
use crate::load::flood::{FloodConfig, Flooded, flood};
use crate::load::hlr::{Hlr, HlrConfig, Number};
use crate::load::osmo::{OsmoConfig, OsmoHlr};
use anyhow::{Context, bail};
use sonmul::gsup::Shown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::baselines::per_second;
use super::callers::Measured;
use super::latency::Latencies;
use super::table::grouped;
use super::world::{self, SERVICE_CODE, Source, is_sent};
use sonmul::serve::Server;

/// Our name there.
const EUSE: &str = "airtime";
/// Subscribers in OsmoHLR's database: as many as an MSISDN is remembered for at a time.
const OSMO_SUBSCRIBERS: u64 = 50_000;
/// Dials under way: at 30,000 a second each waits for 17 ms.
const WINDOW: usize = 512;
/// Paced ones wait for their time, and only in a jam for others.
const WINDOW_PACED: usize = 16_384;
/// Answers are waited for so long after the last dial.
const DRAIN: Duration = Duration::from_secs(5);
/// A link is up within so long.
const UP_WITHIN: Duration = Duration::from_secs(30);
const GUARD_S: u32 = 30;

/// Links as the configuration numbers them.
const STAND_IN: (&str, u16) = ("stand-in", 10);
const OSMO: (&str, u16) = ("osmohlr", 11);

/// What the server's GSUP links lead to.
pub(super) struct Peers {
    runtime: Runtime,
    subscribers: u64,
    stand_in: Option<Hlr>,
    /// `Ok(None)`: it is not installed.
    osmo: Option<Option<OsmoHlr>>,
}

/// One of them, and who dials there.
pub(super) enum Peer<'a> {
    /// Callers are the first so many.
    StandIn(&'a Hlr, u64),
    Osmo(Option<&'a OsmoHlr>, u64),
}

impl Peer<'_> {
    /// For the rows' names.
    pub(super) fn over(&self) -> String {
        match self {
            Self::StandIn(_, callers) => {
                format!("over GSUP through a stand-in HLR, {} callers", grouped(*callers))
            }
            Self::Osmo(_, callers) => format!("over GSUP through OsmoHLR, {} callers", grouped(*callers)),
        }
    }

    /// Why it can't be measured.
    pub(super) fn missing(&self) -> Option<String> {
        matches!(self, Self::Osmo(None, _)).then(|| LoadError::NoOsmo.to_string())
    }

    pub(super) fn note(&self) -> String {
        match self {
            Self::StandIn(..) => format!("{WINDOW} dials under way; switch and stand-in on one thread"),
            Self::Osmo(..) => format!(
                "{WINDOW} dials under way; OsmoHLR, one process with one thread and all callers in its database, is in \
                 none of the processor time"
            ),
        }
    }

    const fn callers(&self) -> u64 {
        let (Self::StandIn(_, callers) | Self::Osmo(_, callers)) = self;
        *callers
    }

    const fn link(&self) -> &'static str {
        match self {
            Self::StandIn(..) => STAND_IN.0,
            Self::Osmo(..) => OSMO.0,
        }
    }
}

impl Peers {
    /// Starts those that are wanted, which know `subscribers` of the world.
    pub(super) fn start(dir: &Path, subscribers: u64, stand_in: bool, osmo: bool) -> anyhow::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("peers").build()?;
        let route = (format!("*{SERVICE_CODE}*"), String::from(EUSE));
        let stand_in = stand_in.then(|| {
            let numbers = move |imsi: &wire::imsi::Imsi| match world::number_of(imsi, subscribers) {
                Some(msisdn) => Number::Msisdn(msisdn),
                None => Number::Unknown,
            };
            runtime.block_on(Hlr::start(HlrConfig {
                routes: vec![route.clone()],
                sessions_max: 2 * WINDOW_PACED,
                guard: Duration::from_secs(u64::from(GUARD_S)),
                numbers: Arc::new(numbers),
            }))
        });
        let osmo = osmo.then(|| runtime.block_on(start_osmo(&dir.join("osmohlr"), &route.0, subscribers)));
        Ok(Self { runtime, subscribers, stand_in: stand_in.transpose()?, osmo: osmo.transpose()? })
    }

    /// What the server's configuration says of them.
    pub(super) fn config(&self) -> String {
        let hlr = |(name, link): (&str, u16), gsup: std::net::SocketAddr, ctrl: std::net::SocketAddr| {
            format!(
                "[[hlr]]\nname = \"{name}\"\nlink = {link}\ngsup = \"{gsup}\"\nctrl = \"{ctrl}\"\neuse = \"{EUSE}\"\n\
                 guard_s = {GUARD_S}\noperators = [\"bench\"]\n"
            )
        };
        let stand_in = self.stand_in.as_ref().map(|peer| hlr(STAND_IN, peer.gsup, peer.ctrl));
        let osmo = self.osmo.as_ref().and_then(Option::as_ref).map(|peer| hlr(OSMO, peer.gsup, peer.ctrl));
        stand_in.into_iter().chain(osmo).collect()
    }

    /// What is measured, in order.
    pub(super) fn all(&self) -> Vec<Peer<'_>> {
        let few = OSMO_SUBSCRIBERS.min(self.subscribers);
        let mut all = Vec::new();
        if let Some(hlr) = &self.stand_in {
            all.push(Peer::StandIn(hlr, self.subscribers));
            if few < self.subscribers {
                all.push(Peer::StandIn(hlr, few));
            }
        }
        if let Some(osmo) = &self.osmo {
            all.push(Peer::Osmo(osmo.as_ref(), few));
        }
        all
    }

    /// One run.
    pub(super) fn dial(
        &self,
        server: &Server,
        source: &Arc<Source>,
        peer: &Peer<'_>,
        paced: Option<u64>,
        lasts: Duration,
    ) -> anyhow::Result<Measured> {
        wait_until_up(server, peer.link())?;
        let config = FloodConfig {
            name: String::from("MSC-00-00-00-00-00-01"),
            window: if paced.is_some() { WINDOW_PACED } else { WINDOW },
            paced,
            lasts,
            drain: DRAIN,
        };
        let source = Arc::clone(source);
        let callers = peer.callers();
        let running = match peer {
            Peer::StandIn(hlr, _) => {
                let stream = {
                    let _entered = self.runtime.enter();
                    hlr.attach()
                };
                self.runtime.spawn(run(stream, config, source, callers))
            }
            Peer::Osmo(Some(hlr), _) => {
                let stream = self.runtime.block_on(TcpStream::connect(hlr.gsup)).context("connecting to OsmoHLR")?;
                stream.set_nodelay(true)?;
                self.runtime.spawn(run(stream, config, source, callers))
            }
            Peer::Osmo(None, _) => bail!(LoadError::NoOsmo),
        };
        self.runtime.block_on(running)?
    }
}

/// `None`: it is not installed.
async fn start_osmo(dir: &Path, prefix: &str, subscribers: u64) -> anyhow::Result<Option<OsmoHlr>> {
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)?;
    let known = (0..OSMO_SUBSCRIBERS.min(subscribers)).map(|row| {
        let imsi = world::imsi(row)?;
        Ok((String::from(imsi.as_str()), world::number_of(&imsi, subscribers)))
    });
    let config = OsmoConfig {
        euse: String::from(EUSE),
        prefixes: vec![String::from(prefix)],
        guard_s: GUARD_S,
        subscribers: known.collect::<anyhow::Result<_>>()?,
    };
    match OsmoHlr::start(dir, &config).await {
        Ok(hlr) => Ok(Some(hlr)),
        Err(LoadError::NoOsmo) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn wait_until_up(server: &Server, link: &str) -> anyhow::Result<()> {
    let until = Instant::now() + UP_WITHIN;
    loop {
        let links = server.links();
        let view = links.iter().find(|view| view.name == link).context("the server has no such link")?;
        if view.up {
            return Ok(());
        }
        if until < Instant::now() {
            bail!("the link {link} is not up: {}", view.says);
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

async fn run<S>(stream: S, config: FloodConfig, source: Arc<Source>, callers: u64) -> anyhow::Result<Measured>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut dials = source.dials(callers);
    let mut latencies = Latencies::default();
    let mut given = 0;
    // Rows of the world make an IMSI; one that did not would be refused and counted.
    let nobody = world::imsi(0)?;
    let next = || dials.dialled().unwrap_or_else(|_| (nobody, String::new()));
    let flooded = flood(stream, &config, next, |shown, took| {
        latencies.add(took);
        given += u64::from(matches!(shown, Shown::Ends(text) if is_sent(text)));
    });
    let Flooded { sent, took_ms, .. } = flooded.await?;
    Ok(Measured {
        per_second: per_second(given, Duration::from_millis(took_ms)),
        refused: sent.saturating_sub(given),
        latencies,
    })
}
