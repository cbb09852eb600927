//! SMS drained a second per bind: journal → text → `submit_sm` → answer → `sms.sqlite`, against a stand-in for an SMSC.
//!
//! A world of its own for each figure, in which more gifts wait in the journal than are drained. Gifts go on being posted as
//! fast as their SMS leave, so that what waits stays the same.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::smsc::{Smsc, SmscConfig};
use anyhow::{Context, bail};
use tokio::runtime::Runtime;

use super::baselines::per_second;
use super::dials::used_by_others;
use super::machine::{self, Others};
use super::table::{Row, grouped};
use super::world::{BULK, Gifts, World};
use super::{Plan, told, world};

/// More than the follower holds at a time, and than the senders' own, which wait for their screens first.
const BACKLOG: u64 = 200_000;
/// Recipient and sender.
const SMS_PER_GIFT: u64 = 2;
const SUBSCRIBERS_MAX: u64 = 50_000;
/// The first one leaves within so long.
const FIRST_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether more gifts are needed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The usual window, a large one, and that without receipts.
const FIGURES: [(u32, bool); 3] = [(10, true), (100, true), (100, false)];

/// All figures.
pub(super) fn rows(runtime: &Runtime, data: &Path, limits: &str, plan: Plan) -> anyhow::Result<Vec<Row>> {
    FIGURES.iter().map(|(window, receipts)| row(runtime, data, limits, plan, *window, *receipts)).collect()
}

fn row(runtime: &Runtime, data: &Path, limits: &str, plan: Plan, window: u32, receipts: bool) -> anyhow::Result<Row> {
    told(&format!("SMS, window {window}"));
    let smsc = Smsc::listen(SmscConfig { receipts })?;
    let config = format!(
        "{limits}[[smsc]]\nname = \"smsc\"\nlink = 20\naddress = \"{}\"\nsystem_id = \"sonmul\"\noperators = [\"bench\"]\n\
         source = \"999\"\nwindow = {window}\nreceipts = {receipts}\n",
        smsc.address()
    );
    let world = runtime.block_on(World::make(data, SUBSCRIBERS_MAX.min(plan.subscribers), &config))?;
    let mut feed = Feed { gifts: world.source.gifts(), posted: 0 };
    // Whoever fills the world sends SMS too: cards that were bound. They are part of what is drained.
    feed.top_up(&world, &smsc);
    let first = smsc.drained().submits;
    if smsc.wait(FIRST_WITHIN, |drained| first < drained.submits).submits <= first {
        bail!("no SMS left within {} s: {:?}", FIRST_WITHIN.as_secs(), world.server.links());
    }
    let (mut rates, mut cpu, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.runs {
        let (before, began, cpu_before) = (smsc.drained().submits, Instant::now(), machine::cpu_ms());
        let meanwhile = Others::begin();
        while began.elapsed() < plan.other {
            feed.top_up(&world, &smsc);
            std::thread::park_timeout(LOOK_EVERY);
        }
        let drained = smsc.drained().submits - before;
        rates.push(per_second(drained, began.elapsed()));
        others.push(meanwhile.share());
        cpu.push((machine::cpu_ms() - cpu_before) * 1_000 / drained.max(1));
    }
    let gifts = feed.posted;
    let World { server, dir, .. } = world;
    runtime.block_on(server.stop()).map_err(|failure| failure.error)?;
    let drained = smsc.drained();
    let kept = durable(&dir)?;
    std::fs::remove_dir_all(&dir)?;
    // An answer that came after the server had stopped waiting is no fault of what was measured; a row too many would be.
    if drained.submits < kept || drained.submits - kept > u64::from(window) {
        bail!("the SMSC took {} SMS, and {kept} of them are written down", drained.submits);
    }
    let with = if receipts { "receipts" } else { "no receipts" };
    let row = Row::new(format!("SMS drained over one bind, window {window}, {with}"), "SMS/s", rates, None);
    Ok(row
        .note("rendered, submitted, answered, written down and synced: a place in the window is free only then")
        .note(format!("{} µs of processor time each, SMSC and gifts included", super::table::median(&cpu)))
        .note(format!("{} gifts posted meanwhile, {} receipts", grouped(gifts), grouped(drained.receipts)))
        .note(used_by_others(&others)))
}

/// Keeps gifts waiting.
struct Feed {
    gifts: Gifts,
    posted: u64,
}

impl Feed {
    fn top_up(&mut self, world: &World, smsc: &Smsc) {
        let handle = world.server.handle();
        while SMS_PER_GIFT * self.posted < smsc.drained().submits + BACKLOG {
            let answers = handle.submit_bulk(self.gifts.bulk(handle.now())).wait();
            self.posted += answers.iter().filter(|answer| world::is_given(answer)).count() as u64;
            debug_assert_eq!(answers.len(), BULK, "every gift has an answer");
        }
    }
}

/// SMS of which the follower's database says that an SMSC took them over.
fn durable(dir: &Path) -> anyhow::Result<u64> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = rusqlite::Connection::open_with_flags(dir.join(store::deliveries::FILE), flags)?;
    let sql = "SELECT count(*) FROM (SELECT sent_at_ms FROM open UNION ALL SELECT sent_at_ms FROM ended) WHERE \
               sent_at_ms IS NOT NULL";
    let count: i64 = db.query_row(sql, [], |row| row.get(0)).context("counting SMS")?;
    Ok(count.unsigned_abs())
}
