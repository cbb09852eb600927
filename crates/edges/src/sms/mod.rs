//! SMS out: every message that the journal causes is delivered, or it is written down why not.
//!
//! **For:** `sonmul`, which makes [`WaysOut`] from its binds and starts a [`SmsFollower`]. A bind offers [`SmsCentre`] and
//! hands receipts to [`Receipts`].
//!
//! **Guarantees:** at least once: after a crash at most one window for each way out is sent again, with the same text and
//! receipt number. The journal is the outbox: while SMSCs are away the follower's cursor lags, nothing is lost and nobody
//! waits for it. Every delivery ends: delivered, failed, expired, given up, superseded by a screen that was shown, or sent
//! and not confirmed. A message that was refused for good is not tried again; one that was refused for the moment is, with
//! exponential backoff, until [`SmsConfig::retry_max_ms`] after its gift.
//!
//! **Bounded by:** [`SmsConfig`]: deliveries that wait, deliveries whose receipts are awaited, receipts that are held, tries,
//! times; [`WayOut::window`] submits at a time.
//!
//! **Deliberately not here:** words ([`crate::notice`]), PDUs and binds (`esme`), tables (`store`). Operators share one
//! cursor: when one's SMSC is away and [`SmsConfig::open_max`] of its messages wait, those of the others wait as well.

mod awaiting;
mod drive;
mod follow;
mod outbox;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use domain::ids::LinkId;
use domain::number::Msisdn;
use domain::time::Timestamp;
use engine::deliveries::{DeliveryKey, ReceiptState};

pub use drive::{Receipts, ReceiptsFull, ReceiptsIn, receipts};
pub use follow::{SmsFollower, SmsParts, SmsStartFault};

/// How many, how often, how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsConfig {
    /// The sender's own SMS leaves so long after the verdict, unless their screen is known to have been shown by then.
    pub told_wait_ms: u32,
    /// Deliveries that no SMSC has taken over yet; with more, the follower waits and its cursor lags. One append may pass it.
    pub open_max: usize,
    /// Deliveries whose receipts are awaited; with more, the one that would be given up first is "sent, not confirmed".
    pub awaiting_max: usize,
    /// A message is not submitted any more so long after its gift.
    pub retry_max_ms: i64,
    /// The first wait after a try that failed; it doubles each time.
    pub retry_wait_ms: i64,
    /// The longest wait between tries.
    pub retry_wait_max_ms: i64,
    /// No receipt counts so long after the SMSC took a message over: longer than it keeps trying.
    pub receipt_wait_ms: i64,
    /// A submit without an answer for so long has an unknown outcome.
    pub submit_within_ms: u32,
    /// Finished deliveries are kept so long ...
    pub kept_ms: i64,
    /// ... and at most so many.
    pub kept_max: u64,
}

impl Default for SmsConfig {
    fn default() -> Self {
        const HOUR_MS: i64 = 3_600_000;
        Self {
            told_wait_ms: 5_000,
            open_max: 100_000,
            awaiting_max: 200_000,
            retry_max_ms: 24 * HOUR_MS,
            retry_wait_ms: 5_000,
            retry_wait_max_ms: 900_000,
            receipt_wait_ms: 26 * HOUR_MS,
            submit_within_ms: 60_000,
            kept_ms: 7 * 24 * HOUR_MS,
            kept_max: 1_000_000,
        }
    }
}

/// One message to one phone, ready to leave.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The entry that caused it, and whose message of it this is. A repeated message has the same.
    pub key: DeliveryKey,
    /// To whom.
    pub to: Msisdn,
    /// Fits one SMS.
    pub text: String,
    /// When the entry was decided.
    pub at: Timestamp,
    /// It is worth nothing after this: an SMSC may be told.
    pub valid_until: Timestamp,
    /// For `user_message_reference`: [`DeliveryKey::reference`].
    pub reference: u16,
}

/// Not the text: what somebody was given is nobody else's business.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, to, text, at, valid_until, reference } = self;
        f.debug_struct("Outgoing")
            .field("key", key)
            .field("to", to)
            .field("text_len", &text.len())
            .field("at", at)
            .field("valid_until", valid_until)
            .field("reference", reference)
            .finish()
    }
}

/// An SMSC took a message over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// What it calls the message; `None` or empty where it has no name for it.
    pub message_id: Option<String>,
}

