//! Everything that is no verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::answer::Query;
use engine::handle::EngineConfig;
use engine::memory::Weather;
use expect_test::expect;
use serde_json::Value;
use tokio::net::UnixListener;

use crate::world::{KORYOLINK, World, ask};

const BAR: &str = "/v1/subscribers/1911000001/bar";

#[tokio::test]
async fn requests_that_can_not_be_read() {
    let world = World::koryolink().await;
    let mut said = Vec::new();
    for (method, path, body) in [
        ("GET", "/v1/nowhere", ""),
        ("GET", "/", ""),
        ("DELETE", "/v1/cards/1", ""),
        ("GET", BAR, ""),
        ("POST", BAR, "{\"why\":1}"),
        ("POST", "/v1/operators", ""),
        ("POST", "/v1/operators", "{"),
        ("POST", "/v1/operators", "{\"toml\":1}"),
        ("POST", "/v1/operators", "{\"toml\":\"\",\"force\":true}"),
        ("POST", "/v1/operators", "{\"toml\":\"\"} x"),
        ("POST", "/v1/cards", "{\"operator\":\"koryolink\"}"),
        ("GET", "/v1/journal?most=0", ""),
        ("GET", "/v1/journal?most=1001", ""),
        ("GET", "/v1/journal?from=-1", ""),
        ("GET", "/v1/journal?to=5", ""),
        ("GET", "/v1/journal?from=1&from=2", ""),
        ("GET", "/v1/subscribers/%FF", ""),
    ] {
        let told = ask(&world.socket, method, path, None, body).await;
        said.push(format!(
            "{method} {path} {body}: {} {}\n",
            told.brief(),
            told.json().get("what").unwrap_or(&Value::Null)
        ));
    }
    expect![[r#"
        GET /v1/nowhere : 404 not-found "no such endpoint; they are listed in docs/protocols/admin.md"
        GET / : 404 not-found "no such endpoint; they are listed in docs/protocols/admin.md"
        DELETE /v1/cards/1 : 405 method-not-allowed "this endpoint has other methods; they are listed in docs/protocols/admin.md"
        GET /v1/subscribers/1911000001/bar : 405 method-not-allowed "this endpoint has other methods; they are listed in docs/protocols/admin.md"
        POST /v1/subscribers/1911000001/bar {"why":1}: 400 malformed "this request takes no body"
        POST /v1/operators : 400 malformed "the body: EOF while parsing a value at line 1 column 0"
        POST /v1/operators {: 400 malformed "the body: EOF while parsing an object at line 1 column 1"
        POST /v1/operators {"toml":1}: 400 malformed "the body: invalid type, expected a string at line 1 column 9"
        POST /v1/operators {"toml":"","force":true}: 400 malformed "the body: unknown field `force`, expected `toml` or `from` at line 1 column 18"
        POST /v1/operators {"toml":""} x: 400 malformed "the body: trailing characters at line 1 column 13"
        POST /v1/cards {"operator":"koryolink"}: 400 malformed "the body: missing field `value_minor` at line 1 column 24"
        GET /v1/journal?most=0 : 400 malformed "`most` is 1 to 1000"
        GET /v1/journal?most=1001 : 400 malformed "`most` is 1 to 1000"
        GET /v1/journal?from=-1 : 400 malformed "what stands after `?` is not what this endpoint asks for; see docs/protocols/admin.md"
        GET /v1/journal?to=5 : 400 malformed "what stands after `?` is not what this endpoint asks for; see docs/protocols/admin.md"
        GET /v1/journal?from=1&from=2 : 400 malformed "what stands after `?` is not what this endpoint asks for; see docs/protocols/admin.md"
        GET /v1/subscribers/%FF : 400 malformed "the path is no UTF-8 text"
    "#]].assert_eq(&said.concat());
}

#[tokio::test]
async fn bodies_have_a_ceiling() {
    let world = World::koryolink().await;
    for (path, len) in
        [("/v1/cards", 70_000), (BAR, 300), ("/v1/subscribers/import", 600_000), ("/v1/operators", 2_200_000)]
    {
        let told = ask(&world.socket, "POST", path, None, &" ".repeat(len)).await;
        assert_eq!(told.brief(), "413 too-large", "{path}");
        assert!(told.json().get("max").is_some_and(Value::is_u64));
    }
}

#[tokio::test]
async fn correlation_ids_that_can_not_be() {
    let world = World::koryolink().await;
    for bad in ["", "7", "0192aab4-6f80-4c3e-8a4b-0123456789ab", "not-a-uuid"] {
        assert_eq!(world.post_as(Some(bad), BAR, &Value::Null).await.brief(), "400 malformed", "{bad}");
    }
    let ahead = uuid::Builder::from_unix_timestamp_millis(4_000_000_000_000, &[0; 10]).into_uuid().to_string();
    assert_eq!(world.post_as(Some(&ahead), BAR, &Value::Null).await.brief(), "400 id-ahead");
    // Two generations of ids later the first ones are forgotten, and so is everything before them.
    let old = world.id(1);
    for _ in 0..3 {
        world.clock.advance_s(86_400);
        assert_eq!(world.load(KORYOLINK).await.status, 200);
    }
    let told = world.post_as(Some(&old), BAR, &Value::Null).await;
    assert_eq!((told.brief().as_str(), told.id), ("410 id-too-old", Some(old)));
    let floor = told.text.contains("\"floor\":\"2026-11-");
    assert!(floor, "{}", told.text);
}

#[tokio::test]
async fn a_full_disk_closes_intake() {
    let world = World::koryolink().await;
    world.journal.set_short(true);
    let told = world.post(BAR, &Value::Null).await;
    assert_eq!(told.brief(), "503 closed disk");
    expect![[
        r#"{"error":"closed","what":"the disk is nearly full; nothing was done: free some space on it","why":"disk"}"#
    ]]
    .assert_eq(&told.shown());
    world.journal.set_short(false);
    assert_eq!(world.post(BAR, &Value::Null).await.brief(), "200 done subscriber-changed");
}

#[tokio::test]
async fn a_command_past_its_deadline_is_not_done() {
    let world = World::koryolink().await;
    // The disk hangs while it writes the first one; the second one waits behind it, until its deadline has passed.
    let before = world.appends.load(Ordering::SeqCst);
    world.journal.set_weather(Weather::Stalled);
    let second = async {
        world.until_appending(before).await;
        world.post(BAR, &Value::Null).await
    };
    let later = async {
        world.until_appending(before).await;
        // Nothing tells when the second one is in the queue: as long as a busy machine needs for that.
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.clock.advance_s(api::admin::DECIDE_WITHIN_S + 1);
        world.journal.set_weather(Weather::Fine);
    };
    let (first, second, ()) = tokio::join!(world.post(BAR, &Value::Null), second, later);
    assert_eq!((first.brief().as_str(), second.brief().as_str()), ("200 done subscriber-changed", "503 not-done"));
}

#[tokio::test]
async fn on_a_full_disk_nothing_was_done_and_everything_can_be_looked_up() {
    let world = World::koryolink().await;
    let seq = world.handle.status().seq;
    world.journal.set_weather(Weather::Full);
    assert_eq!(world.post(BAR, &Value::Null).await.brief(), "503 closed disk");
    let status = world.get("/v1/status").await.text;
    assert!(status.contains("\"closed\":\"disk\"") && status.contains(&format!("\"seq\":{seq},")), "{status}");
    let subscriber = world.get("/v1/subscribers/1911000001").await.text;
    assert!(subscriber.contains("\"standing\":\"active\""), "it was not barred: {subscriber}");
    world.journal.set_weather(Weather::Fine);
}

#[tokio::test]
async fn unknown_and_busy() {
    let World { journal, clock, engine, .. } = World::koryolink().await;
    engine.stop().expect("no fault");
    let world = World::over(journal, clock, EngineConfig { queue_depth: 1, ..EngineConfig::default() });
    world.journal.set_weather(Weather::Stalled);
    let socket = world.socket.clone();
    let waiting = tokio::spawn(async move { ask(&socket, "POST", BAR, None, "").await });
    world.until_appending(0).await;
    // One waits for a disk that hangs, one in the queue; then the queue is full.
    let mut queued = core::pin::pin!(world.handle.query(Query::Card(domain::ids::Serial(1))));
    tokio::select! {
        biased;
        _ = &mut queued => panic!("the decider is waiting"),
        () = core::future::ready(()) => {}
    }
    assert_eq!(world.post(BAR, &Value::Null).await.brief(), "503 busy");
    assert_eq!(world.get("/v1/subscribers/1911000001").await.brief(), "503 busy");
    assert_eq!(world.get("/v1/status").await.status, 200, "whoever looks why waits for nothing");
    world.journal.set_weather(Weather::Broken);
    assert_eq!(waiting.await.expect("an answer").brief(), "504 unknown");
    assert!(queued.await.is_none(), "the engine is lost");
    assert!(world.get("/v1/status").await.text.contains("\"closed\":\"stopping\""));
}

#[tokio::test]
async fn a_stopped_engine_says_so() {
    let world = World::koryolink().await;
    let World { engine, socket, stop: _stop, _dir, .. } = world;
    engine.stop().expect("no fault");
    assert_eq!(ask(&socket, "POST", BAR, None, "").await.brief(), "503 closed stopping");
    let status = ask(&socket, "GET", "/v1/status", None, "").await.text;
    assert!(status.contains("\"closed\":\"stopping\""), "{status}");
    assert_eq!(ask(&socket, "GET", "/v1/subscribers/1911000001", None, "").await.brief(), "503 busy");
}

#[tokio::test]
async fn a_damaged_journal_is_a_fault_that_names_the_place() {
    let world = World::koryolink().await;
    world.journal.damage(domain::receipt::Seq(2), |bytes| bytes.truncate(20));
    let told = world.get("/v1/journal").await;
    assert_eq!(told.brief(), "500 fault");
    assert!(
        told.json().get("what").and_then(Value::as_str).is_some_and(|what| what.contains("seq 2")),
        "{}",
        told.text
    );
    assert_eq!(world.get("/v1/subscribers/1911000001/history").await.brief(), "500 fault");
}

#[tokio::test]
async fn nobody_is_served_whose_uid_is_not_known() {
    let world = World::koryolink().await;
    let check_rules: api::admin::CheckRules = std::sync::Arc::new(|_| Ok(()));
    let keys = std::sync::Arc::new(crate::world::keys());
    let find_sms: api::admin::FindSms = std::sync::Arc::new(|_| Ok(Vec::new()));
    let router = api::router(api::AdminParts {
        handle: world.handle.clone(),
        keys,
        check_rules,
        links: Arc::new(Vec::new),
        find_sms,
        press: Arc::new(world.press.clone()),
        version: "",
    });
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("other.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert_eq!(ask(&socket, "GET", "/v1/status", None, "").await.brief(), "403 forbidden");
    assert_eq!(ask(&socket, "POST", BAR, None, "").await.brief(), "403 forbidden");
}

#[tokio::test]
async fn requests_under_way_are_answered_before_the_server_ends() {
    let world = World::koryolink().await;
    world.journal.set_weather(Weather::Stalled);
    let socket = world.socket.clone();
    let appends = world.appends.load(Ordering::SeqCst);
    let under_way = tokio::spawn(async move { ask(&socket, "POST", BAR, None, "").await });
    world.until_appending(appends).await;
    let World { journal, stop, served, engine: _engine, .. } = world;
    stop.send(()).expect("a server");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!served.is_finished());
    journal.set_weather(Weather::Fine);
    assert_eq!(under_way.await.expect("an answer").brief(), "200 done subscriber-changed");
    served.await.expect("no panic").expect("no failure");
}
