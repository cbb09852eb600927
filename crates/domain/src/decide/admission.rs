//! Who may give, who may receive, and what is asked of a gift between them.
//!
//! For: [`super::gift`] when one is dialled, [`super::hold`] when one falls due, [`super::what_if`] under other rules.
//!
//! Guarantees: all of them hear the same refusals, in the order of [`crate::refusal::GIFT_ORDER`].
//!
//! Deliberately not here: what only a phone brings along (links, passwords, fields that did not parse), and the bookings.

use crate::ids::{CardId, OperatorId};
use crate::money::Amount;
use crate::refusal::Refusal;
use crate::rules::limit::Subject;
use crate::rules::tariff::Charged;
use crate::rules::{Fee, Period, Rules};
use crate::state::{Card, Repeat, Standing, State, SubscriberFacts, Usage, UsageKey};
use crate::time::{BusinessDate, Timestamp};

use super::card_state::unusable_under;
use super::draft::Draft;
use super::limits::{self, Parties};
use super::proof;

/// Under which rules, and when. The service is open: there are no terms on a closed day.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) state: &'a State,
    pub(super) operator: OperatorId,
    pub(super) rules: &'a Rules,
    pub(super) period: &'a Period,
    pub(super) at: Timestamp,
    pub(super) date: BusinessDate,
}

impl<'a> Terms<'a> {
    /// Those that an operator has in force now. The draft must be [concerned](Draft::concern) with that operator.
    pub(super) fn now(draft: &Draft<'a>, operator: OperatorId) -> Result<Self, Refusal> {
        let known = draft.state.operator(operator).ok_or(Refusal::ServiceClosed { period: None })?;
        Self::under(draft.state, operator, &known.rules, (draft.at, draft.date()))
    }

    /// Those of any rules, at any time.
    pub(super) fn under(
        state: &'a State,
        operator: OperatorId,
        rules: &'a Rules,
        (at, date): (Timestamp, BusinessDate),
    ) -> Result<Self, Refusal> {
        let period = rules.period(at).ok_or(Refusal::ServiceClosed { period: None })?;
        if period.closed {
            return Err(Refusal::ServiceClosed { period: Some(period.name.clone()) });
        }
        Ok(Self { state, operator, rules, period, at, date })
    }
}

/// Whether a subscriber may give now: in use, not barred, and not resting after a SIM change.
pub(super) fn may_give(terms: &Terms<'_>, sender: &SubscriberFacts) -> Result<(), Refusal> {
    proof::in_use(sender)?;
    proof::not_resting(terms.at, sender, terms.rules)
}

/// Whether a card may pay now.
pub(super) fn may_pay(terms: &Terms<'_>, id: CardId, card: &Card) -> Result<(), Refusal> {
    match unusable_under(terms.state, Some(terms.rules), terms.at, id, card) {
        Some(why) => Err(Refusal::CardNotUsable { why }),
        None => Ok(()),
    }
}

/// Whether a subscriber may receive now. Why not is nobody's business but theirs: a barred number reads as one that nobody
/// has. Whoever asks has looked for them among the operator's own, and a row never changes its operator.
pub(super) const fn may_receive(recipient: &SubscriberFacts) -> Result<(), Refusal> {
    match recipient.standing {
        Standing::Active => Ok(()),
        Standing::Barred | Standing::Released => Err(Refusal::RecipientUnknown),
    }
}

/// Whether the amount is one that may be given at all.
pub(super) fn amount(terms: &Terms<'_>, amount: Amount) -> Result<(), Refusal> {
    let period = terms.period;
    if amount < period.amount_min {
        return Err(Refusal::AmountBelowMinimum { min_minor: period.amount_min.minor() });
    }
    if amount > period.amount_max {
        return Err(Refusal::AmountAboveMaximum { max_minor: period.amount_max.minor() });
    }
    if amount.minor() % period.amount_step.minor() != 0 {
        return Err(Refusal::AmountOffStep { step_minor: period.amount_step.minor() });
    }
    Ok(())
}

/// A gift or an own top-up, as it is judged.
pub(super) struct Asked<'a> {
    pub(super) parties: Parties,
    pub(super) amount: Amount,
    pub(super) sender: &'a SubscriberFacts,
    pub(super) recipient: &'a SubscriberFacts,
    /// The same one before, where it is remembered.
    pub(super) before: Option<Repeat>,
    /// On the recipient's airtime account, minor units.
    pub(super) airtime_minor: i64,
    /// On the card that pays, minor units.
    pub(super) card_minor: i64,
}

