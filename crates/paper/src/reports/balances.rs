//! The reports of what there is at a month's end: every kind of account, and what is owed to cards.

use std::collections::BTreeMap;

use domain::currency::Currency;
use domain::ids::{OperatorId, Serial};
use domain::money::Amount;
use domain::rules::Unit;
use domain::state::{Card, State};

use super::agree::unit_name;
use super::table::{Cell, Column, Money, Shape, Table};
use super::turnover::{Held, KINDS, Kind, Turnover, balances, kinds};

const TRIAL_BALANCE: &[Column] = &[
    Column::new("unit", Shape::Text),
    Column::new("account", Shape::Text),
    Column::new("accounts", Shape::Count),
    Column::new("opening", Shape::Money),
    Column::new("debit", Shape::Money),
    Column::new("credit", Shape::Money),
    Column::new("balance", Shape::Money),
];

/// One operator's accounts by kind.
pub type Books = BTreeMap<Kind, Held>;

/// One operator's books in a state.
pub fn books(state: &State, operator: OperatorId) -> Books {
    balances(state)
        .into_iter()
        .filter(|((owner, _), _)| *owner == operator)
        .map(|((_, kind), held)| (kind, held))
        .collect()
}

/// Every kind of account with what was on it, what was moved and what is on it; a line for each unit that must be zero.
///
/// A debit takes from an account and a credit adds to it. What does not add up is noted: in a unit, between the balances;
/// in a kind, between its balances and its movements.
pub fn trial_balance(opening: &Books, turnover: &Turnover, closing: &Books, unit: &Unit) -> Table {
    let mut table = Table::new("trial-balance", TRIAL_BALANCE, Vec::new());
    let units = [None].into_iter().chain(Currency::ALL.map(Some));
    for currency in units {
        let money = |minor: i128| -> Cell {
            currency.map_or_else(|| Money::airtime(unit, minor), |currency| Money::cash(currency, minor)).into()
        };
        let row = |name: &str, accounts, sums: [i128; 4]| {
            let mut row = vec![unit_name(currency).into(), Cell::from(name), Cell::Count(accounts)];
            row.extend(sums.map(money));
            row
        };
        let (mut total, mut accounts) = ([0_i128; 4], 0);
        let mut used = false;
        for kind in kinds().filter(|kind| kind.0 == currency) {
            let (before, after) =
                (opening.get(&kind).copied().unwrap_or_default(), closing.get(&kind).copied().unwrap_or_default());
            let moved = turnover.of(kind);
            let sums = [before.balance, moved.debit, moved.credit, after.balance];
            // Currencies that nobody ever paid in have no lines.
            if currency.is_some() && after.accounts == 0 && sums == [0; 4] {
                continue;
            }
            used = true;
            let name = KINDS.get(kind.1).copied().unwrap_or_default();
            table.rows.push(row(name, after.accounts, sums));
            accounts += after.accounts;
            for (sum, one) in total.iter_mut().zip(sums) {
                *sum += one;
            }
            let moves_to = before.balance - moved.debit + moved.credit;
            if moves_to != after.balance {
                let unit = unit_name(currency);
                let balance = after.balance;
                table
                    .notes
                    .push(format!("{name} in {unit}: the movements lead to {moves_to}, the balances say {balance}"));
            }
        }
        if used {
            table.rows.push(row("all", accounts, total));
            if total[3] != 0 {
                let what = format!("the accounts in {} add up to {}, not to 0", unit_name(currency), total[3]);
                table.notes.push(what);
            }
        }
    }
    table
}

const LIABILITIES: &[Column] = &[
    Column::new("serial", Shape::Text),
    Column::new("state", Shape::Text),
    Column::new("balance", Shape::Money),
    Column::new("currency", Shape::Text),
    Column::new("price", Shape::Money),
    Column::new("value", Shape::Money),
    Column::new("pay-out", Shape::Money),
];

const TOTALS: &[Column] = &[
    Column::new("currency", Shape::Text),
    Column::new("cards", Shape::Count),
    Column::new("balance", Shape::Money),
    Column::new("price", Shape::Money),
    Column::new("value", Shape::Money),
    Column::new("pay-out", Shape::Money),
];

#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    cards: u64,
    balance: i128,
    price: i128,
    value: i128,
    pay_out: i128,
}

/// Every card with something on it: what it was bought for, and what would be paid out if it were void now; then the same
/// summed up by currency. Cards that were issued without a sale have no currency and nothing to pay out.
pub fn liabilities(state: &State, operator: OperatorId, unit: &Unit) -> (Table, Table) {
    let mut totals: BTreeMap<Option<Currency>, Owed> = BTreeMap::new();
    let cards = state.cards().filter(|(_, card)| card.facts.operator == operator && card.purse.balance_minor > 0);
    let rows = cards.map(|(id, card)| {
        let currency = card.bought.map(|bought| bought.currency);
        let pay_out = pay_out(card);
        let owed = totals.entry(currency).or_default();
        owed.cards += 1;
        owed.balance += i128::from(card.purse.balance_minor);
        owed.price += card.bought.map_or(0, |bought| i128::from(bought.price.minor()));
        owed.value += card.bought.map_or(0, |bought| i128::from(bought.value.minor()));
        owed.pay_out += i128::from(pay_out.unwrap_or(0));
        let cash = |minor: Option<i64>| currency.zip(minor).map(|(currency, minor)| Money::cash(currency, minor));
        vec![
            Serial::of(id).to_string().into(),
            card.facts.state.name().into(),
            Money::airtime(unit, card.purse.balance_minor).into(),
            currency.map(Currency::code).into(),
            cash(card.bought.map(|bought| bought.price.minor())).into(),
            card.bought.map(|bought| Money::airtime(unit, bought.value.minor())).into(),
            cash(pay_out).into(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let totals = totals.into_iter().map(|(currency, owed)| {
        let cash = |minor: i128| currency.map(|currency| Money::cash(currency, minor));
        vec![
            currency.map(Currency::code).into(),
            Cell::Count(owed.cards),
            Money::airtime(unit, owed.balance).into(),
            cash(owed.price).into(),
            currency.map(|_| Money::airtime(unit, owed.value)).into(),
            cash(owed.pay_out).into(),
        ]
    });
    let totals = Table::new("liabilities-totals", TOTALS, totals.collect());
    (Table::new("liabilities", LIABILITIES, rows), totals)
}

fn pay_out(card: &Card) -> Option<i64> {
    card.bought?.pay_out_minor(Amount::try_new(card.purse.balance_minor)?)
}
