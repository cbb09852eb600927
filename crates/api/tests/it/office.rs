use domain::verdict::Outcome;
use engine::handle::EngineConfig;
use expect_test::expect;
use serde_json::{Value, json};

use crate::cards::text;
use crate::world::{KORYOLINK, Told, World};

async fn office(world: &World, ask: Value) -> Told {
    world.post("/v1/office", &ask).await
}

/// A rate for dollars that a second person approved: a cent for each won of airtime.
async fn rate(world: &World) {
    let ask = json!({ "do": "propose-rate", "operator": "koryolink", "currency": "USD", "cash_minor": 1,
        "airtime_minor": 1, "from": "now" });
    let told = office(world, ask).await;
    assert!(matches!(world.second(&told).await, Outcome::Done(_)), "{}", told.text);
}

/// An outlet with 100 dollars, and ten cards of 500 on its shelf.
async fn shop(world: &World) {
    rate(world).await;
    let told = office(world, json!({ "do": "open-outlet", "operator": "koryolink", "name": "Kwangbok" })).await;
    assert_eq!(told.brief(), "200 done outlet-opened");
    let deposit = json!({ "do": "deposit", "outlet": 1, "currency": "USD", "amount_minor": 10_000 });
    assert_eq!(office(world, deposit).await.json().pointer("/done/float_minor"), Some(&json!(10_000)));
    world.post("/v1/batches", &json!({ "operator": "koryolink", "value_minor": 500, "count": 10 })).await;
    world.post("/v1/batches/1/export", &json!({ "recipient": "age1somebody" })).await;
    for _ in 0..1_000 {
        if text(&world.get("/v1/batches/1").await.json(), "/stage") == "sealed" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let stock = json!({ "do": "stock-cards", "first": "1", "last": "10", "outlet": 1 });
    assert_eq!(office(world, stock).await.brief(), "200 done stocked");
}

#[tokio::test]
async fn from_the_float_to_a_sold_card_and_back() {
    let world = World::koryolink().await;
    shop(&world).await;
    let ask = json!({ "do": "quote-cards", "outlet": 1, "currency": "USD", "first": "00000001", "count": 2 });
    let quoted = office(&world, ask).await;
    assert_eq!(quoted.json().pointer("/done/price_minor"), Some(&json!(1_000)));
    let quote = quoted.json().pointer("/done/quote").cloned().expect("a quote");
    assert_eq!(world.get("/v1/office/quote").await.json().pointer("/0/quote"), Some(&quote));
    let sold = office(&world, json!({ "do": "sell", "quote": quote })).await;
    assert_eq!(sold.json().pointer("/done/float_minor"), Some(&json!(9_000)), "{}", sold.text);
    assert_eq!(world.get("/v1/cards/1").await.json().pointer("/balance_minor"), Some(&json!(500)));
    assert_eq!(office(&world, json!({ "do": "sell", "quote": quote })).await.brief(), "404 refused quote-unknown");
    let refunded = office(&world, json!({ "do": "refund", "serial": "2" })).await;
    assert_eq!(refunded.json().pointer("/done/price_minor"), Some(&json!(500)));
    let map = world.get("/v1/card-states?first=1&last=10").await;
    expect![[r#"[{"balance_minor":0,"cards":8,"state":"in-stock"},{"balance_minor":500,"cards":1,"state":"sold"},{"balance_minor":0,"cards":1,"state":"void"}]"#]]
        .assert_eq(&map.shown());
}

#[tokio::test]
async fn nobody_approves_their_own_and_everybody_sees_what_waits() {
    let world = World::koryolink().await;
    let told =
        office(&world, json!({ "do": "propose-close", "operator": "koryolink", "period": "end", "from": "now" }));
    let told = told.await.json();
    let (motion, hash) = (told.pointer("/done/motion").cloned(), told.pointer("/done/hash").cloned());
    let listed = world.get("/v1/office/motion").await.json();
    assert_eq!(listed.pointer("/0/motion"), motion.as_ref());
    assert_eq!(listed.pointer("/0/proposal/period"), Some(&json!("end")));
    assert_eq!(listed.pointer("/0/proposal/from"), Some(&json!("approval")));
    let own = office(&world, json!({ "do": "approve", "motion": motion, "hash": hash })).await;
    assert_eq!(own.brief(), "403 refused own-motion");
    let dropped = office(&world, json!({ "do": "withdraw-motion", "motion": motion })).await;
    assert_eq!(dropped.brief(), "200 done motion-withdrawn");
    assert_eq!(world.get("/v1/office/motion").await.text, "[]");
}

#[tokio::test]
async fn what_can_not_be_asked() {
    let world = World::koryolink().await;
    let mut said = String::new();
    for ask in [
        json!({}),
        json!({ "do": "rob-the-bank" }),
        json!({ "do": "sell" }),
        json!({ "do": "sell", "quote": 1, "discount": 5 }),
        json!({ "do": "sell", "quote": -1 }),
        json!({ "do": "deposit", "outlet": 1, "currency": "XXX", "amount_minor": 1 }),
        json!({ "do": "deposit", "outlet": 1, "currency": "USD", "amount_minor": 0 }),
        json!({ "do": "deposit", "outlet": 1, "currency": "USD", "amount_minor": 1 }),
        json!({ "do": "refund", "serial": "4539578763621486" }),
        json!({ "do": "approve", "motion": 1, "hash": "abc" }),
        json!({ "do": "open-outlet", "operator": "nobody", "name": "x" }),
        json!({ "do": "propose-rate", "operator": "koryolink", "currency": "USD", "cash_minor": 0, "airtime_minor": 1, "from": "now" }),
        json!({ "do": "propose-rate", "operator": "koryolink", "currency": "USD", "cash_minor": 1, "airtime_minor": 1, "from": "2020-01-01T00:00:00Z" }),
        json!({ "do": "propose-rate", "operator": "koryolink", "currency": "USD", "cash_minor": 1, "airtime_minor": 1, "from": "yesterday" }),
        json!({ "do": "propose-void", "first": "1", "last": "2", "why": "lost" }),
        json!({ "do": "propose-reversal", "receipt": "1-KC", "reason": "x" }),
        json!({ "do": "propose-reversal", "receipt": "1-XX", "reason": "x" }),
        json!({ "do": "consume", "msisdn": "1911000009", "seconds": 5 }),
        json!({ "do": "consume", "msisdn": "1911000001", "seconds": 0 }),
    ] {
        let told = office(&world, ask.clone()).await;
        said.push_str(&format!("{ask}: {}\n", told.brief()));
    }
    expect![[r#"
        {}: 400 malformed
        {"do":"rob-the-bank"}: 400 malformed
        {"do":"sell"}: 400 malformed
        {"discount":5,"do":"sell","quote":1}: 400 malformed
        {"do":"sell","quote":-1}: 400 malformed
        {"amount_minor":1,"currency":"XXX","do":"deposit","outlet":1}: 400 malformed
        {"amount_minor":0,"currency":"USD","do":"deposit","outlet":1}: 400 malformed
        {"amount_minor":1,"currency":"USD","do":"deposit","outlet":1}: 404 refused outlet-unknown
        {"do":"refund","serial":"4539578763621486"}: 400 malformed
        {"do":"approve","hash":"abc","motion":1}: 400 malformed
        {"do":"open-outlet","name":"x","operator":"nobody"}: 404 not-found
        {"airtime_minor":1,"cash_minor":0,"currency":"USD","do":"propose-rate","from":"now","operator":"koryolink"}: 409 refused rate-zero
        {"airtime_minor":1,"cash_minor":1,"currency":"USD","do":"propose-rate","from":"2020-01-01T00:00:00Z","operator":"koryolink"}: 409 refused rewrites-past
        {"airtime_minor":1,"cash_minor":1,"currency":"USD","do":"propose-rate","from":"yesterday","operator":"koryolink"}: 400 malformed
        {"do":"propose-void","first":"1","last":"2","why":"lost"}: 404 not-found
        {"do":"propose-reversal","reason":"x","receipt":"1-KC"}: 404 not-found
        {"do":"propose-reversal","reason":"x","receipt":"1-XX"}: 422 misread
        {"do":"consume","msisdn":"1911000009","seconds":5}: 404 refused subscriber-unknown
        {"do":"consume","msisdn":"1911000001","seconds":0}: 409 refused seconds-out-of-range
    "#]].assert_eq(&said);
    for (path, brief) in [
        ("/v1/office/cake", "404 not-found"),
        ("/v1/card-states?first=2&last=1", "400 malformed"),
        ("/v1/card-states?first=1", "400 malformed"),
        ("/v1/call-price?msisdn=1911000009&seconds=60", "404 not-found"),
        ("/v1/call-price?msisdn=1911000001&seconds=many", "400 malformed"),
        ("/v1/gifts/1-KC", "404 not-found"),
        ("/v1/batches/7", "404 not-found"),
    ] {
        assert_eq!(world.get(path).await.brief(), brief, "{path}");
    }
}

#[tokio::test]
async fn a_later_load_is_a_proposal_that_may_not_rewrite_the_past() {
    let world = World::koryolink().await;
    let other = KORYOLINK.replace("amount_max = 500", "amount_max = 5000");
    assert_eq!(world.load(&other).await.brief(), "409 refused rewrites-past");
    let from = |text: &str| json!({ "toml": other, "from": text });
    assert_eq!(world.post("/v1/operators", &from("2020-01-01T00:00:00Z")).await.brief(), "200 done proposed");
    assert_eq!(world.post("/v1/operators", &from("soon")).await.brief(), "400 malformed");
    let proposed = world.post("/v1/operators", &from("now")).await;
    assert!(matches!(world.second(&proposed).await, Outcome::Done(_)));
    let hash = json!(blake3::hash(other.as_bytes()).to_hex().to_string());
    assert_eq!(world.get("/v1/operators").await.json().pointer("/0/file_hash"), Some(&hash));
}

/// How many of a kind the office keeps.
async fn kept(world: &World, kind: &str) -> usize {
    world.get(&format!("/v1/office/{kind}")).await.json().as_array().expect("a list").len()
}

/// Waits until the office keeps none of these.
async fn until_none(world: &World, kinds: &[&str]) {
    for _ in 0..6_000 {
        let mut left = 0;
        for kind in kinds {
            left += kept(world, kind).await;
        }
        if left == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("something of {kinds:?} is still there");
}

/// A quote, a call in progress and a motion.
async fn what_falls_due(world: &World) {
    let quote = json!({ "do": "quote-cards", "outlet": 1, "currency": "USD", "first": "1", "count": 1 });
    assert_eq!(office(world, quote).await.brief(), "200 done quoted");
    let call = json!({ "do": "reserve-call", "msisdn": "1911000003", "seconds": 60 });
    assert_eq!(office(world, call).await.brief(), "200 done call-reserved");
    let close = json!({ "do": "propose-close", "operator": "koryolink", "period": "end", "from": "now" });
    assert_eq!(office(world, close).await.brief(), "200 done proposed");
    for kind in ["quote", "call", "motion"] {
        assert_eq!(kept(world, kind).await, 1, "{kind}");
    }
}

#[tokio::test]
async fn what_is_due_ends_by_itself_also_after_a_restart() {
    let world = World::koryolink().await;
    shop(&world).await;
    let import = json!({ "operator": "koryolink", "subscribers": [{ "msisdn": "1911000003", "airtime_minor": 100 }] });
    assert_eq!(world.post("/v1/subscribers/import", &import).await.brief(), "200 done imported");
    let airtime = async |world: &World| world.get("/v1/subscribers/1911000003").await.json()["airtime_minor"].clone();
    what_falls_due(&world).await;
    assert_eq!(airtime(&world).await, 96);
    // Each at its own time: the quote after a quarter of an hour, the call after two, the motion after a week.
    for (later_s, due, kept_still) in [(900, "quote", "call"), (6_300, "call", "motion")] {
        world.clock.advance_s(later_s);
        until_none(&world, &[due]).await;
        assert_eq!(kept(&world, kept_still).await, 1);
    }
    assert_eq!(airtime(&world).await, 100, "what nobody talked for came back");
    world.clock.advance_s(7 * 86_400);
    until_none(&world, &["motion"]).await;
    // The same over a restart that nobody waits for.
    what_falls_due(&world).await;
    let World { journal, clock, engine, .. } = world;
    engine.stop().expect("no fault");
    clock.advance_s(8 * 86_400);
    let world = World::over(journal, clock, EngineConfig { accept_clock: true, ..EngineConfig::default() });
    until_none(&world, &["quote", "call", "motion"]).await;
    assert_eq!(airtime(&world).await, 100);
}

/// A number that was released and given out again: its first holder is asked for by row, and nobody approves what they don't see.
#[tokio::test]
async fn a_number_s_former_holder_keeps_their_own_account() {
    let world = World::koryolink().await;
    let import = json!({ "operator": "koryolink", "subscribers": [{ "msisdn": "1911000060", "airtime_minor": 40 }] });
    world.post("/v1/subscribers/import", &import).await;
    let row = world.get("/v1/subscribers/1911000060").await.json().pointer("/subscriber").cloned().expect("a row");
    let adjust = |debit: Value, amount: i64| {
        json!({ "do": "propose-adjustment", "operator": "koryolink", "debit": debit, "credit": { "kind": "refunded" },
            "amount_minor": amount, "reason": "left behind" })
    };
    world.post("/v1/subscribers/1911000060/release", &Value::Null).await;
    let again = json!({ "operator": "koryolink", "subscribers": [{ "msisdn": "1911000060" }] });
    world.post("/v1/subscribers/import", &again).await;
    let short = office(&world, adjust(json!({ "kind": "airtime", "msisdn": "1911000060" }), 40)).await;
    assert_eq!(short.brief(), "409 refused balance-short", "the new holder has nothing");
    for debit in [json!({ "kind": "airtime" }), json!({ "kind": "airtime", "msisdn": "1911000060", "subscriber": row })]
    {
        assert_eq!(office(&world, adjust(debit, 40)).await.brief(), "400 malformed");
    }
    let told = office(&world, adjust(json!({ "kind": "airtime", "subscriber": row }), 40)).await;
    let shown = world.get("/v1/office/motion").await.json();
    assert_eq!(shown.pointer("/0/proposal/debit/msisdn"), Some(&json!("8501911000060")), "{shown}");
    assert!(matches!(world.second(&told).await, Outcome::Done(_)), "{}", told.text);
    let nobody = office(&world, adjust(json!({ "kind": "airtime", "subscriber": 4_000_000 }), 1)).await;
    assert_eq!(nobody.brief(), "409 refused accounts-dont-fit");
}

#[tokio::test]
async fn a_call_that_can_not_be_is_not_priced() {
    let world = World::koryolink().await;
    for (seconds, brief) in [(1, 200), (86_400, 200), (0, 400), (86_401, 400), (u32::MAX, 400)] {
        let told = world.get(&format!("/v1/call-price?msisdn=1911000001&seconds={seconds}")).await;
        assert_eq!(told.status, brief, "{seconds}: {}", told.text);
        assert!(brief == 200 || told.text.contains("1 to 86400 seconds"), "{}", told.text);
    }
}
