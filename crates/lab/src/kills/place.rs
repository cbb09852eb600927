//! Where the loop takes place: a data directory, a stand-in HLR, an operator without limits, and people with cards.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::call::{Call, Dialled, GSUP_LINK, Heard, Phone, Posted, SERVICE_CODE};
use super::doors::Doors;
use super::{KillConfig, Stage};
use crate::history::Asked;
use crate::load::hlr::{Hlr, HlrConfig, Number};

/// Phones of each client that dials: a caller may dial ten times a second.
pub(super) const PHONES: u32 = 12;
/// Cards that nobody binds: staff freezes and thaws them.
pub(super) const SPARE_CARDS: u32 = 8;
/// Everybody's password.
pub(super) const PASSWORD: &str = "482913";
/// Whose subscribers these are.
pub(super) const OPERATOR: &str = "koryolink";
/// On every card at the beginning, minor units.
const CARD_VALUE: u64 = 1_000_000;
/// Our name at the HLR.
const ENTITY: &str = "airtime";
const PROFILE: &str = include_str!("../../../../profiles/koryolink.toml");
/// Everything that a server does now and then, it does often; and the disk of whoever runs this may be nearly full.
const LIMITS: &str = "segment_entries_max = 1000\nsegment_wal_bytes_max = 4194304\nwal_prewritten_bytes = 0\n\
     disk_reserve_bytes = 0\ncheckpoint_interval_ms = 100\ncheck_every_s = 0\n";

/// See the module.
pub(super) struct Place {
    /// The data directory.
    pub(super) data: PathBuf,
    /// What GSUP clients are attached to.
    pub(super) hlr: Arc<Hlr>,
    /// Subscribers, from 1.
    pub(super) phones: u32,
}

impl Place {
    /// Makes the data directory, and starts the HLR.
    pub(super) async fn make(config: &KillConfig) -> anyhow::Result<Self> {
        // Of clients that dial, over HTTP and over GSUP.
        let phones = 2 * config.clients * PHONES;
        let known = move |imsi: &wire::imsi::Imsi| {
            let phone = Phone::of_imsi(imsi.as_str()).filter(|Phone(n)| (1..=phones).contains(n));
            phone.map_or(Number::Unknown, |phone| Number::Msisdn(phone.msisdn()))
        };
        let hlr = Hlr::start(HlrConfig {
            routes: vec![(format!("*{SERVICE_CODE}*"), String::from(ENTITY))],
            sessions_max: 65_536,
            guard: Duration::from_secs(30),
            numbers: Arc::new(known),
        });
        let hlr = hlr.await.context("the stand-in HLR")?;
        let link = format!(
            "[[hlr]]\nname = \"hlr\"\nlink = {GSUP_LINK}\ngsup = \"{}\"\nctrl = \"{}\"\neuse = \"{ENTITY}\"\nguard_s = 30\n\
             operators = [\"{OPERATOR}\"]\n",
            hlr.gsup, hlr.ctrl
        );
        let data = config.dir.join("data");
        let made = sonmul::init(&data, "127.0.0.1:0", &[String::from(OPERATOR)], &format!("{LIMITS}{link}"));
        made.map_err(|failure| failure.error)?;
        Ok(Self { data, hlr: Arc::new(hlr), phones })
    }

    /// Whether the HLR has somebody to pass dials on to.
    pub(super) fn is_routed(&self) -> bool {
        self.hlr.is_routed(ENTITY)
    }

    /// Loads rules, imports people and gives each a card, all through the doors and in the history.
    pub(super) async fn fill(&self, doors: &Doors, http: SocketAddr) -> anyhow::Result<()> {
        doors.must(posted("/v1/operators", json!({ "toml": profile()? }), "load-rules")).await?;
        let person = |n| json!({ "msisdn": Phone(n).msisdn(), "language": "en" });
        let people: Vec<Value> = (1..=self.phones).map(person).collect();
        let import = json!({ "operator": OPERATOR, "subscribers": people });
        doors.must(posted("/v1/subscribers/import", import, "import-subscribers")).await?;
        let count = self.phones + SPARE_CARDS;
        let passwords = vec![PASSWORD; usize::try_from(count)?];
        let issue = json!({ "operator": OPERATOR, "value_minor": CARD_VALUE, "count": count, "passwords": passwords });
        let issued = doors.must(posted("/v1/cards", issue, "issue-cards")).await?;
        for n in 1..=self.phones {
            // Spare cards come first, so that their serials are known.
            let card = issued.pointer(&format!("/cards/{}/number", SPARE_CARDS + n - 1)).and_then(Value::as_str);
            bind(doors, Phone(n), card.context("a card")?, http).await?;
        }
        Ok(())
    }
}

/// Binds a card. No kill is on its way yet.
async fn bind(doors: &Doors, phone: Phone, card: &str, http: SocketAddr) -> anyhow::Result<()> {
    let asked = Asked { name: String::from("bind"), msisdn: Some(phone.msisdn()), ..Asked::default() };
    let call =
        Call::Http(Dialled { phone, session: phone.0, text: format!("0*4*{card}*{PASSWORD}"), first: None, asked });
    let (_tell, mut stage) = watch::channel(Stage::Up(http));
    let heard = doors.call("staff", &call, http, &mut stage).await?;
    let bound = matches!(&heard, Heard::Verdict(answer, _) if answer == "done:bound");
    ensure!(bound, "a card could not be bound: {heard:?}");
    Ok(())
}

/// A wish of staff under a new id.
pub(super) fn posted(path: &str, body: Value, name: &str) -> Posted {
    let asked = Asked { name: String::from(name), ..Asked::default() };
    Posted { id: Uuid::now_v7(), path: String::from(path), body, asked }
}

/// Koryolink without limits, for phones that dial all day.
fn profile() -> anyhow::Result<String> {
    let (head, _) = PROFILE.split_once("[[period]]").context("a profile without periods")?;
    let mut text = String::from(head);
    for (from, to) in [
        ("dials_per_caller_per_min = 10", "dials_per_caller_per_min = 600"),
        ("repeat_window_s = 300", "repeat_window_s = 0"),
    ] {
        ensure!(text.contains(from), "the profile has no {from}");
        text = text.replace(from, to);
    }
    text.push_str(
        "[[period]]\nname = \"open\"\nfrom = 2016-01-01\namount_max = 500\nrefusals_per_day = 0\nage_days_min = 0\n",
    );
    Ok(text)
}
