//! The bench's world: a real data directory, a real server, subscribers with a bound card each, and gifts among them.
//!
//! Every sender has eight friends, as people do, so that pair usage is bounded; amounts are random, so that hardly any gift
//! repeats one of the last seconds. Tags are real: HMACs of real passwords under the server's key.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use domain::command::{
    Bind, Body, Caller, Command, Dialled, Gift, ImportSubscribers, IssueCards, LoadRules, NewCard, NewSubscriber,
};
use domain::id::CommandId;
use domain::ids::{LinkId, OperatorId, Staff};
use domain::money::Amount;
use domain::number::{CardNumber, Msisdn};
use domain::password::{Password, PasswordTag, Proof, TagKeys};
use domain::rules::Rules;
use domain::time::Timestamp;
use domain::verdict::Outcome;
use engine::answer::Answer;
use engine::handle::Handle;
use wire::imsi::Imsi;

use super::baselines::Random;
use sonmul::exit::Failure;
use sonmul::init;
use sonmul::keys::{load_tag_keys, local_key_path, read_secret};
use sonmul::progress::Progress;
use sonmul::serve::{Options, Server, Sink};

const PROFILE: &str = include_str!("bench.toml");
const OPERATOR: OperatorId = OperatorId(0);
const FIRST_NUMBER: u64 = 8_501_900_000_000;
/// As bench.toml has it.
pub(super) const SERVICE_CODE: u16 = 999;
/// What every IMSI begins with; ten digits of the subscriber's row follow.
const IMSI_PREFIX: &str = "46705";
/// On every card at the beginning, minor units.
const CARD_VALUE: i64 = 1_000_000_000;
const FRIENDS: u64 = 8;
const AMOUNT_MAX: u64 = 500;
/// Lines of a command at most, with room for the accounts that all of them touch.
const CHUNK: u64 = 900;
/// Commands of a bulk.
pub(super) const BULK: usize = 8_192;

/// How the screen of a given gift begins in Korean, the language of the bench's subscribers: whole, and behind OsmoHLR.
const SENT: [&str; 2] = ["보냈습니다.", "보냄 "];

/// A server with subscribers.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) source: Arc<Source>,
    pub(super) dir: PathBuf,
}

/// Where gifts come from.
pub(super) struct Source {
    subscribers: u64,
    tags: Vec<PasswordTag>,
    /// Of the aggregator that dials.
    key: String,
    /// Drawn so far.
    streams: AtomicU64,
}

impl World {
    /// Makes `dir` anew and fills it; `config` are lines for the end of its configuration: limits, then links.
    pub(super) async fn make(dir: &Path, subscribers: u64, config: &str) -> anyhow::Result<Self> {
        if dir.exists() {
            std::fs::remove_dir_all(dir).with_context(|| format!("{} is in the way", dir.display()))?;
        }
        init(dir, "127.0.0.1:0", &[String::from("bench")], config).map_err(told)?;
        let server = start(dir).await?;
        let (keys, _) = load_tag_keys(dir).map_err(told)?;
        let key = read_secret(&local_key_path(dir)).map_err(told)?.trim().to_owned();
        let handle = server.handle();
        let filling = tokio::task::spawn_blocking(move || fill(&handle, &keys, subscribers));
        let tags = filling.await??;
        Ok(Self {
            server,
            source: Arc::new(Source { subscribers, tags, key, streams: AtomicU64::new(0) }),
            dir: dir.to_owned(),
        })
    }

    /// Stops the server and takes everything away.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.server.stop().await.map_err(told)?;
        std::fs::remove_dir_all(&self.dir)?;
        Ok(())
    }
}

/// A server over `dir`, whatever its clock says of a long filling.
pub(super) async fn start(dir: &Path) -> anyhow::Result<Server> {
    let options = Options { data: dir.to_owned(), accept_clock: true, resume_followers: true, sink: Sink::Binds };
    Server::start(options).await.map_err(told)
}

fn told(failure: Failure) -> anyhow::Error {
    failure.error
}

