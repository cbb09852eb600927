//! Lines and entries of one id side by side: everything but the order.

use domain::id::{CommandId, IdKind};
use engine::ids::USSD_HORIZON_MS;

use super::findings::{Findings, Rule};
use super::records::{CALL_WORDS, Call, ENTRY_WORDS, Entry, Heard, SPAN_WORDS, Said, Span, What};
use super::sorted::{Sorted, Sorter};
use super::{HistoryFault, Progress};

/// Compares, and gives what each entry spans to `spans`.
pub(super) fn join(
    mut calls: Sorted<CALL_WORDS>,
    mut entries: Sorted<ENTRY_WORDS>,
    complete: bool,
    findings: &mut Findings,
    spans: &mut Sorter<SPAN_WORDS>,
    progress: Progress<'_>,
) -> Result<(), HistoryFault> {
    let total = findings.counts.lines.saturating_sub(findings.counts.reads);
    let mut done = 0;
    while let Some(id) = next_id(&calls, &entries) {
        let mut asking = Asking::default();
        while entries.peek().is_some_and(|row| id_of(row) == id) {
            asking.made.extend(entries.take()?.map(|row| Made::from(Entry::from(row))));
        }
        asking.once(id, findings);
        while calls.peek().is_some_and(|row| id_of(row) == id) {
            let Some(row) = calls.take()? else { break };
            asking.call(&row.into(), findings);
            done += 1;
        }
        progress("comparing lines and entries", Some(total), done);
        asking.close(id, complete, findings, spans)?;
    }
    Ok(())
}

/// The two words that calls and entries begin with.
fn id_of<const N: usize>(row: &[u64; N]) -> [u64; 2] {
    let mut words = row.iter().copied();
    [words.next().unwrap_or(0), words.next().unwrap_or(0)]
}

fn next_id(calls: &Sorted<CALL_WORDS>, entries: &Sorted<ENTRY_WORDS>) -> Option<[u64; 2]> {
    let ids = [calls.peek().map(id_of), entries.peek().map(id_of)];
    ids.into_iter().flatten().min()
}

/// Everything under one id.
#[derive(Default)]
struct Asking {
    /// Entries, in the order of the journal: hardly ever more than one.
    made: Vec<Made>,
    lines: u64,
    /// A line and what it was.
    last_line: Option<u64>,
    /// The first verdict that was heard: line, entry that it named, verdict.
    first: Option<(u64, u64, Said)>,
}

/// An entry, and which lines are about it.
struct Made {
    entry: Entry,
    /// The first call that may have made it.
    called: Option<(u64, u64)>,
    /// The first answer that told of it.
    answered: Option<(u64, u64)>,
    /// A call that may have made it has no answer.
    unknown: bool,
}

impl From<Entry> for Made {
    fn from(entry: Entry) -> Self {
        Self { entry, called: None, answered: None, unknown: false }
    }
}

impl Asking {
    /// An id is in the journal once; a session's comes back as a new session when it was forgotten.
    fn once(&self, id: [u64; 2], findings: &mut Findings) {
        let is_ussd = kind(id) == IdKind::Ussd;
        for pair in self.made.windows(2) {
            let [one, other] = pair else { continue };
            let apart_ms = other.entry.at.ms().saturating_sub(one.entry.at.ms());
            if !(is_ussd && apart_ms >= USSD_HORIZON_MS) {
                let seqs = [one.entry.seq, other.entry.seq];
                findings.add(Rule::IdOnce, &[], &seqs, |_| {
                    format!("entries {} and {} have one id: it was decided twice", seqs[0], seqs[1])
                });
            }
        }
    }

    fn call(&mut self, call: &Call, findings: &mut Findings) {
        self.lines += 1;
        self.last_line = Some(call.line);
        match call.heard {
            Heard::Verdict(said) => self.verdict(call, said, findings),
            Heard::Unknown => {
                for made in self.made.iter_mut().filter(|made| made.holds(call)) {
                    made.was_called(call);
                    made.unknown = true;
                }
            }
            Heard::Nothing => {}
            Heard::IdReused if self.made.is_empty() => {
                findings.add(Rule::ReusedIsThere, &[call.line], &[], |names| {
                    let name = names.text(call.name);
                    format!("line {} ({name}) heard that its id is in use, and no entry has it", call.line)
                });
            }
            Heard::IdReused => {}
        }
    }

