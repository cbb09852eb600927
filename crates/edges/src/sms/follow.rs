//! The follower's thread: entries → messages → the machine's task, and the start from a database.
//!
//! Guarantees: a database that is ahead of the journal, or holds deliveries that its entries never caused, is refused. The
//! thread waits for nothing but room, and only as long as it is told to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::receipt::Seq;
use engine::deliveries::{Changes, Delivery, FollowerStore, FollowerStoreFault, Stage};
use engine::follower::{Follow, FollowFault};
use engine::journal::{Batch, JournalReader, ReadFault, decode};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use super::drive::{Driver, Gate, INTAKES_MAX, Intake, ReceiptsIn};
use super::outbox::Outbox;
use super::{SmsCentre, SmsConfig, SmsCounts, WaysOut};
use crate::notice::{Notice, notices};
use crate::port::Decider;
use crate::texts::Texts;
use crate::told::Told;

/// How often a cursor alone is written.
const SAVE_EVERY: Duration = Duration::from_millis(500);
/// For the machine's task when stopping: longer than it takes itself.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// What a follower is made of.
pub struct SmsParts<C, D> {
    /// Where messages leave; without any, entries are only counted off.
    pub ways_out: WaysOut<C>,
    /// Rules, languages, time.
    pub decider: D,
    /// The texts.
    pub texts: Arc<Texts>,
    /// Screens that were shown.
    pub told: Arc<Told>,
    /// The follower's database.
    pub store: Box<dyn FollowerStore>,
    /// Where texts of open deliveries are made from again.
    pub reader: Arc<dyn JournalReader>,
    /// Receipts of binds.
    pub receipts: ReceiptsIn,
    /// Bounds.
    pub config: SmsConfig,
}

impl<C, D> core::fmt::Debug for SmsParts<C, D> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SmsParts")
            .field("ways_out", &self.ways_out)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Why a follower can't begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsStartFault {
    /// The journal lost its tail, or the database is another journal's.
    #[error(
        "SMS were sent up to entry {cursor}, the journal ends at {head}: it lost its tail; bring its files back, or have \
         `sonmul repair --yes` take them back to where the journal ends"
    )]
    Ahead {
        /// The database's.
        cursor: Seq,
        /// The journal's.
        head: Seq,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] FollowerStoreFault),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] ReadFault),
}

enum Mode {
    /// There is nobody to hand messages to.
    Quiet { store: Box<dyn FollowerStore>, saved: Seq, saved_at: Instant },
    /// A task hands them over.
    Driven { intakes: mpsc::Sender<Intake>, stop: Option<oneshot::Sender<()>>, ended: std::sync::mpsc::Receiver<()> },
}

/// See the module.
pub struct SmsFollower {
    done: Seq,
    gate: Arc<Gate>,
    mode: Mode,
}

impl core::fmt::Debug for SmsFollower {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SmsFollower").field("done", &self.done).finish_non_exhaustive()
    }
}

impl SmsFollower {
    /// Begins where the database says; a new one at `head`, the journal's latest entry, for what was given long ago is no
    /// news. Reads files.
    ///
    /// # Errors
    /// When the database can't be used, or does not fit the journal.
    pub fn start<C: SmsCentre, D: Decider>(
        parts: SmsParts<C, D>,
        head: Seq,
        runtime: &runtime::Handle,
    ) -> Result<Self, SmsStartFault> {
        let SmsParts { ways_out, decider, texts, told, mut store, reader, receipts, config } = parts;
        let cursor = match store.cursor()? {
            Some(cursor) if cursor > head => return Err(SmsStartFault::Ahead { cursor, head }),
            Some(cursor) => cursor,
            None => {
                store.write(&Changes { cursor: Some(head), ..Changes::default() })?;
                head
            }
        };
        let gate = Arc::new(Gate::new(config.open_max.max(1)));
        if ways_out.is_empty() {
            let mode = Mode::Quiet { store, saved: cursor, saved_at: Instant::now() };
            return Ok(Self { done: cursor, gate, mode });
        }
        let mut outbox = Outbox::new(config, ways_out.ways(), cursor);
        reopen(&mut outbox, &ways_out, &decider, &mut *store, &*reader, cursor)?;
        let (intakes, to_take) = mpsc::channel(INTAKES_MAX);
        let (stop, stopped) = oneshot::channel();
        let (tell, ended) = std::sync::mpsc::channel();
        let driver = Driver {
            outbox,
            ways_out,
            decider,
            texts,
            told,
            store,
            config,
            gate: Arc::clone(&gate),
            intakes: to_take,
            receipts,
            stop: stopped,
        };
        runtime.spawn(async move {
            driver.run().await;
            let _gone = tell.send(());
        });
        Ok(Self { done: cursor, gate, mode: Mode::Driven { intakes, stop: Some(stop), ended } })
    }

