//! A decider in memory: the real rules and the real `decide`, without journal and threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::command::{Body, Caller, Command, Gift, NewSubscriber};
use domain::decide::decide;
use domain::id::CommandId;
use domain::ids::{Language, LinkId, SubscriberId};
use domain::number::{CardNumber, Msisdn};
use domain::receipt::Seq;
use domain::state::State;
use domain::testing;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome};
use edges::port::{Decider, GiftLine};
use engine::answer::{Answer, Closed, Directory, Query, Reply, Seen, SubscriberView, View};

pub(crate) use domain::testing::{PASSWORD, keys, msisdn};

/// What goes wrong with the next commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The queue is full.
    Busy,
    /// The disk is full.
    Disk,
    /// Decided, and the answer is lost.
    AnswerLost,
    /// Never decided, and nobody says so.
    CommandLost,
    /// No answer ever comes.
    Hangs,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) entries: Vec<(Timestamp, Entry)>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) submitted: u32,
    pub(crate) queries: u32,
    /// Commands that came in, decided or not.
    pub(crate) arrived: u32,
    /// Queries get no answer.
    pub(crate) mute: bool,
    answers: HashMap<CommandId, (Vec<u8>, Reply)>,
    internal: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Inner>>);

/// A card of everybody here.
pub(crate) const CARD: &str = "4539578763621486";
pub(crate) const SPARE_CARD: &str = "4929939187355598";
pub(crate) const SPARE_PASSWORD: &str = "730518";
/// Sender, two recipients, and one who reads English.
pub(crate) const ALICE: &str = "8501912345678";
pub(crate) const BOB: &str = "8501921112222";
pub(crate) const CAROL: &str = "8501933334444";
pub(crate) const DAVE: &str = "8501911110000";

impl Fake {
    /// Both operators; Alice, Bob and Carol read Korean, Dave English; Alice and Dave have a card with 2,000 won each.
    pub(crate) fn new() -> Self {
        Self::ruled(&[])
    }

    /// The same with some text of the profiles replaced.
    pub(crate) fn ruled(replace: &[(&str, &str)]) -> Self {
        let fake = Self::default();
        fake.lock().now = testing::at("2026-11-22T05:00:00Z");
        for profile in ["koryolink", "kangsong"] {
            fake.run(testing::load(testing::rules_with(profile, replace)));
        }
        let reads =
            |number, language| NewSubscriber { language: Some(language), ..testing::subscriber(msisdn(number)) };
        let korean = [ALICE, BOB, CAROL].map(|number| reads(number, Language::Korean));
        fake.run(testing::import(korean.into_iter().chain([reads(DAVE, Language::English)]).collect()));
        fake.issue(CARD, PASSWORD, 2_000);
        fake.bind(ALICE, CARD, PASSWORD);
        fake.issue("4716108999716531", PASSWORD, 2_000);
        fake.bind(DAVE, "4716108999716531", PASSWORD);
        fake.issue(SPARE_CARD, SPARE_PASSWORD, 1_000);
        fake
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("not poisoned")
    }

    pub(crate) fn issue(&self, number: &str, password: &str, value: i64) {
        self.run(testing::issue(&keys(), [card_number(number)], password, value));
    }

    pub(crate) fn bind(&self, caller: &str, number: &str, password: &str) {
        let caller = Caller { link: LinkId(9), ..testing::caller(msisdn(caller)) };
        self.run(testing::bind(&keys(), caller, card_number(number), password));
    }

    /// Runs a command of the operator's people.
    pub(crate) fn run(&self, body: Body) {
        let mut inner = self.lock();
        inner.internal += 1;
        let id = CommandId::internal(0, inner.internal);
        let reply = inner.decide(id, body);
        assert!(matches!(reply.outcome, Outcome::Done(_)), "{:?}", reply.outcome);
    }

    /// One more subscriber, without a card.
    pub(crate) fn subscribe(&self, number: u64) {
        let msisdn = Msisdn::try_new(number).expect("a number");
        self.run(testing::import(vec![testing::subscriber(msisdn)]));
    }

    pub(crate) fn later(&self, s: i64) {
        let mut inner = self.lock();
        inner.now = inner.now.plus_s(s);
    }

    /// Ten minutes have passed for every id.
    pub(crate) fn forget_ids(&self) {
        self.lock().answers.clear();
    }

    pub(crate) fn trouble(&self, trouble: Option<Trouble>) {
        self.lock().trouble = trouble;
    }

