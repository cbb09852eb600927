//! Every refusal of the office, each in the shortest story that leads to it.
//!
//! [`place`] has a number for each, so that a new one does not compile before it has one, and the test fails before a story
//! has led to it.

use std::collections::BTreeSet;

use super::desk::{answer, done, rate, resolve, sold, stocked, to_print};
use super::script::{SECOND, STAFF, Stage, number, play};
use crate::account::AccountId;
use crate::card::Voiding;
use crate::command::Body;
use crate::currency::Currency;
use crate::ids::{BatchId, CardId, OperatorId, OutletId, Serial, SubscriberId};
use crate::money::Amount;
use crate::office::batch::BatchCommand;
use crate::office::call::CallCommand;
use crate::office::ceiling::Ceiling;
use crate::office::done::OfficeDone;
use crate::office::motion::{MotionCommand, Proposal, Reversal, reversible_until};
use crate::office::refusal::OfficeRefusal;
use crate::office::till::{Goods, Rate, TillCommand};
use crate::office::{Asked, RecordKey, RecordKind};
use crate::receipt::Seq;
use crate::refusal::Refusal;
use crate::rules::tariff::Ratio;
use crate::testing::{PASSWORD, asked, minor};
use crate::time::Timestamp;
use crate::verdict::Outcome;

const OPERATOR: OperatorId = OperatorId(0);
/// How many there are.
const REFUSALS: usize = 45;

const fn place(refusal: &OfficeRefusal) -> usize {
    match refusal {
        OfficeRefusal::BatchUnknown => 0,
        OfficeRefusal::BatchSealed => 1,
        OfficeRefusal::BatchAbandoned => 2,
        OfficeRefusal::BatchIncomplete { .. } => 3,
        OfficeRefusal::BatchFull { .. } => 4,
        OfficeRefusal::NameMalformed => 5,
        OfficeRefusal::NameTaken => 6,
        OfficeRefusal::OutletUnknown => 7,
        OfficeRefusal::FloatShort { .. } => 8,
        OfficeRefusal::RateUnknown { .. } => 9,
        OfficeRefusal::RateZero => 10,
        OfficeRefusal::RatesOverlap { .. } => 11,
        OfficeRefusal::EndsBeforeItBegins => 12,
        OfficeRefusal::RewritesPast { .. } => 13,
        OfficeRefusal::QuoteUnknown => 14,
        OfficeRefusal::QuoteExpired { .. } => 15,
        OfficeRefusal::CardSold { .. } => 16,
        OfficeRefusal::CardNotForSale { .. } => 17,
        OfficeRefusal::CardNotBought => 18,
        OfficeRefusal::NotSoldToday => 19,
        OfficeRefusal::CurrenciesDiffer => 20,
        OfficeRefusal::HoldersDiffer => 21,
        OfficeRefusal::CardNotVoid => 22,
        OfficeRefusal::CallUnknown => 23,
        OfficeRefusal::CallBeyondGrant { .. } => 24,
        OfficeRefusal::SecondsOutOfRange { .. } => 25,
        OfficeRefusal::AirtimeShort { .. } => 26,
        OfficeRefusal::MotionUnknown => 27,
        OfficeRefusal::OwnMotion => 28,
        OfficeRefusal::HashDiffers => 29,
        OfficeRefusal::AlreadyReversed { .. } => 30,
        OfficeRefusal::NotAGift => 31,
        OfficeRefusal::NothingLeft => 32,
        OfficeRefusal::ReasonMalformed => 33,
        OfficeRefusal::AccountsDontFit => 34,
        OfficeRefusal::BalanceShort { .. } => 35,
        OfficeRefusal::RangeOverlaps { .. } => 36,
        OfficeRefusal::RangeMalformed => 37,
        OfficeRefusal::IssuanceStopped { .. } => 38,
        OfficeRefusal::RoleForbids { .. } => 39,
        OfficeRefusal::CardValueMax { .. } => 40,
        OfficeRefusal::IssuedPerDayMax { .. } => 41,
        OfficeRefusal::FloatMax { .. } => 42,
        OfficeRefusal::TooLateToReverse { .. } => 43,
        OfficeRefusal::CeilingReached { .. } => 44,
    }
}

