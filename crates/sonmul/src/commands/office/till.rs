//! `sonmul till`: what somebody at a counter does: price, sale, receipt, refund, reload, merge, pay-out.

use std::io::Write;
use std::path::PathBuf;

use domain::ids::Language;
use serde_json::{Value, json};

use super::money::{Code, shown};
use super::{Common, fact, number, serial, serial_number, slip, wish};
use crate::admin::Answer;
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::print;
use paper::press::PaperMm;

use super::super::block_on;
use super::batch::failed;

/// See `sonmul till --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A price is promised by a quote for some minutes; the sale takes it from the outlet's float. A sold card can be given
back on the same day while it is not bound.

Example:
  sonmul till quote --outlet 1 usd 00000001 --count 2
  sonmul till sell 14 --paper 58 --pdf receipt.pdf"
)]
pub(crate) struct TillArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Names a price for cards in a row
    #[command(after_help = "Example:\n  sonmul till quote --outlet 1 usd 00000001 --count 2")]
    Quote(QuoteArgs),
    /// Names a price for more airtime on a card that is in use
    #[command(after_help = "Example:\n  sonmul till reload --outlet 1 usd 00000001 --value 500")]
    Reload(ReloadArgs),
    /// Sells at a quote and prints the receipt
    #[command(after_help = "Example:\n  sonmul till sell 14 --language ko --paper 80 --pdf receipt.pdf")]
    Sell(SellArgs),
    /// Takes a card back on the day of its sale and prints the receipt
    #[command(after_help = "Example:\n  sonmul till refund 00000002")]
    Refund(CardArgs),
    /// Moves everything from one card to another of the same phone and currency
    #[command(after_help = "Example:\n  sonmul till merge 00000003 --into 00000001")]
    Merge(MergeArgs),
    /// Pays out what is on a void card, in what it was bought with, and prints the receipt
    #[command(after_help = "Example:\n  sonmul till pay-out 00000004")]
    PayOut(CardArgs),
    /// Prints the receipt of a sale, refund or pay-out again
    #[command(after_help = "Example:\n  sonmul till receipt 6-KE --paper 80 --pdf receipt.pdf")]
    Receipt(ReceiptArgs),
    /// Prices that are promised
    #[command(after_help = "Example:\n  sonmul till quotes --json")]
    Quotes(Common),
}

#[derive(Debug, clap::Args)]
struct QuoteArgs {
    /// In what: usd, cny, eur or kpw
    currency: Code,
    /// The first serial
    first: String,
    /// How many in a row
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Where
    #[arg(long)]
    outlet: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct ReloadArgs {
    /// In what: usd, cny, eur or kpw
    currency: Code,
    /// The card
    serial: String,
    /// How much airtime, whole minor units
    #[arg(long, value_name = "MINOR", value_parser = clap::value_parser!(i64).range(1..))]
    value: i64,
    /// Where
    #[arg(long)]
    outlet: u32,
    #[command(flatten)]
    common: Common,
}

/// How a receipt is printed.
#[derive(Debug, clap::Args)]
struct Paper {
    /// Width of the paper, millimetres
    #[arg(long, default_value = "58", value_parser = ["58", "80"])]
    paper: String,
    /// Language of the receipt
    #[arg(long, default_value = "ko", value_parser = ["ko", "en"])]
    language: String,
    /// Writes it as PDF too
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct SellArgs {
    /// The quote's number
    quote: u64,
    #[command(flatten)]
    paper: Paper,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct CardArgs {
    /// The card
    serial: String,
    #[command(flatten)]
    paper: Paper,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct MergeArgs {
    /// Closed by it
    serial: String,
    /// Keeps its password
    #[arg(long, value_name = "SERIAL")]
    into: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct ReceiptArgs {
    /// The receipt number
    receipt: String,
    #[command(flatten)]
    paper: Paper,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &TillArgs) -> Outcome {
    match &args.what {
        What::Quote(args) => {
            let first = format!("{:08}", serial_number(&args.first)?);
            let fields = json!({
                "outlet": args.outlet, "currency": args.currency.0.code(), "first": first, "count": args.count,
            });
            args.common.ask(&wish("quote-cards", fields), quoted)
        }
        What::Reload(args) => {
            let fields = json!({
                "outlet": args.outlet, "currency": args.currency.0.code(), "serial": serial(&args.serial)?,
                "value_minor": args.value,
            });
            args.common.ask(&wish("quote-reload", fields), quoted)
        }
        What::Sell(args) => done(&args.common, &args.paper, &wish("sell", json!({ "quote": args.quote }))),
        What::Refund(args) => {
            done(&args.common, &args.paper, &wish("refund", json!({ "serial": serial(&args.serial)? })))
        }
        What::PayOut(args) => {
            done(&args.common, &args.paper, &wish("pay-out", json!({ "serial": serial(&args.serial)? })))
        }
        What::Merge(args) => {
            let fields = json!({ "from": serial(&args.serial)?, "into": serial(&args.into)? });
            let say = |verdict: &Value| format!("card {} has {} now", args.into, fact(verdict, "balance_minor"));
            args.common.ask(&wish("merge", fields), say)
        }
        What::Receipt(args) => printed(&args.common, &args.paper, &args.receipt),
        What::Quotes(common) => common.list("quote"),
    }
}

fn quoted(verdict: &Value) -> String {
    let price = shown(number(verdict, "/done/price_minor"), &fact(verdict, "currency"));
    let of = |name: &str| fact(verdict, name);
    let (quote, value, until) = (of("quote"), of("value_minor"), of("expires_at"));
    format!("quote {quote}: {price} for {value} of airtime, until {until}; `sonmul till sell {quote}` sells")
}

/// Does it and prints its receipt.
fn done(common: &Common, paper: &Paper, wish: &Value) -> Outcome {
    let answer: Answer = block_on(async { common.data.admin().post("/v1/office", wish).await })?;
    if common.json {
        print::json(&answer.value)?;
        if !answer.is_ok() {
            return Ok(answer.exit());
        }
    }
    let verdict = answer.ok()?;
    let receipt = verdict.get("receipt").and_then(Value::as_str).unwrap_or_default();
    printed(common, paper, receipt)
}

/// The receipt as text, and as PDF where that was asked for.
fn printed(common: &Common, paper: &Paper, receipt: &str) -> Outcome {
    let language = Language::from_tag(&paper.language).unwrap_or(Language::Korean);
    let width = if paper.paper == "80" { PaperMm::Mm80 } else { PaperMm::Mm58 };
    let slip = slip::of(common, receipt, language)?;
    if !common.json {
        print::part(&slip.text(width))?;
    }
    if let Some(file) = &paper.pdf {
        let pdf = slip.pdf(width).map_err(failed)?;
        let what = || format!("{} can't be written", file.display());
        let mut out = std::fs::File::create_new(file)
            .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", what())))?;
        out.write_all(&pdf).or_exit_with(Exit::Fault, what)?;
    }
    Ok(Exit::Ok)
}
