//! Gifts and own top-ups: the main job.
//!
//! [`give`] checks in the order of [`crate::refusal::GIFT_ORDER`] and then books.

use crate::account::AccountId;
use crate::command::{Caller, Dialled, Gift, TopUp};
use crate::ids::{OperatorId, SubscriberId};
use crate::money::Amount;
use crate::number::Msisdn;
use crate::refusal::Refusal;
use crate::rules::limit::Kind;
use crate::rules::tariff::Charged;
use crate::rules::{Fee, Period, Rules};
use crate::state::{Repeat, RepeatKey, Standing, State, SubscriberFacts};
use crate::time::{BusinessDate, Timestamp};
use crate::verdict::{Change, Done};

use super::draft::Draft;
use super::hold;
use super::limits::{self, Parties};
use super::proof::{self, Known, Pick};

/// A gift.
pub(super) fn give(draft: &mut Draft<'_>, gift: &Gift) -> Result<Done, Refusal> {
    let (rules, period) = open_service(draft, &gift.caller)?;
    let sender = proof::caller(draft, &gift.caller)?;
    proof::not_resting(draft.at, &sender.facts, rules)?;
    let pick = proof::card(draft, sender, &gift.caller, &gift.proof, false)?;
    // The password was right: from here on a refusal counts, so that nobody can probe numbers for free.
    counted(draft, sender, period, |draft| post_gift(draft, gift, rules, period, sender, pick))
}

/// The rules and the period that a caller's command is decided under.
fn open_service<'a>(draft: &mut Draft<'a>, caller: &Caller) -> Result<(&'a Rules, &'a Period), Refusal> {
    let open = rules_now(draft.state, caller, draft.at);
    // Nothing else is looked at on a closed day, but care still finds who tried.
    if open.is_err()
        && let Some((id, _)) = draft.subscriber(caller.msisdn, caller.operator)
    {
        draft.name(id);
    }
    open
}

fn rules_now<'a>(state: &'a State, caller: &Caller, at: Timestamp) -> Result<(&'a Rules, &'a Period), Refusal> {
    let rules = &*state.operator(caller.operator).ok_or(Refusal::ServiceClosed { period: None })?.rules;
    let period = rules.period(at).ok_or(Refusal::ServiceClosed { period: None })?;
    if period.closed {
        return Err(Refusal::ServiceClosed { period: Some(period.name.clone()) });
    }
    Ok((rules, period))
}

fn post_gift(
    draft: &mut Draft<'_>,
    gift: &Gift,
    rules: &Rules,
    period: &Period,
    sender: Known<'_>,
    pick: Pick<'_>,
) -> Result<Done, Refusal> {
    let (msisdn, amount) = readable(gift)?;
    let recipient = recipient(draft, rules, msisdn, gift.caller.operator)?;
    if recipient.id() == Some(sender.id) {
        return Err(Refusal::RecipientIsCaller);
    }
    admit_amount(period, amount)?;
    if let Some(to) = recipient.id() {
        draft.name(to);
        let key = RepeatKey { sender: sender.id, recipient: to, amount };
        not_repeated(rules, draft.state.repeat(&key), draft.at)?;
    }
    old_enough(rules, period, draft.date(), &sender.row.facts, recipient.facts())?;
    let to = recipient.row(draft)?;
    let parties = Parties { kind: Kind::Gift, from: sender.id, to, card: pick.id };
    let usage = limits::admit(draft, period, parties, amount)?;
    room(period, draft.balance_minor(AccountId::Airtime(to)), amount)?;
    let charged = cover(&period.gift_fee, amount, pick.card.purse.balance_minor, period.residual_min_minor)?;

    // From here on the gift must succeed.
    for used in &usage {
        draft.use_limit(*used);
    }
    draft.name(to);
    if let Some(rule) = period.hold.filter(|rule| hold::holds(draft, *rule, sender, recipient.id())) {
        return hold::take(draft, gift, rule, (sender, pick, to), (amount, charged), &usage);
    }
    book(draft, gift.caller.operator, pick, AccountId::Airtime(to), amount, charged)?;
    draft.change(Change::Gave);
    Ok(Done::Given {
        left_minor: draft.balance_minor(AccountId::Card(pick.id)),
        fee_minor: charged.fee_minor + charged.tax_minor,
        language: recipient.facts().language,
    })
}

