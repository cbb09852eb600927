//! One of everything that can be said, each with the longest values that rules allow.
//!
//! Guarantees: [`Texts::check`](super::super::Texts::check) reports every message that none of these shows.

use domain::ids::{LimitId, Serial};
use domain::money::Amount;
use domain::number::{CardNumber, MSISDN_DIGITS_MAX, Msisdn};
use domain::receipt::Seq;
use domain::refusal::{Refusal, Unusable};
use domain::rules::limit::{Kind, Measure, Subject, Window};
use domain::rules::{Limit, LimitName, Rules};
use domain::time::Timestamp;

use super::{DIGITS_MAX, Voice};
use crate::port::GiftLine;
use crate::say::{AmountProblem, Did, FullForm, Line, NewPasswordProblem, RecipientProblem, Resumed, Say};
use crate::texts::SenderSms;
use crate::wish::{Greeting, Wish};

/// 2026-06-01.
pub(super) const NOW: Timestamp = Timestamp::from_ms(1_780_272_000_000);
/// 2027-11-22 14:05 UTC: another year, and two digits in every place.
pub(super) const FAR: Timestamp = Timestamp::from_ms(1_826_892_300_000);
/// Ten characters and two of check: at 300,000 entries a second it is reached in a hundred years.
const SEQ: Seq = Seq((1 << 50) - 1);
const SERIAL: Serial = Serial(u32::MAX);
/// Its own shape: such an amount may be a password.
const SIX_DIGITS: i64 = 482_913;
const TRIES_MAX: u8 = 9;
const CARD_NUMBER: CardNumber = CardNumber::from_stored(4_539_578_763_621_486);

/// The longest amount: of what a card or a phone may hold.
fn balance_minor() -> i64 {
    10_i64.pow(DIGITS_MAX) - 1
}

fn amount(minor: i64) -> Amount {
    Amount::try_new(minor).unwrap_or(ONE)
}

const ONE: Amount = match Amount::try_new(1) {
    Some(one) => one,
    None => panic!("one is positive"),
};

/// Nines in as many digits as the largest gift of any period has.
fn gift_minor(rules: &Rules) -> i64 {
    let largest = rules.periods.iter().map(|period| period.amount_max.minor()).max().unwrap_or(i64::MAX);
    let nines = |digits: u32| 10_i64.pow(digits) - 1;
    let digits = (1..=DIGITS_MAX).find(|digits| largest <= nines(*digits)).unwrap_or(DIGITS_MAX);
    nines(digits)
}

/// The number that is longest to show among those that the plan reads.
fn number(voice: &Voice<'_>) -> Msisdn {
    let plan = &voice.rules.numbers;
    let digits = (1..=MSISDN_DIGITS_MAX).flat_map(|len| ["9", "8", "7", "5", "2"].map(|digit| digit.repeat(len)));
    let read = digits.filter_map(|text| plan.parse(&text).ok());
    let own_country = read.filter(|msisdn| !plan.national(*msisdn).starts_with('+'));
    own_country.max_by_key(|msisdn| plan.national(*msisdn).len()).unwrap_or(ABROAD)
}

/// For a plan that reads none of them: nothing is longer.
const ABROAD: Msisdn = match Msisdn::try_new(999_999_999_999_999) {
    Ok(msisdn) => msisdn,
    Err(_) => panic!("fifteen digits are a number"),
};

pub(super) fn gift(voice: &Voice<'_>) -> GiftLine {
    GiftLine { at: FAR, seq: SEQ, sent: false, other: number(voice), amount: amount(gift_minor(voice.rules)) }
}

pub(super) fn sender_sms(voice: &Voice<'_>) -> Vec<SenderSms> {
    let (to, amount, balance_minor) = (number(voice), amount(gift_minor(voice.rules)), balance_minor());
    let both = |fee_minor| {
        [
            SenderSms::Gave { to, amount, fee_minor, left_minor: balance_minor, seq: SEQ },
            SenderSms::ToppedUp {
                amount,
                fee_minor,
                left_minor: balance_minor,
                airtime_minor: balance_minor,
                seq: SEQ,
            },
        ]
    };
    let held = [
        SenderSms::Held { to, amount, until: FAR, seq: SEQ },
        SenderSms::GivenBack { to, amount, balance_minor, undone: true, seq: SEQ },
        SenderSms::GivenBack { to, amount, balance_minor, undone: false, seq: SEQ },
    ];
    [0, amount.minor()].into_iter().flat_map(both).chain(held).collect()
}

