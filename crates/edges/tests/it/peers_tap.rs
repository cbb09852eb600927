//! Between the edge and an SMSC: keeps the octets that the edge sends, writes them as a capture and has `tshark` read it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::peers::program;

/// The port in the captures, whatever the real ones were.
const SMPP_PORT: u16 = 2_775;
const ESME_PORT: u16 = 40_000;
/// `LINKTYPE_RAW`: packets begin with their IP header.
const LINKTYPE_RAW: u32 = 101;
const HEADER_LEN: usize = 16;

/// A port that leads to an SMSC, and what the edge sent through it.
pub(crate) struct Tap {
    pub(crate) port: u16,
    ours: Kept,
}

/// Octets in the order in which they passed.
type Kept = Arc<Mutex<Vec<u8>>>;

impl Tap {
    pub(crate) async fn before(smsc: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let ours = Kept::default();
        let keeper = Arc::clone(&ours);
        tokio::spawn(async move {
            while let Ok((esme, _)) = listener.accept().await {
                let Ok(smsc) = TcpStream::connect(smsc).await else { continue };
                let ((from_esme, to_esme), (from_smsc, to_smsc)) = (esme.into_split(), smsc.into_split());
                tokio::spawn(pass(from_esme, to_smsc, Some(Arc::clone(&keeper))));
                tokio::spawn(pass(from_smsc, to_esme, None));
            }
        });
        Self { port, ours }
    }

    /// Everything that the edge sent so far, as `tshark` understands it: one object a PDU, of the fields asked for.
    pub(crate) fn ours(&self) -> Capture {
        Capture::of(&self.ours.lock().expect("not poisoned"))
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, keep: Option<Kept>) {
    let mut octets = vec![0; 65_536];
    while let Ok(len @ 1..) = from.read(&mut octets).await {
        if let Some(keep) = &keep {
            keep.lock().expect("not poisoned").extend_from_slice(&octets[..len]);
        }
        if to.write_all(&octets[..len]).await.is_err() {
            break;
        }
    }
}

/// A capture file of what one side sent.
pub(crate) struct Capture(tempfile::NamedTempFile);

impl Capture {
    /// One packet a PDU, so that `tshark` has to agree about every length.
    pub(crate) fn of(octets: &[u8]) -> Self {
        let mut file = tempfile::NamedTempFile::with_suffix(".pcap").expect("a file");
        let mut out = Vec::new();
        for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, LINKTYPE_RAW] {
            out.extend(word.to_le_bytes());
        }
        let mut rest = octets;
        let mut sequence = 1_u32;
        while HEADER_LEN <= rest.len() {
            let len = u32::from_be_bytes(rest[..4].try_into().expect("four octets"));
            let (pdu, after) = rest.split_at(usize::try_from(len).expect("fits").clamp(HEADER_LEN, rest.len()));
            packet(&mut out, sequence, pdu);
            sequence += u32::try_from(pdu.len()).expect("short");
            rest = after;
        }
        assert!(rest.is_empty(), "half a PDU at the end: {} octets", rest.len());
        file.write_all(&out).expect("writes");
        Self(file)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn tshark(&self, more: &[&str]) -> String {
        let mut command = program("tshark", "tshark");
        command.arg("-n").arg("-r").arg(self.path()).arg("-d").arg(format!("tcp.port=={SMPP_PORT},smpp")).args(more);
        let out = command.output().expect("tshark runs");
        assert!(out.status.success(), "tshark: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    }

    /// The frames that `tshark` finds something wrong with, as it shows them.
    pub(crate) fn wrong(&self) -> String {
        // Checksums and the missing handshake are the capture's, not the edge's: those groups are not SMPP's.
        self.tshark(&["-Y", "_ws.malformed || _ws.short || !smpp || (smpp && _ws.expert.group == \"Malformed\")", "-V"])
    }

    /// For each PDU its fields, by `tshark`'s names; a field that is not there is null.
    pub(crate) fn fields(&self, names: &[&str]) -> Vec<Value> {
        let mut arguments = vec!["-T", "fields", "-E", "separator=|", "-E", "aggregator=,"];
        arguments.extend(names.iter().flat_map(|name| ["-e", name]));
        let lines = self.tshark(&arguments);
        let row = |line: &str| {
            let values = line.split('|').map(|value| if value.is_empty() { Value::Null } else { value.into() });
            names.iter().map(|name| (*name).to_owned()).zip(values).collect::<serde_json::Map<_, _>>().into()
        };
        lines.lines().map(row).collect()
    }
}

/// One IPv4 and TCP packet from the edge to the SMSC. `tshark` checks no checksum unless told to.
fn packet(out: &mut Vec<u8>, sequence: u32, payload: &[u8]) {
    let total = u16::try_from(40 + payload.len()).expect("one packet");
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2]);
    packet.extend(ESME_PORT.to_be_bytes());
    packet.extend(SMPP_PORT.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 1, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet.extend(payload);
    let len = u32::try_from(packet.len()).expect("one packet");
    for word in [0, sequence, len, len] {
        out.extend(word.to_le_bytes());
    }
    out.extend(packet);
}
