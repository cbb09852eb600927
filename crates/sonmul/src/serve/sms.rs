//! SMS out, wired: the follower of `edges::sms` on its database, and the ways out that this server has.
//!
//! Guarantees: a restore leaves it paused; a database that is ahead of the journal, damaged or foreign refuses to start.
//!
//! Without a way out what is open stays open, and goes out or is given up when there is one again.
//!
//! Deliberately not here: delivery itself (`edges::sms`), tables (`store::deliveries`).

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use domain::ids::LinkId;
use domain::receipt::Seq;
use edges::sms::{Outgoing, ReceiptsIn, SmsCentre, SmsConfig, SmsFollower, SmsParts, WayOut, WaysOut};
use edges::texts::Texts;
use edges::told::Told;
use engine::handle::Engine;
use store::SqliteDeliveries;

use crate::config::{Limits, half, word};
use crate::exit::Outcome;
use crate::faults;

use super::centre::Centre;
use super::desk::Desk;

/// Its name, and so its file's.
pub(crate) use store::deliveries::NAME;

/// Where messages go besides SMSCs.
#[derive(Debug)]
pub enum Sink {
    /// To stdout, whole: for a demonstration, never for an operator's server.
    Print,
    /// To whoever waits for them.
    Hand(Sender<Outgoing>),
    /// Over the binds of the configuration; without any, nowhere.
    Binds,
}

/// The number of the link that is no SMSC: configured ones begin at 1.
const NO_LINK: LinkId = LinkId(0);

/// The ways out: those over binds, or a sink in their place: one message at a time, so that they come in order, and nobody
/// confirms them.
pub(crate) fn ways_out(sink: Sink, binds: Vec<WayOut<Centre>>) -> WaysOut<Centre> {
    let centre = match sink {
        Sink::Print => Centre::Print,
        Sink::Hand(hand) => Centre::Hand(hand),
        Sink::Binds => return WaysOut::new(binds),
    };
    let operators = Vec::new();
    WaysOut::new(vec![WayOut { link: NO_LINK, operators, window: 1, receipts: false, centre: Arc::new(centre) }])
}

/// What the follower is told about its bounds.
fn config(limits: &Limits) -> SmsConfig {
    const HOUR_MS: i64 = 3_600_000;
    let hours = |hours: u64| i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(HOUR_MS);
    SmsConfig {
        told_wait_ms: half(limits.told_wait_ms),
        open_max: word(limits.sms_open_max),
        awaiting_max: word(limits.sms_awaiting_max),
        retry_max_ms: hours(limits.sms_retry_max_h),
        retry_wait_ms: i64::from(half(limits.sms_retry_wait_ms)),
        retry_wait_max_ms: i64::from(half(limits.sms_retry_wait_max_ms)),
        receipt_wait_ms: hours(limits.sms_receipt_wait_h),
        submit_within_ms: half(limits.sms_submit_within_ms),
        kept_ms: hours(limits.sms_kept_days.saturating_mul(24)),
        kept_max: limits.sms_kept_max,
    }
}

/// Starts the follower where it was; after a restore it stays paused until somebody says otherwise.
pub(crate) fn follow<C: SmsCentre>(
    engine: &mut Engine,
    data: &Path,
    ways_out: WaysOut<C>,
    (texts, told, receipts): (&Arc<Texts>, Arc<Told>, ReceiptsIn),
    limits: &Limits,
    (head, resume): (Seq, bool),
) -> Outcome<()> {
    let mut store = SqliteDeliveries::open(data).map_err(faults::follower)?;
    if store.is_paused().map_err(faults::follower)? {
        if !resume {
            tracing::warn!("SMS are paused since a restore; `sonmul serve --resume-followers` lets them go on");
            return Ok(());
        }
        store.resume().map_err(faults::follower)?;
    }
    if ways_out.is_empty() {
        tracing::warn!("no SMSC is connected: SMS go nowhere (--print-sms shows them)");
    }
    let parts = SmsParts {
        ways_out,
        decider: Desk(engine.handle()),
        texts: Arc::clone(texts),
        told,
        store: Box::new(store),
        reader: engine.handle().reader(),
        receipts,
        config: config(limits),
    };
    let follower = SmsFollower::start(parts, head, &tokio::runtime::Handle::current()).map_err(faults::sms)?;
    engine.follow(NAME, follower.cursor(), Box::new(follower)).map_err(faults::follow)
}

/// Looks deliveries up in the follower's database, which it goes on writing to.
pub(crate) fn find_in(data: &Path) -> api::admin::FindSms {
    let data = data.to_path_buf();
    Arc::new(move |seq| store::deliveries::find(&data, seq))
}
