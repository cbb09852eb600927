//! The office in JSON: what it is asked, what it answers, what it keeps.

use domain::currency::Currency;
use domain::office::batch::{Batch, BatchCommand, Stage};
use domain::office::call::{Call, CallCommand};
use domain::office::done::OfficeDone;
use domain::office::hold::{HeldGift, Hold};
use domain::office::issued::Issued;
use domain::office::motion::{Motion, MotionCommand, Proposal, Reversal, Reversed};
use domain::office::refusal::OfficeRefusal;
use domain::office::till::{Bought, Goods, Outlet, Quote, Rate, Rates, Taken, Takings, TillCommand};
use domain::office::{Asked, Office, Record, VoidCards};
use domain::receipt::receipt;
use domain::rules::tariff::Ratio;
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::values::{Names, account_json, msisdn_json, rules_json, voiding_name};

fn hex(octets: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*octets).to_hex().to_string()
}

/// The first instant of all stands for the one of the approval.
fn from_json(from: Timestamp) -> Value {
    if from == Timestamp::MIN { json!("approval") } else { json!(from.rfc3339()) }
}

fn ratio_json(ratio: Ratio) -> Value {
    json!(format!("{}/{}", ratio.numerator, ratio.denominator))
}

fn goods_json(goods: Goods) -> Value {
    match goods {
        Goods::Cards { first, count } => json!({ "name": "cards", "first": first.to_string(), "count": count }),
        Goods::Reload { serial, value } => {
            json!({ "name": "reload", "serial": serial.to_string(), "value_minor": value.minor() })
        }
    }
}

/// What was asked, and by whom.
pub(super) fn asked_json(office: &Office, names: &Names) -> Value {
    let mut json = match &office.what {
        Asked::Batch(command) => batch_command_json(command, names),
        Asked::Till(command) => till_command_json(command, names),
        Asked::Call(command) => call_command_json(command),
        Asked::Motion(command) => motion_command_json(command, names),
        Asked::StopIssuance { operator, why } => json!({ "operator": names.operator(*operator), "why": why }),
        Asked::ResumeIssuance { operator } => json!({ "operator": names.operator(*operator) }),
    };
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("staff"), json!(office.staff.0));
    }
    json
}

fn batch_command_json(command: &BatchCommand, names: &Names) -> Value {
    match command {
        BatchCommand::Start { operator, value, ordered } => {
            json!({ "operator": names.operator(*operator), "value_minor": value.minor(), "ordered": ordered })
        }
        BatchCommand::Make { batch, cards } => json!({ "batch": batch.get(), "cards": cards.len() }),
        BatchCommand::Seal { batch, file_hash } => json!({ "batch": batch.get(), "file_hash": hex(file_hash) }),
        BatchCommand::Abandon { batch } => json!({ "batch": batch.get() }),
        BatchCommand::Stock { first, last, outlet } => {
            json!({ "first": first.to_string(), "last": last.to_string(), "outlet": outlet.0 })
        }
    }
}

fn till_command_json(command: &TillCommand, names: &Names) -> Value {
    match command {
        TillCommand::OpenOutlet { operator, name } => {
            json!({ "operator": names.operator(*operator), "outlet_name": name })
        }
        TillCommand::Deposit { outlet, currency, amount } | TillCommand::Withdraw { outlet, currency, amount } => {
            json!({ "outlet": outlet.0, "currency": currency.code(), "amount_minor": amount.minor() })
        }
        TillCommand::Quote { outlet, currency, goods } => {
            json!({ "outlet": outlet.0, "currency": currency.code(), "goods": goods_json(*goods) })
        }
        TillCommand::Sell { quote } => json!({ "quote": quote.0 }),
        TillCommand::Refund { serial } | TillCommand::PayOut { serial } => json!({ "serial": serial.to_string() }),
        TillCommand::Merge { from, into } => json!({ "from": from.to_string(), "into": into.to_string() }),
    }
}

fn call_command_json(command: &CallCommand) -> Value {
    match *command {
        CallCommand::Reserve { msisdn, cross, seconds } | CallCommand::Consume { msisdn, cross, seconds } => {
            json!({ "msisdn": msisdn_json(msisdn), "cross": cross, "seconds": seconds })
        }
        CallCommand::Extend { call, seconds } | CallCommand::Commit { call, seconds } => {
            json!({ "call": call.0, "seconds": seconds })
        }
        CallCommand::Release { call } => json!({ "call": call.0 }),
    }
}

