//! The timer follower, one step at a time: the engine's own [`Agenda`], fed with durable entries, and the commands that it submits.
//!
//! As in the engine, what was submitted is answered before the next entry is noted. It lives in a process and dies with it.

use domain::id::CommandId;
use domain::receipt::Seq;
use domain::state::State;
use domain::time::Timestamp;
use engine::answer::Answer;
use engine::journal::{JournalReader, ReadFault, decode};
use engine::timers::{Agenda, Shot, cards_due};

/// Commands that it submits at one go.
const AT_ONCE: usize = 6;

/// What became of a command.
#[derive(Debug)]
struct UnderWay {
    shot: Shot,
    id: CommandId,
    answer: Option<Answer>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Timer {
    agenda: Agenda,
    /// The latest entry that it has noted.
    cursor: Seq,
    under_way: Vec<UnderWay>,
}

impl Timer {
    /// Goes on from a loaded state.
    pub(crate) fn start(state: &State) -> Self {
        Self { agenda: Agenda::new(state), cursor: state.seq(), under_way: Vec::new() }
    }

    /// An answer to one of its commands.
    pub(crate) fn answer(&mut self, id: CommandId, answer: &Answer) {
        for one in self.under_way.iter_mut().filter(|one| one.id == id) {
            one.answer = Some(answer.clone());
        }
    }

    /// Whether it waits for answers.
    pub(crate) fn waits(&self) -> bool {
        self.under_way.iter().any(|one| one.answer.is_none())
    }

    /// What it submits now: nothing while it waits. `state` is as durable as the journal.
    pub(crate) fn fire(
        &mut self,
        reader: &dyn JournalReader,
        state: &State,
        now: Timestamp,
    ) -> Result<Vec<domain::command::Command>, ReadFault> {
        if self.waits() {
            return Ok(Vec::new());
        }
        for one in self.under_way.drain(..) {
            if let Some(answer) = &one.answer {
                self.agenda.answered(&one.shot, answer, now);
            }
        }
        for link in reader.read(self.cursor.next(), usize::MAX)? {
            for entry in decode(&link)?.entries {
                entry.verdict.effects.changes.iter().for_each(|change| self.agenda.note(change));
            }
            self.cursor = link.last_seq();
        }
        let taken = self.agenda.take(now, AT_ONCE);
        let mut shots = taken.records;
        for cards in &taken.cards {
            let found = cards_due(state, cards.first, cards.last, now);
            shots.extend(self.agenda.looked(cards, Some(&found), now));
        }
        let commands: Vec<_> = shots.iter().map(|shot| shot.command(now)).collect();
        self.under_way = shots
            .into_iter()
            .zip(&commands)
            .map(|(shot, command)| UnderWay { shot, id: command.id, answer: None })
            .collect();
        Ok(commands)
    }
}
