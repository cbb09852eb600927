//! The connection to an HLR: registering, frames in and out, and coming back.
//!
//! Guarantees: a connection that is lost is made again after a while that grows; one that is silent is asked whether it is
//! there. A link that hears no dial registers anew from time to time, because an HLR gives a name to its first connection
//! and not to the next when that one is gone.
//!
//! Bounded by: [`ANSWERS_MAX`] answers beyond the turns under way; see [`super::pipe`].

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use wire::ipa::{Ccm, CcmError, Extension, Frame, PROTOCOL_CCM, PROTOCOL_OSMO, id_response, ping, pong};

use super::config::{EuseConfig, GUARD_MARGIN_MS};
use super::pipe::{Output, Pipe, Stepped};
use super::serve::{Desk, Outgoing};
use super::status::{Count, Side, Status};
use crate::kit::backoff::Backoff;
use crate::port::Decider;

/// Answers that wait to be written beside those of turns: to frames that no turn was begun for.
const ANSWERS_MAX: usize = 4_096;
/// Answers that are taken at once.
const BATCH: usize = 64;
/// How often time-outs are looked at.
pub(super) const TICK: Duration = Duration::from_millis(200);
/// A connection that lasted so long was a good one.
pub(super) const STABLE: Duration = Duration::from_secs(60);
/// An HLR asks who we are as soon as we are there.
const REGISTER_WITHIN: Duration = Duration::from_secs(10);
/// An HLR that closes so soon after it heard our name does not know it.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// Why a connection ended.
enum Ended {
    /// We were told to stop, and every phone has its answer.
    Stopped,
    /// To register anew.
    Renew,
    /// What happened, and what to do.
    Lost(String),
}

/// One HLR.
pub(super) struct Hlr<D> {
    pub(super) config: Arc<EuseConfig>,
    pub(super) desk: Arc<Desk<D>>,
    pub(super) status: Arc<Status>,
}

/// What is known of a connection.
struct Pulse {
    opened_at: Instant,
    registered_at: Option<Instant>,
    heard_at: Instant,
    pinged: bool,
    /// The latest dial or input; before the first, when it was opened.
    dialled_at: Instant,
    dialled: bool,
    stopping_since: Option<Instant>,
}

impl Pulse {
    const fn new(now: Instant) -> Self {
        let (registered_at, stopping_since) = (None, None);
        Self {
            opened_at: now,
            registered_at,
            heard_at: now,
            pinged: false,
            dialled_at: now,
            dialled: false,
            stopping_since,
        }
    }
}