fn motion_command_json(command: &MotionCommand, names: &Names) -> Value {
    match command {
        MotionCommand::Propose { operator, proposal } => {
            json!({ "operator": names.operator(*operator), "proposal": proposal_json(proposal) })
        }
        MotionCommand::Approve { motion, hash } => json!({ "motion": motion.0, "hash": hex(hash) }),
        MotionCommand::Withdraw { motion } => json!({ "motion": motion.0 }),
    }
}

/// What is proposed, whole: this is what somebody approves.
pub(crate) fn proposal_json(proposal: &Proposal) -> Value {
    let mut json = match proposal {
        Proposal::Rules { rules, file_hash, from } => {
            json!({ "rules": rules_json(rules, file_hash), "from": from.map(from_json) })
        }
        Proposal::Rate { currency, rate } => json!({ "currency": currency.code(), "rate": rate_json(rate) }),
        Proposal::Close { period, from, cards_void } => {
            json!({ "period": period, "from": from_json(*from), "cards_void": cards_void })
        }
        Proposal::VoidCards { first, last, why } => {
            json!({ "first": first.to_string(), "last": last.to_string(), "why": voiding_name(*why) })
        }
        Proposal::Reverse(Reversal { of, card, sender, recipient, amount, reason, given_at }) => json!({
            "of": of.0,
            "given_at": given_at.rfc3339(),
            "receipt": receipt(*of),
            "card": domain::ids::Serial::of(*card).to_string(),
            "sender": sender.0,
            "recipient": recipient.0,
            "amount_minor": amount.minor(),
            "reason": reason,
        }),
        Proposal::Adjust { debit, credit, amount, reason } => json!({
            "debit": account_json(*debit),
            "credit": account_json(*credit),
            "amount_minor": amount.minor(),
            "reason": reason,
        }),
    };
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("name"), json!(proposal.name()));
    }
    json
}

fn rate_json(rate: &Rate) -> Value {
    let Rate { from, until, ratio } = *rate;
    json!({ "from": from_json(from), "until": until.map(Timestamp::rfc3339), "ratio": ratio_json(ratio) })
}

/// What was done, by its public name.
pub(crate) fn done_json(done: &OfficeDone) -> Value {
    let mut json = match done {
        OfficeDone::BatchStarted { batch } => json!({ "batch": batch.get() }),
        OfficeDone::CardsMade { first, count } => json!({ "first": first.to_string(), "count": count }),
        OfficeDone::BatchSealed { cards } => json!({ "cards": cards }),
        OfficeDone::Stocked { count } => json!({ "count": count }),
        OfficeDone::OutletOpened { outlet } => json!({ "outlet": outlet.0 }),
        OfficeDone::FloatChanged { float_minor } => json!({ "float_minor": float_minor }),
        OfficeDone::Quoted { quote, currency, price_minor, value_minor, ratio, expires_at } => {
            let mut json = priced_json(*currency, *price_minor, *value_minor, *ratio);
            json["quote"] = json!(quote.0);
            json["expires_at"] = json!(expires_at.rfc3339());
            json
        }
        OfficeDone::Sold { goods, outlet, currency, price_minor, value_minor, ratio, float_minor } => {
            let mut json = priced_json(*currency, *price_minor, *value_minor, *ratio);
            json["goods"] = goods_json(*goods);
            json["outlet"] = json!(outlet.0);
            json["float_minor"] = json!(float_minor);
            json
        }
        OfficeDone::Refunded { currency, price_minor } => {
            json!({ "currency": currency.code(), "price_minor": price_minor })
        }
        OfficeDone::Merged { balance_minor } => json!({ "balance_minor": balance_minor }),
        OfficeDone::PaidOut { currency, paid_minor, value_minor } => {
            json!({ "currency": currency.code(), "paid_minor": paid_minor, "value_minor": value_minor })
        }
        OfficeDone::CallReserved { call, granted_s, free_minutes, held_minor, expires_at } => json!({
            "call": call.0,
            "granted_s": granted_s,
            "free_minutes": free_minutes,
            "held_minor": held_minor,
            "expires_at": expires_at.rfc3339(),
        }),
        OfficeDone::CallCharged { charged_minor, free_minutes, airtime_minor } => json!({
            "charged_minor": charged_minor,
            "free_minutes": free_minutes,
            "airtime_minor": airtime_minor,
        }),
        OfficeDone::Proposed { motion, hash } => json!({ "motion": motion.0, "hash": hex(hash) }),
        OfficeDone::Approved { motion, moved_minor } => json!({ "motion": motion.0, "moved_minor": moved_minor }),
        OfficeDone::HoldPosted { gift, language } => {
            json!({ "gift": held_gift_json(gift), "language": language.tag() })
        }
        OfficeDone::HoldVoided { gift, balance_minor, why } => {
            json!({ "gift": held_gift_json(gift), "balance_minor": balance_minor, "why": why.name() })
        }
        OfficeDone::Dropped { kind } => json!({ "kind": kind.name() }),
        OfficeDone::BatchAbandoned
        | OfficeDone::MotionWithdrawn
        | OfficeDone::IssuanceStopped
        | OfficeDone::IssuanceResumed => json!({}),
    };
    if let Some(fields) = json.as_object_mut() {
        fields.insert(String::from("name"), json!(done.name()));
    }
    json
}

