//! USSD behind an SMPP gateway: `deliver_sm` or `data_sm` in, `submit_sm` with a screen out.
//!
//! **For:** [`super::start`], with a [`Link`] of the flow.
//!
//! **Guarantees:** a delivery is answered at once, the screen follows as a submit of its own; a turn runs to its end also
//! when the bind is lost meanwhile. A screen that the gateway took is marked as told. Dialled and typed text is wiped.
//!
//! What a gateway may do differently, and what happens: parameters in any order; a session that starts twice (the flow sees
//! the same name and content); input without its history (the flow says that the session is over); sequence numbers that
//! don't move, and none at all (`ussd/dialogues.rs`); no `its_session_info` (one session per caller); vendors' operations
//! (answered and ignored); strings in `data_coding` 0, 1, 3, 8, 0x0F, 0x48, in `short_message` or `message_payload`; the
//! service code apart in `destination_addr`.
//!
//! **Bounded by:** [`UssdConfig::turns_max`], [`DIALOGUES_MAX`].
//!
//! **Deliberately not here:** what is said ([`crate::flow`]); sessions that the network begins.

mod dialogues;
mod text;

use std::sync::Arc;

use domain::number::Msisdn;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Parameter;
use rusmpp::values::{ItsSessionInfo as Info, UssdServiceOp as Op};
use tokio::sync::{mpsc, oneshot};
use wire::smpp_ussd::{ItsSessionInfo, TAG_ITS_SESSION_INFO, TAG_USSD_SERVICE_OP, UssdServiceOp};
use zeroize::Zeroizing;

use super::address::{Address, Party, ascii, international};
use super::config::UssdConfig;
use super::delivery::Delivery;
use super::{Job, SubmitFault, pdu};
use crate::flow::{Input, Link, Turn};
use crate::port::Decider;
use crate::session::Screen;

pub use dialogues::DIALOGUES_MAX;
use dialogues::Dialogues;
pub(crate) use dialogues::Shown;
use text::Letters;

/// A screen is submitted so often while the gateway says "slower": the person still waits, but not for long.
const SUBMITS_MAX: usize = 3;

/// The way back to a phone.
struct Back {
    caller: Option<Msisdn>,
    service_type: String,
    ours: Address,
    theirs: Address,
    letters: Letters,
    info: Option<ItsSessionInfo>,
    reference: Option<u16>,
    /// What ends the session.
    last: Op,
}

/// What a delivery asks of us; `turn` is `None` when nobody knows who is calling.
pub(crate) struct Asked {
    turn: Option<Turn>,
    back: Back,
}

/// USSD over one bind.
pub(crate) struct Gateway<D> {
    link: Link<D>,
    config: UssdConfig,
    dialogues: Arc<Dialogues>,
    screens: mpsc::Sender<Job>,
}

/// Whether a message says that it is a part of a USSD session. Receipts have neither parameter.
pub(crate) fn is_ussd(delivery: &Delivery<'_>) -> bool {
    let has = |tag| delivery.parameters.get(tag).is_some();
    has(TAG_USSD_SERVICE_OP)
        || has(TAG_ITS_SESSION_INFO)
        || (delivery.service_type == b"USSD" && !super::receipt::says_so(delivery))
}

impl<D: Decider> Gateway<D> {
    pub(crate) fn new(link: Link<D>, config: UssdConfig, screens: mpsc::Sender<Job>) -> Self {
        Self { link, config, dialogues: Arc::new(Dialogues::new(DIALOGUES_MAX)), screens }
    }

    pub(crate) const fn turns_max(&self) -> u16 {
        self.config.turns_max
    }

    /// Reads a delivery; `None` when it wants nothing but an answer.
    pub(crate) fn read(&self, delivery: &Delivery<'_>) -> Option<Asked> {
        if let Some((caller, session)) = ended(delivery, &self.config, &self.dialogues) {
            self.link.released(caller, &session);
            return None;
        }
        read(delivery, &self.config, &self.dialogues)
    }

