//! Gifts and top-ups that were done, held, undone, or whose time was over: from whose card, to whom, how much, for what fee, and not
//! twice.

use std::collections::BTreeMap;

use domain::account::AccountId;
use domain::card::CardState;
use domain::command::{Body, Caller, Gift, Proved, TopUp};
use domain::effects::Change;
use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::office::done::OfficeDone;
use domain::office::hold::{HeldGift, HoldBack};
use domain::password::{PasswordTag, Proof};
use domain::receipt::Seq;
use domain::rules::limit::Kind;
use domain::rules::{Fee, Held as Holds, Period};
use domain::state::{CardFacts, Standing};
use domain::verdict::Done;

use super::expect::Expect;
use super::limits::{Parties, Row};
use super::ordered::{Ordered, charge};
use super::{At, Oracle};
use crate::calendar::{Calendar, DAY_MS};
use crate::invariant::{Broken, GIFT_AS_ASKED, HELD_ENDS, Held, MAXIMUM_HOLDS, NO_GIFT_TWICE, hold};

/// For so long a gift can be taken back by two people.
pub(super) const REVERSIBLE_MS: i64 = 180 * DAY_MS;

/// When the same gift was given last: sender, recipient, minor units. Of one's own top-ups both are oneself.
pub(super) type Repeats = BTreeMap<(SubscriberId, SubscriberId, i64), (i64, Seq)>;

/// A gift on hold.
#[derive(Clone, Debug)]
pub(super) struct OnHold {
    pub(super) operator: OperatorId,
    pub(super) from: SubscriberId,
    pub(super) to: SubscriberId,
    pub(super) card: CardId,
    pub(super) minor: i64,
    fee: i64,
    tax: i64,
    pub(super) until_ms: i64,
    rows: Vec<Row>,
    /// How many rules the operator had loaded when it was taken.
    loads: u32,
}

/// Who pays from what, and under which rules.
#[derive(Clone, Copy)]
struct Payer<'a> {
    rules: &'a Ordered,
    period: &'static Period,
    operator: OperatorId,
    from: SubscriberId,
    card: CardId,
    balance: i64,
}

impl OnHold {
    /// Amount, fee and tax: what is set aside.
    pub(super) const fn total(&self) -> i64 {
        self.minor + self.fee + self.tax
    }
}

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: GIFT_AS_ASKED, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

/// What an amount costs, and what the card must hold for it.
fn needed(fee: &Fee, period: &Period, minor: i64) -> ((i64, i64), i64) {
    let (fee, tax) = charge(fee, minor);
    ((fee, tax), minor + fee + tax + period.residual_min_minor)
}

