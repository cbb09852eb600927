//! What people and staff do with cards and with themselves: looking, binding, passwords, freezing, languages, imports, SIMs.

use domain::account::AccountId;
use domain::card::CardState;
use domain::command::{
    Bind, Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, ImportSubscribers, IssueCards,
    NewPassword, Proved, SetLanguage, SubscriberChange,
};
use domain::effects::Change;
use domain::ids::{CardId, Serial, SubscriberId};
use domain::refusal::Refusal;
use domain::rules::limit::Kind;
use domain::state::{CARDS_MAX, Standing};
use domain::verdict::{CardLine, Done, Outcome};

use super::expect::Expect;
use super::gifts::{opened_by, stands_for};
use super::limits::Parties;
use super::{At, Oracle};
use crate::calendar::HOUR_MS;
use crate::invariant::{Broken, CARD_LIFE, Held, MOVED_AS_ASKED, SIM_IS_COMPARED, hold};

fn wrong(at: At<'_>, what: &str) -> Broken {
    Broken { invariant: MOVED_AS_ASKED, what: format!("entry {}, {}: {what}", at.seq, at.entry.body.name()) }
}

impl Oracle {
    /// Any of a caller's cards that a proof opens; the caller is in use and not barred.
    fn looker(&self, at: At<'_>, proved: &Proved) -> Result<(SubscriberId, CardId), Broken> {
        let caller = &proved.caller;
        let from = self.registry.active(caller.msisdn, caller.operator).ok_or_else(|| wrong(at, "by nobody"))?;
        let usable = self.opened(from, &proved.proof, at.ms).next().map(|(id, _)| id);
        let any = self.registry.cards_of(from).find(|(_, card)| opened_by(card, from, &proved.proof));
        let card = usable.or_else(|| any.map(|(id, _)| id));
        card.map(|card| (from, card)).ok_or_else(|| wrong(at, "the password opens no card"))
    }

    /// The cards on a phone, as it was told of them.
    pub(super) fn shown(&self, at: At<'_>, proved: &Proved, done: &Done) -> Held {
        let (from, card) = self.looker(at, proved)?;
        let lines = self.registry.cards_of(from).map(|(id, known)| CardLine {
            serial: Serial::of(id),
            balance_minor: self.books.minor(AccountId::Card(id)),
            usable: self.usable(id, known, at.ms),
        });
        let operator = proved.caller.operator;
        let sendable_minor = match self.rules(operator).and_then(|rules| rules.period(at.ms)) {
            Some(period) => {
                let parties = Parties { operator, kind: Kind::Gift, from, to: from, card };
                self.limits.sendable(period, at.ms, parties)
            }
            None => Some(0),
        };
        let airtime_minor = self.books.minor(AccountId::Airtime(from));
        let due = Done::Cards { cards: lines.collect(), sendable_minor, airtime_minor };
        hold(*done == due, MOVED_AS_ASKED, || format!("entry {}: told {done:?}, it is {due:?}", at.seq))
    }

    /// Where a history begins.
    pub(super) fn history(&self, at: At<'_>, proved: &Proved, done: &Done) -> Held {
        let (from, _) = self.looker(at, proved)?;
        let due = Done::Gifts { latest: self.registry.latest(from) };
        hold(*done == due, MOVED_AS_ASKED, || format!("entry {}: told {done:?}, it is {due:?}", at.seq))
    }

    /// The states that an entry gives to a card.
    fn becomes(at: At<'_>, id: CardId) -> Option<CardState> {
        at.entry.verdict.effects.changes.iter().rev().find_map(|change| match change {
            Change::CardState { id: changed, state } if *changed == id => Some(*state),
            _ => None,
        })
    }

    /// Another password for the card that the old one opens.
    pub(super) fn password_changed(&self, at: At<'_>, change: &ChangePassword) -> Held {
        let proved = Proved { caller: change.caller, proof: change.old };
        let (_, card) = self.prover(at, &proved)?;
        let NewPassword::Tag(tag) = change.new else { return Err(wrong(at, "to none")) };
        let set = Self::becomes(at, card).and_then(|state| state.tag());
        hold(set.is_some_and(|set| set.to_bytes() == tag.to_bytes()), CARD_LIFE, || {
            format!("entry {}: card {} has not the new password", at.seq, card.0)
        })
    }

