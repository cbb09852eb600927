//! `sonmul demo`: two operators, a handful of phones and a gift from end to end, on a fresh data directory.
//!
//! Everything goes the way it goes in earnest: rules, subscribers and cards over `admin.sock`, dials over the HTTP edge.
//! Deliberately not here: anything that a real server needs and this one doesn't (an SMSC, other people's secrets).

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use edges::sms::Outgoing;
use serde_json::{Value, json};
use store::{DataDir, StoreFault};

use crate::admin::Admin;
use crate::config::{self, DATA};
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::serve::{Options, Server, Signals, Sink, runtime};
use crate::{faults, print};

use super::DEMO_DATA;
use super::dial::{Phone, Screen};
use super::init::{OPERATORS, init};

/// What marks a data directory that may be wiped.
const MARK: &str = "# Made by `sonmul demo`, which wipes it when it runs again.";
/// A small disk will do, and the files stay small.
const LIMITS: &str = "disk_reserve_bytes = 16_777_216\nwal_prewritten_bytes = 0\n";
/// What is on each card, and on each phone.
const CARD_MINOR: i64 = 1_200;
const AIRTIME_MINOR: i64 = 200;
/// An SMS follows its gift within a moment.
const SMS_WITHIN: Duration = Duration::from_secs(5);

/// See `sonmul demo --help`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Wipes and makes DIR, then stays up until Ctrl-C. Its passwords are known to everybody who reads its source.

Example:
  sonmul demo
  sonmul demo --once"
)]
pub(crate) struct DemoArgs {
    /// End after the first gifts
    #[arg(long)]
    once: bool,
    /// Data directory: wiped when an earlier demo made it, refused when anything else did
    #[arg(long, value_name = "DIR", default_value = DEMO_DATA)]
    data: PathBuf,
}

/// An operator of the demonstration.
struct Network {
    name: &'static str,
    code: u16,
    profile: &'static str,
    phones: &'static [Handset],
}

/// A phone: number, password of its card, language.
#[derive(Clone, Copy)]
struct Handset {
    number: &'static str,
    password: &'static str,
    language: &'static str,
}

const fn handset(number: &'static str, password: &'static str, language: &'static str) -> Handset {
    Handset { number, password, language }
}

const NETWORKS: [Network; 2] = [
    Network {
        name: OPERATORS[0],
        code: 999,
        profile: include_str!("../../../../profiles/koryolink.toml"),
        phones: &[
            handset("1911000001", "482913", "ko"),
            handset("1911000002", "730164", "ko"),
            handset("1911000003", "915027", "en"),
            handset("1911000004", "268451", "en"),
            handset("1911000005", "604938", "ko"),
            handset("1911000006", "357192", "en"),
        ],
    },
    Network {
        name: OPERATORS[1],
        code: 929,
        profile: include_str!("../../../../profiles/kangsong.toml"),
        phones: &[
            handset("1951000001", "841570", "ko"),
            handset("1951000002", "296384", "en"),
            handset("1951000003", "570826", "ko"),
        ],
    },
];

/// Makes it, runs it, shows it.
pub(crate) fn run(args: &DemoArgs) -> Outcome {
    wipe(&args.data)?;
    let operators = OPERATORS.map(String::from);
    init(&args.data, "127.0.0.1:0", &operators, &format!("{LIMITS}{MARK}\n"))?;
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let (hand, messages) = channel();
        let sink = Sink::Hand(hand);
        let options = Options { data: args.data.clone(), accept_clock: false, resume_followers: false, sink };
        let server = Server::start(options).await?;
        let shown = tokio::select! {
            shown = show(args, &messages) => shown,
            () = signals.next() => Ok(()),
        };
        if shown.is_ok() && !args.once {
            // A thread of its own, since messages come over a blocking channel; it ends with the follower.
            std::thread::spawn(move || messages.iter().try_for_each(|sms| told(&sms)));
            signals.next().await;
            print::line("")?;
        }
        server.stop().await?;
        shown.map(|()| Exit::Ok)
    })
}

/// Only what an earlier demonstration made.
fn wipe(data: &Path) -> Outcome<()> {
    if !data.exists() || std::fs::read_dir(data).is_ok_and(|mut files| files.next().is_none()) {
        return Ok(());
    }
    let marked = std::fs::read_to_string(data.join(config::FILE)).is_ok_and(|text| text.contains(MARK));
    if !marked {
        let what = format!("{} was not made by `sonmul demo`: name another directory", data.display());
        return Err(Failure::new(Exit::Usage, what));
    }
    // The lock, so that a demonstration that runs keeps its directory.
    match DataDir::open(data) {
        Ok(_) | Err(StoreFault::NoDataDir { .. }) => {}
        Err(fault) => return Err(faults::store(fault)),
    }
    std::fs::remove_dir_all(data).or_exit_with(Exit::Usage, || format!("{} can't be wiped", data.display()))
}

