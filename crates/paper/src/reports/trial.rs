//! Proposed rules tried on a month's gifts: how many would have been refused, why, and what the others would have cost.
//!
//! See [`domain::decide::what_if`] for what is decided anew and what is taken as it was.

use std::collections::BTreeMap;

use domain::command::Body;
use domain::decide::what_if::WhatIf;
use domain::money::Amount;
use domain::refusal::Refusal;
use domain::rules::{Rules, Unit};
use domain::time::BusinessDate;
use domain::verdict::{Done, Outcome as Answer};

use super::fault::ReportFault;
use super::fold::{Journal, Progress};
use super::month::{self, Month, MonthEnd, Seen};
use super::table::{Cell, Column, Money, Shape, Table};
use super::tally::Detail;

/// Gifts of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Posted.
    pub gifts: u64,
    /// What recipients got.
    pub amount: i128,
    /// Those of them that would have been refused.
    pub refused: u64,
    /// What recipients would not have got.
    pub refused_amount: i128,
    /// Let through, for another fee than was paid.
    pub other_fee: u64,
    /// Fees and taxes of those let through, as they were paid.
    pub paid: i128,
    /// As they would be.
    pub proposed: i128,
}

impl Day {
    fn add(&mut self, other: &Self) {
        self.gifts += other.gifts;
        self.amount += other.amount;
        self.refused += other.refused;
        self.refused_amount += other.refused_amount;
        self.other_fee += other.other_fee;
        self.paid += other.paid;
        self.proposed += other.proposed;
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// What was counted, day by day.
    pub days: BTreeMap<BusinessDate, Day>,
    /// By reason and detail: how many, and how much.
    pub refusals: BTreeMap<(&'static str, Detail), (u64, i128)>,
}

impl Trial {
    /// Tries rules on the gifts of a month.
    ///
    /// # Errors
    /// [`ReportFault::TooManyLimits`], [`ReportFault::OtherUnit`], and those of [`month::fold`].
    pub fn of(
        journal: &Journal,
        progress: Progress<'_>,
        operator: &str,
        month: Month,
        rules: &Rules,
    ) -> Result<(Self, MonthEnd), ReportFault> {
        // The operator's row is known when its first entry comes; what windows need before the month is known now.
        let what_if = WhatIf::new(domain::ids::OperatorId(0), rules.clone()).ok_or(ReportFault::TooManyLimits)?;
        let lead_days = what_if.lead_days();
        let (mut trial, mut what_if) = (Self::default(), None);
        let end = month::fold(journal, progress, operator, month, lead_days, |seen| {
            if what_if.is_none() {
                what_if = WhatIf::new(seen.operator, rules.clone());
            }
            if let Some(what_if) = &mut what_if {
                trial.see(what_if, month, &seen);
            }
        })?;
        if end.rules()?.unit.minor_digits != rules.unit.minor_digits {
            return Err(ReportFault::OtherUnit);
        }
        Ok((trial, end))
    }

    fn see(&mut self, what_if: &mut WhatIf, month: Month, seen: &Seen<'_>) {
        let verdict = &seen.entry.verdict;
        let (Body::Gift(gift), Answer::Done(Done::Given { fee_minor, .. } | Done::Held { fee_minor, .. })) =
            (&seen.entry.body, &verdict.outcome)
        else {
            return;
        };
        let Some(decided) = what_if.gift(seen.state, seen.at, gift, &verdict.effects) else { return };
        if !month.holds(verdict.effects.date) {
            return;
        }
        let amount = i128::from(gift.amount.value().map_or(0, Amount::minor));
        let day = self.days.entry(verdict.effects.date).or_default();
        day.gifts += 1;
        day.amount += amount;
        match decided {
            Ok(charged) => {
                day.other_fee += u64::from(charged.total_minor() != *fee_minor);
                day.paid += i128::from(*fee_minor);
                day.proposed += i128::from(charged.total_minor());
            }
            Err(refusal) => {
                day.refused += 1;
                day.refused_amount += amount;
                self.refused(&refusal, amount);
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal, amount: i128) {
        let (count, sum) = self.refusals.entry((refusal.name(), Detail::of(refusal))).or_default();
        *count += 1;
        *sum += amount;
    }

    /// Of the whole month.
    pub fn total(&self) -> Day {
        let mut total = Day::default();
        self.days.values().for_each(|day| total.add(day));
        total
    }

    /// Why gifts would have been refused.
    pub fn refusals(&self, unit: &Unit) -> Table {
        let rows = self.refusals.iter().map(|((refusal, detail), (count, amount))| {
            vec![Cell::from(*refusal), detail.cell(), Cell::Count(*count), Money::airtime(unit, *amount).into()]
        });
        Table::new("refusals", REFUSALS, rows.collect())
    }

    /// The month day by day.
    pub fn days(&self, unit: &Unit) -> Table {
        let money = |minor: i128| Cell::from(Money::airtime(unit, minor));
        let rows = self.days.iter().map(|(date, day)| {
            vec![
                Cell::Date(*date),
                Cell::Count(day.gifts),
                money(day.amount),
                Cell::Count(day.refused),
                money(day.refused_amount),
                Cell::Count(day.other_fee),
                money(day.paid),
                money(day.proposed),
            ]
        });
        Table::new("days", DAYS, rows.collect())
    }
}

const REFUSALS: &[Column] = &[
    Column::new("refusal", Shape::Text),
    Column::new("detail", Shape::Text),
    Column::new("gifts", Shape::Count),
    Column::new("amount", Shape::Money),
];

const DAYS: &[Column] = &[
    Column::new("date", Shape::Date),
    Column::new("gifts", Shape::Count),
    Column::new("amount", Shape::Money),
    Column::new("refused", Shape::Count),
    Column::new("refused amount", Shape::Money),
    Column::new("other fee", Shape::Count),
    Column::new("fees paid", Shape::Money),
    Column::new("fees proposed", Shape::Money),
];
