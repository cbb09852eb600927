//! One bind as a pure state: PDUs and instants in, octets and events out. No socket, no clock, no task.
//!
//! Guarantees: a submit is settled exactly once, by its answer or by time, and then its slot of the window is free; an answer to nothing (late, doubled, made up) settles nothing; never more
//! submits in flight than the window; a peer that is silent while it was asked for a sign of life is given up.
//!
//! Bounded by: the window, [`OUT_LEN_MAX`] octets to be sent.

use std::collections::HashMap;
use std::time::Duration;

use rusmpp::pdus::SubmitSm;
use rusmpp::{CommandId, Pdu};
use tokio::time::Instant;
use zeroize::{Zeroize, Zeroizing};

use super::command_status::{self as status, Class, class};
use super::config::EsmeConfig;
use super::delivery::{self, Delivery};
use super::frame::Frame;
use super::throttle::Throttle;
use super::{SubmitFault, Submitted, pdu, receipt};

/// Octets that wait to be sent at most; beyond them nothing is read and nothing submitted.
pub(crate) const OUT_LEN_MAX: usize = 262_144;
/// Sequence numbers are 1 to this (SMPP 3.4 §3.2).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// Why a bind is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The SMSC answered the bind with this status.
    Refused { status: u32 },
    /// No answer to the bind.
    NoBindAnswer,
    /// The SMSC said goodbye.
    Unbound,
    /// Nothing heard, though it was asked.
    Silent,
    /// It sends what is no SMPP.
    Garbage(String),
    /// We said goodbye and it was taken, or nobody answered.
    Stopped,
}

/// What a PDU leads to besides octets to be sent.
pub(crate) enum Event<'a, T> {
    Nothing,
    Bound,
    Settled(T, Result<Submitted, SubmitFault>),
    /// To be answered by [`Session::answer`].
    Delivery(Asked, Delivery<'a>),
    /// An answer to nothing.
    Stray,
    /// A PDU whose body can't be read, or that nobody knows; the peer has been told.
    Unreadable,
}

/// Which delivery an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    id: CommandId,
    sequence: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Binding { sequence: u32, until: Instant },
    Bound,
    Unbinding { sequence: u32, until: Instant },
}

struct Pending<T> {
    token: T,
    sent_at: Instant,
}

/// See the module. `T` is whatever the caller finds its submit by.
pub(crate) struct Session<T> {
    pub(crate) throttle: Throttle,
    response_within: Duration,
    enquire_link: Duration,
    stage: Stage,
    over: Option<Why>,
    sequence: u32,
    pending: HashMap<u32, Pending<T>>,
    /// The sign of life that was asked for and when.
    enquiry: Option<(u32, Instant)>,
    heard_at: Instant,
    wrote_at: Instant,
    out: Zeroizing<Vec<u8>>,
    out_from: usize,
}

impl<T> Session<T> {
    /// A session that has its bind to send.
    pub(crate) fn new(config: &EsmeConfig, throttle: Throttle, now: Instant) -> Self {
        let response_within = Duration::from_millis(u64::from(config.response_within_ms));
        let mut session = Self {
            throttle,
            response_within,
            enquire_link: Duration::from_secs(u64::from(config.enquire_link_s)),
            stage: Stage::Binding { sequence: 1, until: now + response_within },
            over: None,
            sequence: 0,
            pending: HashMap::new(),
            enquiry: None,
            heard_at: now,
            wrote_at: now,
            // Room for the bind, so that its password is never left behind by a vector that grows.
            out: Zeroizing::new(Vec::with_capacity(4_096)),
            out_from: 0,
        };
        let sequence = session.next_sequence();
        session.put(status::ROK, sequence, pdu::bind(config), now);
        session
    }

    pub(crate) fn over(&self) -> Option<&Why> {
        self.over.as_ref()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.pending.len()
    }

    /// Octets to be sent.
    pub(crate) fn out(&self) -> &[u8] {
        self.out.get(self.out_from..).unwrap_or_default()
    }

    /// So many of them were sent.
    pub(crate) fn wrote(&mut self, octets: usize) {
        self.out_from += octets;
        if self.out.len() <= self.out_from {
            self.out.zeroize();
            self.out_from = 0;
        } else if OUT_LEN_MAX <= self.out_from {
            // A peer that never quite catches up must not make this grow.
            let mut rest = Zeroizing::new(Vec::with_capacity(self.out.len() - self.out_from));
            rest.extend_from_slice(self.out());
            (self.out, self.out_from) = (rest, 0);
        }
    }

    /// Whether there is room to read and to submit.
    pub(crate) fn has_room(&self) -> bool {
        self.out().len() < OUT_LEN_MAX
    }

    /// Whether a submit may be made now, as far as others in flight and the SMSC's wishes go.
    pub(crate) fn may_submit(&self, now: Instant) -> bool {
        self.has_slot() && self.throttle.opens_at(now).is_none()
    }

