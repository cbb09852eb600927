//! What was answered: the same in a reply and in an entry.

use domain::receipt::receipt;
use domain::refusal::Refusal;
use domain::verdict::{CardLine, Done, Outcome};
use serde_json::{Map, Value, json};

use super::office;
use super::values::{Names, msisdn_json};

/// Adds `outcome` with `done` or `refusal`.
pub(crate) fn add(json: &mut Value, outcome: &Outcome, names: &Names) {
    let Some(fields) = json.as_object_mut() else { return };
    let (word, key, what) = match outcome {
        Outcome::Done(done) => ("done", "done", done_json(done, names)),
        Outcome::Refused(refusal) => ("refused", "refusal", refusal_json(refusal)),
    };
    fields.insert(String::from("outcome"), json!(word));
    fields.insert(String::from(key), what);
}

/// Its public name with its facts.
fn done_json(done: &Done, names: &Names) -> Value {
    let mut json = match done {
        Done::Given { left_minor, fee_minor, language } => {
            json!({ "left_minor": left_minor, "fee_minor": fee_minor, "language": language.tag() })
        }
        Done::ToppedUp { left_minor, fee_minor, airtime_minor } => json!({
            "left_minor": left_minor,
            "fee_minor": fee_minor,
            "airtime_minor": airtime_minor,
        }),
        Done::Cards { cards, sendable_minor, airtime_minor } => json!({
            "cards": cards.iter().map(card_line_json).collect::<Vec<_>>(),
            "sendable_minor": sendable_minor,
            "airtime_minor": airtime_minor,
        }),
        Done::Gifts { latest } => json!({ "latest": latest.0 }),
        Done::PasswordChanged => Value::Object(Map::new()),
        Done::Frozen { serial } => json!({ "serial": serial.to_string() }),
        Done::Bound { serial, balance_minor } => {
            json!({ "serial": serial.to_string(), "balance_minor": balance_minor })
        }
        Done::LanguageSet => Value::Object(Map::new()),
        Done::RulesLoaded { operator } => json!({ "operator": names.operator(*operator) }),
        Done::Imported { created, updated } => json!({ "created": created, "updated": updated }),
        Done::SubscriberChanged => Value::Object(Map::new()),
        Done::Issued { first, count } => json!({ "first": first.to_string(), "count": count }),
        Done::CardChanged => Value::Object(Map::new()),
        Done::CardExpired { breakage_minor } => json!({ "breakage_minor": breakage_minor }),
        Done::Held { left_minor, fee_minor, until } => json!({
            "left_minor": left_minor,
            "fee_minor": fee_minor,
            "until": until.rfc3339(),
        }),
        Done::Undone { hold, amount, recipient, balance_minor } => json!({
            "seq": hold.0,
            "receipt": receipt(*hold),
            "amount_minor": amount.minor(),
            "recipient": msisdn_json(*recipient),
            "balance_minor": balance_minor,
        }),
        Done::Office(done) => office::done_json(done),
    };
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("name"), json!(done.name()));
    }
    json
}

fn card_line_json(line: &CardLine) -> Value {
    let CardLine { serial, balance_minor, usable } = line;
    json!({ "serial": serial.to_string(), "balance_minor": balance_minor, "usable": usable })
}

/// Its public name with its facts.
fn refusal_json(refusal: &Refusal) -> Value {
    let facts = match refusal {
        Refusal::ServiceClosed { period } => json!({ "period": period }),
        Refusal::CallerResting { until } | Refusal::Locked { until } => json!({ "until": until.rfc3339() }),
        Refusal::WrongPassword { tries_left, locked_until } => {
            json!({ "tries_left": tries_left, "locked_until": locked_until.map(|until| until.rfc3339()) })
        }
        Refusal::CardNotUsable { why } => json!({ "why": why.name() }),
        Refusal::TooManyRefusals { until }
        | Refusal::SenderTooYoung { until }
        | Refusal::RecipientTooYoung { until } => json!({ "until": until.to_string() }),
        Refusal::AmountBelowMinimum { min_minor } => json!({ "min_minor": min_minor }),
        Refusal::AmountAboveMaximum { max_minor } => json!({ "max_minor": max_minor }),
        Refusal::AmountOffStep { step_minor } => json!({ "step_minor": step_minor }),
        Refusal::Repeated { given_at, seq, again_at } => json!({
            "given_at": given_at.rfc3339(),
            "seq": seq.0,
            "receipt": receipt(*seq),
            "again_at": again_at.rfc3339(),
        }),
        Refusal::LimitReached { limit, until } => json!({ "limit": limit.as_str(), "until": until.to_string() }),
        Refusal::RecipientBalanceMax { room_minor } => json!({ "room_minor": room_minor }),
        Refusal::InsufficientFunds { short_by_minor } => json!({ "short_by_minor": short_by_minor }),
        Refusal::TooManyCards { max } => json!({ "max": max }),
        Refusal::TooMuchAtOnce { max } => json!({ "max": max }),
        Refusal::RulesClash { with } => json!({ "with": with }),
        Refusal::NumberOutOfRange { index } | Refusal::CardNumberTaken { index } | Refusal::TwiceInList { index } => {
            json!({ "index": index })
        }
        Refusal::CardStateForbids { state } => json!({ "state": state }),
        Refusal::Office(refusal) => office::refusal_json(refusal),
        Refusal::CallerUnknown
        | Refusal::CallerBarred
        | Refusal::NoCard
        | Refusal::AmountRecipientSwapped
        | Refusal::RecipientMalformed
        | Refusal::AmountMalformed
        | Refusal::RecipientElsewhere
        | Refusal::RecipientUnknown
        | Refusal::RecipientIsCaller
        | Refusal::NothingToUndo
        | Refusal::NewPasswordMalformed
        | Refusal::NewPasswordsDiffer
        | Refusal::NewPasswordTrivial
        | Refusal::NewPasswordSame
        | Refusal::BindingBlocked
        | Refusal::LanguageNotOffered
        | Refusal::OperatorUnknown
        | Refusal::SubscriberUnknown
        | Refusal::CardUnknown
        | Refusal::AmountOverflow
        | Refusal::NothingToChange => Value::Object(Map::new()),
    };
    let mut json = facts;
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("name"), json!(refusal.name()));
    }
    json
}