impl<D: Decider> Hlr<D> {
    /// Keeps one connection until `stop`.
    pub(super) async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let Self { config, status, .. } = self;
        let mut stop = std::pin::pin!(stop);
        let mut backoff = Backoff::new(config.reconnect_min_ms, config.reconnect_max_ms, STABLE);
        loop {
            let connected = tokio::select! {
                connected = Pipe::connect(&config.hlr) => connected,
                () = &mut stop => return,
            };
            let (lasted, error) = match connected {
                Ok((pipe, address)) => {
                    warn_of_public(&config.name, "GSUP", address);
                    let opened_at = Instant::now();
                    let ended = self.connection(pipe, stop.as_mut()).await;
                    self.desk.dialogues().disconnected();
                    match ended {
                        Ended::Stopped => return status.down(Side::Hlr, None),
                        Ended::Renew => {
                            status.count(Count::renewals);
                            continue;
                        }
                        Ended::Lost(error) => (Some(opened_at.elapsed()), error),
                    }
                }
                Err(error) => {
                    let help = "Is osmo-hlr running, and does `gsup` / `bind ip` in hlr.cfg name this address?";
                    (None, format!("can't connect to the HLR at {}: {error}. {help}", config.hlr))
                }
            };
            status.count(Count::reconnects);
            status.down(Side::Hlr, Some(&error));
            let wait = backoff.wait(lasted);
            tracing::warn!(link = %config.name, wait_ms = wait.as_millis(), "{error}");
            tokio::select! {
                () = sleep(wait) => {}
                () = &mut stop => return,
            }
        }
    }

    async fn connection(&self, mut pipe: Pipe, mut stop: Pin<&mut (impl Future<Output = ()> + Send)>) -> Ended {
        let (answers, mut waiting) = mpsc::channel(self.config.in_flight_max + ANSWERS_MAX);
        let mut batch = Vec::with_capacity(BATCH);
        let mut pulse = Pulse::new(Instant::now());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            tokio::select! {
                stepped = pipe.step() => match stepped {
                    Ok(Stepped::Read) => {
                        if let Err(error) = self.frames(&mut pipe, &mut pulse, &answers) {
                            break Ended::Lost(error);
                        }
                    }
                    Ok(Stepped::Wrote) => {}
                    Ok(Stepped::Closed) => break Ended::Lost(self.closed(&pulse)),
                    Err(error) => break Ended::Lost(format!("the connection to the HLR broke: {error}")),
                },
                // What is written is written before more is taken: the queue is what is bounded.
                _ = waiting.recv_many(&mut batch, BATCH), if pipe.output.is_empty() => {
                    write(&mut batch, &mut pipe.output, &self.status, Instant::now());
                }
                now = ticks.tick() => {
                    if let Some(ended) = self.tick(&mut pulse, &mut pipe.output, now) {
                        break ended;
                    }
                }
                () = &mut stop, if pulse.stopping_since.is_none() => {
                    pulse.stopping_since = Some(Instant::now());
                    self.desk.stop();
                }
            }
            let nothing_left = pipe.output.is_empty() && waiting.is_empty() && self.desk.is_idle();
            if pulse.stopping_since.is_some() && nothing_left {
                break Ended::Stopped;
            }
        };
        drop(answers);
        pipe.close().await;
        ended
    }

    /// Every whole frame that was read.
    fn frames(&self, pipe: &mut Pipe, pulse: &mut Pulse, answers: &mpsc::Sender<Outgoing>) -> Result<(), String> {
        let now = Instant::now();
        (pulse.heard_at, pulse.pinged) = (now, false);
        let Pipe { intake, output, .. } = pipe;
        let taken = intake.frames(|frame| self.frame(frame, output, pulse, answers, now));
        taken.map_err(|error| {
            self.status.count(Count::malformed);
            format!("the HLR sent {error}. Is {} the GSUP port of an OsmoHLR?", self.config.hlr)
        })
    }

    fn frame(
        &self,
        frame: Frame<'_>,
        output: &mut Output,
        pulse: &mut Pulse,
        answers: &mpsc::Sender<Outgoing>,
        now: Instant,
    ) {
        match (frame.protocol, frame.extension()) {
            (PROTOCOL_OSMO, Some((Extension::Gsup, body))) => {
                (pulse.dialled_at, pulse.dialled) = (now, true);
                self.desk.hear(body, answers);
            }
            (PROTOCOL_CCM, _) => match Ccm::parse(frame.payload) {
                Ok(Ccm::Ping) => output.push(&pong(), now),
                Ok(Ccm::IdGet(_)) => {
                    // Checked with the configuration.
                    let Ok(name) = id_response(&self.config.registered_name()) else { return };
                    output.push(&name, now);
                    if pulse.registered_at.replace(now).is_none() {
                        tracing::debug!(link = %self.config.name, "registered at the HLR");
                    }
                    self.status.up(Side::Hlr, now);
                }
                Ok(Ccm::Pong | Ccm::IdAck | Ccm::IdResponse(_)) => {}
                Err(CcmError::UnknownType { .. }) => self.status.count(Count::ignored),
                Err(error) => {
                    tracing::debug!(link = %self.config.name, %error, "a frame that can't be read");
                    self.status.count(Count::malformed);
                }
            },
            _ => self.status.count(Count::ignored),
        }
    }

    /// What time has brought about.
    fn tick(&self, pulse: &mut Pulse, output: &mut Output, now: Instant) -> Option<Ended> {
        let config = &self.config;
        let s = |s: u32| Duration::from_secs(u64::from(s));
        let lost = |error: &str| Some(Ended::Lost(format!("{error} ({})", config.hlr)));
        let drain = Duration::from_millis(u64::from(config.answer_within_ms) + u64::from(GUARD_MARGIN_MS));
        if pulse.stopping_since.is_some_and(|since| now.duration_since(since) >= drain) {
            return Some(Ended::Stopped);
        }
        if output.is_stuck(now) {
            return lost("the HLR does not read what we send: look whether it hangs");
        }
        if pulse.registered_at.is_none() && now.duration_since(pulse.opened_at) >= REGISTER_WITHIN {
            return lost("connected, but it does not ask who we are: is that the GSUP port of an OsmoHLR?");
        }
        let silent = now.duration_since(pulse.heard_at);
        if silent >= 2 * s(config.ping_after_s) {
            return lost("the HLR does not answer a ping: look whether it hangs, or the network between");
        }
        if silent >= s(config.ping_after_s) && !pulse.pinged {
            pulse.pinged = true;
            output.push(&ping(), now);
        }
        let unheard = config.renew_idle_s > 0 && now.duration_since(pulse.dialled_at) >= s(config.renew_idle_s);
        let quiet = || self.desk.is_idle() && self.desk.dialogues().is_quiet(now);
        (unheard && output.is_empty() && pulse.stopping_since.is_none() && quiet()).then_some(Ended::Renew)
    }

    /// The HLR closed the connection: why, as far as can be told.
    fn closed(&self, pulse: &Pulse) -> String {
        let hlr = &self.config.hlr;
        let soon = pulse.registered_at.is_some_and(|at| at.elapsed() < REFUSED_WITHIN) && !pulse.dialled;
        if soon {
            format!(
                "the HLR at {hlr} closed as soon as it heard our name, {}: its log says why",
                self.config.registered_name()
            )
        } else if pulse.registered_at.is_none() {
            format!("{hlr} closed before it asked who we are. Is that the GSUP port of an OsmoHLR?")
        } else {
            let stable = if pulse.opened_at.elapsed() >= STABLE { "" } else { " again" };
            format!("the HLR at {hlr} closed the connection{stable}. Was it restarted?")
        }
    }
}

