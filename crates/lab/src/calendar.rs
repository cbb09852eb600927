//! The oracle's own calendar: days and months of an operator, worked out without a zone table.
//!
//! The operators of a world live at fixed offsets: two at UTC+9 (Pyongyang, without summer time since 2018-05-05) and one a
//! good deal further east, so that two of them seldom have the same date; a world begins in 2022. Nothing here is shared with the
//! decider, so that a day that ends an hour late is noticed.

use domain::ids::OperatorId;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Hours ahead of UTC, by operator.
const AHEAD_H: [i64; crate::profiles::OPERATORS] = [9, 9, 14];

/// An operator's days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    offset_ms: i64,
}

impl Calendar {
    /// Those of an operator; of one that a world does not have, those of UTC.
    pub(crate) fn of(operator: OperatorId) -> Self {
        let ahead_h = AHEAD_H.get(usize::from(operator.0)).copied().unwrap_or(0);
        Self { offset_ms: ahead_h * HOUR_MS }
    }

    /// The day there, counted from 1970-01-01.
    pub(crate) fn date(self, at_ms: i64) -> i32 {
        i32::try_from((at_ms + self.offset_ms).div_euclid(DAY_MS)).unwrap_or(i32::MAX)
    }

    /// The first instant of a day there.
    pub(crate) fn begins_ms(self, date: i32) -> i64 {
        i64::from(date) * DAY_MS - self.offset_ms
    }

    /// The first instant of the next day there.
    pub(crate) fn next_midnight_ms(self, at_ms: i64) -> i64 {
        self.begins_ms(self.date(at_ms).saturating_add(1))
    }
}

/// Year and month (1 to 12) of a day: counted through 400 years of 146,097 days that begin in March.
pub(crate) const fn month(date: i32) -> (i32, i32) {
    let (year, month, _) = civil(date);
    (year, month)
}

/// The first day of a day's month.
pub(crate) const fn first_of_month(date: i32) -> i32 {
    let (_, _, day) = civil(date);
    date - day + 1
}

/// The first day of the month after.
pub(crate) fn next_month(date: i32) -> i32 {
    let this = month(date);
    (date..).find(|day| month(*day) != this).unwrap_or(i32::MAX)
}

const fn civil(date: i32) -> (i32, i32, i32) {
    let shifted = date + 719_468;
    let era = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::{Calendar, DAY_MS, first_of_month, month, next_month};
    use crate::profiles::{OPERATORS, ordered};
    use domain::ids::OperatorId;
    use domain::time::{BusinessDate, Timestamp};

    #[test]
    fn both_calendars_agree_where_a_world_plays() {
        for operator in 0..OPERATORS {
            let zone = ordered(operator, 0).expect("a profile").rules.zone.clone();
            let calendar = Calendar::of(OperatorId(u8::try_from(operator).expect("few")));
            for hour in 0..24 * 1_200 {
                let at = Timestamp::from_ms(1_640_000_000_000 + hour * 3_600_000);
                let date = calendar.date(at.ms());
                assert_eq!(BusinessDate::from_days(date), zone.date(at));
                let next = calendar.next_midnight_ms(at.ms());
                assert_eq!((calendar.date(next - 1), calendar.date(next)), (date, date + 1));
                assert!(next - at.ms() <= DAY_MS);
            }
        }
    }

    #[test]
    fn months_are_the_civil_ones() {
        for days in 18_000..21_000 {
            let date = BusinessDate::from_days(days);
            let civil = date.civil();
            assert_eq!(month(days), (i32::from(civil.year()), i32::from(civil.month())));
            assert_eq!(BusinessDate::from_days(first_of_month(days)), date.first_of_month());
            assert_eq!(BusinessDate::from_days(next_month(days)), date.first_of_next_month());
        }
    }
}
