//! Sale: outlets and their floats, quotes, sales, refunds, merged cards, pay-outs.
//!
//! Every sale is two linked transfers: float → cash in the currency, position → card in airtime.

use crate::account::AccountId;
use crate::card::{CardState, Voiding};
use crate::currency::{Currency, price_up};
use crate::effects::Change;
use crate::ids::{CardId, OperatorId, OutletId, Serial, Staff};
use crate::money::Amount;
use crate::office::ceiling::Ceiling;
use crate::office::done::OfficeDone;
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{
    Bought, FLOAT_MAX_MINOR, Goods, OUTLET_NAME_LEN_MAX, Outlet, QUOTE_CARDS_MAX, Quote, TAKINGS_MAX, Taken, Takings,
    TillCommand,
};
use crate::office::{Record, RecordKey, RecordKind};
use crate::plain::is_plain;
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Role;
use crate::rules::tariff::Ratio;
use crate::state::Card;
use crate::verdict::Done;

use super::draft::Draft;
use super::issue::{Issuing, fits};
use super::staff::{for_operator, still_serves};
use super::{batch, card_state, hold};

/// Whatever a till asks.
pub(super) fn ask(draft: &mut Draft<'_>, staff: Staff, command: &TillCommand) -> Result<Done, Refusal> {
    match command {
        TillCommand::OpenOutlet { operator, name } => open_outlet(draft, staff, *operator, name),
        TillCommand::Deposit { outlet, currency, amount } => {
            let operator = outlet_of(draft, staff, *outlet)?;
            let float = AccountId::Float(*outlet, *currency);
            let room_minor = FLOAT_MAX_MINOR.saturating_sub(draft.balance_minor(float)).max(0);
            if amount.minor() > room_minor {
                return Err(OfficeRefusal::FloatMax { room_minor }.into());
            }
            draft.transfer(AccountId::CashPosition(operator, *currency), float, *amount)?;
            Ok(OfficeDone::FloatChanged { float_minor: draft.balance_minor(float) }.into())
        }
        TillCommand::Withdraw { outlet, currency, amount } => {
            let operator = outlet_of(draft, staff, *outlet)?;
            let float = covered(draft, *outlet, *currency, *amount)?;
            draft.transfer(float, AccountId::CashPosition(operator, *currency), *amount)?;
            Ok(OfficeDone::FloatChanged { float_minor: draft.balance_minor(float) }.into())
        }
        TillCommand::Quote { outlet, currency, goods } => quote(draft, staff, *outlet, *currency, *goods),
        TillCommand::Sell { quote } => sell(draft, staff, *quote),
        TillCommand::Refund { serial } => refund(draft, staff, *serial),
        TillCommand::Merge { from, into } => merge(draft, staff, *from, *into),
        TillCommand::PayOut { serial } => pay_out(draft, staff, *serial),
    }
}

fn open_outlet(draft: &mut Draft<'_>, staff: Staff, operator: OperatorId, name: &str) -> Result<Done, Refusal> {
    for_operator(draft, staff, operator, Role::Finance)?;
    draft.room(Ceiling::Outlets, operator)?;
    let name = name.trim();
    if !(1..=OUTLET_NAME_LEN_MAX).contains(&name.chars().count()) || !is_plain(name) {
        return Err(OfficeRefusal::NameMalformed.into());
    }
    let mut latest = 0;
    for (id, record) in draft.state.records_of(RecordKind::Outlet) {
        latest = id;
        if matches!(record, Record::Outlet(known) if known.operator == operator && known.name == name) {
            return Err(OfficeRefusal::NameTaken.into());
        }
    }
    let too_many = Refusal::TooMuchAtOnce { max: u32::MAX };
    let next = u32::try_from(latest).ok().and_then(|latest| latest.checked_add(1)).ok_or(too_many)?;
    let outlet = OutletId(next);
    let opened = Outlet { operator, name: String::from(name), since: draft.at };
    draft.record(RecordKey::outlet(outlet), Some(Record::Outlet(opened)));
    Ok(OfficeDone::OutletOpened { outlet }.into())
}

/// Whose an outlet is, for somebody who may use it.
fn outlet_of(draft: &mut Draft<'_>, staff: Staff, outlet: OutletId) -> Result<OperatorId, Refusal> {
    let operator = draft.state.outlet(outlet).ok_or(OfficeRefusal::OutletUnknown)?.operator;
    for_operator(draft, staff, operator, Role::Finance)?;
    Ok(operator)
}

/// A float that holds so much.
fn covered(
    draft: &Draft<'_>,
    outlet: OutletId,
    currency: Currency,
    amount: Amount,
) -> Result<AccountId, OfficeRefusal> {
    let float = AccountId::Float(outlet, currency);
    let short_by_minor = amount.minor().saturating_sub(draft.balance_minor(float));
    if short_by_minor > 0 { Err(OfficeRefusal::FloatShort { short_by_minor }) } else { Ok(float) }
}

