use std::collections::BTreeMap;
use std::sync::Arc;

use domain::account::{AccountId, Transfer};
use domain::card::{CardState, Voiding};
use domain::command::{
    Bind, Body, Caller, CardChange, ChangeCard, ChangePassword, ChangeSubscriber, Dialled, Gift, ImportSubscribers,
    IssueCards, LoadRules, NewCard, NewPassword, NewSubscriber, Proved, SetLanguage, SubscriberChange, TopUp,
};
use domain::effects::{BalanceAfter, Change, Effects, Named, UsageAfter};
use domain::id::{CommandId, UssdPrompt};
use domain::ids::{CardId, Language, LimitId, LinkId, OperatorId, OutletId, Serial, Staff, SubscriberId};
use domain::money::Amount;
use domain::number::{CardNumber, Imsi, Msisdn};
use domain::password::{PasswordTag, Proof};
use domain::receipt::Seq;
use domain::rules::Rules;
use domain::state::{CardFacts, Standing, SubscriberFacts};
use domain::time::{BusinessDate, Timestamp};
use domain::verdict::{Done, Entry, Outcome, Verdict};
use expect_test::expect;
use serde_json::Value;
use smallvec::smallvec;

use super::{Names, command, effects, entry_json};

const CARD_NUMBER: u64 = 4_539_578_763_621_486;

fn amount(minor: i64) -> Amount {
    Amount::try_new(minor).expect("positive")
}

fn msisdn(last: u64) -> Msisdn {
    Msisdn::try_new(8_501_911_000_000 + last).expect("a number")
}

