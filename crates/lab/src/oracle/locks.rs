//! Wrong passwords counted again: every third in a row locks a caller on a link, and a lock holds.

use std::collections::BTreeMap;

use domain::command::{Body, SubscriberChange};
use domain::ids::{LinkId, SubscriberId};
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::verdict::{Done, Entry, Outcome};

use super::Oracle;
use super::registry::Registry;
use crate::calendar::HOUR_MS;
use crate::invariant::{Held, LOCK_HOLDS, hold};

/// A caller over a link.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    wrong: i64,
    locks: i64,
    until_ms: i64,
    /// When the latest wrong one came.
    at_ms: i64,
}

/// So long after the latest wrong one, and after the end of a lock, nothing counts any more.
const FORGOTTEN_AFTER_MS: i64 = 48 * HOUR_MS;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<(SubscriberId, LinkId), Tries>);

impl Locks {
    /// Learns from an entry, and judges it.
    pub(super) fn entry(&mut self, seq: Seq, at_ms: i64, entry: &Entry, registry: &Registry) -> Held {
        let outcome = &entry.verdict.outcome;
        if let Body::ChangeSubscriber(change) = &entry.body {
            if change.change == SubscriberChange::Unlock && matches!(outcome, Outcome::Done(Done::SubscriberChanged)) {
                let named = entry.verdict.effects.named().next().map(|named| named.subscriber);
                self.0.retain(|(who, _), _| Some(*who) != named);
            }
            return Ok(());
        }
        let Some(caller) = entry.body.caller().filter(|_| Oracle::proves(&entry.body)) else { return Ok(()) };
        let Some(row) = registry.active(caller.msisdn, caller.operator) else { return Ok(()) };
        let tries = self.0.entry((row, caller.link)).or_default();
        if tries.until_ms.max(tries.at_ms) + FORGOTTEN_AFTER_MS <= at_ms {
            *tries = Tries::default();
        }
        let locked = at_ms < tries.until_ms;
        match outcome {
            Outcome::Refused(Refusal::Locked { until }) => {
                hold(locked && until.ms() == tries.until_ms, LOCK_HOLDS, || {
                    format!("entry {seq} says locked until {}, it is {at_ms} of {tries:?}", until.ms())
                })
            }
            Outcome::Refused(Refusal::WrongPassword { tries_left, locked_until }) => {
                (tries.wrong, tries.at_ms) = (tries.wrong + 1, at_ms);
                let left = (3 - tries.wrong % 3) % 3;
                if left == 0 {
                    let lasts_ms = match tries.locks {
                        0 => HOUR_MS / 4,
                        1 => HOUR_MS,
                        _ => 24 * HOUR_MS,
                    };
                    tries.locks += 1;
                    tries.until_ms = at_ms + lasts_ms;
                }
                let until = (left == 0).then_some(tries.until_ms);
                let as_told = i64::from(*tries_left) == left && locked_until.map(|until| until.ms()) == until;
                hold(as_told && !locked, LOCK_HOLDS, || format!("entry {seq}: {outcome:?} at {at_ms} after {tries:?}"))
            }
            _ if was_right(&entry.body, outcome) => {
                hold(!locked, LOCK_HOLDS, || format!("entry {seq} opens a card at {at_ms} in spite of {tries:?}"))?;
                *tries = Tries::default();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether the password was looked at and right.
fn was_right(body: &Body, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Done(_) => true,
        // What refuses a binding says nothing about the caller's own password.
        Outcome::Refused(_) if matches!(body, Body::Bind(_)) => false,
        Outcome::Refused(refusal) => !matches!(
            refusal,
            Refusal::ServiceClosed { .. }
                | Refusal::CallerUnknown
                | Refusal::CallerBarred
                | Refusal::CallerResting { .. }
                | Refusal::Locked { .. }
                | Refusal::NoCard
                | Refusal::WrongPassword { .. }
        ),
    }
}