fn fill(handle: &Handle, keys: &TagKeys, subscribers: u64) -> anyhow::Result<Vec<PasswordTag>> {
    let rules: Rules = domain::rules::parse::parse(PROFILE).map_err(|error| anyhow::anyhow!("bench.toml: {error}"))?;
    let mut ids = Random::new();
    let load = LoadRules {
        staff: Staff(0),
        rules: Arc::new(rules),
        file_hash: *blake3::hash(PROFILE.as_bytes()).as_bytes(),
        from: None,
    };
    done(handle, vec![command(handle.now(), &mut ids, Body::LoadRules(load))])?;
    let mut progress = Progress::new("filling", Some(subscribers * 3));
    for first in (0..subscribers).step_by(usize::try_from(CHUNK)?) {
        let rows = first..subscribers.min(first + CHUNK);
        let lines = rows.clone().map(|row| {
            Ok(NewSubscriber { msisdn: msisdn(row)?, imsi: None, language: None, since: None, airtime: None })
        });
        let subscribers = lines.collect::<anyhow::Result<_>>()?;
        let import = ImportSubscribers { staff: Staff(0), operator: OPERATOR, subscribers };
        let cards = rows.clone().map(|row| {
            let (number, password) = (number(row)?, password(row)?);
            let value = Amount::try_new(CARD_VALUE).context("a card's value")?;
            Ok(NewCard { number, tag: keys.current().card(OPERATOR, number, &password), value })
        });
        let issue = IssueCards { staff: Staff(0), operator: OPERATOR, cards: cards.collect::<anyhow::Result<_>>()? };
        let bodies = [Body::ImportSubscribers(import), Body::IssueCards(issue)];
        let now = handle.now();
        done(handle, bodies.into_iter().map(|body| command(now, &mut ids, body)).collect())?;
        progress.set(rows.end * 2);
    }
    let mut tags = Vec::with_capacity(usize::try_from(subscribers)?);
    for first in (0..subscribers).step_by(BULK) {
        let now = handle.now();
        let mut commands = Vec::with_capacity(BULK);
        for row in first..subscribers.min(first + BULK as u64) {
            let (number, password) = (number(row)?, password(row)?);
            let tag = keys.current().holder(OPERATOR, msisdn(row)?, 1, &password);
            tags.push(tag);
            let bind = Bind {
                caller: caller(msisdn(row)?),
                number: Dialled::Value(number),
                proof: keys.proof(|key| key.card(OPERATOR, number, &password)),
                holder_tag: Some(tag),
            };
            commands.push(command(now, &mut ids, Body::Bind(bind)));
        }
        done(handle, commands)?;
        progress.set(subscribers * 2 + first);
    }
    Ok(tags)
}

/// Whether a screen says that the gift was sent. One that says that it was sent before says the word later.
pub(super) fn is_sent(screen: &str) -> bool {
    SENT.iter().any(|sent| screen.starts_with(sent))
}

/// Whether a gift was given.
pub(super) fn is_given(answer: &Answer) -> bool {
    matches!(answer, Answer::Verdict(reply) if matches!(reply.outcome, Outcome::Done(_)))
}

/// Submits and insists.
fn done(handle: &Handle, commands: Vec<Command>) -> anyhow::Result<()> {
    match handle.submit_bulk(commands).wait().iter().find(|answer| !is_given(answer)) {
        Some(answer) => bail!("the bench's world could not be made: {answer:?}"),
        None => Ok(()),
    }
}

fn caller(msisdn: Msisdn) -> Caller {
    Caller { operator: OPERATOR, link: LinkId(1), msisdn, imsi: None }
}

fn command(at: Timestamp, ids: &mut Random, body: Body) -> Command {
    let id = uuid::Builder::from_unix_timestamp_millis(at.ms().unsigned_abs(), &random_10(ids)).into_uuid();
    let id = CommandId::from_uuid(id.as_u128()).unwrap_or_else(|_| CommandId::internal(0, ids.next()));
    Command { id, decide_before: Timestamp::MAX, body }
}

fn random_10(ids: &mut Random) -> [u8; 10] {
    let mut octets = [0; 10];
    octets.split_at_mut(8).0.copy_from_slice(&ids.next().to_be_bytes());
    octets.split_at_mut(8).1.copy_from_slice(ids.next().to_be_bytes().split_at(2).0);
    octets
}

fn msisdn(row: u64) -> anyhow::Result<Msisdn> {
    Ok(Msisdn::try_new(FIRST_NUMBER + row)?)
}

/// The SIM of a subscriber.
pub(super) fn imsi(row: u64) -> anyhow::Result<Imsi> {
    Ok(Imsi::parse(&format!("{IMSI_PREFIX}{row:010}"))?)
}

/// What an HLR says of an IMSI when there are so many subscribers: digits of an MSISDN.
pub(super) fn number_of(imsi: &Imsi, subscribers: u64) -> Option<String> {
    let row: u64 = imsi.as_str().strip_prefix(IMSI_PREFIX)?.parse().ok()?;
    (row < subscribers).then(|| (FIRST_NUMBER + row).to_string())
}

fn number(row: u64) -> anyhow::Result<CardNumber> {
    Ok(CardNumber::from_payload(100_000_000_000_000 + row * 7_919)?)
}

/// Six digits, never trivial ones: the first is odd, the second even.
fn password(row: u64) -> anyhow::Result<Password> {
    Ok(Password::parse(&password_digits(row))?)
}

fn password_digits(row: u64) -> String {
    format!("{}{}{:04}", row % 5 * 2 + 1, row % 3 * 2, row * 7_919 % 10_000)
}

impl Source {
    /// Gifts of one caller's thread, never drawn before: the same ones again would be refused as repeated.
    pub(super) fn gifts(self: &Arc<Self>) -> Gifts {
        Gifts { source: Arc::clone(self), random: Random::seeded(self.stream()) }
    }

    /// The same as dialled by the first so many subscribers.
    pub(super) fn dials(self: &Arc<Self>, callers: u64) -> Dials {
        let stream = self.stream();
        let callers = callers.min(self.subscribers);
        Dials { source: Arc::clone(self), random: Random::seeded(stream), session: stream << 40, callers }
    }

