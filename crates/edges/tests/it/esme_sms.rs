//! SMS and receipts over a bind.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use edges::esme::{RECEIPTS_MAX, State, SubmitFault, Submitted};

use crate::esme_smsc::{
    BIND, DELIVER, ENQUIRE, PASSWORD, RESP, SUBMIT, Smsc, UNBIND, World, config, deliver, outgoing, taken, tlv,
};
use crate::fake::{BOB, msisdn};

const RECEIPT: &[u8] = b"id:7 sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000 text:";

#[tokio::test]
async fn an_sms_and_its_receipt() {
    let smsc = Smsc::new().await;
    let mut world = World::start(config(&smsc));
    let mut peer = smsc.accept().await;
    let bind = peer.bind().await;
    assert_eq!((bind.id, bind.body), (BIND, format!("sonmul\0{PASSWORD}\0\0\x34\0\0\0").into_bytes()));
    world.is_bound().await;
    let submitted = world.submit("Hi €5");
    let submit = peer.expect(SUBMIT).await;
    let head = format!("\0\x05\0Sonmul\0\x01\x01{BOB}\0\0\0\0\0000000010000000R\0\x01\0\0\0\x06Hi ").into_bytes();
    assert_eq!(submit.body, [&head[..], b"\x1B\x655", &tlv(0x0204, &[0x12, 0x34])].concat());
    peer.answer(&submit, 0, b"00ff\0").await;
    assert_eq!(submitted.await.expect("runs"), taken("00ff"));
    assert_eq!(peer.deliver(9, &deliver(BOB, "Sonmul", 4, 0, RECEIPT, &[tlv(0x0204, &[0, 0x34])])).await, 0);
    let receipt = world.receipts.recv().await.expect("a receipt");
    assert_eq!((receipt.message_id.as_deref(), receipt.reference), (Some("7"), Some(0x34)));
    assert_eq!((receipt.of, receipt.state, receipt.error), (Some(msisdn(BOB)), State::Delivered, None));
    let counts = world.status().counts();
    assert_eq!((counts.binds, counts.submitted, counts.accepted, counts.receipts), (1, 1, 1, 1));
}

#[tokio::test]
async fn korean_is_ucs2_and_ids_may_be_missing() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    for (id, expected) in [(&b"\0"[..], None), (b"msg_id_not_implemented\0", None), (b"", None), (b"x\0", Some("x"))] {
        world.is_bound().await;
        let submitted = world.submit("전화돈");
        let submit = peer.expect(SUBMIT).await;
        let coded = b"\0\x01\0\x08\0\x06\xC8\x04\xD6\x54\xB3\xC8";
        assert!(submit.body.windows(coded.len()).any(|octets| octets == coded), "{:02x?}", submit.body);
        peer.answer(&submit, 0, id).await;
        assert_eq!(submitted.await.expect("runs"), Ok(Submitted { message_id: expected.map(String::from) }));
    }
}

#[tokio::test]
async fn a_text_too_long_is_never_sent() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    for text in ["a".repeat(161), "원".repeat(71)] {
        assert_eq!(world.esme.submit(&outgoing(&text)).await, Err(SubmitFault::Permanent { status: 1 }));
    }
    peer.nothing_else().await;
}

#[tokio::test]
async fn the_window_is_never_exceeded() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.window = 3;
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submits: Vec<_> = (0..30).map(|n| world.submit(&n.to_string())).collect();
    let mut waiting = Vec::new();
    for answered in 0..30 {
        while waiting.len() < 3.min(30 - answered) {
            waiting.push(peer.expect(SUBMIT).await);
        }
        peer.nothing_else().await;
        // The newest first: answers come in any order.
        let submit = waiting.pop().expect("one waits");
        peer.answer(&submit, 0, b"1\0").await;
    }
    for submit in submits {
        assert_eq!(submit.await.expect("runs"), taken("1"));
    }
}

#[tokio::test]
async fn slower_is_obeyed_by_everyone() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    (config.window, config.throttle_backoff_ms) = (4, 400);
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submits: Vec<_> = (0..8).map(|n| world.submit(&n.to_string())).collect();
    let mut first = Vec::new();
    for _ in 0..4 {
        first.push(peer.expect(SUBMIT).await);
    }
    let said = Instant::now();
    for (submit, status) in first.iter().zip([0x58, 0x14, 0x58, 0x58]) {
        peer.answer(submit, status, b"").await;
    }
    let next = peer.expect(SUBMIT).await;
    assert!(said.elapsed() >= Duration::from_millis(390), "{:?}", said.elapsed());
    peer.nothing_else().await;
    assert_eq!(world.status().window(), 1, "one at a time");
    peer.answer(&next, 0, b"1\0").await;
    for _ in 0..3 {
        let next = peer.expect(SUBMIT).await;
        peer.answer(&next, 0, b"1\0").await;
    }
    let mut throttled = 0;
    for submit in submits {
        match submit.await.expect("runs") {
            Ok(_) => {}
            Err(SubmitFault::Throttled { wait_ms }) => {
                assert!(wait_ms <= 400, "{wait_ms}");
                throttled += 1;
            }
            Err(fault) => panic!("{fault}"),
        }
    }
    assert_eq!((throttled, world.status().counts().throttled), (4, 4));
    assert!(world.status().window() > 1, "it recovers");
}

