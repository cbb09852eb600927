//! Whether the books agree: the fold with the checkpoint, and the accounts with each other.
//!
//! Guarantees: nothing is written; a difference is a line that names the row and both sides.
//! Bounded by [`SHOWN_MAX`] lines of a checkpoint's differences. Deliberately not here: where a checkpoint is kept ([`Kept`]).

use domain::account::AccountId;
use domain::currency::Currency;
use domain::ids::{OperatorId, Serial};
use domain::receipt::Seq;
use domain::same::Difference;
use domain::state::State;
use engine::checkpoint::CheckpointFault;
use engine::journal::Head;
use engine::recover::RecoverFault;
use engine::replica::Replica;

use super::fault::ReportFault;

/// Rows of the checkpoint that are told one by one.
pub const SHOWN_MAX: usize = 20;

/// A checkpoint, as whoever keeps it shows it. A server may write to it meanwhile.
pub trait Kept {
    /// The checkpoint as it was at one moment. `None`: there is no checkpoint.
    ///
    /// # Errors
    /// When it can't be read, is damaged, or never held still.
    fn load(&self) -> Result<Option<Replica>, CheckpointFault>;
}

/// A checkpoint as it was before the journal was read, waiting for the fold to come to its entry.
#[derive(Debug)]
pub struct Waiting {
    loaded: Option<Replica>,
    /// Its entry, and how many accounts agree.
    pub compared: Option<(Seq, usize)>,
}

impl Waiting {
    /// Reads a checkpoint. To be done before the journal is opened, so that the fold comes past it even while a server
    /// writes both.
    ///
    /// # Errors
    /// See [`Kept::load`].
    pub fn load(kept: &dyn Kept) -> Result<Self, ReportFault> {
        Ok(Self { loaded: kept.load()?, compared: None })
    }

    /// The entry of the checkpoint that waits; `None`: there is none, or it was compared.
    pub fn seq(&self) -> Option<Seq> {
        self.loaded.as_ref().map(|loaded| loaded.head.seq)
    }

    /// Compares when the fold has come to the checkpoint's entry; what differs.
    ///
    /// # Errors
    /// When the checkpoint was made from another journal.
    pub fn after(&mut self, head: Head, state: &State) -> Result<Vec<String>, ReportFault> {
        let Some(loaded) = self.loaded.take_if(|loaded| loaded.head.seq <= head.seq) else { return Ok(Vec::new()) };
        if loaded.head.seq == Seq::ZERO {
            return Ok(Vec::new());
        }
        if loaded.head != head {
            return Err(RecoverFault::OtherJournal { at: loaded.head.seq }.into());
        }
        let (accounts, mut found) = compare_accounts(state, &loaded.state);
        self.compared = Some((head.seq, accounts));
        let differ = loaded.state.differences(state, SHOWN_MAX).into_iter();
        found.extend(differ.map(|Difference { row, fact, one, other }| {
            format!("{row}, {fact}: the journal says {other}, the checkpoint {one}")
        }));
        Ok(found)
    }

    /// At the journal's end: a checkpoint that is still ahead knows entries that are not there.
    ///
    /// # Errors
    /// [`RecoverFault::TailLost`].
    pub fn none_ahead(&self, head: Head) -> Result<(), RecoverFault> {
        match &self.loaded {
            Some(loaded) if loaded.head.seq > head.seq => {
                Err(RecoverFault::TailLost { checkpoint: loaded.head.seq, journal: head.seq })
            }
            _ => Ok(()),
        }
    }
}

/// Every account of the checkpoint as it was read before against the fold: how many there are, and what differs.
fn compare_accounts(fold: &State, checkpoint: &State) -> (usize, Vec<String>) {
    let (ours, theirs) = (fold.accounts().count(), checkpoint.accounts().count());
    if ours != theirs {
        return (ours, vec![format!("accounts: the journal makes {ours}, the checkpoint has {theirs}")]);
    }
    let differ = fold.accounts().zip(checkpoint.accounts()).filter(|((_, folded), (_, kept))| folded != kept);
    let told = differ.take(SHOWN_MAX).map(|((account, folded), (_, kept))| {
        let (folded, kept) = (folded.balance_minor, kept.balance_minor);
        format!("{}: the journal says {folded}, the checkpoint {kept}", name_of(account))
    });
    (ours, told.collect())
}

/// Cards go by their serial, everything else by its row.
fn name_of(account: AccountId) -> String {
    let kind = account.kind();
    let unit = account.currency().map_or_else(String::new, |currency| format!(" in {}", currency.code()));
    match (account, account.operator()) {
        (AccountId::Card(card), _) => format!("card {}", Serial::of(card)),
        (AccountId::Airtime(subscriber), _) => format!("{kind} of subscriber {}", subscriber.0),
        (AccountId::Float(outlet, _), _) => format!("{kind} of outlet {}{unit}", outlet.0),
        (_, operator) => format!("{kind} of operator {}{unit}", operator.map_or(0, |operator| operator.0)),
    }
}

/// What a unit is called: a currency's code, or `airtime`.
pub fn unit_name(unit: Option<Currency>) -> &'static str {
    unit.map_or("airtime", Currency::code)
}

/// Value is moved, never made: each operator's accounts of each unit add up to nothing. Those that don't, and what they say.
pub fn unbalanced(state: &State) -> Vec<(OperatorId, String)> {
    let wrong = state.sums().into_iter().filter(|(_, sum)| *sum != 0);
    wrong
        .map(|((operator, unit), sum)| {
            let (unit, name) = (unit_name(unit), operator_name(state, operator));
            (operator, format!("the accounts of {name} in {unit} add up to {sum}, not to 0"))
        })
        .collect()
}

/// An operator's public name.
pub fn operator_name(state: &State, operator: OperatorId) -> String {
    let known = state.operator(operator).map(|known| known.rules.operator.clone());
    known.unwrap_or_else(|| format!("operator {}", operator.0))
}
