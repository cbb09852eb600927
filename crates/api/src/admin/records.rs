//! What the office keeps, and what can be asked about it: records by kind, card states by range, the price of a call.
//!
//! Bounded by [`LIST_MAX`] records of a list and [`CARDS_MAX`] cards of a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::currency::Currency;
use domain::ids::{OperatorId, Serial, SubscriberId};
use domain::office::call::CALL_SECONDS_MAX;
use domain::office::{Record, RecordKey, RecordKind};
use domain::receipt::{Seq, receipt};
use engine::answer::{CARDS_COUNTED_MAX, Query, Records, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Key, Sought};
use super::cards::read_serial;
use super::problem::Problem;
use super::seen::with_seq;
use super::{Admin, LIST_MAX, numbers};
use crate::view::office::record_json;
use crate::view::{Names, msisdn_json};

/// Cards of a map at most.
pub(crate) const CARDS_MAX: u32 = 10_000_000;

/// Which of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    from: Option<u64>,
    most: Option<usize>,
}

/// `GET /v1/office/{kind}`.
pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Key(kind): Key,
    Sought(part): Sought<Part>,
) -> Result<Response, Problem> {
    let kind = RecordKind::from_name(&kind).ok_or_else(|| {
        let kinds = RecordKind::ALL.map(RecordKind::name).join(", ");
        Problem::NotFound(format!("the office keeps nothing of this kind, but: {kinds}"))
    })?;
    let most = part.most.unwrap_or(LIST_MAX).min(LIST_MAX);
    let seen = admin.query(Query::Records { kind, from: part.from.unwrap_or(0) }).await?;
    let View::Records(records) = seen.value else {
        return Err(Problem::gone(&"the engine answered another question"));
    };
    let names = Names::from(&*admin.handle().directory());
    let shown: Vec<Value> =
        records.list.iter().take(most).map(|(key, record)| named(*key, record, &records, &names)).collect();
    Ok(with_seq(seen.seq, Json(shown)))
}

/// A record with what it is called by.
fn named(key: RecordKey, record: &Record, all: &Records, names: &Names) -> Value {
    let json = record_json(record, names);
    let operator = |row: u64| u8::try_from(row).ok().map(|row| names.operator(OperatorId(row)));
    let serial = || json!(Serial(u32::try_from(key.id).unwrap_or(u32::MAX)).to_string());
    let number = |id| json!(all.numbers.get(&id).copied().map(msisdn_json));
    match record {
        Record::Rates(_) => {
            let currency = u8::try_from(key.id & 0xFF).ok().and_then(Currency::from_index);
            json!({ "operator": operator(key.id >> 8), "currency": currency.map(Currency::code), "rates": json })
        }
        Record::Issued(issued) => {
            let date = issued.date.to_string();
            json!({ "operator": operator(key.id), "date": date, "total_minor": issued.total_minor })
        }
        Record::Stopped(why) => json!({ "operator": operator(key.id), "why": why }),
        Record::VoidCards(_) => with(json, [("first", serial())]),
        Record::Takings(_) => with(json, [("serial", serial())]),
        Record::Reversed(_) => with(json, [("reversed", json!(receipt(Seq(key.id))))]),
        Record::Hold(hold) => {
            let taken_by = json!(receipt(Seq(key.id)));
            let (from, to) = (number(hold.sender), number(hold.recipient));
            with(json, [("hold", json!(key.id)), ("from", from), ("to", to), ("receipt", taken_by)])
        }
        Record::Call(call) => with(json, [("call", json!(key.id)), ("msisdn", number(call.subscriber))]),
        Record::Outlet(_) | Record::Batch(_) | Record::Quote(_) => with(json, [(key.kind.name(), json!(key.id))]),
        Record::Motion(_) => {
            let mut json = json;
            with_numbers(&mut json, all);
            with(json, [(key.kind.name(), json!(key.id))])
        }
    }
}

