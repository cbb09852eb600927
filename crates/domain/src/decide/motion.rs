//! Rules by two people: proposing, approving, withdrawing; and what each proposal does once it is approved.
//!
//! A proposal is admitted twice, when it is made and when it is approved: what was right then may not be any more.

use std::sync::Arc;

use crate::TOUCH_MAX;
use crate::account::AccountId;
use crate::command::CardChange;
use crate::currency::Currency;
use crate::ids::{CardId, OperatorId, Serial, Staff};
use crate::money::Amount;
use crate::office::ceiling::Ceiling;
use crate::office::done::OfficeDone;
use crate::office::motion::{Motion, MotionCommand, Proposal, Reversal, Reversed, reversible_until};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Rate, Rates};
use crate::office::{Record, RecordKey, RecordKind, VoidCards};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::{Rules, past};
use crate::state::Standing;
use crate::time::Timestamp;
use crate::verdict::Done;

use super::card_state::{changed_state, home_of};
use super::draft::Draft;
use super::issue::{Issuing, fits};
use super::rules::{no_clash, put_rules};
use super::staff::{for_operator, reason, role_of_proposal};

/// Cards in one motion at most: each of them is looked at.
const VOID_RANGE_MAX: u32 = 1_000_000;

/// Whatever two people ask.
pub(super) fn ask(draft: &mut Draft<'_>, staff: Staff, command: &MotionCommand) -> Result<Done, Refusal> {
    match command {
        MotionCommand::Propose { operator, proposal } => propose(draft, staff, *operator, proposal),
        MotionCommand::Approve { motion, hash } => approve(draft, staff, *motion, hash),
        MotionCommand::Withdraw { motion } => {
            let (key, known) = pending(draft, *motion)?;
            for_operator(draft, staff, known.operator, role_of_proposal(&known.proposal))?;
            draft.record(key, None);
            Ok(OfficeDone::MotionWithdrawn.into())
        }
    }
}

/// Proposes something that could be approved now.
pub(super) fn propose(
    draft: &mut Draft<'_>,
    staff: Staff,
    operator: OperatorId,
    proposal: &Proposal,
) -> Result<Done, Refusal> {
    for_operator(draft, staff, operator, role_of_proposal(proposal))?;
    draft.room(Ceiling::Motions, operator)?;
    if let Proposal::Rules { .. } = proposal {
        draft.room(Ceiling::RulesMotions, operator)?;
    }
    admit(draft, operator, proposal)?;
    let (seq, motion) = (draft.own_seq(), Motion::new(operator, staff, proposal.clone(), draft.at));
    let hash = motion.hash;
    let key = RecordKey::made_by(RecordKind::Motion, seq);
    draft.record(key, Some(Record::Motion(Box::new(motion))));
    Ok(OfficeDone::Proposed { motion: seq, hash }.into())
}

fn pending<'a>(draft: &Draft<'a>, motion: Seq) -> Result<(RecordKey, &'a Motion), Refusal> {
    let key = RecordKey::made_by(RecordKind::Motion, motion);
    match draft.state.record(key) {
        Some(Record::Motion(known)) if draft.at < known.expires_at => Ok((key, known)),
        _ => Err(OfficeRefusal::MotionUnknown.into()),
    }
}

