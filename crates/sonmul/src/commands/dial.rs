//! `sonmul dial`: a phone in the terminal. It speaks to the HTTP edge as Africa's Talking's gateway does, or ([`msc`]) to an
//! HLR as a switch does.
//!
//! Deliberately not here: what a dialled string means (edges). This only cuts it as that aggregator does: `*999*500*…#`
//! becomes the service code `*999#` and the text `500*…`.

mod msc;

use std::io::{BufRead, IsTerminal};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::effects::Change;
use domain::receipt::Seq;
use domain::rules::Rules;
use engine::journal::{JournalReader, decode};
use serde_json::json;
use store::{DataDir, SqliteReader};

use crate::config::HTTP_ADDR;
use crate::exit::{Exit, Failure, OrExit, Outcome};
use crate::http::{Ask, Target, form, send};
use crate::keys::{local_key_path, read_secret};
use crate::print;

use super::{DataArg, block_on};
use msc::MscPhone;

/// Africa's Talking gives an application 15 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Octets of the journal that are looked through for an operator's number plan.
const SCAN_BYTES: usize = 4 << 20;

/// See `sonmul dial --help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Quote the string: the shell would read * and #. A menu is walked by typing its answers.

Example:
  sonmul dial --from 1911000001 '*999*500*1911000002*482913#'
  sonmul dial --from 1911000001 '*999#'
  printf '4\\n482913\\n' | sonmul dial --from 1911000001 '*999#'
  sonmul dial --msc 127.0.0.1:4222 --imsi 901700000000001 '*999#'")]
pub(crate) struct DialArgs {
    /// Who is calling, through the HTTP edge
    #[arg(long, value_name = "MSISDN", required_unless_present = "msc")]
    from: Option<String>,
    /// Dial through an HLR instead, as a switch does: where it speaks GSUP
    #[arg(long, value_name = "HOST:PORT", requires = "imsi", conflicts_with = "from")]
    msc: Option<String>,
    /// Whose SIM is in the phone, with --msc
    #[arg(long, value_name = "IMSI", requires = "msc")]
    imsi: Option<String>,
    /// What is dialled
    string: String,
    /// Print JSON, one line for each screen
    #[arg(long)]
    json: bool,
    /// End after the first screen
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    data: DataArg,
}

/// One screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// What is on it.
    pub(crate) text: String,
    /// Whether the session ended with it.
    pub(crate) ended: bool,
}

/// A phone with a session at the edge.
#[derive(Debug)]
pub(crate) struct Phone {
    target: Target,
    key: zeroize::Zeroizing<String>,
    from: String,
    session: String,
    service_code: String,
    text: String,
}

/// Dials, and walks the menu.
pub(crate) fn run(args: &DialArgs) -> Outcome {
    let mut way = match (&args.msc, &args.imsi, &args.from) {
        (Some(hlr), Some(imsi), _) => Way::Msc(MscPhone::new(hlr, imsi, &args.string)?),
        (_, _, Some(from)) => Way::Http(Phone::new(&args.data.dir(), from, &args.string)?),
        // The command line's rules forbid the rest.
        _ => return Err(Failure::new(Exit::Usage, "--from, or --msc with --imsi")),
    };
    block_on(walk(args, &mut way))
}

/// How a dial gets to the server.
enum Way {
    Http(Phone),
    Msc(MscPhone),
}

impl Way {
    async fn dial(&mut self) -> Outcome<Screen> {
        match self {
            Self::Http(phone) => phone.dial().await,
            Self::Msc(phone) => phone.dial().await,
        }
    }

    async fn answer(&mut self, typed: &str) -> Outcome<Screen> {
        match self {
            Self::Http(phone) => phone.answer(typed).await,
            Self::Msc(phone) => phone.answer(typed).await,
        }
    }
}

async fn walk(args: &DialArgs, way: &mut Way) -> Outcome {
    let mut screen = way.dial().await?;
    loop {
        if args.json {
            print::json(&json!({ "screen": screen.text, "ended": screen.ended }))?;
        } else {
            print::line(&screen.text)?;
        }
        if screen.ended || args.once {
            return Ok(Exit::Ok);
        }
        let Some(typed) = type_in(args.json)? else { return Ok(Exit::Ok) };
        screen = way.answer(&typed).await?;
    }
}

/// What the subscriber types; `None` when the phone was put down.
fn type_in(as_json: bool) -> Outcome<Option<String>> {
    if !as_json && std::io::stdin().is_terminal() {
        print::part("> ")?;
    }
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed)?;
    Ok((read > 0).then(|| String::from(typed.trim_end_matches(['\r', '\n']))))
}

