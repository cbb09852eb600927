//! Tries links without a server: what stands on the other side, and whether it would have us.
//!
//! Guarantees: every link is let go again; nothing is asked that changes anything.
//! Deliberately not here: links that a running server holds. A second connection of the same name would take an HLR's
//! dials away from it.

use std::collections::BTreeMap;
use std::time::Duration;

use api::admin::LinkView;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::ctrl::Ctrl;
use wire::imsi::Imsi;
use wire::ipa::{self, Ccm, Extension, PROTOCOL_CCM};

use crate::config::{Common, Hlr, Links, Smsc};

/// A link has this long.
pub(super) const WITHIN: Duration = Duration::from_secs(5);
/// An HLR that would not have us closes the connection at once; one that keeps it for this long has taken us. It takes any
/// name: only a dial shows whether its hlr.cfg routes to it.
const KEPT_FOR: Duration = Duration::from_millis(500);

/// Tries them all at the same time; in the order of the configuration by kinds.
pub(super) async fn links(links: &Links) -> Vec<LinkView> {
    let mut views: Vec<LinkView> = links
        .aggregators
        .iter()
        .map(|link| view(&link.common, "aggregator", "http", Ok(String::from("speaks when a server runs"))))
        .collect();
    let tasks: Vec<_> = links.hlrs.iter().map(|link| tokio::spawn(hlr(link.clone()))).collect();
    for (task, link) in tasks.into_iter().zip(&links.hlrs) {
        views.push(view(&link.common, "hlr", &link.gsup, ended(task).await));
    }
    let tasks: Vec<_> = links.smscs.iter().map(|link| tokio::spawn(smsc(link.clone()))).collect();
    for (task, link) in tasks.into_iter().zip(&links.smscs) {
        views.push(view(&link.common, "smsc", &link.address, ended(task).await));
    }
    views
}

async fn ended(task: tokio::task::JoinHandle<Result<String, String>>) -> Result<String, String> {
    task.await.unwrap_or_else(|_| Err(String::from("the probe ended on an assertion: please report it")))
}

fn view(common: &Common, kind: &str, address: &str, found: Result<String, String>) -> LinkView {
    LinkView {
        name: common.name.clone(),
        link: common.link,
        kind: String::from(kind),
        address: String::from(address),
        up: found.is_ok(),
        says: found.unwrap_or_else(|problem| problem),
        counts: BTreeMap::new(),
    }
}

/// `what`: what is there besides the address that stands before it on the screen.
async fn connect(what: &str, address: &str, start: &str) -> Result<TcpStream, String> {
    match timeout(WITHIN, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("{what}can't be reached ({error}): {start}")),
        Err(_) => Err(format!("{what}does not answer: a firewall, or the wrong address")),
    }
}

/// Registers as the server would, lets go, and asks the control interface for nobody.
async fn hlr(link: Hlr) -> Result<String, String> {
    let mut gsup = connect("", &link.gsup, "start osmo-hlr, and look at `gsup` / `bind ip` in its hlr.cfg").await?;
    let asked = timeout(WITHIN, async {
        let mut octets = Vec::new();
        loop {
            match ipa::take_frame(&octets) {
                Ok(Some((frame, _))) if frame.protocol == PROTOCOL_CCM => {
                    if let Ok(Ccm::IdGet(_)) = Ccm::parse(frame.payload) {
                        return Ok(());
                    }
                    return Err(String::from("what listens there is no HLR: it did not ask who we are"));
                }
                Ok(Some(_)) | Err(_) => return Err(String::from("what listens there does not speak IPA")),
                Ok(None) => {}
            }
            if gsup.read_buf(&mut octets).await.unwrap_or(0) == 0 {
                return Err(String::from("it closed the connection before it asked who we are"));
            }
        }
    });
    asked.await.map_err(|_| String::from("it does not ask who we are: is that its GSUP port?"))??;
    let name = format!("EUSE-{}", link.euse);
    let identity = ipa::id_response(&name).map_err(|error| error.to_string())?;
    gsup.write_all(&identity).await.map_err(|error| error.to_string())?;
    let mut octet = [0];
    if let Ok(Ok(0) | Err(_)) = timeout(KEPT_FOR, gsup.read(&mut octet)).await {
        return Err(format!("it closed the connection as soon as it heard {name}: its log says why"));
    }
    drop(gsup);
    ctrl(&link.ctrl).await?;
    Ok(format!("takes {name}, and its control interface answers"))
}

/// A question about nobody: any answer to it is a good one.
async fn ctrl(address: &str) -> Result<(), String> {
    let mut stream =
        connect(&format!("its control interface {address} "), address, "look at `ctrl` / `bind` in its hlr.cfg")
            .await?;
    let nobody = Imsi::parse("001010000000000").map_err(|error| error.to_string())?;
    let question = wire::ctrl::get_msisdn(1, &nobody).map_err(|error| error.to_string())?;
    stream.write_all(&question).await.map_err(|error| error.to_string())?;
    let answered = timeout(WITHIN, async {
        let mut octets = Vec::new();
        loop {
            match ipa::take_frame(&octets) {
                Ok(Some((frame, _))) => match frame.extension() {
                    Some((Extension::Ctrl, body)) if Ctrl::parse(body).is_ok() => return Ok(()),
                    _ => return Err(format!("what listens at {address} is no control interface")),
                },
                Ok(None) => {}
                Err(_) => return Err(format!("what listens at {address} does not speak IPA")),
            }
            if stream.read_buf(&mut octets).await.unwrap_or(0) == 0 {
                return Err(format!("{address} closed the connection: is that its control interface?"));
            }
        }
    });
    answered.await.map_err(|_| format!("{address} does not answer: is that its control interface?"))?
}

async fn smsc(link: Smsc) -> Result<String, String> {
    crate::serve::probe_smsc(&link, WITHIN).await
}
