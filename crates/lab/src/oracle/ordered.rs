//! Rules as the world's authority ordered them, by the instant from which each of them holds.
//!
//! The decider splices what two people approved into what was in force; here is a list of stretches of time instead, each with the
//! profile that was ordered for it, and nothing is ever spliced.

use domain::rules::tariff::{Fee, Tariff};
use domain::rules::{Period, Rules};

/// What holds from an instant until the next stretch begins.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from_ms: i64,
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Profile(&'static Rules),
    /// Nobody gives; calls go on at the price that held.
    Closed {
        cards_void: bool,
        tariff: Tariff,
    },
}

/// An operator's rules.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    /// What holds whatever the date: of the latest profile.
    pub(super) standing: &'static Rules,
    stretches: Vec<Stretch>,
}

/// The period of a profile that holds at an instant, found by looking at every one.
fn period_of(rules: &Rules, at_ms: i64) -> Option<&Period> {
    rules.periods.iter().rev().find(|period| period.from.ms() <= at_ms && at_ms < period.until.ms())
}

impl Ordered {
    /// The first rules of an operator, which tell its whole past.
    pub(super) fn first(rules: &'static Rules) -> Self {
        Self { standing: rules, stretches: vec![Stretch { from_ms: i64::MIN, source: Source::Profile(rules) }] }
    }

    /// Other rules from an instant on; without one they tell the past as well.
    pub(super) fn load(&mut self, rules: &'static Rules, from_ms: Option<i64>) {
        self.standing = rules;
        self.put(from_ms.unwrap_or(i64::MIN), Source::Profile(rules));
    }

    /// From an instant on nobody gives.
    pub(super) fn close(&mut self, from_ms: i64, cards_void: bool) {
        let tariff = match self.stretches.last().map(|stretch| stretch.source) {
            Some(Source::Closed { tariff, .. }) => tariff,
            Some(Source::Profile(rules)) => {
                rules.periods.last().and_then(|period| period.tariff).unwrap_or(rules.tariff)
            }
            None => self.standing.tariff,
        };
        self.put(from_ms, Source::Closed { cards_void, tariff });
    }

    fn put(&mut self, from_ms: i64, source: Source) {
        self.stretches.retain(|stretch| stretch.from_ms < from_ms);
        self.stretches.push(Stretch { from_ms, source });
    }

    fn source(&self, at_ms: i64) -> Option<Source> {
        self.stretches.iter().rev().find(|stretch| stretch.from_ms <= at_ms).map(|stretch| stretch.source)
    }

    /// The period of an instant; `None`: the service is closed.
    pub(super) fn period(&self, at_ms: i64) -> Option<&'static Period> {
        match self.source(at_ms)? {
            Source::Profile(rules) => period_of(rules, at_ms).filter(|period| !period.closed),
            Source::Closed { .. } => None,
        }
    }

    /// What airtime buys at an instant.
    pub(super) fn tariff(&self, at_ms: i64) -> Tariff {
        match self.source(at_ms) {
            Some(Source::Profile(rules)) => {
                period_of(rules, at_ms).and_then(|period| period.tariff).unwrap_or(rules.tariff)
            }
            Some(Source::Closed { tariff, .. }) => tariff,
            None => self.standing.tariff,
        }
    }

    /// The latest instant up to `at_ms` from which older cards are void.
    pub(super) fn voided_before(&self, at_ms: i64) -> Option<i64> {
        let ends = self.stretches.iter().skip(1).map(|next| next.from_ms).chain([i64::MAX]);
        let stretches = self.stretches.iter().zip(ends);
        let begins = stretches.flat_map(|(stretch, end_ms)| -> Vec<i64> {
            match stretch.source {
                Source::Closed { cards_void, .. } => cards_void.then_some(stretch.from_ms).into_iter().collect(),
                Source::Profile(rules) => {
                    let voiding = rules.periods.iter().filter(|period| period.cards_void);
                    let met = voiding.filter(|period| period.until.ms() > stretch.from_ms);
                    met.map(|period| period.from.ms().max(stretch.from_ms)).filter(|from| *from < end_ms).collect()
                }
            }
        });
        begins.filter(|from| *from <= at_ms).max()
    }

    /// Whether staff with this uid may do what takes a role: anybody where no people are named.
    pub(super) fn may(&self, uid: u32, role: domain::rules::Role) -> bool {
        let named = self.standing.staff.as_deref();
        named.is_none_or(|people| people.iter().any(|one| one.uid == uid && one.roles.contains(&role)))
    }
}

/// Fee and tax of an amount, both rounded up.
pub(super) fn charge(fee: &Fee, minor: i64) -> (i64, i64) {
    let holds = fee.tiers.iter().find(|tier| tier.up_to.is_none_or(|most| minor <= most.minor()));
    let up = |value: i64, points: u32| (value * i64::from(points) + 9_999) / 10_000;
    let fee_minor = holds.map_or(0, |tier| tier.flat_minor + up(minor, tier.basis_points));
    (fee_minor, up(fee_minor, fee.tax_basis_points))
}

/// What so many whole minutes cost, rounded up.
pub(super) fn minutes_cost(tariff: Tariff, minutes: i64, cross: bool) -> i64 {
    let price = minutes * tariff.minute_price.minor();
    if !cross {
        return price;
    }
    let (up, down) = (i64::from(tariff.cross_network.numerator), i64::from(tariff.cross_network.denominator));
    (price * up + down - 1) / down
}
