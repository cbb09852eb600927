//! Instants, calendar days and zones. Time is always an argument: nothing here reads a clock.
//!
//! Zone tables are the ones bundled with `jiff`, so that the same binary gives the same date everywhere.

use core::num::NonZeroI64;

use jiff::civil;
use jiff::tz::TimeZone;
use minicbor::{Decode, Encode};

const ONE: NonZeroI64 = match NonZeroI64::new(1) {
    Some(one) => one,
    None => NonZeroI64::MAX,
};

/// The latest instant that Sonmul accepts: the end of the year 9999, in ms since 1970-01-01T00:00Z.
pub const TIMESTAMP_MS_MAX: i64 = 253_402_300_799_999;

/// An instant: whole milliseconds since 1970-01-01T00:00:00Z, `0..=`[`TIMESTAMP_MS_MAX`].
///
/// Kept one higher, so that "no instant" costs no room in a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroI64);

impl Timestamp {
    /// The earliest instant.
    pub const MIN: Self = Self(ONE);
    /// The latest instant.
    pub const MAX: Self = Self::from_ms(TIMESTAMP_MS_MAX);

    /// The instant `ms` milliseconds after the epoch, pulled into the accepted range.
    pub const fn from_ms(ms: i64) -> Self {
        let ms = if ms < 0 {
            0
        } else if ms > TIMESTAMP_MS_MAX {
            TIMESTAMP_MS_MAX
        } else {
            ms
        };
        match NonZeroI64::new(ms + 1) {
            Some(kept) => Self(kept),
            None => Self::MIN,
        }
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0.get() - 1
    }

    /// This instant `ms` milliseconds later (earlier when negative), kept in range.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.ms().saturating_add(ms))
    }

    /// This instant `s` seconds later, kept in range.
    #[must_use]
    pub const fn plus_s(self, s: i64) -> Self {
        self.plus_ms(s.saturating_mul(1000))
    }

    /// RFC 3339 in UTC, to the millisecond: for machines and for staff, never for a phone's screen.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.ms()) {
            Ok(at) => format!("{at:.3}"),
            Err(_) => String::from("out-of-range"),
        }
    }

    /// Reads RFC 3339 (`2026-11-22T10:00:00Z`).
    ///
    /// # Errors
    /// When it is no instant, or lies before 1970 or after 9999.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let at: jiff::Timestamp = text.parse().map_err(|_| TimeError::Instant)?;
        let ms = at.as_millisecond();
        if (0..=TIMESTAMP_MS_MAX).contains(&ms) { Ok(Self::from_ms(ms)) } else { Err(TimeError::Instant) }
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::MIN
    }
}

impl core::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Timestamp({})", self.ms())
    }
}

impl<C> Encode<C> for Timestamp {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i64(self.ms())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Timestamp {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let ms = d.i64()?;
        let instant = Self::from_ms(ms);
        if instant.ms() == ms { Ok(instant) } else { Err(minicbor::decode::Error::message("an instant out of range")) }
    }
}

/// One calendar day of an operator in its own zone, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct BusinessDate(#[n(0)] i32);

const UNIX_EPOCH: civil::Date = civil::date(1970, 1, 1);

impl BusinessDate {
    /// The day `days` after 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day `n` days later.
    #[must_use]
    pub const fn plus_days(self, n: i32) -> Self {
        Self(self.0.saturating_add(n))
    }

    /// The first day of the month after this one.
    #[must_use]
    pub fn first_of_next_month(self) -> Self {
        let civil = self.civil();
        Self::from_civil(civil.last_of_month()).plus_days(1)
    }

    /// The first day of this month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self::from_civil(self.civil().first_of_month())
    }

    /// This day on the civil calendar; days past the year 9999 read as its last one.
    pub fn civil(self) -> civil::Date {
        UNIX_EPOCH
            .checked_add(jiff::Span::new().days(i64::from(self.0).clamp(-700_000, 2_900_000)))
            .unwrap_or(civil::Date::MAX)
    }

    /// The business date of a day of the civil calendar.
    pub fn from_civil(date: civil::Date) -> Self {
        let days = UNIX_EPOCH.until(date).map(|span| span.get_days()).unwrap_or(i32::MAX);
        Self(days)
    }
}

impl core::fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.civil())
    }
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not an IANA zone name that the bundled tables know.
    #[error("no such time zone in the bundled tables; write an IANA name, for example Asia/Pyongyang")]
    Zone,
    /// Not an RFC 3339 instant between 1970 and 9999.
    #[error("not an instant; write for example 2026-11-22T10:00:00Z")]
    Instant,
}