fn approve(draft: &mut Draft<'_>, staff: Staff, seq: Seq, hash: &[u8; 32]) -> Result<Done, Refusal> {
    let (key, motion) = pending(draft, seq)?;
    for_operator(draft, staff, motion.operator, role_of_proposal(&motion.proposal))?;
    if motion.maker == staff {
        return Err(OfficeRefusal::OwnMotion.into());
    }
    if motion.hash != *hash {
        return Err(OfficeRefusal::HashDiffers.into());
    }
    let moved_minor = match admit(draft, motion.operator, &motion.proposal)? {
        Admitted::Rules(rules, file_hash) => {
            put_rules(draft, motion.operator, *rules, file_hash)?;
            0
        }
        Admitted::Rates(currency, rates) => {
            draft.record(RecordKey::rates(motion.operator, currency), Some(Record::Rates(rates)));
            0
        }
        Admitted::VoidCards(first, range) => {
            void(draft, first, range)?;
            0
        }
        Admitted::Reverse(reversal, amount) => reverse(draft, reversal, amount)?,
        Admitted::Adjust(debit, credit, amount) => {
            adjust(draft, debit, credit, amount)?;
            amount.minor()
        }
    };
    draft.record(key, None);
    Ok(OfficeDone::Approved { motion: seq, moved_minor }.into())
}

/// What a proposal would do now.
enum Admitted<'a> {
    Rules(Box<Rules>, [u8; 32]),
    Rates(Currency, Rates),
    VoidCards(Serial, VoidCards),
    Reverse(&'a Reversal, Amount),
    Adjust(AccountId, AccountId, Amount),
}

fn admit<'a>(draft: &Draft<'_>, operator: OperatorId, proposal: &'a Proposal) -> Result<Admitted<'a>, Refusal> {
    let known = draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?;
    match proposal {
        Proposal::Rules { rules, file_hash, from } => {
            let rules = admit_rules(draft, operator, &known.rules, rules, *from)?;
            Ok(Admitted::Rules(Box::new(rules), *file_hash))
        }
        Proposal::Rate { currency, rate } => {
            let rate = Rate { from: begins(draft, rate.from), ..*rate };
            admit_rate(draft, operator, *currency, &rate).map(|rates| Admitted::Rates(*currency, rates))
        }
        Proposal::Close { period, from, cards_void } => {
            let from = begins(draft, *from);
            not_in_the_past(draft, period, from)?;
            if known.rules.periods.iter().any(|other| other.name == *period) {
                return Err(Refusal::RulesClash { with: format!("its own period {period}") });
            }
            let closed = past::closed(&known.rules, period, from, *cards_void);
            closed.map(|rules| Admitted::Rules(Box::new(rules), known.file_hash)).ok_or(Refusal::NothingToChange)
        }
        Proposal::VoidCards { first, last, why } => {
            admit_range(draft, operator, *first, *last)?;
            Ok(Admitted::VoidCards(*first, VoidCards { last: *last, at: draft.at, why: *why }))
        }
        Proposal::Reverse(reversal) => {
            admit_reversal(draft, operator, reversal).map(|amount| Admitted::Reverse(reversal, amount))
        }
        Proposal::Adjust { debit, credit, amount, reason } => {
            admit_adjustment(draft, operator, *debit, *credit, *amount, reason)?;
            Ok(Admitted::Adjust(*debit, *credit, *amount))
        }
    }
}

fn admit_rules(
    draft: &Draft<'_>,
    operator: OperatorId,
    known: &Rules,
    new: &Arc<Rules>,
    from: Option<Timestamp>,
) -> Result<Rules, Refusal> {
    no_clash(draft.state, Some((operator, known)), new)?;
    let rules = match from {
        Some(from) => past::spliced(known, new, from.max(draft.at)),
        None => (**new).clone(),
    };
    match past::rewrites(known, &rules, draft.at) {
        Some(period) => Err(rewrites(draft, &period)),
        None => Ok(rules),
    }
}

fn rewrites(draft: &Draft<'_>, what: &str) -> Refusal {
    OfficeRefusal::RewritesPast { what: String::from(what), now: draft.at }.into()
}

/// [`Timestamp::MIN`] stands for the instant of the approval.
fn begins(draft: &Draft<'_>, from: Timestamp) -> Timestamp {
    if from == Timestamp::MIN { draft.at } else { from }
}

fn not_in_the_past(draft: &Draft<'_>, what: &str, from: Timestamp) -> Result<(), Refusal> {
    if from < draft.at { Err(rewrites(draft, what)) } else { Ok(()) }
}

