//! Random histories: what anybody may send, in any order, malformed fields included.

use std::sync::Arc;

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::office_history::{self, Desk};
use super::profile;
use super::script::{STAFF, number};
use crate::card::Voiding;
use crate::command::{
    Bind, Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, Dialled, Gift, ImportSubscribers,
    IssueCards, LoadRules, NewCard, NewPassword, NewSubscriber, Proved, SetLanguage, SubscriberChange, TopUp,
};
use crate::ids::{CardId, Language, OperatorId, Serial};
use crate::money::Amount;
use crate::number::{Imsi, Msisdn};
use crate::office::{Record, RecordKind};
use crate::password::Password;
use crate::receipt::Seq;
use crate::testing::{World, card_number};
use crate::time::Timestamp;

/// Before the night on which St John's had its evening twice.
pub(super) const START: &str = "2010-10-25T00:00:00Z";
/// Callers and recipients: three of each operator, one that nobody imports, one of nobody, and what is no number.
pub(super) const NUMBERS: [&str; 9] =
    ["191…001", "191…002", "191…003", "195…001", "195…002", "195…003", "192…009", "194…001", "?"];
/// What is typed as a password; most cards have the first. The last two are trivial and malformed.
pub(super) const PASSWORDS: [&str; 5] = ["482913", "730164", "615243", "111111", "4829"];
const AMOUNTS: [i64; 10] = [0, 1, 2, 7, 50, 100, 250, 499, 600, i64::MAX];

/// Rules of the two operators that may be loaded at any time. A limit counts the same in all of them.
const RULES: [(&str, &[&str]); 5] = [
    (
        "test",
        &[
            "standing repeat_window_s = 60",
            "standing swap_rest_h = 2",
            "standing first_use = true",
            "standing card_valid_days = 45",
            "amount_max = 500",
            "residual_min = 3",
            "refusals_per_day = 5",
            "recipient_balance_max = 3000",
            "gift_fee = { flat = 1, basis_points = 150, tax_basis_points = 1000 }",
            "tariff free_minutes_per_month = 3",
            "tariff cross_network = \"3/2\"",
            "hold = { gifts = \"new-recipient\", for_s = 1800 }",
            "limit a gift sender count 3 business-day from 2000-01-01",
            "limit a gift sender total 600 business-day from 2000-01-02",
            "limit b gift pair total 400 calendar-month from 2000-01-01",
            "limit c gift recipient count 4 days(3) from 2000-01-01",
            "limit d gift card total 900 days(10) from 2000-01-01",
            "limit e top-up sender count 2 business-day from 2000-01-01",
            "period two from 2010-11-15T12:00:00",
            "amount_max = 300",
            "age_days_min = 1",
            "limit a gift sender count 2 business-day from 2000-01-01",
            "limit b gift pair total 500 calendar-month from 2000-01-01",
            "limit f gift pair count 2 days(40)",
            "period three from 2011-01-10",
            "closed = true",
            "period four from 2011-02-01",
            "cards_void = true",
        ],
    ),
    (
        "test",
        &[
            "standing repeat_window_s = 86400",
            "standing call_reserve_s = 60",
            "hold = { gifts = \"always\", for_s = 80000 }",
            "staff 1000 network,finance,care",
            "staff 1001 network,finance,care",
            "staff 1002 care",
            "limit c gift recipient count 6 days(3) from 2000-01-01",
            "limit a gift sender count 5 business-day from 2000-01-01",
            "limit g top-up card total 700 calendar-month",
        ],
    ),
    ("test", &["languages en", "limit b gift pair total 300 calendar-month from 2000-01-01"]),
    (
        "other",
        &[
            "zone America/St_Johns",
            "standing repeat_window_s = 300",
            "amount_step = 1",
            "limit a gift sender count 2 business-day",
            "limit b gift pair count 1 calendar-month",
            "limit c gift recipient total 700 business-day",
            "period two from 2010-11-07T00:00:45",
            "cards_void = true",
            "hold = { gifts = \"always\", for_s = 600 }",
            "tariff = { minute_price = 3 }",
            "top_up_fee = { basis_points = 333 }",
            "limit a gift sender total 400 business-day",
        ],
    ),
    ("other", &["zone America/St_Johns", "standing first_use = true", "limit b gift pair count 3 calendar-month"]),
];

/// A caller's own part of an act.
#[derive(Clone, Copy, Debug)]
pub(super) struct By {
    who: usize,
    link: u16,
    /// The SIM that the link tells; 0: it tells none.
    sim: u8,
    password: usize,
    /// Dials the other operator's service code.
    astray: bool,
}

