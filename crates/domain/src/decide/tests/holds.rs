//! Gifts on hold: what they may add up to, and what is looked at again when their time comes.

use expect_test::expect;

use super::check;
use super::script::{Stage, number, play};
use crate::account::AccountId;
use crate::command::Body;
use crate::ids::{OperatorId, SubscriberId};
use crate::office::done::OfficeDone;
use crate::office::{RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::verdict::{Done, Outcome};

#[test]
fn held_gifts_never_pass_the_recipients_maximum() {
    // Eight senders once gave 3,200 under a maximum of 1,000: each looked at the balance before the others arrived.
    check(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         | recipient_balance_max = 1000
         191…001 has a card with 1000
         191…002 has a card with 1000
         191…003 has a card with 1000
         2020-02-01 10:00  191…001 gives 400 to 191…009
         191…002 gives 400 to 191…009
         191…003 gives 400 to 191…009
         191…003 gives 200 to 191…009
         191…009 has a card with 500
         191…009 tops up 1
         191…002 undoes
         191…009 tops up 400
         191…003 gives 1 to 191…009",
        expect![[r#"
            on hold 400, 600 left
            on hold 400, 600 left
            refused: recipient-balance-max, room for 200
            on hold 200, 800 left
            refused: recipient-balance-max, room for 0
            undone 400 of entry 10, 1000 on the card
            topped up 400, 100 left, airtime 400
            refused: recipient-balance-max, room for 0
        "#]],
    );
}

/// What is on hold for somebody counts for their maximum, and is not theirs: the answer to a top-up once told both together.
#[test]
fn what_is_on_hold_is_nobodys_airtime_yet() {
    check(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         191…001 has a card with 1000
         191…009 has a card with 500
         2020-02-01 10:00  191…001 gives 400 to 191…009
         191…009 tops up 100
         191…009 asks balance",
        expect![[r#"
            on hold 400, 600 left
            topped up 100, 400 left, airtime 100
            card 2 400; may send anything; airtime 100
        "#]],
    );
}

/// A gift of 400 on hold for an hour, what happens meanwhile, and what its end says.
fn meanwhile(rules: &str, line: &str) -> String {
    let script = format!(
        "test from 2020-01-01
         | hold = {{ gifts = \"always\", for_s = 3600 }}
         {rules}
         191…001 has a card with 1000
         191…002 has a card with 900
         191…002 is known since 2019-01-01
         191…001 has SIM 467050000000001
         2020-02-01 10:00  191…001 gives 400 to 191…002
         2020-02-01 10:30  {line}"
    );
    let mut stage = play(&script);
    let hold = stage.world.state.records_of(RecordKind::Hold).next().expect("a gift on hold").0;
    stage.world.at = stage.world.at.plus_s(1_800);
    let key = RecordKey { kind: RecordKind::Hold, id: hold };
    let outcome = stage.world.act(&Body::Due(key)).outcome;
    let Outcome::Done(Done::Office(done)) = outcome else { panic!("{line}: {outcome:?}") };
    let state = &stage.world.state;
    let others: i64 = state
        .records_of(RecordKind::Hold)
        .filter_map(|(seq, _)| state.hold(Seq(seq)))
        .map(|hold| hold.amount.minor())
        .sum();
    assert_eq!((state.hold(Seq(hold)), state.held_for(SubscriberId(1))), (None, others), "{line}");
    match *done {
        OfficeDone::HoldPosted { .. } => String::from("posted"),
        OfficeDone::HoldVoided { why, balance_minor, .. } => format!("back: {}, {balance_minor}", why.name()),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_changed_meanwhile_is_looked_at_again() {
    let max = "| recipient_balance_max = 1000";
    for (rules, line, expected) in [
        (max, "191…002 tops up 600", "posted"),
        ("", "care bars 191…001", "back: sender-may-not-give, 1000"),
        ("", "care releases 191…001", "back: sender-may-not-give, 1000"),
        ("", "care gives 191…001 SIM 467050000000002", "back: sender-may-not-give, 1000"),
        ("", "191…001 freezes", "back: card-not-usable, 1000"),
        ("", "care voids card-1", "back: card-not-usable, 1000"),
        ("", "care bars 191…002", "back: recipient-unknown, 1000"),
        ("", "care releases 191…002", "back: recipient-unknown, 1000"),
        ("", "191…001 gives 500 to 191…002", "posted"),
    ] {
        assert_eq!(meanwhile(rules, line), expected, "{line}");
    }
}

#[test]
fn a_maximum_that_was_lowered_meanwhile_and_a_service_that_closed() {
    let closed = "| period end from 2020-02-01T11:00:00\n| closed = true";
    assert_eq!(meanwhile(closed, "191…001 asks balance"), "back: service-closed, 1000");
    let later = "| period end from 2020-02-01T11:00:01\n| closed = true";
    assert_eq!(meanwhile(later, "191…001 asks balance"), "posted");
    let lower = "| period lower from 2020-02-01T10:45:00\n| amount_max = 1000\n| recipient_balance_max = 399";
    assert_eq!(meanwhile(lower, "191…001 asks balance"), "back: recipient-balance-max, 1000");
}

/// What the timers do now: one line for each gift on hold, oldest first.
fn due(stage: &mut Stage) -> Vec<String> {
    let holds: Vec<u64> = stage.world.state.records_of(RecordKind::Hold).map(|(id, _)| id).collect();
    holds.into_iter().map(|id| end(stage, id)).collect()
}

fn end(stage: &mut Stage, id: u64) -> String {
    match stage.world.act(&Body::Due(RecordKey { kind: RecordKind::Hold, id })).outcome {
        Outcome::Done(Done::Office(done)) => match *done {
            OfficeDone::HoldPosted { .. } => String::from("posted"),
            OfficeDone::HoldVoided { why, .. } => format!("back: {}", why.name()),
            other => panic!("{other:?}"),
        },
        Outcome::Done(other) => panic!("{other:?}"),
        Outcome::Refused(refusal) => String::from(refusal.name()),
    }
}

#[test]
fn two_that_fall_due_at_one_instant_fill_the_maximum_and_not_more() {
    // Over two links, as two gateways would send them within the same batch.
    let mut stage = play(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         | recipient_balance_max = 1000
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-01 10:00  191…001 gives 600 to 191…009 over 1
         191…002 gives 401 to 191…009 over 2
         191…002 gives 400 to 191…009 over 2
         2020-02-01 10:59:59  191…009 asks balance",
    );
    assert_eq!(due(&mut stage), ["nothing-to-change", "nothing-to-change"], "a second before");
    stage.line("2020-02-01 11:00 191…001 undoes", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Refused(_))), "what is due is due: {:?}", stage.outcome);
    assert_eq!(due(&mut stage), ["posted", "posted"]);
    let recipient = stage.world.state.find_subscriber(number("191…009").expect("a number")).expect("the recipient").0;
    let airtime = stage.world.state.purse(AccountId::Airtime(recipient)).expect("airtime");
    assert_eq!((airtime.balance_minor, stage.world.state.held_for(recipient)), (1_000, 0));
}

#[test]
fn one_gift_ends_once() {
    let mut stage = play(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 400 to 191…002
         191…001 gives 300 to 191…002",
    );
    let holds: Vec<u64> = stage.world.state.records_of(RecordKind::Hold).map(|(id, _)| id).collect();
    stage.line("2020-02-01 10:59:59 191…001 undoes", &[]);
    assert_eq!(end(&mut stage, holds[1]), "nothing-to-change", "it was undone a moment ago");
    stage.line("2020-02-01 11:00 191…001 undoes", &[]);
    assert!(matches!(stage.outcome, Some(Outcome::Refused(_))), "the other one is due: {:?}", stage.outcome);
    assert_eq!(end(&mut stage, holds[0]), "posted");
    for id in holds {
        assert_eq!(end(&mut stage, id), "nothing-to-change", "a second time");
    }
    assert_eq!(stage.world.state.purse(AccountId::Held(OperatorId(0))).map_or(0, |purse| purse.balance_minor), 0);
}

#[test]
fn a_gift_counts_on_the_day_on_which_it_was_dialled_also_when_it_is_undone_after_midnight() {
    check(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         | limit one-a-day gift sender count 1 business-day
         191…001 has a card with 1000
         2020-02-01 23:59:59  191…001 gives 400 to 191…002
         191…001 gives 300 to 191…002
         2020-02-02 00:00  191…001 gives 300 to 191…002
         2020-02-02 00:59:58  191…001 gives 200 to 191…002
         191…001 undoes
         191…001 undoes
         191…001 gives 300 to 191…002
         191…001 gives 200 to 191…002",
        expect![[r#"
            on hold 400, 600 left
            refused: limit one-a-day reached until 2020-02-02
            on hold 300, 300 left
            refused: limit one-a-day reached until 2020-02-03
            undone 300 of entry 7, 600 on the card
            undone 400 of entry 5, 1000 on the card
            on hold 300, 700 left
            refused: limit one-a-day reached until 2020-02-03
        "#]],
    );
}

#[test]
fn the_largest_amounts_are_held_and_posted_with_fee_and_tax() {
    let mut stage = play(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         | amount_max = 9223372036854775807
         | gift_fee = { flat = 10, tax_basis_points = 1000 }
         191…001 has a card with 1000000000000
         191…002 has a card with 1000000000000
         2020-02-01 10:00  191…001 gives 9223372036854775807 to 191…009
         191…001 gives 1000000000000 to 191…009
         191…001 gives 999999999989 to 191…009
         191…002 gives 999999999989 to 191…009
         2020-02-01 11:00  191…009 asks balance",
    );
    assert_eq!(due(&mut stage), ["posted", "posted"]);
    let balance = |account| stage.world.state.purse(account).expect("an account").balance_minor;
    let operator = OperatorId(0);
    let recipient = stage.world.state.find_subscriber(number("191…009").expect("a number")).expect("the recipient").0;
    assert_eq!(balance(AccountId::Airtime(recipient)), 1_999_999_999_978);
    assert_eq!(
        [AccountId::FeeIncome(operator), AccountId::TaxPayable(operator), AccountId::Held(operator)].map(balance),
        [20, 2, 0]
    );
}

#[test]
fn a_gift_is_undone_until_its_hold_is_over_whether_its_timer_ran_or_not() {
    check(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 3600 }
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 100 to 191…002
         10:30  191…001 gives 200 to 191…002
         2020-02-01T01:59:59.999Z 191…001 undoes
         191…001 undoes
         191…001 undoes
         2020-02-01 11:00  191…001 gives 300 to 191…002
         2020-02-01 12:00  191…001 undoes",
        expect![[r#"
            on hold 100, 900 left
            on hold 200, 700 left
            undone 200 of entry 6, 900 on the card
            undone 100 of entry 5, 1000 on the card
            refused: nothing-to-undo
            on hold 300, 700 left
            refused: nothing-to-undo
        "#]],
    );
}

#[test]
fn what_is_undone_gives_back_its_own_day_s_limit_and_no_other() {
    check(
        "test from 2020-01-01
         | hold = { gifts = \"always\", for_s = 7200 }
         | limit one gift sender count 1 business-day
         191…001 has a card with 1000
         2020-02-01 23:30  191…001 gives 100 to 191…002
         191…001 gives 10 to 191…003
         191…001 undoes
         191…001 gives 20 to 191…003
         2020-02-02 00:10  191…001 gives 30 to 191…003
         191…001 gives 1 to 191…004
         191…001 undoes
         191…001 undoes
         191…001 gives 40 to 191…003
         191…001 gives 1 to 191…004",
        expect![[r#"
            on hold 100, 900 left
            refused: limit one reached until 2020-02-02
            undone 100 of entry 5, 1000 on the card
            on hold 20, 980 left
            on hold 30, 950 left
            refused: limit one reached until 2020-02-03
            undone 30 of entry 9, 980 on the card
            undone 20 of entry 8, 1000 on the card
            on hold 40, 960 left
            refused: limit one reached until 2020-02-03
        "#]],
    );
}

#[test]
fn only_a_gift_to_somebody_new_is_held_where_the_rules_say_so() {
    check(
        "test from 2020-01-01
         | standing first_use = true
         191…001 has a card with 1000
         191…003 is nobody yet
         2020-02-01 10:00  191…001 gives 10 to 191…002
         test loads
         | standing first_use = true
         | hold = { gifts = \"new-recipient\", for_s = 3600 }
         191…001 gives 20 to 191…002
         191…001 gives 30 to 191…003
         191…001 gives 40 to 191…003
         191…002 has a card with 100
         191…002 gives 10 to 191…001",
        expect![[r#"
            given 10, 990 left
            rules loaded
            given 20, 970 left
            on hold 30, 940 left
            on hold 40, 900 left
            on hold 10, 90 left
        "#]],
    );
}
