//! One operator's number plan: which numbers are its own, what people type for a number, and how a number is shown.
//!
//! For: the edges, which turn what was typed into an [`Msisdn`]; the decider, which asks [`NumberPlan::is_own`].
//!
//! Guarantees: every way of typing one number gives one `Msisdn`; a number that can be read nationally is never read as
//! one abroad; [`NumberError`] holds no digit, because a password may stand in a number's place.
//!
//! Bounded by: [`RANGES_MAX`] ranges, which `is_own` searches by halves.
//!
//! Deliberately not here: other countries' plans. A number abroad is plausible when E.164 allows its length.

use minicbor::{Decode, Encode};

use crate::number::{MSISDN_DIGITS_MAX, MSISDN_DIGITS_MIN, Msisdn, parse_digits};

/// Most ranges of one operator. Numbers are handed out in blocks of 10,000 and more, so that this is plenty.
pub const RANGES_MAX: usize = 256;
/// Most digits of a country code (ITU-T E.164).
pub const COUNTRY_CODE_DIGITS_MAX: usize = 3;
/// Most digits of a trunk prefix or an international prefix.
pub const PREFIX_DIGITS_MAX: usize = 5;
/// Most groups in which a national number is shown.
pub const GROUPS_MAX: usize = 8;
/// Fewest digits of a number abroad that is typed without `+` or international prefix. Shorter ones are national numbers
/// that lost a digit far more often than numbers abroad.
pub const BARE_FOREIGN_DIGITS_MIN: usize = 10;
/// Fewest national digits of which [`NumberPlan::short`] shows six; of shorter numbers it shows three.
const SHORT_DIGITS_MIN: usize = 9;

/// A block of the operator's numbers, as whole E.164 numbers: two comparisons tell whether a number lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Range {
    /// The lowest number, country code first.
    #[n(0)]
    first: u64,
    /// The highest.
    #[n(1)]
    last: u64,
}

impl Range {
    /// All national numbers of `digits` digits that begin with `prefix`.
    ///
    /// # Errors
    /// When a text is not made of digits, when the prefix is longer than the numbers, or when the whole numbers are
    /// shorter or longer than an [`Msisdn`].
    pub fn try_new(country_code: &str, prefix: &str, digits: u8) -> Result<Self, RangeError> {
        let digits = usize::from(digits);
        let whole = country_code.len() + digits;
        if prefix.len() > digits {
            return Err(RangeError::PrefixTooLong);
        }
        if !(MSISDN_DIGITS_MIN..=MSISDN_DIGITS_MAX).contains(&whole) {
            return Err(RangeError::Length);
        }
        let head = parse_digits(prefix).and(parse_digits(&format!("{country_code}{prefix}")));
        let first = head.and_then(|head| append(head, 0, digits - prefix.len())).ok_or(RangeError::Digits)?;
        let size = append(1, 0, digits - prefix.len()).ok_or(RangeError::Length)?;
        Ok(Self { first, last: first + (size - 1) })
    }

    /// Whether the number lies in this block.
    pub const fn contains(self, msisdn: Msisdn) -> bool {
        self.first <= msisdn.get() && msisdn.get() <= self.last
    }

    /// The digits that all its numbers begin with, country code first.
    fn head(self) -> u64 {
        self.first / (self.last - self.first + 1)
    }
}

/// Why a prefix and a length make no [`Range`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Something that is no digit, or nothing.
    #[error("a range's prefix is written in digits, for example \"191\"")]
    Digits,
    /// A prefix with more digits than the numbers that begin with it.
    #[error("the prefix is longer than the numbers: `digits` counts all digits of a national number, prefix included")]
    PrefixTooLong,
    /// Not 8 to 15 digits with the country code.
    #[error("with the country code these numbers don't have 8 to 15 digits (E.164): correct `digits`")]
    Length,
    /// A prefix that begins with the trunk prefix.
    #[error("write the prefix without the trunk prefix")]
    Trunk,
    /// A number in two ranges.
    #[error("this range overlaps another one: remove one, or make its prefix longer")]
    Overlap,
}