fn quote(
    draft: &mut Draft<'_>,
    staff: Staff,
    outlet: OutletId,
    currency: Currency,
    goods: Goods,
) -> Result<Done, Refusal> {
    let operator = outlet_of(draft, staff, outlet)?;
    draft.room(Ceiling::Quotes, operator)?;
    still_serves(draft, operator)?;
    let mut issuing = Issuing::begin(draft, operator)?;
    let rates = match draft.state.record(RecordKey::rates(operator, currency)) {
        Some(Record::Rates(rates)) => rates.at(draft.at),
        _ => None,
    };
    let ratio = rates.ok_or(OfficeRefusal::RateUnknown { currency })?.ratio;
    let (price, value) = match goods {
        Goods::Cards { first, count } => {
            let (price, value) = price_of_cards(draft, (operator, outlet), (first, count), ratio)?;
            issuing.admit_today(value)?;
            (price, value)
        }
        Goods::Reload { serial, value } => {
            let id = reloadable(draft, operator, serial, currency)?;
            issuing.admit(draft, AccountId::Card(id), value)?;
            (price_of(value, ratio)?, value)
        }
    };
    let rules = &draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?.rules;
    let expires_at = draft.at.plus_s(i64::from(rules.standing.quote_valid_s()));
    let seq = draft.own_seq();
    let quote = Quote { outlet, currency, goods, price, value, ratio, expires_at };
    draft.record(RecordKey::made_by(RecordKind::Quote, seq), Some(Record::Quote(quote)));
    Ok(OfficeDone::Quoted {
        quote: seq,
        currency,
        price_minor: price.minor(),
        value_minor: value.minor(),
        ratio,
        expires_at,
    }
    .into())
}

/// Rounded up for each card, so that two cards cost twice one.
fn price_of(value: Amount, ratio: Ratio) -> Result<Amount, Refusal> {
    price_up(value.minor(), ratio).and_then(Amount::try_new).ok_or(Refusal::AmountOverflow)
}

fn price_of_cards(
    draft: &Draft<'_>,
    (operator, outlet): (OperatorId, OutletId),
    (first, count): (Serial, u32),
    ratio: Ratio,
) -> Result<(Amount, Amount), Refusal> {
    if !(1..=QUOTE_CARDS_MAX).contains(&count) {
        return Err(Refusal::TooMuchAtOnce { max: QUOTE_CARDS_MAX });
    }
    let (mut price, mut value) = (None::<Amount>, None::<Amount>);
    for serial in (first.0..first.0.saturating_add(count)).map(Serial) {
        let (_, _, each) = for_sale(draft, operator, outlet, serial)?;
        let sum = |total: Option<Amount>, one: Amount| match total {
            None => Some(one),
            Some(total) => total.checked_add(one),
        };
        price = Some(sum(price, price_of(each, ratio)?).ok_or(Refusal::AmountOverflow)?);
        value = Some(sum(value, each).ok_or(Refusal::AmountOverflow)?);
    }
    price.zip(value).ok_or(Refusal::NothingToChange)
}

/// A card in stock here, and its value.
fn for_sale<'a>(
    draft: &Draft<'a>,
    operator: OperatorId,
    outlet: OutletId,
    serial: Serial,
) -> Result<(CardId, &'a Card, Amount), Refusal> {
    let (id, card) = draft.state.card_of_serial(serial).ok_or(Refusal::CardUnknown)?;
    let no = |why: &str| OfficeRefusal::CardNotForSale { serial, state: String::from(why) };
    if card.facts.operator != operator {
        return Err(no("of another operator").into());
    }
    match card.facts.state {
        CardState::InStock { outlet: here, .. } if here == outlet => {}
        CardState::InStock { .. } => return Err(no("at another outlet").into()),
        CardState::Sold { .. } | CardState::Bound { .. } | CardState::Frozen { .. } => {
            return Err(OfficeRefusal::CardSold { serial }.into());
        }
        CardState::Printed { .. } | CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. } => {
            return Err(no(card.facts.state.name()).into());
        }
    }
    if !batch::exists(draft.state, card) {
        return Err(no("not-sealed").into());
    }
    if card_state::is_void(draft.state, draft.at, id, card) {
        return Err(no("void").into());
    }
    if card.facts.expires_at <= draft.at {
        return Err(no("expired").into());
    }
    let batch = card.facts.batch.and_then(|batch| draft.state.batch(batch)).ok_or(no("not printed"))?;
    Ok((id, card, batch.value))
}

