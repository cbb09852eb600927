//! `sonmul card`: issuing cards, and what care may do to one.

use serde_json::{Value, json};

use crate::admin::{Answer, plain, segment};
use crate::exit::{Exit, Outcome};
use crate::print;

use super::office::batch::states;
use super::office::{Common, proposed, serial, serial_number, wish};
use super::{DataArg, block_on};

/// Cards that one command issues at most.
const ISSUE_MAX: u32 = 999;

/// See `sonmul card --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A card is named by its serial everywhere; its number and password are shown once, when it is issued.

Example:
  sonmul card issue --operator koryolink --value 1000 --count 10
  sonmul card freeze 00000007"
)]
pub(crate) struct CardArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Issues cards that are sold at once, and shows their numbers and passwords this once
    Issue(IssueArgs),
    /// Shows a card
    #[command(after_help = "Example:\n  sonmul card show 00000007 --json")]
    Show(SerialArgs),
    /// Stops a bound card until it is thawed
    #[command(after_help = "Example:\n  sonmul card freeze 00000007")]
    Freeze(SerialArgs),
    /// Lets a frozen card work again, after its holder was identified
    #[command(after_help = "Example:\n  sonmul card thaw 00000007")]
    Thaw(SerialArgs),
    /// Proposes to stop a card, or cards in a row, for good
    Void(VoidArgs),
    /// How many cards in a row are in which state
    #[command(after_help = "Example:\n  sonmul card map 00000001 00001000")]
    Map(MapArgs),
    /// Forgets wrong passwords at binding
    #[command(after_help = "Example:\n  sonmul card unblock 00000007")]
    Unblock(SerialArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Numbers and passwords go to stdout and nowhere else. More than 999 are issued by as many commands.

Example:
  sonmul card issue --operator koryolink --value 1000 --count 10 --json > cards.json"
)]
struct IssueArgs {
    /// Whose cards
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// What is on each, whole minor units
    #[arg(long, value_name = "MINOR", value_parser = clap::value_parser!(i64).range(1..))]
    value: i64,
    /// How many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Print JSON, one line for each command
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

#[derive(Debug, clap::Args)]
struct SerialArgs {
    /// Printed on the card
    serial: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "It takes two people: somebody else approves the motion.

Example:
  sonmul card void 00000007 --why lost
  sonmul card void 00000001 --to 00010000 --why faulty")]
struct VoidArgs {
    /// Why
    #[arg(long, value_parser = ["lost", "faulty", "ordered"])]
    why: String,
    /// The last of a row that begins with SERIAL
    #[arg(long, value_name = "SERIAL")]
    to: Option<String>,
    #[command(flatten)]
    card: SerialArgs,
}

#[derive(Debug, clap::Args)]
struct MapArgs {
    /// The first serial
    first: String,
    /// The last serial
    last: String,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &CardArgs) -> Outcome {
    match &args.what {
        What::Issue(args) => issue(args),
        What::Show(args) => show(args),
        What::Freeze(args) => change(args, "freeze", &json!({})),
        What::Thaw(args) => change(args, "thaw", &json!({})),
        What::Void(args) => void(args),
        What::Map(args) => {
            let rows = states(&args.common, serial_number(&args.first)?, serial_number(&args.last)?)?;
            print::value(&Value::Array(rows), args.common.json)?;
            Ok(Exit::Ok)
        }
        What::Unblock(args) => change(args, "unblock", &json!({})),
    }
}

fn issue(args: &IssueArgs) -> Outcome {
    let admin = args.data.admin();
    let mut left = args.count;
    while left > 0 {
        let count = left.min(ISSUE_MAX);
        let body = json!({ "operator": args.operator, "value_minor": args.value, "count": count });
        let answer = block_on(async { admin.post("/v1/cards", &body).await })?;
        if args.json {
            print::json(&answer.value)?;
            if !answer.is_ok() {
                return Ok(answer.exit());
            }
        } else {
            let verdict = answer.ok()?;
            let cards = verdict.get("cards").cloned().unwrap_or_else(|| json!([]));
            for text in print::lines(&cards).iter().skip(usize::from(left < args.count)) {
                print::line(text)?;
            }
        }
        left -= count;
    }
    Ok(Exit::Ok)
}

fn show(args: &SerialArgs) -> Outcome {
    let path = format!("/v1/cards/{}", segment(&serial(&args.serial)?));
    let answer = block_on(async { args.data.admin().get(&path).await })?;
    print::value(&answer.ok()?, args.json)?;
    Ok(Exit::Ok)
}

fn change(args: &SerialArgs, how: &str, body: &Value) -> Outcome {
    let path = format!("/v1/cards/{}/{how}", serial(&args.serial)?);
    let answer = block_on(async { args.data.admin().post(&path, body).await })?;
    verdict(answer, args.json)
}

fn void(args: &VoidArgs) -> Outcome {
    let first = serial(&args.card.serial)?;
    let last = args.to.as_deref().map_or_else(|| Ok(first.clone()), serial)?;
    let body = wish("propose-void", json!({ "first": first, "last": last, "why": args.why }));
    let answer = block_on(async { args.card.data.admin().post("/v1/office", &body).await })?;
    if args.card.json {
        print::json(&answer.value)?;
        return Ok(answer.exit());
    }
    print::line(&proposed(&answer.ok()?))?;
    Ok(Exit::Ok)
}

/// Prints what became of a change.
pub(crate) fn verdict(answer: Answer, as_json: bool) -> Outcome {
    let exit = answer.exit();
    if as_json {
        print::json(&answer.value)?;
        return Ok(exit);
    }
    let verdict = answer.ok()?;
    let of = |name: &str| verdict.get(name).map(plain).unwrap_or_default();
    let again = if verdict.get("repeated") == Some(&Value::Bool(true)) { ", as it was before" } else { "" };
    print::line(&format!("done{again} (entry {}, receipt {})", of("seq"), of("receipt")))?;
    Ok(Exit::Ok)
}
