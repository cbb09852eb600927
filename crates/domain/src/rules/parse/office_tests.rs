//! Keys for the office: what they mean, and the line of each wrong value.

use super::mistakes_tests::{check, check_at};
use super::parse;
use super::tests::WHOLE;
use crate::money::Amount;
use crate::rules::limit::{Kind, Measure, Subject, Window};
use crate::rules::tariff::{Ratio, Tariff};
use crate::rules::{CALL_RESERVE_S, Held, HoldRule, QUOTE_VALID_S, Role, Rules};
use crate::time::Timestamp;

const FIRST: &str = "name = \"first\"";
const SWAP: &str = "swap_rest_h = 72";
const PRICE: &str = "minute_price = \"1.5\"";
const LAST: &str = "closed = true";

fn with(piece: &str, more: &str) -> Rules {
    parse(&WHOLE.replacen(piece, &format!("{piece}\n{more}"), 1)).unwrap_or_else(|error| panic!("{error} in {more}"))
}

fn person(uid: &str, roles: &str) -> String {
    format!("[[staff]]\nuid = {uid}\nroles = {roles}\n")
}

#[test]
fn nothing_written_is_nothing_held_and_nobody_named() {
    let rules = parse(WHOLE).expect("a profile");
    assert!(rules.periods.iter().all(|period| period.hold.is_none() && period.tariff.is_none()));
    assert_eq!((rules.free_minutes, rules.staff), (None, None));
    let standing = &rules.standing;
    assert_eq!((standing.quote_valid_s, standing.call_reserve_s), (None, None));
    assert_eq!((standing.quote_valid_s(), standing.call_reserve_s()), (QUOTE_VALID_S, CALL_RESERVE_S));
}

#[test]
fn which_gifts_are_held() {
    let rule = |gifts, for_s| Some(HoldRule { gifts, for_s });
    for (value, expected) in [
        ("{ gifts = \"always\", for_s = 1 }", rule(Held::Always, 1)),
        ("{ gifts = \"new-recipient\", for_s = 86400 }", rule(Held::NewRecipient, 86_400)),
        ("{ gifts = \"never\", for_s = 600 }", None),
    ] {
        let rules = with(FIRST, &format!("hold = {value}"));
        let holds: Vec<_> = rules.periods.iter().map(|period| period.hold).collect();
        assert_eq!(holds, [expected, None, None], "{value}");
    }
}

#[test]
fn a_minute_may_have_another_price_in_a_period() {
    let rules = with("name = \"second\"", "tariff = { minute_price = \"2.25\", cross_network = \"3/2\" }");
    let price = |minor, (numerator, denominator)| Tariff {
        minute_price: Amount::try_new(minor).expect("positive"),
        cross_network: Ratio::try_new(numerator, denominator).expect("a ratio"),
    };
    let at = |instant: &str| rules.tariff_at(Timestamp::parse(instant).expect("an instant"));
    assert_eq!(at("2024-03-01T08:59:59Z"), price(150, (5, 4)));
    assert_eq!(at("2024-03-01T09:00:00Z"), price(225, (3, 2)));
    assert_eq!(at("2024-12-31T21:00:00Z"), price(150, (5, 4)));
    assert_eq!(at("2020-01-01T00:00:00Z"), price(150, (5, 4)), "before the first period");
    let plain = with("name = \"second\"", "tariff = { minute_price = 2 }");
    assert_eq!(plain.periods[1].tariff, Some(price(200, (1, 1))), "a ratio left out is 1");
}

#[test]
fn free_minutes_count_by_month_and_subscriber() {
    let limit = with(PRICE, "free_minutes_per_month = 200").free_minutes.expect("a limit");
    assert_eq!((limit.kind, limit.subject, limit.measure), (Kind::Call, Subject::Sender, Measure::Count));
    assert_eq!((limit.ceiling, limit.window), (200, Window::CalendarMonth));
    assert_eq!((limit.from, limit.until), (Timestamp::MIN, Timestamp::MAX));
}

#[test]
fn how_long_quotes_and_calls_wait() {
    let standing = with(SWAP, "quote_valid_s = 60\ncall_reserve_s = 86400").standing;
    assert_eq!((standing.quote_valid_s(), standing.call_reserve_s()), (60, 86_400));
}

#[test]
fn who_is_there_for_what() {
    let two = person("1000", "[\"network\", \"care\"]") + &person("0", "[\"network\"]");
    let rules = with(LAST, &(two + &person("4294967295", "[\"finance\"]")));
    let staff: Vec<_> = rules.staff.iter().flatten().map(|one| (one.uid, one.roles.as_slice())).collect();
    let expected = [(1_000, &[Role::Network, Role::Care][..]), (0, &[Role::Network]), (u32::MAX, &[Role::Finance])];
    assert_eq!(staff, expected);
}

#[test]
fn rules_of_the_office_survive_the_journal() {
    let keys = "hold = { gifts = \"always\", for_s = 9 }\ntariff = { minute_price = 2 }";
    let mut rules = with(FIRST, keys);
    let more = with(PRICE, "free_minutes_per_month = 1");
    let staffed = with(LAST, &(person("1", "[\"network\"]") + &person("2", "[\"network\"]")));
    (rules.free_minutes, rules.staff) = (more.free_minutes, staffed.staff);
    let octets = minicbor::to_vec(&rules).expect("octets");
    assert_eq!(minicbor::decode::<Rules>(&octets).expect("rules"), rules);
}

