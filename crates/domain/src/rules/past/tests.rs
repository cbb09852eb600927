use super::{closed, rewrites, spliced};
use crate::money::Amount;
use crate::rules::parse::parse;
use crate::rules::tariff::{Ratio, Tariff};
use crate::rules::{Period, Rules};
use crate::time::Timestamp;

const HEAD: &str = r#"
operator = "acme"
display_names = { en = "Acme" }
service_code = 140
zone = "UTC"
languages = ["en"]
[unit]
names = { en = "shilling" }
[numbers]
country_code = "254"
ranges = [{ prefix = "7", digits = 9 }]
[dial]
gift = "AMOUNT*RECIPIENT"
[tariff]
minute_price = 4
"#;

/// Rules with these periods: name, first day, and keys.
fn rules(periods: &[(&str, &str, &str)]) -> Rules {
    let period = |(name, from, keys): &(&str, &str, &str)| {
        format!("[[period]]\nname = \"{name}\"\nfrom = {from}\namount_max = 500\n{keys}\n")
    };
    let periods: String = periods.iter().map(period).collect();
    parse(&format!("{HEAD}{periods}")).unwrap_or_else(|error| panic!("{error}"))
}

fn limit(ceiling: i64) -> String {
    format!(
        "[[period.limit]]\nname = \"few\"\nkind = \"gift\"\nsubject = \"sender\"\nmeasure = \"count\"\n\
         ceiling = {ceiling}\nwindow = \"business-day\""
    )
}

fn day(date: &str) -> Timestamp {
    Timestamp::parse(&format!("{date}T00:00:00Z")).expect("an instant")
}

/// Names with the dates between which they hold.
fn calendar(rules: &Rules) -> Vec<String> {
    let date = |at: Timestamp| if at == Timestamp::MAX { String::from("…") } else { at.rfc3339()[..10].to_owned() };
    let line = |p: &Period| format!("{} {} {}", p.name, date(p.from), date(p.until));
    rules.periods.iter().map(line).collect()
}

fn dearer(rules: &Rules) -> Rules {
    let minute_price = Amount::try_new(9).expect("positive");
    Rules { tariff: Tariff { minute_price, cross_network: Ratio::ONE }, ..rules.clone() }
}