/// Hands answers to the connection, except those that come after the HLR's guard.
fn write(batch: &mut Vec<Outgoing>, output: &mut Output, status: &Status, now: Instant) {
    let (mut answers, mut late) = (0, 0);
    for Outgoing { frame, not_after } in batch.drain(..) {
        if now < not_after {
            output.push(&frame, now);
            answers += 1;
        } else {
            late += 1;
        }
    }
    status.add(Count::answers, answers);
    status.add(Count::dropped_late, late);
}

/// GSUP and CTRL have neither passwords nor encryption: whoever is on the way can give themselves airtime.
pub(super) fn warn_of_public(link: &str, what: &str, address: SocketAddr) {
    if !is_private(address.ip()) {
        tracing::warn!(
            link,
            %address,
            "{what} has no authentication and no encryption, and this address is neither of this machine nor private: \
             keep the HLR on a private segment"
        );
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, is_private, write};
    use crate::euse::serve::Outgoing;
    use crate::euse::status::Status;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn an_answer_after_the_guard_is_not_sent() {
        let (status, now, mut output) = (Status::new(), Instant::now(), Output::default());
        let outgoing = |not_after| Outgoing { frame: vec![1, 2, 3], not_after };
        let mut batch = vec![outgoing(now), outgoing(now + Duration::from_millis(1))];
        write(&mut batch, &mut output, &status, now);
        let counts = status.counts();
        assert_eq!((batch.len(), counts.answers, counts.dropped_late, output.is_empty()), (0, 1, 1, false));
    }

    #[test]
    fn private_addresses() {
        let private = |text: &str| is_private(text.parse().expect("an address"));
        for inside in ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"]
        {
            assert!(private(inside), "{inside}");
        }
        for outside in ["192.0.2.7", "172.32.0.1", "8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!private(outside), "{outside}");
        }
    }
}
