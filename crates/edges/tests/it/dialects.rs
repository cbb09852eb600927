//! The same dialogue in every dialect: repeated frames, lost answers, marks of what was told.

use axum::http::StatusCode;
use domain::receipt::Seq;
use proptest::prelude::{BoxedStrategy, Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use crate::aggregators::Json;
use crate::fake::{ALICE, DAVE, PASSWORD, SPARE_CARD, SPARE_PASSWORD, Trouble};
use crate::phone::{KEY, World, post_to, request};

#[tokio::test]
async fn dialogues_read_the_same_in_every_dialect() {
    let dialogues: [&[&str]; 12] = [
        &["*999*500*1921112222*482913#"],
        &["*999*500*1921112222#", "482914", "482913"],
        &["*999#", "1", "01921112222", "500", "482913"],
        &["*999#", "1", "01921112222", "500", "0", "0", "0", "0"],
        &["*999#", "2", "200", "482913"],
        &["*999#", "3", "482913"],
        &["*999#", "4", "482913"],
        &["*999#", "5", SPARE_CARD, SPARE_PASSWORD],
        &["*999#", "6", "482913", "590274", "590275", "590275", "590275"],
        &["*999#", "8", "2", "1"],
        &["*998#"],
        &["*999*0*9#", "1"],
    ];
    for msisdn in [ALICE, DAVE] {
        for dialect in Json::BOTH {
            let (world, other) = (World::new(), World::new());
            let mut phone = other.phone(msisdn);
            for (at, inputs) in dialogues.iter().enumerate() {
                let expected = phone.talk(inputs).await;
                other.fake.later(2 * i64::try_from(inputs.len()).expect("few"));
                let session = format!("{msisdn}-{at}");
                assert_eq!(world.talk_json(dialect, msisdn, &session, inputs).await, expected, "{dialect:?}");
            }
            assert_eq!(world.fake.given(), other.fake.given());
        }
    }
}

#[tokio::test]
async fn a_repeated_frame_gets_its_screen_and_pays_once() {
    for dialect in Json::BOTH {
        for wait_s in [0, 2, 20] {
            let world = World::new();
            let mut submitted = 0;
            let inputs = ["*999#", "1", "1921112222", "500", "482914", "482913"];
            for (at, input) in inputs.iter().enumerate() {
                let asked = match at {
                    0 => dialect.begin(ALICE, "s", input),
                    at => dialect.typed(ALICE, "s", input, at),
                };
                let first = world.answer(dialect, &asked).await;
                submitted += usize::from(at > 3);
                world.fake.later(wait_s);
                let again = world.answer(dialect, &asked).await;
                // Arkesel's could have been typed twice. Where that does no harm it is taken so.
                if dialect == Json::Hubtel || wait_s == 0 || at == 0 || at > 2 {
                    assert_eq!(again, first, "{dialect:?} {wait_s} {input}");
                }
                world.fake.later(2);
            }
            let wrong = world.fake.lock().entries.iter().filter(|(_, entry)| entry.body.name() == "gift").count();
            assert_eq!((wrong, world.fake.given().len()), (submitted, 1), "{dialect:?}: one wrong password, one gift");
        }
    }
}

/// What a history needs (docs/history.md): every verdict names its entry, a repeated one the same, a question none.
#[tokio::test]
async fn a_screen_that_tells_a_verdict_names_its_entry() {
    let joined = |session: &str, text: &str| request(session, "*999*", &format!("+{ALICE}"), text);
    let posted = |dialect: Json, body: Value| {
        post_to(dialect.path(), "application/json", body.to_string(), "127.0.0.1:1", Some(KEY))
    };
    let dial = |path: Option<Json>, session: &str, text: &str| match path {
        None => joined(session, text),
        Some(dialect) => posted(dialect, dialect.begin(ALICE, session, &format!("*999*{text}#"))),
    };
    for path in [None, Some(Json::Hubtel), Some(Json::Arkesel)] {
        let world = World::new();
        let latest = || u64::try_from(world.fake.lock().entries.len()).expect("few");
        let given = world.named(dial(path, "s1", "500*1921112222*482913")).await;
        assert_eq!(given, Some(latest()), "{path:?}");
        let refused = world.named(dial(path, "s2", "500*1933334444*482913")).await;
        assert_eq!(refused, Some(latest()), "{path:?}: one gift a day");
        assert!(given < refused);
        assert_eq!(world.named(dial(path, "s1", "500*1921112222*482913")).await, given, "{path:?}: once more");
        // It asks for the password again, and tells the verdict all the same.
        assert_eq!(world.named(dial(path, "s3", "500*1933334444*482914")).await, Some(latest()), "{path:?}");
        let before = latest();
        for asks in ["500*1933334444", "0*9"] {
            assert_eq!(world.named(dial(path, asks, asks)).await, None, "{path:?}: {asks}");
        }
        assert_eq!(latest(), before);
    }
}

/// The amount's frame comes again when the password is asked for: no wrong password.
#[tokio::test]
async fn a_late_repetition_costs_no_try() {
    let world = World::new();
    let before = world.fake.lock().submitted;
    let all = world.talk_json(Json::Arkesel, ALICE, "s", &["*999#", "1", "1921112222", "500", "500", "500"]).await;
    let screens: Vec<&str> = all.split("> 500\n").skip(1).collect();
    assert_eq!(screens.len(), 3);
    assert!(screens.iter().all(|screen| *screen == screens[0]), "{all}");
    assert_eq!(world.fake.lock().submitted, before);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_id() {
    for dialect in Json::BOTH {
        for trouble in [Trouble::AnswerLost, Trouble::CommandLost] {
            let world = World::new();
            for inputs in [&["*999*500*1921112222*482913#"][..], &["*999*300*1933334444#", "482913"]] {
                let session = format!("s{}", inputs.len());
                let (last, before) = inputs.split_last().expect("some");
                world.talk_json(dialect, ALICE, &session, before).await;
                world.fake.trouble(Some(trouble));
                let asked = match before.len() {
                    0 => dialect.begin(ALICE, &session, last),
                    at => dialect.typed(ALICE, &session, last, at),
                };
                let unknown = world.answer(dialect, &asked).await;
                world.fake.trouble(None);
                world.fake.later(3);
                let known = world.answer(dialect, &asked).await;
                assert_ne!(known, unknown);
                world.fake.later(3);
                assert_eq!(world.answer(dialect, &asked).await, known);
            }
            // The second is refused by the rules of a day, once.
            assert_eq!(world.fake.given(), [(8_501_921_112_222, 500)], "{dialect:?} {trouble:?}");
        }
    }
}

/// The dialogue is dropped, and nobody reads what is said then.
#[tokio::test]
async fn a_release_or_a_timeout_asks_for_nothing() {
    for kind in ["Release", "Timeout", "release"] {
        let world = World::new();
        world.answer(Json::Hubtel, &Json::Hubtel.begin(ALICE, "s", "*999*500*1921112222#")).await;
        let before = world.fake.lock().submitted;
        let mut gone = Json::Hubtel.typed(ALICE, "s", PASSWORD, 1);
        gone["Type"] = json!(kind);
        let answer = world.answer(Json::Hubtel, &gone).await;
        assert_eq!((&answer["Type"], &answer["Message"]), (&json!("release"), &json!("")));
        gone["SessionId"] = json!("unknown");
        assert_eq!(world.answer(Json::Hubtel, &gone).await["Type"], "release");
        assert_eq!(world.fake.lock().submitted, before);
        assert!(world.fake.given().is_empty());
    }
}

fn is_told(world: &World) -> bool {
    let seq = Seq(u64::try_from(world.fake.lock().entries.len()).expect("few"));
    world.flow.told().is_told(seq)
}

#[tokio::test]
async fn a_gift_whose_screen_left_is_told_and_nothing_else_is() {
    let gift = "*999*500*1921112222*482913#";
    for dialect in [None, Some(Json::Hubtel), Some(Json::Arkesel)] {
        let world = World::new();
        let send = async |session: &str, dialled: &str| match dialect {
            Some(dialect) => drop(world.answer(dialect, &dialect.begin(ALICE, session, dialled)).await),
            None => drop(world.send(request(session, "*999#", ALICE, &dialled[5..dialled.len() - 1])).await),
        };
        send("a", "*999*500*1921112222*482914#").await;
        assert!(!is_told(&world), "refused: no money moved");
        world.fake.trouble(Some(Trouble::AnswerLost));
        send("b", gift).await;
        assert_eq!(world.fake.given().len(), 1);
        assert!(!is_told(&world), "the phone read that nothing is known yet");
        world.fake.trouble(None);
        send("b", gift).await;
        assert_eq!(world.fake.given().len(), 1);
        assert!(is_told(&world), "{dialect:?}");
    }
}

/// Three times the same frame while no answer comes: all of them read that nothing is known yet, in their own time.
#[tokio::test(start_paused = true)]
async fn what_the_aggregator_may_have_stopped_waiting_for_is_not_told() {
    let world = World::new();
    let dialect = Json::Hubtel;
    let asked = dialect.begin(ALICE, "s", "*999*500*1921112222*482913#");
    world.fake.trouble(Some(Trouble::Hangs));
    let send = || {
        let (world, asked) = (world.clone(), asked.clone());
        tokio::spawn(async move { dialect.screen(&world.answer(dialect, &asked).await) })
    };
    let waiting = [send(), send(), send()];
    tokio::time::sleep(std::time::Duration::from_secs(15)).await;
    world.fake.trouble(None);
    let mut screens = Vec::new();
    for screen in waiting {
        screens.push(screen.await.expect("no panic"));
    }
    assert!(screens[0].contains("알수 없습니다") && screens.iter().all(|screen| *screen == screens[0]), "{screens:?}");
    assert!(!is_told(&world), "nobody read of a gift");
    let known = send().await.expect("no panic");
    assert!(known.contains("500원") && known != screens[0], "{known}");
    assert_eq!(world.fake.given().len(), 1);
    assert!(is_told(&world), "the same frame, answered at once");
}

/// Whatever a field may hold, rightly or wrongly.
fn any_value() -> BoxedStrategy<Value> {
    let text = prop_oneof![
        any::<String>().boxed(),
        "[*#0-9]{0,24}".boxed(),
        proptest::sample::select(vec![
            "*999#",
            "*999*500*1921112222*482913#",
            "Initiation",
            "response",
            "Release",
            "Timeout",
            "true",
            "0",
            "1",
            "482913",
            ALICE,
        ])
        .prop_map(String::from)
        .boxed(),
    ];
    prop_oneof![
        8 => text.prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([1, { "a": null }])),
    ]
    .boxed()
}

fn any_request() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(vec![
        "Type",
        "Message",
        "ServiceCode",
        "Mobile",
        "SessionId",
        "Sequence",
        "ClientState",
        "sessionID",
        "userID",
        "newSession",
        "msisdn",
        "userData",
        "network",
        "x",
    ]);
    let changes = proptest::collection::vec((name, any_value()), 0..4);
    let base = (any::<(bool, bool)>(), "[*#0-9]{0,24}").prop_map(|((dialect, begin), text)| {
        let dialect = Json::BOTH[usize::from(dialect)];
        if begin { dialect.begin(ALICE, "s", &text) } else { dialect.typed(ALICE, "s", &text, 1) }
    });
    (prop_oneof![4 => base.boxed(), 1 => Just(Value::Object(Map::new())).boxed()], changes).prop_map(
        |(mut asked, changes)| {
            for (name, value) in changes {
                asked[name] = value;
            }
            asked
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_json_is_answered_or_refused(
        asked in proptest::collection::vec(any_request(), 1..6),
        raw in any::<String>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let world = World::new();
        runtime.block_on(async {
            for dialect in Json::BOTH {
                for asked in &asked {
                    let (status, answer) = world.send_json(dialect, asked).await;
                    match status {
                        StatusCode::OK => drop(dialect.screen(&serde_json::from_str(&answer).expect("JSON"))),
                        status => assert_eq!((status, &*answer), (StatusCode::BAD_REQUEST, ""), "{asked}"),
                    }
                }
                let (status, _) = world.send_json(dialect, &raw).await;
                assert_eq!(status, StatusCode::BAD_REQUEST);
            }
        });
        let gifts = world.fake.given();
        prop_assert!(gifts.len() <= 1 && gifts.iter().all(|gift| *gift == (8_501_921_112_222, 500)));
    }
}

/// Hubtel says `Timeout` of an answer that it threw away: nobody read it, so the SMS tells, and the next dial does.
#[tokio::test]
async fn an_answer_that_was_thrown_away_is_not_told() {
    let top_up = "*999*0*5*200*482913#";
    for (kind, told, says) in [("Timeout", false, "전화돈 200원"), ("Release", true, "두번 넣지 않았습니다")]
    {
        let world = World::new();
        world.answer(Json::Hubtel, &Json::Hubtel.begin(ALICE, "one", top_up)).await;
        assert!(is_told(&world));
        world.answer(Json::Hubtel, &crate::aggregators::hubtel(kind, ALICE, "one", "", 2)).await;
        assert_eq!(is_told(&world), told, "{kind}");
        let again = world.answer(Json::Hubtel, &Json::Hubtel.begin(ALICE, "two", top_up)).await;
        let text = Json::Hubtel.screen(&again);
        assert!(text.contains(says), "{kind}: {text}");
    }
}

/// An aggregator that hangs up before our answer: its caller dials again.
#[tokio::test]
async fn a_peer_that_hangs_up_reads_nothing() {
    let top_up = "*999*0*5*200*482913#";
    let world = World::new();
    let begin = Json::Hubtel.begin(ALICE, "one", top_up);
    tokio::select! {
        biased;
        _ = world.send_json(Json::Hubtel, &begin) => panic!("the decider yields first"),
        () = tokio::task::yield_now() => {}
    }
    while world.fake.lock().submitted == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!is_told(&world));
    let again = world.answer(Json::Hubtel, &Json::Hubtel.begin(ALICE, "two", top_up)).await;
    assert!(Json::Hubtel.screen(&again).contains("전화돈 200원"), "{again}");
}
