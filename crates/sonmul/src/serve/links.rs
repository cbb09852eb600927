//! The links of a server: started from the configuration, asked how they do, drained.
//!
//! Guarantees: a link that can't be used names its configuration before anything is connected; a peer that is away stops
//! nothing. Deliberately not here: protocols (edges), what the configuration may say ([`crate::config`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use api::admin::LinkView;
use domain::ids::LinkId;
use edges::aggregator::AggregatorConfig;
use edges::euse::{self, CTRL_PORT, Endpoint, EuseConfig, GSUP_PORT};
use edges::flow::Flow;
use edges::texts::smallest;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::text::Budget;

use super::desk::Desk;
use super::listen::stopping;
use super::smsc::{Binds, Look};
use crate::config::{Common, Config, Hlr, Links, word};
use crate::exit::{Exit, OrExit, Outcome};

/// Links that run.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    looks: Arc<Vec<Look>>,
    binds: Vec<edges::esme::Running>,
}

impl core::fmt::Debug for Running {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Running").field("links", &self.looks.len()).finish_non_exhaustive()
    }
}

impl Running {
    /// Starts every HLR link; `binds` run already, and aggregators connect to us.
    pub(crate) fn start(
        config: &Config,
        flow: &Flow<Desk>,
        mut binds: Binds,
        stop: &watch::Receiver<bool>,
    ) -> Outcome<Self> {
        let mut running = Started { tasks: JoinSet::new(), looks: Vec::new(), flow, stop };
        for aggregator in &config.links.aggregators {
            running.aggregator(&aggregator.common, &config.listen.to_string());
        }
        for hlr in &config.links.hlrs {
            running.hlr(hlr, config)?;
        }
        running.looks.append(&mut binds.looks);
        Ok(Self { tasks: running.tasks, looks: Arc::new(running.looks), binds: binds.into_running() })
    }

    /// For the administrative interface.
    pub(crate) fn views(&self) -> api::admin::Links {
        let looks = Arc::clone(&self.looks);
        Arc::new(move || looks.iter().map(|look| look()).collect())
    }

    /// Waits until every HLR link has let its peer go, at most so long; gives the binds back, which go last.
    pub(crate) async fn stopped(mut self, within: std::time::Duration) -> Vec<edges::esme::Running> {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(within, all).await.is_err() {
            tracing::warn!("links still had work under way: it is dropped");
        }
        self.binds
    }
}

/// The smallest screen among the links that may speak for an operator; without any the largest of all.
pub(crate) fn screen_budget(links: &Links, operator: &str) -> Budget {
    let serves = |common: &Common| common.operators.iter().any(|name| name == operator);
    let hlrs = links.hlrs.iter().filter(|hlr| serves(&hlr.common)).map(|_| Budget::USSD_OSMOHLR);
    smallest(hlrs.chain([Budget::USSD]))
}

/// Configurations of the aggregators, for their router.
pub(crate) fn aggregators(config: &Config) -> Vec<AggregatorConfig> {
    let one = |aggregator: &crate::config::Aggregator| {
        let Common { name, link, operators, ranges, brake, times, answer_within_ms } = aggregator.common.clone();
        AggregatorConfig {
            link: LinkId(link),
            name,
            key_hash: aggregator.key_hash,
            sources: aggregator.sources.clone(),
            operators,
            ranges,
            budget: Budget::USSD,
            times,
            answer_within_ms,
            brake,
        }
    };
    config.links.aggregators.iter().map(one).collect()
}

struct Started<'a> {
    tasks: JoinSet<()>,
    looks: Vec<Look>,
    flow: &'a Flow<Desk>,
    stop: &'a watch::Receiver<bool>,
}

impl Started<'_> {
    fn aggregator(&mut self, common: &Common, address: &str) {
        let view = LinkView {
            name: common.name.clone(),
            link: common.link,
            kind: String::from("aggregator"),
            address: String::from(address),
            up: true,
            says: String::from("listens"),
            counts: BTreeMap::new(),
        };
        self.looks.push(Box::new(move || view.clone()));
    }

    fn hlr(&mut self, hlr: &Hlr, config: &Config) -> Outcome<()> {
        let euse = euse_config(hlr, config).or_exit_with(Exit::Usage, || format!("hlr {}", hlr.common.name))?;
        let status = Arc::new(euse::Status::new());
        let (name, link, address) = (hlr.common.name.clone(), hlr.common.link, hlr.gsup.clone());
        let seen = Arc::clone(&status);
        self.looks.push(Box::new(move || {
            let (hlr, ctrl) = (seen.hlr(), seen.ctrl());
            let says = match (hlr.up_since, ctrl.up_since) {
                (None, _) => hlr.last_error.unwrap_or_else(|| String::from("connecting")),
                (_, None) => ctrl.last_error.unwrap_or_else(|| String::from("connecting to its control interface")),
                (Some(since), Some(_)) => format!("registered for {} s", since.elapsed().as_secs()),
            };
            LinkView {
                name: name.clone(),
                link,
                kind: String::from("hlr"),
                address: address.clone(),
                up: seen.is_up(),
                says,
                counts: seen.counts().named().map(|(name, count)| (String::from(name), count)).collect(),
            }
        }));
        let (flow, stop) = (self.flow.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            if let Err(error) = euse::run(&flow, euse, status, stopping(stop)).await {
                tracing::error!(%error, "an HLR link can't be used");
            }
        });
        Ok(())
    }
}

fn euse_config(hlr: &Hlr, config: &Config) -> Result<EuseConfig, euse::EuseConfigError> {
    let Common { name, link, operators, ranges, brake, times, answer_within_ms } = hlr.common.clone();
    let usual = EuseConfig::try_new(LinkId(link), &name, &hlr.gsup, operators)?;
    let dialogues_max = word(config.limits.sessions_max);
    let euse = EuseConfig {
        hlr: Endpoint::parse(&hlr.gsup, GSUP_PORT)?,
        ctrl: Endpoint::parse(&hlr.ctrl, CTRL_PORT)?,
        euse_name: hlr.euse.clone(),
        ranges,
        brake,
        times,
        answer_within_ms,
        guard_s: hlr.guard_s,
        ctrl_within_ms: usual.ctrl_within_ms.min(answer_within_ms / 2),
        msisdn_cache_max: word(config.limits.callers_max),
        dialogues_max,
        in_flight_max: usual.in_flight_max.min(dialogues_max / 2),
        ..usual
    };
    euse.check()?;
    Ok(euse)
}
