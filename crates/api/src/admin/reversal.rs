//! A posted gift as the journal tells it, for whoever wants to take it back or only look at it.
//!
//! A gift that was on hold has two entries: the one that took it, whose receipt its sender has, and the one that posted it.
//! It goes by the first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::effects::Given;
use domain::ids::{OperatorId, Serial};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::office::done::OfficeDone;
use domain::office::hold::HeldGift;
use domain::office::motion::{Reversal, reversible_until};
use domain::office::{Record, RecordKey, RecordKind};
use domain::receipt::{Seq, parse_receipt, receipt};
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
use engine::answer::{Query, View};
use engine::history;
use engine::journal::JournalReader;
use serde_json::{Value, json};

use super::Admin;
use super::ask::Key;
use super::journal::reading;
use super::problem::Problem;
use super::seen::with_seq;
use crate::view::msisdn_json;

/// The gift of an entry. Its reason is left empty.
pub(crate) async fn find(admin: &Admin, seq: Seq) -> Result<(OperatorId, Reversal), Problem> {
    let found = reading(admin, move |reader, _| gift_of(reader, seq)).await?;
    Ok((found.operator, found.gift))
}

fn no_gift() -> Problem {
    Problem::NotFound(String::from("this receipt number is of no gift"))
}

/// A gift as its entry tells it.
struct Found {
    operator: OperatorId,
    /// As it was dialled.
    to: Option<Msisdn>,
    gift: Reversal,
}

fn gift_of(reader: &dyn JournalReader, seq: Seq) -> Result<Found, Problem> {
    let found = history::entry(reader, seq)?.ok_or_else(no_gift)?;
    if let Outcome::Done(Done::Office(done)) = &found.entry.verdict.outcome
        && let OfficeDone::HoldPosted { gift: HeldGift { hold, .. }, .. }
        | OfficeDone::HoldVoided { gift: HeldGift { hold, .. }, .. } = **done
    {
        let taken = history::entry(reader, hold)?.ok_or_else(no_gift)?;
        return read(hold, taken.at, &taken.entry).ok_or_else(no_gift);
    }
    read(seq, found.at, &found.entry).ok_or_else(no_gift)
}

fn read(of: Seq, given_at: Timestamp, entry: &Entry) -> Option<Found> {
    let gift = entry.body.gift()?;
    let effects = &entry.verdict.effects;
    let (card, Given { sender, recipient, amount }) = effects.paid_by().zip(effects.gift())?;
    let reason = String::new();
    let reversal = Reversal { of, card, sender, recipient, amount, reason, given_at };
    Some(Found { operator: gift.caller.operator, to: gift.recipient.value(), gift: reversal })
}

/// `GET /v1/gifts/{receipt}`: what somebody who looks after a wrong recipient needs to know.
pub(crate) async fn show(State(admin): State<Arc<Admin>>, Key(text): Key) -> Result<Response, Problem> {
    let seq = parse_receipt(&text).map_err(|_| Problem::Misread)?;
    let Found { operator, to, gift } = reading(&admin, move |reader, _| gift_of(reader, seq)).await?;
    let (seen, stage, by) = stage(&admin, gift.of).await?;
    let mut json = json!({
        "receipt": receipt(gift.of),
        "operator": admin.handle().directory().rules(operator).map(|rules| rules.operator.clone()),
        "at": gift.given_at.rfc3339(),
        "amount_minor": gift.amount.minor(),
        "card": Serial::of(gift.card).to_string(),
        "recipient": to.map(msisdn_json),
        "stage": stage,
    });
    let fields = json.as_object_mut();
    let Some(fields) = fields else { return Err(Problem::gone(&"an object is none")) };
    if let Some(by) = by {
        fields.insert(String::from("by"), json!(receipt(by)));
    }
    // Whoever has the number by now: a gift is taken back from the one who got it.
    let row = admin.query(Query::SubscriberRow(gift.recipient)).await?;
    let View::Subscriber(view) = row.value else { return Err(Problem::gone(&"the engine answered another question")) };
    let left = view.map_or(0, |view| view.airtime_minor);
    fields.insert(String::from("recipient_airtime_minor"), json!(left));
    let most = Amount::try_new(left.min(gift.amount.minor())).map_or(0, Amount::minor);
    let in_time = admin.handle().now() < reversible_until(gift.given_at);
    let most = if stage == "posted" && in_time { most } else { 0 };
    fields.insert(String::from("reversible_minor"), json!(most));
    Ok(with_seq(seen, axum::Json::<Value>(json)))
}

/// The entry that was seen, and where a gift is there: on hold, posted, or taken back by an entry.
async fn stage(admin: &Admin, of: Seq) -> Result<(Seq, &'static str, Option<Seq>), Problem> {
    let at = |kind| async move {
        let key = RecordKey::made_by(kind, of);
        let seen = admin.query(Query::Records { kind, from: of.0 }).await?;
        match seen.value {
            View::Records(records) => {
                let found = records.list.into_iter().find(|(known, _)| *known == key);
                Ok((seen.seq, found.map(|(_, record)| record)))
            }
            View::Subscriber(_) | View::Card(_) | View::CardStates(_) | View::CardsDue(_) | View::CallPrice(_) => {
                Err(Problem::gone(&"the engine answered another question"))
            }
        }
    };
    let (seen, held) = at(RecordKind::Hold).await?;
    if held.is_some() {
        return Ok((seen, "on-hold", None));
    }
    match at(RecordKind::Reversed).await? {
        (_, Some(Record::Reversed(reversed))) => Ok((seen, "taken-back", Some(reversed.by))),
        (
            _,
            Some(
                Record::Outlet(_)
                | Record::Batch(_)
                | Record::Rates(_)
                | Record::Quote(_)
                | Record::Motion(_)
                | Record::Hold(_)
                | Record::Call(_)
                | Record::VoidCards(_)
                | Record::Stopped(_)
                | Record::Takings(_)
                | Record::Issued(_),
            )
            | None,
        ) => Ok((seen, "posted", None)),
    }
}