    /// All of them.
    pub(super) const fn subscribers(&self) -> u64 {
        self.subscribers
    }

    fn stream(&self) -> u64 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// A sender, one of its eight friends, an amount.
    fn draw(&self, random: &mut Random, senders: u64) -> (u64, u64, u64) {
        let sender = random.below(senders);
        let friend = (sender + 1 + random.below(FRIENDS) * 7_919) % self.subscribers;
        (sender, friend, 1 + random.below(AMOUNT_MAX))
    }
}

/// Typed gifts.
pub(super) struct Gifts {
    source: Arc<Source>,
    random: Random,
}

impl Gifts {
    /// The next one, with an id made at `at`.
    pub(super) fn command(&mut self, at: Timestamp) -> Command {
        let (sender, friend, amount) = self.source.draw(&mut self.random, self.source.subscribers);
        let tag = usize::try_from(sender).ok().and_then(|row| self.source.tags.get(row));
        let gift = msisdn(sender).ok().zip(tag).map(|(from, tag)| Gift {
            caller: caller(from),
            recipient: Dialled::from(msisdn(friend).ok()),
            amount: Dialled::from(i64::try_from(amount).ok().and_then(Amount::try_new)),
            proof: Proof::Tags { current: *tag, older: None },
            swapped: false,
            occasion: None,
        });
        // A row that isn't there can't be drawn; were it, the gift is refused and counted.
        let body = gift.map_or(Body::ExpireCard(domain::ids::CardId(u32::MAX)), Body::Gift);
        command(at, &mut self.random, body)
    }

    /// Many of them.
    pub(super) fn bulk(&mut self, at: Timestamp) -> Vec<Command> {
        (0..BULK).map(|_| self.command(at)).collect()
    }
}

/// Gifts as they are dialled.
pub(super) struct Dials {
    source: Arc<Source>,
    random: Random,
    session: u64,
    callers: u64,
}

impl Dials {
    /// Who dials, and what: `AMOUNT*RECIPIENT*PASSWORD`.
    fn next(&mut self) -> (u64, String) {
        let (sender, friend, amount) = self.source.draw(&mut self.random, self.callers);
        let recipient = (FIRST_NUMBER + friend) % 10_000_000_000;
        (sender, format!("{amount}*{recipient}*{}", password_digits(sender)))
    }

    /// The next string, and whose phone it is.
    pub(super) fn dialled(&mut self) -> anyhow::Result<(Imsi, String)> {
        let (sender, gift) = self.next();
        Ok((imsi(sender)?, format!("*{SERVICE_CODE}*{gift}#")))
    }

    /// The next request of an aggregator, whole.
    pub(super) fn request(&mut self) -> Vec<u8> {
        let (sender, gift) = self.next();
        self.session += 1;
        let body = format!(
            "sessionId=bench-{}&serviceCode=%2A{SERVICE_CODE}%23&phoneNumber=%2B{}&networkCode=1&text={}",
            self.session,
            FIRST_NUMBER + sender,
            gift.replace('*', "%2A"),
        );
        let mut request = Vec::with_capacity(512);
        // Writing to a Vec can't fail.
        let _written = write!(
            request,
            "POST /ussd/africastalking HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: \
             application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            self.source.key,
            body.len(),
        );
        request
    }
}

impl World {
    /// How the engine does.
    pub(super) fn status(&self) -> engine::answer::StatusView {
        self.server.handle().status()
    }

    /// Size of the latest closed segment's file over the entries in it; while there is none, of the appends so far.
    pub(super) async fn journal_octets_per_entry(&self) -> anyhow::Result<u64> {
        let files = std::fs::read_dir(&self.dir)?.filter_map(Result::ok).map(|file| file.path());
        let sealed = files.filter(|path| path.extension().is_some_and(|ext| ext == "blake3"));
        let latest = sealed.filter_map(|path| Some(path.with_extension("sqlite")).filter(|path| path.exists())).max();
        if let Some(path) = latest {
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let db = rusqlite::Connection::open_with_flags(&path, flags)?;
            let entries: i64 =
                db.query_row("SELECT last_seq - first_seq + 1 FROM closed, meta", [], |row| row.get(0))?;
            return Ok(std::fs::metadata(&path)?.len() / entries.unsigned_abs().max(1));
        }
        let reader = self.server.handle().reader();
        let head = self.server.handle().feed().head();
        let link = reader.find(head)?.context("an empty journal")?;
        Ok(link.bytes.len() as u64 / u64::from(link.count.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::is_sent;

    #[test]
    fn what_was_sent_before_is_not_sent_now() {
        assert!(is_sent("보냈습니다. 191 234 5678, 500원.") && is_sent("보냄 191 234 5678 500원, 잔고 4,500원"));
        assert!(!is_sent("이미 10시에 보냈습니다(접수번호 12). 두번 보내지 않았습니다.") && !is_sent(""));
    }
}
