//! What a history may say of a command, taken from its entry.

use domain::command::{Body, ChangeCard, ChangeSubscriber};
use domain::ids::Serial;
use domain::money::Amount;

/// 0: the command has no such thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Who dialled, or whom staff changed.
    pub(super) msisdn: u64,
    /// Of a gift.
    pub(super) recipient: u64,
    /// Of a gift or a top-up.
    pub(super) amount_minor: u64,
    /// Of a card that is changed.
    pub(super) serial: u64,
}

impl Facts {
    pub(super) fn of(body: &Body) -> Self {
        let none = Self { msisdn: body.caller().map_or(0, |caller| caller.msisdn.get()), ..Self::default() };
        let minor = |amount: Option<Amount>| amount.map_or(0, |amount| amount.minor().unsigned_abs());
        match body {
            Body::Gift(gift) => Self {
                recipient: gift.recipient.value().map_or(0, |msisdn| msisdn.get()),
                amount_minor: minor(gift.amount.value()),
                ..none
            },
            Body::TopUp(top_up) => Self { amount_minor: minor(top_up.amount.value()), ..none },
            Body::ChangeSubscriber(ChangeSubscriber { msisdn, .. }) => Self { msisdn: msisdn.get(), ..none },
            Body::ChangeCard(ChangeCard { serial, .. }) => Self { serial: u64::from(serial.0), ..none },
            Body::ExpireCard(card) => Self { serial: u64::from(Serial::of(*card).0), ..none },
            Body::ShowCards(_)
            | Body::ShowGifts(_)
            | Body::ChangePassword(_)
            | Body::Freeze(_)
            | Body::Bind(_)
            | Body::Undo(_)
            | Body::SetLanguage(_)
            | Body::LoadRules(_)
            | Body::ImportSubscribers(_)
            | Body::IssueCards(_)
            | Body::Office(_)
            | Body::Due(_) => none,
        }
    }

    /// Whether an entry has everything that a line names.
    pub(super) const fn fits(&self, entry: &Self) -> bool {
        const fn same(line: u64, entry: u64) -> bool {
            line == 0 || line == entry
        }
        same(self.msisdn, entry.msisdn)
            && same(self.recipient, entry.recipient)
            && same(self.amount_minor, entry.amount_minor)
            && same(self.serial, entry.serial)
    }
}
