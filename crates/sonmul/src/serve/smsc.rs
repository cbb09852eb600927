//! SMSCs and USSD gateways over SMPP: configuration → binds, and what lies between a bind and the SMS follower.
//!
//! Guarantees: a password is read from its file, which only its owner may read, and goes nowhere else; a receipt is
//! answered after the follower has it. Deliberately not here: SMPP (`edges::esme`), delivery (`edges::sms`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use api::admin::LinkView;
use domain::ids::LinkId;
use edges::esme::{
    self, Address, Alphabet, Esme, EsmeConfig, Kind, NotTaken, Phase, Secret, State, TlsConfig, UssdConfig,
};
use edges::flow::{Flow, Link, LinkConfig};
use edges::sms::{self, Receipts, WayOut};
use engine::deliveries::ReceiptState;
use engine::handle::Handle;
use wire::text::Budget;
use zeroize::Zeroizing;

use super::centre::Centre;
use super::desk::Desk;
use crate::config::{Letters, Smsc};
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::keys::read_secret;

/// How one link does, whoever asks.
pub(super) type Look = Box<dyn Fn() -> LinkView + Send + Sync>;

/// Binds that run.
pub(crate) struct Binds {
    pub(crate) ways_out: Vec<WayOut<Centre>>,
    pub(crate) looks: Vec<Look>,
    running: Vec<esme::Running>,
}

impl core::fmt::Debug for Binds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Binds").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

impl Binds {
    /// Starts every bind of these SMSCs.
    pub(crate) fn start(smscs: &[Smsc], flow: &Flow<Desk>, handle: &Handle, receipts: &Receipts) -> Outcome<Self> {
        let mut binds = Self { ways_out: Vec::new(), looks: Vec::new(), running: Vec::new() };
        for smsc in smscs {
            binds.add(smsc, flow, handle, receipts)?;
        }
        Ok(binds)
    }

    fn add(&mut self, smsc: &Smsc, flow: &Flow<Desk>, handle: &Handle, receipts: &Receipts) -> Outcome<()> {
        let config = esme_config(smsc)?;
        let link = smsc.ussd.then(|| flow.link(link_config(smsc)));
        let mut esmes = Vec::new();
        for _ in 0..smsc.binds {
            let desk = ReceiptDesk { link: config.link, receipts: receipts.clone() };
            let (esme, running) = start(config.clone(), desk, link.clone())?;
            if smsc.sms {
                self.ways_out.push(WayOut {
                    link: config.link,
                    operators: smsc.common.operators.clone(),
                    window: usize::from(config.window),
                    receipts: smsc.receipts,
                    centre: Arc::new(Centre::Smsc {
                        esme: esme.clone(),
                        handle: handle.clone(),
                        want_receipt: smsc.receipts,
                    }),
                });
            }
            esmes.push(esme);
            self.running.push(running);
        }
        let (name, address) = (smsc.common.name.clone(), smsc.address.clone());
        self.looks.push(Box::new(move || view(&name, &address, &esmes)));
        Ok(())
    }

    /// Lets what is in flight come back, unbinds, closes.
    pub(crate) async fn stop(running: Vec<esme::Running>) {
        // All at the same time, for each may have to wait for its SMSC.
        let mut stopping = tokio::task::JoinSet::new();
        for bind in running {
            stopping.spawn(bind.stop());
        }
        while stopping.join_next().await.is_some() {}
    }

    /// The binds themselves, to be kept until the end.
    pub(crate) fn into_running(self) -> Vec<esme::Running> {
        self.running
    }
}

/// Starts one bind; what can't be is a mistake in the configuration.
fn start(config: EsmeConfig, desk: ReceiptDesk, link: Option<Link<Desk>>) -> Outcome<(Esme, esme::Running)> {
    esme::start(config, desk, link).or_exit(Exit::Usage)
}

