//! Gifts on hold: what they may add up to, and what is looked at again when their time comes.

use expect_test::expect;

use super::check;
use super::script::play;
use crate::command::Body;
use crate::ids::SubscriberId;
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
