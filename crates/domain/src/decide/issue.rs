//! Value that is put into the world: the one place where an operator's position is debited.
//!
//! For: cards issued or sold, reloads, imported airtime, and adjustments out of the position.
//! Guarantees: nothing is issued while the books don't agree; no card or airtime account is issued more than
//! `card_value_max`; all of a business day stays within `issued_per_day_max`. Without these, one card of 2^63 − 1 would make
//! every later issue overflow.
//!
//! Deliberately not here: who may ask (see [`super::staff`]), prices (see [`super::till`]).

use crate::account::AccountId;
use crate::ids::OperatorId;
use crate::money::Amount;
use crate::office::issued::Issued;
use crate::office::refusal::OfficeRefusal;
use crate::office::{Record, RecordKey};
use crate::refusal::Refusal;
use crate::rules::Standing;

use super::draft::Draft;
use super::staff::may_issue;

/// What one command issues, until it is [`kept`](Self::keep).
pub(super) struct Issuing<'a> {
    operator: OperatorId,
    standing: &'a Standing,
    today: Issued,
}

impl<'a> Issuing<'a> {
    /// Begins with what the operator issued today.
    pub(super) fn begin(draft: &Draft<'a>, operator: OperatorId) -> Result<Self, Refusal> {
        let standing = &draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?.rules.standing;
        may_issue(draft, operator)?;
        let date = draft.date();
        let today = match draft.state.record(RecordKey::issued(operator)) {
            Some(Record::Issued(issued)) if issued.date == date => *issued,
            _ => Issued { date, total_minor: 0 },
        };
        Ok(Self { operator, standing, today })
    }

    /// Whether so much more may go to that account.
    pub(super) fn admit(&mut self, draft: &Draft<'_>, account: AccountId, amount: Amount) -> Result<(), Refusal> {
        fits(draft, self.standing, account, amount)?;
        self.admit_today(amount)
    }

    /// Whether so much more may be issued today.
    pub(super) fn admit_today(&mut self, amount: Amount) -> Result<(), Refusal> {
        let max_minor = self.standing.issued_per_day_max().minor();
        let left_minor = max_minor.saturating_sub(self.today.total_minor).max(0);
        if amount.minor() > left_minor {
            return Err(OfficeRefusal::IssuedPerDayMax { left_minor, until: self.today.date.plus_days(1) }.into());
        }
        self.today.total_minor = self.today.total_minor.saturating_add(amount.minor());
        Ok(())
    }

    /// Puts so much on an account.
    pub(super) fn issue(&mut self, draft: &mut Draft<'_>, account: AccountId, amount: Amount) -> Result<(), Refusal> {
        self.admit(draft, account, amount)?;
        draft.transfer(AccountId::Position(self.operator), account, amount)
    }

    /// Remembers what was issued today.
    pub(super) fn keep(self, draft: &mut Draft<'_>) {
        draft.record(RecordKey::issued(self.operator), Some(Record::Issued(self.today)));
    }
}

/// Whether so much more fits on an account, wherever it comes from.
pub(super) fn fits(draft: &Draft<'_>, standing: &Standing, account: AccountId, amount: Amount) -> Result<(), Refusal> {
    if matches!(account, AccountId::Card(_) | AccountId::Airtime(_)) {
        let after_minor = draft.balance_minor(account).checked_add(amount.minor());
        within_card_value(standing, after_minor)?;
    }
    Ok(())
}

/// A card's value, or what it would be worth after an issue; `None` when no number holds it.
pub(super) fn within_card_value(standing: &Standing, value_minor: Option<i64>) -> Result<(), Refusal> {
    let max_minor = standing.card_value_max().minor();
    match value_minor {
        Some(value_minor) if value_minor <= max_minor => Ok(()),
        Some(_) | None => Err(OfficeRefusal::CardValueMax { max_minor }.into()),
    }
}
