//! Dated ceilings: whether a gift or top-up fits, and what is used of each after it.

use crate::effects::UsageAfter;
use crate::ids::{CardId, SubscriberId};
use crate::money::Amount;
use crate::refusal::Refusal;
use crate::rules::limit::{Kind, Measure, Subject};
use crate::rules::{Limit, Period};
use crate::state::{Usage, UsageKey};
use crate::time::{BusinessDate, Timestamp};

use super::draft::Draft;

/// Between whom, and from which card.
#[derive(Clone, Copy)]
pub(super) struct Parties {
    pub(super) kind: Kind,
    pub(super) from: SubscriberId,
    pub(super) to: SubscriberId,
    pub(super) card: CardId,
}

pub(super) type Admitted = smallvec::SmallVec<[UsageAfter; 2]>;

/// The usage after this amount of every limit in force, or the first limit that it would pass. `latest` tells what was used
/// last of a limit.
pub(super) fn admit(
    latest: impl Fn(UsageKey, Subject) -> Option<Usage>,
    (at, date): (Timestamp, BusinessDate),
    period: &Period,
    parties: Parties,
    amount: Amount,
) -> Result<Admitted, Refusal> {
    let mut admitted = Admitted::new();
    for limit in period.limits.iter().filter(|limit| limit.kind == parties.kind && limit.in_force(at)) {
        let (key, used) = used(&latest, date, limit, parties);
        let count = used.count.saturating_add(1);
        let total_minor = used.total_minor.saturating_add(amount.minor());
        let measured = match limit.measure {
            Measure::Count => i64::from(count),
            Measure::Total => total_minor,
        };
        if measured > limit.ceiling {
            return Err(Refusal::LimitReached { limit: limit.name.clone(), until: limit.window.end(used.start) });
        }
        // Two ceilings of one limit, such as a count and a total, are one usage.
        if !admitted.iter().any(|one: &UsageAfter| one.limit == key.limit) {
            admitted.push(UsageAfter { limit: key.limit, subject: key.subject, start: used.start, count, total_minor });
        }
    }
    Ok(admitted)
}

/// What is used in the window of today; nothing when the latest use was in an earlier one.
fn used(
    latest: impl Fn(UsageKey, Subject) -> Option<Usage>,
    date: BusinessDate,
    limit: &Limit,
    parties: Parties,
) -> (UsageKey, Usage) {
    let key = UsageKey::of(limit.id, limit.subject, parties.from, parties.to, parties.card);
    let latest = latest(key, limit.subject);
    let start = limit.window.start(latest.map(|usage| usage.start), date);
    let used = latest.filter(|usage| usage.start == start);
    (key, used.unwrap_or(Usage { start, count: 0, total_minor: 0 }))
}

/// What the limits on the sender and the card still let through today; `None`: no such limit.
pub(super) fn sendable_minor(draft: &Draft<'_>, period: &Period, from: SubscriberId, card: CardId) -> Option<i64> {
    let parties = Parties { kind: Kind::Gift, from, to: from, card };
    let of_sender = |limit: &&Limit| matches!(limit.subject, Subject::Sender | Subject::Card);
    let in_force = |limit: &&Limit| limit.kind == Kind::Gift && limit.in_force(draft.at);
    let left = period.limits.iter().filter(in_force).filter(of_sender).map(|limit| {
        let (_, used) = used(|key, subject| draft.state.usage(key, subject), draft.date(), limit, parties);
        match limit.measure {
            Measure::Count => {
                limit.ceiling.saturating_sub(i64::from(used.count)).max(0).saturating_mul(period.amount_max.minor())
            }
            Measure::Total => limit.ceiling.saturating_sub(used.total_minor).max(0),
        }
    });
    left.min()
}