async fn show(args: &DemoArgs, messages: &Receiver<Outgoing>) -> Outcome<()> {
    let stage = Stage { data: &args.data, admin: Admin::new(&args.data), messages };
    stage.set_up().await?;
    let [koryolink, _] = &NETWORKS;
    let [first, second, third, fourth, ..] = koryolink.phones else { return Ok(()) };
    stage.give(first, second).await?;
    print::line("\nThe day's one gift is used up, whoever the next would be for:")?;
    stage.dial(first, &format!("*999*500*{}*{}#", third.number, first.password)).await?;
    print::line("\nThe same on a phone that reads English, and its balance after:")?;
    stage.give(third, fourth).await?;
    stage.dial(third, &format!("*999*0*1*{}#", third.password)).await?;
    if args.once { Ok(()) } else { stage.what_next() }
}

struct Stage<'a> {
    data: &'a Path,
    admin: Admin,
    messages: &'a Receiver<Outgoing>,
}

impl Stage<'_> {
    /// Rules, subscribers, cards, and every card bound to its phone by dialling.
    async fn set_up(&self) -> Outcome<()> {
        for network in &NETWORKS {
            self.ask("/v1/operators", &json!({ "toml": network.profile })).await?;
            let line = |phone: &Handset| json!({ "msisdn": phone.number, "language": phone.language, "airtime_minor": AIRTIME_MINOR });
            let subscribers: Vec<Value> = network.phones.iter().map(line).collect();
            let body = json!({ "operator": network.name, "subscribers": subscribers });
            self.ask("/v1/subscribers/import", &body).await?;
            let passwords: Vec<&str> = network.phones.iter().map(|phone| phone.password).collect();
            let count = network.phones.len();
            let body =
                json!({ "operator": network.name, "value_minor": CARD_MINOR, "count": count, "passwords": passwords });
            let issued = self.ask("/v1/cards", &body).await?;
            let cards = issued.get("cards").and_then(Value::as_array).cloned().unwrap_or_default();
            for (phone, card) in network.phones.iter().zip(&cards) {
                let number = card.get("number").and_then(Value::as_str).unwrap_or_default();
                let string = format!("*{}*0*4*{number}*{}#", network.code, phone.password);
                self.screen(phone, &string).await?;
            }
        }
        let phones: usize = NETWORKS.iter().map(|network| network.phones.len()).sum();
        let data = self.data.display();
        print::line(&format!(
            "Koryolink (*999*) and Kang Song NET (*929*) are loaded; {phones} phones have a card each. Data: {data}"
        ))
    }

    async fn ask(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.admin.post(path, body).await?.ok()
    }

    async fn screen(&self, phone: &Handset, string: &str) -> Outcome<Screen> {
        Phone::new(self.data, phone.number, string)?.dial().await
    }

    /// Dials and shows the screen.
    async fn dial(&self, phone: &Handset, string: &str) -> Outcome<()> {
        print::line(&format!("\n{} dials {string}", phone.number))?;
        let screen = self.screen(phone, string).await?;
        print::line(&boxed(&screen.text))
    }

    /// Dials a gift, shows the screen and what the recipient gets.
    async fn give(&self, from: &Handset, to: &Handset) -> Outcome<()> {
        self.dial(from, &format!("*999*500*{}*{}#", to.number, from.password)).await?;
        let none = |_| Failure::new(Exit::Fault, "the recipient's SMS did not come");
        told(&self.messages.recv_timeout(SMS_WITHIN).map_err(none)?)
    }

    fn what_next(&self) -> Outcome<()> {
        print::line("\nIt stays up until Ctrl-C. From another terminal in this directory:\n")?;
        let program = std::env::args().next().unwrap_or_else(|| String::from("sonmul"));
        let usual = self.data == Path::new(DEMO_DATA) && !Path::new(DATA).exists();
        let data = if usual { String::new() } else { format!(" --data {}", self.data.display()) };
        let [koryolink, kangsong] = &NETWORKS;
        let gift = |network: &Network, from: usize, to: usize| {
            let (from, to) = (network.phones.get(from)?, network.phones.get(to)?);
            Some((from.number, format!("*{}*500*{}*{}#", network.code, to.number, from.password)))
        };
        let lines = [
            gift(koryolink, 1, 0),
            gift(koryolink, 3, 4),
            gift(koryolink, 4, 5),
            gift(kangsong, 0, 1),
            gift(kangsong, 1, 2),
            koryolink.phones.get(5).map(|phone| (phone.number, String::from("*999#"))),
        ];
        for (from, string) in lines.into_iter().flatten() {
            print::line(&format!("  {program} dial{data} --from {from} '{string}'"))?;
        }
        print::line(&format!("  {program} journal cat{data}"))?;
        print::line("")
    }
}

/// The recipient's phone.
fn told(sms: &Outgoing) -> Outcome<()> {
    print::line(&format!("  SMS to +{}", sms.to.get()))?;
    print::line(&boxed(&sms.text))
}

/// A screen as it stands on a phone.
fn boxed(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
