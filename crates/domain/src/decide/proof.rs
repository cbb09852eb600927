//! Who is calling, and whether the password opens one of their cards (docs/design.md,
//! *Dial strings*, *Passwords and keys*, *Who is calling*).
//!
//! Guarantees: a dial during a lock is neither checked nor counted; wrong passwords count per (caller, link), never
//! against another's card; a right one starts over; every card is compared, whichever matches.

use crate::command::{Caller, Proved};
use crate::effects::Change;
use crate::ids::{CardId, OperatorId, SubscriberId};
use crate::office::ceiling::Ceiling;
use crate::password::{Opened, Proof};
use crate::refusal::{Refusal, Unusable};
use crate::rules::Rules;
use crate::state::{Card, Lock, Standing, Subscriber, SubscriberFacts};
use crate::time::Timestamp;

use super::card_state::unusable_why;
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
            let id = draft.create_subscriber_always(facts)?;
            draft.name(id);
            // Known from the next dial on; nobody new has a card yet.
            return Err(Refusal::NoCard);
        }
        return Err(Refusal::CallerUnknown);
    };
    draft.name(id);
    in_use(&row.facts)?;
    Ok(Known { id, row, facts: with_sim(draft, id, row, caller) })
}

/// Whether whoever has this number may ask anything at all.
pub(super) const fn in_use(facts: &SubscriberFacts) -> Result<(), Refusal> {
    match facts.standing {
        Standing::Active => Ok(()),
        Standing::Barred => Err(Refusal::CallerBarred),
        Standing::Released => Err(Refusal::CallerUnknown),
    }
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

/// Facts of a number that becomes a subscriber by its first use, where the operator's rules say so and it may have one more:
/// a phone hears nothing of ceilings.
pub(super) fn first_use(
    draft: &Draft<'_>,
    msisdn: crate::number::Msisdn,
    operator: OperatorId,
    imsi: Option<crate::number::Imsi>,
) -> Option<SubscriberFacts> {
    let rules: &Rules = &draft.state.operator(operator)?.rules;
    let room = draft.room(Ceiling::Subscribers, operator).is_ok();
    (rules.standing.first_use && rules.numbers.is_own(msisdn) && room).then(|| SubscriberFacts {
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
    match draft.lock(known.id, caller.link).until {
        Some(until) if draft.at < until => Err(Refusal::Locked { until }),
        _ => Ok(()),
    }
}

/// The caller, and the card that the password opens.
pub(super) fn proven<'a>(
    draft: &mut Draft<'a>,
    proved: &Proved,
    wanted: Wanted,
) -> Result<(Known<'a>, Pick<'a>), Refusal> {
    let known = caller(draft, &proved.caller)?;
    let pick = card(draft, known, &proved.caller, &proved.proof, wanted)?;
    Ok((known, pick))
}

/// Which of the cards that a password opens is meant: several may have the same.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// The usable one bound first that holds so much, minor units; when none does, the one that comes nearest.
    Payer { needed_minor: i64 },
    /// The usable one bound first.
    Usable,
    /// That, or else one that can't be used: for those who only want to look.
    Any,
}

/// The card that the proof opens. A right password starts the count over.
pub(super) fn card<'a>(
    draft: &mut Draft<'a>,
    known: Known<'a>,
    caller: &Caller,
    proof: &Proof,
    wanted: Wanted,
) -> Result<Pick<'a>, Refusal> {
    not_locked(draft, known, caller)?;
    let opened = opened_by(draft, known, proof);
    if opened.cards == 0 {
        return Err(Refusal::NoCard);
    }
    let needed_minor = match wanted {
        Wanted::Payer { needed_minor } => needed_minor,
        Wanted::Usable | Wanted::Any => 0,
    };
    let unusable = opened.unusable.filter(|_| opened.usable.is_empty());
    let pick = match (payer(&opened.usable, needed_minor), unusable, wanted) {
        (Some(pick), _, _) => Ok(pick),
        (None, Some((pick, _)), Wanted::Any) => Ok(pick),
        (None, Some((_, why)), Wanted::Payer { .. } | Wanted::Usable) => Err(Refusal::CardNotUsable { why }),
        (None, None, _) => return Err(wrong(draft, known, caller)),
    };
    draft.set_lock(known.id, caller.link, Lock::default());
    pick
}

/// A caller's cards that a password opens, in the order of binding.
struct OpenedBy<'a> {
    /// All of the caller's, opened or not.
    cards: u32,
    usable: smallvec::SmallVec<[Pick<'a>; 2]>,
    /// The first that can't be used, and why.
    unusable: Option<(Pick<'a>, Unusable)>,
}

fn opened_by<'a>(draft: &mut Draft<'a>, known: Known<'a>, proof: &Proof) -> OpenedBy<'a> {
    let mut opened_by = OpenedBy { cards: 0, usable: smallvec::SmallVec::new(), unusable: None };
    for (id, card) in draft.state.cards_of(known.row) {
        opened_by.cards += 1;
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
        let pick = Pick { id, card };
        match unusable_why(draft, id, card) {
            None => opened_by.usable.push(pick),
            Some(why) => opened_by.unusable = opened_by.unusable.or(Some((pick, why))),
        }
    }
    opened_by
}

/// The first that holds so much, or the one that holds most: an empty card never hides a full one.
fn payer<'a>(usable: &[Pick<'a>], needed_minor: i64) -> Option<Pick<'a>> {
    let balance = |pick: &Pick<'_>| pick.card.purse.balance_minor;
    let covers = usable.iter().find(|pick| balance(pick) >= needed_minor);
    // Of equal ones the first: `max_by_key` would take the last.
    covers.or_else(|| usable.iter().rev().max_by_key(|pick| balance(pick))).copied()
}

/// Counts a wrong password; every third in a row locks.
pub(super) fn wrong(draft: &mut Draft<'_>, known: Known<'_>, caller: &Caller) -> Refusal {
    let before = draft.lock(known.id, caller.link);
    let wrong = before.wrong + 1;
    if wrong < TRIES {
        draft.set_lock(known.id, caller.link, Lock { wrong, ..before });
        return Refusal::WrongPassword { tries_left: TRIES - wrong, locked_until: None };
    }
    let lasts = LOCK_S.get(usize::from(before.level)).or(LOCK_S.last()).copied().unwrap_or_default();
    let until = Some(draft.at.plus_s(lasts));
    draft.set_lock(known.id, caller.link, Lock { wrong: 0, level: before.level.saturating_add(1), until, ..before });
    Refusal::WrongPassword { tries_left: 0, locked_until: until }
}