impl Oracle {
    /// A gift that is posted or taken.
    pub(super) fn gift(&mut self, at: At<'_>, gift: &Gift, done: &Done) -> Result<Expect, Broken> {
        let minor = gift.amount.value().ok_or_else(|| wrong(at, "of no amount"))?.minor();
        let payer = self.payer(at, &gift.caller, &gift.proof, minor, |period| &period.gift_fee)?;
        let Payer { rules, period, operator, from, card, balance } = payer;
        let ((fee, tax), least) = needed(&period.gift_fee, period, minor);
        let to = self.recipient(at, gift, operator, rules)?;
        hold(to != from && !gift.swapped, GIFT_AS_ASKED, || format!("entry {}: a gift to oneself", at.seq))?;
        self.fits(at, period, minor)?;
        self.ages(at, operator, period, [from, to])?;
        let left = balance - minor - fee - tax;
        hold(least <= balance, GIFT_AS_ASKED, || format!("entry {}: {least} of {balance}", at.seq))?;
        self.room(at, period, to, minor, "after it")?;
        let holds = period.hold.filter(|rule| match rule.gifts {
            Holds::Always => true,
            Holds::NewRecipient => !self.registry.gave_lately(from, to),
        });
        let window_s = rules.standing.standing.repeat_window_s;
        let mut expect = Expect::default();
        let money = AccountId::Card(card);
        match (holds, done) {
            (None, Done::Given { left_minor, fee_minor, language }) => {
                hold(*left_minor == left && *fee_minor == fee + tax, GIFT_AS_ASKED, || {
                    format!("entry {}: {left_minor} left for {fee_minor}, due {left} for {fee} and {tax}", at.seq)
                })?;
                let facts = self.registry.facts(to);
                let known = facts
                    .map_or_else(|| rules.standing.standing.languages.first().copied(), |facts| Some(facts.language));
                hold(known == Some(*language), GIFT_AS_ASKED, || {
                    format!("entry {}: told in {language:?}, the recipient reads {known:?}", at.seq)
                })?;
                expect.moves(money, AccountId::Airtime(to), minor);
                expect.moves(money, AccountId::FeeIncome(operator), fee);
                expect.moves(money, AccountId::TaxPayable(operator), tax);
            }
            (Some(rule), Done::Held { left_minor, fee_minor, until }) => {
                let until_ms = at.ms + i64::from(rule.for_s) * 1_000;
                let told = *left_minor == left && *fee_minor == fee + tax && until.ms() == until_ms;
                hold(told, GIFT_AS_ASKED, || {
                    format!("entry {}: {done:?}, due {left} for {fee} and {tax} until {until_ms}", at.seq)
                })?;
                expect.moves(money, AccountId::Held(operator), minor + fee + tax);
            }
            (Some(_), _) => return Err(wrong(at, "posted at once, and rules say that it is held")),
            (None, _) => return Err(wrong(at, "held, and no rule says so")),
        }
        self.once(at, window_s, from, to, minor)?;
        let parties = Parties { operator, kind: Kind::Gift, from, to, card };
        let used = self.limits.count(at.seq, period, at.ms, parties, minor)?;
        let rows = used.iter().map(|(row, _)| *row).collect();
        used.into_iter().for_each(|((limit, subject), now)| expect.uses(limit, subject, now));
        if let Done::Held { until, .. } = done {
            let loads = self.loads(operator);
            let taken = OnHold { operator, from, to, card, minor, fee, tax, until_ms: until.ms(), rows, loads };
            self.holds.insert(at.seq, taken);
        } else {
            self.registry.gave(from, to);
            self.given.insert(at.seq, (operator, card, from, to, minor));
        }
        Ok(expect)
    }

    /// A top-up.
    pub(super) fn top_up(&mut self, at: At<'_>, top_up: &TopUp, done: &Done) -> Result<Expect, Broken> {
        let minor = top_up.amount.value().ok_or_else(|| wrong(at, "of no amount"))?.minor();
        let payer = self.payer(at, &top_up.caller, &top_up.proof, minor, |period| &period.top_up_fee)?;
        let Payer { rules, period, operator, from, card, balance } = payer;
        let ((fee, tax), least) = needed(&period.top_up_fee, period, minor);
        self.fits(at, period, minor)?;
        self.room(at, period, from, minor, "after it")?;
        let airtime = AccountId::Airtime(from);
        let due = Done::ToppedUp {
            left_minor: balance - minor - fee - tax,
            fee_minor: fee + tax,
            airtime_minor: self.books.minor(airtime) + minor,
        };
        hold(*done == due && least <= balance, GIFT_AS_ASKED, || format!("entry {}: {done:?}, due {due:?}", at.seq))?;
        let window_s = rules.standing.standing.repeat_window_s;
        self.once(at, window_s, from, from, minor)?;
        let mut expect = Expect::default();
        expect.moves(AccountId::Card(card), airtime, minor);
        expect.moves(AccountId::Card(card), AccountId::FeeIncome(operator), fee);
        expect.moves(AccountId::Card(card), AccountId::TaxPayable(operator), tax);
        let parties = Parties { operator, kind: Kind::TopUp, from, to: from, card };
        let used = self.limits.count(at.seq, period, at.ms, parties, minor)?;
        used.into_iter().for_each(|((limit, subject), now)| expect.uses(limit, subject, now));
        Ok(expect)
    }

