//! How a link is, for `sonmul doctor`, metrics and tests.
//!
//! Guarantees: cheap to read and to write; a text here says what to do and never holds anything dialled or a number.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::kit::counters::counters;

/// One of the two connections of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Since when it is up without a break; `None` while it is down. The HLR's is up when our name is registered.
    pub up_since: Option<Instant>,
    /// What went wrong last, and what to do; stays after the connection is up again.
    pub last_error: Option<String>,
}

counters! {
    /// What a link has counted since it was started.
    pub Counts {
        /// BEGIN frames.
        dials,
        /// CONTINUE frames.
        inputs,
        /// Screens handed to the connection.
        answers,
        /// Screens that were ready after a phone had been told that nothing is known, or after the HLR's guard: not sent.
        dropped_late,
        /// Screens whose dialogue or connection had gone: not sent.
        dropped_gone,
        /// Dialogues that the phone's side ended or failed.
        cancelled,
        /// Frames that can't be read.
        malformed,
        /// Dialled or typed strings in an alphabet that nobody can read.
        unreadable,
        /// Frames of a prompt long past, or past [`FRAMES_WAITING_MAX`](super::dialogue::FRAMES_WAITING_MAX).
        stale,
        /// Messages that are none of ours: other GSUP messages, other protocols.
        ignored,
        /// CONTINUE frames of dialogues that nobody knows.
        no_session,
        /// Callers whose IMSI the HLR does not know.
        unknown_imsi,
        /// Callers without an MSISDN in the HLR.
        no_msisdn,
        /// Callers whose MSISDN could not be asked for.
        msisdn_failed,
        /// Frames that we were too busy for.
        busy,
        /// Phones that read *unknown* because the answer took too long.
        timed_out,
        /// Dialogues forgotten to make room.
        evicted,
        /// Questions for an MSISDN that were sent.
        questions,
        /// Connections to the HLR that were lost or could not be made.
        reconnects,
        /// Connections to the control interface that were lost or could not be made.
        ctrl_reconnects,
        /// Registrations renewed because nobody dialled.
        renewals,
    }
}

/// How one link is.
#[derive(Debug, Default)]
pub struct Status {
    counters: Counters,
    hlr: Mutex<Peer>,
    ctrl: Mutex<Peer>,
}

/// Which connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Hlr,
    Ctrl,
}

impl Status {
    /// Nothing counted, nothing connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// The connection that dials come over.
    pub fn hlr(&self) -> Peer {
        self.lock(Side::Hlr).clone()
    }

    /// The connection that MSISDNs are asked over.
    pub fn ctrl(&self) -> Peer {
        self.lock(Side::Ctrl).clone()
    }

    /// Whether dials can be answered: registered, and MSISDNs can be asked for.
    pub fn is_up(&self) -> bool {
        self.lock(Side::Hlr).up_since.is_some() && self.lock(Side::Ctrl).up_since.is_some()
    }

    pub(super) fn count(&self, count: Count) {
        self.add(count, 1);
    }

    pub(super) fn add(&self, count: Count, more: u64) {
        self.counters.add(count, more);
    }

    pub(super) fn up(&self, side: Side, now: Instant) {
        self.lock(side).up_since.get_or_insert(now);
    }

    pub(super) fn down(&self, side: Side, error: Option<&str>) {
        let mut peer = self.lock(side);
        peer.up_since = None;
        if let Some(error) = error {
            peer.last_error = Some(String::from(error));
        }
    }

    fn lock(&self, side: Side) -> MutexGuard<'_, Peer> {
        let peer = match side {
            Side::Hlr => &self.hlr,
            Side::Ctrl => &self.ctrl,
        };
        peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
