//! USSD from OsmoHLR: Sonmul is an *External USSD Entity* (EUSE) of it, over IPA and GSUP.
//!
//! **For:** `sonmul`, which calls [`run`] once for each HLR and reads its [`Status`].
//!
//! **Guarantees:** whatever a phone should see leaves as a text, in a result that ends the dialogue or in a prompt that goes
//! on with it; nothing of ours is an error, a reject or an empty END, which that HLR turns into nothing on the phone. No
//! screen is longer than it lets through. A phone hears something before the HLR's guard expires, and what is ready later
//! is not sent. A repeated frame gets the same screen again. Who is calling is what the HLR says, and is never guessed.
//! Nothing that was dialled is logged; what was read is wiped.
//!
//! **Bounded by:** [`EuseConfig`], whose tables all have a ceiling; IPA's [`wire::ipa::FRAME_LEN_MAX`]; the budget
//! [`wire::text::Budget::USSD_OSMOHLR`].
//!
//! **Deliberately not here:** what is said when ([`crate::menu`]); sessions that the network begins (a phone's answer to one
//! makes that HLR crash); telling the flow what a phone has shown, since GSUP confirms no delivery; authentication, which
//! GSUP does not have: the HLR belongs on a private segment, and this edge says so when it is elsewhere.
//!
//! How it is built: `pipe` carries frames, `link` registers and keeps the connection, `dialogue` knows without any
//! socket which dialogue a frame belongs to, `serve` takes it through the flow, `subscriber` remembers and `ctrl` asks who is
//! calling.

mod config;
mod ctrl;
mod dialogue;
mod link;
mod pipe;
mod serve;
mod status;
mod subscriber;

use std::future::Future;
use std::sync::Arc;

pub use config::{
    CTRL_PORT, Endpoint, EuseConfig, EuseConfigError, GSUP_PORT, GUARD_MARGIN_MS, MSISDN_AGE_MAX_S, TABLE_MAX,
};
pub use status::{Counts, Peer, Status};

use crate::flow::Flow;
use crate::port::Decider;

/// Answers the dials of one HLR until `stop` resolves. Then new dials read that we are busy, and it returns as soon as those
/// under way have their answers, at the latest [`GUARD_MARGIN_MS`] after `answer_within_ms`.
///
/// # Errors
/// What [`EuseConfig::check`] finds, before anything is connected. An HLR that is away is no error: it is tried again, and
/// `status` says what is wrong.
pub async fn run<D: Decider>(
    flow: &Flow<D>,
    config: EuseConfig,
    status: Arc<Status>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), EuseConfigError> {
    config.check()?;
    let config = Arc::new(config);
    let (subscribers, questions) = subscriber::Subscribers::new(&config, Arc::clone(&status));
    let subscribers = Arc::new(subscribers);
    let desk =
        serve::Desk::new(flow.link(config.link_config()), &config, Arc::clone(&status), Arc::clone(&subscribers));
    let asker = ctrl::Asker { config: Arc::clone(&config), subscribers, status: Arc::clone(&status) };
    let asker = Spawned(tokio::spawn(asker.run(questions)));
    link::Hlr { config, desk, status: Arc::clone(&status) }.run(stop).await;
    drop(asker);
    status.down(status::Side::Hlr, None);
    status.down(status::Side::Ctrl, None);
    Ok(())
}

/// A task that ends when nobody needs it any more.
struct Spawned(tokio::task::JoinHandle<()>);

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
