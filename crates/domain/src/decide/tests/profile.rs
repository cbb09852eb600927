//! Rules for tests: the shipped profiles, or small ones from the lines that a script writes after `|`.

use crate::rules::Rules;
use crate::testing;

/// The rules of that name. `test` has service code 555 and the numbers 191, 192 and 193, `other` has 556 and 195; both are
/// free, without limits and without a repeat window unless a line says otherwise. Lines are keys of the latest period, or
///
/// - `standing KEY = VALUE`, `zone NAME`, `code NUMBER`, `digits NUMBER` (of the minor unit), `languages en`
/// - `range PREFIX`: instead of the usual ones
/// - `period NAME from DATE`: begins another one
/// - `tariff KEY = VALUE`, `staff UID ROLE,ROLE`
/// - `limit NAME KIND SUBJECT MEASURE CEILING WINDOW [from DATE] [until DATE]`, a window being `business-day`,
///   `calendar-month` or `days(30)`
pub(super) fn rules(name: &str, lines: &[&str]) -> Rules {
    let text = match name {
        "test" => small("test", "555", &["191", "192", "193"], lines),
        "other" => small("other", "556", &["195"], lines),
        shipped => return testing::rules(shipped),
    };
    testing::rules_of(&text)
}

fn small(name: &str, code: &str, ranges: &[&str], lines: &[&str]) -> String {
    let (mut code, mut zone, mut digits, mut languages) = (code, "Asia/Pyongyang", "0", r#""ko", "en""#);
    let mut own: Vec<&str> = Vec::new();
    let (mut standing, mut tariff, mut staff) = (String::new(), String::new(), String::new());
    let mut periods = vec![(String::from("name = \"p1\"\nfrom = 2000-01-01\n"), String::new())];
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["zone", name] => zone = *name,
            ["code", number] => code = *number,
            ["digits", number] => digits = *number,
            ["languages", "en"] => languages = r#""en""#,
            ["range", prefix] => own.push(*prefix),
            ["tariff", key @ ..] if key[0] != "=" => tariff += &format!("{}\n", key.join(" ")),
            ["staff", uid, roles] => {
                let roles: Vec<String> = roles.split(',').map(|role| format!("\"{role}\"")).collect();
                staff += &format!("[[staff]]\nuid = {uid}\nroles = [{}]\n", roles.join(", "));
            }
            ["standing", key @ ..] => standing += &format!("{}\n", key.join(" ")),
            ["period", name, "from", date] => {
                periods.push((format!("name = \"{name}\"\nfrom = {date}\n"), String::new()));
            }
            ["limit", limit @ ..] => periods.last_mut().expect("a period").1 += &limit_of(limit),
            key => periods.last_mut().expect("a period").0 += &format!("{}\n", key.join(" ")),
        }
    }
    if own.is_empty() {
        own = ranges.to_vec();
    }
    if !standing.contains("repeat_window_s") {
        standing += "repeat_window_s = 0\n";
    }
    let names = if languages.contains("ko") { r#"{ ko = "시험", en = "test" }"# } else { r#"{ en = "test" }"# };
    let ranges: Vec<String> = own.iter().map(|prefix| format!("{{ prefix = \"{prefix}\", digits = 10 }}")).collect();
    let ranges = ranges.join(", ");
    let periods: String = periods.into_iter().map(|(keys, limits)| period_of(&keys, &limits)).collect();
    format!(
        "operator = \"{name}\"\ndisplay_names = {names}\nservice_code = {code}\nzone = \"{zone}\"\n\
         languages = [{languages}]\n[unit]\nnames = {names}\nminor_digits = {digits}\n\
         [numbers]\ncountry_code = \"850\"\nranges = [{ranges}]\n\
         [dial]\ngift = \"AMOUNT*RECIPIENT*PASSWORD\"\n[tariff]\nminute_price = 4\n{tariff}[standing]\n{standing}{periods}{staff}"
    )
}

fn period_of(keys: &str, limits: &str) -> String {
    let named = |key: &str| keys.lines().any(|line| line.starts_with(key));
    let most = if named("amount_max") || named("closed") { "" } else { "amount_max = 1000000\n" };
    format!("[[period]]\n{keys}{most}{limits}")
}

fn limit_of(words: &[&str]) -> String {
    let [name, kind, subject, measure, ceiling, window, dates @ ..] = words else { panic!("a limit: {words:?}") };
    let window = match window.strip_prefix("days(").and_then(|days| days.strip_suffix(')')) {
        Some(days) => format!("{{ days = {days} }}"),
        None => format!("\"{window}\""),
    };
    let dates: String = dates.chunks(2).map(|date| format!("{} = {}\n", date[0], date[1])).collect();
    format!(
        "[[period.limit]]\nname = \"{name}\"\nkind = \"{kind}\"\nsubject = \"{subject}\"\nmeasure = \"{measure}\"\n\
         ceiling = {ceiling}\nwindow = {window}\n{dates}"
    )
}
