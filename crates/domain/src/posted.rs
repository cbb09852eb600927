//! The gift that an entry posted, for everybody who lists, tells or counts gifts.
//!
//! Guarantees: a gift is found in one entry and in no other: where it was posted, also when it was on hold before. A new
//! outcome does not compile before somebody has decided whether it posts a gift.

use crate::command::Gift;
use crate::money::Amount;
use crate::number::Msisdn;
use crate::office::done::OfficeDone;
use crate::office::hold::HeldGift;
use crate::receipt::Seq;
use crate::verdict::{Done, Entry, Outcome};

/// A gift whose money has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedGift {
    /// Who gave.
    pub from: Msisdn,
    /// To whom.
    pub to: Msisdn,
    /// How much, without fee.
    pub amount: Amount,
    /// Number of the greeting.
    pub occasion: Option<u8>,
    /// The entry that took it from the card, whose receipt is the sender's; `None`: the entry that posted it.
    pub hold: Option<Seq>,
}

/// The gift that an entry posted.
pub fn posted_gift(entry: &Entry) -> Option<PostedGift> {
    let Outcome::Done(done) = &entry.verdict.outcome else { return None };
    match done {
        Done::Given { .. } => entry.body.gift().and_then(of_gift),
        Done::Office(done) => of_office(done),
        Done::ToppedUp { .. }
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
        | Done::Undone { .. } => None,
    }
}

fn of_gift(gift: &Gift) -> Option<PostedGift> {
    let (to, amount) = gift.recipient.value().zip(gift.amount.value())?;
    Some(PostedGift { from: gift.caller.msisdn, to, amount, occasion: gift.occasion, hold: None })
}

fn of_office(done: &OfficeDone) -> Option<PostedGift> {
    match *done {
        OfficeDone::HoldPosted { gift: HeldGift { hold, operator: _, from, to, amount, occasion }, .. } => {
            Some(PostedGift { from, to, amount, occasion, hold: Some(hold) })
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
        | OfficeDone::HoldVoided { .. }
        | OfficeDone::Dropped { .. }
        | OfficeDone::IssuanceStopped
        | OfficeDone::IssuanceResumed => None,
    }
}
