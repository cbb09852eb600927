//! What several unit tests need: a desk, and what a step shows. The rest is [`domain::testing`]'s.

use domain::password::TagKeys;
use domain::rules::Rules;

use crate::desk::Desk;
use crate::menu::Step;

pub(crate) use domain::testing::{at, msisdn, rules, rules_with, two_keys as keys};

/// 0191 234 5678 on a link with dialogue, in a year with one gift of at most 500 a day.
pub(crate) fn desk<'a>(rules: &'a Rules, keys: &'a TagKeys) -> Desk<'a> {
    let caller = domain::testing::caller(msisdn("8501912345678"));
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
