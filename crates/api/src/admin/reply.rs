//! What a command is answered with: a verdict as JSON with its status, or a [`Problem`].

use axum::Json;
use axum::http::StatusCode;
use axum::response::Response;
use domain::office::refusal::OfficeRefusal;
use domain::receipt::receipt;
use domain::refusal::Refusal;
use domain::verdict::Outcome;
use engine::answer::{Answer, Directory, Reply};
use serde_json::{Value, json};

use super::problem::Problem;
use super::seen::with_seq;
use crate::view::{Names, outcome};

/// The HTTP status of a refusal. A new refusal does not compile until somebody has decided what it is here.
pub const fn http_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::CallerUnknown
        | Refusal::RecipientUnknown
        | Refusal::OperatorUnknown
        | Refusal::SubscriberUnknown
        | Refusal::CardUnknown => StatusCode::NOT_FOUND,
        Refusal::ServiceClosed { .. }
        | Refusal::CallerBarred
        | Refusal::CallerResting { .. }
        | Refusal::Locked { .. }
        | Refusal::NoCard
        | Refusal::WrongPassword { .. }
        | Refusal::CardNotUsable { .. }
        | Refusal::TooManyRefusals { .. }
        | Refusal::AmountRecipientSwapped
        | Refusal::RecipientMalformed
        | Refusal::AmountMalformed
        | Refusal::RecipientElsewhere
        | Refusal::RecipientIsCaller
        | Refusal::AmountBelowMinimum { .. }
        | Refusal::AmountAboveMaximum { .. }
        | Refusal::AmountOffStep { .. }
        | Refusal::Repeated { .. }
        | Refusal::SenderTooYoung { .. }
        | Refusal::RecipientTooYoung { .. }
        | Refusal::LimitReached { .. }
        | Refusal::RecipientBalanceMax { .. }
        | Refusal::InsufficientFunds { .. }
        | Refusal::NothingToUndo
        | Refusal::NewPasswordMalformed
        | Refusal::NewPasswordsDiffer
        | Refusal::NewPasswordTrivial
        | Refusal::NewPasswordSame
        | Refusal::BindingBlocked
        | Refusal::TooManyCards { .. }
        | Refusal::LanguageNotOffered
        | Refusal::RulesClash { .. }
        | Refusal::NumberOutOfRange { .. }
        | Refusal::CardNumberTaken { .. }
        | Refusal::CardStateForbids { .. }
        | Refusal::AmountOverflow
        | Refusal::TooMuchAtOnce { .. }
        | Refusal::NothingToChange
        | Refusal::TwiceInList { .. } => StatusCode::CONFLICT,
        Refusal::Office(refusal) => office_status(refusal),
    }
}

const fn office_status(refusal: &OfficeRefusal) -> StatusCode {
    match refusal {
        OfficeRefusal::BatchUnknown
        | OfficeRefusal::OutletUnknown
        | OfficeRefusal::QuoteUnknown
        | OfficeRefusal::CallUnknown
        | OfficeRefusal::MotionUnknown => StatusCode::NOT_FOUND,
        OfficeRefusal::RoleForbids { .. } | OfficeRefusal::OwnMotion => StatusCode::FORBIDDEN,
        OfficeRefusal::BatchSealed
        | OfficeRefusal::BatchAbandoned
        | OfficeRefusal::BatchIncomplete { .. }
        | OfficeRefusal::BatchFull { .. }
        | OfficeRefusal::NameMalformed
        | OfficeRefusal::NameTaken
        | OfficeRefusal::FloatShort { .. }
        | OfficeRefusal::RateUnknown { .. }
        | OfficeRefusal::RateZero
        | OfficeRefusal::RatesOverlap { .. }
        | OfficeRefusal::EndsBeforeItBegins
        | OfficeRefusal::RewritesPast { .. }
        | OfficeRefusal::QuoteExpired { .. }
        | OfficeRefusal::CardSold { .. }
        | OfficeRefusal::CardNotForSale { .. }
        | OfficeRefusal::CardNotBought
        | OfficeRefusal::NotSoldToday
        | OfficeRefusal::CurrenciesDiffer
        | OfficeRefusal::HoldersDiffer
        | OfficeRefusal::CardNotVoid
        | OfficeRefusal::CallBeyondGrant { .. }
        | OfficeRefusal::SecondsOutOfRange { .. }
        | OfficeRefusal::AirtimeShort { .. }
        | OfficeRefusal::HashDiffers
        | OfficeRefusal::AlreadyReversed { .. }
        | OfficeRefusal::NotAGift
        | OfficeRefusal::NothingLeft
        | OfficeRefusal::ReasonMalformed
        | OfficeRefusal::AccountsDontFit
        | OfficeRefusal::BalanceShort { .. }
        | OfficeRefusal::RangeOverlaps { .. }
        | OfficeRefusal::RangeMalformed
        | OfficeRefusal::IssuanceStopped { .. }
        | OfficeRefusal::CardValueMax { .. }
        | OfficeRefusal::IssuedPerDayMax { .. }
        | OfficeRefusal::FloatMax { .. }
        | OfficeRefusal::TooLateToReverse { .. }
        | OfficeRefusal::CeilingReached { .. } => StatusCode::CONFLICT,
    }
}

/// The status of a verdict.
pub(crate) const fn status(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Done(_) => StatusCode::OK,
        Outcome::Refused(refusal) => http_status(refusal),
    }
}

/// A verdict.
pub(crate) fn verdict(reply: &Reply, names: &Names) -> Value {
    let mut json = json!({
        "seq": reply.seq.0,
        "at": reply.at.rfc3339(),
        "receipt": receipt(reply.seq),
        "repeated": reply.repeated,
    });
    outcome::add(&mut json, &reply.outcome, names);
    json
}

/// The verdict, or what is none.
pub(crate) fn answered(answer: Answer, directory: &Directory) -> Result<Response, Problem> {
    let reply = decided(answer)?;
    let json = verdict(&reply, &Names::from(directory));
    Ok(with_seq(reply.seq, (status(&reply.outcome), Json(json))))
}

/// The verdict's reply, or what is none.
pub(crate) fn decided(answer: Answer) -> Result<Reply, Problem> {
    match answer {
        Answer::Verdict(reply) => Ok(reply),
        Answer::IdReused => Err(Problem::IdReused),
        Answer::IdTooOld { floor } => Err(Problem::IdTooOld { floor }),
        Answer::IdAhead => Err(Problem::IdAhead),
        Answer::Busy => Err(Problem::Busy),
        Answer::Closed(why) => Err(Problem::Closed(why)),
        Answer::NotDone => Err(Problem::NotDone),
        Answer::Unknown => Err(Problem::Unknown),
    }
}

/// For the log.
pub(crate) const fn answer_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Verdict(_) => "verdict",
        Answer::IdReused => "id-reused",
        Answer::IdTooOld { .. } => "id-too-old",
        Answer::IdAhead => "id-ahead",
        Answer::Busy => "busy",
        Answer::Closed(why) => why.name(),
        Answer::NotDone => "not-done",
        Answer::Unknown => "unknown",
    }
}

/// For the log.
pub(crate) const fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Refused(refusal) => refusal.name(),
    }
}
