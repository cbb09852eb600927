//! `sonmul batch`: cards from an order to the shelf of an outlet, and what the print shop does with its file.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Common, fact, number, serial, serial_number, wish};
use crate::admin::plain;
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::print;
use crate::progress::Progress;
use paper::press::{self, PressFault};

use super::super::block_on;

/// Serials that one command stocks.
const STOCK_MAX: u32 = 1_000;
/// Between two looks at an export.
const LOOK: Duration = Duration::from_millis(200);

/// See `sonmul batch --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Numbers and passwords are random and nobody sees them: they go into one file that only the printer's key opens, with
printable sheets. Cards exist when that file is on disk and sealed, and are worth nothing before their sale.

Example:
  sonmul batch key printer.key
  sonmul batch produce --operator koryolink --value 500 --count 100 --to age1…
  sonmul batch open sonmul-data/batches/1.age --key printer.key --into sheets
  sonmul batch stock 1 100 --outlet 1"
)]
pub(crate) struct BatchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Makes cards and their one encrypted file
    Produce(ProduceArgs),
    /// Tries to export a batch again; a sealed one refuses
    #[command(after_help = "Example:\n  sonmul batch export 1 --to age1…")]
    Export(ExportArgs),
    /// How far a batch is
    #[command(after_help = "Example:\n  sonmul batch show 1 --json")]
    Show(OneArgs),
    /// All batches
    #[command(after_help = "Example:\n  sonmul batch list")]
    List(Common),
    /// How many of its cards are in which state
    #[command(after_help = "Example:\n  sonmul batch map 1")]
    Map(OneArgs),
    /// Gives a batch up before it is sealed: its cards never exist
    #[command(after_help = "Example:\n  sonmul batch abandon 1")]
    Abandon(OneArgs),
    /// Brings cards to an outlet
    #[command(after_help = "Example:\n  sonmul batch stock 00000001 00000100 --outlet 1")]
    Stock(StockArgs),
    /// Makes a printer's key: its file for the printer, its recipient for `produce --to`
    #[command(after_help = "Example:\n  sonmul batch key printer.key")]
    Key(KeyArgs),
    /// Opens a file of cards with the printer's key
    #[command(after_help = "Example:\n  sonmul batch open 1.age --key printer.key --into sheets")]
    Open(OpenArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "The server goes on when this command is interrupted: `sonmul batch show` says how far it is.

Example:
  sonmul batch produce --operator koryolink --value 500 --count 100 --to age1…")]
struct ProduceArgs {
    /// Whose cards
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// What will be on each after its sale, whole minor units
    #[arg(long, value_name = "MINOR", value_parser = clap::value_parser!(i64).range(1..))]
    value: i64,
    /// How many
    #[arg(long)]
    count: u32,
    #[command(flatten)]
    printer: Printer,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Printer {
    /// The printer's age recipient: age1…
    #[arg(long = "to", value_name = "RECIPIENT")]
    recipient: String,
    /// A table only, no printable sheets
    #[arg(long)]
    no_sheets: bool,
}

#[derive(Debug, clap::Args)]
struct ExportArgs {
    /// Its number
    batch: u32,
    #[command(flatten)]
    printer: Printer,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// Its number
    batch: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct StockArgs {
    /// The first serial
    first: String,
    /// The last serial
    last: String,
    /// Where to
    #[arg(long)]
    outlet: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct KeyArgs {
    /// The file to make, for its owner's eyes only
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct OpenArgs {
    /// The file of cards
    file: PathBuf,
    /// The printer's key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where what is inside goes; without it that is only listed
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does it.
pub(crate) fn run(args: &BatchArgs) -> Outcome {
    match &args.what {
        What::Produce(args) => produce(args),
        What::Export(args) => export(args.batch, &args.printer, &args.common),
        What::Show(args) => {
            print::value(&view(&args.common, args.batch)?, args.common.json)?;
            Ok(Exit::Ok)
        }
        What::List(common) => common.list("batch"),
        What::Map(args) => map(args),
        What::Abandon(args) => {
            let said = |_: &Value| format!("batch {} is given up: its cards never exist", args.batch);
            args.common.ask(&wish("abandon-batch", json!({ "batch": args.batch })), said)
        }
        What::Stock(args) => stock(args),
        What::Key(args) => key(args),
        What::Open(args) => open(args),
    }
}

fn view(common: &Common, batch: u32) -> Outcome<Value> {
    common.get(&format!("/v1/batches/{batch}"))
}

fn produce(args: &ProduceArgs) -> Outcome {
    // Before anything is begun: a batch that nobody can export is only in the way.
    press::recipient(&args.printer.recipient).map_err(failed)?;
    let body = json!({ "operator": args.operator, "value_minor": args.value, "count": args.count });
    let begun = block_on(async { args.common.data.admin().post("/v1/batches", &body).await })?;
    if !begun.is_ok() && args.common.json {
        print::json(&begun.value)?;
        return Ok(begun.exit());
    }
    let batch = number(&begun.ok()?, "/done/batch");
    let batch = u32::try_from(batch).or_exit(Exit::Fault)?;
    export(batch, &args.printer, &args.common)
}

/// Begins an export and follows it to its end.
fn export(batch: u32, printer: &Printer, common: &Common) -> Outcome {
    let body = json!({ "recipient": printer.recipient, "sheets": !printer.no_sheets });
    let path = format!("/v1/batches/{batch}/export");
    let answer = block_on(async { common.data.admin().post(&path, &body).await })?;
    if !answer.is_ok() && common.json {
        print::json(&answer.value)?;
        return Ok(answer.exit());
    }
    let cards = number(&answer.ok()?, "/cards");
    let ended = followed(common, batch, cards)?;
    if ended.get("stage") != Some(&json!("sealed")) {
        let why = ended.pointer("/export/why").map_or_else(|| String::from("the server was stopped"), plain);
        return Err(Failure::new(Exit::Fault, format!("batch {batch} could not be made: {why}")));
    }
    if common.json {
        print::json(&ended)?;
        return Ok(Exit::Ok);
    }
    let of = |pointer: &str| ended.pointer(pointer).map(plain).unwrap_or_default();
    let file = common.data.dir().join(of("/export/file"));
    print::line(&format!("batch {batch} is sealed: {} cards, {}", of("/made"), runs(&ended)))?;
    print::line(&format!("{} for the printer, {} octets", file.display(), of("/export/octets")))?;
    print::line(&format!("BLAKE3 {}", of("/file_hash")))?;
    Ok(Exit::Ok)
}

/// Looks at an export until it ends, which it does on the server's side.
fn followed(common: &Common, batch: u32, cards: i64) -> Outcome<Value> {
    let mut progress = Progress::new("making cards", u64::try_from(cards).ok());
    loop {
        let now = view(common, batch)?;
        progress.set(number(&now, "/made").unsigned_abs());
        if now.pointer("/export/state") != Some(&json!("running")) {
            return Ok(now);
        }
        block_on(async {
            tokio::time::sleep(LOOK).await;
            Ok(())
        })?;
    }
}

/// `serials 00000001 to 00000100`.
fn runs(batch: &Value) -> String {
    let runs = batch.get("runs").and_then(Value::as_array).into_iter().flatten();
    let shown: Vec<String> = runs.filter_map(|run| ends(run).map(|(a, b)| format!("{a:08} to {b:08}"))).collect();
    format!("serials {}", shown.join(", "))
}

/// First and last serial of a run.
fn ends(run: &Value) -> Option<(u32, u32)> {
    let first: u32 = run.get("first")?.as_str()?.parse().ok()?;
    let count = u32::try_from(run.get("count")?.as_u64()?).ok()?;
    Some((first, first.checked_add(count)?.checked_sub(1)?))
}

fn map(args: &OneArgs) -> Outcome {
    let batch = view(&args.common, args.batch)?;
    let mut rows = Vec::new();
    for (first, last) in batch.get("runs").and_then(Value::as_array).into_iter().flatten().filter_map(ends) {
        for mut row in states(&args.common, first, last)? {
            if let Some(fields) = row.as_object_mut() {
                fields.insert(String::from("serials"), json!(format!("{first:08} to {last:08}")));
            }
            rows.push(row);
        }
    }
    print::value(&Value::Array(rows), args.common.json)?;
    Ok(Exit::Ok)
}

/// How many cards in a row are in which state.
pub(crate) fn states(common: &Common, first: u32, last: u32) -> Outcome<Vec<Value>> {
    let shown = common.get(&format!("/v1/card-states?first={first:08}&last={last:08}"))?;
    Ok(shown.as_array().cloned().unwrap_or_default())
}

fn stock(args: &StockArgs) -> Outcome {
    let (first, last) = (serial_number(&args.first)?, serial_number(&args.last)?);
    serial(&args.last)?;
    if last < first {
        return Err(Failure::new(Exit::Usage, "the last serial is not before the first one"));
    }
    let mut next = first;
    let mut count = 0;
    let mut progress = Progress::new("stocking cards", Some(u64::from(last - first) + 1));
    while next <= last {
        let end = next.saturating_add(STOCK_MAX - 1).min(last);
        let fields = json!({ "first": format!("{next:08}"), "last": format!("{end:08}"), "outlet": args.outlet });
        let admin = args.common.data.admin();
        let answer = block_on(async { admin.post("/v1/office", &wish("stock-cards", fields)).await })?;
        if args.common.json {
            print::json(&answer.value)?;
            if !answer.is_ok() {
                return Ok(answer.exit());
            }
        } else {
            let verdict = answer.ok()?;
            count += fact(&verdict, "count").parse::<u64>().unwrap_or_default();
        }
        progress.set(u64::from(end - first) + 1);
        let Some(after) = end.checked_add(1) else { break };
        next = after;
    }
    drop(progress);
    if !args.common.json {
        print::line(&format!("{count} cards are at outlet {}", args.outlet))?;
    }
    Ok(Exit::Ok)
}

fn key(args: &KeyArgs) -> Outcome {
    let made = press::new_key();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.file)
        .or_exit_with(Exit::Usage, || format!("{} can't be made", args.file.display()))?;
    file.write_all(made.secret.as_bytes())?;
    file.sync_all()?;
    if args.json {
        print::json(&json!({ "file": args.file, "recipient": made.recipient }))?;
    } else {
        print::line(&made.recipient)?;
        eprintln!("{} opens what is made for this recipient: it belongs to the printer", args.file.display());
    }
    Ok(Exit::Ok)
}

fn open(args: &OpenArgs) -> Outcome {
    let text = |path: &Path| std::fs::read_to_string(path).map(Zeroizing::new);
    let identity = text(&args.key).or_exit_with(Exit::Usage, || format!("{} can't be read", args.key.display()))?;
    let mut opened = press::open(&args.file, &identity).map_err(failed)?;
    let members: Vec<Value> =
        opened.members().iter().map(|member| json!({ "name": member.name, "octets": member.octets })).collect();
    if let Some(dir) = &args.into {
        opened.extract(dir).map_err(failed)?;
    }
    print::value(&Value::Array(members), args.json)?;
    Ok(Exit::Ok)
}

/// A fault of the press with its exit code.
pub(crate) fn failed(fault: PressFault) -> Failure {
    let exit = match &fault {
        PressFault::WrongKey => Exit::Refused,
        PressFault::Damaged(_) => Exit::Damaged,
        PressFault::Exists(_)
        | PressFault::Recipient
        | PressFault::Identity
        | PressFault::Label(_)
        | PressFault::Card { .. } => Exit::Usage,
        PressFault::NoRoom(_) | PressFault::Drawing(_) | PressFault::Io { .. } => Exit::Fault,
    };
    Failure::new(exit, format!("{}: {fault}", fault.name()))
}
