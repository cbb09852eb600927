//! An operator's profile: TOML text in, [`Rules`] out, or the line that is wrong and what to do about it.
//!
//! For: `sonmul operator load`, which parses before it sends a command, and tests.
//!
//! Guarantees: rules that come out are whole (see each check); a key that nobody reads, a float, a gap or an overlap
//! between periods is an error; every error names a line. The same text gives the same rules.
//!
//! Bounded by: [`PROFILE_LEN_MAX`], [`PERIODS_MAX`], [`LIMITS_MAX`] and the ceilings of the modules that own the parts.
//!
//! Deliberately not here: files, and what loading does to a running operator (see [`crate::decide`]).

mod bounds;
mod dialogue;
#[cfg(test)]
mod mistakes_tests;
mod office;
#[cfg(test)]
mod office_tests;
mod periods;
mod raw;
#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;
mod values;
mod wrong;

use core::fmt;

use toml::Spanned;

use self::office::{free_minutes, staff};
use self::raw::{RawDial, RawNumbers, RawProfile, RawStanding, RawTariff, RawUnit};
use self::values::{Names, whole_number};
use self::wrong::{Wrong, wrong, wrong_at};
use super::numbers::{NumberPlanError, NumberPlanParts};
use super::{CARD_VALUE_MAX, DialPlan, ISSUED_PER_DAY_MAX, NumberPlan, Rules, Standing, Tariff, Unit, dial};
use crate::ids::Language;
use crate::money::Amount;
use crate::time::Zone;

pub use self::bounds::{
    CALL_RESERVE_S_MAX, DAYS_MAX, DIALS_PER_MIN_MAX, DISPLAY_NAME_LEN_MAX, LIMITS_MAX, MINOR_DIGITS_MAX, NAME_LEN_MAX,
    OCCASIONS_MAX, PERIODS_MAX, PROFILE_LEN_MAX, QUOTE_VALID_S_MAX, REPEAT_WINDOW_S_MAX, ROWS_MAX, STAFF_MAX,
    SWAP_REST_H_MAX,
};

/// What is wrong with a profile, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError {
    /// Counted from 1.
    pub line: usize,
    /// One sentence without the line.
    pub what: String,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl core::error::Error for RulesError {}

/// Reads a profile.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(toml_text: &str) -> Result<Rules, RulesError> {
    if toml_text.len() > PROFILE_LEN_MAX {
        return Err(RulesError { line: 1, what: format!("a profile has at most {PROFILE_LEN_MAX} octets") });
    }
    let profile: RawProfile = toml::from_str(toml_text).map_err(|error| {
        let what = error.message().replace('\n', "; ");
        RulesError { line: line_of(toml_text, error.span().map_or(0, |span| span.start)), what }
    })?;
    rules(profile).map_err(|Wrong { at, what }| RulesError { line: line_of(toml_text, at), what })
}

/// The line, counted from 1, that the octet at this offset stands in.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|octet| *octet == b'\n').count() + 1
}

fn rules(raw: RawProfile) -> Result<Rules, Wrong> {
    let languages = languages(&raw.languages)?;
    let names = Names { languages: &languages };
    let operator = values::name(&raw.operator)?;
    let display_names = names.of(&raw.display_names)?;
    let zone = Zone::parse(raw.zone.get_ref()).map_err(|error| wrong(&raw.zone, error))?;
    let unit = unit(&raw.unit, &names)?;
    let dial = raw.dial;
    let everywhere = periods::recipient_gifts(raw.standing.recipient_gifts_per_day.as_ref())?;
    let periods = periods::periods(&raw.period, &unit, &zone, everywhere.as_ref())?;
    let rules = Rules {
        operator,
        display_names,
        service_code: whole_number(&raw.service_code, 10, 9_999)
            .map_err(|Wrong { at, .. }| Wrong { at, what: SERVICE_CODE.into() })?,
        numbers: numbers(raw.numbers)?,
        tariff: tariff(&raw.tariff, &unit)?,
        standing: Standing {
            confirm: dialogue::confirm(&raw.confirm, &unit, &periods)?,
            ask_occasion: dialogue::ask_occasion(&raw.menu, &dial)?,
            ..standing(&raw.standing, &dial, &unit, languages)?
        },
        periods,
        free_minutes: free_minutes(raw.tariff.free_minutes_per_month.as_ref())?,
        staff: staff(&raw.staff)?,
        dial: dial_plan(&dial)?,
        unit,
        zone,
    };
    Ok(rules)
}

const SERVICE_CODE: &str = "a service code has 2 to 4 digits and does not begin with 0: 10 to 9999";

