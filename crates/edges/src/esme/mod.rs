//! The SMPP edge: one bind to an SMSC or a USSD gateway. SMS out, receipts and USSD in.
//!
//! **For:** `sonmul`, which starts one [`Esme`] per configured bind, hands it a [`Receipts`] and, for USSD, a
//! [`crate::flow::Link`]; whoever delivers SMS calls [`Esme::submit`].
//!
//! **Guarantees:** one task per bind binds, and binds again with growing waits until it is stopped. Every submit hears
//! exactly one of: taken, [`SubmitFault`]; while there is no bind it hears [`SubmitFault::NotBound`] at once. The window is
//! never exceeded, and "slower" slows the whole bind. A receipt is answered after it was taken over, so that the SMSC
//! repeats what we lose. Any octets from the peer lead to an answer, a nack or a new connection, never to a panic. No
//! PDU, text, number or password is logged at any level: `rusmpp` is built without its `tracing`, and its types, which print
//! what they hold, are not given to any log.
//!
//! **Bounded by:** the window, [`PDU_LEN_MAX`], [`RECEIPTS_MAX`] receipts and [`UssdConfig::turns_max`] turns
//! worked on at once, [`DIALOGUES_MAX`] callers remembered.
//!
//! **Deliberately not here:** trying again, keeping messages over a restart and tying receipts to gifts (whoever calls
//! [`Esme::submit`]); long messages in parts; TLS's own buffers can't be wiped.

mod address;
pub mod command_status;
mod config;
mod delivery;
mod frame;
mod link;
mod pdu;
pub mod receipt;
mod session;
mod status;
mod throttle;
mod tls;
mod ussd;

use std::sync::Arc;
use std::time::Duration;

use domain::number::Msisdn;
use rusmpp::pdus::SubmitSm;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::flow::Link;
use crate::port::Decider;

pub use address::Address;
pub use config::{Alphabet, ConfigError, EsmeConfig, Kind, Secret, TlsConfig, UssdConfig, WINDOW_MAX};
pub use frame::PDU_LEN_MAX;
pub use receipt::{NotTaken, Receipt, Receipts, State};
pub use status::{Counts, Phase, Status};
pub use ussd::DIALOGUES_MAX;

/// Receipts that are being taken over at once; the SMSC is asked to repeat those beyond.
pub const RECEIPTS_MAX: usize = 64;
/// Screens that wait for a slot of the window.
const SCREENS_MAX: usize = 64;

/// One SMS. No `Debug`: texts are nobody else's business.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom.
    pub to: Msisdn,
    /// Fits one SMS in the bind's alphabet.
    pub text: String,
    /// `user_message_reference`: comes back in receipts, perhaps its low eight bits only.
    pub reference: u16,
    /// For how long it is worth delivering; `None`: as long as the SMSC thinks. Cut to 30 days.
    pub validity_s: Option<u32>,
    /// Whether a receipt is asked for.
    pub want_receipt: bool,
}

/// The SMSC took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The SMSC's id; `None` where it gave none.
    pub message_id: Option<String>,
}

/// A message was not taken, or nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitFault {
    /// There is no bind: nothing was sent.
    #[error("not bound: nothing was sent")]
    NotBound,
    /// The bind was lost before the answer: it may or may not have been taken.
    #[error("the bind was lost before the answer: unknown whether it was taken")]
    Cut,
    /// No answer in time: it may or may not have been taken.
    #[error("no answer in time: unknown whether it was taken")]
    TimedOut,
    /// The SMSC says "slower" and did not take it. The bind rests by itself; sending again sooner only waits here.
    #[error("throttled: not before {wait_ms} ms")]
    Throttled {
        /// How long the bind rests, milliseconds.
        wait_ms: u64,
    },
    /// Refused for now.
    #[error("refused for now: {} ({status:#010x})", command_status::name(*status))]
    Temporary {
        /// The SMSC's `command_status`.
        status: u32,
    },
    /// Refused for good; also, with [`command_status::RINVMSGLEN`], a text that does not fit one SMS, and, with
    /// [`command_status::RINVBNDSTS`], an SMS over a bind for USSD: neither is sent.
    #[error("refused for good: {} ({status:#010x})", command_status::name(*status))]
    Permanent {
        /// The SMSC's `command_status`.
        status: u32,
    },
}

