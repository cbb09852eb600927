//! The oracle: an independent, simple model of what must be true, fed with the journal's entries and with every answer.
//!
//! Guarantees: shares no code with `domain::decide` and `domain::apply` for what it checks: sums, calendars, limits, fees,
//! locks, rules over time, calls, sales, motions and ids are worked out here again, the slow and plain way. It reads rules as
//! ordered, never as loaded. What follows from each entry is worked out before the entry is looked at ([`expect`]).
//!
//! Besides it keeps the fold of the journal from its first entry on, append by append: what a start must give, and what staff
//! see on their screens.
//!
//! Deliberately not here: what the machine looks like inside (see [`inside`]).

mod batches;
mod books;
mod calls;
mod expect;
mod gifts;
mod inside;
mod life;
mod limits;
mod locks;
mod memories;
mod motions;
mod office;
mod ordered;
mod people;
mod refusals;
mod registry;
mod tills;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};

use domain::account::AccountId;
use domain::card::CardState;
use domain::command::Body;
use domain::effects::Change;
use domain::ids::{CardId, OperatorId, SubscriberId};
use domain::receipt::{Seq, parse_receipt, receipt};
use domain::rules::Rules;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
use engine::answer::Answer;
use engine::ids::{Ids, IdsConfig};
use engine::journal::{Batch, Head, JournalReader, Link};
use engine::replica::Replica;

use crate::calendar::Calendar;
use crate::invariant::{
    ACKNOWLEDGED_IS_DURABLE, BUSINESS_DATE, Broken, CARD_LIFE, HISTORY_UNBROKEN, Held, JOURNAL_KEEPS, MOTION_BY_TWO,
    MOVED_AS_ASKED, RECEIPT_READS_BACK, TIME_FORWARD, hold,
};
use crate::machine::Leaving;
use crate::profiles;

use batches::Batches;
use books::Books;
use calls::Calls;
use expect::Expect;
use gifts::{OnHold, Repeats};
use limits::Limits;
use locks::Locks;
use memories::Memories;
use motions::Motions;
use ordered::Ordered;
use refusals::Refusals;
use registry::Registry;
use tills::Tills;
use verdicts::Verdicts;

/// A posted gift: whose rules, card, sender, recipient, minor units.
type Given = (OperatorId, CardId, SubscriberId, SubscriberId, i64);

/// See the module.
#[derive(Debug)]
pub(crate) struct Oracle {
    /// Everything durable, folded from the first entry on.
    fold: Replica<Ids>,
    /// The journal as it was when each append became durable.
    links: Vec<Link>,
    books: Books,
    ordered: BTreeMap<OperatorId, Ordered>,
    /// How often each operator's rules were loaded.
    loads: BTreeMap<OperatorId, u32>,
    registry: Registry,
    limits: Limits,
    locks: Locks,
    memories: Memories,
    refusals: Refusals,
    repeats: Repeats,
    given: BTreeMap<Seq, Given>,
    holds: BTreeMap<Seq, OnHold>,
    /// Gifts that came back from a hold, and gifts that two people took back, with the entry that did it.
    undone: BTreeMap<Seq, Seq>,
    reversed: BTreeMap<Seq, Seq>,
    calls: Calls,
    tills: Tills,
    batches: Batches,
    motions: Motions,
    stopped: BTreeSet<OperatorId>,
    /// Until when it is remembered that a gift was taken back or undone.
    late: BTreeMap<Seq, i64>,
    issued_on: BTreeMap<(OperatorId, i32), i64>,
    /// Accounts that two people booked by hand: what is on them need not have come there as usual.
    by_hand: BTreeSet<AccountId>,
    verdicts: Verdicts,
    /// Rare states that were met.
    met: BTreeSet<&'static str>,
    look_inside: bool,
}

/// An entry, and where it stands.
#[derive(Clone, Copy)]
struct At<'a> {
    seq: Seq,
    ms: i64,
    entry: &'a Entry,
}

impl At<'_> {
    const fn time(&self) -> Timestamp {
        Timestamp::from_ms(self.ms)
    }
}

