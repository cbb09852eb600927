//! The shape of a profile as TOML writes it: keys, defaults, and where each value stands. Checks are elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{self, Visitor};
use toml::Spanned;
use toml::value::Datetime;

use crate::rules::limit;

/// Texts by language tag.
pub(super) type RawNames = Spanned<BTreeMap<String, Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) operator: Spanned<String>,
    pub(super) display_names: RawNames,
    pub(super) service_code: Spanned<i64>,
    pub(super) zone: Spanned<String>,
    pub(super) languages: Spanned<Vec<Spanned<String>>>,
    pub(super) unit: RawUnit,
    pub(super) numbers: Spanned<RawNumbers>,
    pub(super) dial: RawDial,
    pub(super) tariff: RawTariff,
    #[serde(default)]
    pub(super) standing: RawStanding,
    #[serde(default)]
    pub(super) confirm: RawConfirm,
    #[serde(default)]
    pub(super) menu: RawMenu,
    pub(super) period: Spanned<Vec<Spanned<RawPeriod>>>,
    #[serde(default)]
    pub(super) staff: Vec<Spanned<RawStaff>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUnit {
    pub(super) names: RawNames,
    pub(super) minor_digits: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNumbers {
    pub(super) country_code: Spanned<String>,
    pub(super) trunk_prefix: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) international_prefixes: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) national_digits: Vec<Spanned<u8>>,
    pub(super) display_groups: Option<Spanned<Vec<u8>>>,
    pub(super) ranges: Spanned<Vec<Spanned<RawRange>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRange {
    pub(super) prefix: String,
    pub(super) digits: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDial {
    pub(super) gift: Spanned<String>,
    #[serde(default)]
    pub(super) aliases: bool,
    #[serde(default)]
    pub(super) occasions: Vec<Spanned<String>>,
    pub(super) dials_per_caller_per_min: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTariff {
    pub(super) minute_price: Spanned<Money>,
    pub(super) cross_network: Option<Spanned<String>>,
    pub(super) free_minutes_per_month: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPeriodTariff {
    pub(super) minute_price: Spanned<Money>,
    pub(super) cross_network: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHold {
    pub(super) gifts: RawHeld,
    pub(super) for_s: Spanned<i64>,
}

/// [`Held`](crate::rules::Held) by its public names.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawHeld {
    Never,
    Always,
    NewRecipient,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStaff {
    pub(super) uid: Spanned<i64>,
    pub(super) roles: Spanned<Vec<Spanned<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStanding {
    pub(super) repeat_window_s: Option<Spanned<i64>>,
    pub(super) swap_rest_h: Option<Spanned<i64>>,
    pub(super) card_valid_days: Option<Spanned<i64>>,
    pub(super) quote_valid_s: Option<Spanned<i64>>,
    pub(super) call_reserve_s: Option<Spanned<i64>>,
    pub(super) card_value_max: Option<Spanned<Money>>,
    pub(super) issued_per_day_max: Option<Spanned<Money>>,
    pub(super) subscribers_max: Option<Spanned<i64>>,
    pub(super) cards_max: Option<Spanned<i64>>,
    pub(super) recipient_gifts_per_day: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) first_use: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfirm {
    pub(super) gifts: Option<Spanned<RawConfirmed>>,
    pub(super) above: Option<Spanned<Money>>,
}

/// [`Confirm`](crate::rules::Confirm) by its public names.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawConfirmed {
    Never,
    Always,
    Above,
    NewRecipient,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMenu {
    pub(super) ask_occasion: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPeriod {
    pub(super) name: Spanned<String>,
    pub(super) from: Spanned<Datetime>,
    pub(super) until: Option<Spanned<Datetime>>,
    #[serde(default)]
    pub(super) closed: bool,
    #[serde(default)]
    pub(super) cards_void: bool,
    pub(super) amount_min: Option<Spanned<Money>>,
    pub(super) amount_max: Option<Spanned<Money>>,
    pub(super) amount_step: Option<Spanned<Money>>,
    pub(super) residual_min: Option<Spanned<Money>>,
    pub(super) recipient_balance_max: Option<Spanned<Money>>,
    pub(super) age_days_min: Option<Spanned<i64>>,
    pub(super) refusals_per_day: Option<Spanned<i64>>,
    pub(super) gift_fee: Option<Spanned<RawFee>>,
    pub(super) top_up_fee: Option<Spanned<RawFee>>,
    pub(super) hold: Option<Spanned<RawHold>>,
    pub(super) tariff: Option<RawPeriodTariff>,
    #[serde(default)]
    pub(super) limit: Vec<Spanned<RawLimit>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFee {
    pub(super) flat: Option<Spanned<Money>>,
    pub(super) basis_points: Option<Spanned<i64>>,
    pub(super) tax_basis_points: Option<Spanned<i64>>,
    pub(super) tiers: Option<Spanned<Vec<Spanned<RawFeeTier>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeeTier {
    pub(super) up_to: Option<Spanned<Money>>,
    pub(super) flat: Option<Spanned<Money>>,
    pub(super) basis_points: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimit {
    pub(super) name: Spanned<String>,
    pub(super) kind: RawKind,
    pub(super) subject: Spanned<RawSubject>,
    pub(super) measure: RawMeasure,
    pub(super) ceiling: Spanned<Money>,
    pub(super) window: Spanned<RawWindow>,
    pub(super) from: Option<Spanned<Datetime>>,
    pub(super) until: Option<Spanned<Datetime>>,
}

/// [`limit::Kind`] by its public names.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawKind {
    Gift,
    TopUp,
}

/// [`limit::Subject`] by its public names.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawSubject {
    Sender,
    Recipient,
    Pair,
    Card,
}

/// [`limit::Measure`] by its public names.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawMeasure {
    Count,
    Total,
}

/// [`limit::Window`] by its public names: `"business-day"`, `"calendar-month"`, `{ days = 30 }`.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawWindow {
    BusinessDay,
    CalendarMonth,
    Days(i64),
}

impl From<RawKind> for limit::Kind {
    fn from(kind: RawKind) -> Self {
        match kind {
            RawKind::Gift => Self::Gift,
            RawKind::TopUp => Self::TopUp,
        }
    }
}

impl From<RawSubject> for limit::Subject {
    fn from(subject: RawSubject) -> Self {
        match subject {
            RawSubject::Sender => Self::Sender,
            RawSubject::Recipient => Self::Recipient,
            RawSubject::Pair => Self::Pair,
            RawSubject::Card => Self::Card,
        }
    }
}

impl From<RawMeasure> for limit::Measure {
    fn from(measure: RawMeasure) -> Self {
        match measure {
            RawMeasure::Count => Self::Count,
            RawMeasure::Total => Self::Total,
        }
    }
}

/// Money as written: whole units, or a decimal fraction in quotes. Never a float.
pub(super) enum Money {
    Units(i64),
    Decimal(String),
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MoneyVisitor;

        impl Visitor<'_> for MoneyVisitor {
            type Value = Money;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("whole units (500) or a quoted decimal (\"1.50\")")
            }

            fn visit_i64<E: de::Error>(self, units: i64) -> Result<Money, E> {
                Ok(Money::Units(units))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
                Ok(Money::Decimal(String::from(text)))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Money, E> {
                Err(E::custom(
                    "money is never a float: write whole units (500) or put the decimal in quotes (\"1.50\")",
                ))
            }
        }

        deserializer.deserialize_any(MoneyVisitor)
    }
}