/// An own top-up: the same checks where they have a meaning.
pub(super) fn top_up(draft: &mut Draft<'_>, top_up: &TopUp) -> Result<Done, Refusal> {
    let (rules, period) = open_service(draft, &top_up.caller)?;
    let holder = proof::caller(draft, &top_up.caller)?;
    proof::not_resting(draft.at, &holder.facts, rules)?;
    let pick = proof::card(draft, holder, &top_up.caller, &top_up.proof, false)?;
    counted(draft, holder, period, |draft| post_top_up(draft, top_up, rules, period, holder, pick))
}

fn post_top_up(
    draft: &mut Draft<'_>,
    top_up: &TopUp,
    rules: &Rules,
    period: &Period,
    holder: Known<'_>,
    pick: Pick<'_>,
) -> Result<Done, Refusal> {
    let amount = top_up.amount.value().ok_or(Refusal::AmountMalformed)?;
    admit_amount(period, amount)?;
    // No gift has its sender as recipient, so gifts and top-ups never meet under one key.
    let key = RepeatKey { sender: holder.id, recipient: holder.id, amount };
    not_repeated(rules, draft.state.repeat(&key), draft.at)?;
    let parties = Parties { kind: Kind::TopUp, from: holder.id, to: holder.id, card: pick.id };
    let usage = limits::admit(draft, period, parties, amount)?;
    let airtime = AccountId::Airtime(holder.id);
    room(period, draft.balance_minor(airtime), amount)?;
    let charged = cover(&period.top_up_fee, amount, pick.card.purse.balance_minor, period.residual_min_minor)?;

    // From here on the top-up must succeed.
    book(draft, top_up.caller.operator, pick, airtime, amount, charged)?;
    for used in usage {
        draft.use_limit(used);
    }
    draft.change(Change::Gave);
    Ok(Done::ToppedUp {
        left_minor: draft.balance_minor(AccountId::Card(pick.id)),
        fee_minor: charged.fee_minor + charged.tax_minor,
        airtime_minor: draft.balance_minor(airtime),
    })
}

