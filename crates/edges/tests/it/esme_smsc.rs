//! An SMSC on loopback, written octet by octet, so that nothing of ours checks itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ids::LinkId;
use edges::esme::{
    Address, Esme, EsmeConfig, NotTaken, Outgoing, Receipt, Receipts, Running, Secret, Status, SubmitFault, Submitted,
};
use edges::flow::Link;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::fake::{BOB, Fake, msisdn};

/// Longer than any loaded machine takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
pub(crate) const PASSWORD: &str = "s3cr3t!";

pub(crate) const BIND: u32 = 0x09;
pub(crate) const SUBMIT: u32 = 0x04;
pub(crate) const DELIVER: u32 = 0x05;
pub(crate) const DATA: u32 = 0x103;
pub(crate) const UNBIND: u32 = 0x06;
pub(crate) const ENQUIRE: u32 = 0x15;
pub(crate) const NACK: u32 = 0x8000_0000;
pub(crate) const RESP: u32 = 0x8000_0000;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pdu {
    pub(crate) id: u32,
    pub(crate) status: u32,
    pub(crate) sequence: u32,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn octets(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(16 + body.len()).expect("short");
    [len, id, status, sequence].map(u32::to_be_bytes).concat().into_iter().chain(body.iter().copied()).collect()
}

pub(crate) fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).expect("short");
    [&tag.to_be_bytes()[..], &len.to_be_bytes(), value].concat()
}

/// A `deliver_sm`'s body.
pub(crate) fn deliver(from: &str, to: &str, esm_class: u8, data_coding: u8, text: &[u8], tlvs: &[Vec<u8>]) -> Vec<u8> {
    let len = u8::try_from(text.len()).expect("short");
    let ends =
        [&[0_u8, 0, 1][..], to.as_bytes(), &[0, esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len], text].concat();
    [&b"\0\x01\x01"[..], from.as_bytes(), &ends, &tlvs.concat()].concat()
}

pub(crate) struct Smsc {
    listener: TcpListener,
    pub(crate) address: String,
}

impl Smsc {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        Self { listener, address }
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Peer {
        let (stream, _) = timeout(DEADLINE, self.listener.accept()).await.expect("in time").expect("a connection");
        Peer { stream: Box::new(stream) }
    }

    /// The next connection, bound.
    pub(crate) async fn bound(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.bind().await;
        peer
    }
}

/// One connection as the SMSC sees it.
pub(crate) struct Peer {
    pub(crate) stream: Box<dyn Stream>,
}

impl Peer {
    pub(crate) async fn bind(&mut self) -> Pdu {
        let bind = self.expect(BIND).await;
        self.answer(&bind, 0, b"smsc\0").await;
        bind
    }

    /// The next PDU whatever it is; `None` when the connection is closed.
    pub(crate) async fn next(&mut self) -> Option<Pdu> {
        let mut header = [0; 16];
        timeout(DEADLINE, self.stream.read_exact(&mut header)).await.expect("in time").ok()?;
        let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().expect("four"));
        let mut body = vec![0; usize::try_from(word(0)).expect("fits") - 16];
        timeout(DEADLINE, self.stream.read_exact(&mut body)).await.expect("in time").ok()?;
        Some(Pdu { id: word(4), status: word(8), sequence: word(12), body })
    }

    /// The next PDU that is no sign of life; those are answered.
    pub(crate) async fn expect(&mut self, id: u32) -> Pdu {
        loop {
            let pdu = self.next().await.expect("still connected");
            if pdu.id == ENQUIRE && id != ENQUIRE {
                self.answer(&pdu, 0, b"").await;
                continue;
            }
            assert_eq!(pdu.id, id, "{pdu:?}");
            return pdu;
        }
    }

    pub(crate) async fn raw(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.expect("connected");
        self.stream.flush().await.expect("connected");
    }

    pub(crate) async fn send(&mut self, id: u32, sequence: u32, body: &[u8]) {
        self.raw(&octets(id, 0, sequence, body)).await;
    }

    pub(crate) async fn answer(&mut self, pdu: &Pdu, status: u32, body: &[u8]) {
        self.raw(&octets(pdu.id | RESP, status, pdu.sequence, body)).await;
    }

    /// Proves that nothing else was sent: the answer to this comes next.
    pub(crate) async fn nothing_else(&mut self) {
        self.send(ENQUIRE, 0x0777_7777, b"").await;
        let pdu = self.next().await.expect("still connected");
        assert_eq!((pdu.id, pdu.sequence), (ENQUIRE | RESP, 0x0777_7777), "{pdu:?}");
    }

    /// Delivers, and returns the status of the answer.
    pub(crate) async fn deliver(&mut self, sequence: u32, body: &[u8]) -> u32 {
        self.send(DELIVER, sequence, body).await;
        let answer = self.expect(DELIVER | RESP).await;
        assert_eq!((answer.sequence, &answer.body[..]), (sequence, &b"\0"[..]));
        answer.status
    }

    /// Until the other side has closed.
    pub(crate) async fn closed(&mut self) {
        while self.next().await.is_some() {}
    }
}

