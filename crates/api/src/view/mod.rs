//! The one JSON view of a journal entry: for the administrative interface and `sonmul journal cat --json`.
//!
//! Guarantees: field names are public and never change (docs/protocols/admin.md); an entry is shown whole, except for what
//! is secret: a tag is its key's id, a card number its last three digits. A new command, verdict, refusal or change does
//! not compile until it is shown here.
//!
//! Bounded by the entry: at most [`TOUCH_MAX`](domain::TOUCH_MAX) accounts.
//!
//! Deliberately not here: texts for people, reading the journal.

mod command;
mod effects;
pub(crate) mod office;
pub(crate) mod outcome;
mod sms;
mod values;

use domain::id::IdKind;
use domain::receipt::{Seq, receipt};
use domain::time::Timestamp;
use domain::verdict::Entry;
use serde_json::{Value, json};

pub use self::sms::delivery_json;
pub use self::values::Names;
pub(crate) use self::values::{msisdn_json, standing_name};

/// An entry with its place and instant.
pub fn entry_json(seq: Seq, at: Timestamp, entry: &Entry, names: &Names) -> Value {
    let mut json = json!({
        "seq": seq.0,
        "at": at.rfc3339(),
        "receipt": receipt(seq),
        "id": entry.id.to_string(),
        "id_kind": id_kind_name(entry.id.kind()),
        "command": command::json(&entry.body, names),
        "effects": effects::json(&entry.verdict.effects, names),
    });
    outcome::add(&mut json, &entry.verdict.outcome, names);
    json
}

const fn id_kind_name(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Program { .. } => "program",
        IdKind::Ussd => "ussd",
        IdKind::Internal => "internal",
    }
}

#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "one of everything, with its text")]
mod office_tests;
#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "one of everything, with its text")]
mod outcome_tests;
#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "one of everything, with its text")]
mod tests;
