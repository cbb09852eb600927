//! Wrong passwords: counted in a row per caller and link, locked longer each time.

use expect_test::expect;

use super::check;
use super::script::{Stage, play};
use crate::state::{Lock, locks_looked_at};

#[test]
fn every_third_wrong_one_locks_longer() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 111111 times 4
         10:14:59  191…001 gives 1 to 191…002
         10:15  191…001 gives 1 to 191…002 password 111111 times 3
         11:14:59  191…001 gives 1 to 191…002
         11:15  191…001 gives 1 to 191…002 password 111111 times 3
         2020-02-02 11:14:59  191…001 gives 1 to 191…002
         2020-02-02 11:15  191…001 gives 1 to 191…002 password 111111 times 3
         2020-02-03 11:15  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…002 password 111111 times 3",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 11:15:00
            refused: locked, until 2020-02-01 11:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-02 11:15:00
            refused: locked, until 2020-02-02 11:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 11:15:00
            given 1, 999 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 11:30:00
        "#]],
    );
}

#[test]
fn a_right_one_starts_over() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 111111 times 2
         191…001 asks balance
         191…001 gives 1 to 191…002 password 111111 times 2
         191…001 gives ? to 191…002
         191…001 gives 1 to 191…002 password 111111 times 3
         10:15  191…001 gives 1 to 191…002
         191…001 gives 1 to 191…002 password 111111 times 3",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            card 1 1000; may send anything; airtime 0
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: amount-malformed
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            given 1, 999 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:30:00
        "#]],
    );
}

#[test]
fn a_malformed_one_is_a_wrong_one() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 48291
         191…001 tops up 1 password 4829130
         191…001 freezes password 48291a",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn dials_during_a_lock_are_neither_checked_nor_counted() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 asks balance password 111111 times 3
         191…001 asks balance times 2
         191…001 asks balance password 111111 times 5
         191…001 binds card-1
         191…001 changes 482913 to 730164
         191…001 freezes
         191…001 undoes
         191…001 asks history
         191…001 tops up 1
         10:15  191…001 asks balance",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            card 1 1000; may send anything; airtime 0
        "#]],
    );
}

#[test]
fn a_link_locks_itself_only() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 111111 over 2 times 4
         191…001 gives 1 to 191…002 over 1
         191…001 gives 1 to 191…002 password 111111 over 1
         191…001 gives 1 to 191…002 over 2",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            given 1, 999 left
            refused: wrong-password, 2 left
            refused: locked, until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn care_unlocks_every_link() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  care unlocks 191…001
         191…001 asks balance password 111111 over 2 times 3
         191…001 asks balance password 111111 over 1 times 1
         care unlocks 191…001
         care unlocks 191…001
         191…001 asks balance over 2
         191…001 asks balance password 111111 over 1 times 3
         191…001 asks balance password 111111 over 2 times 3",
        expect![[r#"
            refused: nothing-to-change
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            subscriber changed
            refused: nothing-to-change
            card 1 1000; may send anything; airtime 0
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn wrong_ones_at_binding_and_at_giving_count_together() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         test issues 500
         2020-02-01 10:00  191…001 binds card-2 password 111111
         191…001 gives 1 to 191…002 password 111111
         191…001 binds card-9
         191…001 gives 1 to 191…002",
        expect![[r#"
            issued 1 from card 2
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
        "#]],
    );
}

#[test]
fn nobody_elses_card_is_counted_against() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         191…002 has a card with 1000 password 730164
         2020-02-01 10:00  191…001 gives 1 to 191…002 password 730164 times 4
         191…002 gives 1 to 191…001 password 730164",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: locked, until 2020-02-01 10:15:00
            given 1, 999 left
        "#]],
    );
}

#[test]
fn wrong_ones_are_forgotten_two_days_after_the_latest() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…003 password 111111 times 2
         191…002 gives 1 to 191…003 password 111111 times 2
         2020-02-03 09:59:59  191…001 gives 1 to 191…003 password 111111
         2020-02-03 10:00  191…002 gives 1 to 191…003 password 111111 times 3",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 10:14:59
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 10:15:00
        "#]],
    );
}

#[test]
fn how_often_somebody_was_locked_is_forgotten_two_days_after_the_end() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…003 password 111111 times 3
         191…002 gives 1 to 191…003 password 111111 times 3
         2020-02-03 10:14:59  191…001 gives 1 to 191…003 password 111111 times 3
         2020-02-03 10:15  191…002 gives 1 to 191…003 password 111111 times 3",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-01 10:15:00
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 11:14:59
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, locked until 2020-02-03 10:30:00
        "#]],
    );
}

