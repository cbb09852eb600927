//! The slip that an outlet gives: a sale, a refund or a pay-out as the journal tells it, in Korean or English.
//!
//! Deliberately not here: how paper looks (see [`paper::press`]).

use domain::ids::Language;
use domain::time::{Timestamp, Zone};
use serde_json::Value;

use super::money::shown;
use super::{Common, number};
use crate::admin::{plain, segment};
use crate::exit::{Exit, Failure, Outcome};
use paper::press::{self, Receipt, Row};

/// The slip of a receipt number.
pub(crate) fn of(common: &Common, receipt: &str, language: Language) -> Outcome<Receipt> {
    let entry = common.get(&format!("/v1/receipts/{}", segment(receipt)))?;
    let words = Words::of(language);
    let done = entry.pointer("/done/name").map(plain).unwrap_or_default();
    let place = match done.as_str() {
        "sold" => outlet_of(common, number(&entry, "/done/outlet"))?,
        "refunded" | "paid-out" => Place { operator: operator_of_card(common, &entry)?, outlet: None },
        _ => return Err(Failure::new(Exit::Refused, "this receipt number is of no sale, refund or pay-out")),
    };
    let operator = operator(common, &place.operator, language)?;
    let (title, rows) = match done.as_str() {
        "sold" => (words.sale, sale(&entry, words, &operator.unit)),
        "refunded" => (words.refund, back(&entry, words, "/done/price_minor")),
        _ => (words.pay_out, back(&entry, words, "/done/paid_minor")),
    };
    let at = entry.get("at").and_then(Value::as_str).and_then(|at| Timestamp::parse(at).ok());
    Ok(Receipt {
        title: String::from(title),
        operator: operator.name,
        outlet: place.outlet,
        rows,
        receipt: entry.get("receipt").map(plain).unwrap_or_default(),
        at: at.map(|at| local(at, &operator.zone)).unwrap_or_default(),
        language,
    })
}

/// What is said in each language.
#[derive(Clone, Copy)]
struct Words {
    sale: &'static str,
    refund: &'static str,
    pay_out: &'static str,
    cards: &'static str,
    serials: &'static str,
    serial: &'static str,
    value: &'static str,
    rate: &'static str,
    paid: &'static str,
    given_back: &'static str,
}

impl Words {
    const fn of(language: Language) -> Self {
        match language {
            Language::Korean => Self {
                sale: "판매 령수증",
                refund: "반환 령수증",
                pay_out: "지불 령수증",
                cards: "카드 수",
                serials: "일련번호",
                serial: "일련번호",
                value: "전화돈",
                rate: "환률",
                paid: "받은 돈",
                given_back: "내준 돈",
            },
            Language::English => Self {
                sale: "Receipt of a sale",
                refund: "Receipt of a refund",
                pay_out: "Receipt of a pay-out",
                cards: "Cards",
                serials: "Serials",
                serial: "Serial",
                value: "Airtime",
                rate: "Rate",
                paid: "Paid",
                given_back: "Given back",
            },
        }
    }
}

fn row(label: &str, value: String) -> Row {
    Row { label: String::from(label), value }
}

fn sale(entry: &Value, words: Words, unit: &Unit) -> Vec<Row> {
    let of = |pointer: &str| entry.pointer(pointer).map(plain).unwrap_or_default();
    let code = of("/done/currency");
    let mut rows = Vec::new();
    if of("/done/goods/name") == "cards" {
        let count = number(entry, "/done/goods/count");
        let first: i64 = of("/done/goods/first").parse().unwrap_or_default();
        let serials = if count > 1 { format!("{first:08}-{:08}", first + count - 1) } else { format!("{first:08}") };
        rows.push(row(words.cards, count.to_string()));
        rows.push(row(words.serials, serials));
    } else {
        rows.push(row(words.serial, of("/done/goods/serial")));
    }
    rows.push(row(words.value, unit.shown(number(entry, "/done/value_minor"))));
    // So many minor units of cash for so many of airtime.
    let ratio = of("/done/ratio");
    if let Some((cash, airtime)) = ratio.split_once('/').and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?))) {
        rows.push(row(words.rate, format!("{} = {}", unit.shown(airtime), shown(cash, &code))));
    }
    rows.push(row(words.paid, shown(number(entry, "/done/price_minor"), &code)));
    rows
}

fn back(entry: &Value, words: Words, paid: &str) -> Vec<Row> {
    let of = |pointer: &str| entry.pointer(pointer).map(plain).unwrap_or_default();
    vec![
        row(words.serial, of("/command/serial")),
        row(words.given_back, shown(number(entry, paid), &of("/done/currency"))),
    ]
}

struct Place {
    operator: String,
    outlet: Option<String>,
}

fn outlet_of(common: &Common, outlet: i64) -> Outcome<Place> {
    let found = common.get(&format!("/v1/office/outlet?from={outlet}&most=1"))?;
    let of = |pointer: &str| found.pointer(pointer).map(plain).unwrap_or_default();
    Ok(Place { operator: of("/0/operator/name"), outlet: Some(of("/0/name")) })
}

fn operator_of_card(common: &Common, entry: &Value) -> Outcome<String> {
    let serial = entry.pointer("/command/serial").map(plain).unwrap_or_default();
    let card = common.get(&format!("/v1/cards/{serial}"))?;
    Ok(card.get("operator").map(plain).unwrap_or_default())
}

/// A unit of airtime in one language.
struct Unit {
    name: String,
    minor_digits: u8,
}

impl Unit {
    fn shown(&self, minor: i64) -> String {
        format!("{} {}", press::amount(minor, self.minor_digits), self.name)
    }
}

struct Operator {
    name: String,
    unit: Unit,
    zone: String,
}

fn operator(common: &Common, name: &str, language: Language) -> Outcome<Operator> {
    let listed = common.get("/v1/operators")?;
    let named = |operator: &&Value| operator.get("name").and_then(Value::as_str) == Some(name);
    let found = listed.as_array().into_iter().flatten().find(named).cloned().unwrap_or_default();
    let of = |pointer: String| found.pointer(&pointer).map(plain).unwrap_or_default();
    let tag = language.tag();
    let minor_digits = u8::try_from(number(&found, "/minor_digits")).unwrap_or_default();
    let unit = Unit { name: of(format!("/unit/{tag}")), minor_digits };
    Ok(Operator { name: of(format!("/display_names/{tag}")), unit, zone: of(String::from("/zone")) })
}

/// The operator's clock on the wall; UTC when its zone is not known here.
fn local(at: Timestamp, zone: &str) -> String {
    Zone::parse(zone).map_or_else(|_| at.rfc3339(), |zone| zone.civil(at).strftime("%Y-%m-%d %H:%M").to_string())
}
