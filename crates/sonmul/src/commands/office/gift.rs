//! `sonmul gift`: what care does about one that went to the wrong phone.

use serde_json::json;

use super::{Common, wish};
use crate::admin::segment;
use crate::exit::{Exit, Outcome};
use crate::print;

/// See `sonmul gift --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A gift that went to the wrong phone: ask for the receipt number and look at it (`show`). On hold? Its sender takes
it back with *SC*0*6*PASSWORD#. Posted? Identify the sender by their card, propose `reverse` with the reason, and
let somebody else approve it: once, and at most what the recipient still has.

Example:
  sonmul gift show 6-KE
  sonmul gift reverse 6-KE --reason 'one digit wrong; sender identified by card 00000001'"
)]
pub(crate) struct GiftArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Where a gift is, and how much could be taken back
    #[command(after_help = "Example:\n  sonmul gift show 6-KE --json")]
    Show(ShowArgs),
    /// Proposes to take a posted gift back
    #[command(after_help = "Example:\n  sonmul gift reverse 6-KE --reason 'one digit wrong'")]
    Reverse(ReverseArgs),
    /// Gifts that are on hold
    #[command(after_help = "Example:\n  sonmul gift held --json")]
    Held(Common),
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The receipt number as it was read out
    receipt: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct ReverseArgs {
    /// The receipt number as it was read out
    receipt: String,
    /// Why, at most 200 characters
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &GiftArgs) -> Outcome {
    match &args.what {
        What::Show(args) => {
            let gift = args.common.get(&format!("/v1/gifts/{}", segment(&args.receipt)))?;
            print::value(&gift, args.common.json)?;
            Ok(Exit::Ok)
        }
        What::Reverse(args) => {
            let fields = json!({ "receipt": args.receipt, "reason": args.reason });
            args.common.propose(&wish("propose-reversal", fields))
        }
        What::Held(common) => common.list("hold"),
    }
}
