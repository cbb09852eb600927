//! Dials over the real HTTP edge on loopback, in Africa's Talking's dialect; the load generator is on the same two cores.
//!
//! The generator is as cheap as it can be: kept-alive connections, requests put together by hand, one write for each.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use super::callers::{Measured, run};
use super::world::{Source, is_sent};

/// Connections that one generator thread writes to before it reads the answers.
const CONNECTIONS_PER_THREAD: u64 = 32;

/// One kept-alive connection.
struct Phone {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Phone {
    fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(to).context("connecting to the HTTP edge")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(15)))?;
        Ok(Self { stream, buffer: Vec::with_capacity(1024) })
    }

    fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    /// Reads one whole answer; true when its screen says that the gift was sent.
    fn receive(&mut self) -> anyhow::Result<bool> {
        self.buffer.clear();
        let mut chunk = [0; 2048];
        loop {
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                bail!("the edge closed a connection");
            }
            self.buffer.extend(chunk.iter().take(read));
            if let Some(body) = whole_body(&self.buffer)? {
                return Ok(is_sent(std::str::from_utf8(body)?.trim_start_matches("END ")));
            }
        }
    }
}

/// The body of a complete answer with a length; `None`: read more.
fn whole_body(answer: &[u8]) -> anyhow::Result<Option<&[u8]>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, rest) = answer.split_at(end);
    let head = std::str::from_utf8(head)?.to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        bail!("the edge answered {}", head.lines().next().unwrap_or_default());
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.context("an answer without a length")?.trim().parse()?;
    let body = rest.get(4..).unwrap_or_default();
    Ok((body.len() >= length).then_some(body))
}

/// As many dials as two generator threads and the server can do together.
pub(super) fn flat_out(to: SocketAddr, source: &Arc<Source>, lasts: Duration) -> anyhow::Result<Measured> {
    let mut measured = run(2, lasts, None, || {
        let mut phones = (0..CONNECTIONS_PER_THREAD).map(|_| Phone::connect(to)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut dials = source.dials(source.subscribers());
        Ok(move || {
            for phone in &mut phones {
                phone.send(&dials.request())?;
            }
            let mut all = true;
            for phone in &mut phones {
                all &= phone.receive()?;
            }
            Ok(all)
        })
    })?;
    measured.per_second *= CONNECTIONS_PER_THREAD;
    Ok(measured)
}

/// Answer times at a given rate, from when each dial was due.
pub(super) fn at_rate(to: SocketAddr, source: &Arc<Source>, rate: u64, lasts: Duration) -> anyhow::Result<Measured> {
    run(CONNECTIONS_PER_THREAD, lasts, Some(rate), || {
        let mut phone = Phone::connect(to)?;
        let mut dials = source.dials(source.subscribers());
        Ok(move || {
            phone.send(&dials.request())?;
            phone.receive()
        })
    })
}
