//! How airtime gifting works elsewhere: each operator's shape can be said in a profile, its dial string
//! reads to the right request, its fee and limits come out right. Shapes, not today's tariffs.

use super::parse;
use crate::money::Amount;
use crate::rules::dial::{Form, Request};
use crate::rules::limit::{Kind, Measure, Subject, Window};
use crate::rules::{Period, Rules};

/// One operator's shape: what its profile says, and what must come of it.
struct Shape {
    operator: &'static str,
    service_code: u16,
    /// Country code, national prefix, digits of a national number.
    numbers: (&'static str, &'static str, u8),
    minor_digits: u8,
    gift: &'static str,
    /// Keys of the period and its limits.
    period: &'static str,
    /// What is dialled after the service code, and the amount, recipient, password and occasion it reads as.
    dials: &'static [(&'static str, [&'static str; 4])],
    /// Whole units of a gift, and fee and tax in minor units.
    fees: &'static [(i64, i64, i64)],
    /// Name, kind, subject, measure, ceiling (minor units or count), window.
    limits: &'static [(&'static str, Kind, Subject, Measure, i64, Window)],
}

impl Shape {
    fn rules(&self) -> Rules {
        let (country_code, prefix, digits) = self.numbers;
        let profile = format!(
            r#"
operator = "{}"
display_names = {{ en = "{}" }}
service_code = {}
zone = "UTC"
languages = ["en"]
[unit]
names = {{ en = "unit" }}
minor_digits = {}
[numbers]
country_code = "{country_code}"
ranges = [{{ prefix = "{prefix}", digits = {digits} }}]
[dial]
gift = "{}"
[tariff]
minute_price = 1
[[period]]
name = "shape"
from = 2024-01-01
{}"#,
            self.operator, self.operator, self.service_code, self.minor_digits, self.gift, self.period
        );
        parse(&profile).unwrap_or_else(|error| panic!("{}: {error}", self.operator))
    }

    fn check(&self) -> Period {
        let rules = self.rules();
        for (dialled, expected) in self.dials {
            let fields: Vec<&str> = dialled.split('*').collect();
            let Some(Request::Give { amount, recipient, password, occasion }) =
                rules.dial.read(Form::Activation, &fields)
            else {
                panic!("{}: {dialled} is no gift", self.operator)
            };
            let read = [amount, recipient, password.unwrap_or("-"), occasion.unwrap_or("-")];
            assert_eq!(read, *expected, "{}: {dialled}", self.operator);
            assert!(rules.numbers.is_own(rules.numbers.parse(recipient).expect("a number")), "{}", self.operator);
        }
        let period = rules.periods.into_iter().next().expect("a period");
        for (units, fee_minor, tax_minor) in self.fees {
            let amount = Amount::try_new(units * rules.unit.minor_per_unit()).expect("positive");
            let charged = period.gift_fee.charge(amount).expect("a fee");
            assert_eq!((charged.fee_minor, charged.tax_minor), (*fee_minor, *tax_minor), "{}: {units}", self.operator);
        }
        let limits: Vec<_> = period
            .limits
            .iter()
            .map(|l| (l.name.as_str(), l.kind, l.subject, l.measure, l.ceiling, l.window))
            .collect();
        assert_eq!(limits, self.limits, "{}", self.operator);
        period
    }
}

/// A limit in a profile.
macro_rules! limit {
    ($name:literal, $subject:literal, $measure:literal, $ceiling:literal, $window:literal) => {
        concat!(
            "\n[[period.limit]]\nname = \"",
            $name,
            "\"\nkind = \"gift\"\nsubject = \"",
            $subject,
            "\"\nmeasure = \"",
            $measure,
            "\"\nceiling = ",
            $ceiling,
            "\nwindow = ",
            $window
        )
    };
}

const DAY: Window = Window::BusinessDay;
const MONTH: Window = Window::CalendarMonth;

#[test]
fn safaricom() {
    let period = Shape {
        operator: "safaricom",
        service_code: 140,
        numbers: ("254", "7", 9),
        minor_digits: 2,
        gift: "AMOUNT*RECIPIENT",
        period: concat!(
            "amount_min = 5\namount_max = 10000\nresidual_min = 5",
            limit!("total-a-day", "sender", "total", "10000", "\"business-day\"")
        ),
        dials: &[("100*712345678", ["100", "712345678", "-", "-"])],
        fees: &[(5, 0, 0), (10_000, 0, 0)],
        limits: &[("total-a-day", Kind::Gift, Subject::Sender, Measure::Total, 1_000_000, DAY)],
    }
    .check();
    assert_eq!((period.amount_min.minor(), period.amount_step.minor(), period.residual_min_minor), (500, 100, 500));
}

#[test]
fn safaricom_number_first() {
    Shape {
        operator: "safaricom",
        service_code: 140,
        numbers: ("254", "7", 9),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT",
        period: "amount_max = 10000",
        dials: &[("712345678*100", ["100", "712345678", "-", "-"])],
        fees: &[],
        limits: &[],
    }
    .check();
}