    /// The latest entry that is done with, or on its way.
    pub const fn cursor(&self) -> Seq {
        self.done
    }

    /// What it did so far, whoever owns it later.
    pub fn counts(&self) -> impl Fn() -> SmsCounts + Send + Sync + 'static {
        let gate = Arc::clone(&self.gate);
        move || gate.counts()
    }
}

/// Takes up what the database had open; what it says is made from the entries again.
fn reopen<C: SmsCentre, D: Decider>(
    outbox: &mut Outbox,
    ways_out: &WaysOut<C>,
    decider: &D,
    store: &mut dyn FollowerStore,
    reader: &dyn JournalReader,
    cursor: Seq,
) -> Result<(), SmsStartFault> {
    let (directory, now) = (decider.directory(), decider.now());
    let mut batch: Option<Batch> = None;
    for delivery in store.open_deliveries()? {
        let seq = delivery.key.seq;
        if seq > cursor {
            return Err(FollowerStoreFault::Damaged(format!("a delivery of entry {seq} is past its cursor")).into());
        }
        let mut notice = None;
        if matches!(delivery.stage, Stage::Waiting { .. }) {
            if batch.as_ref().is_none_or(|batch| batch.last_seq() < seq || seq < batch.first_seq) {
                batch = read(reader, seq)?;
            }
            if let Some(batch) = &batch {
                let found = said(batch, &delivery);
                notice = Some(found.ok_or_else(|| {
                    FollowerStoreFault::Damaged(format!("a delivery of entry {seq} that this entry never caused"))
                })?);
            }
        }
        if let Some(notice) = notice.filter(|notice| !outbox.has_route(notice.operator)) {
            let rules = directory.rules(notice.operator);
            outbox.route(notice.operator, rules.map(|rules| ways_out.of(&rules.operator)).unwrap_or_default());
        }
        outbox.reopen(delivery, notice, now);
    }
    Ok(())
}

/// The append that holds an entry; `None` when its segment was archived: then the message can't be made again.
fn read(reader: &dyn JournalReader, seq: Seq) -> Result<Option<Batch>, ReadFault> {
    match reader.find(seq) {
        Ok(link) => link.map(|link| decode(&link)).transpose(),
        Err(ReadFault::Absent { seq }) => {
            tracing::warn!(%seq, "an open SMS is given up: its entry was archived");
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn said(batch: &Batch, delivery: &Delivery) -> Option<Notice> {
    let (seq, entry) = batch.iter().find(|(seq, _)| *seq == delivery.key.seq)?;
    notices(seq, batch.at, entry).find(|notice| notice.key == delivery.key && notice.to == delivery.to)
}

impl Follow for SmsFollower {
    fn is_ready(&mut self, wait: Duration) -> bool {
        match self.mode {
            Mode::Quiet { .. } => true,
            Mode::Driven { .. } => self.gate.has_room(wait),
        }
    }

    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        let last = batch.last_seq().max(self.done);
        if let Mode::Driven { intakes, .. } = &self.mode {
            let new = batch.iter().filter(|(seq, _)| *seq > self.done);
            let notices: Vec<Notice> = new.flat_map(|(seq, entry)| notices(seq, batch.at, entry)).collect();
            self.gate.queued(notices.len());
            let sent = intakes.blocking_send(Intake { last, notices });
            sent.map_err(|_| {
                FollowFault(String::from("the task that hands SMS over is gone: start the server again"))
            })?;
        }
        self.done = last;
        self.save_cursor(false)
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.save_cursor(true)
    }

    fn end(&mut self) -> Result<(), FollowFault> {
        if let Mode::Driven { stop, ended, .. } = &mut self.mode {
            let _gone = stop.take().map(|stop| stop.send(()));
            let late = |_| FollowFault(String::from("SMS under way were not waited for: they are sent again"));
            return ended.recv_timeout(STOPPED_WITHIN).map_err(late);
        }
        self.save_cursor(true)
    }
}

impl SmsFollower {
    /// Of a quiet one: the other's task writes it with its deliveries.
    fn save_cursor(&mut self, now: bool) -> Result<(), FollowFault> {
        let Mode::Quiet { store, saved, saved_at } = &mut self.mode else { return Ok(()) };
        if *saved < self.done && (now || saved_at.elapsed() >= SAVE_EVERY) {
            let changes = Changes { cursor: Some(self.done), ..Changes::default() };
            store.write(&changes).map_err(|fault| FollowFault(fault.to_string()))?;
            *saved = self.done;
            *saved_at = Instant::now();
        }
        Ok(())
    }
}