/// Wherever a subscriber's row is named, its number stands beside it: nobody approves what a row number hides.
fn with_numbers(json: &mut Value, all: &Records) {
    match json {
        Value::Object(fields) => {
            for (row, name) in
                [("subscriber", "msisdn"), ("sender", "sender_msisdn"), ("recipient", "recipient_msisdn")]
            {
                let id =
                    fields.get(row).and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()).map(SubscriberId);
                if let Some(msisdn) = id.and_then(|id| all.numbers.get(&id)) {
                    fields.insert(String::from(name), msisdn_json(*msisdn));
                }
            }
            fields.values_mut().for_each(|value| with_numbers(value, all));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| with_numbers(value, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An object with more fields.
fn with<const N: usize>(mut json: Value, more: [(&str, Value); N]) -> Value {
    if let Some(fields) = json.as_object_mut() {
        fields.extend(more.map(|(name, value)| (String::from(name), value)));
    }
    json
}

/// Cards in a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    first: String,
    last: String,
}

/// `GET /v1/card-states`: how many cards in a row are in which state.
pub(crate) async fn states(State(admin): State<Arc<Admin>>, Sought(range): Sought<Range>) -> Result<Response, Problem> {
    let (first, last) = (read_serial(&range.first)?, read_serial(&range.last)?);
    if last.0.checked_sub(first.0).is_none_or(|more| more >= CARDS_MAX) {
        return Err(Problem::Malformed(format!("`last` is not before `first`, and not {CARDS_MAX} cards after it")));
    }
    let mut map: BTreeMap<&'static str, (u32, i128)> = BTreeMap::new();
    let mut next = first.0;
    let mut first_seen = None;
    // In pieces: gifts are decided between them.
    while next <= last.0 {
        let end = next.saturating_add(CARDS_COUNTED_MAX - 1).min(last.0);
        let seen = admin.query(Query::CardStates { first: Serial(next), last: Serial(end) }).await?;
        let View::CardStates(counts) = seen.value else {
            return Err(Problem::gone(&"the engine answered another question"));
        };
        for count in counts {
            let sum = map.entry(count.state).or_default();
            sum.0 += count.cards;
            sum.1 += i128::from(count.balance_minor);
        }
        first_seen.get_or_insert(seen.seq);
        next = end.saturating_add(1);
    }
    let shown: Vec<Value> = map
        .into_iter()
        .map(|(state, (cards, balance))| json!({ "state": state, "cards": cards, "balance_minor": balance }))
        .collect();
    Ok(with_seq(first_seen.unwrap_or(Seq::ZERO), Json(shown)))
}

/// A call that somebody thinks of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Talk {
    msisdn: String,
    seconds: u32,
    #[serde(default)]
    cross: bool,
}

/// `GET /v1/call-price`.
pub(crate) async fn call_price(
    State(admin): State<Arc<Admin>>,
    Sought(talk): Sought<Talk>,
) -> Result<Response, Problem> {
    let msisdn = numbers::read(&talk.msisdn, &admin.handle().directory())?;
    let (cross, seconds) = (talk.cross, talk.seconds);
    let seen = admin.query(Query::CallPrice { msisdn, cross, seconds }).await?;
    match seen.value {
        View::CallPrice(Some(Ok(price))) => Ok(with_seq(
            seen.seq,
            Json(json!({
                "minutes": price.minutes,
                "free_minutes": price.free_minutes,
                "price_minor": price.price_minor,
                "airtime_minor": price.airtime_minor,
            })),
        )),
        View::CallPrice(Some(Err(refusal))) => Err(Problem::Malformed(format!(
            "{}: a call lasts 1 to {CALL_SECONDS_MAX} seconds, and its price must fit a number",
            refusal.name()
        ))),
        View::CallPrice(None) => Err(Problem::Missing(seen.seq, "no subscriber has this number")),
        _ => Err(Problem::gone(&"the engine answered another question")),
    }
}
