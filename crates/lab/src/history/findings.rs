//! What a check found: the rules, the contradictions, and how much was looked at.

use std::collections::BTreeMap;

use serde::Serialize;

use super::records::{Call, Heard, Names};

/// Contradictions that are told whole; more are counted.
pub const SHOWN_MAX: usize = 100;

/// What must hold. The names are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// An answered verdict is in the journal.
    AnsweredIsThere,
    /// An answer that names an entry names that of its id.
    EntryOfItsId,
    /// The entry holds what was called.
    CallOfItsEntry,
    /// The entry holds the verdict that was answered.
    VerdictOfItsEntry,
    /// What returned before another thing was called stands before it.
    RealTimeOrder,
    /// An id is in the journal once, a session's at most once in ten minutes.
    IdOnce,
    /// Asked again, the answer is the same.
    RepeatIsTheSame,
    /// What was answered with "nothing was done" is not there.
    NothingIsNothing,
    /// An id that was said to be in use is in use.
    ReusedIsThere,
    /// What was never answered is not there before it was called.
    UnknownAfterItsCall,
    /// A look sees what returned before it was called.
    FreshLook,
    /// What is in the journal was called by somebody.
    CalledBySomebody,
}

/// Two things that can't both be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// The rule that does not hold.
    pub rule: Rule,
    /// In words.
    pub what: String,
    /// Lines of the history.
    pub lines: Vec<u64>,
    /// Entries of the journal.
    pub entries: Vec<u64>,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Lines of the history.
    pub lines: u64,
    /// Lines with a verdict.
    pub verdicts: u64,
    /// Lines whose outcome the client did not learn.
    pub unknown: u64,
    /// Lines that were told that nothing was done.
    pub nothing: u64,
    /// Looks that were answered.
    pub reads: u64,
    /// Looks that were not.
    pub unread: u64,
    /// Ids that lines named.
    pub ids: u64,
    /// Ids of which no line has a verdict, with an entry: done, and nobody heard of it.
    pub unheard: u64,
    /// Ids of which one line has no answer and another one has: asked again, and learnt.
    pub learnt_later: u64,
    /// Entries of the journal.
    pub entries: u64,
    /// Entries that no line named.
    pub uncalled: u64,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// No contradiction.
    pub ok: bool,
    /// How much was looked at.
    #[serde(flatten)]
    pub counts: Counts,
    /// Contradictions by rule.
    pub broken: BTreeMap<Rule, u64>,
    /// The first [`SHOWN_MAX`] of them.
    pub contradictions: Vec<Contradiction>,
}

/// What is found on the way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) names: Names,
    pub(super) counts: Counts,
    broken: BTreeMap<Rule, u64>,
    contradictions: Vec<Contradiction>,
}

impl Findings {
    pub(super) const fn count(&mut self, call: &Call) {
        let count = match call.heard {
            Heard::Verdict(_) => &mut self.counts.verdicts,
            Heard::Unknown => &mut self.counts.unknown,
            Heard::Nothing | Heard::IdReused => &mut self.counts.nothing,
        };
        *count += 1;
    }

    pub(super) fn add(&mut self, rule: Rule, lines: &[u64], entries: &[u64], what: impl FnOnce(&Names) -> String) {
        *self.broken.entry(rule).or_default() += 1;
        if self.contradictions.len() < SHOWN_MAX {
            let what = what(&self.names);
            self.contradictions.push(Contradiction { rule, what, lines: lines.to_vec(), entries: entries.to_vec() });
        }
    }

    pub(super) fn report(self) -> Report {
        let Self { counts, broken, contradictions, names: _ } = self;
        Report { ok: broken.is_empty(), counts, broken, contradictions }
    }
}