#[tokio::test]
async fn a_contracts_ceiling() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.submits_per_s_max = Some(20);
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submits: Vec<_> = (0..6).map(|n| world.submit(&n.to_string())).collect();
    let first = peer.expect(SUBMIT).await;
    let begun = Instant::now();
    peer.answer(&first, 0, b"1\0").await;
    for _ in 0..5 {
        let submit = peer.expect(SUBMIT).await;
        peer.answer(&submit, 0, b"1\0").await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    for submit in submits {
        assert_eq!(submit.await.expect("runs"), taken("1"));
    }
}

#[tokio::test]
async fn faults_have_classes() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    for (status, fault) in [
        (0x08, SubmitFault::Temporary { status: 0x08 }),
        (0x0B, SubmitFault::Permanent { status: 0x0B }),
        (0x400, SubmitFault::Temporary { status: 0x400 }),
    ] {
        let submitted = world.submit("hi");
        let submit = peer.expect(SUBMIT).await;
        peer.answer(&submit, status, b"").await;
        assert_eq!(submitted.await.expect("runs"), Err(fault));
    }
}

#[tokio::test]
async fn a_receipt_is_answered_after_it_was_taken() {
    let smsc = Smsc::new().await;
    let mut world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    let receipt = deliver(BOB, "1", 4, 0, RECEIPT, &[]);
    world.inbox.gate.forget_permits(usize::MAX);
    peer.send(DELIVER, 9, &receipt).await;
    peer.nothing_else().await;
    world.inbox.gate.add_permits(1);
    assert_eq!(peer.expect(DELIVER | RESP).await.status, 0);
    assert!(world.receipts.recv().await.is_some());
    world.inbox.refuses.store(true, Ordering::Relaxed);
    world.inbox.gate.add_permits(1);
    assert_eq!(peer.deliver(10, &receipt).await, 0x64, "again later, please");

    let most = u32::try_from(RECEIPTS_MAX).expect("few");
    for sequence in 0..=most {
        peer.send(DELIVER, 100 + sequence, &receipt).await;
    }
    let beyond = peer.expect(DELIVER | RESP).await;
    assert_eq!((beyond.sequence, beyond.status), (100 + most, 0x64), "no more at once than the limit");
    peer.nothing_else().await;
}

#[tokio::test]
async fn what_is_for_nobody_is_answered() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    assert_eq!(peer.deliver(1, &deliver(BOB, "1", 0, 0, b"hello", &[])).await, 0x66, "an SMS from a phone");
    assert_eq!(peer.deliver(2, &deliver(BOB, "999", 0, 0, b"*999#", &[tlv(0x0501, &[1])])).await, 0x66, "no USSD here");
    peer.send(0x102, 3, b"\x01\x018501921112222\0\0\x001\0").await;
    peer.nothing_else().await;
    assert_eq!(world.status().counts().ignored, 2);
}

#[tokio::test]
async fn a_stop_waits_for_the_window_and_says_goodbye() {
    let smsc = Smsc::new().await;
    let world = World::start(config(&smsc));
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let submitted = world.submit("hi");
    let submit = peer.expect(SUBMIT).await;
    let World { esme, running, .. } = world;
    let stopping = tokio::spawn(running.stop());
    peer.nothing_else().await;
    peer.answer(&submit, 0, b"1\0").await;
    let unbind = peer.expect(UNBIND).await;
    peer.answer(&unbind, 0, b"").await;
    stopping.await.expect("stops");
    assert_eq!(submitted.await.expect("runs"), taken("1"));
    assert_eq!(esme.submit(&outgoing("hi")).await, Err(SubmitFault::NotBound));
    assert_eq!(esme.status().phase(), edges::esme::Phase::Stopped);
    peer.closed().await;
}

#[tokio::test]
async fn a_stop_refuses_what_still_waits() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.window = 1;
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let first = world.submit("1");
    let submit = peer.expect(SUBMIT).await;
    let second = world.submit("2");
    peer.nothing_else().await;
    let stopping = tokio::spawn(world.running.stop());
    assert_eq!(second.await.expect("runs"), Err(SubmitFault::NotBound));
    peer.answer(&submit, 0, b"1\0").await;
    assert_eq!(first.await.expect("runs"), taken("1"));
    // Nobody answers the goodbye.
    drop(peer);
    stopping.await.expect("stops");
}

#[tokio::test]
async fn whoever_gave_up_waiting_has_sent_nothing() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.window = 1;
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    world.is_bound().await;
    let first = world.submit("1");
    let submit = peer.expect(SUBMIT).await;
    let second = world.submit("2");
    peer.nothing_else().await;
    second.abort();
    assert!(second.await.is_err());
    peer.answer(&submit, 0, b"1\0").await;
    assert_eq!(first.await.expect("runs"), taken("1"));
    peer.nothing_else().await;
}

#[tokio::test]
async fn the_line_is_tried_in_silence() {
    let smsc = Smsc::new().await;
    let mut config = config(&smsc);
    config.enquire_link_s = 1;
    let world = World::start(config);
    let mut peer = smsc.bound().await;
    for _ in 0..2 {
        let enquire = peer.expect(ENQUIRE).await;
        peer.answer(&enquire, 0, b"").await;
    }
    assert!(world.status().is_bound());
}