    fn verdict(&mut self, call: &Call, said: Said, findings: &mut Findings) {
        let first = *self.first.get_or_insert((call.line, call.seq, said));
        let other_seq = first.1 != 0 && call.seq != 0 && first.1 != call.seq;
        // A session whose name came back after it was forgotten is asked anew.
        if (other_seq || !first.2.fits(said)) && self.made.len() < 2 {
            findings.add(Rule::RepeatIsTheSame, &[first.0, call.line], &seqs(&self.made), |names| {
                let (one, other) = (first.2.text(names), said.text(names));
                let (at, again) = (at(first.1), at(call.seq));
                format!(
                    "lines {} and {} asked under one id and heard different answers: {one}{at}, {other}{again}",
                    first.0, call.line
                )
            });
            return;
        }
        let Some(made) = self.of(call, said) else {
            let entries = seqs(&self.made);
            let (rule, heard) = (if entries.is_empty() { Rule::AnsweredIsThere } else { Rule::EntryOfItsId }, said);
            findings.add(rule, &[call.line], &entries, |names| {
                let (name, heard, at) = (names.text(call.name), heard.text(names), at(call.seq));
                match entries.as_slice() {
                    [] => format!("line {} ({name}) heard {heard}{at}, and no entry has its id", call.line),
                    [seq, ..] => format!("line {} ({name}) heard {heard}{at}, and its id is at {seq}", call.line),
                }
            });
            return;
        };
        made.answered(call, said, findings);
    }

    /// The entry that a verdict is about.
    fn of(&mut self, call: &Call, said: Said) -> Option<&mut Made> {
        if call.seq != 0 {
            return self.made.iter_mut().find(|made| made.entry.seq == call.seq);
        }
        // Of several, which come of a session's name that came back, the one that it can be.
        let can_be = |made: &Made| made.holds(call) && made.entry.said.fits(said);
        let at = self.made.iter().position(can_be).unwrap_or(0);
        self.made.get_mut(at)
    }

    /// What can be said when all lines of the id are known.
    fn close(
        self,
        id: [u64; 2],
        complete: bool,
        findings: &mut Findings,
        spans: &mut Sorter<SPAN_WORDS>,
    ) -> Result<(), HistoryFault> {
        findings.counts.ids += u64::from(self.lines > 0);
        let several = self.made.len() > 1;
        for Made { entry, called, answered, unknown } in &self.made {
            let seq = entry.seq;
            findings.counts.learnt_later += u64::from(*unknown && answered.is_some());
            findings.counts.uncalled += u64::from(self.lines == 0);
            findings.counts.unheard += u64::from(self.lines > 0 && answered.is_none());
            match (called, self.last_line) {
                (Some((called_ns, called_line)), _) => {
                    // Which of several a call without an answer made is not known, so it says nothing about their order.
                    let known = !several || answered.is_some();
                    let (returned_ns, returned_line) = answered.unwrap_or((u64::MAX, *called_line));
                    let (called_ns, called_line) = (if known { *called_ns } else { 0 }, *called_line);
                    let span = Span { what: What::Entry, called_ns, called_line, returned_ns, returned_line, seq };
                    spans.push(span.into())?;
                }
                // A verdict that does not fit was told as such.
                (None, Some(line)) if !several && self.first.is_none() => findings.add(Rule::NothingIsNothing, &[line], &[seq], |names| {
                    let name = names.text(entry.name);
                    format!(
                        "entry {seq} ({name}) has the id of line {line}, and every call of this content under it heard that nothing was done"
                    )
                }),
                (None, None) if complete && kind(id) != IdKind::Internal => {
                    findings.add(Rule::CalledBySomebody, &[], &[seq], |names| {
                        let name = names.text(entry.name);
                        format!("entry {seq} ({name}) has a client's id, and no line has it")
                    });
                }
                (None, _) => {}
            }
        }
        Ok(())
    }
}

impl Made {
    /// Whether this is what was called.
    fn holds(&self, call: &Call) -> bool {
        self.entry.name == call.name && call.facts.fits(&self.entry.facts)
    }

    fn was_called(&mut self, call: &Call) {
        let called = (call.called_ns, call.line);
        self.called = Some(self.called.map_or(called, |before| before.min(called)));
    }

    fn answered(&mut self, call: &Call, said: Said, findings: &mut Findings) {
        let seq = self.entry.seq;
        if !self.holds(call) {
            findings.add(Rule::CallOfItsEntry, &[call.line], &[seq], |names| {
                let (called, there) = (names.text(call.name), names.text(self.entry.name));
                let facts = if called == there { ", with another number, amount or serial" } else { "" };
                format!("line {} called {called}, and its entry {seq} is {there}{facts}", call.line)
            });
            return;
        }
        if !self.entry.said.fits(said) {
            findings.add(Rule::VerdictOfItsEntry, &[call.line], &[seq], |names| {
                let (heard, there) = (said.text(names), self.entry.said.text(names));
                format!("line {} heard {heard}, and its entry {seq} says {there}", call.line)
            });
            return;
        }
        self.was_called(call);
        let answered = (call.returned_ns, call.line);
        self.answered = Some(self.answered.map_or(answered, |before| before.min(answered)));
    }
}

fn kind([high, low]: [u64; 2]) -> IdKind {
    CommandId::from_stored(u128::from(high) << 64 | u128::from(low)).kind()
}

fn seqs(made: &[Made]) -> Vec<u64> {
    made.iter().map(|made| made.entry.seq).collect()
}

fn at(seq: u64) -> String {
    if seq == 0 { String::new() } else { format!(" at {seq}") }
}