    /// The gifts that were posted: (recipient, amount).
    pub(crate) fn given(&self) -> Vec<(u64, i64)> {
        let inner = self.lock();
        let gifts = inner.entries.iter().filter_map(|(_, entry)| match (&entry.body, &entry.verdict.outcome) {
            (Body::Gift(gift), Outcome::Done(_)) => Some((gift.recipient.value()?.get(), gift.amount.value()?.minor())),
            _ => None,
        });
        gifts.collect()
    }
}

impl Inner {
    fn decide(&mut self, id: CommandId, body: Body) -> Reply {
        let verdict = decide(&self.state, &body, self.now);
        let seq = self.state.seq().next();
        self.state.apply(seq, self.now, &verdict.effects).expect("it fits");
        let caller = body.caller();
        let known = caller.and_then(|caller| self.state.find_subscriber(caller.msisdn));
        let language = known.map_or(Language::Korean, |(_, subscriber)| subscriber.facts.language);
        let reply = Reply { seq, at: self.now, outcome: verdict.outcome.clone(), language, repeated: false };
        self.answers.insert(id, (content(&body), reply.clone()));
        self.entries.push((self.now, Entry { id, body, verdict }));
        reply
    }

    fn answer(&mut self, command: Command) -> Answer {
        self.submitted += 1;
        match self.answers.get(&command.id) {
            Some((known, _)) if *known != content(&command.body) => return Answer::IdReused,
            Some((_, reply)) => return Answer::Verdict(Reply { repeated: true, ..reply.clone() }),
            None if command.decide_before <= self.now => return Answer::NotDone,
            None => {}
        }
        match self.trouble {
            Some(Trouble::Busy) => Answer::Busy,
            Some(Trouble::Disk) => Answer::Closed(Closed::Disk),
            Some(Trouble::CommandLost | Trouble::Hangs) => Answer::Unknown,
            Some(Trouble::AnswerLost) => {
                self.decide(command.id, command.body);
                Answer::Unknown
            }
            None => Answer::Verdict(self.decide(command.id, command.body)),
        }
    }
}

fn card_number(digits: &str) -> CardNumber {
    CardNumber::parse(digits).expect("a card number")
}

fn content(body: &Body) -> Vec<u8> {
    minicbor::to_vec(body).expect("encodes")
}

impl Decider for Fake {
    async fn submit(&self, command: Command) -> Answer {
        self.lock().arrived += 1;
        if self.lock().trouble == Some(Trouble::Hangs) {
            std::future::pending::<()>().await;
        }
        // Let another frame come in between.
        tokio::task::yield_now().await;
        self.lock().answer(command)
    }

    async fn query(&self, query: Query) -> Option<Seen<View>> {
        let mut inner = self.lock();
        inner.queries += 1;
        if inner.mute {
            return None;
        }
        let Query::Subscriber(msisdn) = query else { return None };
        let number = |id: &SubscriberId| inner.state.subscriber(*id).map(|row| row.facts.msisdn);
        let view = inner.state.find_subscriber(msisdn).map(|(id, row)| SubscriberView {
            id,
            msisdn,
            operator: row.facts.operator,
            generation: row.facts.generation,
            standing: row.facts.standing,
            language: row.facts.language,
            since: row.facts.since,
            airtime_minor: row.airtime.balance_minor,
            latest: row.latest,
            cards: Vec::new(),
            locked_until: None,
            recents: inner.state.recents_of(row).iter().filter_map(number).collect(),
        });
        Some(Seen { seq: inner.state.seq(), value: View::Subscriber(view) })
    }

    fn directory(&self) -> Arc<Directory> {
        let inner = self.lock();
        let operators = inner.state.operators().map(|(_, operator)| Arc::clone(&operator.rules)).collect();
        Arc::new(Directory { operators, ..Directory::default() })
    }

    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn gifts(&self, latest: Seq, of: Msisdn, most: usize) -> Vec<GiftLine> {
        let inner = self.lock();
        let line = |(seq, (at, entry)): (u64, &(Timestamp, Entry))| {
            let (Body::Gift(Gift { caller, recipient, amount, .. }), Outcome::Done(Done::Given { .. })) =
                (&entry.body, &entry.verdict.outcome)
            else {
                return None;
            };
            let (recipient, amount) = (recipient.value()?, amount.value()?);
            let sent = caller.msisdn == of;
            let other = if sent { recipient } else { caller.msisdn };
            (sent || recipient == of).then_some(GiftLine { at: *at, seq: Seq(seq), sent, other, amount })
        };
        let numbered: Vec<_> = (1_u64..).zip(&inner.entries).filter(|(seq, _)| *seq <= latest.0).collect();
        numbered.into_iter().rev().filter_map(line).take(most).collect()
    }
}
