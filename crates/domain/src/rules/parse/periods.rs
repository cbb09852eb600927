//! Dated rules: periods, their fees and their limits.

use std::collections::BTreeMap;

use toml::Spanned;

use super::bounds::{DAYS_MAX, LIMITS_MAX, PERIODS_MAX};
use super::office::{hold_rule, period_tariff};
use super::raw::{Money, RawFee, RawFeeTier, RawLimit, RawPeriod, RawWindow};
use super::values::{amount, instant, minor, name, whole_number, whole_number_or};
use super::wrong::{Wrong, wrong, wrong_at};
use crate::ids::LimitId;
use crate::money::Amount;
use crate::rules::limit::{Kind, Limit, LimitName, Measure, Subject, WINDOW_DAYS_MAX, Window};
use crate::rules::tariff::{BASIS_POINTS, FEE_TIERS_MAX, FeeTier};
use crate::rules::{Fee, Period, Unit};
use crate::time::{Timestamp, Zone};

/// `refusals_per_day` where nothing is written: a person who needs more should call care.
const REFUSALS_PER_DAY: u16 = 20;

/// What every period needs to be read.
struct Context<'a> {
    unit: &'a Unit,
    zone: &'a Zone,
    /// A limit that every open period has.
    everywhere: Option<&'a Limit>,
}

/// Public name of the count of gifts that one number receives.
const RECIPIENT_GIFTS: &str = "recipient-gifts-per-day";
/// Most gifts a day that a rule may let a number receive.
const RECIPIENT_GIFTS_MAX: i64 = 1_000_000;

/// So many gifts to one number in a business day, so that nobody is flooded with tiny ones: a limit of every open period.
pub(super) fn recipient_gifts(raw: Option<&Spanned<i64>>) -> Result<Option<Limit>, Wrong> {
    let Some(raw) = raw else { return Ok(None) };
    Ok(Some(Limit {
        id: LimitId::default(),
        name: LimitName::new(RECIPIENT_GIFTS),
        kind: Kind::Gift,
        subject: Subject::Recipient,
        measure: Measure::Count,
        ceiling: whole_number(raw, 1, RECIPIENT_GIFTS_MAX)?,
        window: Window::BusinessDay,
        from: Timestamp::MIN,
        until: Timestamp::MAX,
    }))
}

/// All periods: in order, each ending where the next begins, the last one open.
pub(super) fn periods(
    raw: &Spanned<Vec<Spanned<RawPeriod>>>,
    unit: &Unit,
    zone: &Zone,
    everywhere: Option<&Limit>,
) -> Result<Vec<Period>, Wrong> {
    let context = Context { unit, zone, everywhere };
    let list = raw.get_ref();
    if list.is_empty() || list.len() > PERIODS_MAX {
        return Err(wrong(raw, format!("write 1 to {PERIODS_MAX} periods")));
    }
    let begins = begins(list, zone)?;
    let mut periods: Vec<Period> = Vec::with_capacity(list.len());
    let mut shapes = BTreeMap::new();
    for (index, (period, from)) in list.iter().zip(&begins).enumerate() {
        let until = end(period.get_ref(), *from, begins.get(index + 1).copied(), zone)?;
        let read = context.period(period, *from, until)?;
        if periods.iter().any(|other| other.name == read.name) {
            return Err(wrong(&period.get_ref().name, "another period has this name: give this one its own"));
        }
        for (limit, raw) in read.limits.iter().zip(&period.get_ref().limit) {
            let shape = (limit.kind, limit.subject, limit.window);
            if *shapes.entry(limit.name.clone()).or_insert(shape) != shape {
                let why = "another limit of this name has another kind, subject or window: rename one of them";
                return Err(wrong(&raw.get_ref().name, why));
            }
        }
        periods.push(read);
    }
    Ok(periods)
}

/// Where each period begins: in ascending order.
fn begins(list: &[Spanned<RawPeriod>], zone: &Zone) -> Result<Vec<Timestamp>, Wrong> {
    let mut begins: Vec<Timestamp> = Vec::with_capacity(list.len());
    for period in list {
        let from = instant(&period.get_ref().from, zone)?;
        if begins.last().is_some_and(|before| from <= *before) {
            let why = "this period does not begin after the one above it: put periods in order of `from`";
            return Err(wrong(&period.get_ref().from, why));
        }
        begins.push(from);
    }
    Ok(begins)
}

