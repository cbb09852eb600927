//! Who is calling, and whether the password opens one of their cards (docs/design.md,
//! *Dial strings*, *Passwords and keys*, *Who is calling*).
//!
//! Guarantees: a dial during a lock is neither checked nor counted; wrong passwords count per (caller, link), never
//! against another's card; a right one starts over; every card is compared, whichever matches.

use crate::card::CardState;
use crate::command::Caller;
use crate::ids::{CardId, OperatorId, Serial, SubscriberId};
use crate::password::{Opened, Proof};
use crate::refusal::{Refusal, Unusable};
use crate::rules::Rules;
use crate::state::{Card, Lock, Standing, Subscriber, SubscriberFacts};
use crate::time::Timestamp;
use crate::verdict::Change;

use super::draft::Draft;

/// Wrong passwords in a row that lock.
pub(super) const TRIES: u8 = 3;
/// How long the first, the second and every later lock last, seconds.
const LOCK_S: [i64; 3] = [15 * 60, 3_600, 24 * 3_600];
const HOUR_MS: i64 = 3_600_000;

/// A caller who may ask.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) id: SubscriberId,
    pub(super) row: &'a Subscriber,
    /// The row's, with the SIM that calls now.
    pub(super) facts: SubscriberFacts,
}

/// A caller's card that the password opens.
#[derive(Clone, Copy)]
pub(super) struct Pick<'a> {
    pub(super) id: CardId,
    pub(super) card: &'a Card,
}

/// Finds the caller among the operator's subscribers; a number in range may become one by calling.
pub(super) fn caller<'a>(draft: &mut Draft<'a>, caller: &Caller) -> Result<Known<'a>, Refusal> {
    let Some((id, row)) = draft.subscriber(caller.msisdn, caller.operator) else {
        if let Some(facts) = first_use(draft, caller.msisdn, caller.operator, caller.imsi) {
            let id = draft.create_subscriber(facts, true)?;
            draft.name(id);
            // Known from the next dial on; nobody new has a card yet.
            return Err(Refusal::NoCard);
        }
        return Err(Refusal::CallerUnknown);
    };
    draft.name(id);
    if row.facts.standing == Standing::Barred {
        return Err(Refusal::CallerBarred);
    }
    Ok(Known { id, row, facts: with_sim(draft, id, row, caller) })
}

/// Another SIM than the known one is a SIM change from this very dial on: whoever got hold of a number finds it resting
/// before the first try, and there is no moment between noticing and refusing. The first SIM that is heard of is learnt
/// and is no change. Kept whatever the outcome.
fn with_sim(draft: &mut Draft<'_>, id: SubscriberId, row: &Subscriber, caller: &Caller) -> SubscriberFacts {
    let facts = heard_from(&row.facts, caller, draft.at);
    if facts != row.facts {
        draft.change_always(Change::Subscriber { id, facts });
    }
    facts
}

/// A subscriber's facts with the SIM that calls now.
pub(super) fn heard_from(facts: &SubscriberFacts, caller: &Caller, at: Timestamp) -> SubscriberFacts {
    let known = facts.imsi;
    if caller.imsi.is_none() || caller.imsi == known {
        return *facts;
    }
    let imsi_changed_at = known.map(|_| at).or(facts.imsi_changed_at);
    SubscriberFacts { imsi: caller.imsi, imsi_changed_at, ..*facts }
}

/// Facts of a number that becomes a subscriber by its first use, where the operator's rules say so.
pub(super) fn first_use(
    draft: &Draft<'_>,
    msisdn: crate::number::Msisdn,
    operator: OperatorId,
    imsi: Option<crate::number::Imsi>,
) -> Option<SubscriberFacts> {
    let rules: &Rules = &draft.state.operator(operator)?.rules;
    (rules.standing.first_use && rules.numbers.is_own(msisdn)).then(|| SubscriberFacts {
        msisdn,
        imsi,
        operator,
        generation: 1,
        language: rules.default_language(),
        standing: Standing::Active,
        since: draft.at,
        imsi_changed_at: None,
    })
}

/// A caller whose SIM changed a short while ago may not move money.
pub(super) fn not_resting(at: Timestamp, facts: &SubscriberFacts, rules: &Rules) -> Result<(), Refusal> {
    let rest_ms = i64::from(rules.standing.swap_rest_h) * HOUR_MS;
    match facts.imsi_changed_at.map(|changed| changed.plus_ms(rest_ms)) {
        Some(until) if at < until => Err(Refusal::CallerResting { until }),
        _ => Ok(()),
    }
}

/// A caller who is not locked out.
pub(super) fn not_locked(draft: &Draft<'_>, known: Known<'_>, caller: &Caller) -> Result<(), Refusal> {
    match draft.state.lock(known.id, caller.link).until {
        Some(until) if draft.at < until => Err(Refusal::Locked { until }),
        _ => Ok(()),
    }
}

