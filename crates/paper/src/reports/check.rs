//! The daily check from three sides. What the entries moved, what the accounts hold, and what the checkpoint says must be the
//! same.
//!
//! 1. Journal and checkpoint: every account and every row of its tables, at the entry that it belongs to.
//! 2. Accounts and each other: each operator's accounts of a unit add up to zero. In airtime that is −position = cards +
//!    airtime + held + fee income + tax + call income + breakage + refunded.
//! 3. Accounts and movements: each kind's balance is what transfers brought less what they took; the cash of a currency is its
//!    sales less refunds and pay-outs, and bookings by hand.
//!
//! It may go on from a state that an earlier check [signed](super::signed): then the entries before it are not read again.
//!
//! Guarantees: every difference is told, not only the first; from a signed state on the same is found as from entry one.
//! Deliberately not here: sealed files and anchors (`sonmul verify`); what is done about a difference.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

use domain::currency::Currency;
use domain::ids::OperatorId;
use domain::receipt::Seq;
use domain::verdict::Entry;
use engine::recover::RecoverFault;
use engine::replica::Fold;
use minicbor::{Decode, Encode};

use super::agree::{Waiting, operator_name, unbalanced, unit_name};
use super::balances::{Books, books};
use super::fault::ReportFault;
use super::fold::{Journal, Progress};
use super::turnover::{Flow, KINDS, Turnover, flow, kinds};

/// Something that does not agree.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Whose; `None`: it concerns every operator.
    pub operator: Option<OperatorId>,
    /// What differs, in one sentence.
    pub what: String,
}

/// What the check has folded and found.
#[derive(Default)]
pub struct Check {
    /// As the journal makes it, and how far.
    pub folded: Fold,
    /// Entries up to this one were folded by an earlier check; 0: none.
    pub from: Seq,
    moved: BTreeMap<OperatorId, Moves>,
    /// All that does not agree.
    pub differences: Vec<Difference>,
    /// The checkpoint is not what the journal says.
    pub rebuild: bool,
}

/// What was issued in a unit, and where it is now, minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Public name of the operator.
    pub operator: String,
    /// A currency's code, or `airtime`.
    pub unit: &'static str,
    /// What the position says was put into the world.
    pub issued: i128,
    /// What is on all other accounts.
    pub found: i128,
}

/// What one operator's entries moved, as it is kept in a signed state: all numbers of [`Turnover`], then the cash of each
/// currency in the order of [`Currency::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Sums(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

/// What one operator's entries moved.
#[derive(Default)]
struct Moves {
    turnover: Turnover,
    /// Sales less refunds and pay-outs, and bookings by hand.
    cash: BTreeMap<Currency, i128>,
}

impl Moves {
    fn sums(&self) -> Sums {
        let cash = Currency::ALL.map(|currency| self.cash.get(&currency).copied().unwrap_or_default());
        Sums(self.turnover.numbers().chain(cash).flat_map(i128::to_be_bytes).collect())
    }

    fn of(Sums(octets): &Sums) -> Self {
        let (numbers, _) = octets.as_chunks::<16>();
        let mut numbers = numbers.iter().map(|octets| i128::from_be_bytes(*octets));
        let turnover = Turnover::of_numbers(&mut numbers);
        Self { turnover, cash: Currency::ALL.into_iter().zip(numbers).filter(|(_, minor)| *minor != 0).collect() }
    }

    fn add(&mut self, entry: &Entry) {
        let transfers = &entry.verdict.effects.transfers;
        self.turnover.add(transfers);
        for transfer in transfers {
            let Some((flow, currency, _)) = flow(entry, transfer) else { continue };
            let minor = i128::from(transfer.amount.minor());
            *self.cash.entry(currency).or_default() += match flow {
                Flow::Sale => minor,
                Flow::Refund | Flow::PayOut => -minor,
                Flow::Deposit | Flow::Withdrawal => 0,
                Flow::Adjusted(change) => change,
            };
        }
    }
}

impl Check {
    /// Goes on from what an earlier check folded.
    pub(super) fn after(folded: Fold, sums: Vec<(OperatorId, Sums)>) -> Self {
        let moved = sums.iter().map(|(operator, sums)| (*operator, Moves::of(sums))).collect();
        Self { from: folded.head.seq, folded, moved, ..Self::default() }
    }

    /// What each operator's entries moved so far.
    pub(super) fn sums(&self) -> Vec<(OperatorId, Sums)> {
        self.moved.iter().map(|(operator, moves)| (*operator, moves.sums())).collect()
    }

    /// Folds the journal and compares all three sides. The checkpoint must have been loaded before the journal was opened.
    ///
    /// # Errors
    /// What keeps the fold from going on; what was found until then is kept.
    pub fn fold(
        &mut self,
        journal: &Journal,
        checkpoint: &mut Waiting,
        progress: Progress<'_>,
    ) -> Result<(), ReportFault> {
        // Nothing may have happened since a state was signed.
        self.as_checkpointed(checkpoint)?;
        journal.after::<Infallible>(self.folded.head, progress, |batch| {
            self.folded.batch(batch).map_err(RecoverFault::from)?;
            for entry in &batch.entries {
                self.moves(entry);
            }
            self.as_checkpointed(checkpoint)?;
            Ok(ControlFlow::Continue(()))
        })?;
        checkpoint.none_ahead(self.folded.head)?;
        let unbalanced = unbalanced(&self.folded.state).into_iter();
        self.differences.extend(unbalanced.map(|(operator, what)| Difference { operator: Some(operator), what }));
        for (operator, _) in self.folded.state.operators() {
            self.differences.extend(self.unmoved(operator, &books(&self.folded.state, operator)));
        }
        Ok(())
    }

