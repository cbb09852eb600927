//! The books kept a second time, from commands and answers alone: what every account adds up to after each entry.

use std::collections::BTreeMap;

use super::desk::is_void;
use crate::account::AccountId;
use crate::card::CardState;
use crate::command::Body;
use crate::currency::Currency;
use crate::ids::{CardId, OperatorId};
use crate::office::done::OfficeDone;
use crate::office::motion::{Motion, Proposal};
use crate::office::till::TillCommand;
use crate::office::{Asked, Record, RecordKey, RecordKind};
use crate::state::{Card, Standing, State};
use crate::verdict::{Done, Outcome, Verdict};

/// Sums since zero.
#[derive(Default)]
pub(super) struct Books {
    /// Airtime put into the world: issued, imported, sold.
    issued: BTreeMap<OperatorId, i128>,
    /// Airtime that was taken back for money.
    refunded: BTreeMap<OperatorId, i128>,
    /// Sales less refunds less what was paid out.
    cash: BTreeMap<(OperatorId, Currency), i128>,
    /// Deposits less withdrawals less what was paid out.
    came: BTreeMap<(OperatorId, Currency), i128>,
    /// What two people booked by hand.
    hand: BTreeMap<AccountId, i128>,
}

impl Books {
    /// Takes in an entry, and compares.
    pub(super) fn entry(&mut self, before: &State, after: &State, body: &Body, verdict: &Verdict) {
        if let Outcome::Done(done) = &verdict.outcome {
            self.count(before, body, verdict, done);
        }
        stopped_cards_move_nothing(before, after, body, verdict);
        self.compare(after);
    }

    fn count(&mut self, before: &State, body: &Body, verdict: &Verdict, done: &Done) {
        let Some(operator) = verdict.effects.operator else { return };
        match (done, body) {
            (Done::Issued { .. }, Body::IssueCards(issue)) => {
                let issued: i128 = issue.cards.iter().map(|card| i128::from(card.value.minor())).sum();
                *self.issued.entry(operator).or_default() += issued;
            }
            (Done::Imported { .. }, Body::ImportSubscribers(import)) => {
                let known = |row: &crate::state::Subscriber| row.facts.standing != Standing::Released;
                let new = import
                    .subscribers
                    .iter()
                    .filter(|new| before.find_subscriber(new.msisdn).is_none_or(|(_, row)| !known(row)));
                let issued: i128 = new.filter_map(|new| new.airtime).map(|airtime| i128::from(airtime.minor())).sum();
                *self.issued.entry(operator).or_default() += issued;
            }
            (Done::Office(done), body) => self.office(before, operator, body, done),
            _ => {}
        }
    }

    fn office(&mut self, before: &State, operator: OperatorId, body: &Body, done: &OfficeDone) {
        let till = match body {
            Body::Office(office) => match &office.what {
                Asked::Till(command) => Some(command),
                _ => None,
            },
            _ => None,
        };
        match (done, till) {
            (OfficeDone::Sold { currency, price_minor, value_minor, .. }, _) => {
                *self.cash.entry((operator, *currency)).or_default() += i128::from(*price_minor);
                *self.issued.entry(operator).or_default() += i128::from(*value_minor);
            }
            (OfficeDone::Refunded { currency, price_minor }, Some(TillCommand::Refund { serial })) => {
                let (_, card) = before.card_of_serial(*serial).expect("a card");
                let value = card.bought.expect("a card that was bought").value;
                *self.cash.entry((operator, *currency)).or_default() -= i128::from(*price_minor);
                *self.refunded.entry(operator).or_default() += i128::from(value.minor());
            }
            (OfficeDone::PaidOut { currency, paid_minor, value_minor }, _) => {
                *self.cash.entry((operator, *currency)).or_default() -= i128::from(*paid_minor);
                *self.came.entry((operator, *currency)).or_default() -= i128::from(*paid_minor);
                *self.refunded.entry(operator).or_default() += i128::from(*value_minor);
            }
            (OfficeDone::FloatChanged { .. }, Some(TillCommand::Deposit { currency, amount, .. })) => {
                *self.came.entry((operator, *currency)).or_default() += i128::from(amount.minor());
            }
            (OfficeDone::FloatChanged { .. }, Some(TillCommand::Withdraw { currency, amount, .. })) => {
                *self.came.entry((operator, *currency)).or_default() -= i128::from(amount.minor());
            }
            (OfficeDone::Approved { motion, .. }, _) => {
                let known = before.record(RecordKey::made_by(RecordKind::Motion, *motion));
                if let Some(Record::Motion(known)) = known {
                    self.by_hand(known);
                }
            }
            _ => {}
        }
    }