/// A story, and the refusals that it met.
struct Story {
    stage: Stage,
    met: BTreeSet<usize>,
}

impl Story {
    fn new(script: &str) -> Self {
        Self { stage: play(script), met: BTreeSet::new() }
    }

    #[track_caller]
    fn met(&mut self, outcome: Outcome) -> OfficeRefusal {
        let Outcome::Refused(Refusal::Office(refusal)) = outcome else { panic!("{outcome:?}") };
        self.met.insert(place(&refusal));
        *refusal
    }

    /// What the office says no to.
    #[track_caller]
    fn no(&mut self, what: Asked) -> OfficeRefusal {
        let outcome = answer(&mut self.stage.world, what);
        self.met(outcome)
    }

    #[track_caller]
    fn yes(&mut self, what: Asked) -> OfficeDone {
        done(&mut self.stage.world, what)
    }

    fn later_s(&mut self, s: i64) -> Timestamp {
        self.stage.world.at = self.stage.world.at.plus_s(s);
        self.stage.world.at
    }
}

const fn batch(number: u32) -> BatchId {
    BatchId::try_new(number).expect("not 0")
}

fn propose(proposal: Proposal) -> Asked {
    Asked::Motion(MotionCommand::Propose { operator: OPERATOR, proposal: Box::new(proposal) })
}

fn quote(outlet: OutletId, currency: Currency, first: u32) -> Asked {
    let goods = Goods::Cards { first: Serial(first), count: 1 };
    Asked::Till(TillCommand::Quote { outlet, currency, goods })
}

fn batches() -> BTreeSet<usize> {
    let mut story = Story::new("test from 2020-06-01\n191…001 is known since 2020-01-01");
    let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered: 2 };
    let make = |story: &Story, number: u32, cards: u64| {
        let first = u64::from(number) * 100;
        let made = |n| to_print(&story.stage.world, OPERATOR, first + n, PASSWORD);
        Asked::Batch(BatchCommand::Make { batch: batch(number), cards: (0..cards).map(made).collect() })
    };
    let seal = Asked::Batch(BatchCommand::Seal { batch: batch(1), file_hash: [1; 32] });
    let some = make(&story, 1, 1);
    assert_eq!(story.no(some), OfficeRefusal::BatchUnknown);
    story.yes(Asked::Batch(start.clone()));
    let too_many = make(&story, 1, 3);
    assert_eq!(story.no(too_many), OfficeRefusal::BatchFull { room: 2 });
    assert_eq!(story.no(seal.clone()), OfficeRefusal::BatchIncomplete { missing: 2 });
    let both = make(&story, 1, 2);
    story.yes(both);
    // Until it is sealed nobody can bind one: it reads as a wrong password.
    story.stage.line("191…001 binds card-1", &[]);
    let bound = story.stage.outcome.clone();
    assert!(matches!(bound, Some(Outcome::Refused(Refusal::WrongPassword { .. }))), "{bound:?}");
    story.yes(seal.clone());
    assert_eq!(story.no(seal), OfficeRefusal::BatchSealed);
    let again = make(&story, 1, 1);
    assert_eq!(story.no(again), OfficeRefusal::BatchSealed, "a second export");
    story.yes(Asked::Batch(start));
    story.yes(Asked::Batch(BatchCommand::Abandon { batch: batch(2) }));
    let gone = make(&story, 2, 1);
    assert_eq!(story.no(gone), OfficeRefusal::BatchAbandoned);
    story.met
}

fn outlets() -> BTreeSet<usize> {
    let mut story = Story::new("test from 2020-06-01");
    let open = |name: &str| Asked::Till(TillCommand::OpenOutlet { operator: OPERATOR, name: String::from(name) });
    for name in ["", "  ", "a\nb", &"가".repeat(41)] {
        assert_eq!(story.no(open(name)), OfficeRefusal::NameMalformed, "{name:?}");
    }
    story.yes(open("post office"));
    assert_eq!(story.no(open(" post office ")), OfficeRefusal::NameTaken);
    let (currency, outlet) = (Currency::Usd, OutletId(1));
    let nobody = TillCommand::Deposit { outlet: OutletId(2), currency, amount: minor(1) };
    assert_eq!(story.no(Asked::Till(nobody)), OfficeRefusal::OutletUnknown);
    story.yes(Asked::Till(TillCommand::Deposit { outlet, currency, amount: minor(100) }));
    let too_much = TillCommand::Withdraw { outlet, currency, amount: minor(101) };
    assert_eq!(story.no(Asked::Till(too_much)), OfficeRefusal::FloatShort { short_by_minor: 1 });
    story.yes(Asked::Till(TillCommand::Withdraw { outlet, currency, amount: minor(100) }));
    story.met
}

