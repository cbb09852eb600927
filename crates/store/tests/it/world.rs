//! Histories: what people and staff do with Koryolink's cards, decided and folded.

use std::sync::Arc;

use domain::card::Voiding;
use domain::command::{
    Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, Gift, LoadRules, NewPassword,
    NewSubscriber, Proved, SetLanguage, SubscriberChange,
};
use domain::id::{CommandId, UssdPrompt};
use domain::ids::{CardId, Language, Serial, Staff};
use domain::money::Amount;
use domain::number::{Imsi, Msisdn};
use domain::office::Record;
use domain::rules::{Held, HoldRule, Rules};
use domain::testing::{self, PASSWORD, card_number};
use domain::time::Timestamp;
use engine::checkpoint::Collector;
use engine::ids::IdsConfig;
use engine::journal::{Batch, Draft, Head, Link, decode};
use proptest::prelude::*;

/// Ten in the morning in Pyongyang, under the rules of 2022.
const NOW_MS: i64 = 1_795_309_200_000;
const STAFF: Staff = Staff(0);
/// Subscribers and cards at first.
const PEOPLE: u64 = 6;
pub(crate) const IDS: IdsConfig = IdsConfig::of_each(40);

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
    pub(crate) inner: testing::World,
    pub(crate) head: Head,
    pub(crate) links: Vec<Link>,
    /// Entries that are in no append yet.
    open: usize,
    issued: u64,
}

impl World {
    /// Rules, subscribers and a card for each of them but the last.
    pub(crate) fn new() -> Self {
        let inner = testing::World::new(Timestamp::from_ms(NOW_MS));
        let mut world = Self { inner, head: Head::default(), links: Vec::new(), open: 0, issued: 0 };
        world.act(load(koryolink()));
        let subscribers = (0..PEOPLE).map(|who| NewSubscriber {
            imsi: (who % 2 == 0).then(|| imsi(who)),
            language: (who == 3).then_some(Language::English),
            airtime: Amount::try_new(i64::try_from(who).expect("small")),
            ..testing::subscriber(msisdn(who))
        });
        world.act(testing::import(subscribers.collect()));
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
        self.inner.at = self.inner.at.plus_s(i64::from(wait_s));
        let minor = i64::from(amount);
        let caller = self.caller(who);
        match kind {
            0..=11 => self.gift(who, whom, minor, PASSWORD),
            12 => self.gift(who, whom, minor, "111112"),
            13 => self.act(testing::top_up(&self.inner.keys, caller, minor)),
            14 => self.act(Body::ShowCards(self.proved(caller))),
            15 => self.act(Body::Freeze(self.proved(caller))),
            16 => self.card(whom, CardChange::Thaw),
            17 => self.card(whom, CardChange::Void(Voiding::Ordered)),
            18 => self.card(whom, CardChange::UnblockBinding),
            19 => {
                self.issued += 1;
                self.issue(99 + self.issued);
            }
            20 | 21 => self.bind(who, 100 + whom),
            22 => {
                let Proved { proof: old, .. } = self.proved(caller);
                let new = self.inner.holder_tag(&caller, PASSWORD).map_or(NewPassword::Malformed, NewPassword::Tag);
                self.act(Body::ChangePassword(ChangePassword { caller, old, new }));
            }
            23 => self.act(Body::SetLanguage(SetLanguage { caller, language: Language::ALL[usize::from(amount) % 2] })),
            24 => self.subscriber(who, SubscriberChange::Bar),
            25 => self.subscriber(who, SubscriberChange::Unbar),
            26 => self.subscriber(who, SubscriberChange::Unlock),
            27 => self.subscriber(who, SubscriberChange::ChangeImsi(imsi(u64::from(amount)))),
            28 if amount < 60 => self.subscriber(who, SubscriberChange::Release),
            29 => self.act(Body::ExpireCard(CardId(u32::try_from(whom).expect("small")))),
            30 => self.act(load(changed(koryolink(), amount))),
            31 | 32 => self.act(Body::Undo(self.proved(caller))),
            33 => self.due(),
            _ => self.commit(),
        }
    }

