//! The oracle's own calendar: days and months of Pyongyang, worked out without a zone table.
//!
//! Both shipped operators live at UTC+9 without daylight saving since 2018-05-05; a world begins in 2022. Nothing here is
//! shared with the decider, so that a day that ends an hour late is noticed.

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;
const OFFSET_MS: i64 = 9 * HOUR_MS;

/// The day in Pyongyang, counted from 1970-01-01.
pub(crate) fn date(at_ms: i64) -> i32 {
    i32::try_from((at_ms + OFFSET_MS).div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

/// The first instant of the next day in Pyongyang.
pub(crate) fn next_midnight_ms(at_ms: i64) -> i64 {
    (i64::from(date(at_ms)) + 1) * DAY_MS - OFFSET_MS
}

/// Year and month (1 to 12) of a day: counted through 400 years of 146,097 days that begin in March.
pub(crate) const fn month(date: i32) -> (i32, i32) {
    let shifted = date + 719_468;
    let era = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month)
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, date, month, next_midnight_ms};
    use domain::time::{BusinessDate, Zone};

    #[test]
    fn both_calendars_agree_where_a_world_plays() {
        let zone = Zone::parse("Asia/Pyongyang").expect("a zone");
        for hour in 0..24 * 800 {
            let at = domain::time::Timestamp::from_ms(1_640_000_000_000 + hour * 3_600_000);
            assert_eq!(BusinessDate::from_days(date(at.ms())), zone.date(at));
            let next = next_midnight_ms(at.ms());
            assert_eq!((date(next - 1), date(next)), (date(at.ms()), date(at.ms()) + 1));
            assert!(next - at.ms() <= DAY_MS);
        }
    }

    #[test]
    fn months_are_the_civil_ones() {
        for days in 18_000..21_000 {
            let civil = BusinessDate::from_days(days).civil();
            assert_eq!(month(days), (i32::from(civil.year()), i32::from(civil.month())));
        }
    }
}
