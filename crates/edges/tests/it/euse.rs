//! Phones behind an HLR: whole dialogues over GSUP on loopback.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use crate::euse_hlr::{
    ALICE_SIM, BOB_SIM, Conn, DAVE_SIM, EXTENSION_SIM, Edge, Hlr, NUMBERLESS_SIM, UNKNOWN_SIM, dial, hex, message,
    typed, until,
};
use crate::fake::{CAROL, Fake, SPARE_CARD};
use edges::euse::{EuseConfig, EuseConfigError, Status};
use expect_test::expect;
use wire::gsup::{Kind, SessionState};
use wire::ipa::{ping, pong};

/// Dials the first and types the rest.
async fn talk(conn: &mut Conn, imsi: &str, session_id: u32, inputs: &[&str]) -> String {
    let mut transcript = String::new();
    let mut prompt = 0;
    for (at, input) in inputs.iter().enumerate() {
        let shown = if at == 0 {
            conn.dial(imsi, session_id, input).await
        } else {
            conn.enter(imsi, session_id, prompt, input).await
        };
        assert_eq!((shown.imsi.as_str(), shown.session_id), (imsi, session_id));
        prompt = shown.invoke_id;
        writeln!(transcript, "> {input}\n{}", shown.line()).expect("a string takes it");
    }
    transcript
}

