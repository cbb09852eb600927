//! Amounts, fees, tax, what must stay, what may come in, and the edges of `i64`.

use expect_test::expect;

use super::check;

#[test]
fn amounts_have_bounds_and_a_step() {
    check(
        "test from 2020-01-01
         | amount_min = 20
         | amount_max = 500
         | amount_step = 10
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 10 to 191…002
         191…001 gives 19 to 191…002
         191…001 gives 25 to 191…002
         191…001 gives 501 to 191…002
         191…001 gives ? to 191…002
         191…001 gives 20 to 191…002
         191…001 gives 500 to 191…002
         191…001 tops up 10
         191…001 tops up 510
         191…001 tops up 25
         191…001 tops up ?
         191…001 tops up 30",
        expect![[r#"
            refused: amount-below-minimum, 20
            refused: amount-below-minimum, 20
            refused: amount-off-step, 10
            refused: amount-above-maximum, 500
            refused: amount-malformed
            given 20, 980 left
            given 500, 480 left
            refused: amount-below-minimum, 20
            refused: amount-above-maximum, 500
            refused: amount-off-step, 10
            refused: amount-malformed
            topped up 30, 450 left, airtime 30
        "#]],
    );
}

#[test]
fn fee_in_tiers_with_tax_rounded_in_the_operators_favour() {
    check(
        "test from 2020-01-01
         | gift_fee = { tax_basis_points = 1000, tiers = [{ up_to = 100, flat = 1 }, { basis_points = 250 }] }
         | top_up_fee = { basis_points = 1 }
         191…001 has a card with 10000
         2020-02-01 10:00  191…001 gives 100 to 191…002
         191…001 gives 101 to 191…002
         191…001 gives 1000 to 191…002
         191…001 tops up 100
         191…001 gives 8597 to 191…002
         191…001 gives 8300 to 191…002",
        expect![[r#"
            given 100 for a fee of 2, 9898 left
            given 101 for a fee of 4, 9793 left
            given 1000 for a fee of 28, 8765 left
            topped up 100 for a fee of 1, 8664 left, airtime 100
            refused: insufficient-funds, short by 170
            given 8300 for a fee of 229, 135 left
        "#]],
    );
}

#[test]
fn a_card_covers_amount_fee_tax_and_what_must_stay() {
    check(
        "test from 2020-01-01
         | gift_fee = { flat = 10, tax_basis_points = 5000 }
         | residual_min = 20
         191…001 has a card with 136
         2020-02-01 10:00  191…001 gives 102 to 191…002
         191…001 gives 101 to 191…002
         191…001 gives 1 to 191…002
         191…001 tops up 1",
        expect![[r#"
            refused: insufficient-funds, short by 1
            given 101 for a fee of 15, 20 left
            refused: insufficient-funds, short by 16
            refused: insufficient-funds, short by 1
        "#]],
    );
}

#[test]
fn a_recipients_airtime_has_a_maximum() {
    check(
        "test from 2020-01-01
         | recipient_balance_max = 100
         191…001 has a card with 1000
         2020-02-01 10:00  191…001 gives 60 to 191…002
         191…001 gives 41 to 191…002
         191…001 gives 40 to 191…002
         191…001 gives 1 to 191…002
         191…001 tops up 101
         191…001 tops up 100
         191…001 tops up 1
         test loads
         | recipient_balance_max = 50
         191…001 gives 1 to 191…002",
        expect![[r#"
            given 60, 940 left
            refused: recipient-balance-max, room for 40
            given 40, 900 left
            refused: recipient-balance-max, room for 0
            refused: recipient-balance-max, room for 100
            topped up 100, 800 left, airtime 100
            refused: recipient-balance-max, room for 0
            rules loaded
            refused: recipient-balance-max, room for 0
        "#]],
    );
}

#[test]
fn several_cards_and_no_splitting() {
    check(
        "test from 2020-01-01
         191…001 has a card with 100
         191…001 has a card with 100 password 730164
         2020-02-01 10:00  191…001 gives 150 to 191…002
         191…001 gives 100 to 191…002 password 730164
         191…001 gives 1 to 191…002 password 730164
         191…001 asks balance",
        expect![[r#"
            refused: insufficient-funds, short by 50
            given 100, 0 left
            refused: insufficient-funds, short by 1
            card 1 100, card 2 0; may send anything; airtime 0
        "#]],
    );
}

#[test]
fn an_issue_that_leaves_i64_is_refused_whole() {
    check(
        "test from 2020-01-01
         | amount_max = 9223372036854775807
         191…009 is nobody yet
         test issues 9223372036854775807
         test issues 1
         test issues 5 9223372036854775807
         test imports 191…009 with 1
         191…001 binds card-1
         191…001 tops up 9223372036854775807
         191…001 asks balance
         test issues 1",
        expect![[r#"
            issued 1 from card 1
            issued 1 from card 2
            refused: amount-overflow
            refused: amount-overflow
            card 1 bound, 9223372036854775807 on it
            topped up 9223372036854775807, 0 left, airtime 9223372036854775807
            card 1 0; may send anything; airtime 9223372036854775807
            refused: amount-overflow
        "#]],
    );
}

#[test]
fn an_airtime_account_never_leaves_i64() {
    // One operator alone can't bring this about: all airtime is issued, and issuance is bounded first.
    check(
        "test from 2020-01-01
         | amount_max = 9223372036854775807
         | gift_fee = { basis_points = 10000 }
         191…009 is nobody yet
         191…001 has a card with 9223372036854775806
         test imports 191…009 with 1
         191…001 gives 9223372036854775807 to 191…009
         191…001 gives 4611686018427387904 to 191…009
         191…001 gives 4611686018427387903 to 191…009",
        expect![[r#"
            imported 1 new, 0 changed
            refused: recipient-balance-max, room for 9223372036854775806
            refused: amount-overflow
            given 4611686018427387903 for a fee of 4611686018427387903, 0 left
        "#]],
    );
}

#[test]
fn two_operators_do_not_mix() {
    check(
        "koryolink from 2020-06-08
         kangsong from 2020-06-08
         191…001 has a card with 1000
         195…001 has a card with 1000
         2020-06-08 10:00  191…001 gives 100 to 195…001
         191…001 gives 100 to 191…002 via kangsong
         191…001 gives 100 to 195…001 via kangsong
         195…001 gives 100 to 195…002
         191…001 gives 100 to 191…002
         kangsong issues 100
         191…001 binds card-3
         195…002 binds card-3 via koryolink
         195…002 binds card-3
         191…001 asks balance
         195…001 asks balance",
        expect![[r#"
            refused: recipient-elsewhere
            refused: caller-unknown
            refused: caller-unknown
            given 100, 900 left
            given 100, 900 left
            issued 1 from card 3
            refused: wrong-password, 2 left
            refused: caller-unknown
            card 3 bound, 100 on it
            card 1 900; may send 0; airtime 0
            card 2 900; may send 0; airtime 0
        "#]],
    );
}

#[test]
fn minor_digits_count_in_minor_units() {
    check(
        "test from 2020-01-01
         | digits 2
         | amount_step = \"0.50\"
         | gift_fee = { basis_points = 150 }
         191…001 has a card with 10000
         2020-02-01 10:00  191…001 gives 100 to 191…002
         191…001 gives 150 to 191…002
         191…001 gives 550 to 191…002",
        expect![[r#"
            given 100 for a fee of 2, 9898 left
            given 150 for a fee of 3, 9745 left
            given 550 for a fee of 9, 9186 left
        "#]],
    );
}