    /// A holder stops a card.
    pub(super) fn frozen(&self, at: At<'_>, proved: &Proved, done: &Done) -> Held {
        let (_, card) = self.prover(at, proved)?;
        let stopped = matches!(Self::becomes(at, card), Some(CardState::Frozen { .. }));
        let told = *done == Done::Frozen { serial: Serial::of(card) };
        hold(stopped && told, CARD_LIFE, || format!("entry {}: card {} is not frozen", at.seq, card.0))
    }

    /// A bought card is bound to the phone that calls.
    pub(super) fn bound(&mut self, at: At<'_>, bind: &Bind, done: &Done) -> Held {
        let number = bind.number.value().ok_or_else(|| wrong(at, "no number"))?;
        let rows = (0_u32..).map(CardId).zip(self.registry.cards());
        let found = rows.into_iter().find(|(_, card)| card.number == number).map(|(id, card)| (id, *card));
        let (id, card) = found.ok_or_else(|| wrong(at, "no such card"))?;
        let sold = matches!(&card.state, CardState::Sold { tag, .. } if stands_for(&bind.proof, tag));
        let exists = card.batch.is_none_or(|batch| self.batches.is_sealed(batch));
        hold(
            sold && exists && card.operator == bind.caller.operator && self.is_live(id, &card, at.ms),
            CARD_LIFE,
            || format!("entry {}: card {} is not to be bound: {:?}", at.seq, id.0, card.state),
        )?;
        let due = Done::Bound { serial: Serial::of(id), balance_minor: self.books.minor(AccountId::Card(id)) };
        hold(*done == due, MOVED_AS_ASKED, || format!("entry {}: told {done:?}, it is {due:?}", at.seq))?;
        let after = Self::becomes(at, id).ok_or_else(|| wrong(at, "no card changes"))?;
        let holder = after.holder().ok_or_else(|| wrong(at, "bound to nobody"))?;
        let known = self.registry.active(bind.caller.msisdn, bind.caller.operator);
        let as_typed = after.tag().zip(bind.holder_tag).is_some_and(|(one, other)| one.to_bytes() == other.to_bytes());
        hold(known.is_none_or(|known| known == holder) && as_typed, CARD_LIFE, || {
            format!("entry {}: card {} is bound to somebody else, or opened by something else", at.seq, id.0)
        })?;
        self.gives_way(at, holder)
    }

    /// What a full phone gives up is empty, nothing of it is on hold, and it has no more cards in use than it may.
    fn gives_way(&mut self, at: At<'_>, holder: SubscriberId) -> Held {
        let mut gone = 0;
        for change in &at.entry.verdict.effects.changes {
            let Change::CardState { id, state: CardState::Closed { .. } } = change else { continue };
            let empty = self.books.minor(AccountId::Card(*id)) == 0;
            let own = self.registry.card(*id).is_some_and(|card| card.state.holder() == Some(holder));
            let free = self.holds.values().all(|one| one.card != *id);
            hold(empty && own && free, CARD_LIFE, || format!("entry {}: card {} is given up", at.seq, id.0))?;
            gone += 1;
        }
        let live = |(id, card): &(CardId, &domain::state::CardFacts)| {
            matches!(card.state, CardState::Frozen { .. }) || self.usable(*id, card, at.ms)
        };
        let in_use = self.registry.cards_of(holder).filter(live).count();
        hold(in_use < CARDS_MAX + gone, CARD_LIFE, || format!("entry {}: {in_use} cards were in use", at.seq))?;
        if gone > 0 {
            self.meet("a full phone gives up an empty card");
        }
        Ok(())
    }

    /// A language that the operator speaks.
    pub(super) fn language(&self, at: At<'_>, set: &SetLanguage) -> Held {
        let rules = self.rules(set.caller.operator).ok_or_else(|| wrong(at, "no rules"))?;
        let known = self.registry.active(set.caller.msisdn, set.caller.operator).is_some();
        let offered = rules.standing.standing.languages.contains(&set.language);
        hold(known && offered, MOVED_AS_ASKED, || format!("entry {}: {:?} is set", at.seq, set.language))
    }

