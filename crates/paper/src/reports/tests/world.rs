//! A small operator with a shop: its history is decided, folded, and kept in memory as a server would keep it on disk.

use std::sync::Arc;

use domain::card::Voiding;
use domain::command::{
    Bind, Body, Caller, CardChange, ChangeCard, Dialled, Gift, ImportSubscribers, IssueCards, LoadRules, NewCard,
    NewSubscriber,
};
use domain::currency::Currency;
use domain::decide::decide;
use domain::id::CommandId;
use domain::ids::{BatchId, CardId, LinkId, OperatorId, OutletId, Serial, Staff};
use domain::money::Amount;
use domain::number::{CardNumber, Msisdn};
use domain::office::batch::{BatchCommand, MadeCard};
use domain::office::done::OfficeDone;
use domain::office::motion::{MotionCommand, Proposal};
use domain::office::till::{Goods, Rate, TillCommand};
use domain::office::{Asked, Office};
use domain::password::{KeyId, Password, TagKey, TagKeys};
use domain::rules::Rules;
use domain::rules::tariff::Ratio;
use domain::state::State;
use domain::time::Timestamp;
use domain::verdict::{Done, Entry, Outcome, Verdict};
use engine::checkpoint::{Checkpoint, CheckpointFault, Collector};
use engine::ids::Turning;
use engine::journal::{Draft, Head, Journal as _, decode};
use engine::memory::{MemoryCheckpoint, MemoryJournal};

use crate::reports::agree::Kept;
use crate::reports::fold::Journal;

const KORYOLINK: &str = include_str!("../../../../../profiles/koryolink.toml");
const OPERATOR: OperatorId = OperatorId(0);
const MAKER: Staff = Staff(1);
const SHOP: OutletId = OutletId(1);
const PASSWORD: &str = "482913";

/// Koryolink with one open period: a fee of 4 with a tax of a quarter, cards that last 40 days; `lines` are more of it.
pub(crate) fn profile(lines: &str) -> String {
    let (head, _) = KORYOLINK.split_once("[[period]]").expect("periods");
    let head = head.replace("first_use = false", "first_use = false\ncard_valid_days = 40");
    format!(
        "{head}[[period]]\nname = \"open\"\nfrom = 2016-01-01\namount_max = 500\nrefusals_per_day = 0\nage_days_min = 0\n\
         gift_fee = {{ flat = 4, tax_basis_points = 2500 }}\n{lines}"
    )
}

pub(crate) fn rules(lines: &str) -> Rules {
    domain::rules::parse::parse(&profile(lines)).unwrap_or_else(|error| panic!("{error}"))
}

/// See the module.
pub(crate) struct World {
    state: State,
    at: Timestamp,
    entries: Vec<(Timestamp, Entry)>,
    keys: TagKeys,
}

impl World {
    /// Three subscribers with a card of 1000 each, a shop with three cards of 500 and a float of 100.00 USD; on 20 October.
    pub(crate) fn new() -> Self {
        let keys = TagKeys::new(TagKey::new(KeyId(1), &zeroize::Zeroizing::new([7; 32])), None);
        let mut world = Self { state: State::default(), at: at("2026-10-20T01:00:00Z"), entries: Vec::new(), keys };
        let rules = Arc::new(rules(""));
        world.done(Body::LoadRules(LoadRules { staff: MAKER, rules, file_hash: [9; 32], from: None }));
        let new = |n| NewSubscriber { msisdn: phone(n), imsi: None, language: None, since: None, airtime: None };
        let subscribers = (1..=3).map(new).collect();
        world.done(Body::ImportSubscribers(ImportSubscribers { staff: MAKER, operator: OPERATOR, subscribers }));
        let cards =
            (1..=3).map(|n| NewCard { number: number(n), tag: world.printed(n).1, value: minor(1_000) }).collect();
        world.done(Body::IssueCards(IssueCards { staff: MAKER, operator: OPERATOR, cards }));
        (1..=3).for_each(|n| world.bind(n, n));
        world.till(TillCommand::OpenOutlet { operator: OPERATOR, name: String::from("Pothonggang") });
        let ratio = Ratio::try_new(1, 1).expect("a ratio");
        let rate = Rate { from: world.at, until: None, ratio };
        world.both(Proposal::Rate { currency: Currency::Usd, rate });
        world.production(4, 3);
        world.till(TillCommand::Deposit { outlet: SHOP, currency: Currency::Usd, amount: minor(10_000) });
        world
    }