fn admit_rate(draft: &Draft<'_>, operator: OperatorId, currency: Currency, rate: &Rate) -> Result<Rates, Refusal> {
    if rate.ratio.numerator == 0 || rate.ratio.denominator == 0 {
        return Err(OfficeRefusal::RateZero.into());
    }
    if rate.until.is_some_and(|until| until <= rate.from) {
        return Err(OfficeRefusal::EndsBeforeItBegins.into());
    }
    not_in_the_past(draft, currency.code(), rate.from)?;
    let rates = match draft.state.record(RecordKey::rates(operator, currency)) {
        Some(Record::Rates(rates)) => rates.clone(),
        _ => Rates::default(),
    };
    match rates.overlapped_by(rate) {
        Some(other) => Err(OfficeRefusal::RatesOverlap { from: other.from }.into()),
        None => Ok(rates.with(*rate)),
    }
}

/// A few cards are void by their state; many by a rule that is decided when one is met.
fn void(draft: &mut Draft<'_>, first: Serial, range: VoidCards) -> Result<(), Refusal> {
    let count = usize::try_from(range.last.0.saturating_sub(first.0)).unwrap_or(usize::MAX).saturating_add(1);
    if count > TOUCH_MAX {
        draft.record(RecordKey::void_cards(first), Some(Record::VoidCards(range)));
        return Ok(());
    }
    let mut changed = false;
    for serial in (first.0..=range.last.0).map(Serial) {
        let (id, card) = draft.state.card_of_serial(serial).ok_or(Refusal::CardUnknown)?;
        if let Ok(state) = changed_state(card, CardChange::Void(range.why), draft.at) {
            draft.set_card(id, state);
            changed = true;
        }
        if let Some(holder) = card.facts.state.holder().filter(|_| count == 1) {
            draft.name(holder);
        }
    }
    if changed { Ok(()) } else { Err(Refusal::NothingToChange) }
}

/// Ranges never overlap, so that one look tells whether a card lies in one.
fn admit_range(draft: &Draft<'_>, operator: OperatorId, first: Serial, last: Serial) -> Result<(), Refusal> {
    let of = |serial: Serial| draft.state.card_of_serial(serial).map(|(_, card)| card.facts.operator);
    if last.0.saturating_sub(first.0) >= VOID_RANGE_MAX {
        return Err(Refusal::TooMuchAtOnce { max: VOID_RANGE_MAX });
    }
    if last < first || of(first) != Some(operator) || of(last) != Some(operator) {
        return Err(OfficeRefusal::RangeMalformed.into());
    }
    // With one operator whose cards lie between is known without looking at each.
    let others = draft.state.operators().count() > 1;
    if others && (first.0..=last.0).any(|serial| of(Serial(serial)) != Some(operator)) {
        return Err(OfficeRefusal::RangeMalformed.into());
    }
    for (id, record) in draft.state.records_of(RecordKind::VoidCards) {
        let begin = Serial(u32::try_from(id).unwrap_or(u32::MAX));
        if let Record::VoidCards(range) = record
            && begin <= last
            && first <= range.last
        {
            return Err(OfficeRefusal::RangeOverlaps { first: begin, last: range.last }.into());
        }
    }
    Ok(())
}