/// Old and new periods, an instant, and the period in which the past is told otherwise.
type Told<'a> = (&'a [(&'a str, &'a str, &'a str)], &'a [(&'a str, &'a str, &'a str)], &'a str, Option<&'a str>);

#[test]
fn the_past_is_what_began_before() {
    let (few, many) = (limit(1), limit(2));
    let one = ("one", "2020-01-01", "");
    let table: [Told<'_>; 13] = [
        (&[one], &[one], "2020-06-01", None),
        // What had not begun may change or go.
        (&[one, ("two", "2020-07-01", "")], &[one], "2020-06-01", None),
        (&[one, ("two", "2020-07-01", "")], &[one], "2020-07-01", None),
        (&[one, ("two", "2020-07-01", "")], &[one], "2020-07-02", Some("one")),
        (&[one], &[one, ("two", "2020-05-01", "")], "2020-06-01", Some("one")),
        (&[one], &[one, ("two", "2020-06-01", "")], "2020-06-01", None),
        // Everything in a period counts: its name, its sums, its limits, its hold, its price of a minute.
        (&[one], &[("other", "2020-01-01", "")], "2020-06-01", Some("one")),
        (&[one], &[("one", "2020-01-01", "amount_min = 2")], "2020-06-01", Some("one")),
        (&[("one", "2020-01-01", &few)], &[("one", "2020-01-01", &many)], "2020-06-01", Some("one")),
        (&[one], &[("one", "2020-01-01", "hold = { gifts = \"always\", for_s = 9 }")], "2020-06-01", Some("one")),
        (&[one], &[("one", "2020-01-01", "tariff = { minute_price = 5 }")], "2020-06-01", Some("one")),
        // The same price, written in the period this time.
        (&[one], &[("one", "2020-01-01", "tariff = { minute_price = 4 }")], "2020-06-01", None),
        (&[one], &[("other", "2020-01-01", "")], "2020-01-01", None),
    ];
    for (old, new, at, expected) in table {
        assert_eq!(rewrites(&rules(old), &rules(new), day(at)).as_deref(), expected, "{old:?} {new:?} {at}");
    }
}

#[test]
fn an_other_price_of_a_minute_changes_the_past_too() {
    let old = rules(&[("one", "2020-01-01", "")]);
    assert_eq!(rewrites(&old, &dearer(&old), day("2020-06-01")).as_deref(), Some("one"));
    assert_eq!(rewrites(&old, &dearer(&old), day("2020-01-01")), None, "nothing was before");
}

#[test]
fn a_limit_that_begins_later_is_not_past() {
    let old = rules(&[("one", "2020-01-01", "")]);
    let new = rules(&[("one", "2020-01-01", &format!("{}\nfrom = 2020-06-01", limit(1)))]);
    assert_eq!(rewrites(&old, &new, day("2020-06-01")), None);
    assert_eq!(rewrites(&old, &new, day("2020-06-02")).as_deref(), Some("one"));
}

#[test]
fn rows_of_limits_don_t_count() {
    let old = rules(&[("one", "2020-01-01", &limit(1))]);
    let mut new = old.clone();
    new.limits_mut().for_each(|limit| limit.id = crate::ids::LimitId(7));
    assert_eq!(rewrites(&old, &new, day("2020-06-01")), None);
}

#[test]
fn what_was_stays_until_the_new_begins() {
    let old = rules(&[("one", "2020-01-01", ""), ("two", "2020-03-01", ""), ("three", "2020-05-01", "")]);
    let new = dearer(&rules(&[("new", "2019-01-01", ""), ("newer", "2020-06-01", "")]));
    for (from, expected) in [
        ("2020-04-01", &["one 2020-01-01 2020-03-01", "two 2020-03-01 2020-04-01", "new 2020-04-01 2020-06-01"][..]),
        ("2020-03-01", &["one 2020-01-01 2020-03-01", "new 2020-03-01 2020-06-01"]),
        ("2019-06-01", &["new 2019-06-01 2020-06-01"]),
    ] {
        let both = spliced(&old, &new, day(from));
        let mut expected = expected.to_vec();
        expected.push("newer 2020-06-01 …");
        assert_eq!(calendar(&both), expected);
        assert_eq!(rewrites(&old, &both, day(from)), None, "{from}");
    }
    let late = spliced(&old, &new, day("2020-07-01"));
    let expected = ["two 2020-03-01 2020-05-01", "three 2020-05-01 2020-07-01", "newer 2020-07-01 …"];
    assert_eq!(calendar(&late)[1..], expected, "what is over in the new rules never holds");
    let price = |at| late.tariff_at(day(at)).minute_price.minor();
    assert_eq!((price("2020-06-30"), price("2020-07-01")), (4, 9), "the old price stays where it held");
}

#[test]
fn closing_ends_everything_that_would_follow() {
    let old = rules(&[("one", "2020-01-01", &limit(1)), ("two", "2020-09-01", "")]);
    let from = day("2020-07-01");
    let end = closed(&old, "the-end", from, true).expect("rules");
    assert_eq!(calendar(&end), ["one 2020-01-01 2020-07-01", "the-end 2020-07-01 …"]);
    let last = end.period(from).expect("a period");
    assert!(last.closed && last.cards_void && last.limits.is_empty());
    assert_eq!(end.cards_void_before(from), Some(from));
    assert_eq!(end.cards_void_before(from.plus_ms(-1)), None);
    assert_eq!(rewrites(&old, &end, from), None);
    let open = closed(&old, "the-end", from, false).expect("rules");
    assert_eq!((open.cards_void_before(from), open.period(from).map(|p| p.closed)), (None, Some(true)));
    assert_eq!(closed(&Rules { periods: Vec::new(), ..old }, "the-end", from, true), None, "nothing to close");
}
