//! `sonmul rate`: what airtime costs in cash, from when.

use serde_json::json;

use super::money::{Cash, Code};
use super::outlet::minor;
use super::{Common, wish};
use crate::exit::{Exit, Failure, Outcome};

/// See `sonmul rate --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A rate is a ratio of whole numbers: so much cash for so much airtime. It takes two people. Each card's price is
rounded up to the currency's smallest unit.

Example:
  sonmul rate propose --operator koryolink usd --pay 5.00 --for 500
  sonmul rate list"
)]
pub(crate) struct RateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Proposes a rate
    Propose(ProposeArgs),
    /// All rates, old ones too
    #[command(after_help = "Example:\n  sonmul rate list --json")]
    List(Common),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --from it holds as soon as it is approved. Two rates of one currency never overlap: one without an end is
followed by the next.

Example:
  sonmul rate propose --operator koryolink kpw --pay 40000.00 --for 500 --from 2026-12-01T00:00:00+09:00"
)]
struct ProposeArgs {
    /// In what: usd, cny, eur or kpw
    currency: Code,
    /// Whose airtime
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// So much cash …
    #[arg(long, value_name = "CASH")]
    pay: Cash,
    /// … for so much airtime, whole minor units
    #[arg(long = "for", value_name = "MINOR")]
    airtime: u32,
    /// First instant, RFC 3339
    #[arg(long, value_name = "INSTANT", default_value = "now")]
    from: String,
    /// First instant at which it does not hold any more
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &RateArgs) -> Outcome {
    match &args.what {
        What::Propose(args) => {
            let cash = u32::try_from(minor(&args.pay, args.currency)?)
                .map_err(|_| Failure::new(Exit::Usage, "--pay is at most 42949672.95: say it for less airtime"))?;
            let (cash, airtime) = reduced(cash, args.airtime);
            args.common.propose(&wish(
                "propose-rate",
                json!({
                    "operator": args.operator, "currency": args.currency.0.code(), "cash_minor": cash,
                    "airtime_minor": airtime, "from": args.from, "until": args.until,
                }),
            ))
        }
        What::List(common) => common.list("rates"),
    }
}

/// The same ratio in the smallest numbers; a rate of nothing stays one, for the server to refuse.
fn reduced(cash: u32, airtime: u32) -> (u32, u32) {
    let (mut a, mut b) = (cash, airtime);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if cash == 0 || airtime == 0 { (cash, airtime) } else { (cash / a, airtime / a) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_ratio_is_told_in_its_smallest_numbers() {
        assert_eq!(super::reduced(500, 500), (1, 1));
        assert_eq!(super::reduced(4_000_000, 500), (8_000, 1));
        assert_eq!(super::reduced(0, 500), (0, 500));
    }
}