/// Configuration → what `edges` binds with.
pub(crate) fn esme_config(smsc: &Smsc) -> Outcome<EsmeConfig> {
    let password = match &smsc.password_file {
        Some(file) => secret(file)?,
        None => Secret::default(),
    };
    let usual = EsmeConfig::new(LinkId(smsc.common.link), &smsc.common.name, &smsc.address, &smsc.system_id, password);
    let kind = match (smsc.sms, smsc.ussd) {
        (true, true) => Kind::Both,
        (false, true) => Kind::Ussd,
        (_, false) => Kind::Sms,
    };
    let tls = smsc.tls.as_ref().map(|tls| TlsConfig {
        ca_file: tls.ca_file.clone(),
        server_name: tls.server_name.clone(),
        client: tls.own.clone(),
    });
    let config = EsmeConfig {
        tls,
        system_type: smsc.system_type.clone(),
        kind,
        window: u16::try_from(smsc.window).unwrap_or(u16::MAX),
        enquire_link_s: smsc.enquire_link_s,
        response_within_ms: smsc.response_within_ms,
        submits_per_s_max: smsc.submits_per_s_max,
        source: source(&smsc.source),
        alphabet: match smsc.letters {
            Letters::Gsm7 => Alphabet::Gsm7,
            Letters::Ascii => Alphabet::Ascii,
            Letters::Ucs2 => Alphabet::Ucs2,
        },
        send_reference: smsc.reference,
        ussd: UssdConfig {
            country_code: smsc.gateway.country_code.clone(),
            code_in_destination: smsc.gateway.code_in_destination,
            gsm7_packed: smsc.gateway.gsm7_packed,
            end_with_notify: smsc.gateway.end_with_notify,
            ..UssdConfig::default()
        },
        ..usual
    };
    config.check().or_exit(Exit::Usage)?;
    Ok(config)
}

fn secret(file: &Path) -> Outcome<Secret> {
    let text = read_secret(file)?;
    let password = Zeroizing::new(String::from(text.trim_end_matches(['\r', '\n'])));
    if password.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{} holds no password", file.display())));
    }
    Ok(Secret::new(password))
}

/// Digits with a country code are a number, fewer a short code, and anything else letters (SMPP 3.4 §5.2.5).
fn source(text: &str) -> Address {
    const SHORT_CODE_LEN_MAX: usize = 8;
    let digits = text.strip_prefix('+').unwrap_or(text);
    let all_digits = digits.bytes().all(|octet| octet.is_ascii_digit());
    let (ton, npi) = match (all_digits, digits.len()) {
        (true, ..=SHORT_CODE_LEN_MAX) => (0, 0),
        (true, _) => (1, 1),
        (false, _) => (5, 0),
    };
    Address { ton, npi, address: String::from(if all_digits { digits } else { text }) }
}

fn link_config(smsc: &Smsc) -> LinkConfig {
    let common = smsc.common.clone();
    LinkConfig {
        id: LinkId(common.link),
        name: common.name,
        operators: common.operators,
        ranges: common.ranges,
        budget: Budget::USSD,
        dialogue: true,
        times: common.times,
        answer_within_ms: common.answer_within_ms,
        brake: common.brake,
    }
}

fn view(name: &str, address: &str, esmes: &[Esme]) -> LinkView {
    let mut counts = BTreeMap::new();
    let mut bound = 0_u64;
    let mut says = None;
    for esme in esmes {
        let status = esme.status();
        for (name, count) in status.counts().named() {
            *counts.entry(String::from(name)).or_default() += count;
        }
        counts
            .entry(String::from("in_flight"))
            .and_modify(|sum| *sum += status.in_flight())
            .or_insert(status.in_flight());
        match status.phase() {
            Phase::Bound(since) => {
                bound += 1;
                says.get_or_insert_with(|| format!("bound for {} s", since.elapsed().as_secs()));
            }
            Phase::Away | Phase::Stopped => {
                let trouble = status.trouble().unwrap_or_else(|| String::from("connecting"));
                says = Some(without(address, trouble));
            }
        }
    }
    let up = bound == esmes.len() as u64;
    let link = esmes.first().map_or(0, |esme| esme.config().link.0);
    let mut says = says.unwrap_or_default();
    if esmes.len() > 1 {
        says = format!("{bound} of {} binds: {says}", esmes.len());
    }
    LinkView {
        name: String::from(name),
        link,
        kind: String::from("smsc"),
        address: String::from(address),
        up,
        says,
        counts,
    }
}

