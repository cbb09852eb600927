//! `sonmul operator`: checking a profile, putting its rules in force, and what is in force now.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wire::text::Budget;

use crate::config::Config;
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::print;
use crate::serve::{check_texts, screen_budget};

use super::office::{Common, proposed, wish};
use super::{DataArg, block_on};

/// See `sonmul operator --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "An operator is one file. Editing it changes nothing until it is loaded.

Example:
  sonmul operator check profiles/koryolink.toml
  sonmul operator load profiles/koryolink.toml")]
pub(crate) struct OperatorArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Says what is wrong with a profile, without a server
    Check(CheckArgs),
    /// Puts a first profile in force, or proposes other rules
    Load(LoadArgs),
    /// The operators in force, and whether files say the same
    List(ListArgs),
    /// Proposes that nothing is given from an instant on
    Close(CloseArgs),
    /// Stops issuing value: the books don't agree
    #[command(after_help = "No batches, cards, sales or imports with airtime until `resume`; gifts go on.

Example:\n  sonmul operator stop koryolink --why 'cash of outlet 1 is short'")]
    Stop(StopArgs),
    /// Operators that issue nothing now, and why
    #[command(after_help = "Example:\n  sonmul operator stopped --json")]
    Stopped(Common),
    /// Issues value again
    #[command(after_help = "Example:\n  sonmul operator resume koryolink")]
    Resume(NameArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A dated rule that takes two people: gifts and top-ups are refused with its name, and with --cards-void cards open
nothing any more. `sonmul report liabilities` lists what is owed, and `sonmul till pay-out` pays it.

Example:
  sonmul operator close koryolink --period end-of-service --from 2026-12-31T00:00:00+09:00 --cards-void"
)]
struct CloseArgs {
    /// Which
    operator: String,
    /// What the rule is called; whoever dials reads it
    #[arg(long, value_name = "NAME")]
    period: String,
    /// First instant, RFC 3339
    #[arg(long, value_name = "INSTANT", default_value = "now")]
    from: String,
    /// Cards are void too
    #[arg(long)]
    cards_void: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct StopArgs {
    /// Which
    operator: String,
    /// What does not agree
    #[arg(long)]
    why: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct NameArgs {
    /// Which
    operator: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Where there is a data directory, its links say how long a screen may be.

Example:
  sonmul operator check profiles/koryolink.toml
  sonmul operator check profiles/koryolink.toml --data sonmul-data")]
struct CheckArgs {
    /// The profile
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The entry in the journal holds the rules and the file's hash. The first load takes one person; every later one is a
proposal that somebody else approves, and is refused when the file says something else of the time before. With
--from, what was in force stays until then, whatever the file says of it.

Example:
  sonmul operator load profiles/koryolink.toml --data sonmul-data
  sonmul operator load koryolink-2027.toml --from 2027-01-01T00:00:00+09:00"
)]
struct LoadArgs {
    /// The profile
    file: PathBuf,
    /// What is in force stays until then: RFC 3339, or now (when it is approved)
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Without FILE the profiles named in sonmul.toml are compared.

Example:
  sonmul operator list profiles/koryolink.toml --json")]
struct ListArgs {
    /// Profiles to compare with what is in force
    file: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Does it.
pub(crate) fn run(args: &OperatorArgs) -> Outcome {
    match &args.what {
        What::Check(args) => check(args),
        What::Load(args) => load(args),
        What::List(args) => list(args),
        What::Close(args) => args.common.propose(&wish(
            "propose-close",
            json!({
                "operator": args.operator, "period": args.period, "from": args.from, "cards_void": args.cards_void,
            }),
        )),
        What::Stop(args) => {
            let fields = json!({ "operator": args.operator, "why": args.why });
            args.common.ask(&wish("stop-issuance", fields), |_| format!("{} issues nothing any more", args.operator))
        }
        What::Stopped(common) => common.list("stopped"),
        What::Resume(args) => {
            let fields = json!({ "operator": args.operator });
            args.common.ask(&wish("resume-issuance", fields), |_| format!("{} issues again", args.operator))
        }
    }
}

fn check(args: &CheckArgs) -> Outcome {
    let checked = read(&args.file).and_then(|text| parse(&args.file, &text, &args.data));
    match checked {
        Ok(rules) => {
            let shown = json!({
                "operator": rules.operator,
                "service_code": rules.service_code,
                "zone": rules.zone.name(),
                "periods": rules.periods.iter().map(|period| &period.name).collect::<Vec<_>>(),
                "ok": true,
            });
            print::value(&shown, args.json)?;
            Ok(Exit::Ok)
        }
        Err(failure) if args.json => {
            print::json(&json!({ "ok": false, "what": failure.to_string() }))?;
            Ok(failure.exit)
        }
        Err(failure) => Err(failure),
    }
}

/// Reads a profile's text.
pub(crate) fn read(file: &Path) -> Outcome<String> {
    std::fs::read_to_string(file).or_exit_with(Exit::Usage, || format!("{} can't be read", file.display()))
}

/// Checks a profile as the server will: its rules, and that its texts fit the screens.
fn parse(file: &Path, text: &str, data: &DataArg) -> Outcome<domain::rules::Rules> {
    let wrong = |what: String| Failure::new(Exit::Usage, format!("{}, {what}", file.display()));
    let rules = domain::rules::parse::parse(text).map_err(|error| wrong(error.to_string()))?;
    let texts = edges::texts::Texts::embedded();
    // A directory that can't be read has no links that would make screens smaller.
    let config = Config::load(&data.dir()).ok();
    let screen = config.map_or(Budget::USSD, |config| screen_budget(&config.links, &rules.operator));
    check_texts(&texts, &rules, screen).map_err(|problems| wrong(problems.join("; ")))?;
    Ok(rules)
}

fn load(args: &LoadArgs) -> Outcome {
    let text = read(&args.file)?;
    // First here: the line is named with the file, and nothing is sent that can't be.
    let rules = parse(&args.file, &text, &args.data)?;
    let body = match &args.from {
        Some(from) => json!({ "toml": text, "from": from }),
        None => json!({ "toml": text }),
    };
    let answer = block_on(async { args.data.admin().post("/v1/operators", &body).await })?;
    let exit = answer.exit();
    if args.json {
        print::json(&answer.value)?;
        return Ok(exit);
    }
    let verdict = answer.ok()?;
    if verdict.pointer("/done/name") == Some(&json!("proposed")) {
        print::line(&proposed(&verdict))?;
        return Ok(Exit::Ok);
    }
    let seq = verdict.get("seq").map(Value::to_string).unwrap_or_default();
    print::line(&format!("{} is in force since entry {seq}", args.file.display()))?;
    if let Ok(config) = Config::load(&args.data.dir())
        && !config.links.common().any(|link| link.operators.contains(&rules.operator))
    {
        let name = rules.operator;
        eprintln!("no link in sonmul.toml speaks for {name}: add it to `operators` there and start the server again");
    }
    Ok(Exit::Ok)
}

fn list(args: &ListArgs) -> Outcome {
    let answer = block_on(async { args.data.admin().get("/v1/operators").await })?;
    let mut operators = answer.ok()?;
    let files = match Config::load(&args.data.dir()) {
        _ if !args.file.is_empty() => args.file.clone(),
        Ok(config) => config.profiles,
        // The configuration may be for its owner's eyes only; the operators are not.
        Err(_) => Vec::new(),
    };
    let said = compare(&mut operators, &files)?;
    print::value(&operators, args.json)?;
    for line in said {
        eprintln!("{line}");
    }
    Ok(Exit::Ok)
}

/// Adds to each operator what files say, and returns what deserves a word.
fn compare(operators: &mut Value, files: &[PathBuf]) -> Outcome<Vec<String>> {
    let mut said = Vec::new();
    for file in files {
        let text = read(file)?;
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let Ok(rules) = domain::rules::parse::parse(&text) else {
            said.push(format!("{}: no valid profile; see `sonmul operator check`", file.display()));
            continue;
        };
        let named = |operator: &&mut Value| operator.get("name").and_then(Value::as_str) == Some(&rules.operator);
        match operators.as_array_mut().into_iter().flatten().find(named) {
            None => said.push(format!("{}: {} is not loaded", file.display(), rules.operator)),
            Some(operator) => {
                let same = operator.get("file_hash").and_then(Value::as_str) == Some(hash.as_str());
                if let Some(fields) = operator.as_object_mut() {
                    fields.insert(String::from("file"), json!(if same { "in force" } else { "differs" }));
                }
                if !same {
                    said.push(format!(
                        "{}: differs from the rules in force; `sonmul operator load` loads it",
                        file.display()
                    ));
                }
            }
        }
    }
    Ok(said)
}
