//! What goes wrong between an SMSC and us: cuts, lies, silence, refusals.

use std::io::Write;
use std::sync::{Arc, Mutex};

use edges::esme::{Phase, SubmitFault};
use tokio::net::TcpListener;

use crate::esme_smsc::{
    BIND, DELIVER, NACK, PASSWORD, RESP, SUBMIT, Smsc, World, config, deliver, octets, outgoing, taken, tlv,
};
use crate::fake::{ALICE, BOB};

#[tokio::test]
async fn away_is_said_at_once_and_it_comes_back() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    assert_eq!(world.esme.submit(&outgoing("hi")).await, Err(SubmitFault::NotBound), "not yet bound");
    for _ in 0..3 {
        drop(smsc.accept().await);
    }
    assert!(world.trouble().await.contains(&smsc.address));
    assert_eq!(world.esme.submit(&outgoing("hi")).await, Err(SubmitFault::NotBound));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submitted = world.submit("hi");
    let submit = peer.expect(SUBMIT).await;
    peer.answer(&submit, 0, b"1\0").await;
    assert_eq!(submitted.await.expect("runs"), taken("1"));
    assert!(world.status().counts().losses >= 3);
}

#[tokio::test]
async fn nobody_listens() {
    let smsc = Smsc::new().await;
    let config = config(&smsc);
    drop(smsc);
    let world = World::start(config);
    let trouble = world.trouble().await;
    assert!(trouble.contains("can't be reached") && trouble.contains("is the SMSC running"), "{trouble}");
    assert_eq!(world.esme.submit(&outgoing("hi")).await, Err(SubmitFault::NotBound));
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_pdu_is_unknown() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    for cut in [0, 3, 4, 15, 17] {
        let mut peer = smsc.bound().await;
        world.is_bound().await;
        let submitted = world.submit("hi");
        let submit = peer.expect(SUBMIT).await;
        let answer = octets(SUBMIT | RESP, 0, submit.sequence, b"1\0");
        peer.raw(&answer[..cut]).await;
        drop(peer);
        assert_eq!(submitted.await.expect("runs"), Err(SubmitFault::Cut), "{cut}");
        // Before the next turn: the old bind must be seen to be gone.
        world.status().until(|phase| *phase == Phase::Away).await;
    }
}

#[tokio::test]
async fn glued_and_octet_by_octet() {
    let smsc = Smsc::new().await;
    let mut world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submits = [world.submit("1"), world.submit("2")];
    let (first, second) = (peer.expect(SUBMIT).await, peer.expect(SUBMIT).await);
    let receipt = deliver(BOB, "1", 4, 0, b"id:1 stat:DELIVRD", &[]);
    let glued = [
        octets(SUBMIT | RESP, 0, second.sequence, b"b\0"),
        octets(DELIVER, 0, 5, &receipt),
        octets(SUBMIT | RESP, 0, first.sequence, b"a\0"),
    ];
    let glued = glued.concat();
    for octet in glued.get(..40).expect("longer") {
        peer.raw(&[*octet]).await;
        tokio::task::yield_now().await;
    }
    peer.raw(glued.get(40..).expect("longer")).await;
    assert_eq!(peer.expect(DELIVER | RESP).await.sequence, 5);
    assert!(world.receipts.recv().await.is_some());
    let mut ids = Vec::new();
    for submit in submits {
        ids.push(submit.await.expect("runs").expect("taken").message_id.expect("an id"));
    }
    ids.sort();
    assert_eq!(ids, ["a", "b"]);
}

#[tokio::test]
async fn answers_that_are_late_doubled_or_made_up() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.response_within_ms = 300;
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submitted = world.submit("hi");
    let submit = peer.expect(SUBMIT).await;
    assert_eq!(submitted.await.expect("runs"), Err(SubmitFault::TimedOut));
    let enquire = peer.next().await.expect("connected");
    assert_eq!(enquire.id, 0x15, "a silent SMSC is asked for a sign of life");
    peer.answer(&enquire, 0, b"").await;
    peer.answer(&submit, 0, b"1\0").await;
    peer.answer(&submit, 0, b"1\0").await;
    peer.raw(&octets(SUBMIT | RESP, 0, 0x0012_3456, b"1\0")).await;
    peer.raw(&octets(NACK, 3, 0x0012_3457, b"")).await;
    peer.nothing_else().await;
    let counts = world.status().counts();
    assert_eq!((counts.stray, counts.timed_out, counts.accepted, counts.losses), (4, 1, 0, 0));
}

#[tokio::test]
async fn half_open_is_noticed() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    (config.enquire_link_s, config.response_within_ms) = (1, 300);
    let world = World::start(config);
    let peer = smsc.bound().await;
    world.is_bound().await;
    // Nobody reads and nobody answers; the connection stays.
    let _second = smsc.bound().await;
    let trouble = world.trouble().await;
    assert!(trouble.contains("no longer answers"), "{trouble}");
    drop(peer);
}

