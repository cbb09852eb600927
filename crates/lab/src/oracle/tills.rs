//! Sale: outlets and their floats, rates, quotes, sales, refunds, merged cards and pay-outs, with a purchase for each sale of a card.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::card::CardState;
use domain::currency::Currency;
use domain::effects::{Change, Effects};
use domain::ids::{CardId, OperatorId, OutletId, Serial};
use domain::office::done::OfficeDone;
use domain::office::till::{Goods, Rate, TillCommand};
use domain::receipt::Seq;
use domain::rules::tariff::Ratio;

use super::expect::Expect;
use super::{At, Oracle};
use crate::calendar::Calendar;
use crate::invariant::{Broken, CARD_LIFE, Held, OFFICE_AS_ASKED, hold};

/// What somebody paid for a card at an outlet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purchase {
    pub(super) outlet: OutletId,
    pub(super) currency: Currency,
    pub(super) price: i64,
    pub(super) value: i64,
}

/// A price that is promised.
#[derive(Clone, Debug)]
pub(super) struct Quoted {
    pub(super) operator: OperatorId,
    pub(super) outlet: OutletId,
    pub(super) currency: Currency,
    pub(super) goods: Goods,
    /// Card, price and value.
    each: Vec<(CardId, i64, i64)>,
    ratio: Ratio,
    pub(super) due_ms: i64,
}

