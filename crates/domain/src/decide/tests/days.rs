//! Days: when they begin and end, and which rules hold on them.

use expect_test::expect;

use super::check;

#[test]
fn one_gift_a_day() {
    check(
        "koryolink from 2020-06-08: one gift a day, at most 500
         191…001 has a card with 1000
         2020-06-08 23:59  191…001 gives 500 to 191…002
         2020-06-08 23:59  191…001 gives 100 to 191…002
         2020-06-09 00:00  191…001 gives 100 to 191…002",
        expect![[""]],
    );
}