/// An SMSC did not take a message over, or it is not known whether it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitFault {
    /// There is no bind now: nothing was sent. It costs no try.
    #[error("not bound")]
    NotBound,
    /// Cut or timed out: it may have been taken over. It is sent again.
    #[error("the answer did not come")]
    Unknown,
    /// Too fast: nothing was sent, and nothing should be for so long. It costs no try.
    #[error("throttled for {wait_ms} ms")]
    Throttled {
        /// How long.
        wait_ms: u32,
    },
    /// Refused for now.
    #[error("refused for now with status {status:#010x}")]
    Temporary {
        /// SMPP `command_status`.
        status: u32,
    },
    /// Refused for good: the number, the text or the rights are wrong.
    #[error("refused for good with status {status:#010x}")]
    Permanent {
        /// SMPP `command_status`.
        status: u32,
    },
}

/// What a bind to an SMSC offers. Where it leads nowhere at all there is no [`WayOut`].
pub trait SmsCentre: Send + Sync + 'static {
    /// Hands one message over. Up to [`WayOut::window`] of these run at a time; dropping one may leave it sent.
    fn submit(&self, sms: &Outgoing) -> impl Future<Output = Result<Submitted, SubmitFault>> + Send;
}

/// What came back of a message, as a `deliver_sm` or `data_sm` said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The SMSC that it came from: binds to the same SMSC have one number, for receipts come over any of them.
    pub link: LinkId,
    /// `receipted_message_id`, or `id:` of the text.
    pub message_id: Option<String>,
    /// `user_message_reference`: whole, or its low 8 bits.
    pub reference: Option<u16>,
    /// The phone's number, where the receipt surely names it.
    pub number: Option<Msisdn>,
    /// What it says.
    pub state: ReceiptState,
    /// `network_error_code`, or `err:` of the text.
    pub error: Option<u32>,
}

/// One way out.
pub struct WayOut<C> {
    /// The SMSC's number: part of what finds a receipt's message. Several binds to one SMSC share it.
    pub link: LinkId,
    /// Public names of the operators whose subscribers it reaches; empty: all.
    pub operators: Vec<String>,
    /// Submits at a time, and so what a crash may send again; at least 1.
    pub window: usize,
    /// Whether receipts follow. Without them a message that was taken over is "sent, not confirmed" at once.
    pub receipts: bool,
    /// The bind.
    pub centre: Arc<C>,
}

/// Every way out. Those of the same operator share its messages: the one with the fewest under way gets the next.
pub struct WaysOut<C>(Vec<WayOut<C>>);

impl<C: SmsCentre> WaysOut<C> {
    /// These ways out; none: messages are let go.
    pub const fn new(ways_out: Vec<WayOut<C>>) -> Self {
        Self(ways_out)
    }

    /// Whether messages lead nowhere: they are not even put together then.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Places of the ways out of an operator.
    fn of(&self, operator: &str) -> Vec<usize> {
        let reaches =
            |way_out: &WayOut<C>| way_out.operators.is_empty() || way_out.operators.iter().any(|name| name == operator);
        self.0.iter().enumerate().filter(|(_, way_out)| reaches(way_out)).map(|(place, _)| place).collect()
    }

    fn get(&self, place: usize) -> Option<&WayOut<C>> {
        self.0.get(place)
    }

    fn ways(&self) -> Vec<outbox::Way> {
        let way = |way_out: &WayOut<C>| outbox::Way {
            link: way_out.link,
            window: way_out.window.max(1),
            receipts: way_out.receipts,
        };
        self.0.iter().map(way).collect()
    }
}

impl<C> fmt::Debug for WaysOut<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links: Vec<_> = self.0.iter().map(|way_out| way_out.link).collect();
        f.debug_tuple("WaysOut").field(&links).finish()
    }
}

/// What the follower did since it started, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SmsCounts {
    /// Not taken over by anybody yet.
    pub waiting: usize,
    /// Taken over, no receipt yet.
    pub awaiting: usize,
    /// Taken over by an SMSC.
    pub submitted: u64,
    /// Tries that failed for now.
    pub retried: u64,
    /// Deliveries that ended, in the order of [`End::ALL`](engine::deliveries::End::ALL).
    pub ended: [u64; 6],
    /// Receipts whose message was not found.
    pub receipts_unmatched: u64,
    /// Messages of operators without a way out.
    pub let_go: u64,
}
