//! Where one SMS goes: over a bind, to stdout, or to whoever waits for it.
//!
//! Deliberately not here: which of them a server has ([`super::sms`]), how binds are made ([`super::smsc`]).

use std::sync::mpsc::Sender;

use edges::esme::{self, Esme};
use edges::sms::{Outgoing, SmsCentre, SubmitFault, Submitted};
use engine::handle::Handle;

/// A way out.
pub(crate) enum Centre {
    /// To stdout.
    Print,
    /// To whoever waits.
    Hand(Sender<Outgoing>),
    /// Over a bind.
    Smsc { esme: Esme, handle: Handle, want_receipt: bool },
}

impl SmsCentre for Centre {
    async fn submit(&self, sms: &Outgoing) -> Result<Submitted, SubmitFault> {
        match self {
            // A pipe that can't be written now may be read again later.
            Self::Print => crate::print::line(&format!("SMS to +{}: {}", sms.to.get(), sms.text))
                .map_err(|_| SubmitFault::NotBound)?,
            // Who waits no more does not want it.
            Self::Hand(hand) => {
                let _gone = hand.send(sms.clone());
            }
            Self::Smsc { esme, handle, want_receipt } => return submit(esme, handle, *want_receipt, sms).await,
        }
        Ok(Submitted::default())
    }
}

/// One message over one bind.
async fn submit(esme: &Esme, handle: &Handle, want_receipt: bool, sms: &Outgoing) -> Result<Submitted, SubmitFault> {
    let left_s = sms.valid_until.ms().saturating_sub(handle.now().ms()).max(1_000) / 1_000;
    let outgoing = esme::Outgoing {
        to: sms.to,
        text: sms.text.clone(),
        reference: sms.reference,
        validity_s: u32::try_from(left_s).ok(),
        want_receipt,
    };
    match esme.submit(&outgoing).await {
        Ok(esme::Submitted { message_id }) => Ok(Submitted { message_id }),
        Err(fault) => Err(match fault {
            esme::SubmitFault::NotBound => SubmitFault::NotBound,
            esme::SubmitFault::Cut | esme::SubmitFault::TimedOut => SubmitFault::Unknown,
            esme::SubmitFault::Throttled { wait_ms } => {
                SubmitFault::Throttled { wait_ms: u32::try_from(wait_ms).unwrap_or(u32::MAX) }
            }
            esme::SubmitFault::Temporary { status } => SubmitFault::Temporary { status },
            esme::SubmitFault::Permanent { status } => SubmitFault::Permanent { status },
        }),
    }
}
