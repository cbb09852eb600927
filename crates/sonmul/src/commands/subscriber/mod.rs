//! `sonmul subscriber`: who the network says its subscribers are, and what care may do to one.

mod import;

use serde_json::{Value, json};

use crate::admin::segment;
use crate::exit::{Exit, Outcome};
use crate::{entries, print};

use super::card::verdict;
use super::{DataArg, block_on};

/// See `sonmul subscriber --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A number is written as people write it: 1911000001, 01911000001, +8501911000001.

Example:
  sonmul subscriber import --operator koryolink subscribers.csv
  sonmul subscriber history 1911000001")]
pub(crate) struct SubscriberArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Creates and updates subscribers from a CSV file
    Import(import::ImportArgs),
    /// A subscriber with its cards
    #[command(after_help = "Example:\n  sonmul subscriber show 1911000001 --json")]
    Show(NumberArgs),
    /// Entries that name a subscriber, newest first
    History(HistoryArgs),
    /// No gifts from or to this number any more
    #[command(after_help = "Example:\n  sonmul subscriber bar 1911000001")]
    Bar(NumberArgs),
    /// Undoes a bar
    #[command(after_help = "Example:\n  sonmul subscriber unbar 1911000001")]
    Unbar(NumberArgs),
    /// Forgets wrong passwords and the lock they led to
    #[command(after_help = "Example:\n  sonmul subscriber unlock 1911000001")]
    Unlock(NumberArgs),
    /// The number was given back: the next caller with it is somebody else
    #[command(after_help = "Example:\n  sonmul subscriber release 1911000001")]
    Release(NumberArgs),
    /// Sets the language of screens and SMS
    #[command(after_help = "Example:\n  sonmul subscriber language 1911000001 en")]
    Language(LanguageArgs),
    /// The SIM changed: gifts rest for as long as the operator's rules say
    #[command(after_help = "Example:\n  sonmul subscriber imsi 1911000001 467050000000001")]
    Imsi(ImsiArgs),
}

#[derive(Debug, clap::Args)]
struct NumberArgs {
    /// The subscriber's number
    msisdn: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sonmul subscriber history 1911000001 --most 5 --json")]
struct HistoryArgs {
    /// How many entries
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    most: u16,
    #[command(flatten)]
    number: NumberArgs,
}

#[derive(Debug, clap::Args)]
struct LanguageArgs {
    #[command(flatten)]
    number: NumberArgs,
    /// Which
    #[arg(value_parser = ["ko", "en"])]
    language: String,
}

#[derive(Debug, clap::Args)]
struct ImsiArgs {
    #[command(flatten)]
    number: NumberArgs,
    /// The new SIM's IMSI
    imsi: String,
}

/// Does it.
pub(crate) fn run(args: &SubscriberArgs) -> Outcome {
    match &args.what {
        What::Import(args) => import::run(args),
        What::Show(args) => show(args),
        What::History(args) => history(args),
        What::Bar(args) => change(args, "bar", &json!({})),
        What::Unbar(args) => change(args, "unbar", &json!({})),
        What::Unlock(args) => change(args, "unlock", &json!({})),
        What::Release(args) => change(args, "release", &json!({})),
        What::Language(args) => change(&args.number, "language", &json!({ "language": args.language })),
        What::Imsi(args) => change(&args.number, "imsi", &json!({ "imsi": args.imsi })),
    }
}

fn show(args: &NumberArgs) -> Outcome {
    let path = format!("/v1/subscribers/{}", segment(&args.msisdn));
    let answer = block_on(async { args.data.admin().get(&path).await })?;
    print::value(&answer.ok()?, args.json)?;
    Ok(Exit::Ok)
}

fn history(args: &HistoryArgs) -> Outcome {
    let HistoryArgs { most, number } = args;
    let path = format!("/v1/subscribers/{}/history?most={most}", segment(&number.msisdn));
    let answer = block_on(async { number.data.admin().get(&path).await })?;
    let entries = answer.ok()?;
    if number.json {
        print::json(&entries)?;
    } else {
        for entry in entries.as_array().into_iter().flatten() {
            print::line(&entries::line(entry))?;
        }
    }
    Ok(Exit::Ok)
}

fn change(args: &NumberArgs, how: &str, body: &Value) -> Outcome {
    let path = format!("/v1/subscribers/{}/{how}", segment(&args.msisdn));
    let answer = block_on(async { args.data.admin().post(&path, body).await })?;
    verdict(answer, args.json)
}