/// Trouble without the address that stands before it on the screen already.
fn without(address: &str, trouble: String) -> String {
    match trouble.strip_prefix(address) {
        Some(rest) => String::from(rest.trim_start_matches([':', ' '])),
        None => trouble,
    }
}

/// Tries a bind without a server, and lets it go.
pub(crate) async fn probe(smsc: &Smsc, within: std::time::Duration) -> Result<String, String> {
    let config = esme_config(smsc).map_err(|failure| failure.to_string())?;
    // For SMS only: a gateway that had a bind for dialogues would send it some.
    // And every step must end before this does, or nobody hears which one it was.
    let step_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX) / 5 * 4;
    let response_within_ms = config.response_within_ms.min(step_ms);
    let config = EsmeConfig { kind: Kind::Sms, response_within_ms, ..config };
    let (esme, running) = esme::start(config, NoReceipts, None::<Link<Desk>>).map_err(|error| error.to_string())?;
    let bound = tokio::time::timeout(within, async {
        let until = esme.status().until(|phase| matches!(phase, Phase::Bound(_)));
        let failed = async {
            while esme.status().trouble().is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::select! { () = until => {}, () = failed => {} }
    });
    let _late = bound.await;
    let found = match (esme.status().is_bound(), esme.status().trouble()) {
        (true, _) => Ok(String::from("binds as a transceiver")),
        (false, Some(trouble)) => Err(without(&smsc.address, trouble)),
        (false, None) => Err(String::from("does not answer: a firewall, or the wrong address")),
    };
    running.stop().await;
    found
}

/// Receipts on their way from a bind to the follower.
struct ReceiptDesk {
    link: LinkId,
    receipts: Receipts,
}

impl esme::Receipts for ReceiptDesk {
    async fn take(&self, receipt: esme::Receipt) -> Result<(), NotTaken> {
        let esme::Receipt { message_id, reference, of, state, error } = receipt;
        // Some write `type/code`: the code is what the network said.
        let error = error.as_deref().and_then(|error| error.rsplit('/').next()?.parse().ok());
        let receipt = sms::Receipt { link: self.link, message_id, reference, number: of, state: said(state), error };
        self.receipts.receive(receipt).await.map_err(|_| NotTaken)
    }
}

const fn said(state: State) -> ReceiptState {
    match state {
        State::Enroute => ReceiptState::Enroute,
        State::Delivered => ReceiptState::Delivered,
        State::Expired => ReceiptState::Expired,
        State::Deleted => ReceiptState::Deleted,
        State::Undeliverable => ReceiptState::Undeliverable,
        State::Accepted => ReceiptState::Accepted,
        State::Unknown => ReceiptState::Unknown,
        State::Rejected => ReceiptState::Rejected,
    }
}

/// Receipts that come while a bind is only tried: the SMSC keeps them for the server.
struct NoReceipts;

impl esme::Receipts for NoReceipts {
    async fn take(&self, _: esme::Receipt) -> Result<(), NotTaken> {
        Err(NotTaken)
    }
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn a_source_is_a_number_a_short_code_or_letters() {
        let read = |text| {
            let source = source(text);
            (source.ton, source.npi, source.address)
        };
        assert_eq!(read("+8501910000000"), (1, 1, String::from("8501910000000")));
        assert_eq!(read("8501910000000"), (1, 1, String::from("8501910000000")));
        assert_eq!(read("999"), (0, 0, String::from("999")));
        assert_eq!(read("Koryolink"), (5, 0, String::from("Koryolink")));
        assert_eq!(read(""), (0, 0, String::new()));
    }
}
