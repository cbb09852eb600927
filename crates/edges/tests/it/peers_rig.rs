//! The SMPP edge as these tests start it, and somebody who keeps its receipts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::ids::LinkId;
use edges::esme::{
    Address, Esme, EsmeConfig, NotTaken, Outgoing, Phase, Receipt, Receipts, Running, Secret, SubmitFault, Submitted,
    start,
};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::fake::{BOB, Fake, msisdn};
use crate::peers::PATIENCE;

pub(crate) const PASSWORD: &str = "s3cr3tpw";
/// Whom messages come from here.
pub(crate) const SOURCE: &str = "Koryolink";

/// A bind that tries again soon and waits long.
pub(crate) fn config(smsc: impl std::fmt::Display) -> EsmeConfig {
    let password = Secret::new(Zeroizing::new(String::from(PASSWORD)));
    let mut config = EsmeConfig::new(LinkId(20), "smsc1", &smsc.to_string(), "sonmul", password);
    config.source = Address { ton: 5, npi: 0, address: String::from(SOURCE) };
    config.response_within_ms = 30_000;
    (config.reconnect_min_ms, config.reconnect_max_ms) = (20, 200);
    config.throttle_backoff_ms = 50;
    config
}

pub(crate) fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Keeps receipts; puts off as many as it is told to first.
#[derive(Clone)]
pub(crate) struct Keeper {
    kept: mpsc::UnboundedSender<Receipt>,
    put_off: Arc<AtomicUsize>,
}

impl Receipts for Keeper {
    async fn take(&self, receipt: Receipt) -> Result<(), NotTaken> {
        let less = |left: usize| left.checked_sub(1);
        if self.put_off.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return Err(NotTaken);
        }
        self.kept.send(receipt).map_err(|_| NotTaken)
    }
}

/// A running bind.
pub(crate) struct Bind {
    pub(crate) esme: Esme,
    pub(crate) running: Running,
    receipts: mpsc::UnboundedReceiver<Receipt>,
    put_off: Arc<AtomicUsize>,
}

impl Bind {
    /// Starts one for SMS; it may not be bound yet.
    pub(crate) fn start(config: EsmeConfig) -> Self {
        Self::start_with(config, None)
    }

    /// Starts one that serves USSD over that link.
    pub(crate) fn start_with(config: EsmeConfig, link: Option<edges::flow::Link<Fake>>) -> Self {
        let (kept, receipts) = mpsc::unbounded_channel();
        let put_off = Arc::<AtomicUsize>::default();
        let keeper = Keeper { kept, put_off: Arc::clone(&put_off) };
        let (esme, running) = start(config, keeper, link).expect("a bind that can be");
        Self { esme, running, receipts, put_off }
    }

    /// Starts one and waits until it is bound.
    pub(crate) async fn bound(config: EsmeConfig) -> Self {
        let bind = Self::start(config);
        bind.until_bound().await;
        bind
    }

    pub(crate) async fn until_bound(&self) {
        let bound = self.esme.status().until(|phase| matches!(phase, Phase::Bound(_)));
        let in_time = tokio::time::timeout(PATIENCE, bound).await;
        in_time.unwrap_or_else(|_| panic!("not bound in time: {:?}", self.esme.status().trouble()));
    }

    /// Waits until it has bound so many times.
    pub(crate) async fn until_binds(&self, binds: u64) {
        self.until(&format!("{binds} binds"), || binds <= self.esme.status().counts().binds).await;
        self.until_bound().await;
    }

    /// Waits for what has no signal of its own.
    pub(crate) async fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let wait = async {
            while !done() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, wait).await;
        in_time.unwrap_or_else(|_| panic!("{what}: not in time; trouble: {:?}", self.esme.status().trouble()));
    }

    /// Waits for a trouble that says all of these words, and never the password.
    pub(crate) async fn trouble(&self, words: &[&str]) -> String {
        let says = || self.esme.status().trouble().filter(|trouble| words.iter().all(|word| trouble.contains(word)));
        self.until(&format!("trouble with {words:?}"), || says().is_some()).await;
        let trouble = says().expect("it said so");
        assert!(!trouble.contains(PASSWORD), "{trouble}");
        trouble
    }

    pub(crate) async fn submit(&self, sms: &Outgoing) -> Result<Submitted, SubmitFault> {
        let answered = tokio::time::timeout(PATIENCE, self.esme.submit(sms)).await;
        answered.expect("an answer in time")
    }

    pub(crate) async fn receipt(&mut self) -> Receipt {
        let receipt = tokio::time::timeout(PATIENCE, self.receipts.recv()).await;
        receipt.expect("a receipt in time").expect("the bind runs")
    }

    /// The next so many receipts are not taken over.
    pub(crate) fn put_off(&self, receipts: usize) {
        self.put_off.store(receipts, Ordering::Relaxed);
    }
}

/// Submits until it is taken, as the layer above does.
pub(crate) async fn submit_until_taken(esme: Esme, sms: Outgoing) -> Submitted {
    let tries = async {
        loop {
            match esme.submit(&sms).await {
                Ok(submitted) => return submitted,
                Err(SubmitFault::Permanent { status }) => panic!("refused for good: {status:#x}"),
                Err(SubmitFault::NotBound) => esme.status().until(|phase| matches!(phase, Phase::Bound(_))).await,
                Err(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, tries).await.expect("taken in time")
}

/// A message to Bob.
pub(crate) fn sms(text: &str) -> Outgoing {
    sms_to(BOB, text)
}

pub(crate) fn sms_to(to: &str, text: &str) -> Outgoing {
    let text = String::from(text);
    Outgoing { to: msisdn(to), text, reference: 0x1234, validity_s: None, want_receipt: true }
}
