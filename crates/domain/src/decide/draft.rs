//! A verdict under construction: what the command would change, over the state as it is.
//!
//! Guarantees: an account appears once, with the balance after all transfers; every account and subscriber touched is
//! chained to the entry before. A refused draft drops its transfers, usage and rows, and keeps what refusals do.

use smallvec::SmallVec;

use crate::account::{AccountId, Transfer};
use crate::card::CardState;
use crate::effects::{BalanceAfter, Change, Effects, Named, UsageAfter};
use crate::ids::{CardId, LinkId, OperatorId, Serial, SubscriberId};
use crate::money::Amount;
use crate::number::Msisdn;
use crate::office::ceiling::{self, Ceiling};
use crate::office::refusal::OfficeRefusal;
use crate::office::{Record, RecordKey};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{CardFacts, Lock, Standing, State, Subscriber, SubscriberFacts};
use crate::time::{BusinessDate, Timestamp};
use crate::verdict::{Done, Verdict};

use super::memories;

/// Locks that are over and are removed by each wrong password that is counted: more than one, so that they get fewer.
const LOCKS_SWEPT: usize = 2;

/// See the module.
pub(super) struct Draft<'a> {
    pub(super) state: &'a State,
    pub(super) at: Timestamp,
    effects: Effects,
    /// Kept even when the outcome is a refusal.
    always: SmallVec<[Change; 1]>,
    new_subscribers: u32,
    new_cards: u32,
}

impl<'a> Draft<'a> {
    pub(super) fn new(state: &'a State, operator: Option<OperatorId>, at: Timestamp) -> Self {
        let mut draft =
            Self { state, at, effects: Effects::default(), always: SmallVec::new(), new_subscribers: 0, new_cards: 0 };
        if let Some(operator) = operator {
            draft.concern(operator);
        }
        draft
    }

    /// Says whose business date this is. Dates never run backwards, whatever the zone table says.
    pub(super) fn concern(&mut self, id: OperatorId) {
        if let Some(operator) = self.state.operator(id) {
            self.effects.operator = Some(id);
            self.effects.date = operator.rules.date(self.at).max(operator.date);
        }
    }

    /// The same for an operator whose first rules are being loaded.
    pub(super) fn concern_new(&mut self, id: OperatorId, rules: &Rules) {
        self.effects.operator = Some(id);
        self.effects.date = rules.date(self.at);
    }

    pub(super) const fn date(&self) -> BusinessDate {
        self.effects.date
    }

    /// Says that the entry is about a subscriber, so that their history finds it.
    pub(super) fn name(&mut self, subscriber: SubscriberId) {
        if self.effects.named().all(|named| named.subscriber != subscriber) {
            self.effects.others.push(self.with_history(subscriber));
        }
    }

    fn with_history(&self, subscriber: SubscriberId) -> Named {
        Named { subscriber, prev: self.state.subscriber(subscriber).map_or(Seq::ZERO, |row| row.latest) }
    }

    /// A subscriber for a change that carries their history: the entry names nobody twice.
    fn named_by_change(&mut self, subscriber: SubscriberId) -> Named {
        self.effects.others.retain(|named| named.subscriber != subscriber);
        self.with_history(subscriber)
    }

    /// Says that this entry posts a gift.
    pub(super) fn gave(&mut self, sender: SubscriberId, recipient: SubscriberId, amount: Amount) {
        let (sender, recipient) = (self.named_by_change(sender), self.named_by_change(recipient));
        self.change(Change::Gave { sender, recipient, amount });
    }

    /// Says that this entry sets a gift aside.
    pub(super) fn held(&mut self, sender: SubscriberId, recipient: SubscriberId, amount: Amount) {
        let (sender, recipient) = (self.named_by_change(sender), self.named_by_change(recipient));
        self.change(Change::Held { sender, recipient, amount });
    }

    /// Says that this entry posts an own top-up.
    pub(super) fn topped_up(&mut self, holder: SubscriberId, amount: Amount) {
        let holder = self.named_by_change(holder);
        self.change(Change::ToppedUp { holder, amount });
    }

    /// Adds a transfer.
    ///
    /// Fails only where a sum would leave `i64`, which issuance alone can bring about: everything else moves what was issued.
    pub(super) fn transfer(&mut self, debit: AccountId, credit: AccountId, amount: Amount) -> Result<(), Refusal> {
        self.add(debit, amount.minor().checked_neg().ok_or(Refusal::AmountOverflow)?)?;
        self.add(credit, amount.minor())?;
        self.effects.transfers.push(Transfer { debit, credit, amount });
        Ok(())
    }