    /// A November: sales, a refund, a pay-out, gifts, refusals, an expired card, and a first entry of December.
    pub(crate) fn november() -> Self {
        let mut world = Self::new();
        world.on("2026-11-02T01:00:00Z");
        let mut world = world.sold();
        world.till(TillCommand::Refund { serial: Serial(5) });
        world.gift(1, 2, 100, Some(1));
        world.gift(1, 2, 60, None);
        world.on("2026-11-03T01:00:00Z");
        world.gift(2, 3, 300, None);
        world.gift(2, 3, 600, None);
        world.gift(2, 3, 700, None);
        world.both(Proposal::VoidCards { first: Serial(4), last: Serial(4), why: Voiding::Faulty });
        world.till(TillCommand::PayOut { serial: Serial(4) });
        // The evening of the 4th in UTC is the 5th in Pyongyang.
        world.on("2026-11-04T20:00:00Z");
        world.gift(3, 1, 500, None);
        world.on("2026-11-29T01:00:00Z");
        world.done(Body::ExpireCard(CardId(0)));
        world.on("2026-11-30T15:00:00Z");
        // Refused: by now all cards are past their time.
        world.gift(3, 1, 20, None);
        world
    }

    /// Two of the shop's cards are sold.
    pub(crate) fn sold(mut self) -> Self {
        let goods = Goods::Cards { first: Serial(4), count: 2 };
        self.till(TillCommand::Quote { outlet: SHOP, currency: Currency::Usd, goods });
        let quote = self.state.seq();
        self.till(TillCommand::Sell { quote });
        self
    }

    pub(crate) fn on(&mut self, instant: &str) {
        self.at = at(instant);
    }

    fn act(&mut self, body: Body) -> Verdict {
        let verdict = decide(&self.state, &body, self.at);
        let seq = self.state.seq().next();
        self.state.apply(seq, self.at, &verdict.effects).expect("it follows");
        let entry = Entry { id: CommandId::internal(0, seq.0), body, verdict: verdict.clone() };
        self.entries.push((self.at, entry));
        verdict
    }

    fn done(&mut self, body: Body) -> Verdict {
        let name = body.name();
        let verdict = self.act(body);
        assert!(matches!(verdict.outcome, Outcome::Done(_)), "{name}: {:?}", verdict.outcome);
        verdict
    }

    fn office(&mut self, staff: Staff, what: Asked) -> Verdict {
        self.done(Body::Office(Box::new(Office { staff, what })))
    }

    fn till(&mut self, command: TillCommand) {
        self.office(MAKER, Asked::Till(command));
    }

