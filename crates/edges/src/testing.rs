//! What several unit tests need: the shipped rules, a key, a desk.

use domain::command::Caller;
use domain::ids::{LinkId, OperatorId};
use domain::number::Msisdn;
use domain::password::{KeyId, TagKey, TagKeys};
use domain::rules::Rules;
use domain::time::Timestamp;
use zeroize::Zeroizing;

use crate::desk::Desk;
use crate::menu::Step;

/// A shipped profile with some of its text replaced.
pub(crate) fn rules_with(profile: &str, replace: &[(&str, &str)]) -> Rules {
    let path = format!("{}/../../profiles/{profile}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(path).expect("a profile");
    for (from, to) in replace {
        assert!(text.contains(from), "{from} is not in the profile");
        text = text.replace(from, to);
    }
    domain::rules::parse::parse(&text).expect("rules")
}

pub(crate) fn rules(profile: &str) -> Rules {
    rules_with(profile, &[])
}

pub(crate) fn keys() -> TagKeys {
    let key = |id| TagKey::new(KeyId(id), &Zeroizing::new([id; 32]));
    TagKeys::new(key(2), Some(key(1)))
}

pub(crate) fn msisdn(digits: &str) -> Msisdn {
    Msisdn::parse(digits).expect("a number")
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

/// 0191 234 5678 on a link with dialogue, in a year with one gift of at most 500 a day.
pub(crate) fn desk<'a>(rules: &'a Rules, keys: &'a TagKeys) -> Desk<'a> {
    let caller = Caller { operator: OperatorId(0), link: LinkId(1), msisdn: msisdn("8501912345678"), imsi: None };
    Desk { rules, keys, caller, generation: 1, now: at("2026-11-22T05:00:00Z"), dialogue: true }
}

/// One line for a step: what it asks, says or submits.
pub(crate) fn show(step: &Step) -> String {
    match step {
        Step::Ask(_, say) => format!("ask {say:?}"),
        Step::End(say) => format!("end {say:?}"),
        Step::Submit(body, again) => {
            let again = if again.is_some() { ", may try again" } else { "" };
            format!("submit {}{again}", body.name())
        }
        Step::Confirm(giving) => format!("confirm {}", matches!(giving, crate::menu::Giving::Dialled(_))),
        Step::List(lines) => format!("list {}", lines.len()),
        Step::Gifts(latest) => format!("gifts before {latest}"),
    }
}