    fn add(&mut self, account: AccountId, minor: i64) -> Result<(), Refusal> {
        let at = match self.effects.balances.iter().position(|balance| balance.account == account) {
            Some(at) => at,
            None => {
                let purse = self.state.purse(account).unwrap_or_default();
                let balance = BalanceAfter { account, after_minor: purse.balance_minor, prev: purse.latest };
                self.effects.balances.push(balance);
                self.effects.balances.len() - 1
            }
        };
        let Some(balance) = self.effects.balances.get_mut(at) else { return Ok(()) };
        balance.after_minor = balance.after_minor.checked_add(minor).ok_or(Refusal::AmountOverflow)?;
        // A purse below zero here is a bug of ours: every product checks cover first and names what is short.
        assert!(balance.after_minor >= 0 || !account.is_purse(), "a purse would go below zero");
        Ok(())
    }

    /// The balance after the transfers so far.
    pub(super) fn balance_minor(&self, account: AccountId) -> i64 {
        let drafted = self.effects.balances.iter().find(|balance| balance.account == account);
        drafted.map_or_else(
            || self.state.purse(account).map_or(0, |purse| purse.balance_minor),
            |balance| balance.after_minor,
        )
    }

    pub(super) fn use_limit(&mut self, usage: UsageAfter) {
        self.effects.usage.push(usage);
    }

    /// A change that happens only if the command is done.
    pub(super) fn change(&mut self, change: Change) {
        self.effects.changes.push(change);
    }

    /// What the office keeps under this name from now on.
    pub(super) fn record(&mut self, key: RecordKey, record: Option<Record>) {
        self.change(Change::Record { key, record });
    }

    /// The entry that this draft becomes.
    pub(super) const fn own_seq(&self) -> Seq {
        self.state.seq().next()
    }

    /// A change that happens even if the command is refused.
    pub(super) fn change_always(&mut self, change: Change) {
        self.always.push(change);
    }

    /// Puts a card into another state. One that leaves the shop can't be refunded any more: what each outlet took is forgotten.
    pub(super) fn set_card(&mut self, id: CardId, state: CardState) {
        let was_sold = self.state.card(id).is_some_and(|card| matches!(card.facts.state, CardState::Sold { .. }));
        let serial = Serial::of(id);
        if was_sold && !matches!(state, CardState::Sold { .. }) && self.state.takings(serial).is_some() {
            self.change(Change::Record { key: RecordKey::takings(serial), record: None });
        }
        self.change(Change::CardState { id, state });
    }

    /// Wrong passwords that count now. What is over counts no more, whether its row was swept away or not.
    pub(super) fn lock(&self, subscriber: SubscriberId, link: LinkId) -> Lock {
        let lock = self.state.lock(subscriber, link);
        if lock.over_at() <= self.at { Lock::default() } else { lock }
    }

    pub(super) fn set_lock(&mut self, subscriber: SubscriberId, link: LinkId, lock: Lock) {
        let Lock { wrong, level, until, at: _ } = lock;
        let known = self.state.lock(subscriber, link);
        let same = (known.wrong, known.level, known.until) == (wrong, level, until);
        // The same again after the first was over is written: it counts from now.
        if same && (lock.counts_nothing() || known.over_at() > self.at) {
            return;
        }
        if !lock.counts_nothing() {
            self.sweep_locks((subscriber, link));
        }
        self.change_always(Change::Lock { subscriber, link, wrong, level, until });
    }

    /// Removes [`LOCKS_SWEPT`] that are over, so that rows of callers who never dial again don't stay.
    fn sweep_locks(&mut self, but: (SubscriberId, LinkId)) {
        let over = self.state.locks.over(self.at).filter(|key| *key != but).take(LOCKS_SWEPT);
        for (subscriber, link) in over.collect::<SmallVec<[_; LOCKS_SWEPT]>>() {
            self.change_always(Change::Lock { subscriber, link, wrong: 0, level: 0, until: None });
        }
    }

    /// The row of an active or barred subscriber of that operator.
    pub(super) fn subscriber(&self, msisdn: Msisdn, operator: OperatorId) -> Option<(SubscriberId, &'a Subscriber)> {
        self.state
            .find_subscriber(msisdn)
            .filter(|(_, row)| row.facts.operator == operator && row.facts.standing != Standing::Released)
    }

