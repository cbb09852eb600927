//! The connection over which MSISDNs are asked for.
//!
//! Guarantees: it is made anew when it is lost or when a question gets no answer in time. While it can't be made, who asks
//! hears so at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use wire::ctrl::{Ctrl, get_msisdn};
use wire::ipa::{Extension, Frame};

use super::config::EuseConfig;
use super::link::{STABLE, TICK, warn_of_public};
use super::pipe::{Pipe, Stepped};
use super::status::{Count, Side, Status};
use super::subscriber::{Question, Subscribers};
use crate::kit::backoff::Backoff;

/// Questions that are taken at once.
const BATCH: usize = 64;

/// The control interface of one HLR.
pub(super) struct Asker {
    pub(super) config: Arc<EuseConfig>,
    pub(super) subscribers: Arc<Subscribers>,
    pub(super) status: Arc<Status>,
}

impl Asker {
    /// Keeps one connection until it is dropped.
    pub(super) async fn run(self, mut questions: mpsc::Receiver<Question>) {
        let Self { config, subscribers, status } = &self;
        let mut backoff = Backoff::new(config.reconnect_min_ms, config.reconnect_max_ms, STABLE);
        loop {
            let (lasted, error) = match Pipe::connect(&config.ctrl).await {
                Ok((pipe, address)) => {
                    warn_of_public(&config.name, "CTRL", address);
                    let opened_at = Instant::now();
                    status.up(Side::Ctrl, opened_at);
                    subscribers.book().found();
                    let error = self.connection(pipe, &mut questions).await;
                    (Some(opened_at.elapsed()), format!("{error} ({})", config.ctrl))
                }
                Err(error) => {
                    let help = "Is osmo-hlr running, and does `ctrl` / `bind` in hlr.cfg name this address?";
                    (None, format!("can't connect to the HLR's control interface at {}: {error}. {help}", config.ctrl))
                }
            };
            status.count(Count::ctrl_reconnects);
            status.down(Side::Ctrl, Some(&error));
            // First what was asked and not sent, then who asked: nothing that is asked from now on gets lost.
            while questions.try_recv().is_ok() {}
            // What was there a moment ago may be back in another: who asks meanwhile waits for that, and not for more.
            subscribers.book().lost(lasted.is_none());
            let wait = backoff.wait(lasted);
            tracing::warn!(link = %config.name, wait_ms = wait.as_millis(), "{error}");
            sleep(wait).await;
        }
    }

    async fn connection(&self, mut pipe: Pipe, questions: &mut mpsc::Receiver<Question>) -> String {
        let within = Duration::from_millis(u64::from(self.config.ctrl_within_ms));
        let mut batch = Vec::with_capacity(BATCH);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                stepped = pipe.step() => match stepped {
                    Ok(Stepped::Read) => {
                        if let Err(error) = pipe.intake.frames(|frame| self.frame(frame)) {
                            self.status.count(Count::malformed);
                            return format!("the HLR's control interface sent {error}: is that its port?");
                        }
                    }
                    Ok(Stepped::Wrote) => {}
                    Ok(Stepped::Closed) => return String::from("the HLR closed its control interface. Was it restarted?"),
                    Err(error) => return format!("the connection to the HLR's control interface broke: {error}"),
                },
                _ = questions.recv_many(&mut batch, BATCH), if pipe.output.is_empty() => {
                    let now = Instant::now();
                    for question in batch.drain(..) {
                        let open = self.subscribers.book().is_open(&question);
                        let frame = get_msisdn(question.id, &question.imsi).ok().filter(|_| open);
                        if let Some(frame) = frame {
                            pipe.output.push(&frame, now);
                        }
                    }
                }
                now = ticks.tick() => {
                    if pipe.output.is_stuck(now) || self.subscribers.book().is_stuck(within, now) {
                        return String::from("the HLR's control interface does not answer: look whether the HLR hangs");
                    }
                }
            }
        }
    }

    fn frame(&self, frame: Frame<'_>) {
        let Some((Extension::Ctrl, body)) = frame.extension() else { return self.status.count(Count::ignored) };
        let heard = Ctrl::parse(body).map(|message| self.subscribers.book().hear(&message, Instant::now()));
        if heard != Ok(true) {
            tracing::debug!(link = %self.config.name, "an answer of the control interface that nobody asked for");
            self.status.count(Count::malformed);
        }
    }
}
