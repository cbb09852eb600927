use engine::handle::EngineConfig;
use expect_test::expect;
use serde_json::{Value, json};

use crate::world::{KANGSONG, KORYOLINK, World};

#[tokio::test]
async fn status_before_and_after() {
    let world = World::empty();
    expect![[r#"{"at":"1970-01-01T00:00:00.000Z","cards":0,"closed":null,"ids":0,"ids_floor":"1970-01-01T00:00:00.000Z","operators":[],"seq":0,"slowed":false,"subscribers":0,"ussd_ids":0,"ussd_ids_refused":0,"version":"0.1.0-test"}"#]].assert_eq(&world.get("/v1/status").await.shown());
    let world = World::koryolink().await;
    expect![[r#"{"at":"2026-11-22T10:00:00.000Z","cards":0,"closed":null,"ids":2,"ids_floor":"1970-01-01T00:00:00.000Z","operators":[{"date":"2026-11-22","name":"koryolink"}],"seq":2,"slowed":false,"subscribers":2,"ussd_ids":0,"ussd_ids_refused":0,"version":"0.1.0-test"}"#]].assert_eq(&world.get("/v1/status").await.shown());
}

#[tokio::test]
async fn operators_are_loaded_and_listed() {
    let world = World::empty();
    assert_eq!(world.get("/v1/operators").await.text, "[]");
    expect![[r#"{"at":"2026-11-22T10:00:00.000Z","done":{"name":"rules-loaded","operator":{"id":0,"name":"koryolink"}},"outcome":"done","receipt":"1-KC","repeated":false,"seq":1}"#]].assert_eq(&world.load(KORYOLINK).await.shown());
    assert_eq!(world.load(KANGSONG).await.brief(), "200 done rules-loaded");
    let listed = world.get("/v1/operators").await;
    let named = |n: usize, key: &str| listed.json().pointer(&format!("/{n}/{key}")).cloned().unwrap_or(Value::Null);
    assert_eq!(
        [named(0, "id"), named(0, "name"), named(0, "service_code")],
        [json!(0), json!("koryolink"), json!(999)]
    );
    assert_eq!([named(1, "id"), named(1, "name"), named(1, "period")], [json!(1), json!("kangsong"), json!("kp-2022")]);
    assert_eq!(listed.seq.as_deref(), Some("2"));
    let hash = blake3::hash(KORYOLINK.as_bytes()).to_hex().to_string();
    assert_eq!(listed.json().pointer("/0/file_hash"), Some(&json!(hash)));
    // The hash is the file's, comments included.
    let changed = format!("{KORYOLINK}\n# another line\n");
    let proposed = world.load(&changed).await;
    assert_eq!(proposed.brief(), "200 done proposed");
    assert_eq!(world.get("/v1/operators").await.json().pointer("/0/file_hash"), Some(&json!(hash)), "one person only");
    world.second(&proposed).await;
    let hash = blake3::hash(changed.as_bytes()).to_hex().to_string();
    assert_eq!(world.get("/v1/operators").await.json().pointer("/0/file_hash"), Some(&json!(hash)));
}

#[tokio::test]
async fn the_same_id_and_content_is_the_same_answer_again() {
    let world = World::empty();
    let id = world.id(1);
    let first = world.post_as(Some(&id), "/v1/operators", &json!({ "toml": KORYOLINK })).await;
    let again = world.post_as(Some(&id), "/v1/operators", &json!({ "toml": KORYOLINK })).await;
    assert_eq!((first.status, again.status), (200, 200));
    assert_eq!((first.id.as_deref(), again.id.as_deref()), (Some(&*id), Some(&*id)));
    let (mut first, again) = (first.json(), again.json());
    assert_eq!(first.get("repeated"), Some(&json!(false)));
    first["repeated"] = json!(true);
    assert_eq!(first, again);
    let other = world.post_as(Some(&id), "/v1/operators", &json!({ "toml": KANGSONG })).await;
    assert_eq!(other.brief(), "409 id-reused");
}

#[tokio::test]
async fn without_an_id_the_server_makes_one_and_tells_it() {
    let world = World::empty();
    let told = world.load(KORYOLINK).await;
    let id: uuid::Uuid = told.id.expect("an id").parse().expect("a UUID");
    assert_eq!(id.get_version_num(), 7);
    assert_ne!(world.load(KANGSONG).await.id, Some(id.to_string()));
}

#[tokio::test]
async fn rules_that_can_not_be_are_refused_before_they_are_a_command() {
    let world = World::empty();
    let wrong = KORYOLINK.replace("service_code = 999", "service_code = 9");
    expect![[
        r#"{"error":"rules","line":14,"what":"a service code has 2 to 4 digits and does not begin with 0: 10 to 9999"}"#
    ]]
    .assert_eq(&world.load(&wrong).await.shown());
    let long = KORYOLINK.replace("ko = \"고려링크\"", "ko = \"too long\"");
    expect![[r#"{"error":"rules","problems":["gift.done (ko): 3 characters too long","menu.top (en): too long"],"what":"gift.done (ko): 3 characters too long; menu.top (en): too long"}"#]].assert_eq(&world.load(&long).await.shown());
    assert_eq!(world.load("").await.brief(), "422 rules");
    assert_eq!(world.get("/v1/journal").await.text, "[]");
}

#[tokio::test]
async fn rules_that_clash_are_a_recorded_refusal() {
    let world = World::koryolink().await;
    let clash = KANGSONG.replace("service_code = 929", "service_code = 999");
    let told = world.load(&clash).await;
    assert_eq!(told.brief(), "409 refused rules-clash");
    assert_eq!(told.json().pointer("/refusal/with"), Some(&json!("koryolink")));
    assert_eq!(world.get("/v1/journal?from=3").await.json().pointer("/0/refusal/name"), Some(&json!("rules-clash")));
}

#[tokio::test]
async fn a_clock_that_jumped_closes_intake_until_somebody_accepts_it() {
    let world = World::koryolink().await;
    let World { journal, clock, engine, .. } = world;
    engine.stop().expect("no fault");
    clock.advance_s(30 * 86_400);
    let world = World::over(journal, clock, EngineConfig::default());
    let bar = "/v1/subscribers/1911000001/bar";
    assert_eq!(world.post(bar, &Value::Null).await.brief(), "503 closed clock");
    assert_eq!(world.get("/v1/status").await.json().get("closed"), Some(&json!("clock")));
    assert_eq!(world.post("/v1/clock/accept", &json!({})).await.text, r#"{"accepted":true}"#);
    assert_eq!(world.post(bar, &Value::Null).await.brief(), "200 done subscriber-changed");
    assert_eq!(world.get("/v1/status").await.json().get("closed"), Some(&Value::Null));
    // Rules from before the start: their file is still known.
    let operators = world.get("/v1/operators").await.json();
    assert_eq!(operators.pointer("/0/file_hash").and_then(Value::as_str).map(str::len), Some(64));
}

#[tokio::test]
async fn links_say_how_they_do() {
    let world = World::empty();
    let listed = world.get("/v1/links").await;
    let expected = json!([{
        "name": "hlr1", "link": 10, "kind": "hlr", "address": "127.0.0.1:4222", "up": false,
        "says": "nobody listens there: start osmo-hlr", "counts": { "dials": 3 },
    }]);
    assert_eq!((listed.status, listed.json()), (200, expected));
}
