//! `sonmul status`: how a server does.

use serde_json::Value;

use crate::exit::{Exit, Outcome};
use crate::print;

use super::{DataArg, block_on};

/// See `sonmul status --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with 3 when there is no server or its intake is closed.

Example:
  sonmul status --data sonmul-data
  sonmul status --accept-clock")]
pub(crate) struct StatusArgs {
    /// Take the server's clock as it is now, once: intake that the clock closed opens again
    #[arg(long)]
    accept_clock: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArg,
}

/// Asks the server.
pub(crate) fn run(args: &StatusArgs) -> Outcome {
    let admin = args.data.admin();
    let status = block_on(async {
        if args.accept_clock {
            admin.post("/v1/clock/accept", &Value::Object(serde_json::Map::new())).await?.ok()?;
        }
        admin.get("/v1/status").await?.ok()
    })?;
    print::value(&status, args.json)?;
    let closed = status.get("closed").is_some_and(|closed| !closed.is_null());
    Ok(if closed && !args.accept_clock { Exit::Unreachable } else { Exit::Ok })
}
