//! Lines and entries as rows of words, which can be sorted: calls and entries by id, spans by when they were called.
//!
//! Bounded by [`NAMES_MAX`]: names of commands and verdicts are numbers here.

use std::collections::HashMap;

use domain::id::CommandId;
use domain::receipt::Seq;
use domain::time::Timestamp;
use domain::verdict::{self, Outcome};

use super::HistoryFault;
use super::asked::Facts;
use super::line::{Answer, Command, Look, Which};

/// Different names of commands and verdicts at most: Sonmul itself has about two hundred.
pub const NAMES_MAX: usize = 10_000;

/// Names as numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    /// A name's number, from 1.
    fn number(&mut self, text: &str) -> Result<u32, HistoryFault> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        if self.texts.len() == NAMES_MAX {
            return Err(HistoryFault::TooManyNames);
        }
        self.texts.push(String::from(text));
        let number = u32::try_from(self.texts.len()).map_err(|_| HistoryFault::TooManyNames)?;
        self.numbers.insert(String::from(text), number);
        Ok(number)
    }

    /// A number's name.
    pub(super) fn text(&self, number: u32) -> &str {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        at.and_then(|at| self.texts.get(at)).map_or("", String::as_str)
    }
}

/// What a client heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Unknown,
    Nothing,
    IdReused,
    Verdict(Said),
}

/// A verdict as far as a client can tell. A name of 0: it can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Any,
    Done(u32),
    Refused(u32),
}

impl Said {
    /// Whether both can be the same verdict.
    pub(super) const fn fits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Done(one), Self::Done(other)) | (Self::Refused(one), Self::Refused(other)) => {
                one == 0 || other == 0 || one == other
            }
            (Self::Done(_), Self::Refused(_)) | (Self::Refused(_), Self::Done(_)) => false,
        }
    }

    pub(super) fn text(self, names: &Names) -> String {
        let (word, name) = match self {
            Self::Any => return String::from("a verdict"),
            Self::Done(name) => ("done", name),
            Self::Refused(name) => ("refused", name),
        };
        if name == 0 { String::from(word) } else { format!("{word}:{}", names.text(name)) }
    }

    const fn words(self) -> (u64, u32) {
        match self {
            Self::Any => (3, 0),
            Self::Done(name) => (4, name),
            Self::Refused(name) => (5, name),
        }
    }
}

impl Heard {
    const fn word(self) -> u64 {
        let (kind, name) = match self {
            Self::Unknown => (0, 0),
            Self::Nothing => (1, 0),
            Self::IdReused => (2, 0),
            Self::Verdict(said) => said.words(),
        };
        kind << 32 | name as u64
    }

