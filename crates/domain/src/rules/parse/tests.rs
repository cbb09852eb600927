//! The shipped profiles say what they should, and every key is read. Mistakes: see `mistakes_tests`.

use super::parse;
use crate::rules::limit::{Kind, Limit, Measure, Subject, Window};
use crate::rules::tariff::Charged;
use crate::rules::{Confirm, Period, Rules};
use crate::testing::{KANGSONG, KORYOLINK, at, minor as amount};
use crate::time::Timestamp;

fn period<'a>(rules: &'a Rules, name: &str) -> &'a Period {
    rules.periods.iter().find(|period| period.name == name).expect("a period")
}

/// The limits of a period, one a line.
fn limits<'a>(period: &'a Period) -> Vec<(&'a str, Kind, Subject, Measure, i64, Window)> {
    let row =
        |limit: &'a Limit| (limit.name.as_str(), limit.kind, limit.subject, limit.measure, limit.ceiling, limit.window);
    period.limits.iter().map(row).collect()
}

#[test]
fn the_shipped_profiles_say_whose_they_are() {
    for (text, operator, service_code, own, other) in [
        (KORYOLINK, "koryolink", 999, ["1911234567", "1921234567", "1931234567"], "1951234567"),
        (KANGSONG, "kangsong", 929, ["1951234567", "01951234567", "+8501951234567"], "1911234567"),
    ] {
        let rules = parse(text).expect("a profile");
        assert_eq!(
            (&*rules.operator, rules.service_code, rules.zone.name()),
            (operator, service_code, "Asia/Pyongyang")
        );
        for number in own {
            assert!(rules.numbers.is_own(rules.numbers.parse(number).expect("a number")), "{operator} {number}");
        }
        assert!(!rules.numbers.is_own(rules.numbers.parse(other).expect("a number")), "{operator} {other}");
        assert_eq!(rules.unit.names, ["원", "won"]);
        assert_eq!(rules.unit.minor_per_unit(), 1);
        assert_eq!(rules.tariff.minutes(500), 125);
        assert_eq!(rules.tariff.price(60, true), Ok(6));
        assert_eq!(rules.dial.gift.example(service_code), format!("*{service_code}*AMOUNT*RECIPIENT*PASSWORD#"));
        assert!(rules.dial.aliases);
        let standing = &rules.standing;
        assert_eq!((standing.repeat_window_s, standing.swap_rest_h), (300, 48));
        assert_eq!(
            (standing.dials_per_caller_per_min, standing.first_use, standing.card_valid_days),
            (10, false, None)
        );
        assert_eq!(standing.occasions, ["birthday", "wedding", "new-year", "exam", "thanks", "get-well"]);
        assert_eq!(rules.default_language().tag(), "ko");
    }
}

#[test]
fn the_shipped_profiles_say_what_held_when() {
    for text in [KORYOLINK, KANGSONG] {
        let rules = parse(text).expect("a profile");
        let name_at = |instant| rules.period(at(instant)).map(|period| period.name.as_str());
        assert_eq!(name_at("2020-04-30T14:59:59Z"), None);
        assert_eq!(name_at("2020-04-30T15:00:00Z"), Some("kp-2020-05"), "midnight of 1 May in Pyongyang");
        assert_eq!(name_at("2020-06-07T15:00:00Z"), Some("kp-2020-06"));
        assert_eq!(name_at("2020-07-01T02:59:59Z"), Some("kp-2020-06"), "the morning of 1 July");
        assert_eq!(name_at("2020-07-01T03:00:00Z"), Some("kp-2020-07"), "noon");
        assert_eq!(name_at("2021-12-31T14:59:59Z"), Some("kp-2020-07"), "closed until 2022, without a gap");
        assert_eq!(name_at("2021-12-31T15:00:00Z"), Some("kp-2022"));
        assert_eq!(name_at("2099-12-31T00:00:00Z"), Some("kp-2022"));

        let may = period(&rules, "kp-2020-05");
        assert_eq!((may.amount_min, may.amount_max, may.amount_step), (amount(1), amount(150), amount(1)));
        assert_eq!(may.gift_fee.charge(amount(150)), Ok(Charged { fee_minor: 4, tax_minor: 0 }));
        assert_eq!((may.refusals_per_day, may.age_days_min, may.residual_min_minor), (20, 0, 0));
        assert_eq!(limits(may), []);

        let one_a_day = ("one-a-day", Kind::Gift, Subject::Sender, Measure::Count, 1, Window::BusinessDay);
        let june = period(&rules, "kp-2020-06");
        assert_eq!((june.amount_max, june.gift_fee.charge(amount(500))), (amount(500), Ok(Charged::default())));
        assert_eq!(limits(june), [one_a_day]);
        assert!(june.limits.iter().all(|limit| limit.from == june.from && limit.until == june.until));

        let july = period(&rules, "kp-2020-07");
        assert!(july.closed && july.cards_void && july.limits.is_empty());
        assert_eq!(rules.cards_void_before(at("2021-01-01T00:00:00Z")), Some(july.from));
        assert!(rules.periods.iter().filter(|period| period.closed || period.cards_void).count() == 1);

        let reopened = period(&rules, "kp-2022");
        assert_eq!((reopened.amount_max, reopened.until), (amount(500), Timestamp::MAX));
        let pair = ("same-person-once-a-month", Kind::Gift, Subject::Pair, Measure::Count, 1, Window::CalendarMonth);
        let top_up = ("one-top-up-a-day", Kind::TopUp, Subject::Sender, Measure::Count, 1, Window::BusinessDay);
        assert_eq!(limits(reopened), [one_a_day, pair, top_up]);
    }
}

