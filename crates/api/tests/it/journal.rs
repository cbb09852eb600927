use domain::receipt::{Seq, receipt};
use serde_json::{Value, json};

use crate::cards::text;
use crate::world::World;

fn seqs(list: &Value) -> Vec<u64> {
    list.as_array().expect("a list").iter().filter_map(|entry| entry.get("seq")?.as_u64()).collect()
}

#[tokio::test]
async fn the_peers_uid_is_recorded_in_the_entry() {
    let world = World::koryolink().await;
    assert_eq!(world.post("/v1/subscribers/1911000001/bar", &Value::Null).await.status, 200);
    let uid = json!(rustix::process::getuid().as_raw());
    let entries = world.get("/v1/journal").await.json();
    for n in 0..3 {
        assert_eq!(entries.pointer(&format!("/{n}/command/staff")), Some(&uid), "entry {n}");
    }
    assert_eq!(entries.pointer("/2/id_kind"), Some(&json!("program")));
}

#[tokio::test]
async fn the_journal_from_anywhere_oldest_first() {
    let world = World::koryolink().await;
    for what in ["bar", "unbar", "bar"] {
        world.post(&format!("/v1/subscribers/1911000001/{what}"), &Value::Null).await;
    }
    let get = async |query: &str| {
        let told = world.get(&format!("/v1/journal{query}")).await;
        assert_eq!(told.seq.as_deref(), Some("5"));
        seqs(&told.json())
    };
    assert_eq!(get("").await, [1, 2, 3, 4, 5]);
    assert_eq!(get("?from=0").await, [1, 2, 3, 4, 5]);
    assert_eq!(get("?from=4").await, [4, 5]);
    assert_eq!(get("?from=2&most=2").await, [2, 3]);
    assert_eq!(get("?from=6").await, [0_u64; 0]);
    assert_eq!(get(&format!("?from={}", u64::MAX)).await, [0_u64; 0]);
}

#[tokio::test]
async fn history_newest_first_and_on_from_where_it_ended() {
    let world = World::koryolink().await;
    for (who, what) in [(1, "bar"), (2, "bar"), (1, "unbar"), (1, "unbar")] {
        world.post(&format!("/v1/subscribers/191100000{who}/{what}"), &Value::Null).await;
    }
    let get = async |query: &str| {
        let told = world.get(&format!("/v1/subscribers/0191-100-0001/history{query}")).await;
        assert_eq!(told.seq.as_deref(), Some("6"));
        told.json()
    };
    // The last one is a refusal: care finds those too.
    let all = get("").await;
    assert_eq!(seqs(&all), [6, 5, 3, 2]);
    assert_eq!(text(&all, "/0/refusal/name"), "nothing-to-change");
    let page = get("?most=2").await;
    assert_eq!(seqs(&page), [6, 5]);
    let prev = page.pointer("/1/effects/named/0/prev").and_then(Value::as_u64).expect("a seq");
    assert_eq!(seqs(&get(&format!("?most=2&from={prev}")).await), [3, 2]);
    assert_eq!(seqs(&get("?from=0").await), [0_u64; 0]);
    assert_eq!(seqs(&get("?from=4").await), [0_u64; 0], "an entry about somebody else");
    assert_eq!(world.get("/v1/subscribers/1911000009/history").await.brief(), "404 not-found");
}

#[tokio::test]
async fn a_receipt_leads_to_its_entry_however_it_is_written() {
    let world = World::koryolink().await;
    let told = world.post("/v1/subscribers/1911000001/bar", &Value::Null).await.json();
    let number = text(&told, "/receipt");
    let entry = world.get(&format!("/v1/receipts/{number}")).await;
    assert_eq!(entry.json().get("seq"), told.get("seq"));
    let spoken = number.to_lowercase().replace('-', "%20");
    assert_eq!(world.get(&format!("/v1/receipts/{spoken}")).await.text, entry.text);
    assert_eq!(world.get("/v1/receipts/3-00").await.brief(), "422 misread");
    assert_eq!(world.get(&format!("/v1/receipts/{}", receipt(Seq(4)))).await.brief(), "404 not-found");
    assert_eq!(world.get(&format!("/v1/receipts/{}", receipt(Seq(0)))).await.brief(), "404 not-found");
}