/// An IANA time zone from the bundled tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    tz: TimeZone,
}

impl Zone {
    /// Finds a zone by its IANA name.
    ///
    /// # Errors
    /// When the bundled tables have none of that name.
    pub fn parse(name: &str) -> Result<Self, TimeError> {
        let tz = TimeZone::get(name).map_err(|_| TimeError::Zone)?;
        Ok(Self { name: String::from(name), tz })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The calendar day here at that instant.
    pub fn date(&self, at: Timestamp) -> BusinessDate {
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.ms()) else { return BusinessDate(i32::MAX) };
        let local_s = instant.as_second() + i64::from(self.tz.to_offset(instant).seconds());
        BusinessDate(i32::try_from(local_s.div_euclid(86_400)).unwrap_or(i32::MAX))
    }

    /// The first instant of that calendar day here (a day may begin later than 00:00 where clocks jump).
    pub fn start_of(&self, date: BusinessDate) -> Timestamp {
        let zoned = date.civil().to_zoned(self.tz.clone());
        zoned.map_or(Timestamp::MAX, |z| Timestamp::from_ms(z.timestamp().as_millisecond()))
    }

    /// The instant of a civil date and time here.
    pub fn instant(&self, civil: civil::DateTime) -> Timestamp {
        let zoned = civil.to_zoned(self.tz.clone());
        zoned.map_or(Timestamp::MAX, |z| Timestamp::from_ms(z.timestamp().as_millisecond()))
    }

    /// Civil date and time here at that instant: for texts and reports.
    pub fn civil(&self, at: Timestamp) -> civil::DateTime {
        jiff::Timestamp::from_millisecond(at.ms()).map_or(civil::DateTime::MAX, |t| self.tz.to_datetime(t))
    }
}

impl<C> Encode<C> for Zone {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.name)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Zone {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::parse(d.str()?).map_err(|_| minicbor::decode::Error::message("unknown time zone"))
    }
}

#[cfg(test)]
mod tests {
    use super::{BusinessDate, Timestamp, Zone};

    fn date(zone: &str, at: &str) -> String {
        Zone::parse(zone).expect("a zone").date(Timestamp::parse(at).expect("an instant")).to_string()
    }

    #[test]
    fn pyongyang_had_days_of_24_and_a_half_and_23_and_a_half_hours() {
        // UTC+9 until 2015-08-14, then UTC+8:30: the 14th lasted 24.5 h.
        assert_eq!(date("Asia/Pyongyang", "2015-08-14T15:15:00Z"), "2015-08-14");
        assert_eq!(date("Asia/Pyongyang", "2015-08-14T15:30:00Z"), "2015-08-15");
        // UTC+8:30 until 2018-05-04T15:00Z, then UTC+9: the 4th lasted 23.5 h.
        assert_eq!(date("Asia/Pyongyang", "2018-05-04T14:59:59Z"), "2018-05-04");
        assert_eq!(date("Asia/Pyongyang", "2018-05-04T15:00:00Z"), "2018-05-05");
        let zone = Zone::parse("Asia/Pyongyang").expect("a zone");
        let days = |y, m, d| zone.start_of(BusinessDate::from_civil(jiff::civil::date(y, m, d))).ms();
        assert_eq!(days(2015, 8, 15) - days(2015, 8, 14), 24 * 3_600_000 + 1_800_000);
        assert_eq!(days(2018, 5, 5) - days(2018, 5, 4), 24 * 3_600_000 - 1_800_000);
    }

    #[test]
    fn dates_go_both_ways() {
        for days in [0, 1, 18_000, 20_000, 47_000] {
            let date = BusinessDate::from_days(days);
            assert_eq!(BusinessDate::from_civil(date.civil()), date);
        }
        let january = BusinessDate::from_civil(jiff::civil::date(2024, 1, 31));
        assert_eq!(january.first_of_next_month().to_string(), "2024-02-01");
        assert_eq!(january.first_of_month().to_string(), "2024-01-01");
    }

    #[test]
    fn instants_stay_in_range() {
        assert_eq!(Timestamp::MAX.plus_s(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus_ms(-1), Timestamp::MIN);
        assert_eq!(Timestamp::parse("2036-02-07T06:28:16Z").expect("an instant").rfc3339(), "2036-02-07T06:28:16.000Z");
    }
}
