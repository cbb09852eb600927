//! Entries: the journal, the history of a subscriber, and the entry of a receipt.
//!
//! Guarantees: reading never holds an async thread, and at most [`READS_MAX`](super::READS_MAX) requests read at a time.
//! Bounded by [`LIST_MAX`](super::LIST_MAX) entries and [`LIST_LEN_MAX`](super::LIST_LEN_MAX) octets of a list.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::receipt::{Seq, parse_receipt};
use domain::time::Timestamp;
use domain::verdict::Entry;
use engine::history::{self, Found};
use engine::journal::{JournalReader, decode};
use serde::Deserialize;
use serde_json::Value;

use super::ask::{Key, Sought};
use super::problem::Problem;
use super::seen::with_seq;
use super::{Admin, FindSms, LIST_LEN_MAX, LIST_MAX, subscribers};
use crate::view::{Names, delivery_json, entry_json};

/// Octets of the journal that are read at once.
const READ_LEN: usize = 256 << 10;

/// Which part of the journal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    from: Option<u64>,
    most: Option<usize>,
}

impl Part {
    fn most(&self, otherwise: usize) -> Result<usize, Problem> {
        let most = self.most.unwrap_or(otherwise);
        let fits = (1..=LIST_MAX).contains(&most);
        if fits { Ok(most) } else { Err(Problem::Malformed(format!("`most` is 1 to {LIST_MAX}"))) }
    }
}

/// Entries as a JSON array, as long as they fit.
struct List {
    json: Vec<u8>,
    count: usize,
    most: usize,
}

impl List {
    fn new(most: usize) -> Self {
        Self { json: Vec::from(b"["), count: 0, most }
    }

    fn is_full(&self) -> bool {
        self.count >= self.most || self.json.len() >= LIST_LEN_MAX
    }

    fn add(&mut self, seq: Seq, at: Timestamp, entry: &Entry, names: &Names) {
        if self.count > 0 {
            self.json.push(b',');
        }
        self.json.extend_from_slice(entry_json(seq, at, entry, names).to_string().as_bytes());
        self.count += 1;
    }

    fn finish(mut self) -> impl IntoResponse {
        self.json.push(b']');
        ([(CONTENT_TYPE, "application/json")], self.json)
    }
}

/// Runs `work` on a thread that may wait for the disk.
pub(crate) async fn reading<T: Send + 'static>(
    admin: &Admin,
    work: impl FnOnce(&dyn JournalReader, &Names) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let _place = admin.reads.acquire().await.map_err(|closed| Problem::gone(&closed))?;
    let reader = admin.handle().reader();
    let directory = admin.handle().directory();
    let done = tokio::task::spawn_blocking(move || work(&*reader, &Names::from(&*directory))).await;
    done.map_err(|ended| Problem::gone(&ended))?
}

/// `GET /v1/journal`.
pub(crate) async fn list(State(admin): State<Arc<Admin>>, Sought(part): Sought<Part>) -> Result<Response, Problem> {
    let most = part.most(100)?;
    let from = Seq(part.from.unwrap_or(1).max(1));
    let head = admin.head();
    let list = reading(&admin, move |reader, names| forwards(reader, names, from, head, most)).await?;
    Ok(with_seq(head, list.finish()))
}

fn forwards(reader: &dyn JournalReader, names: &Names, from: Seq, head: Seq, most: usize) -> Result<List, Problem> {
    let mut list = List::new(most);
    let mut next = from;
    while next <= head && !list.is_full() {
        let links = reader.read(next, READ_LEN)?;
        if links.is_empty() {
            break;
        }
        for link in &links {
            let batch = decode(link)?;
            for (seq, entry) in batch.iter().filter(|(seq, _)| from <= *seq && *seq <= head) {
                if list.is_full() {
                    return Ok(list);
                }
                list.add(seq, batch.at, entry, names);
            }
            next = batch.last_seq().next();
        }
    }
    Ok(list)
}

/// `GET /v1/subscribers/{msisdn}/history`.
pub(crate) async fn history(
    State(admin): State<Arc<Admin>>,
    Key(number): Key,
    Sought(part): Sought<Part>,
) -> Result<Response, Problem> {
    let most = part.most(20)?;
    let (seq, view) = subscribers::find(&admin, &number).await?;
    let latest = part.from.map_or(view.latest, |from| Seq(from).min(view.latest));
    let list = reading(&admin, move |reader, names| {
        let mut list = List::new(most);
        for Found { seq, at, entry } in history::walk(reader, latest, view.id, most, |_| true)? {
            if list.is_full() {
                break;
            }
            list.add(seq, at, &entry, names);
        }
        Ok(list)
    })
    .await?;
    Ok(with_seq(seq, list.finish()))
}

/// `GET /v1/receipts/{receipt}`.
pub(crate) async fn receipt(State(admin): State<Arc<Admin>>, Key(text): Key) -> Result<Response, Problem> {
    let seq = parse_receipt(&text).map_err(|_| Problem::Misread)?;
    let head = admin.head();
    let none = move || Problem::Missing(head, "no entry has this receipt number yet");
    if seq == Seq::ZERO || seq > head {
        return Err(none());
    }
    let find_sms = Arc::clone(&admin.parts.find_sms);
    let json = reading(&admin, move |reader, names| {
        let found = history::entry(reader, seq)?.ok_or_else(none)?;
        let mut json = entry_json(found.seq, found.at, &found.entry, names);
        if let Some(fields) = json.as_object_mut() {
            fields.insert(String::from("sms"), sms_json(&find_sms, seq));
        }
        Ok(json)
    })
    .await?;
    Ok(with_seq(head, axum::Json(json)))
}

/// The gift is there also when nobody can say what became of its SMS: null then.
fn sms_json(find: &FindSms, seq: Seq) -> Value {
    match find(seq) {
        Ok(deliveries) => deliveries.iter().map(delivery_json).collect(),
        Err(fault) => {
            tracing::error!(%fault, "the SMS of an entry could not be looked up");
            Value::Null
        }
    }
}
