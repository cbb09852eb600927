//! Status, clock, and the operators' rules.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::command::{Body, LoadRules};
use domain::ids::{Language, OperatorId, Staff};
use domain::rules::parse::PROFILE_LEN_MAX;
use domain::rules::{Rules, parse};
use domain::time::{BusinessDate, Timestamp};
use engine::answer::{Closed, StatusView};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Asked, Limited, NoBody, Posted};
use super::problem::Problem;
use super::seen::with_seq;
use super::{Admin, CheckRules, reply};

/// `GET /v1/status`.
pub(crate) async fn status(State(admin): State<Arc<Admin>>) -> Response {
    let view = admin.handle().status();
    with_seq(view.seq, Json(status_json(&view, admin.parts.version)))
}

fn status_json(view: &StatusView, version: &str) -> Value {
    let operator = |(name, date): &(String, BusinessDate)| json!({ "name": name, "date": date.to_string() });
    json!({
        "seq": view.seq.0,
        "at": view.at.rfc3339(),
        "operators": view.operators.iter().map(operator).collect::<Vec<_>>(),
        "subscribers": view.subscribers,
        "cards": view.cards,
        "ids": view.ids,
        "ids_floor": view.ids_floor.rfc3339(),
        "ussd_ids": view.ussd_ids,
        "ussd_ids_refused": view.ussd_ids_refused,
        "slowed": view.is_slowed,
        "closed": view.closed.map(Closed::name),
        "version": version,
    })
}

/// `POST /v1/clock/accept`.
pub(crate) async fn accept_clock(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    _: NoBody,
) -> Result<Response, Problem> {
    tracing::warn!(uid = asked.staff.0, "the clock is accepted as it is");
    if admin.handle().accept_clock().await {
        Ok(Json(json!({ "accepted": true })).into_response())
    } else {
        Err(Problem::Busy)
    }
}

/// `GET /v1/operators`.
pub(crate) async fn list(State(admin): State<Arc<Admin>>) -> Result<Response, Problem> {
    let seq = admin.head();
    let directory = admin.handle().directory();
    let now = admin.handle().now();
    let operators = (0_u8..).map(OperatorId).zip(&directory.operators);
    let shown: Vec<Value> =
        operators.map(|(id, rules)| operator_json(id, rules, now, directory.file_hash(id))).collect();
    Ok(with_seq(seq, Json(shown)))
}

fn operator_json(id: OperatorId, rules: &Rules, now: Timestamp, file_hash: Option<[u8; 32]>) -> Value {
    json!({
        "id": id.0,
        "name": rules.operator,
        "display_names": in_languages(&rules.display_names),
        "service_code": rules.service_code,
        "unit": in_languages(&rules.unit.names),
        "minor_digits": rules.unit.minor_digits,
        "zone": rules.zone.name(),
        "period": rules.period(now).map(|period| &period.name),
        "file_hash": file_hash.map(|hash| blake3::Hash::from_bytes(hash).to_hex().to_string()),
    })
}

/// Texts by the tag of their language.
fn in_languages(texts: &[String]) -> Value {
    Language::ALL.iter().zip(texts).map(|(language, text)| (String::from(language.tag()), json!(text))).collect()
}

/// An operator's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    toml: String,
    /// What is in force stays until then, or until it is approved, whatever the file says of the time before.
    from: Option<String>,
}

impl Limited for Profile {
    // Line ends, quotes and backslashes take two octets in JSON.
    const LEN_MAX: usize = 2 * PROFILE_LEN_MAX + 1024;
}

/// `POST /v1/operators`.
pub(crate) async fn load(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Posted(profile): Posted<Profile>,
) -> Result<Response, Problem> {
    let check = Arc::clone(&admin.parts.check_rules);
    let from = profile.from.as_deref().map(read_instant).transpose()?;
    // A megabyte of TOML takes longer than an async thread should.
    let parsed = tokio::task::spawn_blocking(move || parse_profile(&profile.toml, &check)).await;
    let parsed = parsed.map_err(|ended| Problem::gone(&ended))??;
    let answer = admin.submit(asked.id, &asked, command(asked.staff, parsed, from)).await;
    let shown = reply::answered(answer, &admin.handle().directory());
    Ok(shown.map_or_else(|problem| asked.problem(problem), |shown| asked.mark(shown)))
}

/// Rules that could be loaded.
pub(crate) struct Parsed {
    rules: Rules,
    file_hash: [u8; 32],
}

pub(crate) fn parse_profile(toml: &str, check: &CheckRules) -> Result<Parsed, Problem> {
    let rules = parse::parse(toml).map_err(|error| Problem::Rules { line: error.line, what: error.what })?;
    check(&rules).map_err(Problem::Texts)?;
    Ok(Parsed { rules, file_hash: *blake3::hash(toml.as_bytes()).as_bytes() })
}

pub(crate) fn command(staff: Staff, parsed: Parsed, from: Option<Timestamp>) -> Body {
    let Parsed { rules, file_hash } = parsed;
    Body::LoadRules(LoadRules { staff, rules: Arc::new(rules), file_hash, from })
}

/// RFC 3339, or `now`: as soon as it is approved.
pub(crate) fn read_instant(text: &str) -> Result<Timestamp, Problem> {
    if text == "now" {
        return Ok(Timestamp::MIN);
    }
    Timestamp::parse(text).map_err(|error| Problem::Malformed(error.to_string()))
}