    fn as_checkpointed(&mut self, checkpoint: &mut Waiting) -> Result<(), ReportFault> {
        for what in checkpoint.after(self.folded.head, &self.folded.state)? {
            self.differences.push(Difference { operator: None, what });
            self.rebuild = true;
        }
        Ok(())
    }

    fn moves(&mut self, entry: &Entry) {
        let effects = &entry.verdict.effects;
        let Some(first) = effects.transfers.first() else { return };
        let owner = effects.operator.or_else(|| self.folded.state.owner(first.debit));
        if let Some(owner) = owner {
            self.moved.entry(owner).or_default().add(entry);
        }
    }

    /// Balances of an operator that are not what its entries moved.
    fn unmoved(&self, operator: OperatorId, books: &Books) -> Vec<Difference> {
        let nothing = Moves::default();
        let moves = self.moved.get(&operator).unwrap_or(&nothing);
        let balance = |kind| books.get(&kind).map_or(0, |held| held.balance);
        let name = operator_name(&self.folded.state, operator);
        let mut found = Vec::new();
        for kind in kinds() {
            let moved = moves.turnover.of(kind);
            let (moved, held) = (moved.credit - moved.debit, balance(kind));
            if moved != held {
                let (kind, unit) = (KINDS.get(kind.1).copied().unwrap_or_default(), unit_name(kind.0));
                found.push(format!("{kind} of {name} in {unit}: the entries moved {moved}, the accounts hold {held}"));
            }
        }
        for currency in Currency::ALL {
            let taken = moves.cash.get(&currency).copied().unwrap_or_default();
            let held = cash_of(books, currency);
            if taken != held {
                let code = currency.code();
                found.push(format!(
                    "cash of {name} in {code}: sales less refunds are {taken}, the account holds {held}"
                ));
            }
        }
        found.into_iter().map(|what| Difference { operator: Some(operator), what }).collect()
    }

    /// What the parts of each unit are, for whoever reads along.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (operator, known) in self.folded.state.operators() {
            let books = books(&self.folded.state, operator);
            for unit in [None].into_iter().chain(Currency::ALL.map(Some)) {
                let of_unit: Vec<(&str, i128)> = books
                    .iter()
                    .filter(|((of, _), _)| *of == unit)
                    .map(|((_, place), held)| (KINDS.get(*place).copied().unwrap_or_default(), held.balance))
                    .collect();
                if of_unit.is_empty() {
                    continue;
                }
                let against = if unit.is_none() { "position" } else { "cash-position" };
                let (position, others): (Vec<_>, Vec<_>) = of_unit.iter().partition(|(kind, _)| *kind == against);
                let sum = |parts: &[(&str, i128)]| parts.iter().map(|(_, minor)| *minor).sum::<i128>();
                parts.push(Part {
                    operator: known.rules.operator.clone(),
                    unit: unit_name(unit),
                    issued: -sum(&position),
                    found: sum(&others),
                });
            }
        }
        parts
    }
}

fn cash_of(books: &Books, currency: Currency) -> i128 {
    let place = KINDS.iter().position(|kind| *kind == "cash").unwrap_or_default();
    books.get(&(Some(currency), place)).map_or(0, |held| held.balance)
}

#[cfg(test)]
mod tests {
    use super::Check;
    use crate::reports::agree::Waiting;
    use crate::reports::tests::world::World;

    /// What the check finds in a world.
    fn found(world: World) -> (Option<usize>, Vec<String>) {
        let (kept, journal) = world.written();
        let mut checkpoint = Waiting::load(&kept).expect("readable");
        let mut check = Check::default();
        check.fold(&journal, &mut checkpoint, &mut |_| {}).expect("folded");
        (
            checkpoint.compared.map(|(_, accounts)| accounts),
            check.differences.into_iter().map(|difference| difference.what).collect(),
        )
    }

    #[test]
    fn a_month_with_sales_agrees_on_all_sides() {
        let (checkpoint, differences) = found(World::november());
        assert_eq!((checkpoint, differences), (Some(18), Vec::new()));
    }

    #[test]
    fn a_balance_that_no_movement_made_is_named() {
        let mut world = World::new();
        world.on("2026-11-02T01:00:00Z");
        world.gift(2, 1, 50, None);
        world.spoil(|entry| entry.verdict.effects.balances[2].after_minor += 1);
        let (_, differences) = found(world);
        assert_eq!(
            differences,
            [
                "the accounts of koryolink in airtime add up to 1, not to 0",
                "fee-income of koryolink in airtime: the entries moved 4, the accounts hold 5",
            ]
        );
    }

    #[test]
    fn cash_that_is_not_sales_less_refunds_is_named() {
        let mut world = World::new();
        world.on("2026-11-02T01:00:00Z");
        let mut world = world.sold();
        // What the sale booked to the operator's cash is missing there.
        world.spoil(|entry| {
            let cash = entry.verdict.effects.balances.iter_mut().find(|balance| balance.account.kind() == "cash");
            cash.expect("an account").after_minor -= 1;
        });
        let (_, differences) = found(world);
        assert_eq!(
            differences,
            [
                "the accounts of koryolink in USD add up to -1, not to 0",
                "cash of koryolink in USD: the entries moved 1000, the accounts hold 999",
                "cash of koryolink in USD: sales less refunds are 1000, the account holds 999",
            ]
        );
    }
}
