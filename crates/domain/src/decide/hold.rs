//! Gifts on hold: taken, undone by their sender, or posted when their time is over.

use crate::account::AccountId;
use crate::command::{Gift, Proved};
use crate::effects::{Change, UsageAfter};
use crate::ids::{CardId, SubscriberId};
use crate::money::Amount;
use crate::office::done::OfficeDone;
use crate::office::hold::{HeldGift, HeldUsage, Hold, HoldBack};
use crate::office::motion::{Reversed, reversible_until};
use crate::office::{Record, RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::refusal::{Refusal, Unusable};
use crate::rules::tariff::Charged;
use crate::rules::{Held, HoldRule};
use crate::state::{RepeatKey, SubscriberFacts};
use crate::verdict::Done;

use super::admission::{self, Terms};
use super::card_state::home_of;
use super::draft::Draft;
use super::proof::{self, Known, Pick, Wanted};

/// Whether the rule holds a gift to this recipient.
pub(super) fn holds(draft: &Draft<'_>, rule: HoldRule, sender: Known<'_>, recipient: Option<SubscriberId>) -> bool {
    match rule.gifts {
        Held::Always => true,
        Held::NewRecipient => recipient.is_none_or(|to| !draft.state.recents_of(sender.row).contains(&to)),
    }
}

/// Sets a gift aside: everything about it was checked.
pub(super) fn take(
    draft: &mut Draft<'_>,
    gift: &Gift,
    rule: HoldRule,
    (sender, pick, to): (Known<'_>, Pick<'_>, SubscriberId),
    (amount, charged): (Amount, Charged),
    usage: &[UsageAfter],
) -> Result<Done, Refusal> {
    let operator = gift.caller.operator;
    let until = draft.at.plus_s(i64::from(rule.for_s));
    let hold = Hold {
        operator,
        sender: sender.id,
        recipient: to,
        card: pick.id,
        amount,
        fee_minor: charged.fee_minor,
        tax_minor: charged.tax_minor,
        occasion: gift.occasion,
        usage: usage.iter().map(|u| HeldUsage { limit: u.limit, subject: u.subject, start: u.start }).collect(),
        expires_at: until,
    };
    let (card, held) = (AccountId::Card(pick.id), AccountId::Held(operator));
    draft.transfer(card, held, amount)?;
    if let Some(fee) = Amount::try_new(charged.total_minor()) {
        draft.transfer(card, held, fee)?;
    }
    draft.held(sender.id, to, amount);
    draft.record(RecordKey::made_by(RecordKind::Hold, draft.own_seq()), Some(Record::Hold(hold)));
    Ok(Done::Held { left_minor: draft.balance_minor(card), fee_minor: charged.total_minor(), until })
}

/// Takes back the caller's latest gift that is still on hold.
pub(super) fn undo(draft: &mut Draft<'_>, proved: &Proved) -> Result<Done, Refusal> {
    let (known, _) = proof::proven(draft, proved, Wanted::Usable)?;
    // What is due is due, whether its timer has run or not.
    let on_hold = |seq: &&Seq| draft.state.hold(**seq).is_some_and(|hold| draft.at < hold.expires_at);
    let seq = draft.state.holds_of(known.id).iter().rev().find(on_hold).copied().ok_or(Refusal::NothingToUndo)?;
    let hold = draft.state.hold(seq).ok_or(Refusal::NothingToUndo)?;
    let home = give_back(draft, seq, hold)?;
    let recipient = draft.state.subscriber(hold.recipient).ok_or(Refusal::NothingToUndo)?.facts.msisdn;
    let balance_minor = home.map_or(0, |card| draft.balance_minor(AccountId::Card(card)));
    let amount = hold.amount;
    Ok(Done::Undone { hold: seq, amount, recipient, balance_minor })
}

/// A held gift whose time is over: the recipient's now, or back on its card when it may not arrive any more.
pub(super) fn post(draft: &mut Draft<'_>, seq: Seq, hold: &Hold) -> Result<Done, Refusal> {
    draft.concern(hold.operator);
    let sender = draft.state.subscriber(hold.sender).ok_or(Refusal::NothingToChange)?;
    let recipient = draft.state.subscriber(hold.recipient).ok_or(Refusal::NothingToChange)?;
    let gift = HeldGift {
        hold: seq,
        operator: hold.operator,
        from: sender.facts.msisdn,
        to: recipient.facts.msisdn,
        amount: hold.amount,
        occasion: hold.occasion,
    };
    if let Err(why) = may_arrive(draft, hold, &sender.facts, &recipient.facts) {
        let home = give_back(draft, seq, hold)?;
        let balance_minor = home.map_or(0, |card| draft.balance_minor(AccountId::Card(card)));
        return Ok(OfficeDone::HoldVoided { gift, balance_minor, why }.into());
    }
    draft.name(hold.sender);
    draft.name(hold.recipient);
    let held = AccountId::Held(hold.operator);
    draft.transfer(held, AccountId::Airtime(hold.recipient), hold.amount)?;
    if let Some(fee) = Amount::try_new(hold.fee_minor) {
        draft.transfer(held, AccountId::FeeIncome(hold.operator), fee)?;
    }
    if let Some(tax) = Amount::try_new(hold.tax_minor) {
        draft.transfer(held, AccountId::TaxPayable(hold.operator), tax)?;
    }
    draft.change(Change::Recent { sender: hold.sender, recipient: hold.recipient });
    draft.record(RecordKey::made_by(RecordKind::Hold, seq), None);
    Ok(OfficeDone::HoldPosted { gift, language: recipient.facts.language }.into())
}

/// What may have changed since a gift was taken is looked at once more, in the order of a gift's refusals. What was settled
/// then (password, limits, age, funds) is not.
fn may_arrive(
    draft: &Draft<'_>,
    hold: &Hold,
    sender: &SubscriberFacts,
    recipient: &SubscriberFacts,
) -> Result<(), HoldBack> {
    let terms = Terms::now(draft, hold.operator).map_err(|_| HoldBack::ServiceClosed)?;
    admission::may_give(&terms, sender).map_err(|_| HoldBack::SenderMayNotGive)?;
    let card = draft.state.card(hold.card).ok_or(HoldBack::CardNotUsable)?;
    match admission::may_pay(&terms, hold.card, card) {
        // A card's time may run out after the gift was taken from it.
        Ok(()) | Err(Refusal::CardNotUsable { why: Unusable::Expired }) => {}
        Err(_) => return Err(HoldBack::CardNotUsable),
    }
    admission::may_receive(recipient).map_err(|_| HoldBack::RecipientUnknown)?;
    let airtime_minor = draft.balance_minor(AccountId::Airtime(hold.recipient));
    admission::room(&terms, airtime_minor, hold.amount).map_err(|_| HoldBack::RecipientBalanceMax)
}

/// Before a card's life ends: a gift of it that is on hold may still come back to it.
pub(super) fn none_of_card(draft: &Draft<'_>, holder: SubscriberId, card: CardId) -> Result<(), Refusal> {
    let of_card = |seq: &Seq| draft.state.hold(*seq).is_some_and(|hold| hold.card == card);
    if draft.state.holds_of(holder).iter().any(of_card) {
        return Err(Refusal::CardStateForbids { state: String::from("gift-on-hold") });
    }
    Ok(())
}

/// Everything as before the gift: money, limits on their own business date, and nothing to repeat.
///
/// The card that it is on again; `None` when it expired and its holder has no other one.
fn give_back(draft: &mut Draft<'_>, seq: Seq, hold: &Hold) -> Result<Option<CardId>, Refusal> {
    draft.concern(hold.operator);
    draft.name(hold.sender);
    draft.name(hold.recipient);
    let total = Amount::try_new(hold.total_minor()).ok_or(Refusal::AmountOverflow)?;
    let home = home_of(draft, hold.card);
    // What would have been on an expired card has expired with it, unless its holder has another one.
    let back = home.map_or(AccountId::Breakage(hold.operator), AccountId::Card);
    draft.transfer(AccountId::Held(hold.operator), back, total)?;
    for used in &hold.usage {
        let Some((key, now)) = draft.state.used_in(used) else { continue };
        draft.use_limit(UsageAfter {
            limit: key.limit,
            subject: key.subject,
            start: now.start,
            count: now.count.saturating_sub(1),
            total_minor: now.total_minor.saturating_sub(hold.amount.minor()).max(0),
        });
    }
    let (sender, recipient, amount) = (hold.sender, hold.recipient, hold.amount);
    // The same may have been given again since: that gift is still remembered.
    let known = draft.state.repeat(&RepeatKey { sender, recipient, amount });
    if known.is_some_and(|given| given.seq == seq) {
        draft.change(Change::Forgotten { sender, recipient, amount });
    }
    draft.record(RecordKey::made_by(RecordKind::Hold, seq), None);
    // It never was the recipient's, so nobody may take it back from them.
    // It was given before its hold ended: by that time nobody may take it back either.
    let reversed = Reversed { by: draft.own_seq(), until: reversible_until(hold.expires_at) };
    draft.record(RecordKey::made_by(RecordKind::Reversed, seq), Some(Record::Reversed(reversed)));
    Ok(home)
}