    const fn of_word(word: u64) -> Self {
        let name = low(word);
        match word >> 32 {
            0 => Self::Unknown,
            1 => Self::Nothing,
            2 => Self::IdReused,
            3 => Self::Verdict(Said::Any),
            4 => Self::Verdict(Said::Done(name)),
            _ => Self::Verdict(Said::Refused(name)),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half of a word")]
const fn low(word: u64) -> u32 {
    word as u32
}

/// The two words of an id.
#[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
const fn split(id: CommandId) -> (u64, u64) {
    ((id.bits() >> 64) as u64, id.bits() as u64)
}

const fn join(high: u64, low: u64) -> CommandId {
    CommandId::from_stored((high as u128) << 64 | low as u128)
}

/// A line about a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) id: CommandId,
    pub(super) line: u64,
    /// Of the command.
    pub(super) name: u32,
    pub(super) facts: Facts,
    pub(super) called_ns: u64,
    /// [`u64::MAX`]: never.
    pub(super) returned_ns: u64,
    pub(super) heard: Heard,
    /// 0: the answer names none.
    pub(super) seq: u64,
}

/// Words of a call's row.
pub(super) const CALL_WORDS: usize = 12;

impl Call {
    pub(super) fn new(line: u64, command: &Command, names: &mut Names) -> Result<Self, HistoryFault> {
        let mut named = |name: &Option<String>| name.as_deref().map_or(Ok(0), |name| names.number(name));
        let heard = match &command.answer {
            Answer::Unknown => Heard::Unknown,
            Answer::Nothing => Heard::Nothing,
            Answer::IdReused => Heard::IdReused,
            Answer::Verdict(None) => Heard::Verdict(Said::Any),
            Answer::Verdict(Some(Which::Done(name))) => Heard::Verdict(Said::Done(named(name)?)),
            Answer::Verdict(Some(Which::Refused(name))) => Heard::Verdict(Said::Refused(named(name)?)),
        };
        let Command { id, msisdn, recipient, amount_minor, serial, called_ns, .. } = *command;
        Ok(Self {
            id,
            line,
            name: names.number(&command.name)?,
            facts: Facts { msisdn, recipient, amount_minor, serial },
            called_ns,
            returned_ns: command.returned_ns.unwrap_or(u64::MAX),
            heard,
            seq: command.seq.unwrap_or(0),
        })
    }
}

impl From<Call> for [u64; CALL_WORDS] {
    fn from(call: Call) -> Self {
        let Call { id, line, name, facts, called_ns, returned_ns, heard, seq } = call;
        let (high, low) = split(id);
        let Facts { msisdn, recipient, amount_minor, serial } = facts;
        let (name, heard) = (u64::from(name), heard.word());
        [high, low, called_ns, line, returned_ns, heard, seq, name, msisdn, recipient, amount_minor, serial]
    }
}

impl From<[u64; CALL_WORDS]> for Call {
    fn from(row: [u64; CALL_WORDS]) -> Self {
        let [high, low_, called_ns, line, returned_ns, heard, seq, name, msisdn, recipient, amount_minor, serial] = row;
        Self {
            id: join(high, low_),
            line,
            name: low(name),
            facts: Facts { msisdn, recipient, amount_minor, serial },
            called_ns,
            returned_ns,
            heard: Heard::of_word(heard),
            seq,
        }
    }
}

/// An entry of the journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) id: CommandId,
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    /// Of the command.
    pub(super) name: u32,
    pub(super) facts: Facts,
    pub(super) said: Said,
}

/// Words of an entry's row.
pub(super) const ENTRY_WORDS: usize = 10;

impl Entry {
    pub(super) fn new(
        seq: Seq,
        at: Timestamp,
        entry: &verdict::Entry,
        names: &mut Names,
    ) -> Result<Self, HistoryFault> {
        let said = match &entry.verdict.outcome {
            Outcome::Done(done) => Said::Done(names.number(done.name())?),
            Outcome::Refused(refusal) => Said::Refused(names.number(refusal.name())?),
        };
        let name = names.number(entry.body.name())?;
        Ok(Self { id: entry.id, seq: seq.0, at, name, facts: Facts::of(&entry.body), said })
    }
}

impl From<Entry> for [u64; ENTRY_WORDS] {
    fn from(entry: Entry) -> Self {
        let Entry { id, seq, at, name, facts, said } = entry;
        let (high, low) = split(id);
        let Facts { msisdn, recipient, amount_minor, serial } = facts;
        let (at, said) = (at.ms().cast_unsigned(), Heard::Verdict(said).word());
        [high, low, seq, at, said, u64::from(name), msisdn, recipient, amount_minor, serial]
    }
}

impl From<[u64; ENTRY_WORDS]> for Entry {
    fn from(row: [u64; ENTRY_WORDS]) -> Self {
        let [high, low_, seq, at, said, name, msisdn, recipient, amount_minor, serial] = row;
        let said = match Heard::of_word(said) {
            Heard::Verdict(said) => said,
            Heard::Unknown | Heard::Nothing | Heard::IdReused => Said::Any,
        };
        Self {
            id: join(high, low_),
            seq,
            at: Timestamp::from_ms(at.cast_signed()),
            name: low(name),
            facts: Facts { msisdn, recipient, amount_minor, serial },
            said,
        }
    }
}

/// What is put in order: an entry from its first call to its first answer, or a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) what: What,
    /// Of the first call that may have made the entry.
    pub(super) called_ns: u64,
    pub(super) called_line: u64,
    /// Of the first answer; [`u64::MAX`]: none came.
    pub(super) returned_ns: u64,
    pub(super) returned_line: u64,
    /// The entry, or the one that was seen.
    pub(super) seq: u64,
}

/// What a span is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Entry,
    Look,
}

/// Words of a span's row.
pub(super) const SPAN_WORDS: usize = 6;

impl Span {
    pub(super) const fn read(line: u64, read: Look) -> Self {
        let Look { called_ns, returned_ns, seq } = read;
        Self { what: What::Look, called_ns, called_line: line, returned_ns, returned_line: line, seq }
    }
}

impl From<Span> for [u64; SPAN_WORDS] {
    fn from(span: Span) -> Self {
        let Span { what, called_ns, called_line, returned_ns, returned_line, seq } = span;
        let what = match what {
            What::Entry => 0,
            What::Look => 1,
        };
        [called_ns, seq, what, called_line, returned_ns, returned_line]
    }
}

impl From<[u64; SPAN_WORDS]> for Span {
    fn from(row: [u64; SPAN_WORDS]) -> Self {
        let [called_ns, seq, what, called_line, returned_ns, returned_line] = row;
        let what = if what == 0 { What::Entry } else { What::Look };
        Self { what, called_ns, called_line, returned_ns, returned_line, seq }
    }
}
