//! An SMSC that takes every message at once, for "SMS drained per second per bind".
//!
//! **For:** the bench. Every bind gets a thread; what one read brought is answered by one write.
//!
//! **Guarantees:** message ids are never given twice. A receipt leaves only for a message that asked for one, after the
//! answer that names its id. What is not SMPP closes the connection and is counted.
//!
//! **Bounded by:** [`PDU_LEN_MAX`], [`BINDS_MAX`].
//!
//! **Deliberately not here:** passwords (any bind is welcome), delays, refusals, USSD: `crates/edges/tests/peers` has an
//! SMSC that is not ours and does all that.

mod pdu;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use pdu::PDU_LEN_MAX;
use pdu::{Answers, take};

/// Connections served at once; more are closed.
pub const BINDS_MAX: usize = 64;
/// Octets read at once. Large, so that a full window comes in one read.
const READ_LEN: usize = 256 * 1024;

/// What the stand-in does besides taking messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SmscConfig {
    /// Sends a receipt for each message that asked for one.
    pub receipts: bool,
}

/// What came so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Binds accepted.
    pub binds: u64,
    /// Messages taken: `submit_sm` answered with an id.
    pub submits: u64,
    /// Receipts sent.
    pub receipts: u64,
    /// Receipts that the other side acknowledged, whatever it thought of them.
    pub acknowledged: u64,
    /// Connections closed because what came was not SMPP.
    pub unreadable: u64,
}

#[derive(Default)]
struct Shared {
    drained: Mutex<Drained>,
    changed: Condvar,
    stop: AtomicBool,
    /// The next message id, and so never the same for two connections.
    next_id: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

/// A running stand-in. Dropping it closes its connections and waits for its threads.
pub struct Smsc {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Smsc {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is none, or no thread.
    pub fn listen(config: SmscConfig) -> io::Result<Self> {
        Self::listen_at((Ipv4Addr::LOCALHOST, 0).into(), config)
    }

    /// Listens there: for an SMSC that comes back.
    ///
    /// # Errors
    /// When somebody else listens there, or there is no thread.
    pub fn listen_at(address: SocketAddr, config: SmscConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = std::thread::Builder::new().name("load-smsc".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, config, &shared)
        })?;
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came so far.
    #[must_use]
    pub fn drained(&self) -> Drained {
        *self.shared.drained()
    }

    /// Waits until `done` says so, at most `within`; returns what had come by then.
    pub fn wait(&self, within: Duration, mut done: impl FnMut(&Drained) -> bool) -> Drained {
        let from = Instant::now();
        let mut drained = self.shared.drained();
        while !done(&drained) {
            let Some(left) = within.checked_sub(from.elapsed()) else { break };
            drained = self.shared.changed.wait_timeout(drained, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *drained
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.close_all();
        // Wakes `accept`; nothing is lost when this fails, since then nobody listens any more.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

impl Shared {
    fn drained(&self) -> std::sync::MutexGuard<'_, Drained> {
        self.drained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, more: Drained) {
        let mut drained = self.drained();
        drained.binds += more.binds;
        drained.submits += more.submits;
        drained.receipts += more.receipts;
        drained.acknowledged += more.acknowledged;
        drained.unreadable += more.unreadable;
        drop(drained);
        self.changed.notify_all();
    }

    fn close_all(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // An error means that it is closed already.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Remembers a connection for [`Shared::close_all`]; false when there are [`BINDS_MAX`] or we are stopping.
    fn admit(&self, stream: &TcpStream) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.load(Ordering::Acquire) || BINDS_MAX <= open.len() {
            return false;
        }
        let copy = stream.try_clone();
        copy.map(|copy| open.push(copy)).is_ok()
    }

    fn forget(&self, peer: SocketAddr) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| stream.peer_addr().is_ok_and(|address| address != peer));
    }
}

fn accept(listener: &TcpListener, config: SmscConfig, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Acquire) {
            break;
        }
        let Ok(stream) = stream else { continue };
        if !shared.admit(&stream) {
            continue;
        }
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("load-bind".to_owned()).spawn(move || {
            let peer = stream.peer_addr();
            if serve(stream, config, &shared).is_err_and(|error| error.kind() == ErrorKind::InvalidData) {
                shared.add(Drained { unreadable: 1, ..Drained::default() });
            }
            if let Ok(peer) = peer {
                shared.forget(peer);
            }
        });
        threads.extend(thread);
    }
    shared.close_all();
    for thread in threads {
        drop(thread.join());
    }
}

/// Serves one connection until it ends.
fn serve(mut stream: TcpStream, config: SmscConfig, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut chunk = vec![0; READ_LEN];
    let mut input = Vec::with_capacity(READ_LEN);
    let mut answers = Answers::new(config.receipts, &shared.next_id);
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        input.extend(chunk.iter().take(read));
        let mut rest = input.as_slice();
        while let Some((one, after)) = take(rest)? {
            answers.answer(&one);
            rest = after;
        }
        let taken = input.len() - rest.len();
        input.drain(..taken);
        let (octets, drained, ends) = answers.finish();
        stream.write_all(octets)?;
        shared.add(drained);
        if ends {
            return stream.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests;