/// The card that the proof opens: the usable one bound first. A right password starts the count over.
///
/// `any_state` also takes one that can't be used, for those who only want to look.
pub(super) fn card<'a>(
    draft: &mut Draft<'a>,
    known: Known<'a>,
    caller: &Caller,
    proof: &Proof,
    any_state: bool,
) -> Result<Pick<'a>, Refusal> {
    not_locked(draft, known, caller)?;
    let mut usable = None;
    let mut unusable = None;
    let mut cards = 0_u32;
    for (id, card) in draft.state.cards_of(known.row) {
        cards += 1;
        let Some(tag) = card.facts.state.tag() else { continue };
        let opened = proof.opens(&tag);
        if opened == Opened::No {
            continue;
        }
        // Every match and not the picked one only: the others would be shut for ever once the older key is gone.
        if opened == Opened::Older
            && let Some(tag) = proof.current()
        {
            draft.change_always(Change::CardState { id, state: card.facts.state.with_tag(tag) });
        }
        match unusable_why(draft, id, card) {
            None if usable.is_none() => usable = Some((id, card)),
            Some(why) if unusable.is_none() => unusable = Some((id, card, why)),
            _ => {}
        }
    }
    if cards == 0 {
        return Err(Refusal::NoCard);
    }
    let (id, card) = match (usable, unusable) {
        (Some(found), _) => found,
        (None, Some((id, card, _))) if any_state => (id, card),
        (None, Some((.., why))) => {
            draft.set_lock(known.id, caller.link, Lock::default());
            return Err(Refusal::CardNotUsable { why });
        }
        (None, None) => return Err(wrong(draft, known, caller)),
    };
    draft.set_lock(known.id, caller.link, Lock::default());
    Ok(Pick { id, card })
}

/// Counts a wrong password; every third in a row locks.
pub(super) fn wrong(draft: &mut Draft<'_>, known: Known<'_>, caller: &Caller) -> Refusal {
    let before = draft.state.lock(known.id, caller.link);
    let wrong = before.wrong + 1;
    if wrong < TRIES {
        draft.set_lock(known.id, caller.link, Lock { wrong, ..before });
        return Refusal::WrongPassword { tries_left: TRIES - wrong, locked_until: None };
    }
    let lasts = LOCK_S.get(usize::from(before.level)).or(LOCK_S.last()).copied().unwrap_or_default();
    let until = Some(draft.at.plus_s(lasts));
    draft.set_lock(known.id, caller.link, Lock { wrong: 0, level: before.level.saturating_add(1), until });
    Refusal::WrongPassword { tries_left: 0, locked_until: until }
}

/// Why a card can't be used now. A due expiry counts from its instant, whether its timer has run or not.
pub(super) fn unusable_why(draft: &Draft<'_>, id: CardId, card: &Card) -> Option<Unusable> {
    // Every state is a row here: a new one does not compile until somebody has decided what it means.
    match card.facts.state {
        CardState::Printed { .. } | CardState::InStock { .. } => Some(Unusable::NotSold),
        CardState::Frozen { .. } => Some(Unusable::Frozen),
        CardState::Closed { .. } => Some(Unusable::Closed),
        CardState::Expired { .. } => Some(Unusable::Expired),
        CardState::Void { .. } => Some(Unusable::Void),
        CardState::Sold { .. } | CardState::Bound { .. } => {
            if voided_by_rule(draft, id, card) {
                Some(Unusable::Void)
            } else if card.facts.expires_at <= draft.at {
                Some(Unusable::Expired)
            } else {
                None
            }
        }
    }
}

/// Whether a card is void: by its state, by a range of serials, or by a dated rule. A card that ended otherwise is not.
pub(super) fn is_void(draft: &Draft<'_>, id: CardId, card: &Card) -> bool {
    match card.facts.state {
        CardState::Void { .. } => true,
        CardState::Printed { .. }
        | CardState::InStock { .. }
        | CardState::Sold { .. }
        | CardState::Bound { .. }
        | CardState::Frozen { .. } => voided_by_rule(draft, id, card),
        CardState::Closed { .. } | CardState::Expired { .. } => false,
    }
}

fn voided_by_rule(draft: &Draft<'_>, id: CardId, card: &Card) -> bool {
    if draft.state.void_range(Serial::of(id)).is_some() {
        return true;
    }
    let rules = draft.state.operator(card.facts.operator).map(|operator| &operator.rules);
    let before: Option<Timestamp> = rules.and_then(|rules| rules.cards_void_before(draft.at));
    before.is_some_and(|before| card.facts.issued_at < before)
}
