use super::{NumberPlan, NumberPlanError, NumberPlanParts, Range, RangeError};
use crate::number::Msisdn;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

fn kp_parts() -> NumberPlanParts {
    NumberPlanParts {
        country_code: "850".into(),
        trunk_prefix: Some("0".into()),
        international_prefixes: vec!["00".into(), "99".into()],
        ranges: ["193", "191", "192"].map(|prefix| (prefix.to_string(), 10)).to_vec(),
        national_digits: vec![10],
        groups: vec![3, 3, 4],
    }
}

fn kp() -> NumberPlan {
    NumberPlan::try_new(kp_parts()).expect("a plan")
}

fn number(digits: u64) -> Msisdn {
    Msisdn::try_new(digits).expect("a number")
}

/// What a text reads as: the digits and whose they are.
fn say(plan: &NumberPlan, text: &str) -> String {
    match plan.parse(text) {
        Ok(msisdn) => format!("{} {}", msisdn.get(), if plan.is_own(msisdn) { "own" } else { "other" }),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_people_type_is_one_number() {
    let typed = ["1912345678", "01912345678", "+8501912345678", "8501912345678", "008501912345678", "998501912345678"];
    for text in typed {
        assert_eq!(say(&kp(), text), "8501912345678 own", "{text}");
    }
}

#[test]
fn other_operators_numbers_parse_and_are_not_own() {
    let table = [
        ("1951234567", "8501951234567 other"),
        ("01951234567", "8501951234567 other"),
        ("+8501951234567", "8501951234567 other"),
        ("9912345678", "8509912345678 other"), // national comes before the international prefix 99
        ("+8613800138000", "8613800138000 other"),
        ("008613800138000", "8613800138000 other"),
        ("998613800138000", "8613800138000 other"),
        ("8613800138000", "8613800138000 other"),
        ("+19123456789", "19123456789 other"), // with + a number abroad may begin with 191
        ("+12345678", "12345678 other"),
    ];
    for (text, expected) in table {
        assert_eq!(say(&kp(), text), expected, "{text}");
    }
}

#[test]
fn slips_and_garbage_are_no_numbers() {
    let texts = [
        "",
        "0",
        "500",
        "482913",
        "+",
        "+482913",
        "191234567",
        "19123456789",
        "0191234567",
        "019123456789", // one digit lost or added
        "850191234567",
        "85019123456789",
        "+850191234567",
        "+85001912345678",
        "00850191234567", // after the country code too
        "12345678",
        "123456789", // too short for a number abroad without +
        "+08501912345678",
        "++8501912345678",
        "191 234 5678",
        "191-234-5678",
        "-1912345678",
        "1912345678 ",
        "191234567x",
        "１９１２３４５６７８",
        "1912345678\0",
        "1.5",
        "18446744073709551616",
        "99999999999999999999999999999999999999999",
    ];
    for text in texts {
        assert_eq!(say(&kp(), text), "not a phone number", "{text}");
    }
}

#[test]
fn numbers_of_zero_to_forty_digits_never_panic_and_are_never_too_long() {
    for len in 0..=40 {
        for digit in ["0", "1", "8", "9"] {
            let text = digit.repeat(len);
            let plausible = kp().parse(&text).is_ok() || kp().parse(&format!("+{text}")).is_ok();
            assert!(!plausible || (8..=19).contains(&len), "{len} times {digit}");
        }
    }
}

#[test]
fn plans_of_other_countries() {
    // Kenya: nine digits, international prefix 000; the trunk prefix begins both.
    let kenya = NumberPlan::try_new(NumberPlanParts {
        country_code: "254".into(),
        trunk_prefix: Some("0".into()),
        international_prefixes: vec!["000".into()],
        ranges: vec![("7".into(), 9), ("1".into(), 9)],
        ..NumberPlanParts::default()
    })
    .expect("a plan");
    for text in ["712345678", "0712345678", "254712345678", "+254712345678", "000254712345678"] {
        assert_eq!(say(&kenya, text), "254712345678 own", "{text}");
    }
    // No trunk prefix: a national number may begin with 0 (Côte d'Ivoire), and 00 is still tried after it.
    let ivory_coast = NumberPlan::try_new(NumberPlanParts {
        country_code: "225".into(),
        international_prefixes: vec!["00".into()],
        ranges: vec![("07".into(), 10)],
        groups: vec![2, 2, 2, 2, 2],
        ..NumberPlanParts::default()
    })
    .expect("a plan");
    for text in ["0712345678", "2250712345678", "002250712345678"] {
        assert_eq!(say(&ivory_coast, text), "2250712345678 own", "{text}");
    }
    assert_eq!(ivory_coast.national(number(2_250_712_345_678)), "07 12 34 56 78");
    // Two lengths: what can be read nationally is never read as country code and a shorter number.
    let two_lengths = NumberPlan::try_new(NumberPlanParts {
        country_code: "20".into(),
        ranges: vec![("2011".into(), 10), ("11".into(), 8)],
        ..NumberPlanParts::default()
    })
    .expect("a plan");
    assert_eq!(say(&two_lengths, "2011123456"), "202011123456 own");
    assert_eq!(say(&two_lengths, "11123456"), "2011123456 own");
}

#[test]
fn shown_as_people_write_them() {
    assert_eq!(kp().national(number(8_501_912_345_678)), "0191 234 5678");
    assert_eq!(kp().national(number(850_212_345_678)), "0212345678", "another length is shown in one piece");
    assert_eq!(kp().national(number(8_613_800_138_000)), "+8613800138000");
    assert_eq!(kp().short(number(8_501_912_345_002)), "191…002");
    assert_eq!(kp().short(number(8_613_800_138_000)), "+861…000");
    assert_eq!(kp().short(number(85_012_345_678)), "…678", "of a short number less is shown");
}

#[test]
fn plausible_means_of_the_country() {
    assert!(kp().plausible("1912345678") && kp().plausible("01951234567") && kp().plausible("+8501912345678"));
    assert!(!kp().plausible("500") && !kp().plausible("+8613800138000") && !kp().plausible("482913"));
}

#[test]
fn own_numbers_have_bounds() {
    let own = |digits| kp().is_own(number(digits));
    assert!(own(8_501_910_000_000) && own(8_501_919_999_999) && own(8_501_939_999_999));
    assert!(!own(8_501_909_999_999) && !own(8_501_940_000_000) && !own(10_000_000) && !own(999_999_999_999_999));
    assert!(!own(850_191_000_000) && !own(85_019_100_000_000), "another length");
}

#[test]
fn two_operators_share_no_number() {
    let with = |prefix: &str| {
        let parts = NumberPlanParts { ranges: vec![(prefix.into(), 10)], ..kp_parts() };
        NumberPlan::try_new(parts).expect("a plan")
    };
    assert!(kp().overlaps(&with("19")) && with("19").overlaps(&kp()) && kp().overlaps(&with("1921")));
    assert!(!kp().overlaps(&with("195")) && !with("190").overlaps(&kp()));
}

#[test]
fn impossible_plans() {
    let with = |change: fn(&mut NumberPlanParts)| {
        let mut parts = kp_parts();
        change(&mut parts);
        NumberPlan::try_new(parts).expect_err("impossible")
    };
    assert_eq!(with(|p| p.country_code = "0850".into()), NumberPlanError::CountryCode);
    assert_eq!(with(|p| p.country_code = "8501".into()), NumberPlanError::CountryCode);
    assert_eq!(with(|p| p.country_code = String::new()), NumberPlanError::CountryCode);
    assert_eq!(with(|p| p.trunk_prefix = Some("x".into())), NumberPlanError::TrunkPrefix);
    assert_eq!(with(|p| p.international_prefixes.push("0".into())), NumberPlanError::InternationalPrefix(2));
    assert_eq!(with(|p| p.ranges.clear()), NumberPlanError::RangeCount);
    assert_eq!(with(|p| p.national_digits.push(13)), NumberPlanError::NationalDigits(1));
    assert_eq!(with(|p| p.groups = vec![3, 3]), NumberPlanError::Groups);
    assert_eq!(with(|p| p.groups = vec![10, 0]), NumberPlanError::Groups);
    let range = |prefix: &str, digits: u8| {
        let mut parts = kp_parts();
        parts.ranges.push((prefix.into(), digits));
        NumberPlan::try_new(parts).expect_err("impossible")
    };
    assert_eq!(range("19x", 10), NumberPlanError::Range(3, RangeError::Digits));
    assert_eq!(range("", 10), NumberPlanError::Range(3, RangeError::Digits));
    assert_eq!(range("12345678901", 10), NumberPlanError::Range(3, RangeError::PrefixTooLong));
    assert_eq!(range("194", 13), NumberPlanError::Range(3, RangeError::Length));
    assert_eq!(range("194", 4), NumberPlanError::Range(3, RangeError::Length));
    assert_eq!(range("0194", 10), NumberPlanError::Range(3, RangeError::Trunk));
    assert_eq!(range("1912", 10), NumberPlanError::Range(3, RangeError::Overlap));
    assert_eq!(range("19", 10), NumberPlanError::Range(3, RangeError::Overlap));
    assert!(Range::try_new("850", "1912345678", 10).is_ok(), "a range of one number");
}

proptest! {
    #[test]
    fn any_text_reads_without_panic(text in any::<String>()) {
        let _ = kp().parse(&text);
        let _ = kp().plausible(&text);
    }

    #[test]
    fn any_number_can_be_shown_and_national_numbers_read_back(digits in 10_000_000_u64..1_000_000_000_000_000) {
        let plan = kp();
        let msisdn = number(digits);
        let last = format!("{:03}", digits % 1000);
        prop_assert!(plan.short(msisdn).ends_with(&last));
        let typed = plan.national(msisdn).replace(' ', "");
        if typed.starts_with('+') {
            prop_assert_eq!(plan.parse(&typed), Ok(msisdn));
        }
    }

    #[test]
    fn own_numbers_read_back_however_shown(line in 0_u64..10_000_000, prefix in 191_u64..=193) {
        let plan = kp();
        let msisdn = number(8_500_000_000_000 + prefix * 10_000_000 + line);
        prop_assert!(plan.is_own(msisdn));
        prop_assert_eq!(plan.parse(&plan.national(msisdn).replace(' ', "")), Ok(msisdn));
    }
}