    /// Whether a slot stays free after one more submit; a window of one has none to keep.
    pub(crate) fn keeps_slot(&self) -> bool {
        let window = usize::from(self.throttle.window());
        window == 1 || self.pending.len() + 1 < window
    }

    fn has_slot(&self) -> bool {
        let free = self.pending.len() < usize::from(self.throttle.window());
        free && self.stage == Stage::Bound && self.over.is_none() && self.has_room()
    }

    /// Sends a submit. The caller has asked [`Session::may_submit`].
    pub(crate) fn submit(&mut self, token: T, submit: SubmitSm, now: Instant) {
        let sequence = self.next_sequence();
        self.put(status::ROK, sequence, submit, now);
        self.throttle.sent(now);
        self.pending.insert(sequence, Pending { token, sent_at: now });
    }

    /// Answers a delivery.
    pub(crate) fn answer(&mut self, asked: Asked, status: u32, now: Instant) {
        self.put(status, asked.sequence, pdu::delivery_resp(asked.id), now);
    }

    /// Says goodbye. What is in flight should have been waited for.
    pub(crate) fn unbind(&mut self, now: Instant) {
        match self.stage {
            Stage::Bound => {
                let sequence = self.next_sequence();
                self.put(status::ROK, sequence, Pdu::Unbind, now);
                self.stage = Stage::Unbinding { sequence, until: now + self.response_within };
            }
            Stage::Binding { .. } => self.over = Some(Why::Stopped),
            Stage::Unbinding { .. } => {}
        }
    }

    /// The stream lost its PDUs: says so and is over.
    pub(crate) fn garbage(&mut self, why: String, now: Instant) {
        // Nobody knows which PDU it was: sequence number 0 (SMPP 3.4 §4.3.1).
        self.put(status::RINVCMDLEN, 0, Pdu::GenericNack, now);
        self.over = Some(Why::Garbage(why));
    }

