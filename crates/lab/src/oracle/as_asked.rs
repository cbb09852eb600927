//! Gifts and top-ups that were done: from whose card, to whom, how much, for what fee, and not twice.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::card::CardState;
use domain::command::{Body, Caller};
use domain::ids::{CardId, SubscriberId};
use domain::password::{PasswordTag, Proof};
use domain::receipt::Seq;
use domain::rules::limit::Kind;
use domain::rules::{Fee, Period, Rules};
use domain::state::{CardFacts, Standing};
use domain::verdict::{Done, Entry, Outcome};

use super::limits::Parties;
use super::registry::usable;
use super::{Oracle, moved, period_of};
use crate::calendar::{HOUR_MS, date};
use crate::invariant::{Broken, GIFT_AS_ASKED, Held, NO_GIFT_TWICE, hold};

/// When the same gift was given last: sender, recipient, minor units. Of one's own top-ups both are oneself.
pub(super) type Repeats = BTreeMap<(SubscriberId, SubscriberId, i64), (i64, Seq)>;

/// Who gives from what, as it was before the entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Giver {
    rules: &'static Rules,
    period: &'static Period,
    from: SubscriberId,
    card: CardId,
}

fn wrong(seq: Seq, what: &str) -> Broken {
    Broken { invariant: GIFT_AS_ASKED, what: format!("entry {seq}: {what}") }
}

fn asks(body: &Body) -> Option<(&Caller, &Proof, Kind)> {
    match body {
        Body::Gift(gift) => Some((&gift.caller, &gift.proof, Kind::Gift)),
        Body::TopUp(top_up) => Some((&top_up.caller, &top_up.proof, Kind::TopUp)),
        _ => None,
    }
}

/// Fee and tax of an amount, both rounded up.
pub(super) fn charge(fee: &Fee, minor: i64) -> (i64, i64) {
    let holds = fee.tiers.iter().find(|tier| tier.up_to.is_none_or(|most| minor <= most.minor()));
    let up = |value: i64, points: u32| (value * i64::from(points) + 9_999) / 10_000;
    let fee_minor = holds.map_or(0, |tier| tier.flat_minor + up(minor, tier.basis_points));
    (fee_minor, up(fee_minor, fee.tax_basis_points))
}

impl Oracle {
    /// Judges who gives, before the entry; `None` when nothing is given.
    pub(super) fn giver(&self, seq: Seq, at_ms: i64, entry: &Entry) -> Result<Option<Giver>, Broken> {
        if !moved(&entry.verdict.outcome) {
            return Ok(None);
        }
        let (caller, proof, _) = asks(&entry.body).ok_or_else(|| wrong(seq, "not asked to give anything"))?;
        let from = self.registry.active(caller.msisdn, caller.operator);
        let from = from.ok_or_else(|| wrong(seq, "the caller is no subscriber"))?;
        let rules = self.registry.rules(caller.operator).ok_or_else(|| wrong(seq, "no rules"))?;
        let period = period_of(rules, at_ms).filter(|period| !period.closed);
        let period = period.ok_or_else(|| wrong(seq, "the service is closed"))?;
        let facts = self.registry.facts(from);
        let rest_ms = i64::from(rules.standing.swap_rest_h) * HOUR_MS;
        let rests = facts.and_then(|facts| facts.imsi_changed_at).is_some_and(|since| at_ms < since.ms() + rest_ms);
        hold(!rests && facts.is_some_and(|facts| facts.standing == Standing::Active), GIFT_AS_ASKED, || {
            format!("entry {seq}: the caller is barred or rests")
        })?;
        let card = entry.verdict.effects.transfers.first().map(|transfer| transfer.debit);
        let Some(AccountId::Card(card)) = card else { return Err(wrong(seq, "not paid from a card")) };
        let known = self.registry.card(card).ok_or_else(|| wrong(seq, "no such card"))?;
        hold(opened_by(known, from, proof) && usable(rules, known, at_ms), GIFT_AS_ASKED, || {
            format!("entry {seq}: card {} is not the caller's, not usable or not opened", card.0)
        })?;
        Ok(Some(Giver { rules, period, from, card }))
    }

    /// Judges what was given, after the entry.
    pub(super) fn given(
        &mut self,
        seq: Seq,
        at_ms: i64,
        entry: &Entry,
        giver: Giver,
        paid_from: Option<(CardId, i64)>,
    ) -> Held {
        let effects = &entry.verdict.effects;
        let (caller, _, kind) = asks(&entry.body).ok_or_else(|| wrong(seq, "not asked to give anything"))?;
        let first = effects.transfers.first().ok_or_else(|| wrong(seq, "nothing was moved"))?;
        let AccountId::Airtime(to) = first.credit else { return Err(wrong(seq, "not to a phone")) };
        let (asked, to_asked) = match &entry.body {
            Body::Gift(gift) => {
                let row = gift.recipient.value().and_then(|number| self.registry.active(number, caller.operator));
                (gift.amount.value(), row.filter(|row| *row != giver.from && !gift.swapped))
            }
            Body::TopUp(top_up) => (top_up.amount.value(), Some(giver.from)),
            _ => (None, None),
        };
        let active = self.registry.facts(to).is_some_and(|facts| facts.standing == Standing::Active);
        hold(to_asked == Some(to) && active, GIFT_AS_ASKED, || {
            format!("entry {seq}: it goes to subscriber {}, {to_asked:?} was asked for", to.0)
        })?;
        hold(asked == Some(first.amount), GIFT_AS_ASKED, || format!("entry {seq}: {:?} for {asked:?}", first.amount))?;
        let minor = first.amount.minor();
        self.charged(seq, entry, giver, minor, paid_from)?;
        self.fits(seq, at_ms, giver, to, minor)?;
        self.once(seq, at_ms, giver, to, minor)?;
        let parties = Parties { operator: caller.operator, kind, from: giver.from, to, card: giver.card };
        self.limits.count(seq, giver.rules, at_ms, parties, minor)
    }

