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

use domain::command::{Body, Caller, Gift};
use domain::ids::{Language, OperatorId};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::office::done::OfficeDone;
use domain::office::hold::HeldGift;
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
    /// A gift came. Its receipt is that of the entry that took it, which the sender has too.
    Received { from: Msisdn, amount: Amount, occasion: Option<u8>, of: Seq },
    /// Whatever its sender did.
    Did(SenderSms),
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
        match self.what {
            What::Received { from, amount, occasion, of } => {
                let occasions = &rules.standing.occasions;
                let occasion = occasion.and_then(|number| occasions.get(usize::from(number).checked_sub(1)?));
                let received = GiftLine { at: self.at, seq: of, sent: false, other: from, amount };
                voice.gift_sms(&received, occasion.map(String::as_str))
            }
            What::Did(sms) => voice.sender_sms(&sms),
        }
    }
}

/// The messages that an entry causes: a posted gift tells its recipient and its sender, one on hold its sender until it is
/// posted, a top-up whoever did it. Nothing that was refused tells anybody: no money moved, and whoever misses that screen
/// dials again.
pub fn notices(seq: Seq, at: Timestamp, entry: &Entry) -> impl Iterator<Item = Notice> {
    let told = match &entry.verdict.outcome {
        Outcome::Done(done) => told(seq, &entry.body, done),
        Outcome::Refused(_) => [None, None],
    };
    let notice = |role, told: Option<Told>| {
        let Told { operator, to, language, what } = told?;
        Some(Notice { key: DeliveryKey { seq, role }, at, operator, to, language, what })
    };
    let [recipient, sender] = told;
    [notice(Role::Recipient, recipient), notice(Role::Sender, sender)].into_iter().flatten()
}

/// A message without its key.
struct Told {
    operator: OperatorId,
    to: Msisdn,
    language: Option<Language>,
    what: What,
}

/// What the caller is told of their own doing: in a language that stands in no entry.
fn caller(caller: &Caller, sms: SenderSms) -> Told {
    Told { operator: caller.operator, to: caller.msisdn, language: None, what: What::Did(sms) }
}

/// What recipient and sender are told. A new command or a new outcome does not compile here before somebody has decided who
/// gets a message.
fn told(seq: Seq, body: &Body, done: &Done) -> [Option<Told>; 2] {
    match (body, done) {
        (Body::Gift(gift), &Done::Given { left_minor, fee_minor, language }) => {
            of_gift(seq, gift, fee_minor, left_minor, language)
        }
        (Body::Gift(gift), &Done::Held { until, .. }) => [None, of_held_gift(seq, gift, until)],
        (Body::TopUp(top_up), &Done::ToppedUp { left_minor, fee_minor, airtime_minor }) => {
            let amount = top_up.amount.value();
            let sms = amount.map(|amount| SenderSms::ToppedUp { amount, fee_minor, left_minor, airtime_minor, seq });
            [None, sms.map(|sms| caller(&top_up.caller, sms))]
        }
        (Body::Undo(proved), &Done::Undone { hold, amount, recipient, balance_minor }) => {
            let sms = SenderSms::GivenBack { to: recipient, amount, balance_minor, undone: true, seq: hold };
            [None, Some(caller(&proved.caller, sms))]
        }
        (Body::Due(_), Done::Office(done)) => of_hold(done),
        // Either nobody gets a message about the one, or the other is not what it is answered with.
        (
            Body::Gift(_)
            | Body::TopUp(_)
            | Body::ShowCards(_)
            | Body::ShowGifts(_)
            | Body::ChangePassword(_)
            | Body::Freeze(_)
            | Body::Bind(_)
            | Body::Undo(_)
            | Body::SetLanguage(_)
            | Body::LoadRules(_)
            | Body::ImportSubscribers(_)
            | Body::ChangeSubscriber(_)
            | Body::IssueCards(_)
            | Body::ChangeCard(_)
            | Body::ExpireCard(_)
            | Body::Office(_)
            | Body::Due(_),
            Done::Given { .. }
            | Done::ToppedUp { .. }
            | Done::Cards { .. }
            | Done::Gifts { .. }
            | Done::PasswordChanged
            | Done::Frozen { .. }
            | Done::Bound { .. }
            | Done::LanguageSet
            | Done::RulesLoaded { .. }
            | Done::Imported { .. }
            | Done::SubscriberChanged
            | Done::Issued { .. }
            | Done::CardChanged
            | Done::CardExpired { .. }
            | Done::Held { .. }
            | Done::Undone { .. }
            | Done::Office(_),
        ) => [None, None],
    }
}

fn of_gift(seq: Seq, gift: &Gift, fee_minor: i64, left_minor: i64, language: Language) -> [Option<Told>; 2] {
    let Some((to, amount)) = named(gift) else { return [None, None] };
    let Caller { operator, msisdn: from, .. } = gift.caller;
    let what = What::Received { from, amount, occasion: gift.occasion, of: seq };
    let received = Told { operator, to, language: Some(language), what };
    [Some(received), Some(caller(&gift.caller, SenderSms::Gave { to, amount, fee_minor, left_minor, seq }))]
}

fn of_held_gift(seq: Seq, gift: &Gift, until: Timestamp) -> Option<Told> {
    let (to, amount) = named(gift)?;
    Some(caller(&gift.caller, SenderSms::Held { to, amount, until, seq }))
}

/// Recipient and amount: what was done had both.
fn named(gift: &Gift) -> Option<(Msisdn, Amount)> {
    gift.recipient.value().zip(gift.amount.value())
}

/// The end of a hold that nobody dialled.
fn of_hold(done: &OfficeDone) -> [Option<Told>; 2] {
    match *done {
        OfficeDone::HoldPosted { gift, language } => {
            let HeldGift { hold, operator, from, to, amount, occasion } = gift;
            let what = What::Received { from, amount, occasion, of: hold };
            [Some(Told { operator, to, language: Some(language), what }), None]
        }
        OfficeDone::HoldVoided { gift, balance_minor } => {
            let HeldGift { hold, operator, from, to, amount, .. } = gift;
            let sms = SenderSms::GivenBack { to, amount, balance_minor, undone: false, seq: hold };
            [None, Some(Told { operator, to: from, language: None, what: What::Did(sms) })]
        }
        OfficeDone::BatchStarted { .. }
        | OfficeDone::CardsMade { .. }
        | OfficeDone::BatchSealed { .. }
        | OfficeDone::BatchAbandoned
        | OfficeDone::Stocked { .. }
        | OfficeDone::OutletOpened { .. }
        | OfficeDone::FloatChanged { .. }
        | OfficeDone::Quoted { .. }
        | OfficeDone::Sold { .. }
        | OfficeDone::Refunded { .. }
        | OfficeDone::Merged { .. }
        | OfficeDone::PaidOut { .. }
        | OfficeDone::CallReserved { .. }
        | OfficeDone::CallCharged { .. }
        | OfficeDone::Proposed { .. }
        | OfficeDone::Approved { .. }
        | OfficeDone::MotionWithdrawn
        | OfficeDone::Dropped { .. }
        | OfficeDone::IssuanceStopped
        | OfficeDone::IssuanceResumed => [None, None],
    }
}

#[cfg(test)]
mod tests;
