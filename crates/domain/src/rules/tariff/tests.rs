use super::{Charged, Fee, FeeOverflow, FeeTier, PriceOverflow, Ratio, Tariff};
use crate::money::Amount;
use proptest::prelude::{any, prop_assert, proptest};

fn amount(minor: i64) -> Amount {
    Amount::try_new(minor).expect("positive")
}

fn tariff(minute_price: i64) -> Tariff {
    Tariff { minute_price: amount(minute_price), cross_network: Ratio::try_new(3, 2).expect("a ratio") }
}

fn flat(flat_minor: i64, basis_points: u32) -> Fee {
    Fee { tiers: vec![FeeTier { up_to: None, flat_minor, basis_points }], tax_basis_points: 0 }
}

#[test]
fn five_hundred_won_are_two_hours_and_five_minutes() {
    assert_eq!(tariff(4).minutes(500), 125);
    assert_eq!(tariff(4).minutes(503), 125, "a minute that isn't paid in full is not promised");
    assert_eq!(tariff(4).minutes(3), 0);
    assert_eq!(tariff(4).minutes(0), 0);
    assert_eq!(tariff(4).minutes(-500), 0);
}

#[test]
fn each_minute_begun_is_paid_in_full() {
    let table = [(0, 0, 0), (1, 4, 6), (60, 4, 6), (61, 8, 12), (7_500, 500, 750)];
    for (seconds, own, cross) in table {
        assert_eq!(tariff(4).price(seconds, false), Ok(own), "{seconds}");
        assert_eq!(tariff(4).price(seconds, true), Ok(cross), "{seconds}");
    }
    assert_eq!(tariff(3).price(60, true), Ok(5), "4.5 in the operator's favour");
}

#[test]
fn no_price_and_too_large_a_price_are_not_the_same() {
    assert_eq!(tariff(i64::MAX).price(0, true), Ok(0));
    assert_eq!(tariff(i64::MAX).price(60, false), Ok(i64::MAX));
    assert_eq!(tariff(i64::MAX).price(60, true), Err(PriceOverflow));
    assert_eq!(tariff(i64::MAX).price(61, false), Err(PriceOverflow));
    assert_eq!(tariff(1).price(u64::MAX, false), Err(PriceOverflow));
    assert!(Ratio::try_new(0, 1).is_none() && Ratio::try_new(1, 0).is_none());
}

#[test]
fn free_is_free_and_too_large_is_not() {
    assert_eq!(Fee::free().charge(amount(i64::MAX)), Ok(Charged::default()));
    assert_eq!(flat(0, 1).charge(amount(1)).map(|charged| charged.fee_minor), Ok(1), "rounds up, never away");
    assert_eq!(flat(1, 10_000).charge(amount(i64::MAX)), Err(FeeOverflow));
    let taxed = Fee { tax_basis_points: 1, ..flat(0, 10_000) };
    assert_eq!(taxed.charge(amount(i64::MAX)), Err(FeeOverflow));
    assert_eq!(flat(0, 20_000).charge(amount(i64::MAX)), Err(FeeOverflow));
}

#[test]
fn a_share_with_tax_on_the_fee() {
    let fee = Fee { tax_basis_points: 500, ..flat(0, 500) };
    let charged = fee.charge(amount(150)).expect("a fee");
    assert_eq!(charged, Charged { fee_minor: 8, tax_minor: 1 }); // 7.5 and 0.4, both up
    assert_eq!(charged.total_minor(), 9);
}

#[test]
fn tiers_hold_up_to_their_end_and_the_last_for_the_rest() {
    let tier =
        |up_to: Option<i64>, flat_minor, basis_points| FeeTier { up_to: up_to.map(amount), flat_minor, basis_points };
    let fee = Fee { tiers: vec![tier(Some(50), 3, 0), tier(None, 0, 600)], tax_basis_points: 0 };
    for (value, expected) in [(1, 3), (50, 3), (51, 4), (100, 6), (500, 30)] {
        assert_eq!(fee.charge(amount(value)).map(Charged::total_minor), Ok(expected), "{value}");
    }
    let gap = Fee { tiers: vec![tier(Some(50), 3, 0)], tax_basis_points: 0 };
    assert_eq!(gap.charge(amount(51)).map(Charged::total_minor), Ok(3), "a gap never waives a fee");
}

proptest! {
    #[test]
    fn a_fee_is_never_less_than_its_share(value in 1..=i64::MAX, flat_minor in 0..=i64::MAX, basis_points in 0..=10_000_u32, tax in 0..=10_000_u32) {
        let fee = Fee { tax_basis_points: tax, ..flat(flat_minor, basis_points) };
        if let Ok(Charged { fee_minor, tax_minor }) = fee.charge(amount(value)) {
            let share = i128::from(fee_minor - flat_minor) * 10_000 - i128::from(value) * i128::from(basis_points);
            prop_assert!((0..10_000).contains(&share));
            let tax_left = i128::from(tax_minor) * 10_000 - i128::from(fee_minor) * i128::from(tax);
            prop_assert!((0..10_000).contains(&tax_left));
        }
    }

    #[test]
    fn a_call_of_the_minutes_that_money_buys_costs_no_more(minor in 0..1_000_000_000_i64, price in 1..1_000_i64) {
        let minutes = tariff(price).minutes(minor);
        let seconds = u64::try_from(minutes).expect("not negative") * 60;
        prop_assert!(tariff(price).price(seconds, false).expect("small") <= minor);
    }

    #[test]
    fn any_call_has_a_price_or_none(seconds in any::<u64>(), price in 1..=i64::MAX, cross in any::<bool>()) {
        let _ = tariff(price).price(seconds, cross);
    }
}
