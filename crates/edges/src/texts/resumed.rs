//! What a caller reads who dials again after a dialogue was dropped.

use super::message::Message;
use super::screen::may_be_password;
use super::{Said, Voice};
use crate::say::Say;
use crate::wish::Wish;

impl Voice<'_> {
    /// Screens of [`crate::menu::resume`] and [`crate::menu::news`]; any other reads *done*.
    pub(super) fn resumed(&self, say: &Say) -> Said {
        match *say {
            Say::ResumeOccasion => Said::new(Message::ResumeOccasion, self.occasions()),
            Say::ResumePassword(Wish::Give { to, amount, .. }) => {
                // The short form of a number shows too little to be a password.
                if may_be_password(&self.units(amount.minor())) {
                    return Said::plain(Message::ResumeGiveUnnamed);
                }
                Said::new(Message::ResumeGive, [("to", self.short(to)), ("amount", self.money(amount.minor()))])
            }
            Say::ResumePassword(Wish::TopUp { amount }) if !may_be_password(&self.units(amount.minor())) => {
                Said::new(Message::ResumeTopUp, [("amount", self.money(amount.minor()))])
            }
            Say::ResumePassword(Wish::TopUp { .. }) => Said::plain(Message::ResumeTopUpUnnamed),
            Say::ResumePassword(_) => Said::plain(Message::ResumeBind),
            Say::ResumeAmount { to } => Said::new(Message::ResumeAmount, [("to", self.short(to))]),
            Say::ResumeRecipient { amount } if may_be_password(&self.units(amount.minor())) => {
                Said::plain(Message::ResumeRecipientUnnamed)
            }
            Say::ResumeRecipient { amount } => {
                Said::new(Message::ResumeRecipient, [("amount", self.money(amount.minor()))])
            }
            Say::LastGiven { to, amount, at, seq } => Said::new(
                Message::LastGiven,
                [
                    ("to", self.short(to)),
                    ("amount", self.money(amount.minor())),
                    ("when", self.time(at)),
                    ("receipt", Self::receipt(seq)),
                ],
            ),
            Say::LastToppedUp { amount, at } => {
                let values = [("amount", self.money(amount.minor())), ("when", self.time(at))];
                Said::new(Message::LastToppedUp, values)
            }
            Say::LastNotDone => Said::plain(Message::LastNotDone),
            _ => Said::plain(Message::LastDone),
        }
    }
}
