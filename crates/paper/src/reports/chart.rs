//! Charts as SVG: whole numbers on whole coordinates, text as text, so that no font of this machine is looked for.
//!
//! Guarantees: every bar has its number beside it. Deliberately not here: what is counted (see [`super::tally`]).

use std::collections::BTreeMap;
use std::fmt::Display;

use domain::currency::Currency;
use domain::time::BusinessDate;
use plotters::coord::Shift;
use plotters::prelude::{
    ChartBuilder, Color, DrawingArea, EmptyElement, IntoDrawingArea, IntoFont, IntoSegmentedCoord, RGBColor, Rectangle,
    SVGBackend, SegmentValue, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, TextStyle};

use super::fault::ReportFault;
use super::month::Month;
use super::table::Money;
use super::tally::Tally;

/// Size of a chart of days, pixels.
const DAYS_SIZE: (u32, u32) = (1_080, 420);
/// Width of a chart of reasons, and how high one of them is.
const REASONS_WIDTH: u32 = 900;
const REASON_HEIGHT: u32 = 26;
/// Longest bar: what steps of an axis are worked out from without leaving `i64`.
const BAR_MAX: i64 = 1_000_000_000_000_000;
const CAME: RGBColor = RGBColor(38, 103, 164);
const WENT: RGBColor = RGBColor(196, 88, 48);
const INK: RGBColor = RGBColor(40, 40, 40);
const FONT: &str = "sans-serif";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A chart and the end of its file's name.
pub struct Chart {
    /// Its kind, as it stands in a file's name.
    pub name: String,
    /// The drawing.
    pub svg: String,
}

/// What drawing can't do.
fn undrawn(error: impl Display) -> ReportFault {
    ReportFault::Chart(error.to_string())
}

/// Bars of one day: what is shown upwards, each with its number.
#[derive(Clone, Debug, Default)]
struct Bars {
    came: i64,
    went: i64,
}

/// How many gifts there were each day.
pub fn gifts(tally: &Tally, month: Month, operator: &str) -> Result<Chart, ReportFault> {
    let mut days: BTreeMap<BusinessDate, Bars> = BTreeMap::new();
    for ((date, ..), gifts) in &tally.gifts {
        days.entry(*date).or_default().came += bar(i128::from(gifts.count))?;
    }
    let title = format!("{operator}: gifts per day, {month}");
    let svg = chart_of_days(&title, month, &days, &|count| Money { minor: i128::from(count), digits: 0 }.to_string())?;
    Ok(Chart { name: String::from("gifts"), svg })
}

/// For each currency what was taken on each day, and what was given back.
pub fn money(tally: &Tally, month: Month, operator: &str) -> Result<Vec<Chart>, ReportFault> {
    let mut currencies: BTreeMap<Currency, BTreeMap<BusinessDate, Bars>> = BTreeMap::new();
    for ((currency, _, date), cash) in &tally.money {
        let bars = currencies.entry(*currency).or_default().entry(*date).or_default();
        bars.came += bar(cash.sales)?;
        bars.went += bar(cash.refunds + cash.pay_outs)?;
    }
    let charts = currencies.into_iter().map(|(currency, days)| {
        let code = currency.code();
        let title = format!("{operator}: {code} per day, {month} (sales; refunds and pay-outs)");
        let shown = |minor| Money::cash(currency, minor).to_string();
        let svg = chart_of_days(&title, month, &days, &shown)?;
        Ok(Chart { name: format!("money-{}", code.to_lowercase()), svg })
    });
    charts.collect()
}

/// How often each reason was said.
pub fn refusals(tally: &Tally, month: Month, operator: &str) -> Result<Chart, ReportFault> {
    let mut reasons: BTreeMap<&str, i64> = BTreeMap::new();
    for ((_, refusal, _), count) in &tally.refusals {
        *reasons.entry(refusal).or_default() += bar(i128::from(*count))?;
    }
    let mut reasons: Vec<(&str, i64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)));
    let title = format!("{operator}: refusals by reason, {month}");
    Ok(Chart { name: String::from("refusals"), svg: chart_of_reasons(&title, &reasons)? })
}

/// A bar's length. What no chart shows is a fault rather than a shorter bar.
fn bar(value: i128) -> Result<i64, ReportFault> {
    i64::try_from(value).ok().filter(|value| *value <= BAR_MAX).ok_or_else(|| undrawn("a bar is too long"))
}

/// Where an axis ends: a tenth above the longest bar.
fn axis_end(longest: i64) -> i64 {
    longest.saturating_add(longest / 10).saturating_add(1)
}

fn style(size: i32, pos: Pos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK).pos(pos)
}

