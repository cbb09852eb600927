//! A verdict in one line. Exhaustive: a new answer does not compile until a test can say it.

use crate::command::Body;
use crate::office::done::OfficeDone;
use crate::office::refusal::OfficeRefusal;
use crate::receipt::receipt;
use crate::refusal::Refusal;
use crate::time::{Timestamp, Zone};
use crate::verdict::{Done, Outcome};

/// What the caller or the staff hears.
pub(super) fn outcome(outcome: &Outcome, body: &Body, zone: &Zone) -> String {
    match outcome {
        Outcome::Done(done) => self::done(done, body),
        Outcome::Refused(refusal) => format!("refused: {}", self::refusal(refusal, zone)),
    }
}

fn done(done: &Done, body: &Body) -> String {
    match done {
        Done::Given { left_minor, fee_minor, language: _ } => {
            format!("given {}{}, {left_minor} left", amount(body), fee(*fee_minor))
        }
        Done::ToppedUp { left_minor, fee_minor, airtime_minor } => {
            format!("topped up {}{}, {left_minor} left, airtime {airtime_minor}", amount(body), fee(*fee_minor))
        }
        Done::Cards { cards, sendable_minor, airtime_minor } => {
            let cards: Vec<String> = cards
                .iter()
                .map(|line| {
                    let usable = if line.usable { "" } else { " (not usable)" };
                    format!("card {} {}{usable}", line.serial.0, line.balance_minor)
                })
                .collect();
            let sendable = sendable_minor.map_or_else(|| String::from("anything"), |minor| minor.to_string());
            format!("{}; may send {sendable}; airtime {airtime_minor}", cards.join(", "))
        }
        Done::Gifts { latest } => format!("latest entry {latest}"),
        Done::PasswordChanged => String::from("password changed"),
        Done::Frozen { serial } => format!("card {} frozen", serial.0),
        Done::Bound { serial, balance_minor } => format!("card {} bound, {balance_minor} on it", serial.0),
        Done::LanguageSet => String::from("language set"),
        Done::RulesLoaded { .. } => String::from("rules loaded"),
        Done::Imported { created, updated } => format!("imported {created} new, {updated} changed"),
        Done::SubscriberChanged => String::from("subscriber changed"),
        Done::Issued { first, count } => format!("issued {count} from card {}", first.0),
        Done::CardChanged => String::from("card changed"),
        Done::CardExpired { breakage_minor } => format!("card expired, {breakage_minor} to breakage"),
        Done::Held { left_minor, fee_minor, until: _ } => {
            format!("on hold {}{}, {left_minor} left", amount(body), fee(*fee_minor))
        }
        Done::Undone { hold, amount, recipient: _, balance_minor } => {
            format!("undone {} of entry {hold}, {balance_minor} on the card", amount.minor())
        }
        Done::Office(done) => office(done, body),
    }
}

fn office(done: &OfficeDone, body: &Body) -> String {
    match (done, body) {
        // What scripts say of rules and cards does not depend on how many people it takes.
        (OfficeDone::Approved { .. }, Body::LoadRules(_)) => String::from("rules loaded"),
        (OfficeDone::Approved { .. }, Body::ChangeCard(_)) => String::from("card changed"),
        (OfficeDone::Proposed { motion, .. }, _) => format!("proposed as {motion}"),
        (OfficeDone::Approved { moved_minor: 0, .. }, _) => String::from("approved"),
        (OfficeDone::Approved { moved_minor, .. }, _) => format!("approved, {moved_minor} moved"),
        (OfficeDone::BatchStarted { batch }, _) => format!("batch {} begun", batch.get()),
        (OfficeDone::CardsMade { first, count }, _) => format!("made {count} from card {}", first.0),
        (OfficeDone::BatchSealed { cards }, _) => format!("sealed {cards} cards"),
        (OfficeDone::Stocked { count }, _) => format!("stocked {count}"),
        (OfficeDone::OutletOpened { outlet }, _) => format!("outlet {} open", outlet.0),
        (OfficeDone::FloatChanged { float_minor }, _) => format!("float {float_minor}"),
        (OfficeDone::Quoted { quote, currency, price_minor, value_minor, .. }, _) => {
            format!("quote {quote}: {value_minor} for {} {price_minor}", currency.code())
        }
        (OfficeDone::Sold { currency, price_minor, value_minor, float_minor, .. }, _) => {
            format!("sold {value_minor} for {} {price_minor}, float {float_minor}", currency.code())
        }
        (OfficeDone::Refunded { currency, price_minor }, _) => format!("refunded {} {price_minor}", currency.code()),
        (OfficeDone::Merged { balance_minor }, _) => format!("merged, {balance_minor} on it"),
        (OfficeDone::PaidOut { currency, paid_minor, value_minor }, _) => {
            format!("paid out {} {paid_minor} for {value_minor}", currency.code())
        }
        (OfficeDone::CallReserved { call, granted_s, free_minutes, held_minor, .. }, _) => {
            format!("call {call}: {granted_s} s, {free_minutes} free minutes, {held_minor} held")
        }
        (OfficeDone::CallCharged { charged_minor, free_minutes, airtime_minor }, _) => {
            format!("charged {charged_minor}, {free_minutes} free minutes, airtime {airtime_minor}")
        }
        (OfficeDone::HoldPosted { gift, .. }, _) => format!("posted entry {}", gift.hold),
        (OfficeDone::HoldVoided { gift, .. }, _) => format!("gave back entry {}", gift.hold),
        (OfficeDone::Dropped { kind }, _) => format!("dropped a {}", kind.name()),
        (
            OfficeDone::BatchAbandoned
            | OfficeDone::MotionWithdrawn
            | OfficeDone::IssuanceStopped
            | OfficeDone::IssuanceResumed,
            _,
        ) => String::from(done.name()),
    }
}

