//! The few PDUs of SMPP 3.4 that the stand-in reads and writes; sans-I/O.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Drained;

/// Longer PDUs are no SMPP that the edge sends; the connection is closed.
pub const PDU_LEN_MAX: usize = 64 * 1024;
const HEADER_LEN: usize = 16;

const BIND_RECEIVER: u32 = 0x01;
const BIND_TRANSMITTER: u32 = 0x02;
const SUBMIT_SM: u32 = 0x04;
const DELIVER_SM: u32 = 0x05;
const UNBIND: u32 = 0x06;
const BIND_TRANSCEIVER: u32 = 0x09;
const ENQUIRE_LINK: u32 = 0x15;
const GENERIC_NACK: u32 = 0x8000_0000;
/// Set in the command id of an answer.
const ANSWER: u32 = 0x8000_0000;

const STATUS_OK: u32 = 0;
/// `ESME_RINVMSGLEN`, what a `submit_sm` too short for its own fields gets.
const STATUS_MESSAGE_LENGTH: u32 = 1;
/// `ESME_RINVCMDID`.
const STATUS_COMMAND: u32 = 3;

const ESM_CLASS_RECEIPT: u8 = 0x04;
/// `registered_delivery`: the two bits by which a receipt is asked for.
const WANTS_RECEIPT: u8 = 0x03;
const TAG_RECEIPTED_MESSAGE_ID: u16 = 0x001E;
const TAG_MESSAGE_STATE: u16 = 0x0427;
const DELIVERED: u8 = 2;

/// One PDU's header and body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pdu<'a> {
    pub(super) command: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
    pub(super) body: &'a [u8],
}

/// Takes one PDU off the front; `None`: read more.
pub(super) fn take(input: &[u8]) -> io::Result<Option<(Pdu<'_>, &[u8])>> {
    let Some((header, _)) = input.split_first_chunk::<HEADER_LEN>() else { return Ok(None) };
    let [l0, l1, l2, l3, c0, c1, c2, c3, s0, s1, s2, s3, n0, n1, n2, n3] = *header;
    let len = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    if !(HEADER_LEN..=PDU_LEN_MAX).contains(&len) {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("a PDU of {len} octets")));
    }
    let Some((pdu, rest)) = input.split_at_checked(len) else { return Ok(None) };
    let pdu = Pdu {
        command: u32::from_be_bytes([c0, c1, c2, c3]),
        status: u32::from_be_bytes([s0, s1, s2, s3]),
        sequence: u32::from_be_bytes([n0, n1, n2, n3]),
        body: pdu.get(HEADER_LEN..).unwrap_or_default(),
    };
    Ok(Some((pdu, rest)))
}

/// What goes back for one read, and what it adds to the counts.
pub(super) struct Answers<'a> {
    receipts: bool,
    next_id: &'a AtomicU64,
    sequence: u32,
    octets: Vec<u8>,
    drained: Drained,
    ends: bool,
    /// A PDU's body being put together; kept for its memory.
    scratch: Vec<u8>,
    /// The answers of the last [`Answers::finish`] were written.
    finished: bool,
}

impl<'a> Answers<'a> {
    pub(super) fn new(receipts: bool, next_id: &'a AtomicU64) -> Self {
        let drained = Drained::default();
        let (octets, scratch) = (Vec::new(), Vec::new());
        Self { receipts, next_id, sequence: 0, octets, drained, ends: false, scratch, finished: false }
    }

    /// What to write and count since the last call, and whether the connection ends then.
    pub(super) fn finish(&mut self) -> (&[u8], Drained, bool) {
        self.begin();
        self.finished = true;
        (&self.octets, std::mem::take(&mut self.drained), self.ends)
    }

    fn begin(&mut self) {
        if std::mem::take(&mut self.finished) {
            self.octets.clear();
        }
    }