    /// Lines of an import: airtime for those who are new, from the position.
    pub(super) fn imported(&mut self, at: At<'_>, import: &ImportSubscribers) -> Result<Expect, Broken> {
        let mut expect = Expect::default();
        let operator = import.operator;
        let mut made = self.registry.people().len();
        let mut issued = 0;
        for line in &import.subscribers {
            if self.registry.active(line.msisdn, operator).is_some() {
                continue;
            }
            let row = u32::try_from(made).map(SubscriberId).map_err(|_| wrong(at, "too many"))?;
            made += 1;
            if let Some(airtime) = line.airtime {
                issued += airtime.minor();
                expect.moves(AccountId::Position(operator), AccountId::Airtime(row), airtime.minor());
            }
        }
        if issued > 0 {
            self.serves(at, operator)?;
        }
        self.issued(at, operator, issued)?;
        Ok(expect)
    }

    /// Cards that are sold at once.
    pub(super) fn cards_issued(&mut self, at: At<'_>, issue: &IssueCards, done: &Done) -> Result<Expect, Broken> {
        let mut expect = Expect::default();
        let first = u32::try_from(self.registry.cards().len()).map_err(|_| wrong(at, "too many"))?;
        let count = u32::try_from(issue.cards.len()).unwrap_or(u32::MAX);
        let due = Done::Issued { first: Serial::of(CardId(first)), count };
        hold(*done == due, MOVED_AS_ASKED, || format!("entry {}: told {done:?}, it is {due:?}", at.seq))?;
        for (row, card) in (first..).zip(&issue.cards) {
            expect.moves(AccountId::Position(issue.operator), AccountId::Card(CardId(row)), card.value.minor());
        }
        self.serves(at, issue.operator)?;
        self.issued(at, issue.operator, issue.cards.iter().map(|card| card.value.minor()).sum())?;
        Ok(expect)
    }

    /// What care does to a card alone.
    pub(super) fn card_changed(&self, at: At<'_>, change: &ChangeCard) -> Held {
        let (id, card) = self.registry.of_serial(change.serial).ok_or_else(|| wrong(at, "no such card"))?;
        let after = Self::becomes(at, id);
        let as_asked = match (change.change, &card.state) {
            (CardChange::Freeze, CardState::Bound { .. }) => matches!(after, Some(CardState::Frozen { .. })),
            (CardChange::Thaw, CardState::Frozen { .. }) => matches!(after, Some(CardState::Bound { .. })),
            (CardChange::UnblockBinding, _) => after.is_none(),
            _ => false,
        };
        hold(as_asked, CARD_LIFE, || format!("entry {}: {:?} of {:?}", at.seq, change.change, card.state.name()))
    }

    /// A card's time is over: the rest becomes breakage.
    pub(super) fn card_expired(&mut self, at: At<'_>, id: CardId, done: &Done) -> Result<Expect, Broken> {
        let card = *self.registry.card(id).ok_or_else(|| wrong(at, "no such card"))?;
        let rest = self.books.minor(AccountId::Card(id));
        hold(card.expires_at.ms() <= at.ms && !self.is_void(id, &card, at.ms), CARD_LIFE, || {
            format!("entry {}: card {} is not over", at.seq, id.0)
        })?;
        hold(*done == Done::CardExpired { breakage_minor: rest }, MOVED_AS_ASKED, || {
            format!("entry {}: {done:?} of {rest}", at.seq)
        })?;
        let mut expect = Expect::default();
        expect.moves(AccountId::Card(id), AccountId::Breakage(card.operator), rest);
        if self.holds.values().any(|one| one.card == id) {
            self.meet("a card expires while a gift of it is on hold");
        }
        Ok(expect)
    }