    /// Proposed by one, approved by another one.
    pub(crate) fn both(&mut self, proposal: Proposal) {
        let propose = MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(proposal) };
        let verdict = self.office(MAKER, Asked::Motion(propose));
        let Outcome::Done(Done::Office(done)) = &verdict.outcome else { panic!("{verdict:?}") };
        let OfficeDone::Proposed { motion, hash } = **done else { panic!("{done:?}") };
        self.office(Staff(2), Asked::Motion(MotionCommand::Approve { motion, hash }));
    }

    /// A batch of cards of 500, at the shop.
    fn production(&mut self, first: u64, count: u32) {
        let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered: count };
        self.office(MAKER, Asked::Batch(start));
        let batch = BatchId::try_new(1).expect("a batch");
        let cards = (first..first + u64::from(count)).map(|n| MadeCard { number: number(n), tag: self.printed(n).1 });
        let cards = cards.collect();
        self.office(MAKER, Asked::Batch(BatchCommand::Make { batch, cards }));
        self.office(MAKER, Asked::Batch(BatchCommand::Seal { batch, file_hash: [3; 32] }));
        let (first, last) = (u32::try_from(first).expect("small"), u32::try_from(first).expect("small") + count - 1);
        let stock = BatchCommand::Stock { first: Serial(first), last: Serial(last), outlet: SHOP };
        self.office(MAKER, Asked::Batch(stock));
    }

    fn printed(&self, n: u64) -> (CardNumber, domain::password::PasswordTag) {
        (number(n), self.keys.current().card(OPERATOR, number(n), &password()))
    }

    fn bind(&mut self, who: u64, card: u64) {
        let (number, _) = self.printed(card);
        let holder_tag = Some(self.keys.current().holder(OPERATOR, phone(who), 1, &password()));
        let proof = self.keys.proof(|key| key.card(OPERATOR, number, &password()));
        self.done(Body::Bind(Bind { caller: caller(who), number: Dialled::Value(number), proof, holder_tag }));
    }

    /// Whatever is answered.
    pub(crate) fn gift(&mut self, from: u64, to: u64, amount: i64, occasion: Option<u8>) {
        let proof = self.keys.proof(|key| key.holder(OPERATOR, phone(from), 1, &password()));
        self.act(Body::Gift(Gift {
            caller: caller(from),
            recipient: Dialled::Value(phone(to)),
            amount: Dialled::from(Amount::try_new(amount)),
            proof,
            swapped: false,
            occasion,
        }));
    }

    pub(crate) fn freeze(&mut self, serial: u32) {
        self.done(Body::ChangeCard(ChangeCard { staff: MAKER, serial: Serial(serial), change: CardChange::Freeze }));
    }

    /// Changes the latest entry's effects as a bug would, and folds them.
    pub(crate) fn spoil(&mut self, how: impl FnOnce(&mut Entry)) {
        let (_, entry) = self.entries.last_mut().expect("an entry");
        how(entry);
        self.state = State::default();
        for (at, entry) in &self.entries {
            self.state.apply(self.state.seq().next(), *at, &entry.verdict.effects).expect("it follows");
        }
    }

    /// All of it as a journal, and a checkpoint of its end.
    pub(crate) fn written(self) -> (Checkpointed, Journal) {
        let mut disk = MemoryJournal::new();
        let (mut head, mut collector) = (Head::default(), Collector::new(Head::default(), Turning::new(40)));
        for (at, entry) in &self.entries {
            let mut draft = Draft::new(*at, 0);
            draft.push(entry);
            let link = draft.finish(&head);
            disk.append(&link).expect("appended");
            collector.add(&decode(&link).expect("an append"));
            head = link.head();
        }
        let mut checkpoint = MemoryCheckpoint::new();
        checkpoint.write(&collector.take(Timestamp::MIN)).expect("written");
        (Checkpointed(checkpoint), Journal::new(Arc::new(disk.reader()), head.seq))
    }
}

/// A checkpoint in memory. It has rows of its own, and nothing to compare but what is loaded of them.
pub(crate) struct Checkpointed(MemoryCheckpoint);

impl Kept for Checkpointed {
    fn load(&self) -> Result<Option<engine::replica::Replica>, CheckpointFault> {
        self.0.snapshot().load(1).map(Some)
    }
}

fn at(instant: &str) -> Timestamp {
    Timestamp::parse(instant).expect("an instant")
}

fn minor(minor: i64) -> Amount {
    Amount::try_new(minor).expect("positive")
}

fn password() -> Password {
    Password::parse(PASSWORD).expect("six digits")
}

fn phone(n: u64) -> Msisdn {
    Msisdn::try_new(8_501_911_000_000 + n).expect("a number")
}

fn number(n: u64) -> CardNumber {
    CardNumber::from_payload(400_000_000_000_000 + n).expect("15 digits")
}

fn caller(n: u64) -> Caller {
    Caller { operator: OPERATOR, link: LinkId(1), msisdn: phone(n), imsi: None }
}
