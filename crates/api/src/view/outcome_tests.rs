use domain::ids::{Language, OperatorId, Serial};
use domain::receipt::Seq;
use domain::refusal::{Refusal, Unusable};
use domain::rules::LimitName;
use domain::verdict::{CardLine, Done, Outcome};
use expect_test::expect;

use super::outcome;
use super::tests::{at, day, lines, names};
use crate::admin::http_status;

fn outcomes(all: impl IntoIterator<Item = Outcome>) -> String {
    lines(all.into_iter().map(|one| {
        let mut json = serde_json::json!({});
        outcome::add(&mut json, &one, &names());
        json
    }))
}

#[test]
fn everything_that_can_be_done() {
    let line = CardLine { serial: Serial(1), balance_minor: 500, usable: true };
    let done = [
        Done::Given { left_minor: 496, fee_minor: 4, language: Language::English },
        Done::ToppedUp { left_minor: 0, fee_minor: 4, airtime_minor: 500 },
        Done::Cards { cards: vec![line], sendable_minor: None, airtime_minor: 0 },
        Done::Gifts { latest: Seq(6) },
        Done::PasswordChanged,
        Done::Frozen { serial: Serial(1) },
        Done::Bound { serial: Serial(1), balance_minor: 1000 },
        Done::LanguageSet,
        Done::RulesLoaded { operator: OperatorId(0) },
        Done::Imported { created: 2, updated: 1 },
        Done::SubscriberChanged,
        Done::Issued { first: Serial(1), count: 999 },
        Done::CardChanged,
        Done::CardExpired { breakage_minor: 70 },
    ];
    expect![[r#"
        {"done":{"fee_minor":4,"language":"en","left_minor":496,"name":"given"},"outcome":"done"}
        {"done":{"airtime_minor":500,"fee_minor":4,"left_minor":0,"name":"topped-up"},"outcome":"done"}
        {"done":{"airtime_minor":0,"cards":[{"balance_minor":500,"serial":"00000001","usable":true}],"name":"cards","sendable_minor":null},"outcome":"done"}
        {"done":{"latest":6,"name":"gifts"},"outcome":"done"}
        {"done":{"name":"password-changed"},"outcome":"done"}
        {"done":{"name":"frozen","serial":"00000001"},"outcome":"done"}
        {"done":{"balance_minor":1000,"name":"bound","serial":"00000001"},"outcome":"done"}
        {"done":{"name":"language-set"},"outcome":"done"}
        {"done":{"name":"rules-loaded","operator":{"id":0,"name":"koryolink"}},"outcome":"done"}
        {"done":{"created":2,"name":"imported","updated":1},"outcome":"done"}
        {"done":{"name":"subscriber-changed"},"outcome":"done"}
        {"done":{"count":999,"first":"00000001","name":"issued"},"outcome":"done"}
        {"done":{"name":"card-changed"},"outcome":"done"}
        {"done":{"breakage_minor":70,"name":"card-expired"},"outcome":"done"}
    "#]].assert_eq(&outcomes(done.map(Outcome::Done)));
}

#[test]
fn every_refusal() {
    let (until, date) = (at(), day());
    let refusals = [
        Refusal::ServiceClosed { period: None },
        Refusal::ServiceClosed { period: Some(String::from("kp-2020-07")) },
        Refusal::CallerUnknown,
        Refusal::CallerBarred,
        Refusal::CallerResting { until },
        Refusal::Locked { until },
        Refusal::NoCard,
        Refusal::WrongPassword { tries_left: 2, locked_until: None },
        Refusal::WrongPassword { tries_left: 0, locked_until: Some(until) },
        Refusal::CardNotUsable { why: Unusable::Frozen },
        Refusal::TooManyRefusals { until: date },
        Refusal::AmountRecipientSwapped,
        Refusal::RecipientMalformed,
        Refusal::AmountMalformed,
        Refusal::RecipientElsewhere,
        Refusal::RecipientUnknown,
        Refusal::RecipientIsCaller,
        Refusal::AmountBelowMinimum { min_minor: 1 },
        Refusal::AmountAboveMaximum { max_minor: 500 },
        Refusal::AmountOffStep { step_minor: 10 },
        Refusal::Repeated { given_at: until, seq: Seq(7), again_at: until },
        Refusal::SenderTooYoung { until: date },
        Refusal::RecipientTooYoung { until: date },
        Refusal::LimitReached { limit: LimitName::new("one-a-day"), until: date },
        Refusal::RecipientBalanceMax { room_minor: 0 },
        Refusal::InsufficientFunds { short_by_minor: 4 },
        Refusal::NothingToUndo,
        Refusal::NewPasswordMalformed,
        Refusal::NewPasswordsDiffer,
        Refusal::NewPasswordTrivial,
        Refusal::NewPasswordSame,
        Refusal::BindingBlocked,
        Refusal::TooManyCards { max: 16 },
        Refusal::LanguageNotOffered,
        Refusal::OperatorUnknown,
        Refusal::RulesClash { with: String::from("kangsong") },
        Refusal::SubscriberUnknown,
        Refusal::NumberOutOfRange { index: 3 },
        Refusal::CardUnknown,
        Refusal::CardNumberTaken { index: 0 },
        Refusal::CardStateForbids { state: String::from("void") },
        Refusal::AmountOverflow,
        Refusal::TooMuchAtOnce { max: 1000 },
        Refusal::NothingToChange,
        Refusal::TwiceInList { index: 1 },
    ];
    let shown = outcomes(refusals.iter().cloned().map(Outcome::Refused));
    expect![[r#"
        {"outcome":"refused","refusal":{"name":"service-closed","period":null}}
        {"outcome":"refused","refusal":{"name":"service-closed","period":"kp-2020-07"}}
        {"outcome":"refused","refusal":{"name":"caller-unknown"}}
        {"outcome":"refused","refusal":{"name":"caller-barred"}}
        {"outcome":"refused","refusal":{"name":"caller-resting","until":"2026-11-22T10:00:00.000Z"}}
        {"outcome":"refused","refusal":{"name":"locked","until":"2026-11-22T10:00:00.000Z"}}
        {"outcome":"refused","refusal":{"name":"no-card"}}
        {"outcome":"refused","refusal":{"locked_until":null,"name":"wrong-password","tries_left":2}}
        {"outcome":"refused","refusal":{"locked_until":"2026-11-22T10:00:00.000Z","name":"wrong-password","tries_left":0}}
        {"outcome":"refused","refusal":{"name":"card-not-usable","why":"frozen"}}
        {"outcome":"refused","refusal":{"name":"too-many-refusals","until":"2026-11-22"}}
        {"outcome":"refused","refusal":{"name":"amount-recipient-swapped"}}
        {"outcome":"refused","refusal":{"name":"recipient-malformed"}}
        {"outcome":"refused","refusal":{"name":"amount-malformed"}}
        {"outcome":"refused","refusal":{"name":"recipient-elsewhere"}}
        {"outcome":"refused","refusal":{"name":"recipient-unknown"}}
        {"outcome":"refused","refusal":{"name":"recipient-is-caller"}}
        {"outcome":"refused","refusal":{"min_minor":1,"name":"amount-below-minimum"}}
        {"outcome":"refused","refusal":{"max_minor":500,"name":"amount-above-maximum"}}
        {"outcome":"refused","refusal":{"name":"amount-off-step","step_minor":10}}
        {"outcome":"refused","refusal":{"again_at":"2026-11-22T10:00:00.000Z","given_at":"2026-11-22T10:00:00.000Z","name":"repeated","receipt":"7-6P","seq":7}}
        {"outcome":"refused","refusal":{"name":"sender-too-young","until":"2026-11-22"}}
        {"outcome":"refused","refusal":{"name":"recipient-too-young","until":"2026-11-22"}}
        {"outcome":"refused","refusal":{"limit":"one-a-day","name":"limit-reached","until":"2026-11-22"}}
        {"outcome":"refused","refusal":{"name":"recipient-balance-max","room_minor":0}}
        {"outcome":"refused","refusal":{"name":"insufficient-funds","short_by_minor":4}}
        {"outcome":"refused","refusal":{"name":"nothing-to-undo"}}
        {"outcome":"refused","refusal":{"name":"new-password-malformed"}}
        {"outcome":"refused","refusal":{"name":"new-passwords-differ"}}
        {"outcome":"refused","refusal":{"name":"new-password-trivial"}}
        {"outcome":"refused","refusal":{"name":"new-password-same"}}
        {"outcome":"refused","refusal":{"name":"binding-blocked"}}
        {"outcome":"refused","refusal":{"max":16,"name":"too-many-cards"}}
        {"outcome":"refused","refusal":{"name":"language-not-offered"}}
        {"outcome":"refused","refusal":{"name":"operator-unknown"}}
        {"outcome":"refused","refusal":{"name":"rules-clash","with":"kangsong"}}
        {"outcome":"refused","refusal":{"name":"subscriber-unknown"}}
        {"outcome":"refused","refusal":{"index":3,"name":"number-out-of-range"}}
        {"outcome":"refused","refusal":{"name":"card-unknown"}}
        {"outcome":"refused","refusal":{"index":0,"name":"card-number-taken"}}
        {"outcome":"refused","refusal":{"name":"card-state-forbids","state":"void"}}
        {"outcome":"refused","refusal":{"name":"amount-overflow"}}
        {"outcome":"refused","refusal":{"max":1000,"name":"too-much-at-once"}}
        {"outcome":"refused","refusal":{"name":"nothing-to-change"}}
        {"outcome":"refused","refusal":{"index":1,"name":"twice-in-list"}}
    "#]].assert_eq(&shown);
    let statuses = refusals.iter().map(|refusal| http_status(refusal).as_u16());
    let unknown = refusals.iter().zip(statuses).filter(|(_, status)| *status == 404).map(|(refusal, _)| refusal.name());
    assert_eq!(
        unknown.collect::<Vec<_>>(),
        ["caller-unknown", "recipient-unknown", "operator-unknown", "subscriber-unknown", "card-unknown"],
    );
}
