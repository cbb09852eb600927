//! What stands in many places of the view: names of operators and limits, numbers, accounts, instants.
//!
//! Guarantees: of what is secret as much is shown as [`super`] says: a tag is its key's id, a card number its last three
//! digits.

use std::collections::HashMap;

use domain::account::AccountId;
use domain::card::Voiding;
use domain::effects::Change;
use domain::ids::{CardId, LimitId, OperatorId, Serial};
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::password::PasswordTag;
use domain::rules::Rules;
use domain::rules::limit::Subject;
use domain::state::Standing;
use domain::time::Timestamp;
use domain::verdict::Entry;
use engine::answer::Directory;
use serde_json::{Value, json};

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

    pub(super) fn limit(&self, id: LimitId) -> (Value, Option<Subject>) {
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

/// E.164 digits.
pub(crate) fn msisdn_json(msisdn: Msisdn) -> Value {
    Value::String(msisdn.get().to_string())
}

pub(super) fn imsi_json(imsi: Imsi) -> Value {
    Value::String(imsi.get().to_string())
}

/// The last three digits: with its password a card number is money.
pub(super) fn card_number_json(number: CardNumber) -> Value {
    Value::String(format!("…{:03}", number.get() % 1000))
}

/// Which key made it, and nothing else.
pub(super) fn tag_json(tag: &PasswordTag) -> Value {
    json!({ "key": tag.key().0 })
}

/// [`Timestamp::MAX`] stands for "never".
pub(super) fn until_json(until: Timestamp) -> Option<String> {
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

pub(super) const fn voiding_name(why: Voiding) -> &'static str {
    match why {
        Voiding::Lost => "lost",
        Voiding::Faulty => "faulty",
        Voiding::Ordered => "ordered",
    }
}

/// Rules in short: whose, from which file, and what their periods are called.
pub(super) fn rules_json(rules: &Rules, file_hash: &[u8; 32]) -> Value {
    json!({
        "operator": rules.operator,
        "file_hash": blake3::Hash::from_bytes(*file_hash).to_hex().to_string(),
        "periods": rules.periods.iter().map(|period| period.name.as_str()).collect::<Vec<_>>(),
    })
}

pub(super) fn account_json(account: AccountId) -> Value {
    let kind = account.kind();
    match account {
        AccountId::Card(card) => json!({ "kind": kind, "serial": serial(card) }),
        AccountId::Airtime(subscriber) => json!({ "kind": kind, "subscriber": subscriber.0 }),
        AccountId::FeeIncome(operator)
        | AccountId::TaxPayable(operator)
        | AccountId::CallIncome(operator)
        | AccountId::Breakage(operator)
        | AccountId::Position(operator)
        | AccountId::Refunded(operator)
        | AccountId::Held(operator) => json!({ "kind": kind, "operator": operator.0 }),
        AccountId::Cash(operator, currency) | AccountId::CashPosition(operator, currency) => {
            json!({ "kind": kind, "operator": operator.0, "currency": currency.code() })
        }
        AccountId::Float(outlet, currency) => {
            json!({ "kind": kind, "outlet": outlet.0, "currency": currency.code() })
        }
    }
}

pub(super) fn serial(card: CardId) -> String {
    Serial::of(card).to_string()
}
