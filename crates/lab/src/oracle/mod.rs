//! The oracle: an independent, simple model of what must be true, fed with the journal's entries and with every answer.
//!
//! Guarantees: shares no code with `domain::decide` and `domain::apply` for what it checks: sums, calendars, limits, fees,
//! locks and ids are worked out here again, the slow and plain way. It reads rules as ordered, never as loaded.
//!
//! Deliberately not here: what the machine looks like inside (see [`inside`]).

mod as_asked;
mod books;
pub(crate) mod inside;
mod limits;
mod locks;
mod refusals;
mod registry;
mod verdicts;

use domain::command::Body;
use domain::receipt::{Seq, parse_receipt, receipt};
use domain::rules::limit::Kind;
use domain::rules::{Period, Rules};
use domain::verdict::{Done, Entry, Outcome};
use engine::answer::Answer;
use engine::ids::IdsConfig;
use engine::journal::{Batch, Head, JournalReader};

use crate::calendar;
use crate::invariant::{
    ACKNOWLEDGED_IS_DURABLE, BUSINESS_DATE, Broken, HISTORY_UNBROKEN, Held, JOURNAL_KEEPS, RECEIPT_READS_BACK,
    TIME_FORWARD, hold,
};
use crate::machine::Leaving;
use crate::profiles;

use as_asked::Repeats;
use books::Books;
use limits::{Limits, Parties};
use locks::Locks;
use registry::Registry;
use verdicts::Verdicts;

/// See the module.
#[derive(Debug)]
pub(crate) struct Oracle {
    books: Books,
    registry: Registry,
    limits: Limits,
    locks: Locks,
    repeats: Repeats,
    verdicts: Verdicts,
    head: Head,
    look_inside: bool,
}

/// The period of rules that holds at an instant, found by looking at every one.
pub(super) fn period_of(rules: &Rules, at_ms: i64) -> Option<&Period> {
    rules.periods.iter().rev().find(|period| period.from.ms() <= at_ms && at_ms < period.until.ms())
}

impl Oracle {
    /// Knows nothing yet. `look_inside`: also judge what nobody outside could see.
    pub(crate) fn new(ids: IdsConfig, look_inside: bool) -> Self {
        Self {
            books: Books::default(),
            registry: Registry::default(),
            limits: Limits::default(),
            locks: Locks::default(),
            repeats: Repeats::default(),
            verdicts: Verdicts::new(ids),
            head: Head::default(),
            look_inside,
        }
    }

    /// The journal's end as far as the oracle has read.
    pub(crate) const fn head(&self) -> Head {
        self.head
    }