fn tag() -> PasswordTag {
    PasswordTag::from_bytes([1, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
}

fn proof() -> Proof {
    Proof::Tags { current: tag(), older: None }
}

fn caller() -> Caller {
    let imsi = Imsi::parse("467051234567890").ok();
    Caller { operator: OperatorId(0), link: LinkId(3), msisdn: msisdn(1), imsi }
}

pub(super) fn at() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").expect("an instant")
}

pub(super) fn day() -> BusinessDate {
    BusinessDate::from_days(20_779)
}

/// With row numbers for its limits, as the decider gives them.
fn rules() -> Arc<Rules> {
    let mut rules = domain::testing::rules("koryolink");
    let limits = rules.periods.iter_mut().flat_map(|period| &mut period.limits);
    (0_u16..).zip(limits).for_each(|(row, limit)| limit.id = LimitId(row));
    Arc::new(rules)
}

fn operator() -> Change {
    Change::Operator { id: OperatorId(0), rules: rules(), file_hash: [0xAB; 32] }
}

fn entry(body: Body, outcome: Outcome, effects: Effects) -> Entry {
    let prompt = UssdPrompt { link: LinkId(3), caller: 1, session: b"s", reuse: 0, prompt: 0 };
    Entry { id: CommandId::ussd(&prompt), body, verdict: Verdict { outcome, effects } }
}

pub(super) fn names() -> Names {
    let load = Body::LoadRules(LoadRules { staff: Staff(0), rules: rules(), file_hash: [0xAB; 32], from: None });
    let done = Outcome::Done(Done::RulesLoaded { operator: OperatorId(0) });
    let mut names = Names::default();
    names.learn(&entry(load, done, Effects { changes: smallvec![operator()], ..Effects::default() }));
    names
}

/// Keys in order, whatever features `serde_json` was built with.
fn sorted(json: &Value) -> Value {
    match json {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.clone(),
    }
}

pub(super) fn lines(json: impl IntoIterator<Item = Value>) -> String {
    json.into_iter().map(|json| format!("{}\n", sorted(&json))).collect()
}

fn gift() -> Gift {
    Gift {
        caller: caller(),
        recipient: Dialled::Value(msisdn(2)),
        amount: Dialled::Value(amount(500)),
        proof: Proof::Tags { current: tag(), older: Some(tag()) },
        swapped: false,
        occasion: Some(1),
    }
}

#[test]
fn a_gift_is_shown_whole_and_without_its_secrets() {
    let (card, airtime) = (AccountId::Card(CardId(0)), AccountId::Airtime(SubscriberId(1)));
    let effects = Effects {
        operator: Some(OperatorId(0)),
        date: day(),
        transfers: smallvec![Transfer { debit: card, credit: airtime, amount: amount(500) }],
        balances: smallvec![
            BalanceAfter { account: card, after_minor: 500, prev: Seq(3) },
            BalanceAfter { account: airtime, after_minor: 500, prev: Seq(0) },
        ],
        others: smallvec![],
        usage: smallvec![UsageAfter { limit: LimitId(1), subject: 0, start: day(), count: 1, total_minor: 500 }],
        changes: smallvec![Change::Gave {
            sender: Named { subscriber: SubscriberId(0), prev: Seq(5) },
            recipient: Named { subscriber: SubscriberId(1), prev: Seq(2) },
            amount: amount(500),
        }],
    };
    let done = Outcome::Done(Done::Given { left_minor: 500, fee_minor: 0, language: Language::Korean });
    let json = entry_json(Seq(7), at(), &entry(Body::Gift(gift()), done, effects), &names());
    expect![[r#"
        {
          "at": "2026-11-22T10:00:00.000Z",
          "command": {
            "amount_minor": 500,
            "caller": {
              "imsi": "467051234567890",
              "link": 3,
              "msisdn": "8501911000001",
              "operator": {
                "id": 0,
                "name": "koryolink"
              }
            },
            "name": "gift",
            "occasion": 1,
            "proof": {
              "current": {
                "key": 1
              },
              "older": {
                "key": 1
              }
            },
            "recipient": "8501911000002",
            "swapped": false
          },
          "done": {
            "fee_minor": 0,
            "language": "ko",
            "left_minor": 500,
            "name": "given"
          },
          "effects": {
            "balances": [
              {
                "account": {
                  "kind": "card",
                  "serial": "00000001"
                },
                "after_minor": 500,
                "prev": 3
              },
              {
                "account": {
                  "kind": "airtime",
                  "subscriber": 1
                },
                "after_minor": 500,
                "prev": 0
              }
            ],
            "changes": [
              {
                "amount_minor": 500,
                "name": "gave",
                "recipient": 1,
                "sender": 0
              }
            ],
            "date": "2026-11-22",
            "named": [
              {
                "prev": 5,
                "subscriber": 0
              },
              {
                "prev": 2,
                "subscriber": 1
              }
            ],
            "operator": {
              "id": 0,
              "name": "koryolink"
            },
            "transfers": [
              {
                "amount_minor": 500,
                "credit": {
                  "kind": "airtime",
                  "subscriber": 1
                },
                "debit": {
                  "kind": "card",
                  "serial": "00000001"
                }
              }
            ],
            "usage": [
              {
                "count": 1,
                "limit": {
                  "id": 1,
                  "name": "one-a-day"
                },
                "start": "2026-11-22",
                "subject": {
                  "code": "0",
                  "kind": "sender",
                  "subscriber": 0
                },
                "total_minor": 500
              }
            ]
          },
          "id": "2df92289-5f9b-8028-9514-0e74960d6d0b",
          "id_kind": "ussd",
          "outcome": "done",
          "receipt": "7-6P",
          "seq": 7
        }"#]]
    .assert_eq(&format!("{:#}", sorted(&json)));
}

#[test]
fn every_command() {
    let proved = Proved { caller: caller(), proof: Proof::Malformed };
    let change_password = |new| Body::ChangePassword(ChangePassword { caller: caller(), old: proof(), new });
    let number = Dialled::Value(CardNumber::from_stored(CARD_NUMBER));
    let staff = Staff(1000);
    let malformed = Gift { recipient: Dialled::Malformed, amount: Dialled::Malformed, occasion: None, ..gift() };
    let new = NewSubscriber {
        msisdn: msisdn(1),
        imsi: caller().imsi,
        language: Some(Language::English),
        since: Some(at()),
        airtime: Some(amount(20)),
    };
    let bare = NewSubscriber { msisdn: msisdn(2), imsi: None, language: None, since: None, airtime: None };
    let card = NewCard { number: CardNumber::from_stored(CARD_NUMBER), tag: tag(), value: amount(1000) };
    let subscriber = |change| Body::ChangeSubscriber(ChangeSubscriber { staff, msisdn: msisdn(1), change });
    let change_card = |change| Body::ChangeCard(ChangeCard { staff, serial: Serial(1), change });
    let bodies = [
        Body::Gift(gift()),
        Body::Gift(malformed),
        Body::TopUp(TopUp { caller: caller(), amount: Dialled::Value(amount(5)), proof: proof() }),
        Body::ShowCards(proved),
        Body::ShowGifts(proved),
        change_password(NewPassword::Malformed),
        change_password(NewPassword::Differ),
        change_password(NewPassword::Trivial),
        change_password(NewPassword::Tag(tag())),
        Body::Freeze(proved),
        Body::Bind(Bind { caller: caller(), number, proof: proof(), holder_tag: Some(tag()) }),
        Body::Bind(Bind { caller: caller(), number: Dialled::Malformed, proof: proof(), holder_tag: None }),
        Body::Undo(proved),
        Body::SetLanguage(SetLanguage { caller: caller(), language: Language::English }),
        Body::LoadRules(LoadRules { staff, rules: rules(), file_hash: [0xAB; 32], from: None }),
        Body::ImportSubscribers(ImportSubscribers { staff, operator: OperatorId(0), subscribers: vec![new, bare] }),
        subscriber(SubscriberChange::Bar),
        subscriber(SubscriberChange::Unbar),
        subscriber(SubscriberChange::Unlock),
        subscriber(SubscriberChange::ChangeImsi(Imsi::parse("467051234567891").expect("an identity"))),
        subscriber(SubscriberChange::Release),
        subscriber(SubscriberChange::SetLanguage(Language::Korean)),
        Body::IssueCards(IssueCards { staff, operator: OperatorId(9), cards: vec![card] }),
        change_card(CardChange::Freeze),
        change_card(CardChange::Thaw),
        change_card(CardChange::Void(Voiding::Lost)),
        change_card(CardChange::Void(Voiding::Faulty)),
        change_card(CardChange::Void(Voiding::Ordered)),
        change_card(CardChange::UnblockBinding),
        Body::ExpireCard(CardId(0)),
    ];
    let shown = lines(bodies.iter().map(|body| command::json(body, &names())));
    assert!(!shown.contains(&CARD_NUMBER.to_string()), "a card number is never shown whole");
    expect![[r#"
        {"amount_minor":500,"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"gift","occasion":1,"proof":{"current":{"key":1},"older":{"key":1}},"recipient":"8501911000002","swapped":false}
        {"amount_minor":null,"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"gift","occasion":null,"proof":{"current":{"key":1},"older":{"key":1}},"recipient":null,"swapped":false}
        {"amount_minor":5,"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"top-up","proof":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"show-cards","proof":null}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"show-gifts","proof":null}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"change-password","new":{"kind":"malformed","tag":null},"old":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"change-password","new":{"kind":"differ","tag":null},"old":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"change-password","new":{"kind":"trivial","tag":null},"old":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"change-password","new":{"kind":"tag","tag":{"key":1}},"old":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"freeze","proof":null}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"holder_tag":{"key":1},"name":"bind","number":"…486","proof":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"holder_tag":null,"name":"bind","number":null,"proof":{"current":{"key":1},"older":null}}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"name":"undo","proof":null}
        {"caller":{"imsi":"467051234567890","link":3,"msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"}},"language":"en","name":"set-language"}
        {"from":null,"name":"load-rules","rules":{"file_hash":"abababababababababababababababababababababababababababababababab","operator":"koryolink","periods":["kp-2020-05","kp-2020-06","kp-2020-07","kp-2022"]},"staff":1000}
        {"name":"import-subscribers","operator":{"id":0,"name":"koryolink"},"staff":1000,"subscribers":[{"airtime_minor":20,"imsi":"467051234567890","language":"en","msisdn":"8501911000001","since":"2026-11-22T10:00:00.000Z"},{"airtime_minor":null,"imsi":null,"language":null,"msisdn":"8501911000002","since":null}]}
        {"change":{"name":"bar"},"msisdn":"8501911000001","name":"change-subscriber","staff":1000}
        {"change":{"name":"unbar"},"msisdn":"8501911000001","name":"change-subscriber","staff":1000}
        {"change":{"name":"unlock"},"msisdn":"8501911000001","name":"change-subscriber","staff":1000}
        {"change":{"imsi":"467051234567891","name":"change-imsi"},"msisdn":"8501911000001","name":"change-subscriber","staff":1000}
        {"change":{"name":"release"},"msisdn":"8501911000001","name":"change-subscriber","staff":1000}
        {"change":{"language":"ko","name":"set-language"},"msisdn":"8501911000001","name":"change-subscriber","staff":1000}
        {"cards":[{"number":"…486","tag":{"key":1},"value_minor":1000}],"name":"issue-cards","operator":{"id":9,"name":null},"staff":1000}
        {"change":{"name":"freeze"},"name":"change-card","serial":"00000001","staff":1000}
        {"change":{"name":"thaw"},"name":"change-card","serial":"00000001","staff":1000}
        {"change":{"name":"void","why":"lost"},"name":"change-card","serial":"00000001","staff":1000}
        {"change":{"name":"void","why":"faulty"},"name":"change-card","serial":"00000001","staff":1000}
        {"change":{"name":"void","why":"ordered"},"name":"change-card","serial":"00000001","staff":1000}
        {"change":{"name":"unblock"},"name":"change-card","serial":"00000001","staff":1000}
        {"name":"expire-card","serial":"00000001"}
    "#]].assert_eq(&shown);
}

#[test]
fn every_account_usage_and_change() {
    let (subscriber, holder, id) = (SubscriberId(4), SubscriberId(4), CardId(0));
    let (named, recipient) = (Named { subscriber, prev: Seq(1) }, Named { subscriber: SubscriberId(5), prev: Seq(2) });
    let facts = SubscriberFacts {
        msisdn: msisdn(1),
        imsi: None,
        operator: OperatorId(0),
        generation: 2,
        language: Language::Korean,
        standing: Standing::Barred,
        since: at(),
        imsi_changed_at: Some(at()),
    };
    let number = CardNumber::from_stored(CARD_NUMBER);
    let state = CardState::Sold { at: at(), tag: tag() };
    let expires_at = Timestamp::MAX;
    let card = CardFacts { number, operator: OperatorId(0), issued_at: at(), expires_at, state, batch: None };
    let states = [
        CardState::Printed { tag: tag() },
        CardState::InStock { outlet: OutletId(2), tag: tag() },
        CardState::Sold { at: at(), tag: tag() },
        CardState::Bound { holder, tag: tag() },
        CardState::Frozen { holder, tag: tag(), since: at() },
        CardState::Closed { holder: Some(holder), at: at() },
        CardState::Expired { holder: None, at: at(), tag: tag() },
        CardState::Void { holder: Some(holder), at: at(), why: Voiding::Ordered, tag: tag() },
    ];
    let mut changes = vec![
        Change::Lock { subscriber, link: LinkId(3), wrong: 2, level: 1, until: Some(at()) },
        Change::Gave { sender: named, recipient, amount: amount(500) },
        Change::Held { sender: named, recipient, amount: amount(500) },
        Change::ToppedUp { holder: named, amount: amount(500) },
        Change::Forgotten { sender: subscriber, recipient: recipient.subscriber, amount: amount(500) },
        Change::Recent { sender: subscriber, recipient: recipient.subscriber },
        Change::Refused { subscriber, count: 3 },
        Change::Subscriber { id: subscriber, facts },
        Change::Card { id, facts: card },
        Change::Card { id, facts: CardFacts { expires_at: at(), ..card } },
        Change::BindWrong { id, wrong: 9 },
        operator(),
    ];
    changes.extend(states.map(|state| Change::CardState { id, state }));
    let op = OperatorId(0);
    let accounts = [
        AccountId::Card(id),
        AccountId::Airtime(subscriber),
        AccountId::FeeIncome(op),
        AccountId::TaxPayable(op),
        AccountId::CallIncome(op),
        AccountId::Breakage(op),
        AccountId::Position(op),
    ];
    let usage = |limit, subject| UsageAfter { limit: LimitId(limit), subject, start: day(), count: 1, total_minor: 5 };
    let effects = Effects {
        balances: accounts.map(|account| BalanceAfter { account, after_minor: -1, prev: Seq(1) }).into_iter().collect(),
        usage: smallvec![usage(0, 4), usage(2, (4 << 32) | 5), usage(99, u64::MAX)],
        changes: changes.into(),
        ..Effects::default()
    };
    let json = effects::json(&effects, &names());
    let of = |key: &str| json.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let shown = lines(of("balances").into_iter().chain(of("usage")).chain(of("changes")));
    assert!(!shown.contains(&CARD_NUMBER.to_string()), "a card number is never shown whole");
    expect![[r#"
        {"account":{"kind":"card","serial":"00000001"},"after_minor":-1,"prev":1}
        {"account":{"kind":"airtime","subscriber":4},"after_minor":-1,"prev":1}
        {"account":{"kind":"fee-income","operator":0},"after_minor":-1,"prev":1}
        {"account":{"kind":"tax-payable","operator":0},"after_minor":-1,"prev":1}
        {"account":{"kind":"call-income","operator":0},"after_minor":-1,"prev":1}
        {"account":{"kind":"breakage","operator":0},"after_minor":-1,"prev":1}
        {"account":{"kind":"position","operator":0},"after_minor":-1,"prev":1}
        {"count":1,"limit":{"id":0,"name":"one-a-day"},"start":"2026-11-22","subject":{"code":"4","kind":"sender","subscriber":4},"total_minor":5}
        {"count":1,"limit":{"id":2,"name":"same-person-once-a-month"},"start":"2026-11-22","subject":{"code":"17179869189","kind":"pair","recipient":5,"sender":4},"total_minor":5}
        {"count":1,"limit":{"id":99,"name":null},"start":"2026-11-22","subject":{"code":"18446744073709551615","kind":null},"total_minor":5}
        {"level":1,"link":3,"name":"lock","subscriber":4,"until":"2026-11-22T10:00:00.000Z","wrong":2}
        {"amount_minor":500,"name":"gave","recipient":5,"sender":4}
        {"amount_minor":500,"name":"held","recipient":5,"sender":4}
        {"amount_minor":500,"holder":4,"name":"topped-up"}
        {"amount_minor":500,"name":"forgotten","recipient":5,"sender":4}
        {"name":"recent","recipient":5,"sender":4}
        {"count":3,"name":"refused","subscriber":4}
        {"facts":{"generation":2,"imsi":null,"imsi_changed_at":"2026-11-22T10:00:00.000Z","language":"ko","msisdn":"8501911000001","operator":{"id":0,"name":"koryolink"},"since":"2026-11-22T10:00:00.000Z","standing":"barred"},"name":"subscriber","subscriber":4}
        {"facts":{"batch":null,"expires_at":null,"issued_at":"2026-11-22T10:00:00.000Z","number":"…486","operator":{"id":0,"name":"koryolink"},"state":{"at":"2026-11-22T10:00:00.000Z","name":"sold","tag":{"key":1}}},"name":"card","serial":"00000001"}
        {"facts":{"batch":null,"expires_at":"2026-11-22T10:00:00.000Z","issued_at":"2026-11-22T10:00:00.000Z","number":"…486","operator":{"id":0,"name":"koryolink"},"state":{"at":"2026-11-22T10:00:00.000Z","name":"sold","tag":{"key":1}}},"name":"card","serial":"00000001"}
        {"name":"bind-wrong","serial":"00000001","wrong":9}
        {"id":0,"name":"operator","rules":{"file_hash":"abababababababababababababababababababababababababababababababab","operator":"koryolink","periods":["kp-2020-05","kp-2020-06","kp-2020-07","kp-2022"]}}
        {"name":"card-state","serial":"00000001","state":{"name":"printed","tag":{"key":1}}}
        {"name":"card-state","serial":"00000001","state":{"name":"in-stock","outlet":2,"tag":{"key":1}}}
        {"name":"card-state","serial":"00000001","state":{"at":"2026-11-22T10:00:00.000Z","name":"sold","tag":{"key":1}}}
        {"name":"card-state","serial":"00000001","state":{"holder":4,"name":"bound","tag":{"key":1}}}
        {"name":"card-state","serial":"00000001","state":{"holder":4,"name":"frozen","since":"2026-11-22T10:00:00.000Z","tag":{"key":1}}}
        {"name":"card-state","serial":"00000001","state":{"at":"2026-11-22T10:00:00.000Z","holder":4,"name":"closed"}}
        {"name":"card-state","serial":"00000001","state":{"at":"2026-11-22T10:00:00.000Z","holder":null,"name":"expired","tag":{"key":1}}}
        {"name":"card-state","serial":"00000001","state":{"at":"2026-11-22T10:00:00.000Z","holder":4,"name":"void","tag":{"key":1},"why":"ordered"}}
    "#]].assert_eq(&shown);
    assert_eq!(json.get("date"), Some(&Value::Null), "no operator, no date");
}
