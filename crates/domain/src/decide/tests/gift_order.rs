//! The decision table of a gift: a row for each refusal, and each pair in the order of [`GIFT_ORDER`].
//!
//! A row spoils a gift that would be given, in one respect. Two rows together must be answered with the earlier one.

use expect_test::expect;

use super::say;
use super::script::play;
use crate::refusal::{GIFT_ORDER, Refusal};
use crate::time::Zone;
use crate::verdict::{Done, Outcome};

/// A gift of 100 from 191…001 to 191…002 at 2021-01-01 00:01, and what is wrong with it.
///
/// Rules are lenient until midnight and strict after it, so that what must have happened before could happen.
#[derive(Default)]
struct Plan {
    closed: bool,
    released: bool,
    barred: bool,
    sim_changed: bool,
    locked: bool,
    no_card: bool,
    wrong_password: bool,
    frozen: bool,
    refused_before: bool,
    swapped: bool,
    recipient_malformed: bool,
    amount_malformed: bool,
    recipient_elsewhere: bool,
    recipient_barred: bool,
    to_myself: bool,
    amount_min: Option<u32>,
    amount_max: Option<u32>,
    amount_step: Option<u32>,
    given_before: bool,
    young_sender: bool,
    young_recipient: bool,
    limited: bool,
    recipient_full: bool,
    must_stay: bool,
}

