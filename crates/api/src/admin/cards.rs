//! Cards: issuing them, showing one, and what care may do to one.
//!
//! Guarantees: a password is shown once and kept nowhere; it is wiped from memory when the answer has left; only its tag in
//! the *card* domain under the current key goes into the command.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use domain::card::Voiding;
use domain::command::{Body, CardChange, ChangeCard, IssueCards, NewCard};
use domain::ids::{BatchId, OperatorId, Serial};
use domain::money::Amount;
use domain::number::CardNumber;
use domain::password::Password;
use domain::refusal::Refusal;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::{Answer, CardView, Directory, Query, Reply, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::ask::{Asked, Key, Limited, NoBody, Posted};
use super::issue::CARDS_ISSUED_MAX;
use super::problem::{Earlier, Problem};
use super::seen::with_seq;
use super::{Admin, reply};
use crate::view::office::bought_json;
use crate::view::{Names, msisdn_json};

/// Times that a list with a taken number is replaced: one number in 10^15 / cards is taken, so once is rare.
const TRIES_MAX: usize = 4;
/// Octets of one card in the answer, with room to spare: the buffer must not grow, for growing leaves copies.
const SHOWN_LEN_MAX: usize = 96;

/// Cards to issue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issue {
    operator: String,
    value_minor: i64,
    count: usize,
    passwords: Option<Vec<Secret>>,
}

impl Limited for Issue {
    const LEN_MAX: usize = 64 << 10;
}

/// A text that is wiped when dropped and can't be printed.
struct Secret(Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// `POST /v1/cards`.
pub(crate) async fn issue(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Posted(ask): Posted<Issue>,
) -> Result<Response, Problem> {
    let (operator, _) = admin.operator(&ask.operator)?;
    let value = Amount::try_new(ask.value_minor)
        .ok_or_else(|| Problem::Malformed(String::from("`value_minor` is 1 or more")))?;
    if !(1..=CARDS_ISSUED_MAX).contains(&ask.count) {
        return Err(Problem::Malformed(format!("`count` is 1 to {CARDS_ISSUED_MAX}: issue more in several requests")));
    }
    let passwords = match &ask.passwords {
        Some(given) => given_passwords(given, ask.count)?,
        None => (0..ask.count).map(|_| admin.dice.password()).collect::<Result<_, _>>()?,
    };
    drop(ask);
    // A task of its own: when the caller hangs up, it is still remembered where the cards are.
    let work = async move { issue_all(&admin, &asked, operator, value, &passwords).await };
    let done = tokio::spawn(work).await.map_err(|ended| Problem::gone(&ended))?;
    Ok(done.map_or_else(|problem| asked.problem(problem), |shown| asked.mark(shown)))
}

fn given_passwords(given: &[Secret], count: usize) -> Result<Vec<Password>, Problem> {
    if given.len() != count {
        return Err(Problem::Malformed(String::from("`passwords` are as many as `count`, or absent")));
    }
    let read = |(index, secret): (usize, &Secret)| {
        let wrong = |what: &str| Problem::MalformedAt { index, what: String::from(what) };
        let password = Password::parse(&secret.0).map_err(|_| wrong("a password is six digits, as a string"))?;
        let trivial = password.is_trivial();
        if trivial { Err(wrong("this password is one that people guess first")) } else { Ok(password) }
    };
    given.iter().enumerate().map(read).collect()
}

/// Issues cards with random numbers; numbers that are taken are replaced and the command gets another id.
pub(crate) async fn issue_all(
    admin: &Admin,
    asked: &Asked,
    operator: OperatorId,
    value: Amount,
    passwords: &[Password],
) -> Result<Response, Problem> {
    let mut id = asked.id;
    for _ in 0..TRIES_MAX {
        let numbers = admin.dice.numbers(passwords.len())?;
        let answer = admin.submit(id, asked, command(admin, asked, operator, value, &numbers, passwords)).await;
        if answer == Answer::IdReused {
            return Err(Problem::CardsIssued(admin.issued.find(asked.id)));
        }
        let reply = reply::decided(answer)?;
        match reply.outcome {
            Outcome::Done(Done::Issued { first, count }) => {
                admin.issued.remember(asked.id, Earlier { seq: reply.seq, first, count });
                return shown_once(admin, &reply, first, &numbers, passwords);
            }
            Outcome::Refused(Refusal::CardNumberTaken { .. }) => id = admin.dice.id(admin.handle().now())?,
            Outcome::Done(_) | Outcome::Refused(_) => {
                return reply::answered(Answer::Verdict(reply), &admin.handle().directory());
            }
        }
    }
    Err(Problem::gone(&"random card numbers are taken again and again"))
}

fn command(
    admin: &Admin,
    asked: &Asked,
    operator: OperatorId,
    value: Amount,
    numbers: &[CardNumber],
    passwords: &[Password],
) -> Body {
    let key = admin.parts.keys.current();
    let new = |(number, password): (&CardNumber, &Password)| NewCard {
        number: *number,
        tag: key.card(operator, *number, password),
        value,
    };
    let cards = numbers.iter().zip(passwords).map(new).collect();
    Body::IssueCards(IssueCards { staff: asked.staff, operator, cards })
}

/// A verdict with the secrets of its cards.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    verdict: &'a Value,
    cards: Vec<ShownCard<'a>>,
}