/// What a [`NumberPlan`] is made from, as written in a profile.
#[derive(Clone, Debug, Default)]
pub struct NumberPlanParts {
    /// Digits of the country code: `850`.
    pub country_code: String,
    /// What is dialled before a national number: `0`.
    pub trunk_prefix: Option<String>,
    /// What is dialled before a number abroad: `00`, `99`.
    pub international_prefixes: Vec<String>,
    /// Prefix and length of the operator's national numbers: `("191", 10)`.
    pub ranges: Vec<(String, u8)>,
    /// Lengths of the country's other national numbers.
    pub national_digits: Vec<u8>,
    /// How a national number is shown: `[3, 3, 4]`. Empty: in one piece.
    pub groups: Vec<u8>,
}

/// Why parts make no [`NumberPlan`]. An index counts from 0 in the list it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberPlanError {
    /// Not 1 to 3 digits, or a leading 0.
    #[error("a country code is 1 to 3 digits and does not begin with 0, for example \"850\"")]
    CountryCode,
    /// Not 1 to 5 digits.
    #[error("a trunk prefix is 1 to 5 digits, for example \"0\"; leave it out where there is none")]
    TrunkPrefix,
    /// Not 1 to 5 digits, or the trunk prefix itself.
    #[error("an international prefix is 1 to 5 digits and not the trunk prefix, for example \"00\"")]
    InternationalPrefix(usize),
    /// None, or more than [`RANGES_MAX`].
    #[error("an operator has 1 to 256 ranges")]
    RangeCount,
    /// One that is impossible.
    #[error("{1}")]
    Range(usize, RangeError),
    /// A length that makes no E.164 number.
    #[error("with the country code a number of so many digits doesn't have 8 to 15 (E.164)")]
    NationalDigits(usize),
    /// Groups that add up to no national number's length.
    #[error("the groups must be 1 to 8 numbers from 1 that add up to the length of a national number")]
    Groups,
}

/// A text is no phone number. Holds nothing of the text: it may be a password in the wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number")]
pub struct NumberError;

/// The operator's numbers and how people write them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NumberPlan {
    /// Digits of the country code.
    #[n(0)]
    country_code: String,
    /// Dialled before a national number.
    #[n(1)]
    trunk_prefix: Option<String>,
    /// Dialled before a number abroad.
    #[n(2)]
    international_prefixes: Vec<String>,
    /// The operator's blocks in ascending order, without overlap.
    #[n(3)]
    ranges: Vec<Range>,
    /// Lengths of the country's national numbers, this operator's among them.
    #[n(4)]
    national_digits: Vec<u8>,
    /// How a national number is shown.
    #[n(5)]
    groups: Vec<u8>,
}

impl NumberPlan {
    /// Checks the parts and computes the bounds.
    ///
    /// # Errors
    /// The first part that can't be.
    pub fn try_new(parts: NumberPlanParts) -> Result<Self, NumberPlanError> {
        let NumberPlanParts { country_code, trunk_prefix, international_prefixes, ranges, mut national_digits, groups } =
            parts;
        if !is_prefix(&country_code, COUNTRY_CODE_DIGITS_MAX) || country_code.starts_with('0') {
            return Err(NumberPlanError::CountryCode);
        }
        if trunk_prefix.as_ref().is_some_and(|trunk| !is_prefix(trunk, PREFIX_DIGITS_MAX)) {
            return Err(NumberPlanError::TrunkPrefix);
        }
        let bad = |prefix: &String| !is_prefix(prefix, PREFIX_DIGITS_MAX) || trunk_prefix.as_ref() == Some(prefix);
        if let Some(index) = international_prefixes.iter().position(bad) {
            return Err(NumberPlanError::InternationalPrefix(index));
        }
        let whole = |len: u8| country_code.len() + usize::from(len);
        let impossible = |len: &u8| *len == 0 || !(MSISDN_DIGITS_MIN..=MSISDN_DIGITS_MAX).contains(&whole(*len));
        if let Some(index) = national_digits.iter().position(impossible) {
            return Err(NumberPlanError::NationalDigits(index));
        }
        let bounds = bounds(&country_code, trunk_prefix.as_deref(), &ranges)?;
        national_digits.extend(ranges.iter().map(|(_, digits)| *digits));
        national_digits.sort_unstable();
        national_digits.dedup();
        let shown = groups.iter().fold(0_u8, |sum, len| sum.saturating_add(*len));
        let odd = groups.len() > GROUPS_MAX || groups.contains(&0) || !national_digits.contains(&shown);
        if !groups.is_empty() && odd {
            return Err(NumberPlanError::Groups);
        }
        Ok(Self { country_code, trunk_prefix, international_prefixes, ranges: bounds, national_digits, groups })
    }