/// Takes receipts, refuses them, or keeps them waiting.
#[derive(Clone)]
pub(crate) struct Inbox {
    sent: mpsc::UnboundedSender<Receipt>,
    pub(crate) refuses: Arc<AtomicBool>,
    /// One permit lets one receipt through.
    pub(crate) gate: Arc<Semaphore>,
}

impl Inbox {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Receipt>) {
        let (sent, receipts) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        (Self { sent, refuses: Arc::default(), gate }, receipts)
    }
}

impl Receipts for Inbox {
    async fn take(&self, receipt: Receipt) -> Result<(), NotTaken> {
        self.gate.acquire().await.expect("open").forget();
        if self.refuses.load(Ordering::Relaxed) {
            return Err(NotTaken);
        }
        self.sent.send(receipt).map_err(|_| NotTaken)
    }
}

pub(crate) fn config(smsc: &Smsc) -> EsmeConfig {
    let password = Secret::new(Zeroizing::new(String::from(PASSWORD)));
    let mut config = EsmeConfig::new(LinkId(3), "smsc-1", &smsc.address, "sonmul", password);
    config.source = Address { ton: 5, npi: 0, address: String::from("Sonmul") };
    (config.reconnect_min_ms, config.reconnect_max_ms) = (10, 100);
    config
}

/// A bind and who takes its receipts.
pub(crate) struct World {
    pub(crate) esme: Esme,
    pub(crate) running: Running,
    pub(crate) inbox: Inbox,
    pub(crate) receipts: mpsc::UnboundedReceiver<Receipt>,
}

impl World {
    pub(crate) fn start(config: EsmeConfig) -> Self {
        Self::with(config, None)
    }

    pub(crate) fn with(config: EsmeConfig, ussd: Option<Link<Fake>>) -> Self {
        let (inbox, receipts) = Inbox::new();
        let (esme, running) = edges::esme::start(config, inbox.clone(), ussd).expect("a configuration that can work");
        Self { esme, running, inbox, receipts }
    }

    pub(crate) fn status(&self) -> &Status {
        self.esme.status()
    }

    pub(crate) async fn is_bound(&self) {
        timeout(DEADLINE, self.status().until(|phase| matches!(phase, edges::esme::Phase::Bound(_))))
            .await
            .expect("bound");
    }

    /// What went wrong last, once something has.
    pub(crate) async fn trouble(&self) -> String {
        timeout(DEADLINE, async {
            loop {
                if let Some(trouble) = self.status().trouble() {
                    return trouble;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("trouble")
    }

    /// Submits in a task of its own.
    pub(crate) fn submit(&self, text: &str) -> tokio::task::JoinHandle<Result<Submitted, SubmitFault>> {
        let (esme, sms) = (self.esme.clone(), outgoing(text));
        tokio::spawn(async move { timeout(DEADLINE, esme.submit(&sms)).await.expect("in time") })
    }
}

pub(crate) fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        to: msisdn(BOB),
        text: String::from(text),
        reference: 0x1234,
        validity_s: Some(3_600),
        want_receipt: true,
    }
}

pub(crate) fn taken(id: &str) -> Result<Submitted, SubmitFault> {
    Ok(Submitted { message_id: Some(String::from(id)) })
}
