use domain::command::{Bind, Body, Caller, Command, Dialled};
use domain::id::{CommandId, UssdPrompt};
use domain::ids::{LinkId, OperatorId};
use domain::number::{CardNumber, Msisdn};
use domain::password::Password;
use domain::verdict::{Done, Outcome};
use engine::answer::Answer;
use expect_test::expect;
use serde_json::{Value, json};

use crate::world::{World, keys};

pub(crate) fn text(json: &Value, pointer: &str) -> String {
    json.pointer(pointer).and_then(Value::as_str).map(String::from).expect("a text")
}

/// Binds a card as an edge would: with tags made from what the buyer reads on it.
pub(crate) async fn bind(world: &World, msisdn: u64, number: &str, password: &str) -> Answer {
    let operator = OperatorId(0);
    let msisdn = Msisdn::try_new(msisdn).expect("a number");
    let (number, password) =
        (CardNumber::parse(number).expect("a card number"), Password::parse(password).expect("six digits"));
    let session = number.get().to_string();
    let prompt = UssdPrompt { link: LinkId(1), caller: msisdn.get(), session: session.as_bytes(), reuse: 0, prompt: 0 };
    let keys = keys();
    let bind = Bind {
        caller: Caller { operator, link: LinkId(1), msisdn, imsi: None },
        number: Dialled::Value(number),
        proof: keys.proof(|key| key.card(operator, number, &password)),
        holder_tag: Some(keys.current().holder(operator, msisdn, 1, &password)),
    };
    let decide_before = world.handle.now().plus_s(60);
    world.handle.submit(Command { id: CommandId::ussd(&prompt), decide_before, body: Body::Bind(bind) }).await
}

fn ask(count: usize) -> Value {
    json!({ "operator": "koryolink", "value_minor": 1000, "count": count })
}