    /// One turn: the decider, then the screen.
    pub(crate) async fn serve(&self, asked: Asked) {
        let Asked { turn, back } = asked;
        let whose = turn.as_ref().map(|turn| (turn.caller, turn.session.clone()));
        let screen = match turn {
            None => self.link.caller_unknown(),
            Some(turn) => {
                let link = self.link.clone();
                // A task of its own: a turn that is dropped half way loses the answer that a repeated frame would get.
                match tokio::spawn(async move { link.turn(turn).await }).await {
                    Ok(screen) => screen,
                    // A bug of ours, or the runtime is stopping: whether anything was done is not known.
                    Err(_) => self.link.unknown(),
                }
            }
        };
        match self.show(&back, &screen).await {
            Ok(()) => self.link.told(&screen),
            Err(fault) => {
                tracing::warn!(link = %self.link.config().name, caller = ?back.caller, %fault, "a screen was not shown");
                if let Some((caller, session)) = whose {
                    self.link.unshown(caller, &session);
                }
            }
        }
    }

    async fn show(&self, back: &Back, screen: &Screen) -> Result<(), SubmitFault> {
        let mut outcome = Err(SubmitFault::NotBound);
        for _ in 0..SUBMITS_MAX {
            let pdu = back.pdu(screen).ok_or(SubmitFault::Permanent { status: super::command_status::RINVMSGLEN })?;
            let shown = back.caller.map(|caller| Shown::new(&self.dialogues, caller));
            let (reply, answer) = oneshot::channel();
            self.screens.send(Job { pdu, reply, shown }).await.map_err(|_| SubmitFault::NotBound)?;
            outcome = answer.await.unwrap_or(Err(SubmitFault::Cut)).map(|_| ());
            if !matches!(outcome, Err(SubmitFault::Throttled { .. })) {
                break;
            }
        }
        outcome
    }
}

/// Whose session the phone or the network has ended with this: nobody reads a screen.
fn ended(delivery: &Delivery<'_>, config: &UssdConfig, dialogues: &Dialogues) -> Option<(Msisdn, Box<[u8]>)> {
    let parameters = delivery.parameters;
    let info = parameters.get(TAG_ITS_SESSION_INFO).and_then(|value| ItsSessionInfo::parse(value).ok())?;
    let begins = match parameters.get(TAG_USSD_SERVICE_OP).map(UssdServiceOp::parse) {
        Some(op) => !matches!(op, Ok(UssdServiceOp::UssrConfirm)),
        None => delivery.text.first().is_some_and(|octet| matches!(octet, b'*' | b'#')),
    };
    let caller = caller(delivery.source, config).filter(|_| info.end && !begins)?;
    Some((caller, dialogues.typed(caller, Some(info), parameters.reference(), "").session))
}

fn read(delivery: &Delivery<'_>, config: &UssdConfig, dialogues: &Dialogues) -> Option<Asked> {
    let parameters = delivery.parameters;
    let info = parameters.get(TAG_ITS_SESSION_INFO).and_then(|value| ItsSessionInfo::parse(value).ok());
    let reference = parameters.reference();
    let letters = Letters::of(delivery.data_coding, config.gsm7_packed);
    let text = letters.read(delivery.text).unwrap_or_default();
    let begins = match parameters.get(TAG_USSD_SERVICE_OP).map(UssdServiceOp::parse) {
        Some(Ok(UssdServiceOp::PssrIndication | UssdServiceOp::PssdIndication)) => true,
        Some(Ok(UssdServiceOp::UssrConfirm)) => false,
        // Left out: what begins like a dialled string is one.
        None => text.starts_with(['*', '#']),
        // Confirmations of what we don't send, requests that only we make, vendors' own.
        Some(Ok(_) | Err(_)) => return None,
    };
    // The phone or the network has ended it: nobody reads a screen.
    if !begins && info.is_some_and(|info| info.end) {
        return None;
    }
    let caller = caller(delivery.source, config);
    let (turn, last) = match caller {
        None => (None, Op::PssrResponse),
        Some(caller) if begins => {
            let pssd = parameters.get(TAG_USSD_SERVICE_OP) == Some(&[UssdServiceOp::PssdIndication.code()]);
            let session = dialogues.begin(caller, info, reference, pssd);
            let dialled = dialled(delivery.destination.address, text, config.code_in_destination);
            let turn = Turn { caller, imsi: None, session, input: Input::Dialled(dialled) };
            (Some(turn), if pssd { Op::PssdResponse } else { Op::PssrResponse })
        }
        Some(caller) => {
            let typed = dialogues.typed(caller, info, reference, &text);
            let input = match typed.mark {
                Some(mark) => Input::Typed { text, mark },
                None => Input::Latest { text, sequence: None },
            };
            let turn = Turn { caller, imsi: None, session: typed.session, input };
            (Some(turn), if typed.pssd { Op::PssdResponse } else { Op::PssrResponse })
        }
    };
    let back = Back {
        caller,
        service_type: ascii(delivery.service_type),
        ours: delivery.destination.to_address(),
        theirs: delivery.source.to_address(),
        letters,
        info,
        reference,
        last: if config.end_with_notify { Op::UssnRequest } else { last },
    };
    Some(Asked { turn, back })
}