#[test]
fn mtn_nigeria() {
    let period = Shape {
        operator: "mtn-ng",
        service_code: 600,
        numbers: ("234", "803", 10),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT*PASSWORD",
        period: concat!(
            "amount_min = 50\namount_max = 5000",
            "\ngift_fee = { tiers = [{ up_to = 200, flat = 10 }, { up_to = 1000, flat = 20 }, { flat = 50 }] }",
            limit!("total-a-day", "sender", "total", "100000", "\"business-day\"")
        ),
        dials: &[
            ("8031234567*500*482913", ["500", "8031234567", "482913", "-"]),
            ("2348031234567*500", ["500", "2348031234567", "-", "-"]),
            ("8031234567*500*482913*2", ["500", "8031234567", "482913", "2"]),
        ],
        fees: &[(50, 1_000, 0), (200, 1_000, 0), (201, 2_000, 0), (1_000, 2_000, 0), (5_000, 5_000, 0)],
        limits: &[("total-a-day", Kind::Gift, Subject::Sender, Measure::Total, 10_000_000, DAY)],
    }
    .check();
    assert_eq!((period.amount_min.minor(), period.amount_max.minor()), (5_000, 500_000));
}

#[test]
fn nine_mobile() {
    Shape {
        operator: "9mobile",
        service_code: 223,
        numbers: ("234", "809", 10),
        minor_digits: 2,
        gift: "PASSWORD*AMOUNT*RECIPIENT",
        period: "amount_max = 5000\ngift_fee = { flat = \"0.50\" }",
        dials: &[
            ("482913*500*8091234567", ["500", "8091234567", "482913", "-"]),
            ("500*8091234567", ["500", "8091234567", "-", "-"]),
        ],
        fees: &[(1, 50, 0), (5_000, 50, 0)],
        limits: &[],
    }
    .check();
}

#[test]
fn e_and_uae() {
    Shape {
        operator: "e-and-uae",
        service_code: 100,
        numbers: ("971", "50", 9),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT*PASSWORD",
        period: concat!(
            "amount_min = 2\namount_max = 150\ngift_fee = { basis_points = 500, tax_basis_points = 500 }",
            limit!("total-a-day", "sender", "total", "150", "\"business-day\""),
            limit!("total-a-month", "sender", "total", "500", "\"calendar-month\"")
        ),
        dials: &[
            ("501234567*50", ["50", "501234567", "-", "-"]),
            ("501234567*50*482913", ["50", "501234567", "482913", "-"]),
        ],
        // 5 % of 2.00 is 0.10; 5 % of that is half a fils, in the operator's favour.
        fees: &[(2, 10, 1), (20, 100, 5), (150, 750, 38)],
        limits: &[
            ("total-a-day", Kind::Gift, Subject::Sender, Measure::Total, 15_000, DAY),
            ("total-a-month", Kind::Gift, Subject::Sender, Measure::Total, 50_000, MONTH),
        ],
    }
    .check();
}

#[test]
fn digicel() {
    Shape {
        operator: "digicel",
        service_code: 128,
        numbers: ("1", "876", 10),
        minor_digits: 2,
        gift: "AMOUNT*RECIPIENT",
        period: concat!(
            "amount_min = 15\namount_max = 20000\ngift_fee = { flat = 5 }",
            limit!("total-a-day", "sender", "total", "20000", "\"business-day\""),
            limit!("ten-a-day", "sender", "count", "10", "\"business-day\""),
            limit!("received-a-day", "recipient", "total", "50000", "\"business-day\"")
        ),
        dials: &[
            ("100*8761234567", ["100", "8761234567", "-", "-"]),
            ("100*18761234567", ["100", "18761234567", "-", "-"]),
        ],
        fees: &[(15, 500, 0), (20_000, 500, 0)],
        limits: &[
            ("total-a-day", Kind::Gift, Subject::Sender, Measure::Total, 2_000_000, DAY),
            ("ten-a-day", Kind::Gift, Subject::Sender, Measure::Count, 10, DAY),
            ("received-a-day", Kind::Gift, Subject::Recipient, Measure::Total, 5_000_000, DAY),
        ],
    }
    .check();
}

#[test]
fn globe() {
    // Dialled here what is sent by SMS there; the fee is what counts.
    Shape {
        operator: "globe",
        service_code: 143,
        numbers: ("63", "917", 10),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT*PASSWORD",
        period: "amount_max = 1000\ngift_fee = { flat = 1 }",
        dials: &[("9171234567*20*482913", ["20", "9171234567", "482913", "-"])],
        fees: &[(1, 100, 0), (1_000, 100, 0)],
        limits: &[],
    }
    .check();
}

