//! Single values of a profile: names, texts, whole numbers, money and times.

use toml::Spanned;
use toml::value::Datetime;

use super::bounds::{DISPLAY_NAME_LEN_MAX, NAME_LEN_MAX};
use super::raw::{Money, RawNames};
use super::wrong::{Wrong, wrong};
use crate::ids::Language;
use crate::money::Amount;
use crate::plain::is_plain;
use crate::rules::Unit;
use crate::time::{Timestamp, Zone};

/// A public name: lower case letters, digits and hyphens.
pub(super) fn name(raw: &Spanned<String>) -> Result<String, Wrong> {
    let name = raw.get_ref();
    let good = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    if name.is_empty() || name.len() > NAME_LEN_MAX || !name.bytes().all(good) {
        return Err(wrong(raw, format!("a name is 1 to {NAME_LEN_MAX} lower case letters, digits and hyphens")));
    }
    Ok(name.clone())
}

/// Reads texts by language.
pub(super) struct Names<'a> {
    /// Those the operator speaks, never empty.
    pub(super) languages: &'a [Language],
}

impl Names<'_> {
    /// One text per language of [`Language::ALL`]. Languages that the operator doesn't speak read its first one.
    pub(super) fn of(&self, raw: &RawNames) -> Result<Vec<String>, Wrong> {
        for (tag, text) in raw.get_ref() {
            if Language::from_tag(tag).is_none_or(|language| !self.languages.contains(&language)) {
                return Err(wrong(text, format!("`{tag}` is not among this operator's `languages`")));
            }
            let len = text.get_ref().chars().count();
            let blank = text.get_ref().trim() != text.get_ref() || !is_plain(text.get_ref());
            if len == 0 || len > DISPLAY_NAME_LEN_MAX || blank {
                let rule = format!(
                    "a name has 1 to {DISPLAY_NAME_LEN_MAX} characters, no space around, no character that controls or turns the text"
                );
                return Err(wrong(text, rule));
            }
        }
        let text = |language: Language| raw.get_ref().get(language.tag()).map(|text| text.get_ref().clone());
        let mut first = None;
        for language in self.languages {
            let text = text(*language).ok_or_else(|| wrong(raw, format!("add the name in `{}`", language.tag())))?;
            first.get_or_insert(text);
        }
        Ok(Language::ALL.into_iter().filter_map(|language| text(language).or_else(|| first.clone())).collect())
    }
}

/// A whole number in a range.
pub(super) fn whole_number<T: TryFrom<i64>>(raw: &Spanned<i64>, min: i64, max: i64) -> Result<T, Wrong> {
    let value = *raw.get_ref();
    let inside = if (min..=max).contains(&value) { T::try_from(value).ok() } else { None };
    inside.ok_or_else(|| wrong(raw, format!("write a whole number from {min} to {max}")))
}

/// The same, or a default where nothing is written.
pub(super) fn whole_number_or<T: TryFrom<i64>>(
    raw: Option<&Spanned<i64>>,
    default: T,
    min: i64,
    max: i64,
) -> Result<T, Wrong> {
    raw.map_or(Ok(default), |raw| whole_number(raw, min, max))
}

/// A positive amount.
pub(super) fn amount(raw: &Spanned<Money>, unit: &Unit) -> Result<Amount, Wrong> {
    let minor = minor(raw, unit)?;
    Amount::try_new(minor)
        .ok_or_else(|| wrong(raw, "must be more than 0; leave the key out where there is no such rule"))
}

/// Minor units, 0 or more.
pub(super) fn minor(raw: &Spanned<Money>, unit: &Unit) -> Result<i64, Wrong> {
    let too_large = || wrong(raw, "too large: money is at most 2^63 - 1 minor units");
    match raw.get_ref() {
        Money::Units(units) if *units < 0 => Err(wrong(raw, "must not be negative")),
        Money::Units(units) => units.checked_mul(unit.minor_per_unit()).ok_or_else(too_large),
        Money::Decimal(text) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
            let written = !whole.is_empty() && (text.len() == whole.len() || !fraction.is_empty());
            let places = usize::from(unit.minor_digits);
            if !written || !digits(whole) || !digits(fraction) || fraction.len() > places {
                return Err(wrong(
                    raw,
                    format!("write whole units, or a decimal with at most {places} digits after its point"),
                ));
            }
            format!("{whole}{fraction:0<places$}").parse().map_err(|_| too_large())
        }
    }
}

/// The instant of a date (its first instant in the operator's zone), of a date and time there, or of an instant.
pub(super) fn instant(raw: &Spanned<Datetime>, zone: &Zone) -> Result<Timestamp, Wrong> {
    let Datetime { date, time, offset } = *raw.get_ref();
    let form =
        || wrong(raw, "write a date (2020-07-01), a date and time (2020-07-01T12:00:00) or an instant (…+09:00)");
    let date = date.ok_or_else(form)?;
    if date.year < 1970 {
        return Err(wrong(raw, "nothing happens before 1970"));
    }
    if offset.is_some() {
        return Timestamp::parse(&raw.get_ref().to_string()).map_err(|_| form());
    }
    let part = |value: u8| i8::try_from(value).map_err(|_| form());
    let year = i16::try_from(date.year).map_err(|_| form())?;
    let day = jiff::civil::Date::new(year, part(date.month)?, part(date.day)?).map_err(|_| form())?;
    let time = match time {
        None => return Ok(zone.start_of(crate::time::BusinessDate::from_civil(day))),
        Some(time) => jiff::civil::Time::new(part(time.hour)?, part(time.minute)?, part(time.second.unwrap_or(0))?, 0),
    };
    Ok(zone.instant(day.to_datetime(time.map_err(|_| form())?)))
}
