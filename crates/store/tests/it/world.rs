//! Histories: what people and staff do with Koryolink's cards, decided and folded.

use std::sync::Arc;

use domain::card::Voiding;
use domain::command::{
    Bind, Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, Dialled, Gift, ImportSubscribers,
    IssueCards, LoadRules, NewCard, NewPassword, NewSubscriber, Proved, SetLanguage, SubscriberChange, TopUp,
};
use domain::decide::decide;
use domain::id::CommandId;
use domain::ids::{CardId, Language, LinkId, OperatorId, Serial, Staff};
use domain::money::Amount;
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::office::done::OfficeDone;
use domain::office::motion::MotionCommand;
use domain::office::{Asked, Office, Record};
use domain::password::{KeyId, Password, TagKey, TagKeys};
use domain::rules::{Held, HoldRule, Rules};
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome, Verdict};
use engine::checkpoint::Collector;
use engine::ids::Turning;
use engine::journal::{Batch, Draft, Head, Link, decode};
use proptest::prelude::*;

/// Ten in the morning in Pyongyang, under the rules of 2022.
const NOW_MS: i64 = 1_795_309_200_000;
const OPERATOR: OperatorId = OperatorId(0);
const STAFF: Staff = Staff(0);
/// Subscribers and cards at first.
const PEOPLE: u64 = 6;
pub(crate) const IDS_MAX: usize = 40;

/// One thing that somebody does: what, who, to whom, how much, and how many seconds later.
pub(crate) type Step = (u8, u64, u64, u16, u32);

/// Any history.
///
/// Mostly moments apart, so that a gift is undone or repeated in time.
pub(crate) fn steps(len: usize) -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![8 => 0_u32..400, 3 => 30_000_u32..90_000, 1 => 86_400_u32..4_000_000];
    proptest::collection::vec((0_u8..36, 0..PEOPLE, 0..PEOPLE, 1_u16..600, wait), 1..len)
}

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) head: Head,
    pub(crate) links: Vec<Link>,
    at: Timestamp,
    keys: TagKeys,
    draft: Vec<Entry>,
    ids: u64,
    issued: u64,
}

impl World {
    /// Rules, subscribers and a card for each of them but the last.
    pub(crate) fn new() -> Self {
        let key = TagKey::new(KeyId(1), &zeroize::Zeroizing::new([7; 32]));
        let at = Timestamp::from_ms(NOW_MS);
        let (state, head) = (State::default(), Head::default());
        let mut world = Self {
            state,
            head,
            links: Vec::new(),
            at,
            keys: TagKeys::new(key, None),
            draft: Vec::new(),
            ids: 0,
            issued: 0,
        };
        world.act(load(Arc::new(koryolink())));
        let subscribers = (0..PEOPLE).map(|who| NewSubscriber {
            msisdn: msisdn(who),
            imsi: (who % 2 == 0).then(|| imsi(who)),
            language: (who == 3).then_some(Language::English),
            since: None,
            airtime: Amount::try_new(i64::try_from(who).expect("small")),
        });
        let subscribers = subscribers.collect();
        world.act(Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator: OPERATOR, subscribers }));
        for who in 0..PEOPLE - 1 {
            world.issue(who);
            world.bind(who, who);
        }
        world.commit();
        world
    }

    /// Does one step; every now and then what was done becomes an append.
    pub(crate) fn step(&mut self, step: &Step) {
        let (kind, who, whom, amount, wait_s) = *step;
        self.at = self.at.plus_s(i64::from(wait_s));
        let minor = i64::from(amount);
        let caller = self.caller(who);
        match kind {
            0..=11 => self.gift(who, whom, minor, "482913"),
            12 => self.gift(who, whom, minor, "111112"),
            13 => {
                let amount = Dialled::from(Amount::try_new(minor));
                let proof = self.proof(who, "482913");
                self.act(Body::TopUp(TopUp { caller, amount, proof }));
            }
            14 => {
                let proof = self.proof(who, "482913");
                self.act(Body::ShowCards(Proved { caller, proof }));
            }
            15 => {
                let proof = self.proof(who, "482913");
                self.act(Body::Freeze(Proved { caller, proof }));
            }
            16 => self.card(whom, CardChange::Thaw),
            17 => self.card(whom, CardChange::Void(Voiding::Ordered)),
            18 => self.card(whom, CardChange::UnblockBinding),
            19 => {
                self.issued += 1;
                self.issue(99 + self.issued);
            }
            20 | 21 => self.bind(who, 100 + whom),
            22 => {
                let old = self.proof(who, "482913");
                let new = NewPassword::Tag(self.keys.current().holder(OPERATOR, msisdn(who), 1, &password("482913")));
                self.act(Body::ChangePassword(ChangePassword { caller, old, new }));
            }
            23 => self.act(Body::SetLanguage(SetLanguage { caller, language: Language::ALL[usize::from(amount) % 2] })),
            24 => self.subscriber(who, SubscriberChange::Bar),
            25 => self.subscriber(who, SubscriberChange::Unbar),
            26 => self.subscriber(who, SubscriberChange::Unlock),
            27 => self.subscriber(who, SubscriberChange::ChangeImsi(imsi(u64::from(amount)))),
            28 if amount < 60 => self.subscriber(who, SubscriberChange::Release),
            29 => self.act(Body::ExpireCard(CardId(u32::try_from(whom).expect("small")))),
            30 => self.act(load(Arc::new(changed(koryolink(), amount)))),
            31 | 32 => {
                let proof = self.proof(who, "482913");
                self.act(Body::Undo(Proved { caller, proof }));
            }
            33 => self.due(),
            _ => self.commit(),
        }
    }

    fn act(&mut self, body: Body) {
        let verdict = decide(&self.state, &body, self.at);
        self.state.apply(self.state.seq().next(), self.at, &verdict.effects).expect("it follows");
        self.ids += 1;
        let ms = u128::try_from(self.at.ms()).expect("positive");
        let id = CommandId::from_uuid((ms << 80) | (7 << 76) | (0b10 << 62) | u128::from(self.ids)).expect("UUIDv7");
        let approval = seconded(&verdict);
        self.draft.push(Entry { id, body, verdict });
        // Entries of an append have one instant.
        if self.draft.len() >= 4 {
            self.commit();
        }
        self.at = self.at.max(self.state.at());
        if let Some(approval) = approval {
            self.act(approval);
        }
    }

    /// Makes an append of what was done since the last.
    pub(crate) fn commit(&mut self) {
        if self.draft.is_empty() {
            return;
        }
        let mut draft = Draft::new(self.state.at(), 0);
        self.draft.drain(..).for_each(|entry| draft.push(&entry));
        let link = draft.finish(&self.head);
        self.head = link.head();
        self.links.push(link);
    }

    fn caller(&self, who: u64) -> Caller {
        Caller { operator: OPERATOR, link: LinkId(u16::from(who == 2)), msisdn: msisdn(who), imsi: None }
    }

    fn proof(&self, who: u64, digits: &str) -> domain::password::Proof {
        self.keys.proof(|key| key.holder(OPERATOR, msisdn(who), 1, &password(digits)))
    }

    fn gift(&mut self, who: u64, whom: u64, minor: i64, digits: &str) {
        let (caller, proof) = (self.caller(who), self.proof(who, digits));
        let (recipient, amount) = (Dialled::Value(msisdn(whom)), Dialled::from(Amount::try_new(minor)));
        self.act(Body::Gift(Gift { caller, recipient, amount, proof, swapped: false, occasion: None }));
    }

    fn issue(&mut self, card: u64) {
        let number = number(card);
        let tag = self.keys.current().card(OPERATOR, number, &password("482913"));
        let value = Amount::try_new(2_000).expect("positive");
        let cards = vec![NewCard { number, tag, value }];
        self.act(Body::IssueCards(IssueCards { staff: STAFF, operator: OPERATOR, cards }));
    }

    fn bind(&mut self, who: u64, card: u64) {
        let number = number(card);
        let proof = self.keys.proof(|key| key.card(OPERATOR, number, &password("482913")));
        let holder_tag = Some(self.keys.current().holder(OPERATOR, msisdn(who), 1, &password("482913")));
        self.act(Body::Bind(Bind { caller: self.caller(who), number: Dialled::Value(number), proof, holder_tag }));
    }

    fn card(&mut self, card: u64, change: CardChange) {
        let serial = Serial::of(CardId(u32::try_from(card).expect("small")));
        self.act(Body::ChangeCard(ChangeCard { staff: STAFF, serial, change }));
    }

    /// What is due is over, as a timer would say.
    fn due(&mut self) {
        let due = |record: &Record| record.due_at().is_some_and(|due| due <= self.at);
        let keys: Vec<_> = self.state.records().filter(|(_, record)| due(record)).map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.act(Body::Due(key)));
    }

    fn subscriber(&mut self, who: u64, change: SubscriberChange) {
        self.act(Body::ChangeSubscriber(ChangeSubscriber { staff: STAFF, msisdn: msisdn(who), change }));
    }
}