    /// The latest gift of a caller that is on hold, back as if it had never been.
    pub(super) fn undo(&mut self, at: At<'_>, proved: &Proved, done: &Done) -> Result<Expect, Broken> {
        let (from, _) = self.prover(at, proved)?;
        let latest = self.holds.iter().rev().find(|(_, one)| one.from == from && at.ms < one.until_ms);
        let (seq, one) = latest.map(|(seq, one)| (*seq, one.clone())).ok_or_else(|| wrong(at, "nothing is on hold"))?;
        let back = self.comes_back(at, &one);
        let balance = self.after_coming_back(&one, back);
        let recipient = self.registry.facts(one.to).map(|facts| facts.msisdn);
        let told = matches!(done, Done::Undone { hold, amount, recipient: told, balance_minor }
            if *hold == seq && amount.minor() == one.minor && Some(*told) == recipient && *balance_minor == balance);
        hold(told, GIFT_AS_ASKED, || format!("entry {}: {done:?}, due is {seq} {one:?} with {balance}", at.seq))?;
        Ok(self.give_back(at, seq, &one, back))
    }

    /// The time of a gift on hold is over.
    pub(super) fn hold_is_over(&mut self, at: At<'_>, seq: Seq, done: &OfficeDone) -> Result<Expect, Broken> {
        let one = self.holds.get(&seq).cloned().ok_or_else(|| wrong(at, "nothing is on hold"))?;
        hold(one.until_ms <= at.ms, HELD_ENDS, || format!("entry {}: {one:?} is not over at {}", at.seq, at.ms))?;
        let (from, to) = (self.registry.facts(one.from), self.registry.facts(one.to));
        let same = |gift: &HeldGift| {
            gift.hold == seq
                && gift.operator == one.operator
                && from.is_some_and(|facts| facts.msisdn == gift.from)
                && to.is_some_and(|facts| facts.msisdn == gift.to)
                && gift.amount.minor() == one.minor
        };
        let why_not = self.why_not_posted(at, &one);
        match (done, why_not) {
            (OfficeDone::HoldPosted { gift, language }, None) if same(gift) => {
                hold(to.is_some_and(|to| to.language == *language), GIFT_AS_ASKED, || {
                    format!("entry {}: told in {language:?}", at.seq)
                })?;
                if self.loads(one.operator) > one.loads {
                    self.meet("hold posted after a rule change");
                }
                self.holds.remove(&seq);
                let held = AccountId::Held(one.operator);
                let mut expect = Expect::default();
                expect.moves(held, AccountId::Airtime(one.to), one.minor);
                expect.moves(held, AccountId::FeeIncome(one.operator), one.fee);
                expect.moves(held, AccountId::TaxPayable(one.operator), one.tax);
                self.registry.gave(one.from, one.to);
                self.given.insert(seq, (one.operator, one.card, one.from, one.to, one.minor));
                Ok(expect)
            }
            (OfficeDone::HoldVoided { gift, balance_minor, why }, Some(due)) if same(gift) && *why == due => {
                let back = self.comes_back(at, &one);
                hold(*balance_minor == self.after_coming_back(&one, back), GIFT_AS_ASKED, || {
                    format!("entry {}: {balance_minor} on {back:?} after {one:?}", at.seq)
                })?;
                self.meet(match due {
                    HoldBack::ServiceClosed => "hold voided: the service is closed",
                    HoldBack::SenderMayNotGive => "hold voided: its sender may not give",
                    HoldBack::CardNotUsable => "hold voided: its card can't be used",
                    HoldBack::RecipientUnknown => "hold voided: its recipient is barred or gone",
                    HoldBack::RecipientBalanceMax => "hold voided: its recipient has too much",
                });
                Ok(self.give_back(at, seq, &one, back))
            }
            (_, why) => Err(wrong(at, &format!("{done:?} of {one:?}, of which {why:?} keeps it back"))),
        }
    }