fn chart_of_days(
    title: &str,
    month: Month,
    days: &BTreeMap<BusinessDate, Bars>,
    shown: &dyn Fn(i64) -> String,
) -> Result<String, ReportFault> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, DAYS_SIZE).into_drawing_area();
    draw_days(&area, title, month, days, shown)?;
    area.present().map_err(undrawn)?;
    drop(area);
    Ok(svg)
}

fn draw_days(
    area: &Area<'_>,
    title: &str,
    month: Month,
    days: &BTreeMap<BusinessDate, Bars>,
    shown: &dyn Fn(i64) -> String,
) -> Result<(), ReportFault> {
    area.fill(&WHITE).map_err(undrawn)?;
    let longest = days.values().map(|bars| bars.came.max(bars.went)).max().unwrap_or(0);
    let last = i32::try_from(month.days().count()).map_err(undrawn)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 18).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(96)
        .build_cartesian_2d((1..last).into_segmented(), 0..axis_end(longest))
        .map_err(undrawn)?;
    let day_of = |day: &SegmentValue<i32>| match day {
        SegmentValue::Exact(day) | SegmentValue::CenterOf(day) => day.to_string(),
        SegmentValue::Last => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(usize::try_from(last).map_err(undrawn)?)
        .x_label_formatter(&day_of)
        .y_label_formatter(&|value| shown(*value))
        .label_style(style(11, Pos::new(HPos::Center, VPos::Center)))
        .draw()
        .map_err(undrawn)?;
    let number = style(10, Pos::new(HPos::Left, VPos::Center)).transform(FontTransform::Rotate270);
    for (date, bars) in days {
        let day = date.days() - month.first().days() + 1;
        let both = bars.went > 0;
        for (value, color, margin, shift) in [
            (bars.came, CAME, if both { (2, 14) } else { (4, 4) }, if both { -8 } else { 0 }),
            (bars.went, WENT, (18, 2), 8),
        ] {
            if value == 0 {
                continue;
            }
            let next = if day == last { SegmentValue::Last } else { SegmentValue::Exact(day + 1) };
            let mut shape = Rectangle::new([(SegmentValue::Exact(day), 0), (next, value)], color.filled());
            shape.set_margin(0, 0, margin.0, margin.1);
            let label = EmptyElement::at((SegmentValue::CenterOf(day), value))
                + Text::new(shown(value), (shift, -4), number.clone());
            chart.draw_series([shape]).map_err(undrawn)?;
            chart.draw_series([label]).map_err(undrawn)?;
        }
    }
    Ok(())
}

fn chart_of_reasons(title: &str, reasons: &[(&str, i64)]) -> Result<String, ReportFault> {
    let mut svg = String::new();
    let rows = u32::try_from(reasons.len()).map_err(undrawn)?.max(1);
    let area = SVGBackend::with_string(&mut svg, (REASONS_WIDTH, 110 + rows * REASON_HEIGHT)).into_drawing_area();
    draw_reasons(&area, title, reasons)?;
    area.present().map_err(undrawn)?;
    drop(area);
    Ok(svg)
}

fn draw_reasons(area: &Area<'_>, title: &str, reasons: &[(&str, i64)]) -> Result<(), ReportFault> {
    area.fill(&WHITE).map_err(undrawn)?;
    let longest = reasons.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let rows = i32::try_from(reasons.len()).map_err(undrawn)?.max(1);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 18).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(200)
        // Two steps a reason, so that its middle is one: an axis of segments has no height with one reason.
        .build_cartesian_2d(0..axis_end(longest), 0..rows * 2)
        .map_err(undrawn)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(1)
        .y_label_formatter(&|_| String::new())
        .label_style(style(12, Pos::new(HPos::Center, VPos::Center)))
        .draw()
        .map_err(undrawn)?;
    for (row, (name, count)) in (0..rows).zip(reasons) {
        let (low, middle, high) = (row * 2, row * 2 + 1, row * 2 + 2);
        let mut shape = Rectangle::new([(0, low), (*count, high)], CAME.filled());
        shape.set_margin(3, 3, 0, 0);
        let label = EmptyElement::at((*count, middle))
            + Text::new(count.to_string(), (6, 0), style(12, Pos::new(HPos::Left, VPos::Center)));
        // Every reason has its name: an axis would leave some out where it finds them too close.
        let reason = EmptyElement::at((0, middle))
            + Text::new(String::from(*name), (-8, 0), style(12, Pos::new(HPos::Right, VPos::Center)));
        chart.draw_series([shape]).map_err(undrawn)?;
        chart.draw_series([label]).map_err(undrawn)?;
        chart.draw_series([reason]).map_err(undrawn)?;
    }
    Ok(())
}
