use crate::fake::{ALICE, BOB, CAROL, DAVE, Trouble};
use crate::phone::{World, config};
use edges::brake::BrakeConfig;
use edges::flow::FlowConfig;
use edges::session::Times;
use expect_test::expect;

#[tokio::test]
async fn a_repeated_frame_gets_the_same_screen_and_pays_once() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    let first = phone.dial("*999*500*1921112222*482913#").await;
    assert_eq!(phone.again().await, first);
    world.fake.later(120);
    assert_eq!(phone.again().await, first, "also when the session is over");
    assert_eq!(world.fake.given().len(), 1);

    world.fake.later(86_400);
    for (at, input) in ["*999#", "1", "01933334444", "500", "482913"].iter().enumerate() {
        let screen = if at == 0 { phone.dial(input).await } else { phone.enter(input).await };
        assert_eq!(phone.again().await, screen, "{input}");
    }
    assert_eq!(world.fake.given().len(), 2);
}

/// The gateway has lost the last answer, and the server is another one: it remembers ids and no sessions.
#[tokio::test]
async fn the_last_request_of_a_dialogue_after_a_restart_pays_once() {
    for (first, last) in [("*999*500*1921112222#", "482913"), ("*999*500*1921112222*482913#", "")] {
        let world = World::ruled(&[("repeat_window_s = 300", "repeat_window_s = 0")]);
        let mut phone = world.phone(ALICE);
        let mut given = phone.dial(first).await;
        if !last.is_empty() {
            given = phone.enter(last).await;
        }
        assert!(given.contains("보냈습니다"), "{given}");
        phone.world = World::over(world.fake.clone(), config(), FlowConfig::default());
        assert_eq!(phone.again().await, given, "{first}");
        assert_eq!(world.fake.given().len(), 1, "{first}");
    }
}

#[tokio::test]
async fn frames_that_come_at_once_pay_once() {
    let world = World::new();
    let mut same = Vec::new();
    for _ in 0..20 {
        let mut phone = world.phone(ALICE);
        same.push(tokio::spawn(async move { phone.dial("*999*500*1921112222*482913#").await }));
    }
    let mut screens = Vec::new();
    for task in same {
        screens.push(task.await.expect("no panic"));
    }
    assert!(screens.iter().all(|screen| screen == &screens[0] && screen.contains("보냈습니다")), "{screens:?}");
    assert_eq!(world.fake.given().len(), 1);
}

#[tokio::test]
async fn a_wrong_try_and_a_right_one_are_two_prompts() {
    let world = World::new();
    let mut phone = world.phone(ALICE);
    phone.talk(&["*999*500*1921112222#", "482914"]).await;
    let given = phone.enter("482913").await;
    assert!(given.contains("보냈습니다"), "{given}");
    assert_eq!(phone.again().await, given);
    assert_eq!(world.fake.given().len(), 1);
}

