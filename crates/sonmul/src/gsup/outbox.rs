//! Octets on their way to one peer: written by many, sent in batches by one task.
//!
//! Guarantees: a push never waits; frames leave in the order of their pushes. Bounded by [`OUTBOX_LEN_MAX`]: a peer that
//! doesn't read makes pushes fail, not memory grow. Deliberately not here: reconnecting.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use super::error::GsupError;

/// Octets that may wait for one peer.
pub const OUTBOX_LEN_MAX: usize = 16 << 20;
/// Octets read at once.
const READ_LEN: usize = 64 << 10;

#[derive(Debug, Default)]
struct Waiting {
    octets: Vec<u8>,
    closed: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Octets are appended whole: a panic elsewhere leaves no half of a frame.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends whole frames.
    pub fn push(&self, frames: &[u8]) -> Result<(), GsupError> {
        if frames.is_empty() {
            return Ok(());
        }
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(GsupError::Gone);
        }
        if OUTBOX_LEN_MAX < waiting.octets.len() + frames.len() {
            return Err(GsupError::Stuck { most: OUTBOX_LEN_MAX });
        }
        waiting.octets.extend_from_slice(frames);
        drop(waiting);
        self.wake.notify_one();
        Ok(())
    }

    /// Nothing is sent any more, once what waits has left.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Sends what waits until the box is closed or the peer has gone.
    pub async fn send<W: AsyncWrite + Unpin>(&self, mut writer: W) -> std::io::Result<()> {
        let mut batch = Vec::new();
        loop {
            let closed = {
                let mut waiting = self.lock();
                std::mem::swap(&mut batch, &mut waiting.octets);
                waiting.closed
            };
            if batch.is_empty() {
                if closed {
                    return writer.shutdown().await;
                }
                self.wake.notified().await;
                continue;
            }
            writer.write_all(&batch).await?;
            batch.clear();
        }
    }
}

/// Reads until the peer closes. `take` gets all octets not taken yet and says how many it took.
pub async fn read<R, F>(mut reader: R, mut take: F) -> Result<(), GsupError>
where
    R: AsyncRead + Unpin,
    F: FnMut(&[u8]) -> Result<usize, GsupError>,
{
    let mut octets = Vec::with_capacity(READ_LEN);
    loop {
        // A frame is far shorter than what is read at once, so that there is always room.
        octets.reserve(READ_LEN);
        if reader.read_buf(&mut octets).await.map_err(GsupError::io("reading"))? == 0 {
            return Ok(());
        }
        let taken = take(&octets)?;
        octets.drain(..taken.min(octets.len()));
    }
}