#[test]
fn telkomsel() {
    let period = Shape {
        operator: "telkomsel",
        service_code: 858,
        numbers: ("62", "811", 10),
        minor_digits: 0,
        gift: "RECIPIENT*AMOUNT",
        period: concat!(
            "amount_min = 5000\namount_max = 1000000\nage_days_min = 3",
            limit!("count-a-day", "sender", "count", "250", "\"business-day\""),
            limit!("total-a-day", "sender", "total", "10000000", "\"business-day\"")
        ),
        dials: &[("8111234567*5000", ["5000", "8111234567", "-", "-"])],
        fees: &[(5_000, 0, 0)],
        limits: &[
            ("count-a-day", Kind::Gift, Subject::Sender, Measure::Count, 250, DAY),
            ("total-a-day", Kind::Gift, Subject::Sender, Measure::Total, 10_000_000, DAY),
        ],
    }
    .check();
    assert_eq!(period.age_days_min, 3);
}

#[test]
fn vodafone_india() {
    let period = Shape {
        operator: "vodafone-in",
        service_code: 131,
        numbers: ("91", "98", 10),
        minor_digits: 2,
        gift: "AMOUNT*RECIPIENT",
        period: concat!(
            "amount_max = 100\nage_days_min = 90",
            "\ngift_fee = { tiers = [{ up_to = 10, flat = 2 }, { up_to = 50, flat = 3 }, { basis_points = 1000 }] }",
            limit!("one-sent-a-day", "sender", "count", "1", "\"business-day\""),
            limit!("three-received-a-day", "recipient", "count", "3", "{ days = 1 }")
        ),
        dials: &[
            ("50*9812345678", ["50", "9812345678", "-", "-"]),
            ("50*919812345678", ["50", "919812345678", "-", "-"]),
        ],
        fees: &[(10, 200, 0), (11, 300, 0), (50, 300, 0), (51, 510, 0), (100, 1_000, 0)],
        limits: &[
            ("one-sent-a-day", Kind::Gift, Subject::Sender, Measure::Count, 1, DAY),
            ("three-received-a-day", Kind::Gift, Subject::Recipient, Measure::Count, 3, Window::Days(1)),
        ],
    }
    .check();
    assert_eq!(period.age_days_min, 90);
}

#[test]
fn vodafone_ukraine() {
    let period = Shape {
        operator: "vodafone-ua",
        service_code: 150,
        numbers: ("380", "50", 9),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT",
        period: concat!(
            "amount_min = 1\namount_max = 500\nresidual_min = 1",
            "\ngift_fee = { tiers = [{ up_to = 50, flat = 3 }, { basis_points = 600 }] }",
            limit!("fifty-a-day", "sender", "count", "50", "\"business-day\"")
        ),
        dials: &[
            ("501234567*100", ["100", "501234567", "-", "-"]),
            ("380501234567*100", ["100", "380501234567", "-", "-"]),
        ],
        fees: &[(1, 300, 0), (50, 300, 0), (51, 306, 0), (100, 600, 0), (500, 3_000, 0)],
        limits: &[("fifty-a-day", Kind::Gift, Subject::Sender, Measure::Count, 50, DAY)],
    }
    .check();
    assert_eq!(period.residual_min_minor, 100);
}

#[test]
fn econet() {
    let period = Shape {
        operator: "econet",
        service_code: 151,
        numbers: ("263", "77", 9),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT*PASSWORD",
        period: concat!(
            "amount_min = 1\namount_max = 20",
            limit!("total-a-day", "sender", "total", "20", "\"business-day\"")
        ),
        dials: &[("771234567*5*482913", ["5", "771234567", "482913", "-"])],
        fees: &[(20, 0, 0)],
        limits: &[("total-a-day", Kind::Gift, Subject::Sender, Measure::Total, 2_000, DAY)],
    }
    .check();
    assert_eq!((period.amount_min.minor(), period.amount_max.minor()), (100, 2_000));
}

#[test]
fn cellcard() {
    Shape {
        operator: "cellcard",
        service_code: 133,
        numbers: ("855", "12", 8),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT*PASSWORD",
        period: "amount_max = 50",
        dials: &[
            ("12345678*5*482913", ["5", "12345678", "482913", "-"]),
            ("85512345678*5*482913*1", ["5", "85512345678", "482913", "1"]),
        ],
        fees: &[],
        limits: &[],
    }
    .check();
}

#[test]
fn mobilis() {
    Shape {
        operator: "mobilis",
        service_code: 661,
        numbers: ("213", "66", 9),
        minor_digits: 2,
        gift: "RECIPIENT*AMOUNT*PASSWORD",
        period: concat!(
            "amount_max = 500\ngift_fee = { flat = 10 }",
            limit!("three-a-day", "sender", "count", "3", "\"business-day\"")
        ),
        dials: &[("661234567*100*482913", ["100", "661234567", "482913", "-"])],
        fees: &[(1, 1_000, 0), (500, 1_000, 0)],
        limits: &[("three-a-day", Kind::Gift, Subject::Sender, Measure::Count, 3, DAY)],
    }
    .check();
}