/// What can be taken back: at most what the recipient has left.
fn admit_reversal(draft: &Draft<'_>, operator: OperatorId, reversal: &Reversal) -> Result<Amount, Refusal> {
    reason(&reversal.reason)?;
    let key = RecordKey::made_by(RecordKind::Reversed, reversal.of);
    if let Some(Record::Reversed(reversed)) = draft.state.record(key) {
        return Err(OfficeRefusal::AlreadyReversed { by: reversed.by }.into());
    }
    let since = reversible_until(reversal.given_at);
    if since <= draft.at {
        return Err(OfficeRefusal::TooLateToReverse { since }.into());
    }
    let accounts = [AccountId::Card(reversal.card), AccountId::Airtime(reversal.recipient)];
    if reversal.of > draft.state.seq()
        || draft.state.hold(reversal.of).is_some()
        || accounts.iter().any(|account| draft.state.owner(*account) != Some(operator))
    {
        return Err(OfficeRefusal::NotAGift.into());
    }
    // Nobody uses a card any more that is over, and nobody is paid out what is on it.
    if let Some(card) = draft.state.card(reversal.card)
        && home_of(draft, reversal.card).is_none()
    {
        return Err(Refusal::CardStateForbids { state: String::from(card.facts.state.name()) });
    }
    let left_minor = draft.balance_minor(AccountId::Airtime(reversal.recipient));
    Amount::try_new(reversal.amount.minor().min(left_minor)).ok_or_else(|| OfficeRefusal::NothingLeft.into())
}

fn reverse(draft: &mut Draft<'_>, reversal: &Reversal, amount: Amount) -> Result<i64, Refusal> {
    draft.name(reversal.sender);
    draft.name(reversal.recipient);
    let home = home_of(draft, reversal.card).ok_or(Refusal::CardUnknown)?;
    draft.transfer(AccountId::Airtime(reversal.recipient), AccountId::Card(home), amount)?;
    let reversed = Reversed { by: draft.own_seq(), until: reversible_until(reversal.given_at) };
    draft.record(RecordKey::made_by(RecordKind::Reversed, reversal.of), Some(Record::Reversed(reversed)));
    Ok(amount.minor())
}

fn admit_adjustment(
    draft: &Draft<'_>,
    operator: OperatorId,
    debit: AccountId,
    credit: AccountId,
    amount: Amount,
    why: &str,
) -> Result<(), Refusal> {
    reason(why)?;
    let own = |account| draft.state.owner(account) == Some(operator);
    // What is held belongs to a gift or a call, which end it.
    let held = |account| matches!(account, AccountId::Held(_));
    let fit = debit != credit && debit.currency() == credit.currency();
    if !fit || !own(debit) || !own(credit) || held(debit) || held(credit) {
        return Err(OfficeRefusal::AccountsDontFit.into());
    }
    let short_by_minor = amount.minor().saturating_sub(draft.balance_minor(debit));
    if debit.is_purse() && short_by_minor > 0 {
        return Err(OfficeRefusal::BalanceShort { short_by_minor }.into());
    }
    // Between the proposal and its approval a number may have got another holder: the one before gets nothing more.
    if let AccountId::Airtime(id) = credit
        && draft.state.subscriber(id).is_none_or(|row| row.facts.standing == Standing::Released)
    {
        return Err(Refusal::SubscriberUnknown);
    }
    if matches!(debit, AccountId::Position(_)) {
        Issuing::begin(draft, operator)?.admit(draft, credit, amount)
    } else {
        let standing = &draft.state.operator(operator).ok_or(Refusal::OperatorUnknown)?.rules.standing;
        fits(draft, standing, credit, amount)
    }
}

/// What comes out of the position is issued, whoever books it.
fn adjust(draft: &mut Draft<'_>, debit: AccountId, credit: AccountId, amount: Amount) -> Result<(), Refusal> {
    let AccountId::Position(operator) = debit else { return draft.transfer(debit, credit, amount) };
    let mut issuing = Issuing::begin(draft, operator)?;
    issuing.issue(draft, credit, amount)?;
    issuing.keep(draft);
    Ok(())
}

/// One card is void: a range of one, so that it too takes two people.
pub(super) fn void_one(
    draft: &mut Draft<'_>,
    staff: Staff,
    (id, operator): (CardId, OperatorId),
    why: crate::card::Voiding,
) -> Result<Done, Refusal> {
    let serial = Serial::of(id);
    propose(draft, staff, operator, &Proposal::VoidCards { first: serial, last: serial, why })
}