impl Oracle {
    /// Knows nothing yet. `look_inside`: also judge what nobody outside could see.
    pub(crate) fn new(ids: IdsConfig, look_inside: bool) -> Self {
        Self {
            fold: Replica::new(Ids::new(ids)),
            links: Vec::new(),
            books: Books::default(),
            ordered: BTreeMap::new(),
            loads: BTreeMap::new(),
            registry: Registry::default(),
            limits: Limits::default(),
            locks: Locks::default(),
            memories: Memories::default(),
            refusals: Refusals::default(),
            repeats: Repeats::default(),
            given: BTreeMap::new(),
            holds: BTreeMap::new(),
            undone: BTreeMap::new(),
            reversed: BTreeMap::new(),
            calls: Calls::default(),
            tills: Tills::default(),
            batches: Batches::default(),
            motions: Motions::default(),
            stopped: BTreeSet::new(),
            late: BTreeMap::new(),
            issued_on: BTreeMap::new(),
            by_hand: BTreeSet::new(),
            verdicts: Verdicts::new(ids),
            met: BTreeSet::new(),
            look_inside,
        }
    }

    /// The journal's end as far as the oracle has read.
    pub(crate) const fn head(&self) -> Head {
        self.fold.head
    }

    /// What is durable, as staff see it on their screens.
    pub(crate) const fn screens(&self) -> &State {
        &self.fold.state
    }

    /// A gift that was posted, for staff who take one back; `nth` from the latest.
    pub(crate) fn posted(&self, nth: usize) -> Option<(Seq, &Given)> {
        self.given.iter().rev().nth(nth).map(|(seq, given)| (*seq, given))
    }

    /// When an entry was decided.
    pub(crate) fn decided_at(&self, seq: Seq) -> Option<Timestamp> {
        self.verdicts.at_ms(seq).map(Timestamp::from_ms)
    }

    /// A gift that was taken back while it was on hold.
    pub(crate) fn undone(&self) -> impl DoubleEndedIterator<Item = Seq> {
        self.undone.keys().copied()
    }