    pub(super) fn answer(&mut self, pdu: &Pdu<'_>) {
        self.begin();
        match pdu.command {
            BIND_RECEIVER | BIND_TRANSMITTER | BIND_TRANSCEIVER => {
                self.drained.binds += 1;
                put(&mut self.octets, pdu.command | ANSWER, STATUS_OK, pdu.sequence, b"load\0");
            }
            SUBMIT_SM => self.submit(pdu),
            ENQUIRE_LINK => put(&mut self.octets, pdu.command | ANSWER, STATUS_OK, pdu.sequence, &[]),
            UNBIND => {
                put(&mut self.octets, pdu.command | ANSWER, STATUS_OK, pdu.sequence, &[]);
                self.ends = true;
            }
            command if command == DELIVER_SM | ANSWER => self.drained.acknowledged += 1,
            command if command & ANSWER != 0 => {}
            _ => put(&mut self.octets, GENERIC_NACK, STATUS_COMMAND, pdu.sequence, &[]),
        }
    }

    fn submit(&mut self, pdu: &Pdu<'_>) {
        let Some(submit) = Submit::read(pdu.body) else {
            put(&mut self.octets, pdu.command | ANSWER, STATUS_MESSAGE_LENGTH, pdu.sequence, &[]);
            return;
        };
        self.drained.submits += 1;
        let id = format!("{:016x}\0", self.next_id.fetch_add(1, Ordering::Relaxed));
        put(&mut self.octets, pdu.command | ANSWER, STATUS_OK, pdu.sequence, id.as_bytes());
        if self.receipts && submit.registered_delivery & WANTS_RECEIPT != 0 {
            self.drained.receipts += 1;
            self.sequence = if self.sequence < 0x7FFF_FFFF { self.sequence + 1 } else { 1 };
            self.scratch.clear();
            submit.receipt(id.as_bytes(), &mut self.scratch);
            put(&mut self.octets, DELIVER_SM, STATUS_OK, self.sequence, &self.scratch);
        }
    }
}

fn put(octets: &mut Vec<u8>, command: u32, status: u32, sequence: u32, body: &[u8]) {
    let len = u32::try_from(HEADER_LEN + body.len()).unwrap_or(u32::MAX);
    for word in [len, command, status, sequence] {
        octets.extend(word.to_be_bytes());
    }
    octets.extend(body);
}

/// What a receipt needs of a `submit_sm`.
struct Submit<'a> {
    /// Type of number, plan and digits with their NUL, as they came.
    source: &'a [u8],
    destination: &'a [u8],
    registered_delivery: u8,
}

impl<'a> Submit<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let (_service_type, rest) = through_nul(body, 0)?;
        let (source, rest) = through_nul(rest, 2)?;
        let (destination, rest) = through_nul(rest, 2)?;
        // esm_class, protocol_id, priority_flag; then the two times.
        let (_, rest) = rest.split_at_checked(3)?;
        let (_schedule, rest) = through_nul(rest, 0)?;
        let (_validity, rest) = through_nul(rest, 0)?;
        // registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length.
        let (&[registered_delivery, _, _, _, len], rest) = rest.split_first_chunk::<5>()?;
        let whole = usize::from(len) <= rest.len();
        whole.then_some(Self { source, destination, registered_delivery })
    }

    /// The body of the `deliver_sm` that says that the message `id`, which ends with NUL, was delivered.
    fn receipt(&self, id: &[u8], out: &mut Vec<u8>) {
        let text = b"stat:DELIVRD err:000";
        out.push(0);
        out.extend(self.destination);
        out.extend(self.source);
        out.extend([ESM_CLASS_RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.push(u8::try_from(text.len()).unwrap_or(0));
        out.extend(text);
        for (tag, value) in [(TAG_RECEIPTED_MESSAGE_ID, id), (TAG_MESSAGE_STATE, &[DELIVERED])] {
            out.extend(tag.to_be_bytes());
            out.extend(u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
            out.extend(value);
        }
    }
}

/// Splits after the first NUL that stands at `skip` or later.
fn through_nul(input: &[u8], skip: usize) -> Option<(&[u8], &[u8])> {
    let at = input.get(skip..)?.iter().position(|octet| *octet == 0)?;
    input.split_at_checked(skip + at + 1)
}
