//! The order of the journal against the order of calls and returns.
//!
//! One pass over spans in the order in which they were called. What returned before is taken from a heap of open spans, and
//! the highest entry of it is all that has to be remembered: an entry that is not after it, or a look that did not see it,
//! contradicts.
//!
//! Bounded by: spans that are open at the same time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::findings::{Findings, Rule};
use super::records::{SPAN_WORDS, Span, What};
use super::sorted::Sorted;
use super::{HistoryFault, Progress};

/// The highest entry that was known to be there, and the line that says so.
#[derive(Clone, Copy, Default)]
struct Known {
    seq: u64,
    line: u64,
}

/// Compares.
pub(super) fn order(
    mut spans: Sorted<SPAN_WORDS>,
    findings: &mut Findings,
    progress: Progress<'_>,
) -> Result<(), HistoryFault> {
    let mut open: BinaryHeap<Reverse<(u64, u64, u64)>> = BinaryHeap::new();
    let mut known = Known::default();
    let mut done = 0;
    while let Some(row) = spans.take()? {
        let span = Span::from(row);
        while let Some(Reverse((returned_ns, seq, line))) = open.peek().copied() {
            if returned_ns >= span.called_ns {
                break;
            }
            open.pop();
            if seq > known.seq {
                known = Known { seq, line };
            }
        }
        judge(&span, known, findings);
        if span.returned_ns != u64::MAX {
            open.push(Reverse((span.returned_ns, span.seq, span.returned_line)));
        }
        done += 1;
        progress("comparing orders", None, done);
    }
    Ok(())
}

fn judge(span: &Span, known: Known, findings: &mut Findings) {
    let Span { what, called_line: line, seq, returned_ns, .. } = *span;
    let entries = [known.seq, seq];
    let before = format!("line {} knew of entry {} before line {line} was called", known.line, known.seq);
    match what {
        What::Entry if seq <= known.seq => {
            let rule = if returned_ns == u64::MAX { Rule::UnknownAfterItsCall } else { Rule::RealTimeOrder };
            findings.add(rule, &[known.line, line], &entries, |_| format!("{before}, and that one is entry {seq}"));
        }
        What::Look if seq < known.seq => {
            findings.add(Rule::FreshLook, &[known.line, line], &entries, |_| {
                format!("{before}, and that one looked and saw no more than entry {seq}")
            });
        }
        What::Entry | What::Look => {}
    }
}