fn rates() -> BTreeSet<usize> {
    let mut story = Story::new("test from 2020-06-01");
    let now = story.stage.world.at;
    let dated = |from: i64, until: Option<i64>, numerator: u32| {
        let ratio = Ratio { numerator, denominator: 1 };
        let rate = Rate { from: now.plus_s(from), until: until.map(|s| now.plus_s(s)), ratio };
        Proposal::Rate { currency: Currency::Kpw, rate }
    };
    assert_eq!(story.no(propose(dated(0, None, 0))), OfficeRefusal::RateZero);
    assert_eq!(story.no(propose(dated(10, Some(10), 1))), OfficeRefusal::EndsBeforeItBegins);
    let past = OfficeRefusal::RewritesPast { what: String::from("KPW"), now };
    assert_eq!(story.no(propose(dated(-1, None, 1))), past);
    resolve(&mut story.stage.world, OPERATOR, dated(100, Some(200), 7_500));
    for (from, until) in [(100, None), (150, None), (50, Some(101))] {
        let clash = OfficeRefusal::RatesOverlap { from: now.plus_s(100) };
        assert_eq!(story.no(propose(dated(from, until, 8_000))), clash, "{from} {until:?}");
    }
    // Dated: before the first, while it holds, after it.
    let (outlet, first) = stocked(&mut story.stage.world, OPERATOR, 500, 1);
    let none = OfficeRefusal::RateUnknown { currency: Currency::Kpw };
    assert_eq!(story.no(quote(outlet, Currency::Kpw, first.0)), none);
    story.later_s(150);
    let quoted = story.yes(quote(outlet, Currency::Kpw, first.0));
    assert!(matches!(quoted, OfficeDone::Quoted { price_minor: 3_750_000, .. }), "{quoted:?}");
    story.later_s(50);
    assert_eq!(story.no(quote(outlet, Currency::Kpw, first.0)), none);
    story.met
}

