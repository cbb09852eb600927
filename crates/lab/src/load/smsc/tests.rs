use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::pdu::{Answers, take};
use super::{Drained, Smsc, SmscConfig};

const WAIT: Duration = Duration::from_secs(30);

fn pdu(command: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(16 + body.len()).expect("short");
    [len, command, 0, sequence].iter().flat_map(|word| word.to_be_bytes()).chain(body.iter().copied()).collect()
}

/// A message "hi" from K to 8501, with a receipt asked for or not.
fn submit(sequence: u32, registered_delivery: u8) -> Vec<u8> {
    let mut body = b"\0\x05\0K\0\x01\x018501\0\0\0\0\0\0".to_vec();
    body.extend([registered_delivery, 0, 0, 0, 2]);
    body.extend(b"hi");
    pdu(0x04, sequence, &body)
}

fn answered(receipts: bool, input: &[u8]) -> (Vec<u8>, Drained, bool) {
    let next_id = AtomicU64::new(0x2a);
    let mut answers = Answers::new(receipts, &next_id);
    let mut rest = input;
    while let Some((one, after)) = take(rest).expect("SMPP") {
        answers.answer(&one);
        rest = after;
    }
    let (octets, drained, ends) = answers.finish();
    (octets.to_vec(), drained, ends)
}

#[test]
fn a_message_gets_an_id_and_its_receipt_names_it_between_the_addresses_turned_round() {
    let (octets, drained, _) = answered(true, &submit(7, 1));
    let (resp, rest) = take(&octets).expect("SMPP").expect("whole");
    assert_eq!((resp.command, resp.status, resp.sequence), (0x8000_0004, 0, 7));
    assert_eq!(resp.body, b"000000000000002a\0");
    let (receipt, rest) = take(rest).expect("SMPP").expect("whole");
    assert_eq!((receipt.command, receipt.sequence), (0x05, 1));
    let mut wanted = b"\0\x01\x018501\0\x05\0K\0\x04\0\0\0\0\0\0\0\0\x14stat:DELIVRD err:000".to_vec();
    wanted.extend(b"\x00\x1e\x00\x11000000000000002a\0\x04\x27\x00\x01\x02");
    assert_eq!(receipt.body, wanted);
    assert!(rest.is_empty());
    assert_eq!(drained, Drained { submits: 1, receipts: 1, ..Drained::default() });
}

#[test]
fn no_receipt_leaves_that_nobody_asked_for() {
    assert_eq!(answered(true, &submit(1, 0)).1.receipts, 0);
    assert_eq!(answered(false, &submit(1, 1)).1.receipts, 0);
}

#[test]
fn half_a_pdu_waits_for_its_rest_and_a_length_out_of_range_is_an_error() {
    let whole = submit(1, 0);
    for len in 0..whole.len() {
        assert_eq!(take(&whole[..len]).expect("SMPP so far"), None, "{len}");
    }
    for len in [0_u32, 15, 70_000, u32::MAX] {
        let mut bad = pdu(0x15, 1, &[]);
        bad[..4].copy_from_slice(&len.to_be_bytes());
        assert!(take(&bad).is_err(), "{len}");
    }
}

#[test]
fn a_message_cut_short_is_refused_and_not_counted() {
    let whole = submit(1, 1);
    for len in 0..whole.len() - 16 {
        let (octets, drained, _) = answered(true, &pdu(0x04, 3, &whole[16..16 + len]));
        let (resp, rest) = take(&octets).expect("SMPP").expect("whole");
        assert_eq!((resp.status, resp.sequence, rest.len()), (1, 3, 0), "{len}");
        assert_eq!(drained, Drained::default());
    }
}

#[test]
fn other_requests_are_answered_and_answers_are_not() {
    let (octets, _, ends) = answered(false, &[pdu(0x15, 1, &[]), pdu(0x8000_0015, 2, &[]), pdu(0x03, 3, &[])].concat());
    let (alive, rest) = take(&octets).expect("SMPP").expect("whole");
    assert_eq!((alive.command, alive.sequence), (0x8000_0015, 1));
    let (nack, rest) = take(rest).expect("SMPP").expect("whole");
    assert_eq!((nack.command, nack.status, nack.sequence), (0x8000_0000, 3, 3));
    assert!(rest.is_empty() && !ends);
    assert!(answered(false, &pdu(0x06, 4, &[])).2);
}

#[test]
fn it_counts_what_it_took_over_a_socket_and_ends_when_dropped() {
    let smsc = Smsc::listen(SmscConfig { receipts: true }).expect("a free port");
    let mut stream = TcpStream::connect(smsc.address()).expect("it listens");
    stream.set_read_timeout(Some(WAIT)).expect("a time-out");
    stream.write_all(&pdu(0x09, 1, b"sonmul\0secret\0\0\x34\0\0\0")).expect("writes");
    let messages: Vec<u8> = (2..1_002).flat_map(|sequence| submit(sequence, 1)).collect();
    stream.write_all(&messages).expect("writes");
    let drained = smsc.wait(WAIT, |drained| drained.submits == 1_000);
    assert_eq!((drained.binds, drained.submits, drained.receipts), (1, 1_000, 1_000));
    stream.write_all(&pdu(0x8000_0005, 1, b"\0")).expect("writes");
    assert_eq!(smsc.wait(WAIT, |drained| drained.acknowledged == 1).acknowledged, 1);

    let mut noise = TcpStream::connect(smsc.address()).expect("it listens");
    noise.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("writes");
    assert_eq!(smsc.wait(WAIT, |drained| drained.unreadable == 1).unreadable, 1);

    drop(smsc);
    let mut rest = Vec::new();
    // The end of the stream, or a reset: either way it is over.
    drop(stream.read_to_end(&mut rest));
    assert!(!rest.is_empty());
}
