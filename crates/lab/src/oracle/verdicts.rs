//! One id, one verdict: what was decided under each id, and for how long it must be remembered.

use std::collections::BTreeMap;

use domain::id::{CommandId, IdKind};
use domain::receipt::Seq;
use domain::verdict::{Entry, Outcome};
use engine::answer::Answer;
use engine::ids::{AHEAD_MAX_MS, Fingerprint, Ids, IdsConfig, PROGRAM_HORIZON_MS, Seen, USSD_HORIZON_MS};

use crate::invariant::{ACKNOWLEDGED_IS_DURABLE, Held, IDS_OUTLIVE_RESTART, ONE_VERDICT_PER_ID, hold};
use crate::machine::Leaving;

#[derive(Debug)]
struct Decided {
    id: CommandId,
    fingerprint: Fingerprint,
    at_ms: i64,
    outcome: Outcome,
}

/// Every entry, and the latest one of each id.
#[derive(Debug)]
pub(super) struct Verdicts {
    entries: Vec<Decided>,
    latest: BTreeMap<CommandId, Seq>,
    /// A program's id is certainly remembered while fewer than this came after it.
    half_max: u64,
}

impl Verdicts {
    pub(super) fn new(ids: IdsConfig) -> Self {
        Self { entries: Vec::new(), latest: BTreeMap::new(), half_max: ids.ids_max as u64 / 2 }
    }

    fn get(&self, seq: Seq) -> Option<&Decided> {
        self.entries.get(usize::try_from(seq.0.checked_sub(1)?).ok()?)
    }

    /// The latest entry of an id.
    fn of(&self, id: CommandId) -> Option<(Seq, &Decided)> {
        let seq = *self.latest.get(&id)?;
        self.get(seq).map(|decided| (seq, decided))
    }

    /// Whether the engine must still know, at an instant and with so many entries, what it decided.
    fn must_know(&self, seq: Seq, decided: &Decided, at_ms: i64, entries: Seq) -> bool {
        let age_ms = at_ms - decided.at_ms;
        match decided.id.kind() {
            // Whatever the rate.
            IdKind::Ussd => age_ms < USSD_HORIZON_MS,
            IdKind::Program { .. } | IdKind::Internal => {
                age_ms < PROGRAM_HORIZON_MS && entries.0 - seq.0 < self.half_max
            }
        }
    }

    /// A durable entry: its id must be new, or so old that the same numbers are another command.
    pub(super) fn entry(
        &mut self,
        seq: Seq,
        at: domain::time::Timestamp,
        entry: &Entry,
        fingerprint: Fingerprint,
    ) -> Held {
        let at_ms = at.ms();
        if let Some((first, decided)) = self.of(entry.id) {
            // A program's id is refused for ever once it is forgotten; a session's numbers come back.
            let program = matches!(entry.id.kind(), IdKind::Program { .. });
            hold(!program && !self.must_know(first, decided, at_ms, seq), ONE_VERDICT_PER_ID, || {
                format!("{} was decided as entry {first} and again as entry {seq}", entry.id)
            })?;
        }
        let outcome = entry.verdict.outcome.clone();
        self.entries.push(Decided { id: entry.id, fingerprint, at_ms, outcome });
        self.latest.insert(entry.id, seq);
        Ok(())
    }

    /// When an entry was decided.
    pub(super) fn at_ms(&self, seq: Seq) -> Option<i64> {
        self.get(seq).map(|decided| decided.at_ms)
    }

    /// An answer leaves.
    pub(super) fn leaves(&self, leaving: &Leaving) -> Held {
        let (id, fingerprint) = (leaving.waiting.command.id, leaving.waiting.fingerprint);
        let at_ms = leaving.at.ms();
        if let Answer::Verdict(reply) = &leaving.answer {
            let told = self.get(reply.seq).filter(|decided| {
                decided.id == id && decided.at_ms == reply.at.ms() && decided.outcome == reply.outcome
            });
            hold(told.is_some(), ACKNOWLEDGED_IS_DURABLE, || {
                format!("{id} is told what entry {} does not say", reply.seq)
            })?;
            let same = told.is_some_and(|decided| decided.fingerprint == fingerprint);
            return hold(same, ONE_VERDICT_PER_ID, || format!("{id} with other content is told entry {}", reply.seq));
        }
        let known = self.of(id).filter(|(seq, _)| *seq <= leaving.after);
        let must = known.filter(|(seq, decided)| self.must_know(*seq, decided, at_ms, leaving.after));
        let same = must.filter(|(_, decided)| decided.fingerprint == fingerprint);
        let holds = match &leaving.answer {
            Answer::Verdict(_) | Answer::Busy | Answer::Closed(_) | Answer::Unknown => true,
            Answer::NotDone | Answer::IdTooOld { .. } => same.is_none(),
            Answer::IdReused => known.is_some_and(|(_, decided)| decided.fingerprint != fingerprint),
            Answer::IdAhead => {
                let ahead = |made_at: i64| made_at > at_ms + AHEAD_MAX_MS;
                same.is_none() && matches!(id.kind(), IdKind::Program { made_at } if ahead(made_at.ms()))
            }
        };
        hold(holds, ONE_VERDICT_PER_ID, || {
            format!("{id} hears {:?} and was decided as {:?}", leaving.answer, known.map(|(seq, _)| seq))
        })
    }

    /// A machine that was just loaded remembers every id that it must.
    pub(super) fn remembered(&self, ids: &Ids, at: domain::time::Timestamp) -> Held {
        let entries = Seq(self.entries.len() as u64);
        for (id, seq) in &self.latest {
            let Some(decided) = self.get(*seq).filter(|decided| self.must_know(*seq, decided, at.ms(), entries)) else {
                continue;
            };
            let seen = ids.check(*id, decided.fingerprint, at);
            hold(seen == Seen::Same(*seq), IDS_OUTLIVE_RESTART, || format!("{id} of entry {seq} is {seen:?}"))?;
        }
        Ok(())
    }
}
