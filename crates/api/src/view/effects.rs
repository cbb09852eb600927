//! What followed for the books.

use domain::account::Transfer;
use domain::card::CardState;
use domain::effects::{BalanceAfter, Change, Effects, Named, UsageAfter};
use domain::ids::{CardId, LimitId, SubscriberId};
use domain::money::Amount;
use domain::rules::limit::Subject;
use domain::state::{CardFacts, LimitIdentity, LimitRow, SubscriberFacts};
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::office;
use super::values::{
    Names, account_json, card_number_json, imsi_json, msisdn_json, rules_json, serial, standing_name, tag_json,
    until_json, voiding_name,
};

/// Everything that a verdict did.
pub(super) fn json(effects: &Effects, names: &Names) -> Value {
    // All who are named stand in one list, whichever part of the entry carries their history.
    let Effects { operator, date, transfers, balances, others: _, usage, changes } = effects;
    json!({
        "operator": operator.map(|operator| names.operator(operator)),
        "date": operator.map(|_| date.to_string()),
        "transfers": transfers.iter().map(transfer_json).collect::<Vec<_>>(),
        "balances": balances.iter().map(balance_json).collect::<Vec<_>>(),
        "named": effects.named().map(named_json).collect::<Vec<_>>(),
        "usage": usage.iter().map(|usage| usage_json(usage, names)).collect::<Vec<_>>(),
        "changes": changes.iter().map(|change| change_json(change, names)).collect::<Vec<_>>(),
    })
}

fn transfer_json(transfer: &Transfer) -> Value {
    let Transfer { debit, credit, amount } = *transfer;
    json!({ "debit": account_json(debit), "credit": account_json(credit), "amount_minor": amount.minor() })
}

fn balance_json(balance: &BalanceAfter) -> Value {
    let BalanceAfter { account, after_minor, prev } = *balance;
    json!({ "account": account_json(account), "after_minor": after_minor, "prev": prev.0 })
}

fn named_json(named: &Named) -> Value {
    let Named { subscriber, prev } = *named;
    json!({ "subscriber": subscriber.0, "prev": prev.0 })
}

fn usage_json(usage: &UsageAfter, names: &Names) -> Value {
    let UsageAfter { limit, subject, start, count, total_minor } = *usage;
    let (limit, kind) = names.limit(limit);
    json!({
        "limit": limit,
        "subject": subject_json(subject, kind),
        "start": start.to_string(),
        "count": count,
        "total_minor": total_minor,
    })
}

/// The stored code, as text because it may pass 2^53, and what it says when the limit is known.
fn subject_json(subject: u64, kind: Option<Subject>) -> Value {
    let code = subject.to_string();
    let (sender, row) = (subject >> 32, subject & u64::from(u32::MAX));
    match kind {
        None => json!({ "kind": null, "code": code }),
        Some(Subject::Sender) => json!({ "kind": "sender", "code": code, "subscriber": row }),
        Some(Subject::Recipient) => json!({ "kind": "recipient", "code": code, "subscriber": row }),
        Some(Subject::Pair) => json!({ "kind": "pair", "code": code, "sender": sender, "recipient": row }),
        Some(Subject::Card) => {
            json!({ "kind": "card", "code": code, "serial": u32::try_from(row).ok().map(|row| serial(CardId(row))) })
        }
    }
}