/// The same count is written again once the first is over: it counts from the later try, at that very instant and after it.
#[test]
fn a_wrong_one_after_all_is_forgotten_counts_from_itself() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         191…002 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…003 password 111111
         2020-02-01 11:00  191…002 gives 1 to 191…003 password 111111
         2020-02-03 10:00  191…001 gives 1 to 191…003 password 111111 times 2
         2020-02-03 12:00  191…002 gives 1 to 191…003 password 111111 times 2",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: wrong-password, 2 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
            refused: wrong-password, 2 left
            refused: wrong-password, 1 left
        "#]],
    );
}

/// However somebody spaces their tries, forgetting gives them no more of them than not forgetting does.
#[test]
fn waiting_until_it_is_forgotten_wins_no_tries() {
    const HOUR_S: i64 = 3_600;
    let lasts = |level: usize| [HOUR_S / 4, HOUR_S, 24 * HOUR_S][level.min(2)];
    // Tries until `end`: three at each lock's end, after some of which it is waited until all is forgotten.
    fn most(now: i64, level: usize, end: i64, lasts: &dyn Fn(usize) -> i64, forgets: bool) -> usize {
        if now >= end {
            return 0;
        }
        let free = now + lasts(level);
        let goes_on = most(free, level + 1, end, lasts, forgets);
        let waits = if forgets { most(free + Lock::KEPT_S, 0, end, lasts, forgets) } else { 0 };
        3 + goes_on.max(waits)
    }
    for days in 1..=15 {
        let end = days * 24 * HOUR_S;
        assert_eq!(most(0, 0, end, &lasts, true), most(0, 0, end, &lasts, false), "in {days} days");
    }
}

/// So many people who have a card each.
fn with_cards(people: u32) -> Stage {
    let lines = (1..=people).map(|n| format!("\n191…{n:03} has a card with 1000"));
    play(&std::iter::once(String::from("test from 2020-01-01")).chain(lines).collect::<String>())
}

#[test]
fn locks_that_are_over_are_swept_away() {
    let mut stage = with_cards(20);
    for n in 1..=20 {
        stage.line(&format!("2020-02-01 10:00  191…{n:03} gives 1 to 191…001 password 111111 over {}", n % 3 + 1), &[]);
    }
    assert_eq!(stage.world.state.locks().count(), 20);
    // A released number's row goes like all others.
    stage.line("care releases 191…001", &[]);
    for (n, left) in (2..=11).zip((1..=19).rev().step_by(2)) {
        stage.line(&format!("2020-02-04 10:00  191…{n:03} gives 1 to 191…001 password 111111 over 9"), &[]);
        let state = &stage.world.state;
        let over = state.locks().filter(|(.., lock)| lock.over_at() <= state.at()).count();
        assert!(over <= left, "{over} are over after {n}");
    }
    let who = crate::ids::SubscriberId(3);
    let of_one: Vec<_> = stage.world.state.locks_of(who).collect();
    assert_eq!(of_one.len(), 1, "{of_one:?}");
}

/// What is over counts nothing, also while its row still stands there.
#[test]
fn there_is_nothing_to_unlock_after_two_days() {
    check(
        "test from 2020-01-01
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 1 to 191…003 password 111111 times 1
         2020-02-03 10:00  care unlocks 191…001",
        expect![[r#"
            refused: wrong-password, 2 left
            refused: nothing-to-change
        "#]],
    );
}

/// Everybody waits for the decider: nobody's lock is found by looking at others'.
#[test]
fn nobody_is_kept_by_others_locks() {
    let mut stage = with_cards(300);
    let mut most = 0;
    let mut looked = |stage: &mut Stage, line: &str| {
        let before = locks_looked_at();
        stage.line(line, &[]);
        most = most.max(locks_looked_at() - before);
    };
    for n in 1..=300 {
        looked(&mut stage, &format!("2020-02-01 10:00  191…{n:03} gives 1 to 191…001 password 111111 times 3"));
    }
    looked(&mut stage, "care unlocks 191…150");
    looked(&mut stage, "191…150 gives 1 to 191…001");
    // All are over now: each wrong one sweeps some away, and looks at no more than those.
    looked(&mut stage, "2020-03-01 10:00  191…299 gives 1 to 191…001 password 111111");
    assert!(most < 40, "{most} rows were looked at for one line, of 300");
    let before = locks_looked_at();
    assert_eq!(stage.world.state.locks().count(), 297);
    assert_eq!(locks_looked_at() - before, 297, "they are counted");
}