/// What is charged for it, and what is used of limits after it.
pub(super) type Admitted = (Charged, limits::Admitted);

/// What is asked of a gift whose parties may give and receive. `latest` tells what was used last of a limit.
pub(super) fn gift(
    terms: &Terms<'_>,
    asked: &Asked<'_>,
    latest: impl Fn(UsageKey, Subject) -> Option<Usage>,
) -> Result<Admitted, Refusal> {
    not_repeated(terms, asked.before)?;
    old_enough(terms, asked.sender, asked.recipient)?;
    fits(terms, asked, &terms.period.gift_fee, latest)
}

/// What is asked of an own top-up: the same where it has a meaning.
pub(super) fn top_up(
    terms: &Terms<'_>,
    asked: &Asked<'_>,
    latest: impl Fn(UsageKey, Subject) -> Option<Usage>,
) -> Result<Admitted, Refusal> {
    not_repeated(terms, asked.before)?;
    fits(terms, asked, &terms.period.top_up_fee, latest)
}

/// People redial when a screen is lost: the same gift or top-up a moment later is said to be done, not done twice.
fn not_repeated(terms: &Terms<'_>, before: Option<Repeat>) -> Result<(), Refusal> {
    let window_s = i64::from(terms.rules.standing.repeat_window_s);
    match before {
        Some(given) if terms.at < given.at.plus_s(window_s) => {
            Err(Refusal::Repeated { given_at: given.at, seq: given.seq, again_at: given.at.plus_s(window_s) })
        }
        _ => Ok(()),
    }
}

fn old_enough(terms: &Terms<'_>, sender: &SubscriberFacts, recipient: &SubscriberFacts) -> Result<(), Refusal> {
    let days = i32::try_from(terms.period.age_days_min).unwrap_or(i32::MAX);
    let from = |facts: &SubscriberFacts| -> BusinessDate { terms.rules.date(facts.since).plus_days(days) };
    if days == 0 {
        return Ok(());
    }
    let (sender, recipient) = (from(sender), from(recipient));
    if terms.date < sender {
        Err(Refusal::SenderTooYoung { until: sender })
    } else if terms.date < recipient {
        Err(Refusal::RecipientTooYoung { until: recipient })
    } else {
        Ok(())
    }
}

/// Limits, room on the recipient's account, cover on the card.
fn fits(
    terms: &Terms<'_>,
    asked: &Asked<'_>,
    fee: &Fee,
    latest: impl Fn(UsageKey, Subject) -> Option<Usage>,
) -> Result<Admitted, Refusal> {
    let usage = limits::admit(latest, (terms.at, terms.date), terms.period, asked.parties, asked.amount)?;
    room(terms, asked.airtime_minor, asked.amount)?;
    let charged = cover(terms, fee, asked.amount, asked.card_minor)?;
    Ok((charged, usage))
}

/// Whether so much more fits on an airtime account.
pub(super) fn room(terms: &Terms<'_>, airtime_minor: i64, amount: Amount) -> Result<(), Refusal> {
    let max_minor = terms.period.recipient_balance_max.map_or(i64::MAX, Amount::minor);
    let room_minor = max_minor.saturating_sub(airtime_minor).max(0);
    if amount.minor() > room_minor { Err(Refusal::RecipientBalanceMax { room_minor }) } else { Ok(()) }
}

/// The fee, and what a card must hold for amount, fee and what must stay on it, minor units.
pub(super) fn needed(terms: &Terms<'_>, fee: &Fee, amount: Amount) -> Result<(Charged, i64), Refusal> {
    let charged = fee.charge(amount).map_err(|_| Refusal::AmountOverflow)?;
    let needed_minor = [charged.fee_minor, charged.tax_minor, terms.period.residual_min_minor]
        .into_iter()
        .try_fold(amount.minor(), i64::checked_add)
        .ok_or(Refusal::AmountOverflow)?;
    Ok((charged, needed_minor))
}

/// The fee, when the card holds all of that.
fn cover(terms: &Terms<'_>, fee: &Fee, amount: Amount, balance_minor: i64) -> Result<Charged, Refusal> {
    let (charged, needed_minor) = needed(terms, fee, amount)?;
    let short_by_minor = needed_minor.saturating_sub(balance_minor);
    if short_by_minor > 0 { Err(Refusal::InsufficientFunds { short_by_minor }) } else { Ok(charged) }
}
