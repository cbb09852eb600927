//! What a clerk can do on a busy day in an order that nobody thought of.

use super::desk::{answer, done, rate, resolve, sold, stocked, to_print};
use super::script::{SECOND, STAFF, Stage, number, play};
use crate::account::AccountId;
use crate::command::{Body, ChangeSubscriber, ImportSubscribers, IssueCards, NewCard, SubscriberChange};
use crate::currency::Currency;
use crate::ids::{CardId, OperatorId, OutletId, Serial, SubscriberId};
use crate::office::Asked;
use crate::office::batch::BatchCommand;
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal, Reversal};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Goods, TillCommand};
use crate::refusal::Refusal;
use crate::testing::{self, PASSWORD, asked, card_number, minor, password};
use crate::verdict::{Done, Outcome};

const OPERATOR: OperatorId = OperatorId(0);

fn balance(stage: &Stage, account: AccountId) -> i64 {
    stage.world.state.purse(account).expect("an account").balance_minor
}

/// A phone with a card of 500 for each of these currencies, in that order.
fn phone(rules: &str, currencies: &[Currency]) -> (Stage, OutletId) {
    let mut stage = play(&format!(
        "test from 2020-06-08
         | amount_max = 500{rules}
         191…001 is known since 2020-01-01
         191…002 is known since 2020-01-01"
    ));
    for currency in Currency::ALL {
        resolve(&mut stage.world, OPERATOR, rate(currency, 1, 1));
    }
    let (outlet, _) = stocked(&mut stage.world, OPERATOR, 500, 5);
    for (card, currency) in (1..).zip(currencies) {
        sold(&mut stage.world, outlet, *currency, Serial(card));
        stage.line(&format!("2020-06-08 12:00  191…001 binds card-{card}"), &[]);
    }
    (stage, outlet)
}

fn merge(from: u32, into: u32) -> Asked {
    Asked::Till(TillCommand::Merge { from: Serial(from), into: Serial(into) })
}

/// The dollar card is empty and first; a gift of the won card comes back after that card was merged into another of won.
#[test]
fn a_merged_card_s_gift_passes_by_an_older_card_of_another_currency() {
    let (mut stage, _) = phone("", &[Currency::Usd, Currency::Kpw, Currency::Kpw]);
    stage.line("2020-06-08 12:05  191…001 tops up 500", &[]);
    assert_eq!(balance(&stage, AccountId::Card(CardId(0))), 0, "the first card pays first");
    stage.line("2020-06-08 12:06  191…001 gives 500 to 191…002", &[]);
    let (of, given_at) = (stage.world.state.seq(), stage.world.at);
    assert_eq!(balance(&stage, AccountId::Card(CardId(1))), 0);
    done(&mut stage.world, merge(2, 3));
    let (sender, recipient, reason) = (SubscriberId(0), SubscriberId(1), String::from("a typo"));
    let reversal = Reversal { of, card: CardId(1), sender, recipient, amount: minor(500), reason, given_at };
    resolve(&mut stage.world, OPERATOR, Proposal::Reverse(reversal));
    let on_cards = [0, 1, 2].map(|card| balance(&stage, AccountId::Card(CardId(card))));
    assert_eq!(on_cards, [0, 0, 1_000]);
}

#[test]
fn two_cards_are_not_merged_into_one_that_is_worth_too_much() {
    let (mut stage, _) = phone("\n         | standing card_value_max = 999", &[Currency::Usd, Currency::Usd]);
    let refusal = OfficeRefusal::CardValueMax { max_minor: 999 };
    assert_eq!(answer(&mut stage.world, merge(1, 2)), Outcome::Refused(refusal.into()));
    stage.line("2020-06-08 12:05  191…001 gives 1 to 191…002", &[]);
    assert_eq!(done(&mut stage.world, merge(1, 2)), OfficeDone::Merged { balance_minor: 999 });
}

fn adjust(stage: &mut Stage, debit: AccountId, credit: AccountId, amount: i64) -> Result<OfficeDone, Refusal> {
    let (amount, reason) = (minor(amount), String::from("a mistake"));
    let proposal = Box::new(Proposal::Adjust { debit, credit, amount, reason });
    match answer(&mut stage.world, Asked::Motion(MotionCommand::Propose { operator: OPERATOR, proposal })) {
        Outcome::Done(Done::Office(done)) => Ok(*done),
        Outcome::Refused(refusal) => Err(refusal),
        Outcome::Done(done) => panic!("{done:?}"),
    }
}

/// Wherever it comes from.
#[test]
fn a_correction_makes_no_card_worth_too_much() {
    let (mut stage, _) = phone("\n         | standing card_value_max = 600", &[Currency::Usd, Currency::Usd]);
    let (one, other) = (AccountId::Card(CardId(0)), AccountId::Card(CardId(1)));
    let refusal = Refusal::from(OfficeRefusal::CardValueMax { max_minor: 600 });
    assert_eq!(adjust(&mut stage, one, other, 101), Err(refusal));
    assert!(adjust(&mut stage, one, other, 100).is_ok());
}