fn languages(raw: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Language>, Wrong> {
    let mut languages = Vec::with_capacity(Language::ALL.len());
    for tag in raw.get_ref() {
        let spoken = || Language::ALL.map(Language::tag).join(", ");
        let language = Language::from_tag(tag.get_ref())
            .ok_or_else(|| wrong(tag, format!("Sonmul does not speak `{}`; it speaks {}", tag.get_ref(), spoken())))?;
        if languages.contains(&language) {
            return Err(wrong(tag, "this language is there twice: remove one"));
        }
        languages.push(language);
    }
    if languages.is_empty() { Err(wrong(raw, "write at least one language")) } else { Ok(languages) }
}

fn unit(raw: &RawUnit, names: &Names<'_>) -> Result<Unit, Wrong> {
    let minor_digits = values::whole_number_or(raw.minor_digits.as_ref(), 0, 0, i64::from(MINOR_DIGITS_MAX))?;
    Ok(Unit { names: names.of(&raw.names)?, minor_digits })
}

fn numbers(spanned: Spanned<RawNumbers>) -> Result<NumberPlan, Wrong> {
    let whole = spanned.span();
    let raw = spanned.into_inner();
    let parts = NumberPlanParts {
        country_code: raw.country_code.get_ref().clone(),
        trunk_prefix: raw.trunk_prefix.as_ref().map(|prefix| prefix.get_ref().clone()),
        international_prefixes: raw.international_prefixes.iter().map(|prefix| prefix.get_ref().clone()).collect(),
        ranges: raw
            .ranges
            .get_ref()
            .iter()
            .map(|range| (range.get_ref().prefix.clone(), range.get_ref().digits))
            .collect(),
        national_digits: raw.national_digits.iter().map(|digits| *digits.get_ref()).collect(),
        groups: raw.display_groups.as_ref().map(|groups| groups.get_ref().clone()).unwrap_or_default(),
    };
    NumberPlan::try_new(parts).map_err(|error| {
        let span = match error {
            NumberPlanError::CountryCode => Some(raw.country_code.span()),
            NumberPlanError::TrunkPrefix => raw.trunk_prefix.map(|prefix| prefix.span()),
            NumberPlanError::InternationalPrefix(at) => raw.international_prefixes.get(at).map(Spanned::span),
            NumberPlanError::RangeCount => Some(raw.ranges.span()),
            NumberPlanError::Range(at, _) => raw.ranges.get_ref().get(at).map(Spanned::span),
            NumberPlanError::NationalDigits(at) => raw.national_digits.get(at).map(Spanned::span),
            NumberPlanError::Groups => raw.display_groups.map(|groups| groups.span()),
        };
        wrong_at(&span.unwrap_or(whole), error)
    })
}

fn dial_plan(raw: &RawDial) -> Result<DialPlan, Wrong> {
    let gift = dial::Template::parse(raw.gift.get_ref()).map_err(|error| wrong(&raw.gift, error))?;
    Ok(DialPlan { gift, aliases: raw.aliases })
}

fn tariff(raw: &RawTariff, unit: &Unit) -> Result<Tariff, Wrong> {
    office::priced(&raw.minute_price, raw.cross_network.as_ref(), unit)
}

fn occasions(dial: &RawDial) -> Result<Vec<String>, Wrong> {
    let mut occasions: Vec<String> = Vec::with_capacity(dial.occasions.len());
    for occasion in &dial.occasions {
        let name = values::name(occasion)?;
        if occasions.contains(&name) {
            return Err(wrong(occasion, "this occasion is there twice: remove one"));
        }
        if occasions.len() == OCCASIONS_MAX {
            return Err(wrong(occasion, format!("at most {OCCASIONS_MAX} occasions: each is one digit")));
        }
        occasions.push(name);
    }
    Ok(occasions)
}

fn standing(raw: &RawStanding, dial: &RawDial, unit: &Unit, languages: Vec<Language>) -> Result<Standing, Wrong> {
    let occasions = occasions(dial)?;
    let or = values::whole_number_or::<u32>;
    let card_valid_days =
        raw.card_valid_days.as_ref().map(|days| whole_number(days, 1, i64::from(DAYS_MAX))).transpose()?;
    Ok(Standing {
        languages,
        repeat_window_s: or(raw.repeat_window_s.as_ref(), 300, 0, i64::from(REPEAT_WINDOW_S_MAX))?,
        swap_rest_h: or(raw.swap_rest_h.as_ref(), 48, 0, i64::from(SWAP_REST_H_MAX))?,
        card_valid_days,
        first_use: raw.first_use,
        dials_per_caller_per_min: or(dial.dials_per_caller_per_min.as_ref(), 10, 1, i64::from(DIALS_PER_MIN_MAX))?,
        occasions,
        confirm: None,
        ask_occasion: None,
        quote_valid_s: raw.quote_valid_s.as_ref().map(|s| whole_number(s, 1, QUOTE_VALID_S_MAX)).transpose()?,
        call_reserve_s: raw.call_reserve_s.as_ref().map(|s| whole_number(s, 60, CALL_RESERVE_S_MAX)).transpose()?,
        card_value_max: ceiling(raw.card_value_max.as_ref(), unit, CARD_VALUE_MAX)?,
        issued_per_day_max: ceiling(raw.issued_per_day_max.as_ref(), unit, ISSUED_PER_DAY_MAX)?,
        subscribers_max: raw.subscribers_max.as_ref().map(|max| whole_number(max, 1, ROWS_MAX)).transpose()?,
        cards_max: raw.cards_max.as_ref().map(|max| whole_number(max, 1, ROWS_MAX)).transpose()?,
    })
}

/// A ceiling that a rule sets, which has a ceiling of its own.
fn ceiling(raw: Option<&Spanned<raw::Money>>, unit: &Unit, max: Amount) -> Result<Option<Amount>, Wrong> {
    let Some(raw) = raw else { return Ok(None) };
    let ceiling = values::amount(raw, unit)?;
    if ceiling > max {
        return Err(wrong(raw, format!("at most {} minor units", max.minor())));
    }
    Ok(Some(ceiling))
}
