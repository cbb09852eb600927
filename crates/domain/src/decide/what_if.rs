//! What posted gifts would have been under other rules: deciding old commands again, which replay never does.
//!
//! For: `sonmul what-if`, which folds a journal and asks here before each gift of one operator is applied.
//!
//! What is taken from the journal: who gave what to whom and when, the business date, balances, whose cards they were.
//! What is decided anew: whether the service was open, rest after a SIM change, cards that a dated rule voids, number
//! ranges, bounds of amounts, repetition, age, limits, what may come in, fee and cover, in the order of
//! [`GIFT_ORDER`](crate::refusal::GIFT_ORDER).
//!
//! Guarantees: usage and repetition are counted from those gifts alone that these rules let through, so that one refused
//! gift makes room for the next. Passwords are taken as right: they were. A gift on hold counts when it was taken.
//!
//! Bounded by [`USAGE_SOON`] rows of usage, past which those of windows that are over are swept once a day.
//!
//! Deliberately not here: gifts that were refused then and would not be now (nobody knows their passwords' outcome), what
//! people would have done instead, `refusals_per_day`, holds and undoing, which all depend on it.

use std::collections::HashMap;

use crate::account::AccountId;
use crate::command::Gift;
use crate::effects::{Effects, Given};
use crate::generations::Generations;
use crate::ids::OperatorId;
use crate::memory::REPEAT_GENERATION_MS;
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::rules::limit::{Kind, Window};
use crate::rules::tariff::Charged;
use crate::state::{Repeat, RepeatKey, Standing, State, SubscriberFacts, Usage, UsageKey};
use crate::time::{BusinessDate, Timestamp};

use super::admission::{self, Asked, Terms};
use super::limits::Parties;
use super::proof;
use super::rules::numbered;

/// Rows of usage after which the next business date sweeps those of windows that are over.
const USAGE_SOON: usize = 1 << 20;

/// Proposed rules, and what they have let through so far. See the module.
#[derive(Debug)]
pub struct WhatIf {
    operator: OperatorId,
    rules: Rules,
    usage: HashMap<UsageKey, Usage>,
    given: Generations<RepeatKey, Repeat>,
    given_turned: Timestamp,
    /// The first gift that was decided here: what the state remembers from before it counts too.
    began: Option<Seq>,
    swept: BusinessDate,
}

impl WhatIf {
    /// Rules to try on an operator's gifts; `None` when they have more limits than can be numbered.
    pub fn new(operator: OperatorId, rules: Rules) -> Option<Self> {
        Some(Self {
            operator,
            // Before anything: a period that is over by now had limits too.
            rules: numbered(&State::default(), operator, rules, Timestamp::MIN)?.rules,
            usage: HashMap::new(),
            given: Generations::default(),
            given_turned: Timestamp::MIN,
            began: None,
            swept: BusinessDate::default(),
        })
    }

    /// So many days before the first date that matters gifts must be decided already, or windows of days begin empty.
    pub fn lead_days(&self) -> i32 {
        let days = self.rules.limits().filter(|limit| matches!(limit.window, Window::Days(_)));
        days.map(|limit| limit.window.days_max()).max().unwrap_or(0)
    }

    /// Decides a gift again that was posted or taken on hold. `state` is as before its entry, `effects` are the entry's.
    ///
    /// `None`: it is no such gift, or another operator's.
    pub fn gift(
        &mut self,
        state: &State,
        at: Timestamp,
        gift: &Gift,
        effects: &Effects,
    ) -> Option<Result<Charged, Refusal>> {
        let Given { sender, recipient, amount } = effects.gift()?;
        let card = effects.paid_by()?;
        if effects.operator != Some(self.operator) || gift.caller.operator != self.operator {
            return None;
        }
        let seq = state.seq().next();
        self.turn(at, effects.date);
        self.began.get_or_insert(seq);
        let key = RepeatKey { sender, recipient, amount };
        let parties = Parties { kind: Kind::Gift, from: sender, to: recipient, card };
        let decided = self.decide(state, (at, effects.date), gift, parties, key);
        Some(decided.map(|(charged, usage)| {
            for used in usage {
                let key = UsageKey { limit: used.limit, subject: used.subject };
                self.usage.insert(key, Usage { start: used.start, count: used.count, total_minor: used.total_minor });
            }
            self.given.insert(key, Repeat { at, seq });
            charged
        }))
    }

    fn decide(
        &self,
        state: &State,
        (at, date): (Timestamp, BusinessDate),
        gift: &Gift,
        parties: Parties,
        key: RepeatKey,
    ) -> Result<admission::Admitted, Refusal> {
        let terms = Terms::under(state, self.operator, &self.rules, (at, date))?;
        let sender = state.subscriber(key.sender).ok_or(Refusal::CallerUnknown)?;
        admission::may_give(&terms, &proof::heard_from(&sender.facts, &gift.caller, at))?;
        let card = state.card(parties.card).ok_or(Refusal::NoCard)?;
        admission::may_pay(&terms, parties.card, card)?;
        if gift.recipient.value().is_some_and(|recipient| !self.rules.numbers.is_own(recipient)) {
            return Err(Refusal::RecipientElsewhere);
        }
        let recipient = match state.subscriber(key.recipient) {
            Some(known) => known.facts,
            // A number that became a subscriber by this gift.
            None if self.rules.standing.first_use => {
                SubscriberFacts { since: at, standing: Standing::Active, ..sender.facts }
            }
            None => return Err(Refusal::RecipientUnknown),
        };
        admission::may_receive(&recipient)?;
        admission::amount(&terms, key.amount)?;
        let airtime = state.purse(AccountId::Airtime(key.recipient)).map_or(0, |purse| purse.balance_minor);
        let asked = Asked {
            parties,
            amount: key.amount,
            sender: &sender.facts,
            recipient: &recipient,
            before: self.before(state, &key),
            airtime_minor: airtime,
            card_minor: card.purse.balance_minor,
        };
        admission::gift(&terms, &asked, |key, _| self.usage.get(&key).copied())
    }

    /// The same gift before: of those let through here, or from the time before this began.
    fn before(&self, state: &State, key: &RepeatKey) -> Option<Repeat> {
        let began = self.began.unwrap_or(Seq::ZERO);
        self.given.get(key).copied().or_else(|| state.repeat(key).filter(|given| given.seq < began))
    }

    /// Forgets what can't matter any more.
    fn turn(&mut self, at: Timestamp, date: BusinessDate) {
        if at.ms().saturating_sub(self.given_turned.ms()) >= REPEAT_GENERATION_MS {
            self.given.turn();
            self.given_turned = at;
        }
        if self.swept < date && self.usage.len() > USAGE_SOON {
            let windows: HashMap<_, _> = self.rules.limits().map(|limit| (limit.id, limit.window)).collect();
            let counts = |key: &UsageKey, used: &Usage| {
                windows.get(&key.limit).is_some_and(|window| date < window.end(used.start))
            };
            self.usage.retain(|key, used| counts(key, used));
            self.swept = date;
        }
    }
}

/// The rules with one of their periods as if it had always been in force, and each of its limits with it; `None`: there is
/// no such period. For trying what is to come on what was. It voids no card, for none is older than always.
pub fn always(rules: &Rules, period: &str) -> Option<Rules> {
    let mut period = rules.periods.iter().find(|known| known.name == period)?.clone();
    (period.from, period.until) = (Timestamp::MIN, Timestamp::MAX);
    for limit in &mut period.limits {
        (limit.from, limit.until) = (Timestamp::MIN, Timestamp::MAX);
    }
    Some(Rules { periods: vec![period], ..rules.clone() })
}
