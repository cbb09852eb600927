//! Two brakes that work without the decider: dials of one caller in a minute, and wrong passwords over one link.
//!
//! Guarantees: memory is fixed when they are made; a caller who dials most is forgotten last; counted per link, so that a
//! spoofing link can't stop the home network's caller.
//!
//! Bounded by: [`Callers`] has as many places as it was made with; a [`Brake`] is three numbers.
//!
//! Deliberately not here: locks after wrong passwords of one caller (the decider's), what a braked phone reads.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use domain::ids::{Language, LinkId};
use domain::number::Msisdn;
use domain::time::Timestamp;

/// Places that one caller may be found in: those of other callers in them make room by the fewest dials.
const WAYS: usize = 4;
const MINUTE_MS: i64 = 60_000;
/// What one wrong password takes: a millisecond gives back `per_min`, so that no refill is ever rounded.
const WRONG: i64 = MINUTE_MS;

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The caller's number; 0: free.
    caller: u64,
    link: u16,
    dials: u16,
    since: Timestamp,
    language: Option<Language>,
}

/// Dials of each caller in the running minute, and the language they read last.
#[derive(Debug)]
pub struct Callers {
    places: Mutex<Box<[[Place; WAYS]]>>,
    hasher: foldhash::quality::RandomState,
}

impl Callers {
    /// A table for so many callers, at least one set of places.
    pub fn new(callers_max: usize) -> Self {
        let sets = callers_max.div_ceil(WAYS).max(1);
        let places = vec![[Place::default(); WAYS]; sets].into_boxed_slice();
        Self { places: Mutex::new(places), hasher: foldhash::quality::RandomState::default() }
    }

    /// Counts a dial; `false` when the caller had `dials_max` in this minute already.
    pub fn dial(&self, link: LinkId, caller: Msisdn, dials_max: u32, now: Timestamp) -> bool {
        self.at(link, caller, now, |place| {
            let allowed = u32::from(place.dials) < dials_max;
            if allowed {
                place.dials = place.dials.saturating_add(1);
            }
            allowed
        })
    }

    /// What the caller read last, while it is remembered.
    pub fn language(&self, link: LinkId, caller: Msisdn, now: Timestamp) -> Option<Language> {
        self.at(link, caller, now, |place| place.language)
    }

    /// Remembers what the caller reads.
    pub fn set_language(&self, link: LinkId, caller: Msisdn, now: Timestamp, language: Language) {
        self.at(link, caller, now, |place| place.language = Some(language));
    }

    fn at<T>(&self, link: LinkId, caller: Msisdn, now: Timestamp, look: impl FnOnce(&mut Place) -> T) -> T {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = usize::try_from(self.hasher.hash_one((link, caller)) >> 32).unwrap_or_default();
        let set = hash % places.len();
        let mut none = Place::default();
        let Some(set) = places.get_mut(set) else { return look(&mut none) };
        let own = set.iter().position(|place| place.caller == caller.get() && place.link == link.0);
        let place = match own {
            Some(own) => own,
            // A minute that is over weighs nothing.
            None => {
                let weight = |place: &Place| if is_over(place, now) { 0 } else { place.dials };
                (0..WAYS).min_by_key(|way| set.get(*way).map(weight)).unwrap_or_default()
            }
        };
        let Some(place) = set.get_mut(place) else { return look(&mut none) };
        if own.is_none() {
            *place = Place { caller: caller.get(), link: link.0, dials: 0, since: now, language: None };
        } else if is_over(place, now) {
            (place.dials, place.since) = (0, now);
        }
        look(place)
    }
}

const fn is_over(place: &Place, now: Timestamp) -> bool {
    now.ms().saturating_sub(place.since.ms()) >= MINUTE_MS
}

/// How many wrong passwords a link may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrakeConfig {
    /// At once.
    pub burst: u32,
    /// In the long run.
    pub per_min: u32,
}

/// 300 at once and 300 a minute: at one wrong dial in fifty a link has 250 dials a second before that.
impl Default for BrakeConfig {
    fn default() -> Self {
        Self { burst: 300, per_min: 300 }
    }
}

/// Wrong passwords of one link: a bucket that each of them takes from and that time fills.
#[derive(Debug)]
pub struct Brake {
    config: BrakeConfig,
    bucket: Mutex<(i64, Timestamp)>,
}

impl Brake {
    /// A full bucket.
    pub const fn new(config: BrakeConfig) -> Self {
        Self { config, bucket: Mutex::new((config.burst as i64 * WRONG, Timestamp::MIN)) }
    }

    /// Whether the link may bring passwords now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.take(now, 0) >= WRONG
    }

    /// Counts a wrong password.
    pub fn wrong(&self, now: Timestamp) {
        self.take(now, WRONG);
    }

    fn take(&self, now: Timestamp, taken: i64) -> i64 {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, at) = *bucket;
        let full = i64::from(self.config.burst) * WRONG;
        let gained = now.ms().saturating_sub(at.ms()).max(0).saturating_mul(i64::from(self.config.per_min));
        let filled = left.saturating_add(gained).min(full);
        // What is on its way while the brake closes may take it below zero, but never further than one burst.
        let left = filled.saturating_sub(taken).max(full.saturating_neg());
        *bucket = (left, now.max(at));
        left
    }
}

#[cfg(test)]
mod tests {
    use super::{Brake, BrakeConfig, Callers};
    use domain::ids::{Language, LinkId};
    use domain::number::Msisdn;
    use domain::time::Timestamp;

    fn caller(n: u64) -> Msisdn {
        Msisdn::try_new(8_501_910_000_000 + n).expect("a number")
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000).plus_s(s)
    }

    #[test]
    fn ten_dials_a_minute_and_not_eleven() {
        let callers = Callers::new(16);
        let dial = |s| callers.dial(LinkId(1), caller(1), 10, at(s));
        assert!((0..10).all(dial));
        assert!(!dial(10) && !dial(59));
        assert!(callers.dial(LinkId(2), caller(1), 10, at(59)), "another link");
        assert!(callers.dial(LinkId(1), caller(2), 10, at(59)), "another caller");
        assert!(dial(60), "another minute");
    }

    #[test]
    fn who_dials_most_is_forgotten_last() {
        let callers = Callers::new(4);
        for _ in 0..10 {
            assert!(callers.dial(LinkId(1), caller(0), 10, at(0)));
        }
        for n in 1..10_000 {
            assert!(callers.dial(LinkId(1), caller(n), 10, at(1)));
        }
        assert!(!callers.dial(LinkId(1), caller(0), 10, at(2)));
    }

    #[test]
    fn a_language_outlives_the_minute() {
        let callers = Callers::new(4);
        assert_eq!(callers.language(LinkId(1), caller(1), at(0)), None);
        callers.set_language(LinkId(1), caller(1), at(0), Language::English);
        assert_eq!(callers.language(LinkId(1), caller(1), at(3600)), Some(Language::English));
    }

    #[test]
    fn a_link_is_braked_and_opens_again() {
        let brake = Brake::new(BrakeConfig { burst: 3, per_min: 6 });
        for _ in 0..3 {
            assert!(brake.is_open(at(0)));
            brake.wrong(at(0));
        }
        assert!(!brake.is_open(at(9)));
        assert!(brake.is_open(at(10)), "six a minute is one every ten seconds");
        brake.wrong(at(10));
        assert!((11..20).all(|s| !brake.is_open(at(s))), "looking does not fill, and does not spill");
        assert!(brake.is_open(at(20)));
        for _ in 0..100 {
            brake.wrong(at(20));
        }
        assert!(brake.is_open(at(20 + 41)), "at most one burst in debt");
    }
}