    /// Why a gift on hold can't be posted any more: the first of these that holds.
    fn why_not_posted(&self, at: At<'_>, one: &OnHold) -> Option<HoldBack> {
        let rules = self.rules(one.operator)?;
        let Some(period) = rules.period(at.ms) else { return Some(HoldBack::ServiceClosed) };
        let standing = |who| self.registry.facts(who).map(|facts| facts.standing);
        if standing(one.from) != Some(Standing::Active)
            || self.rests(one.from, rules.standing.standing.swap_rest_h, at.ms)
        {
            return Some(HoldBack::SenderMayNotGive);
        }
        let card = self.registry.card(one.card);
        // A card's time may run out after the gift was taken from it.
        let fine = card.is_some_and(|card| {
            let live = matches!(card.state, CardState::Bound { .. }) && !self.is_void(one.card, card, at.ms);
            live || matches!(card.state, CardState::Expired { .. })
        });
        if !fine {
            return Some(HoldBack::CardNotUsable);
        }
        if standing(one.to) != Some(Standing::Active) {
            return Some(HoldBack::RecipientUnknown);
        }
        let has = self.books.minor(AccountId::Airtime(one.to)) + one.minor;
        let most = period.recipient_balance_max;
        most.is_some_and(|most| has > most.minor()).then_some(HoldBack::RecipientBalanceMax)
    }

    /// Where a gift on hold goes back to: its card or another one, or else it has expired.
    fn comes_back(&self, at: At<'_>, one: &OnHold) -> AccountId {
        self.home_of(at, one.card).map_or(AccountId::Breakage(one.operator), AccountId::Card)
    }

    /// A card, or when it is over the card of its holder's that was bound first and lives: one that was bought in the same
    /// currency, if there is any.
    pub(super) fn home_of(&self, at: At<'_>, id: CardId) -> Option<CardId> {
        let card = self.registry.card(id)?;
        if !matches!(card.state, CardState::Closed { .. } | CardState::Expired { .. }) {
            return Some(id);
        }
        let lives = |(id, other): &(CardId, &CardFacts)| {
            let frozen = matches!(other.state, CardState::Frozen { .. });
            other.operator == card.operator && (frozen || self.usable(*id, other, at.ms))
        };
        let all: Vec<_> = self.registry.cards_of(card.state.holder()?).filter(lives).map(|(id, _)| id).collect();
        let same = all.iter().find(|other| self.tills.currency(**other) == self.tills.currency(id));
        same.or(all.first()).copied()
    }

    /// What is on the card that a gift comes back to; nothing when it is on none.
    fn after_coming_back(&self, one: &OnHold, back: AccountId) -> i64 {
        if matches!(back, AccountId::Card(_)) { self.books.minor(back) + one.total() } else { 0 }
    }

    fn give_back(&mut self, at: At<'_>, seq: Seq, one: &OnHold, back: AccountId) -> Expect {
        self.holds.remove(&seq);
        self.undone.insert(seq, at.seq);
        self.late.insert(seq, one.until_ms + REVERSIBLE_MS);
        let mut expect = Expect::default();
        expect.moves(AccountId::Held(one.operator), back, one.total());
        for ((limit, subject), now) in self.limits.take_back(seq, &one.rows) {
            expect.uses(limit, subject, now);
        }
        let key = (one.from, one.to, one.minor);
        if self.repeats.get(&key).is_some_and(|(_, given)| *given == seq) {
            self.repeats.remove(&key);
        } else {
            self.meet("an older gift comes back after the same was given again");
        }
        if back != AccountId::Card(one.card) {
            self.meet("a gift comes back to a card that is over");
        }
        expect
    }

