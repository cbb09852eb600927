//! `sonmul report`: an operator's month as tables, files and charts, from the journal alone.
//!
//! Guarantees: the same journal gives the same report on every machine and on every day after the month; a trial balance
//! that is not zero says where, and the run ends with [`Exit::Damaged`].
//!
//! Deliberately not here: what is counted (see `paper::reports`), PDF.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use paper::reports::balances::{Books, books, liabilities, trial_balance};
use paper::reports::chart::{self, Chart};
use paper::reports::fault::ReportFault;
use paper::reports::fold::Journal;
use paper::reports::month::{self, Month, MonthEnd};
use paper::reports::table::Table;
use paper::reports::tally::Tally;
use paper::reports::{parquet, tables};
use serde_json::{Map, Value, json};
use store::DataDir;

use crate::beside::journal_of;
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::progress::Progress;
use crate::{faults, print};

use super::DataArg;

/// Lines of a table that a terminal is shown.
const LINES_MAX: usize = 60;

/// See `sonmul report --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Folds the journal once, up to the month's last entry, beside a running server or without one. A month's days are the
operator's own. Money in CSV, JSON and Parquet is in minor units. Ends with 4 when a trial balance is not zero.

Without --out everything goes to stdout; with it each report is a file, KIND being part of its name, as CSV unless
--format says otherwise. Charts (svg): gifts, money (one for each currency), refusals.

Example:
  sonmul report --operator koryolink --month 2026-11
  sonmul report liabilities --operator koryolink --month 2026-11 --format csv
  sonmul report all --operator koryolink --month 2026-11 --format parquet --out reports
  sonmul report gifts --operator koryolink --month 2026-11 --format svg > gifts.svg"
)]
pub(crate) struct ReportArgs {
    /// Which report
    #[arg(value_enum, default_value_t = Kind::All)]
    kind: Kind,
    /// Whose
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Which month of its calendar
    #[arg(long, value_name = "YYYY-MM")]
    month: Month,
    /// As what [default: table; csv with --out]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write a file for each report here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// All of them
    All,
    /// Every kind of account, by unit
    TrialBalance,
    /// What is owed to cards, and by currency
    Liabilities,
    /// Money by currency, outlet and day
    Money,
    /// Gifts by day, occasion and amount
    Gifts,
    /// Refusals by reason
    Refusals,
    /// What expired unused
    Breakage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    Csv,
    Parquet,
    /// Charts
    Svg,
    Json,
}

/// Folds, then writes.
pub(crate) fn run(args: &ReportArgs) -> Outcome {
    let format = args.format();
    args.possible(format)?;
    let dir = DataDir::open_shared(&args.data.dir()).map_err(faults::store)?;
    let (journal, _) = journal_of(&dir)?;
    let report = Report::of(&journal, &args.operator, args.month).map_err(faults::report)?;
    let written = Written { report: &report, args };
    match (format, &args.out) {
        (Format::Svg, out) => written.charts(out.as_deref())?,
        (Format::Table, None) => written.text()?,
        (Format::Json, None) => written.json()?,
        (Format::Csv | Format::Parquet, None) => written.stream(format)?,
        (_, Some(out)) => written.files(out, format)?,
    }
    let wrong = report.trial_balance().map_err(faults::report)?.notes;
    for note in &wrong {
        eprintln!("trial balance: {note}");
    }
    Ok(if wrong.is_empty() { Exit::Ok } else { Exit::Damaged })
}

impl ReportArgs {
    const fn format(&self) -> Format {
        match (self.format, &self.out) {
            (Some(format), _) => format,
            (None, _) if self.json => Format::Json,
            (None, Some(_)) => Format::Csv,
            (None, None) => Format::Table,
        }
    }

    /// Whether there is such a thing, before the journal is folded for it.
    fn possible(&self, format: Format) -> Outcome<()> {
        let no = |what: &str| Err(Failure::new(Exit::Usage, String::from(what)));
        let charts = matches!(self.kind, Kind::All | Kind::Gifts | Kind::Money | Kind::Refusals);
        let many = self.kind == Kind::All || (format == Format::Svg && self.kind == Kind::Money);
        match (format, &self.out) {
            (Format::Svg, _) if !charts => no("this report has no chart: gifts, money and refusals have"),
            (Format::Csv | Format::Parquet | Format::Svg, None) if many => {
                no("these are several files: say where to with --out DIR")
            }
            (Format::Parquet, None) if std::io::stdout().is_terminal() => {
                no("Parquet is not for a terminal: send it to a file, or use --out DIR")
            }
            _ => Ok(()),
        }
    }

    fn wants(&self, kind: Kind) -> bool {
        self.kind == Kind::All || self.kind == kind
    }
}

/// A month, counted.
struct Report {
    end: MonthEnd,
    tally: Tally,
    opening: Books,
    closing: Books,
}

impl Report {
    fn of(journal: &Journal, operator: &str, month: Month) -> Result<Self, ReportFault> {
        let (mut tally, mut opening) = (Tally::default(), None);
        let mut progress = Progress::new("folding", Some(journal.entries()));
        let end = month::fold(journal, &mut |done| progress.set(done), operator, month, 0, |seen| {
            opening.get_or_insert_with(|| books(seen.state, seen.operator));
            tally.see(&seen);
        })?;
        let closing = books(&end.state, end.operator);
        // In a month without an entry nothing moved.
        let opening = opening.unwrap_or_else(|| closing.clone());
        Ok(Self { end, tally, opening, closing })
    }