pub(super) fn lines(voice: &Voice<'_>) -> Vec<Line> {
    let balance_minor = balance_minor();
    let received = gift(voice);
    vec![
        Line::Airtime(balance_minor),
        Line::Sendable(balance_minor),
        Line::Card { serial: SERIAL, balance_minor, usable: true },
        Line::Card { serial: SERIAL, balance_minor, usable: false },
        Line::Gift(received),
        Line::Gift(GiftLine { sent: true, ..received }),
    ]
}

/// Every limit of the rules, and one of every sort.
pub(super) fn limits(rules: &Rules) -> Vec<Limit> {
    let mut limits: Vec<Limit> = rules.periods.iter().flat_map(|period| &period.limits).cloned().collect();
    for subject in [Subject::Sender, Subject::Recipient, Subject::Pair, Subject::Card] {
        for (measure, ceiling) in [(Measure::Count, 999), (Measure::Total, balance_minor())] {
            for window in [Window::BusinessDay, Window::CalendarMonth, Window::Days(366)] {
                for kind in [Kind::Gift, Kind::TopUp] {
                    limits.push(Limit {
                        id: LimitId::default(),
                        name: LimitName::new("sample"),
                        kind,
                        subject,
                        measure,
                        ceiling,
                        window,
                        from: Timestamp::MIN,
                        until: Timestamp::MAX,
                    });
                }
            }
        }
    }
    limits
}

pub(super) fn screens(voice: &Voice<'_>) -> Vec<Say> {
    let mut says = questions(voice);
    says.extend(answers(voice));
    says.extend(refusals(voice).into_iter().map(Say::Refused));
    says.extend(FullForm::ALL.map(Say::FullForm));
    says
}

fn questions(voice: &Voice<'_>) -> Vec<Say> {
    let (to, gift) = (number(voice), amount(gift_minor(voice.rules)));
    let six_digits = amount(SIX_DIGITS * voice.rules.unit.minor_per_unit());
    let step = amount(voice.rules.unit.minor_per_unit().saturating_mul(1_000));
    // What the smallest and largest amount of any period read.
    let not_allowed = |step| AmountProblem::NotAllowed { min: gift, max: gift, step };
    let wishes = [
        Wish::Give { to, amount: gift, greeting: Greeting::Dialled(None) },
        Wish::Give { to, amount: six_digits, greeting: Greeting::Dialled(None) },
        Wish::TopUp { amount: gift },
        Wish::TopUp { amount: six_digits },
        Wish::ShowCards,
        Wish::ShowGifts,
        Wish::Freeze,
        Wish::Bind { number: CARD_NUMBER },
        Wish::Undo,
    ];
    let mut says = vec![
        Say::Menu,
        Say::AskRecipient(None),
        Say::AskRecipient(Some(RecipientProblem::Malformed)),
        Say::AskRecipient(Some(RecipientProblem::Elsewhere)),
        Say::AskRecipient(Some(RecipientProblem::Own)),
        Say::AskRecipient(Some(RecipientProblem::Swapped)),
        Say::AskAmount(None),
        Say::AskAmount(Some(AmountProblem::Malformed)),
        Say::AskAmount(Some(not_allowed(ONE))),
        Say::AskAmount(Some(not_allowed(step))),
        Say::AskPasswordAgain { tries_left: TRIES_MAX },
        Say::AskCardPasswordAgain { tries_left: TRIES_MAX },
        Say::AskCardNumber { again: false },
        Say::AskCardNumber { again: true },
        Say::AskOldPassword,
        Say::AskNewPassword(None),
        Say::AskNewPassword(Some(NewPasswordProblem::Malformed)),
        Say::AskNewPassword(Some(NewPasswordProblem::Trivial)),
        Say::AskNewPassword(Some(NewPasswordProblem::Differ)),
        Say::AskRepeat,
        Say::AskLanguage,
        Say::AskOccasion,
        Say::Resumed(Resumed::Occasion),
        Say::Confirm { to, amount: gift, near: None },
        Say::Confirm { to, amount: gift, near: Some(to) },
        Say::Confirm { to, amount: six_digits, near: Some(to) },
        Say::Declined,
    ];
    says.extend(wishes.map(Say::AskPassword));
    says
}