    fn by_hand(&mut self, motion: &Motion) {
        if let Proposal::Adjust { debit, credit, amount, .. } = motion.proposal {
            *self.hand.entry(debit).or_default() -= i128::from(amount.minor());
            *self.hand.entry(credit).or_default() += i128::from(amount.minor());
        }
    }

    fn compare(&self, state: &State) {
        let mut kinds: BTreeMap<(OperatorId, &str, Option<Currency>), i128> = BTreeMap::new();
        for (account, purse) in state.accounts() {
            let owner = state.owner(account).expect("an owner");
            *kinds.entry((owner, account.kind(), account.currency())).or_default() += i128::from(purse.balance_minor);
        }
        for (operator, _) in state.operators() {
            let sum = |kind| kinds.get(&(operator, kind, None)).copied().unwrap_or_default();
            let hand = |account| self.hand.get(&account).copied().unwrap_or_default();
            let of = |sums: &BTreeMap<OperatorId, i128>| sums.get(&operator).copied().unwrap_or_default();
            let incomes = sum("fee-income") + sum("tax-payable") + sum("call-income") + sum("breakage");
            let out = sum("card") + sum("airtime") + sum("held") + incomes + sum("refunded");
            assert_eq!(-sum("position"), out, "what was issued is somewhere");
            assert_eq!(-sum("position"), of(&self.issued) - hand(AccountId::Position(operator)));
            assert_eq!(sum("refunded"), of(&self.refunded) + hand(AccountId::Refunded(operator)));
            assert_eq!(sum("held"), held(state, operator), "what is held belongs to a gift or a call");
            for currency in Currency::ALL {
                let sum = |kind| kinds.get(&(operator, kind, Some(currency))).copied().unwrap_or_default();
                let of = |sums: &BTreeMap<_, i128>| sums.get(&(operator, currency)).copied().unwrap_or_default();
                let position = AccountId::CashPosition(operator, currency);
                assert_eq!(sum("cash"), of(&self.cash) + hand(AccountId::Cash(operator, currency)));
                assert_eq!(-sum("cash-position"), of(&self.came) - hand(position));
                assert_eq!(-sum("cash-position"), sum("float") + sum("cash"), "what came in is somewhere");
            }
        }
        for (id, card) in state.cards() {
            self.card(id, card);
        }
    }

    /// What is not sold yet is worth nothing, and what is over holds nothing, but for what two people booked.
    fn card(&self, id: CardId, card: &Card) {
        let worthless = matches!(
            card.facts.state,
            CardState::Printed { .. }
                | CardState::InStock { .. }
                | CardState::Closed { .. }
                | CardState::Expired { .. }
        );
        let by_hand = self.hand.contains_key(&AccountId::Card(id));
        assert!(!worthless || by_hand || card.purse.balance_minor == 0, "{id:?} {:?}", card.facts.state);
    }
}

/// Gifts on hold and calls in progress of one operator.
fn held(state: &State, operator: OperatorId) -> i128 {
    let of = |record: &Record| match record {
        Record::Hold(hold) if hold.operator == operator => i128::from(hold.total_minor()),
        Record::Call(call) if call.operator == operator => i128::from(call.held_minor),
        _ => 0,
    };
    state.records().map(|(_, record)| of(record)).sum()
}

/// A void or frozen card, and one whose life is over: only what gives back reaches it, only what ends it takes from it.
fn stopped_cards_move_nothing(before: &State, after: &State, body: &Body, verdict: &Verdict) {
    for balance in &verdict.effects.balances {
        let AccountId::Card(id) = balance.account else { continue };
        let Some(card) = before.card(id) else { continue };
        let state = card.facts.state;
        let live = matches!(state, CardState::Sold { .. } | CardState::Bound { .. });
        if live && !is_void(before, id, after.at()) {
            continue;
        }
        let Outcome::Done(done) = &verdict.outcome else { panic!("a refusal moves nothing") };
        let taken = balance.after_minor < card.purse.balance_minor;
        let allowed = match done {
            Done::CardExpired { .. } => taken && !is_void(before, id, after.at()),
            Done::Undone { .. } => !taken,
            Done::Office(done) => match **done {
                OfficeDone::Sold { .. } => matches!(state, CardState::InStock { .. }) && !taken,
                OfficeDone::PaidOut { .. } | OfficeDone::Refunded { .. } => taken,
                OfficeDone::HoldVoided { .. } => !taken,
                OfficeDone::Approved { .. } => true,
                _ => false,
            },
            _ => false,
        };
        assert!(allowed, "{} moved {id:?}, which is {}", body.name(), state.name());
    }
}
