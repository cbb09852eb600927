//! What takes two people: proposals, their hashes, who approves them, and what they then do.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::card::CardState;
use domain::effects::{Change, Effects};
use domain::ids::{LimitId, OperatorId, Serial, Staff};
use domain::office::done::OfficeDone;
use domain::office::motion::{MotionCommand, Proposal, Reversal};
use domain::receipt::Seq;
use domain::rules::Role;
use domain::state::LimitRow;
use domain::time::Timestamp;
use sha2::{Digest, Sha256};

use super::expect::Expect;
use super::gifts::REVERSIBLE_MS;
use super::{At, Oracle, ordered_rules};
use crate::calendar::DAY_MS;
use crate::invariant::{Broken, CARD_LIFE, Held, MOTION_BY_TWO, hold};

/// Cards that are voided one by one; more of them are a range.
const ONE_BY_ONE: u32 = 1_000;

/// A proposal that waits.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    pub(super) operator: OperatorId,
    pub(super) maker: Staff,
    pub(super) proposal: Proposal,
    pub(super) hash: [u8; 32],
    pub(super) due_ms: i64,
}

/// Motions that are open.
pub(super) type Motions = BTreeMap<Seq, Motion>;

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: MOTION_BY_TWO, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

/// Which role a proposal takes.
pub(super) const fn role_of(proposal: &Proposal) -> Role {
    match proposal {
        Proposal::Rules { .. } | Proposal::Close { .. } => Role::Network,
        Proposal::Rate { .. } | Proposal::Adjust { .. } => Role::Finance,
        Proposal::VoidCards { .. } | Proposal::Reverse(_) => Role::Care,
    }
}

/// [`Timestamp::MIN`] stands for the instant of the approval.
fn begins(at: At<'_>, from: Timestamp) -> i64 {
    if from == Timestamp::MIN { at.ms } else { from.ms() }
}