#[test]
fn rules_survive_the_journal() {
    for text in [KORYOLINK, KANGSONG, WHOLE] {
        let rules = parse(text).expect("a profile");
        let bytes = minicbor::to_vec(&rules).expect("encodes");
        assert_eq!(minicbor::decode::<Rules>(&bytes).expect("decodes"), rules);
    }
}

#[test]
fn which_gifts_are_confirmed() {
    let above = "gifts = \"above\"\nabove = \"99.50\"";
    for (by, expected) in [
        ("gifts = \"never\"", None),
        ("", None),
        ("gifts = \"always\"", Some(Confirm::Always)),
        ("gifts = \"new-recipient\"", Some(Confirm::NewRecipient)),
        ("gifts = \"above\"\nabove = 999", Some(Confirm::Above(amount(99_900)))),
    ] {
        let rules = parse(&WHOLE.replace(above, by)).expect("a profile");
        assert_eq!(rules.standing.confirm, expected, "{by}");
    }
    let rules = parse(&WHOLE.replace("ask_occasion = true", "ask_occasion = false")).expect("a profile");
    assert_eq!(rules.standing.ask_occasion, None);
    for text in [KORYOLINK, KANGSONG] {
        let standing = parse(text).expect("a profile").standing;
        assert_eq!((standing.confirm, standing.ask_occasion), (None, None));
    }
}

/// Every key there is; `mistakes_tests` puts one mistake into it at a time.
pub(super) const WHOLE: &str = r#"operator = "acme"
display_names = { en = "Acme" }
service_code = 140
zone = "Africa/Nairobi"
languages = ["en"]
[unit]
names = { en = "shilling" }
minor_digits = 2
[numbers]
country_code = "254"
trunk_prefix = "0"
international_prefixes = ["000"]
national_digits = [8]
display_groups = [3, 3, 3]
ranges = [
    { prefix = "7", digits = 9 },
    { prefix = "1", digits = 9 },
]
[dial]
gift = "AMOUNT*RECIPIENT"
aliases = true
occasions = ["birthday", "wedding"]
dials_per_caller_per_min = 20
[tariff]
minute_price = "1.5"
cross_network = "5/4"
[standing]
repeat_window_s = 60
swap_rest_h = 72
card_valid_days = 365
first_use = true
[confirm]
gifts = "above"
above = "99.50"
[menu]
ask_occasion = true
[[period]]
name = "first"
from = 2024-01-01
until = 2024-03-01T12:00:00
amount_min = 5
amount_max = "1000.00"
amount_step = "0.50"
residual_min = 5
recipient_balance_max = 5000
age_days_min = 3
refusals_per_day = 9
gift_fee = { flat = "0.25", basis_points = 500, tax_basis_points = 1600 }
[period.top_up_fee]
tiers = [
    { up_to = 50, flat = 1 },
    { up_to = 100, flat = 2 },
    { basis_points = 200 },
]
[[period.limit]]
name = "total"
kind = "gift"
subject = "recipient"
measure = "total"
ceiling = "99.50"
window = { days = 30 }
from = 2023-12-01
until = 2024-02-01T00:00:00+03:00
[[period]]
name = "second"
from = 2024-03-01T09:00:00Z
amount_max = 100
[[period.limit]]
name = "ten"
kind = "gift"
subject = "sender"
measure = "count"
ceiling = 10
window = "business-day"
[[period]]
name = "third"
from = 2025-01-01
closed = true
"#;