impl Phone {
    /// A phone that is about to dial that string.
    pub(crate) fn new(data: &Path, from: &str, string: &str) -> Outcome<Self> {
        let (service_code, text) = cut(string).ok_or_else(|| {
            let what = "an aggregator passes on *SC# and *SC*...# only, for example '*999*500*1911000002*482913#'";
            Failure::new(Exit::Usage, what)
        })?;
        let target = Target::Tcp(http_addr(data)?);
        let key = read_secret(&local_key_path(data))?;
        let key = zeroize::Zeroizing::new(String::from(key.trim()));
        let session = uuid::Uuid::now_v7().to_string();
        let from = international(data, &service_code, from);
        Ok(Self { target, key, from, session, service_code, text })
    }

    /// Sends the string.
    pub(crate) async fn dial(&mut self) -> Outcome<Screen> {
        self.send().await
    }

    /// Sends what was typed at a prompt.
    pub(crate) async fn answer(&mut self, typed: &str) -> Outcome<Screen> {
        // The gateway joins all inputs of a session by `*`.
        if !self.text.is_empty() {
            self.text.push('*');
        }
        self.text.push_str(typed);
        self.send().await
    }

    async fn send(&self) -> Outcome<Screen> {
        let body = form(&[
            ("sessionId", &self.session),
            ("serviceCode", &self.service_code),
            ("phoneNumber", &self.from),
            ("networkCode", "99999"),
            ("text", &self.text),
        ]);
        let headers = vec![
            ("content-type", String::from("application/x-www-form-urlencoded")),
            ("authorization", format!("Bearer {}", &*self.key)),
        ];
        let ask = Ask::post("/ussd/africastalking", headers, body);
        let lost = || "the phone reads nothing; whether it was done is not known: the balance shows it";
        let reply = send(&self.target, ask, ANSWER_WITHIN).await.or_exit_with(Exit::Unreachable, lost)?;
        let text = String::from_utf8_lossy(&reply.body);
        if reply.status != 200 {
            let what = format!("the HTTP edge answered {}: {}", reply.status, text.trim());
            return Err(Failure::new(Exit::Unreachable, what));
        }
        let (ended, rest) = match (text.strip_prefix("END "), text.strip_prefix("CON ")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => (true, &*text),
        };
        Ok(Screen { text: String::from(rest), ended })
    }
}

/// Where the server of a data directory listens.
pub(crate) fn http_addr(data: &Path) -> Outcome<SocketAddr> {
    let path = data.join(HTTP_ADDR);
    let text = std::fs::read_to_string(&path).or_exit_with(Exit::Unreachable, || {
        format!("{}: no server there; is `sonmul serve` running?", path.display())
    })?;
    text.trim().parse().or_exit_with(Exit::Unreachable, || format!("{} holds no address", path.display()))
}

/// The caller as an aggregator asserts it, with the country code. What is no number under the operator's plan stays as it
/// is: the edge has an answer for that, too.
fn international(data: &Path, service_code: &str, from: &str) -> String {
    let code = service_code.trim_matches(['*', '#']).parse().ok();
    let rules = code.and_then(|code| rules_of(data, code));
    match rules.and_then(|rules| rules.numbers.parse(from).ok()) {
        Some(msisdn) => format!("+{}", msisdn.get()),
        None => String::from(from),
    }
}

/// The rules of a service code, from the beginning of the journal: operators are loaded before anything else.
fn rules_of(data: &Path, service_code: u16) -> Option<Arc<Rules>> {
    let dir = DataDir::open_shared(data).ok()?;
    let links = SqliteReader::open(&dir).ok()?.read(Seq(1), SCAN_BYTES).ok()?;
    let batches = links.iter().map_while(|link| decode(link).ok());
    let changes = batches.flat_map(|batch| batch.entries).flat_map(|entry| entry.verdict.effects.changes);
    let rules = changes.filter_map(|change| match change {
        Change::Operator { rules, .. } if rules.service_code == service_code => Some(rules),
        _ => None,
    });
    rules.last()
}

/// `*999*500*…#` as service code `*999#` and text `500*…`.
fn cut(string: &str) -> Option<(String, String)> {
    let inner = string.trim().strip_prefix('*')?.strip_suffix('#')?;
    let (code, text) = inner.split_once('*').unwrap_or((inner, ""));
    let plausible = (1..=6).contains(&code.len()) && code.bytes().all(|octet| octet.is_ascii_digit());
    plausible.then(|| (format!("*{code}#"), String::from(text)))
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_string_is_cut_as_the_aggregator_does() {
        let cut = |string| cut(string).map(|(code, text)| format!("{code} {text}"));
        assert_eq!(cut("*999#"), Some(String::from("*999# ")));
        assert_eq!(cut("*999*500*1911000002*482913#"), Some(String::from("*999# 500*1911000002*482913")));
        assert_eq!(cut("*929*0*1*#"), Some(String::from("*929# 0*1*")));
        for bad in ["", "*#", "999#", "*999", "*#999*482913#", "**999*1#", "hello"] {
            assert_eq!(cut(bad), None, "{bad}");
        }
    }
}
