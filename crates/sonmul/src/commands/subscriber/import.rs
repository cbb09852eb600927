//! `sonmul subscriber import`: a CSV file becomes commands of at most [`CHUNK`] subscribers each.
//!
//! Guarantees: a line that does not parse is named, and then nothing at all is imported (unless `--skip-bad` says so). A
//! run that broke off is simply repeated: known subscribers are left as they are, and airtime is given to new ones only.
//!
//! Bounded by: [`CHUNK`], [`LINES_MAX`], [`BAD_SHOWN`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use domain::ids::Language;
use domain::number::Imsi;
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::admin::{Admin, Answer};
use crate::commands::{DataArg, block_on};
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::print;
use crate::progress::Progress;

/// Subscribers of one command: no command touches more accounts (the operator's position is one of them).
const CHUNK: usize = 999;
/// Lines of one file. Split larger ones.
const LINES_MAX: usize = 20_000_000;
/// Bad lines that are told one by one.
const BAD_SHOWN: usize = 20;
/// Fewest and most digits of a number as people write it.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=20;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first line names the columns: msisdn, and as many as there are of imsi, language (ko or en), since
(2026-01-31T00:00:00Z) and airtime_minor (for new subscribers only). Empty fields are allowed.
Nothing is imported unless every line can be read. A run that broke off is repeated as it is.

Example:
  sonmul subscriber import --operator koryolink subscribers.csv

  msisdn,imsi,language,since,airtime_minor
  1911000001,467050000000001,ko,,1000"
)]
pub(super) struct ImportArgs {
    /// The file; - reads standard input
    file: PathBuf,
    /// Whose subscribers
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Leaves out lines that can't be read, and names them
    #[arg(long)]
    skip_bad: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// One line as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    msisdn: String,
    #[serde(default)]
    imsi: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    airtime_minor: Option<String>,
}

/// A good line, ready to be sent.
#[derive(Debug)]
struct Line {
    number: u64,
    /// One object: text takes a quarter of the room that a tree would.
    json: Box<str>,
}

/// A bad one.
#[derive(Debug)]
struct Bad {
    number: u64,
    what: String,
}

/// What came of all chunks.
#[derive(Debug, Default)]
struct Total {
    created: u64,
    updated: u64,
    sent: usize,
}

/// Reads, checks, sends.
pub(super) fn run(args: &ImportArgs) -> Outcome {
    let (lines, bad) = read(&args.file)?;
    tell(&bad);
    if !bad.is_empty() && !args.skip_bad {
        let what = format!("{} of {} lines can't be read: nothing was imported", bad.len(), bad.len() + lines.len());
        return Err(Failure::new(Exit::Usage, what));
    }
    let total = block_on(send_all(&args.data.admin(), &args.operator, &lines))?;
    let unchanged = (total.sent as u64).saturating_sub(total.created + total.updated);
    let shown = json!({
        "lines": lines.len() + bad.len(), "created": total.created, "updated": total.updated, "unchanged": unchanged,
        "skipped": bad.iter().map(|bad| json!({ "line": bad.number, "what": bad.what })).collect::<Vec<_>>(),
    });
    if args.json {
        print::json(&shown)?;
    } else {
        let skipped = if bad.is_empty() { String::new() } else { format!(", {} lines skipped", bad.len()) };
        let Total { created, updated, .. } = total;
        print::line(&format!("{created} created, {updated} updated, {unchanged} as they were{skipped}"))?;
    }
    Ok(Exit::Ok)
}

fn tell(bad: &[Bad]) {
    for Bad { number, what } in bad.iter().take(BAD_SHOWN) {
        eprintln!("line {number}: {what}");
    }
    if bad.len() > BAD_SHOWN {
        eprintln!("... and {} more", bad.len() - BAD_SHOWN);
    }
}

fn read(file: &Path) -> Outcome<(Vec<Line>, Vec<Bad>)> {
    let input: Box<dyn std::io::Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file);
        Box::new(opened.or_exit_with(Exit::Usage, || format!("{} can't be opened", file.display()))?)
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let header = reader.headers().or_exit_with(Exit::Usage, || format!("{} can't be read", file.display()))?.clone();
    check_header(&header)?;
    let mut progress = Progress::new("reading", None);
    let mut seen: HashMap<u128, u64> = HashMap::new();
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    loop {
        let number = reader.position().line();
        let read = match reader.read_record(&mut record) {
            Ok(false) => return Ok((lines, bad)),
            Ok(true) => {
                let number = record.position().map_or(number, csv::Position::line);
                line(&record, &header, number, &mut seen)
            }
            Err(error) => match error.kind() {
                csv::ErrorKind::Io(_) => return Err(error).or_exit(Exit::Usage),
                _ => Err(Bad { number, what: shape(&error) }),
            },
        };
        match read {
            Ok(line) => lines.push(line),
            Err(wrong) => bad.push(wrong),
        }
        if lines.len() > LINES_MAX {
            return Err(Failure::new(Exit::Usage, format!("more than {LINES_MAX} lines: split the file")));
        }
        progress.set(lines.len() as u64);
    }
}

