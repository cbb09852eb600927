//! `sonmul what-if`: a month's gifts decided again under proposed rules.
//!
//! Guarantees: nothing is written and no server is asked; what was stays as it was.
//! Deliberately not here: what is decided anew (see `domain::decide::what_if`).

use std::path::PathBuf;

use domain::decide::what_if::always;
use domain::rules::Rules;
use paper::reports::month::Month;
use paper::reports::table::Money;
use paper::reports::trial::Trial;
use serde_json::json;
use store::DataDir;

use crate::beside::journal_of;
use crate::exit::{Exit, Failure, Outcome};
use crate::progress::Progress;
use crate::{faults, print};

use super::{DataArg, operator};

/// See `sonmul what-if --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Folds the journal up to the month's end and decides each gift that was posted in it again, under FILE's rules.
Usage of limits is counted from those gifts alone that these rules let through; windows of days begin as full as they
would have been. Balances, SIM changes and passwords are taken as they were; a gift on hold counts when it was taken.
Refusals a day, holds and undoing are left out, for they depend on what people do next; so are gifts that were refused.

FILE's periods hold on their dates. To try one that is to come, name it with --period: it is taken as if it had
always been in force.

Example:
  sonmul what-if --operator koryolink --month 2026-10 proposed.toml
  sonmul what-if --operator koryolink --month 2026-10 --period kp-2027-01 proposed.toml --json"
)]
pub(crate) struct WhatIfArgs {
    /// The proposed profile
    file: PathBuf,
    /// On whose gifts
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Which month of its calendar
    #[arg(long, value_name = "YYYY-MM")]
    month: Month,
    /// Only this period of FILE, whatever its dates
    #[arg(long, value_name = "NAME")]
    period: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Folds, decides, tells.
pub(crate) fn run(args: &WhatIfArgs) -> Outcome {
    let rules = args.rules()?;
    let dir = DataDir::open_shared(&args.data.dir()).map_err(faults::store)?;
    let (journal, _) = journal_of(&dir)?;
    let mut progress = Progress::new("folding", Some(journal.entries()));
    let tried = Trial::of(&journal, &mut |done| progress.set(done), &args.operator, args.month, &rules);
    let (trial, end) = tried.map_err(faults::report)?;
    drop(progress);
    let unit = &end.rules().map_err(faults::report)?.unit;
    let (refusals, days, total) = (trial.refusals(unit), trial.days(unit), trial.total());
    if args.json {
        let minor = |minor: i128| i64::try_from(minor).map_or_else(|_| json!(minor.to_string()), |minor| json!(minor));
        print::json(&json!({
            "operator": args.operator, "month": args.month.to_string(), "over": end.over, "period": args.period,
            "gifts": total.gifts, "amount_minor": minor(total.amount), "refused": total.refused,
            "refused_amount_minor": minor(total.refused_amount), "other_fee": total.other_fee,
            "fees_paid_minor": minor(total.paid), "fees_proposed_minor": minor(total.proposed),
            "refusals": refusals.json(), "days": days.json(),
        }))?;
        return Ok(Exit::Ok);
    }
    let money = |minor: i128| format!("{} {}", Money::airtime(unit, minor), unit_name(unit));
    let over = if end.over { "" } else { "; the month is not over in the journal" };
    print::line(&format!(
        "{}, {}: {} of {} gifts would have been refused, {} of {}{over}",
        args.operator,
        args.month,
        total.refused,
        total.gifts,
        money(total.refused_amount),
        money(total.amount),
    ))?;
    print::line(&format!(
        "{} others would have cost another fee: {} in all instead of {}",
        total.other_fee,
        money(total.proposed),
        money(total.paid),
    ))?;
    for table in [refusals, days].iter().filter(|table| !table.rows.is_empty()) {
        print::line(&format!("\n{}", table.name))?;
        print::part(&table.text(usize::MAX))?;
    }
    Ok(Exit::Ok)
}

/// What staff calls the unit: the last of its names, which is English where there is one.
fn unit_name(unit: &domain::rules::Unit) -> &str {
    unit.names.last().map_or("", String::as_str)
}

impl WhatIfArgs {
    fn rules(&self) -> Outcome<Rules> {
        let wrong = |what: String| Failure::new(Exit::Usage, format!("{}, {what}", self.file.display()));
        let text = operator::read(&self.file)?;
        let rules = domain::rules::parse::parse(&text).map_err(|error| wrong(error.to_string()))?;
        if rules.operator != self.operator {
            return Err(wrong(format!("it is a profile of {}, not of {}", rules.operator, self.operator)));
        }
        let Some(period) = &self.period else { return Ok(rules) };
        always(&rules, period).ok_or_else(|| {
            let known: Vec<&str> = rules.periods.iter().map(|period| period.name.as_str()).collect();
            wrong(format!("it has no period {period}; there are: {}", known.join(", ")))
        })
    }
}
