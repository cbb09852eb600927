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

use std::collections::HashMap;

use domain::card::Voiding;
use domain::id::IdKind;
use domain::ids::{LimitId, OperatorId};
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::password::PasswordTag;
use domain::receipt::{Seq, receipt};
use domain::rules::Rules;
use domain::rules::limit::Subject;
use domain::state::Standing;
use domain::time::Timestamp;
use domain::verdict::{Change, Entry};
use engine::answer::Directory;
use serde_json::{Value, json};

pub use self::sms::delivery_json;

/// What operators and limits are called: from the rules in force, or learnt from the entries that load rules.
#[derive(Clone, Debug, Default)]
pub struct Names {
    operators: HashMap<OperatorId, String>,
    limits: HashMap<LimitId, (String, Subject)>,
}

impl Names {
    /// Learns from an entry, so that a reader of a whole journal knows what it and every later one are about.
    pub fn learn(&mut self, entry: &Entry) {
        for change in &entry.verdict.effects.changes {
            if let Change::Operator { id, rules, .. } = change {
                self.add(*id, rules);
            }
        }
    }

    fn add(&mut self, id: OperatorId, rules: &Rules) {
        self.operators.insert(id, rules.operator.clone());
        for limit in rules.limits() {
            self.limits.insert(limit.id, (String::from(limit.name.as_str()), limit.subject));
        }
    }

    pub(crate) fn operator(&self, id: OperatorId) -> Value {
        json!({ "id": id.0, "name": self.operators.get(&id) })
    }

    fn limit(&self, id: LimitId) -> (Value, Option<Subject>) {
        let known = self.limits.get(&id);
        let shown = json!({ "id": id.0, "name": known.map(|(name, _)| name) });
        (shown, known.map(|(_, subject)| *subject))
    }
}

impl From<&Directory> for Names {
    fn from(directory: &Directory) -> Self {
        let mut names = Self::default();
        (0_u8..).map(OperatorId).zip(&directory.operators).for_each(|(id, rules)| names.add(id, rules));
        names
    }
}

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

/// E.164 digits.
pub(crate) fn msisdn_json(msisdn: Msisdn) -> Value {
    Value::String(msisdn.get().to_string())
}

fn imsi_json(imsi: Imsi) -> Value {
    Value::String(imsi.get().to_string())
}

/// The last three digits: with its password a card number is money.
fn card_number_json(number: CardNumber) -> Value {
    Value::String(format!("…{:03}", number.get() % 1000))
}

/// Which key made it, and nothing else.
fn tag_json(tag: &PasswordTag) -> Value {
    json!({ "key": tag.key().0 })
}

/// [`Timestamp::MAX`] stands for "never".
fn until_json(until: Timestamp) -> Option<String> {
    (until < Timestamp::MAX).then(|| until.rfc3339())
}

/// Public name.
pub(crate) const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Barred => "barred",
        Standing::Released => "released",
    }
}

const fn voiding_name(why: Voiding) -> &'static str {
    match why {
        Voiding::Lost => "lost",
        Voiding::Faulty => "faulty",
        Voiding::Ordered => "ordered",
    }
}

/// Rules in short: whose, from which file, and what their periods are called.
fn rules_json(rules: &Rules, file_hash: &[u8; 32]) -> Value {
    json!({
        "operator": rules.operator,
        "file_hash": blake3::Hash::from_bytes(*file_hash).to_hex().to_string(),
        "periods": rules.periods.iter().map(|period| period.name.as_str()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod office_tests;
#[cfg(test)]
mod outcome_tests;
#[cfg(test)]
mod tests;