/// Runs what comes after a right password: at most `refusals_per_day` of it may be refused in a business day.
fn counted(
    draft: &mut Draft<'_>,
    known: Known<'_>,
    period: &Period,
    then: impl FnOnce(&mut Draft<'_>) -> Result<Done, Refusal>,
) -> Result<Done, Refusal> {
    let today = draft.date();
    let refused = if known.row.refused_date == today { known.row.refused_count } else { 0 };
    if period.refusals_per_day != 0 && refused >= period.refusals_per_day {
        return Err(Refusal::TooManyRefusals { until: today.plus_days(1) });
    }
    let done = then(draft);
    if done.is_err() {
        draft.change_always(Change::Refused { subscriber: known.id, count: refused.saturating_add(1) });
    }
    done
}

/// What was dialled, when it can be read: a swap is said and never guessed.
const fn readable(gift: &Gift) -> Result<(Msisdn, Amount), Refusal> {
    if gift.swapped {
        return Err(Refusal::AmountRecipientSwapped);
    }
    match (gift.recipient, gift.amount) {
        (Dialled::Malformed, _) => Err(Refusal::RecipientMalformed),
        (Dialled::Value(_), Dialled::Malformed) => Err(Refusal::AmountMalformed),
        (Dialled::Value(recipient), Dialled::Value(amount)) => Ok((recipient, amount)),
    }
}

/// A recipient: known, or about to be by the first use of the number.
enum Recipient {
    Known(SubscriberId, SubscriberFacts),
    New(SubscriberFacts),
}

impl Recipient {
    const fn id(&self) -> Option<SubscriberId> {
        match self {
            Self::Known(id, _) => Some(*id),
            Self::New(_) => None,
        }
    }

    const fn facts(&self) -> &SubscriberFacts {
        match self {
            Self::Known(_, facts) | Self::New(facts) => facts,
        }
    }

    fn row(&self, draft: &mut Draft<'_>) -> Result<SubscriberId, Refusal> {
        match self {
            Self::Known(id, _) => Ok(*id),
            Self::New(facts) => draft.create_subscriber(*facts, false),
        }
    }
}

fn recipient(draft: &Draft<'_>, rules: &Rules, msisdn: Msisdn, operator: OperatorId) -> Result<Recipient, Refusal> {
    if !rules.numbers.is_own(msisdn) {
        return Err(Refusal::RecipientElsewhere);
    }
    match draft.subscriber(msisdn, operator) {
        Some((_, row)) if row.facts.standing == Standing::Barred => Err(Refusal::RecipientUnknown),
        Some((id, row)) => Ok(Recipient::Known(id, row.facts)),
        None => proof::first_use(draft, msisdn, operator, None).map(Recipient::New).ok_or(Refusal::RecipientUnknown),
    }
}

pub(super) fn admit_amount(period: &Period, amount: Amount) -> Result<(), Refusal> {
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

/// People redial when a screen is lost: the same gift or top-up a moment later is said to be done, not done twice.
pub(super) fn not_repeated(rules: &Rules, before: Option<Repeat>, at: Timestamp) -> Result<(), Refusal> {
    let window_s = i64::from(rules.standing.repeat_window_s);
    match before {
        Some(given) if at < given.at.plus_s(window_s) => {
            Err(Refusal::Repeated { given_at: given.at, seq: given.seq, again_at: given.at.plus_s(window_s) })
        }
        _ => Ok(()),
    }
}

pub(super) fn old_enough(
    rules: &Rules,
    period: &Period,
    date: BusinessDate,
    sender: &SubscriberFacts,
    recipient: &SubscriberFacts,
) -> Result<(), Refusal> {
    let days = i32::try_from(period.age_days_min).unwrap_or(i32::MAX);
    let from = |facts: &SubscriberFacts| -> BusinessDate { rules.date(facts.since).plus_days(days) };
    if days == 0 {
        return Ok(());
    }
    let (sender, recipient) = (from(sender), from(recipient));
    if date < sender {
        Err(Refusal::SenderTooYoung { until: sender })
    } else if date < recipient {
        Err(Refusal::RecipientTooYoung { until: recipient })
    } else {
        Ok(())
    }
}

/// Whether so much more fits on an airtime account.
pub(super) fn room(period: &Period, airtime_minor: i64, amount: Amount) -> Result<(), Refusal> {
    let max_minor = period.recipient_balance_max.map_or(i64::MAX, Amount::minor);
    let room_minor = max_minor.saturating_sub(airtime_minor).max(0);
    if amount.minor() > room_minor { Err(Refusal::RecipientBalanceMax { room_minor }) } else { Ok(()) }
}

/// The fee, when the card holds amount, fee and what must stay on it.
pub(super) fn cover(
    fee: &Fee,
    amount: Amount,
    balance_minor: i64,
    residual_min_minor: i64,
) -> Result<Charged, Refusal> {
    let charged = fee.charge(amount).map_err(|_| Refusal::AmountOverflow)?;
    let needed = [charged.fee_minor, charged.tax_minor, residual_min_minor]
        .into_iter()
        .try_fold(amount.minor(), i64::checked_add)
        .ok_or(Refusal::AmountOverflow)?;
    let short_by_minor = needed.saturating_sub(balance_minor);
    if short_by_minor > 0 { Err(Refusal::InsufficientFunds { short_by_minor }) } else { Ok(charged) }
}

fn book(
    draft: &mut Draft<'_>,
    operator: OperatorId,
    pick: Pick<'_>,
    to: AccountId,
    amount: Amount,
    charged: Charged,
) -> Result<(), Refusal> {
    let card = AccountId::Card(pick.id);
    draft.transfer(card, to, amount)?;
    if let Some(fee) = Amount::try_new(charged.fee_minor) {
        draft.transfer(card, AccountId::FeeIncome(operator), fee)?;
    }
    if let Some(tax) = Amount::try_new(charged.tax_minor) {
        draft.transfer(card, AccountId::TaxPayable(operator), tax)?;
    }
    Ok(())
}
