//! `sonmul motion`: what one person proposed and another one decides.

use serde_json::{Value, json};

use super::{Common, fact, wish};
use crate::admin::plain;
use crate::exit::{Exit, Failure, Outcome};
use crate::print;

/// Digits of a hash that must be named at least.
const HASH_MIN: usize = 8;

/// See `sonmul motion --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Who asks is the user who runs the command. Rates, rules, closing, voiding, reversals and adjustments need a second
one, who names the hash of what was shown. A motion that nobody approves is dropped after seven days.

Example:
  sonmul motion list
  sonmul motion show 12
  sonmul motion approve 12 --hash 3f9c2a71"
)]
pub(crate) struct MotionArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// What waits for a second person
    #[command(after_help = "Example:\n  sonmul motion list --json")]
    List(Common),
    /// One motion, whole, with its hash
    #[command(after_help = "Example:\n  sonmul motion show 12")]
    Show(OneArgs),
    /// Says yes to what somebody else proposed
    #[command(after_help = "Example:\n  sonmul motion approve 12 --hash 3f9c2a71d05b8e64")]
    Approve(ApproveArgs),
    /// Drops a motion: its maker, or whoever does not approve
    #[command(after_help = "Example:\n  sonmul motion withdraw 12")]
    Withdraw(OneArgs),
    /// Proposes a booking by hand
    Adjust(AdjustArgs),
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// Its number
    motion: u64,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct ApproveArgs {
    /// Its number
    motion: u64,
    /// The hash that was shown, or its first digits, at least 8
    #[arg(long)]
    hash: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "An account is card:SERIAL, airtime:MSISDN, airtime:#ROW (of who had a number before),
float:OUTLET:CURRENCY, cash:CURRENCY, cash-position:CURRENCY, or one of
fee-income, tax-payable, call-income, breakage, position and refunded. Both are of one unit.

Example:
  sonmul motion adjust --operator koryolink --from fee-income --to card:00000003 --amount 5 --reason 'fee taken twice'")]
struct AdjustArgs {
    /// Whose books
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Where it comes from
    #[arg(long, value_name = "ACCOUNT")]
    from: String,
    /// Where it goes
    #[arg(long, value_name = "ACCOUNT")]
    to: String,
    /// How much, whole minor units
    #[arg(long, value_name = "MINOR", value_parser = clap::value_parser!(i64).range(1..))]
    amount: i64,
    /// Why, at most 200 characters
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &MotionArgs) -> Outcome {
    match &args.what {
        What::List(common) => list(common),
        What::Show(args) => {
            print::value(&find(&args.common, args.motion)?, args.common.json)?;
            Ok(Exit::Ok)
        }
        What::Approve(args) => approve(args),
        What::Withdraw(args) => {
            args.common.ask(&wish("withdraw-motion", json!({ "motion": args.motion })), |_| String::from("dropped"))
        }
        What::Adjust(args) => args.common.propose(&wish(
            "propose-adjustment",
            json!({
                "operator": args.operator, "debit": account(&args.from)?, "credit": account(&args.to)?,
                "amount_minor": args.amount, "reason": args.reason,
            }),
        )),
    }
}

/// One line for each: a proposal has many facts, and `show` has them all.
fn list(common: &Common) -> Outcome {
    let motions = common.get("/v1/office/motion")?;
    if common.json {
        print::json(&motions)?;
        return Ok(Exit::Ok);
    }
    let short = |motion: &Value| {
        let of = |pointer: &str| motion.pointer(pointer).map(plain).unwrap_or_default();
        let hash = of("/hash");
        json!({
            "motion": motion.get("motion"), "operator": of("/operator/name"), "proposal": of("/proposal/name"),
            "maker": motion.get("maker"), "until": of("/expires_at"), "hash": hash.get(..super::HASH_SHOWN),
        })
    };
    let shown: Vec<Value> = motions.as_array().into_iter().flatten().map(short).collect();
    print::value(&Value::Array(shown), false)?;
    Ok(Exit::Ok)
}

fn find(common: &Common, motion: u64) -> Outcome<Value> {
    let found = common.get(&format!("/v1/office/motion?from={motion}&most=1"))?;
    let found = found.get(0).filter(|found| found.get("motion") == Some(&json!(motion))).cloned();
    found.ok_or_else(|| {
        Failure::new(Exit::Refused, format!("no motion {motion} waits: it was approved, dropped, or never there"))
    })
}

/// The digits that were named must begin the hash of what stands there now; all of them are sent.
fn approve(args: &ApproveArgs) -> Outcome {
    let hash = find(&args.common, args.motion)?.get("hash").map(plain).unwrap_or_default();
    let named = args.hash.trim().to_ascii_lowercase();
    if named.len() < HASH_MIN {
        return Err(Failure::new(Exit::Usage, format!("--hash takes at least {HASH_MIN} digits of what was shown")));
    }
    if !hash.starts_with(&named) {
        let what =
            format!("the hash is not that of motion {0}: look at it again with `sonmul motion show {0}`", args.motion);
        return Err(Failure::new(Exit::Refused, what));
    }
    let say = |verdict: &Value| match super::number(verdict, "/done/moved_minor") {
        0 => format!("motion {} is approved", fact(verdict, "motion")),
        moved => format!("motion {} is approved: {moved} moved", fact(verdict, "motion")),
    };
    args.common.ask(&wish("approve", json!({ "motion": args.motion, "hash": hash })), say)
}

/// An account as it is written on the command line.
fn account(text: &str) -> Outcome<Value> {
    let mut parts = text.split(':');
    let kind = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let upper = |code: &str| code.to_ascii_uppercase();
    let read = match (kind, rest.as_slice()) {
        ("card", [serial]) => json!({ "kind": kind, "serial": super::serial(serial)? }),
        ("airtime", [row]) if row.starts_with('#') => {
            json!({ "kind": kind, "subscriber": row.get(1..).map(str::parse::<u32>).and_then(Result::ok) })
        }
        ("airtime", [msisdn]) => json!({ "kind": kind, "msisdn": msisdn }),
        ("cash" | "cash-position", [code]) => json!({ "kind": kind, "currency": upper(code) }),
        ("float", [outlet, code]) => {
            let outlet: Option<u32> = outlet.parse().ok();
            json!({ "kind": kind, "outlet": outlet, "currency": upper(code) })
        }
        ("fee-income" | "tax-payable" | "call-income" | "breakage" | "position" | "refunded", []) => {
            json!({ "kind": kind })
        }
        _ => {
            let what = format!("{text} is no account: see `sonmul motion adjust --help`");
            return Err(Failure::new(Exit::Usage, what));
        }
    };
    Ok(read)
}
