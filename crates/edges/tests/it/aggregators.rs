//! The JSON dialects as their aggregators write them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::fake::ALICE;
use crate::phone::{KEY, World, post_to};

/// Which JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Hubtel,
    Arkesel,
}

impl Json {
    pub(crate) const BOTH: [Self; 2] = [Self::Hubtel, Self::Arkesel];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Hubtel => "/ussd/hubtel",
            Self::Arkesel => "/ussd/arkesel",
        }
    }

    /// The first request of a session.
    pub(crate) fn begin(self, msisdn: &str, session: &str, dialled: &str) -> Value {
        match self {
            Self::Hubtel => hubtel("Initiation", msisdn, session, dialled, 1),
            Self::Arkesel => arkesel(true, msisdn, session, dialled),
        }
    }

    /// The `at`th input after it, from 1.
    pub(crate) fn typed(self, msisdn: &str, session: &str, typed: &str, at: usize) -> Value {
        match self {
            Self::Hubtel => hubtel("Response", msisdn, session, typed, at + 1),
            Self::Arkesel => arkesel(false, msisdn, session, typed),
        }
    }

    /// The answer as Africa's Talking would have it.
    pub(crate) fn screen(self, answer: &Value) -> String {
        let (text, goes_on) = match self {
            Self::Hubtel => (&answer["Message"], answer["Type"] == "response"),
            Self::Arkesel => (&answer["message"], answer["continueSession"] == true),
        };
        let text = text.as_str().expect("a text");
        assert!(wire::text::fits(text, wire::text::Budget::USSD), "too long: {text}");
        format!("{} {text}", if goes_on { "CON" } else { "END" })
    }
}

pub(crate) fn hubtel(kind: &str, mobile: &str, session: &str, message: &str, sequence: usize) -> Value {
    json!({
        "Type": kind, "Mobile": mobile, "SessionId": session, "ServiceCode": "999", "Message": message,
        "Operator": "mtn", "Platform": "USSD", "ClientState": "", "Sequence": sequence,
    })
}

pub(crate) fn arkesel(new: bool, msisdn: &str, session: &str, data: &str) -> Value {
    json!({
        "sessionID": session, "userID": "SONMUL_1", "newSession": new, "msisdn": msisdn, "userData": data,
        "network": "MTN",
    })
}

impl World {
    /// One JSON body as it is; status and body.
    pub(crate) async fn send_json(&self, dialect: Json, body: impl ToString) -> (StatusCode, String) {
        self.send(post_to(dialect.path(), "application/json", body.to_string(), "127.0.0.1:1", Some(KEY))).await
    }

    /// One request that is answered.
    pub(crate) async fn answer(&self, dialect: Json, body: &Value) -> Value {
        let (status, answer) = self.send_json(dialect, body).await;
        assert_eq!(status, StatusCode::OK);
        serde_json::from_str(&answer).expect("JSON")
    }

    /// A whole dialogue as a transcript; a person takes two seconds for each input.
    pub(crate) async fn talk_json(&self, dialect: Json, msisdn: &str, session: &str, inputs: &[&str]) -> String {
        let mut transcript = String::new();
        for (at, input) in inputs.iter().enumerate() {
            let asked = match at {
                0 => dialect.begin(msisdn, session, input),
                at => dialect.typed(msisdn, session, input, at),
            };
            let screen = dialect.screen(&self.answer(dialect, &asked).await);
            transcript.push_str(&format!("> {input}\n{screen}\n"));
            self.fake.later(2);
        }
        transcript
    }
}

#[tokio::test]
async fn answers_have_the_shape_that_each_aggregator_reads() {
    let world = World::new();
    let session = "8d440a43a98b4614";
    let menu = "1 전화돈 보내기\n2 내 손전화에 넣기\n3 잔고 보기\n4 최근 5건\n5 카드 등록\n6 암호 바꾸기\n7 카드 정지\n8 English";
    let bye = "끝났습니다.";
    let answer = world.answer(Json::Hubtel, &Json::Hubtel.begin(ALICE, session, "*999#")).await;
    let expected = json!({
        "SessionId": session, "Type": "response", "Message": menu, "Label": menu, "DataType": "input",
        "FieldType": "text",
    });
    assert_eq!(answer, expected);
    let answer = world.answer(Json::Hubtel, &Json::Hubtel.typed(ALICE, session, "0", 1)).await;
    let expected = json!({
        "SessionId": session, "Type": "release", "Message": bye, "Label": bye, "DataType": "display",
        "FieldType": "text",
    });
    assert_eq!(answer, expected);
    let expected = |message: &str, goes_on: bool| {
        json!({
            "sessionID": session, "userID": "SONMUL_1", "msisdn": ALICE, "message": message,
            "continueSession": goes_on,
        })
    };
    let answer = world.answer(Json::Arkesel, &Json::Arkesel.begin(ALICE, session, "*999#")).await;
    assert_eq!(answer, expected(menu, true));
    world.fake.later(2);
    let answer = world.answer(Json::Arkesel, &Json::Arkesel.typed(ALICE, session, "0", 1)).await;
    assert_eq!(answer, expected(bye, false));
}