fn sales() -> BTreeSet<usize> {
    let mut story = Story::new(
        "test from 2020-06-01
         191…001 is known since 2020-01-01
         191…002 is known since 2020-01-01",
    );
    resolve(&mut story.stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    resolve(&mut story.stage.world, OPERATOR, rate(Currency::Cny, 6, 1));
    let (outlet, _) = stocked(&mut story.stage.world, OPERATOR, 500, 8);
    assert_eq!(story.no(Asked::Till(TillCommand::Sell { quote: Seq(1) })), OfficeRefusal::QuoteUnknown);
    let quoted = |story: &mut Story, first| match story.yes(quote(outlet, Currency::Usd, first)) {
        OfficeDone::Quoted { quote, .. } => Asked::Till(TillCommand::Sell { quote }),
        other => panic!("{other:?}"),
    };
    // Both are promised the same card; it is sold once.
    let (one, other) = (quoted(&mut story, 1), quoted(&mut story, 1));
    story.yes(one.clone());
    assert_eq!(story.no(one), OfficeRefusal::QuoteUnknown, "a quote is used once");
    assert_eq!(story.no(other), OfficeRefusal::CardSold { serial: Serial(1) });
    let late = quoted(&mut story, 2);
    let at = story.later_s(900);
    assert_eq!(story.no(late), OfficeRefusal::QuoteExpired { at });
    let refund = |serial| Asked::Till(TillCommand::Refund { serial: Serial(serial) });
    story.yes(refund(1));
    let void = OfficeRefusal::CardNotForSale { serial: Serial(1), state: String::from("void") };
    assert_eq!(story.no(quote(outlet, Currency::Usd, 1)), void);
    assert_eq!(story.no(refund(2)), OfficeRefusal::CardNotBought);
    for serial in 2..=4 {
        let currency = if serial == 4 { Currency::Cny } else { Currency::Usd };
        sold(&mut story.stage.world, outlet, currency, Serial(serial));
    }
    story.later_s(86_400);
    assert_eq!(story.no(refund(2)), OfficeRefusal::NotSoldToday);
    let pay_out = |serial| Asked::Till(TillCommand::PayOut { serial: Serial(serial) });
    assert_eq!(story.no(pay_out(2)), OfficeRefusal::CardNotVoid);
    for (who, card) in [("191…001", 2), ("191…002", 3), ("191…001", 4)] {
        story.stage.line(&format!("{who} binds card-{card}"), &[]);
    }
    let merge = |from, into| Asked::Till(TillCommand::Merge { from: Serial(from), into: Serial(into) });
    assert_eq!(story.no(merge(2, 3)), OfficeRefusal::HoldersDiffer);
    assert_eq!(story.no(merge(2, 2)), OfficeRefusal::HoldersDiffer);
    assert_eq!(story.no(merge(2, 4)), OfficeRefusal::CurrenciesDiffer);
    let goods = Goods::Reload { serial: Serial(2), value: minor(500) };
    let reload = TillCommand::Quote { outlet, currency: Currency::Cny, goods };
    assert_eq!(story.no(Asked::Till(reload)), OfficeRefusal::CurrenciesDiffer);
    // All of it given away, and then void: nothing is owed.
    story.stage.line("191…002 gives 500 to 191…001", &[]);
    let why = Voiding::Lost;
    resolve(&mut story.stage.world, OPERATOR, Proposal::VoidCards { first: Serial(3), last: Serial(3), why });
    assert_eq!(story.no(pay_out(3)), OfficeRefusal::NothingLeft);
    story.met
}

fn calls() -> BTreeSet<usize> {
    let mut story = Story::new(
        "test from 2020-06-01
         191…001 has a card with 1000",
    );
    let msisdn = number("191…001").expect("a number");
    let reserve = |seconds| Asked::Call(CallCommand::Reserve { msisdn, cross: false, seconds });
    let consume = |seconds| Asked::Call(CallCommand::Consume { msisdn, cross: false, seconds });
    for seconds in [0, 86_401] {
        let out = OfficeRefusal::SecondsOutOfRange { max: 86_400 };
        assert_eq!(story.no(reserve(seconds)), out);
        assert_eq!(story.no(consume(seconds)), out);
    }
    assert!(matches!(story.no(reserve(60)), OfficeRefusal::AirtimeShort { .. }));
    assert!(matches!(story.no(consume(60)), OfficeRefusal::AirtimeShort { .. }));
    story.stage.line("191…001 tops up 100", &[]);
    let OfficeDone::CallReserved { call, granted_s, .. } = story.yes(reserve(120)) else { panic!("a call") };
    let commit = |seconds| Asked::Call(CallCommand::Commit { call, seconds });
    assert_eq!(story.no(commit(granted_s + 1)), OfficeRefusal::CallBeyondGrant { granted_s });
    story.yes(commit(granted_s));
    assert_eq!(story.no(commit(1)), OfficeRefusal::CallUnknown, "it is paid once");
    assert_eq!(story.no(Asked::Call(CallCommand::Release { call })), OfficeRefusal::CallUnknown);
    story.met
}

fn motions() -> BTreeSet<usize> {
    let mut story = Story::new("test from 2020-06-01");
    let approve = |motion, hash| Asked::Motion(MotionCommand::Approve { motion, hash });
    assert_eq!(story.no(approve(Seq(1), [0; 32])), OfficeRefusal::MotionUnknown);
    let proposed = story.yes(propose(rate(Currency::Usd, 1, 1)));
    let OfficeDone::Proposed { motion, hash } = proposed else { panic!("{proposed:?}") };
    assert_eq!(story.no(approve(motion, hash)), OfficeRefusal::OwnMotion);
    let by_second = |story: &mut Story, what: Asked| story.stage.world.act(&asked(SECOND, what)).outcome;
    let other = by_second(&mut story, approve(motion, [0; 32]));
    assert_eq!(story.met(other), OfficeRefusal::HashDiffers);
    assert!(matches!(by_second(&mut story, approve(motion, hash)), Outcome::Done(_)));
    let again = by_second(&mut story, approve(motion, hash));
    assert_eq!(story.met(again), OfficeRefusal::MotionUnknown);
    // What was right when it was proposed is looked at once more: meanwhile it lies in the past.
    let soon = Rate { from: story.stage.world.at.plus_s(5), until: None, ratio: Ratio::ONE };
    let late = story.yes(propose(Proposal::Rate { currency: Currency::Eur, rate: soon }));
    let OfficeDone::Proposed { motion, hash } = late else { panic!("{late:?}") };
    story.later_s(6);
    let late = by_second(&mut story, approve(motion, hash));
    assert!(matches!(story.met(late), OfficeRefusal::RewritesPast { .. }));
    story.later_s(7 * 86_400);
    let expired = by_second(&mut story, approve(motion, hash));
    assert_eq!(story.met(expired), OfficeRefusal::MotionUnknown);
    story.met
}

fn reversals() -> BTreeSet<usize> {
    let mut story = Story::new(
        "test from 2020-06-01
         191…001 has a card with 1000
         191…002 is known since 2020-01-01
         191…001 gives 300 to 191…002",
    );
    let of = story.stage.world.state.seq();
    let given_at = story.stage.world.at;
    let reversal = |of: Seq, reason: &str| {
        let (sender, recipient) = (SubscriberId(0), SubscriberId(1));
        let (card, amount, reason) = (CardId(0), minor(300), String::from(reason));
        Proposal::Reverse(Reversal { of, card, sender, recipient, amount, reason, given_at })
    };
    assert_eq!(story.no(propose(reversal(of, " "))), OfficeRefusal::ReasonMalformed);
    assert_eq!(story.no(propose(reversal(of, &"x".repeat(201)))), OfficeRefusal::ReasonMalformed);
    assert_eq!(story.no(propose(reversal(Seq(of.0 + 9), "typo"))), OfficeRefusal::NotAGift);
    let fee = AccountId::FeeIncome(OPERATOR);
    let adjust = |debit, credit, minor| {
        let (amount, reason) = (Amount::try_new(minor).expect("positive"), String::from("counted again"));
        Proposal::Adjust { debit, credit, amount, reason }
    };
    let airtime = AccountId::Airtime(SubscriberId(1));
    for (debit, credit) in
        [(fee, fee), (fee, AccountId::Cash(OPERATOR, Currency::Usd)), (AccountId::Held(OPERATOR), fee)]
    {
        assert_eq!(story.no(propose(adjust(debit, credit, 1))), OfficeRefusal::AccountsDontFit);
    }
    let short = OfficeRefusal::BalanceShort { short_by_minor: 1 };
    assert_eq!(story.no(propose(adjust(airtime, fee, 301))), short);
    resolve(&mut story.stage.world, OPERATOR, reversal(of, "one digit wrong"));
    let by = story.stage.world.state.seq();
    assert_eq!(story.no(propose(reversal(of, "once more"))), OfficeRefusal::AlreadyReversed { by });
    assert_eq!(story.no(propose(reversal(Seq(of.0 - 1), "typo"))), OfficeRefusal::NothingLeft);
    // It is remembered as long as anybody could take it back, and then forgotten.
    let key = RecordKey::made_by(RecordKind::Reversed, of);
    let since = reversible_until(given_at);
    story.stage.world.at = since.plus_ms(-1);
    assert_eq!(story.no(propose(reversal(of, "once more"))), OfficeRefusal::AlreadyReversed { by });
    assert!(matches!(story.stage.world.act(&Body::Due(key)).outcome, Outcome::Refused(Refusal::NothingToChange)));
    story.stage.world.at = since;
    assert!(matches!(story.stage.world.act(&Body::Due(key)).outcome, Outcome::Done(_)));
    assert_eq!(story.stage.world.state.record(key), None);
    assert_eq!(story.no(propose(reversal(of, "once more"))), OfficeRefusal::TooLateToReverse { since });
    story.met
}

fn ranges() -> BTreeSet<usize> {
    let mut story = Story::new("test from 2020-06-01");
    resolve(&mut story.stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let (outlet, _) = stocked(&mut story.stage.world, OPERATOR, 500, 1_500);
    let void = |first, last| {
        let (first, last, why) = (Serial(first), Serial(last), Voiding::Ordered);
        Proposal::VoidCards { first, last, why }
    };
    for (first, last) in [(2, 1), (0, 5), (1_499, 1_501)] {
        assert_eq!(story.no(propose(void(first, last))), OfficeRefusal::RangeMalformed, "{first} {last}");
    }
    resolve(&mut story.stage.world, OPERATOR, void(1, 1_200));
    let overlap = OfficeRefusal::RangeOverlaps { first: Serial(1), last: Serial(1_200) };
    assert_eq!(story.no(propose(void(1_200, 1_300))), overlap);
    let not_for_sale = OfficeRefusal::CardNotForSale { serial: Serial(700), state: String::from("void") };
    assert_eq!(story.no(quote(outlet, Currency::Usd, 700)), not_for_sale);
    story.yes(quote(outlet, Currency::Usd, 1_201));
    story.met
}

fn issuance() -> BTreeSet<usize> {
    let mut story = Story::new("test from 2020-06-01");
    resolve(&mut story.stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let (outlet, first) = stocked(&mut story.stage.world, OPERATOR, 500, 1);
    let quoted = story.yes(quote(outlet, Currency::Usd, first.0));
    let OfficeDone::Quoted { quote: promised, .. } = quoted else { panic!("{quoted:?}") };
    let stop = |why: &str| Asked::StopIssuance { operator: OPERATOR, why: String::from(why) };
    assert_eq!(story.no(stop("")), OfficeRefusal::ReasonMalformed);
    story.yes(stop("cash of outlet 1 is short"));
    let stopped = OfficeRefusal::IssuanceStopped { why: String::from("cash of outlet 1 is short") };
    let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered: 2 };
    let sell = Asked::Till(TillCommand::Sell { quote: promised });
    for what in [Asked::Batch(start), quote(outlet, Currency::Usd, first.0), sell.clone()] {
        assert_eq!(story.no(what), stopped);
    }
    story.yes(Asked::ResumeIssuance { operator: OPERATOR });
    story.yes(sell);
    story.met
}

fn roles() -> BTreeSet<usize> {
    let mut story = Story::new(
        "test from 2020-06-01
         | staff 1000 care
         | staff 1001 network,finance
         | staff 1002 network",
    );
    let open = Asked::Till(TillCommand::OpenOutlet { operator: OPERATOR, name: String::from("post office") });
    let role = |name: &str| OfficeRefusal::RoleForbids { role: String::from(name) };
    assert_eq!(story.no(open.clone()), role("finance"));
    let close = Proposal::Close { period: String::from("end"), from: Timestamp::MIN, cards_void: false };
    assert_eq!(story.no(propose(close)), role("network"));
    assert!(matches!(story.stage.world.act(&asked(SECOND, open)).outcome, Outcome::Done(_)));
    // Who approves needs the role of who proposes.
    let proposed = story.stage.world.act(&asked(SECOND, propose(rate(Currency::Usd, 1, 1)))).outcome;
    let Outcome::Done(crate::verdict::Done::Office(proposed)) = proposed else { panic!("{proposed:?}") };
    let OfficeDone::Proposed { motion, hash } = *proposed else { panic!("{proposed:?}") };
    assert_eq!(story.no(Asked::Motion(MotionCommand::Approve { motion, hash })), role("finance"));
    assert_eq!(STAFF.0, 1000);
    story.met
}

/// Everything that issues stays below the ceilings of a card and of a day; a float has one too.
fn ceilings() -> BTreeSet<usize> {
    let mut story = Story::new(
        "test from 2020-06-01
         | standing card_value_max = 700
         | standing issued_per_day_max = 1000
         | standing cards_max = 4
         191…001 is known since 2020-01-01",
    );
    resolve(&mut story.stage.world, OPERATOR, rate(Currency::Usd, 1, 1));
    let card_max = OfficeRefusal::CardValueMax { max_minor: 700 };
    let start = BatchCommand::Start { operator: OPERATOR, value: minor(701), ordered: 1 };
    assert_eq!(story.no(Asked::Batch(start)), card_max);
    let start = BatchCommand::Start { operator: OPERATOR, value: minor(500), ordered: 5 };
    let cards_max = OfficeRefusal::CeilingReached { of: Ceiling::Cards, max: 4 };
    assert_eq!(story.no(Asked::Batch(start)), cards_max);
    let (outlet, _) = stocked(&mut story.stage.world, OPERATOR, 500, 3);
    sold(&mut story.stage.world, outlet, Currency::Usd, Serial(1));
    let reload = |value| {
        let goods = Goods::Reload { serial: Serial(1), value: minor(value) };
        Asked::Till(TillCommand::Quote { outlet, currency: Currency::Usd, goods })
    };
    assert_eq!(story.no(reload(201)), card_max);
    // Two quotes of what is left of the day: the second one comes too late.
    let promised = [reload(200), quote(outlet, Currency::Usd, 2)].map(|what| match story.yes(what) {
        OfficeDone::Quoted { quote, .. } => Asked::Till(TillCommand::Sell { quote }),
        other => panic!("{other:?}"),
    });
    let [first, second] = promised;
    story.yes(first);
    let until = story.stage.world.state.operator(OPERATOR).expect("an operator").date.plus_days(1);
    let day_max = OfficeRefusal::IssuedPerDayMax { left_minor: 300, until };
    assert_eq!(story.no(second), day_max);
    assert_eq!(story.no(quote(outlet, Currency::Usd, 2)), day_max);
    let adjust = |debit, credit, minor| {
        let reason = String::from("counted again");
        propose(Proposal::Adjust { debit, credit, amount: crate::testing::minor(minor), reason })
    };
    let (position, card) = (AccountId::Position(OPERATOR), AccountId::Card(CardId(0)));
    assert_eq!(story.no(adjust(position, card, 1)), card_max, "two people issue no more than one");
    assert_eq!(story.no(adjust(position, AccountId::Breakage(OPERATOR), 301)), day_max);
    story.yes(adjust(position, AccountId::Breakage(OPERATOR), 300));
    story.yes(Asked::StopIssuance { operator: OPERATOR, why: String::from("a test") });
    let stopped = story.no(adjust(position, AccountId::Breakage(OPERATOR), 1));
    assert!(matches!(stopped, OfficeRefusal::IssuanceStopped { .. }));
    let deposit = |minor| {
        let currency = Currency::Eur;
        Asked::Till(TillCommand::Deposit { outlet, currency, amount: crate::testing::minor(minor) })
    };
    // `stocked` has put 100,000,000 there.
    let room_minor = crate::office::till::FLOAT_MAX_MINOR - 100_000_000;
    assert_eq!(story.no(deposit(i64::MAX)), OfficeRefusal::FloatMax { room_minor });
    assert_eq!(story.no(deposit(room_minor + 1)), OfficeRefusal::FloatMax { room_minor });
    story.yes(deposit(room_minor));
    story.met
}

#[test]
fn every_refusal_of_the_office() {
    let stories = [
        batches(),
        outlets(),
        rates(),
        sales(),
        calls(),
        motions(),
        reversals(),
        ranges(),
        issuance(),
        roles(),
        ceilings(),
    ];
    let met: BTreeSet<usize> = stories.into_iter().flatten().collect();
    assert_eq!(met, (0..REFUSALS).collect(), "no story leads to those that are missing");
}

#[test]
fn a_price_that_no_number_holds_is_refused() {
    let mut story = Story::new("test from 2020-06-01");
    resolve(&mut story.stage.world, OPERATOR, rate(Currency::Kpw, u32::MAX, 1));
    let (outlet, first) = stocked(&mut story.stage.world, OPERATOR, 1_000_000_000_000, 1);
    let outcome = answer(&mut story.stage.world, quote(outlet, Currency::Kpw, first.0));
    assert_eq!(outcome, Outcome::Refused(Refusal::AmountOverflow));
}