#[tokio::test]
async fn what_went_wrong_is_said_and_stays_said() {
    let mut all = String::new();
    for trouble in [Trouble::Busy, Trouble::Disk] {
        let world = World::new();
        world.fake.trouble(Some(trouble));
        let mut phone = world.phone(ALICE);
        let screen = phone.dial("*999*500*1921112222*482913#").await;
        world.fake.trouble(None);
        // The phone was told that nothing was sent: the network's late repeat must not send it.
        assert_eq!(phone.again().await, screen);
        assert_eq!(world.fake.given(), []);
        all.push_str(&format!("{trouble:?}: {screen}\n"));
    }
    expect![[r#"
        Busy: END 지금은 바쁩니다. 아무것도 보내지 않았습니다. 잠시후 다시 거십시오.
        Disk: END 봉사를 잠시 멈추었습니다. 아무것도 보내지 않았습니다. 후에 다시 거십시오.
    "#]]
    .assert_eq(&all);
}

#[tokio::test(start_paused = true)]
async fn unknown_is_a_word_of_its_own_and_asking_again_is_safe() {
    let mut all = String::new();
    for trouble in [Trouble::AnswerLost, Trouble::CommandLost, Trouble::Hangs] {
        let world = World::new();
        let mut phone = world.phone(ALICE);
        world.fake.trouble(Some(trouble));
        let unknown = phone.dial("*999*500*1921112222*482913#").await;
        all.push_str(&format!("{trouble:?}: {unknown}\n"));
        // Nothing may be said of a command that may have been decided, but what is known.
        world.fake.trouble(Some(Trouble::Busy));
        if trouble != Trouble::AnswerLost {
            assert_eq!(phone.again().await, unknown);
        }
        world.fake.trouble(None);
        let late = phone.again().await;
        all.push_str(&format!("again: {late}\n"));
        assert_eq!(phone.again().await, late);
        assert_eq!(world.fake.given().len(), 1);

        world.fake.later(86_400);
        let mut menu = world.phone(ALICE);
        menu.session = 100;
        menu.talk(&["*999#", "1", "01933334444", "500"]).await;
        world.fake.trouble(Some(trouble));
        assert_eq!(menu.enter("482913").await, unknown);
        world.fake.trouble(None);
        world.fake.later(20);
        let late = menu.again().await;
        all.push_str(&format!("menu, too late: {late}\n"));
    }
    expect![[r#"
        AnswerLost: END 아직 알수 없습니다. 5분후에 잔고를 보면 보냈는지 알수 있습니다.
        again: END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3
        menu, too late: END 보냈습니다. 0193 333 4444, 500원.
        카드 잔고 1000원
        접수번호 A-0B
        CommandLost: END 아직 알수 없습니다. 5분후에 잔고를 보면 보냈는지 알수 있습니다.
        again: END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3
        menu, too late: END 시간이 지나 아무것도 보내지 않았습니다. 다시 거십시오.
        Hangs: END 아직 알수 없습니다. 5분후에 잔고를 보면 보냈는지 알수 있습니다.
        again: END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3
        menu, too late: END 시간이 지나 아무것도 보내지 않았습니다. 다시 거십시오.
    "#]]
    .assert_eq(&all);
}

#[tokio::test]
async fn too_many_dials_are_answered_by_the_edge() {
    let world = World::new();
    let mut phone = world.phone(DAVE);
    for _ in 0..10 {
        assert!(phone.dial("*999#").await.starts_with("CON 1 Give"));
    }
    let asked = |world: &World| {
        let inner = world.fake.lock();
        (inner.submitted, inner.queries)
    };
    let before = asked(&world);
    let screen = phone.dial("*999*500*1921112222*482913#").await;
    expect!["END Too many dials. Nothing was sent. Dial again in one minute."].assert_eq(&screen);
    assert_eq!(asked(&world), before);
    assert!(world.phone(ALICE).dial("*999#").await.starts_with("CON"), "others may dial");
    world.fake.later(60);
    assert!(phone.dial("*999#").await.starts_with("CON"));
}

#[tokio::test]
async fn a_link_that_brings_wrong_passwords_is_braked() {
    let aggregator = edges::aggregator::AggregatorConfig { brake: BrakeConfig { burst: 5, per_min: 1 }, ..config() };
    let world = World::with(aggregator, FlowConfig::default());
    for caller in [ALICE, DAVE] {
        let mut phone = world.phone(caller);
        for _ in 0..3 {
            phone.dial("*999*500*1921112222*111111#").await;
            world.fake.later(1);
        }
    }
    let before = world.fake.lock().submitted;
    let mut bob = world.phone(BOB);
    let screen = bob.dial("*999*0*1*482913#").await;
    expect!["END 지금은 봉사할수 없습니다. 아무것도 보내지 않았습니다. 후에 다시 거십시오."].assert_eq(&screen);
    assert_eq!(world.fake.lock().submitted, before);
    world.fake.later(120);
    assert!(bob.dial("*999*0*1*482913#").await.contains("카드가 없습니다"));
}

#[tokio::test]
async fn a_flood_of_sessions_is_bounded() {
    let mut flow = FlowConfig { callers_max: 64, ..FlowConfig::default() };
    flow.sessions_max = 100;
    let world = World::with(config(), flow);
    for caller in 0..2_000_u64 {
        let mut phone = world.phone(&(8_501_930_000_000 + caller).to_string());
        assert!(phone.dial("*999#").await.starts_with("CON"));
        assert!(world.flow.sessions_len() <= 100);
    }
    // Whoever was dropped hears so, and is not taken for a one-shot that pays.
    let mut dropped = world.phone("8501930000000");
    dropped.session = 1;
    let screen = dropped.enter("1*1921112222*500*482913").await;
    assert!(screen.starts_with("END"), "{screen}");
    assert_eq!(world.fake.given(), []);
}

#[tokio::test]
async fn a_name_that_we_forgot_and_the_decider_did_not_is_a_new_session() {
    let flow = FlowConfig { sessions_max: 1, ..FlowConfig::default() };
    let world = World::with(config(), flow);
    world.phone(ALICE).dial("*999*0*5*100*482913#").await;
    world.phone(BOB).dial("*999#").await;
    // The same name once more, and other content: the id is taken, so the edge counts up.
    let given = world.phone(ALICE).dial("*999*500*1921112222*482913#").await;
    assert!(given.contains("보냈습니다"), "{given}");
    world.phone(BOB).dial("*999#").await;
    assert_eq!(world.phone(ALICE).dial("*999*500*1921112222*482913#").await, given, "the same content is the same");
    assert_eq!(world.fake.given().len(), 1);
}

#[tokio::test]
async fn a_switch_that_uses_a_name_again_means_a_new_session() {
    use edges::flow::{Input, LinkConfig, Turn};
    let world = World::new();
    let link = world.flow.link(LinkConfig {
        id: domain::ids::LinkId(2),
        name: String::from("switch"),
        operators: vec![String::from("koryolink")],
        ranges: Vec::new(),
        budget: wire::text::Budget::USSD_OSMOHLR,
        dialogue: true,
        times: Times::default(),
        answer_within_ms: 10_000,
        brake: BrakeConfig::default(),
    });
    let turn =
        |input| Turn { caller: crate::fake::msisdn(ALICE), imsi: None, session: Box::from(*b"\x20\0\0\x01"), input };
    let dial = |text: &str| Input::Dialled(String::from(text).into());
    let typed = |text: &str, mark| Input::Typed { text: String::from(text).into(), mark };

    let first = link.turn(turn(dial("*999*500*1921112222*482913#"))).await;
    assert_eq!(link.turn(turn(dial("*999*500*1921112222*482913#"))).await, first, "repeated");
    world.fake.later(86_400);
    let menu = link.turn(turn(dial("*999#"))).await;
    for (text, mark) in [("1", 1), ("01933334444", 2), ("100", 3), ("482913", 4)] {
        assert!(wire::text::fits(&link.turn(turn(typed(text, mark))).await.text, wire::text::Budget::USSD_OSMOHLR));
    }
    assert_eq!(world.fake.given().len(), 2);
    // The switch starts again and counts from the same number: a menu once more, and another gift.
    world.fake.later(60);
    assert_eq!(link.turn(turn(dial("*999#"))).await, menu);
    for (text, mark) in [("2", 1), ("100", 2), ("482913", 3)] {
        link.turn(turn(typed(text, mark))).await;
    }
    let over = link.turn(turn(typed("482913", 4))).await;
    assert!(!over.goes_on);
    assert_eq!(world.fake.given().len(), 2);
    let airtime =
        world.fake.lock().state.find_subscriber(crate::fake::msisdn(ALICE)).map(|(_, row)| row.airtime.balance_minor);
    assert_eq!(airtime, Some(100));
}

#[tokio::test]
async fn a_link_without_dialogue_answers_with_the_full_form() {
    use edges::flow::{Input, LinkConfig, Turn};
    let world = World::new();
    let link = world.flow.link(LinkConfig {
        id: domain::ids::LinkId(2),
        name: String::from("one way"),
        operators: vec![String::from("koryolink")],
        ranges: vec![(crate::fake::msisdn(ALICE), crate::fake::msisdn(ALICE))],
        budget: wire::text::Budget::USSD,
        dialogue: false,
        times: Times::default(),
        answer_within_ms: 10_000,
        brake: BrakeConfig::default(),
    });
    let mut all = String::new();
    for (session, (caller, dialled)) in [
        (ALICE, "*999#"),
        (ALICE, "*999*500*1921112222#"),
        (ALICE, "*999*0*1#"),
        (ALICE, "*999*0*2#"),
        (ALICE, "*999*0*4*4539578763621486#"),
        (ALICE, "*999*0*5*100#"),
        (ALICE, "*999*0*1*482913#"),
        (CAROL, "*999#"),
    ]
    .into_iter()
    .enumerate()
    {
        let input = Input::Dialled(String::from(dialled).into());
        let session = Box::from(session.to_string().as_bytes());
        let screen = link.turn(Turn { caller: crate::fake::msisdn(caller), imsi: None, session, input }).await;
        assert!(!screen.goes_on);
        all.push_str(&format!("> {dialled}\n{}\n", screen.text));
    }
    expect![[r#"
        > *999#
        이렇게 거십시오:
        *999*금액*번호*암호#
        차림표: *999#
        > *999*500*1921112222#
        암호까지 한번에 거십시오:
        *999*금액*번호*암호#
        > *999*0*1#
        암호까지 한번에 거십시오:
        *999*0*1*암호#
        > *999*0*2#
        암호까지 한번에 거십시오:
        *999*0*2*암호*새암호*새암호#
        > *999*0*4*4539578763621486#
        암호까지 한번에 거십시오:
        *999*0*4*카드번호*암호#
        > *999*0*5*100#
        암호까지 한번에 거십시오:
        *999*0*5*금액*암호#
        > *999*0*1*482913#
        전화돈 0원 (0분)
        오늘 보낼수 있는 금액 500원
        카드 00000001 2000원
        > *999#
        고려링크 손전화에서만 쓸수 있습니다.
    "#]]
    .assert_eq(&all);
}
