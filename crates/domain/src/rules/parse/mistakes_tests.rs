//! Every mistake in a profile has its line and its words.

use super::parse;
use super::tests::WHOLE;

/// One mistake a row: a piece of [`WHOLE`], what it is replaced by, and what is said about a line of the replacement.
pub(super) fn check(table: &[(&str, &str, &str)]) {
    let with_lines: Vec<_> = table.iter().map(|(piece, by, what)| (*piece, *by, *by, *what)).collect();
    check_at(&with_lines);
}

/// The same for mistakes that show elsewhere: the third text stands in the line that is named.
pub(super) fn check_at(table: &[(&str, &str, &str, &str)]) {
    let mut failed = String::new();
    for (piece, by, place, what) in table {
        assert!(WHOLE.contains(piece), "{piece}");
        let text = WHOLE.replacen(piece, by, 1);
        match parse(&text) {
            Ok(_) => failed += &format!("{by}: no error\n"),
            Err(error) => {
                let line = text.lines().nth(error.line - 1).unwrap_or_default();
                let there = place.lines().any(|part| line.contains(part));
                if !there || !error.what.starts_with(what) {
                    failed += &format!("{by}\n  expected {what}\n  said     {error}\n  about    {line}\n");
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn an_error_names_its_line_first() {
    let error = parse("operator = \"acme\"\n\ncolour = 1\n").expect_err("unknown key");
    assert_eq!(error.line, 3);
    assert!(error.to_string().starts_with("line 3: unknown field `colour`"), "{error}");
}

#[test]
fn mistakes_of_form() {
    check(&[
        ("aliases = true", "alias = true", "unknown field `alias`, expected one of"),
        ("residual_min = 5", "residual_minimum = 5", "unknown field `residual_minimum`"),
        ("[tariff]", "[tarif]", "unknown field `tarif`"),
        ("ceiling = 10", "ceiling = 10\nceilings = 11", "unknown field `ceilings`"),
        ("prefix = \"1\", ", "prefix = \"1\", prefixes = 1, ", "unknown field `prefixes`"),
        ("zone = ", "zone = = ", ""),
        ("operator = \"acme\"", "operator = \"acme\"\noperator = \"acme\"", "duplicate key"),
        ("window = { days = 30 }", "window = { weeks = 4 }", "unknown variant `weeks`"),
        ("window = \"business-day\"", "window = \"day\"", "unknown variant `day`, expected one of `business-day`"),
        ("kind = \"gift\"", "kind = \"topup\"", "unknown variant `topup`"),
        ("subject = \"sender\"", "subject = \"caller\"", "unknown variant `caller`"),
        ("measure = \"count\"", "measure = \"number\"", "unknown variant `number`"),
        ("service_code = 140", "service_code = \"140\"", "invalid type: string \"140\""),
    ]);
    check_at(&[
        ("service_code = 140\n", "", "operator", "missing field `service_code`"),
        ("ceiling = 10\n", "", "[[period.limit]]", "missing field `ceiling`"),
        ("from = 2025-01-01\n", "", "[[period]]", "missing field `from`"),
    ]);
}

#[test]
fn mistakes_about_the_operator() {
    let code = "a service code has 2 to 4 digits";
    check(&[
        ("\"acme\"", "\"Acme\"", "a name is 1 to 32 lower case letters"),
        ("\"acme\"", "\"\"", "a name is"),
        ("\"acme\"", "\"a-name-of-more-than-32-characters\"", "a name is"),
        ("service_code = 140", "service_code = 9", code),
        ("service_code = 140", "service_code = 10000", code),
        ("service_code = 140", "service_code = -140", code),
        ("Africa/Nairobi", "Africa/Gotham", "no such time zone in the bundled tables; write an IANA name"),
        ("[\"en\"]", "[\"xx\"]", "Sonmul does not speak `xx`; it speaks ko, en"),
        ("[\"en\"]", "[\"en\", \"en\"]", "this language is there twice"),
        ("[\"en\"]", "[]", "write at least one language"),
        ("{ en = \"Acme\" }", "{ en = \"Acme\", ko = \"아크메\" }", "`ko` is not among this operator's `languages`"),
        ("{ en = \"Acme\" }", "{ en = \" \" }", "a name has 1 to 28 characters"),
        ("{ en = \"shilling\" }", "{ en = \"\" }", "a name has 1 to 28 characters"),
        ("minor_digits = 2", "minor_digits = 5", "write a whole number from 0 to 4"),
        ("\"5/4\"", "\"1.25\"", "write a ratio of whole numbers from 1"),
        ("\"5/4\"", "\"5/0\"", "write a ratio"),
        ("\"5/4\"", "\"+5/4\"", "write a ratio"),
        ("minute_price = \"1.5\"", "minute_price = 0", "must be more than 0"),
        ("repeat_window_s = 60", "repeat_window_s = 86401", "write a whole number from 0 to 86400"),
        ("swap_rest_h = 72", "swap_rest_h = -1", "write a whole number from 0 to 8784"),
        ("card_valid_days = 365", "card_valid_days = 0", "write a whole number from 1 to 36500"),
        ("per_min = 20", "per_min = 0", "write a whole number from 1 to 600"),
        ("[\"birthday\", \"wedding\"]", "[\"birthday\", \"birthday\"]", "this occasion is there twice"),
        ("[\"birthday\", \"wedding\"]", "[\"Birthday\"]", "a name is"),
        (
            "[\"birthday\", \"wedding\"]",
            "[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\"]",
            "at most 9 occasions",
        ),
        ("AMOUNT*RECIPIENT", "AMOUNT", "the template has no RECIPIENT"),
        ("AMOUNT*RECIPIENT", "RECIPIENT*PASSWORD", "the template has no AMOUNT"),
        ("AMOUNT*RECIPIENT", "AMOUNT*RECIPIENT*AMOUNT", "AMOUNT stands in the template twice"),
        ("AMOUNT*RECIPIENT", "AMT*NUM", "a template is made of AMOUNT, RECIPIENT and PASSWORD"),
        ("AMOUNT*RECIPIENT", "AMOUNT*RECIPIENT*OCCASION", "leave OCCASION out"),
    ]);
    check_at(&[("[\"en\"]", "[\"en\", \"ko\"]", "display_names", "add the name in `ko`")]);
}

#[test]
fn mistakes_about_dialogues() {
    let above = "gifts = \"above\"";
    let goes_with = "`above` goes with gifts = \"above\"";
    check(&[
        (above, "gifts = \"often\"", "unknown variant `often`, expected one of `never`, `always`, `above`"),
        (above, "gifts = true", "wanted string or table"),
        ("[confirm]", "[confirm]\ntop_ups = \"always\"", "unknown field `top_ups`"),
        ("[confirm]", "[confirmation]", "unknown field `confirmation`"),
        ("above = \"99.50\"", "above = 0", "must be more than 0"),
        ("above = \"99.50\"", "above = 99.5", "money is never a float"),
        ("above = \"99.50\"", "above = 1000", "no period allows a gift of more than this"),
        ("ask_occasion = true", "ask_occasion = 1", "invalid type: integer `1`, expected a boolean"),
        ("ask_occasion = true", "ask_greeting = true", "unknown field `ask_greeting`"),
    ]);
    check_at(&[
        ("above = \"99.50\"\n", "", above, "add `above`: gifts of more than that are confirmed"),
        (above, "gifts = \"always\"", "above = \"99.50\"", goes_with),
        (above, "gifts = \"never\"", "above = \"99.50\"", goes_with),
        (above, "gifts = \"new-recipient\"", "above = \"99.50\"", goes_with),
        ("gifts = \"above\"\n", "", "above = \"99.50\"", goes_with),
        ("occasions = [\"birthday\", \"wedding\"]\n", "", "ask_occasion", "there is nothing to ask for"),
    ]);
}

#[test]
fn mistakes_about_numbers() {
    check(&[
        ("\"254\"", "\"0254\"", "a country code is 1 to 3 digits"),
        ("trunk_prefix = \"0\"", "trunk_prefix = \"\"", "a trunk prefix is 1 to 5 digits"),
        ("[\"000\"]", "[\"+\"]", "an international prefix is 1 to 5 digits"),
        ("[8]", "[8, 13]", "with the country code a number of so many digits"),
        ("[3, 3, 3]", "[3, 3]", "the groups must be"),
        ("{ prefix = \"1\", digits = 9 }", "{ prefix = \"1\", digits = 13 }", "with the country code these numbers"),
        ("{ prefix = \"1\", digits = 9 }", "{ prefix = \"1x\", digits = 9 }", "a range's prefix is written in digits"),
        (
            "{ prefix = \"1\", digits = 9 }",
            "{ prefix = \"0712345678\", digits = 9 }",
            "write the prefix without the trunk",
        ),
        ("{ prefix = \"1\", digits = 9 }", "{ prefix = \"1234567890\", digits = 9 }", "the prefix is longer than"),
        ("{ prefix = \"1\", digits = 9 }", "{ prefix = \"72\", digits = 9 }", "this range overlaps another one"),
        ("{ prefix = \"1\", digits = 9 }", "{ prefix = \"1\", digits = 300 }", "invalid value: integer `300`"),
    ]);
    let none = WHOLE.replace("{ prefix = \"7\", digits = 9 },", "").replace("{ prefix = \"1\", digits = 9 },", "");
    assert_eq!(parse(&none).expect_err("no range").to_string(), "line 15: an operator has 1 to 256 ranges");
}

#[test]
fn mistakes_about_money() {
    let quote = "money is never a float: write whole units (500) or put the decimal in quotes (\"1.50\")";
    let decimal = "write whole units, or a decimal with at most 2 digits after its point";
    let row = |replacement, expected| ("amount_min = 5", replacement, expected);
    check(&[
        row("amount_min = 5.0", quote),
        row("amount_min = 5e2", quote),
        row("amount_min = inf", quote),
        row("amount_min = 0", "must be more than 0"),
        row("amount_min = \"0.00\"", "must be more than 0"),
        row("amount_min = -5", "must not be negative"),
        row("amount_min = \"-5\"", decimal),
        row("amount_min = \"\"", decimal),
        row("amount_min = \".5\"", decimal),
        row("amount_min = \"5.\"", decimal),
        row("amount_min = \"5.005\"", decimal),
        row("amount_min = \"1e2\"", decimal),
        row("amount_min = \"1.5.0\"", decimal),
        row("amount_min = 92233720368547759", "too large"),
        row("amount_min = \"92233720368547758.08\"", "too large"),
        row("amount_min = 9223372036854775808", ""),
        row("amount_min = true", "invalid type: boolean `true`, expected whole units (500) or a quoted decimal"),
        row("amount_min = \"5.25\"", "`amount_min` is no multiple of `amount_step`"),
        ("\"1000.00\"", "\"1000.25\"", "`amount_max` is no multiple of `amount_step`"),
        ("residual_min = 5", "residual_min = -1", "must not be negative"),
        ("recipient_balance_max = 5000", "recipient_balance_max = 0", "must be more than 0"),
        ("age_days_min = 3", "age_days_min = 36501", "write a whole number from 0 to 36500"),
        ("refusals_per_day = 9", "refusals_per_day = 65536", "write a whole number from 0 to 65535"),
    ]);
    check_at(&[
        ("amount_min = 5", "amount_min = 1001", "amount_max", "`amount_max` is less than `amount_min`"),
        ("\"0.50\"", "\"0.30\"", "amount_min", "`amount_min` is no multiple of `amount_step`"),
        ("amount_max = 100\n", "", "name = \"second\"", "this period needs `amount_max`, or closed = true"),
    ]);
}

#[test]
fn mistakes_about_fees() {
    check(&[
        ("basis_points = 500", "basis_points = 10001", "write a whole number from 0 to 10000"),
        ("basis_points = 500", "basis_points = -1", "write a whole number"),
        ("tax_basis_points = 1600", "tax_basis_points = 10001", "write a whole number"),
        ("{ up_to = 100, flat = 2 }", "{ up_to = 50, flat = 2 }", "tiers stand in ascending order"),
        ("{ up_to = 100, flat = 2 }", "{ up_to = 49, flat = 2 }", "tiers stand in ascending order"),
        ("{ up_to = 100, flat = 2 }", "{ flat = 2 }", "only the last tier is without `up_to`"),
        ("{ basis_points = 200 }", "{ up_to = 500, basis_points = 200 }", "the last tier holds for all larger"),
        ("{ basis_points = 200 }", "{ basis_points = 200, flat = -1 }", "must not be negative"),
    ]);
    check_at(&[
        ("flat = \"0.25\", basis_points = 500, ", "", "gift_fee", "this fee is always 0"),
        ("[period.top_up_fee]", "[period.top_up_fee]\nflat = 1", "tiers = [", "a fee with tiers has"),
    ]);
    let none: String = WHOLE
        .lines()
        .filter(|line| !line.starts_with("    { up_to") && !line.starts_with("    { basis"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(parse(&none).expect_err("no tier").what, "write 1 to 32 tiers");
}

#[test]
fn mistakes_about_periods() {
    let last = "until = 2026-01-01\nclosed = true";
    check(&[
        ("T12:00:00\n", "T11:59:59\n", "a gap: the next period begins later"),
        ("T12:00:00\n", "T12:00:01\n", "an overlap: the next period begins earlier"),
        ("until = 2024-03-01T12:00:00\n", "until = 2023-03-01\n", "this period ends before it begins"),
        ("from = 2025-01-01", "from = 2024-03-01T12:00:00", "this period does not begin after the one above"),
        ("from = 2025-01-01", "from = 2024-02-01", "this period does not begin after the one above"),
        ("closed = true", last, "the last period has no end"),
        ("name = \"third\"", "name = \"second\"", "another period has this name"),
        ("name = \"third\"", "name = \"3.\"", "a name is"),
        ("from = 2025-01-01", "from = 12:00:00", "write a date (2020-07-01)"),
        ("from = 2025-01-01", "from = 1969-12-31", "nothing happens before 1970"),
        ("from = 2025-01-01", "from = 2025-02-30", ""),
        ("from = 2025-01-01", "from = \"2025-01-01\"", "invalid type: string"),
    ]);
    check_at(&[(
        "from = 2024-01-01",
        "from = 2024-06-01",
        "from = 2024-03-01T09:00:00Z",
        "this period does not begin after",
    )]);
    let (before, _) = WHOLE.split_once("[[period]]").expect("periods");
    assert_eq!(parse(before).expect_err("no period").what, "missing field `period`");
    let empty = format!("period = []\n{before}");
    assert_eq!(parse(&empty).expect_err("no period").what, "write 1 to 256 periods");
}

#[test]
fn mistakes_about_limits() {
    let count = "a count's ceiling is a whole number from 1";
    let twin = "ceiling = 10\nwindow = \"business-day\"\n[[period.limit]]\nname = \"ten\"\nkind = \"top-up\"\n\
        subject = \"sender\"\nmeasure = \"count\"\nceiling = 10";
    let other = twin.replace("name = \"ten\"", "name = \"total\"\nfrom = 2023-12-01");
    check(&[
        ("ceiling = 10", "ceiling = 0", count),
        ("ceiling = 10", "ceiling = -1", count),
        ("ceiling = 10", "ceiling = \"10\"", count),
        ("ceiling = 10", "ceiling = 1.5", "money is never a float"),
        ("ceiling = \"99.50\"", "ceiling = 0", "must be more than 0"),
        ("{ days = 30 }", "{ days = 0 }", "write a whole number from 1 to 366"),
        ("{ days = 30 }", "{ days = 367 }", "write a whole number from 1 to 366"),
        ("name = \"ten\"", "name = \"Ten\"", "a name is"),
        ("until = 2024-02-01T00:00:00+03:00", "until = 2023-12-01", "this limit ends before it begins"),
        ("until = 2024-02-01T00:00:00+03:00", "until = 2023-12-31", "this limit never holds within its period"),
        ("from = 2023-12-01\nuntil = 2024-02-01T00:00:00+03:00", "from = 2024-03-01T12:00:00", "this limit ends"),
        ("ceiling = 10", twin, "this period has another limit of this name and beginning"),
        ("ceiling = 10", &other, "another limit of this name has another kind, subject or window"),
    ]);
    check_at(&[("kind = \"gift\"", "kind = \"top-up\"", "subject", "nobody but the sender takes part in a top-up")]);
}