#[tokio::test]
async fn a_receipt_says_what_became_of_its_sms() {
    let world = World::koryolink().await;
    let sms = async |seq| world.get(&format!("/v1/receipts/{}", receipt(Seq(seq)))).await.json()["sms"].clone();
    let expected = json!([{
        "role": "recipient", "to": "8501911000002", "state": "failed", "at": "1970-01-01T00:01:00.000Z",
        "attempts": 2, "status": null, "link": 3, "message_id": "1a2b", "sent_at": "1970-01-01T00:00:00.000Z",
        "receipt": "undeliverable", "receipt_error": 27,
    }]);
    assert_eq!(sms(2).await, expected);
    // The entry is shown also when nobody can say.
    assert_eq!(sms(1).await, Value::Null);
}

#[tokio::test]
async fn a_list_ends_before_it_is_too_long_and_goes_on() {
    let world = World::koryolink().await;
    for n in 0..24_u32 {
        let line = |m: u32| json!({ "msisdn": format!("192{:07}", n * 1_000 + m), "imsi": "467051234567890" });
        let list: Vec<Value> = (0..1_000).map(line).collect();
        let told = world.post("/v1/subscribers/import", &json!({ "operator": "koryolink", "subscribers": list })).await;
        assert_eq!(told.status, 200);
    }
    let (mut from, mut seen, mut pages) = (1, Vec::new(), 0);
    loop {
        let told = world.get(&format!("/v1/journal?from={from}&most=1000")).await;
        assert!(told.text.len() < 6 << 20, "{} octets", told.text.len());
        let page = seqs(&told.json());
        let Some(last) = page.last() else { break };
        from = last + 1;
        seen.extend(page);
        pages += 1;
    }
    assert!(pages > 1, "one page held everything");
    assert_eq!(seen, (1..=26).collect::<Vec<_>>());
}

/// What a history needs (docs/history.md): verdicts name their entry, also when they are repeated; what was looked up names
/// what was seen, also when there is no such thing.
#[tokio::test]
async fn every_answer_about_the_state_names_its_entry() {
    let world = World::koryolink().await;
    let seq = |told: &crate::world::Told| told.seq.as_deref().and_then(|seq| seq.parse::<u64>().ok());
    let bar = "/v1/subscribers/1911000001/bar";
    let id = world.id(1);
    assert_eq!(seq(&world.post_as(Some(&id), bar, &Value::Null).await), Some(3));
    assert_eq!(seq(&world.post(bar, &Value::Null).await), Some(4), "refused");
    assert_eq!(seq(&world.post_as(Some(&id), bar, &Value::Null).await), Some(3), "repeated");
    let issue = json!({ "operator": "koryolink", "value_minor": 100, "count": 1 });
    assert_eq!(seq(&world.post("/v1/cards", &issue).await), Some(5));
    for (path, status) in [
        ("/v1/status", 200),
        ("/v1/operators", 200),
        ("/v1/subscribers/1911000001", 200),
        ("/v1/subscribers/1911000009", 404),
        ("/v1/subscribers/1911000001/history", 200),
        ("/v1/cards/1", 200),
        ("/v1/cards/77", 404),
        ("/v1/card-states?first=1&last=20000", 200),
        ("/v1/batches/9", 404),
        ("/v1/office/motion", 200),
        ("/v1/call-price?msisdn=1911000009&seconds=60", 404),
        ("/v1/receipts/1-4J", 422),
        (&format!("/v1/receipts/{}", receipt(Seq(3))), 200),
        (&format!("/v1/receipts/{}", receipt(Seq(9))), 404),
        ("/v1/journal", 200),
    ] {
        let told = world.get(path).await;
        let expected = (status != 422).then_some(5);
        assert_eq!((told.status, seq(&told)), (status, expected), "{path}: {}", told.text);
    }
    assert_eq!(
        seq(&world.post_as(Some(&id), "/v1/subscribers/1911000001/unbar", &Value::Null).await),
        None,
        "no verdict"
    );
}
