//! Subscribers: importing them, showing one, and what care may do to one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::TOUCH_MAX;
use domain::command::{Body, ChangeSubscriber, ImportSubscribers, NewSubscriber, SubscriberChange};
use domain::ids::Language;
use domain::money::Amount;
use domain::number::{Imsi, Msisdn};
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::time::{BusinessDate, Timestamp};
use engine::answer::{Directory, Query, SubscriberView, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Asked, Key, Limited, NoBody, Posted};
use super::cards::card_json;
use super::problem::Problem;
use super::seen::with_seq;
use super::{Admin, numbers};
use crate::view::{msisdn_json, standing_name};

const DAY_MS: i64 = 86_400_000;

/// A list of subscribers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    operator: String,
    subscribers: Vec<Line>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    msisdn: String,
    imsi: Option<String>,
    language: Option<String>,
    since: Option<String>,
    airtime_minor: Option<i64>,
}

impl Limited for Import {
    const LEN_MAX: usize = 512 * TOUCH_MAX;
}

/// `POST /v1/subscribers/import`.
pub(crate) async fn import(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Posted(list): Posted<Import>,
) -> Result<Response, Problem> {
    let (operator, rules) = admin.operator(&list.operator)?;
    if list.subscribers.is_empty() || list.subscribers.len() > TOUCH_MAX {
        return Err(Problem::Malformed(format!("`subscribers` are 1 to {TOUCH_MAX} at a time: split the list")));
    }
    let read = |(index, line)| new_subscriber(&rules, line).map_err(|what| Problem::MalformedAt { index, what });
    let subscribers = list.subscribers.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let body = Body::ImportSubscribers(ImportSubscribers { staff: asked.staff, operator, subscribers });
    Ok(admin.decide(&asked, body).await)
}

fn new_subscriber(rules: &Rules, line: &Line) -> Result<NewSubscriber, String> {
    let msisdn = numbers::read_for(rules, &line.msisdn)
        .ok_or("`msisdn` is no phone number: write it nationally or as E.164 digits")?;
    let imsi = line.imsi.as_deref().map(read_imsi).transpose()?;
    let language = line.language.as_deref().map(read_language).transpose()?;
    let since = line.since.as_deref().map(|since| read_since(rules, since)).transpose()?;
    let airtime = match line.airtime_minor {
        None | Some(0) => None,
        Some(minor) => Some(Amount::try_new(minor).ok_or("`airtime_minor` is 0 or more")?),
    };
    Ok(NewSubscriber { msisdn, imsi, language, since, airtime })
}

fn read_imsi(text: &str) -> Result<Imsi, String> {
    Imsi::parse(text).map_err(|error| error.to_string())
}

fn read_language(tag: &str) -> Result<Language, String> {
    let spoken = || Language::ALL.map(Language::tag).join(", ");
    Language::from_tag(tag).ok_or_else(|| format!("`language` is one of {}", spoken()))
}

/// An instant, or the beginning of a day in the operator's zone.
fn read_since(rules: &Rules, text: &str) -> Result<Timestamp, String> {
    let day = || {
        let utc = Timestamp::parse(&format!("{text}T00:00:00Z")).ok()?;
        let days = i32::try_from(utc.ms() / DAY_MS).ok()?;
        Some(rules.zone.start_of(BusinessDate::from_days(days)))
    };
    let wrong = "`since` is an instant (2026-11-22T10:00:00Z) or a day (2026-11-22), from 1970 on";
    Timestamp::parse(text).ok().or_else(day).ok_or_else(|| String::from(wrong))
}

/// `GET /v1/subscribers/{msisdn}`.
pub(crate) async fn show(State(admin): State<Arc<Admin>>, Key(number): Key) -> Result<Response, Problem> {
    let (seq, view) = find(&admin, &number).await?;
    Ok(with_seq(seq, Json(subscriber_json(seq, &view, &admin.handle().directory()))))
}

/// The subscriber with a number, and the entry that was seen.
pub(crate) async fn find(admin: &Admin, number: &str) -> Result<(Seq, SubscriberView), Problem> {
    let msisdn = numbers::read(number, &admin.handle().directory())?;
    let (seq, view) = find_number(admin, msisdn).await?;
    let view = view.ok_or(Problem::Missing(seq, "no subscriber has this number"))?;
    Ok((seq, view))
}

/// The same with a number that was read before.
pub(crate) async fn find_number(admin: &Admin, msisdn: Msisdn) -> Result<(Seq, Option<SubscriberView>), Problem> {
    let seen = admin.query(Query::Subscriber(msisdn)).await?;
    match seen.value {
        View::Subscriber(view) => Ok((seen.seq, view)),
        _ => Err(Problem::gone(&"the engine answered another question")),
    }
}

fn subscriber_json(seq: Seq, view: &SubscriberView, directory: &Directory) -> Value {
    json!({
        "seq": seq.0,
        "msisdn": msisdn_json(view.msisdn),
        "operator": directory.rules(view.operator).map(|rules| &rules.operator),
        "subscriber": view.id.0,
        "generation": view.generation,
        "standing": standing_name(view.standing),
        "language": view.language.tag(),
        "since": view.since.rfc3339(),
        "airtime_minor": view.airtime_minor,
        "latest": view.latest.0,
        "cards": view.cards.iter().map(|card| card_json(card, directory)).collect::<Vec<_>>(),
        "locked_until": view.locked_until.map(Timestamp::rfc3339),
        "recents": view.recents.iter().copied().map(msisdn_json).collect::<Vec<_>>(),
    })
}

async fn change(admin: &Admin, asked: &Asked, number: &str, change: SubscriberChange) -> Result<Response, Problem> {
    let msisdn = numbers::read(number, &admin.handle().directory())?;
    let body = Body::ChangeSubscriber(ChangeSubscriber { staff: asked.staff, msisdn, change });
    Ok(admin.decide(asked, body).await)
}

/// `POST /v1/subscribers/{msisdn}/bar`.
pub(crate) async fn bar(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &number, SubscriberChange::Bar).await
}

/// `POST /v1/subscribers/{msisdn}/unbar`.
pub(crate) async fn unbar(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &number, SubscriberChange::Unbar).await
}

/// `POST /v1/subscribers/{msisdn}/unlock`.
pub(crate) async fn unlock(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &number, SubscriberChange::Unlock).await
}

/// `POST /v1/subscribers/{msisdn}/release`.
pub(crate) async fn release(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &number, SubscriberChange::Release).await
}

/// Another language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLanguage {
    language: String,
}

impl Limited for NewLanguage {
    const LEN_MAX: usize = 256;
}

/// `POST /v1/subscribers/{msisdn}/language`.
pub(crate) async fn language(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    Posted(new): Posted<NewLanguage>,
) -> Result<Response, Problem> {
    let language = read_language(&new.language).map_err(Problem::Malformed)?;
    change(&admin, &asked, &number, SubscriberChange::SetLanguage(language)).await
}

/// Another SIM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewImsi {
    imsi: String,
}

impl Limited for NewImsi {
    const LEN_MAX: usize = 256;
}

/// `POST /v1/subscribers/{msisdn}/imsi`.
pub(crate) async fn imsi(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(number): Key,
    Posted(new): Posted<NewImsi>,
) -> Result<Response, Problem> {
    let imsi = read_imsi(&new.imsi).map_err(Problem::Malformed)?;
    change(&admin, &asked, &number, SubscriberChange::ChangeImsi(imsi)).await
}