    /// Whether an operator may have one more.
    pub(super) fn room(&self, of: Ceiling, operator: OperatorId) -> Result<(), OfficeRefusal> {
        let Some(known) = self.state.operator(operator) else { return Ok(()) };
        let (kept, standing) = (known.kept, &known.rules.standing);
        let (count, max) = match of {
            // Whatever a command creates is of one operator.
            Ceiling::Subscribers => (kept.subscribers + self.new_subscribers, standing.subscribers_max()),
            Ceiling::Cards => (kept.cards + self.new_cards, standing.cards_max()),
            Ceiling::Outlets => (kept.outlets, ceiling::OUTLETS_MAX),
            Ceiling::Batches => (kept.batches, ceiling::BATCHES_MAX),
            Ceiling::Quotes => (kept.quotes, ceiling::QUOTES_MAX),
            Ceiling::Motions => (kept.motions, ceiling::MOTIONS_MAX),
            Ceiling::RulesMotions => (kept.rules_motions, ceiling::RULES_MOTIONS_MAX),
            // Of a batch, not of an operator: see there.
            Ceiling::Runs => return Ok(()),
        };
        if count < max { Ok(()) } else { Err(OfficeRefusal::CeilingReached { of, max }) }
    }

    /// Creates a subscriber, of the generation after a released owner of the number.
    pub(super) fn create_subscriber(&mut self, facts: SubscriberFacts) -> Result<SubscriberId, Refusal> {
        let (id, facts) = self.next_subscriber(facts)?;
        self.change(Change::Subscriber { id, facts });
        Ok(id)
    }

    /// The same, even if the command is refused.
    pub(super) fn create_subscriber_always(&mut self, facts: SubscriberFacts) -> Result<SubscriberId, Refusal> {
        let (id, facts) = self.next_subscriber(facts)?;
        self.change_always(Change::Subscriber { id, facts });
        Ok(id)
    }

    fn next_subscriber(&mut self, facts: SubscriberFacts) -> Result<(SubscriberId, SubscriberFacts), Refusal> {
        self.room(Ceiling::Subscribers, facts.operator)?;
        let id = next_row(self.state.subscribers.len(), self.new_subscribers).map(SubscriberId)?;
        let before = self.state.find_subscriber(facts.msisdn);
        let generation = before.map_or(1, |(_, row)| row.facts.generation.saturating_add(1));
        self.new_subscribers += 1;
        Ok((id, SubscriberFacts { generation, ..facts }))
    }

    pub(super) fn create_card(&mut self, facts: CardFacts) -> Result<CardId, Refusal> {
        self.room(Ceiling::Cards, facts.operator)?;
        let id = next_row(self.state.cards.len(), self.new_cards).map(CardId)?;
        self.new_cards += 1;
        self.change(Change::Card { id, facts });
        Ok(id)
    }

    /// Ends the draft.
    pub(super) fn verdict(mut self, done: Result<Done, Refusal>) -> Verdict {
        if done.is_ok() {
            let turns = memories::turns(self.state, self.at, &self.effects.changes, &self.effects.usage);
            self.always.extend(turns);
        } else {
            self.effects.transfers.clear();
            self.effects.balances.clear();
            self.effects.usage.clear();
            self.effects.changes.clear();
            // A row that was to be created is nobody's: naming it would not fit the state.
            let created =
                |id| self.always.iter().any(|c| matches!(c, Change::Subscriber { id: new, .. } if *new == id));
            let state = self.state;
            self.effects
                .others
                .retain(|Named { subscriber, .. }| state.subscriber(*subscriber).is_some() || created(*subscriber));
        }
        // Rows that a refused command creates all the same come first: others may name them.
        self.always.append(&mut self.effects.changes);
        self.effects.changes = self.always;
        Verdict { outcome: done.into(), effects: self.effects }
    }
}

fn next_row(len: usize, new: u32) -> Result<u32, Refusal> {
    let too_many = Refusal::TooMuchAtOnce { max: u32::MAX };
    u32::try_from(len).ok().and_then(|len| len.checked_add(new)).filter(|row| *row < u32::MAX).ok_or(too_many)
}

#[cfg(test)]
mod tests {
    use super::next_row;

    /// The last number stands for none: a serial is a row and one.
    #[test]
    fn rows_end_before_the_last_number() {
        let most = u32::MAX as usize;
        for (len, new, row) in [
            (0, 0, Some(0)),
            (5, 2, Some(7)),
            (most - 1, 0, Some(u32::MAX - 1)),
            (most - 2, 1, Some(u32::MAX - 1)),
            (most - 1, 1, None),
            (most, 0, None),
            (most, 1, None),
            (usize::MAX, 0, None),
        ] {
            assert_eq!(next_row(len, new).ok(), row, "{len} and {new}");
        }
    }
}