/// Mistakes in a key that stands after a piece of the profile: the lines written, and what is said about the last of them.
fn check_after(piece: &str, table: &[(&str, &str)]) {
    let rows: Vec<_> = table.iter().map(|(line, what)| (format!("{piece}\n{line}"), *line, *what)).collect();
    let rows: Vec<_> = rows.iter().map(|(by, line, what)| (piece, by.as_str(), *line, *what)).collect();
    check_at(&rows);
}

#[test]
fn mistakes_about_holds() {
    let seconds = "write a whole number from 1 to 86400";
    check_after(
        FIRST,
        &[
            ("hold = { gifts = \"always\", for_s = 0 }", seconds),
            ("hold = { gifts = \"never\", for_s = 0 }", seconds),
            ("hold = { gifts = \"new-recipient\", for_s = 86401 }", seconds),
            ("hold = { gifts = \"always\", for_s = -1 }", seconds),
            ("hold = { gifts = \"always\", for_s = 1.5 }", "invalid type: floating point `1.5`"),
            ("hold = { gifts = \"always\" }", "missing field `for_s`"),
            ("hold = { for_s = 60 }", "missing field `gifts`"),
            ("hold = { gifts = \"often\", for_s = 60 }", "unknown variant `often`, expected one of `never`, `always`"),
            ("hold = { gifts = \"always\", for_h = 1 }", "unknown field `for_h`"),
            ("hold = \"always\"", "invalid type: string \"always\""),
        ],
    );
}

#[test]
fn mistakes_about_prices_of_a_period() {
    check_after(
        FIRST,
        &[
            ("tariff = { minute_price = 0 }", "must be more than 0"),
            ("tariff = { minute_price = 1.5 }", "money is never a float"),
            ("tariff = { minute_price = \"1.555\" }", "write whole units, or a decimal with at most 2 digits"),
            ("tariff = { cross_network = \"3/2\" }", "missing field `minute_price`"),
            ("tariff = { minute_price = 1, cross_network = \"0/2\" }", "write a ratio of whole numbers from 1"),
            ("tariff = { minute_price = 1, cross_network = 2 }", "invalid type: integer `2`"),
            ("tariff = { minute_price = 1, free_minutes_per_month = 9 }", "unknown field `free_minutes_per_month`"),
        ],
    );
}

#[test]
fn mistakes_about_waiting_and_free_minutes() {
    let (quote, call) = ("write a whole number from 1 to 86400", "write a whole number from 60 to 86400");
    check_after(
        SWAP,
        &[
            ("quote_valid_s = 0", quote),
            ("quote_valid_s = 86401", quote),
            ("quote_valid_s = \"900\"", "invalid type: string \"900\""),
            ("call_reserve_s = 59", call),
            ("call_reserve_s = 86401", call),
            ("call_reserve = 60", "unknown field `call_reserve`"),
        ],
    );
    let minutes = "write a whole number from 1 to 44640";
    check_after(
        PRICE,
        &[
            ("free_minutes_per_month = 0", minutes),
            ("free_minutes_per_month = 44641", minutes),
            ("free_minutes_per_month = -1", minutes),
            ("free_minutes = 200", "unknown field `free_minutes`"),
        ],
    );
}

#[test]
fn mistakes_about_staff() {
    let lone = person("1", "[\"network\"]");
    let both = lone.clone() + &person("2", "[\"network\"]");
    let roles = "no such role; there are care, finance, network";
    let two = "at least two people need the role network";
    let row = |more: &str, place: &str, what: &str| {
        (format!("{LAST}\n{both}{more}"), String::from(place), String::from(what))
    };
    let mut rows = vec![
        row(&person("1", "[\"care\"]"), "uid = 1", "this uid is there twice"),
        row(&person("-1", "[\"care\"]"), "uid = -1", "write a whole number from 0 to 4294967295"),
        row(&person("4294967296", "[\"care\"]"), "uid = 4294967296", "write a whole number from 0 to 4294967295"),
        row(&person("3", "[\"boss\"]"), "roles = [\"boss\"]", roles),
        row(&person("3", "[\"care\", \"Network\"]"), "\"Network\"", roles),
        row(&person("3", "[]"), "roles = []", "write at least one role of care, finance, network"),
        row(&person("3", "\"care\""), "roles = \"care\"", "invalid type: string \"care\""),
        row("[[staff]]\nuid = 3\n", "[[staff]]", "missing field `roles`"),
        row("[[staff]]\nroles = [\"care\"]\n", "[[staff]]", "missing field `uid`"),
        row("[[staff]]\nuid = 3\nroles = [\"care\"]\nname = \"Kim\"\n", "name = \"Kim\"", "unknown field `name`"),
    ];
    for more in [lone.clone(), lone + &person("2", "[\"care\", \"finance\"]")] {
        rows.push((format!("{LAST}\n{more}"), String::from("[[staff]]"), String::from(two)));
    }
    let rows: Vec<_> =
        rows.iter().map(|(by, place, what)| (LAST, by.as_str(), place.as_str(), what.as_str())).collect();
    check_at(&rows);
    check(&[("[confirm]", "staff = 1\n[confirm]", "unknown field `staff`")]);
    let many: String = (0..=super::STAFF_MAX).map(|uid| person(&uid.to_string(), "[\"network\"]")).collect();
    let error = parse(&WHOLE.replacen(LAST, &format!("{LAST}\n{many}"), 1)).expect_err("many");
    assert_eq!(error.what, "at most 1000 people");
    assert_eq!(error.line, WHOLE.lines().count() + 3 * super::STAFF_MAX + 1, "the first of them that is too many");
}
