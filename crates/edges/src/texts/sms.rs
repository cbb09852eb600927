//! What the SMS to a sender reads: what their screen would have said, with the receipt number.

use domain::money::Amount;
use domain::number::Msisdn;
use domain::receipt::Seq;
use domain::time::Timestamp;

use super::message::Message;
use super::{Said, Voice};
use crate::say::FullForm;

/// What a sender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SenderSms {
    /// A gift is posted.
    Gave {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// Fee with its tax, minor units.
        fee_minor: i64,
        /// On the card after it, minor units.
        left_minor: i64,
        /// Its entry.
        seq: Seq,
    },
    /// A gift is taken and not posted yet.
    Held {
        /// To whom.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// Until when it can be undone.
        until: Timestamp,
        /// Its entry.
        seq: Seq,
    },
    /// A gift that was on hold is back on its card.
    GivenBack {
        /// To whom it would have gone.
        to: Msisdn,
        /// How much.
        amount: Amount,
        /// On the card after it, minor units.
        balance_minor: i64,
        /// Why.
        why: Back,
        /// The entry that took it.
        seq: Seq,
    },
    /// The own airtime is topped up.
    ToppedUp {
        /// How much.
        amount: Amount,
        /// Fee with its tax, minor units.
        fee_minor: i64,
        /// On the card after it, minor units.
        left_minor: i64,
        /// Airtime after it, minor units.
        airtime_minor: i64,
        /// Its entry.
        seq: Seq,
    },
}

/// Why a gift that was on hold is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// Its sender did it.
    Undone,
    /// The recipient can't receive it now.
    Recipient,
    /// The recipient's airtime would pass its maximum.
    Full,
    /// The sender's card can't be used any more.
    Card,
    /// The sender may not give now.
    Sender,
    /// The service is closed.
    Closed,
}

impl Back {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Undone, Self::Recipient, Self::Full, Self::Card, Self::Sender, Self::Closed];

    const fn message(self) -> Message {
        match self {
            Self::Undone => Message::SmsUndone,
            Self::Recipient => Message::SmsHoldVoided,
            Self::Full => Message::SmsHoldVoidedFull,
            Self::Card => Message::SmsHoldVoidedCard,
            Self::Sender => Message::SmsHoldVoidedSender,
            Self::Closed => Message::SmsHoldVoidedClosed,
        }
    }
}

impl Voice<'_> {
    /// The sender's SMS.
    pub(crate) fn sender_sms(&self, sms: &SenderSms) -> String {
        self.fit(&self.sender_said(sms))
    }

    pub(super) fn sender_said(&self, sms: &SenderSms) -> Said {
        match *sms {
            SenderSms::Gave { to, amount, fee_minor, left_minor, seq } => {
                let message = if fee_minor == 0 { Message::SmsGave } else { Message::SmsGaveFee };
                let values = [
                    ("amount", self.money(amount.minor())),
                    ("to", self.number(to)),
                    ("fee", self.money(fee_minor)),
                    ("left", self.money(left_minor)),
                    ("receipt", Self::receipt(seq)),
                ];
                Said::new(message, values)
            }
            SenderSms::Held { to, amount, until, seq } => Said::new(
                Message::SmsHeld,
                [
                    ("amount", self.money(amount.minor())),
                    ("to", self.number(to)),
                    ("when", self.when(until)),
                    ("dial", self.dial(FullForm::Undo)),
                    ("receipt", Self::receipt(seq)),
                ],
            ),
            SenderSms::GivenBack { to, amount, balance_minor, why, seq } => Said::new(
                why.message(),
                [
                    ("amount", self.money(amount.minor())),
                    ("to", self.number(to)),
                    ("left", self.money(balance_minor)),
                    ("receipt", Self::receipt(seq)),
                ],
            ),
            SenderSms::ToppedUp { amount, fee_minor, left_minor, airtime_minor, seq } => {
                let message = if fee_minor == 0 { Message::SmsToppedUp } else { Message::SmsToppedUpFee };
                let values = [
                    ("amount", self.money(amount.minor())),
                    ("airtime", self.money(airtime_minor)),
                    ("fee", self.money(fee_minor)),
                    ("left", self.money(left_minor)),
                    ("receipt", Self::receipt(seq)),
                ];
                Said::new(message, values)
            }
        }
    }
}