fn change_json(change: &Change, names: &Names) -> Value {
    match change {
        Change::Lock { subscriber, link, wrong, level, until } => json!({
            "name": "lock",
            "subscriber": subscriber.0,
            "link": link.0,
            "wrong": wrong,
            "level": level,
            "until": until.map(Timestamp::rfc3339),
        }),
        Change::Gave { sender, recipient, amount } => {
            gift_json("gave", sender.subscriber, recipient.subscriber, *amount)
        }
        Change::Held { sender, recipient, amount } => {
            gift_json("held", sender.subscriber, recipient.subscriber, *amount)
        }
        Change::ToppedUp { holder, amount } => {
            json!({ "name": "topped-up", "holder": holder.subscriber.0, "amount_minor": amount.minor() })
        }
        Change::Refused { subscriber, count } => {
            json!({ "name": "refused", "subscriber": subscriber.0, "count": count })
        }
        Change::Subscriber { id, facts } => {
            json!({ "name": "subscriber", "subscriber": id.0, "facts": subscriber_json(facts, names) })
        }
        Change::Card { id, facts } => {
            json!({ "name": "card", "serial": serial(*id), "facts": card_json(facts, names) })
        }
        Change::CardState { id, state } => {
            json!({ "name": "card-state", "serial": serial(*id), "state": state_json(state) })
        }
        Change::BindWrong { id, wrong } => json!({ "name": "bind-wrong", "serial": serial(*id), "wrong": wrong }),
        Change::Operator { id, rules, file_hash } => {
            json!({ "name": "operator", "id": id.0, "rules": rules_json(rules, file_hash) })
        }
        Change::Bought { id, bought } => {
            json!({ "name": "bought", "serial": serial(*id), "bought": office::bought_json(bought) })
        }
        Change::Record { key, record } => json!({
            "name": "record",
            "kind": key.kind.name(),
            "id": key.id,
            "record": record.as_ref().map(|record| office::record_json(record, names)),
        }),
        Change::Forgotten { sender, recipient, amount } => gift_json("forgotten", *sender, *recipient, *amount),
        Change::Recent { sender, recipient } => {
            json!({ "name": "recent", "sender": sender.0, "recipient": recipient.0 })
        }
        Change::Limit { id, limit } => limit_json(*id, limit.as_ref(), names),
        Change::Turn { memory } => json!({ "name": "turn", "memory": memory.name() }),
    }
}

/// A limit that is there, or has another end; `None`: it is forgotten.
fn limit_json(id: LimitId, limit: Option<&LimitRow>, names: &Names) -> Value {
    let Some(LimitRow { identity, until }) = limit else { return json!({ "name": "limit-forgotten", "limit": id.0 }) };
    let LimitIdentity { operator, name, kind, subject, window } = identity;
    json!({
        "name": "limit",
        "limit": id.0,
        "operator": names.operator(*operator),
        "limit_name": name.as_str(),
        "kind": kind.name(),
        "subject": subject.name(),
        "window": window.to_string(),
        "until": until_json(*until),
    })
}

fn gift_json(name: &str, sender: SubscriberId, recipient: SubscriberId, amount: Amount) -> Value {
    json!({ "name": name, "sender": sender.0, "recipient": recipient.0, "amount_minor": amount.minor() })
}

fn subscriber_json(facts: &SubscriberFacts, names: &Names) -> Value {
    let SubscriberFacts { msisdn, imsi, operator, generation, language, standing, since, imsi_changed_at } = *facts;
    json!({
        "msisdn": msisdn_json(msisdn),
        "imsi": imsi.map(imsi_json),
        "operator": names.operator(operator),
        "generation": generation,
        "language": language.tag(),
        "standing": standing_name(standing),
        "since": since.rfc3339(),
        "imsi_changed_at": imsi_changed_at.map(Timestamp::rfc3339),
    })
}

fn card_json(facts: &CardFacts, names: &Names) -> Value {
    let CardFacts { number, operator, issued_at, expires_at, state, batch } = facts;
    json!({
        "number": card_number_json(*number),
        "operator": names.operator(*operator),
        "issued_at": issued_at.rfc3339(),
        "expires_at": until_json(*expires_at),
        "state": state_json(state),
        "batch": batch.map(domain::ids::BatchId::get),
    })
}

/// Name, and the facts that exist in it.
fn state_json(state: &CardState) -> Value {
    let name = state.name();
    match state {
        CardState::Printed { tag } => json!({ "name": name, "tag": tag_json(tag) }),
        CardState::InStock { outlet, tag } => json!({ "name": name, "outlet": outlet.0, "tag": tag_json(tag) }),
        CardState::Sold { at, tag } => json!({ "name": name, "at": at.rfc3339(), "tag": tag_json(tag) }),
        CardState::Bound { holder, tag } => json!({ "name": name, "holder": holder.0, "tag": tag_json(tag) }),
        CardState::Frozen { holder, tag, since } => {
            json!({ "name": name, "holder": holder.0, "tag": tag_json(tag), "since": since.rfc3339() })
        }
        CardState::Closed { holder, at } => {
            json!({ "name": name, "holder": holder.map(|holder| holder.0), "at": at.rfc3339() })
        }
        CardState::Expired { holder, at, tag } => {
            json!({ "name": name, "holder": holder.map(|holder| holder.0), "at": at.rfc3339(), "tag": tag_json(tag) })
        }
        CardState::Void { holder, at, why, tag } => json!({
            "name": name,
            "holder": holder.map(|holder| holder.0),
            "at": at.rfc3339(),
            "why": voiding_name(*why),
            "tag": tag_json(tag),
        }),
    }
}
