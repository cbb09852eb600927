use std::time::Duration;

use serde_json::{Value, json};

use crate::cards::text;
use crate::world::World;

const PRINTER: &str = "age1somebody";

/// Begins a batch and exports it; the last answer is its view when the job has ended.
async fn produced(world: &World, count: u32) -> Value {
    let ask = json!({ "operator": "koryolink", "value_minor": 500, "count": count });
    assert_eq!(world.post("/v1/batches", &ask).await.brief(), "200 done batch-started");
    let told = world.post("/v1/batches/1/export", &json!({ "recipient": PRINTER })).await;
    assert_eq!(told.status, 202, "{}", told.text);
    ended(world).await
}

async fn ended(world: &World) -> Value {
    for _ in 0..6_000 {
        let view = world.get("/v1/batches/1").await.json();
        if view.pointer("/export/state") != Some(&json!("running")) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the export does not end");
}

#[tokio::test]
async fn secrets_go_to_the_press_and_nowhere_else() {
    let world = World::koryolink().await;
    let view = produced(&world, 2_500).await;
    assert_eq!(text(&view, "/stage"), "sealed");
    assert_eq!(text(&view, "/export/file"), "batches/1.age");
    assert_eq!(view.pointer("/file_hash"), Some(&json!("07".repeat(32))));
    assert_eq!(view.pointer("/runs"), Some(&json!([{ "first": "00000001", "count": 2_500 }])));
    let cards = std::mem::take(&mut world.press.0.lock().expect("alive").cards);
    assert_eq!(cards.len(), 2_500);
    let serials: Vec<u32> = cards.iter().map(|(serial, ..)| serial.0).collect();
    assert_eq!(serials, (1..=2_500).collect::<Vec<_>>());
    let journal = world.get("/v1/journal?most=1000").await.text;
    for (_, number, _) in cards.iter().step_by(100) {
        assert!(!journal.contains(&number.get().to_string()));
    }
    // Staff find a card by its serial, without a number; it is not sold.
    let card = world.get("/v1/cards/2500").await.json();
    assert_eq!((text(&card, "/state"), card.pointer("/balance_minor")), (String::from("printed"), Some(&json!(0))));
    let map = world.get("/v1/card-states?first=1&last=2500").await;
    assert_eq!(map.json(), json!([{ "state": "printed", "cards": 2_500, "balance_minor": 0 }]));
}

#[tokio::test]
async fn a_second_export_is_refused_and_recorded() {
    let world = World::koryolink().await;
    produced(&world, 10).await;
    let told = world.post("/v1/batches/1/export", &json!({ "recipient": PRINTER })).await;
    assert_eq!(told.brief(), "409 refused batch-sealed");
    assert_eq!(world.press.0.lock().expect("alive").cards.len(), 10);
    let latest = world.get("/v1/journal?most=1000").await.json();
    let latest = latest.as_array().expect("a list").last().cloned().expect("an entry");
    assert_eq!(text(&latest, "/refusal/name"), "batch-sealed");
}

#[tokio::test]
async fn a_press_that_fails_gives_the_batch_up() {
    let world = World::koryolink().await;
    world.press.0.lock().expect("alive").fails_at = Some(1_500);
    let view = produced(&world, 3_000).await;
    assert_eq!((text(&view, "/stage"), text(&view, "/export/state")), ("abandoned".into(), "failed".into()));
    assert_eq!(text(&view, "/export/why"), "the disk is full");
    assert_eq!(world.press.0.lock().expect("alive").discarded.len(), 1);
    let told = world.post("/v1/batches/1/export", &json!({ "recipient": PRINTER })).await;
    assert_eq!(told.brief(), "409 refused batch-abandoned");
}

#[tokio::test]
async fn what_can_not_be_exported() {
    let world = World::koryolink().await;
    let export =
        async |batch: &str, body: Value| world.post(&format!("/v1/batches/{batch}/export"), &body).await.brief();
    assert_eq!(export("1", json!({ "recipient": PRINTER })).await, "404 refused batch-unknown");
    assert_eq!(export("0", json!({ "recipient": PRINTER })).await, "400 malformed");
    assert_eq!(export("one", json!({ "recipient": PRINTER })).await, "400 malformed");
    let ask = json!({ "operator": "koryolink", "value_minor": 500, "count": 1 });
    world.post("/v1/batches", &ask).await;
    assert_eq!(export("1", json!({})).await, "400 malformed");
    let told = world.post("/v1/batches/1/export", &json!({ "recipient": "age1nobody" })).await;
    assert!(told.text.contains("not an age recipient"), "{}", told.text);
    // A wrong key costs nothing: the batch is still there to be exported.
    assert_eq!(world.post("/v1/batches/1/export", &json!({ "recipient": PRINTER })).await.status, 202);
    assert_eq!(text(&ended(&world).await, "/stage"), "sealed");
    for (value, count) in [(0, 1), (-5, 1), (500, 0), (500, 10_000_001)] {
        let ask = json!({ "operator": "koryolink", "value_minor": value, "count": count });
        let told = world.post("/v1/batches", &ask).await;
        assert!(matches!(told.status, 400 | 409), "{}", told.text);
    }
}