/// What happens; indices are taken modulo what there is.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Below 3, so many numbers after the caller's among the operator's three, else any number; an amount; swapped.
    Gift(By, usize, usize, bool),
    TopUp(By, usize),
    ShowCards(By),
    ShowGifts(By),
    ChangePassword(By, usize, usize),
    Freeze(By),
    Bind(By, usize),
    Undo(By),
    SetLanguage(By, Language),
    Load(usize),
    Import(u8, Vec<(usize, usize, Option<Language>, u64)>),
    ChangeSubscriber(usize, u8),
    Issue(u8, Vec<(u64, usize, usize)>),
    ChangeCard(u32, u8),
    Expire(u32),
    RotateKeys,
    RetireKey,
    Office(Desk),
}

impl Act {
    /// A proposal that nobody approves at once.
    pub(super) const fn waits(&self) -> bool {
        matches!(self, Self::Office(desk) if desk.waits())
    }
}

/// Seconds since the step before, and an act.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) wait_s: i64,
    pub(super) act: Act,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![
        24 => Just(0),
        12 => 1..120_i64,
        3 => 120..3_600_i64,
        4 => 3_600..100_000_i64,
        2 => 100_000..2_000_000_i64,
    ];
    proptest::collection::vec((wait, act()).prop_map(|(wait_s, act)| Step { wait_s, act }), 60..110)
}

/// Mostly the callers who have cards, with the password that most cards have.
fn by() -> impl Strategy<Value = By> {
    let who = prop_oneof![40 => select(&[0, 1, 3, 4][..]), 8 => 0..6_usize, 1 => 6..8_usize];
    let password = prop_oneof![20 => Just(0_usize), 3 => 1..PASSWORDS.len()];
    let sim = prop_oneof![30 => Just(0_u8), 8 => Just(1_u8), 1 => Just(2_u8)];
    (who, prop_oneof![4 => Just(1_u16), 1 => Just(2_u16)], sim, password, any::<u8>())
        .prop_map(|(who, link, sim, password, n)| By { who, link, sim, password, astray: n == 0 })
}

fn act() -> BoxedStrategy<Act> {
    let amount = || prop_oneof![20 => 3..6_usize, 10 => 1..9_usize, 1 => Just(0), 1 => Just(9)];
    let to = || prop_oneof![24 => 1..3_usize, 1 => 0..NUMBERS.len()];
    let new = || prop_oneof![6 => 0..3_usize, 1 => 3..PASSWORDS.len()];
    let language = || select(&Language::ALL[..]);
    let who = prop_oneof![20 => 0..6_usize, 1 => 6..NUMBERS.len()];
    let line = (who, 0..4_usize, proptest::option::of(language()), 0..3_u64);
    let value = prop_oneof![80 => 5..9_usize, 1 => Just(9_usize)];
    let card = (1..60_u64, value, prop_oneof![6 => Just(0_usize), 1 => 0..3_usize]);
    let operator = || prop_oneof![20 => 0..2_u8, 1 => Just(2_u8)];
    let change = select(&[0, 1, 1, 1, 3, 3, 3, 3, 4, 5, 6, 7, 8, 8][..]);
    prop_oneof![
        120 => (by(), to(), amount(), any::<u8>()).prop_map(|(by, to, n, x)| Act::Gift(by, to, n, x < 3)),
        20 => (by(), amount()).prop_map(|(by, n)| Act::TopUp(by, n)),
        6 => by().prop_map(Act::ShowCards),
        4 => by().prop_map(Act::ShowGifts),
        9 => (by(), new(), new(), any::<u8>()).prop_map(|(by, new, again, x)| {
            Act::ChangePassword(by, new, if x < 32 { again } else { new })
        }),
        1 => by().prop_map(Act::Freeze),
        16 => (by(), 0..40_usize).prop_map(|(by, card)| Act::Bind(by, card)),
        9 => by().prop_map(Act::Undo),
        2 => (by(), language()).prop_map(|(by, language)| Act::SetLanguage(by, language)),
        3 => (0..RULES.len()).prop_map(Act::Load),
        4 => (operator(), proptest::collection::vec(line, 0..4)).prop_map(|(op, lines)| Act::Import(op, lines)),
        8 => (0..NUMBERS.len(), change).prop_map(|(who, change)| Act::ChangeSubscriber(who, change)),
        12 => (operator(), proptest::collection::vec(card, 0..4)).prop_map(|(op, cards)| Act::Issue(op, cards)),
        6 => (0..20_u32, 0..6_u8).prop_map(|(card, change)| Act::ChangeCard(card, change)),
        3 => (0..20_u32).prop_map(Act::Expire),
        2 => Just(Act::RotateKeys),
        1 => Just(Act::RetireKey),
        190 => office_history::desk().prop_map(Act::Office),
    ]
    .boxed()
}

