//! Card production: a batch is begun, exported once as a job, and looked at while that goes on.
//!
//! Guarantees: staff never see a number or a password: they go from the dice to the tag and into a file that only the
//! printer can open (see [`super::Press`]); that file is on disk before the batch is sealed; a job that fails gives its
//! batch up, so that its cards never exist; a second export is refused by the decider, and so recorded.
//!
//! Bounded by [`EXPORTS_MAX`](export::EXPORTS_MAX) jobs at a time, [`CARDS_AT_ONCE`](export::CARDS_AT_ONCE) cards a command:
//! gifts are decided between them.
//!
//! Deliberately not here: how the file looks (sonmul).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::BatchId;
use domain::money::Amount;
use domain::office::batch::{Batch, BatchCommand, Stage};
use domain::office::{Asked as Wish, Record, RecordKind};
use domain::receipt::Seq;
use engine::answer::{Query, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Admin;
use super::ask::{Asked, Key, Limited, Posted};
use super::export::{self, Export};
use super::office::{batch_id, body};
use super::press::PressOrder;
use super::problem::Problem;
use super::seen::with_seq;
use crate::view::Names;
use crate::view::office::record_json;

/// A batch to begin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    operator: String,
    value_minor: i64,
    count: u32,
}

impl Limited for Start {
    const LEN_MAX: usize = 1024;
}

/// `POST /v1/batches`.
pub(crate) async fn start(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Posted(ask): Posted<Start>,
) -> Result<Response, Problem> {
    let (operator, _) = admin.operator(&ask.operator)?;
    let value = Amount::try_new(ask.value_minor)
        .ok_or_else(|| Problem::Malformed(String::from("`value_minor` is 1 or more")))?;
    let what = Wish::Batch(BatchCommand::Start { operator, value, ordered: ask.count });
    Ok(admin.decide(&asked, body(&asked, what)).await)
}

/// For whom a batch is exported.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToPrinter {
    recipient: String,
    #[serde(default = "yes")]
    sheets: bool,
}

const fn yes() -> bool {
    true
}

impl Limited for ToPrinter {
    const LEN_MAX: usize = 1024;
}

/// `POST /v1/batches/{batch}/export`.
pub(crate) async fn export(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    Posted(ToPrinter { recipient, sheets }): Posted<ToPrinter>,
) -> Result<Response, Problem> {
    let batch = read_batch(&number)?;
    let (_, known) = find(&admin, batch).await?;
    let Some(known) = known.filter(|known| known.stage == Stage::Making) else {
        // The decider says so, and that somebody tried is recorded.
        let what = Wish::Batch(BatchCommand::Make { batch, cards: Vec::new() });
        return Ok(admin.decide(&asked, body(&asked, what)).await);
    };
    // The record is older than this answer: an export of another request may have ended meanwhile.
    let before = matches!(admin.exports.find(batch), Some(Export::Running | Export::Done(_)));
    if before || known.made > 0 {
        let what = "this batch is being exported, or was when the server stopped: look at it; its secrets can't be made \
                    again, so give it up if nothing happens";
        return Err(Problem::Malformed(String::from(what)));
    }
    let directory = admin.handle().directory();
    let rules = directory.rules(known.operator).map(Arc::clone);
    let rules = rules.ok_or_else(|| Problem::gone(&"a batch of no operator"))?;
    let order = PressOrder { batch, operator: known.operator, rules, value: known.value, recipient, sheets };
    if !admin.exports.begin(batch) {
        return Err(Problem::Busy);
    }
    let press = Arc::clone(&admin.parts.press);
    let begun = tokio::task::spawn_blocking(move || press.begin(&order)).await;
    let sink = match begun.map_err(|ended| Problem::gone(&ended))? {
        Ok(sink) => sink,
        Err(why) => {
            admin.exports.end(batch, Export::Failed(why.clone()));
            return Err(Problem::Malformed(why));
        }
    };
    let cards = known.ordered;
    tokio::spawn(export::run(Arc::clone(&admin), asked, batch, known, sink));
    let shown = json!({ "batch": batch.get(), "cards": cards, "export": "running" });
    Ok(asked.mark((StatusCode::ACCEPTED, Json(shown))))
}

/// `GET /v1/batches/{batch}`.
pub(crate) async fn show(State(admin): State<Arc<Admin>>, Key(number): Key) -> Result<Response, Problem> {
    let batch = read_batch(&number)?;
    // Before the record: an export that has ended has sealed it. The other way round, one that ends between
    // the two would be shown as done with a batch that is still being made.
    let export = admin.exports.find(batch);
    let (seq, known) = find(&admin, batch).await?;
    let known = known.ok_or(Problem::Missing(seq, "no batch has this number"))?;
    let names = Names::from(&*admin.handle().directory());
    let mut json = record_json(&Record::Batch(known), &names);
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("batch"), json!(batch.get()));
        fields.insert(String::from("export"), export_json(export.as_ref()));
    }
    Ok(with_seq(seq, Json(json)))
}

fn export_json(export: Option<&Export>) -> Value {
    match export {
        None => Value::Null,
        Some(Export::Running) => json!({ "state": "running" }),
        Some(Export::Done(pressed)) => json!({ "state": "done", "file": pressed.file, "octets": pressed.octets }),
        Some(Export::Failed(why)) => json!({ "state": "failed", "why": why }),
    }
}

async fn find(admin: &Admin, batch: BatchId) -> Result<(Seq, Option<Batch>), Problem> {
    let id = u64::from(batch.get());
    let seen = admin.query(Query::Records { kind: RecordKind::Batch, from: id }).await?;
    match seen.value {
        View::Records(records) => Ok((
            seen.seq,
            records.list.into_iter().next().and_then(|(key, record)| match record {
                Record::Batch(known) if key.id == id => Some(known),
                _ => None,
            }),
        )),
        _ => Err(Problem::gone(&"the engine answered another question")),
    }
}

fn read_batch(text: &str) -> Result<BatchId, Problem> {
    let number = text.parse().map_err(|_| Problem::Malformed(String::from("a batch is named by its number")))?;
    batch_id(number)
}