#[tokio::test]
async fn it_registers_and_answers_a_dial() {
    let (hlr, edge, mut conn) = Hlr::with_edge().await;
    conn.send(&ping()).await;
    assert_eq!(conn.frame().await, Some(pong().to_vec()));
    let shown = conn.dial(DAVE_SIM, 1, "*999*300*01933334444*482913#").await;
    expect![[r#"
        END Sent: 300 won to 0193 333 4444.
        Left on the card: 1700 won
        Receipt 9-D3"#]]
    .assert_eq(&shown.line());
    assert_eq!((shown.dcs, shown.invoke_id), (0x0F, 1));
    assert_eq!(edge.decider.given(), [(CAROL.parse().expect("digits"), 300)]);
    assert_eq!(hlr.questions(), ["GET 1 subscriber.by-imsi-901700000000003.msisdn"]);
    let counts = edge.status.counts();
    assert_eq!((counts.dials, counts.answers, counts.malformed, counts.reconnects), (1, 1, 0, 0));
    assert_eq!(edge.status.hlr().last_error, None);
}

#[tokio::test]
async fn the_captured_dialogue() {
    let (_hlr, _edge, mut conn) = Hlr::with_edge().await;
    conn.send(&hex("002bee0520010809710000000000f130046e0a62353101013514a11202010102013b300a04010f0405aa5c2e3702"))
        .await;
    let menu = conn.shown().await;
    assert_eq!((menu.goes_on, menu.invoke_id, menu.session_id, menu.dcs), (true, 1, 0x6E0A_6235, 0x48));
    expect![[r#"
        1보내기 2내전화 3잔고 4최근5건
        5카드등록 6암호 7정지 8English"#]]
    .assert_eq(&menu.text);
    conn.send(&hex("0029ee0520010809710000000000f130046e0a62353101023512a210020101300b02013c300604010f040131")).await;
    let recipient = conn.shown().await;
    assert_eq!((recipient.goes_on, recipient.invoke_id), (true, 2));
    let left = conn.enter(ALICE_SIM, 0x6E0A_6235, 2, "00").await;
    assert_eq!((left.goes_on, left.invoke_id), (false, 1));
}

#[tokio::test]
async fn a_whole_menu_in_english() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    let transcript = talk(&mut conn, DAVE_SIM, 7, &["*999#", "1", "01921112222", "500", "482914", "482913"]).await;
    expect![[r#"
        > *999#
        1 1 Give
        2 My phone
        3 Balance
        4 Last five
        5 Bind a card
        6 Password
        7 Freeze
        8 Chosonmal
        > 1
        2 Enter the recipient's phone number.
        0 back 00 exit
        > 01921112222
        3 Enter the amount in won, digits only.
        0 back 00 exit
        > 500
        4 To: 0192 111 2222
        Amount: 500 won
        Enter the card's password to send.
        0 back 00 exit
        > 482914
        5 Wrong password. Tries left: 2
        Enter it again.
        0 back 00 exit
        > 482913
        END Sent: 500 won to 0192 111 2222.
        Left on the card: 1500 won
        Receipt A-0B
    "#]]
    .assert_eq(&transcript);
    assert_eq!(edge.decider.given(), [(8_501_921_112_222, 500)]);
}

#[tokio::test]
async fn korean_both_ways() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    let shown = conn.dial(ALICE_SIM, 1, "*999*500*1921112222*482913#").await;
    assert_eq!(shown.dcs, 0x48);
    expect![[r#"
        END 보냈습니다. 0192 111 2222, 500원.
        카드 잔고 1500원
        접수번호 9-D3"#]]
    .assert_eq(&shown.line());
    // A phone that writes UCS-2.
    let octets: Vec<u8> = "*999#".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let ussd = wire::ss::Ussd { dcs: 0x48, octets: &octets };
    let operation = wire::ss::Operation::ProcessUnstructuredSsRequest;
    let component = wire::ss::Component::Invoke { invoke_id: 4, operation, ussd }.encode().expect("short");
    conn.send(&message(Kind::Request, ALICE_SIM, 2, SessionState::Begin, Some(&component))).await;
    assert!(conn.shown().await.goes_on);
    assert_eq!(edge.decider.given().len(), 1);
}

#[tokio::test]
async fn who_is_calling_is_never_guessed() {
    let (hlr, edge, mut conn) = Hlr::with_edge().await;
    let text = "END 등록되지 않은 손전화입니다. 손전화 봉사소에 문의하십시오.";
    for (at, imsi) in [(1, UNKNOWN_SIM), (2, NUMBERLESS_SIM), (3, EXTENSION_SIM)] {
        assert_eq!(conn.dial(imsi, at, "*999*500*1921112222*482913#").await.line(), text);
        assert_eq!(conn.dial(imsi, at, "*999*500*1921112222*482913#").await.line(), text, "again");
    }
    let counts = edge.status.counts();
    assert_eq!((counts.unknown_imsi, counts.no_msisdn, counts.msisdn_failed), (1, 2, 0));
    assert_eq!(hlr.questions().len(), 3);
    assert_eq!(edge.decider.given(), []);
}

#[tokio::test]
async fn a_repeated_frame_gets_the_same_screen_and_pays_once() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    conn.send(&dial(ALICE_SIM, 1, 9, "*999*500*1921112222*482913#")).await;
    let first = conn.shown().await;
    assert_eq!(first.invoke_id, 9);
    conn.send(&dial(ALICE_SIM, 1, 9, "*999*500*1921112222*482913#")).await;
    assert_eq!(conn.shown().await, first);
    assert_eq!(edge.decider.given().len(), 1);

    // Both at once.
    edge.decider.later(86_400);
    conn.send(&dial(ALICE_SIM, 2, 9, "*999*500*1933334444*482913#").repeat(2)).await;
    let twice = (conn.shown().await, conn.shown().await);
    assert_eq!(twice.0, twice.1);
    assert_eq!(edge.decider.given().len(), 2);

    let mut prompt = conn.dial(DAVE_SIM, 3, "*999#").await.invoke_id;
    for input in ["1", "01921112222", "500", "482913"] {
        let shown = conn.enter(DAVE_SIM, 3, prompt, input).await;
        assert_eq!(conn.enter(DAVE_SIM, 3, prompt, input).await, shown, "{input}");
        prompt = shown.invoke_id;
    }
    assert_eq!(edge.decider.given().len(), 3);
}

/// GSUP never says whether a screen was read. A person who dials the whole string again is told, in what fits one screen.
#[tokio::test]
async fn a_top_up_dialled_again_is_told_and_done_once() {
    let top_up = "*999*0*5*200*482913#";
    let number = crate::fake::msisdn;
    for (sim, who, says) in [
        (DAVE_SIM, crate::fake::DAVE, "You put 200 won on your phone at "),
        (ALICE_SIM, crate::fake::ALICE, "이미 넣었습니다("),
    ] {
        let (_hlr, edge, mut conn) = Hlr::with_edge().await;
        let done = conn.dial(sim, 7, top_up).await;
        let again = conn.dial(sim, 8, top_up).await;
        assert!(!done.text.starts_with(says) && again.text.starts_with(says), "{} / {}", done.text, again.text);
        assert!(!again.goes_on);
        let inner = edge.decider.lock();
        let airtime = inner.state.find_subscriber(number(who)).map(|(_, row)| row.airtime.balance_minor);
        assert_eq!(airtime, Some(200));
    }
}

#[tokio::test]
async fn a_switch_that_counts_anew_begins_a_new_dialogue() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    // As far as nothing is known yet that could be gone on with.
    let first = talk(&mut conn, ALICE_SIM, 0x2000_0001, &["*999#", "1"]).await;
    assert_eq!(talk(&mut conn, ALICE_SIM, 0x2000_0001, &["*999#", "1"]).await, first);
    let given = conn.dial(ALICE_SIM, 0x2000_0001, "*999*200*1921112222*482913#").await;
    assert!(given.text.contains("200원"), "{}", given.text);
    assert_eq!(edge.decider.given().len(), 1);
}

#[tokio::test]
async fn an_input_for_no_dialogue_hears_that_it_is_over() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    assert_eq!(conn.enter(ALICE_SIM, 99, 1, "482913").await.line(), "END 시간이 지났습니다. 처음부터 다시 거십시오.");
    assert_eq!((edge.status.counts().no_session, edge.decider.lock().submitted), (1, 0));
}

#[tokio::test]
async fn whoever_leaves_gets_no_answer() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    let error = hex("a306020101020148");
    for (at, end) in [
        message(Kind::Error, ALICE_SIM, 1, SessionState::End, None),
        message(Kind::Request, ALICE_SIM, 2, SessionState::End, None),
        message(Kind::Request, ALICE_SIM, 3, SessionState::Continue, Some(&error)),
    ]
    .iter()
    .enumerate()
    {
        let session_id = u32::try_from(at).expect("small") + 1;
        assert!(conn.dial(ALICE_SIM, session_id, "*999#").await.goes_on);
        conn.send(end).await;
        conn.nothing_shown().await;
        let shown = conn.enter(ALICE_SIM, session_id, 1, "1").await;
        assert_eq!(shown.line(), "END 시간이 지났습니다. 처음부터 다시 거십시오.");
    }
    assert_eq!(edge.status.counts().cancelled, 3);
}

#[tokio::test]
async fn frames_in_any_pieces() {
    let (_hlr, edge, mut conn) = Hlr::with_edge().await;
    conn.stream.set_nodelay(true).expect("a socket");
    for octet in dial(ALICE_SIM, 1, 1, "*999*200*1921112222*482913#") {
        conn.send(&[octet]).await;
        tokio::task::yield_now().await;
    }
    assert!(conn.shown().await.text.contains("200원"));
    let mut many = Vec::new();
    for session_id in 2..8 {
        many.extend(dial(BOB_SIM, session_id, 1, "*999#"));
        many.extend(dial(DAVE_SIM, session_id, 1, "*999#"));
    }
    // And half of one more.
    let last = dial(ALICE_SIM, 100, 1, "*999#");
    many.extend_from_slice(&last[..last.len() / 2]);
    conn.send(&many).await;
    let mut sessions = Vec::new();
    for _ in 0..12 {
        let shown = conn.shown().await;
        assert!(shown.goes_on);
        sessions.push((shown.imsi, shown.session_id));
    }
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 12);
    conn.send(&last[last.len() / 2..]).await;
    assert_eq!(conn.shown().await.session_id, 100);
    assert_eq!(edge.status.counts().malformed, 0);
}

#[tokio::test]
async fn several_links_at_once() {
    let (one, two) = (Hlr::start().await, Hlr::start().await);
    let first = Edge::start(Fake::new(), one.config());
    let second = EuseConfig { link: domain::ids::LinkId(4), ..two.config() };
    let second = Edge::of(first.decider.clone(), first.flow.clone(), second);
    let (mut here, mut there) = (one.register().await, two.register().await);
    // The same SIM and session number on both: two dialogues.
    assert!(here.dial(ALICE_SIM, 1, "*999#").await.goes_on);
    assert!(there.dial(ALICE_SIM, 1, "*999#").await.goes_on);
    assert!(here.enter(ALICE_SIM, 1, 1, "1").await.text.contains("받을 사람"));
    assert!(there.enter(ALICE_SIM, 1, 1, "3").await.text.contains("암호"));
    assert_eq!((first.status.counts().dials, second.status.counts().dials), (1, 1));
}

#[tokio::test]
async fn a_configuration_that_can_not_work_is_refused_before_anything_is_connected() {
    let hlr = Hlr::start().await;
    let config = EuseConfig { answer_within_ms: 30_000, ..hlr.config() };
    let mut edge = Edge::start(Fake::new(), config);
    let refused = (&mut edge.task.0).await.expect("no panic");
    assert_eq!(refused, Err(EuseConfigError::AnswerAfterGuard { answer_within_ms: 30_000, guard_s: 30 }));
}

/// Everything that is logged, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let status = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let (_hlr, edge, mut conn) = Hlr::with_edge().await;
            conn.dial(ALICE_SIM, 1, "*999*500*1921112222*482913#").await;
            talk(&mut conn, ALICE_SIM, 2, &["*999#", "3", "111111", "482913"]).await;
            talk(&mut conn, ALICE_SIM, 3, &["*999#", "5", SPARE_CARD, "730518"]).await;
            conn.dial(ALICE_SIM, 4, "*998*482913#").await;
            conn.dial(UNKNOWN_SIM, 5, "*999*500*1921112222*482913#").await;
            conn.enter(ALICE_SIM, 99, 1, "482913").await;
            // An alphabet that nobody reads, a component cut short, a message cut short, a frame too long.
            let dialled = dial(ALICE_SIM, 6, 1, "*999*482913#");
            let coded: Vec<u8> = dialled.iter().map(|octet| if *octet == 0x0F { 0xF4 } else { *octet }).collect();
            conn.send(&coded).await;
            conn.shown().await;
            let cut = wire::ipa::frame(0xEE, &dialled[3..dialled.len() - 1]).expect("short");
            conn.send(&cut).await;
            conn.send(&typed(ALICE_SIM, 6, 1, "482913")).await;
            conn.shown().await;
            conn.send(&[0xFF, 0xFF, 0xEE, 4, 8, 2, 9, 1, 3]).await;
            assert_eq!(conn.frame().await, None);
            let status: Arc<Status> = Arc::clone(&edge.status);
            until("it is noticed", || edge.status.hlr().last_error.is_some()).await;
            status
        })
    });
    let text = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    assert!(text.contains("command=\"gift\"") && text.contains("…678"), "something is logged:\n{text}");
    assert!(text.contains("does not say who is calling") && text.contains("can't be read"), "{text}");
    let status = format!("{status:?}");
    for secret in
        ["482913", "730518", "111111", SPARE_CARD, "1912345678", "1921112222", "*999*", ALICE_SIM, UNKNOWN_SIM]
    {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
        assert!(!status.contains(secret), "{secret} in:\n{status}");
    }
}