/// What cash buys.
fn priced_json(currency: Currency, price_minor: i64, value_minor: i64, ratio: Ratio) -> Value {
    json!({
        "currency": currency.code(),
        "price_minor": price_minor,
        "value_minor": value_minor,
        "ratio": ratio_json(ratio),
    })
}

fn held_gift_json(gift: &HeldGift) -> Value {
    let HeldGift { hold, operator: _, from, to, amount, occasion } = *gift;
    json!({
        "seq": hold.0,
        "receipt": receipt(hold),
        "from": msisdn_json(from),
        "to": msisdn_json(to),
        "amount_minor": amount.minor(),
        "occasion": occasion,
    })
}

/// The facts of a refusal; its name is added by whoever shows it.
pub(super) fn refusal_json(refusal: &OfficeRefusal) -> Value {
    match refusal {
        OfficeRefusal::BatchIncomplete { missing } => json!({ "missing": missing }),
        OfficeRefusal::BatchFull { room } => json!({ "room": room }),
        OfficeRefusal::FloatShort { short_by_minor }
        | OfficeRefusal::AirtimeShort { short_by_minor }
        | OfficeRefusal::BalanceShort { short_by_minor } => json!({ "short_by_minor": short_by_minor }),
        OfficeRefusal::RateUnknown { currency } => json!({ "currency": currency.code() }),
        OfficeRefusal::RatesOverlap { from } => json!({ "from": from.rfc3339() }),
        OfficeRefusal::RewritesPast { what, now } => json!({ "what": what, "now": now.rfc3339() }),
        OfficeRefusal::QuoteExpired { at } => json!({ "at": at.rfc3339() }),
        OfficeRefusal::CardSold { serial } => json!({ "serial": serial.to_string() }),
        OfficeRefusal::CardNotForSale { serial, state } => json!({ "serial": serial.to_string(), "state": state }),
        OfficeRefusal::CallBeyondGrant { granted_s } => json!({ "granted_s": granted_s }),
        OfficeRefusal::SecondsOutOfRange { max } => json!({ "max": max }),
        OfficeRefusal::AlreadyReversed { by } => json!({ "by": by.0, "receipt": receipt(*by) }),
        OfficeRefusal::RangeOverlaps { first, last } => {
            json!({ "first": first.to_string(), "last": last.to_string() })
        }
        OfficeRefusal::IssuanceStopped { why } => json!({ "why": why }),
        OfficeRefusal::RoleForbids { role } => json!({ "role": role }),
        OfficeRefusal::CardValueMax { max_minor } => json!({ "max_minor": max_minor }),
        OfficeRefusal::IssuedPerDayMax { left_minor, until } => {
            json!({ "left_minor": left_minor, "until": until.to_string() })
        }
        OfficeRefusal::FloatMax { room_minor } => json!({ "room_minor": room_minor }),
        OfficeRefusal::CeilingReached { of, max } => json!({ "of": of.name(), "max": max, "remedy": of.remedy() }),
        OfficeRefusal::TooLateToReverse { since } => json!({ "since": since.rfc3339() }),
        OfficeRefusal::BatchUnknown
        | OfficeRefusal::BatchSealed
        | OfficeRefusal::BatchAbandoned
        | OfficeRefusal::NameMalformed
        | OfficeRefusal::NameTaken
        | OfficeRefusal::OutletUnknown
        | OfficeRefusal::RateZero
        | OfficeRefusal::EndsBeforeItBegins
        | OfficeRefusal::QuoteUnknown
        | OfficeRefusal::CardNotBought
        | OfficeRefusal::NotSoldToday
        | OfficeRefusal::CurrenciesDiffer
        | OfficeRefusal::HoldersDiffer
        | OfficeRefusal::CardNotVoid
        | OfficeRefusal::CallUnknown
        | OfficeRefusal::MotionUnknown
        | OfficeRefusal::OwnMotion
        | OfficeRefusal::HashDiffers
        | OfficeRefusal::NotAGift
        | OfficeRefusal::NothingLeft
        | OfficeRefusal::ReasonMalformed
        | OfficeRefusal::AccountsDontFit
        | OfficeRefusal::RangeMalformed => json!({}),
    }
}