    /// Whether the number lies in one of the operator's ranges.
    pub fn is_own(&self, msisdn: Msisdn) -> bool {
        let after = self.ranges.partition_point(|range| range.first <= msisdn.get());
        after.checked_sub(1).and_then(|index| self.ranges.get(index)).is_some_and(|range| range.contains(msisdn))
    }

    /// Whether some number lies in ranges of both plans.
    pub fn overlaps(&self, other: &Self) -> bool {
        let meets = |a: &Range, b: &Range| a.first <= b.last && b.first <= a.last;
        self.ranges.iter().any(|a| other.ranges.iter().any(|b| meets(a, b)))
    }

    /// Reads what people type for a number, nationally or internationally, in ASCII digits with at most a leading `+`:
    /// `1912345678`, `01912345678`, `+8501912345678`, `8501912345678`, `008501912345678` and `998501912345678` are one.
    ///
    /// Read in this order, and the first reading counts: national number; after the trunk prefix; country code first;
    /// after an international prefix; another country's code first. Digits that begin like one of the operator's own
    /// numbers but have another length are a slip, not a number abroad: with `+` they would be one.
    ///
    /// # Errors
    /// When no reading is a plausible number.
    pub fn parse(&self, text: &str) -> Result<Msisdn, NumberError> {
        if let Some(full) = text.strip_prefix('+') {
            return self.international(full).ok_or(NumberError);
        }
        let after_trunk = || self.trunk_prefix.as_ref().and_then(|trunk| self.significant(text.strip_prefix(trunk)?));
        let after_country = || self.significant(text.strip_prefix(&*self.country_code)?);
        let after_international =
            || self.international_prefixes.iter().find_map(|prefix| self.international(text.strip_prefix(&**prefix)?));
        self.significant(text)
            .or_else(after_trunk)
            .or_else(after_country)
            .or_else(after_international)
            .or_else(|| self.bare_foreign(text))
            .ok_or(NumberError)
    }

    /// Whether the text reads as a number of the operator's country, of this operator or of another.
    pub fn plausible(&self, text: &str) -> bool {
        self.parse(text).is_ok_and(|msisdn| self.national_digits_of(msisdn).is_some())
    }

    /// The number as people in the country write it, trunk prefix first (`0191 234 5678`); one abroad as `+` and digits.
    pub fn national(&self, msisdn: Msisdn) -> String {
        let Some(national) = self.national_digits_of(msisdn) else { return format!("+{}", msisdn.get()) };
        let trunk = self.trunk_prefix.as_deref().unwrap_or_default();
        let grouped = self.groups.iter().map(|len| usize::from(*len)).sum::<usize>() == national.len();
        let mut rest = national.as_str();
        let mut shown = Vec::with_capacity(GROUPS_MAX);
        for len in self.groups.iter().filter(|_| grouped) {
            let Some((group, after)) = rest.split_at_checked(usize::from(*len)) else { break };
            shown.push(group);
            rest = after;
        }
        // Numbers of another length are shown in one piece: a wrong grouping misleads more than none.
        if !rest.is_empty() {
            shown.push(rest);
        }
        format!("{trunk}{}", shown.join(" "))
    }