fn check_header(header: &csv::StringRecord) -> Outcome<()> {
    const COLUMNS: [&str; 5] = ["msisdn", "imsi", "language", "since", "airtime_minor"];
    let unknown = header.iter().find(|name| !COLUMNS.contains(name));
    let what = match unknown {
        // A file without a head: its first line must not be repeated, for numbers don't belong in logs.
        Some(name) if name.bytes().any(|octet| octet.is_ascii_digit()) => {
            format!("line 1: the first line names the columns: {}", COLUMNS.join(", "))
        }
        Some(name) => format!("line 1: no column is called `{name}`; there are {}", COLUMNS.join(", ")),
        None if !header.iter().any(|name| name == "msisdn") => String::from("line 1: the column msisdn is missing"),
        None => return Ok(()),
    };
    Err(Failure::new(Exit::Usage, what))
}

/// What is wrong with a line's shape, without the line.
fn shape(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => String::from("it is no UTF-8 text"),
        _ => String::from("it is no line of a CSV file"),
    }
}

fn line(
    record: &csv::StringRecord,
    header: &csv::StringRecord,
    number: u64,
    seen: &mut HashMap<u128, u64>,
) -> Result<Line, Bad> {
    let bad = |what: String| Bad { number, what };
    let row: Row = record.deserialize(Some(header)).map_err(|error| bad(shape(&error)))?;
    let key = msisdn(&row.msisdn).ok_or_else(|| bad(String::from("msisdn: not a phone number")))?;
    if let Some(first) = seen.insert(key, number) {
        return Err(bad(format!("msisdn: the same number as in line {first}")));
    }
    let json = fields(&row).map_err(|what| bad(String::from(what)))?;
    Ok(Line { number, json: json.to_string().into() })
}

/// The digits after a 1, which keeps leading zeros apart, when they may be a number. The server knows the operator's plan
/// and has the last word.
fn msisdn(text: &str) -> Option<u128> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plausible = DIGITS.contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
    plausible.then(|| format!("1{digits}").parse().ok())?
}

fn fields(row: &Row) -> Result<Value, &'static str> {
    let mut fields = Map::new();
    fields.insert(String::from("msisdn"), json!(row.msisdn));
    let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
    if let Some(imsi) = filled(&row.imsi) {
        Imsi::parse(&imsi).map_err(|_| "imsi: 6 to 15 digits, the first is not 0")?;
        fields.insert(String::from("imsi"), json!(imsi));
    }
    if let Some(language) = filled(&row.language) {
        Language::from_tag(&language).ok_or("language: ko or en")?;
        fields.insert(String::from("language"), json!(language));
    }
    if let Some(since) = filled(&row.since) {
        Timestamp::parse(&since).map_err(|_| "since: not an instant; write for example 2026-01-31T00:00:00Z")?;
        fields.insert(String::from("since"), json!(since));
    }
    if let Some(airtime) = filled(&row.airtime_minor) {
        let minor: i64 = airtime.parse().map_err(|_| "airtime_minor: a whole number of minor units")?;
        if minor < 0 {
            return Err("airtime_minor: not below 0");
        }
        if minor > 0 {
            fields.insert(String::from("airtime_minor"), json!(minor));
        }
    }
    Ok(Value::Object(fields))
}

async fn send_all(admin: &Admin, operator: &str, lines: &[Line]) -> Outcome<Total> {
    let mut progress = Progress::new("importing", Some(lines.len() as u64));
    let mut total = Total::default();
    for chunk in lines.chunks(CHUNK) {
        let rows: Vec<&str> = chunk.iter().map(|line| &*line.json).collect();
        let body = format!("{{\"operator\":{},\"subscribers\":[{}]}}", json!(operator), rows.join(","));
        let answer = admin.post_text("/v1/subscribers/import", body).await;
        let answer = answer.map_err(|failure| after(&total, failure))?;
        if !answer.is_ok() {
            return Err(after(&total, Failure::new(answer.exit(), said(&answer, chunk))));
        }
        let of = |name: &str| find(&answer.value, name).and_then(Value::as_u64).unwrap_or(0);
        total.created += of("created");
        total.updated += of("updated");
        total.sent += chunk.len();
        progress.set(total.sent as u64);
    }
    Ok(total)
}

/// A field of the verdict, at its top or one level below.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.values().find_map(|inner| inner.as_object()?.get(name)))
}

/// What the server said, with the line that it is about.
fn said(answer: &Answer, chunk: &[Line]) -> String {
    let index = find(&answer.value, "index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
    match index.and_then(|index| chunk.get(index)) {
        Some(line) => format!("line {}: {}", line.number, answer.said()),
        None => answer.said(),
    }
}

/// How far it came, so that nobody wonders.
fn after(total: &Total, failure: Failure) -> Failure {
    if total.sent == 0 {
        return failure;
    }
    let sent = total.sent;
    let context = format!("the first {sent} subscribers are imported; run it again when this is mended");
    Failure { exit: failure.exit, error: failure.error.context(context) }
}
