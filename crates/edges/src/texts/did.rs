//! What a phone reads when something was done. Matched without `_`.

use domain::money::Amount;

use super::message::Message;
use super::{Said, Voice};
use crate::say::{Did, FullForm};

impl Voice<'_> {
    pub(super) fn did(&self, did: &Did) -> Said {
        match did {
            Did::Given { to, amount, fee_minor, left_minor, seq } => {
                let to = ("to", self.number(*to));
                let receipt = ("receipt", Self::receipt(*seq));
                self.paid((Message::Given, Message::GivenFee), *amount, *fee_minor, *left_minor, [to, receipt])
            }
            Did::Held { to, amount, fee_minor, left_minor, until, seq } => {
                let facts = [
                    ("to", self.number(*to)),
                    ("amount", self.money(amount.minor())),
                    ("fee", self.money(*fee_minor)),
                    ("left", self.money(*left_minor)),
                    ("receipt", Self::receipt(*seq)),
                    ("when", self.when(*until)),
                    ("dial", self.dial(FullForm::Undo)),
                ];
                Said::new(if *fee_minor == 0 { Message::Held } else { Message::HeldFee }, facts)
            }
            Did::Undone { to, amount, balance_minor } => Said::new(
                Message::Undone,
                [
                    ("to", self.number(*to)),
                    ("amount", self.money(amount.minor())),
                    ("left", self.money(*balance_minor)),
                ],
            ),
            Did::ToppedUp { amount, fee_minor, left_minor, airtime_minor } => {
                let airtime = ("airtime", self.money(*airtime_minor));
                let minutes = ("minutes", self.minutes(*airtime_minor));
                let messages = (Message::ToppedUp, Message::ToppedUpFee);
                self.paid(messages, *amount, *fee_minor, *left_minor, [airtime, minutes])
            }
            Did::ToppedUpAlready { amount, at, seq, again_at } => Said::new(
                Message::RepeatedTopUp,
                [
                    ("amount", self.money(amount.minor())),
                    ("when", self.when(*at)),
                    ("receipt", Self::receipt(*seq)),
                    ("again", self.when(*again_at)),
                ],
            ),
            Did::PasswordChanged => Said::plain(Message::PasswordChanged),
            Did::Frozen { serial } => Said::new(Message::Frozen, [("serial", serial.to_string())]),
            Did::Bound { serial, balance_minor } => {
                Said::new(Message::Bound, [("serial", serial.to_string()), ("amount", self.money(*balance_minor))])
            }
            Did::LanguageSet => Said::plain(Message::LanguageSet),
            Did::Done => Said::plain(Message::Done),
        }
    }

    /// The first message where nothing was charged, the second where a fee is to be named.
    fn paid(
        &self,
        (free, with_fee): (Message, Message),
        amount: Amount,
        fee_minor: i64,
        left_minor: i64,
        [first, second]: [(&'static str, String); 2],
    ) -> Said {
        let values = [
            ("amount", self.money(amount.minor())),
            ("fee", self.money(fee_minor)),
            ("left", self.money(left_minor)),
            first,
            second,
        ];
        Said::new(if fee_minor == 0 { free } else { with_fee }, values)
    }
}
