//! The SMS follower: every durable gift's message goes to a [`Notifier`], at least once and in order.
//!
//! Guarantees: the cursor moves only past entries whose messages were taken over; after a crash at most what was taken
//! since the latest save ([`SAVE_EVERY`]) goes out again, with the same text. A restore leaves it paused.
//!
//! Deliberately not here: delivery to phones. There is no SMSC yet; [`Sink`] prints, hands on, or lets go.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use domain::receipt::Seq;
use edges::notice::{NotTaken, Notifier, Sms, notices};
use edges::texts::Texts;
use engine::follower::{Cursor, Follow, FollowFault};
use engine::handle::Handle;
use engine::journal::Batch;
use store::SqliteCursor;
use tokio::runtime;

/// Its name, and so its file's.
pub(crate) const NAME: &str = "sms";
/// What a crash may send again.
const SAVE_EVERY: Duration = Duration::from_millis(500);

/// Where messages go while there is no SMSC.
#[derive(Debug)]
pub(crate) enum Sink {
    /// To stdout, whole: for a demonstration, never for an operator's server.
    Print,
    /// To whoever waits for them.
    Hand(Sender<Sms>),
    /// Nowhere.
    LetGo,
}

impl Notifier for Sink {
    fn is_connected(&self) -> bool {
        !matches!(self, Self::LetGo)
    }

    async fn notify(&self, sms: Sms) -> Result<(), NotTaken> {
        match self {
            Self::Print => crate::print::line(&format!("SMS to +{}: {}", sms.to.get(), sms.text))
                .map_err(|failure| NotTaken { why: failure.to_string() }),
            // Who waits no more does not want it.
            Self::Hand(hand) => {
                let _gone = hand.send(sms);
                Ok(())
            }
            Self::LetGo => Ok(()),
        }
    }
}

/// See the module.
pub(crate) struct SmsFollower<N> {
    notifier: N,
    texts: Arc<Texts>,
    handle: Handle,
    runtime: runtime::Handle,
    cursor: SqliteCursor,
    /// Everything up to here is taken over, and what of it is saved.
    done: Seq,
    saved: Seq,
    saved_at: Instant,
}

impl<N: Notifier> SmsFollower<N> {
    /// A follower after `done`.
    pub(crate) fn new(
        notifier: N,
        texts: Arc<Texts>,
        handle: Handle,
        runtime: runtime::Handle,
        cursor: SqliteCursor,
        done: Seq,
    ) -> Self {
        Self { notifier, texts, handle, runtime, cursor, done, saved: done, saved_at: Instant::now() }
    }

    fn save(&mut self) -> Result<(), FollowFault> {
        if self.saved < self.done {
            self.cursor.save(self.done).map_err(|fault| FollowFault(fault.to_string()))?;
            self.saved = self.done;
        }
        self.saved_at = Instant::now();
        Ok(())
    }
}

impl<N: Notifier> Follow for SmsFollower<N> {
    fn batch(&mut self, batch: &Arc<Batch>) -> Result<(), FollowFault> {
        let directory = self.handle.directory();
        if !self.notifier.is_connected() {
            self.done = self.done.max(batch.last_seq());
        }
        for (seq, entry) in batch.iter() {
            // The first batch may hold earlier ones; one that failed half way comes again.
            if seq <= self.done {
                continue;
            }
            if let Some(sms) = notices(&self.texts, &directory, seq, batch.at, entry) {
                let taken = self.runtime.block_on(self.notifier.notify(sms));
                taken.map_err(|fault| FollowFault(fault.to_string()))?;
            }
            self.done = seq;
        }
        if self.saved_at.elapsed() >= SAVE_EVERY { self.save() } else { Ok(()) }
    }

    fn idle(&mut self) -> Result<(), FollowFault> {
        self.save()
    }

    fn end(&mut self) -> Result<(), FollowFault> {
        self.save()
    }
}
