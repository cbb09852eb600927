//! A load of one-shot dials through one connection, without a task or a lock for each phone.
//!
//! **For:** `sonmul-lab bench`: the generator shares two cores with the edge that it measures.
//!
//! **Guarantees:** at most [`FloodConfig::window`] dials are under way. A paced dial's answer time runs from when it should
//! have been sent, so that a stall is not hidden by dialling later. Prompts are counted as unexpected and put down.
//!
//! **Bounded by:** the window.
//!
//! **Deliberately not here:** histograms, and whose gifts these are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use wire::imsi::Imsi;

use sonmul::gsup::GsupError;
use sonmul::gsup::outbox::Outbox;
use sonmul::gsup::switch::{Cancel, FIRST_SESSION, Shown, Switch};

/// Octets read at once.
const READ_LEN: usize = 64 << 10;
/// A paced load looks at the clock so often.
const TICK: Duration = Duration::from_millis(1);

/// How hard.
#[derive(Clone, Debug)]
pub struct FloodConfig {
    /// The switch's name.
    pub name: String,
    /// Dials under way at most.
    pub window: usize,
    /// Dials a second; `None`: as many as the window lets through.
    pub paced: Option<u64>,
    /// No new dials after so long.
    pub lasts: Duration,
    /// Answers that came so long after the last dial are waited for.
    pub drain: Duration,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flooded {
    /// Dials sent.
    pub sent: u64,
    /// Last screens.
    pub ended: u64,
    /// Prompts, errors, and ends without a word.
    pub unexpected: u64,
    /// Dials that were not answered when the time was over.
    pub lost: u64,
    /// From the first dial to the last answer, ms.
    pub took_ms: u64,
}

/// Dials until the time is over. `next` gives the phone and the string; `each` gets what it showed, and after how long.
///
/// # Errors
/// [`GsupError::Io`], [`GsupError::Gone`], and what a frame may be wrong with.
pub async fn flood<S, N, E>(stream: S, config: &FloodConfig, next: N, each: E) -> Result<Flooded, GsupError>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    N: FnMut() -> (Imsi, String),
    E: FnMut(&Shown, Duration),
{
    let (mut reader, writer) = tokio::io::split(stream);
    let outbox = Arc::new(Outbox::default());
    let sending = tokio::spawn({
        let outbox = Arc::clone(&outbox);
        async move { outbox.send(writer).await }
    });
    let result = run(&mut reader, &outbox, config, next, each).await;
    outbox.close();
    sending.abort();
    result
}

async fn run<R, N, E>(
    reader: &mut R,
    outbox: &Outbox,
    config: &FloodConfig,
    mut next: N,
    mut each: E,
) -> Result<Flooded, GsupError>
where
    R: AsyncRead + Unpin,
    N: FnMut() -> (Imsi, String),
    E: FnMut(&Shown, Duration),
{
    let mut switch = Switch::<Instant>::new(&config.name, FIRST_SESSION, config.window);
    let mut flooded = Flooded::default();
    let (mut input, mut out) = (Vec::with_capacity(READ_LEN), Vec::new());
    let mut began: Option<Instant> = None;
    let mut last = Instant::now();
    loop {
        let now = Instant::now();
        if switch.is_registered() {
            let began = *began.get_or_insert(now);
            if now - began < config.lasts {
                refill(&mut switch, config, began, &mut flooded, &mut next, &mut out)?;
                last = now;
            } else if switch.open_len() == 0 || config.drain < now - last {
                break;
            }
        }
        outbox.push(&out)?;
        out.clear();
        input.reserve(READ_LEN);
        let read = tokio::time::timeout(TICK, reader.read_buf(&mut input)).await;
        match read {
            Ok(Ok(0)) => return Err(GsupError::Gone),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(GsupError::io("reading")(error)),
            Err(_) => continue,
        }
        let now = Instant::now();
        let mut asked = Vec::new();
        let taken = switch.take(&input, &mut out, |session, due, shown| {
            each(&shown, now.saturating_duration_since(*due));
            match shown {
                Shown::Ends(_) => flooded.ended += 1,
                Shown::Asks(_) => asked.push(session),
                _ => flooded.unexpected += 1,
            }
        })?;
        input.drain(..taken);
        for session in asked {
            flooded.unexpected += 1;
            switch.cancel(session, Cancel::End, &mut out)?;
        }
    }
    flooded.lost = switch.open_len() as u64;
    let took = began.map_or(Duration::ZERO, |began| began.elapsed());
    flooded.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Ok(flooded)
}

/// Dials what is due and what the window has room for.
fn refill<N: FnMut() -> (Imsi, String)>(
    switch: &mut Switch<Instant>,
    config: &FloodConfig,
    began: Instant,
    flooded: &mut Flooded,
    next: &mut N,
    out: &mut Vec<u8>,
) -> Result<(), GsupError> {
    while switch.open_len() < config.window {
        let due = match config.paced {
            None => Instant::now(),
            Some(rate) => began + nth(flooded.sent, rate),
        };
        if Instant::now() < due {
            break;
        }
        let (imsi, string) = next();
        switch.dial(imsi, &string, due, out)?;
        flooded.sent += 1;
    }
    Ok(())
}

/// When the n-th dial is due.
fn nth(n: u64, rate: u64) -> Duration {
    let nanos = u128::from(n) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
