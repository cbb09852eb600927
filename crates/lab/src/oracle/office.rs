//! The office: who may ask what, issuance that is stopped, records whose time is over, and what each part answered.

use domain::ids::{OperatorId, Staff};
use domain::office::batch::BatchCommand;
use domain::office::call::CallCommand;
use domain::office::done::OfficeDone;
use domain::office::till::TillCommand;
use domain::office::{Asked, Office, RecordKey, RecordKind};
use domain::receipt::Seq;
use domain::rules::Role;

use super::expect::Expect;
use super::{At, Oracle};
use crate::calendar::Calendar;
use crate::invariant::{Broken, HELD_ENDS, Held, ISSUANCE_STOPS, MOTION_BY_TWO, OFFICE_AS_ASKED, hold};

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: OFFICE_AS_ASKED, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

impl Oracle {
    /// What staff asked and was done.
    pub(super) fn office(&mut self, at: At<'_>, office: &Office, done: &OfficeDone) -> Result<Expect, Broken> {
        let staff = office.staff;
        match &office.what {
            Asked::Batch(command) => {
                self.allowed(at, staff, self.of_batch(command), Role::Finance)?;
                if matches!(command, BatchCommand::Start { .. }) {
                    self.may_issue(at, self.of_batch(command))?;
                }
                self.batch(at, command, done)?;
                Ok(Expect::default())
            }
            Asked::Till(command) => {
                let operator = self.of_till(command);
                let role = if matches!(command, TillCommand::Merge { .. }) { Role::Care } else { Role::Finance };
                self.allowed(at, staff, operator, role)?;
                if matches!(command, TillCommand::Quote { .. } | TillCommand::Sell { .. }) {
                    self.may_issue(at, operator)?;
                }
                self.till(at, command, done)
            }
            Asked::Call(command) => {
                self.allowed(at, staff, self.of_call(*command), Role::Network)?;
                self.call(at, *command, done)
            }
            Asked::Motion(command) => self.motion(at, staff, command, done),
            Asked::StopIssuance { operator, .. } => {
                self.stopped.insert(*operator);
                if !self.tills.quotes.is_empty() {
                    self.meet("issuance is stopped while a price is promised");
                }
                if *done == OfficeDone::IssuanceStopped { Ok(Expect::default()) } else { Err(wrong(at, "not stopped")) }
            }
            Asked::ResumeIssuance { operator } => {
                self.allowed(at, staff, Some(*operator), Role::Finance)?;
                let was = self.stopped.remove(operator);
                hold(was && *done == OfficeDone::IssuanceResumed, OFFICE_AS_ASKED, || {
                    format!("entry {}: {done:?}", at.seq)
                })?;
                Ok(Expect::default())
            }
        }
    }

    /// Whose business a command is.
    pub(super) fn of_batch(&self, command: &BatchCommand) -> Option<OperatorId> {
        match command {
            BatchCommand::Start { operator, .. } => Some(*operator),
            BatchCommand::Make { batch, .. } | BatchCommand::Seal { batch, .. } | BatchCommand::Abandon { batch } => {
                self.batches.owner(*batch)
            }
            BatchCommand::Stock { outlet, .. } => self.tills.owner(*outlet),
        }
    }

    /// Whose business a command is.
    pub(super) fn of_till(&self, command: &TillCommand) -> Option<OperatorId> {
        match command {
            TillCommand::OpenOutlet { operator, .. } => Some(*operator),
            TillCommand::Deposit { outlet, .. }
            | TillCommand::Withdraw { outlet, .. }
            | TillCommand::Quote { outlet, .. } => self.tills.owner(*outlet),
            // A quote that was used is not there any more when its sale is judged: its price was paid at its outlet.
            TillCommand::Sell { quote } => self.tills.quotes.get(quote).map(|quote| quote.operator),
            TillCommand::Refund { serial }
            | TillCommand::PayOut { serial }
            | TillCommand::Merge { into: serial, .. } => {
                self.registry.of_serial(*serial).map(|(_, card)| card.operator)
            }
        }
    }

    /// Whose business a command is.
    pub(super) fn of_call(&self, command: CallCommand) -> Option<OperatorId> {
        match command {
            CallCommand::Reserve { msisdn, .. } | CallCommand::Consume { msisdn, .. } => {
                self.registry.in_use(msisdn).map(|(_, facts)| facts.operator)
            }
            CallCommand::Extend { call, .. } | CallCommand::Commit { call, .. } | CallCommand::Release { call } => {
                self.calls.talks.get(&call).map(|talk| talk.operator)
            }
        }
    }