#[derive(Serialize)]
struct ShownCard<'a> {
    serial: String,
    number: &'a str,
    password: &'a str,
}

/// The one time that numbers and passwords leave: in a buffer that is wiped when it is sent.
fn shown_once(
    admin: &Admin,
    reply: &Reply,
    first: Serial,
    numbers: &[CardNumber],
    passwords: &[Password],
) -> Result<Response, Problem> {
    let secrets: Vec<_> = numbers
        .iter()
        .zip(passwords)
        .map(|(number, password)| (Zeroizing::new(number.get().to_string()), password.reveal()))
        .collect();
    let cards = (first.0..)
        .zip(&secrets)
        .map(|(serial, (number, password))| ShownCard { serial: Serial(serial).to_string(), number, password })
        .collect();
    let verdict = reply::verdict(reply, &Names::from(&*admin.handle().directory()));
    let mut json = Zeroizing::new(Vec::with_capacity(1024 + SHOWN_LEN_MAX * secrets.len()));
    serde_json::to_writer(&mut *json, &Shown { verdict: &verdict, cards }).map_err(|error| Problem::gone(&error))?;
    let body = Bytes::from_owner(json);
    Ok(with_seq(reply.seq, (reply::status(&reply.outcome), [(CONTENT_TYPE, "application/json")], body)))
}

/// `GET /v1/cards/{serial}`.
pub(crate) async fn show(State(admin): State<Arc<Admin>>, Key(serial): Key) -> Result<Response, Problem> {
    let seen = admin.query(Query::Card(read_serial(&serial)?)).await?;
    match seen.value {
        View::Card(Some(view)) => {
            let mut json = card_json(&view, &admin.handle().directory());
            if let Some(card) = json.as_object_mut() {
                card.insert(String::from("seq"), json!(seen.seq.0));
            }
            Ok(with_seq(seen.seq, Json(json)))
        }
        View::Card(None) => Err(Problem::Missing(seen.seq, "no card has this serial")),
        _ => Err(Problem::gone(&"the engine answered another question")),
    }
}

/// A card as care sees it.
pub(crate) fn card_json(view: &CardView, directory: &Directory) -> Value {
    json!({
        "serial": view.serial.to_string(),
        "operator": directory.rules(view.operator).map(|rules| &rules.operator),
        "state": view.state,
        "balance_minor": view.balance_minor,
        "holder": view.holder.map(msisdn_json),
        "batch": view.batch.map(BatchId::get),
        "bought": view.bought.as_ref().map(bought_json),
        "issued_at": view.issued_at.rfc3339(),
        "expires_at": view.expires_at.map(Timestamp::rfc3339),
        "latest": view.latest.0,
    })
}

/// Eight digits as printed, or fewer without the zeros before them. A card number has more and is never looked up.
pub(crate) fn read_serial(text: &str) -> Result<Serial, Problem> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    let serial = if digits { text.parse().ok().map(Serial) } else { None };
    serial.ok_or_else(|| Problem::Malformed(String::from("a serial is the eight digits printed on the card")))
}

async fn change(admin: &Admin, asked: &Asked, serial: &str, change: CardChange) -> Result<Response, Problem> {
    let serial = read_serial(serial)?;
    Ok(admin.decide(asked, Body::ChangeCard(ChangeCard { staff: asked.staff, serial, change })).await)
}

/// `POST /v1/cards/{serial}/freeze`.
pub(crate) async fn freeze(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(serial): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &serial, CardChange::Freeze).await
}

/// `POST /v1/cards/{serial}/thaw`.
pub(crate) async fn thaw(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(serial): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &serial, CardChange::Thaw).await
}

/// `POST /v1/cards/{serial}/unblock`.
pub(crate) async fn unblock(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(serial): Key,
    _: NoBody,
) -> Result<Response, Problem> {
    change(&admin, &asked, &serial, CardChange::UnblockBinding).await
}

/// Why a card is void.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoidCard {
    why: Why,
}

/// Why, as people say it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    Lost,
    Faulty,
    Ordered,
}

impl From<Why> for Voiding {
    fn from(why: Why) -> Self {
        match why {
            Why::Lost => Self::Lost,
            Why::Faulty => Self::Faulty,
            Why::Ordered => Self::Ordered,
        }
    }
}

impl Limited for VoidCard {
    const LEN_MAX: usize = 256;
}

/// `POST /v1/cards/{serial}/void`.
pub(crate) async fn void(
    State(admin): State<Arc<Admin>>,
    asked: Asked,
    Key(serial): Key,
    Posted(VoidCard { why }): Posted<VoidCard>,
) -> Result<Response, Problem> {
    change(&admin, &asked, &serial, CardChange::Void(why.into())).await
}
