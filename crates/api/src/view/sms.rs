//! What became of an entry's SMS, as care sees it. Never their texts.

use engine::deliveries::{Delivery, Stage};
use serde_json::{Value, json};

use super::values::msisdn_json;

/// One delivery. `state` is `waiting` (its next try is `at`), `submitted` (no receipt counts after `at`), or how it ended
/// (`at` says when).
pub fn delivery_json(delivery: &Delivery) -> Value {
    let (state, at) = match delivery.stage {
        Stage::Waiting { next_at } => ("waiting", next_at),
        Stage::Submitted { until } => ("submitted", until),
        Stage::Ended { how, at } => (how.name(), at),
    };
    let sent = delivery.sent.as_ref();
    json!({
        "role": delivery.key.role.name(),
        "to": msisdn_json(delivery.to),
        "state": state,
        "at": at.rfc3339(),
        "attempts": delivery.attempts,
        "status": delivery.status,
        "link": sent.map(|sent| sent.link.0),
        "message_id": sent.and_then(|sent| sent.message_id.as_deref()),
        "sent_at": sent.map(|sent| sent.at.rfc3339()),
        "receipt": delivery.receipt.map(|receipt| receipt.name()),
        "receipt_error": delivery.receipt_error,
    })
}
