//! `sonmul receipt`: the entry behind a receipt number that somebody reads out.

use crate::admin::segment;
use crate::exit::{Exit, Outcome};
use crate::{entries, print};

use super::{DataArg, block_on};

/// See `sonmul receipt --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A misread character is noticed; case and spaces don't matter.

Example:
  sonmul receipt 4GT-8V")]
pub(crate) struct ReceiptArgs {
    /// The number as it was read out
    number: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Asks the server.
pub(crate) fn run(args: &ReceiptArgs) -> Outcome {
    let path = format!("/v1/receipts/{}", segment(&args.number));
    let answer = block_on(async { args.data.admin().get(&path).await })?;
    let entry = answer.ok()?;
    if args.json {
        print::json(&entry)?;
    } else {
        print::line(&entries::line(&entry))?;
    }
    Ok(Exit::Ok)
}
