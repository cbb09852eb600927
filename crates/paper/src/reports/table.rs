//! A report as rows of typed cells, whatever it becomes: text, CSV, JSON, Parquet.
//!
//! Guarantees: money is whole minor units for programs (`…_minor`) and decimals for people; nothing is rounded.
//! Deliberately not here: charts (see [`super::chart`]), Parquet (see [`super::parquet`]).

use std::io::Write;

use comfy_table::{CellAlignment, presets};
use domain::currency::Currency;
use domain::rules::Unit;
use domain::time::BusinessDate;
use serde_json::{Map, Value, json};

use super::fault::ReportFault;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Words.
    Text,
    /// A business date.
    Date,
    /// How many.
    Count,
    /// Minor units.
    Money,
}

/// A column: its name for people.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// For people.
    pub name: &'static str,
    /// What is in it.
    pub shape: Shape,
}

impl Column {
    /// A column of that name.
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape }
    }

    /// Its name for programs, which are told what is in minor units.
    pub fn key(&self) -> String {
        let name = self.name.replace([' ', '-'], "_");
        if self.shape == Shape::Money { format!("{name}_minor") } else { name }
    }
}

/// So much of some unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Minor units.
    pub minor: i128,
    /// Decimal digits of the minor unit.
    pub digits: u8,
}

impl Money {
    /// Of an operator's airtime.
    pub fn airtime(unit: &Unit, minor: impl Into<i128>) -> Self {
        Self { minor: minor.into(), digits: unit.minor_digits }
    }

    /// Of a currency.
    pub fn cash(currency: Currency, minor: impl Into<i128>) -> Self {
        Self { minor: minor.into(), digits: currency.minor_digits() }
    }
}

/// `1,234.50`.
impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = 10_u128.pow(u32::from(self.digits));
        let (whole, rest) = (self.minor.unsigned_abs() / scale, self.minor.unsigned_abs() % scale);
        let sign = if self.minor < 0 { "-" } else { "" };
        let whole = grouped(whole);
        let text = match self.digits {
            0 => format!("{sign}{whole}"),
            digits => format!("{sign}{whole}.{rest:0width$}", width = usize::from(digits)),
        };
        f.pad_integral(true, "", &text)
    }
}

/// In groups of three.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One value; a column without one has [`Cell::None`] there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is none.
    None,
    /// Words.
    Text(String),
    /// A business date.
    Date(BusinessDate),
    /// How many.
    Count(u64),
    /// So much of some unit.
    Money(Money),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(String::from(text))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Money> for Cell {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl Cell {
    /// For people.
    fn shown(&self) -> String {
        match self {
            Self::None => String::from("-"),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_string(),
            Self::Count(count) => grouped(u128::from(*count)),
            Self::Money(money) => money.to_string(),
        }
    }

    /// For programs; empty when there is none.
    fn plain(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Money(money) => money.minor.to_string(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Count(count) => json!(count),
            // What no program's integer holds is told as text, not as another number.
            Self::Money(money) => {
                i64::try_from(money.minor).map_or_else(|_| json!(money.minor.to_string()), Value::from)
            }
            Self::Text(_) | Self::Date(_) => json!(self.plain()),
        }
    }
}

/// A report's rows.
#[derive(Clone, Debug)]
pub struct Table {
    /// Public name, also of its file.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What does not agree in it.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without notes.
    pub const fn new(name: &'static str, columns: &'static [Column], rows: Vec<Vec<Cell>>) -> Self {
        Self { name, columns, rows, notes: Vec::new() }
    }

    /// For a terminal, at most so many rows of it.
    pub fn text(&self, rows_max: usize) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(self.columns.iter().map(|column| column.name));
        for row in self.rows.iter().take(rows_max) {
            table.add_row(row.iter().map(Cell::shown));
        }
        for (shown, column) in table.column_iter_mut().zip(self.columns) {
            shown.set_padding((0, 2));
            if matches!(column.shape, Shape::Count | Shape::Money) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        let more = self.rows.len().saturating_sub(rows_max);
        if more > 0 {
            text += &format!("… and {} more: --format csv has all of them\n", grouped(more as u128));
        }
        if self.rows.is_empty() {
            text += "none\n";
        }
        for note in &self.notes {
            text += &format!("! {note}\n");
        }
        text
    }

    /// With a head.
    pub fn csv(&self, out: impl Write) -> Result<(), ReportFault> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.columns.iter().map(Column::key))?;
        for row in &self.rows {
            csv.write_record(row.iter().map(Cell::plain))?;
        }
        Ok(csv.flush()?)
    }

    /// A list of objects.
    pub fn json(&self) -> Value {
        let keys: Vec<String> = self.columns.iter().map(Column::key).collect();
        let object = |row: &Vec<Cell>| keys.iter().cloned().zip(row.iter().map(Cell::json)).collect::<Map<_, _>>();
        self.rows.iter().map(|row| Value::Object(object(row))).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::time::BusinessDate;

    use super::{Cell, Column, Money, Shape, Table};

    const COLUMNS: &[Column] = &[
        Column::new("date", Shape::Date),
        Column::new("what", Shape::Text),
        Column::new("how many", Shape::Count),
        Column::new("sum", Shape::Money),
    ];

    fn table() -> Table {
        let money = |minor, digits| Cell::from(Money { minor, digits });
        let rows = vec![
            vec![Cell::Date(BusinessDate::from_days(20_000)), "선물, a gift".into(), Cell::Count(1_234), money(-5, 2)],
            vec![Cell::None, Cell::None, Cell::None, money(1_234_567_890, 2)],
            vec![Cell::None, "whole".into(), Cell::Count(0), money(i128::from(i64::MAX) + 1, 0)],
        ];
        Table::new("test", COLUMNS, rows)
    }

    #[test]
    fn people_read_decimals() {
        let shown = table().text(2);
        assert_eq!(
            shown,
            "date        what          how many            sum\n\
             2024-10-04  선물, a gift     1,234          -0.05\n\
             -           -                    -  12,345,678.90\n\
             … and 1 more: --format csv has all of them\n"
        );
    }

    #[test]
    fn programs_read_minor_units() {
        let mut csv = Vec::new();
        table().csv(&mut csv).expect("written");
        let mut reader = csv::Reader::from_reader(csv.as_slice());
        assert_eq!(reader.headers().expect("a head"), &["date", "what", "how_many", "sum_minor"][..]);
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows[0], vec!["2024-10-04", "선물, a gift", "1234", "-5"]);
        assert_eq!(rows[1], vec!["", "", "", "1234567890"]);
        let json = table().json();
        assert_eq!(json[0]["sum_minor"], -5);
        assert_eq!(json[2]["sum_minor"], "9223372036854775808", "no integer of a program holds it");
    }
}