fn load(rules: Arc<Rules>) -> Body {
    Body::LoadRules(LoadRules { staff: STAFF, rules, file_hash: [9; 32], from: Some(Timestamp::MIN) })
}

fn koryolink() -> Rules {
    domain::rules::parse::parse(include_str!("../../../../profiles/koryolink.toml")).expect("a profile")
}

/// Other rules: other names make other limits, a larger ceiling lets more happen, some gifts are held.
fn changed(mut rules: Rules, how: u16) -> Rules {
    for period in &mut rules.periods {
        period.hold = (how % 5 > 1).then_some(HoldRule { gifts: Held::Always, for_s: 600 });
    }
    for limit in rules.periods.iter_mut().flat_map(|period| &mut period.limits) {
        limit.ceiling = 1 + i64::from(how % 4);
        if how.is_multiple_of(3) {
            limit.name = domain::rules::LimitName::new(&format!("{}-{}", limit.name.as_str(), how % 7));
        }
    }
    rules
}

fn msisdn(who: u64) -> Msisdn {
    Msisdn::try_new(8_501_911_000_001 + who).expect("a number")
}

fn imsi(who: u64) -> Imsi {
    Imsi::parse(&format!("46705{:010}", who)).expect("an identity")
}

fn number(card: u64) -> CardNumber {
    CardNumber::from_payload(453_957_876_362_000 + card).expect("15 digits")
}

fn password(digits: &str) -> Password {
    Password::parse(digits).expect("six digits")
}

/// The appends of a history as a follower sees them.
pub(crate) fn batches(links: &[Link]) -> Vec<Batch> {
    links.iter().map(|link| decode(link).expect("an append")).collect()
}

pub(crate) fn collector() -> Collector {
    Collector::new(Head::default(), Turning::new(IDS_MAX))
}

/// What a second person says to a proposal: yes, to the hash that was shown.
fn seconded(verdict: &Verdict) -> Option<Body> {
    let Outcome::Done(Done::Office(done)) = &verdict.outcome else { return None };
    let OfficeDone::Proposed { motion, hash } = **done else { return None };
    let what = Asked::Motion(MotionCommand::Approve { motion, hash });
    Some(Body::Office(Box::new(Office { staff: Staff(STAFF.0 + 1), what })))
}