    /// The fee, and what is left.
    fn charged(&self, seq: Seq, entry: &Entry, giver: Giver, minor: i64, paid_from: Option<(CardId, i64)>) -> Held {
        let (left, fee_told, fee) = match &entry.verdict.outcome {
            Outcome::Done(Done::Given { left_minor, fee_minor, .. }) => {
                (*left_minor, *fee_minor, &giver.period.gift_fee)
            }
            Outcome::Done(Done::ToppedUp { left_minor, fee_minor, .. }) => {
                (*left_minor, *fee_minor, &giver.period.top_up_fee)
            }
            _ => return Ok(()),
        };
        let (fee, tax) = charge(fee, minor);
        let before = paid_from.filter(|(card, _)| *card == giver.card).map_or(0, |(_, balance)| balance);
        hold(fee_told == fee + tax, GIFT_AS_ASKED, || format!("entry {seq}: {fee_told} charged, {fee} and {tax} due"))?;
        hold(left == before - minor - fee - tax && left >= giver.period.residual_min_minor, GIFT_AS_ASKED, || {
            format!("entry {seq}: of {before} {left} are left after {minor}, {fee} and {tax}")
        })?;
        let parts: Vec<i64> = entry.verdict.effects.transfers.iter().map(|t| t.amount.minor()).collect();
        let due: Vec<i64> = [minor, fee, tax].into_iter().filter(|part| *part > 0).collect();
        hold(parts == due, GIFT_AS_ASKED, || format!("entry {seq}: moved {parts:?}, due {due:?}"))
    }

    /// Bounds of amounts, balances and ages.
    fn fits(&self, seq: Seq, at_ms: i64, giver: Giver, to: SubscriberId, minor: i64) -> Held {
        let period = giver.period;
        let bounds = period.amount_min.minor()..=period.amount_max.minor();
        let fits = bounds.contains(&minor) && minor % period.amount_step.minor() == 0;
        hold(fits, GIFT_AS_ASKED, || format!("entry {seq}: {minor} is no amount of the rules"))?;
        let held = self.books.balance(AccountId::Airtime(to)).minor;
        hold(period.recipient_balance_max.is_none_or(|most| held <= most.minor()), GIFT_AS_ASKED, || {
            format!("entry {seq}: the recipient has {held}")
        })?;
        let days = i32::try_from(period.age_days_min).unwrap_or(i32::MAX);
        let young = |row| self.registry.facts(row).is_none_or(|facts| date(at_ms) < date(facts.since.ms()) + days);
        let gift = to != giver.from && days > 0;
        hold(!gift || !(young(giver.from) || young(to)), GIFT_AS_ASKED, || format!("entry {seq}: too young"))
    }

    fn once(&mut self, seq: Seq, at_ms: i64, giver: Giver, to: SubscriberId, minor: i64) -> Held {
        let window_ms = i64::from(giver.rules.standing.repeat_window_s) * 1_000;
        let before = self.repeats.insert((giver.from, to, minor), (at_ms, seq));
        hold(before.is_none_or(|(then, _)| then + window_ms <= at_ms), NO_GIFT_TWICE, || {
            let how = if to == giver.from { "tops up" } else { "gives" };
            format!("entry {seq} {how} {minor} again after {before:?} (ms, entry), at {at_ms}")
        })
    }
}

/// Whether a card is this holder's and the proof opens it.
pub(super) fn opened_by(card: &CardFacts, holder: SubscriberId, proof: &Proof) -> bool {
    match &card.state {
        CardState::Bound { holder: bound, tag } | CardState::Frozen { holder: bound, tag, .. } => {
            *bound == holder && stands_for(proof, tag)
        }
        CardState::Expired { holder: bound, tag, .. } | CardState::Void { holder: bound, tag, .. } => {
            *bound == Some(holder) && stands_for(proof, tag)
        }
        CardState::Printed { .. } | CardState::InStock { .. } | CardState::Sold { .. } | CardState::Closed { .. } => {
            false
        }
    }
}

/// Whether one of a proof's tags is the stored one, octet by octet.
fn stands_for(proof: &Proof, stored: &PasswordTag) -> bool {
    let Proof::Tags { current, older } = proof else { return false };
    [Some(current), older.as_ref()].into_iter().flatten().any(|tag| tag.to_bytes() == stored.to_bytes())
}