/// A card in use that may hold more of what it was bought for.
fn reloadable(draft: &Draft<'_>, operator: OperatorId, serial: Serial, currency: Currency) -> Result<CardId, Refusal> {
    let (id, card) = draft.state.card_of_serial(serial).ok_or(Refusal::CardUnknown)?;
    let in_use = matches!(card.facts.state, CardState::Sold { .. } | CardState::Bound { .. });
    if card.facts.operator != operator || !in_use || card_state::unusable_why(draft, id, card).is_some() {
        return Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
    }
    let bought = card.bought.ok_or(OfficeRefusal::CardNotBought)?;
    if bought.currency == currency { Ok(id) } else { Err(OfficeRefusal::CurrenciesDiffer.into()) }
}

fn sell(draft: &mut Draft<'_>, staff: Staff, seq: Seq) -> Result<Done, Refusal> {
    let key = RecordKey::made_by(RecordKind::Quote, seq);
    let Some(Record::Quote(quote)) = draft.state.record(key) else { return Err(OfficeRefusal::QuoteUnknown.into()) };
    let quote = *quote;
    let operator = outlet_of(draft, staff, quote.outlet)?;
    still_serves(draft, operator)?;
    let mut issuing = Issuing::begin(draft, operator)?;
    if quote.expires_at <= draft.at {
        return Err(OfficeRefusal::QuoteExpired { at: quote.expires_at }.into());
    }
    let float = covered(draft, quote.outlet, quote.currency, quote.price)?;
    match quote.goods {
        Goods::Cards { first, count } => {
            for serial in (first.0..first.0.saturating_add(count)).map(Serial) {
                let (id, card, value) = for_sale(draft, operator, quote.outlet, serial)?;
                let tag = card.facts.state.tag().ok_or(OfficeRefusal::CardSold { serial })?;
                draft.set_card(id, CardState::Sold { at: draft.at, tag });
                add_value(draft, &mut issuing, id, &quote, (price_of(value, quote.ratio)?, value))?;
            }
        }
        Goods::Reload { serial, value } => {
            let id = reloadable(draft, operator, serial, quote.currency)?;
            add_value(draft, &mut issuing, id, &quote, (quote.price, value))?;
        }
    }
    draft.transfer(float, AccountId::Cash(operator, quote.currency), quote.price)?;
    draft.record(key, None);
    issuing.keep(draft);
    Ok(OfficeDone::Sold {
        goods: quote.goods,
        outlet: quote.outlet,
        currency: quote.currency,
        price_minor: quote.price.minor(),
        value_minor: quote.value.minor(),
        ratio: quote.ratio,
        float_minor: draft.balance_minor(float),
    }
    .into())
}

fn add_value(
    draft: &mut Draft<'_>,
    issuing: &mut Issuing<'_>,
    id: CardId,
    quote: &Quote,
    (price, value): (Amount, Amount),
) -> Result<(), Refusal> {
    let before = draft.state.card(id).and_then(|card| card.bought);
    let bought = Bought { currency: quote.currency, price, value, outlet: quote.outlet, sale: draft.own_seq() };
    let bought = match before {
        None => bought,
        Some(before) => {
            remember_takings(draft, id, &before, Taken { outlet: quote.outlet, price })?;
            together(before, bought)?
        }
    };
    if let Some(holder) = draft.state.card(id).and_then(|card| card.facts.state.holder()) {
        draft.name(holder);
    }
    draft.change(Change::Bought { id, bought });
    issuing.issue(draft, AccountId::Card(id), value)
}

/// A card that is not bound yet may be refunded: each outlet then gets back what was taken there.
fn remember_takings(draft: &mut Draft<'_>, id: CardId, before: &Bought, more: Taken) -> Result<(), Refusal> {
    let refundable = draft.state.card(id).is_some_and(|card| matches!(card.facts.state, CardState::Sold { .. }));
    let serial = Serial::of(id);
    let known = draft.state.takings(serial).cloned();
    if !refundable || (known.is_none() && before.outlet == more.outlet) {
        return Ok(());
    }
    let too_many = || OfficeRefusal::CardNotForSale { serial, state: format!("paid for at {TAKINGS_MAX} outlets") };
    let takings = known.unwrap_or_else(|| Takings::of(before)).with(more).ok_or_else(too_many)?;
    draft.record(RecordKey::takings(serial), Some(Record::Takings(takings)));
    Ok(())
}

/// What both were bought for; the later sale is told.
fn together(one: Bought, other: Bought) -> Result<Bought, Refusal> {
    if one.currency != other.currency {
        return Err(OfficeRefusal::CurrenciesDiffer.into());
    }
    let sum = |a: Amount, b: Amount| a.checked_add(b).ok_or(Refusal::AmountOverflow);
    let latest = if one.sale < other.sale { other } else { one };
    Ok(Bought { price: sum(one.price, other.price)?, value: sum(one.value, other.value)?, ..latest })
}