/// What gateways are known to write otherwise than their documents say.
#[tokio::test]
async fn one_dialled_gift_in_many_spellings() {
    let gift = "*999*500*1921112222*482913#";
    let hubtel = |changed: Value| (Json::Hubtel, merged(Json::Hubtel.begin(ALICE, "s", gift), changed));
    let arkesel = |changed: Value| (Json::Arkesel, merged(Json::Arkesel.begin(ALICE, "s", gift), changed));
    let spellings = [
        hubtel(json!({})),
        hubtel(json!({ "Type": "initiation", "Sequence": "1" })),
        hubtel(json!({ "Type": "INITIATION", "Sequence": null })),
        hubtel(json!({ "Mobile": format!("+{ALICE}") })),
        hubtel(json!({ "Mobile": 8_501_912_345_678_u64, "SessionId": 7 })),
        hubtel(json!({ "Message": "500*1921112222*482913" })),
        hubtel(json!({ "Message": "500*1921112222*482913#", "ServiceCode": "*999#" })),
        hubtel(json!({ "Message": "999*500*1921112222*482913", "ServiceCode": 999 })),
        hubtel(json!({ "Message": gift, "ServiceCode": null, "Operator": null, "unheard-of": { "of": [1, 2.5] } })),
        arkesel(json!({})),
        arkesel(json!({ "newSession": "true", "msisdn": format!("+{ALICE}") })),
        arkesel(json!({ "newSession": 1, "msisdn": 8_501_912_345_678_u64, "sessionID": 7, "userID": null })),
        arkesel(json!({ "userData": "999*500*1921112222*482913" })),
    ];
    for (dialect, asked) in spellings {
        let world = World::new();
        let answer = world.answer(dialect, &asked).await;
        assert!(dialect.screen(&answer).starts_with("END 보냈습니다. 0192 111 2222, 500원."), "{asked} {answer}");
        assert_eq!(world.fake.given(), [(8_501_921_112_222, 500)], "{asked}");
    }
}

fn merged(mut asked: Value, changed: Value) -> Value {
    let (Some(asked_fields), Value::Object(changed)) = (asked.as_object_mut(), changed) else { panic!("objects") };
    asked_fields.extend(changed);
    asked
}

/// A request that is one.
fn good(dialect: Json) -> Value {
    dialect.begin(ALICE, "s", "*999*500*1921112222*482913#")
}

