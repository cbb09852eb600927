//! `sonmul call`: airtime used, as a charging system asks for it, and for whoever wants to try.

use serde_json::{Value, json};

use super::{Common, fact, wish};
use crate::admin::segment;
use crate::exit::{Exit, Outcome};
use crate::print;

/// See `sonmul call --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A minute that is begun is paid in full; free minutes go first. What is reserved is set aside and comes back when
nobody ends the call in time.

Example:
  sonmul call price 1911000002 --seconds 90
  sonmul call reserve 1911000002 --seconds 600
  sonmul call commit 31 --seconds 95"
)]
pub(crate) struct CallArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// What a call would cost now
    #[command(after_help = "Example:\n  sonmul call price 1911000002 --seconds 90 --cross")]
    Price(TalkArgs),
    /// Sets airtime aside for a call that begins
    #[command(after_help = "Example:\n  sonmul call reserve 1911000002 --seconds 600")]
    Reserve(TalkArgs),
    /// Sets more aside: the call goes on
    #[command(after_help = "Example:\n  sonmul call extend 31 --seconds 300")]
    Extend(OneArgs),
    /// The call is over: what was used is paid, the rest comes back
    #[command(after_help = "Example:\n  sonmul call commit 31 --seconds 95")]
    Commit(OneArgs),
    /// Nobody talked: everything comes back
    #[command(after_help = "Example:\n  sonmul call release 31")]
    Release(ReleaseArgs),
    /// Charges a call that is over and was not reserved
    #[command(after_help = "Example:\n  sonmul call charge 1911000002 --seconds 95")]
    Charge(TalkArgs),
    /// Calls in progress
    #[command(after_help = "Example:\n  sonmul call list --json")]
    List(Common),
}

#[derive(Debug, clap::Args)]
struct TalkArgs {
    /// Who calls
    msisdn: String,
    /// How long
    #[arg(long)]
    seconds: u32,
    /// To another operator's network
    #[arg(long)]
    cross: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The number that `reserve` gave it
    call: u64,
    /// How long
    #[arg(long)]
    seconds: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct ReleaseArgs {
    /// The number that `reserve` gave it
    call: u64,
    #[command(flatten)]
    common: Common,
}

/// Does it.
pub(crate) fn run(args: &CallArgs) -> Outcome {
    match &args.what {
        What::Price(args) => {
            let (msisdn, seconds, cross) = (segment(&args.msisdn), args.seconds, args.cross);
            let price = args.common.get(&format!("/v1/call-price?msisdn={msisdn}&seconds={seconds}&cross={cross}"))?;
            print::value(&price, args.common.json)?;
            Ok(Exit::Ok)
        }
        What::Reserve(args) => args.common.ask(&talk("reserve-call", args), reserved),
        What::Extend(args) => args.common.ask(&one("extend-call", args), reserved),
        What::Commit(args) => args.common.ask(&one("commit-call", args), charged),
        What::Release(args) => args.common.ask(&wish("release-call", json!({ "call": args.call })), charged),
        What::Charge(args) => args.common.ask(&talk("consume", args), charged),
        What::List(common) => common.list("call"),
    }
}

fn talk(name: &str, args: &TalkArgs) -> Value {
    wish(name, json!({ "msisdn": args.msisdn, "seconds": args.seconds, "cross": args.cross }))
}

fn one(name: &str, args: &OneArgs) -> Value {
    wish(name, json!({ "call": args.call, "seconds": args.seconds }))
}

fn reserved(verdict: &Value) -> String {
    let of = |name: &str| fact(verdict, name);
    format!(
        "call {}: {} seconds may be talked, {} set aside, {} free minutes in it, until {}",
        of("call"),
        of("granted_s"),
        of("held_minor"),
        of("free_minutes"),
        of("expires_at")
    )
}

fn charged(verdict: &Value) -> String {
    let of = |name: &str| fact(verdict, name);
    let (charged, free, left) = (of("charged_minor"), of("free_minutes"), of("airtime_minor"));
    format!("charged {charged}, {free} free minutes used, {left} of airtime left")
}