    fn act(&mut self, body: Body) {
        let verdict = self.inner.act(&body);
        self.open += 1;
        // Entries of an append have one instant.
        if self.open >= 4 {
            self.commit();
        }
        if let Some(approval) = testing::seconded(&verdict, Staff(STAFF.0 + 1)) {
            self.act(approval);
        }
    }

    /// Makes an append of what was done since the last.
    pub(crate) fn commit(&mut self) {
        if self.open == 0 {
            return;
        }
        let mut draft = Draft::new(self.inner.state.at(), 0);
        let from = self.inner.journal.len() - self.open;
        for (n, kept) in (from as u64..).zip(&self.inner.journal[from..]) {
            let mut entry = kept.entry();
            // Half of what phones ask is dialled.
            if let Some(caller) = entry.body.caller().filter(|_| n.is_multiple_of(2)) {
                let (link, caller) = (caller.link, caller.msisdn.get());
                let session = n.to_be_bytes();
                entry.id = CommandId::ussd(&UssdPrompt { link, caller, session: &session, reuse: 0, prompt: 0 });
            }
            draft.push(&entry);
        }
        self.open = 0;
        let link = draft.finish(&self.head);
        self.head = link.head();
        self.links.push(link);
    }

    fn caller(&self, who: u64) -> Caller {
        self.inner.caller(msisdn(who), u16::from(who == 2))
    }

    fn proved(&self, caller: Caller) -> Proved {
        testing::proved(&self.inner.keys, caller)
    }

    fn gift(&mut self, who: u64, whom: u64, minor: i64, digits: &str) {
        let (keys, caller) = (&self.inner.keys, self.caller(who));
        let gift = testing::gift(keys, caller, msisdn(whom), minor);
        let proof = testing::proof(keys, &caller, digits);
        self.act(Body::Gift(Gift { proof, ..gift }));
    }

    fn issue(&mut self, card: u64) {
        self.act(testing::issue(&self.inner.keys, [card_number(card)], PASSWORD, 2_000));
    }

    fn bind(&mut self, who: u64, card: u64) {
        self.act(testing::bind(&self.inner.keys, self.caller(who), card_number(card), PASSWORD));
    }

    fn card(&mut self, card: u64, change: CardChange) {
        let serial = Serial::of(CardId(u32::try_from(card).expect("small")));
        self.act(Body::ChangeCard(ChangeCard { staff: STAFF, serial, change }));
    }

    /// What is due is over, as a timer would say.
    fn due(&mut self) {
        let (state, at) = (&self.inner.state, self.inner.at);
        let due = |record: &Record| record.due_at().is_some_and(|due| due <= at);
        let keys: Vec<_> = state.records().filter(|(_, record)| due(record)).map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.act(Body::Due(key)));
    }

    fn subscriber(&mut self, who: u64, change: SubscriberChange) {
        self.act(Body::ChangeSubscriber(ChangeSubscriber { staff: STAFF, msisdn: msisdn(who), change }));
    }
}

/// Rules that are in force from their approval on, whatever they say of the time before.
fn load(rules: Rules) -> Body {
    let from = Some(Timestamp::MIN);
    Body::LoadRules(LoadRules { staff: STAFF, rules: Arc::new(rules), file_hash: [9; 32], from })
}

fn koryolink() -> Rules {
    testing::rules("koryolink")
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
    testing::phone(1 + who)
}

fn imsi(who: u64) -> Imsi {
    Imsi::parse(&format!("46705{:010}", who)).expect("an identity")
}

/// The appends of a history as a follower sees them.
pub(crate) fn batches(links: &[Link]) -> Vec<Batch> {
    links.iter().map(|link| decode(link).expect("an append")).collect()
}

pub(crate) fn collector() -> Collector {
    Collector::new(Head::default())
}
