//! An entry of the journal on one line, for people. Programs read the JSON that it is made from (see `api::view`).

use serde_json::{Map, Value};

use crate::admin::plain;

/// Seq, instant, receipt, what was asked, what was answered.
pub(crate) fn line(entry: &Value) -> String {
    let of = |name: &str| entry.get(name).map(plain).unwrap_or_default();
    let asked = entry.get("command").and_then(Value::as_object).map(asked).unwrap_or_default();
    let answered = entry.get("done").or_else(|| entry.get("refusal")).and_then(Value::as_object);
    let answered = answered.map(facts).unwrap_or_default();
    let mut text = format!("{:>8}  {}  {:8}  {asked}: {}", of("seq"), of("at"), of("receipt"), of("outcome"));
    if !answered.is_empty() {
        text.push_str(", ");
        text.push_str(&answered);
    }
    text
}

fn asked(command: &Map<String, Value>) -> String {
    let mut words = vec![command.get("name").map(plain).unwrap_or_default()];
    let caller = command.get("caller").and_then(|caller| caller.get("msisdn"));
    words.extend(caller.map(plain));
    if let Some(recipient) = command.get("recipient") {
        words.push(String::from("to"));
        words.push(known(recipient));
    }
    words.extend(command.get("amount_minor").map(known));
    for name in ["msisdn", "serial", "language", "number"] {
        words.extend(command.get(name).filter(|value| !value.is_null()).map(plain));
    }
    if let Some(change) = command.get("change").and_then(Value::as_object) {
        words.push(facts(change));
    }
    for name in ["subscribers", "cards"] {
        words.extend(command.get(name).and_then(Value::as_array).map(|list| format!("{} {name}", list.len())));
    }
    words.extend(command.get("rules").and_then(|rules| rules.get("operator")).map(plain));
    words.join(" ")
}

/// What was typed and is none is null.
fn known(value: &Value) -> String {
    if value.is_null() { String::from("(malformed)") } else { plain(value) }
}

/// The name, then what else is known.
fn facts(object: &Map<String, Value>) -> String {
    let mut words: Vec<String> = object.get("name").map(plain).into_iter().collect();
    for (name, value) in object {
        let scalar = value.is_string() || value.is_number() || value.is_boolean();
        if scalar && name != "name" {
            words.push(format!("{name}={}", plain(value)));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_gift_on_one_line() {
        let entry = json!({
            "seq": 7, "at": "2026-11-22T10:00:00.000Z", "receipt": "7-4J", "outcome": "done",
            "command": { "name": "gift", "caller": { "msisdn": "8501911000001" }, "recipient": "8501911000002",
                         "amount_minor": 500 },
            "done": { "name": "given", "left_minor": 500 },
        });
        assert_eq!(
            super::line(&entry),
            "       7  2026-11-22T10:00:00.000Z  7-4J      gift 8501911000001 to 8501911000002 500: done, given left_minor=500"
        );
    }
}
