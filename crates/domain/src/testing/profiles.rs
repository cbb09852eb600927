//! The shipped profiles, whole or with some of their text replaced.

use crate::rules::Rules;
use crate::rules::parse::parse;

/// The profile of Koryolink.
pub const KORYOLINK: &str = include_str!("../../../../profiles/koryolink.toml");
/// The profile of Kangsong.
pub const KANGSONG: &str = include_str!("../../../../profiles/kangsong.toml");

/// A shipped profile by its operator's name.
///
/// # Panics
/// When no operator has that name.
pub fn profile(name: &str) -> &'static str {
    match name {
        "koryolink" => KORYOLINK,
        "kangsong" => KANGSONG,
        unknown => panic!("no profile {unknown}"),
    }
}

/// The rules of a profile's text.
///
/// # Panics
/// When it is wrong: with the line.
pub fn rules_of(text: &str) -> Rules {
    parse(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// The rules of a shipped profile.
pub fn rules(name: &str) -> Rules {
    rules_of(profile(name))
}

/// The same with some of the text replaced.
pub fn rules_with(name: &str, replace: &[(&str, &str)]) -> Rules {
    rules_of(&replaced(profile(name), replace))
}

/// A text with each of these replaced.
///
/// # Panics
/// When one is not in it: the test would try something else than it says.
pub fn replaced(text: &str, replace: &[(&str, &str)]) -> String {
    replace.iter().fold(String::from(text), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the profile");
        text.replace(from, to)
    })
}

/// Koryolink with one open period instead of its own: gifts of at most 500, without limits and without an end of refusals.
/// `replace` changes what stands before the periods, `keys` are more of the period.
pub fn one_period(replace: &[(&str, &str)], keys: &str) -> String {
    let head = KORYOLINK.split_once("[[period]]").map_or(KORYOLINK, |(head, _)| head);
    let head = replaced(head, replace);
    format!(
        "{head}[[period]]\nname = \"open\"\nfrom = 2016-01-01\namount_max = 500\nrefusals_per_day = 0\nage_days_min = 0\n{keys}"
    )
}
