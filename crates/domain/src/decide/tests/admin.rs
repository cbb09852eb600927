//! The operator's side: rules, imports, issuing.

use expect_test::expect;

use super::check;
use super::profile;
use super::script::{STAFF, play};

use crate::TOUCH_MAX;
use crate::command::{Body, ImportSubscribers, IssueCards, NewCard, NewSubscriber};
use crate::ids::OperatorId;
use crate::money::Amount;
use crate::number::Msisdn;
use crate::refusal::Refusal;
use crate::testing::{PASSWORD, World, at, card_number, load, password};
use crate::time::BusinessDate;
use crate::verdict::{Done, Outcome};

#[test]
fn rules_of_two_operators_may_not_clash() {
    check(
        "test from 2020-01-01
         other loads
         | code 555
         other loads
         | range 1915
         other loads
         test loads
         | code 556
         test loads
         | range 191
         | range 195
         test loads
         | zone Asia/Tokyo
         test loads
         | digits 2
         test loads
         | range 191
         other loads
         | range 195
         | range 192",
        expect![[r#"
            refused: rules-clash, test
            refused: rules-clash, test
            rules loaded
            refused: rules-clash, other
            refused: rules-clash, other
            refused: rules-clash, the time zone, which business dates are counted in
            refused: rules-clash, the unit's minor digits, which balances are counted in
            rules loaded
            rules loaded
        "#]],
    );
}

/// An operator's first entry is theirs, on their own date: half past midnight in Pyongyang is still yesterday in UTC.
#[test]
fn the_first_rules_of_an_operator_are_their_own_business() {
    let mut world = World::new(at("2020-01-31T15:30:00Z"));
    let date = BusinessDate::from_civil(jiff::civil::date(2020, 2, 1));
    for (id, name) in [(0, "test"), (1, "other")] {
        let loaded = world.done(&load(profile::rules(name, &[])));
        assert_eq!((loaded.effects.operator, loaded.effects.date), (Some(OperatorId(id)), date), "{name}");
        assert_eq!(world.state.operator(OperatorId(id)).expect("loaded").date, date, "{name}");
    }
}

#[test]
fn an_import_creates_and_updates() {
    check(
        "test from 2020-01-01
         191…008 is nobody yet
         191…009 is nobody yet
         191…001 is known since 2019-01-01
         2020-02-01 10:00  test imports 191…008 with 50 and 191…001 in en and 191…002
         test imports 191…008 with 50 and 191…001 in en
         191…008 asks balance
         test issues 5
         191…008 binds card-1
         191…008 asks balance",
        expect![[r#"
            imported 2 new, 1 changed
            imported 0 new, 0 changed
            refused: no-card
            issued 1 from card 1
            card 1 bound, 5 on it
            card 1 5; may send anything; airtime 50
        "#]],
    );
}

#[test]
fn an_import_with_one_bad_line_does_nothing() {
    // The lines before the bad one were to be created: the entry must not name them.
    check(
        "test from 2020-01-01
         | standing first_use = false
         191…007 is nobody yet
         191…008 is nobody yet
         191…009 is nobody yet
         2020-02-01 10:00  test imports 191…008 with 50 and 195…001
         test imports 191…008 and 191…009 and 191…008
         test imports 191…001 in en and 191…008 and 195…001
         nobody imports 191…008
         191…008 asks balance
         191…001 speaks en
         test imports 191…008
         191…008 asks balance",
        expect![[r#"
            refused: number-out-of-range, at 1
            refused: twice-in-list, at 2
            refused: number-out-of-range, at 2
            refused: operator-unknown
            refused: caller-unknown
            language set
            imported 1 new, 0 changed
            refused: no-card
        "#]],
    );
}

#[test]
fn card_numbers_are_issued_once() {
    check(
        "test from 2020-01-01
         other from 2020-01-01
         2020-02-01 10:00  test issues 1#100 2#200
         test issues 3#300 1#100
         test issues 3#300 3#300
         other issues 2#100
         test issues
         other issues 3#300
         195…001 binds card-3
         195…001 binds card-1",
        expect![[r#"
            issued 2 from card 1
            refused: card-number-taken, at 1
            refused: twice-in-list, at 1
            refused: card-number-taken, at 0
            refused: nothing-to-change
            issued 1 from card 3
            card 3 bound, 300 on it
            refused: wrong-password, 2 left
        "#]],
    );
}

#[test]
fn staff_ask_for_what_there_is() {
    check(
        "test from 2020-01-01
         191…009 is nobody yet
         care bars 191…009
         care unlocks 191…009
         care gives 191…009 SIM 467050000000001
         care freezes card-1
         care thaws card-0
         card-1 expires
         care releases 191…001
         care gives 191…001 SIM 467050000000001",
        expect![[r#"
            refused: subscriber-unknown
            refused: subscriber-unknown
            refused: subscriber-unknown
            refused: card-unknown
            refused: card-unknown
            refused: card-unknown
            subscriber changed
            refused: subscriber-unknown
        "#]],
    );
}

/// Imports so many new numbers of which each may bring airtime.
fn import(count: u32, airtime: Option<i64>) -> Body {
    let line = |n| NewSubscriber {
        msisdn: Msisdn::try_new(8_501_912_000_000 + u64::from(n)).expect("a number"),
        imsi: None,
        language: None,
        since: None,
        airtime: airtime.and_then(Amount::try_new),
    };
    let subscribers = (0..count).map(line).collect();
    Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator: OperatorId(0), subscribers })
}

fn issue(world: &World, count: u32) -> Body {
    let password = password(PASSWORD);
    let card = |n| {
        let number = card_number(5_000 + u64::from(n));
        let tag = world.keys.current().card(OperatorId(0), number, &password);
        NewCard { number, tag, value: Amount::try_new(1).expect("positive") }
    };
    Body::IssueCards(IssueCards { staff: STAFF, operator: OperatorId(0), cards: (0..count).map(card).collect() })
}

#[test]
fn no_command_touches_more_than_touch_max_accounts() {
    // The position account is one of them wherever airtime is issued.
    for (most, airtime) in [(1_000, None), (999, Some(5))] {
        let mut world = play("test from 2020-01-01").world;
        let refused = Outcome::Refused(Refusal::TooMuchAtOnce { max: most });
        assert_eq!(world.act(&import(most + 1, airtime)).outcome, refused);
        let imported = world.act(&import(most, airtime));
        assert_eq!(imported.outcome, Outcome::Done(Done::Imported { created: most, updated: 0 }));
        assert!(imported.effects.balances.len() <= TOUCH_MAX);
    }
    let mut world = play("test from 2020-01-01").world;
    let many = issue(&world, 1_000);
    assert_eq!(world.act(&many).outcome, Outcome::Refused(Refusal::TooMuchAtOnce { max: 999 }));
    let most = issue(&world, 999);
    assert_eq!(world.act(&most).effects.balances.len(), TOUCH_MAX);
}
