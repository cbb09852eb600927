//! The messages that an entry of the journal causes, and their texts.
//!
//! **For:** [`crate::sms`], which delivers them.
//!
//! **Guarantees:** [`notices`] and [`Notice::text`] are pure: the same entry in the same language under the same rules gives
//! the same text, receipt number included, so that sending it again after a crash sends the same; a text fits one SMS.
//!
//! **Bounded by:** one message to the recipient and one to the sender for each entry.
//!
//! **Deliberately not here:** whether the sender's screen told them already, retries, cursors, SMPP.

use domain::command::{Body, Dialled, Language, OperatorId};
use domain::money::Amount;
use domain::msisdn::Msisdn;
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
use engine::deliveries::{DeliveryKey, Role};
use wire::text::Budget;

use crate::port::GiftLine;
use crate::texts::{SenderSms, Texts, Voice};

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// A gift came.
    Received { from: Msisdn, amount: Amount, occasion: Option<u8> },
    /// A gift was given.
    Gave { to: Msisdn, amount: Amount, fee_minor: i64, left_minor: i64 },
    /// The own airtime was topped up.
    ToppedUp { amount: Amount, fee_minor: i64, left_minor: i64, airtime_minor: i64 },
}

/// One message to one phone, without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its name.
    pub key: DeliveryKey,
    /// When the entry was decided.
    pub at: Timestamp,
    /// Whose subscriber it goes to.
    pub operator: OperatorId,
    /// To whom.
    pub to: Msisdn,
    /// The recipient's language stands in the entry. The sender's does not: whoever sends asks for it once and keeps it.
    pub language: Option<Language>,
    what: What,
}

impl Notice {
    /// Its text in a language, under the rules of its operator. At `at`, so that a later try reads the same.
    pub fn text(&self, texts: &Texts, rules: &Rules, language: Language) -> String {
        let voice = Voice { texts, rules, language, budget: Budget::SMS, now: self.at };
        let seq = self.key.seq;
        match self.what {
            What::Received { from, amount, occasion } => {
                let occasions = &rules.standing.occasions;
                let occasion = occasion.and_then(|number| occasions.get(usize::from(number).checked_sub(1)?));
                let received = GiftLine { at: self.at, seq, sent: false, other: from, amount };
                voice.gift_sms(&received, occasion.map(String::as_str))
            }
            What::Gave { to, amount, fee_minor, left_minor } => {
                voice.sender_sms(&SenderSms::Gave { to, amount, fee_minor, left_minor, seq })
            }
            What::ToppedUp { amount, fee_minor, left_minor, airtime_minor } => {
                voice.sender_sms(&SenderSms::ToppedUp { amount, fee_minor, left_minor, airtime_minor, seq })
            }
        }
    }
}

/// The messages that an entry causes: a gift tells its recipient and its sender, a top-up whoever did it. Nothing that was
/// refused tells anybody: no money moved, and whoever misses that screen dials again.
pub fn notices(seq: Seq, at: Timestamp, entry: &Entry) -> impl Iterator<Item = Notice> {
    let [recipient, sender] = match (&entry.body, &entry.verdict.outcome) {
        (Body::Gift(gift), Outcome::Done(Done::Given { left_minor, fee_minor, language })) => {
            match (gift.recipient, gift.amount) {
                (Dialled::Value(to), Dialled::Value(amount)) => {
                    let (operator, from) = (gift.caller.operator, gift.caller.msisdn);
                    let received = What::Received { from, amount, occasion: gift.occasion };
                    let gave = What::Gave { to, amount, fee_minor: *fee_minor, left_minor: *left_minor };
                    let notice = |role, to, language, what| Notice {
                        key: DeliveryKey { seq, role },
                        at,
                        operator,
                        to,
                        language,
                        what,
                    };
                    [
                        Some(notice(Role::Recipient, to, Some(*language), received)),
                        Some(notice(Role::Sender, from, None, gave)),
                    ]
                }
                _ => [None, None],
            }
        }
        (Body::TopUp(top_up), Outcome::Done(Done::ToppedUp { left_minor, fee_minor, airtime_minor })) => {
            let own = top_up.amount.value().map(|amount| Notice {
                key: DeliveryKey { seq, role: Role::Sender },
                at,
                operator: top_up.caller.operator,
                to: top_up.caller.msisdn,
                language: None,
                what: What::ToppedUp {
                    amount,
                    fee_minor: *fee_minor,
                    left_minor: *left_minor,
                    airtime_minor: *airtime_minor,
                },
            });
            [None, own]
        }
        _ => [None, None],
    };
    [recipient, sender].into_iter().flatten()
}

#[cfg(test)]
mod tests;
