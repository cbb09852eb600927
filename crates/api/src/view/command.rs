//! What was asked.

use domain::command::{
    Bind, Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, Gift, ImportSubscribers, IssueCards,
    LoadRules, NewCard, NewPassword, NewSubscriber, Proved, SetLanguage, SubscriberChange, TopUp,
};
use domain::ids::{Language, Serial};
use domain::money::Amount;
use domain::password::Proof;
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::office;
use super::values::{Names, card_number_json, imsi_json, msisdn_json, rules_json, tag_json, voiding_name};

/// A command's name and everything in it but secrets.
pub(super) fn json(body: &Body, names: &Names) -> Value {
    let mut json = match body {
        Body::Gift(gift) => gift_json(gift, names),
        Body::TopUp(top_up) => top_up_json(top_up, names),
        Body::ShowCards(proved) | Body::ShowGifts(proved) | Body::Freeze(proved) | Body::Undo(proved) => {
            proved_json(proved, names)
        }
        Body::ChangePassword(change) => change_password_json(change, names),
        Body::Bind(bind) => bind_json(bind, names),
        Body::SetLanguage(SetLanguage { caller, language }) => {
            json!({ "caller": caller_json(caller, names), "language": language.tag() })
        }
        Body::LoadRules(LoadRules { staff, rules, file_hash, from }) => {
            let from = from.map(Timestamp::rfc3339);
            json!({ "staff": staff.0, "rules": rules_json(rules, file_hash), "from": from })
        }
        Body::ImportSubscribers(ImportSubscribers { staff, operator, subscribers }) => json!({
            "staff": staff.0,
            "operator": names.operator(*operator),
            "subscribers": subscribers.iter().map(new_subscriber_json).collect::<Vec<_>>(),
        }),
        Body::ChangeSubscriber(ChangeSubscriber { staff, msisdn, change }) => json!({
            "staff": staff.0,
            "msisdn": msisdn_json(*msisdn),
            "change": subscriber_change_json(change),
        }),
        Body::IssueCards(IssueCards { staff, operator, cards }) => json!({
            "staff": staff.0,
            "operator": names.operator(*operator),
            "cards": cards.iter().map(new_card_json).collect::<Vec<_>>(),
        }),
        Body::ChangeCard(ChangeCard { staff, serial, change }) => json!({
            "staff": staff.0,
            "serial": serial.to_string(),
            "change": card_change_json(*change),
        }),
        Body::ExpireCard(card) => json!({ "serial": Serial::of(*card).to_string() }),
        Body::Office(asked) => office::asked_json(asked, names),
        Body::Due(key) => json!({ "kind": key.kind.name(), "id": key.id }),
    };
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("name"), json!(body.name()));
    }
    json
}

fn caller_json(caller: &Caller, names: &Names) -> Value {
    let Caller { operator, link, msisdn, imsi } = *caller;
    json!({
        "operator": names.operator(operator),
        "link": link.0,
        "msisdn": msisdn_json(msisdn),
        "imsi": imsi.map(imsi_json),
    })
}

fn gift_json(gift: &Gift, names: &Names) -> Value {
    let Gift { caller, recipient, amount, proof, swapped, occasion } = gift;
    json!({
        "caller": caller_json(caller, names),
        "recipient": recipient.value().map(msisdn_json),
        "amount_minor": amount.value().map(Amount::minor),
        "proof": proof_json(proof),
        "swapped": swapped,
        "occasion": occasion,
    })
}

fn top_up_json(top_up: &TopUp, names: &Names) -> Value {
    let TopUp { caller, amount, proof } = top_up;
    json!({
        "caller": caller_json(caller, names),
        "amount_minor": amount.value().map(Amount::minor),
        "proof": proof_json(proof),
    })
}

fn proved_json(proved: &Proved, names: &Names) -> Value {
    let Proved { caller, proof } = proved;
    json!({ "caller": caller_json(caller, names), "proof": proof_json(proof) })
}

fn change_password_json(change: &ChangePassword, names: &Names) -> Value {
    let ChangePassword { caller, old, new } = change;
    let (kind, tag) = match new {
        NewPassword::Malformed => ("malformed", None),
        NewPassword::Differ => ("differ", None),
        NewPassword::Trivial => ("trivial", None),
        NewPassword::Tag(tag) => ("tag", Some(tag_json(tag))),
    };
    json!({
        "caller": caller_json(caller, names),
        "old": proof_json(old),
        "new": { "kind": kind, "tag": tag },
    })
}

fn bind_json(bind: &Bind, names: &Names) -> Value {
    let Bind { caller, number, proof, holder_tag } = bind;
    json!({
        "caller": caller_json(caller, names),
        "number": number.value().map(card_number_json),
        "proof": proof_json(proof),
        "holder_tag": holder_tag.as_ref().map(tag_json),
    })
}

/// Null: what was typed is no password.
fn proof_json(proof: &Proof) -> Value {
    match proof {
        Proof::Malformed => Value::Null,
        Proof::Tags { current, older } => {
            json!({ "current": tag_json(current), "older": older.as_ref().map(tag_json) })
        }
    }
}

fn new_subscriber_json(new: &NewSubscriber) -> Value {
    let NewSubscriber { msisdn, imsi, language, since, airtime } = *new;
    json!({
        "msisdn": msisdn_json(msisdn),
        "imsi": imsi.map(imsi_json),
        "language": language.map(Language::tag),
        "since": since.map(Timestamp::rfc3339),
        "airtime_minor": airtime.map(Amount::minor),
    })
}

fn subscriber_change_json(change: &SubscriberChange) -> Value {
    match *change {
        SubscriberChange::Bar => json!({ "name": "bar" }),
        SubscriberChange::Unbar => json!({ "name": "unbar" }),
        SubscriberChange::Unlock => json!({ "name": "unlock" }),
        SubscriberChange::ChangeImsi(imsi) => json!({ "name": "change-imsi", "imsi": imsi_json(imsi) }),
        SubscriberChange::Release => json!({ "name": "release" }),
        SubscriberChange::SetLanguage(language) => json!({ "name": "set-language", "language": language.tag() }),
    }
}

fn new_card_json(new: &NewCard) -> Value {
    let NewCard { number, tag, value } = new;
    json!({ "number": card_number_json(*number), "tag": tag_json(tag), "value_minor": value.minor() })
}

fn card_change_json(change: CardChange) -> Value {
    match change {
        CardChange::Freeze => json!({ "name": "freeze" }),
        CardChange::Thaw => json!({ "name": "thaw" }),
        CardChange::Void(why) => json!({ "name": "void", "why": voiding_name(why) }),
        CardChange::UnblockBinding => json!({ "name": "unblock" }),
    }
}