fn refund(draft: &mut Draft<'_>, staff: Staff, serial: Serial) -> Result<Done, Refusal> {
    let (id, card) = draft.state.card_of_serial(serial).ok_or(Refusal::CardUnknown)?;
    let operator = card.facts.operator;
    for_operator(draft, staff, operator, Role::Finance)?;
    let bought = card.bought.ok_or(OfficeRefusal::CardNotBought)?;
    let CardState::Sold { at, tag } = card.facts.state else {
        return Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
    };
    let rules = &draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?.rules;
    if rules.date(at) != draft.date() {
        return Err(OfficeRefusal::NotSoldToday.into());
    }
    // Nobody spends from a card before it is bound, so all of it is there.
    if card.purse.balance_minor != bought.value.minor() {
        return Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
    }
    draft.transfer(AccountId::Card(id), AccountId::Refunded(operator), bought.value)?;
    let takings = draft.state.takings(serial).cloned().unwrap_or_else(|| Takings::of(&bought));
    for Taken { outlet, price } in takings.list {
        let float = AccountId::Float(outlet, bought.currency);
        draft.transfer(AccountId::Cash(operator, bought.currency), float, price)?;
    }
    // Somebody has seen its password: it is not sold again.
    let state = CardState::Void { holder: None, at: draft.at, why: Voiding::Faulty, tag };
    draft.set_card(id, state);
    Ok(OfficeDone::Refunded { currency: bought.currency, price_minor: bought.price.minor() }.into())
}

fn merge(draft: &mut Draft<'_>, staff: Staff, from: Serial, into: Serial) -> Result<Done, Refusal> {
    let (from_id, from) = draft.state.card_of_serial(from).ok_or(Refusal::CardUnknown)?;
    let (into_id, into) = draft.state.card_of_serial(into).ok_or(Refusal::CardUnknown)?;
    for_operator(draft, staff, into.facts.operator, Role::Care)?;
    for (id, card) in [(from_id, from), (into_id, into)] {
        let bound = matches!(card.facts.state, CardState::Bound { .. });
        if !bound || card_state::unusable_why(draft, id, card).is_some() {
            return Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
        }
    }
    let holder = into.facts.state.holder().ok_or(OfficeRefusal::HoldersDiffer)?;
    hold::none_of_card(draft, holder, from_id)?;
    if from_id == into_id || from.facts.state.holder() != Some(holder) {
        return Err(OfficeRefusal::HoldersDiffer.into());
    }
    match (from.bought, into.bought) {
        (None, None) => {}
        (Some(one), Some(other)) => {
            draft.change(Change::Bought { id: into_id, bought: together(one, other)? });
        }
        (None, Some(_)) | (Some(_), None) => return Err(OfficeRefusal::CurrenciesDiffer.into()),
    }
    let standing = &draft.state.operator(into.facts.operator).ok_or(Refusal::OperatorUnknown)?.rules.standing;
    draft.name(holder);
    if let Some(all) = Amount::try_new(from.purse.balance_minor) {
        fits(draft, standing, AccountId::Card(into_id), all)?;
        draft.transfer(AccountId::Card(from_id), AccountId::Card(into_id), all)?;
    }
    let state = CardState::Closed { holder: Some(holder), at: draft.at };
    draft.set_card(from_id, state);
    Ok(OfficeDone::Merged { balance_minor: draft.balance_minor(AccountId::Card(into_id)) }.into())
}

fn pay_out(draft: &mut Draft<'_>, staff: Staff, serial: Serial) -> Result<Done, Refusal> {
    let (id, card) = draft.state.card_of_serial(serial).ok_or(Refusal::CardUnknown)?;
    let operator = card.facts.operator;
    for_operator(draft, staff, operator, Role::Finance)?;
    let holder = card.facts.state.holder();
    if let Some(holder) = holder {
        draft.name(holder);
    }
    if !card_state::is_void(draft.state, draft.at, id, card) {
        return Err(OfficeRefusal::CardNotVoid.into());
    }
    if let Some(holder) = holder {
        hold::none_of_card(draft, holder, id)?;
    }
    let bought = card.bought.ok_or(OfficeRefusal::CardNotBought)?;
    let rest = Amount::try_new(card.purse.balance_minor).ok_or(OfficeRefusal::NothingLeft)?;
    let paid_minor = bought.pay_out_minor(rest).ok_or(Refusal::AmountOverflow)?;
    draft.transfer(AccountId::Card(id), AccountId::Refunded(operator), rest)?;
    if let Some(paid) = Amount::try_new(paid_minor) {
        let cash = AccountId::Cash(operator, bought.currency);
        draft.transfer(cash, AccountId::CashPosition(operator, bought.currency), paid)?;
    }
    draft.set_card(id, CardState::Closed { holder, at: draft.at });
    Ok(OfficeDone::PaidOut { currency: bought.currency, paid_minor, value_minor: rest.minor() }.into())
}
