//! The reports that are counted from a month's entries, as tables.

use domain::ids::OutletId;
use domain::rules::Rules;
use domain::state::State;

use super::table::{Cell, Column, Money, Shape, Table};
use super::tally::{BANDS, Tally};

const MONEY: &[Column] = &[
    Column::new("currency", Shape::Text),
    Column::new("outlet", Shape::Count),
    Column::new("outlet name", Shape::Text),
    Column::new("date", Shape::Date),
    Column::new("sales", Shape::Money),
    Column::new("refunds", Shape::Money),
    Column::new("pay-outs", Shape::Money),
    Column::new("adjusted", Shape::Money),
    Column::new("deposits", Shape::Money),
    Column::new("withdrawals", Shape::Money),
];

/// Money by currency, outlet and day. A pay-out leaves the operator's cash and no outlet's float: it has no outlet.
pub fn money(tally: &Tally, state: &State) -> Table {
    let name = |outlet: OutletId| state.outlet(outlet).map(|known| known.name.clone());
    let rows = tally.money.iter().map(|((currency, outlet, date), cash)| {
        let money = |minor: i128| Cell::from(Money::cash(*currency, minor));
        vec![
            currency.code().into(),
            outlet.map_or(Cell::None, |outlet| Cell::Count(u64::from(outlet.0))),
            outlet.and_then(name).into(),
            Cell::Date(*date),
            money(cash.sales),
            money(cash.refunds),
            money(cash.pay_outs),
            money(cash.adjusted),
            money(cash.deposits),
            money(cash.withdrawals),
        ]
    });
    Table::new("money", MONEY, rows.collect())
}

const GIFTS: &[Column] = &[
    Column::new("date", Shape::Date),
    Column::new("occasion", Shape::Text),
    Column::new("above", Shape::Money),
    Column::new("up to", Shape::Money),
    Column::new("gifts", Shape::Count),
    Column::new("amount", Shape::Money),
    Column::new("fees", Shape::Money),
    Column::new("taxes", Shape::Money),
];

/// Gifts by day, occasion and band of amounts.
pub fn gifts(tally: &Tally, rules: &Rules) -> Table {
    let unit = &rules.unit;
    let money = |minor: i128| Cell::from(Money::airtime(unit, minor));
    let end = |band: usize| BANDS.get(band).map(|end| money(i128::from(*end) * i128::from(unit.minor_per_unit())));
    let occasion = |number: u8| {
        let name = usize::from(number).checked_sub(1).and_then(|place| rules.standing.occasions.get(place));
        name.cloned().unwrap_or_else(|| number.to_string())
    };
    let rows = tally.gifts.iter().map(|((date, number, band), gifts)| {
        vec![
            Cell::Date(*date),
            number.map(occasion).into(),
            band.checked_sub(1).map_or_else(|| Some(money(0)), end).unwrap_or(Cell::None),
            end(*band).unwrap_or(Cell::None),
            Cell::Count(gifts.count),
            money(gifts.amount),
            money(gifts.fees),
            money(gifts.taxes),
        ]
    });
    Table::new("gifts", GIFTS, rows.collect())
}

const REFUSALS: &[Column] = &[
    Column::new("command", Shape::Text),
    Column::new("refusal", Shape::Text),
    Column::new("detail", Shape::Text),
    Column::new("count", Shape::Count),
];

/// Refusals by what was asked, reason, and the limit or the card's state where the reason has one.
pub fn refusals(tally: &Tally) -> Table {
    let rows = tally.refusals.iter().map(|((command, refusal, detail), count)| {
        vec![Cell::from(*command), Cell::from(*refusal), detail.cell(), Cell::Count(*count)]
    });
    Table::new("refusals", REFUSALS, rows.collect())
}

const BREAKAGE: &[Column] =
    &[Column::new("date", Shape::Date), Column::new("cards", Shape::Count), Column::new("breakage", Shape::Money)];

/// What expired unused, by day.
pub fn breakage(tally: &Tally, rules: &Rules) -> Table {
    let rows = tally.breakage.iter().map(|(date, (cards, minor))| {
        vec![Cell::Date(*date), Cell::Count(*cards), Money::airtime(&rules.unit, *minor).into()]
    });
    Table::new("breakage", BREAKAGE, rows.collect())
}