impl Oracle {
    /// Something is proposed.
    pub(super) fn proposed(
        &mut self,
        at: At<'_>,
        (operator, maker): (OperatorId, Staff),
        proposal: Proposal,
        done: &OfficeDone,
    ) -> Held {
        let mut octets = vec![operator.0];
        let written: Result<(), minicbor::encode::Error<core::convert::Infallible>> =
            minicbor::encode(&proposal, &mut octets);
        hold(written.is_ok(), MOTION_BY_TWO, || String::from("a proposal that can't be written"))?;
        let hash: [u8; 32] = Sha256::digest(&octets).into();
        let due = OfficeDone::Proposed { motion: at.seq, hash };
        hold(*done == due, MOTION_BY_TWO, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        let may = self.rules(operator).is_some_and(|rules| rules.may(maker.0, role_of(&proposal)));
        hold(may, MOTION_BY_TWO, || format!("entry {}: {maker:?} may not propose that", at.seq))?;
        let due_ms = at.ms + 7 * DAY_MS;
        self.motions.insert(at.seq, Motion { operator, maker, proposal, hash, due_ms });
        Ok(())
    }

    /// Whatever two people asked.
    pub(super) fn motion(
        &mut self,
        at: At<'_>,
        staff: Staff,
        command: &MotionCommand,
        done: &OfficeDone,
    ) -> Result<Expect, Broken> {
        match (command, done) {
            (MotionCommand::Propose { operator, proposal }, OfficeDone::Proposed { .. }) => {
                self.proposed(at, (*operator, staff), (**proposal).clone(), done)?;
                Ok(Expect::default())
            }
            (MotionCommand::Withdraw { motion }, OfficeDone::MotionWithdrawn) => {
                let known = self.motions.remove(motion).ok_or_else(|| wrong(at, "no such motion"))?;
                let may = self.rules(known.operator).is_some_and(|rules| rules.may(staff.0, role_of(&known.proposal)));
                hold(may && at.ms < known.due_ms, MOTION_BY_TWO, || format!("entry {}: it was over", at.seq))?;
                Ok(Expect::default())
            }
            (MotionCommand::Approve { motion, hash }, OfficeDone::Approved { motion: told, moved_minor }) => {
                let known = self.motions.remove(motion).ok_or_else(|| wrong(at, "no such motion"))?;
                let may = self.rules(known.operator).is_some_and(|rules| rules.may(staff.0, role_of(&known.proposal)));
                let by_two = known.maker != staff && known.hash == *hash && at.ms < known.due_ms && may;
                hold(by_two && told == motion, MOTION_BY_TWO, || {
                    format!("entry {}: {staff:?} approves {motion} of {:?}", at.seq, known.maker)
                })?;
                let (expect, moved) = self.approved(at, &known)?;
                hold(moved == *moved_minor, MOTION_BY_TWO, || {
                    format!("entry {}: {moved_minor} told as moved, {moved} due", at.seq)
                })?;
                Ok(expect)
            }
            _ => Err(wrong(at, "answers something else")),
        }
    }

    /// What a proposal does.
    fn approved(&mut self, at: At<'_>, motion: &Motion) -> Result<(Expect, i64), Broken> {
        let mut expect = Expect::default();
        let operator = motion.operator;
        match &motion.proposal {
            Proposal::Rules { file_hash, from, .. } => {
                let rules = ordered_rules(file_hash).ok_or_else(|| wrong(at, "rules that nobody ordered"))?;
                let from_ms = from.map(|from| from.ms().max(at.ms));
                if from_ms.is_some_and(|from| from > at.ms) {
                    self.meet("rules are approved for later");
                }
                self.loaded(at, operator, rules, from_ms)?;
                Ok((expect, 0))
            }
            Proposal::Close { from, cards_void, .. } => {
                let from_ms = begins(at, *from);
                hold(from_ms >= at.ms, MOTION_BY_TWO, || format!("entry {}: it changes the past", at.seq))?;
                self.changed_rules(at, operator)?;
                if let Some(rules) = self.ordered.get_mut(&operator) {
                    rules.close(from_ms, *cards_void);
                }
                self.meet(if *cards_void { "closed, and cards are void" } else { "closed" });
                Ok((expect, 0))
            }
            Proposal::Rate { currency, rate } => {
                let from = Timestamp::from_ms(begins(at, rate.from));
                let fits = from.ms() >= at.ms
                    && rate.until.is_none_or(|until| until > from)
                    && rate.ratio.numerator > 0
                    && rate.ratio.denominator > 0;
                hold(fits, MOTION_BY_TWO, || format!("entry {}: {rate:?} is no rate", at.seq))?;
                self.tills.rated(operator, *currency, domain::office::till::Rate { from, ..*rate });
                Ok((expect, 0))
            }
            Proposal::VoidCards { first, last, .. } => {
                self.voided(at, operator, *first, *last)?;
                Ok((expect, 0))
            }
            Proposal::Reverse(reversal) => {
                let (minor, home) = self.reversal(at, operator, reversal)?;
                expect.moves(AccountId::Airtime(reversal.recipient), home, minor);
                self.reversed.insert(reversal.of, at.seq);
                self.late.insert(reversal.of, reversal.given_at.ms() + REVERSIBLE_MS);
                Ok((expect, minor))
            }
            Proposal::Adjust { debit, credit, amount, reason } => {
                let own = self.books.owner(*debit) == Some(operator) && self.books.owner(*credit) == Some(operator);
                let held = |account: &AccountId| matches!(account, AccountId::Held(_));
                let covered = !super::books::purse(*debit) || self.books.minor(*debit) >= amount.minor();
                let fits = own && debit != credit && !held(debit) && !held(credit) && covered;
                hold(fits && !reason.trim().is_empty(), MOTION_BY_TWO, || {
                    format!("entry {}: {amount:?} from {debit:?} to {credit:?} by hand", at.seq)
                })?;
                if matches!(debit, AccountId::Position(_)) {
                    self.issued(at, operator, amount.minor())?;
                }
                self.by_hand.extend([*debit, *credit]);
                expect.moves(*debit, *credit, amount.minor());
                Ok((expect, amount.minor()))
            }
        }
    }

    /// Cards in a row are void from now on: each of them, the last one too.
    fn voided(&mut self, at: At<'_>, operator: OperatorId, first: Serial, last: Serial) -> Held {
        let rows: Vec<_> = (first.0..=last.0).map(|serial| self.registry.of_serial(Serial(serial))).collect();
        let own = rows.iter().all(|row| row.is_some_and(|(_, card)| card.operator == operator));
        let apart = self.registry.void_ranges().iter().all(|(begin, end)| last < *begin || *end < first);
        hold(first <= last && own && apart, CARD_LIFE, || {
            format!("entry {}: serials {} to {} are voided", at.seq, first.0, last.0)
        })?;
        let held = |id| self.holds.values().any(|one| one.card == id);
        let any_held = rows.iter().flatten().any(|(id, _)| held(*id));
        let ended = |state: &CardState| {
            matches!(state, CardState::Closed { .. } | CardState::Expired { .. } | CardState::Void { .. })
        };
        let due: Vec<_> = rows.iter().flatten().filter(|(_, card)| !ended(&card.state)).map(|(id, _)| *id).collect();
        if any_held {
            self.meet("a card is voided while a gift of it is on hold");
        }
        if last.0 - first.0 + 1 > ONE_BY_ONE {
            self.registry.void(first, last);
            self.meet("a long row of cards is voided");
            return Ok(());
        }
        let changes = at.entry.verdict.effects.changes.iter();
        let void = changes.filter_map(|change| match change {
            Change::CardState { id, state: CardState::Void { .. } } => Some(*id),
            _ => None,
        });
        let void: Vec<_> = void.collect();
        hold(void == due, CARD_LIFE, || format!("entry {}: {void:?} are void, {due:?} are to be", at.seq))
    }

    /// How much of a posted gift goes back, and where to: once, in time, and at most what its recipient has.
    fn reversal(&self, at: At<'_>, operator: OperatorId, reversal: &Reversal) -> Result<(i64, AccountId), Broken> {
        let Reversal { of, card, sender, recipient, amount, given_at, reason } = reversal;
        let posted = self.given.get(of) == Some(&(operator, *card, *sender, *recipient, amount.minor()));
        let once = !self.reversed.contains_key(of) && !self.undone.contains_key(of) && !self.holds.contains_key(of);
        let in_time = self.verdicts.at_ms(*of) == Some(given_at.ms()) && at.ms < given_at.ms() + REVERSIBLE_MS;
        hold(posted && once && in_time && !reason.trim().is_empty(), MOTION_BY_TWO, || {
            format!("entry {}: {reversal:?} is no gift that can be taken back", at.seq)
        })?;
        let left = self.books.minor(AccountId::Airtime(*recipient)).min(amount.minor());
        let home = self.home_of(at, *card).filter(|_| left > 0);
        home.map(|home| (left, AccountId::Card(home))).ok_or_else(|| wrong(at, "nothing goes back, or nowhere"))
    }

    /// Rules are put in force: those that were ordered, for the operator's own numbers and days.
    pub(super) fn loaded(
        &mut self,
        at: At<'_>,
        operator: OperatorId,
        rules: &'static domain::rules::Rules,
        from_ms: Option<i64>,
    ) -> Held {
        self.changed_rules(at, operator)?;
        match self.ordered.get_mut(&operator) {
            Some(known) => known.load(rules, from_ms),
            None => drop(self.ordered.insert(operator, super::ordered::Ordered::first(rules))),
        }
        *self.loads.entry(operator).or_default() += 1;
        Ok(())
    }

    /// One operator's rules change, and the rows of its limits are learnt.
    fn changed_rules(&mut self, at: At<'_>, operator: OperatorId) -> Held {
        let changes = at.entry.verdict.effects.changes.iter().filter_map(|change| match change {
            Change::Operator { id, rules, .. } => Some((*id, std::sync::Arc::clone(rules))),
            _ => None,
        });
        let changes: Vec<_> = changes.collect();
        let [(id, rules)] = changes.as_slice() else { return Err(wrong(at, "no rules change, or several")) };
        hold(*id == operator, MOTION_BY_TWO, || format!("entry {}: rules of {id:?} change", at.seq))?;
        self.limits.learn(at.seq, operator, rules)
    }

    /// The rows of limits in a state are those that were learnt.
    pub(super) fn limit_rows<'a>(&self, rows: impl Iterator<Item = (LimitId, &'a LimitRow)>) -> bool {
        self.limits.same_rows(rows)
    }

    /// Nothing is a rule of somebody whom nobody asked.
    pub(super) fn rules_change_by_motion(&self, at: At<'_>, effects: &Effects) -> Held {
        let change = effects.changes.iter().any(|change| matches!(change, Change::Operator { .. }));
        let name = at.entry.body.name();
        hold(!change || matches!(name, "approve" | "load-rules"), MOTION_BY_TWO, || {
            format!("entry {}: {name} changes rules", at.seq)
        })
    }
}