fn amount(body: &Body) -> i64 {
    let amount = match body {
        Body::Gift(gift) => gift.amount.value(),
        Body::TopUp(top_up) => top_up.amount.value(),
        other => panic!("{} gives nothing", other.name()),
    };
    amount.expect("a posted amount").minor()
}

fn fee(minor: i64) -> String {
    if minor == 0 { String::new() } else { format!(" for a fee of {minor}") }
}

/// Why not, with its facts; instants in the operator's zone.
pub(super) fn refusal(refusal: &Refusal, zone: &Zone) -> String {
    let when = |at: &Timestamp| zone.civil(*at).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let facts = match refusal {
        Refusal::LimitReached { limit, until } => return format!("limit {} reached until {until}", limit.as_str()),
        Refusal::ServiceClosed { period } => period.clone().unwrap_or_else(|| String::from("no period")),
        Refusal::CallerResting { until } | Refusal::Locked { until } => format!("until {}", when(until)),
        Refusal::WrongPassword { locked_until: Some(until), tries_left } => {
            assert_eq!(*tries_left, 0);
            format!("locked until {}", when(until))
        }
        Refusal::WrongPassword { locked_until: None, tries_left } => format!("{tries_left} left"),
        Refusal::CardNotUsable { why } => String::from(why.name()),
        Refusal::TooManyRefusals { until }
        | Refusal::SenderTooYoung { until }
        | Refusal::RecipientTooYoung { until } => format!("until {until}"),
        Refusal::AmountBelowMinimum { min_minor } => min_minor.to_string(),
        Refusal::AmountAboveMaximum { max_minor } => max_minor.to_string(),
        Refusal::AmountOffStep { step_minor } => step_minor.to_string(),
        Refusal::Repeated { given_at, seq, again_at } => {
            format!("given {}, receipt {}, again at {}", when(given_at), receipt(*seq), when(again_at))
        }
        Refusal::RecipientBalanceMax { room_minor } => format!("room for {room_minor}"),
        Refusal::InsufficientFunds { short_by_minor } => format!("short by {short_by_minor}"),
        Refusal::TooManyCards { max } => max.to_string(),
        Refusal::TooMuchAtOnce { max } => max.to_string(),
        Refusal::RulesClash { with } => with.clone(),
        Refusal::NumberOutOfRange { index } | Refusal::CardNumberTaken { index } | Refusal::TwiceInList { index } => {
            format!("at {index}")
        }
        Refusal::CardStateForbids { state } => state.clone(),
        Refusal::Office(refusal) => return office_refusal(refusal, zone),
        Refusal::CallerUnknown
        | Refusal::CallerBarred
        | Refusal::NoCard
        | Refusal::AmountRecipientSwapped
        | Refusal::RecipientMalformed
        | Refusal::AmountMalformed
        | Refusal::RecipientElsewhere
        | Refusal::RecipientUnknown
        | Refusal::RecipientIsCaller
        | Refusal::NothingToUndo
        | Refusal::NewPasswordMalformed
        | Refusal::NewPasswordsDiffer
        | Refusal::NewPasswordTrivial
        | Refusal::NewPasswordSame
        | Refusal::BindingBlocked
        | Refusal::LanguageNotOffered
        | Refusal::OperatorUnknown
        | Refusal::SubscriberUnknown
        | Refusal::CardUnknown
        | Refusal::AmountOverflow
        | Refusal::NothingToChange => return String::from(refusal.name()),
    };
    format!("{}, {facts}", refusal.name())
}

/// Facts of a refusal as it prints, and its public name before them.
fn office_refusal(refusal: &OfficeRefusal, zone: &Zone) -> String {
    let when = |at: &Timestamp| zone.civil(*at).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let facts = match refusal {
        OfficeRefusal::BatchIncomplete { missing } => missing.to_string(),
        OfficeRefusal::BatchFull { room } => format!("room for {room}"),
        OfficeRefusal::FloatShort { short_by_minor }
        | OfficeRefusal::AirtimeShort { short_by_minor }
        | OfficeRefusal::BalanceShort { short_by_minor } => format!("short by {short_by_minor}"),
        OfficeRefusal::RateUnknown { currency } => String::from(currency.code()),
        OfficeRefusal::RatesOverlap { from } => when(from),
        OfficeRefusal::RewritesPast { what, .. } => what.clone(),
        OfficeRefusal::QuoteExpired { at } => when(at),
        OfficeRefusal::CardSold { serial } => format!("card {}", serial.0),
        OfficeRefusal::CardNotForSale { serial, state } => format!("card {}, {state}", serial.0),
        OfficeRefusal::CallBeyondGrant { granted_s } => format!("{granted_s} s"),
        OfficeRefusal::SecondsOutOfRange { max } => max.to_string(),
        OfficeRefusal::AlreadyReversed { by } => format!("by entry {by}"),
        OfficeRefusal::RangeOverlaps { first, last } => format!("{} to {}", first.0, last.0),
        OfficeRefusal::IssuanceStopped { why } => why.clone(),
        OfficeRefusal::RoleForbids { role } => role.clone(),
        OfficeRefusal::CardValueMax { max_minor } => max_minor.to_string(),
        OfficeRefusal::IssuedPerDayMax { left_minor, until } => format!("{left_minor} left until {until}"),
        OfficeRefusal::CeilingReached { of, max } => format!("{} of at most {max}", of.name()),
        OfficeRefusal::TooLateToReverse { since } => when(since),
        OfficeRefusal::FloatMax { room_minor } => format!("room for {room_minor}"),
        _ => return String::from(refusal.name()),
    };
    format!("{}, {facts}", refusal.name())
}
