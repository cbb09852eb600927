//! The office's answers and what it keeps, one line of JSON each.

use std::num::NonZeroU32;

use domain::account::AccountId;
use domain::card::Voiding;
use domain::currency::Currency;
use domain::ids::{BatchId, CardId, Language, OperatorId, OutletId, Serial, Staff, SubscriberId};
use domain::money::Amount;
use domain::number::Msisdn;
use domain::office::batch::{Batch, Stage};
use domain::office::call::Call;
use domain::office::done::OfficeDone;
use domain::office::hold::{HeldGift, Hold, HoldBack};
use domain::office::issued::Issued;
use domain::office::motion::{Motion, Proposal, Reversal, Reversed};
use domain::office::till::{Goods, Outlet, Quote, Rate, Rates, Taken, Takings};
use domain::office::{Record, RecordKind, VoidCards};
use domain::receipt::Seq;
use domain::rules::tariff::{Ratio, Tariff};
use domain::time::Timestamp;
use expect_test::expect;

use super::office::{done_json, record_json};
use super::tests::{at, day, lines, names};

const OPERATOR: OperatorId = OperatorId(0);
const RATIO: Ratio = Ratio { numerator: 23, denominator: 25 };

fn amount(minor: i64) -> Amount {
    Amount::try_new(minor).expect("positive")
}