    /// Enough of the number to recognise it by and too little to dial it: `191…678`; `…678` of a short number.
    pub fn short(&self, msisdn: Msisdn) -> String {
        let last = format!("…{:03}", msisdn.get() % 1000);
        let (plus, digits) = match self.national_digits_of(msisdn) {
            Some(national) => ("", national),
            None => ("+", msisdn.get().to_string()),
        };
        match digits.get(..3).filter(|_| digits.len() >= SHORT_DIGITS_MIN) {
            Some(first) => format!("{plus}{first}{last}"),
            None => last,
        }
    }

    /// A national number: one of the operator's, or any of a length that the country uses.
    fn significant(&self, digits: &str) -> Option<Msisdn> {
        let msisdn = self.whole(digits)?;
        let in_use = self.national_digits.iter().any(|len| usize::from(*len) == digits.len());
        let trunk_first = self.trunk_prefix.as_ref().is_some_and(|trunk| digits.starts_with(&**trunk));
        (self.is_own(msisdn) || (in_use && !trunk_first)).then_some(msisdn)
    }

    /// A number with its country code first.
    fn international(&self, digits: &str) -> Option<Msisdn> {
        match digits.strip_prefix(&*self.country_code) {
            Some(national) => self.significant(national),
            None => Msisdn::parse(digits).ok(),
        }
    }

    /// A number abroad without anything before its country code.
    fn bare_foreign(&self, digits: &str) -> Option<Msisdn> {
        let begins_like_own = |range: &Range| {
            let head = range.head().to_string();
            head.strip_prefix(&*self.country_code).is_some_and(|prefix| digits.starts_with(prefix))
        };
        let slip = digits.starts_with(&*self.country_code) || self.ranges.iter().any(begins_like_own);
        if slip || digits.len() < BARE_FOREIGN_DIGITS_MIN { None } else { Msisdn::parse(digits).ok() }
    }

    /// The whole number with these national digits, whatever their length.
    fn whole(&self, national: &str) -> Option<Msisdn> {
        let whole = append(parse_digits(&self.country_code)?, parse_digits(national)?, national.len())?;
        Msisdn::try_new(whole).ok()
    }

    /// The digits after the country code; `None` abroad.
    fn national_digits_of(&self, msisdn: Msisdn) -> Option<String> {
        msisdn.get().to_string().strip_prefix(&*self.country_code).map(String::from)
    }
}

/// The ranges' bounds in ascending order.
fn bounds(country_code: &str, trunk: Option<&str>, ranges: &[(String, u8)]) -> Result<Vec<Range>, NumberPlanError> {
    if ranges.is_empty() || ranges.len() > RANGES_MAX {
        return Err(NumberPlanError::RangeCount);
    }
    let mut bounds: Vec<Range> = Vec::with_capacity(ranges.len());
    for (index, (prefix, digits)) in ranges.iter().enumerate() {
        let fail = |error| NumberPlanError::Range(index, error);
        if trunk.is_some_and(|trunk| prefix.starts_with(trunk)) {
            return Err(fail(RangeError::Trunk));
        }
        let range = Range::try_new(country_code, prefix, *digits).map_err(fail)?;
        if bounds.iter().any(|other| other.first <= range.last && range.first <= other.last) {
            return Err(fail(RangeError::Overlap));
        }
        bounds.push(range);
    }
    bounds.sort_unstable();
    Ok(bounds)
}

/// `head` followed by `tail` in `digits` digits.
fn append(head: u64, tail: u64, digits: usize) -> Option<u64> {
    let power = 10_u64.checked_pow(u32::try_from(digits).ok()?)?;
    head.checked_mul(power)?.checked_add(tail)
}

fn is_prefix(text: &str, digits_max: usize) -> bool {
    text.len() <= digits_max && parse_digits(text).is_some()
}

#[cfg(test)]
mod tests;
