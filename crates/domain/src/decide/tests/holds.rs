//! Gifts on hold: what they may add up to, and what is looked at again when their time comes.

use expect_test::expect;

use super::check;

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