/// Public name, and how a gift comes to be refused for it.
type Row = (&'static str, fn(&mut Plan));

const ROWS: [Row; GIFT_ORDER.len()] = [
    ("service-closed", |plan| plan.closed = true),
    ("caller-unknown", |plan| plan.released = true),
    ("caller-barred", |plan| plan.barred = true),
    ("caller-resting", |plan| plan.sim_changed = true),
    ("locked", |plan| plan.locked = true),
    ("no-card", |plan| plan.no_card = true),
    ("wrong-password", |plan| plan.wrong_password = true),
    ("card-not-usable", |plan| plan.frozen = true),
    ("too-many-refusals", |plan| plan.refused_before = true),
    ("amount-recipient-swapped", |plan| plan.swapped = true),
    ("recipient-malformed", |plan| plan.recipient_malformed = true),
    ("amount-malformed", |plan| plan.amount_malformed = true),
    ("recipient-elsewhere", |plan| plan.recipient_elsewhere = true),
    ("recipient-unknown", |plan| plan.recipient_barred = true),
    ("recipient-is-caller", |plan| plan.to_myself = true),
    ("amount-below-minimum", |plan| plan.amount_min = Some(210)),
    ("amount-above-maximum", |plan| plan.amount_max = Some(70)),
    ("amount-off-step", |plan| plan.amount_step = Some(7)),
    ("repeated", |plan| plan.given_before = true),
    ("sender-too-young", |plan| plan.young_sender = true),
    ("recipient-too-young", |plan| plan.young_recipient = true),
    ("limit-reached", |plan| plan.limited = true),
    ("recipient-balance-max", |plan| plan.recipient_full = true),
    ("insufficient-funds", |plan| plan.must_stay = true),
];

/// Pairs that can't hold at once, and why.
const NEVER_TOGETHER: [(&str, &[&str], &str); 9] = [
    ("caller-unknown", &["caller-barred"], "nobody is not barred"),
    ("no-card", &["wrong-password", "card-not-usable"], "there is nothing to open"),
    ("no-card", &["too-many-refusals", "repeated", "insufficient-funds"], "these need a card that opened"),
    ("recipient-malformed", &["recipient-elsewhere", "recipient-unknown", "recipient-is-caller"], "there is no number"),
    ("recipient-malformed", &["repeated", "recipient-too-young", "recipient-balance-max"], "there is no recipient"),
    ("amount-malformed", &["amount-below-minimum", "amount-above-maximum", "amount-off-step"], "there is no amount"),
    ("amount-malformed", &["repeated"], "there is no amount"),
    ("recipient-is-caller", &["repeated"], "nobody ever gave to themselves"),
    ("amount-below-minimum", &["amount-above-maximum"], "the minimum is at most the maximum"),
];

fn together(earlier: &str, later: &str) -> bool {
    // The caller is known and not barred when the recipient is looked at, so a recipient who is the caller is neither.
    let caller_is_known = (earlier, later) == ("recipient-unknown", "recipient-is-caller");
    !caller_is_known && !NEVER_TOGETHER.iter().any(|(a, list, _)| *a == earlier && list.contains(&later))
}

impl Plan {
    fn of(names: &[&str]) -> Self {
        let mut plan = Self::default();
        for (name, spoil) in ROWS {
            if names.contains(&name) {
                spoil(&mut plan);
            }
        }
        plan
    }

    fn outcome(&self) -> Outcome {
        play(&self.script()).outcome.expect("an act")
    }

    fn script(&self) -> String {
        let to = if self.to_myself { "191…001" } else { "191…002" };
        let mut lines = vec![String::from("test from 2020-12-30")];
        lines.extend(self.rules(&[]));
        let since = |young| if young { "2020-12-29" } else { "2020-01-01" };
        lines.push(format!(
            "191…001 is known since {}",
            since(self.young_sender || (self.young_recipient && self.to_myself))
        ));
        if !self.to_myself {
            lines.push(format!("191…002 is known since {}", since(self.young_recipient)));
        }
        lines.push(String::from("191…001 has SIM 467050000000001"));
        lines.push(String::from("191…003 has a card with 1000"));
        let mut when = |condition: bool, line: String| {
            if condition {
                lines.push(line);
            }
        };
        when(!self.no_card, String::from("191…001 has a card with 1000"));
        when(self.recipient_full, format!("2020-12-30 10:00 191…003 gives 60 to {to}"));
        when(self.given_before, format!("2020-12-31 23:59:50 191…001 gives 100 to {to}"));
        let given = self.no_card || self.given_before;
        when(self.limited && !given, String::from("2020-12-31 23:59:50 191…001 gives 3 to 191…004"));
        when(self.refused_before, String::from("2021-01-01 00:00:10 191…001 gives ? to ?"));
        when(self.locked, String::from("2021-01-01 00:00:20 191…001 binds card-9 times 3"));
        when(self.frozen, String::from("2021-01-01 00:00:30 care freezes card-2"));
        when(self.sim_changed, String::from("2021-01-01 00:00:30 care gives 191…001 SIM 467050000000002"));
        when(self.barred, String::from("2021-01-01 00:00:30 care bars 191…001"));
        when(self.recipient_barred, format!("2021-01-01 00:00:30 care bars {to}"));
        when(self.released, String::from("2021-01-01 00:00:30 care releases 191…001"));
        if self.recipient_elsewhere {
            lines.push(String::from("2021-01-01 00:00:30 test loads"));
            lines.extend(self.rules(&["| range 193"]));
        }
        let to = if self.recipient_malformed { "?" } else { to };
        let amount = if self.amount_malformed { "?" } else { "100" };
        let swapped = if self.swapped { "swapped" } else { "" };
        let password = if self.wrong_password { "password 111111" } else { "" };
        lines.push(format!("2021-01-01 00:01 191…001 gives {amount} to {to} {swapped} {password}"));
        lines.join("\n")
    }

    fn rules(&self, ranges: &[&str]) -> Vec<String> {
        // One limit in both periods, so that a gift before midnight counts after it; one that no amount fits.
        let once = "| limit once gift sender count 1 days(30) from 2020-12-01";
        let one = "| limit one gift sender total 1 business-day";
        let step = self.amount_step.unwrap_or(1);
        let mut lines: Vec<String> = ranges.iter().map(|line| String::from(*line)).collect();
        lines.extend(["| standing repeat_window_s = 300", "| standing swap_rest_h = 48"].map(String::from));
        lines.extend(self.limited.then(|| String::from(once)));
        lines.push(String::from("| period strict from 2021-01-01"));
        lines.push(format!("| amount_step = {step}"));
        lines.push(format!("| amount_min = {}", self.amount_min.unwrap_or(step)));
        lines.push(format!("| amount_max = {}", self.amount_max.unwrap_or(7000)));
        let mut when = |condition: bool, line: &str| lines.extend(condition.then(|| String::from(line)));
        when(self.refused_before, "| refusals_per_day = 1");
        when(self.young_sender || self.young_recipient, "| age_days_min = 30");
        when(self.recipient_full, "| recipient_balance_max = 50");
        when(self.must_stay, "| residual_min = 100000");
        when(self.limited, once);
        when(self.limited, one);
        when(self.closed, "| period shut from 2021-01-01T00:00:50");
        when(self.closed, "| closed = true");
        lines
    }
}

fn refused(names: &[&str]) -> Refusal {
    let plan = Plan::of(names);
    match plan.outcome() {
        Outcome::Refused(refusal) => refusal,
        Outcome::Done(done) => panic!("{names:?} should be refused: {done:?}\n{}", plan.script()),
    }
}

#[test]
fn the_table_has_a_row_for_each_refusal_in_their_order() {
    assert_eq!(ROWS.map(|(name, _)| name), GIFT_ORDER);
}

#[test]
fn a_gift_with_nothing_wrong_is_given() {
    let given = Plan::default().outcome();
    assert!(matches!(given, Outcome::Done(Done::Given { left_minor: 900, fee_minor: 0, .. })), "{given:?}");
}

#[test]
fn each_refusal_comes_alone() {
    let zone = Zone::parse("Asia/Pyongyang").expect("a zone");
    let said: String = GIFT_ORDER
        .iter()
        .map(|name| {
            let refusal = refused(&[*name]);
            assert_eq!(refusal.name(), *name);
            format!("{}\n", say::refusal(&refusal, &zone))
        })
        .collect();
    expect![[r#"
        service-closed, shut
        caller-unknown
        caller-barred
        caller-resting, until 2021-01-03 00:00:30
        locked, until 2021-01-01 00:15:20
        no-card
        wrong-password, 2 left
        card-not-usable, frozen
        too-many-refusals, until 2021-01-02
        amount-recipient-swapped
        recipient-malformed
        amount-malformed
        recipient-elsewhere
        recipient-unknown
        recipient-is-caller
        amount-below-minimum, 210
        amount-above-maximum, 70
        amount-off-step, 7
        repeated, given 2020-12-31 23:59:50, receipt 7-6P, again at 2021-01-01 00:04:50
        sender-too-young, until 2021-01-28
        recipient-too-young, until 2021-01-28
        limit once reached until 2021-01-30
        recipient-balance-max, room for 0
        insufficient-funds, short by 99100
    "#]]
    .assert_eq(&said);
}

#[test]
fn of_two_the_earlier_is_answered() {
    let mut pairs = 0;
    for (index, earlier) in GIFT_ORDER.iter().enumerate() {
        for later in &GIFT_ORDER[index + 1..] {
            if together(earlier, later) {
                assert_eq!(refused(&[*earlier, *later]).name(), *earlier, "{earlier} and {later}");
                pairs += 1;
            }
        }
    }
    let never: usize = NEVER_TOGETHER.iter().map(|(_, later, _)| later.len()).sum();
    assert_eq!(pairs + never + 1, GIFT_ORDER.len() * (GIFT_ORDER.len() - 1) / 2);
}

/// As many as can hold at once; mended one after the other, they are answered in their order.
#[test]
fn of_many_the_first_is_answered() {
    for last in (0..GIFT_ORDER.len()).rev() {
        let mut held: Vec<&str> = Vec::new();
        for name in GIFT_ORDER[..=last].iter().rev() {
            if held.iter().all(|later| together(name, later)) {
                held.insert(0, *name);
            }
        }
        while let [first, rest @ ..] = held.as_slice() {
            assert_eq!(refused(&held).name(), *first, "{held:?}");
            held = rest.to_vec();
        }
    }
}

/// Checked where gifts are: what has no meaning for one's own phone is left out.
#[test]
fn a_top_up_is_refused_in_the_same_order() {
    let meant = |name: &&&str| {
        !["recipient-malformed", "recipient-elsewhere", "recipient-unknown", "recipient-is-caller"].contains(*name)
            && !["amount-recipient-swapped", "sender-too-young", "recipient-too-young"].contains(*name)
    };
    let names: Vec<&str> = GIFT_ORDER.iter().filter(meant).copied().collect();
    let top_up = |held: &[&str]| {
        let mut plan = Plan::of(held);
        plan.to_myself = true;
        // What the caller gave before is topped up before, and the limits are those of top-ups.
        let script =
            plan.script().replace("gives 100 to 191…001", "tops up 100").replace(" gift sender ", " top-up sender ");
        let script = script.replace("191…001 gives 3 to 191…004", "191…001 tops up 3");
        let (before, gift) = script.rsplit_once('\n').expect("lines");
        let top_up = gift.replace("gives", "tops up").replace("to 191…001", "");
        let outcome = play(&format!("{before}\n{top_up}")).outcome;
        match outcome.expect("an act") {
            Outcome::Refused(refusal) => refusal.name(),
            Outcome::Done(_) => "",
        }
    };
    assert_eq!(top_up(&[]), "");
    for (index, earlier) in names.iter().enumerate() {
        assert_eq!(top_up(&[*earlier]), *earlier);
        for later in names[index + 1..].iter().filter(|later| together(earlier, later)) {
            assert_eq!(top_up(&[*earlier, *later]), *earlier, "{earlier} and {later}");
        }
    }
}
