//! What is never written down.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use crate::cards::{bind, text};
use crate::world::{KORYOLINK, World};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_password_a_card_number_or_a_whole_msisdn() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only one of this binary");

    let world = World::koryolink().await;
    let ask = json!({ "operator": "koryolink", "value_minor": 1000, "count": 2, "passwords": ["482913", "700142"] });
    let cards = world.post("/v1/cards", &ask).await.json();
    let numbers = [text(&cards, "/cards/0/number"), text(&cards, "/cards/1/number")];
    bind(&world, 8_501_911_000_001, &numbers[0], "482913").await;
    bind(&world, 8_501_911_000_002, &numbers[1], "482913").await;
    world
        .post("/v1/cards", &json!({ "operator": "koryolink", "value_minor": 1, "count": 1, "passwords": "482913" }))
        .await;
    world.post("/v1/subscribers/482913/bar", &Value::Null).await;
    world.get("/v1/subscribers/8501911000001").await;
    world.get("/v1/subscribers/1911000001/history").await;
    world.get(&format!("/v1/cards/{}", numbers[0])).await;
    world.get("/v1/journal").await;
    world.post("/v1/subscribers/01911000001/imsi", &json!({ "imsi": "467051234567890" })).await;
    world.load(KORYOLINK).await;
    world.journal.damage(domain::receipt::Seq(3), |bytes| bytes.truncate(30));
    assert_eq!(world.get("/v1/journal").await.status, 500);

    let log = String::from_utf8(captured.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8");
    assert!(log.contains("issue-cards") && log.contains("could not be read"), "something was captured: {log}");
    for secret in ["482913", "700142", &numbers[0], &numbers[1], "1911000001", "1911000002", "467051234567890"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
