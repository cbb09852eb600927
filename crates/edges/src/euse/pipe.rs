//! One TCP connection that carries IPA frames both ways.
//!
//! Guarantees: [`Pipe::step`] may be dropped at any await without losing an octet; reading goes on while the peer does not
//! read; octets that were read are wiped as soon as their frame was looked at.
//!
//! Bounded by: [`READ_LEN`], [`WRITE_LEN_MAX`], [`WRITE_WITHIN`], [`CONNECT_WITHIN`],
//! [`CLOSE_WITHIN`].
//!
//! Deliberately not here: what frames mean, when to connect again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use wire::ipa::{FRAME_LEN_MAX, Frame, FrameError, take_frame};
use zeroize::{Zeroize, Zeroizing};

use super::config::Endpoint;

/// Octets that are read at once: several of the longest frames.
pub(super) const READ_LEN: usize = 8 * (FRAME_LEN_MAX + 3);
/// Octets that wait to be written, at most: beyond them the peer does not read and is disconnected.
pub(super) const WRITE_LEN_MAX: usize = 1 << 20;
/// A peer that takes nothing for so long is gone.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may take to be made, the name's look-up included.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long the peer may take to say good-bye.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Octets read and not looked at yet.
pub(super) struct Intake {
    octets: Zeroizing<Box<[u8]>>,
    start: usize,
    end: usize,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self { octets: Zeroizing::new(vec![0; READ_LEN].into_boxed_slice()), start: 0, end: 0 }
    }

    /// Where the next octets go; never empty after [`Intake::frames`], since a whole frame fits several times.
    fn space(&mut self) -> &mut [u8] {
        self.octets.get_mut(self.end..).unwrap_or_default()
    }

    /// Hands every whole frame to `each`, and wipes them.
    ///
    /// # Errors
    /// [`FrameError::TooLong`]: what follows can't be told apart any more.
    pub(super) fn frames(&mut self, mut each: impl FnMut(Frame<'_>)) -> Result<(), FrameError> {
        loop {
            let input = self.octets.get(self.start..self.end).unwrap_or_default();
            let Some((frame, rest)) = take_frame(input)? else { break };
            let after = self.end - rest.len();
            each(frame);
            self.start = after;
        }
        self.octets.copy_within(self.start..self.end, 0);
        let kept = self.end - self.start;
        if let Some(used) = self.octets.get_mut(kept..self.end) {
            used.zeroize();
        }
        (self.start, self.end) = (0, kept);
        Ok(())
    }
}

/// What happened on a [`Pipe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stepped {
    /// Octets came: [`Pipe::intake`] may have frames.
    Read,
    /// Octets went.
    Wrote,
    /// The peer closed the connection.
    Closed,
}

/// A connection.
pub(super) struct Pipe {
    pub(super) intake: Intake,
    /// Octets to be written.
    pub(super) output: Output,
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
}

/// Octets to be written, and since when none could be.
#[derive(Default)]
pub(super) struct Output {
    octets: Vec<u8>,
    written: usize,
    stuck_since: Option<Instant>,
}

impl Output {
    /// Adds a frame.
    pub(super) fn push(&mut self, frame: &[u8], now: Instant) {
        self.octets.extend_from_slice(frame);
        self.stuck_since.get_or_insert(now);
    }

    /// Whether everything is written.
    pub(super) const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Whether the peer has not read for too long, or too much.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        let since = self.stuck_since.is_some_and(|since| now.duration_since(since) >= WRITE_WITHIN);
        since || self.octets.len() - self.written > WRITE_LEN_MAX
    }

    fn pending(&self) -> &[u8] {
        self.octets.get(self.written..).unwrap_or_default()
    }

    fn wrote(&mut self, len: usize, now: Instant) {
        self.written += len;
        self.stuck_since = Some(now);
        if self.written == self.octets.len() {
            self.octets.clear();
            (self.written, self.stuck_since) = (0, None);
        }
    }
}

