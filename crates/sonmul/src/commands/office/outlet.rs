//! `sonmul outlet`: points of sale, and what they have prepaid.

use serde_json::{Value, json};

use super::money::{Cash, Code, shown};
use super::{Common, fact, number, wish};
use crate::exit::{Exit, Failure, Outcome};

/// See `sonmul outlet --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An outlet sells what it has prepaid: its float, in each currency. A sale moves its price from there.

Example:
  sonmul outlet open --operator koryolink 'Kwangbok Department Store'
  sonmul outlet deposit 1 500.00 usd"
)]
pub(crate) struct OutletArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Opens a point of sale
    #[command(after_help = "Example:\n  sonmul outlet open --operator koryolink 'Kwangbok Department Store'")]
    Open(OpenArgs),
    /// Pays in what an outlet brings
    #[command(after_help = "Example:\n  sonmul outlet deposit 1 500.00 usd")]
    Deposit(FloatArgs),
    /// Pays out what an outlet has left
    #[command(after_help = "Example:\n  sonmul outlet withdraw 1 20.00 usd")]
    Withdraw(FloatArgs),
    /// All outlets
    #[command(after_help = "Example:\n  sonmul outlet list --json")]
    List(Common),
}

#[derive(Debug, clap::Args)]
struct OpenArgs {
    /// What people call it, at most 40 characters
    name: String,
    /// Whose cards it sells
    #[arg(long, value_name = "NAME")]
    operator: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct FloatArgs {
    /// The outlet's number
    outlet: u32,
    /// How much, like 500.00
    amount: Cash,
    /// In what: usd, cny, eur or kpw
    currency: Code,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &OutletArgs) -> Outcome {
    match &args.what {
        What::Open(args) => {
            let fields = json!({ "operator": args.operator, "name": args.name });
            args.common
                .ask(&wish("open-outlet", fields), |verdict| format!("outlet {} is open", fact(verdict, "outlet")))
        }
        What::Deposit(args) => change(args, "deposit"),
        What::Withdraw(args) => change(args, "withdraw"),
        What::List(common) => common.list("outlet"),
    }
}

fn change(args: &FloatArgs, how: &str) -> Outcome {
    let code = args.currency.0.code();
    let fields =
        json!({ "outlet": args.outlet, "currency": code, "amount_minor": minor(&args.amount, args.currency)? });
    let say = |verdict: &Value| {
        format!("outlet {} has {} on its float", args.outlet, shown(number(verdict, "/done/float_minor"), code))
    };
    args.common.ask(&wish(how, fields), say)
}

/// Cash in minor units, or what is wrong with it.
pub(super) fn minor(cash: &Cash, currency: Code) -> Outcome<i64> {
    let what =
        || format!("{currency} has {} digits after the point, and the amount must fit", currency.0.minor_digits());
    cash.minor(currency.0).ok_or_else(|| Failure::new(Exit::Usage, what()))
}
