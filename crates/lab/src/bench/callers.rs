//! One gift at a time from many callers: in process, and over a Unix socket with a framing of the bench's own.
//!
//! A frame to the server is `len u32 | id 16 | body CBOR`; back come `seq u64 | given u8`. It is what a minimal binding
//! would send: no HTTP, no dial string, so that the engine's own cost shows.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::command::{Body, Command};
use domain::id::CommandId;
use domain::time::Timestamp;
use engine::answer::Answer;
use engine::handle::Handle;

use super::baselines::per_second;
use super::latency::Latencies;
use super::world::{Source, is_given};

/// Frames longer than this end the connection.
const FRAME_LEN_MAX: usize = 4096;

/// What many callers did.
pub(super) struct Measured {
    /// Given, not only asked for.
    pub(super) per_second: u64,
    pub(super) refused: u64,
    pub(super) latencies: Latencies,
}

/// `callers` threads, each asking for one gift after the other; `paced` bounds the rate of all of them together.
pub(super) fn in_process(
    handle: &Handle,
    source: &Arc<Source>,
    callers: u64,
    lasts: Duration,
    paced: Option<u64>,
) -> anyhow::Result<Measured> {
    run(callers, lasts, paced, || {
        let (handle, mut gifts) = (handle.clone(), source.gifts());
        Ok(move || {
            let command = gifts.command(handle.now());
            Ok(is_given(&handle.submit_blocking(command)))
        })
    })
}

/// The same through a Unix socket: a thread for each connection on the server's side as well.
pub(super) fn over_socket(
    handle: &Handle,
    source: &Arc<Source>,
    dir: &Path,
    callers: u64,
    lasts: Duration,
) -> anyhow::Result<Measured> {
    let path = dir.join("bench.sock");
    let listener = UnixListener::bind(&path).context("binding the bench's socket")?;
    let stop = Arc::new(AtomicBool::new(false));
    let server = {
        let (handle, stop) = (handle.clone(), Arc::clone(&stop));
        thread::spawn(move || accept(&listener, &handle, &stop))
    };
    let measured = run(callers, lasts, None, || {
        let mut gifts = source.gifts();
        let mut stream = UnixStream::connect(&path).context("connecting to the bench's socket")?;
        let handle = handle.clone();
        Ok(move || {
            let command = gifts.command(handle.now());
            let mut frame = vec![0; 4];
            frame.extend_from_slice(&command.id.bits().to_be_bytes());
            minicbor::encode(&command.body, &mut frame)?;
            let len = u32::try_from(frame.len() - 4)?;
            frame.splice(..4, len.to_be_bytes());
            stream.write_all(&frame)?;
            let mut reply = [0; 9];
            stream.read_exact(&mut reply)?;
            Ok(reply.last() == Some(&1))
        })
    });
    stop.store(true, Ordering::Relaxed);
    drop(UnixStream::connect(&path));
    let _ended = server.join();
    std::fs::remove_file(&path)?;
    measured
}

fn accept(listener: &UnixListener, handle: &Handle, stop: &AtomicBool) {
    while let Ok((stream, _)) = listener.accept() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let handle = handle.clone();
        thread::spawn(move || serve(stream, &handle));
    }
}

/// Answers frames until the peer is gone.
fn serve(mut stream: UnixStream, handle: &Handle) -> Option<()> {
    let mut frame = Vec::new();
    loop {
        let mut len = [0; 4];
        stream.read_exact(&mut len).ok()?;
        let len = usize::try_from(u32::from_be_bytes(len)).ok().filter(|len| (17..=FRAME_LEN_MAX).contains(len))?;
        frame.resize(len, 0);
        stream.read_exact(&mut frame).ok()?;
        let (id, body) = frame.split_first_chunk::<16>()?;
        let id = CommandId::from_uuid(u128::from_be_bytes(*id)).ok()?;
        let body: Body = minicbor::decode(body).ok()?;
        let answer = handle.submit_blocking(Command { id, decide_before: Timestamp::MAX, body });
        let seq = if let Answer::Verdict(reply) = &answer { reply.seq.0 } else { 0 };
        let mut reply = [0; 9];
        let (head, given) = reply.split_at_mut(8);
        head.copy_from_slice(&seq.to_be_bytes());
        given.fill(u8::from(is_given(&answer)));
        stream.write_all(&reply).ok()?;
    }
}

/// Runs `ask` of every caller until the time is over. It says whether the gift was given.
pub(super) fn run<A, M>(callers: u64, lasts: Duration, paced: Option<u64>, make: M) -> anyhow::Result<Measured>
where
    A: FnMut() -> anyhow::Result<bool> + Send + 'static,
    M: Fn() -> anyhow::Result<A>,
{
    let refused = Arc::new(AtomicU64::new(0));
    let asks = (0..callers).map(|_| make()).collect::<anyhow::Result<Vec<_>>>()?;
    let gap = paced.map(|rate| Duration::from_nanos(1_000_000_000 * callers / rate.max(1)));
    let began = Instant::now();
    let threads: Vec<_> = asks
        .into_iter()
        .map(|ask| {
            let refused = Arc::clone(&refused);
            thread::spawn(move || one_caller(ask, began, lasts, gap, &refused))
        })
        .collect();
    let mut latencies = Latencies::default();
    let mut count = 0;
    for thread in threads {
        let (asked, took) = thread.join().map_err(|_| anyhow::anyhow!("a caller ended on an assertion"))??;
        count += asked;
        latencies.merge(took);
    }
    let refused = refused.load(Ordering::Relaxed);
    Ok(Measured { per_second: per_second(count - refused, began.elapsed()), refused, latencies })
}

/// A paced caller's answer time runs from when it should have asked, so that a stall is not hidden by asking later.
fn one_caller(
    mut ask: impl FnMut() -> anyhow::Result<bool>,
    began: Instant,
    lasts: Duration,
    gap: Option<Duration>,
    refused: &AtomicU64,
) -> anyhow::Result<(u64, Latencies)> {
    let mut latencies = Latencies::default();
    let (mut count, mut due) = (0, began);
    while began.elapsed() < lasts {
        let from = match gap {
            None => Instant::now(),
            Some(gap) => {
                let mut now = Instant::now();
                while now < due {
                    thread::park_timeout(due - now);
                    now = Instant::now();
                }
                due += gap;
                due - gap
            }
        };
        let given = ask()?;
        latencies.add(from.elapsed());
        count += 1;
        if !given {
            refused.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok((count, latencies))
}