    /// The caller and the card that pays: the usable one bound first among those that the password opens and that cover it.
    fn payer(
        &self,
        at: At<'_>,
        caller: &Caller,
        proof: &Proof,
        minor: i64,
        fee: impl Fn(&'static Period) -> &'static Fee,
    ) -> Result<Payer<'_>, Broken> {
        let operator = caller.operator;
        let from = self.registry.active(caller.msisdn, operator).ok_or_else(|| wrong(at, "the caller is nobody"))?;
        let rules = self.rules(operator).ok_or_else(|| wrong(at, "no rules"))?;
        let period = rules.period(at.ms).ok_or_else(|| wrong(at, "the service is closed"))?;
        let active = self.registry.facts(from).is_some_and(|facts| facts.standing == Standing::Active);
        let rests = self.rests_as_heard(from, caller, rules.standing.standing.swap_rest_h, at.ms);
        hold(active && !rests, GIFT_AS_ASKED, || format!("entry {}: the caller is barred or rests", at.seq))?;
        let refused = self.refusals.today(operator, from, at.ms);
        let most = i64::from(period.refusals_per_day);
        hold(most == 0 || refused < most, GIFT_AS_ASKED, || {
            format!("entry {}: {refused} refusals today, {most} at most", at.seq)
        })?;
        let (_, least) = needed(fee(period), period, minor);
        let balance = |id: CardId| self.books.minor(AccountId::Card(id));
        let mut opened = self.opened(from, proof, at.ms).filter(|(id, _)| least <= balance(*id));
        let card = opened.next().map(|(id, _)| id);
        let card = card.ok_or_else(|| wrong(at, "no card of the caller's that the password opens can pay"))?;
        let paid = at.entry.verdict.effects.transfers.first().map(|transfer| transfer.debit);
        hold(paid == Some(AccountId::Card(card)), GIFT_AS_ASKED, || {
            format!("entry {}: paid from {paid:?}, card {} is the first that can", at.seq, card.0)
        })?;
        Ok(Payer { rules, period, operator, from, card, balance: balance(card) })
    }

    /// A caller who proves a usable card of theirs, and that card.
    pub(super) fn prover(&self, at: At<'_>, proved: &Proved) -> Result<(SubscriberId, CardId), Broken> {
        let Proved { caller, proof } = proved;
        let from = self.registry.active(caller.msisdn, caller.operator);
        let from = from.ok_or_else(|| wrong(at, "the caller is nobody"))?;
        let active = self.registry.facts(from).is_some_and(|facts| facts.standing == Standing::Active);
        hold(active, GIFT_AS_ASKED, || format!("entry {}: the caller is barred", at.seq))?;
        let card = self.opened(from, proof, at.ms).next().map(|(id, _)| id);
        card.map(|card| (from, card)).ok_or_else(|| wrong(at, "the password opens no usable card"))
    }