/// Where a period ends. `next` is where the following one begins; the last has none and is open.
fn end(raw: &RawPeriod, from: Timestamp, next: Option<Timestamp>, zone: &Zone) -> Result<Timestamp, Wrong> {
    let Some(written) = &raw.until else { return Ok(next.unwrap_or(Timestamp::MAX)) };
    let until = instant(written, zone)?;
    match next {
        None => Err(wrong(
            written,
            "the last period has no end: remove `until`, or add a period that follows (closed = true)",
        )),
        Some(_) if until <= from => Err(wrong(written, "this period ends before it begins")),
        Some(next) if until < next => {
            Err(wrong(written, "a gap: the next period begins later; remove `until`, or add a period between them"))
        }
        Some(next) if next < until => Err(wrong(
            written,
            "an overlap: the next period begins earlier; remove `until`, or let that one begin here",
        )),
        Some(next) => Ok(next),
    }
}

impl Context<'_> {
    fn period(&self, spanned: &Spanned<RawPeriod>, from: Timestamp, until: Timestamp) -> Result<Period, Wrong> {
        let raw = spanned.get_ref();
        let (amount_min, amount_max, amount_step) = self.amounts(spanned)?;
        if raw.limit.len() > LIMITS_MAX {
            return Err(wrong(&raw.name, format!("a period has at most {LIMITS_MAX} limits")));
        }
        let mut limits: Vec<Limit> = Vec::with_capacity(raw.limit.len());
        for raw in &raw.limit {
            let limit = self.limit(raw.get_ref(), from, until)?;
            if limits.iter().any(|other| other.name == limit.name && other.from == limit.from) {
                let why = "this period has another limit of this name and beginning: give each its own name";
                return Err(wrong(&raw.get_ref().name, why));
            }
            limits.push(limit);
        }
        limits.extend(self.everywhere.filter(|_| !raw.closed).cloned());
        let days_max = i64::from(DAYS_MAX);
        let residual_min_minor = raw.residual_min.as_ref().map_or(Ok(0), |raw| minor(raw, self.unit))?;
        let recipient_balance_max = raw.recipient_balance_max.as_ref().map(|raw| amount(raw, self.unit)).transpose()?;
        Ok(Period {
            name: name(&raw.name)?,
            from,
            until,
            closed: raw.closed,
            cards_void: raw.cards_void,
            amount_min,
            amount_max,
            amount_step,
            residual_min_minor,
            recipient_balance_max,
            age_days_min: whole_number_or(raw.age_days_min.as_ref(), 0, 0, days_max)?,
            refusals_per_day: whole_number_or(raw.refusals_per_day.as_ref(), REFUSALS_PER_DAY, 0, i64::from(u16::MAX))?,
            gift_fee: self.fee(raw.gift_fee.as_ref())?,
            top_up_fee: self.fee(raw.top_up_fee.as_ref())?,
            limits,
            hold: raw.hold.as_ref().map(hold_rule).transpose()?.flatten(),
            tariff: raw.tariff.as_ref().map(|raw| period_tariff(raw, self.unit)).transpose()?,
        })
    }

    /// Smallest and largest amount and the step between amounts.
    fn amounts(&self, spanned: &Spanned<RawPeriod>) -> Result<(Amount, Amount, Amount), Wrong> {
        let raw = spanned.get_ref();
        let read = |raw: &Option<Spanned<_>>| raw.as_ref().map(|raw| amount(raw, self.unit)).transpose();
        let whole_unit = Amount::try_new(self.unit.minor_per_unit());
        let need = |what: &str| wrong(&raw.name, format!("this period needs `{what}`, or closed = true"));
        let step = read(&raw.amount_step)?.or(whole_unit).ok_or_else(|| need("amount_step"))?;
        let min = read(&raw.amount_min)?.unwrap_or(step);
        let written_max = read(&raw.amount_max)?;
        let max = written_max.or(raw.closed.then_some(min)).ok_or_else(|| need("amount_max"))?;
        let at = raw.amount_max.as_ref().or(raw.amount_min.as_ref());
        let fail =
            |at: Option<&Spanned<_>>, what: &str| Err(at.map_or_else(|| wrong(&raw.name, what), |at| wrong(at, what)));
        if max < min {
            return fail(at, "`amount_max` is less than `amount_min`: exchange or correct them");
        }
        let off_step = |amount: Amount| amount.minor() % step.minor() != 0;
        if off_step(min) {
            return fail(raw.amount_min.as_ref(), "`amount_min` is no multiple of `amount_step`");
        }
        if off_step(max) {
            return fail(raw.amount_max.as_ref(), "`amount_max` is no multiple of `amount_step`");
        }
        Ok((min, max, step))
    }

    fn fee(&self, raw: Option<&Spanned<RawFee>>) -> Result<Fee, Wrong> {
        let Some(spanned) = raw else { return Ok(Fee::free()) };
        let raw = spanned.get_ref();
        let tax_basis_points = basis_points(raw.tax_basis_points.as_ref())?;
        let tiers = match &raw.tiers {
            Some(tiers) if raw.flat.is_some() || raw.basis_points.is_some() => {
                return Err(wrong(
                    tiers,
                    "a fee with tiers has `flat` and `basis_points` in each tier, not beside them",
                ));
            }
            Some(tiers) => self.fee_tiers(tiers)?,
            None => {
                let flat_minor = raw.flat.as_ref().map_or(Ok(0), |flat| minor(flat, self.unit))?;
                vec![FeeTier { up_to: None, flat_minor, basis_points: basis_points(raw.basis_points.as_ref())? }]
            }
        };
        if tiers.iter().all(|tier| tier.flat_minor == 0 && tier.basis_points == 0) {
            return Err(wrong(spanned, "this fee is always 0: leave it out where a gift is free"));
        }
        Ok(Fee { tiers, tax_basis_points })
    }

    fn fee_tiers(&self, raw: &Spanned<Vec<Spanned<RawFeeTier>>>) -> Result<Vec<FeeTier>, Wrong> {
        let list = raw.get_ref();
        if list.is_empty() || list.len() > FEE_TIERS_MAX {
            return Err(wrong(raw, format!("write 1 to {FEE_TIERS_MAX} tiers")));
        }
        let mut tiers: Vec<FeeTier> = Vec::with_capacity(list.len());
        for (index, spanned) in list.iter().enumerate() {
            let tier = spanned.get_ref();
            let up_to = tier.up_to.as_ref().map(|raw| amount(raw, self.unit)).transpose()?;
            let last = index + 1 == list.len();
            if last && up_to.is_some() {
                return Err(wrong(spanned, "the last tier holds for all larger amounts: remove its `up_to`"));
            }
            if !last && up_to.is_none() {
                return Err(wrong(spanned, "only the last tier is without `up_to`: add it here"));
            }
            if !last && tiers.last().is_some_and(|before| before.up_to >= up_to) {
                return Err(wrong(spanned, "tiers stand in ascending order of `up_to`: move this one"));
            }
            let flat_minor = tier.flat.as_ref().map_or(Ok(0), |flat| minor(flat, self.unit))?;
            tiers.push(FeeTier { up_to, flat_minor, basis_points: basis_points(tier.basis_points.as_ref())? });
        }
        Ok(tiers)
    }

    fn limit(&self, raw: &RawLimit, period_from: Timestamp, period_until: Timestamp) -> Result<Limit, Wrong> {
        let from = raw.from.as_ref().map_or(Ok(period_from), |from| instant(from, self.zone))?;
        let until = raw.until.as_ref().map_or(Ok(period_until), |until| instant(until, self.zone))?;
        let dated = raw.until.as_ref().or(raw.from.as_ref()).map_or(raw.name.span(), Spanned::span);
        if until <= from {
            return Err(wrong_at(&dated, "this limit ends before it begins"));
        }
        if period_until <= from || until <= period_from {
            return Err(wrong_at(&dated, "this limit never holds within its period: correct its dates or move it"));
        }
        let (kind, subject, measure) = (raw.kind.into(), (*raw.subject.get_ref()).into(), raw.measure.into());
        if kind == Kind::TopUp && matches!(subject, Subject::Recipient | Subject::Pair) {
            return Err(wrong(
                &raw.subject,
                "nobody but the sender takes part in a top-up: write \"sender\" or \"card\"",
            ));
        }
        let window = match *raw.window.get_ref() {
            RawWindow::BusinessDay => Window::BusinessDay,
            RawWindow::CalendarMonth => Window::CalendarMonth,
            RawWindow::Days(days) => {
                let days = Spanned::new(raw.window.span(), days);
                Window::Days(whole_number(&days, 1, i64::from(WINDOW_DAYS_MAX))?)
            }
        };
        let ceiling = match measure {
            Measure::Count => raw.ceiling_count()?,
            Measure::Total => amount(&raw.ceiling, self.unit)?.minor(),
        };
        let name = LimitName::new(&name(&raw.name)?);
        Ok(Limit { id: LimitId::default(), name, kind, subject, measure, ceiling, window, from, until })
    }
}

impl RawLimit {
    /// A ceiling that counts.
    fn ceiling_count(&self) -> Result<i64, Wrong> {
        match self.ceiling.get_ref() {
            Money::Units(count) if *count >= 1 => Ok(*count),
            _ => Err(wrong(&self.ceiling, "a count's ceiling is a whole number from 1; closed = true forbids gifts")),
        }
    }
}

fn basis_points(raw: Option<&Spanned<i64>>) -> Result<u32, Wrong> {
    whole_number_or(raw, 0, 0, i64::from(BASIS_POINTS))
}
