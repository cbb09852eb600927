//! Card production: a batch is begun, exported once as a job, and looked at while that goes on.
//!
//! Guarantees: staff never see a number or a password: they go from the dice to the tag and into a file that only the
//! printer can open (see [`Press`]); that file is on disk before the batch is sealed; a job that fails gives its batch up,
//! so that its cards never exist; a second export is refused by the decider, and so recorded.
//!
//! Bounded by [`EXPORTS_MAX`] jobs at a time, [`CARDS_AT_ONCE`] cards a command: gifts are decided between them.
//!
//! Deliberately not here: how the file looks (sonmul).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::TOUCH_MAX;
use domain::ids::{BatchId, OperatorId, Serial};
use domain::money::Amount;
use domain::number::CardNumber;
use domain::office::batch::{Batch, BatchCommand, Stage};
use domain::office::{Asked as Wish, Record, RecordKind};
use domain::password::Password;
use domain::receipt::Seq;
use domain::rules::Rules;
use engine::answer::{Query, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Admin;
use super::ask::{Asked, Key, Limited, Posted};
use super::export;
use super::journal::with_seq;
use super::office::{batch_id, body};
use super::problem::Problem;
use crate::view::Names;
use crate::view::office::record_json;

/// Exports under way at a time: each keeps a core busy.
pub const EXPORTS_MAX: usize = 1;
/// Cards that one command makes.
pub(crate) const CARDS_AT_ONCE: usize = TOUCH_MAX - 1;
/// Exports that are remembered.
const REMEMBERED_MAX: usize = 256;

/// What a file of cards is made for.
#[derive(Clone, Debug)]
pub struct PressOrder {
    /// The batch.
    pub batch: BatchId,
    /// Whose.
    pub operator: OperatorId,
    /// The operator's rules: names, service code, unit.
    pub rules: Arc<Rules>,
    /// What will be on each card.
    pub value: Amount,
    /// The printer's `age` recipient.
    pub recipient: String,
    /// Printable sheets besides the table.
    pub sheets: bool,
}

/// A file of cards that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// BLAKE3 of the encrypted file.
    pub file_hash: [u8; 32],
    /// How long it is.
    pub octets: u64,
    /// Where it is, in the data directory.
    pub file: String,
}

/// Whoever makes files of cards. It may wait for a disk.
pub trait Press: Send + Sync {
    /// Begins the one file of a batch.
    ///
    /// # Errors
    /// A sentence for whoever asked: a recipient that is none, a file that is there, a disk that is full.
    fn begin(&self, order: &PressOrder) -> Result<Box<dyn CardSink>, String>;

    /// Removes the file of a batch that was given up.
    fn discard(&self, batch: BatchId);
}

/// A file of cards that grows. Dropped before it is finished, it is removed.
pub trait CardSink: Send {
    /// Adds a card.
    ///
    /// # Errors
    /// A sentence without its secrets.
    fn push(&mut self, serial: Serial, number: CardNumber, password: &Password) -> Result<(), String>;

    /// Puts all of it on disk.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    fn finish(self: Box<Self>) -> Result<Pressed, String>;
}

/// How an export does.
#[derive(Clone, Debug)]
pub(crate) enum Export {
    /// Making cards, or the file.
    Running,
    /// Sealed.
    Done(Pressed),
    /// Given up, and why.
    Failed(String),
}

/// Exports of this server's life.
#[derive(Default)]
pub(crate) struct Exports {
    known: Mutex<BTreeMap<BatchId, Export>>,
}

impl Exports {
    fn begin(&self, batch: BatchId) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let running = known.values().filter(|export| matches!(export, Export::Running)).count();
        if running >= EXPORTS_MAX {
            return false;
        }
        while known.len() >= REMEMBERED_MAX {
            known.pop_first();
        }
        known.insert(batch, Export::Running);
        true
    }

    pub(crate) fn end(&self, batch: BatchId, export: Export) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(batch, export);
    }

    fn find(&self, batch: BatchId) -> Option<Export> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&batch).cloned()
    }
}

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
    if matches!(admin.exports.find(batch), Some(Export::Running)) || known.made > 0 {
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
    let (seq, known) = find(&admin, batch).await?;
    let known = known.ok_or_else(|| Problem::NotFound(String::from("no batch has this number")))?;
    let names = Names::from(&*admin.handle().directory());
    let mut json = record_json(&Record::Batch(known), &names);
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("batch"), json!(batch.get()));
        fields.insert(String::from("export"), export_json(admin.exports.find(batch).as_ref()));
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