/// Two operators with two subscribers each, a card on every phone.
pub(super) fn opening() -> Vec<Step> {
    let by = |who| By { who, link: 1, sim: 0, password: 0, astray: false };
    let lines = |from: usize| vec![(from, 3, None, 0), (from + 1, 3, None, 0)];
    let cards = |from: u64| vec![(from, 8, 0), (from + 1, 7, 0), (from + 2, 8, 0)];
    let acts = [
        Act::Load(0),
        Act::Load(3),
        Act::Import(0, lines(0)),
        Act::Import(1, lines(3)),
        Act::Issue(0, cards(1)),
        Act::Issue(1, cards(4)),
        Act::Bind(by(0), 0),
        Act::Bind(by(1), 1),
        Act::Bind(by(3), 3),
        Act::Bind(by(4), 4),
    ];
    // Cards 7, 8 and 12 of those that are printed are the first to be sold.
    let sold = [Act::Bind(by(0), 6), Act::Bind(by(0), 7), Act::Bind(by(3), 11)];
    acts.into_iter()
        .chain(office_history::opening().into_iter().map(Act::Office))
        .chain(sold)
        .map(|act| Step { wait_s: 0, act })
        .collect()
}

/// The command of an act in this world; `None` when it only changes the keys.
pub(super) fn body(world: &mut World, act: &Act) -> Option<Body> {
    Some(match act {
        Act::Office(desk) => return office_history::body(world, desk),
        Act::RotateKeys => {
            return {
                world.rotate_keys();
                None
            };
        }
        Act::RetireKey => {
            return {
                world.retire_older_key();
                None
            };
        }
        Act::Load(index) => {
            let (name, lines) = RULES[*index];
            let file_hash = [u8::try_from(*index).expect("few"); 32];
            let (rules, from) = (Arc::new(profile::rules(name, lines)), Some(Timestamp::MIN));
            Body::LoadRules(LoadRules { staff: STAFF, rules, file_hash, from })
        }
        Act::Import(operator, lines) => Body::ImportSubscribers(ImportSubscribers {
            staff: STAFF,
            operator: OperatorId(*operator),
            subscribers: lines.iter().filter_map(|line| new_subscriber(world, line)).collect(),
        }),
        Act::ChangeSubscriber(who, change) => Body::ChangeSubscriber(ChangeSubscriber {
            staff: STAFF,
            msisdn: awaited(world).filter(|_| *change == 8).or_else(|| number(NUMBERS[*who])).or(number("191…077"))?,
            change: subscriber_change(*change),
        }),
        Act::Issue(operator, cards) => Body::IssueCards(IssueCards {
            staff: STAFF,
            operator: OperatorId(*operator),
            cards: cards.iter().map(|card| new_card(world, OperatorId(*operator), *card)).collect(),
        }),
        Act::ChangeCard(card, change) => {
            let change = match change {
                0 => CardChange::Freeze,
                1..=3 => CardChange::Thaw,
                4 => CardChange::UnblockBinding,
                _ => CardChange::Void(Voiding::Lost),
            };
            Body::ChangeCard(ChangeCard { staff: STAFF, serial: Serial(*card), change })
        }
        Act::Expire(card) => Body::ExpireCard(CardId(*card)),
        called => return called_by(world, called),
    })
}

fn called_by(world: &World, act: &Act) -> Option<Body> {
    let (Act::Gift(by, ..)
    | Act::TopUp(by, _)
    | Act::ShowCards(by)
    | Act::ShowGifts(by)
    | Act::ChangePassword(by, ..)
    | Act::Freeze(by)
    | Act::Bind(by, _)
    | Act::Undo(by)
    | Act::SetLanguage(by, _)) = act
    else {
        return None;
    };
    let by = &By { who: undoer(world, act).unwrap_or(by.who), ..*by };
    let imsi = Imsi::parse(&format!("46705000000000{}", by.sim)).ok().filter(|_| by.sim > 0);
    let mut caller = Caller { imsi, ..world.caller(number(NUMBERS[by.who])?, by.link) };
    if by.astray {
        caller.operator = OperatorId(1 - caller.operator.0);
    }
    let proof = world.proof(&caller, PASSWORDS[by.password]);
    let proved = Proved { caller, proof };
    Some(match act {
        Act::Gift(_, to, amount, swapped) => Body::Gift(Gift {
            caller,
            recipient: Dialled::from(number(
                NUMBERS[if *to < 3 { by.who / 3 * 3 % 6 + (by.who + to) % 3 } else { *to }],
            )),
            amount: Dialled::from(Amount::try_new(AMOUNTS[*amount])),
            proof,
            swapped: *swapped,
            occasion: Some(1),
        }),
        Act::TopUp(_, amount) => {
            Body::TopUp(TopUp { caller, amount: Dialled::from(Amount::try_new(AMOUNTS[*amount])), proof })
        }
        Act::ShowCards(_) => Body::ShowCards(proved),
        Act::ShowGifts(_) => Body::ShowGifts(proved),
        Act::Freeze(_) => Body::Freeze(proved),
        Act::Undo(_) => Body::Undo(proved),
        Act::SetLanguage(_, language) => Body::SetLanguage(SetLanguage { caller, language: *language }),
        Act::ChangePassword(_, new, again) => {
            let new = new_password(world, &caller, PASSWORDS[*new], PASSWORDS[*again]);
            Body::ChangePassword(ChangePassword { caller, old: proof, new })
        }
        Act::Bind(_, card) => Body::Bind(bind(world, caller, *card, PASSWORDS[by.password])),
        _ => return None,
    })
}

