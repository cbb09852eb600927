//! The operator's people and programs: imports, cards, care, rules. Each asks with an id of its own and asks again.

use domain::card::Voiding;
use domain::command::{
    Body, CardChange, ChangeCard, ChangeSubscriber, ImportSubscribers, IssueCards, LoadRules, NewCard, NewSubscriber,
    SubscriberChange,
};
use domain::ids::{Language, OperatorId, Serial, Staff};
use domain::money::Amount;
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::office::done::OfficeDone;
use domain::office::motion::MotionCommand;
use domain::office::{Asked, Office};
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::Answer;

use crate::dice::Dice;
use crate::phone::{Phone, View, password};
use crate::plant::Plant;
use crate::profiles;

const CARE: Staff = Staff(1_000);
const SECOND: Staff = Staff(1_001);

/// A world's cards, numbered as they are made.
#[derive(Debug, Default)]
pub(crate) struct Press {
    pub(crate) made: u32,
}

impl Press {
    /// Makes a card with a value, and its password.
    pub(crate) fn make(
        &mut self,
        dice: &mut Dice,
        view: &View<'_>,
        operator: OperatorId,
        value: i64,
    ) -> Option<(NewCard, u32)> {
        self.made += 1;
        let number = CardNumber::from_payload(400_000_000_000_000 + u64::from(self.made) * 7_919).ok()?;
        let digits = u32::try_from(dice.between(200_000, 899_999)).ok()?;
        let printed = password(digits)?;
        let tag = view.keys.current().card(operator, number, &printed);
        Some((NewCard { number, tag, value: Amount::try_new(value)? }, digits))
    }
}

/// Rules put in force.
pub(crate) fn load(operator: usize, variant: usize, plant: Option<Plant>) -> Option<Body> {
    let profile = profiles::ordered(operator, variant)?;
    let rules = profiles::as_loaded(profile, plant);
    // The profiles tell pasts of their own: what was in force stays until the new ones are approved.
    let from = Some(Timestamp::MIN);
    Some(Body::LoadRules(LoadRules { staff: CARE, rules, file_hash: profile.hash, from }))
}

/// What a second person says to what was proposed: yes, to the hash that they were shown.
pub(crate) fn approve(answer: &Answer) -> Option<Body> {
    let Answer::Verdict(reply) = answer else { return None };
    let Outcome::Done(Done::Office(done)) = &reply.outcome else { return None };
    let OfficeDone::Proposed { motion, hash } = **done else { return None };
    let what = Asked::Motion(MotionCommand::Approve { motion, hash });
    Some(Body::Office(Box::new(Office { staff: SECOND, what })))
}

/// Subscribers imported.
pub(crate) fn import(operator: OperatorId, subscribers: Vec<NewSubscriber>) -> Body {
    Body::ImportSubscribers(ImportSubscribers { staff: CARE, operator, subscribers })
}

/// Cards issued.
pub(crate) fn issue(operator: OperatorId, cards: Vec<NewCard>) -> Body {
    Body::IssueCards(IssueCards { staff: CARE, operator, cards })
}

/// One thing that staff does.
pub(crate) fn act(
    dice: &mut Dice,
    view: &View<'_>,
    phones: &mut [Phone],
    press: &mut Press,
    plant: Option<Plant>,
) -> Option<Body> {
    match dice.below(100) {
        0..45 => {
            let (_, msisdn) = *dice.pick(view.numbers)?;
            Some(subscriber(dice, msisdn))
        }
        45..65 => Some(card(dice, press.made)),
        65..82 => sell(dice, view, phones, press),
        82..92 => {
            let operator = OperatorId(u8::from(dice.often(500)));
            let lines = (0..dice.between(1, 3)).filter_map(|_| line(dice, view)).collect();
            Some(import(operator, lines))
        }
        _ => load(dice.index(profiles::OPERATORS), dice.index(profiles::VARIANTS), plant),
    }
}

fn subscriber(dice: &mut Dice, msisdn: Msisdn) -> Body {
    let change = match dice.below(20) {
        0..9 => SubscriberChange::Unlock,
        9 => SubscriberChange::Bar,
        10..15 => SubscriberChange::Unbar,
        15 => match Imsi::parse(&format!("46705{:07}", dice.below(3))) {
            Ok(imsi) => SubscriberChange::ChangeImsi(imsi),
            Err(_) => SubscriberChange::Unlock,
        },
        16..17 => SubscriberChange::Release,
        _ => SubscriberChange::SetLanguage(dice.pick(&Language::ALL).copied().unwrap_or_default()),
    };
    Body::ChangeSubscriber(ChangeSubscriber { staff: CARE, msisdn, change })
}

fn card(dice: &mut Dice, made: u32) -> Body {
    let change = match dice.below(10) {
        0..6 => CardChange::Thaw,
        6 => CardChange::Freeze,
        7..9 => CardChange::UnblockBinding,
        _ => CardChange::Void(Voiding::Lost),
    };
    let serial = Serial(u32::try_from(dice.below(u64::from(made) + 2)).unwrap_or(0));
    Body::ChangeCard(ChangeCard { staff: CARE, serial, change })
}

/// Sells cards to somebody, who has them in the hand at once.
fn sell(dice: &mut Dice, view: &View<'_>, phones: &mut [Phone], press: &mut Press) -> Option<Body> {
    let buyer = dice.index(phones.len());
    let phone = phones.get_mut(buyer)?;
    let mut cards = Vec::new();
    for _ in 0..dice.between(1, 2) {
        let value = dice.between(200, 3_000);
        let (card, digits) = press.make(dice, view, phone.operator, value)?;
        phone.bought.push((card.number, digits));
        cards.push(card);
    }
    if dice.often(30) {
        // The same number twice in one list.
        cards.extend(cards.first().copied());
    }
    Some(issue(phone.operator, cards))
}

fn line(dice: &mut Dice, view: &View<'_>) -> Option<NewSubscriber> {
    let (_, msisdn) = *dice.pick(view.numbers)?;
    Some(NewSubscriber {
        msisdn,
        imsi: dice.often(100).then(|| Imsi::parse("467050000000009").ok()).flatten(),
        language: dice.often(300).then_some(Language::English),
        since: dice.often(500).then(|| Timestamp::from_ms(view.now_ms - 30 * 86_400_000)),
        airtime: dice.often(300).then(|| Amount::try_new(dice.between(1, 500))).flatten(),
    })
}