    /// Rare states that were met.
    pub(crate) const fn met(&self) -> &BTreeSet<&'static str> {
        &self.met
    }

    /// A process starts from a checkpoint of that entry.
    pub(crate) fn starts_from(&mut self, seq: Seq) {
        let remembered = *self.fold.state.remembered();
        if seq != Seq::ZERO && seq < remembered.repeats.before_from {
            self.meet("a start from a checkpoint older than two generations of gifts");
        }
        if seq != Seq::ZERO && seq < remembered.pairs.before_from {
            self.meet("a start from a checkpoint older than two generations of pairs");
        }
        let undone_since = self.undone.range(..=seq).any(|(_, by)| *by > seq);
        if undone_since {
            self.meet("a start finds a gift in the checkpoint and its undoing in the tail");
        }
    }

    fn meet(&mut self, what: &'static str) {
        self.met.insert(what);
    }

    fn rules(&self, operator: OperatorId) -> Option<&Ordered> {
        self.ordered.get(&operator)
    }

    fn loads(&self, operator: OperatorId) -> u32 {
        self.loads.get(&operator).copied().unwrap_or(0)
    }

    /// An append became durable: judges its entries and learns from them.
    pub(crate) fn append(&mut self, link: &Link, batch: &Batch) -> Held {
        let head = self.head();
        hold(batch.first_seq == head.seq.next(), JOURNAL_KEEPS, || {
            format!("an append begins at {} after {}", batch.first_seq, head.seq)
        })?;
        hold(batch.at >= head.at, TIME_FORWARD, || format!("{} after {}", batch.at.ms(), head.at.ms()))?;
        for ((seq, entry), fingerprint) in batch.iter().zip(&batch.fingerprints) {
            self.verdicts.entry(seq, batch.at, entry, *fingerprint)?;
            self.entry(At { seq, ms: batch.at.ms(), entry })?;
        }
        let folded = self.fold.batch(batch);
        hold(folded.is_ok(), JOURNAL_KEEPS, || format!("{folded:?}"))?;
        self.links.push(link.clone());
        if self.memories.pairs_were_forgotten() {
            self.meet("usage of pairs is forgotten");
        }
        Ok(())
    }

    fn entry(&mut self, at: At<'_>) -> Held {
        let effects = &at.entry.verdict.effects;
        if let Some(operator) = effects.operator.filter(|_| self.look_inside) {
            let today = Calendar::of(operator).date(at.ms);
            hold(effects.date.days() == today, BUSINESS_DATE, || {
                format!("entry {} of operator {} has {}, it is day {today}", at.seq, operator.0, effects.date)
            })?;
        }
        self.registry.before(at.seq, effects)?;
        self.lives(at)?;
        self.sim(at)?;
        self.rules_change_by_motion(at, effects)?;
        // What follows is worked out from the world as it was before the entry.
        let expect = match &at.entry.verdict.outcome {
            Outcome::Refused(refusal) => self.refused(at, refusal).map(|()| Expect::default())?,
            Outcome::Done(done) => self.done(at, done)?,
        };
        expect.judge(at.seq, at.entry.body.name(), effects)?;
        self.memories.entry(at, effects, &self.limits)?;
        for change in &effects.changes {
            if let Change::Limit { id, limit: None } = change {
                self.limits.forget(at, *id)?;
            }
        }
        self.books.entry(at.seq, effects)?;
        self.registry.entry(at.seq, effects)?;
        self.locks.entry(at.seq, at.ms, at.entry, &self.registry)?;
        self.ended_cards_are_empty(at)?;
        self.bought_holds(at, effects)?;
        self.held_is_somebodys(at)
    }

    /// What was done: judged, learnt, and what must follow from it.
    fn done(&mut self, at: At<'_>, done: &Done) -> Result<Expect, Broken> {
        let none = |held: Held| held.map(|()| Expect::default());
        match (&at.entry.body, done) {
            (Body::Gift(gift), Done::Given { .. } | Done::Held { .. }) => self.gift(at, gift, done),
            (Body::TopUp(top_up), Done::ToppedUp { .. }) => self.top_up(at, top_up, done),
            (Body::ShowCards(proved), Done::Cards { .. }) => none(self.shown(at, proved, done)),
            (Body::ShowGifts(proved), Done::Gifts { .. }) => none(self.history(at, proved, done)),
            (Body::ChangePassword(change), Done::PasswordChanged) => none(self.password_changed(at, change)),
            (Body::Freeze(proved), Done::Frozen { .. }) => none(self.frozen(at, proved, done)),
            (Body::Bind(bind), Done::Bound { .. }) => none(self.bound(at, bind, done)),
            (Body::Undo(proved), Done::Undone { .. }) => self.undo(at, proved, done),
            (Body::SetLanguage(set), Done::LanguageSet) => none(self.language(at, set)),
            (Body::LoadRules(load), Done::RulesLoaded { operator }) => {
                let rules = ordered_rules(&load.file_hash);
                let first = !self.ordered.contains_key(operator);
                let rules = rules.filter(|_| first).ok_or_else(|| Broken {
                    invariant: MOTION_BY_TWO,
                    what: format!("entry {} loads rules alone, or rules that nobody ordered", at.seq),
                })?;
                none(self.loaded(at, *operator, rules, None))
            }
            (Body::LoadRules(load), Done::Office(office)) => {
                let named = |(_, rules): &(&OperatorId, &Ordered)| rules.standing.operator == load.rules.operator;
                let operator = self.ordered.iter().find(named).map(|(operator, _)| *operator);
                let operator = operator.ok_or_else(|| self.answers_otherwise(at, done))?;
                let (rules, file_hash, from) = (std::sync::Arc::clone(&load.rules), load.file_hash, load.from);
                let proposal = domain::office::motion::Proposal::Rules { rules, file_hash, from };
                none(self.proposed(at, (operator, load.staff), proposal, office))
            }
            (Body::ImportSubscribers(import), Done::Imported { .. }) => self.imported(at, import),
            (Body::ChangeSubscriber(change), Done::SubscriberChanged) => none(self.subscriber_changed(at, change)),
            (Body::IssueCards(issue), Done::Issued { .. }) => self.cards_issued(at, issue, done),
            (Body::ChangeCard(change), Done::CardChanged) => none(self.card_changed(at, change)),
            (Body::ChangeCard(change), Done::Office(office)) => {
                let domain::command::CardChange::Void(why) = change.change else {
                    return Err(self.answers_otherwise(at, done));
                };
                let card = self.registry.of_serial(change.serial).map(|(_, card)| card.operator);
                let operator = card.ok_or_else(|| self.answers_otherwise(at, done))?;
                let (first, last) = (change.serial, change.serial);
                let proposal = domain::office::motion::Proposal::VoidCards { first, last, why };
                none(self.proposed(at, (operator, change.staff), proposal, office))
            }
            (Body::ExpireCard(card), Done::CardExpired { .. }) => self.card_expired(at, *card, done),
            (Body::Office(asked), Done::Office(done)) => self.office(at, asked, done),
            (Body::Due(key), Done::Office(done)) => self.due(at, *key, done),
            _ => Err(self.answers_otherwise(at, done)),
        }
    }

    fn answers_otherwise(&self, at: At<'_>, done: &Done) -> Broken {
        let what = format!("entry {}: {} is answered by {done:?}", at.seq, at.entry.body.name());
        Broken { invariant: MOVED_AS_ASKED, what }
    }

    /// What is closed or expired, and what was not sold yet, holds nothing but what two people booked by hand.
    fn ended_cards_are_empty(&self, at: At<'_>) -> Held {
        for change in &at.entry.verdict.effects.changes {
            let (Change::CardState { id, .. } | Change::Card { id, .. }) = change else { continue };
            let Some(card) = self.registry.card(*id) else { continue };
            let empty = match card.state {
                CardState::Printed { .. }
                | CardState::InStock { .. }
                | CardState::Closed { .. }
                | CardState::Expired { .. } => true,
                CardState::Sold { .. }
                | CardState::Bound { .. }
                | CardState::Frozen { .. }
                | CardState::Void { .. } => false,
            };
            let account = AccountId::Card(*id);
            let has = self.books.minor(account);
            hold(!empty || has == 0 || self.by_hand.contains(&account), CARD_LIFE, || {
                format!("entry {}: card {} is {} and has {has}", at.seq, id.0, card.state.name())
            })?;
        }
        Ok(())
    }

    /// An answer leaves the server: it must tell what is durable, and nothing else about an id than its verdict.
    pub(crate) fn leaves(&mut self, leaving: &Leaving) -> Held {
        if let Answer::Verdict(reply) = &leaving.answer {
            let head = self.head();
            hold(reply.seq <= head.seq, ACKNOWLEDGED_IS_DURABLE, || {
                format!("entry {} is answered, the journal ends at {}", reply.seq, head.seq)
            })?;
            let number = receipt(reply.seq);
            hold(parse_receipt(&number) == Ok(reply.seq), RECEIPT_READS_BACK, || {
                format!("{number} is not {}", reply.seq)
            })?;
        }
        if matches!(leaving.answer, Answer::IdTooOld { .. }) {
            self.meet("an id from before the floor comes back");
        }
        self.verdicts.leaves(leaving)
    }

    /// The journal holds what it held, octet by octet.
    pub(crate) fn journal(&self, reader: &dyn JournalReader) -> Held {
        let links = reader.read(Seq(1), usize::MAX);
        let same = links.as_ref().is_ok_and(|links| *links == self.links);
        hold(same, JOURNAL_KEEPS, || {
            let ends = links.map(|links| links.last().map(Link::last_seq));
            format!("it ended at {} and held something else, now it ends at {ends:?}", self.head().seq)
        })
    }

    /// What a history chain leads to.
    fn chained(seq: Seq, what: &dyn core::fmt::Debug, prev: Seq, known: Seq) -> Held {
        hold(prev == known, HISTORY_UNBROKEN, || {
            format!("entry {seq} says {prev} was before it for {what:?}, it was {known}")
        })
    }
}

/// Rules of the world's authority for a file's hash.
fn ordered_rules(hash: &[u8; 32]) -> Option<&'static Rules> {
    profiles::by_hash(hash).map(|profile| &*profile.rules)
}