    fn allowed(&self, at: At<'_>, staff: Staff, operator: Option<OperatorId>, role: Role) -> Held {
        let may = operator.and_then(|operator| self.rules(operator)).is_some_and(|rules| rules.may(staff.0, role));
        hold(may, MOTION_BY_TWO, || {
            format!("entry {}: {staff:?} may not {} for {operator:?}", at.seq, at.entry.body.name())
        })
    }

    fn may_issue(&self, at: At<'_>, operator: Option<OperatorId>) -> Held {
        let stopped = operator.is_none_or(|operator| self.stopped.contains(&operator));
        hold(!stopped, ISSUANCE_STOPS, || {
            format!("entry {}: {} for {operator:?}, whose issuance is stopped", at.seq, at.entry.body.name())
        })
    }

    /// Nothing is made or sold for a service that is closed and whose cards are void.
    pub(super) fn serves(&self, at: At<'_>, operator: OperatorId) -> Held {
        let period = self.rules(operator).and_then(|rules| rules.period(at.ms));
        let over = period.is_some_and(|period| period.closed && period.cards_void);
        hold(!over, OFFICE_AS_ASKED, || format!("entry {}: {} of a service that is over", at.seq, at.entry.body.name()))
    }

    /// So much is put into the world: not while issuance is stopped, and no more in a day than the rules allow.
    pub(super) fn issued(&mut self, at: At<'_>, operator: OperatorId, minor: i64) -> Held {
        if minor == 0 {
            return Ok(());
        }
        self.may_issue(at, Some(operator))?;
        let today = Calendar::of(operator).date(at.ms);
        let total = self.issued_on.entry((operator, today)).or_default();
        *total += minor;
        let most = self.ordered.get(&operator).map_or(0, |rules| rules.standing.standing.issued_per_day_max().minor());
        hold(*total <= most, ISSUANCE_STOPS, || format!("entry {}: {total} issued today, {most} at most", at.seq))
    }

    /// The time of a record is over.
    pub(super) fn due(&mut self, at: At<'_>, key: RecordKey, done: &OfficeDone) -> Result<Expect, Broken> {
        let over = |due_ms: Option<i64>| {
            let over = due_ms.is_some_and(|due| due <= at.ms);
            hold(over, HELD_ENDS, || format!("entry {}: {key:?} is due at {due_ms:?}, it is {}", at.seq, at.ms))
        };
        let seq = Seq(key.id);
        match (key.kind, done) {
            (RecordKind::Hold, OfficeDone::HoldPosted { .. } | OfficeDone::HoldVoided { .. }) => {
                self.hold_is_over(at, seq, done)
            }
            (RecordKind::Call, OfficeDone::Dropped { kind: RecordKind::Call }) => self.call_is_over(at, seq),
            (RecordKind::Quote, OfficeDone::Dropped { kind: RecordKind::Quote }) => {
                over(self.tills.quotes.remove(&seq).map(|quote| quote.due_ms))?;
                self.meet("a price is not promised any more");
                Ok(Expect::default())
            }
            (RecordKind::Motion, OfficeDone::Dropped { kind: RecordKind::Motion }) => {
                over(self.motions.remove(&seq).map(|motion| motion.due_ms))?;
                self.meet("nobody approved a motion in time");
                Ok(Expect::default())
            }
            (RecordKind::Reversed, OfficeDone::Dropped { kind: RecordKind::Reversed }) => {
                over(self.late.remove(&seq))?;
                self.meet("a gift that was taken back is forgotten");
                Ok(Expect::default())
            }
            _ => Err(wrong(at, &format!("{done:?} of {key:?}"))),
        }
    }

    /// When the time of an open record is over; `None`: there is no such record.
    pub(super) fn due_ms(&self, key: RecordKey) -> Option<i64> {
        let seq = Seq(key.id);
        match key.kind {
            RecordKind::Hold => self.holds.get(&seq).map(|one| one.until_ms),
            RecordKind::Call => self.calls.talks.get(&seq).map(|talk| talk.due_ms),
            RecordKind::Quote => self.tills.quotes.get(&seq).map(|quote| quote.due_ms),
            RecordKind::Motion => self.motions.get(&seq).map(|motion| motion.due_ms),
            RecordKind::Reversed => self.late.get(&seq).copied(),
            RecordKind::Outlet
            | RecordKind::Batch
            | RecordKind::Rates
            | RecordKind::VoidCards
            | RecordKind::Stopped
            | RecordKind::Takings
            | RecordKind::Issued => None,
        }
    }
}
