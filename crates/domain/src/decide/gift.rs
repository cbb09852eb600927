//! Gifts and own top-ups: the main job.
//!
//! [`give`] checks in the order of [`crate::refusal::GIFT_ORDER`] and then books.
//!
//! Deliberately not here: what is asked of the parties and of the gift between them (see [`super::admission`]).

use crate::account::AccountId;
use crate::command::{Caller, Dialled, Gift, TopUp};
use crate::effects::Change;
use crate::ids::{OperatorId, SubscriberId};
use crate::money::Amount;
use crate::number::Msisdn;
use crate::refusal::Refusal;
use crate::rules::Fee;
use crate::rules::limit::Kind;
use crate::rules::tariff::Charged;
use crate::state::{RepeatKey, SubscriberFacts};
use crate::verdict::Done;

use super::admission::{self, Asked, Terms};
use super::draft::Draft;
use super::hold;
use super::limits::Parties;
use super::proof::{self, Known, Pick, Wanted};

/// A gift.
pub(super) fn give(draft: &mut Draft<'_>, gift: &Gift) -> Result<Done, Refusal> {
    let terms = open_service(draft, &gift.caller)?;
    let sender = proof::caller(draft, &gift.caller)?;
    admission::may_give(&terms, &sender.facts)?;
    let wanted = payer(&terms, &terms.period.gift_fee, gift.amount);
    let pick = proof::card(draft, sender, &gift.caller, &gift.proof, wanted)?;
    // The password was right: from here on a refusal counts, so that nobody can probe numbers for free.
    counted(draft, &terms, sender, |draft| post_gift(draft, gift, &terms, sender, pick))
}

/// The terms that a caller's command is decided under.
fn open_service<'a>(draft: &mut Draft<'a>, caller: &Caller) -> Result<Terms<'a>, Refusal> {
    let terms = Terms::now(draft, caller.operator);
    // Nothing else is looked at on a closed day, but care still finds who tried.
    if terms.is_err()
        && let Some((id, _)) = draft.subscriber(caller.msisdn, caller.operator)
    {
        draft.name(id);
    }
    terms
}

fn post_gift<'a>(
    draft: &mut Draft<'a>,
    gift: &Gift,
    terms: &Terms<'a>,
    sender: Known<'a>,
    pick: Pick<'a>,
) -> Result<Done, Refusal> {
    let (msisdn, amount) = readable(gift)?;
    let recipient = recipient(draft, terms, msisdn)?;
    if recipient.id() == Some(sender.id) {
        return Err(Refusal::RecipientIsCaller);
    }
    admission::amount(terms, amount)?;
    if let Some(to) = recipient.id() {
        draft.name(to);
    }
    let to = recipient.row(draft)?;
    let asked = Asked {
        parties: Parties { kind: Kind::Gift, from: sender.id, to, card: pick.id },
        amount,
        sender: &sender.facts,
        recipient: recipient.facts(),
        before: draft.state.repeat(&RepeatKey { sender: sender.id, recipient: to, amount }),
        airtime_minor: coming(draft, to),
        card_minor: pick.card.purse.balance_minor,
    };
    let (charged, usage) = admission::gift(terms, &asked, |key, subject| draft.state.usage(key, subject))?;

    // From here on the gift must succeed.
    for used in &usage {
        draft.use_limit(*used);
    }
    if let Some(rule) = terms.period.hold.filter(|rule| hold::holds(draft, *rule, sender, recipient.id())) {
        return hold::take(draft, gift, rule, (sender, pick, to), (amount, charged), &usage);
    }
    book(draft, terms.operator, pick, AccountId::Airtime(to), amount, charged)?;
    draft.gave(sender.id, to, amount);
    Ok(Done::Given {
        left_minor: draft.balance_minor(AccountId::Card(pick.id)),
        fee_minor: charged.total_minor(),
        language: recipient.facts().language,
    })
}