#[test]
fn every_key_is_read() {
    let rules = parse(WHOLE).expect("a profile");
    assert_eq!(rules.display_names, ["Acme", "Acme"], "a language not spoken reads the first");
    assert_eq!(rules.tariff.minute_price, amount(150));
    assert_eq!(rules.standing.card_valid_days, Some(365));
    assert!(rules.standing.first_use);
    assert_eq!((rules.standing.repeat_window_s, rules.standing.swap_rest_h), (60, 72));
    assert_eq!(rules.standing.confirm, Some(Confirm::Above(amount(9_950))));
    assert_eq!(rules.standing.ask_occasion, Some(true));
    let first = period(&rules, "first");
    assert_eq!(first.until, at("2024-03-01T09:00:00Z"), "noon in Nairobi is the instant the next one begins");
    assert_eq!((first.amount_min, first.amount_max, first.amount_step), (amount(500), amount(100_000), amount(50)));
    assert_eq!((first.residual_min_minor, first.recipient_balance_max), (500, Some(amount(500_000))));
    assert_eq!((first.age_days_min, first.refusals_per_day), (3, 9));
    assert_eq!(first.gift_fee.charge(amount(1_000)), Ok(Charged { fee_minor: 75, tax_minor: 12 }));
    assert_eq!(first.top_up_fee.charge(amount(20_000)).map(Charged::total_minor), Ok(400));
    let limit = first.limits.first().expect("a limit");
    assert_eq!((limit.ceiling, limit.window), (9_950, Window::Days(30)));
    assert_eq!((limit.from, limit.until), (at("2023-11-30T21:00:00Z"), at("2024-01-31T21:00:00Z")));
    assert_eq!(period(&rules, "second").amount_min, amount(100), "one whole unit where nothing is written");
    assert_eq!(period(&rules, "second").refusals_per_day, 20);
    assert!(period(&rules, "third").closed);
}

#[test]
fn a_limit_may_go_on_across_periods() {
    let limit = "[[period.limit]]\nname = \"ten\"\nfrom = 2024-03-01T09:00:00Z\nkind = \"gift\"\nsubject = \"sender\"\n\
        measure = \"count\"\nceiling = 5\nwindow = \"business-day\"\n";
    let rules = parse(&format!("{}{limit}", WHOLE.replace("closed = true", "amount_max = 50"))).expect("a profile");
    let of = |name| period(&rules, name).limits.first().map(|limit| (limit.name.as_str().to_string(), limit.from));
    assert_eq!(of("second"), of("third"), "one name, one beginning: its usage goes on");
}

#[test]
fn bounds_have_names() {
    let long = format!("{WHOLE}#{}", " ".repeat(super::PROFILE_LEN_MAX));
    assert_eq!(parse(&long).expect_err("long").to_string(), "line 1: a profile has at most 1048576 octets");
    let limit = "[[period.limit]]\nname = \"n\"\nkind = \"gift\"\nsubject = \"sender\"\nmeasure = \"count\"\nceiling = 1\n\
        window = \"business-day\"\n";
    let many: String = (0..17).map(|n| limit.replace("\"n\"", &format!("\"n{n}\""))).collect();
    assert_eq!(parse(&format!("{WHOLE}{many}")).expect_err("many").what, "a period has at most 16 limits");
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_profile_or_has_a_line(text in proptest::prelude::any::<String>(), cut in 0..2_000_usize) {
        let _ = parse(&text);
        let whole: String = WHOLE.chars().take(cut).chain(text.chars()).collect();
        if let Err(error) = parse(&whole) {
            proptest::prop_assert!((1..=whole.lines().count() + 1).contains(&error.line));
        }
    }
}