/// What is none.
fn bad() -> Vec<(Json, String)> {
    let without = |dialect: Json, field: &str| {
        let mut asked = good(dialect);
        assert!(asked.as_object_mut().expect("an object").remove(field).is_some());
        (dialect, asked.to_string())
    };
    let with = |dialect: Json, changed: Value| (dialect, merged(good(dialect), changed).to_string());
    let mut bad = Vec::new();
    for dialect in Json::BOTH {
        let whole = good(dialect).to_string();
        let twice = whole.replacen('{', r#"{"Message":"482913","userData":"482913","Message":"1","userData":"1","#, 1);
        bad.extend([
            (dialect, String::new()),
            (dialect, String::from("482913")),
            (dialect, String::from("[]")),
            (dialect, String::from("{}")),
            (dialect, whole.get(..whole.len() - 1).expect("ASCII").to_owned()),
            (dialect, format!("{whole}482913")),
            (dialect, format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200))),
            (dialect, String::from(r#"{"Type":"\ud800"}"#)),
            (dialect, String::from("sessionId=s&text=482913")),
            (dialect, twice),
        ]);
    }
    bad.extend(["Type", "Mobile", "SessionId"].map(|field| without(Json::Hubtel, field)));
    bad.extend(["sessionID", "newSession", "msisdn"].map(|field| without(Json::Arkesel, field)));
    bad.extend([
        with(Json::Hubtel, json!({ "Type": "Query" })),
        with(Json::Hubtel, json!({ "Type": 1 })),
        with(Json::Hubtel, json!({ "Type": "" })),
        with(Json::Hubtel, json!({ "Message": ["482913"] })),
        with(Json::Hubtel, json!({ "Message": { "482913": 1 } })),
        with(Json::Hubtel, json!({ "Message": 482.913 })),
        with(Json::Hubtel, json!({ "Message": -482_913 })),
        with(Json::Hubtel, json!({ "Mobile": true })),
        with(Json::Arkesel, json!({ "newSession": "482913" })),
        with(Json::Arkesel, json!({ "newSession": null })),
        with(Json::Arkesel, json!({ "userData": ["482913"] })),
        with(Json::Arkesel, json!({ "userData": 482.913 })),
        with(Json::Arkesel, json!({ "userID": false })),
    ]);
    bad
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_a_word() {
    let world = World::new();
    let before = world.fake.lock().submitted;
    for (dialect, body) in bad() {
        let (status, shown) = world.send_json(dialect, &body).await;
        assert_eq!((status, shown.as_str()), (StatusCode::BAD_REQUEST, ""), "{dialect:?} {body}");
    }
    for dialect in Json::BOTH {
        let huge = merged(good(dialect), json!({ "padding": "1".repeat(5_000) }));
        let (status, shown) = world.send_json(dialect, huge).await;
        assert_eq!((status, shown.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, ""), "{dialect:?}");
        let mut not_text = good(dialect).to_string().into_bytes();
        not_text[10] = 0xFF;
        let mut request = post_to(dialect.path(), "application/json", String::new(), "127.0.0.1:1", Some(KEY));
        *request.body_mut() = axum::body::Body::from(not_text);
        assert_eq!(world.send(request).await.0, StatusCode::BAD_REQUEST);
        for (from, key, expected) in [
            ("127.0.0.1:1", Some("wrong-key"), StatusCode::UNAUTHORIZED),
            ("127.0.0.1:1", None, StatusCode::UNAUTHORIZED),
            ("192.0.2.7:1", Some(KEY), StatusCode::FORBIDDEN),
        ] {
            let request = post_to(dialect.path(), "application/json", good(dialect).to_string(), from, key);
            assert_eq!(world.send(request).await, (expected, String::new()));
        }
        let mut get = post_to(dialect.path(), "application/json", String::new(), "127.0.0.1:1", Some(KEY));
        *get.method_mut() = axum::http::Method::GET;
        assert_eq!(world.send(get).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(world.fake.lock().submitted, before, "nothing was asked of the decider");
}

#[tokio::test]
async fn without_a_caller_or_a_session_the_phone_reads_so() {
    let world = World::new();
    let long = "s".repeat(129);
    for dialect in Json::BOTH {
        for (msisdn, session) in [("nobody", "s"), ("", "s"), ("482913", "s"), (ALICE, ""), (ALICE, &*long)] {
            for asked in [dialect.begin(msisdn, session, "*999#"), dialect.typed(msisdn, session, "1", 1)] {
                let answer = world.answer(dialect, &asked).await;
                assert_eq!(dialect.screen(&answer), "END 봉사하지 않는 번호입니다.");
                assert!(!answer.to_string().contains("482913"), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_but_what_an_answer_must_repeat_is_repeated() {
    let world = World::new();
    let elsewhere = json!({
        "Operator": "482913", "Platform": "482913", "ClientState": "482913", "network": "482913",
        "unheard-of": "482913", "ServiceCode": "482913", "Message": "482913", "userData": "482913",
    });
    for dialect in Json::BOTH {
        for asked in [dialect.begin(ALICE, "s", ""), dialect.typed(ALICE, "s", "", 1)] {
            let (status, answer) = world.send_json(dialect, merged(asked, elsewhere.clone())).await;
            assert_eq!(status, StatusCode::OK);
            assert!(!answer.contains("482913"), "{answer}");
        }
    }
}

/// A dialogue is what the peer's session is; what it keeps for us (`ClientState`) moves nothing.
#[tokio::test]
async fn what_a_peer_says_of_a_dialogue_is_not_believed() {
    let world = World::new();
    world.answer(Json::Hubtel, &Json::Hubtel.begin(ALICE, "s", "*999#")).await;
    let claimed = json!({ "ClientState": "password", "Sequence": 9 });
    let answer = world.answer(Json::Hubtel, &merged(Json::Hubtel.typed(ALICE, "s", "482913", 1), claimed)).await;
    assert!(Json::Hubtel.screen(&answer).starts_with("CON 1 전화돈 보내기"), "{answer}");
    for dialect in Json::BOTH {
        let answer = world.answer(dialect, &dialect.typed(ALICE, "unknown", "482913", 3)).await;
        let over = dialect.screen(&answer);
        assert!(over.starts_with("END ") && !over.contains("482913"), "{over}");
    }
    assert!(world.fake.given().is_empty());
}
