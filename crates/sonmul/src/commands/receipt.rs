//! `sonmul receipt`: the entry behind a receipt number that somebody reads out, and what became of its SMS.

use serde_json::Value;

use crate::admin::{plain, segment};
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
        for delivery in entry.get("sms").and_then(Value::as_array).into_iter().flatten() {
            print::line(&sms(delivery))?;
        }
    }
    Ok(Exit::Ok)
}

/// Who, where it is and since or until when, then what is known.
fn sms(delivery: &Value) -> String {
    let of = |name: &str| delivery.get(name).map(plain).unwrap_or_default();
    let at = match of("state").as_str() {
        "waiting" => "tried next at",
        "submitted" => "taken over, receipt awaited until",
        _ => "at",
    };
    let mut text = format!("          SMS to the {} {}: {}, {at} {}", of("role"), of("to"), of("state"), of("at"));
    for name in ["attempts", "status", "link", "message_id", "sent_at", "receipt", "receipt_error"] {
        if delivery.get(name).is_some_and(|value| !value.is_null()) {
            text.push_str(&format!(" {name}={}", of(name)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_delivery_on_one_line() {
        let delivery = json!({
            "role": "recipient", "to": "8501911000002", "state": "failed", "at": "2026-11-22T10:00:00.000Z",
            "attempts": 2, "status": 11, "link": null, "message_id": null, "sent_at": null, "receipt": null,
            "receipt_error": null,
        });
        assert_eq!(
            super::sms(&delivery),
            "          SMS to the recipient 8501911000002: failed, at 2026-11-22T10:00:00.000Z attempts=2 status=11"
        );
    }
}