impl SubmitFault {
    /// Whether the message may have been taken all the same: sending it again may deliver it twice.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Cut | Self::TimedOut)
    }
}

/// What a submit hears.
type Outcome = Result<Submitted, SubmitFault>;

/// One submit on its way to the bind's task.
pub(crate) struct Job {
    pdu: SubmitSm,
    reply: oneshot::Sender<Outcome>,
    /// A caller's screen.
    shown: Option<ussd::Shown>,
}

/// A bind's handle. Cheap to clone.
#[derive(Clone)]
pub struct Esme {
    config: Arc<EsmeConfig>,
    status: Status,
    jobs: mpsc::Sender<Job>,
}

impl Esme {
    /// Sends one SMS and waits for the SMSC's answer. Waits for a free slot of the window first; whoever drops this while
    /// it waits has sent nothing.
    ///
    /// # Errors
    /// [`SubmitFault`]'s variants.
    pub async fn submit(&self, sms: &Outgoing) -> Result<Submitted, SubmitFault> {
        if !self.config.kind.sms() {
            return Err(SubmitFault::Permanent { status: command_status::RINVBNDSTS });
        }
        let Outgoing { to, ref text, reference, validity_s, want_receipt } = *sms;
        let pdu = pdu::sms(&self.config, &pdu::Sms { to, text, reference, validity_s, want_receipt })
            .ok_or(SubmitFault::Permanent { status: command_status::RINVMSGLEN })?;
        let (reply, outcome) = oneshot::channel();
        self.jobs.send(Job { pdu, reply, shown: None }).await.map_err(|_| SubmitFault::NotBound)?;
        // The task is gone with the job: it may have been sent.
        outcome.await.unwrap_or(Err(SubmitFault::Cut))
    }

    /// How the bind is.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// What was configured.
    #[must_use]
    pub fn config(&self) -> &EsmeConfig {
        &self.config
    }
}

/// A bind's task. Dropped, it is gone at once; [`Running::stop`] is the polite way.
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Waits for what is in flight, unbinds, closes. Takes three times `response_within_ms` at most.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a bind in the running tokio runtime. `ussd` serves USSD sessions and must be there for [`Kind::Ussd`] and
/// [`Kind::Both`].
///
/// # Errors
/// [`ConfigError`]: a setting can't be, a file of `tls` can't be read, or a link is missing. Whether the SMSC is there is
/// no error: see [`Esme::status`].
pub fn start<R: Receipts, D: Decider>(
    config: EsmeConfig,
    receipts: R,
    ussd: Option<Link<D>>,
) -> Result<(Esme, Running), ConfigError> {
    config.check()?;
    if config.kind.ussd() && ussd.is_none() {
        let why = String::from("USSD needs a link of the flow to serve it");
        return Err(ConfigError { name: config.name, setting: "kind", why });
    }
    let tls = config.tls.as_ref().map(|tls| tls::Tls::load(&config, tls)).transpose()?;
    let config = Arc::new(config);
    let status = Status::new(config.window);
    let (stop, stopped) = watch::channel(false);
    let (jobs, jobs_in) = mpsc::channel(usize::from(config.window));
    let (screens, screens_in) = mpsc::channel(SCREENS_MAX);
    let gateway =
        ussd.filter(|_| config.kind.ussd()).map(|link| ussd::Gateway::new(link, config.ussd.clone(), screens));
    let lanes = link::Lanes { jobs: jobs_in, screens: screens_in, stopped };
    let runner = link::Runner::new(Arc::clone(&config), tls, status.clone(), receipts, gateway);
    let task = tokio::spawn(runner.run(lanes));
    Ok((Esme { config, status, jobs }, Running { stop, task }))
}

/// A setting in milliseconds.
fn ms(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