    /// An append became durable: judges its entries and learns from them.
    pub(crate) fn append(&mut self, batch: &Batch) -> Held {
        hold(batch.first_seq == self.head.seq.next(), JOURNAL_KEEPS, || {
            format!("an append begins at {} after {}", batch.first_seq, self.head.seq)
        })?;
        hold(batch.at >= self.head.at, TIME_FORWARD, || format!("{} after {}", batch.at.ms(), self.head.at.ms()))?;
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            self.verdicts.entry(seq, batch.at, entry, *fingerprint)?;
            self.entry(seq, batch.at.ms(), entry)?;
        }
        self.head = Head { seq: batch.last_seq(), hash: batch.hash, at: batch.at };
        Ok(())
    }

    fn entry(&mut self, seq: Seq, at_ms: i64, entry: &Entry) -> Held {
        let effects = &entry.verdict.effects;
        if let Some(operator) = effects.operator.filter(|_| self.look_inside) {
            hold(effects.date.days() == calendar::date(at_ms), BUSINESS_DATE, || {
                format!(
                    "entry {seq} of operator {} has {}, it is day {}",
                    operator.0,
                    effects.date,
                    calendar::date(at_ms)
                )
            })?;
        }
        // Refusals speak of the world as it was before them, gifts are judged by what they leave behind.
        if let Outcome::Refused(refusal) = &entry.verdict.outcome {
            self.refused(seq, at_ms, &entry.body, refusal)?;
        }
        let paid_from = self.books.paid_from(effects);
        self.books.entry(seq, &entry.body, effects)?;
        self.registry.before(seq, effects)?;
        let giver = self.giver(seq, at_ms, entry)?;
        self.registry.entry(seq, effects)?;
        self.locks.entry(seq, at_ms, entry, &self.registry)?;
        if let Some(giver) = giver {
            self.given(seq, at_ms, entry, giver, paid_from)?;
        }
        Ok(())
    }

    /// Whether a limit that the operator ordered stands against this command, by what is durable: for the edge that
    /// looks limits up by itself.
    pub(crate) fn limit_stands_against(&self, body: &Body, at_ms: i64) -> bool {
        let (Some(caller), Some(amount)) = (body.caller(), amount_of(body)) else { return false };
        let Some(from) = self.registry.active(caller.msisdn, caller.operator) else { return false };
        let (kind, to) = match body {
            Body::Gift(gift) => {
                let to = gift.recipient.value().and_then(|to| self.registry.active(to, caller.operator));
                (Kind::Gift, to)
            }
            _ => (Kind::TopUp, Some(from)),
        };
        let (Some(to), Some(rules)) = (to, self.registry.rules(caller.operator)) else { return false };
        self.registry.cards_of(from).any(|(card, _)| {
            let parties = Parties { operator: caller.operator, kind, from, to, card };
            self.limits.passed(rules, at_ms, parties, amount).is_some()
        })
    }

    /// An answer leaves the server: it must tell what is durable, and nothing else about an id than its verdict.
    pub(crate) fn leaves(&self, leaving: &Leaving) -> Held {
        if let Answer::Verdict(reply) = &leaving.answer {
            hold(reply.seq <= self.head.seq, ACKNOWLEDGED_IS_DURABLE, || {
                format!("entry {} is answered, the journal ends at {}", reply.seq, self.head.seq)
            })?;
            let number = receipt(reply.seq);
            hold(parse_receipt(&number) == Ok(reply.seq), RECEIPT_READS_BACK, || {
                format!("{number} is not {}", reply.seq)
            })?;
        }
        self.verdicts.leaves(leaving)
    }

    /// The journal holds what it held: read again from its beginning.
    pub(crate) fn journal(&self, reader: &dyn JournalReader) -> Held {
        let lost = |what: String| Broken { invariant: JOURNAL_KEEPS, what };
        let links = reader.read(Seq(1), usize::MAX).map_err(|fault| lost(fault.to_string()))?;
        let mut seq = Seq::ZERO;
        for link in &links {
            let batch = engine::journal::decode(link).map_err(|fault| lost(fault.to_string()))?;
            for (at, entry) in batch.iter() {
                hold(self.verdicts.same(at, entry), JOURNAL_KEEPS, || format!("entry {at} is another one now"))?;
            }
            seq = link.last_seq();
        }
        hold(seq == self.head.seq, JOURNAL_KEEPS, || format!("it ended at {}, now at {seq}", self.head.seq))
    }

    /// What a history chain leads to.
    fn chained(seq: Seq, what: &dyn core::fmt::Debug, prev: Seq, known: Seq) -> Held {
        hold(prev == known, HISTORY_UNBROKEN, || {
            format!("entry {seq} says {prev} was before it for {what:?}, it was {known}")
        })
    }
}

/// What a command would move.
fn amount_of(body: &Body) -> Option<i64> {
    match body {
        Body::Gift(gift) => gift.amount.value().map(domain::money::Amount::minor),
        Body::TopUp(top_up) => top_up.amount.value().map(domain::money::Amount::minor),
        _ => None,
    }
}

/// Whether an outcome is a gift or a top-up that moved money.
const fn moved(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done(Done::Given { .. } | Done::ToppedUp { .. }))
}

/// Rules of the world's authority for a file's hash.
fn ordered_rules(hash: &[u8; 32]) -> Option<&'static Rules> {
    profiles::by_hash(hash).map(|profile| &*profile.rules)
}