fn answers(voice: &Voice<'_>) -> Vec<Say> {
    let (to, gift, balance_minor) = (number(voice), amount(gift_minor(voice.rules)), balance_minor());
    let mut says = vec![
        Say::Help,
        Say::Bye,
        Say::SessionOver,
        Say::TooManyDials,
        Say::LinkBraked,
        Say::CallerElsewhere,
        Say::NoGifts,
        Say::Did(Did::PasswordChanged),
        Say::Did(Did::Frozen { serial: SERIAL }),
        Say::Did(Did::Bound { serial: SERIAL, balance_minor }),
        Say::Did(Did::LanguageSet),
        Say::Did(Did::Done),
        Say::CardOrPasswordWrong { tries_left: TRIES_MAX },
        Say::Busy,
        Say::Closed,
        Say::NotDone,
        Say::IdReused,
        Say::IdTooOld,
        Say::IdAhead,
        Say::Unknown,
    ];
    let six_digits = amount(SIX_DIGITS * voice.rules.unit.minor_per_unit());
    for amount in [gift, six_digits] {
        says.push(Say::Resumed(Resumed::Password(Wish::Give { to, amount, greeting: Greeting::Dialled(None) })));
        says.push(Say::Resumed(Resumed::Password(Wish::TopUp { amount })));
        says.push(Say::Resumed(Resumed::Recipient { amount }));
    }
    says.push(Say::Resumed(Resumed::Password(Wish::Bind { number: CARD_NUMBER })));
    says.push(Say::Resumed(Resumed::Amount { to }));
    says.push(Say::Did(Did::Undone { to, amount: gift, balance_minor }));
    says.push(Say::Did(Did::ToppedUpAlready { amount: gift, at: FAR, seq: SEQ, again_at: FAR }));
    says.push(Say::Resumed(Resumed::Given { to, amount: gift, at: FAR, seq: SEQ }));
    says.push(Say::Resumed(Resumed::ToppedUp { amount: gift, at: FAR }));
    says.extend([Say::Resumed(Resumed::Done), Say::Resumed(Resumed::NotDone)]);
    for fee_minor in [0, gift.minor()] {
        let left_minor = balance_minor;
        says.push(Say::Did(Did::Given { to, amount: gift, fee_minor, left_minor, seq: SEQ }));
        says.push(Say::Did(Did::Held { to, amount: gift, fee_minor, left_minor, until: FAR, seq: SEQ }));
        says.push(Say::Did(Did::ToppedUp { amount: gift, fee_minor, left_minor, airtime_minor: balance_minor }));
    }
    says
}

pub(in crate::texts) fn refusals(voice: &Voice<'_>) -> Vec<Refusal> {
    let (minor, until, day) = (balance_minor(), FAR, voice.rules.date(FAR));
    let unusable = [
        Unusable::Frozen,
        Unusable::Expired,
        Unusable::Void,
        Unusable::AlreadyBound,
        Unusable::NotSold,
        Unusable::Closed,
    ];
    let long_name = || "n".repeat(domain::rules::parse::NAME_LEN_MAX);
    let mut refusals = vec![
        Refusal::ServiceClosed { period: None },
        Refusal::CallerUnknown,
        Refusal::CallerBarred,
        Refusal::CallerResting { until },
        Refusal::Locked { until },
        Refusal::NoCard,
        Refusal::WrongPassword { tries_left: TRIES_MAX, locked_until: None },
        Refusal::WrongPassword { tries_left: 0, locked_until: Some(until) },
        Refusal::TooManyRefusals { until: day },
        Refusal::AmountRecipientSwapped,
        Refusal::RecipientMalformed,
        Refusal::AmountMalformed,
        Refusal::RecipientElsewhere,
        Refusal::RecipientUnknown,
        Refusal::RecipientIsCaller,
        Refusal::AmountBelowMinimum { min_minor: minor },
        Refusal::AmountAboveMaximum { max_minor: minor },
        Refusal::AmountOffStep { step_minor: minor },
        Refusal::Repeated { given_at: until, seq: SEQ, again_at: until },
        Refusal::SenderTooYoung { until: day },
        Refusal::RecipientTooYoung { until: day },
        Refusal::LimitReached { limit: LimitName::new(&long_name()), until: day },
        Refusal::RecipientBalanceMax { room_minor: minor },
        Refusal::InsufficientFunds { short_by_minor: minor },
        Refusal::NothingToUndo,
        Refusal::NewPasswordMalformed,
        Refusal::NewPasswordsDiffer,
        Refusal::NewPasswordTrivial,
        Refusal::NewPasswordSame,
        Refusal::BindingBlocked,
        Refusal::TooManyCards { max: u8::MAX },
        Refusal::LanguageNotOffered,
        Refusal::OperatorUnknown,
        Refusal::RulesClash { with: long_name() },
        Refusal::SubscriberUnknown,
        Refusal::NumberOutOfRange { index: 999 },
        Refusal::CardUnknown,
        Refusal::CardNumberTaken { index: 999 },
        Refusal::CardStateForbids { state: String::from("in-stock") },
        Refusal::AmountOverflow,
        Refusal::TooMuchAtOnce { max: 1_000 },
        Refusal::NothingToChange,
        Refusal::TwiceInList { index: 999 },
        Refusal::Office(Box::new(domain::office::refusal::OfficeRefusal::OwnMotion)),
    ];
    refusals.extend(unusable.map(|why| Refusal::CardNotUsable { why }));
    refusals
}