    /// A caller's usable cards that a proof opens, in the order of binding.
    pub(super) fn opened<'a>(
        &'a self,
        holder: SubscriberId,
        proof: &'a Proof,
        at_ms: i64,
    ) -> impl Iterator<Item = (CardId, &'a CardFacts)> + 'a {
        let cards = self.registry.cards_of(holder);
        cards.filter(move |(id, card)| opened_by(card, holder, proof) && self.usable(*id, card, at_ms))
    }

    /// The recipient's row: known, or made by this very entry.
    fn recipient(
        &self,
        at: At<'_>,
        gift: &Gift,
        operator: OperatorId,
        rules: &Ordered,
    ) -> Result<SubscriberId, Broken> {
        let number = gift.recipient.value().ok_or_else(|| wrong(at, "to no number"))?;
        if let Some(known) = self.registry.active(number, operator) {
            let active = self.registry.facts(known).is_some_and(|facts| facts.standing == Standing::Active);
            return if active { Ok(known) } else { Err(wrong(at, "the recipient is barred")) };
        }
        let made = at.entry.verdict.effects.changes.iter().find_map(|change| match change {
            Change::Subscriber { id, facts } if facts.msisdn == number && facts.operator == operator => Some(*id),
            _ => None,
        });
        made.filter(|_| rules.standing.standing.first_use).ok_or_else(|| wrong(at, "the recipient is nobody"))
    }

    /// Bounds of amounts.
    fn fits(&self, at: At<'_>, period: &Period, minor: i64) -> Held {
        let bounds = period.amount_min.minor()..=period.amount_max.minor();
        let fits = bounds.contains(&minor) && minor % period.amount_step.minor() == 0;
        hold(fits, GIFT_AS_ASKED, || format!("entry {}: {minor} is no amount of the rules", at.seq))
    }

    /// How long both are known.
    fn ages(&self, at: At<'_>, operator: OperatorId, period: &Period, of: [SubscriberId; 2]) -> Held {
        let days = i32::try_from(period.age_days_min).unwrap_or(i32::MAX);
        let calendar = Calendar::of(operator);
        let since = |row| self.registry.facts(row).map_or(at.ms, |facts| facts.since.ms());
        let young = |row| calendar.date(at.ms) < calendar.date(since(row)) + days;
        hold(days == 0 || !of.into_iter().any(young), GIFT_AS_ASKED, || format!("entry {}: too young", at.seq))
    }

    /// What a recipient may have, with what is on hold for them.
    fn room(&self, at: At<'_>, period: &Period, to: SubscriberId, minor: i64, when: &str) -> Held {
        let Some(most) = period.recipient_balance_max else { return Ok(()) };
        let has = self.coming(to) + minor;
        hold(has <= most.minor(), MAXIMUM_HOLDS, || format!("entry {}: {has} {when}, {} at most", at.seq, most.minor()))
    }

    /// Somebody's airtime with what is on hold for them.
    pub(super) fn coming(&self, to: SubscriberId) -> i64 {
        let held: i64 = self.holds.values().filter(|one| one.to == to).map(|one| one.minor).sum();
        self.books.minor(AccountId::Airtime(to)) + held
    }

    fn once(&mut self, at: At<'_>, window_s: u32, from: SubscriberId, to: SubscriberId, minor: i64) -> Held {
        let window_ms = i64::from(window_s) * 1_000;
        let before = self.repeats.insert((from, to, minor), (at.ms, at.seq));
        hold(before.is_none_or(|(then, _)| then + window_ms <= at.ms), NO_GIFT_TWICE, || {
            let how = if to == from { "tops up" } else { "gives" };
            format!("entry {} {how} {minor} again after {before:?} (ms, entry), at {}", at.seq, at.ms)
        })
    }

    /// A limit that the operator ordered stands against this command, by what is durable: for the edge that looks limits up
    /// by itself.
    pub(crate) fn limit_stands_against(&self, body: &Body, at_ms: i64) -> bool {
        let (caller, minor, kind, to) = match body {
            Body::Gift(gift) => {
                let to = gift.recipient.value().and_then(|to| self.registry.active(to, gift.caller.operator));
                (&gift.caller, gift.amount, Kind::Gift, to)
            }
            Body::TopUp(top_up) => {
                let own = self.registry.active(top_up.caller.msisdn, top_up.caller.operator);
                (&top_up.caller, top_up.amount, Kind::TopUp, own)
            }
            _ => return false,
        };
        let operator = caller.operator;
        let (Some(minor), Some(to)) = (minor.value(), to) else { return false };
        let Some(from) = self.registry.active(caller.msisdn, operator) else { return false };
        let Some(period) = self.rules(operator).and_then(|rules| rules.period(at_ms)) else { return false };
        self.registry.cards_of(from).any(|(card, _)| {
            let parties = Parties { operator, kind, from, to, card };
            !self.limits.passed(period, at_ms, parties, minor.minor()).is_empty()
        })
    }
}

/// Whether a card is this holder's and the proof opens it.
pub(super) fn opened_by(card: &CardFacts, holder: SubscriberId, proof: &Proof) -> bool {
    match &card.state {
        CardState::Bound { holder: bound, tag } | CardState::Frozen { holder: bound, tag, .. } => {
            *bound == holder && stands_for(proof, tag)
        }
        CardState::Expired { holder: bound, tag, .. } | CardState::Void { holder: bound, tag, .. } => {
            *bound == Some(holder) && stands_for(proof, tag)
        }
        CardState::Printed { .. } | CardState::InStock { .. } | CardState::Sold { .. } | CardState::Closed { .. } => {
            false
        }
    }
}

/// Whether one of a proof's tags is the stored one, octet by octet.
pub(super) fn stands_for(proof: &Proof, stored: &PasswordTag) -> bool {
    let Proof::Tags { current, older } = proof else { return false };
    [Some(current), older.as_ref()].into_iter().flatten().any(|tag| tag.to_bytes() == stored.to_bytes())
}