#[tokio::test]
async fn refused_binds_say_what_to_do() {
    for (status, name, advice) in [
        (0x0E, "ESME_RINVPASWD", "check `password_file`"),
        (0x0F, "ESME_RINVSYSID", "check `system_id`"),
        (0x05, "ESME_RALYBND", "another session is bound"),
        (0x0D, "ESME_RBINDFAIL", "check `system_id`"),
    ] {
        let smsc = Smsc::new().await;
        let world = World::start(config(&smsc));
        let mut peer = smsc.accept().await;
        let bind = peer.expect(BIND).await;
        peer.answer(&bind, status, b"").await;
        peer.closed().await;
        let trouble = world.trouble().await;
        assert!(trouble.contains(name) && trouble.contains(advice) && !trouble.contains(PASSWORD), "{trouble}");
        assert!(!world.status().is_bound());
        assert_eq!(world.esme.submit(&outgoing("hi")).await, Err(SubmitFault::NotBound));
        let _peer = smsc.bound().await;
        world.is_bound().await;
    }
}

#[tokio::test]
async fn a_bind_that_nobody_answers() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.response_within_ms = 200;
    let world = World::start(config);
    let mut peer = smsc.accept().await;
    peer.expect(BIND).await;
    peer.closed().await;
    assert!(world.trouble().await.contains("does not answer the bind"));
    let _peer = smsc.bound().await;
    world.is_bound().await;
}

#[tokio::test]
async fn garbage_is_nacked_and_left() {
    let large = [&0x0001_0001_u32.to_be_bytes()[..], &[0; 12]].concat();
    for garbage in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0; 16], &[0, 0, 0, 15], &large, &[0xFF; 600]] {
        let smsc = Smsc::new().await;
        let world = World::start(config(&smsc));
        let mut peer = smsc.bound().await;
        world.is_bound().await;
        peer.raw(garbage).await;
        let nack = peer.next().await.expect("a nack");
        assert_eq!((nack.id, nack.status, nack.sequence), (NACK, 2, 0));
        peer.closed().await;
        let trouble = world.trouble().await;
        assert!(trouble.contains("no SMPP"), "{trouble}");
        let _peer = smsc.bound().await;
    }
}

#[tokio::test]
async fn commands_that_nobody_knows_and_parameters_that_lie() {
    let smsc = Smsc::new().await;
    let mut world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    peer.send(0x0000_0666, 8, b"????").await;
    let nack = peer.next().await.expect("a nack");
    assert_eq!((nack.id, nack.status, nack.sequence), (NACK, 3, 8));
    assert_eq!(peer.deliver(9, b"no body").await, 1, "cut");
    let parameters = [tlv(0x0204, &[1]), tlv(0x7777, b"vendor"), tlv(0x0427, &[2]), vec![0, 0x1E, 0xFF, 0xFF, b'x']];
    assert_eq!(peer.deliver(10, &deliver(BOB, "1", 4, 0, b"", &parameters)).await, 0);
    let receipt = world.receipts.recv().await.expect("a receipt");
    assert_eq!((receipt.reference, receipt.message_id), (Some(1), None));
    assert_eq!(world.status().counts().unreadable, 2);
}

#[tokio::test]
async fn goodbyes_of_the_smsc() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submitted = world.submit("hi");
    peer.expect(SUBMIT).await;
    peer.send(0x06, 77, b"").await;
    let answer = peer.next().await.expect("an answer");
    assert_eq!((answer.id, answer.sequence), (0x8000_0006, 77));
    assert_eq!(submitted.await.expect("runs"), Err(SubmitFault::Cut));
    assert!(world.trouble().await.contains("said goodbye"));
    let _peer = smsc.bound().await;
    world.is_bound().await;
}

#[tokio::test]
async fn a_stop_while_the_smsc_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.smsc = listener.local_addr().expect("bound").to_string();
    let world = World::start(config);
    // Accepts, and never answers the bind.
    let _stream = listener.accept().await.expect("a connection");
    tokio::time::timeout(crate::esme_smsc::DEADLINE, world.running.stop()).await.expect("stops");
    assert_eq!(world.esme.status().phase(), Phase::Stopped);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.kind = edges::esme::Kind::Both;
    let world = World::with(config, Some(crate::esme_ussd::link(&crate::fake::Fake::new())));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submitted = world.submit("Your secret sum is 777");
    let submit = peer.expect(SUBMIT).await;
    peer.answer(&submit, 0x0B, b"").await;
    submitted.await.expect("runs").expect_err("refused");
    let dialled = deliver(ALICE, "999", 0, 0, b"*999*500*1921112222*482913#", &[tlv(0x0501, &[1])]);
    assert_eq!(peer.deliver(9, &dialled).await, 0);
    let screen = peer.expect(SUBMIT).await;
    peer.answer(&screen, 8, b"").await;
    peer.deliver(10, &deliver(BOB, "1", 4, 0, b"id:idOf4711 stat:DELIVRD text:Your secret", &[])).await;
    peer.send(0x666, 11, b"482913").await;
    peer.raw(b"482913 is garbage").await;
    peer.closed().await;
    let mut second = smsc.accept().await;
    let bind = second.expect(BIND).await;
    second.answer(&bind, 0x0E, b"").await;
    second.closed().await;
    let _peer = smsc.bound().await;
    let text = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    assert!(text.contains("refused the bind") && text.contains("a screen was not shown"), "{text}");
    for secret in [PASSWORD, "482913", "secret sum", ALICE, BOB, "1921112222", "*999", "idOf4711"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