#[tokio::test]
async fn issued_cards_open_with_what_is_printed_on_them() {
    let world = World::koryolink().await;
    let told = world.post("/v1/cards", &ask(3)).await;
    assert_eq!(told.brief(), "200 done issued");
    let json = told.json();
    assert_eq!(json.get("done"), Some(&json!({ "name": "issued", "first": "00000001", "count": 3 })));
    let serials: Vec<String> = (0..3).map(|n| text(&json, &format!("/cards/{n}/serial"))).collect();
    assert_eq!(serials, ["00000001", "00000002", "00000003"]);
    let (number, password) = (text(&json, "/cards/2/number"), text(&json, "/cards/2/password"));
    let Answer::Verdict(bound) = bind(&world, 8_501_911_000_001, &number, &password).await else { panic!("a verdict") };
    assert!(matches!(bound.outcome, Outcome::Done(Done::Bound { balance_minor: 1000, .. })), "{:?}", bound.outcome);
    expect![[r#"{"balance_minor":1000,"batch":null,"bought":null,"expires_at":null,"holder":"8501911000001","issued_at":"2026-11-22T10:00:00.000Z","latest":3,"operator":"koryolink","seq":4,"serial":"00000003","state":"bound"}"#]].assert_eq(&world.get("/v1/cards/00000003").await.shown());
    let subscriber = world.get("/v1/subscribers/1911000001").await.json();
    assert_eq!(subscriber.pointer("/cards/0/serial"), Some(&json!("00000003")));
}

#[tokio::test]
async fn given_passwords_are_taken_as_they_are() {
    let world = World::koryolink().await;
    let mut ask = ask(2);
    ask["passwords"] = json!(["482913", "700142"]);
    let json = world.post("/v1/cards", &ask).await.json();
    assert_eq!(
        (text(&json, "/cards/0/password"), text(&json, "/cards/1/password")),
        ("482913".into(), "700142".into())
    );
    assert_ne!(text(&json, "/cards/0/number"), text(&json, "/cards/1/number"));
}

#[tokio::test]
async fn what_can_not_be_issued() {
    let world = World::koryolink().await;
    let mut said = Vec::new();
    for (operator, value_minor, count, passwords) in [
        ("nobody", 1000, 1, Value::Null),
        ("koryolink", 0, 1, Value::Null),
        ("koryolink", -5, 1, Value::Null),
        ("koryolink", 1000, 0, Value::Null),
        ("koryolink", 1000, 1000, Value::Null),
        ("koryolink", 1000, 2, json!(["482913"])),
        ("koryolink", 1000, 2, json!(["482913", "48291"])),
        ("koryolink", 1000, 2, json!(["482913", "123456"])),
        ("koryolink", 1000, 1, json!([482_913])),
        ("koryolink", 1000, 1, json!("482913")),
        ("koryolink", i64::MAX, 2, Value::Null),
    ] {
        let body = json!({ "operator": operator, "value_minor": value_minor, "count": count, "passwords": passwords });
        let told = world.post("/v1/cards", &body).await;
        assert!(!told.text.contains("482913"), "a complaint repeats no password: {}", told.text);
        let json = told.json();
        let of = |key: &str| json.get(key).cloned().unwrap_or(Value::Null);
        said.push(format!("{}, index {}: {}\n", told.brief(), of("index"), of("what")));
    }
    expect![[r#"
        404 not-found, index null: "no such operator; loaded are: koryolink"
        400 malformed, index null: "`value_minor` is 1 or more"
        400 malformed, index null: "`value_minor` is 1 or more"
        400 malformed, index null: "`count` is 1 to 999: issue more in several requests"
        400 malformed, index null: "`count` is 1 to 999: issue more in several requests"
        400 malformed, index null: "`passwords` are as many as `count`, or absent"
        400 malformed, index 1: "a password is six digits, as a string"
        400 malformed, index 1: "this password is one that people guess first"
        400 malformed, index null: "the body: invalid type, expected a string at line 1 column 53"
        400 malformed, index null: "the body: invalid type, expected a sequence at line 1 column 54"
        409 refused card-value-max, index null: null
    "#]]
    .assert_eq(&said.concat());
}

#[tokio::test]
async fn as_many_as_fit_one_command() {
    let world = World::koryolink().await;
    let told = world.post("/v1/cards", &ask(999)).await;
    assert_eq!(told.brief(), "200 done issued");
    let json = told.json();
    assert_eq!(json.get("cards").and_then(Value::as_array).map(Vec::len), Some(999));
    assert_eq!(text(&json, "/cards/998/serial"), "00000999");
}

#[tokio::test]
async fn asked_again_the_server_says_where_the_cards_are_and_issues_none() {
    let world = World::koryolink().await;
    let id = world.id(1);
    assert_eq!(world.post_as(Some(&id), "/v1/cards", &ask(3)).await.status, 200);
    let again = world.post_as(Some(&id), "/v1/cards", &ask(3)).await;
    assert_eq!((again.status, again.id.as_deref()), (409, Some(&*id)));
    expect![[r#"{"count":3,"error":"id-reused","first":"00000001","seq":3,"what":"cards of this request were issued already at seq 3, serials 00000001 to 00000003; their secrets are not kept: void those that were lost and issue again under a new correlation id"}"#]].assert_eq(&again.shown());
    assert_eq!(world.get("/v1/status").await.json().get("cards"), Some(&json!(3)));
    // The id was used for something else: no cards to name.
    let other = world.id(2);
    world.post_as(Some(&other), "/v1/subscribers/1911000001/bar", &Value::Null).await;
    let told = world.post_as(Some(&other), "/v1/cards", &ask(1)).await;
    assert_eq!(told.brief(), "409 id-reused");
    assert_eq!(told.json().get("seq"), None);
}

#[tokio::test]
async fn what_care_does_to_a_card() {
    let world = World::koryolink().await;
    let json = world.post("/v1/cards", &ask(2)).await.json();
    bind(&world, 8_501_911_000_001, &text(&json, "/cards/0/number"), &text(&json, "/cards/0/password")).await;
    let mut said = Vec::new();
    for (serial, what, body) in [
        ("00000001", "freeze", Value::Null),
        ("1", "freeze", Value::Null),
        ("00000001", "thaw", json!({})),
        ("00000001", "unblock", Value::Null),
        ("00000002", "freeze", Value::Null),
        ("00000002", "void", json!({ "why": "lost" })),
        ("00000002", "void", json!({ "why": "faulty" })),
        ("00000001", "void", json!({ "why": "ordered" })),
        ("00000001", "void", json!({ "why": "stolen" })),
        ("00000001", "void", Value::Null),
        ("00000003", "void", json!({ "why": "lost" })),
        ("0", "freeze", Value::Null),
        ("4539578763621486", "freeze", Value::Null),
        ("-1", "freeze", Value::Null),
    ] {
        let told = world.post(&format!("/v1/cards/{serial}/{what}"), &body).await;
        said.push(format!("{serial} {what} {body}: {}\n", told.brief()));
    }
    expect![[r#"
        00000001 freeze null: 200 done card-changed
        1 freeze null: 409 refused card-state-forbids
        00000001 thaw {}: 200 done card-changed
        00000001 unblock null: 409 refused nothing-to-change
        00000002 freeze null: 409 refused card-state-forbids
        00000002 void {"why":"lost"}: 200 done proposed
        00000002 void {"why":"faulty"}: 200 done proposed
        00000001 void {"why":"ordered"}: 200 done proposed
        00000001 void {"why":"stolen"}: 400 malformed
        00000001 void null: 400 malformed
        00000003 void {"why":"lost"}: 404 refused card-unknown
        0 freeze null: 404 refused card-unknown
        4539578763621486 freeze null: 400 malformed
        -1 freeze null: 400 malformed
    "#]]
    .assert_eq(&said.concat());
    assert_eq!(world.get("/v1/cards/3").await.brief(), "404 not-found");
    assert_eq!(world.get("/v1/cards/4539578763621486").await.brief(), "400 malformed");
    let state = async || text(&world.get("/v1/cards/2").await.json(), "/state");
    assert_eq!(state().await, "sold", "one person voids no card");
    let proposed = world.post("/v1/cards/2/void", &json!({ "why": "lost" })).await;
    world.second(&proposed).await;
    assert_eq!(state().await, "void");
}
