//! What the edges need of the engine, as a trait, so that they run against a fake one in tests.
//!
//! Guarantees asked of an implementation: an answer names a durable entry; the same id and body get the same verdict;
//! dropping a future of [`Decider::submit`] loses the answer, never the command.
//!
//! Deliberately not here: anything that changes state except [`Decider::submit`].

use std::future::Future;
use std::sync::Arc;

use domain::command::Command;
use domain::money::Amount;
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;
use engine::answer::{Answer, Directory, Query, Seen, View};

/// The engine as an edge sees it. Cheap to clone.
pub trait Decider: Clone + Send + Sync + 'static {
    /// Asks for one thing and waits for the answer.
    fn submit(&self, command: Command) -> impl Future<Output = Answer> + Send;

    /// Asks a question that changes nothing; `None` when the engine is lost.
    fn query(&self, query: Query) -> impl Future<Output = Option<Seen<View>>> + Send;

    /// Rules in force and generations, without asking the decider.
    fn directory(&self) -> Arc<Directory>;

    /// The engine's clock.
    fn now(&self) -> Timestamp;

    /// The newest `most` gifts given or received by `of`, newest first, read backwards from `latest` along the chain of
    /// history.
    fn gifts(&self, latest: Seq, of: Msisdn, most: usize) -> impl Future<Output = Vec<GiftLine>> + Send;
}

/// One gift in a subscriber's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GiftLine {
    /// When.
    pub at: Timestamp,
    /// Its entry.
    pub seq: Seq,
    /// Given by the subscriber who asks; received otherwise.
    pub sent: bool,
    /// The other number.
    pub other: Msisdn,
    /// How much, without the fee.
    pub amount: Amount,
}