#[test]
fn everything_that_the_office_does() {
    let cards = Goods::Cards { first: Serial(1), count: 2 };
    let number = |digits: &str| Msisdn::parse(digits).expect("a number");
    let gift = HeldGift {
        hold: Seq(9),
        operator: OPERATOR,
        from: number("8501911000001"),
        to: number("8501911000002"),
        amount: amount(500),
        occasion: Some(1),
    };
    let (currency, expires_at) = (Currency::Eur, at());
    let done = [
        OfficeDone::BatchStarted { batch: BatchId(NonZeroU32::MIN) },
        OfficeDone::CardsMade { first: Serial(1), count: 999 },
        OfficeDone::BatchSealed { cards: 1_000 },
        OfficeDone::BatchAbandoned,
        OfficeDone::Stocked { count: 10 },
        OfficeDone::OutletOpened { outlet: OutletId(1) },
        OfficeDone::FloatChanged { float_minor: 5 },
        OfficeDone::Quoted { quote: Seq(7), currency, price_minor: 920, value_minor: 1_000, ratio: RATIO, expires_at },
        OfficeDone::Sold {
            goods: cards,
            outlet: OutletId(1),
            currency,
            price_minor: 920,
            value_minor: 1_000,
            ratio: RATIO,
            float_minor: 80,
        },
        OfficeDone::Refunded { currency, price_minor: 460 },
        OfficeDone::Merged { balance_minor: 1_000 },
        OfficeDone::PaidOut { currency, paid_minor: 230, value_minor: 250 },
        OfficeDone::CallReserved { call: Seq(8), granted_s: 600, free_minutes: 2, held_minor: 32, expires_at },
        OfficeDone::CallCharged { charged_minor: 8, free_minutes: 0, airtime_minor: 192 },
        OfficeDone::Proposed { motion: Seq(9), hash: [0xAB; 32] },
        OfficeDone::Approved { motion: Seq(9), moved_minor: 184 },
        OfficeDone::MotionWithdrawn,
        OfficeDone::HoldPosted { gift, language: Language::English },
        OfficeDone::HoldVoided { gift, balance_minor: 500, why: HoldBack::RecipientUnknown },
        OfficeDone::Dropped { kind: RecordKind::Quote },
        OfficeDone::IssuanceStopped,
        OfficeDone::IssuanceResumed,
    ];
    expect![[r#"
        {"batch":1,"name":"batch-started"}
        {"count":999,"first":"00000001","name":"cards-made"}
        {"cards":1000,"name":"batch-sealed"}
        {"name":"batch-abandoned"}
        {"count":10,"name":"stocked"}
        {"name":"outlet-opened","outlet":1}
        {"float_minor":5,"name":"float-changed"}
        {"currency":"EUR","expires_at":"2026-11-22T10:00:00.000Z","name":"quoted","price_minor":920,"quote":7,"ratio":"23/25","value_minor":1000}
        {"currency":"EUR","float_minor":80,"goods":{"count":2,"first":"00000001","name":"cards"},"name":"sold","outlet":1,"price_minor":920,"ratio":"23/25","value_minor":1000}
        {"currency":"EUR","name":"refunded","price_minor":460}
        {"balance_minor":1000,"name":"merged"}
        {"currency":"EUR","name":"paid-out","paid_minor":230,"value_minor":250}
        {"call":8,"expires_at":"2026-11-22T10:00:00.000Z","free_minutes":2,"granted_s":600,"held_minor":32,"name":"call-reserved"}
        {"airtime_minor":192,"charged_minor":8,"free_minutes":0,"name":"call-charged"}
        {"hash":"abababababababababababababababababababababababababababababababab","motion":9,"name":"proposed"}
        {"motion":9,"moved_minor":184,"name":"approved"}
        {"name":"motion-withdrawn"}
        {"gift":{"amount_minor":500,"from":"8501911000001","occasion":1,"receipt":"9-D3","seq":9,"to":"8501911000002"},"language":"en","name":"hold-posted"}
        {"balance_minor":500,"gift":{"amount_minor":500,"from":"8501911000001","occasion":1,"receipt":"9-D3","seq":9,"to":"8501911000002"},"name":"hold-voided","why":"recipient-unknown"}
        {"kind":"quote","name":"dropped"}
        {"name":"issuance-stopped"}
        {"name":"issuance-resumed"}
    "#]].assert_eq(&lines(done.iter().map(done_json)));
}

fn motion(proposal: Proposal) -> Record {
    let mut motion = Motion::new(OPERATOR, Staff(1_000), proposal, at());
    // What is hashed may get more fields; the hash of a motion is another test's.
    motion.hash = [0xCD; 32];
    Record::Motion(Box::new(motion))
}

fn hold() -> Hold {
    Hold {
        operator: OPERATOR,
        sender: SubscriberId(4),
        recipient: SubscriberId(5),
        card: CardId(0),
        amount: amount(500),
        fee_minor: 4,
        tax_minor: 0,
        occasion: None,
        usage: Vec::new(),
        expires_at: at(),
    }
}

fn call() -> Call {
    Call {
        operator: OPERATOR,
        subscriber: SubscriberId(4),
        cross: true,
        tariff: Tariff { minute_price: amount(4), cross_network: Ratio { numerator: 3, denominator: 2 } },
        granted_s: 600,
        free_minutes: 0,
        free: None,
        held_minor: 60,
        expires_at: at(),
    }
}

#[test]
fn everything_that_the_office_keeps() {
    let rate = Rate { from: Timestamp::MIN, until: Some(at()), ratio: RATIO };
    let (currency, expires_at, outlet) = (Currency::Usd, at(), OutletId(1));
    let goods = Goods::Reload { serial: Serial(3), value: amount(250) };
    let (price, value) = (amount(250), amount(250));
    let reversal = Reversal {
        of: Seq(41),
        card: CardId(0),
        sender: SubscriberId(4),
        recipient: SubscriberId(5),
        amount: amount(200),
        reason: String::from("one digit wrong"),
        given_at: at(),
    };
    let batch = Batch {
        operator: OPERATOR,
        value: amount(500),
        ordered: 10,
        made: 10,
        stage: Stage::Sealed { file_hash: [0xEF; 32] },
        runs: vec![(Serial(1), 10)],
    };
    let fee = AccountId::FeeIncome(OPERATOR);
    let reason = String::from("fee taken twice");
    let records = [
        Record::Outlet(Outlet { operator: OPERATOR, name: String::from("광복백화점"), since: at() }),
        Record::Batch(batch),
        Record::Rates(Rates { list: vec![rate] }),
        Record::Quote(Quote { outlet, currency, goods, price, value, ratio: Ratio::ONE, expires_at }),
        motion(Proposal::Rate { currency, rate }),
        motion(Proposal::Close { period: String::from("end"), from: Timestamp::MIN, cards_void: true }),
        motion(Proposal::VoidCards { first: Serial(1), last: Serial(9), why: Voiding::Lost }),
        motion(Proposal::Reverse(reversal)),
        motion(Proposal::Adjust { debit: fee, credit: AccountId::Card(CardId(2)), amount: amount(5), reason }),
        Record::Hold(hold()),
        Record::Call(call()),
        Record::VoidCards(VoidCards { last: Serial(9), at: at(), why: Voiding::Faulty }),
        Record::Reversed(Reversed { by: Seq(59), until: expires_at }),
        Record::Stopped(String::from("counting")),
        Record::Takings(Takings { list: vec![Taken { outlet, price }] }),
        Record::Issued(Issued { date: day(), total_minor: 500 }),
    ];
    expect![[r#"
        {"name":"광복백화점","operator":{"id":0,"name":"koryolink"},"since":"2026-11-22T10:00:00.000Z"}
        {"file_hash":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","made":10,"operator":{"id":0,"name":"koryolink"},"ordered":10,"runs":[{"count":10,"first":"00000001"}],"stage":"sealed","value_minor":500}
        [{"from":"approval","ratio":"23/25","until":"2026-11-22T10:00:00.000Z"}]
        {"currency":"USD","expires_at":"2026-11-22T10:00:00.000Z","goods":{"name":"reload","serial":"00000003","value_minor":250},"outlet":1,"price_minor":250,"ratio":"1/1","value_minor":250}
        {"expires_at":"2026-11-29T10:00:00.000Z","hash":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","maker":1000,"operator":{"id":0,"name":"koryolink"},"proposal":{"currency":"USD","name":"rate","rate":{"from":"approval","ratio":"23/25","until":"2026-11-22T10:00:00.000Z"}}}
        {"expires_at":"2026-11-29T10:00:00.000Z","hash":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","maker":1000,"operator":{"id":0,"name":"koryolink"},"proposal":{"cards_void":true,"from":"approval","name":"close","period":"end"}}
        {"expires_at":"2026-11-29T10:00:00.000Z","hash":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","maker":1000,"operator":{"id":0,"name":"koryolink"},"proposal":{"first":"00000001","last":"00000009","name":"void-cards","why":"lost"}}
        {"expires_at":"2026-11-29T10:00:00.000Z","hash":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","maker":1000,"operator":{"id":0,"name":"koryolink"},"proposal":{"amount_minor":200,"card":"00000001","given_at":"2026-11-22T10:00:00.000Z","name":"reverse","of":41,"reason":"one digit wrong","receipt":"19-KW","recipient":5,"sender":4}}
        {"expires_at":"2026-11-29T10:00:00.000Z","hash":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","maker":1000,"operator":{"id":0,"name":"koryolink"},"proposal":{"amount_minor":5,"credit":{"kind":"card","serial":"00000003"},"debit":{"kind":"fee-income","operator":0},"name":"adjust","reason":"fee taken twice"}}
        {"amount_minor":500,"expires_at":"2026-11-22T10:00:00.000Z","fee_minor":4,"occasion":null,"operator":{"id":0,"name":"koryolink"},"recipient":5,"sender":4,"serial":"00000001","tax_minor":0}
        {"cross":true,"expires_at":"2026-11-22T10:00:00.000Z","free_minutes":0,"granted_s":600,"held_minor":60,"minute_price_minor":4,"operator":{"id":0,"name":"koryolink"},"subscriber":4}
        {"at":"2026-11-22T10:00:00.000Z","last":"00000009","why":"faulty"}
        {"by":59,"receipt":"1V-DQ","until":"2026-11-22T10:00:00.000Z"}
        {"why":"counting"}
        {"outlets":[{"outlet":1,"price_minor":250}]}
        {"date":"2026-11-22","total_minor":500}
    "#]].assert_eq(&lines(records.iter().map(|record| record_json(record, &names()))));
}
