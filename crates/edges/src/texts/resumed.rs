//! What a caller reads who dials again after a dialogue was dropped.

use super::message::Message;
use super::screen::may_be_password;
use super::{Said, Voice};
use crate::say::Resumed;
use crate::wish::Wish;

impl Voice<'_> {
    /// Screens of [`crate::menu::resume`] and [`crate::menu::news`].
    pub(super) fn resumed(&self, resumed: &Resumed) -> Said {
        match *resumed {
            Resumed::Occasion => Said::new(Message::ResumeOccasion, self.occasions()),
            Resumed::Password(Wish::Give { to, amount, .. }) => {
                // The short form of a number shows too little to be a password.
                if may_be_password(&self.units(amount.minor())) {
                    return Said::plain(Message::ResumeGiveUnnamed);
                }
                Said::new(Message::ResumeGive, [("to", self.short(to)), ("amount", self.money(amount.minor()))])
            }
            Resumed::Password(Wish::TopUp { amount }) if !may_be_password(&self.units(amount.minor())) => {
                Said::new(Message::ResumeTopUp, [("amount", self.money(amount.minor()))])
            }
            Resumed::Password(Wish::TopUp { .. }) => Said::plain(Message::ResumeTopUpUnnamed),
            Resumed::Password(Wish::Bind { .. } | Wish::ShowCards | Wish::ShowGifts | Wish::Freeze | Wish::Undo) => {
                Said::plain(Message::ResumeBind)
            }
            Resumed::Amount { to } => Said::new(Message::ResumeAmount, [("to", self.short(to))]),
            Resumed::Recipient { amount } if may_be_password(&self.units(amount.minor())) => {
                Said::plain(Message::ResumeRecipientUnnamed)
            }
            Resumed::Recipient { amount } => {
                Said::new(Message::ResumeRecipient, [("amount", self.money(amount.minor()))])
            }
            Resumed::Given { to, amount, at, seq } => Said::new(
                Message::LastGiven,
                [
                    ("to", self.short(to)),
                    ("amount", self.money(amount.minor())),
                    ("when", self.time(at)),
                    ("receipt", Self::receipt(seq)),
                ],
            ),
            Resumed::ToppedUp { amount, at } => {
                let values = [("amount", self.money(amount.minor())), ("when", self.time(at))];
                Said::new(Message::LastToppedUp, values)
            }
            Resumed::NotDone => Said::plain(Message::LastNotDone),
            Resumed::Done => Said::plain(Message::LastDone),
        }
    }
}