/// An own top-up: the same checks where they have a meaning.
pub(super) fn top_up(draft: &mut Draft<'_>, top_up: &TopUp) -> Result<Done, Refusal> {
    let terms = open_service(draft, &top_up.caller)?;
    let holder = proof::caller(draft, &top_up.caller)?;
    admission::may_give(&terms, &holder.facts)?;
    let wanted = payer(&terms, &terms.period.top_up_fee, top_up.amount);
    let pick = proof::card(draft, holder, &top_up.caller, &top_up.proof, wanted)?;
    counted(draft, &terms, holder, |draft| post_top_up(draft, top_up, &terms, holder, pick))
}

fn post_top_up<'a>(
    draft: &mut Draft<'a>,
    top_up: &TopUp,
    terms: &Terms<'a>,
    holder: Known<'a>,
    pick: Pick<'a>,
) -> Result<Done, Refusal> {
    let amount = top_up.amount.value().ok_or(Refusal::AmountMalformed)?;
    admission::amount(terms, amount)?;
    let airtime = AccountId::Airtime(holder.id);
    let asked = Asked {
        parties: Parties { kind: Kind::TopUp, from: holder.id, to: holder.id, card: pick.id },
        amount,
        sender: &holder.facts,
        recipient: &holder.facts,
        // No gift has its sender as recipient, so gifts and top-ups never meet under one key.
        before: draft.state.repeat(&RepeatKey { sender: holder.id, recipient: holder.id, amount }),
        airtime_minor: coming(draft, holder.id),
        card_minor: pick.card.purse.balance_minor,
    };
    let (charged, usage) = admission::top_up(terms, &asked, |key, subject| draft.state.usage(key, subject))?;

    // From here on the top-up must succeed.
    book(draft, terms.operator, pick, airtime, amount, charged)?;
    for used in usage {
        draft.use_limit(used);
    }
    draft.topped_up(holder.id, amount);
    Ok(Done::ToppedUp {
        left_minor: draft.balance_minor(AccountId::Card(pick.id)),
        fee_minor: charged.total_minor(),
        airtime_minor: draft.balance_minor(airtime),
    })
}

/// Runs what comes after a right password: at most `refusals_per_day` of it may be refused in a business day.
fn counted<'a>(
    draft: &mut Draft<'a>,
    terms: &Terms<'a>,
    known: Known<'_>,
    then: impl FnOnce(&mut Draft<'a>) -> Result<Done, Refusal>,
) -> Result<Done, Refusal> {
    let refused = if known.row.refused_date == terms.date { known.row.refused_count } else { 0 };
    let max = terms.period.refusals_per_day;
    if max != 0 && refused >= max {
        return Err(Refusal::TooManyRefusals { until: terms.date.plus_days(1) });
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

    /// Their row. A new one goes with the draft when it is refused.
    fn row(&self, draft: &mut Draft<'_>) -> Result<SubscriberId, Refusal> {
        match self {
            Self::Known(id, _) => Ok(*id),
            Self::New(facts) => draft.create_subscriber(*facts),
        }
    }
}

fn recipient(draft: &Draft<'_>, terms: &Terms<'_>, msisdn: Msisdn) -> Result<Recipient, Refusal> {
    if !terms.rules.numbers.is_own(msisdn) {
        return Err(Refusal::RecipientElsewhere);
    }
    match draft.subscriber(msisdn, terms.operator) {
        Some((id, row)) => {
            admission::may_receive(&row.facts)?;
            Ok(Recipient::Known(id, row.facts))
        }
        None => {
            let facts = proof::first_use(draft, msisdn, terms.operator, None);
            facts.map(Recipient::New).ok_or(Refusal::RecipientUnknown)
        }
    }
}

/// A subscriber's airtime with what is on hold for them: all of it may arrive.
fn coming(draft: &Draft<'_>, to: SubscriberId) -> i64 {
    draft.balance_minor(AccountId::Airtime(to)).saturating_add(draft.state.held_for(to))
}

/// Of several cards with one password the one that can pay. An amount that does not parse is refused later, whichever it is.
fn payer(terms: &Terms<'_>, fee: &Fee, amount: Dialled<Amount>) -> Wanted {
    let needed = amount.value().map(|amount| admission::needed(terms, fee, amount));
    let needed_minor = needed.map_or(0, |needed| needed.map_or(i64::MAX, |(_, needed_minor)| needed_minor));
    Wanted::Payer { needed_minor }
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