/// Who is calling: an international number, or a national one under the configured country code.
fn caller(source: Party<'_>, config: &UssdConfig) -> Option<Msisdn> {
    const TON_NATIONAL: u8 = 2;
    let digits = std::str::from_utf8(source.address).ok()?;
    let zero = digits.starts_with('0') && !digits.starts_with("00");
    match &config.country_code {
        Some(code) if (source.ton == TON_NATIONAL && !digits.starts_with('+')) || zero => {
            Msisdn::parse(&format!("{code}{}", digits.trim_start_matches('0'))).ok()
        }
        _ => international(source.address),
    }
}

/// The string that was dialled, where the gateway tells the service code apart: `999`, `*999#` or `*999*` in the
/// destination and the rest, or nothing, in the text. A text that begins with `*` or `#` is the whole string, unless
/// `always`.
fn dialled(destination: &[u8], text: Zeroizing<String>, always: bool) -> Zeroizing<String> {
    let destination = std::str::from_utf8(destination).unwrap_or_default();
    let code = destination.trim_end_matches(['#', '*']);
    let digits = code.trim_start_matches(['*', '#']);
    let is_code = (2..=4).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
    let whole = text.starts_with(['*', '#']) && !always;
    if whole || !is_code {
        if !whole || text.ends_with('#') {
            return text;
        }
        let mut dialled = Zeroizing::new(String::with_capacity(text.len() + 1));
        dialled.push_str(&text);
        dialled.push('#');
        return dialled;
    }
    // Reserved at once: what is moved while a string grows is not wiped.
    let mut dialled = Zeroizing::new(String::with_capacity(destination.len() + text.len() + 3));
    if !code.starts_with(['*', '#']) {
        dialled.push('*');
    }
    dialled.push_str(code);
    let rest = text.strip_suffix('#').unwrap_or(&text);
    let rest = rest.strip_prefix('*').unwrap_or(rest);
    if !rest.is_empty() {
        dialled.push('*');
        dialled.push_str(rest);
    }
    dialled.push('#');
    dialled
}

impl Back {
    fn pdu(&self, screen: &Screen) -> Option<rusmpp::pdus::SubmitSm> {
        let (data_coding, octets) = self.letters.write(&screen.text);
        let op = if screen.goes_on { Op::UssrRequest } else { self.last };
        let mut parameters = vec![Parameter::UssdServiceOp(op)];
        if let Some(info) = self.info {
            // The next in the session, whoever counts; the sequence number has seven bits.
            let next = info.sequence().wrapping_add(1) & 0x7F;
            let [session, second] = ItsSessionInfo::try_new(info.session, next, !screen.goes_on).ok()?.octets();
            parameters.push(Parameter::ItsSessionInfo(Info::new(session, second)));
        }
        if let Some(reference) = self.reference {
            parameters.push(Parameter::UserMessageReference(reference.into()));
        }
        pdu::screen(pdu::Reply {
            service_type: &self.service_type,
            source: &self.ours,
            dest: &self.theirs,
            data_coding,
            octets,
            parameters,
        })
    }
}

#[cfg(test)]
mod tests;