/// What an edge makes of a new password that was typed twice.
fn new_password(world: &World, caller: &Caller, new: &str, again: &str) -> NewPassword {
    match (Password::parse(new), world.holder_tag(caller, new)) {
        (Ok(_), _) if again != new => NewPassword::Differ,
        (Ok(password), _) if password.is_trivial() => NewPassword::Trivial,
        (Ok(_), Some(tag)) => NewPassword::Tag(tag),
        _ => NewPassword::Malformed,
    }
}

/// One of the cards, one that is nobody's, or a number that is none.
fn bind(world: &World, caller: Caller, card: usize, digits: &str) -> Bind {
    let cards = world.state.rows().1 + 1;
    let known = world.state.cards().nth(card % cards).map(|(_, card)| card.facts.number);
    let number = Dialled::from(if card == 39 { None } else { known.or(Some(card_number(999))) });
    let proof = world.card_proof(caller.operator, number, digits);
    Bind { caller, number, proof, holder_tag: world.holder_tag(&caller, digits) }
}

/// Somebody who has something to undo, when that is what is asked.
fn undoer(world: &World, act: &Act) -> Option<usize> {
    let gave = |who: &usize| {
        let found = number(NUMBERS[*who]).and_then(|msisdn| world.state.find_subscriber(msisdn));
        let open = |seq: &Seq| world.state.hold(*seq).is_some_and(|hold| world.at < hold.expires_at);
        found.is_some_and(|(id, _)| world.state.holds_of(id).iter().any(open))
    };
    if matches!(act, Act::Undo(_)) { (0..6).find(gave) } else { None }
}

/// Somebody to whom a gift is on hold.
fn awaited(world: &World) -> Option<Msisdn> {
    let (_, record) = world.state.records_of(RecordKind::Hold).next_back()?;
    let Record::Hold(hold) = record else { return None };
    world.state.subscriber(hold.recipient).map(|row| row.facts.msisdn)
}

fn new_subscriber(world: &World, line: &(usize, usize, Option<Language>, u64)) -> Option<NewSubscriber> {
    let (who, airtime, language, imsi) = line;
    let msisdn: Msisdn = number(NUMBERS[*who])?;
    Some(NewSubscriber {
        msisdn,
        imsi: Imsi::parse(&format!("46705000000000{imsi}")).ok().filter(|_| *imsi > 0),
        language: *language,
        since: (*imsi == 2).then(|| Timestamp::from_ms(world.at.ms() - 400_000_000)),
        airtime: Amount::try_new(AMOUNTS[*airtime]),
    })
}

fn new_card(world: &World, operator: OperatorId, (n, value, password): (u64, usize, usize)) -> NewCard {
    let number = card_number(n);
    let password = crate::testing::password(PASSWORDS[password]);
    let value = Amount::try_new(AMOUNTS[value].max(1)).expect("positive");
    NewCard { number, tag: world.keys.current().card(operator, number, &password), value }
}

fn subscriber_change(change: u8) -> SubscriberChange {
    let imsi = |n: u8| Imsi::parse(&format!("46705000000000{n}")).expect("an identity");
    match change {
        0 | 8 => SubscriberChange::Bar,
        1 | 2 => SubscriberChange::Unbar,
        3 => SubscriberChange::Unlock,
        4 => SubscriberChange::ChangeImsi(imsi(1)),
        5 => SubscriberChange::ChangeImsi(imsi(2)),
        6 => SubscriberChange::Release,
        _ => SubscriberChange::SetLanguage(Language::English),
    }
}