/// What a card was bought for.
pub(crate) fn bought_json(bought: &Bought) -> Value {
    let Bought { currency, price, value, outlet, sale } = *bought;
    json!({
        "currency": currency.code(),
        "price_minor": price.minor(),
        "value_minor": value.minor(),
        "outlet": outlet.0,
        "seq": sale.0,
        "receipt": receipt(sale),
    })
}

/// What the office keeps.
pub(crate) fn record_json(record: &Record, names: &Names) -> Value {
    match record {
        Record::Outlet(Outlet { operator, name, since }) => {
            json!({ "operator": names.operator(*operator), "name": name, "since": since.rfc3339() })
        }
        Record::Batch(batch) => batch_json(batch, names),
        Record::Rates(Rates { list }) => json!(list.iter().map(rate_json).collect::<Vec<_>>()),
        Record::Quote(Quote { outlet, currency, goods, price, value, ratio, expires_at }) => json!({
            "outlet": outlet.0,
            "currency": currency.code(),
            "goods": goods_json(*goods),
            "price_minor": price.minor(),
            "value_minor": value.minor(),
            "ratio": ratio_json(*ratio),
            "expires_at": expires_at.rfc3339(),
        }),
        Record::Motion(motion) => motion_json(motion, names),
        Record::Hold(hold) => hold_json(hold, names),
        Record::Call(call) => call_json(call, names),
        Record::VoidCards(VoidCards { last, at, why }) => {
            json!({ "last": last.to_string(), "at": at.rfc3339(), "why": voiding_name(*why) })
        }
        Record::Reversed(Reversed { by, until }) => {
            json!({ "by": by.0, "receipt": receipt(*by), "until": until.rfc3339() })
        }
        Record::Stopped(why) => json!({ "why": why }),
        Record::Takings(Takings { list }) => {
            let taken = |one: &Taken| json!({ "outlet": one.outlet.0, "price_minor": one.price.minor() });
            json!({ "outlets": list.iter().map(taken).collect::<Vec<_>>() })
        }
        Record::Issued(Issued { date, total_minor }) => {
            json!({ "date": date.to_string(), "total_minor": total_minor })
        }
    }
}

fn batch_json(batch: &Batch, names: &Names) -> Value {
    let Batch { operator, value, ordered, made, stage, runs } = batch;
    let runs: Vec<_> =
        runs.iter().map(|(first, count)| json!({ "first": first.to_string(), "count": count })).collect();
    let file_hash = match stage {
        Stage::Sealed { file_hash } => Some(hex(file_hash)),
        Stage::Making | Stage::Abandoned => None,
    };
    json!({
        "operator": names.operator(*operator),
        "value_minor": value.minor(),
        "ordered": ordered,
        "made": made,
        "stage": stage.name(),
        "file_hash": file_hash,
        "runs": runs,
    })
}

/// A motion, with the hash that whoever approves names.
pub(crate) fn motion_json(motion: &Motion, names: &Names) -> Value {
    let Motion { operator, maker, proposal, hash, expires_at } = motion;
    json!({
        "operator": names.operator(*operator),
        "maker": maker.0,
        "proposal": proposal_json(proposal),
        "hash": hex(hash),
        "expires_at": expires_at.rfc3339(),
    })
}

fn hold_json(hold: &Hold, names: &Names) -> Value {
    let Hold { operator, sender, recipient, card, amount, fee_minor, tax_minor, occasion, usage: _, expires_at } = hold;
    json!({
        "operator": names.operator(*operator),
        "sender": sender.0,
        "recipient": recipient.0,
        "serial": domain::ids::Serial::of(*card).to_string(),
        "amount_minor": amount.minor(),
        "fee_minor": fee_minor,
        "tax_minor": tax_minor,
        "occasion": occasion,
        "expires_at": expires_at.rfc3339(),
    })
}

fn call_json(call: &Call, names: &Names) -> Value {
    let Call { operator, subscriber, cross, tariff, granted_s, free_minutes, free: _, held_minor, expires_at } = *call;
    json!({
        "operator": names.operator(operator),
        "subscriber": subscriber.0,
        "cross": cross,
        "minute_price_minor": tariff.minute_price.minor(),
        "granted_s": granted_s,
        "free_minutes": free_minutes,
        "held_minor": held_minor,
        "expires_at": expires_at.rfc3339(),
    })
}
