//! Ceilings on gifts and top-ups: how many or how much, of whom, in which window, and from when.
//!
//! Guarantees: usage is counted by the operator's business date, while the limit holds. Name, kind, subject and window make a
//! limit the same one after another load of rules; its ceiling and its dates may change, and what is used of it stays.
//! Deliberately not here: usage itself (see [`crate::state`]).

use core::fmt;
use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::ids::LimitId;
use crate::time::{BusinessDate, Timestamp};

/// Public name of a limit: lower case letters, digits and hyphens, at most 32.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitName(Arc<str>);

impl LimitName {
    /// Takes over a name that [`crate::rules::parse`] checked.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<C> Encode<C> for LimitName {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for LimitName {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str().map(Self::new)
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Gifts.
    #[n(0)]
    Gift,
    /// Own top-ups.
    #[n(1)]
    TopUp,
    /// Free minutes of calls.
    #[n(2)]
    Call,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::Gift, Self::TopUp, Self::Call];

    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gift => "gift",
            Self::TopUp => "top-up",
            Self::Call => "call",
        }
    }
}

/// Of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Subject {
    /// What one subscriber sends.
    #[n(0)]
    Sender,
    /// What one subscriber receives.
    #[n(1)]
    Recipient,
    /// What one subscriber sends to one other.
    #[n(2)]
    Pair,
    /// What leaves one card.
    #[n(3)]
    Card,
}

impl Subject {
    /// Every subject there is.
    pub const ALL: [Self; 4] = [Self::Sender, Self::Recipient, Self::Pair, Self::Card];

    /// Public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Pair => "pair",
            Self::Card => "card",
        }
    }
}

/// How it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Measure {
    /// How many.
    #[n(0)]
    Count,
    /// How much, in minor units, without fees.
    #[n(1)]
    Total,
}

/// In which stretch of business dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Window {
    /// One business date.
    #[n(0)]
    BusinessDay,
    /// From the first of a month to its last day.
    #[n(1)]
    CalendarMonth,
    /// So many days, the first of them the day of the first use; 1 to [`WINDOW_DAYS_MAX`].
    #[n(2)]
    Days(#[n(0)] u16),
}

/// Longest window.
pub const WINDOW_DAYS_MAX: u16 = 366;

/// Public name: `business-day`, `calendar-month`, `30 days`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BusinessDay => f.write_str("business-day"),
            Self::CalendarMonth => f.write_str("calendar-month"),
            Self::Days(days) => write!(f, "{days} days"),
        }
    }
}

impl Window {
    /// First day of the window that `date` falls in, when the latest one began on `open`.
    pub fn start(self, open: Option<BusinessDate>, date: BusinessDate) -> BusinessDate {
        match self {
            Self::BusinessDay => date,
            Self::CalendarMonth => date.first_of_month(),
            Self::Days(_) => match open {
                Some(open) if open <= date && date < self.end(open) => open,
                _ => date,
            },
        }
    }

    /// The most days that a window of this kind has.
    pub const fn days_max(self) -> i32 {
        match self {
            Self::BusinessDay => 1,
            Self::CalendarMonth => 31,
            Self::Days(days) => days as i32,
        }
    }

    /// First day after the window that began on `start`.
    pub fn end(self, start: BusinessDate) -> BusinessDate {
        match self {
            Self::BusinessDay => start.plus_days(1),
            Self::CalendarMonth => start.first_of_next_month(),
            Self::Days(days) => start.plus_days(i32::from(days)),
        }
    }
}

/// A ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Limit {
    /// Given by the state when loaded; 0 in a file's rules.
    #[n(0)]
    pub id: LimitId,
    /// Public name, said to the caller: `one-a-day`.
    #[n(1)]
    pub name: LimitName,
    /// What is counted.
    #[n(2)]
    pub kind: Kind,
    /// Of whom.
    #[n(3)]
    pub subject: Subject,
    /// How.
    #[n(4)]
    pub measure: Measure,
    /// The most, in gifts or in minor units; at least 1.
    #[n(5)]
    pub ceiling: i64,
    /// In which window.
    #[n(6)]
    pub window: Window,
    /// First instant at which it holds and from which it counts.
    #[n(7)]
    pub from: Timestamp,
    /// First instant at which it doesn't hold any more; [`Timestamp::MAX`]: no end.
    #[n(8)]
    pub until: Timestamp,
}

impl Limit {
    /// Whether it holds at that instant.
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::time::BusinessDate;

    fn day(n: i32) -> BusinessDate {
        BusinessDate::from_days(n)
    }

    #[test]
    fn a_window_of_days_opens_with_its_first_use() {
        let window = Window::Days(30);
        assert_eq!(window.start(None, day(100)), day(100));
        assert_eq!(window.start(Some(day(100)), day(129)), day(100));
        assert_eq!(window.start(Some(day(100)), day(130)), day(130));
    }

    #[test]
    fn months_begin_on_the_first() {
        let january_31 = BusinessDate::from_civil(jiff::civil::date(2023, 1, 31));
        let start = Window::CalendarMonth.start(None, january_31);
        assert_eq!(start.to_string(), "2023-01-01");
        assert_eq!(Window::CalendarMonth.end(start).to_string(), "2023-02-01");
        assert_eq!(Window::BusinessDay.end(january_31).to_string(), "2023-02-01");
    }
}
