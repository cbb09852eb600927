//! A line of a history, as clients write it and as it is read: docs/history.md.
//!
//! Guarantees: a line that is not of the format is refused with what is wrong with it, and without a value of it, for it may
//! be a password in the wrong place. Bounded by [`LINE_LEN_MAX`].

use std::io::{BufRead, Read};

use domain::id::{CommandId, UssdPrompt};
use domain::ids::LinkId;
use serde::{Deserialize, Serialize};

use super::{HistoryFault, io};

/// Octets of a line at most.
pub const LINE_LEN_MAX: usize = 64 << 10;

/// One call of one client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which client: for people.
    pub who: String,
    /// Which door: for people.
    #[serde(default)]
    pub door: String,
    /// The command's id, a UUID; or `dial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the id of a dial is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial: Option<Dial>,
    /// What was asked for; or `read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Asked>,
    /// What was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// When it was called: nanoseconds of a monotonic clock that all lines share.
    pub called_ns: u64,
    /// When the answer came, by the same clock; none: it never came.
    pub returned_ns: Option<u64>,
    /// Name of the answer; none: not known.
    #[serde(default)]
    pub answer: Option<String>,
    /// The entry that the answer names.
    #[serde(default)]
    pub seq: Option<u64>,
}

/// What makes a dial that dial: [`UssdPrompt`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// The link's number.
    pub link: u16,
    /// The caller's MSISDN, or the IMSI where the link sends one.
    pub caller: String,
    /// The session's name where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The session's name as hexadecimal octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_hex: Option<String>,
    /// Prompts of this session that were shown before.
    #[serde(default)]
    pub prompt: u32,
    /// How often the edge was told that the session's name is in use.
    #[serde(default)]
    pub reuse: u32,
}

/// What was asked for: no password, and no card number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Public name of the command.
    pub name: String,
    /// Who dialled, or whom staff changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<String>,
    /// Of a gift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Of a gift or a top-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<u64>,
    /// Of the card that staff changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
}

/// A line that was understood.
pub(super) enum Parsed {
    Command(Command),
    Read(Look),
    /// Something was looked up, and no answer came.
    Unread,
}

/// Something that was asked for.
pub(super) struct Command {
    pub(super) id: CommandId,
    pub(super) name: String,
    pub(super) msisdn: u64,
    pub(super) recipient: u64,
    pub(super) amount_minor: u64,
    pub(super) serial: u64,
    pub(super) called_ns: u64,
    pub(super) returned_ns: Option<u64>,
    pub(super) answer: Answer,
    pub(super) seq: Option<u64>,
}

/// Something that was looked up and answered.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) called_ns: u64,
    pub(super) returned_ns: u64,
    pub(super) seq: u64,
}

/// What a client heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing, or that it is not known.
    Unknown,
    /// A verdict, and which one as far as the client can tell.
    Verdict(Option<Which>),
    /// That nothing was done by this call.
    Nothing,
    /// That the id was used for something else, and nothing was done by this call.
    IdReused,
}

/// Yes or no, with the name if the client knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Done(Option<String>),
    Refused(Option<String>),
}

/// Answers that are no verdicts and promise that nothing was done. `edge`: an edge or the door said so by itself.
const NOTHING: [&str; 6] = ["busy", "closed", "not-done", "id-too-old", "id-ahead", "edge"];

/// Gives every line that is not empty to `take`, with its number from 1.
pub(super) fn each(
    mut input: impl BufRead,
    mut take: impl FnMut(u64, &[u8]) -> Result<(), HistoryFault>,
) -> Result<(), HistoryFault> {
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let read = input.by_ref().take(LINE_LEN_MAX as u64 + 1).read_until(b'\n', &mut text);
        if read.map_err(io("reading the history"))? == 0 {
            break;
        }
        if text.len() > LINE_LEN_MAX {
            return Err(HistoryFault::Line { line: number, what: format!("it has more than {LINE_LEN_MAX} octets") });
        }
        let text = text.trim_ascii();
        if !text.is_empty() {
            take(number, text)?;
        }
    }
    Ok(())
}