impl Quoted {
    /// Of all of it.
    pub(super) fn price(&self) -> i64 {
        self.each.iter().map(|(_, price, _)| price).sum()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tills {
    outlets: BTreeMap<OutletId, (OperatorId, String)>,
    rates: BTreeMap<(OperatorId, Currency), Vec<Rate>>,
    pub(super) quotes: BTreeMap<Seq, Quoted>,
    pub(super) bought: BTreeMap<CardId, Vec<Purchase>>,
    /// In what each card was bought first, also once it is merged into another.
    sold_for: BTreeMap<CardId, Currency>,
}

impl Tills {
    /// Whose an outlet is.
    pub(super) fn owner(&self, outlet: OutletId) -> Option<OperatorId> {
        self.outlets.get(&outlet).map(|(operator, _)| *operator)
    }

    /// Whether an operator has an outlet of that name.
    pub(super) fn has_name(&self, operator: OperatorId, name: &str) -> bool {
        self.outlets.values().any(|(owner, known)| *owner == operator && known == name.trim())
    }

    /// The rate of an instant: the latest that has begun, unless it has ended.
    pub(super) fn rate(&self, operator: OperatorId, currency: Currency, at_ms: i64) -> Option<Ratio> {
        let begun = self.rates.get(&(operator, currency))?.iter().filter(|rate| rate.from.ms() <= at_ms);
        let latest = begun.max_by_key(|rate| rate.from)?;
        latest.until.is_none_or(|until| at_ms < until.ms()).then_some(latest.ratio)
    }

    /// Two people agreed on a rate.
    pub(super) fn rated(&mut self, operator: OperatorId, currency: Currency, rate: Rate) {
        self.rates.entry((operator, currency)).or_default().push(rate);
    }

    /// In what a card was bought, whatever became of it.
    pub(super) fn currency(&self, card: CardId) -> Option<Currency> {
        self.sold_for.get(&card).copied()
    }

    /// In what a card was bought, for how much, and how much airtime that was.
    pub(super) fn paid_for(&self, card: CardId) -> Option<(Currency, i64, i64)> {
        let purchases = self.bought.get(&card)?;
        let first = purchases.first()?;
        let sum = |of: fn(&Purchase) -> i64| purchases.iter().map(of).sum();
        Some((first.currency, sum(|one| one.price), sum(|one| one.value)))
    }
}

/// What so much airtime costs, rounded up.
fn price_up(value: i64, ratio: Ratio) -> i64 {
    let (up, down) = (i64::from(ratio.numerator), i64::from(ratio.denominator));
    (value * up + down - 1) / down
}

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: OFFICE_AS_ASKED, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

impl Oracle {
    /// What a till asked.
    pub(super) fn till(&mut self, at: At<'_>, command: &TillCommand, done: &OfficeDone) -> Result<Expect, Broken> {
        let mut expect = Expect::default();
        match (command, done) {
            (TillCommand::OpenOutlet { operator, name }, OfficeDone::OutletOpened { outlet }) => {
                let next = self.tills.outlets.keys().last().map_or(1, |latest| latest.0 + 1);
                let new = outlet.0 == next && !self.tills.has_name(*operator, name);
                hold(new, OFFICE_AS_ASKED, || format!("entry {}: outlet {} is opened", at.seq, outlet.0))?;
                self.tills.outlets.insert(*outlet, (*operator, String::from(name.trim())));
                self.books.own(AccountId::Float(*outlet, Currency::Usd), *operator);
            }
            (
                TillCommand::Deposit { outlet, currency, amount } | TillCommand::Withdraw { outlet, currency, amount },
                OfficeDone::FloatChanged { float_minor },
            ) => {
                let operator = self.tills.owner(*outlet).ok_or_else(|| wrong(at, "no such outlet"))?;
                let (float, position) =
                    (AccountId::Float(*outlet, *currency), AccountId::CashPosition(operator, *currency));
                let paid_in = matches!(command, TillCommand::Deposit { .. });
                let (from, to) = if paid_in { (position, float) } else { (float, position) };
                expect.moves(from, to, amount.minor());
                let after = self.books.minor(float) + if paid_in { amount.minor() } else { -amount.minor() };
                hold(*float_minor == after && after >= 0, OFFICE_AS_ASKED, || {
                    format!("entry {}: the float is {after}, told as {float_minor}", at.seq)
                })?;
            }
            (TillCommand::Quote { outlet, currency, goods }, OfficeDone::Quoted { .. }) => {
                self.quoted(at, (*outlet, *currency, *goods), done)?;
            }
            (TillCommand::Sell { quote }, OfficeDone::Sold { .. }) => return self.sold(at, *quote, done),
            (TillCommand::Refund { serial }, OfficeDone::Refunded { .. }) => return self.refunded(at, *serial, done),
            (TillCommand::Merge { from, into }, OfficeDone::Merged { balance_minor }) => {
                return self.merged(at, *from, *into, *balance_minor);
            }
            (TillCommand::PayOut { serial }, OfficeDone::PaidOut { .. }) => return self.paid_out(at, *serial, done),
            _ => return Err(wrong(at, "answers something else")),
        }
        Ok(expect)
    }

    fn card_of(&self, at: At<'_>, serial: Serial) -> Result<(CardId, domain::state::CardFacts), Broken> {
        self.registry.of_serial(serial).map(|(id, card)| (id, *card)).ok_or_else(|| wrong(at, "no such card"))
    }

    /// A card that may be sold at an outlet, and what will be on it.
    fn for_sale(
        &self,
        at: At<'_>,
        operator: OperatorId,
        outlet: OutletId,
        serial: Serial,
    ) -> Result<(CardId, i64), Broken> {
        let (id, card) = self.card_of(at, serial)?;
        let here = matches!(card.state, CardState::InStock { outlet: at, .. } if at == outlet);
        let batch = card.batch.ok_or_else(|| wrong(at, "a card of no batch"))?;
        let sealed = self.batches.is_sealed(batch);
        let fit = here && sealed && card.operator == operator && at.ms < card.expires_at.ms();
        hold(fit && !self.is_void(id, &card, at.ms), OFFICE_AS_ASKED, || {
            format!("entry {}: card {} is not for sale: {:?}", at.seq, id.0, card.state.name())
        })?;
        Ok((id, self.batches.value(batch).unwrap_or(0)))
    }

    /// A card that may hold more of what it was bought for.
    fn reloadable(
        &self,
        at: At<'_>,
        operator: OperatorId,
        serial: Serial,
        currency: Currency,
    ) -> Result<CardId, Broken> {
        let (id, card) = self.card_of(at, serial)?;
        let bought = self.tills.paid_for(id).is_some_and(|(paid, ..)| paid == currency);
        hold(card.operator == operator && self.is_live(id, &card, at.ms) && bought, OFFICE_AS_ASKED, || {
            format!("entry {}: card {} is not to be reloaded", at.seq, id.0)
        })?;
        Ok(id)
    }

    fn quoted(&mut self, at: At<'_>, asked: (OutletId, Currency, Goods), done: &OfficeDone) -> Held {
        let (outlet, currency, goods) = asked;
        let operator = self.tills.owner(outlet).ok_or_else(|| wrong(at, "no such outlet"))?;
        let ratio = self.tills.rate(operator, currency, at.ms).ok_or_else(|| wrong(at, "there is no rate"))?;
        let each = match goods {
            Goods::Cards { first, count } => (first.0..first.0 + count)
                .map(|serial| {
                    let (id, value) = self.for_sale(at, operator, outlet, Serial(serial))?;
                    Ok((id, price_up(value, ratio), value))
                })
                .collect::<Result<Vec<_>, Broken>>()?,
            Goods::Reload { serial, value } => {
                let id = self.reloadable(at, operator, serial, currency)?;
                vec![(id, price_up(value.minor(), ratio), value.minor())]
            }
        };
        let rules = self.rules(operator).ok_or_else(|| wrong(at, "no rules"))?;
        let due_ms = at.ms + i64::from(rules.standing.standing.quote_valid_s.unwrap_or(900)) * 1_000;
        let due = OfficeDone::Quoted {
            quote: at.seq,
            currency,
            price_minor: each.iter().map(|(_, price, _)| price).sum(),
            value_minor: each.iter().map(|(.., value)| value).sum(),
            ratio,
            expires_at: domain::time::Timestamp::from_ms(due_ms),
        };
        hold(*done == due, OFFICE_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        self.tills.quotes.insert(at.seq, Quoted { operator, outlet, currency, goods, each, ratio, due_ms });
        Ok(())
    }

    fn sold(&mut self, at: At<'_>, quote: Seq, done: &OfficeDone) -> Result<Expect, Broken> {
        let quoted = self.tills.quotes.remove(&quote).ok_or_else(|| wrong(at, "no such quote"))?;
        let Quoted { operator, outlet, currency, goods, ref each, ratio, due_ms } = quoted;
        hold(at.ms < due_ms, OFFICE_AS_ASKED, || format!("entry {}: the quote ended at {due_ms}", at.seq))?;
        let price = quoted.price();
        let value = each.iter().map(|(.., value)| value).sum::<i64>();
        let float = AccountId::Float(outlet, currency);
        let left = self.books.minor(float) - price;
        let due = OfficeDone::Sold {
            goods,
            outlet,
            currency,
            price_minor: price,
            value_minor: value,
            ratio,
            float_minor: left,
        };
        hold(*done == due && left >= 0, OFFICE_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        let mut expect = Expect::default();
        expect.moves(float, AccountId::Cash(operator, currency), price);
        for (card, price, value) in each {
            match goods {
                Goods::Cards { .. } => {
                    self.for_sale(at, operator, outlet, Serial::of(*card))?;
                }
                Goods::Reload { serial, .. } => {
                    self.reloadable(at, operator, serial, currency)?;
                    if self.tills.bought.get(card).is_some_and(|known| known.iter().any(|one| one.outlet != outlet)) {
                        self.meet("a card is reloaded at another outlet");
                    }
                }
            }
            expect.moves(AccountId::Position(operator), AccountId::Card(*card), *value);
            let purchase = Purchase { outlet, currency, price: *price, value: *value };
            self.tills.bought.entry(*card).or_default().push(purchase);
            self.tills.sold_for.entry(*card).or_insert(currency);
        }
        if self.tills.rate(operator, currency, at.ms) != Some(ratio) {
            self.meet("sold at a promised price after the rate changed");
        }
        self.serves(at, operator)?;
        self.issued(at, operator, value)?;
        Ok(expect)
    }

    fn refunded(&mut self, at: At<'_>, serial: Serial, done: &OfficeDone) -> Result<Expect, Broken> {
        let (id, card) = self.card_of(at, serial)?;
        let CardState::Sold { at: sold, .. } = card.state else { return Err(wrong(at, "of a card that is not sold")) };
        let (currency, price, value) = self.tills.paid_for(id).ok_or_else(|| wrong(at, "of a card that was given"))?;
        let calendar = Calendar::of(card.operator);
        let all_there = self.books.minor(AccountId::Card(id)) == value;
        hold(calendar.date(sold.ms()) == calendar.date(at.ms) && all_there, OFFICE_AS_ASKED, || {
            format!("entry {}: card {} is not to be refunded", at.seq, id.0)
        })?;
        let due = OfficeDone::Refunded { currency, price_minor: price };
        hold(*done == due, OFFICE_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        let mut expect = Expect::default();
        expect.moves(AccountId::Card(id), AccountId::Refunded(card.operator), value);
        // Each outlet gets back what was paid there.
        let purchases = self.tills.bought.get(&id).cloned().unwrap_or_default();
        for one in &purchases {
            expect.moves(AccountId::Cash(card.operator, currency), AccountId::Float(one.outlet, currency), one.price);
        }
        if purchases.iter().any(|one| purchases.first().is_some_and(|first| first.outlet != one.outlet)) {
            self.meet("a refund after a reload at another outlet");
        }
        Ok(expect)
    }

    fn merged(&mut self, at: At<'_>, from: Serial, into: Serial, told: i64) -> Result<Expect, Broken> {
        let ((from_id, from), (into_id, into)) = (self.card_of(at, from)?, self.card_of(at, into)?);
        let (one, other) = (self.tills.paid_for(from_id), self.tills.paid_for(into_id));
        let same_currency = one.map(|(currency, ..)| currency) == other.map(|(currency, ..)| currency);
        let same_holder = from.state.holder().is_some() && from.state.holder() == into.state.holder();
        let usable = self.usable(from_id, &from, at.ms) && self.usable(into_id, &into, at.ms);
        let free = self.holds.values().all(|held| held.card != from_id);
        hold(same_currency && same_holder && usable && free && from_id != into_id, CARD_LIFE, || {
            format!("entry {}: cards {} and {} are not to be merged", at.seq, from_id.0, into_id.0)
        })?;
        let rest = self.books.minor(AccountId::Card(from_id));
        let after = self.books.minor(AccountId::Card(into_id)) + rest;
        hold(told == after, OFFICE_AS_ASKED, || format!("entry {}: {told} told, {after} there", at.seq))?;
        let most = self.rules(into.operator).map(|rules| rules.standing.standing.card_value_max().minor());
        hold(rest == 0 || most.is_some_and(|most| after <= most), OFFICE_AS_ASKED, || {
            format!("entry {}: {after} on card {}, {most:?} at most", at.seq, into_id.0)
        })?;
        let moved = self.tills.bought.remove(&from_id).unwrap_or_default();
        if !moved.is_empty() {
            self.tills.bought.entry(into_id).or_default().extend(moved);
        }
        let mut expect = Expect::default();
        expect.moves(AccountId::Card(from_id), AccountId::Card(into_id), rest);
        Ok(expect)
    }

    fn paid_out(&mut self, at: At<'_>, serial: Serial, done: &OfficeDone) -> Result<Expect, Broken> {
        let (id, card) = self.card_of(at, serial)?;
        let (currency, price, value) = self.tills.paid_for(id).ok_or_else(|| wrong(at, "of a card that was given"))?;
        let rest = self.books.minor(AccountId::Card(id));
        let free = self.holds.values().all(|held| held.card != id);
        hold(self.is_void(id, &card, at.ms) && rest > 0 && free, CARD_LIFE, || {
            format!("entry {}: card {} with {rest} is not to be paid out", at.seq, id.0)
        })?;
        // Its share of the price, rounded down, and never for more than was bought.
        let paid = price * rest.min(value) / value;
        let due = OfficeDone::PaidOut { currency, paid_minor: paid, value_minor: rest };
        hold(*done == due, OFFICE_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        let mut expect = Expect::default();
        expect.moves(AccountId::Card(id), AccountId::Refunded(card.operator), rest);
        expect.moves(AccountId::Cash(card.operator, currency), AccountId::CashPosition(card.operator, currency), paid);
        if self.registry.in_void_range(id) {
            self.meet("a card of a long row of void ones is paid out");
        }
        Ok(expect)
    }

    /// What a card is said to have been bought for is what was paid for it.
    pub(super) fn bought_holds(&self, at: At<'_>, effects: &Effects) -> Held {
        for change in &effects.changes {
            let Change::Bought { id, bought } = change else { continue };
            let due = self.tills.paid_for(*id);
            let told = (bought.currency, bought.price.minor(), bought.value.minor());
            hold(due == Some(told), OFFICE_AS_ASKED, || {
                format!("entry {}: card {} was bought for {due:?}, told as {told:?}", at.seq, id.0)
            })?;
        }
        Ok(())
    }
}
