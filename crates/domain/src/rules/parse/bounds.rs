//! How long and how many a profile's values may be.
//!
//! Deliberately not here: ceilings of the modules that own a part (ranges in [`crate::rules::numbers`], tiers in
//! [`crate::rules::tariff`], windows in [`crate::rules::limit`]).

/// Longest profile, octets: a thousand periods with their comments are less.
pub const PROFILE_LEN_MAX: usize = 1 << 20;
/// Most periods of one operator: a new rule set every month for twenty years.
pub const PERIODS_MAX: usize = 256;
/// Most limits of one period: each of them is looked at for each gift.
pub const LIMITS_MAX: usize = 16;
/// Most occasions: each is one digit, and 0 is none.
pub const OCCASIONS_MAX: usize = 9;
/// Longest public name (operator, period, limit, occasion), characters.
pub const NAME_LEN_MAX: usize = 32;
/// Longest name shown to people, characters: half the smallest screen budget for UCS-2.
pub const DISPLAY_NAME_LEN_MAX: usize = 28;
/// Most decimal digits of a minor unit.
pub const MINOR_DIGITS_MAX: u8 = 4;
/// Longest `repeat_window_s`: a day.
pub const REPEAT_WINDOW_S_MAX: u32 = 86_400;
/// Longest `swap_rest_h`: a year of 366 days.
pub const SWAP_REST_H_MAX: u32 = 8_784;
/// Longest `valid_days` of a card and largest `age_days_min`: a hundred years.
pub const DAYS_MAX: u32 = 36_500;
/// Longest `quote_valid_s`: a day.
pub const QUOTE_VALID_S_MAX: i64 = 86_400;
/// Longest `call_reserve_s`: a day.
pub const CALL_RESERVE_S_MAX: i64 = 86_400;
/// Largest `subscribers_max` and `cards_max`: 100 GB of rows.
pub const ROWS_MAX: i64 = 1_000_000_000;
/// Most people on the operator's side.
pub const STAFF_MAX: usize = 1_000;
/// Largest `dials_per_caller_per_min`: nobody dials faster than ten a second.
pub const DIALS_PER_MIN_MAX: u32 = 600;
