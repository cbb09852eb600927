//! Refusals that name something: a limit, a shortage, an earlier gift. What they name must be so.

use domain::command::{Body, Caller};
use domain::ids::{CardId, SubscriberId};
use domain::password::Proof;
use domain::receipt::Seq;
use domain::refusal::Refusal;
use domain::rules::limit::Kind;
use domain::rules::{Period, Rules};

use super::as_asked::{charge, opened_by};
use super::limits::Parties;
use super::registry::usable;
use super::{Oracle, amount_of, period_of};
use crate::invariant::{Held, REFUSAL_HOLDS, hold};

/// What a refused gift or top-up was about.
#[derive(Clone, Copy)]
struct Asked<'a> {
    at_ms: i64,
    caller: &'a Caller,
    kind: Kind,
    minor: i64,
    rules: &'static Rules,
    period: &'static Period,
    from: SubscriberId,
    to: Option<SubscriberId>,
    proof: &'a Proof,
}

impl Oracle {
    /// Judges a refusal by the world before it.
    pub(super) fn refused(&self, seq: Seq, at_ms: i64, body: &Body, refusal: &Refusal) -> Held {
        if let Some(caller) = body.caller() {
            self.refused_caller(seq, at_ms, caller, body, refusal)?;
        }
        let Some(asked) = self.asked(at_ms, body) else { return Ok(()) };
        let holds = match refusal {
            Refusal::LimitReached { limit, until } => self.opened(&asked).any(|(card, _)| {
                let to = asked.to.unwrap_or(SubscriberId(u32::MAX));
                let parties = Parties { operator: asked.caller.operator, kind: asked.kind, from: asked.from, to, card };
                let passed = self.limits.passed_all(asked.rules, at_ms, parties, asked.minor);
                passed.iter().any(|(name, used)| *name == limit && used.anew == until.days())
            }),
            Refusal::InsufficientFunds { short_by_minor } => self.opened(&asked).any(|(_, balance)| {
                let fee = if asked.kind == Kind::Gift { &asked.period.gift_fee } else { &asked.period.top_up_fee };
                let (fee, tax) = charge(fee, asked.minor);
                *short_by_minor > 0
                    && balance + short_by_minor == asked.minor + fee + tax + asked.period.residual_min_minor
            }),
            Refusal::Repeated { given_at, seq: given, again_at } => asked.to.is_some_and(|to| {
                let window_ms = i64::from(asked.rules.standing.repeat_window_s) * 1_000;
                self.repeats.get(&(asked.from, to, asked.minor)) == Some(&(given_at.ms(), *given))
                    && again_at.ms() == given_at.ms() + window_ms
                    && at_ms < again_at.ms()
            }),
            Refusal::AmountBelowMinimum { min_minor } => asked.minor < *min_minor,
            Refusal::AmountAboveMaximum { max_minor } => asked.minor > *max_minor,
            Refusal::AmountOffStep { step_minor } => asked.minor % step_minor != 0,
            Refusal::RecipientIsCaller => asked.to == Some(asked.from),
            Refusal::RecipientBalanceMax { room_minor } => {
                let to = domain::account::AccountId::Airtime(asked.to.unwrap_or(asked.from));
                let most = asked.period.recipient_balance_max.map_or(i64::MAX, domain::money::Amount::minor);
                *room_minor == (most - self.books.balance(to).minor).max(0) && *room_minor < asked.minor
            }
            _ => true,
        };
        hold(holds, REFUSAL_HOLDS, || format!("entry {seq}: {refusal:?} is not so (of {} at {at_ms})", asked.minor))
    }

    fn refused_caller(&self, seq: Seq, at_ms: i64, caller: &Caller, body: &Body, refusal: &Refusal) -> Held {
        let row = self.registry.active(caller.msisdn, caller.operator);
        let rules = self.registry.rules(caller.operator);
        let holds = match refusal {
            Refusal::ServiceClosed { .. } => {
                rules.and_then(|rules| period_of(rules, at_ms)).is_none_or(|period| period.closed)
            }
            Refusal::CallerUnknown => row.is_none(),
            Refusal::NoCard => row.is_none_or(|row| self.registry.cards_of(row).next().is_none()),
            Refusal::WrongPassword { .. } => match (proof_of(body), row) {
                (Some(proof), Some(row)) => self.registry.cards_of(row).all(|(_, card)| !opened_by(card, row, proof)),
                _ => true,
            },
            _ => true,
        };
        hold(holds, REFUSAL_HOLDS, || format!("entry {seq}: {refusal:?} of {} is not so", body.name()))
    }

    /// Usable cards that the proof opens, with their balance.
    fn opened<'a>(&'a self, asked: &'a Asked<'_>) -> impl Iterator<Item = (CardId, i64)> + 'a {
        let cards = self.registry.cards_of(asked.from);
        let opened = cards
            .filter(|(_, card)| opened_by(card, asked.from, asked.proof) && usable(asked.rules, card, asked.at_ms));
        opened.map(|(id, _)| (id, self.books.balance(domain::account::AccountId::Card(id)).minor))
    }

    fn asked<'a>(&self, at_ms: i64, body: &'a Body) -> Option<Asked<'a>> {
        let caller = body.caller()?;
        let rules = self.registry.rules(caller.operator)?;
        let from = self.registry.active(caller.msisdn, caller.operator)?;
        let (kind, to) = match body {
            Body::Gift(gift) => {
                (Kind::Gift, gift.recipient.value().and_then(|to| self.registry.active(to, caller.operator)))
            }
            _ => (Kind::TopUp, Some(from)),
        };
        let (minor, period, proof) = (amount_of(body)?, period_of(rules, at_ms)?, proof_of(body)?);
        Some(Asked { at_ms, caller, kind, minor, rules, period, from, to, proof })
    }
}

/// The password in the *holder* domain that a command carries.
const fn proof_of(body: &Body) -> Option<&Proof> {
    match body {
        Body::Gift(gift) => Some(&gift.proof),
        Body::TopUp(top_up) => Some(&top_up.proof),
        Body::ShowCards(proved) | Body::ShowGifts(proved) | Body::Freeze(proved) | Body::Undo(proved) => {
            Some(&proved.proof)
        }
        Body::ChangePassword(change) => Some(&change.old),
        _ => None,
    }
}
