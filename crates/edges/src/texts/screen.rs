//! What each screen reads: [`Say`] → a message and what fills it. Matched without `_`.

use domain::money::Amount;
use domain::number::Msisdn;
use domain::password::PASSWORD_DIGITS;

use super::message::Message;
use super::{Args, Said, Voice};
use crate::port::GiftLine;
use crate::say::{AmountProblem, Line, NewPasswordProblem, RecipientProblem, Say};
use crate::wish::Wish;

impl Voice<'_> {
    pub(super) fn screen(&self, say: &Say) -> Said {
        match say {
            Say::Menu => Said::new(Message::Menu, [("language", self.other_languages())]),
            Say::AskRecipient(problem) => self.ask_recipient(*problem),
            Say::AskAmount(problem) => self.ask_amount(*problem),
            Say::AskPassword(wish) => self.ask_password(*wish),
            Say::AskPasswordAgain { tries_left } => tries(Message::AgainPassword, *tries_left),
            Say::AskCardPasswordAgain { tries_left } => tries(Message::AgainCardPassword, *tries_left),
            Say::AskCardNumber { again: false } => Said::plain(Message::AskCardNumber),
            Say::AskCardNumber { again: true } => Said::plain(Message::AgainCardNumber),
            Say::AskOldPassword => Said::plain(Message::AskOldPassword),
            Say::AskNewPassword(problem) => Said::plain(match problem {
                None => Message::AskNewPassword,
                Some(NewPasswordProblem::Malformed) => Message::AgainNewMalformed,
                Some(NewPasswordProblem::Trivial) => Message::AgainNewTrivial,
                Some(NewPasswordProblem::Differ) => Message::AgainNewDiffer,
            }),
            Say::AskRepeat => Said::plain(Message::AskRepeat),
            Say::AskLanguage => Said::new(Message::AskLanguage, [("list", self.languages())]),
            Say::Help => {
                let dial = self.dial(crate::say::FullForm::Give);
                Said::new(Message::Help, [("dial", dial), ("menu", self.menu_dial())])
            }
            Say::FullForm(form) => Said::new(Message::FullForm, [("dial", self.dial(*form))]),
            Say::Bye => Said::plain(Message::Bye),
            Say::SessionOver => Said::plain(Message::SessionOver),
            Say::TooManyDials => Said::plain(Message::TooManyDials),
            Say::LinkBraked => Said::plain(Message::LinkBraked),
            Say::CallerElsewhere => Said::new(Message::CallerElsewhere, [("operator", self.operator())]),
            Say::Did(did) => self.did(did),
            Say::NoGifts => Said::plain(Message::NoGifts),
            Say::Refused(refusal) => self.refusal(refusal),
            Say::CardOrPasswordWrong { tries_left } => tries(Message::WrongCardOrPassword, *tries_left),
            Say::Busy => Said::plain(Message::Busy),
            Say::Closed => Said::plain(Message::Closed),
            Say::NotDone => Said::plain(Message::NotDone),
            Say::IdReused => Said::plain(Message::IdReused),
            Say::IdTooOld => Said::plain(Message::IdTooOld),
            Say::IdAhead => Said::plain(Message::IdAhead),
            Say::Unknown => Said::plain(Message::Unknown),
            Say::AskOccasion => Said::new(Message::AskOccasion, self.occasions()),
            Say::Confirm { to, amount, near } => self.confirm(*to, *amount, *near),
            Say::Declined => Said::plain(Message::Declined),
            Say::Resumed(resumed) => self.resumed(resumed),
        }
    }

    fn ask_recipient(&self, problem: Option<RecipientProblem>) -> Said {
        match problem {
            None => Said::plain(Message::AskRecipient),
            Some(RecipientProblem::Malformed) => Said::plain(Message::AgainRecipientMalformed),
            Some(RecipientProblem::Elsewhere) => {
                Said::new(Message::AgainRecipientElsewhere, [("operator", self.operator())])
            }
            Some(RecipientProblem::Own) => Said::plain(Message::AgainRecipientOwn),
            Some(RecipientProblem::Swapped) => Said::plain(Message::AgainSwapped),
        }
    }

    fn ask_amount(&self, problem: Option<AmountProblem>) -> Said {
        match problem {
            None => Said::new(Message::AskAmount, [("unit", String::from(self.unit()))]),
            Some(AmountProblem::Malformed) => Said::plain(Message::AgainAmountMalformed),
            Some(AmountProblem::NotAllowed { min, max, step }) => {
                let bounds = [("min", self.money(min.minor())), ("max", self.money(max.minor()))];
                if step.minor() <= self.rules.unit.minor_per_unit() {
                    return Said::new(Message::AgainAmountBounds, bounds);
                }
                let [min, max] = bounds;
                Said::new(Message::AgainAmountStep, [min, max, ("step", self.money(step.minor()))])
            }
        }
    }

    fn ask_password(&self, wish: Wish) -> Said {
        match wish {
            Wish::Give { to, amount, .. } => {
                let (number, units) = (self.number(to), self.units(amount.minor()));
                if may_be_password(&number) || may_be_password(&units) {
                    return Said::plain(Message::AskPasswordGiveUnnamed);
                }
                Said::new(Message::AskPasswordGive, [("to", number), ("amount", self.money(amount.minor()))])
            }
            Wish::TopUp { amount } if may_be_password(&self.units(amount.minor())) => {
                Said::plain(Message::AskPasswordTopUpUnnamed)
            }
            Wish::TopUp { amount } => Said::new(Message::AskPasswordTopUp, [("amount", self.money(amount.minor()))]),
            Wish::ShowCards | Wish::ShowGifts => Said::plain(Message::AskPassword),
            Wish::Freeze => Said::plain(Message::AskPasswordFreeze),
            Wish::Bind { .. } => Said::plain(Message::AskPasswordBind),
            Wish::Undo => Said::plain(Message::AskPasswordUndo),
        }
    }

    fn confirm(&self, to: Msisdn, amount: Amount, near: Option<Msisdn>) -> Said {
        let number = self.number(to);
        if may_be_password(&number) || may_be_password(&self.units(amount.minor())) {
            return Said::plain(Message::ConfirmUnnamed);
        }
        let values = [("to", number), ("amount", self.money(amount.minor()))];
        let Some(near) = near else { return Said::new(Message::Confirm, values) };
        let [to, amount] = values;
        Said::new(Message::ConfirmNear, [to, amount, ("near", self.number(near))])
    }

    pub(super) fn line(&self, line: &Line) -> String {
        let Said { message, args } = self.line_said(line);
        self.format(message, args)
    }

    pub(super) fn line_said(&self, line: &Line) -> Said {
        match *line {
            Line::Airtime(minor) => {
                Said::new(Message::LineAirtime, [("amount", self.money(minor)), ("minutes", self.minutes(minor))])
            }
            Line::Sendable(minor) => Said::new(Message::LineSendable, [("amount", self.money(minor))]),
            Line::Card { serial, balance_minor, usable } => Said::new(
                if usable { Message::LineCard } else { Message::LineCardUnusable },
                [("serial", serial.to_string()), ("amount", self.money(balance_minor))],
            ),
            Line::Gift(gift) => Said::new(
                if gift.sent { Message::LineGiftSent } else { Message::LineGiftReceived },
                [
                    ("date", self.date(self.rules.date(gift.at))),
                    ("amount", self.money(gift.amount.minor())),
                    ("other", self.number(gift.other)),
                ],
            ),
        }
    }

    /// `gift.other` is the sender's number.
    pub(super) fn sms(&self, gift: &GiftLine, greeting: Option<String>) -> Said {
        let minor = gift.amount.minor();
        let values = [
            ("amount", self.money(minor)),
            ("minutes", self.minutes(minor)),
            ("from", self.number(gift.other)),
            ("receipt", Self::receipt(gift.seq)),
        ];
        match greeting {
            None => Said { message: Message::SmsGift, args: Args::of(values) },
            Some(greeting) => {
                let [amount, minutes, from, receipt] = values;
                let values = [amount, minutes, from, receipt, ("greeting", greeting)];
                Said { message: Message::SmsGiftGreeting, args: Args::of(values) }
            }
        }
    }
}

fn tries(message: Message, tries_left: u8) -> Said {
    Said::new(message, [("tries", tries_left.to_string())])
}

/// Whether digits on a question have the shape of a password, which somebody may have typed in the wrong place. Seven:
/// a number is shown with its trunk prefix.
pub(super) fn may_be_password(shown: &str) -> bool {
    let digits = shown.bytes().filter(u8::is_ascii_digit).count();
    (PASSWORD_DIGITS..=PASSWORD_DIGITS + 1).contains(&digits)
}