/// Understands one line, or says what is wrong with it.
pub(super) fn parse(text: &[u8]) -> Result<Parsed, String> {
    let line: Line = serde_json::from_slice(text).map_err(|error| complaint(&error))?;
    if line.returned_ns.is_some_and(|returned| returned < line.called_ns) {
        return Err(String::from("it returned before it was called: one monotonic clock for all lines"));
    }
    if line.returned_ns.is_none() && (line.answer.is_some() || line.seq.is_some()) {
        return Err(String::from("an answer without `returned_ns`"));
    }
    match (&line.call, &line.read) {
        (Some(asked), None) => command(&line, asked).map(Parsed::Command),
        (None, Some(_)) => read(&line),
        (Some(_), Some(_)) | (None, None) => Err(String::from("either `call` or `read`")),
    }
}

fn read(line: &Line) -> Result<Parsed, String> {
    let Line { called_ns, returned_ns, seq, .. } = *line;
    match (returned_ns, seq) {
        (Some(returned_ns), Some(seq)) => Ok(Parsed::Read(Look { called_ns, returned_ns, seq })),
        (None, None) => Ok(Parsed::Unread),
        _ => Err(String::from("what was read and answered names the `seq` that it saw")),
    }
}

fn command(line: &Line, asked: &Asked) -> Result<Command, String> {
    let id = match (&line.id, &line.dial) {
        (Some(id), None) => uuid(id)?,
        (None, Some(dial)) => prompt(dial)?,
        (Some(_), Some(_)) | (None, None) => return Err(String::from("either `id` or `dial`")),
    };
    let answer = line.answer.as_deref().map_or(Ok(Answer::Unknown), answer)?;
    if line.seq.is_some() && !matches!(answer, Answer::Verdict(_)) {
        return Err(String::from("`seq` belongs to a verdict"));
    }
    if line.seq == Some(0) || asked.amount_minor == Some(0) || asked.serial == Some(0) {
        return Err(String::from("`seq`, `amount_minor` and `serial` begin with 1"));
    }
    Ok(Command {
        id,
        name: asked.name.clone(),
        msisdn: asked.msisdn.as_deref().map_or(Ok(0), digits)?,
        recipient: asked.recipient.as_deref().map_or(Ok(0), digits)?,
        amount_minor: asked.amount_minor.unwrap_or(0),
        serial: asked.serial.unwrap_or(0),
        called_ns: line.called_ns,
        returned_ns: line.returned_ns,
        answer,
        seq: line.seq,
    })
}

fn answer(text: &str) -> Result<Answer, String> {
    let (word, name) = match text.split_once(':') {
        Some((word, name)) => (word, Some(String::from(name))),
        None => (text, None),
    };
    match (word, name) {
        ("done", name) => Ok(Answer::Verdict(Some(Which::Done(name)))),
        ("refused", name) => Ok(Answer::Verdict(Some(Which::Refused(name)))),
        ("verdict", None) => Ok(Answer::Verdict(None)),
        ("unknown", None) => Ok(Answer::Unknown),
        ("id-reused", None) => Ok(Answer::IdReused),
        (word, None) if NOTHING.contains(&word) => Ok(Answer::Nothing),
        _ => Err(format!(
            "`answer` is done, done:NAME, refused, refused:NAME, verdict, unknown, id-reused, {}, or null",
            NOTHING.join(", ")
        )),
    }
}

fn uuid(text: &str) -> Result<CommandId, String> {
    let uuid = uuid::Uuid::try_parse(text).map_err(|_| String::from("`id` is a UUID"))?;
    Ok(CommandId::from_stored(uuid.as_u128()))
}

fn prompt(dial: &Dial) -> Result<CommandId, String> {
    let session = match (&dial.session, &dial.session_hex) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(hex)) => octets(hex)?,
        (Some(_), Some(_)) | (None, None) => return Err(String::from("either `session` or `session_hex`")),
    };
    let Dial { link, prompt, reuse, .. } = *dial;
    let caller = digits(&dial.caller)?;
    Ok(CommandId::ussd(&UssdPrompt { link: LinkId(link), caller, session: &session, reuse, prompt }))
}

fn digits(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| String::from("`msisdn`, `recipient` and `caller` are digits with country code"))
}

fn octets(hex: &str) -> Result<Vec<u8>, String> {
    let wrong = || String::from("`session_hex` is pairs of hexadecimal digits");
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let pair = |pair: &[u8]| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    hex.as_bytes().chunks(2).map(|two| pair(two).ok_or_else(wrong)).collect()
}

/// What is wrong, and where: never what stands there.
fn complaint(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a field is missing, unknown or of another kind (docs/history.md)",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Eof => "it breaks off",
        serde_json::error::Category::Io => "it can't be read",
    };
    format!("{what}, at column {}", error.column())
}
