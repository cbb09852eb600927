use expect_test::expect;
use serde_json::{Value, json};

use crate::world::{KANGSONG, World};

fn import(subscribers: Value) -> Value {
    json!({ "operator": "koryolink", "subscribers": subscribers })
}

#[tokio::test]
async fn numbers_are_imported_and_asked_for_as_people_write_them() {
    let world = World::koryolink().await;
    assert_eq!(world.load(KANGSONG).await.status, 200);
    let list = json!([
        { "msisdn": "0191 100 0003", "imsi": "467051234567890", "language": "en", "since": "2020-01-31", "airtime_minor": 70 },
        { "msisdn": "+850-191-100-0004", "since": "2020-01-31T00:00:00Z", "airtime_minor": 0 },
        { "msisdn": "8501911000001", "language": "en" },
    ]);
    let told = world.post("/v1/subscribers/import", &import(list)).await;
    assert_eq!(told.brief(), "200 done imported");
    assert_eq!(told.json().pointer("/done"), Some(&json!({ "name": "imported", "created": 2, "updated": 1 })));
    let shown = world.get("/v1/subscribers/8501911000003").await;
    expect![[r#"{"airtime_minor":70,"cards":[],"generation":1,"language":"en","latest":4,"locked_until":null,"msisdn":"8501911000003","operator":"koryolink","recents":[],"seq":4,"since":"2020-01-30T15:00:00.000Z","standing":"active","subscriber":2}"#]].assert_eq(&shown.shown());
    for written in ["1911000003", "01911000003", "+8501911000003", "0191%20100%200003", "008501911000003"] {
        assert_eq!(world.get(&format!("/v1/subscribers/{written}")).await.text, shown.text, "{written}");
    }
    assert_eq!(world.get("/v1/subscribers/1911000009").await.brief(), "404 not-found");
    assert_eq!(world.get("/v1/subscribers/nobody").await.brief(), "400 malformed");
}

#[tokio::test]
async fn what_care_does_to_a_subscriber() {
    let world = World::koryolink().await;
    let mut said = Vec::new();
    for (what, body) in [
        ("bar", Value::Null),
        ("bar", json!({})),
        ("unbar", Value::Null),
        ("unlock", Value::Null),
        ("language", json!({ "language": "en" })),
        ("language", json!({ "language": "fr" })),
        ("imsi", json!({ "imsi": "467051234567890" })),
        ("imsi", json!({ "imsi": "46705" })),
        ("release", Value::Null),
        ("bar", Value::Null),
    ] {
        let told = world.post(&format!("/v1/subscribers/0191-100-0001/{what}"), &body).await;
        said.push(format!("{what} {body}: {}\n", told.brief()));
    }
    expect![[r#"
        bar null: 200 done subscriber-changed
        bar {}: 409 refused nothing-to-change
        unbar null: 200 done subscriber-changed
        unlock null: 409 refused nothing-to-change
        language {"language":"en"}: 200 done subscriber-changed
        language {"language":"fr"}: 400 malformed
        imsi {"imsi":"467051234567890"}: 200 done subscriber-changed
        imsi {"imsi":"46705"}: 400 malformed
        release null: 200 done subscriber-changed
        bar null: 404 refused subscriber-unknown
    "#]]
    .assert_eq(&said.concat());
    let shown = world.get("/v1/subscribers/8501911000001").await.json();
    let of = |key: &str| shown.get(key).and_then(Value::as_str).map(String::from);
    assert_eq!((of("standing").as_deref(), of("language").as_deref()), (Some("released"), Some("en")));
}

#[tokio::test]
async fn a_list_with_a_bad_line_is_refused_whole_and_names_the_line() {
    let world = World::koryolink().await;
    let good = json!({ "msisdn": "1911000005" });
    let mut said = Vec::new();
    for bad in [
        json!({ "msisdn": "five" }),
        json!({ "msisdn": "1911000006", "imsi": "12" }),
        json!({ "msisdn": "1911000006", "language": "fr" }),
        json!({ "msisdn": "1911000006", "since": "yesterday" }),
        json!({ "msisdn": "1911000006", "airtime_minor": -1 }),
        json!({ "msisdn": "+821012345678" }),
        json!({ "msisdn": "01911000005" }),
        json!({ "msisdn": "1911000006", "airtime_minor": 1.5 }),
        json!({ "msisdn": "1911000006", "airtime": 1 }),
        json!({ "msisdn": 1_911_000_006 }),
    ] {
        let told = world.post("/v1/subscribers/import", &import(json!([good, bad]))).await;
        let json = told.json();
        let index = json.get("index").or_else(|| json.pointer("/refusal/index"));
        said.push(format!(
            "{}, index {}: {}\n",
            told.brief(),
            index.unwrap_or(&Value::Null),
            json.get("what").unwrap_or(&Value::Null)
        ));
    }
    expect![[r#"
        400 malformed, index 1: "`msisdn` is no phone number: write it nationally or as E.164 digits"
        400 malformed, index 1: "an IMSI is 6 to 15 digits and does not begin with 0"
        400 malformed, index 1: "`language` is one of ko, en"
        400 malformed, index 1: "`since` is an instant (2026-11-22T10:00:00Z) or a day (2026-11-22), from 1970 on"
        400 malformed, index 1: "`airtime_minor` is 0 or more"
        409 refused number-out-of-range, index 1: null
        409 refused twice-in-list, index 1: null
        400 malformed, index null: "the body: invalid type, expected i64 at line 1 column 83"
        400 malformed, index null: "the body: unknown field `airtime`, expected one of `msisdn`, `imsi`, `language`, `since`, `airtime_minor` at line 1 column 73"
        400 malformed, index null: "the body: invalid type, expected a string at line 1 column 83"
    "#]].assert_eq(&said.concat());
    assert_eq!(world.get("/v1/subscribers/1911000005").await.status, 404, "nothing of a refused list is kept");
    assert_eq!(world.post("/v1/subscribers/import", &import(json!([]))).await.brief(), "400 malformed");
    let many: Vec<Value> = (0..1_001).map(|n| json!({ "msisdn": format!("191{n:07}") })).collect();
    assert_eq!(world.post("/v1/subscribers/import", &import(json!(many))).await.brief(), "400 malformed");
    let whole: Vec<Value> = many.into_iter().skip(1).collect();
    assert_eq!(world.post("/v1/subscribers/import", &import(json!(whole))).await.brief(), "200 done imported");
    let elsewhere = json!({ "operator": "nobody", "subscribers": [good] });
    let told = world.post("/v1/subscribers/import", &elsewhere).await;
    assert_eq!(told.brief(), "404 not-found");
    assert_eq!(told.json().get("what"), Some(&json!("no such operator; loaded are: koryolink")));
}