impl Pipe {
    /// Connects to the first address of the endpoint that answers.
    pub(super) async fn connect(endpoint: &Endpoint) -> io::Result<(Self, SocketAddr)> {
        let connect = async {
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            for address in lookup_host((endpoint.host(), endpoint.port())).await? {
                match TcpStream::connect(address).await {
                    Ok(stream) => return Ok((stream, address)),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let (stream, address) = timeout(CONNECT_WITHIN, connect)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"))??;
        // Answers are small and somebody waits for each.
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        Ok((Self { intake: Intake::new(), output: Output::default(), read, write }, address))
    }

    /// Reads or writes some octets, whichever can be done first.
    pub(super) async fn step(&mut self) -> io::Result<Stepped> {
        let Self { intake, output, read, write } = self;
        tokio::select! {
            read = read.read(intake.space()) => {
                let len = read?;
                intake.end += len;
                Ok(if len == 0 { Stepped::Closed } else { Stepped::Read })
            }
            wrote = write.write(output.pending()), if !output.is_empty() => {
                match wrote? {
                    0 => Err(io::ErrorKind::WriteZero.into()),
                    len => {
                        output.wrote(len, Instant::now());
                        Ok(Stepped::Wrote)
                    }
                }
            }
        }
    }

    /// Says good-bye, so that the peer forgets our name before we come again.
    pub(super) async fn close(mut self) {
        let last = async {
            while !self.output.is_empty() {
                let len = self.write.write(self.output.pending()).await?;
                self.output.wrote(len, Instant::now());
                if len == 0 {
                    break;
                }
            }
            self.write.shutdown().await?;
            // When it closes its side too, it has forgotten us.
            let mut unread = Zeroizing::new([0; 512]);
            while 0 < self.read.read(unread.as_mut_slice()).await? {}
            io::Result::Ok(())
        };
        // Whoever does not take it in time has gone, which is what was to be said.
        let _ = timeout(CLOSE_WITHIN, last).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Intake, READ_LEN};
    use proptest::prelude::{any, proptest};
    use wire::ipa::{FRAME_LEN_MAX, FrameError, frame};

    fn feed(intake: &mut Intake, octets: &[u8]) -> Result<Vec<Vec<u8>>, FrameError> {
        let space = intake.space();
        space[..octets.len()].copy_from_slice(octets);
        intake.end += octets.len();
        let mut frames = Vec::new();
        intake.frames(|frame| frames.push(frame.payload.to_vec()))?;
        Ok(frames)
    }

    #[test]
    fn single_octets_and_many_frames_in_one_read() {
        let one = frame(0xEE, b"abc").expect("short");
        let mut intake = Intake::new();
        for octet in &one[..5] {
            assert_eq!(feed(&mut intake, &[*octet]), Ok(Vec::new()));
        }
        assert_eq!(feed(&mut intake, &one[5..]), Ok(vec![b"abc".to_vec()]));
        assert_eq!(feed(&mut intake, &one.repeat(1_000)).map(|frames| frames.len()), Ok(1_000));
        let longest = frame(0xEE, &[7; FRAME_LEN_MAX]).expect("the longest");
        assert_eq!(feed(&mut intake, &longest), Ok(vec![vec![7; FRAME_LEN_MAX]]));
    }

    #[test]
    fn what_was_read_is_wiped() {
        let mut intake = Intake::new();
        let mut octets = frame(0xEE, b"482913").expect("short");
        octets.extend_from_slice(&[0, 9, 0xEE, b'x']);
        feed(&mut intake, &octets).expect("a frame and a half");
        assert_eq!(intake.octets[..4], [0, 9, 0xEE, b'x']);
        assert!(intake.octets[4..].iter().all(|octet| *octet == 0));
    }

    #[test]
    fn a_frame_too_long_ends_it() {
        let mut intake = Intake::new();
        let len = FRAME_LEN_MAX + 1;
        let head = u16::try_from(len).expect("16 bits").to_be_bytes();
        assert_eq!(feed(&mut intake, &[head[0], head[1], 0xEE]), Err(FrameError::TooLong { len }));
    }

    proptest! {
        #[test]
        fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..2_000), at in 1..50_usize) {
            let mut intake = Intake::new();
            for part in octets.chunks(at) {
                if feed(&mut intake, part).is_err() {
                    break;
                }
                assert!(intake.start == 0 && intake.end < READ_LEN);
            }
        }
    }
}
