//! A run as lines of text: what happened, in order, with virtual time. Numbers are shortened; passwords are not there to tell.

use core::fmt::{self, Write as _};

use domain::command::Body;
use domain::number::Msisdn;
use domain::time::Timestamp;
use domain::verdict::{Done, Outcome};
use engine::answer::Answer;

use crate::network::Party;

/// Lines not yet given away; `None`: nobody listens.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Option<String>,
}

impl Trace {
    /// Begins to listen.
    pub(crate) fn listen(&mut self) {
        self.lines.get_or_insert_default();
    }

    /// Writes a line; costs nothing when nobody listens.
    pub(crate) fn line(&mut self, at_ms: i64, what: fmt::Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            // Writing to a String can't fail.
            let _written = writeln!(lines, "{} {what}", Timestamp::from_ms(at_ms).rfc3339());
        }
    }

    /// Gives the lines away.
    pub(crate) fn take(&mut self) -> String {
        self.lines.as_mut().map(core::mem::take).unwrap_or_default()
    }
}

/// The last three digits.
struct Short(Msisdn);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{:03}", self.0.get() % 1_000)
    }
}

/// What a command asks, shortened.
pub(crate) struct Asks<'a>(pub(crate) &'a Body);

impl fmt::Display for Asks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caller = self.0.caller().map(|caller| Short(caller.msisdn));
        if let Some(caller) = caller {
            write!(f, "{caller} ")?;
        }
        write!(f, "{}", self.0.name())?;
        match self.0 {
            Body::Gift(gift) => {
                match gift.amount.value() {
                    Some(amount) => write!(f, " {}", amount.minor())?,
                    None => f.write_str(" of no amount")?,
                }
                match gift.recipient.value() {
                    Some(to) => write!(f, " to {}", Short(to)),
                    None => f.write_str(" to no number"),
                }
            }
            Body::TopUp(top_up) => write!(f, " {}", top_up.amount.value().map_or(0, domain::money::Amount::minor)),
            Body::ChangeSubscriber(change) => write!(f, " {} {:?}", Short(change.msisdn), change.change),
            Body::ChangeCard(change) => write!(f, " {} {:?}", change.serial.0, change.change),
            Body::LoadRules(load) => write!(f, " {} ({})", load.rules.operator, load.file_hash[1]),
            Body::ImportSubscribers(import) => write!(f, " of {}", import.subscribers.len()),
            Body::IssueCards(issue) => write!(f, " of {}", issue.cards.len()),
            Body::ExpireCard(card) => write!(f, " {}", card.0),
            Body::Due(key) => write!(f, " {} {}", key.kind.name(), key.id),
            Body::Office(office) => write!(f, " by {}", office.staff.0),
            Body::ShowCards(_)
            | Body::ShowGifts(_)
            | Body::ChangePassword(_)
            | Body::Freeze(_)
            | Body::Bind(_)
            | Body::Undo(_)
            | Body::SetLanguage(_) => Ok(()),
        }
    }
}

/// What an answer tells, shortened.
pub(crate) struct Tells<'a>(pub(crate) &'a Answer);

impl fmt::Display for Tells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reply = match self.0 {
            Answer::Verdict(reply) => reply,
            Answer::IdReused => return f.write_str("the id has other content"),
            Answer::IdTooOld { .. } => return f.write_str("the id is too old"),
            Answer::IdAhead => return f.write_str("the id is from the future"),
            Answer::Busy => return f.write_str("busy, nothing was sent"),
            Answer::Closed(why) => return write!(f, "closed: {}", why.name()),
            Answer::NotDone => return f.write_str("not done, and never will be"),
            Answer::Unknown => return f.write_str("not known"),
        };
        let again = if reply.repeated { " (again)" } else { "" };
        match &reply.outcome {
            Outcome::Refused(refusal) => write!(f, "entry {}: {}{again}", reply.seq, refusal.name()),
            Outcome::Done(Done::Given { left_minor, fee_minor, .. }) => {
                write!(f, "entry {}: given for {fee_minor}, {left_minor} left{again}", reply.seq)
            }
            Outcome::Done(Done::Held { left_minor, fee_minor, .. }) => {
                write!(f, "entry {}: on hold for {fee_minor}, {left_minor} left{again}", reply.seq)
            }
            Outcome::Done(Done::Office(done)) => write!(f, "entry {}: {}{again}", reply.seq, done.name()),
            Outcome::Done(_) => write!(f, "entry {}: done{again}", reply.seq),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(number) => write!(f, "phone {number}"),
            Self::Program(number) => write!(f, "program {number}"),
            Self::Timer => f.write_str("timer"),
            Self::Maker => f.write_str("maker"),
        }
    }
}
