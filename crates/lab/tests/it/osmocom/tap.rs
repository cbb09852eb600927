//! A wire-tap: forwards a TCP connection and keeps what went over it, in order.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Octets that one side sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// By whoever connected; otherwise by who was connected to.
    pub(crate) by_client: bool,
    pub(crate) octets: Vec<u8>,
}

type Record = Arc<Mutex<Vec<Heard>>>;

/// Between a client and a server.
pub(crate) struct Tap {
    /// Where the client is to connect.
    pub(crate) addr: SocketAddr,
    record: Record,
    task: JoinHandle<()>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tap {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let record = Record::default();
        let task = tokio::spawn({
            let record = Arc::clone(&record);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(server).await.expect("the server listens");
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::spawn(forward(from_client, to_server, true, Arc::clone(&record)));
                    tokio::spawn(forward(from_server, to_client, false, Arc::clone(&record)));
                }
            }
        });
        Self { addr, record, task }
    }

    /// What was heard so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.record.lock().expect("not poisoned").clone()
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, by_client: bool, record: Record) {
    let mut octets = vec![0; 16 << 10];
    while let Ok(len @ 1..) = from.read(&mut octets).await {
        let part = octets[..len].to_vec();
        record.lock().expect("not poisoned").push(Heard { by_client, octets: part });
        if to.write_all(&octets[..len]).await.is_err() {
            break;
        }
    }
}

/// The recording as a pcap file: IPv4 and TCP around what was heard, the server on `port`.
pub(crate) fn pcap(heard: &[Heard], port: u16) -> Vec<u8> {
    /// LINKTYPE_RAW: every packet begins with its IP header.
    const RAW: u32 = 101;
    const CLIENT_PORT: u16 = 40_000;
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 65_535, RAW] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let mut seqs = [1_u32, 1];
    for (at, part) in (0_u32..).zip(heard) {
        let (from, to, sent, acked) = if part.by_client { (1, 2, seqs[0], seqs[1]) } else { (2, 1, seqs[1], seqs[0]) };
        let (from_port, to_port) = if part.by_client { (CLIENT_PORT, port) } else { (port, CLIENT_PORT) };
        let len = u32::try_from(part.octets.len()).expect("short");
        let total = u16::try_from(len + 40).expect("short");
        let mut packet = vec![0x45, 0];
        packet.extend_from_slice(&total.to_be_bytes());
        // Don't fragment, 64 hops, TCP, no checksum.
        packet.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
        packet.extend_from_slice(&from_port.to_be_bytes());
        packet.extend_from_slice(&to_port.to_be_bytes());
        packet.extend_from_slice(&sent.to_be_bytes());
        packet.extend_from_slice(&acked.to_be_bytes());
        // Five words of header, PSH and ACK, a wide window.
        packet.extend_from_slice(&[0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        packet.extend_from_slice(&part.octets);
        for word in [at, 0, len + 40, len + 40] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&packet);
        seqs[usize::from(!part.by_client)] += len;
    }
    file
}
