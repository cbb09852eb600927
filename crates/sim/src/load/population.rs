//! Subscribers, their cards, and the commands that make them.

use std::sync::{Arc, LazyLock};

use domain::TOUCH_MAX;
use domain::card::CardNumber;
use domain::command::{
    Bind, Body, Caller, Command, Dialled, ImportSubscribers, IssueCards, LinkId, LoadRules, NewCard, NewSubscriber,
    OperatorId, Staff,
};
use domain::money::Amount;
use domain::msisdn::Msisdn;
use domain::password::{KEY_LEN, KeyId, Password, PasswordTag, Proof, TagKey};
use domain::rules::Rules;
use domain::rules::parse::parse;
use domain::time::Timestamp;
use zeroize::Zeroizing;

use super::gifts::Gifts;
use crate::program::uuid_v7;

/// The rules that the load is valid under.
pub const fn bench_rules() -> &'static str {
    include_str!("../../profiles/bench.toml")
}

/// Subscribers or cards in one command at most: issuing touches the operator's position as well.
pub const BULK: usize = TOUCH_MAX - 1;
/// Fewest subscribers: everybody needs 8 friends.
pub const SUBSCRIBERS_MIN: u32 = 16;
/// Most subscribers: the numbers of the rules' block.
pub const SUBSCRIBERS_MAX: u32 = 30_000_000;

/// The operator of the load: the first that is loaded.
const OPERATOR: OperatorId = OperatorId(0);
/// The link that asserts callers.
const LINK: LinkId = LinkId(1);
const STAFF: Staff = Staff(0);
/// Of 8501910000000, the first number.
const NUMBERS: u64 = 8_501_910_000_000;
const CARDS: u64 = 500_000_000_000_000;
/// A command waits so long at most.
const DECIDE_WITHIN_S: i64 = 60;

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "part of the program; a test parses it")]
    let rules = parse(bench_rules()).expect("the bench's profile");
    Arc::new(rules)
});

/// How large a population is.
#[derive(Clone, Copy, Debug)]
pub struct PopulationConfig {
    /// [`SUBSCRIBERS_MIN`] to [`SUBSCRIBERS_MAX`]; others are pulled into that range.
    pub subscribers: u32,
    /// What each card is issued with: gifts cost 5 on average.
    pub card_value_minor: i64,
}

impl Default for PopulationConfig {
    fn default() -> Self {
        Self { subscribers: 1_000_000, card_value_minor: 100_000 }
    }
}

/// The key of the load's tags. Public: for the bench alone.
pub fn tag_key() -> TagKey {
    TagKey::new(KeyId(1), &Zeroizing::new([0x5A; KEY_LEN]))
}

/// The six digits of a subscriber's password, as one number: for a bench that dials.
pub const fn digits(subscriber: u32) -> u32 {
    // Any odd-looking spread does; none of these is trivial often enough to matter.
    (subscriber % 900_000) * 7 % 900_000 + 100_000
}

fn password(subscriber: u32) -> Option<Password> {
    Password::parse(&digits(subscriber).to_string()).ok()
}

/// A card's number.
fn card_number(subscriber: u32) -> Option<CardNumber> {
    // A prime step, so that numbers in a row don't look alike.
    CardNumber::from_payload(CARDS + u64::from(subscriber) * 7_919).ok()
}

/// N subscribers of one operator, each with one card.
#[derive(Clone, Debug)]
pub struct Population {
    config: PopulationConfig,
    /// Of each subscriber's password, in the *holder* domain: gifts need nothing else that is slow to make.
    tags: Arc<[PasswordTag]>,
}

impl Population {
    /// Makes the tags of everybody: one HMAC a subscriber.
    pub fn new(config: PopulationConfig) -> Self {
        let subscribers = config.subscribers.clamp(SUBSCRIBERS_MIN, SUBSCRIBERS_MAX);
        let config = PopulationConfig { subscribers, ..config };
        let key = tag_key();
        let tag = |row: u32| Some(key.holder(OPERATOR, number(row)?, 1, &password(row)?));
        Self { config, tags: (0..subscribers).filter_map(tag).collect() }
    }

    /// How many there are.
    pub const fn subscribers(&self) -> u32 {
        self.config.subscribers
    }

    /// One subscriber's number: the row that the decider gives it is the same.
    pub fn number(&self, subscriber: u32) -> Option<Msisdn> {
        number(subscriber)
    }

    /// The commands that make them, in order: rules, imports, cards, and a binding for each card, all with ids of `at`.
    pub fn setup(&self, at: Timestamp) -> impl Iterator<Item = Command> + '_ {
        let load = LoadRules { staff: STAFF, rules: Arc::clone(&RULES), file_hash: [0xBE; 32] };
        let rows = || (0..self.config.subscribers).step_by(BULK);
        let imports = rows().map(|first| self.import(first));
        let issues = rows().map(|first| self.issue(first));
        let key = tag_key();
        let binds = (0..self.config.subscribers).filter_map(move |row| self.bind(&key, row));
        let bodies = core::iter::once(Body::LoadRules(load)).chain(imports).chain(issues).chain(binds);
        let decide_before = at.plus_s(DECIDE_WITHIN_S);
        // Their own lane of ids: no gift's.
        bodies.zip(0..).map(move |(body, n)| Command { id: uuid_v7(at.ms(), 0xFFF, n), decide_before, body })
    }

    /// Gifts of lane `lane` of `lanes`: lanes share no sender, so that each thread may have its own. At most 4,000 lanes.
    pub fn gifts(&self, lane: u16, lanes: u16, at: Timestamp) -> Gifts {
        Gifts::new(Arc::clone(&self.tags), lane, lanes, at)
    }

    fn chunk(&self, first: u32) -> impl Iterator<Item = u32> + use<> {
        let last = self.config.subscribers.min(first.saturating_add(u32::try_from(BULK).unwrap_or(u32::MAX)));
        first..last
    }

    fn import(&self, first: u32) -> Body {
        let line = |msisdn| NewSubscriber { msisdn, imsi: None, language: None, since: None, airtime: None };
        let subscribers = self.chunk(first).filter_map(number).map(line).collect();
        Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator: OPERATOR, subscribers })
    }

    fn issue(&self, first: u32) -> Body {
        let key = tag_key();
        let card = |row: u32| {
            let number = card_number(row)?;
            let tag = key.card(OPERATOR, number, &password(row)?);
            Some(NewCard { number, tag, value: Amount::try_new(self.config.card_value_minor)? })
        };
        let cards = self.chunk(first).filter_map(card).collect();
        Body::IssueCards(IssueCards { staff: STAFF, operator: OPERATOR, cards })
    }

    fn bind(&self, key: &TagKey, row: u32) -> Option<Body> {
        let number = card_number(row)?;
        let current = key.card(OPERATOR, number, &password(row)?);
        let holder_tag = self.tags.get(usize::try_from(row).ok()?).copied();
        let proof = Proof::Tags { current, older: None };
        Some(Body::Bind(Bind { caller: caller(row)?, number: Dialled::Value(number), proof, holder_tag }))
    }
}

fn number(subscriber: u32) -> Option<Msisdn> {
    Msisdn::try_new(NUMBERS + u64::from(subscriber)).ok()
}

/// A subscriber calling.
pub(super) fn caller(subscriber: u32) -> Option<Caller> {
    Some(Caller { operator: OPERATOR, link: LINK, msisdn: number(subscriber)?, imsi: None })
}

/// How long a command of the load may wait.
pub(super) const fn decide_before(at: Timestamp) -> Timestamp {
    at.plus_s(DECIDE_WITHIN_S)
}