    fn trial_balance(&self) -> Result<Table, ReportFault> {
        let unit = &self.end.rules()?.unit;
        Ok(trial_balance(&self.opening, &self.tally.turnover, &self.closing, unit))
    }

    /// The tables that are asked for, in the order of kinds.
    fn tables(&self, args: &ReportArgs) -> Result<Vec<Table>, ReportFault> {
        let (rules, state) = (self.end.rules()?, &self.end.state);
        let mut tables = Vec::new();
        if args.wants(Kind::TrialBalance) {
            tables.push(self.trial_balance()?);
        }
        if args.wants(Kind::Liabilities) {
            let (cards, totals) = liabilities(state, self.end.operator, &rules.unit);
            tables.extend([cards, totals]);
        }
        if args.wants(Kind::Money) {
            tables.push(tables::money(&self.tally, state));
        }
        if args.wants(Kind::Gifts) {
            tables.push(tables::gifts(&self.tally, rules));
        }
        if args.wants(Kind::Refusals) {
            tables.push(tables::refusals(&self.tally));
        }
        if args.wants(Kind::Breakage) {
            tables.push(tables::breakage(&self.tally, rules));
        }
        Ok(tables)
    }

    fn charts(&self, args: &ReportArgs) -> Result<Vec<Chart>, ReportFault> {
        let (month, name) = (self.end.month, args.operator.as_str());
        let mut charts = Vec::new();
        if args.wants(Kind::Gifts) {
            charts.push(chart::gifts(&self.tally, month, name)?);
        }
        if args.wants(Kind::Money) {
            charts.extend(chart::money(&self.tally, month, name)?);
        }
        if args.wants(Kind::Refusals) {
            charts.push(chart::refusals(&self.tally, month, name)?);
        }
        Ok(charts)
    }
}

/// A report on its way out.
struct Written<'a> {
    report: &'a Report,
    args: &'a ReportArgs,
}

impl Written<'_> {
    fn text(&self) -> Outcome<()> {
        let end = &self.report.end;
        let over = if end.over { "" } else { "; the month is not over in the journal" };
        let (seq, at) = (end.state.seq(), end.state.at().rfc3339());
        print::line(&format!("{}, {}, as of entry {seq} at {at}{over}", self.args.operator, end.month))?;
        for table in self.report.tables(self.args).map_err(faults::report)? {
            print::line(&format!("\n{}", table.name))?;
            print::part(&table.text(LINES_MAX))?;
        }
        Ok(())
    }

    fn json(&self) -> Outcome<()> {
        let end = &self.report.end;
        let tables = self.report.tables(self.args).map_err(faults::report)?;
        let notes: Vec<&String> = tables.iter().flat_map(|table| &table.notes).collect();
        let reports: Map<String, Value> =
            tables.iter().map(|table| (table.name.replace('-', "_"), table.json())).collect();
        print::json(&json!({
            "operator": self.args.operator, "month": end.month.to_string(), "over": end.over,
            "seq": end.state.seq().0, "at": end.state.at().rfc3339(), "wrong": notes, "reports": reports,
        }))
    }

    /// The one report to stdout; of two tables the first, which has the rows.
    fn stream(&self, format: Format) -> Outcome<()> {
        let tables = self.report.tables(self.args).map_err(faults::report)?;
        let Some(table) = tables.first() else { return Ok(()) };
        let mut octets = Vec::new();
        write(table, format, &mut octets)?;
        Ok(std::io::stdout().lock().write_all(&octets)?)
    }

    fn files(&self, out: &Path, format: Format) -> Outcome<()> {
        for table in self.report.tables(self.args).map_err(faults::report)? {
            self.file(out, table.name, format.ending(), |file| write(&table, format, file))?;
        }
        Ok(())
    }

    fn charts(&self, out: Option<&Path>) -> Outcome<()> {
        for chart in self.report.charts(self.args).map_err(faults::report)? {
            match out {
                Some(out) => self.file(out, &chart.name, "svg", |file| Ok(file.write_all(chart.svg.as_bytes())?))?,
                None => print::line(&chart.svg)?,
            }
        }
        Ok(())
    }

    fn file(
        &self,
        out: &Path,
        kind: &str,
        ending: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> Outcome<()>,
    ) -> Outcome<()> {
        let path = out.join(format!("{}-{}-{kind}.{ending}", self.args.operator, self.report.end.month));
        let place = || format!("{}", path.display());
        std::fs::create_dir_all(out).or_exit_with(Exit::Usage, place)?;
        let mut file = BufWriter::new(File::create(&path).or_exit_with(Exit::Usage, place)?);
        write(&mut file)?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all())?;
        print::line(&path.display().to_string())
    }
}

impl Format {
    const fn ending(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Svg => "svg",
            Self::Json => "json",
        }
    }
}

fn write(table: &Table, format: Format, mut out: impl Write + Send) -> Outcome<()> {
    match format {
        Format::Csv => table.csv(out).map_err(faults::report),
        Format::Parquet => parquet::write(table, out).map_err(faults::report),
        Format::Json => Ok(writeln!(out, "{}", table.json())?),
        Format::Table => Ok(out.write_all(table.text(usize::MAX).as_bytes())?),
        Format::Svg => Err(Failure::new(Exit::Fault, "a table is no chart")),
    }
}
