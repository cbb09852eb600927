//! What must hold after every event, by names that never change, and the violation that names one.
//!
//! What is judged from outside (answers and the journal) is what a subscriber or an auditor could see; the names under
//! *inside* look into the machine and find a bug earlier.

use crate::plant::Plant;

/// Entries move value by their transfers alone, within one operator; all accounts of an operator add up to zero.
pub const VALUE_CONSERVED: &str = "value-conserved";
/// No card and no airtime account is below zero.
pub const NO_PURSE_BELOW_ZERO: &str = "no-purse-below-zero";
/// An id that may still be remembered has one entry, and every answer to it tells that entry.
pub const ONE_VERDICT_PER_ID: &str = "one-verdict-per-id";
/// No limit that the operator ordered is exceeded, by the operator's calendar.
pub const NO_LIMIT_EXCEEDED: &str = "no-limit-exceeded";
/// What was answered is in the journal, at its seq, with the same outcome.
pub const ACKNOWLEDGED_IS_DURABLE: &str = "acknowledged-is-durable";
/// The journal never loses or changes what it had.
pub const JOURNAL_KEEPS: &str = "journal-keeps";
/// Money goes from a card of the caller to the recipient named, as much as asked, for the fee of the rules.
pub const GIFT_AS_ASKED: &str = "gift-as-asked";
/// The same gift is not given, and the same top-up not done, twice within the repeat window.
pub const NO_GIFT_TWICE: &str = "no-gift-twice";
/// What an entry moves is what was asked for: so much from here to there, for that fee, at that price, and nothing else.
pub const MOVED_AS_ASKED: &str = "moved-as-asked";
/// What an entry says is used of limits is what was given, undone and taken back since the window opened.
pub const USAGE_IS_COUNTED: &str = "usage-is-counted";
/// A gift, with all that is on hold, never passes what its recipient may have.
pub const MAXIMUM_HOLDS: &str = "maximum-holds";
/// What is set aside belongs to a gift on hold or to a call, and comes to an end in its time.
pub const HELD_ENDS: &str = "held-ends";
/// A call costs what it did when it began, free minutes first, and what was not talked comes back.
pub const CALL_AS_ASKED: &str = "call-as-asked";
/// Quotes, sales, refunds, batches and floats are as staff asked and as the books were.
pub const OFFICE_AS_ASKED: &str = "office-as-asked";
/// A card goes from state to state as it may, and what is not sold yet or is over holds nothing.
pub const CARD_LIFE: &str = "card-life";
/// What takes two people is done by two, to the hash that the second was shown, by those who may.
pub const MOTION_BY_TWO: &str = "motion-by-two";
/// While issuance is stopped nothing is issued.
pub const ISSUANCE_STOPS: &str = "issuance-stops";
/// Another SIM than the known one is a SIM change from the dial on that it makes.
pub const SIM_IS_COMPARED: &str = "sim-is-compared";
/// A refusal tells the truth: the limit, the shortage, the lock, the amount that it names.
pub const REFUSAL_HOLDS: &str = "refusal-holds";
/// Wrong passwords lock as they should, and a lock holds.
pub const LOCK_HOLDS: &str = "lock-holds";
/// Instants of entries never run backwards.
pub const TIME_FORWARD: &str = "time-forward";
/// Every entry names the one before it, for each account and subscriber.
pub const HISTORY_UNBROKEN: &str = "history-unbroken";
/// A receipt number leads back to its entry.
pub const RECEIPT_READS_BACK: &str = "receipt-reads-back";
/// A server starts again from what is durable, whatever happened before.
pub const STARTS_AGAIN: &str = "starts-again";
/// A writer that another one has overtaken appends nothing.
pub const STALE_WRITER_STOPS: &str = "stale-writer-stops";
/// No assertion of the decider fails.
pub const NO_ASSERTION_FAILS: &str = "no-assertion-fails";
/// Nothing is decided more than five minutes after it was asked.
pub const DECIDED_IN_TIME: &str = "decided-in-time";
/// Every durable entry is told to whoever must hear of it, at least once.
pub const EVERYTHING_TOLD: &str = "everything-told";
/// On a healthy machine every command that was taken is answered.
pub const WORK_ENDS: &str = "work-ends";
/// Inside: the business date of an entry is the operator's.
pub const BUSINESS_DATE: &str = "business-date";
/// Inside: what is remembered for a while is forgotten, and no sooner.
pub const MEMORY_ENDS: &str = "memory-ends";
/// Inside: what is decoded from the journal is what was decided.
pub const CODEC_FAITHFUL: &str = "codec-faithful";
/// Inside: the checkpoint never knows more than the journal.
pub const CHECKPOINT_BEHIND_JOURNAL: &str = "checkpoint-behind-journal";
/// Inside: the decider's state is what the journal's entries add up to.
pub const STATE_IS_THE_BOOKS: &str = "state-is-the-books";
/// Inside: checkpoint plus tail give what the whole journal gives.
pub const RECOVERED_IS_THE_FOLD: &str = "recovered-is-the-fold";
/// Inside: a restart remembers every id that must be remembered.
pub const IDS_OUTLIVE_RESTART: &str = "ids-outlive-restart";

/// An invariant that did not hold.
///
/// As text it ends with the command line that shows how: so many steps and no more lead there, also when it was found
/// after the last one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "seed {seed}, step {step}: {invariant}: {what}; `sonmul-lab sim --seed {seed} --steps {step}{}` shows how",
    plant.map(|plant| format!(" --plant {}", plant.name())).unwrap_or_default()
)]
pub struct Violation {
    /// The world's seed.
    pub seed: u64,
    /// After which event, counted from 1; 0: while the world was made.
    pub step: u32,
    /// Its name.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
    /// The bug that was planted.
    pub plant: Option<Plant>,
}

/// A violation that does not know its seed and step yet.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
}

/// The result of a check.
pub(crate) type Held = Result<(), Broken>;

/// Says what is wrong unless it holds.
pub(crate) fn hold(holds: bool, invariant: &'static str, what: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(Broken { invariant, what: what() }) }
}
