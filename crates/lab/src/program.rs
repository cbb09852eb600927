//! Programs and staff: each request has an id of its own, and is sent again with the same id until it is answered, and
//! sometimes long after.

use domain::command::Body;
use domain::id::CommandId;
use engine::answer::Answer;

use crate::dice::Dice;

/// Programs of a world, by their place.
pub(crate) const AGGREGATOR: usize = 0;
pub(crate) const OFFICE: usize = 1;
pub(crate) const SECOND: usize = 2;
pub(crate) const CHARGING: usize = 3;

/// Requests that a program keeps and may send again.
const KEPT: usize = 10;
/// Of those that it should have forgotten, so many are somewhere in a queue of its own.
const STRAY: usize = 40;

/// A program, or staff at a terminal.
#[derive(Debug, Default)]
pub(crate) struct Program {
    requests: Vec<Request>,
    /// Long forgotten, and sent again all the same.
    strays: Vec<(CommandId, Body)>,
}

#[derive(Debug)]
struct Request {
    id: CommandId,
    body: Body,
    answered: bool,
}

/// A UUIDv7 (RFC 9562) of an instant: 12 and 62 more bits make it that one.
pub(crate) fn uuid_v7(at_ms: i64, a: u64, b: u64) -> CommandId {
    let ms = u128::from(at_ms.unsigned_abs() & 0xFFFF_FFFF_FFFF);
    let a = u128::from(a & 0xFFF);
    let b = u128::from(b & 0x3FFF_FFFF_FFFF_FFFF);
    CommandId::from_stored((ms << 80) | (7 << 76) | (a << 64) | (0b10 << 62) | b)
}

impl Program {
    /// Sends a request again, perhaps by mistake with other content, perhaps one of days ago.
    pub(crate) fn again(&mut self, dice: &mut Dice) -> Option<(CommandId, Body)> {
        if dice.often(120) {
            return dice.pick(&self.strays).cloned();
        }
        let waiting: Vec<usize> =
            self.requests.iter().enumerate().filter(|(_, request)| !request.answered).map(|(at, _)| at).collect();
        let at = match dice.pick(&waiting) {
            Some(at) if dice.often(650) => *at,
            _ => dice.index(self.requests.len()),
        };
        let id = self.requests.get(at)?.id;
        let other = if dice.often(60) { dice.index(self.requests.len()) } else { at };
        self.requests.get(other).map(|request| (id, request.body.clone()))
    }

    /// Makes a request with an id of now; a program's clock may be wrong.
    pub(crate) fn ask(&mut self, dice: &mut Dice, now_ms: i64, body: Body) -> (CommandId, Body) {
        let made_ms = match dice.below(40) {
            0 => now_ms + 120_000,
            1 => now_ms - 30 * 3_600_000,
            2..6 => now_ms + 40_000,
            _ => now_ms,
        };
        let id = uuid_v7(made_ms, dice.word(), dice.word());
        if self.requests.len() >= KEPT {
            let gone = self.requests.remove(dice.index(KEPT));
            if dice.often(200) {
                if self.strays.len() >= STRAY {
                    self.strays.remove(dice.index(STRAY));
                }
                self.strays.push((gone.id, gone.body));
            }
        }
        self.requests.push(Request { id, body: body.clone(), answered: false });
        (id, body)
    }

    /// An answer came; *unknown* and *busy* are none.
    pub(crate) fn answer(&mut self, id: CommandId, answer: &Answer) {
        if matches!(answer, Answer::Busy | Answer::Closed(_) | Answer::Unknown) {
            return;
        }
        for request in self.requests.iter_mut().filter(|request| request.id == id) {
            request.answered = true;
        }
    }
}