    /// A PDU came.
    pub(crate) fn hear<'a>(&mut self, frame: &Frame<'a>, now: Instant) -> Event<'a, T> {
        self.heard_at = now;
        let id = CommandId::from(frame.id);
        match id {
            CommandId::EnquireLink => self.put(status::ROK, frame.sequence, Pdu::EnquireLinkResp, now),
            CommandId::EnquireLinkResp => return self.enquired(frame.sequence),
            CommandId::SubmitSmResp => return self.settled(frame, now),
            CommandId::BindTransceiverResp => return self.bind_answered(frame),
            CommandId::GenericNack => return self.nacked(frame, now),
            CommandId::DeliverSm | CommandId::DataSm => return self.delivered(id, frame, now),
            CommandId::Unbind => {
                self.put(status::ROK, frame.sequence, Pdu::UnbindResp, now);
                self.over = Some(Why::Unbound);
            }
            CommandId::UnbindResp => match self.stage {
                Stage::Unbinding { sequence, .. } if sequence == frame.sequence => self.over = Some(Why::Stopped),
                _ => return Event::Stray,
            },
            // It wants no answer, and nobody here waits for a phone to come back.
            CommandId::AlertNotification => {}
            id if id.is_response() => return Event::Stray,
            _ => {
                self.put(status::RINVCMDID, frame.sequence, Pdu::GenericNack, now);
                return Event::Unreadable;
            }
        }
        Event::Nothing
    }

    fn bind_answered<'a>(&mut self, frame: &Frame<'a>) -> Event<'a, T> {
        match self.stage {
            Stage::Binding { sequence, .. } if sequence == frame.sequence => {}
            _ => return Event::Stray,
        }
        if frame.status == status::ROK {
            self.stage = Stage::Bound;
            Event::Bound
        } else {
            self.over = Some(Why::Refused { status: frame.status });
            Event::Nothing
        }
    }

    fn enquired<'a>(&mut self, sequence: u32) -> Event<'a, T> {
        match self.enquiry {
            Some((asked, _)) if asked == sequence => {
                self.enquiry = None;
                Event::Nothing
            }
            _ => Event::Stray,
        }
    }

    fn nacked<'a>(&mut self, frame: &Frame<'a>, now: Instant) -> Event<'a, T> {
        match self.stage {
            Stage::Binding { sequence, .. } if sequence == frame.sequence => {
                self.over = Some(Why::Refused { status: frame.status });
                Event::Nothing
            }
            // An SMSC that doesn't know `enquire_link` lives all the same.
            _ if self.enquiry.is_some_and(|(asked, _)| asked == frame.sequence) => self.enquired(frame.sequence),
            Stage::Unbinding { sequence, .. } if sequence == frame.sequence => {
                self.over = Some(Why::Stopped);
                Event::Nothing
            }
            // A nack says no, also where its status forgot to.
            _ => self.settled(&Frame { status: frame.status.max(status::RINVMSGLEN), ..*frame }, now),
        }
    }

    fn settled<'a>(&mut self, frame: &Frame<'a>, now: Instant) -> Event<'a, T> {
        let Some(Pending { token, sent_at }) = self.pending.remove(&frame.sequence) else { return Event::Stray };
        let outcome = if frame.status == status::ROK {
            self.throttle.taken(sent_at);
            Ok(Submitted { message_id: receipt::message_id(frame.body) })
        } else {
            Err(match class(frame.status) {
                Class::Throttled => {
                    let rest = self.throttle.slower(sent_at, now);
                    SubmitFault::Throttled { wait_ms: u64::try_from(rest.as_millis()).unwrap_or(u64::MAX) }
                }
                Class::Temporary => SubmitFault::Temporary { status: frame.status },
                Class::Permanent => SubmitFault::Permanent { status: frame.status },
            })
        };
        Event::Settled(token, outcome)
    }

    fn delivered<'a>(&mut self, id: CommandId, frame: &Frame<'a>, now: Instant) -> Event<'a, T> {
        let asked = Asked { id, sequence: frame.sequence };
        if matches!(self.stage, Stage::Binding { .. }) {
            self.answer(asked, status::RINVBNDSTS, now);
            return Event::Unreadable;
        }
        let delivery = match id {
            CommandId::DataSm => delivery::data_sm(frame.body),
            _ => delivery::deliver_sm(frame.body),
        };
        let Some(delivery) = delivery else {
            self.answer(asked, status::RINVMSGLEN, now);
            return Event::Unreadable;
        };
        Event::Delivery(asked, delivery)
    }

    /// Time has passed: the submits that nobody answered. May ask for a sign of life, or end the session.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<T> {
        let late = |pending: &Pending<T>| self.response_within <= now.duration_since(pending.sent_at);
        let mut late: Vec<u32> = self.pending.iter().filter(|(_, p)| late(p)).map(|(sequence, _)| *sequence).collect();
        late.sort_unstable();
        let late: Vec<T> = late.iter().filter_map(|sequence| Some(self.pending.remove(sequence)?.token)).collect();
        match self.stage {
            Stage::Binding { until, .. } if until <= now => self.over = self.over.take().or(Some(Why::NoBindAnswer)),
            Stage::Unbinding { until, .. } if until <= now => self.over = self.over.take().or(Some(Why::Stopped)),
            Stage::Bound => self.look_alive(!late.is_empty(), now),
            Stage::Binding { .. } | Stage::Unbinding { .. } => {}
        }
        late
    }

    fn look_alive(&mut self, doubt: bool, now: Instant) {
        match self.enquiry {
            // Whoever sends other things lives, also without an answer.
            Some((_, at)) if at < self.heard_at => self.enquiry = None,
            Some((_, at)) if at + self.response_within <= now => self.over = self.over.take().or(Some(Why::Silent)),
            Some(_) => return,
            None => {}
        }
        let quiet = self.heard_at.min(self.wrote_at) + self.enquire_link <= now;
        if self.enquiry.is_none() && self.over.is_none() && (doubt || quiet) {
            let sequence = self.next_sequence();
            self.put(status::ROK, sequence, Pdu::EnquireLink, now);
            self.enquiry = Some((sequence, now));
        }
    }

    /// When [`Session::tick`] or [`Session::may_submit`] should be asked again at the latest.
    pub(crate) fn wake_at(&self, now: Instant) -> Instant {
        let stage = match self.stage {
            Stage::Binding { until, .. } | Stage::Unbinding { until, .. } => until,
            Stage::Bound => match self.enquiry {
                Some((_, at)) => at + self.response_within,
                None => self.heard_at.min(self.wrote_at) + self.enquire_link,
            },
        };
        let late = self.pending.values().map(|pending| pending.sent_at + self.response_within).min();
        let opens = self.throttle.opens_at(now).filter(|_| self.has_slot());
        [late, opens].into_iter().flatten().fold(stage, Instant::min)
    }

    /// What is in flight when the bind is lost.
    pub(crate) fn into_pending(self) -> impl Iterator<Item = T> {
        self.pending.into_values().map(|pending| pending.token)
    }

    fn put(&mut self, status: u32, sequence: u32, pdu: impl Into<Pdu>, now: Instant) {
        self.wrote_at = now;
        pdu::put(&mut self.out, status, sequence, pdu);
    }

    fn next_sequence(&mut self) -> u32 {
        loop {
            self.sequence = if self.sequence == SEQUENCE_MAX { 1 } else { self.sequence + 1 };
            if !self.pending.contains_key(&self.sequence) {
                return self.sequence;
            }
        }
    }
}

#[cfg(test)]
mod tests;
