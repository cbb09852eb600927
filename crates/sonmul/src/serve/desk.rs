//! The engine as the edges' port sees it.

use std::sync::Arc;

use domain::command::{Body, Command};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::office::done::OfficeDone;
use domain::office::hold::HeldGift;
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
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
    let walk =
        move || history::walk(&*reader, latest, subscriber.id, most, |entry| given(entry, Seq::ZERO, of).is_some());
    match tokio::task::spawn_blocking(walk).await {
        Ok(Ok(found)) => found.iter().filter_map(|found| line(found, of)).collect(),
        Ok(Err(fault)) => {
            tracing::error!(%fault, "a history could not be read");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// The gift in an entry that this number gave or received. One that was on hold stands where it was posted, under the entry
/// that took it: that one's receipt is the sender's.
fn given(found: &Entry, seq: Seq, of: Msisdn) -> Option<(Seq, Msisdn, Msisdn, Amount)> {
    let gift = match (&found.body, &found.verdict.outcome) {
        (Body::Gift(gift), Outcome::Done(Done::Given { .. })) => {
            (seq, gift.caller.msisdn, gift.recipient.value()?, gift.amount.value()?)
        }
        (Body::Due(_), Outcome::Done(Done::Office(done))) => match **done {
            OfficeDone::HoldPosted { gift: HeldGift { hold, from, to, amount, .. }, .. } => (hold, from, to, amount),
            _ => return None,
        },
        _ => return None,
    };
    (gift.1 == of || gift.2 == of).then_some(gift)
}

fn line(found: &Found, of: Msisdn) -> Option<GiftLine> {
    let (seq, from, to, amount) = given(&found.entry, found.seq, of)?;
    let sent = from == of;
    Some(GiftLine { at: found.at, seq, sent, other: if sent { to } else { from }, amount })
}
