//! The SMS that an entry of the journal causes, and the port through which it leaves.
//!
//! **For:** a follower in `sonmul` that reads the journal and hands each [`Sms`] to its [`Notifier`].
//!
//! **Guarantees:** [`notices`] is pure: the same entry under the same rules gives the same text, so that sending it again
//! after a crash sends the same; a text fits one SMS.
//!
//! **Bounded by:** one SMS an entry.
//!
//! **Deliberately not here:** the sender's SMS (a screen told them; issue 3), cursors, retries, SMPP.

use std::fmt;
use std::future::Future;

use domain::command::{Body, Dialled};
use domain::msisdn::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
use engine::answer::Directory;
use wire::text::Budget;

use crate::port::GiftLine;
use crate::texts::{Texts, Voice};

/// One message to one phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Sms {
    /// To whom.
    pub to: Msisdn,
    /// Fits one SMS.
    pub text: String,
    /// The entry that caused it. An entry causes one SMS to one number at most, so that a receiver can tell a repeated one.
    pub seq: Seq,
    /// When that was decided: an SMSC may be told until when it is worth delivering.
    pub at: Timestamp,
}

/// Not the text: what somebody was given is nobody else's business.
impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, text, seq, at } = self;
        f.debug_struct("Sms").field("to", to).field("text_len", &text.len()).field("seq", seq).field("at", at).finish()
    }
}

/// A message was not taken over; the same one is handed over again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message was not taken over: {why}")]
pub struct NotTaken {
    /// For the log.
    pub why: String,
}

/// Where SMS leave. At least once: after a crash the same message may be handed over again.
pub trait Notifier: Send + Sync + 'static {
    /// Whether messages lead anywhere. They are not even put together for one that lets them go.
    fn is_connected(&self) -> bool {
        true
    }

    /// Takes a message over: when this is `Ok` the notifier answers for it.
    fn notify(&self, sms: Sms) -> impl Future<Output = Result<(), NotTaken>> + Send;
}

/// The messages that an entry causes, under the rules now in force: a given gift tells its recipient, in their language.
pub fn notices(texts: &Texts, directory: &Directory, seq: Seq, at: Timestamp, entry: &Entry) -> Option<Sms> {
    let (Body::Gift(gift), Outcome::Done(Done::Given { language, .. })) = (&entry.body, &entry.verdict.outcome) else {
        return None;
    };
    let (Dialled::Value(to), Dialled::Value(amount)) = (gift.recipient, gift.amount) else { return None };
    let rules = directory.rules(gift.caller.operator)?;
    let occasions = &rules.standing.occasions;
    let occasion = gift.occasion.and_then(|number| occasions.get(usize::from(number).checked_sub(1)?));
    let voice = Voice { texts, rules, language: *language, budget: Budget::SMS, now: at };
    let received = GiftLine { at, seq, sent: false, other: gift.caller.msisdn, amount };
    Some(Sms { to, text: voice.gift_sms(&received, occasion.map(String::as_str)), seq, at })
}

#[cfg(test)]
mod tests;
