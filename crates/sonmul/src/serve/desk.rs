//! The engine as the edges' port sees it.

use std::sync::Arc;

use domain::command::Command;
use domain::number::Msisdn;
use domain::posted::{PostedGift, posted_gift};
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::Entry;
use edges::port::{Decider, GiftLine};
use engine::answer::{Answer, Directory, Query, Seen, View};
use engine::handle::Handle;
use engine::history::{self, Found};

/// A handle for edges.
#[derive(Clone, Debug)]
pub(crate) struct Desk(pub Handle);

impl Decider for Desk {
    fn submit(&self, command: Command) -> impl Future<Output = Answer> + Send {
        let handle = self.0.clone();
        async move { handle.submit(command).await }
    }

    fn query(&self, query: Query) -> impl Future<Output = Option<Seen<View>>> + Send {
        let handle = self.0.clone();
        async move { handle.query(query).await }
    }

    fn directory(&self) -> Arc<Directory> {
        self.0.directory()
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn gifts(&self, latest: Seq, of: Msisdn, most: usize) -> impl Future<Output = Vec<GiftLine>> + Send {
        let handle = self.0.clone();
        async move { gifts(&handle, latest, of, most).await }
    }
}

async fn gifts(handle: &Handle, latest: Seq, of: Msisdn, most: usize) -> Vec<GiftLine> {
    let view = handle.query(Query::Subscriber(of)).await.map(|seen| seen.value);
    let Some(View::Subscriber(Some(subscriber))) = view else { return Vec::new() };
    let reader = handle.reader();
    // The chain is on disk, which no async thread should wait for.
    let walk = move || history::walk(&*reader, latest, subscriber.id, most, |entry| gift_of(entry, of).is_some());
    match tokio::task::spawn_blocking(walk).await {
        Ok(Ok(found)) => found.iter().filter_map(|found| line(found, of)).collect(),
        Ok(Err(fault)) => {
            tracing::error!(%fault, "a history could not be read");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// The gift in an entry that this number gave or received.
fn gift_of(entry: &Entry, of: Msisdn) -> Option<PostedGift> {
    posted_gift(entry).filter(|gift| gift.from == of || gift.to == of)
}

/// One that was on hold stands where it was posted, under the entry that took it: that one's receipt is the sender's.
fn line(found: &Found, of: Msisdn) -> Option<GiftLine> {
    let PostedGift { from, to, amount, hold, .. } = gift_of(&found.entry, of)?;
    let sent = from == of;
    let other = if sent { to } else { from };
    Some(GiftLine { at: found.at, seq: hold.unwrap_or(found.seq), sent, other, amount })
}