#[test]
fn nobody_gets_airtime_any_more_whose_number_was_released() {
    let (mut stage, _) = phone("", &[Currency::Usd]);
    stage.line("2020-06-08 12:05  191…001 gives 100 to 191…002", &[]);
    let (card, airtime) = (AccountId::Card(CardId(0)), AccountId::Airtime(SubscriberId(1)));
    let proposed = adjust(&mut stage, card, airtime, 9).expect("proposed");
    let OfficeDone::Proposed { motion, hash } = proposed else { panic!("{proposed:?}") };
    let msisdn = number("191…002").expect("a number");
    let release = ChangeSubscriber { staff: STAFF, msisdn, change: SubscriberChange::Release };
    stage.world.done(&Body::ChangeSubscriber(release));
    // Whether the number has another holder by now or not.
    for again in [false, true] {
        if again {
            stage.world.done(&testing::import(vec![testing::subscriber(msisdn)]));
        }
        let approve = asked(SECOND, Asked::Motion(MotionCommand::Approve { motion, hash }));
        assert_eq!(stage.world.act(&approve).outcome, Outcome::Refused(Refusal::SubscriberUnknown));
    }
    // What the holder before left there can still be taken off.
    let proposed = adjust(&mut stage, airtime, AccountId::Refunded(OPERATOR), 100).expect("proposed");
    let OfficeDone::Proposed { motion, hash } = proposed else { panic!("{proposed:?}") };
    let approve = asked(SECOND, Asked::Motion(MotionCommand::Approve { motion, hash }));
    assert!(matches!(stage.world.act(&approve).outcome, Outcome::Done(_)));
    assert_eq!(balance(&stage, airtime), 0);
}

/// Nobody could use it: it would only have to be paid back.
#[test]
fn nothing_is_made_or_sold_once_cards_are_void() {
    let (mut stage, outlet) = phone("", &[Currency::Usd]);
    let goods = Goods::Cards { first: Serial(2), count: 1 };
    let quote = |goods| Asked::Till(TillCommand::Quote { outlet, currency: Currency::Usd, goods });
    let OfficeDone::Quoted { quote: promised, .. } = done(&mut stage.world, quote(goods)) else { panic!("a quote") };
    let start = Asked::Batch(BatchCommand::Start { operator: OPERATOR, value: minor(5), ordered: 1 });
    let OfficeDone::BatchStarted { batch: begun } = done(&mut stage.world, start) else { panic!("a batch") };
    let close = Proposal::Close { period: String::from("the-end"), from: stage.world.at.plus_s(1), cards_void: true };
    resolve(&mut stage.world, OPERATOR, close);
    stage.world.at = stage.world.at.plus_s(2);
    let closed = Outcome::Refused(Refusal::ServiceClosed { period: Some(String::from("the-end")) });
    let made = to_print(&stage.world, OPERATOR, 78, PASSWORD);
    for (what, asked) in [
        ("a quote", quote(goods)),
        ("a sale", Asked::Till(TillCommand::Sell { quote: promised })),
        ("cards of a batch", Asked::Batch(BatchCommand::Make { batch: begun, cards: vec![made] })),
        ("a batch", Asked::Batch(BatchCommand::Start { operator: OPERATOR, value: minor(5), ordered: 1 })),
    ] {
        assert_eq!(answer(&mut stage.world, asked), closed, "{what}");
    }
    let number = card_number(77);
    let tag = stage.world.keys.current().card(OPERATOR, number, &password("482913"));
    let cards = vec![NewCard { number, value: minor(5), tag }];
    let issue = Body::IssueCards(IssueCards { staff: STAFF, operator: OPERATOR, cards });
    assert_eq!(stage.world.act(&issue).outcome, closed);
    let import = |airtime| {
        let new = crate::command::NewSubscriber {
            airtime,
            ..testing::subscriber(super::script::number("191…009").expect("a number"))
        };
        Body::ImportSubscribers(ImportSubscribers { staff: STAFF, operator: OPERATOR, subscribers: vec![new] })
    };
    assert_eq!(stage.world.act(&import(Some(minor(5)))).outcome, closed);
    assert!(matches!(stage.world.act(&import(None)).outcome, Outcome::Done(_)), "numbers come and go all the same");
}

#[test]
fn no_text_reads_otherwise_than_it_is_written() {
    let (mut stage, _) = phone("", &[Currency::Usd]);
    let open = |name: String| Asked::Till(TillCommand::OpenOutlet { operator: OPERATOR, name });
    let correct = |reason: String| {
        let (debit, credit) = (AccountId::Card(CardId(0)), AccountId::Refunded(OPERATOR));
        let proposal = Box::new(Proposal::Adjust { debit, credit, amount: minor(1), reason });
        Asked::Motion(MotionCommand::Propose { operator: OPERATOR, proposal })
    };
    for bad in [
        '\0', '\n', '\u{7F}', '\u{85}', '\u{61C}', '\u{200E}', '\u{200F}', '\u{2028}', '\u{2029}', '\u{202A}',
        '\u{202E}', '\u{2066}', '\u{2069}',
    ] {
        let text = format!("post{bad}office");
        let name = Outcome::Refused(OfficeRefusal::NameMalformed.into());
        assert_eq!(answer(&mut stage.world, open(text.clone())), name, "{bad:?}");
        let reason = Outcome::Refused(OfficeRefusal::ReasonMalformed.into());
        assert_eq!(answer(&mut stage.world, correct(text)), reason, "{bad:?}");
    }
    for fine in ["우체국", "post office 2", "o\u{200B}k"] {
        assert!(matches!(answer(&mut stage.world, open(String::from(fine))), Outcome::Done(_)), "{fine}");
    }
}