    /// A subscriber as care changed them.
    pub(super) fn subscriber_changed(&self, at: At<'_>, change: &ChangeSubscriber) -> Held {
        let found = self.registry.in_use(change.msisdn);
        let (id, before) = found.ok_or_else(|| wrong(at, "no such subscriber"))?;
        let after = at.entry.verdict.effects.changes.iter().find_map(|change| match change {
            Change::Subscriber { id: changed, facts } if *changed == id => Some(*facts),
            _ => None,
        });
        let mut due = *before;
        match change.change {
            SubscriberChange::Bar => due.standing = Standing::Barred,
            SubscriberChange::Unbar => due.standing = Standing::Active,
            SubscriberChange::Release => due.standing = Standing::Released,
            SubscriberChange::SetLanguage(language) => due.language = language,
            SubscriberChange::ChangeImsi(imsi) => {
                due.imsi_changed_at = before.imsi.map(|_| at.time());
                due.imsi = Some(imsi);
            }
            SubscriberChange::Unlock => {
                return hold(after.is_none(), MOVED_AS_ASKED, || format!("entry {}: more than unlocked", at.seq));
            }
        }
        hold(after == Some(due), MOVED_AS_ASKED, || format!("entry {}: {after:?}, due is {due:?}", at.seq))
    }

    /// Whether a caller rests, with the SIM that calls now.
    pub(super) fn rests_as_heard(&self, from: SubscriberId, caller: &Caller, rest_h: u32, at_ms: i64) -> bool {
        let known = self.registry.facts(from).and_then(|facts| facts.imsi);
        let changed = known.is_some() && caller.imsi.is_some() && known != caller.imsi;
        (changed && rest_h > 0) || self.rests(from, rest_h, at_ms)
    }

    /// A SIM that calls for the first time is known from then on, and another one than before is a SIM change.
    pub(super) fn sim(&mut self, at: At<'_>) -> Held {
        let Some(caller) = at.entry.body.caller() else { return Ok(()) };
        let Some(imsi) = caller.imsi else { return Ok(()) };
        let before = self.registry.active(caller.msisdn, caller.operator);
        let unheard = match &at.entry.verdict.outcome {
            Outcome::Refused(refusal) => matches!(
                refusal,
                Refusal::ServiceClosed { .. }
                    | Refusal::CallerUnknown
                    | Refusal::CallerBarred
                    | Refusal::OperatorUnknown
            ),
            Outcome::Done(_) => false,
        };
        let Some((id, known)) = before.and_then(|id| Some((id, self.registry.facts(id)?.imsi))) else { return Ok(()) };
        let told = at.entry.verdict.effects.changes.iter().rev().find_map(|change| match change {
            Change::Subscriber { id: changed, facts } if *changed == id => Some(*facts),
            _ => None,
        });
        if unheard || known == Some(imsi) {
            return hold(told.is_none_or(|told| told.imsi == known), SIM_IS_COMPARED, || {
                format!("entry {}: the SIM is {told:?}", at.seq)
            });
        }
        let since = known.map(|_| at.time()).or(self.registry.facts(id).and_then(|facts| facts.imsi_changed_at));
        hold(
            told.is_some_and(|told| told.imsi == Some(imsi) && told.imsi_changed_at == since),
            SIM_IS_COMPARED,
            || format!("entry {}: another SIM calls, and it is told as {told:?}", at.seq),
        )?;
        if known.is_some() {
            self.meet("another SIM calls");
        }
        Ok(())
    }

    /// Whether somebody who is told to rest does.
    pub(super) fn resting_holds(&self, at: At<'_>, caller: &Caller, until_ms: i64) -> bool {
        let Some(from) = self.registry.active(caller.msisdn, caller.operator) else { return false };
        let Some(rules) = self.rules(caller.operator) else { return false };
        let facts = self.registry.facts(from);
        let known = facts.and_then(|facts| facts.imsi);
        let changed = known.is_some() && caller.imsi.is_some() && known != caller.imsi;
        let since = facts.and_then(|facts| facts.imsi_changed_at).map(|since| since.ms());
        let since = if changed { Some(at.ms) } else { since };
        let rest_ms = i64::from(rules.standing.standing.swap_rest_h) * HOUR_MS;
        since.is_some_and(|since| since + rest_ms == until_ms) && at.ms < until_ms
    }

    /// Whether a command is one that a phone sends with a password.
    pub(super) const fn proves(body: &Body) -> bool {
        matches!(
            body,
            Body::Gift(_)
                | Body::TopUp(_)
                | Body::ShowCards(_)
                | Body::ShowGifts(_)
                | Body::ChangePassword(_)
                | Body::Freeze(_)
                | Body::Undo(_)
                | Body::Bind(_)
        )
    }
}
